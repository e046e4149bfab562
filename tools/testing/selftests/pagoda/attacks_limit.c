// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers that are too large: of areas, of bytes, of offsets.
 */
#include <sys/uio.h>

#include "attacks.h"

/* -- as many areas as the system allows -- */

#define MAX_COUNT	"/proc/sys/vm/max_map_count"

static long slab_objects(const char *cache)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	char line[512], name[64];
	long active, n = -1;

	while (f && n < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &active) == 2 && !strcmp(name, cache))
			n = active;
	}
	if (f)
		fclose(f);
	return n;
}

static bool no_memory(long result)
{
	return result == -1 && errno == ENOMEM;
}

static const char *spray(void)
{
	long most = read_number(MAX_COUNT), got = 1;
	char *p, *q;

	if (most < 0)
		return finding("no limit to be read");
	/* Every second page is given other rights, each of which costs two areas. */
	p = mmap(NULL, (most + 100) * PG, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
	q = anon(4);
	fill(q, 4, 'q');
	for (long i = 1; i < most + 100; i += 2, got += 2) {
		if (mprotect(p + i * PG, PG, PROT_READ))
			break;
	}
	if (errno != ENOMEM || got > most || got < most - 100)
		return finding("%ld areas: %s", got, strerror(errno));

	/* Fill up what is left; then all that splits or adds an area fails. */
	while (mmap(NULL, PG, PROT_READ, SHARED_ANON, -1, 0) != MAP_FAILED)
		;
	if (errno != ENOMEM)
		return finding("mmap at the limit: %s", strerror(errno));
	if (!no_memory(mprotect(q + PG, PG, PROT_READ)) ||
	    !no_memory(munmap(q + PG, PG)) || !no_memory(mlock(q + PG, PG)) ||
	    !no_memory((long)mremap(q + PG, PG, 2 * PG, MREMAP_MAYMOVE)) ||
	    !no_memory((long)mmap(q + PG, PG, PROT_READ, PRIVATE_ANON | MAP_FIXED, -1, 0)))
		return finding("an area was split at the limit");
	if (madvise(q + PG, PG, MADV_DONTFORK) != -1 || errno != EAGAIN)
		return finding("madvise at the limit");
	if (!filled(q, 4, 'q') || areas_over(q, 4 * PG) != 1)
		return finding("what failed has changed something");
	/* Unmapping whole areas works, and then there is room again. */
	if (munmap(p + 101 * PG, 4 * PG) || mprotect(q + PG, PG, PROT_READ))
		return finding("no room after munmap: %s", strerror(errno));
	return NULL;
}

/* A kernel that checks the whole tree of areas at each change takes hours. */
static int checks_all(void *arg)
{
	char *p = mmap(NULL, 1000 * PG, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
	unsigned long long begin = 0;

	for (int i = 1; i < 1000; i += 2) {
		if (i == 801)
			begin = now_ns();
		mprotect(p + i * PG, PG, PROT_READ);
	}
	/* A hundred; 32,765 of 36 times as long each would take two minutes. */
	return now_ns() - begin > 10000000;
}

#define FEW		"1500"

const char *maps_to_the_limit(void)
{
	long before = slab_objects("vm_area_struct"), after = 0;
	bool slow = ended(start(checks_all, NULL));
	const char *hole;

	if (slow) {
		printf("# this kernel is slow with areas: the limit is " FEW " for now\n");
		write_text(MAX_COUNT, FEW);
	}
	hole = apart(spray, true);
	if (slow)
		write_text(MAX_COUNT, "65530");
	if (hole)
		return hole;
	/* The last areas go after a grace period, and when KASAN lets them. */
	for (int i = 0; i < 100; i++) {
		write_text("/sys/kernel/slab/vm_area_struct/shrink", "1");
		after = slab_objects("vm_area_struct");
		if (after < before + (slow ? 700 : 2000))
			return NULL;
		usleep(30000);
	}
	return finding("areas in use: %ld, before %ld", after, before);
}

/* -- lengths -- */

/* Would any of the calls have an effect with such a length? */
static const char *try_length(char *p, unsigned long len, unsigned char *vec)
{
	struct iovec own = { vec, PG }, there = { p, len };
	unsigned long at = (unsigned long)p;

	if (!munmap(p, len))
		return "munmap";
	if (!mprotect(p, len, PROT_NONE))
		return "mprotect";
	if (!madvise(p, len, MADV_DONTNEED) || !madvise(p, len, MADV_WIPEONFORK) ||
	    !madvise(p, len, MADV_POPULATE_WRITE))
		return "madvise";
	if (!mincore(p, len, vec))
		return "mincore";
	if (mremap(p, len, PG, MREMAP_MAYMOVE) != MAP_FAILED)
		return "mremap, smaller";
	if (len > user_end() && mremap(p, PG, len, MREMAP_MAYMOVE) != MAP_FAILED)
		return "mremap, larger";
	if (mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, at + 16 * PG) != MAP_FAILED)
		return "mremap to a place";
	if (mmap(p, len, RW, PRIVATE_ANON | MAP_FIXED, -1, 0) != MAP_FAILED ||
	    (len > user_end() && mmap(NULL, len, RW, PRIVATE_ANON, -1, 0) != MAP_FAILED))
		return "mmap";
	if (!syscall(__NR_mseal, p, len, 0))
		return "mseal";
	if (!syscall(SYS_remap_file_pages, p, len, 0, 0, 0))
		return "remap_file_pages";
	if ((long)len < 0 && process_vm_readv(getpid(), &own, 1, &there, 1, 0) >= 0)
		return "process_vm_readv";
	/* What rounds to nothing locks and writes nothing. */
	if (len + PG - 1 >= PG && (!mlock(p, len) || !munlock(p, len)))
		return "mlock";
	if (len + PG - 1 >= PG && !msync(p, len, MS_SYNC))
		return "msync";
	return NULL;
}

const char *lengths_that_wrap(void)
{
	char *p = anon(8), *m = p + 3 * PG;
	unsigned long at = (unsigned long)m;
	const unsigned long lengths[] = {
		-1UL, -2UL, -PG, -PG + 1, -PG - 1, -2 * PG, -2 * PG + 1,
		-at, -at + 1, -at + PG - 1, -at + PG, -at + 3 * PG,
		/* Where there are so few addresses, this is a length like others. */
		sizeof(long) == 8 ? -at + at / 2 : -at + 5 * PG,
	};
	unsigned char *vec = (unsigned char *)anon(1);

	fill(p, 8, 'l');
	/* The calls work with a length that is right. */
	if (mprotect(m, 1, RW) || mincore(m, 1, vec) || madvise(m, 1, MADV_COLD))
		return finding("the probe does not work");
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const char *call = try_length(m, lengths[i], vec);

		if (call)
			return finding("%s succeeds with length %lx", call, lengths[i]);
		if (!filled(p, 8, 'l') || try_write(p) != NO_FAULT || areas_over(p, 8 * PG) != 1)
			return finding("length %lx changed memory", lengths[i]);
		poke(p, 'l');
	}
	return NULL;
}

/* -- offsets -- */

const char *offsets_that_wrap(void)
{
	/* In bytes, of a file: the first that is too far. */
	const off_t last = (sizeof(long) == 8 ? 1ULL << 63 : (uint64_t)PG << 32) - PG;
	int fd = memory_file(4, 'f');
	char *p, *q;

	/* The last page of the largest file; a page more would wrap. */
	p = mmap(NULL, PG, RW, MAP_SHARED, fd, last - PG);
	if (p == MAP_FAILED)
		return finding("no mapping at the last offset: %s", strerror(errno));
	if (try_read(p) != BUS_BEYOND)
		return finding("there is something at the last offset");
	if (mmap(NULL, 2 * PG, RW, MAP_SHARED, fd, last) != MAP_FAILED || errno != EOVERFLOW)
		return finding("a mapping beyond the last offset");
	/* Grown there, it only reaches where nothing is; the file stays whole. */
	q = mremap(p, PG, 8 * PG, MREMAP_MAYMOVE);
	if (q != MAP_FAILED) {
		for (int i = 0; i < 8; i++) {
			if (try_read(q + i * PG) != BUS_BEYOND)
				return finding("page %d behind the last offset is there", i);
		}
		/* A walk over the end of the file must not wrap to its start. */
		madvise(q, 8 * PG, MADV_REMOVE);
		madvise(q, 8 * PG, MADV_WILLNEED);
		msync(q, 8 * PG, MS_SYNC);
	}
	if (!syscall(SYS_remap_file_pages, q == MAP_FAILED ? p : q, PG, 0, -1UL, 0) ||
	    /* In 32 bits this one exists, and has nothing. */
	    (sizeof(long) == 8 &&
	     !syscall(SYS_remap_file_pages, q == MAP_FAILED ? p : q, PG, 0, -2UL, 0)))
		return finding("remap_file_pages with an offset that wraps");
	ftruncate(fd, 3 * PG);
	ftruncate(fd, 4 * PG);
	p = mmap(NULL, 4 * PG, PROT_READ, MAP_SHARED, fd, 0);
	if (!filled(p, 3, 'f') || !all_are(p + 3 * PG, PG, 0))
		return finding("the file has changed");
	return NULL;
}
