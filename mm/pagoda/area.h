/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas (VMAs): how they change. plan.c decides, vma.c applies, munmap.c takes
 * away; everybody else asks. Unless said otherwise the mm's mmap_lock is held
 * for writing.
 */
#ifndef MM_PAGODA_AREA_H
#define MM_PAGODA_AREA_H

#include <linux/mm.h>
#include "../internal.h"

/**
 * struct area_sketch - what splitting and merging need to know of an area
 * @start:  first byte (page-aligned)
 * @end:    first byte behind it
 * @pgoff:  offset of @start in the file, or @start itself if there is none, in pages
 * @flags:  VM_* bits
 * @file:   what it maps; NULL if nothing
 * @anon:   its anon_vma; NULL if it has none yet
 * @name:   name given by prctl(); NULL if none
 * @lone:   @anon is set and came from no parent: no fork shares it
 * @closes: its end must be told to a close hook, so it cannot vanish in a merge
 */
struct area_sketch {
	unsigned long start;
	unsigned long end;
	pgoff_t pgoff;
	vm_flags_t flags;
	const struct file *file;
	const struct anon_vma *anon;
	struct anon_vma_name *name;
	bool lone;
	bool closes;
};

/* Which area holds the wanted range in the end. */
enum area_host {
	AREA_SELF,		/* one of its own */
	AREA_PREV,		/* the one below, grown */
	AREA_NEXT,		/* the one above, grown */
};

/**
 * struct area_verdict - how a wanted range fits in between its neighbours
 * @host:     which area holds it
 * @start:    where that area then starts
 * @end:      where that area then ends
 * @eat_mid:  the area that held the range until now is swallowed
 * @eat_next: the one above is swallowed too
 * @head:     part of the area that held the range stays below it
 * @tail:     part of it stays above
 */
struct area_verdict {
	enum area_host host;
	unsigned long start;
	unsigned long end;
	bool eat_mid;
	bool eat_next;
	bool head;
	bool tail;
};

/* plan.c */
void area_decide(struct area_verdict *v, const struct area_sketch *prev,
		 const struct area_sketch *mid, const struct area_sketch *next,
		 const struct area_sketch *want);

/*
 * Is there nobody who could come upon areas without mmap_lock? Only faults do
 * that, of threads that have the address space: with one user, who is here or
 * who has no thread running in it, there are none. But BPF programs go through
 * the areas of any task.
 */
static inline bool area_alone(struct mm_struct *mm)
{
	return !IS_ENABLED(CONFIG_BPF_SYSCALL) &&
	       atomic_read(&mm->mm_users) <= 1;
}

/* spare.c */
struct vm_area_struct *area_alloc(struct mm_struct *mm);
struct vm_area_struct *area_dup(struct vm_area_struct *vma);
void area_release(struct vm_area_struct *vma);

/* vma.c */
void area_sketch(struct area_sketch *s, struct vm_area_struct *vma);
struct vm_area_struct *area_join(struct vma_iterator *vmi,
				 const struct area_sketch *want,
				 struct vm_area_struct *prev,
				 struct vm_area_struct *next);
bool area_gap(struct vma_iterator *vmi, unsigned long start, unsigned long end,
	      struct vm_area_struct **prev, struct vm_area_struct **next);
int area_insert(struct vma_iterator *vmi, struct vm_area_struct *vma,
		gfp_t gfp);
int area_write(struct vma_iterator *vmi, struct vm_area_struct *entry,
	       unsigned long start, unsigned long end, gfp_t gfp);
struct vm_area_struct *area_piece(struct vm_area_struct *vma,
				  unsigned long start, unsigned long end);
void area_piece_undo(struct vm_area_struct *piece);
void area_write_above(struct vm_area_struct *vma);
void area_cut(struct vm_area_struct *vma, unsigned long start,
	      unsigned long end, struct vm_area_struct *piece,
	      struct vm_area_struct *other);
int area_resize(struct vma_iterator *vmi, struct vm_area_struct *vma,
		unsigned long start, unsigned long end, pgoff_t pgoff);
struct vm_area_struct *area_reflag(struct vma_iterator *vmi,
				   struct vm_area_struct *prev,
				   struct vm_area_struct *vma,
				   unsigned long start, unsigned long end,
				   vm_flags_t flags,
				   struct anon_vma_name *name);
struct vm_area_struct *area_grow(struct vma_iterator *vmi,
				 struct vm_area_struct *vma,
				 unsigned long delta);
struct vm_area_struct *area_copy(struct vm_area_struct **vmap,
				 unsigned long addr, unsigned long len,
				 pgoff_t pgoff, bool *need_rmap_locks,
				 bool keep_source);

#if defined(CONFIG_PAGODA_DEBUG) || defined(CONFIG_DEBUG_VM_MAPLE_TREE)
void area_check(struct mm_struct *mm);
#else
static inline void area_check(struct mm_struct *mm) { }
#endif

/* How many areas are handled without allocating, or under one lock. */
#define AREA_FEW	8

/* Hiding areas from reverse mapping, neighbours of one file together. */
struct area_unlinker {
	struct address_space *mapping;
	unsigned int nr;
};

void area_unlink(struct area_unlinker *u, struct vm_area_struct *vma);
void area_unlink_done(struct area_unlinker *u);

/* munmap.c */

/**
 * struct area_removal - areas, or parts of areas, that are to go
 * @mm:        the address space
 * @start:     the range that becomes free
 * @end:       its end
 * @trim:      areas of which a part below or above the range stays and which
 *             are cut in place; NULL where there is none
 * @tail:      what stays above the range of an area that also stays below it
 * @cut:       areas that make room for a part of theirs in @areas
 * @areas:     what goes as a whole, in order of addresses
 * @few:       room for @areas when there are not many
 * @nr:        how many there are in @areas
 * @whole:     how many of those are in the tree
 * @used:      some of it may have pages
 * @frames:    some of it is a driver's, of page frames
 * @pages:     how many pages go
 * @locked:    how many of them count as locked
 * @accounted: how many of them are charged against the commit limit
 * @exec:      how many of them count as code
 * @stack:     ... as stack
 * @data:      ... as data
 */
struct area_removal {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	struct vm_area_struct *trim[2];
	struct vm_area_struct *tail;
	struct vm_area_struct *cut[2];
	struct vm_area_struct **areas;
	struct vm_area_struct *few[AREA_FEW];
	unsigned int nr;
	unsigned int whole;
	bool used;
	bool frames;
	unsigned long pages;
	unsigned long locked;
	unsigned long accounted;
	unsigned long exec;
	unsigned long stack;
	unsigned long data;
};

int area_unshare_ends(struct mm_struct *mm, unsigned long start,
		      unsigned long end);
int area_removal_plan(struct area_removal *r, struct vma_iterator *vmi,
		      struct vm_area_struct *first, unsigned long start,
		      unsigned long end, bool unlock);
int area_removal_commit(struct area_removal *r, struct vma_iterator *vmi,
			bool unlock);
void area_removal_abort(struct area_removal *r);

int area_unmap(struct vma_iterator *vmi, struct mm_struct *mm,
	       unsigned long start, size_t len, struct list_head *uf,
	       bool unlock);

/* Ranges whose page tables are to be freed, near ones together. */
struct area_span {
	struct mmu_gather *tlb;
	unsigned long floor;
	unsigned long start;
	unsigned long end;
};

void area_span_add(struct area_span *s, unsigned long start, unsigned long end);
void area_span_done(struct area_span *s, unsigned long ceiling);
void area_free(struct vm_area_struct *vma);

#endif /* MM_PAGODA_AREA_H */
