// SPDX-License-Identifier: GPL-2.0
/*
 * When memory runs out: who is killed, what comes back, and what the others
 * find in their memory.
 *
 * The suite takes most of the machine's memory away first, so that the rest is
 * soon used up. Then a process with some memory and many children, which share
 * its page tables, looks on while a hog takes what there is.
 */
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "suite.h"
#include "counters.h"

#ifndef __NR_process_mrelease
#define __NR_process_mrelease	448
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open		434
#endif
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC		1U
#endif

/* With KASAN, and others on the machine, each takes a while. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	600

#define LEFT_MIB	192	/* that all tests have to do with */
#define OWN_PAGES	(20 * MIB / 4096)
#define FILE_PAGES	(4 * MIB / 4096)
#define SHARERS		24
#define SPARE		3
#define TABLE		(2 * MIB)
#define EXIT_STOP	(SIGTRAP | PTRACE_EVENT_EXIT << 8)
#define SPARSE		(1UL << (sizeof(long) == 8 ? 40 : 30))
#define SETTLE		20	/* seconds for the counters */

/* What all processes of a test see. */
struct board {
	int ready;	/* sharers that have written their page */
	long taken;	/* MiB that the hog has */
};

/* An address space that others share, and what else must survive. */
struct scene {
	struct board *board;
	struct counters before;
	char *own, *file;
	int tmpfs, disk;
	int gate[2];	/* a pipe; its end is the sign for all to check and end */
	long kills;
	pid_t sharer[SHARERS];
};

/* Runs in the harness, once for all tests; its children only have the file. */
static void __attribute__((constructor)) take_memory_away(void)
{
	int fd = memfd_create("ballast", MFD_CLOEXEC);
	long spare;

	write_text("/proc/sys/vm/drop_caches", "3");
	spare = free_kib() / 1024 - LEFT_MIB;
	if (spare > 0 && fallocate(fd, 0, 0, spare * MIB))
		perror("# fallocate of ballast");
}

static int set_adj(int adj)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", adj);
	return write_text("/proc/self/oom_score_adj", text);
}

/* A child that goes with its parent, and so does the ballast it has. */
static pid_t fork_bound(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* One word in each page says which it is, on top of a fill. */
static void mark(char *p, size_t pages, unsigned long seed)
{
	for (size_t i = 0; i < pages; i++) {
		memset(p + i * PG, seed + i, PG);
		*(unsigned long *)(p + i * PG) = seed + i;
	}
}

static bool marked(const char *p, size_t pages, unsigned long seed)
{
	for (size_t i = 0; i < pages; i++) {
		const char *page = p + i * PG;

		if (*(unsigned long *)page != seed + i || page[PG / 2] != (char)(seed + i) ||
		    page[PG - 1] != (char)(seed + i))
			return false;
	}
	return true;
}

static bool file_marked(int fd, size_t pages, char first)
{
	char buf[4096];

	for (size_t i = 0; i < pages; i++) {
		if (pread(fd, buf, PG, i * PG) != PG || buf[0] != (char)(first + i) ||
		    buf[PG - 1] != (char)(first + i))
			return false;
	}
	return true;
}

/* Wait until the parent closes its end. */
static void wait_at(const int *gate)
{
	char c;

	close(gate[1]);
	while (read(gate[0], &c, 1))
		;
}

/* A sharer writes one page of its own, waits, and checks all it has. */
static void share(struct scene *s, int number)
{
	char *mine = s->own + (OWN_PAGES / SHARERS) * number * PG;
	char was = mine[9];

	mine[9] = was + 1;
	__atomic_add_fetch(&s->board->ready, 1, __ATOMIC_SEQ_CST);
	wait_at(s->gate);
	if (mine[9] != (char)(was + 1))
		_exit(1);
	mine[9] = was;
	if (!marked(s->own, OWN_PAGES, 5) || !filled(s->file, FILE_PAGES, 3))
		_exit(2);
	_exit(0);
}

static void begin(struct __test_metadata *_metadata, struct scene *s)
{
	counters_normal(&s->before);
	s->board = mmap(NULL, PG, RW, SHARED_ANON, -1, 0);
	s->own = anon(OWN_PAGES);
	mark(s->own, OWN_PAGES, 5);
	s->tmpfs = memory_file(FILE_PAGES, 1);
	s->disk = disk_file(FILE_PAGES, 2);
	ASSERT_LE(0, s->tmpfs);
	ASSERT_LE(0, s->disk);
	ASSERT_EQ(0, pipe(s->gate));
	/* Dirty, and not on the disk yet. */
	s->file = mmap(NULL, FILE_PAGES * PG, RW, MAP_SHARED, s->disk, 0);
	ASSERT_NE(MAP_FAILED, (void *)s->file);
	fill(s->file, FILE_PAGES, 3);
	for (int i = 0; i < SHARERS; i++) {
		s->sharer[i] = fork_bound();
		if (!s->sharer[i])
			share(s, i);
		ASSERT_LT(0, s->sharer[i]);
	}
	while (__atomic_load_n(&s->board->ready, __ATOMIC_ACQUIRE) < SHARERS)
		usleep(5000);
	s->kills = vm_count("oom_kill");
}

/* Everybody lived and has what he had; all is given back. */
static void end(struct __test_metadata *_metadata, struct scene *s)
{
	char why[600];
	int status;

	EXPECT_TRUE(marked(s->own, OWN_PAGES, 5));
	EXPECT_TRUE(filled(s->file, FILE_PAGES, 3));
	EXPECT_TRUE(file_marked(s->tmpfs, FILE_PAGES, 1));
	EXPECT_TRUE(file_marked(s->disk, FILE_PAGES, 3));
	close(s->gate[1]);
	for (int i = 0; i < SHARERS; i++) {
		ASSERT_EQ(s->sharer[i], waitpid(s->sharer[i], &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("sharer %d", i);
		}
	}
	munmap(s->own, OWN_PAGES * PG);
	munmap(s->file, FILE_PAGES * PG);
	munmap(s->board, PG);
	close(s->gate[0]);
	close(s->tmpfs);
	close(s->disk);
	EXPECT_TRUE(counters_back(&s->before, SETTLE, why, sizeof(why))) {
		TH_LOG("%s", why);
	}
}

/* A piece of a hog's memory: one MiB, of whatever kind. */
static char *take_mib(char kind)
{
	static char *sparse, *end;
	char *p;

	if (kind == 't') {
		/* One MiB of page tables, which map the zero page. */
		if (sparse == end) {
			sparse = mmap(NULL, SPARSE, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
			end = sparse + (SPARSE);
		}
		for (int i = 0; i < MIB / PG; i++, sparse += TABLE)
			peek(sparse);
		return NULL;
	}
	p = mmap(NULL, MIB, RW, kind == 's' ? SHARED_ANON :
		 PRIVATE_ANON | (kind == 'l' ? MAP_LOCKED : 0), -1, 0);
	return p;
}

/* Takes memory until it is killed or, if it is not to be, another process is. */
static int hog(struct scene *s, char kind, bool spared)
{
	static char *piece[100000];
	long n = 0;

	while (n < ARRAY_SIZE(piece)) {
		piece[n] = take_mib(kind);
		if (piece[n] == MAP_FAILED)
			return 3;
		if (piece[n])
			mark(piece[n], MIB / PG, n);
		s->board->taken = ++n;
		if (spared && vm_count("oom_kill") > s->kills)
			break;
	}
	for (long i = 0; i < n; i++) {
		if (piece[i] && !marked(piece[i], MIB / PG, i))
			return 4;
	}
	return 0;
}

static pid_t start_hog(struct scene *s, char kind, bool spared)
{
	pid_t pid = fork_bound();

	if (!pid) {
		/* What is the scene's is not the hog's. */
		munmap(s->own, OWN_PAGES * PG);
		munmap(s->file, FILE_PAGES * PG);
		if (set_adj(spared ? -1000 : 0))
			_exit(5);
		_exit(hog(s, kind, spared));
	}
	return pid;
}

FIXTURE(biggest)
{
	struct scene s;
};

FIXTURE_VARIANT(biggest)
{
	char kind;
};

FIXTURE_VARIANT_ADD(biggest, of_private_memory) { .kind = 'p' };
FIXTURE_VARIANT_ADD(biggest, of_locked_memory) { .kind = 'l' };
FIXTURE_VARIANT_ADD(biggest, of_shared_memory) { .kind = 's' };
FIXTURE_VARIANT_ADD(biggest, of_page_tables) { .kind = 't' };

FIXTURE_SETUP(biggest)
{
	begin(_metadata, &self->s);
}

FIXTURE_TEARDOWN(biggest)
{
	end(_metadata, &self->s);
}

/* Many look bigger together, for each has all that it shares; one is biggest. */
TEST_F(biggest, is_killed_alone)
{
	int status;
	pid_t pid = start_hog(&self->s, variant->kind, false);

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		TH_LOG("status %x after %ld MiB", status, self->s.board->taken);
	}
	EXPECT_EQ(1, vm_count("oom_kill") - self->s.kills);
	EXPECT_LT(OWN_PAGES * PG / MIB, self->s.board->taken);
}

FIXTURE(chosen)
{
	struct scene s;
};

FIXTURE_SETUP(chosen)
{
	begin(_metadata, &self->s);
}

FIXTURE_TEARDOWN(chosen)
{
	end(_metadata, &self->s);
}

/* A victim with memory of its own, and all that its parent has. */
static pid_t start_victim(struct scene *s, int adj, size_t mib, bool traced)
{
	pid_t pid = fork_bound();
	char *p;

	if (pid)
		return pid;
	if (set_adj(adj))
		_exit(5);
	p = anon(mib * MIB / PG);
	mark(p, mib * MIB / PG, 77);
	if (traced)
		ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	for (;;)
		pause();
}

/*
 * Victims to choose from. The kernel may kill a second one before it sees what
 * the first one gave back, but nobody who is not of them.
 */
static void start_spare(struct __test_metadata *_metadata, struct scene *s, int adj, pid_t *pid)
{
	int status;

	for (int i = 0; i < SPARE; i++) {
		pid[i] = start_victim(s, adj, 10, false);
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, WUNTRACED));
	}
}

/* How many of them were killed for memory; ends the others. */
static int end_spare(pid_t *pid)
{
	int status, killed = 0;

	for (int i = 0; i < SPARE; i++) {
		kill(pid[i], SIGTERM);
		kill(pid[i], SIGCONT);
		waitpid(pid[i], &status, 0);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	return killed;
}

TEST_F(chosen, by_oom_score_adj)
{
	pid_t spare[SPARE], pid;
	int status, killed;

	start_spare(_metadata, &self->s, 1000, spare);
	pid = start_hog(&self->s, 'p', true);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("the hog ended with %x after %ld MiB", status, self->s.board->taken);
	}
	killed = end_spare(spare);
	EXPECT_LE(1, killed);
	EXPECT_EQ(killed, vm_count("oom_kill") - self->s.kills);
}

/* A victim that cannot exit, since its tracer does not let it go on. */
static pid_t start_stuck(struct __test_metadata *_metadata, struct scene *s, size_t mib)
{
	pid_t victim = start_victim(s, 1000, mib, true);
	int status;

	ASSERT_EQ(victim, waitpid(victim, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_LE(mib * KIB, status_field(victim, "RssAnon"));
	ASSERT_EQ(0, ptrace(PTRACE_SETOPTIONS, victim, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, victim, 0, 0));
	return victim;
}

/*
 * The OOM reaper takes the memory of a victim that is stuck: what is its own,
 * not what it shares. Else there is nothing for the hog to end with.
 */
TEST_F(chosen, and_reaped_while_stuck_in_exit)
{
	pid_t victim = start_stuck(_metadata, &self->s, 24), spare[SPARE], pid;
	int status, killed;

	start_spare(_metadata, &self->s, 500, spare);
	pid = start_hog(&self->s, 'p', true);
	ASSERT_EQ(victim, waitpid(victim, &status, 0));
	ASSERT_EQ(EXIT_STOP, status >> 8);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("the hog ended with %x after %ld MiB", status, self->s.board->taken);
	}
	for (int wait = 0; wait < 500 && status_field(victim, "RssAnon") > 1 * KIB; wait++)
		usleep(20000);
	EXPECT_GT(1 * KIB, status_field(victim, "RssAnon"));
	EXPECT_TRUE(marked(self->s.own, OWN_PAGES, 5));
	killed = end_spare(spare);
	EXPECT_EQ(1 + killed, vm_count("oom_kill") - self->s.kills);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, victim, 0, 0));
	ASSERT_EQ(victim, waitpid(victim, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int mrelease(int pidfd)
{
	return syscall(__NR_process_mrelease, pidfd, 0) ? errno : 0;
}

TEST_F(chosen, and_released_by_process_mrelease)
{
	const int mib = 32;
	pid_t victim = start_stuck(_metadata, &self->s, mib);
	int status, pidfd = syscall(__NR_pidfd_open, victim, 0);
	long before;

	ASSERT_LE(0, pidfd);
	EXPECT_EQ(EINVAL, mrelease(pidfd));	/* it lives */
	ASSERT_EQ(0, kill(victim, SIGKILL));
	ASSERT_EQ(victim, waitpid(victim, &status, 0));
	ASSERT_EQ(EXIT_STOP, status >> 8);
	before = free_kib();
	EXPECT_EQ(0, mrelease(pidfd));
	EXPECT_LT((mib - 4) * 1024, free_kib() - before);
	EXPECT_GT((mib + 4) * 1024, free_kib() - before);
	EXPECT_TRUE(marked(self->s.own, OWN_PAGES, 5));
	EXPECT_EQ(0, ptrace(PTRACE_CONT, victim, 0, 0));
	ASSERT_EQ(victim, waitpid(victim, &status, 0));
	EXPECT_EQ(ESRCH, mrelease(pidfd));
	close(pidfd);
}

/* Released and exiting at once, by two processors. */
TEST_F(chosen, and_released_while_it_exits)
{
	int released = 0, gone = 0;

	for (int i = 0; i < 200; i++) {
		int status, pidfd, how;
		pid_t pid = fork_bound();

		if (!pid) {
			if (i & 1)
				self->s.own[(i % OWN_PAGES) * PG + 9] = 0;
			for (;;)
				pause();
		}
		ASSERT_LT(0, pid);
		pidfd = syscall(__NR_pidfd_open, pid, 0);
		if (i & 2)
			usleep(i * 10);
		kill(pid, SIGKILL);
		how = mrelease(pidfd);
		EXPECT_TRUE(how == 0 || how == ESRCH || how == EAGAIN) {
			TH_LOG("process_mrelease: %s", strerror(how));
		}
		released += how == 0;
		gone += how == ESRCH;
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		close(pidfd);
	}
	TH_LOG("%d released, %d gone before", released, gone);
	EXPECT_EQ(0, vm_count("oom_kill") - self->s.kills);
}

/*
 * Tables run out: children that share many tables, each with one page, copy
 * every one of them by a write, until there is no memory for copies.
 */
TEST_F(chosen, among_those_that_unshare)
{
	const int tables = 768, children = 24;
	char *p = mmap(NULL, tables * TABLE, RW, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
	int status, killed = 0, good = 0, gate[2];
	pid_t pid[children];

	ASSERT_NE(MAP_FAILED, (void *)p);
	for (int i = 0; i < tables; i++)
		p[i * TABLE] = i;
	ASSERT_EQ(0, pipe(gate));
	for (int c = 0; c < children; c++) {
		pid[c] = fork_bound();
		if (pid[c])
			continue;
		set_adj(500);
		for (int i = 0; i < tables; i++)
			p[i * TABLE + 1] = c + i;
		wait_at(gate);
		for (int i = 0; i < tables; i++) {
			if (p[i * TABLE] != (char)i || p[i * TABLE + 1] != (char)(c + i))
				_exit(1);
		}
		_exit(0);
	}
	/* Until somebody is killed. */
	for (int wait = 0; wait < 3000 && vm_count("oom_kill") == self->s.kills; wait++)
		usleep(20000);
	close(gate[1]);
	for (int c = 0; c < children; c++) {
		ASSERT_EQ(pid[c], waitpid(pid[c], &status, 0));
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		good += !status;
	}
	EXPECT_LT(0, killed);
	EXPECT_EQ(children, killed + good) {
		TH_LOG("%d killed, %d found what they wrote", killed, good);
	}
	EXPECT_EQ(killed, vm_count("oom_kill") - self->s.kills);
	for (int i = 0; i < tables; i++)
		ASSERT_EQ((char)i, p[i * TABLE]);
	munmap(p, tables * TABLE);
	close(gate[0]);
}

/* With strict accounting nobody is killed: calls fail instead. */
TEST_F(chosen, not_at_all_with_strict_accounting)
{
	int fail = 0, born = 0, status;
	char text[32];
	pid_t pid[64];

	snprintf(text, sizeof(text), "%ld",
		 field_kib("/proc/meminfo", "Committed_AS") + 5 * OWN_PAGES * 4);
	ASSERT_EQ(0, write_text("/proc/sys/vm/overcommit_kbytes", text));
	ASSERT_EQ(0, write_text("/proc/sys/vm/overcommit_memory", "2"));
	while (born < ARRAY_SIZE(pid) && !fail) {
		pid[born] = fork_bound();
		if (!pid[born]) {
			for (;;)
				pause();
		}
		fail = pid[born] < 0 ? errno : 0;
		born += !fail;
	}
	EXPECT_EQ(ENOMEM, fail);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, OWN_PAGES * PG, RW, PRIVATE_ANON, -1, 0));
	EXPECT_EQ(ENOMEM, errno);
	for (int i = 0; i < born; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
	}
	EXPECT_LE(2, born);
	EXPECT_GE(6, born);
	/* What the children were charged with is there again. */
	fail = fork_bound();
	if (!fail)
		_exit(0);
	EXPECT_LT(0, fail);
	waitpid(fail, &status, 0);
	write_text("/proc/sys/vm/overcommit_memory", "0");
	write_text("/proc/sys/vm/overcommit_ratio", "50");
	EXPECT_EQ(0, vm_count("oom_kill") - self->s.kills);
}

TEST_HARNESS_MAIN
