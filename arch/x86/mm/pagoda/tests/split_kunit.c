// SPDX-License-Identifier: GPL-2.0
/*
 * The split between kernel and user, in real tables: the kernel's half is the
 * same in every root, nothing that user mode can reach maps a kernel page,
 * and single entries change as promised.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/pgalloc.h>
#include <asm/sections.h>
#include <asm/vsyscall.h>
#include "../mmu.h"

static bool kernel_half_same(pgd_t *root)
{
	return !memcmp(root + KERNEL_PGD_BOUNDARY,
		       swapper_pg_dir + KERNEL_PGD_BOUNDARY,
		       KERNEL_PGD_PTRS * sizeof(pgd_t));
}

static struct mm_struct *split_mm(struct kunit *test)
{
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	return mm;
}

static bool on_pgd_list(pgd_t *root)
{
	struct ptdesc *desc;
	bool found = false;

	spin_lock(&pgd_lock);
	list_for_each_entry(desc, &pgd_list, pt_list)
		found |= ptdesc_address(desc) == root;
	spin_unlock(&pgd_lock);
	return found;
}

static void new_roots_have_the_kernel_half(struct kunit *test)
{
	struct mm_struct *one = split_mm(test), *two = split_mm(test);

	KUNIT_EXPECT_PTR_NE(test, one->pgd, two->pgd);
	KUNIT_EXPECT_TRUE(test, kernel_half_same(one->pgd));
	KUNIT_EXPECT_TRUE(test, kernel_half_same(two->pgd));
	if (!IS_ENABLED(CONFIG_X86_PAE))
		KUNIT_EXPECT_NULL(test, memchr_inv(one->pgd, 0,
						   KERNEL_PGD_BOUNDARY *
						   sizeof(pgd_t)));
	mmput(two);
	mmput(one);
}

/* vmalloc adds kernel tables while roots exist: all of them must see it. */
static void kernel_mappings_reach_every_root(struct kunit *test)
{
	struct mm_struct *mm = split_mm(test);
	struct hw_path here, there;
	void *area = vmalloc(SZ_4M);

	KUNIT_ASSERT_NOT_NULL(test, area);
	*(u8 *)area = 1;
	KUNIT_EXPECT_TRUE(test, kernel_half_same(mm->pgd));
	hw_path_read(&here, init_mm.pgd, (unsigned long)area);
	hw_path_read(&there, mm->pgd, (unsigned long)area);
	KUNIT_EXPECT_TRUE(test, hw_path_maps(&here));
	KUNIT_EXPECT_TRUE(test, hw_path_maps(&there));
	KUNIT_EXPECT_EQ(test, here.bottom, there.bottom);
	KUNIT_EXPECT_EQ(test, pt_entry_pfn(here.entry[here.bottom]),
			pt_entry_pfn(there.entry[there.bottom]));
	vfree(area);
	mmput(mm);
}

static void every_listed_root_agrees(struct kunit *test)
{
	struct mm_struct *mm = split_mm(test);
	unsigned int seen = 0, differ = 0;
	struct ptdesc *desc;

	spin_lock(&pgd_lock);
	list_for_each_entry(desc, &pgd_list, pt_list) {
		seen++;
		differ += !kernel_half_same(ptdesc_address(desc));
	}
	spin_unlock(&pgd_lock);
	KUNIT_EXPECT_EQ(test, differ, 0);
	if (!IS_ENABLED(CONFIG_X86_PAE))
		KUNIT_EXPECT_GT(test, seen, 0);
	mmput(mm);
}

static void roots_come_and_go_on_the_list(struct kunit *test)
{
	struct mm_struct *mm = split_mm(test);
	pgd_t *root = mm->pgd;

	if (IS_ENABLED(CONFIG_X86_PAE)) {
		mmput(mm);
		kunit_skip(test, "PAE roots are on no list");
	}
	KUNIT_EXPECT_TRUE(test, on_pgd_list(root));
	KUNIT_EXPECT_PTR_EQ(test, pgd_page_get_mm(virt_to_page(root)), mm);
	/* The kernel's own root is a constant, and not one of them. */
	KUNIT_EXPECT_FALSE(test, on_pgd_list(swapper_pg_dir));
	mmgrab(mm);
	mmput(mm);
	KUNIT_EXPECT_TRUE(test, on_pgd_list(root));
	mmdrop(mm);
	KUNIT_EXPECT_FALSE(test, on_pgd_list(root));
}

/*
 * Follow every entry of the kernel's half that user mode may follow. The
 * vsyscall page is the one thing it may find.
 */
static unsigned int reachable(struct kunit *test, pte_t *table,
			      unsigned int level, unsigned long base,
			      unsigned int first)
{
	unsigned int i, leaves = 0;

	for (i = first; i < pt_entries(level); i++) {
		unsigned long at = base + ((unsigned long)i << pt_shift(level));
		pte_t e = table[i];

		if (!(pte_val(e) & _PAGE_PRESENT) || !pt_entry_user(e))
			continue;
		/* Addresses of the upper half are sign-extended. */
		if (IS_ENABLED(CONFIG_X86_64) && level == pt_levels())
			at |= ~0UL << (pt_shift(level) + PT_INDEX_BITS - 1);
		if (level > 1 && !pt_entry_leaf(e)) {
			leaves += reachable(test, __va(pt_entry_pfn(e) <<
						       PAGE_SHIFT),
					    level - 1, at, 0);
			continue;
		}
		leaves++;
#ifdef CONFIG_X86_64
		KUNIT_EXPECT_EQ(test, at, VSYSCALL_ADDR);
		KUNIT_EXPECT_FALSE(test, pte_write(e));
#else
		KUNIT_FAIL(test, "%lx is open to user mode", at);
#endif
	}
	return leaves;
}

static void no_user_path_to_the_kernel(struct kunit *test)
{
	struct mm_struct *mm = split_mm(test);

	/* PAE root entries have no such bit; the level below does. */
	if (IS_ENABLED(CONFIG_X86_PAE)) {
		mmput(mm);
		kunit_skip(test, "no user bit in PAE roots");
	}
	KUNIT_EXPECT_LE(test, reachable(test, (pte_t *)mm->pgd, pt_levels(), 0,
					KERNEL_PGD_BOUNDARY), 1);
	KUNIT_EXPECT_LE(test, reachable(test, (pte_t *)swapper_pg_dir,
					pt_levels(), 0, KERNEL_PGD_BOUNDARY),
			1);
	mmput(mm);
}

static void path_to_text_and_data(struct kunit *test)
{
	unsigned long data = __get_free_page(GFP_KERNEL);
	struct hw_path path;

	KUNIT_ASSERT_NE(test, data, 0);
	hw_path_read(&path, init_mm.pgd, data);
	KUNIT_EXPECT_TRUE(test, hw_path_maps(&path));
	KUNIT_EXPECT_EQ(test, path.top, pt_levels());
	KUNIT_EXPECT_TRUE(test, hw_path_allows(&path, _PAGE_RW, 0));
	KUNIT_EXPECT_FALSE(test, hw_path_allows(&path, _PAGE_USER, 0));
	if (__supported_pte_mask & _PAGE_NX)
		KUNIT_EXPECT_FALSE(test, hw_path_allows(&path, 0, _PAGE_NX));
	if (path.bottom == 1)
		KUNIT_EXPECT_EQ(test, pt_entry_pfn(path.entry[1]),
				PHYS_PFN(__pa(data)));
	free_page(data);

	hw_path_read(&path, init_mm.pgd, (unsigned long)_stext);
	KUNIT_EXPECT_TRUE(test, hw_path_maps(&path));
	KUNIT_EXPECT_TRUE(test, hw_path_allows(&path, 0, _PAGE_NX));

	/* The first page is never mapped in the kernel's own tables. */
	hw_path_read(&path, init_mm.pgd, 0);
	KUNIT_EXPECT_FALSE(test, path.broken);
	KUNIT_EXPECT_FALSE(test, hw_path_maps(&path));
}

static void path_through_garbage(struct kunit *test)
{
	pgd_t *root = (pgd_t *)get_zeroed_page(GFP_KERNEL);
	unsigned int level = pt_levels();
	struct hw_path path;

	KUNIT_ASSERT_NOT_NULL(test, root);
	/* A table in a frame that no machine has. */
	root[0] = native_make_pgd(_PAGE_TABLE | (PTE_PFN_MASK & ~0xfffffffUL));
	hw_path_read(&path, root, 0);
	KUNIT_EXPECT_TRUE(test, path.broken);
	KUNIT_EXPECT_FALSE(test, hw_path_maps(&path));
	KUNIT_EXPECT_EQ(test, path.bottom, level - 1);
	free_page((unsigned long)root);
}

static void young_is_cleared_once(struct kunit *test)
{
	pte_t pte = pfn_pte(1, PAGE_SHARED);

	pte = pte_mkyoung(pte);
	KUNIT_EXPECT_EQ(test, ptep_test_and_clear_young(NULL, 0, &pte), 1);
	KUNIT_EXPECT_FALSE(test, pte_young(pte));
	KUNIT_EXPECT_EQ(test, ptep_test_and_clear_young(NULL, 0, &pte), 0);
	KUNIT_EXPECT_EQ(test, ptep_clear_flush_young(NULL, 0, &pte), 0);
	KUNIT_EXPECT_TRUE(test, pte_same(pte, pte_mkold(pfn_pte(1, PAGE_SHARED))));
}

static void access_flags_change_on_write(struct kunit *test)
{
	pte_t ro = pte_mkold(pte_wrprotect(pfn_pte(1, PAGE_SHARED)));
	pte_t rw = pte_mkdirty(pte_mkyoung(pte_mkwrite_novma(ro)));
	pte_t pte = ro;

	KUNIT_EXPECT_EQ(test, ptep_set_access_flags(NULL, 0, &pte, ro, 1), 0);
	/* A read leaves the bits to the hardware, but says they differ. */
	KUNIT_EXPECT_EQ(test, ptep_set_access_flags(NULL, 0, &pte, rw, 0), 1);
	KUNIT_EXPECT_TRUE(test, pte_same(pte, ro));
	KUNIT_EXPECT_EQ(test, ptep_set_access_flags(NULL, 0, &pte, rw, 1), 1);
	KUNIT_EXPECT_TRUE(test, pte_same(pte, rw));
}

#if defined(CONFIG_HAVE_ARCH_HUGE_VMAP) && CONFIG_PGTABLE_LEVELS > 2
static void large_leaves_in_and_out(struct kunit *test)
{
	pmd_t pmd = __pmd(0);
	pte_t *table;

	KUNIT_EXPECT_EQ(test, pmd_clear_huge(&pmd), 0);
	KUNIT_ASSERT_EQ(test, pmd_set_huge(&pmd, SZ_16M, PAGE_KERNEL), 1);
	KUNIT_EXPECT_TRUE(test, pmd_leaf(pmd));
	KUNIT_EXPECT_EQ(test, pmd_pfn(pmd), PHYS_PFN(SZ_16M));
	/* A leaf may replace a leaf, but not a table. */
	KUNIT_EXPECT_EQ(test, pmd_set_huge(&pmd, SZ_32M, PAGE_KERNEL_RO), 1);
	KUNIT_EXPECT_EQ(test, pmd_pfn(pmd), PHYS_PFN(SZ_32M));
	KUNIT_EXPECT_FALSE(test, pmd_write(pmd));
	KUNIT_EXPECT_EQ(test, pmd_clear_huge(&pmd), 1);
	KUNIT_EXPECT_TRUE(test, pmd_none(pmd));

	table = pte_alloc_one_kernel(&init_mm);
	KUNIT_ASSERT_NOT_NULL(test, table);
	pmd_populate_kernel(&init_mm, &pmd, table);
	KUNIT_EXPECT_EQ(test, pmd_set_huge(&pmd, SZ_32M, PAGE_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, pmd_clear_huge(&pmd), 0);
	KUNIT_EXPECT_PTR_EQ(test, (pte_t *)pmd_page_vaddr(pmd), table);
#ifdef CONFIG_X86_64
	KUNIT_EXPECT_EQ(test, pmd_free_pte_page(&pmd, VMALLOC_START), 1);
	KUNIT_EXPECT_TRUE(test, pmd_none(pmd));
#else
	pte_free_kernel(&init_mm, table);
#endif
}
#endif

#ifdef CONFIG_X86_64
/* The subtree under a level-3 entry goes as a whole. */
static void emptied_subtree_is_freed(struct kunit *test)
{
	unsigned long before, i;
	pud_t pud = __pud(0);
	pmd_t *pmds = pmd_alloc_one(&init_mm, 0);

	KUNIT_ASSERT_NOT_NULL(test, pmds);
	for (i = 0; i < 3; i++) {
		pte_t *table = pte_alloc_one_kernel(&init_mm);

		KUNIT_ASSERT_NOT_NULL(test, table);
		pmd_populate_kernel(&init_mm, &pmds[i * 100], table);
	}
	pud_populate(&init_mm, &pud, pmds);
	before = global_node_page_state(NR_PAGETABLE);
	KUNIT_EXPECT_EQ(test, pud_free_pmd_page(&pud, VMALLOC_START), 1);
	KUNIT_EXPECT_TRUE(test, pud_none(pud));
	KUNIT_EXPECT_LE(test, global_node_page_state(NR_PAGETABLE), before);

	KUNIT_ASSERT_EQ(test, pud_set_huge(&pud, SZ_1G, PAGE_KERNEL), 1);
	KUNIT_EXPECT_TRUE(test, pud_leaf(pud));
	KUNIT_EXPECT_EQ(test, pud_clear_huge(&pud), 1);
	KUNIT_EXPECT_EQ(test, pud_clear_huge(&pud), 0);
}
#endif

static struct kunit_case split_cases[] = {
	KUNIT_CASE(new_roots_have_the_kernel_half),
	KUNIT_CASE(kernel_mappings_reach_every_root),
	KUNIT_CASE(every_listed_root_agrees),
	KUNIT_CASE(roots_come_and_go_on_the_list),
	KUNIT_CASE(no_user_path_to_the_kernel),
	KUNIT_CASE(path_to_text_and_data),
	KUNIT_CASE(path_through_garbage),
	KUNIT_CASE(young_is_cleared_once),
	KUNIT_CASE(access_flags_change_on_write),
#if defined(CONFIG_HAVE_ARCH_HUGE_VMAP) && CONFIG_PGTABLE_LEVELS > 2
	KUNIT_CASE(large_leaves_in_and_out),
#endif
#ifdef CONFIG_X86_64
	KUNIT_CASE(emptied_subtree_is_freed),
#endif
	{}
};

static struct kunit_suite split_suite = {
	.name = "pagoda_x86_split",
	.test_cases = split_cases,
};

kunit_test_suite(split_suite);
