// SPDX-License-Identifier: GPL-2.0
/*
 * What the administrator can set: sysctls, debugfs, module and boot
 * parameters, and Pagoda's own knobs.
 */
#include "suite.h"

#define AROUND	"/sys/kernel/debug/fault_around_bytes"
#define IGNORE	"/sys/module/kernel/parameters/ignore_rlimit_data"
#define KNOBS	"/sys/kernel/mm/pagoda/"

/* Set it; 0 or the error. */
static int set(const char *path, const char *text)
{
	return write_text(path, text) ? errno : 0;
}

/* The number behind NAME= on the kernel's command line, or -1. */
static long boot_parameter(const char *name)
{
	static char line[4096];
	int fd = open("/proc/cmdline", O_RDONLY);
	char *word;

	memset(line, 0, sizeof(line));
	read(fd, line, sizeof(line) - 1);
	close(fd);
	line[strcspn(line, "\n")] = '\0';
	for (word = strtok(line, " "); word; word = strtok(NULL, " "))
		if (!strncmp(word, name, strlen(name)))
			return strtol(word + strlen(name), NULL, 0);
	return -1;
}

/* How many pages of a cached file one read maps. */
static long mapped_by_one_read(void)
{
	int fd = memory_file(64, 'a');
	char *p = mmap((void *)(256 * MIB), 64 * PG, PROT_READ,
		       MAP_SHARED | MAP_FIXED, fd, 0);
	long n;

	peek(p + 21 * PG);
	n = resident(getpid(), p, 64);
	munmap(p, 64 * PG);
	close(fd);
	return n;
}

FIXTURE(around)
{
	char before[32];
};

FIXTURE_SETUP(around)
{
	ASSERT_LT(0, read_number(AROUND));
	snprintf(self->before, sizeof(self->before), "%ld", read_number(AROUND));
}

FIXTURE_TEARDOWN(around)
{
	set(AROUND, self->before);
}

TEST_F(around, maps_that_much)
{
	EXPECT_EQ(65536, read_number(AROUND));
	EXPECT_EQ(16, mapped_by_one_read());
	EXPECT_EQ(0, set(AROUND, "32768"));
	EXPECT_EQ(8, mapped_by_one_read());
	EXPECT_EQ(0, set(AROUND, "4096"));
	EXPECT_EQ(1, mapped_by_one_read());
	EXPECT_EQ(0, set(AROUND, "2097152"));
	EXPECT_EQ(64, mapped_by_one_read());
}

TEST_F(around, takes_powers_of_two_of_pages)
{
	EXPECT_EQ(0, set(AROUND, "20000"));
	EXPECT_EQ(16384, read_number(AROUND));
	EXPECT_EQ(0, set(AROUND, "0"));
	EXPECT_EQ(4096, read_number(AROUND));
	EXPECT_EQ(EINVAL, set(AROUND, "1073741824"));
	EXPECT_EQ(4096, read_number(AROUND));
	EXPECT_EQ(EINVAL, set(AROUND, "many"));
}

/* RLIMIT_DATA holds unless the administrator says otherwise. */
TEST(data_limit_can_be_waived)
{
	char *p;

	ASSERT_EQ(0, read_number(IGNORE) > 0);
	ASSERT_EQ(0, limit(RLIMIT_DATA, 16 * MIB));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 64 * MIB, RW, PRIVATE_ANON, -1, 0));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, set(IGNORE, "Y"));
	p = mmap(NULL, 64 * MIB, RW, PRIVATE_ANON, -1, 0);
	EXPECT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, set(IGNORE, "N"));
	munmap(p, 64 * MIB);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 64 * MIB, RW, PRIVATE_ANON, -1, 0));
}

/* What is kept for root and for users is a small part of memory at first. */
TEST(reserves_are_small)
{
	long admin = read_number("/proc/sys/vm/admin_reserve_kbytes");
	long user = read_number("/proc/sys/vm/user_reserve_kbytes");

	EXPECT_LT(0, admin);
	EXPECT_LE(admin, 8192);
	EXPECT_LT(0, user);
	EXPECT_LE(user, 131072);
	EXPECT_LE(user, field_kib("/proc/meminfo", "MemTotal") / 32);
}

/* stack_guard_gap= is the distance a stack keeps; without it, 256 pages. */
TEST(stack_keeps_its_distance)
{
	long pages = boot_parameter("stack_guard_gap=");
	size_t gap = (pages < 0 ? 256 : pages) * PG;
	char *base = mmap(NULL, gap + 64 * PG, PROT_NONE, PRIVATE_ANON, -1, 0);
	char *stack = base + gap + 32 * PG;

	ASSERT_NE(MAP_FAILED, base);
	ASSERT_EQ(0, munmap(base, gap + 64 * PG));
	ASSERT_EQ(base, mmap(base, PG, RW, PRIVATE_ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(stack, mmap(stack, 4 * PG, RW, PRIVATE_ANON | MAP_FIXED |
			      MAP_GROWSDOWN, -1, 0));
	EXPECT_EQ(NO_FAULT, try_write(base + PG + gap));
	EXPECT_EQ(SEGV_NOTHING, try_write(base + gap));
}

/* norandmaps fixes the layout; the sysctl can bring chance back. */
TEST(layout_is_random_unless_told)
{
	EXPECT_EQ(boot_parameter("norandmaps") >= 0 ? 0 : 2,
		  read_number("/proc/sys/kernel/randomize_va_space"));
	EXPECT_EQ(0, set("/proc/sys/kernel/randomize_va_space", "2"));
	EXPECT_EQ(0, system("grep stack /proc/self/maps >/tmp/one"));
	EXPECT_EQ(0, system("grep stack /proc/self/maps >/tmp/two"));
	EXPECT_NE(0, system("cmp -s /tmp/one /tmp/two"));
}

FIXTURE(pagoda)
{
	long share, least;
};

FIXTURE_SETUP(pagoda)
{
	self->share = read_number(KNOBS "share");
	self->least = read_number(KNOBS "share_min_pages");
	if (self->share < 0)
		SKIP(return, "this is not Pagoda");
}

FIXTURE_TEARDOWN(pagoda)
{
	char text[32];

	set(KNOBS "share", self->share ? "1" : "0");
	snprintf(text, sizeof(text), "%ld", self->least);
	set(KNOBS "share_min_pages", text);
}

TEST_F(pagoda, boots_as_told)
{
	long told = boot_parameter("pagoda_share=");

	EXPECT_EQ(told < 0 ? 1 : told, self->share);
	EXPECT_EQ(64, self->least);
}

TEST_F(pagoda, takes_only_what_makes_sense)
{
	EXPECT_EQ(EINVAL, set(KNOBS "share", "perhaps"));
	EXPECT_EQ(self->share, read_number(KNOBS "share"));
	EXPECT_EQ(EINVAL, set(KNOBS "share_min_pages", "0"));
	EXPECT_EQ(EINVAL, set(KNOBS "share_min_pages", "-1"));
	EXPECT_EQ(EINVAL, set(KNOBS "share_min_pages", "few"));
	EXPECT_EQ(ERANGE, set(KNOBS "share_min_pages", "99999999999"));
	EXPECT_EQ(64, read_number(KNOBS "share_min_pages"));
}

static int write_a_byte(void *p)
{
	poke(p, 2);
	return 0;
}

/* Fork copies or shares a table of @pages pages: how many more were shared? */
static long shared_by_fork(size_t pages)
{
	char *p = mmap((void *)(64UL << 30), pages * PG, RW, PRIVATE_ANON | MAP_FIXED,
		       -1, 0);
	long before;

	memset(p, 1, pages * PG);
	before = read_number(KNOBS "tables_shared");
	run_child(write_a_byte, p);
	munmap(p, pages * PG);
	return read_number(KNOBS "tables_shared") - before;
}

TEST_F(pagoda, decide_what_fork_shares)
{
	long few, many, copied = read_number(KNOBS "tables_copied");

	EXPECT_EQ(0, set(KNOBS "share", "1"));
	/* Far from the limit: a process's pages are counted by processor. */
	EXPECT_EQ(0, set(KNOBS "share_min_pages", "200"));
	few = shared_by_fork(90);
	many = shared_by_fork(400);
	EXPECT_LT(few, many);
	/* The child wrote: it has a copy, or the table was handed to it. */
	EXPECT_LT(copied, read_number(KNOBS "tables_copied") +
		  read_number(KNOBS "tables_taken_back"));
	EXPECT_EQ(0, set(KNOBS "share", "0"));
	EXPECT_EQ(0, shared_by_fork(400));
}

TEST_HARNESS_MAIN
