// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the speed measure that are about small processes: this program
 * with next to no memory of its own. Parent and child are scheduled as the
 * kernel likes, and a figure is all that both do.
 */
#include <unistd.h>

#include "speed.h"

static char *const exit_args[] = { "speed", "exit", NULL };
static char *const no_env[] = { NULL };

/* fork(), the child's _exit(), and the wait for it. */
static void fork_exit_wait(const struct row *r, double *cost)
{
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		speed_reap(pid);
	}
	cost[0] = speed_each(0, t, r->n);
}

/* The same with a new program between: this one, told to end at once. */
static void fork_exec(const struct row *r, double *cost)
{
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++) {
		pid_t pid = fork();

		if (!pid) {
			execve("/proc/self/exe", exit_args, no_env);
			_exit(1);
		}
		speed_reap(pid);
	}
	cost[0] = speed_each(0, t, r->n);
}

static pid_t spawn(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execve("/proc/self/exe", exit_args, no_env);
		_exit(1);
	}
	return pid;
}

static void vfork_exec(const struct row *r, double *cost)
{
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++)
		speed_reap(spawn());
	cost[0] = speed_each(0, t, r->n);
}

/* A byte to another process and back. */
static void pipe_pingpong(const struct row *r, double *cost)
{
	int to[2], from[2];
	unsigned long long t;
	pid_t pid;
	char c = 0;

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
	t = speed_start(0);
	for (unsigned long i = 0; i < r->n; i++) {
		if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
			speed_die("ping-pong");
	}
	cost[0] = speed_each(0, t, r->n);
	close(to[1]);
	close(from[0]);
	speed_reap(pid);
}

const struct row process_rows[] = {
	{ fork_exit_wait, 1000, .figure = {
		{ "fork_small", "fork + exit + wait, small process" } } },
	{ fork_exec, 500, .figure = {
		{ "fork_exec", "fork + exec + exit" } } },
	{ vfork_exec, 500, .figure = {
		{ "vfork_exec", "vfork + exec + exit" } } },
	{ pipe_pingpong, 5000, .figure = {
		{ "pipe_pingpong", "pipe ping-pong" } } },
	{ NULL },
};
