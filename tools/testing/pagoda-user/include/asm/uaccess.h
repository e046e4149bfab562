/* SPDX-License-Identifier: GPL-2.0 */
/* User memory is reached through the software MMU (mmu.c). */
#ifndef _USER_ASM_UACCESS_H
#define _USER_ASM_UACCESS_H

#include <linux/types.h>
#include <asm/tlbflush.h>

unsigned long raw_copy_from_user(void *to, const void __user *from,
				 unsigned long n);
unsigned long raw_copy_to_user(void __user *to, const void *from,
			       unsigned long n);
unsigned long copy_mc_to_kernel(void *to, const void *from, unsigned int len);

#define INLINE_COPY_FROM_USER
#define INLINE_COPY_TO_USER
#define copy_mc_to_kernel copy_mc_to_kernel
#define __copy_from_user_inatomic_nocache __copy_from_user_inatomic

#include <asm-generic/access_ok.h>
#include <asm-generic/uaccess.h>

#endif
