// SPDX-License-Identifier: GPL-2.0
/*
 * powercut: write to files through shared mappings until the power goes.
 *
 *   powercut DIR ROUND SEED
 *
 * Says what the files hold, then writes: a process for each file says on stdout
 * "w FILE PAGE COUNT GENERATION" before it writes to a range, and "c ..." after
 * msync or fsync of it returned. What was said has left the machine before the
 * writer goes on. The host kills the machine at some moment and looks whether
 * all that was confirmed is on the disk.
 *
 * Each word of a file says to which file, place and generation it belongs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "procmem.h"

#define PG		4096UL
#define WORDS		(PG / sizeof(__u64))
#define FILES		4
#define PAGES		256UL
#define MOST		16	/* pages in a range */
#define RW		(PROT_READ | PROT_WRITE)

struct file {
	int number, fd;
	__u64 *map;
};

static __u64 draw_state;

static void die(const char *what)
{
	printf("error: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned int draw(unsigned int below)
{
	draw_state = draw_state * 6364136223846793005UL + 1442695040888963407UL;
	return (draw_state >> 33) % below;
}

/* One write, so that lines of several processes do not mix; gone when back. */
static void say(char what, const struct file *f, unsigned long page, unsigned long n,
		unsigned long generation)
{
	char line[80];
	int len = snprintf(line, sizeof(line), "%c %d %lu %lu %lu\n", what, f->number, page, n,
			   generation);

	if (write(1, line, len) != len)
		_exit(1);
	tcdrain(1);
}

static __u64 word(const struct file *f, unsigned long at, unsigned long generation)
{
	return (__u64)generation << 40 | (__u64)f->number << 36 | at;
}

static void put(const struct file *f, __u64 *to, unsigned long page, unsigned long n,
		unsigned long generation)
{
	for (unsigned long i = 0; i < n * WORDS; i++)
		__atomic_store_n(&to[i], word(f, page * WORDS + i, generation), __ATOMIC_RELAXED);
}

/* Ways to write to a range of a file; all but the first leave other tracks. */

static void by_store(struct file *f, unsigned long page, unsigned long n, unsigned long gen)
{
	put(f, f->map + page * WORDS, page, n, gen);
}

static void by_child(struct file *f, unsigned long page, unsigned long n, unsigned long gen)
{
	pid_t pid = fork();

	if (!pid) {
		by_store(f, page, n, gen);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("fork");
}

static __u64 *another(struct file *f, unsigned long page, unsigned long n)
{
	__u64 *p = mmap(NULL, n * PG, RW, MAP_SHARED, f->fd, page * PG);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void by_another_mapping(struct file *f, unsigned long page, unsigned long n,
			       unsigned long gen)
{
	__u64 *p = another(f, page, n);

	put(f, p, page, n, gen);
	munmap(p, n * PG);
}

static void by_moved_mapping(struct file *f, unsigned long page, unsigned long n,
			     unsigned long gen)
{
	__u64 *p = another(f, page, n);
	void *to = mmap(NULL, n * PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	put(f, p, page, n, gen);
	if (mremap(p, n * PG, n * PG, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		die("mremap");
	munmap(to, n * PG);
}

static void and_protect(struct file *f, unsigned long page, unsigned long n, unsigned long gen)
{
	__u64 *at = f->map + page * WORDS;

	by_store(f, page, n, gen);
	if (mprotect(at, n * PG, PROT_READ) || mprotect(at, n * PG, RW))
		die("mprotect");
}

static void and_discard(struct file *f, unsigned long page, unsigned long n, unsigned long gen)
{
	by_store(f, page, n, gen);
	madvise(f->map + page * WORDS, n * PG, MADV_DONTNEED);
}

static __u64 buffer[MOST * WORDS];

static void by_access(struct file *f, unsigned long page, unsigned long n, unsigned long gen)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	put(f, buffer, page, n, gen);
	if (pwrite(fd, buffer, n * PG, (unsigned long)(f->map + page * WORDS)) != (ssize_t)(n * PG))
		die("/proc/self/mem");
	close(fd);
}

static void by_read_call(struct file *f, unsigned long page, unsigned long n, unsigned long gen)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	put(f, buffer, page, n, gen);
	if (pwrite(fd, buffer, n * PG, 0) != (ssize_t)(n * PG) ||
	    pread(fd, f->map + page * WORDS, n * PG, 0) != (ssize_t)(n * PG))
		die("read into a mapping");
	close(fd);
}

static void (*const way[])(struct file *f, unsigned long page, unsigned long n,
			   unsigned long gen) = {
	by_store, by_child, by_another_mapping, by_moved_mapping, and_protect, and_discard,
	by_access, by_read_call,
};

static void confirm(struct file *f, unsigned long page, unsigned long n)
{
	int err;

	switch (draw(4)) {
	case 0:
		err = fsync(f->fd);
		break;
	case 1:
		err = fdatasync(f->fd);
		break;
	default:
		err = msync(f->map + page * WORDS, n * PG, MS_SYNC);
	}
	if (err)
		die("msync");
}

static void write_on(struct file *f, unsigned long generation)
{
	for (;; generation++) {
		unsigned long page = draw(PAGES), n = 1 + draw(MOST);

		if (n > PAGES - page)
			n = PAGES - page;
		say('w', f, page, n, generation);
		way[draw(ARRAY_SIZE(way))](f, page, n, generation);
		/* Often it is on its way to the disk already, not flushed. */
		if (draw(3))
			sync_file_range(f->fd, page * PG, n * PG, SYNC_FILE_RANGE_WRITE);
		usleep(draw(5000));
		confirm(f, page, n);
		say('c', f, page, n, generation);
	}
}

/* A file that nobody confirms, whose size and blocks change all the time. */
static void make_noise(void)
{
	int fd = open("noise", O_RDWR | O_CREAT, 0600);

	for (;;) {
		size_t len = (1 + draw(200)) * PG;
		char *p;

		if (ftruncate(fd, len))
			die("ftruncate");
		p = mmap(NULL, len, RW, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			die("mmap");
		for (size_t at = 0; at < len; at += PG * (1 + draw(4)))
			memset(p + at, draw(256), PG);
		munmap(p, len);
		sync_file_range(fd, 0, len, SYNC_FILE_RANGE_WRITE);
		usleep(5000);
	}
}

/* Half of the files have their blocks from the start. */
static void open_file(struct file *f, int number)
{
	static char zeroes[PAGES * PG];
	char name[8];

	snprintf(name, sizeof(name), "f%d", number);
	f->number = number;
	f->fd = open(name, O_RDWR | O_CREAT, 0600);
	if (f->fd < 0)
		die(name);
	if (lseek(f->fd, 0, SEEK_END) != PAGES * PG) {
		if (number % 2 ? ftruncate(f->fd, PAGES * PG) :
		    pwrite(f->fd, zeroes, sizeof(zeroes), 0) != sizeof(zeroes))
			die(name);
	}
	f->map = mmap(NULL, PAGES * PG, RW, MAP_SHARED, f->fd, 0);
	if (f->map == MAP_FAILED)
		die("mmap");
}

/* For each page its lowest and highest generation, by mapping and by read(). */
static void show(struct file *f)
{
	printf("f %d", f->number);
	for (unsigned long page = 0; page < PAGES; page++) {
		unsigned long low = ~0UL, high = 0;

		if (pread(f->fd, buffer, PG, page * PG) != PG ||
		    memcmp(buffer, f->map + page * WORDS, PG))
			die("read() and the mapping differ");
		for (unsigned long i = 0; i < WORDS; i++) {
			unsigned long gen = buffer[i] >> 40;

			low = gen < low ? gen : low;
			high = gen > high ? gen : high;
			if (buffer[i] && buffer[i] != word(f, page * WORDS + i, gen))
				die("a word of somewhere else");
		}
		printf(" %lu-%lu", low, high);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	unsigned long round = argc > 3 ? atol(argv[2]) : 1;
	struct file f[FILES];

	if (argc < 4 || chdir(argv[1]))
		die("usage: powercut DIR ROUND SEED");
	setvbuf(stdout, NULL, _IOLBF, 8192);
	for (int i = 0; i < FILES; i++) {
		open_file(&f[i], i);
		show(&f[i]);
	}
	sync();
	printf("ready\n");
	for (int i = 0; i <= FILES; i++) {
		if (fork())
			continue;
		draw_state = atol(argv[3]) + i;
		if (i == FILES)
			make_noise();
		write_on(&f[i], round << 14);
	}
	wait(NULL);
	return 1;
}
