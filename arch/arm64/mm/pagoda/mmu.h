/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this directory offer each other. The contract with the
 * rest of the kernel is in the kernel's own headers.
 */
#ifndef _ARM64_PAGODA_MMU_H
#define _ARM64_PAGODA_MMU_H

#include <linux/mm_types.h>
#include <linux/pagoda_path.h>
#include "decode.h"

struct pt_regs;

/**
 * struct pf - one abort on its way through
 * @regs: the interrupted context
 * @esr: its syndrome
 * @far: the address as reported, with its tag
 * @address: the address without
 * @flags: FAULT_FLAG_* for the generic core
 * @pkey: protection key of the area, once it is found to deny access
 */
struct pf {
	struct pt_regs *regs;
	unsigned long esr;
	unsigned long far;
	unsigned long address;
	unsigned int flags;
	int pkey;
};

/* refuse.c */
void pf_refuse(const struct pf *pf, enum pf_end end);
void pf_refuse_kernel(const struct pf *pf);
void pf_signal(const struct pf *pf, int sig, int code);
bool pf_forbidden(const struct pf *pf);

/* report.c */
void pf_oops(const struct pf *pf, const char *what);

#endif /* _ARM64_PAGODA_MMU_H */
