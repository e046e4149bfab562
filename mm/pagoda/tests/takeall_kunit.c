// SPDX-License-Identifier: GPL-2.0
/*
 * Taking all locks of an address space, as whoever registers an MMU notifier
 * does: nobody finds a page of it by reverse mapping meanwhile.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

/* Which locks can be had: of the area at an address and what it maps. */
struct takeall_free {
	bool area, file, anon;
};

static struct takeall_free takeall_free(struct kunit *test, unsigned long addr)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, addr);
	struct takeall_free f = { };

	KUNIT_ASSERT_NOT_NULL(test, vma);
	f.area = vma_start_read(vma);
	if (f.area)
		vma_end_read(vma);
	f.file = vma->vm_file && i_mmap_trylock_read(vma->vm_file->f_mapping);
	if (f.file)
		i_mmap_unlock_read(vma->vm_file->f_mapping);
	f.anon = vma->anon_vma && anon_vma_trylock_read(vma->anon_vma);
	if (f.anon)
		anon_vma_unlock_read(vma->anon_vma);
	return f;
}

/* Areas with an anon_vma of their own, with a common one, of one file twice. */
static struct file *takeall_scene(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 16);

	umm_paint(test, file, "|WW|rr|FF|hh|..|W|");
	KUNIT_ASSERT_EQ(test, umm_sys(__NR_mprotect, AT(1), PAGE_SIZE,
				      PROT_READ), 0L);
	return file;
}

static const int takeall_anon[] = { 0, 1, 4, 10 };
static const int takeall_file[] = { 4, 6 };
static const int takeall_area[] = { 0, 1, 2, 4, 6, 10 };

static void takeall_expect(struct kunit *test, bool free)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(takeall_anon); i++)
		KUNIT_EXPECT_EQ(test, takeall_free(test,
						   AT(takeall_anon[i])).anon,
				free);
	for (i = 0; i < ARRAY_SIZE(takeall_file); i++)
		KUNIT_EXPECT_EQ(test, takeall_free(test,
						   AT(takeall_file[i])).file,
				free);
}

static void takeall_holds_all(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	int i;

	takeall_scene(test);
	takeall_expect(test, true);
	mmap_write_lock(mm);
	KUNIT_ASSERT_EQ(test, mm_take_all_locks(mm), 0);
	takeall_expect(test, false);
	for (i = 0; i < ARRAY_SIZE(takeall_area); i++)
		KUNIT_EXPECT_FALSE(test,
				   takeall_free(test,
						AT(takeall_area[i])).area);
	mm_drop_all_locks(mm);
	takeall_expect(test, true);
	mmap_write_unlock(mm);
	for (i = 0; i < ARRAY_SIZE(takeall_area); i++)
		KUNIT_EXPECT_EQ(test, takeall_free(test,
						   AT(takeall_area[i])).area,
				IS_ENABLED(CONFIG_PER_VMA_LOCK));
}

/* The trees that lend a bit for the marks are whole afterwards. */
static void takeall_leaves_no_mark(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct folio *folio;
	unsigned long flags;
	int i;

	takeall_scene(test);
	for (i = 0; i < 2; i++) {
		mmap_write_lock(mm);
		KUNIT_ASSERT_EQ(test, mm_take_all_locks(mm), 0);
		mm_drop_all_locks(mm);
		mmap_write_unlock(mm);
	}
	folio = page_folio(umm_page(test, AT(0)));
	KUNIT_EXPECT_EQ(test, folio_referenced(folio, 0, NULL, &flags), 1);
	KUNIT_EXPECT_FALSE(test, umm_entry(mm, AT(0)).young);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 5), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), 11 * PAGE_SIZE), 0);
}

/* A child's areas are linked to its parent's anon_vmas and to its own. */
static void takeall_after_fork(struct kunit *test)
{
	struct umm *self = umm_self(test), *child;
	struct vm_area_struct *vma;

	takeall_scene(test);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 50), 0);
	mmap_write_lock(child->mm);
	KUNIT_ASSERT_EQ(test, mm_take_all_locks(child->mm), 0);
	takeall_expect(test, false);
	/* The parent's pages are found through the same root. */
	vma = vma_lookup(self->mm, AT(0));
	KUNIT_EXPECT_FALSE(test, anon_vma_trylock_read(vma->anon_vma));
	mm_drop_all_locks(child->mm);
	mmap_write_unlock(child->mm);
	takeall_expect(test, true);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 50UL);
	umm_enter(self);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
}

/* Interrupted by a signal, it has let go of what it had. */
static void takeall_interrupted(struct kunit *test)
{
	struct mm_struct *mm = current->mm;

	takeall_scene(test);
	mmap_write_lock(mm);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, mm_take_all_locks(mm), -EINTR);
	clear_thread_flag(TIF_SIGPENDING);
	takeall_expect(test, true);
	KUNIT_EXPECT_EQ(test, mm_take_all_locks(mm), 0);
	mm_drop_all_locks(mm);
	mmap_write_unlock(mm);
}

static struct kunit_case takeall_tests[] = {
	KUNIT_CASE(takeall_holds_all),
	KUNIT_CASE(takeall_leaves_no_mark),
	KUNIT_CASE(takeall_after_fork),
	KUNIT_CASE(takeall_interrupted),
	{ }
};

static struct kunit_suite takeall_suite = {
	.name = "pagoda_takeall",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = takeall_tests,
};

kunit_test_suite(takeall_suite);
