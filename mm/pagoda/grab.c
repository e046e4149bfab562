// SPDX-License-Identifier: GPL-2.0
/*
 * Grab: references and pins on folios of user memory.
 *
 * FOLL_GET takes a plain reference. FOLL_PIN says that the contents are going to be
 * accessed (Documentation/core-api/pin_user_pages.rst): a large folio counts
 * its pins beside its references, a small one takes GUP_PIN_COUNTING_BIAS
 * references for each. The zero page is never pinned, so never unpinned.
 */
#include <linux/mm.h>
#include <linux/memremap.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include "pin.h"
#include "../internal.h"

/* References that @pins pins of @folio hold. */
static int pin_refs(struct folio *folio, int pins)
{
	return folio_test_large(folio) ? pins : pins * GUP_PIN_COUNTING_BIAS;
}

static void pin_note(struct folio *folio, int pins)
{
	if (folio_test_large(folio))
		atomic_add(pins, &folio->_pincount);
	node_stat_mod_folio(folio, NR_FOLL_PIN_ACQUIRED, pins);
}

/**
 * grab_put - drop references or pins
 * @folio: the folio
 * @refs: how many
 * @flags: FOLL_GET or FOLL_PIN, as they were taken
 */
void grab_put(struct folio *folio, int refs, unsigned int flags)
{
	if (flags & FOLL_PIN) {
		if (is_zero_folio(folio))
			return;
		node_stat_mod_folio(folio, NR_FOLL_PIN_RELEASED, refs);
		if (folio_test_large(folio))
			atomic_sub(refs, &folio->_pincount);
		refs = pin_refs(folio, refs);
	}
	if (!put_devmap_managed_folio_refs(folio, refs))
		folio_put_refs(folio, refs);
}

/**
 * try_grab_folio - take references or pins on a folio that cannot go away
 * @folio: the folio; the caller's table lock or reference keeps it
 * @refs: how many
 * @flags: FOLL_GET, FOLL_PIN or neither
 *
 * Return: 0, -ENOMEM if its references have run out, -EREMOTEIO for peer
 * device memory that was not asked for.
 */
int try_grab_folio(struct folio *folio, int refs, unsigned int flags)
{
	if (WARN_ON_ONCE(folio_ref_count(folio) <= 0))
		return -ENOMEM;
	if (unlikely(is_pci_p2pdma_page(&folio->page) &&
		     !(flags & FOLL_PCI_P2PDMA)))
		return -EREMOTEIO;
	if (flags & FOLL_GET) {
		folio_ref_add(folio, refs);
	} else if ((flags & FOLL_PIN) && !is_zero_folio(folio)) {
		folio_ref_add(folio, pin_refs(folio, refs));
		pin_note(folio, refs);
	}
	return 0;
}

/* One reference on the folio of a page that may be freed meanwhile. */
static struct folio *get_unstable(struct page *page)
{
	struct folio *folio;

	do {
		folio = page_folio(page);
		if (folio_ref_count(folio) <= 0 || !folio_try_get(folio))
			return NULL;
		if (likely(page_folio(page) == folio))
			return folio;
		/* Freed and made part of another folio in between. */
		folio_put(folio);
	} while (1);
}

/**
 * grab_lockless - take one reference or pin, without any lock
 * @page: a page seen in a page-table entry, interrupts off
 * @flags: FOLL_GET or FOLL_PIN
 *
 * The caller reads the entry again afterwards.
 *
 * Return: its folio, or NULL if the slow way must be gone.
 */
struct folio *grab_lockless(struct page *page, unsigned int flags)
{
	struct folio *folio;

	lockdep_assert_irqs_disabled();
	if (unlikely(is_pci_p2pdma_page(page) && !(flags & FOLL_PCI_P2PDMA)))
		return NULL;
	if ((flags & FOLL_PIN) && is_zero_page(page))
		return page_folio(page);
	folio = get_unstable(page);
	if (!folio || !(flags & FOLL_PIN))
		return folio;
	if ((flags & FOLL_LONGTERM) && !folio_is_longterm_pinnable(folio)) {
		folio_put(folio);
		return NULL;
	}
	/* One of the references of a pin is there already. */
	if (!folio_test_large(folio))
		folio_ref_add(folio, GUP_PIN_COUNTING_BIAS - 1);
	pin_note(folio, 1);
	/*
	 * The pin must be seen before the entry is read again: pairs with the
	 * barrier of those who clear PageAnonExclusive without the table lock.
	 */
	smp_mb__after_atomic();
	return folio;
}

/* One more pin on a folio that the caller has pinned. */
void folio_add_pin(struct folio *folio)
{
	if (is_zero_folio(folio))
		return;
	WARN_ON_ONCE(!folio_maybe_dma_pinned(folio));
	folio_ref_add(folio, pin_refs(folio, 1));
	if (folio_test_large(folio))
		atomic_inc(&folio->_pincount);
}

/**
 * unpin_user_page - drop a pin
 * @page: from pin_user_pages() or a relative of it
 */
void unpin_user_page(struct page *page)
{
	grab_put(page_folio(page), 1, FOLL_PIN);
}
EXPORT_SYMBOL(unpin_user_page);

/* Drop a pin on a folio; for those of memfd_pin_folios(). */
void unpin_folio(struct folio *folio)
{
	grab_put(folio, 1, FOLL_PIN);
}
EXPORT_SYMBOL_GPL(unpin_folio);

/* Drop @npages pins on one folio. */
void unpin_user_folio(struct folio *folio, unsigned long npages)
{
	grab_put(folio, npages, FOLL_PIN);
}
EXPORT_SYMBOL(unpin_user_folio);

/* Drop a pin on each of the folios; equal ones in a row in one go. */
void unpin_folios(struct folio **folios, unsigned long nfolios)
{
	unsigned long first, next;

	/* An error code in the place of a count would run far too long. */
	if (WARN_ON(IS_ERR_VALUE(nfolios)))
		return;
	for (first = 0; first < nfolios; first = next) {
		next = first;
		while (next < nfolios && folios[next] == folios[first])
			next++;
		if (folios[first])
			grab_put(folios[first], next - first, FOLL_PIN);
	}
}
EXPORT_SYMBOL_GPL(unpin_folios);

/* Drop @pins pins of a folio that may have been written to. */
static void unpin_dirty(struct folio *folio, int pins, bool dirty)
{
	/*
	 * Already dirty is enough: if writeback cleans it just now, it takes
	 * what was written before.
	 */
	if (dirty && !folio_test_dirty(folio)) {
		folio_lock(folio);
		folio_mark_dirty(folio);
		folio_unlock(folio);
	}
	grab_put(folio, pins, FOLL_PIN);
}

/**
 * unpin_user_pages_dirty_lock - drop the pins of pages that may be dirty
 * @pages: the pages
 * @npages: how many
 * @make_dirty: mark their folios dirty first (sleeps on the folio lock)
 */
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long npages,
				 bool make_dirty)
{
	unsigned long first, next;

	if (WARN_ON(IS_ERR_VALUE(npages)))
		return;
	for (first = 0; first < npages; first = next) {
		struct folio *folio;

		next = first + 1;
		if (!pages[first])
			continue;
		folio = page_folio(pages[first]);
		while (next < npages && pages[next] &&
		       page_folio(pages[next]) == folio)
			next++;
		unpin_dirty(folio, next - first, make_dirty);
	}
}
EXPORT_SYMBOL(unpin_user_pages_dirty_lock);

/**
 * unpin_user_pages - drop the pins of pages
 * @pages: the pages
 * @npages: how many
 */
void unpin_user_pages(struct page **pages, unsigned long npages)
{
	unpin_user_pages_dirty_lock(pages, npages, false);
}
EXPORT_SYMBOL(unpin_user_pages);

/**
 * unpin_user_page_range_dirty_lock - the same for consecutive pages
 * @page: the first
 * @npages: how many
 * @make_dirty: mark their folios dirty first
 */
void unpin_user_page_range_dirty_lock(struct page *page, unsigned long npages,
				      bool make_dirty)
{
	while (npages) {
		struct folio *folio = page_folio(page);
		unsigned long left = folio_nr_pages(folio) -
				     folio_page_idx(folio, page);
		unsigned long nr = min(npages, left);

		unpin_dirty(folio, nr, make_dirty);
		page = nth_page(page, nr);
		npages -= nr;
	}
}
EXPORT_SYMBOL(unpin_user_page_range_dirty_lock);
