// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a driver for KUnit, see buffer.h.
 *
 * Guarantees: file and folio live until the case's address spaces are gone.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>

#include <kunit/resource.h>

#include "buffer.h"

static vm_fault_t buffer_begin(struct umm_buffer *d, struct vm_fault *vmf)
{
	d->flags = vmf->flags;
	return d->before ? d->before(d, vmf) : 0;
}

static vm_fault_t buffer_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct umm_buffer *d = vma->vm_private_data;
	struct page *page;
	vm_fault_t ret;

	d->faults++;
	ret = buffer_begin(d, vmf);
	if (ret)
		return ret;
	if (vmf->pgoff >= UMM_BUFFER_PAGES)
		return VM_FAULT_SIGBUS;
	page = folio_page(d->folio, vmf->pgoff);
	switch (d->how) {
	case UMM_FRAMES:
	case UMM_FRAMES_NOTIFY:
		return vmf_insert_pfn(vma, vmf->address, page_to_pfn(page));
	case UMM_MIXED:
	case UMM_MIXED_NOTIFY:
		return vmf_insert_mixed(vma, vmf->address,
					pfn_to_pfn_t(page_to_pfn(page)));
	default:
		get_page(page);
		vmf->page = page;
		return 0;
	}
}

static vm_fault_t buffer_notice(struct vm_fault *vmf)
{
	struct umm_buffer *d = vmf->vma->vm_private_data;
	vm_fault_t ret;

	d->notices++;
	ret = buffer_begin(d, vmf);
	if (ret)
		return ret;
	if (d->how != UMM_PAGES_NOTIFY)
		return 0;
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct buffer_ops = {
	.fault = buffer_fault,
};

static const struct vm_operations_struct buffer_pages_ops = {
	.fault = buffer_fault,
	.page_mkwrite = buffer_notice,
};

static const struct vm_operations_struct buffer_frames_ops = {
	.fault = buffer_fault,
	.pfn_mkwrite = buffer_notice,
};

static int buffer_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct umm_buffer *d = file->private_data;

	vma->vm_private_data = d;
	vma->vm_ops = &buffer_ops;
	switch (d->how) {
	case UMM_PAGES_NOTIFY:
		vma->vm_ops = &buffer_pages_ops;
		break;
	case UMM_FRAMES_NOTIFY:
		vma->vm_ops = &buffer_frames_ops;
		fallthrough;
	case UMM_FRAMES:
		vm_flags_set(vma, VM_PFNMAP);
		break;
	case UMM_MIXED_NOTIFY:
		vma->vm_ops = &buffer_frames_ops;
		fallthrough;
	case UMM_MIXED:
		vm_flags_set(vma, VM_MIXEDMAP);
		break;
	case UMM_REMAP:
		return remap_pfn_range(vma, vma->vm_start,
				       folio_pfn(d->folio) + vma->vm_pgoff,
				       vma->vm_end - vma->vm_start,
				       vma->vm_page_prot);
	default:
		break;
	}
	return 0;
}

static const struct file_operations buffer_fops = {
	.mmap = buffer_mmap,
};

static void buffer_put(void *folio)
{
	((struct folio *)folio)->mapping = NULL;
	folio_put(folio);
}

/**
 * umm_buffer() - new memory of a driver
 * @test: the case, at whose end it goes away
 * @how: what it maps
 *
 * Return: the memory.
 */
struct umm_buffer *umm_buffer(struct kunit *test, enum umm_buffer_how how)
{
	struct umm_buffer *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->how = how;
	d->file = umm_ramfs(test, UMM_BUFFER_PAGES);
	d->file->f_op = &buffer_fops;
	d->file->private_data = d;
	d->folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, UMM_BUFFER_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, d->folio);
	d->folio->mapping = d->file->f_mapping;
	d->folio->index = 0;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, buffer_put,
							d->folio), 0);
	for (i = 0; i < UMM_BUFFER_PAGES; i++) {
		umm_buffer_word(d, i)[0] = 10 + i;
		umm_buffer_word(d, i + 1)[-1] = 10 + i;
	}
	return d;
}

/**
 * umm_buffer_map() - map part of it at its place from UMM_BASE
 * @d: the memory
 * @first: the first page to map
 * @pages: how many
 * @flags: MAP_SHARED or MAP_PRIVATE
 *
 * Return: the address, or an error.
 */
unsigned long umm_buffer_map(struct umm_buffer *d, unsigned long first,
			     unsigned long pages, int flags)
{
	return vm_mmap(d->file, UMM_BASE + (first << PAGE_SHIFT),
		       pages << PAGE_SHIFT, UMM_RW, flags | MAP_FIXED,
		       first << PAGE_SHIFT);
}

/**
 * umm_buffer_word() - a page of it, as the driver sees it
 * @d: the memory
 * @page: which
 *
 * Return: its first word.
 */
unsigned long *umm_buffer_word(struct umm_buffer *d, unsigned long page)
{
	return folio_address(d->folio) + (page << PAGE_SHIFT);
}

/**
 * umm_buffer_retry() - a @before that has the first fault repeated
 * @d: the memory
 * @vmf: the fault
 *
 * Return: VM_FAULT_RETRY, with the lock dropped if it may be, or 0.
 */
vm_fault_t umm_buffer_retry(struct umm_buffer *d, struct vm_fault *vmf)
{
	if (d->faults != 1 || !(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return 0;
	if (!(vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		release_fault_lock(vmf);
	return VM_FAULT_RETRY;
}
