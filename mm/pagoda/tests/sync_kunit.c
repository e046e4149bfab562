// SPDX-License-Identifier: GPL-2.0
/*
 * msync and mincore. That msync reaches a disk is for a user-space test with a
 * file system on one; here is what it answers and whom it calls.
 */
#include <linux/file.h>
#include <linux/pagemap.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

static long sync(unsigned long page, unsigned long pages, int flags)
{
	return umm_sys(__NR_msync, AT(page), pages * PAGE_SIZE, flags);
}

static void msync_answers(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 16);

	umm_paint(test, file, "|hh|..|ww|LL|");
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 5), 0);
	KUNIT_EXPECT_EQ(test, sync(0, 2, MS_SYNC), 0L);
	KUNIT_EXPECT_EQ(test, sync(0, 2, MS_ASYNC), 0L);
	KUNIT_EXPECT_EQ(test, sync(0, 2, 0), 0L);
	KUNIT_EXPECT_EQ(test, sync(0, 2, MS_INVALIDATE), 0L);
	KUNIT_EXPECT_EQ(test, sync(0, 0, MS_SYNC), 0L);
	KUNIT_EXPECT_EQ(test, sync(0, 2, MS_SYNC | MS_ASYNC), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, sync(0, 2, 0x100), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_msync, AT(0) + 1, PAGE_SIZE,
				      MS_SYNC), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, sync(0, 6, MS_SYNC), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, sync(2, 1, MS_ASYNC), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, sync(4, 4, MS_SYNC), 0L);
	KUNIT_EXPECT_EQ(test, sync(6, 2, MS_INVALIDATE), (long)-EBUSY);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 0), 5UL);
}

/* The vector is user memory too: it lies at page 16. */
static long incore(unsigned long page, unsigned long pages)
{
	return umm_sys(__NR_mincore, AT(page), pages * PAGE_SIZE, AT(16));
}

static void incore_expect(struct kunit *test, unsigned long page,
			  unsigned long pages, const char *want)
{
	u8 vector[32] = { };
	char seen[33] = { };
	int i;

	KUNIT_EXPECT_EQ(test, incore(page, pages), 0L);
	KUNIT_ASSERT_EQ(test, copy_from_user(vector, (void __user *)AT(16),
					     pages), 0UL);
	for (i = 0; i < pages; i++)
		seen[i] = vector[i] & 1 ? '1' : '0';
	KUNIT_EXPECT_STREQ(test, seen, want);
}

static void mincore_anon(struct kunit *test)
{
	umm_map_at(test, AT(16), 1, UMM_RW);
	umm_paint(test, NULL, "|wwww|WW|");
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 0UL);
	incore_expect(test, 0, 6, "011011");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(4), PAGE_SIZE,
				      MADV_DONTNEED), 0L);
	incore_expect(test, 3, 3, "001");
}

/* Of a file, what counts is the page cache, not the mapping. */
static void mincore_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 16);

	umm_file_set(test, file, PAGE_SIZE, 1);
	umm_file_set(test, file, 3 * PAGE_SIZE, 1);
	umm_map_at(test, AT(16), 1, UMM_RW);
	umm_paint(test, file, "|hhhhh|");
	incore_expect(test, 0, 5, "01010");
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 0UL);
	incore_expect(test, 0, 5, "01011");
}

static void mincore_refuses(struct kunit *test)
{
	umm_map_at(test, AT(16), 1, UMM_RW);
	umm_paint(test, NULL, "|ww|..|ww|");
	KUNIT_EXPECT_EQ(test, incore(0, 6), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, incore(2, 1), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, incore(0, 0), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mincore, AT(0) + 1, PAGE_SIZE,
				      AT(16)), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mincore, AT(0), PAGE_SIZE, AT(3)),
			(long)-EFAULT);
}

static struct kunit_case sync_tests[] = {
	KUNIT_CASE(msync_answers),
	KUNIT_CASE(mincore_anon),
	KUNIT_CASE(mincore_file),
	KUNIT_CASE(mincore_refuses),
	{ }
};

static struct kunit_suite sync_suite = {
	.name = "pagoda_sync",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = sync_tests,
};

kunit_test_suite(sync_suite);
