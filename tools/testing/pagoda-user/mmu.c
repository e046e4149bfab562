// SPDX-License-Identifier: GPL-2.0
/*
 * A software MMU: it walks the same entries in memory as the processor would,
 * by the bits of Intel SDM vol. 3A, section 4.5, and by nothing of the core.
 *
 * Translations are kept until they are flushed, and so are the tables found on
 * the way (section 4.10), each cache as long as it can be. A frame knows how
 * many caches name it, so to free it too early is an error at that moment
 * (alloc.c). What a cache allows and the tables do not is an error when it is
 * used, and in user_tlb_check(). A cached translation that allows less than the
 * tables is dropped with a fault, as the processor may do it.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/tlbflush.h>
#include "space.h"
#include "user.h"

/* Bits of an entry. */
#define HW_PRESENT	BIT_ULL(0)
#define HW_WRITE	BIT_ULL(1)
#define HW_USER		BIT_ULL(2)
#define HW_ACCESSED	BIT_ULL(5)
#define HW_DIRTY	BIT_ULL(6)
#define HW_LARGE	BIT_ULL(7)
#define HW_NX		BIT_ULL(63)
#define HW_FRAME	GENMASK_ULL(51, 12)

#define HW_INDEX(addr, level)	(((addr) >> (3 + 9 * (level))) & 511)

/* What a walk has come to: the frame, and what every entry so far allows. */
struct hw_walk {
	u64 *entry;
	unsigned long pfn;
	bool write, exec;
};

static bool hw_step(struct hw_walk *w, unsigned long addr, unsigned int level)
{
	u64 *table = __va((phys_addr_t)w->pfn << PAGE_SHIFT);
	u64 e;

	w->entry = table + HW_INDEX(addr, level);
	e = *w->entry;
	if (!(e & HW_PRESENT) || !(e & HW_USER))
		return false;
	if (level > 1 && e & HW_LARGE)
		host_die("bad entry %#llx at level %u for %#lx", e, level, addr);
	w->pfn = (e & HW_FRAME) >> PAGE_SHIFT;
	w->write &= !!(e & HW_WRITE);
	w->exec &= !(e & HW_NX);
	return true;
}

static struct hw_walk hw_begin(struct mm_struct *mm)
{
	return (struct hw_walk) {
		.pfn = __pa(mm->pgd) >> PAGE_SHIFT, .write = true, .exec = true,
	};
}

/* Walk without a cache, and without leaving a trace, to a table of @level. */
static bool hw_look(struct mm_struct *mm, unsigned long addr,
		    unsigned int level, struct hw_walk *w)
{
	unsigned int l;

	*w = hw_begin(mm);
	for (l = pgtable_l5_enabled() ? 5 : 4; l > level; l--)
		if (!hw_step(w, addr, l))
			return false;
	return true;
}

/**
 * user_look - read the tables without a trace
 * @mm: the address space
 * @addr: where
 * @look: what is there
 *
 * Return: false if nothing is.
 */
bool user_look(struct mm_struct *mm, unsigned long addr, struct user_look *look)
{
	struct hw_walk w;

	if (!hw_look(mm, addr, 0, &w))
		return false;
	*look = (struct user_look) { w.pfn, w.write, w.exec };
	return true;
}

static void hw_drop(struct user_tlb *t)
{
	if (!t->valid)
		return;
	t->valid = false;
	user_frames[t->pfn].cached--;
}

static void hw_fill(struct user_tlb *t, unsigned long tag,
		    const struct hw_walk *w, bool dirty)
{
	hw_drop(t);
	*t = (struct user_tlb) {
		.valid = true, .tag = tag, .pfn = w->pfn,
		.write = w->write, .exec = w->exec, .dirty = dirty,
	};
	user_frames[w->pfn].cached++;
}

static struct user_tlb *hw_slot(struct user_space *s, unsigned int level,
				unsigned long addr)
{
	unsigned long tag = addr >> (PAGE_SHIFT + 9 * level);

	if (!level)
		return &s->tlb[(tag ^ tag >> 9) % USER_TLB];
	return &s->tables[level - 1][(tag ^ tag >> 9) % USER_WALKS];
}

/* Is the cached way to a table, or translation, what the tables say? */
static void hw_check(struct mm_struct *mm, struct user_tlb *t,
		     unsigned int level)
{
	unsigned long addr = t->tag << (PAGE_SHIFT + 9 * level);
	struct hw_walk w;

	if (!hw_look(mm, addr, level, &w))
		host_die("stale at level %u: %#lx is not mapped any more", level,
			 addr);
	if (w.pfn != t->pfn)
		host_die("stale at level %u: %#lx is frame %#lx, cached is %#lx",
			 level, addr, w.pfn, t->pfn);
	if (t->write && !w.write)
		host_die("stale at level %u: %#lx is read-only now", level, addr);
	if (t->exec && !w.exec)
		host_die("stale at level %u: %#lx is no code now", level, addr);
	if (!level && t->write && t->dirty &&
	    !(*w.entry & HW_DIRTY))
		host_die("stale: %#lx is clean, and cached as dirty", addr);
}

/**
 * user_tlb_check - see that what a processor remembers is still true
 * @mm: the address space; no call is being made in it
 */
void user_tlb_check(struct mm_struct *mm)
{
	struct user_space *s = user_space(mm);
	unsigned int i, level;

	for (i = 0; i < USER_TLB; i++)
		if (s->tlb[i].valid)
			hw_check(mm, &s->tlb[i], 0);
	for (level = 1; level <= 2; level++)
		for (i = 0; i < USER_WALKS; i++)
			if (s->tables[level - 1][i].valid)
				hw_check(mm, &s->tables[level - 1][i], level);
}

static void hw_flush(struct user_space *s, unsigned int level,
		     struct user_tlb *t, unsigned long start, unsigned long end)
{
	unsigned int shift = PAGE_SHIFT + 9 * level;

	if (t->valid && t->tag >= start >> shift &&
	    t->tag <= (end - 1) >> shift)
		hw_drop(t);
}

void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int stride_shift,
			bool freed_tables)
{
	struct user_space *s = user_space(mm);
	unsigned int i, level;

	for (i = 0; i < USER_TLB; i++)
		hw_flush(s, 0, &s->tlb[i], start, end);
	for (level = 1; level <= 2; level++)
		for (i = 0; i < USER_WALKS; i++)
			hw_flush(s, level, &s->tables[level - 1][i], start, end);
}

/* Nobody runs in the address space any more. */
void user_tlb_forget(struct mm_struct *mm)
{
	flush_tlb_mm_range(mm, 0, TLB_FLUSH_ALL, 0, true);
}

void arch_tlbbatch_flush(struct arch_tlbflush_unmap_batch *batch)
{
	int i;

	for (i = 0; i < USER_SPACES; i++)
		if (user_spaces[i])
			user_tlb_forget(user_spaces[i]);
}

/* Walk, from the deepest table that is cached on; set accessed and dirty. */
static bool hw_walk(struct mm_struct *mm, unsigned long addr,
		    enum user_access how, struct hw_walk *w)
{
	struct user_space *s = user_space(mm);
	unsigned int level = pgtable_l5_enabled() ? 5 : 4, l;

	*w = hw_begin(mm);
	for (l = 1; l <= 2; l++) {
		struct user_tlb *t = hw_slot(s, l, addr);

		if (!t->valid || t->tag != addr >> (PAGE_SHIFT + 9 * l))
			continue;
		*w = (struct hw_walk) {
			.pfn = t->pfn, .write = t->write, .exec = t->exec,
		};
		level = l;
		break;
	}
	for (;; level--) {
		if (!hw_step(w, addr, level))
			return false;
		if (level == 1)
			break;
		*w->entry |= HW_ACCESSED;
		if (level <= 3)
			hw_fill(hw_slot(s, level - 1, addr),
				addr >> (PAGE_SHIFT + 9 * (level - 1)), w, false);
	}
	if ((how == USER_WRITE && !w->write) || (how == USER_FETCH && !w->exec))
		return false;
	*w->entry |= HW_ACCESSED | (how == USER_WRITE ? HW_DIRTY : 0);
	return true;
}

/* A fault makes the processor forget the address (section 4.10.4.1). */
static bool hw_fault(struct mm_struct *mm, unsigned long addr)
{
	unsigned int level;

	for (level = 0; level <= 2; level++) {
		struct user_tlb *t = hw_slot(user_space(mm), level, addr);

		if (t->valid && t->tag == addr >> (PAGE_SHIFT + 9 * level))
			hw_drop(t);
	}
	return false;
}

/**
 * user_translate - what the processor does with an address
 * @mm: the address space
 * @addr: the address
 * @how: what it is about to do
 * @pfn: the frame
 *
 * Return: false for a page fault.
 */
bool user_translate(struct mm_struct *mm, unsigned long addr,
		    enum user_access how, unsigned long *pfn)
{
	struct user_tlb *t = hw_slot(user_space(mm), 0, addr);
	struct hw_walk w;

	if (addr >= TASK_SIZE_MAX)
		return false;
	if (t->valid && t->tag == addr >> PAGE_SHIFT) {
		if ((how == USER_WRITE && !t->write) ||
		    (how == USER_FETCH && !t->exec))
			return hw_fault(mm, addr);
		if (how != USER_WRITE || t->dirty) {
			hw_check(mm, t, 0);
			*pfn = t->pfn;
			return true;
		}
	}
	if (!hw_walk(mm, addr, how, &w))
		return hw_fault(mm, addr);
	hw_fill(t, addr >> PAGE_SHIFT, &w, *w.entry & HW_DIRTY);
	*pfn = w.pfn;
	return true;
}

/* Does the area allow the access? */
static bool user_allowed(struct vm_area_struct *vma, enum user_access how)
{
	if (how == USER_WRITE)
		return vma->vm_flags & VM_WRITE;
	if (how == USER_FETCH)
		return vma->vm_flags & VM_EXEC;
	return vma_is_accessible(vma);
}

/* Serve a page fault. 0: try again; -EFAULT or -ENOMEM: no use. */
static int user_fault(struct mm_struct *mm, unsigned long addr,
		      enum user_access how, unsigned int flags)
{
	struct vm_area_struct *vma = NULL;
	vm_fault_t ret;

	if (how == USER_WRITE)
		flags |= FAULT_FLAG_WRITE;
	if (how == USER_FETCH)
		flags |= FAULT_FLAG_INSTRUCTION;
	if (!(flags & FAULT_FLAG_TRIED))
		vma = lock_vma_under_rcu(mm, addr);
	if (vma && user_allowed(vma, how)) {
		ret = handle_mm_fault(vma, addr, flags | FAULT_FLAG_VMA_LOCK,
				      NULL);
		if (!(ret & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)))
			vma_end_read(vma);
		if (!(ret & VM_FAULT_RETRY))
			goto done;
		flags |= FAULT_FLAG_TRIED;
	} else if (vma) {
		vma_end_read(vma);
	}
	do {
		vma = lock_mm_and_find_vma(mm, addr, NULL);
		if (!vma)
			return -EFAULT;
		if (!user_allowed(vma, how)) {
			mmap_read_unlock(mm);
			return -EFAULT;
		}
		ret = handle_mm_fault(vma, addr, flags, NULL);
		if (!(ret & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)))
			mmap_read_unlock(mm);
		flags |= FAULT_FLAG_TRIED;
	} while (ret & VM_FAULT_RETRY);
done:
	if (ret & VM_FAULT_OOM)
		return -ENOMEM;
	return ret & VM_FAULT_ERROR ? -EFAULT : 0;
}

/**
 * user_touch - an access of a program to a word of its memory
 * @mm: the address space
 * @addr: where
 * @how: which access
 * @word: what is read, or written
 *
 * Return: 0; -EFAULT or -ENOMEM, where a program would get a signal.
 */
int user_touch(struct mm_struct *mm, unsigned long addr,
	       enum user_access how, unsigned long *word)
{
	unsigned long pfn, *p;
	int tries, err;

	for (tries = 0; tries < 8; tries++) {
		if (user_translate(mm, addr, how, &pfn)) {
			p = __va(((phys_addr_t)pfn << PAGE_SHIFT) +
				 offset_in_page(addr));
			if (how == USER_WRITE)
				*p = *word;
			else
				*word = *p;
			return 0;
		}
		err = user_fault(mm, addr, how,
				 FAULT_FLAG_DEFAULT | FAULT_FLAG_USER);
		if (err)
			return err;
	}
	host_die("access %d to %#lx faults for ever", how, addr);
}

/* Bytes left after a copy between the kernel and the current program. */
static unsigned long user_copy(unsigned long addr, void *buf, unsigned long n,
			       enum user_access how)
{
	while (n) {
		unsigned long len = min(n, PAGE_SIZE - offset_in_page(addr));
		unsigned long pfn;
		void *p;

		if (!user_translate(current->mm, addr, how, &pfn)) {
			if (faulthandler_disabled() ||
			    user_fault(current->mm, addr, how,
				       FAULT_FLAG_DEFAULT))
				break;
			continue;
		}
		p = __va(((phys_addr_t)pfn << PAGE_SHIFT) +
			 offset_in_page(addr));
		memcpy(how == USER_WRITE ? p : buf,
		       how == USER_WRITE ? buf : p, len);
		buf += len;
		addr += len;
		n -= len;
	}
	return n;
}

unsigned long raw_copy_from_user(void *to, const void __user *from,
				 unsigned long n)
{
	return user_copy((unsigned long)from, to, n, USER_READ);
}

unsigned long raw_copy_to_user(void __user *to, const void *from,
			       unsigned long n)
{
	return user_copy((unsigned long)to, (void *)from, n, USER_WRITE);
}
