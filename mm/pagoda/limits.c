// SPDX-License-Identifier: GPL-2.0
/*
 * What a process may map.
 *
 * RLIMIT_AS, RLIMIT_DATA and RLIMIT_MEMLOCK are checked here, and the counts
 * they are checked against are kept here. The commit limit itself is
 * mm/util.c's, and the reserves that it leaves to users are reserve.c's.
 *
 * Lock rules: counts change with mmap_lock held for writing.
 */
#define pr_fmt(fmt) "mmap: " fmt

#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>

#include "area.h"

static bool ignore_rlimit_data;
core_param(ignore_rlimit_data, ignore_rlimit_data, bool, 0644);

/**
 * may_expand_vm - check RLIMIT_AS and RLIMIT_DATA
 * @mm: the caller's address space
 * @flags: VM_* bits of the pages to come
 * @npages: how many
 *
 * Return: whether there may be so many more.
 */
bool may_expand_vm(struct mm_struct *mm, vm_flags_t flags, unsigned long npages)
{
	unsigned long data = mm->data_vm + npages;

	if (mm->total_vm + npages > rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	if (!is_data_mapping(flags) ||
	    data <= rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return true;
	/* Programs that set it to 0 only mean brk(): let the hard limit count. */
	if (!rlimit(RLIMIT_DATA) &&
	    data <= rlimit_max(RLIMIT_DATA) >> PAGE_SHIFT)
		return true;

	pr_warn_once("%s (%d): %lu bytes of data are beyond RLIMIT_DATA (%lu)%s\n",
		     current->comm, current->pid, data << PAGE_SHIFT,
		     rlimit(RLIMIT_DATA), ignore_rlimit_data ? ", ignored" :
		     "; ignore_rlimit_data lets it pass");
	return ignore_rlimit_data;
}

/**
 * mlock_future_ok - check RLIMIT_MEMLOCK
 * @mm: the address space
 * @flags: VM_* bits of what is to come; fine if it is not locked
 * @bytes: how much
 *
 * Return: whether so much more may be locked.
 */
bool mlock_future_ok(struct mm_struct *mm, unsigned long flags,
		     unsigned long bytes)
{
	if (!(flags & VM_LOCKED) || capable(CAP_IPC_LOCK))
		return true;
	return mm->locked_vm + (bytes >> PAGE_SHIFT) <=
	       rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

/**
 * vm_stat_account - count pages by the kind of their area
 * @mm: the address space
 * @flags: VM_* bits of the area
 * @npages: how many came; negative if they went
 */
void vm_stat_account(struct mm_struct *mm, vm_flags_t flags, long npages)
{
	/* Read without a lock by /proc. */
	WRITE_ONCE(mm->total_vm, mm->total_vm + npages);
	if (is_exec_mapping(flags))
		mm->exec_vm += npages;
	else if (is_stack_mapping(flags))
		mm->stack_vm += npages;
	else if (is_data_mapping(flags))
		mm->data_vm += npages;
}
