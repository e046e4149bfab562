// SPDX-License-Identifier: GPL-2.0
/*
 * Which areas map a range of pages: the two interval trees of the reverse map.
 *
 * A mapping's tree (mapping->i_mmap) holds the areas of a file, an anon_vma's
 * tree holds the links (struct anon_vma_chain) to areas that may map pages of
 * that anon_vma. Both are ordered by the page offsets that an area covers, so
 * an area must leave its trees before its vm_pgoff, vm_start or vm_end change
 * and come back afterwards; CONFIG_DEBUG_VM_RB notices who forgets.
 *
 * Locks: mapping->i_mmap_rwsem, or the rwsem of the anon_vma's root; for
 * writing to insert and remove, for reading to look. The trees own nothing.
 */
#include <linux/fs.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/rmap.h>

static inline unsigned long area_first(struct vm_area_struct *area)
{
	return area->vm_pgoff;
}

static inline unsigned long area_last(struct vm_area_struct *area)
{
	return area->vm_pgoff + vma_pages(area) - 1;
}

static inline unsigned long link_first(struct anon_vma_chain *link)
{
	return area_first(link->vma);
}

static inline unsigned long link_last(struct anon_vma_chain *link)
{
	return area_last(link->vma);
}

INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, area_first, area_last,
		     /* global */, vma_interval_tree)

INTERVAL_TREE_DEFINE(struct anon_vma_chain, rb, unsigned long,
		     rb_subtree_last, link_first, link_last,
		     static inline, link_tree)

/**
 * vma_interval_tree_insert_after - insert an area next to its like
 * @node: the new area, not in a tree
 * @prev: an area of the tree that covers the same pages, or more
 * @root: the tree
 *
 * For fork, which need not search: the child's area goes behind the parent's.
 * As @prev reaches as far as @node, nothing above @prev can become wrong.
 *
 * Locks: i_mmap_rwsem held for writing.
 */
void vma_interval_tree_insert_after(struct vm_area_struct *node,
				    struct vm_area_struct *prev,
				    struct rb_root_cached *root)
{
	const unsigned long last = area_last(node);
	struct rb_node *up = &prev->shared.rb;
	struct rb_node **place = &up->rb_right;

	VM_WARN_ON_ONCE(area_first(prev) != area_first(node));

	/* The next in order is the leftmost place to the right of @prev. */
	for (; *place; place = &up->rb_left) {
		struct vm_area_struct *area;

		up = *place;
		area = rb_entry(up, struct vm_area_struct, shared.rb);
		area->shared.rb_subtree_last =
			max(area->shared.rb_subtree_last, last);
	}

	node->shared.rb_subtree_last = last;
	rb_link_node(&node->shared.rb, up, place);
	rb_insert_augmented(&node->shared.rb, &root->rb_root,
			    &vma_interval_tree_augment);
}

/**
 * anon_vma_interval_tree_insert - let the reverse map find an area
 * @node: the link to the area
 * @root: the anon_vma's tree
 *
 * Locks: the rwsem of the anon_vma's root held for writing.
 */
void anon_vma_interval_tree_insert(struct anon_vma_chain *node,
				   struct rb_root_cached *root)
{
	link_tree_insert(node, root);
#ifdef CONFIG_DEBUG_VM_RB
	node->cached_vma_last = link_last(node);
	node->cached_vma_start = link_first(node);
#endif
}

/**
 * anon_vma_interval_tree_remove - let the reverse map forget an area
 * @node: the link to the area
 * @root: the anon_vma's tree, which @node is in
 *
 * Locks: the rwsem of the anon_vma's root held for writing.
 */
void anon_vma_interval_tree_remove(struct anon_vma_chain *node,
				   struct rb_root_cached *root)
{
	link_tree_remove(node, root);
}

/**
 * anon_vma_interval_tree_iter_first - the first link to an area in a range
 * @root: the anon_vma's tree
 * @start: first page offset of the range
 * @last: last page offset of the range, itself included
 *
 * Return: a link whose area covers one of these offsets, or NULL.
 * Locks: the rwsem of the anon_vma's root.
 */
struct anon_vma_chain *
anon_vma_interval_tree_iter_first(struct rb_root_cached *root,
				  unsigned long start, unsigned long last)
{
	return link_tree_iter_first(root, start, last);
}

/**
 * anon_vma_interval_tree_iter_next - the next link to an area in a range
 * @node: the link found last
 * @start: first page offset of the range
 * @last: last page offset of the range, itself included
 *
 * Return: a link whose area covers one of these offsets, or NULL.
 * Locks: the rwsem of the anon_vma's root.
 */
struct anon_vma_chain *
anon_vma_interval_tree_iter_next(struct anon_vma_chain *node,
				 unsigned long start, unsigned long last)
{
	return link_tree_iter_next(node, start, last);
}

#ifdef CONFIG_DEBUG_VM_RB
/**
 * anon_vma_interval_tree_verify - check that an area did not move in the tree
 * @node: a link in a tree
 */
void anon_vma_interval_tree_verify(struct anon_vma_chain *node)
{
	WARN_ON_ONCE(link_first(node) != node->cached_vma_start ||
		     link_last(node) != node->cached_vma_last);
}
#endif
