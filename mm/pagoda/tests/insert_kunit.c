// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that a driver puts into its areas: which are taken, where they go,
 * and what is left after an error.
 */
#include <linux/page_ref.h>
#include <linux/pfn_t.h>

#include <pagoda/driver.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define PAGES		UMM_DRIVER_PAGES

static int insert_from_offset(struct umm_driver *d, struct vm_area_struct *vma)
{
	return vm_map_pages(vma, d->page, PAGES);
}

static int insert_from_start(struct umm_driver *d, struct vm_area_struct *vma)
{
	return vm_map_pages_zero(vma, d->page, PAGES);
}

/* An area shows the driver's object from its offset on. */
static void insert_whole_area(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	unsigned long i;

	d->map = insert_from_offset;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 1, 3, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 3), 3UL);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), 11 + i);
	KUNIT_EXPECT_EQ(test, page_count(d->page[0]), 1);
	KUNIT_EXPECT_EQ(test, page_count(d->page[3]), 2);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_FILEPAGES), 3L);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), 3 * PAGE_SIZE), 0);

	/* An object that does not reach so far cannot be mapped. */
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 1, 4, UMM_RW, MAP_SHARED),
			(long)-ENXIO);
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 4, 1, UMM_RW, MAP_SHARED),
			(long)-ENXIO);
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 9, 1, UMM_RW, MAP_SHARED),
			(long)-ENXIO);
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 0);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
}

/* Here the offset means something else to the driver. */
static void insert_ignores_offset(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	unsigned long i;

	d->map = insert_from_start;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 9, PAGES, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), 10 + i);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGES * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 0, PAGES + 1, UMM_RW,
					     MAP_SHARED), (long)-ENXIO);
}

/* Two pages, one of the slab, another page: the first two are mapped. */
static int insert_with_culprit(struct umm_driver *d, struct vm_area_struct *vma)
{
	void *slab = kunit_kzalloc(d->test, 64, GFP_KERNEL);
	struct page *pages[] = {
		d->page[0], d->page[1], virt_to_page(slab), d->page[3],
	};
	unsigned long left = ARRAY_SIZE(pages), none = 0;

	KUNIT_EXPECT_EQ(d->test, vm_insert_pages(vma, AT(0), pages, &none), 0);
	KUNIT_EXPECT_EQ(d->test, vm_insert_pages(vma, AT(0), pages, &left),
			-EINVAL);
	KUNIT_EXPECT_EQ(d->test, left, 2UL);
	/* Where a page is mapped there is no room for another. */
	KUNIT_EXPECT_EQ(d->test, vm_insert_page(vma, AT(1), d->page[2]),
			-EBUSY);
	return 0;
}

static void insert_stops_at_error(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->map = insert_with_culprit;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(2)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(3)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 2L);
}

static int insert_bad_ones(struct umm_driver *d, struct vm_area_struct *vma)
{
	struct page *anon = umm_page(d->test, AT(20));
	unsigned long two = 2;

	KUNIT_EXPECT_EQ(d->test, vm_insert_page(vma, AT(0), anon), -EINVAL);
	/* A page that nobody holds is free. */
	KUNIT_EXPECT_TRUE(d->test, page_ref_freeze(d->page[0], 1));
	KUNIT_EXPECT_EQ(d->test, vm_insert_page(vma, AT(0), d->page[0]),
			-EINVAL);
	page_ref_unfreeze(d->page[0], 1);
	KUNIT_EXPECT_EQ(d->test, vm_insert_page(vma, AT(2), d->page[0]),
			-EFAULT);
	KUNIT_EXPECT_EQ(d->test, vm_insert_page(vma, AT(0) - PAGE_SIZE,
						d->page[0]), -EFAULT);
	KUNIT_EXPECT_EQ(d->test, vm_insert_pages(vma, AT(1), d->page, &two),
			-EFAULT);
	KUNIT_EXPECT_EQ(d->test, two, 2UL);
	return 0;
}

static void insert_refuses(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	umm_map_at(test, AT(20), 1, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(AT(20), 1), 0);
	d->map = insert_bad_ones;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 2, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 2), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 1L);
}

static int insert_zero_page(struct umm_driver *d, struct vm_area_struct *vma)
{
	return vm_insert_page(vma, AT(0), ZERO_PAGE(0));
}

static int insert_nothing_yet(struct umm_driver *d, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_MIXEDMAP | VM_IO);
	return 0;
}

static vm_fault_t insert_zero_in_fault(struct vm_fault *vmf)
{
	int err = vm_insert_page(vmf->vma, vmf->address, ZERO_PAGE(0));

	return err ? vmf_error(err) : VM_FAULT_NOPAGE;
}

static vm_fault_t insert_no_write(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct insert_no_write_ops = {
	.pfn_mkwrite = insert_no_write,
};

static const struct vm_operations_struct insert_zero_in_fault_ops = {
	.pfn_mkwrite = insert_no_write,
	.fault = insert_zero_in_fault,
};

/*
 * The zero page may be where nobody can replace it behind somebody's back: a
 * private area, one that is never written, or one that is closed to pins.
 */
static void insert_the_zero_page(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->map = insert_zero_page;
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_SHARED),
			(long)-EINVAL);
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_PRIVATE),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 1), 1UL);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 7), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 7UL);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)page_address(ZERO_PAGE(0)),
			0UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);

	d->ops = &insert_no_write_ops;
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_SHARED),
			(long)-EINVAL);
	d->map = insert_nothing_yet;
	d->ops = &insert_zero_in_fault_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 7), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 0UL);
}

static int insert_later(struct umm_driver *d, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_MIXEDMAP);
	return 0;
}

static vm_fault_t insert_in_fault(struct vm_fault *vmf)
{
	struct umm_driver *d = vmf->vma->vm_private_data;
	int err;

	d->calls++;
	if (vmf->pgoff >= PAGES)
		return VM_FAULT_SIGBUS;
	err = vm_insert_page(vmf->vma, vmf->address, d->page[vmf->pgoff]);
	return err ? vmf_error(err) : VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct insert_in_fault_ops = {
	.fault = insert_in_fault,
};

/* In an area of single pages a driver can map its page in the fault. */
static void insert_when_faulting(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->map = insert_later;
	d->ops = &insert_in_fault_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 1, 4, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 4), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 12UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 3), 0);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(d, 3), 3UL);
	KUNIT_EXPECT_EQ(test, d->calls, 2);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(3)), -EFAULT);
	KUNIT_EXPECT_EQ(test, page_count(d->page[2]), 2);
}

/* What is mapped shared is the same page after fork, and clean in the child. */
static void insert_and_fork(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	struct umm *child;

	d->map = insert_from_offset;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 2, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 5), 0);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(0)).dirty);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_EXPECT_EQ(test, page_count(d->page[0]), 3);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(0)).dirty);
	KUNIT_EXPECT_TRUE(test, umm_entry(child->mm, AT(0)).present);
	KUNIT_EXPECT_FALSE(test, umm_entry(child->mm, AT(0)).dirty);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 5UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 6), 0);
	umm_drop(child);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 6UL);
	KUNIT_EXPECT_EQ(test, page_count(d->page[0]), 2);
}

static struct kunit_case insert_tests[] = {
	KUNIT_CASE(insert_whole_area),
	KUNIT_CASE(insert_ignores_offset),
	KUNIT_CASE(insert_stops_at_error),
	KUNIT_CASE(insert_refuses),
	KUNIT_CASE(insert_the_zero_page),
	KUNIT_CASE(insert_when_faulting),
	KUNIT_CASE(insert_and_fork),
	{ }
};

static struct kunit_suite insert_suite = {
	.name = "pagoda_insert",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = insert_tests,
};

kunit_test_suite(insert_suite);
