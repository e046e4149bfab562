// SPDX-License-Identifier: GPL-2.0
/*
 * anon_vma: from an anonymous page to the areas that may map it.
 *
 * An anonymous folio points (folio->mapping) at an anon_vma, and that holds a
 * tree of links to areas. fork gives the child's area a link to every
 * anon_vma of the parent's area, for the pages they share, and an anon_vma of
 * its own, for the pages that it will copy. So anon_vmas form a tree, too;
 * its root lends its rwsem to all of it. An area's links, same_vma, run from
 * its youngest anon_vma to the root.
 *
 * What this file guarantees:
 * - an area with anonymous pages has vma->anon_vma, and every area that may
 *   map a page is linked to the page's anon_vma or one below it;
 * - a child that forks a child, and so on without end, does not grow the tree
 *   without end: an anon_vma that no area uses for new pages any more and that
 *   has at most one child is used again (links_copy());
 * - an operation that returns an error has linked nothing: links and
 *   anon_vmas are allocated before the lock is taken.
 *
 * Who keeps what alive: a link belongs to its area. An anon_vma has one
 * reference for all its links together, dropped when its tree becomes empty,
 * and one for each get_anon_vma(); below the root, it holds one on the root.
 * Memory of an anon_vma stays an anon_vma for an RCU grace period after it is
 * freed (SLAB_TYPESAFE_BY_RCU), so whoever finds one through a folio without a
 * lock can try its rwsem or its count, and must then look again whether the
 * folio is still mapped: a mapped folio's anon_vma is not freed.
 *
 * Locks: trees, num_children and num_active_vmas change under the root's rwsem
 * held for writing. same_vma and vma->anon_vma change under mmap_lock held for
 * writing or, in __anon_vma_prepare(), for reading together with the mm's
 * page_table_lock.
 */
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include "../internal.h"

static struct kmem_cache *anon_cache;
static struct kmem_cache *link_cache;

/*
 * The slab's constructor: a freed object can still be locked and looked at by
 * somebody who found it too late, so these are never initialised anew.
 */
static void anon_construct(void *object)
{
	struct anon_vma *anon = object;

	anon->rb_root = RB_ROOT_CACHED;
	atomic_set(&anon->refcount, 0);
	init_rwsem(&anon->rwsem);
}

/**
 * anon_vma_init - make the caches that anon_vmas and their links come from
 */
void __init anon_vma_init(void)
{
	link_cache = KMEM_CACHE(anon_vma_chain, SLAB_ACCOUNT | SLAB_PANIC);
	anon_cache = kmem_cache_create("anon_vma", sizeof(struct anon_vma), 0,
				       SLAB_TYPESAFE_BY_RCU | SLAB_ACCOUNT |
				       SLAB_PANIC, anon_construct);
}

/* A root of its own, with one reference and no children. */
static struct anon_vma *anon_new(void)
{
	struct anon_vma *anon = kmem_cache_alloc(anon_cache, GFP_KERNEL);

	if (!anon)
		return NULL;
	anon->parent = anon;
	anon->root = anon;
	anon->num_active_vmas = 0;
	anon->num_children = 0;
	atomic_set(&anon->refcount, 1);
	return anon;
}

/*
 * Give an anon_vma back that lost its last reference. A reader that found it
 * through a folio may have got the root's rwsem before it saw that the folio
 * is not mapped: wait for it. Its trylock comes before its look at the folio,
 * and the drop of the count (a full barrier) before our look at the rwsem.
 */
static void anon_release(struct anon_vma *anon)
{
	struct rw_semaphore *lock = &anon->root->rwsem;

	VM_WARN_ON_ONCE(atomic_read(&anon->refcount));
	might_sleep();
	if (rwsem_is_locked(lock)) {
		down_write(lock);
		up_write(lock);
	}
	kmem_cache_free(anon_cache, anon);
}

/**
 * __put_anon_vma - free an anon_vma whose count has come down to zero
 * @anon_vma: the anon_vma; nobody can find it any more
 *
 * Sleeps; the root's rwsem must not be held.
 */
void __put_anon_vma(struct anon_vma *anon_vma)
{
	struct anon_vma *root = anon_vma->root;
	bool below = root != anon_vma;

	anon_release(anon_vma);
	if (below && atomic_dec_and_test(&root->refcount))
		anon_release(root);
}

/* Free links that are in no tree. */
static void links_free(struct list_head *links)
{
	struct anon_vma_chain *link, *next;

	list_for_each_entry_safe(link, next, links, same_vma)
		kmem_cache_free(link_cache, link);
}

static unsigned int links_nr(struct vm_area_struct *vma)
{
	return list_count_nodes(&vma->anon_vma_chain);
}

/* Allocate links, all @nr of them or none. */
static int links_alloc(struct list_head *links, unsigned int nr)
{
	while (nr--) {
		struct anon_vma_chain *link;

		link = kmem_cache_alloc(link_cache, GFP_KERNEL);
		if (!link) {
			links_free(links);
			return -ENOMEM;
		}
		list_add(&link->same_vma, links);
	}
	return 0;
}

/* Take a link from those allocated: from now on @anon knows of @vma. */
static void link_up(struct list_head *links, struct anon_vma *anon,
		    struct vm_area_struct *vma)
{
	struct anon_vma_chain *link;

	link = list_first_entry(links, struct anon_vma_chain, same_vma);
	link->vma = vma;
	link->anon_vma = anon;
	list_move(&link->same_vma, &vma->anon_vma_chain);
	anon_vma_interval_tree_insert(link, &anon->rb_root);
}

/*
 * Lock the anon_vmas of an area that has some, which is to lock their root.
 * The oldest link, the last one, leads to the root or next to it.
 */
static struct anon_vma *links_lock(struct vm_area_struct *vma)
{
	struct anon_vma_chain *oldest;

	oldest = list_last_entry(&vma->anon_vma_chain, struct anon_vma_chain,
				 same_vma);
	anon_vma_lock_write(oldest->anon_vma);
	return oldest->anon_vma->root;
}

/*
 * Link @dst to all that @src is linked to, in the same order. In fork, @dst
 * has no anon_vma yet: take one for it that no area puts new pages into any
 * more and that has at most one child, so that a search that begins there
 * still does not go far. The root is not taken: it counts as its own child,
 * and a tree whose root is abandoned has another below it.
 */
static void links_copy(struct vm_area_struct *dst, struct vm_area_struct *src,
		       struct list_head *links)
{
	struct anon_vma_chain *link;

	list_for_each_entry_reverse(link, &src->anon_vma_chain, same_vma) {
		struct anon_vma *anon = link->anon_vma;

		VM_WARN_ON_ONCE(anon->root != src->anon_vma->root);
		link_up(links, anon, dst);
		if (!dst->anon_vma && !anon->num_active_vmas &&
		    anon->num_children <= 1)
			dst->anon_vma = anon;
	}
}

/**
 * __anon_vma_prepare - give an area its anon_vma before its first page
 * @vma: an area without one
 *
 * A neighbour's anon_vma will do if the areas could be merged (most often they
 * were one before mprotect), else it is a new root. Several threads may come
 * here for the same area; one wins.
 *
 * Return: 0 with vma->anon_vma set, or -ENOMEM.
 * Locks: mmap_lock held, for reading at least.
 */
int __anon_vma_prepare(struct vm_area_struct *vma)
{
	struct anon_vma *anon, *fresh = NULL;
	LIST_HEAD(links);

	mmap_assert_locked(vma->vm_mm);
	might_sleep();

	if (links_alloc(&links, 1))
		return -ENOMEM;
	anon = find_mergeable_anon_vma(vma);
	if (!anon) {
		fresh = anon_new();
		if (!fresh) {
			links_free(&links);
			return -ENOMEM;
		}
		fresh->num_children = 1;	/* a root is its own parent */
		anon = fresh;
	}

	anon_vma_lock_write(anon);
	spin_lock(&vma->vm_mm->page_table_lock);
	if (!vma->anon_vma) {
		anon->num_active_vmas++;
		link_up(&links, anon, vma);
		/* Who sees it without a lock must see what it holds, too. */
		smp_store_release(&vma->anon_vma, anon);
		fresh = NULL;
	}
	spin_unlock(&vma->vm_mm->page_table_lock);
	anon_vma_unlock_write(anon);

	links_free(&links);
	if (fresh)
		put_anon_vma(fresh);
	return 0;
}

/*
 * Link @dst to all that @src is linked to. If that leaves it without an
 * anon_vma for its own pages, @fresh becomes that, as a child of @src's.
 */
static int anon_inherit(struct vm_area_struct *dst, struct vm_area_struct *src,
			struct anon_vma *fresh)
{
	struct anon_vma *root;
	LIST_HEAD(links);

	if (links_alloc(&links, links_nr(src) + !!fresh)) {
		dst->anon_vma = NULL;
		return -ENOMEM;
	}

	root = links_lock(src);
	links_copy(dst, src, &links);
	if (fresh && !dst->anon_vma) {
		/* The lock lives in the root, which therefore must stay. */
		get_anon_vma(root);
		get_anon_vma(fresh);
		fresh->root = root;
		fresh->parent = src->anon_vma;
		fresh->parent->num_children++;
		link_up(&links, fresh, dst);
		dst->anon_vma = fresh;
	}
	if (dst->anon_vma)
		dst->anon_vma->num_active_vmas++;
	anon_vma_unlock_write(root);
	links_free(&links);
	return 0;
}

/**
 * anon_vma_clone - link an area to all anon_vmas of another one
 * @dst: an area of the same address space without links, to be a part of what
 *	 @src is or was; dst->anon_vma is src->anon_vma already
 * @src: the area whose pages @dst may come to map
 *
 * Return: 0, or -ENOMEM with dst->anon_vma NULL and nothing linked.
 * Locks: mmap_lock held for writing.
 */
int anon_vma_clone(struct vm_area_struct *dst, struct vm_area_struct *src)
{
	return src->anon_vma ? anon_inherit(dst, src, NULL) : 0;
}

/**
 * anon_vma_fork - the reverse map's part of fork for one area
 * @vma: the child's area, a copy of the parent's
 * @pvma: the parent's area
 *
 * Links the child's area to what the parent's is linked to and gives it an
 * anon_vma for its own pages: an abandoned one, or a new child of the
 * parent's.
 *
 * Return: 0, or -ENOMEM with nothing linked and vma->anon_vma NULL.
 * Locks: mmap_lock of both held for writing.
 */
int anon_vma_fork(struct vm_area_struct *vma, struct vm_area_struct *pvma)
{
	struct anon_vma *fresh;
	int err;

	if (!pvma->anon_vma)
		return 0;
	vma->anon_vma = NULL;
	fresh = anon_new();
	if (!fresh)
		return -ENOMEM;
	err = anon_inherit(vma, pvma, fresh);
	/* If it was used, the area's links have a reference of their own. */
	put_anon_vma(fresh);
	return err;
}

/**
 * unlink_anon_vmas - take an area out of the anonymous reverse map
 * @vma: the area; it is without links and vma->anon_vma afterwards, and may
 *	 be used on
 *
 * Frees the anon_vmas that no other area is linked to.
 *
 * Locks: mmap_lock held for writing, or the last user of the mm.
 */
void unlink_anon_vmas(struct vm_area_struct *vma)
{
	struct anon_vma_chain *link, *next;
	struct anon_vma *root;
	LIST_HEAD(empty);
	LIST_HEAD(gone);

	if (list_empty(&vma->anon_vma_chain)) {
		VM_WARN_ON_ONCE(vma->anon_vma);
		return;
	}

	root = links_lock(vma);
	list_for_each_entry_safe(link, next, &vma->anon_vma_chain, same_vma) {
		struct anon_vma *anon = link->anon_vma;
		bool last;

		anon_vma_interval_tree_remove(link, &anon->rb_root);
		last = RB_EMPTY_ROOT(&anon->rb_root.rb_root);
		if (last)
			anon->parent->num_children--;
		list_move_tail(&link->same_vma, last ? &empty : &gone);
	}
	if (vma->anon_vma)
		vma->anon_vma->num_active_vmas--;
	vma->anon_vma = NULL;
	anon_vma_unlock_write(root);

	/* Freeing may take the lock; from the youngest on, the root last. */
	list_for_each_entry(link, &empty, same_vma) {
		VM_WARN_ON(link->anon_vma->num_active_vmas ||
			   link->anon_vma->num_children);
		put_anon_vma(link->anon_vma);
	}
	links_free(&empty);
	links_free(&gone);
}

/*
 * The anon_vma of an anonymous folio that is mapped; without a lock on the
 * folio this may be out of date at once. Under RCU, see the opening comment.
 */
static struct anon_vma *folio_anon_peek(const struct folio *folio)
{
	unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);

	if ((mapping & PAGE_MAPPING_FLAGS) != PAGE_MAPPING_ANON ||
	    !folio_mapped(folio))
		return NULL;
	return (void *)(mapping - PAGE_MAPPING_ANON);
}

/* folio_move_anon_rmap() can move a folio that is not locked. */
static bool folio_anon_is(const struct folio *folio, struct anon_vma *anon)
{
	return (unsigned long)READ_ONCE(folio->mapping) ==
	       (unsigned long)anon + PAGE_MAPPING_ANON;
}

/**
 * folio_get_anon_vma - take a reference on a folio's anon_vma
 * @folio: any folio; if it is not locked, the caller must check again, with
 *	   the anon_vma locked, whether it is still the folio's
 *
 * Return: the anon_vma, to be given back with put_anon_vma(), or NULL if the
 * folio is not anonymous or not mapped.
 */
struct anon_vma *folio_get_anon_vma(struct folio *folio)
{
	struct anon_vma *anon;
	bool mapped;

	rcu_read_lock();
	anon = folio_anon_peek(folio);
	if (anon && !atomic_inc_not_zero(&anon->refcount))
		anon = NULL;
	mapped = folio_mapped(folio);
	rcu_read_unlock();

	/* Unmapped meanwhile: we may hold what has become somebody else's. */
	if (anon && !mapped) {
		put_anon_vma(anon);
		return NULL;
	}
	return anon;
}

/**
 * folio_lock_anon_vma_read - lock a folio's anon_vma for a walk
 * @folio: any folio, locked or not
 * @rwc: the walk, or NULL; with rwc->try_lock this does not wait, but returns
 *	 NULL with rwc->contended set
 *
 * One atomic operation if nobody is writing to the anon_vma.
 *
 * Return: the anon_vma, to be unlocked with anon_vma_unlock_read(), which
 * cannot go away before; or NULL if the folio is not anonymous or not mapped.
 */
struct anon_vma *folio_lock_anon_vma_read(struct folio *folio,
					  struct rmap_walk_control *rwc)
{
	struct anon_vma *anon, *root;

	for (;;) {
		rcu_read_lock();
		anon = folio_anon_peek(folio);
		if (!anon) {
			rcu_read_unlock();
			return NULL;
		}
		root = READ_ONCE(anon->root);
		if (down_read_trylock(&root->rwsem)) {
			bool same = folio_anon_is(folio, anon);
			bool mapped = folio_mapped(folio);

			/* If so, anon_release() waits for us. */
			if (same && mapped) {
				rcu_read_unlock();
				return anon;
			}
			up_read(&root->rwsem);
			rcu_read_unlock();
			if (same)
				return NULL;
			continue;
		}
		rcu_read_unlock();

		if (rwc && rwc->try_lock) {
			rwc->contended = true;
			return NULL;
		}

		/* To wait for the lock takes a reference. */
		anon = folio_get_anon_vma(folio);
		if (!anon)
			return NULL;
		anon_vma_lock_read(anon);
		if (folio_anon_is(folio, anon))
			break;
		anon_vma_unlock_read(anon);
		put_anon_vma(anon);
	}

	if (!atomic_dec_and_test(&anon->refcount))
		return anon;

	/* Ours was the last one. Freeing it may take the lock. */
	anon_vma_unlock_read(anon);
	__put_anon_vma(anon);
	return NULL;
}
