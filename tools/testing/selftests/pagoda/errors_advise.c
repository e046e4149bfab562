// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of madvise and process_madvise.
 *
 * Advice over a hole is followed on both sides of it, and then reported.
 */
#include "errors.h"

#define ADVISE(page, pages, how)	CALL(madvise, AT(page), PAGES(pages), how)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED	24
#endif

int errors_madvise(void)
{
	const struct row rows[] = {
		{ "unknown advice", ADVISE(WRITABLE, 1, 7), -EINVAL },
		{ "negative advice", ADVISE(WRITABLE, 1, -1UL), -EINVAL },
		{ "advice above the last", ADVISE(WRITABLE, 1, 26), -EINVAL },
		{ "large advice", ADVISE(WRITABLE, 1, 1UL << 30), -EINVAL },
		{ "advice of other machines", ADVISE(WRITABLE, 1, 102), -EINVAL },
		{ "unknown advice, length 0", ADVISE(WRITABLE, 0, 7), -EINVAL },
		{ "poison without memory failure", ADVISE(WRITABLE, 1, MADV_HWPOISON), -EINVAL },
		{ "merging without KSM", ADVISE(WRITABLE, 1, MADV_MERGEABLE), -EINVAL },
		{ "unmerging without KSM", ADVISE(WRITABLE, 1, MADV_UNMERGEABLE), -EINVAL },
		{ "huge pages without them", ADVISE(WRITABLE, 1, MADV_HUGEPAGE), -EINVAL },
		{ "no huge pages without them", ADVISE(WRITABLE, 1, MADV_NOHUGEPAGE), -EINVAL },
		{ "collapse without huge pages", ADVISE(WRITABLE, 1, MADV_COLLAPSE), -EINVAL },
		{ "unaligned", CALL(madvise, AT(WRITABLE) + 1, P, MADV_DONTNEED), -EINVAL },
		{ "unaligned, length 0",
		  CALL(madvise, AT(WRITABLE) + 1, 0, MADV_DONTNEED), -EINVAL },
		{ "length 0", ADVISE(WRITABLE, 0, MADV_DONTNEED), 0 },
		{ "length 0 in a hole", ADVISE(HOLE, 0, MADV_DONTNEED), 0 },
		{ "length rounds to 0", CALL(madvise, AT(WRITABLE), -1UL, MADV_DONTNEED), -EINVAL },
		{ "length negative", CALL(madvise, AT(WRITABLE), -P, MADV_DONTNEED), -EINVAL },
		{ "wraps", CALL(madvise, AT(WRITABLE), -AT(WRITABLE) + P, MADV_DONTNEED), -EINVAL },
		{ "a hole", ADVISE(HOLE, 1, MADV_DONTNEED), -ENOMEM },
		{ "ends in a hole", ADVISE(WRITABLE + 4, 5, MADV_DONTNEED), -ENOMEM,
		  ADVISE(WRITABLE + 4, 4, MADV_DONTNEED), PART_DONE },
		{ "begins in a hole", ADVISE(HOLE, 4, MADV_DONTNEED), -ENOMEM,
		  ADVISE(READABLE, 2, MADV_DONTNEED), PART_DONE },
		{ "over a hole", ADVISE(GAP, 9, MADV_DONTNEED), -ENOMEM,
		  ADVISE(ISLAND, 2, MADV_DONTNEED), PART_DONE,
		  .first = CALL(mprotect, AT(GROWING), PAGES(4), PROT_NONE) },
		{ "the last page", CALL(madvise, top - P, P, MADV_DONTNEED), -ENOMEM },
		{ "over the user limit", CALL(madvise, top - P, 2 * P, MADV_DONTNEED), -ENOMEM },
		{ "in the kernel", CALL(madvise, KERNEL_PLACE, P, MADV_DONTNEED), -ENOMEM },
		{ "the last page but one of all",
		  CALL(madvise, -2 * P, P, MADV_DONTNEED), -ENOMEM },
		{ "address 0", CALL(madvise, 0, P, MADV_NORMAL), -ENOMEM },
		{ "DONTNEED, locked", ADVISE(LOCKED, 1, MADV_DONTNEED), -EINVAL },
		{ "DONTNEED, locked behind a hole", ADVISE(SHOWN + 4, 3, MADV_DONTNEED), -EINVAL },
		{ "DONTNEED, locked behind another", ADVISE(LOCKED - 2, 4, MADV_DONTNEED), -EINVAL,
		  ADVISE(LOCKED - 2, 2, MADV_DONTNEED), PART_DONE, .first =
		  CALL(mmap, AT(LOCKED - 2), PAGES(2), RW, PRIVATE_ANON | MAP_FIXED, -1UL, 0) },
		{ "DONTNEED_LOCKED, locked", ADVISE(LOCKED, 1, MADV_DONTNEED_LOCKED), 0 },
		{ "DONTNEED_LOCKED, a device", ADVISE(DEVICE, 1, MADV_DONTNEED_LOCKED), -EINVAL },
		{ "DONTNEED, a device", ADVISE(DEVICE, 1, MADV_DONTNEED), -EINVAL },
		{ "DONTNEED, vvar", CALL(madvise, vvar, P, MADV_DONTNEED), -EINVAL },
		{ "DONTNEED, sealed, read-only", ADVISE(SEALED_RO, 1, MADV_DONTNEED), -EPERM },
		{ "DONTNEED, sealed, writable", ADVISE(SEALED, 1, MADV_DONTNEED), 0 },
		{ "DONTNEED, sealed behind another", ADVISE(SEALED, 4, MADV_DONTNEED), -EPERM,
		  ADVISE(SEALED, 2, MADV_DONTNEED), STOCK_DONE },
		{ "FREE, a private file", ADVISE(PRIVATE, 1, MADV_FREE), -EINVAL },
		{ "FREE, a shared file", ADVISE(SHARED, 1, MADV_FREE), -EINVAL },
		{ "FREE, shared anonymous", ADVISE(ANONSHARED, 1, MADV_FREE), -EINVAL },
		{ "FREE, locked", ADVISE(LOCKED, 1, MADV_FREE), -EINVAL },
		{ "FREE, a device", ADVISE(DEVICE, 1, MADV_FREE), -EINVAL },
		{ "FREE, sealed, read-only", ADVISE(SEALED_RO, 1, MADV_FREE), -EPERM },
		{ "FREE, a hole", ADVISE(HOLE, 1, MADV_FREE), -ENOMEM },
		{ "FREE, a file behind it", ADVISE(EDGE, 3, MADV_FREE), -EINVAL },
		{ "COLD, locked", ADVISE(LOCKED, 1, MADV_COLD), -EINVAL },
		{ "COLD, a device", ADVISE(DEVICE, 1, MADV_COLD), -EINVAL },
		{ "COLD, over a hole", ADVISE(WRITABLE, 11, MADV_COLD), -ENOMEM },
		{ "PAGEOUT, locked", ADVISE(LOCKED, 1, MADV_PAGEOUT), -EINVAL },
		{ "PAGEOUT, a device", ADVISE(DEVICE, 1, MADV_PAGEOUT), -EINVAL },
		{ "PAGEOUT, over a hole", ADVISE(WRITABLE, 11, MADV_PAGEOUT), -ENOMEM },
		{ "WILLNEED, anonymous", ADVISE(WRITABLE, 1, MADV_WILLNEED), -EBADF },
		{ "WILLNEED, a file", ADVISE(SHARED, 1, MADV_WILLNEED), 0 },
		{ "WILLNEED, a file behind anonymous memory",
		  ADVISE(EDGE, 3, MADV_WILLNEED), -EBADF },
		{ "WILLNEED, a hole", ADVISE(HOLE, 1, MADV_WILLNEED), -ENOMEM },
		{ "WILLNEED, vvar", CALL(madvise, vvar, P, MADV_WILLNEED), -EBADF },
		{ "REMOVE, shared", ADVISE(ANONSHARED, 1, MADV_REMOVE), 0, .alone = true },
		{ "REMOVE, private, of a file", ADVISE(PRIVATE, 1, MADV_REMOVE), -EACCES },
		{ "REMOVE, of a file opened for reading", ADVISE(SHOWN, 1, MADV_REMOVE), -EACCES },
		{ "REMOVE, anonymous", ADVISE(WRITABLE, 1, MADV_REMOVE), -EINVAL },
		{ "REMOVE, locked", ADVISE(LOCKED, 1, MADV_REMOVE), -EINVAL },
		{ "REMOVE, a device", ADVISE(DEVICE, 1, MADV_REMOVE), -EACCES },
		{ "REMOVE, the vdso", CALL(madvise, vdso, P, MADV_REMOVE), -EINVAL },
		{ "REMOVE, a hole", ADVISE(HOLE, 1, MADV_REMOVE), -ENOMEM },
		{ "REMOVE, secret, which has no holes",
		  ADVISE(SECRET, 1, MADV_REMOVE), -EOPNOTSUPP },
		{ "REMOVE, sealed, read-only", ADVISE(SEALED_RO, 1, MADV_REMOVE), -EPERM },
		{ "REMOVE, a file sealed against writing", ADVISE(HOLE, 1, MADV_REMOVE), -EACCES,
		  .first =
		  CALL(mmap, AT(HOLE), P, PROT_READ, MAP_SHARED | MAP_FIXED, FD_FUTURE, 0) },
	};

	return errors_rows_flags("madvise", rows, ARRAY_SIZE(rows));
}

int errors_madvise_flags(void)
{
	const struct row rows[] = {
		{ "RANDOM, over a hole", ADVISE(WRITABLE + 4, 10, MADV_RANDOM), -ENOMEM,
		  ADVISE(WRITABLE + 4, 4, MADV_RANDOM), NOTHING_DONE,
		  .first = CALL(munmap, AT(WRITABLE), PAGES(14)) },
		{ "RANDOM, ends in a hole", ADVISE(ISLAND, 3, MADV_RANDOM), -ENOMEM,
		  ADVISE(ISLAND, 2, MADV_RANDOM), PART_DONE },
		{ "SEQUENTIAL, begins in a hole", ADVISE(GAP, 3, MADV_SEQUENTIAL), -ENOMEM,
		  ADVISE(ISLAND, 1, MADV_SEQUENTIAL), PART_DONE },
		{ "NORMAL, a hole", ADVISE(HOLE, 1, MADV_NORMAL), -ENOMEM },
		{ "RANDOM, sealed", ADVISE(SEALED, 1, MADV_RANDOM), 0 },
		{ "RANDOM, the vdso in part", CALL(madvise, vdso, P, MADV_RANDOM), -EINVAL },
		{ "RANDOM, areas at the limit", ADVISE(WRITABLE + 2, 1, MADV_RANDOM), -EAGAIN,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "RANDOM, areas at the limit, an end", ADVISE(WRITABLE, 1, MADV_RANDOM), -EAGAIN,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "RANDOM, areas at the limit, a whole one", ADVISE(WRITABLE, 8, MADV_RANDOM), 0,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "RANDOM, areas at the limit, the second to be split",
		  ADVISE(READABLE, 5, MADV_RANDOM), -EAGAIN,
		  ADVISE(READABLE, 4, MADV_RANDOM), PART_DONE, .with = COUNT_LIMIT, .n = 0 },
		{ "WIPEONFORK, anonymous", ADVISE(WRITABLE, 8, MADV_WIPEONFORK), 0 },
		{ "WIPEONFORK, a file", ADVISE(PRIVATE, 1, MADV_WIPEONFORK), -EINVAL },
		{ "WIPEONFORK, shared", ADVISE(ANONSHARED, 1, MADV_WIPEONFORK), -EINVAL },
		{ "WIPEONFORK, a device", ADVISE(DEVICE, 1, MADV_WIPEONFORK), -EINVAL },
		{ "WIPEONFORK, a file behind it", ADVISE(EDGE, 3, MADV_WIPEONFORK), -EINVAL,
		  ADVISE(EDGE, 2, MADV_WIPEONFORK), STOCK_DONE },
		{ "WIPEONFORK, a file behind a hole", ADVISE(GROWING, 10, MADV_WIPEONFORK), -EINVAL,
		  ADVISE(GROWING, 8, MADV_WIPEONFORK), NOTHING_DONE,
		  .first = CALL(munmap, AT(GROWING), PAGES(8)) },
		{ "WIPEONFORK, sealed, read-only", ADVISE(SEALED_RO, 1, MADV_WIPEONFORK), -EPERM },
		{ "WIPEONFORK, a hole", ADVISE(HOLE, 1, MADV_WIPEONFORK), -ENOMEM },
		{ "WIPEONFORK, over a hole", ADVISE(ISLAND, 3, MADV_WIPEONFORK), -ENOMEM,
		  ADVISE(ISLAND, 2, MADV_WIPEONFORK), PART_DONE },
#if __SIZEOF_LONG__ == 8
		{ "KEEPONFORK, droppable", ADVISE(HOLE, 1, MADV_KEEPONFORK), -EINVAL, .first =
		  CALL(mmap, AT(HOLE), P, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED, -1UL, 0) },
#endif
		{ "KEEPONFORK, a file", ADVISE(SHARED, 1, MADV_KEEPONFORK), 0 },
		{ "KEEPONFORK, a hole", ADVISE(HOLE, 1, MADV_KEEPONFORK), -ENOMEM },
		{ "DONTFORK, sealed, read-only", ADVISE(SEALED_RO, 1, MADV_DONTFORK), -EPERM },
		{ "DONTFORK, sealed behind another", ADVISE(SEALED, 4, MADV_DONTFORK), -EPERM,
		  ADVISE(SEALED, 2, MADV_DONTFORK), STOCK_DONE },
		{ "DONTFORK, a hole", ADVISE(HOLE, 1, MADV_DONTFORK), -ENOMEM },
		{ "DOFORK, a device", ADVISE(DEVICE, 1, MADV_DOFORK), -EINVAL },
		{ "DOFORK, vvar", CALL(madvise, vvar, P, MADV_DOFORK),
		  vmflag(0, (void *)vvar, "io") ? -EINVAL : 0 },
		{ "DOFORK, a hole", ADVISE(HOLE, 1, MADV_DOFORK), -ENOMEM },
		{ "DODUMP, a device", ADVISE(DEVICE, 1, MADV_DODUMP), -EINVAL },
		{ "DODUMP, vvar", CALL(madvise, vvar, P, MADV_DODUMP), -EINVAL },
		{ "DODUMP, the vdso", CALL(madvise, vdso, P, MADV_DODUMP), -EINVAL },
#if __SIZEOF_LONG__ == 8
		{ "DODUMP, droppable", ADVISE(HOLE, 1, MADV_DODUMP), -EINVAL, .first =
		  CALL(mmap, AT(HOLE), P, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED, -1UL, 0) },
#endif
		{ "DONTDUMP, over a hole", ADVISE(ISLAND + 1, 2, MADV_DONTDUMP), -ENOMEM,
		  ADVISE(ISLAND + 1, 1, MADV_DONTDUMP), PART_DONE },
		{ "DODUMP, a hole", ADVISE(HOLE, 1, MADV_DODUMP), -ENOMEM },
		{ "DODUMP, secret", ADVISE(SECRET, 1, MADV_DODUMP), 0 },
	};

	return errors_rows_flags("madvise that sets flags", rows, ARRAY_SIZE(rows));
}

#define READS	MADV_POPULATE_READ
#define WRITES	MADV_POPULATE_WRITE

int errors_madvise_populate(void)
{
	const struct row rows[] = {
		{ "to read", ADVISE(WRITABLE, 8, READS), 0 },
		{ "to write", ADVISE(WRITABLE, 8, WRITES), 0 },
		{ "a hole, to read", ADVISE(HOLE, 1, READS), -ENOMEM },
		{ "over a hole, to write", ADVISE(WRITABLE, 11, WRITES), -ENOMEM },
		{ "the last page", CALL(madvise, top - P, P, READS), -ENOMEM },
		{ "in the kernel", CALL(madvise, KERNEL_PLACE, P, WRITES), -ENOMEM },
		{ "no access, to read", ADVISE(NOACCESS, 1, READS), -EINVAL },
		{ "no access, to write", ADVISE(NOACCESS, 1, WRITES), -EINVAL },
		{ "read-only, to write", ADVISE(READABLE, 1, WRITES), -EINVAL },
		{ "read-only behind writable, to write", ADVISE(SHARED, 5, WRITES), -EINVAL },
		{ "a file opened for reading, to write", ADVISE(SHOWN, 1, WRITES), -EINVAL },
		{ "a device, to read", ADVISE(DEVICE, 1, READS), -EINVAL },
		{ "vvar, to read", CALL(madvise, vvar, P, READS), -EINVAL },
		{ "the vdso, to read", CALL(madvise, vdso, P, READS), 0 },
		{ "beyond the end of a file, to read", ADVISE(SHORT + 2, 1, READS), -EFAULT },
		{ "beyond the end of a file, to write", ADVISE(SHORT + 3, 1, WRITES), -EFAULT },
		{ "across the end of a file", ADVISE(SHORT, 4, WRITES), -EFAULT },
		{ "secret, to read", ADVISE(SECRET, 1, READS), -EINVAL },
		{ "secret, to write", ADVISE(SECRET, 1, WRITES), -EINVAL },
		{ "sealed, read-only, to read", ADVISE(SEALED_RO, 1, READS), 0 },
		{ "length rounds to 0", CALL(madvise, AT(WRITABLE), -1UL, READS), -EINVAL },
		{ "unaligned", CALL(madvise, AT(WRITABLE) + 9, P, WRITES), -EINVAL },
	};

	return errors_rows_flags("madvise that populates", rows, ARRAY_SIZE(rows));
}

/* Addresses that no iovec can be at, and counts that none can have. */
#define BAD		KERNEL_PLACE
#define ADVISE_PEER(vec, n, how, flags)	CALL(process_madvise, FD_PEER, U(vec), n, how, flags)

int errors_process_madvise(void)
{
	struct iovec *one = vec1(AT(WRITABLE), P), *none = vec1(AT(HOLE), P);
	struct iovec *good_bad = vec2(AT(WRITABLE), P, AT(HOLE), P);
	struct iovec *bad_good = vec2(AT(HOLE), P, AT(WRITABLE), P);
	struct iovec *two = vec2(AT(WRITABLE), P, AT(READABLE), PAGES(2));
	struct iovec *negative = vec1(AT(WRITABLE), -1UL), *empty = vec1(AT(WRITABLE), 0);
	struct iovec *odd = vec1(AT(WRITABLE) + 1, P), *locked = vec1(AT(LOCKED), P);
	struct iovec *kernel = vec1(BAD, P), *device = vec1(AT(DEVICE), P);
	struct iovec *anon_file = vec2(AT(SHARED), P, AT(WRITABLE), P);
	const struct row rows[] = {
		{ "works", ADVISE_PEER(one, 1, MADV_COLD, 0), P },
		{ "two", ADVISE_PEER(two, 2, MADV_COLD, 0), PAGES(3) },
		{ "none", ADVISE_PEER(one, 0, MADV_COLD, 0), 0 },
		{ "empty", ADVISE_PEER(empty, 1, MADV_COLD, 0), 0 },
		{ "a flag", ADVISE_PEER(one, 1, MADV_COLD, 1), -EINVAL },
		{ "too many", ADVISE_PEER(one, 1025, MADV_COLD, 0), -EINVAL },
		{ "far too many", ADVISE_PEER(one, -1UL, MADV_COLD, 0), -EINVAL },
		{ "a length negative", ADVISE_PEER(negative, 1, MADV_COLD, 0), -EINVAL },
		{ "vector in the kernel", ADVISE_PEER(BAD, 1, MADV_COLD, 0), -EFAULT },
		{ "vector in a hole", ADVISE_PEER(AT(HOLE), 1, MADV_COLD, 0), -EFAULT },
		{ "vector without access", ADVISE_PEER(AT(NOACCESS), 1, MADV_COLD, 0), -EFAULT },
		{ "vector ends in a hole",
		  ADVISE_PEER(AT(HOLE) - sizeof(long), 1, MADV_COLD, 0), -EFAULT },
		{ "advice for oneself only", ADVISE_PEER(one, 1, MADV_DONTNEED, 0), -EINVAL },
		{ "advice for oneself only, to oneself's flags",
		  ADVISE_PEER(one, 1, MADV_RANDOM, 0), -EINVAL },
		{ "unknown advice", ADVISE_PEER(one, 1, 99, 0), -EINVAL },
		{ "negative advice", ADVISE_PEER(one, 1, -1UL, 0), -EINVAL },
		{ "collapse without huge pages", ADVISE_PEER(one, 1, MADV_COLLAPSE, 0), -EINVAL },
		{ "a hole", ADVISE_PEER(none, 1, MADV_COLD, 0), -ENOMEM },
		{ "a hole behind", ADVISE_PEER(good_bad, 2, MADV_COLD, 0), P },
		{ "a hole before", ADVISE_PEER(bad_good, 2, MADV_COLD, 0), -ENOMEM },
		{ "unaligned", ADVISE_PEER(odd, 1, MADV_COLD, 0), -EINVAL },
		{ "locked", ADVISE_PEER(locked, 1, MADV_COLD, 0), -EINVAL },
		{ "a device", ADVISE_PEER(device, 1, MADV_PAGEOUT, 0), -EINVAL },
		{ "in the kernel", ADVISE_PEER(kernel, 1, MADV_COLD, 0), -EFAULT },
		{ "WILLNEED, anonymous", ADVISE_PEER(one, 1, MADV_WILLNEED, 0), -EBADF },
		{ "WILLNEED, anonymous behind a file",
		  ADVISE_PEER(anon_file, 2, MADV_WILLNEED, 0), P },
		{ "no descriptor", CALL(process_madvise, -1UL, U(one), 1, MADV_COLD, 0), -EBADF },
		{ "a closed descriptor",
		  CALL(process_madvise, FD_NONE, U(one), 1, MADV_COLD, 0), -EBADF },
		{ "no pidfd", CALL(process_madvise, FD_RW, U(one), 1, MADV_COLD, 0), -EBADF },
		{ "a process that is no more",
		  CALL(process_madvise, FD_DEAD, U(one), 1, MADV_COLD, 0), -ESRCH },
		/* The manual page has EPERM, Linux never had. */
		{ "a user's, of root's process", ADVISE_PEER(one, 1, MADV_COLD, 0), -EACCES,
		  .user = true },
		{ "no pidfd and a flag",
		  CALL(process_madvise, FD_RW, U(one), 1, MADV_COLD, 1), -EINVAL },
		{ "no pidfd and a bad vector",
		  CALL(process_madvise, FD_RW, BAD, 1, MADV_COLD, 0), -EFAULT },
		{ "dead and unknown advice",
		  CALL(process_madvise, FD_DEAD, U(one), 1, 99, 0), -ESRCH },
	};

	return errors_rows_flags("process_madvise", rows, ARRAY_SIZE(rows));
}
