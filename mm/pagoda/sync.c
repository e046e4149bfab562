// SPDX-License-Identifier: GPL-2.0
/*
 * msync(): bring what was written through shared mappings to the disk.
 *
 * Dirty pages of shared files are known to the page cache as soon as they are
 * written to, so there is nothing to collect here: MS_SYNC is an fsync of the
 * mapped part of each file, MS_ASYNC has only its arguments checked, and
 * MS_INVALIDATE has nothing to invalidate, but is refused for locked areas.
 *
 * Locks: mmap_lock for reading, dropped while a file is written. A reference
 * keeps the file; areas are looked up again afterwards.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/syscalls.h>

/*
 * Write out [start, end) of an area that lies in it. mmap_lock is released
 * meanwhile, and afterwards.
 */
static int sync_area(struct vm_area_struct *vma, unsigned long start,
		     unsigned long end)
{
	loff_t first = start - vma->vm_start;
	struct file *file = get_file(vma->vm_file);
	int err;

	first += (loff_t)vma->vm_pgoff << PAGE_SHIFT;
	mmap_read_unlock(vma->vm_mm);
	err = vfs_fsync_range(file, first, first + (end - start) - 1, 1);
	fput(file);
	return err;
}

/* Holes are skipped, but remembered: the rest of the range is synced first. */
static int sync_range(struct mm_struct *mm, unsigned long start,
		      unsigned long end, int flags)
{
	int hole = 0, err = 0;

	mmap_read_lock(mm);
	while (!err && start < end) {
		struct vm_area_struct *vma = find_vma(mm, start);
		unsigned long stop;

		if (!vma || vma->vm_start >= end) {
			err = -ENOMEM;
			break;
		}
		if (start < vma->vm_start) {
			hole = -ENOMEM;
			if (flags == MS_ASYNC)
				break;
			start = vma->vm_start;
		}
		stop = min(end, vma->vm_end);
		if ((flags & MS_INVALIDATE) && (vma->vm_flags & VM_LOCKED)) {
			err = -EBUSY;
		} else if ((flags & MS_SYNC) && (vma->vm_flags & VM_SHARED) &&
			   vma->vm_file) {
			err = sync_area(vma, start, stop);
			if (err || stop == end)
				return err ?: hole;
			mmap_read_lock(mm);
		}
		start = stop;
	}
	mmap_read_unlock(mm);
	return err ?: hole;
}

SYSCALL_DEFINE3(msync, unsigned long, start, size_t, len, int, flags)
{
	start = untagged_addr(start);
	if ((flags & ~(MS_SYNC | MS_ASYNC | MS_INVALIDATE)) ||
	    (flags & (MS_SYNC | MS_ASYNC)) == (MS_SYNC | MS_ASYNC) ||
	    offset_in_page(start))
		return -EINVAL;
	/* A length just below 2^64 rounds up to nothing, and nothing is fine. */
	len = PAGE_ALIGN(len);
	if (start + len < start)
		return -ENOMEM;
	if (!len)
		return 0;

	return sync_range(current->mm, start, start + len, flags);
}
