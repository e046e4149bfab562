/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core in user space: what stands in for the rest of the kernel.
 *
 * Pagoda's files are compiled as they are, against Linux's own headers; the
 * headers below include/ take the place of those that only a kernel can use.
 * One thread runs everything, so locks are checked and never waited for, and a
 * lock that is held is a deadlock. Frames and objects come from here, where
 * each allocation can be made to fail, and what is freed is poisoned.
 *
 * Only the files host*.c see the C library.
 */
#ifndef _PAGODA_USER_H
#define _PAGODA_USER_H

#include <linux/mm.h>
#include "host.h"

/* alloc.c: frames and objects */
#define USER_FRAMES	32768UL	/* at most */

struct user_frame {
	unsigned int cached;	/* TLB and walk-cache entries that name it */
	bool used;
};

extern struct user_frame user_frames[USER_FRAMES];
extern unsigned long user_objects;	/* that are allocated */
extern unsigned long user_frames_all;	/* that there are */
extern unsigned long user_frames_used;

void user_alloc_init(unsigned long frames);
void user_fail_at(unsigned long nth);	/* 0: none; 1: the next, ... */
bool user_fail_done(void);		/* has it failed? */

struct user_failing {
	unsigned long left;
	bool failed;
};

struct user_failing user_fail_pause(void);
void user_fail_resume(struct user_failing was);
void user_lru_drain(void);

/* sync.c: locks and grace periods */
void user_grace(void);
void user_may_sleep(void);
extern void (*user_elsewhere)(void);	/* called where another CPU has time */

/* mmu.c: the software MMU */
enum user_access { USER_READ, USER_WRITE, USER_FETCH };

void user_tlb_check(struct mm_struct *mm);
void user_tlb_forget(struct mm_struct *mm);
bool user_translate(struct mm_struct *mm, unsigned long addr,
		    enum user_access how, unsigned long *pfn);
/* What the tables say of an address: its frame and what it allows. */
struct user_look {
	unsigned long pfn;
	bool write, exec;
};

bool user_look(struct mm_struct *mm, unsigned long addr, struct user_look *look);
int user_touch(struct mm_struct *mm, unsigned long addr,
	       enum user_access how, unsigned long *word);

/* audit.c: recount everything */
void user_audit(void);

/* object.c: files */
struct file *user_file(unsigned long pages, bool shmem);
void user_file_put(struct file *file);
unsigned long *user_file_word(struct file *file, unsigned long index);

/* The system calls that there are. */
#define USER_CALLS(call) \
	call(munmap) call(mprotect) call(pkey_mprotect) call(mremap) \
	call(madvise) call(mlock) call(mlock2) call(munlock) call(mlockall) \
	call(munlockall) call(msync) call(mincore) call(mseal) call(brk) \
	call(remap_file_pages)

#define USER_DECLARE(name)	long __x64_sys_##name(const struct pt_regs *);

USER_CALLS(USER_DECLARE)

/* space.c: address spaces */
#define USER_SPACES	64

extern struct mm_struct *user_spaces[USER_SPACES];	/* that live */

void user_levels(unsigned int levels);
void user_space_init(void);
struct mm_struct *user_mm_new(void);
struct mm_struct *user_mm_fork(struct mm_struct *mm);
void user_mm_enter(struct mm_struct *mm);

/* kernel.c: the rest */
extern unsigned long zero_pfn;
void user_limits(void);
void user_start(unsigned int levels, unsigned long frames);

/* fuzz.c */
void user_replay(const u8 *data, unsigned long size);
void user_in_turn(void);
void user_random(unsigned long seconds, u64 seed);

/* kunit.c */
void user_kunit(const char *name);

#endif
