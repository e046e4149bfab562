// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: runs of physical memory that areas refer to.
 *
 * All of them are in one tree, ordered by address, which /proc/maps shows.
 * Copies never overlap. Direct memory may be there several times, since a
 * file's pages can be mapped at one place as pages 0 to 3 and as page 1.
 *
 * Locks: nommu_region_sem, as said with each function.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#include "nommu.h"

struct rb_root nommu_region_tree = RB_ROOT;
DECLARE_RWSEM(nommu_region_sem);

static struct kmem_cache *region_cache __ro_after_init;

static int __init region_init(void)
{
	region_cache = KMEM_CACHE(vm_region, SLAB_PANIC | SLAB_ACCOUNT);
	return 0;
}
early_initcall(region_init);

/**
 * region_new - make the record of a region, with one user
 * @file: the file it shows, or NULL; gets a reference
 * @pgoff: first page of the file
 * @flags: VM_* bits of the area it is for
 *
 * It has no memory yet and is not in the tree. Return: it, or NULL.
 */
struct vm_region *region_new(struct file *file, unsigned long pgoff,
			     vm_flags_t flags)
{
	struct vm_region *region = kmem_cache_zalloc(region_cache, GFP_KERNEL);

	if (!region)
		return NULL;
	region->vm_usage = 1;
	region->vm_flags = flags;
	region->vm_pgoff = pgoff;
	if (file)
		region->vm_file = get_file(file);
	return region;
}

/**
 * region_forget - drop the record of a region, not what it stands for
 * @region: the region, in no tree; or NULL
 */
void region_forget(struct vm_region *region)
{
	if (!region)
		return;
	if (region->vm_file)
		fput(region->vm_file);
	kmem_cache_free(region_cache, region);
}

/* When debugging: neighbours in the tree make sense. */
static void region_check(struct vm_region *region)
{
	struct rb_node *next = rb_next(&region->vm_rb);
	struct vm_region *after = rb_entry_safe(next, struct vm_region, vm_rb);

	if (!IS_ENABLED(CONFIG_DEBUG_NOMMU_REGIONS) &&
	    !IS_ENABLED(CONFIG_PAGODA_DEBUG))
		return;
	WARN_ON(region->vm_start >= region->vm_end);
	WARN_ON(region->vm_end > region->vm_top);
	WARN_ON(region->vm_usage < 1);
	if (!after)
		return;
	WARN_ON(after->vm_start < region->vm_start);
	WARN_ON(after->vm_start < region->vm_top &&
		(region_is_copy(region) || region_is_copy(after)));
}

static bool region_before(struct rb_node *one, const struct rb_node *other)
{
	return rb_entry(one, struct vm_region, vm_rb)->vm_start <
	       rb_entry(other, struct vm_region, vm_rb)->vm_start;
}

/**
 * region_link - put a region into the tree
 * @region: the region, with its memory
 *
 * Locks: nommu_region_sem held for writing.
 */
void region_link(struct vm_region *region)
{
	rb_add(&region->vm_rb, &nommu_region_tree, region_before);
	region_check(region);
}

/**
 * region_unlink - take a region out of the tree, as before its start changes
 * @region: the region
 *
 * Locks: nommu_region_sem held for writing.
 */
void region_unlink(struct vm_region *region)
{
	region_check(region);
	rb_erase(&region->vm_rb, &nommu_region_tree);
}

/**
 * region_put - an area no longer refers to a region
 * @region: the region; with its last user go its record and its copy
 *
 * Locks: takes nommu_region_sem.
 */
void region_put(struct vm_region *region)
{
	bool last;

	down_write(&nommu_region_sem);
	last = !--region->vm_usage;
	if (last)
		rb_erase(&region->vm_rb, &nommu_region_tree);
	up_write(&nommu_region_sem);
	if (!last)
		return;
	if (region_is_copy(region))
		copy_free(region->vm_start, region->vm_top);
	region_forget(region);
}
