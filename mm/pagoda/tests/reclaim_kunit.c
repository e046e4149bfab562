// SPDX-License-Identifier: GPL-2.0
/*
 * What reclaim asks of reverse mapping besides finding entries: flushes that
 * are put off until several pages are unmapped, and pages not worth the work.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include <kunit/resource.h>

#include <pagoda/umm.h>

#include "internal.h"	/* mm/'s */

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

static void reclaim_unmap(struct folio *folio, enum ttu_flags flags)
{
	folio_lock(folio);
	try_to_unmap(folio, flags);
	folio_unlock(folio);
}

/*
 * A thread of the same address space on another processor, which reads. Once it
 * was asked it lets nobody else run: a processor that comes back from another
 * task flushes what it has missed.
 */
struct reclaim_reader {
	struct mm_struct *mm;
	unsigned long addr;		/* what to read, 0 when that was done */
	unsigned long value;
	struct completion gone;
	bool asked, over;
};

static int reclaim_read(void *arg)
{
	struct reclaim_reader *r = arg;
	unsigned long addr;

	kthread_use_mm(r->mm);
	while (!READ_ONCE(r->over)) {
		/* What was done to the memory before it was asked about. */
		addr = smp_load_acquire(&r->addr);
		if (addr) {
			if (get_user(r->value, (unsigned long __user *)addr))
				r->value = -1;
			/* Behind the value. */
			smp_store_release(&r->addr, 0);
		}
		cpu_relax();
		if (!READ_ONCE(r->asked))
			cond_resched();
	}
	kthread_unuse_mm(r->mm);
	complete(&r->gone);
	return 0;
}

static unsigned long reclaim_ask(struct reclaim_reader *r, unsigned long addr)
{
	WRITE_ONCE(r->asked, true);
	/* Pair with those in reclaim_read(). */
	smp_store_release(&r->addr, addr);
	while (smp_load_acquire(&r->addr))	/* then the value is there */
		cond_resched();
	return r->value;
}

static void reclaim_end(void *arg)
{
	struct reclaim_reader *r = arg;

	WRITE_ONCE(r->over, true);
	wait_for_completion(&r->gone);
}

static struct reclaim_reader *reclaim_reader(struct kunit *test)
{
	struct reclaim_reader *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int cpu = cpumask_any_but(cpu_online_mask,
					   raw_smp_processor_id());
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, r);
	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "one processor has nobody to put flushes off for");
	r->mm = current->mm;
	init_completion(&r->gone);
	task = kthread_create(reclaim_read, r, "reclaim_read");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	kthread_bind(task, cpu);
	wake_up_process(task);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, reclaim_end, r),
			0);
	return r;
}

/* Memory lazily freed and clean: reclaim may drop it. */
static struct folio *reclaim_lazy(struct kunit *test, unsigned long page)
{
	struct folio *folio = page_folio(umm_page(test, AT(page)));

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(page), PAGE_SIZE,
				      MADV_FREE), 0L);
	lru_add_drain_all();
	folio_get(folio);
	return folio;
}

/* Page 0 of two, which the reader has read, unmapped but not flushed. */
static struct folio *reclaim_put_off(struct kunit *test,
				     struct reclaim_reader *r)
{
	struct folio *folio;

	umm_paint(test, NULL, "|WW|");
	folio = reclaim_lazy(test, 0);
	KUNIT_EXPECT_EQ(test, reclaim_ask(r, AT(0)), 1UL);
	reclaim_unmap(folio, TTU_BATCH_FLUSH);
	KUNIT_EXPECT_TRUE(test, current->tlb_ubc.flush_required);
	return folio;
}

/* Nobody reads a page through an old translation once the flush is done. */
static void reclaim_flush_put_off(struct kunit *test)
{
	struct reclaim_reader *r = reclaim_reader(test);
	struct folio *folio;

	folio = reclaim_put_off(test, r);
	KUNIT_EXPECT_FALSE(test, folio_mapped(folio));
	/* Clean pages need no flush before they are written out. */
	try_to_unmap_flush_dirty();
	KUNIT_EXPECT_TRUE(test, current->tlb_ubc.flush_required);
	try_to_unmap_flush();
	KUNIT_EXPECT_FALSE(test, current->tlb_ubc.flush_required);
	KUNIT_EXPECT_EQ(test, reclaim_ask(r, AT(0)), 0UL);
	KUNIT_EXPECT_EQ(test, reclaim_ask(r, AT(1)), 2UL);
	folio_put(folio);
	kunit_release_action(test, reclaim_end, r);
}

/* One who changes the area does what others have put off for it. */
static void reclaim_flush_by_others(struct kunit *test)
{
	struct reclaim_reader *r = reclaim_reader(test);
	struct folio *folio;

	folio = reclaim_put_off(test, r);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(0), PAGE_SIZE,
				      PROT_READ), 0L);
	KUNIT_EXPECT_EQ(test, reclaim_ask(r, AT(0)), 0UL);
	try_to_unmap_flush();
	folio_put(folio);
	kunit_release_action(test, reclaim_end, r);
}

/* What may still be written to is flushed before it goes to the disk. */
static void reclaim_flush_dirty(struct kunit *test)
{
	struct reclaim_reader *r = reclaim_reader(test);
	struct file *file = umm_ramfs(test, 4);
	struct folio *folio;

	umm_file_set(test, file, 0, 5);
	folio = umm_folio(test, file, 0);
	umm_paint(test, file, "|hh|");
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 6), 0);
	KUNIT_EXPECT_EQ(test, reclaim_ask(r, AT(0)), 6UL);
	folio_clear_dirty(folio);
	reclaim_unmap(folio, TTU_BATCH_FLUSH);
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	KUNIT_EXPECT_TRUE(test, current->tlb_ubc.writable);
	try_to_unmap_flush_dirty();
	KUNIT_EXPECT_FALSE(test, current->tlb_ubc.flush_required);
	KUNIT_EXPECT_FALSE(test, current->tlb_ubc.writable);
	KUNIT_EXPECT_EQ(test, reclaim_ask(r, AT(0)), 6UL);
	kunit_release_action(test, reclaim_end, r);
}

/* A page that only a process has whose memory the OOM killer is taking. */
static void reclaim_leaves_the_dying(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct folio *own, *shared;
	struct umm *child;
	unsigned long flags;

	umm_paint(test, NULL, "|WW|");
	lru_add_drain_all();
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 5), 0);
	lru_add_drain_all();
	own = page_folio(umm_page(test, AT(0)));
	shared = page_folio(umm_page(test, AT(1)));
	set_bit(MMF_UNSTABLE, &mm->flags);
	KUNIT_EXPECT_EQ(test, folio_referenced(own, 0, NULL, &flags), -1);
	KUNIT_EXPECT_GE(test, folio_referenced(shared, 0, NULL, &flags), 0);
	clear_bit(MMF_UNSTABLE, &mm->flags);
	KUNIT_EXPECT_EQ(test, folio_referenced(own, 0, NULL, &flags), 1);
}

/* The caller may have the lock of reverse mapping itself. */
static void reclaim_unmap_locked(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	struct folio *folio;

	umm_file_set(test, file, 0, 5);
	folio = umm_folio(test, file, 0);
	umm_paint(test, file, "|hh|");
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 5UL);
	folio_lock(folio);
	i_mmap_lock_write(file->f_mapping);
	try_to_unmap(folio, TTU_RMAP_LOCKED);
	i_mmap_unlock_write(file->f_mapping);
	folio_unlock(folio);
	KUNIT_EXPECT_FALSE(test, folio_mapped(folio));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 5UL);
}

/* Dirty through a pin, not through its entry. */
static struct folio *reclaim_dirtied(struct kunit *test, unsigned long page)
{
	struct page *pinned;

	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(AT(page), 1, FOLL_WRITE,
						  &pinned), 1);
	unpin_user_pages_dirty_lock(&pinned, 1, true);
	KUNIT_EXPECT_TRUE(test, PageDirty(pinned));
	return page_folio(pinned);
}

static bool reclaim_dirty_after_free(struct kunit *test, unsigned long page)
{
	struct folio *folio = reclaim_dirtied(test, page);

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(page), PAGE_SIZE,
				      MADV_FREE), 0L);
	return folio_test_dirty(folio);
}

/* MADV_FREE takes that dirt back too, of a page that nobody else has. */
static void reclaim_lazy_and_dirty(struct kunit *test)
{
	struct folio *folio;
	struct umm *child;

	umm_paint(test, NULL, "|WWW|");
	lru_add_drain_all();
	KUNIT_EXPECT_FALSE(test, reclaim_dirty_after_free(test, 0));
	folio = reclaim_lazy(test, 0);
	reclaim_unmap(folio, 0);
	KUNIT_EXPECT_FALSE(test, folio_mapped(folio));
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 0UL);
	/* One that somebody is working on is passed over. */
	folio = reclaim_dirtied(test, 1);
	folio_lock(folio);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(1), PAGE_SIZE,
				      MADV_FREE), 0L);
	folio_unlock(folio);
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	KUNIT_EXPECT_TRUE(test, folio_test_swapbacked(folio));
	/* A child's page is not ours to give up. */
	folio = reclaim_dirtied(test, 2);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(2), PAGE_SIZE,
				      MADV_FREE), 0L);
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
}

static struct kunit_case reclaim_tests[] = {
	KUNIT_CASE(reclaim_flush_put_off),
	KUNIT_CASE(reclaim_flush_by_others),
	KUNIT_CASE(reclaim_flush_dirty),
	KUNIT_CASE(reclaim_leaves_the_dying),
	KUNIT_CASE(reclaim_unmap_locked),
	KUNIT_CASE(reclaim_lazy_and_dirty),
	{ }
};

static struct kunit_suite reclaim_suite = {
	.name = "pagoda_reclaim",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = reclaim_tests,
};

kunit_test_suite(reclaim_suite);
