/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address-space identifiers (ASIDs), for architectures on which all CPUs know
 * an address space by the same one. See mm/pagoda/asid.c.
 */
#ifndef _LINUX_PAGODA_ASID_H
#define _LINUX_PAGODA_ASID_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/spinlock.h>

/**
 * struct asid_cpu - what one CPU has to do with a space of identifiers
 * @active: the context that it runs; 0 from when a generation begins until it
 *          next enters an address space
 * @kept: the context that it ran when the generation began
 */
struct asid_cpu {
	atomic64_t active;
	u64 kept;
};

/**
 * struct asid_space - identifiers to be given out
 * @lock: for all but what is read of @generation and asid_cpu.active
 * @bits: width of an identifier
 * @used: those of this generation; 0 is nobody's
 * @last: where to look for the next
 * @generation: of valid contexts; a multiple of 1 << @bits, and not 0
 * @stale: CPUs whose TLB may hold translations of an older generation
 * @cpus: a struct asid_cpu for each CPU
 */
struct asid_space {
	raw_spinlock_t lock;
	unsigned int bits;
	unsigned long *used;
	unsigned long last;
	atomic64_t generation;
	cpumask_t stale;
	struct asid_cpu __percpu *cpus;
};

int asid_space_init(struct asid_space *space, unsigned int bits);
void asid_space_exit(struct asid_space *space);
u64 asid_enter(struct asid_space *space, atomic64_t *id, bool *empty);

/**
 * asid_of - the identifier in a context
 * @space: where it is from
 * @context: the context
 */
static inline u64 asid_of(const struct asid_space *space, u64 context)
{
	return context & ((1ULL << space->bits) - 1);
}

#endif /* _LINUX_PAGODA_ASID_H */
