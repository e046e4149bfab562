// SPDX-License-Identifier: GPL-2.0
/*
 * What a driver may answer when it is asked for a page, for leave to write,
 * or for a change of protection; and faults that the kernel makes itself.
 */
#include <linux/highmem.h>
#include <linux/oom.h>
#include <linux/pagemap.h>

#include <pagoda/driver.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define PAGES		UMM_DRIVER_PAGES

static vm_fault_t driver_page(struct vm_fault *vmf)
{
	struct umm_driver *d = vmf->vma->vm_private_data;

	if (vmf->pgoff >= PAGES)
		return VM_FAULT_SIGBUS;
	vmf->page = d->page[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

/* An area that its driver fills itself, and did not fill. */
static void driver_without_handler(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), -EFAULT);
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_PRIVATE),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
}

/* Gives leave only at the second time, as after a truncation in between. */
static vm_fault_t driver_slow_leave(struct vm_fault *vmf)
{
	struct umm_driver *d = vmf->vma->vm_private_data;

	if (d->calls++ % 2 == 0)
		return d->answer;
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct driver_slow_leave_ops = {
	.fault = driver_page,
	.page_mkwrite = driver_slow_leave,
};

static void driver_leave_to_write(struct kunit *test, vm_fault_t answer)
{
	struct umm_driver *d = umm_driver(test);

	d->ops = &driver_slow_leave_ops;
	d->answer = answer;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	/* Written at the first touch, and after it was read. */
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 5), 0);
	KUNIT_EXPECT_EQ(test, d->calls, 2);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 6), 0);
	KUNIT_EXPECT_EQ(test, d->calls, 4);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(d, 0), 5UL);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(d, 1), 6UL);
	KUNIT_EXPECT_FALSE(test, PageLocked(d->page[0]));
	KUNIT_EXPECT_EQ(test, page_count(d->page[0]), 2);
	KUNIT_EXPECT_EQ(test, page_count(d->page[1]), 2);
}

static void driver_says_try_again(struct kunit *test)
{
	driver_leave_to_write(test, VM_FAULT_NOPAGE);
}

/* Leave without the page's lock counts only for a page that is in a file. */
static void driver_leaves_page_unlocked(struct kunit *test)
{
	driver_leave_to_write(test, 0);
}

/* Fills the private copy itself. */
static vm_fault_t driver_own_copy(struct vm_fault *vmf)
{
	struct umm_driver *d = vmf->vma->vm_private_data;
	vm_fault_t ret;

	if (!vmf->cow_page)
		return driver_page(vmf);
	d->calls++;
	if (d->answer)
		return d->answer;
	clear_highpage(vmf->cow_page);
	umm_set_word(vmf->cow_page, 70 + vmf->pgoff);
	__folio_mark_uptodate(page_folio(vmf->cow_page));
	ret = finish_fault(vmf);
	return ret ?: VM_FAULT_DONE_COW;
}

static const struct vm_operations_struct driver_own_copy_ops = {
	.fault = driver_own_copy,
};

static void driver_copies_itself(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->ops = &driver_own_copy_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES, UMM_RW, MAP_PRIVATE),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1) + sizeof(long), 5), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 71UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1) + sizeof(long)), 5UL);
	KUNIT_EXPECT_EQ(test, d->calls, 1);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
	KUNIT_EXPECT_EQ(test, page_count(d->page[1]), 1);
	/* The copy that it was offered is not lost when it refuses. */
	d->answer = VM_FAULT_SIGBUS;
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 5), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 12UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
}

static unsigned long driver_start, driver_end, driver_flags;

static int driver_may_protect(struct vm_area_struct *vma, unsigned long start,
			      unsigned long end, unsigned long newflags)
{
	struct umm_driver *d = vma->vm_private_data;

	d->calls++;
	driver_start = start;
	driver_end = end;
	driver_flags = newflags & VM_ACCESS_FLAGS;
	return d->answer ? -EACCES : 0;
}

static const struct vm_operations_struct driver_may_protect_ops = {
	.fault = driver_page,
	.mprotect = driver_may_protect,
};

/* The driver is asked about the part that changes, before anything does. */
static void driver_asked_to_protect(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->ops = &driver_may_protect_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	d->answer = VM_FAULT_SIGBUS;
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(1), 2 * PAGE_SIZE,
				      PROT_READ), (long)-EACCES);
	KUNIT_EXPECT_EQ(test, d->calls, 1);
	KUNIT_EXPECT_EQ(test, driver_start, AT(1));
	KUNIT_EXPECT_EQ(test, driver_end, AT(3));
	KUNIT_EXPECT_EQ(test, driver_flags, (unsigned long)VM_READ);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 6), 0);
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 1);
	d->answer = 0;
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(1), 2 * PAGE_SIZE,
				      PROT_READ), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 7), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(3), 7), 0);
}

static const struct vm_operations_struct driver_page_ops = {
	.fault = driver_page,
};

/* What the OOM reaper has taken must not come back as something else. */
static void driver_after_oom_reaper(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	struct mm_struct *mm = current->mm;

	d->ops = &driver_page_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES, UMM_RW, MAP_PRIVATE),
			(long)UMM_BASE);
	umm_map_at(test, AT(8), 2, UMM_RW);
	set_bit(MMF_UNSTABLE, &mm->flags);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(8)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(9), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss_all(mm), 0L);
	KUNIT_EXPECT_EQ(test, page_count(d->page[0]), 1);
	clear_bit(MMF_UNSTABLE, &mm->flags);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(9), 1), 0);

	/* Shared memory was not touched by the reaper. */
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	set_bit(MMF_UNSTABLE, &mm->flags);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 7), 0);
	clear_bit(MMF_UNSTABLE, &mm->flags);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(d, 2), 7UL);
}

/* A fault that is to make a page the process's own only reads shared memory. */
static void driver_unshare_shared(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	struct vm_area_struct *vma;
	vm_fault_t ret;

	d->ops = &driver_page_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, AT(1));
	ret = handle_mm_fault(vma, AT(1), FAULT_FLAG_UNSHARE, NULL);
	KUNIT_EXPECT_EQ(test, ret & VM_FAULT_ERROR, (vm_fault_t)0);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(1)).present);
	KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(1)), d->page[1]);
	mmap_read_unlock(current->mm);
}

/* Memory that may be dropped at any time is not fatal for want of memory. */
static void driver_droppable(struct kunit *test)
{
	unsigned long at = vm_mmap(NULL, 0, 2 * PAGE_SIZE, UMM_RW,
				   MAP_ANONYMOUS | MAP_DROPPABLE, 0);

	/* 32 bits of flags have no room for it. */
	if (!VM_DROPPABLE) {
		KUNIT_EXPECT_EQ(test, at, -EOPNOTSUPP);
		return;
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, umm_poke(at, 5), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 5UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
}

/* From a page of a file to its end, and past it. */
static void driver_unmaps_tail(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 4);
	unsigned long i;

	for (i = 0; i < 4; i++)
		umm_file_set(test, file, i * PAGE_SIZE, i + 1);
	KUNIT_ASSERT_EQ(test, vm_mmap(file, AT(0), 4 * PAGE_SIZE, UMM_RW,
				      MAP_SHARED | MAP_FIXED, 0), AT(0));
	KUNIT_ASSERT_EQ(test, vm_mmap(file, AT(8), 4 * PAGE_SIZE, UMM_RW,
				      MAP_PRIVATE | MAP_FIXED, 0), AT(8));
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), i + 1);
		KUNIT_EXPECT_EQ(test, umm_poke(AT(8 + i), 20 + i), 0);
	}
	unmap_mapping_pages(file->f_mapping, 2, 0, false);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 4), 2UL);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(1)).present);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(8), 4), 4UL);
	unmap_mapping_pages(file->f_mapping, 3, 0, true);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(8), 4), 3UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(11)), 4UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(10)), 22UL);
}

static struct kunit_case driver_tests[] = {
	KUNIT_CASE(driver_without_handler),
	KUNIT_CASE(driver_says_try_again),
	KUNIT_CASE(driver_leaves_page_unlocked),
	KUNIT_CASE(driver_copies_itself),
	KUNIT_CASE(driver_asked_to_protect),
	KUNIT_CASE(driver_after_oom_reaper),
	KUNIT_CASE(driver_unshare_shared),
	KUNIT_CASE(driver_droppable),
	KUNIT_CASE(driver_unmaps_tail),
	{ }
};

static struct kunit_suite driver_suite = {
	.name = "pagoda_driver",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = driver_tests,
};

kunit_test_suite(driver_suite);
