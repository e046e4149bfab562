// SPDX-License-Identifier: GPL-2.0
/*
 * Enter: where the calls on this process's areas and on another's memory come
 * in, with and without an MMU.
 */
#include <linux/audit.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

#include "../internal.h"

/**
 * ksys_mmap_pgoff - the system call
 * @addr: where, or a hint
 * @len: how much in bytes
 * @prot: PROT_* bits
 * @flags: MAP_* bits
 * @fd: file descriptor, unless MAP_ANONYMOUS
 * @pgoff: offset in pages
 *
 * There are no huge pages to be had: MAP_HUGETLB is an error, or means nothing
 * to a machine without an MMU.
 *
 * Return: the address, or an error as mmap(2) has it.
 */
unsigned long ksys_mmap_pgoff(unsigned long addr, unsigned long len,
			      unsigned long prot, unsigned long flags,
			      unsigned long fd, unsigned long pgoff)
{
	const bool huge = IS_ENABLED(CONFIG_MMU) && (flags & MAP_HUGETLB);
	unsigned long ret = -EINVAL;
	struct file *file;

	if (flags & MAP_ANONYMOUS)
		return huge ? ret : vm_mmap_pgoff(NULL, addr, len, prot, flags,
						  pgoff);
	audit_mmap_fd(fd, flags);
	file = fget(fd);
	if (!file)
		return -EBADF;
	if (!huge)
		ret = vm_mmap_pgoff(file, addr, len, prot, flags, pgoff);
	fput(file);
	return ret;
}

#ifdef __ARCH_WANT_SYS_OLD_MMAP
/* The first mmap() of i386 and m68k: six words in memory, the offset in bytes. */
SYSCALL_DEFINE1(old_mmap, struct mmap_arg_struct __user *, arg)
{
	unsigned long a[6];

	if (copy_from_user(a, arg, sizeof(a)))
		return -EFAULT;
	if (offset_in_page(a[5]))
		return -EINVAL;
	return ksys_mmap_pgoff(a[0], a[1], a[2], a[3], a[4],
			       a[5] >> PAGE_SHIFT);
}
#endif

SYSCALL_DEFINE6(mmap_pgoff, unsigned long, addr, unsigned long, len,
		unsigned long, prot, unsigned long, flags,
		unsigned long, fd, unsigned long, pgoff)
{
	return ksys_mmap_pgoff(addr, len, prot, flags, fd, pgoff);
}

/**
 * access_process_vm - as access_remote_vm(), of a task's memory
 * @tsk: the task
 * @addr: address in its memory
 * @buf: kernel memory
 * @len: bytes
 * @gup_flags: FOLL_WRITE to write to it
 *
 * Return: bytes copied; 0 for a task that has no memory any more.
 */
int access_process_vm(struct task_struct *tsk, unsigned long addr, void *buf,
		      int len, unsigned int gup_flags)
{
	struct mm_struct *mm = get_task_mm(tsk);
	int done;

	if (!mm)
		return 0;
	done = access_remote_vm(mm, addr, buf, len, gup_flags);
	mmput(mm);
	return done;
}
EXPORT_SYMBOL_GPL(access_process_vm);
