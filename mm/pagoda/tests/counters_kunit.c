// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: resident pages by kind, table bytes, committed memory; right while
 * an address space lives and exactly zero when it is gone.
 *
 * umm_drop() checks the latter; each case here prepares another kind of life.
 */
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/swap.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

static s64 committed(void)
{
	return percpu_counter_sum(&vm_committed_as);
}

/* A bit of everything, moved, protected, forked, and partly thrown away. */
static void counters_busy_life(struct kunit *test)
{
	struct umm *self = umm_self(test), *child;
	struct file *file = umm_ramfs(test, 128), *shm = umm_shmem(test, 64);
	unsigned long i, at, big = 2 * UMM_BASE, away = big + 5 * PMD_SIZE;

	for (i = 0; i < 64; i++)
		umm_file_set(test, file, i * PAGE_SIZE, i);
	umm_paint(test, file, "|WWWW|FFff|hhhh|LL|rr|..|xx|");
	at = umm_map_file(test, shm, 0, 64, UMM_RW, MAP_SHARED);
	for (i = 0; i < 64; i += 3)
		KUNIT_EXPECT_EQ(test, umm_poke(at + i * PAGE_SIZE, i), 0);
	umm_map_at(test, big, 4 * PTRS_PER_PTE, UMM_RW);
	for (i = 0; i < 4 * PTRS_PER_PTE; i += 5)
		KUNIT_ASSERT_EQ(test, umm_poke(big + i * PAGE_SIZE, i), 0);
	for (i = 8; i < 12; i++)
		KUNIT_EXPECT_EQ(test, umm_poke(AT(i), i), 0);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	for (i = 0; i < 4 * PTRS_PER_PTE; i += 35)
		KUNIT_ASSERT_EQ(test, umm_poke(big + i * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, big + PMD_SIZE, PMD_SIZE,
				      PMD_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				      away), (long)away);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, big, PMD_SIZE / 2,
				      MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(0), 2 * PAGE_SIZE,
				      PROT_NONE), 0L);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, 5 * PAGE_SIZE), 0L);
	umm_drop(self);
	umm_drop(child);
}

static void counters_by_kind(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 64), *shm = umm_shmem(test, 8);
	struct mm_struct *mm = current->mm;
	unsigned long at;

	umm_file_set(test, file, 4 * PAGE_SIZE, 1);
	umm_paint(test, file, "|WWW|.|ff|");
	at = umm_map_file(test, shm, 0, 8, UMM_RW, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES), 3L);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_FILEPAGES), 1L);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_SHMEMPAGES), 1L);
	/* A copy changes the kind, not the sum. */
	KUNIT_EXPECT_EQ(test, umm_poke(AT(4), 2), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 2), 0);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES), 5L);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_FILEPAGES), 0L);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_SHMEMPAGES), 0L);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_SWAPENTS), 0L);
}

/* Tables are counted as they come, and given back with the last area. */
static void counters_table_bytes(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	unsigned long one, i;

	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), 0UL);
	umm_map_at(test, UMM_BASE, 8 * PTRS_PER_PTE, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE, 1), 0);
	one = umm_table_bytes(mm);
	KUNIT_EXPECT_GE(test, one, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE + PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), one);
	for (i = 1; i < 8; i++)
		KUNIT_EXPECT_EQ(test, umm_poke(UMM_BASE + i * PMD_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), one + 7 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vm_munmap(UMM_BASE, 8 * PMD_SIZE), 0);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(mm), 0UL);
}

/* Private writable memory is promised memory. */
static void counters_committed(struct kunit *test)
{
	struct umm *child;
	s64 start = committed();
	unsigned long at;

	umm_map_at(test, UMM_BASE, 10, UMM_RW);
	KUNIT_EXPECT_EQ(test, committed(), start + 10);
	at = umm_map(test, 6, PROT_READ);
	KUNIT_EXPECT_EQ(test, committed(), start + 10);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at, 2 * PAGE_SIZE,
				      UMM_RW), 0L);
	KUNIT_EXPECT_EQ(test, committed(), start + 12);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, UMM_BASE, 10 * PAGE_SIZE,
				      15 * PAGE_SIZE, MREMAP_MAYMOVE),
			(long)UMM_BASE);
	KUNIT_EXPECT_EQ(test, committed(), start + 17);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, UMM_BASE + PAGE_SIZE,
				      4 * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, committed(), start + 13);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_EXPECT_EQ(test, committed(), start + 26);
	umm_drop(child);
	KUNIT_EXPECT_EQ(test, committed(), start + 13);
	umm_drop(umm_self(test));
	KUNIT_EXPECT_EQ(test, committed(), start);
}

/* Under strict accounting a promise that cannot be kept is refused. */
static void counters_strict_overcommit(struct kunit *test)
{
	unsigned long limit = sysctl_overcommit_kbytes, got, small;
	int policy = sysctl_overcommit_memory;
	s64 start = committed();

	sysctl_overcommit_memory = OVERCOMMIT_NEVER;
	/* Processors may have much that is not yet in the sum: all or nothing. */
	sysctl_overcommit_kbytes = 1;
	got = vm_mmap(NULL, 0, SZ_64M, UMM_RW, UMM_ANON, 0);
	sysctl_overcommit_kbytes = ULONG_MAX >> 12;
	small = vm_mmap(NULL, 0, PAGE_SIZE, UMM_RW, UMM_ANON, 0);
	sysctl_overcommit_memory = policy;
	sysctl_overcommit_kbytes = limit;
	KUNIT_EXPECT_EQ(test, got, -ENOMEM);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(small));
	KUNIT_EXPECT_EQ(test, committed(), start + 1);
	sysctl_overcommit_memory = OVERCOMMIT_ALWAYS;
	got = vm_mmap(NULL, 0, SZ_64M, UMM_RW, UMM_ANON | MAP_NORESERVE, 0);
	sysctl_overcommit_memory = policy;
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(got));
	KUNIT_EXPECT_EQ(test, committed(), start + 1);
}

static void counters_total_vm(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct file *file = umm_ramfs(test, 64);

	umm_paint(test, file, "|wwww|ff|xx|rr|");
	KUNIT_EXPECT_EQ(test, mm->total_vm, 10UL);
	KUNIT_EXPECT_EQ(test, mm->data_vm, 6UL);
	KUNIT_EXPECT_EQ(test, mm->exec_vm, 2UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(8), PAGE_SIZE, UMM_RW),
			0L);
	KUNIT_EXPECT_EQ(test, mm->data_vm, 7UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(1), 8 * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, mm->total_vm, 2UL);
	KUNIT_EXPECT_EQ(test, mm->data_vm, 1UL);
	KUNIT_EXPECT_EQ(test, mm->exec_vm, 0UL);
}

/* An address space that was never used has nothing to give back. */
static void counters_unused(struct kunit *test)
{
	struct umm *u = umm_new(test);

	umm_drop(u);
	umm_enter(umm_new(test));
	KUNIT_EXPECT_EQ(test, umm_touch(UMM_BASE), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_table_bytes(current->mm), 0UL);
}

static struct kunit_case counters_tests[] = {
	KUNIT_CASE(counters_busy_life),
	KUNIT_CASE(counters_by_kind),
	KUNIT_CASE(counters_table_bytes),
	KUNIT_CASE(counters_committed),
	KUNIT_CASE(counters_strict_overcommit),
	KUNIT_CASE(counters_total_vm),
	KUNIT_CASE(counters_unused),
	{ }
};

static struct kunit_suite counters_suite = {
	.name = "pagoda_counters",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = counters_tests,
};

kunit_test_suite(counters_suite);
