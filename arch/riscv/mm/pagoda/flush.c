// SPDX-License-Identifier: GPL-2.0
/*
 * Making TLBs forget.
 *
 * Guarantees: when a flush returns, no hart will use a translation that the
 * page tables no longer give, in the range and mm it names.
 *
 * Locks: callers have made their change under the page-table lock and may still
 * hold it. Harts are told by the SBI's remote fence or, where interrupts serve
 * better, by an interrupt; then interrupts must be on here.
 *
 * RISC-V privileged architecture, "Supervisor memory-management fence
 * instruction"; SBI specification, "RFENCE extension".
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/smp.h>
#include <asm/mmu_context.h>
#include <asm/sbi.h>
#include <asm/tlbflush.h>

/* Above so many pages, drop all that the identifier has. */
unsigned long tlb_flush_all_threshold __read_mostly = 64;

/**
 * struct fence - what a hart is to forget
 * @start: first address
 * @size: bytes, or FLUSH_TLB_MAX_SIZE
 * @stride: bytes from one translation to the next
 * @asid: whose, or FLUSH_TLB_NO_ASID
 */
struct fence {
	unsigned long start, size, stride, asid;
};

static void fence_here(void *arg)
{
	const struct fence *f = arg;
	unsigned long addr, nr = 1;

	if (f->size > f->stride)
		nr = DIV_ROUND_UP(f->size, f->stride);
	if (f->size == FLUSH_TLB_MAX_SIZE || nr > tlb_flush_all_threshold) {
		local_flush_tlb_all_asid(f->asid);
		return;
	}
	for (addr = f->start; nr--; addr += f->stride)
		local_flush_tlb_page_asid(addr, f->asid);
}

/* On the harts of @mask. */
static void fence_on(const struct cpumask *mask, struct fence *f)
{
	unsigned int cpu = get_cpu();

	if (cpumask_any_but(mask, cpu) < nr_cpu_ids) {
		if (riscv_use_sbi_for_rfence())
			sbi_remote_sfence_vma_asid(mask, f->start, f->size,
						   f->asid);
		else
			on_each_cpu_mask(mask, fence_here, f, 1);
	} else if (cpumask_test_cpu(cpu, mask)) {
		fence_here(f);
	}
	put_cpu();
}

static void fence_mm(struct mm_struct *mm, unsigned long start,
		     unsigned long size, unsigned long stride)
{
	struct fence f = {
		.start = start, .size = size, .stride = stride,
		.asid = cntx2asid(atomic_long_read(&mm->context.id)),
	};

	fence_on(mm_cpumask(mm), &f);
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, start, start + size);
}

/**
 * flush_tlb_all - drop everything on every hart
 */
void flush_tlb_all(void)
{
	struct fence all = {
		.size = FLUSH_TLB_MAX_SIZE, .stride = PAGE_SIZE,
		.asid = FLUSH_TLB_NO_ASID,
	};

	fence_on(cpu_online_mask, &all);
}

/**
 * flush_tlb_mm - drop all of an address space
 * @mm: the address space
 */
void flush_tlb_mm(struct mm_struct *mm)
{
	fence_mm(mm, 0, FLUSH_TLB_MAX_SIZE, PAGE_SIZE);
}

/**
 * flush_tlb_mm_range - drop a range of an address space
 * @mm: the address space
 * @start: first address
 * @end: where it ends (exclusive)
 * @page_size: bytes that each translation there covers
 */
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int page_size)
{
	fence_mm(mm, start, end - start, page_size);
}

/**
 * flush_tlb_page - drop one page
 * @vma: its area
 * @addr: its address
 */
void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)
{
	fence_mm(vma->vm_mm, addr, PAGE_SIZE, PAGE_SIZE);
}

/**
 * flush_tlb_range - drop a range of an area
 * @vma: the area
 * @start: first address
 * @end: where it ends (exclusive)
 */
void flush_tlb_range(struct vm_area_struct *vma, unsigned long start,
		     unsigned long end)
{
	fence_mm(vma->vm_mm, start, end - start, PAGE_SIZE);
}

/**
 * flush_tlb_kernel_range - drop a range of the kernel's half everywhere
 * @start: first address
 * @end: where it ends (exclusive)
 */
void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	struct fence f = {
		.start = start, .size = end - start, .stride = PAGE_SIZE,
		.asid = FLUSH_TLB_NO_ASID,
	};

	fence_on(cpu_online_mask, &f);
}

/**
 * local_flush_tlb_kernel_range - the same on this hart alone
 * @start: first address
 * @end: where it ends (exclusive)
 */
void local_flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	struct fence f = {
		.start = start, .size = end - start, .stride = PAGE_SIZE,
		.asid = FLUSH_TLB_NO_ASID,
	};

	fence_here(&f);
}

/**
 * arch_tlbbatch_should_defer - may reclaim flush once for many pages?
 * @mm: the address space
 *
 * Return: true.
 */
bool arch_tlbbatch_should_defer(struct mm_struct *mm)
{
	return true;
}

/**
 * arch_tlbbatch_add_pending - note a page whose flush is put off
 * @batch: what to flush later
 * @mm: the address space
 * @uaddr: the page
 */
void arch_tlbbatch_add_pending(struct arch_tlbflush_unmap_batch *batch,
			       struct mm_struct *mm, unsigned long uaddr)
{
	unsigned long page = uaddr & PAGE_MASK;

	cpumask_or(&batch->cpumask, &batch->cpumask, mm_cpumask(mm));
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, page, page + PAGE_SIZE);
}

/**
 * arch_flush_tlb_batched_pending - do at once what was put off for an mm
 * @mm: the address space
 */
void arch_flush_tlb_batched_pending(struct mm_struct *mm)
{
	flush_tlb_mm(mm);
}

/**
 * arch_tlbbatch_flush - do what was put off
 * @batch: the harts it concerns; empty afterwards
 */
void arch_tlbbatch_flush(struct arch_tlbflush_unmap_batch *batch)
{
	struct fence all = {
		.size = FLUSH_TLB_MAX_SIZE, .stride = PAGE_SIZE,
		.asid = FLUSH_TLB_NO_ASID,
	};

	fence_on(&batch->cpumask, &all);
	cpumask_clear(&batch->cpumask);
}
