// SPDX-License-Identifier: GPL-2.0
/*
 * A TCG plugin that counts the guest's instructions by kernel function and by who
 * called it, while a program is between two marks.
 *
 *   -plugin profile.so,symbols=FILE,begin=ADDR,end=ADDR,out=FILE
 *
 * @symbols has a line "ADDR NAME" for each function of the kernel, in ascending
 * order; everything elsewhere is the user's. @begin and @end are functions of the
 * program: execution of their first instruction turns counting on and off, for
 * the whole machine, which has one processor. At exit @out has a line
 * "NAME;NAME;NAME COUNT" for each path of calls, the format of flame graphs.
 *
 * There is no stack to look at. The path is followed by where execution goes: to
 * the beginning of a function, that is a call (or a jump, which is shown as one);
 * into a function that the path has, that is a return to it. A switch of stacks
 * begins a new path, and so does each return to user space. The unit is the
 * translation block: one that a fault leaves in its middle is counted whole.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_api.h"

#define USER	0		/* the function of whatever is not the kernel */
#define DEEPEST	200

struct function {
	uint64_t address;
	char *name;
	bool switches;		/* to another stack */
};

/* A path of calls: that of @up, and @function. */
struct path {
	struct path *up, *down, *next;
	unsigned int function, depth;
	uint64_t count;
};

/* What is known of a translation block when it is made. */
struct block {
	unsigned int function;
	unsigned int length;
	bool entry, begin, end;
};

QEMU_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct function *functions;
static unsigned int nr_functions;
static uint64_t begin, end;
static const char *out;
static bool counting;

static struct path root;
static struct path *at = &root;

static struct path *below(struct path *path, unsigned int function)
{
	struct path *found;

	for (found = path->down; found; found = found->next) {
		if (found->function == function)
			return found;
	}
	found = calloc(1, sizeof(*found));
	if (!found)
		abort();
	found->up = path;
	found->next = path->down;
	found->function = function;
	found->depth = path->depth + 1;
	path->down = found;
	return found;
}

static void follow(const struct block *b)
{
	struct path *path;

	if (b->function == USER) {
		at = below(&root, USER);
		return;
	}
	if (at->function == b->function && at != &root)
		return;
	if (!b->entry) {
		for (path = at; path != &root; path = path->up) {
			if (path->function == b->function) {
				at = path;
				return;
			}
		}
	}
	/* What runs for the user is not called by the user's code. */
	if (at->function == USER || functions[at->function].switches ||
	    at->depth >= DEEPEST)
		at = &root;
	at = below(at, b->function);
}

static void executed(unsigned int vcpu, void *data)
{
	const struct block *b = data;

	if (b->end)
		counting = false;
	if (counting) {
		follow(b);
		at->count += b->length;
	}
	if (b->begin && !counting) {
		counting = true;
		at = &root;
	}
}

/* The function that has an address: the last that begins there or before. */
static unsigned int function_of(uint64_t address)
{
	unsigned int low = 0, high = nr_functions - 1;

	while (low < high) {
		unsigned int middle = (low + high + 1) / 2;

		if (functions[middle].address <= address)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct block *b = calloc(1, sizeof(*b));
	uint64_t address = qemu_plugin_tb_vaddr(tb);

	if (!b)
		abort();
	b->length = qemu_plugin_tb_n_insns(tb);
	b->function = function_of(address);
	b->entry = functions[b->function].address == address;
	b->begin = address == begin;
	b->end = address == end;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, b);
}

static void print_name(FILE *file, const struct path *path)
{
	if (path->up != &root) {
		print_name(file, path->up);
		putc(';', file);
	}
	fputs(functions[path->function].name, file);
}

static void print_below(FILE *file, const struct path *path)
{
	for (path = path->down; path; path = path->next) {
		if (path->count) {
			print_name(file, path);
			fprintf(file, " %llu\n", (unsigned long long)path->count);
		}
		print_below(file, path);
	}
}

static void finished(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(out, "w");

	if (!file) {
		perror(out);
		return;
	}
	print_below(file, &root);
	fclose(file);
}

static void add_function(uint64_t address, const char *name)
{
	static const char *const switches[] = {
		"__switch_to_asm", "__switch_to", "cpu_switch_to", NULL,
	};
	struct function *f;

	if (!(nr_functions & (nr_functions - 1))) {
		functions = realloc(functions, 2 * (nr_functions + 1) * sizeof(*functions));
		if (!functions)
			abort();
	}
	f = &functions[nr_functions++];
	f->address = address;
	f->name = strdup(name);
	f->switches = false;
	for (const char *const *s = switches; *s; s++)
		f->switches |= !strcmp(name, *s);
}

static bool read_symbols(const char *path)
{
	unsigned long long address;
	FILE *file = fopen(path, "r");
	char name[256];

	if (!file) {
		perror(path);
		return false;
	}
	add_function(0, "[user]");
	while (fscanf(file, "%llx %255s", &address, name) == 2)
		add_function(address, name);
	fclose(file);
	return nr_functions > 1;
}

QEMU_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
				    int argc, char **argv)
{
	bool known = false;

	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			return -1;
		*value++ = '\0';
		if (!strcmp(argv[i], "symbols"))
			known = read_symbols(value);
		else if (!strcmp(argv[i], "begin"))
			begin = strtoull(value, NULL, 16);
		else if (!strcmp(argv[i], "end"))
			end = strtoull(value, NULL, 16);
		else if (!strcmp(argv[i], "out"))
			out = strdup(value);
	}
	if (!known || !begin || !end || !out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
