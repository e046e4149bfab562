/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a compiler finds out only when it optimises is not asserted: sanitizers
 * keep it from that. The kernel's build does it.
 */
#ifndef _USER_COMPILER_TYPES_H
#define _USER_COMPILER_TYPES_H

#include_next <linux/compiler_types.h>

#ifndef __ASSEMBLY__
#undef __compiletime_assert
#define __compiletime_assert(args...) do { } while (0)
#endif

#endif
