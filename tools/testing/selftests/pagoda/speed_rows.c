// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the speed measure that are about one process's anonymous memory.
 * Unless said otherwise a figure is the cost of one operation of many.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "speed.h"

static void null_syscall(const struct row *r, double *cost)
{
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++)
		syscall(SYS_getppid);
	cost[0] = speed_each(0, t, r->n);
}

/* Fills a page the way the kernel does on a processor with fast string moves. */
static void clear_page(char *p)
{
#ifdef __x86_64__
	unsigned long words = page_size() / 8;

	asm volatile("rep stosq" : "+D" (p), "+c" (words) : "a" (0UL) : "memory");
#else
	__builtin_memset(p, 0, page_size());
#endif
}

/*
 * Writes to pages that are not there, in order: the whole fault, what clearing
 * a page costs by itself (measured in user mode on a page that is present), and
 * the difference.
 */
static void first_touch(const struct row *r, double *cost)
{
	char *p = speed_map(r->n * page_size());
	unsigned long long t = speed_start(0);

	touch_pages(p, r->n);
	cost[0] = speed_each(0, t, r->n);
	t = speed_start(1);
	for (unsigned long i = 0; i < r->n; i++)
		clear_page(p);
	cost[1] = speed_each(1, t, r->n);
	cost[2] = cost[0] - cost[1];
	munmap(p, r->n * page_size());
}

/* The same in no order. @n is a power of two: an odd factor visits each page once. */
static void touch_random(const struct row *r, double *cost)
{
	const size_t page = page_size();
	char *p = speed_map(r->n * page);
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++)
		touch(p + (i * 40503 & (r->n - 1)) * page);
	cost[0] = speed_each(0, t, r->n);
	munmap(p, r->n * page);
}

/* Reads of pages that are not there. */
static void touch_zero(const struct row *r, double *cost)
{
	char *p = speed_map(r->n * page_size());
	unsigned long long t = speed_start(0);

	look_pages(p, r->n);
	cost[0] = speed_each(0, t, r->n);
	munmap(p, r->n * page_size());
}

/* One mmap() that fills the area; a page's share of it. */
static void populate(const struct row *r, double *cost)
{
	const size_t len = r->n * page_size();
	unsigned long long t = speed_start(0);
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	cost[0] = speed_each(0, t, r->n);
	if (p == MAP_FAILED)
		speed_die("mmap with MAP_POPULATE");
	munmap(p, len);
}

/* One munmap() of touched memory; a page's share of it. */
static void munmap_page(const struct row *r, double *cost)
{
	char *p = speed_touched(r->n * page_size());
	unsigned long long t = speed_start(0);

	munmap(p, r->n * page_size());
	cost[0] = speed_each(0, t, r->n);
}

static void map_unmap(const struct row *r, double *cost)
{
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++)
		munmap(speed_map(16 * KIB), 16 * KIB);
	cost[0] = speed_each(0, t, r->n);
}

static void map_touch_unmap(const struct row *r, double *cost)
{
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++) {
		char *p = speed_map(16 * KIB);

		touch(p);
		munmap(p, 16 * KIB);
	}
	cost[0] = speed_each(0, t, r->n);
}

/* Two calls: one splits an area in three, one lets the three become one again. */
static void protect_split(const struct row *r, double *cost)
{
	const size_t page = page_size();
	char *p = speed_touched(8 * page);
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++) {
		mprotect(p + 3 * page, page, PROT_READ);
		mprotect(p + 3 * page, page, PROT_READ | PROT_WRITE);
	}
	cost[0] = speed_each(0, t, r->n);
	munmap(p, 8 * page);
}

/* Two calls that change an area of 64 pages to read-only and back. */
static void protect_whole(const struct row *r, double *cost)
{
	const size_t len = 64 * page_size();
	char *p = speed_touched(len);
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++) {
		mprotect(p, len, PROT_READ);
		mprotect(p, len, PROT_READ | PROT_WRITE);
	}
	cost[0] = speed_each(0, t, r->n);
	munmap(p, len);
}

/* The break goes up by 64 KiB and down again; first untouched, then one page touched. */
static void brk_pair(const struct row *r, double *cost)
{
	char *at = sbrk(0);
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++) {
		brk(at + 64 * KIB);
		brk(at);
	}
	cost[0] = speed_each(0, t, r->n);
	t = speed_start(1);
	for (unsigned long i = 0; i < r->n; i++) {
		brk(at + 64 * KIB);
		touch(at + 32 * KIB);
		brk(at);
	}
	cost[1] = speed_each(1, t, r->n);
}

/* Move @len touched bytes to and fro between @a and @b, @n times. */
static double move(char *a, char *b, size_t len, unsigned long n)
{
	unsigned long long t;

	touch_pages(a, len / page_size());
	t = speed_start(0);
	for (unsigned long i = 0; i < n; i++) {
		char *from = i & 1 ? b : a, *to = i & 1 ? a : b;

		if (mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
			speed_die("mremap");
	}
	return speed_each(0, t, n);
}

/*
 * One move of touched memory, all of it, between places that are aligned to
 * its size, so that whole tables can change hands.
 */
static void mremap_move(const struct row *r, double *cost)
{
	const size_t len = r->mib * MIB;
	char *all = mmap(NULL, 3 * len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *a = (char *)(((uintptr_t)all + len - 1) & -len);

	if (all == MAP_FAILED)
		speed_die("mmap of room to move in");
	munmap(all, 3 * len);
	if (mmap(a, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) != a)
		speed_die("mmap at a place");
	cost[0] = move(a, a + len, len, r->n);
	munmap(a, 2 * len);
}

/* One move of 64 touched pages between places that are not aligned alike. */
static void mremap_entries(const struct row *r, double *cost)
{
	const size_t len = 64 * page_size();
	char *a = speed_map(2 * len + page_size()), *b = a + len + page_size();

	munmap(a + len, len + page_size());
	cost[0] = move(a, b, len, r->n);
	munmap(a, 2 * len + page_size());
}

/* MADV_DONTNEED of one page, and the fault that brings a new one. */
static void dontneed_refault(const struct row *r, double *cost)
{
	const size_t page = page_size();
	char *p = speed_map(16 * page);
	unsigned long long t;

	touch(p + 5 * page);
	t = speed_start(0);
	for (unsigned long i = 0; i < r->n; i++) {
		madvise(p + 5 * page, page, MADV_DONTNEED);
		touch(p + 5 * page);
	}
	cost[0] = speed_each(0, t, r->n);
	munmap(p, 16 * page);
}

/* mlock() and munlock() of 4 pages in the middle of an area. */
static void mlock_pair(const struct row *r, double *cost)
{
	const size_t page = page_size();
	char *p = speed_touched(16 * page);
	unsigned long long t = speed_start(0);

	for (unsigned long i = 0; i < r->n; i++) {
		mlock(p + 4 * page, 4 * page);
		munlock(p + 4 * page, 4 * page);
	}
	cost[0] = speed_each(0, t, r->n);
	munmap(p, 16 * page);
}

/* One mincore() of touched memory; a page's share of it. */
static void mincore_page(const struct row *r, double *cost)
{
	static unsigned char vec[4096];
	const size_t len = r->n * page_size();
	char *p = speed_touched(len);
	unsigned long long t = speed_start(0);

	if (mincore(p, len, vec))
		speed_die("mincore");
	cost[0] = speed_each(0, t, r->n);
	munmap(p, len);
}

/* How much of @n pages at @p is in memory, in bytes for each of @touched. */
static double taken(char *p, unsigned long n, unsigned long touched)
{
	static unsigned char vec[16384];
	unsigned long present = 0;

	if (mincore(p, n * page_size(), vec))
		speed_die("mincore");
	for (unsigned long i = 0; i < n; i++)
		present += vec[i] & 1;
	munmap(p, n * page_size());
	return (double)present * page_size() / touched;
}

/*
 * What memory a written page takes: a quarter of the pages in random order, all of
 * a quarter in order, and 8 in order of every 64.
 */
static void memory_taken(const struct row *r, double *cost)
{
	const size_t page = page_size();
	static unsigned char seen[16384];
	char *p = speed_map(r->n * page);
	unsigned int x = 1;
	unsigned long at;

	for (unsigned long touched = 0; touched < r->n / 4;) {
		x = x * 1664525 + 1013904223;
		at = (x >> 8) % r->n;
		touch(p + at * page);
		touched += !seen[at];
		seen[at] = 1;
	}
	cost[0] = taken(p, r->n, r->n / 4);
	p = speed_map(r->n * page);
	touch_pages(p, r->n / 4);
	cost[1] = taken(p, r->n, r->n / 4);
	p = speed_map(r->n * page);
	for (unsigned long i = 0; i < r->n; i += 64)
		touch_pages(p + i * page, 8);
	cost[2] = taken(p, r->n, r->n / 8);
}

const struct row memory_rows[] = {
	{ null_syscall, 20000, .figure = {
		{ "null_syscall", "null system call" } } },
	{ first_touch, 4096, .figure = {
		{ "touch", "first touch of an anonymous page" },
		{ "touch_clearing", "clearing a page, by itself" },
		{ "touch_rest", "first touch less clearing" } } },
	{ touch_random, 16384, .figure = {
		{ "touch_random", "first touch, in random order" } } },
	{ touch_zero, 4096, .figure = {
		{ "touch_zero", "first read of an anonymous page" } } },
	{ populate, 4096, .figure = {
		{ "populate", "mmap with MAP_POPULATE, a page" } } },
	{ map_unmap, 10000, .figure = {
		{ "map_unmap", "mmap + munmap, untouched" } } },
	{ map_touch_unmap, 10000, .figure = {
		{ "map_touch_unmap", "mmap + munmap, touched" } } },
	{ munmap_page, 4096, .figure = {
		{ "munmap_page", "munmap, a page" } } },
	{ protect_whole, 5000, .figure = {
		{ "protect_whole", "mprotect of a whole area, twice" } } },
	{ protect_split, 5000, .figure = {
		{ "protect_split", "mprotect that splits, and back" } } },
	{ dontneed_refault, 10000, .figure = {
		{ "dontneed_refault", "madvise DONTNEED + refault" } } },
	{ brk_pair, 8000, .figure = {
		{ "brk_pair", "brk up + down" },
		{ "brk_touch_pair", "brk up + touch + down" } } },
	{ mremap_move, 5000, .mib = 4, .figure = {
		{ "mremap_4m", "mremap move of 4 MiB" } } },
	{ mremap_move, 5000, .mib = 1024, .repeats = 2, .figure = {
		{ "mremap_1g", "mremap move of 1 GiB" } } },
	{ mremap_entries, 5000, .figure = {
		{ "mremap_entries", "mremap move of 64 pages, unaligned" } } },
	{ mlock_pair, 5000, .figure = {
		{ "mlock_pair", "mlock + munlock of 4 pages" } } },
	{ mincore_page, 4096, .figure = {
		{ "mincore_page", "mincore, a page" } } },
	{ memory_taken, 16384, .repeats = 1, .unit = "bytes", .figure = {
		{ "taken_random", "memory for a page written, in random order" },
		{ "taken_sequence", "memory for a page written, in order" },
		{ "taken_runs", "memory for a page written, 8 of every 64" } } },
	{ NULL },
};
