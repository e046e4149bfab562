// SPDX-License-Identifier: GPL-2.0
/*
 * Windows, pages and their contents; see fuzz.h.
 *
 * A page that was written holds its stamp at each of the places, with the
 * number of the place in the lowest bits. A stamp names the operation, the
 * process and the page that it was written to, so that contents which turn up
 * somewhere else say where they come from.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "fuzz.h"

/* In 32 bits all is nearer: what stands for a gigabyte still has tables to itself. */
#define BASE	(sizeof(long) == 8 ? 0x2000000000UL : 0x10000000UL)
#define GIB	(sizeof(long) == 8 ? 1024 * MIB : 64 * MIB)
#define P(n)	((n) * PG)

/* Where a stamp has the operation, of 64 bits. */
#define STAMP_ID	(sizeof(long) == 8 ? 32 : 0)

/*
 * Small ones across a border of last-level tables and of the tables above
 * them, large ones with whole tables in them, one alone in its gigabytes, one
 * across a border of the level above that. Windows 6 and 7 begin in the table
 * in which 1 and 3 end: threads that play in them meet there.
 */
struct window window[WINDOWS] = {
	{ 0, 64, 0 }, { 0, 48, 64 }, { 0, 800, 112 }, { 0, 2122, 912 },
	{ 0, 6144, 3034 }, { 0, 1100, 9178 }, { 0, 32, 10278 }, { 0, 512, 10310 },
};

void place_windows(void)
{
	const unsigned long border = (GIB / KIB) * 512 * KIB, end = user_end();

	window[0].start = BASE + 1 * GIB - P(32);
	window[1].start = BASE + 2 * GIB + 6 * MIB - P(24);
	window[2].start = BASE + 2 * GIB + 20 * MIB - P(100);
	window[3].start = BASE + 3 * GIB + 2 * MIB - P(37);
	window[4].start = BASE + 6 * GIB - 12 * MIB;
	/* Some machines have no such border. */
	window[5].start = (sizeof(long) == 8 && end > border + GIB ? border : BASE + 8 * GIB) -
			  2 * MIB - P(40);
	window[6].start = BASE + 2 * GIB + 6 * MIB + P(40);
	window[7].start = BASE + 3 * GIB + 10 * MIB + P(60);
}

const int places[PLACES] = { 0, 1000, 2048, 4088 };

struct shared *S;
bool break_model;
bool print_ops;
int only_slot = -1;

static __thread sigjmp_buf *armed;

char *address(int w, int at)
{
	return (char *)window[w].start + P(at);
}

int window_of(int page)
{
	int w = WINDOWS - 1;

	while (page < window[w].first)
		w--;
	return w;
}

struct page *page_of(struct ctx *c, int w, int at)
{
	return &c->m->page[window[w].first + at];
}

/* The first failure is what counts; @page is an index, or -1. */
void fail(struct ctx *c, int page, const char *fmt, ...)
{
	char *s = S->message;
	size_t room = sizeof(S->message);
	va_list ap;
	int w;

	if (__atomic_exchange_n(&S->failed, 1, __ATOMIC_SEQ_CST))
		return;
	if (c && !c->storm)
		s += snprintf(s, room, "process %d, ", c->slot);
	if (page >= 0) {
		w = window_of(page);
		s += snprintf(s, room - (s - S->message), "page w%d[%d] at %p: ", w,
			      page - window[w].first, address(w, page - window[w].first));
	}
	S->bad_slot = c ? c->slot : -1;
	va_start(ap, fmt);
	vsnprintf(s, room - (s - S->message), fmt, ap);
	va_end(ap);
}

static void caught(int sig, siginfo_t *si, void *uc)
{
	if (armed)
		siglongjmp(*armed, sig << 8 | (si->si_code & 0xff));
	fail(NULL, -1, "unexpected signal %d, code %d, address %p, in process %d", sig,
	     si->si_code, si->si_addr, getpid());
	_exit(1);
}

void catch_signals(void)
{
	struct sigaction sa = {
		.sa_sigaction = caught,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

unsigned long contents(struct ctx *c, struct page *p)
{
	if (p->own || p->kind == ANON)
		return p->stamp;
	return __atomic_load_n(&c->file[p->file_page], __ATOMIC_RELAXED);
}

/* How an access to the page must end. */
int outcome(struct page *p, bool write)
{
	if (p->kind == GONE)
		return SEGV_NOTHING;
	return p->prot & (write ? PROT_WRITE : PROT_READ) ? NO_FAULT : SEGV_DENIED;
}

unsigned long new_stamp(struct ctx *c, int page)
{
	unsigned long id = c->storm ? __atomic_add_fetch(&S->stamps, 1, __ATOMIC_RELAXED) :
				      c->op->id + 1;

	/* Less room leaves less to say: which of the last 16384 it was, and where. */
	if (sizeof(long) == 4)
		return id << 18 | page << 4;
	return id << STAMP_ID | (c->slot & 0xffUL) << 24 | page << 4;
}

unsigned long word_at(unsigned long stamp, int place)
{
	return stamp ? stamp + place : 0;
}

static const char *told(char *buf, size_t len, unsigned long word)
{
	int page = word >> 4 & 0xfffff;

	if (sizeof(long) == 4 || !(word >> STAMP_ID) || page >= PAGES)
		snprintf(buf, len, "%lx", word);
	else
		snprintf(buf, len, "%lx (#%lu by process %lu to w%d[%d], place %lu)", word,
			 (word >> STAMP_ID) - 1, word >> 24 & 0xff, window_of(page),
			 page - window[window_of(page)].first, word & 15);
	return buf;
}

/* True if a page with @stamp may be seen as @v; settles what MADV_FREE did. */
bool same_words(struct page *p, unsigned long stamp, const unsigned long *v)
{
	bool zero = true;

	for (int k = 0; k < PLACES; k++)
		zero = zero && !v[k];
	if (p->loose && zero && stamp) {
		p->own = false;
		p->loose = false;
		p->stamp = 0;
		return true;
	}
	for (int k = 0; k < PLACES; k++) {
		if (v[k] != word_at(stamp, k))
			return false;
	}
	return true;
}

void wrote(struct ctx *c, struct page *p, unsigned long stamp)
{
	p->loose = false;
	if (p->kind == SHARED) {
		__atomic_store_n(&c->file[p->file_page], stamp, __ATOMIC_RELAXED);
	} else {
		p->own = true;
		p->stamp = stamp;
	}
}

/* Read the words of a page: NO_FAULT, or the signal and its code. */
int look(const char *p, unsigned long *v)
{
	sigjmp_buf back;
	int how;

	how = sigsetjmp(back, 0);
	if (!how) {
		__atomic_store_n(&armed, &back, __ATOMIC_RELAXED);
		for (int k = 0; k < PLACES; k++)
			v[k] = __atomic_load_n((unsigned long *)(p + places[k]),
					       __ATOMIC_RELAXED);
	}
	armed = NULL;
	return how;
}

static int put(char *p, unsigned long stamp)
{
	sigjmp_buf back;
	int how;

	how = sigsetjmp(back, 0);
	if (!how) {
		__atomic_store_n(&armed, &back, __ATOMIC_RELAXED);
		for (int k = 0; k < PLACES; k++)
			__atomic_store_n((unsigned long *)(p + places[k]), stamp + k,
					 __ATOMIC_RELAXED);
	}
	armed = NULL;
	return how;
}

static void check_page(struct ctx *c, int w, int at)
{
	struct page *p = page_of(c, w, at);
	unsigned long v[PLACES], want;
	int how = look(address(w, at), v), page = p - c->m->page;
	char a[120], b[120];

	if (how != outcome(p, false)) {
		fail(c, page, "read ended %x, not %x", how, outcome(p, false));
		return;
	}
	if (how != NO_FAULT)
		return;
	/* A page that MADV_FREE gave up may go between two looks. */
	if (p->loose && !v[PLACES - 1])
		look(address(w, at), v);
	want = contents(c, p);
	if (same_words(p, want, v))
		return;
	for (int k = 0; k < PLACES; k++) {
		if (v[k] != word_at(want, k))
			fail(c, page, "at %d holds %s, not %s", places[k],
			     told(a, sizeof(a), v[k]), told(b, sizeof(b), word_at(want, k)));
	}
}

/*
 * A signal costs much, above all when many threads take one at a time: of
 * neighbours that must all fault alike, try the first and then some.
 */
static bool dull(struct page *p, int i, int at, bool write)
{
	return i > at && i % 16 && outcome(p, write) != NO_FAULT &&
	       outcome(p - 1, write) == outcome(p, write);
}

void check_pages(struct ctx *c, int w, int at, int n, int step)
{
	for (int i = at; i < at + n && !S->failed; i += step) {
		if (!dull(page_of(c, w, i), i, at, false))
			check_page(c, w, i);
	}
}

void check_windows(struct ctx *c, unsigned int windows)
{
	for (int w = 0; w < WINDOWS; w++) {
		if (windows & 1 << w)
			check_pages(c, w, 0, window[w].pages, 1);
	}
}

void write_pages(struct ctx *c, int w, int at, int n, int step)
{
	for (int i = at; i < at + n && !S->failed; i += step) {
		struct page *p = page_of(c, w, i);
		int page = p - c->m->page, want = outcome(p, true), how;
		unsigned long stamp = new_stamp(c, page);

		if (dull(p, i, at, true))
			continue;
		how = put(address(w, i), stamp);
		if (how != want)
			fail(c, page, "write ended %x, not %x", how, want);
		else if (how == NO_FAULT)
			wrote(c, p, stamp);
	}
}

/* What a child has after fork. */
void copy_model(struct model *to, const struct model *from)
{
	memcpy(to, from, sizeof(*to));
	for (int i = 0; i < PAGES; i++) {
		struct page *p = &to->page[i];

		p->locked = false;
		if (p->dontfork) {
			memset(p, 0, sizeof(*p));
		} else if (p->wipe) {
			p->own = false;
			p->loose = false;
			p->stamp = 0;
		}
	}
}
