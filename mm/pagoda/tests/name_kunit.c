// SPDX-License-Identifier: GPL-2.0
/*
 * Names of anonymous memory: which areas get one, and how names keep areas
 * apart.
 */
#include <linux/mm_inline.h>
#include <linux/prctl.h>
#include <linux/string.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define TEXT		AT(100)		/* where user memory has the name */

static long name_set(unsigned long page, unsigned long pages, const char *name)
{
	unsigned long text = name ? TEXT : 0;

	if (name && copy_to_user((void __user *)TEXT, name, strlen(name) + 1))
		return -EFAULT;
	return umm_sys(__NR_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, AT(page),
		       pages * PAGE_SIZE, text);
}

/* Does the page's area have this name, and these bounds? */
static void name_check(struct kunit *test, unsigned long page,
		       const char *name, unsigned long first,
		       unsigned long end)
{
	struct anon_vma_name *have = NULL;
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, AT(page));
	KUNIT_EXPECT_NOT_NULL(test, vma);
	if (vma) {
		have = anon_vma_name(vma);
		KUNIT_EXPECT_STREQ(test, have ? have->name : "-", name);
		KUNIT_EXPECT_EQ(test, vma->vm_start, AT(first));
		KUNIT_EXPECT_EQ(test, vma->vm_end, AT(end));
	}
	mmap_read_unlock(current->mm);
}

static void name_splits_and_joins(struct kunit *test)
{
	umm_map_at(test, TEXT, 1, UMM_RW);
	umm_map_at(test, AT(0), 8, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(3), 5), 0);
	KUNIT_EXPECT_EQ(test, name_set(2, 2, "heap"), 0L);
	name_check(test, 0, "-", 0, 2);
	name_check(test, 2, "heap", 2, 4);
	name_check(test, 5, "-", 4, 8);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 5UL);
	/* Another name is another area; the same name joins. */
	KUNIT_EXPECT_EQ(test, name_set(4, 2, "arena"), 0L);
	name_check(test, 3, "heap", 2, 4);
	name_check(test, 4, "arena", 4, 6);
	KUNIT_EXPECT_EQ(test, name_set(4, 2, "heap"), 0L);
	name_check(test, 4, "heap", 2, 6);
	KUNIT_EXPECT_EQ(test, name_set(3, 1, "heap"), 0L);
	name_check(test, 4, "heap", 2, 6);
	/* Without a name it is like its neighbours again. */
	KUNIT_EXPECT_EQ(test, name_set(0, 8, NULL), 0L);
	name_check(test, 4, "-", 0, 8);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 5UL);
	umm_check_areas(test, current->mm);
}

static void name_stays_with_memory(struct kunit *test)
{
	struct umm *child;

	umm_map_at(test, TEXT, 1, UMM_RW);
	umm_map_at(test, AT(0), 4, UMM_RW);
	KUNIT_EXPECT_EQ(test, name_set(0, 4, "pool"), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(1), PAGE_SIZE,
				      PROT_READ), 0L);
	name_check(test, 1, "pool", 1, 2);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, AT(3), PAGE_SIZE, PAGE_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, AT(20)),
			(long)AT(20));
	name_check(test, 20, "pool", 20, 21);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	/* The parent's name goes; the child's is its own. */
	KUNIT_EXPECT_EQ(test, name_set(20, 1, NULL), 0L);
	umm_enter(child);
	name_check(test, 20, "pool", 20, 21);
	name_check(test, 2, "pool", 2, 3);
}

/* Shared memory without a file can be named, and renamed in place. */
static void name_of_shared(struct kunit *test)
{
	unsigned long at = vm_mmap(NULL, AT(0), 2 * PAGE_SIZE, UMM_RW,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, 0);

	KUNIT_ASSERT_EQ(test, at, AT(0));
	umm_map_at(test, TEXT, 1, UMM_RW);
	KUNIT_EXPECT_EQ(test, name_set(0, 2, "ring"), 0L);
	name_check(test, 0, "ring", 0, 2);
	KUNIT_EXPECT_EQ(test, name_set(0, 2, "queue"), 0L);
	name_check(test, 1, "queue", 0, 2);
	KUNIT_EXPECT_EQ(test, name_set(0, 2, NULL), 0L);
	name_check(test, 1, "-", 0, 2);
}

static void name_refuses(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);

	umm_map_at(test, TEXT, 1, UMM_RW);
	umm_paint(test, file, "|ww|..|ww|ff|");
	/* Both sides of a hole get the name, and the hole is reported. */
	KUNIT_EXPECT_EQ(test, name_set(0, 6, "both"), (long)-ENOMEM);
	name_check(test, 0, "both", 0, 2);
	name_check(test, 4, "both", 4, 6);
	KUNIT_EXPECT_EQ(test, name_set(20, 1, "none"), (long)-ENOMEM);
	/* Files have names of their own. */
	KUNIT_EXPECT_EQ(test, name_set(6, 1, "file"), (long)-EBADF);
	KUNIT_EXPECT_EQ(test, name_set(0, 0, "nothing"), 0L);
	name_check(test, 0, "both", 0, 2);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_prctl, PR_SET_VMA,
				      PR_SET_VMA_ANON_NAME, AT(0) + 1,
				      PAGE_SIZE, TEXT), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_prctl, PR_SET_VMA,
				      PR_SET_VMA_ANON_NAME, AT(0), -PAGE_SIZE,
				      TEXT), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, name_set(0, 1, "no [brackets]"), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_prctl, PR_SET_VMA,
				      PR_SET_VMA_ANON_NAME, AT(0), PAGE_SIZE,
				      AT(50)), (long)-EFAULT);
	name_check(test, 0, "both", 0, 2);
}

static struct kunit_case name_tests[] = {
	KUNIT_CASE(name_splits_and_joins),
	KUNIT_CASE(name_stays_with_memory),
	KUNIT_CASE(name_of_shared),
	KUNIT_CASE(name_refuses),
	{ }
};

static struct kunit_suite name_suite = {
	.name = "pagoda_name",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = name_tests,
};

kunit_test_suite(name_suite);
