// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that a driver puts into its areas, with or without a page behind
 * them, and working on page-table entries as such.
 */
#include <linux/io.h>
#include <linux/pfn_t.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include <pagoda/driver.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define PAGES		UMM_DRIVER_PAGES

static phys_addr_t frames_phys(struct umm_driver *d)
{
	return page_to_phys(d->page[0]);
}

static int frames_map_iomem(struct umm_driver *d, struct vm_area_struct *vma)
{
	/* The device's registers begin in the middle of a page. */
	return vm_iomap_memory(vma, frames_phys(d) + 64, 3 * PAGE_SIZE - 64);
}

static void frames_iomem(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->map = frames_map_iomem;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 1, 2, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 11UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 12UL);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
	KUNIT_EXPECT_EQ(test, page_count(d->page[1]), 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), 2 * PAGE_SIZE), 0);
	/* Neither beyond its end, nor from there on. */
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 2, 2, UMM_RW, MAP_SHARED),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 4, 1, UMM_RW, MAP_SHARED),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 0, 4, UMM_RW, MAP_SHARED),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 0);
}

static int frames_map_wrapped(struct umm_driver *d, struct vm_area_struct *vma)
{
	return vm_iomap_memory(vma, -(phys_addr_t)PAGE_SIZE, 2 * PAGE_SIZE);
}

static void frames_iomem_wraps(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->map = frames_map_wrapped;
	KUNIT_EXPECT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_SHARED),
			(long)-EINVAL);
}

static int frames_map_later(struct umm_driver *d, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_PFNMAP);
	return 0;
}

static vm_fault_t frames_fault_prot(struct vm_fault *vmf)
{
	struct umm_driver *d = vmf->vma->vm_private_data;
	pgprot_t readonly = vm_get_page_prot(VM_READ | VM_SHARED);
	unsigned long pfn;

	d->calls++;
	if (vmf->pgoff >= PAGES)
		return vmf_insert_pfn(vmf->vma, vmf->vma->vm_end,
				      page_to_pfn(d->page[0]));
	pfn = page_to_pfn(d->page[vmf->pgoff]);
	if (vmf->pgoff)
		return vmf_insert_pfn_prot(vmf->vma, vmf->address, pfn,
					   readonly);
	/* A second time is not an error: somebody may have been quicker. */
	vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
}

static const struct vm_operations_struct frames_fault_prot_ops = {
	.fault = frames_fault_prot,
};

static void frames_in_fault(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->map = frames_map_later;
	d->ops = &frames_fault_prot_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES + 1, UMM_RW,
					     MAP_SHARED), (long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 5), 0);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(d, 0), 5UL);
	KUNIT_EXPECT_EQ(test, d->calls, 1);
	/* The entry has the protection that was asked for. */
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(1)).write);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(0)).write);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(PAGES)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
}

static int frames_map_mixed(struct umm_driver *d, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_MIXEDMAP);
	return 0;
}

static vm_fault_t frames_mixed(struct vm_fault *vmf)
{
	struct umm_driver *d = vmf->vma->vm_private_data;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct page *page = ZERO_PAGE(0);
	pfn_t pfn;

	d->calls++;
	if (vmf->pgoff < PAGES)
		page = d->page[vmf->pgoff];
	pfn = pfn_to_pfn_t(page_to_pfn(page));
	return write ?
	       vmf_insert_mixed_mkwrite(vmf->vma, vmf->address, pfn) :
	       vmf_insert_mixed(vmf->vma, vmf->address, pfn);
}

static const struct vm_operations_struct frames_mixed_ops = {
	.fault = frames_mixed,
	.pfn_mkwrite = frames_mixed,
};

/* As file systems on memory do it: told of each write, mapping it themselves. */
static void frames_with_pages(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	struct umm_entry e;

	d->map = frames_map_mixed;
	d->ops = &frames_mixed_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, PAGES + 1, UMM_RW,
					     MAP_SHARED), (long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	e = umm_entry(current->mm, AT(1));
	KUNIT_EXPECT_FALSE(test, e.write || e.dirty);
	KUNIT_EXPECT_EQ(test, e.pfn, page_to_pfn(d->page[1]));
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	KUNIT_EXPECT_EQ(test, d->calls, 2);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 6), 0);
	KUNIT_EXPECT_EQ(test, d->calls, 2);
	e = umm_entry(current->mm, AT(1));
	KUNIT_EXPECT_TRUE(test, e.write && e.dirty);
	/* Written at the first touch. */
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 7), 0);
	KUNIT_EXPECT_EQ(test, d->calls, 3);
	KUNIT_EXPECT_EQ(test, *umm_driver_word(d, 2), 7UL);
	KUNIT_EXPECT_EQ(test, page_count(d->page[2]), 1);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
	/* The zero page stays out of what can be pinned and written. */
	KUNIT_EXPECT_EQ(test, umm_touch(AT(PAGES)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(PAGES), 1), -EFAULT);
}

static const struct vm_operations_struct frames_plain_ops = {
	.fault = frames_mixed,
};

/* Without VM_MIXEDMAP a frame that has a page is not mapped. */
static void frames_need_mixed(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);

	d->ops = &frames_plain_ops;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 1, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, d->calls, 2);
}

static int frames_map_first(struct umm_driver *d, struct vm_area_struct *vma)
{
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(d->page[0]),
			       2 * PAGE_SIZE, vma->vm_page_prot);
}

/* Only what lies in one area of frames can be taken out again. */
static void frames_taken_out(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	umm_map_at(test, AT(8), 2, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(AT(8), 1), 0);
	d->map = frames_map_first;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 3, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_present(mm, AT(0), 3), 2UL);
	mmap_read_lock(mm);
	vma = vma_lookup(mm, AT(0));
	zap_vma_ptes(vma, AT(0), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_present(mm, AT(0), 3), 2UL);
	zap_vma_ptes(vma, AT(1), PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, umm_entry(mm, AT(0)).present);
	KUNIT_EXPECT_FALSE(test, umm_entry(mm, AT(1)).present);
	zap_vma_ptes(vma_lookup(mm, AT(8)), AT(8), PAGE_SIZE);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(8)), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(1)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 3), -EFAULT);
}

static void frames_follow(struct kunit *test)
{
	struct umm_driver *d = umm_driver(test);
	struct mm_struct *mm = current->mm;
	struct follow_pfnmap_args args = { };

	umm_map_at(test, AT(8), 1, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(AT(8), 1), 0);
	d->map = frames_map_first;
	KUNIT_ASSERT_EQ(test, umm_driver_map(d, 0, 3, UMM_RW, MAP_SHARED),
			(long)UMM_BASE);
	mmap_read_lock(mm);
	args.vma = vma_lookup(mm, AT(0));
	args.address = AT(1) + 8;
	KUNIT_EXPECT_EQ(test, follow_pfnmap_start(&args), 0);
	KUNIT_EXPECT_EQ(test, args.pfn, page_to_pfn(d->page[1]));
	KUNIT_EXPECT_TRUE(test, args.special);
	follow_pfnmap_end(&args);
	/* An empty entry, another area's address, ordinary memory. */
	args.address = AT(2);
	KUNIT_EXPECT_EQ(test, follow_pfnmap_start(&args), -EINVAL);
	args.address = AT(3);
	KUNIT_EXPECT_EQ(test, follow_pfnmap_start(&args), -EINVAL);
	args.address = AT(0) - 1;
	KUNIT_EXPECT_EQ(test, follow_pfnmap_start(&args), -EINVAL);
	args.vma = vma_lookup(mm, AT(8));
	args.address = AT(8);
	KUNIT_EXPECT_EQ(test, follow_pfnmap_start(&args), -EINVAL);
	mmap_read_unlock(mm);
}

struct frames_seen {
	unsigned long first, next, empty, full, stop;
};

static int frames_see(pte_t *pte, unsigned long addr, void *data)
{
	struct frames_seen *s = data;

	if (!s->empty && !s->full)
		s->first = addr;
	else if (addr != s->next)
		return -EXDEV;
	s->next = addr + PAGE_SIZE;
	if (pte_none(ptep_get(pte)))
		s->empty++;
	else
		s->full++;
	return s->empty + s->full == s->stop ? -ENOSPC : 0;
}

static int frames_count(pte_t *pte, unsigned long addr, void *data)
{
	struct frames_seen *s = data;

	s->first = s->first ?: addr;
	s->next = addr + PAGE_SIZE;
	s->full++;
	return 0;
}

/* A table's border lies within the range; the tables are made. */
static void frames_apply(struct kunit *test)
{
	const unsigned long start = ALIGN(UMM_BASE, PMD_SIZE) + 2 * PMD_SIZE -
				    3 * PAGE_SIZE;
	struct mm_struct *mm = current->mm;
	struct frames_seen s = { };
	unsigned long tables;

	umm_map_at(test, start, 6, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(start + PAGE_SIZE, 1), 0);
	tables = umm_table_bytes(mm);
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, apply_to_existing_page_range(mm, start,
							   6 * PAGE_SIZE,
							   frames_count, &s), 0);
	KUNIT_EXPECT_EQ(test, s.full, 1UL);
	KUNIT_EXPECT_EQ(test, s.first, start + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), tables);

	KUNIT_EXPECT_EQ(test, apply_to_page_range(mm, start, 6 * PAGE_SIZE,
						  NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), tables + PAGE_SIZE);
	s = (struct frames_seen){ };
	KUNIT_EXPECT_EQ(test, apply_to_page_range(mm, start, 6 * PAGE_SIZE,
						  frames_see, &s), 0);
	KUNIT_EXPECT_EQ(test, s.empty, 5UL);
	KUNIT_EXPECT_EQ(test, s.full, 1UL);
	KUNIT_EXPECT_EQ(test, s.first, start);
	KUNIT_EXPECT_EQ(test, s.next, start + 6 * PAGE_SIZE);
	/* An error ends it and is handed on. */
	s = (struct frames_seen){ .stop = 2 };
	KUNIT_EXPECT_EQ(test, apply_to_page_range(mm, start, 6 * PAGE_SIZE,
						  frames_see, &s), -ENOSPC);
	KUNIT_EXPECT_EQ(test, s.next, start + 2 * PAGE_SIZE);
	mmap_write_unlock(mm);
	KUNIT_EXPECT_EQ(test, umm_peek(test, start + PAGE_SIZE), 1UL);
}

/* The same on the kernel's own tables. */
static void frames_apply_kernel(struct kunit *test)
{
	struct frames_seen s = { };
	struct vm_struct *hole;
	void *used;

	used = vmalloc(3 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, used);
	KUNIT_EXPECT_EQ(test, apply_to_existing_page_range(&init_mm,
							   (unsigned long)used,
							   3 * PAGE_SIZE,
							   frames_see, &s), 0);
	KUNIT_EXPECT_EQ(test, s.full, 3UL);
	KUNIT_EXPECT_EQ(test, s.first, (unsigned long)used);
	vfree(used);

	hole = get_vm_area(2 * PAGE_SIZE, VM_IOREMAP);
	KUNIT_ASSERT_NOT_NULL(test, hole);
	s = (struct frames_seen){ };
	KUNIT_EXPECT_EQ(test, apply_to_page_range(&init_mm,
						  (unsigned long)hole->addr,
						  2 * PAGE_SIZE, frames_see,
						  &s), 0);
	KUNIT_EXPECT_EQ(test, s.empty, 2UL);
	KUNIT_EXPECT_EQ(test, s.full, 0UL);
	free_vm_area(hole);
}

static struct kunit_case frames_tests[] = {
	KUNIT_CASE(frames_iomem),
	KUNIT_CASE(frames_iomem_wraps),
	KUNIT_CASE(frames_in_fault),
	KUNIT_CASE(frames_with_pages),
	KUNIT_CASE(frames_need_mixed),
	KUNIT_CASE(frames_taken_out),
	KUNIT_CASE(frames_follow),
	KUNIT_CASE(frames_apply),
	KUNIT_CASE(frames_apply_kernel),
	{ }
};

static struct kunit_suite frames_suite = {
	.name = "pagoda_frames",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = frames_tests,
};

kunit_test_suite(frames_suite);
