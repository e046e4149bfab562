// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults that are the processor's mistake.
 *
 * Each function answers "was it this erratum, and is all well now?". They run
 * without locks, in the context of the fault.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/uaccess.h>
#include <asm/desc.h>
#include <asm/processor.h>
#include <asm/sections.h>
#include <asm/traps.h>
#include "mmu.h"

static bool cpu_is_k8(void)
{
	return IS_ENABLED(CONFIG_CPU_SUP_AMD) && boot_cpu_data.x86 == 0xf &&
	       boot_cpu_data.x86_vendor == X86_VENDOR_AMD;
}

static bool fetch_byte(struct pt_regs *regs, unsigned long at, u8 *byte)
{
	if (user_mode(regs))
		return !get_user(*byte, (u8 __user *)at);
	return !get_kernel_nofault(*byte, (u8 *)at);
}

/**
 * quirk_prefetch - AMD erratum 91: a prefetch must not fault, but did
 * @pf: the fault
 *
 * K8 before model 0x40 reports page faults for software prefetches.
 *
 * Return: true if the fault is to be ignored.
 */
bool quirk_prefetch(const struct pf *pf)
{
	struct pt_regs *regs = pf->regs;
	unsigned int len = 0;
	unsigned long ip;
	u8 insn[15];

	if (likely(!cpu_is_k8()) || boot_cpu_data.x86_model >= 0x40 ||
	    (pf->code & X86_PF_INSTR))
		return false;

	ip = convert_ip_to_linear(current, regs);
	pagefault_disable();
	while (len < sizeof(insn) && fetch_byte(regs, ip + len, &insn[len]))
		len++;
	pagefault_enable();

	return insn_is_prefetch(insn, len, IS_ENABLED(CONFIG_X86_64) &&
				(!user_mode(regs) || user_64bit_mode(regs)));
}

/**
 * quirk_lost_rip - AMD erratum 93: RIP came back from SMM without its top half
 * @pf: a kernel-mode fetch from the user's half
 *
 * Firmware was to work around this and often did not.
 *
 * Return: true if RIP has been put right.
 */
bool quirk_lost_rip(const struct pf *pf)
{
#ifdef CONFIG_X86_64
	unsigned long whole = pf->address | ~(unsigned long)U32_MAX;

	if (!cpu_is_k8() || user_mode(pf->regs) ||
	    pf->address != pf->regs->ip || pf->address > U32_MAX)
		return false;
	if (!core_kernel_text(whole) && !is_module_text_address(whole))
		return false;
	pr_err_once("K8 erratum 93: the firmware loses the upper half of RIP; update it\n");
	pf->regs->ip = whole;
	return true;
#else
	return false;
#endif
}

/**
 * quirk_stray_jump - AMD erratum 100: compat code jumped above 4 GiB
 * @pf: the fault
 *
 * 32-bit code cannot form such an address. Going back makes it right.
 *
 * Return: true if the fault is to be ignored.
 */
bool quirk_stray_jump(const struct pf *pf)
{
#ifdef CONFIG_X86_64
	const u16 in_ldt = 4;

	return pf->address > U32_MAX &&
	       (pf->regs->cs == __USER32_CS || (pf->regs->cs & in_ldt));
#else
	return false;
#endif
}

/**
 * quirk_f00f - Pentium erratum: LOCK CMPXCHG8B with a register operand hangs
 * @pf: a fault in the kernel's half
 *
 * The work-around keeps the IDT read-only, so that the bad instruction faults
 * on it; what user mode must get is the invalid-opcode exception.
 *
 * Return: true if the exception has been delivered.
 */
bool quirk_f00f(const struct pf *pf)
{
#ifdef CONFIG_X86_F00F_BUG
	if (boot_cpu_has_bug(X86_BUG_F00F) && !(pf->code & X86_PF_USER) &&
	    idt_is_f00f_address(pf->address)) {
		handle_invalid_op(pf->regs);
		return true;
	}
#endif
	return false;
}
