// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc says of a process and of the machine, against the model.
 *
 * Exact where the model is: a page that it knows to be there is present in
 * pagemap, a hole is not, and smaps counts as many anonymous pages. Counters
 * that the kernel keeps per processor get a tolerance.
 */
#include "fuzz.h"

#define PRESENT		0x8000000000000000UL
#define FRAME		0x007fffffffffffffUL

/* What smaps has of the windows; kB, but pages in @anon and @all_anon. */
struct smaps {
	long areas, rss, pss, anon, all_anon;
};

static uint64_t entry[SLOTS][PAGES];

static bool read_pagemap(int slot, struct ctx *c)
{
	char path[40];
	bool good = true;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", S->pid[slot]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (int w = 0; w < WINDOWS && good; w++) {
		size_t len = window[w].pages * 8;

		good = pread(fd, &entry[slot][window[w].first], len,
			     window[w].start / PG * 8) == len;
	}
	if (!good)
		fail(c, -1, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

static void check_pagemap(int slot, struct ctx *c)
{
	if (!read_pagemap(slot, c))
		return;
	for (int i = 0; i < PAGES; i++) {
		struct page *p = &c->m->page[i];
		bool there = entry[slot][i] & PRESENT;

		if (p->kind == GONE && there)
			fail(c, i, "pagemap has a page in a hole");
		if (p->own && !p->loose && !there)
			fail(c, i, "pagemap does not have the page");
	}
}

static bool in_windows(unsigned long start)
{
	for (int w = 0; w < WINDOWS; w++) {
		if (start >= window[w].start && start < window[w].start + window[w].pages * PG)
			return true;
	}
	return false;
}

/* Lines of one area come in the order Rss, Pss, Anonymous. */
static struct smaps read_smaps(int slot, struct ctx *c)
{
	unsigned long start = 0, from, to;
	struct smaps sum = { 0 };
	char path[40], line[300];
	long rss = 0, pss = 0, v;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", S->pid[slot]);
	f = fopen(path, "re");
	if (!f)
		fail(c, -1, "%s: %s", path, strerror(errno));
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			start = from;
		if (sscanf(line, "Rss: %ld", &v) == 1)
			rss = v;
		if (sscanf(line, "Pss: %ld", &v) == 1)
			pss = v;
		if (sscanf(line, "Anonymous: %ld", &v) != 1)
			continue;
		if (pss > rss || v > rss)
			fail(c, -1, "area %lx: Rss %ld, Pss %ld, Anonymous %ld kB", start, rss, pss,
			     v);
		sum.all_anon += v / 4;
		if (!in_windows(start))
			continue;
		sum.areas++;
		sum.rss += rss;
		sum.pss += pss;
		sum.anon += v / 4;
	}
	if (f)
		fclose(f);
	return sum;
}

static void check_smaps(int slot, struct ctx *c)
{
	long sure = 0, most = 0, counted, slack = 64 * sysconf(_SC_NPROCESSORS_ONLN);
	struct smaps s = read_smaps(slot, c);

	for (int i = 0; i < PAGES; i++) {
		most += c->m->page[i].own;
		sure += c->m->page[i].own && !c->m->page[i].loose;
	}
	if (s.anon < sure || s.anon > most)
		fail(c, -1, "smaps has %ld anonymous pages in the windows, not %ld to %ld", s.anon,
		     sure, most);
	counted = status_field(S->pid[slot], "RssAnon") / 4;
	if (counted < s.all_anon - slack || counted > s.all_anon + slack)
		fail(c, -1, "RssAnon is %ld pages, smaps has %ld", counted, s.all_anon);
}

/* No more tables than the windows and the program can need. */
static void check_tables(int slot, struct ctx *c)
{
	long tables = status_field(S->pid[slot], "VmPTE") / 4, most = 60;

	for (int w = 0; w < WINDOWS; w++)
		most += window[w].pages / 512 + 2 + 3;
	if (tables < 1 || tables > most)
		fail(c, -1, "VmPTE is %ld tables, not 1 to %ld", tables, most);
}

/** account() - check what /proc says of the process of a slot */
void account(int slot)
{
	struct ctx c = { .m = &S->model[slot], .slot = slot };

	check_pagemap(slot, &c);
	check_smaps(slot, &c);
	check_tables(slot, &c);
}

static int by_value(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* How many of @n sorted frames are @frame. */
static long occurrences(const unsigned long *sorted, long n, unsigned long frame)
{
	long low = 0, high = n, first;

	while (low < high) {
		long middle = (low + high) / 2;

		if (sorted[middle] < frame)
			low = middle + 1;
		else
			high = middle;
	}
	for (first = low; low < n && sorted[low] == frame; low++)
		;
	return low - first;
}

static void check_shares(int slot, const unsigned long *sorted, long n, unsigned long zero)
{
	struct ctx c = { .slot = slot };
	struct smaps s = read_smaps(slot, &c);
	double pss = 0;
	long rss = 0;

	for (int i = 0; i < PAGES; i++) {
		unsigned long frame = entry[slot][i] & FRAME;

		if (!(entry[slot][i] & PRESENT) || frame == zero)
			continue;
		rss += 4;
		pss += 4.0 / occurrences(sorted, n, frame);
	}
	if (s.rss != rss)
		fail(&c, -1, "smaps has Rss %ld kB, pagemap %ld", s.rss, rss);
	/* Each area's sum is rounded down, and each page's share a little. */
	if (s.pss > pss + 1 || s.pss < pss - s.areas - 8)
		fail(&c, -1, "smaps has Pss %ld kB in %ld areas, the frames make it %.1f", s.pss,
		     s.areas, pss);
}

/**
 * account_frames() - check Rss and Pss of all processes against their frames
 *
 * Nothing else maps these frames, so who has them can be counted.
 */
void account_frames(void)
{
	unsigned long *all = malloc(sizeof(entry)), zero;
	long n = 0;
	char *p;

	p = mmap(NULL, PG, RW, PRIVATE_ANON, -1, 0);
	peek(p);
	zero = frame_of(getpid(), p);
	munmap(p, PG);
	for (int s = 0; s < SLOTS; s++) {
		struct ctx c = { .slot = s };

		if (!S->alive[s] || !read_pagemap(s, &c))
			continue;
		for (int i = 0; i < PAGES; i++) {
			if (entry[s][i] & PRESENT)
				all[n++] = entry[s][i] & FRAME;
		}
	}
	qsort(all, n, sizeof(*all), by_value);
	for (int s = 0; s < SLOTS; s++) {
		if (S->alive[s])
			check_shares(s, all, n, zero);
	}
	free(all);
}

/**
 * settled() - has what processes used come back?
 * @first:	take the present as what is normal
 * @why:	what has not, if false is returned
 * @len:	its size
 *
 * Frees are late (RCU, per-processor lists and counts), so this waits for it.
 */
bool settled(bool first, char *why, size_t len)
{
	static const char * const key[] = { "PageTables", "AnonPages", "Mlocked" };
	static const long slack[] = { 400, 2000, 400 };
	static long normal[ARRAY_SIZE(key)];
	bool good = false;

	for (int try = 0; try < 100 && !good; try++) {
		if (try)
			usleep(100000);
		write_text("/proc/sys/vm/stat_refresh", "1");
		good = true;
		for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
			long v = field_kib("/proc/meminfo", key[i]);

			if (first)
				normal[i] = v;
			if (v <= normal[i] + slack[i] && v >= normal[i] - slack[i])
				continue;
			good = false;
			snprintf(why, len, "%s was %ld kB and is %ld kB after all have gone",
				 key[i], normal[i], v);
		}
	}
	return good;
}

/**
 * kernel_complained() - did the kernel print a warning since the last call?
 * @line:	gets it
 * @len:	its size
 */
bool kernel_complained(char *line, size_t len)
{
	static const char * const bad[] = {
		"WARNING:", "BUG:", "BUG ", "Oops", "KASAN:", "UBSAN:", "page_table_check",
		"kernel BUG at", "general protection", "possible circular", "INFO: task",
	};
	static int fd = -1;
	char record[2000], *text;
	ssize_t n;

	if (fd < 0) {
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		lseek(fd, 0, SEEK_END);
	}
	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = 0;
		text = strchr(record, ';');
		if (!text++)
			continue;
		text[strcspn(text, "\n")] = 0;
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			if (!strncmp(text, bad[i], strlen(bad[i]))) {
				snprintf(line, len, "%s", text);
				return true;
			}
		}
	}
	return false;
}
