// SPDX-License-Identifier: GPL-2.0
/*
 * mremap against those who find pages by other ways: CPUs that remember a
 * translation, and walks from the file to its mappings.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>

#include "attacks.h"

#ifndef FALLOC_FL_PUNCH_HOLE
#define FALLOC_FL_KEEP_SIZE	1
#define FALLOC_FL_PUNCH_HOLE	2
#endif

struct move {
	int fd;
	size_t len;
	char *from, *to;
	char *other;		/* memory of the same size, not the file's */
	unsigned long seen;	/* bytes of somebody else's */
	unsigned long reads;
};

/* Few enough pages to be flushed one by one, not all at once. */
#define SMALL	(24 * PG)

/* Far from where memory without an address goes. */
#define PLACES	((char *)FAR_PLACE(2))

/* Two places for a mapping of the file, alike within a table or not. */
static void make_places(struct move *m, size_t len, bool whole)
{
	m->len = len;
	m->from = PLACES + (whole ? 0 : PG);
	m->to = PLACES + len + 2 * MIB + (whole ? 0 : 3 * PG);
	/* Tables that stay: without them each move would flush everything. */
	poke(mmap(m->from - PG, PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0), 'n');
	poke(mmap(m->to - PG, PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0), 'n');
	m->other = anon(len / PG);
	m->fd = memory_file(len / PG, 0);
	if (mmap(m->from, len, RW, MAP_SHARED | MAP_FIXED, m->fd, 0) != m->from)
		abort();
	memset(m->from, 'f', len);
}

static void move_there_and_back(void *arg)
{
	struct move *m = arg;

	mremap(m->from, m->len, m->len, MREMAP_MAYMOVE | MREMAP_FIXED, m->to);
	mremap(m->to, m->len, m->len, MREMAP_MAYMOVE | MREMAP_FIXED, m->from);
}

/*
 * Give the file pages, have them mapped for a while, free them, and use them for
 * something else; all of it here, for pages are freed to the CPU and used by it.
 */
static void cut_and_fill(void *arg)
{
	static unsigned int n;
	struct move *m = arg;
	char page[4096];

	memset(page, 'f', sizeof(page));
	for (size_t at = 0; at < m->len; at += PG)
		pwrite(m->fd, page, PG, at);
	for (unsigned int i = n++ * 7 % 50; i; i--)
		sched_yield();
	fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, m->len);
	memset(m->other, 'Z', m->len);
	sched_yield();
	madvise(m->other, m->len, MADV_DONTNEED);
}

/* Faults of the reader, at the place where nothing is just now. */
static __thread sigjmp_buf landing;
static __thread bool can_land;

static void landed(int sig, siginfo_t *si, void *uc)
{
	if (can_land)
		siglongjmp(landing, sig);
	finding("signal %d at %p in a thread that uses its own memory", sig, si->si_addr);
	_exit(1);
}

/* Whatever is read there is the file's: 0 or f. */
static void read_and_judge(void *arg)
{
	static __thread unsigned int n;
	struct move *m = arg;

	for (int i = 0; i < 200; i++) {
		const char *place = i & 1 ? m->to : m->from;

		place += (n++ * 7 % (m->len / PG)) * PG;
		if (sigsetjmp(landing, 0))
			continue;
		can_land = true;
		for (int k = 0; k < 20; k++) {
			if (peek(place + k) == 'Z')
				__atomic_add_fetch(&m->seen, 1, __ATOMIC_RELAXED);
		}
		__atomic_add_fetch(&m->reads, 1, __ATOMIC_RELAXED);
	}
	can_land = false;
}

static void catch(void)
{
	struct sigaction sa = { .sa_sigaction = landed, .sa_flags = SA_NODEFER | SA_SIGINFO };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static const char *stale(size_t len, bool whole, unsigned int ms)
{
	struct move m = { };

	make_places(&m, len, whole);
	/* On a busy machine the reader may not have had its turn. */
	for (int i = 0; i < 40 && !m.reads; i++)
		race(ms, &m, move_there_and_back, cut_and_fill, read_and_judge, NULL);
	if (m.seen)
		return finding("%lu bytes of other memory were read in a mapping of %zu KiB",
			       m.seen, len / KIB);
	if (!m.reads)
		return finding("nothing was read");
	munmap(m.from, len);
	munmap(m.other, len);
	close(m.fd);
	return NULL;
}

/* Directly: one CPU knows the old place, another moves it away. */
struct known {
	struct move m;
	unsigned int step;	/* odd: the reader knows it, even: it has moved */
	int wrong;
};

static void *knows(void *arg)
{
	struct known *k = arg;

	for (unsigned int i = 0; i < 60; i += 2) {
		while (__atomic_load_n(&k->step, __ATOMIC_ACQUIRE) != i)
			;
		for (size_t at = 0; at < k->m.len; at += PG)
			peek(k->m.from + at);
		__atomic_store_n(&k->step, i + 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&k->step, __ATOMIC_ACQUIRE) != i + 2)
			;
		for (size_t at = 0; at < k->m.len; at += PG)
			k->wrong += try_read(k->m.from + at) != SEGV_NOTHING;
		__atomic_store_n(&k->step, i + 3, __ATOMIC_RELEASE);
		i += 2;
	}
	return NULL;
}

static const char *gone(size_t len, bool whole)
{
	struct known k = { };
	pthread_t thread;

	make_places(&k.m, len, whole);
	pthread_create(&thread, NULL, knows, &k);
	for (unsigned int i = 0; i < 60; i += 4) {
		while (__atomic_load_n(&k.step, __ATOMIC_ACQUIRE) != i + 1)
			;
		mremap(k.m.from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, k.m.to);
		__atomic_store_n(&k.step, i + 2, __ATOMIC_RELEASE);
		while (__atomic_load_n(&k.step, __ATOMIC_ACQUIRE) != i + 3)
			;
		mremap(k.m.to, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, k.m.from);
		__atomic_store_n(&k.step, i + 4, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	munmap(k.m.from, len);
	close(k.m.fd);
	return k.wrong ? finding("%d pages were read where they no longer are", k.wrong) : NULL;
}

const char *stale_translation_after_mremap(void)
{
	struct move m = { };
	const char *hole;
	char *z;

	catch();
	/* The probe sees other memory where there is some. */
	make_places(&m, SMALL, false);
	z = mmap(m.to, SMALL, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);
	memset(z, 'Z', SMALL);
	read_and_judge(&m);
	if (!m.seen)
		return finding("the probe sees nothing");
	munmap(z, SMALL);

	hole = gone(SMALL, false) ?: gone(2 * MIB, true);
	if (hole)
		return hole;
	catch();
	hole = stale(SMALL, false, 250);
	/* Whole tables move by one entry. */
	return hole ?: stale(2 * MIB, true, 200);
}

/* -- a hole in the file is a hole in each mapping of it -- */

struct round {
	struct move m;
	pthread_barrier_t begin, end;
	bool over;
};

static void *mover(void *arg)
{
	struct round *r = arg;

	for (;;) {
		pthread_barrier_wait(&r->begin);
		if (r->over)
			return NULL;
		for (int i = 0; i < 4; i++)
			move_there_and_back(&r->m);
		pthread_barrier_wait(&r->end);
	}
}

static size_t not_zero(const char *p, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += PG)
		n += peek(p + at) != 0;
	return n;
}

static const char *punched(size_t len, bool whole, unsigned int ms)
{
	unsigned long long until = now_ns() + ms * 1000000ULL;
	struct round r = { };
	pthread_t thread;
	size_t left = 0;
	int rounds;

	make_places(&r.m, len, whole);
	pthread_barrier_init(&r.begin, NULL, 2);
	pthread_barrier_init(&r.end, NULL, 2);
	pthread_create(&thread, NULL, mover, &r);
	for (rounds = 0; now_ns() < until && !left; rounds++) {
		for (size_t at = 0; at < len; at += PG)
			poke(r.m.from + at, 'f');
		pthread_barrier_wait(&r.begin);
		for (unsigned int k = rounds % 64; k; k--)
			sched_yield();
		fallocate(r.m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, len);
		pthread_barrier_wait(&r.end);
		left = not_zero(r.m.from, len);
	}
	r.over = true;
	pthread_barrier_wait(&r.begin);
	pthread_join(thread, NULL);
	if (left)
		return finding("%zu pages of a hole are still mapped, in round %d", left, rounds);
	munmap(r.m.from, len);
	close(r.m.fd);
	return NULL;
}

const char *reverse_walk_misses_moving_table(void)
{
	const char *hole;

	catch();
	hole = punched(SMALL, false, 250);
	return hole ?: punched(2 * MIB, true, 350);
}
