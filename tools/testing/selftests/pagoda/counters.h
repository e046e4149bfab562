/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine's counters before and after: what has exited leaves nothing.
 *
 * Pages by kind, commit charge, free memory, and objects in the slab caches of
 * memory management. They are read after dropping what may be dropped.
 */
#ifndef PAGODA_COUNTERS_H
#define PAGODA_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

#define COUNTERS_MOST	32

/** struct counters - what was read; a counter the kernel lacks is -1 */
struct counters {
	long v[COUNTERS_MOST];
};

/** counters_read() - drop caches, wait for RCU, read all of them */
void counters_read(struct counters *c);

/** counters_normal() - the same, once they have stopped to change */
void counters_normal(struct counters *c);

/**
 * counters_back() - have the counters come back?
 * @before:	what they were
 * @seconds:	how long to wait for it
 * @why:	says which have not, if false is returned
 * @len:	its size
 *
 * Some may differ by what the kernel's own threads and caches need.
 */
bool counters_back(const struct counters *before, int seconds, char *why, size_t len);

/** vm_count() - a number from /proc/vmstat, such as "oom_kill"; -1 if absent */
long vm_count(const char *key);

#endif
