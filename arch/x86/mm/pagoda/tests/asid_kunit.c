// SPDX-License-Identifier: GPL-2.0
/*
 * TLB contexts: which slot an mm runs in, and what a flush request costs.
 *
 * The decisions are checked case by case, then against models of the hardware:
 * a TLB that remembers under which identifier each translation was cached and
 * must never serve one that is too old. QEMU's TCG has no PCIDs, so the
 * models are what stands in for the hardware here.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include "../asid.h"

#define SLOTS	TLB_NR_DYN_ASIDS

static void asid_without_pcid_flushes(struct kunit *test)
{
	struct tlb_context ctxs[SLOTS] = { { .ctx_id = 7, .tlb_gen = 3 } };
	u16 hand = 1;
	struct asid_choice pick = asid_choose(ctxs, &hand, false, 7, 3);

	KUNIT_EXPECT_EQ(test, pick.slot, 0);
	KUNIT_EXPECT_TRUE(test, pick.stale);
	KUNIT_EXPECT_EQ(test, hand, 1);
}

static void asid_keeps_its_slot(struct kunit *test)
{
	struct tlb_context ctxs[SLOTS];
	struct asid_choice pick;
	u16 hand = 2;
	int i;

	for (i = 0; i < SLOTS; i++)
		ctxs[i] = (struct tlb_context){ 100 + i, 10 };

	for (i = 0; i < SLOTS; i++) {
		pick = asid_choose(ctxs, &hand, true, 100 + i, 10);
		KUNIT_EXPECT_EQ(test, pick.slot, i);
		KUNIT_EXPECT_FALSE(test, pick.stale);
		pick = asid_choose(ctxs, &hand, true, 100 + i, 11);
		KUNIT_EXPECT_EQ(test, pick.slot, i);
		KUNIT_EXPECT_TRUE(test, pick.stale);
	}
	KUNIT_EXPECT_EQ(test, hand, 2);
}

static void asid_takes_slots_in_turn(struct kunit *test)
{
	struct tlb_context ctxs[SLOTS] = { };
	u16 hand = 1;
	int i;

	for (i = 0; i < 3 * SLOTS; i++) {
		struct asid_choice pick;

		pick = asid_choose(ctxs, &hand, true, 1000 + i, 0);
		KUNIT_EXPECT_EQ(test, pick.slot, (i + 1) % SLOTS);
		KUNIT_EXPECT_TRUE(test, pick.stale);
		ctxs[pick.slot].ctx_id = 1000 + i;
	}

	/* A hand that points nowhere starts over. */
	hand = 0xffff;
	KUNIT_EXPECT_EQ(test, asid_choose(ctxs, &hand, true, 1, 0).slot, 0);
	KUNIT_EXPECT_EQ(test, hand, 1);
}

/* Run mms on a CPU whose TLB keeps all it ever saw until it is flushed. */
static void asid_never_serves_stale(struct kunit *test)
{
	enum { MMS = 11, STEPS = 20000 };
	struct { u64 mm, oldest; } cached[SLOTS] = { };
	struct tlb_context ctxs[SLOTS] = { };
	u64 gen[MMS + 1] = { };
	struct rnd_state rnd;
	u16 hand = 1;
	int i, kept = 0;

	prandom_seed_state(&rnd, 0x9a90da);
	for (i = 0; i < STEPS; i++) {
		u64 mm = prandom_u32_state(&rnd) % MMS + 1;
		struct asid_choice pick;

		/* Another CPU changes the tables of some mm. */
		if (prandom_u32_state(&rnd) % 4 == 0)
			gen[prandom_u32_state(&rnd) % MMS + 1]++;

		pick = asid_choose(ctxs, &hand, true, mm, gen[mm]);
		KUNIT_ASSERT_LT(test, pick.slot, SLOTS);
		if (pick.stale) {
			cached[pick.slot].mm = mm;
			cached[pick.slot].oldest = gen[mm];
			ctxs[pick.slot] = (struct tlb_context){ mm, gen[mm] };
		} else {
			kept++;
		}
		KUNIT_ASSERT_EQ(test, cached[pick.slot].mm, mm);
		KUNIT_ASSERT_EQ(test, cached[pick.slot].oldest, gen[mm]);
	}
	KUNIT_EXPECT_GT(test, kept, 0);
}

static void cr3_names_the_slot(struct kunit *test)
{
	const unsigned long root = 0x12345000;
	int slot;

	KUNIT_EXPECT_EQ(test, asid_cr3(root, 0, 0, false, true), root);
	for (slot = 0; slot < SLOTS; slot++) {
		unsigned long cr3 = asid_cr3(root, slot, 0, true, false);

		KUNIT_EXPECT_EQ(test, cr3, root + slot + 1);
		KUNIT_EXPECT_NE(test, cr3 & X86_CR3_PCID_MASK, 0);
		KUNIT_EXPECT_EQ(test, asid_cr3(root, slot, 0, true, true),
				cr3 | CR3_NOFLUSH);
	}
#ifdef CONFIG_X86_64
	KUNIT_EXPECT_EQ(test, asid_cr3(root, 2, X86_CR3_LAM_U57, true, false),
			(root + 3) | X86_CR3_LAM_U57);
#endif
}

static void request_for_the_past_is_free(struct kunit *test)
{
	u64 have, asked;

	for (have = 1; have < 6; have++)
		for (asked = 1; asked < 8; asked++)
			KUNIT_EXPECT_EQ(test, tlb_behind(have, asked),
					asked > have);
	/* A request for many mms cannot know how far one of them is. */
	KUNIT_EXPECT_TRUE(test, tlb_behind(5, TLB_GENERATION_INVALID));
}

static void range_suffices_for_one_step(struct kunit *test)
{
	u64 have, asked, latest;

	for (have = 1; have < 6; have++)
		for (latest = have; latest < 8; latest++)
			for (asked = 0; asked <= latest; asked++) {
				enum tlb_drop drop, whole;

				drop = tlb_catch_up(have, asked, latest, false);
				whole = tlb_catch_up(have, asked, latest, true);
				KUNIT_EXPECT_EQ(test,
						drop == TLB_DROP_NOTHING,
						have == latest);
				KUNIT_EXPECT_EQ(test, drop == TLB_DROP_RANGE,
						asked == have + 1 &&
						latest == have + 1);
				KUNIT_EXPECT_NE(test, whole, TLB_DROP_RANGE);
				KUNIT_EXPECT_EQ(test,
						whole == TLB_DROP_NOTHING,
						have == latest);
			}
}

/*
 * Requests reach a CPU in any order. Each change makes one page's cached
 * translation wrong; when a request has been served, whatever changed up to
 * its generation must be gone.
 */
static void requests_in_any_order(struct kunit *test)
{
	enum { PAGES = 16, ROUNDS = 500, BATCH = 6 };
	struct rnd_state rnd;
	u64 latest = 1, have = 1;
	u64 wrong_since[PAGES] = { };
	int round, partial = 0;

	prandom_seed_state(&rnd, 4711);
	for (round = 0; round < ROUNDS; round++) {
		int n = prandom_u32_state(&rnd) % BATCH + 1, i;
		u64 gens[BATCH];
		u32 page[BATCH];

		for (i = 0; i < n; i++) {
			page[i] = prandom_u32_state(&rnd) % PAGES;
			gens[i] = ++latest;
			if (!wrong_since[page[i]])
				wrong_since[page[i]] = latest;
		}
		/* Serve them, backwards and forwards in turn. */
		for (i = 0; i < n; i++) {
			int k = round & 1 ? i : n - 1 - i, p;
			enum tlb_drop drop = TLB_DROP_NOTHING;

			if (tlb_behind(have, gens[k]))
				drop = tlb_catch_up(have, gens[k], latest,
						    false);
			if (drop == TLB_DROP_RANGE) {
				wrong_since[page[k]] = 0;
				partial++;
			} else if (drop == TLB_DROP_ALL) {
				memset(wrong_since, 0, sizeof(wrong_since));
			}
			if (drop != TLB_DROP_NOTHING)
				have = latest;
			for (p = 0; p < PAGES; p++)
				KUNIT_ASSERT_TRUE(test, !wrong_since[p] ||
						  wrong_since[p] > gens[k]);
		}
	}
	KUNIT_EXPECT_GT(test, partial, 0);
}

static void long_ranges_become_whole(struct kunit *test)
{
	const unsigned long at = 0x40000000;

	KUNIT_EXPECT_TRUE(test, tlb_range_too_long(0, TLB_FLUSH_ALL, 0, 33));
	KUNIT_EXPECT_FALSE(test, tlb_range_too_long(at, at + 33 * PAGE_SIZE,
						    PAGE_SHIFT, 33));
	KUNIT_EXPECT_TRUE(test, tlb_range_too_long(at, at + 34 * PAGE_SIZE,
						   PAGE_SHIFT, 33));
	/* What counts is invalidations, not bytes. */
	KUNIT_EXPECT_FALSE(test, tlb_range_too_long(at, at + SZ_64M, 21, 33));
	KUNIT_EXPECT_TRUE(test, tlb_range_too_long(at, at + PAGE_SIZE,
						   PAGE_SHIFT, 0));
}

static struct kunit_case asid_cases[] = {
	KUNIT_CASE(asid_without_pcid_flushes),
	KUNIT_CASE(asid_keeps_its_slot),
	KUNIT_CASE(asid_takes_slots_in_turn),
	KUNIT_CASE(asid_never_serves_stale),
	KUNIT_CASE(cr3_names_the_slot),
	KUNIT_CASE(request_for_the_past_is_free),
	KUNIT_CASE(range_suffices_for_one_step),
	KUNIT_CASE(requests_in_any_order),
	KUNIT_CASE(long_ranges_become_whole),
	{}
};

static struct kunit_suite asid_suite = {
	.name = "pagoda_x86_tlb",
	.test_cases = asid_cases,
};

kunit_test_suite(asid_suite);
