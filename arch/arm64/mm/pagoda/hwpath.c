// SPDX-License-Identifier: GPL-2.0
/*
 * Read page tables the way the hardware does, for those who explain a fault.
 *
 * Guarantees: reads only, takes no lock, and never faults, whatever the tables
 * contain; usable in any context. What it saw may be out of date at once.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "mmu.h"

/**
 * hw_path_read - collect the entries that translate an address
 * @path: filled in
 * @root: the root table
 * @address: the address, without a tag
 */
void hw_path_read(struct hw_path *path, pgd_t *root, unsigned long address)
{
	pte_t *table = (pte_t *)root;
	unsigned int level = pt_levels();

	path->top = level;
	path->broken = true;
	for (;; level--) {
		unsigned long index = address >> pt_shift(level);
		pte_t e;

		path->bottom = level;
		if (get_kernel_nofault(e, &table[index & (pt_entries(level) - 1)]))
			return;
		path->entry[level] = e;
		if (level == 1 || !pt_entry_table(e))
			break;
		table = __va((phys_addr_t)pt_entry_pfn(e) << PAGE_SHIFT);
	}
	path->broken = false;
}
