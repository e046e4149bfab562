// SPDX-License-Identifier: GPL-2.0
/*
 * Root tables: one for each mm, of user entries alone. The kernel has its own
 * root in TTBR1, which no switch changes (Arm ARM, "Translation table base
 * registers").
 *
 * Lifetime: a root lives from mm_init() to __mmdrop(), so as long as any CPU
 * may have it loaded, lazily too.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/pgalloc.h>
#include "mmu.h"

/* A root of fewer entries than a page has room for; else NULL. */
static struct kmem_cache *small_roots __ro_after_init;

/**
 * pgtable_cache_init - prepare the allocation of roots
 */
void __init pgtable_cache_init(void)
{
	if (PGD_SIZE == PAGE_SIZE)
		return;
	/* The base registers want it aligned to its size. */
	small_roots = kmem_cache_create("pagoda_root", PGD_SIZE, PGD_SIZE,
					SLAB_PANIC, NULL);
}

/**
 * pgd_alloc - an empty root table
 * @mm: the address space it is for
 *
 * May sleep.
 *
 * Return: the table, or NULL.
 */
pgd_t *pgd_alloc(struct mm_struct *mm)
{
	if (small_roots)
		return kmem_cache_zalloc(small_roots, GFP_PGTABLE_USER);
	return (pgd_t *)__get_free_page(GFP_PGTABLE_USER);
}

/**
 * pgd_free - give a root table back
 * @mm: the address space
 * @pgd: its root; no CPU has it loaded and nothing hangs below it
 */
void pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	if (small_roots)
		kmem_cache_free(small_roots, pgd);
	else
		free_page((unsigned long)pgd);
}
