// SPDX-License-Identifier: GPL-2.0
/*
 * What a TLB gather does with the pages it is given: references are dropped
 * when it has flushed, and not before, whatever they come in.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm_inline.h>
#include <linux/rmap.h>

#include <asm/tlb.h>

#include <pagoda/umm.h>

#include "internal.h"	/* mm/'s */

#define ORDER	3
#define NR	BIT(ORDER)

static void batch_put(void *folio)
{
	folio_put(folio);
}

static struct folio *batch_folio(struct kunit *test)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, ORDER);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, batch_put, folio),
			0);
	return folio;
}

static struct mmu_gather *batch_open(struct kunit *test)
{
	struct mmu_gather *tlb = kunit_kzalloc(test, sizeof(*tlb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tlb);
	tlb_gather_mmu(tlb, current->mm);
	return tlb;
}

/* Runs of pages of one folio, and single pages among them, many times over. */
static void batch_of_runs(struct kunit *test)
{
	struct folio *folio = batch_folio(test);
	struct mmu_gather *tlb = batch_open(test);
	struct page *page = folio_page(folio, 0);
	unsigned int i, kept = 0, flushes = 0;

	for (i = 0; i < 3000; i++) {
		unsigned int nr = i % 3 ? NR : 1;

		folio_ref_add(folio, nr);
		kept += nr;
		KUNIT_ASSERT_EQ(test, folio_ref_count(folio), 1 + (int)kept);
		if (__tlb_remove_folio_pages(tlb, page, nr, false)) {
			tlb_flush_mmu(tlb);
			KUNIT_ASSERT_EQ(test, folio_ref_count(folio), 1);
			kept = 0;
			flushes++;
		}
	}
	tlb_finish_mmu(tlb);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_LT(test, flushes, 30U);
}

/* Mappings that wait for the flush are gone after it, before the references. */
static void batch_delays_mappings(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 1);
	struct folio *folio = batch_folio(test);
	struct page *page = folio_page(folio, 0);
	struct vm_area_struct *vma;
	struct mmu_gather *tlb;

	KUNIT_ASSERT_EQ(test, vm_mmap(file, UMM_BASE, PAGE_SIZE, UMM_RW,
				      MAP_SHARED | MAP_FIXED, 0), UMM_BASE);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, UMM_BASE);
	tlb = batch_open(test);
	folio_ref_add(folio, NR);
	spin_lock(&current->mm->page_table_lock);
	folio_add_file_rmap_ptes(folio, page, NR, vma);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), (int)NR);
	tlb->delayed_rmap = 1;
	KUNIT_EXPECT_FALSE(test, __tlb_remove_folio_pages(tlb, page, NR, true));
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), (int)NR);
	tlb_flush_rmaps(tlb, vma);
	spin_unlock(&current->mm->page_table_lock);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1 + (int)NR);
	tlb_finish_mmu(tlb);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
}

struct batch_walker {
	struct completion ended;
	bool walking, done;
};

/* Like one who walks page tables without a lock: interrupts are off. */
static int batch_walk(void *arg)
{
	struct batch_walker *w = arg;

	local_irq_disable();
	WRITE_ONCE(w->walking, true);
	mdelay(30);
	WRITE_ONCE(w->done, true);
	local_irq_enable();
	complete(&w->ended);
	return 0;
}

/* When it returns, who walked at the time of the call walks no more. */
static void batch_waits_for_walkers(struct kunit *test)
{
	struct batch_walker w = { };
	struct task_struct *task;

	if (!IS_ENABLED(CONFIG_MMU_GATHER_RCU_TABLE_FREE))
		kunit_skip(test, "tables are freed without this");
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");
	init_completion(&w.ended);
	migrate_disable();
	task = kthread_create_on_cpu(batch_walk, &w,
				     cpumask_any_but(cpu_online_mask,
						     smp_processor_id()),
				     "umm-walk/%u");
	if (!IS_ERR(task)) {
		wake_up_process(task);
		while (!READ_ONCE(w.walking))
			cond_resched();
		tlb_remove_table_sync_one();
		KUNIT_EXPECT_TRUE(test, READ_ONCE(w.done));
		wait_for_completion(&w.ended);
	}
	migrate_enable();
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
}

static struct kunit_case batch_tests[] = {
	KUNIT_CASE(batch_of_runs),
	KUNIT_CASE(batch_delays_mappings),
	KUNIT_CASE(batch_waits_for_walkers),
	{ }
};

static struct kunit_suite batch_suite = {
	.name = "pagoda_batch",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = batch_tests,
};

kunit_test_suite(batch_suite);
