// SPDX-License-Identifier: GPL-2.0
/*
 * Zap: empty the entries of a range and let go of what they mapped.
 *
 * Used by munmap, exit, madvise, truncation and the OOM reaper. Pages go to the
 * TLB gather; a dirty page of a file is marked dirty before its mapping is
 * removed, and that only after the flush, so that no CPU can write to it
 * unseen. Nothing here can fail.
 *
 * Locks: mmap_lock, the area's lock, or i_mmap_rwsem of its file; the table's
 * lock is taken a window at a time.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/hugetlb.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <asm/tlb.h>
#include "tree.h"
#include "../internal.h"

/* Is the page one that the caller asked to have unmapped? */
static bool zap_wanted(const struct zap_details *details, struct folio *folio)
{
	if (!details)
		return true;
	if (details->single_folio && details->single_folio != folio)
		return false;
	/* Truncation leaves private copies alone unless told otherwise. */
	return details->even_cows || !folio_test_anon(folio);
}

/*
 * Let go of the page that the cursor's entry maps. Returns whether the gather
 * is full; *flush is set if the flush must come before the lock is dropped.
 */
static bool zap_page(struct mmu_gather *tlb, struct vm_area_struct *vma,
		     struct pt_edit *e, struct page *page, bool *flush)
{
	struct folio *folio = page_folio(page);
	pte_t old = pt_clear(e, mm_counter(folio), tlb->fullmm);
	bool delay = false;

	arch_check_zapped_pte(vma, old);
	tlb_remove_tlb_entry(tlb, e->c.pte, e->c.addr);
	if (!folio_test_anon(folio)) {
		if (pte_dirty(old)) {
			folio_mark_dirty(folio);
			if (tlb_delay_rmap(tlb)) {
				delay = true;
				*flush = true;
			}
		}
		if (pte_young(old) && likely(vma_has_recency(vma)))
			folio_mark_accessed(folio);
	}
	if (!delay)
		folio_remove_rmap_pte(folio, page, vma);
	return __tlb_remove_page(tlb, page, delay);
}

/*
 * Zap from the cursor to the end of its window, or until the gather is full.
 * Returns whether the window is done.
 */
static bool zap_window(struct mmu_gather *tlb, struct vm_area_struct *vma,
		       struct pt_edit *e, struct zap_details *details)
{
	bool flush = false, full = false, more;

	/* Reclaim may have emptied entries and put their flush off. */
	flush_tlb_batched_pending(e->c.mm);
	do {
		pte_t pte = pt_get(&e->c);
		struct page *page;

		if (pte_none(pte)) {
			more = pt_step_by(&e->c, pt_run_none(&e->c));
			continue;
		}
		if (likely(pte_present(pte))) {
			page = vm_normal_page(vma, e->c.addr, pte);
			if (page && zap_wanted(details, page_folio(page))) {
				full = zap_page(tlb, vma, e, page, &flush);
			} else if (!page && !(details &&
					      details->single_folio)) {
				pt_clear(e, PT_UNCOUNTED, tlb->fullmm);
				tlb_remove_tlb_entry(tlb, e->c.pte, e->c.addr);
			}
		} else if (!details || details->even_cows) {
			/* A marker: nothing is mapped, nothing is cached. */
			pte_clear_not_present_full(e->c.mm, e->c.addr,
						   e->c.pte, tlb->fullmm);
		}
		more = pt_step(&e->c);
	} while (more && !full);

	if (flush) {
		tlb_flush_mmu_tlbonly(tlb);
		tlb_flush_rmaps(tlb, vma);
	}
	pt_edit_release(e);
	if (flush || full)
		tlb_flush_mmu(tlb);
	return !more;
}

static void zap_drop_init(struct pt_drop *drop, unsigned long floor,
			  unsigned long ceiling)
{
	drop->floor = floor;
	drop->ceiling = ceiling;
	drop->exclusive = false;
	drop->dead = false;
	drop->part = false;
	drop->nr = 0;
	drop->wait = NULL;
}

static void zap_range(struct mmu_gather *tlb, struct vm_area_struct *vma,
		      unsigned long addr, unsigned long end,
		      struct zap_details *details, struct pt_drop *drop)
{
	struct pt_edit e;

	VM_WARN_ON_ONCE(addr >= end);
	tlb_start_vma(tlb, vma);
	/* Nothing has to be made private: whole tables go, or it was before. */
	pt_open(&e.c, vma->vm_mm, addr, end);
	while (pt_zap_next(&e, drop)) {
		zap_window(tlb, vma, &e, details);
		cond_resched();
	}
	tlb_end_vma(tlb, vma);
}

/**
 * unmap_page_range - zap part of an area
 * @tlb: the gather
 * @vma: the area
 * @addr: first address (page-aligned)
 * @end: end of the part (page-aligned, exclusive)
 * @details: which pages; NULL for all
 */
void unmap_page_range(struct mmu_gather *tlb, struct vm_area_struct *vma,
		      unsigned long addr, unsigned long end,
		      struct zap_details *details)
{
	struct pt_drop drop;

	zap_drop_init(&drop, addr, end);
	drop.part = details;
	zap_range(tlb, vma, addr, end, details, &drop);
}

/* Zap where nobody can fault, and where at exit nobody runs. */
static void zap_exclusive(struct mmu_gather *tlb, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end,
			  unsigned long floor, unsigned long ceiling)
{
	struct pt_drop drop;

	zap_drop_init(&drop, floor, ceiling);
	drop.exclusive = true;
	drop.dead = tlb->fullmm;
	zap_range(tlb, vma, start, end, NULL, &drop);
	pt_drop_end(&drop);
}

/**
 * zap_area - zap what goes of an area, wholly or in part
 * @tlb: the gather
 * @vma: the area; if all of it goes, it has left the maple tree
 * @start: first address
 * @end: end (exclusive)
 * @floor: end of what stays before it
 * @ceiling: start of what stays behind it, 0 for nothing
 *
 * Shared tables that lie between the bounds are let go of as a whole; shared
 * ones that reach beyond were made private before (pt_keep_outside()).
 *
 * Locks: mmap_lock; nobody else can find the range by its areas.
 */
void zap_area(struct mmu_gather *tlb, struct vm_area_struct *vma,
	      unsigned long start, unsigned long end, unsigned long floor,
	      unsigned long ceiling)
{
	if (unlikely(vma->vm_flags & VM_PFNMAP))
		untrack_pfn(vma, 0, 0, false);
	zap_exclusive(tlb, vma, start, end, floor, ceiling);
}

/**
 * zap_behind - zap what is mapped behind the last area
 * @tlb: the gather
 * @vma: the last area
 * @end: end of the address space
 *
 * For a child that fork() did not finish, and which may have a table whose last
 * part is for areas that it never got. There are anonymous pages only.
 *
 * Locks: as for zap_area().
 */
void zap_behind(struct mmu_gather *tlb, struct vm_area_struct *vma,
		unsigned long end)
{
	zap_exclusive(tlb, vma, vma->vm_end, end, FIRST_USER_ADDRESS,
		      USER_PGTABLES_CEILING);
}

/**
 * zap_page_range_single - zap part of one area, flushed and freed at return
 * @vma: the area
 * @address: first address (page-aligned)
 * @size: bytes
 * @details: which pages; NULL for all
 *
 * Of a private anonymous area the caller has made those tables private that
 * the range covers in part, see pt_keep_outside().
 */
void zap_page_range_single(struct vm_area_struct *vma, unsigned long address,
			   unsigned long size, struct zap_details *details)
{
	unsigned long end = address + size;
	struct mmu_notifier_range range;
	struct mmu_gather tlb;

	lru_add_drain();
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm,
				address, address + size);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	update_hiwater_rss(vma->vm_mm);
	mmu_notifier_invalidate_range_start(&range);
	if (unlikely(vma->vm_flags & VM_PFNMAP))
		untrack_pfn(vma, 0, 0, false);
	unmap_page_range(&tlb, vma, address, end, details);
	mmu_notifier_invalidate_range_end(&range);
	tlb_finish_mmu(&tlb);
}
EXPORT_SYMBOL_GPL(zap_page_range_single);

/**
 * zap_vma_ptes - zap part of a driver's area of page frames
 * @vma: an area with VM_PFNMAP
 * @address: first address (page-aligned)
 * @size: bytes; nothing happens unless all of it lies in @vma
 */
void zap_vma_ptes(struct vm_area_struct *vma, unsigned long address,
		  unsigned long size)
{
	if ((vma->vm_flags & VM_PFNMAP) &&
	    range_in_vma(vma, address, address + size))
		zap_page_range_single(vma, address, size, NULL);
}
EXPORT_SYMBOL_GPL(zap_vma_ptes);

/* Zap the pages @first to @last of a file wherever they are mapped. */
static void zap_file_pages(struct address_space *mapping, pgoff_t first,
			   pgoff_t last, struct zap_details *details)
{
	struct vm_area_struct *vma;
	pgoff_t from, to;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, first, last) {
		from = max(first, vma->vm_pgoff) - vma->vm_pgoff;
		to = min(last - vma->vm_pgoff, vma_pages(vma) - 1) + 1;
		zap_page_range_single(vma,
				      vma->vm_start + (from << PAGE_SHIFT),
				      (to - from) << PAGE_SHIFT, details);
	}
	i_mmap_unlock_read(mapping);
}

/**
 * unmap_mapping_folio - unmap a folio of a file from all address spaces
 * @folio: the folio, locked; private copies of it stay
 */
void unmap_mapping_folio(struct folio *folio)
{
	struct zap_details details = {
		.single_folio = folio,
		.zap_flags = ZAP_FLAG_DROP_MARKER,
	};
	struct address_space *mapping = folio->mapping;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	if (!RB_EMPTY_ROOT(&mapping->i_mmap.rb_root))
		zap_file_pages(mapping, folio->index,
			       folio_next_index(folio) - 1, &details);
}

/**
 * unmap_mapping_pages - unmap pages of a file from all address spaces
 * @mapping: the file's pages
 * @start: index of the first page
 * @nr: how many pages; 0 for all that follow
 * @even_cows: private copies of them too
 */
void unmap_mapping_pages(struct address_space *mapping, pgoff_t start,
			 pgoff_t nr, bool even_cows)
{
	struct zap_details details = { .even_cows = even_cows };
	pgoff_t last = start + nr - 1;

	if (last < start)
		last = ULONG_MAX;
	if (!RB_EMPTY_ROOT(&mapping->i_mmap.rb_root))
		zap_file_pages(mapping, start, last, &details);
}
EXPORT_SYMBOL_GPL(unmap_mapping_pages);

/**
 * unmap_mapping_range - unmap bytes of a file from all address spaces
 * @mapping: the file's pages
 * @holebegin: offset of the first byte; the page it lies in goes
 * @holelen: how many bytes, rounded up to pages; 0 for all that follow
 * @even_cows: private copies of them too
 */
void unmap_mapping_range(struct address_space *mapping,
			 loff_t const holebegin, loff_t const holelen,
			 int even_cows)
{
	u64 first = (u64)holebegin >> PAGE_SHIFT;
	u64 pages = ((u64)holelen + PAGE_SIZE - 1) >> PAGE_SHIFT;

	/* Where page indices have 32 bits, what reaches beyond means: all. */
	if (first + pages - 1 > (u64)(pgoff_t)ULONG_MAX)
		pages = 0;
	unmap_mapping_pages(mapping, first, pages, even_cows);
}
EXPORT_SYMBOL(unmap_mapping_range);
