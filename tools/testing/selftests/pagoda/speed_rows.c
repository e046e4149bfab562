// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the speed measure that are about memory.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "speed.h"

#define KIB		1024UL
#define MIB		(1024UL * KIB)

static unsigned long long null_syscall(unsigned long n)
{
	unsigned long long t = now_ns();

	while (n--)
		syscall(SYS_getppid);
	return now_ns() - t;
}

static unsigned long long touch_seq(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(n * page);
	unsigned long long t = now_ns();

	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
	t = now_ns() - t;
	munmap(p, n * page);
	return t;
}

/* @n is a power of two, so an odd multiplier visits every page once. */
static unsigned long long touch_random(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(n * page);
	unsigned long long t = now_ns();

	for (unsigned long i = 0; i < n; i++)
		touch(p + (i * 40503 & (n - 1)) * page);
	t = now_ns() - t;
	munmap(p, n * page);
	return t;
}

static unsigned long long touch_zero(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(n * page);
	unsigned long long t = now_ns();

	for (unsigned long i = 0; i < n; i++)
		look(p + i * page);
	t = now_ns() - t;
	munmap(p, n * page);
	return t;
}

static unsigned long long munmap_page(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(n * page);
	unsigned long long t;

	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
	t = now_ns();
	munmap(p, n * page);
	return now_ns() - t;
}

static unsigned long long map_unmap(unsigned long n)
{
	unsigned long long t = now_ns();

	while (n--)
		munmap(speed_map(16 * KIB), 16 * KIB);
	return now_ns() - t;
}

static unsigned long long map_touch_unmap(unsigned long n)
{
	unsigned long long t = now_ns();

	while (n--) {
		char *p = speed_map(16 * KIB);

		touch(p);
		munmap(p, 16 * KIB);
	}
	return now_ns() - t;
}

/* Splits an area in three, then merges the three again. */
static unsigned long long protect_pair(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(8 * page);
	unsigned long long t;

	for (int i = 0; i < 8; i++)
		touch(p + i * page);
	t = now_ns();
	while (n--) {
		mprotect(p + 3 * page, page, PROT_READ);
		mprotect(p + 3 * page, page, PROT_READ | PROT_WRITE);
	}
	t = now_ns() - t;
	munmap(p, 8 * page);
	return t;
}

/* Changes a whole area to and fro, without a split. */
static unsigned long long protect_whole(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(64 * page);
	unsigned long long t;

	for (int i = 0; i < 64; i++)
		touch(p + i * page);
	t = now_ns();
	while (n--) {
		mprotect(p, 64 * page, PROT_READ);
		mprotect(p, 64 * page, PROT_READ | PROT_WRITE);
	}
	t = now_ns() - t;
	munmap(p, 64 * page);
	return t;
}

static unsigned long long brk_pair(unsigned long n)
{
	char *at = sbrk(0);
	unsigned long long t = now_ns();

	while (n--) {
		brk(at + 64 * KIB);
		brk(at);
	}
	return now_ns() - t;
}

static unsigned long long brk_touch_pair(unsigned long n)
{
	char *at = sbrk(0);
	unsigned long long t = now_ns();

	while (n--) {
		brk(at + 64 * KIB);
		touch(at + 32 * KIB);
		brk(at);
	}
	return now_ns() - t;
}

/* Moves 4 MiB, all touched, between two places. */
static unsigned long long mremap_move(unsigned long n)
{
	const size_t len = 4 * MIB, page = page_size();
	char *a = speed_map(2 * len), *b = a + len, *swap;
	unsigned long long t;

	munmap(b, len);
	for (size_t i = 0; i < len; i += page)
		touch(a + i);
	t = now_ns();
	while (n--) {
		if (mremap(a, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, b) != b)
			speed_die("mremap");
		swap = a;
		a = b;
		b = swap;
	}
	t = now_ns() - t;
	munmap(a, len);
	return t;
}

/* The same between places that differ within a table, so entries must move. */
static unsigned long long mremap_entries(unsigned long n)
{
	const size_t len = 256 * KIB, page = page_size();
	char *a = speed_map(2 * len + page), *b = a + len + page, *swap;
	unsigned long long t;

	munmap(a + len, len + page);
	for (size_t i = 0; i < len; i += page)
		touch(a + i);
	t = now_ns();
	while (n--) {
		if (mremap(a, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, b) != b)
			speed_die("mremap");
		swap = a;
		a = b;
		b = swap;
	}
	t = now_ns() - t;
	munmap(a, len);
	return t;
}

/* Fault every page of a file that is in the page cache. */
static unsigned long long file_fault(unsigned long n, int how, bool write)
{
	const size_t page = page_size();
	int fd = speed_file(n * page);
	char *p = mmap(NULL, n * page, PROT_READ | PROT_WRITE, how, fd, 0);
	unsigned long long t;

	if (p == MAP_FAILED)
		speed_die("mmap of a file");
	t = now_ns();
	for (unsigned long i = 0; i < n; i++) {
		if (write)
			touch(p + i * page);
		else
			look(p + i * page);
	}
	t = now_ns() - t;
	munmap(p, n * page);
	close(fd);
	return t;
}

static unsigned long long file_read(unsigned long n)
{
	return file_fault(n, MAP_SHARED, false);
}

static unsigned long long shared_write(unsigned long n)
{
	return file_fault(n, MAP_SHARED, true);
}

static unsigned long long private_copy(unsigned long n)
{
	return file_fault(n, MAP_PRIVATE, true);
}

static unsigned long long shmem_touch(unsigned long n)
{
	const size_t page = page_size();
	char *p = mmap(NULL, n * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long long t = now_ns();

	if (p == MAP_FAILED)
		speed_die("mmap of shared memory");
	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
	t = now_ns() - t;
	munmap(p, n * page);
	return t;
}

static unsigned long long dontneed_refault(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(16 * page);
	unsigned long long t;

	touch(p + 5 * page);
	t = now_ns();
	while (n--) {
		madvise(p + 5 * page, page, MADV_DONTNEED);
		touch(p + 5 * page);
	}
	t = now_ns() - t;
	munmap(p, 16 * page);
	return t;
}

static unsigned long long populate(unsigned long n)
{
	const size_t len = n * page_size();
	unsigned long long t = now_ns();
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	t = now_ns() - t;
	if (p == MAP_FAILED)
		speed_die("mmap with MAP_POPULATE");
	munmap(p, len);
	return t;
}

static unsigned long long mlock_pair(unsigned long n)
{
	const size_t page = page_size();
	char *p = speed_map(16 * page);
	unsigned long long t;

	for (int i = 0; i < 16; i++)
		touch(p + i * page);
	t = now_ns();
	while (n--) {
		mlock(p + 4 * page, 4 * page);
		munlock(p + 4 * page, 4 * page);
	}
	t = now_ns() - t;
	munmap(p, 16 * page);
	return t;
}

static unsigned long long mincore_page(unsigned long n)
{
	static unsigned char vec[16384];
	const size_t page = page_size();
	char *p = speed_map(n * page);
	unsigned long long t;

	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
	t = now_ns();
	if (mincore(p, n * page, vec))
		speed_die("mincore");
	t = now_ns() - t;
	munmap(p, n * page);
	return t;
}

const struct row memory_rows[] = {
	{ "null_syscall", null_syscall, 20000 },
	{ "touch_seq", touch_seq, 4096 },
	{ "touch_random", touch_random, 16384 },
	{ "touch_zero", touch_zero, 4096 },
	{ "populate", populate, 4096 },
	{ "munmap_page", munmap_page, 4096 },
	{ "map_unmap", map_unmap, 2000 },
	{ "map_touch_unmap", map_touch_unmap, 2000 },
	{ "protect_pair", protect_pair, 2000 },
	{ "protect_whole", protect_whole, 1000 },
	{ "brk_pair", brk_pair, 2000 },
	{ "brk_touch_pair", brk_touch_pair, 1000 },
	{ "mremap_4m", mremap_move, 500 },
	{ "mremap_entries", mremap_entries, 200 },
	{ "dontneed_refault", dontneed_refault, 2000 },
	{ "mlock_pair", mlock_pair, 1000 },
	{ "mincore_page", mincore_page, 4096 },
	{ "file_read", file_read, 2048 },
	{ "shared_write", shared_write, 2048 },
	{ "private_copy", private_copy, 2048 },
	{ "shmem_touch", shmem_touch, 2048 },
	{ NULL, NULL, 0 },
};
