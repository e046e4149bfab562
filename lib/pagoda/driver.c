// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for KUnit: see driver.h.
 *
 * Guarantees: file and pages are there until the case and its address spaces
 * are gone; a page that somebody still has then fails the case.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>

#include "driver.h"

static const struct vm_operations_struct driver_no_ops = { };

static int driver_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct umm_driver *d = file->private_data;

	vma->vm_private_data = d;
	vma->vm_ops = d->ops;
	return d->map ? d->map(d, vma) : 0;
}

static const struct file_operations driver_fops = {
	.owner = THIS_MODULE,
	.mmap = driver_mmap,
};

static void driver_free(void *driver)
{
	struct umm_driver *d = driver;
	unsigned long i;

	for (i = 0; i < UMM_DRIVER_PAGES; i++) {
		KUNIT_EXPECT_EQ_MSG(d->test, page_count(d->page[i]), 1,
				    "somebody still has page %lu", i);
		__free_page(d->page[i]);
	}
}

static void driver_close(void *file)
{
	__fput_sync(file);
}

/**
 * umm_driver_init() - make a driver of what a case has allocated
 * @test: the case; fails when there is no memory
 * @d: the driver, all zeroes
 */
void umm_driver_init(struct kunit *test, struct umm_driver *d)
{
	unsigned long i;

	d->test = test;
	d->ops = &driver_no_ops;
	d->page[0] = alloc_pages(GFP_KERNEL | __GFP_ZERO,
				 ilog2(UMM_DRIVER_PAGES));
	KUNIT_ASSERT_NOT_NULL(test, d->page[0]);
	split_page(d->page[0], ilog2(UMM_DRIVER_PAGES));
	for (i = 0; i < UMM_DRIVER_PAGES; i++) {
		d->page[i] = d->page[0] + i;
		*umm_driver_word(d, i) = 10 + i;
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, driver_free, d),
			0);
	d->file = anon_inode_getfile("umm-driver", &driver_fops, d, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, d->file);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, driver_close,
							d->file), 0);
}

/**
 * umm_driver() - make a driver
 * @test: the case; fails when there is no memory
 *
 * Return: the driver.
 */
struct umm_driver *umm_driver(struct kunit *test)
{
	struct umm_driver *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	umm_driver_init(test, d);
	return d;
}

/**
 * umm_driver_map() - map it at UMM_BASE, as mmap() would
 * @d: the driver
 * @first: offset of the mapping, in pages
 * @pages: how many
 * @prot: PROT_* bits
 * @flags: MAP_SHARED or MAP_PRIVATE
 *
 * Return: UMM_BASE or an error.
 */
long umm_driver_map(struct umm_driver *d, unsigned long first,
		    unsigned long pages, int prot, int flags)
{
	return (long)vm_mmap(d->file, UMM_BASE, pages << PAGE_SHIFT, prot,
			     flags | MAP_FIXED, first << PAGE_SHIFT);
}

/**
 * umm_driver_word() - the first word of one of its pages
 * @d: the driver
 * @page: which page
 *
 * Return: where the kernel has it.
 */
unsigned long *umm_driver_word(struct umm_driver *d, unsigned long page)
{
	return page_address(d->page[page]);
}
