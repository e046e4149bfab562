// SPDX-License-Identifier: GPL-2.0
/*
 * Where areas go: finding free ranges, and finding areas.
 *
 * Ranges are sought from mmap_base downwards, or from it upwards in the old
 * layout, in the maple tree's record of holes. An area that grows downwards
 * keeps stack_guard_gap below it free; so does a shadow stack with a page.
 *
 * Lock rules: mmap_lock held, for writing where the result is to be used.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <trace/events/mmap.h>

#include "area.h"
#include "tree.h"

#ifdef CONFIG_HAVE_ARCH_MMAP_RND_BITS
int mmap_rnd_bits __read_mostly = CONFIG_ARCH_MMAP_RND_BITS;
int mmap_rnd_bits_max __ro_after_init = CONFIG_ARCH_MMAP_RND_BITS_MAX;
const int mmap_rnd_bits_min = CONFIG_ARCH_MMAP_RND_BITS_MIN;
#endif
#ifdef CONFIG_HAVE_ARCH_MMAP_RND_COMPAT_BITS
int mmap_rnd_compat_bits __read_mostly = CONFIG_ARCH_MMAP_RND_COMPAT_BITS;
const int mmap_rnd_compat_bits_max = CONFIG_ARCH_MMAP_RND_COMPAT_BITS_MAX;
const int mmap_rnd_compat_bits_min = CONFIG_ARCH_MMAP_RND_COMPAT_BITS_MIN;
#endif

/**
 * vm_unmapped_area - find a free range in the caller's address space
 * @info: length in bytes, limits, alignment and direction
 *
 * Return: the lowest suitable address (the highest with
 * VM_UNMAPPED_AREA_TOPDOWN), or -ENOMEM.
 */
unsigned long vm_unmapped_area(struct vm_unmapped_area_info *info)
{
	const bool down = info->flags & VM_UNMAPPED_AREA_TOPDOWN;
	/* What has room for the worst case of alignment has room for all. */
	const unsigned long room = info->length + info->align_mask +
				   info->start_gap;
	unsigned long low = max(info->low_limit, mmap_min_addr);
	unsigned long high = info->high_limit;
	unsigned long addr = -ENOMEM;

	while (room >= info->length) {
		VMA_ITERATOR(vmi, current->mm, 0);
		struct vm_area_struct *above;
		unsigned long found;

		if (down ? vma_iter_area_highest(&vmi, low, high, room)
			 : vma_iter_area_lowest(&vmi, low, high, room))
			break;
		if (down) {
			found = vma_iter_end(&vmi) - info->length;
			found -= (found - info->align_offset) &
				 info->align_mask;
		} else {
			found = vma_iter_addr(&vmi) + info->start_gap;
			found += (info->align_offset - found) &
				 info->align_mask;
		}
		above = vma_next(&vmi);
		if (!above || !(above->vm_flags & VM_STARTGAP_FLAGS) ||
		    vm_start_gap(above) >= found + info->length) {
			addr = found;
			break;
		}
		/* It would lie in a guard gap: look on behind it. */
		if (down)
			high = vm_start_gap(above);
		else
			low = above->vm_end;
	}
	trace_vm_unmapped_area(addr, info);
	return addr;
}

/* Can the caller have the address that it asks for? */
static bool hint_fits(unsigned long addr, unsigned long len, unsigned long end)
{
	struct vm_area_struct *above;

	if (addr < mmap_min_addr || addr > end - len)
		return false;
	above = find_vma(current->mm, addr);
	return !above || addr + len <= vm_start_gap(above);
}

static unsigned long unmapped_area(unsigned long addr, unsigned long len,
				   unsigned long flags, vm_flags_t vm_flags,
				   bool down)
{
	const unsigned long end = arch_get_mmap_end(addr, len, flags);
	unsigned long base = current->mm->mmap_base;
	struct vm_unmapped_area_info info = {
		.length		= len,
		.low_limit	= base,
		.high_limit	= end,
		.start_gap	= vm_flags & VM_SHADOW_STACK ? PAGE_SIZE : 0,
	};

	if (len > end - mmap_min_addr)
		return -ENOMEM;
	if (flags & MAP_FIXED)
		return addr;
	if (addr) {
		addr = PAGE_ALIGN(addr);
		if (hint_fits(addr, len, end))
			return addr;
	}
	if (down) {
		unsigned long found;

		info.flags = VM_UNMAPPED_AREA_TOPDOWN;
		info.low_limit = PAGE_SIZE;
		info.high_limit = arch_get_mmap_base(addr, base);
		found = vm_unmapped_area(&info);
		if (!IS_ERR_VALUE(found))
			return found;
		/* Below the stack it is full; there may be room above. */
		info.flags = 0;
		info.low_limit = TASK_UNMAPPED_BASE;
		info.high_limit = end;
	}
	return vm_unmapped_area(&info);
}

/**
 * generic_get_unmapped_area - choose an address, from below
 * @filp: file to be mapped, or NULL
 * @addr: hint, or with MAP_FIXED the address; 0 for none
 * @len: length in bytes (page-aligned)
 * @pgoff: offset in pages
 * @flags: MAP_* bits
 * @vm_flags: VM_* bits
 *
 * Return: the address, or -ENOMEM.
 */
unsigned long generic_get_unmapped_area(struct file *filp, unsigned long addr,
					unsigned long len, unsigned long pgoff,
					unsigned long flags,
					vm_flags_t vm_flags)
{
	return unmapped_area(addr, len, flags, vm_flags, false);
}

/**
 * generic_get_unmapped_area_topdown - choose an address, from above
 * @filp: as for generic_get_unmapped_area(), like all the others
 * @addr: see there
 * @len: see there
 * @pgoff: see there
 * @flags: see there
 * @vm_flags: see there
 *
 * Return: the address, or -ENOMEM.
 */
unsigned long generic_get_unmapped_area_topdown(struct file *filp,
						unsigned long addr,
						unsigned long len,
						unsigned long pgoff,
						unsigned long flags,
						vm_flags_t vm_flags)
{
	return unmapped_area(addr, len, flags, vm_flags, true);
}

#ifndef HAVE_ARCH_UNMAPPED_AREA
unsigned long arch_get_unmapped_area(struct file *filp, unsigned long addr,
				     unsigned long len, unsigned long pgoff,
				     unsigned long flags, vm_flags_t vm_flags)
{
	return unmapped_area(addr, len, flags, vm_flags, false);
}
#endif

#ifndef HAVE_ARCH_UNMAPPED_AREA_TOPDOWN
unsigned long arch_get_unmapped_area_topdown(struct file *filp,
					     unsigned long addr,
					     unsigned long len,
					     unsigned long pgoff,
					     unsigned long flags,
					     vm_flags_t vm_flags)
{
	return unmapped_area(addr, len, flags, vm_flags, true);
}
#endif

/**
 * mm_get_unmapped_area_vmflags - choose an address in the mm's own layout
 * @mm: the caller's address space
 * @filp: file to be mapped, or NULL
 * @addr: hint, or with MAP_FIXED the address
 * @len: length in bytes (page-aligned)
 * @pgoff: offset in pages
 * @flags: MAP_* bits
 * @vm_flags: VM_* bits
 *
 * Return: the address, or an error.
 */
unsigned long mm_get_unmapped_area_vmflags(struct mm_struct *mm,
					   struct file *filp,
					   unsigned long addr,
					   unsigned long len,
					   unsigned long pgoff,
					   unsigned long flags,
					   vm_flags_t vm_flags)
{
	return test_bit(MMF_TOPDOWN, &mm->flags) ?
		arch_get_unmapped_area_topdown(filp, addr, len, pgoff, flags,
					       vm_flags) :
		arch_get_unmapped_area(filp, addr, len, pgoff, flags,
				       vm_flags);
}

/* For drivers: the same without VM_* bits. */
unsigned long mm_get_unmapped_area(struct mm_struct *mm, struct file *file,
				   unsigned long addr, unsigned long len,
				   unsigned long pgoff, unsigned long flags)
{
	return mm_get_unmapped_area_vmflags(mm, file, addr, len, pgoff, flags,
					    0);
}
EXPORT_SYMBOL(mm_get_unmapped_area);

/*
 * A place for private memory of whole last-level tables, which thus has those
 * for itself: fork shares them, whatever lies beside it. Not where addresses
 * are scarce. An error if there is no room for that.
 */
static unsigned long table_aligned_area(unsigned long len, unsigned long flags,
					vm_flags_t vm_flags)
{
	unsigned long span = pt_table_span(), addr;

	if (len % span || arch_get_mmap_end(0, len, flags) <= U32_MAX)
		return -ENOMEM;
	addr = mm_get_unmapped_area_vmflags(current->mm, NULL, 0,
					    len + span - PAGE_SIZE, 0, flags,
					    vm_flags);
	return IS_ERR_VALUE(addr) ? addr : ALIGN(addr, span);
}

/**
 * __get_unmapped_area - choose and check the address of a new mapping
 * @file: file to be mapped, or NULL; may have its own choice
 * @addr: hint, or with MAP_FIXED the address
 * @len: length in bytes (page-aligned)
 * @pgoff: offset in pages
 * @flags: MAP_* bits
 * @vm_flags: VM_* bits
 *
 * Return: the address, page-aligned and below TASK_SIZE; -ENOMEM if there is
 * no room, -EINVAL if it is not page-aligned, -EPERM if it is too low.
 */
unsigned long __get_unmapped_area(struct file *file, unsigned long addr,
				  unsigned long len, unsigned long pgoff,
				  unsigned long flags, vm_flags_t vm_flags)
{
	unsigned long found = -ENOMEM;
	int err;

	if (len > TASK_SIZE)
		return -ENOMEM;
	if (!file && !addr && !(flags & (MAP_SHARED | MAP_FIXED | MAP_32BIT)))
		found = table_aligned_area(len, flags, vm_flags);
	if (!IS_ERR_VALUE(found))
		addr = found;
	else if (file && file->f_op->get_unmapped_area)
		addr = file->f_op->get_unmapped_area(file, addr, len, pgoff,
						     flags);
	else if (!file && (flags & MAP_SHARED))
		/* It will be a file of shared memory. */
		addr = shmem_get_unmapped_area(NULL, addr, len, 0, flags);
	else
		addr = mm_get_unmapped_area_vmflags(current->mm, file, addr,
						    len, file ? pgoff : 0,
						    flags, vm_flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	if (addr > TASK_SIZE - len)
		return -ENOMEM;
	if (offset_in_page(addr))
		return -EINVAL;
	err = security_mmap_addr(addr);
	return err ? err : addr;
}

/**
 * find_vma - find the area of an address, or the first above it
 * @mm: the address space, its mmap_lock held
 * @addr: the address
 *
 * Return: the area, or NULL.
 */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	VMA_ITERATOR(vmi, mm, addr);

	mmap_assert_locked(mm);
	return vma_next(&vmi);
}
EXPORT_SYMBOL(find_vma);

/**
 * find_vma_intersection - find the first area in a range
 * @mm: the address space, its mmap_lock held
 * @start_addr: where the range starts
 * @end_addr: where it ends, above @start_addr
 *
 * Return: the area, or NULL.
 */
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm,
					     unsigned long start_addr,
					     unsigned long end_addr)
{
	VMA_ITERATOR(vmi, mm, start_addr);

	mmap_assert_locked(mm);
	return vma_find(&vmi, end_addr);
}
EXPORT_SYMBOL(find_vma_intersection);

/**
 * find_vma_prev - find the area of an address and the one below
 * @mm: the address space, its mmap_lock held
 * @addr: the address
 * @pprev: the area below, or NULL
 *
 * Return: the area of @addr, or the first above it, or NULL.
 */
struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long addr,
				     struct vm_area_struct **pprev)
{
	VMA_ITERATOR(vmi, mm, addr);
	struct vm_area_struct *vma = mas_walk(&vmi.mas);
	struct ma_state below = vmi.mas;

	*pprev = mas_prev(&below, 0);
	return vma ?: vma_next(&vmi);
}
