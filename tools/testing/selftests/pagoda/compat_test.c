// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of 32-bit programs, made by way of int 0x80: what they map lies
 * below 4 GiB, and is the same memory.
 */
#include "suite.h"

#define CALL_MUNMAP	91
#define CALL_MPROTECT	125
#define CALL_MREMAP	163
#define CALL_MMAP2	192

/* The sixth argument is always 0. */
static long call32(long nr, unsigned long a, unsigned long b, unsigned long c,
		   unsigned long d, unsigned long e)
{
	long ret = nr;

	asm volatile("sub $128, %%rsp\n\t"
		     "push %%rbp\n\t"
		     "xor %%ebp, %%ebp\n\t"
		     "int $0x80\n\t"
		     "pop %%rbp\n\t"
		     "add $128, %%rsp"
		     : "+a" (ret)
		     : "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "memory", "cc", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static char *map32(unsigned long hint, size_t pages, int prot)
{
	long at = call32(CALL_MMAP2, hint, pages * PG, prot, PRIVATE_ANON, -1);

	if (at < 0 && at > -4096)
		return MAP_FAILED;
	return (char *)(at & 0xffffffffUL);
}

TEST(memory_is_below_4g)
{
	char *one = map32(0, 3, RW), *two = map32(0, 2, RW), *far;

	ASSERT_NE(MAP_FAILED, one);
	ASSERT_NE(MAP_FAILED, two);
	EXPECT_LT((unsigned long)one + 3 * PG, 1UL << 32);
	EXPECT_LT((unsigned long)two + 2 * PG, 1UL << 32);
	/* Downwards, as for other programs. */
	EXPECT_EQ(one, two + 2 * PG);
	fill(one, 3, 'a');
	fill(two, 2, 'k');
	EXPECT_TRUE(filled(one, 3, 'a'));
	EXPECT_TRUE(filled(two, 2, 'k'));
	/* The same process maps elsewhere by its own calls. */
	far = anon(1);
	EXPECT_GT((unsigned long)far, 1UL << 32);
	EXPECT_EQ(0, munmap(one, 3 * PG));
	EXPECT_EQ(0, munmap(two, 2 * PG));
}

TEST(hints_are_followed)
{
	char *p = map32(0x30000000, 2, RW), *q;

	EXPECT_EQ((char *)0x30000000, p);
	q = map32(0x30001000, 2, RW);
	EXPECT_NE((char *)0x30001000, q);
	EXPECT_LT((unsigned long)q, 1UL << 32);
	munmap(p, 2 * PG);
	munmap(q, 2 * PG);
}

TEST(too_much_for_4g)
{
	EXPECT_EQ(MAP_FAILED, map32(0, 0xfffff, PROT_NONE));
}

TEST(calls_change_the_same_memory)
{
	char *p = map32(0, 4, RW);
	long at;

	ASSERT_NE(MAP_FAILED, p);
	fill(p, 4, 'a');
	EXPECT_EQ(0, call32(CALL_MPROTECT, (unsigned long)p, PG, PROT_READ, 0, 0));
	EXPECT_EQ(SEGV_DENIED, try_write(p));
	EXPECT_EQ(0, call32(CALL_MUNMAP, (unsigned long)p, PG, 0, 0, 0));
	EXPECT_EQ(SEGV_NOTHING, try_read(p));
	/* Something in the way, so it has to move, and stays below. */
	map32((unsigned long)p + 4 * PG, 1, RW);
	at = call32(CALL_MREMAP, (unsigned long)p + PG, 3 * PG, 64 * PG,
		    MREMAP_MAYMOVE, 0);
	p = (char *)(at & 0xffffffffUL);
	EXPECT_TRUE(filled(p, 3, 'b'));
}

TEST_HARNESS_MAIN
