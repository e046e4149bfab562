// SPDX-License-Identifier: GPL-2.0
/*
 * mremap and brk without an MMU, and the calls that are not there, by their
 * system-call entry.
 */
#include <linux/mman.h>

#include "scene.h"

static long resize(unsigned long at, unsigned long from, unsigned long to,
		   unsigned long flags, unsigned long where)
{
	return umm_sys(__NR_mremap, at, from * PAGE_SIZE, to * PAGE_SIZE,
		       flags, where);
}

static void resize_within_its_memory(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW);
	struct scene was = scene_now();

	umm_poke(at, 6);
	KUNIT_EXPECT_EQ(test, resize(at, 4, 2, 0, 0), (long)at);
	KUNIT_EXPECT_EQ(test, scene_area(at)->vm_end, at + 2 * PAGE_SIZE);
	/* The memory stays, so it can be had back. */
	scene_expect(test, was, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, resize(at, 2, 3, MREMAP_MAYMOVE, 0), (long)at);
	KUNIT_EXPECT_EQ(test, resize(at, 3, 4, 0, 0), (long)at);
	KUNIT_EXPECT_EQ(test, scene_area(at)->vm_end, at + 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 6UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
	scene_expect(test, was, -1, -1, -4);
}

static void resize_refuses(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW);
	struct scene was = scene_now();

	/* There is no room behind, and nothing moves. */
	KUNIT_EXPECT_EQ(test, resize(at, 4, 5, 0, 0), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, resize(at, 4, 8, MREMAP_MAYMOVE, 0),
			(long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, resize(at, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED,
				     at + PAGE_SIZE), (long)-EINVAL);
	/* Only a whole area. */
	KUNIT_EXPECT_EQ(test, resize(at, 3, 2, 0, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, resize(at + PAGE_SIZE, 3, 2, 0, 0),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, resize(at, 0, 2, 0, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, resize(at, 4, 0, 0, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, resize(at + 1, 4, 2, 0, 0), (long)-EINVAL);
	scene_expect(test, was, 0, 0, 0);
	/* To where it is already is no move. */
	KUNIT_EXPECT_EQ(test, resize(at, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED,
				     at), (long)at);
}

static void resize_refuses_what_is_shared(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	long at = scene_map_file(file, 0, 4, UMM_RW, MAP_SHARED);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, resize(at, 4, 2, 0, 0), (long)-EPERM);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
	/* Nor what may be shared. */
	at = scene_map_file(file, 0, 4, PROT_READ, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, resize(at, 4, 2, 0, 0), (long)-EPERM);
}

static void resize_heap_in_its_room(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW);
	struct mm_struct *mm = current->mm;

	mm->start_brk = at;
	mm->brk = at;
	mm->context.end_brk = at + 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_brk, 0), (long)at);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_brk, at + 100), (long)(at + 100));
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_brk, at + 2 * PAGE_SIZE),
			(long)(at + 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_brk, at + 2 * PAGE_SIZE + 1),
			(long)(at + 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_brk, at - 1),
			(long)(at + 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_brk, at + 8), (long)(at + 8));
}

static void resize_other_calls_are_absent(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, UMM_RW);

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at, PAGE_SIZE, PROT_READ),
			(long)-ENOSYS);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at, PAGE_SIZE,
				      MADV_DONTNEED), (long)-ENOSYS);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, at, PAGE_SIZE),
			(long)-ENOSYS);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_msync, at, PAGE_SIZE, MS_SYNC),
			(long)-ENOSYS);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mincore, at, PAGE_SIZE, at),
			(long)-ENOSYS);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_remap_file_pages, at, PAGE_SIZE, 0,
				      0, 0), (long)-ENOSYS);
}

static struct kunit_case resize_cases[] = {
	KUNIT_CASE(resize_within_its_memory),
	KUNIT_CASE(resize_refuses),
	KUNIT_CASE(resize_refuses_what_is_shared),
	KUNIT_CASE(resize_heap_in_its_room),
	KUNIT_CASE(resize_other_calls_are_absent),
	{ }
};

static struct kunit_suite resize_suite = {
	.name = "nommu_resize",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = resize_cases,
};

kunit_test_suites(&resize_suite);

MODULE_DESCRIPTION("KUnit suite: mremap and brk without an MMU");
MODULE_LICENSE("GPL");
