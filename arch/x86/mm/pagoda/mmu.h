/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this directory offer each other. The contract with the
 * rest of the kernel is in the kernel's own headers.
 */
#ifndef _X86_PAGODA_MMU_H
#define _X86_PAGODA_MMU_H

#include <linux/mm_types.h>
#include <linux/pagoda_path.h>
#include "decode.h"

struct tlb_state;
struct task_struct;
struct pt_regs;

/* scrub.c */
void scrub_for_task(struct tlb_state *tlb, struct task_struct *tsk);
void scrub_reset(struct tlb_state *tlb);

/* pgd.c */
#ifdef CONFIG_X86_32
bool pgd_catch_up(unsigned long address);
#else
static inline bool pgd_catch_up(unsigned long address) { return false; }
#endif

/* hwpath.c */
bool hw_path_maps(const struct hw_path *path);
bool hw_path_allows(const struct hw_path *path, pteval_t all, pteval_t none);

/**
 * struct pf - one page fault on its way through
 * @regs: the interrupted context
 * @code: the hardware's error code, X86_PF_*
 * @address: the linear address that faulted
 * @flags: FAULT_FLAG_* for the generic core
 * @pkey: protection key of the area, once it is found to deny access
 */
struct pf {
	struct pt_regs *regs;
	unsigned long code;
	unsigned long address;
	unsigned int flags;
	u32 pkey;
};

/* refuse.c */
void pf_refuse(const struct pf *pf, enum pf_end end);

/* report.c */
void pf_oops(const struct pf *pf);
void pf_die_corrupted(const struct pf *pf);

/* quirks.c */
bool quirk_prefetch(const struct pf *pf);
bool quirk_lost_rip(const struct pf *pf);
bool quirk_stray_jump(const struct pf *pf);
bool quirk_f00f(const struct pf *pf);

#endif /* _X86_PAGODA_MMU_H */
