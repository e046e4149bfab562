// SPDX-License-Identifier: GPL-2.0
/*
 * Pinning: get_user_pages and pin_user_pages, fast and slow, and the calls
 * that fault pages in on somebody's behalf.
 */
#include <linux/pagemap.h>
#include <linux/swap.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define MANY		8

static void pin_put(struct page **pages, int count)
{
	while (count-- > 0)
		put_page(pages[count]);
}

static void pin_undo(struct page **pages, int count)
{
	while (count-- > 0)
		unpin_user_page(pages[count]);
}

static void pin_fast_faults_in(struct kunit *test)
{
	struct page *pages[MANY];
	int i;

	umm_paint(test, NULL, "|wwwwwwww|");
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(AT(0), MANY, FOLL_WRITE,
						  pages), MANY);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), (long)MANY);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(i)), pages[i]);
	/* What is written to the page is what the program sees. */
	umm_set_word(pages[3], 1234);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 1234UL);
	pin_put(pages, MANY);
	/* A start inside a page stands for the page. */
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(AT(3) + 100, 1, 0, pages), 1);
	KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(3)), pages[0]);
	pin_put(pages, 1);
}

/* The page stays allocated, and with its contents, after the area has gone. */
static void pin_outlives_mapping(struct kunit *test)
{
	struct page *page;

	umm_paint(test, NULL, "|W|");
	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(AT(0), 1, FOLL_WRITE, &page),
			1);
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(page_folio(page)));
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, page_mapped(page));
	KUNIT_EXPECT_EQ(test, umm_word(page), 1UL);
	lru_add_drain_all();
	KUNIT_EXPECT_EQ(test, page_count(page), GUP_PIN_COUNTING_BIAS);
	get_page(page);
	unpin_user_page(page);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(page_folio(page)));
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
}

static void pin_partial(struct kunit *test)
{
	struct page *pages[MANY];

	umm_paint(test, NULL, "|ww|..|rr|");
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(AT(0), 4, FOLL_WRITE, pages),
			2);
	pin_put(pages, 2);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(AT(2), 2, 0, pages), -EFAULT);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(AT(4), 2, FOLL_WRITE, pages),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(AT(4), 2, 0, pages), 2);
	pin_put(pages, 2);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(TASK_SIZE_MAX, 1, 0, pages),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, pin_user_pages_fast(AT(2), 1, FOLL_WRITE, pages),
			-EFAULT);
}

/* Never sleeps, so never faults: only what is there already. */
static void pin_fast_only(struct kunit *test)
{
	struct page *pages[MANY];

	umm_paint(test, NULL, "|wwww|");
	KUNIT_EXPECT_EQ(test, get_user_pages_fast_only(AT(0), 4, 0, pages), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 0UL);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast_only(AT(0), 4, FOLL_WRITE,
						       pages), 2);
	pin_put(pages, 2);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
}

static void pin_longterm(struct kunit *test)
{
	struct file *file = umm_shmem(test, 8);
	struct page *pages[MANY];

	umm_paint(test, file, "|WW|hh|");
	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(AT(0), 2,
						  FOLL_WRITE | FOLL_LONGTERM,
						  pages), 2);
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(page_folio(pages[1])));
	pin_undo(pages, 2);
	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(AT(2), 2,
						  FOLL_WRITE | FOLL_LONGTERM,
						  pages), 2);
	KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(2)), pages[0]);
	pin_undo(pages, 2);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(page_folio(pages[0])));
}

/*
 * A pin for reading of a page that others share must not see a later write of
 * ours go elsewhere: the page is made our own first.
 */
static void pin_unshares(struct kunit *test)
{
	struct umm *child;
	struct page *page;

	umm_paint(test, NULL, "|WW|");
	lru_add_drain_all();
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(AT(0), 1, FOLL_LONGTERM,
						  &page), 1);
	KUNIT_EXPECT_NE(test, page_to_pfn(page),
			umm_entry(child->mm, AT(0)).pfn);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 70), 0);
	KUNIT_EXPECT_EQ(test, umm_word(page), 70UL);
	KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(0)), page);
	unpin_user_page(page);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
}

/* A plain reference for writing breaks the sharing as a write would. */
static void pin_write_copies(struct kunit *test)
{
	struct umm *child;
	struct page *page;

	umm_paint(test, NULL, "|WW|");
	lru_add_drain_all();
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(AT(1), 1, FOLL_WRITE, &page),
			1);
	umm_set_word(page, 55);
	put_page(page);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 55UL);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
}

static long pin_remote(struct umm *u, unsigned long at, int count, int flags,
		       struct page **pages)
{
	int locked = 1;
	long got;

	mmap_read_lock(u->mm);
	got = get_user_pages_remote(u->mm, at, count, flags, pages, &locked);
	if (locked)
		mmap_read_unlock(u->mm);
	return got;
}

static void pin_remote_space(struct kunit *test)
{
	struct umm *self = umm_self(test);
	struct page *pages[MANY];

	umm_paint(test, NULL, "|wwWW|rr|");
	umm_leave();
	KUNIT_ASSERT_EQ(test, pin_remote(self, AT(0), 4, FOLL_WRITE, pages),
			4L);
	KUNIT_EXPECT_EQ(test, umm_entry(self->mm, AT(2)).pfn,
			page_to_pfn(pages[2]));
	umm_set_word(pages[0], 4321);
	pin_put(pages, 4);
	KUNIT_EXPECT_EQ(test, pin_remote(self, AT(4), 1, FOLL_WRITE, pages),
			(long)-EFAULT);
	KUNIT_EXPECT_EQ(test, pin_remote(self, AT(3), 2, FOLL_WRITE, pages),
			1L);
	pin_put(pages, 1);
	KUNIT_EXPECT_EQ(test, pin_remote(self, AT(6), 1, 0, pages),
			(long)-EFAULT);
	/* Without an array the pages are only faulted in. */
	KUNIT_EXPECT_EQ(test, pin_remote(self, AT(4), 2, 0, NULL), 2L);
	KUNIT_EXPECT_EQ(test, umm_present(self->mm, AT(4), 2), 2UL);
	umm_enter(self);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 4321UL);
}

/* A debugger may write where the program may not, into a copy. */
static void pin_force(struct kunit *test)
{
	struct umm *self = umm_self(test);
	struct file *file = umm_ramfs(test, 4);
	struct page *page;
	unsigned long at;

	umm_file_set(test, file, 0, 9);
	at = umm_map_file(test, file, 0, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 9UL);
	KUNIT_ASSERT_EQ(test, pin_remote(self, at, 1, FOLL_WRITE | FOLL_FORCE,
					 &page), 1L);
	umm_set_word(page, 10);
	put_page(page);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 10UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 11), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 0), 9UL);
	at = umm_map_file(test, file, 0, 1, PROT_READ, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, pin_remote(self, at, 1, FOLL_WRITE, &page),
			(long)-EFAULT);
}

static void pin_fault_in(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	bool unlocked = false;

	umm_paint(test, NULL, "|wwww|..|rr|");
	KUNIT_EXPECT_EQ(test, fault_in_readable((void __user *)AT(0),
						2 * PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_present(mm, AT(0), 4), 2UL);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES), 0L);
	KUNIT_EXPECT_EQ(test, fault_in_readable((void __user *)AT(3),
						2 * PAGE_SIZE), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, fault_in_safe_writeable((void __user *)AT(0),
						      2 * PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES), 2L);
	KUNIT_EXPECT_EQ(test, fault_in_safe_writeable((void __user *)AT(6),
						      PAGE_SIZE), PAGE_SIZE);
	mmap_read_lock(mm);
	KUNIT_EXPECT_EQ(test, fixup_user_fault(mm, AT(2), FAULT_FLAG_WRITE,
					       &unlocked), 0);
	KUNIT_EXPECT_EQ(test, fixup_user_fault(mm, AT(4), 0, &unlocked),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, fixup_user_fault(mm, AT(6), FAULT_FLAG_WRITE,
					       &unlocked), -EFAULT);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_TRUE(test, umm_entry(mm, AT(2)).write);
	KUNIT_EXPECT_EQ(test, __mm_populate(AT(2), 2 * PAGE_SIZE, 0), 0);
	KUNIT_EXPECT_EQ(test, umm_present(mm, AT(2), 2), 2UL);
}

static struct kunit_case pin_tests[] = {
	KUNIT_CASE(pin_fast_faults_in),
	KUNIT_CASE(pin_outlives_mapping),
	KUNIT_CASE(pin_partial),
	KUNIT_CASE(pin_fast_only),
	KUNIT_CASE(pin_longterm),
	KUNIT_CASE(pin_unshares),
	KUNIT_CASE(pin_write_copies),
	KUNIT_CASE(pin_remote_space),
	KUNIT_CASE(pin_force),
	KUNIT_CASE(pin_fault_in),
	{ }
};

static struct kunit_suite pin_suite = {
	.name = "pagoda_pin",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = pin_tests,
};

kunit_test_suite(pin_suite);
