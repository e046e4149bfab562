// SPDX-License-Identifier: GPL-2.0
/*
 * Step 4: sharing.
 *
 * Two processes run one program: frame numbers tell what they share. Then two
 * processes map one file of the ext4 disk, and the disk's own blocks tell what
 * has reached it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tour.h"

#define LIBC_PAGES	1024
#define FILE_PAGES	4

/* The first area of the C library with these permissions. */
static struct area libc_area(pid_t pid, const char *prot)
{
	struct area v[64];
	int n = maps_read(pid, v, 64);

	for (int i = 0; i < n; i++) {
		if (strstr(v[i].name, "libc") && !strncmp(v[i].prot, prot, 3))
			return v[i];
	}
	give_up("process %d has no %s area of libc", pid, prot);
}

/* Compare an area of two processes page by page. */
static void compare(pid_t a, pid_t b, const char *prot, bool shared)
{
	struct area x = libc_area(a, prot), y = libc_area(b, prot);
	static unsigned long f[LIBC_PAGES], g[LIBC_PAGES];
	int pages = (x.end - x.start) / page_size(), same = 0, differ = 0, first = -1;

	if (pages > LIBC_PAGES)
		pages = LIBC_PAGES;
	frames_of(a, (void *)x.start, pages, f);
	frames_of(b, (void *)y.start, pages, g);
	for (int i = 0; i < pages; i++) {
		if (!f[i] || !g[i])
			continue;
		first = first < 0 ? i : first;
		same += f[i] == g[i];
		differ += f[i] != g[i];
	}
	if (first >= 0) {
		saw("libc %s  %d: %lx on frame %lx", prot, a, x.start + first * page_size(),
		    f[first]);
		saw("          %d: %lx on frame %lx", b, y.start + first * page_size(), g[first]);
	}
	if (shared)
		check(same && !differ,
		      "libc's text: %d pages present in both, all in the same frames", same);
	else
		check(differ, "libc's written data: %d pages in different frames", differ);
}

static void same_program(void)
{
	unsigned long da, db, old;
	struct demo a, b;

	say("Two processes run the same dynamically linked program:");
	demo_start(&a, demo_path(), false);
	demo_start(&b, demo_path(), false);
	compare(a.pid, b.pid, "r-x", true);
	compare(a.pid, b.pid, "rw-", false);
	da = demo_ask(&a, "d", 0) + 64;
	db = demo_ask(&b, "d", 0) + 64;
	old = demo_ask(&b, "r", db);
	demo_ask(&a, "r", da);
	saw("a page of the program's data, only read so far: frames %lx and %lx",
	    frame_of(a.pid, (void *)da), frame_of(b.pid, (void *)db));
	check(frame_of(a.pid, (void *)da) == frame_of(b.pid, (void *)db),
	      "data nobody has written is shared as well");
	demo_ask(&a, "w", da);
	saw("after process %d wrote to it: frames %lx and %lx", a.pid,
	    frame_of(a.pid, (void *)da), frame_of(b.pid, (void *)db));
	check(frame_of(a.pid, (void *)da) != frame_of(b.pid, (void *)db) &&
	      demo_ask(&a, "r", da) != old && demo_ask(&b, "r", db) == old,
	      "each has its own once one writes, and the other sees nothing of it");
	demo_end(&a);
	demo_end(&b);
}

/* Byte position on the disk of the first byte of a file, 0 if unknown. */
static unsigned long disk_place(int fd)
{
	struct { struct fiemap map; struct fiemap_extent ext; } q;

	memset(&q, 0, sizeof(q));
	q.map.fm_length = page_size();
	q.map.fm_flags = FIEMAP_FLAG_SYNC;
	q.map.fm_extent_count = 1;
	if (ioctl(fd, FS_IOC_FIEMAP, &q.map) || !q.map.fm_mapped_extents)
		return 0;
	return q.map.fm_extents[0].fe_physical;
}

/* Read a line of text from the disk itself, past every cache. */
static void disk_text(unsigned long place, char *text, size_t len)
{
	int fd = open(disk_device(), O_RDONLY | O_DIRECT);
	void *buf = NULL;

	text[0] = 0;
	if (fd < 0 || posix_memalign(&buf, 4096, 4096))
		give_up("%s: %s", disk_device(), strerror(errno));
	if (pread(fd, buf, 4096, place) == 4096)
		snprintf(text, len, "%s", (char *)buf);
	free(buf);
	close(fd);
}

static char *map_file(int fd, int how)
{
	char *p = mmap(NULL, FILE_PAGES * page_size(), PROT_READ | PROT_WRITE, how, fd, 0);

	if (p == MAP_FAILED)
		give_up("mmap of a file: %s", strerror(errno));
	return p;
}

/* Run @does in a child on the two mappings and wait for it. */
static void other_process(void (*does)(char *, char *), char *shared, char *private)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		does(shared, private);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		give_up("the other process failed (status %x)", status);
}

static const char by_shared[] = "written through MAP_SHARED";
static const char by_private[] = "written through MAP_PRIVATE";

static void write_both(char *shared, char *private)
{
	memcpy(shared, by_shared, sizeof(by_shared));
	memcpy(private + page_size(), by_private, sizeof(by_private));
	if (strcmp(private, by_shared) ||
	    strcmp(private + page_size(), by_private))
		_exit(1);
}

static void same_file(void)
{
	char path[256], text[64], again[64] = "";
	unsigned long place, frame;
	char *shared, *private;
	bool right;
	int fd;

	say("A file of %d pages on %s (ext4) is mapped twice, MAP_SHARED and MAP_PRIVATE,",
	    FILE_PAGES, disk_device());
	say("and a second process writes to the first page of one, the second of the other:");
	snprintf(path, sizeof(path), "%s/shared", disk_mount());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || ftruncate(fd, FILE_PAGES * page_size()) ||
	    pwrite(fd, "before", 7, 0) != 7 || pwrite(fd, "before", 7, page_size()) != 7 ||
	    fsync(fd))
		give_up("%s: %s", path, strerror(errno));
	place = disk_place(fd);
	shared = map_file(fd, MAP_SHARED);
	private = map_file(fd, MAP_PRIVATE);
	right = peek(shared) == 'b' && peek(private) == 'b';
	frame = frame_of(0, shared);
	check(right && frame && frame == frame_of(0, private),
	      "unwritten, both show the file's own frame (%lx)", frame);
	other_process(write_both, shared, private);
	saw("this process reads page 0: \"%s\"", shared);
	saw("this process reads page 1: \"%s\"", private + page_size());
	check(!strcmp(shared, by_shared), "the MAP_SHARED write is seen here");
	check(!strcmp(private + page_size(), "before"), "the MAP_PRIVATE write is not");
	if (pread(fd, text, sizeof(text), 0) < 0 || pread(fd, again, 8, page_size()) < 0)
		give_up("pread: %s", strerror(errno));
	check(!strcmp(text, shared) && !strcmp(again, "before"),
	      "read() finds the first in the file, and never the second");

	say("msync() puts shared writes on the disk:");
	disk_text(place, text, sizeof(text));
	saw("block at byte %lu before: \"%s\"", place, text);
	if (msync(shared, page_size(), MS_SYNC))
		give_up("msync: %s", strerror(errno));
	disk_text(place, text, sizeof(text));
	saw("block at byte %lu after:  \"%s\"", place, text);
	check(place && !strcmp(text, by_shared),
	      "the disk's own block holds the write");
	munmap(shared, FILE_PAGES * page_size());
	munmap(private, FILE_PAGES * page_size());
	close(fd);
	disk_umount();
	disk_mount();
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, text, sizeof(text), 0) < 0 || pread(fd, again, 8, page_size()) < 0)
		give_up("%s after remount: %s", path, strerror(errno));
	saw("after unmounting and mounting: \"%s\", \"%s\"", text, again);
	check(!strcmp(text, by_shared) && !strcmp(again, "before"),
	      "remounted, the file has the shared write and not the private one");
	close(fd);
	unlink(path);
	disk_umount();
}

void tour_sharing(void)
{
	same_program();
	same_file();
}
