/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The speed measure: what one operation costs, in nanoseconds of the guest.
 *
 * A row does its operation @n times and returns the time that took, without
 * what it did before and after.
 */
#ifndef PAGODA_SPEED_H
#define PAGODA_SPEED_H

#include <stddef.h>
#include <stdnoreturn.h>

#include "procmem.h"

/**
 * struct row - one line of the table
 * @name:	one word
 * @run:	do the operation @n times, return nanoseconds
 * @n:		how many times
 */
struct row {
	const char *name;
	unsigned long long (*run)(unsigned long n);
	unsigned long n;
};

/** speed_die() - print what went wrong with errno's text, and exit */
noreturn void speed_die(const char *what);

/** speed_map() - map private anonymous memory, @len bytes, or die */
char *speed_map(size_t len);

/** speed_file() - a new file of @len bytes of data, cached and clean; its descriptor */
int speed_file(size_t len);

static inline void touch(char *p)
{
	__atomic_store_n(p, 1, __ATOMIC_RELAXED);
}

static inline void look(const char *p)
{
	__atomic_load_n(p, __ATOMIC_RELAXED);
}

extern const struct row memory_rows[];
extern const struct row process_rows[];

#endif
