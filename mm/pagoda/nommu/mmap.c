// SPDX-License-Identifier: GPL-2.0
/*
 * mmap: serve a mapping from physical memory.
 *
 * In this order: memory that a process has mapped the same file with already,
 * the file's own memory, a copy. An area is published only when nothing can
 * fail any more; until then a failure leaves no trace.
 *
 * nommu_region_sem is held from the moment the file says where its memory is
 * until the area can be found among the file's, so that a truncation between
 * them sees it; not while a copy is read.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "nommu.h"

/* Have the driver set the area up; it may move it. Undo with vma_close(). */
static int map_call_file(struct map_request *rq, struct ma_state *mas)
{
	struct vm_area_struct *area = rq->area;
	unsigned long at = area->vm_start;
	int err;

	if (area_prepare(mas, area))
		return -ENOMEM;
	err = mmap_file(rq->file, area);
	if (!err && area->vm_start != at) {
		mas_destroy(mas);
		err = area_prepare(mas, area);
		if (err)
			vma_close(area);
	}
	if (err)
		mas_destroy(mas);
	return err;
}

static void map_place(struct vm_area_struct *area, unsigned long at,
		      unsigned long len)
{
	area->vm_start = at;
	area->vm_end = at + len;
}

/* The region behind some area of the file that has all that is asked for. */
static struct vm_region *map_find_region(const struct map_request *rq)
{
	struct address_space *mapping = rq->file->f_mapping;
	unsigned long end = rq->pgoff + (rq->len >> PAGE_SHIFT);
	struct vm_region *region, *found = NULL;
	struct vm_area_struct *other;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(other, &mapping->i_mmap, rq->pgoff, end - 1) {
		unsigned long pages;

		region = other->vm_region;
		if (!is_nommu_shared_mapping(region->vm_flags))
			continue;
		/* What is written to a copy does not reach the file. */
		if ((rq->flags & MAP_SHARED) && region_is_copy(region))
			continue;
		/* A truncation may have cut the last page short. */
		pages = PAGE_ALIGN(region->vm_end - region->vm_start) >>
			PAGE_SHIFT;
		if (region->vm_pgoff > rq->pgoff ||
		    region->vm_pgoff + pages < end)
			continue;
		found = region;
		break;
	}
	i_mmap_unlock_read(mapping);
	return found;
}

/*
 * A mapping of the same shared memory by the same process is at the same
 * place. Two areas cannot be: the new one takes the place of an equal one.
 */
static int map_make_room(struct map_request *rq, struct vm_area_struct **old)
{
	struct vm_area_struct *area = rq->area;
	struct mm_struct *mm = area->vm_mm;

	*old = NULL;
	if (!area_overlaps(mm, area->vm_start, area->vm_end))
		return 0;
	if (!(area->vm_flags & VM_SHARED))
		return MAP_RATHER_NOT;		/* may have a copy instead */
	*old = area_exact(mm, area->vm_start, area->vm_end);
	return *old ? 0 : -EINVAL;
}

/* Use @region at the area's place. Locks: nommu_region_sem, for writing. */
static int map_publish(struct map_request *rq, struct vm_region *region,
		       struct ma_state *mas, struct vm_area_struct **old)
{
	struct vm_area_struct *area = rq->area;
	int err;

	area->vm_region = region;
	err = region_is_copy(region) ? area_prepare(mas, area) :
				       map_call_file(rq, mas);
	if (err)
		return err;
	err = map_make_room(rq, old);
	if (err) {
		mas_destroy(mas);
		vma_close(area);
		return err;
	}
	if (region == rq->region) {
		region_link(region);
		rq->region = NULL;
	} else {
		region->vm_usage++;
	}
	if (region_is_copy(region))
		vm_flags_set(area, VM_MAPPED_COPY);
	/* Storing the new one takes the old one out of the tree. */
	area_publish(mas, area);
	return 0;
}

/*
 * Memory that is there: a region of others, or the file's own. MAP_RATHER_NOT
 * is not a failure.
 */
static int map_existing(struct map_request *rq, struct ma_state *mas)
{
	struct vm_region *region, *own = rq->region;
	struct vm_area_struct *old = NULL;
	int err = MAP_RATHER_NOT;
	unsigned long at;

	down_write(&nommu_region_sem);
	region = map_find_region(rq);
	if (region) {
		at = region->vm_start +
		     ((rq->pgoff - region->vm_pgoff) << PAGE_SHIFT);
	} else if (rq->ways & NOMMU_MAP_DIRECT) {
		at = rq->file->f_op->get_unmapped_area(rq->file, 0, rq->len,
						       rq->pgoff, rq->flags);
		own->vm_start = at;
		own->vm_end = at + rq->len;
		own->vm_top = own->vm_end;
	} else {
		at = MAP_RATHER_NOT;
	}
	if (IS_ERR_VALUE(at)) {
		err = at;
	} else {
		map_place(rq->area, at, rq->len);
		err = map_publish(rq, region ?: own, mas, &old);
	}
	up_write(&nommu_region_sem);
	if (old)
		area_free(old);
	if (err == MAP_RATHER_NOT && !(rq->ways & NOMMU_MAP_COPY))
		return -ENODEV;
	return err;
}

static int map_copy(struct map_request *rq, struct ma_state *mas)
{
	bool zero = !rq->file &&
		    !(IS_ENABLED(CONFIG_MMAP_ALLOW_UNINITIALIZED) &&
		      (rq->flags & MAP_UNINITIALIZED));
	struct vm_region *region = rq->region;
	struct vm_area_struct *old;
	int err;

	/* What a file that would rather not has left behind. */
	rq->area->vm_ops = NULL;
	err = copy_make(region, rq->len, zero);
	if (err)
		return err;
	map_place(rq->area, region->vm_start, rq->len);
	if (rq->file)
		err = copy_read(region);
	if (!err) {
		down_write(&nommu_region_sem);
		err = map_publish(rq, region, mas, &old);
		up_write(&nommu_region_sem);
	}
	if (err)
		copy_free(region->vm_start, region->vm_top);
	return err;
}

static int map_records(struct map_request *rq)
{
	struct mm_struct *mm = current->mm;

	rq->region = region_new(rq->file, rq->pgoff, rq->vm_flags);
	rq->area = vm_area_alloc(mm);
	if (!rq->region || !rq->area)
		return -ENOMEM;
	vm_flags_init(rq->area, rq->vm_flags);
	rq->area->vm_pgoff = rq->pgoff;
	if (rq->file)
		rq->area->vm_file = get_file(rq->file);
	return 0;
}

static void map_forget(struct map_request *rq)
{
	if (rq->area && rq->area->vm_file)
		fput(rq->area->vm_file);
	if (rq->area)
		vm_area_free(rq->area);
}

/**
 * do_mmap - map a file or anonymous memory
 * @file: the file, or NULL
 * @addr: a wish, not granted
 * @len: bytes
 * @prot: PROT_*
 * @flags: MAP_*
 * @vm_flags: more VM_* bits for the area
 * @pgoff: first page of the file
 * @populate: set to 0: all of it is there at once
 * @uf: not used
 *
 * Locks: mmap_lock of the current process held for writing.
 *
 * Return: the address, or an error; see request_check(), and -ENOMEM where
 * there is no run of free pages that is long enough.
 */
unsigned long do_mmap(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags,
		      vm_flags_t vm_flags, unsigned long pgoff,
		      unsigned long *populate, struct list_head *uf)
{
	struct map_request rq = {
		.file = file, .pgoff = pgoff, .len = len,
		.prot = prot, .flags = flags, .vm_flags = vm_flags,
	};
	MA_STATE(mas, &current->mm->mm_mt, 0, 0);
	int err;

	*populate = 0;
	err = request_check(&rq, addr);
	if (err)
		return err;
	err = map_records(&rq);
	if (!err) {
		err = is_nommu_shared_mapping(rq.vm_flags) ?
			map_existing(&rq, &mas) : MAP_RATHER_NOT;
		if (err == MAP_RATHER_NOT)
			err = map_copy(&rq, &mas);
	}
	/* The record of a region that was not needed. */
	region_forget(rq.region);
	if (err) {
		map_forget(&rq);
		return err;
	}
	return rq.area->vm_start;
}
