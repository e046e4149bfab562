// SPDX-License-Identifier: GPL-2.0
/*
 * mlock and its family. How areas split and merge is in area_kunit.c.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/swap.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

static long lock(unsigned long page, unsigned long pages)
{
	return umm_sys(__NR_mlock, AT(page), pages * PAGE_SIZE);
}

static long unlock(unsigned long page, unsigned long pages)
{
	return umm_sys(__NR_munlock, AT(page), pages * PAGE_SIZE);
}

static unsigned long locked(void)
{
	return current->mm->locked_vm;
}

static bool page_mlocked(struct kunit *test, unsigned long addr)
{
	struct folio *folio = page_folio(umm_page(test, addr));

	lru_add_drain_all();
	return folio_test_mlocked(folio);
}

static void mlock_makes_present(struct kunit *test)
{
	umm_paint(test, NULL, "|ww|rr|");
	KUNIT_EXPECT_EQ(test, lock(0, 4), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 4UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 4), 4UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
	KUNIT_EXPECT_TRUE(test, page_mlocked(test, AT(1)));
	KUNIT_EXPECT_EQ(test, unlock(1, 2), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 2UL);
	KUNIT_EXPECT_FALSE(test, page_mlocked(test, AT(1)));
	KUNIT_EXPECT_TRUE(test, page_mlocked(test, AT(0)));
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 4), 4UL);
	/* Locking twice counts once. */
	KUNIT_EXPECT_EQ(test, lock(0, 4), 0L);
	KUNIT_EXPECT_EQ(test, lock(0, 4), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 4UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(1), PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 3UL);
}

static void mlock_on_fault(struct kunit *test)
{
	umm_paint(test, NULL, "|wwww|");
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock2, AT(0), 4 * PAGE_SIZE,
				      MLOCK_ONFAULT), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 4UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 4), 1UL);
	KUNIT_EXPECT_TRUE(test, page_mlocked(test, AT(0)));
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 1), 0);
	KUNIT_EXPECT_TRUE(test, page_mlocked(test, AT(2)));
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock2, AT(0), PAGE_SIZE, 2),
			(long)-EINVAL);
}

static void mlock_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 8);

	umm_paint(test, file, "|ff|hh|");
	KUNIT_EXPECT_EQ(test, lock(0, 4), 0L);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 4), 4UL);
	/* A private writable page is copied at once; a shared one cannot be. */
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
	KUNIT_EXPECT_TRUE(test, page_mlocked(test, AT(0)));
	KUNIT_EXPECT_EQ(test, unlock(0, 4), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 0UL);
	KUNIT_EXPECT_FALSE(test, page_mlocked(test, AT(0)));
}

static void mlock_refuses(struct kunit *test)
{
	umm_paint(test, NULL, "|ww|..|nn|");
	KUNIT_EXPECT_EQ(test, lock(2, 1), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, lock(0, 4), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, unlock(0, 3), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, AT(0), -PAGE_SIZE - 1),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, lock(0, 0), 0L);
	/* Nothing can be made present where nothing may be touched. */
	KUNIT_EXPECT_EQ(test, lock(4, 2), (long)-ENOMEM);
	/* A start inside a page stands for the page. */
	KUNIT_EXPECT_EQ(test, unlock(0, 2), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlock, AT(0) + PAGE_SIZE - 1, 2),
			0L);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 2), 2UL);
}

static void mlockall_flags(struct kunit *test)
{
	unsigned long at;

	umm_paint(test, NULL, "|ww|rr|nn|");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlockall, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlockall, MCL_ONFAULT),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlockall, 8), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlockall, MCL_CURRENT), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 6UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 4), 4UL);
	at = umm_map(test, 2, UMM_RW);
	KUNIT_EXPECT_EQ(test, locked(), 6UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 2), 0UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlockall, MCL_FUTURE), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 6UL);
	at = umm_map(test, 3, UMM_RW);
	KUNIT_EXPECT_EQ(test, locked(), 9UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 3), 3UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mlockall,
				      MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT),
			0L);
	at = umm_map(test, 3, UMM_RW);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 3), 0UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munlockall), 0L);
	KUNIT_EXPECT_EQ(test, locked(), 0UL);
	at = umm_map(test, 2, UMM_RW);
	KUNIT_EXPECT_EQ(test, locked(), 0UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 2), 0UL);
}

static void mlock_map_locked(struct kunit *test)
{
	unsigned long at = vm_mmap(NULL, 0, 3 * PAGE_SIZE, UMM_RW,
				   UMM_ANON | MAP_LOCKED, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, locked(), 3UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, at, 3), 3UL);
	KUNIT_EXPECT_EQ(test, vm_munmap(at, 3 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, locked(), 0UL);
}

/* Without the right to lock at will, RLIMIT_MEMLOCK is the limit. */
static void mlock_limit(struct kunit *test)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_MEMLOCK];
	struct cred *cred = prepare_creds();
	const struct cred *old;
	long within, beyond, again, map, none, all;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cap_lower(cred->cap_effective, CAP_IPC_LOCK);
	umm_paint(test, NULL, "|wwwwwwww|");
	old = override_creds(cred);
	limit->rlim_cur = 4 * PAGE_SIZE;
	within = lock(0, 3);
	beyond = lock(3, 2);
	again = lock(0, 4);
	all = umm_sys(__NR_mlockall, MCL_CURRENT);
	map = (long)vm_mmap(NULL, 0, PAGE_SIZE, UMM_RW, UMM_ANON | MAP_LOCKED,
			    0);
	limit->rlim_cur = 0;
	none = lock(5, 1);
	revert_creds(old);
	put_cred(cred);
	KUNIT_EXPECT_EQ(test, within, 0L);
	KUNIT_EXPECT_EQ(test, beyond, (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, again, 0L);
	KUNIT_EXPECT_EQ(test, all, (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, map, (long)-EAGAIN);
	KUNIT_EXPECT_EQ(test, none, (long)-EPERM);
	KUNIT_EXPECT_EQ(test, locked(), 4UL);
}

/* Locked shared memory is charged to its user. */
static void mlock_shm_charge(struct kunit *test)
{
	struct ucounts *ucounts = current_ucounts();
	long before = get_rlimit_value(ucounts, UCOUNT_RLIMIT_MEMLOCK);

	KUNIT_EXPECT_TRUE(test, user_shm_lock(3 * PAGE_SIZE, ucounts));
	KUNIT_EXPECT_EQ(test, get_rlimit_value(ucounts, UCOUNT_RLIMIT_MEMLOCK),
			before + 3);
	user_shm_unlock(3 * PAGE_SIZE, ucounts);
	KUNIT_EXPECT_EQ(test, get_rlimit_value(ucounts, UCOUNT_RLIMIT_MEMLOCK),
			before);
}

static struct kunit_case mlock_tests[] = {
	KUNIT_CASE(mlock_makes_present),
	KUNIT_CASE(mlock_on_fault),
	KUNIT_CASE(mlock_file),
	KUNIT_CASE(mlock_refuses),
	KUNIT_CASE(mlockall_flags),
	KUNIT_CASE(mlock_map_locked),
	KUNIT_CASE(mlock_limit),
	KUNIT_CASE(mlock_shm_charge),
	{ }
};

static struct kunit_suite mlock_suite = {
	.name = "pagoda_mlock",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = mlock_tests,
};

kunit_test_suite(mlock_suite);
