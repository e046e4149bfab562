// SPDX-License-Identifier: GPL-2.0
/*
 * The end of an address space.
 *
 * Nobody uses the mm any more. Pages go first, with mmap_lock held for reading
 * beside the OOM reaper, which may be at the same work; then the areas and
 * their page tables, with the lock held for writing. Everything that counts
 * is at zero afterwards, which the freeing of the mm_struct checks.
 *
 * fork() that ran out of memory leaves a mark in the child's tree from which
 * on the entries are the parent's: here, that is the end.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <asm/mmu_context.h>
#include <asm/tlb.h>
#include <trace/events/mmap.h>

#include "area.h"
#include "tree.h"

static struct vm_area_struct *exit_next(struct vma_iterator *vmi)
{
	struct vm_area_struct *vma = vma_next(vmi);

	return xa_is_zero(vma) ? NULL : vma;
}

static void exit_zap(struct mm_struct *mm, struct mmu_gather *tlb)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	while ((vma = exit_next(&vmi)))
		zap_area(tlb, vma, vma->vm_start, vma->vm_end, NULL);
}

/* Reverse walks must not find the areas any more when their tables go. */
static void exit_unlink(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct area_unlinker unlinker = {};
	struct vm_area_struct *vma;

	while ((vma = exit_next(&vmi))) {
		unlink_anon_vmas(vma);
		area_unlink(&unlinker, vma);
	}
	area_unlink_done(&unlinker);
}

static void exit_tables(struct mm_struct *mm, struct mmu_gather *tlb)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct area_span span = { .tlb = tlb, .floor = FIRST_USER_ADDRESS };
	struct vm_area_struct *vma;

	while ((vma = exit_next(&vmi))) {
		area_span_add(&span, vma->vm_start, vma->vm_end);
		cond_resched();
	}
	area_span_done(&span, USER_PGTABLES_CEILING);
}

/* Return: how many pages were charged against the commit limit. */
static unsigned long exit_areas(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	unsigned long accounted = 0;
	struct vm_area_struct *vma;
	int nr = 0;

	while ((vma = exit_next(&vmi))) {
		if (vma->vm_flags & VM_ACCOUNT)
			accounted += vma_pages(vma);
		vma_close(vma);
		if (vma->vm_file)
			fput(vma->vm_file);
		/* No one can have found it: no need to wait for RCU. */
		__vm_area_free(vma);
		nr++;
		cond_resched();
	}
	VM_WARN_ON_ONCE(nr != mm->map_count);
	return accounted;
}

/**
 * exit_mmap - free all that an address space maps
 * @mm: the address space, which has no user left
 */
void exit_mmap(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	unsigned long accounted = 0;
	struct mmu_gather tlb;
	bool any;

	mmu_notifier_release(mm);

	mmap_read_lock(mm);
	arch_exit_mmap(mm);
	any = exit_next(&vmi);
	if (any) {
		lru_add_drain();
		flush_cache_mm(mm);
		tlb_gather_mmu_fullmm(&tlb, mm);
		exit_zap(mm, &tlb);
	}
	mmap_read_unlock(mm);
	/* Nothing is left that killing this process could free. */
	if (any)
		set_bit(MMF_OOM_SKIP, &mm->flags);

	mmap_write_lock(mm);
	if (any) {
		mt_clear_in_rcu(&mm->mm_mt);
		exit_unlink(mm);
		exit_tables(mm, &tlb);
		tlb_finish_mmu(&tlb);
		accounted = exit_areas(mm);
		trace_exit_mmap(mm);
	}
	__mt_destroy(&mm->mm_mt);
	mmap_write_unlock(mm);
	vm_unacct_memory(accounted);
}
