// SPDX-License-Identifier: GPL-2.0
/*
 * Sharing of page tables between address spaces.
 *
 * States of a table below the top, by its references (entries that point at
 * it) and by what those entries allow:
 *
 *   private     one reference, its entry allows writes
 *   shared      several references, every entry forbids writes
 *   left over   one reference whose entry still forbids writes: the other
 *               sharers have gone, and the table is taken back when needed
 *
 * Guarantees: no entry in a shared table, nor below it, changes, but for
 * permissions that are lowered when it is copied, and hardware's accessed and
 * dirty bits. What an address space can reach through an entry that forbids
 * writes it does not write to, whatever entries further down say. Nothing in a
 * shared table points back to one address space.
 *
 * The way out of sharing is one entry at a time, from the top down: copy the
 * table (its pages, or the tables below it, are then shared in its place),
 * take it back if nobody else is left, or let go of it.
 *
 * Flush: fork flushes the parent after it made entries read-only. Who leaves
 * a table flushes its own address space before it drops its reference: the
 * others may then change the table, and what it maps.
 *
 * Locks: that a table is shared no more is decided under its lock:
 * pt_table_lock() for the last level, one of a few hashed ones above. Inside it,
 * pt_slot_lock() for the entry. Who has a reference may add another without,
 * and may take its own entry out under pt_slot_lock() alone; it gives up the
 * reference under the table's lock. The memory of a table that somebody else
 * lets go of stays for an RCU grace period, with its lock, so a lock is taken
 * first and the entry looked at again.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <asm/tlb.h>
#include <asm/tlbflush.h>
#include "tree.h"

#define PT_UPPER_BITS	4

static spinlock_t pt_upper_locks[1 << PT_UPPER_BITS] = {
	[0 ... (1 << PT_UPPER_BITS) - 1] = __SPIN_LOCK_UNLOCKED(pt_upper_locks),
};

struct pt_share_stats pt_share_stats;

/* The lock that the sharing of a table of @level goes by. */
static spinlock_t *pt_share_lock(struct mm_struct *mm, struct ptdesc *table,
				 unsigned int level)
{
	if (level == 1)
		return pt_table_lock(mm, table);
	return &pt_upper_locks[hash_ptr(table, PT_UPPER_BITS)];
}

/*
 * Change an entry, of a table of @level that is private to @mm, from @old to
 * @new. False if it holds something else: exit lets go of tables in runs while
 * the OOM reaper may be at the same address space.
 */
static bool pt_slot_change(struct mm_struct *mm, pte_t *slot,
			   unsigned int level, pte_t old, pte_t new)
{
	spinlock_t *lock = pt_slot_lock(mm, slot, level);
	bool same;
	pte_t e;

	/* Inside the lock of the table, which may be of the same class. */
	spin_lock_nested(lock, SINGLE_DEPTH_NESTING);
	e = ptep_get(slot);
	/* Hardware may have set the accessed bit. */
	same = pt_entry_none(old) ? pt_entry_none(e) :
	       pt_entry_shared(e) && pt_entry_pfn(e) == pt_entry_pfn(old);
	if (same)
		pt_entry_set(slot, new);
	spin_unlock(lock);
	return same;
}

/*
 * Wait for a reverse walk that has a last-level table open which forbids
 * writes since a moment ago. Either it has the lock, or it sees what forbids
 * them when it has (pt_lock_window()): smp_mb() was before.
 */
static __always_inline void pt_wait_for_walk(struct ptdesc *table)
{
#ifdef CONFIG_SPLIT_PTE_PTLOCKS	/* else nothing is shared */
	spinlock_t *lock = ptlock_ptr(table);
#ifndef CONFIG_PREEMPT_RT
	bool held = raw_spin_is_locked(&lock->rlock);
#else
	bool held = true;
#endif

	if (unlikely(held)) {
		spin_lock(lock);
		spin_unlock(lock);
	}
#endif
	/* What others use too has its seal. */
	if (IS_ENABLED(CONFIG_PAGODA_DEBUG) &&
	    atomic_read(pt_table_refs(table)) == 1)
		pt_seal(table, 1);
}

/*
 * Forbid writes to the pages of a last-level table of which somebody else is to
 * have the use, where entries that point at it cannot.
 */
static void pt_protect_leaves(struct ptdesc *table)
{
	pte_t *entries = pt_table_map(table), *slot;

	for (slot = entries; slot < entries + pt_entries(1); slot++) {
		pte_t e = ptep_get(slot);

		if (pte_present(e) && pte_write(e))
			pt_leaf_wrprotect(slot);
	}
	pt_table_unmap(entries);
}

/* pt_sum_up() for what points at the last level. */
static void pt_sum_up_last(pte_t *slot, struct pt_sum *sum)
{
	pte_t *end = slot + pt_entries(2);
	u32 pages = 0, tables = 0;

	for (; slot < end; slot++) {
		pte_t e = ptep_get(slot);
		struct ptdesc *table;

		if (pt_entry_none(e) || !pt_entry_table(e))
			continue;
		table = pt_entry_child(e);
		pt_wait_for_walk(table);
		if (!pt_entry_protects(2) && pt_entry_private(e))
			pt_protect_leaves(table);
		pages += pt_counted(table, MM_ANONPAGES);
		tables++;
	}
	sum->pages += pages;
	sum->tables += tables;
}

/*
 * Add up what hangs below @table of @level, above the last, and seal it all.
 * Writers cannot reach it any more.
 */
static void pt_sum_up(struct ptdesc *table, unsigned int level)
{
	struct pt_sum sum = { .tables = level <= PT_ACCOUNTED_LEVELS };
	pte_t *slot = ptdesc_to_virt(table), *end = slot + pt_entries(level);

	if (level == 2) {
		pt_sum_up_last(slot, &sum);
		slot = end;
	}
	for (; slot < end; slot++) {
		pte_t e = ptep_get(slot);

		if (!pt_entry_table(e))
			continue;
		if (pt_entry_private(e))
			pt_sum_up(pt_entry_child(e), level - 1);
		pt_sum_add(&sum, pt_sum_below(e, level));
	}
	*pt_sum_of(table) = sum;
	pt_seal(table, level);
}

/**
 * pt_sum_account - count what an address space shares
 * @mm: the address space
 * @sum: what hangs below the tables that it came to share or let go of
 * @sign: 1 or -1
 */
void pt_sum_account(struct mm_struct *mm, struct pt_sum sum, int sign)
{
	add_mm_counter(mm, MM_ANONPAGES, sign * (long)sum.pages);
	atomic_long_add(sign * (long)(sum.tables * PAGE_SIZE),
			&mm->pgtables_bytes);
}

/* Has a last-level table enough anonymous pages? Others cannot be shared. */
static __always_inline bool pt_anon_has(struct ptdesc *table, unsigned int min)
{
	return pt_counted(table, MM_ANONPAGES) >= min;
}

/* How many pages a table more counts for when the worth of a larger is judged. */
#define PT_TABLE_WORTH	8

/*
 * The anonymous pages, and tables, below a table above the last level, between
 * @addr and @end, up to what matters.
 */
static unsigned int pt_guess(struct ptdesc *table, unsigned int level,
			     unsigned long addr, unsigned long end)
{
	pte_t *slot = (pte_t *)ptdesc_to_virt(table) + pt_index(level, addr);
	unsigned int pages = 0, min = pt_share_min;
	unsigned long next;

	end = pt_table_end(level, addr, end);
	for (; addr < end && pages < min; addr = next, slot++) {
		pte_t e = ptep_get(slot);

		next = pt_slot_end(level, addr, end);
		if (pt_entry_none(e) || !pt_entry_table(e))
			continue;
		table = pt_entry_child(e);
		pages += PT_TABLE_WORTH;
		pages += level == 2 ? pt_counted(table, MM_ANONPAGES) :
				      pt_guess(table, level - 1, addr, next);
	}
	return pages;
}

/**
 * pt_share_worth - is a table better shared than copied?
 * @e: the entry that points at it
 * @level: level of the table that @e is in
 * @addr: an address that @e covers
 * @end: up to where (exclusive) to look, if what is there is enough
 *
 * Of a table with few pages the copy is cheaper than its being unshared later.
 */
bool pt_share_worth(pte_t e, unsigned int level, unsigned long addr,
		    unsigned long end)
{
	struct ptdesc *table = pt_entry_child(e);

	if (level == 2)
		return pt_anon_has(table, pt_share_min);
	if (pt_entry_shared(e)) {
		struct pt_sum *sum = pt_sum_of(table);

		return sum->pages + sum->tables * PT_TABLE_WORTH >=
		       pt_share_min;
	}
	return pt_guess(table, level - 1, addr, end) >= pt_share_min;
}

/*
 * pt_share_run() for up to @nr entries that point at last-level tables. In two
 * passes: all forbid writes before the first is counted.
 */
static unsigned int pt_share_last(pte_t *slot, pte_t *to, unsigned int nr,
				  struct pt_sum *sum)
{
	unsigned int min = READ_ONCE(pt_share_min), pages = 0, tables = 0, i;
	pte_t *end = slot + nr, *p;

	for (p = slot; p < end; p++) {
		pte_t e = ptep_get(p);

		if (likely(pt_entry_private(e))) {
			if (!pt_anon_has(pt_entry_child(e), min))
				break;
			/* Its lock is for hooking in, which nobody does now. */
			pt_entry_set(p, pt_entry_wrprotect(e));
		} else if (pt_entry_table(e) &&
			   !pt_anon_has(pt_entry_child(e), min)) {
			break;
		}
	}
	smp_mb();	/* See pt_wait_for_walk(). */

	nr = p - slot;
	for (i = 0; i < nr; i++) {
		pte_t e = ptep_get(slot + i);
		struct ptdesc *table;

		if (pt_entry_none(e))
			continue;
		table = pt_entry_child(e);
		pt_wait_for_walk(table);
		if (!pt_entry_protects(2) &&
		    atomic_read(pt_table_refs(table)) == 1)
			pt_protect_leaves(table);
		/* Our own reference keeps it shared: needs no lock. */
		atomic_inc(pt_table_refs(table));
		pt_entry_set(to + i, e);
		pt_check(!pt_counted(table, MM_FILEPAGES) &&
			 !pt_counted(table, MM_SHMEMPAGES),
			 "shared table maps more than anonymous memory");
		pages += pt_counted(table, MM_ANONPAGES);
		tables++;
	}
	sum->pages += pages;
	sum->tables += tables;
	atomic_long_add(tables, &pt_share_stats.shared);
	return nr;
}

/* pt_share_run() for one entry that points at a larger table. */
static void pt_share_upper(pte_t *slot, pte_t *to, unsigned int level,
			   struct pt_sum *sum)
{
	pte_t e = ptep_get(slot);
	struct ptdesc *table = pt_entry_child(e);

	if (pt_entry_private(e)) {
		e = pt_entry_wrprotect(e);
		pt_entry_set(slot, e);
		smp_mb();	/* See pt_wait_for_walk(). */
		pt_sum_up(table, level - 1);
	}
	atomic_inc(pt_table_refs(table));
	pt_entry_set(to, e);
	pt_sum_add(sum, *pt_sum_of(table));
	atomic_long_inc(&pt_share_stats.shared);
}

/**
 * pt_share_run - let another address space use tables that are side by side
 * @slot: entry for the first, which is worth it; the way to it is private
 * @to: entry of the other, whose tables nobody else uses yet; empty, and so are
 *      those behind it
 * @level: level of the tables that both entries are in
 * @addr: an address that @slot covers
 * @end: up to where (exclusive) to look at entries, in that table
 * @sum: what hangs below the tables that were shared is added to it
 *
 * The caller accounts for it, and flushes the old user before the new one runs.
 *
 * Locks: both mmap_locks for writing, and all areas that the tables cover
 * locked against faults, so that nobody has them open for a change but reverse
 * walks, which are waited for. In their entries nothing but anonymous pages.
 *
 * Return: how many entries are done, those without a table included: up to a
 * table that is not worth it. 0 if the first is not any more.
 */
unsigned int pt_share_run(pte_t *slot, pte_t *to, unsigned int level,
			  unsigned long addr, unsigned long end,
			  struct pt_sum *sum)
{
	const unsigned int shift = pt_shift(level);

	if (level == 2)
		return pt_share_last(slot, to, ((end - 1) >> shift) -
					       (addr >> shift) + 1, sum);
	pt_share_upper(slot, to, level, sum);
	return 1;
}

/*
 * Copy the entries of a last-level table. The pages become shared by two
 * tables, so none is exclusive any more and neither table may write to them.
 * Nobody pins pages through a shared table, so none can be pinned.
 */
static void pt_copy_pages(struct mm_struct *mm, pte_t *from, pte_t *to,
			  unsigned long addr)
{
	int i;

	for (i = 0; i < pt_entries(1); i++, addr += PAGE_SIZE) {
		pte_t e = ptep_get(from + i);

		if (pte_none(e))
			continue;
		if (pte_present(e) && !pte_special(e)) {
			struct page *page = pte_page(e);
			struct folio *folio = page_folio(page);

			folio_get(folio);
			if (PageAnonExclusive(page))
				ClearPageAnonExclusive(page);
			/* No check for pins as for anonymous pages elsewhere. */
			folio_dup_file_rmap_pte(folio, page);
			if (pte_write(e)) {
				ptep_set_wrprotect(mm, addr, from + i);
				e = pte_wrprotect(e);
			}
		}
		set_pte_at(mm, addr, to + i, e);
	}
}

/* Copy the entries of a table above: the tables below become shared. */
static void pt_copy_tables(unsigned int level, pte_t *from, pte_t *to)
{
	int i;

	for (i = 0; i < pt_entries(level); i++) {
		pte_t e = ptep_get(from + i);

		if (!pt_entry_table(e))
			continue;
		if (!pt_entry_shared(e)) {
			e = pt_entry_wrprotect(e);
			pt_entry_set(from + i, e);
		}
		atomic_inc(pt_table_refs(pt_entry_child(e)));
		pt_entry_set(to + i, e);
	}
}

/* Put @copy into the place of @table, which another address space uses too. */
static void pt_replace_table(struct mm_struct *mm, pte_t *slot,
			     unsigned int level, unsigned long addr,
			     struct ptdesc *table, struct ptdesc *copy)
{
	unsigned long span = 1UL << pt_shift(level);
	pte_t *from = pt_table_map(table), *to = pt_table_map(copy);
	spinlock_t *lock = pt_slot_lock(mm, slot, level);

	addr &= ~(span - 1);
	pt_table_init(copy);
	if (level == 2) {
		pt_copy_pages(mm, from, to, addr);
		*pt_counts(copy) = *pt_counts(table);
	} else {
		pt_copy_tables(level - 1, from, to);
	}
	pt_table_unmap(to);
	pt_table_unmap(from);
	spin_lock_nested(lock, SINGLE_DEPTH_NESTING);
	if (pt_entry_breaks()) {
		/* Others wait in pt_entry_read(): not for long. */
		preempt_disable();
		pt_entry_set(slot, PT_ENTRY_BROKEN);
		pt_flush_tables(mm, addr, addr + span);
	}
	pt_entry_publish(mm, slot, level, copy);
	if (pt_entry_breaks())
		preempt_enable();
	spin_unlock(lock);
	/* No CPU of ours may walk the old table when others change it. */
	if (!pt_entry_breaks())
		pt_flush_tables(mm, addr, addr + span);
	atomic_dec(pt_table_refs(table));
	atomic_long_inc(&pt_share_stats.copied);
}

/*
 * Lock the table that a shared entry points at. Returns it, with *seen the
 * entry; or NULL, with nothing held, if the entry is shared no more.
 */
static struct ptdesc *pt_lock_shared(struct mm_struct *mm, pte_t *slot,
				     unsigned int level, pte_t *seen)
{
	struct ptdesc *table;
	spinlock_t *lock;	/* of @table */

	for (;;) {
		rcu_read_lock();
		*seen = pt_entry_read(slot);
		if (!pt_entry_shared(*seen)) {
			rcu_read_unlock();
			return NULL;
		}
		table = pt_entry_child(*seen);
		lock = pt_share_lock(mm, table, level - 1);
		spin_lock(lock);
		rcu_read_unlock();
		if (likely(pte_same(ptep_get(slot), *seen)))
			break;
		spin_unlock(lock);
	}
	pt_check_seal(table, level - 1);
	return table;
}

static void pt_unlock_shared(struct mm_struct *mm, struct ptdesc *table,
			     unsigned int level)
{
	spin_unlock(pt_share_lock(mm, table, level - 1));
}

/*
 * Nobody else has a table of @level, which @addr is in, any more. But who took a
 * reference to one of its pages before it was shared may have been another
 * process, and must not see what is written from now on: such a page is not
 * exclusive. Tables below are to come here in their turn.
 */
static void pt_disown(struct mm_struct *mm, struct ptdesc *table,
		      unsigned int level, unsigned long addr)
{
	pte_t *entries = pt_table_map(table), *slot = entries;

	addr &= ~(pt_entries(level) * (1UL << pt_shift(level)) - 1);

	for (; slot < entries + pt_entries(level); slot++, addr += 1UL << pt_shift(level)) {
		pte_t e = ptep_get(slot);
		struct page *page;

		if (level > 1) {
			if (pt_entry_private(e))
				pt_entry_set(slot, pt_entry_wrprotect(e));
			continue;
		}
		if (!pte_present(e) || pte_special(e))
			continue;
		page = pte_page(e);
		if (page_ref_count(page) == 1 || !PageAnonExclusive(page))
			continue;
		ClearPageAnonExclusive(page);
		/* Above it, writes are still forbidden: no TLB has it writable. */
		if (pte_write(e))
			ptep_set_wrprotect(mm, addr, slot);
	}
	pt_table_unmap(entries);
	smp_wmb();	/* Before the entry above allows writes. */
}

/*
 * With the table locked: has it no other user, and is it private now? @dead:
 * nobody runs in the address space any more.
 */
static bool pt_take_back(struct mm_struct *mm, pte_t *slot, unsigned int level,
			 unsigned long addr, pte_t e, struct ptdesc *table,
			 bool dead)
{
	if (atomic_read(pt_table_refs(table)) > 1)
		return false;
	if (!dead)
		pt_disown(mm, table, level - 1, addr);
	if (!pt_slot_change(mm, slot, level, e, pt_entry_mkwrite(e)))
		return false;
	atomic_long_inc(&pt_share_stats.taken_back);
	return true;
}

/**
 * pt_unshare - make the table that one entry points at private
 * @mm: the address space
 * @slot: the entry; the way to it is private
 * @level: level of the table that @slot is in
 * @addr: an address that it covers
 *
 * Allocates before anything changes. What hangs below becomes shared instead.
 *
 * Locks: mmap_lock or the lock of an area that the table covers. May sleep.
 *
 * Return: 0, and the entry is to be looked at again; -ENOMEM.
 */
int pt_unshare(struct mm_struct *mm, pte_t *slot, unsigned int level,
	       unsigned long addr)
{
	struct ptdesc *table, *copy = NULL;
	pte_t e;

	for (;;) {
		table = pt_lock_shared(mm, slot, level, &e);
		if (!table)
			break;
		if (pt_take_back(mm, slot, level, addr, e, table, false)) {
			pt_unlock_shared(mm, table, level);
			break;
		}
		if (copy) {
			pt_replace_table(mm, slot, level, addr, table, copy);
			pt_unlock_shared(mm, table, level);
			return 0;
		}
		pt_unlock_shared(mm, table, level);
		copy = pt_table_alloc(mm, level - 1, addr);
		if (!copy)
			return -ENOMEM;
	}
	if (copy)
		pt_table_free(mm, level - 1, copy);
	return 0;
}

/* Put a table that was taken out, not locked, on the list of those that wait. */
static void pt_drop_later(struct pt_drop *d, pte_t *slot, unsigned int level,
			  unsigned long addr, pte_t e)
{
	if (!d->wait) {
		d->wait = (void *)__get_free_page(GFP_NOWAIT | __GFP_NOWARN);
		d->max = PAGE_SIZE / sizeof(*d->wait);
	}
	if (!d->wait) {
		d->wait = d->few;
		d->max = PT_DROP_FEW;
	}
	d->wait[d->nr++] = (struct pt_dropped) {
		.slot = slot, .e = e, .level = level, .addr = addr,
	};
}

/*
 * Take shared tables out, from @slot on, as many as stand beside each other.
 * Returns the address behind them.
 */
static unsigned long pt_drop_run(struct pt_drop *d, struct mm_struct *mm,
				 pte_t *slot, unsigned int level,
				 unsigned long addr, unsigned long end)
{
	spinlock_t *lock = pt_slot_lock(mm, slot, level);
	pte_t e;

	spin_lock(lock);
	do {
		e = ptep_get(slot);
		/* If the others go until the flush, it is put back there. */
		if (!pt_entry_shared(e) ||
		    atomic_read(pt_table_refs(pt_entry_child(e))) == 1 ||
		    !pt_inside(level, addr, d->floor, d->ceiling))
			break;
		pt_entry_clear(slot, level);
		pt_drop_later(d, slot++, level, addr, e);
		addr = pt_slot_end(level, addr, end);
	} while (d->nr < d->max && addr != end && pt_index(level, addr));
	spin_unlock(lock);
	return addr;
}

/**
 * pt_drop - let go of a shared table instead of zapping its entries
 * @d: the zap
 * @mm: the address space
 * @slot: the entry that points at it; the way to it is private
 * @level: level of the table that @slot is in
 * @addr: an address that it covers
 * @end: where the zapped range ends
 *
 * Locks: mmap_lock, or an rmap lock of a file's area; RCU.
 *
 * Return: the address at which to go on: @addr, if the table has been taken
 * back and must be zapped; otherwise it was let go of, or is kept: what this zap
 * is about cannot be in it, or others free it in their turn.
 */
unsigned long pt_drop(struct pt_drop *d, struct mm_struct *mm, pte_t *slot,
		      unsigned int level, unsigned long addr,
		      unsigned long end)
{
	unsigned long span = 1UL << pt_shift(level), first = addr & ~(span - 1);
	struct ptdesc *table;
	pte_t e;

	if (d->exclusive) {
		unsigned long next = pt_drop_run(d, mm, slot, level, addr,
						 end);

		if (d->nr && d->nr == d->max)
			pt_drop_done(d, mm, &next);
		if (next != addr)
			return next;
	}
	table = pt_lock_shared(mm, slot, level, &e);
	if (!table)
		return addr;
	if (pt_take_back(mm, slot, level, addr, e, table, d->dead)) {
		pt_unlock_shared(mm, table, level);
		return addr;
	}
	if (!d->part && pt_inside(level, addr, d->floor, d->ceiling) &&
	    pt_slot_change(mm, slot, level, e, __pte(0))) {
		pt_flush_tables(mm, first, first + span);
		pt_sum_account(mm, pt_sum_below(e, level), -1);
		atomic_dec(pt_table_refs(table));
	}
	pt_unlock_shared(mm, table, level);
	return pt_slot_end(level, addr, end);
}

/**
 * pt_drop_done - flush, and drop the references to tables that waited for it
 * @d: the zap
 * @mm: the address space
 * @addr: where the zap stands; set back if a table lost its other users while
 *        it waited: it is in its place again, private, and must be zapped
 *
 * Return: true if @addr was set back.
 */
bool pt_drop_done(struct pt_drop *d, struct mm_struct *mm,
		  unsigned long *addr)
{
	struct pt_dropped *w = d->wait, *end = w + d->nr;
	struct pt_sum sum = { };
	bool again = false;

	if (!d->nr)
		return false;
	flush_tlb_mm(mm);
	d->nr = 0;
	for (; w < end; w++) {
		struct ptdesc *table = pt_entry_child(w->e);
		spinlock_t *lock = pt_share_lock(mm, table, w->level - 1);

		spin_lock(lock);
		pt_check_seal(table, w->level - 1);
		if (atomic_read(pt_table_refs(table)) == 1) {
			if (!d->dead)
				pt_disown(mm, table, w->level - 1, w->addr);
			/* Nobody hooks a table in where no area is. */
			WARN_ON_ONCE(!pt_slot_change(mm, w->slot, w->level,
						     __pte(0),
						     pt_entry_mkwrite(w->e)));
			atomic_long_inc(&pt_share_stats.taken_back);
			*addr = min(*addr, w->addr);
			again = true;
		} else {
			pt_sum_add(&sum, pt_sum_below(w->e, w->level));
			atomic_dec(pt_table_refs(table));
		}
		spin_unlock(lock);
	}
	pt_sum_account(mm, sum, -1);
	return again;
}

/**
 * pt_drop_end - free what a zap has for tables that wait
 * @d: the zap; none waits any more
 */
void pt_drop_end(struct pt_drop *d)
{
	if (d->wait && d->wait != d->few)
		free_page((unsigned long)d->wait);
}
