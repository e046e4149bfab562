// SPDX-License-Identifier: GPL-2.0
/*
 * Copies: physical memory that is allocated for a mapping.
 *
 * It must be one run of pages, and the page allocator hands out powers of two.
 * What is too much is given back page by page, or kept for the life of the
 * mapping where that would leave memory in crumbs: vm.nr_trim_pages says how
 * much there has to be to spare.
 */
#define pr_fmt(fmt) "nommu: " fmt

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>

#include "nommu.h"

int sysctl_nr_trim_pages = CONFIG_NOMMU_INITIAL_TRIM_EXCESS;

/* Pages in all copies; MmapCopy in /proc/meminfo. */
atomic_long_t mmap_pages_allocated;

/* Pages to have for @pages that are wanted. */
static unsigned long copy_size(unsigned long pages)
{
	unsigned long whole = roundup_pow_of_two(pages);
	int spare = READ_ONCE(sysctl_nr_trim_pages);

	return spare > 0 && whole - pages >= spare ? pages : whole;
}

/**
 * copy_make - give a region memory of its own
 * @region: the region, in no tree
 * @len: bytes, whole pages
 * @zero: clear it
 *
 * Return: 0 or -ENOMEM.
 */
int copy_make(struct vm_region *region, unsigned long len, bool zero)
{
	unsigned long pages = copy_size(len >> PAGE_SHIFT);
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | (zero ? __GFP_ZERO : 0);
	void *memory;

	/* A multiplication that wraps would be a mapping far too small. */
	if (pages > ULONG_MAX >> PAGE_SHIFT)
		return -ENOMEM;
	memory = alloc_pages_exact(pages << PAGE_SHIFT, gfp);
	if (!memory) {
		pr_info_ratelimited("%s[%d]: no %lu KiB in one piece\n",
				    current->comm, current->pid, len >> 10);
		return -ENOMEM;
	}
	atomic_long_add(pages, &mmap_pages_allocated);
	region->vm_flags |= VM_MAPPED_COPY;
	region->vm_start = (unsigned long)memory;
	region->vm_end = region->vm_start + len;
	region->vm_top = region->vm_start + (pages << PAGE_SHIFT);
	return 0;
}

/**
 * copy_read - read a region's file into its memory
 * @region: the region, in no tree; the file may end earlier
 *
 * Return: 0, or the error of reading.
 */
int copy_read(struct vm_region *region)
{
	size_t len = region->vm_end - region->vm_start, done = 0;
	loff_t at = (loff_t)region->vm_pgoff << PAGE_SHIFT;
	void *memory = (void *)region->vm_start;
	ssize_t got;

	do {
		got = kernel_read(region->vm_file, memory + done, len - done,
				  &at);
		if (got < 0)
			return got;
		done += got;
	} while (got && done < len);
	memset(memory + done, 0, len - done);
	return 0;
}

/**
 * copy_free - give memory of a copy back
 * @start: first address
 * @end: behind the last one; whole pages
 *
 * A page that somebody has pinned stays until it is unpinned.
 */
void copy_free(unsigned long start, unsigned long end)
{
	struct page *page = virt_to_page((void *)start);
	unsigned long left = (end - start) >> PAGE_SHIFT;

	atomic_long_sub(left, &mmap_pages_allocated);
	for (; left; left--)
		put_page(page++);
}
