// SPDX-License-Identifier: GPL-2.0
/*
 * speed [DIR]: prints "name nanoseconds" for each operation, the least of a few
 * runs. Files are made in DIR, /tmp unless given.
 *
 * Under "qemu-system-* -icount shift=0,sleep=off -smp 1" a nanosecond is one
 * guest instruction, so the figures do not depend on the host. As the first
 * process of a guest (rdinit=/bin/speed) it mounts what it needs, uses the
 * ext4 disk /dev/vda when there is one, and powers the guest off at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "speed.h"

#define REPEATS	5

static const char *dir = "/tmp";

void speed_die(const char *what)
{
	printf("speed: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	_exit(1);
}

char *speed_map(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		speed_die("mmap");
	return p;
}

int speed_file(size_t len)
{
	static char buf[65536];
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/speed.%d", dir, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		speed_die(path);
	unlink(path);
	memset(buf, 'x', sizeof(buf));
	for (size_t done = 0; done < len; done += sizeof(buf)) {
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			speed_die("write");
	}
	fsync(fd);
	return fd;
}

static void measure(const struct row *r)
{
	unsigned long long best = -1ULL;

	for (int i = 0; i < REPEATS; i++) {
		unsigned long long t = r->run(r->n);

		if (t < best)
			best = t;
	}
	printf("%-20s %12.1f\n", r->name, (double)best / r->n);
}

static void be_init(void)
{
	mkdir("/proc", 0555);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mkdir("/speed.disk", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	if (!mount("/dev/vda", "/speed.disk", "ext4", 0, NULL))
		dir = "/speed.disk";
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "exit"))
		_exit(0);
	if (getpid() == 1)
		be_init();
	else if (argc > 1)
		dir = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# nanoseconds an operation; files in %s\n", dir);
	for (const struct row *r = memory_rows; r->name; r++)
		measure(r);
	for (const struct row *r = process_rows; r->name; r++)
		measure(r);
	printf("# end\n");
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
