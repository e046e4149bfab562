// SPDX-License-Identifier: GPL-2.0
/*
 * System calls by number, for KUnit.
 *
 * Guarantees: a case reaches the very entry point that a user program's trap
 * reaches, so what it sees is what a program would see. Only the registers
 * that carry arguments are set.
 */
#include <linux/string.h>

#include <asm/ptrace.h>
#include <asm/syscall.h>

#include "umm.h"

#if defined(CONFIG_X86_64)

static long umm_trap(int nr, struct pt_regs *regs, const unsigned long *a)
{
	regs->di = a[0];
	regs->si = a[1];
	regs->dx = a[2];
	regs->r10 = a[3];
	regs->r8 = a[4];
	regs->r9 = a[5];
	return x64_sys_call(regs, nr);
}

#elif defined(CONFIG_X86_32)

static long umm_trap(int nr, struct pt_regs *regs, const unsigned long *a)
{
	regs->bx = a[0];
	regs->cx = a[1];
	regs->dx = a[2];
	regs->si = a[3];
	regs->di = a[4];
	regs->bp = a[5];
	return ia32_sys_call(regs, nr);
}

#elif defined(CONFIG_ARM64)

static long umm_trap(int nr, struct pt_regs *regs, const unsigned long *a)
{
	memcpy(regs->regs, a, 6 * sizeof(*a));
	return sys_call_table[nr](regs);
}

#elif defined(CONFIG_RISCV)

static long umm_trap(int nr, struct pt_regs *regs, const unsigned long *a)
{
	long (*entry)(const struct pt_regs *regs) = sys_call_table[nr];

	regs->orig_a0 = a[0];
	regs->a1 = a[1];
	regs->a2 = a[2];
	regs->a3 = a[3];
	regs->a4 = a[4];
	regs->a5 = a[5];
	return entry(regs);
}

#elif defined(CONFIG_M68K)

static long umm_trap(int nr, struct pt_regs *regs, const unsigned long *a)
{
	/* Arguments are on the stack, as in a call in C. */
	long (*entry)(unsigned long a, unsigned long b, unsigned long c,
		      unsigned long d, unsigned long e, unsigned long f);

	entry = (void *)sys_call_table[nr];
	return entry(a[0], a[1], a[2], a[3], a[4], a[5]);
}

#else
#error "say here how this architecture passes system-call arguments"
#endif

/**
 * umm_call() - make a system call; see umm_sys()
 * @nr: the call's number
 * @args: six arguments
 *
 * Return: what the system call returns.
 */
long umm_call(int nr, const unsigned long *args)
{
	struct pt_regs regs = { };

	return umm_trap(nr, &regs, args);
}
