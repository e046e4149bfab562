// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that grow downwards, and what exec does to its first area.
 */
#include <linux/pgtable.h>
#include <linux/sched/signal.h>

#include <pagoda/umm.h>

#define GAP		(stack_guard_gap >> PAGE_SHIFT)
#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

/* A stack of four pages whose lowest page is @page. */
static unsigned long stack_at(struct kunit *test, unsigned long page)
{
	unsigned long at = vm_mmap(NULL, AT(page), 4 * PAGE_SIZE, UMM_RW,
				   UMM_ANON | MAP_FIXED | MAP_GROWSDOWN, 0);

	KUNIT_ASSERT_EQ(test, at, AT(page));
	return at;
}

static unsigned long stack_start(struct kunit *test, unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned long start;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	start = vma ? vma->vm_start : 0;
	mmap_read_unlock(current->mm);
	return start;
}

static void stack_grows_on_fault(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 600);

	KUNIT_EXPECT_EQ(test, umm_poke(at - sizeof(long), 1), 0);
	KUNIT_EXPECT_EQ(test, stack_start(test, at), at - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_poke(at - 20 * PAGE_SIZE, 2), 0);
	KUNIT_EXPECT_EQ(test, stack_start(test, at), at - 20 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at - sizeof(long)), 1UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 24UL);
	umm_check_areas(test, current->mm);
}

/* Reading grows it too; other areas never grow. */
static void stack_grows_alone(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 600);

	umm_map_at(test, AT(0), 2, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at - PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0) - PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 4 * PAGE_SIZE, 1), -EFAULT);
}

static void stack_keeps_gap(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 60);

	umm_map_at(test, AT(0), 10, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(GAP + 9), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, stack_start(test, at), at);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(GAP + 10), 1), 0);
	KUNIT_EXPECT_EQ(test, stack_start(test, at), AT(GAP + 10));
	KUNIT_EXPECT_EQ(test, umm_poke(AT(12), 1), -EFAULT);
	umm_check_areas(test, current->mm);
}

/* An area that nobody can reach may lie in the gap. */
static void stack_gap_ignores_no_access(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 60);

	/* With larger pages so many are more than a stack may have. */
	current->signal->rlim[RLIMIT_STACK].rlim_cur = RLIM_INFINITY;
	umm_map_at(test, AT(0), 10, PROT_NONE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(20), 1), 0);
	KUNIT_EXPECT_EQ(test, stack_start(test, at), AT(20));
	KUNIT_EXPECT_EQ(test, umm_poke(AT(9), 1), -EFAULT);
}

static void stack_limits(struct kunit *test)
{
	struct rlimit *rlim = current->signal->rlim;
	unsigned long at = stack_at(test, GAP + 600);

	rlim[RLIMIT_STACK].rlim_cur = 8 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, umm_poke(at - 5 * PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(at - 4 * PAGE_SIZE, 1), 0);
	rlim[RLIMIT_STACK].rlim_cur = RLIM_INFINITY;
	rlim[RLIMIT_AS].rlim_cur = 10 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, umm_poke(at - 7 * PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(at - 6 * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 10UL);
}

static void stack_expand_calls(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 600);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = find_extend_vma_locked(mm, at - 3 * PAGE_SIZE);
	KUNIT_EXPECT_NOT_NULL(test, vma);
	KUNIT_EXPECT_PTR_EQ(test, vma, vma_lookup(mm, at));
	KUNIT_EXPECT_EQ(test, vma->vm_start, at - 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vma->vm_pgoff, vma->vm_start >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, expand_stack_locked(vma, at - 5 * PAGE_SIZE + 1),
			0);
	KUNIT_EXPECT_EQ(test, vma->vm_start, at - 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, expand_stack_locked(vma, 0), -EPERM);
	KUNIT_EXPECT_NULL(test, find_extend_vma_locked(mm, at + 9 * PAGE_SIZE));
	mmap_write_unlock(mm);
	umm_check_areas(test, mm);
}

/* Who holds the lock for reading gets it back with the area, or neither. */
static void stack_expand_for_reader(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 600);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	umm_map_at(test, AT(0), 1, UMM_RW);
	mmap_read_lock(mm);
	vma = expand_stack(mm, at - 3 * PAGE_SIZE + 8);
	KUNIT_ASSERT_NOT_NULL(test, vma);
	mmap_assert_locked(mm);
	KUNIT_EXPECT_EQ(test, vma->vm_start, at - 3 * PAGE_SIZE);
	/* Already large enough. */
	KUNIT_EXPECT_PTR_EQ(test, expand_stack(mm, at + PAGE_SIZE), vma);
	KUNIT_EXPECT_EQ(test, vma->vm_start, at - 3 * PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, expand_stack(mm, AT(1) - 2 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&mm->mmap_lock));
	mmap_read_lock(mm);
	KUNIT_EXPECT_NULL(test, expand_stack(mm, at + 4 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&mm->mmap_lock));
}

/* PROT_GROWSDOWN reaches from the page named down to the area's start. */
static void stack_protect_growsdown(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 600);

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at + 2 * PAGE_SIZE,
				      PAGE_SIZE, PROT_READ | PROT_GROWSDOWN),
			0L);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 2 * PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 3 * PAGE_SIZE, 1), 0);
}

static void stack_locked_grows_present(struct kunit *test)
{
	unsigned long at = stack_at(test, GAP + 600);

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, at, 4 * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(at - 2 * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, current->mm->locked_vm, 6UL);
	mmap_write_lock(current->mm);
	KUNIT_EXPECT_NOT_NULL(test, find_extend_vma_locked(current->mm,
							   at - 5 * PAGE_SIZE));
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at - 5 * PAGE_SIZE, 3),
			3UL);
	KUNIT_EXPECT_EQ(test, current->mm->locked_vm, 9UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at - 5 * PAGE_SIZE, 9 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, current->mm->locked_vm, 0UL);
}

static struct vm_area_struct *stack_new_area(struct kunit *test,
					     unsigned long first,
					     unsigned long pages)
{
	struct vm_area_struct *vma = vm_area_alloc(current->mm);

	KUNIT_ASSERT_NOT_NULL(test, vma);
	vma_set_anonymous(vma);
	vma->vm_start = AT(first);
	vma->vm_end = AT(first + pages);
	vm_flags_init(vma, VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE |
		      VM_ACCOUNT);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	return vma;
}

/* exec inserts an area it made itself, fills it, and moves it down. */
static void stack_insert_and_relocate(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma = stack_new_area(test, 64, 8), *other;

	other = stack_new_area(test, 70, 4);
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, insert_vm_struct(mm, vma), 0);
	mm->total_vm += 8;
	KUNIT_EXPECT_EQ(test, insert_vm_struct(mm, other), -ENOMEM);
	mmap_write_unlock(mm);
	vm_area_free(other);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(64), 3), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(71), 4), 0);

	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, relocate_vma_down(vma, 5 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vma->vm_start, AT(59));
	KUNIT_EXPECT_EQ(test, vma->vm_end, AT(67));
	mmap_write_unlock(mm);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(59)), 3UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(66)), 4UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(67)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(71)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES), 2L);
	umm_check_areas(test, mm);
}

static struct kunit_case stack_tests[] = {
	KUNIT_CASE(stack_grows_on_fault),
	KUNIT_CASE(stack_grows_alone),
	KUNIT_CASE(stack_keeps_gap),
	KUNIT_CASE(stack_gap_ignores_no_access),
	KUNIT_CASE(stack_limits),
	KUNIT_CASE(stack_expand_calls),
	KUNIT_CASE(stack_expand_for_reader),
	KUNIT_CASE(stack_protect_growsdown),
	KUNIT_CASE(stack_locked_grows_present),
	KUNIT_CASE(stack_insert_and_relocate),
	{ }
};

static struct kunit_suite stack_suite = {
	.name = "pagoda_stack",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = stack_tests,
};

kunit_test_suite(stack_suite);
