// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables that hold what nobody has put there: the access fails and the
 * log says so, and nothing else goes wrong.
 *
 * tools/pagoda/boot.py takes a report for an error of the kernel unless the
 * log announces it with "pagoda-expect:".
 */
#include <linux/mm.h>
#include <linux/pgtable.h>

#include <asm/tlbflush.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
/* A frame that no machine here has, and that an entry has room for. */
#ifdef CONFIG_X86_32
#define BEYOND		PHYS_PFN(__PHYSICAL_MASK)
#else
#define BEYOND		PHYS_PFN(BIT_ULL(45))
#endif
#define GARBAGE		0x123000UL	/* neither empty nor present */

static void corrupt_announce(void)
{
	pr_info("pagoda-expect: BUG: Bad page map\n");
}

/* Entries that cannot be in an ordinary area have no page. */
static void corrupt_has_no_page(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	pte_t pte;

	umm_map_at(test, AT(0), 1, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(AT(0), 1), 0);
	mmap_read_lock(mm);
	vma = vma_lookup(mm, AT(0));
	pte = pfn_pte(page_to_pfn(umm_page(test, AT(0))), vma->vm_page_prot);
	KUNIT_EXPECT_PTR_EQ(test, vm_normal_page(vma, AT(0), pte),
			    umm_page(test, AT(0)));
	corrupt_announce();
	KUNIT_EXPECT_NULL(test, vm_normal_page(vma, AT(0), pte_mkspecial(pte)));
	/* A frame beyond all memory. */
	pte = pfn_pte(BEYOND, vma->vm_page_prot);
	corrupt_announce();
	KUNIT_EXPECT_NULL(test, vm_normal_folio(vma, AT(0), pte));
	mmap_read_unlock(mm);
}

#ifdef CONFIG_PAGODA
#include "../tree.h"
#include "../cursor.h"

static int corrupt_plant(pte_t *pte, unsigned long addr, void *data)
{
	set_pte(pte, __pte(GARBAGE));
	return 0;
}

/* An entry: who comes upon it gets SIGBUS, the child gets nothing. */
static void corrupt_entry(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct umm *child;

	umm_map_at(test, AT(0), 3, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_ASSERT_EQ(test, umm_poke(AT(2), 3), 0);
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, apply_to_page_range(mm, AT(1), PAGE_SIZE,
						  corrupt_plant, NULL), 0);
	mmap_write_unlock(mm);
	corrupt_announce();
	KUNIT_EXPECT_EQ(test, umm_touch(AT(1)), -EFAULT);
	corrupt_announce();
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(0), 3 * PAGE_SIZE,
				      PROT_READ), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	/* To throw the page away is a way out. */
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(1), PAGE_SIZE,
				      MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 0UL);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
}

/* An entry for a table: nothing below it can be used until it is put right. */
static void corrupt_way(struct kunit *test, unsigned int level)
{
	unsigned long at = ALIGN(UMM_BASE, BIT(pt_shift(level)));
	struct mm_struct *mm = current->mm;
	pte_t *slot, good;

	umm_map_at(test, at, 2, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	mmap_write_lock(mm);
	slot = pt_slot_make(mm, at, level);
	KUNIT_EXPECT_NOT_NULL(test, slot);
	good = *slot;
	WRITE_ONCE(*slot, __pte(GARBAGE));
	flush_tlb_mm(mm);
	mmap_write_unlock(mm);
	KUNIT_EXPECT_EQ(test, umm_touch(at), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at, PAGE_SIZE, PROT_READ),
			0L);
	WRITE_ONCE(*slot, good);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 2), 0);
}

static void corrupt_last_table(struct kunit *test)
{
	corrupt_way(test, 2);
}

static void corrupt_upper_table(struct kunit *test)
{
	if (pt_levels() < 3)
		kunit_skip(test, "there are two levels");
	corrupt_way(test, 3);
}
#endif

static struct kunit_case corrupt_tests[] = {
	KUNIT_CASE(corrupt_has_no_page),
#ifdef CONFIG_PAGODA
	KUNIT_CASE(corrupt_entry),
	KUNIT_CASE(corrupt_last_table),
	KUNIT_CASE(corrupt_upper_table),
#endif
	{ }
};

static struct kunit_suite corrupt_suite = {
	.name = "pagoda_corrupt",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = corrupt_tests,
};

kunit_test_suite(corrupt_suite);
