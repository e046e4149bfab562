// SPDX-License-Identifier: GPL-2.0
/*
 * walk_page_range() and its kin: the page-table walk that the rest of the
 * kernel uses (/proc/PID/smaps, pagemap, dumps of kernel tables).
 *
 * Its users' callbacks are written for five levels, pgd_t to pte_t, of which
 * some may not exist. pt_visit() shows the levels that exist, by number; this
 * file gives them the old names. Level 1 is pte, 2 pmd, 3 pud, 4 p4d, and the
 * top one, whatever its number, is at once pgd and all that is folded into it.
 * This and the arguments of callbacks are the only reason for the old names
 * here.
 *
 * Guarantees: callbacks see addresses in order, each once, unless one asks for
 * an entry again (ACTION_AGAIN); what is positive or negative of a callback's
 * return ends the walk and is returned.
 *
 * Locks: ops->walk_lock says how mmap_lock and the area's lock are held or to
 * be taken. pte_entry() of an area runs with the table locked, all else runs
 * without a table's lock. Areas of a walk may not change while it runs.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include "../internal.h"
#include "tree.h"

/* Levels by the names of the callbacks. */
enum { AS_PTE = 1, AS_PMD, AS_PUD, AS_P4D, AS_PGD };

/**
 * struct walker - a walk under way
 * @walk: what callbacks see
 * @floor: the lowest level that has a callback
 * @reverse: there is no mmap_lock, see visit_shared()
 * @ret: why the walk was ended: a callback's return, not 0
 */
struct walker {
	struct mm_walk walk;
	unsigned int floor;
	bool reverse;
	int ret;
};

static unsigned int lowest_level(const struct mm_walk_ops *ops)
{
	if (ops->pte_entry)
		return AS_PTE;
	if (ops->pmd_entry)
		return AS_PMD;
	if (ops->pud_entry)
		return AS_PUD;
	return ops->p4d_entry ? AS_P4D : AS_PGD;
}

static int call_entry(struct mm_walk *walk, unsigned int name, pte_t *slot,
		      unsigned long addr, unsigned long next)
{
	const struct mm_walk_ops *ops = walk->ops;

	switch (name) {
	case AS_PGD:
		return ops->pgd_entry ?
		       ops->pgd_entry((pgd_t *)slot, addr, next, walk) : 0;
	case AS_P4D:
		return ops->p4d_entry ?
		       ops->p4d_entry((p4d_t *)slot, addr, next, walk) : 0;
	case AS_PUD:
		return ops->pud_entry ?
		       ops->pud_entry((pud_t *)slot, addr, next, walk) : 0;
	default:
		return ops->pmd_entry ?
		       ops->pmd_entry((pmd_t *)slot, addr, next, walk) : 0;
	}
}

/* What pt_visit() is told to do after a callback. */
static int visit_result(struct walker *w, int ret)
{
	if (!ret)
		return 0;
	w->ret = ret;
	return -EINTR;
}

/*
 * Callbacks see entries as if nobody shared them: they judge by the mapcounts
 * of pages, and some change entries. So tables become private first. A walk
 * from a file passes shared ones over: nothing of a file is in them.
 */
static int visit_shared(struct walker *w, pte_t *slot, unsigned int level,
			unsigned long addr)
{
	if (w->reverse)
		return 0;
	if (!pt_unshare(w->walk.mm, slot, level, addr))
		return 2;
	return visit_result(w, -ENOMEM);
}

static int visit_entry(void *arg, pte_t *slot, unsigned int level,
		       unsigned long addr, unsigned long next)
{
	unsigned int name = level == pt_levels() ? AS_PGD : level;
	struct walker *w = arg;
	int ret;

	if (unlikely(pt_entry_shared(ptep_get_lockless(slot))) &&
	    !w->walk.no_vma)
		return visit_shared(w, slot, level, addr);

	for (; name >= level; name--) {
		w->walk.action = ACTION_SUBTREE;
		ret = call_entry(&w->walk, name, slot, addr, next);
		if (ret)
			return visit_result(w, ret);
		if (w->walk.action == ACTION_AGAIN)
			return 2;
		if (w->walk.action == ACTION_CONTINUE)
			return 0;
	}
	return level > w->floor;
}

static int visit_hole(void *arg, pte_t *slot, unsigned int level,
		      unsigned long addr, unsigned long next)
{
	/* Users count from the top, which is 0 even if others are folded. */
	int depth = level == pt_levels() ? 0 : AS_PGD - level;
	struct walker *w = arg;

	if (!w->walk.ops->pte_hole)
		return 0;
	return visit_result(w, w->walk.ops->pte_hole(addr, next, depth,
						     &w->walk));
}

/* A last-level table; only if there is a pte_entry(). */
static int visit_table(void *arg, pte_t *slot, unsigned long addr,
		       unsigned long next)
{
	struct walker *w = arg;
	struct mm_walk *walk = &w->walk;
	/* Kernel tables stay, and those who dump them may sleep. */
	bool kernel = walk->mm == &init_mm || addr >= TASK_SIZE;
	bool rcu = walk->no_vma && !kernel;
	struct pt_cursor c;
	pte_t *pte;
	int ret = 2;

	if (rcu)
		rcu_read_lock();
	if (!pt_visit_open(&c, walk->mm, slot, addr, !walk->no_vma))
		goto out;
	/* The last address of all may be where the range ends. */
	for (pte = c.pte; ; pte++, addr += PAGE_SIZE) {
		ret = walk->ops->pte_entry(pte, addr, addr + PAGE_SIZE, walk);
		if (ret || next - addr <= PAGE_SIZE)
			break;
	}
	pt_release(&c);
	ret = visit_result(w, ret);
out:
	if (rcu)
		rcu_read_unlock();
	return ret;
}

static const struct pt_visitor walk_visitor = {
	.entry = visit_entry,
	.hole = visit_hole,
	.table = visit_table,
};

static void walker_init(struct walker *w, struct mm_struct *mm,
			const struct mm_walk_ops *ops, void *private)
{
	*w = (struct walker) {
		.walk = { .ops = ops, .mm = mm, .private = private },
		.floor = lowest_level(ops),
	};
}

static int walk_tables(struct walker *w, unsigned long start,
		       unsigned long end)
{
	if (pt_visit(w->walk.mm, (pte_t *)w->walk.pgd, start, end,
		     &walk_visitor, w))
		return w->ret;
	return 0;
}

/* The part from @start to @end of w->walk.vma. */
static int walk_area(struct walker *w, unsigned long start, unsigned long end)
{
	const struct mm_walk_ops *ops = w->walk.ops;
	int ret = 0;

	if (ops->pre_vma)
		ret = ops->pre_vma(start, end, &w->walk);
	if (ret)
		return ret;
	ret = walk_tables(w, start, end);
	if (ops->post_vma)
		ops->post_vma(&w->walk);
	return ret;
}

/*
 * Is the area to be walked: 0; to be skipped: positive; or is it an error? Of
 * an area of raw frames (VM_PFNMAP) users want to know only that there is
 * nothing for them, if at all.
 */
static int want_area(struct walker *w, unsigned long start, unsigned long end)
{
	const struct mm_walk_ops *ops = w->walk.ops;
	int ret;

	if (ops->test_walk)
		return ops->test_walk(start, end, &w->walk);
	if (!(w->walk.vma->vm_flags & VM_PFNMAP))
		return 0;
	ret = ops->pte_hole ? ops->pte_hole(start, end, -1, &w->walk) : 0;
	return ret ?: 1;
}

static void lock_mm(struct mm_struct *mm, enum page_walk_lock how)
{
	if (how == PGWALK_RDLOCK)
		mmap_assert_locked(mm);
	else
		mmap_assert_write_locked(mm);
}

static void lock_area(struct vm_area_struct *vma, enum page_walk_lock how)
{
	if (how == PGWALK_WRLOCK)
		vma_start_write(vma);
	else if (how == PGWALK_WRLOCK_VERIFY)
		vma_assert_write_locked(vma);
}

/**
 * walk_page_range - walk the page tables of a range of an address space
 * @mm: the address space
 * @start: first address
 * @end: where the range ends (exclusive)
 * @ops: what to call, see struct mm_walk_ops
 * @private: for the callbacks
 *
 * Where there is no area, pte_hole() is called with depth -1 and walk->vma
 * NULL. For each area test_walk(), pre_vma() and post_vma() come around its
 * entries.
 *
 * Return: 0; -EINVAL for an empty range or no @mm; or what a callback
 * returned to end the walk.
 */
int walk_page_range(struct mm_struct *mm, unsigned long start,
		    unsigned long end, const struct mm_walk_ops *ops,
		    void *private)
{
	struct vm_area_struct *vma;
	unsigned long next;
	struct walker w;
	int ret = 0;

	if (!mm || start >= end)
		return -EINVAL;
	lock_mm(mm, ops->walk_lock);
	walker_init(&w, mm, ops, private);

	for (; start < end && !ret; start = next) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start > start) {
			next = vma ? min(vma->vm_start, end) : end;
			w.walk.vma = NULL;
			if (ops->pte_hole)
				ret = ops->pte_hole(start, next, -1, &w.walk);
			continue;
		}
		lock_area(vma, ops->walk_lock);
		next = min(vma->vm_end, end);
		w.walk.vma = vma;
		ret = want_area(&w, start, next);
		if (!ret)
			ret = walk_area(&w, start, next);
		else if (ret > 0)
			ret = 0;
	}
	return ret;
}

/**
 * walk_page_range_vma - walk the page tables of part of an area
 * @vma: the area
 * @start: first address, in @vma
 * @end: where the range ends (exclusive), in @vma
 * @ops: what to call; test_walk() is not
 * @private: for the callbacks
 *
 * Return: as walk_page_range(), and -EINVAL for a range not inside @vma.
 */
int walk_page_range_vma(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, const struct mm_walk_ops *ops,
			void *private)
{
	struct walker w;

	if (start >= end || !vma->vm_mm || !range_in_vma(vma, start, end))
		return -EINVAL;
	lock_mm(vma->vm_mm, ops->walk_lock);
	lock_area(vma, ops->walk_lock);
	walker_init(&w, vma->vm_mm, ops, private);
	w.walk.vma = vma;
	return walk_area(&w, start, end);
}

/**
 * walk_page_vma - walk the page tables of an area
 * @vma: the area
 * @ops: what to call; test_walk() is not
 * @private: for the callbacks
 *
 * Return: as walk_page_range().
 */
int walk_page_vma(struct vm_area_struct *vma, const struct mm_walk_ops *ops,
		  void *private)
{
	return walk_page_range_vma(vma, vma->vm_start, vma->vm_end, ops,
				   private);
}

/**
 * walk_page_mapping - walk the page tables of all areas that map part of a file
 * @mapping: the file's pages
 * @first_index: offset of the part, in pages
 * @nr: length of the part, in pages
 * @ops: what to call
 * @private: for the callbacks
 *
 * Locks: mapping->i_mmap_rwsem; no mmap_lock need be held, so callbacks may
 * not rely on anything of an area that changes under that lock.
 *
 * Return: 0, or what a callback returned to end the walk.
 */
int walk_page_mapping(struct address_space *mapping, pgoff_t first_index,
		      pgoff_t nr, const struct mm_walk_ops *ops, void *private)
{
	pgoff_t last_index = first_index + nr - 1;
	struct vm_area_struct *vma;
	struct walker w;
	int ret;

	lockdep_assert_held(&mapping->i_mmap_rwsem);
	walker_init(&w, NULL, ops, private);
	w.reverse = true;
	vma_interval_tree_foreach(vma, &mapping->i_mmap, first_index,
				  last_index) {
		unsigned long start = vma->vm_start, end = vma->vm_end;

		w.walk.vma = vma;
		w.walk.mm = vma->vm_mm;
		ret = want_area(&w, start, end);
		if (ret > 0)
			continue;

		/* Clip what lies before and behind the part. */
		if (first_index > vma->vm_pgoff)
			start += (first_index - vma->vm_pgoff) << PAGE_SHIFT;
		if (last_index - vma->vm_pgoff < vma_pages(vma) - 1)
			end = vma->vm_start + ((last_index + 1 - vma->vm_pgoff)
					       << PAGE_SHIFT);
		if (!ret)
			ret = walk_area(&w, start, end);
		if (ret)
			return ret;
	}
	return 0;
}

/* Tables without areas; entries are not locked. */
static int walk_bare(struct mm_struct *mm, unsigned long start,
		     unsigned long end, const struct mm_walk_ops *ops,
		     pgd_t *pgd, void *private)
{
	struct walker w;

	if (start >= end)
		return -EINVAL;
	walker_init(&w, mm, ops, private);
	w.walk.no_vma = true;
	w.walk.pgd = pgd;
	return walk_tables(&w, start, end);
}

/**
 * walk_kernel_page_table_range - walk the kernel's own page tables
 * @start: first address
 * @end: where the range ends (exclusive)
 * @ops: what to call; pte_entry() without a lock
 * @pgd: the top-level table, or NULL for init_mm's
 * @private: for the callbacks
 *
 * Locks: init_mm's mmap_lock. Where kernel tables can be freed (memory
 * hot-remove, huge vmalloc mappings) the caller must keep that away.
 *
 * Return: as walk_page_range().
 */
int walk_kernel_page_table_range(unsigned long start, unsigned long end,
				 const struct mm_walk_ops *ops, pgd_t *pgd,
				 void *private)
{
	mmap_assert_locked(&init_mm);
	return walk_bare(&init_mm, start, end, ops, pgd, private);
}

/**
 * walk_page_range_debug - walk any page tables, for debugging only
 * @mm: the address space
 * @start: first address
 * @end: where the range ends (exclusive)
 * @ops: what to call; pte_entry() without a lock
 * @pgd: the top-level table, or NULL for @mm's
 * @private: for the callbacks
 *
 * Locks: mmap_lock of @mm and of init_mm for writing, so that no table, the
 * user's or the kernel's, is freed.
 *
 * Return: as walk_page_range().
 */
int walk_page_range_debug(struct mm_struct *mm, unsigned long start,
			  unsigned long end, const struct mm_walk_ops *ops,
			  pgd_t *pgd, void *private)
{
	mmap_assert_write_locked(&init_mm);
	mmap_assert_write_locked(mm);
	return walk_bare(mm, start, end, ops, pgd, private);
}
