// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of each call fails once, where the kernel can do that: the
 * call must either work or be ENOMEM and have changed nothing.
 */
#include "nommu.h"

#define INJECT_MOST	200

static char inject_room[2][4096];
static long inject_file;

static long inject_number(const char *path, int value)
{
	long fd = open_file(path, O_RDWR), got;
	const char *digit = value ? "1" : "0";

	if (failed(fd))
		return fd;
	got = call(NR_write, fd, digit, 1);
	call(NR_close, fd);
	return got;
}

/* Let the allocator fail for callers who can wait as well. */
int inject_ready(void)
{
	call(NR_mount, "debug", "/debug", "debugfs", 0, 0);
	if (failed(inject_number("/debug/failslab/ignore-gfp-wait", 0)))
		return 0;
	inject_number("/debug/fail_page_alloc/ignore-gfp-wait", 0);
	inject_number("/debug/fail_page_alloc/min-order", 0);
	return 1;
}

static void inject_arm(int n)
{
	char text[4] = { '0' + n / 100, '0' + n / 10 % 10, '0' + n % 10, 0 };

	call(NR_lseek, inject_file, 0, 0);
	call(NR_write, inject_file, text, 3);
}

/* Whether the failure has come. */
static int inject_came(void)
{
	char text[8] = { };

	call(NR_lseek, inject_file, 0, 0);
	call(NR_read, inject_file, text, sizeof(text) - 1);
	inject_arm(0);
	return text[0] == '0';
}

static void inject_look(char *room)
{
	long fd = open_file("/proc/self/maps", 0), got, n = 0;
	const char *copied;

	while (n < 3500) {
		got = call(NR_read, fd, room + n, 3500 - n);
		if (got <= 0)
			break;
		n += got;
	}
	call(NR_close, fd);
	fd = open_file("/proc/meminfo", 0);
	room[n++] = '\n';
	got = call(NR_read, fd, room + n, 4095 - n);
	room[n + (got > 0 ? got : 0)] = 0;
	call(NR_close, fd);
	/* Of meminfo only what is allocated for mappings. */
	copied = find(room + n, "MmapCopy");
	for (got = 0; copied && copied[got] && copied[got] != '\n'; got++)
		room[n + got] = copied[got];
	room[n + got] = 0;
}

/**
 * inject() - let a call's allocations fail one by one
 * @act: the call; gets what @before returned
 * @before: makes the scene, or a null pointer
 * @after: takes down the scene and what @act has made
 *
 * Return: 0 if it always failed cleanly, else what came instead.
 */
static long inject(long (*act)(long), long (*before)(void),
		   long (*after)(long, long))
{
	int n, came = 1, failures = 0;
	long at, got, err = 0;

	inject_file = open_file("/proc/self/fail-nth", O_RDWR);
	if (failed(inject_file))
		return inject_file;
	for (n = 1; came && !err && n < INJECT_MOST; n++) {
		at = before ? before() : 0;
		inject_look(inject_room[0]);
		inject_arm(n);
		got = act(at);
		came = inject_came();
		if (failed(got)) {
			failures++;
			inject_look(inject_room[1]);
			if (got != -ENOMEM)
				err = got;
			else if (!same(inject_room[0], inject_room[1]))
				err = 1;
			else
				got = act(at);	/* nothing fails now */
		}
		if (!err)
			err = after(at, got);
	}
	call(NR_close, inject_file);
	if (!err && (came || !failures))
		err = 2;
	return err;
}

static long four_pages(void)
{
	return map(4, PROT_RW, MAP_ANON);
}

static long drop_four(long at, long got)
{
	return call(NR_munmap, got, 4 * page_size) + 0 * at;
}

static long act_map(long at)
{
	return map(4, PROT_RW, MAP_ANON) + 0 * at;
}

static long inject_map(void)
{
	return inject(act_map, 0, drop_four);
}

static long four_of_file(void)
{
	long fd = open_file("/tmp/inject", O_RDWR | O_CREAT);

	call(NR_ftruncate, fd, 4 * page_size);
	return fd;
}

static long drop_file(long fd, long got)
{
	call(NR_close, fd);
	return failed(got) ? got : call(NR_munmap, got, 4 * page_size);
}

static long act_shared(long fd)
{
	return map_file(fd, 0, 4, PROT_RW, MAP_SHARED);
}

static long act_private(long fd)
{
	return map_file(fd, 0, 4, PROT_RW, MAP_PRIVATE);
}

static long inject_shared(void)
{
	return inject(act_shared, four_of_file, drop_file);
}

static long inject_private(void)
{
	return inject(act_private, four_of_file, drop_file);
}

static long act_unmap(long at)
{
	return call(NR_munmap, at, 4 * page_size);
}

static long nothing_left(long at, long got)
{
	return got + 0 * at;
}

/* munmap needs no memory as long as the tree does not. */
static long act_hole(long at)
{
	return call(NR_munmap, at + page_size, page_size);
}

static long drop_around(long at, long got)
{
	long err = call(NR_munmap, at, page_size);

	if (!err)
		err = call(NR_munmap, at + 2 * page_size, 2 * page_size);
	return got ? got : err;
}

static long inject_hole(void)
{
	return inject(act_hole, four_pages, drop_around);
}

static long inject_unmap(void)
{
	long err = inject(act_unmap, four_pages, nothing_left);

	return err == 2 ? 0 : err;
}

static long act_shrink(long at)
{
	return call(NR_mremap, at, 4 * page_size, 2 * page_size, 0);
}

static long drop_two(long at, long got)
{
	return got == at ? call(NR_munmap, at, 2 * page_size) : 1;
}

static long inject_shrink(void)
{
	long err = inject(act_shrink, four_pages, drop_two);

	return err == 2 ? 0 : err;
}

const struct row rows_inject[] = {
	{ "mmap, anonymous", "works or ENOMEM", inject_map },
	{ "mmap, shared file", "works or ENOMEM", inject_shared },
	{ "mmap, private file", "works or ENOMEM", inject_private },
	{ "munmap", "works or ENOMEM", inject_unmap },
	{ "munmap of a hole", "works or ENOMEM", inject_hole },
	{ "mremap, smaller", "works or ENOMEM", inject_shrink },
	{ }
};
