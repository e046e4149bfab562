// SPDX-License-Identifier: GPL-2.0
/*
 * mmap(): making areas.
 *
 * do_mmap() turns what user space asks into flags and an address, and finds
 * every error that can be told from the request; mmap_region() carries it out.
 * What is mapped there already goes only when nothing can fail any more, with
 * one exception: a file's own mmap() wants the range empty. If that refuses
 * then, the range stays empty.
 *
 * Lock rules: mmap_lock held for writing from the choice of the address to the
 * end, so nobody finds the range half done; a fault that looks it up under RCU
 * in between finds nothing, and waits for mmap_lock.
 */
#include <linux/audit.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/perf_event.h>
#include <linux/personality.h>
#include <linux/pkeys.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/syscalls.h>
#include <asm/mmu_context.h>
#include <asm/tlb.h>

#define CREATE_TRACE_POINTS
#include <trace/events/mmap.h>

#include "area.h"
#include "tree.h"

/**
 * struct region - what mmap_region() works on
 * @file:   what to map, or NULL
 * @want:   the mapping
 * @vmi:    stands in the hole that it goes into
 * @prev:   the area that touches it from below, or NULL
 * @next:   the area that touches it from above, or NULL
 * @charge: pages charged for it so far
 */
struct region {
	struct file *file;
	struct area_sketch want;
	struct vma_iterator vmi;
	struct vm_area_struct *prev;
	struct vm_area_struct *next;
	unsigned long charge;
};

/* A new area as wanted; without a file's own mmap() having seen it. */
static struct vm_area_struct *region_area(const struct area_sketch *want,
					  bool anon)
{
	struct vm_area_struct *vma = area_alloc(current->mm);
	int err = 0;

	if (!vma)
		return ERR_PTR(-ENOMEM);
	vma_set_range(vma, want->start, want->end, want->pgoff);
	vm_flags_init(vma, want->flags);
	vma->vm_page_prot = vm_get_page_prot(want->flags);
	if (anon && (want->flags & VM_SHARED))
		err = shmem_zero_setup(vma);
	else if (anon)
		vma_set_anonymous(vma);
	if (err) {
		area_release(vma);
		return ERR_PTR(err);
	}
	return vma;
}

/*
 * Let the file map itself. A driver that fails half-way may have entered pages
 * already: they go, and with them the tables.
 */
static int region_call_file(struct region *r, struct vm_area_struct *vma)
{
	struct ma_state *mas = &r->vmi.mas;
	struct mmu_gather tlb;
	int err;

	vma->vm_file = get_file(r->file);
	err = mmap_file(r->file, vma);
	if (!err) {
		/* The range is ours to choose, and so is what may be written. */
		WARN_ON_ONCE(vma->vm_start != r->want.start);
		VM_WARN_ON_ONCE((vma->vm_flags & ~r->want.flags) & VM_MAYWRITE);
		return 0;
	}

	fput(vma->vm_file);
	vma->vm_file = NULL;
	/* A merge that found no memory leaves the iterator elsewhere. */
	mas_set(mas, vma->vm_start);
	mas_walk(mas);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	update_hiwater_rss(vma->vm_mm);
	zap_area(&tlb, vma, vma->vm_start, vma->vm_end, vma->vm_start,
		 vma->vm_end);
	pt_free_range(&tlb, vma->vm_start, vma->vm_end, mas->index,
		      mas->last == ULONG_MAX ? USER_PGTABLES_CEILING :
		      mas->last + 1);
	tlb_finish_mmu(&tlb);
	return err;
}

/*
 * Put the area @new into the hole, or let a neighbour take its place.
 * @gfp: may have __GFP_NOFAIL, when there is no way back
 *
 * Return: the area that is there now; @new belongs to it, or is freed.
 */
static struct vm_area_struct *region_enter(struct region *r,
					   struct vm_area_struct *new,
					   gfp_t gfp)
{
	struct vm_area_struct *vma;
	int err;

	if (r->file) {
		err = region_call_file(r, new);
		if (err)
			goto fail;
		/* With the flags that the file has set, it may fit now. */
		if (new->vm_flags != r->want.flags && r->prev &&
		    new->vm_file == r->file) {
			r->want.flags = new->vm_flags;
			vma = area_join(&r->vmi, &r->want, r->prev, r->next);
			if (vma) {
				fput(new->vm_file);
				area_release(new);
				return vma;
			}
		}
		gfp |= __GFP_NOFAIL;
	}
	if (new->vm_file)
		vma_set_page_prot(new);
	err = area_insert(&r->vmi, new, gfp);
	if (!err)
		return new;
fail:
	if (new->vm_file)
		fput(new->vm_file);
	area_release(new);
	return ERR_PTR(err);
}

/*
 * Make the mapping. On failure, @r->charge is what is still to be given back.
 */
static struct vm_area_struct *region_make(struct region *r)
{
	struct area_sketch *want = &r->want;
	unsigned long pages = (want->end - want->start) >> PAGE_SHIFT;
	struct vm_area_struct *vma, *new;
	unsigned long handed = 0;
	struct area_removal old;
	bool replace;
	int err;

	old.pages = 0;
	old.accounted = 0;
	replace = !area_gap(&r->vmi, want->start, want->end, &r->prev,
			    &r->next);
	if (replace) {
		vma_iter_set(&r->vmi, want->start);
		vma = vma_find(&r->vmi, want->end);
		err = area_removal_plan(&old, &r->vmi, vma, want->start,
					want->end, false);
		if (err)
			return ERR_PTR(err);
	}

	err = -ENOMEM;
	if (!may_expand_vm(current->mm, want->flags, pages - old.pages))
		goto abort;
	/* What is charged for areas that go counts for the one that comes. */
	if (want->flags & VM_ACCOUNT) {
		unsigned long more = pages - old.accounted;

		err = more ? security_vm_enough_memory_mm(current->mm, more)
			   : 0;
		if (err)
			goto abort;
		r->charge = more;
	}

	vma = replace ? NULL : area_join(&r->vmi, want, r->prev, r->next);
	if (vma)
		return vma;
	new = region_area(want, !r->file);
	if (IS_ERR(new)) {
		err = PTR_ERR(new);
		goto abort;
	}
	if (!replace)
		return region_enter(r, new, GFP_KERNEL);

	if (want->flags & VM_ACCOUNT)
		swap(old.accounted, handed);
	err = area_removal_commit(&old, &r->vmi, false);
	if (err) {
		if (new->vm_file)
			fput(new->vm_file);
		area_release(new);
		return ERR_PTR(err);
	}
	r->charge += handed;

	vma_iter_set(&r->vmi, want->start);
	area_gap(&r->vmi, want->start, want->end, &r->prev, &r->next);
	vma = area_join(&r->vmi, want, r->prev, r->next);
	if (!vma)
		return region_enter(r, new, GFP_KERNEL | __GFP_NOFAIL);
	area_release(new);
	return vma;

abort:
	if (replace)
		area_removal_abort(&old);
	return ERR_PTR(err);
}

static unsigned long region_map(struct file *file, unsigned long addr,
				unsigned long len, vm_flags_t flags,
				pgoff_t pgoff)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	struct region r = {
		.file	= file,
		.want	= {
			.start	= addr,
			.end	= addr + len,
			.pgoff	= pgoff,
			.flags	= flags,
			.file	= file,
		},
	};

	/* Private memory that may be written counts against overcommit. */
	if ((flags & (VM_WRITE | VM_SHARED | VM_NORESERVE)) == VM_WRITE)
		r.want.flags |= VM_ACCOUNT;

	vma_iter_init(&r.vmi, mm, addr);
	vma = region_make(&r);
	if (IS_ERR(vma)) {
		vm_unacct_memory(r.charge);
		return PTR_ERR(vma);
	}

	perf_event_mmap(vma);
	vm_stat_account(mm, vma->vm_flags, len >> PAGE_SHIFT);
	if (vma->vm_flags & VM_LOCKED) {
		if (vma_supports_mlock(vma))
			mm->locked_vm += len >> PAGE_SHIFT;
		else
			vm_flags_clear(vma, VM_LOCKED_MASK);
	}
	return addr;
}

/**
 * mmap_region - map a range of the caller's address space
 * @file: what to map; NULL for anonymous memory
 * @addr: where (page-aligned, checked)
 * @len: how much in bytes (page-aligned)
 * @vm_flags: VM_* bits
 * @pgoff: offset in pages
 * @uf: not used
 *
 * Context: mmap_lock held for writing.
 * Return: @addr, or an error. Nothing has changed then, unless it is the
 * error of the file's mmap(): what was mapped in the range is gone.
 */
unsigned long mmap_region(struct file *file, unsigned long addr,
			  unsigned long len, vm_flags_t vm_flags,
			  unsigned long pgoff, struct list_head *uf)
{
	bool writes = file && is_shared_maywrite(vm_flags);
	unsigned long ret;

	if (map_deny_write_exec(vm_flags, vm_flags))
		return -EACCES;
	if (!arch_validate_flags(vm_flags))
		return -EINVAL;
	/* No seal against writing may be put on the file meanwhile. */
	if (writes) {
		int err = mapping_map_writable(file->f_mapping);

		if (err)
			return err;
	}
	ret = region_map(file, addr, len, vm_flags, pgoff);
	if (writes)
		mapping_unmap_writable(file->f_mapping);
	return ret;
}

/* Does the file reach as far as it is to be mapped? */
static bool file_range_ok(struct file *file, unsigned long pgoff,
			  unsigned long len)
{
	umode_t mode = file_inode(file)->i_mode;
	u64 size = ULONG_MAX;

	if (S_ISREG(mode) || S_ISBLK(mode) || S_ISSOCK(mode))
		size = MAX_LFS_FILESIZE;
	else if (file->f_op->fop_flags & FOP_UNSIGNED_OFFSET)
		size = 0;		/* all 64 bits count */
	if (size && len > size)
		return false;
	return pgoff <= (size - len) >> PAGE_SHIFT;
}

static int file_share(struct file *file, unsigned long prot,
		      unsigned long flags, vm_flags_t *vm_flags)
{
	bool writes = file->f_mode & FMODE_WRITE;
	unsigned long known = LEGACY_MAP_MASK;

	if (file->f_op->fop_flags & FOP_MMAP_SYNC)
		known |= MAP_SYNC;
	/* Plain MAP_SHARED has always ignored what it does not know. */
	if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE && (flags & ~known))
		return -EOPNOTSUPP;
	if ((prot & PROT_WRITE) && !writes)
		return -EACCES;
	if ((prot & PROT_WRITE) && IS_SWAPFILE(file->f_mapping->host))
		return -ETXTBSY;
	if (writes && IS_APPEND(file_inode(file)))
		return -EACCES;
	*vm_flags |= VM_MAYSHARE;
	if (writes)
		*vm_flags |= VM_SHARED;
	else
		*vm_flags &= ~VM_MAYWRITE;
	return 0;
}

/* May the file be mapped like that, and with which flags? */
static int file_flags(struct file *file, unsigned long len, unsigned long prot,
		      unsigned long flags, unsigned long pgoff,
		      vm_flags_t *vm_flags)
{
	unsigned long type = flags & MAP_TYPE;
	int err;

	if (!file_range_ok(file, pgoff, len))
		return -EOVERFLOW;
	if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) {
		err = file_share(file, prot, flags, vm_flags);
		if (err)
			return err;
	} else if (type != MAP_PRIVATE) {
		return -EINVAL;
	}
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (path_noexec(&file->f_path)) {
		if (*vm_flags & VM_EXEC)
			return -EPERM;
		*vm_flags &= ~VM_MAYEXEC;
	}
	if (!file->f_op->mmap)
		return -ENODEV;
	if (*vm_flags & (VM_GROWSDOWN | VM_GROWSUP))
		return -EINVAL;
	return memfd_check_seals_mmap(file, vm_flags);
}

static int anon_flags(unsigned long flags, vm_flags_t *vm_flags)
{
	bool grows = *vm_flags & (VM_GROWSDOWN | VM_GROWSUP);

	switch (flags & MAP_TYPE) {
	case MAP_PRIVATE:
		return 0;
	case MAP_SHARED:
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		return grows ? -EINVAL : 0;
	case MAP_DROPPABLE:
		if (VM_DROPPABLE == VM_NONE)
			return -EOPNOTSUPP;
		/* What may vanish is not kept, charged, inherited or dumped. */
		*vm_flags |= VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK |
			     VM_DONTDUMP;
		return grows || (flags & (MAP_LOCKED | MAP_HUGETLB)) ?
		       -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/**
 * do_mmap - mmap() into the caller's address space
 * @file: what to map; NULL for anonymous memory
 * @addr: where, or a hint
 * @len: how much in bytes
 * @prot: PROT_* bits
 * @flags: MAP_* bits
 * @vm_flags: VM_* bits beyond what those say
 * @pgoff: offset in pages
 * @populate: set to how many bytes the caller is to populate, mmap_lock dropped
 * @uf: not used
 *
 * Context: mmap_lock held for writing.
 * Return: the address, or an error as mmap(2) has it.
 */
unsigned long do_mmap(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags,
		      vm_flags_t vm_flags, unsigned long pgoff,
		      unsigned long *populate, struct list_head *uf)
{
	struct mm_struct *mm = current->mm;
	bool filled = false;
	int pkey = 0;
	int err;

	*populate = 0;
	if (!len)
		return -EINVAL;
	if ((prot & PROT_READ) && (current->personality & READ_IMPLIES_EXEC) &&
	    !(file && path_noexec(&file->f_path)))
		prot |= PROT_EXEC;
	if (flags & MAP_FIXED_NOREPLACE)
		flags |= MAP_FIXED;
	if (!(flags & MAP_FIXED)) {
		addr &= PAGE_MASK;
		if (addr && addr < mmap_min_addr)
			addr = PAGE_ALIGN(mmap_min_addr);
	}

	len = PAGE_ALIGN(len);
	if (!len)
		return -ENOMEM;
	if (pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EOVERFLOW;
	if (mm->map_count > sysctl_max_map_count)
		return -ENOMEM;

	if (prot == PROT_EXEC)
		pkey = max(execute_only_pkey(mm), 0);
	vm_flags |= calc_vm_prot_bits(prot, pkey) |
		    calc_vm_flag_bits(file, flags) | mm->def_flags |
		    VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

	addr = __get_unmapped_area(file, addr, len, pgoff, flags, vm_flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	if ((flags & MAP_FIXED_NOREPLACE) &&
	    find_vma_intersection(mm, addr, addr + len))
		return -EEXIST;
	if ((flags & MAP_LOCKED) && !can_do_mlock())
		return -EPERM;
	if (!mlock_future_ok(mm, vm_flags, len))
		return -EAGAIN;

	if (file) {
		err = file_flags(file, len, prot, flags, pgoff, &vm_flags);
	} else {
		/* Shared memory is a file of its own, else offset is address. */
		err = anon_flags(flags, &vm_flags);
		pgoff = vm_flags & VM_SHARED ? 0 : addr >> PAGE_SHIFT;
	}
	if (err)
		return err;
	if ((flags & MAP_NORESERVE) &&
	    sysctl_overcommit_memory != OVERCOMMIT_NEVER)
		vm_flags |= VM_NORESERVE;

	if ((flags & MAP_POPULATE) && !(flags & MAP_NONBLOCK))
		filled = true;
	if (vm_flags & VM_LOCKED)
		filled = true;
	addr = mmap_region(file, addr, len, vm_flags, pgoff, uf);
	if (filled && !IS_ERR_VALUE(addr))
		*populate = len;
	return addr;
}
