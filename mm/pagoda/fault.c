// SPDX-License-Identifier: GPL-2.0
/*
 * Faults: find the area, classify, have the class served, account.
 *
 * Guarantees: a fault either ends with the access allowed by the entry, or
 * gives an error, or asks for another try; in the last two cases no page has
 * come or gone. Faults are counted once, when they end.
 *
 * Locks: a fault is handled under mmap_lock for reading, or under the area's
 * own lock (FAULT_FLAG_VMA_LOCK). Either keeps the area and the tables in
 * place; entries may change until fault_open() has locked their table. A
 * result with VM_FAULT_RETRY or VM_FAULT_COMPLETED says that the lock has
 * been dropped, and then the area may be gone.
 */
#include <linux/extable.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/perf_event.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/swapops.h>
#include <linux/vmstat.h>
#include <asm/mmu_context.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "fault.h"

/**
 * fault_open - open a fault's entry for its change
 * @vmf: the fault; vmf->orig_pte is what the entry held at first look
 *
 * Tables that are missing are made. The caller has all else that it needs:
 * once the entry is open, nothing may fail.
 *
 * Return: 0 with fault_edit() open, its entry unchanged since the first look,
 * to be closed with pt_edit_release(); else nothing is held: VM_FAULT_OOM, or
 * VM_FAULT_NOPAGE if somebody else changed the entry.
 */
vm_fault_t fault_open(struct vm_fault *vmf)
{
	struct pt_edit *e = fault_edit(vmf);
	pte_t now;

	if (unlikely(!vmf->pmd || !pt_edit_again(e)) &&
	    unlikely(pt_edit_at(e, vmf->vma->vm_mm, vmf->address)))
		return VM_FAULT_OOM;
	now = pt_get(&e->c);
	if (likely(pte_same(now, vmf->orig_pte)))
		return 0;
	/* Some x86 CPUs leave accessed and dirty bits in empty entries. */
	if (pte_none(now) && pte_none(vmf->orig_pte))
		return 0;
	/* Where the TLB remembers empty entries, it has to forget this one. */
	update_mmu_tlb(vmf->vma, vmf->address, e->c.pte);
	pt_edit_release(e);
	return VM_FAULT_NOPAGE;
}

/**
 * fault_table - have a last-level table before an object is asked for a page
 * @vmf: the fault
 *
 * The object's code runs with vmf->pmd naming the table, as it expects, and
 * never has to allocate one with a page locked.
 *
 * Return: 0 or VM_FAULT_OOM
 */
vm_fault_t fault_table(struct vm_fault *vmf)
{
	struct pt_edit *e = fault_edit(vmf);

	if (likely(vmf->pmd))
		return 0;
	if (unlikely(pt_edit_at(e, vmf->vma->vm_mm, vmf->address)))
		return VM_FAULT_OOM;
	vmf->pmd = (pmd_t *)e->c.slot;
	vmf->flags |= FAULT_FLAG_ORIG_PTE_VALID;
	pt_edit_release(e);
	return 0;
}

/**
 * fault_may_call - may the object's code run under the lock that is held?
 * @vmf: the fault
 *
 * Objects with ->map_pages are known not to need mmap_lock.
 *
 * Return: 0, or VM_FAULT_RETRY with the area's lock dropped
 */
vm_fault_t fault_may_call(struct vm_fault *vmf)
{
	if (!(vmf->flags & FAULT_FLAG_VMA_LOCK))
		return 0;
	if (likely(vmf->vma->vm_ops->map_pages))
		return 0;
	vma_end_read(vmf->vma);
	return VM_FAULT_RETRY;
}

/**
 * __vmf_anon_prepare - see that the area can have anonymous pages
 * @vmf: the fault
 *
 * An anon_vma may come from a neighbour, so looking for one takes mmap_lock;
 * under the area's lock that must not wait.
 *
 * Return: 0, VM_FAULT_OOM, or VM_FAULT_RETRY with the area's lock still held
 */
vm_fault_t __vmf_anon_prepare(struct vm_fault *vmf)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	bool own = vmf->flags & FAULT_FLAG_VMA_LOCK;
	int err;

	if (likely(vmf->vma->anon_vma))
		return 0;
	if (own && !mmap_read_trylock(mm))
		return VM_FAULT_RETRY;
	err = __anon_vma_prepare(vmf->vma);
	if (own)
		mmap_read_unlock(mm);
	return err ? VM_FAULT_OOM : 0;
}

/* The entry is good enough: another CPU, or a stale TLB, was the reason. */
static vm_fault_t fault_spurious(struct vm_fault *vmf)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	pte_t entry = pte_mkyoung(vmf->orig_pte);
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	ret = fault_open(vmf);
	if (unlikely(ret))
		return ret;
	if (write)
		entry = pte_mkdirty(entry);
	if (ptep_set_access_flags(vmf->vma, vmf->address, e->c.pte, entry, write))
		update_mmu_cache_range(vmf, vmf->vma, vmf->address, e->c.pte, 1);
	else if (write && !(vmf->flags & FAULT_FLAG_TRIED))
		flush_tlb_fix_spurious_fault(vmf->vma, vmf->address, e->c.pte);
	pt_edit_release(e);
	return 0;
}

/* The entry holds neither a page nor nothing: only lost memory is left. */
static vm_fault_t fault_poisoned(struct vm_fault *vmf)
{
	swp_entry_t mark = pte_to_swp_entry(vmf->orig_pte);

	if (is_hwpoison_entry(mark))
		return VM_FAULT_HWPOISON;
	fault_report_bad(vmf->vma, vmf->address, vmf->orig_pte);
	return VM_FAULT_SIGBUS;
}

static gfp_t fault_gfp(struct vm_area_struct *vma)
{
	if (!vma->vm_file)
		return GFP_KERNEL;
	return mapping_gfp_mask(vma->vm_file->f_mapping) | __GFP_FS | __GFP_IO;
}

/* Look at the entry, classify, and have the fault served. */
static __always_inline vm_fault_t
fault_serve(struct vm_area_struct *vma, unsigned long address,
	    unsigned int flags)
{
	struct fault fault = {
		.vmf = {
			.vma = vma,
			.gfp_mask = fault_gfp(vma),
			.pgoff = linear_page_index(vma, address),
			.address = address & PAGE_MASK,
			.real_address = address,
			.flags = flags,
		},
		/* As pt_open() does it. */
		.edit.c = {
			.mm = vma->vm_mm,
			.addr = address & PAGE_MASK,
			.end = (address & PAGE_MASK) + PAGE_SIZE,
		},
	};
	struct vm_fault *vmf = &fault.vmf;
	struct pt_cursor *c = &fault.edit.c;
	unsigned int ahead = 0;

look:
	rcu_read_lock();
	if (likely(pt_peek_next(c))) {
		if (unlikely(c->shared)) {
			pt_peek_end(c);
			rcu_read_unlock();
			if (pt_make_private(vma->vm_mm, vmf->address,
					    vmf->address + PAGE_SIZE))
				return VM_FAULT_OOM;
			goto look;
		}
		vmf->pmd = (pmd_t *)c->slot;
		vmf->orig_pte = ptep_get_lockless(c->pte);
		vmf->flags |= FAULT_FLAG_ORIG_PTE_VALID;
		if (pte_none(vmf->orig_pte) && vma_is_anonymous(vma) &&
		    flags & FAULT_FLAG_WRITE)
			ahead = fault_anon_ahead(c, vma);
		pt_peek_end(c);
	}
	rcu_read_unlock();

	switch (fault_classify(vma->vm_flags, !vma_is_anonymous(vma),
			       vmf->orig_pte, flags)) {
	case FAULT_ANON:
		return fault_anon(vmf, ahead);
	case FAULT_ZERO:
		return fault_zero(vmf);
	case FAULT_FILE_READ:
		return fault_file_read(vmf);
	case FAULT_FILE_COPY:
		return fault_file_copy(vmf);
	case FAULT_FILE_WRITE:
		return fault_file_write(vmf);
	case FAULT_COW:
		return fault_cow(vmf);
	case FAULT_SHARED_WRITE:
		return fault_shared_write(vmf);
	case FAULT_DEVICE_WRITE:
		return fault_device_write(vmf);
	case FAULT_SPURIOUS:
		return fault_spurious(vmf);
	case FAULT_POISONED:
		return fault_poisoned(vmf);
	case FAULT_UNBACKED:
		return VM_FAULT_SIGBUS;
	case FAULT_STACK:
	case FAULT_DENIED:
	case FAULT_NR_CLASSES:
		break;
	}
	/* Callers check areas first: that is their error, not the program's. */
	WARN_ON_ONCE(1);
	return VM_FAULT_SIGSEGV;
}

/* Count a fault that has ended, for the system, the task and perf. */
static void fault_account(struct pt_regs *regs, unsigned long address,
			  unsigned int flags, vm_fault_t ret)
{
	bool major = (ret & VM_FAULT_MAJOR) || (flags & FAULT_FLAG_TRIED);
	u32 event = major ? PERF_COUNT_SW_PAGE_FAULTS_MAJ :
			    PERF_COUNT_SW_PAGE_FAULTS_MIN;

	/* What will be tried again is counted when it ends. */
	if (ret & VM_FAULT_RETRY)
		return;
	count_vm_event(PGFAULT);
	if (ret & VM_FAULT_ERROR)
		return;
	*(major ? &current->maj_flt : &current->min_flt) += 1;
	/* No registers: the kernel faults a page in for somebody. */
	if (regs)
		perf_sw_event(event, 1, regs, address);
}

/**
 * handle_mm_fault - make an access to an address possible
 * @vma: the area that @address is in
 * @address: user address, not aligned
 * @flags: FAULT_FLAG_*: the access, and what the caller allows
 * @regs: registers of the access, or NULL if the kernel prepares one
 *
 * The caller has checked that the area allows the access. Locks: mmap_lock
 * for reading, or with FAULT_FLAG_VMA_LOCK the area's lock; dropped if the
 * result has VM_FAULT_RETRY or VM_FAULT_COMPLETED (but not for
 * FAULT_FLAG_RETRY_NOWAIT).
 *
 * Return: VM_FAULT_* bits; none of VM_FAULT_ERROR, VM_FAULT_RETRY: make the
 * access again
 */
vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long address,
			   unsigned int flags, struct pt_regs *regs)
{
	/* The area may be gone afterwards. */
	bool droppable = vma->vm_flags & VM_DROPPABLE;
	vm_fault_t ret = VM_FAULT_SIGSEGV;

	__set_current_state(TASK_RUNNING);

	/* Outside private areas there is nothing to unshare: just a read. */
	if (unlikely(flags & FAULT_FLAG_UNSHARE) &&
	    !is_cow_mapping(vma->vm_flags))
		flags &= ~FAULT_FLAG_UNSHARE;

	/* A retry drops the area's lock, and "no wait" says that it does not. */
	if (WARN_ON_ONCE((flags & FAULT_FLAG_VMA_LOCK) &&
			 (flags & FAULT_FLAG_RETRY_NOWAIT)))
		goto out;
	if (unlikely(!arch_vma_access_permitted(vma, flags & FAULT_FLAG_WRITE,
						flags & FAULT_FLAG_INSTRUCTION,
						flags & FAULT_FLAG_REMOTE)))
		goto out;

	ret = fault_serve(vma, address, flags);

	/* Memory that may vanish at any time may also fail to appear. */
	if (unlikely(droppable))
		ret &= ~VM_FAULT_OOM;
out:
	fault_account(regs, address, flags, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(handle_mm_fault);

#ifdef CONFIG_LOCK_MM_AND_FIND_VMA
/*
 * May a fault wait for mmap_lock? An access by the kernel that has no entry
 * in the exception tables is a bug, and may have been made with the lock
 * held: to wait would hide the report behind a deadlock.
 */
static bool fault_may_wait(struct pt_regs *regs)
{
	return !regs || user_mode(regs) ||
	       search_exception_tables(exception_ip(regs));
}

/* Does @vma, the first area that ends above @addr, have to grow for it? */
static enum fault_class fault_place(struct vm_area_struct *vma,
				    unsigned long addr)
{
	if (!vma)
		return FAULT_DENIED;
	if (vma->vm_start <= addr)
		return FAULT_SPURIOUS;
	return fault_classify(vma->vm_flags, false, __pte(0), FAULT_BELOW);
}

/**
 * lock_mm_and_find_vma - take mmap_lock and find the area of an address
 * @mm: the address space
 * @addr: where the fault was
 * @regs: registers of the access, or NULL
 *
 * A stack is grown if that makes the address part of it.
 *
 * Return: the area, with mmap_lock held for reading; NULL without the lock
 */
struct vm_area_struct *lock_mm_and_find_vma(struct mm_struct *mm,
					    unsigned long addr,
					    struct pt_regs *regs)
{
	struct vm_area_struct *vma;
	enum fault_class place;

	if (unlikely(!mmap_read_trylock(mm))) {
		if (!fault_may_wait(regs) || mmap_read_lock_killable(mm))
			return NULL;
	}
	vma = find_vma(mm, addr);
	place = fault_place(vma, addr);
	if (likely(place == FAULT_SPURIOUS))
		return vma;

	mmap_read_unlock(mm);
	if (place != FAULT_STACK || !fault_may_wait(regs) ||
	    mmap_write_lock_killable(mm))
		return NULL;

	/* Without the lock for a moment: everything may be different. */
	vma = find_vma(mm, addr);
	place = fault_place(vma, addr);
	if (place == FAULT_STACK && !expand_stack_locked(vma, addr))
		place = FAULT_SPURIOUS;
	if (place != FAULT_SPURIOUS) {
		mmap_write_unlock(mm);
		return NULL;
	}
	mmap_write_downgrade(mm);
	return vma;
}
#endif

#ifdef CONFIG_PER_VMA_LOCK
/**
 * lock_vma_under_rcu - find the area of an address and lock it alone
 * @mm: the address space
 * @address: user address
 *
 * Return: the area, to be unlocked with vma_end_read(), or NULL if there is
 * none or somebody changes it; then mmap_lock gives the answer
 */
struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm,
					  unsigned long address)
{
	MA_STATE(mas, &mm->mm_mt, address, address);
	struct vm_area_struct *vma;
	bool replaced;

	rcu_read_lock();
	do {
		vma = mas_walk(&mas);
		if (!vma || !vma_start_read(vma))
			break;
		/* Locked, it can neither move nor be taken out. */
		replaced = vma->detached;
		if (likely(!replaced && address >= vma->vm_start &&
			   address < vma->vm_end)) {
			rcu_read_unlock();
			return vma;
		}
		vma_end_read(vma);
		if (replaced)
			count_vm_vma_lock_event(VMA_LOCK_MISS);
	} while (replaced);
	rcu_read_unlock();
	count_vm_vma_lock_event(VMA_LOCK_ABORT);
	return NULL;
}
#endif
