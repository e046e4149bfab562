/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this directory offer each other. The contract with the
 * rest of the kernel is in the kernel's own headers.
 */
#ifndef _RISCV_PAGODA_MMU_H
#define _RISCV_PAGODA_MMU_H

#include <linux/mm_types.h>
#include "decode.h"

struct pt_regs;

/* refuse.c */
void pf_refuse(struct pt_regs *regs, enum pf_end end);

#endif /* _RISCV_PAGODA_MMU_H */
