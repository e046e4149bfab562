// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to entries that are present and read-only.
 *
 * Guarantees: in a private area the writer ends up with a page that is his
 * alone: the one that is there, if it can be shown to be, or else a copy. No
 * CPU can read the old page through this entry once the new one is in, and
 * the old page loses its mapcount only after that, so that its last user can
 * never write to it while somebody still reads. In a shared area the object
 * has agreed to the write and the page is dirty.
 *
 * Locks: see fault.c. A page that is to be copied is held by a reference while
 * the table is not locked.
 */
#include <linux/mm.h>
#include <linux/delayacct.h>
#include <linux/highmem.h>
#include <linux/kmsan.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/uaccess.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "fault.h"

/* Let the area write through the open entry, and close it. */
static void cow_allow(struct pt_edit *e, struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	pte_t entry = pte_mkdirty(pte_mkyoung(vmf->orig_pte));

	flush_cache_page(vma, vmf->address, pte_pfn(entry));
	entry = maybe_mkwrite(entry, vma);
	if (ptep_set_access_flags(vma, vmf->address, e->c.pte, entry, 1))
		update_mmu_cache_range(vmf, vma, vmf->address, e->c.pte, 1);
	pt_edit_release(e);
	count_vm_event(PGREUSE);
}

/*
 * Try to show that nobody but one entry uses an anonymous page; its area then
 * owns it. Locks: the entry's table.
 */
static bool cow_claim(struct folio *folio, struct vm_area_struct *vma)
{
	int refs = folio_ref_count(folio);
	bool alone;

	/* Other pages of a large folio may have users: copy, and free it soon. */
	if (folio_test_large(folio))
		return false;
	/* The second may be a per-CPU list's, on the way to the LRU. */
	if (refs == 2 && !folio_test_lru(folio)) {
		lru_add_drain();
		refs = folio_ref_count(folio);
	}
	if (refs != 1 || !folio_trylock(folio))
		return false;
	/* Locked, it cannot get new users but through our own entry. */
	alone = folio_ref_count(folio) == 1;
	if (alone) {
		folio_move_anon_rmap(folio, vma);
		SetPageAnonExclusive(folio_page(folio, 0));
	}
	folio_unlock(folio);
	return alone;
}

/*
 * Copy a frame that has no page, through the program's own address. That can
 * fail when the entry is gone, or is old and the CPU does not make it young
 * itself; under the lock there is no such excuse.
 */
static vm_fault_t cow_copy_frame(struct vm_fault *vmf, struct page *to)
{
	const void __user *from = (void __user *)vmf->address;
	void *kaddr = kmap_local_page(to);
	vm_fault_t ret = 0;
	struct pt_edit *e = fault_edit(vmf);
	pte_t entry;

	pagefault_disable();
	if (likely(!__copy_from_user_inatomic(kaddr, from, PAGE_SIZE)))
		goto out;
	/* May sleep for a table: not with faults disabled. */
	pagefault_enable();
	ret = fault_open(vmf);
	pagefault_disable();
	if (ret)
		goto out;
	entry = pte_mkyoung(vmf->orig_pte);
	if (ptep_set_access_flags(vmf->vma, vmf->address, e->c.pte, entry, 0))
		update_mmu_cache_range(vmf, vmf->vma, vmf->address, e->c.pte, 1);
	if (WARN_ON_ONCE(__copy_from_user_inatomic(kaddr, from, PAGE_SIZE)))
		clear_page(kaddr);
	/* The same frame, but it may have become young. */
	vmf->orig_pte = pt_get(&e->c);
	pt_edit_release(e);
out:
	pagefault_enable();
	kunmap_local(kaddr);
	flush_dcache_page(to);
	return ret;
}

/* A new page with what the entry shows now; NULL and a reason if not. */
static struct folio *cow_copy(struct vm_fault *vmf, vm_fault_t *ret)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address;
	struct folio *new;

	*ret = vmf_anon_prepare(vmf);
	if (unlikely(*ret))
		return NULL;
	if (is_zero_pfn(pte_pfn(vmf->orig_pte)))
		new = vma_alloc_zeroed_movable_folio(vma, addr);
	else
		new = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, vma, addr,
				      false);
	if (unlikely(!new)) {
		*ret = VM_FAULT_OOM;
		return NULL;
	}
	if (vmf->page) {
		if (copy_mc_user_highpage(&new->page, vmf->page, addr, vma))
			*ret = VM_FAULT_HWPOISON;
		else
			kmsan_copy_page_meta(&new->page, vmf->page);
	} else if (!is_zero_pfn(pte_pfn(vmf->orig_pte))) {
		*ret = cow_copy_frame(vmf, &new->page);
	}
	if (unlikely(*ret)) {
		folio_put(new);
		return NULL;
	}
	__folio_mark_uptodate(new);
	return new;
}

/* Put @new in the place of what the entry shows, @old or no page. */
static vm_fault_t cow_replace(struct vm_fault *vmf, struct folio *old,
			      struct folio *new)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mmu_notifier_range range;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm,
				vmf->address, vmf->address + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&range);
	ret = fault_open(vmf);
	if (unlikely(ret))
		goto out;
	flush_cache_page(vma, vmf->address, pte_pfn(vmf->orig_pte));
	/*
	 * Out of every TLB before the new page is in: else one thread could
	 * write to the new while another still reads the old.
	 */
	ptep_clear_flush(vma, vmf->address, e->c.pte);
	if (old)
		pt_count(e, mm_counter(old), -1);
	fault_map_anon(e, vmf, new, !(vmf->flags & FAULT_FLAG_UNSHARE));
	/*
	 * Who sees the lower mapcount may take the old page for his own: the
	 * atomic operation on it comes after the flush.
	 */
	if (old)
		folio_remove_rmap_pte(old, vmf->page, vma);
	pt_edit_release(e);
out:
	mmu_notifier_invalidate_range_end(&range);
	return ret;
}

/**
 * fault_cow - write to (or unshare) a read-only entry of a private area
 * @vmf: the fault
 *
 * Without a page behind it the entry is the zero page, which needs no copying,
 * or a frame of a device.
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_cow(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct folio *old = NULL, *new;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	ret = fault_open(vmf);
	if (unlikely(ret))
		return ret;
	vmf->page = vm_normal_page(vma, vmf->address, vmf->orig_pte);
	if (vmf->page) {
		old = page_folio(vmf->page);
		if (folio_test_anon(old) &&
		    (PageAnonExclusive(vmf->page) || cow_claim(old, vma))) {
			if (unlikely(vmf->flags & FAULT_FLAG_UNSHARE))
				pt_edit_release(e);
			else
				cow_allow(e, vmf);
			return 0;
		}
		folio_get(old);
	}
	pt_edit_release(e);

	delayacct_wpcopy_start();
	new = cow_copy(vmf, &ret);
	if (likely(new)) {
		ret = cow_replace(vmf, old, new);
		if (unlikely(ret))
			folio_put(new);
	}
	/* The reference above, and the entry's if that is gone. */
	if (old)
		folio_put_refs(old, likely(new && !ret) ? 2 : 1);
	delayacct_wpcopy_end();
	return ret;
}

/**
 * fault_device_write - write to a read-only frame of a shared area
 * @vmf: the fault
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_device_write(struct vm_fault *vmf)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	if (ops && ops->pfn_mkwrite) {
		ret = fault_may_call(vmf);
		if (ret)
			return ret;
		vmf->flags |= FAULT_FLAG_MKWRITE;
		ret = ops->pfn_mkwrite(vmf);
		if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE))
			return ret;
	}
	ret = fault_open(vmf);
	if (likely(!ret))
		cow_allow(e, vmf);
	return ret;
}

/**
 * fault_shared_write - write to a read-only page of a shared area
 * @vmf: the fault
 *
 * The entry is read-only so that the object hears of the write.
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_shared_write(struct vm_fault *vmf)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	struct folio *folio;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	ret = fault_open(vmf);
	if (unlikely(ret))
		return ret;
	vmf->page = vm_normal_page(vmf->vma, vmf->address, vmf->orig_pte);
	if (unlikely(!vmf->page)) {
		pt_edit_release(e);
		return fault_device_write(vmf);
	}
	folio = page_folio(vmf->page);
	folio_get(folio);

	if (!ops || !ops->page_mkwrite) {
		cow_allow(e, vmf);
		folio_lock(folio);
	} else {
		pt_edit_release(e);
		ret = fault_may_call(vmf);
		if (likely(!ret))
			ret = fault_notify(vmf);
		if (unlikely(ret))
			goto out;
		ret = fault_open(vmf);
		if (unlikely(ret)) {
			folio_unlock(folio);
			goto out;
		}
		cow_allow(e, vmf);
	}
	ret = fault_dirtied(vmf);
out:
	folio_put(folio);
	return ret;
}
