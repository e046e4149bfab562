// SPDX-License-Identifier: GPL-2.0
/*
 * Root tables: one for each mm, all with the kernel's half in common.
 *
 * Guarantees: entries from KERNEL_PGD_BOUNDARY up are the same in every root
 * as in swapper_pg_dir at any time at which they may be used. On x86-64 and
 * PAE they point at the same tables below, so what happens there is seen by
 * all at once; new top-level entries are rare on x86-64 (init_64.c spreads
 * them over pgd_list) and never happen with PAE. On i386 with two levels the
 * root's entries are what vmalloc changes: arch_sync_kernel_mappings()
 * spreads them, and pgd_catch_up() mends the race with a fault.
 *
 * Locks: pgd_lock guards pgd_list and any change to kernel entries of roots
 * that are on it. It may be taken with interrupts on only.
 *
 * Lifetime: a root lives from mm_init() to __mmdrop(), so as long as any CPU
 * may have it loaded, lazily too.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pagoda_table.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <asm/pgalloc.h>
#include <asm/pgtable_areas.h>
#include <asm/tlbflush.h>
#include "mmu.h"

DEFINE_SPINLOCK(pgd_lock);
LIST_HEAD(pgd_list);

/*
 * With PAE the root is 32 bytes and its entries are fetched when CR3 is
 * loaded (SDM vol. 3A, 4.4.1): one that appears later would need a reload, so
 * user entries get their tables at once. The kernel's entries never change,
 * so these roots are on no list and need no page of their own.
 */
#define ROOT_IS_PAE	IS_ENABLED(CONFIG_X86_PAE)

#ifdef CONFIG_X86_PAE
static struct kmem_cache *pae_roots;

/**
 * pgtable_cache_init - prepare the allocation of PAE roots
 */
void __init pgtable_cache_init(void)
{
	size_t size = PTRS_PER_PGD * sizeof(pgd_t);
	pgd_t *slot = swapper_pg_dir + KERNEL_PGD_BOUNDARY;

	pae_roots = kmem_cache_create("pagoda_pae_root", size, size,
				      SLAB_PANIC, NULL);
	/* The boot code does not know this bit; without it a table is shared. */
	for (; slot < swapper_pg_dir + PTRS_PER_PGD; slot++) {
		if (pgd_val(*slot))
			set_pud((pud_t *)slot,
				__pud(pgd_val(*slot) | PT_ROOT_WRITABLE));
	}
}

/**
 * pud_populate - enter a table in a PAE root
 * @mm: the address space
 * @pudp: the entry
 * @pmd: the table
 *
 * Most bits are reserved in these entries. The CPU holds them in registers,
 * which a flush reloads.
 */
void pud_populate(struct mm_struct *mm, pud_t *pudp, pmd_t *pmd)
{
	set_pud(pudp, __pud(_PAGE_PRESENT | PT_ROOT_WRITABLE | __pa(pmd)));
	flush_tlb_mm(mm);
}

static pgd_t *root_alloc(void)
{
	return kmem_cache_zalloc(pae_roots, GFP_PGTABLE_USER);
}

static void root_free(pgd_t *root)
{
	kmem_cache_free(pae_roots, root);
}

/* Tables that no area ever asked for are still there: take them back. */
static void drop_user_tables(struct mm_struct *mm, pgd_t *root)
{
	pgd_t *slot;

	for (slot = root; slot < root + KERNEL_PGD_BOUNDARY; slot++) {
		pgd_t old = *slot;

		if (!pgd_val(old))
			continue;
		pgd_clear(slot);
		pmd_free(mm, (pmd_t *)pgd_page_vaddr(old));
		mm_dec_nr_pmds(mm);
	}
}

/* The root is not loaded anywhere yet, so plain stores do. */
static bool add_user_tables(struct mm_struct *mm, pgd_t *root)
{
	unsigned int i;

	for (i = 0; i < KERNEL_PGD_BOUNDARY; i++) {
		pmd_t *pmd = pmd_alloc_one(mm, (unsigned long)i << PGDIR_SHIFT);

		if (!pmd)
			return false;
		pt_table_init(virt_to_ptdesc(pmd));
		mm_inc_nr_pmds(mm);
		set_pud((pud_t *)&root[i],
			__pud(_PAGE_PRESENT | PT_ROOT_WRITABLE | __pa(pmd)));
	}
	return true;
}
#else
static pgd_t *root_alloc(void)
{
	return (pgd_t *)__get_free_page(GFP_PGTABLE_USER);
}

static void root_free(pgd_t *root)
{
	free_page((unsigned long)root);
}

static void drop_user_tables(struct mm_struct *mm, pgd_t *root) { }
static bool add_user_tables(struct mm_struct *mm, pgd_t *root) { return true; }
#endif

/**
 * pgd_page_get_mm - whose root is this?
 * @page: a page on pgd_list
 *
 * pgd_lock is held.
 *
 * Return: the address space that the root belongs to.
 */
struct mm_struct *pgd_page_get_mm(struct page *page)
{
	return page_ptdesc(page)->pt_mm;
}

/**
 * pgd_alloc - a root table with the kernel's half in place
 * @mm: the address space it is for
 *
 * May sleep.
 *
 * Return: the table, also stored in mm->pgd, or NULL.
 */
pgd_t *pgd_alloc(struct mm_struct *mm)
{
	pgd_t *root = root_alloc();

	if (!root)
		return NULL;
	if (!add_user_tables(mm, root)) {
		drop_user_tables(mm, root);
		root_free(root);
		return NULL;
	}
	mm->pgd = root;

	/* A new kernel entry must find this root on the list or copied from. */
	spin_lock(&pgd_lock);
	clone_pgd_range(root + KERNEL_PGD_BOUNDARY,
			swapper_pg_dir + KERNEL_PGD_BOUNDARY, KERNEL_PGD_PTRS);
	if (!ROOT_IS_PAE) {
		struct ptdesc *desc = virt_to_ptdesc(root);

		desc->pt_mm = mm;
		list_add(&desc->pt_list, &pgd_list);
	}
	spin_unlock(&pgd_lock);
	return root;
}

/**
 * pgd_free - give a root table back
 * @mm: the address space
 * @pgd: its root; no CPU has it loaded and no user table hangs below it, PAE's
 *	own apart
 */
void pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	drop_user_tables(mm, pgd);
	if (!ROOT_IS_PAE) {
		spin_lock(&pgd_lock);
		list_del(&virt_to_ptdesc(pgd)->pt_list);
		spin_unlock(&pgd_lock);
	}
	root_free(pgd);
}

#ifdef CONFIG_X86_32
/* Give @root the kernel's entry for @address. PAE's never differ. */
static void copy_kernel_entry(pgd_t *root, unsigned long address)
{
	pgd_t *slot = root + pgd_index(address);
	pgd_t want = init_mm.pgd[pgd_index(address)];

	if (!ROOT_IS_PAE && pgd_val(*slot) != pgd_val(want))
		set_pgd(slot, want);
}

/**
 * arch_sync_kernel_mappings - spread new kernel entries over all roots
 * @start: first byte of the change
 * @end: one past the last
 */
void arch_sync_kernel_mappings(unsigned long start, unsigned long end)
{
	unsigned long addr = max(start & PGDIR_MASK, TASK_SIZE_MAX);
	struct ptdesc *desc;

	end = min(end, VMALLOC_END);
	spin_lock(&pgd_lock);
	for (; addr < end; addr += PGDIR_SIZE)
		list_for_each_entry(desc, &pgd_list, pt_list)
			copy_kernel_entry(ptdesc_address(desc), addr);
	spin_unlock(&pgd_lock);
}

/**
 * pgd_catch_up - did a fault only run ahead of arch_sync_kernel_mappings()?
 * @address: the kernel address that was not present
 *
 * One CPU may use a mapping whose top-level entry another is still spreading.
 * May be called from an NMI in the middle of a switch: takes no lock, and asks
 * CR3, not the current task.
 *
 * Return: true if the access will now succeed.
 */
bool pgd_catch_up(unsigned long address)
{
	struct hw_path path;

	if (address < VMALLOC_START || address >= VMALLOC_END)
		return false;
	hw_path_read(&path, init_mm.pgd, address);
	if (!hw_path_maps(&path))
		return false;
	copy_kernel_entry(__va(read_cr3_pa()), address);
	return true;
}
#endif
