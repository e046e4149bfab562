/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a folio to the entries that map it in one area. rmap.c finds them,
 * reclaim.c works on them.
 */
#ifndef MM_PAGODA_RMAP_H
#define MM_PAGODA_RMAP_H

#include "tree.h"

/**
 * struct rmap_scan - a search for entries that map any of a run of pages
 * @e: stands at the entry found, in an open window
 * @pfn: frame of the run's first page
 * @nr: how many pages
 */
struct rmap_scan {
	struct pt_edit e;
	unsigned long pfn;
	unsigned long nr;
};

void rmap_scan_open(struct rmap_scan *s, struct vm_area_struct *vma,
		    unsigned long addr, pgoff_t pgoff, unsigned long pfn,
		    unsigned long nr);
bool rmap_scan_next(struct rmap_scan *s);

/* rmap_scan_open() for a folio at the address that rmap_walk() gave. */
static inline void rmap_scan_folio(struct rmap_scan *s, struct folio *folio,
				   struct vm_area_struct *vma,
				   unsigned long addr)
{
	rmap_scan_open(s, vma, addr, folio_pgoff(folio), folio_pfn(folio),
		       folio_nr_pages(folio));
}

/* End a search before rmap_scan_next() has returned false. */
static inline void rmap_scan_stop(struct rmap_scan *s)
{
	pt_edit_release(&s->e);
}

#endif /* MM_PAGODA_RMAP_H */
