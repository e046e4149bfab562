// SPDX-License-Identifier: GPL-2.0
/*
 * The cursor: the one walker of user page tables.
 *
 * Guarantee: an open window is the part of the cursor's range that one
 * last-level table covers, and that table stays the one the hardware uses for
 * those addresses until the window is released. In an edit its entries change
 * through this cursor only, and what changed is accounted for at release.
 *
 * Descent takes no lock. A table found on the way can be unhooked meanwhile
 * by a move, so the descent runs under RCU, which keeps a table's memory,
 * with its lock, and after locking the entry above is read again. What a walker
 * holds (mmap_lock, the area's lock or an rmap lock) keeps private tables from
 * being freed; shared ones, whose other users do as they like, only RCU, or the
 * table's own lock once it is held. A peek locks nothing.
 *
 */
#include <linux/mm.h>
#include <linux/hugetlb.h>
#include <linux/pagemap.h>
#include "cursor.h"

/**
 * pt_way_same - is the way to a locked window still what it was?
 * @c: the cursor
 *
 * The entry above it alone does not say so if that is in a table which another
 * thread may have unshared (then ours is another one) or fork may have shared.
 */
bool pt_way_same(const struct pt_cursor *c)
{
	struct pt_cursor now = { .mm = c->mm, .addr = c->addr };

	return pt_descend(&now) == 2 && now.slot == c->slot &&
	       pte_same(now.seen, c->seen) && now.shared == c->shared;
}

/**
 * pt_open - put a cursor at the start of a range
 * @c: the cursor
 * @mm: the address space
 * @start: first address (page-aligned)
 * @end: where the range ends (page-aligned, exclusive)
 *
 * No window is open yet.
 */
void pt_open(struct pt_cursor *c, struct mm_struct *mm,
	     unsigned long start, unsigned long end)
{
	pt_check(PAGE_ALIGNED(start) && PAGE_ALIGNED(end) &&
		 (start <= end || !end),
		 "cursor over a range that is none");
	c->mm = mm;
	c->addr = start;
	c->end = end;
	c->pte = NULL;
	c->shared = false;
	c->reverse = false;
	memset(c->delta, 0, sizeof(c->delta));
}

/* Give the window back; the cursor stays where it is. */
void pt_release(struct pt_cursor *c)
{
	if (!c->pte)
		return;
	pt_table_unmap(c->pte);
	c->pte = NULL;
	if (c->ptl)
		spin_unlock(c->ptl);
}

/**
 * pt_next - open the next window for reading
 * @c: a cursor
 *
 * Releases the open window, if any, skips what has no last-level table (the
 * caller sees holes as a jump of @c->addr), and locks the next one.
 *
 * Return: false, with nothing open and @c->addr at the end of the range, if
 * there is no further table.
 */
bool pt_next(struct pt_cursor *c)
{
	pt_release(c);
	rcu_read_lock();
	while (pt_seek(c, true)) {
		if (unlikely(c->shared & c->reverse)) {
			c->addr = pt_slot_end(2, c->addr, c->end);
			continue;
		}
		if (pt_lock_window(c, 0)) {
			rcu_read_unlock();
			return true;
		}
	}
	rcu_read_unlock();
	return false;
}

/**
 * pt_peek_next - look at the next window without a lock
 * @c: a cursor used for nothing else
 *
 * Entries may change under the reader, and the table may be unhooked: see
 * pt_peek_same(). One that is just being replaced counts as none, also by
 * the return value. The caller holds RCU or has interrupts off for as long as it
 * uses the window, and closes it with pt_peek_end().
 *
 * Return: as pt_next().
 */
bool pt_peek_next(struct pt_cursor *c)
{
	pt_peek_end(c);
	c->ptl = NULL;
	if (!pt_seek(c, false))
		return false;
	pt_window(c);
	return true;
}

/**
 * pt_peek_same - is the table of a peek still in use for its addresses?
 * @c: a cursor after pt_peek_next()
 */
bool pt_peek_same(const struct pt_cursor *c)
{
	return pte_same(ptep_get_lockless(c->slot), c->seen);
}

/**
 * pt_edit_open - put a cursor for changes at the start of a range
 * @e: the cursor
 * @mm: the address space; mmap_lock or the locks of the range's areas are held
 * @start: first address (page-aligned)
 * @end: where the range ends (page-aligned, exclusive)
 *
 * Shared tables of the range become private here, so that opening windows
 * cannot fail.
 *
 * Return: 0 or -ENOMEM, and then nothing has changed that anybody could see.
 */
int pt_edit_open(struct pt_edit *e, struct mm_struct *mm,
		 unsigned long start, unsigned long end)
{
	pt_open(&e->c, mm, start, end);
	return mm == &init_mm ? 0 : pt_make_private(mm, start, end);
}

/**
 * pt_reverse_open - as pt_edit_open(), for a walk from a page to its entries
 * @e: the cursor
 * @mm: the address space
 * @start: first address (page-aligned)
 * @end: where the range ends (page-aligned, exclusive)
 *
 * Reverse walks may not allocate, and hold rmap locks alone. Shared tables are
 * passed over: they map anonymous pages, which without swap stay anyhow.
 */
void pt_reverse_open(struct pt_edit *e, struct mm_struct *mm,
		     unsigned long start, unsigned long end)
{
	pt_open(&e->c, mm, start, end);
	e->c.reverse = true;
}

static __always_inline void pt_book(struct pt_cursor *c, int kind)
{
	int nr = c->delta[kind];

	if (!nr)
		return;
	pt_counts_add(c->table, kind, nr);
	add_mm_counter(c->mm, kind, nr);
	c->delta[kind] = 0;
}

/* Account for what changed in the window, then give it back. */
void pt_edit_release(struct pt_edit *e)
{
	struct pt_cursor *c = &e->c;

	if (!c->pte)
		return;
	pt_book(c, MM_FILEPAGES);
	pt_book(c, MM_ANONPAGES);
	pt_book(c, MM_SHMEMPAGES);
	/* The kernel's own tables have no counts. */
	if (c->mm != &init_mm)
		pt_check_counts(c->table);
	pt_release(c);
}

/**
 * pt_edit_next - open the next existing window for changes
 * @e: a cursor
 *
 * Return: as pt_next().
 */
bool pt_edit_next(struct pt_edit *e)
{
	pt_edit_release(e);
	return pt_next(&e->c);
}

/**
 * pt_zap_next - open the next window of a zap
 * @e: a cursor, opened with pt_open()
 * @d: what to do about shared tables, see pt_drop()
 *
 * Return: as pt_next().
 */
bool pt_zap_next(struct pt_edit *e, struct pt_drop *d)
{
	struct pt_cursor *c = &e->c;

	pt_edit_release(e);
	do {
		rcu_read_lock();
		while (pt_seek(c, true)) {
			unsigned int level;
			pte_t *slot;

			if (likely(!c->shared)) {
				if (!pt_lock_window(c, 0))
					continue;
				rcu_read_unlock();
				return true;
			}
			slot = pt_way(c->mm, c->addr, 2, &level);
			c->addr = pt_drop(d, c->mm, slot, level, c->addr,
					  c->end);
		}
		rcu_read_unlock();
	} while (pt_drop_done(d, c->mm, &c->addr));
	return false;
}

/**
 * pt_own_way - make the tables private that lead to an address
 * @mm: the address space
 * @addr: user address
 * @last: level of the entry down to which to go, that one included
 * @floor: tables that lie between it ...
 * @ceiling: ... and this stay shared, with all below; 0 is the very top
 *
 * Locks: as for pt_make_private().
 *
 * Return: the level of the entry at which the way ended, @last if all tables
 * exist; or -ENOMEM.
 */
int pt_own_way(struct mm_struct *mm, unsigned long addr, unsigned int last,
	       unsigned long floor, unsigned long ceiling)
{
	unsigned int level;

	for (;;) {
		pte_t *slot = pt_way(mm, addr, last, &level);

		if (likely(!pt_entry_shared(pt_entry_read(slot))) ||
		    pt_inside(level, addr, floor, ceiling))
			return level;
		if (pt_unshare(mm, slot, level, addr))
			return -ENOMEM;
	}
}

/**
 * pt_make_private - unshare all tables of a range
 * @mm: the address space
 * @start: first address
 * @end: where the range ends (exclusive)
 *
 * Locks: mmap_lock, or the lock of the area that the range is in. May sleep.
 *
 * Return: 0, and the tables stay private for as long as the lock is held; or
 * -ENOMEM, and some may have become private.
 */
int pt_make_private(struct mm_struct *mm, unsigned long start,
		    unsigned long end)
{
	pt_check(end <= TASK_SIZE_MAX, "unsharing of the kernel's tables");
	while (start < end) {
		int level = pt_own_way(mm, start, 2, ULONG_MAX, 1);

		if (level < 0)
			return level;
		start = pt_slot_end(level, start, end);
	}
	return 0;
}

/**
 * pt_keep_outside - unshare the tables that a removal can only empty in part
 * @mm: the address space
 * @start: first address of what goes
 * @end: where it ends (exclusive)
 * @floor: tables that reach below it have to stay
 * @ceiling: tables that reach above it have to stay; 0 is the very top
 *
 * After this the removal cannot fail: shared tables in its range lie between
 * the bounds, and are let go of as they are.
 *
 * Locks: mmap_lock. May sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int pt_keep_outside(struct mm_struct *mm, unsigned long start,
		    unsigned long end, unsigned long floor,
		    unsigned long ceiling)
{
	int level = pt_own_way(mm, start, 2, floor, ceiling);

	/* Only the tables at the two ends can reach beyond the bounds. */
	if (level > 0)
		level = pt_own_way(mm, end - 1, 2, floor, ceiling);
	return min(level, 0);
}

/* As far as it pays to look for an entry before taking locks. */
#define PT_LOOK_MAX	64

/**
 * pt_untouched - is there nothing to be done about a range's tables?
 * @mm: the address space; mmap_lock is held, nobody can fault in the range, and
 *      no reverse walk leads there
 * @start: first address
 * @end: where the range ends (exclusive)
 * @floor: end of the area before it
 * @ceiling: start of the area behind it, 0 for none
 *
 * Return: true if nothing is mapped there and its tables have to stay, as the
 * areas around have them in use too; false also if that takes long to find out.
 */
bool pt_untouched(struct mm_struct *mm, unsigned long start, unsigned long end,
		  unsigned long floor, unsigned long ceiling)
{
	unsigned int i, nr = (end - start) >> PAGE_SHIFT;
	struct pt_cursor c;
	bool none = true;

	if (nr > PT_LOOK_MAX || !pt_one_table(start, end) ||
	    pt_inside(2, start, floor, ceiling))
		return false;
	pt_open(&c, mm, start, end);
	rcu_read_lock();
	pt_descend(&c);
	if (!pt_entry_table(c.seen)) {
		none = pt_entry_none(c.seen);
	} else if (c.shared) {
		none = false;
	} else {
		pt_window(&c);
		for (i = 0; i < nr && none; i++)
			none = pte_none(ptep_get(c.pte + i));
		pt_table_unmap(c.pte);
	}
	rcu_read_unlock();
	return none;
}

/**
 * pt_shared_at - may a table that leads to an address be shared?
 * @mm: the address space; mmap_lock is held
 * @addr: user address
 */
bool pt_shared_at(struct mm_struct *mm, unsigned long addr)
{
	unsigned int level;

	return pt_entry_shared(pt_entry_read(pt_way(mm, addr, 2, &level)));
}

/**
 * pt_ends_shared - may a table at either end of a range be shared?
 * @mm: the address space; mmap_lock is held
 * @start: first address
 * @end: where the range ends (exclusive)
 */
bool pt_ends_shared(struct mm_struct *mm, unsigned long start,
		    unsigned long end)
{
	return pt_shared_at(mm, start) ||
	       (!pt_one_table(start, end) && pt_shared_at(mm, end - 1));
}

/**
 * pt_slot_make - allocate the tables above a level
 * @mm: the address space
 * @addr: user address
 * @level: level of the entry that is wanted, 2 or above
 *
 * Return: the entry for @addr, in a private table; or NULL if there is no
 * memory.
 */
pte_t *pt_slot_make(struct mm_struct *mm, unsigned long addr,
		    unsigned int level)
{
	unsigned int l;

	for (;;) {
		pte_t *slot = pt_way(mm, addr, level, &l);
		pte_t e = pt_entry_read(slot);
		int err = -ENOMEM;

		if (likely(l == level))
			return slot;
		if (pt_entry_none(e))
			err = pt_install(mm, slot, l, addr);
		else if (pt_entry_table(e))
			err = pt_unshare(mm, slot, l, addr);
		else
			pt_report_bad(mm, addr, l, e);
		if (err)
			return NULL;
	}
}

/**
 * pt_slot_fill - allocate the tables above the last level
 * @mm: the address space
 * @addr: user address
 *
 * Return: the level-2 entry for @addr, which is empty or points at a private
 * table; or NULL if there is no memory.
 */
pte_t *pt_slot_fill(struct mm_struct *mm, unsigned long addr)
{
	pte_t *slot = pt_slot_make(mm, addr, 2);

	if (slot && unlikely(pt_entry_shared(pt_entry_read(slot))) &&
	    mm != &init_mm && pt_unshare(mm, slot, 2, addr))
		return NULL;
	return slot;
}

/* Open the window at c->addr, making its table. Return 0 or -ENOMEM. */
int pt_fill_window(struct pt_cursor *c)
{
	for (;;) {
		c->slot = pt_slot_fill(c->mm, c->addr);
		if (!c->slot)
			return -ENOMEM;
		c->seen = ptep_get_lockless(c->slot);
		if (unlikely(!pt_entry_table(c->seen))) {
			if (pt_install(c->mm, c->slot, 2, c->addr))
				return -ENOMEM;
			c->seen = ptep_get_lockless(c->slot);
			if (unlikely(!pt_entry_table(c->seen) &&
				     !pt_entry_none(c->seen))) {
				pt_report_bad(c->mm, c->addr, 2, c->seen);
				return -ENOMEM;
			}
			continue;
		}
		c->shared = false;
		if (likely(pt_lock_window(c, 0)))
			return 0;
	}
}

/**
 * pt_edit_fill - open the window at the cursor's place, making its table
 * @e: a cursor standing inside its range
 *
 * Return: 0, or -ENOMEM with nothing open.
 */
int pt_edit_fill(struct pt_edit *e)
{
	pt_edit_release(e);
	return pt_fill_window(&e->c);
}

/**
 * pt_edit_at - open the window of one page, making its table
 * @e: an unused cursor
 * @mm: the address space
 * @addr: user address (page-aligned)
 *
 * Return: 0, or -ENOMEM with nothing open.
 */
int pt_edit_at(struct pt_edit *e, struct mm_struct *mm, unsigned long addr)
{
	pt_open(&e->c, mm, addr, addr + PAGE_SIZE);
	return pt_fill_window(&e->c);
}

/**
 * pt_edit_again - open for changes the window that was open last
 * @e: a cursor after pt_peek_next() that met no shared table, or after
 *     pt_edit_release(); the caller has held the lock that keeps tables in
 *     place, and private, ever since
 *
 * Saves the descent. Return: false, with nothing open, if the table is gone.
 */
bool pt_edit_again(struct pt_edit *e)
{
	struct pt_cursor *c = &e->c;

	c->pte = pt_table_map(c->table) + pt_index(1, c->addr);
	c->ptl = pt_table_lock(c->mm, c->table);
	spin_lock(c->ptl);
	if (likely(pte_same(ptep_get_lockless(c->slot), c->seen)))
		return true;
	spin_unlock(c->ptl);
	pt_table_unmap(c->pte);
	c->pte = NULL;
	return false;
}

static int pt_visit_table(pte_t *entries, unsigned int level,
			  unsigned long addr, unsigned long end,
			  const struct pt_visitor *v, void *arg)
{
	pte_t *slot = entries + pt_index(level, addr);
	unsigned long next;
	int err = 0;
	pte_t e;

	for (;; slot++, addr = next) {
		next = pt_slot_end(level, addr, end);
again:
		e = pt_entry_read(slot);
		if (pt_entry_none(e)) {
			err = v->hole ? v->hole(arg, slot, level, addr, next) : 0;
			if (err == 2)
				goto again;
		} else {
			err = v->entry ? v->entry(arg, slot, level, addr, next) : 1;
			if (err == 2)
				goto again;
			/* The visitor may have changed it or waited. */
			e = pt_entry_read(slot);
			if (err != 1 || !pt_entry_table(e))
				err = min(err, 0);
			else if (level > 2)
				err = pt_visit_table(pt_entry_entries(e),
						     level - 1, addr, next,
						     v, arg);
			else
				err = v->table ? v->table(arg, slot, addr,
							  next) : 0;
			if (err == 2)
				goto again;
		}
		if (err < 0 || next == end)
			return err < 0 ? err : 0;
	}
}

/**
 * pt_visit - show a visitor every level of the tables of a range
 * @mm: the address space
 * @top: its top-level table, or NULL for mm->pgd
 * @start: first address
 * @end: where the range ends (exclusive; more than @start)
 * @v: what to do with each kind of entry
 * @arg: handed to it
 *
 * For those who look at the tree as a tree: /proc, dumps. Locks: mmap_lock or
 * the area's lock, so that no table of the range can be freed.
 *
 * Return: 0, or the visitor's error.
 */
int pt_visit(struct mm_struct *mm, pte_t *top, unsigned long start,
	     unsigned long end, const struct pt_visitor *v, void *arg)
{
	return pt_visit_table(top ?: (pte_t *)mm->pgd, pt_levels(), start, end,
			      v, arg);
}

/**
 * pt_visit_open - open the window of a table that a visit came upon
 * @c: an unused cursor
 * @mm: the address space
 * @slot: the table's entry, as the visitor's ->table() was given it
 * @addr: the address, likewise
 * @lock: for reading; else as in a peek
 *
 * The window has one page; the visitor knows where the table ends. To be
 * closed with pt_release().
 *
 * Return: false if the table is gone: @slot is to be looked at again.
 */
bool pt_visit_open(struct pt_cursor *c, struct mm_struct *mm, pte_t *slot,
		   unsigned long addr, bool lock)
{
	pt_open(c, mm, addr, addr + PAGE_SIZE);
	c->slot = slot;
	c->seen = pt_entry_read(slot);
	c->ptl = NULL;
	if (!pt_entry_table(c->seen))
		return false;
	if (lock)
		return pt_lock_window(c, 0);
	pt_window(c);
	return true;
}
