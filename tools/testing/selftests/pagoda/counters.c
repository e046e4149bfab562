// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's counters before and after; see counters.h.
 *
 * Slab caches are shrunk before their objects are counted, which makes the
 * count exact. A slack is there for what comes and goes with kernel threads
 * (each keeps the last mm_struct it ran on), with inodes and directory entries,
 * and with the reader's own pages. What leaks a little each time is found since
 * all compare with the first reading.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counters.h"
#include "procmem.h"

enum source { ZONES, MEMINFO, FREE, SLAB };

/* At most COUNTERS_MOST. */
static const struct {
	enum source source;
	const char *name;
	long slack;
} table[] = {
	{ ZONES, "nr_page_table_pages", 24 },
	{ ZONES, "nr_anon_pages", 128 },
	{ ZONES, "nr_mapped", 128 },
	{ ZONES, "nr_shmem", 32 },
	{ ZONES, "nr_mlock", 0 },
	{ ZONES, "nr_unevictable", 128 },
	{ ZONES, "nr_dirty", 32 },
	{ ZONES, "nr_writeback", 0 },
	{ MEMINFO, "Committed_AS", 1024 },
	{ FREE, "MemFree", 12 * 1024 },
	{ SLAB, "vm_area_struct", 24 },
	{ SLAB, "vma_lock", 24 },
	{ SLAB, "maple_node", 48 },
	{ SLAB, "anon_vma", 16 },
	{ SLAB, "anon_vma_chain", 24 },
	{ SLAB, "mm_struct", 12 },
	{ SLAB, "page->ptl", 24 },
	{ SLAB, "files_cache", 8 },
	{ SLAB, "filp", 8 },
	{ SLAB, "task_struct", 24 },
	{ SLAB, "pid", 24 },
	{ SLAB, "shmem_inode_cache", 8 },
};

long vm_count(const char *key)
{
	char line[128], name[64];
	long value, found = -1;
	FILE *f = fopen("/proc/vmstat", "re");

	while (f && found < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &value) == 2 && !strcmp(name, key))
			found = value;
	}
	if (f)
		fclose(f);
	return found;
}

/* Freed objects leave every place where they wait. */
static void shrink_cache(const char *cache)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	write_text(path, "1");
}

static void read_slabs(struct counters *c)
{
	char line[256], name[64];
	FILE *f = fopen("/proc/slabinfo", "re");
	long active;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &active) != 2)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
			if (table[i].source == SLAB && !strcmp(name, table[i].name))
				c->v[i] = active;
		}
	}
	if (f)
		fclose(f);
}

void counters_read(struct counters *c)
{
	sync();
	write_text("/proc/sys/vm/drop_caches", "3");
	syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].source == SLAB)
			shrink_cache(table[i].name);
	}
	write_text("/proc/sys/vm/stat_refresh", "1");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		switch (table[i].source) {
		case ZONES:
			c->v[i] = vm_count(table[i].name);
			break;
		case MEMINFO:
			c->v[i] = field_kib("/proc/meminfo", table[i].name);
			break;
		case FREE:
			c->v[i] = free_kib();
			break;
		case SLAB:
			c->v[i] = -1;
			break;
		}
	}
	read_slabs(c);
}

/* The first counter from @i on that is elsewhere, or past the last. */
static size_t strayed(const struct counters *a, const struct counters *b, size_t i)
{
	for (; i < ARRAY_SIZE(table); i++) {
		long by = b->v[i] - a->v[i];

		/* Reading the counters may have freed memory before. */
		if (by < -table[i].slack || (by > table[i].slack && table[i].source != FREE))
			break;
	}
	return i;
}

void counters_normal(struct counters *c)
{
	struct counters last;
	int same = 0;

	counters_read(&last);
	for (int try = 0; try < 50 && same < 2; try++) {
		usleep(100000);
		counters_read(c);
		same = strayed(&last, c, 0) == ARRAY_SIZE(table) ? same + 1 : 0;
		last = *c;
	}
}

bool counters_back(const struct counters *before, int seconds, char *why, size_t len)
{
	unsigned long long end = now_ns() + seconds * 1000000000ULL;
	struct counters now;
	size_t i, at = 0;

	for (;;) {
		counters_read(&now);
		i = strayed(before, &now, 0);
		if (i == ARRAY_SIZE(table))
			return true;
		if (now_ns() > end)
			break;
		usleep(50000);
	}
	for (; i < ARRAY_SIZE(table) && at < len; i = strayed(before, &now, i + 1))
		at += snprintf(why + at, len - at, "%s%s from %ld to %ld%s", at ? ", " : "",
			       table[i].name, before->v[i], now.v[i],
			       table[i].source == FREE ? " kB" : "");
	return false;
}
