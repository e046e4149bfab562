// SPDX-License-Identifier: GPL-2.0
/*
 * Check the table of Documentation/mm/pagoda/nommu.rst, row by row: as TAP,
 * or with "tour" as a list to read.
 */
#include "nommu.h"

static const struct part {
	const char *title;
	const struct row *rows;
} parts[] = {
	{ "Anonymous memory: from physical memory, at its own address",
	  rows_map },
	{ "Files: direct where they lie in memory, else a copy", rows_file },
	{ "What needs an MMU", rows_call },
	{ "Processes: one memory for all", rows_process },
	{ "Allocations that fail", rows_inject },
};

/* The last part is for kernels that let allocations fail. */
static unsigned int parts_here;

static int count_rows(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < parts_here; i++) {
		const struct row *row;

		for (row = parts[i].rows; row->what; row++)
			n++;
	}
	return n;
}

static void print_tap(int n, const struct row *row, long result)
{
	if (result) {
		print("# ");
		print_number(result);
		print(" instead of: ");
		print(row->says);
		print("\nnot ");
	}
	print("ok ");
	print_number(n);
	print(" ");
	print(row->what);
	print("\n");
}

static void print_padded(const char *text, unsigned long width)
{
	unsigned long n = length(text);

	print(text);
	for (; n < width; n++)
		print(" ");
}

static void print_tour(const struct row *row, long result)
{
	print("  ");
	print_padded(row->what, 46);
	print_padded(row->says, 44);
	if (!result) {
		print(" ok\n");
		return;
	}
	print(" FAILED: ");
	print_number(result);
	print("\n");
}

/* Status 0 if every row holds. */
static int check_table(int tour)
{
	int n = 0, good = 0, steps = 0;
	unsigned int i;

	parts_here = ARRAY_SIZE(parts) - !inject_ready();
	if (!tour) {
		print("TAP version 13\n1..");
		print_number(count_rows());
		print("\n");
	}
	for (i = 0; i < parts_here; i++) {
		const struct row *row;
		int wrong = 0;

		if (tour) {
			print("\n== ");
			print_number(i + 1);
			print(". ");
			print(parts[i].title);
			print("\n");
		}
		for (row = parts[i].rows; row->what; row++) {
			long result = row->check();

			n++;
			good += !result;
			wrong += !!result;
			if (tour)
				print_tour(row, result);
			else
				print_tap(n, row, result);
		}
		steps += !wrong;
		if (tour)
			print(wrong ? "   step FAILED\n" : "   ok\n");
	}
	if (tour) {
		print("\ntour: ");
		print_number(steps);
		print(" of ");
		print_number(parts_here);
		print(" steps ok\n");
	}
	return good == n ? 0 : 1;
}

int program(int argc, char **argv)
{
	if (argc > 0 && same(argv[0], "/init"))
		return init_main();
	if (argc > 1 && same(argv[1], "exit"))
		return 33;
	return check_table(argc > 1 && same(argv[1], "tour"));
}
