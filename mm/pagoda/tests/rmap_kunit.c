// SPDX-License-Identifier: GPL-2.0
/*
 * Reverse mapping: from a folio to every entry that maps it.
 */
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include <asm/tlbflush.h>

#include <pagoda/umm.h>

#include "internal.h"	/* mm/'s */

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

/* Count the entries used since the last time, and forget. */
static int rmap_referenced(struct folio *folio, unsigned long *flags)
{
	return folio_referenced(folio, 0, NULL, flags);
}

/*
 * Read a word, so that the processor sets the accessed bit. A translation that
 * is still cached would keep it from looking.
 */
static void rmap_use(struct kunit *test, unsigned long addr)
{
	flush_tlb_mm(current->mm);
	umm_peek(test, addr);
}

static int rmap_mkclean(struct folio *folio)
{
	int cleaned;

	folio_lock(folio);
	cleaned = folio_mkclean(folio);
	folio_unlock(folio);
	return cleaned;
}

static void rmap_unmap(struct folio *folio, enum ttu_flags flags)
{
	folio_lock(folio);
	try_to_unmap(folio, flags);
	folio_unlock(folio);
	try_to_unmap_flush();
}

static struct umm *rmap_fork(struct kunit *test)
{
	struct umm *child;

	lru_add_drain_all();
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	return child;
}

static void rmap_referenced_anon(struct kunit *test)
{
	unsigned long flags;
	struct folio *folio;
	struct umm *child;

	umm_paint(test, NULL, "|WW|");
	folio = page_folio(umm_page(test, AT(1)));
	child = rmap_fork(test);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 2);
	rmap_referenced(folio, &flags);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(1)).young);
	KUNIT_EXPECT_FALSE(test, umm_entry(child->mm, AT(1)).young);
	KUNIT_EXPECT_EQ(test, rmap_referenced(folio, &flags), 0);
	rmap_use(test, AT(1));
	KUNIT_EXPECT_EQ(test, rmap_referenced(folio, &flags), 1);
	KUNIT_EXPECT_TRUE(test, flags & VM_WRITE);
	umm_enter(child);
	rmap_use(test, AT(1));
	KUNIT_EXPECT_GE(test, rmap_referenced(folio, &flags), 1);
	KUNIT_EXPECT_EQ(test, rmap_referenced(folio, &flags), 0);
	/* The neighbour was left alone. */
	KUNIT_EXPECT_TRUE(test, umm_entry(umm_self(test)->mm, AT(0)).young);
}

/* Found where it is now, not where it was first mapped. */
static void rmap_follows_moves(struct kunit *test)
{
	unsigned long flags;
	struct folio *folio;

	umm_paint(test, NULL, "|WWWW|");
	lru_add_drain_all();
	folio = page_folio(umm_page(test, AT(2)));
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, AT(2), PAGE_SIZE, PAGE_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, AT(50)),
			(long)AT(50));
	rmap_use(test, AT(50));
	KUNIT_EXPECT_EQ(test, rmap_referenced(folio, &flags), 1);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(50)).young);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(3), PAGE_SIZE), 0L);
	rmap_use(test, AT(50));
	KUNIT_EXPECT_EQ(test, rmap_referenced(folio, &flags), 1);
}

static void rmap_referenced_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	struct folio *folio;
	unsigned long flags, other;

	umm_file_set(test, file, PAGE_SIZE, 1);
	folio = umm_folio(test, file, 1);
	umm_paint(test, file, "|hhh|");
	other = umm_map_file(test, file, 1, 1, PROT_READ, MAP_PRIVATE);
	rmap_use(test, AT(1));
	rmap_use(test, other);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 2);
	rmap_referenced(folio, &flags);
	KUNIT_EXPECT_EQ(test, rmap_referenced(folio, &flags), 0);
	rmap_use(test, other);
	rmap_use(test, AT(1));
	KUNIT_EXPECT_EQ(test, rmap_referenced(folio, &flags), 2);
}

/* A locked area is reported by its flag; the scan need not go on. */
static void rmap_referenced_locked(struct kunit *test)
{
	unsigned long flags = 0;
	struct folio *folio;

	umm_paint(test, NULL, "|LL|");
	lru_add_drain_all();
	folio = page_folio(umm_page(test, AT(0)));
	rmap_referenced(folio, &flags);
	KUNIT_EXPECT_TRUE(test, flags & VM_LOCKED);
}

/* A write after the cleaning must be noticed again, in every mapping. */
static void rmap_mkclean_shared(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	struct folio *folio;
	unsigned long other, private;

	umm_file_set(test, file, PAGE_SIZE, 1);
	folio = umm_folio(test, file, 1);
	umm_paint(test, file, "|hhh|");
	other = umm_map_file(test, file, 1, 1, UMM_RW, MAP_SHARED);
	private = umm_map_file(test, file, 1, 1, UMM_RW, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(other, 6), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, private), 6UL);
	KUNIT_EXPECT_EQ(test, rmap_mkclean(folio), 2);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(1)).write);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(1)).dirty);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, other).write);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, private).present);
	KUNIT_EXPECT_EQ(test, rmap_mkclean(folio), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(other, 7), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 7UL);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, other).dirty);
	KUNIT_EXPECT_EQ(test, rmap_mkclean(folio), 1);
}

/* Every mapping in every address space goes; the data is read back. */
static void rmap_unmap_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	struct umm *self = umm_self(test), *child;
	struct folio *folio;
	unsigned long other;

	umm_file_set(test, file, PAGE_SIZE, 11);
	folio = umm_folio(test, file, 1);
	umm_paint(test, file, "|hhh|");
	other = umm_map_file(test, file, 0, 3, UMM_RW, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_poke(other, 3), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 12), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, other + PAGE_SIZE), 12UL);
	child = rmap_fork(test);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 12UL);
	KUNIT_EXPECT_GE(test, folio_mapcount(folio), 3);
	folio_clear_dirty(folio);
	rmap_unmap(folio, TTU_SYNC);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
	KUNIT_EXPECT_FALSE(test, umm_entry(self->mm, AT(1)).present);
	KUNIT_EXPECT_FALSE(test, umm_entry(child->mm, AT(1)).present);
	KUNIT_EXPECT_FALSE(test, umm_entry(self->mm, other +
					   PAGE_SIZE).present);
	/* The dirt of the entries went to the folio. */
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 12UL);
	umm_enter(self);
	KUNIT_EXPECT_EQ(test, umm_peek(test, other + PAGE_SIZE), 12UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, other), 3UL);
}

static void rmap_unmap_spares_locked(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	struct folio *folio;

	umm_file_set(test, file, PAGE_SIZE, 11);
	folio = umm_folio(test, file, 1);
	umm_paint(test, file, "|hhh|");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, AT(1), PAGE_SIZE), 0L);
	rmap_unmap(folio, 0);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 1);
	rmap_unmap(folio, TTU_IGNORE_MLOCK);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
}

/* Lazily freed and clean: it may be dropped, and reads as empty then. */
static void rmap_unmap_lazyfree(struct kunit *test)
{
	struct folio *folio;

	umm_paint(test, NULL, "|WW|");
	lru_add_drain_all();
	folio = page_folio(umm_page(test, AT(0)));
	folio_get(folio);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(0), PAGE_SIZE,
				      MADV_FREE), 0L);
	lru_add_drain_all();
	KUNIT_EXPECT_FALSE(test, folio_test_swapbacked(folio));
	/* Our own reference stands for the one that reclaim holds. */
	rmap_unmap(folio, TTU_BATCH_FLUSH);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
}

static struct kunit_case rmap_tests[] = {
	KUNIT_CASE(rmap_referenced_anon),
	KUNIT_CASE(rmap_follows_moves),
	KUNIT_CASE(rmap_referenced_file),
	KUNIT_CASE(rmap_referenced_locked),
	KUNIT_CASE(rmap_mkclean_shared),
	KUNIT_CASE(rmap_unmap_file),
	KUNIT_CASE(rmap_unmap_spares_locked),
	KUNIT_CASE(rmap_unmap_lazyfree),
	{ }
};

static struct kunit_suite rmap_suite = {
	.name = "pagoda_rmap",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = rmap_tests,
};

kunit_test_suite(rmap_suite);
