/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a table keeps of what hangs below it, in a word of its struct ptdesc
 * that only THP, which is excluded, uses while a table is in use.
 */
#ifndef _MM_PAGODA_COUNTS_H
#define _MM_PAGODA_COUNTS_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>

/*
 * What a last-level table maps, by kind (MM_FILEPAGES, ...). Changes under the
 * table's lock.
 */
#ifdef CONFIG_64BIT
struct pt_counts {
	u16 nr[NR_MM_COUNTERS];
};
#else
/* Three digits, each up to PTRS_PER_PTE; nothing is swapped. */
struct pt_counts {
	u32 digits;
};

#define PT_COUNT_BASE	(PTRS_PER_PTE + 1U)

static __always_inline u32 pt_count_unit(int kind)
{
	switch (kind) {
	case MM_ANONPAGES:
		return 1;
	case MM_FILEPAGES:
		return PT_COUNT_BASE;
	case MM_SHMEMPAGES:
		return PT_COUNT_BASE * PT_COUNT_BASE;
	}
	return 0;
}
#endif

/*
 * What hangs below a table above the last level, itself included. Right as
 * long as the table may be shared (nothing below can change then), and not
 * kept otherwise.
 */
#ifdef CONFIG_64BIT
struct pt_sum {
	u32 pages;	/* anonymous; others are never in a shared table */
	u32 tables;	/* as counted in VmPTE */
};
#else
/* PAE's level 2 is the only one: 512 tables of 512 pages, and itself. */
struct pt_sum {
	u32 pages:20;
	u32 tables:12;
};
#endif

static __always_inline struct pt_counts *pt_counts(struct ptdesc *table)
{
	BUILD_BUG_ON(sizeof(struct pt_counts) > sizeof(table->pmd_huge_pte));
	return (struct pt_counts *)&table->pmd_huge_pte;
}

/**
 * pt_counted - how many pages of a kind a table maps
 * @table: descriptor of a table of level 1
 * @kind: MM_ANONPAGES, MM_FILEPAGES, ...
 */
static __always_inline unsigned int pt_counted(struct ptdesc *table, int kind)
{
#ifdef CONFIG_64BIT
	return pt_counts(table)->nr[kind];
#else
	u32 unit = pt_count_unit(kind);

	return unit ? pt_counts(table)->digits / unit % PT_COUNT_BASE : 0;
#endif
}

/**
 * pt_counts_add - a table maps more, or less
 * @table: descriptor of a table of level 1, which is locked
 * @kind: MM_ANONPAGES, MM_FILEPAGES, ...
 * @nr: how many pages more
 */
static __always_inline void pt_counts_add(struct ptdesc *table, int kind, int nr)
{
#ifdef CONFIG_64BIT
	pt_counts(table)->nr[kind] += nr;
#else
	pt_counts(table)->digits += nr * pt_count_unit(kind);
#endif
}

/* pt_sum_of - what hangs below a table of level 2 or above that is shared */
static inline struct pt_sum *pt_sum_of(struct ptdesc *table)
{
	BUILD_BUG_ON(sizeof(struct pt_sum) > sizeof(table->pmd_huge_pte));
	return (struct pt_sum *)&table->pmd_huge_pte;
}

#endif /* _MM_PAGODA_COUNTS_H */
