/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas without an MMU.
 *
 * An area (struct vm_area_struct) is what one process has mapped; a region
 * (struct vm_region) is the run of physical memory behind it, and areas of
 * several processes may refer to one. The address of an area is the address
 * of its memory, so the kernel, never the program, says where it is.
 *
 * Memory of a region is of two kinds. A copy (VM_MAPPED_COPY) was allocated
 * for it, for anonymous memory or to read a file into, and goes with the
 * region. Direct memory is the file's own: page cache of ramfs, or a device.
 *
 * Lock rules: mmap_lock, for writing, over changes of a process's areas;
 * inside it nommu_region_sem over the tree of regions, their bounds and their
 * counts; inside that i_mmap_rwsem over a file's areas.
 */
#ifndef MM_PAGODA_NOMMU_H
#define MM_PAGODA_NOMMU_H

#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/mm_types.h>

#include "../../internal.h"

/* What a file says that would rather not be mapped at its own memory. */
#define MAP_RATHER_NOT	(-ENOSYS)

/**
 * struct map_request - a mapping that a process asks for
 * @file: what to map, or NULL
 * @pgoff: first page of it
 * @len: bytes, whole pages
 * @prot: PROT_*
 * @flags: MAP_*
 * @ways: NOMMU_MAP_*, what the file allows and the request leaves open
 * @vm_flags: of the area to come
 * @area: the area to come
 * @region: a record for its region, used unless one is shared
 */
struct map_request {
	struct file *file;
	unsigned long pgoff;
	unsigned long len;
	unsigned long prot;
	unsigned long flags;
	unsigned int ways;
	vm_flags_t vm_flags;
	struct vm_area_struct *area;
	struct vm_region *region;
};

/* request.c */
int request_check(struct map_request *rq, unsigned long addr);

/* region.c */
struct vm_region *region_new(struct file *file, unsigned long pgoff,
			     vm_flags_t flags);
void region_forget(struct vm_region *region);
void region_link(struct vm_region *region);
void region_unlink(struct vm_region *region);
void region_put(struct vm_region *region);

/* copy.c */
int copy_make(struct vm_region *region, unsigned long len, bool zero);
int copy_read(struct vm_region *region);
void copy_free(unsigned long start, unsigned long end);

/* area.c */
struct vm_area_struct *area_exact(struct mm_struct *mm, unsigned long start,
				  unsigned long end);
bool area_overlaps(struct mm_struct *mm, unsigned long start,
		   unsigned long end);
int area_prepare(struct ma_state *mas, struct vm_area_struct *area);
void area_publish(struct ma_state *mas, struct vm_area_struct *area);
void area_free(struct vm_area_struct *area);
int area_remove(struct vm_area_struct *area);
int area_set_end(struct vm_area_struct *area, unsigned long end);
void area_join_file(struct vm_area_struct *area);
void area_leave_file(struct vm_area_struct *area);

static inline bool region_is_copy(const struct vm_region *region)
{
	return region->vm_flags & VM_MAPPED_COPY;
}

#endif /* MM_PAGODA_NOMMU_H */
