// SPDX-License-Identifier: GPL-2.0
/*
 * Special mappings, such as the vdso: pages of the kernel's own at a place in
 * user memory.
 */
#include <linux/mm.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define READABLE	(VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC)

/* The mapping, the pages it may show, and what it was told. */
struct special {
	struct vm_special_mapping mapping;
	struct page *page[3];
	int faults, moves, closes;
	bool stay;
};

static struct special *special_of(const struct vm_special_mapping *sm)
{
	return container_of(sm, struct special, mapping);
}

static vm_fault_t special_fault(const struct vm_special_mapping *sm,
				struct vm_area_struct *vma,
				struct vm_fault *vmf)
{
	struct special *s = special_of(sm);

	s->faults++;
	/* Pages in reverse, so that this cannot be the array's order. */
	vmf->page = s->page[vmf->pgoff ? 0 : 1];
	get_page(vmf->page);
	return 0;
}

static int special_moved(const struct vm_special_mapping *sm,
			 struct vm_area_struct *vma)
{
	struct special *s = special_of(sm);

	if (s->stay)
		return -EINVAL;
	s->moves++;
	return 0;
}

static void special_closed(const struct vm_special_mapping *sm,
			   struct vm_area_struct *vma)
{
	special_of(sm)->closes++;
}

static void special_put_page(void *page)
{
	put_page(page);
}

static struct special *special_make(struct kunit *test)
{
	struct special *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < 2; i++) {
		s->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, s->page[i]);
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test,
								special_put_page,
								s->page[i]), 0);
		*(unsigned long *)page_address(s->page[i]) = 10 + i;
	}
	s->mapping.name = "[umm]";
	s->mapping.pages = s->page;
	return s;
}

static void special_install(struct kunit *test, struct special *s,
			    unsigned long pages)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = _install_special_mapping(mm, UMM_BASE, pages * PAGE_SIZE,
				       READABLE, &s->mapping);
	mmap_write_unlock(mm);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(vma));
}

static void special_shows_pages(struct kunit *test)
{
	struct special *s = special_make(test);
	struct umm *child;

	special_install(test, s, 3);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(1)), s->page[1]);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(2)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), -EFAULT);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	umm_drop(child);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, page_count(s->page[0]), 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), 3 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, page_count(s->page[0]), 1);
	KUNIT_EXPECT_EQ(test, current->mm->total_vm, 0UL);
}

static void special_is_recognised(struct kunit *test)
{
	struct vm_special_mapping other = { .name = "[other]" };
	struct special *s = special_make(test);
	struct vm_area_struct *vma;

	special_install(test, s, 2);
	umm_map_at(test, AT(8), 1, UMM_RW);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, AT(1));
	KUNIT_EXPECT_TRUE(test, vma_is_special_mapping(vma, &s->mapping));
	KUNIT_EXPECT_FALSE(test, vma_is_special_mapping(vma, &other));
	KUNIT_EXPECT_STREQ(test, vma->vm_ops->name(vma), "[umm]");
	/* It is never extended or merged. */
	KUNIT_EXPECT_TRUE(test, vma->vm_flags & VM_DONTEXPAND);
	vma = vma_lookup(current->mm, AT(8));
	KUNIT_EXPECT_FALSE(test, vma_is_special_mapping(vma, &s->mapping));
	mmap_read_unlock(current->mm);
}

static void special_own_fault(struct kunit *test)
{
	struct special *s = special_make(test);

	s->mapping.pages = NULL;
	s->mapping.fault = special_fault;
	special_install(test, s, 2);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 11UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 10UL);
	KUNIT_EXPECT_EQ(test, s->faults, 2);
}

static void special_is_one_piece(struct kunit *test)
{
	struct special *s = special_make(test);

	special_install(test, s, 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(1), PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(0), PAGE_SIZE,
				      PROT_NONE), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(0), 2 * PAGE_SIZE,
				      UMM_RW), (long)-EACCES);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
}

/* Its owner is told of a move, and may say no. */
static void special_moves(struct kunit *test)
{
	struct special *s = special_make(test);

	s->mapping.mremap = special_moved;
	special_install(test, s, 2);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, AT(0), 2 * PAGE_SIZE,
				      2 * PAGE_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, AT(20)),
			(long)AT(20));
	KUNIT_EXPECT_EQ(test, s->moves, 1);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(20)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(21)), 11UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	s->stay = true;
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, AT(20), 2 * PAGE_SIZE,
				      2 * PAGE_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, AT(40)),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(20)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(40)), -EFAULT);
	umm_check_areas(test, current->mm);
}

/* Its owner is told of its end, and a place that is taken is refused. */
static void special_comes_and_goes(struct kunit *test)
{
	struct special *s = special_make(test);
	struct mm_struct *mm = current->mm;

	s->mapping.close = special_closed;
	special_install(test, s, 2);
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR_OR_ZERO(_install_special_mapping(mm, AT(1),
								 PAGE_SIZE,
								 READABLE,
								 &s->mapping)),
			-ENOMEM);
	mmap_write_unlock(mm);
	KUNIT_EXPECT_EQ(test, mm->map_count, 1);
	KUNIT_EXPECT_EQ(test, mm->total_vm, 2UL);
	KUNIT_EXPECT_EQ(test, s->closes, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, s->closes, 1);
}

static struct kunit_case special_tests[] = {
	KUNIT_CASE(special_shows_pages),
	KUNIT_CASE(special_is_recognised),
	KUNIT_CASE(special_own_fault),
	KUNIT_CASE(special_is_one_piece),
	KUNIT_CASE(special_moves),
	KUNIT_CASE(special_comes_and_goes),
	{ }
};

static struct kunit_suite special_suite = {
	.name = "pagoda_special",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = special_tests,
};

kunit_test_suite(special_suite);
