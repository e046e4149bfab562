// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that come and go: a few that have gone are kept for those to come.
 *
 * An area may still be looked at after it has left the tree, by a fault that
 * found it without mmap_lock; so it is freed after a grace period. But in a
 * process of one thread nobody faults while it changes its areas: theirs are
 * free at once, and a few of them are kept, a processor's own, with the lock
 * that each has. What is kept belongs to no address space.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/percpu.h>

#include "area.h"

#define SPARE_MAX	4

struct spare {
	struct vm_area_struct *area[SPARE_MAX];
	unsigned int nr;
};

static DEFINE_PER_CPU(struct spare, spare);

/* Who checks the heap is to see what is used after it was freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(CONFIG_SLUB_DEBUG_ON)
#define SPARE_KEPT	0
#else
#define SPARE_KEPT	SPARE_MAX
#endif

static struct vm_area_struct *spare_take(void)
{
	struct spare *s = get_cpu_ptr(&spare);
	struct vm_area_struct *vma = s->nr ? s->area[--s->nr] : NULL;

	put_cpu_ptr(&spare);
	return vma;
}

static bool spare_keep(struct vm_area_struct *vma)
{
	struct spare *s = get_cpu_ptr(&spare);
	bool room = s->nr < SPARE_KEPT;

	if (room)
		s->area[s->nr++] = vma;
	put_cpu_ptr(&spare);
	return room;
}

#ifdef CONFIG_PER_VMA_LOCK
static struct vma_lock *spare_lock(struct vm_area_struct *vma)
{
	return vma->vm_lock;
}

static void spare_set_lock(struct vm_area_struct *vma, struct vma_lock *lock)
{
	vma->vm_lock = lock;
	vma->vm_lock_seq = UINT_MAX;
}
#else
static struct vma_lock *spare_lock(struct vm_area_struct *vma) { return NULL; }
static void spare_set_lock(struct vm_area_struct *vma, struct vma_lock *lock) { }
#endif

/**
 * area_alloc - as vm_area_alloc(): an area that is blank
 * @mm: the address space that it is for
 *
 * Return: the area, to be given back with area_release(), or NULL if there is no
 * memory.
 */
struct vm_area_struct *area_alloc(struct mm_struct *mm)
{
	struct vm_area_struct *vma = spare_take();
	struct vma_lock *lock;

	if (!vma)
		return vm_area_alloc(mm);
	lock = spare_lock(vma);
	vma_init(vma, mm);
	spare_set_lock(vma, lock);
	return vma;
}

/**
 * area_dup - as vm_area_dup(): an area like another
 * @orig: the other; mmap_lock held for writing
 *
 * Return: the area, in no tree and without anon_vmas, to be given back with
 * area_release(), or NULL if there is no memory.
 */
struct vm_area_struct *area_dup(struct vm_area_struct *orig)
{
	struct vm_area_struct *vma = spare_take();
	struct vma_lock *lock;

	if (!vma)
		return vm_area_dup(orig);
	lock = spare_lock(vma);
	/* Reverse mapping may be turning the tree that the other is in. */
	data_race(memcpy(vma, orig, sizeof(*vma)));
	spare_set_lock(vma, lock);
	INIT_LIST_HEAD(&vma->anon_vma_chain);
	dup_anon_vma_name(orig, vma);
	return vma;
}

/**
 * area_release - give an area back that is in no tree
 * @vma: the area; nothing else it has needs to be given back but its name.
 *       mmap_lock is held
 */
void area_release(struct vm_area_struct *vma)
{
	if (!area_alone(vma->vm_mm))
		vm_area_free(vma);
	else if (anon_vma_name(vma) || !spare_keep(vma))
		__vm_area_free(vma);
}
