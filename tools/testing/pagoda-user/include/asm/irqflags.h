/* SPDX-License-Identifier: GPL-2.0 */
/* There are no interrupts in user space. */
#ifndef _USER_ASM_IRQFLAGS_H
#define _USER_ASM_IRQFLAGS_H

#ifndef __ASSEMBLY__
#include <linux/types.h>

static inline unsigned long arch_local_save_flags(void)
{
	return 0;
}

static inline void arch_local_irq_restore(unsigned long flags)
{
}
#endif

#include <asm-generic/irqflags.h>

#define native_save_fl()	0UL

static inline void native_irq_disable(void)
{
}

static inline void native_irq_enable(void)
{
}

#endif
