// SPDX-License-Identifier: GPL-2.0
/*
 * What the fuzzed processes do, and what that makes of the model.
 *
 * Each call comes in a pair: do it, and tell the model that it succeeded. In
 * between, allocations may fail: then the call must say so, and have changed
 * nothing but what Documentation/mm/pagoda/behaviour.rst lists.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/syscalls.h>
#include <asm/syscall.h>
#include <asm/unistd.h>
#include "fuzz.h"

unsigned long fuzz_count, fuzz_failed;
unsigned long fuzz_only;
bool fuzz_fired;

static struct file *fuzz_object;

static long fuzz_sys(unsigned int nr, unsigned long a, unsigned long b,
		     unsigned long c, unsigned long d, unsigned long e)
{
	struct pt_regs regs = { .di = a, .si = b, .dx = c, .r10 = d, .r8 = e };

	return x64_sys_call(&regs, nr);
}

static unsigned long fuzz_len(const struct fuzz_op *op)
{
	return fuzz_end(op->j - 1) - fuzz_addr(op->i);
}

static bool fuzz_any(const struct fuzz_op *op, bool (*is)(struct fuzz_pos *m))
{
	unsigned int pos;

	for (pos = op->i; pos < op->j; pos++)
		if (is(&op->p->pos[pos]))
			return true;
	return false;
}

static bool fuzz_is_hole(struct fuzz_pos *m)
{
	return m->kind == FUZZ_NONE;
}

static bool fuzz_is_locked(struct fuzz_pos *m)
{
	return m->locked;
}

static bool fuzz_is_file(struct fuzz_pos *m)
{
	return m->kind != FUZZ_ANON;
}

static bool fuzz_is_closed(struct fuzz_pos *m)
{
	return !m->prot;
}

/* A call, and what success means; NULL: skipped. */
struct fuzz_call {
	const char *name;
	/* Does it make sense now? */
	bool (*may)(const struct fuzz_op *op);
	long (*call)(const struct fuzz_op *op);
	void (*done)(const struct fuzz_op *op);
	/* What a failure for want of memory may have changed; NULL: nothing. */
	void (*half)(const struct fuzz_op *op);
};

static const u8 fuzz_prots[8] = {
	PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
	PROT_READ | PROT_WRITE | PROT_EXEC, PROT_NONE, PROT_READ | PROT_EXEC,
	PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
};

static unsigned int fuzz_prot(const struct fuzz_op *op)
{
	return fuzz_prots[op->arg & 7];
}

static long map_anon(const struct fuzz_op *op)
{
	return vm_mmap(NULL, fuzz_addr(op->i), fuzz_len(op), fuzz_prot(op),
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
}

static void map_done(const struct fuzz_op *op, enum fuzz_kind kind)
{
	unsigned int pos;

	fuzz_forget_pins(op->p, op->i, op->j);
	for (pos = op->i; pos < op->j; pos++)
		op->p->pos[pos] = (struct fuzz_pos) {
			.kind = kind,
			.prot = kind == FUZZ_NONE ? 0 : fuzz_prot(op),
			.index = fuzz_index(pos),
		};
}

static void map_anon_done(const struct fuzz_op *op)
{
	map_done(op, FUZZ_ANON);
}

static long map_file(const struct fuzz_op *op)
{
	if (!fuzz_object)
		fuzz_object = user_file(FUZZ_FILE, false);
	return vm_mmap(fuzz_object, fuzz_addr(op->i), fuzz_len(op),
		       fuzz_prot(op),
		       (op->arg & 8 ? MAP_PRIVATE : MAP_SHARED) | MAP_FIXED,
		       fuzz_index(op->i) << PAGE_SHIFT);
}

static void map_file_done(const struct fuzz_op *op)
{
	map_done(op, op->arg & 8 ? FUZZ_PRIVATE : FUZZ_SHARED);
}

static long unmap(const struct fuzz_op *op)
{
	return fuzz_sys(__NR_munmap, fuzz_addr(op->i), fuzz_len(op), 0, 0, 0);
}

static void unmap_done(const struct fuzz_op *op)
{
	map_done(op, FUZZ_NONE);
}

static bool all_mapped(const struct fuzz_op *op)
{
	return !fuzz_any(op, fuzz_is_hole);
}

static long protect(const struct fuzz_op *op)
{
	return fuzz_sys(__NR_mprotect, fuzz_addr(op->i), fuzz_len(op),
			fuzz_prot(op), 0, 0);
}

static void protect_done(const struct fuzz_op *op)
{
	unsigned int pos;

	for (pos = op->i; pos < op->j; pos++)
		op->p->pos[pos].prot = fuzz_prot(op);
}

static void see_areas(const struct fuzz_op *op)
{
	fuzz_see_areas(op->p, op->i, op->j);
}

/* Where a move goes: the same in some place, or anywhere. */
unsigned int fuzz_goal(const struct fuzz_op *op)
{
	if (op->arg & 0x8000)
		return (op->arg & 0x7fff) % FUZZ_PLACES * FUZZ_PLACE +
		       op->i % FUZZ_PLACE;
	return op->arg % FUZZ_POS;
}

/* That, if it is of the same shape, or 0. */
static unsigned int move_to(const struct fuzz_op *op)
{
	unsigned int to = fuzz_goal(op), n = op->j - op->i, t;
	long ahead = fuzz_addr(to) - fuzz_addr(op->i);

	if (to / FUZZ_PLACE != (to + n - 1) / FUZZ_PLACE ||
	    (to < op->j && op->i < to + n))
		return 0;
	for (t = 0; t < n; t++)
		if (fuzz_addr(to + t) - fuzz_addr(op->i + t) != ahead)
			return 0;
	return fuzz_end(to + n - 1) - fuzz_end(op->j - 1) == ahead ? to : 0;
}

static bool move_may(const struct fuzz_op *op)
{
	return op->p->pos[op->i].kind != FUZZ_NONE && move_to(op);
}

static long move(const struct fuzz_op *op)
{
	struct vm_area_struct *vma = fuzz_area(op->p, op->i);
	long ret;

	ret = fuzz_sys(__NR_mremap, fuzz_addr(op->i), fuzz_len(op),
		       fuzz_len(op), MREMAP_MAYMOVE | MREMAP_FIXED,
		       fuzz_addr(move_to(op)));
	/* Of several areas nothing can be moved. */
	if (ret == -EFAULT && vma->vm_end < fuzz_end(op->j - 1))
		return -EAGAIN;
	return ret;
}

static void move_half(const struct fuzz_op *op)
{
	unsigned int to = move_to(op), n = op->j - op->i;

	/* The new place may have been cleared. */
	fuzz_see_areas(op->p, to, to + n);
	for (; n--; to++)
		if (op->p->pos[to].kind == FUZZ_NONE)
			fuzz_forget_pins(op->p, to, to + 1);
}

static void move_done(const struct fuzz_op *op)
{
	unsigned int to = move_to(op), n = op->j - op->i, t;
	bool stays = fuzz_area(op->p, op->i);
	struct fuzz_pos *from = &op->p->pos[op->i];

	if (stays && !user_fail_done())
		host_die("mremap() left the old place mapped");
	fuzz_forget_pins(op->p, to, to + n);
	fuzz_move_pins(op->p, op->i, op->j, to);
	memcpy(&op->p->pos[to], from, n * sizeof(*from));
	for (t = 0; t < n; t++) {
		if (!stays)
			from[t] = (struct fuzz_pos) { };
		from[t].own = false;
		from[t].value = 0;
		from[t].locked = stays && fuzz_area(op->p, op->i)->vm_flags & VM_LOCKED;
	}
}

static bool forget_may(const struct fuzz_op *op)
{
	return all_mapped(op) && !fuzz_any(op, fuzz_is_locked);
}

static long forget(const struct fuzz_op *op)
{
	return fuzz_sys(__NR_madvise, fuzz_addr(op->i), fuzz_len(op),
			MADV_DONTNEED, 0, 0);
}

static void forget_done(const struct fuzz_op *op)
{
	unsigned int pos;

	fuzz_forget_pins(op->p, op->i, op->j);
	for (pos = op->i; pos < op->j; pos++) {
		op->p->pos[pos].value = 0;
		op->p->pos[pos].own = false;
	}
}

/* Some areas are empty, and others are not. */
static void forget_half(const struct fuzz_op *op)
{
	unsigned int pos;

	fuzz_forget_pins(op->p, op->i, op->j);
	for (pos = op->i; pos < op->j; pos++) {
		struct fuzz_pos *m = &op->p->pos[pos];
		struct user_look look;

		if (!m->prot || user_look(op->p->mm, fuzz_addr(pos), &look))
			continue;
		m->value = 0;
		m->own = false;
	}
}

static const int inherit_advice[4] = {
	MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK,
};

static bool inherit_may(const struct fuzz_op *op)
{
	return all_mapped(op) &&
	       ((op->arg & 3) < 2 || !fuzz_any(op, fuzz_is_file));
}

static long inherit(const struct fuzz_op *op)
{
	return fuzz_sys(__NR_madvise, fuzz_addr(op->i), fuzz_len(op),
			inherit_advice[op->arg & 3], 0, 0);
}

static void inherit_done(const struct fuzz_op *op)
{
	unsigned int pos;

	for (pos = op->i; pos < op->j; pos++) {
		if ((op->arg & 3) < 2)
			op->p->pos[pos].dontfork = !(op->arg & 1);
		else
			op->p->pos[pos].wipe = !(op->arg & 1);
	}
}

/* To lock a page is to have it: not many. */
static bool lock_may(const struct fuzz_op *op)
{
	return all_mapped(op) && !fuzz_any(op, fuzz_is_closed) &&
	       fuzz_len(op) <= 16 * PAGE_SIZE;
}

static long lock(const struct fuzz_op *op)
{
	return fuzz_sys(op->arg & 1 ? __NR_munlock : __NR_mlock,
			fuzz_addr(op->i), fuzz_len(op), 0, 0, 0);
}

static void lock_done(const struct fuzz_op *op)
{
	see_areas(op);
	/* Private pages of a file become copies. */
	for (unsigned int pos = op->i; pos < op->j; pos++) {
		struct fuzz_pos *m = &op->p->pos[pos];

		if (m->locked != !(op->arg & 1))
			host_die("mlock() or munlock() had no effect");
		if (m->kind == FUZZ_PRIVATE && m->locked && !m->own &&
		    m->prot & PROT_WRITE) {
			m->value = fuzz_value(m);
			m->own = true;
		}
	}
}

static void lock_half(const struct fuzz_op *op)
{
	unsigned int pos;

	see_areas(op);
	for (pos = op->i; pos < op->j; pos++) {
		struct fuzz_pos *m = &op->p->pos[pos];
		struct user_look look;

		if (m->kind != FUZZ_PRIVATE || m->own || !m->locked ||
		    !user_look(op->p->mm, fuzz_addr(pos), &look) ||
		    !PageAnon(pfn_to_page(look.pfn)))
			continue;
		m->value = fuzz_value(m);
		m->own = true;
	}
}

static struct fuzz_proc *fork_slot(void)
{
	int i;

	for (i = 0; i < FUZZ_PROCS; i++)
		if (!fuzz_procs[i].mm)
			return &fuzz_procs[i];
	return NULL;
}

static bool fork_may(const struct fuzz_op *op)
{
	return fork_slot();
}

static long fork_call(const struct fuzz_op *op)
{
	struct mm_struct *mm = user_mm_fork(op->p->mm);

	if (!mm)
		return -ENOMEM;
	fork_slot()->mm = mm;
	return 0;
}

static void fork_done(const struct fuzz_op *op)
{
	struct fuzz_proc *child = fuzz_procs;
	unsigned int pos;

	/* The one that has a new address space: its model is all empty. */
	while (!child->mm || child->pos[0].index != U16_MAX)
		child++;
	memcpy(child->pos, op->p->pos, sizeof(child->pos));
	for (pos = 0; pos < FUZZ_POS; pos++) {
		struct fuzz_pos *m = &child->pos[pos];

		m->locked = false;
		if (m->dontfork)
			*m = (struct fuzz_pos) { };
		if (m->wipe)
			m->value = 0;
	}
}

static bool exit_may(const struct fuzz_op *op)
{
	return fuzz_alive() > 1;
}

void fuzz_exit(struct fuzz_proc *p)
{
	struct mm_struct *mm = p->mm;

	fuzz_forget_pins(p, 0, FUZZ_POS);
	user_tlb_check(mm);
	p->mm = NULL;
	mmput(mm);
	memset(p->pos, 0, sizeof(p->pos));
	/* Empty: see fork_done(). */
	p->pos[0].index = U16_MAX;
}

static long exit_call(const struct fuzz_op *op)
{
	fuzz_exit(op->p);
	return 0;
}

static void nothing_done(const struct fuzz_op *op)
{
}

static long hole_call(const struct fuzz_op *op)
{
	return vfs_fallocate(fuzz_object,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     fuzz_index(op->i) << PAGE_SHIFT, PAGE_SIZE);
}

static bool hole_may(const struct fuzz_op *op)
{
	return fuzz_object;
}

static void hole_done(const struct fuzz_op *op)
{
	struct fuzz_pin *pin;
	unsigned int i;

	for (pin = fuzz_pins; pin < fuzz_pins + FUZZ_PINS; pin++)
		if (pin->page && pin->proc && pin->same &&
		    !PageAnon(pin->page) &&
		    pin->proc->pos[pin->pos].index == fuzz_index(op->i))
			pin->same = false;
	i = fuzz_index(op->i);
	fuzz_file[i] = 0;
}

static const struct fuzz_call fuzz_calls[] = {
	{ "map anonymous memory", NULL, map_anon, map_anon_done },
	{ "map the file", NULL, map_file, map_file_done },
	{ "unmap", NULL, unmap, unmap_done },
	{ "protect", all_mapped, protect, protect_done, see_areas },
	{ "move", move_may, move, move_done, move_half },
	{ "DONTNEED", forget_may, forget, forget_done, forget_half },
	{ "advise about fork", inherit_may, inherit, inherit_done, see_areas },
	{ "lock", lock_may, lock, lock_done, lock_half },
	{ "fork", fork_may, fork_call, fork_done },
	{ "exit", exit_may, exit_call, nothing_done },
	{ "make a hole in the file", hole_may, hole_call, hole_done },
};

/* Did it end for want of memory? */
static bool fuzz_starved(long ret)
{
	return ret == -ENOMEM || ret == -EAGAIN;
}

void fuzz_say(const struct fuzz_op *op, const char *what)
{
	if (fuzz_verbose)
		host_print("# P%ld: %s [%u %u) %#lx-%#lx arg %u%s\n",
			   op->p - fuzz_procs, what, op->i, op->j,
			   fuzz_addr(op->i), fuzz_end(op->j - 1), op->arg,
			   op->failing ? ", failing" : "");
}

/* A call that failed has changed nothing: look at its range, and elsewhere. */
static void fuzz_check_failed(const struct fuzz_op *op)
{
	unsigned int pos;

	for (pos = op->i; pos < op->j; pos++)
		fuzz_check_pos(op->p, pos);
	for (pos = op->arg % 16; pos < FUZZ_POS; pos += 16)
		fuzz_check_pos(op->p, pos);
}

/*
 * The first allocation that fails. An operation can do without some of them, and
 * then is over; so it is not always the first of all.
 */
unsigned long fuzz_first(const struct fuzz_op *op)
{
	return fuzz_only ?: 1 + op->when;
}

static void fuzz_play_call(const struct fuzz_op *op, const struct fuzz_call *c)
{
	unsigned long nth = fuzz_first(op), step = 1;
	long ret;

	if (c->may && !c->may(op))
		return;
	fuzz_say(op, c->name);
	/* fork() has many allocations: not each of them every time. */
	if (c->call == fork_call)
		step += op->arg / 16 % 32;
	for (;; nth += step) {
		if (op->failing)
			user_fail_at(nth);
		ret = c->call(op);
		fuzz_count++;
		if (!IS_ERR_VALUE(ret)) {
			fuzz_fired = user_fail_done();
			c->done(op);
			break;
		}
		if (!fuzz_starved(ret) || (ret == -ENOMEM && !user_fail_done()))
			host_die("%s: error %ld", c->name, ret);
		if (c->half)
			c->half(op);
		if (!user_fail_done())
			break;
		fuzz_failed++;
		user_fail_at(0);
		user_grace();
		fuzz_check_failed(op);
		fuzz_fired = true;
		if (fuzz_only)
			break;
	}
	user_fail_at(0);
}

/* Do operation @nr, if it is a call. */
bool fuzz_call(unsigned int nr, const struct fuzz_op *op)
{
	if (nr >= ARRAY_SIZE(fuzz_calls))
		return false;
	fuzz_play_call(op, &fuzz_calls[nr]);
	return true;
}

const char *fuzz_call_name(unsigned int nr)
{
	return nr < ARRAY_SIZE(fuzz_calls) ? fuzz_calls[nr].name : NULL;
}

/* All processes exit, all pages are given back. */
void fuzz_end_all(void)
{
	int i;

	for (i = 0; i < FUZZ_PROCS; i++)
		if (fuzz_procs[i].mm)
			fuzz_exit(&fuzz_procs[i]);
	fuzz_check_pins();
	fuzz_unpin_all();
	if (fuzz_object)
		fput(fuzz_object);
	fuzz_object = NULL;
	memset(fuzz_file, 0, sizeof(fuzz_file));
}
