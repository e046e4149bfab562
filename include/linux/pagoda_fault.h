/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a page fault that an architecture has decoded to the areas, and back:
 * what is the same on all of them.
 */
#ifndef _LINUX_PAGODA_FAULT_H
#define _LINUX_PAGODA_FAULT_H

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/vmstat.h>

/* How a fault ends. All but PF_END_AGAIN leave no lock held. */
enum pf_end {
	PF_END_DONE,	/* served, or harmless: run the instruction again */
	PF_END_AGAIN,	/* the lock was dropped: find the area anew */
	PF_END_SIGNAL,	/* a signal is pending and comes first */
	PF_END_MAPERR,	/* nothing is mapped there */
	PF_END_ACCERR,	/* the area forbids it */
	PF_END_PKUERR,	/* the area's protection key forbids it */
	PF_END_BUS,	/* past the end of the file, or an I/O error */
	PF_END_POISON,	/* the frame's memory is broken */
	PF_END_OOM,	/* no memory for the page */
};

/**
 * typedef pf_allow_fn - does an area allow the access that faulted?
 * @arg: the architecture's own
 * @vma: the area, locked
 *
 * Return: PF_END_DONE if it is to be served, else how it is refused.
 */
typedef enum pf_end (*pf_allow_fn)(void *arg, struct vm_area_struct *vma);

/**
 * pf_result - what the generic core's answer means for the faulting context
 * @fault: VM_FAULT_* without VM_FAULT_RETRY and VM_FAULT_COMPLETED
 *
 * Return: how the fault ends.
 */
static inline enum pf_end pf_result(vm_fault_t fault)
{
	if (likely(!(fault & VM_FAULT_ERROR)))
		return PF_END_DONE;
	if (fault & VM_FAULT_OOM)
		return PF_END_OOM;
	if (fault & (VM_FAULT_HWPOISON | VM_FAULT_HWPOISON_LARGE))
		return PF_END_POISON;
	if (fault & VM_FAULT_SIGBUS)
		return PF_END_BUS;
	return PF_END_MAPERR;
}

/*
 * One try at serving the fault from @vma, which is locked by its own lock if
 * @by is FAULT_FLAG_VMA_LOCK and by mmap_lock if @by is 0. Unlocks. The rest is
 * as for pf_serve().
 */
static __always_inline enum pf_end
pf_try_area(struct vm_area_struct *vma, unsigned int by, struct pt_regs *regs,
	    unsigned long address, unsigned int *flags, pf_allow_fn allow,
	    void *arg)
{
	struct mm_struct *mm = vma->vm_mm;
	enum pf_end end = allow(arg, vma);

	if (likely(end == PF_END_DONE)) {
		vm_fault_t fault = handle_mm_fault(vma, address, *flags | by,
						   regs);

		/* The core let go of the lock in both of these cases. */
		if (unlikely(fault & VM_FAULT_RETRY)) {
			if (!by || (fault & VM_FAULT_MAJOR))
				*flags |= FAULT_FLAG_TRIED;
			return fault_signal_pending(fault, regs) ?
				PF_END_SIGNAL : PF_END_AGAIN;
		}
		if (unlikely(fault & VM_FAULT_COMPLETED))
			return PF_END_DONE;
		end = pf_result(fault);
	}
	if (by)
		vma_end_read(vma);
	else
		mmap_read_unlock(mm);
	return end;
}

/**
 * pf_serve - find the area and serve from it until it is done or refused
 * @regs: the interrupted context
 * @address: user address in the current address space, without a tag
 * @flags: FAULT_FLAG_* of the access; FAULT_FLAG_TRIED is added
 * @allow: does an area allow it? Inlined
 * @arg: handed to @allow
 *
 * Interrupts on, no lock held, on entry and exit. May sleep.
 *
 * Return: how the fault ends; not PF_END_AGAIN.
 */
static __always_inline enum pf_end
pf_serve(struct pt_regs *regs, unsigned long address, unsigned int *flags,
	 pf_allow_fn allow, void *arg)
{
	struct mm_struct *mm = current->mm;
	enum pf_end end = PF_END_AGAIN;
	struct vm_area_struct *vma;

	/* Kernel code may hold mmap_lock; user mode holds nothing. */
	vma = *flags & FAULT_FLAG_USER ? lock_vma_under_rcu(mm, address) :
					 NULL;
	if (likely(vma)) {
		end = pf_try_area(vma, FAULT_FLAG_VMA_LOCK, regs, address,
				  flags, allow, arg);
		count_vm_vma_lock_event(end == PF_END_AGAIN ||
					end == PF_END_SIGNAL ?
					VMA_LOCK_RETRY : VMA_LOCK_SUCCESS);
	}
	while (end == PF_END_AGAIN) {
		vma = lock_mm_and_find_vma(mm, address, regs);
		if (!vma)
			return PF_END_MAPERR;
		end = pf_try_area(vma, 0, regs, address, flags, allow, arg);
	}
	return end;
}

#endif /* _LINUX_PAGODA_FAULT_H */
