// SPDX-License-Identifier: GPL-2.0
/*
 * Where Pagoda keeps order without an MMU and stock does not: the cases that
 * would leave memory behind, or worse, there.
 */
#include <linux/file.h>
#include <linux/mman.h>

#include "scene.h"

static void own_counts_pages(struct kunit *test)
{
	unsigned long was = current->mm->total_vm;
	unsigned long at = umm_map(test, 8, UMM_RW);

	KUNIT_EXPECT_EQ(test, current->mm->total_vm, was + 8);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, was + 7);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, at, 2 * PAGE_SIZE,
				      PAGE_SIZE), (long)at);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, was + 6);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + 3 * PAGE_SIZE, 5 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, was);
}

/* A hole makes two areas of one; the tree of stock complains of it. */
static void own_unmaps_middle(struct kunit *test)
{
	struct scene was = scene_now();
	unsigned long at = umm_map(test, 6, UMM_RW), upper = at + 4 * PAGE_SIZE;

	umm_poke(at + PAGE_SIZE, 1);
	umm_poke(upper, 4);
	KUNIT_EXPECT_EQ(test, vm_munmap(at + 2 * PAGE_SIZE, 2 * PAGE_SIZE), 0);
	scene_expect(test, was, 2, 2, 4);
	scene_expect_area(test, at, 2);
	scene_expect_area(test, upper, 2);
	KUNIT_EXPECT_NULL(test, scene_area(at + 2 * PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, scene_area(upper - 1));
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, upper), 4UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(upper, 2 * PAGE_SIZE), 0);
	scene_expect(test, was, 1, 1, 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 2 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void own_unmaps_every_other_page(struct kunit *test)
{
	struct scene was = scene_now();
	unsigned long at = umm_map(test, 32, UMM_RW), i;

	for (i = 0; i < 32; i += 2)
		KUNIT_EXPECT_EQ(test, vm_munmap(at + i * PAGE_SIZE, PAGE_SIZE),
				0);
	scene_expect(test, was, 16, 16, 16);
	for (i = 1; i < 32; i += 2) {
		scene_expect_area(test, at + i * PAGE_SIZE, 1);
		KUNIT_EXPECT_EQ(test, vm_munmap(at + i * PAGE_SIZE, PAGE_SIZE),
				0);
	}
	scene_expect(test, was, 0, 0, 0);
}

/* The tail that mremap cut off is not found any more. */
static void own_shrunk_area_ends(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW);

	umm_sys(__NR_mremap, at, 4 * PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, scene_area(at + PAGE_SIZE));
	umm_sys(__NR_mremap, at, PAGE_SIZE, 3 * PAGE_SIZE);
	KUNIT_EXPECT_NOT_NULL(test, scene_area(at + 2 * PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, scene_area(at + 3 * PAGE_SIZE));
}

/* All of its memory goes with it, and nothing refers to it any more. */
static void own_shrunk_area_goes(struct kunit *test)
{
	struct scene was = scene_now();
	unsigned long at = umm_map(test, 4, UMM_RW);

	umm_sys(__NR_mremap, at, 4 * PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
	KUNIT_EXPECT_NULL(test, scene_area(at + PAGE_SIZE));
}

/* Twice the same shared memory: one area, and nothing left of the other. */
static void own_shared_twice(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	struct scene was = scene_now();
	long users = file_count(file), one, two;

	one = scene_map_file(file, 0, 2, UMM_RW, MAP_SHARED);
	two = scene_map_file(file, 0, 2, UMM_RW, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, one, two);
	scene_expect(test, was, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(one, 2 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, (long)file_count(file), users);
}

static void own_shared_must_not_overlap(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	struct scene was = scene_now();
	struct umm *other = umm_new(test);
	long whole, part;

	whole = scene_map_file(file, 0, 4, UMM_RW, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(whole));
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 1, 2, UMM_RW, MAP_SHARED),
			(long)-EINVAL);
	scene_expect(test, was, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(whole, 4 * PAGE_SIZE), 0);

	/* For another process it is no matter, the larger one after it. */
	umm_enter(other);
	part = scene_map_file(file, 0, 1, UMM_RW, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(part));
	umm_enter(umm_self(test));
	whole = scene_map_file(file, 0, 4, UMM_RW, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, whole, part);
	scene_expect(test, was, 1, 2, 0);
	umm_drop(other);
}

/* Private memory can have a copy instead. */
static void own_private_may_overlap(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	struct scene was = scene_now();
	long whole, part;

	umm_file_set(test, file, PAGE_SIZE, 21);
	whole = scene_map_file(file, 0, 4, PROT_READ, MAP_PRIVATE);
	part = scene_map_file(file, 1, 2, PROT_READ, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(whole));
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(part));
	KUNIT_EXPECT_NE(test, part, (long)(whole + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, umm_peek(test, part), 21UL);
	scene_expect(test, was, 2, 2, 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(whole, 4 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(part, 2 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

/* A shared mapping must reach the file, whoever has a copy. */
static void own_shared_never_is_a_copy(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	struct umm *other = umm_new(test);
	long copy, at;

	umm_enter(other);
	copy = scene_map_file(file, 0, 3, PROT_READ, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(copy));
	umm_enter(umm_self(test));
	at = scene_map_file(file, 0, 2, UMM_RW, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_NE(test, at, copy);
	umm_poke(at, 17);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 0), 17UL);
	umm_drop(other);
}

/* Text that is run from the page cache stays as well. */
static void own_private_keeps_it_long(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	long at = scene_map_file(file, 0, 2, PROT_READ, MAP_PRIVATE);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, 0), (long)-ETXTBSY);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, 0), 0L);
}

/* A pin is a pin, and unpinning undoes just that. */
static void own_pins_pages(struct kunit *test)
{
	unsigned long at = umm_map(test, 2, UMM_RW);
	struct page *page[2];

	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(at, 2, FOLL_WRITE, page), 2);
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(page_folio(page[0])));
	unpin_user_pages(page, 2);
	KUNIT_EXPECT_EQ(test, page_ref_count(page[0]), 1);
	KUNIT_EXPECT_EQ(test, page_ref_count(page[1]), 1);
	mmap_read_lock(current->mm);
	KUNIT_EXPECT_EQ(test, pin_user_pages(at, 2, FOLL_WRITE, page), 2L);
	mmap_read_unlock(current->mm);
	unpin_user_pages_dirty_lock(page, 2, true);
	KUNIT_EXPECT_EQ(test, page_ref_count(page[0]), 1);
}

/* As long as there are addresses: no warning, nothing left. */
static void own_refuses_any_length(struct kunit *test)
{
	struct scene was = scene_now();

	KUNIT_EXPECT_EQ(test, scene_map(ULONG_MAX - 2 * PAGE_SIZE, UMM_RW,
					UMM_ANON), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, scene_map(LONG_MAX, UMM_RW, UMM_ANON),
			(long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, scene_map(PAGE_SIZE << (MAX_PAGE_ORDER + 1),
					UMM_RW, UMM_ANON), (long)-ENOMEM);
	scene_expect(test, was, 0, 0, 0);
}

static struct kunit_case own_cases[] = {
	KUNIT_CASE(own_counts_pages),
	KUNIT_CASE(own_unmaps_middle),
	KUNIT_CASE(own_unmaps_every_other_page),
	KUNIT_CASE(own_shrunk_area_ends),
	KUNIT_CASE(own_shrunk_area_goes),
	KUNIT_CASE(own_shared_twice),
	KUNIT_CASE(own_shared_must_not_overlap),
	KUNIT_CASE(own_private_may_overlap),
	KUNIT_CASE(own_shared_never_is_a_copy),
	KUNIT_CASE(own_private_keeps_it_long),
	KUNIT_CASE(own_pins_pages),
	KUNIT_CASE(own_refuses_any_length),
	{ }
};

static struct kunit_suite own_suite = {
	.name = "nommu_own",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = own_cases,
};

kunit_test_suites(&own_suite);

MODULE_DESCRIPTION("KUnit suite: Pagoda's order without an MMU");
MODULE_LICENSE("GPL");
