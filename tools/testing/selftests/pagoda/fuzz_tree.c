// SPDX-License-Identifier: GPL-2.0
/*
 * A lockstep round: a tree of processes that do one operation at a time.
 *
 * The controller puts an operation into the mailbox of a thread and waits on
 * its futex until it is done. A worker that forks has copied its model before;
 * the child carries on as a worker of another slot, whatever becomes of its
 * parent. The controller sees a process end by its pidfd, which is after its
 * address space has gone.
 */
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>

#include "fuzz.h"

#define PATIENCE	120		/* seconds for one operation */

static int fd_of_file;
static int my_slot;
static int pidfd[SLOTS];

static void futex_wait(unsigned int *word, unsigned int value, int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	syscall(SYS_futex, word, FUTEX_WAIT, value, ms ? &t : NULL, NULL, 0);
}

static void futex_wake(unsigned int *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void worker(int thread);

static void *worker_thread(void *arg)
{
	worker((long)arg);
	return NULL;
}

/* Begin as the process of a slot, on the stack of whoever forked. */
static void begin_process(int slot)
{
	pthread_attr_t small;
	pthread_t t;

	my_slot = slot;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * KIB);
	for (long i = 1; i < THREADS; i++) {
		if (pthread_create(&t, &small, worker_thread, (void *)i))
			fail(NULL, -1, "process %d could not make its threads", slot);
	}
	__atomic_store_n(&S->pid[slot], getpid(), __ATOMIC_RELEASE);
	worker(0);
}

static void do_fork(struct ctx *c, const struct op *op)
{
	pid_t pid;

	copy_model(&S->model[op->target], c->m);
	pid = fork();
	if (!pid)
		begin_process(op->target);
	if (pid < 0)
		fail(c, -1, "fork: %s", strerror(errno));
}

static void do_exit(struct ctx *c, const struct op *op)
{
	if (op->how == EXIT_CHECK)
		check_windows(c, -1U);
	if (op->how == EXIT_EXEC)
		execl("/proc/self/exe", "fuzz", "--nothing", NULL);
	_exit(0);
}

static void worker(int thread)
{
	struct mailbox *box = &S->box[my_slot][thread];
	struct ctx c = { &S->model[my_slot], S->file, fd_of_file, my_slot };
	unsigned int seq = 0;

	for (;;) {
		while (__atomic_load_n(&box->seq, __ATOMIC_ACQUIRE) == seq)
			futex_wait(&box->seq, seq, 0);
		seq++;
		c.op = &box->op;
		if (box->op.kind == OP_FORK)
			do_fork(&c, &box->op);
		else if (box->op.kind == OP_EXIT)
			do_exit(&c, &box->op);
		else
			do_call(&c, &box->op);
		__atomic_store_n(&box->done, seq, __ATOMIC_RELEASE);
		futex_wake(&box->done);
	}
}

/* Has the process of a slot ended, at the latest in @ms milliseconds? */
static bool ended(int slot, int ms)
{
	struct pollfd p = { pidfd[slot], POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void buried(int slot)
{
	close(pidfd[slot]);
	S->alive[slot] = false;
}

/* Wait for a new process to have come up. */
static void welcome(int slot)
{
	unsigned long long end = now_ns() + PATIENCE * 1000000000ULL;
	pid_t pid = 0;

	while (!pid && !S->failed && now_ns() < end) {
		pid = __atomic_load_n(&S->pid[slot], __ATOMIC_ACQUIRE);
		if (!pid)
			usleep(100);
	}
	pidfd[slot] = pid ? syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pidfd[slot] < 0)
		fail(NULL, -1, "process %d did not begin", slot);
	else
		S->alive[slot] = true;
}

static void post(const struct op *op)
{
	struct mailbox *box = &S->box[op->slot][op->thread];
	unsigned int seq = box->seq + 1;

	box->op = *op;
	__atomic_store_n(&box->seq, seq, __ATOMIC_RELEASE);
	futex_wake(&box->seq);
	if (op->kind == OP_EXIT)
		return;
	for (int tenths = 0; !S->failed; tenths++) {
		unsigned int done = __atomic_load_n(&box->done, __ATOMIC_ACQUIRE);

		if (done == seq)
			return;
		futex_wait(&box->done, done, 100);
		if (ended(op->slot, 0))
			fail(NULL, -1, "process %d died", op->slot);
		else if (tenths > PATIENCE * 10)
			fail(NULL, -1, "process %d hangs", op->slot);
	}
}

/* Let one process end; the other operations need only be posted. */
static void let_exit(const struct op *op)
{
	int slot = op->slot;

	if (op->how == EXIT_KILL)
		kill(S->pid[slot], SIGKILL);
	else
		post(op);
	if (ended(slot, PATIENCE * 1000))
		buried(slot);
	else
		fail(NULL, -1, "process %d does not end", slot);
}

static void step(const struct op *op)
{
	if (!S->alive[op->slot])
		return;
	if (op->kind == OP_EXIT) {
		let_exit(op);
		return;
	}
	if (op->kind == OP_FORK) {
		if (S->alive[op->target])
			return;
		S->pid[op->target] = 0;
		memset(S->box[op->target], 0, sizeof(S->box[op->target]));
	}
	post(op);
	if (op->kind == OP_FORK && !S->failed)
		welcome(op->target);
	if (op->kind == OP_CHECK && !S->failed)
		account(op->slot);
}

/* At the end: everything, in every process, then each of them ends. */
static void finish(void)
{
	for (int s = 0; s < SLOTS && !S->failed; s++) {
		struct op check = { .kind = OP_CHECK, .slot = s };

		if (only_slot < 0 || only_slot == s)
			step(&check);
	}
	if (!S->failed && only_slot < 0)
		account_frames();
	for (int s = 0; s < SLOTS && !S->failed; s++) {
		struct op end = { .kind = OP_EXIT, .slot = s };

		if (S->alive[s])
			step(&end);
	}
}

/**
 * play_lockstep() - play a sequence in a fresh tree of processes
 * @op:		the operations
 * @ops:	how many
 *
 * The outcome is in @S. The caller ends all processes of the group.
 */
void play_lockstep(const struct op *op, int ops)
{
	char line[200];
	pid_t pid;

	fd_of_file = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd_of_file < 0 || ftruncate(fd_of_file, FILE_PAGES * PG))
		fail(NULL, -1, "no file: %s", strerror(errno));
	pid = fork();
	if (!pid)
		begin_process(0);
	welcome(0);
	for (S->at = 0; S->at < ops && !S->failed; S->at++) {
		if (now_ns() > S->deadline)
			break;
		if (print_ops)
			print_op(&op[S->at]);
		step(&op[S->at]);
		S->ops++;
		if (kernel_complained(line, sizeof(line)))
			fail(NULL, -1, "the kernel says: %s", line);
		if (S->failed)
			return;
	}
	finish();
}
