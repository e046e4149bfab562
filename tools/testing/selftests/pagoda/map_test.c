// SPDX-License-Identifier: GPL-2.0
/*
 * mmap, munmap, brk and what limits them.
 */
#include "suite.h"

static char *at(char *p, size_t pages, int prot, int flags)
{
	return mmap(p, pages * PG, prot, flags, -1, 0);
}

TEST(anonymous_memory_reads_zero)
{
	char *p = anon(4);

	EXPECT_EQ(0, (unsigned long)p % PG);
	EXPECT_TRUE(filled(p + PG, 1, 0));
	fill(p, 4, 'a');
	EXPECT_TRUE(filled(p, 4, 'a'));
	EXPECT_EQ(0, munmap(p, 4 * PG));
	EXPECT_EQ(SEGV_NOTHING, try_read(p));
	EXPECT_EQ((unsigned long)p, fault_addr);
}

TEST(bad_arguments)
{
	char *p = anon(2);

	EXPECT_EQ(MAP_FAILED, mmap(NULL, 0, RW, PRIVATE_ANON, -1, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_ANONYMOUS, -1, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, -PG, RW, PRIVATE_ANON, -1, 0));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(MAP_FAILED, mmap(p + 1, PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, at((void *)-(16 * PG), 1, RW, PRIVATE_ANON | MAP_FIXED));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_PRIVATE, -1, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, munmap(p + 1, PG));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(p, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(p, -PG));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, munmap(p, 2 * PG));
	EXPECT_EQ(0, munmap(p, 2 * PG));
}

TEST(file_rights_and_offsets)
{
	int fd = memory_file(2, 'a'), ro, wo;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	wo = open(path, O_WRONLY);
	ASSERT_LE(0, ro);
	ASSERT_LE(0, wo);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_SHARED, ro, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, PROT_READ, MAP_SHARED, wo, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_NE(MAP_FAILED, mmap(NULL, PG, RW, MAP_PRIVATE, ro, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_SHARED, fd, 1));
	EXPECT_EQ(EINVAL, errno);
#if __SIZEOF_LONG__ == 8	/* 32 bits of pages are always an offset */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_SHARED, fd, -PG));
	EXPECT_EQ(EOVERFLOW, errno);
#endif
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_SHARED_VALIDATE | (1 << 22), fd, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST(hint_is_taken_when_free)
{
	char *p = anon(4), *q;

	munmap(p, 4 * PG);
	EXPECT_EQ(p + PG, at(p + PG, 1, RW, PRIVATE_ANON));
	q = at(p + PG, 1, RW, PRIVATE_ANON);
	EXPECT_NE(MAP_FAILED, q);
	EXPECT_NE(p + PG, q);
}

TEST(fixed_replaces)
{
	char *p = anon(5);

	fill(p, 5, 'a');
	EXPECT_EQ(p + PG, at(p + PG, 2, PROT_READ, PRIVATE_ANON | MAP_FIXED));
	EXPECT_TRUE(filled(p, 1, 'a'));
	EXPECT_EQ(0, peek(p + PG));
	EXPECT_EQ(0, peek(p + 3 * PG - 1));
	EXPECT_TRUE(filled(p + 3 * PG, 2, 'd'));
	EXPECT_EQ(SEGV_DENIED, try_write(p + PG));
	EXPECT_EQ(NO_FAULT, try_write(p + 3 * PG));
	EXPECT_EQ(3, areas_over(p, 5 * PG));
}

TEST(fixed_noreplace_refuses)
{
	const int how = PRIVATE_ANON | MAP_FIXED_NOREPLACE;
	char *p = anon(5);

	munmap(p + PG, 3 * PG);
	fill(p, 1, 'a');
	EXPECT_EQ(MAP_FAILED, at(p, 5, RW, how));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(MAP_FAILED, at(p, 2, RW, how));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(MAP_FAILED, at(p + 3 * PG, 2, RW, how));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(p + PG, at(p + PG, 3, RW, how));
	EXPECT_TRUE(filled(p, 1, 'a'));
}

TEST(neighbours_merge_and_split)
{
	char *p = anon(9);

	munmap(p, 9 * PG);
	p += PG;
	at(p, 2, RW, PRIVATE_ANON | MAP_FIXED);
	at(p + 4 * PG, 2, RW, PRIVATE_ANON | MAP_FIXED);
	EXPECT_EQ(2, areas_over(p, 6 * PG));
	at(p + 2 * PG, 2, RW, PRIVATE_ANON | MAP_FIXED);
	EXPECT_EQ(1, areas_over(p, 6 * PG));
	munmap(p + 2 * PG, PG);
	EXPECT_EQ(2, areas_over(p, 6 * PG));
	at(p + 2 * PG, 1, PROT_READ, PRIVATE_ANON | MAP_FIXED);
	EXPECT_EQ(3, areas_over(p, 6 * PG));
	at(p + 2 * PG, 1, RW, PRIVATE_ANON | MAP_FIXED);
	EXPECT_EQ(1, areas_over(p, 6 * PG));
}

TEST(file_neighbours_merge_by_offset)
{
	int fd = memory_file(8, 'a');
	char *p = anon(8);

	for (int i = 0; i < 4; i++)
		mmap(p + i * PG, PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, i * PG);
	EXPECT_EQ(1, areas_over(p, 4 * PG));
	mmap(p + 4 * PG, PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 6 * PG);
	EXPECT_EQ(2, areas_over(p, 5 * PG));
	EXPECT_EQ('d', peek(p + 3 * PG));
	EXPECT_EQ('g', peek(p + 4 * PG));
	munmap(p + PG, PG);
	EXPECT_EQ('c', peek(p + 2 * PG));
}

TEST(munmap_over_holes)
{
	char *p = anon(10);

	fill(p, 10, 'a');
	munmap(p + 2 * PG, PG);
	munmap(p + 5 * PG, PG);
	EXPECT_EQ(0, munmap(p + PG, 7 * PG));
	EXPECT_TRUE(filled(p, 1, 'a'));
	EXPECT_TRUE(filled(p + 8 * PG, 2, 'i'));
	for (int i = 1; i < 8; i++)
		EXPECT_EQ(SEGV_NOTHING, try_read(p + i * PG));
	EXPECT_EQ(2, areas_over(p, 10 * PG));
}

TEST(grows_down_on_touch)
{
	char *p = anon(600), *top = p + 599 * PG;

	munmap(p, 600 * PG);
	ASSERT_EQ(top, at(top, 1, RW, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN));
	EXPECT_EQ(NO_FAULT, try_write(top - 1));
	EXPECT_EQ(NO_FAULT, try_write(top - 20 * PG));
	EXPECT_EQ(1, areas_over(p, 600 * PG));
	EXPECT_TRUE(vmflag(0, top, "gd"));
	EXPECT_EQ(0, peek(top - 10 * PG));
}

TEST(grows_down_keeps_its_guard_gap)
{
	char *p = anon(600), *top = p + 300 * PG;

	munmap(p + PG, 599 * PG);
	poke(p, 'x');
	ASSERT_EQ(top, at(top, 1, RW, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN));
	EXPECT_EQ(NO_FAULT, try_write(top - 40 * PG));
	EXPECT_EQ(SEGV_NOTHING, try_write(top - 60 * PG));
	EXPECT_EQ('x', peek(p));
	/* What may not be touched is no danger. */
	mprotect(p, PG, PROT_NONE);
	EXPECT_EQ(NO_FAULT, try_write(top - 60 * PG));
}

TEST(grows_down_to_the_stack_limit)
{
	char *p = anon(600), *top = p + 599 * PG;

	munmap(p, 600 * PG);
	ASSERT_EQ(top, at(top, 1, RW, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN));
	ASSERT_EQ(0, limit(RLIMIT_STACK, 64 * PG));
	EXPECT_EQ(NO_FAULT, try_write(top - 60 * PG));
	EXPECT_EQ(SEGV_NOTHING, try_write(top - 70 * PG));
}

TEST(populate)
{
	char *p = at(NULL, 64, RW, PRIVATE_ANON | MAP_POPULATE), *q;
	int fd = memory_file(16, 'a');
	long n;

	EXPECT_EQ(64, resident(0, p, 64));
	n = faults();
	for (int i = 0; i < 64; i++)
		poke(p + i * PG, 1);
	EXPECT_EQ(n, faults());
	p = at(NULL, 64, RW, PRIVATE_ANON | MAP_POPULATE | MAP_NONBLOCK);
	EXPECT_EQ(0, resident(0, p, 64));
	p = at(NULL, 8, PROT_NONE, PRIVATE_ANON | MAP_POPULATE);
	EXPECT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, resident(0, p, 8));
	q = mmap(NULL, 16 * PG, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	EXPECT_EQ(16, resident(0, q, 16));
	EXPECT_TRUE(filled(q, 16, 'a'));
}

TEST(locked_mappings_and_their_limit)
{
	char *p = at(NULL, 16, RW, PRIVATE_ANON | MAP_LOCKED);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(16, resident(0, p, 16));
	EXPECT_EQ((long)(16 * PG / KIB), status_field(0, "VmLck"));
	munmap(p, 16 * PG);
	EXPECT_EQ(0, status_field(0, "VmLck"));
	ASSERT_EQ(0, limit(RLIMIT_MEMLOCK, 8 * PG));
	ASSERT_EQ(0, drop_root());
	EXPECT_EQ(MAP_FAILED, at(NULL, 16, RW, PRIVATE_ANON | MAP_LOCKED));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_NE(MAP_FAILED, at(NULL, 8, RW, PRIVATE_ANON | MAP_LOCKED));
	EXPECT_EQ(MAP_FAILED, at(NULL, 1, RW, PRIVATE_ANON | MAP_LOCKED));
	ASSERT_EQ(0, limit(RLIMIT_MEMLOCK, 0));
	EXPECT_EQ(MAP_FAILED, at(NULL, 1, RW, PRIVATE_ANON | MAP_LOCKED));
	EXPECT_EQ(EPERM, errno);
}

TEST(hugetlb_is_refused)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * MIB, RW, PRIVATE_ANON | MAP_HUGETLB, -1, 0));
	EXPECT_TRUE(errno == EINVAL || errno == ENOMEM);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * MIB, RW, PRIVATE_ANON | MAP_HUGETLB | 21 << 26,
				   -1, 0));
}

TEST(address_space_and_data_limits)
{
	long vm = status_field(0, "VmSize") * KIB, data;
	char *p = anon(64);

	ASSERT_EQ(0, limit(RLIMIT_AS, vm + 128 * PG));
	EXPECT_EQ(MAP_FAILED, at(NULL, 128, RW, PRIVATE_ANON));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_NE(MAP_FAILED, at(NULL, 32, RW, PRIVATE_ANON));
	/* What is replaced does not count twice. */
	EXPECT_EQ(p, at(p, 64, RW, PRIVATE_ANON | MAP_FIXED));
	data = status_field(0, "VmData") * KIB;
	ASSERT_EQ(0, limit(RLIMIT_DATA, data + 4 * PG));
	EXPECT_EQ(MAP_FAILED, at(NULL, 8, RW, PRIVATE_ANON));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_NE(MAP_FAILED, at(NULL, 8, PROT_READ, PRIVATE_ANON));
}

TEST(size_counters_follow)
{
	long vm = status_field(0, "VmSize"), data = status_field(0, "VmData");
	char *p = anon(100);

	EXPECT_EQ(vm + (long)(100 * PG / KIB), status_field(0, "VmSize"));
	EXPECT_EQ(data + (long)(100 * PG / KIB), status_field(0, "VmData"));
	munmap(p + 10 * PG, 50 * PG);
	EXPECT_EQ(vm + (long)(50 * PG / KIB), status_field(0, "VmSize"));
	munmap(p, 100 * PG);
	EXPECT_EQ(vm, status_field(0, "VmSize"));
	EXPECT_EQ(data, status_field(0, "VmData"));
}

static long committed(void)
{
	return field_kib("/proc/meminfo", "Committed_AS");
}

TEST(overcommit)
{
	unsigned long ram = field_kib("/proc/meminfo", "MemTotal") * KIB;
	const char *mode = "/proc/sys/vm/overcommit_memory";
	unsigned long len = (ram / 4 * 3) & -PG;	/* all mode 2 allows is less */
	char *p;
	long as;

	ASSERT_EQ(0, write_text(mode, "0"));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * len, RW, PRIVATE_ANON, -1, 0));
	EXPECT_EQ(ENOMEM, errno);
	p = mmap(NULL, len, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
	EXPECT_NE(MAP_FAILED, p);
	munmap(p, len);
	ASSERT_EQ(0, write_text(mode, "1"));
	p = mmap(NULL, len, RW, PRIVATE_ANON, -1, 0);
	EXPECT_NE(MAP_FAILED, p);
	munmap(p, len);
	ASSERT_EQ(0, write_text(mode, "2"));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, len, RW, PRIVATE_ANON, -1, 0));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, len, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0));
	p = mmap(NULL, len, PROT_READ, PRIVATE_ANON, -1, 0);
	EXPECT_NE(MAP_FAILED, p);
	/* Making it writable asks for the commitment then. */
	EXPECT_EQ(-1, mprotect(p, len, RW));
	EXPECT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, write_text(mode, "0"));
	munmap(p, len);
	as = committed();
	p = mmap(NULL, 64 * MIB, RW, PRIVATE_ANON, -1, 0);
	EXPECT_LE(64 * 1024 - 2048, committed() - as);
	munmap(p, 64 * MIB);
	EXPECT_GE(2048, labs(committed() - as));
}

TEST(map_count_limit)
{
	const char *knob = "/proc/sys/vm/max_map_count";
	char *p = anon(1000), *whole = anon(9);
	int made = 0;

	fill(whole, 9, 'a');
	ASSERT_EQ(0, write_text(knob, "150"));
	while (made < 400 && !mprotect(p + 2 * made * PG, PG, PROT_READ))
		made++;
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_LT(20, made);
	EXPECT_GT(150, made);
	/* At the limit what would split fails and has changed nothing. */
	while (at(NULL, 1, made & 1 ? RW : PROT_READ, SHARED_ANON) != MAP_FAILED && made < 400)
		made++;
	EXPECT_EQ(-1, munmap(whole + 4 * PG, PG));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, mprotect(whole + 4 * PG, PG, PROT_NONE));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_TRUE(filled(whole, 9, 'a'));
	EXPECT_EQ(1, areas_over(whole, 9 * PG));
	EXPECT_EQ(0, munmap(whole, 9 * PG));
	EXPECT_EQ(0, write_text(knob, "65530"));
}

TEST(remap_file_pages_is_emulated)
{
	int fd = memory_file(8, 'a');
	char *p = mmap(NULL, 8 * PG, RW, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 8 * PG, RW, MAP_PRIVATE, fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, syscall(SYS_remap_file_pages, p, PG, 0, 7, 0));
	ASSERT_EQ(0, syscall(SYS_remap_file_pages, p + 2 * PG, 2 * PG, 0, 0, 0));
	EXPECT_EQ('h', peek(p));
	EXPECT_EQ('b', peek(p + PG));
	EXPECT_EQ('a', peek(p + 2 * PG));
	EXPECT_EQ('b', peek(p + 3 * PG));
	EXPECT_EQ('e', peek(p + 4 * PG));
	poke(p, 'Z');
	EXPECT_EQ('Z', peek(p + 7 * PG));
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, q, PG, 0, 7, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST(sealed_areas_do_not_change)
{
	char *p = anon(4);

	if (syscall(__NR_mseal, p, 0, 0))
		SKIP(return, "no mseal here");
	fill(p, 4, 'a');
	ASSERT_EQ(0, syscall(__NR_mseal, p, 3 * PG, 0));
	EXPECT_EQ(-1, munmap(p, 4 * PG));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, mprotect(p + 2 * PG, 2 * PG, PROT_READ));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(MAP_FAILED, at(p, 1, RW, PRIVATE_ANON | MAP_FIXED));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(MAP_FAILED, mremap(p, 3 * PG, PG, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(MAP_FAILED, mremap(p, 3 * PG, 9 * PG, MREMAP_MAYMOVE));
	EXPECT_EQ(EPERM, errno);
	EXPECT_TRUE(filled(p, 4, 'a'));
	EXPECT_EQ(0, munmap(p + 3 * PG, PG));
	EXPECT_EQ(-1, syscall(__NR_mseal, p, 4 * PG, 0));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, syscall(__NR_mseal, p + 1, PG, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(vmflag(0, p, "sl"));
}

TEST(droppable)
{
	char *p = mmap(NULL, 4 * PG, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		SKIP(return, "no MAP_DROPPABLE here");
	fill(p, 4, 'a');
	EXPECT_TRUE(peek(p) == 'a' || peek(p) == 0);
	EXPECT_TRUE(vmflag(0, p, "wf"));
	EXPECT_TRUE(vmflag(0, p, "dp"));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_DROPPABLE, memory_file(1, 'a'), 0));
}

#ifdef __x86_64__
TEST(low_and_high_addresses)
{
	char *low = at(NULL, 4, RW, PRIVATE_ANON | MAP_32BIT);
	char *high = at((void *)(1UL << 50), 1, RW, PRIVATE_ANON);

	ASSERT_NE(MAP_FAILED, low);
	EXPECT_GT(0x80000000UL, (unsigned long)low);
	ASSERT_NE(MAP_FAILED, high);
	/* Above 47 bits only who asks, and only with five levels. */
	EXPECT_TRUE((unsigned long)high == 1UL << 50 || (unsigned long)high < 1UL << 47);
	EXPECT_GT(1UL << 47, (unsigned long)anon(1));
	poke(high, 'x');
	EXPECT_EQ('x', peek(high));
}
#endif

TEST(break_up_and_down)
{
	char *old = (char *)(((unsigned long)sbrk(0) + PG - 1) & -PG);

	ASSERT_EQ(0, brk(old + 8 * PG));
	EXPECT_EQ(0, peek(old + 8 * PG - 1));
	fill(old, 8, 'a');
	ASSERT_EQ(0, brk(old + 2 * PG));
	EXPECT_EQ(SEGV_NOTHING, try_read(old + 2 * PG));
	EXPECT_TRUE(filled(old, 2, 'a'));
	ASSERT_EQ(0, brk(old + 8 * PG));
	EXPECT_EQ(0, peek(old + 3 * PG));
	/* A mapping in the way stops it, and nothing is lost. */
	ASSERT_NE(MAP_FAILED, at(old + 12 * PG, 1, RW, PRIVATE_ANON | MAP_FIXED_NOREPLACE));
	EXPECT_EQ(-1, brk(old + 16 * PG));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(old + 8 * PG, sbrk(0));
	EXPECT_TRUE(filled(old, 2, 'a'));
	ASSERT_EQ(0, limit(RLIMIT_DATA, PG));
	EXPECT_EQ(-1, brk(old + 9 * PG));
	EXPECT_EQ(0, brk(old));
}

TEST(page_tables_are_given_back)
{
	long before = status_field(0, "VmPTE");
	char *p = mmap(NULL, 256 * MIB, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

	for (size_t i = 0; i < 128; i++)
		poke(p + i * 2 * MIB, 1);
	/* Where a table has 1024 entries it covers 4 MiB. */
	EXPECT_LE(before + 64 * 4, status_field(0, "VmPTE"));
	munmap(p, 256 * MIB);
	EXPECT_GE(before + 8, status_field(0, "VmPTE"));
}

TEST_HARNESS_MAIN
