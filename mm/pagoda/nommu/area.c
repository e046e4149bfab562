// SPDX-License-Identifier: GPL-2.0
/*
 * Areas: what a process has mapped, in the tree of its address space and in
 * those of the files.
 *
 * A change first gets the memory that the tree may need, then happens as a
 * whole. Areas of one process do not overlap.
 *
 * Locks: mmap_lock held for writing to change, for reading to look.
 */
#include <linux/cacheflush.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "nommu.h"

/* What drivers and file systems name as the operations of a plain file's area. */
const struct vm_operations_struct generic_file_vm_ops = { };

/**
 * find_vma - the area that an address is in
 * @mm: the address space
 * @addr: the address
 *
 * Not the next one above, as with an MMU: what lies there is another
 * program's. Return: the area or NULL.
 */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	return mtree_load(&mm->mm_mt, addr);
}
EXPORT_SYMBOL(find_vma);

/**
 * find_vma_intersection - the first area that a range touches
 * @mm: the address space
 * @start_addr: first address
 * @end_addr: behind the last one
 *
 * Return: the area or NULL.
 */
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm,
					     unsigned long start_addr,
					     unsigned long end_addr)
{
	MA_STATE(mas, &mm->mm_mt, start_addr, start_addr);

	mmap_assert_locked(mm);
	return mas_find(&mas, end_addr - 1);
}
EXPORT_SYMBOL(find_vma_intersection);

/**
 * lock_mm_and_find_vma - the area of an address that the hardware refused
 * @mm: the address space
 * @addr: the address
 * @regs: at the fault
 *
 * There are no stacks to grow. Return: the area, mmap_lock then held for
 * reading, or NULL.
 */
struct vm_area_struct *lock_mm_and_find_vma(struct mm_struct *mm,
					    unsigned long addr,
					    struct pt_regs *regs)
{
	struct vm_area_struct *area;

	mmap_read_lock(mm);
	area = find_vma(mm, addr);
	if (!area)
		mmap_read_unlock(mm);
	return area;
}

/**
 * area_exact - the area with just these bounds
 * @mm: the address space
 * @start: its first address
 * @end: behind its last one
 *
 * Return: the area or NULL.
 */
struct vm_area_struct *area_exact(struct mm_struct *mm, unsigned long start,
				  unsigned long end)
{
	struct vm_area_struct *area = find_vma(mm, start);

	return area && area->vm_start == start && area->vm_end == end ?
		area : NULL;
}

/**
 * area_overlaps - does something lie in a range already?
 * @mm: the address space
 * @start: first address
 * @end: behind the last one
 *
 * Return: whether an area does.
 */
bool area_overlaps(struct mm_struct *mm, unsigned long start,
		   unsigned long end)
{
	return find_vma_intersection(mm, start, end);
}

/* Lock the areas of the file that @area maps; NULL, not locked, without one. */
static struct address_space *area_lock_file(struct vm_area_struct *area)
{
	struct address_space *mapping;

	if (!area->vm_file)
		return NULL;
	mapping = area->vm_file->f_mapping;
	i_mmap_lock_write(mapping);
	flush_dcache_mmap_lock(mapping);
	return mapping;
}

static void area_unlock_file(struct address_space *mapping)
{
	flush_dcache_mmap_unlock(mapping);
	i_mmap_unlock_write(mapping);
}

/**
 * area_join_file - let the areas of a file include one
 * @area: the area; nothing is done if it has no file
 *
 * Locks: takes i_mmap_rwsem.
 */
void area_join_file(struct vm_area_struct *area)
{
	struct address_space *mapping = area_lock_file(area);

	if (!mapping)
		return;
	vma_interval_tree_insert(area, &mapping->i_mmap);
	area_unlock_file(mapping);
}

/**
 * area_leave_file - undo area_join_file(), as before bounds change
 * @area: the area
 *
 * Locks: takes i_mmap_rwsem.
 */
void area_leave_file(struct vm_area_struct *area)
{
	struct address_space *mapping = area_lock_file(area);

	if (!mapping)
		return;
	vma_interval_tree_remove(area, &mapping->i_mmap);
	area_unlock_file(mapping);
}

/**
 * area_prepare - have what publishing an area in its bounds needs
 * @mas: state of the tree of its address space; what it holds goes with
 *	area_publish() or mas_destroy()
 * @area: the area
 *
 * Return: 0 or -ENOMEM.
 */
int area_prepare(struct ma_state *mas, struct vm_area_struct *area)
{
	mas_set_range(mas, area->vm_start, area->vm_end - 1);
	return mas_preallocate(mas, area, GFP_KERNEL);
}

/**
 * area_publish - make an area part of its address space; cannot fail
 * @mas: prepared by area_prepare()
 * @area: the area, with its region
 */
void area_publish(struct ma_state *mas, struct vm_area_struct *area)
{
	struct vm_region *region = area->vm_region;
	struct mm_struct *mm = area->vm_mm;

	if ((area->vm_flags & VM_EXEC) && !region->vm_icache_flushed) {
		flush_icache_user_range(region->vm_start, region->vm_end);
		region->vm_icache_flushed = true;
	}
	area_join_file(area);
	mas_store_prealloc(mas, area);
	mm->map_count++;
	mm->total_vm += vma_pages(area);
}

/**
 * area_free - let go of an area that is in the tree no more
 * @area: the area
 */
void area_free(struct vm_area_struct *area)
{
	struct mm_struct *mm = area->vm_mm;

	mm->map_count--;
	mm->total_vm -= vma_pages(area);
	area_leave_file(area);
	vma_close(area);
	if (area->vm_file)
		fput(area->vm_file);
	region_put(area->vm_region);
	vm_area_free(area);
}

/**
 * area_remove - take an area out of its address space, and free it
 * @area: the area
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int area_remove(struct vm_area_struct *area)
{
	MA_STATE(mas, &area->vm_mm->mm_mt, area->vm_start, area->vm_end - 1);
	int err = mas_store_gfp(&mas, NULL, GFP_KERNEL);

	if (!err)
		area_free(area);
	return err;
}

/**
 * area_set_end - let an area end elsewhere within its region
 * @area: the area
 * @end: behind its last address
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int area_set_end(struct vm_area_struct *area, unsigned long end)
{
	MA_STATE(mas, &area->vm_mm->mm_mt, area->vm_start, end - 1);
	struct mm_struct *mm = area->vm_mm;
	int err = 0;

	if (end < area->vm_end) {
		mas_set_range(&mas, end, area->vm_end - 1);
		err = mas_store_gfp(&mas, NULL, GFP_KERNEL);
	} else if (end > area->vm_end) {
		err = mas_store_gfp(&mas, area, GFP_KERNEL);
	}
	if (err)
		return err;
	area_leave_file(area);
	mm->total_vm -= vma_pages(area);
	area->vm_end = end;
	mm->total_vm += vma_pages(area);
	area_join_file(area);
	return 0;
}

/**
 * exit_mmap - give back all that a process has mapped
 * @mm: its address space, which nobody uses any more
 */
void exit_mmap(struct mm_struct *mm)
{
	MA_STATE(mas, &mm->mm_mt, 0, 0);
	struct vm_area_struct *area;

	/* Nobody can be waiting; walks of the tree ask for the lock. */
	mmap_write_lock(mm);
	mas_for_each(&mas, area, ULONG_MAX) {
		area_free(area);
		cond_resched();
	}
	__mt_destroy(&mm->mm_mt);
	mmap_write_unlock(mm);
	VM_WARN_ON(mm->map_count);
	/* A clone() without CLONE_VM has copied its parent's. */
	mm->total_vm = 0;
}
