/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc says about a process's memory, for the tour and the suites.
 *
 * Every function reads afresh; none keeps state. A pid of 0 means the caller.
 */
#ifndef PAGODA_PROCMEM_H
#define PAGODA_PROCMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct area - one line of /proc/PID/maps
 * @start:	first address
 * @end:	address after the last
 * @offset:	byte offset in the file
 * @inode:	inode number of the file, 0 for anonymous memory
 * @prot:	the four letters, such as "rw-p"
 * @name:	file or [name], empty for unnamed memory
 */
struct area {
	unsigned long start;
	unsigned long end;
	unsigned long offset;
	unsigned long inode;
	char prot[5];
	char name[128];
};

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/* Frame number of a page that is not present. */
#define NO_FRAME	0UL

/** page_size() - bytes in a page */
unsigned long page_size(void);

/** now_ns() - nanoseconds of CLOCK_MONOTONIC */
unsigned long long now_ns(void);

/**
 * maps_read() - read the areas of a process
 * @pid:	process, 0 for the caller
 * @v:		filled in, in address order
 * @max:	room in @v
 *
 * Return: number of areas (at most @max), or -1.
 */
int maps_read(pid_t pid, struct area *v, int max);

/**
 * area_at() - find the area that holds an address
 * @pid:	process, 0 for the caller
 * @addr:	any address
 * @a:		filled in when found
 *
 * Return: true when there is one.
 */
bool area_at(pid_t pid, const void *addr, struct area *a);

/**
 * areas_over() - count the areas that overlap a range
 * @addr:	first byte, in the calling process
 * @len:	bytes
 *
 * Return: the count, or -1.
 */
int areas_over(const void *addr, size_t len);

/**
 * frames_of() - read the frame numbers of consecutive pages
 * @pid:	process, 0 for the caller
 * @addr:	first page
 * @n:		number of pages
 * @frame:	filled in; NO_FRAME where no page is present
 *
 * Frame numbers need CAP_SYS_ADMIN; without it a present page reads as 1.
 *
 * Return: number of present pages, or -1.
 */
long frames_of(pid_t pid, const void *addr, size_t n, unsigned long *frame);

/** frame_of() - frame number of one page, NO_FRAME when not present */
unsigned long frame_of(pid_t pid, const void *addr);

/** resident() - number of present pages among @n pages at @addr, or -1 */
long resident(pid_t pid, const void *addr, size_t n);

/**
 * field_kib() - read a "Key:   number kB" line
 * @path:	file, such as "/proc/meminfo"
 * @key:	the text before the colon
 *
 * Return: the number, or -1.
 */
long field_kib(const char *path, const char *key);

/**
 * free_kib() - memory that nobody uses
 *
 * Counts the free pages that processors keep to themselves, which MemFree of
 * /proc/meminfo leaves out.
 *
 * Return: KiB, or -1.
 */
long free_kib(void);

/**
 * status_field() - read a number from /proc/PID/status
 * @pid:	process, 0 for the caller
 * @key:	the text before the colon, such as "VmLck"
 *
 * Return: the number, or -1.
 */
long status_field(pid_t pid, const char *key);

/**
 * smaps_field() - read a number from the smaps entry of one area
 * @pid:	process, 0 for the caller
 * @addr:	address within the area
 * @key:	the text before the colon, such as "Rss"
 *
 * Return: KiB, or -1.
 */
long smaps_field(pid_t pid, const void *addr, const char *key);

/** vmflag() - true when the area at @addr has the two-letter flag in VmFlags */
bool vmflag(pid_t pid, const void *addr, const char *flag);

/**
 * stat_field() - read a field of /proc/PID/stat
 * @pid:	process, 0 for the caller
 * @n:		number of the field, counted from 1, at least 4
 *
 * Return: the number, 0 when absent.
 */
unsigned long stat_field(pid_t pid, int n);

/** read_number() - the number, of any base, that a file begins with, or -1 */
long read_number(const char *path);

/** write_text() - write a string to a file such as a sysctl; 0 or -1 */
int write_text(const char *path, const char *text);

#endif
