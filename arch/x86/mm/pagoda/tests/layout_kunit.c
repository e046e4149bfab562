// SPDX-License-Identifier: GPL-2.0
/*
 * Address-space layout: bounds of the bases, hints at the 47-bit border.
 */
#include <kunit/test.h>
#include <linux/elf-randomize.h>
#include <linux/mm.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <asm/elf.h>
#include "../layout.h"

#ifdef CONFIG_X86_64
#define SPACE		((1UL << 47) - PAGE_SIZE)
#else
#define SPACE		TASK_SIZE_MAX
#endif

static void top_leaves_room_for_the_stack(struct kunit *test)
{
	const unsigned long least = SPACE - SZ_128M;
	const unsigned long most = SPACE - SPACE / 6 * 5;

	/* A small limit still leaves 128 MiB. */
	KUNIT_EXPECT_EQ(test, layout_top(SPACE, 0, 0, 0), PAGE_ALIGN(least));
	KUNIT_EXPECT_EQ(test, layout_top(SPACE, SZ_8M, SZ_1M, 0),
			PAGE_ALIGN(least));
	/* In between, limit and slack are what is left. */
	KUNIT_EXPECT_EQ(test, layout_top(SPACE, SZ_256M, SZ_16M, 0),
			PAGE_ALIGN(SPACE - SZ_256M - SZ_16M));
	/* A huge limit leaves a sixth of the space for mappings. */
	KUNIT_EXPECT_EQ(test, layout_top(SPACE, SPACE, 0, 0),
			PAGE_ALIGN(most));
	/* No limit: the sum must not wrap into a small one. */
	KUNIT_EXPECT_EQ(test, layout_top(SPACE, RLIM_INFINITY, SZ_1G, 0),
			PAGE_ALIGN(most));
	KUNIT_EXPECT_EQ(test, layout_top(SPACE, -PAGE_SIZE, 2 * PAGE_SIZE, 0),
			PAGE_ALIGN(most));
}

static void top_moves_by_the_random_distance(struct kunit *test)
{
	unsigned long base = layout_top(SPACE, SZ_8M, 0, 0), rnd;

	for (rnd = PAGE_SIZE; rnd < SZ_1G; rnd <<= 1)
		KUNIT_EXPECT_EQ(test, layout_top(SPACE, SZ_8M, 0, rnd),
				base - rnd);
}

static void hint_must_fit_the_space(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, layout_hint_fits(SPACE - PAGE_SIZE, PAGE_SIZE,
						 SPACE, SPACE));
	KUNIT_EXPECT_FALSE(test, layout_hint_fits(SPACE, PAGE_SIZE,
						  SPACE, SPACE));
	KUNIT_EXPECT_FALSE(test, layout_hint_fits(PAGE_SIZE, SPACE,
						  SPACE, SPACE));
	KUNIT_EXPECT_FALSE(test, layout_hint_fits(PAGE_SIZE, -PAGE_SIZE,
						  SPACE, SPACE));
	KUNIT_EXPECT_TRUE(test, layout_hint_fits(0, SPACE, SPACE, SPACE));
}

static void hint_does_not_cross_the_window(struct kunit *test)
{
#ifdef CONFIG_X86_64
	const unsigned long window = SPACE, five = (1UL << 56) - PAGE_SIZE;

	/* Below, and up to the border. */
	KUNIT_EXPECT_TRUE(test, layout_hint_fits(window - 2 * PAGE_SIZE,
						 2 * PAGE_SIZE, five, window));
	/* Across it. */
	KUNIT_EXPECT_FALSE(test, layout_hint_fits(window - PAGE_SIZE,
						  2 * PAGE_SIZE, five, window));
	KUNIT_EXPECT_FALSE(test, layout_hint_fits(window, PAGE_SIZE, five,
						  window));
	/* Above: asked for. */
	KUNIT_EXPECT_TRUE(test, layout_hint_fits(1UL << 47, PAGE_SIZE, five,
						 window));
	KUNIT_EXPECT_TRUE(test, layout_hint_fits(1UL << 50, SZ_1G, five,
						 window));
	/* With four levels there is no above. */
	KUNIT_EXPECT_FALSE(test, layout_hint_fits(1UL << 47, PAGE_SIZE, window,
						  window));
#else
	kunit_skip(test, "the window is the whole space");
#endif
}

static struct mm_struct *layout_mm(struct kunit *test)
{
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	return mm;
}

static void bases_stay_in_bounds(struct kunit *test)
{
	struct rlimit stack = { SZ_8M, RLIM_INFINITY };
	unsigned long size = task_size_64bit(0), low = -1UL, high = 0;
	unsigned long reach = 1UL << (mmap_rnd_bits + PAGE_SHIFT);
	unsigned int saved_flags = current->flags & PF_RANDOMIZE, i;
	struct mm_struct *mm = layout_mm(test);

	current->flags |= PF_RANDOMIZE;
	for (i = 0; i < 200; i++) {
		arch_pick_mmap_layout(mm, &stack);
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(mm->mmap_base));
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(mm->mmap_legacy_base));
		KUNIT_EXPECT_LE(test, mm->mmap_base, size - SZ_128M);
		KUNIT_EXPECT_GE(test, mm->mmap_base, size / 6 - reach);
		KUNIT_EXPECT_GE(test, mm->mmap_legacy_base, size / 3);
		KUNIT_EXPECT_LE(test, mm->mmap_legacy_base,
				PAGE_ALIGN(size / 3) + reach);
		low = min(low, mm->mmap_base);
		high = max(high, mm->mmap_base);
	}
	KUNIT_EXPECT_GT(test, high - low, reach / 4);

	current->flags &= ~PF_RANDOMIZE;
	arch_pick_mmap_layout(mm, &stack);
	low = mm->mmap_base;
	arch_pick_mmap_layout(mm, &stack);
	KUNIT_EXPECT_EQ(test, mm->mmap_base, low);
	KUNIT_EXPECT_EQ(test, arch_mmap_rnd(), 0);

	current->flags |= saved_flags;
	mmput(mm);
}

static void compat_layout_is_bottom_up(struct kunit *test)
{
	struct rlimit stack = { SZ_8M, RLIM_INFINITY };
	unsigned int saved = current->personality;
	struct mm_struct *mm = layout_mm(test);

	current->personality = saved & ~ADDR_COMPAT_LAYOUT;
	arch_pick_mmap_layout(mm, &stack);
	KUNIT_EXPECT_TRUE(test, test_bit(MMF_TOPDOWN, &mm->flags));
	KUNIT_EXPECT_GT(test, mm->mmap_base, mm->mmap_legacy_base);

	current->personality = saved | ADDR_COMPAT_LAYOUT;
	arch_pick_mmap_layout(mm, &stack);
	KUNIT_EXPECT_FALSE(test, test_bit(MMF_TOPDOWN, &mm->flags));
	KUNIT_EXPECT_EQ(test, mm->mmap_base, mm->mmap_legacy_base);

	current->personality = saved;
	mmput(mm);
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(top_leaves_room_for_the_stack),
	KUNIT_CASE(top_moves_by_the_random_distance),
	KUNIT_CASE(hint_must_fit_the_space),
	KUNIT_CASE(hint_does_not_cross_the_window),
	KUNIT_CASE(bases_stay_in_bounds),
	KUNIT_CASE(compat_layout_is_bottom_up),
	{}
};

static struct kunit_suite layout_suite = {
	.name = "pagoda_x86_layout",
	.test_cases = layout_cases,
};

kunit_test_suite(layout_suite);
