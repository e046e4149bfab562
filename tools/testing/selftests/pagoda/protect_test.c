// SPDX-License-Identifier: GPL-2.0
/*
 * mprotect, and protection keys.
 */
#include "suite.h"

static bool prot_is(const char *p, const char *want)
{
	struct area a;

	return area_at(0, p, &a) && !strncmp(a.prot, want, 3);
}

TEST(each_protection_allows_what_it_says)
{
	static const struct { int prot, read, write; const char *shown; } v[] = {
		{ PROT_NONE, SEGV_DENIED, SEGV_DENIED, "---" },
		{ PROT_READ, NO_FAULT, SEGV_DENIED, "r--" },
		{ RW, NO_FAULT, NO_FAULT, "rw-" },
		{ PROT_WRITE, NO_FAULT, NO_FAULT, "-w-" },
		{ PROT_READ | PROT_EXEC, NO_FAULT, SEGV_DENIED, "r-x" },
		{ RW | PROT_EXEC, NO_FAULT, NO_FAULT, "rwx" },
	};
	char *p = anon(3);

	for (int touched = 0; touched < 2; touched++) {
		for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
			ASSERT_EQ(0, mprotect(p + PG, PG, v[i].prot));
			EXPECT_EQ(v[i].read, try_read(p + PG));
			EXPECT_EQ(v[i].write, try_write(p + PG));
			EXPECT_TRUE(prot_is(p + PG, v[i].shown));
			EXPECT_EQ(NO_FAULT, try_write(p));
			EXPECT_EQ(NO_FAULT, try_write(p + 2 * PG));
		}
		mprotect(p, 3 * PG, RW);
		fill(p, 3, 'a');
	}
}

TEST(contents_survive)
{
	char *p = anon(16);

	fill(p, 16, 'a');
	mprotect(p, 16 * PG, PROT_NONE);
	EXPECT_EQ(SEGV_DENIED, try_read(p + 7 * PG));
	EXPECT_EQ((unsigned long)(p + 7 * PG), fault_addr);
	mprotect(p, 16 * PG, PROT_READ);
	EXPECT_TRUE(filled(p, 16, 'a'));
	EXPECT_EQ(SEGV_DENIED, try_write(p + 3 * PG));
	mprotect(p, 16 * PG, RW);
	EXPECT_EQ(NO_FAULT, try_write(p + 3 * PG));
	EXPECT_TRUE(filled(p + 4 * PG, 12, 'e'));
}

TEST(splits_and_merges_show_in_maps)
{
	char *p = anon(10);

	munmap(p, PG);
	munmap(p + 9 * PG, PG);
	p += PG;
	EXPECT_EQ(1, areas_over(p, 8 * PG));
	mprotect(p + 3 * PG, 2 * PG, PROT_READ);
	EXPECT_EQ(3, areas_over(p, 8 * PG));
	mprotect(p, PG, PROT_READ);
	EXPECT_EQ(4, areas_over(p, 8 * PG));
	mprotect(p + PG, 2 * PG, PROT_READ);
	EXPECT_EQ(2, areas_over(p, 8 * PG));
	EXPECT_TRUE(prot_is(p + 4 * PG, "r--"));
	EXPECT_TRUE(prot_is(p + 5 * PG, "rw-"));
	mprotect(p + 4 * PG, 4 * PG, PROT_READ);
	EXPECT_EQ(1, areas_over(p, 8 * PG));
	mprotect(p, 8 * PG, RW);
	EXPECT_EQ(1, areas_over(p, 8 * PG));
}

TEST(over_many_areas_and_a_hole)
{
	char *p = anon(9);

	fill(p, 9, 'a');
	mprotect(p + 2 * PG, PG, PROT_READ);
	mprotect(p + 4 * PG, PG, PROT_NONE);
	EXPECT_EQ(0, mprotect(p, 9 * PG, PROT_READ));
	EXPECT_TRUE(filled(p, 9, 'a'));
	EXPECT_EQ(1, areas_over(p, 9 * PG));
	munmap(p + 5 * PG, PG);
	EXPECT_EQ(-1, mprotect(p, 9 * PG, RW));
	EXPECT_EQ(ENOMEM, errno);
	/*
	 * POSIX leaves open whether it was done up to the hole (stock) or not
	 * at all (Pagoda); it must be one of these, and nothing beyond.
	 */
	EXPECT_EQ(try_write(p), try_write(p + 4 * PG));
	EXPECT_EQ(SEGV_DENIED, try_write(p + 6 * PG));
	EXPECT_EQ(2, areas_over(p, 9 * PG));
	EXPECT_EQ('b', peek(p + PG + 1));
}

TEST(bad_arguments)
{
	char *p = anon(2);

	EXPECT_EQ(-1, mprotect(p + 1, PG, PROT_READ));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mprotect(p, PG, 0x40));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mprotect(p, -PG, PROT_READ));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, mprotect(p, PG, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mprotect(p, PG, PROT_READ | PROT_GROWSDOWN));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, mprotect(p, 0, PROT_NONE));
	EXPECT_EQ(NO_FAULT, try_write(p));
}

TEST(stack_protected_down_to_its_end)
{
	char *p = anon(600), *top = p + 590 * PG;

	munmap(p, 600 * PG);
	mmap(top, 4 * PG, RW, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	EXPECT_EQ(0, mprotect(top + 2 * PG, PG, PROT_READ | PROT_GROWSDOWN));
	EXPECT_EQ(SEGV_DENIED, try_write(top));
	EXPECT_EQ(SEGV_DENIED, try_write(top + 2 * PG));
	EXPECT_EQ(NO_FAULT, try_write(top + 3 * PG));
}

TEST(file_rights_bound_protection)
{
	int fd = memory_file(2, 'a'), ro;
	char path[64], *p;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	p = mmap(NULL, 2 * PG, PROT_READ, MAP_SHARED, ro, 0);
	EXPECT_EQ(-1, mprotect(p, PG, RW));
	EXPECT_EQ(EACCES, errno);
	p = mmap(NULL, 2 * PG, PROT_READ, MAP_PRIVATE, ro, 0);
	EXPECT_EQ(0, mprotect(p, PG, RW));
	EXPECT_EQ(NO_FAULT, try_write(p));
	EXPECT_EQ('b', peek(p + PG));
}

TEST(shared_file_stays_write_tracked)
{
	int fd = disk_file(2, 'a');
	char *p, c;

	if (fd < 0)
		SKIP(return, "no ext4 disk");
	p = mmap(NULL, 2 * PG, RW, MAP_SHARED, fd, 0);
	poke(p, 'x');
	msync(p, PG, MS_SYNC);
	mprotect(p, PG, PROT_READ);
	EXPECT_EQ(SEGV_DENIED, try_write(p));
	mprotect(p, PG, RW);
	poke(p, 'y');
	msync(p, PG, MS_SYNC);
	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	EXPECT_EQ('y', c);
}

TEST(cow_is_not_undone)
{
	char *p = anon(4);
	int status;
	pid_t pid;

	fill(p, 4, 'a');
	pid = fork();
	if (!pid) {
		mprotect(p, 4 * PG, PROT_READ);
		mprotect(p, 4 * PG, RW);
		fill(p, 4, 'A');
		_exit(filled(p, 4, 'A') ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(filled(p, 4, 'a'));
}

TEST(zero_page_is_never_written)
{
	char *p = anon(4), *q = anon(1);

	for (int i = 0; i < 4; i++)
		peek(p + i * PG);
	mprotect(p, 4 * PG, PROT_READ);
	mprotect(p, 4 * PG, RW);
	fill(p, 4, 'a');
	EXPECT_EQ(0, peek(q));
	EXPECT_TRUE(filled(p, 4, 'a'));
}

#ifdef __x86_64__
TEST(code_runs_only_where_allowed)
{
	unsigned char *p = (unsigned char *)anon(1);

	p[0] = 0xc3;	/* ret */
	EXPECT_EQ(SEGV_DENIED, try_exec(p));
	mprotect(p, PG, PROT_READ | PROT_EXEC);
	EXPECT_EQ(NO_FAULT, try_exec(p));
	EXPECT_EQ(SEGV_DENIED, try_write(p));
	mprotect(p, PG, PROT_READ);
	EXPECT_EQ(SEGV_DENIED, try_exec(p));
}
#endif

TEST(commit_charge_moves_with_writability)
{
	char *p = mmap(NULL, 32 * MIB, PROT_READ, PRIVATE_ANON, -1, 0);
	long before = field_kib("/proc/meminfo", "Committed_AS");

	mprotect(p, 32 * MIB, RW);
	EXPECT_LE(30 * 1024, field_kib("/proc/meminfo", "Committed_AS") - before);
	EXPECT_TRUE(vmflag(0, p, "ac"));
	munmap(p, 32 * MIB);
	EXPECT_GE(2048, labs(field_kib("/proc/meminfo", "Committed_AS") - before));
}

TEST(keys_guard_memory)
{
	char *p = anon(3);
	int key = pkey_alloc(0, 0);

	if (key < 0)
		SKIP(return, "no protection keys here");
	fill(p, 3, 'a');
	ASSERT_EQ(0, pkey_mprotect(p + PG, PG, RW, key));
	EXPECT_EQ(3, areas_over(p, 3 * PG));
	EXPECT_EQ(NO_FAULT, try_write(p + PG));
	pkey_set(key, PKEY_DISABLE_WRITE);
	EXPECT_EQ(NO_FAULT, try_read(p + PG));
	EXPECT_EQ(SEGV_KEY, try_write(p + PG));
	EXPECT_EQ((unsigned long)(p + PG), fault_addr);
	/* A handler runs with its own rights; set them again after each. */
	pkey_set(key, PKEY_DISABLE_ACCESS);
	EXPECT_EQ(SEGV_KEY, try_read(p + PG));
	pkey_set(key, PKEY_DISABLE_ACCESS);
	EXPECT_EQ(NO_FAULT, try_write(p));
	EXPECT_EQ(NO_FAULT, try_write(p + 2 * PG));
	/* The kernel's own copying honours the key. */
	pkey_set(key, PKEY_DISABLE_ACCESS);
	EXPECT_EQ(-1, read(open("/dev/zero", O_RDONLY), p + PG, 8));
	EXPECT_EQ(EFAULT, errno);
	pkey_set(key, 0);
	EXPECT_EQ('w', peek(p + PG));
	/* Plain mprotect keeps the key. */
	mprotect(p + PG, PG, PROT_READ);
	mprotect(p + PG, PG, RW);
	EXPECT_EQ(3, areas_over(p, 3 * PG));
	pkey_mprotect(p + PG, PG, RW, 0);
	EXPECT_EQ(1, areas_over(p, 3 * PG));
	EXPECT_EQ(0, pkey_free(key));
	EXPECT_EQ(-1, pkey_mprotect(p, PG, RW, key));
	EXPECT_EQ(EINVAL, errno);
}

TEST(key_holds_for_pages_not_yet_there)
{
	char *p = anon(2);
	int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);

	if (key < 0)
		SKIP(return, "no protection keys here");
	ASSERT_EQ(0, pkey_mprotect(p, PG, RW, key));
	EXPECT_EQ(SEGV_KEY, try_write(p));
	EXPECT_EQ(0, resident(0, p, 1));
	pkey_set(key, 0);
	EXPECT_EQ(NO_FAULT, try_write(p));
	EXPECT_EQ(key, smaps_field(0, p, "ProtectionKey"));
}

TEST(execute_only)
{
	unsigned char *p = (unsigned char *)anon(1);
	int key = pkey_alloc(0, 0);

	if (key < 0)
		SKIP(return, "no protection keys here");
	pkey_free(key);
	p[0] = 0xc3;
	ASSERT_EQ(0, mprotect(p, PG, PROT_EXEC));
	EXPECT_EQ(NO_FAULT, try_exec(p));
	EXPECT_EQ(SEGV_KEY, try_read(p));
}

TEST_HARNESS_MAIN
