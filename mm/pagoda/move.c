// SPDX-License-Identifier: GPL-2.0
/*
 * Moving what is mapped from one place of an address space to another: the
 * entries of mremap(), and of the stack that exec puts in its place.
 *
 * Where both places lie alike in their tables, whole tables change hands; else
 * entries move one by one. An entry is in one of the two places whenever a
 * reverse walk can look: either the walk visits the new area after the old
 * one, or it is kept out while the entry moves (rmap_locks).
 *
 * A CPU may still write through the old place after its entry is gone. It must
 * not when the page at the new place is unmapped, or is found clean: so the
 * old place is flushed before the locks of both tables are let go
 * (CVE-2018-18281, CVE-2022-41222).
 *
 * Locks: mmap_lock for writing, and both areas locked against faults.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>
#include <asm/cacheflush.h>
#include <asm/tlbflush.h>
#include "calls.h"

/* Bytes that one last-level table covers. */
#define MOVE_SPAN	(PAGE_SIZE << PT_INDEX_BITS)

/* Keep reverse walks of the area's file and anonymous pages out. */
static void move_lock_rmap(struct vm_area_struct *vma)
{
	if (vma->vm_file)
		i_mmap_lock_write(vma->vm_file->f_mapping);
	if (vma->anon_vma)
		anon_vma_lock_write(vma->anon_vma);
}

static void move_unlock_rmap(struct vm_area_struct *vma)
{
	if (vma->anon_vma)
		anon_vma_unlock_write(vma->anon_vma);
	if (vma->vm_file)
		i_mmap_unlock_write(vma->vm_file->f_mapping);
}

/* Count what a present entry maps by kind, as its table does. */
static void move_count(int *nr, struct vm_area_struct *vma, unsigned long addr,
		       pte_t pte)
{
	struct folio *folio = vm_normal_folio(vma, addr, pte);

	if (folio)
		nr[mm_counter(folio)]++;
}

/*
 * Move all entries of a pair of open windows, and the cursors behind them.
 * Entries are many and moved in a tight loop, counts follow at its end.
 */
static void move_window(struct pt_edit *src, struct pt_edit *dst,
			struct vm_area_struct *vma)
{
	unsigned long from = src->c.addr, to = dst->c.addr;
	unsigned int i, n = (src->c.stop - from) >> PAGE_SHIFT;
	pte_t *old = src->c.pte, *new = dst->c.pte;
	bool anon = vma_is_anonymous(vma), flush = false;
	int nr[NR_MM_COUNTERS] = { }, nr_anon = 0, kind;

	flush_tlb_batched_pending(vma->vm_mm);
	for (i = 0; i < n; i++, from += PAGE_SIZE, to += PAGE_SIZE) {
		pte_t pte = ptep_get(old + i);

		if (pte_none(pte))
			continue;
		pte = ptep_get_and_clear(vma->vm_mm, from, old + i);
		if (likely(pte_present(pte))) {
			flush = true;
			if (anon)
				nr_anon += !pte_special(pte);
			else
				move_count(nr, vma, from, pte);
		}
		pte = move_pte(pte, from, to);
		set_pte_at(vma->vm_mm, to, new + i, pte);
	}
	if (flush)
		flush_tlb_range(vma, src->c.addr, from);

	nr[MM_ANONPAGES] += nr_anon;
	/* Within one table nothing comes or goes. */
	for (kind = 0; kind < NR_MM_COUNTERS && src->c.table != dst->c.table;
	     kind++) {
		pt_count(src, kind, -nr[kind]);
		pt_count(dst, kind, nr[kind]);
	}
	pt_step_by(&src->c, n);
	pt_step_by(&dst->c, n);
}

/* Go to the next address that has a last-level table at the old place. */
static bool move_seek(struct pt_edit *src, struct pt_edit *dst)
{
	struct pt_cursor look;
	bool found;

	if (src->c.addr >= src->c.end)
		return false;
	pt_open(&look, src->c.mm, src->c.addr, src->c.end);
	rcu_read_lock();
	found = pt_peek_next(&look);
	pt_peek_end(&look);
	rcu_read_unlock();
	dst->c.addr += look.addr - src->c.addr;
	src->c.addr = look.addr;
	return found;
}

/*
 * Move one table, or what one pair of windows covers. Return 1 to go on, 0
 * when the old place has nothing more, -ENOMEM without a table at the new one.
 */
static int move_step(struct pt_edit *src, struct pt_edit *dst,
		     struct vm_area_struct *vma, bool rmap_locks)
{
	bool moved;
	int more;

	if (!move_seek(src, dst))
		return 0;
	if (!((src->c.addr | dst->c.addr) & (MOVE_SPAN - 1)) &&
	    src->c.end - src->c.addr >= MOVE_SPAN) {
		/* Reclaim takes rmap locks: allocate before. */
		if (pt_move_reserve(src, dst))
			return -ENOMEM;
		/* A walk may be on its way through the table: always. */
		move_lock_rmap(vma);
		moved = pt_move_table(src, dst, vma);
		move_unlock_rmap(vma);
		if (moved)
			return 1;
	}

	more = pt_pair_next(src, dst);
	if (more > 0 && rmap_locks) {
		/* Both tables exist now: once more, and nothing allocates. */
		pt_pair_release(src, dst);
		move_lock_rmap(vma);
		more = pt_pair_next(src, dst);
	} else {
		rmap_locks = false;
	}
	if (more > 0) {
		move_window(src, dst, vma);
		pt_pair_release(src, dst);
	}
	if (rmap_locks)
		move_unlock_rmap(vma);
	return more;
}

/*
 * Is nothing mapped in the @slack bytes before @addr, where the part of an
 * area to be moved begins? The stack moves within one area, which may cover
 * them.
 */
static bool move_free_below(struct vm_area_struct *vma, unsigned long addr,
			    unsigned long slack, bool for_stack)
{
	if (for_stack && addr - slack >= vma->vm_start)
		return true;
	if (!for_stack && addr != vma->vm_start)
		return false;
	return !find_vma_intersection(vma->vm_mm, addr - slack, vma->vm_start);
}

/*
 * How many bytes earlier could the move begin, so that it begins with a whole
 * table? 0 if the places do not lie alike or other areas use those tables.
 */
static unsigned long move_slack(struct vm_area_struct *vma, unsigned long from,
				struct vm_area_struct *new, unsigned long to,
				unsigned long len, bool for_stack)
{
	unsigned long slack = from & (MOVE_SPAN - 1);

	if (!slack || slack != (to & (MOVE_SPAN - 1)) ||
	    len < MOVE_SPAN - slack ||
	    !move_free_below(vma, from, slack, for_stack) ||
	    !move_free_below(new, to, slack, for_stack))
		return 0;
	return slack;
}

/**
 * move_page_tables - move what is mapped at one place to another
 * @vma: the area of the old place
 * @old_addr: where it begins (page-aligned)
 * @new_vma: the area of the new place, which has no entries
 * @new_addr: where it begins (page-aligned)
 * @len: bytes
 * @need_rmap_locks: reverse walks visit @new_vma before @vma
 * @for_stack: exec moves its stack down in one area, @vma == @new_vma; the
 *             places may overlap
 *
 * Locks: mmap_lock for writing, both areas locked against faults.
 *
 * Return: how many bytes have been dealt with from @old_addr on; fewer than
 * @len only if there was no memory for tables. What has moved then can be
 * moved back without any.
 */
unsigned long move_page_tables(struct vm_area_struct *vma,
			       unsigned long old_addr,
			       struct vm_area_struct *new_vma,
			       unsigned long new_addr, unsigned long len,
			       bool need_rmap_locks, bool for_stack)
{
	unsigned long slack, from, to, end = old_addr + len;
	struct mm_struct *mm = vma->vm_mm;
	struct mmu_notifier_range range;
	struct pt_edit src, dst;
	int more;

	if (!len)
		return 0;
	slack = move_slack(vma, old_addr, new_vma, new_addr, len, for_stack);
	from = old_addr - slack;
	to = new_addr - slack;
	/* Whole tables may stay shared; what is not moved so is unshared then. */
	pt_open(&src.c, mm, from, end);
	if (pt_edit_open(&dst, mm, to, new_addr + len))
		return 0;

	flush_cache_range(vma, from, end);
	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, mm, from, end);
	mmu_notifier_invalidate_range_start(&range);
	do {
		cond_resched();
		more = move_step(&src, &dst, vma, need_rmap_locks);
	} while (more > 0);
	mmu_notifier_invalidate_range_end(&range);

	if (!more)
		return len;
	return max(src.c.addr, old_addr) - old_addr;
}
