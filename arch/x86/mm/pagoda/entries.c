// SPDX-License-Identifier: GPL-2.0
/*
 * Single entries: the accessed bit, permissions, large kernel leaves, fixmap.
 *
 * Guarantees: user entries change atomically against the hardware, which sets
 * accessed and dirty bits at any moment. A kernel table that a large leaf
 * replaces is freed only when no CPU can walk it any more.
 *
 * Locks: user entries under their table's lock; kernel entries belong to the
 * caller by address (vmalloc, ioremap, fixmap index).
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <asm/fixmap.h>
#include <asm/mtrr.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#ifdef CONFIG_DYNAMIC_PHYSICAL_MASK
/* Bits of an entry that are an address; memory encryption takes some away. */
phys_addr_t physical_mask __ro_after_init = BIT_ULL(__PHYSICAL_MASK_SHIFT) - 1;
EXPORT_SYMBOL(physical_mask);
#endif

/**
 * ptep_set_access_flags - let an entry allow more
 * @vma: the area
 * @address: the page
 * @ptep: the entry, locked
 * @entry: the new value: same frame, no fewer rights
 * @dirty: the access is a write
 *
 * The hardware sets accessed and dirty by itself, so only a write changes
 * anything here. No flush: an entry that allows too little costs a CPU one
 * more fault, and that fault drops it (SDM vol. 3A, 4.10.4.3).
 *
 * Return: 1 if the entry differed from @entry, else 0.
 */
int ptep_set_access_flags(struct vm_area_struct *vma, unsigned long address,
			  pte_t *ptep, pte_t entry, int dirty)
{
	if (pte_same(*ptep, entry))
		return 0;
	if (dirty)
		set_pte(ptep, entry);
	return 1;
}

/**
 * ptep_test_and_clear_young - has the page been accessed since last asked?
 * @vma: the area
 * @addr: the page
 * @ptep: the entry, locked
 *
 * Return: 1 if so, else 0.
 */
int ptep_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr,
			      pte_t *ptep)
{
	return pte_young(*ptep) &&
	       test_and_clear_bit(_PAGE_BIT_ACCESSED,
				  (unsigned long *)&ptep->pte);
}

/**
 * ptep_clear_flush_young - ptep_test_and_clear_young() without a flush
 * @vma: the area
 * @address: the page
 * @ptep: the entry, locked
 *
 * A CPU that still has the entry cached will not set the bit again until it
 * evicts it. That makes a hot page look cold for a while, which costs less
 * than interrupting every CPU for each page that reclaim looks at.
 *
 * Return: 1 if the page had been accessed, else 0.
 */
int ptep_clear_flush_young(struct vm_area_struct *vma, unsigned long address,
			   pte_t *ptep)
{
	return ptep_test_and_clear_young(vma, address, ptep);
}

/**
 * pte_mkwrite - make an entry writable as the area understands it
 * @pte: the entry
 * @vma: the area
 *
 * In a shadow stack "writable" is the combination of read-only and dirty,
 * which only the CPU's own pushes may write (SDM vol. 1, 17.2).
 *
 * Return: the writable entry.
 */
pte_t pte_mkwrite(pte_t pte, struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHADOW_STACK ? pte_mkwrite_shstk(pte) :
		pte_clear_saveddirty(pte_mkwrite_novma(pte));
}

/**
 * arch_check_zapped_pte - complain if an entry cannot have been meant
 * @vma: the area it was in
 * @pte: what it was
 */
void arch_check_zapped_pte(struct vm_area_struct *vma, pte_t pte)
{
	VM_WARN_ON_ONCE(pte_shstk(pte) && !(vma->vm_flags & VM_SHADOW_STACK));
}

#ifdef CONFIG_ARCH_HAS_NONLEAF_PMD_YOUNG
/**
 * pmdp_test_and_clear_young - ptep_test_and_clear_young() one level up
 * @vma: the area
 * @addr: the range's first byte
 * @pmdp: the entry, which points at a table
 *
 * Return: 1 if anything below had been accessed, else 0.
 */
int pmdp_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr,
			      pmd_t *pmdp)
{
	return pmd_young(*pmdp) &&
	       test_and_clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)pmdp);
}
#endif

#ifdef CONFIG_HAVE_ARCH_HUGE_VMAP
/*
 * MTRRs set memory types by 4 KiB steps and override the entry's own. A leaf
 * across two types is undefined (SDM vol. 3A, 12.11.9).
 */
static bool one_memory_type(phys_addr_t addr, unsigned long size)
{
	u8 uniform;

	mtrr_type_lookup(addr, addr + size, &uniform);
	return uniform;
}

/* A large leaf in a kernel entry of any level, unless a table is there. */
static int set_large(pte_t *slot, phys_addr_t addr, pgprot_t prot)
{
	pgprotval_t bits = protval_4k_2_large(pgprot_val(prot)) | _PAGE_PSE;

	if ((pte_flags(*slot) & (_PAGE_PRESENT | _PAGE_PSE)) == _PAGE_PRESENT)
		return 0;
	set_pte(slot, pfn_pte(PHYS_PFN(addr), __pgprot(bits)));
	return 1;
}

/**
 * pmd_set_huge - map 2 MiB (PAE, x86-64) of the kernel's half by one leaf
 * @pmd: the entry
 * @addr: physical address, aligned
 * @prot: protection as for a small page
 *
 * Return: 1 if done, 0 if the caller must use smaller leaves.
 */
int pmd_set_huge(pmd_t *pmd, phys_addr_t addr, pgprot_t prot)
{
	if (one_memory_type(addr, PMD_SIZE))
		return set_large((pte_t *)pmd, addr, prot);
	pr_warn_once("%s: [mem %#010llx-%#010llx] has several MTRR types, using small pages\n",
		     __func__, (u64)addr, (u64)addr + PMD_SIZE);
	return 0;
}

/**
 * pud_set_huge - map 1 GiB of the kernel's half by one leaf
 * @pud: the entry
 * @addr: physical address, aligned
 * @prot: protection as for a small page
 *
 * Return: as pmd_set_huge().
 */
int pud_set_huge(pud_t *pud, phys_addr_t addr, pgprot_t prot)
{
	return one_memory_type(addr, PUD_SIZE) ?
		set_large((pte_t *)pud, addr, prot) : 0;
}

/**
 * pmd_clear_huge - take a 2 MiB kernel leaf out
 * @pmd: the entry
 *
 * Return: 1 if there was one.
 */
int pmd_clear_huge(pmd_t *pmd)
{
	int leaf = pmd_leaf(*pmd);

	if (leaf)
		pmd_clear(pmd);
	return leaf;
}

/**
 * pud_clear_huge - take a 1 GiB kernel leaf out
 * @pud: the entry
 *
 * Return: 1 if there was one.
 */
int pud_clear_huge(pud_t *pud)
{
	int leaf = pud_leaf(*pud);

	if (leaf)
		pud_clear(pud);
	return leaf;
}

#ifdef CONFIG_X86_5LEVEL
/**
 * p4d_set_huge - no processor has leaves of 512 GiB
 * @p4d: the entry
 * @addr: physical address
 * @prot: protection
 *
 * Return: 0.
 */
int p4d_set_huge(p4d_t *p4d, phys_addr_t addr, pgprot_t prot)
{
	return 0;
}

/**
 * p4d_clear_huge - see p4d_set_huge(): there is nothing to clear
 * @p4d: the entry
 */
void p4d_clear_huge(p4d_t *p4d)
{
}
#endif

#ifdef CONFIG_X86_64
/**
 * pmd_free_pte_page - drop an emptied table, to make room for a leaf
 * @pmd: the kernel entry that points at it
 * @addr: first address it covers; all unmapped and flushed
 *
 * Unhook, flush, free. Pages have been flushed one by one, but upper-level
 * entries are cached for each PCID apart and INVLPG reaches only the current
 * one's, so everything is dropped. Interrupts on.
 *
 * Return: 1, it cannot fail.
 */
int pmd_free_pte_page(pmd_t *pmd, unsigned long addr)
{
	pte_t *table = (pte_t *)pmd_page_vaddr(*pmd);

	pmd_clear(pmd);
	flush_tlb_all();
	pte_free_kernel(&init_mm, table);
	return 1;
}

/**
 * pud_free_pmd_page - drop an emptied table and the tables below it
 * @pud: the kernel entry that points at it
 * @addr: first address it covers; all unmapped and flushed
 *
 * Once unhooked and flushed, nothing but this function can see the subtree.
 *
 * Return: 1, it cannot fail.
 */
int pud_free_pmd_page(pud_t *pud, unsigned long addr)
{
	pmd_t *table = pud_pgtable(*pud);
	pmd_t *slot;

	pud_clear(pud);
	flush_tlb_all();

	for (slot = table; slot < table + PTRS_PER_PMD; slot++)
		if (!pmd_none(*slot))
			pte_free_kernel(&init_mm,
					(pte_t *)pmd_page_vaddr(*slot));
	pmd_free(&init_mm, table);
	return 1;
}
#else
/**
 * pmd_free_pte_page - i386 keeps its kernel tables
 * @pmd: the kernel entry
 * @addr: first address it covers
 *
 * Roots hold copies of the entry, which arch_sync_kernel_mappings() only adds
 * to: a freed table could still be in use through one of them.
 *
 * Return: 1 if there is no table anyway.
 */
int pmd_free_pte_page(pmd_t *pmd, unsigned long addr)
{
	return pmd_none(*pmd);
}
#endif
#endif /* CONFIG_HAVE_ARCH_HUGE_VMAP */

/* How many fixmap entries were ever set: after the first the area is fixed. */
int fixmaps_set;

/**
 * __native_set_fixmap - put an entry at a compile-time address
 * @idx: which
 * @pte: the entry; none clears it
 */
void __native_set_fixmap(enum fixed_addresses idx, pte_t pte)
{
#ifdef CONFIG_X86_64
	/* Set before any table can be allocated: the boot tables must do. */
	BUILD_BUG_ON(__end_of_permanent_fixed_addresses >
		     PTRS_PER_PTE * FIXMAP_PMD_NUM);
#endif
	if (WARN_ON_ONCE(idx >= __end_of_fixed_addresses))
		return;
	set_pte_vaddr(__fix_to_virt(idx), pte);
	fixmaps_set++;
}

/**
 * native_set_fixmap - map a physical page at a compile-time address
 * @idx: which, an enum fixed_addresses
 * @phys: physical address of the page
 * @flags: protection; what this CPU does not know is dropped
 */
void native_set_fixmap(unsigned int idx, phys_addr_t phys, pgprot_t flags)
{
	pgprotval_t known = pgprot_val(flags) & __default_kernel_pte_mask;

	__native_set_fixmap(idx, pfn_pte(PHYS_PFN(phys), __pgprot(known)));
}

#ifdef CONFIG_X86_32
unsigned int __VMALLOC_RESERVE = SZ_128M;

unsigned long __FIXADDR_TOP = -PAGE_SIZE;
EXPORT_SYMBOL(__FIXADDR_TOP);

static int __init vmalloc_setup(char *arg)
{
	if (!arg)
		return -EINVAL;
	/* As asked for, and the guard hole below it. */
	__VMALLOC_RESERVE = memparse(arg, NULL) + VMALLOC_OFFSET;
	return 0;
}
early_param("vmalloc", vmalloc_setup);

static int __init reservetop_setup(char *arg)
{
	if (!arg)
		return -EINVAL;
	reserve_top_address(memparse(arg, NULL));
	early_ioremap_init();
	return 0;
}
early_param("reservetop", reservetop_setup);

/**
 * set_pte_vaddr - set a kernel entry whose tables exist already
 * @vaddr: the page
 * @pteval: the entry; none clears it
 */
void set_pte_vaddr(unsigned long vaddr, pte_t pteval)
{
	pmd_t *pmd = pmd_off_k(vaddr);
	pte_t *slot;

	if (WARN_ON_ONCE(pmd_none(*pmd)))
		return;
	slot = pte_offset_kernel(pmd, vaddr);
	if (pte_none(pteval))
		pte_clear(&init_mm, vaddr, slot);
	else
		set_pte_at(&init_mm, vaddr, slot, pteval);
	flush_tlb_one_kernel(vaddr);
}
#endif

/**
 * reserve_top_address - keep the top of the address space free
 * @reserve: how many bytes; i386 only
 *
 * Moves the fixmap down, so nothing may have been put there yet.
 */
void __init reserve_top_address(unsigned long reserve)
{
#ifdef CONFIG_X86_32
	unsigned long top = round_down(0UL - reserve, PMD_SIZE);

	if (WARN_ON(fixmaps_set))
		return;
	__FIXADDR_TOP = top - PAGE_SIZE;
	pr_info("Reserving virtual address space above 0x%08lx (rounded to 0x%08lx)\n",
		0UL - reserve, top);
#endif
}
