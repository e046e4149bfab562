// SPDX-License-Identifier: GPL-2.0
/*
 * The end of an address space.
 *
 * Nobody uses the mm any more. Pages go first, with mmap_lock held for reading
 * beside the OOM reaper, which may be at the same work; then the areas and
 * their page tables, with the lock held for writing. Everything that counts
 * is at zero afterwards, which the freeing of the mm_struct checks.
 *
 * fork() that failed leaves a mark in the child's tree from which
 * on the areas are the parent's: here, that is the end of the areas. But tables
 * that were shared for an area before the mark may map what lies behind it.
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

/* Return: fork() left a mark. */
static bool exit_zap(struct mm_struct *mm, struct mmu_gather *tlb)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma, *last = NULL;

	while ((vma = vma_next(&vmi)) && !xa_is_zero(vma)) {
		zap_area(tlb, vma, vma->vm_start, vma->vm_end,
			 FIRST_USER_ADDRESS, USER_PGTABLES_CEILING);
		last = vma;
	}
	if (unlikely(vma))
		zap_behind(tlb, last, TASK_SIZE_MAX);
	return vma;
}

/*
 * Free the tables. Reverse walks must not find an area any more when its tables
 * go; those of an area go with or after the last area that uses them.
 */
static void exit_tables(struct mm_struct *mm, struct mmu_gather *tlb,
			bool marked)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct area_span span = { .tlb = tlb, .floor = FIRST_USER_ADDRESS };
	struct area_unlinker unlinker = {};
	struct vm_area_struct *vma;

	while ((vma = exit_next(&vmi))) {
		unlink_anon_vmas(vma);
		area_unlink(&unlinker, vma);
		area_span_add(&span, vma->vm_start, vma->vm_end);
		cond_resched();
	}
	area_unlink_done(&unlinker);
	if (unlikely(marked))
		area_span_add(&span, span.end, TASK_SIZE_MAX);
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
		area_release(vma);
		nr++;
		cond_resched();
	}
	VM_WARN_ON_ONCE(nr != mm->map_count);
	return accounted;
}

/*
 * Let the OOM killer look for another victim. While this one's tables wait for
 * a grace period their memory is still to come, and nobody else need die for it.
 * Should that take long, the OOM reaper does not wait for it.
 */
static void exit_let_oom(struct mm_struct *mm)
{
	if (test_bit(MMF_OOM_REAP_QUEUED, &mm->flags))
		rcu_barrier();
	set_bit(MMF_OOM_SKIP, &mm->flags);
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
	bool any, marked;

	mmu_notifier_release(mm);

	mmap_read_lock(mm);
	arch_exit_mmap(mm);
	any = exit_next(&vmi);
	if (any) {
		lru_add_drain();
		flush_cache_mm(mm);
		tlb_gather_mmu_fullmm(&tlb, mm);
		marked = exit_zap(mm, &tlb);
	}
	mmap_read_unlock(mm);

	mmap_write_lock(mm);
	if (any) {
		mt_clear_in_rcu(&mm->mm_mt);
		exit_tables(mm, &tlb, marked);
		tlb_finish_mmu(&tlb);
		accounted = exit_areas(mm);
		trace_exit_mmap(mm);
	}
	__mt_destroy(&mm->mm_mt);
	mmap_write_unlock(mm);
	vm_unacct_memory(accounted);
	exit_let_oom(mm);
}
