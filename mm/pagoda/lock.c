// SPDX-License-Identifier: GPL-2.0
/*
 * mlock() and its relatives: memory that stays in memory.
 *
 * VM_LOCKED on an area promises that what it maps is not reclaimed, and with
 * VM_LOCKONFAULT only what has once been touched. The calls change the areas,
 * mark the folios that are mapped already (hold.c), and fault in the rest.
 *
 * A call that names a range first looks whether all of it is mapped: if not,
 * as POSIX has it, nothing changes.
 *
 * Locks: areas change under mmap_lock for writing; entries are read under
 * their table's lock, which keeps a folio mapped while its mark is queued.
 */
#include <linux/capability.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/secretmem.h>
#include <linux/swap.h>
#include <linux/syscalls.h>
#include "calls.h"

/*
 * The folio of the entry under a cursor, if it is to be marked. @nr becomes
 * how many entries from here map it. A large folio is held only if all of it
 * is mapped in the range, but let go of in any case: the area may have been
 * split since.
 */
static struct folio *lock_folio_at(struct pt_cursor *c,
				   struct vm_area_struct *vma, bool hold,
				   unsigned long start, unsigned int *nr)
{
	pte_t pte = pt_get(c);
	struct folio *folio;

	*nr = 1;
	if (!pte_present(pte))
		return NULL;
	folio = vm_normal_folio(vma, c->addr, pte);
	if (!folio || folio_is_zone_device(folio))
		return NULL;
	if (likely(!folio_test_large(folio)))
		return folio;

	*nr = folio_pte_batch(folio, c->addr, c->pte, pte,
			      (c->stop - c->addr) >> PAGE_SHIFT,
			      FPB_IGNORE_DIRTY | FPB_IGNORE_SOFT_DIRTY,
			      NULL, NULL, NULL);
	if (hold && (*nr != folio_nr_pages(folio) ||
		     !folio_within_range(folio, vma, start, c->stop)))
		return NULL;
	return folio;
}

/*
 * Set an area's flags, in which VM_LOCKED changes, and mark what [start, end)
 * maps already. What is mapped later is marked by who maps it.
 *
 * Who maps or unmaps a page through a reverse walk does not hold mmap_lock, and
 * would mark it too; twice is for ever. VM_IO, which no locked area has, tells
 * mlock_vma_folio() to keep out while this goes on.
 */
static void lock_mapped(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, vm_flags_t flags)
{
	bool hold = flags & VM_LOCKED;
	struct pt_cursor c;
	unsigned int nr;

	vma_start_write(vma);
	vm_flags_reset_once(vma, hold ? flags | VM_IO : flags);
	lru_add_drain();

	pt_open(&c, vma->vm_mm, start, end);
	while (pt_next(&c)) {
		unsigned long from = c.addr;

		do {
			struct folio *folio;

			folio = lock_folio_at(&c, vma, hold, from, &nr);
			if (folio && hold)
				mlock_folio(folio);
			else if (folio)
				munlock_folio(folio);
		} while (pt_step_by(&c, nr));
		pt_release(&c);
		cond_resched();
	}

	lru_add_drain();
	if (hold)
		vm_flags_reset_once(vma, flags);
}

/*
 * Make [start, end) of an area locked as in @lock (VM_LOCKED, VM_LOCKONFAULT).
 * Areas that cannot be locked are passed over, and secret ones always are.
 * Return the area that then has the range, or an error.
 */
static struct vm_area_struct *
lock_area(struct vma_iterator *vmi, struct vm_area_struct *before,
	  struct vm_area_struct *vma, unsigned long start, unsigned long end,
	  vm_flags_t lock)
{
	vm_flags_t old = vma->vm_flags;
	vm_flags_t flags = (old & ~VM_LOCKED_MASK) | lock;
	long pages = (end - start) >> PAGE_SHIFT;

	if (flags == old || vma_is_secretmem(vma) || !vma_supports_mlock(vma))
		return vma;

	if (!before || start != vma->vm_start)
		before = call_area_before(vmi, vma, start);
	vma = area_reflag(vmi, before, vma, start, end, flags,
			  anon_vma_name(vma));
	if (IS_ERR(vma))
		return vma;

	if (flags & old & VM_LOCKED) {
		/* All is marked and counted; only when to fault changes. */
		vma_start_write(vma);
		vm_flags_reset(vma, flags);
		return vma;
	}
	vma->vm_mm->locked_vm += flags & VM_LOCKED ? pages : -pages;
	lock_mapped(vma, start, end, flags);
	return vma;
}

/* Is every page of the range mapped? */
static int lock_covered(struct mm_struct *mm, unsigned long start,
			unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > start)
			return -ENOMEM;
		start = vma->vm_end;
	}
	return start < end ? -ENOMEM : 0;
}

/* No shared table has pages of locked areas: their marks count in one mm. */
static int lock_unshare(struct mm_struct *mm, unsigned long start,
			unsigned long end, vm_flags_t lock)
{
	return lock & VM_LOCKED ? pt_make_private(mm, start, end) : 0;
}

/*
 * Lock or unlock a range. @every: whatever of it is mapped and as far as
 * memory for splitting goes, for the calls that lock all; else all or nothing,
 * but for that memory.
 */
static int lock_range(struct mm_struct *mm, unsigned long start,
		      unsigned long end, vm_flags_t lock, bool every)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma, *before = NULL;

	if (!every && (lock_covered(mm, start, end) ||
		       lock_unshare(mm, start, end, lock)))
		return -ENOMEM;

	for (vma = vma_find(&vmi, end); vma; vma = vma_find(&vmi, end)) {
		unsigned long at = max(start, vma->vm_start);
		unsigned long stop = min(end, vma->vm_end);
		struct vm_area_struct *now = ERR_PTR(-ENOMEM);

		if (!every || !lock_unshare(mm, at, stop, lock))
			now = lock_area(&vmi, before, vma, at, stop, lock);
		if (IS_ERR(now) && !every)
			return PTR_ERR(now);
		before = IS_ERR(now) ? vma : now;
		stop = before->vm_end;
		if (stop >= end)
			break;
		vma_iter_set(&vmi, stop);
		cond_resched();
	}
	return 0;
}

/* How many pages of a range are in locked areas. */
static unsigned long lock_count(struct mm_struct *mm, unsigned long start,
				unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma;
	unsigned long bytes = 0;

	for_each_vma_range(vmi, vma, end)
		if (vma->vm_flags & VM_LOCKED)
			bytes += min(end, vma->vm_end) -
				 max(start, vma->vm_start);
	return bytes >> PAGE_SHIFT;
}

/**
 * can_do_mlock - may the caller lock any memory at all?
 */
bool can_do_mlock(void)
{
	return rlimit(RLIMIT_MEMLOCK) || capable(CAP_IPC_LOCK);
}
EXPORT_SYMBOL(can_do_mlock);

/* May the range be locked? What is locked of it already is not counted twice. */
static bool lock_allowed(struct mm_struct *mm, unsigned long start,
			 unsigned long end)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	unsigned long want = mm->locked_vm + ((end - start) >> PAGE_SHIFT);

	return want <= limit || capable(CAP_IPC_LOCK) ||
	       want - lock_count(mm, start, max(start, end)) <= limit;
}

static int lock_call(unsigned long start, size_t len, vm_flags_t lock)
{
	struct mm_struct *mm = current->mm;
	unsigned long end;
	int err = 0;

	start = untagged_addr(start);
	if (lock && !can_do_mlock())
		return -EPERM;
	len = PAGE_ALIGN(len + offset_in_page(start));
	start &= PAGE_MASK;
	end = start + len;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (lock && !lock_allowed(mm, start, end))
		err = -ENOMEM;
	else if (end < start)
		err = -EINVAL;
	else if (len)
		err = lock_range(mm, start, end, lock, false);
	mmap_write_unlock(mm);
	if (err || !lock)
		return err;

	err = __mm_populate(start, len, 0);
	/* In POSIX's words, of which memory there is none. */
	if (err == -EFAULT)
		return -ENOMEM;
	return err == -ENOMEM ? -EAGAIN : err;
}

SYSCALL_DEFINE2(mlock, unsigned long, start, size_t, len)
{
	return lock_call(start, len, VM_LOCKED);
}

SYSCALL_DEFINE3(mlock2, unsigned long, start, size_t, len, int, flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_call(start, len, flags ? VM_LOCKED_MASK : VM_LOCKED);
}

SYSCALL_DEFINE2(munlock, unsigned long, start, size_t, len)
{
	return lock_call(start, len, 0);
}

/* The lock flags that MCL_ONFAULT in @flags asks for. */
static vm_flags_t lock_all_flags(int flags)
{
	return flags & MCL_ONFAULT ? VM_LOCKED_MASK : VM_LOCKED;
}

SYSCALL_DEFINE1(mlockall, int, flags)
{
	struct mm_struct *mm = current->mm;
	int err = 0;

	if ((flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
	    !(flags & (MCL_CURRENT | MCL_FUTURE)))
		return -EINVAL;
	if (!can_do_mlock())
		return -EPERM;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if ((flags & MCL_CURRENT) &&
	    mm->total_vm > rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT &&
	    !capable(CAP_IPC_LOCK)) {
		err = -ENOMEM;
	} else {
		/* Each call says anew what becomes of areas to come. */
		mm->def_flags &= ~VM_LOCKED_MASK;
		if (flags & MCL_FUTURE)
			mm->def_flags |= lock_all_flags(flags);
		if (flags & MCL_CURRENT)
			lock_range(mm, 0, ULONG_MAX, lock_all_flags(flags), true);
	}
	mmap_write_unlock(mm);

	if (!err && (flags & MCL_CURRENT))
		mm_populate(0, TASK_SIZE);
	return err;
}

SYSCALL_DEFINE0(munlockall)
{
	struct mm_struct *mm = current->mm;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	mm->def_flags &= ~VM_LOCKED_MASK;
	lock_range(mm, 0, ULONG_MAX, 0, true);
	mmap_write_unlock(mm);
	return 0;
}

/*
 * SHM_LOCK locks a segment, which can outlive any process: it is charged to
 * the user. The spinlock makes check and charge one step.
 */
static DEFINE_SPINLOCK(lock_user_lock);

/**
 * user_shm_lock - charge a locked segment to its user
 * @size: bytes
 * @ucounts: the user's counts; a reference is kept until user_shm_unlock()
 *
 * Return: 1 if charged, 0 if that would exceed RLIMIT_MEMLOCK.
 */
int user_shm_lock(size_t size, struct ucounts *ucounts)
{
	unsigned long pages = DIV_ROUND_UP(size, PAGE_SIZE);
	unsigned long limit = rlimit(RLIMIT_MEMLOCK);
	long total;
	bool fits;

	if (limit != RLIM_INFINITY)
		limit >>= PAGE_SHIFT;
	spin_lock(&lock_user_lock);
	total = inc_rlimit_ucounts(ucounts, UCOUNT_RLIMIT_MEMLOCK, pages);
	/* LONG_MAX: the counter itself is full. */
	fits = (total != LONG_MAX && total <= limit) || capable(CAP_IPC_LOCK);
	if (!fits || !get_ucounts(ucounts)) {
		dec_rlimit_ucounts(ucounts, UCOUNT_RLIMIT_MEMLOCK, pages);
		fits = false;
	}
	spin_unlock(&lock_user_lock);
	return fits;
}

/**
 * user_shm_unlock - take back what user_shm_lock() charged
 * @size: bytes
 * @ucounts: the user's counts
 */
void user_shm_unlock(size_t size, struct ucounts *ucounts)
{
	spin_lock(&lock_user_lock);
	dec_rlimit_ucounts(ucounts, UCOUNT_RLIMIT_MEMLOCK,
			   DIV_ROUND_UP(size, PAGE_SIZE));
	spin_unlock(&lock_user_lock);
	put_ucounts(ucounts);
}
