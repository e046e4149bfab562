// SPDX-License-Identifier: GPL-2.0
/*
 * From an area's flags to the bits of its entries.
 *
 * A page of a private area is never writable by these: the first write makes a
 * copy, or finds that none is needed. All 64 bits of an entry count, as the top
 * one is NX, with PAE too.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/pkeys.h>
#include <asm/mem_encrypt.h>
#include <asm/pgtable.h>

/**
 * vm_get_page_prot - the protection of present entries of an area
 * @vm_flags: VM_* bits of the area
 *
 * SDM vol. 3A, 4.6: a page can be read whenever it can be written or executed.
 *
 * Return: the bits, without those that this processor does not have.
 */
pgprot_t vm_get_page_prot(unsigned long vm_flags)
{
	const unsigned long writes = VM_SHARED | VM_WRITE;
	bool exec = vm_flags & VM_EXEC;
	pgprotval_t bits;

	if ((vm_flags & writes) == writes)
		bits = pgprot_val(exec ? PAGE_SHARED_EXEC : PAGE_SHARED);
	else if (vm_flags & VM_ACCESS_FLAGS)
		bits = pgprot_val(exec ? PAGE_READONLY_EXEC : PAGE_READONLY);
	else
		bits = pgprot_val(PAGE_NONE);
#ifdef CONFIG_ARCH_HAS_PKEYS
	bits |= (vm_flags & ARCH_VM_PKEY_FLAGS) <<
		(_PAGE_BIT_PKEY_BIT0 - VM_PKEY_SHIFT);
#endif
	bits = __sme_set(bits);
	if (bits & _PAGE_PRESENT)
		bits &= __supported_pte_mask;
	return __pgprot(bits);
}
EXPORT_SYMBOL(vm_get_page_prot);

#ifdef CONFIG_AMD_MEM_ENCRYPT
/* vm_get_page_prot() asks each time whether memory is encrypted. */
void __init add_encrypt_protection_map(void)
{
}
#endif
