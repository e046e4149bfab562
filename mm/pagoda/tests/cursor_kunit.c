// SPDX-License-Identifier: GPL-2.0
/*
 * The cursor and the tables' counts: what a window covers, what is skipped,
 * that both are locked when they should be, and that what an edit counts is
 * what the tables and the address space then say.
 */
#include <kunit/static_stub.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include <pagoda/umm.h>

#include "../tree.h"

#define SPAN	BIT(pt_shift(2))

/* Open the window of one page for changes, if there is a table for it. */
static bool cursor_find(struct pt_edit *e, struct mm_struct *mm,
			unsigned long addr)
{
	return !pt_edit_open(e, mm, addr, addr + PAGE_SIZE) && pt_edit_next(e);
}

/* An area over three last-level tables, starting at a table's first address. */
static unsigned long cursor_area(struct kunit *test)
{
	return umm_map_at(test, ALIGN(UMM_BASE, SPAN), 3 * SPAN >> PAGE_SHIFT,
			  UMM_RW);
}

static void cursor_finds_nothing_in_a_hole(struct kunit *test)
{
	unsigned long at = cursor_area(test);
	struct pt_cursor c;

	pt_open(&c, current->mm, at, at + 3 * SPAN);
	KUNIT_EXPECT_FALSE(test, pt_next(&c));
	KUNIT_EXPECT_EQ(test, c.addr, at + 3 * SPAN);
	KUNIT_EXPECT_NULL(test, c.pte);
}

static void cursor_window_is_one_table(struct kunit *test)
{
	unsigned long at = cursor_area(test);
	struct pt_cursor c;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_ASSERT_EQ(test, umm_poke(at + 2 * SPAN, 1), 0);

	pt_open(&c, current->mm, at, at + 3 * SPAN);
	KUNIT_ASSERT_TRUE(test, pt_next(&c));
	KUNIT_EXPECT_EQ(test, c.addr, at);
	KUNIT_EXPECT_EQ(test, c.stop, at + SPAN);
	KUNIT_EXPECT_FALSE(test, spin_trylock(c.ptl));
	KUNIT_EXPECT_TRUE(test, pte_present(pt_get(&c)));
	KUNIT_EXPECT_TRUE(test, pt_step(&c));
	KUNIT_EXPECT_TRUE(test, pte_none(pt_get(&c)));

	/* The middle table does not exist: the hole is a jump. */
	while (pt_step(&c))
		;
	KUNIT_EXPECT_EQ(test, c.addr, at + SPAN);
	KUNIT_ASSERT_TRUE(test, pt_next(&c));
	KUNIT_EXPECT_EQ(test, c.addr, at + 2 * SPAN);
	KUNIT_EXPECT_EQ(test, c.stop, at + 3 * SPAN);
	pt_release(&c);
	KUNIT_EXPECT_NULL(test, c.pte);
}

/* Steps to the end of each window, as every loop over a range does. */
static void cursor_loop_sees_every_page_once(struct kunit *test)
{
	unsigned long at = cursor_area(test), first = 0, pages = 0, present = 0;
	struct pt_cursor c;

	KUNIT_ASSERT_EQ(test, umm_poke(at + PAGE_SIZE, 1), 0);
	KUNIT_ASSERT_EQ(test, umm_poke(at + 2 * SPAN + PAGE_SIZE, 1), 0);

	pt_open(&c, current->mm, at + PAGE_SIZE, at + 3 * SPAN - PAGE_SIZE);
	while (pt_next(&c)) {
		if (!first)
			first = c.addr;
		do {
			pages++;
			present += pte_present(pt_get(&c));
		} while (pt_step(&c));
	}
	KUNIT_EXPECT_EQ(test, first, at + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, present, 2UL);
	KUNIT_EXPECT_EQ(test, pages, 2 * (SPAN >> PAGE_SHIFT) - 2);
	KUNIT_EXPECT_EQ(test, c.addr, at + 3 * SPAN - PAGE_SIZE);
}

static void cursor_range_ends_inside_a_table(struct kunit *test)
{
	unsigned long at = cursor_area(test);
	struct pt_cursor c;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	pt_open(&c, current->mm, at + PAGE_SIZE, at + 3 * PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, pt_next(&c));
	KUNIT_EXPECT_EQ(test, c.stop, at + 3 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, pt_step(&c));
	KUNIT_EXPECT_FALSE(test, pt_step(&c));
	KUNIT_EXPECT_EQ(test, c.addr, at + 3 * PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, pt_next(&c));
}

static void cursor_peek_takes_no_lock(struct kunit *test)
{
	unsigned long at = cursor_area(test);
	struct pt_cursor c;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	rcu_read_lock();
	pt_open(&c, current->mm, at, at + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, pt_peek_next(&c));
	KUNIT_EXPECT_NULL(test, c.ptl);
	KUNIT_EXPECT_TRUE(test, pt_peek_same(&c));
	KUNIT_EXPECT_TRUE(test, pte_present(pt_get(&c)));
	pt_peek_end(&c);
	rcu_read_unlock();

	/*
	 * A table that was hooked out meanwhile is noticed. (A neighbour keeps
	 * the table above it.)
	 */
	umm_map_at(test, at + 3 * SPAN, 1, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(at + 3 * SPAN, 1), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(at, 3 * SPAN), 0);
	KUNIT_EXPECT_FALSE(test, pt_peek_same(&c));
}

/* The zero page serves as any page: nobody counts its mappings. */
static pte_t cursor_page(void)
{
	return pfn_pte(my_zero_pfn(0), vm_get_page_prot(VM_READ));
}

/* And as the frame that a special entry maps, which no counter counts. */
static pte_t cursor_frame(void)
{
	return pte_mkspecial(cursor_page());
}

static void cursor_fill_makes_the_tables(struct kunit *test)
{
	unsigned long at = cursor_area(test);
	unsigned long before = umm_table_bytes(current->mm);
	struct pt_edit e;

	mmap_write_lock(current->mm);
	KUNIT_EXPECT_FALSE(test, cursor_find(&e, current->mm, at));
	KUNIT_ASSERT_EQ(test, pt_edit_at(&e, current->mm, at), 0);
	KUNIT_EXPECT_TRUE(test, pte_none(pt_get(&e.c)));
	KUNIT_EXPECT_EQ(test, atomic_read(pt_table_refs(e.c.table)), 1);
	pt_edit_release(&e);
	KUNIT_EXPECT_GT(test, umm_table_bytes(current->mm), before);
	KUNIT_EXPECT_TRUE(test, cursor_find(&e, current->mm, at));
	pt_edit_release(&e);
	mmap_write_unlock(current->mm);
}

static void cursor_edit_counts_at_release(struct kunit *test)
{
	unsigned long at = cursor_area(test);
	struct mm_struct *mm = current->mm;
	struct ptdesc *table;
	struct pt_edit e;

	mmap_write_lock(mm);
	KUNIT_ASSERT_EQ(test, pt_edit_at(&e, mm, at), 0);
	table = e.c.table;
	pt_set(&e, cursor_page(), MM_SHMEMPAGES);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_SHMEMPAGES), 0L);
	pt_edit_release(&e);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_SHMEMPAGES), 1L);
	KUNIT_EXPECT_EQ(test, pt_counted(table, MM_SHMEMPAGES), 1);
	KUNIT_EXPECT_EQ(test, pt_counted(table, MM_ANONPAGES), 0);

	KUNIT_ASSERT_TRUE(test, cursor_find(&e, mm, at));
	pt_clear(&e, MM_SHMEMPAGES, false);
	pt_edit_release(&e);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_SHMEMPAGES), 0L);
	KUNIT_EXPECT_EQ(test, pt_counted(table, MM_SHMEMPAGES), 0);

	/* What no counter counts changes none. */
	KUNIT_ASSERT_TRUE(test, cursor_find(&e, mm, at));
	pt_set(&e, cursor_frame(), PT_UNCOUNTED);
	pt_edit_release(&e);
	KUNIT_EXPECT_EQ(test, umm_rss_all(mm), 0L);
	mmap_write_unlock(mm);
}

/* Recount a table by its entries, as the counts must say. */
static void cursor_counts_follow_faults(struct kunit *test)
{
	unsigned long at = cursor_area(test), i;
	struct pt_cursor c;

	for (i = 20; i--;)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * PAGE_SIZE, i), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(at + 4 * PAGE_SIZE, 3 * PAGE_SIZE), 0);

	pt_open(&c, current->mm, at, at + PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, pt_next(&c));
	KUNIT_EXPECT_EQ(test, pt_counted(c.table, MM_ANONPAGES), 17);
	KUNIT_EXPECT_EQ(test, pt_counted(c.table, MM_FILEPAGES), 0);
	pt_release(&c);
}

/*
 *	src   |..x.|    |x...|		dst is one page ahead, so its windows
 *	dst  |.|..x.|    |x...|		end elsewhere: both step together
 */
static void cursor_pair_steps_together(struct kunit *test)
{
	unsigned long at = cursor_area(test), seen = 0, gap = 0;
	struct pt_edit src, dst;
	int got;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_ASSERT_EQ(test, umm_poke(at + SPAN + PAGE_SIZE, 1), 0);
	umm_map_at(test, at + 5 * SPAN, 3 * SPAN >> PAGE_SHIFT, UMM_RW);

	mmap_write_lock(current->mm);
	KUNIT_ASSERT_EQ(test, pt_edit_open(&src, current->mm, at,
					   at + 2 * SPAN), 0);
	KUNIT_ASSERT_EQ(test, pt_edit_open(&dst, current->mm,
					   at + 5 * SPAN + PAGE_SIZE,
					   at + 7 * SPAN + PAGE_SIZE), 0);
	while ((got = pt_pair_next(&src, &dst)) > 0) {
		KUNIT_EXPECT_EQ(test, src.c.stop - src.c.addr,
				dst.c.stop - dst.c.addr);
		do {
			gap |= dst.c.addr - src.c.addr -
			       (5 * SPAN + PAGE_SIZE);
			seen += pte_present(pt_get(&src.c));
		} while (pt_pair_step(&src, &dst));
	}
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, got, 0);
	KUNIT_EXPECT_EQ(test, seen, 2UL);
	KUNIT_EXPECT_EQ(test, gap, 0UL);
}

static void cursor_pair_in_one_table_locks_once(struct kunit *test)
{
	unsigned long at = cursor_area(test);
	struct pt_edit src, dst;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	mmap_write_lock(current->mm);
	KUNIT_ASSERT_EQ(test, pt_edit_open(&src, current->mm, at,
					   at + PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, pt_edit_open(&dst, current->mm,
					   at + 9 * PAGE_SIZE,
					   at + 10 * PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, pt_pair_next(&src, &dst), 1);
	KUNIT_EXPECT_PTR_EQ(test, src.c.table, dst.c.table);
	KUNIT_EXPECT_NULL(test, src.c.ptl);
	KUNIT_EXPECT_NOT_NULL(test, dst.c.ptl);
	KUNIT_EXPECT_FALSE(test, pt_pair_step(&src, &dst));
	pt_pair_release(&src, &dst);
	mmap_write_unlock(current->mm);
}

#ifdef CONFIG_PAGODA_DEBUG
static unsigned int cursor_misuses;

static void cursor_note_misuse(const char *what)
{
	cursor_misuses++;
}

#endif

/* What the compiler cannot refuse, a debug build reports. */
static void cursor_misuse_is_caught(struct kunit *test)
{
#ifdef CONFIG_PAGODA_DEBUG
	unsigned long at = cursor_area(test);
	struct pt_edit e;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	kunit_activate_static_stub(test, pt_misuse, cursor_note_misuse);
	mmap_write_lock(current->mm);

	/* A proper edit is none. */
	KUNIT_ASSERT_EQ(test, pt_edit_at(&e, current->mm, at + PAGE_SIZE), 0);
	cursor_misuses = 0;
	pt_set(&e, cursor_frame(), PT_UNCOUNTED);
	KUNIT_EXPECT_EQ(test, cursor_misuses, 0U);
	/* Over an entry that is there. */
	pt_set(&e, cursor_frame(), PT_UNCOUNTED);
	KUNIT_EXPECT_EQ(test, cursor_misuses, 1U);
	/* A count of what is not there. */
	pt_count(&e, MM_SHMEMPAGES, 1);
	pt_edit_release(&e);
	KUNIT_EXPECT_EQ(test, cursor_misuses, 2U);
	KUNIT_ASSERT_TRUE(test, cursor_find(&e, current->mm, at));
	pt_count(&e, MM_SHMEMPAGES, -1);
	pt_edit_release(&e);
	KUNIT_EXPECT_EQ(test, cursor_misuses, 2U);
	/* A range that ends before it begins. */
	pt_open(&e.c, current->mm, at, at - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, cursor_misuses, 3U);
	mmap_write_unlock(current->mm);
#else
	kunit_skip(test, "needs CONFIG_PAGODA_DEBUG");
#endif
}

static int visit_entry(void *arg, pte_t *slot, unsigned int level,
		       unsigned long addr, unsigned long next)
{
	unsigned long *levels = arg;

	levels[level]++;
	return 1;
}

static int visit_table(void *arg, pte_t *slot, unsigned long addr,
		       unsigned long next)
{
	unsigned long *levels = arg;

	levels[1]++;
	return 0;
}

static int visit_refuse(void *arg, pte_t *slot, unsigned int level,
			unsigned long addr, unsigned long next)
{
	return -EINTR;
}

static void cursor_visit_shows_every_level(struct kunit *test)
{
	static const struct pt_visitor show = {
		.entry = visit_entry, .table = visit_table,
	};
	static const struct pt_visitor refuse = { .hole = visit_refuse };
	unsigned long at = cursor_area(test), levels[PT_MAX_LEVELS + 1] = { };
	unsigned int level;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_ASSERT_EQ(test, umm_poke(at + 2 * SPAN, 1), 0);
	mmap_read_lock(current->mm);
	KUNIT_EXPECT_EQ(test, pt_visit(current->mm, NULL, at, at + 3 * SPAN,
				       &show, levels), 0);
	KUNIT_EXPECT_EQ(test, pt_visit(current->mm, NULL, at, at + 3 * SPAN,
				       &refuse, NULL), -EINTR);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, levels[1], 2UL);
	KUNIT_EXPECT_EQ(test, levels[2], 2UL);
	for (level = 3; level <= pt_levels(); level++)
		KUNIT_EXPECT_EQ(test, levels[level], 1UL);
}

static void table_bytes_go_back_to_zero(struct kunit *test)
{
	unsigned long at = cursor_area(test), i;
	unsigned long before = umm_table_bytes(current->mm);

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * SPAN, 1), 0);
	KUNIT_EXPECT_GE(test, umm_table_bytes(current->mm),
			before + 3 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_munmap(at, 3 * SPAN), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(current->mm), before);
}

/* A table that reaches into a neighbour's addresses stays. */
static void table_shared_by_areas_stays(struct kunit *test)
{
	unsigned long at = cursor_area(test), bytes;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_ASSERT_EQ(test, umm_poke(at + SPAN, 1), 0);
	bytes = umm_table_bytes(current->mm);
	KUNIT_ASSERT_EQ(test, vm_munmap(at, SPAN - PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(current->mm), bytes);
	KUNIT_ASSERT_EQ(test, vm_munmap(at + SPAN - PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(current->mm),
			bytes - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN), 1UL);
}

static struct kunit_case cursor_cases[] = {
	KUNIT_CASE(cursor_finds_nothing_in_a_hole),
	KUNIT_CASE(cursor_window_is_one_table),
	KUNIT_CASE(cursor_loop_sees_every_page_once),
	KUNIT_CASE(cursor_range_ends_inside_a_table),
	KUNIT_CASE(cursor_peek_takes_no_lock),
	KUNIT_CASE(cursor_fill_makes_the_tables),
	KUNIT_CASE(cursor_edit_counts_at_release),
	KUNIT_CASE(cursor_counts_follow_faults),
	KUNIT_CASE(cursor_pair_steps_together),
	KUNIT_CASE(cursor_pair_in_one_table_locks_once),
	KUNIT_CASE(cursor_misuse_is_caught),
	KUNIT_CASE(cursor_visit_shows_every_level),
	KUNIT_CASE(table_bytes_go_back_to_zero),
	KUNIT_CASE(table_shared_by_areas_stays),
	{}
};

static struct kunit_suite cursor_suite = {
	.name = "pagoda_cursor",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = cursor_cases,
};

kunit_test_suite(cursor_suite);

MODULE_DESCRIPTION("KUnit suite: the page-table cursor");
MODULE_LICENSE("GPL");
