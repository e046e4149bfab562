// SPDX-License-Identifier: GPL-2.0
/*
 * TLB gather and flush, by behaviour: once a call that takes memory or rights
 * away has returned, no processor still has them, and a page is not used for
 * something else while one has.
 *
 * A peer thread on another processor is in the same address space and does one
 * access at a time when asked. It waits either spinning, so that its processor
 * stays in the address space, or asleep, so that it is there lazily.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mm_inline.h>
#include <linux/pgtable.h>

#include <asm/tlb.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

enum peer_act { PEER_READ, PEER_WRITE, PEER_UNMAP, PEER_SWEEP, PEER_QUIT };

struct peer {
	struct mm_struct *mm;
	bool spin;
	struct completion asked, answered;
	int request;			/* set when spinning */
	enum peer_act act;
	unsigned long addr, value;
	long result;
};

static void peer_sweep(struct peer *p)
{
	unsigned long value;

	/* Read until told to stop; only the right value or a fault will do. */
	while (!READ_ONCE(p->value)) {
		if (!get_user(value, (unsigned long __user *)p->addr) &&
		    value && value != -1UL)
			p->result = value;
		cond_resched();
	}
}

static void peer_serve(struct peer *p)
{
	unsigned long __user *user = (unsigned long __user *)p->addr;

	switch (p->act) {
	case PEER_READ:
		p->result = get_user(p->value, user);
		break;
	case PEER_WRITE:
		p->result = put_user(p->value, user);
		break;
	case PEER_UNMAP:
		p->result = vm_munmap(p->addr, PAGE_SIZE);
		break;
	case PEER_SWEEP:
		p->result = 0;
		peer_sweep(p);
		break;
	case PEER_QUIT:
		break;
	}
}

static int peer_thread(void *arg)
{
	struct peer *p = arg;
	enum peer_act act;

	kthread_use_mm(p->mm);
	do {
		if (p->spin) {
			/* pairs with the release in peer_ask() */
			while (!smp_load_acquire(&p->request))
				cond_resched();
			p->request = 0;
		} else {
			wait_for_completion(&p->asked);
		}
		act = p->act;
		peer_serve(p);
		if (act == PEER_QUIT) {
			kthread_unuse_mm(p->mm);
			mmput(p->mm);
		}
		complete(&p->answered);
	} while (act != PEER_QUIT);
	return 0;
}

static void peer_ask(struct peer *p, enum peer_act act, unsigned long addr)
{
	p->act = act;
	p->addr = addr;
	if (p->spin) {
		/* the act and its address are set: see peer_thread() */
		smp_store_release(&p->request, 1);
	} else {
		complete(&p->asked);
	}
}

static long peer_do(struct peer *p, enum peer_act act, unsigned long addr,
		    unsigned long value)
{
	p->value = value;
	peer_ask(p, act, addr);
	wait_for_completion(&p->answered);
	return p->result;
}

static void peer_quit(void *arg)
{
	peer_do(arg, PEER_QUIT, 0, 0);
}

static struct peer *peer_start(struct kunit *test, bool spin)
{
	struct peer *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	struct task_struct *task;
	unsigned int cpu, here;

	KUNIT_ASSERT_NOT_NULL(test, p);
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");
	migrate_disable();
	here = smp_processor_id();
	cpu = cpumask_any_but(cpu_online_mask, here);
	p->mm = current->mm;
	mmget(p->mm);
	p->spin = spin;
	init_completion(&p->asked);
	init_completion(&p->answered);
	task = kthread_create_on_cpu(peer_thread, p, cpu, "umm-peer/%u");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wake_up_process(task);
	return p;
}

static void peer_stop(struct peer *p)
{
	peer_quit(p);
	migrate_enable();
}

static void gather_peer_sees_changes(struct kunit *test, bool spin)
{
	struct peer *p = peer_start(test, spin);
	struct umm *child;

	umm_paint(test, NULL, "|WWWWWWWW|");
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(0), 0), 0L);
	KUNIT_EXPECT_EQ(test, p->value, 1UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(0), 0), (long)-EFAULT);

	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_WRITE, AT(1), 20), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(1), PAGE_SIZE,
				      PROT_READ), 0L);
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_WRITE, AT(1), 21),
			(long)-EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 20UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(1), PAGE_SIZE,
				      PROT_NONE), 0L);
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(1), 0), (long)-EFAULT);

	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(2), 0), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(2), PAGE_SIZE,
				      MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(2), 0), 0L);
	KUNIT_EXPECT_EQ(test, p->value, 0UL);

	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_WRITE, AT(3), 40), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, AT(3), PAGE_SIZE, PAGE_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, AT(20)),
			(long)AT(20));
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(3), 0), (long)-EFAULT);
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(20), 0), 0L);
	KUNIT_EXPECT_EQ(test, p->value, 40UL);

	/* After fork the peer must not write to what the child has too. */
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_WRITE, AT(4), 50), 0L);
	child = umm_fork(test);
	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(child));
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_WRITE, AT(4), 51), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 51UL);
	/* A copy made here is what the peer reads from now on. */
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(5), 0), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(5), 61), 0);
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_READ, AT(5), 0), 0L);
	KUNIT_EXPECT_EQ(test, p->value, 61UL);
	peer_stop(p);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 50UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(5)), 6UL);
}

static void gather_running_peer(struct kunit *test)
{
	gather_peer_sees_changes(test, true);
}

static void gather_lazy_peer(struct kunit *test)
{
	gather_peer_sees_changes(test, false);
}

/* A change made while this processor was elsewhere is seen on return. */
static void gather_change_while_away(struct kunit *test)
{
	struct peer *p = peer_start(test, true);
	struct umm *self = umm_self(test), *other = umm_new(test);

	umm_paint(test, NULL, "|WW|");
	umm_enter(other);
	umm_map_at(test, AT(0), 1, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 100), 0);
	KUNIT_EXPECT_EQ(test, peer_do(p, PEER_UNMAP, AT(0), 0), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 100UL);
	umm_enter(self);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
	peer_stop(p);
}

/*
 * The peer reads a word all the time while it is unmapped and the freed page
 * is filled with something else, again and again: it may see 0 (fresh), -1
 * (ours) or a fault, and never what the page is used for next.
 */
static void gather_no_early_reuse(struct kunit *test)
{
	struct peer *p = peer_start(test, true);
	int i;

	umm_map_at(test, AT(0), 1, UMM_RW);
	p->value = 0;
	peer_ask(p, PEER_SWEEP, AT(0));
	for (i = 0; i < 300; i++) {
		struct page *page;

		umm_poke(AT(0), -1UL);
		vm_munmap(AT(0), PAGE_SIZE);
		page = alloc_page(GFP_HIGHUSER);
		if (page) {
			memset_page(page, 0, 0x5a, PAGE_SIZE);
			__free_page(page);
		}
		umm_map_at(test, AT(0), 1, UMM_RW);
	}
	WRITE_ONCE(p->value, 1);
	wait_for_completion(&p->answered);
	KUNIT_EXPECT_EQ(test, p->result, 0L);
	peer_stop(p);
}

/* More address spaces than there are hardware identifiers for. */
static void gather_many_spaces(struct kunit *test)
{
	struct umm *u[12];
	int i, round;

	for (i = 0; i < ARRAY_SIZE(u); i++) {
		u[i] = umm_new(test);
		umm_enter(u[i]);
		umm_map_at(test, AT(0), 2, UMM_RW);
		KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 100 + i), 0);
	}
	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_SIZE(u); i++) {
			int k = (i * (1 + round % 5)) % ARRAY_SIZE(u);

			umm_enter(u[k]);
			KUNIT_ASSERT_EQ(test, umm_peek(test, AT(0)), 100 + k);
		}
	}
	/* A new one may get the identifier of one that is gone. */
	for (i = 0; i < ARRAY_SIZE(u); i++) {
		umm_drop(u[i]);
		umm_enter(umm_new(test));
		KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
	}
}

static void gather_marks_flush_pending(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct mmu_gather *outer = kunit_kzalloc(test, 2 * sizeof(*outer),
						 GFP_KERNEL);
	struct mmu_gather *inner = outer + 1;

	KUNIT_ASSERT_NOT_NULL(test, outer);
	KUNIT_EXPECT_FALSE(test, mm_tlb_flush_pending(mm));
	mmap_read_lock(mm);
	tlb_gather_mmu(outer, mm);
	KUNIT_EXPECT_TRUE(test, mm_tlb_flush_pending(mm));
	KUNIT_EXPECT_FALSE(test, mm_tlb_flush_nested(mm));
	tlb_gather_mmu(inner, mm);
	KUNIT_EXPECT_TRUE(test, mm_tlb_flush_nested(mm));
	tlb_finish_mmu(inner);
	KUNIT_EXPECT_TRUE(test, mm_tlb_flush_pending(mm));
	KUNIT_EXPECT_FALSE(test, mm_tlb_flush_nested(mm));
	tlb_finish_mmu(outer);
	mmap_read_unlock(mm);
	KUNIT_EXPECT_FALSE(test, mm_tlb_flush_pending(mm));
}

/* More pages in one call than one batch holds. */
static void gather_large_batch(struct kunit *test)
{
	const unsigned long pages = 12000;
	unsigned long at = umm_map(test, pages, UMM_RW), i;

	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(at + i * PAGE_SIZE, i), 0);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), (long)pages);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, pages * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 0L);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(current->mm), 0UL);
	KUNIT_EXPECT_EQ(test, umm_touch(at), -EFAULT);
}

static struct kunit_case gather_tests[] = {
	KUNIT_CASE(gather_running_peer),
	KUNIT_CASE(gather_lazy_peer),
	KUNIT_CASE(gather_change_while_away),
	KUNIT_CASE(gather_no_early_reuse),
	KUNIT_CASE(gather_many_spaces),
	KUNIT_CASE(gather_marks_flush_pending),
	KUNIT_CASE(gather_large_batch),
	{ }
};

static struct kunit_suite gather_suite = {
	.name = "pagoda_gather",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = gather_tests,
};

kunit_test_suite(gather_suite);
