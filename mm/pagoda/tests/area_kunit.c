// SPDX-License-Identifier: GPL-2.0
/*
 * Areas: how they split and merge, seen through the area tree.
 *
 * Each case is a picture before, one or two calls, and a picture after; how to
 * read a picture stands at the head of lib/pagoda/picture.c. After each case
 * the invariants that hold of any area tree are checked as well.
 */
#include <pagoda/umm.h>

enum area_call { NOTHING, MAP, UNMAP, PROTECT, LOCK, UNLOCK, ADVISE };

struct area_step {
	enum area_call call;
	unsigned long first, pages;	/* in pages from UMM_BASE on */
	int arg;			/* letter, PROT_* or MADV_* */
	long want;			/* what the call returns */
};

struct area_case {
	const char *name, *before;
	struct area_step step[2];
	const char *after;		/* NULL: not promised */
};

#define R PROT_READ
#define W UMM_RW

static const struct area_case map_cases[] = {
	{ "alone", "|......|", { { MAP, 2, 2, 'w' } }, "|..|ww|..|" },
	{ "after its like", "|ww|....|", { { MAP, 2, 2, 'w' } },
	  "|wwww|..|" },
	{ "before its like", "|....|ww|", { { MAP, 2, 2, 'w' } },
	  "|..|wwww|" },
	{ "between its likes", "|ww|..|ww|", { { MAP, 2, 2, 'w' } },
	  "|wwwwww|" },
	{ "like the left only", "|ww|..|rr|", { { MAP, 2, 2, 'w' } },
	  "|wwww|rr|" },
	{ "like the right only", "|rr|..|ww|", { { MAP, 2, 2, 'w' } },
	  "|rr|wwww|" },
	{ "like neither", "|rr|..|xx|", { { MAP, 2, 2, 'w' } },
	  "|rr|ww|xx|" },
	{ "near, not touching", "|ww|....|", { { MAP, 3, 2, 'w' } },
	  "|ww|.|ww|.|" },
	{ "over the head", "|wwwwww|", { { MAP, 0, 2, 'r' } }, "|rr|wwww|" },
	{ "over the middle", "|wwwwww|", { { MAP, 2, 2, 'r' } },
	  "|ww|rr|ww|" },
	{ "over the tail", "|wwwwww|", { { MAP, 4, 2, 'r' } }, "|wwww|rr|" },
	{ "over all", "|..|ww|..|", { { MAP, 1, 4, 'r' } }, "|.|rrrr|.|" },
	{ "over parts of three", "|ww|rr|xx|", { { MAP, 1, 4, 'w' } },
	  "|wwwww|x|" },
	{ "over its like", "|wwwwww|", { { MAP, 2, 2, 'w' } }, "|wwwwww|" },
	{ "beside written memory", "|WW|..|ww|", { { MAP, 2, 2, 'w' } },
	  "|WWWWWW|" },
	/* Two anon_vmas cannot become one: the new part goes to the left. */
	{ "between two written", "|WW|..|WW|", { { MAP, 2, 2, 'w' } },
	  "|WWWW|WW|" },
	{ "file, continuing", "|ff|..|ff|", { { MAP, 2, 2, 'f' } },
	  "|ffffff|" },
	{ "file, elsewhere in it", "|ff|..|ff|", { { MAP, 2, 2, 'g' } },
	  "|ff|gg|ff|" },
	{ "file, shared", "|hh|....|", { { MAP, 2, 2, 'h' } }, "|hhhh|..|" },
	{ "file, shared by private", "|hh|....|", { { MAP, 2, 2, 'f' } },
	  "|hh|ff|..|" },
	{ "two shared memories", "|r|ss|...|", { { MAP, 3, 2, 's' } },
	  "|r|ss|ss|.|" },
};

static const struct area_case unmap_cases[] = {
	{ "all", "|..|ww|..|", { { UNMAP, 2, 2 } }, "|......|" },
	{ "head", "|wwwwww|", { { UNMAP, 0, 2 } }, "|..|wwww|" },
	{ "middle", "|wwwwww|", { { UNMAP, 2, 2 } }, "|ww|..|ww|" },
	{ "tail", "|wwwwww|", { { UNMAP, 4, 2 } }, "|wwww|..|" },
	{ "middle of written", "|WWWWWW|", { { UNMAP, 2, 2 } },
	  "|WW|..|WW|" },
	{ "middle of a file", "|ffffff|", { { UNMAP, 2, 2 } }, "|ff|..|ff|" },
	{ "middle of locked", "|LLLLLL|", { { UNMAP, 2, 2 } }, "|LL|..|LL|" },
	{ "parts of three", "|ww|rr|xx|", { { UNMAP, 1, 4 } }, "|w|....|x|" },
	{ "across a hole", "|ww|..|ww|", { { UNMAP, 1, 4 } }, "|w|....|w|" },
	{ "only a hole", "|w|....|w|", { { UNMAP, 2, 2 } }, "|w|....|w|" },
	{ "more than there is", "|..|ww|..|", { { UNMAP, 0, 6 } },
	  "|......|" },
	{ "and map again", "|wwwwww|", { { UNMAP, 2, 2 }, { MAP, 2, 2, 'w' } },
	  "|wwwwww|" },
};

static const struct area_case protect_cases[] = {
	{ "left part", "|wwwwww|", { { PROTECT, 0, 2, R } }, "|rr|wwww|" },
	{ "middle part", "|wwwwww|", { { PROTECT, 2, 2, R } }, "|ww|rr|ww|" },
	{ "right part", "|wwwwww|", { { PROTECT, 4, 2, R } }, "|wwww|rr|" },
	{ "all", "|..|ww|..|", { { PROTECT, 2, 2, R } }, "|..|rr|..|" },
	{ "to what it is", "|wwwwww|", { { PROTECT, 2, 2, W } }, "|wwwwww|" },
	{ "all, like the left", "|rr|wwww|", { { PROTECT, 2, 4, R } },
	  "|rrrrrr|" },
	{ "all, like the right", "|wwww|rr|", { { PROTECT, 0, 4, R } },
	  "|rrrrrr|" },
	{ "all, like both", "|rr|ww|rr|", { { PROTECT, 2, 2, R } },
	  "|rrrrrr|" },
	{ "left part, like the left", "|rr|wwww|", { { PROTECT, 2, 2, R } },
	  "|rrrr|ww|" },
	{ "right part, like the right", "|wwww|rr|", { { PROTECT, 2, 2, R } },
	  "|ww|rrrr|" },
	{ "left part, like the right", "|wwww|rr|", { { PROTECT, 0, 2, R } },
	  "|rr|ww|rr|" },
	{ "parts of three", "|ww|xx|ww|", { { PROTECT, 1, 4, R } },
	  "|w|rrrr|w|" },
	{ "parts of three kinds", "|ww|nn|xx|", { { PROTECT, 1, 4, R } },
	  "|w|rrrr|x|" },
	{ "written, and back", "|WWWWWW|",
	  { { PROTECT, 2, 2, R }, { PROTECT, 2, 2, W } }, "|WWWWWW|" },
	{ "written", "|WWWWWW|", { { PROTECT, 2, 2, R } }, "|WW|RR|WW|" },
	{ "file", "|ffffff|", { { PROTECT, 2, 2, R } }, "|ff|ee|ff|" },
	{ "file, and back", "|ffffff|",
	  { { PROTECT, 2, 2, R }, { PROTECT, 2, 2, W } }, "|ffffff|" },
	{ "not continuing file", "|ff|ee|gg|", { { PROTECT, 2, 2, W } },
	  "|ffff|gg|" },
	{ "starting in a hole", "|..|ww|..|",
	  { { PROTECT, 1, 3, R, -ENOMEM } }, "|..|ww|..|" },
	{ "across a hole", "|ww|..|ww|", { { PROTECT, 0, 6, R, -ENOMEM } } },
	{ "no pages", "|wwwwww|", { { PROTECT, 2, 0, R } }, "|wwwwww|" },
};

static const struct area_case flag_cases[] = {
	{ "mlock middle", "|wwwwww|", { { LOCK, 2, 2 } }, "|ww|LL|ww|" },
	{ "mlock beside locked", "|LL|wwww|", { { LOCK, 2, 2 } },
	  "|LLLL|ww|" },
	{ "mlock and munlock", "|WWWWWW|", { { LOCK, 2, 2 }, { UNLOCK, 2, 2 } },
	  "|WWWWWW|" },
	{ "munlock middle", "|LLLLLL|", { { UNLOCK, 2, 2 } }, "|LL|WW|LL|" },
	{ "mlock into a hole", "|ww|..|ww|", { { LOCK, 0, 6, 0, -ENOMEM } } },
	{ "dontfork middle", "|wwwwww|", { { ADVISE, 2, 2, MADV_DONTFORK } },
	  "|ww|dd|ww|" },
	{ "dontfork and dofork", "|wwwwww|",
	  { { ADVISE, 2, 2, MADV_DONTFORK }, { ADVISE, 2, 2, MADV_DOFORK } },
	  "|wwwwww|" },
	{ "dontfork beside its like", "|dd|ww|dd|",
	  { { ADVISE, 2, 2, MADV_DONTFORK } }, "|dddddd|" },
	{ "dontneed", "|WWWWWW|", { { ADVISE, 2, 2, MADV_DONTNEED } },
	  "|WWWWWW|" },
};

#undef R
#undef W

static void area_describe(const struct area_case *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(map, map_cases, area_describe);
KUNIT_ARRAY_PARAM(unmap, unmap_cases, area_describe);
KUNIT_ARRAY_PARAM(protect, protect_cases, area_describe);
KUNIT_ARRAY_PARAM(flag, flag_cases, area_describe);

static long area_do(struct kunit *test, struct file *file,
		    const struct area_step *s)
{
	unsigned long addr = UMM_BASE + (s->first << PAGE_SHIFT);
	unsigned long len = s->pages << PAGE_SHIFT;

	switch (s->call) {
	case MAP:
		umm_area(test, file, s->arg, s->first, s->pages);
		return 0;
	case UNMAP:
		return umm_sys(__NR_munmap, addr, len);
	case PROTECT:
		return umm_sys(__NR_mprotect, addr, len, s->arg);
	case LOCK:
		return umm_sys(__NR_mlock, addr, len);
	case UNLOCK:
		return umm_sys(__NR_munlock, addr, len);
	case ADVISE:
		return umm_sys(__NR_madvise, addr, len, s->arg);
	case NOTHING:
		break;
	}
	return 0;
}

static void area_change(struct kunit *test)
{
	const struct area_case *c = test->param_value;
	struct file *file = umm_ramfs(test, 128);
	unsigned long pages = 0;
	const char *p;
	int i;

	for (p = c->before; *p; p++)
		pages += *p != '|';
	umm_paint(test, file, c->before);
	KUNIT_ASSERT_STREQ(test, umm_picture(test, pages), c->before);
	for (i = 0; i < ARRAY_SIZE(c->step); i++)
		KUNIT_EXPECT_EQ(test, area_do(test, file, &c->step[i]),
				c->step[i].want);
	if (c->after)
		KUNIT_EXPECT_STREQ(test, umm_picture(test, pages), c->after);
	umm_check_areas(test, current->mm);
}

static void area_map(struct kunit *test)
{
	area_change(test);
}

static void area_unmap(struct kunit *test)
{
	area_change(test);
}

static void area_protect(struct kunit *test)
{
	area_change(test);
}

static void area_flag(struct kunit *test)
{
	area_change(test);
}

/* A written page keeps its value through whatever happens around it. */
static void area_contents_survive(struct kunit *test)
{
	int i;

	umm_paint(test, NULL, "|WWWWWWWW|");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, UMM_BASE + 2 * PAGE_SIZE,
				      2 * PAGE_SIZE, PROT_READ), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, UMM_BASE + 5 * PAGE_SIZE,
				      PAGE_SIZE), 0L);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 8), "|WW|RR|W|.|WW|");
	for (i = 0; i < 8; i++) {
		unsigned long addr = UMM_BASE + i * PAGE_SIZE;

		if (i == 5)
			KUNIT_EXPECT_EQ(test, umm_touch(addr), -EFAULT);
		else
			KUNIT_EXPECT_EQ(test, umm_peek(test, addr), i + 1);
	}
}

/* With every other page of another kind, each area is found and none other. */
static void area_many(struct kunit *test)
{
	const unsigned long pages = 600;
	struct mm_struct *mm = current->mm;
	unsigned long i;

	umm_map_at(test, UMM_BASE, pages, UMM_RW);
	for (i = 0; i < pages; i += 2)
		KUNIT_ASSERT_EQ(test, umm_sys(__NR_mprotect,
					      UMM_BASE + i * PAGE_SIZE,
					      PAGE_SIZE, PROT_READ), 0L);
	KUNIT_EXPECT_EQ(test, mm->map_count, pages);
	umm_check_areas(test, mm);
	for (i = 0; i < pages; i += 2)
		KUNIT_ASSERT_EQ(test, umm_sys(__NR_munmap,
					      UMM_BASE + i * PAGE_SIZE,
					      PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, mm->map_count, pages / 2);
	umm_check_areas(test, mm);
	mmap_read_lock(mm);
	KUNIT_EXPECT_NULL(test, vma_lookup(mm, UMM_BASE));
	KUNIT_EXPECT_EQ(test, find_vma(mm, UMM_BASE)->vm_start,
			UMM_BASE + PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, find_vma(mm, UMM_BASE + pages * PAGE_SIZE));
	mmap_read_unlock(mm);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, UMM_BASE,
				      pages * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, mm->map_count, 0);
	KUNIT_EXPECT_EQ(test, mm->total_vm, 0UL);
}

static struct kunit_case area_tests[] = {
	KUNIT_CASE_PARAM(area_map, map_gen_params),
	KUNIT_CASE_PARAM(area_unmap, unmap_gen_params),
	KUNIT_CASE_PARAM(area_protect, protect_gen_params),
	KUNIT_CASE_PARAM(area_flag, flag_gen_params),
	KUNIT_CASE(area_contents_survive),
	KUNIT_CASE(area_many),
	{ }
};

static struct kunit_suite area_suite = {
	.name = "pagoda_area",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = area_tests,
};

kunit_test_suite(area_suite);
