// SPDX-License-Identifier: GPL-2.0
/*
 * madvise() and process_madvise(): what a process says of its memory.
 *
 * All that is particular to one advice stands in one table: the flags it sets
 * and clears on areas, the areas it is not for, and what is done to those it
 * is for. Names of anonymous areas (prctl()) are set the same way.
 *
 * Holes in a range are passed over, and reported when the rest is done. Before
 * areas get other flags, and before the contents of any are thrown away,
 * each area of the range is asked whether it may be.
 *
 * Locks: mmap_lock for writing if flags change, else for reading. Advice that
 * leads into a file system drops it, holding the file; nothing looked up
 * before is used after.
 */
#include <linux/blkdev.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uio.h>
#include "calls.h"

/* What one call does to each area; @start and @end lie in it. */
typedef int (*advise_fn)(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end);

/**
 * struct advice - what there is to know of one MADV_*
 * @known: madvise() accepts it
 * @remote: process_madvise() accepts it
 * @no_file: it is not for areas with a file
 * @set: flags that an area gets
 * @clear: flags that it loses
 * @refuse: areas with any of these flags are refused with -EINVAL
 * @apply: what is done with an area under mmap_lock for reading; if NULL, its
 *         flags change under mmap_lock for writing
 */
struct advice {
	bool known;
	bool remote;
	bool no_file;
	vm_flags_t set;
	vm_flags_t clear;
	vm_flags_t refuse;
	advise_fn apply;
};

/* Where in its file an address of an area is. */
static loff_t advise_offset(struct vm_area_struct *vma, unsigned long addr)
{
	return ((loff_t)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

static int advise_willneed(struct vm_area_struct *vma, unsigned long start,
			   unsigned long end)
{
	loff_t offset = advise_offset(vma, start);
	struct mm_struct *mm = vma->vm_mm;
	struct file *file = vma->vm_file;

	/* Without swap all of anonymous memory is there already. */
	if (!file)
		return -EBADF;
	if (IS_DAX(file_inode(file)))
		return 0;
	get_file(file);
	mmap_read_unlock(mm);
	/* A hint: that it could not be followed is no error. */
	vfs_fadvise(file, offset, end - start, POSIX_FADV_WILLNEED);
	fput(file);
	mmap_read_lock(mm);
	return 0;
}

/* Punch a hole into the file, which unmaps it everywhere. */
static int advise_remove(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end)
{
	loff_t offset = advise_offset(vma, start);
	struct mm_struct *mm = vma->vm_mm;
	struct file *file = vma->vm_file;
	int err;

	if (!file || !file->f_mapping || !file->f_mapping->host)
		return -EINVAL;
	if (!vma_is_shared_maywrite(vma))
		return -EACCES;
	get_file(file);
	mmap_read_unlock(mm);
	err = vfs_fallocate(file, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
			    offset, end - start);
	fput(file);
	mmap_read_lock(mm);
	return err;
}

static int advise_dontneed(struct vm_area_struct *vma, unsigned long start,
			   unsigned long end)
{
	/* ENOMEM would say that there is a hole. */
	if (pt_keep_outside(vma->vm_mm, start, end, start, end))
		return -EAGAIN;
	zap_page_range_single(vma, start, end - start, NULL);
	return 0;
}

static const struct advice advices[] = {
	/* How it will be read: for readahead. */
	[MADV_NORMAL]		= { .known = true,
				    .clear = VM_RAND_READ | VM_SEQ_READ },
	[MADV_RANDOM]		= { .known = true, .set = VM_RAND_READ,
				    .clear = VM_SEQ_READ },
	[MADV_SEQUENTIAL]	= { .known = true, .set = VM_SEQ_READ,
				    .clear = VM_RAND_READ },
	[MADV_WILLNEED]		= { .known = true, .remote = true,
				    .apply = advise_willneed },
	[MADV_POPULATE_READ]	= { .known = true },
	[MADV_POPULATE_WRITE]	= { .known = true },

	/* What is not needed. */
	[MADV_COLD]		= { .known = true, .remote = true,
				    .refuse = VM_LOCKED | VM_PFNMAP,
				    .apply = age_cold },
	[MADV_PAGEOUT]		= { .known = true, .remote = true,
				    .refuse = VM_LOCKED | VM_PFNMAP,
				    .apply = age_pageout },
	[MADV_FREE]		= { .known = true,
				    .refuse = VM_LOCKED | VM_PFNMAP,
				    .apply = age_free },
	[MADV_DONTNEED]		= { .known = true,
				    .refuse = VM_LOCKED | VM_PFNMAP,
				    .apply = advise_dontneed },
	[MADV_DONTNEED_LOCKED]	= { .known = true, .refuse = VM_PFNMAP,
				    .apply = advise_dontneed },
	[MADV_REMOVE]		= { .known = true, .refuse = VM_LOCKED,
				    .apply = advise_remove },

	/* What fork and core dumps make of it. */
	[MADV_DONTFORK]		= { .known = true, .set = VM_DONTCOPY },
	[MADV_DOFORK]		= { .known = true, .clear = VM_DONTCOPY,
				    .refuse = VM_IO },
	[MADV_WIPEONFORK]	= { .known = true, .set = VM_WIPEONFORK,
				    .refuse = VM_SHARED, .no_file = true },
	[MADV_KEEPONFORK]	= { .known = true, .clear = VM_WIPEONFORK,
				    .refuse = VM_DROPPABLE },
	[MADV_DONTDUMP]		= { .known = true, .set = VM_DONTDUMP },
	[MADV_DODUMP]		= { .known = true, .clear = VM_DONTDUMP,
				    .refuse = VM_SPECIAL | VM_DROPPABLE },

	/* There are no huge pages: known to exist, but not done. */
	[MADV_COLLAPSE]		= { .remote = true },
};

static const struct advice *advise_find(int behavior)
{
	if (behavior < 0 || behavior >= ARRAY_SIZE(advices))
		return NULL;
	return &advices[behavior];
}

static bool advise_populates(int behavior)
{
	return behavior == MADV_POPULATE_READ || behavior == MADV_POPULATE_WRITE;
}

/* Is the advice not for this area? */
static int advise_refused(int behavior, struct vm_area_struct *vma)
{
	const struct advice *adv = &advices[behavior];

	if (!can_modify_vma_madv(vma, behavior))
		return -EPERM;
	if ((vma->vm_flags & adv->refuse) || (adv->no_file && vma->vm_file))
		return -EINVAL;
	return 0;
}

/*
 * Change flags and name of [start, end) of an area. Who calls for want of
 * memory is to try again: -EAGAIN.
 */
static int advise_reflag(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end, vm_flags_t flags,
			 struct anon_vma_name *name)
{
	VMA_ITERATOR(vmi, vma->vm_mm, start);
	struct vm_area_struct *before;

	if (flags == vma->vm_flags &&
	    anon_vma_name_eq(anon_vma_name(vma), name))
		return 0;

	vma_iter_load(&vmi);
	before = call_area_before(&vmi, vma, start);
	vma = area_reflag(&vmi, before, vma, start, end, flags, name);
	if (IS_ERR(vma))
		return PTR_ERR(vma) == -ENOMEM ? -EAGAIN : PTR_ERR(vma);
	vma_start_write(vma);
	vm_flags_reset(vma, flags);

#ifdef CONFIG_ANON_VMA_NAME
	if ((!vma->vm_file || vma_is_anon_shmem(vma)) &&
	    !anon_vma_name_eq(vma->anon_name, name)) {
		struct anon_vma_name *old = vma->anon_name;

		vma->anon_name = name ? anon_vma_name_reuse(name) : NULL;
		anon_vma_name_put(old);
	}
#endif
	return 0;
}

/* Follow the advice in one area. */
static int advise_area(int behavior, struct vm_area_struct *vma,
		       unsigned long start, unsigned long end)
{
	const struct advice *adv = &advices[behavior];
	struct anon_vma_name *name;
	int err = advise_refused(behavior, vma);

	if (err)
		return err;
	if (adv->apply)
		return adv->apply(vma, start, end);

	/* The area may go in a merge, and its name must not go with it. */
	name = anon_vma_name(vma);
	anon_vma_name_get(name);
	err = advise_reflag(vma, start, end,
			    (vma->vm_flags & ~adv->clear) | adv->set, name);
	anon_vma_name_put(name);
	return err;
}

/*
 * Would any area of the range refuse? Only what can be told is asked: advice
 * that just throws away contents stops at a locked area, as it always has,
 * but a sealed one it must not even come near.
 */
static int advise_precheck(int behavior, struct mm_struct *mm,
			   unsigned long start, unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		int err = advise_refused(behavior, vma);

		if (err == -EPERM || (err && !advices[behavior].apply))
			return err;
	}
	return 0;
}

/* The next area of a range that holds some of [*start, end). */
static struct vm_area_struct *advise_next(struct mm_struct *mm,
					  unsigned long *start,
					  unsigned long end, int *hole)
{
	struct vm_area_struct *vma = find_vma(mm, *start);

	if (!vma || vma->vm_start > *start) {
		*hole = -ENOMEM;
		if (!vma || vma->vm_start >= end)
			return NULL;
		*start = vma->vm_start;
	}
	return vma;
}

static int advise_areas(struct mm_struct *mm, unsigned long start,
			unsigned long end, int behavior)
{
	bool checked = false;
	int hole = 0, err;

	while (start < end) {
		struct vm_area_struct *vma = advise_next(mm, &start, end, &hole);
		unsigned long stop;

		if (!vma)
			break;
		stop = min(end, vma->vm_end);
		/* A single area, the usual case, is asked anyway. */
		if (!checked && stop < end) {
			err = advise_precheck(behavior, mm, start, end);
			if (err)
				return err;
		}
		checked = true;
		err = advise_area(behavior, vma, start, stop);
		if (err)
			return err;
		start = stop;
	}
	return hole;
}

/* Fault in a range; holes are errors here. */
static int advise_populate(struct mm_struct *mm, unsigned long start,
			   unsigned long end, bool write)
{
	int locked = 1;

	while (start < end) {
		long nr = faultin_page_range(mm, start, end, write, &locked);

		if (!locked) {
			mmap_read_lock(mm);
			locked = 1;
		}
		if (nr == -EINTR || nr == -EINVAL || nr == -EHWPOISON ||
		    nr == -EFAULT)
			return nr;
		/* What else can be wrong, madvise(2) calls lack of memory. */
		if (nr < 0)
			return -ENOMEM;
		start += nr << PAGE_SHIFT;
	}
	return 0;
}

/* Bytes that @len rounds up to; false if there is no such range at @start. */
static bool advise_span(unsigned long start, size_t *len)
{
	size_t whole = PAGE_ALIGN(*len);

	if (offset_in_page(start) || whole < *len || start + whole < start)
		return false;
	*len = whole;
	return true;
}

/**
 * do_madvise - follow advice on a range of an address space
 * @mm: the address space
 * @start: first address
 * @len_in: bytes, rounded up to pages
 * @behavior: MADV_*
 *
 * Locks: takes mmap_lock.
 *
 * Return: 0; -EINVAL for advice unknown or not for an area of the range,
 * -EPERM if one is sealed, -ENOMEM if the range has holes (all else is done),
 * -EAGAIN without memory, -EBADF, -EACCES, or what a file system returns.
 */
int do_madvise(struct mm_struct *mm, unsigned long start, size_t len_in,
	       int behavior)
{
	const struct advice *adv = advise_find(behavior);
	bool populate = advise_populates(behavior), write;
	struct blk_plug plug;
	int err;

	if (!adv || !adv->known || !advise_span(start, &len_in))
		return -EINVAL;
	if (!len_in)
		return 0;

	write = !adv->apply && !populate;
	if (!write)
		mmap_read_lock(mm);
	else if (mmap_write_lock_killable(mm))
		return -EINTR;

	start = untagged_addr_remote(mm, start);
	blk_start_plug(&plug);
	if (populate)
		err = advise_populate(mm, start, start + len_in,
				      behavior == MADV_POPULATE_WRITE);
	else
		err = advise_areas(mm, start, start + len_in, behavior);
	blk_finish_plug(&plug);

	if (write)
		mmap_write_unlock(mm);
	else
		mmap_read_unlock(mm);
	return err;
}

SYSCALL_DEFINE3(madvise, unsigned long, start, size_t, len_in, int, behavior)
{
	return do_madvise(current->mm, start, len_in, behavior);
}

/* Advice on the ranges in @iter of another process, as far as it goes. */
static ssize_t advise_process(struct task_struct *task, struct iov_iter *iter,
			      int behavior)
{
	const struct advice *adv = advise_find(behavior);
	size_t all = iov_iter_count(iter);
	struct mm_struct *mm;
	int err = 0;

	if (!adv || !adv->remote)
		return -EINVAL;
	/* What is mapped where is for those who may read it. */
	mm = mm_access(task, PTRACE_MODE_READ_FSCREDS);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	/* And how fast it runs, for those who may set its priority. */
	if (mm != current->mm && !capable(CAP_SYS_NICE))
		err = -EPERM;
	while (!err && iov_iter_count(iter)) {
		size_t len = iter_iov_len(iter);

		err = do_madvise(mm, (unsigned long)iter_iov_addr(iter), len,
				 behavior);
		if (!err)
			iov_iter_advance(iter, len);
	}
	mmput(mm);
	all -= iov_iter_count(iter);
	return all ? all : err;
}

SYSCALL_DEFINE5(process_madvise, int, pidfd, const struct iovec __user *, vec,
		size_t, vlen, int, behavior, unsigned int, flags)
{
	struct iovec few[UIO_FASTIOV], *iov = few;
	struct task_struct *task;
	unsigned int f_flags;
	struct iov_iter iter;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	ret = import_iovec(ITER_DEST, vec, vlen, ARRAY_SIZE(few), &iov, &iter);
	if (ret < 0)
		return ret;
	task = pidfd_get_task(pidfd, &f_flags);
	if (IS_ERR(task)) {
		ret = PTR_ERR(task);
	} else {
		ret = advise_process(task, &iter, behavior);
		put_task_struct(task);
	}
	kfree(iov);
	return ret;
}

#ifdef CONFIG_ANON_VMA_NAME

/**
 * anon_vma_name_alloc - make a name for areas
 * @name: the name, copied
 *
 * Return: it, with one reference, or NULL.
 */
struct anon_vma_name *anon_vma_name_alloc(const char *name)
{
	size_t size = strlen(name) + 1;
	struct anon_vma_name *new;

	new = kmalloc(struct_size(new, name, size), GFP_KERNEL);
	if (!new)
		return NULL;
	kref_init(&new->kref);
	memcpy(new->name, name, size);
	return new;
}

/**
 * anon_vma_name_free - the last reference to a name has gone
 * @kref: its counter
 */
void anon_vma_name_free(struct kref *kref)
{
	kfree(container_of(kref, struct anon_vma_name, kref));
}

/**
 * anon_vma_name - the name of an area, or NULL
 * @vma: the area
 *
 * Locks: mmap_lock, for as long as the name is used without a reference.
 */
struct anon_vma_name *anon_vma_name(struct vm_area_struct *vma)
{
	mmap_assert_locked(vma->vm_mm);
	return vma->anon_name;
}

/**
 * madvise_set_anon_name - name the anonymous areas of a range
 * @mm: the address space
 * @start: first address
 * @len_in: bytes, rounded up to pages
 * @anon_name: the name, to which the caller holds a reference; NULL for none
 *
 * Locks: mmap_lock for writing.
 *
 * Return: 0; -EINVAL for an impossible range, -EBADF if part of it maps a file,
 * -ENOMEM if it has holes, -EAGAIN without memory.
 */
int madvise_set_anon_name(struct mm_struct *mm, unsigned long start,
			  unsigned long len_in, struct anon_vma_name *anon_name)
{
	size_t len = len_in;
	unsigned long end;
	int hole = 0;

	if (!advise_span(start, &len))
		return -EINVAL;
	for (end = start + len; start < end;) {
		struct vm_area_struct *vma = advise_next(mm, &start, end, &hole);
		unsigned long stop;
		int err;

		if (!vma)
			break;
		if (vma->vm_file && !vma_is_anon_shmem(vma))
			return -EBADF;
		stop = min(end, vma->vm_end);
		err = advise_reflag(vma, start, stop, vma->vm_flags, anon_name);
		if (err)
			return err;
		start = stop;
	}
	return hole;
}

#endif /* CONFIG_ANON_VMA_NAME */
