// SPDX-License-Identifier: GPL-2.0
/* What the shim needs of the C library. Sees no header of the kernel. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "host.h"

#if defined(__SANITIZE_ADDRESS__)
#define HOST_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOST_ASAN
#endif
#endif

#ifdef HOST_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

static void host_crash(void);

void host_print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
}

void host_die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("pagoda-user: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	host_crash();
	abort();
}

void host_exit(int status)
{
	fflush(stdout);
	exit(status);
}

void *host_ram(unsigned long bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		host_die("no memory for the frames");
	return p;
}

void *host_alloc(unsigned long bytes, unsigned long align)
{
	void *p = NULL;

	if (align <= 16)
		p = malloc(bytes);
	else if (posix_memalign(&p, align, bytes))
		p = NULL;
	if (!p)
		host_die("out of memory");
	return p;
}

void host_free(void *p)
{
	free(p);
}

void host_poison(void *p, unsigned long bytes)
{
#ifdef HOST_ASAN
	__asan_poison_memory_region(p, bytes);
#else
	/* A pointer that is none, and an entry that is present and bad. */
	memset(p, 0x6b, bytes);
#endif
}

void host_unpoison(void *p, unsigned long bytes)
{
#ifdef HOST_ASAN
	__asan_unpoison_memory_region(p, bytes);
#endif
}

unsigned long host_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000UL + now.tv_nsec;
}

void *host_read(const char *path, unsigned long *size)
{
	static char data[1 << 16];
	FILE *file = fopen(path, "rb");

	if (!file)
		host_die("%s: cannot be read", path);
	*size = fread(data, 1, sizeof(data), file);
	fclose(file);
	return data;
}

unsigned long host_number(const char *text)
{
	return strtoul(text, NULL, 0);
}

void host_at_exit(void (*fn)(void))
{
	atexit(fn);
}

/* The input in hand, which host_crash() leaves behind. */
static const void *host_data;
static unsigned long host_size;

void host_input(const void *data, unsigned long size)
{
	host_data = data;
	host_size = size;
}

static void host_crash(void)
{
	const char *path = getenv("PAGODA_CRASH");
	FILE *file = host_data && path ? fopen(path, "wb") : NULL;

	if (!file)
		return;
	fwrite(host_data, 1, host_size, file);
	fclose(file);
}

/* Where host_throw() goes to. */
static struct host_catcher {
	jmp_buf here;
} *host_catcher;

/* Call a function; 1 if it ended in host_throw(). */
int host_try(void (*fn)(void *arg), void *arg)
{
	struct host_catcher *outer = host_catcher, mine;
	int thrown;

	host_catcher = &mine;
	thrown = setjmp(mine.here);
	if (!thrown)
		fn(arg);
	host_catcher = outer;
	return thrown;
}

void host_throw(void)
{
	if (!host_catcher)
		host_die("thrown without a catcher");
	longjmp(host_catcher->here, 1);
}

/* Leave the input behind also when a sanitizer ends the program. */
void host_begin(void)
{
#ifdef HOST_ASAN
	__sanitizer_set_death_callback(host_crash);
#endif
}
