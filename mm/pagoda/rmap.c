// SPDX-License-Identifier: GPL-2.0
/*
 * The reverse map: from a folio to the areas, and to the entries, that map it.
 *
 * rmap_walk() calls a function for every area that may map a folio; the
 * function looks for the entries itself, with rmap_scan_next() inside
 * mm/pagoda/ or with page_vma_mapped_walk() elsewhere. Between the two nothing
 * is promised: an area may turn out not to map the folio.
 *
 * Entries are looked at with their table locked, always. So whoever finds
 * none can rely on it that one who was just clearing one has also counted it
 * (PVMW_SYNC and TTU_SYNC ask for no less).
 *
 * Who keeps what alive: the caller has a reference on the folio. Areas stay
 * while the lock of the tree they are found in is held; tables stay while an
 * area of theirs is in such a tree. The mapping of a file folio stays because
 * the folio is locked; an anon_vma because the folio is mapped, see
 * anon_vma.c.
 *
 * The order of locks, outer ones first. All that concern address spaces:
 *
 *	inode->i_rwsem			write, truncate
 *	mm->mmap_lock
 *	mapping->invalidate_lock	faults read it, truncate writes it
 *	folio lock
 *	the VMA's lock, for writing
 *	mapping->i_mmap_rwsem		areas of a file
 *	anon_vma->root->rwsem		areas of anonymous folios
 *	lock of a last-level table	if two: the destination first
 *	pt_slot_lock()			entries above the last level
 *
 * and below a table's lock, in which no one sleeps, those of what an entry
 * maps: mapping->private_lock, i_pages, lruvec->lru_lock; inode->i_lock and
 * the writeback lists' list_lock (folio_mark_dirty() takes them).
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched.h>
#include "../internal.h"
#include "rmap.h"

/* Show a walk one area. False: the walk is over. */
static bool visit_area(struct folio *folio, struct vm_area_struct *vma,
		       struct rmap_walk_control *rwc)
{
	unsigned long addr = vma_address(vma, folio_pgoff(folio),
					 folio_nr_pages(folio));

	VM_WARN_ON_ONCE(addr == -EFAULT);
	cond_resched();
	if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
		return true;
	return rwc->rmap_one(folio, vma, addr, rwc->arg) &&
	       !(rwc->done && rwc->done(folio));
}

/* Lock the anon_vma of a folio the way the walk wants it. */
static struct anon_vma *walk_lock_anon(struct folio *folio,
				       struct rmap_walk_control *rwc)
{
	struct anon_vma *anon;

	if (rwc->anon_lock)
		return rwc->anon_lock(folio, rwc);

	/* The caller has made sure that the anon_vma stays. */
	anon = folio_anon_vma(folio);
	if (!anon || anon_vma_trylock_read(anon))
		return anon;
	if (rwc->try_lock) {
		rwc->contended = true;
		return NULL;
	}
	anon_vma_lock_read(anon);
	return anon;
}

static void walk_anon(struct folio *folio, struct rmap_walk_control *rwc,
		      bool locked)
{
	pgoff_t first = folio_pgoff(folio);
	struct anon_vma_chain *link;
	struct anon_vma *anon;

	anon = locked ? folio_anon_vma(folio) : walk_lock_anon(folio, rwc);
	VM_WARN_ON_FOLIO(locked && !anon, folio);
	if (!anon)
		return;
	anon_vma_interval_tree_foreach(link, &anon->rb_root, first,
				       first + folio_nr_pages(folio) - 1) {
		if (!visit_area(folio, link->vma, rwc))
			break;
	}
	if (!locked)
		anon_vma_unlock_read(anon);
}

static void walk_file(struct folio *folio, struct rmap_walk_control *rwc,
		      bool locked)
{
	struct address_space *mapping = folio_mapping(folio);
	pgoff_t first = folio_pgoff(folio);
	struct vm_area_struct *vma;

	VM_WARN_ON_FOLIO(!folio_test_locked(folio), folio);
	if (!mapping)
		return;
	if (!locked && !i_mmap_trylock_read(mapping)) {
		if (rwc->try_lock) {
			rwc->contended = true;
			return;
		}
		i_mmap_lock_read(mapping);
	}
	vma_interval_tree_foreach(vma, &mapping->i_mmap, first,
				  first + folio_nr_pages(folio) - 1) {
		if (!visit_area(folio, vma, rwc))
			break;
	}
	if (!locked)
		i_mmap_unlock_read(mapping);
}

/**
 * rmap_walk - visit every area that may map a folio
 * @folio: the folio; locked, if it is one of the page cache
 * @rwc: what to do there, and how to lock
 *
 * Takes i_mmap_rwsem or the anon_vma's lock for reading. With rwc->try_lock it
 * gives up rather than wait, and sets rwc->contended.
 */
void rmap_walk(struct folio *folio, struct rmap_walk_control *rwc)
{
	if (folio_test_anon(folio))
		walk_anon(folio, rwc, false);
	else
		walk_file(folio, rwc, false);
}

/**
 * rmap_walk_locked - as rmap_walk(), by one who has the lock
 * @folio: the folio, locked
 * @rwc: what to do there
 */
void rmap_walk_locked(struct folio *folio, struct rmap_walk_control *rwc)
{
	if (folio_test_anon(folio))
		walk_anon(folio, rwc, true);
	else
		walk_file(folio, rwc, true);
}

/**
 * page_address_in_vma - where an area would map a page
 * @page: a page of a mapped folio
 * @vma: the area
 *
 * Return: the user address, or -EFAULT if the area is not one of the page's
 * file or fork family, or does not cover the page. Whether an entry is there
 * is another question.
 */
unsigned long page_address_in_vma(struct page *page, struct vm_area_struct *vma)
{
	struct folio *folio = page_folio(page);
	bool related;

	if (folio_test_anon(folio)) {
		struct anon_vma *anon = folio_anon_vma(folio);

		related = anon && vma->anon_vma &&
			  anon->root == vma->anon_vma->root;
	} else {
		related = vma->vm_file &&
			  vma->vm_file->f_mapping == folio->mapping;
	}
	if (!related)
		return -EFAULT;
	return vma_address(vma, folio->index + folio_page_idx(folio, page), 1);
}

/**
 * rmap_scan_open - begin a search for entries of an area
 * @s: the search
 * @vma: the area
 * @addr: where @vma maps the first page of the run that it covers
 * @pgoff: offset of the run in the object that @vma maps, in pages
 * @pfn: frame of the run's first page
 * @nr: length of the run in pages
 *
 * Locks: those that rmap_walk() holds, or mmap_lock.
 */
void rmap_scan_open(struct rmap_scan *s, struct vm_area_struct *vma,
		    unsigned long addr, pgoff_t pgoff, unsigned long pfn,
		    unsigned long nr)
{
	unsigned long end = addr + PAGE_SIZE;

	if (unlikely(nr > 1)) {
		/* The area may begin or end inside the run. */
		unsigned long left = pgoff + nr - linear_page_index(vma, addr);

		end = addr + min(left << PAGE_SHIFT, vma->vm_end - addr);
	}
	s->pfn = pfn;
	s->nr = nr;
	pt_reverse_open(&s->e, vma->vm_mm, addr, end);
}

/**
 * rmap_scan_next - find the next entry that maps one of the pages
 * @s: the search
 *
 * Return: true with s->e at the entry and its table locked; false at the end,
 * with nothing open.
 */
bool rmap_scan_next(struct rmap_scan *s)
{
	struct pt_cursor *c = &s->e.c;
	pte_t e;

	do {
		if (!(c->pte && pt_step(c)) && !pt_edit_next(&s->e))
			return false;
		e = pt_get(c);
	} while (!pte_present(e) || pte_pfn(e) - s->pfn >= s->nr);
	return true;
}

/**
 * page_vma_mapped_walk - find the next entry that maps pages of a folio
 * @pvmw: the search; ->pfn, ->nr_pages, ->pgoff, ->vma and ->address set, and
 *	  ->pte, ->pmd and ->ptl NULL, before the first call
 *
 * The form that the rest of the kernel knows; the state between calls is what
 * page_vma_mapped_walk_done() ends: the table locked and RCU held.
 *
 * Return: true with ->pte, ->address and ->ptl those of the entry; false at
 * the end, with nothing held.
 */
bool page_vma_mapped_walk(struct page_vma_mapped_walk *pvmw)
{
	struct pt_cursor *c;
	struct rmap_scan s;

	s.pfn = pvmw->pfn;
	s.nr = pvmw->nr_pages;
	c = &s.e.c;
	pt_reverse_open(&s.e, pvmw->vma->vm_mm, pvmw->address,
			vma_address_end(pvmw));
	if (pvmw->pte) {
		c->pte = pvmw->pte;
		c->ptl = pvmw->ptl;
		c->slot = (pte_t *)pvmw->pmd;
		c->table = pt_entry_child(ptep_get(c->slot));
		c->stop = pt_slot_end(2, c->addr, c->end);
		rcu_read_unlock();
	}

	if (!rmap_scan_next(&s)) {
		pvmw->pte = NULL;
		pvmw->ptl = NULL;
		return false;
	}
	rcu_read_lock();
	pvmw->pmd = (pmd_t *)c->slot;
	pvmw->address = c->addr;
	pvmw->pte = c->pte;
	pvmw->ptl = c->ptl;
	return true;
}

#ifdef CONFIG_MEMORY_FAILURE
/**
 * page_mapped_in_vma - where an area maps a page
 * @page: a page of a folio that is locked
 * @vma: the area; mmap_lock or an rmap lock is held
 *
 * Return: the user address, or -EFAULT if it does not map it.
 */
unsigned long page_mapped_in_vma(struct page *page, struct vm_area_struct *vma)
{
	struct folio *folio = page_folio(page);
	pgoff_t pgoff = folio->index + folio_page_idx(folio, page);
	unsigned long addr = vma_address(vma, pgoff, 1);
	struct rmap_scan s;

	if (addr == -EFAULT ||
	    !rmap_scan_open(&s, vma, addr, pgoff, page_to_pfn(page), 1) ||
	    !rmap_scan_next(&s))
		return -EFAULT;
	rmap_scan_stop(&s);
	return addr;
}
#endif
