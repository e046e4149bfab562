// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that the kernel makes for programs, and a call that is no more.
 *
 * A special mapping (vdso and the like) shows pages of the kernel's, or
 * whatever its own fault handler gives. It is never split or merged, keeps
 * its size, and its pages must outlive it.
 *
 * Lock rules: mmap_lock held for writing, unless said otherwise.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/perf_event.h>
#include <linux/security.h>
#include <linux/syscalls.h>

#include "area.h"

/**
 * insert_vm_struct - add an area that the caller has made
 * @mm: the address space
 * @vma: the area, its bounds and flags set
 *
 * Charges it, but does not count it: see vm_stat_account().
 *
 * Return: 0, or -ENOMEM if something is there, the commit limit is reached,
 * or there is no memory.
 */
int insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma)
{
	VMA_ITERATOR(vmi, mm, vma->vm_start);
	unsigned long charge = vma->vm_flags & VM_ACCOUNT ? vma_pages(vma) : 0;
	struct vm_area_struct *prev, *next;

	if (!area_gap(&vmi, vma->vm_start, vma->vm_end, &prev, &next))
		return -ENOMEM;
	if (charge && security_vm_enough_memory_mm(mm, charge))
		return -ENOMEM;
	/* Offsets of anonymous memory go by address, so that areas can merge. */
	if (vma_is_anonymous(vma)) {
		VM_WARN_ON_ONCE(vma->anon_vma);
		vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
	}
	if (!area_insert(&vmi, vma, GFP_KERNEL))
		return 0;
	vm_unacct_memory(charge);
	return -ENOMEM;
}

static const struct vm_special_mapping *special(struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

static vm_fault_t special_fault(struct vm_fault *vmf)
{
	const struct vm_special_mapping *sm = special(vmf->vma);
	pgoff_t i;

	if (sm->fault)
		return sm->fault(sm, vmf->vma, vmf);
	/* The array ends with NULL, maybe before the area does. */
	for (i = 0; sm->pages[i]; i++) {
		if (i < vmf->pgoff)
			continue;
		vmf->page = sm->pages[i];
		get_page(vmf->page);
		return 0;
	}
	return VM_FAULT_SIGBUS;
}

static int special_mremap(struct vm_area_struct *vma)
{
	const struct vm_special_mapping *sm = special(vma);

	if (WARN_ON_ONCE(vma->vm_mm != current->mm))
		return -EFAULT;
	return sm->mremap ? sm->mremap(sm, vma) : 0;
}

static void special_close(struct vm_area_struct *vma)
{
	const struct vm_special_mapping *sm = special(vma);

	if (sm->close)
		sm->close(sm, vma);
}

static int special_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static const char *special_name(struct vm_area_struct *vma)
{
	return special(vma)->name;
}

/* No access hook: debuggers do not get at the kernel's data pages. */
static const struct vm_operations_struct special_ops = {
	.fault		= special_fault,
	.mremap		= special_mremap,
	.close		= special_close,
	.may_split	= special_may_split,
	.name		= special_name,
};

/**
 * vma_is_special_mapping - is this the area of a special mapping?
 * @vma: the area
 * @sm: the special mapping
 */
bool vma_is_special_mapping(const struct vm_area_struct *vma,
			    const struct vm_special_mapping *sm)
{
	return vma->vm_ops == &special_ops && vma->vm_private_data == sm;
}

/**
 * _install_special_mapping - give a process an area of the kernel's pages
 * @mm: the address space
 * @addr: where (page-aligned)
 * @len: how much in bytes (page-aligned)
 * @vm_flags: VM_* bits
 * @spec: the pages or the fault handler, kept for as long as the area is
 *
 * Return: the area, or ERR_PTR(-ENOMEM).
 */
struct vm_area_struct *
_install_special_mapping(struct mm_struct *mm, unsigned long addr,
			 unsigned long len, unsigned long vm_flags,
			 const struct vm_special_mapping *spec)
{
	struct vm_area_struct *vma = area_alloc(mm);
	int err;

	if (!vma)
		return ERR_PTR(-ENOMEM);
	vm_flags |= mm->def_flags | VM_DONTEXPAND;
	vm_flags_init(vma, vm_flags & ~VM_LOCKED_MASK);
	vma_set_range(vma, addr, addr + len, 0);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	vma->vm_ops = &special_ops;
	vma->vm_private_data = (void *)spec;

	err = insert_vm_struct(mm, vma);
	if (err) {
		area_release(vma);
		return ERR_PTR(err);
	}
	vm_stat_account(mm, vma->vm_flags, len >> PAGE_SHIFT);
	perf_event_mmap(vma);
	return vma;
}

/* Do areas alike in flags and file cover the range without a hole? */
static bool covered_alike(struct mm_struct *mm, unsigned long start,
			  unsigned long end, struct file *file,
			  vm_flags_t flags)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > start || vma->vm_file != file ||
		    vma->vm_flags != flags)
			return false;
		start = vma->vm_end;
	}
	return start >= end;
}

/*
 * remap_file_pages() once rearranged the pages of a shared mapping inside one
 * area; now it maps each part anew, which looks the same to the program.
 */
SYSCALL_DEFINE5(remap_file_pages, unsigned long, start, unsigned long, size,
		unsigned long, prot, unsigned long, pgoff, unsigned long, flags)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long populate = 0;
	vm_flags_t vm_flags = 0;
	struct file *file = NULL;
	long ret;

	pr_warn_once("%s (%d) calls remap_file_pages(), which is deprecated: see Documentation/mm/remap_file_pages.rst\n",
		     current->comm, current->pid);

	start &= PAGE_MASK;
	size &= PAGE_MASK;
	if (prot || start + size <= start ||
	    pgoff + (size >> PAGE_SHIFT) < pgoff)
		return -EINVAL;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, start);
	if (vma && (vma->vm_flags & VM_SHARED)) {
		vm_flags = vma->vm_flags;
		file = get_file(vma->vm_file);
	}
	mmap_read_unlock(mm);
	if (!file)
		return -EINVAL;

	prot = (vm_flags & VM_READ ? PROT_READ : 0) |
	       (vm_flags & VM_WRITE ? PROT_WRITE : 0) |
	       (vm_flags & VM_EXEC ? PROT_EXEC : 0);
	flags = (flags & MAP_NONBLOCK) | MAP_SHARED | MAP_FIXED | MAP_POPULATE |
		(vm_flags & VM_LOCKED ? MAP_LOCKED : 0);

	/* Security modules are asked without the lock, as in mmap(). */
	ret = security_mmap_file(file, prot, flags);
	if (ret)
		goto put;
	ret = -EINTR;
	if (mmap_write_lock_killable(mm))
		goto put;
	ret = -EINVAL;
	if (covered_alike(mm, start, start + size, file, vm_flags))
		ret = do_mmap(file, start, size, prot, flags, 0, pgoff,
			      &populate, NULL);
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(start, populate);
put:
	fput(file);
	return IS_ERR_VALUE(ret) ? ret : 0;
}
