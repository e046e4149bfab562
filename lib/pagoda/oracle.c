// SPDX-License-Identifier: GPL-2.0
/*
 * A second reader of page tables, for tests to check the first against.
 *
 * Guarantees: uses nothing but the architecture's inline accessors, so it
 * shares no code with the core under test. Permissions are those the hardware
 * would apply: on x86 and arm64 an entry that points to a table limits all below.
 *
 * Locks: none; the case must be the only one to change the tables.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "umm.h"

#ifdef CONFIG_X86

static void umm_limit(struct umm_entry *e, pteval_t flags)
{
	e->present &= !!(flags & (_PAGE_PRESENT | _PAGE_PROTNONE));
	e->user &= !!(flags & _PAGE_USER);
	e->write &= !!(flags & _PAGE_RW);
	e->exec &= !(flags & _PAGE_NX);
	if (!(flags & _PAGE_PRESENT))
		e->user = false;
}

static void umm_leaf(struct umm_entry *e, pte_t pte)
{
	umm_limit(e, pte_flags(pte));
}

#elif defined(CONFIG_ARM64)

/* APTable, UXNTable: what a table entry takes from all below it. */
static void umm_limit(struct umm_entry *e, u64 flags)
{
	e->user &= !(flags & BIT_ULL(61));
	e->write &= !(flags & BIT_ULL(62));
	e->exec &= !(flags & PMD_TABLE_UXN);
}

#define pgd_flags(x)	pgd_val(x)
#define p4d_flags(x)	p4d_val(x)
#define pud_flags(x)	pud_val(x)
#define pmd_flags(x)	pmd_val(x)

static void umm_leaf(struct umm_entry *e, pte_t pte)
{
	e->present &= !!pte_present(pte);
	e->user &= !!pte_user(pte);
	e->write &= !!pte_write(pte);
	e->exec &= !!pte_user_exec(pte);
}

#else

/* Only leaves limit. */
static void umm_limit(struct umm_entry *e, unsigned long flags)
{
}

#define pgd_flags(x)	((void)(x), 0)
#define p4d_flags(x)	((void)(x), 0)
#define pud_flags(x)	((void)(x), 0)
#define pmd_flags(x)	((void)(x), 0)

static void umm_leaf(struct umm_entry *e, pte_t pte)
{
	e->present &= !!pte_present(pte);
	e->write &= !!pte_write(pte);
#ifdef CONFIG_RISCV
	e->user &= !!(pte_val(pte) & _PAGE_USER);
	e->exec &= !!pte_exec(pte);
#endif
}

#endif

/* One sweep: the range left to do, and whom to tell. */
struct umm_sweep {
	struct mm_struct *mm;
	unsigned long last;
	umm_leaf_fn fn;
	void *arg;
};

static void umm_report(struct umm_sweep *s, unsigned long addr,
		       unsigned long size, struct umm_entry e, pte_t pte)
{
	umm_leaf(&e, pte);
	e.young = pte_young(pte);
	e.dirty = pte_dirty(pte);
	/* A large leaf may carry the PAT bit where a small one has its pfn. */
	e.pfn = pte_pfn(pte) & ~((size >> PAGE_SHIFT) - 1);
	if (e.present)
		s->fn(addr & ~(size - 1), size, &e, s->arg);
}

/* The end of the slot of @size that holds @addr, or @last if nearer. */
static unsigned long umm_slot_end(unsigned long addr, unsigned long size,
				  unsigned long last)
{
	return min(addr | (size - 1), last);
}

static void umm_sweep_pte(struct umm_sweep *s, pmd_t *pmd, unsigned long addr,
			  unsigned long last, struct umm_entry e)
{
	pte_t *table = kmap_local_page(pmd_page(*pmd));
	pte_t *pte = table + pte_index(addr);

	for (;; pte++, addr = (addr | ~PAGE_MASK) + 1) {
		if (!pte_none(*pte))
			umm_report(s, addr, PAGE_SIZE, e, *pte);
		if ((addr | ~PAGE_MASK) >= last)
			break;
	}
	kunmap_local(table);
}

/*
 * Next come three levels of one shape. An entry equal to the one before it
 * leads to the same table and says nothing new: without that rule the shadow
 * memory of KASAN would take hours. Entries of a PAE root give no rights.
 */
#define UMM_LIMITS(size)						\
	(!IS_ENABLED(CONFIG_X86_PAE) || (size) < PGDIR_SIZE)

#define UMM_SWEEP_LEVEL(up, level, LEVEL, lower)			\
static void umm_sweep_##level(struct umm_sweep *s, up##_t parent[],	\
			      unsigned long addr, unsigned long last,	\
			      struct umm_entry e)			\
{									\
	typeof(level##_offset(parent, addr)) slot;			\
	typeof(*slot) before = { };					\
	unsigned long end;						\
									\
	slot = level##_offset(parent, addr);				\
	for (;; slot++, before = slot[-1], addr = end + 1) {		\
		struct umm_entry here = e;				\
									\
		end = umm_slot_end(addr, LEVEL##_SIZE, last);		\
		if (!level##_none(*slot) &&				\
		    level##_val(*slot) != level##_val(before)) {	\
			if (UMM_LIMITS(LEVEL##_SIZE))			\
				umm_limit(&here, level##_flags(*slot));	\
			if (level##_leaf(*slot))			\
				umm_report(s, addr, LEVEL##_SIZE, e,	\
					   umm_##level##_as_pte(*slot));	\
			else						\
				lower;					\
		}							\
		if (end >= last)					\
			return;						\
	}								\
}

static pte_t umm_pmd_as_pte(pmd_t pmd)
{
	return __pte(pmd_val(pmd));
}

static pte_t umm_pud_as_pte(pud_t pud)
{
	return __pte(pud_val(pud));
}

static pte_t umm_p4d_as_pte(p4d_t p4d)
{
	return __pte(p4d_val(p4d));
}

UMM_SWEEP_LEVEL(pud, pmd, PMD, umm_sweep_pte(s, slot, addr, end, here))
UMM_SWEEP_LEVEL(p4d, pud, PUD, umm_sweep_pmd(s, slot, addr, end, here))
UMM_SWEEP_LEVEL(pgd, p4d, P4D, umm_sweep_pud(s, slot, addr, end, here))

/**
 * umm_sweep() - call a function for each present leaf of a range
 * @mm: whose tables; &init_mm for the kernel's
 * @addr: the first address
 * @last: the last one, so that the end of the address space can be named
 * @fn: the function
 * @arg: its last argument
 *
 * Runs of identical entries that lead to one table are swept once.
 */
void umm_sweep(struct mm_struct *mm, unsigned long addr, unsigned long last,
	       umm_leaf_fn fn, void *arg)
{
	struct umm_sweep s = { .mm = mm, .fn = fn, .arg = arg };
	pgd_t *slot = pgd_offset(mm, addr), before = { };
	unsigned long end;

	for (;; slot++, before = slot[-1], addr = end + 1) {
		struct umm_entry e = {
			.present = true, .user = true, .write = true,
			.exec = true,
		};

		end = umm_slot_end(addr, PGDIR_SIZE, last);
		if (!pgd_none(*slot) && (mm_p4d_folded(mm) ||
					 pgd_val(*slot) != pgd_val(before))) {
			if (!mm_p4d_folded(mm))
				umm_limit(&e, pgd_flags(*slot));
			umm_sweep_p4d(&s, slot, addr, end, e);
		}
		if (end >= last)
			return;
		cond_resched();
	}
}

static void umm_keep_entry(unsigned long addr, unsigned long size,
			   const struct umm_entry *entry, void *arg)
{
	*(struct umm_entry *)arg = *entry;
}

/**
 * umm_entry() - what the page tables say of one address
 * @mm: whose tables
 * @addr: the address
 *
 * Return: the entry; all false when there is none.
 */
struct umm_entry umm_entry(struct mm_struct *mm, unsigned long addr)
{
	struct umm_entry e = { };

	umm_sweep(mm, addr & PAGE_MASK, addr | ~PAGE_MASK, umm_keep_entry, &e);
	return e;
}

/**
 * umm_present() - how many pages of a range are mapped
 * @mm: whose tables
 * @addr: the first page
 * @pages: how many to look at
 *
 * Return: pages with a present entry.
 */
unsigned long umm_present(struct mm_struct *mm, unsigned long addr,
			  unsigned long pages)
{
	unsigned long count = 0;

	for (; pages; pages--, addr += PAGE_SIZE)
		count += umm_entry(mm, addr).present;
	return count;
}
