/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the cause of a page fault means (RISC-V privileged architecture,
 * "Supervisor cause register"), as pure functions that KUnit drives.
 */
#ifndef _RISCV_PAGODA_DECODE_H
#define _RISCV_PAGODA_DECODE_H

#include <linux/pagoda_fault.h>
#include <asm/csr.h>

/**
 * pf_flags - what the generic core must know of an access
 * @cause: of the exception
 * @user_mode: it comes from user mode
 *
 * Return: FAULT_FLAG_*.
 */
static inline unsigned int pf_flags(unsigned long cause, bool user_mode)
{
	unsigned int flags = FAULT_FLAG_DEFAULT;

	if (cause == EXC_STORE_PAGE_FAULT)
		flags |= FAULT_FLAG_WRITE;
	if (cause == EXC_INST_PAGE_FAULT)
		flags |= FAULT_FLAG_INSTRUCTION;
	if (user_mode)
		flags |= FAULT_FLAG_USER;
	return flags;
}

/**
 * pf_verdict - does the area allow the access that faulted?
 * @cause: of the exception
 * @vm_flags: the area's flags
 *
 * A leaf that can be written but not read is reserved, so who may write may
 * read.
 *
 * Return: PF_END_DONE if it is to be served, else how it is refused.
 */
static inline enum pf_end pf_verdict(unsigned long cause, vm_flags_t vm_flags)
{
	vm_flags_t any = VM_READ | VM_WRITE;

	if (cause == EXC_STORE_PAGE_FAULT)
		any = VM_WRITE;
	else if (cause == EXC_INST_PAGE_FAULT)
		any = VM_EXEC;
	return vm_flags & any ? PF_END_DONE : PF_END_ACCERR;
}

#endif /* _RISCV_PAGODA_DECODE_H */
