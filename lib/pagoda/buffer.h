/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a driver for KUnit: one large folio, whose pages or bare frames a
 * file maps.
 *
 * The file has a page cache of its own, empty, and the folio says that it is
 * the file's at offset 0 (as fb_defio's pages do), so that reverse mapping
 * finds it. Pages of it hold their number, counted from 10, in their first and
 * their last word.
 */
#ifndef _LIB_PAGODA_BUFFER_H
#define _LIB_PAGODA_BUFFER_H

#include <linux/bits.h>
#include <linux/mm.h>

#include "umm.h"

#define UMM_BUFFER_ORDER	2
#define UMM_BUFFER_PAGES	BIT(UMM_BUFFER_ORDER)

/* What the driver maps, and when. */
enum umm_buffer_how {
	UMM_PAGES,		/* pages, in a fault */
	UMM_PAGES_NOTIFY,	/* and wants to hear of the first write */
	UMM_FRAMES,		/* frames, in a fault (VM_PFNMAP) */
	UMM_FRAMES_NOTIFY,
	UMM_MIXED,		/* frames, in a fault (VM_MIXEDMAP) */
	UMM_MIXED_NOTIFY,
	UMM_REMAP,		/* frames, when it is mapped */
};

/**
 * struct umm_buffer - such memory and its file
 * @how: what it maps
 * @file: the file
 * @folio: its memory
 * @before: called at the start of each fault and notice if set; what it returns
 *	    is the answer, unless that is 0
 * @faults: how many there were
 * @notices: how many first writes it was told of
 * @flags: FAULT_FLAG_* of the last of these
 */
struct umm_buffer {
	enum umm_buffer_how how;
	struct file *file;
	struct folio *folio;
	vm_fault_t (*before)(struct umm_buffer *d, struct vm_fault *vmf);
	unsigned int faults, notices, flags;
};

struct umm_buffer *umm_buffer(struct kunit *test, enum umm_buffer_how how);
unsigned long umm_buffer_map(struct umm_buffer *d, unsigned long first,
			     unsigned long pages, int flags);
unsigned long *umm_buffer_word(struct umm_buffer *d, unsigned long page);
vm_fault_t umm_buffer_retry(struct umm_buffer *d, struct vm_fault *vmf);

#endif /* _LIB_PAGODA_BUFFER_H */
