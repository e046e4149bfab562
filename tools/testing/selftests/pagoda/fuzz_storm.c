// SPDX-License-Identifier: GPL-2.0
/*
 * A storm: all threads of all processes play at once.
 *
 * A thread plays in windows of its own, so it can say what it must find there
 * whatever the others do. A child of fork has the windows of the thread that
 * forked; the others are in it too, as they were at some moment, and stay
 * untouched. Its file is its own: what the parent's file was mapped to goes.
 *
 * In each process an onlooker reads anywhere in the windows, and in another
 * process of the storm, with no idea of what must be there but that any word
 * is zero or was written to that place of a page. Some children are killed at
 * whatever they are doing.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "fuzz.h"

#define CROWD		10		/* processes alive at once */
#define SECONDS		3
#define MAX_THREADS	3

struct world {
	struct model m;
	unsigned long file[FILE_PAGES];
};

struct lane {
	struct ctx c;
	struct draw d;
	unsigned int windows;
	int ops, depth;
	pid_t doomed;			/* a child to be killed */
};

static atomic_bool over;		/* the lanes of this process are done */

static void play_process(struct world *world, unsigned int windows, unsigned long long seed,
			 int ops, int depth, bool doomed);

static struct world *new_world(void)
{
	struct world *w = mmap(NULL, sizeof(*w), RW, SHARED_ANON, -1, 0);

	return w == MAP_FAILED ? NULL : w;
}

/* Begin a child: without what came from the parent's file. */
static void shed_files(struct world *world, unsigned int windows)
{
	memset(world->file, 0, sizeof(world->file));
	for (int w = 0; w < WINDOWS; w++) {
		for (int i = 0; i < window[w].pages && windows & 1 << w; i++) {
			struct page *p = &world->m.page[window[w].first + i];

			if (p->kind != SHARED && p->kind != PRIVATE)
				continue;
			if (munmap(address(w, i), PG))
				fail(NULL, -1, "munmap: %s", strerror(errno));
			memset(p, 0, sizeof(*p));
		}
	}
}

static void storm_fork(struct lane *l)
{
	unsigned long long seed = l->d.rnd ^ rnd(&l->d, 1 << 30);
	int ops = 20 + rnd(&l->d, 200);
	bool doomed = !l->doomed && !rnd(&l->d, 3);
	struct world *world;
	pid_t pid;

	if (l->doomed && !rnd(&l->d, 3)) {
		kill(l->doomed, SIGKILL);
		l->doomed = 0;
	}
	if (l->depth > 12 || __atomic_load_n(&S->born, __ATOMIC_RELAXED) -
			     __atomic_load_n(&S->finished, __ATOMIC_RELAXED) >= CROWD)
		return;
	world = new_world();
	if (!world) {
		fail(NULL, -1, "no memory for a model");
		return;
	}
	copy_model(&world->m, l->c.m);
	pid = fork();
	if (!pid) {
		/* Not by the parent, which may be killed in its fork. */
		if (!doomed)
			__atomic_add_fetch(&S->born, 1, __ATOMIC_SEQ_CST);
		close(l->c.fd);
		shed_files(world, l->windows);
		play_process(world, l->windows, seed, ops, l->depth + 1, doomed);
	}
	if (pid < 0)
		fail(NULL, -1, "fork: %s", strerror(errno));
	if (doomed)
		l->doomed = pid;
	munmap(world, sizeof(*world));
}

static void *play_lane(void *arg)
{
	struct lane *l = arg;
	struct op op;

	/* The first process begins with windows full of pages. */
	for (int w = 0; w < WINDOWS && !l->depth; w++) {
		op = (struct op){ .kind = OP_MAP, .how = ANON, .prot = RW, .w = w,
				  .n = window[w].pages, .step = 1 };
		if (!(l->windows & 1 << w))
			continue;
		do_call(&l->c, &op);
		op.kind = OP_WRITE;
		do_call(&l->c, &op);
	}
	for (int i = 0; i < l->ops && !S->failed && now_ns() < S->deadline; i++) {
		draw_op(&l->d, &op);
		l->c.op = &op;
		if (op.kind == OP_FORK)
			storm_fork(l);
		else if (op.kind == OP_CHECK || op.kind == OP_EXIT)
			check_windows(&l->c, l->windows);
		else
			do_call(&l->c, &op);
		if (S->failed)
			break;
		__atomic_add_fetch(&S->ops, 1, __ATOMIC_RELAXED);
	}
	check_windows(&l->c, l->windows);
	if (l->doomed > 0)
		kill(l->doomed, SIGKILL);
	return NULL;
}

/* Words that were never written to where they are read. */
static void *look_on(void *arg)
{
	struct draw *d = arg;
	unsigned long v[PLACES];

	while (!over && !S->failed) {
		int w = rnd(d, WINDOWS), at = rnd(d, window[w].pages), how;
		pid_t pid = rnd(d, 4) ? 0 : S->pid[rnd(d, SLOTS)];

		if (pid)
			how = read_of(pid, address(w, at), v);
		else
			how = look(address(w, at), v);
		if (how)
			usleep(500);
		for (int k = 0; k < PLACES && !how; k++) {
			if (v[k] && (v[k] & 15) != k)
				fail(NULL, window[w].first + at, "at %d somebody reads %lx",
				     places[k], v[k]);
		}
	}
	return NULL;
}

/* Play in a process, with as many threads as it has windows for; it ends. */
static void play_process(struct world *world, unsigned int windows, unsigned long long seed,
			 int ops, int depth, bool doomed)
{
	struct lane lane[MAX_THREADS];
	struct draw looking;
	pthread_t t[MAX_THREADS], onlooker;
	int threads = __builtin_popcount(windows), n = 0, fd;

	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, FILE_PAGES * PG))
		fail(NULL, -1, "no file: %s", strerror(errno));
	for (int i = 0; i < threads; i++) {
		struct lane *l = &lane[i];

		memset(l, 0, sizeof(*l));
		l->c = (struct ctx){ &world->m, world->file, fd, depth, true };
		draw_start(&l->d, seed + i, true);
		l->ops = ops;
		l->depth = depth;
	}
	for (int w = 0; w < WINDOWS; w++) {
		if (windows & 1 << w)
			lane[n++ % threads].windows |= 1 << w;
	}
	for (int i = 0; i < threads; i++) {
		lane[i].d.windows = lane[i].windows;
		if (i && pthread_create(&t[i], NULL, play_lane, &lane[i]))
			fail(NULL, -1, "no thread");
	}
	draw_start(&looking, seed ^ 0xfeed, true);
	over = false;
	S->pid[looking.rnd % SLOTS] = getpid();
	if (pthread_create(&onlooker, NULL, look_on, &looking))
		fail(NULL, -1, "no thread");
	play_lane(&lane[0]);
	for (int i = 1; i < threads && !S->failed; i++)
		pthread_join(t[i], NULL);
	over = true;
	pthread_join(onlooker, NULL);
	if (!doomed)
		__atomic_add_fetch(&S->finished, 1, __ATOMIC_SEQ_CST);
	_exit(0);
}

/**
 * play_storm() - play a storm that begins with one process
 * @seed:	from which each thread's and child's own follows
 *
 * Returns when all processes have ended; the outcome is in @S.
 */
void play_storm(unsigned long seed)
{
	unsigned long long end = now_ns() + SECONDS * 1000000000ULL;
	struct world *world = new_world();
	char line[200];
	pid_t pid;

	if (!world) {
		fail(NULL, -1, "no memory for a model");
		return;
	}
	if (end < S->deadline)
		S->deadline = end;
	S->born = 1;
	pid = fork();
	if (!pid)
		play_process(world, (1 << WINDOWS) - 1, seed, 1 << 20, 0, false);
	/* Orphans come here; none is left to wait for when it says ECHILD. */
	while (pid > 0 && (waitpid(-1, NULL, 0) > 0 || errno != ECHILD))
		;
	if (S->born != S->finished)
		fail(NULL, -1, "%d of %d processes died", S->born - S->finished, S->born);
	if (kernel_complained(line, sizeof(line)))
		fail(NULL, -1, "the kernel says: %s", line);
}
