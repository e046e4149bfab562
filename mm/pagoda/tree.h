/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page-table tree: tables, the cursor that walks them, and freeing.
 *
 * table.c makes, counts and frees tables, share.c shares them; cursor.c and
 * pair.c are the only other files that step from one level to the next, and
 * path.c, which reads what hardware would, to explain a fault.
 * Everybody else opens a cursor over a range of addresses and handles last-level
 * entries, one window at a time. A window is the part of the range that one
 * last-level table covers; while a window is open its table is mapped and, but
 * for a peek, locked.
 *
 * Locks: whoever walks holds mmap_lock, the VMA's lock, or an rmap lock
 * (i_mmap_rwsem, anon_vma lock) of an area in the range, or has interrupts
 * off (peek). Last-level entries change under the table's own lock; entries
 * above them under pt_slot_lock(), see table.c.
 */
#ifndef MM_PAGODA_TREE_H
#define MM_PAGODA_TREE_H

#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/pagoda_table.h>
#include <linux/pgtable.h>
#include <asm/pagoda.h>
#include "counts.h"

struct mmu_gather;
struct zap_details;

/* What pt_count() is told of an entry that no RSS counter counts. */
#define PT_UNCOUNTED	(-1)

/**
 * struct pt_cursor - a position in the page tables of an address space
 * @mm:    the address space
 * @addr:  where the cursor stands (user address, page-aligned)
 * @end:   where the range that it was opened over ends (exclusive)
 * @stop:  where the open window ends (exclusive); valid while @pte is set
 * @pte:   the entry of @addr, in the open window; NULL between windows
 * @slot:  the level-2 entry that points at the window's table
 * @seen:  what @slot held when the window was opened
 * @table: the window's table
 * @ptl:   the lock held for the window; NULL in a peek
 * @shared: an entry on the way to the window forbids writes, so the table, or
 *          one above it, may be another address space's as well
 * @reverse: opened by a reverse walk, see pt_reverse_open()
 * @delta: changes in what is mapped, by kind, not yet accounted for
 */
struct pt_cursor {
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long end;
	unsigned long stop;
	pte_t *pte;
	pte_t *slot;
	pte_t seen;
	struct ptdesc *table;
	spinlock_t *ptl;	/* of @table */
	bool shared;
	bool reverse;
	int delta[NR_MM_COUNTERS];
};

/*
 * A cursor whose entries may be changed. A type of its own, so that an edit
 * through a cursor that was not opened for it does not compile.
 */
struct pt_edit {
	struct pt_cursor c;
};

/**
 * struct pt_visitor - what to do on a visit to every level, see pt_visit()
 * @entry: an entry of level 2 or above that is not empty, covering @addr to
 *         @next. 1: go below it (if it points at a table), 0: do not, 2: look
 *         at it again, negative: stop with that error
 * @hole:  an empty entry of level 2 or above; negative stops
 * @table: a last-level table for @addr to @next, reached through @slot of
 *         level 2; negative stops, 2: look at @slot again
 */
struct pt_visitor {
	int (*entry)(void *arg, pte_t *slot, unsigned int level,
		     unsigned long addr, unsigned long next);
	int (*hole)(void *arg, pte_t *slot, unsigned int level,
		    unsigned long addr, unsigned long next);
	int (*table)(void *arg, pte_t *slot, unsigned long addr,
		     unsigned long next);
};

/* A shared table that was taken out and waits for the flush. */
struct pt_dropped {
	pte_t *slot;		/* where it was */
	pte_t e;		/* what was there */
	unsigned int level;	/* of the table that @slot is in */
	unsigned long addr;	/* an address in it */
};

/* Tables that can wait if there is no memory for more. */
#define PT_DROP_FEW	4

/**
 * struct pt_drop - how a zap lets go of shared tables
 * @floor:     tables that reach below it are kept
 * @ceiling:   tables that reach above it are kept; 0 is the very top
 * @exclusive: nobody can fault in the range, so tables may wait for the flush
 * @dead:      nobody runs in the address space any more
 * @part:      not all pages go; what can be in a shared table all stays
 * @nr:        how many tables wait
 * @max:       how many can
 * @wait:      the tables
 * @few:       where they wait if there is no memory
 */
struct pt_drop {
	unsigned long floor;
	unsigned long ceiling;
	bool exclusive;
	bool dead;
	bool part;
	unsigned int nr;
	unsigned int max;
	struct pt_dropped *wait;
	struct pt_dropped few[PT_DROP_FEW];
};

/**
 * struct pt_sharing - how fork shares tables, see pt_pair_share()
 * @may: up to which address, @end or above it, may all tables from @start on
 *       be shared? 0 if not even one that covers @start to @end (exclusive)
 * @arg: handed to it
 * @top: highest level of an entry whose table may become shared
 * @none: nothing may be shared but what was for an area before
 * @until: what @may has said
 * @sum: what is shared but not yet accounted for
 * @not: per level, up to which address a table there was found not shareable
 */
struct pt_sharing {
	unsigned long (*may)(void *arg, unsigned long start, unsigned long end);
	void *arg;
	unsigned int top;
	bool none;
	unsigned long until;
	struct pt_sum sum;
	unsigned long not[PT_MAX_LEVELS + 1];
};

/* How often a table was shared, copied or taken back since boot. */
struct pt_share_stats {
	atomic_long_t shared;
	atomic_long_t copied;
	atomic_long_t taken_back;
};

/* cursor.c: reading. */
void pt_open(struct pt_cursor *c, struct mm_struct *mm,
	     unsigned long start, unsigned long end);
bool pt_next(struct pt_cursor *c);
bool pt_peek_next(struct pt_cursor *c);
bool pt_peek_same(const struct pt_cursor *c);
void pt_release(struct pt_cursor *c);
int pt_visit(struct mm_struct *mm, pte_t *top, unsigned long start,
	     unsigned long end, const struct pt_visitor *v, void *arg);
bool pt_visit_open(struct pt_cursor *c, struct mm_struct *mm, pte_t *slot,
		   unsigned long addr, bool lock);

/* cursor.c: editing. */
int __must_check pt_edit_open(struct pt_edit *e, struct mm_struct *mm,
			      unsigned long start, unsigned long end);
bool pt_edit_next(struct pt_edit *e);
int __must_check pt_edit_fill(struct pt_edit *e);
int __must_check pt_edit_at(struct pt_edit *e, struct mm_struct *mm,
			    unsigned long addr);
bool pt_edit_again(struct pt_edit *e);
void pt_reverse_open(struct pt_edit *e, struct mm_struct *mm,
		     unsigned long start, unsigned long end);
bool pt_zap_next(struct pt_edit *e, struct pt_drop *d);
int __must_check pt_make_private(struct mm_struct *mm, unsigned long start,
				 unsigned long end);
int __must_check pt_keep_outside(struct mm_struct *mm, unsigned long start,
				 unsigned long end, unsigned long floor,
				 unsigned long ceiling);
bool pt_untouched(struct mm_struct *mm, unsigned long start, unsigned long end,
		  unsigned long floor, unsigned long ceiling);
bool pt_shared_at(struct mm_struct *mm, unsigned long addr);
bool pt_ends_shared(struct mm_struct *mm, unsigned long start,
		    unsigned long end);
void pt_edit_release(struct pt_edit *e);
pte_t *pt_slot_fill(struct mm_struct *mm, unsigned long addr);

/* pair.c */
int __must_check pt_pair_share(struct pt_edit *src, struct pt_edit *dst,
			       struct pt_sharing *how);
int __must_check pt_pair_next(struct pt_edit *src, struct pt_edit *dst);
bool pt_pair_skip(struct pt_edit *src, struct pt_edit *dst);
void pt_pair_release(struct pt_edit *src, struct pt_edit *dst);
int __must_check pt_move_reserve(struct pt_edit *src, struct pt_edit *dst);
bool pt_move_table(struct pt_edit *src, struct pt_edit *dst,
		   struct vm_area_struct *vma);

/* table.c */
struct ptdesc *pt_table_alloc(struct mm_struct *mm, unsigned int level,
			      unsigned long addr);
void pt_table_free(struct mm_struct *mm, unsigned int level,
		   struct ptdesc *table);
void pt_table_gather(struct mmu_gather *tlb, unsigned int level,
		     struct ptdesc *table, unsigned long addr);
spinlock_t *pt_slot_lock(struct mm_struct *mm, pte_t *slot, unsigned int level);
int pt_install(struct mm_struct *mm, pte_t *slot, unsigned int level,
	       unsigned long addr);
void pt_report_bad(struct mm_struct *mm, unsigned long addr,
		   unsigned int level, pte_t e);
void pt_count_external(pte_t *slot, int kind, int nr);
void pt_free_range(struct mmu_gather *tlb, unsigned long start,
		   unsigned long end, unsigned long floor,
		   unsigned long ceiling);

/* share.c */
extern bool pt_share_on;
extern unsigned int pt_share_min;
extern struct pt_share_stats pt_share_stats;
bool pt_share_worth(pte_t e, unsigned int level, unsigned long addr,
		    unsigned long end);
unsigned int pt_share_run(pte_t *slot, pte_t *to, unsigned int level,
			  unsigned long addr, unsigned long end,
			  struct pt_sum *sum);
void pt_sum_account(struct mm_struct *mm, struct pt_sum sum, int sign);
int __must_check pt_unshare(struct mm_struct *mm, pte_t *slot,
			    unsigned int level, unsigned long addr);
unsigned long pt_drop(struct pt_drop *d, struct mm_struct *mm, pte_t *slot,
		      unsigned int level, unsigned long addr,
		      unsigned long end);
bool pt_drop_done(struct pt_drop *d, struct mm_struct *mm,
		  unsigned long *addr);
void pt_drop_end(struct pt_drop *d);

/* zap.c */
void zap_area(struct mmu_gather *tlb, struct vm_area_struct *vma,
	      unsigned long start, unsigned long end, unsigned long floor,
	      unsigned long ceiling);
void zap_behind(struct mmu_gather *tlb, struct vm_area_struct *vma,
		unsigned long end);

/* Index in a table of @level of the entry that covers @addr. */
static __always_inline unsigned int pt_index(unsigned int level,
					     unsigned long addr)
{
	return (addr >> pt_shift(level)) & (pt_entries(level) - 1);
}

/* First address that the entry of @level for @addr no longer covers, or @end. */
static __always_inline unsigned long pt_slot_end(unsigned int level,
						 unsigned long addr,
						 unsigned long end)
{
	unsigned long next = (addr | ((1UL << pt_shift(level)) - 1)) + 1;

	/* Compared one lower, so that an end of 0 stands for the very top. */
	return next - 1 < end - 1 ? next : end;
}

/* First address behind the table of @level that covers @addr, or @end. */
static __always_inline unsigned long pt_table_end(unsigned int level,
						  unsigned long addr,
						  unsigned long end)
{
	return level < pt_levels() ? pt_slot_end(level + 1, addr, end) : end;
}

/* How many bytes a last-level table covers. */
static __always_inline unsigned long pt_table_span(void)
{
	return 1UL << pt_shift(2);
}

/* Does a table that covers @addr at @level lie between two bounds? */
static __always_inline bool pt_inside(unsigned int level, unsigned long addr,
				      unsigned long floor,
				      unsigned long ceiling)
{
	unsigned long mask = (1UL << pt_shift(level)) - 1;

	/* A ceiling of 0 is the very top: compare one lower. */
	return (addr & ~mask) >= floor && (addr | mask) <= ceiling - 1;
}

/* Does one last-level table cover all of a range? */
static __always_inline bool pt_one_table(unsigned long start, unsigned long end)
{
	return !((start ^ (end - 1)) >> pt_shift(2));
}

/*
 * May the table that an entry points at be shared? That is what the entry's
 * permission says: while there is another reference, all entries that point
 * at the table forbid writes. An entry that does may also be a leftover.
 */
static __always_inline bool pt_entry_shared(pte_t e)
{
	return pt_entry_table(e) && !pt_entry_writable(e);
}

/*
 * Read an entry above the last level that another thread may be about to point
 * elsewhere: until it does, which is a flush away, wait. With interrupts on:
 * the flush may need one of this CPU.
 */
static __always_inline pte_t pt_entry_read(pte_t *slot)
{
	pte_t e = ptep_get_lockless(slot);

	while (unlikely(pt_entry_broken(e))) {
		cpu_relax();
		e = ptep_get_lockless(slot);
	}
	return e;
}

/* The table that a table entry points at. */
static __always_inline struct ptdesc *pt_entry_child(pte_t e)
{
	return page_ptdesc(pfn_to_page(pt_entry_pfn(e)));
}

/* The entries of the table, not of the last level, that an entry points at. */
static __always_inline pte_t *pt_entry_entries(pte_t e)
{
	return __va((phys_addr_t)pt_entry_pfn(e) << PAGE_SHIFT);
}

/* Tables above the third level are not in VmPTE. */
#define PT_ACCOUNTED_LEVELS	3

/* What hangs below the entry @e of a table of @level, shared or below one. */
static inline struct pt_sum pt_sum_below(pte_t e, unsigned int level)
{
	struct ptdesc *table = pt_entry_child(e);
	struct pt_sum sum = { .tables = 1 };

	if (level > 2)
		return *pt_sum_of(table);
	sum.pages = pt_counted(table, MM_ANONPAGES);
	return sum;
}

static __always_inline void pt_sum_add(struct pt_sum *sum, struct pt_sum more)
{
	sum->pages += more.pages;
	sum->tables += more.tables;
}

/**
 * pt_table_map - make the entries of a table addressable
 * @table: a table of any level
 *
 * Last-level tables may be in high memory: what was mapped is unmapped in
 * the reverse order, and by the same task.
 *
 * Return: its first entry, until pt_table_unmap().
 */
static __always_inline pte_t *pt_table_map(struct ptdesc *table)
{
#ifdef CONFIG_HIGHPTE
	return kmap_local_page(ptdesc_page(table));
#else
	return ptdesc_to_virt(table);
#endif
}

/**
 * pt_table_unmap - done with the entries of a table
 * @entry: any of them
 */
static __always_inline void pt_table_unmap(const pte_t *entry)
{
#ifdef CONFIG_HIGHPTE
	kunmap_local(entry);
#endif
}

/**
 * pt_table_lock - the lock of a last-level table's entries
 * @mm: the address space through which the table was reached
 * @table: the table
 */
static __always_inline spinlock_t *pt_table_lock(struct mm_struct *mm,
						 struct ptdesc *table)
{
#ifdef CONFIG_SPLIT_PTE_PTLOCKS
	/* The kernel's own tables are made without a lock of their own. */
	if (likely(mm != &init_mm))
		return ptlock_ptr(table);
#endif
	return &mm->page_table_lock;
}

/**
 * pt_table_refs - how many entries point at a table
 * @table: descriptor of any table but a top-level one
 */
static inline atomic_t *pt_table_refs(struct ptdesc *table)
{
	return &table->pt_frag_refcount;
}

/*
 * Checks that a build with CONFIG_PAGODA_DEBUG makes: that cursors are used as
 * they were opened, and that tables map what their counts say.
 */
#ifdef CONFIG_PAGODA_DEBUG
void pt_misuse(const char *what);
void pt_check_counts(struct ptdesc *table);
void pt_seal(struct ptdesc *table, unsigned int level);
void pt_check_seal(struct ptdesc *table, unsigned int level);

static inline void pt_check(bool ok, const char *what)
{
	if (unlikely(!ok))
		pt_misuse(what);
}
#else
static __always_inline void pt_check(bool ok, const char *what)
{
}

static inline void pt_check_counts(struct ptdesc *table)
{
}

static inline void pt_seal(struct ptdesc *table, unsigned int level)
{
}

static inline void pt_check_seal(struct ptdesc *table, unsigned int level)
{
}
#endif

/* Is the window open, the entry in it, and the table locked? */
static __always_inline void pt_check_edit(const struct pt_edit *e)
{
	pt_check(e->c.pte, "edit without an open window");
	pt_check(!e->c.pte || e->c.addr < e->c.stop, "edit behind the window");
	pt_check(!e->c.shared, "edit of a shared table");
#ifdef CONFIG_LOCKDEP
	pt_check(!e->c.pte ||
		 lockdep_is_held(pt_table_lock(e->c.mm, e->c.table)),
		 "edit of a table that is not locked");
#endif
}

/**
 * pt_get - read the entry under a cursor
 * @c: a cursor with an open window
 *
 * Stable but for the accessed and dirty bits; in a peek it may change.
 */
static __always_inline pte_t pt_get(const struct pt_cursor *c)
{
	return ptep_get(c->pte);
}

/**
 * pt_peek_end - close the window of a peek
 * @c: a cursor after pt_open() or pt_peek_next()
 */
static __always_inline void pt_peek_end(struct pt_cursor *c)
{
	if (IS_ENABLED(CONFIG_HIGHPTE) && c->pte)
		pt_table_unmap(c->pte);
	c->pte = NULL;
}

/**
 * pt_step - go on by one page
 * @c: a cursor with an open window
 *
 * Return: false when that was the window's last page; @c->addr then is the
 * first address behind the window, which is still open: pt_next() goes on.
 */
static __always_inline bool pt_step(struct pt_cursor *c)
{
	c->addr += PAGE_SIZE;
	if (c->addr >= c->stop)
		return false;
	c->pte++;
	return true;
}

/* pt_step() by @nr pages, none of them behind the window's end. */
static __always_inline bool pt_step_by(struct pt_cursor *c, unsigned int nr)
{
	c->addr += (unsigned long)nr << PAGE_SHIFT;
	if (c->addr >= c->stop)
		return false;
	c->pte += nr;
	return true;
}

/* pt_step() for both of a pair, whose windows have the same length. */
static __always_inline bool pt_pair_step(struct pt_edit *src,
					 struct pt_edit *dst)
{
	pt_step(&dst->c);
	return pt_step(&src->c);
}

/**
 * pt_stretch - let an open window reach further
 * @c: a cursor whose range was shorter than its table
 * @nr: how many entries the window is to have from the cursor on; the table
 *      has them, and they belong to the same area
 */
static __always_inline void pt_stretch(struct pt_cursor *c, unsigned int nr)
{
	c->end = c->addr + ((unsigned long)nr << PAGE_SHIFT);
	c->stop = c->end;
}

/**
 * pt_run_none - how many entries from a cursor on are empty
 * @c: a cursor with an open window, standing at an empty entry
 *
 * Return: at least 1, at most what is left of the window.
 */
static __always_inline unsigned int pt_run_none(const struct pt_cursor *c)
{
	unsigned int nr = 1, left = (c->stop - c->addr) >> PAGE_SHIFT;

	while (nr < left && pte_none(ptep_get(c->pte + nr)))
		nr++;
	return nr;
}

/**
 * pt_count - tell the counters that entries of a kind came or went
 * @e: the cursor
 * @kind: MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES or PT_UNCOUNTED
 * @nr: how many; negative if they went
 *
 * RSS and the table's own counts follow when the window is released.
 */
static __always_inline void pt_count(struct pt_edit *e, int kind, int nr)
{
	if (kind >= 0)
		e->c.delta[kind] += nr;
}

/**
 * pt_set - fill the empty entry under the cursor
 * @e: the cursor
 * @pte: what to put there
 * @kind: what it maps, see pt_count()
 */
static __always_inline void pt_set(struct pt_edit *e, pte_t pte, int kind)
{
	pt_check_edit(e);
	pt_check(!e->c.pte || pte_none(ptep_get(e->c.pte)),
		 "entry set that is not empty");
	set_pte_at(e->c.mm, e->c.addr, e->c.pte, pte);
	pt_count(e, kind, 1);
}

/**
 * pt_replace - change the present entry under the cursor in place
 * @e: the cursor
 * @pte: what to put there; it maps what the old entry mapped
 *
 * For changes in which hardware's own setting of the accessed and dirty bits
 * cannot be lost, because the old entry was taken out or not writable.
 */
static __always_inline void pt_replace(struct pt_edit *e, pte_t pte)
{
	pt_check_edit(e);
	set_pte_at(e->c.mm, e->c.addr, e->c.pte, pte);
}

/**
 * pt_clear - empty the entry under the cursor
 * @e: the cursor
 * @kind: what it mapped, see pt_count()
 * @full: the whole address space goes (no other CPU uses it)
 *
 * Return: the old entry, with accessed and dirty as hardware left them.
 */
static __always_inline pte_t pt_clear(struct pt_edit *e, int kind, bool full)
{
	pt_check_edit(e);
	pt_count(e, kind, -1);
	return ptep_get_and_clear_full(e->c.mm, e->c.addr, e->c.pte, full);
}

#endif /* MM_PAGODA_TREE_H */
