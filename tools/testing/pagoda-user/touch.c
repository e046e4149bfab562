// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses of the fuzzed processes: by the program, by the kernel for it, by who
 * has pinned a page; and what another CPU does in the middle of an operation.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>
#include "fuzz.h"

static u32 fuzz_last_value;

/* A word is read, written or fetched, by the program or for it. */
static long touch(const struct fuzz_op *op, enum user_access how,
		  unsigned long *word)
{
	unsigned long addr = fuzz_addr(op->i), left;

	if (op->arg & 1 || how == USER_FETCH)
		return user_touch(op->p->mm, addr, how, word);
	if (how == USER_WRITE)
		left = __copy_to_user((void __user *)addr, word, sizeof(*word));
	else
		left = __copy_from_user(word, (void __user *)addr,
					sizeof(*word));
	/* The kernel is not told why. */
	return left ? (user_fail_done() ? -ENOMEM : -EFAULT) : 0;
}

static bool fuzz_allows(const struct fuzz_pos *m, enum user_access how)
{
	if (m->kind == FUZZ_NONE)
		return false;
	return how == USER_READ ? m->prot :
	       m->prot & (how == USER_WRITE ? PROT_WRITE : PROT_EXEC);
}

/* The owner of a page has written to it, or a copy. */
static void fuzz_wrote(struct fuzz_proc *p, unsigned int pos, u32 value)
{
	struct fuzz_pos *m = &p->pos[pos];
	struct fuzz_pin *pin;

	if (m->kind == FUZZ_SHARED) {
		fuzz_file[m->index] = value;
		return;
	}
	m->own = true;
	m->value = value;
	for (pin = fuzz_pins; pin < fuzz_pins + FUZZ_PINS; pin++) {
		unsigned long *word;

		if (!pin->page || pin->proc != p || pin->pos != pos ||
		    !pin->frozen)
			continue;
		/* Who only has a reference may have been left with a copy. */
		word = page_address(pin->page);
		if (*word == value)
			pin->value = value;
	}
}

/* For want of memory: nothing has changed at the position, and not again. */
static void touch_failed(const struct fuzz_op *op)
{
	fuzz_failed++;
	user_fail_at(0);
	fuzz_check_pos(op->p, op->i);
	fuzz_fired = true;
}

void fuzz_touch(const struct fuzz_op *op, enum user_access how)
{
	struct fuzz_pos *m = &op->p->pos[op->i];
	unsigned long nth = fuzz_first(op), word;
	long ret, wanted = fuzz_allows(m, how) ? 0 : -EFAULT;

	fuzz_say(op, how == USER_WRITE ? "write" :
		     how == USER_READ ? "read" : "fetch");
	fuzz_last_value++;
	for (;;) {
		word = fuzz_last_value;
		if (op->failing)
			user_fail_at(nth++);
		ret = touch(op, how, &word);
		fuzz_count++;
		if (ret != -ENOMEM)
			break;
		if (!user_fail_done())
			host_die("there is memory, and an access fails");
		touch_failed(op);
		if (fuzz_only)
			return;
	}
	user_fail_at(0);
	if (ret != wanted)
		host_die("access %d to %#lx: %ld, must be %ld", how,
			 fuzz_addr(op->i), ret, wanted);
	if (ret)
		return;
	if (how == USER_WRITE)
		fuzz_wrote(op->p, op->i, word);
	else if (word != fuzz_value(m))
		host_die("process %ld reads %lu at %#lx, must be %u",
			 op->p - fuzz_procs, word, fuzz_addr(op->i),
			 fuzz_value(m));
}

void fuzz_fill(const struct fuzz_op *op)
{
	struct fuzz_op one = *op;

	one.failing = false;
	for (; one.i < op->j; one.i++) {
		one.j = one.i + 1;
		if (fuzz_allows(&op->p->pos[one.i], USER_WRITE))
			fuzz_touch(&one, USER_WRITE);
	}
}

static void fuzz_unpin(struct fuzz_pin *pin)
{
	if (pin->pinned)
		unpin_user_page(pin->page);
	else
		put_page(pin->page);
	pin->page = NULL;
}

void fuzz_pin(const struct fuzz_op *op)
{
	struct fuzz_pin *pin = &fuzz_pins[op->arg / 8 % FUZZ_PINS];
	struct fuzz_pos *m = &op->p->pos[op->i];
	bool write = op->arg & 1, pinned = op->arg & 2;
	enum user_access how = write ? USER_WRITE : USER_READ;
	unsigned int gup = write ? FOLL_WRITE : 0;
	unsigned long nth = fuzz_first(op);
	struct page *page;
	int ret;

	if (pin->page) {
		fuzz_unpin(pin);
		return;
	}
	fuzz_say(op, pinned ? "pin" : "get");
	for (;;) {
		if (op->failing)
			user_fail_at(nth++);
		if (pinned)
			ret = pin_user_pages_fast(fuzz_addr(op->i), 1, gup,
						  &page);
		else
			ret = get_user_pages_fast(fuzz_addr(op->i), 1, gup,
						  &page);
		fuzz_count++;
		if (!user_fail_done() || ret == 1)
			break;
		touch_failed(op);
		if (fuzz_only)
			return;
	}
	user_fail_at(0);
	if (fuzz_allows(m, how) ? ret != 1 : ret == 1)
		host_die("pin of %#lx: %d", fuzz_addr(op->i), ret);
	if (ret != 1)
		return;
	if (write && m->kind == FUZZ_PRIVATE && !m->own) {
		m->value = fuzz_value(m);
		m->own = true;
	}
	*pin = (struct fuzz_pin) {
		.page = page, .proc = op->p, .pos = op->i, .pinned = pinned,
		.write = write,
		/* What is pinned is followed, the zero page and files not. */
		.same = pinned && (PageAnon(page) || m->kind == FUZZ_SHARED),
		.frozen = !pinned && PageAnon(page),
		.value = *(unsigned long *)page_address(page),
	};
	if (pin->value != fuzz_value(m))
		host_die("page pinned at %#lx says %u, must be %u",
			 fuzz_addr(op->i), pin->value, fuzz_value(m));
}

/* A device writes to what was pinned for it. */
void fuzz_device(const struct fuzz_op *op)
{
	struct fuzz_pin *pin = &fuzz_pins[op->arg % FUZZ_PINS], *other;
	unsigned long *word;

	if (!pin->page || !pin->pinned || !pin->write)
		return;
	fuzz_say(op, "device writes");
	fuzz_count++;
	word = page_address(pin->page);
	*word = ++fuzz_last_value;
	for (other = fuzz_pins; other < fuzz_pins + FUZZ_PINS; other++)
		if (other->page == pin->page)
			other->value = fuzz_last_value;
	/* A page of the file says it to all that map it, if it is still one. */
	if (!PageAnon(pin->page) && pin->page->mapping)
		fuzz_file[pin->page->index] = fuzz_last_value;
	else if (PageAnon(pin->page) && pin->same)
		fuzz_wrote(pin->proc, pin->pos, fuzz_last_value);
}

void fuzz_unpin_all(void)
{
	int i;

	for (i = 0; i < FUZZ_PINS; i++)
		if (fuzz_pins[i].page)
			fuzz_unpin(&fuzz_pins[i]);
}

/*
 * The other CPU. It runs when an operation has come by @fuzz_when places at which
 * it could: another process of the tree, or another thread, touches a page of
 * anonymous memory that the operation is not about, or a process exits.
 */
static const struct fuzz_op *fuzz_during;
static unsigned int fuzz_when;

/* Is it a place that nothing is being done to? */
static bool fuzz_apart(const struct fuzz_proc *p, unsigned int pos)
{
	const struct fuzz_op *op = fuzz_during;
	unsigned int to = fuzz_goal(op);

	return p != op->p || ((pos < op->i || pos >= op->j) &&
			      (pos < to || pos >= to + op->j - op->i));
}

static void fuzz_elsewhere(void)
{
	unsigned int draw = fuzz_during->other;
	struct fuzz_op op = { .i = draw / 8 % FUZZ_POS, .arg = 1 };
	struct vm_area_struct *vma;
	struct fuzz_proc *p;
	struct user_failing failing;

	if (fuzz_when-- || !fuzz_alive())
		return;
	p = fuzz_living(draw);
	op.p = p;
	user_elsewhere = NULL;
	if (atomic_long_read(&p->mm->mmap_lock.count))
		return;
	op.j = op.i + 1;
	failing = user_fail_pause();
	if (draw & 0x8000 && p != fuzz_during->p && fuzz_alive() > 1) {
		fuzz_say(&op, "meanwhile: exit");
		fuzz_exit(p);
		fuzz_count++;
	} else if (p->pos[op.i].kind == FUZZ_ANON && fuzz_apart(p, op.i)) {
		vma = fuzz_area(p, op.i);
		if (vma->anon_vma) {
			fuzz_say(&op, "meanwhile:");
			fuzz_touch(&op, draw & 0x4000 ? USER_READ : USER_WRITE);
		}
	}
	user_fail_resume(failing);
}

/* From now on, in one operation. */
void fuzz_meanwhile(const struct fuzz_op *op)
{
	fuzz_during = op;
	fuzz_when = op->when;
	user_elsewhere = op->interrupted ? fuzz_elsewhere : NULL;
}
