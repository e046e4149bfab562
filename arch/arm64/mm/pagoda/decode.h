/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the syndrome of an abort means (Arm ARM, "ESR_EL1, Exception Syndrome
 * Register"), as pure functions that KUnit drives through every code.
 */
#ifndef _ARM64_PAGODA_DECODE_H
#define _ARM64_PAGODA_DECODE_H

#include <linux/pagoda_fault.h>
#include <asm/esr.h>

/* What kind of thing went wrong. */
enum abort_kind {
	ABORT_TRANSLATION,	/* no valid entry */
	ABORT_ACCESS,		/* an entry, whose access flag is clear */
	ABORT_PERMISSION,	/* an entry that forbids it */
	ABORT_EXTERNAL,		/* memory answered with an error */
	ABORT_EXTERNAL_WALK,	/* so it did to the table walk */
	ABORT_TAG,		/* the pointer's tag is not the memory's */
	ABORT_ALIGNMENT,
	ABORT_EXCLUSIVE,	/* not an address for exclusive access */
	ABORT_OTHER,
};

/**
 * abort_kind - what kind of abort is it?
 * @esr: the syndrome
 *
 * Return: the kind that its fault status code is of.
 */
static inline enum abort_kind abort_kind(unsigned long esr)
{
	switch (esr & ESR_ELx_FSC) {
	case 0x04 ... 0x07: case 0x2b:
		return ABORT_TRANSLATION;
	case 0x08 ... 0x0b:
		return ABORT_ACCESS;
	case 0x0c ... 0x0f:
		return ABORT_PERMISSION;
	case 0x10: case 0x18:
		return ABORT_EXTERNAL;
	case 0x13 ... 0x17: case 0x1b ... 0x1f:
		return ABORT_EXTERNAL_WALK;
	case 0x11:
		return ABORT_TAG;
	case 0x21:
		return ABORT_ALIGNMENT;
	case 0x35:
		return ABORT_EXCLUSIVE;
	default:
		return ABORT_OTHER;
	}
}

/**
 * abort_name - what people read of an abort
 * @kind: its kind
 *
 * Return: a word or two.
 */
static inline const char *abort_name(enum abort_kind kind)
{
	static const char * const names[] = {
		[ABORT_TRANSLATION] = "translation fault",
		[ABORT_ACCESS] = "access flag fault",
		[ABORT_PERMISSION] = "permission fault",
		[ABORT_EXTERNAL] = "synchronous external abort",
		[ABORT_EXTERNAL_WALK] = "external abort of a table walk",
		[ABORT_TAG] = "tag check fault",
		[ABORT_ALIGNMENT] = "alignment fault",
		[ABORT_EXCLUSIVE] = "unsupported exclusive access",
		[ABORT_OTHER] = "unknown abort",
	};

	return names[kind];
}

static inline bool abort_is_fetch(unsigned long esr)
{
	unsigned long class = ESR_ELx_EC(esr);

	return class == ESR_ELx_EC_IABT_LOW || class == ESR_ELx_EC_IABT_CUR;
}

/**
 * abort_is_write - was it a write?
 * @esr: the syndrome
 *
 * Cache maintenance reports itself as one, but needs no right to write.
 */
static inline bool abort_is_write(unsigned long esr)
{
	return !abort_is_fetch(esr) &&
	       (esr & (ESR_ELx_WNR | ESR_ELx_CM)) == ESR_ELx_WNR;
}

/**
 * pf_flags - what the generic core must know of an access
 * @esr: the syndrome
 * @user_mode: it comes from EL0
 *
 * Return: FAULT_FLAG_*.
 */
static inline unsigned int pf_flags(unsigned long esr, bool user_mode)
{
	unsigned int flags = FAULT_FLAG_DEFAULT;

	if (user_mode) {
		flags |= FAULT_FLAG_USER;
		if (abort_is_fetch(esr))
			flags |= FAULT_FLAG_INSTRUCTION;
	}
	if (abort_is_write(esr))
		flags |= FAULT_FLAG_WRITE;
	return flags;
}

/**
 * pf_verdict - does the area allow the access that faulted?
 * @flags: from pf_flags()
 * @vm_flags: the area's flags
 * @exec_reads: what can be executed can be read: there is no EPAN
 *
 * Return: PF_END_DONE if it is to be served, else how it is refused.
 */
static inline enum pf_end pf_verdict(unsigned int flags, vm_flags_t vm_flags,
				     bool exec_reads)
{
	vm_flags_t any = VM_READ | VM_WRITE;

	if (flags & FAULT_FLAG_INSTRUCTION)
		any = VM_EXEC;
	else if (flags & FAULT_FLAG_WRITE)
		any = VM_WRITE;
	else if (exec_reads)
		any |= VM_EXEC;
	return vm_flags & any ? PF_END_DONE : PF_END_ACCERR;
}

/**
 * pf_shown_esr - the syndrome that a signal frame may carry
 * @esr: the syndrome
 * @kernel_half: the address is not one of TTBR0
 *
 * Whether the kernel has something mapped is not user mode's to know: there
 * every fault looks like a level-0 translation fault, with what the instruction
 * itself tells and nothing else.
 *
 * Return: the value; 0 for none.
 */
static inline unsigned long pf_shown_esr(unsigned long esr, bool kernel_half)
{
	unsigned long keep = ESR_ELx_EC_MASK | ESR_ELx_IL;

	if (!kernel_half)
		return esr;
	switch (ESR_ELx_EC(esr)) {
	case ESR_ELx_EC_DABT_LOW:
		keep |= ESR_ELx_CM | ESR_ELx_WNR;
		break;
	case ESR_ELx_EC_IABT_LOW:
		break;
	default:
		return 0;
	}
	return (esr & keep) | ESR_ELx_FSC_FAULT;
}

#endif /* _ARM64_PAGODA_DECODE_H */
