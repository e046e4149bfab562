/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tour: what a textbook says of virtual memory, shown and checked.
 *
 * Each step is one file with one entry function. It runs in a process of its
 * own, prints prose with say(), readings with saw() and claims with check().
 */
#ifndef PAGODA_TOUR_H
#define PAGODA_TOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "procmem.h"

#define KIB	1024UL
#define MIB	(1024UL * KIB)

/* Argument @fmt is a printf() format, from @args on are what it formats. */
#define LIKE_PRINTF(fmt, args)	__format__(__printf__, fmt, args)

void tour_layout(void);
void tour_loading(void);
void tour_demand(void);
void tour_sharing(void);
void tour_alloc(void);
void tour_protect(void);
void tour_fork(void);
void tour_latency(void);

/* Prose, a reading, a claim. check() returns what it was given. */
void say(const char *fmt, ...) __attribute__((LIKE_PRINTF(1, 2)));
void saw(const char *fmt, ...) __attribute__((LIKE_PRINTF(1, 2)));
bool check(bool good, const char *fmt, ...) __attribute__((LIKE_PRINTF(2, 3)));
/* The step cannot go on: print the reason and leave the step's process. */
noreturn void give_up(const char *fmt, ...) __attribute__((LIKE_PRINTF(1, 2)));

/* A read or a write of one byte that the compiler may not drop. */
static inline char peek(const void *p)
{
	return __atomic_load_n((const char *)p, __ATOMIC_RELAXED);
}

static inline void poke(void *p, char c)
{
	__atomic_store_n((char *)p, c, __ATOMIC_RELAXED);
}

/** config_number() - a number of the kernel's configuration; @none if it is not told */
unsigned long config_number(const char *name, unsigned long none);
/** config_has() - is an option of the kernel's configuration y? */
bool config_has(const char *name);

/** fresh() - map @len bytes of private anonymous memory, or give up */
char *fresh(size_t len);

/**
 * struct demo - a running tour_demo, which does one small thing a command
 * @pid:	process
 * @ask:	where commands are written
 * @answer:	where answers, one line each, are read
 */
struct demo {
	pid_t pid;
	FILE *ask;
	FILE *answer;
};

/** demo_path() - where the dynamically linked program is */
const char *demo_path(void);
/** demo_start() - run it from @path; @fixed turns address randomisation off */
void demo_start(struct demo *d, const char *path, bool fixed);
/** demo_ask() - send a command with one argument, return the number answered */
unsigned long demo_ask(struct demo *d, const char *cmd, unsigned long arg);
/** demo_end() - let it exit, and wait for it */
void demo_end(struct demo *d);

/** disk_mount() - mount the ext4 disk and return the directory, or give up */
const char *disk_mount(void);
/** disk_umount() - take it off again, so that nothing of it stays cached */
void disk_umount(void);
/** disk_device() - the block device's name */
const char *disk_device(void);

#endif
