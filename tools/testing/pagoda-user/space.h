/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAGODA_USER_SPACE_H
#define _PAGODA_USER_SPACE_H

#include <linux/mm_types.h>

#define USER_TLB	64
#define USER_WALKS	8

/* A translation, or a table on the way to some. */
struct user_tlb {
	unsigned long tag;
	unsigned long pfn;
	bool valid, write, exec, dirty;
};

/**
 * struct user_space - an address space and what a processor remembers of it
 * @tlb: translations
 * @tables: last-level tables, and those above them
 * @mm: Linux's part
 */
struct user_space {
	struct user_tlb tlb[USER_TLB];
	struct user_tlb tables[2][USER_WALKS];
	struct mm_struct mm;
};

static inline struct user_space *user_space(struct mm_struct *mm)
{
	return container_of(mm, struct user_space, mm);
}

#endif
