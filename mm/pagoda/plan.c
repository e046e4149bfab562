// SPDX-License-Identifier: GPL-2.0
/*
 * Deciding how areas split and merge.
 *
 * One function answers for every call that changes areas: given the range that
 * is wanted, with the attributes it is to have, and what lies below it, around
 * it and above it, which area holds the range afterwards? It looks at plain
 * descriptions, touches nothing and takes no lock, so tests can ask it
 * anything. vma.c carries the answer out.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>

#include "area.h"

static pgoff_t sketch_pages(const struct area_sketch *s)
{
	return (s->end - s->start) >> PAGE_SHIFT;
}

/*
 * Could @near, a neighbour, take in @want? A neighbour that a fork has given
 * several anon_vmas takes nobody in, lest faults of unrelated processes meet
 * on one lock; nor may two different anon_vmas become one.
 */
static bool fits(const struct area_sketch *near, const struct area_sketch *want)
{
	if (near->flags != want->flags || near->file != want->file)
		return false;
	if (near->anon != want->anon && (want->anon || !near->lone))
		return false;
	return anon_vma_name_eq(near->name, want->name);
}

/* Does @above continue where @below ends, in addresses and in the file? */
static bool follows(const struct area_sketch *below,
		    const struct area_sketch *above)
{
	return below->end == above->start &&
	       below->pgoff + sketch_pages(below) == above->pgoff;
}

/**
 * area_decide - fit a range in between its neighbours
 * @v: the answer
 * @prev: the area below the range; NULL if there is none or it does not matter
 * @mid: the area that holds the range now; NULL for a new mapping
 * @next: the area above the range; NULL as for @prev
 * @want: the range, with the attributes it is to have; lies within @mid
 *
 * The cases, w being the range, P, M, N the areas, lower case what is gone::
 *
 *   P  w  N     nothing fits:    the range is an area of its own; what is left
 *                                of M on either side stays (@head, @tail)
 *   PPPPP N     below fits:      P grows over w, M shrinks or goes
 *   P  NNNN     above fits:      N grows over w, M shrinks or goes
 *   PPPPPPP     both fit:        P grows over w and N, M and N go
 *
 * Areas with a close hook never go in a merge: where M would have to, nothing
 * merges; where N would have to, only P grows.
 */
void area_decide(struct area_verdict *v, const struct area_sketch *prev,
		 const struct area_sketch *mid, const struct area_sketch *next,
		 const struct area_sketch *want)
{
	bool below, above;

	*v = (struct area_verdict) {
		.host	= AREA_SELF,
		.start	= want->start,
		.end	= want->end,
		.head	= mid && mid->start < want->start,
		.tail	= mid && mid->end > want->end,
	};

	if (want->flags & VM_SPECIAL)
		return;
	if (mid && mid->closes && !v->head && !v->tail)
		return;

	below = prev && !v->head && follows(prev, want) && fits(prev, want);
	above = next && !v->tail && follows(want, next) && fits(next, want);
	if (below && above)
		above = !next->closes && (!prev->anon || !next->anon ||
					  prev->anon == next->anon);
	if (!below && !above)
		return;

	v->host = below ? AREA_PREV : AREA_NEXT;
	if (below)
		v->start = prev->start;
	if (above)
		v->end = next->end;
	v->eat_mid = mid && !v->head && !v->tail;
	v->eat_next = below && above;
}
