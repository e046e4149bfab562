// SPDX-License-Identifier: GPL-2.0
/*
 * Single entries, and the tags of the memory they map.
 *
 * Guarantees: user entries change atomically against the hardware, which may
 * set the access flag and the dirty state at any moment.
 *
 * Locks: user entries under their table's lock.
 */
#include <linux/mm.h>
#include <asm/mte.h>
#include <asm/tlbflush.h>

/**
 * __ptep_set_access_flags - let an entry allow more
 * @vma: the area
 * @address: the page
 * @ptep: the entry, locked
 * @entry: the new value: same frame, no fewer rights
 * @dirty: the access is a write
 *
 * AP[2] forbids writes, so the result has it only if both values do, and of the
 * other bits those that either has. Hardware with FEAT_HAFDBS clears AP[2] of
 * an entry that software calls writable: that may happen meanwhile.
 *
 * A CPU may go on with an entry that allows too little; a write must not find
 * that one again.
 *
 * Return: 1 if the entry differed from @entry, else 0.
 */
int __ptep_set_access_flags(struct vm_area_struct *vma, unsigned long address,
			    pte_t *ptep, pte_t entry, int dirty)
{
	const pteval_t gains = pte_val(entry) & (PTE_AF | PTE_WRITE | PTE_DIRTY);
	pteval_t old = pte_val(__ptep_get(ptep)), new;

	if (old == pte_val(entry))
		return 0;
	do {
		new = old | gains;
		if (!(pte_val(entry) & PTE_RDONLY))
			new &= ~PTE_RDONLY;
	} while (!try_cmpxchg_relaxed(&pte_val(*ptep), &old, new));
	if (dirty)
		flush_tlb_page(vma, address);
	return 1;
}

/**
 * vma_alloc_zeroed_movable_folio - a page for an anonymous fault
 * @vma: the area
 * @vaddr: the address
 *
 * May sleep. Memory with tags gets them together with its zeroes.
 *
 * Return: a folio of one page, or NULL.
 */
struct folio *vma_alloc_zeroed_movable_folio(struct vm_area_struct *vma,
					     unsigned long vaddr)
{
	gfp_t tags = vma->vm_flags & VM_MTE ? __GFP_ZEROTAGS : 0;

	return vma_alloc_folio(GFP_HIGHUSER_MOVABLE | __GFP_ZERO | tags, 0, vma,
			       vaddr, false);
}

/**
 * tag_clear_highpage - zeroes and zero tags for a page that was just allocated
 * @page: the page
 */
void tag_clear_highpage(struct page *page)
{
	WARN_ON_ONCE(!try_page_mte_tagging(page));
	mte_zero_clear_page_tags(page_address(page));
	set_page_mte_tagged(page);
}
