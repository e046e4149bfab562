// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the speed measure that are about processes.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "speed.h"

static void reap(pid_t pid)
{
	int status;

	if (pid < 0)
		speed_die("fork");
	if (waitpid(pid, &status, 0) != pid || status)
		speed_die("a child failed");
}

static unsigned long long fork_exit_wait(unsigned long n)
{
	unsigned long long t = now_ns();

	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		reap(pid);
	}
	return now_ns() - t;
}

/* The cost a page of forking 16 MiB, and of the child's exit. */
static unsigned long long fork_page(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(n * page);
	unsigned long long t;

	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
	t = fork_exit_wait(1);
	munmap(p, n * page);
	return t;
}

/* A write to a page that a child shares; the child's exit is not counted. */
static unsigned long long cow_copy(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(n * page);
	int hold[2];
	pid_t pid;
	unsigned long long t;

	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
	if (pipe(hold))
		speed_die("pipe");
	pid = fork();
	if (!pid) {
		char c;

		close(hold[1]);
		_exit(read(hold[0], &c, 1) ? 1 : 0);
	}
	t = now_ns();
	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
	t = now_ns() - t;
	close(hold[0]);
	close(hold[1]);
	reap(pid);
	munmap(p, n * page);
	return t;
}

static char *const exit_args[] = { "speed", "exit", NULL };
static char *const no_env[] = { NULL };

static pid_t spawn(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execve("/proc/self/exe", exit_args, no_env);
		_exit(1);
	}
	return pid;
}

static unsigned long long vfork_exec(unsigned long n)
{
	unsigned long long t = now_ns();

	while (n--)
		reap(spawn());
	return now_ns() - t;
}

static unsigned long long fork_exec(unsigned long n)
{
	unsigned long long t = now_ns();

	while (n--) {
		pid_t pid = fork();

		if (!pid) {
			execve("/proc/self/exe", exit_args, no_env);
			_exit(1);
		}
		reap(pid);
	}
	return now_ns() - t;
}

/* A byte to another process and back. */
static unsigned long long pipe_pingpong(unsigned long n)
{
	int to[2], from[2];
	pid_t pid;
	char c = 0;
	unsigned long long t;

	if (pipe(to) || pipe(from))
		speed_die("pipe");
	pid = fork();
	if (!pid) {
		close(to[1]);
		while (read(to[0], &c, 1) == 1 && write(from[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	t = now_ns();
	while (n--) {
		if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
			speed_die("ping-pong");
	}
	t = now_ns() - t;
	close(to[1]);
	close(from[0]);
	reap(pid);
	return t;
}

const struct row process_rows[] = {
	{ "fork_exit_wait", fork_exit_wait, 100 },
	{ "fork_page", fork_page, 4096 },
	{ "cow_copy", cow_copy, 2048 },
	{ "vfork_exec_exit", vfork_exec, 50 },
	{ "fork_exec_exit", fork_exec, 50 },
	{ "pipe_pingpong", pipe_pingpong, 1000 },
	{ NULL, NULL, 0 },
};
