/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86 page tables as data: geometry and entry codec for the generic core.
 *
 * A level is a number: entries of a level-1 table map pages, entries of a
 * table at level n point at tables of level n - 1, and mm->pgd is the table
 * at level pt_levels(). Entries have one size at every level, so all of them
 * are handled as pte_t. Intel SDM vol. 3A, section 4 (paging); AMD APM vol. 2,
 * chapter 5.
 */
#ifndef _ASM_X86_PAGODA_H
#define _ASM_X86_PAGODA_H

#include <linux/mm.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#ifdef CONFIG_X86_64
#define PT_MAX_LEVELS	5
#define PT_INDEX_BITS	9
#elif defined(CONFIG_X86_PAE)
#define PT_MAX_LEVELS	3
#define PT_INDEX_BITS	9
#else
#define PT_MAX_LEVELS	2
#define PT_INDEX_BITS	10
#endif

/* Levels of the running kernel's user page tables. */
static __always_inline unsigned int pt_levels(void)
{
	if (IS_ENABLED(CONFIG_X86_64))
		return pgtable_l5_enabled() ? 5 : 4;
	return PT_MAX_LEVELS;
}

/* log2 of the bytes that one entry of a level-@level table covers. */
static __always_inline unsigned int pt_shift(unsigned int level)
{
	return PAGE_SHIFT + (level - 1) * PT_INDEX_BITS;
}

/* Entries in a table of @level. A PAE top-level table has only four. */
static __always_inline unsigned int pt_entries(unsigned int level)
{
	if (IS_ENABLED(CONFIG_X86_PAE) && level == PT_MAX_LEVELS)
		return 4;
	return 1U << PT_INDEX_BITS;
}

/* An entry of level >= 2 as read from memory: nothing below it. */
static __always_inline bool pt_entry_none(pte_t e)
{
	/* Erratum: hardware may set A and D in a non-present entry (KNL4). */
	return !(pte_val(e) & ~_PAGE_KNL_ERRATUM_MASK);
}

/* An entry of level >= 2 that maps memory itself (bit 7, PS). */
static __always_inline bool pt_entry_leaf(pte_t e)
{
	return (pte_val(e) & (_PAGE_PRESENT | _PAGE_PSE)) ==
	       (_PAGE_PRESENT | _PAGE_PSE);
}

/* An entry of level >= 2 that points at a table. */
static __always_inline bool pt_entry_table(pte_t e)
{
	return (pte_val(e) & (_PAGE_PRESENT | _PAGE_PSE)) == _PAGE_PRESENT;
}

/* May user mode go through this table entry (U/S, bit 2)? */
static __always_inline bool pt_entry_user(pte_t e)
{
	return pte_val(e) & _PAGE_USER;
}

/*
 * What makes a table entry allow writes below it: R/W, bit 1. In a PAE root that
 * bit is reserved, so a bit that is software's stands for it.
 */
#ifdef CONFIG_X86_PAE
#define PT_ROOT_WRITABLE	_PAGE_SOFTW1
#else
#define PT_ROOT_WRITABLE	((pteval_t)0)
#endif

/* Does this table entry allow writes below it? */
static __always_inline bool pt_entry_writable(pte_t e)
{
	return pte_val(e) & (_PAGE_RW | PT_ROOT_WRITABLE);
}

/* The same table entry, forbidding writes to all that hangs below it. */
static __always_inline pte_t pt_entry_wrprotect(pte_t e)
{
	return native_make_pte(pte_val(e) & ~(pteval_t)_PAGE_RW);
}

/* The same table entry, leaving it to those below it what may be written. */
static __always_inline pte_t pt_entry_mkwrite(pte_t e)
{
	return native_make_pte(pte_val(e) | _PAGE_RW);
}

/* An entry of level >= 2 that points at a table and allows writes below it. */
static __always_inline bool pt_entry_private(pte_t e)
{
	if (!IS_ENABLED(CONFIG_X86_PAE))
		return (pte_val(e) & (_PAGE_PRESENT | _PAGE_PSE | _PAGE_RW)) ==
		       (_PAGE_PRESENT | _PAGE_RW);
	return pt_entry_table(e) && pt_entry_writable(e);
}

/* Frame of the table that a table entry points at. */
static __always_inline unsigned long pt_entry_pfn(pte_t e)
{
	return (pte_val(e) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

/* Can entries of a table of @level be read-only for everything below them? */
static __always_inline bool pt_entry_protects(unsigned int level)
{
	return true;
}

/*
 * Can a table that entries of @level point at be shared? Not one that a PAE root
 * points at: most bits are reserved there, R/W among them (SDM vol. 3A, 4.4.1).
 */
static __always_inline bool pt_level_shares(unsigned int level)
{
	return !IS_ENABLED(CONFIG_X86_PAE) || level < PT_MAX_LEVELS;
}

/*
 * Must all go from a TLB when a table of @level does?
 * With PAE the CPU keeps the root's entries in registers until CR3 is loaded.
 */
static __always_inline bool pt_gather_flushes_all(unsigned int level)
{
	return IS_ENABLED(CONFIG_X86_PAE) && level == PT_MAX_LEVELS - 1;
}

/* May user mode use a present last-level entry? pte_access_permitted() says. */
static __always_inline bool pt_leaf_user(pte_t pte)
{
	return true;
}

/*
 * Must an entry be broken before it points at another table? No: INVLPG drops
 * what led to the page too (SDM vol. 3A, 4.10.4.1).
 */
static __always_inline bool pt_entry_breaks(void)
{
	return false;
}

#define PT_ENTRY_BROKEN	__pte(0)

/* Is the entry on its way from one table to another? */
static __always_inline bool pt_entry_broken(pte_t e)
{
	return false;
}

/* Leaves need no protection of their own. */
static inline void pt_leaf_wrprotect(pte_t *slot)
{
}

/**
 * pt_entry_publish - make a table entry point at a filled table
 * @mm: the address space
 * @slot: the entry, in a table of @level
 * @level: 2 or above
 * @table: descriptor of the table below, its contents written
 *
 * x86 keeps stores in order (SDM 8.2.2), so a compiler barrier, which
 * smp_wmb() is here, puts the table's contents before the entry.
 * Locks: the lock of the table that @slot is in.
 */
static inline void pt_entry_publish(struct mm_struct *mm, pte_t *slot,
				    unsigned int level, struct ptdesc *table)
{
	smp_wmb();	/* The table's contents before the entry. */
	if (level == 2) {
		pmd_populate(mm, (pmd_t *)slot, ptdesc_page(table));
		return;
	}
#if CONFIG_PGTABLE_LEVELS > 2
	if (level == 3)
		pud_populate(mm, (pud_t *)slot, ptdesc_to_virt(table));
#endif
#if CONFIG_PGTABLE_LEVELS > 4
	if (level == 4)
		p4d_populate(mm, (p4d_t *)slot, ptdesc_to_virt(table));
	else if (level == 5)
		pgd_populate(mm, (pgd_t *)slot, ptdesc_to_virt(table));
#endif
}

/* Replace a table entry as a whole; the table it names was visible before. */
static __always_inline void pt_entry_set(pte_t *slot, pte_t e)
{
	set_pte(slot, e);
}

/**
 * pt_entry_clear - take a table entry out
 * @slot: the entry, in a table of @level
 * @level: 2 or above
 *
 * Locks: the lock of the table that @slot is in. The caller flushes before
 * the table below is freed.
 */
static inline void pt_entry_clear(pte_t *slot, unsigned int level)
{
	if (level == 2)
		pmd_clear((pmd_t *)slot);
#if CONFIG_PGTABLE_LEVELS > 2
	else if (level == 3)
		pud_clear((pud_t *)slot);
#endif
#if CONFIG_PGTABLE_LEVELS > 4
	else if (level == 4)
		p4d_clear((p4d_t *)slot);
	else
		pgd_clear((pgd_t *)slot);
#endif
}

/**
 * pt_flush_tables - no CPU may go on using what table entries led to
 * @mm: the address space
 * @start: first address
 * @end: where they end (exclusive)
 */
static inline void pt_flush_tables(struct mm_struct *mm, unsigned long start,
				   unsigned long end)
{
	flush_tlb_mm_range(mm, start, end, PAGE_SHIFT, true);
}

#endif /* _ASM_X86_PAGODA_H */
