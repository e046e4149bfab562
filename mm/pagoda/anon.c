// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous memory: the zero page for those who only read, a page of its own
 * for those who write.
 *
 * Who writes to one page after the other gets some before asking. The evidence
 * is in the page table: how many entries just below the fault are present, and
 * used, as their accessed bits say. As many pages are mapped ahead, not used
 * yet: so the window grows as long as all of it is used, and there is none as
 * soon as a page below is not. It ends with the area, the table, or the first
 * entry that is not empty, and where memory is short.
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
#include <linux/sizes.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "fault.h"

/* Less than this below the fault is no sequence. */
#define ANON_AHEAD_MIN	4u

/* As many pages there is room for, the page of the fault included. */
#define ANON_AHEAD_MAX	32u

/* What is mapped ahead is not worth waiting for. */
#define ANON_AHEAD_GFP	((GFP_HIGHUSER_MOVABLE | __GFP_ZERO | __GFP_NOWARN) & \
			 ~__GFP_DIRECT_RECLAIM)

/* The most that is mapped at once, in bytes; at most ANON_AHEAD_MAX pages. */
unsigned int anon_ahead_bytes __read_mostly = SZ_64K;

/* A page for an entry of @vma that is empty; consumes the reference. */
static __always_inline void anon_set(struct pt_edit *e,
				     struct vm_area_struct *vma,
				     struct folio *folio, pte_t entry)
{
	folio_add_new_anon_rmap(folio, vma, e->c.addr, RMAP_EXCLUSIVE);
	folio_add_lru_vma(folio, vma);
	pt_set(e, entry, MM_ANONPAGES);
}

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
	anon_set(e, vma, folio, entry);
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
		return fault_anon(vmf, 0);

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
 * fault_anon_ahead - how many pages to map ahead of a first write
 * @c: open at its entry, perhaps without a lock
 * @vma: the area, private and anonymous
 *
 * Return: 0 for none; less than ANON_AHEAD_MAX
 */
unsigned int fault_anon_ahead(const struct pt_cursor *c,
			      struct vm_area_struct *vma)
{
	unsigned int most = READ_ONCE(anon_ahead_bytes) >> PAGE_SHIFT;
	unsigned long below = pt_index(1, c->addr), above;
	unsigned int used = 0, nr;
	pte_t pte;

	below = min(below, (c->addr - vma->vm_start) >> PAGE_SHIFT);
	most = min(most, ANON_AHEAD_MAX);
	if (below < ANON_AHEAD_MIN)
		return 0;
	/* This tells most accesses that are in no order. */
	pte = ptep_get_lockless(c->pte - ANON_AHEAD_MIN);
	if (!pte_present(pte) || !pte_young(pte))
		return 0;
	while (used < below && used < most) {
		pte = ptep_get_lockless(c->pte - used - 1);
		if (!pte_present(pte) || !pte_young(pte))
			break;
		used++;
	}
	if (used < ANON_AHEAD_MIN || !arch_has_hw_pte_young() ||
	    !(vma->vm_flags & VM_WRITE) ||
	    vma->vm_flags & (VM_RAND_READ | VM_LOCKONFAULT | VM_MTE))
		return 0;
	above = pt_slot_end(2, c->addr, vma->vm_end) - c->addr;
	most = min3(used, most - 1, (unsigned int)(above >> PAGE_SHIFT) - 1);
	for (nr = 0; nr < most; nr++) {
		if (!pte_none(ptep_get_lockless(c->pte + nr + 1)))
			break;
	}
	return nr;
}

/*
 * Map up to @nr pages from the fault on, as many as there is memory and empty
 * entries for; VM_FAULT_FALLBACK if there was none. Not inlined, for its array.
 */
static noinline vm_fault_t anon_several(struct vm_fault *vmf, unsigned int nr)
{
	struct page *pages[ANON_AHEAD_MAX] = { };
	struct vm_area_struct *vma = vmf->vma;
	struct pt_edit *e = fault_edit(vmf);
	unsigned int i;
	pte_t *first;
	vm_fault_t ret;

	nr = alloc_pages_bulk_array(ANON_AHEAD_GFP, nr, pages);
	if (unlikely(!nr))
		return VM_FAULT_FALLBACK;
	for (i = 0; i < nr; i++)
		__folio_mark_uptodate(page_folio(pages[i]));
	i = 0;
	ret = anon_open(vmf);
	if (unlikely(ret))
		goto out;
	first = e->c.pte;
	pt_stretch(&e->c, nr);
	do {
		pte_t entry = mk_pte(pages[i], vma->vm_page_prot);

		/* Nobody has used any but the first. */
		entry = i ? pte_mkold(entry) : pte_sw_mkyoung(entry);
		entry = maybe_mkwrite(pte_mkdirty(entry), vma);
		anon_set(e, vma, page_folio(pages[i]), entry);
		i++;
	} while (pt_step(&e->c) && pte_none(pt_get(&e->c)));
	update_mmu_cache_range(vmf, vma, vmf->address, first, i);
	pt_edit_release(e);
out:
	if (i < nr)
		release_pages(pages + i, nr - i);
	return ret;
}

/**
 * fault_anon - first write to anonymous memory
 * @vmf: the fault
 * @ahead: how many pages to map behind the one that is written to, if they are
 *	   to be had without waiting
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_anon(struct vm_fault *vmf, unsigned int ahead)
{
	struct folio *folio;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	if (unlikely(!vmf->vma->anon_vma)) {
		ret = vmf_anon_prepare(vmf);
		if (ret)
			return ret;
	}
	if (ahead) {
		ret = anon_several(vmf, ahead + 1);
		if (likely(!(ret & VM_FAULT_FALLBACK)))
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
