// SPDX-License-Identifier: GPL-2.0
/*
 * Geometry and entry codec: what asm/pagoda.h states, held against the
 * kernel's own page-table macros and against what an entry must keep when it
 * is made, changed and read back.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../tree.h"

static void geometry_levels_tile_the_address(struct kunit *test)
{
	unsigned int level, bits = PAGE_SHIFT;

	for (level = 1; level <= pt_levels(); level++) {
		KUNIT_EXPECT_EQ(test, pt_shift(level), bits);
		KUNIT_EXPECT_TRUE(test, is_power_of_2(pt_entries(level)));
		bits += ilog2(pt_entries(level));
	}
	/* All levels together cover what user space may use. */
	if (bits < BITS_PER_LONG)
		KUNIT_EXPECT_GE(test, (1UL << bits) - 1, TASK_SIZE_MAX - 1);
}

static void geometry_agrees_with_linux(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1UL << pt_shift(2), PMD_SIZE);
	KUNIT_EXPECT_EQ(test, 1UL << pt_shift(pt_levels()), PGDIR_SIZE);
	KUNIT_EXPECT_EQ(test, pt_entries(1), (unsigned int)PTRS_PER_PTE);
	KUNIT_EXPECT_EQ(test, pt_entries(pt_levels()),
			(unsigned int)PTRS_PER_PGD);
}

static void geometry_index_is_in_the_table(struct kunit *test)
{
	const unsigned long addrs[] = {
		0, PAGE_SIZE, PMD_SIZE - 1, PMD_SIZE, PMD_SIZE + PAGE_SIZE,
		PGDIR_SIZE - PAGE_SIZE, PGDIR_SIZE, TASK_SIZE_MAX - PAGE_SIZE,
	};
	unsigned int i, level;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		unsigned long back = 0;

		for (level = 1; level <= pt_levels(); level++) {
			unsigned int index = pt_index(level, addrs[i]);

			KUNIT_EXPECT_LT(test, index, pt_entries(level));
			back |= (unsigned long)index << pt_shift(level);
		}
		KUNIT_EXPECT_EQ(test, back, addrs[i] & PAGE_MASK);
	}
}

static void geometry_slot_end_stops_at_the_range(struct kunit *test)
{
	unsigned long span = 1UL << pt_shift(2);

	KUNIT_EXPECT_EQ(test, pt_slot_end(2, 0, ULONG_MAX & PAGE_MASK), span);
	KUNIT_EXPECT_EQ(test, pt_slot_end(2, span - PAGE_SIZE, 4 * span), span);
	KUNIT_EXPECT_EQ(test, pt_slot_end(2, span, span + PAGE_SIZE),
			span + PAGE_SIZE);
	/* An end of 0 is the top of the address space. */
	KUNIT_EXPECT_EQ(test, pt_slot_end(2, -span, 0), 0UL);
	KUNIT_EXPECT_EQ(test, pt_slot_end(2, -2 * span, 0), -span);
}

/* A table entry of any level can be told from none and from a leaf. */
static void codec_table_entry_round_trip(struct kunit *test)
{
	unsigned int level;

	/* Entries of a PAE root have no such rights. */
	for (level = 2; level <= pt_levels() - IS_ENABLED(CONFIG_X86_PAE);
	     level++) {
		struct ptdesc *table = pt_table_alloc(current->active_mm,
						      level - 1, 0);
		pte_t slot = __pte(0);

		KUNIT_ASSERT_NOT_NULL(test, table);
		KUNIT_EXPECT_TRUE(test, pt_entry_none(slot));
		KUNIT_EXPECT_FALSE(test, pt_entry_table(slot));

		pt_entry_publish(current->active_mm, &slot, level, table);
		KUNIT_EXPECT_FALSE(test, pt_entry_none(slot));
		KUNIT_EXPECT_TRUE(test, pt_entry_table(slot));
		KUNIT_EXPECT_FALSE(test, pt_entry_leaf(slot));
		KUNIT_EXPECT_TRUE(test, pt_entry_user(slot));
		KUNIT_EXPECT_TRUE(test, pt_entry_writable(slot));
		KUNIT_EXPECT_PTR_EQ(test, pt_entry_child(slot), table);
		/* The last level may have no address of its own. */
		if (level > 2)
			KUNIT_EXPECT_PTR_EQ(test, (void *)pt_entry_entries(slot),
					    ptdesc_to_virt(table));

		slot = pt_entry_wrprotect(slot);
		KUNIT_EXPECT_TRUE(test, pt_entry_table(slot));
		KUNIT_EXPECT_FALSE(test, pt_entry_writable(slot));
		KUNIT_EXPECT_TRUE(test, pt_entry_user(slot));
		KUNIT_EXPECT_PTR_EQ(test, pt_entry_child(slot), table);

		pt_entry_clear(&slot, level);
		KUNIT_EXPECT_TRUE(test, pt_entry_none(slot));
		pt_table_free(current->active_mm, level - 1, table);
	}
}

/* The permissions an area can have, as mmap would ask for them. */
static const struct codec_case {
	const char *name;
	vm_flags_t flags;
} codec_cases[] = {
	{ "none", 0 },
	{ "private read", VM_READ },
	{ "private write", VM_READ | VM_WRITE },
	{ "private exec", VM_READ | VM_EXEC },
	{ "private all", VM_READ | VM_WRITE | VM_EXEC },
	{ "shared read", VM_SHARED | VM_READ },
	{ "shared write", VM_SHARED | VM_READ | VM_WRITE },
	{ "shared all", VM_SHARED | VM_READ | VM_WRITE | VM_EXEC },
};

KUNIT_ARRAY_PARAM_DESC(codec, codec_cases, name);

static void codec_leaf_round_trip(struct kunit *test)
{
	const struct codec_case *c = test->param_value;
	pgprot_t prot = vm_get_page_prot(c->flags);
	unsigned long pfn = page_to_pfn(ZERO_PAGE(0));
	pte_t pte = pfn_pte(pfn, prot);

	KUNIT_EXPECT_TRUE(test, pte_present(pte));
	KUNIT_EXPECT_FALSE(test, pte_none(pte));
	KUNIT_EXPECT_EQ(test, pte_pfn(pte), pfn);
	/* Private memory is never writable before its page is its own. */
	if (!(c->flags & VM_SHARED))
		KUNIT_EXPECT_FALSE(test, pte_write(pte));
	else
		KUNIT_EXPECT_EQ(test, !!pte_write(pte),
				!!(c->flags & VM_WRITE));
#ifdef CONFIG_X86
	/* Hardware does not look at the NX bit of what it may not reach. */
	if (c->flags & (VM_READ | VM_WRITE | VM_EXEC))
		KUNIT_EXPECT_EQ(test, !!pte_exec(pte),
				(c->flags & VM_EXEC) ||
				!(__supported_pte_mask & _PAGE_NX));
#endif

	/* Each change of a bit is seen, undone, and touches nothing else. */
	KUNIT_EXPECT_TRUE(test, pte_young(pte_mkyoung(pte)));
	KUNIT_EXPECT_FALSE(test, pte_young(pte_mkold(pte)));
	KUNIT_EXPECT_TRUE(test, pte_dirty(pte_mkdirty(pte)));
	KUNIT_EXPECT_FALSE(test, pte_dirty(pte_mkclean(pte)));
	KUNIT_EXPECT_TRUE(test, pte_write(pte_mkwrite_novma(pte)));
	KUNIT_EXPECT_FALSE(test, pte_write(pte_wrprotect(pte)));
	KUNIT_EXPECT_TRUE(test, pte_special(pte_mkspecial(pte)));
	KUNIT_EXPECT_EQ(test, pte_pfn(pte_wrprotect(pte_mkold(pte))), pfn);
	KUNIT_EXPECT_TRUE(test, pte_dirty(pte_wrprotect(pte_mkdirty(pte))));
	KUNIT_EXPECT_EQ(test, pte_pfn(pte_modify(pte, PAGE_NONE)), pfn);
}

/* What is no page must never read as one. */
static void codec_swap_entry_is_not_present(struct kunit *test)
{
	swp_entry_t entry = swp_entry(1, 0x123);
	pte_t pte = swp_entry_to_pte(entry);

	KUNIT_EXPECT_FALSE(test, pte_present(pte));
	KUNIT_EXPECT_FALSE(test, pte_none(pte));
	KUNIT_EXPECT_EQ(test, swp_type(pte_to_swp_entry(pte)), 1U);
	KUNIT_EXPECT_EQ(test, swp_offset(pte_to_swp_entry(pte)), 0x123UL);
}

static struct kunit_case geometry_cases[] = {
	KUNIT_CASE(geometry_levels_tile_the_address),
	KUNIT_CASE(geometry_agrees_with_linux),
	KUNIT_CASE(geometry_index_is_in_the_table),
	KUNIT_CASE(geometry_slot_end_stops_at_the_range),
	KUNIT_CASE(codec_table_entry_round_trip),
	KUNIT_CASE_PARAM(codec_leaf_round_trip, codec_gen_params),
	KUNIT_CASE(codec_swap_entry_is_not_present),
	{}
};

static struct kunit_suite geometry_suite = {
	.name = "pagoda_geometry",
	.test_cases = geometry_cases,
};

kunit_test_suite(geometry_suite);

MODULE_DESCRIPTION("KUnit suite: page-table geometry and entry codec");
MODULE_LICENSE("GPL");
