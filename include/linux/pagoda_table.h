/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an architecture needs to make tables of its own. See mm/pagoda/table.c.
 */
#ifndef _LINUX_PAGODA_TABLE_H
#define _LINUX_PAGODA_TABLE_H

struct ptdesc;

void pt_table_init(struct ptdesc *table);

#endif /* _LINUX_PAGODA_TABLE_H */
