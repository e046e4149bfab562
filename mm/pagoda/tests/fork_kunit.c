// SPDX-License-Identifier: GPL-2.0
/*
 * fork and copy-on-write, through the kernel's real copy path.
 *
 * Each case forks the address space it is in and then steps from one to the
 * other; nothing here knows whether fork copied tables or shares them.
 */
#include <linux/pgtable.h>
#include <linux/swap.h>

#include <pagoda/umm.h>

#define PAGES	16UL

static unsigned long fork_fill(struct kunit *test, unsigned long pages)
{
	unsigned long at = umm_map_at(test, UMM_BASE, pages, UMM_RW), i;

	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * PAGE_SIZE, i + 1), 0);
	/* A page that waits to enter the LRU is not free to be reused. */
	lru_add_drain_all();
	return at;
}

static struct umm *fork_here(struct kunit *test)
{
	struct umm *child = umm_fork(test);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	return child;
}

static unsigned long fork_frame(struct umm *u, unsigned long addr)
{
	return umm_entry(u->mm, addr).pfn;
}

static void fork_shares_frames(struct kunit *test)
{
	unsigned long at = fork_fill(test, PAGES), i;
	struct umm *parent = umm_self(test), *child = fork_here(test);

	for (i = 0; i < PAGES; i++) {
		unsigned long page = at + i * PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, fork_frame(parent, page),
				fork_frame(child, page));
		KUNIT_EXPECT_FALSE(test, umm_entry(parent->mm, page).write);
		KUNIT_EXPECT_FALSE(test, umm_entry(child->mm, page).write);
	}
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES), (long)PAGES);
	KUNIT_EXPECT_EQ(test, umm_rss(parent->mm, MM_ANONPAGES), (long)PAGES);
	umm_enter(child);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i + 1);
}

static void fork_copies_areas(struct kunit *test)
{
	struct umm *parent = umm_self(test), *child;
	struct file *file = umm_ramfs(test, 64);
	const char *picture = "|WW|rr|.|nn|ff|hh|xx|FF|";

	umm_paint(test, file, picture);
	child = fork_here(test);
	KUNIT_EXPECT_EQ(test, child->mm->map_count, parent->mm->map_count);
	KUNIT_EXPECT_EQ(test, child->mm->total_vm, parent->mm->total_vm);
	KUNIT_EXPECT_EQ(test, child->mm->brk, parent->mm->brk);
	umm_enter(child);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 15), picture);
	umm_check_areas(test, child->mm);
	/* Locks are not inherited. */
	umm_enter(parent);
	umm_paint(test, NULL, "|LLLL|");
	KUNIT_EXPECT_EQ(test, parent->mm->locked_vm, 4UL);
	child = fork_here(test);
	KUNIT_EXPECT_EQ(test, child->mm->locked_vm, 0UL);
	umm_enter(child);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 4), "|WWWW|");
}

/* Exactly the written pages differ afterwards, whoever wrote them. */
static void fork_write_copies(struct kunit *test, bool child_writes)
{
	const unsigned long written = BIT(0) | BIT(5) | BIT(6) | BIT(15);
	unsigned long at = fork_fill(test, PAGES), i;
	struct umm *parent = umm_self(test), *child = fork_here(test);
	struct umm *writer = child_writes ? child : parent;
	struct umm *other = child_writes ? parent : child;

	umm_enter(writer);
	for (i = 0; i < PAGES; i++)
		if (written & BIT(i))
			KUNIT_EXPECT_EQ(test, umm_poke(at + i * PAGE_SIZE,
						       100 + i), 0);
	for (i = 0; i < PAGES; i++) {
		unsigned long page = at + i * PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, umm_peek(test, page),
				written & BIT(i) ? 100 + i : i + 1);
		KUNIT_EXPECT_EQ(test, fork_frame(writer, page) !=
				fork_frame(other, page), !!(written & BIT(i)));
	}
	umm_enter(other);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i + 1);
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES), (long)PAGES);
	KUNIT_EXPECT_EQ(test, umm_rss(parent->mm, MM_ANONPAGES), (long)PAGES);
}

static void fork_child_write_copies(struct kunit *test)
{
	fork_write_copies(test, true);
}

static void fork_parent_write_copies(struct kunit *test)
{
	fork_write_copies(test, false);
}

/* The last owner of a page writes to it without a copy. */
static void fork_last_owner_reuses(struct kunit *test)
{
	unsigned long at = fork_fill(test, 2), kept, frame;
	struct umm *parent = umm_self(test), *child = fork_here(test);

	frame = fork_frame(parent, at);
	kept = fork_frame(parent, at + PAGE_SIZE);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 50), 0);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 60), 0);
	KUNIT_EXPECT_EQ(test, fork_frame(parent, at), frame);
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 70), 0);
	KUNIT_EXPECT_EQ(test, fork_frame(parent, at + PAGE_SIZE), kept);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 60UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 70UL);
}

static void fork_grandchild(struct kunit *test)
{
	unsigned long at = fork_fill(test, 3);
	struct umm *a = umm_self(test), *b, *c;

	b = fork_here(test);
	umm_enter(b);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 20), 0);
	c = fork_here(test);
	umm_enter(c);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 20UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 30), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 31), 0);
	KUNIT_EXPECT_EQ(test, fork_frame(a, at + 2 * PAGE_SIZE),
			fork_frame(c, at + 2 * PAGE_SIZE));
	umm_enter(b);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 20UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 2UL);
	/* The middle generation dies; the others must not notice. */
	umm_drop(b);
	umm_enter(a);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 2 * PAGE_SIZE, 12), 0);
	umm_enter(c);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 30UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 31UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 2 * PAGE_SIZE), 3UL);
}

static void fork_many_children(struct kunit *test)
{
	unsigned long at = fork_fill(test, PAGES);
	struct umm *parent = umm_self(test), *child[8];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(child); i++)
		child[i] = fork_here(test);
	for (i = 0; i < ARRAY_SIZE(child); i++) {
		umm_enter(child[i]);
		KUNIT_EXPECT_EQ(test, umm_poke(at + i * PAGE_SIZE, 1000 + i),
				0);
	}
	umm_enter(parent);
	for (j = 0; j < PAGES; j++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + j * PAGE_SIZE),
				j + 1);
	umm_drop(parent);
	for (i = 0; i < ARRAY_SIZE(child); i++) {
		umm_enter(child[i]);
		for (j = 0; j < PAGES; j++)
			KUNIT_EXPECT_EQ(test,
					umm_peek(test, at + j * PAGE_SIZE),
					i == j ? 1000 + i : j + 1);
		umm_drop(child[i]);
	}
}

/* Enough memory for several last-level tables, written here and there. */
static void fork_several_tables(struct kunit *test)
{
	const unsigned long pages = 3 * PTRS_PER_PTE, step = 37;
	unsigned long at, i;
	struct umm *parent = umm_self(test), *child;

	at = fork_fill(test, pages);
	child = fork_here(test);
	umm_enter(child);
	for (i = 0; i < pages; i += step)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * PAGE_SIZE, i + 7), 0);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, at + PMD_SIZE / 2,
				      PMD_SIZE), 0L);
	umm_enter(parent);
	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i + 1);
	KUNIT_EXPECT_EQ(test, umm_rss(parent->mm, MM_ANONPAGES), (long)pages);
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES),
			(long)(pages - PTRS_PER_PTE));
	umm_drop(parent);
	umm_enter(child);
	for (i = 0; i < PTRS_PER_PTE / 2; i++)
		KUNIT_ASSERT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i % step ? i + 1 : i + 7);
}

static void fork_shared_stays_shared(struct kunit *test)
{
	struct umm *parent = umm_self(test), *child;
	unsigned long at = vm_mmap(NULL, 0, 2 * PAGE_SIZE, UMM_RW,
				   MAP_SHARED | MAP_ANONYMOUS, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	child = fork_here(test);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 2), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 3), 0);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 2UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 3UL);
	KUNIT_EXPECT_EQ(test, fork_frame(parent, at), fork_frame(child, at));
}

static void fork_private_file(struct kunit *test)
{
	struct umm *parent = umm_self(test), *child;
	struct file *file = umm_ramfs(test, 4);
	unsigned long at;

	umm_file_set(test, file, 0, 11);
	umm_file_set(test, file, PAGE_SIZE, 12);
	at = umm_map_file(test, file, 0, 4, UMM_RW, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 21), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 12UL);
	child = fork_here(test);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 21UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 31), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 32), 0);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 21UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 12UL);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 0), 11UL);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, PAGE_SIZE), 12UL);
}

static void fork_zero_page(struct kunit *test)
{
	struct umm *parent = umm_self(test), *child;
	unsigned long at = umm_map(test, 2, UMM_RW);

	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 1), 0);
	child = fork_here(test);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 5), 0);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss(parent->mm, MM_ANONPAGES), 1L);
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES), 2L);
}

static void fork_advice(struct kunit *test)
{
	unsigned long at = fork_fill(test, 6);
	struct umm *parent = umm_self(test), *child;

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at, 2 * PAGE_SIZE,
				      MADV_DONTFORK), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at + 2 * PAGE_SIZE,
				      2 * PAGE_SIZE, MADV_WIPEONFORK), 0L);
	child = fork_here(test);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_touch(at), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 2 * PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 4 * PAGE_SIZE), 5UL);
	umm_check_areas(test, child->mm);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 2 * PAGE_SIZE), 3UL);
}

/* Whatever one side does to its areas, the other keeps its memory. */
static void fork_calls_stay_private(struct kunit *test)
{
	unsigned long at = fork_fill(test, 8), i, to = 3 * UMM_BASE;
	struct umm *parent = umm_self(test), *child = fork_here(test);

	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, at, PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at + PAGE_SIZE, PAGE_SIZE,
				      MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at + 2 * PAGE_SIZE,
				      PAGE_SIZE, PROT_NONE), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, at + 3 * PAGE_SIZE,
				      PAGE_SIZE, PAGE_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, to),
			(long)to);
	KUNIT_EXPECT_EQ(test, umm_poke(to, 99), 0);
	/* Taking write permission away and giving it back allows no write. */
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at + 4 * PAGE_SIZE,
				      PAGE_SIZE, PROT_READ), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at + 4 * PAGE_SIZE,
				      PAGE_SIZE, UMM_RW), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 4 * PAGE_SIZE, 77), 0);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, at + 5 * PAGE_SIZE,
				      PAGE_SIZE), 0L);
	umm_enter(parent);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 8), "|WWWWWWWW|");
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i + 1);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, at, 8 * PAGE_SIZE), 0L);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 6 * PAGE_SIZE), 7UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to), 99UL);
}

/* A device may be writing to a pinned page: the child gets the copy. */
static void fork_pinned_page_stays(struct kunit *test)
{
	unsigned long at = fork_fill(test, 2);
	struct umm *parent = umm_self(test), *child;
	struct page *page;

	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(at, 1, FOLL_WRITE, &page), 1);
	child = fork_here(test);
	KUNIT_EXPECT_EQ(test, fork_frame(parent, at), page_to_pfn(page));
	KUNIT_EXPECT_NE(test, fork_frame(child, at), page_to_pfn(page));
	KUNIT_EXPECT_EQ(test, umm_poke(at, 5), 0);
	KUNIT_EXPECT_EQ(test, fork_frame(parent, at), page_to_pfn(page));
	unpin_user_page(page);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 2UL);
}

static struct kunit_case fork_tests[] = {
	KUNIT_CASE(fork_shares_frames),
	KUNIT_CASE(fork_copies_areas),
	KUNIT_CASE(fork_child_write_copies),
	KUNIT_CASE(fork_parent_write_copies),
	KUNIT_CASE(fork_last_owner_reuses),
	KUNIT_CASE(fork_grandchild),
	KUNIT_CASE(fork_many_children),
	KUNIT_CASE(fork_several_tables),
	KUNIT_CASE(fork_shared_stays_shared),
	KUNIT_CASE(fork_private_file),
	KUNIT_CASE(fork_zero_page),
	KUNIT_CASE(fork_advice),
	KUNIT_CASE(fork_calls_stay_private),
	KUNIT_CASE(fork_pinned_page_stays),
	{ }
};

static struct kunit_suite fork_suite = {
	.name = "pagoda_fork",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = fork_tests,
};

kunit_test_suite(fork_suite);
