// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that drivers map: pages they own, and frames that have no page.
 *
 * Guarantees: an entry for a page of a driver holds a reference to it and is
 * counted like a page of a file. An entry for a frame is special (a bit in the
 * entry), is not counted, and nobody looks behind it. Every frame is checked
 * for whether the area may see it before its entry is made.
 *
 * Locks: mapping is done under mmap_lock (for writing, where the area's flags
 * change), or by an object's code in a fault under the fault's lock.
 */
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn_t.h>
#include <linux/rmap.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "fault.h"

/**
 * vm_normal_page - the page behind a present entry
 * @vma: the entry's area
 * @addr: its address
 * @pte: the entry
 *
 * Special entries have none that anybody may touch: frames of a device, and
 * the zero page, which is not counted. What looks like neither is reported.
 * Locks: those under which @pte stays as it is.
 *
 * Return: the page or NULL
 */
struct page *vm_normal_page(struct vm_area_struct *vma, unsigned long addr,
			    pte_t pte)
{
	unsigned long pfn = pte_pfn(pte);

	if (unlikely(pte_special(pte))) {
		if (vma->vm_ops && vma->vm_ops->find_special_page)
			return vma->vm_ops->find_special_page(vma, addr);
		if (!(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)) &&
		    !is_zero_pfn(pfn))
			fault_report_bad(vma, addr, pte);
		return NULL;
	}
	if (unlikely(pfn > highest_memmap_pfn)) {
		fault_report_bad(vma, addr, pte);
		return NULL;
	}
	VM_WARN_ON_ONCE(is_zero_pfn(pfn));
	return pfn_to_page(pfn);
}

/**
 * vm_normal_folio - the folio behind a present entry
 * @vma: the entry's area
 * @addr: its address
 * @pte: the entry
 *
 * Return: as vm_normal_page()
 */
struct folio *vm_normal_folio(struct vm_area_struct *vma, unsigned long addr,
			      pte_t pte)
{
	struct page *page = vm_normal_page(vma, addr, pte);

	return page ? page_folio(page) : NULL;
}

/*
 * May a driver map the zero page here? Not if it could later be replaced while
 * somebody has it pinned: in private areas a pin unshares first, and read-only
 * areas stay as they are; areas that replace it on write must be closed to
 * (lasting) pins.
 */
static bool device_zero_allowed(struct vm_area_struct *vma)
{
	vm_flags_t flags = vma->vm_flags;

	VM_WARN_ON_ONCE(flags & VM_PFNMAP);
	if (mm_forbids_zeropage(vma->vm_mm))
		return false;
	if (is_cow_mapping(flags) || !(flags & (VM_WRITE | VM_MAYWRITE)))
		return true;
	return vma->vm_ops && vma->vm_ops->pfn_mkwrite &&
	       ((flags & VM_IO) || vma_is_fsdax(vma));
}

/* Is @page of a sort that may be mapped into @vma? */
static bool device_page_ok(struct vm_area_struct *vma, struct page *page)
{
	struct folio *folio = page_folio(page);

	if (!folio_ref_count(folio))
		return false;
	if (unlikely(is_zero_folio(folio)))
		return device_zero_allowed(vma);
	return !folio_test_anon(folio) && !folio_test_slab(folio) &&
	       !page_has_type(page);
}

/* Map @page, which is all right, at the open entry. */
static int device_map_page(struct pt_edit *e, struct vm_area_struct *vma,
			   struct page *page)
{
	pte_t entry = mk_pte(page, vma->vm_page_prot);
	struct folio *folio = page_folio(page);

	if (unlikely(!pte_none(pt_get(&e->c))))
		return -EBUSY;
	if (unlikely(is_zero_folio(folio))) {
		pt_set(e, pte_mkspecial(entry), PT_UNCOUNTED);
		return 0;
	}
	flush_dcache_folio(folio);
	folio_get(folio);
	folio_add_file_rmap_pte(folio, page, vma);
	pt_set(e, entry, mm_counter_file(folio));
	return 0;
}

/* Make @vma an area of single pages; only in mmap can that be done now. */
static void device_mixed(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_MIXEDMAP)
		return;
	mmap_assert_write_locked(vma->vm_mm);
	WARN_ON_ONCE(vma->vm_flags & VM_PFNMAP);
	vm_flags_set(vma, VM_MIXEDMAP);
}

/**
 * vm_insert_pages - map a driver's pages one after the other
 * @vma: where to
 * @addr: address for the first
 * @pages: the pages: allocated, not anonymous, not of the slab; of large ones
 *         allocated with __GFP_COMP
 * @num: how many; on return, how many were not mapped
 *
 * Each entry takes a reference. Protection is the area's. Called from ->mmap;
 * from elsewhere only if the area is VM_MIXEDMAP already. After an error the
 * pages before the culprit stay mapped.
 *
 * Return: 0; -EFAULT outside the area; -EINVAL for a page that may not be
 * mapped; -EBUSY where something is mapped already; -ENOMEM
 */
int vm_insert_pages(struct vm_area_struct *vma, unsigned long addr,
		    struct page **pages, unsigned long *num)
{
	unsigned long end;
	struct pt_edit e;
	int err = 0;

	if (!*num)
		return 0;
	addr &= PAGE_MASK;
	end = addr + (*num << PAGE_SHIFT);
	if (addr < vma->vm_start || end > vma->vm_end || end < addr)
		return -EFAULT;
	device_mixed(vma);
	if (pt_edit_open(&e, vma->vm_mm, addr, end))
		return -ENOMEM;
	while (*num && !err) {
		err = pt_edit_fill(&e);
		if (err)
			break;
		do {
			err = device_page_ok(vma, *pages) ?
				device_map_page(&e, vma, *pages) : -EINVAL;
			if (err)
				break;
			pages++;
			--*num;
		} while (pt_step(&e.c));
	}
	pt_edit_release(&e);
	return err;
}
EXPORT_SYMBOL(vm_insert_pages);

/**
 * vm_insert_page - map one page of a driver
 * @vma: where to
 * @addr: user address
 * @page: the page
 *
 * Return: as vm_insert_pages()
 */
int vm_insert_page(struct vm_area_struct *vma, unsigned long addr,
		   struct page *page)
{
	unsigned long one = 1;

	return vm_insert_pages(vma, addr, &page, &one);
}
EXPORT_SYMBOL(vm_insert_page);

/* Fill the whole area from @pages, leaving out the first @skip of @num. */
static int device_map_area(struct vm_area_struct *vma, struct page **pages,
			   unsigned long num, unsigned long skip)
{
	unsigned long want = vma_pages(vma);

	if (skip >= num || want > num - skip)
		return -ENXIO;
	return vm_insert_pages(vma, vma->vm_start, pages + skip, &want);
}

/**
 * vm_map_pages - map a driver's object from the area's offset on
 * @vma: the area, which is filled completely
 * @pages: all pages of the object
 * @num: how many there are
 *
 * Return: 0; -ENXIO if the object is too small; as vm_insert_pages()
 */
int vm_map_pages(struct vm_area_struct *vma, struct page **pages,
		 unsigned long num)
{
	return device_map_area(vma, pages, num, vma->vm_pgoff);
}
EXPORT_SYMBOL(vm_map_pages);

/**
 * vm_map_pages_zero - map a driver's object from its start on
 * @vma: the area; its offset is ignored
 * @pages: all pages of the object
 * @num: how many there are
 *
 * Return: as vm_map_pages()
 */
int vm_map_pages_zero(struct vm_area_struct *vma, struct page **pages,
		      unsigned long num)
{
	return device_map_area(vma, pages, num, 0);
}
EXPORT_SYMBOL(vm_map_pages_zero);

/* Map a frame, or let the area write to the one that is mapped. */
static vm_fault_t device_map_frame(struct vm_area_struct *vma,
				   unsigned long addr, unsigned long pfn,
				   pgprot_t prot, bool write)
{
	struct pt_edit e;
	pte_t entry;

	if (addr < vma->vm_start || addr >= vma->vm_end)
		return VM_FAULT_SIGBUS;
	if (!pfn_modify_allowed(pfn, prot))
		return VM_FAULT_SIGBUS;
	if (pt_edit_at(&e, vma->vm_mm, addr & PAGE_MASK))
		return VM_FAULT_OOM;

	entry = pt_get(&e.c);
	if (pte_none(entry)) {
		entry = pte_mkspecial(pfn_pte(pfn, prot));
		if (write)
			entry = maybe_mkwrite(pte_mkdirty(pte_mkyoung(entry)),
					      vma);
		pt_set(&e, entry, PT_UNCOUNTED);
		update_mmu_cache(vma, addr, e.c.pte);
	} else if (write && pte_pfn(entry) == pfn) {
		entry = maybe_mkwrite(pte_mkdirty(pte_mkyoung(entry)), vma);
		if (ptep_set_access_flags(vma, addr, e.c.pte, entry, 1))
			update_mmu_cache(vma, addr, e.c.pte);
	} else {
		/* Somebody was quicker; the access decides whether it will do. */
		WARN_ON_ONCE(write && !is_zero_pfn(pte_pfn(entry)));
	}
	pt_edit_release(&e);
	return VM_FAULT_NOPAGE;
}

/**
 * vmf_insert_pfn_prot - map a frame in a fault, with a protection of its own
 * @vma: a VM_PFNMAP area that is not private, or a VM_MIXEDMAP area if there
 *       is no page for @pfn
 * @addr: user address
 * @pfn: the frame
 * @pgprot: protection; other than the area's only in caching and encryption
 *
 * Return: VM_FAULT_NOPAGE; VM_FAULT_OOM; VM_FAULT_SIGBUS if not allowed
 */
vm_fault_t vmf_insert_pfn_prot(struct vm_area_struct *vma, unsigned long addr,
			       unsigned long pfn, pgprot_t pgprot)
{
	bool ok = false;

	if ((vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)) == VM_PFNMAP)
		ok = !is_cow_mapping(vma->vm_flags);
	else if (vma->vm_flags & VM_MIXEDMAP)
		ok = !(vma->vm_flags & VM_PFNMAP) && !pfn_valid(pfn);
	if (WARN_ON_ONCE(!ok))
		return VM_FAULT_SIGBUS;
	track_pfn_insert(vma, &pgprot, __pfn_to_pfn_t(pfn, PFN_DEV));
	return device_map_frame(vma, addr, pfn, pgprot, false);
}
EXPORT_SYMBOL(vmf_insert_pfn_prot);

/**
 * vmf_insert_pfn - map a frame in a fault
 * @vma: as for vmf_insert_pfn_prot()
 * @addr: user address
 * @pfn: the frame
 *
 * Return: VM_FAULT_*, to be handed on by ->fault
 */
vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr,
			  unsigned long pfn)
{
	return vmf_insert_pfn_prot(vma, addr, pfn, vma->vm_page_prot);
}
EXPORT_SYMBOL(vmf_insert_pfn);

static vm_fault_t device_map_mixed(struct vm_area_struct *vma,
				   unsigned long addr, pfn_t frame, bool write)
{
	unsigned long pfn = pfn_t_to_pfn(frame);
	pgprot_t prot = vma->vm_page_prot;

	/* What vm_normal_page() would not take for special is not mapped. */
	if (is_zero_pfn(pfn)) {
		if (write || !device_zero_allowed(vma))
			return VM_FAULT_SIGBUS;
	} else if (!(vma->vm_flags & VM_MIXEDMAP) && !pfn_t_special(frame)) {
		return VM_FAULT_SIGBUS;
	}
	track_pfn_insert(vma, &prot, frame);
	return device_map_frame(vma, addr, pfn, prot, write);
}

/**
 * vmf_insert_mixed - map a frame in a fault, with or without a page
 * @vma: a VM_MIXEDMAP area
 * @addr: user address
 * @pfn: the frame; a page behind it gets no reference
 *
 * Return: as vmf_insert_pfn()
 */
vm_fault_t vmf_insert_mixed(struct vm_area_struct *vma, unsigned long addr,
			    pfn_t pfn)
{
	return device_map_mixed(vma, addr, pfn, false);
}
EXPORT_SYMBOL(vmf_insert_mixed);

/**
 * vmf_insert_mixed_mkwrite - the same in a fault that writes
 * @vma: a VM_MIXEDMAP area
 * @addr: user address
 * @pfn: the frame; if it is mapped already, it becomes writable
 *
 * Return: as vmf_insert_pfn()
 */
vm_fault_t vmf_insert_mixed_mkwrite(struct vm_area_struct *vma,
				    unsigned long addr, pfn_t pfn)
{
	return device_map_mixed(vma, addr, pfn, true);
}

/* Entries for the frames from @pfn on; what was made stays after an error. */
static int device_map_range(struct vm_area_struct *vma, unsigned long addr,
			    unsigned long end, unsigned long pfn, pgprot_t prot)
{
	struct pt_edit e;
	int err;

	err = pt_edit_open(&e, vma->vm_mm, addr, end);
	while (!err && e.c.addr < end) {
		err = pt_edit_fill(&e);
		if (err)
			break;
		arch_enter_lazy_mmu_mode();
		do {
			if (WARN_ON_ONCE(!pte_none(pt_get(&e.c))))
				err = -EBUSY;
			else if (unlikely(!pfn_modify_allowed(pfn, prot)))
				err = -EACCES;
			if (unlikely(err))
				break;
			pt_set(&e, pte_mkspecial(pfn_pte(pfn, prot)),
			       PT_UNCOUNTED);
			pfn++;
		} while (pt_step(&e.c));
		arch_leave_lazy_mmu_mode();
		pt_edit_release(&e);
	}
	return err;
}

/**
 * remap_pfn_range_notrack - map a range of frames, caching already settled
 * @vma: the area, which becomes VM_PFNMAP
 * @addr: first address
 * @pfn: first frame
 * @size: bytes
 * @prot: protection
 *
 * A private area must be filled completely: its offset then tells which frame
 * belongs where, and what is not that frame is a copy.
 * Locks: mmap_lock for writing.
 *
 * Return: 0, or an error with nothing of the range mapped
 */
int remap_pfn_range_notrack(struct vm_area_struct *vma, unsigned long addr,
			    unsigned long pfn, unsigned long size,
			    pgprot_t prot)
{
	unsigned long end = addr + PAGE_ALIGN(size);
	int err;

	if (WARN_ON_ONCE(!PAGE_ALIGNED(addr) || end <= addr))
		return -EINVAL;
	if (is_cow_mapping(vma->vm_flags)) {
		if (addr != vma->vm_start || end != vma->vm_end)
			return -EINVAL;
		vma->vm_pgoff = pfn;
	}
	/* Nothing to read, grow or dump, and no pages behind the entries. */
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	flush_cache_range(vma, addr, end);
	err = device_map_range(vma, addr, end, pfn, prot);
	/* The driver frees the frames after an error: none may stay mapped. */
	if (unlikely(err))
		zap_page_range_single(vma, addr, end - addr, NULL);
	return err;
}

/**
 * remap_pfn_range - map a range of frames
 * @vma: the area, which becomes VM_PFNMAP
 * @addr: first address
 * @pfn: first frame
 * @size: bytes
 * @prot: protection; caching follows how the frames are mapped elsewhere
 *
 * Locks: mmap_lock for writing.
 *
 * Return: as remap_pfn_range_notrack()
 */
int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr,
		    unsigned long pfn, unsigned long size, pgprot_t prot)
{
	unsigned long len = PAGE_ALIGN(size);
	int err;

	if (track_pfn_remap(vma, &prot, pfn, addr, len))
		return -EINVAL;
	err = remap_pfn_range_notrack(vma, addr, pfn, size, prot);
	if (unlikely(err))
		untrack_pfn(vma, pfn, len, true);
	return err;
}
EXPORT_SYMBOL(remap_pfn_range);

/**
 * vm_iomap_memory - map a device's memory from the area's offset on
 * @vma: the area, which is filled completely
 * @start: physical address of the memory, need not be aligned
 * @len: its bytes
 *
 * Return: 0; -EINVAL if the memory does not reach; as remap_pfn_range()
 */
int vm_iomap_memory(struct vm_area_struct *vma, phys_addr_t start,
		    unsigned long len)
{
	unsigned long pfn = start >> PAGE_SHIFT;
	unsigned long skip = vma->vm_pgoff;
	unsigned long frames;

	if (start + len < start)
		return -EINVAL;
	frames = PFN_UP(offset_in_page(start) + len);
	if (pfn + frames < pfn || skip > frames)
		return -EINVAL;
	if (vma_pages(vma) > frames - skip)
		return -EINVAL;
	return io_remap_pfn_range(vma, vma->vm_start, pfn + skip,
				  vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}
EXPORT_SYMBOL(vm_iomap_memory);
