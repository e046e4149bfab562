// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the speed measure that are about fork() of a process with memory.
 *
 * With one processor, who runs when decides what a clock counts. The parent
 * runs at real-time priority around fork(), so it returns from it before the
 * child has run at all: "fork" is the parent's call alone. Times that a child
 * takes reach the parent through a shared page, the board, which the child has
 * faulted in before it takes them.
 */
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "speed.h"

struct board {
	unsigned long long last;	/* the child's last look at the clock */
	double cost[FIGURES];
};

static struct board *board(void)
{
	static struct board *b;

	if (!b) {
		b = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
		if (b == MAP_FAILED)
			speed_die("mmap of a shared page");
	}
	return b;
}

/* Real-time priority for the caller, not for its children; or the usual one. */
static void run_first(bool on)
{
	struct sched_param param = { .sched_priority = on ? 1 : 0 };

	if (sched_setscheduler(0, on ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER, &param))
		speed_die("sched_setscheduler");
}

/*
 * cost[0]: from before fork() in the parent to after it, there: figure @k.
 * cost[1]: from the child's last look at the clock, through _exit() and its
 * whole address space going, to the parent's return from waitpid(): the next.
 */
static void fork_and_exit(int k, double *cost)
{
	struct board *b = board();
	unsigned long long t;
	pid_t pid;

	run_first(true);
	t = speed_start(k);
	pid = fork();
	if (!pid) {
		b->last = now_ns();	/* faults, so */
		b->last = speed_start(k + 1);	/* again */
		_exit(0);
	}
	cost[0] = speed_each(k, t, 1);
	speed_reap(pid);
	cost[1] = speed_each(k + 1, b->last, 1);
	run_first(false);
}

/* cost[2]: the same fork again, when the first child has gone. */
static void fork_touched(const struct row *r, double *cost)
{
	char *p = r->mib ? speed_touched(r->mib * MIB) : NULL;
	double again[2];

	fork_and_exit(0, cost);
	fork_and_exit(2, again);
	cost[2] = again[0];
	if (p)
		munmap(p, r->mib * MIB);
}

#if __SIZEOF_LONG__ == 8
/* @mib of address space, of which @n pages far from each other are there. */
static void fork_sparse(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		speed_die("mmap with MAP_NORESERVE");
	for (unsigned long i = 0; i < r->n; i++)
		touch(p + i * (len / r->n));
	fork_and_exit(0, cost);
	munmap(p, len);
}
#endif

/* From before fork() to after waitpid(); between them the child writes to every page. */
static void fork_write_exit(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	char *p = speed_touched(len);
	unsigned long long t = speed_start(0);
	pid_t pid = fork();

	if (!pid) {
		touch_pages(p, len / page_size());
		_exit(0);
	}
	speed_reap(pid);
	cost[0] = speed_each(0, t, 1);
	munmap(p, len);
}

/*
 * The first write to shared memory, in its middle, and then a write to every
 * page, in order, the first included; a page's share of all those writes.
 */
static void write_all(char *p, size_t len, double *cost)
{
	const unsigned long pages = len / page_size();
	unsigned long long t;

	speed_start(1);
	t = speed_start(0);
	touch(p + len / 2);
	cost[0] = speed_each(0, t, 1);
	touch_pages(p, pages);
	cost[1] = speed_each(1, t, pages);
}

/* The child writes; the parent waits. */
static void write_by_child(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	char *p = speed_touched(len);
	struct board *b = board();
	pid_t pid = fork();

	if (!pid) {
		b->last = now_ns();
		write_all(p, len, b->cost);
		_exit(0);
	}
	speed_reap(pid);
	cost[0] = b->cost[0];
	cost[1] = b->cost[1];
	munmap(p, len);
}

/* The child reads every page; a page's share. */
static void read_by_child(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	char *p = speed_touched(len);
	struct board *b = board();
	pid_t pid = fork();

	if (!pid) {
		b->last = now_ns();
		b->last = speed_start(0);
		look_pages(p, len / page_size());
		b->cost[0] = speed_each(0, b->last, len / page_size());
		_exit(0);
	}
	speed_reap(pid);
	cost[0] = b->cost[0];
	munmap(p, len);
}

/* Children that have run, and wait until they are told to end. */
struct waiting {
	int ready[2];
	int hold[2];
};

static void waiting_start(struct waiting *w)
{
	if (pipe(w->ready) || pipe(w->hold))
		speed_die("pipe");
}

static pid_t waiting_child(struct waiting *w)
{
	pid_t pid = fork();
	char c = 0;

	if (!pid) {
		close(w->hold[1]);
		if (write(w->ready[1], &c, 1) != 1)
			_exit(1);
		_exit(read(w->hold[0], &c, 1) ? 1 : 0);
	}
	if (pid < 0)
		speed_die("fork");
	if (read(w->ready[0], &c, 1) != 1)
		speed_die("a child did not start");
	return pid;
}

static void waiting_end(struct waiting *w)
{
	close(w->ready[0]);
	close(w->ready[1]);
	close(w->hold[0]);
	close(w->hold[1]);
}

/* The parent writes while a child that has run sleeps; the child's end is not counted. */
static void write_by_parent(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	char *p = speed_touched(len);
	struct waiting w;
	pid_t pid;

	waiting_start(&w);
	pid = waiting_child(&w);
	write_all(p, len, cost);
	waiting_end(&w);
	speed_reap(pid);
	munmap(p, len);
}

/* The parent writes after its only child has gone. */
static void write_alone(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	char *p = speed_touched(len);
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	speed_reap(pid);
	write_all(p, len, cost);
	munmap(p, len);
}

/* Bytes of page tables on the machine. */
static double table_bytes(void)
{
	/* Writing here adds up what each processor counts for itself. */
	if (write_text("/proc/sys/vm/stat_refresh", "1"))
		speed_die("/proc/sys/vm/stat_refresh");
	return field_kib("/proc/meminfo", "PageTables") * (double)KIB;
}

/*
 * cost[0]: by how much a parent with @mib touched and its @n children that
 * sleep raise PageTables of /proc/meminfo: what is really used, a table that
 * several share counted once.
 * cost[1]: VmPTE of the parent and each child, summed.
 */
static void tables_alive(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	double before = table_bytes(), sum;
	char *p = speed_touched(len);
	pid_t pid[100];
	struct waiting w;

	waiting_start(&w);
	for (unsigned long i = 0; i < r->n; i++)
		pid[i] = waiting_child(&w);
	cost[0] = table_bytes() - before;
	sum = status_field(0, "VmPTE");
	for (unsigned long i = 0; i < r->n; i++)
		sum += status_field(pid[i], "VmPTE");
	cost[1] = sum * KIB;
	waiting_end(&w);
	for (unsigned long i = 0; i < r->n; i++)
		speed_reap(pid[i]);
	munmap(p, len);
}

#define FORK_TOUCHED(size, times)						\
	{ fork_touched, 1, .mib = size, .repeats = times, .figure = {		\
		{ "fork_" #size "m", "fork, " #size " MiB touched" },		\
		{ "exit_" #size "m", "child exit + wait, " #size " MiB touched" }, \
		{ "again_" #size "m", "the next fork, " #size " MiB touched" } } }

/* As much as a process can have, and the machine has for a child too. */
#if __SIZEOF_LONG__ == 8
#define MUCH	1024
#define MUCH_IN_WORDS	"1 GiB"
#else
#define MUCH	512
#define MUCH_IN_WORDS	"512 MiB"
#endif
#define FORK_MUCH(size, times)	FORK_TOUCHED(size, times)

#define TABLES_ALIVE(count)							\
	{ tables_alive, count, .mib = 64, .repeats = 2, .unit = "bytes",		\
	  .figure = {								\
		{ "tables_" #count, "page tables in use, 64 MiB, children: " #count }, \
		{ "vmpte_" #count, "sum of VmPTE, children: " #count } } }

const struct row fork_rows[] = {
	FORK_TOUCHED(0, 5),
	FORK_TOUCHED(1, 5),
	FORK_TOUCHED(16, 5),
	FORK_TOUCHED(64, 3),
	FORK_TOUCHED(256, 3),
	FORK_MUCH(MUCH, 3),
#if __SIZEOF_LONG__ == 8
	{ fork_sparse, 4096, .mib = 65536, .repeats = 3, .figure = {
		{ "fork_64g", "fork, 64 GiB mapped, 4096 pages touched" },
		{ "exit_64g", "child exit + wait, the same" } } },
#endif
	{ fork_write_exit, 1, .mib = 16, .figure = {
		{ "whole_16m", "fork + write every page + exit, 16 MiB" } } },
	{ fork_write_exit, 1, .mib = 256, .repeats = 3, .figure = {
		{ "whole_256m", "fork + write every page + exit, 256 MiB" } } },
	{ write_by_child, 1, .mib = 64, .repeats = 3, .figure = {
		{ "first_by_child", "first write after fork, child" },
		{ "write_by_child", "write of every page, child, a page" } } },
	{ write_by_child, 1, .mib = MUCH, .repeats = 2, .figure = {
		{ "first_by_child_1g", "first write after fork, child, " MUCH_IN_WORDS },
		{ "write_by_child_1g",
		  "write of every page, child, " MUCH_IN_WORDS ", a page" } } },
	{ write_by_parent, 1, .mib = 64, .repeats = 3, .figure = {
		{ "first_by_parent", "first write after fork, parent" },
		{ "write_by_parent", "write of every page, parent, a page" } } },
	{ write_alone, 1, .mib = 64, .repeats = 3, .figure = {
		{ "first_alone", "first write, parent, child gone" },
		{ "write_alone", "write of every page, child gone, a page" } } },
	{ read_by_child, 1, .mib = 64, .repeats = 3, .figure = {
		{ "read_by_child", "read of every page, child, a page" } } },
	TABLES_ALIVE(1),
	TABLES_ALIVE(10),
	TABLES_ALIVE(100),
	{ NULL },
};
