// SPDX-License-Identifier: GPL-2.0
/*
 * The split between kernel and user: two roots. That of TTBR1 is the kernel's
 * own, whoever runs; those of TTBR0 lead to user pages and nowhere else.
 */
#include <linux/bitfield.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/mmu_context.h>
#include <asm/sections.h>
#include <asm/sysreg.h>

#include <pagoda/umm.h>

#include "../mmu.h"

/* Where a base register points, less the identifier and the bit for sharing. */
static u64 split_base(u64 ttbr)
{
	return ttbr & GENMASK_ULL(47, 1);
}

static u64 split_ttbr1_base(void)
{
	return split_base(phys_to_ttbr(__pa_symbol(swapper_pg_dir)));
}

/* With emulated PAN the kernel has an empty root instead of the user's. */
static void base_registers_name_the_roots(struct kunit *test)
{
	struct umm *self = umm_self(test), *other = umm_new(test);
	u64 ttbr0, ttbr1, saved;
	struct umm *u;
	int i;

	for (i = 0; i < 2; i++) {
		u = i ? other : self;
		umm_enter(u);
		preempt_disable();
		ttbr0 = read_sysreg(ttbr0_el1);
		ttbr1 = read_sysreg(ttbr1_el1);
		preempt_enable();
		KUNIT_EXPECT_EQ(test, split_base(ttbr1), split_ttbr1_base());
		saved = ttbr0;
		if (system_uses_ttbr0_pan()) {
#ifdef CONFIG_ARM64_SW_TTBR0_PAN
			saved = task_thread_info(current)->ttbr0;
#endif
			KUNIT_EXPECT_EQ(test, split_base(ttbr0),
					split_base(phys_to_ttbr(__pa_symbol(reserved_pg_dir))));
			KUNIT_EXPECT_EQ(test, FIELD_GET(TTBR_ASID_MASK, saved),
					(u64)ASID(u->mm));
		} else {
			KUNIT_EXPECT_EQ(test, FIELD_GET(TTBR_ASID_MASK, ttbr1),
					(u64)ASID(u->mm));
		}
		KUNIT_EXPECT_EQ(test, split_base(saved),
				split_base(phys_to_ttbr(virt_to_phys(u->mm->pgd))));
		KUNIT_EXPECT_NE(test, ASID(u->mm), 0UL);
	}
	KUNIT_EXPECT_NE(test, ASID(self->mm), ASID(other->mm));
	/* The identifier is that of TTBR1. */
	KUNIT_EXPECT_TRUE(test, read_sysreg(tcr_el1) & TCR_A1);
}

static void new_roots_are_empty(struct kunit *test)
{
	struct umm *one = umm_new(test), *two = umm_new(test);

	KUNIT_EXPECT_PTR_NE(test, one->mm->pgd, two->mm->pgd);
	KUNIT_EXPECT_PTR_NE(test, one->mm->pgd, init_mm.pgd);
	KUNIT_EXPECT_NULL(test, memchr_inv(one->mm->pgd, 0, PGD_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(two->mm->pgd, 0, PGD_SIZE));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)one->mm->pgd,
					   PGD_SIZE));
}

/* vmalloc adds kernel tables: no user root has to hear of it. */
static void kernel_mappings_leave_user_roots_alone(struct kunit *test)
{
	struct umm *fresh = umm_new(test);
	pgd_t *before = kunit_kmalloc(test, PGD_SIZE, GFP_KERNEL);
	void *area;

	KUNIT_ASSERT_NOT_NULL(test, before);
	umm_map_at(test, UMM_BASE, 1, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE, 1), 0);
	memcpy(before, current->mm->pgd, PGD_SIZE);
	area = vmalloc(SZ_4M);
	KUNIT_ASSERT_NOT_NULL(test, area);
	*(u8 *)area = 1;
	KUNIT_EXPECT_MEMEQ(test, before, current->mm->pgd, PGD_SIZE);
	KUNIT_EXPECT_NULL(test, memchr_inv(fresh->mm->pgd, 0, PGD_SIZE));
	vfree(area);
}

struct split_walk {
	struct kunit *test;
	unsigned int tables, leaves;
};

static void split_leaf(struct split_walk *w, pte_t e, unsigned long addr)
{
	struct kunit *test = w->test;
	struct page *page;

	w->leaves++;
	KUNIT_EXPECT_TRUE_MSG(test, pte_val(e) & PTE_NG, "%lx", addr);
	KUNIT_EXPECT_TRUE_MSG(test, pte_val(e) & PTE_PXN, "%lx", addr);
	KUNIT_ASSERT_TRUE(test, pfn_valid(pte_pfn(e)));
	page = pfn_to_page(pte_pfn(e));
	if (is_zero_pfn(pte_pfn(e))) {
		KUNIT_EXPECT_FALSE(test, pte_write(e));
		return;
	}
	KUNIT_EXPECT_FALSE(test, PageReserved(page));
	KUNIT_EXPECT_FALSE(test, PageTable(page));
	KUNIT_EXPECT_FALSE(test, PageSlab(page));
	KUNIT_EXPECT_TRUE_MSG(test, page_mapped(page), "%lx", addr);
}

/* Every entry of a user root, down to the leaves. */
static void split_walk(struct split_walk *w, pte_t *table, unsigned int level,
		       unsigned long base)
{
	unsigned int i;

	for (i = 0; i < pt_entries(level); i++) {
		unsigned long at = base + ((unsigned long)i << pt_shift(level));
		pte_t e = table[i];

		if (level == 1) {
			if (pte_valid(e))
				split_leaf(w, e, at);
			continue;
		}
		if (pt_entry_none(e))
			continue;
		w->tables++;
		KUNIT_ASSERT_TRUE(w->test, pt_entry_table(e));
		/* The kernel executes nothing below. */
		KUNIT_EXPECT_TRUE(w->test, pte_val(e) & PMD_TABLE_PXN);
		KUNIT_EXPECT_TRUE(w->test, pt_entry_user(e));
		KUNIT_EXPECT_TRUE(w->test,
				  PageTable(pfn_to_page(pt_entry_pfn(e))));
		split_walk(w, __va((phys_addr_t)pt_entry_pfn(e) << PAGE_SHIFT),
			   level - 1, at);
	}
}

static void user_tables_have_no_kernel_entry(struct kunit *test)
{
	struct split_walk w = { .test = test };
	struct file *file = umm_ramfs(test, 64);
	struct umm *child;

	umm_paint(test, file, "|WWW|xx|FFff|LL|rr|ss|hh|");
	KUNIT_EXPECT_EQ(test, umm_poke(umm_map(test, 1, UMM_RW), 1), 0);
	split_walk(&w, (pte_t *)current->mm->pgd, pt_levels(), 0);
	KUNIT_EXPECT_GE(test, w.leaves, 4);
	KUNIT_EXPECT_GE(test, w.tables, pt_levels() - 1);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	split_walk(&w, (pte_t *)child->mm->pgd, pt_levels(), 0);
}

static void split_kernel_leaf(unsigned long addr, unsigned long size,
			      const struct umm_entry *e, void *arg)
{
	struct split_walk *w = arg;

	w->leaves++;
	KUNIT_EXPECT_FALSE_MSG(w->test, e->user, "%lx is open to user mode",
			       addr);
	KUNIT_EXPECT_FALSE_MSG(w->test, e->exec, "user mode can execute %lx",
			       addr);
}

static void kernel_tables_are_not_for_user(struct kunit *test)
{
	struct split_walk w = { .test = test };

	umm_sweep(&init_mm, PAGE_OFFSET, -1UL, split_kernel_leaf, &w);
	KUNIT_EXPECT_GT(test, w.leaves, 4);
}

static void path_to_user_page(struct kunit *test)
{
	unsigned int level;
	struct hw_path path;

	umm_map_at(test, UMM_BASE, 1, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE, 1), 0);
	hw_path_read(&path, current->mm->pgd, UMM_BASE);
	KUNIT_EXPECT_FALSE(test, path.broken);
	KUNIT_EXPECT_EQ(test, path.top, pt_levels());
	KUNIT_ASSERT_EQ(test, path.bottom, 1U);
	for (level = path.top; level > 1; level--)
		KUNIT_EXPECT_TRUE(test, pt_entry_private(path.entry[level]));
	KUNIT_EXPECT_EQ(test, pte_pfn(path.entry[1]),
			umm_entry(current->mm, UMM_BASE).pfn);
	/* The kernel's text is in the other root alone. */
	hw_path_read(&path, init_mm.pgd, (unsigned long)_stext);
	KUNIT_EXPECT_FALSE(test, path.broken);
	KUNIT_EXPECT_TRUE(test, pte_valid(path.entry[path.bottom]));
	hw_path_read(&path, init_mm.pgd, (unsigned long)page_address(ZERO_PAGE(0)));
	KUNIT_EXPECT_FALSE(test, path.broken);
	KUNIT_EXPECT_TRUE(test, pte_valid(path.entry[path.bottom]));
}

static void path_through_garbage(struct kunit *test)
{
	pte_t *root = (pte_t *)get_zeroed_page(GFP_KERNEL);
	struct hw_path path;

	KUNIT_ASSERT_NOT_NULL(test, root);
	/* A table in a frame that no machine has. */
	root[0] = __pte(PMD_TYPE_TABLE | (PTE_ADDR_LOW & GENMASK_ULL(47, 40)));
	hw_path_read(&path, (pgd_t *)root, 0);
	KUNIT_EXPECT_TRUE(test, path.broken);
	KUNIT_EXPECT_EQ(test, path.bottom, pt_levels() - 1);
	/* A gap. */
	hw_path_read(&path, (pgd_t *)root, 1UL << pt_shift(pt_levels()));
	KUNIT_EXPECT_FALSE(test, path.broken);
	KUNIT_EXPECT_EQ(test, path.bottom, pt_levels());
	free_page((unsigned long)root);
}

static struct kunit_case split_cases[] = {
	KUNIT_CASE(base_registers_name_the_roots),
	KUNIT_CASE(new_roots_are_empty),
	KUNIT_CASE(kernel_mappings_leave_user_roots_alone),
	KUNIT_CASE(user_tables_have_no_kernel_entry),
	KUNIT_CASE(kernel_tables_are_not_for_user),
	KUNIT_CASE(path_to_user_page),
	KUNIT_CASE(path_through_garbage),
	{}
};

static struct kunit_suite split_suite = {
	.name = "pagoda_arm64_split",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = split_cases,
};

kunit_test_suite(split_suite);
