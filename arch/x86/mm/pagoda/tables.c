// SPDX-License-Identifier: GPL-2.0
/*
 * Tables below the root: allocation of last-level tables.
 */
#include <linux/mm.h>
#include <asm/pgalloc.h>

/* Last-level tables may lie in high memory if the option says so. */
gfp_t __userpte_alloc_gfp = GFP_PGTABLE_USER |
	(IS_ENABLED(CONFIG_HIGHPTE) ? __GFP_HIGHMEM : 0);

static int __init userpte_setup(char *arg)
{
	if (!arg || strcmp(arg, "nohigh"))
		return -EINVAL;
	__userpte_alloc_gfp &= ~__GFP_HIGHMEM;
	return 0;
}
early_param("userpte", userpte_setup);

/**
 * pte_alloc_one - an empty last-level table for user pages
 * @mm: the address space that will be charged
 *
 * May sleep.
 *
 * Return: the table's page, or NULL.
 */
pgtable_t pte_alloc_one(struct mm_struct *mm)
{
	return __pte_alloc_one(mm, __userpte_alloc_gfp);
}
