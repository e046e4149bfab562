// SPDX-License-Identifier: GPL-2.0
/*
 * What the rest of the kernel finds under the core's name: variables that
 * boot code sets once, and reports.
 *
 * Locks: none; the variables do not change after boot, but for
 * randomize_va_space, which sysctl writes and readers read once.
 */
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/ratelimit.h>
#include <linux/sched/debug.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <trace/events/kmem.h>

#include "../internal.h"
#include "fault.h"

/* The frame of ZERO_PAGE(0), read on every look at a page-table entry. */
unsigned long zero_pfn __read_mostly;
EXPORT_SYMBOL(zero_pfn);

/* 0: fixed layout; 1: random stack, mappings and vdso; 2: the heap as well. */
int randomize_va_space __read_mostly = IS_ENABLED(CONFIG_COMPAT_BRK) ? 1 : 2;

static int __init globals_norandmaps(char *arg)
{
	randomize_va_space = 0;
	return 0;
}
early_param("norandmaps", globals_norandmaps);

static int __init globals_init(void)
{
	/* The architecture has made the page when it switched paging on. */
	zero_pfn = page_to_pfn(ZERO_PAGE(0));
	return 0;
}
early_initcall(globals_init);

#if defined(CONFIG_SPLIT_PTE_PTLOCKS) && ALLOC_SPLIT_PTLOCKS
/* Debugging makes a spinlock too large for a table's descriptor. */
static struct kmem_cache *globals_ptlocks __ro_after_init;

/* ptlock_cache_init - prepare for page-table locks, before the first table */
void __init ptlock_cache_init(void)
{
	globals_ptlocks = kmem_cache_create("page_ptl", sizeof(spinlock_t),
					    0, SLAB_PANIC, NULL);
}

/**
 * ptlock_alloc - give a table memory for its lock
 * @ptdesc: descriptor of the table
 *
 * Return: false if there is none
 */
bool ptlock_alloc(struct ptdesc *ptdesc)
{
	ptdesc->ptl = kmem_cache_alloc(globals_ptlocks, GFP_KERNEL);
	return ptdesc->ptl;
}

/**
 * ptlock_free - take back the memory of a table's lock
 * @ptdesc: descriptor of the table, which nobody can reach any more
 */
void ptlock_free(struct ptdesc *ptdesc)
{
	kmem_cache_free(globals_ptlocks, ptdesc->ptl);
}
#endif

/**
 * mm_trace_rss_stat - trace point behind the counters' inline functions
 * @mm: whose counter changed
 * @member: which one
 */
void mm_trace_rss_stat(struct mm_struct *mm, int member)
{
	trace_rss_stat(mm, member);
}

/**
 * fault_report_bad - say that an entry makes no sense in its area
 * @vma: the area
 * @addr: the entry's address
 * @entry: what it holds
 *
 * Locks: those under which the entry was read.
 */
void fault_report_bad(struct vm_area_struct *vma, unsigned long addr,
		      pte_t entry)
{
	static DEFINE_RATELIMIT_STATE(limit, 60 * HZ, 60);
	struct file *file = vma->vm_file;

	if (!__ratelimit(&limit))
		return;
	pr_alert("BUG: Bad page map in process %s: entry %llx at %lx\n",
		 current->comm, (u64)pte_val(entry), addr);
	pr_alert("area %lx-%lx flags %lx, page %lx of %pD, fault by %ps\n",
		 vma->vm_start, vma->vm_end, vma->vm_flags,
		 linear_page_index(vma, addr), file,
		 vma->vm_ops ? vma->vm_ops->fault : NULL);
	dump_stack();
	add_taint(TAINT_BAD_PAGE, LOCKDEP_NOW_UNRELIABLE);
}

/**
 * print_vma_addr - print which file an instruction is from, and where in it
 * @prefix: printed before, if there is something to say; continues a line
 * @ip: address of the instruction, in the current task
 *
 * Called with all sorts of locks held: says nothing rather than wait.
 */
void print_vma_addr(char *prefix, unsigned long ip)
{
	struct vm_area_struct *vma;

	if (!mmap_read_trylock(current->mm))
		return;
	vma = vma_lookup(current->mm, ip);
	if (vma && vma->vm_file) {
		unsigned long start = vma->vm_start;
		unsigned long offset = (vma->vm_pgoff << PAGE_SHIFT) +
				       (ip - start);

		/* A KERN_CONT in the prefix still continues the line. */
		pr_info("%s%pD[%lx,%lx+%lx]", prefix, vma->vm_file, offset,
			start, vma->vm_end - start);
	}
	mmap_read_unlock(current->mm);
}

#if defined(CONFIG_PROVE_LOCKING) || defined(CONFIG_DEBUG_ATOMIC_SLEEP)
/**
 * __might_fault - check that here a fault could be handled
 * @file: source file of the access
 * @line: its line
 */
void __might_fault(const char *file, int line)
{
	if (!pagefault_disabled()) {
		__might_sleep(file, line);
		if (current->mm)
			might_lock_read(&current->mm->mmap_lock);
	}
}
EXPORT_SYMBOL(__might_fault);
#endif
