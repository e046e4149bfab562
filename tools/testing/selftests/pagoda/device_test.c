// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of devices, and objects whose pages only their owner knows: /dev/mem
 * and secret memory.
 *
 * What is written of /dev/mem is a page of the test's own, wherever that is; on
 * x86 the 16 bytes at 0x4f0, which the BIOS keeps for messages between programs
 * and which nobody uses any more.
 */
#include <stdint.h>
#include <sys/prctl.h>

#include "suite.h"

#define MESSAGES	0x4f0

/*
 * For arm64, Linux does not map RAM once more for a debugger, and warns; for RISC-V
 * it has no way to map frames for one.
 */
#if defined(__aarch64__) || defined(__riscv)
#define DEBUGGERS_SEE	false
#else
#define DEBUGGERS_SEE	true
#endif

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

/* The first of two frames that may be written to, as far as the messages go. */
static unsigned long first_frame(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return 0;
#else
	char *p = mmap(NULL, PG, RW, SHARED_ANON | MAP_LOCKED, -1, 0);

	return p == MAP_FAILED ? NO_FRAME : frame_of(0, p);
#endif
}

FIXTURE(mem)
{
	int fd, self;
	off_t frame;		/* where the page begins */
	char saved[16];
};

FIXTURE_SETUP(mem)
{
	self->fd = open("/dev/mem", O_RDWR);
	if (self->fd < 0 && mknod("/tmp/mem", S_IFCHR | 0600, 1 << 8 | 1) == 0)
		self->fd = open("/tmp/mem", O_RDWR);
	self->self = open("/proc/self/mem", O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_GE(self->self, 0);
	self->frame = first_frame() * (off_t)PG;
	ASSERT_EQ(16, pread(self->fd, self->saved, 16, self->frame + MESSAGES));
}

FIXTURE_TEARDOWN(mem)
{
	pwrite(self->fd, self->saved, 16, self->frame + MESSAGES);
	close(self->fd);
	close(self->self);
}

/* The file, a mapping of it, and a debugger's view of that are one memory. */
TEST_F(mem, all_views_agree)
{
	char *p = mmap(NULL, PG, RW, MAP_SHARED, self->fd, self->frame);
	char text[16];

	ASSERT_NE(MAP_FAILED, p);
	memcpy(p + MESSAGES, "through mapping", 16);
	EXPECT_EQ(16, pread(self->fd, text, 16, self->frame + MESSAGES));
	EXPECT_STREQ("through mapping", text);
	memset(text, 0, 16);
	if (DEBUGGERS_SEE) {
		EXPECT_EQ(16, pread(self->self, text, 16, (uintptr_t)p + MESSAGES));
		EXPECT_STREQ("through mapping", text);
		EXPECT_EQ(16, pwrite(self->self, "from a debugger", 16,
				     (uintptr_t)p + MESSAGES));
		EXPECT_STREQ("from a debugger", p + MESSAGES);
	}
	EXPECT_EQ(16, pwrite(self->fd, "into the device", 16, self->frame + MESSAGES));
	EXPECT_STREQ("into the device", p + MESSAGES);
	munmap(p, PG);
}

/* Not even a debugger writes to frames that are mapped read-only. */
TEST_F(mem, read_only_is_read_only)
{
	char *p = mmap(NULL, PG, PROT_READ, MAP_SHARED, self->fd, self->frame);
	char text[16];

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(SEGV_DENIED, try_write(p + MESSAGES));
	EXPECT_EQ(-1, pwrite(self->self, "x", 1, (uintptr_t)p + MESSAGES));
	if (DEBUGGERS_SEE) {
		EXPECT_EQ(16, pread(self->self, text, 16, (uintptr_t)p + MESSAGES));
		EXPECT_EQ(0, memcmp(text, self->saved, 16));
	}
	munmap(p, PG);
}

/* Frames are not counted and not locked, and gone when they are unmapped. */
TEST_F(mem, frames_are_not_pages)
{
	char *p = mmap(NULL, 2 * PG, RW, MAP_SHARED, self->fd, self->frame);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(NO_FAULT, try_read(p));
	EXPECT_EQ(0, smaps_field(getpid(), p, "Rss"));
	EXPECT_TRUE(vmflag(getpid(), p, "pf"));
	EXPECT_TRUE(vmflag(getpid(), p, "io"));
	EXPECT_EQ(-1, madvise(p, PG, MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, munmap(p + PG, PG));
	EXPECT_EQ(SEGV_NOTHING, try_read(p + PG));
	EXPECT_EQ(-1, pread(self->self, &errno, 1, (uintptr_t)p + PG));
	munmap(p, PG);
}

/* A private mapping shows the frames until it is written to. */
TEST_F(mem, private_copies)
{
	char *p = mmap(NULL, PG, RW, MAP_PRIVATE, self->fd, self->frame);
	char text[16];

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, memcmp(p + MESSAGES, self->saved, 16));
	memcpy(p + MESSAGES, "a private matter", 16);
	EXPECT_EQ(16, pread(self->fd, text, 16, self->frame + MESSAGES));
	EXPECT_EQ(0, memcmp(text, self->saved, 16));
	EXPECT_EQ(0, memcmp(p + MESSAGES, "a private matter", 16));
	munmap(p, PG);
}

static int look_at_frames(void *at)
{
	char *p = at;

	memcpy(p + MESSAGES, "said by a child", 16);
	return 0;
}

TEST_F(mem, shared_with_child)
{
	char *p = mmap(NULL, PG, RW, MAP_SHARED, self->fd, self->frame);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, run_child(look_at_frames, p));
	EXPECT_STREQ("said by a child", p + MESSAGES);
	munmap(p, PG);
}

/* Where no memory is, nothing is read; beyond what can be addressed, nothing is mapped. */
TEST_F(mem, ends_somewhere)
{
	char c;

	if (sizeof(long) == 8) {
		EXPECT_EQ(-1, pread(self->fd, &c, 1, 1LL << 45));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, pwrite(self->fd, "x", 1, 1LL << 45));
		EXPECT_EQ(EFAULT, errno);
	} else {
		/* There the file may end before that. */
		EXPECT_GE(0, pread(self->fd, &c, 1, 1LL << 45));
		EXPECT_EQ(-1, pwrite(self->fd, "x", 1, 1LL << 45));
	}
#ifndef __riscv	/* there Linux maps what no bus can carry */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, PROT_READ, MAP_SHARED, self->fd,
				   1LL << 56));
	EXPECT_EQ(EINVAL, errno);
#endif
}

FIXTURE(secret)
{
	int fd;
	char *p;
};

FIXTURE_SETUP(secret)
{
	self->fd = syscall(SYS_memfd_secret, 0);
	if (self->fd < 0 && errno == ENOSYS)
		SKIP(return, "no memfd_secret here");
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ftruncate(self->fd, 2 * PG));
	self->p = mmap(NULL, 4 * PG, RW, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(secret)
{
	if (self->fd < 0)
		return;
	munmap(self->p, 4 * PG);
	close(self->fd);
}

TEST_F(secret, read_then_written)
{
	EXPECT_EQ(0, peek(self->p));
	poke(self->p, 'a');
	poke(self->p + PG, 'b');
	EXPECT_EQ('a', peek(self->p));
	EXPECT_EQ('b', peek(self->p + PG));
	EXPECT_EQ(2, resident(getpid(), self->p, 2));
}

TEST_F(secret, ends_with_its_file)
{
	EXPECT_EQ(BUS_BEYOND, try_read(self->p + 2 * PG));
	EXPECT_EQ(BUS_BEYOND, try_write(self->p + 3 * PG));
	poke(self->p + PG, 'b');
	EXPECT_EQ('b', peek(self->p + PG));
}

TEST_F(secret, nobody_else_reaches_in)
{
	int fd = open("/proc/self/mem", O_RDWR);
	char c;

	poke(self->p, 's');
	EXPECT_EQ(-1, pread(fd, &c, 1, (uintptr_t)self->p));
	EXPECT_EQ(-1, pwrite(fd, "x", 1, (uintptr_t)self->p));
	EXPECT_EQ('s', peek(self->p));
	close(fd);
}

/* It has no name of its own, and cannot be given one. */
TEST_F(secret, takes_no_name)
{
	EXPECT_EQ(-1, prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, self->p, PG,
			    "secret"));
	EXPECT_EQ(EBADF, errno);
}

TEST_HARNESS_MAIN
