/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ways down the tree, and the locking of a window: what cursor.c and
 * pair.c are made of, and nobody else has. See cursor.c for the rules.
 */
#ifndef MM_PAGODA_CURSOR_H
#define MM_PAGODA_CURSOR_H

#include "tree.h"

/* cursor.c */
bool pt_way_same(const struct pt_cursor *c);
int pt_fill_window(struct pt_cursor *c);
int pt_own_way(struct mm_struct *mm, unsigned long addr, unsigned int last,
	       unsigned long floor, unsigned long ceiling);
pte_t *pt_slot_make(struct mm_struct *mm, unsigned long addr,
		    unsigned int level);

/*
 * Go down as long as tables are private, to the entry of level @last at most.
 * Returns the entry at which that ends, and its level.
 */
static __always_inline pte_t *pt_way(struct mm_struct *mm, unsigned long addr,
				     unsigned int last, unsigned int *level)
{
	unsigned int l = pt_levels();
	pte_t *slot = (pte_t *)mm->pgd + pt_index(l, addr);

	while (l > last) {
		pte_t e = pt_entry_read(slot);

		if (unlikely(!pt_entry_private(e)))
			break;
		l--;
		slot = pt_entry_entries(e) + pt_index(l, addr);
	}
	*level = l;
	return slot;
}

/* The entry of @level for @addr, also in a shared table; NULL if none exists. */
static __always_inline pte_t *pt_slot_find(struct mm_struct *mm,
					   unsigned long addr,
					   unsigned int level)
{
	unsigned int l = pt_levels();
	pte_t *slot = (pte_t *)mm->pgd + pt_index(l, addr);

	while (l > level) {
		pte_t e = ptep_get_lockless(slot);

		if (unlikely(!pt_entry_table(e)))
			return NULL;
		l--;
		slot = pt_entry_entries(e) + pt_index(l, addr);
	}
	return slot;
}

/*
 * Look at the entry of @level for c->addr, in a table of @entries, and go on to
 * those of the table below. False if there is none, or @level is the last.
 */
static __always_inline bool pt_down(struct pt_cursor *c, unsigned int level,
				    pte_t **entries, bool *private)
{
	c->slot = *entries + pt_index(level, c->addr);
	c->seen = ptep_get_lockless(c->slot);
	*private &= pt_entry_writable(c->seen);
	if (level == 2 || unlikely(!pt_entry_table(c->seen)))
		return false;
	*entries = pt_entry_entries(c->seen);
	return true;
}

/*
 * Go down to the level-2 entry of c->addr as long as there are tables. Returns
 * the level of the entry, c->slot, that was read last. Compiled without a loop.
 */
static __always_inline unsigned int pt_descend(struct pt_cursor *c)
{
	pte_t *entries = (pte_t *)c->mm->pgd;
	bool private = true;
	unsigned int level;

	BUILD_BUG_ON(PT_MAX_LEVELS > 5);
	level = 5;
	if (pt_levels() == 5 && !pt_down(c, 5, &entries, &private))
		goto out;
	level = 4;
	if (pt_levels() >= 4 && !pt_down(c, 4, &entries, &private))
		goto out;
	level = 3;
	if (pt_levels() >= 3 && !pt_down(c, 3, &entries, &private))
		goto out;
	level = 2;
	pt_down(c, 2, &entries, &private);
out:
	c->shared = !private;
	return level;
}

/*
 * Go to the first address at or after c->addr that has a last-level table.
 * RCU is held by the caller (or interrupts are off: then it may not @wait, and
 * a table that is just being replaced is not found).
 */
static __always_inline bool pt_seek(struct pt_cursor *c, bool wait)
{
	unsigned int level;

	while (c->addr < c->end) {
		level = pt_descend(c);
		if (likely(pt_entry_table(c->seen)))
			return true;
		if (unlikely(pt_entry_broken(c->seen))) {
			if (!wait)
				return false;
			pt_entry_read(c->slot);
			continue;
		}
		if (unlikely(!pt_entry_none(c->seen)))
			pt_report_bad(c->mm, c->addr, level, c->seen);
		c->addr = pt_slot_end(level, c->addr, c->end);
	}
	return false;
}

/* The window at c->addr, whose table pt_seek() found. */
static __always_inline void pt_window(struct pt_cursor *c)
{
	c->table = pt_entry_child(c->seen);
	c->pte = pt_table_map(c->table) + pt_index(1, c->addr);
	c->stop = pt_slot_end(2, c->addr, c->end);
}

static __always_inline bool pt_lock_window(struct pt_cursor *c, int subclass)
{
	pt_window(c);
	c->ptl = pt_table_lock(c->mm, c->table);
	spin_lock_nested(c->ptl, subclass);
	if (c->reverse)
		smp_mb__after_spinlock();	/* See pt_wait_for_walk(). */
	if (likely(pte_same(ptep_get_lockless(c->slot), c->seen)) &&
	    likely(!(c->shared | c->reverse) || pt_way_same(c)))
		return true;
	spin_unlock(c->ptl);
	pt_table_unmap(c->pte);
	c->pte = NULL;
	return false;
}

#endif /* MM_PAGODA_CURSOR_H */
