// SPDX-License-Identifier: GPL-2.0
/*
 * What several steps of the tour need: the demonstration program, run under
 * our orders through two pipes, and the ext4 disk.
 *
 * A demo belongs to the step that started it and dies with it: it reads
 * end-of-file when the step's process is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tour.h"

#define MOUNT_POINT	"/tmp/tour.disk"

const char *demo_path(void)
{
	static char path[PATH_MAX + 16];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (getenv("TOUR_DEMO"))
		return getenv("TOUR_DEMO");
	self[n > 0 ? n : 0] = 0;
	snprintf(path, sizeof(path), "%s/tour_demo", dirname(self));
	if (access(path, X_OK))
		give_up("%s: %s (TOUR_DEMO names another place)", path, strerror(errno));
	return path;
}

void demo_start(struct demo *d, const char *path, bool fixed)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		give_up("pipe: %s", strerror(errno));
	d->pid = fork();
	if (d->pid < 0)
		give_up("fork: %s", strerror(errno));
	if (!d->pid) {
		int pers = personality(0xffffffff);

		dup2(to[0], 0);
		dup2(from[1], 1);
		pers = fixed ? pers | ADDR_NO_RANDOMIZE : pers & ~ADDR_NO_RANDOMIZE;
		personality(pers);
		execl(path, path, "an-argument", NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	d->ask = fdopen(to[1], "w");
	d->answer = fdopen(from[0], "r");
	if (demo_ask(d, "?", 0) != 42)
		give_up("%s does not answer", path);
}

unsigned long demo_ask(struct demo *d, const char *cmd, unsigned long arg)
{
	char buf[64];

	signal(SIGPIPE, SIG_IGN);
	fprintf(d->ask, "%s %lx\n", cmd, arg);
	fflush(d->ask);
	if (!fgets(buf, sizeof(buf), d->answer))
		give_up("the demonstration program died at \"%s %lx\"", cmd, arg);
	return strtoul(buf, NULL, 16);
}

void demo_end(struct demo *d)
{
	fclose(d->ask);
	fclose(d->answer);
	waitpid(d->pid, NULL, 0);
}

const char *disk_device(void)
{
	const char *dev = getenv("TOUR_DISK");

	return dev ? dev : "/dev/vda";
}

/* Take the disk off wherever it is mounted. */
static void unmount_all(void)
{
	char dev[128], dir[256], line[512];
	FILE *f = fopen("/proc/mounts", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%127s %255s", dev, dir) == 2 &&
		    !strcmp(dev, disk_device()) && umount(dir))
			give_up("umount %s: %s", dir, strerror(errno));
	}
	if (f)
		fclose(f);
}

const char *disk_mount(void)
{
	mkdir("/tmp", 01777);
	mkdir(MOUNT_POINT, 0755);
	unmount_all();
	if (mount(disk_device(), MOUNT_POINT, "ext4", 0, NULL))
		give_up("mount %s as ext4: %s", disk_device(), strerror(errno));
	return MOUNT_POINT;
}

void disk_umount(void)
{
	sync();
	if (umount(MOUNT_POINT))
		give_up("umount %s: %s", MOUNT_POINT, strerror(errno));
}

/* What /proc/config.gz has behind NAME=. */
static bool config_value(const char *name, char *value, size_t len)
{
	FILE *f = popen("zcat /proc/config.gz 2>/dev/null", "re");
	size_t n = strlen(name);
	char line[256];
	bool found = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (found || strncmp(line, name, n) || line[n] != '=')
			continue;
		snprintf(value, len, "%s", line + n + 1);
		found = true;
	}
	if (f)
		pclose(f);
	return found;
}

unsigned long config_number(const char *name, unsigned long none)
{
	char value[64];

	return config_value(name, value, sizeof(value)) ? strtoul(value, NULL, 0) : none;
}

bool config_has(const char *name)
{
	char value[64];

	return config_value(name, value, sizeof(value)) && value[0] == 'y';
}
