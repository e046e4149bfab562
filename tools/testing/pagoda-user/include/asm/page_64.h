/* SPDX-License-Identifier: GPL-2.0 */
/* Pages are cleared and copied by the shim (alloc.c). */
#ifndef _USER_ASM_PAGE_64_H
#define _USER_ASM_PAGE_64_H

#define clear_page linux_clear_page
#include_next <asm/page_64.h>
#undef clear_page

#ifndef __ASSEMBLY__
void clear_page(void *page);
#endif

#endif
