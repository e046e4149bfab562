// SPDX-License-Identifier: GPL-2.0
/*
 * mlock, mlock2, mlockall, their limits and their accounts.
 */
#include "suite.h"

#ifndef MCL_ONFAULT
#define MCL_ONFAULT	4
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT	1
#endif

#define KB(pages)	((long)((pages) * PG / KIB))

static long locked_pages(void)
{
	return status_field(0, "VmLck") * KIB / PG;
}

TEST(lock_brings_in_and_counts)
{
	char *p = anon(16);

	EXPECT_EQ(0, mlock(p + 2 * PG, 5 * PG));
	EXPECT_EQ(5, resident(0, p, 16));
	EXPECT_EQ(5, locked_pages());
	EXPECT_EQ(3, areas_over(p, 16 * PG));
	EXPECT_TRUE(vmflag(0, p + 2 * PG, "lo"));
	EXPECT_EQ((long)(5 * PG / KIB), smaps_field(0, p + 2 * PG, "Locked"));
	/* Again, and over the edge: nothing is counted twice. */
	EXPECT_EQ(0, mlock(p + 2 * PG, 5 * PG));
	EXPECT_EQ(0, mlock(p + 5 * PG, 4 * PG));
	EXPECT_EQ(7, locked_pages());
	EXPECT_EQ(0, munlock(p, 16 * PG));
	EXPECT_EQ(0, locked_pages());
	EXPECT_EQ(7, resident(0, p, 16));
}

TEST(unlocked_areas_merge_again)
{
	char *p = anon(18);

	munmap(p, PG);
	munmap(p + 17 * PG, PG);
	p += PG;
	fill(p, 16, 'a');
	EXPECT_EQ(0, mlock(p + 2 * PG, 5 * PG));
	EXPECT_EQ(3, areas_over(p, 16 * PG));
	EXPECT_EQ(0, mlock(p, 2 * PG));
	EXPECT_EQ(2, areas_over(p, 16 * PG));
	EXPECT_EQ(0, munlock(p, 16 * PG));
	EXPECT_EQ(1, areas_over(p, 16 * PG));
	EXPECT_TRUE(filled(p, 16, 'a'));
}

TEST(parts_of_pages_lock_whole_pages)
{
	char *p = anon(4);

	EXPECT_EQ(0, mlock(p + PG + 100, PG));
	EXPECT_EQ(2, locked_pages());
	EXPECT_EQ(0, munlock(p + PG + 200, 1));
	EXPECT_EQ(1, locked_pages());
	EXPECT_EQ(0, mlock(p, 0));
}

TEST(on_fault)
{
	char *p = anon(8);

	EXPECT_EQ(0, mlock2(p, 8 * PG, MLOCK_ONFAULT));
	EXPECT_EQ(0, resident(0, p, 8));
	EXPECT_EQ(8, locked_pages());
	poke(p + 3 * PG, 1);
	EXPECT_EQ(1, resident(0, p, 8));
	EXPECT_EQ((long)(PG / KIB), smaps_field(0, p, "Locked"));
	/* Plain locking of the same brings in the rest. */
	EXPECT_EQ(0, mlock(p, 8 * PG));
	EXPECT_EQ(8, resident(0, p, 8));
	EXPECT_EQ(-1, mlock2(p, PG, 2));
	EXPECT_EQ(EINVAL, errno);
}

TEST(errors)
{
	char *p = anon(4);

	munmap(p + 2 * PG, PG);
	EXPECT_EQ(-1, mlock(p, 4 * PG));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, munlock(p, 4 * PG));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, mlock(p, -PG));
	EXPECT_TRUE(errno == EINVAL || errno == ENOMEM);
	mprotect(p, PG, PROT_NONE);
	EXPECT_EQ(-1, mlock(p, PG));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, mlockall(0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mlockall(MCL_ONFAULT));
	EXPECT_EQ(EINVAL, errno);
}

TEST(limits_of_an_ordinary_user)
{
	char *p = anon(16);

	ASSERT_EQ(0, limit(RLIMIT_MEMLOCK, 8 * PG));
	ASSERT_EQ(0, drop_root());
	EXPECT_EQ(-1, mlock(p, 9 * PG));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, locked_pages());
	EXPECT_EQ(0, mlock(p, 6 * PG));
	EXPECT_EQ(-1, mlock(p + 8 * PG, 3 * PG));
	EXPECT_EQ(ENOMEM, errno);
	/* What is locked already does not count again. */
	EXPECT_EQ(0, mlock(p, 8 * PG));
	EXPECT_EQ(8, locked_pages());
	EXPECT_EQ(-1, mlockall(MCL_CURRENT));
	EXPECT_EQ(ENOMEM, errno);
	munlock(p, 16 * PG);
	ASSERT_EQ(0, limit(RLIMIT_MEMLOCK, 0));
	EXPECT_EQ(-1, mlock(p, PG));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, munlock(p, PG));
}

TEST(all_current)
{
	char *p = anon(8), *q;

	ASSERT_EQ(0, mlockall(MCL_CURRENT));
	EXPECT_EQ(8, resident(0, p, 8));
	EXPECT_LE(8, locked_pages());
	q = anon(8);
	EXPECT_EQ(0, resident(0, q, 8));
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, locked_pages());
}

TEST(all_future)
{
	char *p, *q;

	ASSERT_EQ(0, mlockall(MCL_FUTURE));
	EXPECT_EQ(0, locked_pages());
	p = anon(8);
	EXPECT_EQ(8, resident(0, p, 8));
	EXPECT_EQ(8, locked_pages());
	ASSERT_EQ(0, mlockall(MCL_FUTURE | MCL_ONFAULT));
	q = anon(8);
	EXPECT_EQ(0, resident(0, q, 8));
	EXPECT_EQ(16, locked_pages());
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, locked_pages());
	p = anon(8);
	EXPECT_EQ(0, resident(0, p, 8));
}

TEST(future_and_the_break)
{
	char *at = sbrk(0);

	at += -(unsigned long)at % PG;
	ASSERT_EQ(0, brk(at));
	ASSERT_EQ(0, mlockall(MCL_FUTURE));
	ASSERT_EQ(0, brk(at + 4 * PG));
	EXPECT_EQ(4, resident(0, at, 4));
	EXPECT_EQ(4, locked_pages());
	ASSERT_EQ(0, brk(at));
	EXPECT_EQ(0, locked_pages());
}

TEST(not_inherited)
{
	char *p = anon(4);
	int status;
	pid_t pid;

	mlockall(MCL_CURRENT | MCL_FUTURE);
	fill(p, 4, 'a');
	pid = fork();
	if (!pid) {
		char *q = anon(4);

		_exit(locked_pages() == 0 && !vmflag(0, p, "lo") &&
		      resident(0, q, 4) == 0 && filled(p, 4, 'a') ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(vmflag(0, p, "lo"));
}

TEST(unmapping_and_remapping_unlock)
{
	char *p = anon(8);

	mlock(p, 8 * PG);
	munmap(p, 2 * PG);
	EXPECT_EQ(6, locked_pages());
	mmap(p + 2 * PG, 2 * PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);
	EXPECT_EQ(4, locked_pages());
	munmap(p, 8 * PG);
	EXPECT_EQ(0, locked_pages());
}

/* Mlocked of the whole system, with what the processors have not yet told. */
static long mlocked(void)
{
	write_text("/proc/sys/vm/drop_caches", "1");
	write_text("/proc/sys/vm/stat_refresh", "1");
	return field_kib("/proc/meminfo", "Mlocked");
}

TEST(file_pages_and_mlocked_count)
{
	long before;
	int fd;
	char *p, *q;

	stay();
	before = mlocked();
	fd = memory_file(32, 'a');
	p = mmap(NULL, 32 * PG, RW, MAP_SHARED, fd, 0);
	EXPECT_EQ(0, mlock(p, 32 * PG));
	EXPECT_EQ(32, resident(0, p, 32));
	EXPECT_EQ(KB(32), mlocked() - before);
	EXPECT_EQ(KB(32), smaps_field(0, p, "Locked"));
	/* The same pages locked twice count once. */
	q = mmap(NULL, 32 * PG, RW, MAP_SHARED, fd, 0);
	EXPECT_EQ(0, mlock(q, 32 * PG));
	EXPECT_EQ(KB(32), mlocked() - before);
	munmap(p, 32 * PG);
	munmap(q, 32 * PG);
	EXPECT_EQ(before, mlocked());
}

TEST(private_file_pages_are_copied_when_writable)
{
	int fd = memory_file(4, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0), *s;
	long n;

	s = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0);
	peek(s);
	EXPECT_EQ(0, mlock(p, 4 * PG));
	EXPECT_NE(frame_of(0, s), frame_of(0, p));
	n = faults();
	poke(p, 'x');
	EXPECT_EQ(n, faults());
	EXPECT_EQ('a', peek(s));
}

TEST_HARNESS_MAIN
