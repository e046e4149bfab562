// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces for KUnit: make, enter, fork, drop.
 *
 * Guarantees: a case that uses umm_init() and umm_exit() starts in an empty
 * user address space, and every address space it made is gone at its end with
 * all counters at zero, or the case fails. This holds for cases that an
 * assertion cut short as well: the thread's exit puts the address space it was
 * in, umm_exit() the others.
 *
 * Locks: none. A case's list is used by the thread that runs the case, then by
 * the one that cleans up, never by both.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/percpu_counter.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "umm.h"

struct umm_case {
	struct list_head spaces;	/* the one made by umm_init() first */
};

static void umm_put(struct umm *u)
{
	if (refcount_dec_and_test(&u->refs))
		kfree(u);
}

static struct umm *umm_add(struct kunit *test)
{
	struct umm_case *c = test->priv;
	struct umm *u = kzalloc(sizeof(*u), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, u);
	u->test = test;
	refcount_set(&u->refs, 1);
	init_completion(&u->ready);
	init_completion(&u->leave);
	list_add_tail(&u->node, &c->spaces);
	return u;
}

/**
 * umm_new() - make a fresh address space; the caller does not enter it
 * @test: the case
 *
 * Its layout is the native one of the architecture without randomisation, and
 * its heap is empty and starts one megabyte below UMM_BASE's double.
 *
 * Return: the address space; fails the case when there is no memory.
 */
struct umm *umm_new(struct kunit *test)
{
	struct umm *u = umm_add(test);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	mmgrab(mm);
	mm->task_size = TASK_SIZE;
	arch_pick_mmap_layout(mm, &current->signal->rlim[RLIMIT_STACK]);
	mm->start_brk = 2 * UMM_BASE - SZ_1M;
	mm->brk = mm->start_brk;
	u->mm = mm;
	return u;
}

/**
 * umm_enter() - make an address space the current one
 * @u: the address space; must not have been dropped
 *
 * Leaves the one that the thread was in. Only for kernel threads, which
 * KUnit's cases are.
 */
void umm_enter(struct umm *u)
{
	if (current->mm == u->mm)
		return;
	umm_leave();
	/* Pages that wait in another CPU's LRU batch would not be reused. */
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	mmget(u->mm);
	kthread_use_mm(u->mm);
}

/**
 * umm_leave() - leave the current address space, if any
 */
void umm_leave(void)
{
	struct mm_struct *mm = current->mm;

	if (!mm)
		return;
	kthread_unuse_mm(mm);
	mmput(mm);
}

/**
 * umm_self() - the address space that the case started in
 * @test: the case
 *
 * Return: the address space.
 */
struct umm *umm_self(struct kunit *test)
{
	struct umm_case *c = test->priv;

	return list_first_entry(&c->spaces, struct umm, node);
}

static int umm_child(void *arg)
{
	struct umm *u = arg;

	mmget(current->mm);
	mmgrab(current->mm);
	u->mm = current->mm;
	complete(&u->ready);
	if (u->parked)
		wait_for_completion(&u->leave);
	umm_put(u);
	do_exit(0);
}

static struct umm *umm_clone(struct kunit *test, bool parked)
{
	struct umm *u = umm_add(test);
	struct kernel_clone_args args = {
		.flags = CLONE_FS | CLONE_FILES | CLONE_UNTRACED,
		.exit_signal = SIGCHLD,
		.fn = umm_child,
		.fn_arg = u,
	};
	pid_t pid;

	u->parked = parked;
	refcount_inc(&u->refs);
	/* Kernel threads ignore SIGCHLD, which would reap the child unseen. */
	kernel_sigaction(SIGCHLD, SIG_DFL);
	pid = kernel_clone(&args);
	if (pid < 0) {
		list_del(&u->node);
		umm_put(u);
		umm_put(u);
		return ERR_PTR(pid);
	}
	u->pid = pid;
	wait_for_completion(&u->ready);
	rcu_read_lock();
	u->task = find_task_by_pid_ns(pid, &init_pid_ns);
	if (u->task)
		get_task_struct(u->task);
	rcu_read_unlock();
	if (!parked)
		umm_reap(u);
	return u;
}

/**
 * umm_fork() - fork the current address space, as fork(2) does
 * @test: the case
 *
 * A child process is made by the kernel's real path and exits at once; its
 * address space stays, for the case to enter.
 *
 * Return: the child's address space, or an ERR_PTR() from the fork.
 */
struct umm *umm_fork(struct kunit *test)
{
	return umm_clone(test, false);
}

/**
 * umm_fork_task() - as umm_fork(), but the child process lives on
 * @test: the case
 *
 * It sleeps until umm_reap(). For calls that name a process.
 *
 * Return: the child's address space, or an ERR_PTR() from the fork.
 */
struct umm *umm_fork_task(struct kunit *test)
{
	return umm_clone(test, true);
}

/**
 * umm_reap() - let the child process behind a forked address space exit
 * @u: the address space, which stays
 *
 * To be called by the thread that forked it. Does nothing the second time.
 */
void umm_reap(struct umm *u)
{
	int status = 0;

	if (!u->pid)
		return;
	complete(&u->leave);
	KUNIT_EXPECT_EQ(u->test, kernel_wait(u->pid, &status), u->pid);
	KUNIT_EXPECT_EQ(u->test, status, 0);
	u->pid = 0;
}

/**
 * umm_rss() - an exact resident-page counter
 * @mm: the address space; a dead one may be asked too
 * @member: MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES or MM_SWAPENTS
 *
 * Return: pages. The kernel's own get_mm_counter() may lag behind.
 */
long umm_rss(struct mm_struct *mm, int member)
{
	return percpu_counter_sum(&mm->rss_stat[member]);
}

/**
 * umm_rss_all() - the sum of the counters of resident pages
 * @mm: the address space
 *
 * Return: pages.
 */
long umm_rss_all(struct mm_struct *mm)
{
	return umm_rss(mm, MM_ANONPAGES) + umm_rss(mm, MM_FILEPAGES) +
	       umm_rss(mm, MM_SHMEMPAGES);
}

/**
 * umm_table_bytes() - what the page tables of an address space take
 * @mm: the address space
 *
 * With PAE the root has tables for all its entries from the beginning, which
 * are not counted here.
 *
 * Return: bytes.
 */
unsigned long umm_table_bytes(struct mm_struct *mm)
{
	unsigned long bytes = mm_pgtables_bytes(mm);
#ifdef CONFIG_X86_PAE
	int i;

	for (i = 0; i < KERNEL_PGD_BOUNDARY; i++)
		bytes -= pgd_val(mm->pgd[i]) ? PAGE_SIZE : 0;
#endif
	return bytes;
}

static void umm_check_dead(struct umm *u)
{
	struct mm_struct *mm = u->mm;
	struct kunit *test = u->test;
	int i;

	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&mm->mm_users), 0,
			    "somebody still uses the address space");
	for (i = 0; i < NR_MM_COUNTERS; i++)
		KUNIT_EXPECT_EQ_MSG(test, umm_rss(mm, i), 0L,
				    "resident counter %d after exit", i);
	KUNIT_EXPECT_EQ_MSG(test, umm_table_bytes(mm), 0UL,
			    "page-table bytes after exit");
}

/**
 * umm_drop() - take down an address space and check its counters
 * @u: the address space; left first if the caller is in it
 *
 * Whatever exit_mmap() does has been done on return.
 */
void umm_drop(struct umm *u)
{
	if (current->mm == u->mm)
		umm_leave();
	umm_reap(u);
	u->dropped = true;
	mmput(u->mm);
	umm_check_dead(u);
}

/**
 * umm_init() - a suite's .init: start the case in a fresh address space
 * @test: the case; its ->priv is taken
 *
 * Return: 0, or -ENOMEM.
 */
int umm_init(struct kunit *test)
{
	struct umm_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	INIT_LIST_HEAD(&c->spaces);
	test->priv = c;
	umm_enter(umm_new(test));
	return 0;
}

/*
 * The thread of the case may be putting its last reference just now: wait for
 * the area tree to go, which an exit does last.
 */
static void umm_settle(struct mm_struct *mm)
{
	int tries;

	for (tries = 0; tries < 250; tries++) {
		if (!atomic_read(&mm->mm_users) && mtree_empty(&mm->mm_mt))
			break;
		msleep(20);
	}
}

/**
 * umm_exit() - a suite's .exit: take down and check what the case left
 * @test: the case
 */
void umm_exit(struct kunit *test)
{
	struct umm_case *c = test->priv;
	struct umm *u, *next;

	if (!c)
		return;
	list_for_each_entry_safe(u, next, &c->spaces, node) {
		if (u->pid)
			complete(&u->leave);
		if (u->mm && !u->dropped) {
			mmput(u->mm);
			umm_settle(u->mm);
			umm_check_dead(u);
		}
		if (u->mm)
			mmdrop(u->mm);
		if (u->task)
			put_task_struct(u->task);
		list_del(&u->node);
		umm_put(u);
	}
}
