// SPDX-License-Identifier: GPL-2.0
/*
 * What a CPU must forget between two processes that do not trust each other:
 * trained branch predictors (IBPB) and the contents of the L1 data cache.
 *
 * Guarantees: when the mitigation is on (its static key is set by the boot
 * code, its per-task flags by prctl()), no task runs with predictors trained
 * by another mm, or after a task that asked for an L1D flush, without the
 * flush in between. Threads without an mm change nothing.
 *
 * The mm that ran last and its flags live in one word per CPU. The mm is only
 * compared, never followed, so it needs no reference.
 */
#include <linux/build_bug.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/thread_info.h>
#include <asm/tlbflush.h>
#include "mmu.h"

#define RAN_IBPB	1UL	/* the task restricts indirect branches */
#define RAN_L1D		2UL	/* the task wants L1D flushed after it */
#define RAN_FLAGS	(RAN_IBPB | RAN_L1D)

static_assert(TIF_SPEC_L1D_FLUSH - TIF_SPEC_IB == 1);

static void l1d_misplaced(struct callback_head *work)
{
	force_sig(SIGBUS);
}

/*
 * A task that wants its L1D traces flushed shares the cache with whatever
 * runs on a sibling thread: there the promise cannot be kept, so break it
 * loudly.
 */
static void l1d_check_sibling(struct task_struct *tsk)
{
	if (!this_cpu_read(cpu_info.smt_active))
		return;
	clear_ti_thread_flag(&tsk->thread_info, TIF_SPEC_L1D_FLUSH);
	tsk->l1d_flush_kill.func = l1d_misplaced;
	task_work_add(tsk, &tsk->l1d_flush_kill, TWA_RESUME);
}

/**
 * scrub_for_task - apply the mitigations before a user task runs here
 * @tlb: this CPU's state
 * @tsk: the task, which has an mm
 *
 * Interrupts off; called before the task's mm is loaded.
 */
void scrub_for_task(struct tlb_state *tlb, struct task_struct *tsk)
{
	unsigned long flags = read_task_thread_flags(tsk) >> TIF_SPEC_IB;
	unsigned long was = tlb->last_user_mm_spec;
	unsigned long now = (unsigned long)tsk->mm | (flags & RAN_FLAGS);
	bool ibpb = false;

	/* One barrier per change of process, if either side asked for it. */
	if (static_branch_likely(&switch_mm_cond_ibpb))
		ibpb = was != now && ((was | now) & RAN_IBPB);
	if (static_branch_unlikely(&switch_mm_always_ibpb))
		ibpb |= (was ^ now) & ~RAN_FLAGS;
	if (ibpb)
		indirect_branch_prediction_barrier();

	if (static_branch_unlikely(&switch_mm_cond_l1d_flush)) {
		if (was & RAN_L1D)
			wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		if (now & RAN_L1D)
			l1d_check_sibling(tsk);
	}

	tlb->last_user_mm_spec = now;
}

/**
 * scrub_reset - a CPU starts: treat what ran before as hostile
 * @tlb: this CPU's state
 */
void scrub_reset(struct tlb_state *tlb)
{
	tlb->last_user_mm_spec = RAN_IBPB;
}
