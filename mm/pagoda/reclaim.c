// SPDX-License-Identifier: GPL-2.0
/*
 * What page reclaim and writeback want of the entries that map a folio: was it
 * used lately, write-protect and clean them, take them out.
 *
 * Guarantees: no accessed or dirty bit is lost. An entry is emptied before its
 * dirty bit is read, and what it says goes to the folio before the entry's
 * reference is dropped. Nobody writes to the page through a TLB once the work
 * is over, or, if the caller asked for TTU_BATCH_FLUSH, once it has called
 * try_to_unmap_flush(); until then whoever changes entries of such an mm must
 * call flush_tlb_batched_pending() first.
 *
 * Locks: functions here take the locks of rmap_walk(), see rmap.c, and one
 * table's lock at a time. The caller keeps the folio.
 */
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include <linux/page_idle.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swapops.h>
#include <asm/tlbflush.h>

#define CREATE_TRACE_POINTS
#include <trace/events/tlb.h>
#include <trace/events/migrate.h>

#include "../internal.h"
#include "rmap.h"

#ifdef CONFIG_ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH
/*
 * mm->tlb_flush_batched: the lowest bit says that some task may have put off a
 * flush of this mm; the others count how often that was done, so that one who
 * flushes can tell whether his flush covers all of it.
 */
#define BATCH_PENDING	1U
#define BATCH_ONE	2U

/**
 * try_to_unmap_flush - flush all that this task put off
 *
 * To be called before pages that were unmapped with TTU_BATCH_FLUSH are freed.
 */
void try_to_unmap_flush(void)
{
	struct tlbflush_unmap_batch *batch = &current->tlb_ubc;

	if (batch->flush_required) {
		arch_tlbbatch_flush(&batch->arch);
		batch->writable = false;
		batch->flush_required = false;
	}
}

/**
 * try_to_unmap_flush_dirty - flush if a page put off may still be written to
 *
 * To be called before such a page goes to the disk.
 */
void try_to_unmap_flush_dirty(void)
{
	if (current->tlb_ubc.writable)
		try_to_unmap_flush();
}

/* Put off the flush of an entry that was just cleared. Its table is locked. */
static void batch_add(struct mm_struct *mm, pte_t old, unsigned long addr)
{
	struct tlbflush_unmap_batch *batch = &current->tlb_ubc;
	int seen;

	if (!pte_accessible(mm, old))
		return;
	arch_tlbbatch_add_pending(&batch->arch, mm, addr);
	batch->flush_required = true;
	/* A clean entry cannot become dirty once it is out of the table. */
	if (pte_dirty(old))
		batch->writable = true;

	/* The exchange orders this behind the clearing of the entry. */
	seen = atomic_read(&mm->tlb_flush_batched);
	while (!atomic_try_cmpxchg(&mm->tlb_flush_batched, &seen,
				   (seen + BATCH_ONE) | BATCH_PENDING))
		;
}

static bool batch_wanted(struct mm_struct *mm, enum ttu_flags flags)
{
	return (flags & TTU_BATCH_FLUSH) && arch_tlbbatch_should_defer(mm);
}

/**
 * flush_tlb_batched_pending - do what another task put off for this mm
 * @mm: the address space
 *
 * Reclaim may have emptied an entry that a CPU still holds: one who finds it
 * empty must not take that for flushed. Locks: that of the table, under which
 * reclaim put the flush off.
 */
void flush_tlb_batched_pending(struct mm_struct *mm)
{
	int seen = atomic_read(&mm->tlb_flush_batched);

	if (likely(!(seen & BATCH_PENDING)))
		return;
	arch_flush_tlb_batched_pending(mm);
	/* If more came during the flush, the bit stays for the next. */
	atomic_cmpxchg(&mm->tlb_flush_batched, seen, seen & ~BATCH_PENDING);
}
#else
static void batch_add(struct mm_struct *mm, pte_t old, unsigned long addr)
{
}

static bool batch_wanted(struct mm_struct *mm, enum ttu_flags flags)
{
	return false;
}
#endif

/**
 * struct usage - what folio_referenced() has found so far
 * @left: entries not seen yet
 * @areas: areas that used the folio; -1 if it should stay as it is
 * @vm_flags: the flags of all these areas
 */
struct usage {
	int left;
	int areas;
	unsigned long vm_flags;
};

/*
 * A page that only a dying process has: writing it out would be for nothing,
 * it is about to be freed.
 */
static bool dies_soon(struct folio *folio, struct mm_struct *mm)
{
	return folio_test_anon(folio) && folio_test_swapbacked(folio) &&
	       (!atomic_read(&mm->mm_users) ||
		check_stable_address_space(mm)) &&
	       !folio_likely_mapped_shared(folio);
}

/* All of a large folio is mapped here, by one table: it counts as mlocked. */
static bool mlocked_whole(struct folio *folio, unsigned long start,
			  unsigned long entries)
{
	unsigned long last = start + folio_size(folio) - 1;

	return folio_test_large(folio) && entries == folio_nr_pages(folio) &&
	       start >> pt_shift(2) == last >> pt_shift(2);
}

static bool usage_of_area(struct folio *folio, struct vm_area_struct *vma,
			  unsigned long start, void *arg)
{
	bool mlocked = vma->vm_flags & VM_LOCKED;
	unsigned long entries = 0;
	struct usage *usage = arg;
	struct rmap_scan s;
	bool used = false;

	rmap_scan_folio(&s, folio, vma, start);
	while (rmap_scan_next(&s)) {
		entries++;
		usage->left--;
		if (mlocked) {
			/* Pages of a large folio outside count for others. */
			if (folio_test_large(folio))
				continue;
			/* It was missed when the entry was made. */
			mlock_vma_folio(folio, vma);
			rmap_scan_stop(&s);
			usage->vm_flags |= VM_LOCKED;
			return false;
		}
		if (dies_soon(folio, vma->vm_mm)) {
			rmap_scan_stop(&s);
			usage->areas = -1;
			return false;
		}
		if (ptep_clear_flush_young_notify(vma, s.e.c.addr, s.e.c.pte))
			used = true;
	}
	if (mlocked && mlocked_whole(folio, start, entries)) {
		mlock_vma_folio(folio, vma);
		usage->vm_flags |= VM_LOCKED;
		return false;
	}

	/* Page-idle tracking may have taken the accessed bit before us. */
	if (used)
		folio_clear_idle(folio);
	if (folio_test_clear_young(folio))
		used = true;
	if (used) {
		usage->areas++;
		usage->vm_flags |= vma->vm_flags & ~VM_LOCKED;
	}
	return usage->left != 0;
}

/* Areas that are read from end to end once say nothing about later use. */
static bool usage_ignores(struct vm_area_struct *vma, void *arg)
{
	return !vma_has_recency(vma);
}

/**
 * folio_referenced - was a folio used through its mappings since last asked?
 * @folio: the folio
 * @is_locked: the caller has locked it
 * @memcg: unused, memory control groups are not supported
 * @vm_flags: where the flags of all areas that used it go; VM_LOCKED alone is
 *	      there if it is mlocked, and then it may be looked at no further
 *
 * Clears the accessed bits. Does not wait for locks.
 *
 * Return: how many areas used it, or -1 if a lock was not to be had or the
 * folio is best left alone. 1 if the folio should be locked and cannot be.
 */
int folio_referenced(struct folio *folio, int is_locked,
		     struct mem_cgroup *memcg, unsigned long *vm_flags)
{
	struct usage usage = { .left = folio_mapcount(folio) };
	struct rmap_walk_control rwc = {
		.arg = &usage,
		.try_lock = true,
		.invalid_vma = usage_ignores,
		.rmap_one = usage_of_area,
		.anon_lock = folio_lock_anon_vma_read,
	};
	bool lock = !is_locked && !folio_test_anon(folio);

	*vm_flags = 0;
	if (!usage.left || !folio_raw_mapping(folio))
		return 0;
	if (lock && !folio_trylock(folio))
		return 1;
	rmap_walk(folio, &rwc);
	if (lock)
		folio_unlock(folio);
	*vm_flags = usage.vm_flags;
	return rwc.contended ? -1 : usage.areas;
}

/* Write-protect and clean the entries that a search finds; how many? */
static int clean_entries(struct rmap_scan *s, struct vm_area_struct *vma)
{
	struct pt_cursor *c = &s->e.c;
	struct mmu_notifier_range range;
	int nr = 0;

	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE, 0,
				vma->vm_mm, c->addr, c->end);
	mmu_notifier_invalidate_range_start(&range);
	while (rmap_scan_next(s)) {
		pte_t old = pt_get(c);

		if (!pte_write(old) && !pte_dirty(old))
			continue;
		flush_cache_page(vma, c->addr, pte_pfn(old));
		old = ptep_clear_flush(vma, c->addr, c->pte);
		pt_replace(&s->e, pte_mkclean(pte_wrprotect(old)));
		nr++;
	}
	mmu_notifier_invalidate_range_end(&range);
	return nr;
}

static bool clean_area(struct folio *folio, struct vm_area_struct *vma,
		       unsigned long addr, void *arg)
{
	struct rmap_scan s;
	int *nr = arg;

	rmap_scan_folio(&s, folio, vma, addr);
	*nr += clean_entries(&s, vma);
	return true;
}

/* Private areas never write to the page of the file itself. */
static bool clean_ignores(struct vm_area_struct *vma, void *arg)
{
	return !(vma->vm_flags & VM_SHARED);
}

/**
 * folio_mkclean - write-protect and clean a folio's shared mappings
 * @folio: the folio, locked
 *
 * So that the next write to it faults and is noticed.
 *
 * Return: how many entries were dirty or writable.
 */
int folio_mkclean(struct folio *folio)
{
	int nr = 0;
	struct rmap_walk_control rwc = {
		.arg = &nr,
		.invalid_vma = clean_ignores,
		.rmap_one = clean_area,
	};

	VM_WARN_ON_FOLIO(!folio_test_locked(folio), folio);
	if (folio_mapped(folio) && folio_mapping(folio))
		rmap_walk(folio, &rwc);
	return nr;
}
EXPORT_SYMBOL_GPL(folio_mkclean);

/**
 * pfn_mkclean_range - write-protect and clean mappings of frames in one area
 * @pfn: the first frame
 * @nr_pages: how many
 * @pgoff: offset in the file of the first, in pages
 * @vma: the area, which must cover one of them; i_mmap_rwsem is held
 *
 * For DAX, whose pages have no folio of the page cache.
 *
 * Return: how many entries were dirty or writable.
 */
int pfn_mkclean_range(unsigned long pfn, unsigned long nr_pages, pgoff_t pgoff,
		      struct vm_area_struct *vma)
{
	unsigned long addr = vma_address(vma, pgoff, nr_pages);
	struct rmap_scan s;

	if (clean_ignores(vma, NULL) || WARN_ON_ONCE(addr == -EFAULT))
		return 0;
	rmap_scan_open(&s, vma, addr, pgoff, pfn, nr_pages);
	return clean_entries(&s, vma);
}

/*
 * May a page be dropped whose owner said MADV_FREE (or which lies in a
 * droppable area)? Only if nobody has written to it since and nobody but
 * its mappings and the caller has it. The entry has just been emptied.
 */
static bool may_discard(struct folio *folio, struct vm_area_struct *vma)
{
	int others;

	/*
	 * get_user_pages_fast() takes its reference and then looks whether
	 * the entry is the same; here the entry goes and then the references
	 * are counted. One of the two sees the other.
	 */
	smp_mb();
	others = folio_ref_count(folio) - folio_mapcount(folio) - 1;
	/*
	 * One who had a reference makes the folio dirty before he drops it,
	 * so look for dirt after the references.
	 */
	smp_rmb();
	if (others)
		return false;
	return (vma->vm_flags & VM_DROPPABLE) || !folio_test_dirty(folio);
}

/* Empty the entry under the cursor. False: it is back, the folio stays. */
static bool unmap_entry(struct pt_edit *e, struct folio *folio,
			struct vm_area_struct *vma, enum ttu_flags flags)
{
	struct pt_cursor *c = &e->c;
	unsigned long pfn = pte_pfn(pt_get(c));
	struct page *page = folio_page(folio, pfn - folio_pfn(folio));
	bool poisoned = PageHWPoison(page) && (flags & TTU_HWPOISON);
	pte_t old;

	/* Written out it cannot be: there is no swap. */
	if (!poisoned && folio_test_anon(folio) &&
	    WARN_ON_ONCE(folio_test_swapbacked(folio)))
		return false;

	flush_cache_page(vma, c->addr, pfn);
	if (batch_wanted(c->mm, flags)) {
		old = ptep_get_and_clear(c->mm, c->addr, c->pte);
		batch_add(c->mm, old, c->addr);
	} else {
		old = ptep_clear_flush(vma, c->addr, c->pte);
	}
	if (pte_dirty(old))
		folio_mark_dirty(folio);

	if (poisoned) {
		/* Who touches it from now on gets SIGBUS. */
		pt_replace(e, swp_entry_to_pte(make_hwpoison_entry(page)));
	} else if (folio_test_anon(folio) && !may_discard(folio, vma)) {
		pt_replace(e, old);
		if (!(vma->vm_flags & VM_DROPPABLE))
			folio_set_swapbacked(folio);
		return false;
	}

	update_hiwater_rss(c->mm);
	pt_count(e, mm_counter(folio), -1);
	folio_remove_rmap_pte(folio, page, vma);
	if (vma->vm_flags & VM_LOCKED)
		mlock_drain_local();
	folio_put(folio);
	return true;
}

static bool unmap_area(struct folio *folio, struct vm_area_struct *vma,
		       unsigned long addr, void *arg)
{
	enum ttu_flags flags = (enum ttu_flags)(long)arg;
	bool keep = (vma->vm_flags & VM_LOCKED) && !(flags & TTU_IGNORE_MLOCK);
	struct mmu_notifier_range range;
	struct rmap_scan s;
	bool done = true;

	rmap_scan_folio(&s, folio, vma, addr);
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm,
				addr, s.e.c.end);
	mmu_notifier_invalidate_range_start(&range);
	while (done && rmap_scan_next(&s)) {
		if (keep) {
			/* It was missed when the entry was made. */
			if (!folio_test_large(folio))
				mlock_vma_folio(folio, vma);
			done = false;
		} else {
			done = unmap_entry(&s.e, folio, vma, flags);
		}
	}
	rmap_scan_stop(&s);
	mmu_notifier_invalidate_range_end(&range);
	return done;
}

static int unmap_done(struct folio *folio)
{
	return !folio_mapped(folio);
}

/**
 * try_to_unmap - take out the entries that map a folio
 * @folio: the folio, locked, with a reference of the caller's
 * @flags: TTU_IGNORE_MLOCK to do it in locked areas, too; TTU_BATCH_FLUSH to
 *	   flush later; TTU_HWPOISON to leave entries that raise SIGBUS for
 *	   pages with broken memory; TTU_RMAP_LOCKED if the caller has the
 *	   lock that rmap_walk() would take
 *
 * Stops at the first entry that has to stay: afterwards folio_mapped() says
 * whether all are gone.
 */
void try_to_unmap(struct folio *folio, enum ttu_flags flags)
{
	struct rmap_walk_control rwc = {
		.arg = (void *)(long)flags,
		.done = unmap_done,
		.rmap_one = unmap_area,
		.anon_lock = folio_lock_anon_vma_read,
	};

	if (flags & TTU_RMAP_LOCKED)
		rmap_walk_locked(folio, &rwc);
	else
		rmap_walk(folio, &rwc);
}
