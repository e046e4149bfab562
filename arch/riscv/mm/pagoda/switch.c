// SPDX-License-Identifier: GPL-2.0
/*
 * Which address space a hart is in.
 *
 * Guarantees: satp names the root and the identifier of the loaded mm. With
 * identifiers, mm_cpumask() has every hart whose TLB may hold translations of
 * the mm, and keeps it: a switch drops none of them. Without, a switch empties
 * the TLB and mm_cpumask() has the harts that are in the mm.
 *
 * Locks: none; interrupts are off. RISC-V privileged architecture, "Supervisor
 * address translation and protection (satp) register".
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/pagoda_asid.h>
#include <asm/cacheflush.h>
#include <asm/csr.h>
#include <asm/mmu_context.h>
#include <asm/switch_to.h>
#include <asm/tlbflush.h>

DEFINE_STATIC_KEY_FALSE(use_asid_allocator);

static struct asid_space asids;

static void load(struct mm_struct *mm, unsigned long asid)
{
	csr_write(CSR_SATP, satp_mode | (asid << SATP_ASID_SHIFT) |
			    virt_to_pfn(mm->pgd));
}

static void enter_mm(struct mm_struct *prev, struct mm_struct *next,
		     unsigned int cpu)
{
	bool empty;
	u64 context;

	cpumask_set_cpu(cpu, mm_cpumask(next));
	if (static_branch_unlikely(&use_asid_allocator)) {
		context = asid_enter(&asids, &next->context.id, &empty);
		load(next, asid_of(&asids, context));
		if (empty)
			local_flush_tlb_all();
		return;
	}
	cpumask_clear_cpu(cpu, mm_cpumask(prev));
	load(next, 0);
	local_flush_tlb_all_asid(0);
}

/* Code that another hart has written while this one was elsewhere. */
static void drop_stale_code(struct mm_struct *mm, unsigned int cpu,
			    struct task_struct *task)
{
#ifdef CONFIG_SMP
	if (!cpumask_test_and_clear_cpu(cpu, &mm->context.icache_stale_mask))
		return;
	/* Pairs with the barrier in flush_icache_mm(). */
	smp_mb();
	/* Switching to some tasks does it anyway. */
	if (!task || !switch_to_should_flush_icache(task))
		local_flush_icache_all();
#endif
}

/**
 * switch_mm - run on another address space
 * @prev: the one that is loaded
 * @next: the one to load
 * @task: who will run on it, or NULL
 *
 * Interrupts off.
 */
void switch_mm(struct mm_struct *prev, struct mm_struct *next,
	       struct task_struct *task)
{
	unsigned int cpu = smp_processor_id();

	if (unlikely(prev == next))
		return;
	membarrier_arch_switch_mm(prev, next, task);
	enter_mm(prev, next, cpu);
	drop_stale_code(next, cpu, task);
}

/* How wide identifiers are: satp keeps those bits of ones that exist. */
static unsigned int __init asid_width(void)
{
	unsigned long old = csr_read(CSR_SATP), kept;

	csr_write(CSR_SATP, old | (SATP_ASID_MASK << SATP_ASID_SHIFT));
	kept = (csr_read(CSR_SATP) >> SATP_ASID_SHIFT) & SATP_ASID_MASK;
	csr_write(CSR_SATP, old);
	/* What was translated meanwhile has an identifier that is nobody's. */
	local_flush_tlb_all();
	return fls_long(kept);
}

static int __init switch_init(void)
{
	unsigned int bits = asid_width();

	/* With few of them generations would change all the time. */
	if (!bits || 1UL << bits <= 2 * num_possible_cpus() ||
	    asid_space_init(&asids, bits)) {
		pr_info("ASID allocator disabled (%u bits)\n", bits);
		return 0;
	}
	static_branch_enable(&use_asid_allocator);
	pr_info("ASID allocator using %u bits (%lu entries)\n", bits,
		1UL << bits);
	return 0;
}
early_initcall(switch_init);
