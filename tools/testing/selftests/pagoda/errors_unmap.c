// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of munmap, brk and remap_file_pages.
 */
#include "errors.h"

int errors_munmap(void)
{
	const struct row rows[] = {
		{ "length 0", CALL(munmap, AT(WRITABLE), 0), -EINVAL },
		{ "length 0 in a hole", CALL(munmap, AT(HOLE), 0), -EINVAL },
		{ "unaligned", CALL(munmap, AT(WRITABLE) + 1, P), -EINVAL },
		{ "unaligned at the page's end", CALL(munmap, AT(WRITABLE) + P - 1, P), -EINVAL },
		{ "length rounds to 0", CALL(munmap, AT(WRITABLE), -1UL), -EINVAL },
		{ "length of all but a page", CALL(munmap, AT(WRITABLE), -P), -EINVAL },
		{ "ends at the wrap", CALL(munmap, AT(WRITABLE), -AT(WRITABLE)), -EINVAL },
		{ "wraps", CALL(munmap, AT(WRITABLE), -AT(WRITABLE) + 2 * P), -EINVAL },
		{ "half of all", CALL(munmap, AT(WRITABLE), (unsigned long)LONG_MIN), -EINVAL },
		{ "from an area over the user limit",
		  CALL(munmap, AT(WRITABLE), top - AT(WRITABLE) + P), -EINVAL },
		{ "the last page", CALL(munmap, top - P, P), 0 },
		{ "over the user limit", CALL(munmap, top - P, 2 * P), -EINVAL },
		{ "at the user limit", CALL(munmap, top, P), -EINVAL },
		{ "in the kernel", CALL(munmap, KERNEL_PLACE, P), -EINVAL },
		{ "the last page of all", CALL(munmap, -P, P), -EINVAL },
		{ "address 0", CALL(munmap, 0, P), 0 },
		{ "a hole", CALL(munmap, AT(HOLE), 2 * P), 0 },
		{ "areas and holes", CALL(munmap, AT(WRITABLE), PAGES(30)), 0 },
		{ "length of a byte", CALL(munmap, AT(WRITABLE), 1), 0 },
		{ "sealed", CALL(munmap, AT(SEALED), P), -EPERM },
		{ "areas of which the last is sealed", CALL(munmap, AT(LOCKED), PAGES(7)), -EPERM },
		{ "many areas of which the last is sealed",
		  CALL(munmap, AT(0), PAGES(SEALED + 1)), -EPERM },
		{ "areas of which the first is sealed",
		  CALL(munmap, AT(SEALED_RO), PAGES(6)), -EPERM },
		{ "sealed in the middle", CALL(munmap, AT(LOCKED), PAGES(20)), -EPERM },
		{ "part of the vdso", CALL(munmap, vdso, P), -EINVAL },
		{ "part of vvar", CALL(munmap, vvar + P, P), -EINVAL },
		{ "the vdso's end and beyond", CALL(munmap, vdso + P, PAGES(16)), -EINVAL },
		{ "part of a device", CALL(munmap, AT(DEVICE), P), 0 },
		{ "at the limit of areas, a split", CALL(munmap, AT(WRITABLE + 2), P), -ENOMEM,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "at the limit of areas, a split over the border",
		  CALL(munmap, AT(SHARED + 1), PAGES(2)), -ENOMEM, .with = COUNT_LIMIT, .n = 0 },
		{ "above the limit of areas, a split", CALL(munmap, AT(WRITABLE + 2), P), -ENOMEM,
		  .with = COUNT_LIMIT, .n = -9 },
		{ "below the limit of areas, a split", CALL(munmap, AT(WRITABLE + 2), P), 0,
		  .with = COUNT_LIMIT, .n = 1 },
		{ "at the limit of areas, a start", CALL(munmap, AT(WRITABLE), P), 0,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "at the limit of areas, an end", CALL(munmap, AT(WRITABLE + 7), P), 0,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "at the limit of areas, an end and a start",
		  CALL(munmap, AT(WRITABLE + 7), PAGES(4)), 0, .with = COUNT_LIMIT, .n = 0 },
		{ "above the limit of areas, a whole one",
		  CALL(munmap, AT(WRITABLE), PAGES(8)), 0, .with = COUNT_LIMIT, .n = -9 },
	};

	return errors_rows("munmap", rows, ARRAY_SIZE(rows));
}

int errors_brk(void)
{
	const struct row rows[] = {
		{ "where it is", CALL(brk, heap), 0 },
		{ "a page more", CALL(brk, heap + P), 0 },
		{ "a byte more", CALL(brk, heap + 1), 0 },
		{ "address 0", CALL(brk, 0), -ENOMEM },
		{ "a low address", CALL(brk, P), -ENOMEM },
		{ "below where it began", CALL(brk, heap_begin - P), -ENOMEM },
		{ "less", CALL(brk, heap_low), 0 },
		{ "over the scene", CALL(brk, AT(WRITABLE)), -ENOMEM },
		{ "behind the scene", CALL(brk, AT(SCENE_END + 8)), -ENOMEM },
		{ "the last page", CALL(brk, top - P), -ENOMEM },
		{ "the user limit", CALL(brk, top), -ENOMEM },
		{ "above the user limit", CALL(brk, top + P), -ENOMEM },
		{ "in the kernel", CALL(brk, KERNEL_PLACE), -ENOMEM },
		{ "rounds to 0", CALL(brk, -1UL), -ENOMEM },
		{ "the last page of all", CALL(brk, -P), -ENOMEM },
		{ "RLIMIT_DATA, above", CALL(brk, heap + PAGES(6)), -ENOMEM,
		  .with = DATA_LIMIT, .n = 4 },
		{ "RLIMIT_AS, above", CALL(brk, heap + PAGES(5)), -ENOMEM,
		  .with = AS_LIMIT, .n = 4 },
		{ "RLIMIT_AS, at it", CALL(brk, heap + PAGES(4)), 0, .with = AS_LIMIT, .n = 4 },
		{ "RLIMIT_AS, used up, within its page", CALL(brk, heap + 1), -ENOMEM,
		  .with = AS_LIMIT, .n = 0 },
		{ "areas, above", CALL(brk, heap + P), -ENOMEM, .with = COUNT_LIMIT, .n = -1 },
		{ "areas, at the limit", CALL(brk, heap + P), 0, .with = COUNT_LIMIT, .n = 0 },
		{ "commit limit", CALL(brk, heap + P), -ENOMEM, .with = COMMIT_LIMIT },
		{ "more than memory", CALL(brk, heap + MORE_THAN_MEMORY), -ENOMEM },
		{ "RLIMIT_MEMLOCK after mlockall", CALL(brk, heap + PAGES(3)), -ENOMEM,
		  .with = LOCK_LIMIT, .n = 6, .first = CALL(mlockall, MCL_FUTURE) },
		{ "RLIMIT_MEMLOCK after mlockall, at it", CALL(brk, heap + PAGES(2)), 0,
		  .with = LOCK_LIMIT, .n = 6, .first = CALL(mlockall, MCL_FUTURE) },
		{ "onto an area", CALL(brk, heap + PAGES(8)), -ENOMEM,
		  .first = CALL(mmap, heap + PAGES(6), P, RW, PRIVATE_ANON | MAP_FIXED, -1UL, 0) },
		/* A page stays free above the heap. */
		{ "up to an area", CALL(brk, heap + PAGES(6)), -ENOMEM,
		  .first = CALL(mmap, heap + PAGES(6), P, RW, PRIVATE_ANON | MAP_FIXED, -1UL, 0) },
		{ "up to a page before an area", CALL(brk, heap + PAGES(5)), 0,
		  .first = CALL(mmap, heap + PAGES(6), P, RW, PRIVATE_ANON | MAP_FIXED, -1UL, 0) },
		{ "up to the guard gap of a growing area", CALL(brk, heap + PAGES(300)), -ENOMEM,
		  .first = CALL(mmap, heap + PAGES(400), P, RW,
				PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1UL, 0) },
		{ "short of the guard gap of a growing area", CALL(brk, heap + PAGES(100)), 0,
		  .first = CALL(mmap, heap + PAGES(400), P, RW,
				PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1UL, 0) },
		{ "over a hole in itself", CALL(brk, heap_low), 0,
		  .first = CALL(munmap, heap_low, P) },
		{ "over itself, all holes", CALL(brk, heap_low), -ENOMEM,
		  .first = CALL(munmap, heap_low, heap - heap_low) },
		{ "shrinks over a seal", CALL(brk, heap_low), -ENOMEM,
		  .first = CALL(mseal, heap_low, P, 0) },
		{ "shrinks to a seal", CALL(brk, heap_low + P), 0,
		  .first = CALL(mseal, heap_low, P, 0) },
	};

	return errors_rows("brk", rows, ARRAY_SIZE(rows));
}

int errors_remap_file_pages(void)
{
	const struct row rows[] = {
		{ "works", CALL(remap_file_pages, AT(SHARED), P, 0, 6, 0), 0 },
		{ "a protection", CALL(remap_file_pages, AT(SHARED), P, PROT_READ, 6, 0), -EINVAL },
		{ "length 0", CALL(remap_file_pages, AT(SHARED), 0, 0, 6, 0), -EINVAL },
		{ "less than a page", CALL(remap_file_pages, AT(SHARED), P - 1, 0, 6, 0), -EINVAL },
		{ "unaligned", CALL(remap_file_pages, AT(SHARED) + 5, P, 0, 6, 0), 0 },
		{ "length wraps", CALL(remap_file_pages, AT(SHARED), -P, 0, 6, 0), -EINVAL },
		{ "length up to the wrap",
		  CALL(remap_file_pages, AT(SHARED), -AT(SHARED), 0, 6, 0), -EINVAL },
		{ "offset wraps", CALL(remap_file_pages, AT(SHARED), 2 * P, 0, -1UL, 0), -EINVAL },
		{ "offset at the wrap",
		  CALL(remap_file_pages, AT(SHARED), P, 0, -1UL, 0), -EINVAL },
#if __SIZEOF_LONG__ == 8	/* else these are offsets like others */
		{ "offset beyond the last",
		  CALL(remap_file_pages, AT(SHARED), P, 0, -1UL / P, 0), -EOVERFLOW },
		{ "offset short of the wrap",
		  CALL(remap_file_pages, AT(SHARED), P, 0, -2UL, 0), -EOVERFLOW },
#endif
		{ "a hole", CALL(remap_file_pages, AT(HOLE), P, 0, 0, 0), -EINVAL },
		{ "private anonymous", CALL(remap_file_pages, AT(WRITABLE), P, 0, 0, 0), -EINVAL },
		{ "private, of a file", CALL(remap_file_pages, AT(PRIVATE), P, 0, 0, 0), -EINVAL },
		{ "of a file opened for reading",
		  CALL(remap_file_pages, AT(SHOWN), P, 0, 0, 0), -EINVAL },
		{ "beyond its area, into another",
		  CALL(remap_file_pages, AT(SHARED), PAGES(5), 0, 0, 0), -EINVAL },
		{ "beyond its area, into a hole",
		  CALL(remap_file_pages, AT(SHORT), PAGES(5), 0, 0, 0), -EINVAL },
		{ "beyond the user limit",
		  CALL(remap_file_pages, AT(SHARED), top, 0, 0, 0), -EINVAL },
		{ "at the user limit", CALL(remap_file_pages, top, P, 0, 0, 0), -EINVAL },
		{ "the vdso", CALL(remap_file_pages, vdso, P, 0, 0, 0), -EINVAL },
		{ "a device", CALL(remap_file_pages, AT(DEVICE), P, 0, 0, 0), -EINVAL },
		{ "shared anonymous", CALL(remap_file_pages, AT(ANONSHARED), P, 0, 1, 0), 0 },
		{ "areas at the limit, a split",
		  CALL(remap_file_pages, AT(SHARED + 1), P, 0, 7, 0), -ENOMEM,
		  .with = COUNT_LIMIT, .n = 0 },
	};

	return errors_rows("remap_file_pages", rows, ARRAY_SIZE(rows));
}
