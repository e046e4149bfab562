// SPDX-License-Identifier: GPL-2.0
/*
 * Absent: what cannot be done without an MMU.
 *
 * What programs can bring about fails with an error. What only a driver with
 * page tables in mind would call is a bug in that driver's dependencies, and
 * says so. Mapping at the address where memory is needs no tables and works.
 */
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/vmalloc.h>

#include "nommu.h"

int heap_stack_gap;

/* A stack has the size that exec gave it. */
int expand_stack_locked(struct vm_area_struct *vma, unsigned long addr)
{
	return -ENOMEM;
}

/* The same, for who holds mmap_lock for reading; drops it. */
struct vm_area_struct *expand_stack(struct mm_struct *mm, unsigned long addr)
{
	mmap_read_unlock(mm);
	return NULL;
}

/**
 * remap_pfn_range - map a device's memory where it is
 * @vma: the area
 * @addr: where it should appear
 * @pfn: its first frame
 * @size: bytes
 * @prot: rights, which nothing enforces
 *
 * Return: 0, or -EINVAL if it should appear elsewhere.
 */
int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr,
		    unsigned long pfn, unsigned long size, pgprot_t prot)
{
	if (PFN_PHYS(pfn) != addr)
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTDUMP | VM_DONTEXPAND);
	return 0;
}
EXPORT_SYMBOL(remap_pfn_range);

/* As remap_pfn_range(), of the area's part of memory that begins at @start. */
int vm_iomap_memory(struct vm_area_struct *vma, phys_addr_t start,
		    unsigned long len)
{
	return io_remap_pfn_range(vma, vma->vm_start,
				  PHYS_PFN(start) + vma->vm_pgoff,
				  vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}
EXPORT_SYMBOL(vm_iomap_memory);

/* Move an area to kernel memory that was made for this, from page @pgoff on. */
int remap_vmalloc_range(struct vm_area_struct *vma, void *addr,
			unsigned long pgoff)
{
	unsigned long len = vma->vm_end - vma->vm_start;

	if (!(vma->vm_flags & VM_USERMAP))
		return -EINVAL;
	vma->vm_start = (unsigned long)addr + (pgoff << PAGE_SHIFT);
	vma->vm_end = vma->vm_start + len;
	return 0;
}
EXPORT_SYMBOL(remap_vmalloc_range);

/* Pages from here and there do not make an area. */
int vm_map_pages_zero(struct vm_area_struct *vma, struct page **pages,
		      unsigned long num)
{
	return -EINVAL;
}
EXPORT_SYMBOL(vm_map_pages_zero);

/* Pinning the folios of shmem, which there is not: memfds are of ramfs. */
long memfd_pin_folios(struct file *memfd, loff_t start, loff_t end,
		      struct folio **folios, unsigned int max_folios,
		      pgoff_t *offset)
{
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(memfd_pin_folios);

/* Nor do such as come one by one. */
int vm_insert_pages(struct vm_area_struct *vma, unsigned long addr,
		    struct page **pages, unsigned long *num)
{
	return -EINVAL;
}
EXPORT_SYMBOL(vm_insert_pages);

int vm_insert_page(struct vm_area_struct *vma, unsigned long addr,
		   struct page *page)
{
	return -EINVAL;
}
EXPORT_SYMBOL(vm_insert_page);

int vm_map_pages(struct vm_area_struct *vma, struct page **pages,
		 unsigned long num)
{
	return -EINVAL;
}
EXPORT_SYMBOL(vm_map_pages);

/* There are no page faults. */
vm_fault_t filemap_fault(struct vm_fault *vmf)
{
	WARN_ON_ONCE(1);
	return VM_FAULT_SIGBUS;
}
EXPORT_SYMBOL(filemap_fault);

vm_fault_t filemap_map_pages(struct vm_fault *vmf, pgoff_t start_pgoff,
			     pgoff_t end_pgoff)
{
	WARN_ON_ONCE(1);
	return 0;
}
EXPORT_SYMBOL(filemap_map_pages);

/* The kernel has no addresses but those of memory. */
void *vmap(struct page **pages, unsigned int count, unsigned long flags,
	   pgprot_t prot)
{
	WARN_ON_ONCE(1);
	return NULL;
}
EXPORT_SYMBOL(vmap);

void vunmap(const void *addr)
{
	WARN_ON_ONCE(1);
}
EXPORT_SYMBOL(vunmap);

void *vm_map_ram(struct page **pages, unsigned int count, int node)
{
	WARN_ON_ONCE(1);
	return NULL;
}
EXPORT_SYMBOL(vm_map_ram);

void vm_unmap_ram(const void *mem, unsigned int count)
{
	WARN_ON_ONCE(1);
}
EXPORT_SYMBOL(vm_unmap_ram);

void free_vm_area(struct vm_struct *area)
{
	WARN_ON_ONCE(1);
}
EXPORT_SYMBOL_GPL(free_vm_area);

/* Nothing is left over anywhere. */
void vm_unmap_aliases(void)
{
}
EXPORT_SYMBOL_GPL(vm_unmap_aliases);
