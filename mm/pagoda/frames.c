// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at, and working on, entries as such: for drivers and for kernel
 * code that keeps tables of its own.
 *
 * Guarantees: follow_pfnmap_start() shows an entry of a frame, and it stays
 * until follow_pfnmap_end(). apply_to_page_range() shows a function the
 * entries of a range, one by one, in user or kernel tables.
 *
 * Locks: mmap_lock (or, to follow, the file's i_mmap_rwsem) keeps user tables
 * in place; a range of kernel addresses belongs to who works on it.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "../internal.h"
#include "fault.h"

static void frames_assert_locked(struct vm_area_struct *vma)
{
	struct file *file __maybe_unused = vma->vm_file;

	lockdep_assert((file &&
			lockdep_is_held(&file->f_mapping->i_mmap_rwsem)) ||
		       lockdep_is_held(&vma->vm_mm->mmap_lock));
}

/**
 * follow_pfnmap_start - find the frame that a driver's area has at an address
 * @args: the area and the address; the rest is filled in
 *
 * On success a table is locked until follow_pfnmap_end(), and what @args says
 * is true that long. Frames that are freed need an MMU notifier beyond that.
 *
 * Return: 0, or -EINVAL without a frame, and nothing is locked
 */
int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct vm_area_struct *vma = args->vma;
	unsigned long addr = args->address & PAGE_MASK;
	struct pt_cursor c;
	pte_t entry;

	frames_assert_locked(vma);
	if (addr < vma->vm_start || addr >= vma->vm_end)
		return -EINVAL;
	if (!(vma->vm_flags & (VM_IO | VM_PFNMAP)))
		return -EINVAL;

	pt_open(&c, vma->vm_mm, addr, addr + PAGE_SIZE);
	if (!pt_next(&c))
		return -EINVAL;
	entry = pt_get(&c);
	if (!pte_present(entry)) {
		pt_release(&c);
		return -EINVAL;
	}
	args->lock = c.ptl;
	args->ptep = c.pte;
	args->pfn = pte_pfn(entry);
	args->pgprot = pte_pgprot(entry);
	args->writable = pte_write(entry);
	args->special = pte_special(entry);
	return 0;
}
EXPORT_SYMBOL_GPL(follow_pfnmap_start);

/**
 * follow_pfnmap_end - done with what follow_pfnmap_start() has shown
 * @args: as it left them
 */
void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
	pt_table_unmap(args->ptep);
	spin_unlock(args->lock);
}
EXPORT_SYMBOL_GPL(follow_pfnmap_end);

#ifdef CONFIG_HAVE_IOREMAP_PROT
static bool frames_same(const struct follow_pfnmap_args *a,
			const struct follow_pfnmap_args *b)
{
	return a->pfn == b->pfn && a->writable == b->writable &&
	       pgprot_val(a->pgprot) == pgprot_val(b->pgprot);
}

/**
 * generic_access_phys - read or write a device's memory for a debugger
 * @vma: an area of frames
 * @addr: user address
 * @buf: what to write, or where to read to
 * @len: bytes
 * @write: FOLL_WRITE to write
 *
 * A vm_ops->access for who maps frames that follow one another. The mapping
 * into the kernel sleeps, so the entry is looked at again behind it.
 *
 * Return: @len or an error
 */
int generic_access_phys(struct vm_area_struct *vma, unsigned long addr,
			void *buf, int len, int write)
{
	struct follow_pfnmap_args seen = { .vma = vma, .address = addr };
	struct follow_pfnmap_args now = seen;
	unsigned int offset = offset_in_page(addr);
	void __iomem *mem;

	for (;;) {
		if (follow_pfnmap_start(&seen))
			return -EINVAL;
		follow_pfnmap_end(&seen);
		if ((write & FOLL_WRITE) && !seen.writable)
			return -EINVAL;

		mem = ioremap_prot(PFN_PHYS(seen.pfn), PAGE_ALIGN(offset + len),
				   pgprot_val(seen.pgprot));
		if (!mem)
			return -ENOMEM;
		if (follow_pfnmap_start(&now)) {
			iounmap(mem);
			return -EINVAL;
		}
		if (likely(frames_same(&seen, &now)))
			break;
		follow_pfnmap_end(&now);
		iounmap(mem);
	}
	if (write)
		memcpy_toio(mem + offset, buf, len);
	else
		memcpy_fromio(buf, mem + offset, len);
	follow_pfnmap_end(&now);
	iounmap(mem);
	return len;
}
EXPORT_SYMBOL_GPL(generic_access_phys);
#endif

/* Show @fn the entries of one table from @addr on. */
static int frames_apply(pte_t *pte, unsigned long addr, unsigned long stop,
			pte_fn_t fn, void *data, bool all)
{
	int err = 0;

	arch_enter_lazy_mmu_mode();
	for (; addr != stop && !err; addr += PAGE_SIZE, pte++) {
		if (all || !pte_none(ptep_get(pte)))
			err = fn(pte, addr, data);
	}
	arch_leave_lazy_mmu_mode();
	return err;
}

static int frames_apply_range(struct mm_struct *mm, unsigned long addr,
			      unsigned long size, pte_fn_t fn, void *data,
			      bool make)
{
	unsigned long end = addr + size;
	struct pt_cursor *c;
	struct pt_edit e;
	int err;

	if (WARN_ON_ONCE(addr >= end))
		return -EINVAL;
	err = pt_edit_open(&e, mm, addr, end);
	c = &e.c;
	while (!err && c->addr < end) {
		unsigned long stop;
		pte_t *pte;

		if (make)
			err = pt_edit_fill(&e);
		else if (!pt_edit_next(&e))
			break;
		if (err)
			break;
		pte = c->pte;
		stop = c->stop;
		/* Kernel tables stay, and @fn may sleep or take their lock. */
		if (mm == &init_mm)
			pt_edit_release(&e);
		if (fn)
			err = frames_apply(pte, c->addr, stop, fn, data, make);
		pt_edit_release(&e);
		c->addr = stop;
	}
	/* Tables made high up may have to be shown to other processes. */
	if (mm == &init_mm && make && ARCH_PAGE_TABLE_SYNC_MASK)
		arch_sync_kernel_mappings(addr, end);
	return err;
}

/**
 * apply_to_page_range - show a function every entry of a range
 * @mm: the address space; &init_mm for kernel addresses
 * @addr: first address, page-aligned
 * @size: bytes
 * @fn: called with each entry, and with its table locked in user tables; may
 *      change it, but not into one that counts; stops the walk with an error.
 *      NULL: only make the tables
 * @data: handed to @fn
 *
 * Tables that are missing are made. Locks: mmap_lock for user addresses.
 *
 * Return: 0, -ENOMEM, or the error of @fn
 */
int apply_to_page_range(struct mm_struct *mm, unsigned long addr,
			unsigned long size, pte_fn_t fn, void *data)
{
	return frames_apply_range(mm, addr, size, fn, data, true);
}
EXPORT_SYMBOL_GPL(apply_to_page_range);

/**
 * apply_to_existing_page_range - the same, for entries that are not empty
 * @mm: the address space; &init_mm for kernel addresses
 * @addr: first address, page-aligned
 * @size: bytes
 * @fn: as for apply_to_page_range()
 * @data: handed to @fn
 *
 * Return: 0, or the error of @fn
 */
int apply_to_existing_page_range(struct mm_struct *mm, unsigned long addr,
				 unsigned long size, pte_fn_t fn, void *data)
{
	return frames_apply_range(mm, addr, size, fn, data, false);
}
EXPORT_SYMBOL_GPL(apply_to_existing_page_range);
