// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that grows downwards, and what lies in its way.
 */
#include <sys/ipc.h>
#include <sys/shm.h>

#include "attacks.h"

/* Pages of the guard gap; it is a boot parameter, but nobody's but ours here. */
#define GUARD		256
#define ROOM		1024

/* A growing area of four pages, far above all others; each time another. */
static char *growing(void)
{
	static unsigned long at = FAR_AWAY;
	char *stack;

	at += FAR_STEP / 4;
	stack = mmap((char *)at, 4 * PG, RW, PRIVATE_ANON | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN,
		     -1, 0);
	if (stack == MAP_FAILED)
		abort();
	return stack;
}

/* So many pages below a growing area, is there a use? */
static int below(char *stack, int pages)
{
	return try_write(stack - pages * PG);
}

static char *put(char *at, int pages, int prot)
{
	char *p = mmap(at, pages * PG, prot, PRIVATE_ANON | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != at)
		abort();
	return p;
}

/* -- stack clash: over the gap, and up to it -- */

static int overflow(void *arg)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	/* Under the program's own stack, as deep as its limit and further. */
	char *victim = mmap((void *)((here - 64 * MIB) & -PG), 4 * MIB, RW,
			    PRIVATE_ANON | MAP_FIXED_NOREPLACE, -1, 0);

	limit(RLIMIT_STACK, RLIM_INFINITY);
	for (char *p = (char *)(here & -PG); p > victim + 4 * MIB; p -= PG) {
		if (try_write(p) != NO_FAULT) {
			long gap = (p - (victim + 4 * MIB)) / (long)PG;

			return gap >= GUARD - 1 && gap <= GUARD ? 0 : 3;
		}
	}
	return 4;
}

const char *stack_jumps_over_gap(void)
{
	char *stack = growing(), *wall;
	stack_t alt = { .ss_sp = anon(16), .ss_size = 16 * PG };
	int how;

	/* The catcher must not need the stack that overflows. */
	sigaltstack(&alt, NULL);

	/* Without a wall it grows as far as asked. */
	if (below(stack, 500) != NO_FAULT)
		return finding("a growing area does not grow");

	stack = growing();
	wall = put(stack - ROOM * PG, 700, RW);	/* 324 pages are left */
	fill(wall, 700, 'w');
	if (below(stack, 10) != NO_FAULT)
		return finding("no growth above the gap");
	if (below(stack, 324 - GUARD + 1) != SEGV_NOTHING)
		return finding("growth into the guard gap");
	if (below(stack, 324 - GUARD) != NO_FAULT)
		return finding("no growth up to the guard gap");
	for (int i = 324 - GUARD + 1; i <= 324; i++) {
		if (below(stack, i) != SEGV_NOTHING)
			return finding("growth into the guard gap, by %d", i);
	}
	if (!filled(wall, 700, 'w'))
		return finding("the neighbour was written to");

	/* Without access it is a wall of its own: no gap is kept. */
	stack = growing();
	wall = put(stack - ROOM * PG, 1000, PROT_NONE);
	if (below(stack, 24) != NO_FAULT || below(stack, 25) != SEGV_DENIED)
		return finding("growth beside inaccessible memory");
	/* When it can be accessed, the area stays, and grows no more. */
	stack = growing();
	wall = put(stack - ROOM * PG, 1000, PROT_NONE);
	if (below(stack, 4) != NO_FAULT)
		return finding("no growth beside inaccessible memory");
	mprotect(wall, 1000 * PG, RW);
	if (below(stack, 5) != SEGV_NOTHING)
		return finding("growth into a neighbour that became accessible");

	how = ended(start(overflow, NULL));
	return how ? finding("the program's own stack: %d", how) : NULL;
}

const char *mapping_into_guard_gap(void)
{
	char *stack = growing(), *p;

	/* Asked for by a hint in the gap, memory comes somewhere else. */
	for (int i = 1; i < GUARD; i += 5) {
		p = mmap(stack - i * PG, PG, RW, PRIVATE_ANON, -1, 0);
		if (p < stack && p + PG > stack - GUARD * PG)
			return finding("memory was placed %ld pages below a growing area",
				       (stack - p) / (long)PG);
		munmap(p, PG);
	}
	/* Just below the gap there is room. */
	p = mmap(stack - (GUARD + 1) * PG, PG, RW, PRIVATE_ANON, -1, 0);
	if (p != stack - (GUARD + 1) * PG)
		return finding("no room below the guard gap");
	/* Who insists gets it, and the area grows no more. */
	put(stack - 3 * PG, 1, RW);
	if (below(stack, 1) != SEGV_NOTHING || below(stack, 2) != SEGV_NOTHING)
		return finding("growth towards memory within the gap");
	return NULL;
}

const char *growing_into_neighbours(void)
{
	char *stack = growing(), *other;

	/* Two that grow may touch, and never overlap. */
	other = mmap(stack - 20 * PG, 4 * PG, RW, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	fill(other, 4, 'o');
	for (int i = 1; i <= 16; i++) {
		if (below(stack, i) != NO_FAULT)
			return finding("growth towards another that grows, by %d", i);
	}
	if (!filled(other, 4, 'o'))
		return finding("one that grows was written to by another");
	if (below(stack, 17) != NO_FAULT || peek(other + 3 * PG) != 0x77)
		return finding("the next page is the neighbour's");

	/* A file in the way, mapped shared. */
	stack = growing();
	other = mmap(stack - 300 * PG, 8 * PG, RW, MAP_SHARED | MAP_FIXED,
		     memory_file(8, 'f'), 0);
	if (below(stack, 292 - GUARD + 1) != SEGV_NOTHING || !filled(other, 8, 'f'))
		return finding("growth into the gap above a file");

	/* Part of it that no longer grows is a wall like others. */
	stack = growing();
	below(stack, 8);
	munmap(stack - 4 * PG, 2 * PG);
	if (below(stack, 3) != NO_FAULT)
		return finding("no growth back to the rest of itself");
	return NULL;
}

static const char *limited(void)
{
	char *stack = growing();

	limit(RLIMIT_STACK, 64 * PG);
	if (below(stack, 60) != NO_FAULT)
		return finding("no growth up to RLIMIT_STACK");
	if (below(stack, 61) != SEGV_NOTHING || below(stack, 500) != SEGV_NOTHING)
		return finding("growth beyond RLIMIT_STACK");
	stack = growing();
	limit(RLIMIT_AS, status_field(0, "VmSize") * KIB + 10 * PG);
	if (below(stack, 11) != SEGV_NOTHING || below(stack, 10) != NO_FAULT)
		return finding("growth and RLIMIT_AS");
	return NULL;
}

static const char *locked(void)
{
	char *stack = growing();

	mlock(stack, 4 * PG);
	limit(RLIMIT_MEMLOCK, 10 * PG);
	if (drop_root())
		return finding("cannot drop root");
	if (below(stack, 7) != SEGV_NOTHING || below(stack, 6) != NO_FAULT)
		return finding("growth and RLIMIT_MEMLOCK");
	return NULL;
}

const char *stack_limit(void)
{
	const char *hole = apart(limited, false);

	return hole ?: apart(locked, false);
}

/* -- CVE-2023-3269: growth changes the tree of areas under its readers -- */

struct rot {
	char *stack;
	int reach;
};

static void grow(void *arg)
{
	struct rot *r = arg;

	for (r->reach = 1; r->reach <= 40; r->reach++)
		below(r->stack, r->reach);
	/* And make it small again. */
	munmap(r->stack - 40 * PG, 40 * PG);
}

static void neighbours(void *arg)
{
	struct rot *r = arg;
	char *above = r->stack + 5 * PG;

	for (int i = 0; i < 20; i++)
		mmap(above + 2 * i * PG, PG, PROT_READ + i % 2, PRIVATE_ANON | MAP_FIXED, -1, 0);
	munmap(above, 40 * PG);
}

static void read_maps(void *arg)
{
	static __thread char buf[16384];
	int fd = open("/proc/self/maps", O_RDONLY);

	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static void fault_above(void *arg)
{
	struct rot *r = arg;

	for (int i = 0; i < 40; i++)
		try_read(r->stack + (5 + i) * PG);
	try_write(r->stack);
}

const char *stack_grows_under_readers(void)
{
	struct rot r = { growing() };
	struct area a;

	memset(r.stack, 'b', 4 * PG);
	race(600, &r, grow, neighbours, read_maps, fault_above);
	if (!area_at(0, r.stack, &a) || a.end != (unsigned long)r.stack + 4 * PG)
		return finding("the growing area is not what it was");
	if (!all_are(r.stack + PG, 3 * PG, 'b'))
		return finding("the growing area lost its contents");
	if (areas_over(r.stack - 100 * PG, 100 * PG) || areas_over(r.stack + 5 * PG, 40 * PG))
		return finding("areas are left that were unmapped");
	return NULL;
}

/* -- a mapping that a null pointer of the kernel's would find -- */

static bool mapped_low(void)
{
	struct area a;

	return area_at(0, NULL, &a);
}

static const char *map_zero(void)
{
	int id = shmget(IPC_PRIVATE, PG, 0600);
	char *p;

	if (mmap(NULL, PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0) != MAP_FAILED || errno != EPERM)
		return finding("mmap at address 0");
	p = mmap((void *)1, PG, RW, PRIVATE_ANON, -1, 0);
	if (p < (char *)PG)
		return finding("mmap with a low hint");
	if (mremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, NULL) != MAP_FAILED)
		return finding("mremap to address 0");
	if (!mremap(p, PG, PG, MREMAP_MAYMOVE | 4, NULL))
		return finding("mremap that keeps to address 0");
	if (shmat(id, (void *)1, SHM_RND) != (void *)-1)
		return finding("shmat that rounds to address 0");
	if (shmat(id, (void *)1, SHM_RND | SHM_REMAP) != (void *)-1)
		return finding("shmat that replaces at address 0");
	shmctl(id, IPC_RMID, NULL);
	if (syscall(SYS_brk, 0x10) == 0x10)
		return finding("brk to a low address");
	if (mapped_low() || try_read(NULL) != SEGV_NOTHING || try_write(NULL) != SEGV_NOTHING)
		return finding("there is memory at address 0");
	return NULL;
}

static const char *root_maps_zero(void)
{
	char *p = mmap(NULL, PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);

	return p || try_write(p) != NO_FAULT ? finding("root cannot map address 0") : NULL;
}

const char *mapping_of_address_zero(void)
{
	const char *hole = apart(root_maps_zero, false);

	return hole ?: apart(map_zero, true);
}

static const char *grow_to_zero(void)
{
	char *low = (char *)PG, *p;

	p = mmap(low, PG, RW, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	if (p != low)
		return finding("the lowest page cannot be mapped: %s", strerror(errno));
	if (try_write(low) != NO_FAULT)
		return finding("the lowest page is not there");
	if (try_write(low - 1) == NO_FAULT || try_read(NULL) == NO_FAULT || mapped_low())
		return finding("an area has grown down to address 0");
	if (syscall(SYS_read, open("/dev/zero", O_RDONLY), low - 8, 8) >= 0)
		return finding("the kernel has it grow down to address 0");
	return mapped_low() ? finding("there is memory at address 0") : NULL;
}

const char *growing_to_address_zero(void)
{
	const char *hole = apart(grow_to_zero, true);

	/* Nor as root, for whom growth is no mapping that he asked for. */
	return hole ?: apart(grow_to_zero, false);
}
