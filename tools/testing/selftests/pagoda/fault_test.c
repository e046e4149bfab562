// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults of every kind, from user mode, from the kernel's own copying,
 * and from many threads at once.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "suite.h"

/* Write every other page in scattered order; the faults that took. */
static long touch_odd(char *p)
{
	long n = faults();

	for (int i = 1; i < 64; i += 2)
		poke(p + (i * 29 % 64) * PG, 1);
	return faults() - n;
}

TEST(one_fault_a_page)
{
	char *p = anon(64), *warm = anon(64);

	/* Once for the pages of stack and text that this needs itself. */
	touch_odd(warm);
	EXPECT_EQ(32, touch_odd(p));
	EXPECT_EQ(0, touch_odd(p));
	EXPECT_EQ(32, resident(0, p, 64));
}

TEST(read_then_write)
{
	char *p = anon(4), *warm = p + 3 * PG;
	long n, rss;

	peek(warm);
	poke(warm, 1);
	rss = smaps_field(0, p, "Rss");
	n = faults();
	EXPECT_EQ(0, peek(p));
	EXPECT_EQ(1, faults() - n);
	EXPECT_EQ(rss, smaps_field(0, p, "Rss"));
	n = faults();
	poke(p, 5);
	EXPECT_EQ(1, faults() - n);
	EXPECT_EQ(5, peek(p));
	EXPECT_EQ(0, peek(p + 1));
	EXPECT_EQ(rss + (long)(PG / KIB), smaps_field(0, p, "Rss"));
}

TEST(file_read_brings_neighbours)
{
	int fd = memory_file(64, 1);
	char *p = mmap(NULL, 64 * PG, PROT_READ, MAP_SHARED, fd, 0);
	long n = faults();

	for (int i = 0; i < 64; i++)
		EXPECT_EQ((char)(1 + i), peek(p + i * PG));
	EXPECT_GT(64, faults() - n);
}

TEST(private_write_copies)
{
	int fd = memory_file(4, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0);
	char *s = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0);

	poke(p, 'X');
	EXPECT_EQ('a', peek(s));
	EXPECT_EQ('a', peek(p + 1));
	EXPECT_NE(frame_of(0, p), frame_of(0, s));
	/* A read first, then the write. */
	EXPECT_EQ('b', peek(p + PG));
	EXPECT_EQ(frame_of(0, s + PG) ? frame_of(0, s + PG) : (peek(s + PG), frame_of(0, s + PG)),
		  frame_of(0, p + PG));
	poke(p + PG, 'Y');
	EXPECT_EQ('b', peek(s + PG));
	poke(s + 2 * PG, 'Z');
	EXPECT_EQ('Z', peek(p + 2 * PG));
}

TEST(beyond_the_end_of_a_file)
{
	int fd = memory_file(2, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0);

	EXPECT_EQ(BUS_BEYOND, try_read(p + 2 * PG));
	EXPECT_EQ((unsigned long)(p + 2 * PG), fault_addr);
	EXPECT_EQ(BUS_BEYOND, try_write(p + 3 * PG + 5));
	EXPECT_EQ(BUS_BEYOND, try_write(q + 2 * PG));
	/* The last page reads zero beyond the end, and can be written. */
	ftruncate(fd, PG + 100);
	EXPECT_EQ('b', peek(p + PG + 99));
	EXPECT_EQ(0, peek(p + PG + 100));
	ftruncate(fd, 4 * PG);
	EXPECT_EQ(NO_FAULT, try_write(p + 3 * PG));
}

TEST(addresses_that_are_nobodys)
{
	char *p = anon(3);

	munmap(p + PG, PG);
	EXPECT_EQ(SEGV_NOTHING, try_read(p + PG));
	EXPECT_EQ(SEGV_NOTHING, try_write(p + PG));
	EXPECT_EQ(SEGV_NOTHING, try_exec(p + PG));
	EXPECT_EQ(SEGV_NOTHING, try_read((void *)16));
#ifdef __x86_64__
	EXPECT_EQ(SEGV_NOTHING, try_read((void *)0xffffffff81000000));
	EXPECT_EQ(0xffffffff81000000, fault_addr);
	EXPECT_EQ(SEGV_NOTHING, try_write((void *)0xffff888000000000));
	EXPECT_EQ(SEGV_NOTHING, try_exec((void *)0xffffffff81000000));
	/* Not an address at all: the processor says so without naming it. */
	EXPECT_EQ(SIGSEGV << 8 | (SI_KERNEL & 0xff), try_read((void *)0x8000000000000000));
	EXPECT_EQ(0, fault_addr);
#endif
}

#ifdef __x86_64__
TEST(vsyscall_page)
{
	long (*vtime)(long *) = (void *)0xffffffffff600400;
	struct area a;

	if (!area_at(0, (void *)0xffffffffff600000, &a))
		SKIP(return, "no vsyscall page here");
	EXPECT_LT(1500000000, vtime(NULL));
	EXPECT_EQ(a.prot[0] == 'r' ? NO_FAULT : SEGV_NOTHING,
		  try_read((void *)0xffffffffff600000));
	EXPECT_NE(NO_FAULT, try_write((void *)0xffffffffff600000));
	EXPECT_NE(NO_FAULT, try_exec((void *)0xffffffffff600404));
}
#endif

TEST(the_kernel_reads_and_writes_user_memory)
{
	char *p = anon(8);
	int zero = open("/dev/zero", O_RDONLY), fd[2];

	/* Into pages that are not there yet, across a boundary. */
	ASSERT_EQ(0, pipe(fd));
	memset(p, 'x', 100);
	EXPECT_EQ(100, write(fd[1], p, 100));
	EXPECT_EQ(100, read(fd[0], p + 3 * PG - 50, 100));
	EXPECT_EQ('x', peek(p + 3 * PG - 1));
	EXPECT_EQ('x', peek(p + 3 * PG));
	EXPECT_EQ(2 * PG, read(zero, p + 4 * PG, 2 * PG));
	/* From a page that was never touched: zeroes. */
	EXPECT_EQ(10, write(fd[1], p + 7 * PG, 10));
	EXPECT_EQ(10, read(fd[0], p, 10));
	EXPECT_EQ(0, peek(p));
	EXPECT_EQ('x', peek(p + 10));
}

TEST(efault)
{
	int fd[2], zero = open("/dev/zero", O_RDONLY);
	char *p = anon(3), *ro = anon(1);
	struct iovec v = { p, 8 };
	ssize_t some;

	ASSERT_EQ(0, pipe(fd));
	munmap(p + PG, PG);
	mprotect(ro, PG, PROT_READ);
	EXPECT_EQ(-1, write(fd[1], p + PG, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(zero, p + PG, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(zero, ro, 8));
	EXPECT_EQ(EFAULT, errno);
	/* Half of it is there. */
	EXPECT_EQ(8, write(fd[1], p, 8));
	EXPECT_EQ(8, read(fd[0], p + PG - 8, 8));
	/* Of what there is room for, a few bytes fewer may be done. */
	some = read(zero, p + PG - 100, 200);
	EXPECT_GE(100, some);
	EXPECT_LT(100 - 16, some);
	EXPECT_EQ(-1, stat((char *)(p + PG), (struct stat *)p));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, writev(fd[1], (struct iovec *)(p + PG), 1));
	EXPECT_EQ(EFAULT, errno);
	v.iov_base = (void *)0xffffffff81000000;
	EXPECT_EQ(-1, writev(fd[1], &v, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pipe((int *)ro));
	EXPECT_EQ(EFAULT, errno);
}

TEST(efault_beyond_a_file)
{
	char *p = mmap(NULL, 2 * PG, RW, MAP_SHARED, memory_file(1, 'a'), 0);
	int zero = open("/dev/zero", O_RDONLY);

	EXPECT_EQ(-1, read(zero, p + PG, 8));
	EXPECT_EQ(EFAULT, errno);
}

#define THREADS		4
#define SHARE		64

struct racer {
	pthread_t thread;
	char *p;
	int fd;
	int id;
	long bad;
};

static void *touch_all(void *arg)
{
	struct racer *r = arg;

	/* Each byte is one thread's own, each page everybody's. */
	for (int i = 0; i < SHARE; i++)
		poke(r->p + ((i + r->id * 7) % SHARE) * PG + r->id, 'a' + r->id);
	return NULL;
}

static void race(struct racer *r, void *(*fn)(void *), char *p, int fd)
{
	for (int i = 0; i < THREADS; i++) {
		r[i] = (struct racer){ .p = p, .id = i, .fd = fd };
		pthread_create(&r[i].thread, NULL, fn, &r[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(r[i].thread, NULL);
}

static int lost_bytes(const char *p)
{
	int lost = 0;

	for (int i = 0; i < SHARE; i++)
		for (int t = 0; t < THREADS; t++)
			lost += peek(p + i * PG + t) != 'a' + t;
	return lost;
}

TEST(threads_fault_the_same_pages)
{
	struct racer r[THREADS];
	int fd = memory_file(SHARE, 'z');

	for (int round = 0; round < 10; round++) {
		char *p = anon(SHARE);
		char *q = mmap(NULL, SHARE * PG, RW, MAP_PRIVATE, fd, 0);
		char *s = mmap(NULL, SHARE * PG, RW, MAP_SHARED, fd, 0);

		race(r, touch_all, p, 0);
		EXPECT_EQ(0, lost_bytes(p));
		EXPECT_EQ((long)(SHARE * PG / KIB), smaps_field(0, p, "Rss"));
		race(r, touch_all, q, 0);
		EXPECT_EQ(0, lost_bytes(q));
		race(r, touch_all, s, 0);
		EXPECT_EQ(0, lost_bytes(s));
		munmap(p, SHARE * PG);
		munmap(q, SHARE * PG);
		munmap(s, SHARE * PG);
	}
}

static void *touch_under_change(void *arg)
{
	struct racer *r = arg;

	for (int i = 0; i < 2000; i++) {
		char *at = r->p + ((i * 13 + r->id) % SHARE) * PG;

		if (r->id == 0) {
			madvise(at, PG, MADV_DONTNEED);
		} else if (r->id == 1) {
			mprotect(at, PG, PROT_READ);
			mprotect(at, PG, RW);
		} else {
			int how = try_write(at + r->id);
			char c = peek(at + r->id);

			r->bad += how != NO_FAULT && how != SEGV_DENIED;
			r->bad += c != 0 && c != 0x77;
		}
	}
	return NULL;
}

TEST(threads_fault_while_areas_change)
{
	struct racer r[THREADS];
	char *p = anon(SHARE);

	race(r, touch_under_change, p, 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ(0, r[i].bad);
	munmap(p, SHARE * PG);
}

static void *map_and_unmap(void *arg)
{
	struct racer *r = arg;

	for (int i = 0; i < 300; i++) {
		char *p = mmap(NULL, 8 * PG, RW, PRIVATE_ANON, -1, 0);

		fill(p, 8, r->id);
		r->bad += !filled(p, 8, r->id);
		munmap(p, 4 * PG);
		r->bad += !filled(p + 4 * PG, 4, r->id + 4);
		munmap(p + 4 * PG, 4 * PG);
	}
	return NULL;
}

TEST(threads_map_and_unmap)
{
	long before = status_field(0, "VmSize"), after;
	struct racer r[THREADS];

	race(r, map_and_unmap, NULL, 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ(0, r[i].bad);
	after = status_field(0, "VmSize");
	/* The library keeps the stacks and arenas of its threads. */
	EXPECT_GE(before + THREADS * (8L * 1024 + 128L * 1024 + 64), after);
}

static char *stack_low;

static void dig(int depth)
{
	char page[4096];

	poke(page, 1);
	stack_low = page;
	if (depth > 1)
		dig(depth - 1);
	poke(page + 1, 1);
}

TEST(stack_grows)
{
	struct area before = { 0 }, after;

	ASSERT_TRUE(area_at(0, &before, &before));
	dig(256);
	ASSERT_TRUE(area_at(0, &before, &after));
	EXPECT_LE(before.end - before.start + 64 * 4096, after.end - after.start);
	EXPECT_EQ(before.end, after.end);
	EXPECT_LE(256 * 4096 / KIB, (unsigned long)status_field(0, "VmStk"));
}

static int dig_deep(void *arg)
{
	stack_t ss = { .ss_sp = anon(16), .ss_size = 16 * PG };

	sigaltstack(&ss, NULL);
	limit(RLIMIT_STACK, 1 * MIB);
	try_read(arg);
	limit(RLIMIT_CORE, 0);
	dig(200);
	signal(SIGSEGV, SIG_DFL);
	dig(2000);
	return 0;
}

TEST(stack_stops_at_its_limit)
{
	EXPECT_EQ(1000 + SIGSEGV, run_child(dig_deep, anon(1)));
}

TEST(signal_frame_on_a_bad_stack_kills)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		stack_t ss = { .ss_sp = anon(16), .ss_size = 16 * PG };

		limit(RLIMIT_CORE, 0);
		sigaltstack(&ss, NULL);
		try_read(ss.ss_sp);
		munmap(ss.ss_sp, 16 * PG);
		try_read(NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
}

TEST(device_memory)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0);
	char *s = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, s);
	fill(p, 4, 'a');
	EXPECT_TRUE(filled(p, 4, 'a'));
	fill(s, 4, 'b');
	EXPECT_TRUE(filled(s, 4, 'b'));
}

#ifdef __x86_64__
TEST(physical_memory_device)
{
	int fd = open("/dev/mem", O_RDONLY);
	char *p;

	if (fd < 0)
		SKIP(return, "no /dev/mem here");
	p = mmap(NULL, 16 * PG, PROT_READ, MAP_SHARED, fd, 0xf0000);
	if (p == MAP_FAILED)
		SKIP(return, "/dev/mem is guarded");
	/* The firmware's date, and the jump that the processor starts with. */
	EXPECT_EQ('/', peek(p + 0xfff7));
	EXPECT_TRUE(vmflag(0, p, "pf"));
	EXPECT_EQ(SEGV_DENIED, try_write(p));
	EXPECT_EQ(0, munmap(p + 4 * PG, 4 * PG));
	EXPECT_EQ(SEGV_NOTHING, try_read(p + 5 * PG));
	EXPECT_EQ('/', peek(p + 0xfff7));
}
#endif

TEST_HARNESS_MAIN
