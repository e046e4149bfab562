// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz [-t SECONDS] [-s SEED] [-k SECONDS] [-b] [-o] [-v]: random calls over
 * trees of processes against a model; see fuzz.h.
 *
 *	-t	how long to play rounds; 20
 *	-s	seed of the first round, the next has the next; from the clock
 *	-k	how long to shrink a failing sequence; 120
 *	-b	break the model on purpose: a failure must be found
 *	-o	print each operation of a lockstep round before it is done
 *	-v	print a line as each round begins
 *
 * A round is played in a process group of its own, which is killed after it. The
 * first round is played to its end, however long that takes.
 * Then what the processes used must have come back. The first failing round
 * ends the test: its seed is printed and, if it was a lockstep round, a short
 * sequence that still fails.
 */
#include <sys/prctl.h>

#include "fuzz.h"

#define ROUND_LIMIT	400		/* seconds */

#define AHEAD	"/sys/kernel/mm/pagoda/anon_ahead_bytes"

static struct op *drawn;
static int shrink_seconds = 120;

static void play(const struct op *op, int ops, unsigned long seed)
{
	setpgid(0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	catch_signals();
	if (op)
		play_lockstep(op, ops);
	else
		play_storm(seed);
	_exit(0);
}

/* Play a sequence, or a storm without one, until @deadline; true if it failed. */
static bool failed_round(const struct op *op, int ops, unsigned long seed,
			 unsigned long long deadline)
{
	unsigned long long end = now_ns() + ROUND_LIMIT * 1000000000ULL;
	long ops_before = S->ops;
	char why[200];
	int status = 0;
	pid_t pid, got = 0;

	memset(S, 0, sizeof(*S));
	S->ops = ops_before;
	S->deadline = deadline;
	pid = fork();
	if (!pid)
		play(op, ops, seed);
	setpgid(pid, pid);
	while (pid > 0 && !got && now_ns() < end) {
		got = waitpid(pid, &status, WNOHANG);
		if (!got)
			usleep(2000);
	}
	if (!got)
		fail(NULL, -1, "the round hangs");
	else if (got < 0 || status)
		fail(NULL, -1, "the controller ended with %x", status);
	if (pid > 0)
		kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (!settled(false, why, sizeof(why)))
		fail(NULL, -1, "%s", why);
	return S->failed;
}

static bool fails(struct op *op, int ops)
{
	write_text("/sys/kernel/debug/clear_warn_once", "1");
	return failed_round(op, ops, 0, -1ULL);
}

static void report(unsigned long seed, bool storm, int ops)
{
	unsigned long long deadline = now_ns() + shrink_seconds * 1000000000ULL;
	bool again = false;

	printf("# seed %lu, %s: %s\n", seed, storm ? "a storm" : "lockstep", S->message);
	if (storm)
		return;
	if (S->at < ops) {
		printf("# at operation\n");
		print_op(&drawn[S->at]);
		ops = S->at + 1;
	}
	for (int i = 0; i < 3 && !again; i++)
		again = fails(drawn, ops);
	if (!again) {
		printf("# the same sequence did not fail again; its end was\n");
		for (int i = ops > 20 ? ops - 20 : 0; i < ops; i++)
			print_op(&drawn[i]);
		return;
	}
	/* Other processes need not be looked at: that takes most of the time. */
	only_slot = S->bad_slot;
	ops = shrink(drawn, ops, deadline, fails);
	again = fails(drawn, ops);
	printf("# windows:\n");
	for (int w = 0; w < WINDOWS; w++)
		printf("#   w%d: %d pages at %lx\n", w, window[w].pages, window[w].start);
	printf("# %d operations that %s, then all is checked:\n", ops,
	       again ? "fail" : "failed, but not always");
	for (int i = 0; i < ops; i++)
		print_op(&drawn[i]);
	if (again)
		printf("# %s\n", S->message);
}

static unsigned long parsed(const char *text, const char *what)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (!*text || *end || *text == '-') {
		fprintf(stderr, "fuzz: %s %s: want a number\n", what, text);
		exit(2);
	}
	return n;
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, RW, SHARED_ANON, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

int main(int argc, char **argv)
{
	unsigned long seconds = 20, seed = now_ns() / 1000 % 1000000, first;
	int rounds = 0, storms = 0, c;
	unsigned long long deadline;
	bool bad = false, verbose = false;
	long ahead = read_number(AHEAD);
	char line[200], usual[32];

	if (argc == 2 && !strcmp(argv[1], "--nothing"))
		return 0;
	place_windows();
	S = shared(sizeof(*S));
	drawn = shared(MAX_OPS * sizeof(*drawn));
	while ((c = getopt(argc, argv, "t:s:k:bov")) != -1) {
		if (c == 't')
			seconds = parsed(optarg, "seconds");
		else if (c == 's')
			seed = parsed(optarg, "seed");
		else if (c == 'k')
			shrink_seconds = parsed(optarg, "seconds");
		else if (c == 'b')
			break_model = true;
		else if (c == 'o')
			print_ops = true;
		else if (c == 'v')
			verbose = true;
		else
			return 2;
	}
	snprintf(usual, sizeof(usual), "%ld", ahead);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n# fuzz for %lu seconds, seed %lu\n", seconds, seed);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kernel_complained(line, sizeof(line));
	settled(true, line, sizeof(line));
	deadline = now_ns() + seconds * 1000000000ULL;
	for (first = seed; !bad && (seed == first || now_ns() < deadline); seed++) {
		bool storm = seed % 4 == 3;
		int ops = storm ? 0 : draw_sequence(seed, drawn);

		if (verbose && storm)
			printf("# seed %lu: a storm\n", seed);
		else if (verbose)
			printf("# seed %lu: %d operations\n", seed, ops);
		/* The model knows which pages are touched, not which come along. */
		if (ahead >= 0)
			write_text(AHEAD, storm ? usual : "0");
		bad = failed_round(storm ? NULL : drawn, ops, seed, rounds ? deadline : -1ULL);
		rounds++;
		storms += storm;
		if (bad)
			report(seed, storm, ops);
	}
	if (ahead >= 0)
		write_text(AHEAD, usual);
	printf("# %ld operations in %d rounds, %d of them storms\n", S->ops, rounds, storms);
	printf("%sok 1 random calls over process trees agree with the model\n", bad ? "not " : "");
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:0 error:0\n", !bad, bad);
	return bad;
}
