// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that grow downwards, by themselves or at exec.
 *
 * A growing area keeps a guard gap (stack_guard_gap= on the command line)
 * from what lies below, unless that is a growing area as well or cannot be
 * accessed at all. Growth is checked against RLIMIT_STACK, RLIMIT_AS,
 * RLIMIT_MEMLOCK and the commit limit.
 *
 * Lock rules: mmap_lock held for writing, so the area's bounds are stable for
 * whoever holds it for reading.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/perf_event.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/swap.h>
#include <asm/tlb.h>

#include "area.h"
#include "tree.h"

/* Distance in bytes between a growing area and what lies below it. */
unsigned long stack_guard_gap = 256UL << PAGE_SHIFT;

static int __init stack_guard_gap_setup(char *arg)
{
	unsigned long pages;
	int err = kstrtoul(arg, 10, &pages);

	if (!err)
		stack_guard_gap = pages << PAGE_SHIFT;
	return err;
}
early_param("stack_guard_gap", stack_guard_gap_setup);

static int stack_room(struct vma_iterator *vmi, struct vm_area_struct *vma,
		      unsigned long start)
{
	struct ma_state side = vmi->mas;
	struct vm_area_struct *below = mas_prev(&side, 0);

	if (!below)
		return 0;
	if (start < below->vm_end)
		return -ENOMEM;
	if ((below->vm_flags & VM_GROWSDOWN) || !vma_is_accessible(below))
		return 0;
	return start - below->vm_end < stack_guard_gap ? -ENOMEM : 0;
}

/**
 * expand_downwards - make a growing area reach down to an address
 * @vma: the first area above @address
 * @address: any address below it
 *
 * Context: mmap_lock held for writing.
 * Return: 0; -EFAULT if the area does not grow; -EPERM if the address is too
 * low to be mapped; -ENOMEM if something is in the way, a limit is reached or
 * there is no memory.
 */
int expand_downwards(struct vm_area_struct *vma, unsigned long address)
{
	VMA_ITERATOR(vmi, vma->vm_mm, vma->vm_start);
	struct mm_struct *mm = vma->vm_mm;
	unsigned long start = address & PAGE_MASK;
	unsigned long pages;
	int err;

	mmap_assert_write_locked(mm);
	if (!(vma->vm_flags & VM_GROWSDOWN))
		return -EFAULT;
	if (start < max(mmap_min_addr, FIRST_USER_ADDRESS))
		return -EPERM;
	if (start >= vma->vm_start)
		return 0;
	mas_walk(&vmi.mas);
	err = stack_room(&vmi, vma, start);
	if (err)
		return err;

	pages = (vma->vm_start - start) >> PAGE_SHIFT;
	if (pages > vma->vm_pgoff || !may_expand_vm(mm, vma->vm_flags, pages) ||
	    vma->vm_end - start > rlimit(RLIMIT_STACK) ||
	    !mlock_future_ok(mm, vma->vm_flags, pages << PAGE_SHIFT))
		return -ENOMEM;
	if (security_vm_enough_memory_mm(mm, pages))
		return -ENOMEM;
	if (area_resize(&vmi, vma, start, vma->vm_end, vma->vm_pgoff - pages)) {
		vm_unacct_memory(pages);
		return -ENOMEM;
	}
	if (vma->vm_flags & VM_LOCKED)
		mm->locked_vm += pages;
	vm_stat_account(mm, vma->vm_flags, pages);
	perf_event_mmap(vma);
	return 0;
}

/**
 * expand_stack_locked - make a stack reach an address
 * @vma: the first area above @address
 * @address: any address
 *
 * Context: mmap_lock held for writing.
 * Return: as expand_downwards().
 */
int expand_stack_locked(struct vm_area_struct *vma, unsigned long address)
{
	return expand_downwards(vma, address);
}

/**
 * find_extend_vma_locked - find the area of an address, growing it if need be
 * @mm: the address space, its mmap_lock held for writing
 * @addr: any address
 *
 * What a locked area grows by is populated.
 *
 * Return: the area, or NULL if there is none and none can grow there.
 */
struct vm_area_struct *find_extend_vma_locked(struct mm_struct *mm,
					      unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	unsigned long old_start;

	if (!vma || vma->vm_start <= addr)
		return vma;
	old_start = vma->vm_start;
	if (expand_downwards(vma, addr))
		return NULL;
	if (vma->vm_flags & VM_LOCKED)
		populate_vma_page_range(vma, addr & PAGE_MASK, old_start, NULL);
	return vma;
}

/**
 * expand_stack - find the area of an address, growing it if need be
 * @mm: the address space, its mmap_lock held for reading
 * @addr: any address
 *
 * The lock is dropped in between, so all that was known of areas is stale.
 *
 * Return: the area, with mmap_lock held for reading; NULL with it not held if
 * there is none and none can grow there, or a fatal signal came.
 */
struct vm_area_struct *expand_stack(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;

	mmap_read_unlock(mm);
	if (mmap_write_lock_killable(mm))
		return NULL;
	vma = find_vma(mm, addr);
	if (!vma || (vma->vm_start > addr && expand_downwards(vma, addr))) {
		mmap_write_unlock(mm);
		return NULL;
	}
	mmap_write_downgrade(mm);
	return vma;
}

/**
 * relocate_vma_down - move the stack of a program that is being executed
 * @vma: the stack, alone in the mm so far
 * @shift: by how many bytes down (page-aligned)
 *
 * In between the area covers both places. On failure the new mm is thrown
 * away by the caller.
 *
 * Context: mmap_lock held for writing.
 * Return: 0; -EFAULT if another area is in the way; -ENOMEM.
 */
int relocate_vma_down(struct vm_area_struct *vma, unsigned long shift)
{
	VMA_ITERATOR(vmi, vma->vm_mm, vma->vm_start - shift);
	unsigned long old_start = vma->vm_start, old_end = vma->vm_end;
	unsigned long start = old_start - shift, end = old_end - shift;
	unsigned long len = old_end - old_start;
	struct vm_area_struct *next;
	struct mmu_gather tlb;

	VM_WARN_ON_ONCE(start > end);
	if (vma_next(&vmi) != vma)
		return -EFAULT;
	/* Offsets follow the pages: what @start has now, @old_start had. */
	if (area_resize(&vmi, vma, start, old_end, vma->vm_pgoff))
		return -ENOMEM;
	if (move_page_tables(vma, old_start, vma, start, len, false, true) !=
	    len)
		return -ENOMEM;

	lru_add_drain();
	next = find_vma(vma->vm_mm, old_end);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pt_free_range(&tlb, max(end, old_start), old_end, end,
		      next ? next->vm_start : USER_PGTABLES_CEILING);
	tlb_finish_mmu(&tlb);
	return area_resize(&vmi, vma, start, end, vma->vm_pgoff);
}
