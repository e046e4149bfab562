// SPDX-License-Identifier: GPL-2.0
/*
 * Which address space a CPU is in.
 *
 * Guarantees: TTBR0 has the root of the loaded mm, TTBR1 its identifier
 * (TCR_EL1.A1); at no moment one mm's root with another's identifier. A TLB
 * entry of an mm is never used after the flush that was to remove it has
 * returned: flushes are broadcast by identifier, and an identifier is given to
 * another mm only after every CPU has emptied its TLB.
 *
 * Locks: none but the identifiers' own.
 */
#include <linux/bitfield.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/pagoda_asid.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/mmu_context.h>
#include <asm/smp.h>
#include <asm/spectre.h>
#include <asm/tlbflush.h>

static struct asid_space asids;

/* How wide this CPU's identifiers are. */
static unsigned int asid_width(void)
{
	u64 mmfr0 = read_cpuid(ID_AA64MMFR0_EL1);

	return cpuid_feature_extract_unsigned_field(mmfr0,
				ID_AA64MMFR0_EL1_ASIDBITS_SHIFT) ==
	       ID_AA64MMFR0_EL1_ASIDBITS_16 ? 16 : 8;
}

/**
 * verify_cpu_asid_bits - can a CPU that comes up tell the identifiers apart?
 *
 * If it cannot it is stopped.
 */
void verify_cpu_asid_bits(void)
{
	if (asid_width() >= asids.bits)
		return;
	pr_crit("CPU%d: %u bits of ASID, %u are in use\n", smp_processor_id(),
		asid_width(), asids.bits);
	cpu_panic_kernel();
}

/* A CPU of this kind keeps instructions of the old address space. */
asmlinkage void post_ttbr_update_workaround(void)
{
	if (IS_ENABLED(CONFIG_CAVIUM_ERRATUM_27456) &&
	    cpus_have_final_cap(ARM64_WORKAROUND_CAVIUM_27456))
		asm volatile("ic iallu\n\tdsb nsh\n\tisb" : : : "memory");
}

/**
 * cpu_do_switch_mm - load a root and its identifier
 * @pgd_phys: physical address of the root
 * @mm: whose identifier
 *
 * Between the two the root is an empty one, which nothing can be cached of.
 */
void cpu_do_switch_mm(phys_addr_t pgd_phys, struct mm_struct *mm)
{
	unsigned long asid = ASID(mm), root = phys_to_ttbr(pgd_phys);
	unsigned long kernel = read_sysreg(ttbr1_el1);

	/* What has no identifier of its own is not common to all CPUs. */
	if (asid && system_supports_cnp())
		root |= TTBR_CNP_BIT;
	/* Emulated PAN takes the identifier from here on entry. */
	if (IS_ENABLED(CONFIG_ARM64_SW_TTBR0_PAN))
		root |= FIELD_PREP(TTBR_ASID_MASK, asid);
	kernel = (kernel & ~TTBR_ASID_MASK) | FIELD_PREP(TTBR_ASID_MASK, asid);

	cpu_set_reserved_ttbr0_nosync();
	write_sysreg(kernel, ttbr1_el1);
	write_sysreg(root, ttbr0_el1);
	isb();
	post_ttbr_update_workaround();
}

/**
 * check_and_switch_context - run on another address space
 * @mm: the mm to load
 */
void check_and_switch_context(struct mm_struct *mm)
{
	unsigned long flags;
	bool empty;

	/* A root that CPUs share must be loaded with its own identifier. */
	if (system_supports_cnp())
		cpu_set_reserved_ttbr0();

	local_irq_save(flags);
	asid_enter(&asids, &mm->context.id, &empty);
	if (unlikely(empty))
		local_flush_tlb_all();
	local_irq_restore(flags);

	arm64_apply_bp_hardening();
	/* Emulated PAN loads the root when the kernel reaches for user memory. */
	if (!system_uses_ttbr0_pan())
		cpu_switch_mm(mm->pgd, mm);
}

static int __init switch_init(void)
{
	int err = asid_space_init(&asids, asid_width());

	if (err)
		panic("No address-space identifiers: %d\n", err);
	pr_info("ASID allocator initialised with %lu entries\n",
		1UL << asids.bits);
	return 0;
}
early_initcall(switch_init);
