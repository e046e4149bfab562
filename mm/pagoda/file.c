// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that an object has: files, shared memory, drivers.
 *
 * Guarantees: the object is asked for a page through its vm_ops; what it
 * gives comes with a reference, and stays locked until the entry shows it, so
 * that truncation, which locks pages after it has cut the object, never
 * leaves a page mapped behind the end. Who may write to a shared page has told
 * the object so (->page_mkwrite), and the page is dirty before the writer
 * goes on.
 *
 * Locks: see fault.c. ->fault may drop the lock, and then the fault ends. Page
 * locks are taken before the table's lock and never while it is held.
 */
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sizes.h>
#include <linux/writeback.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "fault.h"

#ifndef arch_wants_old_prefaulted_pte
/* Setting the accessed bit costs nothing here: map around a fault as used. */
#define arch_wants_old_prefaulted_pte()	false
#endif

/* How much is mapped around a read, if it is at hand; a power of two. */
static unsigned long fault_around_bytes __read_mostly = SZ_64K;

/**
 * set_pte_range - map pages that an object has, for reading
 * @vmf: the fault; vmf->pte is the entry for @addr, its table locked
 * @folio: what the pages belong to
 * @page: the first of them
 * @nr: how many, all in @vmf's table
 * @addr: where the first one goes
 *
 * The caller adds to the mm's counters and takes @nr references.
 */
void set_pte_range(struct vm_fault *vmf, struct folio *folio,
		   struct page *page, unsigned int nr, unsigned long addr)
{
	struct vm_area_struct *vma = vmf->vma;
	pte_t entry = mk_pte(page, vma->vm_page_prot);
	bool asked = vmf->address - addr < (unsigned long)nr << PAGE_SHIFT;

	VM_WARN_ON_ONCE(vmf->flags & FAULT_FLAG_WRITE);
	flush_icache_pages(vma, page, nr);
	if (!asked && arch_wants_old_prefaulted_pte())
		entry = pte_mkold(entry);
	else
		entry = pte_sw_mkyoung(entry);
	folio_add_file_rmap_ptes(folio, page, nr, vma);
	set_ptes(vma->vm_mm, addr, vmf->pte, entry, nr);
	pt_count_external((pte_t *)vmf->pmd, mm_counter_file(folio), nr);
	update_mmu_cache_range(vmf, vma, addr, vmf->pte, nr);
}

/**
 * finish_fault - map the page that a fault has got
 * @vmf: the fault; vmf->page is the object's page, locked; for a write to a
 *       private area vmf->cow_page is the copy of it
 *
 * Return: 0, and the page's reference is the entry's now; else VM_FAULT_*
 */
vm_fault_t finish_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	bool shared = vma->vm_flags & VM_SHARED;
	struct page *page = vmf->page;
	struct folio *folio;
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;
	pte_t entry;

	ret = fault_open(vmf);
	if (unlikely(ret))
		return ret;
	/* What the OOM reaper took from a private area must not come back. */
	if (!shared) {
		ret = check_stable_address_space(vma->vm_mm);
		if (unlikely(ret))
			goto out;
	}
	if (write && !shared) {
		flush_icache_pages(vma, vmf->cow_page, 1);
		fault_map_anon(e, vmf, page_folio(vmf->cow_page), true);
		goto out;
	}

	folio = page_folio(page);
	flush_icache_pages(vma, page, 1);
	entry = pte_sw_mkyoung(mk_pte(page, vma->vm_page_prot));
	if (write)
		entry = maybe_mkwrite(pte_mkdirty(entry), vma);
	folio_add_file_rmap_pte(folio, page, vma);
	pt_set(e, entry, mm_counter_file(folio));
	update_mmu_cache_range(vmf, vma, vmf->address, e->c.pte, 1);
out:
	pt_edit_release(e);
	return ret;
}

/* The object gave a page whose memory is lost: drop it, if it is clean. */
static vm_fault_t file_lost_page(struct vm_fault *vmf, vm_fault_t got)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_HWPOISON;

	if (got & VM_FAULT_LOCKED) {
		if (folio_mapped(folio))
			unmap_mapping_folio(folio);
		if (mapping_evict_folio(folio->mapping, folio))
			ret = VM_FAULT_NOPAGE;
		folio_unlock(folio);
	}
	folio_put(folio);
	vmf->page = NULL;
	return ret;
}

/*
 * An area that its owner fills, and did not fill here. Unless the empty entry
 * was in the middle of a change that takes it out and puts it back.
 */
static vm_fault_t file_unfilled(struct vm_fault *vmf)
{
	struct pt_edit *e = fault_edit(vmf);
	vm_fault_t ret;

	ret = fault_open(vmf);
	if (ret)
		return ret;
	pt_edit_release(e);
	return VM_FAULT_SIGBUS;
}

/*
 * Ask the object for the page. Unless the result has one of FAULT_UNFINISHED,
 * vmf->page is there, with a reference and locked.
 */
static vm_fault_t file_fetch(struct vm_fault *vmf)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	vm_fault_t ret;

	/* Nobody may wait for memory with a page locked: table first. */
	ret = fault_table(vmf);
	if (unlikely(ret))
		return ret;
	if (unlikely(!ops->fault))
		return file_unfilled(vmf);
	ret = ops->fault(vmf);
	if (unlikely(ret & FAULT_UNFINISHED))
		return ret;
	if (unlikely(PageHWPoison(vmf->page)))
		return file_lost_page(vmf, ret);
	if (unlikely(!(ret & VM_FAULT_LOCKED)))
		lock_page(vmf->page);
	return ret | VM_FAULT_LOCKED;
}

/* Let go of vmf->page as file_fetch() got it. */
static void file_drop(struct vm_fault *vmf, bool locked)
{
	if (locked)
		unlock_page(vmf->page);
	put_page(vmf->page);
}

/* Map what the object has at hand around the address, perhaps the page too. */
static vm_fault_t file_map_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long span = READ_ONCE(fault_around_bytes);
	unsigned long start = ALIGN_DOWN(vmf->address, span);
	unsigned long end;
	vm_fault_t ret;

	if (span == PAGE_SIZE || !vma->vm_ops->map_pages)
		return 0;
	ret = fault_table(vmf);
	if (unlikely(ret))
		return ret;
	start = max(start, vma->vm_start);
	/* All of it in the one table that vmf->pmd points at. */
	end = min(pt_slot_end(2, start, start + span), vma->vm_end);

	rcu_read_lock();
	ret = vma->vm_ops->map_pages(vmf, linear_page_index(vma, start),
				     linear_page_index(vma, end) - 1);
	rcu_read_unlock();
	return ret;
}

/**
 * fault_file_read - a page that an object has, to be read
 * @vmf: the fault
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_file_read(struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = file_map_around(vmf);
	if (ret)
		return ret;
	ret = fault_may_call(vmf);
	if (unlikely(ret))
		return ret;
	ret = file_fetch(vmf);
	if (unlikely(ret & FAULT_UNFINISHED))
		return ret;
	ret |= finish_fault(vmf);
	if (unlikely(ret & FAULT_UNFINISHED))
		file_drop(vmf, true);
	else
		unlock_page(vmf->page);
	return ret;
}

/**
 * fault_file_copy - write to a page that an object has, in a private area
 * @vmf: the fault
 *
 * The copy is made before any entry changes; the object's page itself is not
 * mapped.
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_file_copy(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct folio *copy;
	vm_fault_t ret;

	ret = fault_may_call(vmf);
	if (likely(!ret))
		ret = vmf_anon_prepare(vmf);
	if (unlikely(ret))
		return ret;
	copy = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, vma, vmf->address,
			       false);
	if (unlikely(!copy))
		return VM_FAULT_OOM;
	vmf->cow_page = folio_page(copy, 0);

	ret = file_fetch(vmf);
	if (likely(!(ret & FAULT_UNFINISHED))) {
		if (likely(!copy_mc_user_highpage(vmf->cow_page, vmf->page,
						  vmf->address, vma))) {
			__folio_mark_uptodate(copy);
			ret |= finish_fault(vmf);
		} else {
			ret = VM_FAULT_HWPOISON;
		}
		file_drop(vmf, true);
	}
	/* Some objects fill and map the copy themselves (DONE_COW). */
	if (unlikely(ret & FAULT_UNFINISHED & ~VM_FAULT_DONE_COW))
		folio_put(copy);
	return ret;
}

/**
 * fault_notify - tell the object that its page is about to be written to
 * @vmf: the fault; the caller has a reference to vmf->page
 *
 * The object may wait, and may refuse. It is not allowed to drop the fault's
 * lock, so it sees none of the flags that would let it.
 * Locks: neither the page nor a table.
 *
 * Return: 0 with the page locked; else VM_FAULT_*, and it is not
 */
vm_fault_t fault_notify(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	unsigned int flags = vmf->flags;
	vm_fault_t ret;

	vmf->flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE;
	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	vmf->flags = flags;
	if (unlikely(ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE)))
		return ret;
	if (likely(ret & VM_FAULT_LOCKED)) {
		VM_WARN_ON_FOLIO(!folio_test_locked(folio), folio);
		return 0;
	}
	folio_lock(folio);
	if (likely(folio->mapping))
		return 0;
	/* Truncated while it was not locked: fault again. */
	folio_unlock(folio);
	return VM_FAULT_NOPAGE;
}

/**
 * fault_dirtied - a page of a shared area has become writable
 * @vmf: the fault; vmf->page is mapped and locked
 *
 * Marks the page dirty, unlocks it, and makes the writer wait if there are
 * too many dirty pages, if possible without the fault's lock.
 *
 * Return: 0, or VM_FAULT_COMPLETED with the fault's lock dropped
 */
vm_fault_t fault_dirtied(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	bool notified = vma->vm_ops && vma->vm_ops->page_mkwrite;
	struct folio *folio = page_folio(vmf->page);
	struct address_space *mapping;
	struct file *pinned;
	bool dirtied;

	dirtied = folio_mark_dirty(folio);
	VM_WARN_ON_FOLIO(folio_test_anon(folio), folio);
	/* Unlocked, the page may lose its mapping; the file keeps that alive. */
	mapping = folio_raw_mapping(folio);
	folio_unlock(folio);

	/* Who is notified keeps the time itself. */
	if (!notified)
		file_update_time(vma->vm_file);
	/* Pages of some drivers are in no mapping. */
	if (!mapping || !(dirtied || notified))
		return 0;
	pinned = maybe_unlock_mmap_for_io(vmf, NULL);
	balance_dirty_pages_ratelimited(mapping);
	if (!pinned)
		return 0;
	fput(pinned);
	return VM_FAULT_COMPLETED;
}

/**
 * fault_file_write - write to a page that an object has, in a shared area
 * @vmf: the fault
 *
 * Return: VM_FAULT_* bits
 */
vm_fault_t fault_file_write(struct vm_fault *vmf)
{
	vm_fault_t ret, err;

	ret = fault_may_call(vmf);
	if (unlikely(ret))
		return ret;
	ret = file_fetch(vmf);
	if (unlikely(ret & FAULT_UNFINISHED))
		return ret;
	if (vmf->vma->vm_ops->page_mkwrite) {
		unlock_page(vmf->page);
		err = fault_notify(vmf);
		if (unlikely(err)) {
			file_drop(vmf, false);
			return err;
		}
	}
	err = finish_fault(vmf);
	if (unlikely(err)) {
		file_drop(vmf, true);
		return ret | err;
	}
	return ret | fault_dirtied(vmf);
}

#ifdef CONFIG_DEBUG_FS
static int file_around_get(void *data, u64 *val)
{
	*val = fault_around_bytes;
	return 0;
}

/* At least a page (then nothing else is mapped), at most what a table maps. */
static int file_around_set(void *data, u64 val)
{
	if (val > 1UL << pt_shift(2))
		return -EINVAL;
	WRITE_ONCE(fault_around_bytes,
		   rounddown_pow_of_two(max_t(unsigned long, val, PAGE_SIZE)));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(file_around_fops, file_around_get, file_around_set,
			 "%llu\n");

static int __init file_around_init(void)
{
	debugfs_create_file_unsafe("fault_around_bytes", 0644, NULL, NULL,
				   &file_around_fops);
	return 0;
}
late_initcall(file_around_init);
#endif
