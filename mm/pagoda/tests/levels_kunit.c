// SPDX-License-Identifier: GPL-2.0
/*
 * Page walks by level: which callbacks see which entries, what they can ask
 * for, and walks that start from a file or have no areas.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include <pagoda/buffer.h>

#include "internal.h"	/* mm/'s */

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

enum { PTE, PMD, PUD, P4D, PGD, LEVELS };

/* What a walk reported. */
struct levels {
	struct kunit *test;
	unsigned long seen[LEVELS];	/* entries, by level */
	unsigned long holes, areas;
	unsigned long first, last;	/* of the pages seen: from, up to */
	int at, answer;			/* at this level, what is returned */
	enum page_walk_action action;	/* and asked for */
	int depth;			/* of the last hole */
};

static int levels_note(struct mm_walk *walk, int level)
{
	struct levels *l = walk->private;

	l->seen[level]++;
	if (level != l->at)
		return 0;
	walk->action = l->action;
	/* Only once, or it would never end. */
	if (l->action == ACTION_AGAIN)
		l->action = ACTION_SUBTREE;
	return l->answer;
}

static int levels_pgd(pgd_t *pgd, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	return levels_note(walk, PGD);
}

static int levels_p4d(p4d_t *p4d, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	return levels_note(walk, P4D);
}

static int levels_pud(pud_t *pud, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	return levels_note(walk, PUD);
}

static int levels_pmd(pmd_t *pmd, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	return levels_note(walk, PMD);
}

static int levels_pte(pte_t *pte, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	struct levels *l = walk->private;

	if (!pte_present(ptep_get(pte)))
		return 0;
	if (!l->seen[PTE])
		l->first = addr;
	l->last = next;
	return levels_note(walk, PTE);
}

static int levels_hole(unsigned long addr, unsigned long next, int depth,
		       struct mm_walk *walk)
{
	struct levels *l = walk->private;

	l->holes += (next - addr) >> PAGE_SHIFT;
	l->depth = depth;
	return l->at == LEVELS ? l->answer : 0;
}

static int levels_pre(unsigned long start, unsigned long end,
		      struct mm_walk *walk)
{
	((struct levels *)walk->private)->areas++;
	return 0;
}

static int levels_walk(struct levels *l, unsigned long from, unsigned long to,
		       const struct mm_walk_ops *ops)
{
	int ret;

	memset(l->seen, 0, sizeof(l->seen));
	l->holes = 0;
	l->areas = 0;
	if (ops->walk_lock == PGWALK_RDLOCK)
		mmap_read_lock(current->mm);
	else
		mmap_write_lock(current->mm);
	ret = walk_page_range(current->mm, from, to, ops, l);
	if (ops->walk_lock == PGWALK_RDLOCK)
		mmap_read_unlock(current->mm);
	else
		mmap_write_unlock(current->mm);
	return ret;
}

/* Two pages, each in a last-level table of its own, one upper table over. */
static void levels_scene(struct kunit *test)
{
	umm_map_at(test, UMM_BASE, 2 * PTRS_PER_PTE, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(UMM_BASE, 1), 0);
	KUNIT_ASSERT_EQ(test, umm_poke(UMM_BASE + PMD_SIZE, 2), 0);
}

/* Who has callbacks for upper levels only is not led further down. */
static void levels_only(struct kunit *test)
{
	static const struct mm_walk_ops ops[] = {
		{ .pmd_entry = levels_pmd },
		{ .pud_entry = levels_pud },
		{ .p4d_entry = levels_p4d },
		{ .pgd_entry = levels_pgd },
	};
	/* Where levels are folded, entries of several are the same. */
	const int shift[] = {
		[PMD] = PMD_SHIFT, [PUD] = PUD_SHIFT,
		[P4D] = P4D_SHIFT, [PGD] = PGDIR_SHIFT,
	};
	struct levels l = { .test = test, .at = -1 };
	int i, j;

	levels_scene(test);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		KUNIT_EXPECT_EQ(test, levels_walk(&l, UMM_BASE,
						  UMM_BASE + 2 * PMD_SIZE,
						  &ops[i]), 0);
		for (j = PTE; j < LEVELS; j++)
			KUNIT_EXPECT_EQ(test, l.seen[j], j != i + 1 ? 0 :
					shift[j] == PMD_SHIFT ? 2UL : 1);
	}
}

static const struct mm_walk_ops levels_all = {
	.pgd_entry = levels_pgd,
	.p4d_entry = levels_p4d,
	.pud_entry = levels_pud,
	.pmd_entry = levels_pmd,
	.pte_entry = levels_pte,
	.pte_hole = levels_hole,
	.pre_vma = levels_pre,
};

static void levels_actions(struct kunit *test)
{
	struct levels l = { .test = test, .at = PMD };
	unsigned long end = UMM_BASE + 2 * PMD_SIZE;
	int level;

	levels_scene(test);
	l.action = ACTION_CONTINUE;
	KUNIT_EXPECT_EQ(test, levels_walk(&l, UMM_BASE, end, &levels_all), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PMD], 2UL);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 0UL);
	l.action = ACTION_AGAIN;
	KUNIT_EXPECT_EQ(test, levels_walk(&l, UMM_BASE, end, &levels_all), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PMD], 3UL);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 2UL);
	/* An answer at any level ends it. */
	l.answer = 7;
	for (level = PTE; level <= LEVELS; level++) {
		l.at = level;
		l.action = ACTION_SUBTREE;
		KUNIT_EXPECT_EQ(test, levels_walk(&l, UMM_BASE - PAGE_SIZE,
						  end + 9 * PMD_SIZE,
						  &levels_all), 7);
		if (level < LEVELS)
			KUNIT_EXPECT_EQ(test, l.seen[level], 1UL);
	}
	l.at = PMD;
	l.answer = -EAGAIN;
	KUNIT_EXPECT_EQ(test, levels_walk(&l, UMM_BASE, end, &levels_all),
			-EAGAIN);
}

/* Of frames there is nothing to show but that they are passed. */
static void levels_frames(struct kunit *test)
{
	struct umm_buffer *d = umm_buffer(test, UMM_FRAMES);
	struct mm_walk_ops ops = levels_all;
	struct levels l = { .test = test, .at = -1 };

	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, 4, MAP_SHARED), UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), 0);
	KUNIT_EXPECT_EQ(test, levels_walk(&l, AT(0), AT(4), &ops), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 0UL);
	KUNIT_EXPECT_EQ(test, l.holes, 4UL);
	KUNIT_EXPECT_EQ(test, l.depth, -1);
	KUNIT_EXPECT_EQ(test, l.areas, 0UL);
	l.at = LEVELS;
	l.answer = -EIO;
	KUNIT_EXPECT_EQ(test, levels_walk(&l, AT(0), AT(4), &ops), -EIO);
	ops.pte_hole = NULL;
	KUNIT_EXPECT_EQ(test, levels_walk(&l, AT(0), AT(4), &ops), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 0UL);
}

/* With areas write-locked by the walk, or by its caller. */
static void levels_write_locked(struct kunit *test)
{
	struct mm_walk_ops ops = levels_all;
	struct levels l = { .test = test, .at = -1 };
	struct vm_area_struct *vma;

	umm_paint(test, NULL, "|WWW|");
	ops.walk_lock = PGWALK_WRLOCK;
	KUNIT_EXPECT_EQ(test, levels_walk(&l, AT(0), AT(3), &ops), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 3UL);
	ops.walk_lock = PGWALK_WRLOCK_VERIFY;
	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, UMM_BASE);
	vma_start_write(vma);
	KUNIT_EXPECT_EQ(test, walk_page_range_vma(vma, AT(1), AT(3), &ops, &l),
			0);
	KUNIT_EXPECT_EQ(test, walk_page_range_vma(vma, AT(1), AT(4), &ops, &l),
			-EINVAL);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 5UL);
}

static int levels_of_file(struct levels *l, struct file *file, pgoff_t first,
			  pgoff_t nr, const struct mm_walk_ops *ops)
{
	int ret;

	memset(l->seen, 0, sizeof(l->seen));
	l->areas = 0;
	i_mmap_lock_read(file->f_mapping);
	ret = walk_page_mapping(file->f_mapping, first, nr, ops, l);
	i_mmap_unlock_read(file->f_mapping);
	return ret;
}

/* From a file: every area that maps the part, and of it only the part. */
static void levels_from_file(struct kunit *test)
{
	struct file *file = umm_ramfs(test, 16);
	struct levels l = { .test = test, .at = -1 };
	unsigned long at, i;

	umm_paint(test, file, "|hhhhhhhh|");
	at = umm_map_file(test, file, 2, 4, UMM_RW, MAP_SHARED);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, umm_poke(AT(i), i), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, umm_peek(test, at + i * PAGE_SIZE),
				i + 2);
	KUNIT_EXPECT_EQ(test, levels_of_file(&l, file, 0, 16, &levels_all), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 12UL);
	KUNIT_EXPECT_EQ(test, l.areas, 2UL);
	KUNIT_EXPECT_EQ(test, levels_of_file(&l, file, 1, 2, &levels_all), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 3UL);
	KUNIT_EXPECT_EQ(test, levels_of_file(&l, file, 6, 1, &levels_all), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 1UL);
	KUNIT_EXPECT_EQ(test, l.first, AT(6));
	KUNIT_EXPECT_EQ(test, l.last, AT(7));
	KUNIT_EXPECT_EQ(test, levels_of_file(&l, file, 8, 8, &levels_all), 0);
	KUNIT_EXPECT_EQ(test, l.areas, 0UL);
	l.at = PTE;
	l.answer = 9;
	KUNIT_EXPECT_EQ(test, levels_of_file(&l, file, 0, 16, &levels_all), 9);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 1UL);
}

/* Frames of a file are left out here, too. */
static void levels_from_file_of_frames(struct kunit *test)
{
	struct umm_buffer *d = umm_buffer(test, UMM_FRAMES);
	struct levels l = { .test = test, .at = -1 };

	KUNIT_ASSERT_EQ(test, umm_buffer_map(d, 0, 4, MAP_SHARED), UMM_BASE);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), 0);
	KUNIT_EXPECT_EQ(test, levels_of_file(&l, d->file, 0, 4, &levels_all),
			0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 0UL);
	KUNIT_EXPECT_EQ(test, l.areas, 0UL);
	l.at = LEVELS;
	l.answer = -EIO;
	KUNIT_EXPECT_EQ(test, levels_of_file(&l, d->file, 0, 4, &levels_all),
			-EIO);
}

/* The kernel's own tables, where there are no areas. */
static void levels_of_kernel(struct kunit *test)
{
	const struct mm_walk_ops ops = { .pte_entry = levels_pte };
	struct levels l = { .test = test, .at = -1 };
	unsigned long at = (unsigned long)vmalloc(3 * PAGE_SIZE);

	KUNIT_ASSERT_NE(test, at, 0UL);
	mmap_read_lock(&init_mm);
	KUNIT_EXPECT_EQ(test, walk_kernel_page_table_range(at, at + 3 *
							   PAGE_SIZE, &ops,
							   NULL, &l), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 3UL);
	KUNIT_EXPECT_EQ(test, l.first, at);
	KUNIT_EXPECT_EQ(test, walk_kernel_page_table_range(at, at, &ops, NULL,
							   &l), -EINVAL);
	/* The page behind is the guard. */
	KUNIT_EXPECT_EQ(test, walk_kernel_page_table_range(at + 2 * PAGE_SIZE,
							   at + 4 * PAGE_SIZE,
							   &ops, init_mm.pgd,
							   &l), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 4UL);
	mmap_read_unlock(&init_mm);
	vfree((void *)at);
}

/* A dump of any tables: through areas and holes alike. */
static void levels_debug(struct kunit *test)
{
	struct levels l = { .test = test, .at = -1 };
	struct mm_struct *mm = current->mm;

	umm_paint(test, NULL, "|WW|..|W|");
	mmap_write_lock(&init_mm);
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	KUNIT_EXPECT_EQ(test, walk_page_range_debug(mm, AT(0), AT(6),
						    &levels_all, NULL, &l), 0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 3UL);
	KUNIT_EXPECT_EQ(test, l.areas, 0UL);
	KUNIT_EXPECT_EQ(test, walk_page_range_debug(mm, AT(1), AT(2),
						    &levels_all, mm->pgd, &l),
			0);
	KUNIT_EXPECT_EQ(test, l.seen[PTE], 4UL);
	KUNIT_EXPECT_EQ(test, walk_page_range_debug(mm, AT(2), AT(2),
						    &levels_all, NULL, &l),
			-EINVAL);
	mmap_write_unlock(mm);
	mmap_write_unlock(&init_mm);
}

static struct kunit_case levels_tests[] = {
	KUNIT_CASE(levels_only),
	KUNIT_CASE(levels_actions),
	KUNIT_CASE(levels_frames),
	KUNIT_CASE(levels_write_locked),
	KUNIT_CASE(levels_from_file),
	KUNIT_CASE(levels_from_file_of_frames),
	KUNIT_CASE(levels_of_kernel),
	KUNIT_CASE(levels_debug),
	{ }
};

static struct kunit_suite levels_suite = {
	.name = "pagoda_levels",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = levels_tests,
};

kunit_test_suite(levels_suite);
