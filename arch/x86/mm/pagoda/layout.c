// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of user address spaces, and which physical addresses they may
 * reach.
 *
 * Guarantees: mappings start at a page that an outsider cannot guess, unless
 * randomisation is off for the task; never so high that the stack lacks the
 * room its limit promises. A task of 64 bits has a second pair of bases for
 * system calls of 32 bits, so that both kinds can be mixed.
 *
 * Locks: the bases are written before the mm has a second user, and only read
 * after.
 */
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/elf-randomize.h>
#include <linux/mm.h>
#include <linux/personality.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <asm/elf.h>
#include <asm/io.h>
#include <asm/pgtable.h>
#include <asm/processor.h>
#include "../physaddr.h"
#include "layout.h"

/*
 * AMD family 15h shares an instruction cache between cores and runs faster if
 * mappings are aligned to it; the boot code sets this. -1: any alignment does.
 */
struct va_alignment va_align __read_mostly = { .flags = -1 };

#ifdef CONFIG_COMPAT
#define RND_BITS_32	mmap_rnd_compat_bits
#else
#define RND_BITS_32	mmap_rnd_bits
#endif

/**
 * task_size_32bit - bytes of address space for 32-bit system calls
 *
 * Return: the size.
 */
unsigned long task_size_32bit(void)
{
	return IA32_PAGE_OFFSET;
}

/**
 * task_size_64bit - bytes of address space for 64-bit system calls
 * @full_addr_space: all there is, not only what unasked programs get
 *
 * Return: the size.
 */
unsigned long task_size_64bit(int full_addr_space)
{
	return full_addr_space ? TASK_SIZE_MAX : DEFAULT_MAP_WINDOW;
}

static unsigned long random_bytes(unsigned int page_bits)
{
	if (!(current->flags & PF_RANDOMIZE))
		return 0;
	return (get_random_long() & GENMASK(page_bits - 1, 0)) << PAGE_SHIFT;
}

/**
 * arch_mmap_rnd - a random distance in bytes for the task's kind of mappings
 *
 * Return: a multiple of the page size; 0 without randomisation.
 */
unsigned long arch_mmap_rnd(void)
{
	return random_bytes(mmap_is_ia32() ? RND_BITS_32 : mmap_rnd_bits);
}

/* By how much the stack's top may lie lower, plus the gap kept below it. */
static unsigned long stack_slack(bool is_32bit)
{
	unsigned long pages = 0;

	if (current->flags & PF_RANDOMIZE)
		pages = __STACK_RND_MASK(is_32bit);
	return (pages << PAGE_SHIFT) + stack_guard_gap;
}

static bool bottom_up(void)
{
	return (current->personality & ADDR_COMPAT_LAYOUT) ||
	       sysctl_legacy_va_layout;
}

/* One pair of bases from one random number. */
static void set_bases(unsigned long *base, unsigned long *legacy,
		      unsigned long size, unsigned int bits,
		      const struct rlimit *stack)
{
	unsigned long rnd = random_bytes(bits);

	*legacy = __TASK_UNMAPPED_BASE(size) + rnd;
	*base = bottom_up() ? *legacy :
		layout_top(size, stack->rlim_cur,
			   stack_slack(size == task_size_32bit()), rnd);
}

/**
 * arch_pick_mmap_layout - decide where an mm's mappings go
 * @mm: a fresh mm
 * @rlim_stack: the stack limit that the program starts with
 */
void arch_pick_mmap_layout(struct mm_struct *mm, struct rlimit *rlim_stack)
{
	assign_bit(MMF_TOPDOWN, &mm->flags, !bottom_up());
	set_bases(&mm->mmap_base, &mm->mmap_legacy_base, task_size_64bit(0),
		  mmap_rnd_bits, rlim_stack);
#ifdef CONFIG_HAVE_ARCH_COMPAT_MMAP_BASES
	set_bases(&mm->mmap_compat_base, &mm->mmap_compat_legacy_base,
		  task_size_32bit(), RND_BITS_32, rlim_stack);
#endif
}

/**
 * get_mmap_base - where the search for this system call's mapping starts
 * @is_legacy: search upwards
 *
 * Return: the base, an address.
 */
unsigned long get_mmap_base(int is_legacy)
{
	const struct mm_struct *mm = current->mm;

#ifdef CONFIG_HAVE_ARCH_COMPAT_MMAP_BASES
	if (in_32bit_syscall())
		return is_legacy ? mm->mmap_compat_legacy_base :
			mm->mmap_compat_base;
#endif
	return is_legacy ? mm->mmap_legacy_base : mm->mmap_base;
}

/**
 * mmap_address_hint_valid - may mmap() follow an address hint?
 * @addr: the hint
 * @len: length of the mapping
 *
 * MAP_FIXED is not asked here: it says what it wants.
 *
 * Return: true if the hint may be followed.
 */
bool mmap_address_hint_valid(unsigned long addr, unsigned long len)
{
	return layout_hint_fits(addr, len, TASK_SIZE, DEFAULT_MAP_WINDOW);
}

/**
 * arch_vma_name - x86 names no areas of its own
 * @vma: the area
 *
 * Return: NULL.
 */
const char *arch_vma_name(struct vm_area_struct *vma)
{
	return NULL;
}

/**
 * valid_phys_addr_range - may /dev/mem read and write these bytes?
 * @addr: physical address of the first
 * @count: how many
 *
 * Return: 1 if all of it is memory the kernel has mapped.
 */
int valid_phys_addr_range(phys_addr_t addr, size_t count)
{
	return addr + count - 1 <= __pa(high_memory - 1);
}

/**
 * valid_mmap_phys_addr_range - may /dev/mem map these bytes?
 * @pfn: first frame
 * @count: how many bytes
 *
 * Return: 1 if the CPU has that many address bits.
 */
int valid_mmap_phys_addr_range(unsigned long pfn, size_t count)
{
	return phys_addr_valid(PFN_PHYS(pfn) + count - 1);
}

/**
 * pfn_modify_allowed - may this user make such an entry for a frame?
 * @pfn: the frame
 * @prot: the protection asked for
 *
 * On CPUs with the L1TF bug, entries that are not present are stored inverted
 * so that their frame number means no cached memory. A frame number in the
 * upper half of what the CPU can address, inverted, would mean some. Real
 * memory never lies there; device memory there is root's alone to hide.
 *
 * Return: true if so.
 */
bool pfn_modify_allowed(unsigned long pfn, pgprot_t prot)
{
	return !boot_cpu_has_bug(X86_BUG_L1TF) ||
	       !__pte_needs_invert(pgprot_val(prot)) || pfn_valid(pfn) ||
	       pfn < l1tf_pfn_limit() || capable(CAP_SYS_ADMIN);
}
