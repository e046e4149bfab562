// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of each operation fails once: the call reports it or
 * succeeds, a failed call has changed nothing, and nothing leaks.
 *
 * The table below says for each operation how it may end and what a failed one
 * may have changed, on stock Linux or on both; inject.c does the rest.
 */
#include "inject.h"

/* Each operation is done dozens of times, on a kernel that checks itself. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	2000

#define FIXED_ANON	(PRIVATE_ANON | MAP_FIXED)

static long done(long result)
{
	return result < 0 ? -errno : result;
}

static long mapped(void *p)
{
	return p == MAP_FAILED ? -errno : (long)p;
}

static long map(void *at, size_t pages, int flags, int fd)
{
	return mapped(mmap(at, pages * PG, RW, flags, fd, 0));
}

/* -- faults: no result, and no failure that the program could see -- */

static long touch(char *p)
{
	poke(p, 'x');
	return 0;
}

static long look(const char *p)
{
	peek(p);
	return 0;
}

static long write_first(void) { return touch(EMPTY + 5 * PG); }
static long read_hole(void) { return look(EMPTY + 5 * PG); }
static long write_zero_page(void) { return touch(ZEROES + 3 * PG); }
static long write_small(void) { return touch(SMALL + 3 * PG); }
static long write_wide(void) { return touch(WIDE + 100 * PG); }
static long read_wide_hole(void) { return look(WIDE + 600 * PG); }
static long read_beyond_table(void) { return look(EMPTY + 40 * PG); }
static long read_shared(void) { return look(SHARED + 3 * PG); }
static long write_shared(void) { return touch(SHARED + 3 * PG); }
static long write_shared_hole(void) { return touch(SHARED + 14 * PG); }
static long read_copy(void) { return look(COPY + 8 * PG); }
static long write_copy(void) { return touch(COPY + 8 * PG); }
static long rewrite_copy(void) { return touch(COPY + PG); }
static long read_disk(void) { return look(DISK + 3 * PG); }
static long write_disk(void) { return touch(DISK + 3 * PG); }
static long write_disk_hole(void) { return touch(DISK + 14 * PG); }
static long write_disk_copy(void) { return touch(DISK_COPY + 8 * PG); }
static long grow_stack(void) { return touch(STACK - 3 * PG); }

static long write_both_tables(void)
{
	for (int i = 0; i < 64; i++)
		poke(CROSS + i * PG, 'y');
	return 0;
}

static long read_then_write(void)
{
	look(EMPTY + 9 * PG);
	return touch(EMPTY + 9 * PG);
}

/* The kernel reaches into memory that is not there or not its own yet. */
static long kernel_writes(void)
{
	ssize_t n = pread(tmpfs_fd, SMALL + 4 * PG, 100, 0);

	return n == 100 ? 0 : n < 0 ? -errno : -EFAULT;
}

static const struct op fault_ops[] = {
	{ "first touch", HAS_EMPTY, write_first, NEVER_FAILS },
	{ "read of a hole", HAS_EMPTY, read_hole, NEVER_FAILS },
	{ "read of a hole in a new table", HAS_EMPTY, read_beyond_table, NEVER_FAILS },
	{ "read of a hole, then write", HAS_EMPTY, read_then_write, NEVER_FAILS },
	{ "write to the zero page", HAS_ZEROES, write_zero_page, NEVER_FAILS },
	{ "write to a page", HAS_SMALL, write_small, NEVER_FAILS },
	{ "write to a page of many", HAS_WIDE, write_wide, NEVER_FAILS },
	{ "read of a hole among pages", HAS_WIDE, read_wide_hole, NEVER_FAILS },
	{ "write to pages of two tables", HAS_CROSS, write_both_tables, NEVER_FAILS },
	{ "stack growth", HAS_STACK, grow_stack, NEVER_FAILS },
	{ "the kernel writes", HAS_SMALL, kernel_writes, OR_EFAULT },
};

static const struct op file_ops[] = {
	{ "read of tmpfs", HAS_SHARED, read_shared, NEVER_FAILS },
	{ "shared write on tmpfs", HAS_SHARED, write_shared, NEVER_FAILS },
	{ "shared write to a hole on tmpfs", HAS_SHARED, write_shared_hole, NEVER_FAILS },
	{ "private read of tmpfs", HAS_SHARED, read_copy, NEVER_FAILS },
	{ "private copy of tmpfs", HAS_SHARED, write_copy, NEVER_FAILS },
	{ "write to a private copy", HAS_SHARED, rewrite_copy, NEVER_FAILS },
	{ "read of ext4", HAS_DISK, read_disk, NEVER_FAILS },
	{ "shared write on ext4", HAS_DISK, write_disk, NEVER_FAILS },
	{ "shared write to a hole on ext4", HAS_DISK, write_disk_hole, NEVER_FAILS },
	{ "private copy of ext4", HAS_DISK, write_disk_copy, NEVER_FAILS },
};

/* -- mmap, brk -- */

static long map_anon(void) { return map(NULL, 16, PRIVATE_ANON, -1); }
static long map_free(void) { return map(FREE, 16, FIXED_ANON, -1); }
static long map_beside(void) { return map(CROSS + 64 * PG, 16, FIXED_ANON, -1); }
static long map_over_middle(void) { return map(WIDE + 500 * PG, 24, FIXED_ANON, -1); }
static long map_over_two(void) { return map(SMALL + 8 * PG, 12, FIXED_ANON, -1); }
static long map_between(void) { return map(THREE + 8 * PG, 8, FIXED_ANON, -1); }
static long map_shmem(void) { return map(FREE, 16, SHARED_ANON | MAP_FIXED, -1); }
static long map_file(void) { return map(FREE, 16, MAP_SHARED | MAP_FIXED, tmpfs_fd); }
static long map_copy(void) { return map(FREE, 16, MAP_PRIVATE | MAP_FIXED, tmpfs_fd); }
static long map_disk(void) { return map(FREE, 16, MAP_SHARED | MAP_FIXED, disk_fd); }
static long map_populated(void) { return map(FREE, 16, FIXED_ANON | MAP_POPULATE, -1); }
static long map_locked(void) { return map(FREE, 16, FIXED_ANON | MAP_LOCKED, -1); }
static long map_stack(void) { return map(FREE, 16, FIXED_ANON | MAP_GROWSDOWN, -1); }

static long map_file_over(void)
{
	return map(WIDE + 500 * PG, 16, MAP_SHARED | MAP_FIXED, disk_fd);
}

static long map_shmem_over(void)
{
	return map(WIDE + 500 * PG, 16, SHARED_ANON | MAP_FIXED, -1);
}

static long map_populated_file(void)
{
	return map(FREE, 12, MAP_SHARED | MAP_FIXED | MAP_POPULATE, disk_fd);
}

static long move_brk(long pages)
{
	long now = syscall(SYS_brk, 0), want = now + pages * (long)PG;

	return syscall(SYS_brk, want) == want ? 0 : -ENOMEM;
}

static long brk_grows(void) { return move_brk(64); }
static long brk_shrinks(void) { return move_brk(-1); }

static long brk_is_used(void)
{
	char *end = (char *)syscall(SYS_brk, 0);
	long err = move_brk(2);

	if (!err)
		poke(end + PG, 'b');
	return err;
}

/* What MAP_FIXED clears, it clears before the file says no. */
static const struct op map_ops[] = {
	{ "mmap", 0, map_anon, MUST_FAIL | KEEPS_TABLES, .maps = 16 * 4096 },
	{ "mmap of a place", 0, map_free, MUST_FAIL },
	{ "mmap beside an area", HAS_CROSS, map_beside, 0 },
	/* Stock fails in a merge when the areas have gone. */
	{ "mmap between areas", HAS_THREE, map_between, STOCK_OVERCHARGES, GONE | ON_STOCK,
	  THREE + 8 * 4096, 8 * 4096 },
	{ "mmap over the middle", HAS_WIDE, map_over_middle,
	  MUST_FAIL | STOCK_OVERCHARGES, GONE | ON_STOCK, WIDE + 500 * 4096, 24 * 4096 },
	{ "mmap over two areas", HAS_SMALL, map_over_two,
	  MUST_FAIL | STOCK_OVERCHARGES, GONE | ON_STOCK, SMALL + 8 * 4096, 12 * 4096 },
	{ "mmap of a file over the middle", HAS_WIDE | HAS_DISK, map_file_over,
	  MUST_FAIL | STOCK_OVERCHARGES, GONE | ON_STOCK, WIDE + 500 * 4096, 16 * 4096 },
	{ "mmap of shared memory over the middle", HAS_WIDE, map_shmem_over,
	  MUST_FAIL | OR_ENOSPC | STOCK_OVERCHARGES, GONE, WIDE + 500 * 4096, 16 * 4096 },
	{ "mmap of shared memory", 0, map_shmem, MUST_FAIL | OR_ENOSPC },
	{ "mmap of a file", HAS_SHARED, map_file, MUST_FAIL },
	{ "private mmap of a file", HAS_SHARED, map_copy, MUST_FAIL },
	{ "mmap of ext4", HAS_DISK, map_disk, MUST_FAIL },
	{ "mmap, populated", 0, map_populated, MUST_FAIL },
	{ "mmap of ext4, populated", HAS_DISK, map_populated_file, MUST_FAIL },
	{ "mmap, locked", 0, map_locked, MUST_FAIL },
	{ "mmap of a stack", 0, map_stack, MUST_FAIL },
	{ "brk grows", 0, brk_grows, KEEPS_TABLES },
	{ "brk grows and is written to", 0, brk_is_used, KEEPS_TABLES },
	{ "brk shrinks", 0, brk_shrinks, KEEPS_TABLES },
};

/* -- munmap, mprotect -- */

static long unmap_middle(void) { return done(munmap(SMALL + 4 * PG, 4 * PG)); }
static long unmap_table(void) { return done(munmap(WIDE + 256 * PG, 384 * PG)); }
static long unmap_cross(void) { return done(munmap(CROSS + 16 * PG, 32 * PG)); }
static long unmap_end(void) { return done(munmap(SMALL + 12 * PG, 4 * PG)); }
static long unmap_most(void) { return done(munmap(SMALL + 4 * PG, EMPTY - SMALL)); }
static long unmap_all(void) { return done(munmap(WINDOW, WINDOW_SIZE)); }
static long unmap_file(void) { return done(munmap(SHARED + 4 * PG, 4 * PG)); }
static long unmap_disk(void) { return done(munmap(DISK + 4 * PG, 4 * PG)); }
static long unmap_locked(void) { return done(munmap(LOCKED + 4 * PG, 4 * PG)); }

static long protect(char *at, size_t pages, int prot)
{
	return done(mprotect(at, pages * PG, prot));
}

static long protect_middle(void) { return protect(SMALL + 4 * PG, 4, PROT_READ); }
static long protect_none(void) { return protect(WIDE + 256 * PG, 384, PROT_NONE); }
static long protect_cross(void) { return protect(CROSS + 16 * PG, 32, PROT_READ); }
static long protect_whole(void) { return protect(CROSS, 64, PROT_READ); }
static long protect_end(void) { return protect(SMALL + 12 * PG, 4, PROT_READ); }
static long protect_merge(void) { return protect(THREE + 8 * PG, 8, RW); }
static long protect_two(void) { return protect(SMALL + 4 * PG, 16, PROT_NONE); }
static long protect_allow(void) { return protect(NEXT + 2 * PG, 4, RW); }
static long protect_file(void) { return protect(SHARED + 4 * PG, 4, PROT_READ); }
static long protect_copy(void) { return protect(COPY + 2 * PG, 4, PROT_READ); }
static long protect_locked(void) { return protect(LOCKED + 2 * PG, 4, PROT_READ); }

static const struct op change_ops[] = {
	{ "munmap of the middle", HAS_SMALL, unmap_middle, MUST_FAIL },
	{ "munmap over a table's end", HAS_WIDE, unmap_table, MUST_FAIL },
	{ "munmap of part of two tables", HAS_CROSS, unmap_cross, MUST_FAIL },
	{ "munmap of an end", HAS_SMALL, unmap_end, 0 },
	{ "munmap of many areas", HAS_SMALL | HAS_CROSS | HAS_WIDE | HAS_EMPTY, unmap_most, 0 },
	{ "munmap of everything", HAS_ALL, unmap_all, 0 },
	{ "munmap of part of a file", HAS_SHARED, unmap_file, MUST_FAIL },
	{ "munmap of part of ext4", HAS_DISK, unmap_disk, MUST_FAIL },
	{ "munmap of locked memory", HAS_LOCKED, unmap_locked, MUST_FAIL },
	{ "mprotect of the middle", HAS_SMALL, protect_middle, MUST_FAIL },
	{ "mprotect to none over a table's end", HAS_WIDE, protect_none, MUST_FAIL },
	{ "mprotect of part of two tables", HAS_CROSS, protect_cross, MUST_FAIL },
	{ "mprotect of a whole area", HAS_CROSS, protect_whole, 0 },
	{ "mprotect that merges", HAS_SMALL, protect_end, 0 },
	{ "mprotect that merges three", HAS_THREE, protect_merge, 0 },
	{ "mprotect of two areas", HAS_SMALL, protect_two, MUST_FAIL, PART_DONE },
	{ "mprotect to writable", HAS_SMALL, protect_allow, MUST_FAIL },
	{ "mprotect of a shared file", HAS_SHARED, protect_file, MUST_FAIL },
	{ "mprotect of a private file", HAS_SHARED, protect_copy, MUST_FAIL },
	{ "mprotect of locked memory", HAS_LOCKED, protect_locked, MUST_FAIL },
};

/* -- mremap -- */

static long remap(char *at, size_t pages, size_t to, int flags, char *where)
{
	return mapped(mremap(at, pages * PG, to * PG, flags, where));
}

#define MOVE	MREMAP_MAYMOVE
#define PUT	(MREMAP_MAYMOVE | MREMAP_FIXED)

static long remap_grow(void) { return remap(CROSS, 64, 96, 0, NULL); }
static long remap_shrink(void) { return remap(CROSS, 64, 16, 0, NULL); }
static long remap_middle(void) { return remap(WIDE + 256 * PG, 384, 128, 0, NULL); }
static long remap_away(void) { return remap(SMALL, 16, 64, MOVE, NULL); }
static long remap_small(void) { return remap(SMALL, 16, 16, PUT, FREE); }
static long remap_part(void) { return remap(SMALL + 4 * PG, 4, 4, PUT, FREE); }
static long remap_cross(void) { return remap(CROSS, 64, 64, PUT, FREE + 2 * MIB - 8 * PG); }
static long remap_tables(void) { return remap(WIDE, 768, 768, PUT, FREE); }
static long remap_bigger(void) { return remap(WIDE, 768, 800, PUT, FREE); }
static long remap_odd(void) { return remap(WIDE, 768, 768, PUT, FREE + 3 * PG); }
static long remap_over(void) { return remap(CROSS, 64, 64, PUT, WIDE + 480 * PG); }
static long remap_file(void) { return remap(SHARED, 16, 16, PUT, FREE); }
static long remap_copy(void) { return remap(COPY, 16, 16, PUT, FREE); }
static long remap_locked(void) { return remap(LOCKED, 16, 32, PUT, FREE); }

static long remap_leave(void)
{
	return remap(CROSS, 64, 64, PUT | MREMAP_DONTUNMAP, FREE);
}

static long remap_again(void)
{
	return remap(SHARED, 0, 16, PUT, FREE);
}

/* With MREMAP_FIXED, what was at the new place goes first. */
static const struct op move_ops[] = {
	{ "mremap grows in place", HAS_CROSS, remap_grow, 0 },
	{ "mremap shrinks", HAS_CROSS, remap_shrink, 0 },
	{ "mremap shrinks in the middle", HAS_WIDE, remap_middle, MUST_FAIL },
	{ "mremap grows and moves", HAS_SMALL, remap_away,
	  MUST_FAIL | KEEPS_TABLES | STOCK_OVERCHARGES, .maps = 64 * 4096 },
	{ "mremap moves", HAS_SMALL, remap_small, MUST_FAIL },
	/* The old place has to be cut out of its area when its pages have moved. */
	{ "mremap moves a part", HAS_SMALL, remap_part,
	  MUST_FAIL | STOCK_OVERCHARGES, LEFT, SMALL + 4 * 4096, 4 * 4096 },
	{ "mremap moves over a table's end", HAS_CROSS, remap_cross, MUST_FAIL },
	{ "mremap moves tables", HAS_WIDE, remap_tables, MUST_FAIL },
	{ "mremap moves and grows tables", HAS_WIDE, remap_bigger,
	  MUST_FAIL | STOCK_OVERCHARGES },
	{ "mremap moves to odd addresses", HAS_WIDE, remap_odd, MUST_FAIL },
	{ "mremap moves over an area", HAS_CROSS | HAS_WIDE, remap_over, MUST_FAIL, GONE,
	  WIDE + 480 * 4096, 64 * 4096 },
	{ "mremap leaves the old place", HAS_CROSS, remap_leave, MUST_FAIL },
	{ "mremap of a shared file", HAS_SHARED, remap_file, MUST_FAIL },
	{ "mremap of a private file", HAS_SHARED, remap_copy, MUST_FAIL },
	{ "mremap maps a file again", HAS_SHARED, remap_again, MUST_FAIL },
	{ "mremap of locked memory", HAS_LOCKED, remap_locked, MUST_FAIL | STOCK_OVERCHARGES },
};

/* -- madvise, mlock -- */

static long advise(char *at, size_t pages, int what)
{
	return done(madvise(at, pages * PG, what));
}

static long forget_small(void) { return advise(SMALL + 4 * PG, 4, MADV_DONTNEED); }
static long forget_tables(void) { return advise(WIDE + 256 * PG, 384, MADV_DONTNEED); }
static long no_fork(void) { return advise(SMALL + 4 * PG, 4, MADV_DONTFORK); }
static long no_fork_table(void) { return advise(WIDE + 256 * PG, 384, MADV_DONTFORK); }
static long wipe(void) { return advise(SMALL + 4 * PG, 4, MADV_WIPEONFORK); }
static long populate(void) { return advise(EMPTY + 20 * PG, 24, MADV_POPULATE_WRITE); }
static long populate_all(void) { return advise(WIDE + 500 * PG, 24, MADV_POPULATE_WRITE); }
static long populate_read(void) { return advise(DISK, 12, MADV_POPULATE_READ); }
static long punch(void) { return advise(SHARED + 2 * PG, 4, MADV_REMOVE); }

static long cold(void) { return advise(WIDE + 256 * PG, 384, MADV_COLD); }
static long lazy(void) { return advise(EMPTY + 20 * PG, 24, MADV_FREE); }

static long lock_middle(void) { return done(mlock(SMALL + 4 * PG, 4 * PG)); }
static long lock_empty(void) { return done(mlock(EMPTY + 20 * PG, 24 * PG)); }
static long lock_two(void) { return done(mlock(SMALL + 4 * PG, 16 * PG)); }
static long lock_tables(void) { return done(mlock(WIDE + 500 * PG, 24 * PG)); }
static long lock_later(void) { return done(mlock2(EMPTY + 8 * PG, 8 * PG, MLOCK_ONFAULT)); }
static long unlock_middle(void) { return done(munlock(LOCKED + 4 * PG, 4 * PG)); }

static const struct op advise_ops[] = {
	{ "DONTNEED", HAS_SMALL, forget_small, OR_EAGAIN },
	{ "DONTNEED over a table's end", HAS_WIDE, forget_tables, OR_EAGAIN },
	{ "DONTFORK", HAS_SMALL, no_fork, MUST_FAIL | OR_EAGAIN },
	{ "DONTFORK over a table's end", HAS_WIDE, no_fork_table, MUST_FAIL | OR_EAGAIN },
	{ "WIPEONFORK", HAS_SMALL, wipe, MUST_FAIL | OR_EAGAIN },
	{ "COLD over a table's end", HAS_WIDE, cold, OR_EAGAIN },
	{ "FREE of nothing yet", HAS_EMPTY, lazy, OR_EAGAIN },
	{ "POPULATE_WRITE", HAS_EMPTY, populate, MUST_FAIL },
	{ "POPULATE_WRITE of pages", HAS_WIDE, populate_all, MUST_FAIL },
	{ "POPULATE_READ of ext4", HAS_DISK, populate_read, 0 },
	{ "REMOVE on tmpfs", HAS_SHARED, punch, 0, PART_DONE },
	{ "mlock of the middle", HAS_SMALL, lock_middle, MUST_FAIL | OR_EAGAIN, PART_DONE },
	{ "mlock of nothing yet", HAS_EMPTY, lock_empty, MUST_FAIL | OR_EAGAIN, PART_DONE },
	{ "mlock of two areas", HAS_SMALL, lock_two, MUST_FAIL | OR_EAGAIN, PART_DONE },
	{ "mlock over a table's end", HAS_WIDE, lock_tables, MUST_FAIL | OR_EAGAIN,
	  PART_DONE },
	{ "mlock on fault", HAS_EMPTY, lock_later, MUST_FAIL | OR_EAGAIN },
	{ "munlock of the middle", HAS_LOCKED, unlock_middle, MUST_FAIL },
};

/* -- fork -- */

/* The child of a fork looks at what the scene has, writes, and ends. */
static long fork_and_see(char *at, size_t pages)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		if (pages && !filled(at, pages, at - WINDOW))
			_exit(1);
		if (pages)
			poke(at, 'f');
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return -EFAULT;
	return 0;
}

static long fork_none(void) { return fork_and_see(NULL, 0); }
static long fork_cross(void) { return fork_and_see(CROSS, 64); }
static long fork_wide(void) { return fork_and_see(WIDE, 16); }

static long fork_beside_holes(void)
{
	if (madvise(WIDE + 100 * PG, 100 * PG, MADV_DONTFORK) ||
	    madvise(WIDE + 300 * PG, 100 * PG, MADV_WIPEONFORK))
		return -errno;
	return fork_and_see(WIDE, 16);
}

static const struct op fork_ops[] = {
	{ "fork of untouched memory", HAS_EMPTY | HAS_ZEROES, fork_none, MUST_FAIL },
	{ "fork of a table of many", HAS_WIDE, fork_wide, MUST_FAIL },
	/* The advice before it may fail, or be followed by a fork that does. */
	{ "fork beside DONTFORK and WIPEONFORK", HAS_WIDE, fork_beside_holes,
	  MUST_FAIL | OR_EAGAIN, PART_DONE },
	{ "fork of everything", HAS_ALL, fork_cross, MUST_FAIL },
};

/* How many of some operations did not behave. */
static int wrong(const struct op *ops, size_t nr)
{
	int bad = 0;

	inject_leaks("before", true);
	for (size_t i = 0; i < nr; i++)
		bad += !inject_op(&ops[i]);
	return bad;
}

TEST(faults_in_anonymous_memory)
{
	EXPECT_EQ(0, wrong(fault_ops, ARRAY_SIZE(fault_ops)));
}

TEST(faults_in_files)
{
	EXPECT_EQ(0, wrong(file_ops, ARRAY_SIZE(file_ops)));
}

TEST(mmap_and_brk)
{
	EXPECT_EQ(0, wrong(map_ops, ARRAY_SIZE(map_ops)));
}

TEST(munmap_and_mprotect)
{
	EXPECT_EQ(0, wrong(change_ops, ARRAY_SIZE(change_ops)));
}

TEST(mremap_every_way)
{
	EXPECT_EQ(0, wrong(move_ops, ARRAY_SIZE(move_ops)));
}

TEST(madvise_and_mlock)
{
	EXPECT_EQ(0, wrong(advise_ops, ARRAY_SIZE(advise_ops)));
}

TEST(fork_of_small_processes)
{
	EXPECT_EQ(0, wrong(fork_ops, ARRAY_SIZE(fork_ops)));
}

/* Three areas of 16 MiB, all pages of which differ. */
#define LARGE_PAGES	4096
#define LARGE_AREAS	3

static void stamp(char *p, unsigned long salt)
{
	for (unsigned long i = 0; i < LARGE_PAGES; i++)
		*(unsigned long *)(p + i * PG + i % 500 * 8) = i + salt;
}

static bool stamped(const char *p, unsigned long salt)
{
	for (unsigned long i = 0; i < LARGE_PAGES; i++) {
		if (*(const unsigned long *)(p + i * PG + i % 500 * 8) != i + salt)
			return false;
	}
	return true;
}

/* In a child, so that what it maps and touches is not counted afterwards. */
static int fork_large_process(void *arg)
{
	unsigned int n, failed = 0;
	char *p[LARGE_AREAS];
	int status;

	(void)arg;
	for (int i = 0; i < LARGE_AREAS; i++) {
		/* A hole keeps them apart. */
		p[i] = anon(LARGE_PAGES + 512);
		munmap(p[i] + LARGE_PAGES * PG, 512 * PG);
		stamp(p[i], i << 20);
	}
	for (n = 1; n < 2000; n++) {
		pid_t pid;

		inject_arm(n);
		pid = fork();
		if (!pid) {
			/* What is found must not depend on what the parent writes now. */
			for (int i = 0; i < LARGE_AREAS; i++) {
				if (!stamped(p[i], i << 20))
					_exit(1);
			}
			poke(p[n % LARGE_AREAS] + n % LARGE_PAGES * PG + 4095, 'c');
			_exit(0);
		}
		status = 0;
		if (pid < 0) {
			if (errno != ENOMEM)
				return 2;
			failed++;
		} else if (waitpid(pid, &status, 0) != pid || status) {
			return 3;
		}
		if (!inject_disarm())
			break;
		for (int i = 0; i < LARGE_AREAS; i++) {
			if (!stamped(p[i], i << 20))
				return 4;
		}
	}
	printf("# fork of %d MiB: %u allocations, %u failures\n", LARGE_AREAS * 16, n - 1, failed);
	fflush(stdout);
	return failed && n < 2000 ? 0 : 5;
}

TEST(fork_of_a_large_process)
{
	bool leaks = true;

	inject_leaks("fork of a large process", true);
	for (int round = 0; leaks && round < 3; round++) {
		ASSERT_EQ(0, run_child(fork_large_process, NULL));
		leaks = inject_leaks("fork of a large process", true);
	}
	EXPECT_FALSE(leaks);
}

int main(int argc, char **argv)
{
	const char *why_not;

	/*
	 * The kernel writes to a thread's rseq area on its way back to it, and
	 * kills it if there is no memory for a page. Do without.
	 */
	if (!getenv("GLIBC_TUNABLES")) {
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		execv("/proc/self/exe", argv);
	}
	why_not = inject_setup();
	if (why_not) {
		ksft_print_header();
		ksft_exit_skip("%s\n", why_not);
	}
	return test_harness_run(argc, argv);
}
