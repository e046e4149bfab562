// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous memory that is mapped before it is asked for.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>

#include <pagoda/umm.h>
#include "../fault.h"

/* Write to @nr pages from the page @first of @at on, in order. */
static void ahead_write(struct kunit *test, unsigned long at,
			unsigned long first, unsigned long nr)
{
	unsigned long i;

	for (i = first; i < first + nr; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * PAGE_SIZE, i + 1), 0);
}

/* Room for @pages pages that begin where a table does. */
static unsigned long ahead_area(struct kunit *test, unsigned long pages)
{
	if (!arch_has_hw_pte_young())
		kunit_skip(test, "processors here do not tell what is used");
	return umm_map_at(test, ALIGN(UMM_BASE, PMD_SIZE), pages, UMM_RW);
}

/* Pages come before they are asked for as long as those that came are used. */
static void ahead_grows_with_use(struct kunit *test)
{
	unsigned long at = ahead_area(test, 64), i;
	struct umm_entry e;

	ahead_write(test, at, 0, 4);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 4UL);
	ahead_write(test, at, 4, 1);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 9UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 9L);
	e = umm_entry(current->mm, at + 5 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, e.present && e.write);
	KUNIT_EXPECT_FALSE(test, e.young);
	for (i = 5; i < 9; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE), 0UL);
	ahead_write(test, at, 5, 5);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 19UL);
	ahead_write(test, at, 10, 10);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 35UL);
	ahead_write(test, at, 20, 44);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE), i + 1);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 64L);
}

/* One page that was not used ends it. */
static void ahead_ends_with_waste(struct kunit *test)
{
	unsigned long at = ahead_area(test, 64);

	ahead_write(test, at, 0, 5);
	KUNIT_ASSERT_EQ(test, umm_present(current->mm, at, 64), 9UL);
	ahead_write(test, at, 5, 3);
	ahead_write(test, at, 9, 1);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 10UL);
	ahead_write(test, at, 10, 3);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 13UL);
	ahead_write(test, at, 30, 1);
	ahead_write(test, at, 35, 1);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 15UL);
}

/* Not beyond the area, nor over what is there. */
static void ahead_stays_inside(struct kunit *test)
{
	unsigned long at = ahead_area(test, 64);

	KUNIT_ASSERT_EQ(test, vm_munmap(at + 6 * PAGE_SIZE, PAGE_SIZE), 0);
	ahead_write(test, at, 0, 5);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 6UL);
	ahead_write(test, at, 12, 1);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 14 * PAGE_SIZE), 0UL);
	ahead_write(test, at, 7, 4);
	ahead_write(test, at, 11, 1);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), 13UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 12 * PAGE_SIZE), 13UL);
	ahead_write(test, at, 13, 1);
	KUNIT_EXPECT_EQ(test, umm_entry(current->mm, at + 14 * PAGE_SIZE).pfn,
			my_zero_pfn(at));
}

/* Nor beyond the table, where another begins without evidence. */
static void ahead_stays_in_its_table(struct kunit *test)
{
	unsigned long at = ahead_area(test, 2 * PTRS_PER_PTE);
	unsigned long last = PTRS_PER_PTE - 6;

	ahead_write(test, at, last, 5);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 2 * PTRS_PER_PTE),
			6UL);
	ahead_write(test, at, last + 5, 5);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 2 * PTRS_PER_PTE),
			10UL);
}

static void ahead_not_at_random(struct kunit *test)
{
	unsigned long at = ahead_area(test, 64), i;

	KUNIT_ASSERT_EQ(test, umm_sys(__NR_madvise, at, 32 * PAGE_SIZE,
				      MADV_RANDOM), 0L);
	ahead_write(test, at, 0, 20);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 32), 20UL);
	for (i = 0; i < 32; i += 2)
		ahead_write(test, at, 32 + i, 1);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at + 32 * PAGE_SIZE, 32),
			16UL);
	for (i = 64; --i > 52;)
		ahead_write(test, at, i, 1);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at + 32 * PAGE_SIZE, 32),
			22UL);
}

static struct kunit_case ahead_tests[] = {
	KUNIT_CASE(ahead_grows_with_use),
	KUNIT_CASE(ahead_ends_with_waste),
	KUNIT_CASE(ahead_stays_inside),
	KUNIT_CASE(ahead_stays_in_its_table),
	KUNIT_CASE(ahead_not_at_random),
	{ }
};

static unsigned int ahead_usual;

/* As many pages ahead whatever their size is. */
static int ahead_init(struct kunit *test)
{
	ahead_usual = anon_ahead_bytes;
	anon_ahead_bytes = 16 * PAGE_SIZE;
	return umm_init(test);
}

static void ahead_exit(struct kunit *test)
{
	anon_ahead_bytes = ahead_usual;
	umm_exit(test);
}

static struct kunit_suite ahead_suite = {
	.name = "pagoda_ahead",
	.init = ahead_init,
	.exit = ahead_exit,
	.test_cases = ahead_tests,
};

kunit_test_suite(ahead_suite);

MODULE_DESCRIPTION("KUnit tests of anonymous memory mapped ahead");
MODULE_LICENSE("GPL");
