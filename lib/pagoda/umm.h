/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User address spaces for KUnit.
 *
 * A suite that names umm_init() and umm_exit() as its .init and .exit runs
 * every case inside a fresh user address space: current->mm is set, user
 * memory can be reached with get_user() and put_user(), and system calls can
 * be made with umm_sys(). When the case is over, each address space it had is
 * taken down and must have left every counter at zero; a case that leaks
 * fails.
 *
 * Who keeps what alive: a struct umm holds one mm_users reference until
 * umm_drop() (or umm_exit()), and one mm_count reference until umm_exit(), so
 * the counters of a dead address space can still be read. The thread that is
 * inside an address space holds one mm_users reference more.
 *
 * None of this takes mmap_lock for the caller. Everything here may sleep.
 */
#ifndef _LIB_PAGODA_UMM_H
#define _LIB_PAGODA_UMM_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/unistd.h>

#define UMM_BASE	0x10000000UL	/* where pictures are drawn */
/* Is there a bit against execution? Tables of two levels have none (i386). */
#define UMM_HAS_NX	(!IS_ENABLED(CONFIG_X86_32) || IS_ENABLED(CONFIG_X86_PAE))
#define UMM_PICTURE	96		/* longest picture, in characters */
#define UMM_RW		(PROT_READ | PROT_WRITE)
#define UMM_ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

/**
 * struct umm - one address space under test
 * @mm:		the address space
 * @test:	the case that owns it
 * @node:	in the case's list
 * @refs:	the case, and the forked task while it lives
 * @ready:	completed by a forked task when @mm is set
 * @leave:	completed to let a parked task exit
 * @pid:	the forked task that has not been waited for, or 0
 * @task:	that task
 * @parked:	the forked task waits for @leave
 * @dropped:	the mm_users reference is gone
 */
struct umm {
	struct mm_struct *mm;
	struct kunit *test;
	struct list_head node;
	refcount_t refs;
	struct completion ready;
	struct completion leave;
	pid_t pid;
	struct task_struct *task;
	bool parked;
	bool dropped;
};

/* space.c */
int umm_init(struct kunit *test);
void umm_exit(struct kunit *test);
struct umm *umm_self(struct kunit *test);
struct umm *umm_new(struct kunit *test);
struct umm *umm_fork(struct kunit *test);
struct umm *umm_fork_task(struct kunit *test);
void umm_reap(struct umm *u);
void umm_enter(struct umm *u);
void umm_leave(void);
void umm_drop(struct umm *u);
long umm_rss(struct mm_struct *mm, int member);
long umm_rss_all(struct mm_struct *mm);
unsigned long umm_table_bytes(struct mm_struct *mm);

/* memory.c */
unsigned long umm_map(struct kunit *test, unsigned long pages, int prot);
unsigned long umm_map_at(struct kunit *test, unsigned long addr,
			 unsigned long pages, int prot);
unsigned long umm_map_file(struct kunit *test, struct file *file,
			   unsigned long first, unsigned long pages,
			   int prot, int flags);
int umm_poke(unsigned long addr, unsigned long value);
int umm_touch(unsigned long addr);
unsigned long umm_peek(struct kunit *test, unsigned long addr);
struct page *umm_page(struct kunit *test, unsigned long addr);
unsigned long umm_word(struct page *page);
void umm_set_word(struct page *page, unsigned long word);
struct file *umm_ramfs(struct kunit *test, unsigned long pages);
struct file *umm_shmem(struct kunit *test, unsigned long pages);
unsigned long umm_file_word(struct kunit *test, struct file *file, loff_t pos);
void umm_file_set(struct kunit *test, struct file *file, loff_t pos,
		  unsigned long value);
struct folio *umm_folio(struct kunit *test, struct file *file,
			unsigned long index);

/* calls.c */
long umm_call(int nr, const unsigned long *args);

/**
 * umm_sys() - make a system call as a user program would
 * @nr: the call's __NR_ number
 * @...: up to six arguments, each an unsigned long; missing ones are 0
 *
 * The call runs in the address space that the caller is in, with the caller's
 * (root's) rights.
 *
 * Return: what the system call returns.
 */
#define umm_sys(nr, ...) umm_call(nr, (const unsigned long[6]) { __VA_ARGS__ })

/* picture.c */
void umm_paint(struct kunit *test, struct file *file, const char *picture);
void umm_area(struct kunit *test, struct file *file, char letter,
	      unsigned long first, unsigned long pages);
const char *umm_picture(struct kunit *test, unsigned long pages);
void umm_check_areas(struct kunit *test, struct mm_struct *mm);

/* oracle.c */

/**
 * struct umm_entry - what the page tables say of one address
 * @present:	an entry is there that maps a frame
 * @user:	user mode may use it, by every level above it too
 * @write:	it may be written through, by every level above it too
 * @exec:	instructions may be fetched through it, likewise
 * @young:	the leaf's accessed bit
 * @dirty:	the leaf's dirty bit
 * @pfn:	the frame
 */
struct umm_entry {
	bool present, user, write, exec, young, dirty;
	unsigned long pfn;
};

/**
 * typedef umm_leaf_fn - called for each leaf that a sweep meets
 * @addr:	the first address that the leaf maps
 * @size:	how much it maps, in bytes
 * @entry:	the leaf
 * @arg:	the sweep's own
 */
typedef void (*umm_leaf_fn)(unsigned long addr, unsigned long size,
			    const struct umm_entry *entry, void *arg);

struct umm_entry umm_entry(struct mm_struct *mm, unsigned long addr);
unsigned long umm_present(struct mm_struct *mm, unsigned long addr,
			  unsigned long pages);
void umm_sweep(struct mm_struct *mm, unsigned long addr, unsigned long last,
	       umm_leaf_fn fn, void *arg);

#endif /* _LIB_PAGODA_UMM_H */
