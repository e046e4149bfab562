// SPDX-License-Identifier: GPL-2.0
/*
 * The first write to memory of a driver: copied in a private mapping, and in a
 * shared one announced to a driver that wants to hear of it.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include <pagoda/buffer.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)
#define LAST(page)	(AT((page) + 1) - sizeof(long))

static struct umm_buffer *cow_buffer(struct kunit *test,
				     enum umm_buffer_how how, int flags)
{
	struct umm_buffer *d = umm_buffer(test, how);

	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, UMM_BUFFER_PAGES, flags),
			UMM_BASE);
	return d;
}

/* The copy has all of the frame, and the driver's memory stays as it was. */
static void cow_private(struct kunit *test, enum umm_buffer_how how)
{
	struct umm_buffer *d = cow_buffer(test, how, MAP_PRIVATE);

	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 11UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 6), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 5UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, LAST(1)), 11UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, LAST(2)), 12UL);
	KUNIT_EXPECT_EQ(test, *umm_buffer_word(d, 1), 11UL);
	KUNIT_EXPECT_EQ(test, *umm_buffer_word(d, 2), 12UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_FILEPAGES), 0L);
	/* What was not written to is still the driver's. */
	*umm_buffer_word(d, 0) = 99;
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 99UL);
}

static void cow_private_remapped(struct kunit *test)
{
	cow_private(test, UMM_REMAP);
}

static void cow_private_mixed(struct kunit *test)
{
	cow_private(test, UMM_MIXED);
}

struct cow_zapper {
	struct file *file;
	struct completion begun;
};

static int cow_zap(void *arg)
{
	struct cow_zapper *z = arg;

	complete(&z->begun);
	while (!kthread_should_stop()) {
		unmap_mapping_range(z->file->f_mapping, 0, 0, 0);
		cond_resched();
	}
	return 0;
}

/*
 * Another thread takes the frame away, again and again, while it is copied. A
 * copy that was made too late is not used.
 */
static void cow_while_zapped(struct kunit *test)
{
	struct umm_buffer *d = cow_buffer(test, UMM_MIXED, MAP_PRIVATE);
	struct cow_zapper z = { .file = d->file };
	struct task_struct *task;
	int i, wrong = 0;

	init_completion(&z.begun);
	task = kthread_run(cow_zap, &z, "cow_zap");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wait_for_completion(&z.begun);
	for (i = 0; i < 3000; i++) {
		unsigned long last = 0;

		wrong += umm_touch(AT(1)) || umm_poke(AT(1), i) ||
			 get_user(last, (unsigned long __user *)LAST(1)) ||
			 last != 11;
		unmap_mapping_range(d->file->f_mapping, 0, 0, 1);
	}
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, *umm_buffer_word(d, 1), 11UL);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
}

static vm_fault_t cow_refuse(struct umm_buffer *d, struct vm_fault *vmf)
{
	return d->notices ? VM_FAULT_SIGBUS : 0;
}

/* The driver hears of the first write to each frame, and may refuse it. */
static void cow_notify(struct kunit *test, enum umm_buffer_how how)
{
	struct umm_buffer *d = cow_buffer(test, how, MAP_SHARED);

	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(0)).write);
	KUNIT_EXPECT_EQ(test, d->notices, 0U);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_EXPECT_TRUE(test, d->flags & FAULT_FLAG_MKWRITE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 2), 0);
	KUNIT_EXPECT_EQ(test, d->notices, 1U);
	KUNIT_EXPECT_EQ(test, *umm_buffer_word(d, 0), 2UL);
	d->before = cow_refuse;
	KUNIT_EXPECT_EQ(test, umm_touch(AT(1)), -EFAULT);
	d->notices = 0;
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, *umm_buffer_word(d, 1), 11UL);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
}

static void cow_notify_frames(struct kunit *test)
{
	cow_notify(test, UMM_FRAMES_NOTIFY);
}

static void cow_notify_mixed(struct kunit *test)
{
	cow_notify(test, UMM_MIXED_NOTIFY);
}

/* An entry that mprotect made read-only, of a driver who need not know. */
static void cow_after_protect(struct kunit *test, enum umm_buffer_how how)
{
	struct umm_buffer *d = cow_buffer(test, how, MAP_SHARED);
	const unsigned long len = UMM_BUFFER_PAGES * PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, UMM_BASE, len, PROT_READ),
			0L);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, UMM_BASE, len, UMM_RW),
			0L);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_EXPECT_EQ(test, *umm_buffer_word(d, 0), 1UL);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(0)).dirty);
	KUNIT_EXPECT_EQ(test, d->faults, 1U);
}

static void cow_protected_frames(struct kunit *test)
{
	cow_after_protect(test, UMM_FRAMES);
}

static void cow_protected_mixed(struct kunit *test)
{
	cow_after_protect(test, UMM_MIXED);
}

static vm_fault_t cow_zap_first(struct umm_buffer *d, struct vm_fault *vmf)
{
	if (d->notices == 1)
		unmap_mapping_range(d->file->f_mapping, 0, 0, 0);
	return 0;
}

/* The page is taken away while the driver thinks about the write. */
static void cow_zapped_meanwhile(struct kunit *test)
{
	struct umm_buffer *d = cow_buffer(test, UMM_PAGES_NOTIFY, MAP_SHARED);

	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 10UL);
	d->before = cow_zap_first;
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 5), 0);
	KUNIT_EXPECT_EQ(test, d->notices, 2U);
	KUNIT_EXPECT_EQ(test, *umm_buffer_word(d, 0), 5UL);
	KUNIT_EXPECT_FALSE(test, folio_test_locked(d->folio));
	KUNIT_EXPECT_EQ(test, folio_mapcount(d->folio), 1);
	KUNIT_EXPECT_EQ(test, folio_ref_count(d->folio), 2);
}

static struct kunit_case cow_tests[] = {
	KUNIT_CASE(cow_private_remapped),
	KUNIT_CASE(cow_private_mixed),
	KUNIT_CASE(cow_while_zapped),
	KUNIT_CASE(cow_notify_frames),
	KUNIT_CASE(cow_notify_mixed),
	KUNIT_CASE(cow_protected_frames),
	KUNIT_CASE(cow_protected_mixed),
	KUNIT_CASE(cow_zapped_meanwhile),
	{ }
};

static struct kunit_suite cow_suite = {
	.name = "pagoda_cow",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = cow_tests,
};

kunit_test_suite(cow_suite);
