// SPDX-License-Identifier: GPL-2.0
/*
 * Tables below the root: allocation of last-level tables, and freeing through
 * the gather.
 *
 * Guarantees: a table taken out of the tree is freed only after every CPU has
 * dropped it from its paging-structure caches and every lockless walker that
 * could have seen it is gone (tlb_remove_table(), RCU).
 *
 * Locks: none taken; the caller has unhooked the table under the lock of the
 * table above it.
 */
#include <linux/mm.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>

/* Last-level tables may lie in high memory if the option says so. */
gfp_t __userpte_alloc_gfp = GFP_PGTABLE_USER |
	(IS_ENABLED(CONFIG_HIGHPTE) ? __GFP_HIGHMEM : 0);

static int __init userpte_setup(char *arg)
{
	if (!arg || strcmp(arg, "nohigh"))
		return -EINVAL;
	__userpte_alloc_gfp &= ~__GFP_HIGHMEM;
	return 0;
}
early_param("userpte", userpte_setup);

/**
 * pte_alloc_one - an empty last-level table for user pages
 * @mm: the address space that will be charged
 *
 * May sleep.
 *
 * Return: the table's page, or NULL.
 */
pgtable_t pte_alloc_one(struct mm_struct *mm)
{
	return __pte_alloc_one(mm, __userpte_alloc_gfp);
}

/**
 * ___pte_free_tlb - hand an unhooked last-level table to the gather
 * @tlb: the gather
 * @pte: the table's page
 */
void ___pte_free_tlb(struct mmu_gather *tlb, struct page *pte)
{
	/* Its destructor frees the lock: with the table, not before. */
	page_ptdesc(pte)->__page_mapping = 1;
	tlb_remove_table(tlb, pte);
}

#if CONFIG_PGTABLE_LEVELS > 2
/**
 * ___pmd_free_tlb - hand an unhooked level-2 table to the gather
 * @tlb: the gather
 * @pmd: the table
 *
 * With PAE the CPU keeps the root's entries in registers, and only a reload of
 * CR3 replaces them, so the flush must be a full one.
 */
void ___pmd_free_tlb(struct mmu_gather *tlb, pmd_t *pmd)
{
	if (IS_ENABLED(CONFIG_X86_PAE))
		tlb->need_flush_all = 1;
	pagetable_pmd_dtor(virt_to_ptdesc(pmd));
	tlb_remove_table(tlb, virt_to_page(pmd));
}
#endif

#if CONFIG_PGTABLE_LEVELS > 3
/**
 * ___pud_free_tlb - hand an unhooked level-3 table to the gather
 * @tlb: the gather
 * @pud: the table
 */
void ___pud_free_tlb(struct mmu_gather *tlb, pud_t *pud)
{
	pagetable_pud_dtor(virt_to_ptdesc(pud));
	tlb_remove_table(tlb, virt_to_page(pud));
}
#endif

#if CONFIG_PGTABLE_LEVELS > 4
/**
 * ___p4d_free_tlb - hand an unhooked level-4 table to the gather
 * @tlb: the gather
 * @p4d: the table
 */
void ___p4d_free_tlb(struct mmu_gather *tlb, p4d_t *p4d)
{
	tlb_remove_table(tlb, virt_to_page(p4d));
}
#endif
