// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous memory: the zero page on read, a new page on write, and counters
 * that follow.
 */
#include <linux/highmem.h>
#include <linux/pgtable.h>
#include <linux/swap.h>

#include <pagoda/umm.h>

static long anon_pages(void)
{
	return umm_rss(current->mm, MM_ANONPAGES);
}

/* A page costs no frame until it is touched, and a read touch costs none. */
static void anon_read_maps_zero_page(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW);
	struct umm_entry e;

	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 4), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	e = umm_entry(current->mm, at);
	KUNIT_EXPECT_TRUE(test, e.present);
	KUNIT_EXPECT_FALSE(test, e.write);
	KUNIT_EXPECT_EQ(test, e.pfn, my_zero_pfn(at));
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 4), 1UL);
}

static void anon_write_maps_new_page(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW);
	struct umm_entry e;

	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 7), 0);
	e = umm_entry(current->mm, at + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, e.present && e.user && e.write);
	KUNIT_EXPECT_TRUE(test, e.young && e.dirty);
	KUNIT_EXPECT_NE(test, e.pfn, my_zero_pfn(at));
	KUNIT_EXPECT_EQ(test, anon_pages(), 1L);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 4), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 7UL);
}

/* What the frame held before must not be seen. */
static void anon_new_page_is_clear(struct kunit *test)
{
	unsigned long at = umm_map(test, 8, UMM_RW), i;
	u8 *copy = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	for (i = 0; i < 8; i++) {
		unsigned long page = at + i * PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, umm_poke(page + 64, -1UL), 0);
		KUNIT_EXPECT_EQ(test, copy_from_user(copy, (void __user *)page,
						     PAGE_SIZE), 0UL);
		memset(copy + 64, 0, sizeof(long));
		KUNIT_EXPECT_NULL(test, memchr_inv(copy, 0, PAGE_SIZE));
		/* Dirty it, so that the next one could come back dirty. */
		memset(copy, 0xa5, PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)page, copy,
						   PAGE_SIZE), 0UL);
		KUNIT_EXPECT_EQ(test, vm_munmap(page, PAGE_SIZE), 0);
	}
}

static void anon_write_after_read(struct kunit *test)
{
	unsigned long at = umm_map(test, 2, UMM_RW);

	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 3), 0);
	KUNIT_EXPECT_NE(test, umm_entry(current->mm, at).pfn, my_zero_pfn(at));
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 3UL);
	/* The write went to a page of its own, not to everybody's zero. */
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, anon_pages(), 1L);
}

/* Faults counted are pages touched, and so are frames. */
static void anon_only_touched_pages(struct kunit *test)
{
	unsigned long at = umm_map(test, 64, UMM_RW), i, touched = 0;
	unsigned long faults = current->min_flt + current->maj_flt;

	for (i = 0; i < 64; i += 3, touched++)
		KUNIT_EXPECT_EQ(test, umm_poke(at + i * PAGE_SIZE, i), 0);
	faults = current->min_flt + current->maj_flt - faults;
	KUNIT_EXPECT_EQ(test, faults, touched);
	KUNIT_EXPECT_EQ(test, anon_pages(), (long)touched);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 64), touched);
	for (i = 0; i < 64; i += 3)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE), i);
}

static void anon_unmap_frees(struct kunit *test)
{
	unsigned long at = umm_map(test, 4, UMM_RW);
	struct folio *folio;

	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 1), 0);
	folio = page_folio(umm_page(test, at));
	folio_get(folio);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 1);
	KUNIT_EXPECT_TRUE(test, folio_test_anon(folio));
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
	lru_add_drain_all();
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_EQ(test, anon_pages(), 1L);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, umm_touch(at), -EFAULT);
}

/* Neighbouring pages whose tables are not neighbours, at each level. */
static void anon_across_tables(struct kunit *test)
{
	const unsigned long sizes[] = { PMD_SIZE, PUD_SIZE, PGDIR_SIZE };
	struct mm_struct *mm = current->mm;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long edge = ALIGN(2 * UMM_BASE, sizes[i]);
		unsigned long at = edge - 2 * PAGE_SIZE;

		if (edge + PMD_SIZE >= TASK_SIZE / 2 || edge <= UMM_BASE)
			continue;
		umm_map_at(test, at, 4, UMM_RW);
		KUNIT_EXPECT_EQ(test, umm_poke(edge - PAGE_SIZE, 1), 0);
		KUNIT_EXPECT_EQ(test, umm_poke(edge, 2), 0);
		KUNIT_EXPECT_EQ(test, umm_peek(test, edge - PAGE_SIZE), 1UL);
		KUNIT_EXPECT_EQ(test, umm_peek(test, edge), 2UL);
		KUNIT_EXPECT_EQ(test, umm_present(mm, at, 4), 2UL);
		KUNIT_EXPECT_GE(test, umm_table_bytes(mm), 2 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, vm_munmap(at, 4 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), 0UL);
		KUNIT_EXPECT_EQ(test, umm_rss_all(mm), 0L);
	}
}

/* One word that lies on two pages. */
static void anon_word_across_pages(struct kunit *test)
{
	unsigned long at = umm_map(test, 2, UMM_RW);
	unsigned long word = at + PAGE_SIZE - sizeof(long) / 2;

	KUNIT_EXPECT_EQ(test, umm_poke(word, 0x12345678UL), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, word), 0x12345678UL);
	KUNIT_EXPECT_EQ(test, anon_pages(), 2L);
}

static void anon_outside_faults(struct kunit *test)
{
	unsigned long at = umm_map_at(test, UMM_BASE, 1, UMM_RW);

	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at - PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(at - PAGE_SIZE), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(0), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(TASK_SIZE - PAGE_SIZE), -EFAULT);
	KUNIT_EXPECT_EQ(test, anon_pages(), 1L);
}

static void anon_read_only_stays_zero(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, PROT_READ);

	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
}

static void anon_populate(struct kunit *test)
{
	unsigned long at, len = 16 * PAGE_SIZE;

	at = vm_mmap(NULL, 0, len, UMM_RW, UMM_ANON | MAP_POPULATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 16), 16UL);
	KUNIT_EXPECT_EQ(test, anon_pages(), 16L);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, at).write);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, len), 0);
	KUNIT_EXPECT_EQ(test, anon_pages(), 0L);
	at = vm_mmap(NULL, 0, len, PROT_READ, UMM_ANON | MAP_POPULATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 16), 16UL);
	KUNIT_EXPECT_EQ(test, anon_pages(), 0L);
}

/* Shared anonymous memory is counted as shmem and never as anonymous. */
static void anon_shared_is_shmem(struct kunit *test)
{
	unsigned long at = vm_mmap(NULL, 0, 4 * PAGE_SIZE, UMM_RW,
				   MAP_SHARED | MAP_ANONYMOUS, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, umm_poke(at, 9), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 9UL);
	KUNIT_EXPECT_EQ(test, anon_pages(), 0L);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_SHMEMPAGES), 1L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 0UL);
	KUNIT_EXPECT_FALSE(test, folio_test_anon(page_folio(umm_page(test,
								     at))));
}

/* What VmHWM shows is the peak, not what is left of it. */
static void anon_peak_is_kept(struct kunit *test)
{
	const unsigned long pages = 1024;
	unsigned long at = umm_map(test, pages, UMM_RW), i;

	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * PAGE_SIZE, i), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, pages * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, anon_pages(), 0L);
	/* The counter read here may lag by a batch for each processor. */
	KUNIT_EXPECT_GE(test, get_mm_hiwater_rss(current->mm), pages / 2);
}

static struct kunit_case anon_tests[] = {
	KUNIT_CASE(anon_read_maps_zero_page),
	KUNIT_CASE(anon_write_maps_new_page),
	KUNIT_CASE(anon_new_page_is_clear),
	KUNIT_CASE(anon_write_after_read),
	KUNIT_CASE(anon_only_touched_pages),
	KUNIT_CASE(anon_unmap_frees),
	KUNIT_CASE(anon_across_tables),
	KUNIT_CASE(anon_word_across_pages),
	KUNIT_CASE(anon_outside_faults),
	KUNIT_CASE(anon_read_only_stays_zero),
	KUNIT_CASE(anon_populate),
	KUNIT_CASE(anon_shared_is_shmem),
	KUNIT_CASE(anon_peak_is_kept),
	{ }
};

static struct kunit_suite anon_suite = {
	.name = "pagoda_anon",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = anon_tests,
};

kunit_test_suite(anon_suite);
