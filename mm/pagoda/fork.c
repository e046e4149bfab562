// SPDX-License-Identifier: GPL-2.0
/*
 * fork: give the child what the parent has mapped.
 *
 * dup_mmap() calls copy_page_range() once for each area. Areas whose pages a
 * fault can find again are left empty in the child. Tables that map nothing
 * but private anonymous memory are shared (share.c): whoever writes, or
 * changes anything else in such a table, copies it first. From other tables,
 * and from those with few pages, every entry is copied; a private writable
 * page becomes read-only in both address spaces and is copied by whoever writes
 * first (cow.c). A private page that may be pinned for DMA is copied at once,
 * so that the parent keeps the one that the device knows.
 *
 * Locks: both mmap_locks for writing and the parent's area write-locked. For
 * lockless pinning, write_protect_seq says that pages are being made
 * read-only. On failure the child is incomplete and dup_mmap() takes it down.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include "tree.h"
#include "../internal.h"

/**
 * struct fork_copy - one area being copied
 * @from: the parent's area
 * @to: the child's
 * @src: cursor in the parent's tables
 * @dst: cursor in the child's
 * @spare: a page allocated for the next copy that cannot be put off, or NULL
 * @cow: private and may become writable
 * @sharing: how tables are shared
 */
struct fork_copy {
	struct pt_sharing sharing;
	struct vm_area_struct *from;
	struct vm_area_struct *to;
	struct pt_edit src;
	struct pt_edit dst;
	struct folio *spare;
	bool cow;
};

/* How many tables' worth of memory makes a larger table worth a look. */
#define FORK_LARGE	16

/* Can later faults of the child not bring everything back? */
static bool fork_must_copy(struct vm_area_struct *vma)
{
	return vma->anon_vma || (vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP));
}

/*
 * Copy a page now. Returns -EAGAIN if there is no spare page for it, or an
 * error of reading the memory.
 */
static int fork_copy_page(struct fork_copy *f, struct page *page)
{
	struct folio *copy = f->spare;
	unsigned long addr = f->dst.c.addr;
	pte_t pte;

	if (!copy)
		return -EAGAIN;
	if (copy_mc_user_highpage(&copy->page, page, addr, f->from))
		return -EHWPOISON;
	f->spare = NULL;
	__folio_mark_uptodate(copy);
	folio_add_new_anon_rmap(copy, f->to, addr, RMAP_EXCLUSIVE);
	folio_add_lru_vma(copy, f->to);
	pte = mk_pte(&copy->page, f->to->vm_page_prot);
	pt_set(&f->dst, maybe_mkwrite(pte_mkdirty(pte), f->to), MM_ANONPAGES);
	return 0;
}

/* Copy the entry that both cursors stand at. */
static int fork_copy_entry(struct fork_copy *f)
{
	pte_t pte = pt_get(&f->src.c);
	struct folio *folio;
	struct page *page;
	int kind = PT_UNCOUNTED;

	if (unlikely(!pte_present(pte))) {
		/* Lost memory is lost to the child too; other marks stay. */
		if (is_hwpoison_entry(pte_to_swp_entry(pte)))
			pt_set(&f->dst, pte, PT_UNCOUNTED);
		return 0;
	}

	page = vm_normal_page(f->from, f->src.c.addr, pte);
	if (likely(page)) {
		folio = page_folio(page);
		kind = mm_counter(folio);
		folio_get(folio);
		if (!folio_test_anon(folio)) {
			folio_dup_file_rmap_pte(folio, page);
		} else if (unlikely(folio_try_dup_anon_rmap_pte(folio, page,
								f->from))) {
			folio_put(folio);
			return fork_copy_page(f, page);
		}
	}

	if (f->cow && pte_write(pte)) {
		ptep_set_wrprotect(f->from->vm_mm, f->src.c.addr,
				   f->src.c.pte);
		pte = pte_wrprotect(pte);
	}
	/* The parent's entry keeps the file's dirty state. */
	if (f->from->vm_flags & VM_SHARED)
		pte = pte_mkclean(pte);
	pt_set(&f->dst, pte_mkold(pte), kind);
	return 0;
}

static int fork_spare(struct fork_copy *f)
{
	f->spare = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, f->from,
				   f->src.c.addr, false);
	if (!f->spare)
		return -ENOMEM;
	if (!mem_cgroup_charge(f->spare, f->from->vm_mm, GFP_KERNEL))
		return 0;
	folio_put(f->spare);
	f->spare = NULL;
	return -ENOMEM;
}

/* Copy what a pair of windows covers. */
static int fork_copy_window(struct fork_copy *f)
{
	bool more = true;
	int err = 0;

	while (more && !err) {
		if (pte_none(pt_get(&f->src.c))) {
			more = pt_pair_skip(&f->src, &f->dst);
			continue;
		}
		err = fork_copy_entry(f);
		if (!err)
			more = pt_pair_step(&f->src, &f->dst);
	}
	return err;
}

/* Can nothing but the two address spaces reach what the area maps? */
static bool fork_area_shares(struct vm_area_struct *vma)
{
	const vm_flags_t not = VM_SHARED | VM_PFNMAP | VM_MIXEDMAP | VM_IO |
			       VM_HUGETLB | VM_DONTCOPY | VM_WIPEONFORK |
			       VM_DROPPABLE | VM_SHADOW_STACK | VM_LOCKED;

	return vma_is_anonymous(vma) && !(vma->vm_flags & not);
}

/*
 * Up to where may tables be shared of which the first covers @start to @end? A
 * table can serve several areas; all of them must be locked now against faults
 * in the parent, as dup_mmap() has done it for those that it has come to.
 *
 * If fork fails before it has come to all, the child has pages of areas that it
 * never got. What keeps their anon_vma is then this area's being linked to it.
 */
static unsigned long fork_may_share(void *arg, unsigned long start,
				    unsigned long end)
{
	struct fork_copy *f = arg;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	vma_iter_init(&vmi, f->from->vm_mm, start);
	if (f->from->vm_start <= start && f->from->vm_end >= end)
		return f->from->vm_end;
	for_each_vma_range(vmi, vma, end) {
		if (!fork_area_shares(vma))
			return 0;
		if (vma->vm_start >= f->from->vm_end && vma->anon_vma &&
		    vma->anon_vma != f->from->anon_vma)
			return 0;
	}
	vma_iter_set(&vmi, start);
	for_each_vma_range(vmi, vma, end)
		vma_start_write(vma);
	return end;
}

/*
 * Prepare to share tables, if that is worth while. Not if pages may be pinned:
 * devices go on writing to the parent's, so the child must have others. With
 * little memory, or for a small area, larger tables are not even looked at.
 *
 * Such things can change from area to area. A table that was shared for the one
 * before may be this one's too, and then has to be found.
 *
 * Return: may there be a table to share?
 */
static bool fork_prepare_sharing(struct fork_copy *f)
{
	struct mm_struct *mm = f->from->vm_mm;
	unsigned long pages = get_mm_counter(mm, MM_ANONPAGES);
	struct pt_sharing *how = &f->sharing;

	if (!IS_ENABLED(CONFIG_SPLIT_PTE_PTLOCKS) || !fork_area_shares(f->from))
		return false;
	/* Who pins sets the flag and then looks whether fork has begun. */
	smp_mb();
	how->none = !pt_share_on || pages < pt_share_min ||
		    test_bit(MMF_HAS_PINNED, &mm->flags);
	if (how->none)
		return pt_shared_at(f->to->vm_mm, f->to->vm_start);
	how->may = fork_may_share;
	how->arg = f;
	how->top = pages / FORK_LARGE < pt_share_min ||
		   vma_pages(f->from) < pt_share_min ? 2 : pt_levels();
	return true;
}

static int fork_copy_area(struct fork_copy *f)
{
	bool share = fork_prepare_sharing(f);
	int err, got;

	for (;;) {
		if (share) {
			err = pt_pair_share(&f->src, &f->dst, &f->sharing);
			if (err)
				return err;
		}
		got = pt_pair_next(&f->src, &f->dst);
		if (got <= 0)
			return got;
		err = fork_copy_window(f);
		pt_pair_release(&f->src, &f->dst);
		if (err == -EAGAIN)
			err = fork_spare(f);
		if (err)
			return err;
		cond_resched();
	}
}

/**
 * copy_page_range - copy an area's entries for fork
 * @dst_vma: the child's area
 * @src_vma: the parent's
 *
 * Return: 0 or -ENOMEM (-EINVAL if PAT does not know the area's frames).
 */
int copy_page_range(struct vm_area_struct *dst_vma,
		    struct vm_area_struct *src_vma)
{
	struct fork_copy f = { .from = src_vma, .to = dst_vma };
	struct mm_struct *mm = src_vma->vm_mm;
	struct mmu_notifier_range range;
	unsigned long pfn;
	int err;

	if (!fork_must_copy(src_vma))
		return 0;
	if (unlikely(src_vma->vm_flags & VM_PFNMAP)) {
		err = track_pfn_copy(dst_vma, src_vma, &pfn);
		if (err)
			return err;
	}

	f.cow = is_cow_mapping(src_vma->vm_flags);
	if (f.cow) {
		mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE, 0,
					mm, src_vma->vm_start, src_vma->vm_end);
		mmu_notifier_invalidate_range_start(&range);
		vma_assert_write_locked(src_vma);
		raw_write_seqcount_begin(&mm->write_protect_seq);
	}
	/* Of the parent's tables only those become private that are copied. */
	pt_open(&f.src.c, mm, src_vma->vm_start, src_vma->vm_end);
	pt_open(&f.dst.c, dst_vma->vm_mm, dst_vma->vm_start, dst_vma->vm_end);
	err = fork_copy_area(&f);
	if (f.cow) {
		raw_write_seqcount_end(&mm->write_protect_seq);
		mmu_notifier_invalidate_range_end(&range);
	}
	if (f.spare)
		folio_put(f.spare);
	if (err && unlikely(src_vma->vm_flags & VM_PFNMAP))
		untrack_pfn_copy(dst_vma, pfn);
	return err ? -ENOMEM : 0;
}
