// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous memory without an MMU: what can be mapped, and what is refused.
 */
#include <linux/mman.h>
#include <linux/string.h>
#include <linux/syscalls.h>

#include "scene.h"

static void map_is_zeroed_memory(struct kunit *test)
{
	struct scene was = scene_now();
	unsigned long at = umm_map(test, 3, UMM_RW);

	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(at));
	KUNIT_EXPECT_TRUE(test, virt_addr_valid((void *)at));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)at, 0, 3 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, umm_poke(at + 2 * PAGE_SIZE, 77), 0);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)(at + 2 * PAGE_SIZE), 77UL);
	scene_expect(test, was, 1, 1, 3);
}

static void map_does_not_show_what_was_there(struct kunit *test)
{
	unsigned long at = umm_map(test, 8, UMM_RW);
	int round;

	for (round = 0; round < 8; round++) {
		memset((void *)at, 0xa5, 8 * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, vm_munmap(at, 8 * PAGE_SIZE), 0);
		at = umm_map(test, 8, UMM_RW);
		KUNIT_ASSERT_NULL(test, memchr_inv((void *)at, 0,
						   8 * PAGE_SIZE));
	}
}

static void map_shared_anonymous_is_private(struct kunit *test)
{
	long at = scene_map(PAGE_SIZE, UMM_RW, MAP_SHARED | MAP_ANONYMOUS);
	struct vm_area_struct *area;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	area = scene_area(at);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_EXPECT_FALSE(test, area->vm_flags & VM_SHARED);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
}

static void map_rounds_up_to_pages(struct kunit *test)
{
	long at = scene_map(PAGE_SIZE + 1, UMM_RW, UMM_ANON);
	struct vm_area_struct *area;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	area = scene_area(at);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_EXPECT_EQ(test, area->vm_end - area->vm_start, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, area->vm_region->vm_start, area->vm_start);
	KUNIT_EXPECT_EQ(test, area->vm_region->vm_end, area->vm_end);
	KUNIT_EXPECT_EQ(test, area->vm_region->vm_usage, 1);
}

static void map_takes_no_wishes(struct kunit *test)
{
	unsigned long one = umm_map(test, 1, UMM_RW);
	unsigned long at;

	/* A hint is not followed, be it a good one or not. */
	at = vm_mmap(NULL, one, PAGE_SIZE, UMM_RW, UMM_ANON, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_NE(test, at, one);
	KUNIT_EXPECT_PTR_NE(test, scene_area(at), scene_area(one));
}

struct map_refusal {
	const char *what;
	unsigned long len;
	int flags;
	int error;
};

static const struct map_refusal map_refusals[] = {
	{ "MAP_FIXED", PAGE_SIZE, UMM_ANON | MAP_FIXED, -EINVAL },
	{ "no length", 0, UMM_ANON, -EINVAL },
	{ "neither private nor shared", PAGE_SIZE, MAP_ANONYMOUS, -EINVAL },
	{ "MAP_SHARED_VALIDATE", PAGE_SIZE,
	  MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -EINVAL },
	{ "more than there are addresses", ULONG_MAX, UMM_ANON, -ENOMEM },
};

static void map_refusal_name(const struct map_refusal *r, char *name)
{
	strscpy(name, r->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(map_refusal, map_refusals, map_refusal_name);

static void map_refuses(struct kunit *test)
{
	const struct map_refusal *r = test->param_value;
	struct scene was = scene_now();

	KUNIT_EXPECT_EQ(test, scene_map(r->len, UMM_RW, r->flags),
			(long)r->error);
	scene_expect(test, was, 0, 0, 0);
}

static void map_refuses_offset_overflow(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 1);

	KUNIT_EXPECT_EQ(test,
			(long)ksys_mmap_pgoff(0, 2 * PAGE_SIZE, PROT_READ,
					      MAP_PRIVATE | MAP_ANONYMOUS, -1,
					      ULONG_MAX),
			(long)-EOVERFLOW);
	KUNIT_EXPECT_EQ(test, (long)vm_mmap(file, 0, PAGE_SIZE, PROT_READ,
					    MAP_PRIVATE, 1),
			(long)-EINVAL);
}

static void map_refuses_bad_descriptor(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, (long)ksys_mmap_pgoff(0, PAGE_SIZE, PROT_READ,
						    MAP_PRIVATE, -1, 0),
			(long)-EBADF);
}

static void map_trims_what_is_over(struct kunit *test)
{
	int saved = sysctl_nr_trim_pages;
	struct scene was = scene_now();
	unsigned long at;

	/* 5 pages are allocated as 8: 3 to spare. */
	sysctl_nr_trim_pages = 3;
	at = umm_map(test, 5, UMM_RW);
	scene_expect(test, was, 1, 1, 5);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 5 * PAGE_SIZE), 0);

	sysctl_nr_trim_pages = 4;
	at = umm_map(test, 5, UMM_RW);
	scene_expect(test, was, 1, 1, 8);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 5 * PAGE_SIZE), 0);

	sysctl_nr_trim_pages = 0;
	at = umm_map(test, 5, UMM_RW);
	scene_expect(test, was, 1, 1, 8);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 5 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
	sysctl_nr_trim_pages = saved;
}

static void map_needs_one_piece(struct kunit *test)
{
	const unsigned long len = PAGE_SIZE << MAX_PAGE_ORDER;
	struct scene was = scene_now(), full;
	long at[128];
	int got, i;

	for (got = 0; got < ARRAY_SIZE(at); got++) {
		at[got] = scene_map(len, UMM_RW, UMM_ANON);
		if (IS_ERR_VALUE(at[got]))
			break;
	}
	KUNIT_ASSERT_LT(test, got, (int)ARRAY_SIZE(at));
	KUNIT_EXPECT_GT(test, got, 0);
	KUNIT_EXPECT_EQ(test, at[got], (long)-ENOMEM);
	full = scene_now();
	KUNIT_EXPECT_EQ(test, scene_map(len, UMM_RW, UMM_ANON), (long)-ENOMEM);
	scene_expect(test, full, 0, 0, 0);
	for (i = 0; i < got; i++)
		KUNIT_EXPECT_EQ(test, vm_munmap(at[i], len), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void map_goes_with_the_process(struct kunit *test)
{
	struct scene was = scene_now();
	struct umm *other = umm_new(test);

	umm_enter(other);
	umm_map(test, 2, UMM_RW);
	umm_map(test, 5, PROT_READ);
	umm_enter(umm_self(test));
	scene_expect(test, was, 0, 2, 7);
	umm_drop(other);
	scene_expect(test, was, 0, 0, 0);
}

static void map_finds_areas(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW), end = at + 4 * PAGE_SIZE;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *area;

	mmap_read_lock(mm);
	area = find_vma(mm, at);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_EXPECT_EQ(test, area->vm_start, at);
	KUNIT_EXPECT_PTR_EQ(test, find_vma(mm, end - 1), area);
	/* Unlike with an MMU, not the next one above. */
	KUNIT_EXPECT_NULL(test, find_vma(mm, at - 1));
	KUNIT_EXPECT_NULL(test, find_vma(mm, end));
	KUNIT_EXPECT_PTR_EQ(test, find_vma_intersection(mm, 0, at + 1), area);
	KUNIT_EXPECT_NULL(test, find_vma_intersection(mm, 0, at));
	KUNIT_EXPECT_NULL(test, find_vma_intersection(mm, end, ULONG_MAX));
	mmap_read_unlock(mm);
}

static void map_stacks_do_not_grow(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *area;
	long at;

	at = scene_map(PAGE_SIZE, UMM_RW, UMM_ANON | MAP_GROWSDOWN);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	area = lock_mm_and_find_vma(mm, at, NULL);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_EXPECT_EQ(test, expand_stack_locked(area, at - PAGE_SIZE),
			-ENOMEM);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_NULL(test, lock_mm_and_find_vma(mm, at - 1, NULL));
	mmap_read_lock(mm);
	KUNIT_EXPECT_NULL(test, expand_stack(mm, at - 1));
	/* ... which has dropped the lock. */
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&mm->mmap_lock));
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE(map_is_zeroed_memory),
	KUNIT_CASE(map_does_not_show_what_was_there),
	KUNIT_CASE(map_shared_anonymous_is_private),
	KUNIT_CASE(map_rounds_up_to_pages),
	KUNIT_CASE(map_takes_no_wishes),
	KUNIT_CASE_PARAM(map_refuses, map_refusal_gen_params),
	KUNIT_CASE(map_refuses_offset_overflow),
	KUNIT_CASE(map_refuses_bad_descriptor),
	KUNIT_CASE(map_trims_what_is_over),
	KUNIT_CASE(map_needs_one_piece),
	KUNIT_CASE(map_goes_with_the_process),
	KUNIT_CASE(map_finds_areas),
	KUNIT_CASE(map_stacks_do_not_grow),
	{ }
};

static struct kunit_suite map_suite = {
	.name = "nommu_map",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = map_cases,
};

kunit_test_suites(&map_suite);

MODULE_DESCRIPTION("KUnit suite: anonymous memory without an MMU");
MODULE_LICENSE("GPL");
