// SPDX-License-Identifier: GPL-2.0
/*
 * A fault that will not be served: tell whoever caused it.
 *
 * Guarantees: kernel code continues at its exception-table entry or oopses;
 * user mode gets one signal whose number, code, address and key say why; only
 * the task at fault is touched. No lock is held on entry or exit; interrupts
 * may be off on entry and are on when a signal has been sent.
 */
#include <linux/extable.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/ratelimit.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/topology.h>
#include <asm/extable.h>
#include <asm/traps.h>
#include <asm/vdso.h>
#include "mmu.h"

/* sysctl debug.exception-trace: log tasks that die by SIGSEGV. */
int show_unhandled_signals = 1;

static void refuse_kernel(const struct pf *pf)
{
	if (fixup_exception(pf->regs, X86_TRAP_PF, pf->code, pf->address))
		return;
	if (quirk_prefetch(pf))
		return;
	pf_oops(pf);
}

/* One line and the code bytes for a task that nobody will catch. */
static void log_segfault(const struct pf *pf, unsigned long shown)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	struct task_struct *tsk = current;
	const int width = sizeof(long) * 2;
	int cpu = raw_smp_processor_id();
	char line[160];

	if (!show_unhandled_signals || !unhandled_signal(tsk, SIGSEGV) ||
	    !__ratelimit(&limit))
		return;

	snprintf(line, sizeof(line),
		 "%s[%d]: segfault at %lx ip %0*lx sp %0*lx error %lx",
		 tsk->comm, task_pid_nr(tsk), pf->address,
		 width, pf->regs->ip, width, pf->regs->sp, shown);
	if (is_global_init(tsk))
		pr_emerg("%s", line);
	else
		pr_info("%s", line);
	print_vma_addr(KERN_CONT " in ", pf->regs->ip);
	/* Several of these from one core are a hint at its health. */
	pr_info("%s[%d]: likely on CPU %d (core %d, socket %d)\n", tsk->comm,
		task_pid_nr(tsk), cpu, topology_core_id(cpu),
		topology_physical_package_id(cpu));
	show_opcodes(pf->regs, is_global_init(tsk) ? KERN_EMERG : KERN_INFO);
}

/* The signal itself, with what sigcontext and the debugger will read. */
static void send(const struct pf *pf, enum pf_end end, unsigned long shown)
{
	struct thread_struct *thread = &current->thread;
	void __user *where = (void __user *)pf->address;

	thread->trap_nr = X86_TRAP_PF;
	thread->error_code = shown;
	thread->cr2 = pf->address;

	switch (end) {
	case PF_END_PKUERR:
		force_sig_pkuerr(where, pf->pkey);
		break;
	case PF_END_ACCERR:
		force_sig_fault(SIGSEGV, SEGV_ACCERR, where);
		break;
	case PF_END_BUS:
		force_sig_fault(SIGBUS, BUS_ADRERR, where);
		break;
	case PF_END_POISON:
		pr_err("MCE: Killing %s:%d due to hardware memory corruption fault at %lx\n",
		       current->comm, current->pid, pf->address);
		force_sig_mceerr(BUS_MCEERR_AR, where, PAGE_SHIFT);
		break;
	default:
		force_sig_fault(SIGSEGV, SEGV_MAPERR, where);
	}
}

/**
 * pf_refuse - end a fault that cannot be served
 * @pf: the fault
 * @end: why; not PF_END_DONE or PF_END_AGAIN
 */
void pf_refuse(const struct pf *pf, enum pf_end end)
{
	bool bus = end == PF_END_BUS || end == PF_END_POISON;
	unsigned long shown;

	if (!user_mode(pf->regs)) {
		refuse_kernel(pf);
		return;
	}
	if (end == PF_END_SIGNAL)
		return;		/* delivered on the way out */
	if (end == PF_END_OOM) {
		pagefault_out_of_memory();
		return;		/* killed, or tries again */
	}
	if (!bus && !(pf->code & X86_PF_USER)) {
		/* The CPU itself failed to read a descriptor table. */
		pf_oops(pf);
		return;
	}

	local_irq_enable();
	if (quirk_prefetch(pf) || (!bus && quirk_stray_jump(pf)))
		return;

	shown = pf_shown_code(pf->code, pf->address >= TASK_SIZE_MAX);
	if (fixup_vdso_exception(pf->regs, X86_TRAP_PF, shown, pf->address))
		return;
	if (!bus)
		log_segfault(pf, shown);
	send(pf, end, shown);
}

NOKPROBE_SYMBOL(pf_refuse);
