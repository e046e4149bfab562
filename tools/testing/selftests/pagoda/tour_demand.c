// SPDX-License-Identifier: GPL-2.0
/*
 * Step 3: demand paging.
 *
 * A large mapping is made and touched here and there, in an order that no
 * read-ahead can guess; faults come from getrusage(), frames from pagemap.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "tour.h"

#define SIZE		(256 * MIB)
#define TOUCHES		1000
#define READS		8
#define STRIDE		(MIB / 4)
#define DRAWN		16

static long faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_minflt + ru.ru_majflt;
}

/* The i-th page to touch: all different, all over the mapping. */
static size_t scattered(size_t i, size_t pages)
{
	return (i * 40503 + 17) % pages;
}

/* Write @n pages of a mapping, scattered; the faults that took. */
static long touch(char *p, size_t n, size_t pages, size_t offset)
{
	const size_t page = page_size();
	long before = faults();

	for (size_t i = 0; i < n; i++)
		poke(p + scattered(i, pages) * page + offset, 1);
	return faults() - before;
}

/* The first pages of the mapping, DRAWN of them to a character. */
static void draw(char *p)
{
	const size_t per = DRAWN;
	char row[65];

	for (int i = 0; i < 64; i++) {
		long n = resident(0, p + i * per * page_size(), per);

		row[i] = n == 0 ? '.' : n < 10 ? '0' + n : n < (long)per ? '+' : '#';
	}
	row[64] = 0;
	saw("|%s|", row);
}

static void read_first(char *p)
{
	unsigned long zero = NO_FRAME;
	bool one = true, blank = true;
	long before = smaps_field(0, p, "Rss"), n = faults();

	for (int i = 0; i < READS; i++)
		blank &= peek(p + i * STRIDE) == 0;
	n = faults() - n;
	for (int i = 0; i < READS; i++) {
		unsigned long pfn = frame_of(0, p + i * STRIDE);

		if (!i)
			zero = pfn;
		one &= pfn && pfn == zero;
	}
	say("%d pages are read before anything was written to them:", READS);
	saw("faults %ld, frame %lx behind all of them", n, zero);
	check(blank, "they read as zeroes");
	check(one && smaps_field(0, p, "Rss") == before,
	      "all on the one shared zero page, which counts for nobody");
	n = faults();
	poke(p, 1);
	n = faults() - n;
	check(n == 1 && frame_of(0, p) != zero && peek(p) == 1 && peek(p + 1) == 0 &&
	      frame_of(0, p + STRIDE) == zero,
	      "the first write to one gives that one a frame of its own (%lx)", frame_of(0, p));
}

void tour_demand(void)
{
	const size_t page = page_size(), pages = SIZE / page;
	long free0, free1, n, in, rss0, rss1;
	char *p, *q;

	/* Once, for the pages of stack and text that the counting needs itself. */
	q = fresh(MIB);
	touch(q, 8, MIB / page, 0);
	munmap(q, MIB);
	rss0 = status_field(0, "VmRSS");
	free0 = field_kib("/proc/meminfo", "MemFree");
	n = faults();
	p = fresh(SIZE);
	n = faults() - n;
	rss1 = status_field(0, "VmRSS");
	free1 = field_kib("/proc/meminfo", "MemFree");
	say("%lu MiB are mapped at %lx:", SIZE / MIB, (unsigned long)p);
	saw("frames present %ld, faults %ld, resident set %+ld KiB, free memory %+ld KiB",
	    resident(0, p, pages), n, rss1 - rss0, free1 - free0);
	check(resident(0, p, pages) == 0 && n <= 1, "%zu pages promised, none given", pages);
	check(free0 - free1 < (long)(SIZE / KIB / 16), "free memory is as it was");

	say("%d pages all over it are written, in scattered order:", TOUCHES);
	n = touch(p, TOUCHES, pages, 0);
	in = resident(0, p, pages);
	draw(p);
	saw("its first 4 MiB, one character for %d pages: how many of them are present", DRAWN);
	saw("faults %ld, frames present %ld, Rss %ld KiB", n, in, smaps_field(0, p, "Rss"));
	check(n == TOUCHES, "faults counted (%ld) equal pages touched (%d)", n, TOUCHES);
	check(in == TOUCHES && smaps_field(0, p, "Rss") == (long)(TOUCHES * page / KIB),
	      "frames given (%ld) equal pages touched", in);
	n = touch(p, TOUCHES, pages, 8);
	check(n == 0, "touching the same pages again faults %ld times", n);

	q = fresh(MIB * 4);
	read_first(q);

	say("The mappings are taken away:");
	munmap(q, MIB * 4);
	munmap(p, SIZE);
	rss1 = status_field(0, "VmRSS");
	saw("resident set %+ld KiB against the start", rss1 - rss0);
	check(resident(0, p, pages) == 0 && rss1 - rss0 < (long)(TOUCHES * page / KIB / 2),
	      "their frames are gone from the process");
}
