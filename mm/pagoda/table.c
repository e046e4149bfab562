// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables: making, hooking in, counting and freeing them.
 *
 * A table belongs to the entries that point at it, and they are counted: one
 * for each address space that uses it. It is freed through the TLB gather
 * after the last of them is gone and every CPU that could walk it has flushed.
 *
 * Locks: entries of a last-level table change under the table's own lock
 * (pt_table_lock()); entries of a table above, under pt_slot_lock(), which
 * protects only hooking in and out; nothing sleeps with it.
 *
 * The end of the file has the functions that the rest of Linux calls by level
 * name; a level name stands nowhere else.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>
#include "tree.h"
#include "../internal.h"

/**
 * pt_slot_lock - the lock for hooking a table in or out
 * @mm: the address space
 * @slot: the entry that points, or will point, at the table
 * @level: the level of the table that @slot is in (2 or above)
 */
spinlock_t *pt_slot_lock(struct mm_struct *mm, pte_t *slot, unsigned int level)
{
	/* Some of the kernel's tables are static, and have no lock at all. */
	if (level == 2 && mm != &init_mm)
		return pmd_lockptr(mm, (pmd_t *)slot);
	return &mm->page_table_lock;
}

/* One table of @level more (@nr > 0) or less is in use by @mm. */
static void pt_table_account(struct mm_struct *mm, unsigned int level, int nr)
{
	if (level == 1)
		nr > 0 ? mm_inc_nr_ptes(mm) : mm_dec_nr_ptes(mm);
	else if (level == 2)
		nr > 0 ? mm_inc_nr_pmds(mm) : mm_dec_nr_pmds(mm);
	else if (level == 3)
		nr > 0 ? mm_inc_nr_puds(mm) : mm_dec_nr_puds(mm);
}

/**
 * pt_table_init - make a new table ready to be pointed at by one entry
 * @table: it maps nothing
 */
void pt_table_init(struct ptdesc *table)
{
	memset(pt_counts(table), 0, sizeof(struct pt_counts));
	atomic_set(pt_table_refs(table), 1);
}

/**
 * pt_table_alloc - allocate an empty table
 * @mm: the address space it is for
 * @level: 1 (last level) up to pt_levels() - 1
 * @addr: an address it will cover
 *
 * Return: its descriptor, or NULL. May sleep.
 */
struct ptdesc *pt_table_alloc(struct mm_struct *mm, unsigned int level,
			      unsigned long addr)
{
	void *entries = NULL;

	if (level == 1 && mm != &init_mm) {
		pgtable_t page = pte_alloc_one(mm);

		return page ? page_ptdesc(page) : NULL;
	}
	if (level == 1)
		entries = pte_alloc_one_kernel(mm);
	else if (level == 2)
		entries = pmd_alloc_one(mm, addr);
	else if (level == 3)
		entries = pud_alloc_one(mm, addr);
	else if (level == 4)
		entries = p4d_alloc_one(mm, addr);
	return entries ? virt_to_ptdesc(entries) : NULL;
}

/**
 * pt_table_free - free a table that no entry ever pointed at
 * @mm: the address space it was allocated for
 * @level: its level
 * @table: its descriptor
 */
void pt_table_free(struct mm_struct *mm, unsigned int level,
		   struct ptdesc *table)
{
	void *entries = ptdesc_to_virt(table);

	if (level == 1 && mm != &init_mm)
		pte_free(mm, ptdesc_page(table));
	else if (level == 1)
		pte_free_kernel(mm, entries);
	else if (level == 2)
		pmd_free(mm, entries);
	else if (level == 3)
		pud_free(mm, entries);
	else
		p4d_free(mm, entries);
}

/**
 * pt_table_gather - hand a table that was hooked out to the TLB gather
 * @tlb: frees it after the flush
 * @level: its level
 * @table: its descriptor
 * @addr: an address it covered, so that cached entries of it are flushed
 */
void pt_table_gather(struct mmu_gather *tlb, unsigned int level,
		     struct ptdesc *table, unsigned long addr)
{
	/* Freed while another entry points at it: leak it rather than reuse. */
	if (WARN_ON_ONCE(!atomic_dec_and_test(pt_table_refs(table))))
		return;
	if (level == 1)
		pt_check_counts(table);
	pt_table_account(tlb->mm, level, -1);
	tlb->freed_tables = 1;
	if (pt_gather_flushes_all(level))
		tlb->need_flush_all = 1;
	switch (level) {
	case 1:
		tlb_flush_pmd_range(tlb, addr, PAGE_SIZE);
		/* Its destructor frees the lock: with the table, not before. */
		table->__page_mapping = 1;
		break;
	case 2:
		tlb_flush_pud_range(tlb, addr, PAGE_SIZE);
		pagetable_pmd_dtor(table);
		break;
	case 3:
		tlb_flush_p4d_range(tlb, addr, PAGE_SIZE);
		pagetable_pud_dtor(table);
		break;
	default:
		__tlb_adjust_range(tlb, addr, PAGE_SIZE);
	}
	tlb_remove_table(tlb, ptdesc_page(table));
}

/* Hook @table in below @slot unless another was quicker. */
static bool pt_hook(struct mm_struct *mm, pte_t *slot, unsigned int level,
		    struct ptdesc *table)
{
	spinlock_t *lock = pt_slot_lock(mm, slot, level);
	bool won;

	spin_lock(lock);
	won = pt_entry_none(ptep_get(slot));
	if (likely(won)) {
		/* As it is freed, the kernel's last level is not accounted. */
		if (level > 2 || mm != &init_mm)
			pt_table_account(mm, level - 1, 1);
		pt_table_init(table);
		pt_entry_publish(mm, slot, level, table);
	}
	spin_unlock(lock);
	return won;
}

/**
 * pt_install - see to it that an entry points at a table
 * @mm: the address space
 * @slot: an entry of a table of @level
 * @level: 2 or above
 * @addr: an address that @slot covers
 *
 * Return: 0, also if somebody else hooked one in meanwhile, or -ENOMEM.
 */
int pt_install(struct mm_struct *mm, pte_t *slot, unsigned int level,
	       unsigned long addr)
{
	struct ptdesc *table = pt_table_alloc(mm, level - 1, addr);

	if (!table)
		return -ENOMEM;
	if (!pt_hook(mm, slot, level, table))
		pt_table_free(mm, level - 1, table);
	return 0;
}

/**
 * pt_count_external - count entries that were set outside a cursor
 * @slot: the entry of level 2 that points at their table, which is locked
 * @kind: MM_FILEPAGES, ...
 * @nr: how many
 *
 * For set_pte_range(), which mm/filemap.c calls on a table that it has locked
 * itself; RSS is then the caller's to update.
 */
void pt_count_external(pte_t *slot, int kind, int nr)
{
	if (kind >= 0)
		pt_counts_add(pt_entry_child(ptep_get(slot)), kind, nr);
}

/**
 * pt_report_bad - say that an entry is neither empty nor a table
 * @mm: the address space
 * @addr: an address it covers
 * @level: its level
 * @e: the entry
 */
void pt_report_bad(struct mm_struct *mm, unsigned long addr,
		   unsigned int level, pte_t e)
{
	/* The kernel's part may well map memory with large entries. */
	if (mm == &init_mm)
		return;
	pr_err_ratelimited("pagoda: bad entry %016llx at level %u for %lx\n",
			   (u64)pte_val(e), level, addr);
}

/* A range that is being pruned, with the bounds that are free of areas. */
struct pt_prune {
	struct mmu_gather *tlb;
	struct pt_drop drop;
};

static void pt_prune_table(struct pt_prune *p, pte_t *entries,
			   unsigned int level, unsigned long addr,
			   unsigned long end)
{
	pte_t *slot = entries + pt_index(level, addr);
	unsigned long next;

	for (;; slot++, addr = next) {
		pte_t e = ptep_get(slot);

		next = pt_slot_end(level, addr, end);
		/* None is left whose areas are gone, but taken back is ours. */
		if (unlikely(pt_entry_shared(e)) &&
		    pt_drop(&p->drop, p->tlb->mm, slot, level, addr, end) ==
		    addr)
			e = ptep_get(slot);
		if (pt_entry_private(e)) {
			if (level > 2)
				pt_prune_table(p, pt_entry_entries(e),
					       level - 1, addr, next);
			if (pt_inside(level, addr, p->drop.floor,
				      p->drop.ceiling)) {
				pt_entry_clear(slot, level);
				pt_table_gather(p->tlb, level - 1,
						pt_entry_child(e), addr);
			}
		}
		if (next == end)
			return;
	}
}

/**
 * pt_free_range - free the tables of a range from which all areas are gone
 * @tlb: the gather in which its entries were zapped
 * @start: first address of the range
 * @end: its end (exclusive)
 * @floor: end of the area before it; tables that reach below stay
 * @ceiling: start of the area behind it, 0 for none; tables that reach above
 *           stay
 *
 * Locks: mmap_lock, with the areas gone from the maple tree and from reverse
 * mapping, so that nobody comes upon the tables any more but lockless walkers,
 * which RCU keeps safe.
 */
void pt_free_range(struct mmu_gather *tlb, unsigned long start,
		   unsigned long end, unsigned long floor,
		   unsigned long ceiling)
{
	struct pt_prune p = {
		.tlb = tlb,
		.drop = { .floor = floor, .ceiling = ceiling },
	};

	if (start >= end)
		return;
	/* Most often a table's other pages are somebody's who stays. */
	if (pt_one_table(start, end) && !pt_inside(2, start, floor, ceiling))
		return;
	pt_prune_table(&p, (pte_t *)tlb->mm->pgd, pt_levels(), start, end);
}

/*
 * From here on: what the rest of Linux calls by level name.
 */

/* Hook a last-level table in that the caller allocated; NULL it if used. */
void pmd_install(struct mm_struct *mm, pmd_t *pmd, pgtable_t *pte)
{
	if (pt_hook(mm, (pte_t *)pmd, 2, page_ptdesc(*pte)))
		*pte = NULL;
}

int __pte_alloc(struct mm_struct *mm, pmd_t *pmd)
{
	return pt_install(mm, (pte_t *)pmd, 2, 0);
}

/*
 * The kernel's own last-level tables have no lock and no counts; its other
 * tables are made like those of processes.
 */
int __pte_alloc_kernel(pmd_t *pmd)
{
	return pt_install(&init_mm, (pte_t *)pmd, 2, 0);
}

#ifndef __PAGETABLE_PMD_FOLDED
int __pmd_alloc(struct mm_struct *mm, pud_t *pud, unsigned long addr)
{
	return pt_install(mm, (pte_t *)pud, 3, addr);
}
#endif

#ifndef __PAGETABLE_PUD_FOLDED
int __pud_alloc(struct mm_struct *mm, p4d_t *p4d, unsigned long addr)
{
	return pt_install(mm, (pte_t *)p4d, 4, addr);
}
#endif

#ifndef __PAGETABLE_P4D_FOLDED
int __p4d_alloc(struct mm_struct *mm, pgd_t *pgd, unsigned long addr)
{
	return pt_install(mm, (pte_t *)pgd, 5, addr);
}

void p4d_clear_bad(p4d_t *p4d)
{
	p4d_ERROR(*p4d);
	p4d_clear(p4d);
}
#endif

void pgd_clear_bad(pgd_t *pgd)
{
	pgd_ERROR(*pgd);
	pgd_clear(pgd);
}

#ifndef __PAGETABLE_PUD_FOLDED
void pud_clear_bad(pud_t *pud)
{
	pud_ERROR(*pud);
	pud_clear(pud);
}
#endif

void pmd_clear_bad(pmd_t *pmd)
{
	pmd_ERROR(*pmd);
	pmd_clear(pmd);
}

/* The entry of @addr in the table that @pmd points at; RCU is held if found. */
pte_t *__pte_offset_map(pmd_t *pmd, unsigned long addr, pmd_t *pmdvalp)
{
	pmd_t seen;

	rcu_read_lock();
	seen = pmdp_get_lockless(pmd);
	if (pmdvalp)
		*pmdvalp = seen;
	if (likely(pt_entry_table(*(pte_t *)&seen)))
		return __pte_map(&seen, addr);
	rcu_read_unlock();
	return NULL;
}

/* As pte_offset_map(), naming the lock without taking it. */
pte_t *pte_offset_map_nolock(struct mm_struct *mm, pmd_t *pmd,
			     unsigned long addr, spinlock_t **ptlp)
{
	pmd_t seen;
	pte_t *pte = __pte_offset_map(pmd, addr, &seen);

	if (pte)
		*ptlp = pte_lockptr(mm, &seen);
	return pte;
}

/* As pte_offset_map(), with the lock taken and the table still in place. */
pte_t *__pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd,
			     unsigned long addr, spinlock_t **ptlp)
{
	for (;;) {
		pmd_t seen;
		pte_t *pte = __pte_offset_map(pmd, addr, &seen);

		if (unlikely(!pte))
			return NULL;
		*ptlp = pte_lockptr(mm, &seen);
		spin_lock(*ptlp);
		if (likely(pmd_same(seen, pmdp_get_lockless(pmd))))
			return pte;
		pte_unmap_unlock(pte, *ptlp);
	}
}

/* Map and lock the entry of @addr, allocating every table on the way. */
pte_t *__get_locked_pte(struct mm_struct *mm, unsigned long addr,
			spinlock_t **ptl)
{
	pmd_t *pmd = (pmd_t *)pt_slot_fill(mm, addr);

	if (!pmd || pte_alloc(mm, pmd))
		return NULL;
	return pte_offset_map_lock(mm, pmd, addr, ptl);
}

#ifndef __HAVE_ARCH_PTEP_CLEAR_FLUSH
pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr,
		       pte_t *ptep)
{
	pte_t old = ptep_get_and_clear(vma->vm_mm, addr, ptep);

	if (pte_accessible(vma->vm_mm, old))
		flush_tlb_page(vma, addr);
	return old;
}
#endif
