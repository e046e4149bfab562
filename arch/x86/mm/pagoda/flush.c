// SPDX-License-Identifier: GPL-2.0
/*
 * Making TLBs forget.
 *
 * Guarantees: when a flush returns, no CPU will use a translation that the
 * page tables no longer give, in the range and mm it names; with
 * freed_tables, no CPU reads the freed tables any more either. A CPU that is
 * not running the mm (elsewhere, or lazy) is not disturbed if it will see the
 * new generation before it next runs the mm.
 *
 * Every mm counts the changes to its tables (context.tlb_gen); every CPU notes
 * for each mm in its TLB how far that TLB has come. A flush bumps the count
 * and then sends; a CPU that is far behind drops all and is current, so the
 * requests that it meets next cost it nothing.
 *
 * Locks: callers have made their change under the page-table lock and may
 * still hold it. Flushes that may send interrupts need interrupts on here.
 * The request lives on the sender's stack: the sender waits for all receivers.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/mmu_notifier.h>
#include <linux/smp.h>
#include <linux/vmstat.h>
#include <asm/apic.h>
#include <asm/invpcid.h>
#include <asm/mmu_context.h>
#include <asm/tlb.h>
#include <asm/tlbbatch.h>
#include <asm/tlbflush.h>
#include "../mm_internal.h"
#include "asid.h"

/*
 * Above so many pages, drop everything instead. One invalidation costs about
 * as much as two or three refills, and most areas that are flushed at all are
 * shorter (Documentation/arch/x86/tlb.rst). Tunable through debugfs.
 */
unsigned long tlb_single_page_flush_ceiling __read_mostly = 33;

/**
 * flush_tlb_one_user - drop one page of the loaded mm
 * @addr: any byte of the page
 *
 * INVLPG also drops every cached upper-level entry of the current PCID, and
 * global entries for @addr (SDM vol. 3A, 4.10.4.1).
 */
void flush_tlb_one_user(unsigned long addr)
{
	invlpg(addr);
}

/**
 * flush_tlb_one_kernel - drop one kernel page on this CPU
 * @addr: any byte of the page
 *
 * Kernel leaves are global wherever PCIDs are used, so no other context can
 * hold a copy that this misses.
 */
void flush_tlb_one_kernel(unsigned long addr)
{
	count_vm_tlb_event(NR_TLB_LOCAL_FLUSH_ONE);
	invlpg(addr);
}

/**
 * flush_tlb_local - drop all but global entries of the loaded context
 *
 * Preemption off, so that CR3 is written on the CPU it was read from.
 */
void flush_tlb_local(void)
{
	WARN_ON_ONCE(preemptible());
	/* Reads as zero in bit 63, so writing it back does not keep anything. */
	native_write_cr3(__native_read_cr3());
}

/**
 * __flush_tlb_all - drop everything on this CPU, global entries included
 *
 * Preemption off. Either INVPCID for all contexts, or a toggle of CR4.PGE,
 * which does the same (SDM vol. 3A, 4.10.4.1). A CPU without global pages has
 * no PCIDs either, so there a reload of CR3 drops all.
 */
void __flush_tlb_all(void)
{
	unsigned long flags;

	VM_WARN_ON_ONCE(preemptible());

	if (!cpu_feature_enabled(X86_FEATURE_PGE)) {
		flush_tlb_local();
	} else if (static_cpu_has(X86_FEATURE_INVPCID)) {
		invpcid_flush_all();
	} else {
		/* Raw: debugging code comes here from anywhere. */
		raw_local_irq_save(flags);
		__native_tlb_flush_global(this_cpu_read(cpu_tlbstate.cr4));
		raw_local_irq_restore(flags);
	}
}
EXPORT_SYMBOL_GPL(__flush_tlb_all);

static void drop_all_here(void *unused)
{
	count_vm_tlb_event(NR_TLB_REMOTE_FLUSH_RECEIVED);
	__flush_tlb_all();
}

/**
 * flush_tlb_all - drop everything on every CPU
 *
 * Interrupts on.
 */
void flush_tlb_all(void)
{
	count_vm_tlb_event(NR_TLB_REMOTE_FLUSH);
	on_each_cpu(drop_all_here, NULL, 1);
}

/* Invalidate the pages that @req names; returns how many. */
static unsigned long drop_range(const struct flush_tlb_info *req)
{
	unsigned long step = 1UL << req->stride_shift;
	unsigned long n = 0, addr;

	VM_WARN_ON(!req->mm);
	for (addr = req->start; addr < req->end; addr += step, n++)
		flush_tlb_one_user(addr);
	return n;
}

/* Bring this CPU's TLB up to date with the mm it runs; what was dropped. */
static unsigned long catch_up(const struct flush_tlb_info *req, bool local)
{
	struct tlb_state *tlb = this_cpu_ptr(&cpu_tlbstate);
	struct tlb_context *ctx = &tlb->ctxs[tlb->loaded_mm_asid];
	unsigned long dropped;
	u64 latest;

	VM_WARN_ON(ctx->ctx_id != tlb->loaded_mm->context.ctx_id);
	if (!tlb_behind(ctx->tlb_gen, req->new_tlb_gen))
		return 0;

	/* Before the flush below, which is serialising. */
	latest = atomic64_read(&tlb->loaded_mm->context.tlb_gen);
	VM_WARN_ON_ONCE(ctx->tlb_gen > latest || req->new_tlb_gen > latest);

	switch (tlb_catch_up(ctx->tlb_gen, req->new_tlb_gen, latest,
			     req->end == TLB_FLUSH_ALL)) {
	case TLB_DROP_NOTHING:
		return 0;
	case TLB_DROP_RANGE:
		dropped = drop_range(req);
		if (local)
			count_vm_tlb_events(NR_TLB_LOCAL_FLUSH_ONE, dropped);
		break;
	default:
		dropped = TLB_FLUSH_ALL;
		flush_tlb_local();
		if (local)
			count_vm_tlb_event(NR_TLB_LOCAL_FLUSH_ALL);
	}
	ctx->tlb_gen = latest;
	return dropped;
}

/* Serve a request on this CPU, with interrupts off. */
static void serve_request(void *data)
{
	const struct flush_tlb_info *req = data;
	struct mm_struct *loaded = this_cpu_read(cpu_tlbstate.loaded_mm);
	bool local = req->initiating_cpu == smp_processor_id();
	int why = TLB_REMOTE_SHOOTDOWN;

	VM_WARN_ON(!irqs_disabled());
	if (local) {
		why = req->mm ? TLB_LOCAL_MM_SHOOTDOWN : TLB_LOCAL_SHOOTDOWN;
	} else {
		inc_irq_stat(irq_tlb_count);
		count_vm_tlb_event(NR_TLB_REMOTE_FLUSH_RECEIVED);
		if (req->mm && req->mm != loaded) {
			/* A bit left in the mask by a switch that is over. */
			if (req->trim_cpumask)
				cpumask_clear_cpu(raw_smp_processor_id(),
						  mm_cpumask(req->mm));
			return;
		}
	}
	if (loaded == &init_mm)
		return;

	if (this_cpu_read(cpu_tlbstate_shared.is_lazy)) {
		/*
		 * The tables may be about to be freed, and the CPU could
		 * still walk them speculatively: get off them altogether.
		 */
		switch_mm_irqs_off(NULL, &init_mm, NULL);
		return;
	}
	trace_tlb_flush(why, catch_up(req, local));
}

/* Must @cpu be interrupted for a request that frees no tables? */
static bool must_interrupt(int cpu, void *data)
{
	const struct flush_tlb_info *req = data;
	struct mm_struct *loaded = per_cpu(cpu_tlbstate.loaded_mm, cpu);

	/*
	 * A CPU clears is_lazy before it changes loaded_mm: read them the
	 * other way round, so that is_lazy is at least as new.
	 */
	smp_rmb();
	if (per_cpu(cpu_tlbstate_shared.is_lazy, cpu))
		return false;

	/* Switching: it may still have, or have already, anything cached. */
	return !req->mm || loaded == req->mm || loaded == LOADED_MM_SWITCHING ||
	       req->trim_cpumask;
}

/* Once a second a flush also visits CPUs whose mask bit may be a leftover. */
static bool trim_due(struct mm_struct *mm)
{
	if (!time_after(jiffies, READ_ONCE(mm->context.next_trim_cpumask)))
		return false;
	WRITE_ONCE(mm->context.next_trim_cpumask, jiffies + HZ);
	return true;
}

/*
 * Have @req served by every CPU in @mask that needs it. @here: this CPU does,
 * if no other. Preemption is off; interrupts are on.
 */
static void dispatch(const struct cpumask *mask, struct flush_tlb_info *req,
		     bool here)
{
	/* CPUs come and go meanwhile; who comes reads the new generation. */
	if (data_race(cpumask_any_but(mask, req->initiating_cpu)) <
	    nr_cpu_ids) {
		req->trim_cpumask = req->mm && trim_due(req->mm);
		count_vm_tlb_event(NR_TLB_REMOTE_FLUSH);
		trace_tlb_flush(TLB_REMOTE_SEND_IPI,
				req->end == TLB_FLUSH_ALL ? TLB_FLUSH_ALL :
				(req->end - req->start) >> PAGE_SHIFT);
		/* Freed tables are a lazy CPU's business too. */
		on_each_cpu_cond_mask(req->freed_tables ? NULL : must_interrupt,
				      serve_request, req, true, mask);
	} else if (here) {
		lockdep_assert_irqs_enabled();
		local_irq_disable();
		serve_request(req);
		local_irq_enable();
	}
}

/**
 * flush_tlb_mm_range - forget a range of an address space, everywhere
 * @mm: the address space
 * @start: first byte
 * @end: one past the last byte, or TLB_FLUSH_ALL
 * @stride_shift: log2 of the bytes that one leaf maps
 * @freed_tables: tables are about to be freed
 *
 * The tables have been changed already. Interrupts on; may be called under
 * the page-table lock.
 */
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int stride_shift,
			bool freed_tables)
{
	struct flush_tlb_info req = {
		.mm = mm,
		.end = TLB_FLUSH_ALL,
		.stride_shift = stride_shift,
		.freed_tables = freed_tables,
		.initiating_cpu = get_cpu(),
	};

	if (!tlb_range_too_long(start, end, stride_shift,
				tlb_single_page_flush_ceiling)) {
		req.start = start;
		req.end = end;
	}

	/* A full barrier: the change to the tables, then the mask. */
	req.new_tlb_gen = inc_mm_tlb_gen(mm);
	dispatch(mm_cpumask(mm), &req,
		 this_cpu_read(cpu_tlbstate.loaded_mm) == mm);
	put_cpu();
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, req.start, req.end);
}

/**
 * arch_tlbbatch_flush - the flush at the end of a batch of unmappings
 * @batch: CPUs of all the mms concerned; emptied
 *
 * Each mm's generation was bumped when it was added. Interrupts on.
 */
void arch_tlbbatch_flush(struct arch_tlbflush_unmap_batch *batch)
{
	struct flush_tlb_info req = {
		.end = TLB_FLUSH_ALL,
		.new_tlb_gen = TLB_GENERATION_INVALID,
		.initiating_cpu = get_cpu(),
	};

	dispatch(&batch->cpumask, &req,
		 cpumask_test_cpu(req.initiating_cpu, &batch->cpumask));
	cpumask_clear(&batch->cpumask);
	put_cpu();
}

static void drop_kernel_range(void *data)
{
	const struct flush_tlb_info *req = data;
	unsigned long left = (req->end - req->start + ~PAGE_MASK) >> PAGE_SHIFT;
	unsigned long addr = req->start;

	for (; left; left--, addr += PAGE_SIZE)
		flush_tlb_one_kernel(addr);
}

/**
 * flush_tlb_kernel_range - forget a range of the kernel's half, everywhere
 * @start: first byte
 * @end: one past the last byte, or TLB_FLUSH_ALL
 *
 * Interrupts on.
 */
void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	struct flush_tlb_info req = { .start = start, .end = end };

	if (end == TLB_FLUSH_ALL ||
	    end - start > tlb_single_page_flush_ceiling << PAGE_SHIFT)
		on_each_cpu(drop_all_here, NULL, 1);
	else
		on_each_cpu(drop_kernel_range, &req, 1);
}

static int ceiling_get(void *data, u64 *val)
{
	*val = tlb_single_page_flush_ceiling;
	return 0;
}

static int ceiling_set(void *data, u64 val)
{
	if (val > INT_MAX)
		return -EINVAL;
	tlb_single_page_flush_ceiling = val;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(ceiling_fops, ceiling_get, ceiling_set, "%llu\n");

static int __init ceiling_init(void)
{
	debugfs_create_file("tlb_single_page_flush_ceiling", 0600,
			    arch_debugfs_dir, NULL, &ceiling_fops);
	return 0;
}
late_initcall(ceiling_init);
