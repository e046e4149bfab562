// SPDX-License-Identifier: GPL-2.0
/*
 * Access to another address space: what ptrace, /proc/PID/mem and
 * process_vm_readv and process_vm_writev use.
 */
#include <linux/uio.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

static void access_across_pages(struct kunit *test)
{
	struct umm *self = umm_self(test);
	const int len = 2 * PAGE_SIZE + 100;
	u8 *out = kunit_kzalloc(test, len, GFP_KERNEL);
	u8 *in = kunit_kzalloc(test, len, GFP_KERNEL);
	unsigned long at = AT(0) + PAGE_SIZE - 50;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, out);
	KUNIT_ASSERT_NOT_NULL(test, in);
	for (i = 0; i < len; i++)
		out[i] = i * 7;
	umm_paint(test, NULL, "|WWww|");
	umm_leave();
	KUNIT_EXPECT_EQ(test, access_remote_vm(self->mm, at, out, len,
					       FOLL_WRITE), len);
	KUNIT_EXPECT_EQ(test, access_remote_vm(self->mm, at, in, len, 0), len);
	KUNIT_EXPECT_MEMEQ(test, in, out, len);
	umm_enter(self);
	memset(in, 0, len);
	KUNIT_EXPECT_EQ(test, copy_from_user(in, (void __user *)at, len), 0UL);
	KUNIT_EXPECT_MEMEQ(test, in, out, len);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
}

/* As much as there is; the count says how much that was. */
static void access_stops_at_hole(struct kunit *test)
{
	struct mm_struct *mm = umm_self(test)->mm;
	u8 *buf = kunit_kzalloc(test, 3 * PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	umm_paint(test, NULL, "|WW|..|rr|");
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, AT(1), buf, 3 * PAGE_SIZE,
					       0), (int)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)buf, 2UL);
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, AT(2), buf, 8, 0), 0);
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, AT(4), buf, 8, FOLL_WRITE),
			0);
	/* With force a private page is written into a copy. */
	*(unsigned long *)buf = 88;
	KUNIT_EXPECT_EQ(test, access_remote_vm(mm, AT(4), buf, 8,
					       FOLL_WRITE | FOLL_FORCE), 8);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 88UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(5)), 0UL);
}

static void access_process(struct kunit *test)
{
	unsigned long value = 0;
	struct umm *child;

	umm_paint(test, NULL, "|WW|");
	child = umm_fork_task(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_EXPECT_EQ(test, access_process_vm(child->task, AT(1), &value,
						sizeof(value), 0),
			(int)sizeof(value));
	KUNIT_EXPECT_EQ(test, value, 2UL);
	value = 22;
	KUNIT_EXPECT_EQ(test, access_process_vm(child->task, AT(1), &value,
						sizeof(value), FOLL_WRITE),
			(int)sizeof(value));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
	umm_reap(child);
	/* A process that is gone has no memory. */
	KUNIT_EXPECT_EQ(test, access_process_vm(child->task, AT(1), &value,
						sizeof(value), 0), 0);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 22UL);
}

#ifdef CONFIG_CROSS_MEMORY_ATTACH
/*
 * The caller's vectors and buffers are in its own user memory:
 *
 *	page 0: iovec local[2], remote[2]	page 1, 2: buffers
 */
static void access_vectors(struct kunit *test, unsigned long remote_page,
			   size_t first, size_t second)
{
	struct iovec iov[4] = {
		{ (void __user *)AT(1), 3 * sizeof(long) },
		{ (void __user *)AT(2), 3 * sizeof(long) },
		{ (void __user *)(AT(remote_page) - first), first },
		{ (void __user *)AT(remote_page), second },
	};

	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)AT(0), iov,
					   sizeof(iov)), 0UL);
}

static long access_call(int nr, struct umm *u)
{
	return umm_sys(nr, u->pid, AT(0), 2, AT(0) + 2 * sizeof(struct iovec),
		       2, 0);
}

static void access_process_vm_calls(struct kunit *test)
{
	struct umm *child;
	int i;

	umm_paint(test, NULL, "|WWW|.|WW|.|rr|");
	for (i = -2; i < 4; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(AT(5) + i * sizeof(long),
					       60 + i), 0);
	child = umm_fork_task(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	KUNIT_ASSERT_EQ(test, umm_poke(AT(5), 999), 0);

	/* Two words before the page and four from it, over two buffers. */
	access_vectors(test, 5, 2 * sizeof(long), 4 * sizeof(long));
	KUNIT_EXPECT_EQ(test, access_call(__NR_process_vm_readv, child),
			6L * (long)sizeof(long));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1) + i * sizeof(long)),
				58UL + i);
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2) + i * sizeof(long)),
				61UL + i);
	}
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 77), 0);
	KUNIT_EXPECT_EQ(test, access_call(__NR_process_vm_writev, child),
			6L * (long)sizeof(long));
	/* Only what can be written is: the read-only page refuses. */
	access_vectors(test, 8, 0, 4 * sizeof(long));
	KUNIT_EXPECT_EQ(test, access_call(__NR_process_vm_writev, child),
			(long)-EFAULT);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_process_vm_readv, child->pid, AT(0),
				      2, AT(0), 2, 1), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_process_vm_readv, 0x3fffffff, AT(0),
				      2, AT(0), 2, 0), (long)-ESRCH);
	umm_reap(child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(5) + sizeof(long)), 77UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(5)), 60UL);
}
#endif

static struct kunit_case access_tests[] = {
	KUNIT_CASE(access_across_pages),
	KUNIT_CASE(access_stops_at_hole),
	KUNIT_CASE(access_process),
#ifdef CONFIG_CROSS_MEMORY_ATTACH
	KUNIT_CASE(access_process_vm_calls),
#endif
	{ }
};

static struct kunit_suite access_suite = {
	.name = "pagoda_access",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = access_tests,
};

kunit_test_suite(access_suite);
