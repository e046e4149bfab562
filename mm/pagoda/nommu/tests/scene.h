/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites about memory without an MMU look at.
 */
#ifndef _PAGODA_NOMMU_SCENE_H
#define _PAGODA_NOMMU_SCENE_H

#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>

#include <pagoda/umm.h>

/**
 * struct scene - what a call that fails must leave alone
 * @areas: areas of the current address space
 * @copied: pages allocated for mappings, of all processes
 * @regions: regions, of all processes
 */
struct scene {
	int areas;
	long copied;
	int regions;
};

static inline int scene_regions(void)
{
	struct rb_node *node;
	int count = 0;

	down_read(&nommu_region_sem);
	for (node = rb_first(&nommu_region_tree); node; node = rb_next(node))
		count++;
	up_read(&nommu_region_sem);
	return count;
}

static inline struct scene scene_now(void)
{
	return (struct scene) {
		.areas = current->mm->map_count,
		.copied = atomic_long_read(&mmap_pages_allocated),
		.regions = scene_regions(),
	};
}

/* What has come since @was. */
static inline void scene_expect(struct kunit *test, struct scene was,
				int areas, int regions, long copied)
{
	struct scene is = scene_now();

	KUNIT_EXPECT_EQ(test, is.areas - was.areas, areas);
	KUNIT_EXPECT_EQ(test, is.regions - was.regions, regions);
	KUNIT_EXPECT_EQ(test, is.copied - was.copied, copied);
}

static inline long scene_map(unsigned long len, int prot, int flags)
{
	return vm_mmap(NULL, 0, len, prot, flags, 0);
}

static inline long scene_map_file(struct file *file, unsigned long first,
				  unsigned long pages, int prot, int flags)
{
	return vm_mmap(file, 0, pages << PAGE_SHIFT, prot, flags,
		       first << PAGE_SHIFT);
}

/* The area of an address of the current address space. */
static inline struct vm_area_struct *scene_area(unsigned long addr)
{
	struct vm_area_struct *area;

	mmap_read_lock(current->mm);
	area = find_vma(current->mm, addr);
	mmap_read_unlock(current->mm);
	return area;
}

/* An anonymous area and its region are there and no other. */
static inline void scene_expect_area(struct kunit *test, unsigned long at,
				     unsigned long pages)
{
	struct vm_area_struct *area = scene_area(at);

	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_EXPECT_EQ(test, area->vm_start, at);
	KUNIT_EXPECT_EQ(test, area->vm_end, at + pages * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, area->vm_region->vm_start, at);
	KUNIT_EXPECT_EQ(test, area->vm_region->vm_end, area->vm_end);
}

/* Where the page cache has a page of a file. */
static inline unsigned long scene_cached(struct kunit *test, struct file *file,
					 unsigned long index)
{
	return (unsigned long)folio_address(umm_folio(test, file, index));
}

#endif /* _PAGODA_NOMMU_SCENE_H */
