// SPDX-License-Identifier: GPL-2.0
/*
 * madvise: what each advice does to memory, and to what it may be given.
 */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include <pagoda/umm.h>

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

static long advise(unsigned long page, unsigned long pages, int advice)
{
	return umm_sys(__NR_madvise, AT(page), pages * PAGE_SIZE, advice);
}

/* Which advice is taken for which kind of area? */
struct advice_case {
	const char *name;
	int advice;
	long anon, shared, file;	/* w, s and f in the picture */
};

static const struct advice_case advice_cases[] = {
	{ "NORMAL", MADV_NORMAL },
	{ "RANDOM", MADV_RANDOM },
	{ "SEQUENTIAL", MADV_SEQUENTIAL },
	{ "DONTNEED", MADV_DONTNEED },
	{ "DONTNEED_LOCKED", MADV_DONTNEED_LOCKED },
	{ "FREE", MADV_FREE, 0, -EINVAL, -EINVAL },
	{ "REMOVE", MADV_REMOVE, -EINVAL, 0, -EACCES },
	{ "DONTFORK", MADV_DONTFORK },
	{ "DOFORK", MADV_DOFORK },
	{ "WIPEONFORK", MADV_WIPEONFORK, 0, -EINVAL, -EINVAL },
	{ "KEEPONFORK", MADV_KEEPONFORK },
	{ "DONTDUMP", MADV_DONTDUMP },
	{ "DODUMP", MADV_DODUMP },
	{ "COLD", MADV_COLD },
	{ "PAGEOUT", MADV_PAGEOUT },
	{ "POPULATE_READ", MADV_POPULATE_READ },
	{ "POPULATE_WRITE", MADV_POPULATE_WRITE },
	{ "unknown", 77, -EINVAL, -EINVAL, -EINVAL },
	{ "negative", -1, -EINVAL, -EINVAL, -EINVAL },
};

static void advice_describe(const struct advice_case *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(advice, advice_cases, advice_describe);

static void madvise_takes(struct kunit *test)
{
	const struct advice_case *c = test->param_value;
	struct file *file = umm_ramfs(test, 16);

	umm_paint(test, file, "|ww|.|ss|.|ff|");
	KUNIT_EXPECT_EQ(test, advise(0, 2, c->advice), c->anon);
	KUNIT_EXPECT_EQ(test, advise(3, 2, c->advice), c->shared);
	KUNIT_EXPECT_EQ(test, advise(6, 2, c->advice), c->file);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(3), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(6), 1), 0);
	umm_check_areas(test, current->mm);
}

static void madvise_refuses(struct kunit *test)
{
	umm_paint(test, NULL, "|WW|..|WW|LL|");
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(0) + 1, PAGE_SIZE,
				      MADV_DONTNEED), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(0), -PAGE_SIZE,
				      MADV_DONTNEED), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, advise(0, 0, MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
	/* Locked pages are not given up unless it is said so. */
	KUNIT_EXPECT_EQ(test, advise(6, 2, MADV_DONTNEED), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(6)), 7UL);
	KUNIT_EXPECT_EQ(test, advise(6, 2, MADV_DONTNEED_LOCKED), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(6)), 0UL);
	KUNIT_EXPECT_EQ(test, current->mm->locked_vm, 2UL);
	/* A hole is reported when all else has been done. */
	KUNIT_EXPECT_EQ(test, advise(0, 6, MADV_DONTNEED), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 0UL);
}

static void madvise_dontneed_anon(struct kunit *test)
{
	umm_paint(test, NULL, "|WWWWWW|");
	KUNIT_EXPECT_EQ(test, advise(1, 3, MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 3L);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), 6), 3UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 5UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 9), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 9UL);
}

/* A private copy is given up and the file seen again; shared data stays. */
static void madvise_dontneed_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 16);

	umm_file_set(test, file, 0, 5);
	umm_file_set(test, file, 2 * PAGE_SIZE, 6);
	umm_paint(test, file, "|ff|hh|");
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 50), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 60), 0);
	KUNIT_EXPECT_EQ(test, advise(0, 4, MADV_DONTNEED), 0L);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 5UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 60UL);
}

/* Freed memory keeps its contents or is empty; a write makes it ours again. */
static void madvise_free(struct kunit *test)
{
	unsigned long value;

	umm_paint(test, NULL, "|WWWW|");
	lru_add_drain_all();
	KUNIT_EXPECT_EQ(test, advise(0, 4, MADV_FREE), 0L);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(0)).dirty);
	value = umm_peek(test, AT(1));
	KUNIT_EXPECT_TRUE(test, value == 0 || value == 2);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 33), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 33UL);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(2)).dirty);
}

static void madvise_remove(struct kunit *test)
{
	struct file *file = umm_shmem(test, 16);

	umm_paint(test, file, "|hhhh|");
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(3), 6), 0);
	KUNIT_EXPECT_EQ(test, advise(1, 2, MADV_REMOVE), 0L);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, PAGE_SIZE), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 6UL);
}

static void madvise_populate(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct file *file = umm_ramfs(test, 4);

	umm_paint(test, file, "|wwww|rr|ffff|");
	KUNIT_EXPECT_EQ(test, advise(0, 2, MADV_POPULATE_READ), 0L);
	KUNIT_EXPECT_EQ(test, umm_present(mm, AT(0), 4), 2UL);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES), 0L);
	KUNIT_EXPECT_EQ(test, advise(0, 4, MADV_POPULATE_WRITE), 0L);
	KUNIT_EXPECT_EQ(test, umm_rss(mm, MM_ANONPAGES), 4L);
	KUNIT_EXPECT_TRUE(test, umm_entry(mm, AT(3)).write);
	KUNIT_EXPECT_EQ(test, advise(4, 2, MADV_POPULATE_WRITE),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, advise(20, 1, MADV_POPULATE_READ),
			(long)-ENOMEM);
	/* This area maps the file from its seventh page on: past the end. */
	KUNIT_EXPECT_EQ(test, advise(6, 1, MADV_POPULATE_READ),
			(long)-EFAULT);
}

static void madvise_sets_flags(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	umm_paint(test, NULL, "|wwwwww|");
	KUNIT_EXPECT_EQ(test, advise(2, 2, MADV_SEQUENTIAL), 0L);
	KUNIT_EXPECT_EQ(test, advise(4, 2, MADV_DONTDUMP), 0L);
	KUNIT_EXPECT_EQ(test, mm->map_count, 3);
	mmap_read_lock(mm);
	vma = vma_lookup(mm, AT(2));
	KUNIT_EXPECT_TRUE(test, vma && vma->vm_flags & VM_SEQ_READ);
	vma = vma_lookup(mm, AT(4));
	KUNIT_EXPECT_TRUE(test, vma && vma->vm_flags & VM_DONTDUMP);
	vma = vma_lookup(mm, AT(0));
	KUNIT_EXPECT_FALSE(test, vma && vma->vm_flags &
			   (VM_DONTDUMP | VM_SEQ_READ | VM_RAND_READ));
	mmap_read_unlock(mm);
	KUNIT_EXPECT_EQ(test, advise(0, 6, MADV_NORMAL), 0L);
	KUNIT_EXPECT_EQ(test, advise(0, 6, MADV_DODUMP), 0L);
	KUNIT_EXPECT_EQ(test, mm->map_count, 1);
}

/* Cold pages lose their accessed mark and nothing else. */
static void madvise_cold(struct kunit *test)
{
	umm_paint(test, NULL, "|WW|");
	lru_add_drain_all();
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(0)).young);
	KUNIT_EXPECT_EQ(test, advise(0, 1, MADV_COLD), 0L);
	if (IS_ENABLED(CONFIG_SWAP))
		KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(0)).young);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(1)).young);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
}

static struct kunit_case madvise_tests[] = {
	KUNIT_CASE_PARAM(madvise_takes, advice_gen_params),
	KUNIT_CASE(madvise_refuses),
	KUNIT_CASE(madvise_dontneed_anon),
	KUNIT_CASE(madvise_dontneed_file),
	KUNIT_CASE(madvise_free),
	KUNIT_CASE(madvise_remove),
	KUNIT_CASE(madvise_populate),
	KUNIT_CASE(madvise_sets_flags),
	KUNIT_CASE(madvise_cold),
	{ }
};

static struct kunit_suite madvise_suite = {
	.name = "pagoda_madvise",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = madvise_tests,
};

kunit_test_suite(madvise_suite);
