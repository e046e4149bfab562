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
 * Two windows at once (fork, mremap) are locked destination first; only one
 * who holds mmap_lock for writing takes two, so there is no other order.
 */
#include <linux/mm.h>
#include <linux/hugetlb.h>
#include <linux/pagemap.h>
#include <asm/tlbflush.h>
#include "tree.h"

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
 * RCU is held by the caller (or interrupts are off).
 */
static __always_inline bool pt_seek(struct pt_cursor *c)
{
	unsigned int level;

	while (c->addr < c->end) {
		level = pt_descend(c);
		if (likely(pt_entry_table(c->seen)))
			return true;
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
	c->pte = pt_entry_entries(c->seen) + pt_index(1, c->addr);
	c->stop = pt_slot_end(2, c->addr, c->end);
}

/*
 * Is the way to a locked window still what it was? The entry above it alone
 * does not say so if that is in a table which another thread may have unshared
 * (then ours is another one) or fork may have shared.
 */
static bool pt_way_same(const struct pt_cursor *c)
{
	struct pt_cursor now = { .mm = c->mm, .addr = c->addr };

	return pt_descend(&now) == 2 && now.slot == c->slot &&
	       pte_same(now.seen, c->seen) && now.shared == c->shared;
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
	c->pte = NULL;
	return false;
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
	while (pt_seek(c)) {
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
 * pt_peek_same(). The caller holds RCU or has interrupts off for as long as it
 * uses the window.
 *
 * Return: as pt_next().
 */
bool pt_peek_next(struct pt_cursor *c)
{
	c->pte = NULL;
	c->ptl = NULL;
	if (!pt_seek(c))
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
	pt_counts(c->table)->nr[kind] += nr;
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
		while (pt_seek(c)) {
			pte_t *slot = (pte_t *)c->mm->pgd;
			unsigned int level;
			pte_t top;

			if (likely(!c->shared)) {
				if (!pt_lock_window(c, 0))
					continue;
				rcu_read_unlock();
				return true;
			}
			/* The topmost: what leads to it is private. */
			for (level = pt_levels(); level > 1; level--) {
				slot += pt_index(level, c->addr);
				top = ptep_get_lockless(slot);
				if (!pt_entry_private(top))
					break;
				slot = pt_entry_entries(top);
			}
			if (level > 1)
				c->addr = pt_drop(d, c->mm, slot, level,
						  c->addr, c->end);
		}
		rcu_read_unlock();
	} while (pt_drop_done(d, c->mm, &c->addr));
	return false;
}

/*
 * Make tables private that lead to @addr, down to those of the last level.
 * Returns the level of the entry at which the way ended, 2 if all exist, or
 * -ENOMEM. Tables that lie between @floor and @ceiling stay shared, with all
 * below.
 */
static int pt_own_way(struct mm_struct *mm, unsigned long addr,
		      unsigned int last, unsigned long floor,
		      unsigned long ceiling)
{
	unsigned int level = pt_levels();
	pte_t *slot = (pte_t *)mm->pgd + pt_index(level, addr);

	for (;;) {
		pte_t e = ptep_get_lockless(slot);

		if (unlikely(pt_entry_shared(e))) {
			if (pt_inside(level, addr, floor, ceiling))
				return level;
			if (pt_unshare(mm, slot, level, addr))
				return -ENOMEM;
			continue;
		}
		if (level == last || !pt_entry_table(e))
			return level;
		level--;
		slot = pt_entry_entries(e) + pt_index(level, addr);
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

/**
 * pt_shared_at - may a table that leads to an address be shared?
 * @mm: the address space; mmap_lock is held
 * @addr: user address
 */
bool pt_shared_at(struct mm_struct *mm, unsigned long addr)
{
	unsigned int level = pt_levels();
	pte_t *entries = (pte_t *)mm->pgd;

	for (;; level--) {
		pte_t e = ptep_get_lockless(entries + pt_index(level, addr));

		if (!pt_entry_private(e))
			return pt_entry_table(e);
		if (level == 2)
			return false;
		entries = pt_entry_entries(e);
	}
}

/*
 * The entry of @level for @addr: existing (@fill false) or with the tables
 * above it allocated, and private.
 */
static __always_inline pte_t *pt_slot_at(struct mm_struct *mm,
					 unsigned long addr,
					 unsigned int level, bool fill)
{
	unsigned int l = pt_levels();
	pte_t *slot = (pte_t *)mm->pgd + pt_index(l, addr);

	while (l > level) {
		pte_t e = ptep_get_lockless(slot);

		if (fill && unlikely(!pt_entry_private(e))) {
			int err;

			if (pt_entry_none(e)) {
				err = pt_install(mm, slot, l, addr);
			} else if (pt_entry_table(e)) {
				err = pt_unshare(mm, slot, l, addr);
			} else {
				pt_report_bad(mm, addr, l, e);
				err = -ENOMEM;
			}
			if (err)
				return NULL;
			continue;
		}
		if (!fill && unlikely(!pt_entry_table(e)))
			return NULL;
		l--;
		slot = pt_entry_entries(e) + pt_index(l, addr);
	}
	return slot;
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
	pte_t *slot = pt_slot_at(mm, addr, 2, true);

	if (slot && unlikely(pt_entry_shared(ptep_get_lockless(slot))) &&
	    mm != &init_mm && pt_unshare(mm, slot, 2, addr))
		return NULL;
	return slot;
}

static int pt_fill_window(struct pt_cursor *c)
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

	c->pte = pt_entry_entries(c->seen) + pt_index(1, c->addr);
	c->ptl = pt_table_lock(c->mm, c->table);
	spin_lock(c->ptl);
	if (likely(pte_same(ptep_get_lockless(c->slot), c->seen)))
		return true;
	spin_unlock(c->ptl);
	c->pte = NULL;
	return false;
}

/* The source's window of a pair whose destination @d is open. */
static bool pt_lock_source(struct pt_cursor *s, const struct pt_cursor *d)
{
	if (pt_table_lock(s->mm, pt_entry_child(s->seen)) != d->ptl)
		return pt_lock_window(s, SINGLE_DEPTH_NESTING);
	/* One table for both, or one lock for all tables: it is held. */
	if (!pte_same(ptep_get_lockless(s->slot), s->seen))
		return false;
	pt_window(s);
	s->ptl = NULL;
	return true;
}

/* Let both of a pair go on to an address of the source. */
static void pt_pair_go(struct pt_cursor *s, struct pt_cursor *d,
		       unsigned long addr)
{
	d->addr += addr - s->addr;
	s->addr = addr;
}

/* Was the table of @e shared with @d for the area before, which it also has? */
static bool pt_both_have(struct pt_cursor *d, pte_t e, unsigned int level)
{
	pte_t *to, there;

	if (!pt_entry_shared(e))
		return false;
	to = pt_slot_at(d->mm, d->addr, level, false);
	if (!to)
		return false;
	there = ptep_get(to);
	return pt_entry_table(there) && pt_entry_pfn(there) == pt_entry_pfn(e);
}

/*
 * Share the tables of entries from @slot of @level on, at which @s stands, with
 * @d. Returns the address up to which that is done, or -ENOMEM.
 */
static unsigned long pt_share_at(struct pt_cursor *s, struct pt_cursor *d,
				 pte_t *slot, unsigned int level,
				 struct pt_sharing *how)
{
	unsigned long span = 1UL << pt_shift(level);
	unsigned long first = s->addr & ~(span - 1), until, nr;
	pte_t e = ptep_get(slot), *to;

	if (!pt_entry_table(e) || pt_both_have(d, e, level))
		return pt_slot_end(level, s->addr, s->end);
	if (how->none || s->addr < how->not[level] ||
	    (level > how->top && !pt_entry_shared(e)))
		return s->addr;
	/* What is quicker to find out comes first. */
	if (!pt_share_worth(e, level, s->addr, s->end))
		goto no;
	if (first + span > how->until) {
		until = how->may(how->arg, first, first + span);
		if (!until)
			goto no;
		how->until = until;
	}
	to = pt_slot_at(d->mm, d->addr, level, true);
	if (!to)
		return -ENOMEM;
	/* Entries behind this one are empty: fork goes on upwards. */
	if (!pt_entry_none(ptep_get(to)))
		goto no;
	until = pt_table_end(level, s->addr, min(s->end, how->until & -span));
	nr = pt_share_run(slot, to, level, s->addr, until, &how->sum);
	if (nr)
		return pt_slot_end(level, first + (nr - 1) * span, s->end);
no:
	how->not[level] = first + span;
	return s->addr;
}

static int pt_pair_share_run(struct pt_cursor *s, struct pt_cursor *d,
			     struct pt_sharing *how)
{
	unsigned int level = pt_levels();
	pte_t *entries = (pte_t *)s->mm->pgd;

	while (s->addr < s->end) {
		pte_t *slot = entries + pt_index(level, s->addr);
		unsigned long until = pt_share_at(s, d, slot, level, how);

		if (IS_ERR_VALUE(until))
			return until;
		if (until > s->addr) {
			pt_pair_go(s, d, until);
			if (pt_index(level, until))
				continue;
		} else if (level == 2) {
			break;
		} else if (likely(!pt_entry_shared(ptep_get(slot)))) {
			entries = pt_entry_entries(ptep_get(slot));
			level--;
			continue;
		} else if (pt_unshare(s->mm, slot, level, s->addr)) {
			/* Entries below can be shared once they are ours. */
			return -ENOMEM;
		}
		cond_resched();
		level = pt_levels();
		entries = (pte_t *)s->mm->pgd;
	}
	return 0;
}

/**
 * pt_pair_share - share tables until there is one that cannot be
 * @src: whose tables are shared; no window open
 * @dst: who gets them, at the same addresses; no window open
 * @how: which tables may be shared
 *
 * Both cursors go on, past holes and past what was shared, the largest tables
 * first. Locks: as for pt_share_run().
 *
 * Return: 0, with both at a table whose entries have to be copied, or at the
 * end; -ENOMEM.
 */
int pt_pair_share(struct pt_edit *src, struct pt_edit *dst,
		  struct pt_sharing *how)
{
	int err;

	how->sum = (struct pt_sum) { };
	err = pt_pair_share_run(&src->c, &dst->c, how);
	if (how->sum.tables)
		pt_sum_account(dst->c.mm, how->sum, 1);
	return err;
}

/**
 * pt_pair_next - open the next window of a range and its counterpart
 * @src: where entries come from; what has no table there is skipped
 * @dst: where they go to, as far ahead in its range as @src is in its own
 *
 * Both windows end where the first of their tables does. If one table serves
 * both, it is locked once. Both are made private.
 *
 * Return: 1 with both open, 0 with none when @src is at its end, -ENOMEM with
 * none if a table cannot be allocated.
 */
int pt_pair_next(struct pt_edit *src, struct pt_edit *dst)
{
	struct pt_cursor *s = &src->c, *d = &dst->c;
	unsigned long ahead = d->addr - s->addr, len;
	bool found;
	int err;

	pt_pair_release(src, dst);
	do {
		rcu_read_lock();
		found = pt_seek(s);
		rcu_read_unlock();
		if (!found)
			return 0;
		d->addr = s->addr + ahead;
		if (unlikely(s->shared)) {
			if (pt_make_private(s->mm, s->addr,
					    s->addr + PAGE_SIZE))
				return -ENOMEM;
			continue;
		}
		err = pt_fill_window(d);
		if (err)
			return err;
		/* Nobody else changes tables, but that may have unshared ours. */
		found = pt_lock_source(s, d);
		if (!found)
			pt_edit_release(dst);
	} while (s->shared || !found);
	len = min(s->stop - s->addr, d->stop - d->addr);
	s->stop = s->addr + len;
	d->stop = d->addr + len;
	return 1;
}

/* Let both of a pair step over the empty entries of the source. */
bool pt_pair_skip(struct pt_edit *src, struct pt_edit *dst)
{
	unsigned int nr = pt_run_none(&src->c);

	pt_step_by(&dst->c, nr);
	return pt_step_by(&src->c, nr);
}

/* Account for and give back both windows, the source first. */
void pt_pair_release(struct pt_edit *src, struct pt_edit *dst)
{
	int kind;

	if (src->c.pte && dst->c.pte && src->c.table == dst->c.table) {
		/* What one table loses it also gains: book the sum. */
		for (kind = 0; kind < NR_MM_COUNTERS; kind++)
			dst->c.delta[kind] += src->c.delta[kind];
		memset(src->c.delta, 0, sizeof(src->c.delta));
		pt_release(&src->c);
	}
	pt_edit_release(src);
	pt_edit_release(dst);
}

/*
 * The highest level, below @below, of which both cursors stand at the first
 * address of a table's span and have all of it left; 0 if there is none.
 */
static unsigned int pt_move_level(const struct pt_cursor *s,
				  const struct pt_cursor *d,
				  unsigned int below)
{
	unsigned int level;

	for (level = below - 1; level >= 2; level--) {
		unsigned long span = 1UL << pt_shift(level);

		if (!((s->addr | d->addr) & (span - 1)) &&
		    s->end - s->addr >= span && d->end - d->addr >= span)
			return level;
	}
	return 0;
}

/**
 * pt_move_reserve - allocate what pt_move_table() will need next
 * @src: cursor at the old address, no window open
 * @dst: cursor at the new address, no window open
 *
 * pt_move_table() is called with locks held under which nothing may be
 * allocated; the tables above the one that it can move are made here.
 *
 * Return: 0 or -ENOMEM.
 */
int pt_move_reserve(struct pt_edit *src, struct pt_edit *dst)
{
	struct pt_cursor *s = &src->c, *d = &dst->c;
	unsigned int level = pt_levels();
	pte_t *from, *to;

	while ((level = pt_move_level(s, d, level))) {
		from = pt_slot_at(s->mm, s->addr, level, false);
		if (!from || !pt_entry_table(ptep_get_lockless(from)))
			continue;
		/* A shared table can be moved, but not out of a shared one. */
		if (pt_own_way(s->mm, s->addr, level + 1, ULONG_MAX, 1) < 0)
			return -ENOMEM;
		to = pt_slot_at(d->mm, d->addr, level, true);
		if (!to)
			return -ENOMEM;
		if (pt_entry_none(ptep_get_lockless(to)))
			break;
	}
	return 0;
}

static bool pt_move_at(struct pt_cursor *s, struct pt_cursor *d,
		       struct vm_area_struct *vma, unsigned int level)
{
	pte_t *from = pt_slot_at(s->mm, s->addr, level, false);
	pte_t *to = pt_slot_at(d->mm, d->addr, level, false);
	unsigned long span = 1UL << pt_shift(level);
	spinlock_t *to_lock, *from_lock;
	bool moved = false;
	pte_t e;

	if (!from || !to)
		return false;
	to_lock = pt_slot_lock(d->mm, to, level);
	from_lock = pt_slot_lock(s->mm, from, level);
	spin_lock(to_lock);
	if (from_lock != to_lock)
		spin_lock_nested(from_lock, SINGLE_DEPTH_NESTING);
	e = ptep_get(from);
	if (pt_entry_table(e) && pt_entry_none(ptep_get(to))) {
		pt_entry_clear(from, level);
		/*
		 * Nobody may go on writing through the old address once the
		 * new one can be unmapped: flush before the locks are dropped.
		 */
		flush_tlb_range(vma, s->addr, s->addr + span);
		pt_entry_set(to, e);
		moved = true;
	}
	if (from_lock != to_lock)
		spin_unlock(from_lock);
	spin_unlock(to_lock);
	if (moved) {
		s->addr += span;
		d->addr += span;
	}
	return moved;
}

/**
 * pt_move_table - move the whole table at one address to another
 * @src: cursor at the old address, no window open
 * @dst: cursor of the same mm at the new address, no window open
 * @vma: the area at the old address, for the TLB flush
 *
 * Moves the largest table of which both cursors stand at the first address
 * and have the whole span left, if nothing is in the way, with one entry
 * changed and the old addresses flushed; both cursors go behind it. The counts
 * of the table go with it. Allocates nothing: see pt_move_reserve().
 * Locks: mmap_lock for writing, and the rmap locks of the area, because
 * reverse walks find tables by address.
 *
 * Return: true if a table was moved; else move single entries.
 */
bool pt_move_table(struct pt_edit *src, struct pt_edit *dst,
		   struct vm_area_struct *vma)
{
	unsigned int level = pt_levels();

	while ((level = pt_move_level(&src->c, &dst->c, level)))
		if (pt_move_at(&src->c, &dst->c, vma, level))
			return true;
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
		e = ptep_get_lockless(slot);
		if (pt_entry_none(e)) {
			err = v->hole ? v->hole(arg, slot, level, addr, next) : 0;
			if (err == 2)
				goto again;
		} else {
			err = v->entry ? v->entry(arg, slot, level, addr, next) : 1;
			if (err == 2)
				goto again;
			/* The visitor may have changed it or waited. */
			e = ptep_get_lockless(slot);
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
	c->seen = ptep_get_lockless(slot);
	c->ptl = NULL;
	if (!pt_entry_table(c->seen))
		return false;
	if (lock)
		return pt_lock_window(c, 0);
	pt_window(c);
	return true;
}
