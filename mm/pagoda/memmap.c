// SPDX-License-Identifier: GPL-2.0
/*
 * How physical memory is described: variables that boot code sets once.
 *
 * With and without an MMU. Locks: none; nothing here changes after boot, but
 * for memory that is plugged in.
 */
#include <linux/cache.h>
#include <linux/export.h>
#include <linux/mm.h>

#include "../internal.h"

#ifndef CONFIG_NUMA
/* One flat array of struct page, where that is how memory is described. */
struct page *mem_map;
EXPORT_SYMBOL(mem_map);
unsigned long max_mapnr;
EXPORT_SYMBOL(max_mapnr);
#endif

/* Where the kernel's direct map of memory ends. */
void *high_memory;
EXPORT_SYMBOL(high_memory);

/* The last frame that has a struct page. */
unsigned long highest_memmap_pfn __read_mostly;
