// SPDX-License-Identifier: GPL-2.0
/*
 * Taking areas away.
 *
 * A removal is planned (which areas go, which lose a part, what has to be
 * allocated), then committed or aborted; an aborted one has changed nothing.
 * The one write to the maple tree that empties the range is what commits it.
 *
 * An area of which a part stays is cut in one of two ways. The cheap one makes
 * it smaller in place, after the pages of the other part are gone: reverse
 * mapping must find them as long as they are mapped. That needs mmap_lock held
 * for writing to the end. So where the part is large and the caller can do
 * without the lock, and where a driver counts its areas, the part is made an
 * area of its own, which then goes as a whole.
 *
 * Lock rules: mmap_lock held for writing. It is downgraded for the freeing of
 * pages if the caller wants it unlocked anyway: by then nobody can find the
 * areas, for they are write-locked, detached and out of the tree.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/syscalls.h>
#include <asm/tlb.h>

#include "area.h"
#include "tree.h"

/* The most that is cut in place with mmap_lock held for writing. */
#define AREA_TRIM_MAX	SZ_2M

/* Tables of areas that are no further apart than this are freed together. */
#define AREA_SPAN_GAP	SZ_2M

/**
 * area_span_add - free the page tables of a range, now or with the next one
 * @s: tlb and floor are set, the rest is zero at first
 * @start: start of the range, above those given before
 * @end: its end
 */
void area_span_add(struct area_span *s, unsigned long start, unsigned long end)
{
	if (s->end && start - s->end > AREA_SPAN_GAP)
		area_span_done(s, start);
	if (!s->end)
		s->start = start;
	s->end = end;
}

/**
 * area_span_done - free the page tables of the ranges that are still held back
 * @s: as given to area_span_add()
 * @ceiling: where the next area starts, or USER_PGTABLES_CEILING
 */
void area_span_done(struct area_span *s, unsigned long ceiling)
{
	if (s->end)
		pt_free_range(s->tlb, s->start, s->end, s->floor, ceiling);
	s->end = 0;
}

/**
 * area_free - tell the driver, and free an area when no one looks at it
 * @vma: an area that is in no tree
 */
void area_free(struct vm_area_struct *vma)
{
	vma_close(vma);
	if (vma->vm_file)
		fput(vma->vm_file);
	area_release(vma);
}

static bool removal_in_place(struct vm_area_struct *vma, unsigned long len,
			     bool unlock)
{
	const struct vm_operations_struct *ops = vma->vm_ops;

	if (ops && (ops->open || ops->close))
		return false;
	if (vma->vm_flags & VM_PFNMAP)
		return false;
	return !unlock || len <= AREA_TRIM_MAX;
}

/* An area of which a part stays. */
static int removal_add_part(struct area_removal *r, struct vm_area_struct *vma,
			    bool unlock)
{
	unsigned long from = max(vma->vm_start, r->start);
	unsigned long to = min(vma->vm_end, r->end);
	const struct vm_operations_struct *ops = vma->vm_ops;
	bool below = vma->vm_start < from, above = vma->vm_end > to;
	struct vm_area_struct *piece;
	int err = 0;

	if (below && above && r->mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	if (ops && ops->may_split) {
		if (below)
			err = ops->may_split(vma, from);
		if (!err && above)
			err = ops->may_split(vma, to);
		if (err)
			return err;
	}
	if (below && above) {
		r->tail = area_piece(vma, to, vma->vm_end);
		if (!r->tail)
			return -ENOMEM;
	}
	if (removal_in_place(vma, to - from, unlock)) {
		r->trim[!below] = vma;
		return 0;
	}
	piece = area_piece(vma, from, to);
	if (!piece)
		return -ENOMEM;
	r->cut[!below] = vma;
	r->areas[r->nr++] = piece;
	return 0;
}

static int removal_add(struct area_removal *r, struct vm_area_struct *vma,
		       bool unlock)
{
	unsigned long from = max(vma->vm_start, r->start);
	unsigned long to = min(vma->vm_end, r->end);
	unsigned long pages = (to - from) >> PAGE_SHIFT;
	vm_flags_t flags = vma->vm_flags;

	if (!can_modify_vma(vma))
		return -EPERM;

	r->pages += pages;
	if (flags & VM_LOCKED)
		r->locked += pages;
	if (flags & VM_ACCOUNT)
		r->accounted += pages;
	if (is_exec_mapping(flags))
		r->exec += pages;
	else if (is_stack_mapping(flags))
		r->stack += pages;
	else if (is_data_mapping(flags))
		r->data += pages;
	r->used |= vma->anon_vma || vma->vm_file;
	r->frames |= flags & VM_PFNMAP;

	if (to - from < vma->vm_end - vma->vm_start)
		return removal_add_part(r, vma, unlock);
	r->areas[r->nr++] = vma;
	r->whole++;
	return 0;
}

/* More areas than fit into the removal: get room for all of them. */
static int removal_get_room(struct area_removal *r, struct ma_state side)
{
	unsigned int nr = r->nr + 1;

	while (mas_find(&side, r->end - 1))
		nr++;
	r->areas = kvmalloc_array(nr, sizeof(*r->areas), GFP_KERNEL);
	if (!r->areas) {
		r->areas = r->few;
		return -ENOMEM;
	}
	memcpy(r->areas, r->few, sizeof(r->few));
	return 0;
}

/**
 * area_unshare_ends - unshare tables that the removal of a range keeps
 * @mm: the address space
 * @start: where the range starts (page-aligned)
 * @end: where it ends (page-aligned, exclusive)
 *
 * Shared tables that the range covers only in part must be ours to change.
 *
 * Return: 0 or -ENOMEM.
 */
int area_unshare_ends(struct mm_struct *mm, unsigned long start,
		      unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	unsigned long floor = FIRST_USER_ADDRESS;
	unsigned long ceiling = USER_PGTABLES_CEILING;
	struct vm_area_struct *vma;

	if (likely(!pt_ends_shared(mm, start, end)))
		return 0;
	vma = vma_next(&vmi);
	if (vma && vma->vm_start < start) {
		floor = start;
	} else {
		vma = vma_prev(&vmi);
		if (vma)
			floor = vma->vm_end;
	}
	vma = find_vma(mm, end);
	if (vma)
		ceiling = max(vma->vm_start, end);
	return pt_keep_outside(mm, start, end, floor, ceiling);
}

/**
 * area_removal_plan - prepare to empty a range
 * @r: the removal
 * @vmi: an iterator on the mm; left where @first is
 * @first: the first area in the range
 * @start: where the range starts (page-aligned)
 * @end: where it ends
 * @unlock: the caller will want mmap_lock dropped
 *
 * Return: 0, and the removal must be committed or aborted; -EPERM if an area
 * is sealed; -ENOMEM if there is no memory, or would be too many areas; the
 * error of a driver's may_split().
 */
int area_removal_plan(struct area_removal *r, struct vma_iterator *vmi,
		      struct vm_area_struct *first, unsigned long start,
		      unsigned long end, bool unlock)
{
	struct vm_area_struct *vma = first;
	struct ma_state side;
	int err;

	*r = (struct area_removal) {
		.mm	= first->vm_mm,
		.start	= max(start, first->vm_start),
		.end	= end,
	};
	r->areas = r->few;
	mmap_assert_write_locked(r->mm);
	if (vmi->mas.status != ma_active) {
		vma_iter_set(vmi, first->vm_start);
		mas_walk(&vmi->mas);
	}

	side = vmi->mas;
	for (;;) {
		err = removal_add(r, vma, unlock);
		if (err)
			break;
		if (vma->vm_end >= end)
			goto found;
		start = vma->vm_end;
		vma = mas_find(&side, end - 1);
		if (!vma) {
			r->end = start;
			goto found;
		}
		if (r->nr == AREA_FEW && r->areas == r->few) {
			err = removal_get_room(r, side);
			if (err)
				break;
		}
	}
	area_removal_abort(r);
	return err;
found:
	err = area_unshare_ends(r->mm, r->start, r->end);
	if (err)
		area_removal_abort(r);
	return err;
}

/**
 * area_removal_abort - forget a removal that was planned
 * @r: the removal
 */
void area_removal_abort(struct area_removal *r)
{
	area_piece_undo(r->tail);
	if (r->cut[0])
		area_piece_undo(r->areas[0]);
	if (r->cut[1])
		area_piece_undo(r->areas[r->nr - 1]);
	if (r->areas != r->few)
		kvfree(r->areas);
	area_check(r->mm);
}

/* Free the pages: of areas that are trimmed, and of those that go. */
static void removal_zap(struct area_removal *r, struct mmu_gather *tlb,
			unsigned long low_end, unsigned long high_start,
			unsigned long floor, unsigned long ceiling)
{
	unsigned int i;

	if (r->trim[0])
		zap_area(tlb, r->trim[0], r->start, low_end, floor, ceiling);
	for (i = 0; i < r->nr; i++)
		zap_area(tlb, r->areas[i], r->areas[i]->vm_start,
			 r->areas[i]->vm_end, floor, ceiling);
	if (r->trim[1])
		zap_area(tlb, r->trim[1], high_start, r->end, floor, ceiling);
}

/* Free the pages, hide the areas from reverse mapping, free the tables. */
static void removal_clear(struct area_removal *r, unsigned long floor,
			  unsigned long ceiling)
{
	struct vm_area_struct *low = r->trim[0], *high = r->trim[1];
	unsigned long low_end = 0, high_start = 0;
	struct area_unlinker unlinker = {};
	struct mmu_notifier_range range;
	struct mmu_gather tlb;
	struct area_span span = { .tlb = &tlb, .floor = floor };
	unsigned int i;
	bool empty;

	/*
	 * What nothing but mmap_lock leads to has nobody who might be changing
	 * entries, or owe a flush for those that are empty by now.
	 */
	empty = !r->used && !r->frames &&
		pt_untouched(r->mm, r->start, r->end, floor, ceiling);

	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, r->mm, r->start,
				r->end);
	mmu_notifier_invalidate_range_start(&range);
	if (low)
		low_end = min(low->vm_end, r->end);
	if (high)
		high_start = max(high->vm_start, r->start);
	if (!empty) {
		if (r->used)
			lru_add_drain();
		tlb_gather_mmu(&tlb, r->mm);
		update_hiwater_rss(r->mm);
		removal_zap(r, &tlb, low_end, high_start, floor, ceiling);
	}
	mmu_notifier_invalidate_range_end(&range);

	for (i = 0; i < r->nr; i++) {
		unlink_anon_vmas(r->areas[i]);
		area_unlink(&unlinker, r->areas[i]);
	}
	area_unlink_done(&unlinker);
	if (low)
		area_cut(low, low->vm_start, r->start, r->tail, NULL);
	if (high)
		area_cut(high, r->end, high->vm_end, NULL, NULL);
	if (empty)
		return;

	if (low)
		area_span_add(&span, r->start, low_end);
	for (i = 0; i < r->nr; i++)
		area_span_add(&span, r->areas[i]->vm_start,
			      r->areas[i]->vm_end);
	if (high)
		area_span_add(&span, high_start, r->end);
	area_span_done(&span, ceiling);
	tlb_finish_mmu(&tlb);
}

/**
 * area_removal_commit - empty a range as planned
 * @r: the removal; freed
 * @vmi: as given to area_removal_plan()
 * @unlock: drop mmap_lock; only done on success
 *
 * Return: 0, or -ENOMEM with nothing changed and the removal aborted.
 */
int area_removal_commit(struct area_removal *r, struct vma_iterator *vmi,
			bool unlock)
{
	struct mm_struct *mm = r->mm;
	unsigned long floor, ceiling;
	bool downgrade = unlock && !r->trim[0] && !r->trim[1];
	unsigned int i;

	for (i = 0; i < r->nr; i++)
		vma_start_write(r->areas[i]);
	for (i = 0; i < 2; i++) {
		if (r->trim[i])
			vma_start_write(r->trim[i]);
		if (r->cut[i])
			vma_start_write(r->cut[i]);
	}
	if (area_write(vmi, NULL, r->start, r->end, GFP_KERNEL)) {
		area_removal_abort(r);
		return -ENOMEM;
	}

	/* Tables may be freed as far as the hole reaches that this is part of. */
	floor = max(vma_iter_addr(vmi), FIRST_USER_ADDRESS);
	ceiling = vmi->mas.last == ULONG_MAX ? USER_PGTABLES_CEILING
					     : vma_iter_end(vmi);

	for (i = 0; i < r->nr; i++)
		vma_mark_detached(r->areas[i], true);
	if (r->tail) {
		area_write_above(r->tail);
		mm->map_count++;
	}
	if (r->cut[0])
		area_cut(r->cut[0], r->cut[0]->vm_start, r->start, r->areas[0],
			 r->tail);
	if (r->cut[1])
		area_cut(r->cut[1], r->end, r->cut[1]->vm_end,
			 r->areas[r->nr - 1], NULL);

	update_hiwater_vm(mm);
	mm->map_count -= r->whole;
	mm->locked_vm -= r->locked;
	WRITE_ONCE(mm->total_vm, mm->total_vm - r->pages);
	mm->exec_vm -= r->exec;
	mm->stack_vm -= r->stack;
	mm->data_vm -= r->data;

	if (downgrade)
		mmap_write_downgrade(mm);
	removal_clear(r, floor, ceiling);
	vm_unacct_memory(r->accounted);
	for (i = 0; i < r->nr; i++)
		area_free(r->areas[i]);
	if (r->areas != r->few)
		kvfree(r->areas);
	area_check(mm);

	if (downgrade)
		mmap_read_unlock(mm);
	else if (unlock)
		mmap_write_unlock(mm);
	return 0;
}

/**
 * do_vmi_align_munmap - unmap a range of which the first area is known
 * @vmi: an iterator that stands in @vma
 * @vma: the first area in the range
 * @mm: the address space
 * @start: where the range starts (page-aligned)
 * @end: where it ends
 * @uf: not used
 * @unlock: drop mmap_lock on success
 *
 * Return: 0 or an error, see area_removal_plan(). Nothing has changed then.
 */
int do_vmi_align_munmap(struct vma_iterator *vmi, struct vm_area_struct *vma,
			struct mm_struct *mm, unsigned long start,
			unsigned long end, struct list_head *uf, bool unlock)
{
	struct area_removal r;
	int err;

	err = area_removal_plan(&r, vmi, vma, start, end, unlock);
	return err ?: area_removal_commit(&r, vmi, unlock);
}

/**
 * area_unmap - unmap what there is in a range
 * @vmi: an iterator that is set to @start, or stands before it
 * @mm: the address space
 * @start: where the range starts
 * @len: its length in bytes; rounded up to pages
 * @uf: not used
 * @unlock: drop mmap_lock on success
 *
 * Return: 0; -EINVAL if there can be no such range; else as
 * do_vmi_align_munmap().
 */
int area_unmap(struct vma_iterator *vmi, struct mm_struct *mm,
	       unsigned long start, size_t len, struct list_head *uf,
	       bool unlock)
{
	struct vm_area_struct *first;

	if (offset_in_page(start) || start > TASK_SIZE ||
	    len > TASK_SIZE - start || !len)
		return -EINVAL;
	len = PAGE_ALIGN(len);

	first = vma_find(vmi, start + len);
	if (first)
		return do_vmi_align_munmap(vmi, first, mm, start, start + len,
					   uf, unlock);
	if (unlock)
		mmap_write_unlock(mm);
	return 0;
}

/**
 * do_munmap - unmap a range of any address space
 * @mm: the address space, its mmap_lock held for writing
 * @start: where the range starts
 * @len: its length in bytes
 * @uf: not used
 *
 * Return: as area_unmap().
 */
int do_munmap(struct mm_struct *mm, unsigned long start, size_t len,
	      struct list_head *uf)
{
	VMA_ITERATOR(vmi, mm, start);

	return area_unmap(&vmi, mm, start, len, uf, false);
}

/**
 * vm_munmap - unmap a range of the caller's address space
 * @start: where the range starts
 * @len: its length in bytes
 *
 * Return: as area_unmap(), or -EINTR if a fatal signal came first.
 */
int vm_munmap(unsigned long start, size_t len)
{
	VMA_ITERATOR(vmi, current->mm, start);
	struct mm_struct *mm = current->mm;
	int err = mmap_write_lock_killable(mm);

	if (!err) {
		err = area_unmap(&vmi, mm, start, len, NULL, true);
		if (err)
			mmap_write_unlock(mm);
	}
	return err;
}
EXPORT_SYMBOL(vm_munmap);

SYSCALL_DEFINE2(munmap, unsigned long, addr, size_t, len)
{
	return vm_munmap(untagged_addr(addr), len);
}
