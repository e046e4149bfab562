// SPDX-License-Identifier: GPL-2.0
/*
 * msync and mincore.
 */
#include "suite.h"

static unsigned char vec[256];

TEST(incore_of_anonymous_memory)
{
	char *p = anon(16);

	poke(p + PG, 1);
	peek(p + 3 * PG);
	poke(p + 15 * PG, 1);
	memset(vec, 0xee, sizeof(vec));
	ASSERT_EQ(0, mincore(p, 16 * PG, vec));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(i == 1 || i == 3 || i == 15, vec[i] & 1);
	EXPECT_EQ(0xee, vec[16]);
}

TEST(incore_of_a_file_tells_of_the_page_cache)
{
	int fd = disk_file(16, 'a');
	char *p;

	if (fd < 0)
		SKIP(return, "no ext4 disk");
	fsync(fd);
	p = mmap(NULL, 16 * PG, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_EQ(0, mincore(p, 16 * PG, vec));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(1, vec[i] & 1);
	EXPECT_EQ(0, resident(0, p, 16));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ASSERT_EQ(0, mincore(p, 16 * PG, vec));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(0, vec[i] & 1);
	peek(p + 5 * PG);
	ASSERT_EQ(0, mincore(p, 16 * PG, vec));
	EXPECT_EQ(1, vec[5] & 1);
}

TEST(incore_over_several_areas)
{
	char *p = anon(600);

	/* No page but those that are touched. */
	madvise(p, 600 * PG, MADV_RANDOM);
	fill(p, 10, 'a');
	fill(p + 590 * PG, 10, 'a');
	mprotect(p + 4 * PG, PG, PROT_NONE);
	unsigned char *big = calloc(1, 600);

	ASSERT_EQ(0, mincore(p, 600 * PG, big));
	for (int i = 0; i < 600; i++)
		EXPECT_EQ(i < 10 || i >= 590, big[i] & 1);
}

TEST(incore_errors)
{
	char *p = anon(4);

	EXPECT_EQ(-1, mincore(p + 1, PG, vec));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mincore(p, PG, (unsigned char *)8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, mincore((void *)(1UL << (8 * sizeof(long) - 1)), PG, vec));
	EXPECT_EQ(ENOMEM, errno);
	munmap(p + 2 * PG, PG);
	EXPECT_EQ(-1, mincore(p, 4 * PG, vec));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, mincore(p, 2 * PG, vec));
	EXPECT_EQ(0, mincore(p, 0, vec));
}

TEST(incore_does_not_tell_of_strangers_files)
{
	int fd = memory_file(4, 'a'), ro;
	char path[64], *p;

	fchmod(fd, 0444);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	p = mmap(NULL, 4 * PG, PROT_READ, MAP_PRIVATE, ro, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, drop_root());
	memset(vec, 0, 4);
	ASSERT_EQ(0, mincore(p, 4 * PG, vec));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(1, vec[i] & 1);
}

TEST(sync_errors)
{
	char *p = anon(4);

	EXPECT_EQ(0, msync(p, 4 * PG, MS_SYNC));
	EXPECT_EQ(0, msync(p, 4 * PG, MS_ASYNC));
	EXPECT_EQ(-1, msync(p, PG, MS_SYNC | MS_ASYNC));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, msync(p + 1, PG, MS_SYNC));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, msync(p, PG, 0x40));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, msync(p, 0, MS_SYNC));
	EXPECT_EQ(-1, msync(p, -PG, MS_SYNC));
	EXPECT_EQ(ENOMEM, errno);
	munmap(p + PG, PG);
	EXPECT_EQ(-1, msync(p, 4 * PG, MS_SYNC));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, msync(p, 4 * PG, MS_ASYNC));
	EXPECT_EQ(ENOMEM, errno);
	mlock(p, PG);
	EXPECT_EQ(-1, msync(p, PG, MS_INVALIDATE));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, msync(p + 2 * PG, PG, MS_INVALIDATE));
}

/* Pages of the mapping that await writing, by smaps. */
static long dirty_pages(const char *p)
{
	return (smaps_field(0, p, "Shared_Dirty") + smaps_field(0, p, "Private_Dirty")) * KIB / PG;
}

TEST(sync_cleans_and_writes_again)
{
	int fd = disk_file(8, 'a');
	char *p, c;

	if (fd < 0)
		SKIP(return, "no ext4 disk");
	fsync(fd);
	p = mmap(NULL, 8 * PG, RW, MAP_SHARED, fd, 0);
	for (int i = 0; i < 8; i += 2)
		poke(p + i * PG, 'X');
	EXPECT_EQ(4, dirty_pages(p));
	ASSERT_EQ(0, msync(p, 8 * PG, MS_SYNC));
	EXPECT_EQ(0, dirty_pages(p));
	/* A page written once and cleaned must be seen dirty again. */
	poke(p, 'Y');
	EXPECT_EQ(1, dirty_pages(p));
	ASSERT_EQ(0, msync(p, PG, MS_SYNC));
	EXPECT_EQ(0, dirty_pages(p));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	EXPECT_EQ('Y', c);
}

TEST(sync_of_part_of_a_file)
{
	int fd = disk_file(8, 'a');
	char *p;

	if (fd < 0)
		SKIP(return, "no ext4 disk");
	fsync(fd);
	p = mmap(NULL, 8 * PG, RW, MAP_SHARED, fd, 0);
	poke(p, 'X');
	poke(p + 6 * PG, 'X');
	EXPECT_EQ(2, dirty_pages(p));
	ASSERT_EQ(0, msync(p + 6 * PG, PG, MS_SYNC));
	EXPECT_EQ(1, dirty_pages(p));
	ASSERT_EQ(0, msync(p, 8 * PG, MS_SYNC));
	EXPECT_EQ(0, dirty_pages(p));
}

TEST_HARNESS_MAIN
