// SPDX-License-Identifier: GPL-2.0
/*
 * exec and core dumps: what a new program finds, what a dead one leaves.
 *
 * The program runs itself with "--child WHAT" for what must happen in a fresh
 * address space.
 */
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#include "core_file.h"
#include "suite.h"

/* Addresses that a child tells of itself, through its standard output. */
struct places {
	unsigned long text, heap, first, second, stack, vdso, page, uninherited;
	int code_in_readable;
};

static int tell_places(void)
{
	struct places w = { 0 };
	struct area a;
	char *p = anon(600), *q = anon(600);

	w.text = (unsigned long)tell_places;
	w.heap = (unsigned long)sbrk(0);
	w.first = (unsigned long)p;
	w.second = (unsigned long)q;
	w.stack = (unsigned long)&w;
	w.vdso = getauxval(AT_SYSINFO_EHDR);
	w.page = getauxval(AT_PAGESZ);
	p = mmap(NULL, PG, PROT_READ, PRIVATE_ANON, -1, 0);
	w.code_in_readable = area_at(0, p, &a) && a.prot[2] == 'x';
	return write(1, &w, sizeof(w)) == sizeof(w) ? 0 : 1;
}

/* Told by the parent to die with these contents. */
static int die_with_contents(void)
{
	char *p = mmap((void *)FAR_PLACE(0), 8 * PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);
	char *s = mmap((void *)FAR_PLACE(1), 2 * PG, RW, SHARED_ANON | MAP_FIXED, -1, 0);

	fill(p, 6, 'a');
	madvise(p + 2 * PG, PG, MADV_DONTDUMP);
	mprotect(p + 3 * PG, PG, PROT_READ);
	mprotect(p + 4 * PG, PG, PROT_NONE);
	fill(s, 2, 'S');
	limit(RLIMIT_CORE, RLIM_INFINITY);
	if (chdir("/tmp"))
		return 1;
	signal(SIGSEGV, SIG_DFL);
	poke((char *)0x1230, 1);
	return 2;
}

static int child(const char *what)
{
	if (!strcmp(what, "places"))
		return tell_places();
	if (!strcmp(what, "die"))
		return die_with_contents();
	if (!strcmp(what, "nothing"))
		return 0;
	return 3;
}

static char *const child_env[] = { "PATH=/bin", NULL };
static char *const tell_args[] = { "core_test", "--child", "places", NULL };
static char *const die_args[] = { "core_test", "--child", "die", NULL };
static char *const nothing_args[] = { "core_test", "--child", "nothing", NULL };

/* Run ourselves with "--child what" under a personality; fill in @w. */
static int ask_places(unsigned long persona, struct places *w)
{
	int fd[2], status;
	pid_t pid;

	if (pipe(fd))
		return -1;
	pid = fork();
	if (!pid) {
		personality(persona);
		dup2(fd[1], 1);
		execve("/proc/self/exe", tell_args, child_env);
		_exit(9);
	}
	close(fd[1]);
	if (read(fd[0], w, sizeof(*w)) != sizeof(*w))
		memset(w, 0, sizeof(*w));
	close(fd[0]);
	waitpid(pid, &status, 0);
	return status;
}

TEST(randomised_places)
{
	struct places a, b;

	ASSERT_EQ(0, ask_places(0, &a));
	ASSERT_EQ(0, ask_places(0, &b));
	EXPECT_NE(a.first, b.first);
	EXPECT_NE(a.stack, b.stack);
	EXPECT_NE(a.vdso, b.vdso);
	EXPECT_NE(a.heap, b.heap);
	EXPECT_EQ(PG, a.page);
	ASSERT_EQ(0, ask_places(ADDR_NO_RANDOMIZE, &a));
	ASSERT_EQ(0, ask_places(ADDR_NO_RANDOMIZE, &b));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
}

TEST(both_layouts)
{
	struct places a;

	ASSERT_EQ(0, ask_places(ADDR_NO_RANDOMIZE, &a));
	EXPECT_GT(a.first, a.second);
	EXPECT_EQ(600 * PG, a.first - a.second);
	EXPECT_GT(a.stack, a.first);
	ASSERT_EQ(0, ask_places(ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT, &a));
	EXPECT_LT(a.first, a.second);
	EXPECT_EQ(600 * PG, a.second - a.first);
	EXPECT_GT(a.stack, a.first);
}

TEST(old_layout_for_all)
{
	const char *knob = "/proc/sys/vm/legacy_va_layout";
	struct places a;

	ASSERT_EQ(0, write_text(knob, "1"));
	EXPECT_EQ(0, ask_places(ADDR_NO_RANDOMIZE, &a));
	EXPECT_EQ(0, write_text(knob, "0"));
	EXPECT_LT(a.first, a.second);
}

#ifdef __x86_64__
TEST(reading_implies_executing_on_request)
{
	struct places a;
	struct area v;
	char *p;

	/* A program with a stack that may not be executed turns it off. */
	ASSERT_EQ(0, ask_places(READ_IMPLIES_EXEC, &a));
	EXPECT_TRUE(!a.code_in_readable || a.page == PG);
	ASSERT_EQ(0, ask_places(0, &a));
	EXPECT_FALSE(a.code_in_readable);
	personality(READ_IMPLIES_EXEC);
	p = mmap(NULL, PG, PROT_READ, PRIVATE_ANON, -1, 0);
	EXPECT_TRUE(area_at(0, p, &v));
	EXPECT_EQ('x', v.prot[2]);
}
#endif

static int exec_nothing(char *const *args)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execve("/proc/self/exe", args, child_env);
		_exit(errno == E2BIG ? 99 : 98);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(many_and_long_arguments)
{
	static char *args[400];
	char *text = malloc(100 * KIB);
	int n = 3;

	args[0] = "core_test";
	args[1] = "--child";
	args[2] = "nothing";
	memset(text, 'x', 100 * KIB);
	text[100 * KIB - 1] = 0;
	while (n < 13)
		args[n++] = text;
	EXPECT_EQ(0, exec_nothing(args));
	/* A quarter of the stack limit is for arguments. */
	while (n < 30)
		args[n++] = text;
	EXPECT_EQ(99, exec_nothing(args));
	/* And no single one above 32 pages. */
	text = malloc(200 * KIB);
	memset(text, 'x', 200 * KIB);
	text[200 * KIB - 1] = 0;
	args[3] = text;
	args[4] = NULL;
	EXPECT_EQ(99, exec_nothing(args));
}

TEST(old_memory_is_gone)
{
	long free0, free1 = 0;
	char *p = anon(4096);
	int fd[2], status;
	pid_t pid;

	fill(p, 4096, 1);
	ASSERT_EQ(0, pipe(fd));
	pid = fork();
	if (!pid) {
		fill(p, 4096, 2);
		dup2(fd[1], 1);
		execve("/proc/self/exe", tell_args, child_env);
		_exit(1);
	}
	close(fd[1]);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(filled(p, 4096, 1));
	free0 = free_kib();
	munmap(p, 4096 * PG);
	for (int i = 0; i < 20 && free1 - free0 < 12 * 1024; i++) {
		usleep(20000);
		free1 = free_kib();
	}
	EXPECT_LE(12 * 1024, free1 - free0);
}

TEST(running_program_cannot_be_written)
{
	char path[64];
	FILE *in = fopen("/proc/self/exe", "r"), *out;
	static char buf[65536];
	int fd, status;
	size_t n;
	pid_t pid;

	snprintf(path, sizeof(path), "/tmp/core_test.%d", getpid());
	out = fopen(path, "w");
	ASSERT_NE(NULL, in);
	ASSERT_NE(NULL, out);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	fclose(out);
	chmod(path, 0755);
	pid = fork();
	if (!pid) {
		execve(path, nothing_args, child_env);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	/* Nothing runs it any more. */
	fd = open(path, O_WRONLY);
	EXPECT_LE(0, fd);
	unlink(path);
}

/* Let a child die with a core; its wait status. */
static int crash(pid_t *who)
{
	int status = -1;

	*who = fork();
	if (!*who) {
		execve("/proc/self/exe", die_args, child_env);
		_exit(9);
	}
	waitpid(*who, &status, 0);
	return status;
}

TEST(core_file_has_the_memory)
{
	const unsigned long p = FAR_PLACE(0), s = FAR_PLACE(1);
	const siginfo_t *si;
	char path[64];
	int status;
	pid_t pid;

	write_text("/proc/sys/kernel/core_uses_pid", "0");
	ASSERT_EQ(0, write_text("/proc/sys/kernel/core_pattern", "/tmp/suite-core.%p"));
	status = crash(&pid);
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
	ASSERT_TRUE(WCOREDUMP(status));
	snprintf(path, sizeof(path), "/tmp/suite-core.%d", pid);
	ASSERT_TRUE(core_read(path));
	unlink(path);
	/* Written, read-only and inaccessible pages: what was in them. */
	EXPECT_EQ('a', core_byte(p));
	EXPECT_EQ('b', core_byte(p + 2 * PG - 1));
	EXPECT_EQ('d', core_byte(p + 3 * PG));
	EXPECT_EQ('e', core_byte(p + 4 * PG + 100));
	EXPECT_EQ('f', core_byte(p + 5 * PG));
	/* Never touched reads as zero; asked not to be dumped is left out. */
	EXPECT_EQ(0, core_byte(p + 7 * PG));
	EXPECT_EQ(-1, core_byte(p + 2 * PG));
	EXPECT_EQ('T', core_byte(s + PG));
	EXPECT_EQ(-1, core_byte(0x1230));
	si = core_note(CORE_SIGINFO);
	ASSERT_NE(NULL, si);
	EXPECT_EQ(SIGSEGV, si->si_signo);
	EXPECT_EQ(SEGV_MAPERR, si->si_code);
	EXPECT_EQ((void *)0x1230, si->si_addr);
	EXPECT_NE(NULL, core_note(CORE_PRSTATUS));
	EXPECT_NE(NULL, core_note(CORE_FILE));
}

TEST(core_limit_forbids_it)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, limit(RLIMIT_CORE, 0));
	prctl(PR_SET_DUMPABLE, 1);
	pid = fork();
	if (!pid) {
		poke((char *)0x1230, 1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_FALSE(WCOREDUMP(status));
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--child"))
		return child(argv[2]);
	return test_harness_run(argc, argv);
}
