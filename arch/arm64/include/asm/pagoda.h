/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arm page tables as data: geometry and entry codec for the generic core.
 *
 * A level is a number: entries of a level-1 table map pages, entries of a
 * table at level n point at tables of level n - 1, and mm->pgd is the table
 * at level pt_levels(). Arm counts the other way, with 3 for the last. Entries
 * have one size at every level, so all of them are handled as pte_t. Arm ARM
 * (DDI 0487), chapter D8, "The AArch64 Virtual Memory System Architecture".
 */
#ifndef _ASM_ARM64_PAGODA_H
#define _ASM_ARM64_PAGODA_H

#include <linux/mm.h>
#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#define PT_MAX_LEVELS	CONFIG_PGTABLE_LEVELS
#define PT_INDEX_BITS	(PAGE_SHIFT - 3)

/* Levels of the running kernel's user page tables. */
static __always_inline unsigned int pt_levels(void)
{
	return PT_MAX_LEVELS;
}

/* log2 of the bytes that one entry of a level-@level table covers. */
static __always_inline unsigned int pt_shift(unsigned int level)
{
	return PAGE_SHIFT + (level - 1) * PT_INDEX_BITS;
}

/* Entries in a table of @level. The root has what is left of the address. */
static __always_inline unsigned int pt_entries(unsigned int level)
{
	return level == PT_MAX_LEVELS ? PTRS_PER_PGD : 1U << PT_INDEX_BITS;
}

/* An entry of level >= 2 as read from memory: nothing below it. */
static __always_inline bool pt_entry_none(pte_t e)
{
	return !pte_val(e);
}

/* An entry of level >= 2 that maps memory itself: a block descriptor. */
static __always_inline bool pt_entry_leaf(pte_t e)
{
	return (pte_val(e) & PMD_TYPE_MASK) == PMD_TYPE_SECT;
}

/* An entry of level >= 2 that points at a table: a table descriptor. */
static __always_inline bool pt_entry_table(pte_t e)
{
	return (pte_val(e) & PMD_TYPE_MASK) == PMD_TYPE_TABLE;
}

/* APTable[1:0]: no access below from EL0, and no writes below. */
#define PT_ENTRY_NO_EL0		(UL(1) << 61)
#define PT_ENTRY_READ_ONLY	(UL(1) << 62)

/* May user mode go through this table entry? */
static __always_inline bool pt_entry_user(pte_t e)
{
	return !(pte_val(e) & PT_ENTRY_NO_EL0);
}

/* Does this table entry allow writes below it? */
static __always_inline bool pt_entry_writable(pte_t e)
{
	return !(pte_val(e) & PT_ENTRY_READ_ONLY);
}

/* The same table entry, forbidding writes to all that hangs below it. */
static __always_inline pte_t pt_entry_wrprotect(pte_t e)
{
	return __pte(pte_val(e) | PT_ENTRY_READ_ONLY);
}

/* The same table entry, leaving it to those below it what may be written. */
static __always_inline pte_t pt_entry_mkwrite(pte_t e)
{
	return __pte(pte_val(e) & ~PT_ENTRY_READ_ONLY);
}

/* An entry of level >= 2 that points at a table and allows writes below it. */
static __always_inline bool pt_entry_private(pte_t e)
{
	return (pte_val(e) & (PMD_TYPE_MASK | PT_ENTRY_READ_ONLY)) ==
	       PMD_TYPE_TABLE;
}

/* Frame of the table that a table entry points at. */
static __always_inline unsigned long pt_entry_pfn(pte_t e)
{
	return pte_pfn(e);
}

/*
 * Can entries of a table of @level be read-only for everything below them? Where
 * permissions are indirect (FEAT_S1PIE) hierarchical ones are not looked at, and
 * the bit is no more than a note.
 */
static __always_inline bool pt_entry_protects(unsigned int level)
{
	return !cpus_have_final_cap(ARM64_HAS_S1PIE);
}

/* Can a table that entries of @level point at be shared? */
static __always_inline bool pt_level_shares(unsigned int level)
{
	return true;
}

/* Must all go from a TLB when a table of @level does? */
static __always_inline bool pt_gather_flushes_all(unsigned int level)
{
	return false;
}

/* May user mode use a present last-level entry? pte_access_permitted() says. */
static __always_inline bool pt_leaf_user(pte_t pte)
{
	return true;
}

/*
 * Must an entry be broken before it points at another table? Yes: two TLB
 * entries for an address may else become a mixture ("Using break-before-make
 * when updating translation table entries"); and a flush of one page leaves what
 * leads to it cached, so some CPU might go on in the table that was left.
 */
static __always_inline bool pt_entry_breaks(void)
{
	return true;
}

/* What stands there meanwhile: nothing to hardware, to software to be waited for. */
#define PT_ENTRY_BROKEN	__pte(BIT_ULL(62))

/* Is the entry on its way from one table to another? */
static __always_inline bool pt_entry_broken(pte_t e)
{
	return pte_val(e) == pte_val(PT_ENTRY_BROKEN);
}

/**
 * pt_leaf_wrprotect - forbid writes to a page of a table that becomes shared
 * @slot: a present entry of level 1, which hardware may be changing
 *
 * Locks: nobody else changes it. The caller flushes.
 */
static inline void pt_leaf_wrprotect(pte_t *slot)
{
	__ptep_set_wrprotect(NULL, 0, slot);
}

/* Replace a table entry as a whole; the table it names was visible before. */
static __always_inline void pt_entry_set(pte_t *slot, pte_t e)
{
	/* The kernel's root is mapped read-only. */
	if (in_swapper_pgdir(slot)) {
		set_swapper_pgd((pgd_t *)slot, __pgd(pte_val(e)));
		return;
	}
	WRITE_ONCE(*slot, e);
	/* A walk after this sees the entry, and needs no fault to do so. */
	if (pte_val(e)) {
		dsb(ishst);
		isb();
	}
}

/**
 * pt_entry_publish - make a table entry point at a filled table
 * @mm: the address space
 * @slot: the entry, in a table of @level
 * @level: 2 or above
 * @table: descriptor of the table below, its contents written
 *
 * PXNTable or UXNTable keeps the other side from executing what is below.
 * Locks: the lock of the table that @slot is in.
 */
static inline void pt_entry_publish(struct mm_struct *mm, pte_t *slot,
				    unsigned int level, struct ptdesc *table)
{
	pteval_t bits = PMD_TYPE_TABLE |
			(mm == &init_mm ? PMD_TABLE_UXN : PMD_TABLE_PXN);

	smp_wmb();	/* The table's contents before the entry. */
	pt_entry_set(slot, __pte(__phys_to_pte_val(page_to_phys(ptdesc_page(table))) |
				 bits));
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
	pt_entry_set(slot, __pte(0));
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
	struct vm_area_struct vma = TLB_FLUSH_VMA(mm, 0);

	__flush_tlb_range(&vma, start, end, PAGE_SIZE, false, TLBI_TTL_UNKNOWN);
}

#endif /* _ASM_ARM64_PAGODA_H */
