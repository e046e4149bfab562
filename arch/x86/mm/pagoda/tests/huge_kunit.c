// SPDX-License-Identifier: GPL-2.0
/*
 * Large leaves in the kernel's half, as ioremap() and vmalloc() make them:
 * where alignment and memory types allow, in place of tables that are empty.
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>
#include <asm/mtrr.h>
#include <asm/pgtable.h>

#define DEVICE		((phys_addr_t)SZ_1G * 64)	/* nothing is there */

/* Size of the leaf that maps an address, and the frame it maps there. */
static unsigned long leaf_of(unsigned long addr, phys_addr_t *phys)
{
	unsigned int level;
	pte_t *pte = lookup_address(addr, &level);
	unsigned long size;

	if (!pte || !pte_present(*pte))
		return 0;
	size = page_level_size(level);
	*phys = ((phys_addr_t)pte_pfn(*pte) << PAGE_SHIFT) + (addr & (size - 1));
	/* Bit 12 of a large entry is PAT, not part of the address. */
	*phys &= ~(phys_addr_t)(PAGE_SIZE - 1);
	return size;
}

struct hole {
	struct vm_struct *area;
	unsigned long addr;
};

static struct hole hole_make(struct kunit *test, unsigned long size)
{
	struct hole h = { };

	h.area = get_vm_area(2 * size, VM_IOREMAP);
	KUNIT_ASSERT_NOT_NULL(test, h.area);
	h.addr = ALIGN((unsigned long)h.area->addr, size);
	return h;
}

static void hole_map(struct kunit *test, struct hole *h, unsigned long size)
{
	KUNIT_EXPECT_EQ(test, vmap_page_range(h->addr, h->addr + size,
					      DEVICE, PAGE_KERNEL_NOCACHE),
			0);
}

static void hole_unmap(struct hole *h, unsigned long size)
{
	vunmap_range(h->addr, h->addr + size);
}

/* Map by pages, unmap, map by one leaf: the tables in between are freed. */
static void leaf_replaces_tables(struct kunit *test, unsigned long size,
				 unsigned long step)
{
	struct hole h = hole_make(test, size);
	phys_addr_t phys = 0;

	hole_map(test, &h, step);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr, &phys), step);
	KUNIT_EXPECT_EQ(test, phys, DEVICE);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr + step, &phys), 0UL);
	hole_unmap(&h, step);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr, &phys), 0UL);

	hole_map(test, &h, size);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr, &phys), size);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr + size - PAGE_SIZE, &phys), size);
	KUNIT_EXPECT_EQ(test, phys, DEVICE + size - PAGE_SIZE);
	hole_unmap(&h, size);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr, &phys), 0UL);

	/* And back to pages where the leaf was. */
	hole_map(test, &h, step);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr, &phys), step);
	hole_unmap(&h, step);
	free_vm_area(h.area);
}

static void leaf_of_2m(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_X86_64))
		kunit_skip(test, "the kernel's tables stay with PAE");
	leaf_replaces_tables(test, PMD_SIZE, PAGE_SIZE);
}

static void leaf_of_1g(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_X86_64) || !boot_cpu_has(X86_FEATURE_GBPAGES))
		kunit_skip(test, "this processor has no leaves of 1 GiB");
	leaf_replaces_tables(test, PUD_SIZE, PMD_SIZE);
	leaf_replaces_tables(test, PUD_SIZE, PAGE_SIZE);
}

/* Where a table is in use a leaf cannot be put, and nothing is that large. */
static void leaf_is_refused(struct kunit *test)
{
	struct hole h = hole_make(test, PMD_SIZE);
	phys_addr_t phys = 0;
	p4d_t p4d = __p4d(0);
	pgd_t *pgd = pgd_offset_k(h.addr);
	pmd_t *pmd;

	hole_map(test, &h, PAGE_SIZE);
	pmd = pmd_offset(pud_offset(p4d_offset(pgd, h.addr), h.addr), h.addr);
	KUNIT_EXPECT_EQ(test, pmd_set_huge(pmd, DEVICE, PAGE_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, pmd_clear_huge(pmd), 0);
	KUNIT_EXPECT_EQ(test, leaf_of(h.addr, &phys), PAGE_SIZE);
	hole_unmap(&h, PAGE_SIZE);
	free_vm_area(h.area);
	KUNIT_EXPECT_EQ(test, p4d_set_huge(&p4d, DEVICE, PAGE_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, p4d_val(p4d), p4d_val(__p4d(0)));
}

/* The accessed bit of an entry for a table: told once. */
static void table_was_accessed(struct kunit *test)
{
	pmd_t pmd = __pmd(_PAGE_TABLE);

	KUNIT_EXPECT_EQ(test, pmdp_test_and_clear_young(NULL, 0, &pmd), 1);
	KUNIT_EXPECT_EQ(test, pmdp_test_and_clear_young(NULL, 0, &pmd), 0);
	KUNIT_EXPECT_EQ(test, pmd_flags(pmd), _PAGE_TABLE & ~_PAGE_ACCESSED);
}

static struct kunit_case huge_cases[] = {
	KUNIT_CASE(leaf_of_2m),
	KUNIT_CASE(leaf_of_1g),
	KUNIT_CASE(leaf_is_refused),
	KUNIT_CASE(table_was_accessed),
	{}
};

static struct kunit_suite huge_suite = {
	.name = "pagoda_x86_huge",
	.test_cases = huge_cases,
};

kunit_test_suite(huge_suite);
