// SPDX-License-Identifier: GPL-2.0
/*
 * Pinning where faults take long or pages are missing: what FOLL_ flags say to
 * a driver's fault handler, and what comes of its answers.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include <pagoda/buffer.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define NR		((int)UMM_BUFFER_PAGES)

static struct umm_buffer *slowpin_buffer(struct kunit *test,
					 enum umm_buffer_how how)
{
	struct umm_buffer *d = umm_buffer(test, how);

	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, NR, MAP_SHARED), UMM_BASE);
	return d;
}

/* Without mmap_lock held: a fault may drop it and begin again. */
static void slowpin_unlocked(struct kunit *test)
{
	struct umm_buffer *d = slowpin_buffer(test, UMM_PAGES);
	struct page *pages[UMM_BUFFER_PAGES];

	d->before = umm_buffer_retry;
	KUNIT_ASSERT_EQ(test, get_user_pages_unlocked(AT(0), NR, pages,
						      FOLL_WRITE), (long)NR);
	KUNIT_EXPECT_EQ(test, d->faults, NR + 1U);
	KUNIT_EXPECT_PTR_EQ(test, pages[2], folio_page(d->folio, 2));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&current->mm->mmap_lock));
	release_pages(pages, NR);
	KUNIT_EXPECT_EQ(test, folio_ref_count(d->folio), NR + 1);
	KUNIT_ASSERT_EQ(test, pin_user_pages_unlocked(AT(1), 2, pages, 0), 2L);
	KUNIT_EXPECT_PTR_EQ(test, pages[0], folio_page(d->folio, 1));
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(d->folio));
	unpin_user_pages(pages, 2);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(d->folio));
	KUNIT_EXPECT_EQ(test, get_user_pages_unlocked(AT(NR), 1, pages, 0),
			(long)-EFAULT);
}

/* Who must not wait gets what is there, and the driver is told. */
static void slowpin_nowait(struct kunit *test)
{
	struct umm_buffer *d = slowpin_buffer(test, UMM_PAGES);
	struct page *pages[2];

	d->before = umm_buffer_retry;
	KUNIT_EXPECT_EQ(test, get_user_pages_unlocked(AT(0), 2, pages,
						      FOLL_NOWAIT), 0L);
	KUNIT_EXPECT_EQ(test, d->faults, 1U);
	KUNIT_EXPECT_TRUE(test, d->flags & FAULT_FLAG_RETRY_NOWAIT);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&current->mm->mmap_lock));
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), 0);
	d->faults = 0;
	KUNIT_EXPECT_EQ(test, get_user_pages_unlocked(AT(0), 2, pages,
						      FOLL_NOWAIT), 1L);
	put_page(pages[0]);
}

/* A signal, not only a deadly one, ends a wait that may be interrupted. */
static void slowpin_interruptible(struct kunit *test)
{
	struct umm_buffer *d = slowpin_buffer(test, UMM_PAGES);
	struct page *page;
	long got;

	d->before = umm_buffer_retry;
	set_thread_flag(TIF_SIGPENDING);
	got = get_user_pages_unlocked(AT(0), 1, &page, FOLL_INTERRUPTIBLE);
	KUNIT_EXPECT_EQ(test, got, (long)-EINTR);
	KUNIT_EXPECT_TRUE(test, d->flags & FAULT_FLAG_INTERRUPTIBLE);
	d->faults = 0;
	got = get_user_pages_unlocked(AT(0), 1, &page, 0);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_ASSERT_EQ(test, got, 1L);
	KUNIT_EXPECT_FALSE(test, d->flags & FAULT_FLAG_INTERRUPTIBLE);
	put_page(page);
}

/* Frames without a page can be touched, but nobody can get hold of them. */
static void slowpin_frames(struct kunit *test)
{
	struct umm_buffer *d = slowpin_buffer(test, UMM_MIXED);
	struct mm_struct *mm = current->mm;
	struct page *page;
	long got;

	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), 0);
	mmap_read_lock(mm);
	KUNIT_EXPECT_EQ(test, get_user_pages(AT(0), 1, 0, &page),
			(long)-EEXIST);
	KUNIT_EXPECT_EQ(test, get_user_pages(AT(0), 2, 0, NULL), 2L);
	KUNIT_EXPECT_FALSE(test, umm_entry(mm, AT(1)).dirty);
	KUNIT_EXPECT_EQ(test, get_user_pages(AT(0), 2, FOLL_WRITE, NULL), 2L);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_TRUE(test, umm_entry(mm, AT(1)).young);
	KUNIT_EXPECT_TRUE(test, umm_entry(mm, AT(1)).dirty);
	KUNIT_EXPECT_EQ(test, folio_ref_count(d->folio), 1);
	got = get_user_pages_unlocked(AT(0), 1, &page, FOLL_WRITE);
	KUNIT_EXPECT_EQ(test, got, (long)-EEXIST);
}

/* unpin_user_pages() passes over a gap in front of a page. */
static void slowpin_gaps(struct kunit *test)
{
	struct umm_buffer *d = slowpin_buffer(test, UMM_PAGES);
	struct page *pages[UMM_BUFFER_PAGES];

	KUNIT_ASSERT_EQ(test, pin_user_pages_unlocked(AT(0), NR, pages, 0),
			(long)NR);
	unpin_user_page(pages[0]);
	pages[0] = NULL;
	unpin_user_pages(pages, NR);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(d->folio));
	KUNIT_EXPECT_EQ(test, folio_ref_count(d->folio), NR + 1);
}

/* A small folio's pins; the zero page is never pinned. */
static void slowpin_add(struct kunit *test)
{
	struct page *zero = ZERO_PAGE(0), *page;
	struct folio *folio;
	int refs = page_count(zero);

	umm_paint(test, NULL, "|W|");
	KUNIT_ASSERT_EQ(test, pin_user_pages_unlocked(AT(0), 1, &page,
						      FOLL_WRITE), 1L);
	folio = page_folio(page);
	folio_add_pin(folio);
	unpin_user_page(page);
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(folio));
	unpin_user_page(page);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(folio));
	folio_add_pin(page_folio(zero));
	KUNIT_EXPECT_EQ(test, page_count(zero), refs);
}

/* fixup_user_fault() tells who calls it that the lock was dropped. */
static void slowpin_fixup(struct kunit *test)
{
	struct umm_buffer *d = slowpin_buffer(test, UMM_PAGES);
	struct mm_struct *mm = current->mm;
	bool unlocked = false;

	d->before = umm_buffer_retry;
	mmap_read_lock(mm);
	KUNIT_EXPECT_EQ(test, fixup_user_fault(mm, AT(0), 0, &unlocked), 0);
	KUNIT_EXPECT_TRUE(test, unlocked);
	KUNIT_EXPECT_TRUE(test, rwsem_is_locked(&mm->mmap_lock));
	unlocked = false;
	KUNIT_EXPECT_EQ(test, fixup_user_fault(mm, AT(1), 0, &unlocked), 0);
	KUNIT_EXPECT_FALSE(test, unlocked);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_EQ(test, d->faults, 3U);
	KUNIT_EXPECT_TRUE(test, d->flags & FAULT_FLAG_ALLOW_RETRY);
	KUNIT_EXPECT_EQ(test, umm_present(mm, AT(0), NR), 2UL);
}

/* How many bytes from @addr on cannot be made writable? */
static size_t slowpin_write(unsigned long addr, size_t len, bool subpage)
{
	char __user *at = (char __user *)addr;

	return subpage ? fault_in_subpage_writeable(at, len) :
	       fault_in_writeable(at, len);
}

static void slowpin_fault_in(struct kunit *test)
{
	int subpage;

	for (subpage = 0; subpage < 2; subpage++) {
		umm_paint(test, NULL, "|wwww|..|rr|");
		KUNIT_EXPECT_EQ(test, slowpin_write(AT(0) + 5, 0, subpage),
				0UL);
		KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 0L);
		KUNIT_EXPECT_EQ(test, slowpin_write(AT(0) + 5, PAGE_SIZE,
						    subpage), 0UL);
		KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
		KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(1)).write);
		/* From the first page that cannot be had on. */
		KUNIT_EXPECT_EQ(test, slowpin_write(AT(2) + 10, 3 * PAGE_SIZE,
						    subpage), PAGE_SIZE + 10);
		KUNIT_EXPECT_EQ(test, slowpin_write(AT(6), 30, subpage), 30UL);
		KUNIT_EXPECT_EQ(test, slowpin_write(AT(4), PAGE_SIZE, subpage),
				PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, slowpin_write(TASK_SIZE_MAX + PAGE_SIZE,
						    30, subpage), 30UL);
		KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), 8 * PAGE_SIZE), 0);
	}
}

static struct kunit_case slowpin_tests[] = {
	KUNIT_CASE(slowpin_unlocked),
	KUNIT_CASE(slowpin_nowait),
	KUNIT_CASE(slowpin_interruptible),
	KUNIT_CASE(slowpin_frames),
	KUNIT_CASE(slowpin_gaps),
	KUNIT_CASE(slowpin_add),
	KUNIT_CASE(slowpin_fixup),
	KUNIT_CASE(slowpin_fault_in),
	{ }
};

static struct kunit_suite slowpin_suite = {
	.name = "pagoda_slowpin",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = slowpin_tests,
};

kunit_test_suite(slowpin_suite);
