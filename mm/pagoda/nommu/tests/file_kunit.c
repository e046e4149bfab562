// SPDX-License-Identifier: GPL-2.0
/*
 * Files without an MMU: direct where the file system offers it, else a copy,
 * else an error.
 */
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/pagemap.h>

#include "scene.h"

static void file_shared_is_the_page_cache(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	struct scene was = scene_now();
	long at = scene_map_file(file, 0, 4, UMM_RW, MAP_SHARED);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, at, (long)scene_cached(test, file, 0));
	scene_expect(test, was, 1, 1, 0);
	umm_poke(at + PAGE_SIZE, 1234);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, PAGE_SIZE), 1234UL);
	umm_file_set(test, file, 2 * PAGE_SIZE, 99);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 2 * PAGE_SIZE), 99UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void file_shared_by_two_processes(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	struct scene was = scene_now();
	struct umm *other = umm_new(test);
	struct vm_region *region;
	long one, two;

	one = scene_map_file(file, 0, 4, UMM_RW, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(one));
	umm_poke(one + PAGE_SIZE, 5);
	region = scene_area(one)->vm_region;
	umm_enter(other);
	two = scene_map_file(file, 1, 2, UMM_RW, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(two));
	KUNIT_EXPECT_EQ(test, two, (long)(one + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, umm_peek(test, two), 5UL);
	/* One region with two users: two mappings of the same part. */
	KUNIT_EXPECT_PTR_EQ(test, scene_area(two)->vm_region, region);
	KUNIT_EXPECT_EQ(test, region->vm_usage, 2);
	umm_enter(umm_self(test));
	scene_expect(test, was, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(one, 4 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 1, 0);
	umm_drop(other);
	scene_expect(test, was, 0, 0, 0);
}

static void file_private_writable_is_a_copy(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 3);
	struct scene was = scene_now();
	long at, again;

	umm_file_set(test, file, PAGE_SIZE, 7);
	at = scene_map_file(file, 1, 2, UMM_RW, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	scene_expect(test, was, 1, 1, 2);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 7UL);
	umm_poke(at, 8);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, PAGE_SIZE), 7UL);
	umm_file_set(test, file, PAGE_SIZE, 9);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 8UL);

	/* Never shared. */
	again = scene_map_file(file, 1, 2, UMM_RW, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(again));
	KUNIT_EXPECT_NE(test, at, again);
	KUNIT_EXPECT_EQ(test, umm_peek(test, again), 9UL);
	scene_expect(test, was, 2, 2, 4);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(again, 2 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void file_copy_ends_in_zeroes(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 1);
	struct scene was = scene_now();
	long at;

	umm_file_set(test, file, 0, 7);
	at = scene_map_file(file, 0, 3, UMM_RW, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	scene_expect(test, was, 1, 1, 3);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 7UL);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)(at + PAGE_SIZE), 0,
					   2 * PAGE_SIZE));
}

static void file_private_readable_is_direct(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	struct scene was = scene_now();
	long at = scene_map_file(file, 0, 2, PROT_READ | PROT_EXEC,
				 MAP_PRIVATE);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, at, (long)scene_cached(test, file, 0));
	scene_expect(test, was, 1, 1, 0);
}

static void file_private_beyond_end_is_a_copy(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	struct scene was = scene_now();
	long at = scene_map_file(file, 0, 3, PROT_READ, MAP_PRIVATE);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_NE(test, at, (long)scene_cached(test, file, 0));
	scene_expect(test, was, 1, 1, 3);
}

static void file_readable_copies_are_shared(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	struct umm *other = umm_new(test);
	struct scene was = scene_now();
	long one, two;

	one = scene_map_file(file, 0, 3, PROT_READ, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(one));
	umm_enter(other);
	two = scene_map_file(file, 0, 3, PROT_READ, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, two, one);
	umm_enter(umm_self(test));
	scene_expect(test, was, 1, 1, 3);
	umm_drop(other);
	scene_expect(test, was, 1, 1, 3);
	KUNIT_EXPECT_EQ(test, vm_munmap(one, 3 * PAGE_SIZE), 0);
	scene_expect(test, was, 0, 0, 0);
}

static void file_shared_needs_the_pages(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	struct scene was = scene_now();

	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 3, UMM_RW, MAP_SHARED),
			(long)-ENODEV);
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 2, 1, UMM_RW, MAP_SHARED),
			(long)-ENODEV);
	scene_expect(test, was, 0, 0, 0);
}

static void file_rights_are_those_of_open(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 1);
	struct scene was = scene_now();
	fmode_t mode = file->f_mode;

	file->f_mode = mode & ~FMODE_WRITE;
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 1, UMM_RW, MAP_SHARED),
			(long)-EACCES);
	file->f_mode = mode & ~FMODE_READ;
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 1, PROT_READ, MAP_SHARED),
			(long)-EACCES);
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 1, PROT_READ,
					     MAP_PRIVATE), (long)-EACCES);
	/* Nobody could fill a copy. */
	file->f_mode = mode & ~FMODE_CAN_READ;
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 1, UMM_RW, MAP_PRIVATE),
			(long)-ENODEV);
	file->f_mode = mode;

	inode_lock(file_inode(file));
	inode_set_flags(file_inode(file), S_APPEND, S_APPEND);
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 1, PROT_READ, MAP_SHARED),
			(long)-EACCES);
	inode_set_flags(file_inode(file), 0, S_APPEND);
	inode_unlock(file_inode(file));
	scene_expect(test, was, 0, 0, 0);
}

static int file_truncate(struct file *file, unsigned long pages)
{
	return vfs_truncate(&file->f_path, (loff_t)pages << PAGE_SHIFT);
}

static void file_in_use_is_not_truncated(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	long at = scene_map_file(file, 1, 2, UMM_RW, MAP_SHARED);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, file_truncate(file, 2), -ETXTBSY);
	KUNIT_EXPECT_EQ(test, i_size_read(file_inode(file)),
			4 * (loff_t)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, file_truncate(file, 2), 0);
}

static void file_copy_does_not_keep_it_long(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	long at;

	umm_file_set(test, file, 3 * PAGE_SIZE, 31);
	at = scene_map_file(file, 0, 4, UMM_RW, MAP_PRIVATE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, file_truncate(file, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 3 * PAGE_SIZE), 31UL);
}

static void file_cut_off_is_not_shared(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	struct umm *other = umm_new(test);
	long whole, part;

	/* The region of 8 pages stays for the area of its first 2. */
	whole = scene_map_file(file, 0, 8, UMM_RW, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(whole));
	umm_enter(other);
	part = scene_map_file(file, 0, 2, UMM_RW, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, part, whole);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, vm_munmap(whole, 8 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, file_truncate(file, 4), 0);
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 8, UMM_RW, MAP_SHARED),
			(long)-ENODEV);
	whole = scene_map_file(file, 0, 4, UMM_RW, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, whole, part);
	umm_drop(other);
}

static void file_outlives_its_descriptor(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 1);
	long count = file_count(file);
	long at = scene_map_file(file, 0, 1, UMM_RW, MAP_SHARED);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	/* The area's and the region's. */
	KUNIT_EXPECT_EQ(test, (long)file_count(file), count + 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, (long)file_count(file), count);
}

static struct kunit_case file_cases[] = {
	KUNIT_CASE(file_shared_is_the_page_cache),
	KUNIT_CASE(file_shared_by_two_processes),
	KUNIT_CASE(file_private_writable_is_a_copy),
	KUNIT_CASE(file_copy_ends_in_zeroes),
	KUNIT_CASE(file_private_readable_is_direct),
	KUNIT_CASE(file_private_beyond_end_is_a_copy),
	KUNIT_CASE(file_readable_copies_are_shared),
	KUNIT_CASE(file_shared_needs_the_pages),
	KUNIT_CASE(file_rights_are_those_of_open),
	KUNIT_CASE(file_in_use_is_not_truncated),
	KUNIT_CASE(file_copy_does_not_keep_it_long),
	KUNIT_CASE(file_cut_off_is_not_shared),
	KUNIT_CASE(file_outlives_its_descriptor),
	{ }
};

static struct kunit_suite file_suite = {
	.name = "nommu_file",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = file_cases,
};

kunit_test_suites(&file_suite);

MODULE_DESCRIPTION("KUnit suite: file mappings without an MMU");
MODULE_LICENSE("GPL");
