// SPDX-License-Identifier: GPL-2.0
/*
 * Aborts: what the hardware reports, to the generic core and back.
 *
 * Guarantees: a fault that an area allows is served; any other ends in
 * refuse.c with no lock held.
 *
 * Locks: the area's own lock, or mmap_lock, around handle_mm_fault(), which may
 * let go of it.
 */
#include <linux/acpi.h>
#include <linux/extable.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/pkeys.h>
#include <linux/perf_event.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <asm/acpi.h>
#include <asm/cpufeature.h>
#include <asm/exception.h>
#include <asm/mmu_context.h>
#include <asm/mte-def.h>
#include <asm/system_misc.h>
#include <asm/traps.h>
#include "mmu.h"

static __always_inline enum pf_end allow(void *arg, struct vm_area_struct *vma)
{
	bool epan = alternative_has_cap_unlikely(ARM64_HAS_EPAN);
	struct pf *pf = arg;
	enum pf_end end = pf_verdict(pf->flags, vma->vm_flags, !epan);

	/*
	 * The syndrome cannot say it: nothing may be mapped yet, and the key
	 * register may have changed since.
	 */
	if (end == PF_END_DONE && system_supports_poe() &&
	    !arch_vma_access_permitted(vma, pf->flags & FAULT_FLAG_WRITE,
				       pf->flags & FAULT_FLAG_INSTRUCTION,
				       false)) {
		pf->pkey = vma_pkey(vma);
		end = PF_END_PKUERR;
	}
	return end;
}

/* A fault on an address that page tables of an mm translate, or of the kernel. */
static void page_fault(struct pf *pf)
{
	struct pt_regs *regs = pf->regs;
	enum pf_end end;

	if (kprobe_page_fault(regs, pf->esr))
		return;
	/* In atomic context or without areas nothing can be served. */
	if (faulthandler_disabled() || !current->mm) {
		pf_refuse_kernel(pf);
		return;
	}
	/* The kernel may not touch user memory but where it says so. */
	if (is_ttbr0_addr(pf->address) && pf_forbidden(pf)) {
		if (abort_is_fetch(pf->esr))
			pf_oops(pf, "execution of user memory");
		else if (!search_exception_tables(regs->pc))
			pf_oops(pf, "access to user memory outside uaccess routines");
	}
	perf_sw_event(PERF_COUNT_SW_PAGE_FAULTS, 1, regs, pf->address);
	pf->flags = pf_flags(pf->esr, user_mode(regs));
	end = pf_serve(regs, pf->address, &pf->flags, allow, pf);
	if (unlikely(end != PF_END_DONE))
		pf_refuse(pf, end);
}
NOKPROBE_SYMBOL(page_fault);

/* Memory, or a device behind the address, has answered with an error. */
static void external_abort(const struct pf *pf, enum abort_kind kind)
{
	bool data = kind == ABORT_EXTERNAL;

	/* Firmware may know more, and see to it. */
	if (user_mode(pf->regs) && apei_claim_sea(pf->regs) == 0)
		return;
	add_taint(TAINT_MACHINE_CHECK, LOCKDEP_STILL_OK);
	arm64_notify_die(abort_name(kind), pf->regs, data ? SIGBUS : SIGKILL,
			 data ? BUS_OBJERR : SI_KERNEL,
			 pf->esr & ESR_ELx_FnV ? 0 : pf->address, pf->esr);
}

/**
 * do_mem_abort - an access to memory, or a fetch, was aborted
 * @far: the address, with a tag that may be anything
 * @esr: the syndrome
 * @regs: the interrupted context
 *
 * Interrupts are as they were there.
 */
void do_mem_abort(unsigned long far, unsigned long esr, struct pt_regs *regs)
{
	struct pf pf = {
		.regs = regs, .esr = esr, .far = far,
		.address = untagged_addr(far),
	};
	enum abort_kind kind = abort_kind(esr);

	switch (kind) {
	case ABORT_TRANSLATION:
		/* The kernel maps what it uses. */
		if (!is_ttbr0_addr(pf.address)) {
			pf_signal(&pf, SIGSEGV, SEGV_MAPERR);
			return;
		}
		fallthrough;
	case ABORT_ACCESS:
	case ABORT_PERMISSION:
		page_fault(&pf);
		return;
	case ABORT_EXTERNAL:
	case ABORT_EXTERNAL_WALK:
		external_abort(&pf, kind);
		return;
	case ABORT_TAG:
		/* Of the tag's byte only the tag is known. */
		pf.far = (__untagged_addr(far) & ~MTE_TAG_MASK) |
			 (far & MTE_TAG_MASK);
		pf_signal(&pf, SIGSEGV, SEGV_MTESERR);
		return;
	case ABORT_ALIGNMENT:
		if (IS_ENABLED(CONFIG_COMPAT_ALIGNMENT_FIXUPS) &&
		    compat_user_mode(regs) &&
		    !do_compat_alignment_fixup(far, regs))
			return;
		pf_signal(&pf, SIGBUS, BUS_ADRALN);
		return;
	default:
		break;
	}
	if (!user_mode(regs))
		pf_oops(&pf, abort_name(kind));
	arm64_notify_die(abort_name(kind), regs,
			 kind == ABORT_EXCLUSIVE ? SIGBUS : SIGKILL,
			 kind == ABORT_EXCLUSIVE ? BUS_OBJERR : SI_KERNEL,
			 pf.address, esr);
}
NOKPROBE_SYMBOL(do_mem_abort);

/**
 * do_sp_pc_abort - the stack pointer or the program counter was not aligned
 * @addr: the value
 * @esr: the syndrome
 * @regs: the interrupted context
 */
void do_sp_pc_abort(unsigned long addr, unsigned long esr, struct pt_regs *regs)
{
	arm64_notify_die("SP/PC alignment exception", regs, SIGBUS, BUS_ADRALN,
			 addr, esr);
}
NOKPROBE_SYMBOL(do_sp_pc_abort);
