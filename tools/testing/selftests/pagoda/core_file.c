// SPDX-License-Identifier: GPL-2.0
/*
 * Reader of core files of programs like this one.
 *
 * One file at a time is held in memory, and never freed.
 */
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core_file.h"

static char *core;
static size_t core_len;

bool core_read(const char *path)
{
	const ElfW(Ehdr) *e;
	struct stat st;
	size_t at = 0;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		return false;
	core_len = st.st_size;
	core = malloc(core_len);
	while (core && at < core_len) {
		ssize_t n = read(fd, core + at, core_len - at);

		if (n <= 0)
			break;
		at += n;
	}
	close(fd);
	e = (const ElfW(Ehdr) *)core;
	return core && at == core_len && core_len > sizeof(*e) &&
	       !memcmp(e->e_ident, ELFMAG, SELFMAG) && e->e_type == ET_CORE;
}

/* The next program header of a type after @p, from the first for NULL. */
static const ElfW(Phdr) *next_header(const ElfW(Phdr) *p, unsigned int type)
{
	const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)core;
	const ElfW(Phdr) *first = (const ElfW(Phdr) *)(core + e->e_phoff);

	for (p = p ? p + 1 : first; p < first + e->e_phnum; p++) {
		if (p->p_type == type)
			return p;
	}
	return NULL;
}

int core_byte(unsigned long addr)
{
	const ElfW(Phdr) *p = NULL;

	while ((p = next_header(p, PT_LOAD))) {
		unsigned long in = addr - p->p_vaddr;

		if (addr >= p->p_vaddr && in < p->p_filesz && p->p_offset + in < core_len)
			return (unsigned char)core[p->p_offset + in];
	}
	return -1;
}

const void *core_note(enum core_kind kind)
{
	static const unsigned int types[] = { NT_PRSTATUS, NT_SIGINFO, NT_FILE };
	const ElfW(Phdr) *p = NULL;

	while ((p = next_header(p, PT_NOTE))) {
		const char *at = core + p->p_offset, *end = at + p->p_filesz;

		while (at < end) {
			const ElfW(Nhdr) *n = (const ElfW(Nhdr) *)at;

			at += sizeof(*n) + ((n->n_namesz + 3) & ~3);
			if (n->n_type == types[kind])
				return at;
			at += (n->n_descsz + 3) & ~3;
		}
	}
	return NULL;
}
