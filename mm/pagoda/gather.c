// SPDX-License-Identifier: GPL-2.0
/*
 * TLB gather: what was unmapped may be reused only after every CPU forgot it.
 *
 * Law: unhook, flush, free. Pages whose entries were cleared and tables that
 * were hooked out are collected here; they are freed only behind a TLB flush
 * that covers their addresses. A table's memory is freed a grace period later
 * still, so that lockless walkers (RCU, or interrupts off) can finish with it.
 * So is the lock of a last-level table: a table that was shared can be freed
 * by another address space while a walker waits for it.
 *
 * Pages wait in a chain of batches: a small one inside struct mmu_gather, then
 * whole pages; when none can be had, the caller is told to flush first. Tables
 * wait in a chain through their own descriptors, which needs no memory.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/rmap.h>
#include <linux/smp.h>
#include <linux/swap.h>
#include <linux/hugetlb.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>

/* Pages or tables freed between two looks at whether others should run. */
#define GATHER_FREE_CHUNK	256

/* Make room for two more words in the active batch. */
static bool gather_room(struct mmu_gather *tlb)
{
	struct mmu_gather_batch *active = tlb->active, *fresh = active->next;

	if (likely(active->nr + 2 <= active->max))
		return true;
	/* tlb_flush_rmaps() looks at the local and at the active batch only. */
	if (tlb->delayed_rmap && active != &tlb->local)
		return false;
	if (!fresh) {
		if (tlb->batch_count >= MAX_GATHER_BATCH_COUNT)
			return false;
		fresh = (void *)__get_free_page(GFP_NOWAIT | __GFP_NOWARN);
		if (!fresh)
			return false;
		tlb->batch_count++;
		fresh->next = NULL;
		fresh->nr = 0;
		fresh->max = MAX_GATHER_BATCH;
		active->next = fresh;
	}
	tlb->active = fresh;
	return true;
}

/**
 * __tlb_remove_folio_pages - free consecutive pages of a folio after the flush
 * @tlb: the gather
 * @page: the first of them, its entry cleared
 * @nr_pages: how many
 * @delay_rmap: remove their mappings from the folio after the flush only
 *
 * Return: true if nothing more may be added before a flush.
 */
bool __tlb_remove_folio_pages(struct mmu_gather *tlb, struct page *page,
			      unsigned int nr_pages, bool delay_rmap)
{
	struct mmu_gather_batch *batch = tlb->active;
	int flags = delay_rmap ? ENCODED_PAGE_BIT_DELAY_RMAP : 0;

	if (nr_pages > 1)
		flags |= ENCODED_PAGE_BIT_NR_PAGES_NEXT;
	batch->encoded_pages[batch->nr++] = encode_page(page, flags);
	if (nr_pages > 1)
		batch->encoded_pages[batch->nr++] = encode_nr_pages(nr_pages);
	return !gather_room(tlb);
}

/* The same for one page; @page_size only matters to hugetlb. */
bool __tlb_remove_page_size(struct mmu_gather *tlb, struct page *page,
			    bool delay_rmap, int page_size)
{
	return __tlb_remove_folio_pages(tlb, page, 1, delay_rmap);
}

#ifdef CONFIG_SMP
static void gather_batch_rmaps(struct mmu_gather_batch *batch,
			       struct vm_area_struct *vma)
{
	unsigned int i, nr;

	for (i = 0; i < batch->nr; i++) {
		struct encoded_page *word = batch->encoded_pages[i];
		int flags = encoded_page_flags(word);
		struct page *page = encoded_page_ptr(word);

		nr = 1;
		if (flags & ENCODED_PAGE_BIT_NR_PAGES_NEXT)
			nr = encoded_nr_pages(batch->encoded_pages[++i]);
		if (flags & ENCODED_PAGE_BIT_DELAY_RMAP)
			folio_remove_rmap_ptes(page_folio(page), page, nr, vma);
	}
}

/**
 * tlb_flush_rmaps - remove the mappings that waited for the TLB flush
 * @tlb: the gather, just flushed, the table's lock still held
 * @vma: the area that the pages were mapped in
 */
void tlb_flush_rmaps(struct mmu_gather *tlb, struct vm_area_struct *vma)
{
	if (!tlb->delayed_rmap)
		return;
	gather_batch_rmaps(&tlb->local, vma);
	if (tlb->active != &tlb->local)
		gather_batch_rmaps(tlb->active, vma);
	tlb->delayed_rmap = 0;
}
#endif

/* Free the pages of one batch, in chunks that end on a whole item. */
static void gather_free_batch(struct mmu_gather_batch *batch)
{
	unsigned int done = 0, nr;

	while (done < batch->nr) {
		struct encoded_page **words = batch->encoded_pages + done;

		nr = min(batch->nr - done, GATHER_FREE_CHUNK);
		if (encoded_page_flags(words[nr - 1]) &
		    ENCODED_PAGE_BIT_NR_PAGES_NEXT)
			nr++;
		free_pages_and_swap_cache(words, nr);
		done += nr;
		cond_resched();
	}
	batch->nr = 0;
}

#ifdef CONFIG_MMU_GATHER_TABLE_FREE
/* Tables wait in a list through the word that counted their references. */
#define gather_chain(tlb)	(*(struct ptdesc **)&(tlb)->batch)
#define table_next(table)	(*(struct ptdesc **)&(table)->pt_index)

static void gather_free_tables(struct rcu_head *head)
{
	struct ptdesc *table = container_of(head, struct ptdesc, pt_rcu_head);

	while (table) {
		struct ptdesc *next = table_next(table);

		table->pt_index = 0;
		if (table->__page_mapping) {
			table->__page_mapping = 0;
			pagetable_pte_dtor(table);
		}
		__tlb_remove_table(table);
		table = next;
	}
}

/**
 * tlb_remove_table - free a page table after flush and grace period
 * @tlb: the gather
 * @table: its struct page or ptdesc, hooked out; its destructor called, or, for
 *         a last-level table, ->__page_mapping set to have it called then
 */
void tlb_remove_table(struct mmu_gather *tlb, void *table)
{
	BUILD_BUG_ON(sizeof(((struct ptdesc *)0)->pt_index) != sizeof(void *));
	table_next((struct ptdesc *)table) = gather_chain(tlb);
	gather_chain(tlb) = table;
}

/* Hand the chain to RCU, cut into pieces that one callback may well free. */
static void gather_tables(struct mmu_gather *tlb)
{
	struct ptdesc *first = gather_chain(tlb), *last, *rest;
	unsigned int nr;

	gather_chain(tlb) = NULL;
	for (; first; first = rest) {
		last = first;
		for (nr = 1; nr < GATHER_FREE_CHUNK && table_next(last); nr++)
			last = table_next(last);
		rest = table_next(last);
		table_next(last) = NULL;
		call_rcu(&first->pt_rcu_head, gather_free_tables);
	}
}

#ifdef CONFIG_MMU_GATHER_RCU_TABLE_FREE
static void gather_nothing(void *arg)
{
}

/* Wait for those who walk tables with interrupts off: interrupt everybody. */
void tlb_remove_table_sync_one(void)
{
	smp_call_function(gather_nothing, NULL, true);
}
#endif
#else
static void gather_tables(struct mmu_gather *tlb)
{
}
#endif

/**
 * tlb_flush_mmu - flush, then free what was gathered so far
 * @tlb: the gather; it can be added to again afterwards
 */
void tlb_flush_mmu(struct mmu_gather *tlb)
{
	struct mmu_gather_batch *batch;

	tlb_flush_mmu_tlbonly(tlb);
	gather_tables(tlb);
	for (batch = &tlb->local; batch && batch->nr; batch = batch->next)
		gather_free_batch(batch);
	tlb->active = &tlb->local;
}

static void gather_begin(struct mmu_gather *tlb, struct mm_struct *mm,
			 bool fullmm)
{
	memset(tlb, 0, offsetof(struct mmu_gather, __pages));
	tlb->mm = mm;
	tlb->fullmm = fullmm;
	tlb->local.max = ARRAY_SIZE(tlb->__pages);
	tlb->active = &tlb->local;
	__tlb_reset_range(tlb);
	inc_tlb_flush_pending(mm);
}

/**
 * tlb_gather_mmu - start gathering
 * @tlb: the gather, on the caller's stack
 * @mm: the address space that pages or tables are taken out of
 */
void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	gather_begin(tlb, mm, false);
}

/**
 * tlb_gather_mmu_fullmm - start gathering all of an address space
 * @tlb: the gather
 * @mm: the address space, which nobody uses any more
 */
void tlb_gather_mmu_fullmm(struct mmu_gather *tlb, struct mm_struct *mm)
{
	gather_begin(tlb, mm, true);
}

/**
 * tlb_finish_mmu - flush and free all that was gathered
 * @tlb: the gather; invalid afterwards
 *
 * If another thread gathers from the same address space meanwhile, it may have
 * cleared entries that this one then found empty, so this one's range says too
 * little: everything is flushed.
 */
void tlb_finish_mmu(struct mmu_gather *tlb)
{
	struct mmu_gather_batch *batch, *next;

	if (mm_tlb_flush_nested(tlb->mm)) {
		tlb->fullmm = 1;
		__tlb_reset_range(tlb);
		tlb->freed_tables = 1;
	}
	tlb_flush_mmu(tlb);
	for (batch = tlb->local.next; batch; batch = next) {
		next = batch->next;
		free_page((unsigned long)batch);
	}
	dec_tlb_flush_pending(tlb->mm);
}
