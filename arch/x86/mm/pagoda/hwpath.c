// SPDX-License-Identifier: GPL-2.0
/*
 * What the entries on the way to an address come to: rights are the
 * intersection over all levels.
 */
#include <linux/mm.h>
#include "mmu.h"

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
