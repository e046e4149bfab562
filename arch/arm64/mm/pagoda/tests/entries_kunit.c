// SPDX-License-Identifier: GPL-2.0
/*
 * Single entries: what the codec of asm/pagoda.h sets, how permissions and
 * the dirty state change, and what the hardware under test does of its own
 * accord. Runs with and without FEAT_HAFDBS and FEAT_PAN: what is expected is
 * what the processor says it has.
 */
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/tlbflush.h>

#include <pagoda/umm.h>

#include "../mmu.h"

static void table_entries_forbid_the_other_side(struct kunit *test)
{
	struct ptdesc *table = pagetable_alloc(GFP_KERNEL | __GFP_ZERO, 0);
	pte_t user = __pte(0), kernel = __pte(0), ro;

	KUNIT_ASSERT_NOT_NULL(test, table);
	pt_entry_publish(current->mm, &user, 2, table);
	pt_entry_publish(&init_mm, &kernel, 2, table);
	KUNIT_EXPECT_TRUE(test, pte_val(user) & PMD_TABLE_PXN);
	KUNIT_EXPECT_FALSE(test, pte_val(user) & PMD_TABLE_UXN);
	KUNIT_EXPECT_TRUE(test, pte_val(kernel) & PMD_TABLE_UXN);
	KUNIT_EXPECT_FALSE(test, pte_val(kernel) & PMD_TABLE_PXN);

	/* APTable[1] and nothing else, there and back. */
	ro = pt_entry_wrprotect(user);
	KUNIT_EXPECT_EQ(test, pte_val(ro) ^ pte_val(user), BIT_ULL(62));
	KUNIT_EXPECT_EQ(test, pte_val(pt_entry_mkwrite(ro)), pte_val(user));
	KUNIT_EXPECT_TRUE(test, pt_entry_private(user));
	KUNIT_EXPECT_FALSE(test, pt_entry_private(ro));
	KUNIT_EXPECT_FALSE(test, pt_entry_user(__pte(pte_val(user) |
						     BIT_ULL(61))));
	pagetable_free(table);
}

static void blocks_are_no_tables(struct kunit *test)
{
	pte_t block = __pte(PMD_TYPE_SECT | PMD_SECT_AF);

	KUNIT_EXPECT_TRUE(test, pt_entry_leaf(block));
	KUNIT_EXPECT_FALSE(test, pt_entry_table(block));
	KUNIT_EXPECT_FALSE(test, pt_entry_none(block));
	/* Not valid, so neither, whatever else is set. */
	block = __pte(PMD_SECT_AF | PMD_TABLE_BIT);
	KUNIT_EXPECT_FALSE(test, pt_entry_leaf(block));
	KUNIT_EXPECT_FALSE(test, pt_entry_table(block));
}

static void access_flags_only_widen(struct kunit *test)
{
	pte_t ro = pte_mkold(pte_wrprotect(pte_mkclean(pfn_pte(1, PAGE_SHARED))));
	pte_t rw = pte_mkdirty(pte_mkyoung(pte_mkwrite_novma(ro)));
	pte_t clean = pte_mkyoung(pte_mkwrite_novma(ro)), slot = ro;

	KUNIT_EXPECT_EQ(test, __ptep_set_access_flags(NULL, 0, &slot, ro, 0), 0);
	KUNIT_EXPECT_EQ(test, __ptep_set_access_flags(NULL, 0, &slot, rw, 0), 1);
	KUNIT_EXPECT_EQ(test, pte_val(slot), pte_val(rw));

	/* The hardware made it dirty after the new value was computed. */
	slot = __pte(pte_val(clean) & ~PTE_RDONLY);
	KUNIT_EXPECT_EQ(test, __ptep_set_access_flags(NULL, 0, &slot, clean, 0),
			1);
	KUNIT_EXPECT_TRUE(test, pte_hw_dirty(slot));
	KUNIT_EXPECT_TRUE(test, pte_dirty(slot));

	/* Bits that are no permission stay as they are. */
	slot = pte_mkspecial(ro);
	KUNIT_EXPECT_EQ(test, __ptep_set_access_flags(NULL, 0, &slot, rw, 0), 1);
	KUNIT_EXPECT_TRUE(test, pte_special(slot));
	KUNIT_EXPECT_TRUE(test, pte_write(slot));
}

static void protection_keeps_the_dirty_state(struct kunit *test)
{
	pte_t clean = pte_mkwrite_novma(pte_mkclean(pfn_pte(1, PAGE_SHARED)));
	pte_t slot = __pte(pte_val(clean) & ~PTE_RDONLY);

	pt_leaf_wrprotect(&slot);
	KUNIT_EXPECT_FALSE(test, pte_write(slot));
	KUNIT_EXPECT_TRUE(test, pte_val(slot) & PTE_RDONLY);
	KUNIT_EXPECT_TRUE(test, pte_dirty(slot));
	slot = clean;
	pt_leaf_wrprotect(&slot);
	KUNIT_EXPECT_FALSE(test, pte_write(slot));
	KUNIT_EXPECT_FALSE(test, pte_dirty(slot));
}

/* A page of user memory that was written to, and the way to it. */
static void entries_page(struct kunit *test, struct hw_path *path)
{
	umm_map_at(test, UMM_BASE, 1, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(UMM_BASE, 1), 0);
	hw_path_read(path, current->mm->pgd, UMM_BASE);
	KUNIT_ASSERT_EQ(test, path->bottom, 1U);
}

/* The entry of level 2 or 1 itself. */
static pte_t *entries_slot(const struct hw_path *path, unsigned int level)
{
	pte_t *table = (pte_t *)current->mm->pgd;

	if (level < path->top)
		table = __va((phys_addr_t)pt_entry_pfn(path->entry[level + 1])
			     << PAGE_SHIFT);
	return table + ((UMM_BASE >> pt_shift(level)) &
			(pt_entries(level) - 1));
}

static void hardware_sets_the_access_flag(struct kunit *test)
{
	bool hw = read_sysreg(tcr_el1) & TCR_HA;
	unsigned long faults;
	struct hw_path path;
	pte_t *slot;

	entries_page(test, &path);
	slot = entries_slot(&path, 1);
	set_pte(slot, pte_mkold(ptep_get(slot)));
	flush_tlb_mm(current->mm);
	faults = current->min_flt;
	KUNIT_EXPECT_EQ(test, umm_touch(UMM_BASE), 0);
	KUNIT_EXPECT_TRUE(test, pte_young(ptep_get(slot)));
	KUNIT_EXPECT_EQ(test, current->min_flt - faults,
			hw ? 0UL : 1UL);
	KUNIT_EXPECT_EQ(test, hw, cpu_has_hw_af());
	kunit_info(test, "access flag set by %s\n", hw ? "hardware" : "software");
}

static void hardware_keeps_the_dirty_state(struct kunit *test)
{
	bool hw = read_sysreg(tcr_el1) & TCR_HD;
	unsigned long faults;
	struct hw_path path;
	pte_t *slot;

	entries_page(test, &path);
	slot = entries_slot(&path, 1);
	set_pte(slot, pte_mkclean(ptep_get(slot)));
	flush_tlb_mm(current->mm);
	KUNIT_EXPECT_FALSE(test, pte_dirty(ptep_get(slot)));
	/* A read does not make it dirty. */
	KUNIT_EXPECT_EQ(test, umm_touch(UMM_BASE), 0);
	KUNIT_EXPECT_FALSE(test, pte_dirty(ptep_get(slot)));
	faults = current->min_flt;
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE, 2), 0);
	KUNIT_EXPECT_TRUE(test, pte_dirty(ptep_get(slot)));
	KUNIT_EXPECT_EQ(test, current->min_flt - faults, hw ? 0UL : 1UL);
	kunit_info(test, "dirty state kept by %s\n", hw ? "hardware" : "software");
}

/* Write without a fault handler: does the hardware allow it? */
static int entries_try(unsigned long value)
{
	int err;

	pagefault_disable();
	err = umm_poke(UMM_BASE, value);
	pagefault_enable();
	return err;
}

/* A writable page below an entry that forbids writes cannot be written. */
static void table_entries_forbid_writes(struct kunit *test)
{
	struct hw_path path;
	pte_t *slot;

	entries_page(test, &path);
	slot = entries_slot(&path, 2);
	KUNIT_EXPECT_EQ(test, entries_try(2), 0);
	pt_entry_set(slot, pt_entry_wrprotect(ptep_get(slot)));
	pt_flush_tables(current->mm, UMM_BASE, UMM_BASE + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, entries_try(3),
			pt_entry_protects(2) ? -EFAULT : 0);
	/* Nor does the dirty state change meanwhile. */
	KUNIT_EXPECT_EQ(test, umm_peek(test, UMM_BASE),
			pt_entry_protects(2) ? 2UL : 3UL);
	pt_entry_set(slot, pt_entry_mkwrite(ptep_get(slot)));
	pt_flush_tables(current->mm, UMM_BASE, UMM_BASE + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, entries_try(4), 0);
}

/* PAN: the kernel reaches user memory with the instructions made for it. */
static int entries_stray_read(unsigned long *value)
{
	__get_kernel_nofault(value, (unsigned long *)UMM_BASE, unsigned long,
			     fault);
	return 0;
fault:
	return -EFAULT;
}

static void kernel_does_not_stray(struct kunit *test)
{
	unsigned long value = 0;
	struct hw_path path;
	u64 pan;
	int err;

	if (!system_uses_hw_pan() && !system_uses_ttbr0_pan())
		kunit_skip(test, "the processor has no PAN, and none is emulated");
	entries_page(test, &path);
	preempt_disable();
	pagefault_disable();
	/* Threads that were never in user mode may run without. */
	pan = system_uses_hw_pan() ? read_sysreg_s(SYS_PSTATE_PAN) : 1;
	if (!pan)
		set_pstate_pan(1);
	err = entries_stray_read(&value);
	if (!pan)
		set_pstate_pan(0);
	pagefault_enable();
	preempt_enable();
	KUNIT_EXPECT_EQ(test, err, -EFAULT);
	KUNIT_EXPECT_EQ(test, value, 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, UMM_BASE), 1UL);
}

/* Memory to be executed only: where EPAN keeps the kernel off it too. */
static void areas_to_execute_only(struct kunit *test)
{
	pgprot_t prot = vm_get_page_prot(VM_EXEC);
	bool epan = cpus_have_final_cap(ARM64_HAS_EPAN);

	KUNIT_EXPECT_FALSE(test, pgprot_val(prot) & PTE_UXN);
	KUNIT_EXPECT_TRUE(test, pgprot_val(prot) & PTE_PXN);
	KUNIT_EXPECT_EQ(test, !!(pgprot_val(prot) & PTE_USER), !epan);
	prot = vm_get_page_prot(VM_READ | VM_WRITE);
	KUNIT_EXPECT_TRUE(test, pgprot_val(prot) & PTE_UXN);
	KUNIT_EXPECT_TRUE(test, pgprot_val(prot) & PTE_PXN);
}

static struct kunit_case entries_cases[] = {
	KUNIT_CASE(table_entries_forbid_the_other_side),
	KUNIT_CASE(blocks_are_no_tables),
	KUNIT_CASE(access_flags_only_widen),
	KUNIT_CASE(protection_keeps_the_dirty_state),
	KUNIT_CASE(hardware_sets_the_access_flag),
	KUNIT_CASE(hardware_keeps_the_dirty_state),
	KUNIT_CASE(table_entries_forbid_writes),
	KUNIT_CASE(kernel_does_not_stray),
	KUNIT_CASE(areas_to_execute_only),
	{}
};

static struct kunit_suite entries_suite = {
	.name = "pagoda_arm64_entries",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = entries_cases,
};

kunit_test_suite(entries_suite);
