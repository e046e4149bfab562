/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RISC-V page tables as data: geometry and entry codec for the generic core.
 *
 * A level is a number: entries of a level-1 table map pages, entries of a
 * table at level n point at tables of level n - 1, and mm->pgd is the table
 * at level pt_levels(). Entries have one size at every level, so all of them
 * are handled as pte_t. RISC-V privileged architecture, sections "Sv39", "Sv48"
 * and "Sv57".
 */
#ifndef _ASM_RISCV_PAGODA_H
#define _ASM_RISCV_PAGODA_H

#include <linux/mm.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#define PT_MAX_LEVELS	5
#define PT_INDEX_BITS	9

/* Levels of the running kernel's page tables, as satp.MODE has them. */
static __always_inline unsigned int pt_levels(void)
{
	return pgtable_l5_enabled ? 5 : pgtable_l4_enabled ? 4 : 3;
}

/* log2 of the bytes that one entry of a level-@level table covers. */
static __always_inline unsigned int pt_shift(unsigned int level)
{
	return PAGE_SHIFT + (level - 1) * PT_INDEX_BITS;
}

/* Entries in a table of @level. */
static __always_inline unsigned int pt_entries(unsigned int level)
{
	return 1U << PT_INDEX_BITS;
}

/* An entry of level >= 2 as read from memory: nothing below it. */
static __always_inline bool pt_entry_none(pte_t e)
{
	return !pte_val(e);
}

/* An entry of level >= 2 that maps memory itself: one of R, W and X is set. */
static __always_inline bool pt_entry_leaf(pte_t e)
{
	return (pte_val(e) & _PAGE_PRESENT) && (pte_val(e) & _PAGE_LEAF);
}

/* An entry of level >= 2 that points at a table: V alone. */
static __always_inline bool pt_entry_table(pte_t e)
{
	return (pte_val(e) & (_PAGE_PRESENT | _PAGE_LEAF)) == _PAGE_PRESENT;
}

/* May user mode go through this table entry? U is reserved in it: leaves say. */
static __always_inline bool pt_entry_user(pte_t e)
{
	return true;
}

/*
 * Permissions are the leaves' alone. What x86 forbids by an entry is noted here
 * in a bit that hardware leaves to software (RSW), and the leaves below are
 * write-protected when it is set: see pt_entry_protects().
 */
#define PT_ENTRY_READ_ONLY	BIT(8)

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
	return (pte_val(e) & (_PAGE_PRESENT | _PAGE_LEAF | PT_ENTRY_READ_ONLY)) ==
	       _PAGE_PRESENT;
}

/* Frame of the table that a table entry points at. */
static __always_inline unsigned long pt_entry_pfn(pte_t e)
{
	return __page_val_to_pfn(pte_val(e));
}

/* Can entries of a table of @level be read-only for everything below them? */
static __always_inline bool pt_entry_protects(unsigned int level)
{
	return false;
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

/* May user mode use a present last-level entry? One of PROT_NONE is not valid. */
static __always_inline bool pt_leaf_user(pte_t pte)
{
	return pte_val(pte) & _PAGE_PRESENT;
}

/*
 * Must an entry be broken before it points at another table? Yes: SFENCE.VMA of
 * one page leaves what leads to it cached, so some hart might go on in the table
 * that was left, while others change the new one.
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
	atomic_long_andnot(_PAGE_WRITE, (atomic_long_t *)slot);
}

/**
 * pt_entry_publish - make a table entry point at a filled table
 * @mm: the address space
 * @slot: the entry, in a table of @level
 * @level: 2 or above
 * @table: descriptor of the table below, its contents written
 *
 * The page-table walker of another hart follows the entry only after it has
 * seen it, and sees the table's contents then (fence w,w).
 * Locks: the lock of the table that @slot is in.
 */
static inline void pt_entry_publish(struct mm_struct *mm, pte_t *slot,
				    unsigned int level, struct ptdesc *table)
{
	unsigned long pfn = page_to_pfn(ptdesc_page(table));

	smp_wmb();	/* The table's contents before the entry. */
	set_pte(slot, __pte((pfn << _PAGE_PFN_SHIFT) | _PAGE_TABLE));
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
	set_pte(slot, __pte(0));
}

/**
 * pt_flush_tables - no CPU may go on using what table entries led to
 * @mm: the address space
 * @start: first address
 * @end: where they end (exclusive)
 *
 * SFENCE.VMA with an address spares what is cached of non-leaf entries
 * (privileged architecture, "Supervisor memory-management fence").
 */
static inline void pt_flush_tables(struct mm_struct *mm, unsigned long start,
				   unsigned long end)
{
	flush_tlb_mm(mm);
}

#endif /* _ASM_RISCV_PAGODA_H */
