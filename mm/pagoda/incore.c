// SPDX-License-Identifier: GPL-2.0
/*
 * mincore(): which pages of a range could be accessed without I/O.
 *
 * A page with an entry is in memory. A page without one is if the page cache
 * of its file has it, up to date; anonymous memory has no other place to be.
 * Whoever could not write a mapped file is told that all of it is in memory,
 * so that the call shows nobody what others read (CVE-2019-5489).
 *
 * Locks: mmap_lock for reading, and the table's lock while its entries are
 * read. The answer can be out of date before the caller sees it.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include "calls.h"

/* How many pages are answered for at a time: a page of bytes. */
#define INCORE_CHUNK	PAGE_SIZE

/* Ask the page cache about @nr pages from @addr on, which have no entry. */
static void incore_cache(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long nr, unsigned char *vec)
{
	pgoff_t first = linear_page_index(vma, addr), next = first;
	pgoff_t last = first + nr - 1;
	struct folio_batch found;
	unsigned int i;

	folio_batch_init(&found);
	while (next <= last &&
	       filemap_get_folios(vma->vm_file->f_mapping, &next, last,
				  &found)) {
		for (i = 0; i < folio_batch_count(&found); i++) {
			struct folio *folio = found.folios[i];
			pgoff_t from = max(folio->index, first);
			pgoff_t to = min(folio_next_index(folio), last + 1);

			if (folio_test_uptodate(folio) && from < to)
				memset(vec + (from - first), 1, to - from);
		}
		folios_put(&found);
	}
}

/* Answer for @nr pages of an area from @addr on, one byte a page. */
static void incore_area(struct vm_area_struct *vma, unsigned long addr,
			unsigned long nr, unsigned char *vec)
{
	unsigned char *at, *end = vec + nr;
	unsigned long i, n, mapped = 0;
	struct pt_cursor c;

	memset(vec, 0, nr);
	pt_open(&c, vma->vm_mm, addr, addr + (nr << PAGE_SHIFT));
	/* Frames of a device are not memory that could be paged in. */
	while (!(vma->vm_flags & VM_PFNMAP) && pt_next(&c)) {
		at = vec + ((c.addr - addr) >> PAGE_SHIFT);
		n = (c.stop - c.addr) >> PAGE_SHIFT;
		for (i = 0; i < n; i++) {
			at[i] = !pte_none_mostly(ptep_get(c.pte + i));
			mapped += at[i];
		}
		pt_step_by(&c, n);
		pt_release(&c);
		cond_resched();
	}
	if (!vma->vm_file || mapped == nr)
		return;

	/* The cache is asked for one run of pages without entries at a time. */
	for (at = memchr(vec, 0, nr); at; at = memchr(at, 0, end - at)) {
		unsigned char *stop = memchr(at, 1, end - at) ?: end;

		incore_cache(vma, addr + ((at - vec) << PAGE_SHIFT), stop - at,
			     at);
		at = stop;
	}
}

/*
 * Answer for as many of @pages pages as one area has. Return how many, or
 * -ENOMEM if there is no area at @addr.
 */
static long incore_chunk(struct mm_struct *mm, unsigned long addr,
			 unsigned long pages, unsigned char *vec)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	vma = vma_lookup(mm, addr);
	if (!vma)
		return -ENOMEM;
	pages = min(pages, (vma->vm_end - addr) >> PAGE_SHIFT);
	if (vma_is_anonymous(vma) ||
	    (vma->vm_file && call_owns_cache(vma->vm_file)))
		incore_area(vma, addr, pages, vec);
	else
		memset(vec, 1, pages);
	return pages;
}

SYSCALL_DEFINE3(mincore, unsigned long, start, size_t, len,
		unsigned char __user *, vec)
{
	unsigned long pages = len / PAGE_SIZE + !!offset_in_page(len);
	struct mm_struct *mm = current->mm;
	unsigned char *answer;
	long nr = 0;

	start = untagged_addr(start);
	if (offset_in_page(start))
		return -EINVAL;
	if (!access_ok((void __user *)start, len))
		return -ENOMEM;
	if (!access_ok(vec, pages))
		return -EFAULT;
	answer = (unsigned char *)__get_free_page(GFP_USER);
	if (!answer)
		return -EAGAIN;

	for (; pages; pages -= nr, start += nr << PAGE_SHIFT, vec += nr) {
		mmap_read_lock(mm);
		nr = incore_chunk(mm, start, min(pages, INCORE_CHUNK), answer);
		mmap_read_unlock(mm);
		/* The caller's bytes may fault: not under mmap_lock. */
		if (nr > 0 && copy_to_user(vec, answer, nr))
			nr = -EFAULT;
		if (nr < 0)
			break;
	}
	free_page((unsigned long)answer);
	return min(nr, 0L);
}
