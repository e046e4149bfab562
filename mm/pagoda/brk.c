// SPDX-License-Identifier: GPL-2.0
/*
 * The heap: brk(), and the zeroed memory that program loaders ask for.
 *
 * Heap memory is a private anonymous area that grows and shrinks in place as
 * long as its flags stay the same; else a new one begins where it ends.
 *
 * Lock rules: both calls take mmap_lock for writing themselves.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/perf_event.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/swap.h>
#include <linux/syscalls.h>

#include "area.h"

/*
 * Map zeroed memory in a hole. @vmi stands in it; @below is the area that
 * touches the range from below, or NULL.
 */
static int brk_map(struct vma_iterator *vmi, struct vm_area_struct *below,
		   unsigned long addr, unsigned long len, vm_flags_t flags)
{
	struct mm_struct *mm = current->mm;
	unsigned long pages = len >> PAGE_SHIFT;
	struct area_sketch want = {
		.start	= addr,
		.end	= addr + len,
		.pgoff	= addr >> PAGE_SHIFT,
	};
	struct vm_area_struct *vma;

	flags |= VM_DATA_DEFAULT_FLAGS | VM_ACCOUNT | mm->def_flags;
	want.flags = flags;
	if (!may_expand_vm(mm, flags, pages) ||
	    mm->map_count > sysctl_max_map_count ||
	    security_vm_enough_memory_mm(mm, pages))
		return -ENOMEM;

	vma = area_join(vmi, &want, below, NULL);
	if (!vma) {
		vma = area_alloc(mm);
		if (!vma)
			goto nomem;
		vma_set_anonymous(vma);
		vma_set_range(vma, addr, addr + len, want.pgoff);
		vm_flags_init(vma, flags);
		vma->vm_page_prot = vm_get_page_prot(flags);
		if (area_insert(vmi, vma, GFP_KERNEL)) {
			area_release(vma);
			goto nomem;
		}
	}
	perf_event_mmap(vma);
	vm_stat_account(mm, flags, pages);
	if (flags & VM_LOCKED)
		mm->locked_vm += pages;
	return 0;

nomem:
	vm_unacct_memory(pages);
	return -ENOMEM;
}

static int brk_limits(unsigned long addr, unsigned long len)
{
	unsigned long at = get_unmapped_area(NULL, addr, len, 0, MAP_FIXED);

	if (IS_ERR_VALUE(at))
		return at;
	return mlock_future_ok(current->mm, current->mm->def_flags, len) ?
	       0 : -EAGAIN;
}

static unsigned long brk_lowest(struct mm_struct *mm)
{
#ifdef CONFIG_COMPAT_BRK
	/* Old programs have the heap right behind their data. */
	if (!current->brk_randomized)
		return mm->end_data;
#endif
	return mm->start_brk;
}

/* Return: whether the heap now ends at @end; both are page-aligned. */
static bool brk_grow(struct mm_struct *mm, unsigned long start,
		     unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *below, *above;
	struct ma_state side;

	if (brk_limits(start, end - start) ||
	    !area_gap(&vmi, start, end, &below, &above))
		return false;
	/* A page stays free above, and the guard gap of a stack. */
	if (vmi.mas.last - (end - 1) <=
	    PAGE_SIZE + max(stack_guard_gap, PAGE_SIZE)) {
		side = vmi.mas;
		above = mas_next(&side, ULONG_MAX);
		if (above && end + PAGE_SIZE > vm_start_gap(above))
			return false;
	}
	if (below && below->vm_end <= mm->start_brk)
		below = NULL;
	return !brk_map(&vmi, below, start, end - start, 0);
}

/* Return: whether it does, and then mmap_lock is dropped. */
static bool brk_shrink(struct mm_struct *mm, unsigned long start,
		       unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma = vma_find(&vmi, end);

	return vma && !do_vmi_align_munmap(&vmi, vma, mm, start, end, NULL,
					   true);
}

SYSCALL_DEFINE1(brk, unsigned long, brk)
{
	struct mm_struct *mm = current->mm;
	unsigned long old, old_end, new_end;
	bool populate = false;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	old = mm->brk;
	old_end = PAGE_ALIGN(old);
	new_end = PAGE_ALIGN(brk);
	if (brk < brk_lowest(mm) ||
	    check_data_rlimit(rlimit(RLIMIT_DATA), brk, mm->start_brk,
			      mm->end_data, mm->start_data))
		goto refuse;

	if (brk < old && new_end != old_end) {
		/* Set before the lock that guards it may be dropped. */
		mm->brk = brk;
		if (brk_shrink(mm, new_end, old_end))
			return brk;
		mm->brk = old;
		goto refuse;
	}
	if (new_end != old_end) {
		if (!brk_grow(mm, old_end, new_end))
			goto refuse;
		populate = mm->def_flags & VM_LOCKED;
	}
	mm->brk = brk;
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(old_end, new_end - old_end);
	return brk;

refuse:
	mmap_write_unlock(mm);
	return old;
}

/**
 * vm_brk_flags - map zeroed memory at an address, in place of what is there
 * @addr: where (page-aligned)
 * @request: how much in bytes; rounded up to pages
 * @flags: 0 or VM_EXEC
 *
 * For loaders of programs: what a segment has beyond its file.
 *
 * Return: 0; -ENOMEM if there is no room or memory, -EINVAL for other flags,
 * -EINTR, -EAGAIN (RLIMIT_MEMLOCK), -EPERM. What was mapped there may be gone
 * even so: the program that was to be run is not.
 */
int vm_brk_flags(unsigned long addr, unsigned long request, unsigned long flags)
{
	VMA_ITERATOR(vmi, current->mm, addr);
	struct mm_struct *mm = current->mm;
	unsigned long len = PAGE_ALIGN(request);
	struct vm_area_struct *below, *above;
	bool populate;
	int err;

	if (len < request)
		return -ENOMEM;
	if (!len)
		return 0;
	if (flags & ~VM_EXEC)
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;

	err = brk_limits(addr, len);
	if (!err)
		err = area_unmap(&vmi, mm, addr, len, NULL, false);
	if (!err) {
		vma_iter_set(&vmi, addr);
		area_gap(&vmi, addr, addr + len, &below, &above);
		err = brk_map(&vmi, below, addr, len, flags);
	}
	populate = !err && (mm->def_flags & VM_LOCKED);
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(addr, len);
	return err;
}
EXPORT_SYMBOL(vm_brk_flags);
