/* SPDX-License-Identifier: GPL-2.0 */
/* No instruction traps: a warning is a call. */
#ifndef _USER_ASM_BUG_H
#define _USER_ASM_BUG_H

#include <asm-generic/bug.h>

#endif
