// SPDX-License-Identifier: GPL-2.0
/*
 * Address-space identifiers: a space of few of them, so that generations pass
 * quickly, entered on all processors by turns. A model of their TLBs, which
 * forget nothing but what they are told to, must never have translations of
 * two address spaces under one identifier.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/pagoda_asid.h>
#include <linux/prandom.h>
#include <linux/smp.h>

#define MMS		24
#define MOST_IDS	64

/* One processor, as the model has it. */
struct asid_model_cpu {
	int tlb[MOST_IDS];	/* by identifier: whose translations, -1: none */
	int mm;			/* in which it is, -1: none yet */
	u64 loaded;		/* and under which identifier */
	int emptied;
};

struct asid_model {
	struct asid_space space;
	atomic64_t id[MMS];
	struct asid_model_cpu cpu[NR_CPUS];
};

/* An entry of an address space, on the processor that it is made on. */
struct asid_entry {
	struct asid_model *model;
	int mm;
	u64 context;
	bool empty;
};

static void asid_enter_here(void *arg)
{
	struct asid_entry *e = arg;
	unsigned long flags;

	local_irq_save(flags);
	e->context = asid_enter(&e->model->space, &e->model->id[e->mm],
				&e->empty);
	local_irq_restore(flags);
}

/* Enter address space @mm on @cpu, and bring the model up to date. */
static struct asid_entry asid_go(struct kunit *test, struct asid_model *m,
				 int cpu, int mm)
{
	struct asid_model_cpu *c = &m->cpu[cpu];
	struct asid_entry e = { .model = m, .mm = mm };
	int i;

	KUNIT_ASSERT_EQ(test, smp_call_function_single(cpu, asid_enter_here,
						       &e, 1), 0);
	if (e.empty) {
		c->emptied++;
		for (i = 0; i < MOST_IDS; i++)
			c->tlb[i] = -1;
	}
	c->mm = mm;
	c->loaded = asid_of(&m->space, e.context);
	return e;
}

static struct asid_model *asid_model(struct kunit *test, unsigned int bits)
{
	struct asid_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	int cpu, i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_LE(test, 1 << bits, MOST_IDS);
	KUNIT_ASSERT_EQ(test, asid_space_init(&m->space, bits), 0);
	for_each_possible_cpu(cpu) {
		m->cpu[cpu].mm = -1;
		for (i = 0; i < MOST_IDS; i++)
			m->cpu[cpu].tlb[i] = -1;
	}
	return m;
}

/* The narrowest identifiers of which there are more than processors. */
static unsigned int asid_fewest(void)
{
	return order_base_2(num_possible_cpus() + 2);
}

static void asid_too_few(struct kunit *test)
{
	struct asid_space space;

	KUNIT_EXPECT_EQ(test, asid_space_init(&space, asid_fewest() - 1),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, asid_space_init(&space, asid_fewest()), 0);
	asid_space_exit(&space);
}

static void asid_stays_valid(struct kunit *test)
{
	struct asid_model *m = asid_model(test, 6);
	int i, cpu = cpumask_first(cpu_online_mask);
	u64 first[8];

	for (i = 0; i < 8; i++) {
		struct asid_entry e = asid_go(test, m, cpu, i);
		int k;

		first[i] = e.context;
		KUNIT_EXPECT_FALSE(test, e.empty);
		KUNIT_EXPECT_NE(test, asid_of(&m->space, e.context), 0ULL);
		KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&m->id[i]), e.context);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_NE(test, first[k], first[i]);
	}
	for_each_online_cpu(cpu)
		for (i = 0; i < 8; i++) {
			struct asid_entry e = asid_go(test, m, cpu, i);

			KUNIT_EXPECT_EQ(test, e.context, first[i]);
			KUNIT_EXPECT_FALSE(test, e.empty);
		}
	asid_space_exit(&m->space);
}

/* Who runs when identifiers run out keeps its own, and nobody else gets it. */
static void asid_rollover_keeps_running(struct kunit *test)
{
	struct asid_model *m = asid_model(test, asid_fewest());
	int here = cpumask_first(cpu_online_mask);
	int there = cpumask_next(here, cpu_online_mask), i, round;
	u64 generation = atomic64_read(&m->space.generation), kept;
	struct asid_entry e;

	if (there >= nr_cpu_ids) {
		asid_space_exit(&m->space);
		kunit_skip(test, "takes two processors");
	}
	kept = asid_go(test, m, there, 0).context;
	/* Two generations go by while the other processor runs on. */
	for (round = 1; round <= 2; round++) {
		u64 now = generation;

		for (i = 1; now == generation; i = i % (MMS - 1) + 1) {
			e = asid_go(test, m, here, i);
			now = atomic64_read(&m->space.generation);
			KUNIT_EXPECT_NE(test, asid_of(&m->space, e.context),
					asid_of(&m->space, kept));
			KUNIT_EXPECT_EQ(test, e.empty, now != generation);
		}
		KUNIT_EXPECT_EQ(test, now - generation, 1ULL << m->space.bits);
		generation = now;
	}
	e = asid_go(test, m, there, 0);
	KUNIT_EXPECT_TRUE(test, e.empty);
	KUNIT_EXPECT_EQ(test, asid_of(&m->space, e.context),
			asid_of(&m->space, kept));
	KUNIT_EXPECT_EQ(test, e.context - asid_of(&m->space, kept), generation);
	KUNIT_EXPECT_FALSE(test, asid_go(test, m, there, 0).empty);
	asid_space_exit(&m->space);
}

/* What holds of the model after every step. */
static void asid_model_check(struct kunit *test, struct asid_model *m)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct asid_model_cpu *c = &m->cpu[cpu];

		if (c->mm < 0)
			continue;
		KUNIT_ASSERT_NE(test, c->loaded, 0ULL);
		/* A flush by the identifier of now reaches who runs it. */
		KUNIT_ASSERT_EQ(test, c->loaded,
				asid_of(&m->space,
					atomic64_read(&m->id[c->mm])));
		/* It may cache at any time; nobody else's may be there. */
		KUNIT_ASSERT_TRUE(test, c->tlb[c->loaded] == -1 ||
				  c->tlb[c->loaded] == c->mm);
		c->tlb[c->loaded] = c->mm;
	}
}

static void asid_never_mixes(struct kunit *test)
{
	struct asid_model *m = asid_model(test, asid_fewest());
	u64 before = atomic64_read(&m->space.generation);
	struct rnd_state rnd;
	int cpu, step;

	prandom_seed_state(&rnd, 4711);
	for (step = 0; step < 6000; step++) {
		/* Some address spaces are busy, some processors sleep long. */
		int mm = prandom_u32_state(&rnd) % MMS;

		cpu = cpumask_nth(prandom_u32_state(&rnd) % num_online_cpus(),
				  cpu_online_mask);
		if (step / 500 % 2 && cpu != cpumask_first(cpu_online_mask))
			continue;
		if (prandom_u32_state(&rnd) % 2)
			mm %= 3;
		asid_go(test, m, cpu, mm);
		asid_model_check(test, m);
	}
	KUNIT_EXPECT_GT(test, (u64)atomic64_read(&m->space.generation),
			before + (100ULL << m->space.bits));
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_GT(test, m->cpu[cpu].emptied, 50);
	asid_space_exit(&m->space);
}

/* All processors at once, for as long as it takes to get at each other. */
static void asid_storm(void *arg)
{
	struct asid_model *m = arg;
	int cpu = smp_processor_id(), i;
	struct rnd_state rnd;
	bool empty;

	prandom_seed_state(&rnd, cpu + 1);
	for (i = 0; i < 20000; i++) {
		int mm = prandom_u32_state(&rnd) % MMS;
		u64 context = asid_enter(&m->space, &m->id[mm], &empty);

		m->cpu[cpu].emptied += empty;
		m->cpu[cpu].mm = mm;
		m->cpu[cpu].loaded = asid_of(&m->space, context);
	}
}

static void asid_all_at_once(struct kunit *test)
{
	struct asid_model *m = asid_model(test, asid_fewest() + 1);
	int cpu, other;

	on_each_cpu(asid_storm, m, 1);
	for_each_online_cpu(cpu) {
		struct asid_model_cpu *c = &m->cpu[cpu];

		KUNIT_EXPECT_GT(test, c->emptied, 0);
		KUNIT_EXPECT_EQ(test, c->loaded,
				asid_of(&m->space,
					atomic64_read(&m->id[c->mm])));
		for_each_online_cpu(other)
			KUNIT_EXPECT_EQ(test, c->mm == m->cpu[other].mm,
					c->loaded == m->cpu[other].loaded);
	}
	asid_space_exit(&m->space);
}

static struct kunit_case asid_tests[] = {
	KUNIT_CASE(asid_too_few),
	KUNIT_CASE(asid_stays_valid),
	KUNIT_CASE(asid_rollover_keeps_running),
	KUNIT_CASE(asid_never_mixes),
	KUNIT_CASE(asid_all_at_once),
	{ }
};

static struct kunit_suite asid_suite = {
	.name = "pagoda_asid",
	.test_cases = asid_tests,
};

kunit_test_suite(asid_suite);

MODULE_DESCRIPTION("KUnit suite: address-space identifiers");
MODULE_LICENSE("GPL");
