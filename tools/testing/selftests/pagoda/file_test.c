// SPDX-License-Identifier: GPL-2.0
/*
 * Mapped files of ext4: shared writes, truncation and holes under a mapping.
 */
#include <linux/falloc.h>
#include <sys/statvfs.h>

#include "suite.h"

/* A file on the disk for each test, of 16 pages "a", "b", ... */
FIXTURE(file)
{
	int fd;
	char *s;		/* mapped shared */
	char *p;		/* mapped private */
};

FIXTURE_SETUP(file)
{
	self->fd = disk_file(16, 'a');
	if (self->fd < 0)
		SKIP(return, "no ext4 disk");
	fsync(self->fd);
	self->s = mmap(NULL, 16 * PG, RW, MAP_SHARED, self->fd, 0);
	self->p = mmap(NULL, 16 * PG, RW, MAP_PRIVATE, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->s);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(file)
{
	munmap(self->s, 16 * PG);
	munmap(self->p, 16 * PG);
	close(self->fd);
}

static char byte_at(int fd, size_t at)
{
	char c = '?';

	pread(fd, &c, 1, at);
	return c;
}

TEST_F(file, mapping_and_file_are_one)
{
	poke(self->s + 3 * PG, 'X');
	EXPECT_EQ('X', byte_at(self->fd, 3 * PG));
	EXPECT_EQ(1, pwrite(self->fd, "Y", 1, 4 * PG));
	EXPECT_EQ('Y', peek(self->s + 4 * PG));
	EXPECT_EQ('Y', peek(self->p + 4 * PG));
}

TEST_F(file, private_copies_stay_private)
{
	poke(self->p, 'P');
	EXPECT_EQ('a', byte_at(self->fd, 0));
	EXPECT_EQ('a', peek(self->s));
	/* Later writes to the file are not seen in the copied page... */
	EXPECT_EQ(2, pwrite(self->fd, "QQ", 2, 0));
	EXPECT_EQ('P', peek(self->p));
	EXPECT_EQ('a', peek(self->p + 1));
	/* ...but are in pages not yet copied. */
	EXPECT_EQ('b', peek(self->p + PG));
	EXPECT_EQ(1, pwrite(self->fd, "R", 1, PG));
	EXPECT_EQ('R', peek(self->p + PG));
}

TEST_F(file, writes_reach_the_disk)
{
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 16; i++)
			poke(self->s + i * PG + round, 'A' + i + round);
		ASSERT_EQ(0, msync(self->s, 16 * PG, MS_SYNC));
		munmap(self->p, 16 * PG);
		posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED);
		for (int i = 0; i < 16; i++)
			EXPECT_EQ('A' + i + round, byte_at(self->fd, i * PG + round));
	}
}

TEST_F(file, dirty_through_unmap)
{
	fill(self->s, 16, 'A');
	munmap(self->s, 16 * PG);
	munmap(self->p, 16 * PG);
	EXPECT_EQ(0, fsync(self->fd));
	posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED);
	self->s = mmap(NULL, 16 * PG, RW, MAP_SHARED, self->fd, 0);
	EXPECT_TRUE(filled(self->s, 16, 'A'));
}

TEST_F(file, sync_makes_time_move)
{
	struct stat a, b;

	poke(self->s, 'x');
	msync(self->s, PG, MS_SYNC);
	fstat(self->fd, &a);
	usleep(50000);
	poke(self->s, 'y');
	fstat(self->fd, &b);
	EXPECT_TRUE(b.st_mtim.tv_sec > a.st_mtim.tv_sec || b.st_mtim.tv_nsec != a.st_mtim.tv_nsec);
}

TEST_F(file, truncation_takes_pages_away)
{
	fill(self->s, 16, 'A');
	poke(self->p + 10 * PG, 'P');
	peek(self->p + 11 * PG);
	ASSERT_EQ(0, ftruncate(self->fd, 8 * PG + 100));
	EXPECT_EQ('I', peek(self->s + 8 * PG + 99));
	EXPECT_EQ(0, peek(self->s + 8 * PG + 100));
	EXPECT_EQ(BUS_BEYOND, try_read(self->s + 9 * PG));
	EXPECT_EQ(BUS_BEYOND, try_write(self->s + 15 * PG));
	/* Private copies go as well, copied or not. */
	EXPECT_EQ(BUS_BEYOND, try_read(self->p + 10 * PG));
	EXPECT_EQ(BUS_BEYOND, try_read(self->p + 11 * PG));
	EXPECT_EQ(0, resident(0, self->s + 9 * PG, 7));
	ASSERT_EQ(0, ftruncate(self->fd, 16 * PG));
	EXPECT_EQ(0, peek(self->s + 12 * PG));
	EXPECT_EQ(0, peek(self->p + 10 * PG));
	poke(self->s + 12 * PG, 'Z');
	EXPECT_EQ('Z', byte_at(self->fd, 12 * PG));
}

TEST_F(file, holes_take_shared_pages_and_leave_copies)
{
	fill(self->s, 16, 'A');
	poke(self->p + 5 * PG, 'P');
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       4 * PG, 4 * PG));
	EXPECT_EQ(0, resident(0, self->s + 4 * PG, 4));
	for (int i = 4; i < 8; i++)
		EXPECT_EQ(0, peek(self->s + i * PG));
	EXPECT_EQ('D', peek(self->s + 3 * PG));
	EXPECT_EQ('I', peek(self->s + 8 * PG));
	EXPECT_EQ('P', peek(self->p + 5 * PG));
	EXPECT_EQ(0, peek(self->p + 6 * PG));
	/* Writing into the hole gives it blocks again. */
	poke(self->s + 4 * PG, 'n');
	ASSERT_EQ(0, msync(self->s, 16 * PG, MS_SYNC));
	EXPECT_EQ('n', byte_at(self->fd, 4 * PG));
}

TEST_F(file, part_of_a_page_punched)
{
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       PG + 100, PG));
	EXPECT_EQ('b', peek(self->s + PG + 99));
	EXPECT_EQ(0, peek(self->s + PG + 100));
	EXPECT_EQ(0, peek(self->s + 2 * PG + 99));
	EXPECT_EQ('c', peek(self->s + 2 * PG + 100));
}

TEST_F(file, collapsed_range_moves_what_follows)
{
	fill(self->s, 16, 'A');
	if (fallocate(self->fd, FALLOC_FL_COLLAPSE_RANGE, 4 * PG, 4 * PG))
		SKIP(return, "no collapse here");
	EXPECT_EQ('D', peek(self->s + 3 * PG));
	EXPECT_EQ('I', peek(self->s + 4 * PG));
	EXPECT_EQ(BUS_BEYOND, try_read(self->s + 12 * PG));
}

TEST_F(file, sparse_file_filled_through_the_mapping)
{
	char *s;

	ASSERT_EQ(0, ftruncate(self->fd, 0));
	ASSERT_EQ(0, ftruncate(self->fd, 1 * MIB));
	s = mmap(NULL, 1 * MIB, RW, MAP_SHARED, self->fd, 0);
	for (size_t at = 0; at < 1 * MIB; at += 3 * PG) {
		EXPECT_EQ(0, peek(s + at));
		poke(s + at, 'f');
	}
	ASSERT_EQ(0, msync(s, 1 * MIB, MS_SYNC));
	munmap(s, 1 * MIB);
	posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED);
	for (size_t at = 0; at < 1 * MIB; at += PG)
		EXPECT_EQ(at % (3 * PG) ? 0 : 'f', byte_at(self->fd, at));
}

TEST_F(file, full_disk_is_a_bus_error)
{
	int how = NO_FAULT, rest = disk_file(1, 'r');
	struct statvfs v;
	char *s;

	/* Take nearly all of the disk; a hole then promises more than is left. */
	ASSERT_EQ(0, fstatvfs(rest, &v));
	ASSERT_EQ(0, fallocate(rest, 0, 0, v.f_bavail * v.f_frsize - 4 * MIB));
	ASSERT_EQ(0, ftruncate(self->fd, 256 * MIB));
	s = mmap(NULL, 256 * MIB, RW, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, s);
	for (size_t at = 32 * PG; at < 256 * MIB && how == NO_FAULT; at += PG)
		how = try_write(s + at);
	EXPECT_EQ(BUS_BEYOND, how);
	EXPECT_EQ('b', peek(s + PG));
	munmap(s, 256 * MIB);
	close(rest);
	EXPECT_EQ(0, ftruncate(self->fd, 16 * PG));
}

TEST_F(file, two_processes_share_it)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		poke(self->s + 2 * PG, 'C');
		poke(self->p + 2 * PG, 'D');
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ('C', peek(self->s + 2 * PG));
	EXPECT_EQ('C', peek(self->p + 2 * PG));
}

TEST_F(file, removed_while_mapped)
{
	fill(self->s, 16, 'A');
	close(self->fd);
	EXPECT_TRUE(filled(self->s, 16, 'A'));
	EXPECT_EQ(0, msync(self->s, 16 * PG, MS_SYNC));
	poke(self->s, 'z');
	EXPECT_EQ('z', peek(self->s));
	self->fd = dup(1);
}

TEST_F(file, copying_a_mapping_into_its_own_file)
{
	/* The page the kernel copies from is the page it has locked to write. */
	madvise(self->s, 16 * PG, MADV_DONTNEED);
	EXPECT_EQ(PG, pwrite(self->fd, self->s, PG, 0));
	EXPECT_EQ(2 * PG, pwrite(self->fd, self->s + 4 * PG, 2 * PG, 5 * PG));
	EXPECT_EQ('a', peek(self->s));
	EXPECT_EQ('e', peek(self->s + 5 * PG));
	EXPECT_EQ(PG, pread(self->fd, self->s + 7 * PG, PG, 7 * PG));
	EXPECT_EQ('h', peek(self->s + 7 * PG));
}

TEST_F(file, large_reads_map_right)
{
	char *s;
	int fd = disk_file(1024, 0);

	ASSERT_LE(0, fd);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	s = mmap(NULL, 1024 * PG, RW, MAP_SHARED, fd, 0);
	for (int i = 0; i < 1024; i++) {
		int page = i * 389 % 1024;

		ASSERT_EQ((char)page, peek(s + page * PG));
	}
	for (int i = 0; i < 1024; i++)
		ASSERT_EQ((char)i, peek(s + i * PG + PG - 1));
	for (int i = 0; i < 1024; i += 5)
		poke(s + i * PG, 'w');
	ASSERT_EQ(0, ftruncate(fd, 333 * PG));
	EXPECT_EQ(BUS_BEYOND, try_read(s + 333 * PG));
	EXPECT_EQ((char)332, peek(s + 332 * PG));
	munmap(s, 1024 * PG);
	close(fd);
}

TEST_HARNESS_MAIN
