// SPDX-License-Identifier: GPL-2.0
/*
 * The table: processes.
 */
#include "nommu.h"

static char child_stack[4096] __aligned(16);

#define STACK_TOP (child_stack + sizeof(child_stack))

static long fork_is_refused(void)
{
#ifdef __riscv
	return 0;	/* there is no such call: a libc would make it of clone() */
#else
	return must_be(call(NR_fork), -EINVAL);
#endif
}

static int child_writes(void *arg)
{
	*(volatile long *)arg = 42;
	return 7;
}

static long vfork_shares(void)
{
	volatile long word = 0;
	long pid = spawn(child_writes, (void *)&word, STACK_TOP);

	if (pid <= 0)
		return pid ? pid : 1;
	return wait_for(pid) == 7 && word == 42 ? 0 : 1;
}

static int child_runs(void *arg)
{
	static char *argv[] = { "nommu_test", "exit", 0 };
	static char *envp[] = { 0 };

	call(NR_execve, "/tests/nommu_test", argv, envp);
	return *(int *)arg;
}

static long exec_works(void)
{
	int refused = 99;
	long pid = spawn(child_runs, &refused, STACK_TOP);
	int status;

	if (pid <= 0)
		return pid ? pid : 1;
	status = wait_for(pid);
	return status == 33 ? 0 : status;
}

/* What a child has mapped goes with it; the parent's memory does not. */
static long exit_frees_its_own(void)
{
	long at = map(4, PROT_RW, MAP_ANON);
	int round;

	*(long *)at = 1;
	for (round = 0; round < 20; round++) {
		long err = exec_works();

		if (err)
			return err;
	}
	return *(long *)at == 1 ? call(NR_munmap, at, 4 * page_size) : 1;
}

const struct row rows_process[] = {
	{ "fork", "EINVAL, or no such call (riscv)", fork_is_refused },
	{ "vfork, clone with CLONE_VM", "work: one memory for both",
	  vfork_shares },
	{ "execve", "works: a program that can lie anywhere", exec_works },
	{ "exit", "gives back what the program had", exit_frees_its_own },
	{ }
};
