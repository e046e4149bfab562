// SPDX-License-Identifier: GPL-2.0
/*
 * A fault that will not be served: tell whoever caused it.
 *
 * Guarantees: kernel code continues at its exception-table entry or oopses;
 * user mode gets one signal whose number, code, address and key say why. No
 * lock is held on entry or exit.
 */
#include <linux/bitfield.h>
#include <linux/efi.h>
#include <linux/extable.h>
#include <linux/kasan.h>
#include <linux/kfence.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/signal.h>
#include <asm/efi.h>
#include <asm/extable.h>
#include <asm/sysreg.h>
#include <asm/traps.h>
#include "mmu.h"

/**
 * pf_forbidden - was the kernel refused by what an entry forbids?
 * @pf: the fault
 *
 * With emulated PAN user memory is not mapped at all meanwhile.
 *
 * Return: true if so.
 */
bool pf_forbidden(const struct pf *pf)
{
	unsigned long class = ESR_ELx_EC(pf->esr);

	if (class != ESR_ELx_EC_DABT_CUR && class != ESR_ELx_EC_IABT_CUR)
		return false;
	if (abort_kind(pf->esr) == ABORT_PERMISSION)
		return true;
	return system_uses_ttbr0_pan() && is_ttbr0_addr(pf->address) &&
	       abort_kind(pf->esr) == ABORT_TRANSLATION &&
	       (pf->regs->pstate & PSR_PAN_BIT);
}

/* Has the translation that was missing come meanwhile? Ask the hardware. */
static bool translates_now(const struct pf *pf)
{
	unsigned long flags;
	u64 par;

	if (ESR_ELx_EC(pf->esr) != ESR_ELx_EC_DABT_CUR ||
	    abort_kind(pf->esr) != ABORT_TRANSLATION)
		return false;
	local_irq_save(flags);
	asm volatile("at s1e1r, %0\n\tisb" : : "r" (pf->address) : "memory");
	par = read_sysreg_par();
	local_irq_restore(flags);
	return !(par & SYS_PAR_EL1_F) ||
	       abort_kind(FIELD_GET(SYS_PAR_EL1_FST, par)) != ABORT_TRANSLATION;
}

/* Memory of another tag: report it, and check no more tags on this CPU. */
static void kernel_tag_fault(const struct pf *pf)
{
#ifdef CONFIG_KASAN_HW_TAGS
	kasan_report((void *)pf->address, 0, pf->esr & ESR_ELx_WNR,
		     pf->regs->pc);
#endif
	sysreg_clear_set(sctlr_el1, SCTLR_EL1_TCF_MASK,
			 SYS_FIELD_PREP_ENUM(SCTLR_EL1, TCF, NONE));
	isb();
}

static const char *kernel_reason(const struct pf *pf)
{
	if (pf_forbidden(pf))
		return pf->esr & ESR_ELx_WNR ? "write to read-only memory" :
		       abort_is_fetch(pf->esr) ? "execute from non-executable memory" :
		       "read from unreadable memory";
	return pf->address < PAGE_SIZE ? "NULL pointer dereference" :
					 "paging request";
}

/**
 * pf_refuse_kernel - end a fault that nothing can be served for
 * @pf: the fault, of kernel code or where no mm is
 */
void pf_refuse_kernel(const struct pf *pf)
{
	enum abort_kind kind = abort_kind(pf->esr);
	const char *why;

	if (ESR_ELx_EC(pf->esr) != ESR_ELx_EC_IABT_CUR &&
	    fixup_exception(pf->regs))
		return;
	if (translates_now(pf)) {
		pr_warn_ratelimited("Ignoring a translation fault at %016lx, which translates\n",
				    pf->address);
		return;
	}
	if (kind == ABORT_TAG && ESR_ELx_EC(pf->esr) == ESR_ELx_EC_DABT_CUR) {
		kernel_tag_fault(pf);
		return;
	}
	why = kernel_reason(pf);
	if (kind == ABORT_TRANSLATION && pf->address >= PAGE_SIZE &&
	    kfence_handle_page_fault(pf->address, pf->esr & ESR_ELx_WNR, pf->regs))
		return;
	if (!efi_runtime_fixup_exception(pf->regs, why))
		pf_oops(pf, why);
}

/* What sigcontext will show. */
static void note(const struct pf *pf)
{
	current->thread.fault_address = pf->address;
	current->thread.fault_code = pf_shown_esr(pf->esr,
						  !is_ttbr0_addr(pf->address));
}

/**
 * pf_signal - end an abort that is no page fault
 * @pf: the abort
 * @sig: the signal for user mode
 * @code: its code
 */
void pf_signal(const struct pf *pf, int sig, int code)
{
	if (!user_mode(pf->regs)) {
		pf_refuse_kernel(pf);
		return;
	}
	note(pf);
	arm64_force_sig_fault(sig, code, pf->far, abort_name(abort_kind(pf->esr)));
}

/**
 * pf_refuse - end a page fault that cannot be served
 * @pf: the fault
 * @end: why; not PF_END_DONE or PF_END_AGAIN
 */
void pf_refuse(const struct pf *pf, enum pf_end end)
{
	const char *name = abort_name(abort_kind(pf->esr));

	if (!user_mode(pf->regs)) {
		pf_refuse_kernel(pf);
		return;
	}
	if (end == PF_END_SIGNAL)
		return;		/* delivered on the way out */
	if (end == PF_END_OOM) {
		pagefault_out_of_memory();
		return;		/* killed, or tries again */
	}
	note(pf);
	switch (end) {
	case PF_END_PKUERR:
		arm64_force_sig_fault_pkey(pf->far, name, pf->pkey);
		break;
	case PF_END_ACCERR:
		arm64_force_sig_fault(SIGSEGV, SEGV_ACCERR, pf->far, name);
		break;
	case PF_END_BUS:
		arm64_force_sig_fault(SIGBUS, BUS_ADRERR, pf->far, name);
		break;
	case PF_END_POISON:
		arm64_force_sig_mceerr(BUS_MCEERR_AR, pf->far, PAGE_SHIFT, name);
		break;
	default:
		arm64_force_sig_fault(SIGSEGV, SEGV_MAPERR, pf->far, name);
	}
}
