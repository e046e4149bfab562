// SPDX-License-Identifier: GPL-2.0
/*
 * Which address space a CPU is in.
 *
 * Guarantees: whenever interrupts are on, cpu_tlbstate.loaded_mm is the mm
 * whose root table CR3 holds, and this CPU's bit is set in mm_cpumask() of
 * that mm (init_mm apart, which is never flushed by mm). A TLB entry of an mm
 * is never used after the flush that was to remove it has returned.
 *
 * Locks: none. All state is this CPU's own and changes with interrupts off.
 * Other CPUs read loaded_mm and is_lazy to decide whom to interrupt. The
 * order that makes this safe:
 *
 *	here: is_lazy = false; loaded_mm = SWITCHING; set mm_cpumask bit;
 *	      (full barrier) read tlb_gen; load CR3; loaded_mm = next
 *	flusher: write tables; bump tlb_gen; (full barrier) read mm_cpumask,
 *	      then loaded_mm, then is_lazy
 *
 * so either this CPU sees the new generation, or the flusher sees this CPU.
 *
 * Lifetime: the scheduler holds a reference (mm_count) on the mm that a CPU
 * has loaded, lazily or not.
 */
#include <linux/mm.h>
#include <linux/export.h>
#include <linux/mmu_context.h>
#include <linux/sched.h>
#include <asm/mmu_context.h>
#include <asm/perf_event.h>
#include <asm/tlbflush.h>
#include <asm/traps.h>
#include "asid.h"
#include "mmu.h"

atomic64_t last_mm_ctx_id = ATOMIC64_INIT(1);

DEFINE_PER_CPU_SHARED_ALIGNED(struct tlb_state_shared, cpu_tlbstate_shared);
EXPORT_PER_CPU_SYMBOL(cpu_tlbstate_shared);

static unsigned long loaded_cr3(const struct tlb_state *tlb)
{
	return asid_cr3(__sme_pa(tlb->loaded_mm->pgd), tlb->loaded_mm_asid,
			tlbstate_lam_cr3_mask(),
			cpu_feature_enabled(X86_FEATURE_PCID), false);
}

#ifdef CONFIG_PERF_EVENTS
static bool may_rdpmc(struct mm_struct *mm)
{
	if (static_branch_unlikely(&rdpmc_always_available_key))
		return true;
	if (static_branch_unlikely(&rdpmc_never_available_key))
		return false;
	return atomic_read(&mm->context.perf_rdpmc_allowed);
}

static void update_pce(struct mm_struct *mm)
{
	if (!may_rdpmc(mm)) {
		cr4_clear_bits_irqsoff(X86_CR4_PCE);
		return;
	}
	/* What other tasks left in the counters is not this one's to read. */
	perf_clear_dirty_counters();
	cr4_set_bits_irqsoff(X86_CR4_PCE);
}

/**
 * cr4_update_pce - make CR4.PCE agree with what the loaded mm may do
 * @ignored: for on_each_cpu_mask()
 *
 * Interrupts off. CR4.PCE lets user mode execute RDPMC (SDM vol. 3A, 2.5).
 */
void cr4_update_pce(void *ignored)
{
	update_pce(this_cpu_read(cpu_tlbstate.loaded_mm));
}
#else
static void update_pce(struct mm_struct *mm) { }
#endif

/* Load @next in @asid, to be up to date at generation @gen of its tables. */
static void load_root(struct tlb_state *tlb, struct mm_struct *next,
		      struct asid_choice asid, u64 gen)
{
	/* Read once: another thread may be switching masking on. */
	unsigned long lam = mm_lam_cr3_mask(next);

	if (asid.stale) {
		tlb->ctxs[asid.slot].ctx_id = next->context.ctx_id;
		tlb->ctxs[asid.slot].tlb_gen = gen;
	}
	/* Serialising: page walks after this see tables at @gen or later. */
	write_cr3(asid_cr3(__sme_pa(next->pgd), asid.slot, lam,
			   cpu_feature_enabled(X86_FEATURE_PCID),
			   !asid.stale));
	trace_tlb_flush(TLB_FLUSH_ON_TASK_SWITCH,
			asid.stale ? TLB_FLUSH_ALL : 0);

	/* An NMI must not take the old root for the new one. */
	barrier();
	WRITE_ONCE(tlb->loaded_mm, next);
	WRITE_ONCE(tlb->loaded_mm_asid, asid.slot);
	cpu_tlbstate_update_lam(lam, mm_untag_mask(next));
}

/* The mm is loaded already; catch up with what was missed while lazy. */
static void resume_loaded(struct tlb_state *tlb, struct mm_struct *mm,
			  bool was_lazy)
{
	struct asid_choice here = { tlb->loaded_mm_asid, true };
	u64 gen;

	VM_WARN_ON(tlb->ctxs[here.slot].ctx_id != mm->context.ctx_id);
	if (WARN_ON_ONCE(mm != &init_mm &&
			 !cpumask_test_cpu(smp_processor_id(), mm_cpumask(mm))))
		cpumask_set_cpu(smp_processor_id(), mm_cpumask(mm));

	/* From thread to thread: flushes have reached us all along. */
	if (!was_lazy)
		return;

	/* Pairs with the generation bump: is_lazy is off before it is read. */
	smp_mb();
	gen = atomic64_read(&mm->context.tlb_gen);
	if (tlb->ctxs[here.slot].tlb_gen != gen)
		load_root(tlb, mm, here, gen);
}

static void enter_mm(struct tlb_state *tlb, struct mm_struct *prev,
		     struct mm_struct *next, struct task_struct *tsk)
{
	unsigned int cpu = smp_processor_id();
	u64 gen;

	if (tsk && tsk->mm)
		scrub_for_task(tlb, tsk);

	/* From here to load_root() CR3, loaded_mm and the masks disagree. */
	WRITE_ONCE(tlb->loaded_mm, LOADED_MM_SWITCHING);
	barrier();

	if (prev != &init_mm) {
		VM_WARN_ON_ONCE(!cpumask_test_cpu(cpu, mm_cpumask(prev)));
		cpumask_clear_cpu(cpu, mm_cpumask(prev));
	}
	/* The locked set is the full barrier before the generation is read. */
	if (next != &init_mm)
		cpumask_set_cpu(cpu, mm_cpumask(next));
	gen = atomic64_read(&next->context.tlb_gen);

	load_root(tlb, next,
		  asid_choose(tlb->ctxs, &tlb->next_asid,
			      cpu_feature_enabled(X86_FEATURE_PCID),
			      next->context.ctx_id, gen), gen);
	update_pce(next);
	switch_ldt(prev, next);
}

/**
 * switch_mm_irqs_off - run on another address space
 * @unused: the scheduler's idea of the old mm; this CPU knows better
 * @next: the mm to load
 * @tsk: the task that will run on it, or NULL
 *
 * Interrupts off on entry and exit. When the mm changes this is a full memory
 * barrier and serialises the core (a load of CR3 does both), which
 * membarrier() relies on.
 */
void switch_mm_irqs_off(struct mm_struct *unused, struct mm_struct *next,
			struct task_struct *tsk)
{
	struct tlb_state *tlb = this_cpu_ptr(&cpu_tlbstate);
	struct mm_struct *prev = tlb->loaded_mm;
	bool was_lazy = this_cpu_read(cpu_tlbstate_shared.is_lazy);

	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		WARN_ON_ONCE(!irqs_disabled());

	/* Someone wrote CR3 by hand: forget everything and hope. */
	if (IS_ENABLED(CONFIG_DEBUG_VM) &&
	    WARN_ON_ONCE(__read_cr3() != loaded_cr3(tlb)))
		__flush_tlb_all();

	if (was_lazy)
		this_cpu_write(cpu_tlbstate_shared.is_lazy, false);

	if (prev == next)
		resume_loaded(tlb, next, was_lazy);
	else
		enter_mm(tlb, prev, next, tsk);
}

/**
 * switch_mm - switch_mm_irqs_off() for callers with interrupts on
 * @prev: ignored
 * @next: the mm to load
 * @tsk: the task that will run on it, or NULL
 */
void switch_mm(struct mm_struct *prev, struct mm_struct *next,
	       struct task_struct *tsk)
{
	unsigned long flags;

	local_irq_save(flags);
	switch_mm_irqs_off(prev, next, tsk);
	local_irq_restore(flags);
}

/**
 * enter_lazy_tlb - a thread without an mm will run: keep what is loaded
 * @mm: ignored
 * @tsk: ignored
 *
 * Loading init_mm would cost a CR3 load now and another when the same process
 * comes back. Instead flushers pass over this CPU, unless they free tables,
 * and switch_mm_irqs_off() catches up by generation.
 */
void enter_lazy_tlb(struct mm_struct *mm, struct task_struct *tsk)
{
	if (this_cpu_read(cpu_tlbstate.loaded_mm) != &init_mm)
		this_cpu_write(cpu_tlbstate_shared.is_lazy, true);
}

/**
 * leave_mm - let go of a lazily kept mm and load init_mm
 *
 * For idle states that lose the TLB and for code that must not run on a
 * user's tables. Interrupts off.
 */
void leave_mm(void)
{
	/* Idle drivers also call this on a CPU that is on init_mm. */
	if (this_cpu_read(cpu_tlbstate.loaded_mm) == &init_mm)
		return;
	WARN_ON(!this_cpu_read(cpu_tlbstate_shared.is_lazy));
	switch_mm(NULL, &init_mm, NULL);
}
EXPORT_SYMBOL_GPL(leave_mm);

/**
 * initialize_tlbstate_and_flush - start this CPU's books afresh
 *
 * For a CPU that comes up: its CR3 has identifier 0, its TLB may hold
 * anything, and it may have missed flushes. Interrupts off; CR3 holds the
 * root of loaded_mm already, and CR4.PCIDE is set if PCIDs are in use.
 */
void initialize_tlbstate_and_flush(void)
{
	struct tlb_state *tlb = this_cpu_ptr(&cpu_tlbstate);
	struct mm_struct *mm = tlb->loaded_mm;
	const u64 lam_bits = X86_CR3_LAM_U48 | X86_CR3_LAM_U57;
	unsigned long cr3 = __read_cr3();
	bool pcid = boot_cpu_has(X86_FEATURE_PCID);
	unsigned int slot;

	WARN_ON((cr3 & CR3_ADDR_MASK) != __pa(mm->pgd));
	WARN_ON(pcid && !(cr4_read_shadow() & X86_CR4_PCIDE));
	WARN_ON(cr3 & lam_bits);
	WARN_ON(mm_lam_cr3_mask(mm));

	write_cr3(asid_cr3(__sme_pa(mm->pgd), 0, 0, pcid, false));

	/* ctx_id 0 belongs to nobody, so no other slot is ever kept. */
	for (slot = 0; slot < TLB_NR_DYN_ASIDS; slot++)
		tlb->ctxs[slot].ctx_id = slot ? 0 : mm->context.ctx_id;
	tlb->ctxs[0].tlb_gen = atomic64_read(&init_mm.context.tlb_gen);
	tlb->loaded_mm_asid = 0;
	tlb->next_asid = 1;
	scrub_reset(tlb);
	cpu_tlbstate_update_lam(0, mm_untag_mask(mm));
}

/**
 * nmi_uaccess_okay - may an NMI read the memory of the current task?
 *
 * Not while CR3 is being changed, nor while a borrowed mm is loaded.
 *
 * Return: true if it may.
 */
bool nmi_uaccess_okay(void)
{
	struct mm_struct *loaded = this_cpu_read(cpu_tlbstate.loaded_mm);

	VM_WARN_ON_ONCE(!loaded);
	if (loaded != current->mm)
		return false;
	VM_WARN_ON_ONCE(__va(read_cr3_pa()) != loaded->pgd);
	return true;
}

/**
 * __get_current_cr3_fast - what CR3 holds, without the cost of reading it
 *
 * For KVM, which loads CR3 of its own and puts this back. Preemption off.
 *
 * Return: the value.
 */
unsigned long __get_current_cr3_fast(void)
{
	unsigned long cr3 = loaded_cr3(this_cpu_ptr(&cpu_tlbstate));

	VM_WARN_ON(preemptible() || in_nmi());
	VM_WARN_ON_ONCE(__read_cr3() != cr3);
	return cr3;
}
EXPORT_SYMBOL_GPL(__get_current_cr3_fast);
