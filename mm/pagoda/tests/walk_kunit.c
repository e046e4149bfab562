// SPDX-License-Identifier: GPL-2.0
/*
 * Page walk: each address of a range is reported once, as an entry or as part
 * of a hole, in order.
 */
#include <linux/pagewalk.h>
#include <linux/pgtable.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

struct walk_log {
	struct kunit *test;
	unsigned long next;		/* the first address not reported */
	unsigned long entries, present;	/* how many were */
	unsigned long hole, bare;	/* bytes of holes; outside any area */
	unsigned long areas, leaves;	/* pre_vma and post_vma calls */
	unsigned long stop_at;		/* end the walk there, if set */
	unsigned long skip;		/* skip the area that starts here */
};

static int walk_entry(pte_t *pte, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	struct walk_log *log = walk->private;

	KUNIT_EXPECT_EQ(log->test, addr, log->next);
	KUNIT_EXPECT_EQ(log->test, next, addr + PAGE_SIZE);
	KUNIT_EXPECT_NOT_NULL(log->test, walk->vma);
	log->next = next;
	log->entries++;
	log->present += pte_present(ptep_get(pte));
	return log->stop_at && addr >= log->stop_at ? 42 : 0;
}

static int walk_hole(unsigned long addr, unsigned long next, int depth,
		     struct mm_walk *walk)
{
	struct walk_log *log = walk->private;

	KUNIT_EXPECT_EQ(log->test, addr, log->next);
	KUNIT_EXPECT_LT(log->test, addr, next);
	log->next = next;
	log->hole += next - addr;
	if (!walk->vma)
		log->bare += next - addr;
	return 0;
}

static int walk_test(unsigned long addr, unsigned long next,
		     struct mm_walk *walk)
{
	struct walk_log *log = walk->private;

	if (!log->skip || walk->vma->vm_start != log->skip)
		return 0;
	log->next = next;
	return 1;
}

static int walk_pre(unsigned long start, unsigned long end,
		    struct mm_walk *walk)
{
	((struct walk_log *)walk->private)->areas++;
	return 0;
}

static void walk_post(struct mm_walk *walk)
{
	((struct walk_log *)walk->private)->leaves++;
}

static const struct mm_walk_ops walk_ops = {
	.pte_entry = walk_entry,
	.pte_hole = walk_hole,
	.test_walk = walk_test,
	.pre_vma = walk_pre,
	.post_vma = walk_post,
	.walk_lock = PGWALK_RDLOCK,
};

static int walk(struct walk_log *log, unsigned long from, unsigned long to)
{
	int ret;

	log->next = from;
	mmap_read_lock(current->mm);
	ret = walk_page_range(current->mm, from, to, &walk_ops, log);
	mmap_read_unlock(current->mm);
	return ret;
}

static void walk_covers_range(struct kunit *test)
{
	struct walk_log log = { .test = test };

	umm_paint(test, NULL, "|WW|..|rrr|.|WWW|");
	KUNIT_EXPECT_EQ(test, walk(&log, AT(0), AT(12)), 0);
	KUNIT_EXPECT_EQ(test, log.next, AT(12));
	KUNIT_EXPECT_EQ(test, log.entries * PAGE_SIZE + log.hole,
			12 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, log.present, 5UL);
	KUNIT_EXPECT_EQ(test, log.bare, 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, log.areas, 3UL);
	KUNIT_EXPECT_EQ(test, log.leaves, 3UL);
}

static void walk_part_of_areas(struct kunit *test)
{
	struct walk_log log = { .test = test };

	umm_paint(test, NULL, "|WWWW|WWWW|");
	KUNIT_EXPECT_EQ(test, walk(&log, AT(1), AT(3)), 0);
	KUNIT_EXPECT_EQ(test, log.present, 2UL);
	KUNIT_EXPECT_EQ(test, log.next, AT(3));
	KUNIT_EXPECT_EQ(test, walk(&log, AT(3), AT(3)), -EINVAL);
	KUNIT_EXPECT_EQ(test, log.present, 2UL);
}

/* Empty tables at every level: a hole each, without a step for each page. */
static void walk_over_wide_holes(struct kunit *test)
{
	const unsigned long pages = 5 * PTRS_PER_PTE;
	struct walk_log log = { .test = test };
	unsigned long at = UMM_BASE;

	umm_map_at(test, at, pages, UMM_RW);
	KUNIT_EXPECT_EQ(test, walk(&log, at, at + pages * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, log.entries, 0UL);
	KUNIT_EXPECT_EQ(test, log.hole, pages * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, log.bare, 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 3 * PMD_SIZE, 1), 0);
	log.hole = 0;
	KUNIT_EXPECT_EQ(test, walk(&log, at, at + pages * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, log.present, 1UL);
	KUNIT_EXPECT_EQ(test, log.entries, (unsigned long)PTRS_PER_PTE);
	KUNIT_EXPECT_EQ(test, log.hole, (pages - PTRS_PER_PTE) * PAGE_SIZE);
}

/* A callback's answer ends the walk and is the walk's own. */
static void walk_stops(struct kunit *test)
{
	struct walk_log log = { .test = test, .stop_at = AT(2) };

	umm_paint(test, NULL, "|WWWWWW|");
	KUNIT_EXPECT_EQ(test, walk(&log, AT(0), AT(6)), 42);
	KUNIT_EXPECT_EQ(test, log.entries, 3UL);
	KUNIT_EXPECT_EQ(test, log.areas, log.leaves);
}

static void walk_skips_area(struct kunit *test)
{
	struct walk_log log = { .test = test, .skip = AT(2) };

	umm_paint(test, NULL, "|WW|rr|WW|");
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 0UL);
	KUNIT_EXPECT_EQ(test, walk(&log, AT(0), AT(6)), 0);
	KUNIT_EXPECT_EQ(test, log.present, 4UL);
	KUNIT_EXPECT_EQ(test, log.areas, 2UL);
}

static void walk_one_area(struct kunit *test)
{
	struct walk_log log = { .test = test, .next = AT(2) };
	struct vm_area_struct *vma;

	umm_paint(test, NULL, "|WW|rrr|WW|");
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 0UL);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, AT(2));
	KUNIT_EXPECT_NOT_NULL(test, vma);
	if (vma)
		KUNIT_EXPECT_EQ(test, walk_page_vma(vma, &walk_ops, &log), 0);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, log.next, AT(5));
	KUNIT_EXPECT_EQ(test, log.present, 1UL);
}

static struct kunit_case walk_tests[] = {
	KUNIT_CASE(walk_covers_range),
	KUNIT_CASE(walk_part_of_areas),
	KUNIT_CASE(walk_over_wide_holes),
	KUNIT_CASE(walk_stops),
	KUNIT_CASE(walk_skips_area),
	KUNIT_CASE(walk_one_area),
	{ }
};

static struct kunit_suite walk_suite = {
	.name = "pagoda_walk",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = walk_tests,
};

kunit_test_suite(walk_suite);
