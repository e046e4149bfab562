// SPDX-License-Identifier: GPL-2.0
/*
 * The tour's guide: runs the eight steps in turn and counts.
 *
 * A step runs in a child with a time limit, so that one that crashes or hangs
 * is a step that FAILED, and what it changed is gone before the next begins.
 * Run as root: frame numbers are for root alone.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tour.h"

#define STEP_SECONDS	180

static const struct step {
	const char *title;
	void (*run)(void);
} steps[] = {
	{ "Layout: what lies where in an address space", tour_layout },
	{ "Loading: a program comes in page by page", tour_loading },
	{ "Demand paging: memory costs nothing until touched", tour_demand },
	{ "Sharing: one frame in several address spaces", tour_sharing },
	{ "Allocation: contiguous pages on scattered frames", tour_alloc },
	{ "Protection: what a process may not do", tour_protect },
	{ "fork: two processes, one copy, until one writes", tour_fork },
	{ "fork latency: what the copy of an address space costs", tour_latency },
};

#define NSTEPS	((int)ARRAY_SIZE(steps))

static int claims;
static int broken;

static void line(const char *head, const char *fmt, va_list ap)
{
	char text[512];
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	printf("%s%.*s\n", head, n, text);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("  ", fmt, ap);
	va_end(ap);
}

void saw(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("      ", fmt, ap);
	va_end(ap);
}

bool check(bool good, const char *fmt, ...)
{
	va_list ap;

	claims++;
	broken += !good;
	va_start(ap, fmt);
	line(good ? "  ok      " : "  FAILED  ", fmt, ap);
	va_end(ap);
	return good;
}

void give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("  FAILED  ", fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(1);
}

char *fresh(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		give_up("mmap of %zu KiB: %s", (size_t)(len / KIB), strerror(errno));
	return p;
}

/* In the child: do the step, report by the exit status. */
static void run_step(const struct step *s)
{
	alarm(STEP_SECONDS);
	s->run();
	if (!claims)
		give_up("nothing was checked");
	fflush(stdout);
	_exit(broken ? 1 : 0);
}

static bool step_holds(int n)
{
	int status;
	pid_t pid;

	printf("\n%d. %s\n\n", n + 1, steps[n].title);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_step(&steps[n]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("\n  step %d FAILED: no process for it: %s\n", n + 1, strerror(errno));
		return false;
	}
	if (WIFSIGNALED(status)) {
		printf("\n  step %d FAILED: %s\n", n + 1,
		       WTERMSIG(status) == SIGALRM ? "took too long" :
		       strsignal(WTERMSIG(status)));
		return false;
	}
	printf("\n  step %d %s\n", n + 1, status ? "FAILED" : "ok");
	return status == 0;
}

/* A bare guest may have nothing mounted yet. */
static void mount_proc(void)
{
	if (access("/proc/self/maps", R_OK)) {
		mkdir("/proc", 0555);
		mount("proc", "/proc", "proc", 0, NULL);
	}
	if (access("/dev/null", R_OK)) {
		mkdir("/dev", 0755);
		mount("dev", "/dev", "devtmpfs", 0, NULL);
	}
}

static void introduce(void)
{
	struct utsname u;
	bool pagoda;

	uname(&u);
	pagoda = strcasestr(u.release, "pagoda") || strcasestr(u.version, "pagoda") ||
		 !access("/sys/kernel/mm/pagoda", F_OK);
	printf("A tour of virtual memory\n\n");
	printf("  kernel   %s %s %s %s %s\n", u.sysname, u.nodename, u.release,
	       u.version, u.machine);
	printf("  VM core  %s\n", pagoda ? "Pagoda" : "stock Linux");
	printf("  memory   %ld MiB on %ld processors, pages of %lu bytes\n",
	       field_kib("/proc/meminfo", "MemTotal") / 1024,
	       sysconf(_SC_NPROCESSORS_ONLN), page_size());
}

int main(int argc, char **argv)
{
	int from = 0, to = NSTEPS, held = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		from = atoi(argv[1]) - 1;
		to = from + 1;
		if (from < 0 || to > NSTEPS) {
			fprintf(stderr, "usage: tour [STEP], with STEP from 1 to %d\n", NSTEPS);
			return 2;
		}
	}
	mount_proc();
	introduce();
	for (int i = from; i < to; i++)
		held += step_holds(i);
	printf("\ntour: %d of %d steps ok\n", held, to - from);
	return held == to - from ? 0 : 1;
}
