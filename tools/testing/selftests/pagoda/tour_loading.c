// SPDX-License-Identifier: GPL-2.0
/*
 * Step 2: loading.
 *
 * A program of 5 MiB is put on the disk, the disk is remounted so that nothing
 * of the file is in memory, and the program is run. Its pages are watched
 * through /proc/PID/pagemap while it is told to touch them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tour.h"

#define RO_SIZE		(4 * MIB)
#define RW_SIZE		MIB
#define WRITES		6

/* What is at the start of each, in the file, counts these. */
#define UNIT		4096

/* Fields of /proc/PID/stat. */
#define MINFLT		10
#define MAJFLT		12

static void copy_file(const char *from, const char *to)
{
	static char buf[64 * KIB];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	if (in < 0 || out < 0)
		give_up("copy %s to %s: %s", from, to, strerror(errno));
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, n) != n)
			give_up("write %s: %s", to, strerror(errno));
	}
	close(in);
	close(out);
}

/* One character for @per pages: none, some or all of them present. */
static void draw(pid_t pid, unsigned long addr, int pages, int per)
{
	char row[65];
	int cell = 0;

	for (; cell < 64 && cell * per < pages; cell++) {
		long n = resident(pid, (void *)(addr + cell * per * page_size()), per);

		row[cell] = n == 0 ? '.' : n == per ? '#' : '+';
	}
	row[cell] = 0;
	saw("|%s|", row);
}

/* Pages of the program's file that are present, and all of them. */
static long file_pages(pid_t pid, const char *path, long *all)
{
	struct area v[64];
	int n = maps_read(pid, v, 64);
	long in = 0;

	*all = 0;
	for (int i = 0; i < n; i++) {
		long pages = (v[i].end - v[i].start) / page_size();

		if (strcmp(v[i].name, path))
			continue;
		*all += pages;
		in += resident(pid, (void *)v[i].start, pages);
	}
	return in;
}

/* Read pages far apart: each comes in, with the neighbours the kernel adds. */
static void read_pages(struct demo *d, unsigned long ro)
{
	const size_t page = page_size(), pages = RO_SIZE / page, per = pages / 64;
	long before = resident(d->pid, (void *)ro, pages), now = before;
	bool grew = true, there = true, right = true;

	saw("4 MiB of constants, one character for %zu pages (. none, + some, # all):", per);
	draw(d->pid, ro, pages, per);
	for (int i = 1; i <= 6; i++) {
		unsigned long addr = ro + i * 150 * UNIT / page * page;
		long was = now;

		right &= !frame_of(d->pid, (void *)addr);
		right &= demo_ask(d, "n", addr) == (addr - ro) / UNIT;
		now = resident(d->pid, (void *)ro, pages);
		grew &= now > was;
		there &= frame_of(d->pid, (void *)addr) != NO_FRAME;
		draw(d->pid, ro, pages, per);
	}
	check(right, "6 pages absent before, right bytes when read");
	check(there && grew, "each touch brought its page in: %ld present before, %ld after",
	      before, now);
	check(now < (long)pages / 2, "the %ld pages not asked for stayed away", pages - now);
}

/* The i-th page that is written to: all over the data. */
static int written_page(int i)
{
	return (20 + i * 40) * UNIT / page_size();
}

/* Write pages of private data: exactly the page written is copied in. */
static void write_pages(struct demo *d, unsigned long rw)
{
	const int size = page_size(), pages = RW_SIZE / size;
	unsigned long before[RW_SIZE / UNIT], after[RW_SIZE / UNIT];
	int wrote = 0, others = 0;

	frames_of(d->pid, (void *)rw, pages, before);
	for (int i = 0; i < WRITES; i++)
		demo_ask(d, "w", rw + written_page(i) * size + 100);
	frames_of(d->pid, (void *)rw, pages, after);
	saw("1 MiB of data, one character for %d pages, after %d pages were read and written:",
	    (pages + 63) / 64, WRITES);
	draw(d->pid, rw, pages, (pages + 63) / 64);
	for (int page = 0; page < pages; page++) {
		bool ours = false;

		for (int i = 0; i < WRITES; i++)
			ours |= page == written_page(i);
		if (ours)
			wrote += after[page] && after[page] != before[page];
		else
			others += before[page] && after[page] != before[page];
	}
	check(wrote == WRITES, "%d of %d written pages have a frame of their own", wrote, WRITES);
	check(others == 0, "no page that was present and not written has moved");
}

void tour_loading(void)
{
	unsigned long ro, rw, major;
	char path[256];
	struct demo d;
	struct stat st;
	long in, all;

	say("A program is copied to %s, which is then unmounted and mounted anew,",
	    disk_device());
	say("so that its pages are on the disk and nowhere else. Then it is run:");
	snprintf(path, sizeof(path), "%s/large", disk_mount());
	copy_file(demo_path(), path);
	disk_umount();
	disk_mount();
	if (stat(path, &st))
		give_up("%s: %s", path, strerror(errno));
	demo_start(&d, path, false);
	ro = demo_ask(&d, "o", 0);
	rw = demo_ask(&d, "d", 0);
	in = file_pages(d.pid, path, &all);
	major = stat_field(d.pid, MAJFLT);
	saw("the file: %ld KiB; mapped: %ld pages; present after exec: %ld pages",
	    (long)st.st_size / 1024, all, in);
	saw("page faults so far: %lu that waited for the disk, %lu that did not",
	    major, stat_field(d.pid, MINFLT));
	check(all > (long)(RO_SIZE / page_size()) && in * 4 < all,
	      "%ld%% of the program is in memory: it was not read in whole", in * 100 / all);
	check(major > 0, "what it needed to start was read from the disk when touched");
	read_pages(&d, ro);
	check(stat_field(d.pid, MAJFLT) > major, "%lu of these touches waited for the disk",
	      stat_field(d.pid, MAJFLT) - major);
	write_pages(&d, rw);
	demo_end(&d);
	unlink(path);
	disk_umount();
}
