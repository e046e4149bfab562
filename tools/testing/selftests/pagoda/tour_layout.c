// SPDX-License-Identifier: GPL-2.0
/*
 * Step 1: the layout of an address space.
 *
 * The map of a dynamically linked program is read from outside and labelled
 * from the kernel's own record of it (/proc/PID/stat); addresses that the
 * program reports itself must lie where the labels say. Where user space ends
 * and where the kernel begins is found by trying.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "tour.h"

#define MAX_AREAS	128

/* Fields of /proc/PID/stat, counted from 1 as proc(5) does. */
enum { START_CODE = 26, END_CODE, START_STACK, START_DATA = 45, END_DATA,
	START_BRK, ARG_START, ARG_END, ENV_START, ENV_END };

static const struct { const char *cmd, *label; } kinds[] = {
	{ "T", "text" }, { "C", "constants" }, { "D", "data" }, { "B", "bss" },
	{ "H", "heap" }, { "M", "mapping" }, { "L", "library" }, { "V", "vdso" },
	{ "S", "stack" },
};

#define NKINDS	((int)ARRAY_SIZE(kinds))

struct layout {
	struct area v[MAX_AREAS];
	int n;
	unsigned long start_data, end_data, brk, stack;
	unsigned long arg, arg_end, env, env_end;
	char exe[128];
};

static void layout_read(struct layout *l, struct demo *d)
{
	struct area a;

	l->n = maps_read(d->pid, l->v, MAX_AREAS);
	if (l->n < 5)
		give_up("/proc/%d/maps has %d lines", d->pid, l->n);
	l->start_data = stat_field(d->pid, START_DATA);
	l->end_data = stat_field(d->pid, END_DATA);
	l->brk = stat_field(d->pid, START_BRK);
	l->stack = stat_field(d->pid, START_STACK);
	l->arg = stat_field(d->pid, ARG_START);
	l->arg_end = stat_field(d->pid, ARG_END);
	l->env = stat_field(d->pid, ENV_START);
	l->env_end = stat_field(d->pid, ENV_END);
	if (area_at(d->pid, (void *)stat_field(d->pid, START_CODE), &a))
		memcpy(l->exe, a.name, sizeof(l->exe));
}

/* What the kernel's record says an area is for. */
static const char *label(const struct layout *l, const struct area *a)
{
	if (!strcmp(a->name, "[vdso]"))
		return "vdso";
	if (!strncmp(a->name, "[vvar", 5))
		return "vdso data";
	if (!strcmp(a->name, "[vsyscall]"))
		return "vsyscall";
	if (a->start <= l->stack && l->stack < a->end)
		return "stack";
	if (a->start >= l->brk && !strcmp(a->name, "[heap]"))
		return "heap";
	if (!strcmp(a->name, l->exe)) {
		if (a->prot[2] == 'x')
			return "text";
		if (a->prot[1] == 'w')
			return "data";
		return "constants";
	}
	if (a->name[0] == '/')
		return a->prot[2] == 'x' ? "library" : "library data";
	/* bss runs on from the data of the file, in memory without a file. */
	if (a->start >= l->start_data && a->start <= ((l->end_data | 4095) + 1))
		return "bss";
	return "mapping";
}

static const char *tail(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void draw(const struct layout *l)
{
	for (int i = l->n - 1; i >= 0; i--) {
		const struct area *a = &l->v[i];
		const char *what = label(l, a);

		saw("%016lx  %7lu KiB  %s  %-12s  %s", a->start,
		    (a->end - a->start) / KIB, a->prot, what, tail(a->name));
		if (!strcmp(what, "stack")) {
			saw("%34senvironment %lx..%lx", "", l->env, l->env_end);
			saw("%34sarguments   %lx..%lx", "", l->arg, l->arg_end);
		}
		if (!strcmp(what, "vsyscall"))
			saw("%16s  the kernel's half, and what no address may name", "...");
		else if (i && a->start - l->v[i - 1].end >= 1024 * MIB)
			saw("%16s  %7lu GiB  unused", "...",
			    (a->start - l->v[i - 1].end) >> 30);
	}
}

/* The program's own addresses must lie in the areas so labelled. */
static void compare(const struct layout *l, struct demo *d)
{
	unsigned long argv0 = demo_ask(d, "A", 0), env0 = demo_ask(d, "E", 0);
	const char *wrong = NULL;

	for (int k = 0; k < NKINDS; k++) {
		unsigned long addr = demo_ask(d, kinds[k].cmd, 0);
		const char *got = "nothing";

		for (int i = 0; i < l->n; i++) {
			if (l->v[i].start <= addr && addr < l->v[i].end)
				got = label(l, &l->v[i]);
		}
		/* Data and bss meet in one page, which is of the file. */
		if (!strcmp(kinds[k].cmd, "B") && !strcmp(got, "data") && addr >= l->end_data)
			got = "bss";
		/* Some linkers put constants beside the text. */
		if (!strcmp(kinds[k].cmd, "C") && !strcmp(got, "text"))
			got = "constants";
		if (strcmp(got, kinds[k].label)) {
			saw("%s at %lx lies in %s", kinds[k].label, addr, got);
			wrong = kinds[k].label;
		}
	}
	check(!wrong, "%d addresses the program reports lie where the labels say", NKINDS);
	check(argv0 >= l->arg && argv0 < l->arg_end && env0 >= l->env && env0 < l->env_end &&
	      l->stack < l->arg && l->arg_end <= l->env,
	      "arguments, then environment, above the first stack frame");
	for (int i = 1; i < l->n; i++) {
		if (l->v[i].start < l->v[i - 1].end)
			wrong = "order";
	}
	check(!wrong, "%d areas, in order, none overlapping another", l->n);
}

static sigjmp_buf back;
static siginfo_t info;

static void caught(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	info = *si;
	siglongjmp(back, sig);
}

/* Read @addr: 0 when that works, else the si_code of the SIGSEGV. */
static int try_read(unsigned long addr)
{
	if (sigsetjmp(back, 1))
		return info.si_code;
	peek((void *)addr);
	return 0;
}

/* Can a page be mapped at @addr? What is there already counts as yes. */
static bool can_map(unsigned long addr)
{
	void *p = mmap((void *)addr, page_size(), PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		return errno == EEXIST;
	munmap(p, page_size());
	return true;
}

static void find_limits(void)
{
	struct sigaction sa = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
	unsigned long page = page_size(), no, lo, hi;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	lo = 16 * MIB;
	hi = -page;
	while (hi - lo > page) {
		unsigned long mid = (lo + (hi - lo) / 2) & -page;

		if (can_map(mid))
			lo = mid;
		else
			hi = mid;
	}
	saw("%016lx  user limit: no mapping is accepted from here on", hi);
	check(!can_map(hi) && can_map(hi - page), "the last user page begins at %lx", hi - page);
#ifdef __x86_64__
	/* In the hole that no address may name the fault carries no address. */
	lo = hi;
	hi = 0xffffffff80000000;
	no = lo + (1UL << 57);
	while (hi - no > page) {
		unsigned long mid = (no + (hi - no) / 2) & -page;

		if (try_read(mid) == SI_KERNEL)
			no = mid;
		else
			hi = mid;
	}
	saw("%016lx  kernel begins: %lu bits of address are translated", hi,
	    64 - (unsigned long)__builtin_clzl(~hi) + 1);
	check(hi == 0xffff800000000000 || hi == 0xff00000000000000,
	      "addresses between the halves are refused by the processor");
	no = hi;
#elif defined(__aarch64__)
	no = 0xffff800000000000;
#elif defined(__riscv)
	no = -(1UL << 38);
#else
	no = config_number("CONFIG_PAGE_OFFSET", hi);
	saw("%016lx  the kernel begins: %.2f to %.2f GiB", no, no / (1024. * MIB),
	    4 - no / (1024. * MIB));
	check(no == hi, "the split is as configured: the kernel's first page follows");
#endif
	check(try_read(no) == SEGV_MAPERR && info.si_addr == (void *)no,
	      "reading the kernel's first page faults as if nothing were there");
}

static int same_places(struct demo *a, struct demo *b)
{
	int same = 0;

	for (int k = 0; k < NKINDS; k++) {
		unsigned long x = demo_ask(a, kinds[k].cmd, 0);
		unsigned long y = demo_ask(b, kinds[k].cmd, 0);

		saw("%-10s %016lx  %016lx  %s", kinds[k].label, x, y, x == y ? "same" : "");
		same += x == y;
	}
	return same;
}

void tour_layout(void)
{
	static struct layout l;
	struct demo a, b;
	int same;

	say("The map of a small dynamically linked program, highest address first:");
	demo_start(&a, demo_path(), false);
	demo_ask(&a, "H", 0);
	layout_read(&l, &a);
	draw(&l);
	compare(&l, &a);
	say("Where user space ends and the kernel begins, found by trying:");
	find_limits();
	say("The same program twice with random placement (ASLR):");
	demo_start(&b, demo_path(), false);
	same = same_places(&a, &b);
	/* With the few bits of chance of 32-bit addresses, two may be alike. */
	for (int i = 0; same && i < 4; i++) {
		demo_end(&b);
		demo_start(&b, demo_path(), false);
		same = same_places(&a, &b);
	}
	check(same == 0, "%d of %d places differ", NKINDS - same, NKINDS);
	demo_end(&a);
	demo_end(&b);
	say("And twice with ADDR_NO_RANDOMIZE:");
	demo_start(&a, demo_path(), true);
	demo_start(&b, demo_path(), true);
	same = same_places(&a, &b);
	check(same == NKINDS, "%d of %d places agree", same, NKINDS);
	demo_end(&a);
	demo_end(&b);
}
