// SPDX-License-Identifier: GPL-2.0
/*
 * Pin: references and pins on the pages of user memory.
 *
 * All of it is there, at its own address; no page has to be faulted in or
 * copied first. So every call comes to the same: look up the area of each
 * page, and take the page. grab.c gives it back.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "nommu.h"
#include "../pin.h"

/* What an area must allow. */
static vm_flags_t pin_right(unsigned int flags)
{
	if (flags & FOLL_WRITE)
		return flags & FOLL_FORCE ? VM_MAYWRITE : VM_WRITE;
	return flags & FOLL_FORCE ? VM_MAYREAD : VM_READ;
}

/* The page of an address, or NULL if the caller may not have it. */
static struct page *pin_page(struct mm_struct *mm, unsigned long addr,
			     unsigned int flags)
{
	struct vm_area_struct *area = find_vma(mm, addr);
	struct page *page;

	/* A device's memory has no struct pages. */
	if (!area || (area->vm_flags & (VM_IO | VM_PFNMAP)) ||
	    !(area->vm_flags & pin_right(flags)))
		return NULL;
	page = virt_to_page((void *)addr);
	return try_grab_folio(page_folio(page), 1, flags) ? NULL : page;
}

/* All calls; @locked is 0 if mmap_lock is to be taken, and is 0 again then. */
static long pin_call(struct mm_struct *mm, unsigned long addr,
		     unsigned long nr, unsigned int given, unsigned int add,
		     struct page **pages, int locked)
{
	unsigned int flags = given | add;
	unsigned long got;

	if (pages && !(flags & FOLL_PIN))
		flags |= FOLL_GET;
	if (!pin_flags_ok(given, flags, pages, NULL))
		return -EINVAL;
	if (!nr)
		return 0;
	if (!locked && mmap_read_lock_killable(mm))
		return -EAGAIN;
	pin_mark_mm(mm, flags);
	for (got = 0; got < nr; got++) {
		struct page *page = pin_page(mm, addr, flags);

		if (!page)
			break;
		if (pages)
			pages[got] = page;
		addr = (addr & PAGE_MASK) + PAGE_SIZE;
	}
	if (!locked)
		mmap_read_unlock(mm);
	return got ? got : -EFAULT;
}

/**
 * get_user_pages_remote - get pages of any address space
 * @mm: the address space, mmap_lock held for reading
 * @start: user address
 * @nr_pages: how many pages
 * @gup_flags: FOLL_*
 * @pages: where to put them, or NULL to look only
 * @locked: 1 or NULL; the lock is not dropped
 *
 * Return: how many were had, or -EFAULT if none.
 */
long get_user_pages_remote(struct mm_struct *mm, unsigned long start,
			   unsigned long nr_pages, unsigned int gup_flags,
			   struct page **pages, int *locked)
{
	return pin_call(mm, start, nr_pages, gup_flags, 0, pages, 1);
}
EXPORT_SYMBOL(get_user_pages_remote);

/* As get_user_pages_remote(), pinning instead of referencing. */
long pin_user_pages_remote(struct mm_struct *mm, unsigned long start,
			   unsigned long nr_pages, unsigned int gup_flags,
			   struct page **pages, int *locked)
{
	return pin_call(mm, start, nr_pages, gup_flags, FOLL_PIN, pages, 1);
}
EXPORT_SYMBOL(pin_user_pages_remote);

/* As get_user_pages_remote(), of the current address space. */
long get_user_pages(unsigned long start, unsigned long nr_pages,
		    unsigned int gup_flags, struct page **pages)
{
	return pin_call(current->mm, start, nr_pages, gup_flags, 0, pages, 1);
}
EXPORT_SYMBOL(get_user_pages);

/* As get_user_pages(), pinning instead of referencing. */
long pin_user_pages(unsigned long start, unsigned long nr_pages,
		    unsigned int gup_flags, struct page **pages)
{
	return pin_call(current->mm, start, nr_pages, gup_flags, FOLL_PIN,
			pages, 1);
}
EXPORT_SYMBOL(pin_user_pages);

/* As get_user_pages(); takes mmap_lock. */
long get_user_pages_unlocked(unsigned long start, unsigned long nr_pages,
			     struct page **pages, unsigned int gup_flags)
{
	return pin_call(current->mm, start, nr_pages, gup_flags, 0, pages, 0);
}
EXPORT_SYMBOL(get_user_pages_unlocked);

/* As get_user_pages_unlocked(), pinning instead of referencing. */
long pin_user_pages_unlocked(unsigned long start, unsigned long nr_pages,
			     struct page **pages, unsigned int gup_flags)
{
	return pin_call(current->mm, start, nr_pages, gup_flags, FOLL_PIN,
			pages, 0);
}
EXPORT_SYMBOL(pin_user_pages_unlocked);

/* As get_user_pages_unlocked(): without page tables there is no faster way. */
int get_user_pages_fast(unsigned long start, int nr_pages,
			unsigned int gup_flags, struct page **pages)
{
	if (nr_pages < 0)
		return 0;
	return get_user_pages_unlocked(start, nr_pages, pages, gup_flags);
}
EXPORT_SYMBOL_GPL(get_user_pages_fast);

/* As get_user_pages_fast(), pinning instead of referencing. */
int pin_user_pages_fast(unsigned long start, int nr_pages,
			unsigned int gup_flags, struct page **pages)
{
	if (nr_pages < 0)
		return 0;
	return pin_user_pages_unlocked(start, nr_pages, pages, gup_flags);
}
EXPORT_SYMBOL_GPL(pin_user_pages_fast);

/* Without sleeping nothing can be had. Return: 0. */
int get_user_pages_fast_only(unsigned long start, int nr_pages,
			     unsigned int gup_flags, struct page **pages)
{
	return 0;
}
EXPORT_SYMBOL_GPL(get_user_pages_fast_only);

#ifdef CONFIG_ELF_CORE
/**
 * get_dump_page - a page of the current process for its core dump
 * @addr: user address
 *
 * Return: the page with a reference, or NULL for a hole.
 */
struct page *get_dump_page(unsigned long addr)
{
	struct page *page;

	return get_user_pages_unlocked(addr, 1, &page, FOLL_FORCE) == 1 ?
		page : NULL;
}
#endif
