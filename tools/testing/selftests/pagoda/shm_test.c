// SPDX-License-Identifier: GPL-2.0
/*
 * Memory shared on purpose: System V segments, memfds and their seals.
 */
#include <sys/ipc.h>
#include <sys/shm.h>

#include "suite.h"

TEST(segment_is_shared_and_outlives_its_maker)
{
	int id = shmget(IPC_PRIVATE, 8 * PG, IPC_CREAT | 0600), status;
	struct shmid_ds ds;
	char *p, *q;
	pid_t pid;

	ASSERT_LE(0, id);
	pid = fork();
	if (!pid) {
		p = shmat(id, NULL, 0);
		fill(p, 8, 'a');
		_exit(0);
	}
	waitpid(pid, &status, 0);
	p = shmat(id, NULL, 0);
	q = shmat(id, NULL, SHM_RDONLY);
	ASSERT_NE((void *)-1, p);
	ASSERT_NE((void *)-1, q);
	EXPECT_TRUE(filled(p, 8, 'a'));
	poke(p, 'X');
	EXPECT_EQ('X', peek(q));
	EXPECT_EQ(frame_of(0, p), frame_of(0, q));
	EXPECT_EQ(SEGV_DENIED, try_write(q));
	EXPECT_EQ(0, shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(2, ds.shm_nattch);
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ('b', peek(p + PG));
	EXPECT_EQ(0, shmdt(q));
	EXPECT_EQ(0, shmdt(p));
	EXPECT_EQ(SEGV_NOTHING, try_read(p));
	EXPECT_EQ((void *)-1, shmat(id, NULL, 0));
}

TEST(segment_at_an_address)
{
	int id = shmget(IPC_PRIVATE, 4 * PG, IPC_CREAT | 0600);
	char *p = anon(8);

	munmap(p + 2 * PG, 4 * PG);
	EXPECT_EQ(p + 2 * PG, shmat(id, p + 2 * PG, 0));
	EXPECT_EQ((void *)-1, shmat(id, p, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(p, shmat(id, p, SHM_REMAP));
	EXPECT_EQ(p + 4 * PG, shmat(id, p + 4 * PG + 9, SHM_RND | SHM_REMAP));
	poke(p, 'x');
	EXPECT_EQ('x', peek(p + 4 * PG));
	shmctl(id, IPC_RMID, NULL);
	EXPECT_EQ(0, shmdt(p));
	EXPECT_EQ(-1, shmdt(p + PG));
	EXPECT_EQ(EINVAL, errno);
}

TEST(attachments_counted_through_fork_split_and_exit)
{
	int id = shmget(IPC_PRIVATE, 8 * PG, IPC_CREAT | 0600), status;
	struct shmid_ds ds;
	char *p = shmat(id, NULL, 0);
	pid_t pid = fork();

	if (!pid) {
		shmctl(id, IPC_STAT, &ds);
		_exit(ds.shm_nattch == 2 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	shmctl(id, IPC_STAT, &ds);
	EXPECT_EQ(1, ds.shm_nattch);
	mprotect(p + 2 * PG, PG, PROT_READ);
	shmctl(id, IPC_STAT, &ds);
	EXPECT_EQ(3, ds.shm_nattch);
	munmap(p + 2 * PG, PG);
	shmctl(id, IPC_STAT, &ds);
	EXPECT_EQ(2, ds.shm_nattch);
	/* Detaching takes all parts. */
	EXPECT_EQ(0, shmdt(p));
	shmctl(id, IPC_STAT, &ds);
	EXPECT_EQ(0, ds.shm_nattch);
	EXPECT_EQ(SEGV_NOTHING, try_read(p + 5 * PG));
	shmctl(id, IPC_RMID, NULL);
}

TEST(segments_lock)
{
	int id = shmget(IPC_PRIVATE, 4 * PG, IPC_CREAT | 0600);
	char *p = shmat(id, NULL, 0);

	poke(p, 1);
	EXPECT_EQ(0, shmctl(id, SHM_LOCK, NULL));
	EXPECT_EQ(0, shmctl(id, SHM_UNLOCK, NULL));
	EXPECT_EQ(1, peek(p));
	shmctl(id, IPC_RMID, NULL);
}

TEST(memfd_grows_and_shrinks)
{
	int fd = memfd_create("m", 0);
	char *p = mmap(NULL, 8 * PG, RW, MAP_SHARED, fd, 0);

	EXPECT_EQ(BUS_BEYOND, try_write(p));
	ftruncate(fd, 4 * PG);
	EXPECT_EQ(NO_FAULT, try_write(p));
	EXPECT_EQ(BUS_BEYOND, try_write(p + 4 * PG));
	ftruncate(fd, 8 * PG);
	fill(p, 8, 'a');
	ftruncate(fd, 2 * PG);
	ftruncate(fd, 8 * PG);
	EXPECT_TRUE(filled(p, 2, 'a'));
	EXPECT_EQ(0, peek(p + 2 * PG));
}

TEST(memfd_pages_survive_without_a_mapping)
{
	int fd = memory_file(8, 'a');
	char *p = mmap(NULL, 8 * PG, RW, MAP_SHARED, fd, 0);
	unsigned long f;

	poke(p + PG, 'X');
	f = frame_of(0, p + PG);
	munmap(p, 8 * PG);
	p = mmap(NULL, 8 * PG, RW, MAP_SHARED, fd, 0);
	EXPECT_EQ('X', peek(p + PG));
	EXPECT_EQ(f, frame_of(0, p + PG));
	EXPECT_LT(0, smaps_field(0, p, "Rss"));
}

TEST(shared_pages_count_as_shmem)
{
	char *p = mmap(NULL, 4 * MIB, RW, SHARED_ANON, -1, 0);
	long before = status_field(0, "RssShmem");

	for (size_t i = 0; i < 4 * MIB; i += PG)
		poke(p + i, 1);
	EXPECT_LE(3 * 1024, status_field(0, "RssShmem") - before);
	EXPECT_EQ(4 * 1024, smaps_field(0, p, "Rss"));
	madvise(p, 4 * MIB, MADV_DONTNEED);
	EXPECT_GE(1024, status_field(0, "RssShmem") - before);
	EXPECT_EQ(1, peek(p));
}

TEST(write_seal)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING);
	char *p, *r;

	ftruncate(fd, 4 * PG);
	p = mmap(NULL, PG, RW, MAP_SHARED, fd, 0);
	EXPECT_EQ(-1, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	/* Even when only mprotect could make it writable. */
	mprotect(p, PG, PROT_READ);
	EXPECT_EQ(-1, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(p, PG);
	r = mmap(NULL, PG, RW, MAP_PRIVATE, fd, 0);
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_SHARED, fd, 0));
	EXPECT_EQ(EPERM, errno);
	poke(r, 'x');
	p = mmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		EXPECT_EQ(0, peek(p));
		EXPECT_EQ(-1, mprotect(p, PG, RW));
		EXPECT_EQ(EACCES, errno);
	}
}

TEST(future_write_seal)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING);
	char *p, *q;

	ftruncate(fd, 4 * PG);
	p = mmap(NULL, PG, RW, MAP_SHARED, fd, 0);
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, 0x10 /* F_SEAL_FUTURE_WRITE */));
	poke(p, 'x');
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_SHARED, fd, 0));
	EXPECT_EQ(EPERM, errno);
	q = mmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ('x', peek(q));
	EXPECT_EQ(-1, mprotect(q, PG, RW));
}

TEST(size_seals)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING);

	ftruncate(fd, 4 * PG);
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	EXPECT_EQ(-1, ftruncate(fd, PG));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, ftruncate(fd, 6 * PG));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	EXPECT_EQ(-1, ftruncate(fd, 8 * PG));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	EXPECT_EQ(-1, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST(forked_many_times_one_memory)
{
	unsigned int *p = mmap(NULL, PG, RW, SHARED_ANON, -1, 0);

	for (int i = 0; i < 8; i++) {
		if (!fork()) {
			for (int k = 0; k < 1000; k++)
				__atomic_fetch_add(p, 1, __ATOMIC_RELAXED);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	EXPECT_EQ(8000, *p);
}

TEST_HARNESS_MAIN
