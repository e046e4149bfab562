/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differential test: random calls over a tree of processes and threads,
 * against a plain model of what each page is and holds.
 *
 * A round is one tree of processes. It follows from its seed alone:
 *
 * - in a lockstep round the operations are drawn beforehand and a controller
 *   has one at a time done by some thread of some process of the tree. The
 *   same seed gives the same sequence; leaving operations out of it gives
 *   another sequence that makes sense, which is what shrinking relies on;
 * - in a storm round all threads of all processes play at once, each in
 *   windows of its own, and fork children that do the same.
 *
 * Every process has the same windows of addresses and a model of each page in
 * them. Models are in shared memory: the page tables under test do not hold
 * them. The process that makes a call also changes its model.
 *
 * fuzz_draw.c draws operations and prints them, fuzz_calls.c and
 * fuzz_access.c do them, fuzz_page.c has windows and the checks of contents,
 * fuzz_account.c checks what /proc says, fuzz_tree.c and fuzz_storm.c play a
 * round of either sort, fuzz_shrink.c makes a failing sequence short.
 */
#ifndef PAGODA_FUZZ_H
#define PAGODA_FUZZ_H

#define SUITE_NO_HARNESS
#include "kselftest.h"
#include "suite.h"

#define WINDOWS		8
#define PAGES		10822		/* in all windows */
#define FILE_PAGES	1024
#define SLOTS		12		/* processes alive at once, lockstep */
#define THREADS		2		/* in each of them */
#define MAX_OPS		500
#define PLACES		4		/* where a page is looked at */

enum op_kind {
	OP_MAP, OP_UNMAP, OP_PROTECT, OP_ADVISE, OP_MOVE, OP_LOCK, OP_UNLOCK,
	OP_WRITE, OP_READ, OP_CHECK, OP_PIPE_OUT, OP_PIPE_IN,
	OP_REMOTE_READ, OP_REMOTE_WRITE, OP_MEM_READ, OP_MEM_WRITE,
	OP_FILE_WRITE, OP_FILE_PUNCH, OP_FILE_CUT, OP_SPAWN, OP_FORK, OP_EXIT,
	OP_KINDS
};

/* What a page of a window is. */
enum page_kind { GONE, ANON, SHARED, PRIVATE };

/* Ways to move, to leave, to start something. */
enum { MOVE_PLAIN, MOVE_GROW, MOVE_SHRINK, MOVE_KEEP, MOVE_CUT, MOVES };
enum { EXIT_PLAIN, EXIT_CHECK, EXIT_KILL, EXIT_EXEC, EXITS };
enum { SPAWN_VFORK, SPAWN_POSIX, SPAWN_EXEC, SPAWNS };

/**
 * struct op - one operation; what does not fit when it is done is left out
 * @id:		position in the sequence as drawn; makes its stamps unique
 * @slot:	process that does it, and @thread of it
 * @target:	the other process of a remote access or fork
 * @w:		window, @at first page in it, @n number of pages
 * @w2:		where to move to: window, @at2
 * @file:	first page of the file
 * @step:	distance of the pages that are read or written
 * @how:	page_kind of a mapping, advice, or one of the ways above
 * @flags:	more mmap flags
 */
struct op {
	unsigned int id;
	unsigned char kind, slot, thread, target, w, w2, prot;
	unsigned short at, n, at2, file, step;
	int how, flags;
};

/**
 * struct page - what the model knows of a page
 * @stamp:	contents, if @own; zero is a page of zeroes
 * @own:	there is an anonymous page here
 * @loose:	MADV_FREE: it may have become zeroes, and gone
 */
struct page {
	unsigned long stamp;
	unsigned short file_page;
	unsigned char kind, prot;
	bool own, loose, locked, dontfork, wipe;
};

struct model {
	struct page page[PAGES];
};

/**
 * struct ctx - a thread that does operations
 * @m:		model of its process
 * @file:	contents of the pages of @fd
 * @slot:	process of the tree
 * @storm:	others are at work at the same time
 * @op:		what it is doing
 */
struct ctx {
	struct model *m;
	unsigned long *file;
	int fd, slot;
	bool storm;
	const struct op *op;
};

struct mailbox {
	unsigned int seq, done;		/* futexes */
	struct op op;
};

/* What the processes of a round have in common, in shared memory. */
struct shared {
	int failed;
	char message[400];
	unsigned long file[FILE_PAGES];
	pid_t pid[SLOTS];
	bool alive[SLOTS];
	struct mailbox box[SLOTS][THREADS];
	struct model model[SLOTS];
	int born, finished, stamps;	/* of a storm */
	int at;				/* operation in hand; their number at the end */
	int bad_slot;			/* process that failed, or -1 */
	long ops;
	unsigned long long deadline;
};

/**
 * struct draw - the state of drawing operations
 * @weight:	of each kind of operation; differs from round to round
 * @windows:	mask of those to use
 * @kinds:	mask of page_kind for new mappings
 * @alive:	mask of processes, kept up to date
 * @storm:	draw what a thread among others may do
 */
struct draw {
	unsigned long long rnd;
	unsigned int weight[OP_KINDS], windows, kinds, alive, id;
	bool storm;
};

struct window {
	unsigned long start;
	int pages, first;		/* first: index of its first page */
};

extern struct window window[WINDOWS];

/** place_windows() - choose addresses that this machine has */
void place_windows(void);
extern struct shared *S;
extern bool break_model;		/* leave an update out, to be caught */
extern int only_slot;			/* check this process alone, if not -1 */
extern bool print_ops;			/* as they are done, in lockstep */

/* fuzz_page.c */
char *address(int w, int at);
int window_of(int page);
struct page *page_of(struct ctx *c, int w, int at);
void catch_signals(void);
__printf(3, 4) void fail(struct ctx *c, int page, const char *fmt, ...);
unsigned long contents(struct ctx *c, struct page *p);
int outcome(struct page *p, bool write);
unsigned long new_stamp(struct ctx *c, int page);
extern const int places[PLACES];
unsigned long word_at(unsigned long stamp, int place);
bool same_words(struct page *p, unsigned long stamp, const unsigned long *v);
int look(const char *p, unsigned long *v);
void wrote(struct ctx *c, struct page *p, unsigned long stamp);
void check_pages(struct ctx *c, int w, int at, int n, int step);
void check_windows(struct ctx *c, unsigned int windows);
void write_pages(struct ctx *c, int w, int at, int n, int step);
void copy_model(struct model *to, const struct model *from);

/* fuzz_draw.c */
unsigned int rnd(struct draw *d, unsigned int below);
void draw_start(struct draw *d, unsigned long long seed, bool storm);
void draw_op(struct draw *d, struct op *op);
int draw_sequence(unsigned long seed, struct op *op);
void print_op(const struct op *op);

/* fuzz_calls.c, fuzz_access.c */
void do_call(struct ctx *c, const struct op *op);
void do_access(struct ctx *c, const struct op *op);
int read_of(pid_t pid, char *at, unsigned long *v);
void do_spawn(struct ctx *c, const struct op *op);

/* fuzz_account.c: to be called while the tree is at rest */
void account(int slot);
void account_frames(void);
bool settled(bool first, char *why, size_t len);
bool kernel_complained(char *line, size_t len);

/* fuzz_tree.c, fuzz_storm.c: play a round in this process, which is for it */
void play_lockstep(const struct op *op, int ops);
void play_storm(unsigned long seed);

/* fuzz_shrink.c */
int shrink(struct op *op, int ops, unsigned long long deadline,
	   bool (*fails)(struct op *op, int ops));

#endif
