// SPDX-License-Identifier: GPL-2.0
/*
 * Every error of the memory calls: each errno of the manual pages, each edge of
 * the arguments, each limit from both sides; and that a failed call has changed
 * nothing. The rows are in errors_*.c, a family of calls each; errors.c plays
 * them. Their results were confirmed on stock Linux.
 */
#include "suite.h"

/* The families, without what only they need. */
#define SUITE_NO_HARNESS
#include "errors.h"

static void play(struct __test_metadata *_metadata, int (*family)(void))
{
	ASSERT_TRUE(errors_open());
	EXPECT_EQ(0, family());
}

TEST(of_mmap)
{
	play(_metadata, errors_mmap);
}

TEST(of_mmap_file)
{
	play(_metadata, errors_mmap_file);
}

TEST(of_mmap_limits)
{
	play(_metadata, errors_mmap_limits);
}

TEST(of_munmap)
{
	play(_metadata, errors_munmap);
}

TEST(of_brk)
{
	play(_metadata, errors_brk);
}

TEST(of_remap_file_pages)
{
	play(_metadata, errors_remap_file_pages);
}

TEST(of_mprotect)
{
	play(_metadata, errors_mprotect);
}

TEST(of_pkey)
{
	int key = syscall(SYS_pkey_alloc, 0, 0);

	if (key < 0)
		SKIP(return, "no protection keys here");
	syscall(SYS_pkey_free, key);
	play(_metadata, errors_pkey);
}

TEST(of_mseal)
{
	if (!have_mseal())
		SKIP(return, "no mseal here");
	play(_metadata, errors_mseal);
}

TEST(of_mremap)
{
	play(_metadata, errors_mremap);
}

TEST(of_mremap_fixed)
{
	play(_metadata, errors_mremap_fixed);
}

TEST(of_mremap_limits)
{
	play(_metadata, errors_mremap_limits);
}

TEST(of_madvise)
{
	play(_metadata, errors_madvise);
}

TEST(of_madvise_flags)
{
	play(_metadata, errors_madvise_flags);
}

TEST(of_madvise_populate)
{
	play(_metadata, errors_madvise_populate);
}

TEST(of_process_madvise)
{
	play(_metadata, errors_process_madvise);
}

TEST(of_mlock)
{
	play(_metadata, errors_mlock);
}

TEST(of_mlockall)
{
	play(_metadata, errors_mlockall);
}

TEST(of_msync)
{
	play(_metadata, errors_msync);
}

TEST(of_mincore)
{
	play(_metadata, errors_mincore);
}

TEST(of_vm_readv)
{
	play(_metadata, errors_vm_readv);
}

TEST(of_vm_writev)
{
	play(_metadata, errors_vm_writev);
}

TEST(of_membarrier)
{
	play(_metadata, errors_membarrier);
}

TEST_HARNESS_MAIN
