/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reaching into user memory from the kernel: references, pins and faults.
 */
#ifndef MM_PAGODA_PIN_H
#define MM_PAGODA_PIN_H

#include <linux/mm.h>
#include "../internal.h"

/**
 * struct pin_request - pages of an address space that somebody asks for
 * @mm: the address space, its mmap_lock held for reading
 * @addr: address of the next page
 * @nr: pages still to be had
 * @done: pages already had
 * @flags: FOLL_*
 * @pages: where the next page is put; NULL to fault in only
 * @locked: set to 0 if a fault dropped mmap_lock
 * @tried: the next fault repeats one that dropped the lock
 */
struct pin_request {
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long nr;
	unsigned long done;
	unsigned int flags;
	struct page **pages;
	int *locked;
	bool tried;
};

/* pin.c */
long pin_run(struct pin_request *r);
long pin_run_locked(struct pin_request *r);

/* grab.c */
struct folio *grab_lockless(struct page *page, unsigned int flags);
void grab_put(struct folio *folio, int refs, unsigned int flags);

/* From the first pin on, fork looks for pinned pages in the address space. */
static inline void pin_mark_mm(struct mm_struct *mm, unsigned int flags)
{
	if ((flags & FOLL_PIN) && !test_bit(MMF_HAS_PINNED, &mm->flags))
		set_bit(MMF_HAS_PINNED, &mm->flags);
}

/* Complain of flags that no caller may give. */
static inline bool pin_flags_ok(unsigned int given, unsigned int all,
				struct page **pages, int *locked)
{
	return !WARN_ON_ONCE((given & INTERNAL_GUP_FLAGS) ||
			     (locked && *locked != 1) ||
			     ((all & FOLL_PIN) && (all & FOLL_GET)) ||
			     ((all & (FOLL_PIN | FOLL_GET)) && !pages) ||
			     ((all & FOLL_LONGTERM) &&
			      (!(all & FOLL_PIN) || (all & FOLL_PCI_P2PDMA))));
}

#endif /* MM_PAGODA_PIN_H */
