// SPDX-License-Identifier: GPL-2.0
/*
 * Resize: mremap and brk, within the memory that is there.
 *
 * Behind a run of physical memory lies somebody else's, and nothing can be
 * moved since programs hold its address. So an area shrinks and grows again
 * inside its region, and a heap inside the room that exec has set aside.
 */
#include <linux/cacheflush.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/syscalls.h>

#include "nommu.h"

static unsigned long resize(unsigned long addr, unsigned long old_len,
			    unsigned long new_len)
{
	struct vm_area_struct *area;
	struct vm_region *region;
	int err;

	area = area_exact(current->mm, addr, addr + old_len);
	if (!area)
		return -EINVAL;
	if (is_nommu_shared_mapping(area->vm_flags))
		return -EPERM;
	region = area->vm_region;
	if (new_len > region->vm_end - region->vm_start)
		return -ENOMEM;
	err = area_set_end(area, addr + new_len);
	return err ? err : addr;
}

SYSCALL_DEFINE5(mremap, unsigned long, addr, unsigned long, old_len,
		unsigned long, new_len, unsigned long, flags,
		unsigned long, new_addr)
{
	struct mm_struct *mm = current->mm;
	unsigned long ret;

	old_len = PAGE_ALIGN(old_len);
	new_len = PAGE_ALIGN(new_len);
	if (!old_len || !new_len || offset_in_page(addr))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && new_addr != addr)
		return -EINVAL;
	mmap_write_lock(mm);
	ret = resize(addr, old_len, new_len);
	mmap_write_unlock(mm);
	return ret;
}

SYSCALL_DEFINE1(brk, unsigned long, brk)
{
	struct mm_struct *mm = current->mm;

	mmap_write_lock(mm);
	if (brk >= mm->start_brk && brk <= mm->context.end_brk) {
		/* A program may have put code there. */
		if (brk > mm->brk)
			flush_icache_user_range(mm->brk, brk);
		mm->brk = brk;
	}
	brk = mm->brk;
	mmap_write_unlock(mm);
	return brk;
}
