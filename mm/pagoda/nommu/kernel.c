// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel memory: vmalloc where nothing can be put together from single pages.
 *
 * It is kmalloc then, and as large an allocation as that may fail. How large a
 * piece of memory is can be asked of its address.
 */
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "nommu.h"

/* What the caller says of memory, as kmalloc wants it. */
static gfp_t kernel_gfp(gfp_t gfp)
{
	return (gfp & ~__GFP_HIGHMEM) | __GFP_COMP;
}

static void *kernel_memory(unsigned long size)
{
	return kmalloc_noprof(size, kernel_gfp(GFP_KERNEL));
}

static void *kernel_zeroes(unsigned long size)
{
	return kmalloc_noprof(size, kernel_gfp(GFP_KERNEL | __GFP_ZERO));
}

/* Of a node, of which there is one. */
void *vzalloc_node_noprof(unsigned long size, int node)
{
	return kernel_zeroes(size);
}
EXPORT_SYMBOL(vzalloc_node_noprof);

/* At 32-bit addresses, which is what such machines have. */
void *vmalloc_32_user_noprof(unsigned long size)
{
	return kernel_zeroes(size);
}
EXPORT_SYMBOL(vmalloc_32_user_noprof);

/* Memory that may sleep to come. */
void *vmalloc_noprof(unsigned long size)
{
	return kernel_memory(size);
}
EXPORT_SYMBOL(vmalloc_noprof);

/* For user programs to see. */
void *vmalloc_user_noprof(unsigned long size)
{
	return kernel_zeroes(size);
}
EXPORT_SYMBOL(vmalloc_user_noprof);

/* Of a node. */
void *vmalloc_node_noprof(unsigned long size, int node)
{
	return kernel_memory(size);
}
EXPORT_SYMBOL(vmalloc_node_noprof);

/* Of zeroes. */
void *vzalloc_noprof(unsigned long size)
{
	return kernel_zeroes(size);
}
EXPORT_SYMBOL(vzalloc_noprof);

/* At 32-bit addresses. */
void *vmalloc_32_noprof(unsigned long size)
{
	return kernel_memory(size);
}
EXPORT_SYMBOL(vmalloc_32_noprof);

/* As __vmalloc_noprof(): all of it is one piece anyway. */
void *vmalloc_huge_noprof(unsigned long size, gfp_t gfp_mask)
{
	return kmalloc_noprof(size, kernel_gfp(gfp_mask));
}

/* Neither the place nor the rights can be chosen. */
void *__vmalloc_node_range_noprof(unsigned long size, unsigned long align,
				  unsigned long from, unsigned long to,
				  gfp_t gfp, pgprot_t rights,
				  unsigned long how, int node, const void *who)
{
	return vmalloc_huge_noprof(size, gfp);
}

/* Nor the alignment. */
void *__vmalloc_node_noprof(unsigned long size, unsigned long align, gfp_t gfp,
			    int node, const void *who)
{
	return vmalloc_huge_noprof(size, gfp);
}

/**
 * __vmalloc_noprof - allocate memory
 * @size: bytes
 * @gfp_mask: how
 *
 * Return: it, or NULL.
 */
void *__vmalloc_noprof(unsigned long size, gfp_t gfp_mask)
{
	return vmalloc_huge_noprof(size, gfp_mask);
}
EXPORT_SYMBOL(__vmalloc_noprof);

/* Change the size of memory, moving it if need be. */
void *vrealloc_noprof(const void *p, size_t size, gfp_t flags)
{
	return krealloc_noprof(p, size, kernel_gfp(flags));
}

/* Give back what any of the above has returned. */
void vfree(const void *addr)
{
	kfree(addr);
}
EXPORT_SYMBOL(vfree);

/* The page of an address in such memory. */
struct page *vmalloc_to_page(const void *addr)
{
	return virt_to_page(addr);
}
EXPORT_SYMBOL(vmalloc_to_page);

/* Its number. */
unsigned long vmalloc_to_pfn(const void *addr)
{
	return page_to_pfn(vmalloc_to_page(addr));
}
EXPORT_SYMBOL(vmalloc_to_pfn);

/* Copy kernel memory for /proc/kcore; up to the end of what there is. */
long vread_iter(struct iov_iter *iter, const char *addr, size_t count)
{
	size_t most = -(unsigned long)addr;

	return copy_to_iter(addr, most ? min(count, most) : count, iter);
}

/**
 * kobjsize - how large is the piece of memory that an address is in?
 * @objp: the address
 *
 * For what /proc says of a process's memory, which is an estimate.
 *
 * Return: bytes; 0 if there is no memory.
 */
unsigned int kobjsize(const void *objp)
{
	struct vm_area_struct *area = NULL;
	struct folio *folio;

	if (!objp || !virt_addr_valid(objp))
		return 0;
	folio = virt_to_folio(objp);
	if (folio_test_slab(folio))
		return ksize(objp);
	if (!folio_test_large(folio) && current->mm)
		area = find_vma(current->mm, (unsigned long)objp);
	return area ? area->vm_end - area->vm_start : folio_size(folio);
}
