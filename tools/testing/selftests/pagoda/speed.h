/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The speed measure: what one operation costs, in nanoseconds of the guest.
 *
 * A row is an experiment. It sets up, takes the time of the operation alone,
 * cleans up, and leaves one or more figures. What a row counts stands above
 * the function that runs it.
 */
#ifndef PAGODA_SPEED_H
#define PAGODA_SPEED_H

#include <stddef.h>
#include <stdnoreturn.h>

#include "procmem.h"

#define KIB		1024UL
#define MIB		(1024UL * KIB)
#define GIB		(1024UL * MIB)

/* How many figures one experiment can leave. */
#define FIGURES		3

/* Where the files of a row are made. */
enum speed_fs {
	ON_TMPFS,
	ON_EXT4,
	NR_FS,
};

/**
 * struct figure - one line of the table
 * @name:	one word, the same from run to run
 * @what:	the operation in words
 */
struct figure {
	const char *name;
	const char *what;
};

/**
 * struct row - one experiment
 * @run:	does it, and sets cost[i] of figure[i]
 * @n:		how many operations, pages or children
 * @mib:	size of the memory it is about, 0 for none
 * @fs:		where it makes files
 * @repeats:	how often it runs, the least figure counts; 0 for the usual number
 * @unit:	unit of the figures; NULL for nanoseconds an operation
 * @figure:	what it finds out; those without a name are not there
 */
struct row {
	void (*run)(const struct row *r, double *cost);
	unsigned long n;
	unsigned long mib;
	enum speed_fs fs;
	int repeats;
	const char *unit;
	struct figure figure[FIGURES];
};

/** speed_die() - print what went wrong with errno's text, and exit */
noreturn void speed_die(const char *what);

/** speed_map() - map private anonymous memory, @len bytes, or die */
char *speed_map(size_t len);

/** speed_touched() - the same, with every page written to once */
char *speed_touched(size_t len);

/** speed_file() - a new file of @len bytes on @fs, cached and clean; its descriptor */
int speed_file(enum speed_fs fs, size_t len);

/** speed_reap() - wait for a child, and die unless it ended with status 0 */
void speed_reap(pid_t pid);

/** speed_start() - the time, before the operations that figure @k of a row is about */
unsigned long long speed_start(int k);

/** speed_each() - nanoseconds since @from for each of @n operations, of figure @k */
double speed_each(int k, unsigned long long from, unsigned long n);

static inline void touch(char *p)
{
	__atomic_store_n(p, 1, __ATOMIC_RELAXED);
}

static inline void look(const char *p)
{
	__atomic_load_n(p, __ATOMIC_RELAXED);
}

/** touch_pages() - write to @n pages at @p, in order */
static inline void touch_pages(char *p, unsigned long n)
{
	const size_t page = page_size();

	for (unsigned long i = 0; i < n; i++)
		touch(p + i * page);
}

/** look_pages() - read of @n pages at @p, in order */
static inline void look_pages(const char *p, unsigned long n)
{
	const size_t page = page_size();

	for (unsigned long i = 0; i < n; i++)
		look(p + i * page);
}

extern const struct row memory_rows[];
extern const struct row file_rows[];
extern const struct row fork_rows[];
extern const struct row process_rows[];

#endif
