// SPDX-License-Identifier: GPL-2.0
/*
 * Step 8: fork latency against mapped size.
 *
 * For each size the memory is written, so that every page has a frame, and the
 * process forks several times; the fastest counts, as the others were
 * disturbed. The child checks a few bytes before it exits.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tour.h"

#define RUNS	5

static const size_t sizes[] = { 0, 1, 4, 16, 64, 256, 1024 };

struct cost {
	unsigned long long fork;
	unsigned long long gone;
	unsigned long long copy;
};

/* One fork; false when the child did not find its memory. */
static bool one_fork(char *p, size_t len, struct cost *c)
{
	unsigned long long t0, t1, t2, t3;
	int status;
	pid_t pid;

	t0 = now_ns();
	pid = fork();
	if (!pid) {
		for (size_t at = 0; at < len; at += len / 8) {
			if (peek(p + at) != (char)(at / page_size() % 100 + 1))
				_exit(1);
		}
		_exit(0);
	}
	t1 = now_ns();
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		give_up("fork with %zu MiB: %s", (size_t)(len / MIB), strerror(errno));
	t2 = now_ns();
	if (len)
		poke(p, peek(p));
	t3 = now_ns();
	if (t1 - t0 < c->fork)
		c->fork = t1 - t0;
	if (t2 - t1 < c->gone)
		c->gone = t2 - t1;
	if (t3 - t2 < c->copy)
		c->copy = t3 - t2;
	return status == 0;
}

void tour_latency(void)
{
	long room = field_kib("/proc/meminfo", "MemAvailable") / 2;
	unsigned long long base = 0;
	bool intact = true, timed = true;
	int rows = 0;

	say("The fastest of %d forks for each size; times in microseconds:", RUNS);
	saw("%8s %10s %12s %14s %12s", "MiB", "pages", "fork", "exit and wait", "ns a page");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct cost c = { -1ULL, -1ULL, -1ULL };
		size_t len = sizes[i] * MIB, pages = len / page_size();
		char *p = NULL;

		if ((long)(len / KIB) > room)
			break;
		if (len) {
			p = fresh(len);
			for (size_t k = 0; k < pages; k++)
				poke(p + k * page_size(), k % 100 + 1);
		}
		for (int r = 0; r < RUNS; r++)
			intact &= one_fork(p, len, &c);
		if (!len)
			base = c.fork;
		timed &= c.fork > 0 && c.gone > 0;
		saw("%8zu %10zu %12.1f %14.1f %12.1f", sizes[i], pages, c.fork / 1e3, c.gone / 1e3,
		    pages && c.fork > base ? (double)(c.fork - base) / pages : 0.0);
		if (len)
			munmap(p, len);
		rows++;
	}
	check(intact, "every child found the memory of its parent");
	check(timed && rows >= 4, "%d sizes measured", rows);
}
