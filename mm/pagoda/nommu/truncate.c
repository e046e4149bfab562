// SPDX-License-Identifier: GPL-2.0
/*
 * Truncate: a file whose memory is mapped is about to become shorter.
 *
 * Without an MMU the memory cannot be taken away under those who use it, so
 * the truncation fails instead.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/rwsem.h>

#include "nommu.h"

/* May the file be cut down to @pages pages? Holds i_mmap_rwsem. */
static bool truncate_in_use(struct address_space *mapping, pgoff_t pages,
			    pgoff_t last)
{
	struct vm_area_struct *area;

	vma_interval_tree_foreach(area, &mapping->i_mmap, pages, last) {
		if (!region_is_copy(area->vm_region))
			return true;
	}
	return false;
}

/* Regions do not reach beyond the file: nobody is to share what is cut off. */
static void truncate_regions(struct address_space *mapping, size_t size)
{
	struct vm_area_struct *area;

	vma_interval_tree_foreach(area, &mapping->i_mmap, 0, ULONG_MAX) {
		struct vm_region *region = area->vm_region;
		size_t from = region->vm_pgoff << PAGE_SHIFT;

		if (region_is_copy(region) || from >= size)
			continue;
		size -= from;
		if (region->vm_top - region->vm_start > size)
			region->vm_top = region->vm_start + size;
		if (region->vm_end > region->vm_top)
			region->vm_end = region->vm_top;
		size += from;
	}
}

/**
 * nommu_shrink_inode_mappings - may a file be truncated?
 * @inode: the file
 * @size: its size in bytes
 * @newsize: its size to be, less than @size
 *
 * A page that keeps some bytes counts as cut off.
 *
 * Locks: takes nommu_region_sem and i_mmap_rwsem.
 *
 * Return: 0, or -ETXTBSY if a process has pages mapped, not a copy of them,
 * that would go.
 */
int nommu_shrink_inode_mappings(struct inode *inode, size_t size,
				size_t newsize)
{
	struct address_space *mapping = inode->i_mapping;
	int err = 0;

	down_write(&nommu_region_sem);
	i_mmap_lock_read(mapping);
	if (truncate_in_use(mapping, newsize >> PAGE_SHIFT,
			    (size - 1) >> PAGE_SHIFT))
		err = -ETXTBSY;
	else
		truncate_regions(mapping, PAGE_ALIGN(newsize));
	i_mmap_unlock_read(mapping);
	up_write(&nommu_region_sem);
	return err;
}
