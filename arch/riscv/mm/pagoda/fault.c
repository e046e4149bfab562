// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults: what the hardware reports, to the generic core and back.
 *
 * Guarantees: a fault that an area allows is served; any other reaches
 * pf_refuse() with no lock held. Interrupts are as they were before the fault
 * while it is served.
 *
 * Locks: the area's own lock, or mmap_lock, around handle_mm_fault(), which may
 * let go of it.
 */
#include <linux/entry-common.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/perf_event.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <asm/ptrace.h>
#include "mmu.h"

/*
 * One try at serving the fault from @vma, which is locked by its own lock if
 * @by is FAULT_FLAG_VMA_LOCK and by mmap_lock if @by is 0. Unlocks.
 */
static enum pf_end try_area(struct pt_regs *regs, struct vm_area_struct *vma,
			    unsigned int *flags, unsigned int by)
{
	struct mm_struct *mm = vma->vm_mm;
	enum pf_end end = pf_verdict(regs->cause, vma->vm_flags);

	if (likely(end == PF_END_DONE)) {
		vm_fault_t fault = handle_mm_fault(vma, regs->badaddr,
						   *flags | by, regs);

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

/* Find the area and serve from it until it is done or refused. */
static enum pf_end serve(struct pt_regs *regs)
{
	struct mm_struct *mm = current->mm;
	unsigned int flags = pf_flags(regs->cause, user_mode(regs));
	enum pf_end end = PF_END_AGAIN;
	struct vm_area_struct *vma;

	/* Kernel code may hold mmap_lock; user mode holds nothing. */
	vma = flags & FAULT_FLAG_USER ? lock_vma_under_rcu(mm, regs->badaddr) :
					NULL;
	if (likely(vma)) {
		end = try_area(regs, vma, &flags, FAULT_FLAG_VMA_LOCK);
		count_vm_vma_lock_event(end == PF_END_AGAIN ||
					end == PF_END_SIGNAL ?
					VMA_LOCK_RETRY : VMA_LOCK_SUCCESS);
	}
	while (end == PF_END_AGAIN) {
		vma = lock_mm_and_find_vma(mm, regs->badaddr, regs);
		if (!vma)
			return PF_END_MAPERR;
		end = try_area(regs, vma, &flags, 0);
	}
	return end;
}

/**
 * handle_page_fault - serve a page fault, or say why not
 * @regs: the interrupted context, with the cause and the address
 *
 * Called with interrupts off, from the entry code.
 */
void handle_page_fault(struct pt_regs *regs)
{
	enum pf_end end = PF_END_MAPERR;

	if (kprobe_page_fault(regs, regs->cause))
		return;
	if (!regs_irqs_disabled(regs))
		local_irq_enable();

	/* In atomic context or without areas nothing can be served. */
	if (likely(!faulthandler_disabled() && current->mm)) {
		/* SUM is set between the brackets of uaccess alone. */
		if (!user_mode(regs) && regs->badaddr < TASK_SIZE &&
		    unlikely(!(regs->status & SR_SUM))) {
			pf_refuse(regs, PF_END_ACCERR);
			return;
		}
		perf_sw_event(PERF_COUNT_SW_PAGE_FAULTS, 1, regs,
			      regs->badaddr);
		end = serve(regs);
	}
	if (unlikely(end != PF_END_DONE))
		pf_refuse(regs, end);
}
