// SPDX-License-Identifier: GPL-2.0
/*
 * Read page tables the way the hardware does, for those who explain a fault.
 *
 * Guarantees: reads only, takes no lock, and never faults, whatever the tables
 * contain; usable in any context. What it saw may be out of date at once.
 */
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pagoda_path.h>
#include <linux/uaccess.h>
#include "tree.h"

/**
 * hw_path_read - collect the entries that translate an address
 * @path: filled in
 * @root: the root table, as the processor or init_mm has it
 * @address: virtual address, without a tag
 */
void hw_path_read(struct hw_path *path, pgd_t *root, unsigned long address)
{
	pte_t *table = (pte_t *)root;
	unsigned int level = pt_levels();

	path->top = level;
	path->broken = true;
	for (;; level--) {
		unsigned long pfn;
		pte_t e;

		path->bottom = level;
		if (get_kernel_nofault(e, &table[pt_index(level, address)]))
			return;
		path->entry[level] = e;
		/* On i386 tables may lie where the kernel has no mapping. */
		pfn = pt_entry_pfn(e);
		if (level == 1 || !pt_entry_table(e))
			break;
		if (IS_ENABLED(CONFIG_HIGHPTE) && pfn >= max_low_pfn) {
			path->bottom = level - 1;
			return;
		}
		table = __va((phys_addr_t)pfn << PAGE_SHIFT);
	}
	path->broken = false;
}
