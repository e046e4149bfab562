// SPDX-License-Identifier: GPL-2.0
/*
 * Advice on single pages: not needed soon (MADV_COLD), not needed in memory
 * (MADV_PAGEOUT), contents not needed (MADV_FREE).
 *
 * Each makes the pages of a range look old to reclaim, or hands them to it.
 * Pages that others map as well are left alone, and of a large folio only
 * all pages together can be treated. What cannot be done is passed over:
 * these are hints.
 *
 * Locks: mmap_lock for reading; entries change under their table's lock, which
 * keeps the folio mapped while it is worked on. Reclaim runs between windows.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/page_idle.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <asm/tlb.h>
#include "calls.h"

/**
 * struct age - one piece of advice being followed
 * @tlb: gathers what has to be flushed
 * @vma: the area
 * @one: treats the folio that @nr entries from the cursor on map
 * @skip_file: leave pages of the file alone, the caller may not touch them
 * @out: folios taken off their lists, to be reclaimed
 */
struct age {
	struct mmu_gather tlb;
	struct vm_area_struct *vma;
	void (*one)(struct age *a, struct pt_edit *e, struct folio *folio,
		    unsigned int nr, bool young, bool dirty);
	bool skip_file;
	struct list_head out;
};

/* Clear accessed, and with CYDP_CLEAR_DIRTY also dirty, of @nr entries. */
static void age_entries(struct age *a, struct pt_edit *e, unsigned int nr,
			cydp_t what)
{
	clear_young_dirty_ptes(a->vma, e->c.addr, e->c.pte, nr, what);
	tlb_flush_pte_range(&a->tlb, e->c.addr, (unsigned long)nr << PAGE_SHIFT);
}

/* May COLD and PAGEOUT treat a folio, of which @nr pages are mapped here? */
static bool age_is_ours(struct age *a, struct folio *folio, unsigned int nr)
{
	if (a->skip_file && !folio_test_anon(folio))
		return false;
	return folio_test_lru(folio) && folio_mapcount(folio) == nr;
}

/* Forget that a folio was used, but not that it was worth keeping. */
static void age_forget(struct folio *folio)
{
	folio_clear_referenced(folio);
	folio_test_clear_young(folio);
	if (folio_test_active(folio))
		folio_set_workingset(folio);
}

static void age_cold_one(struct age *a, struct pt_edit *e, struct folio *folio,
			 unsigned int nr, bool young, bool dirty)
{
	if (!age_is_ours(a, folio, nr))
		return;
	if (young)
		age_entries(a, e, nr, CYDP_CLEAR_YOUNG);
	age_forget(folio);
	folio_deactivate(folio);
}

static void age_pageout_one(struct age *a, struct pt_edit *e,
			    struct folio *folio, unsigned int nr, bool young,
			    bool dirty)
{
	if (!age_is_ours(a, folio, nr))
		return;
	age_forget(folio);
	if (!folio_isolate_lru(folio))
		return;
	if (folio_test_unevictable(folio))
		folio_putback_lru(folio);
	else
		list_add(&folio->lru, &a->out);
}

/*
 * Reclaim may drop an anonymous folio that is clean in its entries and itself,
 * as long as nobody writes to it again.
 */
static void age_free_one(struct age *a, struct pt_edit *e, struct folio *folio,
			 unsigned int nr, bool young, bool dirty)
{
	if (folio_test_dirty(folio)) {
		bool ours;

		if (!folio_trylock(folio))
			return;
		ours = folio_mapcount(folio) == nr;
		if (ours)
			folio_clear_dirty(folio);
		folio_unlock(folio);
		if (!ours)
			return;
	}
	if (young || dirty)
		age_entries(a, e, nr, CYDP_CLEAR_YOUNG | CYDP_CLEAR_DIRTY);
	folio_mark_lazyfree(folio);
}

/* Treat what the entry under the cursor maps. Return how many entries that is. */
static unsigned int age_at(struct age *a, struct pt_edit *e)
{
	pte_t pte = pt_get(&e->c);
	bool young, dirty;
	struct folio *folio;
	unsigned int nr = 1;

	if (pte_none(pte))
		return 1;
	if (!pte_present(pte)) {
		swp_entry_t entry = pte_to_swp_entry(pte);

		/* Lost contents that are not needed can be forgotten. */
		if (a->one == age_free_one && (is_hwpoison_entry(entry) ||
					       is_poisoned_swp_entry(entry)))
			pt_clear(e, PT_UNCOUNTED, false);
		return 1;
	}
	folio = vm_normal_folio(a->vma, e->c.addr, pte);
	if (!folio || folio_is_zone_device(folio))
		return 1;

	young = pte_young(pte);
	dirty = pte_dirty(pte);
	if (unlikely(folio_test_large(folio))) {
		bool more_young, more_dirty;

		nr = folio_pte_batch(folio, e->c.addr, e->c.pte, pte,
				     (e->c.stop - e->c.addr) >> PAGE_SHIFT,
				     FPB_IGNORE_DIRTY | FPB_IGNORE_SOFT_DIRTY,
				     NULL, &more_young, &more_dirty);
		if (nr != folio_nr_pages(folio))
			return nr;
		young |= more_young;
		dirty |= more_dirty;
	}
	a->one(a, e, folio, nr, young, dirty);
	return nr;
}

/*
 * Treat [start, end) of a->vma. Return 0, or -EAGAIN having done nothing: to
 * madvise() ENOMEM means a hole.
 */
static int age_range(struct age *a, unsigned long start, unsigned long end)
{
	struct mm_struct *mm = a->vma->vm_mm;
	struct pt_edit e;

	if (pt_edit_open(&e, mm, start, end))
		return -EAGAIN;
	INIT_LIST_HEAD(&a->out);
	lru_add_drain();
	tlb_gather_mmu(&a->tlb, mm);
	tlb_start_vma(&a->tlb, a->vma);
	while (!fatal_signal_pending(current) && pt_edit_next(&e)) {
		flush_tlb_batched_pending(mm);
		while (pt_step_by(&e.c, age_at(a, &e)) && !need_resched())
			;
		pt_edit_release(&e);
		if (!list_empty(&a->out))
			reclaim_pages(&a->out);
		cond_resched();
	}
	tlb_end_vma(&a->tlb, a->vma);
	tlb_finish_mmu(&a->tlb);
	return 0;
}

/**
 * age_cold - the pages of a range are not needed soon
 * @vma: the area
 * @start: first address (page-aligned)
 * @end: where the range ends (exclusive)
 *
 * Locks: mmap_lock for reading.
 *
 * Return: 0 or -EAGAIN
 */
int age_cold(struct vm_area_struct *vma, unsigned long start,
	     unsigned long end)
{
	struct age a = { .vma = vma, .one = age_cold_one };

	return age_range(&a, start, end);
}

/**
 * age_pageout - reclaim the pages of a range
 * @vma: the area
 * @start: first address (page-aligned)
 * @end: where the range ends (exclusive)
 *
 * Pages of a file that the caller could not write to stay: that they are gone
 * would show in others' timing. Private copies are the caller's own.
 * Locks: mmap_lock for reading.
 *
 * Return: 0 or -EAGAIN
 */
int age_pageout(struct vm_area_struct *vma, unsigned long start,
		unsigned long end)
{
	struct age a = { .vma = vma, .one = age_pageout_one };

	if (!vma_is_anonymous(vma))
		a.skip_file = !vma->vm_file || !call_owns_cache(vma->vm_file);
	if (a.skip_file && (vma->vm_flags & VM_MAYSHARE))
		return 0;
	return age_range(&a, start, end);
}

/**
 * age_free - the contents of a range are not needed any more
 * @vma: the area
 * @start: first address (page-aligned)
 * @end: where the range ends (exclusive)
 *
 * Until reclaim takes a page, it keeps its contents, and writing to it takes
 * the advice back for it.
 * Locks: mmap_lock for reading.
 *
 * Return: 0, -EINVAL for an area that is not anonymous, or -EAGAIN
 */
int age_free(struct vm_area_struct *vma, unsigned long start,
	     unsigned long end)
{
	struct age a = { .vma = vma, .one = age_free_one };
	struct mmu_notifier_range range;
	int err;

	if (!vma_is_anonymous(vma))
		return -EINVAL;
	update_hiwater_rss(vma->vm_mm);
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, start,
				end);
	mmu_notifier_invalidate_range_start(&range);
	err = age_range(&a, start, end);
	mmu_notifier_invalidate_range_end(&range);
	return err;
}
