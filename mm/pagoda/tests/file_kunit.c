// SPDX-License-Identifier: GPL-2.0
/*
 * File mappings, on ramfs (the page cache and nothing else) and on shmem: what
 * is read, what is written and by whom it is seen, and what truncation takes.
 */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include <pagoda/umm.h>

#include "internal.h"	/* mm/'s */

#define PAGES	16UL
#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

/* Each case runs on both kinds of file. */
struct file_kind {
	const char *name;
	struct file *(*make)(struct kunit *test, unsigned long pages);
	int counter;
};

static const struct file_kind file_kinds[] = {
	{ "ramfs", umm_ramfs, MM_FILEPAGES },
	{ "shmem", umm_shmem, MM_SHMEMPAGES },
};

static void file_describe(const struct file_kind *k, char *text)
{
	strscpy(text, k->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(file, file_kinds, file_describe);

static const struct file_kind *file_kind(struct kunit *test)
{
	return test->param_value;
}

/* A file whose page n begins with the word n + 1. */
static struct file *file_make(struct kunit *test)
{
	struct file *file = file_kind(test)->make(test, PAGES);
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		umm_file_set(test, file, i * PAGE_SIZE, i + 1);
	return file;
}

/* The whole file mapped at UMM_BASE. */
static unsigned long file_map(struct kunit *test, struct file *file, int prot,
			      int flags)
{
	unsigned long at = vm_mmap(file, UMM_BASE, PAGES * PAGE_SIZE, prot,
				   flags | MAP_FIXED, 0);

	KUNIT_ASSERT_EQ(test, at, UMM_BASE);
	return at;
}

static long file_pages(struct kunit *test)
{
	return umm_rss(current->mm, file_kind(test)->counter);
}

static void file_read_maps_cache(struct kunit *test)
{
	struct file *file = file_make(test);
	unsigned long i;

	file_map(test, file, PROT_READ, MAP_SHARED);
	for (i = 0; i < PAGES; i++) {
		struct folio *folio = umm_folio(test, file, i);

		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(i)), i + 1);
		KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(i)),
				    folio_file_page(folio, i));
		KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(i)).write);
	}
	KUNIT_EXPECT_EQ(test, file_pages(test), (long)PAGES);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 0L);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGES * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, file_pages(test), 0L);
}

/* One read maps neighbours that are in the cache, within area and file. */
static void file_fault_around(struct kunit *test)
{
	struct file *file = file_make(test);
	unsigned long present;

	KUNIT_ASSERT_EQ(test, vm_mmap(file, AT(4), 8 * PAGE_SIZE, PROT_READ,
				      MAP_SHARED | MAP_FIXED, 4 * PAGE_SIZE),
			AT(4));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(6)), 7UL);
	present = umm_present(current->mm, AT(0), PAGES);
	/* As many as make 64 KiB, unless somebody has set it. */
	if (PAGE_SIZE < SZ_64K)
		KUNIT_EXPECT_GT(test, present, 1UL);
	KUNIT_EXPECT_LE(test, present, 8UL);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(4), 8), present);
	KUNIT_EXPECT_EQ(test, file_pages(test), (long)present);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(11)), 12UL);
}

/* Around a page that is private already nothing is put over it. */
static void file_fault_around_spares_copies(struct kunit *test)
{
	struct file *file = file_make(test);

	file_map(test, file, UMM_RW, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(3), 99), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 5UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 99UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
}

static void file_hole_reads_zero(struct kunit *test)
{
	struct file *file = file_kind(test)->make(test, PAGES);

	file_map(test, file, PROT_READ, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(5)), 0UL);
	KUNIT_EXPECT_EQ(test, file_pages(test), 1L);
}

/* Private: before the write the cache's page, after it a copy of one's own. */
static void file_private_copy(struct kunit *test)
{
	struct file *file = file_make(test);

	file_map(test, file, UMM_RW, MAP_PRIVATE);
	/* once after a read, once at the first touch */
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 70), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(9) + sizeof(long), 71), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 70UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(9)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, PAGE_SIZE), 2UL);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 9 * PAGE_SIZE +
					    sizeof(long)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 2L);
	/* What is written to the file later does not reach the copy. */
	umm_file_set(test, file, PAGE_SIZE, 80);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 70UL);
	umm_file_set(test, file, 2 * PAGE_SIZE, 81);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 81UL);
}

static void file_shared_write(struct kunit *test)
{
	struct file *file = file_make(test);
	unsigned long other = umm_map_file(test, file, 0, PAGES, UMM_RW,
					   MAP_SHARED);
	unsigned long private = umm_map_file(test, file, 0, PAGES, PROT_READ,
					     MAP_PRIVATE);
	struct umm *child;

	file_map(test, file, UMM_RW, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 50), 0);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, 2 * PAGE_SIZE), 50UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, other + 2 * PAGE_SIZE), 50UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, private + 2 * PAGE_SIZE), 50UL);
	KUNIT_EXPECT_PTR_EQ(test, umm_page(test, other + 2 * PAGE_SIZE),
			    umm_page(test, AT(2)));
	umm_file_set(test, file, 3 * PAGE_SIZE, 60);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 60UL);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_enter(child);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(4), 70), 0);
	umm_enter(umm_self(test));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 70UL);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 0L);
}

/* What was written through a mapping is dirty once the mapping is gone. */
static void file_unmap_leaves_dirty(struct kunit *test)
{
	struct file *file = file_make(test);
	struct folio *folio = umm_folio(test, file, 1);

	file_map(test, file, UMM_RW, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
	folio_clear_dirty(folio);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 5), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(AT(0), PAGES * PAGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
}

/* Past the end of the file there is no memory, to its last page there is. */
static void file_past_end(struct kunit *test)
{
	struct file *file = file_make(test);
	bool unlocked = false;

	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path,
					   3 * PAGE_SIZE + 16), 0L);
	file_map(test, file, UMM_RW, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 4UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3) + 64), 0UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(4)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(5), 1), -EFAULT);
	mmap_read_lock(current->mm);
	KUNIT_EXPECT_EQ(test, fixup_user_fault(current->mm, AT(6), 0,
					       &unlocked), -EFAULT);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, 8 * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(4)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(7), 1), 0);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(8)), -EFAULT);
}

/* Truncation takes mapped pages away, private copies among them. */
static void file_truncate(struct kunit *test)
{
	struct file *file = file_make(test);
	unsigned long private = umm_map_file(test, file, 0, PAGES, UMM_RW,
					     MAP_PRIVATE), i;

	file_map(test, file, UMM_RW, MAP_SHARED);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, umm_poke(AT(i), 100 + i), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(private + 2 * PAGE_SIZE, 9), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(private + 9 * PAGE_SIZE, 9), 0);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, 6 * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(6), PAGES - 6), 0UL);
	KUNIT_EXPECT_EQ(test, file_pages(test), 6L);
	KUNIT_EXPECT_EQ(test, umm_rss(current->mm, MM_ANONPAGES), 1L);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(6)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(private + 9 * PAGE_SIZE), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_peek(test, private + 2 * PAGE_SIZE), 9UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(5)), 105UL);
	/* What comes back is empty. */
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, PAGES * PAGE_SIZE),
			0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(9)), 0UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, private + 9 * PAGE_SIZE), 0UL);
}

/* unmap_mapping_range(): copies go only when asked for, data never does. */
static void file_unmap_mapping(struct kunit *test)
{
	struct file *file = file_make(test);
	struct address_space *mapping = file->f_mapping;

	file_map(test, file, UMM_RW, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 70), 0);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(8), 71), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
	unmap_mapping_range(mapping, 0, 4 * PAGE_SIZE, 0);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(2)).present);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 70UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
	unmap_mapping_range(mapping, 0, 4 * PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 2UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(8)), 71UL);
	unmap_mapping_pages(mapping, 8, 1, true);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(8)), 9UL);
	/* A length of 0 means to the end. */
	unmap_mapping_range(mapping, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, umm_present(current->mm, AT(0), PAGES), 0UL);
	KUNIT_EXPECT_EQ(test, umm_rss_all(current->mm), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(15)), 16UL);
}

static void file_unmap_folio(struct kunit *test)
{
	struct file *file = file_make(test);
	struct folio *folio = umm_folio(test, file, 3);
	unsigned long other = umm_map_file(test, file, 2, 4, UMM_RW,
					   MAP_SHARED);

	file_map(test, file, UMM_RW, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 4UL);
	KUNIT_EXPECT_EQ(test, umm_poke(other + PAGE_SIZE, 40), 0);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(2)), 3UL);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 2);
	folio_lock(folio);
	unmap_mapping_folio(folio);
	folio_unlock(folio);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
	KUNIT_EXPECT_FALSE(test, umm_entry(current->mm, AT(3)).present);
	KUNIT_EXPECT_TRUE(test, umm_entry(current->mm, AT(2)).present);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(3)), 40UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, other + PAGE_SIZE), 40UL);
}

/* Pieces of an area that was split still belong to their part of the file. */
static void file_split_then_truncate(struct kunit *test)
{
	struct file *file = file_make(test);

	file_map(test, file, PROT_READ, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, AT(4), 2 * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(8), 2 * PAGE_SIZE,
				      UMM_RW), 0L);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mremap, AT(12), 2 * PAGE_SIZE,
				      2 * PAGE_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, AT(40)),
			(long)AT(40));
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(9)), 10UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(41)), 14UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(7)), 8UL);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, 9 * PAGE_SIZE), 0L);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(7)), 8UL);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(8)), 9UL);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(9)), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(41)), -EFAULT);
}

static struct kunit_case file_tests[] = {
	KUNIT_CASE_PARAM(file_read_maps_cache, file_gen_params),
	KUNIT_CASE_PARAM(file_fault_around, file_gen_params),
	KUNIT_CASE_PARAM(file_fault_around_spares_copies, file_gen_params),
	KUNIT_CASE_PARAM(file_hole_reads_zero, file_gen_params),
	KUNIT_CASE_PARAM(file_private_copy, file_gen_params),
	KUNIT_CASE_PARAM(file_shared_write, file_gen_params),
	KUNIT_CASE_PARAM(file_unmap_leaves_dirty, file_gen_params),
	KUNIT_CASE_PARAM(file_past_end, file_gen_params),
	KUNIT_CASE_PARAM(file_truncate, file_gen_params),
	KUNIT_CASE_PARAM(file_unmap_mapping, file_gen_params),
	KUNIT_CASE_PARAM(file_unmap_folio, file_gen_params),
	KUNIT_CASE_PARAM(file_split_then_truncate, file_gen_params),
	{ }
};

static struct kunit_suite file_suite = {
	.name = "pagoda_file",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = file_tests,
};

kunit_test_suite(file_suite);
