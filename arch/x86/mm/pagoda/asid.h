/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decisions about TLB contexts, free of side effects so that they can be
 * tested as logic.
 *
 * Each CPU remembers the last few address spaces that it ran, one in each of
 * TLB_NR_DYN_ASIDS slots. A slot holds who (ctx_id, never reused) and how
 * recent (tlb_gen): nothing cached under the slot is older than that
 * generation of that mm's tables. Slot n runs with process-context
 * identifier n + 1 in CR3 bits 11:0; identifier 0 is left to code that knows
 * nothing of PCIDs (Intel SDM vol. 3A, 4.10.1). Without PCIDs only slot 0 is
 * used, and each load of CR3 flushes it.
 *
 * The PCID half has been verified as logic only: QEMU's TCG has no PCIDs.
 */
#ifndef _X86_PAGODA_ASID_H
#define _X86_PAGODA_ASID_H

#include <asm/tlbflush.h>

/* Where an mm goes on this CPU, and whether what is cached there must go. */
struct asid_choice {
	u16 slot;
	bool stale;
};

/**
 * asid_choose - pick the slot in which an address space will run
 * @ctxs: this CPU's TLB_NR_DYN_ASIDS slots
 * @hand: the next slot to take over; advanced when a slot is taken over
 * @pcid: the CPU tags its TLB with PCIDs
 * @ctx_id: the mm's identity, not 0
 * @gen: the mm's current TLB generation
 *
 * A slot that the mm still owns is kept. Otherwise the slots are taken over in
 * turn, which is close enough to least-recently-used for six of them.
 *
 * Return: the slot; stale unless everything cached under it belongs to
 * @ctx_id at generation @gen.
 */
static inline struct asid_choice asid_choose(const struct tlb_context *ctxs,
					     u16 *hand, bool pcid,
					     u64 ctx_id, u64 gen)
{
	struct asid_choice pick = { .slot = 0, .stale = true };
	const struct tlb_context *c;

	if (!pcid)
		return pick;

	for (c = ctxs; c < ctxs + TLB_NR_DYN_ASIDS; c++) {
		if (c->ctx_id == ctx_id) {
			pick.slot = c - ctxs;
			pick.stale = c->tlb_gen < gen;
			return pick;
		}
	}

	if (*hand < TLB_NR_DYN_ASIDS)
		pick.slot = *hand;
	*hand = pick.slot + 1;
	return pick;
}

/**
 * asid_cr3 - the value that loads a root table in a slot
 * @root: physical address of the root table, with the encryption bit if any
 * @slot: slot from asid_choose(); 0 without PCIDs
 * @lam: linear-address-masking bits of the mm
 * @pcid: the CPU tags its TLB with PCIDs
 * @keep: leave what is cached under the slot alone (CR3 bit 63)
 *
 * Return: the value for write_cr3().
 */
static inline unsigned long asid_cr3(unsigned long root, u16 slot,
				     unsigned long lam, bool pcid, bool keep)
{
	unsigned long cr3 = root | lam;

	if (pcid)
		cr3 |= (slot + 1) | (keep ? CR3_NOFLUSH : 0);
	return cr3;
}

/* How much a CPU must drop to catch up with its mm. */
enum tlb_drop {
	TLB_DROP_NOTHING,
	TLB_DROP_RANGE,
	TLB_DROP_ALL,
};

/**
 * tlb_behind - must a CPU do anything for a flush request?
 * @have: the generation that its TLB is known to have reached
 * @asked: the generation the request leads to, or TLB_GENERATION_INVALID for
 *	a request on behalf of many mms
 *
 * Asked before the mm's own generation is read: that line is contended.
 *
 * Return: true if the request leads past what the TLB has reached.
 */
static inline bool tlb_behind(u64 have, u64 asked)
{
	return asked == TLB_GENERATION_INVALID || asked > have;
}

/**
 * tlb_catch_up - how to bring a TLB from one generation to the latest
 * @have: the generation that the TLB is known to have reached
 * @asked: as for tlb_behind()
 * @latest: the mm's generation now
 * @whole: the request names no range
 *
 * A range says what changed between @asked - 1 and @asked, and nothing about
 * other steps. So it is enough only when that step is the only one missing;
 * otherwise all goes, and the requests still under way find nothing to do.
 *
 * Return: what to drop to be at @latest.
 */
static inline enum tlb_drop tlb_catch_up(u64 have, u64 asked, u64 latest,
					 bool whole)
{
	if (have == latest)
		return TLB_DROP_NOTHING;
	if (!whole && asked == latest && have + 1 == latest)
		return TLB_DROP_RANGE;
	return TLB_DROP_ALL;
}

/**
 * tlb_range_too_long - is dropping everything cheaper than page by page?
 * @start: first byte
 * @end: one past the last byte, or TLB_FLUSH_ALL
 * @shift: log2 of the bytes one invalidation covers
 * @ceiling: most single invalidations that are worth it
 *
 * Return: true if so.
 */
static inline bool tlb_range_too_long(unsigned long start, unsigned long end,
				      unsigned int shift, unsigned long ceiling)
{
	return end == TLB_FLUSH_ALL || (end - start) >> shift > ceiling;
}

#endif /* _X86_PAGODA_ASID_H */
