// SPDX-License-Identifier: GPL-2.0
/*
 * The heap: brk and vm_brk_flags().
 */
#include <linux/pgtable.h>
#include <linux/sched/signal.h>

#include <pagoda/umm.h>

static unsigned long heap(void)
{
	return current->mm->start_brk;
}

static unsigned long set_brk(unsigned long end)
{
	return umm_sys(__NR_brk, end);
}

static void brk_grows_and_shrinks(struct kunit *test)
{
	unsigned long start = heap();

	KUNIT_EXPECT_EQ(test, set_brk(0), start);
	KUNIT_EXPECT_EQ(test, set_brk(start + 3 * PAGE_SIZE),
			start + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_poke(start + 2 * PAGE_SIZE, 5), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(start + 3 * PAGE_SIZE, 5), -EFAULT);
	/* Growth joins the area that is there. */
	KUNIT_EXPECT_EQ(test, set_brk(start + 9 * PAGE_SIZE),
			start + 9 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 1);
	KUNIT_EXPECT_EQ(test, umm_peek(test, start + 2 * PAGE_SIZE), 5UL);
	KUNIT_EXPECT_EQ(test, set_brk(start + PAGE_SIZE), start + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_touch(start + 2 * PAGE_SIZE), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 0L);
	/* What was given up comes back empty. */
	KUNIT_EXPECT_EQ(test, set_brk(start + 3 * PAGE_SIZE),
			start + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, start + 2 * PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, set_brk(start), start);
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 0);
	umm_check_areas(test, current->mm);
}

/* The break is a byte address; memory comes in pages. */
static void brk_is_in_bytes(struct kunit *test)
{
	unsigned long start = heap();

	KUNIT_EXPECT_EQ(test, set_brk(start + 10), start + 10);
	KUNIT_EXPECT_EQ(test, umm_poke(start, 1), 0);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 1UL);
	KUNIT_EXPECT_EQ(test, set_brk(start + PAGE_SIZE), start + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 1UL);
	KUNIT_EXPECT_EQ(test, set_brk(start + PAGE_SIZE + 1),
			start + PAGE_SIZE + 1);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 2UL);
	KUNIT_EXPECT_EQ(test, set_brk(start + 1), start + 1);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, start), 1UL);
}

/* A break that cannot be set is answered with the one that is. */
static void brk_refuses(struct kunit *test)
{
	unsigned long start = heap(), end = start + 2 * PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, set_brk(end), end);
	KUNIT_EXPECT_EQ(test, set_brk(start - PAGE_SIZE), end);
	KUNIT_EXPECT_EQ(test, set_brk(TASK_SIZE_MAX + PAGE_SIZE), end);
	/* Another mapping is in the way: it stays whole. */
	umm_map_at(test, start + 4 * PAGE_SIZE, 1, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(start + 4 * PAGE_SIZE, 6), 0);
	KUNIT_EXPECT_EQ(test, set_brk(start + 5 * PAGE_SIZE), end);
	KUNIT_EXPECT_EQ(test, set_brk(start + 8 * PAGE_SIZE), end);
	KUNIT_EXPECT_EQ(test, umm_peek(test, start + 4 * PAGE_SIZE), 6UL);
	end += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, set_brk(end), end);
	current->signal->rlim[RLIMIT_DATA].rlim_cur = PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, set_brk(end + 1), end);
	KUNIT_EXPECT_EQ(test, set_brk(end - PAGE_SIZE), end);
	KUNIT_EXPECT_EQ(test, set_brk(start + 1), start + 1);
	umm_check_areas(test, current->mm);
}

static void brk_under_mlockall(struct kunit *test)
{
	unsigned long start = heap();

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlockall, MCL_FUTURE), 0L);
	KUNIT_EXPECT_EQ(test, set_brk(start + 4 * PAGE_SIZE),
			start + 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, current->mm->locked_vm, 4UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, start, 4), 4UL);
	KUNIT_EXPECT_EQ(test, set_brk(start), start);
	KUNIT_EXPECT_EQ(test, current->mm->locked_vm, 0UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munlockall), 0L);
}

/* What the ELF loader asks for: bss, perhaps executable. */
static void brk_flags(struct kunit *test)
{
	struct vm_area_struct *vma;

	KUNIT_EXPECT_EQ(test, vm_brk_flags(UMM_BASE, 2 * PAGE_SIZE, 0), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE + PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, vm_brk_flags(UMM_BASE + 2 * PAGE_SIZE, PAGE_SIZE,
					   VM_EXEC), 0);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, UMM_BASE + 2 * PAGE_SIZE);
	KUNIT_EXPECT_NOT_NULL(test, vma);
	if (vma) {
		KUNIT_EXPECT_EQ(test, vma->vm_start, UMM_BASE + 2 * PAGE_SIZE);
		KUNIT_EXPECT_TRUE(test, vma->vm_flags & VM_EXEC);
	}
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, vm_brk_flags(UMM_BASE + 8 * PAGE_SIZE, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, vm_brk_flags(UMM_BASE, PAGE_SIZE, VM_SHARED),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 3UL);
	/* It replaces, as the loader expects. */
	KUNIT_EXPECT_EQ(test, vm_brk_flags(UMM_BASE + PAGE_SIZE, PAGE_SIZE, 0),
			0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, UMM_BASE + PAGE_SIZE), 0UL);
}

static struct kunit_case brk_tests[] = {
	KUNIT_CASE(brk_grows_and_shrinks),
	KUNIT_CASE(brk_is_in_bytes),
	KUNIT_CASE(brk_refuses),
	KUNIT_CASE(brk_under_mlockall),
	KUNIT_CASE(brk_flags),
	{ }
};

static struct kunit_suite brk_suite = {
	.name = "pagoda_brk",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = brk_tests,
};

kunit_test_suite(brk_suite);
