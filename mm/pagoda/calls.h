/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the system calls on areas share: mprotect, mremap, madvise, mlock,
 * msync, mincore. A call checks its arguments and every area of its range
 * first, and only then changes anything.
 */
#ifndef MM_PAGODA_CALLS_H
#define MM_PAGODA_CALLS_H

#include <linux/fs.h>
#include <linux/mm.h>
#include "area.h"
#include "tree.h"

/* age.c */
int age_cold(struct vm_area_struct *vma, unsigned long start,
	     unsigned long end);
int age_pageout(struct vm_area_struct *vma, unsigned long start,
		unsigned long end);
int age_free(struct vm_area_struct *vma, unsigned long start,
	     unsigned long end);

/**
 * call_owns_cache - may the caller see or move a file's cached pages?
 * @file: the file
 *
 * Whether a page of a file that others use as well is in memory tells what
 * they do with it. Only who could write the file may learn or influence that.
 */
static inline bool call_owns_cache(struct file *file)
{
	return file_owner_or_capable(file) ||
	       !file_permission(file, MAY_WRITE);
}

/**
 * call_area_before - the area that a change at some address may merge with
 * @vmi: iterator standing at @vma
 * @vma: the area in which the change begins
 * @start: where it begins
 *
 * Return: @vma itself if the change begins inside it, else the area that ends
 * there, or NULL.
 */
static inline struct vm_area_struct *
call_area_before(const struct vma_iterator *vmi, struct vm_area_struct *vma,
		 unsigned long start)
{
	struct ma_state side = vmi->mas;

	return start == vma->vm_start ? mas_prev_range(&side, 0) : vma;
}

#endif /* MM_PAGODA_CALLS_H */
