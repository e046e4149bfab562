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

static __always_inline enum pf_end allow(void *arg, struct vm_area_struct *vma)
{
	struct pt_regs *regs = arg;

	return pf_verdict(regs->cause, vma->vm_flags);
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
	unsigned int flags;

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
		flags = pf_flags(regs->cause, user_mode(regs));
		end = pf_serve(regs, regs->badaddr, &flags, allow, regs);
	}
	if (unlikely(end != PF_END_DONE))
		pf_refuse(regs, end);
}
