// SPDX-License-Identifier: GPL-2.0
/*
 * fork: give the child what the parent has mapped.
 *
 * dup_mmap() calls copy_page_range() once for each area. Areas whose pages a
 * fault can find again are left empty in the child. From others every entry is
 * copied; a private writable page becomes read-only in both address spaces
 * and is copied by whoever writes first (cow.c). A private page that may be
 * pinned for DMA is copied at once, so that the parent keeps the one that the
 * device knows.
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
 */
struct fork_copy {
	struct vm_area_struct *from;
	struct vm_area_struct *to;
	struct pt_edit src;
	struct pt_edit dst;
	struct folio *spare;
	bool cow;
};

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

static int fork_copy_area(struct fork_copy *f)
{
	int err, got;

	while ((got = pt_pair_next(&f->src, &f->dst)) > 0) {
		err = fork_copy_window(f);
		pt_pair_release(&f->src, &f->dst);
		if (err == -EAGAIN)
			err = fork_spare(f);
		if (err)
			return err;
		cond_resched();
	}
	return got;
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
	err = pt_edit_open(&f.src, mm, src_vma->vm_start, src_vma->vm_end);
	if (!err)
		err = pt_edit_open(&f.dst, dst_vma->vm_mm, dst_vma->vm_start,
				   dst_vma->vm_end);
	if (!err)
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
