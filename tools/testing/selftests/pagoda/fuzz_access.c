// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and writing: by the process itself, by the kernel for it, by
 * another process, and through the file that is mapped.
 */
#include <spawn.h>
#include <sys/uio.h>

#include "fuzz.h"

/* Access to one page: what it transferred, or -1 and errno. */
typedef int transfer(int fd, pid_t pid, char *at, unsigned long *v, bool in);

static int by_pipe(int fd, pid_t pid, char *at, unsigned long *v, bool in)
{
	int pipes[2], got = 0;

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		return -1;
	if (in && write(pipes[1], v, PLACES * sizeof(long)) != PLACES * sizeof(long))
		got = -1;
	for (int k = 0; k < PLACES && !got; k++) {
		if (in) {
			if (read(pipes[0], at + places[k], sizeof(long)) != sizeof(long))
				got = -1;
		} else if (write(pipes[1], at + places[k], sizeof(long)) != sizeof(long) ||
			   read(pipes[0], &v[k], sizeof(long)) != sizeof(long)) {
			got = -1;
		}
	}
	close(pipes[0]);
	close(pipes[1]);
	return got;
}

static int by_vm(int fd, pid_t pid, char *at, unsigned long *v, bool in)
{
	struct iovec here = { v, PLACES * sizeof(long) }, there[PLACES];
	ssize_t n;

	for (int k = 0; k < PLACES; k++)
		there[k] = (struct iovec){ at + places[k], sizeof(long) };
	if (in)
		n = process_vm_writev(pid, &here, 1, there, PLACES, 0);
	else
		n = process_vm_readv(pid, &here, 1, there, PLACES, 0);
	if (n >= 0 && n != PLACES * sizeof(long))
		errno = EPIPE;
	return n == PLACES * sizeof(long) ? 0 : -1;
}

/* Read the words of a page of another process; 0 or -1. */
int read_of(pid_t pid, char *at, unsigned long *v)
{
	return by_vm(-1, pid, at, v, false);
}

static int by_mem(int fd, pid_t pid, char *at, unsigned long *v, bool in)
{
	for (int k = 0; k < PLACES; k++) {
		off_t where = (off_t)(at + places[k]);

		if ((in ? pwrite(fd, &v[k], sizeof(long), where) :
		     pread(fd, &v[k], sizeof(long), where)) != sizeof(long))
			return -1;
	}
	return 0;
}

/* The error that an access has to give; by_mem goes over permissions. */
static int forbidden(struct page *p, transfer *how, bool in)
{
	if (how == by_mem)
		return p->kind == GONE || (in && p->kind == SHARED && !(p->prot & PROT_WRITE)) ?
		       EIO : 0;
	return outcome(p, in) == NO_FAULT ? 0 : EFAULT;
}

static void transfer_page(struct ctx *c, int w, int at, transfer *how, int fd, pid_t pid,
			  bool in)
{
	struct page *p = page_of(c, w, at);
	int page = p - c->m->page, want = forbidden(p, how, in), got, e;
	unsigned long v[PLACES], stamp = in ? new_stamp(c, page) : 0;

	for (int k = 0; k < PLACES; k++)
		v[k] = word_at(stamp, k);
	got = how(fd, pid, address(w, at), v, in);
	/* A page that MADV_FREE gave up may go between two looks. */
	if (!in && !got && p->loose && !v[PLACES - 1])
		got = how(fd, pid, address(w, at), v, in);
	e = got ? errno : 0;
	if (e != want) {
		fail(c, page, "the %s ended with %s, not %s", in ? "write" : "read",
		     e ? strerror(e) : "success", want ? strerror(want) : "success");
	} else if (!e && in) {
		wrote(c, p, stamp);
	} else if (!e) {
		stamp = contents(c, p);
		if (!same_words(p, stamp, v))
			fail(c, page, "was read as %lx %lx %lx %lx, not %lx", v[0], v[1], v[2],
			     v[3], stamp);
	}
}

/* Into another process of the tree; in a storm into one's own. */
static void do_remote(struct ctx *c, const struct op *op)
{
	bool in = op->kind == OP_REMOTE_WRITE || op->kind == OP_MEM_WRITE;
	bool mem = op->kind == OP_MEM_READ || op->kind == OP_MEM_WRITE;
	struct ctx t = *c;
	pid_t pid = getpid();
	char path[40];
	int fd = -1;

	if (!c->storm) {
		if (!S->alive[op->target])
			return;
		pid = S->pid[op->target];
		t.slot = op->target;
		t.m = &S->model[op->target];
	}
	if (mem) {
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			fail(c, -1, "%s: %s", path, strerror(errno));
			return;
		}
	}
	for (int i = 0; i < op->n && i < 16 && !S->failed; i++)
		transfer_page(&t, op->w, op->at + i, mem ? by_mem : by_vm, fd, pid, in);
	if (mem)
		close(fd);
}

static void do_pipe(struct ctx *c, const struct op *op)
{
	for (int i = 0; i < op->n && i < 4 && !S->failed; i++)
		transfer_page(c, op->w, op->at + i, by_pipe, -1, 0, op->kind == OP_PIPE_IN);
}

static void do_file(struct ctx *c, const struct op *op)
{
	int end = FILE_PAGES, n = op->n < 64 ? op->n : 64;
	struct page *p;

	if (op->kind == OP_FILE_WRITE) {
		for (int i = op->file; i < op->file + n; i++) {
			unsigned long stamp = new_stamp(c, i);

			for (int k = 0; k < PLACES; k++) {
				unsigned long word = word_at(stamp, k);

				if (pwrite(c->fd, &word, sizeof(word), i * PG + places[k]) !=
				    sizeof(word))
					fail(c, -1, "pwrite: %s", strerror(errno));
			}
			c->file[i] = stamp;
		}
		return;
	}
	if (op->kind == OP_FILE_PUNCH) {
		end = op->file + op->n;
		if (fallocate(c->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, op->file * PG,
			      op->n * PG))
			fail(c, -1, "fallocate: %s", strerror(errno));
	} else if (ftruncate(c->fd, op->file * PG) || ftruncate(c->fd, FILE_PAGES * PG)) {
		fail(c, -1, "ftruncate: %s", strerror(errno));
	}
	for (int i = op->file; i < end; i++)
		c->file[i] = 0;
	if (op->kind == OP_FILE_PUNCH)
		return;
	/* Truncation takes private copies with it, in every process. */
	for (int s = 0; s < SLOTS; s++) {
		for (int i = 0; i < PAGES && S->alive[s]; i++) {
			p = &S->model[s].page[i];
			if (p->kind == PRIVATE && p->file_page >= op->file)
				p->own = false;
		}
	}
}

/* A child that does nothing but begin and end. */
void do_spawn(struct ctx *c, const struct op *op)
{
	static char * const args[] = { "fuzz", "--nothing", NULL }, * const env[] = { NULL };
	pid_t pid;

	if (op->how == SPAWN_POSIX) {
		errno = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, args, env);
		if (errno)
			pid = -1;
	} else {
		pid = op->how == SPAWN_VFORK ? vfork() : fork();
		if (!pid) {
			if (op->how == SPAWN_EXEC)
				execve("/proc/self/exe", args, env);
			_exit(0);
		}
	}
	if (pid < 0)
		fail(c, -1, "no child: %s", strerror(errno));
	/* Children are reaped by themselves: this waits and says ECHILD. */
	else
		waitpid(pid, NULL, 0);
}

void do_access(struct ctx *c, const struct op *op)
{
	switch (op->kind) {
	case OP_WRITE:
		write_pages(c, op->w, op->at, op->n, op->step);
		break;
	case OP_READ:
		check_pages(c, op->w, op->at, op->n, op->step);
		break;
	case OP_CHECK:
		check_windows(c, -1U);
		break;
	case OP_PIPE_OUT:
	case OP_PIPE_IN:
		do_pipe(c, op);
		break;
	case OP_REMOTE_READ:
	case OP_REMOTE_WRITE:
	case OP_MEM_READ:
	case OP_MEM_WRITE:
		do_remote(c, op);
		break;
	case OP_FILE_WRITE:
	case OP_FILE_PUNCH:
	case OP_FILE_CUT:
		do_file(c, op);
		break;
	}
}
