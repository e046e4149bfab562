// SPDX-License-Identifier: GPL-2.0
/*
 * Memory whose tags or branch targets an Arm processor checks: PROT_MTE and
 * PROT_BTI reach the page tables, and what they bring with them follows the
 * pages through fork, copies, moves and removals.
 */
#include <sys/auxv.h>
#include <sys/prctl.h>
#include "suite.h"

#ifndef PROT_BTI
#define PROT_BTI		0x10
#endif
#ifndef PROT_MTE
#define PROT_MTE		0x20
#endif
#ifndef HWCAP2_BTI
#define HWCAP2_BTI		(1 << 17)
#endif
#ifndef HWCAP2_MTE
#define HWCAP2_MTE		(1 << 18)
#endif
#ifndef SEGV_MTESERR
#define SEGV_MTESERR		9
#endif
#ifndef PR_MTE_TCF_SYNC
#define PR_MTE_TCF_SYNC		(1UL << 1)
#define PR_MTE_TAG_SHIFT	3
#endif

#define SEGV_TAG	(SIGSEGV << 8 | SEGV_MTESERR)
#define GRANULE		16

/* The same address with another tag. */
static char *tagged(const void *p, unsigned long tag)
{
	return (char *)(((unsigned long)p & ~(0xfUL << 56)) | tag << 56);
}

/* Give the granule at an address the tag that its pointer has. */
static void set_tag(char *p)
{
	asm volatile(".arch armv8.5-a+memtag\n\tstg %0, [%0]" : : "r" (p) : "memory");
}

static unsigned long get_tag(const char *p)
{
	asm volatile(".arch armv8.5-a+memtag\n\tldg %0, [%0]" : "+r" (p) : : "memory");
	return (unsigned long)p >> 56 & 0xf;
}

/* Tag the first granule of every page with @first, @first + 1, ... */
static void tag_pages(char *p, size_t pages, unsigned long first)
{
	for (size_t i = 0; i < pages; i++)
		set_tag(tagged(p + i * PG, (first + i) & 0xf));
}

static bool tags_are(const char *p, size_t pages, unsigned long first)
{
	for (size_t i = 0; i < pages; i++)
		if (get_tag(p + i * PG) != ((first + i) & 0xf))
			return false;
	return true;
}

static bool have(unsigned long hwcap2)
{
	return getauxval(AT_HWCAP2) & hwcap2;
}

static char *map(size_t pages, int prot, int flags, int fd)
{
	return mmap(NULL, pages * PG, prot, flags, fd, 0);
}

FIXTURE(tags) {
	char *p;
};

FIXTURE_SETUP(tags)
{
	if (!have(HWCAP2_MTE))
		SKIP(return, "this processor has no memory tags");
	ASSERT_EQ(0, prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE | PR_MTE_TCF_SYNC |
			   0xfffeUL << PR_MTE_TAG_SHIFT, 0, 0, 0));
	self->p = map(16, RW | PROT_MTE, PRIVATE_ANON, -1);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(tags)
{
}

TEST_F(tags, are_checked)
{
	char *p = self->p;

	EXPECT_TRUE(vmflag(0, p, "mt"));
	EXPECT_EQ(0, get_tag(p));
	EXPECT_EQ(NO_FAULT, try_write(p));
	set_tag(tagged(p, 5));
	EXPECT_EQ(5, get_tag(p));
	EXPECT_EQ(NO_FAULT, try_write(tagged(p, 5)));
	EXPECT_EQ(SEGV_TAG, try_write(p));
	EXPECT_EQ(SEGV_TAG, try_read(tagged(p, 6)));
	EXPECT_EQ(NO_FAULT, try_read(p + GRANULE));
	/* Other memory is as it always was, whatever the pointer's tag. */
	EXPECT_EQ(NO_FAULT, try_write(tagged(anon(1), 7)));
}

TEST_F(tags, are_checked_by_the_kernel)
{
	char *p = self->p;
	int fds[2];

	set_tag(tagged(p, 5));
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(8, write(fds[1], tagged(p, 5), 8));
	EXPECT_EQ(-1, write(fds[1], tagged(p, 6), 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(fds[0], tagged(p, 6), 8));
	EXPECT_EQ(EFAULT, errno);
}

/* A page that had none gets tags when it is allowed them, and keeps them. */
TEST_F(tags, come_with_mprotect)
{
	char *p = anon(4);

	fill(p, 4, 'a');
	EXPECT_FALSE(vmflag(0, p, "mt"));
	ASSERT_EQ(0, mprotect(p, 4 * PG, RW | PROT_MTE));
	EXPECT_TRUE(vmflag(0, p, "mt"));
	EXPECT_TRUE(filled(p, 4, 'a'));
	EXPECT_TRUE(get_tag(p) == 0 && get_tag(p + 3 * PG) == 0);
	tag_pages(p, 4, 3);
	EXPECT_EQ(SEGV_TAG, try_read(p));
	/* What is tagged once stays so. */
	ASSERT_EQ(0, mprotect(p, 4 * PG, PROT_READ));
	EXPECT_TRUE(vmflag(0, p, "mt"));
	EXPECT_EQ(SEGV_TAG, try_read(p));
	ASSERT_EQ(0, mprotect(p, 4 * PG, RW));
	EXPECT_TRUE(tags_are(p, 4, 3));
	EXPECT_EQ('a', peek(tagged(p, 3) + 1));
}

/* Pages enough to fill tables, which fork may share. */
#define MANY	(4 * MIB / PG)

static int child_of_tags(void *arg)
{
	char *p = arg;

	if (!tags_are(p, MANY, 1))
		return 1;
	/* A copy takes the tags along, one page and a table of them. */
	poke(tagged(p, 1) + 1, 'x');
	if (!tags_are(p, MANY, 1) || peek(tagged(p, 1) + 1) != 'x')
		return 2;
	tag_pages(p, MANY, 7);
	return tags_are(p, MANY, 7) ? 0 : 3;
}

TEST_F(tags, follow_fork)
{
	char *p = map(MANY, RW | PROT_MTE, PRIVATE_ANON, -1);

	ASSERT_NE(MAP_FAILED, p);
	fill(p, MANY, 'a');
	tag_pages(p, MANY, 1);
	EXPECT_EQ(0, run_child(child_of_tags, p));
	EXPECT_TRUE(tags_are(p, MANY, 1));
	EXPECT_EQ('a', peek(tagged(p, 1) + 1));
	/* Ours again, or copied: the tags are the same. */
	tag_pages(p, 2, 9);
	EXPECT_TRUE(tags_are(p, 2, 9));
	EXPECT_TRUE(tags_are(p + 2 * PG, MANY - 2, 3));
	EXPECT_EQ(NO_FAULT, try_write(tagged(p, 9)));
}

TEST_F(tags, follow_mremap)
{
	char *p = self->p, *q;

	fill(p, 16, 'a');
	tag_pages(p, 16, 2);
	q = mremap(p, 16 * PG, 32 * PG, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(vmflag(0, q, "mt"));
	EXPECT_TRUE(tags_are(q, 16, 2));
	EXPECT_EQ(0, get_tag(q + 16 * PG));
	EXPECT_EQ('a', peek(tagged(q, 2)));
}

TEST_F(tags, go_with_the_page)
{
	char *p = self->p;

	tag_pages(p, 16, 2);
	ASSERT_EQ(0, madvise(p, 4 * PG, MADV_DONTNEED));
	EXPECT_EQ(0, get_tag(p));
	EXPECT_EQ(NO_FAULT, try_write(p));
	EXPECT_TRUE(tags_are(p + 4 * PG, 12, 6));
}

/* A file in memory can have them, for all who map it; one on a disk cannot. */
TEST_F(tags, of_files)
{
	int fd = memory_file(4, 'a'), disk = disk_file(4, 'a');
	char *p = map(4, RW | PROT_MTE, MAP_SHARED, fd);
	char *q = map(4, RW | PROT_MTE, MAP_SHARED, fd), *r;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	tag_pages(p, 4, 4);
	EXPECT_TRUE(tags_are(q, 4, 4));
	EXPECT_EQ(SEGV_TAG, try_read(q));
	/* A private copy has tags of its own. */
	r = map(4, RW | PROT_MTE, MAP_PRIVATE, fd);
	ASSERT_NE(MAP_FAILED, r);
	EXPECT_TRUE(tags_are(r, 4, 4));
	poke(tagged(r, 4), 'x');
	tag_pages(r, 4, 9);
	EXPECT_TRUE(tags_are(r, 4, 9));
	EXPECT_TRUE(tags_are(p, 4, 4));
	EXPECT_EQ('a', peek(tagged(p, 4)));
	if (disk < 0)
		SKIP(return, "no disk here");
	EXPECT_EQ(MAP_FAILED, map(4, RW | PROT_MTE, MAP_SHARED, disk));
	EXPECT_EQ(EINVAL, errno);
	p = map(4, PROT_READ, MAP_PRIVATE, disk);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-1, mprotect(p, 4 * PG, PROT_READ | PROT_MTE));
	EXPECT_EQ(EINVAL, errno);
}

/* Areas that differ in it are two. */
TEST_F(tags, keep_areas_apart)
{
	char *p = anon(4);
	struct area a;

	ASSERT_EQ(0, mprotect(p + PG, PG, RW | PROT_MTE));
	ASSERT_TRUE(area_at(0, p + PG, &a));
	EXPECT_EQ(PG, a.end - a.start);
	EXPECT_FALSE(vmflag(0, p, "mt"));
	EXPECT_FALSE(vmflag(0, p + 2 * PG, "mt"));
}

static const unsigned int plain_code[] = { 0xd65f03c0 };		/* ret */
static const unsigned int landing_code[] = { 0xd503245f, 0xd65f03c0 };	/* bti c; ret */

/*
 * Pages of either kind by turns. None is called twice: an emulator may keep what
 * it has translated, and not look at the page again.
 */
#define TARGETS		6

FIXTURE(targets) {
	char *p;
};

FIXTURE_SETUP(targets)
{
	if (!have(HWCAP2_BTI))
		SKIP(return, "this processor does not check branch targets");
	self->p = anon(TARGETS);
	for (int i = 0; i < TARGETS; i += 2) {
		memcpy(self->p + i * PG, plain_code, sizeof(plain_code));
		memcpy(self->p + (i + 1) * PG, landing_code, sizeof(landing_code));
	}
	__builtin___clear_cache(self->p, self->p + TARGETS * PG);
}

FIXTURE_TEARDOWN(targets)
{
}

static void on_illegal(int sig, siginfo_t *info, void *context)
{
	_exit(sig == SIGILL && info->si_code == ILL_ILLOPC ? 7 : 8);
}

static int call_it(void *code)
{
	struct sigaction sa = { .sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO };

	sigaction(SIGILL, &sa, NULL);
	((void (*)(void))code)();
	return 0;
}

TEST_F(targets, are_checked)
{
	char *p = self->p;

	ASSERT_EQ(0, mprotect(p, TARGETS * PG, PROT_READ | PROT_EXEC));
	EXPECT_FALSE(vmflag(0, p, "bt"));
	EXPECT_EQ(0, run_child(call_it, p));
	EXPECT_EQ(0, run_child(call_it, p + PG));
	ASSERT_EQ(0, mprotect(p, TARGETS * PG, PROT_READ | PROT_EXEC | PROT_BTI));
	EXPECT_TRUE(vmflag(0, p, "bt"));
	EXPECT_EQ(7, run_child(call_it, p + 2 * PG));
	EXPECT_EQ(0, run_child(call_it, p + 3 * PG));
	/* It is asked for anew each time. */
	ASSERT_EQ(0, mprotect(p, TARGETS * PG, PROT_READ | PROT_EXEC));
	EXPECT_FALSE(vmflag(0, p, "bt"));
	EXPECT_EQ(0, run_child(call_it, p + 4 * PG));
}

TEST_F(targets, follow_mremap)
{
	char *p = self->p;

	ASSERT_EQ(0, mprotect(p, TARGETS * PG, PROT_READ | PROT_EXEC | PROT_BTI));
	p = mremap(p, TARGETS * PG, 2 * TARGETS * PG, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(vmflag(0, p, "bt"));
	EXPECT_EQ(7, run_child(call_it, p));
	EXPECT_EQ(0, run_child(call_it, p + PG));
}

TEST_HARNESS_MAIN
