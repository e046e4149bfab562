// SPDX-License-Identifier: GPL-2.0
/*
 * Access: copy to and from the memory of another process.
 *
 * For ptrace, /proc/PID/mem and process_vm_readv/writev. Every page is reached
 * through the pin calls, so protection, copy-on-write and dirty tracking are
 * theirs.
 */
#include <linux/compat.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uio.h>

/* Copy within one page; returns the number of bytes. */
static int access_page(struct vm_area_struct *vma, struct page *page,
		       unsigned long addr, void *buf, int len, bool write)
{
	int bytes = min_t(int, len, PAGE_SIZE - offset_in_page(addr));
	void *base = kmap_local_page(page), *there = base + offset_in_page(addr);

	if (write)
		copy_to_user_page(vma, page, addr, there, buf, bytes);
	else
		copy_from_user_page(vma, page, addr, buf, there, bytes);
	kunmap_local(base);
	if (write)
		set_page_dirty_lock(page);
	put_page(page);
	return bytes;
}

/* Memory without struct pages, of an area that knows how to get at it. */
static int access_device(struct vm_area_struct *vma, unsigned long addr,
			 void *buf, int len, bool write)
{
#ifdef CONFIG_HAVE_IOREMAP_PROT
	if (vma->vm_ops && vma->vm_ops->access)
		return vma->vm_ops->access(vma, addr, buf, len, write);
#endif
	return 0;
}

/**
 * access_remote_vm - copy to or from an address space
 * @mm: the address space, kept by the caller
 * @addr: user address in it
 * @buf: kernel memory
 * @len: bytes
 * @gup_flags: FOLL_WRITE to write to it, FOLL_FORCE to override protection
 *
 * The stack is grown if need be. Return: bytes copied, fewer than @len where
 * the memory ends.
 */
int access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf,
		     int len, unsigned int gup_flags)
{
	bool write = gup_flags & FOLL_WRITE;
	struct vm_area_struct *vma;
	struct page *page;
	int done = 0, bytes;

	if (mmap_read_lock_killable(mm))
		return 0;
	addr = untagged_addr_remote(mm, addr);
	if (!vma_lookup(mm, addr) && !in_gate_area(mm, addr) &&
	    !expand_stack(mm, addr))
		return 0;

	while (done < len) {
		bool gone = get_user_pages_remote(mm, addr, 1, gup_flags, &page,
						  NULL) != 1;

		vma = vma_lookup(mm, addr);
		if (!gone) {
			bytes = access_page(vma ?: get_gate_vma(mm), page, addr,
					    buf + done, len - done, write);
		} else if (!vma) {
			/* Perhaps the stack ends here: drops the lock if not. */
			if (!expand_stack(mm, addr))
				return done;
			continue;
		} else {
			bytes = access_device(vma, addr, buf + done, len - done,
					      write);
			if (bytes <= 0)
				break;
		}
		done += bytes;
		addr += bytes;
	}
	mmap_read_unlock(mm);
	return done;
}

#ifdef CONFIG_CROSS_MEMORY_ATTACH
/* Pages pinned at a time: as many as fit into one page, or a few on the stack. */
#define PVM_PAGES	(PAGE_SIZE / sizeof(struct page *))
#define PVM_FEW		16

/**
 * struct pvm - one process_vm_readv() or process_vm_writev()
 * @mm: the other process's address space
 * @iter: what is left of the local side
 * @pages: room for pinned pages
 * @room: how many
 * @write: towards the other process
 */
struct pvm {
	struct mm_struct *mm;
	struct iov_iter iter;
	struct page **pages;
	unsigned long room;
	bool write;
};

/* Pages that the @len bytes at @addr lie in. */
static unsigned long pvm_span(unsigned long addr, unsigned long len)
{
	if (!len)
		return 0;
	return ((addr + len - 1) >> PAGE_SHIFT) - (addr >> PAGE_SHIFT) + 1;
}

/* Copy between pinned pages and the local side. */
static int pvm_copy(struct pvm *p, unsigned long offset, unsigned long len)
{
	struct page **page = p->pages;

	for (; len && iov_iter_count(&p->iter); page++, offset = 0) {
		size_t want = min(len, PAGE_SIZE - offset), got;

		if (p->write)
			got = copy_page_from_iter(*page, offset, want, &p->iter);
		else
			got = copy_page_to_iter(*page, offset, want, &p->iter);
		len -= got;
		if (got < want && iov_iter_count(&p->iter))
			return -EFAULT;
	}
	return 0;
}

/* One piece of the other process's memory. */
static int pvm_piece(struct pvm *p, unsigned long addr, unsigned long len)
{
	int err = 0;

	while (!err && len && iov_iter_count(&p->iter)) {
		unsigned long nr = min(pvm_span(addr, len), p->room);
		unsigned long offset = offset_in_page(addr), bytes;
		int locked = 1;
		long got;

		mmap_read_lock(p->mm);
		got = pin_user_pages_remote(p->mm, addr & PAGE_MASK, nr,
					    p->write ? FOLL_WRITE : 0,
					    p->pages, &locked);
		if (locked)
			mmap_read_unlock(p->mm);
		if (got <= 0)
			return -EFAULT;
		bytes = min(((unsigned long)got << PAGE_SHIFT) - offset, len);
		err = pvm_copy(p, offset, bytes);
		unpin_user_pages_dirty_lock(p->pages, got, p->write);
		addr += bytes;
		len -= bytes;
	}
	return err;
}

static struct mm_struct *pvm_mm(pid_t pid)
{
	struct task_struct *task = find_get_task_by_vpid(pid);
	struct mm_struct *mm;

	if (!task)
		return ERR_PTR(-ESRCH);
	mm = mm_access(task, PTRACE_MODE_ATTACH_REALCREDS);
	put_task_struct(task);
	if (!mm)
		return ERR_PTR(-ESRCH);
	/* As the manual page has it: no permission is EPERM here. */
	return mm == ERR_PTR(-EACCES) ? ERR_PTR(-EPERM) : mm;
}

/* Local side checked, remote pieces read: do it. */
static ssize_t pvm_run(struct pvm *p, pid_t pid, const struct iovec *remote,
		       unsigned long count)
{
	size_t before = iov_iter_count(&p->iter), moved;
	struct page *few[PVM_FEW];
	unsigned long i, most = 0;
	int err = 0;

	for (i = 0; i < count; i++)
		most = max(most, pvm_span((unsigned long)remote[i].iov_base,
					  remote[i].iov_len));
	if (!most)
		return 0;
	p->pages = few;
	p->room = PVM_FEW;
	if (most > PVM_FEW) {
		p->room = min(most, PVM_PAGES);
		p->pages = kmalloc_array(p->room, sizeof(*p->pages),
					 GFP_KERNEL);
		if (!p->pages)
			return -ENOMEM;
	}
	p->mm = pvm_mm(pid);
	if (IS_ERR(p->mm)) {
		err = PTR_ERR(p->mm);
		goto free_pages;
	}
	for (i = 0; i < count && !err && iov_iter_count(&p->iter); i++)
		err = pvm_piece(p, (unsigned long)remote[i].iov_base,
				remote[i].iov_len);
	mmput(p->mm);
free_pages:
	if (p->pages != few)
		kfree(p->pages);
	moved = before - iov_iter_count(&p->iter);
	return moved ?: err;
}

/* The local side is what is copied to, or from if @write. */
static ssize_t pvm_call(pid_t pid, const struct iovec __user *lvec,
			unsigned long lcount, const struct iovec __user *rvec,
			unsigned long rcount, unsigned long flags, bool write)
{
	struct iovec fast[2][UIO_FASTIOV], *local = fast[0], *remote;
	struct pvm p = { .write = write };
	ssize_t ret = -EINVAL;

	if (!flags)
		ret = import_iovec(write ? ITER_SOURCE : ITER_DEST, lvec,
				   lcount, UIO_FASTIOV, &local, &p.iter);
	if (ret <= 0) {
		/* import_iovec() leaves nothing to free when it fails. */
		kfree(ret ? NULL : local);
		return ret;
	}
	remote = iovec_from_user(rvec, rcount, UIO_FASTIOV, fast[1],
				 in_compat_syscall());
	ret = PTR_ERR_OR_ZERO(remote);
	if (!ret) {
		ret = pvm_run(&p, pid, remote, rcount);
		kfree(remote == fast[1] ? NULL : remote);
	}
	kfree(local);
	return ret;
}

SYSCALL_DEFINE6(process_vm_readv, pid_t, pid, const struct iovec __user *, lvec,
		unsigned long, liovcnt, const struct iovec __user *, rvec,
		unsigned long, riovcnt, unsigned long, flags)
{
	return pvm_call(pid, lvec, liovcnt, rvec, riovcnt, flags, false);
}

SYSCALL_DEFINE6(process_vm_writev, pid_t, pid,
		const struct iovec __user *, lvec, unsigned long, liovcnt,
		const struct iovec __user *, rvec, unsigned long, riovcnt,
		unsigned long, flags)
{
	return pvm_call(pid, lvec, liovcnt, rvec, riovcnt, flags, true);
}
#endif
