// SPDX-License-Identifier: GPL-2.0
/*
 * Readers of /proc/PID/{maps,smaps,pagemap,status,stat} and /proc/meminfo.
 *
 * Lines are parsed where they are read; nothing is allocated, so that a
 * reading does not change what it reads.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "procmem.h"

#define PM_PRESENT	0x8000000000000000ULL
#define PM_FRAME	0x007fffffffffffffULL

unsigned long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void proc_path(char *buf, size_t len, pid_t pid, const char *leaf)
{
	if (pid)
		snprintf(buf, len, "/proc/%d/%s", pid, leaf);
	else
		snprintf(buf, len, "/proc/self/%s", leaf);
}

static FILE *proc_open(pid_t pid, const char *leaf)
{
	char path[64];

	proc_path(path, sizeof(path), pid, leaf);
	return fopen(path, "re");
}

/* Parse a line of maps, or the head line of an smaps entry. */
static bool parse_area(const char *line, struct area *a)
{
	unsigned int maj, min;
	int used = 0;
	size_t len;

	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &a->start, &a->end,
		   a->prot, &a->offset, &maj, &min, &a->inode, &used) < 7)
		return false;
	snprintf(a->name, sizeof(a->name), "%s", line + used);
	len = strlen(a->name);
	if (len && a->name[len - 1] == '\n')
		a->name[len - 1] = 0;
	return true;
}

int maps_read(pid_t pid, struct area *v, int max)
{
	FILE *f = proc_open(pid, "maps");
	char line[512];
	int n = 0;

	if (!f)
		return -1;
	while (n < max && fgets(line, sizeof(line), f))
		n += parse_area(line, &v[n]);
	fclose(f);
	return n;
}

bool area_at(pid_t pid, const void *addr, struct area *a)
{
	unsigned long want = (unsigned long)addr;
	FILE *f = proc_open(pid, "maps");
	char line[512];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = parse_area(line, a) && want >= a->start && want < a->end;
	fclose(f);
	return found;
}

int areas_over(const void *addr, size_t len)
{
	unsigned long lo = (unsigned long)addr;
	FILE *f = proc_open(0, "maps");
	char line[512];
	struct area a;
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += parse_area(line, &a) && a.start < lo + len && a.end > lo;
	fclose(f);
	return n;
}

long frames_of(pid_t pid, const void *addr, size_t n, unsigned long *frame)
{
	unsigned long first = (unsigned long)addr / page_size();
	unsigned long long buf[256];
	char path[64];
	long present = 0;
	int fd;

	proc_path(path, sizeof(path), pid, "pagemap");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (size_t done = 0; done < n;) {
		size_t want = n - done < 256 ? n - done : 256;
		ssize_t got = pread(fd, buf, want * 8, (first + done) * 8);

		if (got < 8) {
			close(fd);
			return -1;
		}
		for (int i = 0; i < got / 8; i++, done++) {
			unsigned long pfn = buf[i] & PM_FRAME;

			if (!(buf[i] & PM_PRESENT))
				pfn = NO_FRAME;
			else if (!pfn)
				pfn = 1;
			present += pfn != NO_FRAME;
			if (frame)
				frame[done] = pfn;
		}
	}
	close(fd);
	return present;
}

unsigned long frame_of(pid_t pid, const void *addr)
{
	unsigned long pfn = NO_FRAME;

	frames_of(pid, addr, 1, &pfn);
	return pfn;
}

long resident(pid_t pid, const void *addr, size_t n)
{
	return frames_of(pid, addr, n, NULL);
}

/* The number after "key:" in a line, or -1 when the line is another. */
static long keyed(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) || line[len] != ':')
		return -1;
	return strtol(line + len + 1, NULL, 10);
}

static long find_key(FILE *f, const char *key)
{
	char line[512];
	long val = -1;

	if (!f)
		return -1;
	while (val < 0 && fgets(line, sizeof(line), f))
		val = keyed(line, key);
	fclose(f);
	return val;
}

long field_kib(const char *path, const char *key)
{
	return find_key(fopen(path, "re"), key);
}

long free_kib(void)
{
	char line[512];
	long sum;
	FILE *f;

	write_text("/proc/sys/vm/stat_refresh", "1");
	sum = field_kib("/proc/meminfo", "MemFree");
	f = fopen("/proc/zoneinfo", "re");
	if (!f || sum < 0)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		long n = keyed(line + strspn(line, " "), "count");

		if (n > 0)
			sum += n * (page_size() / 1024);
	}
	fclose(f);
	return sum;
}

long status_field(pid_t pid, const char *key)
{
	return find_key(proc_open(pid, "status"), key);
}

/* Leave the stream behind the head line of the smaps entry for @addr. */
static FILE *smaps_at(pid_t pid, const void *addr)
{
	unsigned long want = (unsigned long)addr;
	FILE *f = proc_open(pid, "smaps");
	char line[512];
	struct area a;

	while (f && fgets(line, sizeof(line), f)) {
		if (parse_area(line, &a) && want >= a.start && want < a.end)
			return f;
	}
	if (f)
		fclose(f);
	return NULL;
}

long smaps_field(pid_t pid, const void *addr, const char *key)
{
	return find_key(smaps_at(pid, addr), key);
}

bool vmflag(pid_t pid, const void *addr, const char *flag)
{
	FILE *f = smaps_at(pid, addr);
	char line[512];
	bool found = false;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmFlags:", 8))
			continue;
		line[strcspn(line, "\n")] = 0;
		for (char *w = strtok(line + 8, " "); w; w = strtok(NULL, " "))
			found |= !strcmp(w, flag);
		break;
	}
	fclose(f);
	return found;
}

unsigned long stat_field(pid_t pid, int n)
{
	FILE *f = proc_open(pid, "stat");
	char line[2048];
	char *p = NULL;

	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f))
		p = strrchr(line, ')');
	fclose(f);
	/* The text after the name's bracket starts with field 3. */
	for (int i = 2; p && i < n; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoul(p, NULL, 10) : 0;
}

long read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 0) : -1;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}
