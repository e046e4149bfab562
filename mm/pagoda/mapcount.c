// SPDX-License-Identifier: GPL-2.0
/*
 * How often is a page mapped: counts and statistics of the reverse map.
 *
 * Guarantees: page->_mapcount is one less than the number of entries that map
 * the page; a large folio also counts its entries (_large_mapcount, one less)
 * and its pages that are mapped at all (_nr_pages_mapped). NR_ANON_MAPPED and
 * NR_FILE_MAPPED count pages, not entries. An anonymous folio knows its
 * anon_vma and its place in it (folio->mapping, folio->index) before the first
 * entry can be seen, and keeps them until it is freed, mapped or not.
 *
 * There are no huge entries here: large folios are mapped by pages.
 *
 * Locks: the lock of the table whose entries come or go. The caller has a
 * reference on the folio for each entry.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/rmap.h>
#include "../internal.h"

/* @nr pages of @folio became mapped, or are not mapped any more (negative). */
static __always_inline void count_mapped(struct folio *folio, int nr)
{
	if (nr)
		__lruvec_stat_mod_folio(folio, folio_test_anon(folio) ?
					NR_ANON_MAPPED : NR_FILE_MAPPED, nr);
}

/* One more entry for each of @nr pages: how many had none before? */
static __always_inline int count_entries(struct folio *folio,
					 struct page *page, int nr)
{
	int i, first = 0;

	__folio_rmap_sanity_checks(folio, page, nr, RMAP_LEVEL_PTE);
	if (likely(!folio_test_large(folio)))
		return atomic_inc_and_test(&folio->_mapcount);

	for (i = 0; i < nr; i++)
		first += atomic_inc_and_test(&page[i]._mapcount);
	if (first)
		atomic_add(first, &folio->_nr_pages_mapped);
	atomic_add(nr, &folio->_large_mapcount);
	return first;
}

/*
 * An entry of a locked area means a locked folio. Of a large folio only some
 * pages may be in the area: leave that to reclaim, which looks at all of it.
 */
static __always_inline void mlock_mapped(struct folio *folio,
					 struct vm_area_struct *vma)
{
	if (likely(!folio_test_large(folio)))
		mlock_vma_folio(folio, vma);
}

/*
 * folio->mapping is read without a lock (page_idle): the pointer and the bit
 * that says what it points at must appear together.
 */
static void folio_set_anon(struct folio *folio, struct anon_vma *anon)
{
	unsigned long mapping = (unsigned long)anon + PAGE_MAPPING_ANON;

	WRITE_ONCE(folio->mapping, (struct address_space *)mapping);
}

/**
 * folio_move_anon_rmap - make an anonymous folio belong to one area's process
 * @folio: the folio, locked
 * @vma: the only area that maps it, after a copy-on-write fault
 *
 * Later searches start at the area's own anon_vma and so do not visit the
 * parent and siblings any more.
 */
void folio_move_anon_rmap(struct folio *folio, struct vm_area_struct *vma)
{
	VM_WARN_ON_FOLIO(!folio_test_locked(folio), folio);
	VM_WARN_ON_ONCE(!vma->anon_vma);
	folio_set_anon(folio, vma->anon_vma);
}

/**
 * folio_add_new_anon_rmap - count the first mapping of a new anonymous folio
 * @folio: the folio, which nothing maps and only the caller knows; locked,
 *	   unless @flags say that it is exclusive
 * @vma: the area that is to map all of it
 * @address: user address of its first page, inside @vma with its last
 * @flags: RMAP_EXCLUSIVE if no other process can have it
 *
 * Locks: that of the table. Nobody else counts yet, so nothing is atomic.
 */
void folio_add_new_anon_rmap(struct folio *folio, struct vm_area_struct *vma,
			     unsigned long address, rmap_t flags)
{
	bool exclusive = flags & RMAP_EXCLUSIVE;
	int i, nr = folio_nr_pages(folio);

	VM_WARN_ON_ONCE(!range_in_vma(vma, address, address + nr * PAGE_SIZE));
	VM_WARN_ON_FOLIO(!folio_test_locked(folio) && !exclusive, folio);
	VM_WARN_ON_ONCE(!vma->anon_vma);

	/* What a droppable area holds is thrown away, never written out. */
	if (!(vma->vm_flags & VM_DROPPABLE) && !folio_test_swapbacked(folio))
		__folio_set_swapbacked(folio);

	/* If others may have it, a search must begin with the oldest. */
	folio->index = linear_page_index(vma, address);
	folio_set_anon(folio, exclusive ? vma->anon_vma : vma->anon_vma->root);

	for (i = 0; i < nr; i++) {
		struct page *page = folio_page(folio, i);

		atomic_set(&page->_mapcount, 0);
		if (exclusive)
			SetPageAnonExclusive(page);
	}
	if (folio_test_large(folio)) {
		atomic_set(&folio->_nr_pages_mapped, nr);
		atomic_set(&folio->_large_mapcount, nr - 1);
	}
	count_mapped(folio, nr);
}

/**
 * folio_add_anon_rmap_ptes - count more entries of an anonymous folio
 * @folio: the folio, locked
 * @page: its first page to be mapped
 * @nr_pages: how many pages are to be mapped
 * @vma: the area
 * @address: user address of @page
 * @flags: RMAP_EXCLUSIVE if no other process can have these pages
 *
 * Locks: that of the table.
 */
void folio_add_anon_rmap_ptes(struct folio *folio, struct page *page,
			      int nr_pages, struct vm_area_struct *vma,
			      unsigned long address, rmap_t flags)
{
	int i;

	VM_WARN_ON_FOLIO(!folio_test_anon(folio), folio);
	VM_WARN_ON_FOLIO(linear_page_index(vma, address) != page_to_pgoff(page),
			 folio);
	VM_WARN_ON_FOLIO(vma->anon_vma->root != folio_anon_vma(folio)->root,
			 folio);

	count_mapped(folio, count_entries(folio, page, nr_pages));
	for (i = 0; i < nr_pages; i++) {
		if (flags & RMAP_EXCLUSIVE)
			SetPageAnonExclusive(page + i);
		VM_WARN_ON_FOLIO(atomic_read(&page[i]._mapcount) > 0 &&
				 PageAnonExclusive(page + i), folio);
	}
	mlock_mapped(folio, vma);
}

/**
 * folio_add_file_rmap_ptes - count more entries of a folio of the page cache
 * @folio: the folio
 * @page: its first page to be mapped
 * @nr_pages: how many pages are to be mapped
 * @vma: the area
 *
 * Locks: that of the table.
 */
void folio_add_file_rmap_ptes(struct folio *folio, struct page *page,
			      int nr_pages, struct vm_area_struct *vma)
{
	VM_WARN_ON_FOLIO(folio_test_anon(folio), folio);
	count_mapped(folio, count_entries(folio, page, nr_pages));
	mlock_mapped(folio, vma);
}

/**
 * folio_remove_rmap_ptes - count entries that are gone
 * @folio: the folio
 * @page: the first page that one entry less maps
 * @nr_pages: for how many pages
 * @vma: the area
 *
 * folio->mapping of an anonymous folio stays as it is: somebody may map the
 * folio again at this moment. It means something only while it is mapped.
 *
 * Locks: that of the table.
 */
void folio_remove_rmap_ptes(struct folio *folio, struct page *page,
			    int nr_pages, struct vm_area_struct *vma)
{
	int i, last = 0;

	__folio_rmap_sanity_checks(folio, page, nr_pages, RMAP_LEVEL_PTE);
	if (likely(!folio_test_large(folio))) {
		last = atomic_add_negative(-1, &folio->_mapcount);
	} else {
		atomic_sub(nr_pages, &folio->_large_mapcount);
		for (i = 0; i < nr_pages; i++)
			last += atomic_add_negative(-1, &page[i]._mapcount);
		if (last)
			atomic_sub(last, &folio->_nr_pages_mapped);
	}
	count_mapped(folio, -last);
	munlock_vma_folio(folio, vma);
}
