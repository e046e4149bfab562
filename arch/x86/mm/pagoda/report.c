// SPDX-License-Identifier: GPL-2.0
/*
 * The last words on a fault that the kernel cannot survive unharmed.
 *
 * Guarantees: prints what is known of the fault and kills the current task (or
 * panics, as configured); never faults while explaining. Takes no lock but
 * the oops machinery's own. The words of the first lines are read by tools
 * and must stay as they are.
 */
#include <linux/cred.h>
#include <linux/efi.h>
#include <linux/kdebug.h>
#include <linux/kfence.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/cpu_entry_area.h>
#include <asm/desc.h>
#include <asm/efi.h>
#include <asm/irq_stack.h>
#include <asm/processor.h>
#include <asm/sev.h>
#include <asm/stacktrace.h>
#include <asm/traps.h>
#include "mmu.h"

static const char *level_name(const struct hw_path *path, unsigned int level)
{
	static const char *const names[] = { "PTE", "PMD", "PUD", "P4D" };

	return level == path->top ? "PGD" : names[level - 1];
}

static void print_path(const struct hw_path *path)
{
	char line[PT_MAX_LEVELS * sizeof("PGD 0123456789abcdef ")];
	unsigned int level;
	size_t n = 0;

	for (level = path->top; level >= path->bottom; level--) {
		if (path->broken && level == path->bottom) {
			scnprintf(line + n, sizeof(line) - n, "%s BAD",
				  level_name(path, level));
			break;
		}
		n += scnprintf(line + n, sizeof(line) - n, "%s %llx ",
			       level_name(path, level),
			       (u64)pte_val(path->entry[level]));
	}
	pr_info("%s\n", line);
}

/* Present, but not to be executed by the kernel: say which rule it was. */
static void explain_fetch(const struct hw_path *path)
{
	const char *what;

	if (!hw_path_maps(path))
		return;
	if (!hw_path_allows(path, 0, _PAGE_NX))
		what = "kernel tried to execute NX-protected page - exploit attempt?";
	else if (hw_path_allows(path, _PAGE_USER, 0) &&
		 (__read_cr4() & X86_CR4_SMEP))
		what = "unable to execute userspace code (SMEP?)";
	else
		return;
	pr_crit("%s (uid: %d)\n", what,
		from_kuid(&init_user_ns, current_uid()));
}

static const char *access_text(unsigned long code)
{
	if (code & X86_PF_INSTR)
		return "instruction fetch";
	return code & X86_PF_WRITE ? "write access" : "read access";
}

static const char *cause_text(unsigned long code)
{
	if (!(code & X86_PF_PROT))
		return "not-present page";
	if (code & X86_PF_RSVD)
		return "reserved bit violation";
	if (code & X86_PF_PK)
		return "protection keys violation";
	if (code & X86_PF_RMP)
		return "RMP violation";
	return "permissions violation";
}

static void print_system_segment(const struct desc_ptr *gdt, const char *name,
				 u16 selector)
{
	struct ldttss_desc desc;
	unsigned long at = selector & ~7, base;

	if (!at) {
		pr_alert("%s: NULL\n", name);
		return;
	}
	if (at + sizeof(desc) > gdt->size + 1UL ||
	    copy_from_kernel_nofault(&desc, (void *)(gdt->address + at),
				     sizeof(desc))) {
		pr_alert("%s: 0x%x -- not in a readable GDT\n", name, selector);
		return;
	}
	base = get_desc_base((struct desc_struct *)&desc);
#ifdef CONFIG_X86_64
	base |= (unsigned long)desc.base3 << 32;
#endif
	pr_alert("%s: 0x%x -- base=0x%lx limit=0x%lx\n", name, selector, base,
		 get_desc_limit((struct desc_struct *)&desc));
}

/*
 * User mode ran, but the access was the CPU's own: delivering an exception or
 * loading a segment met a bad table. The tables are the suspects.
 */
static void print_descriptor_tables(void)
{
	struct desc_ptr idt, gdt;
	u16 selector;

	store_idt(&idt);
	native_store_gdt(&gdt);
	pr_alert("IDT: 0x%lx (limit=0x%x) GDT: 0x%lx (limit=0x%x)\n",
		 idt.address, idt.size, gdt.address, gdt.size);
	store_ldt(selector);
	print_system_segment(&gdt, "LDTR", selector);
	store_tr(selector);
	print_system_segment(&gdt, "TR", selector);
}

static void describe(const struct pf *pf)
{
	bool in_user = user_mode(pf->regs);
	struct hw_path path;

	if (!oops_may_print())
		return;

	hw_path_read(&path, __va(read_cr3_pa()), pf->address);
	if (pf->code & X86_PF_INSTR)
		explain_fetch(&path);

	pr_alert("BUG: %s address: %0*lx\n",
		 !in_user && pf->address < PAGE_SIZE ?
		 "kernel NULL pointer dereference," :
		 "unable to handle page fault for",
		 (int)sizeof(long) * 2, pf->address);
	pr_alert("#PF: %s %s in %s mode\n",
		 pf->code & X86_PF_USER ? "user" : "supervisor",
		 access_text(pf->code), in_user ? "user" : "kernel");
	pr_alert("#PF: error_code(0x%04lx) - %s\n", pf->code,
		 cause_text(pf->code));
	if (in_user && !(pf->code & X86_PF_USER))
		print_descriptor_tables();
	print_path(&path);
	if (pf->code & X86_PF_RMP)
		snp_dump_hva_rmpentry(pf->address);
}

/*
 * A fault on a stack's guard page. There may be no room left to oops on this
 * stack, and a double fault would lose the trace: use that fault's own stack.
 */
static void check_stack_overflow(const struct pf *pf)
{
#ifdef CONFIG_VMAP_STACK
	unsigned long *guard = (unsigned long *)pf->address;
	struct stack_info info;

	if (!is_vmalloc_addr(guard) || !get_stack_guard_info(guard, &info))
		return;
	call_on_stack(__this_cpu_ist_top_va(DF) - sizeof(void *),
		      handle_stack_overflow, ASM_CALL_ARG3,
		      , [arg1] "r" (pf->regs), [arg2] "r" (pf->address),
		      [arg3] "r" (&info));
	panic("stack overflow handler returned");
#endif
}

/**
 * pf_oops - the kernel, or the CPU for it, touched what it must not
 * @pf: the fault
 *
 * Returns only if someone else claimed the fault (KFENCE, a die notifier) or
 * the kernel is set to go on.
 */
void pf_oops(const struct pf *pf)
{
	unsigned long flags;
	int signr = SIGKILL;

	if (!user_mode(pf->regs)) {
		check_stack_overflow(pf);
		/* Firmware that faults is abandoned, not oopsed. */
		if (IS_ENABLED(CONFIG_EFI))
			efi_crash_gracefully_on_page_fault(pf->address);
		if (!(pf->code & X86_PF_PROT) &&
		    kfence_handle_page_fault(pf->address,
					     pf->code & X86_PF_WRITE, pf->regs))
			return;
	}

	flags = oops_begin();
	describe(pf);
	if (task_stack_end_corrupted(current))
		pr_emerg("Thread overran stack, or stack corrupted\n");
	if (__die("Oops", pf->regs, pf->code))
		signr = 0;
	/* Again, for those who see the end of the screen only. */
	pr_warn("CR2: %016lx\n", pf->address);
	oops_end(flags, pf->regs, signr);
}

/**
 * pf_die_corrupted - a user table holds an entry that no one can have written
 * @pf: the fault, whose code has the reserved-bit flag
 */
void pf_die_corrupted(const struct pf *pf)
{
	unsigned long flags = oops_begin();
	struct hw_path path;
	int signr = SIGKILL;

	pr_alert("%s: Corrupted page table at address %lx\n", current->comm,
		 pf->address);
	hw_path_read(&path, __va(read_cr3_pa()), pf->address);
	print_path(&path);
	if (__die("Bad pagetable", pf->regs, pf->code))
		signr = 0;
	oops_end(flags, pf->regs, signr);
}
