// SPDX-License-Identifier: GPL-2.0
/*
 * The functions by which the rest of Linux handles tables itself: hooking one
 * in, getting at an entry, and what becomes of an entry that is broken.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>

#include <asm/pgalloc.h>

#include <pagoda/umm.h>

#include "internal.h"	/* mm/'s */

/* The entry of the second level for an address, with all tables above it. */
static pmd_t *tables_pmd(struct kunit *test, unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;
	pmd_t *pmd = pud ? pmd_alloc(mm, pud, addr) : NULL;

	KUNIT_ASSERT_NOT_NULL(test, pmd);
	return pmd;
}

/* A table that the caller made is used once, and counted. */
static void tables_install(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	unsigned long bytes;
	pgtable_t table;
	pmd_t *pmd;

	umm_map_at(test, UMM_BASE, 1, UMM_RW);
	pmd = tables_pmd(test, UMM_BASE);
	bytes = umm_table_bytes(mm);
	table = pte_alloc_one(mm);
	KUNIT_ASSERT_NOT_NULL(test, table);
	mmap_read_lock(mm);
	pmd_install(mm, pmd, &table);
	KUNIT_EXPECT_NULL(test, table);
	KUNIT_EXPECT_TRUE(test, pmd_present(*pmd));
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm) - bytes,
			PTRS_PER_PTE * sizeof(pte_t));
	mmap_read_unlock(mm);
	/* The loser of a race keeps his. */
	table = pte_alloc_one(mm);
	KUNIT_ASSERT_NOT_NULL(test, table);
	mmap_read_lock(mm);
	pmd_install(mm, pmd, &table);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_NOT_NULL(test, table);
	if (table)
		pte_free(mm, table);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm) - bytes,
			PTRS_PER_PTE * sizeof(pte_t));
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE, 5), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm) - bytes,
			PTRS_PER_PTE * sizeof(pte_t));
}

/* An entry can be had if there is a table, which pte_alloc() sees to. */
static void tables_map_entry(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	spinlock_t *ptl = NULL;
	pte_t *pte;
	pmd_t *pmd, seen;

	umm_map_at(test, UMM_BASE, 1, UMM_RW);
	pmd = tables_pmd(test, UMM_BASE);
	mmap_read_lock(mm);
	KUNIT_EXPECT_NULL(test, pte_offset_map(pmd, UMM_BASE));
	KUNIT_EXPECT_NULL(test, pte_offset_map_lock(mm, pmd, UMM_BASE, &ptl));
	KUNIT_EXPECT_NULL(test, pte_offset_map_nolock(mm, pmd, UMM_BASE, &ptl));
	KUNIT_EXPECT_NULL(test, ptl);
	KUNIT_EXPECT_EQ(test, pte_alloc(mm, pmd), 0);
	pte = __pte_offset_map(pmd, UMM_BASE, &seen);
	KUNIT_EXPECT_NOT_NULL(test, pte);
	if (pte) {
		KUNIT_EXPECT_TRUE(test, pmd_same(seen, *pmd));
		KUNIT_EXPECT_TRUE(test, pte_none(ptep_get(pte)));
		pte_unmap(pte);
	}
	pte = pte_offset_map_lock(mm, pmd, UMM_BASE, &ptl);
	KUNIT_EXPECT_NOT_NULL(test, pte);
	if (pte) {
		KUNIT_EXPECT_FALSE(test, spin_trylock(ptl));
		pte_unmap_unlock(pte, ptl);
	}
	mmap_read_unlock(mm);
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE, 5), 0);
	pte = get_locked_pte(mm, UMM_BASE, &ptl);
	KUNIT_ASSERT_NOT_NULL(test, pte);
	KUNIT_EXPECT_EQ(test, pte_pfn(ptep_get(pte)),
			umm_entry(mm, UMM_BASE).pfn);
	pte_unmap_unlock(pte, ptl);
}

/* An entry above the last level that is neither empty nor a table. */
#if defined(CONFIG_ARM64)
#define TABLES_BROKEN	PMD_TYPE_SECT
#elif defined(CONFIG_RISCV)
#define TABLES_BROKEN	_PAGE_SPECIAL
#else
#define TABLES_BROKEN	(_PAGE_PRESENT | _PAGE_SPECIAL)
#endif

/*
 * It is taken out, and taken for empty. Entries of a level whose tables have
 * but one entry are those of the level below by another name.
 */
static void tables_broken(struct kunit *test)
{
	pmd_t pmd = __pmd(TABLES_BROKEN);
	pud_t pud = __pud(TABLES_BROKEN);
	p4d_t p4d = __p4d(TABLES_BROKEN);
	pgd_t pgd = __pgd(TABLES_BROKEN);

	KUNIT_EXPECT_EQ(test, pmd_none_or_clear_bad(&pmd), 1);
	KUNIT_EXPECT_TRUE(test, pmd_none(pmd));
	KUNIT_EXPECT_EQ(test, pud_none_or_clear_bad(&pud),
			!mm_pmd_folded(current->mm));
	KUNIT_EXPECT_EQ(test, p4d_none_or_clear_bad(&p4d),
			!mm_pud_folded(current->mm));
	KUNIT_EXPECT_EQ(test, pgd_none_or_clear_bad(&pgd),
			!mm_p4d_folded(current->mm));
	/* What a level that never exists would have to empty, it does not. */
	KUNIT_EXPECT_EQ(test, pud_none(pud), !mm_pmd_folded(current->mm) &&
			!__is_defined(__PAGETABLE_PUD_FOLDED));
	KUNIT_EXPECT_EQ(test, p4d_none(p4d), !mm_pud_folded(current->mm) &&
			!__is_defined(__PAGETABLE_P4D_FOLDED));
	KUNIT_EXPECT_EQ(test, pgd_none(pgd), !mm_p4d_folded(current->mm));
}

static struct kunit_case tables_tests[] = {
	KUNIT_CASE(tables_install),
	KUNIT_CASE(tables_map_entry),
	KUNIT_CASE(tables_broken),
	{ }
};

static struct kunit_suite tables_suite = {
	.name = "pagoda_tables",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = tables_tests,
};

kunit_test_suite(tables_suite);
