// SPDX-License-Identifier: GPL-2.0
/*
 * Sharing of page tables: which are shared at fork, what ends it and for
 * whom, and that every sharer's counters are as if it had tables of its own.
 */
#include <kunit/static_stub.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <asm/unistd.h>

#include <pagoda/umm.h>

#include "../tree.h"
#include "../../internal.h"

#define SPAN	BIT(pt_shift(2))
#define PER	(SPAN >> PAGE_SHIFT)
#define AT	ALIGN(UMM_BASE, SPAN)
/* In another table of level 2 than AT. */
#define FAR	((unsigned long)max(8ULL * SZ_1G, 1ULL << pt_shift(3)))

static int share_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_SPLIT_PTE_PTLOCKS))
		kunit_skip(test, "tables have no locks of their own");
	return umm_init(test);
}

/*
 * Write @first, @first + 1, ... to pages from an address on: downwards, so that
 * none comes that is not asked for.
 */
static void share_fill(struct kunit *test, unsigned long at,
		       unsigned long pages, unsigned long first)
{
	unsigned long i;

	for (i = pages; i--;)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * PAGE_SIZE, first + i),
				0);
	lru_add_drain_all();
}

/* Map a page of a file, which keeps tables from being shared. */
static void share_file(struct kunit *test, unsigned long at)
{
	KUNIT_ASSERT_EQ(test, vm_mmap(umm_ramfs(test, 4), at, PAGE_SIZE,
				      UMM_RW, MAP_PRIVATE | MAP_FIXED, 0), at);
}

/*
 * An area of @spans full tables. A page of a file nearby sees to it that the
 * tables above them cannot be shared.
 */
static unsigned long share_area(struct kunit *test, unsigned long spans)
{
	unsigned long at = umm_map_at(test, AT, spans * PER, UMM_RW);

	share_file(test, at + 32 * SPAN);
	share_fill(test, at, spans * PER, 1);
	return at;
}

static struct umm *share_fork(struct kunit *test)
{
	struct umm *child = umm_fork(test);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	return child;
}

/* The last-level table for an address; NULL if there is none. */
static struct ptdesc *share_table(struct umm *u, unsigned long addr)
{
	struct ptdesc *table = NULL;
	struct pt_cursor c;

	rcu_read_lock();
	pt_open(&c, u->mm, addr & PAGE_MASK, (addr & PAGE_MASK) + PAGE_SIZE);
	if (pt_peek_next(&c))
		table = c.table;
	pt_peek_end(&c);
	rcu_read_unlock();
	return table;
}

static int share_refs(struct umm *u, unsigned long addr)
{
	return atomic_read(pt_table_refs(share_table(u, addr)));
}

static long share_copied(void)
{
	return atomic_long_read(&pt_share_stats.copied);
}

static void full_tables_are_shared(struct kunit *test)
{
	unsigned long at = share_area(test, 2), i;
	struct umm *parent = umm_self(test), *child = share_fork(test);

	for (i = 0; i < 2; i++) {
		unsigned long addr = at + i * SPAN;

		KUNIT_EXPECT_PTR_EQ(test, share_table(parent, addr),
				    share_table(child, addr));
		KUNIT_EXPECT_EQ(test, share_refs(parent, addr), 2);
		KUNIT_EXPECT_FALSE(test, umm_entry(parent->mm, addr).write);
		KUNIT_EXPECT_FALSE(test, umm_entry(child->mm, addr).write);
	}
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES),
			umm_rss(parent->mm, MM_ANONPAGES));
	KUNIT_EXPECT_EQ(test, umm_table_bytes(child->mm),
			umm_table_bytes(parent->mm));
}

static void few_pages_are_copied(struct kunit *test)
{
	unsigned long at = umm_map_at(test, AT, PER, UMM_RW);
	struct umm *parent = umm_self(test), *child;

	share_fill(test, at, pt_share_min - 1, 1);
	child = share_fork(test);
	KUNIT_EXPECT_PTR_NE(test, share_table(parent, at),
			    share_table(child, at));
	share_fill(test, at, pt_share_min, 1);
	child = share_fork(test);
	KUNIT_EXPECT_PTR_EQ(test, share_table(parent, at),
			    share_table(child, at));
}

static void switched_off_all_are_copied(struct kunit *test)
{
	unsigned long at = share_area(test, 1);
	struct umm *parent = umm_self(test), *child;

	pt_share_on = false;
	child = share_fork(test);
	pt_share_on = true;
	KUNIT_EXPECT_PTR_NE(test, share_table(parent, at),
			    share_table(child, at));
	KUNIT_EXPECT_EQ(test, umm_entry(parent->mm, at).pfn,
			umm_entry(child->mm, at).pfn);
}

static void write_unshares_one_table(struct kunit *test)
{
	unsigned long at = share_area(test, 2), i;
	struct umm *parent = umm_self(test), *child = share_fork(test);
	struct ptdesc *table = share_table(parent, at);
	long rss = umm_rss(child->mm, MM_ANONPAGES);

	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 5 * PAGE_SIZE, 77), 0);
	KUNIT_EXPECT_PTR_EQ(test, share_table(parent, at), table);
	KUNIT_EXPECT_PTR_NE(test, share_table(child, at), table);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	KUNIT_EXPECT_EQ(test, share_refs(child, at), 1);
	KUNIT_EXPECT_EQ(test, share_refs(child, at + SPAN), 2);
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES), rss);
	for (i = 0; i < PER; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i == 5 ? 77 : i + 1);

	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 5 * PAGE_SIZE), 6UL);
	/* Its table is its own again, but the pages are the child's, too. */
	KUNIT_EXPECT_EQ(test, umm_poke(at + 6 * PAGE_SIZE, 88), 0);
	KUNIT_EXPECT_PTR_EQ(test, share_table(parent, at), table);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 6 * PAGE_SIZE), 7UL);
}

static void last_sharer_takes_back(struct kunit *test)
{
	unsigned long at = share_area(test, 1);
	struct umm *parent = umm_self(test), *child = share_fork(test);
	struct ptdesc *table = share_table(parent, at);
	unsigned long pfn = umm_entry(parent->mm, at).pfn;
	long copied = share_copied();

	umm_drop(child);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 77), 0);
	KUNIT_EXPECT_PTR_EQ(test, share_table(parent, at), table);
	KUNIT_EXPECT_EQ(test, umm_entry(parent->mm, at).pfn, pfn);
	KUNIT_EXPECT_EQ(test, share_copied(), copied);
	/* Where entries for tables cannot forbid writes, those for pages do. */
	KUNIT_EXPECT_EQ(test, umm_entry(parent->mm, at + PAGE_SIZE).write,
			pt_entry_protects(2));
}

static void parent_may_go_first(struct kunit *test)
{
	unsigned long at = share_area(test, 2), i;
	struct umm *parent = umm_self(test), *child = share_fork(test);
	struct umm *grandchild;

	umm_enter(child);
	umm_drop(parent);
	grandchild = share_fork(test);
	KUNIT_EXPECT_EQ(test, share_refs(child, at), 2);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 55), 0);
	umm_enter(grandchild);
	umm_drop(child);
	for (i = 0; i < 2 * PER; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i + 1);
	share_fill(test, at, 2 * PER, 1000);
	KUNIT_EXPECT_EQ(test, umm_rss(grandchild->mm, MM_ANONPAGES),
			(long)(2 * PER));
}

static void removal_lets_go_of_whole_tables(struct kunit *test)
{
	unsigned long at = share_area(test, 3);
	struct umm *parent = umm_self(test), *child = share_fork(test);
	long copied = share_copied();

	umm_enter(child);
	/* The middle one and the last page of the first. */
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, at + SPAN - PAGE_SIZE,
				      SPAN + PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, share_copied(), copied + 1);
	KUNIT_EXPECT_NULL(test, share_table(child, at + SPAN));
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at + SPAN), 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at + 2 * SPAN), 2);
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES),
			(long)(2 * PER - 1));
	KUNIT_EXPECT_NE(test, umm_touch(at + SPAN), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN), PER + 1);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN - PAGE_SIZE), PER);
}

static void dontneed_lets_go_of_whole_tables(struct kunit *test)
{
	unsigned long at = share_area(test, 2);
	struct umm *parent = umm_self(test), *child = share_fork(test);
	long copied = share_copied();

	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at, SPAN, MADV_DONTNEED),
			0L);
	KUNIT_EXPECT_EQ(test, share_copied(), copied);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at + SPAN, 3 * PAGE_SIZE,
				      MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN + 3 * PAGE_SIZE),
			PER + 4);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN), PER + 1);
}

static void protection_is_each_ones_own(struct kunit *test)
{
	unsigned long at = share_area(test, 1);
	struct umm *parent = umm_self(test), *child = share_fork(test);

	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at, SPAN, PROT_NONE), 0L);
	KUNIT_EXPECT_NE(test, umm_touch(at), 0);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 2), 0);
}

static void lock_unshares(struct kunit *test)
{
	unsigned long at = share_area(test, 1);
	struct umm *parent = umm_self(test), *child = share_fork(test);

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, at, PAGE_SIZE), 0L);
	KUNIT_EXPECT_PTR_NE(test, share_table(parent, at),
			    share_table(child, at));
	/* Locked memory is not shared. */
	child = share_fork(test);
	KUNIT_EXPECT_PTR_NE(test, share_table(parent, at),
			    share_table(child, at));
}

static void hole_is_filled_for_one(struct kunit *test)
{
	unsigned long at = umm_map_at(test, AT, PER, UMM_RW);
	struct umm *parent = umm_self(test), *child;

	share_fill(test, at, PER / 2, 1);
	child = share_fork(test);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN - PAGE_SIZE), 0UL);
	KUNIT_EXPECT_FALSE(test, umm_entry(parent->mm,
					   at + SPAN - PAGE_SIZE).present);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
}

static void neighbours_decide_too(struct kunit *test)
{
	unsigned long at = umm_map_at(test, AT, PER - 1, UMM_RW);
	struct umm *parent = umm_self(test), *child;

	share_fill(test, at, PER - 1, 1);
	share_file(test, at + SPAN - PAGE_SIZE);
	child = share_fork(test);
	KUNIT_EXPECT_PTR_NE(test, share_table(parent, at),
			    share_table(child, at));
}

static void advice_against_inheriting(struct kunit *test)
{
	unsigned long at = share_area(test, 3);
	struct umm *parent = umm_self(test), *child;

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at, PAGE_SIZE,
				      MADV_DONTFORK), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, at + SPAN, PAGE_SIZE,
				      MADV_WIPEONFORK), 0L);
	child = share_fork(test);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at + SPAN), 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at + 2 * SPAN), 2);
	umm_enter(child);
	KUNIT_EXPECT_NE(test, umm_touch(at), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + PAGE_SIZE), 2UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + SPAN), 0UL);
}

static void pinned_memory_is_copied(struct kunit *test)
{
	unsigned long at = share_area(test, 1);
	struct umm *parent = umm_self(test), *child;
	struct page *page;

	KUNIT_ASSERT_EQ(test, pin_user_pages_fast(at, 1, FOLL_WRITE, &page), 1);
	child = share_fork(test);
	KUNIT_EXPECT_PTR_NE(test, share_table(parent, at),
			    share_table(child, at));
	KUNIT_EXPECT_EQ(test, umm_entry(parent->mm, at).pfn,
			page_to_pfn(page));
	unpin_user_page(page);
}

static void references_end_sharing(struct kunit *test)
{
	unsigned long at = share_area(test, 1);
	struct umm *parent = umm_self(test), *child = share_fork(test);
	struct page *page;

	/* Else the parent would write to it once the child is gone. */
	umm_enter(child);
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(at, 1, 0, &page), 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	umm_enter(parent);
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 77), 0);
	KUNIT_EXPECT_NE(test, umm_entry(parent->mm, at).pfn,
			page_to_pfn(page));
	put_page(page);
}

/* Another process may hold a page since before the fork, in a pipe for one. */
static void share_write_held(struct kunit *test, unsigned long at)
{
	struct umm *child;
	struct page *page;

	KUNIT_ASSERT_EQ(test, get_user_pages_fast(at, 1, 0, &page), 1);
	child = share_fork(test);
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 77), 0);
	KUNIT_EXPECT_NE(test, umm_entry(umm_self(test)->mm, at).pfn,
			page_to_pfn(page));
	put_page(page);
}

static void references_outlast_sharing(struct kunit *test)
{
	unsigned long at = share_area(test, 1), pfn;
	struct umm *parent = umm_self(test);

	pfn = umm_entry(parent->mm, at + PAGE_SIZE).pfn;
	share_write_held(test, at);
	/* Of the page beside it there is no other reference. */
	KUNIT_EXPECT_EQ(test, umm_poke(at + PAGE_SIZE, 78), 0);
	KUNIT_EXPECT_EQ(test, umm_entry(parent->mm, at + PAGE_SIZE).pfn, pfn);
}

static unsigned long share_anything(void *arg, unsigned long start,
				    unsigned long end)
{
	return end;
}

/* What was shared for one area is there for the next, whatever has changed. */
static void change_of_mind_between_areas(struct kunit *test)
{
	unsigned long at = share_area(test, 1), half = at + SPAN / 2;
	struct pt_sharing yes = { .may = share_anything, .top = 2 };
	struct umm *parent = umm_self(test), *other = umm_new(test);
	struct pt_sharing no = { .none = true };
	struct pt_edit src, dst;

	umm_enter(other);
	umm_map_at(test, at, PER, UMM_RW);
	umm_enter(parent);

	mmap_write_lock(parent->mm);
	mmap_write_lock_nested(other->mm, SINGLE_DEPTH_NESTING);
	vma_start_write(find_vma(parent->mm, at));
	pt_open(&src.c, parent->mm, at, half);
	pt_open(&dst.c, other->mm, at, half);
	KUNIT_EXPECT_EQ(test, pt_pair_share(&src, &dst, &yes), 0);
	KUNIT_EXPECT_EQ(test, src.c.addr, half);
	pt_open(&src.c, parent->mm, half, at + SPAN);
	pt_open(&dst.c, other->mm, half, at + SPAN);
	KUNIT_EXPECT_EQ(test, pt_pair_share(&src, &dst, &no), 0);
	KUNIT_EXPECT_EQ(test, src.c.addr, at + SPAN);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 2);
	pt_open(&src.c, parent->mm, at, at + SPAN);
	pt_open(&dst.c, other->mm, at + SPAN, at + 2 * SPAN);
	KUNIT_EXPECT_EQ(test, pt_pair_share(&src, &dst, &no), 0);
	KUNIT_EXPECT_EQ(test, src.c.addr, at);
	mmap_write_unlock(other->mm);
	mmap_write_unlock(parent->mm);
	flush_tlb_mm(parent->mm);
}

/*
 * A fork that failed at the second of two areas of one table leaves a mark in
 * the child's tree. The parent then takes leave of the table.
 */
static void child_of_a_failed_fork(struct kunit *test)
{
	unsigned long at = share_area(test, 1), half = at + SPAN / 2;
	struct umm *child;
	struct vm_area_struct *vma;

	KUNIT_ASSERT_EQ(test, umm_sys(__NR_mprotect, half, SPAN / 2,
				      PROT_READ), 0L);
	/*
	 * The mark is to be in the place of the last area; another file's page
	 * sees to it that the tables above still cannot be shared.
	 */
	share_file(test, at - PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, umm_sys(__NR_munmap, at + SPAN, 64 * SPAN), 0L);
	child = share_fork(test);
	KUNIT_ASSERT_EQ(test, share_refs(child, at), 2);

	mmap_write_lock(child->mm);
	{
		VMA_ITERATOR(vmi, child->mm, half);

		vma = vma_next(&vmi);
		unlink_anon_vmas(vma);
		mas_set_range(&vmi.mas, vma->vm_start, vma->vm_end - 1);
		KUNIT_EXPECT_EQ(test, mas_store_gfp(&vmi.mas, XA_ZERO_ENTRY,
						    GFP_KERNEL), 0);
		if (vma->vm_flags & VM_ACCOUNT)
			vm_unacct_memory(vma_pages(vma));
		vm_area_free(vma);
		child->mm->map_count--;
	}
	mmap_write_unlock(child->mm);

	KUNIT_EXPECT_EQ(test, umm_poke(at, 77), 0);
	KUNIT_EXPECT_EQ(test, share_refs(child, at), 1);
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, folio_mapcount(page_folio(umm_page(test, half))),
			1);
}

static void moved_whole_it_stays_shared(struct kunit *test)
{
	unsigned long at = share_area(test, 1), to = at + 64 * SPAN;
	struct umm *parent = umm_self(test), *child = share_fork(test);
	struct ptdesc *table = share_table(parent, at);

	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, at, SPAN, SPAN,
				      MREMAP_MAYMOVE | MREMAP_FIXED, to),
			(long)to);
	KUNIT_EXPECT_PTR_EQ(test, share_table(child, to), table);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to + PAGE_SIZE), 2UL);
	KUNIT_EXPECT_EQ(test, umm_poke(to, 77), 0);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 78), 0);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, to), 77UL);
}

static void reverse_walks_pass_over(struct kunit *test)
{
	unsigned long at = share_area(test, 1);
	struct page *page = umm_page(test, at);
	struct umm *parent = umm_self(test);
	struct vm_area_struct *vma;
	struct page_vma_mapped_walk pvmw = {
		.pfn = page_to_pfn(page), .nr_pages = 1, .address = at,
	};

	share_fork(test);
	mmap_read_lock(parent->mm);
	vma = find_vma(parent->mm, at);
	pvmw.pgoff = linear_page_index(vma, at);
	pvmw.vma = vma;
	KUNIT_EXPECT_FALSE(test, page_vma_mapped_walk(&pvmw));
	mmap_read_unlock(parent->mm);
}

/* A table of the second level with four last-level ones; none above shared. */
static unsigned long share_far_area(struct kunit *test)
{
	unsigned long i;

	if (!IS_ENABLED(CONFIG_64BIT))
		kunit_skip(test, "there is no room for a table of that size");
	share_file(test, AT);
	/* More than there is memory, where pages are large. */
	KUNIT_ASSERT_EQ(test, vm_mmap(NULL, FAR, 80 * SPAN, UMM_RW,
				      UMM_ANON | MAP_FIXED | MAP_NORESERVE, 0),
			FAR);
	for (i = 0; i < 4; i++)
		share_fill(test, FAR + i * 20 * SPAN, PER, i << 16);
	return FAR;
}

static void larger_tables_are_shared_as_one(struct kunit *test)
{
	long shared = atomic_long_read(&pt_share_stats.shared), copied;
	unsigned long at = share_far_area(test);
	struct umm *parent = umm_self(test), *child = share_fork(test);

	KUNIT_EXPECT_EQ(test, atomic_long_read(&pt_share_stats.shared),
			shared + 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	KUNIT_EXPECT_PTR_EQ(test, share_table(parent, at),
			    share_table(child, at));
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES),
			(long)(4 * PER));
	KUNIT_EXPECT_EQ(test, umm_table_bytes(child->mm),
			umm_table_bytes(parent->mm));

	/* Top down: the large one first, then the one that is written to. */
	copied = share_copied();
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 77), 0);
	KUNIT_EXPECT_EQ(test, share_copied(), copied + 2);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at + 20 * SPAN), 2);
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES),
			(long)(4 * PER));
	KUNIT_EXPECT_EQ(test, umm_table_bytes(child->mm),
			umm_table_bytes(parent->mm));
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 20 * SPAN, 78), 0);
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 40 * SPAN, 79), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 60 * SPAN), 3UL << 16);
}

static void small_areas_go_with_the_larger_table(struct kunit *test)
{
	unsigned long at = share_far_area(test), small;
	struct umm *parent = umm_self(test), *child, *third;

	small = at + 10 * SPAN;
	share_fill(test, small, 5, 1);
	KUNIT_ASSERT_EQ(test, umm_sys(__NR_mprotect, small, 8 * PAGE_SIZE,
				      PROT_READ), 0L);
	child = share_fork(test);
	KUNIT_EXPECT_EQ(test, share_refs(parent, small), 1);
	KUNIT_EXPECT_PTR_EQ(test, share_table(parent, small),
			    share_table(child, small));
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES),
			(long)(4 * PER + 5));
	third = share_fork(test);
	KUNIT_EXPECT_EQ(test, share_refs(parent, small), 1);
	KUNIT_EXPECT_EQ(test, umm_rss(third->mm, MM_ANONPAGES),
			(long)(4 * PER + 5));
	KUNIT_EXPECT_EQ(test, umm_table_bytes(third->mm),
			umm_table_bytes(parent->mm));
}

/* Were the fork to fail between them, nothing would keep the second anon_vma. */
static void areas_of_several_anon_vmas(struct kunit *test)
{
	struct umm *parent = umm_self(test), *child;
	unsigned long at = FAR, i;

	if (!IS_ENABLED(CONFIG_64BIT))
		kunit_skip(test, "there is no room for a table of that size");
	for (i = 0; i < 2; i++) {
		umm_map_at(test, at + i * 20 * SPAN, 2 * PER, UMM_RW);
		share_fill(test, at + i * 20 * SPAN, 2 * PER, 1);
	}
	child = share_fork(test);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 2);
	KUNIT_EXPECT_EQ(test, share_refs(child, at + 20 * SPAN), 2);
}

static void references_outlast_larger_tables(struct kunit *test)
{
	share_write_held(test, share_far_area(test));
}

static void larger_tables_go_as_one(struct kunit *test)
{
	unsigned long at = share_far_area(test);
	struct umm *parent = umm_self(test), *child = share_fork(test);
	struct umm *third = share_fork(test);
	long copied = share_copied();

	umm_drop(child);
	umm_enter(third);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, at, 1UL << pt_shift(3)), 0L);
	KUNIT_EXPECT_EQ(test, umm_rss(third->mm, MM_ANONPAGES), 0L);
	KUNIT_EXPECT_EQ(test, share_copied(), copied);
	umm_enter(parent);
	share_fill(test, at, PER, 5);
	KUNIT_EXPECT_EQ(test, share_copied(), copied);
}

static void part_of_a_larger_table_goes(struct kunit *test)
{
	unsigned long at = share_far_area(test);
	struct umm *parent = umm_self(test), *child = share_fork(test);
	long copied = share_copied();

	/* Of the large table a part stays; those below go whole. */
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, at, 40 * SPAN), 0L);
	KUNIT_EXPECT_EQ(test, share_copied(), copied + 1);
	KUNIT_EXPECT_EQ(test, umm_rss(child->mm, MM_ANONPAGES),
			(long)(2 * PER));
	KUNIT_EXPECT_EQ(test, share_refs(parent, at), 1);
	KUNIT_EXPECT_EQ(test, share_refs(parent, at + 40 * SPAN), 2);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 40 * SPAN), 2UL << 16);
	umm_enter(parent);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at + 20 * SPAN), 1UL << 16);
}

#ifdef CONFIG_PAGODA_DEBUG
static unsigned int share_misuses;

static void share_note_misuse(const char *what)
{
	share_misuses++;
}
#endif

static void change_of_a_shared_table_is_caught(struct kunit *test)
{
#ifdef CONFIG_PAGODA_DEBUG
	unsigned long at = share_area(test, 1);
	struct umm *child = share_fork(test);
	pte_t *entry, saved;

	entry = pt_table_map(share_table(child, at)) + 3;
	saved = *entry;
	kunit_activate_static_stub(test, pt_misuse, share_note_misuse);
	share_misuses = 0;
	/* Hardware's bits are no change. */
	WRITE_ONCE(*entry, pte_mkold(saved));
	pt_check_seal(share_table(child, at), 1);
	KUNIT_EXPECT_EQ(test, share_misuses, 0U);
	WRITE_ONCE(*entry, entry[1]);
	pt_check_seal(share_table(child, at), 1);
	KUNIT_EXPECT_EQ(test, share_misuses, 1U);
	/* It also maps less than its counts say. */
	WRITE_ONCE(*entry, __pte(0));
	pt_check_seal(share_table(child, at), 1);
	KUNIT_EXPECT_EQ(test, share_misuses, 3U);
	WRITE_ONCE(*entry, saved);
	pt_table_unmap(entry);
#else
	kunit_skip(test, "needs CONFIG_PAGODA_DEBUG");
#endif
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(full_tables_are_shared),
	KUNIT_CASE(few_pages_are_copied),
	KUNIT_CASE(switched_off_all_are_copied),
	KUNIT_CASE(write_unshares_one_table),
	KUNIT_CASE(last_sharer_takes_back),
	KUNIT_CASE(parent_may_go_first),
	KUNIT_CASE(removal_lets_go_of_whole_tables),
	KUNIT_CASE(dontneed_lets_go_of_whole_tables),
	KUNIT_CASE(protection_is_each_ones_own),
	KUNIT_CASE(lock_unshares),
	KUNIT_CASE(hole_is_filled_for_one),
	KUNIT_CASE(neighbours_decide_too),
	KUNIT_CASE(advice_against_inheriting),
	KUNIT_CASE(pinned_memory_is_copied),
	KUNIT_CASE(references_end_sharing),
	KUNIT_CASE(references_outlast_sharing),
	KUNIT_CASE(change_of_mind_between_areas),
	KUNIT_CASE(child_of_a_failed_fork),
	KUNIT_CASE(moved_whole_it_stays_shared),
	KUNIT_CASE(reverse_walks_pass_over),
	KUNIT_CASE_SLOW(larger_tables_are_shared_as_one),
	KUNIT_CASE_SLOW(small_areas_go_with_the_larger_table),
	KUNIT_CASE_SLOW(areas_of_several_anon_vmas),
	KUNIT_CASE_SLOW(references_outlast_larger_tables),
	KUNIT_CASE_SLOW(larger_tables_go_as_one),
	KUNIT_CASE_SLOW(part_of_a_larger_table_goes),
	KUNIT_CASE(change_of_a_shared_table_is_caught),
	{}
};

static struct kunit_suite share_suite = {
	.name = "pagoda_share",
	.init = share_init,
	.exit = umm_exit,
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);

MODULE_DESCRIPTION("KUnit tests of shared page tables");
MODULE_LICENSE("GPL");
