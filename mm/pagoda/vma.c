// SPDX-License-Identifier: GPL-2.0
/*
 * How areas change.
 *
 * Every change of areas is one value, a struct area_plan: what the maple tree
 * will hold over which range, which areas get new bounds, which come, which
 * go. Making the plan does all that can fail but one thing; area_commit()
 * does that one, the write to the tree, and then the rest, which cannot fail.
 * So a failed change has changed nothing.
 *
 * Lock rules: mmap_lock held for writing. Whatever a plan touches is
 * write-locked (vma_start_write()) before the tree changes, so that a fault
 * that looks an area up under RCU either sees it as it was, or waits. New
 * bounds are set with the area out of the interval trees, under i_mmap_rwsem
 * and, inside it, the anon_vma lock. An area that goes is marked detached and
 * freed after an RCU grace period.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>

#include "area.h"

/* New bounds for an area. */
struct area_bounds {
	struct vm_area_struct *vma;
	unsigned long start;
	unsigned long end;
	pgoff_t pgoff;
};

/* Bounds for what stays of an area. */
static struct area_bounds area_part(struct vm_area_struct *vma,
				    unsigned long start, unsigned long end)
{
	return (struct area_bounds) {
		vma, start, end,
		vma->vm_pgoff + PHYS_PFN(start - vma->vm_start),
	};
}

/**
 * struct area_plan - a change of areas
 * @entry: what the tree will hold ...
 * @start: ... from here
 * @end:   ... to here (exclusive)
 * @move:  areas that get new bounds; the first takes over from @drop
 * @add:   areas that come, the first being @entry. The second lies directly
 *         above, where the write of the first has already cut the tree's entry
 * @drop:  areas that go, their range being somebody else's in the end
 * @heir:  area that was given the anon_vma of one that goes
 *
 * All areas of a plan map the same file, or none.
 */
struct area_plan {
	struct vm_area_struct *entry;
	unsigned long start;
	unsigned long end;
	struct area_bounds move[2];
	struct vm_area_struct *add[2];
	struct vm_area_struct *drop[2];
	struct vm_area_struct *heir;
};

/**
 * area_sketch - describe an area for area_decide()
 * @s: the description
 * @vma: the area
 */
void area_sketch(struct area_sketch *s, struct vm_area_struct *vma)
{
	s->start = vma->vm_start;
	s->end = vma->vm_end;
	s->pgoff = vma->vm_pgoff;
	s->flags = vma->vm_flags;
	s->file = vma->vm_file;
	s->anon = vma->anon_vma;
	s->name = anon_vma_name(vma);
	s->lone = list_is_singular(&vma->anon_vma_chain);
	s->closes = vma->vm_ops && vma->vm_ops->close;
}

/**
 * area_write - set what the tree holds over a range
 * @vmi: an iterator on the mm; best if it stands at @start or just behind
 * @entry: an area, or NULL for a hole
 * @start: where the range starts
 * @end: where it ends
 * @gfp: GFP_KERNEL, or GFP_KERNEL | __GFP_NOFAIL
 *
 * On success the iterator covers what it wrote; for a hole, at least that and
 * at most all of the hole that it is now part of.
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int area_write(struct vma_iterator *vmi, struct vm_area_struct *entry,
	       unsigned long start, unsigned long end, gfp_t gfp)
{
	struct ma_state *mas = &vmi->mas;
	bool alone = area_alone(container_of(mas->tree, struct mm_struct, mm_mt));
	int err;

	/* The write can go on from where the iterator stands, or one before. */
	if (mas->status == ma_active && mas->index > start)
		mas_prev_range(mas, 0);
	if (mas->index > start || mas->last < start)
		vma_iter_invalidate(vmi);
	__mas_set_range(mas, start, end - 1);
	/* A tree that nobody reads meanwhile need not keep what it replaces. */
	if (alone)
		mt_clear_in_rcu(mas->tree);
	err = mas_store_gfp(mas, entry, gfp);
	if (alone)
		mt_set_in_rcu(mas->tree);
	if (err)
		mas_set(mas, start);
	return err;
}

static void area_link_file(struct vm_area_struct *vma,
			   struct address_space *mapping)
{
	if (vma_is_shared_maywrite(vma))
		mapping_allow_writable(mapping);
	vma_interval_tree_insert(vma, &mapping->i_mmap);
}

static void area_unlink_file(struct vm_area_struct *vma,
			     struct address_space *mapping)
{
	vma_interval_tree_remove(vma, &mapping->i_mmap);
	if (vma_is_shared_maywrite(vma))
		mapping_unmap_writable(mapping);
}

/**
 * area_unlink - hide an area from reverse mapping through its file
 * @u: zero at first; holds a lock until area_unlink_done()
 * @vma: an area; need not map a file
 *
 * Neighbours that map the same file share one taking of its lock.
 */
void area_unlink(struct area_unlinker *u, struct vm_area_struct *vma)
{
	struct address_space *mapping;

	if (!vma->vm_file)
		return;
	mapping = vma->vm_file->f_mapping;
	if (u->mapping != mapping || u->nr++ % AREA_FEW == 0) {
		area_unlink_done(u);
		i_mmap_lock_write(mapping);
		u->mapping = mapping;
		u->nr = 1;
	}
	area_unlink_file(vma, mapping);
}

/**
 * area_unlink_done - drop the lock that area_unlink() may hold
 * @u: as given to area_unlink()
 */
void area_unlink_done(struct area_unlinker *u)
{
	if (u->mapping)
		i_mmap_unlock_write(u->mapping);
	u->mapping = NULL;
}

static void area_bounds_out(const struct area_bounds *b,
			    struct address_space *mapping)
{
	struct anon_vma_chain *avc;

	if (mapping)
		vma_interval_tree_remove(b->vma, &mapping->i_mmap);
	list_for_each_entry(avc, &b->vma->anon_vma_chain, same_vma)
		anon_vma_interval_tree_remove(avc, &avc->anon_vma->rb_root);
}

static void area_bounds_in(const struct area_bounds *b,
			   struct address_space *mapping)
{
	struct anon_vma_chain *avc;

	if (mapping)
		vma_interval_tree_insert(b->vma, &mapping->i_mmap);
	list_for_each_entry(avc, &b->vma->anon_vma_chain, same_vma)
		anon_vma_interval_tree_insert(avc, &avc->anon_vma->rb_root);
}

/* Tell reverse mapping, and set the new bounds. */
static void area_rebound(const struct area_plan *p)
{
	struct vm_area_struct *vma = p->move[0].vma, *other = p->move[1].vma;
	struct address_space *mapping = NULL;
	struct anon_vma *anon = vma->anon_vma;
	int i;

	if (vma->vm_file)
		mapping = vma->vm_file->f_mapping;
	if (!anon && other)
		anon = other->anon_vma;

	if (mapping)
		i_mmap_lock_write(mapping);
	if (anon)
		anon_vma_lock_write(anon);
	/* A tree must not hold an area while its bounds change. */
	for (i = 0; i < 2 && p->move[i].vma; i++) {
		const struct area_bounds *b = &p->move[i];

		area_bounds_out(b, mapping);
		vma_set_range(b->vma, b->start, b->end, b->pgoff);
		area_bounds_in(b, mapping);
	}
	for (i = 0; mapping && i < 2; i++) {
		if (p->add[i])
			area_link_file(p->add[i], mapping);
		if (p->drop[i])
			area_unlink_file(p->drop[i], mapping);
	}
	if (anon)
		anon_vma_unlock_write(anon);
	if (mapping)
		i_mmap_unlock_write(mapping);
}

static int area_commit(struct vma_iterator *vmi, const struct area_plan *p)
{
	struct mm_struct *mm = p->move[0].vma->vm_mm;
	int i;

	for (i = 0; i < 2; i++) {
		if (p->move[i].vma)
			vma_start_write(p->move[i].vma);
		if (p->drop[i])
			vma_start_write(p->drop[i]);
	}
	if (area_write(vmi, p->entry, p->start, p->end, GFP_KERNEL)) {
		if (p->heir)
			unlink_anon_vmas(p->heir);
		return -ENOMEM;
	}
	if (p->add[1])
		area_write_above(p->add[1]);

	area_rebound(p);

	for (i = 0; i < 2; i++) {
		struct vm_area_struct *gone = p->drop[i];

		if (p->add[i])
			mm->map_count++;
		if (!gone)
			continue;
		mm->map_count--;
		vma_mark_detached(gone, true);
		if (gone->anon_vma)
			anon_vma_merge(p->move[0].vma, gone);
		if (gone->vm_file)
			fput(gone->vm_file);
		area_release(gone);
	}
	area_check(mm);
	return 0;
}

/* Put what the verdict says about a merge into effect. */
static int area_merge(struct vma_iterator *vmi, const struct area_verdict *v,
		      const struct area_sketch *want,
		      struct vm_area_struct *host, struct vm_area_struct *mid,
		      struct vm_area_struct *next)
{
	struct area_plan p = {
		.entry	= host,
		.start	= v->start,
		.end	= v->end,
		.drop	= { v->eat_mid ? mid : NULL, v->eat_next ? next : NULL },
		.move	= {{ host, v->start, v->end, host->vm_pgoff }},
	};

	if (v->host == AREA_NEXT)
		p.move[0].pgoff = want->pgoff;
	if (v->tail)
		p.move[1] = area_part(mid, want->end, mid->vm_end);
	else if (v->head)
		p.move[1] = area_part(mid, mid->vm_start, want->start);

	/* Pages of the area that goes must be found through the host then. */
	if (v->eat_next && next->anon_vma && !host->anon_vma) {
		vma_start_write(host);
		host->anon_vma = next->anon_vma;
		if (anon_vma_clone(host, next))
			return -ENOMEM;
		p.heir = host;
	}
	return area_commit(vmi, &p);
}

/**
 * area_gap - look at a hole and at the areas that touch a range in it
 * @vmi: an iterator that was set to @start and not moved
 * @start: where the range starts
 * @end: where it ends
 * @prev: the area that ends at @start, or NULL; not set on failure
 * @next: the area that starts at @end, or NULL; not set on failure
 *
 * The iterator stays in the hole.
 *
 * Return: whether the range is free.
 */
bool area_gap(struct vma_iterator *vmi, unsigned long start, unsigned long end,
	      struct vm_area_struct **prev, struct vm_area_struct **next)
{
	struct ma_state side;

	if (mas_walk(&vmi->mas) || vmi->mas.last < end - 1)
		return false;

	*prev = NULL;
	*next = NULL;
	if (vmi->mas.index == start && start) {
		side = vmi->mas;
		*prev = mas_prev_range(&side, 0);
	}
	if (vmi->mas.last == end - 1) {
		side = vmi->mas;
		*next = mas_next_range(&side, ULONG_MAX);
	}
	return true;
}

/**
 * area_join - let neighbours take in a new mapping
 * @vmi: an iterator that stands in the hole, or at @prev
 * @want: the new mapping
 * @prev: the area that ends where it starts, or NULL
 * @next: the area that starts where it ends, or NULL
 *
 * Return: the area that now holds it; NULL if none can, or if there was no
 * memory for it, and nothing has changed.
 */
struct vm_area_struct *area_join(struct vma_iterator *vmi,
				 const struct area_sketch *want,
				 struct vm_area_struct *prev,
				 struct vm_area_struct *next)
{
	struct vm_area_struct *host;
	struct area_sketch below, above;
	struct area_verdict v;

	/* Most neighbours are told by their flags. */
	if (prev && prev->vm_flags != want->flags)
		prev = NULL;
	if (next && next->vm_flags != want->flags)
		next = NULL;
	if (!prev && !next)
		return NULL;
	if (prev)
		area_sketch(&below, prev);
	if (next)
		area_sketch(&above, next);
	area_decide(&v, prev ? &below : NULL, NULL, next ? &above : NULL, want);
	if (v.host == AREA_SELF)
		return NULL;
	host = v.host == AREA_PREV ? prev : next;
	return area_merge(vmi, &v, want, host, NULL, next) ? NULL : host;
}

/**
 * area_insert - add an area to an address space
 * @vmi: an iterator that stands in the hole, if possible
 * @vma: the area, with its bounds, flags and file set
 * @gfp: GFP_KERNEL, or GFP_KERNEL | __GFP_NOFAIL if it must not fail
 *
 * Return: 0, or -ENOMEM.
 */
int area_insert(struct vma_iterator *vmi, struct vm_area_struct *vma, gfp_t gfp)
{
	vma_start_write(vma);
	if (area_write(vmi, vma, vma->vm_start, vma->vm_end, gfp))
		return -ENOMEM;
	if (vma->vm_file) {
		struct address_space *mapping = vma->vm_file->f_mapping;

		i_mmap_lock_write(mapping);
		area_link_file(vma, mapping);
		i_mmap_unlock_write(mapping);
	}
	vma->vm_mm->map_count++;
	area_check(vma->vm_mm);
	return 0;
}

/* A second area like @vma, with bounds of its own, in no tree but anon_vma's. */
static struct vm_area_struct *area_clone(struct vm_area_struct *vma,
					 unsigned long start,
					 unsigned long end, pgoff_t pgoff)
{
	struct vm_area_struct *new = area_dup(vma);

	if (!new)
		return NULL;
	vma_set_range(new, start, end, pgoff);
	if (anon_vma_clone(new, vma)) {
		area_release(new);
		return NULL;
	}
	if (new->vm_file)
		get_file(new->vm_file);
	if (new->vm_ops && new->vm_ops->open)
		new->vm_ops->open(new);
	vma_start_write(new);
	return new;
}

/**
 * area_piece - make an area for a part of another
 * @vma: the other
 * @start: where the part starts
 * @end: where it ends
 *
 * Its driver has been told (open hook); the tree and the file have not.
 *
 * Return: the new area, or NULL if there is no memory.
 */
struct vm_area_struct *area_piece(struct vm_area_struct *vma,
				  unsigned long start, unsigned long end)
{
	return area_clone(vma, start, end, vma->vm_pgoff +
			  PHYS_PFN(start - vma->vm_start));
}

/**
 * area_piece_undo - free what area_piece() made
 * @piece: the piece, not yet put into any tree; may be NULL
 */
void area_piece_undo(struct vm_area_struct *piece)
{
	if (!piece)
		return;
	unlink_anon_vmas(piece);
	area_free(piece);
}

/**
 * area_write_above - enter an area where the tree's entry ends with it already
 * @vma: the area
 *
 * For the upper part of an area of which a write to the tree has just cut out
 * the middle: the slot is there, so this replaces a pointer and cannot fail.
 */
void area_write_above(struct vm_area_struct *vma)
{
	VMA_ITERATOR(vmi, vma->vm_mm, vma->vm_start);
	int err;

	err = area_write(&vmi, vma, vma->vm_start, vma->vm_end, GFP_KERNEL);
	VM_WARN_ON_ONCE(err);
}

/**
 * area_cut - make an area smaller after the tree has been told
 * @vma: the area
 * @start: its new start
 * @end: its new end; of its old bounds one stays
 * @piece: area for a part of what it loses, or NULL
 * @other: area for another part, or NULL
 */
void area_cut(struct vm_area_struct *vma, unsigned long start,
	      unsigned long end, struct vm_area_struct *piece,
	      struct vm_area_struct *other)
{
	const struct area_plan p = {
		.move	= { area_part(vma, start, end) },
		.add	= { piece, other },
	};

	area_rebound(&p);
}

/**
 * area_resize - make an area larger or smaller at one end
 * @vmi: an iterator on the mm
 * @vma: the area
 * @start: its new start
 * @end: its new end
 * @pgoff: its new offset
 *
 * The range it grows over is free; what it leaves is no longer mapped.
 *
 * Return: 0, or -ENOMEM.
 */
int area_resize(struct vma_iterator *vmi, struct vm_area_struct *vma,
		unsigned long start, unsigned long end, pgoff_t pgoff)
{
	struct area_plan p = {
		.entry	= vma,
		.start	= start,
		.end	= end,
		.move	= {{ vma, start, end, pgoff }},
	};

	if (start > vma->vm_start) {
		p.entry = NULL;
		p.start = vma->vm_start;
		p.end = start;
	} else if (end < vma->vm_end) {
		p.entry = NULL;
		p.start = end;
		p.end = vma->vm_end;
	}
	return area_commit(vmi, &p);
}

/* Cut the wanted range out of @mid as an area of its own. */
static struct vm_area_struct *area_split(struct vma_iterator *vmi,
					 const struct area_verdict *v,
					 struct vm_area_struct *mid)
{
	const struct vm_operations_struct *ops = mid->vm_ops;
	struct area_plan p = { .start = v->start, .end = v->end };
	int err = 0;

	if (mid->vm_mm->map_count + v->head + v->tail > sysctl_max_map_count)
		return ERR_PTR(-ENOMEM);
	if (ops && ops->may_split) {
		if (v->head)
			err = ops->may_split(mid, v->start);
		if (!err && v->tail)
			err = ops->may_split(mid, v->end);
		if (err)
			return ERR_PTR(err);
	}

	p.entry = area_piece(mid, v->start, v->end);
	if (!p.entry)
		return ERR_PTR(-ENOMEM);
	p.add[0] = p.entry;
	if (v->head)
		p.move[0] = area_part(mid, mid->vm_start, v->start);
	else
		p.move[0] = area_part(mid, v->end, mid->vm_end);
	if (v->head && v->tail) {
		p.add[1] = area_piece(mid, v->end, mid->vm_end);
		if (!p.add[1])
			goto nomem;
	}
	if (!area_commit(vmi, &p))
		return p.entry;
nomem:
	area_piece_undo(p.add[1]);
	area_piece_undo(p.add[0]);
	return ERR_PTR(-ENOMEM);
}

/**
 * area_reflag - make a range an area that may be given flags of its own
 * @vmi: an iterator that stands in @vma
 * @prev: the area before @start, as the callers have it: @vma itself if the
 *        range does not begin with @vma, else the one below it or NULL
 * @vma: the area that holds the range
 * @start: where the range starts
 * @end: where it ends
 * @flags: the VM_* bits that the range is to have
 * @name: the name that it is to have
 *
 * Splits off what is outside the range, or lets a neighbour that already has
 * those attributes take the range in. It is for the caller to set them in the
 * area returned, which is write-locked if it is not @vma. The iterator covers
 * that area.
 *
 * Return: the area that holds the range, or ERR_PTR(-ENOMEM) (memory, or too
 * many areas), or the error of the driver's may_split(). Nothing has changed
 * then.
 */
struct vm_area_struct *area_reflag(struct vma_iterator *vmi,
				   struct vm_area_struct *prev,
				   struct vm_area_struct *vma,
				   unsigned long start, unsigned long end,
				   vm_flags_t flags,
				   struct anon_vma_name *name)
{
	struct area_sketch below, mid, above, want;
	struct vm_area_struct *next = NULL, *host;
	struct area_verdict v;

	mmap_assert_write_locked(vma->vm_mm);
	if (vmi->mas.status != ma_active)
		mas_walk(&vmi->mas);

	area_sketch(&mid, vma);
	want = mid;
	want.start = start;
	want.end = end;
	want.pgoff += PHYS_PFN(start - mid.start);
	want.flags = flags;
	want.name = name;

	if (prev && prev->vm_end != start)
		prev = NULL;
	if (prev)
		area_sketch(&below, prev);
	if (end == mid.end && !(flags & VM_SPECIAL)) {
		struct ma_state side = vmi->mas;

		next = mas_next_range(&side, ULONG_MAX);
		if (next)
			area_sketch(&above, next);
	}

	area_decide(&v, prev ? &below : NULL, &mid, next ? &above : NULL,
		    &want);
	if (v.host == AREA_SELF) {
		if (v.head || v.tail)
			return area_split(vmi, &v, vma);
		return vma;
	}
	host = v.host == AREA_PREV ? prev : next;
	if (area_merge(vmi, &v, &want, host, vma, next))
		return ERR_PTR(-ENOMEM);
	return host;
}

/* Contract: mseal() changes flags through this; see area_reflag(). */
struct vm_area_struct *vma_modify_flags(struct vma_iterator *vmi,
					struct vm_area_struct *prev,
					struct vm_area_struct *vma,
					unsigned long start, unsigned long end,
					unsigned long new_flags)
{
	return area_reflag(vmi, prev, vma, start, end, new_flags,
			   anon_vma_name(vma));
}

/**
 * area_grow - let an area take in the hole above it
 * @vmi: an iterator that stands in @vma
 * @vma: the area
 * @delta: by how many bytes (page-aligned); the range is free
 *
 * May merge with the area above. Accounting is the caller's.
 *
 * Return: the area that now holds @vma's range and the new one; NULL if there
 * is no memory, and nothing has changed.
 */
struct vm_area_struct *area_grow(struct vma_iterator *vmi,
				 struct vm_area_struct *vma,
				 unsigned long delta)
{
	struct vm_area_struct *next = NULL;
	struct area_sketch want;
	struct ma_state side;

	area_sketch(&want, vma);
	want.start = vma->vm_end;
	want.end = vma->vm_end + delta;
	want.pgoff += vma_pages(vma);

	if (vmi->mas.status != ma_active)
		mas_walk(&vmi->mas);
	side = vmi->mas;
	if (!mas_next_range(&side, ULONG_MAX) && side.last == want.end - 1)
		next = mas_next_range(&side, ULONG_MAX);
	return area_join(vmi, &want, vma, next);
}

/**
 * area_copy - make the area that mremap() moves another to
 * @vmap: the other; replaced if it becomes part of the result
 * @addr: where the new one starts
 * @len: its length in bytes; the range is free
 * @pgoff: its offset
 * @need_rmap_locks: set if moving entries must keep reverse mapping out, as
 *                   it could otherwise pass a page by
 * @keep_source: the other stays in place, so they cannot become one
 *
 * Return: the area that holds the new range, or NULL if there is no memory,
 * and nothing has changed.
 */
struct vm_area_struct *area_copy(struct vm_area_struct **vmap,
				 unsigned long addr, unsigned long len,
				 pgoff_t pgoff, bool *need_rmap_locks,
				 bool keep_source)
{
	VMA_ITERATOR(vmi, (*vmap)->vm_mm, addr);
	struct vm_area_struct *vma = *vmap, *prev, *next, *new;
	unsigned long old_start = vma->vm_start;
	struct area_sketch want;

	if (!area_gap(&vmi, addr, addr + len, &prev, &next))
		return NULL;

	/* Without pages yet, an offset by the new address merges best. */
	if (vma_is_anonymous(vma) && !vma->anon_vma) {
		pgoff = addr >> PAGE_SHIFT;
		if (keep_source && prev == vma)
			prev = NULL;
		if (keep_source && next == vma)
			next = NULL;
	}

	area_sketch(&want, vma);
	want.start = addr;
	want.end = addr + len;
	want.pgoff = pgoff;
	new = area_join(&vmi, &want, prev, next);
	if (new) {
		if (old_start >= new->vm_start && old_start < new->vm_end)
			*vmap = new;
		*need_rmap_locks = new->vm_pgoff <= (*vmap)->vm_pgoff;
		return new;
	}

	*need_rmap_locks = false;
	new = area_clone(vma, addr, addr + len, pgoff);
	if (new && area_insert(&vmi, new, GFP_KERNEL)) {
		area_piece_undo(new);
		new = NULL;
	}
	return new;
}

#if defined(CONFIG_PAGODA_DEBUG) || defined(CONFIG_DEBUG_VM_MAPLE_TREE)
/**
 * area_check - see that tree, areas and counts agree
 * @mm: the address space
 */
void area_check(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int nr = 0;

#ifdef CONFIG_DEBUG_MAPLE_TREE
	mt_validate(&mm->mm_mt);
#endif
	for_each_vma(vmi, vma) {
		bool ok = vma->vm_start == vma_iter_addr(&vmi) &&
			  vma->vm_end == vma_iter_end(&vmi) &&
			  vma->vm_start < vma->vm_end && vma->vm_mm == mm;

		/* A fault may link it: munmap() comes here with a read lock. */
		spin_lock(&mm->page_table_lock);
		ok = ok && (!vma->anon_vma) == list_empty(&vma->anon_vma_chain);
		spin_unlock(&mm->page_table_lock);
		WARN(!ok, "area %lx-%lx in the tree as %lx-%lx\n",
		     vma->vm_start, vma->vm_end, vma_iter_addr(&vmi),
		     vma_iter_end(&vmi));
		nr++;
	}
	WARN(nr != mm->map_count, "%d areas counted as %d\n", nr,
	     mm->map_count);
}
#endif
