// SPDX-License-Identifier: GPL-2.0
/*
 * mremap in all its forms. Pictures: see lib/pagoda/picture.c.
 */
#include <linux/pgtable.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define MOVE		MREMAP_MAYMOVE
#define FIXED		(MREMAP_MAYMOVE | MREMAP_FIXED)
#define KEEP		(MREMAP_MAYMOVE | MREMAP_DONTUNMAP)

/* Pages, not bytes; want < 0 is an error, else the page it returns. */
struct mremap_case {
	const char *name, *before;
	int from, old, new, flags, to, want;
	const char *after;
};

static const struct mremap_case mremap_cases[] = {
	{ "same size", "|WWWW|....|", 0, 4, 4, 0, 0, 0, "|WWWW|....|" },
	{ "shrink", "|WWWW|....|", 0, 4, 2, 0, 0, 0, "|WW|......|" },
	{ "shrink in the middle", "|WWWWWW|..|", 1, 4, 2, 0, 0, 1,
	  "|WWW|..|W|..|" },
	{ "grow in place", "|WWWW|....|", 0, 4, 7, 0, 0, 0, "|WWWWWWW|.|" },
	{ "grow the tail", "|WWWW|....|", 2, 2, 4, 0, 0, 2, "|WWWWWW|..|" },
	{ "grow to touch its like", "|WW|..|ww|..|", 0, 2, 4, 0, 0, 0, NULL },
	{ "grow in place of a file", "|ff|......|", 0, 2, 4, 0, 0, 0,
	  "|ffff|....|" },
	{ "grow, no room, stay", "|WW|rr|....|", 0, 2, 3, 0, 0, -ENOMEM,
	  "|WW|rr|....|" },
	{ "grow the head, stay", "|WWWW|....|", 0, 2, 3, 0, 0, -ENOMEM,
	  "|WWWW|....|" },
	{ "move to a hole", "|WW|......|", 0, 2, 2, FIXED, 4, 4,
	  "|....|WW|..|" },
	{ "move the middle", "|WWWWWW|..|", 2, 2, 2, FIXED, 6, 6,
	  "|WW|..|WW|WW|" },
	{ "move over others", "|WW|rr|xx|..|", 0, 2, 2, FIXED, 3, 3,
	  "|..|r|WW|x|..|" },
	{ "move and grow", "|WW|......|", 0, 2, 4, FIXED, 3, 3,
	  "|...|WWWW|.|" },
	{ "move and shrink", "|WWWW|....|", 0, 4, 2, FIXED, 5, 5,
	  "|.....|WW|.|" },
	{ "move a file", "|.|ff|.....|", 1, 2, 2, FIXED, 4, 4,
	  "|....|gg|..|" },
	{ "move beside its like", "|ww|..|ww|..|", 4, 2, 2, FIXED, 2, 2,
	  NULL },
	{ "move onto itself", "|WWWW|....|", 0, 4, 4, FIXED, 2, -EINVAL,
	  "|WWWW|....|" },
	{ "fixed without maymove", "|WW|......|", 0, 2, 2, MREMAP_FIXED, 4,
	  -EINVAL, "|WW|......|" },
	{ "unknown flag", "|WW|......|", 0, 2, 2, 64, 0, -EINVAL,
	  "|WW|......|" },
	{ "to no size", "|WW|......|", 0, 2, 0, MOVE, 0, -EINVAL,
	  "|WW|......|" },
	{ "from a hole", "|..|WW|....|", 0, 2, 4, MOVE, 0, -EFAULT,
	  "|..|WW|....|" },
	{ "across two areas", "|WW|rr|....|", 0, 4, 6, MOVE, 0, -EFAULT,
	  "|WW|rr|....|" },
	{ "private, from no size", "|WW|......|", 0, 0, 2, MOVE, 0, -EINVAL,
	  "|WW|......|" },
	{ "keep, other size", "|WW|......|", 0, 2, 4, KEEP, 0, -EINVAL,
	  "|WW|......|" },
	{ "keep and move", "|WW|......|", 0, 2, 2, KEEP | FIXED, 4, 4, NULL },
};

static void mremap_describe(const struct mremap_case *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(mremap, mremap_cases, mremap_describe);

static long remap(unsigned long from, unsigned long old, unsigned long new,
		  int flags, unsigned long to)
{
	return umm_sys(__NR_mremap, from, old * PAGE_SIZE, new * PAGE_SIZE,
		       flags, to);
}

static void mremap_change(struct kunit *test)
{
	const struct mremap_case *c = test->param_value;
	struct file *file = umm_ramfs(test, 16);
	long want = c->want < 0 ? c->want : (long)AT(c->want);
	bool written = strchr(c->before, 'W');
	int i;

	for (i = 0; i < 16; i++)
		umm_file_set(test, file, i * PAGE_SIZE, i + 1);
	umm_paint(test, file, c->before);
	KUNIT_EXPECT_EQ(test, remap(AT(c->from), c->old, c->new, c->flags,
				    AT(c->to)), want);
	if (c->after)
		KUNIT_EXPECT_STREQ(test, umm_picture(test, 8), c->after);
	umm_check_areas(test, current->mm);
	for (i = 0; want > 0 && written && i < min(c->old, c->new); i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, want + i * PAGE_SIZE),
				(unsigned long)c->from + i + 1);
	if (want > 0 && strchr(c->before, 'f'))
		KUNIT_EXPECT_EQ(test, umm_peek(test, want + PAGE_SIZE),
				(unsigned long)c->from + 2);
}

/* Moving is done with the frames, not with their contents. */
static void mremap_keeps_frames(struct kunit *test)
{
	const unsigned long pages = 2 * PTRS_PER_PTE + 7;
	unsigned long from = AT(3), i;
	unsigned long to = UMM_BASE + 4 * PMD_SIZE + 5 * PAGE_SIZE;
	unsigned long *frame = kunit_kcalloc(test, pages, sizeof(*frame),
					     GFP_KERNEL);
	struct mm_struct *mm = current->mm;

	KUNIT_ASSERT_NOT_NULL(test, frame);
	umm_map_at(test, from, pages, UMM_RW);
	for (i = 0; i < pages; i += 3) {
		KUNIT_ASSERT_EQ(test, umm_poke(from + i * PAGE_SIZE, i), 0);
		frame[i] = umm_entry(mm, from + i * PAGE_SIZE).pfn;
	}
	KUNIT_EXPECT_EQ(test, remap(from, pages, pages, FIXED, to), (long)to);
	for (i = 0; i < pages; i++) {
		struct umm_entry e = umm_entry(mm, to + i * PAGE_SIZE);

		KUNIT_ASSERT_EQ(test, e.present, i % 3 == 0);
		if (i % 3)
			continue;
		KUNIT_ASSERT_EQ(test, e.pfn, frame[i]);
		KUNIT_ASSERT_EQ(test, umm_peek(test, to + i * PAGE_SIZE), i);
	}
	KUNIT_EXPECT_EQ(test, umm_present(mm, from, pages), 0UL);
	KUNIT_EXPECT_EQ(test, umm_touch(from), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES),
			(long)DIV_ROUND_UP(pages, 3));
}

/* Aligned at a table, so that a whole table could be moved at once. */
static void mremap_whole_tables(struct kunit *test)
{
	const unsigned long pages = 2 * PTRS_PER_PTE;
	unsigned long from = ALIGN(UMM_BASE, PMD_SIZE);
	unsigned long to = from + 4 * PMD_SIZE, i;

	umm_map_at(test, from, pages, UMM_RW);
	for (i = 0; i < pages; i += 11)
		KUNIT_ASSERT_EQ(test, umm_poke(from + i * PAGE_SIZE, i), 0);
	KUNIT_EXPECT_EQ(test, remap(from, pages, pages, FIXED, to), (long)to);
	for (i = 0; i < pages; i += 11)
		KUNIT_ASSERT_EQ(test, umm_peek(test, to + i * PAGE_SIZE), i);
	KUNIT_EXPECT_EQ(test, umm_touch(from), -EFAULT);
	/* And back, over a place that was in use meanwhile. */
	umm_map_at(test, from, 1, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(from, 1000), 0);
	KUNIT_EXPECT_EQ(test, remap(to, pages, pages, FIXED, from), (long)from);
	for (i = 0; i < pages; i += 11)
		KUNIT_ASSERT_EQ(test, umm_peek(test, from + i * PAGE_SIZE), i);
}

static void mremap_may_move(struct kunit *test)
{
	long to;

	umm_paint(test, NULL, "|WW|rr|");
	to = remap(AT(0), 2, 5, MOVE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(to));
	KUNIT_EXPECT_NE(test, (unsigned long)to, AT(0));
	KUNIT_EXPECT_EQ(test, umm_peek(test, to), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to + PAGE_SIZE), 2UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to + 4 * PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	umm_check_areas(test, current->mm);
}

/* The old place stays mapped and is empty. */
static void mremap_dontunmap(struct kunit *test)
{
	long to;

	umm_paint(test, NULL, "|WWW|");
	to = remap(AT(0), 3, 3, KEEP, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(to));
	KUNIT_EXPECT_EQ(test, umm_peek(test, to + PAGE_SIZE), 2UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 9), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to + PAGE_SIZE), 2UL);
	umm_check_areas(test, current->mm);
}

/* From no size, a shared mapping is mapped a second time. */
static void mremap_duplicates_shared(struct kunit *test)
{
	struct file *file = umm_shmem(test, 8);
	long to;

	umm_paint(test, file, "|hhhh|");
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 33), 0);
	to = remap(AT(1), 0, 2, MOVE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(to));
	KUNIT_EXPECT_EQ(test, umm_peek(test, to + PAGE_SIZE), 33UL);
	KUNIT_EXPECT_EQ(test, umm_poke(to, 44), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 44UL);
}

static void mremap_locked(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	long to;

	umm_paint(test, NULL, "|LL|rr|");
	KUNIT_EXPECT_EQ(test, mm->locked_vm, 2UL);
	to = remap(AT(0), 2, 5, MOVE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(to));
	KUNIT_EXPECT_EQ(test, mm->locked_vm, 5UL);
	KUNIT_EXPECT_EQ(test, umm_present(mm, to, 5), 5UL);
	KUNIT_EXPECT_EQ(test, remap(to, 5, 1, 0, 0), to);
	KUNIT_EXPECT_EQ(test, mm->locked_vm, 1UL);
}

/* After a move the frame is still found through its anon_vma. */
static void mremap_then_fork(struct kunit *test)
{
	unsigned long to = AT(32);
	struct umm *child;

	umm_paint(test, NULL, "|WWWW|");
	KUNIT_EXPECT_EQ(test, remap(AT(1), 2, 2, FIXED, to), (long)to);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to), 2UL);
	KUNIT_EXPECT_EQ(test, umm_poke(to, 77), 0);
	KUNIT_EXPECT_EQ(test, remap(to, 2, 2, FIXED, AT(50)), (long)AT(50));
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, umm_peek(test, to), 2UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to + PAGE_SIZE), 3UL);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(50)), 77UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(51)), 3UL);
}

static void mremap_refuses_unaligned(struct kunit *test)
{
	umm_paint(test, NULL, "|WW|");
	KUNIT_EXPECT_EQ(test, remap(AT(0) + 1, 1, 1, MOVE, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, remap(AT(0), 1, 1, FIXED, AT(8) + 1),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, remap(AT(0), 2, 2, FIXED, TASK_SIZE - PAGE_SIZE),
			(long)-EINVAL);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 2), "|WW|");
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
}

static struct kunit_case mremap_tests[] = {
	KUNIT_CASE_PARAM(mremap_change, mremap_gen_params),
	KUNIT_CASE(mremap_keeps_frames),
	KUNIT_CASE(mremap_whole_tables),
	KUNIT_CASE(mremap_may_move),
	KUNIT_CASE(mremap_dontunmap),
	KUNIT_CASE(mremap_duplicates_shared),
	KUNIT_CASE(mremap_locked),
	KUNIT_CASE(mremap_then_fork),
	KUNIT_CASE(mremap_refuses_unaligned),
	{ }
};

static struct kunit_suite mremap_suite = {
	.name = "pagoda_mremap",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = mremap_tests,
};

kunit_test_suite(mremap_suite);
