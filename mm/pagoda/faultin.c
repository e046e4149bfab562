// SPDX-License-Identifier: GPL-2.0
/*
 * Fault in: have user memory there for callers who must not fault later.
 *
 * By using it, a byte of each page. With and without an MMU.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

/* Bytes from @at to the end of @size bytes at @start: what was not reached. */
static size_t fault_in_left(unsigned long start, size_t size, unsigned long at)
{
	return at - start < size ? size - (at - start) : 0;
}

/* The page behind @at, or 0 behind the last one there is. */
static unsigned long fault_in_next(unsigned long at)
{
	return (at & PAGE_MASK) + PAGE_SIZE;
}

/**
 * fault_in_writeable - have user memory writable by faulting it in
 * @uaddr: user address
 * @size: bytes
 *
 * Zeroes a byte of each page, so only for memory that will be overwritten.
 * Return: the number of bytes that could not be faulted in.
 */
size_t fault_in_writeable(char __user *uaddr, size_t size)
{
	unsigned long start = (unsigned long)uaddr, at = start;

	if (!size)
		return 0;
	if (!user_write_access_begin(uaddr, size))
		return size;
	do {
		unsafe_put_user(0, (char __user *)at, stop);
		at = fault_in_next(at);
	} while (at && at - start < size);
	user_write_access_end();
	return 0;
stop:
	user_write_access_end();
	return fault_in_left(start, size, at);
}
EXPORT_SYMBOL(fault_in_writeable);

/* As fault_in_writeable(), where protection is finer than a page (MTE). */
size_t fault_in_subpage_writeable(char __user *uaddr, size_t size)
{
	size_t done = size - fault_in_writeable(uaddr, size);

	if (done)
		done -= probe_subpage_writeable(uaddr, done);
	return size - done;
}
EXPORT_SYMBOL(fault_in_subpage_writeable);

/* As fault_in_writeable(), leaving the contents alone. Takes mmap_lock. */
size_t fault_in_safe_writeable(const char __user *uaddr, size_t size)
{
	unsigned long start = (unsigned long)uaddr, at = start;
	struct mm_struct *mm = current->mm;
	bool unlocked = false;

	/* Without an MMU memory is always there, and nothing faults. */
	if (!size || !IS_ENABLED(CONFIG_MMU))
		return 0;
	mmap_read_lock(mm);
	do {
		if (fixup_user_fault(mm, at, FAULT_FLAG_WRITE, &unlocked))
			break;
		at = fault_in_next(at);
	} while (at && at - start < size);
	mmap_read_unlock(mm);
	return at ? fault_in_left(start, size, at) : 0;
}
EXPORT_SYMBOL(fault_in_safe_writeable);

/**
 * fault_in_readable - have user memory readable by faulting it in
 * @uaddr: user address
 * @size: bytes
 *
 * Return: the number of bytes that could not be faulted in.
 */
size_t fault_in_readable(const char __user *uaddr, size_t size)
{
	unsigned long start = (unsigned long)uaddr, at = start;
	char byte;

	if (!size)
		return 0;
	if (!user_read_access_begin(uaddr, size))
		return size;
	do {
		unsafe_get_user(byte, (const char __user *)at, stop);
		at = fault_in_next(at);
	} while (at && at - start < size);
	user_read_access_end();
	(void)byte;
	return 0;
stop:
	user_read_access_end();
	return fault_in_left(start, size, at);
}
EXPORT_SYMBOL(fault_in_readable);
