// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel itself went wrong: say what is known of the fault, then die.
 *
 * Guarantees: reads nothing that could fault again, takes no lock.
 */
#include <linux/bug.h>
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <asm/memory.h>
#include <asm/system_misc.h>
#include <asm/traps.h>
#include "mmu.h"

static void report_syndrome(unsigned long esr)
{
	pr_alert("Mem abort info:\n");
	pr_alert("  ESR = 0x%016lx, EC = 0x%02lx: %s\n", esr, ESR_ELx_EC(esr),
		 esr_get_class_string(esr));
	pr_alert("  FSC = 0x%02lx: %s, %s%s%s\n", esr & ESR_ELx_FSC,
		 abort_name(abort_kind(esr)),
		 abort_is_fetch(esr) ? "fetch" :
		 esr & ESR_ELx_WNR ? "write" : "read",
		 esr & ESR_ELx_CM ? ", cache maintenance" : "",
		 esr & ESR_ELx_S1PTW ? ", in a table walk of stage 1" : "");
}

/* The entries that the hardware has gone by, the root's first. */
static void report_path(unsigned long address)
{
	struct mm_struct *mm = &init_mm;
	char text[PT_MAX_LEVELS * 17 + 1] = "";
	struct hw_path path;
	unsigned int level;
	size_t len = 0;

	if (is_ttbr0_addr(address)) {
		mm = current->active_mm;
	} else if (!is_ttbr1_addr(address)) {
		pr_alert("[%016lx] no address of either half\n", address);
		return;
	}
	hw_path_read(&path, mm->pgd, address);
	for (level = path.top; level > path.bottom; level--)
		len += scnprintf(text + len, sizeof(text) - len, " %016llx",
				 pte_val(path.entry[level]));
	if (!path.broken)
		scnprintf(text + len, sizeof(text) - len, " %016llx",
			  pte_val(path.entry[level]));
	pr_alert("[%016lx] %s tables, %u levels, pages of %luk:%s%s\n", address,
		 mm == &init_mm ? "kernel" : "user", path.top, PAGE_SIZE / SZ_1K,
		 text, path.broken ? " (cannot be read)" : "");
}

/**
 * pf_oops - die of a fault of the kernel's
 * @pf: the fault
 * @what: what the kernel was unable to handle
 *
 * Returns only if the kernel goes on without the task.
 */
void pf_oops(const struct pf *pf, const char *what)
{
	bust_spinlocks(1);
	pr_alert("Unable to handle kernel %s at virtual address %016lx\n", what,
		 pf->address);
	kasan_non_canonical_hook(pf->address);
	report_syndrome(pf->esr);
	report_path(pf->address);
	die("Oops", pf->regs, pf->esr);
	bust_spinlocks(0);
	make_task_dead(SIGKILL);
}
