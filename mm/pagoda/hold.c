// SPDX-License-Identifier: GPL-2.0
/*
 * Folios that locked areas hold in memory.
 *
 * They carry PG_mlocked and PG_unevictable and stand on no list that reclaim
 * scans; where others have their list links they count the areas that hold
 * them. To mark a folio takes the lock of its LRU, so marks are queued for
 * each CPU and set together, in the order in which they came.
 *
 * Locks: a CPU's queue has a local lock and refers to the folios in it. The
 * count changes under the LRU lock by whoever has cleared PG_lru.
 */
#include <linux/irqflags.h>
#include <linux/local_lock.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagevec.h>
#include <linux/swap.h>
#include "../internal.h"

/* What is to be done with a queued folio. */
enum hold_mark {
	HOLD_MORE,		/* one more area holds it */
	HOLD_NEW,		/* the same, and it has never been on a list */
	HOLD_LESS,		/* one area less holds it */
};

struct hold_queue {
	local_lock_t lock;
	struct folio_batch folios;
	u8 mark[PAGEVEC_SIZE];
};

static DEFINE_PER_CPU(struct hold_queue, hold_queue) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

/*
 * Put a folio on the list that it belongs to now. It is @listed on another one
 * or on none; LRU lock held, PG_lru cleared.
 */
static void hold_relist(struct folio *folio, struct lruvec *lruvec, bool listed)
{
	long nr = folio_nr_pages(folio);

	if (listed)
		lruvec_del_folio(lruvec, folio);
	if (!folio_evictable(folio)) {
		folio_clear_active(folio);
		folio_set_unevictable(folio);
		folio->mlock_count = folio_test_mlocked(folio) ? 1 : 0;
		__count_vm_events(UNEVICTABLE_PGCULLED, nr);
	} else if (folio_test_unevictable(folio)) {
		folio_clear_unevictable(folio);
		__count_vm_events(UNEVICTABLE_PGRESCUED, nr);
	}
	lruvec_add_folio(lruvec, folio);
}

/*
 * One area more holds a folio. Its PG_mlocked was set when it was queued, but
 * another CPU may have cleared it meanwhile.
 */
static void hold_more(struct folio *folio, struct lruvec *lruvec)
{
	bool off = folio_test_unevictable(folio);

	if (folio_evictable(folio) == off)
		hold_relist(folio, lruvec, true);
	else if (off && folio_test_mlocked(folio))
		folio->mlock_count++;
}

/* No area holds it any more, as far as the count can tell. */
static void hold_end(struct folio *folio, bool isolated)
{
	long nr = folio_nr_pages(folio);

	if (!folio_test_clear_mlocked(folio))
		return;
	zone_stat_mod_folio(folio, NR_MLOCK, -nr);
	/* Off the lists and unevictable: reclaim has to find it some day. */
	if (!isolated && folio_test_unevictable(folio))
		__count_vm_events(UNEVICTABLE_PGSTRANDED, nr);
	else
		__count_vm_events(UNEVICTABLE_PGMUNLOCKED, nr);
}

/*
 * One area less holds a folio. The count exists while it is on the unevictable
 * list, and may be too low: then reclaim finds the area and locks it again.
 */
static void hold_less(struct folio *folio, struct lruvec *lruvec)
{
	if (folio_test_unevictable(folio) && folio->mlock_count &&
	    --folio->mlock_count)
		return;
	hold_end(folio, true);
	if (folio_test_unevictable(folio) && folio_evictable(folio))
		hold_relist(folio, lruvec, true);
}

/* Set all marks of a queue and let go of its folios. */
static void hold_settle(struct hold_queue *queue)
{
	struct lruvec *lruvec = NULL;
	unsigned int i;

	for (i = 0; i < folio_batch_count(&queue->folios); i++) {
		struct folio *folio = queue->folios.folios[i];
		enum hold_mark mark = queue->mark[i];

		/* Whoever has taken it off its list will look at PG_mlocked. */
		if (mark != HOLD_NEW && !folio_test_clear_lru(folio)) {
			if (mark == HOLD_LESS)
				hold_end(folio, false);
			continue;
		}
		lruvec = folio_lruvec_relock_irq(folio, lruvec);
		if (mark == HOLD_MORE)
			hold_more(folio, lruvec);
		else if (mark == HOLD_LESS)
			hold_less(folio, lruvec);
		else
			hold_relist(folio, lruvec, false);
		folio_set_lru(folio);
	}
	if (lruvec)
		unlock_page_lruvec_irq(lruvec);
	folios_put(&queue->folios);
}

static void hold_enqueue(struct folio *folio, enum hold_mark mark)
{
	long nr = folio_nr_pages(folio);
	struct hold_queue *queue;

	local_lock(&hold_queue.lock);
	queue = this_cpu_ptr(&hold_queue);
	if (mark != HOLD_LESS && !folio_test_set_mlocked(folio)) {
		zone_stat_mod_folio(folio, NR_MLOCK, nr);
		__count_vm_events(UNEVICTABLE_PGMLOCKED, nr);
	}
	folio_get(folio);
	queue->mark[folio_batch_count(&queue->folios)] = mark;
	if (!folio_batch_add(&queue->folios, folio) ||
	    !folio_may_be_lru_cached(folio) || lru_cache_disabled())
		hold_settle(queue);
	local_unlock(&hold_queue.lock);
}

/**
 * mlock_folio - one more locked area maps a folio
 * @folio: it has been added to the LRU
 */
void mlock_folio(struct folio *folio)
{
	hold_enqueue(folio, HOLD_MORE);
}

/**
 * mlock_new_folio - the first area that maps a folio is locked
 * @folio: new, and not to be added to the LRU by anybody else
 */
void mlock_new_folio(struct folio *folio)
{
	VM_WARN_ON_ONCE_FOLIO(folio_test_lru(folio), folio);
	hold_enqueue(folio, HOLD_NEW);
}

/**
 * munlock_folio - a locked area no longer maps a folio, or is not locked now
 * @folio: the folio
 */
void munlock_folio(struct folio *folio)
{
	hold_enqueue(folio, HOLD_LESS);
}

/**
 * need_mlock_drain - are marks waiting on a CPU?
 * @cpu: the CPU
 */
bool need_mlock_drain(int cpu)
{
	return folio_batch_count(&per_cpu(hold_queue.folios, cpu));
}

/* mlock_drain_local - set the marks waiting on this CPU */
void mlock_drain_local(void)
{
	local_lock(&hold_queue.lock);
	if (folio_batch_count(this_cpu_ptr(&hold_queue.folios)))
		hold_settle(this_cpu_ptr(&hold_queue));
	local_unlock(&hold_queue.lock);
}

/**
 * mlock_drain_remote - set the marks waiting on a CPU that has gone
 * @cpu: an offline CPU
 */
void mlock_drain_remote(int cpu)
{
	WARN_ON_ONCE(cpu_online(cpu));
	if (need_mlock_drain(cpu))
		hold_settle(&per_cpu(hold_queue, cpu));
}
