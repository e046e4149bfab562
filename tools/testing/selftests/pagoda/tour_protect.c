// SPDX-License-Identifier: GPL-2.0
/*
 * Step 6: protection.
 *
 * Each offence is committed by a process of its own. Its signal handler tells
 * what arrived, takes itself off and returns, so that the same offence then
 * kills the process, as it would any other. A bystander must live through all.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tour.h"

#ifndef SEGV_PKUERR
#define SEGV_PKUERR	4
#endif

/* What the handler saw, sent to the step's process. */
struct report {
	unsigned long expect;
	unsigned long addr;
	int sig;
	int code;
	int key;
};

struct offence {
	const char *what;
	void (*commit)(void);
	int sig;
	int code;
};

static int tell;
static struct report rep;
static void *others_page;

static void caught(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	rep.sig = sig;
	rep.code = si->si_code;
	rep.addr = (unsigned long)si->si_addr;
	rep.key = si->si_code == SEGV_PKUERR ? (int)si->si_pkey : 0;
	if (write(tell, &rep, sizeof(rep)) != sizeof(rep))
		_exit(1);
	signal(sig, SIG_DFL);
}

static void expect(const void *addr)
{
	rep.expect = (unsigned long)addr;
}

static void write_to(void *p)
{
	expect(p);
	poke(p, 1);
}

static void read_from(const void *p)
{
	expect(p);
	peek(p);
}

static void write_text_page(void)
{
	write_to((void *)(unsigned long)tour_protect);
}

static void write_constant(void)
{
	static const char constant[] = "constant";

	write_to((void *)(unsigned long)constant);
}

static void execute_data(void)
{
	char *p = fresh(page_size());
	void (*code)(void);

	/* The byte of a return instruction, should the processor get to it. */
	memset(p, 0xc3, 64);
	memcpy(&code, &p, sizeof(code));
	expect(p);
	code();
}

static void read_null(void)
{
	void *null = NULL;

	asm("" : "+r"(null));
	read_from(null);
}

static void read_kernel(void)
{
#if __SIZEOF_LONG__ == 8
	read_from((void *)0xffffffff81000000UL);
#else
	read_from((void *)0xc1000000UL);
#endif
}

static void write_kernel(void)
{
#if __SIZEOF_LONG__ == 8
	write_to((void *)0xffffffff81000000UL);
#else
	write_to((void *)0xc1000000UL);
#endif
}

static void hit_guard(void)
{
	char *p = fresh(3 * page_size());

	mprotect(p, page_size(), PROT_NONE);
	for (char *at = p + 3 * page_size(); at > p + page_size();)
		poke(--at, 1);
	write_to(p + page_size() - 1);
}

static void read_others(void)
{
	read_from(others_page);
}

static void read_unmapped(void)
{
	char *p = fresh(page_size());

	poke(p, 1);
	munmap(p, page_size());
	read_from(p);
}

static void write_readonly(void)
{
	char *p = fresh(page_size());

	poke(p, 1);
	mprotect(p, page_size(), PROT_READ);
	write_to(p);
}

static void beyond_file(void)
{
	int fd = memfd_create("short", 0);
	char *p;

	if (fd < 0 || ftruncate(fd, page_size()))
		_exit(1);
	p = mmap(NULL, 2 * page_size(), PROT_READ, MAP_SHARED, fd, 0);
	peek(p);
	read_from(p + page_size());
}

static int have_key = -1;

static void write_keyed(void)
{
	char *p = fresh(page_size());

	poke(p, 1);
	have_key = pkey_alloc(0, 0);
	if (pkey_mprotect(p, page_size(), PROT_READ | PROT_WRITE, have_key))
		_exit(1);
	poke(p, 2);
	pkey_set(have_key, PKEY_DISABLE_WRITE);
	if (peek(p) != 2)
		_exit(1);
	write_to(p);
}

static const struct offence offences[] = {
	{ "write to program text", write_text_page, SIGSEGV, SEGV_ACCERR },
	{ "write to a constant", write_constant, SIGSEGV, SEGV_ACCERR },
	{ "execute data", execute_data, SIGSEGV, SEGV_ACCERR },
	{ "follow a null pointer", read_null, SIGSEGV, SEGV_MAPERR },
	{ "read the kernel", read_kernel, SIGSEGV, SEGV_MAPERR },
	{ "write to the kernel", write_kernel, SIGSEGV, SEGV_MAPERR },
	{ "run into a guard page", hit_guard, SIGSEGV, SEGV_ACCERR },
	{ "use another process's address", read_others, SIGSEGV, SEGV_MAPERR },
	{ "use memory after munmap", read_unmapped, SIGSEGV, SEGV_MAPERR },
	{ "write after mprotect(PROT_READ)", write_readonly, SIGSEGV, SEGV_ACCERR },
	{ "read past the end of a file", beyond_file, SIGBUS, BUS_ADRERR },
	{ "write against a protection key", write_keyed, SIGSEGV, SEGV_PKUERR },
};

#define NOFFENCES	ARRAY_SIZE(offences)

static const char *code_name(int sig, int code)
{
	static char other[16];

	if (sig == SIGBUS && code == BUS_ADRERR)
		return "BUS_ADRERR";
	if (sig == SIGSEGV && code == SEGV_MAPERR)
		return "SEGV_MAPERR";
	if (sig == SIGSEGV && code == SEGV_ACCERR)
		return "SEGV_ACCERR";
	if (sig == SIGSEGV && code == SEGV_PKUERR)
		return "SEGV_PKUERR";
	snprintf(other, sizeof(other), "code %d", code);
	return other;
}

static void offend(const struct offence *o, int fd)
{
	struct sigaction sa = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	tell = fd;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	o->commit();
	_exit(0);
}

static bool punished(const struct offence *o)
{
	struct report got;
	int p[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(p))
		give_up("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid)
		offend(o, p[1]);
	close(p[1]);
	n = read(p[0], &got, sizeof(got));
	close(p[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		give_up("no process for \"%s\": %s", o->what, strerror(errno));
	if (n != sizeof(got))
		return check(false, "%-32s no signal came", o->what);
	return check(got.sig == o->sig && got.code == o->code && got.addr == got.expect &&
		     WIFSIGNALED(status) && WTERMSIG(status) == o->sig,
		     "%-32s %-8s %-12s %016lx  %s", o->what,
		     got.sig == SIGBUS ? "SIGBUS" : "SIGSEGV", code_name(got.sig, got.code),
		     got.addr, WIFSIGNALED(status) ? "died" : "lived");
}

/* i386 has a bit against execution in the tables of PAE alone. */
static bool has_nx(void)
{
#ifdef __i386__
	return config_has("CONFIG_X86_PAE");
#else
	return true;
#endif
}

/* Can data be executed after all? A process tries. */
static bool is_executable(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		execute_data();
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

/* A process that adds one to what it is sent, with a page of its own. */
static pid_t bystander(int *ask, int *answer)
{
	int to[2], from[2];
	pid_t pid;
	char c;

	if (pipe(to) || pipe(from))
		give_up("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		char *own = mmap(others_page, page_size(), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		close(to[1]);
		memcpy(own, "secret", 7);
		while (read(to[0], &c, 1) == 1) {
			c += own[0] == 's';
			if (write(from[1], &c, 1) != 1)
				break;
		}
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	*ask = to[1];
	*answer = from[0];
	return pid;
}

static bool alive(int ask, int answer, char c)
{
	char r = 0;

	return write(ask, &c, 1) == 1 && read(answer, &r, 1) == 1 && r == c + 1;
}

void tour_protect(void)
{
	int ask, answer, key, lived = 0, right = 0, tried = 0;
	bool nx = has_nx();
	pid_t pid;

	others_page = fresh(page_size());
	munmap(others_page, page_size());
	pid = bystander(&ask, &answer);
	if (!alive(ask, answer, 'a'))
		give_up("the bystander does not answer");
	saw("process %d keeps a secret at %lx, on frame %lx", pid, (unsigned long)others_page,
	    frame_of(pid, others_page));
	key = pkey_alloc(0, 0);
	if (key < 0)
		say("(protection keys: not offered here, %s)", strerror(errno));
	else
		pkey_free(key);
	say("Each offence in a process of its own: signal, code, address, what became of it");
	for (size_t i = 0; i < NOFFENCES; i++) {
		if (key < 0 && offences[i].code == SEGV_PKUERR)
			continue;
		if (!nx && offences[i].commit == execute_data) {
			check(is_executable(), "%-32s can be done: entries of 32 bits have no NX",
			      offences[i].what);
			continue;
		}
		tried++;
		right += punished(&offences[i]);
		lived += alive(ask, answer, 'b');
	}
	check(right == tried && lived == tried,
	      "%d offenders died alone: the bystander answered after each", tried);
	others_page = mmap(others_page, page_size(), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	check(others_page != MAP_FAILED && peek(others_page) == 0,
	      "memory mapped here at the bystander's address holds zeroes, not its secret");
	close(ask);
	waitpid(pid, NULL, 0);
}
