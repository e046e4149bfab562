// SPDX-License-Identifier: GPL-2.0
/*
 * Reaching into user memory without an MMU, and kernel memory.
 */
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "scene.h"

static void reach_copies_from_and_to(struct kunit *test)
{
	struct umm *other = umm_new(test);
	struct mm_struct *mm = other->mm;
	unsigned long at, word = 0;

	umm_enter(other);
	at = umm_map(test, 2, UMM_RW);
	umm_poke(at + PAGE_SIZE, 11);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, at + PAGE_SIZE, &word,
					       sizeof(word), 0),
			(int)sizeof(word));
	KUNIT_EXPECT_EQ(test, word, 11UL);
	word = 12;
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, at, &word, sizeof(word),
					       FOLL_WRITE), (int)sizeof(word));
	KUNIT_EXPECT_EQ(test, *(unsigned long *)at, 12UL);
	/* It is not this process's. */
	KUNIT_EXPECT_EQ(test, access_remote_vm(current->mm, at, &word,
					       sizeof(word), 0), 0);
	umm_drop(other);
}

static void reach_ends_with_the_area(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, UMM_RW), end = at + PAGE_SIZE;
	struct mm_struct *mm = current->mm;
	char bytes[16];

	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, end - 4, bytes, 16, 0), 4);
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, end, bytes, 16, 0), 0);
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, at - 4, bytes, 16, 0), 0);
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, ULONG_MAX - 4, bytes, 16,
					       0), 0);
}

static void reach_gets_pages(struct kunit *test)
{
	unsigned long at = umm_map(test, 2, UMM_RW);
	struct page *page[3] = { };

	KUNIT_EXPECT_EQ(test, get_user_pages_fast(at + 8, 2, FOLL_WRITE, page),
			2);
	KUNIT_EXPECT_PTR_EQ(test, page[0], virt_to_page((void *)at));
	KUNIT_EXPECT_PTR_EQ(test, page[1],
			    virt_to_page((void *)(at + PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, page_ref_count(page[0]), 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 2 * PAGE_SIZE), 0);
	/* They outlive the mapping. */
	KUNIT_EXPECT_EQ(test, page_ref_count(page[0]), 1);
	put_page(page[0]);
	put_page(page[1]);
}

static void reach_gets_only_what_is_mapped(struct kunit *test)
{
	unsigned long at = umm_map(test, 2, PROT_READ);
	struct page *page[2] = { };

	KUNIT_EXPECT_EQ(test, get_user_pages_fast(at, 1, FOLL_WRITE, page),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(at, 1, 0, page), 1);
	put_page(page[0]);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(at, 2, 0, page), -EFAULT);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(at, 0, 0, page), 0);
}

static void reach_memory_is_always_there(struct kunit *test)
{
	unsigned long at = umm_map(test, 2, UMM_RW);
	char __user *user = (char __user *)at;

	KUNIT_EXPECT_EQ(test, fault_in_readable(user, 2 * PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, fault_in_writeable(user, 2 * PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, fault_in_writeable(user, 0), 0UL);
}

static void reach_kernel_memory(struct kunit *test)
{
	void *one = vmalloc(3 * PAGE_SIZE), *two = vzalloc(100), *user;

	KUNIT_ASSERT_NOT_NULL(test, one);
	KUNIT_ASSERT_NOT_NULL(test, two);
	KUNIT_EXPECT_TRUE(test, virt_addr_valid(one));
	KUNIT_EXPECT_NULL(test, memchr_inv(two, 0, 100));
	KUNIT_EXPECT_PTR_EQ(test, vmalloc_to_page(one), virt_to_page(one));
	KUNIT_EXPECT_EQ(test, vmalloc_to_pfn(one),
			page_to_pfn(virt_to_page(one)));
	memset(one, 0x5a, 3 * PAGE_SIZE);
	one = vrealloc(one, 6 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, one);
	KUNIT_EXPECT_NULL(test, memchr_inv(one, 0x5a, 3 * PAGE_SIZE));
	user = vmalloc_user(PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, user);
	KUNIT_EXPECT_NULL(test, memchr_inv(user, 0, PAGE_SIZE));
	vfree(user);
	vfree(two);
	vfree(one);
	vfree(NULL);
	vm_unmap_aliases();
}

static void reach_sizes(struct kunit *test)
{
	unsigned long at = umm_map(test, 3, UMM_RW);
	void *small = kmalloc(48, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_EXPECT_EQ(test, kobjsize(NULL), 0U);
	KUNIT_EXPECT_GE(test, kobjsize(small), 48U);
	KUNIT_EXPECT_EQ(test, kobjsize((void *)at), (unsigned int)
			(3 * PAGE_SIZE));
	kfree(small);
}

static void reach_no_pages_into_areas(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, UMM_RW), count = 1;
	struct page *page = virt_to_page((void *)at);
	struct vm_area_struct *area = scene_area(at);

	KUNIT_EXPECT_EQ(test, vm_insert_page(area, at, page), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_insert_pages(area, at, &page, &count),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, vm_map_pages(area, &page, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_map_pages_zero(area, &page, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, remap_vmalloc_range(area, (void *)at, 0),
			-EINVAL);
	/* A device's memory can only be where it is. */
	KUNIT_EXPECT_EQ(test, remap_pfn_range(area, at, (at >> PAGE_SHIFT) + 1,
					      PAGE_SIZE, area->vm_page_prot),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, remap_pfn_range(area, at, at >> PAGE_SHIFT,
					      PAGE_SIZE, area->vm_page_prot),
			0);
	KUNIT_EXPECT_TRUE(test, area->vm_flags & VM_PFNMAP);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(at, 1, 0, &page), -EFAULT);
}

static struct kunit_case reach_cases[] = {
	KUNIT_CASE(reach_copies_from_and_to),
	KUNIT_CASE(reach_ends_with_the_area),
	KUNIT_CASE(reach_gets_pages),
	KUNIT_CASE(reach_gets_only_what_is_mapped),
	KUNIT_CASE(reach_memory_is_always_there),
	KUNIT_CASE(reach_kernel_memory),
	KUNIT_CASE(reach_sizes),
	KUNIT_CASE(reach_no_pages_into_areas),
	{ }
};

static struct kunit_suite reach_suite = {
	.name = "nommu_reach",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = reach_cases,
};

kunit_test_suites(&reach_suite);

MODULE_DESCRIPTION("KUnit suite: reaching into memory without an MMU");
MODULE_LICENSE("GPL");
