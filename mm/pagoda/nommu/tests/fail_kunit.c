// SPDX-License-Identifier: GPL-2.0
/*
 * Files that would rather not be mapped without an MMU: what becomes of the
 * mapping, and that nothing of it stays.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>

#include "scene.h"

/* What the file under test answers. */
static struct {
	unsigned int offer;
	unsigned long place;
	int mmap, read;
	int closed;
} answer;

static void fail_close(struct vm_area_struct *area)
{
	answer.closed++;
}

static const struct vm_operations_struct fail_area = {
	.close = fail_close,
};

static unsigned int fail_offer(struct file *file)
{
	return answer.offer;
}

static unsigned long fail_place(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags)
{
	return answer.place;
}

static int fail_mmap(struct file *file, struct vm_area_struct *area)
{
	if (!answer.mmap)
		area->vm_ops = &fail_area;
	return answer.mmap;
}

static ssize_t fail_read(struct kiocb *iocb, struct iov_iter *to)
{
	return answer.read;
}

static const struct file_operations fail_file = {
	.mmap_capabilities = fail_offer,
	.get_unmapped_area = fail_place,
	.mmap = fail_mmap,
	.read_iter = fail_read,
};

#define FAIL_ANY (NOMMU_MAP_DIRECT | NOMMU_MAP_COPY | NOMMU_MAP_READ | \
		  NOMMU_MAP_WRITE | NOMMU_MAP_EXEC)

struct fail_row {
	const char *what;
	unsigned int offer;
	int place, mmap, read;		/* errors */
	int prot, flags;
	int error;
	bool copy;
};

static const struct fail_row fail_rows[] = {
	{ "shared", FAIL_ANY, 0, 0, 0, UMM_RW, MAP_SHARED, 0, false },
	{ "shared, no place", FAIL_ANY, -ENOSYS, 0, 0, UMM_RW, MAP_SHARED,
	  -ENODEV },
	{ "shared, place is an error", FAIL_ANY, -EAGAIN, 0, 0, UMM_RW,
	  MAP_SHARED, -EAGAIN },
	{ "shared, mmap is an error", FAIL_ANY, 0, -EPERM, 0, UMM_RW,
	  MAP_SHARED, -EPERM },
	{ "shared, mmap would rather not", FAIL_ANY, 0, -ENOSYS, 0, UMM_RW,
	  MAP_SHARED, -ENODEV },
	{ "shared, not offered", NOMMU_MAP_COPY, 0, 0, 0, PROT_READ,
	  MAP_SHARED, -ENODEV },
	{ "shared, not for writing", FAIL_ANY & ~NOMMU_MAP_WRITE, 0, 0, 0,
	  UMM_RW, MAP_SHARED, -EINVAL },
	{ "shared, not for running", FAIL_ANY & ~NOMMU_MAP_EXEC, 0, 0, 0,
	  PROT_READ | PROT_EXEC, MAP_SHARED, -EINVAL },
	{ "private, direct", FAIL_ANY, 0, 0, 0, PROT_READ, MAP_PRIVATE, 0,
	  false },
	{ "private, no place", FAIL_ANY, -ENOSYS, 0, 0, PROT_READ,
	  MAP_PRIVATE, 0, true },
	{ "private, place is an error", FAIL_ANY, -EBUSY, 0, 0, PROT_READ,
	  MAP_PRIVATE, -EBUSY },
	{ "private, mmap would rather not", FAIL_ANY, 0, -ENOSYS, 0, PROT_READ,
	  MAP_PRIVATE, 0, true },
	{ "private, mmap is an error", FAIL_ANY, 0, -EIO, 0, PROT_READ,
	  MAP_PRIVATE, -EIO },
	{ "private, not for running", FAIL_ANY & ~NOMMU_MAP_EXEC, 0, 0, 0,
	  PROT_READ | PROT_EXEC, MAP_PRIVATE, 0, true },
	{ "private, writable", FAIL_ANY, 0, 0, 0, UMM_RW, MAP_PRIVATE, 0,
	  true },
	{ "private, cannot be read", FAIL_ANY, 0, 0, -EIO, UMM_RW, MAP_PRIVATE,
	  -EIO },
	{ "private, no copies", FAIL_ANY & ~NOMMU_MAP_COPY, 0, 0, 0, PROT_READ,
	  MAP_PRIVATE, -ENODEV },
};

static void fail_name(const struct fail_row *r, char *name)
{
	strscpy(name, r->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fail_row, fail_rows, fail_name);

static void fail_or_not(struct kunit *test)
{
	const struct fail_row *r = test->param_value;
	const struct file_operations *saved;
	struct file *file = umm_ramfs(test, 2);
	struct scene was = scene_now();
	unsigned long memory = scene_cached(test, file, 0);
	long users, at;

	saved = file->f_op;
	users = file_count(file);
	answer.offer = r->offer;
	answer.place = r->place ? r->place : memory;
	answer.mmap = r->mmap;
	answer.read = r->read;
	answer.closed = 0;
	file->f_op = &fail_file;
	at = scene_map_file(file, 0, 2, r->prot, r->flags);
	if (r->error) {
		KUNIT_EXPECT_EQ(test, at, (long)r->error);
	} else if (IS_ERR_VALUE(at)) {
		KUNIT_FAIL(test, "mmap failed: %ld", at);
	} else {
		KUNIT_EXPECT_EQ(test, (unsigned long)at != memory, r->copy);
		scene_expect(test, was, 1, 1, r->copy ? 2 : 0);
		KUNIT_EXPECT_EQ(test, vm_munmap(at, 2 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, answer.closed, !r->copy);
	}
	scene_expect(test, was, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, (long)file_count(file), users);
	file->f_op = saved;
}

static void fail_without_mmap(struct kunit *test)
{
	static const struct file_operations none = { .read_iter = fail_read };
	struct file *file = umm_ramfs(test, 1);
	const struct file_operations *saved = file->f_op;

	file->f_op = &none;
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 1, PROT_READ,
					     MAP_PRIVATE), (long)-ENODEV);
	file->f_op = saved;
}

/* What a file that says nothing is taken to offer. */
static void fail_without_offer(struct kunit *test)
{
	static const struct file_operations plain = {
		.mmap = fail_mmap, .read_iter = fail_read,
		.get_unmapped_area = fail_place,
	};
	struct file *file = umm_ramfs(test, 1);
	const struct file_operations *saved = file->f_op;
	struct scene was = scene_now();
	long at;

	answer.read = 0;
	file->f_op = &plain;
	KUNIT_EXPECT_EQ(test, scene_map_file(file, 0, 1, PROT_READ,
					     MAP_SHARED), (long)-ENODEV);
	at = scene_map_file(file, 0, 1, PROT_READ, MAP_PRIVATE);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(at));
	scene_expect(test, was, 1, 1, 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	file->f_op = saved;
}

static struct kunit_case fail_cases[] = {
	KUNIT_CASE_PARAM(fail_or_not, fail_row_gen_params),
	KUNIT_CASE(fail_without_mmap),
	KUNIT_CASE(fail_without_offer),
	{ }
};

static struct kunit_suite fail_suite = {
	.name = "nommu_fail",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = fail_cases,
};

kunit_test_suites(&fail_suite);

MODULE_DESCRIPTION("KUnit suite: files that refuse, without an MMU");
MODULE_LICENSE("GPL");
