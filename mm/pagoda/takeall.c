// SPDX-License-Identifier: GPL-2.0
/*
 * Stopping all that could change an address space.
 *
 * Someone who registers an MMU notifier needs a moment in which no page of
 * the mm can be mapped, unmapped or found by reverse mapping: every area is
 * write-locked, and every i_mmap_rwsem and anon_vma lock of its areas is held.
 *
 * Several areas may share a lock: whoever takes one leaves a mark on it, in a
 * bit that is free while it is held. One mutex lets in one such caller at a
 * time, so the marks are ours. The order is that of reverse mapping: all files
 * before all anon_vmas.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>

#include "area.h"

static DEFINE_MUTEX(take_all_mutex);

static void take_file(struct vm_area_struct *vma)
{
	struct address_space *mapping;

	if (!vma->vm_file)
		return;
	mapping = vma->vm_file->f_mapping;
	if (mapping && !test_and_set_bit(AS_MM_ALL_LOCKS, &mapping->flags))
		down_write_nest_lock(&mapping->i_mmap_rwsem,
				     &vma->vm_mm->mmap_lock);
}

static void drop_file(struct vm_area_struct *vma)
{
	struct address_space *mapping;

	if (!vma->vm_file)
		return;
	mapping = vma->vm_file->f_mapping;
	if (mapping && test_bit(AS_MM_ALL_LOCKS, &mapping->flags)) {
		i_mmap_unlock_write(mapping);
		clear_bit(AS_MM_ALL_LOCKS, &mapping->flags);
	}
}

/* The mark of an anon_vma: nodes are aligned, so their address has bits free. */
static unsigned long *anon_mark(struct anon_vma *anon_vma)
{
	return (unsigned long *)&anon_vma->root->rb_root.rb_root.rb_node;
}

static void take_anon(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
		unsigned long *mark = anon_mark(avc->anon_vma);

		if (test_bit(0, mark))
			continue;
		down_write_nest_lock(&avc->anon_vma->root->rwsem,
				     &vma->vm_mm->mmap_lock);
		/* Nobody but us reads the tree now, nor changes this word. */
		__set_bit(0, mark);
	}
}

static void drop_anon(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
		if (__test_and_clear_bit(0, anon_mark(avc->anon_vma)))
			anon_vma_unlock_write(avc->anon_vma);
}

/* Return: false if a signal came first. */
static bool take_each(struct mm_struct *mm,
		      void (*take)(struct vm_area_struct *vma))
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma) {
		if (signal_pending(current))
			return false;
		take(vma);
	}
	return true;
}

/**
 * mm_take_all_locks - stop all changes to an address space and its pages
 * @mm: the address space, its mmap_lock held for writing and kept
 *
 * Return: 0, and mm_drop_all_locks() must follow; -EINTR if a signal came, and
 * nothing is held.
 */
int mm_take_all_locks(struct mm_struct *mm)
{
	mmap_assert_write_locked(mm);
	mutex_lock(&take_all_mutex);
	if (take_each(mm, vma_start_write) && take_each(mm, take_file) &&
	    take_each(mm, take_anon))
		return 0;
	mm_drop_all_locks(mm);
	return -EINTR;
}

/**
 * mm_drop_all_locks - let the address space change again
 * @mm: as given to mm_take_all_locks(); mmap_lock is still held
 */
void mm_drop_all_locks(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	mmap_assert_write_locked(mm);
	lockdep_assert_held(&take_all_mutex);
	for_each_vma(vmi, vma) {
		drop_anon(vma);
		drop_file(vma);
	}
	mutex_unlock(&take_all_mutex);
}
