// SPDX-License-Identifier: GPL-2.0
/*
 * Device mappings: what a driver's vm_ops are told, and pages and frames that a
 * driver maps itself.
 *
 * The driver here is a file with a few pages; how it maps them is chosen by
 * the case.
 */
#include <linux/pagemap.h>

#include <pagoda/driver.h>

#define PAGES	UMM_DRIVER_PAGES
#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

enum device_how { ON_FAULT, FAULT_LOCKED, FAULT_PFN, INSERT, REMAP };

struct toy_device {
	struct umm_driver driver;
	enum device_how how;
	int opens, closes, faults, mkwrites;
	vm_fault_t answer, mkwrite_answer;	/* 0: succeed */
	bool retry;				/* the first fault is retried */
	bool whole;				/* areas must not be split */
};

static struct toy_device *device_of(struct vm_area_struct *vma)
{
	return container_of(vma->vm_private_data, struct toy_device, driver);
}

static vm_fault_t device_fault(struct vm_fault *vmf)
{
	struct toy_device *d = device_of(vmf->vma);
	struct page *page;

	d->faults++;
	if (d->answer)
		return d->answer;
	if (d->retry && d->faults == 1 &&
	    vmf->flags & FAULT_FLAG_ALLOW_RETRY) {
		release_fault_lock(vmf);
		return VM_FAULT_RETRY;
	}
	if (vmf->pgoff >= PAGES)
		return VM_FAULT_SIGBUS;
	page = d->driver.page[vmf->pgoff];
	if (d->how == FAULT_PFN)
		return vmf_insert_pfn(vmf->vma, vmf->address,
				      page_to_pfn(page));
	get_page(page);
	vmf->page = page;
	if (d->how != FAULT_LOCKED)
		return 0;
	lock_page(page);
	return VM_FAULT_LOCKED;
}

static vm_fault_t device_mkwrite(struct vm_fault *vmf)
{
	struct toy_device *d = device_of(vmf->vma);

	d->mkwrites++;
	if (d->mkwrite_answer)
		return d->mkwrite_answer;
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static void device_open(struct vm_area_struct *vma)
{
	device_of(vma)->opens++;
}

static void device_close(struct vm_area_struct *vma)
{
	device_of(vma)->closes++;
}

static int device_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return device_of(vma)->whole ? -EINVAL : 0;
}

static const struct vm_operations_struct device_vm_ops = {
	.open = device_open,
	.close = device_close,
	.may_split = device_may_split,
	.fault = device_fault,
};

static const struct vm_operations_struct device_mkwrite_vm_ops = {
	.fault = device_fault,
	.page_mkwrite = device_mkwrite,
};

static int device_mmap(struct umm_driver *driver, struct vm_area_struct *vma)
{
	struct toy_device *d = device_of(vma);
	unsigned long i;
	int ret = 0;

	vma->vm_ops = d->mkwrites < 0 ? &device_mkwrite_vm_ops : &device_vm_ops;
	switch (d->how) {
	case FAULT_PFN:
		vm_flags_set(vma, VM_PFNMAP);
		break;
	case INSERT:
		for (i = 0; !ret && i < vma_pages(vma); i++)
			ret = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE,
					     d->driver.page[i]);
		break;
	case REMAP:
		ret = remap_pfn_range(vma, vma->vm_start,
				      page_to_pfn(d->driver.page[0]), PAGE_SIZE,
				      vma->vm_page_prot);
		break;
	default:
		break;
	}
	return ret;
}

static struct toy_device *device_make(struct kunit *test, enum device_how how)
{
	struct toy_device *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	umm_driver_init(test, &d->driver);
	d->driver.map = device_mmap;
	d->how = how;
	return d;
}

static long device_map(struct toy_device *d, unsigned long pages, int flags)
{
	return umm_driver_map(&d->driver, 0, pages, UMM_RW, flags);
}

static void device_maps_its_pages(struct kunit *test)
{
	struct toy_device *d = device_make(test, ON_FAULT);
	unsigned long i;

	KUNIT_ASSERT_EQ(test, device_map(d, PAGES + 1, MAP_SHARED),
			(long)UMM_BASE);
	for (i = 0; i < PAGES; i++) {
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), 10 + i);
		KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(i)), d->driver.page[i]);
		KUNIT_EXPECT_EQ(test, page_count(d->driver.page[i]), 2);
	}
	KUNIT_EXPECT_EQ(test, d->faults, (int)PAGES);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(&d->driver, 1), 5UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(PAGES)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_FILEPAGES), (long)PAGES);
	KUNIT_EXPECT_EQ(test, vm_munmap(UMM_BASE, 5 * PAGE_SIZE), 0);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, page_count(d->driver.page[i]), 1);
}

/* The page comes locked; the core unlocks it when it is mapped. */
static void device_locked_page(struct kunit *test)
{
	struct toy_device *d = device_make(test, FAULT_LOCKED);

	KUNIT_ASSERT_EQ(test, device_map(d, PAGES, MAP_PRIVATE),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_FALSE(test, PageLocked(d->driver.page[0]));
	/* a private write copies, and leaves the driver's page alone */
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	KUNIT_EXPECT_FALSE(test, PageLocked(d->driver.page[1]));
	KUNIT_EXPECT_EQ(test, page_count(d->driver.page[1]), 1);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(&d->driver, 1), 11UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
}

static void device_refuses_fault(struct kunit *test)
{
	static const vm_fault_t answers[] = {
		VM_FAULT_SIGBUS, VM_FAULT_SIGSEGV, VM_FAULT_HWPOISON,
	};
	struct toy_device *d = device_make(test, ON_FAULT);
	int i;

	KUNIT_ASSERT_EQ(test, device_map(d, PAGES, MAP_SHARED), (long)UMM_BASE);
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		d->answer = answers[i];
		KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
		KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), -EFAULT);
	}
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), PAGES), 0UL);
	d->answer = 0;
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
}

static void device_retries(struct kunit *test)
{
	struct toy_device *d = device_make(test, ON_FAULT);

	d->retry = true;
	KUNIT_ASSERT_EQ(test, device_map(d, PAGES, MAP_SHARED), (long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 12UL);
	KUNIT_EXPECT_GE(test, d->faults, 2);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&current->mm->mmap_lock));
}

/* The driver is asked once before a page of its becomes writable. */
static void device_page_mkwrite(struct kunit *test)
{
	struct toy_device *d = device_make(test, ON_FAULT);

	d->mkwrites = -1;		/* choose the ops that have it */
	KUNIT_ASSERT_EQ(test, device_map(d, PAGES, MAP_SHARED), (long)UMM_BASE);
	d->mkwrites = 0;
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, d->mkwrites, 0);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(0)).write);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 2), 0);
	KUNIT_EXPECT_EQ(test, d->mkwrites, 1);
	KUNIT_EXPECT_FALSE(test, PageLocked(d->driver.page[0]));
	/* Written at the first touch: asked as well. */
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 1), 0);
	KUNIT_EXPECT_EQ(test, d->mkwrites, 2);
	d->mkwrite_answer = VM_FAULT_SIGBUS;
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 12UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(&d->driver, 2), 12UL);
}

/* Each area that comes to be is opened, but the first; each is closed. */
static void device_open_and_close(struct kunit *test)
{
	struct toy_device *d = device_make(test, ON_FAULT);
	struct umm *child;

	KUNIT_ASSERT_EQ(test, device_map(d, PAGES, MAP_SHARED), (long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, d->opens, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(1), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, d->opens + 1 - d->closes, 2);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_EXPECT_EQ(test, d->opens + 1 - d->closes, 4);
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, d->opens + 1 - d->closes, 2);
	d->whole = true;
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(2), PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(3), PAGE_SIZE,
				      PROT_READ), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 12UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(2), 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, d->opens + 1, d->closes);
}

static void device_inserted_pages(struct kunit *test)
{
	struct toy_device *d = device_make(test, INSERT);
	unsigned long i;

	KUNIT_ASSERT_EQ(test, device_map(d, PAGES, MAP_SHARED), (long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), PAGES), PAGES);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), 10 + i);
	KUNIT_EXPECT_EQ(test, d->faults, 0);
	KUNIT_EXPECT_EQ(test, page_count(d->driver.page[0]), 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, page_count(d->driver.page[0]), 1);
}

/* Frames have no page behind them: not counted, not pinned, not extended. */
static void device_frames(struct kunit *test, enum device_how how)
{
	struct toy_device *d = device_make(test, how);
	struct follow_pfnmap_args args = { .address = UMM_BASE };
	struct mm_struct *mm = current->mm;
	struct page *page;

	KUNIT_ASSERT_EQ(test, device_map(d, 1, MAP_SHARED), (long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 3), 0);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(&d->driver, 0), 3UL);
	KUNIT_EXPECT_EQ(test, page_count(d->driver.page[0]), 1);
	KUNIT_EXPECT_EQ(test, umm_rss_all(mm), 0L);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(AT(0), 1, FOLL_WRITE, &page),
			-EFAULT);
	mmap_read_lock(mm);
	args.vma = vma_lookup(mm, UMM_BASE);
	KUNIT_EXPECT_TRUE(test, args.vma->vm_flags & VM_PFNMAP);
	KUNIT_EXPECT_EQ(test, follow_pfnmap_start(&args), 0);
	KUNIT_EXPECT_EQ(test, args.pfn, page_to_pfn(d->driver.page[0]));
	KUNIT_EXPECT_TRUE(test, args.writable);
	KUNIT_EXPECT_NULL(test, vm_normal_page(args.vma, UMM_BASE,
					       ptep_get(args.ptep)));
	follow_pfnmap_end(&args);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, page_count(d->driver.page[0]), 1);
}

static void device_remapped_frames(struct kunit *test)
{
	struct toy_device *d = device_make(test, REMAP);

	device_frames(test, REMAP);
	/* A private writable mapping must be remapped whole. */
	KUNIT_EXPECT_EQ(test, device_map(d, 2, MAP_PRIVATE), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 0);
	KUNIT_ASSERT_EQ(test, device_map(d, 1, MAP_SHARED), (long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, UMM_BASE, PAGE_SIZE,
				      2 * PAGE_SIZE, MREMAP_MAYMOVE),
			(long)-EFAULT);
}

static void device_inserted_frames(struct kunit *test)
{
	device_frames(test, FAULT_PFN);
}

static struct kunit_case device_tests[] = {
	KUNIT_CASE(device_maps_its_pages),
	KUNIT_CASE(device_locked_page),
	KUNIT_CASE(device_refuses_fault),
	KUNIT_CASE(device_retries),
	KUNIT_CASE(device_page_mkwrite),
	KUNIT_CASE(device_open_and_close),
	KUNIT_CASE(device_inserted_pages),
	KUNIT_CASE(device_remapped_frames),
	KUNIT_CASE(device_inserted_frames),
	{ }
};

static struct kunit_suite device_suite = {
	.name = "pagoda_device",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = device_tests,
};

kunit_test_suite(device_suite);
