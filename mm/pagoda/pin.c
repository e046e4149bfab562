// SPDX-License-Identifier: GPL-2.0
/*
 * Pin: get hold of the pages behind user addresses.
 *
 * The fast way reads page tables with interrupts off and takes no lock: a page
 * counts only if its entry and its table are the same after the reference was
 * taken as before, and no fork ran meanwhile. The slow way holds mmap_lock,
 * looks at entries a window at a time, and has missing ones faulted in, which
 * may drop mmap_lock.
 *
 * What is handed out stays what the address space has there: a page for
 * writing is mapped writable, or is an exclusive private copy (FOLL_FORCE); a
 * private page to be pinned for reading is made exclusive first, so that no
 * later copy-on-write parts the two.
 */
#include <linux/mm.h>
#include <linux/memfd.h>
#include <linux/memremap.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/secretmem.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/hugetlb.h>
#include <asm/mmu_context.h>
#include "pin.h"
#include "tree.h"
#include "../internal.h"

/* What became of one entry, besides an error below 0. */
enum pin_verdict {
	PIN_HAD,		/* the page was taken */
	PIN_FAULT,		/* fault it in, then look again */
	PIN_UNSHARE,		/* make the private page exclusive first */
};

/* May a debugger write to a page that is mapped read-only? */
static bool pin_force_write(struct vm_area_struct *vma, struct page *page,
			    unsigned int flags)
{
	if (!(flags & FOLL_FORCE) || (vma->vm_flags & VM_WRITE))
		return false;
	if ((vma->vm_flags & (VM_MAYSHARE | VM_SHARED)) ||
	    !(vma->vm_flags & VM_MAYWRITE))
		return false;
	return page && PageAnon(page) && PageAnonExclusive(page);
}

/* A frame without a struct page; the entry counts as touched. */
static int pin_frame(struct vm_area_struct *vma, struct pt_cursor *c,
		     unsigned int flags)
{
	pte_t pte = pt_get(c), touched = pte_mkyoung(pte);

	if (flags & FOLL_TOUCH) {
		if (flags & FOLL_WRITE)
			touched = pte_mkdirty(touched);
		if (!pte_same(pte, touched)) {
			set_pte_at(c->mm, c->addr, c->pte, touched);
			update_mmu_cache(vma, c->addr, c->pte);
		}
	}
	return -EEXIST;
}

/* The page of the entry that the cursor stands at, its table locked. */
static int pin_entry(struct vm_area_struct *vma, struct pt_cursor *c,
		     unsigned int flags, struct page **pagep)
{
	pte_t pte = pt_get(c);
	struct page *page;
	int err;

	if (!pte_present(pte))
		return PIN_FAULT;
	if (pte_protnone(pte) && !gup_can_follow_protnone(vma, flags))
		return PIN_FAULT;
	page = vm_normal_page(vma, c->addr, pte);
	if ((flags & FOLL_WRITE) && !pte_write(pte) &&
	    !pin_force_write(vma, page, flags))
		return PIN_FAULT;
	if (unlikely(!page)) {
		/* A dump leaves holes for zeroes. */
		if (flags & FOLL_DUMP)
			return -EFAULT;
		if (!is_zero_pfn(pte_pfn(pte)))
			return pin_frame(vma, c, flags);
		page = pte_page(pte);
	}
	if (!pte_write(pte) && gup_must_unshare(vma, flags, page))
		return PIN_UNSHARE;

	err = try_grab_folio(page_folio(page), 1, flags);
	if (err)
		return err;
	if (flags & FOLL_PIN) {
		err = arch_make_folio_accessible(page_folio(page));
		if (err) {
			unpin_user_page(page);
			return err;
		}
	}
	if (flags & FOLL_TOUCH) {
		if ((flags & FOLL_WRITE) && !pte_dirty(pte) && !PageDirty(page))
			set_page_dirty(page);
		mark_page_accessed(page);
	}
	*pagep = page;
	return PIN_HAD;
}

/* Is the area one whose pages may be asked for in this way? */
static int pin_check_area(struct vm_area_struct *vma, unsigned int flags)
{
	bool write = flags & FOLL_WRITE, force = flags & FOLL_FORCE;
	bool anon = vma_is_anonymous(vma);
	vm_flags_t vm = vma->vm_flags;

	if ((vm & (VM_IO | VM_PFNMAP)) || vma_is_secretmem(vma))
		return -EFAULT;
	if ((flags & FOLL_ANON) && !anon)
		return -EFAULT;
	if ((flags & FOLL_LONGTERM) && vma_is_fsdax(vma))
		return -EOPNOTSUPP;
	if (write) {
		/*
		 * The file system must see each write to a shared page; who
		 * holds a page for long writes without faults.
		 */
		if (!anon && (flags & FOLL_PIN) && (flags & FOLL_LONGTERM) &&
		    vma_needs_dirty_tracking(vma))
			return -EFAULT;
		/* By force, but never into a shared mapping. */
		if ((!(vm & VM_WRITE) || (vm & VM_SHADOW_STACK)) &&
		    !(force && is_cow_mapping(vm)))
			return -EFAULT;
	} else if (!(vm & VM_READ) && !(force && (vm & VM_MAYREAD))) {
		return -EFAULT;
	}
	if (!arch_vma_access_permitted(vma, write, false, flags & FOLL_REMOTE))
		return -EFAULT;
	return 0;
}

static unsigned int pin_fault_flags(struct pin_request *r, bool unshare)
{
	unsigned int flags = 0;

	if (r->flags & FOLL_WRITE)
		flags |= FAULT_FLAG_WRITE;
	if (r->flags & FOLL_REMOTE)
		flags |= FAULT_FLAG_REMOTE;
	if (r->flags & FOLL_UNLOCKABLE)
		flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE;
	if ((r->flags & FOLL_UNLOCKABLE) && (r->flags & FOLL_INTERRUPTIBLE))
		flags |= FAULT_FLAG_INTERRUPTIBLE;
	if (r->flags & FOLL_NOWAIT)
		flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_RETRY_NOWAIT;
	if (r->tried)
		flags |= FAULT_FLAG_TRIED;
	if (unshare)
		flags |= FAULT_FLAG_UNSHARE;
	return flags;
}

/*
 * Have the next page faulted in. Returns 0 to look again, 1 to give up for now
 * (mmap_lock may have been dropped, see *r->locked), or an error.
 */
static int pin_fault(struct pin_request *r, struct vm_area_struct *vma,
		     bool unshare)
{
	unsigned int flags = pin_fault_flags(r, unshare);
	vm_fault_t ret;

	if (r->flags & FOLL_NOFAULT)
		return -EFAULT;
	ret = handle_mm_fault(vma, r->addr, flags, NULL);
	if (ret & VM_FAULT_COMPLETED) {
		*r->locked = 0;
		return 1;
	}
	if (ret & VM_FAULT_ERROR)
		return vm_fault_to_errno(ret, r->flags);
	if (ret & VM_FAULT_RETRY) {
		if (!(flags & FAULT_FLAG_RETRY_NOWAIT))
			*r->locked = 0;
		return 1;
	}
	return 0;
}

static void pin_record(struct pin_request *r, struct vm_area_struct *vma,
		       struct page *page)
{
	if (r->pages) {
		flush_anon_page(vma, page, r->addr);
		flush_dcache_page(page);
		*r->pages++ = page;
	}
	r->addr += PAGE_SIZE;
	r->nr--;
	r->done++;
	r->tried = false;
}

/*
 * Must tables be private? Not to see only that a page is there, nor for a dump,
 * which is done with a page before its process gives up the table. But whoever
 * holds a page for longer could outlive the sharing, and then see what another
 * process writes to a page that it believes to be its alone.
 */
static bool pin_unshares(const struct pin_request *r)
{
	if (r->flags & FOLL_WRITE)
		return true;
	return r->pages && !(r->flags & FOLL_DUMP);
}

/* Take what is there from r->addr on, up to the end of @vma or a fault. */
static int pin_take(struct pin_request *r, struct vm_area_struct *vma)
{
	unsigned long room = (vma->vm_end - r->addr) >> PAGE_SHIFT;
	unsigned long end = r->addr + (min(r->nr, room) << PAGE_SHIFT);
	struct page *page = NULL;
	struct pt_cursor c;
	int verdict;

again:
	pt_open(&c, r->mm, r->addr, end);
	while (pt_next(&c) && c.addr == r->addr) {
		if (unlikely(c.shared) && pin_unshares(r)) {
			unsigned long stop = c.stop;

			pt_release(&c);
			if (pt_make_private(r->mm, r->addr, stop))
				return -ENOMEM;
			goto again;
		}
		do {
			verdict = pin_entry(vma, &c, r->flags, &page);
			/* Without an array, a page without a page will do. */
			if (verdict != PIN_HAD &&
			    (verdict != -EEXIST || r->pages)) {
				bool none = pte_none(pt_get(&c));

				pt_release(&c);
				if (verdict == PIN_FAULT && none)
					goto hole;
				return verdict;
			}
			pin_record(r, vma, page);
		} while (pt_step(&c));
	}
	pt_release(&c);
	if (r->addr == end)
		return PIN_HAD;
hole:
	/* What was never touched would only be zeroes in a dump. */
	if ((r->flags & FOLL_DUMP) &&
	    (vma_is_anonymous(vma) || !vma->vm_ops->fault))
		return -EFAULT;
	return PIN_FAULT;
}

/* The gate page (vsyscall), which lies in no area. */
static int pin_gate(struct pin_request *r)
{
	struct mm_struct *mm = r->addr < TASK_SIZE ? r->mm : &init_mm;
	struct vm_area_struct *vma = get_gate_vma(r->mm);
	unsigned long addr = r->addr & PAGE_MASK;
	struct page *page = NULL;
	struct pt_cursor c;
	int err = -EFAULT;

	if (r->flags & FOLL_WRITE)
		return -EFAULT;
	rcu_read_lock();
	pt_open(&c, mm, addr, addr + PAGE_SIZE);
	if (pt_peek_next(&c) && pte_present(pt_get(&c))) {
		pte_t pte = pt_get(&c);

		page = vm_normal_page(vma, addr, pte);
		if (!page && is_zero_pfn(pte_pfn(pte)) &&
		    !(r->flags & FOLL_DUMP))
			page = pte_page(pte);
		if (page || !r->pages)
			err = 0;
	}
	if (!err && page)
		err = try_grab_folio(page_folio(page), 1, r->flags);
	pt_peek_end(&c);
	rcu_read_unlock();
	if (!err)
		pin_record(r, vma, page);
	return err;
}

/* The area that the next page lies in; populate has its own errors. */
static struct vm_area_struct *pin_area(struct pin_request *r)
{
	bool populate = r->flags & FOLL_MADV_POPULATE;
	struct vm_area_struct *vma = vma_lookup(r->mm, r->addr);
	int err;

	if (!vma)
		return populate ? ERR_PTR(-ENOMEM) : NULL;
	err = pin_check_area(vma, r->flags);
	if (err)
		return ERR_PTR(populate ? -EINVAL : err);
	return vma;
}

/**
 * pin_run - get pages until all are had or something stands in the way
 * @r: the request; advanced by what was had
 *
 * Locks: mmap_lock for reading; dropped if *@r->locked is 0 afterwards, which
 * happens with FOLL_UNLOCKABLE only.
 *
 * Return: 0 when done, or when a fault has to be repeated or would have
 * waited; or an error about the next page.
 */
long pin_run(struct pin_request *r)
{
	struct vm_area_struct *vma = NULL;
	int verdict, err;

	while (r->nr) {
		if (!vma || r->addr >= vma->vm_end) {
			vma = pin_area(r);
			if (!vma && in_gate_area(r->mm, r->addr)) {
				err = pin_gate(r);
				if (err)
					return err;
				continue;
			}
			if (IS_ERR_OR_NULL(vma))
				return vma ? PTR_ERR(vma) : -EFAULT;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();

		verdict = pin_take(r, vma);
		if (verdict < 0)
			return verdict;
		if (verdict == PIN_HAD)
			continue;
		err = pin_fault(r, vma, verdict == PIN_UNSHARE);
		if (err)
			return min(err, 0);
	}
	return 0;
}

static bool pin_interrupted(unsigned int flags)
{
	return fatal_signal_pending(current) ||
	       ((flags & FOLL_INTERRUPTIBLE) && signal_pending(current));
}

/**
 * pin_run_locked - get pages, taking mmap_lock again where a fault dropped it
 * @r: the request; with *@r->locked 0, mmap_lock is taken and dropped here
 *
 * Return: the number of pages had if any, else an error. If the lock was
 * dropped in between, it is not held and *@r->locked is 0.
 */
long pin_run_locked(struct pin_request *r)
{
	bool drop = !*r->locked;
	long err = 0;

	if (!r->nr)
		return 0;
	if (drop && mmap_read_lock_killable(r->mm))
		return -EAGAIN;
	*r->locked = 1;
	mmap_assert_locked(r->mm);
	r->addr = untagged_addr_remote(r->mm, r->addr) & PAGE_MASK;
	pin_mark_mm(r->mm, r->flags);
	if (r->pages && !(r->flags & FOLL_PIN))
		r->flags |= FOLL_GET;

	for (;;) {
		err = pin_run(r);
		if (*r->locked || !(r->flags & FOLL_UNLOCKABLE))
			break;
		drop = true;
		if (err || !r->nr)
			break;
		r->tried = true;
		err = pin_interrupted(r->flags) ? -EINTR :
			mmap_read_lock_killable(r->mm);
		if (err)
			break;
		*r->locked = 1;
	}
	if (drop && *r->locked) {
		mmap_read_unlock(r->mm);
		*r->locked = 0;
	}
	if (r->done)
		return r->done;
	if (WARN_ON_ONCE(!err && !(r->flags & FOLL_NOWAIT)))
		return -EFAULT;
	return err;
}

static long pin_slow(struct pin_request *r)
{
	unsigned int saved;
	long got;

	if (!(r->flags & FOLL_LONGTERM))
		return pin_run_locked(r);
	/* New pages are to come from memory that may be held for long. */
	saved = memalloc_pin_save();
	got = pin_run_locked(r);
	memalloc_pin_restore(saved);
	return got;
}

/* What all calls that take mmap_lock have in common; @add is the call's own. */
static long pin_call(struct mm_struct *mm, unsigned long start,
		     unsigned long nr, unsigned int flags, unsigned int add,
		     struct page **pages, int *locked)
{
	/* Without @locked, who may drop the lock takes it here, too. */
	int held = !(add & FOLL_UNLOCKABLE);
	struct pin_request r = {
		.mm = mm,
		.addr = start,
		.nr = nr,
		.flags = flags | add | (locked ? FOLL_UNLOCKABLE : 0),
		.pages = pages,
		.locked = locked ?: &held,
	};

	if (!pin_flags_ok(flags, r.flags, pages, locked))
		return -EINVAL;
	return pin_slow(&r);
}

/**
 * get_user_pages_remote - get pages of any address space
 * @mm: the address space, mmap_lock held for reading
 * @start: user address
 * @nr_pages: how many pages
 * @gup_flags: FOLL_*
 * @pages: where to put them, or NULL to fault them in only
 * @locked: 1, set to 0 if the lock was dropped; or NULL if it must not be
 *
 * Return: how many were had, which may be fewer than asked for, or an error.
 */
long get_user_pages_remote(struct mm_struct *mm, unsigned long start,
			   unsigned long nr_pages, unsigned int gup_flags,
			   struct page **pages, int *locked)
{
	return pin_call(mm, start, nr_pages, gup_flags,
			FOLL_TOUCH | FOLL_REMOTE, pages, locked);
}
EXPORT_SYMBOL(get_user_pages_remote);

/* As get_user_pages_remote(), pinning instead of referencing. */
long pin_user_pages_remote(struct mm_struct *mm, unsigned long start,
			   unsigned long nr_pages, unsigned int gup_flags,
			   struct page **pages, int *locked)
{
	return pin_call(mm, start, nr_pages, gup_flags,
			FOLL_PIN | FOLL_TOUCH | FOLL_REMOTE, pages, locked);
}
EXPORT_SYMBOL(pin_user_pages_remote);

/* Pages of the current address space, mmap_lock held and kept. */
long get_user_pages(unsigned long start, unsigned long nr_pages,
		    unsigned int gup_flags, struct page **pages)
{
	return pin_call(current->mm, start, nr_pages, gup_flags, FOLL_TOUCH,
			pages, NULL);
}
EXPORT_SYMBOL(get_user_pages);

/* As get_user_pages(), pinning instead of referencing. */
long pin_user_pages(unsigned long start, unsigned long nr_pages,
		    unsigned int gup_flags, struct page **pages)
{
	return pin_call(current->mm, start, nr_pages, gup_flags, FOLL_PIN,
			pages, NULL);
}
EXPORT_SYMBOL(pin_user_pages);

/* Pages of the current address space, mmap_lock not held. */
long get_user_pages_unlocked(unsigned long start, unsigned long nr_pages,
			     struct page **pages, unsigned int gup_flags)
{
	return pin_call(current->mm, start, nr_pages, gup_flags,
			FOLL_TOUCH | FOLL_UNLOCKABLE, pages, NULL);
}
EXPORT_SYMBOL(get_user_pages_unlocked);

/* As get_user_pages_unlocked(), pinning instead of referencing. */
long pin_user_pages_unlocked(unsigned long start, unsigned long nr_pages,
			     struct page **pages, unsigned int gup_flags)
{
	return pin_call(current->mm, start, nr_pages, gup_flags,
			FOLL_PIN | FOLL_TOUCH | FOLL_UNLOCKABLE, pages, NULL);
}
EXPORT_SYMBOL(pin_user_pages_unlocked);

/*
 * May this folio be had without a look at its area? Not secret memory, and
 * not, for long and for writing, a file's page that may need dirty tracking.
 * Interrupts are off, so that the mapping, if there is one, is not freed.
 */
static bool pin_fast_allowed(struct folio *folio, unsigned int flags)
{
	const unsigned int long_write = FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE;
	bool tracked = (flags & long_write) == long_write;
	bool secret = IS_ENABLED(CONFIG_SECRETMEM) && !folio_test_large(folio);
	unsigned long mapping;

	if (!tracked && !secret)
		return true;
	/* Truncation may clear it at any time: one look. */
	mapping = (unsigned long)READ_ONCE(folio->mapping);
	if (!mapping)
		return false;
	if (mapping & PAGE_MAPPING_FLAGS)
		return mapping & PAGE_MAPPING_ANON;
	if (secret && secretmem_mapping((struct address_space *)mapping))
		return false;
	return !tracked || shmem_mapping((struct address_space *)mapping);
}

/* Take the page of the entry that a peeking cursor stands at. */
static struct page *pin_fast_entry(struct pt_cursor *c, unsigned int flags)
{
	pte_t pte = ptep_get_lockless(c->pte);
	struct folio *folio;
	struct page *page;

	if (pte_protnone(pte) || pte_special(pte) || pte_devmap(pte) ||
	    !pt_leaf_user(pte) || !pte_access_permitted(pte, flags & FOLL_WRITE))
		return NULL;
	page = pte_page(pte);
	folio = grab_lockless(page, flags);
	if (!folio)
		return NULL;
	if (pt_peek_same(c) && pte_same(pte, ptep_get_lockless(c->pte)) &&
	    pin_fast_allowed(folio, flags) &&
	    (pte_write(pte) || !gup_must_unshare(NULL, flags, page)) &&
	    (!(flags & FOLL_PIN) || !arch_make_folio_accessible(folio))) {
		folio_set_referenced(folio);
		return page;
	}
	grab_put(folio, 1, flags);
	return NULL;
}

#ifndef gup_fast_permitted
/* Where an address is of user space or of the kernel's, access_ok() is all. */
static bool gup_fast_permitted(unsigned long start, unsigned long end)
{
	return true;
}
#endif

/* Without a lock, as many pages as can be had in a row. */
static unsigned long pin_fast(unsigned long start, unsigned long nr,
			      unsigned int flags, struct page **pages)
{
	unsigned long end = start + (nr << PAGE_SHIFT), irq, got = 0;
	struct mm_struct *mm = current->mm;
	unsigned int seq = 0;
	struct pt_cursor c;
	struct page *page;

	if (!IS_ENABLED(CONFIG_HAVE_GUP_FAST) ||
	    !gup_fast_permitted(start, end))
		return 0;
	if (flags & FOLL_PIN) {
		seq = raw_read_seqcount(&mm->write_protect_seq);
		if (seq & 1)
			return 0;
	}
	/* Tables are freed behind an interrupt to, or a pause of, each CPU. */
	local_irq_save(irq);
	pt_open(&c, mm, start, end);
	while (pt_peek_next(&c) && c.addr == start + (got << PAGE_SHIFT)) {
		if (c.shared)
			goto out;
		do {
			page = pin_fast_entry(&c, flags);
			if (!page)
				goto out;
			pages[got++] = page;
		} while (pt_step(&c));
	}
out:
	pt_peek_end(&c);
	local_irq_restore(irq);
	if ((flags & FOLL_PIN) && read_seqcount_retry(&mm->write_protect_seq,
						      seq)) {
		/* A fork may have shared them in between. */
		unpin_user_pages(pages, got);
		return 0;
	}
	return got;
}

/* The calls that try the fast way first; @add is the call's own. */
static int pin_fast_call(unsigned long start, int nr_pages, unsigned int flags,
			 unsigned int add, struct page **pages)
{
	const unsigned int known = FOLL_WRITE | FOLL_LONGTERM | FOLL_FORCE |
				   FOLL_PIN | FOLL_GET | FOLL_NOFAULT |
				   FOLL_PCI_P2PDMA | FOLL_HONOR_NUMA_FAULT;
	unsigned long end, len = (unsigned long)nr_pages << PAGE_SHIFT;
	int held = 0;
	struct pin_request rest = {
		.mm = current->mm,
		.flags = flags | add | FOLL_TOUCH | FOLL_UNLOCKABLE,
		.locked = &held,
	};
	long got, more;

	if (WARN_ON_ONCE(flags & ~known) ||
	    !pin_flags_ok(flags, flags | add, pages, NULL))
		return -EINVAL;
	if (nr_pages <= 0)
		return 0;
	pin_mark_mm(current->mm, flags | add);
	if (!(add & FOLL_FAST_ONLY))
		might_lock_read(&current->mm->mmap_lock);
	start = untagged_addr(start) & PAGE_MASK;
	if (check_add_overflow(start, len, &end))
		return -EOVERFLOW;
	if (end > TASK_SIZE_MAX)
		return -EFAULT;

	got = pin_fast(start, nr_pages, flags | add, pages);
	if (got == nr_pages || (add & FOLL_FAST_ONLY))
		return got;
	rest.addr = start + (got << PAGE_SHIFT);
	rest.nr = nr_pages - got;
	rest.pages = pages + got;
	more = pin_slow(&rest);
	return more < 0 && !got ? more : got + max(more, 0L);
}

/**
 * get_user_pages_fast_only - get pages without ever sleeping
 * @start: user address in the current address space
 * @nr_pages: how many pages
 * @gup_flags: FOLL_*
 * @pages: where to put them
 *
 * May be called with interrupts off. Return: how many were had, or an error.
 */
int get_user_pages_fast_only(unsigned long start, int nr_pages,
			     unsigned int gup_flags, struct page **pages)
{
	return pin_fast_call(start, nr_pages, gup_flags,
			     FOLL_GET | FOLL_FAST_ONLY, pages);
}
EXPORT_SYMBOL_GPL(get_user_pages_fast_only);

/* As get_user_pages_fast_only(), going the slow way where need be. */
int get_user_pages_fast(unsigned long start, int nr_pages,
			unsigned int gup_flags, struct page **pages)
{
	return pin_fast_call(start, nr_pages, gup_flags, FOLL_GET, pages);
}
EXPORT_SYMBOL_GPL(get_user_pages_fast);

/* As get_user_pages_fast(), pinning instead of referencing. */
int pin_user_pages_fast(unsigned long start, int nr_pages,
			unsigned int gup_flags, struct page **pages)
{
	return pin_fast_call(start, nr_pages, gup_flags, FOLL_PIN, pages);
}
EXPORT_SYMBOL_GPL(pin_user_pages_fast);
