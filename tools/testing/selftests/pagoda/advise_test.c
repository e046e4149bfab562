// SPDX-License-Identifier: GPL-2.0
/*
 * madvise: every advice that applies, and process_madvise.
 */
#include "suite.h"

#ifndef __NR_process_madvise
#define __NR_process_madvise	440
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open		434
#endif

TEST(dontneed_throws_anonymous_memory_away)
{
	char *p = anon(8);

	fill(p, 8, 'a');
	EXPECT_EQ(0, madvise(p + 2 * PG, 3 * PG, MADV_DONTNEED));
	EXPECT_EQ(0, resident(0, p + 2 * PG, 3));
	EXPECT_EQ(5, resident(0, p, 8));
	EXPECT_TRUE(filled(p, 2, 'a'));
	EXPECT_EQ(0, peek(p + 2 * PG));
	EXPECT_EQ(0, peek(p + 5 * PG - 1));
	EXPECT_TRUE(filled(p + 5 * PG, 3, 'f'));
	EXPECT_EQ(1, areas_over(p, 8 * PG));
}

TEST(dontneed_goes_back_to_the_file)
{
	int fd = memory_file(4, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0);
	char *s = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0);

	fill(p, 4, 'A');
	poke(s + PG, 'Z');
	EXPECT_EQ(0, madvise(p, 4 * PG, MADV_DONTNEED));
	EXPECT_EQ('a', peek(p));
	EXPECT_EQ('Z', peek(p + PG));
	EXPECT_EQ(0, madvise(s, 4 * PG, MADV_DONTNEED));
	EXPECT_EQ('Z', peek(s + PG));
}

TEST(dontneed_errors)
{
	char *p = anon(4);

	EXPECT_EQ(-1, madvise(p + 1, PG, MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, madvise(p, PG, 77));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, madvise(p, -PG, MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, madvise(p, 0, MADV_DONTNEED));
	fill(p, 4, 'a');
	mlock(p, PG);
	EXPECT_EQ(-1, madvise(p, PG, MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, madvise(p, PG, 24 /* MADV_DONTNEED_LOCKED */));
	EXPECT_EQ(0, peek(p));
	munlock(p, PG);
	/* Over a hole: the rest is done, then ENOMEM. */
	munmap(p + PG, PG);
	EXPECT_EQ(-1, madvise(p, 4 * PG, MADV_DONTNEED));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, peek(p + 3 * PG));
}

TEST(dontneed_under_sharing_with_a_child)
{
	char *p = anon(4);
	int status;
	pid_t pid;

	fill(p, 4, 'a');
	pid = fork();
	if (!pid) {
		madvise(p, 2 * PG, MADV_DONTNEED);
		_exit(peek(p) == 0 && filled(p + 2 * PG, 2, 'c') ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(filled(p, 4, 'a'));
}

TEST(free_keeps_or_clears_and_never_mixes)
{
	char *p = anon(64);

	stay();
	fill(p, 64, 1);
	EXPECT_EQ(0, madvise(p, 64 * PG, MADV_FREE));
	for (int i = 0; i < 64; i++) {
		char c = peek(p + i * PG);

		EXPECT_TRUE(c == 0 || c == (char)(1 + i));
	}
	/* Written again, it is kept for good. */
	fill(p, 64, 2);
	EXPECT_TRUE(filled(p, 64, 2));
	EXPECT_EQ(0, madvise(p, 64 * PG, MADV_FREE));
	EXPECT_EQ((long)(64 * PG / KIB), smaps_field(0, p, "LazyFree"));
	poke(p, 9);
	EXPECT_EQ((long)(63 * PG / KIB), smaps_field(0, p, "LazyFree"));
	p = mmap(NULL, PG, RW, MAP_SHARED, memory_file(1, 'a'), 0);
	EXPECT_EQ(-1, madvise(p, PG, MADV_FREE));
	EXPECT_EQ(EINVAL, errno);
}

TEST(cold_and_pageout_lose_nothing)
{
	int fd = disk_file(16, 'a');
	char *p = anon(16), *q;

	stay();
	fill(p, 16, 'a');
	EXPECT_EQ(0, madvise(p, 16 * PG, MADV_COLD));
	EXPECT_EQ(16, resident(0, p, 16));
	/* Without swap anonymous pages have nowhere to go. */
	EXPECT_EQ(0, madvise(p, 16 * PG, MADV_PAGEOUT));
	EXPECT_TRUE(filled(p, 16, 'a'));
	EXPECT_EQ(0, mlock(p, PG));
	EXPECT_EQ(-1, madvise(p, PG, MADV_COLD));
	EXPECT_EQ(EINVAL, errno);
	if (fd < 0)
		SKIP(return, "no ext4 disk");
	fsync(fd);
	q = mmap(NULL, 16 * PG, PROT_READ, MAP_SHARED, fd, 0);
	EXPECT_TRUE(filled(q, 16, 'a'));
	EXPECT_EQ(16, resident(0, q, 16));
	EXPECT_EQ(0, madvise(q, 16 * PG, MADV_COLD));
	EXPECT_EQ(0, madvise(q, 16 * PG, MADV_PAGEOUT));
	EXPECT_GT(16, resident(0, q, 16));
	EXPECT_TRUE(filled(q, 16, 'a'));
}

TEST(wipeonfork)
{
	char *p = anon(4);
	int status;
	pid_t pid;

	fill(p, 4, 'a');
	EXPECT_EQ(0, madvise(p + PG, PG, MADV_WIPEONFORK));
	EXPECT_EQ(3, areas_over(p, 4 * PG));
	pid = fork();
	if (!pid) {
		bool good = filled(p, 1, 'a') && peek(p + PG) == 0 && filled(p + 2 * PG, 2, 'c');

		poke(p + PG, 'x');
		/* It stays so for the grandchild. */
		if (!fork())
			_exit(peek(p + PG) == 0 ? 0 : 1);
		wait(&status);
		_exit(good && !status ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(filled(p, 4, 'a'));
	EXPECT_EQ(0, madvise(p + PG, PG, MADV_KEEPONFORK));
	EXPECT_EQ(1, areas_over(p, 4 * PG));
	pid = fork();
	if (!pid)
		_exit(filled(p, 4, 'a') ? 0 : 1);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	p = mmap(NULL, PG, RW, SHARED_ANON, -1, 0);
	EXPECT_EQ(-1, madvise(p, PG, MADV_WIPEONFORK));
	EXPECT_EQ(EINVAL, errno);
}

TEST(dontfork)
{
	char *p = anon(4);
	int status;
	pid_t pid;

	fill(p, 4, 'a');
	EXPECT_EQ(0, madvise(p + PG, 2 * PG, MADV_DONTFORK));
	pid = fork();
	if (!pid) {
		if (try_read(p + PG) != SEGV_NOTHING || try_read(p + 2 * PG) != SEGV_NOTHING)
			_exit(1);
		_exit(filled(p, 1, 'a') && filled(p + 3 * PG, 1, 'd') ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(vmflag(0, p + PG, "dc"));
	EXPECT_EQ(0, madvise(p, 4 * PG, MADV_DOFORK));
	EXPECT_EQ(1, areas_over(p, 4 * PG));
	EXPECT_TRUE(filled(p, 4, 'a'));
}

TEST(flags_of_dump_and_order)
{
	static const struct { int on; const char *flag; int off; } v[] = {
		{ MADV_DONTDUMP, "dd", MADV_DODUMP },
		{ MADV_SEQUENTIAL, "sr", MADV_NORMAL },
		{ MADV_RANDOM, "rr", MADV_NORMAL },
	};
	char *p = anon(3);

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		EXPECT_EQ(0, madvise(p + PG, PG, v[i].on));
		EXPECT_TRUE(vmflag(0, p + PG, v[i].flag));
		EXPECT_FALSE(vmflag(0, p, v[i].flag));
		EXPECT_EQ(3, areas_over(p, 3 * PG));
		EXPECT_EQ(0, madvise(p + PG, PG, v[i].off));
		EXPECT_EQ(1, areas_over(p, 3 * PG));
	}
}

TEST(populate_read)
{
	int fd = memory_file(8, 'a');
	char *p = anon(8), *q = mmap(NULL, 8 * PG, PROT_READ, MAP_SHARED, fd, 0);

	EXPECT_EQ(0, madvise(p, 8 * PG, MADV_POPULATE_READ));
	EXPECT_EQ(8, resident(0, p, 8));
	EXPECT_EQ(frame_of(0, p), frame_of(0, p + 7 * PG));
	EXPECT_EQ(0, madvise(q, 8 * PG, MADV_POPULATE_READ));
	EXPECT_EQ(8, resident(0, q, 8));
	EXPECT_EQ(-1, madvise(q, 8 * PG, MADV_POPULATE_WRITE));
	EXPECT_EQ(EINVAL, errno);
	mprotect(p, 8 * PG, PROT_NONE);
	EXPECT_EQ(-1, madvise(p, 8 * PG, MADV_POPULATE_READ));
	EXPECT_EQ(EINVAL, errno);
	munmap(p + 4 * PG, PG);
	EXPECT_EQ(-1, madvise(p + 4 * PG, PG, MADV_POPULATE_READ));
	EXPECT_EQ(ENOMEM, errno);
}

TEST(populate_write)
{
	char *p = anon(16), *q;
	long n;

	peek(p);
	EXPECT_EQ(0, madvise(p, 16 * PG, MADV_POPULATE_WRITE));
	EXPECT_NE(frame_of(0, p), frame_of(0, p + PG));
	n = faults();
	for (int i = 0; i < 16; i++)
		poke(p + i * PG, 1);
	EXPECT_EQ(n, faults());
	q = mmap(NULL, 4 * PG, RW, MAP_SHARED, memory_file(2, 'a'), 0);
	EXPECT_EQ(-1, madvise(q, 4 * PG, MADV_POPULATE_WRITE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ('b', peek(q + PG));
}

TEST(populate_breaks_cow_before_it_is_needed)
{
	char *p = anon(4);
	unsigned long before[4], after[4];
	int go[2], status;
	pid_t pid;
	char c;

	fill(p, 4, 'a');
	frames_of(0, p, 4, before);
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		close(go[1]);
		read(go[0], &c, 1);
		_exit(filled(p, 4, 'a') ? 0 : 1);
	}
	EXPECT_EQ(0, madvise(p, 4 * PG, MADV_POPULATE_WRITE));
	frames_of(0, p, 4, after);
	for (int i = 0; i < 4; i++)
		EXPECT_NE(before[i], after[i]);
	fill(p, 4, 'k');
	close(go[1]);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

TEST(willneed_and_remove)
{
	int fd = disk_file(16, 'a'), mem = memory_file(8, 'a');
	char *p, *q = mmap(NULL, 8 * PG, RW, MAP_SHARED, mem, 0);
	struct stat st;

	fill(q, 8, 'A');
	EXPECT_EQ(0, madvise(q + 2 * PG, 3 * PG, MADV_REMOVE));
	EXPECT_EQ(0, fstat(mem, &st));
	EXPECT_EQ(8 * PG, st.st_size);
	EXPECT_EQ(5 * PG / 512, st.st_blocks);
	EXPECT_EQ(0, peek(q + 2 * PG));
	EXPECT_EQ(0, peek(q + 5 * PG - 1));
	EXPECT_EQ('F', peek(q + 5 * PG));
	p = anon(2);
	EXPECT_EQ(-1, madvise(p, PG, MADV_REMOVE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, madvise(p, PG, MADV_WILLNEED));
	EXPECT_EQ(EBADF, errno);
	if (fd < 0)
		SKIP(return, "no ext4 disk");
	p = mmap(NULL, 16 * PG, RW, MAP_SHARED, fd, 0);
	EXPECT_EQ(0, madvise(p, 16 * PG, MADV_WILLNEED));
	EXPECT_EQ(0, madvise(p + 4 * PG, 4 * PG, MADV_REMOVE));
	EXPECT_EQ(0, peek(p + 4 * PG));
	EXPECT_EQ('i', peek(p + 8 * PG));
}

TEST(one_call_over_many_areas)
{
	char *p = anon(9);

	fill(p, 9, 'a');
	mprotect(p + 3 * PG, PG, PROT_READ);
	mprotect(p + 5 * PG, PG, PROT_NONE);
	EXPECT_EQ(0, madvise(p + PG, 7 * PG, MADV_DONTNEED));
	EXPECT_EQ(2, resident(0, p, 9));
	EXPECT_EQ(0, madvise(p, 9 * PG, MADV_DONTFORK));
	EXPECT_TRUE(vmflag(0, p, "dc"));
	EXPECT_TRUE(vmflag(0, p + 8 * PG, "dc"));
}

TEST(another_process)
{
	struct iovec { void *base; size_t len; } v[2];
	char *p = anon(8);
	int go[2], fd, status;
	pid_t pid;
	char c;

	fill(p, 8, 'a');
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		close(go[1]);
		fill(p, 8, 'A');
		read(go[0], &c, 1);
		_exit(filled(p, 8, 'A') ? 0 : 1);
	}
	fd = syscall(__NR_pidfd_open, pid, 0);
	ASSERT_LE(0, fd);
	v[0].base = p;
	v[0].len = 2 * PG;
	v[1].base = p + 4 * PG;
	v[1].len = PG;
	EXPECT_EQ(3 * PG, syscall(__NR_process_madvise, fd, v, 2, MADV_COLD, 0));
	EXPECT_EQ(3 * PG, syscall(__NR_process_madvise, fd, v, 2, MADV_PAGEOUT, 0));
	EXPECT_EQ(-1, syscall(__NR_process_madvise, fd, v, 2, MADV_DONTNEED, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, syscall(__NR_process_madvise, fd, v, 2, MADV_COLD, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, syscall(__NR_process_madvise, 999, v, 2, MADV_COLD, 0));
	EXPECT_EQ(EBADF, errno);
	close(go[1]);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
