// SPDX-License-Identifier: GPL-2.0
/*
 * A fault that will not be served: tell whoever caused it.
 *
 * Guarantees: kernel code continues at its exception-table entry or oopses;
 * user mode gets one signal whose number, code and address say why. No lock is
 * held on entry or exit.
 */
#include <linux/bug.h>
#include <linux/extable.h>
#include <linux/kfence.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <asm/bug.h>
#include <asm/ptrace.h>
#include "mmu.h"

static void oops(struct pt_regs *regs)
{
	unsigned long addr = regs->badaddr;
	const char *what = "paging request";

	if (addr < PAGE_SIZE)
		what = "NULL pointer dereference";
	else if (addr < TASK_SIZE && !(regs->status & SR_SUM))
		what = "access to user memory without uaccess routines";
	else if (kfence_handle_page_fault(addr, regs->cause == EXC_STORE_PAGE_FAULT,
					  regs))
		return;

	bust_spinlocks(1);
	pr_alert("Unable to handle kernel %s at virtual address " REG_FMT "\n",
		 what, addr);
	bust_spinlocks(0);
	die(regs, "Oops");
	make_task_dead(SIGKILL);
}

/**
 * pf_refuse - end a fault that cannot be served
 * @regs: the interrupted context
 * @end: why; not PF_END_DONE or PF_END_AGAIN
 */
void pf_refuse(struct pt_regs *regs, enum pf_end end)
{
	unsigned long addr = regs->badaddr;

	current->thread.bad_cause = regs->cause;
	if (!user_mode(regs)) {
		if (!fixup_exception(regs))
			oops(regs);
		return;
	}
	switch (end) {
	case PF_END_SIGNAL:
		break;		/* delivered on the way out */
	case PF_END_OOM:
		pagefault_out_of_memory();
		break;		/* killed, or tries again */
	case PF_END_BUS:
	case PF_END_POISON:
		do_trap(regs, SIGBUS, BUS_ADRERR, addr);
		break;
	case PF_END_ACCERR:
		do_trap(regs, SIGSEGV, SEGV_ACCERR, addr);
		break;
	default:
		do_trap(regs, SIGSEGV, SEGV_MAPERR, addr);
	}
}
