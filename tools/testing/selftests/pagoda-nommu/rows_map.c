// SPDX-License-Identifier: GPL-2.0
/*
 * The table: anonymous memory.
 */
#include "nommu.h"

static long zeroed(long at, unsigned long pages)
{
	unsigned long i, words = pages * page_size / sizeof(long);

	for (i = 0; i < words; i++)
		if (((long *)at)[i])
			return 1;
	return 0;
}

static long map_private(void)
{
	long at = map(5, PROT_RW, MAP_ANON);

	if (failed(at))
		return at;
	if (at & (page_size - 1) || zeroed(at, 5))
		return 1;
	*(long *)(at + 4 * page_size) = 7;
	return call(NR_munmap, at, 5 * page_size);
}

static long map_shared(void)
{
	long at = map(1, PROT_RW, MAP_SHARED | MAP_ANONYMOUS);

	if (failed(at))
		return at;
	return zeroed(at, 1) ? 1 : call(NR_munmap, at, page_size);
}

static long map_readable(void)
{
	long at = map(1, PROT_READ, MAP_ANON);

	if (failed(at))
		return at;
	/* Nothing keeps a program from writing there. */
	*(volatile long *)at = 1;
	return call(NR_munmap, at, page_size);
}

static long map_hint(void)
{
	long one = map(1, PROT_RW, MAP_ANON), two;

	two = call(NR_mmap, one, page_size, PROT_RW, MAP_ANON, -1, 0);
	if (failed(two))
		return two;
	if (two == one)
		return 1;
	call(NR_munmap, one, page_size);
	return call(NR_munmap, two, page_size);
}

static long map_fixed(void)
{
	return must_be(call(NR_mmap, 16 * page_size, page_size, PROT_RW,
			    MAP_ANON | MAP_FIXED, -1, 0), -EINVAL);
}

static long map_fixed_over(void)
{
	long at = map(2, PROT_RW, MAP_ANON), err;

	err = must_be(call(NR_mmap, at, page_size, PROT_RW,
			   MAP_ANON | MAP_FIXED, -1, 0), -EINVAL);
	return err ? err : call(NR_munmap, at, 2 * page_size);
}

static long map_nothing(void)
{
	return must_be(map(0, PROT_RW, MAP_ANON), -EINVAL);
}

static long map_neither(void)
{
	return must_be(map(1, PROT_RW, MAP_ANONYMOUS), -EINVAL);
}

static long unmap_ends(void)
{
	long at = map(4, PROT_RW, MAP_ANON), err;

	if (failed(at))
		return at;
	*(long *)(at + page_size) = 3;
	err = call(NR_munmap, at + 3 * page_size, page_size);
	if (!err)
		err = call(NR_munmap, at, page_size);
	if (!err && *(long *)(at + page_size) != 3)
		err = 1;
	return err ? err : call(NR_munmap, at + page_size, 2 * page_size);
}

static long unmap_absent(void)
{
	long at = map(1, PROT_RW, MAP_ANON), err;

	err = call(NR_munmap, at, page_size);
	return err ? err : must_be(call(NR_munmap, at, page_size), -EINVAL);
}

static long unmap_two(void)
{
	long at = map(1, PROT_RW, MAP_ANON), err;

	err = must_be(call(NR_munmap, at - page_size, 3 * page_size), -EINVAL);
	return err ? err : call(NR_munmap, at, page_size);
}

static long remap_smaller(void)
{
	long at = map(4, PROT_RW, MAP_ANON), to;

	to = call(NR_mremap, at, 4 * page_size, 2 * page_size, 0);
	if (to != at)
		return to;
	to = call(NR_mremap, at, 2 * page_size, 4 * page_size, 0);
	return to != at ? to : call(NR_munmap, at, 4 * page_size);
}

static long remap_larger(void)
{
	long at = map(2, PROT_RW, MAP_ANON), err;

	err = must_be(call(NR_mremap, at, 2 * page_size, 64 * page_size,
			   MREMAP_MAYMOVE), -ENOMEM);
	return err ? err : call(NR_munmap, at, 2 * page_size);
}

static long remap_fixed(void)
{
	long at = map(2, PROT_RW, MAP_ANON), err;

	err = must_be(call(NR_mremap, at, 2 * page_size, 2 * page_size,
			   MREMAP_MAYMOVE | MREMAP_FIXED,
			   at + 64 * page_size), -EINVAL);
	return err ? err : call(NR_munmap, at, 2 * page_size);
}

static long remap_part(void)
{
	long at = map(2, PROT_RW, MAP_ANON), err;

	err = must_be(call(NR_mremap, at, page_size, 2 * page_size,
			   MREMAP_MAYMOVE), -EINVAL);
	return err ? err : call(NR_munmap, at, 2 * page_size);
}

static long heap(void)
{
	long end = call(NR_brk, 0);

	if (!end || failed(end))
		return end ? end : 1;
	/* Not a byte more than exec has set aside. */
	return call(NR_brk, end + 64 * page_size) == end ? 0 : 1;
}

const struct row rows_map[] = {
	{ "mmap, private anonymous", "works: one run of pages, all there at once",
	  map_private },
	{ "mmap, shared anonymous", "works, as private", map_shared },
	{ "mmap, PROT_READ", "works; nothing enforces it", map_readable },
	{ "mmap with an address", "works; the address is not followed",
	  map_hint },
	{ "mmap, MAP_FIXED", "EINVAL", map_fixed },
	{ "mmap, MAP_FIXED over a mapping", "EINVAL", map_fixed_over },
	{ "mmap of no length", "EINVAL", map_nothing },
	{ "mmap, neither private nor shared", "EINVAL", map_neither },
	{ "munmap of pages at the ends", "works", unmap_ends },
	{ "munmap of what is not mapped", "EINVAL", unmap_absent },
	{ "munmap of more than one mapping", "EINVAL", unmap_two },
	{ "mremap, smaller and back", "works, within its memory",
	  remap_smaller },
	{ "mremap, larger", "ENOMEM, MREMAP_MAYMOVE or not", remap_larger },
	{ "mremap, MREMAP_FIXED", "EINVAL", remap_fixed },
	{ "mremap of a part", "EINVAL", remap_part },
	{ "brk", "stays within what exec has set aside", heap },
	{ }
};
