// SPDX-License-Identifier: GPL-2.0
/*
 * mremap(): make a mapping smaller or larger, or move it.
 *
 * A move makes an area at the new place that maps the same, moves the entries
 * over (move.c), and unmaps the old place. Whatever fails before the entries
 * have moved is undone, and the caller finds everything as it was. With
 * MREMAP_FIXED the new place is unmapped first; all that can be checked and
 * charged beforehand is, so that after it has gone only memory for the new
 * area and its tables can be missing.
 *
 * Commit charge: while both places are mapped, both are charged, so whichever
 * is unmapped takes its charge along.
 *
 * Locks: mmap_lock for writing throughout; only a plain shrink lets
 * area_unmap() lower it.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/rmap.h>
#include <linux/sched.h>
#include <linux/sched/sysctl.h>
#include <linux/security.h>
#include <linux/syscalls.h>
#include "calls.h"

/**
 * struct remap - one mremap()
 * @mm: the address space
 * @vma: the area at @addr
 * @addr: the old place
 * @old_len: bytes mapped there that are meant
 * @new_len: bytes there shall be
 * @to: the new place; until one is chosen, what the caller gave
 * @flags: MREMAP_*
 * @charged: pages charged that no area accounts for yet
 * @populate: what is added is to be faulted in, because it is locked
 * @unlocked: mmap_lock has been released
 */
struct remap {
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	unsigned long addr;
	unsigned long old_len;
	unsigned long new_len;
	unsigned long to;
	unsigned long flags;
	unsigned long charged;
	bool populate;
	bool unlocked;
};

/* A range is about to be unmapped. 1 if it has areas, 0 if not, or an error. */
static int remap_may_unmap(struct mm_struct *mm, unsigned long start,
			   unsigned long len)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma;
	int found = 0;

	if (start > TASK_SIZE || len > TASK_SIZE - start)
		return -EINVAL;
	for_each_vma_range(vmi, vma, start + len) {
		if (!can_modify_vma(vma))
			return -EPERM;
		found = 1;
	}
	return found;
}

static int remap_unmap(struct mm_struct *mm, unsigned long start,
		       unsigned long len)
{
	VMA_ITERATOR(vmi, mm, start);

	return area_unmap(&vmi, mm, start, len, NULL, false);
}

/* Can the first @len bytes at the old place become what is asked for? */
static int remap_check(struct remap *r, unsigned long len)
{
	struct vm_area_struct *vma = r->vma;
	bool rigid = vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP);
	pgoff_t pgoff = linear_page_index(vma, r->addr);

	/* A copy of nothing shares the object; private memory has none. */
	if (!len && !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE))) {
		pr_warn_once("%s (%d): mremap() of length 0 duplicates shared mappings only\n",
			     current->comm, current->pid);
		return -EINVAL;
	}
	if (rigid && (r->flags & MREMAP_DONTUNMAP))
		return -EINVAL;
	if (len > vma->vm_end - r->addr)
		return -EFAULT;
	if (len == r->new_len)
		return 0;
	if (pgoff + (r->new_len >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	return rigid ? -EFAULT : 0;
}

/* Pages that the call adds to the address space if it keeps @len bytes. */
static unsigned long remap_added(struct remap *r, unsigned long len)
{
	if (r->flags & MREMAP_DONTUNMAP)
		return r->new_len >> PAGE_SHIFT;
	return (r->new_len - len) >> PAGE_SHIFT;
}

/* Do the process's limits allow it? */
static int remap_limits(struct remap *r, unsigned long len)
{
	unsigned long pages = remap_added(r, len);
	vm_flags_t flags = r->vma->vm_flags;

	if (len != r->new_len && !mlock_future_ok(r->mm, flags, r->new_len - len))
		return -EAGAIN;
	return !pages || may_expand_vm(r->mm, flags, pages) ? 0 : -ENOMEM;
}

static int remap_charge(struct remap *r, unsigned long len)
{
	unsigned long pages = remap_added(r, len);

	if (!(r->vma->vm_flags & VM_ACCOUNT) || !pages)
		return 0;
	if (security_vm_enough_memory_mm(r->mm, pages))
		return -ENOMEM;
	r->charged = pages;
	return 0;
}

static void remap_uncharge(struct remap *r)
{
	vm_unacct_memory(r->charged);
	r->charged = 0;
}

/*
 * Can the first @len bytes be cut out of their area? That may take two splits,
 * and the new place one area more.
 */
static int remap_may_cut(struct remap *r, unsigned long len)
{
	struct vm_area_struct *vma = r->vma;
	unsigned long end = r->addr + len;
	int err = 0;

	if (r->mm->map_count >= sysctl_max_map_count - 3)
		return -ENOMEM;
	if (!vma->vm_ops || !vma->vm_ops->may_split)
		return 0;
	if (r->addr != vma->vm_start)
		err = vma->vm_ops->may_split(vma, r->addr);
	if (!err && end != vma->vm_end)
		err = vma->vm_ops->may_split(vma, end);
	return err;
}

/*
 * The old place stays mapped, but loses its lock: make it an area of its own.
 * Areas with VM_IO merge with none, so asking for it gives just the split.
 */
static struct vm_area_struct *remap_isolate(struct remap *r)
{
	VMA_ITERATOR(vmi, r->mm, r->addr);
	struct vm_area_struct *vma = r->vma, *before;

	vma_iter_load(&vmi);
	before = call_area_before(&vmi, vma, r->addr);
	return area_reflag(&vmi, before, vma, r->addr, r->addr + r->old_len,
			   vma->vm_flags | VM_IO, anon_vma_name(vma));
}

/* The entries have moved from an area that stays (MREMAP_DONTUNMAP). */
static void remap_leave(struct remap *r, struct vm_area_struct *vma)
{
	vm_flags_clear(vma, VM_LOCKED_MASK);
	if (vma->vm_start != r->addr || vma->vm_end != r->addr + r->old_len)
		return;
	/*
	 * It has no page left that a reverse walk could look for, and begins
	 * again as an area without pages does: offset equal to address.
	 */
	unlink_anon_vmas(vma);
	if (vma_is_anonymous(vma) && !vma->vm_file)
		vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
}

/*
 * Make an area of new_len bytes at r->to, nothing being there, that maps what
 * @r->vma maps from r->addr, and give it the entries of old_len bytes. All is
 * checked, and what is added charged. Return the new address or an error,
 * after which everything is as it was.
 */
static unsigned long remap_move(struct remap *r)
{
	bool keep = r->flags & MREMAP_DONTUNMAP, rmap_locks = false;
	unsigned long moved, gone = r->addr, gone_len = r->old_len, hiwater;
	struct vm_area_struct *vma = r->vma, *new;
	vm_flags_t flags = vma->vm_flags;
	struct mm_struct *mm = r->mm;
	int err = 0;

	if (keep && (flags & VM_LOCKED)) {
		vma = remap_isolate(r);
		if (IS_ERR(vma)) {
			remap_uncharge(r);
			return PTR_ERR(vma);
		}
	}

	/* So that the old place, or if that fails the new, can be emptied. */
	if ((r->old_len &&
	     area_unshare_ends(mm, r->addr, r->addr + r->old_len)) ||
	    area_unshare_ends(mm, r->to, r->to + r->new_len)) {
		remap_uncharge(r);
		return -ENOMEM;
	}
	vma_start_write(vma);
	new = area_copy(&vma, r->to, r->new_len, linear_page_index(vma, r->addr),
			&rmap_locks, keep);
	if (!new) {
		remap_uncharge(r);
		return -ENOMEM;
	}
	/* Now the areas account for what was charged, and for this as well. */
	if ((flags & VM_ACCOUNT) && !keep)
		vm_acct_memory(r->old_len >> PAGE_SHIFT);
	r->charged = 0;

	moved = move_page_tables(vma, r->addr, new, r->to, r->old_len,
				 rmap_locks, false);
	if (moved < r->old_len)
		err = -ENOMEM;
	else if (vma->vm_ops && vma->vm_ops->mremap)
		err = vma->vm_ops->mremap(new);
	if (unlikely(err)) {
		/* The old place still has its tables: this cannot fail. */
		move_page_tables(new, r->to, vma, r->addr, moved, true, false);
		vma = new;
		gone = r->to;
		gone_len = r->new_len;
	}

	/* For a moment both count; no peak shall be made of that. */
	hiwater = mm->hiwater_vm;
	vm_stat_account(mm, flags, r->new_len >> PAGE_SHIFT);
	if (vma->vm_flags & VM_PFNMAP)
		untrack_pfn_clear(vma);
	if (keep && !err) {
		remap_leave(r, vma);
		return r->to;
	}
	/*
	 * This fails only for want of memory to split the old area: then what
	 * is left of it stays, empty, and stays accounted for.
	 */
	if (gone_len)
		remap_unmap(mm, gone, gone_len);
	if (flags & VM_LOCKED) {
		mm->locked_vm += r->new_len >> PAGE_SHIFT;
		r->populate = true;
	}
	mm->hiwater_vm = hiwater;
	return err ? err : r->to;
}

/*
 * Where would the new place be, or may it be r->to? Return its address, which
 * MREMAP_FIXED makes r->to, or an error.
 */
static unsigned long remap_place(struct remap *r, unsigned long hint)
{
	unsigned long flags = r->flags & MREMAP_FIXED ? MAP_FIXED : 0;

	if (r->vma->vm_flags & VM_MAYSHARE)
		flags |= MAP_SHARED;
	return get_unmapped_area(r->vma->vm_file, hint, r->new_len,
				 linear_page_index(r->vma, r->addr), flags);
}

/*
 * Unmap what is in the way at the new place, and what a shrinking mapping
 * loses. Return 0, or an error with the charge given back.
 */
static int remap_clear(struct remap *r, bool target)
{
	int err = 0;

	if (target)
		err = remap_unmap(r->mm, r->to, r->new_len);
	if (!err && r->old_len > r->new_len) {
		err = remap_unmap(r->mm, r->addr + r->new_len,
				  r->old_len - r->new_len);
		r->old_len = r->new_len;
	}
	if (err)
		remap_uncharge(r);
	else
		/* Unmapping may have split the area. */
		r->vma = vma_lookup(r->mm, r->addr);
	return err;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP: the mapping moves in any case. */
static unsigned long remap_to(struct remap *r)
{
	unsigned long len = min(r->old_len, r->new_len), place;
	bool shrink = r->old_len > len, clear;
	int target = 0, lacks, err;

	if (offset_in_page(r->to) || r->new_len > TASK_SIZE ||
	    r->to > TASK_SIZE - r->new_len)
		return -EINVAL;
	if (r->addr + r->old_len > r->to && r->to + r->new_len > r->addr)
		return -EINVAL;
	/* The two places may both be cut out of the middle of an area. */
	if (r->mm->map_count + 2 >= sysctl_max_map_count - 3)
		return -ENOMEM;

	if (r->flags & MREMAP_FIXED) {
		target = remap_may_unmap(r->mm, r->to, r->new_len);
		if (target < 0)
			return target;
		/* With length 0 the source can be inside the target. */
		if (r->to == r->addr)
			return -EFAULT;
	}
	if (shrink) {
		err = remap_may_unmap(r->mm, r->addr + len, r->old_len - len);
		if (err < 0)
			return err;
	}
	clear = target || shrink;
	err = remap_check(r, len);
	if (err)
		return err;

	/*
	 * What the target occupies may be just what the limits or the charge
	 * lack: then, and only then, it goes before they are known to be met.
	 */
	lacks = remap_limits(r, len);
	if (lacks && !clear)
		return lacks;
	place = remap_place(r, r->to);
	if (IS_ERR_VALUE(place))
		return place;
	err = remap_may_cut(r, len);
	if (err)
		return err;
	if (!lacks)
		lacks = remap_charge(r, len);
	if (lacks && !clear)
		return lacks;

	if (clear) {
		err = remap_clear(r, target);
		if (!err && lacks)
			err = remap_limits(r, len) ?: remap_charge(r, len);
		if (err)
			return err;
	}
	if (!(r->flags & MREMAP_FIXED))
		r->to = place;
	return remap_move(r);
}

/* Is the address space behind the area free for @delta more bytes? */
static bool remap_can_grow(struct vm_area_struct *vma, unsigned long delta)
{
	unsigned long end = vma->vm_end + delta;

	return end >= delta &&
	       !find_vma_intersection(vma->vm_mm, vma->vm_end, end) &&
	       !offset_in_page(get_unmapped_area(NULL, vma->vm_start,
						 end - vma->vm_start, 0,
						 MAP_FIXED));
}

/* Make the area, of which the mapping is the end, larger where it is. */
static unsigned long remap_grow(struct remap *r)
{
	VMA_ITERATOR(vmi, r->mm, r->addr);
	unsigned long delta = r->new_len - r->old_len;
	struct vm_area_struct *vma;

	if (remap_charge(r, r->old_len))
		return -ENOMEM;
	vma = area_grow(&vmi, r->vma, delta);
	if (!vma) {
		remap_uncharge(r);
		return -ENOMEM;
	}
	vm_stat_account(r->mm, vma->vm_flags, delta >> PAGE_SHIFT);
	if (vma->vm_flags & VM_LOCKED) {
		r->mm->locked_vm += delta >> PAGE_SHIFT;
		r->populate = true;
	}
	return r->addr;
}

static unsigned long remap_shrink(struct remap *r)
{
	VMA_ITERATOR(vmi, r->mm, r->addr + r->new_len);
	int err = area_unmap(&vmi, r->mm, r->addr + r->new_len,
			     r->old_len - r->new_len, NULL, true);

	r->unlocked = !err;
	return err ? err : r->addr;
}

/* With mmap_lock held and arguments checked: which kind of call is it? */
static unsigned long remap_run(struct remap *r)
{
	int err;

	r->vma = vma_lookup(r->mm, r->addr);
	if (!r->vma)
		return -EFAULT;
	if (!can_modify_vma(r->vma))
		return -EPERM;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return remap_to(r);
	if (r->old_len == r->new_len)
		return r->addr;
	if (r->old_len > r->new_len)
		return remap_shrink(r);

	err = remap_check(r, r->old_len) ?: remap_limits(r, r->old_len);
	if (err)
		return err;
	if (r->old_len == r->vma->vm_end - r->addr &&
	    remap_can_grow(r->vma, r->new_len - r->old_len))
		return remap_grow(r);

	if (!(r->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	r->to = remap_place(r, 0);
	if (IS_ERR_VALUE(r->to))
		return r->to;
	err = remap_may_cut(r, r->old_len) ?: remap_charge(r, r->old_len);
	return err ? err : remap_move(r);
}

SYSCALL_DEFINE5(mremap, unsigned long, addr, unsigned long, old_len,
		unsigned long, new_len, unsigned long, flags,
		unsigned long, new_addr)
{
	/* As in mmap(), an address to be given out must not have a tag. */
	struct remap r = {
		.mm = current->mm,
		.addr = untagged_addr(addr),
		.old_len = PAGE_ALIGN(old_len),
		.new_len = PAGE_ALIGN(new_len),
		.to = new_addr,
		.flags = flags,
	};
	unsigned long ret, added;

	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) &&
	    !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && old_len != new_len)
		return -EINVAL;
	if (offset_in_page(r.addr) || !r.new_len)
		return -EINVAL;

	if (mmap_write_lock_killable(r.mm))
		return -EINTR;
	added = r.new_len > r.old_len ? r.new_len - r.old_len : 0;
	ret = remap_run(&r);
	if (!r.unlocked)
		mmap_write_unlock(r.mm);
	if (r.populate && added && !IS_ERR_VALUE(ret))
		mm_populate(ret + r.new_len - added, added);
	return ret;
}
