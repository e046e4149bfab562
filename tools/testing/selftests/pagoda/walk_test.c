// SPDX-License-Identifier: GPL-2.0
/*
 * What walks page tables for others: /proc's smaps, pagemap and clear_refs,
 * the page idle map's young bits, and the reaper of dying processes.
 */
#include <sys/ioctl.h>

#include "suite.h"

#ifndef __NR_pidfd_open
#define __NR_pidfd_open		434
#endif
#ifndef __NR_process_mrelease
#define __NR_process_mrelease	448
#endif

#define KB(pages)	((long)((pages) * PG / KIB))

TEST(smaps_tells_private_from_shared)
{
	char *p = anon(16);
	int go[2], status;
	pid_t pid;
	char c;

	/* No page but those that are touched. */
	madvise(p, 16 * PG, MADV_RANDOM);
	fill(p, 12, 'a');
	EXPECT_EQ(KB(16), smaps_field(0, p, "Size"));
	EXPECT_EQ(KB(12), smaps_field(0, p, "Rss"));
	EXPECT_EQ(KB(12), smaps_field(0, p, "Pss"));
	EXPECT_EQ(KB(12), smaps_field(0, p, "Anonymous"));
	EXPECT_EQ(KB(12), smaps_field(0, p, "Private_Dirty"));
	EXPECT_EQ(0, smaps_field(0, p, "Shared_Dirty"));
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		close(go[1]);
		read(go[0], &c, 1);
		_exit(0);
	}
	EXPECT_EQ(KB(12), smaps_field(0, p, "Shared_Dirty"));
	EXPECT_EQ(KB(6), smaps_field(0, p, "Pss"));
	fill(p, 4, 'A');
	EXPECT_EQ(KB(4), smaps_field(0, p, "Private_Dirty"));
	EXPECT_EQ(KB(8), smaps_field(0, p, "Shared_Dirty"));
	EXPECT_EQ(KB(8), smaps_field(0, p, "Pss"));
	EXPECT_EQ(KB(12), smaps_field(pid, p, "Rss"));
	close(go[1]);
	waitpid(pid, &status, 0);
	EXPECT_EQ(KB(12), smaps_field(0, p, "Pss"));
	EXPECT_EQ(KB(12), smaps_field(0, p, "Private_Dirty"));
}

TEST(rollup_is_the_sum)
{
	char *p = anon(256);
	long rss, anonymous;

	rss = field_kib("/proc/self/smaps_rollup", "Rss");
	anonymous = field_kib("/proc/self/smaps_rollup", "Anonymous");
	fill(p, 256, 1);
	EXPECT_LE(KB(256), field_kib("/proc/self/smaps_rollup", "Rss") - rss);
	EXPECT_GE(KB(272), field_kib("/proc/self/smaps_rollup", "Rss") - rss);
	EXPECT_LE(KB(256), field_kib("/proc/self/smaps_rollup", "Anonymous") - anonymous);
}

/* Make the processor look at the tables again. */
static void forget(void)
{
	/* Nowhere are so many pages flushed one by one. */
	char *other = anon(600);

	fill(other, 600, 1);
	munmap(other, 600 * PG);
}

TEST(referenced_bits_are_cleared_and_set_again)
{
	char *p = anon(16);
	int fd = memory_file(8, 'a');
	char *s = mmap(NULL, 8 * PG, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

	fill(p, 16, 'a');
	EXPECT_EQ(KB(16), smaps_field(0, p, "Referenced"));
	ASSERT_EQ(0, write_text("/proc/self/clear_refs", "1"));
	EXPECT_EQ(0, smaps_field(0, p, "Referenced"));
	EXPECT_EQ(0, smaps_field(0, s, "Referenced"));
	EXPECT_EQ(16, resident(0, p, 16));
	forget();
	for (int i = 0; i < 5; i++)
		peek(p + 3 * i * PG);
	EXPECT_EQ(KB(5), smaps_field(0, p, "Referenced"));
	EXPECT_TRUE(filled(s, 8, 'a'));
	EXPECT_EQ(KB(8), smaps_field(0, s, "Referenced"));
	EXPECT_TRUE(filled(p, 16, 'a'));
	/* Only anonymous pages, only file pages. */
	ASSERT_EQ(0, write_text("/proc/self/clear_refs", "2"));
	EXPECT_EQ(0, smaps_field(0, p, "Referenced"));
	EXPECT_EQ(KB(8), smaps_field(0, s, "Referenced"));
	ASSERT_EQ(0, write_text("/proc/self/clear_refs", "3"));
	EXPECT_EQ(0, smaps_field(0, s, "Referenced"));
	ASSERT_EQ(0, write_text("/proc/self/clear_refs", "5"));
}

TEST(pagemap_over_holes_and_tables)
{
	const size_t pages = 6 * MIB / PG;
	char *p = anon(pages);
	unsigned long *f = calloc(pages, sizeof(*f));

	for (size_t i = 0; i < pages; i += 97)
		poke(p + i * PG, 1);
	munmap(p + 700 * PG, 50 * PG);
	mprotect(p + 1000 * PG, 100 * PG, PROT_NONE);
	ASSERT_LT(0, frames_of(0, p, pages, f));
	for (size_t i = 0; i < pages; i++) {
		bool want = i % 97 == 0 && (i < 700 || i >= 750);

		ASSERT_EQ(want, f[i] != NO_FRAME);
	}
}

/* PAGEMAP_SCAN, as linux/fs.h has it since 6.7. */
struct region {
	unsigned long long start, end, categories;
};

struct scan {
	unsigned long long size, flags, start, end, walk_end, vec, vec_len, max_pages;
	unsigned long long inverted, mask, anyof_mask, return_mask;
};

#define SCAN		_IOWR('f', 16, struct scan)
#define IS_PRESENT	0x08
#define IS_FILE		0x04
#define IS_PFNZERO	0x20

TEST(pagemap_scan)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	char *p = anon(64);
	struct region v[8];
	struct scan s = {
		.size = sizeof(s),
		.start = (unsigned long)p,
		.end = (unsigned long)(p + 64 * PG),
		.vec = (unsigned long)v,
		.vec_len = 8,
		.mask = IS_PRESENT,
		.return_mask = IS_PRESENT | IS_PFNZERO,
	};
	long n;

	fill(p + 4 * PG, 4, 'a');
	fill(p + 20 * PG, 1, 'a');
	peek(p + 40 * PG);
	n = ioctl(fd, SCAN, &s);
	if (n < 0 && (errno == ENOTTY || errno == EINVAL))
		SKIP(return, "no PAGEMAP_SCAN here");
	ASSERT_EQ(3, n);
	EXPECT_EQ((unsigned long)(p + 4 * PG), v[0].start);
	EXPECT_EQ((unsigned long)(p + 8 * PG), v[0].end);
	EXPECT_EQ((unsigned long)(p + 20 * PG), v[1].start);
	EXPECT_EQ(IS_PRESENT, v[1].categories);
	EXPECT_EQ((unsigned long)(p + 40 * PG), v[2].start);
	EXPECT_EQ(IS_PRESENT | IS_PFNZERO, v[2].categories);
	EXPECT_EQ((unsigned long)(p + 64 * PG), s.walk_end);
}

TEST(reading_a_busy_neighbour)
{
	char *p = anon(512);
	int status;
	pid_t pid = fork();

	if (!pid) {
		for (;;) {
			fill(p, 512, 3);
			munmap(p, 512 * PG);
			mmap(p, 512 * PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);
		}
	}
	for (int i = 0; i < 50; i++) {
		char path[64];

		EXPECT_LE(0, resident(pid, p, 512));
		EXPECT_GE(KB(512), smaps_field(pid, p, "Rss"));
		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
		EXPECT_LE(0, field_kib(path, "Rss"));
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	EXPECT_EQ(-1, resident(pid, p, 512));
}

TEST(reaper_frees_a_dying_process)
{
	int reaped = 0;

	for (int i = 0; i < 10; i++) {
		char *p = anon(2048);
		int ready[2], fd;
		pid_t pid;
		char c;

		ASSERT_EQ(0, pipe(ready));
		pid = fork();
		if (!pid) {
			fill(p, 2048, 5);
			write(ready[1], "", 1);
			pause();
		}
		read(ready[0], &c, 1);
		fd = syscall(__NR_pidfd_open, pid, 0);
		/* Only of those about to die. */
		EXPECT_EQ(-1, syscall(__NR_process_mrelease, fd, 0));
		EXPECT_EQ(EINVAL, errno);
		kill(pid, SIGKILL);
		if (!syscall(__NR_process_mrelease, fd, 0))
			reaped++;
		else
			EXPECT_EQ(ESRCH, errno);
		waitpid(pid, NULL, 0);
		close(fd);
		close(ready[0]);
		close(ready[1]);
		munmap(p, 2048 * PG);
	}
	EXPECT_LE(0, reaped);
}

/* With KASAN the memory of an emulated machine is not soon used up. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	700

TEST(memory_of_the_whole_system_killed_for)
{
	long total = field_kib("/proc/meminfo", "MemTotal");
	int status, ballast = -1;
	pid_t pid;

	if (total > 2 * 1024 * 1024)
		SKIP(return, "too much memory to use up");
	/* In 32 bits a process cannot have all, so some of it is taken away. */
	if (sizeof(long) == 4) {
		ballast = memfd_create("ballast", 0);
		ASSERT_EQ(0, fallocate(ballast, 0, 0, (total - 400 * 1024) * (off_t)KIB));
	}
	pid = fork();
	if (!pid) {
		int fd = open("/proc/self/oom_score_adj", O_WRONLY);
		size_t len = sizeof(long) == 8 ? total * KIB * 2 : 700 * MIB;
		char *p = mmap(NULL, len, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

		write(fd, "1000", 4);
		for (size_t at = 0; at < len; at += PG)
			poke(p + at, 1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	close(ballast);
	EXPECT_LT(total / 4, field_kib("/proc/meminfo", "MemFree"));
}

TEST_HARNESS_MAIN
