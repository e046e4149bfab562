// SPDX-License-Identifier: GPL-2.0
/*
 * mprotect() and protection keys: what an area's memory may be used for.
 *
 * A call first looks at every area of its range: is the range without holes,
 * may each area have the new protection, is there room and commit charge for
 * all of them together. Only then the areas change, one after the other, and
 * with each its entries. After the checks nothing can fail but the memory for
 * splitting an area or for making tables private.
 *
 * Locks: mmap_lock for writing, and every area that changes is locked against
 * faults before its flags do. Entries change under their table's lock; those
 * that allow less than before are flushed when the gather is finished.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/perf_event.h>
#include <linux/personality.h>
#include <linux/pkeys.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/syscalls.h>
#include <asm/mmu_context.h>
#include <asm/tlb.h>
#include "calls.h"

/**
 * struct protect - one change of protection
 * @start: first address
 * @end: where the range ends (exclusive)
 * @prot: PROT_READ, PROT_WRITE, PROT_EXEC as asked for
 * @pkey: protection key asked for, -1 for none
 * @read_executes: what is readable becomes executable where it may be
 * @charge: commit charge that the areas checked need, in pages
 * @data: pages that become writable private data
 * @differs: some area checked does not have what is asked for
 */
struct protect {
	unsigned long start;
	unsigned long end;
	unsigned long prot;
	int pkey;
	bool read_executes;
	unsigned long charge;
	unsigned long data;
	bool differs;
};

/*
 * An entry lacks write permission only because its area cannot give it to all
 * its entries alike. Would a write fault just add it?
 *
 * In a private area it would for an anonymous page that nobody else has. In a
 * shared one, for a page that is dirty already: its file system was told then.
 */
static bool protect_may_write(struct vm_area_struct *vma, unsigned long addr,
			      pte_t pte)
{
	struct page *page;

	if (vma->vm_flags & VM_SHARED)
		return pte_dirty(pte);
	page = vm_normal_page(vma, addr, pte);
	return page && PageAnon(page) && PageAnonExclusive(page);
}

static pte_t protect_entry(struct vm_area_struct *vma, unsigned long addr,
			   pte_t pte, bool upgrade)
{
	pte = pte_modify(pte, vma->vm_page_prot);
	if (upgrade && !pte_write(pte) && protect_may_write(vma, addr, pte))
		pte = pte_mkwrite(pte, vma);
	return pte;
}

/* Give every entry of the cursor's range what its area allows. */
static void protect_entries(struct pt_edit *e, struct mmu_gather *tlb,
			    struct vm_area_struct *vma, bool upgrade)
{
	while (pt_edit_next(e)) {
		unsigned long from = 0, to = 0;

		flush_tlb_batched_pending(vma->vm_mm);
		do {
			unsigned long addr = e->c.addr;
			pte_t seen = pt_get(&e->c), old, new;

			/* Entries of lost memory have no protection. */
			if (!pte_present(seen))
				continue;
			new = protect_entry(vma, addr, seen, upgrade);
			if (pte_same(seen, new))
				continue;
			/* While it is out, accessed and dirty stand still. */
			old = ptep_modify_prot_start(vma, addr, e->c.pte);
			if (unlikely(!pte_same(seen, old)))
				new = protect_entry(vma, addr, old, upgrade);
			ptep_modify_prot_commit(vma, addr, e->c.pte, old, new);
			if (pte_needs_flush(old, new)) {
				if (!to)
					from = addr;
				to = addr + PAGE_SIZE;
			}
		} while (pt_step(&e->c));
		/* Without the lock the gather alone tells of a flush to come. */
		if (to)
			tlb_flush_pte_range(tlb, from, to - from);
		pt_edit_release(e);
		cond_resched();
	}
}

/*
 * On CPUs with L1TF an entry that is not present must not name a frame
 * outside memory. Can the frames of this range become inaccessible?
 */
static int protect_check_frames(struct vm_area_struct *vma,
				unsigned long start, unsigned long end,
				vm_flags_t flags)
{
	pgprot_t prot = vm_get_page_prot(flags);
	struct pt_cursor c;

	if (!arch_has_pfn_modify_check() || (flags & VM_ACCESS_FLAGS) ||
	    !(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)))
		return 0;

	pt_open(&c, vma->vm_mm, start, end);
	while (pt_next(&c)) {
		do {
			pte_t pte = pt_get(&c);

			if (pte_present(pte) &&
			    !pfn_modify_allowed(pte_pfn(pte), prot)) {
				pt_release(&c);
				return -EACCES;
			}
		} while (pt_step(&c));
	}
	return 0;
}

/*
 * The flags that an area gets, with its commit accounting: private memory is
 * accounted for from when it first becomes writable. That ends when it is made
 * read-only only if it certainly has no pages of its own.
 */
static vm_flags_t protect_account(struct vm_area_struct *vma, vm_flags_t flags)
{
	if (flags & VM_WRITE) {
		if (!(vma->vm_flags & (VM_WRITE | VM_SHARED | VM_ACCOUNT |
				       VM_NORESERVE)))
			flags |= VM_ACCOUNT;
	} else if (vma_is_anonymous(vma) && !vma->anon_vma) {
		flags &= ~VM_ACCOUNT;
	}
	return flags;
}

/*
 * Can [start, end) of an area get these flags? Adds to p->charge and p->data
 * what that takes, and changes nothing else.
 */
static int protect_check(struct protect *p, struct vm_area_struct *vma,
			 unsigned long start, unsigned long end,
			 vm_flags_t flags)
{
	unsigned long pages = (end - start) >> PAGE_SHIFT;
	int err;

	if (!can_modify_vma(vma))
		return -EPERM;
	if (flags == vma->vm_flags)
		return 0;
	p->differs = true;

	err = protect_check_frames(vma, start, end, flags);
	if (err)
		return err;

	if (is_data_mapping(flags) && !is_data_mapping(vma->vm_flags)) {
		p->data += pages;
		/* Whoever exceeds RLIMIT_AS as it is does not get worse. */
		if (!may_expand_vm(vma->vm_mm, flags, p->data) &&
		    may_expand_vm(vma->vm_mm, vma->vm_flags, p->data))
			return -ENOMEM;
	}
	if (protect_account(vma, flags) & ~vma->vm_flags & VM_ACCOUNT)
		p->charge += pages;
	return 0;
}

/*
 * Give [start, end) of an area flags that protect_check() has allowed and
 * charged for. Return the area that then has the range, which may be a
 * neighbour's; or an error, and nothing has changed.
 */
static struct vm_area_struct *
protect_apply(struct vma_iterator *vmi, struct mmu_gather *tlb,
	      struct vm_area_struct *before, struct vm_area_struct *vma,
	      unsigned long start, unsigned long end, vm_flags_t flags)
{
	long pages = (end - start) >> PAGE_SHIFT;
	struct mm_struct *mm = vma->vm_mm;
	vm_flags_t old = vma->vm_flags;
	struct mmu_notifier_range range;
	struct pt_edit e;
	bool upgrade;
	int err;

	flags = protect_account(vma, flags);
	err = pt_edit_open(&e, mm, start, end);
	if (err)
		return ERR_PTR(err);
	vma = area_reflag(vmi, before, vma, start, end, flags,
			  anon_vma_name(vma));
	if (IS_ERR(vma))
		return vma;

	vma_start_write(vma);
	vm_flags_reset(vma, flags);
	upgrade = vma_wants_manual_pte_write_upgrade(vma);
	vma_set_page_prot(vma);

	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_VMA, 0, mm,
				start, end);
	mmu_notifier_invalidate_range_start(&range);
	tlb_start_vma(tlb, vma);
	protect_entries(&e, tlb, vma, upgrade);
	tlb_end_vma(tlb, vma);
	mmu_notifier_invalidate_range_end(&range);

	if (old & ~flags & VM_ACCOUNT)
		vm_unacct_memory(pages);
	/* Locked memory must not fault: copy what can now be written to. */
	if ((flags & VM_WRITE) &&
	    (old & (VM_LOCKED | VM_SHARED | VM_WRITE)) == VM_LOCKED)
		populate_vma_page_range(vma, start, end, NULL);
	vm_stat_account(mm, old, -pages);
	vm_stat_account(mm, flags, pages);
	perf_event_mmap(vma);
	return vma;
}

/**
 * mprotect_fixup - change the protection of part of an area
 * @vmi: iterator standing at @vma
 * @tlb: gather of the mm; its owner flushes
 * @vma: the area
 * @pprev: the area before @start (@vma itself if @start is inside it); becomes
 *         the area that has the range afterwards
 * @start: first address
 * @end: where the range ends (exclusive, at most the area's end)
 * @newflags: flags of the area for this range
 *
 * Locks: mmap_lock for writing.
 *
 * Return: 0; -EPERM for a sealed area, -EACCES for frames that cannot be made
 * inaccessible, -ENOMEM; after an error nothing has changed.
 */
int mprotect_fixup(struct vma_iterator *vmi, struct mmu_gather *tlb,
		   struct vm_area_struct *vma, struct vm_area_struct **pprev,
		   unsigned long start, unsigned long end,
		   unsigned long newflags)
{
	struct protect p = { };
	int err = protect_check(&p, vma, start, end, newflags);

	if (err)
		return err;
	if (p.differs) {
		if (p.charge && security_vm_enough_memory_mm(vma->vm_mm, p.charge))
			return -ENOMEM;
		vma = protect_apply(vmi, tlb, *pprev, vma, start, end, newflags);
		if (IS_ERR(vma)) {
			vm_unacct_memory(p.charge);
			return PTR_ERR(vma);
		}
	}
	*pprev = vma;
	return 0;
}

/* PROT_* that this area gets. */
static unsigned long protect_prot(struct protect *p, struct vm_area_struct *vma)
{
	if (p->read_executes && (vma->vm_flags & VM_MAYEXEC))
		return p->prot | PROT_EXEC;
	return p->prot;
}

/* The area's flags with its access rights, and nothing else, replaced. */
static vm_flags_t protect_flags(struct protect *p, struct vm_area_struct *vma)
{
	unsigned long prot = protect_prot(p, vma);
	int pkey = arch_override_mprotect_pkey(vma, prot, p->pkey);

	return calc_vm_prot_bits(prot, pkey) |
	       (vma->vm_flags & ~(VM_ACCESS_FLAGS | VM_FLAGS_CLEAR));
}

/* All that can speak against changing one area of the range. */
static int protect_check_area(struct protect *p, struct vm_area_struct *vma)
{
	unsigned long prot = protect_prot(p, vma);
	unsigned long start = max(p->start, vma->vm_start);
	unsigned long end = min(p->end, vma->vm_end);
	vm_flags_t flags = protect_flags(p, vma);
	int err;

	/* VM_MAYREAD and so on stand four bits above VM_READ and so on. */
	if (flags & ~(flags >> 4) & VM_ACCESS_FLAGS)
		return -EACCES;
	if (map_deny_write_exec(vma->vm_flags, flags))
		return -EACCES;
	if (!arch_validate_flags(flags))
		return -EINVAL;
	err = security_file_mprotect(vma, p->prot, prot);
	if (err)
		return err;
	if (vma->vm_ops && vma->vm_ops->mprotect) {
		err = vma->vm_ops->mprotect(vma, start, end, flags);
		if (err)
			return err;
	}
	return protect_check(p, vma, start, end, flags);
}

/* Change all areas of a range in which protect_check_area() allowed each. */
static int protect_areas(struct protect *p, struct vma_iterator *vmi,
			 struct vm_area_struct *vma)
{
	struct vm_area_struct *before = NULL;
	unsigned long at = p->start;
	struct mmu_gather tlb;
	int err = 0;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	for (;;) {
		unsigned long stop = min(p->end, vma->vm_end);
		vm_flags_t flags = protect_flags(p, vma);

		if (flags != vma->vm_flags) {
			unsigned long charged = 0;

			if (protect_account(vma, flags) & ~vma->vm_flags & VM_ACCOUNT)
				charged = (stop - at) >> PAGE_SHIFT;
			if (!before || at != vma->vm_start)
				before = call_area_before(vmi, vma, at);
			vma = protect_apply(vmi, &tlb, before, vma, at, stop,
					    flags);
			if (IS_ERR(vma)) {
				err = PTR_ERR(vma);
				break;
			}
			p->charge -= charged;
		}
		/* It may have merged with areas that follow. */
		before = vma;
		at = vma->vm_end;
		if (at >= p->end)
			break;
		vma = vma_next(vmi);
	}
	tlb_finish_mmu(&tlb);
	if (err)
		vm_unacct_memory(p->charge);
	return err;
}

/* With mmap_lock held: @grows as in protect_call(). */
static int protect_range(struct protect *p, unsigned long grows)
{
	VMA_ITERATOR(vmi, current->mm, p->start);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *first, *vma;

	if (p->pkey != -1 && !mm_pkey_is_allocated(mm, p->pkey))
		return -EINVAL;

	first = vma_find(&vmi, p->end);
	if (!first)
		return -ENOMEM;
	if (grows & PROT_GROWSDOWN) {
		if (!(first->vm_flags & VM_GROWSDOWN))
			return -EINVAL;
		p->start = first->vm_start;
	} else if (first->vm_start > p->start) {
		return -ENOMEM;
	} else if (grows & PROT_GROWSUP) {
		if (!(first->vm_flags & VM_GROWSUP))
			return -EINVAL;
		p->end = first->vm_end;
	}

	for (vma = first;;) {
		unsigned long reached = vma->vm_end;
		int err = protect_check_area(p, vma);

		if (err)
			return err;
		if (reached >= p->end)
			break;
		vma = vma_next(&vmi);
		if (!vma || vma->vm_start != reached)
			return -ENOMEM;
	}
	if (!p->differs)
		return 0;
	if (pt_make_private(mm, p->start, p->end))
		return -ENOMEM;
	if (p->charge && security_vm_enough_memory_mm(mm, p->charge))
		return -ENOMEM;
	if (vma != first) {
		vma_iter_set(&vmi, p->start);
		first = vma_iter_load(&vmi);
	}
	return protect_areas(p, &vmi, first);
}

/*
 * mprotect() and pkey_mprotect(). PROT_GROWSDOWN and PROT_GROWSUP in @prot
 * stretch the range to the start or the end of an area that grows that way.
 */
static int protect_call(unsigned long start, size_t len, unsigned long prot,
			int pkey)
{
	const unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	struct protect p = {
		.start = untagged_addr(start),
		.prot = prot & ~grows,
		.pkey = pkey,
		.read_executes = (prot & PROT_READ) &&
				 (current->personality & READ_IMPLIES_EXEC),
	};
	int err;

	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || offset_in_page(p.start))
		return -EINVAL;
	if (!len)
		return 0;
	p.end = p.start + PAGE_ALIGN(len);
	if (p.end <= p.start)
		return -ENOMEM;
	if (!arch_validate_prot(p.prot, p.start))
		return -EINVAL;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	err = protect_range(&p, grows);
	mmap_write_unlock(current->mm);
	return err;
}

SYSCALL_DEFINE3(mprotect, unsigned long, start, size_t, len,
		unsigned long, prot)
{
	return protect_call(start, len, prot, -1);
}

#ifdef CONFIG_ARCH_HAS_PKEYS

SYSCALL_DEFINE4(pkey_mprotect, unsigned long, start, size_t, len,
		unsigned long, prot, int, pkey)
{
	return protect_call(start, len, prot, pkey);
}

/* Keys belong to the mm, what the thread may do with them to its PKRU. */
SYSCALL_DEFINE2(pkey_alloc, unsigned long, flags, unsigned long, init_val)
{
	struct mm_struct *mm = current->mm;
	int pkey, err;

	if (flags || (init_val & ~PKEY_ACCESS_MASK))
		return -EINVAL;

	mmap_write_lock(mm);
	pkey = mm_pkey_alloc(mm);
	if (pkey == -1) {
		pkey = -ENOSPC;
	} else {
		err = arch_set_user_pkey_access(current, pkey, init_val);
		if (err) {
			mm_pkey_free(mm, pkey);
			pkey = err;
		}
	}
	mmap_write_unlock(mm);
	return pkey;
}

SYSCALL_DEFINE1(pkey_free, int, pkey)
{
	int err;

	mmap_write_lock(current->mm);
	err = mm_pkey_free(current->mm, pkey);
	mmap_write_unlock(current->mm);
	return err;
}

#endif /* CONFIG_ARCH_HAS_PKEYS */
