// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces: making, forking and ending them, areas as objects, and the
 * system calls that Pagoda has. What kernel/fork.c does around the core.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include "internal.h"
#include <asm/tlbflush.h>
#include "space.h"
#include "user.h"

unsigned int __pgtable_l5_enabled;
unsigned int pgdir_shift = 39;
unsigned int ptrs_per_p4d = 1;

struct mm_struct *user_spaces[USER_SPACES];

static struct kmem_cache *user_area_cache, *user_lock_cache;

/* Set how many levels page tables have, 4 or 5, before there are any. */
void user_levels(unsigned int levels)
{
	__pgtable_l5_enabled = levels == 5;
	pgdir_shift = levels == 5 ? 48 : 39;
	ptrs_per_p4d = levels == 5 ? 512 : 1;
}

static bool user_area_lock(struct vm_area_struct *vma)
{
	vma->vm_lock = kmem_cache_alloc(user_lock_cache, GFP_KERNEL);
	if (!vma->vm_lock)
		return false;
	init_rwsem(&vma->vm_lock->lock);
	vma->vm_lock_seq = UINT_MAX;
	return true;
}

struct vm_area_struct *vm_area_alloc(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	vma = kmem_cache_alloc(user_area_cache, GFP_KERNEL);
	if (!vma)
		return NULL;
	vma_init(vma, mm);
	if (user_area_lock(vma))
		return vma;
	kmem_cache_free(user_area_cache, vma);
	return NULL;
}

struct vm_area_struct *vm_area_dup(struct vm_area_struct *from)
{
	struct vm_area_struct *vma;

	vma = kmem_cache_alloc(user_area_cache, GFP_KERNEL);
	if (!vma)
		return NULL;
	memcpy(vma, from, sizeof(*vma));
	INIT_LIST_HEAD(&vma->anon_vma_chain);
	if (!user_area_lock(vma)) {
		kmem_cache_free(user_area_cache, vma);
		return NULL;
	}
	dup_anon_vma_name(from, vma);
	return vma;
}

void __vm_area_free(struct vm_area_struct *vma)
{
	if (rwsem_is_locked(&vma->vm_lock->lock))
		host_die("area %#lx is freed and locked", vma->vm_start);
	free_anon_vma_name(vma);
	kmem_cache_free(user_lock_cache, vma->vm_lock);
	kmem_cache_free(user_area_cache, vma);
}

static void user_area_late(struct rcu_head *head)
{
	__vm_area_free(container_of(head, struct vm_area_struct, vm_rcu));
}

void vm_area_free(struct vm_area_struct *vma)
{
	call_rcu(&vma->vm_rcu, user_area_late);
}

static struct mm_struct **user_space_slot(struct mm_struct *mm)
{
	int i;

	for (i = 0; i < USER_SPACES; i++)
		if (user_spaces[i] == mm)
			return &user_spaces[i];
	host_die("too many address spaces");
}

static struct mm_struct *user_mm_make(void)
{
	struct user_space *s;
	struct mm_struct *mm;

	s = kzalloc(sizeof(*s) + cpumask_size(), GFP_KERNEL);
	if (!s)
		return NULL;
	mm = &s->mm;
	mm->pgd = (pgd_t *)get_zeroed_page(GFP_KERNEL);
	if (!mm->pgd) {
		kfree(s);
		return NULL;
	}
	mt_init_flags(&mm->mm_mt, MM_MT_FLAGS);
	mt_set_external_lock(&mm->mm_mt, &mm->mmap_lock);
	atomic_set(&mm->mm_users, 1);
	atomic_set(&mm->mm_count, 1);
	seqcount_init(&mm->write_protect_seq);
	mmap_init_lock(mm);
	spin_lock_init(&mm->page_table_lock);
	mm->task_size = TASK_SIZE_MAX;
	mm->mmap_base = TASK_SIZE_MAX - SZ_1G;
	mm->mmap_legacy_base = mm->mmap_base / 3;
	set_bit(MMF_TOPDOWN, &mm->flags);
	*user_space_slot(NULL) = mm;
	return mm;
}

/* A fresh address space; NULL if there is no memory. */
struct mm_struct *user_mm_new(void)
{
	return user_mm_make();
}

void __mmdrop(struct mm_struct *mm)
{
	free_page((unsigned long)mm->pgd);
	kfree(user_space(mm));
}

void mmput(struct mm_struct *mm)
{
	int i;

	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	user_tlb_forget(mm);
	exit_mmap(mm);
	user_tlb_forget(mm);
	user_grace();
	for (i = 0; i < NR_MM_COUNTERS; i++)
		if (mm->rss_stat[i].count)
			host_die("%lld pages of kind %d are counted after exit",
				 (s64)mm->rss_stat[i].count, i);
	if (mm_pgtables_bytes(mm))
		host_die("%lu bytes of tables are counted after exit",
			 mm_pgtables_bytes(mm));
	if (mm_tlb_flush_pending(mm))
		host_die("a flush is pending after exit");
	*user_space_slot(mm) = NULL;
	mmdrop(mm);
}

void user_mm_enter(struct mm_struct *mm)
{
	current->mm = mm;
	current->active_mm = mm;
}

/* The child's area for one of the parent's, or an error. */
static struct vm_area_struct *user_area_fork(struct vm_area_struct *from,
					     struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	if (from->vm_flags & VM_ACCOUNT &&
	    __vm_enough_memory(mm, vma_pages(from), 0))
		return NULL;
	vma = vm_area_dup(from);
	if (!vma)
		goto uncharge;
	vma->vm_mm = mm;
	if (vma->vm_flags & VM_WIPEONFORK)
		vma->anon_vma = NULL;
	else if (anon_vma_fork(vma, from))
		goto free;
	vm_flags_clear(vma, VM_LOCKED_MASK);
	return vma;
free:
	vm_area_free(vma);
uncharge:
	if (from->vm_flags & VM_ACCOUNT)
		vm_unacct_memory(vma_pages(from));
	return NULL;
}

static void user_file_fork(struct vm_area_struct *vma,
			   struct vm_area_struct *from)
{
	struct address_space *mapping;

	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	if (!vma->vm_file)
		return;
	mapping = vma->vm_file->f_mapping;
	get_file(vma->vm_file);
	i_mmap_lock_write(mapping);
	if (vma_is_shared_maywrite(vma))
		mapping_allow_writable(mapping);
	vma_interval_tree_insert_after(vma, from, &mapping->i_mmap);
	i_mmap_unlock_write(mapping);
}

/*
 * Give @mm the parent's areas. As in Linux the tree is there before, with the
 * parent's areas in it, and has a mark where it went wrong.
 */
static int user_areas_fork(struct mm_struct *mm, struct mm_struct *parent)
{
	struct vm_area_struct *from, *vma;
	int err;

	VMA_ITERATOR(vmi, mm, 0);

	err = __mt_dup(&parent->mm_mt, &mm->mm_mt, GFP_KERNEL);
	if (err)
		return err;
	mt_clear_in_rcu(vmi.mas.tree);
	for_each_vma(vmi, from) {
		vma_start_write(from);
		if (from->vm_flags & VM_DONTCOPY) {
			err = vma_iter_clear_gfp(&vmi, from->vm_start,
						 from->vm_end, GFP_KERNEL);
			if (err)
				break;
			vm_stat_account(mm, from->vm_flags, -vma_pages(from));
			continue;
		}
		vma = user_area_fork(from, mm);
		if (!vma) {
			err = -ENOMEM;
			break;
		}
		vma_iter_bulk_store(&vmi, vma);
		mm->map_count++;
		user_file_fork(vma, from);
		if (!(vma->vm_flags & VM_WIPEONFORK))
			err = copy_page_range(vma, from);
		if (err) {
			from = vma_next(&vmi);
			break;
		}
	}
	vma_iter_free(&vmi);
	if (!err) {
		mt_set_in_rcu(vmi.mas.tree);
	} else if (from) {
		mas_set_range(&vmi.mas, from->vm_start, from->vm_end - 1);
		mas_store(&vmi.mas, XA_ZERO_ENTRY);
	}
	return err;
}

/**
 * user_mm_fork - fork an address space
 * @parent: which
 *
 * Return: the child, or NULL if there is no memory; then nothing has changed.
 */
struct mm_struct *user_mm_fork(struct mm_struct *parent)
{
	struct mm_struct *mm = user_mm_make();
	int err;

	if (!mm)
		return NULL;
	mm->flags = parent->flags & MMF_INIT_MASK;
	mm->def_flags = parent->def_flags & VM_INIT_DEF_MASK;
	mm->task_size = parent->task_size;
	mm->mmap_base = parent->mmap_base;
	mm->start_brk = parent->start_brk;
	mm->brk = parent->brk;
	mmap_write_lock(parent);
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	mm->total_vm = parent->total_vm;
	mm->data_vm = parent->data_vm;
	mm->exec_vm = parent->exec_vm;
	mm->stack_vm = parent->stack_vm;
	err = user_areas_fork(mm, parent);
	mmap_write_unlock(mm);
	flush_tlb_mm(parent);
	mmap_write_unlock(parent);
	if (!err)
		return mm;
	mmput(mm);
	return NULL;
}

void user_space_init(void)
{
	user_area_cache = KMEM_CACHE(vm_area_struct, 0);
	user_lock_cache = KMEM_CACHE(vma_lock, 0);
}

unsigned long vm_mmap_pgoff(struct file *file, unsigned long addr,
			    unsigned long len, unsigned long prot,
			    unsigned long flags, unsigned long pgoff)
{
	struct mm_struct *mm = current->mm;
	unsigned long at, populate;

	mmap_write_lock(mm);
	at = do_mmap(file, addr, len, prot, flags, 0, pgoff, &populate, NULL);
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(at, populate);
	return at;
}

unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags,
		      unsigned long offset)
{
	if (offset + PAGE_ALIGN(len) < offset || offset_in_page(offset))
		return -EINVAL;
	return vm_mmap_pgoff(file, addr, len, prot, flags,
			     offset >> PAGE_SHIFT);
}

#define USER_CASE(name)				\
	case __NR_##name:			\
		return __x64_sys_##name(regs);

/* The calls that Pagoda has. */
long x64_sys_call(const struct pt_regs *regs, unsigned int nr)
{
	switch (nr) {
	USER_CALLS(USER_CASE)
	case __NR_mmap:
		if (offset_in_page(regs->r9))
			return -EINVAL;
		return ksys_mmap_pgoff(regs->di, regs->si, regs->dx, regs->r10,
				       regs->r8, regs->r9 >> PAGE_SHIFT);
	}
	return -ENOSYS;
}
