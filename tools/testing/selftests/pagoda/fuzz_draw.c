// SPDX-License-Identifier: GPL-2.0
/*
 * Drawing operations from a seed, and printing them.
 *
 * A draw depends on the seed alone, never on what the kernel did or on the
 * model; of the processes it knows which would be alive. Each round has
 * weights of its own, with some sorts of operation left out, so that one sort
 * does not always undo what another has built up.
 */
#include "fuzz.h"

static const unsigned char usual[OP_KINDS] = {
	[OP_MAP] = 8, [OP_UNMAP] = 5, [OP_PROTECT] = 8, [OP_ADVISE] = 12, [OP_MOVE] = 8,
	[OP_LOCK] = 2, [OP_UNLOCK] = 2, [OP_WRITE] = 30, [OP_READ] = 12, [OP_CHECK] = 2,
	[OP_PIPE_OUT] = 2, [OP_PIPE_IN] = 3, [OP_REMOTE_READ] = 2, [OP_REMOTE_WRITE] = 4,
	[OP_MEM_READ] = 2, [OP_MEM_WRITE] = 4, [OP_FILE_WRITE] = 2, [OP_FILE_PUNCH] = 1,
	[OP_FILE_CUT] = 1, [OP_SPAWN] = 1, [OP_FORK] = 9, [OP_EXIT] = 7,
};

static const int advices[] = {
	MADV_DONTNEED, MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_FREE, MADV_POPULATE_READ,
	MADV_POPULATE_WRITE, MADV_POPULATE_WRITE, MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK,
	MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_RANDOM, MADV_NORMAL,
};

static const int prots[] = { RW, RW, RW, RW, PROT_READ, PROT_READ, PROT_NONE };

unsigned int rnd(struct draw *d, unsigned int below)
{
	d->rnd = d->rnd * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(d->rnd >> 33) % below;
}

void draw_start(struct draw *d, unsigned long long seed, bool storm)
{
	memset(d, 0, sizeof(*d));
	d->storm = storm;
	d->rnd = seed + 1;
	for (int k = 0; k < 4; k++) {
		d->rnd = (d->rnd ^ d->rnd >> 29) * 0x9e3779b97f4a7c15ULL;
		rnd(d, 2);
	}
	for (int k = 0; k < OP_KINDS; k++) {
		int how = rnd(d, 8);

		d->weight[k] = usual[k] * 2;
		if (how == 0)
			d->weight[k] *= 3;
		else if (how < 3 && k != OP_WRITE && k != OP_FORK && k != OP_MAP)
			d->weight[k] = 0;
	}
	/* Truncation reaches into the windows of others. */
	if (storm)
		d->weight[OP_FILE_CUT] = 0;
	d->kinds = rnd(d, 2) ? 1 << ANON : 1 << ANON | 1 << SHARED | 1 << PRIVATE;
	d->windows = 0;
	while (!d->windows)
		d->windows = rnd(d, 1 << WINDOWS) & rnd(d, 1 << WINDOWS);
	d->alive = 1;
}

static int pick(struct draw *d, unsigned int mask)
{
	int i;

	do {
		i = rnd(d, 32);
	} while (!(mask & 1U << i));
	return i;
}

/* A place in a window: anywhere, or near the border of a last-level table. */
static int place(struct draw *d, int w)
{
	int at = rnd(d, window[w].pages), from_border;

	if (rnd(d, 2))
		return at;
	from_border = (window[w].start / PG + at) % 512;
	at += rnd(d, 5) - 2 - from_border;
	return at < 0 ? 0 : at >= window[w].pages ? window[w].pages - 1 : at;
}

/* A range: mostly short, sometimes whole tables or the whole window. */
static void range(struct draw *d, struct op *op)
{
	int pages = window[op->w].pages, n;

	op->at = place(d, op->w);
	switch (rnd(d, 12)) {
	case 0:
		op->at = 0;
		op->n = pages;
		return;
	case 1:
		op->at += (512 - (window[op->w].start / PG + op->at) % 512) % 512;
		if (op->at >= pages)
			op->at = 0;
		n = 512 * (1 + rnd(d, 3));
		break;
	case 2:
		n = 1 + rnd(d, 700);
		break;
	case 3:
	case 4:
		n = 1 + rnd(d, 64);
		break;
	default:
		n = 1 + rnd(d, 8);
		break;
	}
	op->n = op->at + n > pages ? pages - op->at : n;
}

/* In a storm each window has its part of the file. */
static void file_range(struct draw *d, struct op *op)
{
	int room = d->storm ? FILE_PAGES / WINDOWS : FILE_PAGES;

	if (op->n > room)
		op->n = room;
	op->file = rnd(d, room - op->n + 1) + (d->storm ? op->w * room : 0);
}

static void draw_map(struct draw *d, struct op *op)
{
	op->how = pick(d, d->kinds);
	op->prot = prots[rnd(d, ARRAY_SIZE(prots))];
	if (!rnd(d, 8))
		op->flags |= MAP_POPULATE;
	if (!rnd(d, 16))
		op->flags |= MAP_NORESERVE;
	if (!rnd(d, 8))
		op->flags |= MAP_FIXED_NOREPLACE;
	if (op->how != ANON)
		file_range(d, op);
}

static void draw_move(struct draw *d, struct op *op)
{
	op->how = rnd(d, MOVES);
	op->w2 = pick(d, d->windows);
	op->at2 = place(d, op->w2);
	/* By whole tables, now and then. */
	if (!rnd(d, 3))
		op->at2 = (op->at2 & ~511) + (op->at & 511);
	if (op->at2 >= window[op->w2].pages)
		op->at2 = 0;
}

static void draw_tree(struct draw *d, struct op *op)
{
	unsigned int all = (1U << SLOTS) - 1;

	if (op->kind == OP_FORK) {
		if (d->alive == all) {
			op->kind = OP_CHECK;
			return;
		}
		op->target = pick(d, all & ~d->alive);
		d->alive |= 1U << op->target;
	} else if (!(d->alive & (d->alive - 1))) {
		op->kind = OP_CHECK;
	} else {
		op->how = rnd(d, EXITS);
		d->alive &= ~(1U << op->slot);
	}
}

void draw_op(struct draw *d, struct op *op)
{
	unsigned int sum = 0, r;

	memset(op, 0, sizeof(*op));
	for (int k = 0; k < OP_KINDS; k++)
		sum += d->weight[k];
	r = rnd(d, sum);
	while (r >= d->weight[op->kind])
		r -= d->weight[op->kind++];
	op->id = d->id++;
	op->slot = d->storm ? 0 : pick(d, d->alive);
	op->target = d->storm ? 0 : pick(d, d->alive);
	op->thread = rnd(d, 3) ? 0 : rnd(d, THREADS);
	op->w = pick(d, d->windows);
	op->step = rnd(d, 3) ? 1 : 1 + rnd(d, 40);
	range(d, op);
	switch (op->kind) {
	case OP_MAP:
		draw_map(d, op);
		break;
	case OP_PROTECT:
		op->prot = prots[rnd(d, ARRAY_SIZE(prots))];
		break;
	case OP_ADVISE:
		op->how = advices[rnd(d, ARRAY_SIZE(advices))];
		break;
	case OP_MOVE:
		draw_move(d, op);
		break;
	case OP_FILE_WRITE:
	case OP_FILE_PUNCH:
	case OP_FILE_CUT:
		file_range(d, op);
		break;
	case OP_SPAWN:
		op->how = rnd(d, SPAWNS);
		break;
	case OP_FORK:
	case OP_EXIT:
		draw_tree(d, op);
		break;
	}
}

/* A lockstep round: windows full of pages at first, then anything. */
int draw_sequence(unsigned long seed, struct op *op)
{
	struct draw d;
	int n = 0, ops;

	draw_start(&d, seed, false);
	ops = 40 + rnd(&d, MAX_OPS - 40);
	for (int w = 0; w < WINDOWS; w++) {
		if (!(d.windows & 1 << w))
			continue;
		for (int k = 0; k < 2; k++) {
			op[n] = (struct op){ .id = d.id++, .w = w, .n = window[w].pages,
				.kind = k ? OP_WRITE : OP_MAP, .how = ANON, .prot = RW,
				.step = rnd(&d, 4) ? 1 : 1 + rnd(&d, 600) };
			n++;
		}
	}
	while (n < ops)
		draw_op(&d, &op[n++]);
	return n;
}

static const char *advice_name(int advice)
{
	switch (advice) {
	case MADV_DONTNEED:	  return "DONTNEED";
	case MADV_FREE:		  return "FREE";
	case MADV_POPULATE_READ:  return "POPULATE_READ";
	case MADV_POPULATE_WRITE: return "POPULATE_WRITE";
	case MADV_DONTFORK:	  return "DONTFORK";
	case MADV_DOFORK:	  return "DOFORK";
	case MADV_WIPEONFORK:	  return "WIPEONFORK";
	case MADV_KEEPONFORK:	  return "KEEPONFORK";
	case MADV_COLD:		  return "COLD";
	case MADV_PAGEOUT:	  return "PAGEOUT";
	case MADV_RANDOM:	  return "RANDOM";
	default:		  return "NORMAL";
	}
}

static const char *prot_name(int prot)
{
	return prot == RW ? "rw" : prot == PROT_READ ? "r" : "none";
}

static const char * const kind_name[] = { "gone", "anonymous", "shared file", "private file" };
static const char * const move_name[] = { "", " growing", " shrinking", " DONTUNMAP", " in place" };
static const char * const exit_name[] = { "exit", "check all, exit", "be killed", "exec" };
static const char * const spawn_name[] = { "vfork", "posix_spawn", "fork and exec" };

static const char * const op_name[OP_KINDS] = {
	"mmap", "munmap", "mprotect", "madvise", "mremap", "mlock", "munlock", "write", "read",
	"check all", "write(2) from", "read(2) to", "process_vm_readv", "process_vm_writev",
	"read by /proc/PID/mem", "write by /proc/PID/mem", "pwrite", "punch a hole into the file",
	"truncate and extend the file", "", "fork", "",
};

/* One line, as in "#17 P2.1: mprotect w3[0..512) r". */
void print_op(const struct op *op)
{
	printf("#   #%u P%d.%d: %s", op->id, op->slot, op->thread, op_name[op->kind]);
	switch (op->kind) {
	case OP_CHECK:
		printf("\n");
		return;
	case OP_FORK:
		printf(" gives P%d\n", op->target);
		return;
	case OP_EXIT:
		printf("%s\n", exit_name[op->how]);
		return;
	case OP_SPAWN:
		printf("%s\n", spawn_name[op->how]);
		return;
	case OP_FILE_WRITE:
	case OP_FILE_PUNCH:
		printf(" file pages [%d..%d)\n", op->file, op->file + op->n);
		return;
	case OP_FILE_CUT:
		printf(" from page %d\n", op->file);
		return;
	}
	printf(" w%d[%d..%d)", op->w, op->at, op->at + op->n);
	if (op->kind == OP_MAP)
		printf(" %s %s%s%s%s", prot_name(op->prot), kind_name[op->how],
		       op->flags & MAP_POPULATE ? " POPULATE" : "",
		       op->flags & MAP_NORESERVE ? " NORESERVE" : "",
		       op->flags & MAP_FIXED_NOREPLACE ? " NOREPLACE" : "");
	if (op->kind == OP_MAP && op->how != ANON)
		printf(" from %d", op->file);
	if (op->kind == OP_PROTECT)
		printf(" %s", prot_name(op->prot));
	if (op->kind == OP_ADVISE)
		printf(" %s", advice_name(op->how));
	if (op->kind == OP_MOVE)
		printf(" to w%d[%d]%s", op->w2, op->at2, move_name[op->how]);
	if ((op->kind == OP_WRITE || op->kind == OP_READ) && op->step > 1)
		printf(", every %d pages", op->step);
	if (op->kind >= OP_REMOTE_READ && op->kind <= OP_MEM_WRITE)
		printf(" of P%d", op->target);
	printf("\n");
}
