// SPDX-License-Identifier: GPL-2.0
/*
 * mmap, munmap, remap_file_pages and mseal: what is given and what is refused.
 *
 * A refused call must have changed nothing, which each case checks with a
 * picture. How areas split and merge is in area_kunit.c.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/sched/signal.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

struct refuse_case {
	const char *name;
	unsigned long addr, len, flags, offset;
	long want;
};

static const struct refuse_case refuse_cases[] = {
	{ "no length", 0, 0, UMM_ANON, 0, -EINVAL },
	{ "unaligned fixed address", UMM_BASE + 1, PAGE_SIZE,
	  UMM_ANON | MAP_FIXED, 0, -EINVAL },
	{ "longer than user space", 0, -SZ_16M, UMM_ANON, 0, -ENOMEM },
	{ "length that wraps", 0, -1UL, UMM_ANON, 0, -ENOMEM },
	{ "fixed in the kernel", -SZ_1M, PAGE_SIZE, UMM_ANON | MAP_FIXED,
	  0, -ENOMEM },
	{ "fixed and wrapping", -PAGE_SIZE, 2 * PAGE_SIZE,
	  UMM_ANON | MAP_FIXED, 0, -ENOMEM },
	{ "unaligned offset", 0, PAGE_SIZE, UMM_ANON, 1, -EINVAL },
	{ "neither shared nor private", 0, PAGE_SIZE, MAP_ANONYMOUS, 0,
	  -EINVAL },
	{ "anonymous with validation", 0, PAGE_SIZE,
	  MAP_ANONYMOUS | MAP_SHARED_VALIDATE, 0, -EINVAL },
	{ "noreplace on an area", UMM_BASE, PAGE_SIZE,
	  UMM_ANON | MAP_FIXED_NOREPLACE, 0, -EEXIST },
	{ "noreplace into an area", UMM_BASE - PAGE_SIZE, 2 * PAGE_SIZE,
	  UMM_ANON | MAP_FIXED_NOREPLACE, 0, -EEXIST },
	{ "noreplace over an area", UMM_BASE - PAGE_SIZE, 8 * PAGE_SIZE,
	  UMM_ANON | MAP_FIXED_NOREPLACE, 0, -EEXIST },
};

static void refuse_describe(const struct refuse_case *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refuse, refuse_cases, refuse_describe);

static void mmap_refuses(struct kunit *test)
{
	const struct refuse_case *c = test->param_value;

	umm_paint(test, NULL, "|WW|rr|");
	KUNIT_EXPECT_EQ(test, (long)vm_mmap(NULL, c->addr, c->len, UMM_RW,
					    c->flags, c->offset), c->want);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 5), "|WW|rr|.|");
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
	umm_check_areas(test, current->mm);
}

static void mmap_refuses_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4), *reader;
	unsigned long populate;

	KUNIT_EXPECT_EQ(test, (long)vm_mmap(file, 0, PAGE_SIZE, PROT_READ,
					    MAP_SHARED_VALIDATE | 0x200000,
					    0), (long)-EOPNOTSUPP);
	mmap_write_lock(current->mm);
	KUNIT_EXPECT_EQ(test, (long)do_mmap(file, 0, 2 * PAGE_SIZE, PROT_READ,
					    MAP_SHARED, 0, -1UL, &populate,
					    NULL), (long)-EOVERFLOW);
	mmap_write_unlock(current->mm);
	reader = dentry_open(&file->f_path, O_RDONLY, current_cred());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reader);
	KUNIT_EXPECT_EQ(test, (long)vm_mmap(reader, 0, PAGE_SIZE, UMM_RW,
					    MAP_SHARED, 0), (long)-EACCES);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(vm_mmap(reader, 0, PAGE_SIZE,
						      UMM_RW, MAP_PRIVATE,
						      0)));
	fput(reader);
	reader = dentry_open(&file->f_path, O_WRONLY, current_cred());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reader);
	KUNIT_EXPECT_EQ(test, (long)vm_mmap(reader, 0, PAGE_SIZE, PROT_READ,
					    MAP_PRIVATE, 0), (long)-EACCES);
	fput(reader);
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 1);
}

#ifdef CONFIG_64BIT
static void mmap_refuses_descriptor(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mmap, 0, PAGE_SIZE, PROT_READ,
				      MAP_PRIVATE, -1, 0), (long)-EBADF);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mmap, 0, PAGE_SIZE, PROT_READ,
				      UMM_ANON, -1, 1), (long)-EINVAL);
	if (!IS_ENABLED(CONFIG_HUGETLBFS))
		KUNIT_EXPECT_EQ(test, umm_sys(__NR_mmap, 0, PMD_SIZE, UMM_RW,
					      UMM_ANON | MAP_HUGETLB, -1, 0),
				(long)-EINVAL);
	KUNIT_EXPECT_GT(test, umm_sys(__NR_mmap, 0, PAGE_SIZE, PROT_READ,
				      UMM_ANON, -1, 0), 0L);
}

static void mmap_droppable(struct kunit *test)
{
	unsigned long at = vm_mmap(NULL, 0, PAGE_SIZE, UMM_RW,
				   MAP_ANONYMOUS | MAP_DROPPABLE, 0);
	struct umm *child;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, umm_poke(at, 4), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 4UL);
	/* It is wiped at fork, and nothing can be done about that. */
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at, PAGE_SIZE,
				      MADV_KEEPONFORK), (long)-EINVAL);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
}

static void mmap_sealed(struct kunit *test)
{
	umm_paint(test, NULL, "|WWWWWW|");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mseal, AT(2), 2 * PAGE_SIZE, 0),
			0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(0), 6 * PAGE_SIZE),
			(long)-EPERM);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(3), PAGE_SIZE,
				      PROT_NONE), (long)-EPERM);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, AT(2), PAGE_SIZE,
				      2 * PAGE_SIZE, MREMAP_MAYMOVE),
			(long)-EPERM);
	KUNIT_EXPECT_EQ(test, (long)vm_mmap(NULL, AT(2), PAGE_SIZE, UMM_RW,
					    UMM_ANON | MAP_FIXED, 0),
			(long)-EPERM);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 8), 0);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(4), PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 4UL);
}
#endif

static void mmap_fixed_noreplace_in_hole(struct kunit *test)
{
	umm_paint(test, NULL, "|ww|..|rr|");
	KUNIT_EXPECT_EQ(test, vm_mmap(NULL, AT(2), 2 * PAGE_SIZE, PROT_NONE,
				      UMM_ANON | MAP_FIXED_NOREPLACE, 0),
			AT(2));
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 6), "|ww|nn|rr|");
}

/* The last user page can be had, the one after it cannot. */
static void mmap_up_to_the_limit(struct kunit *test)
{
	unsigned long last = TASK_SIZE - PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, (long)vm_mmap(NULL, last, 2 * PAGE_SIZE, UMM_RW,
					    UMM_ANON | MAP_FIXED, 0),
			(long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, umm_touch(last), -EFAULT);
	umm_map_at(test, last, 1, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(last, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, last), 1UL);
	KUNIT_EXPECT_EQ(test, umm_touch(TASK_SIZE), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_munmap(last, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(current->mm), 0UL);
}

/* What MAP_FIXED replaces is gone for good. */
static void mmap_fixed_replaces(struct kunit *test)
{
	umm_paint(test, NULL, "|WWWW|");
	umm_map_at(test, AT(1), 2, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 4UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
}

static void munmap_refuses(struct kunit *test)
{
	umm_paint(test, NULL, "|WW|rr|");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(0) + 1, PAGE_SIZE),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(0), 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(0), -1UL),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, PAGE_OFFSET, PAGE_SIZE),
			(long)-EINVAL);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 4), "|WW|rr|");
	/* A length is rounded up to whole pages. */
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(1), 1), 0L);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 4), "|W|.|rr|");
}

/* At the limit of areas, what needs one more is refused and harms nothing. */
static void mmap_count_limit(struct kunit *test)
{
	int limit = sysctl_max_map_count;
	long split, protect, more, edge;

	umm_paint(test, NULL, "|WWWWWW|r|x|");
	sysctl_max_map_count = current->mm->map_count;
	split = umm_sys(__NR_munmap, AT(2), 2 * PAGE_SIZE);
	protect = umm_sys(__NR_mprotect, AT(2), 2 * PAGE_SIZE, PROT_READ);
	sysctl_max_map_count--;
	more = (long)vm_mmap(NULL, 0, PAGE_SIZE, PROT_NONE, UMM_ANON, 0);
	edge = umm_sys(__NR_munmap, AT(4), 2 * PAGE_SIZE);
	sysctl_max_map_count = limit;
	KUNIT_EXPECT_EQ(test, split, (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, protect, (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, more, (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, edge, 0L);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 8), "|WWWW|..|r|x|");
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
}

/* A case runs in a thread with limits of its own. */
static void mmap_resource_limits(struct kunit *test)
{
	struct rlimit *rlim = current->signal->rlim;
	unsigned long at;

	umm_paint(test, NULL, "|ww|rr|");
	rlim[RLIMIT_AS].rlim_cur = 6 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, (long)vm_mmap(NULL, 0, 3 * PAGE_SIZE, PROT_READ,
					    UMM_ANON, 0), (long)-ENOMEM);
	at = umm_map(test, 2, PROT_READ);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, at, 2 * PAGE_SIZE,
				      3 * PAGE_SIZE, MREMAP_MAYMOVE),
			(long)-ENOMEM);
	/* Replacing does not need room for both. */
	KUNIT_EXPECT_EQ(test, vm_mmap(NULL, at, 2 * PAGE_SIZE, PROT_NONE,
				      UMM_ANON | MAP_FIXED, 0), at);
	rlim[RLIMIT_AS].rlim_cur = RLIM_INFINITY;
	rlim[RLIMIT_DATA].rlim_cur = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, (long)vm_mmap(NULL, 0, 2 * PAGE_SIZE, UMM_RW,
					    UMM_ANON, 0), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(2), 2 * PAGE_SIZE,
				      UMM_RW), (long)-ENOMEM);
	umm_map(test, 1, UMM_RW);
	umm_map(test, 9, PROT_READ);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 4), "|ww|rr|");
	umm_check_areas(test, current->mm);
}

static void mmap_remap_file_pages(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	unsigned long i;

	for (i = 0; i < 8; i++)
		umm_file_set(test, file, i * PAGE_SIZE, 10 + i);
	umm_paint(test, file, "|hhhh|ww|");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_remap_file_pages, AT(1), PAGE_SIZE,
				      0, 6, 0), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 16UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 12UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 99), 0);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 6 * PAGE_SIZE), 99UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_remap_file_pages, AT(4), PAGE_SIZE,
				      0, 6, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_remap_file_pages, AT(0), PAGE_SIZE,
				      PROT_READ, 6, 0), (long)-EINVAL);
	umm_check_areas(test, current->mm);
}

static struct kunit_case mmap_tests[] = {
	KUNIT_CASE_PARAM(mmap_refuses, refuse_gen_params),
	KUNIT_CASE(mmap_refuses_file),
#ifdef CONFIG_64BIT
	KUNIT_CASE(mmap_refuses_descriptor),
	KUNIT_CASE(mmap_droppable),
	KUNIT_CASE(mmap_sealed),
#endif
	KUNIT_CASE(mmap_fixed_noreplace_in_hole),
	KUNIT_CASE(mmap_up_to_the_limit),
	KUNIT_CASE(mmap_fixed_replaces),
	KUNIT_CASE(munmap_refuses),
	KUNIT_CASE(mmap_count_limit),
	KUNIT_CASE(mmap_resource_limits),
	KUNIT_CASE(mmap_remap_file_pages),
	{ }
};

static struct kunit_suite mmap_suite = {
	.name = "pagoda_mmap",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = mmap_tests,
};

kunit_test_suite(mmap_suite);
