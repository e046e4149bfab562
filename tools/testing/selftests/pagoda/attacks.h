/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Known attacks, each for a fraction of a second: see attacks_test.c.
 *
 * An attack is a function that returns NULL when the kernel withstood it, or
 * words for what went wrong. Where it can, it first shows that it would see the
 * hole: the same probe against something without protection must succeed.
 */
#ifndef PAGODA_ATTACKS_H
#define PAGODA_ATTACKS_H

#define SUITE_NO_HARNESS
#include "suite.h"

/* What a thread of a race does, again and again. */
typedef void (*runner)(void *arg);

/** race() - have up to four threads run for so many milliseconds */
void race(unsigned int ms, void *arg, runner a, runner b, runner c, runner d);

/** finding() - words for a hole, in memory that survives the process */
const char *finding(const char *format, ...);

/**
 * apart() - an attack in a process of its own
 * @attack:	the attack
 * @user:	as an ordinary user
 *
 * Return: what it returns, or that it died.
 */
const char *apart(const char *(*attack)(void), bool user);

/** start() - a child that runs a function, and ends with its status */
pid_t start(int (*fn)(void *), void *arg);

/** ended() - wait for it; exit status or 1000 + signal */
int ended(pid_t pid);

/** all_are() - is every byte of a range @c? */
bool all_are(const char *p, size_t len, char c);

/** shared() - memory that a process and its later children share */
void *shared(size_t size);

/** wait_for(), tell() - a word in such memory: wait until it is so, set it */
void wait_for(unsigned int *word, unsigned int value);
void tell(unsigned int *word, unsigned int value);

/* attacks_cow.c */
const char *write_read_only_file_by_race(void);
const char *write_read_only_file_by_debugger(void);
const char *write_read_only_shared_memory(void);
const char *spliced_page_after_fork(void);
const char *spliced_page_of_shared_table(void);
const char *registered_buffer_after_fork(void);
const char *write_to_another_is_private(void);

/* attacks_move.c */
const char *stale_translation_after_mremap(void);
const char *reverse_walk_misses_moving_table(void);

/* attacks_stack.c */
const char *stack_grows_under_readers(void);
const char *stack_jumps_over_gap(void);
const char *mapping_into_guard_gap(void);
const char *growing_into_neighbours(void);
const char *stack_limit(void);
const char *mapping_of_address_zero(void);
const char *growing_to_address_zero(void);

/* attacks_leak.c */
const char *frame_numbers(void);
const char *other_users_process(void);
const char *kernel_addresses_in_proc(void);
const char *page_cache_of_others(void);
const char *kernel_memory_from_user_mode(void);
const char *kernel_memory_through_calls(void);

/* attacks_limit.c */
const char *maps_to_the_limit(void);
const char *lengths_that_wrap(void);
const char *offsets_that_wrap(void);

/* attacks_share.c */
const char *sharers_write_through_proc_mem(void);
const char *sharers_pin_and_write(void);
const char *sharers_change_their_areas(void);
const char *sharers_exit_under_readers(void);
const char *sharers_leave_tables_under_readers(void);

#endif
