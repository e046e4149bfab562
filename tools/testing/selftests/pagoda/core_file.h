/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A core file, read whole and asked for bytes by address.
 */
#ifndef PAGODA_CORE_FILE_H
#define PAGODA_CORE_FILE_H

#include <stdbool.h>

/* Kinds of notes. */
enum core_kind { CORE_PRSTATUS, CORE_SIGINFO, CORE_FILE };

/** core_read() - read a core file; true when it is one, whole */
bool core_read(const char *path);

/** core_byte() - what the dead program had at an address, -1 when not dumped */
int core_byte(unsigned long addr);

/** core_note() - contents of the first note of a kind, NULL when there is none */
const void *core_note(enum core_kind kind);

#endif
