/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the cause of a page fault means (RISC-V privileged architecture,
 * "Supervisor cause register"), as pure functions that KUnit drives.
 */
#ifndef _RISCV_PAGODA_DECODE_H
#define _RISCV_PAGODA_DECODE_H

#include <linux/mm.h>
#include <asm/csr.h>

/* How a fault ends. All but PF_END_AGAIN leave no lock held. */
enum pf_end {
	PF_END_DONE,	/* served, or harmless: run the instruction again */
	PF_END_AGAIN,	/* the lock was dropped: find the area anew */
	PF_END_SIGNAL,	/* a signal is pending and comes first */
	PF_END_MAPERR,	/* nothing is mapped there */
	PF_END_ACCERR,	/* the area forbids it */
	PF_END_BUS,	/* past the end of the file, or an I/O error */
	PF_END_OOM,	/* no memory for the page */
};

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

/**
 * pf_result - what the generic core's answer means for the faulting context
 * @fault: VM_FAULT_* without VM_FAULT_RETRY and VM_FAULT_COMPLETED
 *
 * Return: how the fault ends.
 */
static inline enum pf_end pf_result(vm_fault_t fault)
{
	const vm_fault_t bus = VM_FAULT_SIGBUS | VM_FAULT_HWPOISON |
			       VM_FAULT_HWPOISON_LARGE;

	if (likely(!(fault & VM_FAULT_ERROR)))
		return PF_END_DONE;
	if (fault & VM_FAULT_OOM)
		return PF_END_OOM;
	return fault & bus ? PF_END_BUS : PF_END_MAPERR;
}

#endif /* _RISCV_PAGODA_DECODE_H */
