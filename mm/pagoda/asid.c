// SPDX-License-Identifier: GPL-2.0
/*
 * Address-space identifiers that all CPUs share.
 *
 * An mm keeps a context: an identifier in the low bits of a number, and above
 * them the generation that gave it out. When identifiers run out a generation
 * begins: contexts of older ones are void, and each CPU empties its TLB before
 * it next enters an address space. Until then it may go on in the one that it
 * is in, so that one keeps its identifier.
 *
 * Guarantees: two address spaces never have the same identifier at a time at
 * which a TLB has translations of both.
 *
 * Locks: the space's raw spinlock, with interrupts off. Entering an address
 * space whose context is valid takes none: it exchanges the CPU's active
 * context for the new one, unless a generation has taken that away (left 0).
 * Then the lock makes it wait until the generation has begun.
 */
#include <linux/bitmap.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/pagoda_asid.h>

static unsigned long asid_count(const struct asid_space *space)
{
	return 1UL << space->bits;
}

static bool asid_valid(const struct asid_space *space, u64 context)
{
	return !((context ^ atomic64_read(&space->generation)) >> space->bits);
}

/* Begin a generation in which only what runs somewhere has an identifier. */
static void asid_next_generation(struct asid_space *space)
{
	int cpu;

	atomic64_add(asid_count(space), &space->generation);
	bitmap_zero(space->used, asid_count(space));
	__set_bit(0, space->used);
	for_each_possible_cpu(cpu) {
		struct asid_cpu *c = per_cpu_ptr(space->cpus, cpu);
		u64 active = atomic64_xchg(&c->active, 0);

		/* 0: it has run the same since the generation before. */
		if (active)
			c->kept = active;
		__set_bit(asid_of(space, c->kept), space->used);
	}
	cpumask_setall(&space->stale);
	space->last = 0;
}

/* Is a void context one that runs somewhere? There it becomes @fresh. */
static bool asid_runs(struct asid_space *space, u64 context, u64 fresh)
{
	bool found = false;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct asid_cpu *c = per_cpu_ptr(space->cpus, cpu);

		if (c->kept == context) {
			c->kept = fresh;
			found = true;
		}
	}
	return found;
}

/* A context of this generation for who has a void one, or 0 for none. */
static u64 asid_renew(struct asid_space *space, u64 context)
{
	unsigned long asid = asid_of(space, context);
	u64 fresh = atomic64_read(&space->generation) | asid;

	/* The identifier that it had saves flushes, if it is still free. */
	if (context && (asid_runs(space, context, fresh) ||
			!__test_and_set_bit(asid, space->used)))
		return fresh;

	asid = find_next_zero_bit(space->used, asid_count(space),
				  space->last + 1);
	if (asid >= asid_count(space)) {
		asid_next_generation(space);
		/* There are more identifiers than CPUs. */
		asid = find_first_zero_bit(space->used, asid_count(space));
	}
	__set_bit(asid, space->used);
	space->last = asid;
	return atomic64_read(&space->generation) | asid;
}

/**
 * asid_enter - this CPU is about to enter an address space
 * @space: the identifiers
 * @id: the address space's context, 0 if it was never entered; made valid
 * @empty: set if the CPU must empty its TLB, before it uses the identifier
 *
 * Interrupts off.
 *
 * Return: the context.
 */
u64 asid_enter(struct asid_space *space, atomic64_t *id, bool *empty)
{
	struct asid_cpu *here = this_cpu_ptr(space->cpus);
	u64 context = atomic64_read(id), active = atomic64_read(&here->active);

	*empty = false;
	if (likely(active && asid_valid(space, context) &&
		   atomic64_cmpxchg_relaxed(&here->active, active, context) ==
		   active))
		return context;

	raw_spin_lock(&space->lock);
	context = atomic64_read(id);
	if (!asid_valid(space, context)) {
		context = asid_renew(space, context);
		atomic64_set(id, context);
	}
	*empty = cpumask_test_and_clear_cpu(smp_processor_id(), &space->stale);
	atomic64_set(&here->active, context);
	raw_spin_unlock(&space->lock);
	return context;
}

/**
 * asid_space_init - prepare to give identifiers out
 * @space: the identifiers
 * @bits: their width; there must be more of them than CPUs, and two
 *
 * May sleep.
 *
 * Return: 0; -ENOSPC if there are not enough, -ENOMEM.
 */
int asid_space_init(struct asid_space *space, unsigned int bits)
{
	if (1UL << bits <= num_possible_cpus() + 1)
		return -ENOSPC;
	raw_spin_lock_init(&space->lock);
	space->bits = bits;
	space->last = 0;
	atomic64_set(&space->generation, 1ULL << bits);
	cpumask_clear(&space->stale);
	space->used = bitmap_zalloc(1UL << bits, GFP_KERNEL);
	space->cpus = alloc_percpu(struct asid_cpu);
	if (!space->used || !space->cpus) {
		asid_space_exit(space);
		return -ENOMEM;
	}
	__set_bit(0, space->used);
	return 0;
}

/**
 * asid_space_exit - let go of what asid_space_init() allocated
 * @space: the identifiers; nobody enters any more
 */
void asid_space_exit(struct asid_space *space)
{
	bitmap_free(space->used);
	free_percpu(space->cpus);
	space->used = NULL;
	space->cpus = NULL;
}
