// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the speed measure that are about mapped files and shared memory.
 * A figure is the cost of one access to a page that is in the page cache but
 * not in the page table; all pages of a new mapping are visited in order.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "speed.h"

static void file_fault(const struct row *r, double *cost)
{
	static const struct {
		int how;
		bool write;
	} kind[FIGURES] = { { MAP_SHARED, false }, { MAP_SHARED, true }, { MAP_PRIVATE, true } };
	const size_t len = r->n * page_size();

	for (int i = 0; i < FIGURES; i++) {
		int fd = speed_file(r->fs, len);
		char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, kind[i].how, fd, 0);
		unsigned long long t = speed_start(i);

		if (p == MAP_FAILED)
			speed_die("mmap of a file");
		if (kind[i].write)
			touch_pages(p, r->n);
		else
			look_pages(p, r->n);
		cost[i] = speed_each(i, t, r->n);
		munmap(p, len);
		close(fd);
	}
}

/* Shared anonymous memory: the first touch makes the page. */
static void shmem_touch(const struct row *r, double *cost)
{
	const size_t len = r->n * page_size();
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long long t = speed_start(0);

	if (p == MAP_FAILED)
		speed_die("mmap of shared memory");
	touch_pages(p, r->n);
	cost[0] = speed_each(0, t, r->n);
	munmap(p, len);
}

const struct row file_rows[] = {
	{ file_fault, 4096, .fs = ON_TMPFS, .repeats = 9, .figure = {
		{ "tmpfs_read", "file mapping on tmpfs, read" },
		{ "tmpfs_shared_write", "file mapping on tmpfs, shared write" },
		{ "tmpfs_private_copy", "file mapping on tmpfs, private copy" } } },
	{ file_fault, 4096, .fs = ON_EXT4, .repeats = 9, .figure = {
		{ "ext4_read", "file mapping on ext4, read" },
		{ "ext4_shared_write", "file mapping on ext4, shared write" },
		{ "ext4_private_copy", "file mapping on ext4, private copy" } } },
	{ shmem_touch, 4096, .figure = {
		{ "shmem_touch", "first touch of shared memory" } } },
	{ NULL },
};
