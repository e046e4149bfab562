// SPDX-License-Identifier: GPL-2.0
/*
 * Reaching into memory from outside: other processes, the debugger, devices.
 */
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "suite.h"

/* A child that waits until its end of the pipe is closed, then checks. */
struct held {
	pid_t pid;
	int go;
};

static struct held hold(bool (*check)(char *), char *p)
{
	struct held h;
	int go[2];
	char c;

	if (pipe(go))
		abort();
	h.pid = fork();
	if (!h.pid) {
		close(go[1]);
		read(go[0], &c, 1);
		_exit(!check || check(p) ? 0 : 1);
	}
	close(go[0]);
	h.go = go[1];
	return h;
}

static bool let_go(struct held *h)
{
	int status;

	close(h->go);
	return waitpid(h->pid, &status, 0) == h->pid && status == 0;
}

static bool still_a(char *p)
{
	return filled(p, 8, 'a');
}

static bool now_x(char *p)
{
	return p[0] == 'a' && p[PG - 1] == 'x' && p[PG] == 'x' && p[3 * PG] == 'd';
}

TEST(vm_readv)
{
	char *p = anon(8), *buf = anon(8);
	struct iovec to = { buf, 3 * PG }, from[2] = { { p + PG, PG + 50 }, { p + 5 * PG, PG } };
	struct held h;

	fill(p, 8, 'a');
	h = hold(still_a, p);
	fill(p, 8, 'A');
	EXPECT_EQ(2 * PG + 50, process_vm_readv(h.pid, &to, 1, from, 2, 0));
	EXPECT_TRUE(filled(buf, 1, 'b'));
	EXPECT_EQ('c', peek(buf + PG + 49));
	EXPECT_EQ('f', peek(buf + PG + 50));
	/* Stops where there is nothing, and says how far it came. */
	from[0].iov_base = p + 7 * PG;
	from[0].iov_len = PG;
	from[1].iov_base = (void *)8;
	EXPECT_EQ(PG, process_vm_readv(h.pid, &to, 1, from, 2, 0));
	EXPECT_EQ(-1, process_vm_readv(h.pid, &to, 1, from + 1, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, process_vm_readv(h.pid, &to, 1, from, 1, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, process_vm_readv(0x3ffffff, &to, 1, from, 1, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_TRUE(let_go(&h));
}

TEST(vm_writev_breaks_cow)
{
	char *p = anon(8), *buf = anon(1);
	struct iovec from = { buf, 100 }, to = { p + PG - 50, 100 };
	struct held h;

	fill(p, 8, 'a');
	memset(buf, 'x', PG);
	h = hold(now_x, p);
	EXPECT_EQ(100, process_vm_writev(h.pid, &from, 1, &to, 1, 0));
	EXPECT_TRUE(filled(p, 8, 'a'));
	EXPECT_TRUE(let_go(&h));
}

TEST(vm_writev_respects_protection)
{
	char *p = anon(2), *buf = anon(1);
	struct iovec from = { buf, 8 }, to = { p, 8 };
	struct held h;

	mprotect(p, PG, PROT_READ);
	h = hold(NULL, NULL);
	EXPECT_EQ(-1, process_vm_writev(h.pid, &from, 1, &to, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(let_go(&h));
}

TEST(debugger_peeks_and_pokes)
{
	static const long constant = 0x1234567;
	char *p = anon(8);
	struct held h;
	int status;

	fill(p, 8, 'a');
	h = hold(NULL, NULL);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, h.pid, NULL, NULL));
	waitpid(h.pid, &status, 0);
	EXPECT_EQ(-1UL / 255 * 0x61, ptrace(PTRACE_PEEKDATA, h.pid, p, NULL));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, h.pid, p + PG, 0x42));
	EXPECT_EQ(0x42, ptrace(PTRACE_PEEKDATA, h.pid, p + PG, NULL));
	EXPECT_EQ('b', peek(p + PG));
	/* A debugger may write what the process itself may not. */
	EXPECT_EQ(0x1234567, ptrace(PTRACE_PEEKDATA, h.pid, &constant, NULL));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, h.pid, &constant, 7));
	EXPECT_EQ(7, ptrace(PTRACE_PEEKDATA, h.pid, &constant, NULL));
	EXPECT_EQ(0x1234567, *(const long *)__builtin_assume_aligned(&constant, 8));
	errno = 0;
	EXPECT_EQ(-1, ptrace(PTRACE_PEEKDATA, h.pid, 8, NULL));
	EXPECT_EQ(EIO, errno);
	ptrace(PTRACE_DETACH, h.pid, NULL, NULL);
	EXPECT_TRUE(let_go(&h));
}

TEST(proc_mem)
{
	char *p = anon(8), buf[16];
	int fd = open("/proc/self/mem", O_RDWR);

	fill(p, 8, 'a');
	ASSERT_LE(0, fd);
	EXPECT_EQ(16, pread(fd, buf, 16, (unsigned long)p + PG - 8));
	EXPECT_EQ(0, memcmp(buf, "aaaaaaaabbbbbbbb", 16));
	EXPECT_EQ(4, pwrite(fd, "wxyz", 4, (unsigned long)p + 3 * PG - 2));
	EXPECT_EQ('x', peek(p + 3 * PG - 1));
	EXPECT_EQ('y', peek(p + 3 * PG));
	/* Through protection, into a private copy. */
	mprotect(p, PG, PROT_READ);
	EXPECT_EQ(1, pwrite(fd, "Z", 1, (unsigned long)p));
	EXPECT_EQ('Z', peek(p));
	EXPECT_EQ(SEGV_DENIED, try_write(p));
	munmap(p + 4 * PG, PG);
	EXPECT_EQ(-1, pread(fd, buf, 16, (unsigned long)p + 4 * PG));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(8, pread(fd, buf, 16, (unsigned long)p + 4 * PG - 8));
}

TEST(proc_mem_forces_a_copy_of_file_pages)
{
	int mem = open("/proc/self/mem", O_RDWR), fd = memory_file(2, 'a');
	char *p = mmap(NULL, 2 * PG, PROT_READ, MAP_PRIVATE, fd, 0), c;
	char *s = mmap(NULL, 2 * PG, PROT_READ, MAP_SHARED, fd, 0);

	peek(p);
	EXPECT_EQ(1, pwrite(mem, "Z", 1, (unsigned long)p));
	EXPECT_EQ('Z', peek(p));
	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	EXPECT_EQ('a', c);
	EXPECT_EQ('a', peek(s));
	EXPECT_NE(frame_of(0, s), frame_of(0, p));
}

TEST(spliced_pages_are_a_snapshot_of_the_childs_or_parents)
{
	char *p = anon(2), *buf = anon(1);
	struct iovec v = { p, PG };
	int fd[2], status, done[2];
	pid_t pid;
	char c;

	/* The child's page in the pipe must not show what the parent writes. */
	fill(p, 2, 'a');
	ASSERT_EQ(0, pipe(fd));
	ASSERT_EQ(0, pipe(done));
	pid = fork();
	if (!pid) {
		if (vmsplice(fd[1], &v, 1, 0) != PG)
			_exit(1);
		munmap(p, 2 * PG);
		write(done[1], "", 1);
		_exit(0);
	}
	EXPECT_EQ(1, read(done[0], &c, 1));
	memset(p, 'S', PG);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(PG, read(fd[0], buf, PG));
	EXPECT_TRUE(filled(buf, 1, 'a'));
	EXPECT_EQ('S', peek(p));
}

TEST(spliced_pages_are_a_snapshot_from_before_fork)
{
	char *p = anon(1024), *m = p + 512 * PG, *buf = anon(1), c;
	struct iovec v = { m, PG };
	int fd[2], go[2], status;
	pid_t pid;

	/* Pages enough that fork may share their table, and one is in a pipe. */
	fill(p, 1024, 1);
	memset(m, 'a', PG);
	ASSERT_EQ(0, pipe(fd));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(PG, vmsplice(fd[1], &v, 1, 0));

	/* The child has gone, and the memory is ours alone. */
	pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, &status, 0);
	memset(m, 'S', PG);
	EXPECT_EQ(PG, read(fd[0], buf, PG));
	EXPECT_TRUE(filled(buf, 1, 'a'));

	/* We have gone, and it is the child's alone. */
	memset(m, 'b', PG);
	ASSERT_EQ(PG, vmsplice(fd[1], &v, 1, 0));
	pid = fork();
	if (!pid) {
		close(go[1]);
		read(go[0], &c, 1);
		memset(m, 'S', PG);
		_exit(0);
	}
	munmap(p, 1024 * PG);
	close(go[1]);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(PG, read(fd[0], buf, PG));
	EXPECT_TRUE(filled(buf, 1, 'b'));
}

static char *aligned(size_t pages)
{
	return anon(pages);
}

TEST(direct_input_and_output)
{
	char *p = aligned(16), path[300];
	int fd;

	if (!disk_dir())
		SKIP(return, "no ext4 disk");
	snprintf(path, sizeof(path), "%s/direct.%d", disk_dir(), getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600);
	ASSERT_LE(0, fd);
	unlink(path);
	fill(p, 16, 'a');
	EXPECT_EQ(16 * PG, pwrite(fd, p, 16 * PG, 0));
	fill(p, 16, 0);
	/* Into pages that were dropped, so that pinning has to fault. */
	madvise(p, 8 * PG, MADV_DONTNEED);
	EXPECT_EQ(16 * PG, pread(fd, p, 16 * PG, 0));
	EXPECT_TRUE(filled(p, 16, 'a'));
	mprotect(p, PG, PROT_READ);
	EXPECT_EQ(-1, pread(fd, p, PG, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(PG, pwrite(fd, p, PG, 0));
	EXPECT_EQ(-1, pwrite(fd, (void *)PG, PG, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST(direct_input_into_pages_shared_with_a_child)
{
	char *p = aligned(8), path[300];
	struct held h;
	int fd;

	if (!disk_dir())
		SKIP(return, "no ext4 disk");
	snprintf(path, sizeof(path), "%s/direct.%d", disk_dir(), getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600);
	ASSERT_LE(0, fd);
	unlink(path);
	fill(p, 8, 'k');
	EXPECT_EQ(8 * PG, pwrite(fd, p, 8 * PG, 0));
	fill(p, 8, 'a');
	h = hold(still_a, p);
	EXPECT_EQ(8 * PG, pread(fd, p, 8 * PG, 0));
	EXPECT_TRUE(filled(p, 8, 'k'));
	EXPECT_TRUE(let_go(&h));
}

static long ring_setup(struct io_uring_params *par)
{
	memset(par, 0, sizeof(*par));
	return syscall(SYS_io_uring_setup, 4, par);
}

TEST(registered_buffers_survive_fork)
{
	struct iovec v = { anon(4), 4 * PG };
	unsigned int *sq, *tail, *mask, *array;
	struct io_uring_params par;
	struct io_uring_sqe *sqe;
	int fd[2], ring = ring_setup(&par);
	char *p = v.iov_base, *cq;
	struct held h;

	if (ring < 0)
		SKIP(return, "no io_uring here");
	fill(p, 4, 'a');
	ASSERT_EQ(0, pipe(fd));
	ASSERT_EQ(0, syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &v, 1));
	EXPECT_LT(0, status_field(0, "VmPin"));
	cq = mmap(NULL, par.sq_off.array + 4 * sizeof(int) + 4096, RW, MAP_SHARED, ring,
		  IORING_OFF_SQ_RING);
	sqe = mmap(NULL, 4 * sizeof(*sqe), RW, MAP_SHARED, ring, IORING_OFF_SQES);
	ASSERT_NE(MAP_FAILED, (void *)sqe);
	ASSERT_NE(MAP_FAILED, cq);
	/* After a fork and a write the kernel must still have our page. */
	h = hold(NULL, NULL);
	fill(p, 4, 'k');
	tail = (unsigned int *)(cq + par.sq_off.tail);
	mask = (unsigned int *)(cq + par.sq_off.ring_mask);
	array = (unsigned int *)(cq + par.sq_off.array);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_WRITE_FIXED;
	sqe->fd = fd[1];
	sqe->addr = (unsigned long)p;
	sqe->len = 100;
	array[*tail & *mask] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	ASSERT_EQ(1, syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	sq = (unsigned int *)anon(1);
	EXPECT_EQ(100, read(fd[0], sq, 100));
	EXPECT_EQ('k', *(char *)sq);
	EXPECT_TRUE(let_go(&h));
	EXPECT_EQ(0, syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0));
	EXPECT_EQ(0, status_field(0, "VmPin"));
}

/* The kernel's own test device, /sys/kernel/debug/gup_test. */
struct gup_test {
	unsigned long long get_us, put_us;
	unsigned long long addr, size;
	unsigned int nr_pages_per_call, gup_flags, test_flags;
	unsigned int which[8];
};

#define GUP_FAST	_IOWR('g', 1, struct gup_test)
#define PIN_FAST	_IOWR('g', 2, struct gup_test)
#define PIN_LONGTERM	_IOWR('g', 3, struct gup_test)
#define GUP_BASIC	_IOWR('g', 4, struct gup_test)
#define PIN_BASIC	_IOWR('g', 5, struct gup_test)
#define FOLL_WRITE	1

static bool gup_all(char *p, size_t pages, unsigned int flags, size_t want)
{
	static const unsigned long cmds[] = {
		GUP_FAST, PIN_FAST, PIN_LONGTERM, GUP_BASIC, PIN_BASIC,
	};
	int fd = open("/sys/kernel/debug/gup_test", O_RDWR);
	bool right = true;

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		struct gup_test g = {
			.addr = (unsigned long)p,
			.size = pages * PG,
			.nr_pages_per_call = 8,
			.gup_flags = flags,
		};
		int r = ioctl(fd, cmds[i], &g);

		right &= want ? r == 0 && g.size == want * PG : r < 0 || g.size == 0;
	}
	close(fd);
	return right;
}

TEST(gup_test_device)
{
	int fd = memory_file(16, 'a');
	char *p = anon(64), *q = mmap(NULL, 16 * PG, RW, MAP_SHARED, fd, 0);
	char *r = mmap(NULL, 16 * PG, PROT_READ, MAP_PRIVATE, fd, 0);

	if (access("/sys/kernel/debug/gup_test", R_OK))
		SKIP(return, "no gup_test device");
	EXPECT_TRUE(gup_all(p, 64, FOLL_WRITE, 64));
	EXPECT_EQ(64, resident(0, p, 64));
	fill(p, 64, 1);
	EXPECT_TRUE(gup_all(p, 64, 0, 64));
	EXPECT_TRUE(filled(p, 64, 1));
	EXPECT_TRUE(gup_all(q, 16, FOLL_WRITE, 16));
	EXPECT_TRUE(gup_all(r, 16, 0, 16));
	EXPECT_TRUE(gup_all(r, 16, FOLL_WRITE, 0));
	mprotect(p, 64 * PG, PROT_NONE);
	/* Where PROT_NONE is software's business, stock looks at the area too late. */
#ifdef __riscv
	if (access("/sys/kernel/mm/pagoda", F_OK))
		return;
#endif
	EXPECT_TRUE(gup_all(p, 64, 0, 0));
}

TEST(gup_test_device_on_shared_with_child)
{
	char *p = anon(8);
	unsigned long before[8], after[8];
	struct held h;

	if (access("/sys/kernel/debug/gup_test", R_OK))
		SKIP(return, "no gup_test device");
	fill(p, 8, 'a');
	frames_of(0, p, 8, before);
	h = hold(still_a, p);
	/* Pinning for write ends the sharing; a later write keeps the frame. */
	EXPECT_TRUE(gup_all(p, 8, FOLL_WRITE, 8));
	frames_of(0, p, 8, after);
	for (int i = 0; i < 8; i++)
		EXPECT_NE(before[i], after[i]);
	fill(p, 8, 'k');
	frames_of(0, p, 8, before);
	EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
	EXPECT_TRUE(let_go(&h));
}

TEST_HARNESS_MAIN
