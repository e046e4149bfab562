// SPDX-License-Identifier: GPL-2.0
/*
 * Making a failing sequence short: leave out all that is about some window, of
 * some process or of some kind, then ever smaller parts, then make ranges
 * small, and keep what still fails. Whatever is left out, the rest is a
 * sequence that can be played, so any failure counts.
 */
#include "fuzz.h"

static struct op trial[MAX_OPS];

/* What comes after the failure is not needed. */
static int upto_failure(int ops)
{
	return S->at + 1 < ops ? S->at + 1 : ops;
}

static int leave_out(struct op *op, int ops, int part, unsigned long long deadline,
		     bool (*fails)(struct op *op, int ops))
{
	int at = 0;

	while (at < ops && now_ns() < deadline) {
		int n = at + part > ops ? ops - at : part;

		memcpy(trial, op, at * sizeof(*op));
		memcpy(trial + at, op + at + n, (ops - at - n) * sizeof(*op));
		if (ops > n && fails(trial, ops - n)) {
			ops = upto_failure(ops - n);
			memcpy(op, trial, ops * sizeof(*op));
		} else {
			at += n;
		}
	}
	return ops;
}

static bool of_window(const struct op *op, int w)
{
	return op->w == w && op->kind != OP_FORK && op->kind != OP_EXIT;
}

static bool of_process(const struct op *op, int slot)
{
	return op->slot == slot || (op->kind == OP_FORK && op->target == slot);
}

static bool of_kind(const struct op *op, int kind)
{
	return op->kind == kind;
}

static int leave_out_sort(struct op *op, int ops, bool (*is)(const struct op *op, int which),
			  int sorts, unsigned long long deadline,
			  bool (*fails)(struct op *op, int ops))
{
	for (int which = 0; which < sorts && now_ns() < deadline; which++) {
		int n = 0;

		for (int i = 0; i < ops; i++) {
			if (!is(&op[i], which))
				trial[n++] = op[i];
		}
		if (n && n < ops && fails(trial, n)) {
			ops = upto_failure(n);
			memcpy(op, trial, ops * sizeof(*op));
		}
	}
	printf("# shrinking: %d operations left\n", ops);
	return ops;
}

static int narrow(struct op *op, int ops, unsigned long long deadline,
		  bool (*fails)(struct op *op, int ops))
{
	for (int i = 0; i < ops && now_ns() < deadline; i++) {
		for (int n = 1; n < op[i].n && now_ns() < deadline; n *= 8) {
			memcpy(trial, op, ops * sizeof(*op));
			trial[i].n = n;
			trial[i].step = 1;
			if (fails(trial, ops)) {
				ops = upto_failure(ops);
				memcpy(op, trial, ops * sizeof(*op));
				break;
			}
		}
	}
	return ops;
}

/**
 * shrink() - make a failing sequence as short as time allows
 * @op:		the sequence, changed in place
 * @ops:	its length
 * @deadline:	when to stop trying
 * @fails:	plays a sequence and says whether it failed; S->at is where
 *
 * Return: the new length.
 */
int shrink(struct op *op, int ops, unsigned long long deadline,
	   bool (*fails)(struct op *op, int ops))
{
	int before = ops + 1;

	ops = leave_out_sort(op, ops, of_window, WINDOWS, deadline, fails);
	ops = leave_out_sort(op, ops, of_process, SLOTS, deadline, fails);
	ops = leave_out_sort(op, ops, of_kind, OP_KINDS, deadline, fails);
	for (int part = (ops + 1) / 2; part > 1; part /= 2) {
		ops = leave_out(op, ops, part, deadline, fails);
		printf("# shrinking: %d operations left\n", ops);
	}
	while (ops < before && now_ns() < deadline) {
		before = ops;
		ops = leave_out(op, ops, 1, deadline, fails);
		printf("# shrinking: %d operations left\n", ops);
	}
	return narrow(op, ops, deadline, fails);
}
