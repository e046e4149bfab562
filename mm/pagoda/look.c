// SPDX-License-Identifier: GPL-2.0
/*
 * What an area is: the protection of its pages, who must hear of writes to
 * them, and whose anon_vma it may share.
 *
 * Lock rules: mmap_lock held, for writing in vma_set_page_prot().
 */
#include <linux/backing-dev.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>

#include "area.h"

/* Can pages be written through the area that others see too? */
static bool writes_through(struct vm_area_struct *vma)
{
	return !(~vma->vm_flags & (VM_WRITE | VM_SHARED));
}

static bool hears_of_writes(struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops;

	return ops && (ops->page_mkwrite || ops->pfn_mkwrite);
}

/* Does the kernel write the area's pages back to where they came from? */
static bool writes_back(struct vm_area_struct *vma)
{
	struct address_space *mapping;

	if ((vma->vm_flags & VM_PFNMAP) || !vma->vm_file)
		return false;
	mapping = vma->vm_file->f_mapping;
	return mapping && mapping_can_writeback(mapping);
}

/**
 * vma_needs_dirty_tracking - must pages be known that were written to?
 * @vma: the area
 */
bool vma_needs_dirty_tracking(struct vm_area_struct *vma)
{
	return writes_through(vma) &&
	       (hears_of_writes(vma) || writes_back(vma));
}

/**
 * vma_wants_writenotify - must the first write to a page fault?
 * @vma: the area
 * @vm_page_prot: the protection that its entries would have
 */
bool vma_wants_writenotify(struct vm_area_struct *vma, pgprot_t vm_page_prot)
{
	pgprot_t plain = vm_pgprot_modify(vm_page_prot, vma->vm_flags);

	if (!writes_through(vma))
		return false;
	if (hears_of_writes(vma))
		return true;
	/* A driver that has set its own protection knows what it does. */
	return pgprot_val(plain) == pgprot_val(vm_page_prot) &&
	       writes_back(vma);
}

/**
 * vma_set_page_prot - let the protection of pages follow the area's flags
 * @vma: the area
 */
void vma_set_page_prot(struct vm_area_struct *vma)
{
	pgprot_t prot = vm_pgprot_modify(vma->vm_page_prot, vma->vm_flags);

	/* As if private: entries come without write permission. */
	if (vma_wants_writenotify(vma, prot))
		prot = vm_pgprot_modify(prot, vma->vm_flags & ~VM_SHARED);
	/* Read without mmap_lock where entries are made from it. */
	WRITE_ONCE(vma->vm_page_prot, prot);
}

/*
 * Might @below and @above be one area, but for what mprotect() can change?
 * Then they should share an anon_vma, or they could never merge.
 */
static bool could_be_one(struct vm_area_struct *below,
			 struct vm_area_struct *above)
{
	return below->vm_end == above->vm_start &&
	       below->vm_pgoff + vma_pages(below) == above->vm_pgoff &&
	       below->vm_file == above->vm_file &&
	       !((below->vm_flags ^ above->vm_flags) & ~VM_ACCESS_FLAGS);
}

/*
 * The anon_vma of a neighbour, if a fork has not made it complex. It may just
 * be in the making by another fault; what is seen of it then is as good.
 */
static struct anon_vma *simple_anon_vma(struct vm_area_struct *vma)
{
	/* Pairs with the store that publishes an anon_vma made by a fault. */
	struct anon_vma *anon_vma = READ_ONCE(vma->anon_vma);

	return anon_vma && list_is_singular(&vma->anon_vma_chain) ? anon_vma :
								    NULL;
}

/**
 * find_mergeable_anon_vma - find an anon_vma for an area among its neighbours
 * @vma: an area without one
 *
 * Context: mmap_lock held, for reading at least.
 * Return: a neighbour's, or NULL.
 */
struct anon_vma *find_mergeable_anon_vma(struct vm_area_struct *vma)
{
	VMA_ITERATOR(vmi, vma->vm_mm, vma->vm_start);
	struct anon_vma *found = NULL;
	struct vm_area_struct *near;
	struct ma_state side;

	mas_walk(&vmi.mas);
	side = vmi.mas;
	near = mas_next_range(&side, ULONG_MAX);
	if (near && could_be_one(vma, near))
		found = simple_anon_vma(near);
	if (found)
		return found;
	near = mas_prev_range(&vmi.mas, 0);
	if (near && could_be_one(near, vma))
		found = simple_anon_vma(near);
	return found;
}
