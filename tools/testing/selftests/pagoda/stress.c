// SPDX-License-Identifier: GPL-2.0
/*
 * stress [SECONDS [SEED]]: random mmap, munmap, mprotect, mremap, madvise,
 * mlock, fork and accesses, checked against a model of every page.
 *
 * Each thread owns a window of addresses and a memfd, and predicts how every
 * access to its window ends and what it reads. Threads of one process disturb
 * each other in the kernel alone: they share the address space, its locks and
 * its page tables. The seed is printed; a thread's own seed follows from it.
 */
#include <pthread.h>
#include <stdarg.h>

#define SUITE_NO_HARNESS
#include "suite.h"

#define PROCESSES	2
#define THREADS		3
#define WINDOW		160		/* pages */

/* What a page of the window is. */
enum kind { GONE, ANON, SHARED, PRIVATE };

struct page {
	enum kind kind;
	int prot;
	bool own;			/* has contents apart from the file's */
	bool loose;			/* MADV_FREE: may have become zero */
	unsigned long stamp;		/* its own contents */
	int file_page;			/* of SHARED and PRIVATE */
};

struct model {
	struct page page[WINDOW];
	unsigned long file[WINDOW];	/* contents of the memfd */
	char *base;
	int fd;
	unsigned long long rnd;
	unsigned long seed;
	unsigned long next_stamp;
	long ops;
	const char *op;
};

static unsigned long long deadline;
static int failed;
static pthread_barrier_t start;

static unsigned int rnd(struct model *m, unsigned int below)
{
	m->rnd = m->rnd * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(m->rnd >> 33) % below;
}

static void fail(struct model *m, int i, const char *fmt, ...)
{
	va_list ap;

	if (__atomic_exchange_n(&failed, 1, __ATOMIC_RELAXED))
		return;
	va_start(ap, fmt);
	printf("# seed %lu, operation %ld (%s), page %d: ", m->seed, m->ops, m->op, i);
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	va_end(ap);
}

static char *addr(struct model *m, int i)
{
	return m->base + i * PG;
}

static unsigned long contents(struct model *m, struct page *p)
{
	if (p->kind == ANON)
		return p->stamp;
	return p->own ? p->stamp : m->file[p->file_page];
}

/* How an access to the page must end. */
static int outcome(struct page *p, bool write)
{
	if (p->kind == GONE)
		return SEGV_NOTHING;
	if (write)
		return p->prot & PROT_WRITE ? NO_FAULT : SEGV_DENIED;
	return p->prot & (PROT_READ | PROT_WRITE) ? NO_FAULT : SEGV_DENIED;
}

static const int places[] = { 0, 2048, 4088 };

static void check_page(struct model *m, int i)
{
	struct page *p = &m->page[i];
	int how = try_read(addr(m, i)), want = outcome(p, false);

	if (how != want) {
		fail(m, i, "read ended %x, not %x", how, want);
		return;
	}
	if (how != NO_FAULT)
		return;
	for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
		unsigned long *w = (unsigned long *)(addr(m, i) + places[k]);
		unsigned long got = __atomic_load_n(w, __ATOMIC_RELAXED);

		if (p->loose && !k && !got)
			p->stamp = 0;
		if (got != contents(m, p))
			fail(m, i, "holds %lx, not %lx, at %d", got, contents(m, p), places[k]);
	}
}

static void write_page(struct model *m, int i)
{
	struct page *p = &m->page[i];
	int want = outcome(p, true), how;

	check_page(m, i);
	how = try_write(addr(m, i));
	if (how != want) {
		fail(m, i, "write ended %x, not %x", how, want);
		return;
	}
	if (how != NO_FAULT)
		return;
	m->next_stamp++;
	for (size_t k = 0; k < ARRAY_SIZE(places); k++)
		__atomic_store_n((unsigned long *)(addr(m, i) + places[k]), m->next_stamp,
				 __ATOMIC_RELAXED);
	p->loose = false;
	if (p->kind == SHARED) {
		m->file[p->file_page] = m->next_stamp;
	} else {
		p->own = true;
		p->stamp = m->next_stamp;
	}
}

/* A random range; mostly short. */
static int range(struct model *m, int *len)
{
	int at = rnd(m, WINDOW), n = 1 + rnd(m, rnd(m, 4) ? 8 : 64);

	*len = at + n > WINDOW ? WINDOW - at : n;
	return at;
}

static int random_prot(struct model *m)
{
	static const int v[] = { RW, RW, RW, RW, PROT_READ, PROT_READ, PROT_NONE };

	return v[rnd(m, ARRAY_SIZE(v))];
}

static void do_map(struct model *m)
{
	int n, at = range(m, &n), prot = random_prot(m), first = rnd(m, WINDOW - n + 1);
	enum kind kind = ANON + rnd(m, 3);
	int flags = MAP_FIXED | (kind == SHARED ? MAP_SHARED : MAP_PRIVATE);
	int fd = m->fd;

	m->op = "mmap";
	if (kind == ANON) {
		flags |= MAP_ANONYMOUS;
		fd = -1;
		first = 0;
	}
	if (!rnd(m, 8))
		flags |= MAP_POPULATE;
	if (mmap(addr(m, at), n * PG, prot, flags, fd, first * PG) != addr(m, at))
		fail(m, at, "mmap: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct page p = { .kind = kind, .prot = prot, .file_page = first + i };

		/* Populating a writable private mapping copies it now. */
		if (flags & MAP_POPULATE && kind == PRIVATE && prot & PROT_WRITE) {
			p.own = true;
			p.stamp = m->file[first + i];
		}
		m->page[at + i] = p;
	}
}

static void do_unmap(struct model *m)
{
	int n, at = range(m, &n);

	m->op = "munmap";
	if (munmap(addr(m, at), n * PG))
		fail(m, at, "munmap: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		m->page[at + i].kind = GONE;
}

static void do_protect(struct model *m)
{
	int n, at = range(m, &n), prot = random_prot(m), r, gap = 0;

	m->op = "mprotect";
	while (gap < n && m->page[at + gap].kind != GONE)
		gap++;
	r = mprotect(addr(m, at), n * PG, prot);
	if (gap == n ? r : !(r == -1 && errno == ENOMEM))
		fail(m, at, "mprotect gave %d (%s), hole at %d of %d", r, strerror(errno), gap, n);
	/* Before a hole stock has done it and Pagoda has not: make it so. */
	if (gap && gap < n && mprotect(addr(m, at), gap * PG, prot))
		fail(m, at, "mprotect of %d: %s", gap, strerror(errno));
	for (int i = 0; i < gap; i++)
		m->page[at + i].prot = prot;
}

static void do_advise(struct model *m)
{
	int n, at = range(m, &n), advice = rnd(m, 3), r;
	bool hole = false;

	if (advice == 0)
		advice = MADV_FREE;
	else if (advice == 1)
		advice = MADV_DONTNEED;
	else
		advice = MADV_COLD;
	m->op = advice == MADV_FREE ? "free" : advice == MADV_DONTNEED ? "dontneed" : "cold";
	for (int i = 0; i < n; i++) {
		if (advice == MADV_FREE && m->page[at + i].kind != ANON)
			return;
		hole |= m->page[at + i].kind == GONE;
	}
	r = madvise(addr(m, at), n * PG, advice);
	if (hole ? !(r == -1 && errno == ENOMEM) : r)
		fail(m, at, "madvise gave %d (%s)", r, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct page *p = &m->page[at + i];

		if (advice == MADV_FREE) {
			p->loose = true;
		} else if (advice == MADV_DONTNEED) {
			p->own = false;
			p->stamp = 0;
			p->loose = false;
		}
	}
}

/* Move a run of pages that are one area to another place of the window. */
static void do_move(struct model *m)
{
	int n, from = range(m, &n), to, keep = rnd(m, 4) ? 0 : MREMAP_DONTUNMAP;
	struct page moved[WINDOW], *f = &m->page[from];
	char *got;

	m->op = keep ? "mremap, dontunmap" : "mremap";
	/* Files with other offsets, or another kind, are another area. */
	for (int i = 1; i < n; i++) {
		if (f[i].kind != f[0].kind || f[i].prot != f[0].prot ||
		    (f[0].kind != ANON && f[i].file_page != f[0].file_page + i))
			n = i;
	}
	to = rnd(m, WINDOW - n + 1);
	if (f[0].kind == GONE || (to < from + n && from < to + n))
		return;
	got = mremap(addr(m, from), n * PG, n * PG, MREMAP_MAYMOVE | MREMAP_FIXED | keep,
		     addr(m, to));
	if (got != addr(m, to)) {
		/* Areas that look alike may be apart still: nothing has changed then. */
		if (errno != EFAULT || n == 1)
			fail(m, from, "mremap of %d to %d: %s", n, to, strerror(errno));
		/* The target is unmapped before the source is looked at. */
		munmap(addr(m, to), n * PG);
		for (int i = 0; i < n; i++)
			m->page[to + i].kind = GONE;
		return;
	}
	memcpy(moved, f, n * sizeof(*f));
	memcpy(&m->page[to], moved, n * sizeof(*f));
	for (int i = 0; i < n; i++) {
		f[i].loose = false;
		f[i].own = false;
		f[i].stamp = 0;
		if (!keep)
			f[i].kind = GONE;
	}
}

static void do_lock(struct model *m)
{
	int n, at = range(m, &n);

	m->op = "mlock";
	for (int i = 0; i < n; i++) {
		if (outcome(&m->page[at + i], false) != NO_FAULT)
			return;
	}
	if (mlock(addr(m, at), n * PG) || munlock(addr(m, at), n * PG))
		fail(m, at, "mlock: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct page *p = &m->page[at + i];

		if (p->kind == PRIVATE && p->prot & PROT_WRITE && !p->own) {
			p->own = true;
			p->stamp = m->file[p->file_page];
		}
	}
}

static void do_access(struct model *m)
{
	m->op = "access";
	for (int i = 0; i < 12; i++) {
		int at = rnd(m, WINDOW);

		if (rnd(m, 3))
			write_page(m, at);
		else
			check_page(m, at);
	}
}

/* The kernel's own access to user memory must end as the user's would. */
static void do_kernel_access(struct model *m)
{
	int at = rnd(m, WINDOW);
	struct page *p = &m->page[at];
	unsigned long want, got = 0;
	int fd[2];

	m->op = "pipe";
	if (p->loose || pipe2(fd, O_CLOEXEC | O_NONBLOCK))
		return;
	want = contents(m, p);
	if (write(fd[1], addr(m, at), 8) == 8) {
		if (outcome(p, false) != NO_FAULT || read(fd[0], &got, 8) != 8 || got != want)
			fail(m, at, "the kernel read %lx, not %lx", got, want);
	} else if (outcome(p, false) == NO_FAULT || errno != EFAULT) {
		fail(m, at, "the kernel could not read: %s", strerror(errno));
	}
	close(fd[0]);
	close(fd[1]);
}

static void check_all(struct model *m)
{
	for (int i = 0; i < WINDOW; i++)
		check_page(m, i);
}

/* The child has the same window; what it does in it is its own affair. */
static void do_fork(struct model *m)
{
	int status;
	pid_t pid;

	m->op = "fork";
	pid = fork();
	if (!pid) {
		m->op = "in a child";
		check_all(m);
		for (int i = 0; i < WINDOW; i++) {
			if (m->page[i].kind != SHARED && !rnd(m, 3))
				write_page(m, i);
		}
		if (!rnd(m, 4))
			do_unmap(m);
		check_all(m);
		_exit(failed);
	}
	if (pid < 0)
		fail(m, 0, "fork: %s", strerror(errno));
	/* Not to shared pages: the child is looking at those. */
	for (int i = 0; i < WINDOW; i += 17) {
		if (m->page[i].kind != SHARED)
			write_page(m, i);
	}
	if (pid > 0 && (waitpid(pid, &status, 0) != pid || status))
		fail(m, 0, "the child ended with %x", status);
}

static void *play(void *arg)
{
	static void (*const deeds[])(struct model *m) = {
		do_map, do_map, do_unmap, do_protect, do_protect, do_advise, do_advise, do_move,
		do_move, do_lock, do_access, do_access, do_access, do_access, do_kernel_access,
	};
	struct model *m = arg;

	/* All stacks are there now: nothing else may be put into a hole. */
	pthread_barrier_wait(&start);
	munmap(m->base, WINDOW * PG);
	while (!__atomic_load_n(&failed, __ATOMIC_RELAXED) && now_ns() < deadline) {
		if (!rnd(m, 80))
			do_fork(m);
		deeds[rnd(m, ARRAY_SIZE(deeds))](m);
		m->op = "check";
		if (!rnd(m, 20))
			check_all(m);
		m->ops++;
	}
	m->op = "the last check";
	check_all(m);
	return NULL;
}

static int process(unsigned long seed)
{
	static struct model m[THREADS];
	pthread_t t[THREADS];
	long ops = 0;

	for (int i = 0; i < THREADS; i++) {
		m[i].seed = seed + i;
		m[i].rnd = (seed + i) * 0x9e3779b97f4a7c15ULL;
		m[i].fd = memfd_create("stress", MFD_CLOEXEC);
		m[i].base = mmap(NULL, (WINDOW + 2) * PG, PROT_NONE, PRIVATE_ANON, -1, 0);
		if (m[i].base == MAP_FAILED || ftruncate(m[i].fd, WINDOW * PG)) {
			printf("# no memory for a window: %s\n", strerror(errno));
			return 1;
		}
		/* A page on each side keeps the windows' areas apart. */
		m[i].base += PG;
	}
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 1; i < THREADS; i++)
		pthread_create(&t[i], NULL, play, &m[i]);
	play(&m[0]);
	for (int i = 1; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		ops += m[i].ops;
		munmap(m[i].base - PG, (WINDOW + 2) * PG);
	}
	printf("# %ld operations by %d threads of seed %lu\n", ops, THREADS, seed);
	fflush(stdout);
	return failed;
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 8, bad = 0, status;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : now_ns() / 1000 % 1000000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n# stress for %d seconds, seed %lu\n", seconds, seed);
	fflush(stdout);
	deadline = now_ns() + seconds * 1000000000ULL;
	for (int i = 0; i < PROCESSES; i++) {
		if (!fork())
			_exit(process(seed + i * 1000));
	}
	while (wait(&status) > 0) {
		if (WIFSIGNALED(status))
			printf("# a process died of signal %d\n", WTERMSIG(status));
		bad |= status;
	}
	printf("%sok 1 random operations agree with the model\n", bad ? "not " : "");
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:0 error:0\n", !bad, !!bad);
	return bad ? 1 : 0;
}
