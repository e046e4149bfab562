// SPDX-License-Identifier: GPL-2.0
/*
 * mremap in all its forms.
 */
#include "suite.h"

/* A place of @pages free pages, likely to stay free. */
static char *free_place(size_t pages)
{
	char *p = anon(pages);

	munmap(p, pages * PG);
	return p;
}

static char *moved(char *p, size_t from, size_t to, int flags, char *where)
{
	return mremap(p, from * PG, to * PG, flags, where);
}

TEST(shrink_in_place)
{
	char *p = anon(8);

	fill(p, 8, 'a');
	EXPECT_EQ(p, moved(p, 8, 3, 0, NULL));
	EXPECT_TRUE(filled(p, 3, 'a'));
	EXPECT_EQ(SEGV_NOTHING, try_read(p + 3 * PG));
	EXPECT_EQ(p, moved(p, 3, 3, 0, NULL));
}

TEST(grow_in_place)
{
	char *p = anon(8);

	munmap(p + 2 * PG, 6 * PG);
	fill(p, 2, 'a');
	EXPECT_EQ(p, moved(p, 2, 8, 0, NULL));
	EXPECT_TRUE(filled(p, 2, 'a'));
	EXPECT_EQ(0, peek(p + 7 * PG));
	EXPECT_EQ(1, areas_over(p, 8 * PG));
}

TEST(grow_where_there_is_no_room)
{
	char *p = anon(4), *q;

	fill(p, 4, 'a');
	mprotect(p + 2 * PG, PG, PROT_READ);
	EXPECT_EQ(MAP_FAILED, moved(p, 2, 4, 0, NULL));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_TRUE(filled(p, 4, 'a'));
	q = moved(p, 2, 6, MREMAP_MAYMOVE, NULL);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_NE(p, q);
	EXPECT_TRUE(filled(q, 2, 'a'));
	EXPECT_EQ(0, peek(q + 5 * PG));
	EXPECT_EQ(SEGV_NOTHING, try_read(p));
	EXPECT_TRUE(filled(p + 2 * PG, 2, 'c'));
}

TEST(moving_keeps_frames)
{
	char *p = anon(600), *q;
	unsigned long f[600], g[600];

	fill(p, 300, 'a');
	frames_of(0, p, 600, f);
	q = moved(p, 600, 600, MREMAP_MAYMOVE | MREMAP_FIXED, free_place(700) + 37 * PG);
	ASSERT_NE(MAP_FAILED, q);
	frames_of(0, q, 600, g);
	EXPECT_EQ(0, memcmp(f, g, sizeof(f)));
	EXPECT_TRUE(filled(q, 300, 'a'));
	EXPECT_EQ(0, resident(0, p, 600));
}

TEST(moving_whole_tables)
{
	const size_t pages = 8 * MIB / PG;
	char *room = mmap(NULL, 24 * MIB, PROT_NONE, PRIVATE_ANON, -1, 0), *p, *q;

	room = (char *)(((unsigned long)room + 2 * MIB) & -(2 * MIB));
	p = mmap(room, 8 * MIB, RW, PRIVATE_ANON | MAP_FIXED, -1, 0);
	for (size_t i = 0; i < pages; i++)
		poke(p + i * PG, i % 101);
	q = moved(p, pages, pages, MREMAP_MAYMOVE | MREMAP_FIXED, room + 10 * MIB);
	ASSERT_EQ(room + 10 * MIB, q);
	for (size_t i = 0; i < pages; i++)
		ASSERT_EQ((char)(i % 101), peek(q + i * PG));
	EXPECT_EQ(pages, resident(0, q, pages));
	/* And back, now off by a page, so that single entries move. */
	p = moved(q, pages, pages, MREMAP_MAYMOVE | MREMAP_FIXED, room + PG);
	ASSERT_EQ(room + PG, p);
	for (size_t i = 0; i < pages; i++)
		ASSERT_EQ((char)(i % 101), peek(p + i * PG));
	EXPECT_EQ(0, munmap(p, 8 * MIB));
}

TEST(fixed_replaces_what_is_there)
{
	char *p = anon(4), *q = anon(6);

	fill(p, 4, 'a');
	fill(q, 6, 'A');
	EXPECT_EQ(q + PG, moved(p, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, q + PG));
	EXPECT_TRUE(filled(q, 1, 'A'));
	EXPECT_TRUE(filled(q + PG, 4, 'a'));
	EXPECT_TRUE(filled(q + 5 * PG, 1, 'F'));
	/* Fixed, and smaller than before. */
	EXPECT_EQ(p, moved(q + PG, 4, 2, MREMAP_MAYMOVE | MREMAP_FIXED, p));
	EXPECT_TRUE(filled(p, 2, 'a'));
	EXPECT_EQ(SEGV_NOTHING, try_read(p + 2 * PG));
	EXPECT_EQ(SEGV_NOTHING, try_read(q + 4 * PG));
}

TEST(part_of_an_area_moves)
{
	char *p = anon(9), *q;

	fill(p, 9, 'a');
	q = moved(p + 3 * PG, 3, 5, MREMAP_MAYMOVE, NULL);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(filled(q, 3, 'd'));
	EXPECT_EQ(0, peek(q + 4 * PG));
	EXPECT_TRUE(filled(p, 3, 'a'));
	EXPECT_TRUE(filled(p + 6 * PG, 3, 'g'));
	EXPECT_EQ(SEGV_NOTHING, try_read(p + 4 * PG));
}

TEST(dontunmap_leaves_an_empty_area)
{
	const int how = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	char *p = anon(4), *q;

	fill(p, 4, 'a');
	q = moved(p, 4, 4, how, NULL);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(filled(q, 4, 'a'));
	EXPECT_EQ(0, resident(0, p, 4));
	EXPECT_EQ(0, peek(p));
	EXPECT_EQ(NO_FAULT, try_write(p));
	EXPECT_TRUE(filled(q, 4, 'a'));
	/* The size must stay. */
	EXPECT_EQ(MAP_FAILED, moved(q, 4, 5, how, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, moved(q, 4, 4, MREMAP_DONTUNMAP, NULL));
	EXPECT_EQ(EINVAL, errno);
}

TEST(dontunmap_fixed)
{
	char *p = anon(4), *to = free_place(4);

	fill(p, 4, 'a');
	EXPECT_EQ(to, moved(p, 4, 4, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED, to));
	EXPECT_TRUE(filled(to, 4, 'a'));
	EXPECT_EQ(0, peek(p + 3 * PG));
}

TEST(dontunmap_of_a_file)
{
	int fd = memory_file(4, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0), *q;

	poke(p, 'A');
	q = moved(p, 4, 4, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ('A', peek(q));
	EXPECT_EQ('A', peek(p));
	EXPECT_EQ('d', peek(p + 3 * PG));
}

TEST(size_zero_duplicates_shared_memory)
{
	int fd = memory_file(4, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0), *q;

	q = moved(p, 0, 4, MREMAP_MAYMOVE, NULL);
	ASSERT_NE(MAP_FAILED, q);
	poke(q, 'Q');
	EXPECT_EQ('Q', peek(p));
	p = anon(4);
	EXPECT_EQ(MAP_FAILED, moved(p, 0, 4, MREMAP_MAYMOVE, NULL));
	EXPECT_EQ(EINVAL, errno);
}

TEST(file_offset_goes_along)
{
	int fd = memory_file(8, 'a');
	char *p = mmap(NULL, 8 * PG, RW, MAP_SHARED, fd, 0), *q;
	struct area a;

	q = moved(p + 2 * PG, 3, 3, MREMAP_MAYMOVE | MREMAP_FIXED, free_place(3));
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(filled(q, 3, 'c'));
	EXPECT_TRUE(area_at(0, q, &a));
	EXPECT_EQ(2 * PG, a.offset);
	q = moved(q, 3, 6, MREMAP_MAYMOVE, NULL);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(filled(q, 6, 'c'));
}

TEST(private_copies_go_along)
{
	int fd = memory_file(4, 'a');
	char *p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0), *q;

	poke(p + PG, 'Z');
	q = moved(p, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, free_place(4));
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ('Z', peek(q + PG));
	EXPECT_EQ('b', peek(q + PG + 1));
	EXPECT_EQ('c', peek(q + 2 * PG));
}

TEST(shared_with_a_child)
{
	char *p = anon(8), *q;
	int status;
	pid_t pid;

	fill(p, 8, 'a');
	pid = fork();
	if (!pid) {
		q = moved(p, 8, 8, MREMAP_MAYMOVE | MREMAP_FIXED, free_place(8));
		if (!filled(q, 8, 'a'))
			_exit(1);
		fill(q, 8, 'A');
		_exit(filled(q, 8, 'A') ? 0 : 2);
	}
	q = moved(p, 8, 8, MREMAP_MAYMOVE | MREMAP_FIXED, free_place(8));
	EXPECT_TRUE(filled(q, 8, 'a'));
	fill(q, 8, 'k');
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(filled(q, 8, 'k'));
}

TEST(errors)
{
	char *p = anon(4);

	EXPECT_EQ(MAP_FAILED, mremap(p + 1, PG, PG, MREMAP_MAYMOVE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mremap(p, PG, 0, MREMAP_MAYMOVE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, moved(p, 2, 2, MREMAP_FIXED, free_place(2)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, moved(p, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, p + PG));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * PG + 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, moved(p, 2, 2, 0x40, NULL));
	EXPECT_EQ(EINVAL, errno);
	munmap(p, PG);
	EXPECT_EQ(MAP_FAILED, moved(p, 1, 2, MREMAP_MAYMOVE, NULL));
	EXPECT_EQ(EFAULT, errno);
	munmap(p + 2 * PG, PG);
	EXPECT_EQ(MAP_FAILED, moved(p + PG, 3, 5, MREMAP_MAYMOVE, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(p + PG, PG, user_end(), MREMAP_MAYMOVE));
	EXPECT_EQ(ENOMEM, errno);
}

TEST(limits)
{
	char *p = anon(4);

	fill(p, 4, 'a');
	ASSERT_EQ(0, limit(RLIMIT_AS, status_field(0, "VmSize") * KIB + 8 * PG));
	EXPECT_EQ(MAP_FAILED, moved(p, 4, 64, MREMAP_MAYMOVE, NULL));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_TRUE(filled(p, 4, 'a'));
	EXPECT_NE(MAP_FAILED, moved(p, 4, 8, MREMAP_MAYMOVE, NULL));
}

TEST(locked_memory_grows_locked)
{
	char *p = anon(8);
	long kib = PG / KIB;

	munmap(p + 4 * PG, 4 * PG);
	ASSERT_EQ(0, mlock(p, 4 * PG));
	EXPECT_EQ(4 * kib, status_field(0, "VmLck"));
	p = moved(p, 4, 8, MREMAP_MAYMOVE, NULL);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(8 * kib, status_field(0, "VmLck"));
	EXPECT_EQ(8, resident(0, p, 8));
	p = moved(p, 8, 8, MREMAP_MAYMOVE | MREMAP_FIXED, free_place(8));
	EXPECT_EQ(8 * kib, status_field(0, "VmLck"));
	p = moved(p, 8, 2, 0, NULL);
	EXPECT_EQ(2 * kib, status_field(0, "VmLck"));
	ASSERT_EQ(0, limit(RLIMIT_MEMLOCK, 4 * PG));
	ASSERT_EQ(0, drop_root());
	EXPECT_EQ(MAP_FAILED, moved(p, 2, 6, MREMAP_MAYMOVE, NULL));
	EXPECT_EQ(EAGAIN, errno);
}

TEST(counters_stay_right)
{
	long vm = status_field(0, "VmSize");
	char *p = anon(100), *q;

	/* No page but those that are touched. */
	madvise(p, 100 * PG, MADV_RANDOM);
	fill(p, 50, 1);
	q = moved(p, 100, 200, MREMAP_MAYMOVE, NULL);
	EXPECT_EQ(vm + (long)(200 * PG / KIB), status_field(0, "VmSize"));
	EXPECT_EQ((long)(50 * PG / KIB), smaps_field(0, q, "Rss"));
	q = moved(q, 200, 10, 0, NULL);
	EXPECT_EQ((long)(10 * PG / KIB), smaps_field(0, q, "Rss"));
	munmap(q, 10 * PG);
	EXPECT_EQ(vm, status_field(0, "VmSize"));
}

TEST_HARNESS_MAIN
