/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user-space suites share: newer constants, a way to try an access
 * that may fault, and a directory on a real file system.
 *
 * The suites run as root, one after another, on stock Linux and on Pagoda.
 * The harness gives every test a process of its own, so a test changes limits
 * and mappings as it likes; sysctls it puts back.
 */
#ifndef PAGODA_SUITE_H
#define PAGODA_SUITE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SUITE_NO_HARNESS
#include "kselftest_harness.h"

/* An emulated machine with a checking kernel needs its time. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	200
#endif
#include "places.h"
#include "procmem.h"

#ifndef __NR_mseal
#define __NR_mseal		462
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE		0x08
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef SEGV_PKUERR
#define SEGV_PKUERR		4
#endif

#define KIB		1024UL
#define MIB		(1024UL * KIB)

#define RW		(PROT_READ | PROT_WRITE)
#define PRIVATE_ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED_ANON	(MAP_SHARED | MAP_ANONYMOUS)

/* Bytes in a page. */
extern size_t PG;

/** user_end() - the first address that no program can have */
unsigned long user_end(void);

/* How an access ended: NO_FAULT, or the signal and its code. */
enum {
	NO_FAULT,
	SEGV_NOTHING	= SIGSEGV << 8 | SEGV_MAPERR,
	SEGV_DENIED	= SIGSEGV << 8 | SEGV_ACCERR,
	SEGV_KEY	= SIGSEGV << 8 | SEGV_PKUERR,
	BUS_BEYOND	= SIGBUS << 8 | BUS_ADRERR,
};

/**
 * try_read(), try_write(), try_exec() - use one address, come back from a fault
 * @p:	byte to read, byte to write 0x77 to, or code to call
 *
 * Return: one of the values above; after a fault @fault_addr has si_addr.
 * Any thread may call them.
 */
int try_read(const void *p);
int try_write(void *p);
int try_exec(const void *p);

extern __thread unsigned long fault_addr;

/** peek(), poke() - one byte, an access that the compiler keeps */
static inline char peek(const void *p)
{
	return __atomic_load_n((const char *)p, __ATOMIC_RELAXED);
}

static inline void poke(void *p, char c)
{
	__atomic_store_n((char *)p, c, __ATOMIC_RELAXED);
}

/** anon() - private anonymous memory of @pages pages; exits when refused */
char *anon(size_t pages);

/** fill() - give page i the byte @first + i throughout */
void fill(char *p, size_t pages, char first);

/** filled() - true when fill() with the same arguments would change nothing */
bool filled(const char *p, size_t pages, char first);

/** faults() - page faults of this thread so far */
long faults(void);

/** limit() - set the soft (and with it the hard) limit of a resource */
int limit(int what, rlim_t value);

/** drop_root() - become an ordinary user, for good; 0 or -1 */
int drop_root(void);

/** stay() - stay on this processor, whose LRU batches this thread can drain */
void stay(void);

/**
 * run_child() - run a function in a child process
 * @fn:		function; what it returns is the exit status
 * @arg:	for the function
 *
 * Return: exit status, or 1000 + signal.
 */
int run_child(int (*fn)(void *), void *arg);

/** disk_dir() - a directory on ext4, NULL when there is no such disk */
const char *disk_dir(void);

/** disk_file() - a new, unlinked file there of @pages pages by fill(), or -1 */
int disk_file(size_t pages, char first);

/** memory_file() - the same as a memfd */
int memory_file(size_t pages, char first);

#endif
