/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entries on the way to an address, for those who explain a fault. See
 * mm/pagoda/path.c.
 */
#ifndef _LINUX_PAGODA_PATH_H
#define _LINUX_PAGODA_PATH_H

#include <asm/pagoda.h>

/**
 * struct hw_path - the entries on the way to one address, as hardware reads
 * @entry: by level; those from @top down to @bottom have been read
 * @top: level of the root table
 * @bottom: level where the way ends: a leaf, a gap, or unreadable
 * @broken: a table on the way could not be read
 */
struct hw_path {
	pte_t entry[PT_MAX_LEVELS + 1];
	unsigned int top;
	unsigned int bottom;
	bool broken;
};

void hw_path_read(struct hw_path *path, pgd_t *root, unsigned long address);

#endif /* _LINUX_PAGODA_PATH_H */
