// SPDX-License-Identifier: GPL-2.0
/*
 * The same kinds of attack on page tables that processes share after fork: what
 * one sharer does is never seen by another.
 *
 * The family is a parent, whose memory has a page of each letter, and children
 * that do something to theirs while an onlooker reads everything.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/uio.h>

#include "attacks.h"

#define LEN		(16 * MIB)	/* several tables, shared whole */
#define CHILDREN	3

static char *mem;
static unsigned int *go;	/* 0: wait, 1: run, 2: stop */

static char letter(size_t page)
{
	return 'a' + page % 23;
}

static void make_family_memory(void)
{
	char *p = mmap(NULL, LEN + 2 * MIB, PROT_NONE, PRIVATE_ANON, -1, 0);

	/* Whole tables, and nothing else in them. */
	mem = (char *)(((unsigned long)p + 2 * MIB - 1) & -(2 * MIB));
	munmap(p, LEN + 2 * MIB);
	if (mmap(mem, LEN, RW, PRIVATE_ANON | MAP_FIXED_NOREPLACE, -1, 0) != mem)
		abort();
	for (size_t i = 0; i < LEN / PG; i++)
		memset(mem + i * PG, letter(i), 64);
	go = shared(PG);
}

/* The first page that is not as it was made, from some page on; -1 if all are. */
static long changed(size_t from, size_t step)
{
	for (size_t i = from; i < LEN / PG; i += step) {
		if (!all_are(mem + i * PG, 64, letter(i)) || peek(mem + i * PG + PG - 1))
			return i;
	}
	return -1;
}

static bool going(void)
{
	return __atomic_load_n(go, __ATOMIC_ACQUIRE) != 2;
}

static int onlooker(void *arg)
{
	for (size_t n = 0; going(); n++) {
		if (changed(n % 13, 13) >= 0)
			return 1;
	}
	return changed(0, 1) >= 0;
}

/* Children do it for a while; parent and onlooker must not notice. */
static const char *family(int (*fn)(void *), const char *what, unsigned int ms)
{
	pid_t child[CHILDREN], watch;
	const char *hole = NULL;
	long page;
	int how;

	make_family_memory();
	watch = start(onlooker, NULL);
	for (long i = 0; i < CHILDREN; i++)
		child[i] = start(fn, (void *)i);
	for (unsigned int i = 0; i < ms / 50 && !hole; i++) {
		usleep(50000);
		page = changed(i % 13, 13);
		if (page >= 0)
			hole = finding("%s: page %ld of the parent has changed", what, page);
	}
	tell(go, 2);
	for (int i = 0; i < CHILDREN; i++) {
		how = ended(child[i]);
		if (how && !hole)
			hole = finding("%s: child %d ended with %d", what, i, how);
	}
	how = ended(watch);
	if (how && !hole)
		hole = finding("%s: the onlooker saw it (%d)", what, how);
	page = changed(0, 1);
	if (page >= 0 && !hole)
		hole = finding("%s: page %ld of the parent has changed", what, page);
	munmap(mem, LEN);
	return hole;
}

/* -- forced writes race with dropped pages, in read-only memory -- */

struct own {
	int mem;
	unsigned int n;
};

static char *next(struct own *o)
{
	o->n = o->n * 1103515245 + 12345;
	return mem + (o->n >> 8) % (LEN / PG) * PG;
}

static void force_own(void *arg)
{
	struct own *o = arg;

	pwrite(o->mem, "HOLE", 4, (unsigned long)next(o));
}

static void drop_own(void *arg)
{
	struct own *o = arg;

	madvise(next(o), PG, MADV_DONTNEED);
}

static void drop_table(void *arg)
{
	struct own *o = arg;
	char *p = next(o);

	madvise((char *)((unsigned long)p & -(2 * MIB)), 2 * MIB, MADV_DONTNEED);
	sched_yield();
}

static int forcing(void *arg)
{
	struct own o = { open("/proc/self/mem", O_RDWR), (long)arg * 77 };

	if ((long)arg)
		mprotect(mem, LEN, PROT_READ);
	while (going())
		race(60, &o, force_own, drop_own, (long)arg == 1 ? drop_table : NULL, NULL);
	return 0;
}

const char *sharers_write_through_proc_mem(void)
{
	make_family_memory();
	/* The probe sees a change. */
	poke(mem + 40 * PG, 'H');
	if (changed(0, 1) != 40)
		return finding("the probe sees nothing");
	munmap(mem, LEN);
	return family(forcing, "writes through /proc/self/mem", 350);
}

/* -- pinned by one, written to by another -- */

static int pinning(void *arg)
{
	static char got[4096];
	struct own o = { .n = (long)arg * 99 };
	int fd[2];

	pipe(fd);
	while (going()) {
		char *p = next(&o);
		char was = peek(p);
		struct iovec v = { p, PG };

		if (vmsplice(fd[1], &v, 1, 0) != (ssize_t)PG)
			return 2;
		if (o.n & 0x100)
			madvise(p, PG, MADV_DONTNEED);
		sched_yield();
		if (read(fd[0], got, PG) != (ssize_t)PG || !all_are(got, 64, was))
			return 3;
		/* Every child writes what no other does. */
		memset(next(&o), '0' + (long)arg, 64);
	}
	return 0;
}

/* What each child has is a letter, or zero, or its own digit. */
static int pinning_checked(void *arg)
{
	int how = pinning(arg);

	for (size_t i = 0; !how && i < LEN / PG; i++) {
		char c = peek(mem + i * PG);

		if (c && c != letter(i) && c != '0' + (long)arg)
			how = 4;
	}
	return how;
}

const char *sharers_pin_and_write(void)
{
	return family(pinning_checked, "pins and writes", 350);
}

/* -- areas of one change -- */

static int changing(void *arg)
{
	struct own o = { .n = (long)arg * 1234 + 5 };
	char *spare = mmap(NULL, LEN, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

	while (going()) {
		size_t len = (1 + o.n % 700) * PG;
		char *p = next(&o);

		if (p + len > mem + LEN)
			len = mem + LEN - p;
		switch (o.n >> 4 & 7) {
		case 0:
			mprotect(p, len, PROT_NONE);
			break;
		case 1:
			mprotect(p, len, RW);
			break;
		case 2:
			munmap(p, len);
			mmap(p, len, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);
			break;
		case 3:
			/* Moved away, written to there, and moved back. */
			if (mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
				   spare + (p - mem)) == MAP_FAILED)
				break;
			try_write(spare + (p - mem));
			mremap(spare + (p - mem), len, len, MREMAP_MAYMOVE | MREMAP_FIXED, p);
			break;
		case 4:
			/* Whole tables. */
			p = (char *)((unsigned long)p & -(2 * MIB));
			mremap(p, 2 * MIB, 2 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
			       spare + (p - mem));
			try_write(spare + (p - mem) + 5 * PG);
			mremap(spare + (p - mem), 2 * MIB, 2 * MIB,
			       MREMAP_MAYMOVE | MREMAP_FIXED, p);
			break;
		case 5:
			madvise(p, len, o.n & 1 ? MADV_DONTNEED : MADV_FREE);
			break;
		default:
			for (size_t at = 0; at < len && at < 20 * PG; at += PG)
				try_write(p + at);
		}
	}
	return 0;
}

const char *sharers_change_their_areas(void)
{
	return family(changing, "changes of areas", 400);
}

/* -- sharers come and go -- */

static int leaving(void *arg)
{
	struct own o = { .n = (long)arg * 4321 + 7 };
	int how = 0;

	while (going() && !how) {
		pid_t pid = fork();

		if (!pid) {
			/* A few pages of its own, then it goes in one way or another. */
			for (unsigned int i = 0; i < o.n % 5; i++)
				poke(next(&o), '!');
			if (o.n & 0x1000)
				munmap(mem + LEN / 2, LEN / 2);
			if (o.n & 0x2000)
				kill(getpid(), SIGKILL);
			_exit(0);
		}
		next(&o);
		/* Freed pages are soon used, and would be seen with this in them. */
		if (o.n & 0x400) {
			char *z = mmap(NULL, MIB, RW, PRIVATE_ANON, -1, 0);

			memset(z, 'Z', MIB);
			munmap(z, MIB);
		}
		if (pid > 0)
			ended(pid);
		how = changed(o.n % 61, 61) >= 0 ? 5 : 0;
	}
	return how;
}

const char *sharers_exit_under_readers(void)
{
	return family(leaving, "exits", 400);
}

/* -- a CPU remembers where a page was, in a table that its process has left -- */

struct leaver {
	char *page;
	unsigned int *step;	/* 1: the child has left, 2: the parent has written */
	unsigned int left;	/* the reader is to look for what is there now */
	int how;		/* 0: drop the table, 1: write to the page */
	char wrong;
};

static void *reader(void *arg)
{
	struct leaver *l = arg;
	unsigned long long until = 0;

	while (!until || now_ns() < until) {
		bool left = __atomic_load_n(&l->left, __ATOMIC_ACQUIRE);
		char c = peek(l->page);

		if (c == 'S' || (left && c != (l->how ? 'w' : 0)))
			l->wrong = c;
		if (!until && __atomic_load_n(l->step, __ATOMIC_ACQUIRE) == 2)
			until = now_ns() + 3000000;
	}
	return NULL;
}

static int leaves_table(void *arg)
{
	struct leaver *l = arg;
	pthread_t thread;

	pthread_create(&thread, NULL, reader, l);
	usleep(3000);
	if (l->how)
		poke(l->page, 'w');
	else
		madvise(mem, LEN, MADV_DONTNEED);
	tell(&l->left, 1);
	tell(l->step, 1);
	pthread_join(thread, NULL);
	return l->wrong;
}

const char *sharers_leave_tables_under_readers(void)
{
	make_family_memory();
	for (int i = 0; i < 16; i++) {
		struct leaver l = { mem + LEN / 2, go, 0, i & 1, 0 };
		pid_t pid;
		int how;

		memset(l.page, 'a', PG);
		tell(go, 0);
		pid = start(leaves_table, &l);
		wait_for(go, 1);
		/* The tables are the parent's alone now: written to in place. */
		memset(l.page, 'S', PG);
		tell(go, 2);
		how = ended(pid);
		if (how)
			return finding("a reader found '%c' behind a table that was %s", how,
				       l.how ? "copied" : "dropped");
	}
	munmap(mem, LEN);
	return NULL;
}
