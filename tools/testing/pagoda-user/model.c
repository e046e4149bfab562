// SPDX-License-Identifier: GPL-2.0
/*
 * The model of the fuzzer, and how it is compared with what there is.
 *
 * Comparing changes nothing: entries are read as the processor would, without
 * faults. What a process has written must be there; what it has not may be.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include "fuzz.h"

struct fuzz_proc fuzz_procs[FUZZ_PROCS];
struct fuzz_pin fuzz_pins[FUZZ_PINS];
u32 fuzz_file[FUZZ_FILE];
bool fuzz_verbose;

/* Pages of a table at which there are positions. */
static const u16 fuzz_spots[FUZZ_SPOTS] = {
	0, 1, 2, 3, 200, 201, 509, 510, 511,
};

#define SPAN	(512UL << PAGE_SHIFT)

/*
 * Two places in one table of the third level, one each across a border of
 * the third and of the fourth level, and one that begins within a table.
 */
static const unsigned long fuzz_places[FUZZ_PLACES] = {
	SZ_1G + 3 * SPAN,
	SZ_1G + 400 * SPAN,
	4 * (unsigned long)SZ_1G - 2 * SPAN,
	512 * (unsigned long)SZ_1G - 2 * SPAN,
	8 * (unsigned long)SZ_1G + 5 * SPAN + 7 * PAGE_SIZE,
};

/* The page of a position in its place; also for the end of the place. */
static unsigned long fuzz_offset(unsigned int spot)
{
	return spot / FUZZ_SPOTS * 512 +
	       (spot < FUZZ_PLACE ? fuzz_spots[spot % FUZZ_SPOTS] : 0);
}

unsigned long fuzz_index(unsigned int pos)
{
	return fuzz_offset(pos % FUZZ_PLACE);
}

unsigned long fuzz_addr(unsigned int pos)
{
	return fuzz_places[pos / FUZZ_PLACE] + (fuzz_index(pos) << PAGE_SHIFT);
}

/* Where what belongs to a position ends. */
unsigned long fuzz_end(unsigned int pos)
{
	return fuzz_places[pos / FUZZ_PLACE] +
	       (fuzz_offset(pos % FUZZ_PLACE + 1) << PAGE_SHIFT);
}

/* What a process reads. */
u32 fuzz_value(const struct fuzz_pos *p)
{
	if (p->kind == FUZZ_ANON || (p->kind == FUZZ_PRIVATE && p->own))
		return p->value;
	return p->kind == FUZZ_NONE ? 0 : fuzz_file[p->index];
}

static void fuzz_wrong(struct fuzz_proc *p, unsigned int pos, const char *what,
		       unsigned long is, unsigned long wanted)
{
	host_die("process %ld, position %u at %#lx: %s: is %lu, must be %lu",
		 p - fuzz_procs, pos, fuzz_addr(pos), what, is, wanted);
}

/* Compare one page of a process. */
void fuzz_check_pos(struct fuzz_proc *p, unsigned int pos)
{
	const struct fuzz_pos *m = &p->pos[pos];
	struct user_look look;
	unsigned long word;

	if (!user_look(p->mm, fuzz_addr(pos), &look)) {
		if (m->kind == FUZZ_ANON && m->value && m->prot)
			fuzz_wrong(p, pos, "page is gone", 0, m->value);
		if (m->kind == FUZZ_PRIVATE && m->own && m->prot)
			fuzz_wrong(p, pos, "copy is gone", 0, m->value);
		return;
	}
	if (!m->prot)
		fuzz_wrong(p, pos, "is mapped", 1, 0);
	if (look.write && !(m->prot & PROT_WRITE))
		fuzz_wrong(p, pos, "may be written", 1, 0);
	if (look.exec && !(m->prot & PROT_EXEC))
		fuzz_wrong(p, pos, "is code", 1, 0);
	word = *(unsigned long *)__va((phys_addr_t)look.pfn << PAGE_SHIFT);
	if (word != fuzz_value(m))
		fuzz_wrong(p, pos, "content", word, fuzz_value(m));
}

void fuzz_check_proc(struct fuzz_proc *p)
{
	unsigned int pos;

	for (pos = 0; pos < FUZZ_POS; pos++)
		fuzz_check_pos(p, pos);
}

/* The area that a position is in. */
struct vm_area_struct *fuzz_area(struct fuzz_proc *p, unsigned int pos)
{
	return mtree_load(&p->mm->mm_mt, fuzz_addr(pos));
}

static unsigned int fuzz_area_prot(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_READ ? PROT_READ : 0) |
	       (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
	       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
}

/* Compare the areas of a process. */
void fuzz_check_areas(struct fuzz_proc *p)
{
	unsigned int pos;

	for (pos = 0; pos < FUZZ_POS; pos++) {
		const struct fuzz_pos *m = &p->pos[pos];
		struct vm_area_struct *vma;

		vma = fuzz_area(p, pos);
		if (vma ? m->kind == FUZZ_NONE : m->kind != FUZZ_NONE)
			fuzz_wrong(p, pos, "has an area", !!vma, !vma);
		if (!vma)
			continue;
		if (fuzz_area_prot(vma) != m->prot)
			fuzz_wrong(p, pos, "rights", fuzz_area_prot(vma),
				   m->prot);
		if (vma->vm_file ? m->kind == FUZZ_ANON : m->kind != FUZZ_ANON)
			fuzz_wrong(p, pos, "has a file", !!vma->vm_file,
				   m->kind != FUZZ_ANON);
		if (vma->vm_file &&
		    linear_page_index(vma, fuzz_addr(pos)) != m->index)
			fuzz_wrong(p, pos, "page of the file",
				   linear_page_index(vma, fuzz_addr(pos)),
				   m->index);
		if (!!(vma->vm_flags & VM_LOCKED) != m->locked)
			fuzz_wrong(p, pos, "locked", !m->locked, m->locked);
	}
}

/* Some areas of a range may have changed, and some not: see which. */
void fuzz_see_areas(struct fuzz_proc *p, unsigned int i, unsigned int j)
{
	for (; i < j; i++) {
		struct fuzz_pos *m = &p->pos[i];
		struct vm_area_struct *vma;

		vma = fuzz_area(p, i);
		if (!vma) {
			*m = (struct fuzz_pos) { };
			continue;
		}
		m->prot = fuzz_area_prot(vma);
		m->dontfork = vma->vm_flags & VM_DONTCOPY;
		m->wipe = vma->vm_flags & VM_WIPEONFORK;
		m->locked = vma->vm_flags & VM_LOCKED;
	}
}

static u32 fuzz_pin_word(const struct fuzz_pin *pin)
{
	return *(unsigned long *)page_address(pin->page);
}

/* A process has something else at some positions, from now on. */
void fuzz_forget_pins(struct fuzz_proc *p, unsigned int i, unsigned int j)
{
	struct fuzz_pin *pin;

	for (pin = fuzz_pins; pin < fuzz_pins + FUZZ_PINS; pin++)
		if (pin->page && pin->proc == p && pin->pos >= i &&
		    pin->pos < j) {
			/* From now on nobody may write to it. */
			pin->frozen |= pin->same && PageAnon(pin->page);
			pin->value = fuzz_pin_word(pin);
			pin->same = false;
			pin->proc = NULL;
		}
}

/* What was held has another place in its process. */
void fuzz_move_pins(struct fuzz_proc *p, unsigned int i, unsigned int j,
		    unsigned int to)
{
	struct fuzz_pin *pin;

	for (pin = fuzz_pins; pin < fuzz_pins + FUZZ_PINS; pin++)
		if (pin->page && pin->proc == p && pin->pos >= i &&
		    pin->pos < j)
			pin->pos += to - i;
}

void fuzz_check_pins(void)
{
	struct fuzz_pin *pin;

	for (pin = fuzz_pins; pin < fuzz_pins + FUZZ_PINS; pin++) {
		if (!pin->page)
			continue;
		if (pin->same && fuzz_pin_word(pin) !=
		    fuzz_value(&pin->proc->pos[pin->pos]))
			fuzz_wrong(pin->proc, pin->pos, "pinned page",
				   fuzz_pin_word(pin),
				   fuzz_value(&pin->proc->pos[pin->pos]));
		if (pin->frozen && fuzz_pin_word(pin) != pin->value)
			host_die("a page that is held was written to: %u, was %u",
				 fuzz_pin_word(pin), pin->value);
	}
}
