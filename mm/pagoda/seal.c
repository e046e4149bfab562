// SPDX-License-Identifier: GPL-2.0
/*
 * The checks of a build with CONFIG_PAGODA_DEBUG: that tables map what their
 * counts say, and that shared ones do not change.
 *
 * A table is sealed, with a checksum, when it becomes shared; whoever leaves
 * sharing looks whether the seal still holds. Locks: the table's own, or no
 * other reference to it.
 */
#include <kunit/static_stub.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include "tree.h"

/**
 * pt_misuse - report that page tables are handled against the rules
 * @what: what was done
 */
void pt_misuse(const char *what)
{
	KUNIT_STATIC_STUB_REDIRECT(pt_misuse, what);
	WARN_ONCE(1, "pagoda: %s\n", what);
}

/**
 * pt_check_counts - recount what a last-level table maps
 * @table: the table, locked
 *
 * Frames without a page, and the zero page, are special entries that no count
 * has; every other present entry is in one.
 */
void pt_check_counts(struct ptdesc *table)
{
	pte_t *entries = pt_table_map(table);
	int i, pages = 0;

	for (i = 0; i < pt_entries(1); i++) {
		pte_t pte = ptep_get(entries + i);

		pages += pte_present(pte) && !pte_special(pte);
	}
	pt_table_unmap(entries);
	for (i = 0; i < NR_MM_COUNTERS; i++)
		pages -= pt_counted(table, i);
	pt_check(!pages, "table's counts differ from a recount");
}

/* Where the seal is kept, as an even number: an odd one means a tail page. */
static unsigned long *pt_seal_word(struct ptdesc *table)
{
	return &table->_pt_pad_1;
}

/* A checksum of what may not change in a shared table. */
static u32 pt_checksum(struct ptdesc *table, unsigned int level)
{
	pte_t *entries = pt_table_map(table);
	u32 sum = level;
	int i;

	for (i = 0; i < pt_entries(level); i++) {
		pte_t e = ptep_get(entries + i);
		u64 val;

		if (level > 1)
			e = pte_mkold(pt_entry_none(e) ? e : pt_entry_wrprotect(e));
		else if (pte_present(e))
			e = pte_mkclean(pte_mkold(pte_wrprotect(e)));
		val = pte_val(e);
		sum = jhash_2words(lower_32_bits(val), upper_32_bits(val), sum);
	}
	pt_table_unmap(entries);
	return sum << 1;
}

/**
 * pt_seal - remember what a table has that becomes shared
 * @table: the table
 * @level: its level
 */
void pt_seal(struct ptdesc *table, unsigned int level)
{
	*pt_seal_word(table) = pt_checksum(table, level);
}

/* Does a table above the last level still have the sum that was noted? */
static bool pt_sum_holds(struct ptdesc *table, unsigned int level)
{
	struct pt_sum sum = { .tables = level <= PT_ACCOUNTED_LEVELS };
	pte_t *entries = ptdesc_to_virt(table);
	int i;

	for (i = 0; i < pt_entries(level); i++) {
		pte_t e = ptep_get(entries + i);

		if (pt_entry_table(e))
			pt_sum_add(&sum, pt_sum_below(e, level));
	}
	return sum.pages == pt_sum_of(table)->pages &&
	       sum.tables == pt_sum_of(table)->tables;
}

/**
 * pt_check_seal - see that a table was not changed since it was sealed
 * @table: the table; shared, or about to be private again
 * @level: its level
 */
void pt_check_seal(struct ptdesc *table, unsigned int level)
{
	pt_check(*pt_seal_word(table) == pt_checksum(table, level),
		 "shared table was changed");
	if (level == 1)
		pt_check_counts(table);
	else
		pt_check(pt_sum_holds(table, level),
			 "sum of a shared table differs from a recount");
}
