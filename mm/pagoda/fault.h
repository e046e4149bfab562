/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Demand paging: what a fault is, and who serves it.
 *
 * fault.c looks at the entry once, without a lock, and classifies; the
 * function of the class prepares what it needs (a page, an anon_vma, a
 * table), opens the entry with fault_open(), which finds it unchanged or
 * gives up, and commits. A fault that gave up has changed nothing, and the
 * access is simply made again.
 */
#ifndef MM_PAGODA_FAULT_H
#define MM_PAGODA_FAULT_H

#include <linux/mm.h>
#include "tree.h"

/**
 * enum fault_class - all that a fault can turn out to be
 * @FAULT_DENIED:       the area does not allow the access
 * @FAULT_STACK:        the access is below an area that grows down
 * @FAULT_UNBACKED:     a shared area without an object behind it
 * @FAULT_POISONED:     the entry stands for memory that was lost
 * @FAULT_SPURIOUS:     the entry allows the access
 * @FAULT_ZERO:         first read of anonymous memory
 * @FAULT_ANON:         first write to anonymous memory
 * @FAULT_FILE_READ:    a page that an object has
 * @FAULT_FILE_COPY:    write to such a page in a private area
 * @FAULT_FILE_WRITE:   write to such a page in a shared area
 * @FAULT_COW:          write to a read-only entry of a private area
 * @FAULT_SHARED_WRITE: write to a read-only page of a shared area
 * @FAULT_DEVICE_WRITE: write to a read-only frame of a shared area that has
 *                      no page behind it
 */
enum fault_class {
	FAULT_DENIED,
	FAULT_STACK,
	FAULT_UNBACKED,
	FAULT_POISONED,
	FAULT_SPURIOUS,
	FAULT_ZERO,
	FAULT_ANON,
	FAULT_FILE_READ,
	FAULT_FILE_COPY,
	FAULT_FILE_WRITE,
	FAULT_COW,
	FAULT_SHARED_WRITE,
	FAULT_DEVICE_WRITE,
	FAULT_NR_CLASSES,
};

/* An access to an address below the area, beside FAULT_FLAG_*. */
#define FAULT_BELOW		BIT(31)

/* What makes a fault end before there is a page to map. */
#define FAULT_UNFINISHED \
	(VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY | VM_FAULT_DONE_COW)

/* The class of a fault on an empty entry. */
static __always_inline enum fault_class
fault_classify_missing(vm_flags_t area, bool object, bool write)
{
	if (object) {
		if (!write)
			return FAULT_FILE_READ;
		return area & VM_SHARED ? FAULT_FILE_WRITE : FAULT_FILE_COPY;
	}
	if (area & VM_SHARED)
		return FAULT_UNBACKED;
	return write ? FAULT_ANON : FAULT_ZERO;
}

/* The class of a fault that needs more than a read-only entry gives. */
static __always_inline enum fault_class
fault_classify_readonly(vm_flags_t area, pte_t entry)
{
	if (!(area & (VM_SHARED | VM_MAYSHARE)))
		return FAULT_COW;
	return pte_special(entry) ? FAULT_DEVICE_WRITE : FAULT_SHARED_WRITE;
}

/**
 * fault_classify - what is to be done about a fault
 * @area: flags of the area (VM_*)
 * @object: something provides the area's pages (it has vm_ops)
 * @entry: what the page table has for the address; zero without a table
 * @access: FAULT_FLAG_WRITE, FAULT_FLAG_UNSHARE or neither (a read), and
 *          FAULT_BELOW if the address is below the area; other flags are
 *          ignored
 *
 * Depends on nothing but its arguments. A write needs VM_WRITE, but for a
 * debugger's write (FOLL_FORCE), which may make a private copy wherever the
 * area could be made writable. To unshare has a meaning in such areas only.
 *
 * Return: the class
 */
static __always_inline enum fault_class
fault_classify(vm_flags_t area, bool object, pte_t entry, unsigned int access)
{
	bool private = is_cow_mapping(area);
	bool unshare = access & FAULT_FLAG_UNSHARE;
	bool write = access & FAULT_FLAG_WRITE;

	if (unlikely(access & FAULT_BELOW))
		return area & VM_GROWSDOWN ? FAULT_STACK : FAULT_DENIED;
	if (write) {
		if (unlikely(unshare || !(area & VM_MAYWRITE)))
			return FAULT_DENIED;
		if (unlikely(!private && !(area & VM_WRITE)))
			return FAULT_DENIED;
	}
	if (pte_none(entry))
		return fault_classify_missing(area, object, write);
	if (unlikely(!pte_present(entry)))
		return FAULT_POISONED;
	if (!pte_write(entry) && (write || (unshare && private)))
		return fault_classify_readonly(area, entry);
	return FAULT_SPURIOUS;
}

/**
 * struct fault - a fault that is being served
 * @vmf: what objects are told of it
 * @edit: its entry, which was looked at first, without a lock
 */
struct fault {
	struct vm_fault vmf;
	struct pt_edit edit;
};

/* The cursor of a fault, which fault_open() opens. */
static __always_inline struct pt_edit *fault_edit(struct vm_fault *vmf)
{
	return &container_of(vmf, struct fault, vmf)->edit;
}

/* fault.c */
vm_fault_t fault_open(struct vm_fault *vmf);
vm_fault_t fault_table(struct vm_fault *vmf);
vm_fault_t fault_may_call(struct vm_fault *vmf);

/* anon.c */
extern unsigned int anon_ahead_bytes;

vm_fault_t fault_zero(struct vm_fault *vmf);
unsigned int fault_anon_ahead(const struct pt_cursor *c,
			      struct vm_area_struct *vma);
vm_fault_t fault_anon(struct vm_fault *vmf, unsigned int ahead);
void fault_map_anon(struct pt_edit *e, struct vm_fault *vmf,
		    struct folio *folio, bool write);

/* file.c */
vm_fault_t fault_file_read(struct vm_fault *vmf);
vm_fault_t fault_file_copy(struct vm_fault *vmf);
vm_fault_t fault_file_write(struct vm_fault *vmf);
vm_fault_t fault_notify(struct vm_fault *vmf);
vm_fault_t fault_dirtied(struct vm_fault *vmf);

/* cow.c */
vm_fault_t fault_cow(struct vm_fault *vmf);
vm_fault_t fault_shared_write(struct vm_fault *vmf);
vm_fault_t fault_device_write(struct vm_fault *vmf);

/* globals.c */
void fault_report_bad(struct vm_area_struct *vma, unsigned long addr,
		      pte_t entry);

#endif /* MM_PAGODA_FAULT_H */
