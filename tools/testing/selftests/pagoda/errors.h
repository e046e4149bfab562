/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows of system calls and how each ends: see errors.c and errors_scene.c.
 *
 * Every row is tried in a process of its own, in a scene: areas of all kinds at
 * fixed pages of a window of addresses. The window lies across the border of
 * two last-level tables; what is below it is private anonymous memory, so that
 * the table there can be shared by fork.
 */
#ifndef PAGODA_ERRORS_H
#define PAGODA_ERRORS_H

#include <limits.h>
#include <sys/uio.h>

#define SUITE_NO_HARNESS
#include "suite.h"

#define P		((unsigned long)PG)
#define BORDER		FAR_PLACE(0)
#define AT(page)	(BORDER + ((long)(page) - 32) * P)
#define PAGES(n)	((n) * P)

/* First pages of the scene's areas; what no area has are holes. */
enum place {
	WRITABLE	= 2,	/* 8 pages */
	HOLE		= 10,	/* 2 */
	READABLE	= 12,	/* 4 read-only, and behind them */
	NOACCESS	= 16,	/* 2 without access */
	GAP		= 18,	/* 2 */
	ISLAND		= 20,	/* 2 writable between two holes */
	GROWING		= 24,	/* 4, MAP_GROWSDOWN */
	EDGE		= 30,	/* 2 writable, up to the border */
	PRIVATE		= 32,	/* 4, writable, of a file, and behind them */
	SHARED		= 36,	/* 4, writable, shared, of a file, and behind them */
	SHOWN		= 40,	/* 4 of a file that was opened for reading, shared */
	LOCKED		= 46,	/* 4, locked */
	SEALED		= 52,	/* 2 sealed by mseal(), and behind them */
	SEALED_RO	= 54,	/* 2 that are read-only */
	SHORT		= 58,	/* 4 of a file of 2 pages */
	DEVICE		= 64,	/* 2 of /dev/mem, read-only */
	ANONSHARED	= 68,	/* 2, shared anonymous */
	SECRET		= 72,	/* 2 of memfd_secret() */
	SCENE_END	= 76,
};

/* Descriptors that every row finds open. */
enum {
	FD_RW		= 100,	/* memfd of 8 pages */
	FD_RO,			/* the same, for reading */
	FD_WO,			/* the same, for writing */
	FD_PATH,		/* the same, O_PATH */
	FD_SHORT,		/* memfd of 2 pages */
	FD_APPEND,		/* an append-only file, O_RDWR */
	FD_APPEND_RO,
	FD_NOEXEC,		/* on a file system mounted noexec */
	FD_DIR,
	FD_PIPE,
	FD_SOCKET,
	FD_SEALED,		/* memfd with F_SEAL_WRITE */
	FD_FUTURE,		/* memfd with F_SEAL_FUTURE_WRITE */
	FD_DEVMEM,
	FD_SECRET,
	FD_ZERO,		/* /dev/zero */
	FD_DISK,		/* a file on ext4 */
	FD_PEER,		/* pidfd of the peer */
	FD_DEAD,		/* pidfd of a process that has exited and is waited for */
	FD_NONE		= 200,
};

/* A limit of the process or the system, to be n pages or areas above its use. */
enum with {
	NO_LIMIT,
	AS_LIMIT,
	DATA_LIMIT,
	LOCK_LIMIT,		/* pages in all; binds ordinary users only */
	COUNT_LIMIT,		/* vm.max_map_count */
	COMMIT_LIMIT,		/* vm.overcommit_memory=2 and no room */
	FILE_LIMIT,		/* fs.file-max: none more */
};

struct act {
	long nr;
	unsigned long arg[6];
};

#ifndef SYS_mseal
#define SYS_mseal	462
#endif

#define CALL(name, ...)	{ SYS_##name, { __VA_ARGS__ } }
#define U(pointer)	((unsigned long)(pointer))

/* Results beyond 0 and -errno. */
#define ANYWHERE	LONG_MAX	/* an address */

/*
 * What a failed call has done all the same: as much as @part does. STOCK: only
 * stock does; Pagoda does nothing (Documentation/mm/pagoda/behaviour.rst).
 * PART_ALIKE, STOCK_ALIKE: the same but for splits, and flags that maps does not
 * show.
 * STOCK_SPLITS: stock has split an area into equal parts, Pagoda has not.
 */
enum partly { NOTHING_DONE, PART_DONE, STOCK_DONE, PART_ALIKE, STOCK_ALIKE, STOCK_SPLITS };

/**
 * struct row - a call and how it ends
 * @what:	the edge that it is about
 * @act:	the call
 * @want:	its result
 * @on_pagoda:	its result there, if another: see behaviour.rst
 * @part:	a call that succeeds and does as much
 * @partly:	who does that much
 * @with:	limit
 * @n:		for it
 * @user:	as an ordinary user; so are rows with LOCK_LIMIT
 * @first:	a call before, for whatever else the row needs; must succeed
 * @peer:	the peer's memory may change
 * @alone:	not as a sharer: areas of a child do not merge with others
 */
struct row {
	const char *what;
	struct act act;
	long want;
	struct act part;
	enum partly partly;
	enum with with;
	long n;
	bool user;
	struct act first;
	bool peer;
	bool alone;
	long on_pagoda;
};

/* First address that no program can have, and special mappings. */
extern unsigned long top, vdso, vvar;
extern bool vdso_has_parts;

/* The peer: a process of root's with the same scene. */
extern pid_t peer;

/* Page of the test's own, readable and writable, whatever the scene does. */
extern char *own;

/* Where the heap begins, is no longer the C library's, and ends, at each row. */
extern unsigned long heap_begin, heap_low, heap;

/** errors_open() - descriptors, peer and all else that rows share; true if so */
bool errors_open(void);

/**
 * errors_rows() - try rows alone, and again in a process that shares tables
 * @name:	the family
 * @row:	rows
 * @n:		how many
 *
 * Return: how many were not as wanted; what was wrong with them is printed.
 */
int errors_rows(const char *name, const struct row *row, size_t n);

/** errors_rows_flags() - the same for calls that change flags in smaps */
int errors_rows_flags(const char *name, const struct row *row, size_t n);

/** have_mseal() - are there seals? Not in 32 bits */
bool have_mseal(void);

/** have_secret() - is there secret memory? i386 is built without */
bool have_secret(void);

/** scene_make() - map all areas of the scene */
void scene_make(void);

/** scene_lock() - lock again what is locked there: a child's is not */
void scene_lock(void);

/** vec1(), vec2() - iovecs for a row, kept until the test ends */
struct iovec *vec1(unsigned long base, size_t len);
struct iovec *vec2(unsigned long base, size_t len, unsigned long base2, size_t len2);

/* The families. */
int errors_mmap(void);
int errors_mmap_file(void);
int errors_mmap_limits(void);
int errors_munmap(void);
int errors_brk(void);
int errors_remap_file_pages(void);
int errors_mprotect(void);
int errors_pkey(void);
int errors_mseal(void);
int errors_mremap(void);
int errors_mremap_fixed(void);
int errors_mremap_limits(void);
int errors_madvise(void);
int errors_madvise_flags(void);
int errors_madvise_populate(void);
int errors_process_madvise(void);
int errors_mlock(void);
int errors_mlockall(void);
int errors_msync(void);
int errors_mincore(void);
int errors_vm_readv(void);
int errors_vm_writev(void);
int errors_membarrier(void);

#endif
