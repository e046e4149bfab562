// SPDX-License-Identifier: GPL-2.0
/*
 * Step 5: allocation.
 *
 * brk() and mmap() give ranges of pages without a gap; the frames behind them
 * are whichever were free. Pages are touched in a scattered order, as real
 * programs do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tour.h"

#define PAGES	16

static int by_number(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Write PAGES pages, read them back, show and judge the frames behind them. */
static void show_frames(const char *what, char *p)
{
	unsigned long f[PAGES], sorted[PAGES];
	const size_t page = page_size();
	int next = 0, twice = 0;
	char row[PAGES * 10];
	bool right = true;

	for (size_t i = 0; i < PAGES; i++) {
		size_t at = i * 7 % PAGES;

		memset(p + at * page, 'a' + at, page);
	}
	for (size_t i = 0; i < PAGES; i++)
		right &= peek(p + i * page) == (char)('a' + i) &&
			 peek(p + (i + 1) * page - 1) == (char)('a' + i);
	if (frames_of(0, p, PAGES, f) != PAGES)
		give_up("pages just written are not present");
	if (f[0] == 1)
		give_up("frame numbers are hidden: run the tour as root");
	saw("%s, pages %lx to %lx, on the frames", what, (unsigned long)p,
	    (unsigned long)p + (PAGES - 1) * page);
	for (int i = 0; i < PAGES; i += 8) {
		row[0] = 0;
		for (int j = i; j < i + 8; j++)
			sprintf(row + strlen(row), " %8lx", f[j]);
		saw("   %s", row);
	}
	memcpy(sorted, f, sizeof(f));
	qsort(sorted, PAGES, sizeof(*sorted), by_number);
	for (int i = 1; i < PAGES; i++) {
		next += f[i] == f[i - 1] + 1;
		twice += sorted[i] == sorted[i - 1];
	}
	check(right, "%d pages without a gap hold what was written", PAGES);
	check(!twice, "no frame serves two of the pages");
	check(next < PAGES - 1, "the frames are scattered: %d of %d neighbours adjoin", next,
	      PAGES - 1);
}

void tour_alloc(void)
{
	const size_t page = page_size(), len = PAGES * page;
	struct area after;
	char *old, *up, *a, *b;

	say("The program break, the end of the heap, is raised by %d pages:", PAGES);
	old = sbrk(0);
	old += -(unsigned long)old % page;
	if (brk(old))
		give_up("brk: %s", strerror(errno));
	up = sbrk(len);
	if (up == (void *)-1)
		give_up("sbrk: %s", strerror(errno));
	saw("break from %lx to %lx", (unsigned long)up, (unsigned long)sbrk(0));
	check(up == old && sbrk(0) == old + len, "the new pages begin where the old ones ended");
	memset(&after, 0, sizeof(after));
	area_at(0, old, &after);
	check(!strcmp(after.name, "[heap]") && after.end == (unsigned long)old + len,
	      "/proc/self/maps shows [heap] up to the new break at %lx", after.end);
	check(resident(0, old, PAGES) == 0, "none of the new pages has a frame yet");
	show_frames("heap", old);
	if (brk(old))
		give_up("brk: %s", strerror(errno));
	check(!area_at(0, old, &after) && resident(0, old, PAGES) == 0,
	      "the break is lowered: the pages and their frames are gone");

	say("mmap() is asked for %d pages, twice:", PAGES);
	a = fresh(len);
	b = fresh(len);
	saw("at %lx and at %lx", (unsigned long)a, (unsigned long)b);
	check(a + len <= b || b + len <= a, "the two ranges do not overlap");
	show_frames("mapping", a);
	munmap(a, len);
	munmap(b, len);
	check(!area_at(0, a, &after) && !area_at(0, b, &after), "both are given back");
}
