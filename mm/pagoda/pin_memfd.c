// SPDX-License-Identifier: GPL-2.0
/*
 * Pin the folios of a memfd, mapped or not (for udmabuf and its like).
 */
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include "pin.h"

/**
 * struct memfd_pin - folios of a memfd being pinned
 * @file: the memfd
 * @next: index of the first page not yet covered
 * @last: index of the last page wanted
 * @folios: where they are put
 * @room: how many may be put there
 * @got: how many were
 */
struct memfd_pin {
	struct file *file;
	pgoff_t next;
	pgoff_t last;
	struct folio **folios;
	unsigned int room;
	unsigned int got;
};

/* Pin what the page cache has in a row from m->next on. */
static int memfd_pin_present(struct memfd_pin *m, bool *found)
{
	struct folio_batch batch;
	pgoff_t at = m->next;
	unsigned int i;
	int err = 0;

	folio_batch_init(&batch);
	*found = filemap_get_folios_contig(m->file->f_mapping, &at, m->last,
					   &batch);
	for (i = 0; i < folio_batch_count(&batch) && m->got < m->room; i++) {
		struct folio *folio = batch.folios[i];

		/* A folio that a batch names again is pinned once. */
		if (folio_next_index(folio) <= m->next)
			continue;
		err = try_grab_folio(folio, 1, FOLL_PIN) ? -EINVAL : 0;
		if (err)
			break;
		m->folios[m->got++] = folio;
		m->next = folio_next_index(folio);
	}
	folio_batch_release(&batch);
	return err;
}

/* Put a folio into the hole at m->next. Somebody else's will do as well. */
static int memfd_pin_fill(struct memfd_pin *m)
{
	struct folio *folio = memfd_alloc_folio(m->file, m->next);

	if (!IS_ERR(folio))
		folio_put(folio);
	else if (PTR_ERR(folio) != -EEXIST)
		return PTR_ERR(folio);
	return 0;
}

/**
 * memfd_pin_folios - pin the folios that hold a range of a memfd
 * @memfd: the file (shmem)
 * @start: offset of the first byte
 * @end: offset of the last byte
 * @folios: where to put them, each once
 * @max_folios: how many fit
 * @offset: set to the offset of @start in the first folio (bytes)
 *
 * Return: the number of folios pinned, to be released by unpin_folios(); or
 * -EINVAL for a bad range or file, or the error of allocating a missing one,
 * and then none is.
 */
long memfd_pin_folios(struct file *memfd, loff_t start, loff_t end,
		      struct folio **folios, unsigned int max_folios,
		      pgoff_t *offset)
{
	struct memfd_pin m = {
		.file = memfd,
		.next = start >> PAGE_SHIFT,
		.last = end >> PAGE_SHIFT,
		.folios = folios,
		.room = max_folios,
	};
	unsigned int saved;
	bool found;
	int err = 0;

	if (!memfd || !shmem_file(memfd) || start < 0 || start > end ||
	    !max_folios || end >= i_size_read(file_inode(memfd)))
		return -EINVAL;

	saved = memalloc_pin_save();
	while (!err && m.next <= m.last && m.got < m.room) {
		err = memfd_pin_present(&m, &found);
		if (!err && !found)
			err = memfd_pin_fill(&m);
		cond_resched();
	}
	memalloc_pin_restore(saved);
	if (err) {
		unpin_folios(folios, m.got);
		return err;
	}
	*offset = offset_in_folio(folios[0], start);
	return m.got;
}
EXPORT_SYMBOL_GPL(memfd_pin_folios);
