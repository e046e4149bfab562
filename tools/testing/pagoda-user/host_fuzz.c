// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer's side: it has main(), and calls these. Inputs are changed by whole
 * operations; else all that is behind one would become something else.
 */
#include <string.h>
#include "host.h"

int fuzzer_begin(int *argc, char ***argv)
{
	host_at_exit(fuzz_total);
	return 0;
}

int fuzzer_input(const unsigned char *data, unsigned long size)
{
	fuzz_input(data, size);
	return 0;
}

static unsigned long long fuzzer_state;

/* A number below @limit (xorshift). */
static unsigned long fuzzer_below(unsigned long limit)
{
	fuzzer_state ^= fuzzer_state << 13;
	fuzzer_state ^= fuzzer_state >> 7;
	fuzzer_state ^= fuzzer_state << 17;
	return (fuzzer_state >> 16) % limit;
}

unsigned long fuzzer_change(unsigned char *data, unsigned long size,
			    unsigned long max, unsigned int seed)
{
	unsigned long ops = size ? (size - 1) / FUZZ_RECORD : 0, at, from, n;
	unsigned char *op, *other;

	if (ops < 2 || 1 + (ops + 8) * FUZZ_RECORD > max)
		return fuzzer_bytes(data, size, max);
	fuzzer_state = seed | 1ULL << 32;
	at = fuzzer_below(ops);
	from = fuzzer_below(ops);
	n = 1 + fuzzer_below(8);
	op = data + 1 + at * FUZZ_RECORD;
	other = data + 1 + from * FUZZ_RECORD;
	switch (fuzzer_below(8)) {
	case 0:		/* leave some out */
		if (n > ops - at)
			n = ops - at;
		memmove(op, op + n * FUZZ_RECORD,
			(ops - at - n) * FUZZ_RECORD);
		return 1 + (ops - n) * FUZZ_RECORD;
	case 1:		/* repeat some */
		if (n > ops - from)
			n = ops - from;
		memmove(op + n * FUZZ_RECORD, op, (ops - at) * FUZZ_RECORD);
		memmove(op, other, n * FUZZ_RECORD);
		return 1 + (ops + n) * FUZZ_RECORD;
	case 2:		/* a new one */
		memmove(op + FUZZ_RECORD, op, (ops - at) * FUZZ_RECORD);
		for (n = 0; n < FUZZ_RECORD; n++)
			op[n] = fuzzer_below(256);
		return 1 + (ops + 1) * FUZZ_RECORD;
	case 3:		/* at the place of another */
		memcpy(op + 2, other + 2, 2);
		return size;
	}
	fuzzer_bytes(op, FUZZ_RECORD, FUZZ_RECORD);
	return size;
}
