// SPDX-License-Identifier: GPL-2.0
/*
 * speed [-r NAME] [TMPFS [EXT4]]: prints "speed: NAME VALUE UNIT WORDS" for each
 * figure, the least of a few runs. Files are made in the directory TMPFS, /tmp
 * unless given, and in EXT4; without EXT4 the rows about it are left out. With -r
 * only the row that has the figure NAME is run, and what it counts is marked for
 * make profile.
 *
 * Under "qemu-system-* -icount shift=0,sleep=off -smp 1" a nanosecond is one
 * guest instruction, so the figures do not depend on the host. A timer tick
 * that falls into an operation is counted with it, as is work that an earlier
 * row put off; the least of several runs leaves most of that out. Work that an
 * operation itself puts off (to RCU, say) is counted where it is done: within
 * the row for operations that are run many times over, outside for a single
 * large one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "speed.h"

#define REPEATS	5

static const char *dir[NR_FS] = { "/tmp", NULL };

/* The one figure that is wanted, and its number in its row. */
static const char *wanted;
static int wanted_k = -1;

/*
 * make profile counts what is executed, in whatever process, from a call of the
 * first of these to a call of the second, and reads how many operations it was.
 */
__attribute__((noipa)) void speed_mark_begin(void)
{
	asm volatile("" ::: "memory");
}

__attribute__((noipa)) void speed_mark_end(void)
{
	asm volatile("" ::: "memory");
}

unsigned long long speed_start(int k)
{
	if (k == wanted_k)
		speed_mark_begin();
	return now_ns();
}

double speed_each(int k, unsigned long long from, unsigned long n)
{
	unsigned long long now = now_ns();

	if (k == wanted_k) {
		speed_mark_end();
		printf("speed: counted %lu\n", n);
		fflush(stdout);
		tcdrain(STDOUT_FILENO);
	}
	return (double)(now - from) / n;
}

void speed_die(const char *what)
{
	printf("speed: error: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

char *speed_map(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		speed_die("mmap");
	return p;
}

char *speed_touched(size_t len)
{
	char *p = speed_map(len);

	touch_pages(p, len / page_size());
	return p;
}

int speed_file(enum speed_fs fs, size_t len)
{
	static char buf[65536];
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/speed.%d", dir[fs], getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		speed_die(path);
	unlink(path);
	memset(buf, 'x', sizeof(buf));
	for (size_t done = 0; done < len; done += sizeof(buf)) {
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			speed_die("write");
	}
	if (fsync(fd))
		speed_die("fsync");
	return fd;
}

void speed_reap(pid_t pid)
{
	int status;

	if (pid < 0)
		speed_die("fork");
	if (waitpid(pid, &status, 0) != pid || status)
		speed_die("a child failed");
}

/* Is a row, or one figure of it, to be measured? */
static bool is_wanted(const struct row *r)
{
	if (!wanted)
		return true;
	for (int k = 0; k < FIGURES && r->figure[k].name; k++) {
		if (!strcmp(r->figure[k].name, wanted)) {
			wanted_k = k;
			return true;
		}
	}
	return false;
}

static void measure(const struct row *r)
{
	double best[FIGURES], cost[FIGURES];
	int repeats = r->repeats ? r->repeats : REPEATS;

	if (!dir[r->fs] || !is_wanted(r))
		return;
	for (int i = 0; i < repeats; i++) {
		r->run(r, cost);
		for (int k = 0; k < FIGURES; k++) {
			if (!i || cost[k] < best[k])
				best[k] = cost[k];
		}
	}
	for (int k = 0; k < FIGURES && r->figure[k].name; k++)
		printf("speed: %s %.1f %s %s\n", r->figure[k].name, best[k],
		       r->unit ? r->unit : "ns", r->figure[k].what);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);		/* the serial line shall not disturb the next row */
}

int main(int argc, char **argv)
{
	static const struct row *const tables[] = {
		memory_rows, file_rows, process_rows, fork_rows,
	};

	if (argc > 1 && !strcmp(argv[1], "exit"))
		_exit(0);
	if (argc > 2 && !strcmp(argv[1], "-r")) {
		wanted = argv[2];
		argv += 2;
		argc -= 2;
	}
	for (int i = 0; i < NR_FS && i + 1 < argc; i++)
		dir[i] = argv[i + 1];
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct row *r = tables[i]; r->run; r++)
			measure(r);
	}
	if (wanted && wanted_k < 0) {
		printf("speed: error: no row has a figure %s\n", wanted);
		return 1;
	}
	printf("speed: end\n");
	return 0;
}
