// SPDX-License-Identifier: GPL-2.0
/*
 * User memory and files for KUnit: map, read, write, look behind.
 *
 * Guarantees: files are closed at the end of the case; words are read and
 * written through the same user-access functions as the kernel's own, so a
 * page fault taken here goes the whole way through the architecture.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/uaccess.h>

#include <kunit/resource.h>

#include "umm.h"

/**
 * umm_map() - map private anonymous memory where the kernel likes
 * @test: the case; fails if the mapping does
 * @pages: how many
 * @prot: PROT_* bits
 *
 * Return: the address.
 */
unsigned long umm_map(struct kunit *test, unsigned long pages, int prot)
{
	unsigned long at = vm_mmap(NULL, 0, pages << PAGE_SHIFT, prot, UMM_ANON,
				   0);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	return at;
}

/**
 * umm_map_at() - map private anonymous memory at one address
 * @test: the case; fails if the mapping does
 * @addr: where, MAP_FIXED
 * @pages: how many
 * @prot: PROT_* bits
 *
 * Return: @addr.
 */
unsigned long umm_map_at(struct kunit *test, unsigned long addr,
			 unsigned long pages, int prot)
{
	unsigned long at = vm_mmap(NULL, addr, pages << PAGE_SHIFT, prot,
				   UMM_ANON | MAP_FIXED, 0);

	KUNIT_ASSERT_EQ(test, at, addr);
	return at;
}

/**
 * umm_map_file() - map part of a file where the kernel likes
 * @test: the case; fails if the mapping does
 * @file: the file
 * @first: its first page to map
 * @pages: how many
 * @prot: PROT_* bits
 * @flags: MAP_SHARED or MAP_PRIVATE, and more
 *
 * Return: the address.
 */
unsigned long umm_map_file(struct kunit *test, struct file *file,
			   unsigned long first, unsigned long pages,
			   int prot, int flags)
{
	unsigned long at = vm_mmap(file, 0, pages << PAGE_SHIFT, prot, flags,
				   first << PAGE_SHIFT);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	return at;
}

/**
 * umm_poke() - write one word of user memory
 * @addr: where
 * @value: what
 *
 * Return: 0, or -EFAULT when the address does not allow it.
 */
int umm_poke(unsigned long addr, unsigned long value)
{
	return put_user(value, (unsigned long __user *)addr);
}

/**
 * umm_touch() - read one word of user memory for its page fault
 * @addr: where
 *
 * Return: 0, or -EFAULT when the address does not allow it.
 */
int umm_touch(unsigned long addr)
{
	unsigned long value;

	return get_user(value, (unsigned long __user *)addr);
}

/**
 * umm_peek() - read one word of user memory that must be readable
 * @test: the case; fails (and goes on) if the read does
 * @addr: where
 *
 * Return: the word.
 */
unsigned long umm_peek(struct kunit *test, unsigned long addr)
{
	unsigned long value = 0;

	KUNIT_EXPECT_EQ_MSG(test,
			    get_user(value, (unsigned long __user *)addr), 0,
			    "cannot read %#lx", addr);
	return value;
}

/**
 * umm_page() - the frame behind an address, by the test's own table walk
 * @test: the case; fails if nothing is mapped there
 * @addr: an address in the current address space
 *
 * Return: the frame's struct page, without a reference.
 */
struct page *umm_page(struct kunit *test, unsigned long addr)
{
#ifdef CONFIG_MMU
	struct umm_entry e = umm_entry(current->mm, addr);

	KUNIT_ASSERT_TRUE_MSG(test, e.present, "nothing mapped at %#lx", addr);
	return pfn_to_page(e.pfn);
#else
	return virt_to_page((void *)addr);
#endif
}

/**
 * umm_word() - the first word of a page, wherever it lies
 * @page: the page; the caller has a reference
 */
unsigned long umm_word(struct page *page)
{
	unsigned long *at = kmap_local_page(page), word = *at;

	kunmap_local(at);
	return word;
}

/**
 * umm_set_word() - write the first word of a page, as a device would
 * @page: the page; the caller has a reference
 * @word: what to write
 */
void umm_set_word(struct page *page, unsigned long word)
{
	unsigned long *at = kmap_local_page(page);

	*at = word;
	kunmap_local(at);
}

static void umm_close(void *file)
{
	__fput_sync(file);
}

static struct file *umm_keep(struct kunit *test, struct file *file,
			     unsigned long pages)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, umm_close, file),
			0);
	KUNIT_ASSERT_EQ(test, vfs_truncate(&file->f_path,
					   (loff_t)pages << PAGE_SHIFT), 0L);
	return file;
}

/* One private mount for all cases, for as long as the kernel runs. */
static struct vfsmount *umm_ramfs_mount(void)
{
	static DEFINE_MUTEX(lock);
	static struct vfsmount *mount;
	struct file_system_type *type;

	guard(mutex)(&lock);
	if (mount)
		return mount;
	type = get_fs_type("ramfs");
	if (!type)
		return ERR_PTR(-ENODEV);
	mount = kern_mount(type);
	put_filesystem(type);
	return mount;
}

/**
 * umm_ramfs() - a new empty file on ramfs
 * @test: the case, at whose end it is closed
 * @pages: its size; the pages are holes
 *
 * Ramfs is the plainest user of the page cache: filemap_fault(),
 * filemap_map_pages(), no blocks to reserve.
 *
 * Return: the file.
 */
struct file *umm_ramfs(struct kunit *test, unsigned long pages)
{
	static atomic_t serial;
	struct vfsmount *mount = umm_ramfs_mount();
	char name[24];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mount);
	snprintf(name, sizeof(name), "umm-%d", atomic_inc_return(&serial));
	return umm_keep(test, file_open_root_mnt(mount, name,
						 O_CREAT | O_EXCL | O_RDWR,
						 0600), pages);
}

/**
 * umm_shmem() - a new empty shared-memory object
 * @test: the case, at whose end it is closed
 * @pages: its size; the pages are holes
 *
 * Return: the file.
 */
struct file *umm_shmem(struct kunit *test, unsigned long pages)
{
	return umm_keep(test, shmem_file_setup("umm",
					       (loff_t)pages << PAGE_SHIFT,
					       VM_NORESERVE), pages);
}

/**
 * umm_file_word() - read one word of a file, as read(2) would
 * @test: the case; fails if the read does
 * @file: the file
 * @pos: where, in bytes
 *
 * Return: the word.
 */
unsigned long umm_file_word(struct kunit *test, struct file *file, loff_t pos)
{
	unsigned long value = 0;

	KUNIT_EXPECT_EQ(test, kernel_read(file, &value, sizeof(value), &pos),
			(ssize_t)sizeof(value));
	return value;
}

/**
 * umm_file_set() - write one word of a file, as write(2) would
 * @test: the case; fails if the write does
 * @file: the file
 * @pos: where, in bytes
 * @value: the word
 */
void umm_file_set(struct kunit *test, struct file *file, loff_t pos,
		  unsigned long value)
{
	KUNIT_EXPECT_EQ(test, kernel_write(file, &value, sizeof(value), &pos),
			(ssize_t)sizeof(value));
}

static void umm_folio_put(void *folio)
{
	folio_put(folio);
}

/**
 * umm_folio() - a folio of a file's page cache
 * @test: the case, at whose end the reference is dropped; fails if there is
 *	  no such folio
 * @file: the file
 * @index: the page
 *
 * Return: the folio, unlocked, with a reference.
 */
struct folio *umm_folio(struct kunit *test, struct file *file,
			unsigned long index)
{
	struct folio *folio = filemap_get_folio(file->f_mapping, index);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, umm_folio_put,
							folio), 0);
	return folio;
}
