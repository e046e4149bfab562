// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of the suites; see suite.h.
 *
 * The fault catcher keeps its jump buffer per thread and is installed at the
 * first use, on an alternate stack only where a suite makes one itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "places.h"
#include "procmem.h"

#define MOUNT_POINT	"/tmp/suite.disk"

size_t PG;
__thread unsigned long fault_addr;

static __thread sigjmp_buf back;

static void __attribute__((constructor)) measure_page(void)
{
	PG = page_size();
}

/* Can a page be there, or is one already? */
static bool is_user(unsigned long at)
{
	void *p = mmap((void *)at, PG, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != MAP_FAILED)
		munmap(p, PG);
	return p != MAP_FAILED || errno == EEXIST;
}

unsigned long user_end(void)
{
	unsigned long low = FAR_AWAY, high = -PG;

	while (high - low > PG) {
		unsigned long middle = low + (high - low) / 2 / PG * PG;

		*(is_user(middle) ? &low : &high) = middle;
	}
	return high;
}

static void caught(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	fault_addr = (unsigned long)si->si_addr;
	siglongjmp(back, sig << 8 | (si->si_code & 0xff));
}

static void catch_faults(void)
{
	struct sigaction sa = {
		.sa_sigaction = caught,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	static bool done;

	if (__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		return;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	/* Only now: another thread may be about to fault. */
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
}

int try_read(const void *p)
{
	int how;

	catch_faults();
	how = sigsetjmp(back, 0);
	if (!how)
		__atomic_load_n((const char *)p, __ATOMIC_RELAXED);
	return how;
}

int try_write(void *p)
{
	int how;

	catch_faults();
	how = sigsetjmp(back, 0);
	if (!how)
		__atomic_store_n((char *)p, 0x77, __ATOMIC_RELAXED);
	return how;
}

int try_exec(const void *p)
{
	void (*code)(void);
	int how;

	catch_faults();
	memcpy(&code, &p, sizeof(code));
	how = sigsetjmp(back, 0);
	if (!how)
		code();
	return how;
}

char *anon(size_t pages)
{
	char *p = mmap(NULL, pages * PG, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap of anonymous memory");
		abort();
	}
	return p;
}

void fill(char *p, size_t pages, char first)
{
	for (size_t i = 0; i < pages; i++)
		memset(p + i * PG, first + i, PG);
}

bool filled(const char *p, size_t pages, char first)
{
	for (size_t i = 0; i < pages * PG; i++) {
		if (p[i] != (char)(first + i / PG))
			return false;
	}
	return true;
}

long faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_minflt + ru.ru_majflt;
}

int limit(int what, rlim_t value)
{
	struct rlimit r = { value, value };

	return setrlimit(what, &r);
}

int drop_root(void)
{
	if (setgid(65534) || setuid(65534))
		return -1;
	/* Keep /proc/self readable. */
	return prctl(PR_SET_DUMPABLE, 1);
}

void stay(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

int run_child(int (*fn)(void *), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(fn(arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

const char *disk_dir(void)
{
	const char *want = getenv("SUITE_DISK") ? getenv("SUITE_DISK") : "/dev/vda";
	static char dir[256];
	char dev[128], line[512];
	FILE *f;

	if (dir[0])
		return dir;
	f = fopen("/proc/mounts", "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%127s %255s", dev, dir) == 2 && !strcmp(dev, want))
			break;
		dir[0] = 0;
	}
	if (f)
		fclose(f);
	if (dir[0])
		return dir;
	mkdir("/tmp", 01777);
	mkdir(MOUNT_POINT, 0755);
	if (mount(want, MOUNT_POINT, "ext4", 0, NULL))
		return NULL;
	memcpy(dir, MOUNT_POINT, sizeof(MOUNT_POINT));
	return dir;
}

static bool put_pages(int fd, size_t pages, char first)
{
	char buf[4096];

	for (size_t at = 0; at < pages * PG; at += sizeof(buf)) {
		memset(buf, first + at / PG, sizeof(buf));
		if (pwrite(fd, buf, sizeof(buf), at) != sizeof(buf))
			return false;
	}
	return true;
}

int disk_file(size_t pages, char first)
{
	char path[300];
	int fd;

	if (!disk_dir())
		return -1;
	snprintf(path, sizeof(path), "%s/suite.%d", disk_dir(), getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlink(path);
	if (fd >= 0 && !put_pages(fd, pages, first)) {
		close(fd);
		return -1;
	}
	return fd;
}

int memory_file(size_t pages, char first)
{
	int fd = memfd_create("suite", 0);

	if (fd >= 0 && !put_pages(fd, pages, first)) {
		close(fd);
		return -1;
	}
	return fd;
}
