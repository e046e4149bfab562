// SPDX-License-Identifier: GPL-2.0
/*
 * Access: copy to and from the memory of another process, for ptrace and
 * /proc/PID/mem.
 *
 * Its memory is at the same address for everybody. What is checked is that it
 * is its, and may be read or written at all.
 */
#include <linux/cacheflush.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "nommu.h"

/**
 * access_remote_vm - copy to or from an address space
 * @mm: the address space, kept by the caller
 * @addr: address in it
 * @buf: kernel memory
 * @len: bytes
 * @gup_flags: FOLL_WRITE to write to it
 *
 * Return: bytes copied: none outside its areas, and no more than up to the end
 * of one.
 */
int access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf,
		     int len, unsigned int gup_flags)
{
	bool write = gup_flags & FOLL_WRITE;
	vm_flags_t right = write ? VM_MAYWRITE : VM_MAYREAD;
	struct vm_area_struct *area;
	void *there = (void *)addr;

	if (addr + len < addr || mmap_read_lock_killable(mm))
		return 0;
	area = find_vma(mm, addr);
	if (area && (area->vm_flags & right)) {
		len = min_t(unsigned long, len, area->vm_end - addr);
		if (write)
			copy_to_user_page(area, NULL, addr, there, buf, len);
		else
			copy_from_user_page(area, NULL, addr, buf, there, len);
	} else {
		len = 0;
	}
	mmap_read_unlock(mm);
	return len;
}
