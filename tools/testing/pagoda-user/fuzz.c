// SPDX-License-Identifier: GPL-2.0
/*
 * From bytes to operations: what libFuzzer calls, and what replays an input or
 * makes one from a seed.
 *
 * The first byte says how many levels tables have and how few pages make one
 * worth sharing; each six that follow are an operation.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include "../mm/pagoda/tree.h"
#include "fuzz.h"

#define FUZZ_FRAMES	4096
#define FUZZ_LONGEST	400		/* operations in an input */
#define FUZZ_MOVE	4		/* the number of that call */
#define FUZZ_LOOK	4		/* positions compared after each */

static unsigned int fuzz_next;		/* the position to be compared next */

/* The next number of a generator (xorshift). */
static u64 fuzz_random(u64 state)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^ state << 17;
}

/* Said at the end of a run. */
void fuzz_total(void)
{
	host_print("# %lu operations, %lu ended for want of memory\n",
		   fuzz_count, fuzz_failed);
}

/* How many processes live. */
unsigned int fuzz_alive(void)
{
	unsigned int i, alive = 0;

	for (i = 0; i < FUZZ_PROCS; i++)
		alive += !!fuzz_procs[i].mm;
	return alive;
}

/* One of those. */
struct fuzz_proc *fuzz_living(unsigned int n)
{
	unsigned int i;

	n %= fuzz_alive();
	for (i = 0;; i++)
		if (fuzz_procs[i].mm && !n--)
			return &fuzz_procs[i];
}

/* How often each is drawn, of 64. */
static const u8 fuzz_weights[] = {
	/* calls */ 3, 1, 2, 3, 4, 2, 1, 1, 4, 3, 1,
	/* fill, write, read, fetch, pin, device, audit */
	4, 16, 12, 1, 3, 2, 1,
};

/* The code that draws the operation of a number; 255 behind the last. */
static u8 fuzz_code(unsigned int nr)
{
	unsigned int k, code = 0;

	if (nr >= ARRAY_SIZE(fuzz_weights))
		return 255;
	for (k = 0; k < nr; k++)
		code += fuzz_weights[k];
	return code;
}

static const char *fuzz_name(unsigned int nr)
{
	static const char * const others[] = {
		"fill", "write", "read", "fetch", "pin", "device", "audit",
	};

	return fuzz_call_name(nr) ?: others[nr - FUZZ_CALLS];
}

static void fuzz_play(const struct fuzz_op *op)
{
	unsigned int code = op->code & 63, k = 0;

	while (code >= fuzz_weights[k])
		code -= fuzz_weights[k++];
	user_mm_enter(op->p->mm);
	if (fuzz_call(k, op))
		return;
	switch (k - FUZZ_CALLS) {
	case 0:
		fuzz_fill(op);
		break;
	case 1:
		fuzz_touch(op, USER_WRITE);
		break;
	case 2:
		fuzz_touch(op, USER_READ);
		break;
	case 3:
		fuzz_touch(op, USER_FETCH);
		break;
	case 4:
		fuzz_pin(op);
		break;
	case 5:
		fuzz_device(op);
		break;
	case 6:
		if (!(op->arg & 3))
			user_audit();
		break;
	}
}

static struct fuzz_op fuzz_decode(const u8 *d)
{
	struct fuzz_op op = {
		.code = d[0] & 63,
		.failing = d[1] >> 5 == 7,
		.p = fuzz_living(d[1]),
		.i = d[2] % FUZZ_POS,
		.arg = d[4] | d[5] << 8,
		.interrupted = d[0] >> 6 == 3,
		.when = d[5] % 16,
		.other = d[4] << 8 | (d[2] ^ d[5]),
	};
	unsigned int left;

	/* One of four is about whole tables. */
	if (d[3] >= 192)
		op.i -= op.i % FUZZ_SPOTS;
	left = FUZZ_PLACE - op.i % FUZZ_PLACE;
	op.j = op.i + 1 + d[3] % left;
	if (d[3] >= 192)
		op.j = op.i + min(left, FUZZ_SPOTS * (1 + d[3] % 4));
	return op;
}

/* Compare a few positions of each process, other ones each time. */
static void fuzz_glance(void)
{
	unsigned int i, k;

	for (k = 0; k < FUZZ_LOOK; k++) {
		fuzz_next = (fuzz_next + 1) % FUZZ_POS;
		for (i = 0; i < FUZZ_PROCS; i++)
			if (fuzz_procs[i].mm)
				fuzz_check_pos(&fuzz_procs[i], fuzz_next);
	}
	fuzz_check_pins();
}

static void fuzz_check_all(void)
{
	int i;

	for (i = 0; i < FUZZ_PROCS; i++) {
		if (!fuzz_procs[i].mm)
			continue;
		fuzz_check_proc(&fuzz_procs[i]);
		fuzz_check_areas(&fuzz_procs[i]);
	}
	fuzz_check_pins();
	user_audit();
}

static unsigned long fuzz_frames, fuzz_objects;

/* One process, which has nothing. */
static void fuzz_begin(u8 how)
{
	int i;

	user_start(4, FUZZ_FRAMES);
	fuzz_frames = user_frames_used;
	fuzz_objects = user_objects;
	user_levels(how & 1 ? 5 : 4);
	pt_share_min = 1 << (how >> 1 & 3);
	fuzz_next = 0;
	for (i = 0; i < FUZZ_PROCS; i++)
		fuzz_procs[i].pos[0].index = U16_MAX;
	fuzz_procs[0].mm = user_mm_new();
	memset(fuzz_procs[0].pos, 0, sizeof(fuzz_procs[0].pos));
}

/* Compare everything, end everything, and count what is left. */
static void fuzz_finish(void)
{
	fuzz_check_all();
	fuzz_end_all();
	user_mm_enter(NULL);
	user_lru_drain();
	user_grace();
	if (user_frames_used != fuzz_frames || user_objects != fuzz_objects)
		host_die("%ld frames and %ld objects are left",
			 user_frames_used - fuzz_frames,
			 user_objects - fuzz_objects);
}

static void fuzz_step(struct fuzz_op op)
{
	fuzz_meanwhile(&op);
	fuzz_play(&op);
	user_elsewhere = NULL;
	user_grace();
	user_tlb_check(op.p->mm ?: fuzz_living(0)->mm);
	fuzz_glance();
}

/* Play one input, from nothing to nothing. */
void fuzz_input(const u8 *data, unsigned long size)
{
	size_t at;

	if (!size)
		return;
	size = min_t(size_t, size, 1 + FUZZ_LONGEST * FUZZ_RECORD);
	fuzz_begin(data[0]);
	for (at = 1; at + FUZZ_RECORD <= size; at += FUZZ_RECORD)
		fuzz_step(fuzz_decode(data + at));
	fuzz_finish();
}

/*
 * A scene for what fails: anonymous memory that fills tables, the file beside
 * it, a child that shares it all, and a bit that has been unshared again.
 */
static void fuzz_scene(u8 how)
{
	static const struct {
		u8 nr, proc, i, j, arg;
	} steps[] = {
		{ 0, 0, 0, 36, 0 }, { 11, 0, 0, 36, 1 },	/* map, fill */
		{ 0, 0, 108, 130, 0 }, { 11, 0, 110, 120, 1 },
		{ 1, 0, 40, 50, 8 }, { 11, 0, 42, 45, 1 },	/* a private file */
		{ 1, 0, 52, 60, 0 }, { 11, 0, 52, 55, 1 },	/* a shared one */
		{ 3, 0, 4, 6, 2 },				/* protect */
		{ 8, 0, 0, 1, 0 },				/* fork */
		{ 12, 1, 30, 31, 1 },				/* write */
	};
	unsigned int k;

	fuzz_begin(how);
	for (k = 0; k < ARRAY_SIZE(steps); k++)
		fuzz_step((struct fuzz_op) {
			.code = fuzz_code(steps[k].nr),
			.p = &fuzz_procs[steps[k].proc],
			.i = steps[k].i, .j = steps[k].j, .arg = steps[k].arg,
		});
}

/**
 * user_in_turn - let each allocation of each operation fail in its turn
 *
 * Each operation on ranges inside tables, over their borders and of whole ones,
 * by a parent and by a child, each time in a fresh scene. Output: TAP.
 */
void user_in_turn(void)
{
	static const u8 ranges[][2] = {
		{ 0, 1 }, { 1, 3 }, { 3, 6 }, { 7, 11 }, { 0, 9 }, { 8, 28 },
		{ 0, 36 }, { 122, 124 }, { 42, 44 }, { 53, 58 }, { 90, 92 }, { 112, 116 },
	};
	/* Rights, a shared or private file, places to move to. */
	static const u16 args[] = { 0, 1, 2, 3, 8, 36, 37, 72, 135, 145 };
	unsigned long failed;
	unsigned long nth;
	unsigned int nr, n;

	host_print("TAP version 13\n");
	for (nr = 0; fuzz_code(nr) != 255; nr++) {
		failed = fuzz_failed;
		for (n = 0; n < 8 * ARRAY_SIZE(ranges); n++) {
			const u8 *range = ranges[n / 8];
			struct fuzz_op op = {
				.code = fuzz_code(nr), .failing = true,
				.p = &fuzz_procs[n & 1],
				.i = range[0], .j = range[1],
				.arg = args[(nr + n + n / 8) % ARRAY_SIZE(args)],
			};

			/* A move needs a place of the same shape. */
			if (nr == FUZZ_MOVE)
				op.arg = 0x8000 | (n & 4 ? 1 : 2);
			/* What failed may leave tables behind: all afresh. */
			for (nth = 1, fuzz_fired = true; fuzz_fired; nth++) {
				fuzz_scene(n / 2 % 4);
				fuzz_only = nth;
				fuzz_fired = false;
				fuzz_step(op);
				fuzz_only = 0;
				fuzz_finish();
			}
		}
		host_print("ok %u %s: %lu failures\n", nr + 1, fuzz_name(nr),
			   fuzz_failed - failed);
	}
	host_print("1..%u\n", nr);
}

/* Play the input that a file holds, and say each operation. */
void user_replay(const u8 *data, unsigned long size)
{
	fuzz_verbose = true;
	fuzz_input(data, size);
	host_print("# %lu operations, nothing wrong\n", fuzz_count);
}

/* Inputs from a seed, for some seconds. */
void user_random(unsigned long seconds, u64 seed)
{
	unsigned long begun = host_clock(), now = begun, rounds = 0;
	static u8 data[1 + FUZZ_LONGEST * FUZZ_RECORD];
	u64 state = seed * GOLDEN_RATIO_64 + 1;

	while (now - begun < seconds * NSEC_PER_SEC) {
		size_t i;

		for (i = 0; i < sizeof(data); i++) {
			state = fuzz_random(state);
			data[i] = state >> 32;
		}
		host_input(data, sizeof(data));
		fuzz_input(data, sizeof(data));
		rounds++;
		now = host_clock();
	}
	fuzz_total();
	host_print("# seed %llu: %lu rounds, %lu operations a second\n", seed,
		   rounds, fuzz_count * 1000 / ((now - begun) / NSEC_PER_MSEC));
}
