// SPDX-License-Identifier: GPL-2.0
/*
 * Read page tables the way the hardware does, for those who explain a fault.
 *
 * Guarantees: reads only, takes no lock, and never faults, whatever the tables
 * contain; usable in any context. What it saw may be out of date at once.
 */
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "mmu.h"

/**
 * hw_path_read - collect the entries that translate an address
 * @path: filled in
 * @root: the root table, as CR3 or init_mm has it
 * @address: linear address
 */
void hw_path_read(struct hw_path *path, pgd_t *root, unsigned long address)
{
	pte_t *table = (pte_t *)root;
	unsigned int level = pt_levels();

	path->top = level;
	path->broken = true;
	for (;; level--) {
		unsigned long index = address >> pt_shift(level);
		unsigned long pfn;
		pte_t e;

		path->bottom = level;
		if (get_kernel_nofault(e, &table[index & (pt_entries(level) - 1)]))
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

/**
 * hw_path_maps - does the path end in a present leaf?
 * @path: from hw_path_read()
 *
 * Return: true if so.
 */
bool hw_path_maps(const struct hw_path *path)
{
	pteval_t last;

	if (path->broken)
		return false;
	last = pte_val(path->entry[path->bottom]);
	return (last & _PAGE_PRESENT) &&
	       (path->bottom == 1 || (last & _PAGE_PSE));
}

/**
 * hw_path_allows - do all entries on a path agree to a kind of access?
 * @path: from hw_path_read(), for which hw_path_maps() holds
 * @all: bits that every entry must have set
 * @none: bits that no entry may have set
 *
 * Rights are the intersection over all levels (SDM vol. 3A, 4.6). In a PAE
 * root these bits are reserved and grant everything.
 *
 * Return: true if all agree.
 */
bool hw_path_allows(const struct hw_path *path, pteval_t all, pteval_t none)
{
	unsigned int level = path->top;

	if (IS_ENABLED(CONFIG_X86_PAE))
		level--;
	for (; level >= path->bottom; level--) {
		pteval_t e = pte_val(path->entry[level]);

		if ((e & all) != all || (e & none))
			return false;
	}
	return true;
}
