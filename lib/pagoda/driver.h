/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver for KUnit: a few pages of its own, and a file that can be mapped.
 *
 * A case fills in what the driver does when it is mapped and when a fault
 * comes, maps it, and looks at what user memory shows.
 */
#ifndef _LIB_PAGODA_DRIVER_H
#define _LIB_PAGODA_DRIVER_H

#include "umm.h"

#define UMM_DRIVER_PAGES	4UL

/**
 * struct umm_driver - a driver and its memory
 * @test:	the case that owns it
 * @page:	physically contiguous; page n begins with the word n + 10
 * @file:	what is mapped
 * @ops:	vm_ops of its areas; one without any handler at first
 * @map:	called by ->mmap for each new area; may be NULL
 * @calls:	counts whatever the case likes
 * @answer:	what a fault handler of the case is to answer
 */
struct umm_driver {
	struct kunit *test;
	struct page *page[UMM_DRIVER_PAGES];
	struct file *file;
	const struct vm_operations_struct *ops;
	int (*map)(struct umm_driver *d, struct vm_area_struct *vma);
	int calls;
	vm_fault_t answer;
};

struct umm_driver *umm_driver(struct kunit *test);
void umm_driver_init(struct kunit *test, struct umm_driver *d);
long umm_driver_map(struct umm_driver *d, unsigned long first,
		    unsigned long pages, int prot, int flags);
unsigned long *umm_driver_word(struct umm_driver *d, unsigned long page);

#endif /* _LIB_PAGODA_DRIVER_H */
