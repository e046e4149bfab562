/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making one allocation fail, and seeing what became of it: see inject.c.
 *
 * An operation is tried in a scene: areas at fixed places of a window of
 * addresses. All a process can tell about the window (what is mapped, with
 * which rights and flags, what is in it) makes a picture.
 */
#ifndef PAGODA_INJECT_H
#define PAGODA_INJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "suite.h"

#define WINDOW		((char *)0x200000000000UL)
#define WINDOW_SIZE	(36 * MIB)

/* Places of a scene, and the bits by which an operation asks for them. */
#define SMALL		(WINDOW + 1 * MIB)	/* 16 pages, written */
#define NEXT		(SMALL + 16 * PG)	/* 8 more, read-only */
#define THREE		(WINDOW + 2 * MIB)	/* 8 pages untouched, 8 none, 8 written */
#define CROSS		(WINDOW + 4 * MIB - 32 * PG)	/* 64 pages, written */
#define WIDE		(WINDOW + 6 * MIB)	/* 3 MiB, some of it written */
#define EMPTY		(WINDOW + 12 * MIB - 32 * PG)	/* 64 pages, never touched */
#define ZEROES		(WINDOW + 18 * MIB)	/* 16 pages, only read */
#define SHARED		(WINDOW + 20 * MIB)	/* 16 pages of tmpfs, shared */
#define COPY		(WINDOW + 22 * MIB)	/* the same privately, some written */
#define DISK		(WINDOW + 24 * MIB)	/* 16 pages of ext4, shared */
#define DISK_COPY	(WINDOW + 26 * MIB)	/* the same privately */
#define LOCKED		(WINDOW + 28 * MIB)	/* 16 pages, locked */
#define STACK		(WINDOW + 30 * MIB + 2 * PG)	/* 4 pages, can grow down */
#define FREE		(WINDOW + 32 * MIB)	/* nothing, to the end */

enum {
	HAS_SMALL	= 1 << 0,
	HAS_CROSS	= 1 << 1,
	HAS_WIDE	= 1 << 2,
	HAS_EMPTY	= 1 << 3,
	HAS_ZEROES	= 1 << 4,
	HAS_SHARED	= 1 << 5,
	HAS_DISK	= 1 << 6,
	HAS_LOCKED	= 1 << 7,
	HAS_STACK	= 1 << 8,
	HAS_THREE	= 1 << 9,
	HAS_ALL		= (1 << 10) - 1,
};

/* What may be otherwise when an allocation failed; with ON_STOCK, only there. */
enum {
	NOTHING		= 0,
	PART_DONE	= 1 << 0,	/* each page is as before or as wanted */
	GONE		= 1 << 1,	/* what was at .at is no longer mapped */
	LEFT		= 1 << 2,	/* .at is still mapped, but empty: a success */
	ON_STOCK	= 1 << 3,
};

/* How an operation may end. */
enum {
	MUST_FAIL	= 1 << 0,	/* some allocation is essential */
	NEVER_FAILS	= 1 << 1,	/* a fault: it is made again */
	OR_EAGAIN	= 1 << 2,	/* ENOMEM goes by another name */
	OR_EFAULT	= 1 << 3,
	OR_ENOSPC	= 1 << 4,	/* ... in tmpfs */
	KEEPS_TABLES	= 1 << 5,	/* outside of the window */
	STOCK_OVERCHARGES = 1 << 6,	/* a failed one keeps commit charge */
};

/**
 * struct op - one operation
 * @name:	what it is called in messages
 * @scene:	HAS_* of the areas it works on
 * @act:	does it; 0 or an address, or a negative error number
 * @ends:	how it may end
 * @excuse:	what may be otherwise
 * @at:		the range for GONE and LEFT
 * @len:	its length in bytes
 * @maps:	bytes mapped at the address that it returns
 */
struct op {
	const char *name;
	unsigned int scene;
	long (*act)(void);
	unsigned int ends;
	unsigned int excuse;
	char *at;
	size_t len;
	size_t maps;
};

/* The files of a scene, shared by all its processes. */
extern int tmpfs_fd, disk_fd;

/**
 * inject_reset() - bring the scene's files to their first contents
 *
 * Parts of both stay unwritten; of the one on disk nothing stays in memory.
 */
void inject_reset(void);

/**
 * inject_arm() - let allocation number @n of this thread, from now on, fail
 * @n:		counted from 1; 0 for every node of a maple tree instead, for
 *		which one failure is not enough: the tree tries again
 */
void inject_arm(unsigned int n);

/**
 * inject_disarm() - no more failures
 *
 * Return: true if one has happened, or may have.
 */
bool inject_disarm(void);

/**
 * inject_setup() - get ready, once
 *
 * Return: NULL, or why it cannot be done here.
 */
const char *inject_setup(void);

/**
 * inject_op() - try an operation with each of its allocations failing in turn
 * @op:		the operation
 *
 * In a process of its own for each allocation, with the areas of the scene
 * private to it, then shared with a child, then with a parent.
 *
 * Return: true if all was as it should be; else lines say what was not.
 */
bool inject_op(const struct op *op);

/**
 * inject_leaks() - is memory in use now that was not at the last call?
 * @name:	what was done since, for the line that says so
 * @charge:	look at the commit charge, too
 */
bool inject_leaks(const char *name, bool charge);

/** pagoda_runs() - the kernel's VM core is Pagoda */
bool pagoda_runs(void);

#endif
