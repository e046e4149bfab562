// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that change areas: each is made, its result compared with what the
 * model says, and the model changed.
 *
 * Where a failing call may leave different states behind on stock Linux and
 * on Pagoda (Documentation/mm/pagoda/behaviour.rst), it is followed by one
 * that makes them the same, or left out.
 */
#include "fuzz.h"

static int index_of(struct ctx *c, struct page *p)
{
	return p - c->m->page;
}

static void expect(struct ctx *c, struct page *p, long got, int want)
{
	int e = got == -1 ? errno : 0;

	if (e != want)
		fail(c, index_of(c, p), "the call gave %ld (%s), not %s", got,
		     e ? strerror(e) : "success", want ? strerror(want) : "success");
}

/* Populating for write gives a private page its own copy. */
static void copied(struct ctx *c, struct page *p)
{
	if (p->kind == GONE || p->kind == SHARED || p->own)
		return;
	p->stamp = contents(c, p);
	p->own = true;
}

static void do_map(struct ctx *c, const struct op *op)
{
	struct page *p = page_of(c, op->w, op->at);
	int flags = op->flags | MAP_FIXED, want = 0;
	int fd = op->how == ANON ? -1 : c->fd;
	long got;

	if (op->flags & MAP_FIXED_NOREPLACE) {
		flags &= ~MAP_FIXED;
		for (int i = 0; i < op->n; i++) {
			if (p[i].kind != GONE)
				want = EEXIST;
		}
	}
	flags |= op->how == SHARED ? MAP_SHARED : MAP_PRIVATE;
	if (op->how == ANON)
		flags |= MAP_ANONYMOUS;
	got = (long)mmap(address(op->w, op->at), op->n * PG, op->prot, flags, fd, op->file * PG);
	expect(c, p, got, want);
	for (int i = 0; i < op->n && !want; i++) {
		p[i] = (struct page){ .kind = op->how, .prot = op->prot,
				      .file_page = op->file + i };
		if (op->flags & MAP_POPULATE && op->prot & PROT_WRITE)
			copied(c, &p[i]);
	}
}

static void do_unmap(struct ctx *c, const struct op *op)
{
	struct page *p = page_of(c, op->w, op->at);

	expect(c, p, munmap(address(op->w, op->at), op->n * PG), 0);
	memset(p, 0, op->n * sizeof(*p));
}

static int before_gap(struct page *p, int n)
{
	int gap = 0;

	while (gap < n && p[gap].kind != GONE)
		gap++;
	return gap;
}

static void do_protect(struct ctx *c, const struct op *op)
{
	struct page *p = page_of(c, op->w, op->at);
	int gap = before_gap(p, op->n);

	expect(c, p, mprotect(address(op->w, op->at), op->n * PG, op->prot),
	       gap == op->n ? 0 : ENOMEM);
	/* Before a hole stock has done it and Pagoda has not: make it so. */
	if (gap && gap < op->n)
		expect(c, p, mprotect(address(op->w, op->at), gap * PG, op->prot), 0);
	for (int i = 0; i < gap; i++) {
		if (p[i].locked && op->prot & ~p[i].prot & PROT_WRITE)
			copied(c, &p[i]);
		p[i].prot = op->prot;
	}
}

/* What an advice does to a page, or the (negative) error that ends the call. */
static int advised(struct ctx *c, struct page *p, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		if (p->locked)
			return -EINVAL;
		p->own = false;
		p->loose = false;
		p->stamp = 0;
		return 0;
	case MADV_FREE:
		if (p->locked || p->kind != ANON)
			return -EINVAL;
		p->loose = p->own;
		return 0;
	case MADV_POPULATE_READ:
		return p->prot & PROT_READ ? 0 : -EINVAL;
	case MADV_POPULATE_WRITE:
		if (!(p->prot & PROT_WRITE))
			return -EINVAL;
		copied(c, p);
		return 0;
	case MADV_DONTFORK:
	case MADV_DOFORK:
		p->dontfork = advice == MADV_DONTFORK;
		return 0;
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
		if (advice == MADV_WIPEONFORK && p->kind != ANON)
			return -EINVAL;
		p->wipe = advice == MADV_WIPEONFORK;
		return 0;
	case MADV_COLD:
	case MADV_PAGEOUT:
		return p->locked ? -EINVAL : 0;
	}
	return 0;
}

/* Populating ends at a hole, the others pass over it and report it. */
static void do_advise(struct ctx *c, const struct op *op)
{
	struct page *p = page_of(c, op->w, op->at);
	bool populate = op->how == MADV_POPULATE_READ || op->how == MADV_POPULATE_WRITE;
	int want = 0, refused = 0;
	long got;

	got = madvise(address(op->w, op->at), op->n * PG, op->how);
	for (int i = 0; i < op->n; i++) {
		int e = p[i].kind == GONE ? ENOMEM : 0;

		if (!e) {
			if (break_model && op->how == MADV_DONTNEED && p[i].own)
				break;
			e = -advised(c, &p[i], op->how);
			if (e) {
				want = e;
				refused = i;
				break;
			}
			continue;
		}
		want = e;
		if (populate)
			break;
	}
	expect(c, p, got, want);
	/* Before an area that refuses stock has done it and Pagoda has not. */
	if (refused && op->how == MADV_WIPEONFORK)
		madvise(address(op->w, op->at), refused * PG, op->how);
}

static bool alike(const struct page *a, const struct page *b, int distance)
{
	return a->kind == b->kind && a->prot == b->prot && a->locked == b->locked &&
	       a->dontfork == b->dontfork && a->wipe == b->wipe &&
	       (a->kind == ANON || b->file_page == a->file_page + distance);
}

/* Give up the end of an area, by mremap to a smaller size. */
static void cut(struct ctx *c, const struct op *op, struct page *p, int n)
{
	char *at = address(op->w, op->at);
	int left = (n + 1) / 2;

	if (n < 2)
		return;
	if (mremap(at, n * PG, left * PG, 0) != at) {
		/* Areas that look alike may be apart still. */
		if (errno != EFAULT)
			fail(c, index_of(c, p), "mremap in place: %s", strerror(errno));
		munmap(at + left * PG, (n - left) * PG);
	}
	memset(p + left, 0, (n - left) * sizeof(*p));
}

/* Move a run of pages that are one area to another place. */
static void do_move(struct ctx *c, const struct op *op)
{
	struct page *p = page_of(c, op->w, op->at), *to = page_of(c, op->w2, op->at2);
	int n = op->n, size, keep = op->how == MOVE_KEEP ? MREMAP_DONTUNMAP : 0;
	struct page first = p[0], *moved;
	char *got;

	for (int i = 1; i < n; i++) {
		if (!alike(&p[0], &p[i], i))
			n = i;
	}
	if (n > window[op->w2].pages - op->at2)
		n = window[op->w2].pages - op->at2;
	if (first.kind == GONE)
		return;
	if (op->how == MOVE_CUT) {
		cut(c, op, p, n);
		return;
	}
	size = op->how == MOVE_GROW ? n + 5 : op->how == MOVE_SHRINK ? (n + 1) / 2 : n;
	if (size > window[op->w2].pages - op->at2 || (first.kind != ANON && size > n))
		size = n;
	if (p < to + size && to < p + n)
		return;
	got = mremap(address(op->w, op->at), n * PG, size * PG,
		     MREMAP_MAYMOVE | MREMAP_FIXED | keep, address(op->w2, op->at2));
	if (got != address(op->w2, op->at2)) {
		if (errno != EFAULT || n == 1)
			fail(c, index_of(c, p), "mremap of %d pages to %d at w%d[%d]: %s", n, size,
			     op->w2, op->at2, strerror(errno));
		/* The target may be unmapped by now, and the end of the source. */
		munmap(address(op->w2, op->at2), size * PG);
		memset(to, 0, size * sizeof(*p));
		if (size < n) {
			munmap(address(op->w, op->at + size), (n - size) * PG);
			memset(p + size, 0, (n - size) * sizeof(*p));
		}
		return;
	}
	moved = malloc(n * sizeof(*p));
	memcpy(moved, p, n * sizeof(*p));
	memset(p, 0, n * sizeof(*p));
	for (int i = 0; i < size; i++) {
		to[i] = first;
		to[i].own = false;
		to[i].loose = false;
		to[i].stamp = 0;
		if (keep) {
			p[i] = to[i];
			p[i].file_page = moved[i].file_page;
			p[i].locked = false;
		}
		if (i < n)
			to[i] = moved[i];
		else if (first.locked && first.prot & PROT_WRITE)
			copied(c, &to[i]);
	}
	free(moved);
}

/* Over memory that can be read only: see the difference about holes. */
static void do_lock(struct ctx *c, const struct op *op)
{
	struct page *p = page_of(c, op->w, op->at);
	bool lock = op->kind == OP_LOCK;
	char *at = address(op->w, op->at);

	for (int i = 0; i < op->n; i++) {
		if (p[i].kind == GONE || (lock && !(p[i].prot & PROT_READ)))
			return;
	}
	expect(c, p, lock ? mlock(at, op->n * PG) : munlock(at, op->n * PG), 0);
	for (int i = 0; i < op->n; i++) {
		p[i].locked = lock;
		if (lock && p[i].prot & PROT_WRITE)
			copied(c, &p[i]);
	}
}

void do_call(struct ctx *c, const struct op *op)
{
	c->op = op;
	switch (op->kind) {
	case OP_MAP:
		do_map(c, op);
		break;
	case OP_UNMAP:
		do_unmap(c, op);
		break;
	case OP_PROTECT:
		do_protect(c, op);
		break;
	case OP_ADVISE:
		do_advise(c, op);
		break;
	case OP_MOVE:
		do_move(c, op);
		break;
	case OP_LOCK:
	case OP_UNLOCK:
		do_lock(c, op);
		break;
	case OP_SPAWN:
		do_spawn(c, op);
		break;
	default:
		do_access(c, op);
		break;
	}
}
