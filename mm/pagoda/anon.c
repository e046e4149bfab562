// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous memory: the zero page for those who only read, a page of its own
 * for those who write.
 *
 * Guarantees: a page is cleared before any entry shows it, belongs to one
 * area alone when it appears (PageAnonExclusive), and is on its way to the
 * LRU. The entry's reference is the one that the allocation gave.
 *
 * Locks: see fault.c; fault_map_anon() runs with the entry's table locked.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "fault.h"

/**
 * fault_map_anon - map a new page of an area's own
 * @e: open at the entry, which is empty
 * @vmf: the fault
 * @folio: one page, filled and up to date, not yet seen by anybody
 * @write: the page is for writing, if the area allows that
 *
 * Consumes the caller's reference. Locks: the table's.
 */
void fault_map_anon(struct pt_edit *e, struct vm_fault *vmf,
		    struct folio *folio, bool write)
{
	struct vm_area_struct *vma = vmf->vma;
	pte_t entry = mk_pte(&folio->page, vma->vm_page_prot);

	entry = pte_sw_mkyoung(entry);
	if (write)
		entry = maybe_mkwrite(pte_mkdirty(entry), vma);
	folio_add_new_anon_rmap(folio, vma, vmf->address, RMAP_EXCLUSIVE);
	folio_add_lru_vma(folio, vma);
	pt_set(e, entry, MM_ANONPAGES);
	update_mmu_cache_range(vmf, vma, vmf->address, e->c.pte, 1);
}

/* fault_open() for an entry that gets memory; not after the OOM reaper. */
static __always_inline vm_fault_t anon_open(struct vm_fault *vmf)
{
	vm_fault_t ret = fault_open(vmf);

	if (unlikely(ret))
		return ret;
	ret = check_stable_address_space(vmf->vma->vm_mm);
	if (unlikely(ret))
		pt_edit_release(fault_edit(vmf));
	return ret;
}

/**
 * fault_zero - first read of anonymous memory
 * @vmf: the fault
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_zero(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;
	pte_t entry;

	if (unlikely(mm_forbids_zeropage(vma->vm_mm)))
		return fault_anon(vmf);

	ret = anon_open(vmf);
	if (unlikely(ret))
		return ret;
	entry = pfn_pte(my_zero_pfn(vmf->address), vma->vm_page_prot);
	pt_set(e, pte_mkspecial(entry), PT_UNCOUNTED);
	update_mmu_cache_range(vmf, vma, vmf->address, e->c.pte, 1);
	pt_edit_release(e);
	return 0;
}

/**
 * fault_anon - first write to anonymous memory
 * @vmf: the fault
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_anon(struct vm_fault *vmf)
{
	struct folio *folio;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	if (unlikely(!vmf->vma->anon_vma)) {
		ret = vmf_anon_prepare(vmf);
		if (ret)
			return ret;
	}
	folio = vma_alloc_zeroed_movable_folio(vmf->vma, vmf->address);
	if (unlikely(!folio))
		return VM_FAULT_OOM;
	/* Its barrier puts the zeroes before the entry. */
	__folio_mark_uptodate(folio);

	ret = anon_open(vmf);
	if (unlikely(ret)) {
		folio_put(folio);
		return ret;
	}
	fault_map_anon(e, vmf, folio, true);
	pt_edit_release(e);
	return 0;
}
