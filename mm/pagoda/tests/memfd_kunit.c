// SPDX-License-Identifier: GPL-2.0
/*
 * Pinning the folios of a memfd, as udmabuf does: no mapping is needed.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include <kunit/resource.h>

#include <pagoda/umm.h>

#define PAGES	24UL		/* more than one batch of the page cache */
#define POS(page)	((loff_t)(page) << PAGE_SHIFT)

/* The pins of a folio, which has at least two other references. */
static int memfd_pins(struct folio *folio)
{
	return folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS;
}

static long memfd_pin(struct file *file, unsigned long first,
		      unsigned long pages, struct folio **folios,
		      unsigned int room)
{
	pgoff_t offset = -1;

	return memfd_pin_folios(file, POS(first), POS(first + pages) - 1,
				folios, room, &offset);
}

static void memfd_pins_in_order(struct kunit *test)
{
	struct file *file = umm_shmem(test, PAGES);
	struct folio *folios[PAGES];
	unsigned long i;
	pgoff_t offset;

	for (i = 0; i < PAGES; i++)
		umm_file_set(test, file, POS(i), i + 1);
	/* The bytes may begin and end inside a page. */
	KUNIT_ASSERT_EQ(test, memfd_pin_folios(file, POS(2) + 100, POS(20) + 7,
					       folios, PAGES, &offset), 19L);
	KUNIT_EXPECT_EQ(test, offset, 100UL);
	for (i = 0; i < 19; i++) {
		KUNIT_EXPECT_PTR_EQ(test, folios[i],
				    umm_folio(test, file, i + 2));
		KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(folios[i]));
		KUNIT_EXPECT_EQ(test, umm_word(folio_page(folios[i], 0)),
				i + 3);
	}
	unpin_folio(folios[0]);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(folios[0]));
	unpin_folios(folios + 1, 18);
	for (i = 1; i < 19; i++)
		KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(folios[i]));
}

/* Holes are filled with zeroes, which the file then has. */
static void memfd_fills_holes(struct kunit *test)
{
	struct file *file = umm_shmem(test, PAGES);
	struct folio *folios[PAGES];
	int i;

	umm_file_set(test, file, POS(1), 5);
	umm_file_set(test, file, POS(4), 6);
	KUNIT_ASSERT_EQ(test, memfd_pin(file, 0, 6, folios, PAGES), 6L);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 6UL);
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_PTR_EQ(test, folios[i], umm_folio(test, file, i));
		KUNIT_EXPECT_EQ(test, umm_word(folio_page(folios[i], 0)),
				i == 1 ? 5UL : i == 4 ? 6 : 0);
	}
	umm_set_word(folio_page(folios[3], 0), 77);
	KUNIT_EXPECT_EQ(test, umm_file_word(test, file, POS(3)), 77UL);
	unpin_folios(folios, 6);
}

/* A pinned folio outlives the file's interest in it. */
static void memfd_pin_outlives_truncation(struct kunit *test)
{
	struct file *file = umm_shmem(test, PAGES);
	struct folio *folio;

	umm_file_set(test, file, 0, 5);
	KUNIT_ASSERT_EQ(test, memfd_pin(file, 0, 1, &folio, 1), 1L);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, 0), 0L);
	KUNIT_EXPECT_NULL(test, folio->mapping);
	KUNIT_EXPECT_EQ(test, umm_word(folio_page(folio, 0)), 5UL);
	lru_add_drain_all();
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), GUP_PIN_COUNTING_BIAS);
	unpin_folio(folio);
}

static void memfd_room(struct kunit *test)
{
	struct file *file = umm_shmem(test, PAGES);
	struct folio *folios[4] = { };

	KUNIT_EXPECT_EQ(test, memfd_pin(file, 3, 8, folios, 3), 3L);
	KUNIT_EXPECT_NULL(test, folios[3]);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 3UL);
	KUNIT_EXPECT_PTR_EQ(test, folios[2], umm_folio(test, file, 5));
	unpin_folios(folios, 3);
}

static void memfd_refuses(struct kunit *test)
{
	struct file *file = umm_shmem(test, 4), *other = umm_ramfs(test, 4);
	struct folio *folios[8];
	pgoff_t offset;

	KUNIT_EXPECT_EQ(test, memfd_pin(NULL, 0, 1, folios, 8), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, memfd_pin(other, 0, 1, folios, 8),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, memfd_pin(file, 0, 1, folios, 0), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, memfd_pin(file, 2, 3, folios, 8), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, memfd_pin_folios(file, POS(2), POS(1), folios, 8,
					       &offset), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, memfd_pin_folios(file, -PAGE_SIZE, POS(1),
					       folios, 8, &offset),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0UL);
}

/* One folio more than once, and gaps, in one list. */
static void memfd_unpins_runs(struct kunit *test)
{
	struct file *file = umm_shmem(test, 4);
	struct folio *folios[8] = { };

	KUNIT_ASSERT_EQ(test, memfd_pin(file, 0, 1, folios, 1), 1L);
	KUNIT_ASSERT_EQ(test, memfd_pin(file, 0, 1, folios + 1, 1), 1L);
	KUNIT_ASSERT_EQ(test, memfd_pin(file, 0, 2, folios + 3, 2), 2L);
	KUNIT_EXPECT_EQ(test, memfd_pins(folios[0]), 3);
	folio_add_pin(folios[0]);
	KUNIT_EXPECT_EQ(test, memfd_pins(folios[0]), 4);
	unpin_folio(folios[0]);
	unpin_folios(folios, 5);
	KUNIT_EXPECT_EQ(test, memfd_pins(folios[0]), 0);
	KUNIT_EXPECT_EQ(test, memfd_pins(folios[4]), 0);
}

static void memfd_unmount(void *mount)
{
	kern_unmount(mount);
}

static void memfd_close(void *file)
{
	__fput_sync(file);
}

/* A hole that cannot be filled: then nothing stays pinned. */
static void memfd_all_or_nothing(struct kunit *test)
{
	struct file_system_type *type = get_fs_type("tmpfs");
	char options[] = "nr_blocks=3";
	struct folio *folios[PAGES] = { };
	struct vfsmount *mount;
	struct file *file;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, type);
	mount = vfs_kern_mount(type, SB_KERNMOUNT, "umm", options);
	put_filesystem(type);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mount);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, memfd_unmount,
							mount), 0);
	file = file_open_root_mnt(mount, "small", O_CREAT | O_RDWR, 0600);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, memfd_close,
							file), 0);
	KUNIT_ASSERT_EQ(test, vfs_truncate(&file->f_path, POS(PAGES)), 0L);
	KUNIT_EXPECT_EQ(test, memfd_pin(file, 0, 4, folios, PAGES),
			(long)-ENOSPC);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 3UL);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, memfd_pins(umm_folio(test, file, i)), 0);
	KUNIT_ASSERT_EQ(test, memfd_pin(file, 0, 3, folios, PAGES), 3L);
	unpin_folios(folios, 3);
}

static struct kunit_case memfd_tests[] = {
	KUNIT_CASE(memfd_pins_in_order),
	KUNIT_CASE(memfd_fills_holes),
	KUNIT_CASE(memfd_pin_outlives_truncation),
	KUNIT_CASE(memfd_room),
	KUNIT_CASE(memfd_refuses),
	KUNIT_CASE(memfd_unpins_runs),
	KUNIT_CASE(memfd_all_or_nothing),
	{ }
};

static struct kunit_suite memfd_suite = {
	.name = "pagoda_memfd",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = memfd_tests,
};

kunit_test_suite(memfd_suite);
