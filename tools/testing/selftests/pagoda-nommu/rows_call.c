// SPDX-License-Identifier: GPL-2.0
/*
 * The table: calls that need an MMU.
 */
#include "nommu.h"

/* Each on a page that is really there. */
#define ABSENT(name, ...)						\
static long no_##name(void)						\
{									\
	long at = map(1, PROT_RW, MAP_ANON), err;			\
									\
	err = must_be(call(NR_##name, __VA_ARGS__), -ENOSYS);		\
	call(NR_munmap, at, page_size);					\
	return err;							\
}

ABSENT(mprotect, at, page_size, PROT_READ)
ABSENT(pkey_mprotect, at, page_size, PROT_READ, -1)
ABSENT(madvise, at, page_size, 4)
ABSENT(process_madvise, -1, at, 1, 4, 0)
ABSENT(mlock, at, page_size)
ABSENT(mlock2, at, page_size, 0)
ABSENT(munlock, at, page_size)
ABSENT(mlockall, 1 + 0 * at)
ABSENT(munlockall, 0 * at)
ABSENT(msync, at, page_size, 4)
ABSENT(mincore, at, page_size, at)
ABSENT(remap_file_pages, at, page_size, 0, 0, 0)
ABSENT(mseal, at, page_size, 0)
ABSENT(process_vm_readv, 1, at, 1, at, 1, 0)
ABSENT(process_vm_writev, 1, at, 1, at, 1, 0)
ABSENT(userfaultfd, 0 * at)
ABSENT(swapon, at, 0)
ABSENT(swapoff, at, 0)

#define ROW(name) { #name, "ENOSYS", no_##name }

const struct row rows_call[] = {
	ROW(mprotect), ROW(pkey_mprotect), ROW(madvise), ROW(process_madvise),
	ROW(mlock), ROW(mlock2), ROW(munlock), ROW(mlockall), ROW(munlockall),
	ROW(msync), ROW(mincore), ROW(remap_file_pages), ROW(mseal),
	ROW(process_vm_readv), ROW(process_vm_writev), ROW(userfaultfd),
	ROW(swapon), ROW(swapoff),
	{ }
};
