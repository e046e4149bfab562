/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the shim has of the C library, in words that both sides know: the files
 * host*.c see its headers, and all others those of the kernel.
 */
#ifndef _PAGODA_USER_HOST_H
#define _PAGODA_USER_HOST_H

/* host.c */
void host_begin(void);
void host_print(const char *fmt, ...);
_Noreturn void host_die(const char *fmt, ...);
_Noreturn void host_exit(int status);
void *host_ram(unsigned long bytes);
void *host_alloc(unsigned long bytes, unsigned long align);
void host_free(void *p);
void host_poison(void *p, unsigned long bytes);
void host_unpoison(void *p, unsigned long bytes);
unsigned long host_clock(void);		/* nanoseconds */
void *host_read(const char *path, unsigned long *size);
void host_input(const void *data, unsigned long size);
unsigned long host_number(const char *text);
void host_at_exit(void (*fn)(void));
int host_try(void (*fn)(void *arg), void *arg);
_Noreturn void host_throw(void);

/* main.c */
int user_main(int argc, char **argv);

/* fuzz.c */
#define FUZZ_RECORD	6		/* bytes of an operation */

void fuzz_input(const unsigned char *data, unsigned long size);
void fuzz_total(void);

/* What libFuzzer calls, and what it has. */
int fuzzer_begin(int *argc, char ***argv) __asm__("LLVMFuzzerInitialize");
int fuzzer_input(const unsigned char *data, unsigned long size)
	__asm__("LLVMFuzzerTestOneInput");
unsigned long fuzzer_change(unsigned char *data, unsigned long size,
			    unsigned long max, unsigned int seed)
	__asm__("LLVMFuzzerCustomMutator");
unsigned long fuzzer_bytes(unsigned char *data, unsigned long size,
			   unsigned long max)
	__asm__("LLVMFuzzerMutate");

#endif
