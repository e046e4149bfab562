// SPDX-License-Identifier: GPL-2.0
/*
 * rmap_walk() and its locks: which areas a walk is shown, what it does when
 * somebody has the lock, and what else leads from a page to an address.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include <pagoda/buffer.h>

#include "internal.h"	/* mm/'s */

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

/* A walk and what it was shown. */
struct family {
	struct kunit *test;
	struct folio *folio;
	struct rmap_walk_control rwc;
	unsigned long addr;		/* where the areas must map it */
	int areas;			/* how many it was shown */
	int stop_after;
	bool locked;			/* the caller has the lock */
	bool over;
};

static bool family_area(struct folio *folio, struct vm_area_struct *vma,
			unsigned long addr, void *arg)
{
	struct family *f = arg;

	KUNIT_EXPECT_EQ(f->test, addr, f->addr);
	KUNIT_EXPECT_GE(f->test, addr, vma->vm_start);
	KUNIT_EXPECT_LT(f->test, addr, vma->vm_end);
	return ++f->areas != f->stop_after;
}

static int family_walk(void *arg)
{
	struct family *f = arg;

	f->areas = 0;
	f->over = false;
	f->rwc.arg = f;
	f->rwc.rmap_one = family_area;
	f->rwc.contended = false;
	if (f->locked)
		rmap_walk_locked(f->folio, &f->rwc);
	else
		rmap_walk(f->folio, &f->rwc);
	WRITE_ONCE(f->over, true);
	return f->areas;
}

/* The walk waits for as long as the lock is held. */
static void family_waits(struct family *f, struct rw_semaphore *lock)
{
	struct kunit *test = f->test;
	struct task_struct *task;

	down_write(lock);
	task = kthread_create(family_walk, f, "family_walk");
	if (!IS_ERR(task)) {
		get_task_struct(task);
		wake_up_process(task);
		msleep(50);
	}
	KUNIT_EXPECT_FALSE(test, READ_ONCE(f->over));
	KUNIT_EXPECT_EQ(test, f->areas, 0);
	up_write(lock);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	while (!READ_ONCE(f->over))
		msleep(20);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, f->areas, 2);
}

/* A page in two address spaces, at AT(1). */
static struct folio *family_anon(struct kunit *test)
{
	struct folio *folio;

	umm_paint(test, NULL, "|WW|");
	lru_add_drain_all();
	folio = page_folio(umm_page(test, AT(1)));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, umm_fork(test));
	return folio;
}

static struct rw_semaphore *family_lock(struct folio *folio)
{
	return &folio_anon_vma(folio)->root->rwsem;
}

static void family_of_anon(struct kunit *test)
{
	struct folio *folio = family_anon(test);
	struct family f = { .test = test, .folio = folio, .addr = AT(1) };
	struct rw_semaphore *lock = family_lock(folio);

	KUNIT_EXPECT_EQ(test, family_walk(&f), 2);
	f.stop_after = 1;
	KUNIT_EXPECT_EQ(test, family_walk(&f), 1);
	f.stop_after = 0;
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(lock));
	f.locked = true;
	down_write(lock);
	KUNIT_EXPECT_EQ(test, family_walk(&f), 2);
	up_write(lock);
}

static void family_anon_contended(struct kunit *test)
{
	struct folio *folio = family_anon(test);
	struct family f = { .test = test, .folio = folio, .addr = AT(1) };
	struct rw_semaphore *lock = family_lock(folio);
	unsigned long flags;

	f.rwc.try_lock = true;
	down_write(lock);
	KUNIT_EXPECT_EQ(test, family_walk(&f), 0);
	KUNIT_EXPECT_TRUE(test, f.rwc.contended);
	KUNIT_EXPECT_EQ(test, folio_referenced(folio, 0, NULL, &flags), -1);
	up_write(lock);
	KUNIT_EXPECT_EQ(test, family_walk(&f), 2);
	KUNIT_EXPECT_FALSE(test, f.rwc.contended);
}

static void family_anon_waits(struct kunit *test)
{
	struct folio *folio = family_anon(test);
	struct family f = { .test = test, .folio = folio, .addr = AT(1) };

	family_waits(&f, family_lock(folio));
	/* The same with a lock function that also keeps the anon_vma. */
	f.areas = 0;
	f.rwc.anon_lock = folio_lock_anon_vma_read;
	family_waits(&f, family_lock(folio));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(family_lock(folio)));
}

static struct folio *family_file(struct kunit *test, struct file *file)
{
	struct folio *folio;

	umm_file_set(test, file, PAGE_SIZE, 5);
	folio = umm_folio(test, file, 1);
	umm_paint(test, file, "|hhh|");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, umm_fork(test));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 5UL);
	return folio;
}

static void family_of_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	struct folio *folio = family_file(test, file);
	struct family f = { .test = test, .folio = folio, .addr = AT(1) };
	unsigned long flags;

	folio_lock(folio);
	KUNIT_EXPECT_EQ(test, family_walk(&f), 2);
	i_mmap_lock_write(file->f_mapping);
	f.locked = true;
	KUNIT_EXPECT_EQ(test, family_walk(&f), 2);
	f.locked = false;
	f.rwc.try_lock = true;
	KUNIT_EXPECT_EQ(test, family_walk(&f), 0);
	KUNIT_EXPECT_TRUE(test, f.rwc.contended);
	KUNIT_EXPECT_EQ(test, folio_referenced(folio, 1, NULL, &flags), -1);
	i_mmap_unlock_write(file->f_mapping);
	KUNIT_EXPECT_EQ(test, folio_referenced(folio, 1, NULL, &flags), 1);
	folio_unlock(folio);
}

static void family_file_waits(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);
	struct folio *folio = family_file(test, file);
	struct family f = { .test = test, .folio = folio, .addr = AT(1) };

	folio_lock(folio);
	family_waits(&f, &file->f_mapping->i_mmap_rwsem);
	folio_unlock(folio);
}

/* Where an area would have a page, if it is of its family at all. */
static void family_address(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8), *other = umm_ramfs(test, 8);
	struct page *anon, *page;
	struct vm_area_struct *own, *shared, *fresh, *tail;
	struct umm *stranger = umm_new(test);

	umm_file_set(test, file, 3 * PAGE_SIZE, 5);
	page = folio_page(umm_folio(test, file, 3), 0);
	umm_paint(test, file, "|WW|..|hhhh|ww|..|f|");
	anon = umm_page(test, AT(1));
	KUNIT_ASSERT_EQ(test, vm_mmap(other, AT(20), 8 * PAGE_SIZE, UMM_RW,
				      MAP_SHARED | MAP_FIXED, 0), AT(20));
	KUNIT_ASSERT_EQ(test, vm_mmap(file, AT(40), 8 * PAGE_SIZE, UMM_RW,
				      MAP_SHARED | MAP_FIXED, 0), AT(40));
	mmap_read_lock(current->mm);
	own = vma_lookup(current->mm, AT(0));
	fresh = vma_lookup(current->mm, AT(8));
	shared = vma_lookup(current->mm, AT(40));
	tail = vma_lookup(current->mm, AT(4));
	KUNIT_EXPECT_EQ(test, page_address_in_vma(anon, own), AT(1));
	KUNIT_EXPECT_EQ(test, page_address_in_vma(anon, fresh),
			(unsigned long)-EFAULT);
	KUNIT_EXPECT_EQ(test, page_address_in_vma(anon, shared),
			(unsigned long)-EFAULT);
	KUNIT_EXPECT_EQ(test, page_address_in_vma(page, shared), AT(43));
	/* The file's, but another part of it. */
	KUNIT_EXPECT_EQ(test, page_address_in_vma(page, tail),
			(unsigned long)-EFAULT);
	KUNIT_EXPECT_EQ(test, page_address_in_vma(page,
						  vma_lookup(current->mm,
							     AT(20))),
			(unsigned long)-EFAULT);
	KUNIT_EXPECT_EQ(test, page_address_in_vma(page, own),
			(unsigned long)-EFAULT);
	mmap_read_unlock(current->mm);
	/* Another process's memory at the same place. */
	umm_enter(stranger);
	umm_paint(test, NULL, "|WW|");
	mmap_read_lock(current->mm);
	own = vma_lookup(current->mm, AT(0));
	KUNIT_EXPECT_EQ(test, page_address_in_vma(umm_page(test, AT(1)), own),
			AT(1));
	KUNIT_EXPECT_EQ(test, page_address_in_vma(anon, own),
			(unsigned long)-EFAULT);
	mmap_read_unlock(current->mm);
}

/* Each entry of a large folio once, in order, with its table locked. */
static void family_entries(struct kunit *test)
{
	struct umm_buffer *d = umm_buffer(test, UMM_PAGES);
	unsigned long i;

	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, 4, MAP_SHARED), UMM_BASE);
	for (i = 0; i < 4; i++)
		if (i != 2)
			KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), 10 + i);
	for (i = 0; i < 2; i++) {
		struct vm_area_struct *vma = vma_lookup(current->mm,
							UMM_BASE);
		DEFINE_FOLIO_VMA_WALK(walk, d->folio, vma, UMM_BASE, 0);
		unsigned long seen = 0;

		mmap_read_lock(current->mm);
		while (page_vma_mapped_walk(&walk)) {
			KUNIT_EXPECT_FALSE(test, spin_trylock(walk.ptl));
			KUNIT_EXPECT_EQ(test, pte_pfn(ptep_get(walk.pte)),
					umm_entry(current->mm,
						  walk.address).pfn);
			seen = seen * 10 + 1 + (walk.address - UMM_BASE) /
					       PAGE_SIZE;
			/* The second time, go half-way. */
			if (i && seen == 12) {
				page_vma_mapped_walk_done(&walk);
				break;
			}
		}
		mmap_read_unlock(current->mm);
		/* Nothing is locked any more. */
		KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 10), 0);
		KUNIT_EXPECT_EQ(test, seen, i ? 12UL : 124UL);
	}
}

/* A reference keeps an anon_vma, and its root, after all areas have gone. */
static void family_outlived(struct kunit *test)
{
	struct anon_vma *anon;
	struct umm *child;

	umm_paint(test, NULL, "|WW|");
	lru_add_drain_all();
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 9), 0);
	anon = folio_get_anon_vma(page_folio(umm_page(test, AT(1))));
	KUNIT_ASSERT_NOT_NULL(test, anon);
	KUNIT_EXPECT_PTR_NE(test, anon, anon->root);
	umm_drop(child);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&anon->refcount), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&anon->root->refcount), 1);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&anon->root->rwsem));
	put_anon_vma(anon);
}

static struct kunit_case family_tests[] = {
	KUNIT_CASE(family_of_anon),
	KUNIT_CASE(family_anon_contended),
	KUNIT_CASE(family_anon_waits),
	KUNIT_CASE(family_of_file),
	KUNIT_CASE(family_file_waits),
	KUNIT_CASE(family_address),
	KUNIT_CASE(family_entries),
	KUNIT_CASE(family_outlived),
	{ }
};

static struct kunit_suite family_suite = {
	.name = "pagoda_family",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = family_tests,
};

kunit_test_suite(family_suite);
