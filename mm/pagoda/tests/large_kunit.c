// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios, as drivers map them: counted, pinned, found and cleaned by
 * pages, taken as one where all of it is meant.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include <pagoda/buffer.h>

#include "internal.h"	/* mm/'s */

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define NR		((int)UMM_BUFFER_PAGES)

/* Mapped shared at UMM_BASE, and every page written to. */
static struct umm_buffer *large_buffer(struct kunit *test)
{
	struct umm_buffer *d = umm_buffer(test, UMM_PAGES);
	int i;

	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, NR, MAP_SHARED), UMM_BASE);
	for (i = 0; i < NR; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(AT(i), 10 + i), 0);
	return d;
}

static void large_counts_pages(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);
	struct umm *child;

	KUNIT_EXPECT_EQ(test, folio_mapcount(d->folio), NR);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_FILEPAGES), (long)NR);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	KUNIT_EXPECT_EQ(test, folio_mapcount(d->folio), NR + 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(1), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, folio_mapcount(d->folio), NR + 1);
	umm_enter(umm_self(test));
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, folio_mapcount(d->folio), NR);
	KUNIT_EXPECT_EQ(test, vm_munmap(UMM_BASE, NR * PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, folio_mapped(d->folio));
	KUNIT_EXPECT_EQ(test, folio_ref_count(d->folio), 1);
}

/* Count entries that are gone, as if their table was locked. */
static void large_remove(struct folio *folio, int first, int nr,
			 struct vm_area_struct *vma)
{
	preempt_disable();
	folio_remove_rmap_ptes(folio, folio_page(folio, first), nr, vma);
	preempt_enable();
}

/* The same for new ones, of the first pages of anonymous memory at AT(4). */
static void large_add_anon(struct folio *folio, int nr,
			   struct vm_area_struct *vma, rmap_t flags)
{
	preempt_disable();
	folio_add_anon_rmap_ptes(folio, folio_page(folio, 0), nr, vma, AT(4),
				 flags);
	preempt_enable();
}

/* The statistics of mapped memory count each page once. */
static void large_statistics(struct kunit *test)
{
	struct umm_buffer *d = umm_buffer(test, UMM_PAGES);
	struct vm_area_struct *vma;
	int i;

	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, NR, MAP_SHARED), UMM_BASE);
	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, UMM_BASE);
	/* Counted as a fault would, without entries, twice and back. */
	preempt_disable();
	for (i = 0; i < 2; i++)
		folio_add_file_rmap_ptes(d->folio, folio_page(d->folio, 0),
					 NR - i, vma);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, folio_mapcount(d->folio), 2 * NR - 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&d->folio->_nr_pages_mapped), NR);
	large_remove(d->folio, 0, NR, vma);
	KUNIT_EXPECT_EQ(test, atomic_read(&d->folio->_nr_pages_mapped), NR - 1);
	large_remove(d->folio, 0, NR - 1, vma);
	KUNIT_EXPECT_EQ(test, atomic_read(&d->folio->_nr_pages_mapped), 0);
	KUNIT_EXPECT_FALSE(test, folio_mapped(d->folio));
	mmap_write_unlock(current->mm);
}

/* New anonymous memory is exclusive by pages, and can be counted again. */
static void large_anon(struct kunit *test)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO,
					  UMM_BUFFER_ORDER);
	struct vm_area_struct *vma;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	umm_paint(test, NULL, "|Wwwwwwww|");
	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, UMM_BASE);
	folio_lock(folio);
	preempt_disable();
	folio_add_new_anon_rmap(folio, vma, AT(4), RMAP_EXCLUSIVE);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, folio_test_anon(folio));
	KUNIT_EXPECT_EQ(test, folio->index, AT(4) >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), NR);
	KUNIT_EXPECT_EQ(test, atomic_read(&folio->_nr_pages_mapped), NR);
	for (i = 0; i < NR; i++) {
		struct page *page = folio_page(folio, i);

		KUNIT_EXPECT_TRUE(test, PageAnonExclusive(page));
		/* Whoever maps it again must take that back first. */
		ClearPageAnonExclusive(page);
	}
	large_add_anon(folio, 2, vma, RMAP_NONE);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), NR + 2);
	KUNIT_EXPECT_FALSE(test, PageAnonExclusive(folio_page(folio, 1)));
	large_remove(folio, 0, NR, vma);
	large_remove(folio, 0, 2, vma);
	KUNIT_EXPECT_FALSE(test, folio_mapped(folio));
	large_add_anon(folio, 1, vma, RMAP_EXCLUSIVE);
	KUNIT_EXPECT_TRUE(test, PageAnonExclusive(folio_page(folio, 0)));
	KUNIT_EXPECT_EQ(test, atomic_read(&folio->_nr_pages_mapped), 1);
	large_remove(folio, 0, 1, vma);
	folio_unlock(folio);
	mmap_write_unlock(current->mm);
	folio_put(folio);
}

/* Pins are counted beside the references. */
static void large_pins(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);
	struct page *pages[UMM_BUFFER_PAGES];
	atomic_t *pins = &d->folio->_pincount;

	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(d->folio));
	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(AT(0), NR, FOLL_WRITE, pages),
			NR);
	KUNIT_EXPECT_EQ(test, atomic_read(pins), NR);
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(d->folio));
	folio_add_pin(d->folio);
	KUNIT_EXPECT_EQ(test, atomic_read(pins), NR + 1);
	KUNIT_EXPECT_EQ(test, folio_ref_count(d->folio), 2 * NR + 2);
	unpin_user_folio(d->folio, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(pins), NR);
	unpin_user_pages(pages, NR);
	KUNIT_EXPECT_EQ(test, atomic_read(pins), 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(d->folio), NR + 1);
}

/* Memory that a device wrote to is dirty when its pins are dropped. */
static void large_pins_dirty(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);
	struct page *pages[UMM_BUFFER_PAGES];
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, pin_user_pages_fast(AT(0), NR, 0, pages),
				NR);
		folio_clear_dirty(d->folio);
		unpin_user_page_range_dirty_lock(pages[1], NR - 1, i);
		KUNIT_EXPECT_EQ(test, folio_test_dirty(d->folio), i);
		KUNIT_EXPECT_EQ(test, atomic_read(&d->folio->_pincount), 1);
		folio_clear_dirty(d->folio);
		unpin_user_pages_dirty_lock(pages, 1, i);
		KUNIT_EXPECT_EQ(test, folio_test_dirty(d->folio), i);
		KUNIT_EXPECT_EQ(test, atomic_read(&d->folio->_pincount), 0);
	}
}

static int large_referenced(struct umm_buffer *d, unsigned long *flags)
{
	return folio_referenced(d->folio, 0, NULL, flags);
}

/* One area that used any page of it counts once. */
static void large_referenced_once(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);
	unsigned long flags;
	int i;

	KUNIT_EXPECT_EQ(test, large_referenced(d, &flags), 1);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(i)).young);
	KUNIT_EXPECT_EQ(test, large_referenced(d, &flags), 0);
}

/* Locked only if all of it is. */
static void large_referenced_locked(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);
	unsigned long flags;

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, AT(0), PAGE_SIZE), 0L);
	large_referenced(d, &flags);
	KUNIT_EXPECT_FALSE(test, flags & VM_LOCKED);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, AT(0), NR * PAGE_SIZE), 0L);
	large_referenced(d, &flags);
	KUNIT_EXPECT_TRUE(test, flags & VM_LOCKED);
	KUNIT_EXPECT_TRUE(test, folio_test_mlocked(d->folio));
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munlock, AT(0), NR * PAGE_SIZE), 0L);
	lru_add_drain_all();
	KUNIT_EXPECT_FALSE(test, folio_test_mlocked(d->folio));
}

static int large_clean(struct umm_buffer *d)
{
	int cleaned;

	folio_lock(d->folio);
	cleaned = folio_mkclean(d->folio);
	folio_unlock(d->folio);
	return cleaned;
}

static void large_mkclean(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);

	KUNIT_EXPECT_EQ(test, large_clean(d), NR);
	KUNIT_EXPECT_EQ(test, large_clean(d), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 5), 0);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(2)).dirty);
	KUNIT_EXPECT_EQ(test, large_clean(d), 1);
	/* Of an area that maps a part, only that. */
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(3), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 6), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 7), 0);
	KUNIT_EXPECT_EQ(test, large_clean(d), 2);
}

/* By frames: those of the range, in this area, if it is shared. */
static void large_mkclean_range(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);
	unsigned long pfn = folio_pfn(d->folio);
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, UMM_BASE);
	i_mmap_lock_read(d->file->f_mapping);
	KUNIT_EXPECT_EQ(test, pfn_mkclean_range(pfn + 1, 2, 1, vma), 2);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(1)).write);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(2)).dirty);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(0)).write);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(3)).dirty);
	KUNIT_EXPECT_EQ(test, pfn_mkclean_range(pfn, NR, 0, vma), 2);
	KUNIT_EXPECT_EQ(test, pfn_mkclean_range(pfn, NR, 0, vma), 0);
	i_mmap_unlock_read(d->file->f_mapping);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, vm_munmap(UMM_BASE, NR * PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, NR, MAP_PRIVATE), UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, UMM_BASE);
	i_mmap_lock_read(d->file->f_mapping);
	KUNIT_EXPECT_EQ(test, pfn_mkclean_range(pfn, NR, 0, vma), 0);
	i_mmap_unlock_read(d->file->f_mapping);
	mmap_read_unlock(current->mm);
}

/* All of its pages go at once, and what was written stays. */
static void large_unmap(struct kunit *test)
{
	struct umm_buffer *d = large_buffer(test);
	int i;

	folio_clear_dirty(d->folio);
	folio_lock(d->folio);
	try_to_unmap(d->folio, 0);
	folio_unlock(d->folio);
	KUNIT_EXPECT_FALSE(test, folio_mapped(d->folio));
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(d->folio));
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), 10UL + i);
}

/* It is on none of reclaim's lists: advice about its age changes nothing. */
static void large_advice(struct kunit *test)
{
	static const int advice[] = { MADV_COLD, MADV_PAGEOUT };
	struct umm_buffer *d = large_buffer(test);
	unsigned long len = NR * PAGE_SIZE;
	int i;

	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, UMM_BASE, len,
					      advice[i]), 0L);
		KUNIT_EXPECT_EQ(test, folio_mapcount(d->folio), NR);
		KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(0)).young);
	}
	KUNIT_EXPECT_EQ(test, d->faults, (unsigned int)NR);
}

static struct kunit_case large_tests[] = {
	KUNIT_CASE(large_counts_pages),
	KUNIT_CASE(large_statistics),
	KUNIT_CASE(large_anon),
	KUNIT_CASE(large_pins),
	KUNIT_CASE(large_pins_dirty),
	KUNIT_CASE(large_referenced_once),
	KUNIT_CASE(large_referenced_locked),
	KUNIT_CASE(large_mkclean),
	KUNIT_CASE(large_mkclean_range),
	KUNIT_CASE(large_unmap),
	KUNIT_CASE(large_advice),
	{ }
};

static struct kunit_suite large_suite = {
	.name = "pagoda_large",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = large_tests,
};

kunit_test_suite(large_suite);
