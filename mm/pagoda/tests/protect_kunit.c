// SPDX-License-Identifier: GPL-2.0
/*
 * mprotect: what may be done to a page afterwards, and what is refused.
 *
 * How areas split and merge under it is in area_kunit.c.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/pgtable.h>

#include <pagoda/umm.h>

static long protect(unsigned long addr, unsigned long pages, int prot)
{
	return umm_sys(__NR_mprotect, addr, pages << PAGE_SHIFT, prot);
}

/* From every protection to every other, with a page in each state. */
enum protect_state { UNTOUCHED, ZERO_PAGE, WRITTEN, PROTECT_STATES };

struct protect_case {
	int from, to;
};

static const struct protect_case protect_cases[] = {
	{ PROT_NONE, PROT_READ },
	{ PROT_NONE, UMM_RW },
	{ PROT_READ, PROT_NONE },
	{ PROT_READ, UMM_RW },
	{ PROT_READ, PROT_READ | PROT_EXEC },
	{ UMM_RW, PROT_NONE },
	{ UMM_RW, PROT_READ },
	{ UMM_RW, UMM_RW },
	{ UMM_RW, UMM_RW | PROT_EXEC },
	{ PROT_READ | PROT_EXEC, UMM_RW },
	{ PROT_READ | PROT_EXEC, PROT_NONE },
};

static void protect_describe(const struct protect_case *c, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%c%c%c to %c%c%c",
		 c->from & PROT_READ ? 'r' : '-',
		 c->from & PROT_WRITE ? 'w' : '-',
		 c->from & PROT_EXEC ? 'x' : '-',
		 c->to & PROT_READ ? 'r' : '-', c->to & PROT_WRITE ? 'w' : '-',
		 c->to & PROT_EXEC ? 'x' : '-');
}

KUNIT_ARRAY_PARAM(protect, protect_cases, protect_describe);

static void protect_change(struct kunit *test)
{
	const struct protect_case *c = test->param_value;
	int state;

	for (state = UNTOUCHED; state < PROTECT_STATES; state++) {
		unsigned long at = umm_map(test, 3, UMM_RW);
		unsigned long page = at + PAGE_SIZE;
		unsigned long value = state == WRITTEN ? 42 : 0;
		struct umm_entry e;

		if (state == ZERO_PAGE)
			KUNIT_EXPECT_EQ(test, umm_peek(test, page), 0UL);
		if (state == WRITTEN)
			KUNIT_EXPECT_EQ(test, umm_poke(page, 42), 0);
		KUNIT_EXPECT_EQ(test, protect(page, 1, c->from), 0L);
		KUNIT_EXPECT_EQ(test, protect(page, 1, c->to), 0L);
		if (c->to & PROT_READ)
			KUNIT_EXPECT_EQ(test, umm_peek(test, page), value);
		else
			KUNIT_EXPECT_EQ(test, umm_touch(page), -EFAULT);
		KUNIT_EXPECT_EQ(test, umm_poke(page, 43),
				c->to & PROT_WRITE ? 0 : -EFAULT);
		e = umm_entry(current->mm, page);
		if (c->to & PROT_READ)
			KUNIT_EXPECT_EQ(test, e.exec, !UMM_HAS_NX ||
					!!(c->to & PROT_EXEC));
		KUNIT_EXPECT_EQ(test, e.write, !!(c->to & PROT_WRITE));
		/* Its neighbours stay as they were. */
		KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
		KUNIT_EXPECT_EQ(test, umm_poke(at + 2 * PAGE_SIZE, 1), 0);
		/* Whatever was there is there when access comes back. */
		KUNIT_EXPECT_EQ(test, protect(page, 1, PROT_READ), 0L);
		KUNIT_EXPECT_EQ(test, umm_peek(test, page),
				c->to & PROT_WRITE ? 43UL : value);
	}
}

static void protect_keeps_frame(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, UMM_RW), frame;

	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	frame = umm_entry(current->mm, at).pfn;
	KUNIT_EXPECT_EQ(test, protect(at, 1, PROT_NONE), 0L);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, at).user);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
	KUNIT_EXPECT_EQ(test, protect(at, 1, UMM_RW), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 2), 0);
	KUNIT_EXPECT_EQ(test, umm_entry(current->mm, at).pfn, frame);
}

/* A range over several tables, most of it never touched. */
static void protect_sparse_range(struct kunit *test)
{
	const unsigned long pages = 4 * PTRS_PER_PTE, step = 3 * 67;
	unsigned long at = umm_map_at(test, UMM_BASE, pages, UMM_RW), i;

	for (i = 0; i < pages; i += step)
		KUNIT_EXPECT_EQ(test, umm_poke(at + i * PAGE_SIZE, i), 0);
	KUNIT_EXPECT_EQ(test, protect(at + PAGE_SIZE, pages - 2, PROT_READ),
			0L);
	for (i = step; i < pages - 1; i += step) {
		KUNIT_EXPECT_EQ(test, umm_poke(at + i * PAGE_SIZE, 1),
				-EFAULT);
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE), i);
	}
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at + (pages - 1) * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(at + 2 * PAGE_SIZE, 1), -EFAULT);
}

static void protect_private_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2);
	unsigned long at;

	umm_file_set(test, file, 0, 8);
	at = umm_map_file(test, file, 0, 2, PROT_READ, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 8UL);
	KUNIT_EXPECT_EQ(test, protect(at, 2, UMM_RW), 0L);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, at).write);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 9), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 9UL);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 0), 8UL);
}

static void protect_shared_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 2), *reader;
	unsigned long at;

	at = umm_map_file(test, file, 0, 2, PROT_READ, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, protect(at, 2, UMM_RW), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 0), 1UL);

	/* A file open for reading alone never becomes writable memory. */
	reader = dentry_open(&file->f_path, O_RDONLY, current_cred());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reader);
	at = vm_mmap(reader, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(at));
	KUNIT_EXPECT_EQ(test, protect(at, 1, UMM_RW), (long)-EACCES);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 2), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, at), 1UL);
	fput(reader);
}

static void protect_refuses(struct kunit *test)
{
	unsigned long at = umm_map_at(test, UMM_BASE, 2, UMM_RW);

	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at + 1, PAGE_SIZE,
				      PROT_READ), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at, -PAGE_SIZE,
				      PROT_READ), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, protect(at, 1, PROT_GROWSUP | PROT_GROWSDOWN),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, protect(at, 1, PROT_READ | PROT_GROWSDOWN),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, protect(at, 1, 0x800), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, protect(at - PAGE_SIZE, 1, PROT_READ),
			(long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, protect(at, 0, PROT_NONE), 0L);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 2), "|ww|");
	/* A length is rounded up to whole pages. */
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, at, 1, PROT_READ), 0L);
	KUNIT_EXPECT_STREQ(test, umm_picture(test, 2), "|r|w|");
}

static void protect_keys(struct kunit *test)
{
	unsigned long at = umm_map(test, 1, UMM_RW);
	long key = umm_sys(__NR_pkey_alloc, 0, 0);

	if (!IS_ENABLED(CONFIG_ARCH_HAS_PKEYS)) {
		KUNIT_EXPECT_EQ(test, key, (long)-ENOSYS);
		kunit_skip(test, "this architecture has no protection keys");
	}
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_pkey_mprotect, at, PAGE_SIZE,
				      PROT_READ, -1), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_pkey_mprotect, at, PAGE_SIZE,
				      UMM_RW, 15), (long)-EINVAL);
	if (key < 0)
		kunit_skip(test, "this processor has no protection keys");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_pkey_mprotect, at, PAGE_SIZE,
				      UMM_RW, key), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(at, 1), 0);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_pkey_free, key), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_pkey_free, key), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_pkey_alloc, 1, 0), (long)-EINVAL);
}

static struct kunit_case protect_tests[] = {
	KUNIT_CASE_PARAM(protect_change, protect_gen_params),
	KUNIT_CASE(protect_keeps_frame),
	KUNIT_CASE(protect_sparse_range),
	KUNIT_CASE(protect_private_file),
	KUNIT_CASE(protect_shared_file),
	KUNIT_CASE(protect_refuses),
	KUNIT_CASE(protect_keys),
	{ }
};

static struct kunit_suite protect_suite = {
	.name = "pagoda_protect",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = protect_tests,
};

kunit_test_suite(protect_suite);
