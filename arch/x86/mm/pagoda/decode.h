/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a page fault's error code means (Intel SDM vol. 3A, 4.7; AMD APM
 * vol. 2, 8.4.2), as pure functions that KUnit drives through every code.
 */
#ifndef _X86_PAGODA_DECODE_H
#define _X86_PAGODA_DECODE_H

#include <linux/pagoda_fault.h>
#include <asm/trap_pf.h>

/* Which part of the handler a fault belongs to. */
enum pf_route {
	PF_ROUTE_KERNEL,	/* address in the kernel's half */
	PF_ROUTE_KERNEL_EXEC,	/* the kernel ran into user memory */
	PF_ROUTE_CORRUPTED,	/* reserved bits set in a user entry */
	PF_ROUTE_SMAP,		/* kernel access outside stac()/clac() */
	PF_ROUTE_USER,		/* user memory, to be served by area */
};

/**
 * pf_route - where does a fault go?
 * @code: the hardware's error code
 * @kernel_half: the address is one that user mode never has
 * @smap_armed: SMAP is on and EFLAGS.AC was clear
 *
 * The user bit of @code is the hardware's: set for what user mode does and
 * for WRUSS, clear for kernel code and for accesses the CPU makes on its own
 * behalf (descriptor tables, say) while in user mode. SMAP follows that bit,
 * not the mode (SDM vol. 3A, 4.6.1).
 *
 * Return: the part of the handler that it belongs to.
 */
static inline enum pf_route pf_route(unsigned long code, bool kernel_half,
				     bool smap_armed)
{
	bool by_kernel = !(code & X86_PF_USER);

	if (kernel_half)
		return PF_ROUTE_KERNEL;
	if (by_kernel && (code & X86_PF_INSTR))
		return PF_ROUTE_KERNEL_EXEC;
	if (code & X86_PF_RSVD)
		return PF_ROUTE_CORRUPTED;
	if (by_kernel && smap_armed)
		return PF_ROUTE_SMAP;
	return PF_ROUTE_USER;
}

/**
 * pf_flags - what the generic core must know of an access
 * @code: the hardware's error code
 * @user_mode: the registers are those of user mode, whatever @code says
 *
 * A shadow-stack access counts as a write: entries of shadow stacks cannot be
 * read-only, so the page must be made private before it is mapped.
 *
 * Return: FAULT_FLAG_*.
 */
static inline unsigned int pf_flags(unsigned long code, bool user_mode)
{
	unsigned int flags = FAULT_FLAG_DEFAULT;

	if (code & (X86_PF_WRITE | X86_PF_SHSTK))
		flags |= FAULT_FLAG_WRITE;
	if (code & X86_PF_INSTR)
		flags |= FAULT_FLAG_INSTRUCTION;
	if (user_mode)
		flags |= FAULT_FLAG_USER;
	return flags;
}

/**
 * pf_verdict - does the area allow the access that faulted?
 * @code: the hardware's error code
 * @vm_flags: the area's flags
 * @key_allows: the area's protection key lets this thread do it
 *
 * A read that failed although something was mapped is refused: x86 cannot
 * map a page that only some reads may see, so no fault-in will cure it.
 *
 * Return: PF_END_DONE if it is to be served, else how it is refused.
 */
static inline enum pf_end pf_verdict(unsigned long code, vm_flags_t vm_flags,
				     bool key_allows)
{
	const bool shadow = vm_flags & VM_SHADOW_STACK;
	bool allowed;

	if ((code & X86_PF_PK) || !key_allows)
		return PF_END_PKUERR;

	if (code & X86_PF_SGX)
		allowed = false;	/* the enclave's contents are gone */
	else if (code & X86_PF_SHSTK)
		allowed = shadow && (vm_flags & VM_WRITE);
	else if (code & X86_PF_WRITE)
		allowed = !shadow && (vm_flags & VM_WRITE);
	else if (code & X86_PF_PROT)
		allowed = false;
	else
		allowed = vm_flags & VM_ACCESS_FLAGS;

	return allowed ? PF_END_DONE : PF_END_ACCERR;
}

/**
 * pf_shown_code - the error code that a signal may carry
 * @code: the hardware's error code
 * @kernel_half: the address is one that user mode never has
 *
 * Whether the kernel has something mapped at an address is not user mode's to
 * know, so in the kernel's half every fault looks like a protection fault.
 *
 * Return: the code to show.
 */
static inline unsigned long pf_shown_code(unsigned long code, bool kernel_half)
{
	return code | X86_PF_USER | (kernel_half ? X86_PF_PROT : 0);
}

/**
 * pf_may_be_stale - can a TLB entry with too few rights explain the fault?
 * @code: the hardware's error code of a fault in the kernel's half
 *
 * Kernel entries may gain rights without a flush (SDM vol. 3A, 4.10.4.3).
 * Only a supervisor's write or fetch, to something present, can meet that.
 *
 * Return: true if it is worth looking at the tables.
 */
static inline bool pf_may_be_stale(unsigned long code)
{
	return code == (X86_PF_PROT | X86_PF_WRITE) ||
	       code == (X86_PF_PROT | X86_PF_INSTR);
}

/**
 * insn_is_prefetch - do these bytes begin with a data prefetch?
 * @insn: instruction bytes
 * @len: how many of them are known, at most 15
 * @long_mode: 0x40 to 0x4f are REX prefixes
 *
 * Return: true for any run of legal prefixes followed by 0F 0D or 0F 18.
 */
static inline bool insn_is_prefetch(const u8 *insn, unsigned int len,
				    bool long_mode)
{
	unsigned int i;

	for (i = 0; i < len; i++) {
		switch (insn[i]) {
		case 0x26: case 0x2e: case 0x36: case 0x3e:	/* segments */
		case 0x64 ... 0x67:		/* fs, gs, operand, address */
		case 0xf0: case 0xf2: case 0xf3:	/* lock, repeat */
			continue;
		case 0x40 ... 0x4f:
			if (long_mode)
				continue;
			return false;
		case 0x0f:
			return i + 1 < len &&
			       (insn[i + 1] == 0x0d || insn[i + 1] == 0x18);
		default:
			return false;
		}
	}
	return false;
}

#endif /* _X86_PAGODA_DECODE_H */
