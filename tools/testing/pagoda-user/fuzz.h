/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer: processes that map, fork, write, move and exit as a string of
 * bytes says, beside a model of what each of them must then see.
 *
 * Addresses are positions: pages at the ends, and in the middle, of last-level
 * tables, at places that lie across the borders of tables of each level. A range
 * goes from one position to another, so that whole tables are in it, while only
 * the pages at positions are ever used.
 */
#ifndef _PAGODA_USER_FUZZ_H
#define _PAGODA_USER_FUZZ_H

#include <linux/mm.h>
#include "user.h"

#define FUZZ_PROCS	6
#define FUZZ_TABLES	4			/* last-level tables in a place */
#define FUZZ_SPOTS	9			/* positions in a table */
#define FUZZ_PLACE	(FUZZ_TABLES * FUZZ_SPOTS)
#define FUZZ_PLACES	5
#define FUZZ_POS	(FUZZ_PLACES * FUZZ_PLACE)
#define FUZZ_FILE	(FUZZ_TABLES * 512UL)	/* pages of the file */
#define FUZZ_PINS	6

enum fuzz_kind { FUZZ_NONE, FUZZ_ANON, FUZZ_SHARED, FUZZ_PRIVATE };

/* A position of a process, and all up to the next one. */
struct fuzz_pos {
	u8 kind;
	u8 prot;		/* PROT_* */
	bool dontfork;
	bool wipe;
	bool locked;
	bool own;		/* FUZZ_PRIVATE: has a copy, @value */
	u16 index;		/* in the file */
	u32 value;		/* FUZZ_ANON: what the page says */
};

struct fuzz_proc {
	struct mm_struct *mm;
	struct fuzz_pos pos[FUZZ_POS];
};

/**
 * struct fuzz_pin - a page that somebody else than its processes holds
 * @page: the page; NULL for an unused one
 * @proc: whose it is; NULL if that has something else there now
 * @pos: where
 * @pinned: with pin_user_pages(), else with get_user_pages()
 * @write: for writing
 * @same: it must still be what @proc has at @pos
 * @frozen: it must still say @value
 */
struct fuzz_pin {
	struct page *page;
	struct fuzz_proc *proc;
	unsigned int pos;
	bool pinned, write, same, frozen;
	u32 value;
};

/* model.c */
extern struct fuzz_proc fuzz_procs[FUZZ_PROCS];
extern struct fuzz_pin fuzz_pins[FUZZ_PINS];
extern u32 fuzz_file[FUZZ_FILE];
extern bool fuzz_verbose;

unsigned long fuzz_addr(unsigned int pos);
unsigned long fuzz_end(unsigned int pos);
unsigned long fuzz_index(unsigned int pos);
u32 fuzz_value(const struct fuzz_pos *p);
void fuzz_forget_pins(struct fuzz_proc *p, unsigned int i, unsigned int j);
void fuzz_move_pins(struct fuzz_proc *p, unsigned int i, unsigned int j,
		    unsigned int to);
void fuzz_check_pos(struct fuzz_proc *p, unsigned int pos);
void fuzz_check_proc(struct fuzz_proc *p);
void fuzz_check_areas(struct fuzz_proc *p);
struct vm_area_struct *fuzz_area(struct fuzz_proc *p, unsigned int pos);
void fuzz_check_pins(void);
void fuzz_see_areas(struct fuzz_proc *p, unsigned int i, unsigned int j);

/* calls.c */

/* What one record of the input asks for. */
struct fuzz_op {
	u8 code;
	bool failing;		/* each allocation fails in turn */
	bool interrupted;	/* another CPU does something meanwhile */
	u8 when;
	u16 other;		/* what that is */
	struct fuzz_proc *p;
	unsigned int i, j;	/* positions, of one place; @j is behind */
	unsigned int arg;
};

#define FUZZ_CALLS	11

extern unsigned long fuzz_count;	/* operations */
extern unsigned long fuzz_failed;	/* of which ended for want of memory */
extern unsigned long fuzz_only;		/* the only one that fails, if not 0 */
extern bool fuzz_fired;			/* and it has */
unsigned long fuzz_first(const struct fuzz_op *op);
bool fuzz_call(unsigned int nr, const struct fuzz_op *op);
unsigned int fuzz_goal(const struct fuzz_op *op);
const char *fuzz_call_name(unsigned int nr);
void fuzz_say(const struct fuzz_op *op, const char *what);
void fuzz_exit(struct fuzz_proc *p);
void fuzz_end_all(void);

/* touch.c */
void fuzz_touch(const struct fuzz_op *op, enum user_access how);
void fuzz_fill(const struct fuzz_op *op);
void fuzz_pin(const struct fuzz_op *op);
void fuzz_device(const struct fuzz_op *op);
void fuzz_unpin_all(void);
void fuzz_meanwhile(const struct fuzz_op *op);

/* fuzz.c */
unsigned int fuzz_alive(void);
struct fuzz_proc *fuzz_living(unsigned int n);

#endif
