// SPDX-License-Identifier: GPL-2.0
/*
 * Files: a page cache that is an array, always in memory. Enough for areas
 * of files, shared and private, to fault, be written and be truncated.
 */
#include <linux/backing-dev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include "user.h"

/**
 * struct user_object - an inode and all that hangs on it
 * @file: it opened for reading and writing
 * @opens: files that are open, this one included
 * @shmem: its pages count as shared memory
 * @pages: how many pages it has
 * @folios: those that were ever asked for
 */
struct user_object {
	struct file file;
	struct inode inode;
	struct dentry dentry;
	struct vfsmount mount;
	struct super_block sb;
	unsigned int opens;
	bool shmem;
	unsigned long pages;
	struct folio *folios[];
};

static struct user_object *user_object_of(struct file *file)
{
	return file->private_data;
}

static struct folio *user_object_page(struct user_object *o,
				      unsigned long index, gfp_t gfp)
{
	struct folio *folio = o->folios[index];

	if (folio)
		return folio;
	folio = folio_alloc(gfp, 0);
	if (!folio)
		return NULL;
	clear_page(folio_address(folio));
	folio->mapping = o->file.f_mapping;
	folio->index = index;
	folio_mark_uptodate(folio);
	if (o->shmem)
		folio_set_swapbacked(folio);
	folio_add_lru(folio);
	o->folios[index] = folio;
	return folio;
}

static vm_fault_t user_object_fault(struct vm_fault *vmf)
{
	struct user_object *o = user_object_of(vmf->vma->vm_file);
	struct folio *folio;

	if (vmf->pgoff >= o->pages)
		return VM_FAULT_SIGBUS;
	folio = user_object_page(o, vmf->pgoff, GFP_KERNEL);
	if (!folio)
		return VM_FAULT_OOM;
	folio_get(folio);
	if (!folio_trylock(folio))
		host_die("page %lu of a file is locked", vmf->pgoff);
	vmf->page = &folio->page;
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct user_object_ops = {
	.fault = user_object_fault,
};

static int user_object_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &user_object_ops;
	return 0;
}

static const struct file_operations user_object_file = {
	.mmap = user_object_mmap,
};

static bool user_object_dirty(struct address_space *mapping,
			      struct folio *folio)
{
	return !folio_test_set_dirty(folio);
}

static const struct address_space_operations user_object_space = {
	.dirty_folio = user_object_dirty,
};

bool folio_mark_dirty(struct folio *folio)
{
	return !folio_test_set_dirty(folio);
}

bool set_page_dirty(struct page *page)
{
	return folio_mark_dirty(page_folio(page));
}

int set_page_dirty_lock(struct page *page)
{
	return set_page_dirty(page);
}

/**
 * user_file - a new file, all zeroes
 * @pages: its size
 * @shmem: its pages count as shared memory
 *
 * Return: the file; it cannot fail.
 */
struct file *user_file(unsigned long pages, bool shmem)
{
	struct user_object *o = host_alloc(struct_size(o, folios, pages), 0);
	struct address_space *mapping = &o->inode.i_data;

	memset(o, 0, struct_size(o, folios, pages));
	o->shmem = shmem;
	o->pages = pages;
	o->opens = 1;
	o->file.private_data = o;
	o->inode.i_mode = S_IFREG | 0600;
	o->inode.i_sb = &o->sb;
	o->inode.i_mapping = mapping;
	o->inode.i_size = pages << PAGE_SHIFT;
	o->mount.mnt_sb = &o->sb;
	mapping->host = &o->inode;
	mapping->a_ops = &user_object_space;
	mapping->i_mmap = RB_ROOT_CACHED;
	mapping->gfp_mask = GFP_HIGHUSER_MOVABLE;
	init_rwsem(&mapping->i_mmap_rwsem);
	o->dentry.d_inode = &o->inode;
	atomic_long_set(&o->file.f_count, 1);
	o->file.f_mode = FMODE_READ | FMODE_WRITE | FMODE_CAN_READ |
			 FMODE_CAN_WRITE;
	o->file.f_op = &user_object_file;
	o->file.f_inode = &o->inode;
	o->file.f_mapping = mapping;
	o->file.f_path.dentry = &o->dentry;
	o->file.f_path.mnt = &o->mount;
	return &o->file;
}

static void user_object_cut(struct user_object *o, unsigned long from,
			    unsigned long to, bool even_cows)
{
	unsigned long i;

	if (from >= to)
		return;
	unmap_mapping_pages(o->file.f_mapping, from, to - from, even_cows);
	user_lru_drain();
	for (i = from; i < to; i++) {
		if (!o->folios[i])
			continue;
		o->folios[i]->mapping = NULL;
		folio_put(o->folios[i]);
		o->folios[i] = NULL;
	}
}

/* Drop a reference; areas that map the file have theirs. */
void user_file_put(struct file *file)
{
	struct user_object *o = user_object_of(file);

	if (!atomic_long_dec_and_test(&file->f_count))
		return;
	if (file != &o->file)
		host_free(file);
	if (--o->opens)
		return;
	file = &o->file;
	if (!RB_EMPTY_ROOT(&file->f_mapping->i_mmap.rb_root))
		host_die("a file is closed that is mapped");
	if (atomic_read(&file->f_mapping->i_mmap_writable))
		host_die("a file is closed that %d areas may write to",
			 atomic_read(&file->f_mapping->i_mmap_writable));
	user_object_cut(o, 0, o->pages, true);
	host_free(o);
}

void fput(struct file *file)
{
	user_file_put(file);
}

void __fput_sync(struct file *file)
{
	user_file_put(file);
}

/* The first word of a page of a file. */
unsigned long *user_file_word(struct file *file, unsigned long index)
{
	struct user_object *o = user_object_of(file);
	struct folio *folio;

	if (index >= o->pages)
		return NULL;
	folio = user_object_page(o, index, GFP_KERNEL | __GFP_NOFAIL);
	return folio_address(folio);
}

/* Shared memory without a file has one that nobody opened. */
int shmem_zero_setup(struct vm_area_struct *vma)
{
	if (vma->vm_file)
		fput(vma->vm_file);
	vma->vm_file = user_file(vma_pages(vma), true);
	vma->vm_ops = &user_object_ops;
	return 0;
}

unsigned long shmem_get_unmapped_area(struct file *file, unsigned long addr,
				      unsigned long len, unsigned long pgoff,
				      unsigned long flags)
{
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
}

struct backing_dev_info *inode_to_bdi(struct inode *inode)
{
	static struct backing_dev_info nothing_is_written_back;

	return &nothing_is_written_back;
}

/* What the fixture of the KUnit suites asks of files. */
struct file_system_type *get_fs_type(const char *name)
{
	static struct file_system_type ramfs;

	return &ramfs;
}

void put_filesystem(struct file_system_type *type)
{
}

struct vfsmount *kern_mount(struct file_system_type *type)
{
	static struct dentry root;
	static struct vfsmount mount = { .mnt_root = &root };

	return &mount;
}

struct file *file_open_root(const struct path *root, const char *name,
			    int flags, umode_t mode)
{
	return user_file(512, false);
}

struct file *dentry_open(const struct path *path, int flags,
			 const struct cred *cred)
{
	struct user_object *o = container_of(path, struct user_object,
					     file.f_path);
	struct file *file = host_alloc(sizeof(*file), 0);

	*file = o->file;
	atomic_long_set(&file->f_count, 1);
	if ((flags & O_ACCMODE) == O_RDONLY)
		file->f_mode &= ~(FMODE_WRITE | FMODE_CAN_WRITE);
	if ((flags & O_ACCMODE) == O_WRONLY)
		file->f_mode &= ~(FMODE_READ | FMODE_CAN_READ);
	o->opens++;
	return file;
}

struct file *shmem_file_setup(const char *name, loff_t size,
			      unsigned long flags)
{
	return user_file(max_t(loff_t, size >> PAGE_SHIFT, 1), true);
}

long vfs_truncate(const struct path *path, loff_t length)
{
	struct user_object *o = container_of(path, struct user_object,
					     file.f_path);
	unsigned long pages = PAGE_ALIGN(length) >> PAGE_SHIFT;

	user_object_cut(o, pages, o->pages, true);
	o->pages = pages;
	i_size_write(&o->inode, length);
	return 0;
}

/* Only ever asked to make a hole. */
int vfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct user_object *o = user_object_of(file);

	user_object_cut(o, offset >> PAGE_SHIFT,
			min_t(u64, (offset + len) >> PAGE_SHIFT, o->pages),
			false);
	return 0;
}

int vfs_fsync_range(struct file *file, loff_t start, loff_t end, int datasync)
{
	return 0;
}

/* No file has a number. */
struct file *fget(unsigned int fd)
{
	return NULL;
}

static ssize_t user_file_copy(struct file *file, void *buf, const void *from,
			      size_t count, loff_t *pos)
{
	char *p = (char *)user_file_word(file, *pos >> PAGE_SHIFT);

	if (!p)
		return 0;
	memcpy(buf ?: p + offset_in_page(*pos),
	       from ?: p + offset_in_page(*pos), count);
	*pos += count;
	return count;
}

ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos)
{
	return user_file_copy(file, buf, NULL, count, pos);
}

ssize_t kernel_write(struct file *file, const void *buf, size_t count,
		     loff_t *pos)
{
	return user_file_copy(file, NULL, buf, count, pos);
}

struct folio *__filemap_get_folio(struct address_space *mapping, pgoff_t index,
				  fgf_t flags, gfp_t gfp)
{
	struct user_object *o = container_of(mapping, struct user_object,
					     inode.i_data);
	struct folio *folio = index < o->pages ? o->folios[index] : NULL;

	if (!folio)
		return ERR_PTR(-ENOENT);
	folio_get(folio);
	return folio;
}
