// SPDX-License-Identifier: GPL-2.0
/*
 * Populate: fault user memory in before it is needed.
 *
 * For mlock and MAP_POPULATE (areas), for MADV_POPULATE_* (with their own
 * errors), and for those who resolve one fault by hand (fixup_user_fault(),
 * used by futexes). Callers who must not fault later are faultin.c's.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/uaccess.h>
#include <asm/mmu_context.h>
#include "pin.h"
#include "../internal.h"

/**
 * populate_vma_page_range - fault in part of an area
 * @vma: the area
 * @start: first address (page-aligned)
 * @end: end of the part (page-aligned, exclusive)
 * @locked: set to 0 if mmap_lock was dropped; NULL if it must not be
 *
 * Private writable memory is made the process's own at once; the rest is only
 * read. Locks: mmap_lock.
 *
 * Return: the number of pages dealt with, or an error if there was none.
 */
long populate_vma_page_range(struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, int *locked)
{
	int held = 1;
	struct pin_request r = {
		.mm = vma->vm_mm,
		.addr = start,
		.nr = (end - start) >> PAGE_SHIFT,
		.flags = FOLL_TOUCH,
		.locked = locked ?: &held,
	};
	long err;

	mmap_assert_locked(r.mm);
	VM_WARN_ON_ONCE(start < vma->vm_start || end > vma->vm_end);
	/* Locked on fault means: not before. */
	if (vma->vm_flags & VM_LOCKONFAULT)
		return r.nr;
	if (!vma_is_accessible(vma))
		return -EFAULT;

	/* FOLL_FORCE, so that execute-only and write-only areas fill too. */
	if ((vma->vm_flags & (VM_SHARED | VM_WRITE)) == VM_WRITE)
		r.flags |= FOLL_WRITE;
	else
		r.flags |= FOLL_FORCE;
	if (locked)
		r.flags |= FOLL_UNLOCKABLE;
	err = pin_run(&r);
	lru_add_drain();
	return r.done ?: err;
}

/**
 * faultin_page_range - fault in a range for MADV_POPULATE_READ or _WRITE
 * @mm: the address space, mmap_lock held for reading
 * @start: first address (page-aligned)
 * @end: end (page-aligned, exclusive)
 * @write: as if written to
 * @locked: 1; set to 0 if the lock was dropped
 *
 * Return: pages dealt with; -ENOMEM at a hole, -EINVAL for an area that cannot
 * be populated like that, -EHWPOISON, -EFAULT, -EINTR.
 */
long faultin_page_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, bool write, int *locked)
{
	struct pin_request r = {
		.mm = mm,
		.addr = start,
		.nr = (end - start) >> PAGE_SHIFT,
		.flags = FOLL_TOUCH | FOLL_HWPOISON | FOLL_UNLOCKABLE |
			 FOLL_MADV_POPULATE | (write ? FOLL_WRITE : 0),
		.locked = locked,
	};
	long got = pin_run_locked(&r);

	lru_add_drain();
	return got;
}

/**
 * __mm_populate - fault in what a range of the current process has mapped
 * @start: first address (page-aligned)
 * @len: bytes (page-aligned)
 * @ignore_errors: go on with the next area behind one that fails
 *
 * mmap_lock is taken and dropped here. Return: 0 or the first error.
 */
int __mm_populate(unsigned long start, unsigned long len, int ignore_errors)
{
	unsigned long addr = start, end = start + len, stop;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int locked = 0;
	long got = 0;

	while (addr < end) {
		if (!locked) {
			mmap_read_lock(mm);
			locked = 1;
		}
		vma = find_vma_intersection(mm, addr, end);
		if (!vma)
			break;
		addr = max(addr, vma->vm_start);
		stop = min(end, vma->vm_end);
		if (!(vma->vm_flags & (VM_IO | VM_PFNMAP))) {
			got = populate_vma_page_range(vma, addr, stop, &locked);
			if (got < 0 && !ignore_errors)
				break;
			if (got >= 0)
				stop = addr + (got << PAGE_SHIFT);
		}
		got = 0;
		addr = stop;
	}
	if (locked)
		mmap_read_unlock(mm);
	return got;
}

static bool fixup_allowed(struct vm_area_struct *vma, unsigned int fault_flags)
{
	bool write = fault_flags & FAULT_FLAG_WRITE;

	return (vma->vm_flags & (write ? VM_WRITE : VM_READ)) &&
	       arch_vma_access_permitted(vma, write, false,
					 fault_flags & FAULT_FLAG_REMOTE);
}

/**
 * fixup_user_fault - resolve a fault as if user code had run into it
 * @mm: the address space, mmap_lock held for reading
 * @address: user address
 * @fault_flags: FAULT_FLAG_WRITE, FAULT_FLAG_REMOTE
 * @unlocked: set to true if the lock was dropped and taken again, so that
 *            areas may have changed; NULL if that must not happen
 *
 * Return: 0; -EFAULT (also for lost memory), -ENOMEM, -EINTR.
 */
int fixup_user_fault(struct mm_struct *mm, unsigned long address,
		     unsigned int fault_flags, bool *unlocked)
{
	struct vm_area_struct *vma;
	vm_fault_t ret;

	address = untagged_addr_remote(mm, address);
	if (unlocked)
		fault_flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE;
	for (;;) {
		vma = vma_lookup(mm, address);
		if (!vma || !fixup_allowed(vma, fault_flags))
			return -EFAULT;
		if ((fault_flags & FAULT_FLAG_KILLABLE) &&
		    fatal_signal_pending(current))
			return -EINTR;
		ret = handle_mm_fault(vma, address, fault_flags, NULL);
		if (ret & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)) {
			/* The caller expects the lock. */
			mmap_read_lock(mm);
			*unlocked = true;
		}
		if (ret & VM_FAULT_COMPLETED)
			return 0;
		if (ret & VM_FAULT_ERROR)
			return vm_fault_to_errno(ret, 0);
		if (!(ret & VM_FAULT_RETRY))
			return 0;
		fault_flags |= FAULT_FLAG_TRIED;
	}
}
EXPORT_SYMBOL_GPL(fixup_user_fault);

#ifdef CONFIG_ELF_CORE
/**
 * get_dump_page - a page of the current process for its core dump
 * @addr: user address (page-aligned)
 *
 * Return: the page with a reference, or NULL for a hole: nothing there, or
 * only zeroes that were never written.
 */
struct page *get_dump_page(unsigned long addr)
{
	struct page *page;
	int locked = 0;
	struct pin_request r = {
		.mm = current->mm,
		.addr = addr,
		.nr = 1,
		.flags = FOLL_FORCE | FOLL_DUMP | FOLL_GET,
		.pages = &page,
		.locked = &locked,
	};

	return pin_run_locked(&r) == 1 ? page : NULL;
}
#endif
