// SPDX-License-Identifier: GPL-2.0
/*
 * The table: files and devices.
 */
#include "nommu.h"

/* A file of ramfs with some pages, the first word of each its number + 1. */
static long file_of(unsigned long pages)
{
	long fd = open_file("/tmp/file", O_RDWR | O_CREAT), word;
	unsigned long i;

	call(NR_ftruncate, fd, 0);
	call(NR_ftruncate, fd, pages * page_size);
	for (i = 0; i < pages; i++) {
		word = i + 1;
		call(NR_lseek, fd, i * page_size, 0);
		call(NR_write, fd, &word, sizeof(word));
	}
	return fd;
}

static long file_word(long fd, unsigned long page)
{
	long word = 0;

	call(NR_lseek, fd, page * page_size, 0);
	call(NR_read, fd, &word, sizeof(word));
	return word;
}

static long file_shared(void)
{
	long fd = file_of(4), at = map_file(fd, 1, 2, PROT_RW, MAP_SHARED);

	if (failed(at))
		return at;
	if (*(long *)at != 2)
		return 1;
	*(long *)(at + page_size) = 88;
	if (file_word(fd, 2) != 88)
		return 2;
	call(NR_close, fd);
	return call(NR_munmap, at, 2 * page_size);
}

static long file_private(void)
{
	long fd = file_of(3), at = map_file(fd, 0, 3, PROT_RW, MAP_PRIVATE);

	if (failed(at))
		return at;
	*(long *)at = 55;
	if (*(long *)(at + 2 * page_size) != 3 || file_word(fd, 0) != 1)
		return 1;
	call(NR_close, fd);
	return call(NR_munmap, at, 3 * page_size);
}

static long file_read_only(void)
{
	long fd = file_of(2), one, two;

	/* The page cache itself: at one place for both. */
	one = map_file(fd, 0, 2, PROT_READ, MAP_PRIVATE);
	two = map_file(fd, 1, 1, PROT_RW, MAP_PRIVATE);
	if (failed(one) || failed(two))
		return failed(one) ? one : two;
	call(NR_lseek, fd, 0, 0);
	call(NR_write, fd, &two, sizeof(two));
	if (*(long *)one != two || *(long *)two != 2)
		return 1;
	call(NR_close, fd);
	call(NR_munmap, two, page_size);
	return call(NR_munmap, one, 2 * page_size);
}

static long file_tail(void)
{
	long fd = file_of(1), at = map_file(fd, 0, 2, PROT_RW, MAP_PRIVATE);

	if (failed(at))
		return at;
	/* With an MMU this would be a SIGBUS. */
	if (*(long *)at != 1 || *(long *)(at + page_size))
		return 1;
	call(NR_close, fd);
	return call(NR_munmap, at, 2 * page_size);
}

static long file_beyond(void)
{
	long fd = file_of(1), err;

	err = must_be(map_file(fd, 0, 2, PROT_RW, MAP_SHARED), -ENODEV);
	call(NR_close, fd);
	return err;
}

static long file_truncated(void)
{
	long fd = file_of(4), at = map_file(fd, 0, 4, PROT_RW, MAP_SHARED), err;

	if (failed(at))
		return at;
	err = must_be(call(NR_ftruncate, fd, page_size), -ETXTBSY);
	call(NR_munmap, at, 4 * page_size);
	if (!err)
		err = call(NR_ftruncate, fd, page_size);
	call(NR_close, fd);
	return err;
}

static long file_part(void)
{
	long fd = file_of(2), at = map_file(fd, 0, 2, PROT_RW, MAP_PRIVATE), err;

	err = must_be(call(NR_munmap, at, page_size), -EINVAL);
	call(NR_close, fd);
	return err ? err : call(NR_munmap, at, 2 * page_size);
}

static long file_remap(void)
{
	long fd = file_of(2), at = map_file(fd, 0, 2, PROT_RW, MAP_SHARED), err;

	err = must_be(call(NR_mremap, at, 2 * page_size, page_size, 0), -EPERM);
	call(NR_close, fd);
	return err ? err : call(NR_munmap, at, 2 * page_size);
}

static long file_rights(void)
{
	long fd, err;

	call(NR_close, file_of(1));
	fd = open_file("/tmp/file", 0);
	err = must_be(map_file(fd, 0, 1, PROT_RW, MAP_SHARED), -EACCES);
	call(NR_close, fd);
	return err;
}

static long disk_private(void)
{
	long fd = open_file("/dev/ram0", O_RDWR), word = 4711, at;

	if (failed(fd))
		return fd;
	call(NR_write, fd, &word, sizeof(word));
	at = map_file(fd, 0, 1, PROT_RW, MAP_PRIVATE);
	call(NR_close, fd);
	if (failed(at))
		return at;
	return *(long *)at != word ? 1 : call(NR_munmap, at, page_size);
}

static long disk_shared(void)
{
	long fd = open_file("/dev/ram0", O_RDWR), err;

	err = must_be(map_file(fd, 0, 1, PROT_READ, MAP_SHARED), -ENODEV);
	call(NR_close, fd);
	return err;
}

static long zero_device(void)
{
	long fd = open_file("/dev/zero", O_RDWR), err;

	err = must_be(map_file(fd, 0, 1, PROT_RW, MAP_PRIVATE), -EINVAL);
	call(NR_close, fd);
	return err;
}

static long memory_device(void)
{
	long mine = map(1, PROT_RW, MAP_ANON), fd, at;

	*(long *)mine = 99;
	fd = open_file("/dev/mem", O_RDWR);
	if (failed(fd))
		return fd;
	call(NR_munmap, mine, page_size);
	/* Physical memory is at its address, the only one it can be at. */
	at = map_file(fd, mine / page_size, 1, PROT_READ, MAP_SHARED);
	call(NR_close, fd);
	return at == mine ? call(NR_munmap, at, page_size) : at;
}

static long pipe_end(void)
{
	int end[2];
	long err = call(NR_pipe2, end, 0);

	if (err)
		return err;
	err = must_be(map_file(end[0], 0, 1, PROT_READ, MAP_PRIVATE), -ENODEV);
	call(NR_close, end[0]);
	call(NR_close, end[1]);
	return err;
}

static long memory_file(void)
{
	return must_be(call(NR_memfd_create, "test", 0), -EFBIG);
}

static long shared_memory(void)
{
	long id = call(NR_shmget, 0, 2 * page_size, 01600), err;

	if (failed(id))
		return id;
	err = must_be(call(NR_shmat, id, 0, 0), -ENODEV);
	call(NR_shmctl, id, 0, 0);
	return err;
}

static long own_memory(void)
{
	long mine = map(1, PROT_RW, MAP_ANON), word = 0, fd, got;

	*(long *)mine = 31;
	fd = open_file("/proc/self/mem", O_RDWR);
	if (failed(fd))
		return fd;
	call(NR_lseek, fd, mine, 0);
	got = call(NR_read, fd, &word, sizeof(word));
	call(NR_close, fd);
	call(NR_munmap, mine, page_size);
	return got == sizeof(word) && word == 31 ? 0 : got ? got : 1;
}

const struct row rows_file[] = {
	{ "mmap, ramfs file, shared", "works: the page cache itself",
	  file_shared },
	{ "mmap, file, private, writable", "works: a copy", file_private },
	{ "mmap, ramfs file, private, read-only",
	  "works: the page cache itself", file_read_only },
	{ "mmap, private, beyond the file's end", "works: zeroes",
	  file_tail },
	{ "mmap, shared, beyond the file's end", "ENODEV", file_beyond },
	{ "mmap, shared, writable, file opened to read", "EACCES",
	  file_rights },
	{ "ftruncate of pages that are mapped", "ETXTBSY", file_truncated },
	{ "munmap of a part of a file's", "EINVAL", file_part },
	{ "mremap of shared memory", "EPERM", file_remap },
	{ "mmap, disk, private", "works: a copy", disk_private },
	{ "mmap, disk, shared", "ENODEV", disk_shared },
	{ "mmap, /dev/zero, private", "EINVAL: the kernel cannot read it",
	  zero_device },
	{ "mmap, /dev/mem, shared", "works, at the address of the memory",
	  memory_device },
	{ "mmap of a pipe", "ENODEV", pipe_end },
	{ "memfd_create", "EFBIG: a file of no length", memory_file },
	{ "shmat", "ENODEV: its memory is not on offer", shared_memory },
	{ "/proc/self/mem", "works", own_memory },
	{ }
};
