// SPDX-License-Identifier: GPL-2.0
/*
 * munmap: give back an area, or pages of anonymous memory.
 *
 * A file's area goes as a whole. An anonymous one may lose pages at either
 * end, which are free at once, or in the middle, which makes two of it.
 */
#define pr_fmt(fmt) "nommu: " fmt

#include <linux/export.h>
#include <linux/ratelimit.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/syscalls.h>

#include "nommu.h"

/* Forget part of an area in its tree: 0, or -ENOMEM with nothing changed. */
static int unmap_store(struct vm_area_struct *area, unsigned long start,
		       unsigned long end)
{
	MA_STATE(mas, &area->vm_mm->mm_mt, start, end - 1);

	return mas_store_gfp(&mas, NULL, GFP_KERNEL);
}

/* Give back the beginning of an area, or its end with what lies behind. */
static int unmap_side(struct vm_area_struct *area, unsigned long start,
		      unsigned long end)
{
	struct vm_region *region = area->vm_region;

	if (unmap_store(area, start, end))
		return -ENOMEM;
	down_write(&nommu_region_sem);
	if (start == area->vm_start) {
		region_unlink(region);
		area->vm_start = end;
		region->vm_start = end;
		region_link(region);
	} else {
		area->vm_end = start;
		end = region->vm_top;
		region->vm_end = start;
		region->vm_top = start;
	}
	up_write(&nommu_region_sem);
	return 0;
}

/* The part of @area from @start on, as an area and a region of their own. */
static struct vm_area_struct *unmap_upper(struct vm_area_struct *area,
					  unsigned long start)
{
	unsigned long pages = (start - area->vm_start) >> PAGE_SHIFT;
	struct vm_region *region, *whole = area->vm_region;
	struct vm_area_struct *upper = vm_area_dup(area);

	if (!upper)
		return NULL;
	region = region_new(NULL, whole->vm_pgoff + pages, whole->vm_flags);
	if (!region) {
		vm_area_free(upper);
		return NULL;
	}
	region->vm_start = start;
	region->vm_end = whole->vm_end;
	region->vm_top = whole->vm_top;
	region->vm_icache_flushed = whole->vm_icache_flushed;
	upper->vm_region = region;
	upper->vm_start = start;
	upper->vm_pgoff += pages;
	return upper;
}

/* Give back pages in the middle of an area. */
static int unmap_middle(struct vm_area_struct *area, unsigned long start,
			unsigned long end)
{
	MA_STATE(mas, &area->vm_mm->mm_mt, end, area->vm_end - 1);
	struct vm_region *region = area->vm_region;
	struct mm_struct *mm = area->vm_mm;
	struct vm_area_struct *upper;

	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	upper = unmap_upper(area, end);
	if (!upper)
		return -ENOMEM;
	if (unmap_store(area, start, end)) {
		region_forget(upper->vm_region);
		vm_area_free(upper);
		return -ENOMEM;
	}
	/* An entry with just these bounds is there: no memory is needed. */
	WARN_ON(mas_store_gfp(&mas, upper, GFP_KERNEL | __GFP_NOFAIL));
	mm->map_count++;
	down_write(&nommu_region_sem);
	area->vm_end = start;
	region->vm_end = start;
	region->vm_top = start;
	region_link(upper->vm_region);
	up_write(&nommu_region_sem);
	return 0;
}

/* Pages of an anonymous area, not all of them. */
static int unmap_part(struct vm_area_struct *area, unsigned long start,
		      unsigned long end)
{
	unsigned long top = end == area->vm_end ? area->vm_region->vm_top : end;
	int err;

	if (start < area->vm_start || end > area->vm_end)
		return -EINVAL;
	if (offset_in_page(start) || (end != area->vm_end && offset_in_page(end)))
		return -EINVAL;
	if (start == area->vm_start || end == area->vm_end)
		err = unmap_side(area, start, end);
	else
		err = unmap_middle(area, start, end);
	if (err)
		return err;
	area->vm_mm->total_vm -= (end - start) >> PAGE_SHIFT;
	copy_free(start, top);
	return 0;
}

/**
 * do_munmap - give back what is mapped in a range
 * @mm: the address space
 * @start: first address
 * @len: bytes
 * @uf: not used
 *
 * The range must be one area, or pages of one anonymous area.
 *
 * Locks: mmap_lock held for writing.
 *
 * Return: 0; -EINVAL if the range is nothing that can be given back, -ENOMEM
 * with nothing changed.
 */
int do_munmap(struct mm_struct *mm, unsigned long start, size_t len,
	      struct list_head *uf)
{
	struct vm_area_struct *area;
	unsigned long end;

	len = PAGE_ALIGN(len);
	if (!len || start + len <= start)
		return -EINVAL;
	end = start + len;
	area = area_exact(mm, start, end);
	if (area)
		return area_remove(area);
	area = find_vma_intersection(mm, start, end);
	if (!area) {
		pr_info_ratelimited("%s[%d]: munmap of %lx-%lx, which is not mapped\n",
				    current->comm, current->pid, start, end);
		return -EINVAL;
	}
	return area->vm_file ? -EINVAL : unmap_part(area, start, end);
}

/**
 * vm_munmap - as do_munmap(), in the current address space
 * @addr: first address
 * @len: bytes
 *
 * Locks: takes mmap_lock. Return: as do_munmap().
 */
int vm_munmap(unsigned long addr, size_t len)
{
	struct mm_struct *mm = current->mm;
	int err;

	mmap_write_lock(mm);
	err = do_munmap(mm, addr, len, NULL);
	mmap_write_unlock(mm);
	return err;
}
EXPORT_SYMBOL(vm_munmap);

SYSCALL_DEFINE2(munmap, unsigned long, addr, size_t, len)
{
	return vm_munmap(addr, len);
}
