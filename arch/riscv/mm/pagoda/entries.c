// SPDX-License-Identifier: GPL-2.0
/*
 * Single entries: the accessed bit, permissions, large kernel leaves, and the
 * levels that a machine may lack.
 *
 * Guarantees: user entries change atomically against the hardware, which may
 * set accessed and dirty bits at any moment. A kernel table that a large leaf
 * replaces is freed only when no hart can walk it any more.
 *
 * Locks: user entries under their table's lock; kernel entries belong to the
 * caller by address (vmalloc, ioremap).
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

/**
 * ptep_set_access_flags - let an entry allow more
 * @vma: the area
 * @address: the page
 * @ptep: the entry, locked
 * @entry: the new value: same frame, no fewer rights
 * @dirty: the access is a write
 *
 * Where a hart may have cached that the entry was not valid, the caller is told
 * to fence even if nothing changed: that is what a fault that came too early
 * needs. With Svvptc it sees the entry soon by itself, but others may have the
 * old rights.
 *
 * Return: 1 if the caller is to call update_mmu_cache(), else 0.
 */
int ptep_set_access_flags(struct vm_area_struct *vma, unsigned long address,
			  pte_t *ptep, pte_t entry, int dirty)
{
	bool changed = !pte_same(ptep_get(ptep), entry);

	if (changed)
		__set_pte_at(vma->vm_mm, ptep, entry);
	if (!riscv_has_extension_unlikely(RISCV_ISA_EXT_SVVPTC))
		return 1;
	if (changed)
		flush_tlb_page(vma, address);
	return changed;
}

/**
 * ptep_test_and_clear_young - has the page been accessed since last asked?
 * @vma: the area
 * @address: the page
 * @ptep: the entry, locked
 *
 * Return: 1 if so, else 0.
 */
int ptep_test_and_clear_young(struct vm_area_struct *vma, unsigned long address,
			      pte_t *ptep)
{
	return pte_young(ptep_get(ptep)) &&
	       test_and_clear_bit(_PAGE_ACCESSED_OFFSET, &pte_val(*ptep));
}
EXPORT_SYMBOL_GPL(ptep_test_and_clear_young);

/**
 * p4d_offset - the entry of level 4 or, where there is none, of the root
 * @pgd: the root's entry
 * @address: what it is for
 *
 * Return: the entry.
 */
p4d_t *p4d_offset(pgd_t *pgd, unsigned long address)
{
	return pgtable_l5_enabled ?
		pgd_pgtable(pgdp_get(pgd)) + p4d_index(address) : (p4d_t *)pgd;
}

/**
 * pud_offset - the entry of level 3, which the root may be
 * @p4d: the entry above
 * @address: what it is for
 *
 * Return: the entry.
 */
pud_t *pud_offset(p4d_t *p4d, unsigned long address)
{
	return pgtable_l4_enabled ?
		p4d_pgtable(p4dp_get(p4d)) + pud_index(address) : (pud_t *)p4d;
}

#ifdef CONFIG_HAVE_ARCH_HUGE_VMAP
/**
 * p4d_set_huge - the kernel does not use leaves of 512 GiB
 * @p4d: the entry
 * @addr: physical address
 * @prot: protection
 *
 * Return: 0.
 */
int p4d_set_huge(p4d_t *p4d, phys_addr_t addr, pgprot_t prot)
{
	return 0;
}

/**
 * p4d_clear_huge - see p4d_set_huge(): there is nothing to clear
 * @p4d: the entry
 */
void p4d_clear_huge(p4d_t *p4d)
{
}

/**
 * pud_set_huge - map 1 GiB of the kernel's half by one leaf
 * @pud: the entry
 * @phys: physical address, aligned
 * @prot: protection
 *
 * Return: 1, it cannot fail.
 */
int pud_set_huge(pud_t *pud, phys_addr_t phys, pgprot_t prot)
{
	set_pud(pud, pfn_pud(PHYS_PFN(phys), prot));
	return 1;
}

/**
 * pmd_set_huge - map 2 MiB of the kernel's half by one leaf
 * @pmd: the entry
 * @phys: physical address, aligned
 * @prot: protection
 *
 * Return: 1, it cannot fail.
 */
int pmd_set_huge(pmd_t *pmd, phys_addr_t phys, pgprot_t prot)
{
	set_pmd(pmd, pfn_pmd(PHYS_PFN(phys), prot));
	return 1;
}

/**
 * pud_clear_huge - take a 1 GiB kernel leaf out
 * @pud: the entry
 *
 * Return: 1 if there was one.
 */
int pud_clear_huge(pud_t *pud)
{
	int leaf = pud_leaf(pudp_get(pud));

	if (leaf)
		pud_clear(pud);
	return leaf;
}

/**
 * pmd_clear_huge - take a 2 MiB kernel leaf out
 * @pmd: the entry
 *
 * Return: 1 if there was one.
 */
int pmd_clear_huge(pmd_t *pmd)
{
	int leaf = pmd_leaf(pmdp_get(pmd));

	if (leaf)
		pmd_clear(pmd);
	return leaf;
}

/**
 * pmd_free_pte_page - drop an emptied table, to make room for a leaf
 * @pmd: the kernel entry that points at it
 * @addr: first address it covers; all unmapped and flushed
 *
 * Entries above the last level are cached too, and a fence for an address does
 * not reach them, so everything is dropped.
 *
 * Return: 1, it cannot fail.
 */
int pmd_free_pte_page(pmd_t *pmd, unsigned long addr)
{
	pte_t *table = (pte_t *)pmd_page_vaddr(pmdp_get(pmd));

	pmd_clear(pmd);
	flush_tlb_all();
	pte_free_kernel(&init_mm, table);
	return 1;
}

/**
 * pud_free_pmd_page - drop an emptied table and the tables below it
 * @pud: the kernel entry that points at it
 * @addr: first address it covers; all unmapped and flushed
 *
 * Once unhooked and flushed, nothing but this function can see the subtree.
 *
 * Return: 1, it cannot fail.
 */
int pud_free_pmd_page(pud_t *pud, unsigned long addr)
{
	pmd_t *table = pud_pgtable(pudp_get(pud));
	pmd_t *slot;

	pud_clear(pud);
	flush_tlb_all();
	for (slot = table; slot < table + PTRS_PER_PMD; slot++)
		if (!pmd_none(pmdp_get(slot)))
			pte_free_kernel(&init_mm,
					(pte_t *)pmd_page_vaddr(pmdp_get(slot)));
	pmd_free(&init_mm, table);
	return 1;
}
#endif /* CONFIG_HAVE_ARCH_HUGE_VMAP */
