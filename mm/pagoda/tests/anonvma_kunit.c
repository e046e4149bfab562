// SPDX-License-Identifier: GPL-2.0
/*
 * The life of anon_vmas: who gets which one at first use, split and fork, when
 * one is used again, and that nothing is left when the last area goes. Areas
 * here belong to an address space but are not in its tree, so each step can be
 * taken alone. The names of areas read as a family: a's child is b, and so on.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>

#include <pagoda/umm.h>

#define AT	0x20000000UL	/* first address of a test area */
#define PAGES	8

static void area_drop(void *area)
{
	unlink_anon_vmas(area);
	vm_area_free(area);
}

static struct vm_area_struct *area_keep(struct kunit *test,
					struct vm_area_struct *area)
{
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, area_drop, area),
			0);
	return area;
}

/* An area without an anon_vma. */
static struct vm_area_struct *area_new(struct kunit *test)
{
	struct vm_area_struct *area;

	area = area_keep(test, vm_area_alloc(current->mm));
	vma_set_anonymous(area);
	vm_flags_init(area, VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE);
	area->vm_start = AT;
	area->vm_end = AT + PAGES * PAGE_SIZE;
	area->vm_pgoff = AT >> PAGE_SHIFT;
	return area;
}

static struct vm_area_struct *area_copy(struct kunit *test,
					struct vm_area_struct *from)
{
	struct vm_area_struct *area;

	mmap_write_lock(from->vm_mm);
	area = vm_area_dup(from);
	mmap_write_unlock(from->vm_mm);
	return area_keep(test, area);
}

static void area_prepare(struct kunit *test, struct vm_area_struct *area)
{
	mmap_write_lock(area->vm_mm);
	KUNIT_EXPECT_EQ(test, anon_vma_prepare(area), 0);
	mmap_write_unlock(area->vm_mm);
}

/* The first of a family: an area with an anon_vma of its own. */
static struct vm_area_struct *area_first(struct kunit *test)
{
	struct vm_area_struct *area = area_new(test);

	area_prepare(test, area);
	KUNIT_ASSERT_NOT_NULL(test, area->anon_vma);
	return area;
}

static struct vm_area_struct *area_child(struct kunit *test,
					 struct vm_area_struct *parent)
{
	struct vm_area_struct *area = area_copy(test, parent);

	mmap_write_lock(area->vm_mm);
	KUNIT_EXPECT_EQ(test, anon_vma_fork(area, parent), 0);
	mmap_write_unlock(area->vm_mm);
	return area;
}

/* The other half, as a split makes it. */
static struct vm_area_struct *area_half(struct kunit *test,
					struct vm_area_struct *whole)
{
	struct vm_area_struct *area = area_copy(test, whole);

	mmap_write_lock(area->vm_mm);
	KUNIT_EXPECT_EQ(test, anon_vma_clone(area, whole), 0);
	mmap_write_unlock(area->vm_mm);
	return area;
}

static void area_exit(struct vm_area_struct *area)
{
	mmap_write_lock(area->vm_mm);
	unlink_anon_vmas(area);
	mmap_write_unlock(area->vm_mm);
}

static unsigned int links(struct vm_area_struct *area)
{
	return list_count_nodes(&area->anon_vma_chain);
}

/* How many areas a search from @anon visits for some pages of them. */
static unsigned int found(struct anon_vma *anon, unsigned long first,
			  unsigned long last)
{
	const unsigned long base = AT >> PAGE_SHIFT;
	struct anon_vma_chain *link;
	unsigned int nr = 0;

	anon_vma_lock_read(anon);
	anon_vma_interval_tree_foreach(link, &anon->rb_root, base + first,
				       base + last)
		nr++;
	anon_vma_unlock_read(anon);
	return nr;
}

/* Only our reference is left, and nothing is linked. Gives it back. */
static void expect_empty(struct kunit *test, struct anon_vma *anon)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&anon->refcount), 1);
	KUNIT_EXPECT_EQ(test, anon->num_active_vmas, 0UL);
	KUNIT_EXPECT_EQ(test, anon->num_children, 0UL);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&anon->rb_root.rb_root));
	put_anon_vma(anon);
}

static void anonvma_first_is_root(struct kunit *test)
{
	struct vm_area_struct *a = area_new(test);
	struct anon_vma *anon;

	KUNIT_EXPECT_NULL(test, a->anon_vma);
	area_prepare(test, a);
	anon = a->anon_vma;
	KUNIT_ASSERT_NOT_NULL(test, anon);
	KUNIT_EXPECT_PTR_EQ(test, anon->root, anon);
	KUNIT_EXPECT_PTR_EQ(test, anon->parent, anon);
	KUNIT_EXPECT_EQ(test, anon->num_children, 1UL);
	KUNIT_EXPECT_EQ(test, anon->num_active_vmas, 1UL);
	KUNIT_EXPECT_EQ(test, atomic_read(&anon->refcount), 1);
	KUNIT_EXPECT_EQ(test, links(a), 1U);

	area_prepare(test, a);
	KUNIT_EXPECT_PTR_EQ(test, a->anon_vma, anon);
	KUNIT_EXPECT_EQ(test, links(a), 1U);

	get_anon_vma(anon);
	area_exit(a);
	KUNIT_EXPECT_NULL(test, a->anon_vma);
	KUNIT_EXPECT_EQ(test, links(a), 0U);
	expect_empty(test, anon);
}

/* An area can be used on after it was unlinked (mremap does that). */
static void anonvma_again_after_unlink(struct kunit *test)
{
	struct vm_area_struct *a = area_first(test);

	area_exit(a);
	area_exit(a);
	area_prepare(test, a);
	KUNIT_ASSERT_NOT_NULL(test, a->anon_vma);
	KUNIT_EXPECT_EQ(test, a->anon_vma->num_active_vmas, 1UL);
	KUNIT_EXPECT_EQ(test, found(a->anon_vma, 0, PAGES - 1), 1U);
}

static void anonvma_split_shares(struct kunit *test)
{
	struct vm_area_struct *a = area_first(test);
	struct vm_area_struct *half = area_half(test, a);
	struct anon_vma *anon = a->anon_vma;

	KUNIT_EXPECT_PTR_EQ(test, half->anon_vma, anon);
	KUNIT_EXPECT_EQ(test, links(half), 1U);
	KUNIT_EXPECT_EQ(test, anon->num_active_vmas, 2UL);
	KUNIT_EXPECT_EQ(test, anon->num_children, 1UL);
	KUNIT_EXPECT_EQ(test, found(anon, 0, PAGES - 1), 2U);

	get_anon_vma(anon);
	area_exit(a);
	KUNIT_EXPECT_EQ(test, anon->num_active_vmas, 1UL);
	KUNIT_EXPECT_EQ(test, found(anon, 0, PAGES - 1), 1U);
	area_exit(half);
	expect_empty(test, anon);
}

static void anonvma_split_of_nothing(struct kunit *test)
{
	struct vm_area_struct *a = area_new(test);
	struct vm_area_struct *half = area_half(test, a);
	struct vm_area_struct *child = area_child(test, a);

	KUNIT_EXPECT_NULL(test, half->anon_vma);
	KUNIT_EXPECT_NULL(test, child->anon_vma);
	KUNIT_EXPECT_EQ(test, links(half) + links(child), 0U);
}

static void anonvma_fork_has_own(struct kunit *test)
{
	struct vm_area_struct *a = area_first(test);
	struct vm_area_struct *b = area_child(test, a);
	struct anon_vma_chain *link;

	KUNIT_EXPECT_PTR_NE(test, a->anon_vma, b->anon_vma);
	KUNIT_EXPECT_PTR_EQ(test, b->anon_vma->root, a->anon_vma);
	KUNIT_EXPECT_PTR_EQ(test, b->anon_vma->parent, a->anon_vma);
	KUNIT_EXPECT_EQ(test, a->anon_vma->num_children, 2UL);
	KUNIT_EXPECT_EQ(test, b->anon_vma->num_children, 0UL);
	KUNIT_EXPECT_EQ(test, a->anon_vma->num_active_vmas, 1UL);
	KUNIT_EXPECT_EQ(test, b->anon_vma->num_active_vmas, 1UL);
	/* The child keeps the root, where the lock is. */
	KUNIT_EXPECT_EQ(test, atomic_read(&a->anon_vma->refcount), 2);

	/* The parent's pages may be in both, the child's only in the child. */
	KUNIT_EXPECT_EQ(test, found(a->anon_vma, 0, PAGES - 1), 2U);
	KUNIT_EXPECT_EQ(test, found(b->anon_vma, 0, PAGES - 1), 1U);

	/* From the youngest to the oldest. */
	KUNIT_EXPECT_EQ(test, links(b), 2U);
	link = list_first_entry(&b->anon_vma_chain, struct anon_vma_chain,
				same_vma);
	KUNIT_EXPECT_PTR_EQ(test, link->anon_vma, b->anon_vma);
	link = list_last_entry(&b->anon_vma_chain, struct anon_vma_chain,
			       same_vma);
	KUNIT_EXPECT_PTR_EQ(test, link->anon_vma, a->anon_vma);
}

/* The root goes last, whoever exits first. */
static void anonvma_parent_exits_first(struct kunit *test)
{
	struct vm_area_struct *a = area_first(test);
	struct vm_area_struct *b = area_child(test, a);
	struct anon_vma *root = a->anon_vma, *anon = b->anon_vma;

	get_anon_vma(root);
	get_anon_vma(anon);
	area_exit(a);
	KUNIT_EXPECT_EQ(test, root->num_active_vmas, 0UL);
	KUNIT_EXPECT_EQ(test, root->num_children, 2UL);
	KUNIT_EXPECT_EQ(test, found(root, 0, PAGES - 1), 1U);
	area_exit(b);
	expect_empty(test, anon);
	expect_empty(test, root);
}

/* Each child forks and its parent exits: the tree must not grow for ever. */
static void anonvma_endless_forking(struct kunit *test)
{
	struct vm_area_struct *area = area_first(test);
	struct anon_vma *root = area->anon_vma;
	unsigned int i, most = 0;

	get_anon_vma(root);
	for (i = 0; i < 200; i++) {
		struct vm_area_struct *child = area_child(test, area);

		area_exit(area);
		most = max(most, links(child));
		area = child;
	}
	KUNIT_EXPECT_LE(test, most, 4U);
	KUNIT_EXPECT_PTR_EQ(test, area->anon_vma->root, root);
	area_exit(area);
	expect_empty(test, root);
}

/* While all parents live there is nothing to use again. */
static void anonvma_no_reuse_in_use(struct kunit *test)
{
	struct vm_area_struct *area = area_first(test);
	unsigned int i;

	for (i = 2; i < 12; i++) {
		struct vm_area_struct *child = area_child(test, area);

		KUNIT_EXPECT_PTR_NE(test, child->anon_vma, area->anon_vma);
		KUNIT_EXPECT_EQ(test, links(child), i);
		area = child;
	}
}

/* One that nobody uses is taken over, but only with less than two children. */
static void anonvma_reuse_with_one_child(struct kunit *test)
{
	struct vm_area_struct *a = area_first(test);
	struct vm_area_struct *b = area_child(test, a);
	struct vm_area_struct *c = area_child(test, b);
	struct vm_area_struct *d = area_child(test, b);
	struct vm_area_struct *e, *f;
	struct anon_vma *old = b->anon_vma;

	KUNIT_EXPECT_EQ(test, old->num_children, 2UL);
	area_exit(b);
	KUNIT_EXPECT_EQ(test, old->num_active_vmas, 0UL);
	e = area_child(test, c);
	KUNIT_EXPECT_PTR_NE(test, e->anon_vma, old);
	KUNIT_EXPECT_PTR_EQ(test, e->anon_vma->parent, c->anon_vma);
	KUNIT_EXPECT_EQ(test, links(e), 4U);

	area_exit(d);
	KUNIT_EXPECT_EQ(test, old->num_children, 1UL);
	f = area_child(test, c);
	KUNIT_EXPECT_PTR_EQ(test, f->anon_vma, old);
	KUNIT_EXPECT_EQ(test, old->num_active_vmas, 1UL);
	KUNIT_EXPECT_EQ(test, links(f), 3U);

	/* A split of the new user is no fork: it stays with it. */
	e = area_half(test, f);
	KUNIT_EXPECT_PTR_EQ(test, e->anon_vma, old);
	KUNIT_EXPECT_EQ(test, old->num_active_vmas, 2UL);
}

/* The root, though nobody uses it, is nobody's for the taking. */
static void anonvma_root_is_not_reused(struct kunit *test)
{
	struct vm_area_struct *a = area_first(test);
	struct vm_area_struct *b = area_child(test, a);
	struct anon_vma *root = a->anon_vma;
	struct vm_area_struct *c;

	area_exit(a);
	c = area_child(test, b);
	KUNIT_EXPECT_PTR_NE(test, c->anon_vma, root);
	KUNIT_EXPECT_EQ(test, links(c), 3U);
}

/* Whole families, torn down in different orders, leave nothing. */
static void anonvma_families_end(struct kunit *test)
{
	/* An area's parent; the first has none. */
	static const int parent[] = { -1, 0, 0, 1, 1, 2, 3, 3, 6, 6, 8 };
	enum { NR = ARRAY_SIZE(parent) };
	static const int step[] = { 1, 2, 3, 5, 7, 10 };
	struct vm_area_struct *area[NR];
	struct anon_vma *anon[NR];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(step); i++) {
		area[0] = area_first(test);
		for (j = 1; j < NR; j++)
			area[j] = area_child(test, area[parent[j]]);
		for (j = 0; j < NR; j++) {
			anon[j] = area[j]->anon_vma;
			KUNIT_EXPECT_PTR_EQ(test, anon[j]->root, anon[0]);
			get_anon_vma(anon[j]);
		}
		/* NR is prime: each step visits all. */
		for (j = 0; j < NR; j++)
			area_exit(area[j * step[i] % NR]);
		for (j = NR - 1; j >= 0; j--)
			expect_empty(test, anon[j]);
	}
}

/* A search finds the areas that cover the pages asked for, and no other. */
static void anonvma_search_by_page(struct kunit *test)
{
	/* First page and number of pages of each area. */
	static const unsigned int spans[][2] = {
		{ 0, 8 }, { 2, 1 }, { 2, 3 }, { 4, 4 }, { 7, 1 }, { 9, 20 },
		{ 1, 30 }, { 28, 2 }, { 12, 1 }, { 40, 5 }, { 2, 3 },
	};
	struct vm_area_struct *a = area_first(test);
	unsigned int i, first, last, nr;

	for (i = 0; i < ARRAY_SIZE(spans); i++) {
		struct vm_area_struct *area = area_copy(test, a);

		area->vm_start = AT + spans[i][0] * PAGE_SIZE;
		area->vm_end = area->vm_start + spans[i][1] * PAGE_SIZE;
		area->vm_pgoff = area->vm_start >> PAGE_SHIFT;
		mmap_write_lock(area->vm_mm);
		KUNIT_EXPECT_EQ(test, anon_vma_clone(area, a), 0);
		mmap_write_unlock(area->vm_mm);
	}
	for (first = 0; first < 48; first++) {
		for (last = first; last < 48; last++) {
			nr = first < PAGES;	/* a itself */
			for (i = 0; i < ARRAY_SIZE(spans); i++)
				nr += spans[i][0] <= last &&
				      spans[i][0] + spans[i][1] > first;
			KUNIT_EXPECT_EQ(test, found(a->anon_vma, first, last),
					nr);
		}
	}
}

/* From a page to its anon_vma: only while it is mapped. */
static void anonvma_of_folio(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, UMM_RW);
	struct vm_area_struct *vma;
	struct anon_vma *anon;
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	folio = page_folio(umm_page(test, at));
	folio_get(folio);

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, at);
	anon = folio_get_anon_vma(folio);
	KUNIT_EXPECT_NOT_NULL(test, anon);
	KUNIT_EXPECT_PTR_EQ(test, anon, vma->anon_vma);
	if (anon)
		put_anon_vma(anon);
	anon = folio_lock_anon_vma_read(folio, NULL);
	KUNIT_EXPECT_PTR_EQ(test, anon, vma->anon_vma);
	if (anon)
		anon_vma_unlock_read(anon);
	KUNIT_EXPECT_EQ(test, atomic_read(&vma->anon_vma->refcount), 1);
	mmap_read_unlock(current->mm);

	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, folio_test_anon(folio));
	KUNIT_EXPECT_NULL(test, folio_get_anon_vma(folio));
	KUNIT_EXPECT_NULL(test, folio_lock_anon_vma_read(folio, NULL));
	folio_put(folio);
}

static void anonvma_file_has_none(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 1);
	unsigned long at = umm_map_file(test, file, 0, 1, UMM_RW, MAP_SHARED);
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	folio = page_folio(umm_page(test, at));
	KUNIT_EXPECT_NULL(test, folio_get_anon_vma(folio));
	KUNIT_EXPECT_NULL(test, folio_lock_anon_vma_read(folio, NULL));
}

/* A walk that may not wait says so instead. */
static void anonvma_try_lock(struct kunit *test)
{
	struct rmap_walk_control rwc = { .try_lock = true };
	unsigned long at = umm_map(test, 1, UMM_RW);
	struct anon_vma *anon;
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, umm_poke(at, 1), 0);
	folio = page_folio(umm_page(test, at));
	mmap_read_lock(current->mm);
	anon = vma_lookup(current->mm, at)->anon_vma;
	anon_vma_lock_write(anon);
	KUNIT_EXPECT_NULL(test, folio_lock_anon_vma_read(folio, &rwc));
	KUNIT_EXPECT_TRUE(test, rwc.contended);
	anon_vma_unlock_write(anon);

	rwc.contended = false;
	anon = folio_lock_anon_vma_read(folio, &rwc);
	KUNIT_EXPECT_NOT_NULL(test, anon);
	KUNIT_EXPECT_FALSE(test, rwc.contended);
	if (anon)
		anon_vma_unlock_read(anon);
	mmap_read_unlock(current->mm);
}

static struct kunit_case anonvma_tests[] = {
	KUNIT_CASE(anonvma_first_is_root),
	KUNIT_CASE(anonvma_again_after_unlink),
	KUNIT_CASE(anonvma_split_shares),
	KUNIT_CASE(anonvma_split_of_nothing),
	KUNIT_CASE(anonvma_fork_has_own),
	KUNIT_CASE(anonvma_parent_exits_first),
	KUNIT_CASE(anonvma_endless_forking),
	KUNIT_CASE(anonvma_no_reuse_in_use),
	KUNIT_CASE(anonvma_reuse_with_one_child),
	KUNIT_CASE(anonvma_root_is_not_reused),
	KUNIT_CASE(anonvma_families_end),
	KUNIT_CASE(anonvma_search_by_page),
	KUNIT_CASE(anonvma_of_folio),
	KUNIT_CASE(anonvma_file_has_none),
	KUNIT_CASE(anonvma_try_lock),
	{ }
};

static struct kunit_suite anonvma_suite = {
	.name = "pagoda_anonvma",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = anonvma_tests,
};

kunit_test_suite(anonvma_suite);
