// SPDX-License-Identifier: GPL-2.0
/*
 * Two places at once: what fork and mremap do with a source and a destination.
 *
 * Two windows are locked destination first; only one who holds mmap_lock for
 * writing takes two, so there is no other order. Where a whole table can go or
 * be shared no window is opened: one entry of a table above is set.
 */
#include <linux/mm.h>
#include <linux/hugetlb.h>
#include <linux/sched.h>
#include <asm/tlbflush.h>
#include "cursor.h"

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
	to = pt_slot_find(d->mm, d->addr, level);
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
	if (how->none || s->addr < how->not[level] || !pt_level_shares(level) ||
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
	to = pt_slot_make(d->mm, d->addr, level);
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
		found = pt_seek(s, true);
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

/* Entries of the root are not moved, unless they point at the last level. */
#define PT_MOVE_BELOW	max(pt_levels(), 3U)

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
	unsigned int level = PT_MOVE_BELOW;
	pte_t *from, *to;

	while ((level = pt_move_level(s, d, level))) {
		from = pt_slot_find(s->mm, s->addr, level);
		if (!from || !pt_entry_table(ptep_get_lockless(from)))
			continue;
		/* A shared table can be moved, but not out of a shared one. */
		if (level < pt_levels() &&
		    pt_own_way(s->mm, s->addr, level + 1, ULONG_MAX, 1) < 0)
			return -ENOMEM;
		to = pt_slot_make(d->mm, d->addr, level);
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
	pte_t *from = pt_slot_find(s->mm, s->addr, level);
	pte_t *to = pt_slot_find(d->mm, d->addr, level);
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
	unsigned int level = PT_MOVE_BELOW;

	while ((level = pt_move_level(&src->c, &dst->c, level)))
		if (pt_move_at(&src->c, &dst->c, vma, level))
			return true;
	return false;
}
