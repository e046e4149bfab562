// SPDX-License-Identifier: GPL-2.0
/*
 * Text, files and mappings without a C library.
 */
#include "nommu.h"

/* Compilers call these for structures, whatever they are told. */
void *memset(void *to, int byte, unsigned long size)
{
	unsigned char *at = to;

	while (size--)
		*at++ = byte;
	return to;
}

void *memcpy(void *to, const void *from, unsigned long size)
{
	unsigned char *at = to;
	const unsigned char *have = from;

	while (size--)
		*at++ = *have++;
	return to;
}

unsigned long length(const char *text)
{
	unsigned long n = 0;

	while (text[n])
		n++;
	return n;
}

int same(const char *one, const char *two)
{
	while (*one && *one == *two) {
		one++;
		two++;
	}
	return *one == *two;
}

/* Where in a text a word begins, or a null pointer. */
const char *find(const char *text, const char *word)
{
	unsigned long n = length(word), i;

	for (; *text; text++) {
		for (i = 0; i < n && text[i] == word[i]; i++)
			;
		if (i == n)
			return text;
	}
	return 0;
}

void print(const char *text)
{
	unsigned long left = length(text);
	long done;

	while (left) {
		done = call(NR_write, 1, text, left);
		if (done <= 0)
			return;
		text += done;
		left -= done;
	}
}

void print_number(long n)
{
	char digits[24], *at = digits + sizeof(digits);
	unsigned long left = n < 0 ? -(unsigned long)n : (unsigned long)n;

	*--at = 0;
	do {
		*--at = '0' + left % 10;
		left /= 10;
	} while (left);
	if (n < 0)
		*--at = '-';
	print(at);
}

long open_file(const char *path, int flags)
{
	return call(NR_openat, AT_FDCWD, path, flags, 0600);
}

/* Anonymous memory. */
long map(unsigned long pages, int prot, int flags)
{
	return call(NR_mmap, 0, pages * page_size, prot, flags, -1, 0);
}

long map_file(long fd, unsigned long first, unsigned long pages, int prot,
	      int flags)
{
#if __SIZEOF_POINTER__ == 8
	first *= page_size;	/* else the call itself counts in pages */
#endif
	return call(NR_mmap, 0, pages * page_size, prot, flags, fd, first);
}

/* The exit status of a child, or -1. */
int wait_for(long pid)
{
	int status = 0;

	if (call(NR_wait4, pid, &status, 0, 0) != pid || (status & 0x7f))
		return -1;
	return status >> 8 & 0xff;
}
