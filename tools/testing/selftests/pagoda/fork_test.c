// SPDX-License-Identifier: GPL-2.0
/*
 * fork and copy-on-write: who sees what, and whether all is given back.
 */
#include <pthread.h>

#include "suite.h"

/* Wait for a child; true when it returned 0. */
static bool good(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

TEST(child_has_the_parents_memory)
{
	char *p = anon(32);
	pid_t pid;

	fill(p, 32, 1);
	pid = fork();
	if (!pid) {
		if (!filled(p, 32, 1))
			_exit(1);
		fill(p, 32, 50);
		_exit(filled(p, 32, 50) ? 0 : 2);
	}
	EXPECT_TRUE(good(pid));
	EXPECT_TRUE(filled(p, 32, 1));
}

TEST(parents_writes_are_not_the_childs)
{
	char *p = anon(8), c;
	int go[2];
	pid_t pid;

	fill(p, 8, 'a');
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		close(go[1]);
		read(go[0], &c, 1);
		_exit(filled(p, 8, 'a') ? 0 : 1);
	}
	fill(p, 8, 'k');
	madvise(p + PG, PG, MADV_DONTNEED);
	munmap(p + 4 * PG, 4 * PG);
	mprotect(p, PG, PROT_NONE);
	close(go[1]);
	EXPECT_TRUE(good(pid));
}

TEST(untouched_pages_stay_untouched)
{
	char *p = anon(64);
	pid_t pid;

	poke(p + 5 * PG, 'x');
	peek(p + 6 * PG);
	pid = fork();
	if (!pid) {
		if (resident(0, p + 7 * PG, 57))
			_exit(1);
		poke(p + 6 * PG, 'y');
		poke(p + 7 * PG, 'z');
		_exit(peek(p + 5 * PG) == 'x' && peek(p + 8 * PG) == 0 ? 0 : 2);
	}
	EXPECT_TRUE(good(pid));
	EXPECT_EQ(0, peek(p + 6 * PG));
	EXPECT_EQ(0, peek(p + 7 * PG));
}

/* Each generation checks its elders' bytes, writes its own, forks the next. */
static int generation(char *p, int n)
{
	pid_t pid;

	for (int i = 0; i < 16; i++) {
		char want = i < n ? 'a' + i : 'z';

		if (peek(p + i * PG) != want)
			return 1;
	}
	if (n == 8)
		return 0;
	poke(p + n * PG, 'a' + n);
	pid = fork();
	if (!pid)
		_exit(generation(p, n + 1));
	/* What the child does later is not seen here. */
	if (!good(pid) || peek(p + (n + 1) * PG) != 'z')
		return 2;
	return 0;
}

TEST(eight_generations)
{
	char *p = anon(16);

	for (int i = 0; i < 16; i++)
		poke(p + i * PG, 'z');
	EXPECT_EQ(0, generation(p, 0));
}

TEST(orphans_keep_their_memory)
{
	char *p = anon(64);
	int up[2], c = 0;
	pid_t pid;

	fill(p, 64, 7);
	ASSERT_EQ(0, pipe(up));
	pid = fork();
	if (!pid) {
		if (!fork()) {
			char ok;

			usleep(50000);
			ok = filled(p, 64, 7);
			write(up[1], &ok, 1);
		}
		_exit(0);
	}
	EXPECT_TRUE(good(pid));
	munmap(p, 64 * PG);
	EXPECT_EQ(1, read(up[0], &c, 1));
	EXPECT_EQ(1, c);
}

TEST(last_owner_writes_without_a_copy)
{
	char *p = anon(4);
	unsigned long f;
	pid_t pid;

	fill(p, 4, 'a');
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_TRUE(good(pid));
	/* Nor may a processor hold the page in a batch of new ones. */
	write_text("/proc/sys/vm/drop_caches", "1");
	f = frame_of(0, p);
	poke(p, 'x');
	EXPECT_EQ(f, frame_of(0, p));
	EXPECT_EQ('x', peek(p));
}

TEST(shared_memory_stays_shared)
{
	char *p = mmap(NULL, 8 * PG, RW, SHARED_ANON, -1, 0);
	char *f = mmap(NULL, 4 * PG, RW, MAP_SHARED, memory_file(4, 'a'), 0);
	pid_t pid;

	fill(p, 4, 'a');
	pid = fork();
	if (!pid) {
		if (!filled(p, 4, 'a') || peek(p + 6 * PG))
			_exit(1);
		fill(p, 8, 'A');
		poke(f + PG, 'Z');
		_exit(0);
	}
	EXPECT_TRUE(good(pid));
	EXPECT_TRUE(filled(p, 8, 'A'));
	EXPECT_EQ('Z', peek(f + PG));
}

TEST(private_file_pages)
{
	int fd = memory_file(4, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0), c;
	pid_t pid;

	poke(p, 'X');
	peek(p + PG);
	pid = fork();
	if (!pid) {
		if (peek(p) != 'X' || peek(p + PG) != 'b')
			_exit(1);
		poke(p, 'C');
		poke(p + PG, 'C');
		poke(p + 2 * PG, 'C');
		_exit(0);
	}
	EXPECT_TRUE(good(pid));
	EXPECT_EQ('X', peek(p));
	EXPECT_EQ('b', peek(p + PG));
	EXPECT_EQ('c', peek(p + 2 * PG));
	EXPECT_EQ(1, pread(fd, &c, 1, 2 * PG));
	EXPECT_EQ('c', c);
}

TEST(protections_are_inherited)
{
	char *p = anon(4);
	pid_t pid;

	fill(p, 4, 'a');
	mprotect(p + PG, PG, PROT_READ);
	mprotect(p + 2 * PG, PG, PROT_NONE);
	pid = fork();
	if (!pid) {
		if (try_write(p + PG) != SEGV_DENIED || try_read(p + 2 * PG) != SEGV_DENIED)
			_exit(1);
		mprotect(p, 4 * PG, RW);
		if (!filled(p, 4, 'a'))
			_exit(2);
		fill(p, 4, 'A');
		_exit(filled(p, 4, 'A') ? 0 : 3);
	}
	EXPECT_TRUE(good(pid));
	EXPECT_EQ(SEGV_DENIED, try_write(p + PG));
	mprotect(p, 4 * PG, RW);
	EXPECT_TRUE(filled(p, 4, 'a'));
}

/* Threads that write while the process forks. */
static char *shared_by_threads;
static int stop;

static void *writer(void *arg)
{
	long id = (long)arg;
	unsigned int n = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned int *word = (unsigned int *)(shared_by_threads + (n * 7 % 64) * PG) + id;

		/* Nobody else writes this word, so it must be what was left. */
		if (n >= 64 && __atomic_load_n(word, __ATOMIC_RELAXED) != n - 64)
			return (void *)1;
		__atomic_store_n(word, n, __ATOMIC_RELAXED);
		n++;
	}
	return NULL;
}

TEST(fork_while_threads_write)
{
	pthread_t t[3];
	void *bad;

	shared_by_threads = anon(64);
	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, writer, (void *)i);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid) {
			/* A frozen picture: reading twice gives the same. */
			unsigned int a[3 * 64], b[3 * 64];

			for (int k = 0; k < 64; k++)
				memcpy(a + 3 * k, shared_by_threads + k * PG, 12);
			for (int k = 0; k < 64; k++)
				memcpy(b + 3 * k, shared_by_threads + k * PG, 12);
			fill(shared_by_threads, 64, 1);
			_exit(memcmp(a, b, sizeof(a)) ? 1 : 0);
		}
		EXPECT_TRUE(good(pid));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &bad);
		EXPECT_EQ(NULL, bad);
	}
}

TEST(table_bytes_and_rss_of_a_child)
{
	char *p = mmap(NULL, 64 * MIB, RW, PRIVATE_ANON, -1, 0);
	pid_t pid;

	for (size_t i = 0; i < 64 * MIB; i += PG)
		poke(p + i, 1);
	pid = fork();
	if (!pid) {
		if (smaps_field(0, p, "Rss") != 64 * 1024)
			_exit(1);
		munmap(p, 64 * MIB);
		/* Counters of one processor's part may lag behind by some pages. */
		if (status_field(0, "VmRSS") > 16 * 1024)
			_exit(2);
		_exit(status_field(0, "VmPTE") > 200 ? 3 : 0);
	}
	EXPECT_TRUE(good(pid));
	EXPECT_EQ(64 * 1024, smaps_field(0, p, "Rss"));
}

static long free_now(void)
{
	write_text("/proc/sys/vm/drop_caches", "3");
	return free_kib();
}

TEST(many_forks_leak_nothing)
{
	long before = 0, after = 0, tables = 0;
	char *p = anon(512);

	fill(p, 512, 3);
	for (int round = 0; round < 2; round++) {
		if (round) {
			before = free_now();
			tables = field_kib("/proc/meminfo", "PageTables");
		}
		for (int i = 0; i < 300; i++) {
			pid_t pid = fork();

			if (!pid) {
				fill(p + (i % 256) * PG, 64, 9);
				munmap(p + 100 * PG, 50 * PG);
				_exit(0);
			}
			EXPECT_TRUE(good(pid));
		}
	}
	for (int i = 0; i < 20; i++) {
		after = free_now();
		if (before - after < 1024)
			break;
		usleep(100000);
	}
	/* Children that leaked a page and a table each would cost 2.4 MiB. */
	EXPECT_GT(1536, before - after);
	EXPECT_GT(512, field_kib("/proc/meminfo", "PageTables") - tables);
	EXPECT_TRUE(filled(p, 512, 3));
}

TEST(vfork_shares_until_exec)
{
	static int seen;
	pid_t pid = vfork();

	if (!pid) {
		seen = 42;
		_exit(0);
	}
	EXPECT_TRUE(good(pid));
	EXPECT_EQ(42, seen);
}

TEST_HARNESS_MAIN
