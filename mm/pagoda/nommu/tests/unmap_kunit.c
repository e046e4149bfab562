// SPDX-License-Identifier: GPL-2.0
/*
 * munmap without an MMU: whole areas, and pages at the ends of anonymous ones.
 */
#include <linux/mman.h>

#include "scene.h"

static void unmap_whole(struct kunit *test)
{
	struct scene was = scene_now();
	unsigned long at = umm_map(test, 4, UMM_RW);

	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
	KUNIT_EXPECT_NULL(test, scene_area(at));
}

static void unmap_head(struct kunit *test)
{
	struct scene was = scene_now();
	unsigned long at = umm_map(test, 4, UMM_RW);

	umm_poke(at + PAGE_SIZE, 3);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	scene_expect(test, was, 1, 1, 3);
	KUNIT_EXPECT_NULL(test, scene_area(at));
	scene_expect_area(test, at + PAGE_SIZE, 3);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 3UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + PAGE_SIZE, 3 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void unmap_tail(struct kunit *test)
{
	struct scene was = scene_now();
	unsigned long at = umm_map(test, 4, UMM_RW);

	umm_poke(at, 3);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + PAGE_SIZE, 3 * PAGE_SIZE), 0);
	scene_expect(test, was, 1, 1, 1);
	scene_expect_area(test, at, 1);
	KUNIT_EXPECT_NULL(test, scene_area(at + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 3UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void unmap_tail_with_what_was_over(struct kunit *test)
{
	int saved = sysctl_nr_trim_pages;
	struct scene was = scene_now();
	unsigned long at;

	sysctl_nr_trim_pages = 0;
	at = umm_map(test, 5, UMM_RW);
	sysctl_nr_trim_pages = saved;
	scene_expect(test, was, 1, 1, 8);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + 4 * PAGE_SIZE, PAGE_SIZE), 0);
	scene_expect(test, was, 1, 1, 4);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void unmap_refuses(struct kunit *test)
{
	struct scene was;
	unsigned long at = umm_map(test, 4, UMM_RW), end = at + 4 * PAGE_SIZE;

	was = scene_now();
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, ULONG_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + 8, PAGE_SIZE), -EINVAL);
	/* More than is mapped. */
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 5 * PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at - PAGE_SIZE, 2 * PAGE_SIZE),
			-EINVAL);
	scene_expect(test, was, 0, 0, 0);
	scene_expect_area(test, at, 4);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
	/* Nothing is mapped. */
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_munmap(end, PAGE_SIZE), -EINVAL);
}

static void unmap_file_only_whole(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	long at = scene_map_file(file, 0, 4, UMM_RW, MAP_PRIVATE);
	struct scene was = scene_now();

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + PAGE_SIZE, PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + 3 * PAGE_SIZE, PAGE_SIZE),
			-EINVAL);
	scene_expect(test, was, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
	scene_expect(test, was, -1, -1, -4);
}

static void unmap_not_of_others(struct kunit *test)
{
	struct umm *other = umm_new(test);
	unsigned long at = umm_map(test, 1, UMM_RW);

	umm_enter(other);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), -EINVAL);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
}

static struct kunit_case unmap_cases[] = {
	KUNIT_CASE(unmap_whole),
	KUNIT_CASE(unmap_head),
	KUNIT_CASE(unmap_tail),
	KUNIT_CASE(unmap_tail_with_what_was_over),
	KUNIT_CASE(unmap_refuses),
	KUNIT_CASE(unmap_file_only_whole),
	KUNIT_CASE(unmap_not_of_others),
	{ }
};

static struct kunit_suite unmap_suite = {
	.name = "nommu_unmap",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = unmap_cases,
};

kunit_test_suites(&unmap_suite);

MODULE_DESCRIPTION("KUnit suite: munmap without an MMU");
MODULE_LICENSE("GPL");
