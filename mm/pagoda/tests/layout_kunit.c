// SPDX-License-Identifier: GPL-2.0
/*
 * Layout: where a mapping goes that names no address, and the stack's gap.
 */
#include <linux/personality.h>
#include <linux/security.h>
#include <linux/pgtable.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define UP		0
#define DOWN		VM_UNMAPPED_AREA_TOPDOWN
#define NONE		(-1)

/* Where in the picture does a request fit? */
struct search_case {
	const char *name, *picture;
	unsigned long flags;
	unsigned long pages, low, high;		/* length and limits */
	unsigned long align, offset;		/* in pages; 0: any */
	int want;				/* page, or NONE */
};

static const struct search_case search_cases[] = {
	{ "up: first hole", "|ww|....|ww|", UP, 2, 0, 16, 0, 0, 2 },
	{ "up: whole hole", "|ww|....|ww|", UP, 4, 0, 16, 0, 0, 2 },
	{ "up: hole too small", "|ww|....|ww|", UP, 5, 0, 16, 0, 0, 8 },
	{ "up: nowhere", "|ww|....|ww|", UP, 9, 0, 16, 0, 0, NONE },
	{ "up: at the low limit", "|........|", UP, 3, 5, 16, 0, 0, 5 },
	{ "up: low limit in an area", "|..|wwww|", UP, 2, 3, 16, 0, 0, 6 },
	{ "up: low limit in a hole", "|ww|....|ww|", UP, 2, 4, 16, 0, 0, 4 },
	{ "up: hole cut by low", "|ww|....|ww|", UP, 2, 5, 16, 0, 0, 8 },
	{ "up: hole cut by high", "|wwww|....|", UP, 5, 0, 8, 0, 0, NONE },
	{ "up: aligned", "|w|.......|", UP, 2, 0, 16, 4, 0, 4 },
	{ "up: aligned and off", "|w|.......|", UP, 2, 0, 16, 4, 3, 3 },
	{ "up: aligned past an area", "|w|....|ww|", UP, 2, 0, 16, 4, 0, 8 },
	{ "up: empty", "|........|", UP, 16, 0, 16, 0, 0, 0 },
	{ "down: last hole", "|ww|....|ww|", DOWN, 2, 0, 16, 0, 0, 14 },
	{ "down: below an area", "|........|ww|", DOWN, 2, 0, 10, 0, 0, 6 },
	{ "down: whole hole", "|ww|....|ww|", DOWN, 4, 0, 8, 0, 0, 2 },
	{ "down: hole too small", "|....|ww|..|ww|", DOWN, 3, 0, 10, 0, 0, 1 },
	{ "down: nowhere", "|ww|....|ww|", DOWN, 5, 0, 8, 0, 0, NONE },
	{ "down: high in an area", "|....|wwww|", DOWN, 2, 0, 6, 0, 0, 2 },
	{ "down: high in a hole", "|ww|......|", DOWN, 2, 0, 5, 0, 0, 3 },
	{ "down: hole cut by low", "|....|wwww|", DOWN, 3, 2, 8, 0, 0, NONE },
	{ "down: aligned", "|.......|w|", DOWN, 2, 0, 8, 4, 0, 4 },
	{ "down: aligned and off", "|.......|w|", DOWN, 2, 0, 8, 4, 1, 5 },
	{ "down: aligned, no room", "|......|ww|", DOWN, 3, 0, 8, 4, 0, 0 },
	{ "down: empty", "|........|", DOWN, 16, 0, 16, 0, 0, 0 },
};

static void search_describe(const struct search_case *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(search, search_cases, search_describe);

static void layout_search(struct kunit *test)
{
	const struct search_case *c = test->param_value;
	struct vm_unmapped_area_info info = {
		.flags = c->flags,
		.length = c->pages * PAGE_SIZE,
		.low_limit = AT(c->low),
		.high_limit = AT(c->high),
		.align_mask = c->align ? (c->align - 1) * PAGE_SIZE : 0,
		.align_offset = c->offset * PAGE_SIZE,
	};
	unsigned long found;

	umm_paint(test, NULL, c->picture);
	mmap_write_lock(current->mm);
	found = vm_unmapped_area(&info);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, (long)found,
			c->want == NONE ? (long)-ENOMEM : (long)AT(c->want));
}

/* Below a stack the guard gap is as good as mapped. */
static void layout_keeps_stack_gap(struct kunit *test)
{
	const unsigned long gap = stack_guard_gap >> PAGE_SHIFT;
	struct vm_unmapped_area_info info = {
		.flags = DOWN,
		.length = PAGE_SIZE,
		.low_limit = AT(0),
		.high_limit = AT(gap + 64),
	};
	unsigned long found;

	KUNIT_ASSERT_EQ(test, vm_mmap(NULL, AT(gap + 60), 4 * PAGE_SIZE, UMM_RW,
				      UMM_ANON | MAP_FIXED | MAP_GROWSDOWN, 0),
			AT(gap + 60));
	mmap_write_lock(current->mm);
	found = vm_unmapped_area(&info);
	KUNIT_EXPECT_EQ(test, found, AT(59));
	info.flags = UP;
	info.length = 61 * PAGE_SIZE;
	found = vm_unmapped_area(&info);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, (long)found, (long)-ENOMEM);
}

static void layout_first_is_at_base(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	unsigned long a, b, c;

	if (!test_bit(MMF_TOPDOWN, &mm->flags))
		kunit_skip(test, "this layout grows upwards");
	a = umm_map(test, 3, PROT_READ);
	b = umm_map(test, 2, UMM_RW);
	c = umm_map(test, 1, PROT_NONE);
	KUNIT_EXPECT_EQ(test, a + 3 * PAGE_SIZE, PAGE_ALIGN_DOWN(mm->mmap_base));
	KUNIT_EXPECT_EQ(test, b + 2 * PAGE_SIZE, a);
	KUNIT_EXPECT_EQ(test, c + PAGE_SIZE, b);
	/* A hole of the right size is used again. */
	KUNIT_EXPECT_EQ(test, vm_munmap(b, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_map(test, 2, UMM_RW), b);
}

/* A process may ask for the old layout, in which mappings go upwards. */
static void layout_upwards(struct kunit *test)
{
	struct umm *u;
	unsigned long a, b;

	current->personality |= ADDR_COMPAT_LAYOUT;
	u = umm_new(test);
	umm_enter(u);
	KUNIT_EXPECT_FALSE(test, test_bit(MMF_TOPDOWN, &u->mm->flags));
	a = umm_map(test, 3, PROT_READ);
	b = umm_map(test, 2, UMM_RW);
	KUNIT_EXPECT_EQ(test, a, PAGE_ALIGN(u->mm->mmap_base));
	KUNIT_EXPECT_EQ(test, b, a + 3 * PAGE_SIZE);
}

static void layout_hint(struct kunit *test)
{
	unsigned long at;

	umm_paint(test, NULL, "|ww|....|rr|");
	KUNIT_EXPECT_EQ(test, vm_mmap(NULL, AT(3), PAGE_SIZE, PROT_READ,
				      UMM_ANON, 0), AT(3));
	/* A hint is rounded down to a page and followed only where there is room. */
	KUNIT_EXPECT_EQ(test, vm_mmap(NULL, AT(9) + 5, PAGE_SIZE, PROT_READ,
				      UMM_ANON, 0), AT(9));
	at = vm_mmap(NULL, AT(4), 3 * PAGE_SIZE, PROT_READ, UMM_ANON, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_TRUE(test, at >= AT(10) || at + 3 * PAGE_SIZE <= AT(0));
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 11),
			   "|ww|.|r|..|rr|.|r|.|");
}

static void layout_get_unmapped_area(struct kunit *test)
{
	struct mm_struct *mm = current->mm;

	umm_paint(test, NULL, "|ww|");
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, __get_unmapped_area(NULL, AT(1), PAGE_SIZE, 0,
						  MAP_FIXED, 0), AT(1));
	KUNIT_EXPECT_EQ(test, (long)__get_unmapped_area(NULL, AT(1) + 8,
							PAGE_SIZE, 0,
							MAP_FIXED, 0),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, (long)__get_unmapped_area(NULL, 0,
							TASK_SIZE_MAX, 0, 0,
							0), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, (long)__get_unmapped_area(NULL, PAGE_OFFSET,
							PAGE_SIZE, 0,
							MAP_FIXED, 0),
			(long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, mm_get_unmapped_area(mm, NULL, AT(4), PAGE_SIZE,
						   0, 0), AT(4));
	mmap_write_unlock(mm);
}

/* What architectures without a rule of their own use. */
static void layout_generic(struct kunit *test)
{
	const unsigned long base = AT(8), lowest = PAGE_ALIGN(mmap_min_addr);
	struct mm_struct *mm = current->mm;
	unsigned long found;

	mm->mmap_base = base;
	umm_map_at(test, AT(10), 2, UMM_RW);
	umm_map_at(test, AT(2), 4, UMM_RW);
	mmap_write_lock(mm);
	/* From the base upwards, or downwards. */
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area(NULL, 0, PAGE_SIZE, 0,
							0, 0), AT(8));
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area(NULL, 0, 3 * PAGE_SIZE,
							0, 0, 0), AT(12));
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area_topdown(NULL, 0,
								PAGE_SIZE, 0,
								0, 0), AT(7));
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area_topdown(NULL, 0,
								3 * PAGE_SIZE,
								0, 0, 0),
			AT(2) - 3 * PAGE_SIZE);
	/* A hint is followed where there is room, an order always. */
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area(NULL, AT(20) - 8,
							PAGE_SIZE, 0, 0, 0),
			AT(20));
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area(NULL, AT(9),
							2 * PAGE_SIZE, 0, 0,
							0), AT(8));
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area(NULL, AT(10),
							PAGE_SIZE, 0,
							MAP_FIXED, 0), AT(10));
	KUNIT_EXPECT_EQ(test, generic_get_unmapped_area(NULL, TASK_SIZE,
							PAGE_SIZE, 0, 0, 0),
			AT(8));
	KUNIT_EXPECT_EQ(test, (long)generic_get_unmapped_area(NULL, 0,
							      TASK_SIZE, 0, 0,
							      0), (long)-ENOMEM);
	mmap_write_unlock(mm);

	/* All full below the base: look above it. */
	KUNIT_ASSERT_EQ(test, vm_mmap(NULL, lowest, base - lowest, PROT_NONE,
				      UMM_ANON | MAP_FIXED, 0), lowest);
	mmap_write_lock(mm);
	found = generic_get_unmapped_area_topdown(NULL, 0, PAGE_SIZE, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, found, PAGE_ALIGN(TASK_UNMAPPED_BASE));
	mmap_write_unlock(mm);
}

/* Finding an area tells what lies below it too. */
static void layout_find_prev(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *low, *high, *prev;

	umm_paint(test, NULL, "..|ww|..|rr|..");
	mmap_read_lock(mm);
	low = vma_lookup(mm, AT(2));
	high = vma_lookup(mm, AT(6));
	KUNIT_EXPECT_PTR_EQ(test, find_vma_prev(mm, AT(0), &prev), low);
	KUNIT_EXPECT_NULL(test, prev);
	KUNIT_EXPECT_PTR_EQ(test, find_vma_prev(mm, AT(3), &prev), low);
	KUNIT_EXPECT_NULL(test, prev);
	KUNIT_EXPECT_PTR_EQ(test, find_vma_prev(mm, AT(4), &prev), high);
	KUNIT_EXPECT_PTR_EQ(test, prev, low);
	KUNIT_EXPECT_PTR_EQ(test, find_vma_prev(mm, AT(7), &prev), high);
	KUNIT_EXPECT_PTR_EQ(test, prev, low);
	KUNIT_EXPECT_NULL(test, find_vma_prev(mm, AT(8), &prev));
	KUNIT_EXPECT_PTR_EQ(test, prev, high);
	mmap_read_unlock(mm);
}

#ifdef CONFIG_X86_64
static void layout_low_4g(struct kunit *test)
{
	unsigned long at = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ,
				   UMM_ANON | MAP_32BIT, 0);

	KUNIT_EXPECT_LT(test, at, 1UL << 32);
	KUNIT_EXPECT_GE(test, at, 0x40000000UL);
}

/* Without a hint nothing is put where only five levels reach. */
static void layout_47_bits(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, UMM_RW);

	KUNIT_EXPECT_LT(test, at, 1UL << 47);
	at = vm_mmap(NULL, 1UL << 48, PAGE_SIZE, UMM_RW, UMM_ANON, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	if (pgtable_l5_enabled())
		KUNIT_EXPECT_EQ(test, at, 1UL << 48);
	else
		KUNIT_EXPECT_LT(test, at, 1UL << 47);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
}
#endif

static struct kunit_case layout_tests[] = {
	KUNIT_CASE_PARAM(layout_search, search_gen_params),
	KUNIT_CASE(layout_keeps_stack_gap),
	KUNIT_CASE(layout_first_is_at_base),
	KUNIT_CASE(layout_upwards),
	KUNIT_CASE(layout_hint),
	KUNIT_CASE(layout_get_unmapped_area),
	KUNIT_CASE(layout_generic),
	KUNIT_CASE(layout_find_prev),
#ifdef CONFIG_X86_64
	KUNIT_CASE(layout_low_4g),
	KUNIT_CASE(layout_47_bits),
#endif
	{ }
};

static struct kunit_suite layout_suite = {
	.name = "pagoda_layout",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = layout_tests,
};

kunit_test_suite(layout_suite);
