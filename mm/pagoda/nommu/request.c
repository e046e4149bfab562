// SPDX-License-Identifier: GPL-2.0
/*
 * May it be mapped, and in which ways?
 *
 * A mapping is served either from the file's own memory (NOMMU_MAP_DIRECT) or
 * with a copy of it (NOMMU_MAP_COPY). What the file offers is narrowed down by
 * what is asked for; if nothing is left, the mapping fails. See
 * Documentation/admin-guide/mm/nommu-mmap.rst.
 */
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/stat.h>

#include "nommu.h"

/* The rights in memory that PROT_* bits need, as NOMMU_MAP_*. */
static unsigned int request_rights(unsigned long prot)
{
	return (prot & PROT_READ ? NOMMU_MAP_READ : 0) |
	       (prot & PROT_WRITE ? NOMMU_MAP_WRITE : 0) |
	       (prot & PROT_EXEC ? NOMMU_MAP_EXEC : 0);
}

/* What a file offers: NOMMU_MAP_*, or -EINVAL if it is not for mapping. */
static int request_offer(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;
	int offer;

	if (file->f_op->mmap_capabilities)
		offer = file->f_op->mmap_capabilities(file);
	else if (S_ISREG(mode) || S_ISBLK(mode))
		offer = NOMMU_MAP_COPY;
	else if (S_ISCHR(mode))
		offer = NOMMU_MAP_DIRECT | NOMMU_MAP_READ | NOMMU_MAP_WRITE;
	else
		return -EINVAL;

	/* Nobody can say where its memory is, or nobody can read it. */
	if (!file->f_op->get_unmapped_area)
		offer &= ~NOMMU_MAP_DIRECT;
	if (!(file->f_mode & FMODE_CAN_READ))
		offer &= ~NOMMU_MAP_COPY;
	return offer;
}

/* A shared mapping: direct, or not at all. */
static int request_shared(struct map_request *rq, unsigned int offer)
{
	struct file *file = rq->file;
	bool writes = file->f_mode & FMODE_WRITE;

	if ((rq->prot & PROT_WRITE) && !writes)
		return -EACCES;
	if (writes && IS_APPEND(file_inode(file)))
		return -EACCES;
	if (!(offer & NOMMU_MAP_DIRECT))
		return -ENODEV;
	if (request_rights(rq->prot) & ~offer)
		return -EINVAL;
	rq->ways = offer & ~NOMMU_MAP_COPY;
	return 0;
}

/* A private mapping: there must be the way back to a copy. */
static int request_private(struct map_request *rq, unsigned int offer)
{
	if (!(offer & NOMMU_MAP_COPY))
		return -ENODEV;
	/* What is written must not show in the file. */
	if ((rq->prot & PROT_WRITE) || (request_rights(rq->prot) & ~offer))
		offer &= ~NOMMU_MAP_DIRECT;
	rq->ways = offer;
	return 0;
}

static int request_file(struct map_request *rq)
{
	struct file *file = rq->file;
	int offer, err;

	if (!file->f_op->mmap)
		return -ENODEV;
	offer = request_offer(file);
	if (offer < 0)
		return offer;
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	err = rq->flags & MAP_SHARED ? request_shared(rq, offer) :
				       request_private(rq, offer);
	if (err)
		return err;
	if ((rq->prot & PROT_EXEC) && path_noexec(&file->f_path))
		return -EPERM;
	return 0;
}

/* The VM_* bits of the area, for a request that is fine. */
static vm_flags_t request_vm_flags(const struct map_request *rq)
{
	const vm_flags_t any = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	vm_flags_t flags = calc_vm_prot_bits(rq->prot, 0) |
			   calc_vm_flag_bits(rq->file, rq->flags);

	/* No fork will share it: shared anonymous memory is as good as private. */
	if (!rq->file)
		return flags | any;
	if (rq->flags & MAP_SHARED)
		return flags | VM_SHARED | VM_MAYSHARE |
		       (rq->ways & NOMMU_VMFLAGS);
	flags |= rq->ways & NOMMU_MAP_DIRECT ? rq->ways & NOMMU_VMFLAGS : any;
	/*
	 * Never written to, since there is no mprotect(), unless by a debugger:
	 * others may use the same memory.
	 */
	if (!(rq->prot & PROT_WRITE) && !current->ptrace)
		flags |= VM_MAYOVERLAY;
	return flags;
}

/**
 * request_check - may it be mapped?
 * @rq: the request as the program made it; its length becomes whole pages,
 *	its ways and vm_flags are filled in
 * @addr: where the program would like it, which only has to be allowed
 *
 * Return: 0, or what the program is told: -EINVAL, -ENOMEM, -EOVERFLOW,
 * -ENODEV, -EACCES, -EPERM.
 */
int request_check(struct map_request *rq, unsigned long addr)
{
	unsigned long type = rq->flags & MAP_TYPE;
	unsigned long len = PAGE_ALIGN(rq->len);
	int err = 0;

	if (rq->flags & MAP_FIXED)
		return -EINVAL;
	if (type != MAP_PRIVATE && type != MAP_SHARED)
		return -EINVAL;
	if (!rq->len)
		return -EINVAL;
	if (!len || len > TASK_SIZE)
		return -ENOMEM;
	if (rq->pgoff + (len >> PAGE_SHIFT) < rq->pgoff)
		return -EOVERFLOW;
	rq->len = len;
	rq->ways = NOMMU_MAP_COPY;
	if (rq->file)
		err = request_file(rq);
	if (!err)
		err = security_mmap_addr(addr);
	if (!err)
		rq->vm_flags |= request_vm_flags(rq);
	return err;
}
