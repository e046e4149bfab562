// SPDX-License-Identifier: GPL-2.0
/*
 * The page-fault exception: from the hardware's error code to the generic core
 * or to a refusal.
 *
 * Guarantees: a fault that the areas of the current mm allow is served; every
 * other one ends in exactly one of: repeated harmlessly (stale TLB entry,
 * erratum), taken over by an exception-table entry, a signal to the task
 * that ran in user mode, or an oops. Whether the kernel's half has anything
 * mapped at an address cannot be told from the outcome in user mode.
 *
 * Locks: entered with interrupts off and no lock of its own. User-half faults
 * enable interrupts, then hold either the area's lock (faults from user mode,
 * first try) or mmap_lock for read; both are gone when the fault ends.
 * Kernel-half faults take no lock: they may come from anywhere.
 */
#include <linux/context_tracking.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mmiotrace.h>
#include <linux/perf_event.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>
#include <asm/fred.h>
#include <asm/idtentry.h>
#include <asm/mmu_context.h>
#include <asm/traps.h>
#include <asm/vsyscall.h>
#include "mmu.h"

#define CREATE_TRACE_POINTS
#include <asm/trace/exceptions.h>

/**
 * fault_in_kernel_space - is an address outside what user mode may have?
 * @address: linear address
 *
 * The vsyscall page lies high, yet belongs to user mode.
 *
 * Return: true if so.
 */
bool fault_in_kernel_space(unsigned long address)
{
	if (IS_ENABLED(CONFIG_X86_64) && is_vsyscall_vaddr(address))
		return false;
	return address >= TASK_SIZE_MAX;
}

/* The kernel's own tables allow it: an entry in this CPU's TLB is too old. */
static bool stale_tlb_entry(const struct pf *pf)
{
	struct hw_path path;

	if (!pf_may_be_stale(pf->code))
		return false;
	hw_path_read(&path, init_mm.pgd, pf->address);
	if (!hw_path_maps(&path))
		return false;
	return hw_path_allows(&path, pf->code & X86_PF_WRITE ? _PAGE_RW : 0,
			      pf->code & X86_PF_INSTR ? _PAGE_NX : 0);
}

NOKPROBE_SYMBOL(stale_tlb_entry);

static void kernel_half_fault(struct pf *pf)
{
	/* Keys apply to user pages, and there are none here. */
	WARN_ON_ONCE(pf->code & X86_PF_PK);

	if (!(pf->code & (X86_PF_PROT | X86_PF_USER | X86_PF_RSVD)) &&
	    pgd_catch_up(pf->address))
		return;
	if (quirk_f00f(pf) || stale_tlb_entry(pf))
		return;
	if (WARN_ON_ONCE(kprobe_page_fault(pf->regs, X86_TRAP_PF)))
		return;
	pf_refuse(pf, PF_END_MAPERR);
}

NOKPROBE_SYMBOL(kernel_half_fault);

static __always_inline enum pf_end allow(void *arg, struct vm_area_struct *vma)
{
	struct pf *pf = arg;
	enum pf_end end;

	end = pf_verdict(pf->code, vma->vm_flags,
			 arch_vma_access_permitted(vma,
						   pf->code & X86_PF_WRITE,
						   pf->code & X86_PF_INSTR,
						   false));
	/*
	 * The key of the area as it is now. A thread that changes keys
	 * meanwhile may make it another than the one that stopped the
	 * access; nothing records that one.
	 */
	if (unlikely(end == PF_END_PKUERR))
		pf->pkey = vma_pkey(vma);
	return end;
}

static void user_half_fault(struct pf *pf)
{
	struct pt_regs *regs = pf->regs;
	enum pf_end end = PF_END_MAPERR;

	/* In atomic context or without areas nothing can be served. */
	if (likely(!faulthandler_disabled() && current->mm &&
		   !WARN_ON_ONCE(!(regs->flags & X86_EFLAGS_IF)))) {
		local_irq_enable();
		perf_sw_event(PERF_COUNT_SW_PAGE_FAULTS, 1, regs, pf->address);
		pf->flags = pf_flags(pf->code, user_mode(regs));

		/* The vsyscall page has code but no area. */
		if (IS_ENABLED(CONFIG_X86_64) &&
		    is_vsyscall_vaddr(pf->address) &&
		    emulate_vsyscall(pf->code, regs, pf->address))
			return;
		end = pf_serve(regs, pf->address, &pf->flags, allow, pf);
	}
	if (unlikely(end != PF_END_DONE))
		pf_refuse(pf, end);
}

NOKPROBE_SYMBOL(user_half_fault);

static __always_inline bool smap_armed(struct pt_regs *regs)
{
	return cpu_feature_enabled(X86_FEATURE_SMAP) &&
	       !(regs->flags & X86_EFLAGS_AC);
}

static __always_inline void handle(struct pf *pf)
{
	struct pt_regs *regs = pf->regs;
	enum pf_route route;

	if (trace_pagefault_enabled()) {
		if (user_mode(regs))
			trace_page_fault_user(pf->address, regs, pf->code);
		else
			trace_page_fault_kernel(pf->address, regs, pf->code);
	}
	if (unlikely(is_kmmio_active()) &&
	    kmmio_handler(regs, pf->address) == 1)
		return;

	route = pf_route(pf->code, fault_in_kernel_space(pf->address),
			 smap_armed(regs));
	if (unlikely(route == PF_ROUTE_KERNEL)) {
		kernel_half_fault(pf);
		return;
	}
	if (unlikely(route == PF_ROUTE_KERNEL_EXEC)) {
		/* Neither an area nor the exception table can excuse this. */
		if (!quirk_lost_rip(pf))
			pf_oops(pf);
		return;
	}
	if (WARN_ON_ONCE(kprobe_page_fault(regs, X86_TRAP_PF)))
		return;

	if (likely(route == PF_ROUTE_USER)) {
		user_half_fault(pf);
	} else if (route == PF_ROUTE_CORRUPTED) {
		pf_die_corrupted(pf);
	} else {
		/* A wild pointer, even if some area would allow it. */
		pf_oops(pf);
	}
}

DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault)
{
	struct pf pf = { .regs = regs, .code = error_code };
	irqentry_state_t state;

	/* Before anything else can fault and overwrite CR2. */
	pf.address = cpu_feature_enabled(X86_FEATURE_FRED) ?
		fred_event_data(regs) : read_cr2();

	/*
	 * A fault of kernel code on user memory may sleep, so this must not
	 * look like an interrupt to RCU: irqentry_enter() knows.
	 */
	state = irqentry_enter(regs);
	instrumentation_begin();
	handle(&pf);
	/* Serving may have left interrupts on. */
	local_irq_disable();
	instrumentation_end();
	irqentry_exit(regs, state);
}
