// SPDX-License-Identifier: GPL-2.0
/*
 * What a program must not learn or reach: frames, addresses of the kernel,
 * others' memory, others' use of files.
 */
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "attacks.h"

/* The lowest address that may be the kernel's. */
#if defined(__x86_64__)
#define KERNEL_HALF	0xffff800000000000UL
#elif defined(__aarch64__)	/* the topmost byte is a tag */
#define KERNEL_HALF	0xfff0000000000000UL
#elif __SIZEOF_LONG__ == 8
#define KERNEL_HALF	(1UL << 63)
#else
#define KERNEL_HALF	user_end()
#endif

/* -- frames -- */

static const char *no_frames(void)
{
	char *p = anon(8);

	fill(p, 8, 'a');
	for (int i = 0; i < 8; i++) {
		/* frame_of() has 1 for a page that is there, but hidden. */
		if (frame_of(0, p + i * PG) != 1)
			return finding("pagemap shows frame %lx to an ordinary user",
				       frame_of(0, p + i * PG));
	}
	if (open("/proc/kpageflags", O_RDONLY) >= 0 || open("/proc/kpagecount", O_RDONLY) >= 0)
		return finding("an ordinary user can read about frames");
	if (open("/dev/mem", O_RDONLY) >= 0 || open("/proc/kcore", O_RDONLY) >= 0)
		return finding("an ordinary user can read memory");
	return NULL;
}

const char *frame_numbers(void)
{
	char *p = anon(1);

	poke(p, 1);
	if (frame_of(0, p) < 2)
		return finding("root sees no frame");
	return apart(no_frames, true);
}

/* -- others' memory -- */

static pid_t victim;
static char *secret;

static bool opens(const char *leaf, int how)
{
	char path[64], buf[64];
	bool got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", victim, leaf);
	fd = open(path, how);
	if (fd < 0)
		return false;
	/* Some open for everybody, and then say nothing. */
	got = pread(fd, buf, sizeof(buf), strcmp(leaf, "mem") ? 0 : (unsigned long)secret) > 0;
	close(fd);
	return got;
}

/* In how many ways can the secret, or where it is, be had? */
static const char *reaches(void)
{
	static const char *const leaves[] = {
		"maps", "smaps", "smaps_rollup", "pagemap", "mem", "auxv", "environ", "stack",
	};
	char buf[16] = "";
	struct iovec to = { buf, 16 }, from = { secret, 16 };
	int pidfd = syscall(SYS_pidfd_open, victim, 0);

	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (opens(leaves[i], O_RDONLY))
			return finding("/proc/PID/%s", leaves[i]);
	}
	if (opens("mem", O_RDWR) || opens("clear_refs", O_WRONLY))
		return finding("writing to /proc/PID");
	if (process_vm_readv(victim, &to, 1, &from, 1, 0) >= 0)
		return finding("process_vm_readv");
	if (errno != EPERM)
		return finding("process_vm_readv: %s", strerror(errno));
	if (process_vm_writev(victim, &to, 1, &from, 1, 0) >= 0 || errno != EPERM)
		return finding("process_vm_writev");
	if (syscall(SYS_process_madvise, pidfd, &from, 1, MADV_COLD, 0) >= 0)
		return finding("process_madvise");
	if (!ptrace(PTRACE_ATTACH, victim, NULL, NULL) || errno != EPERM)
		return finding("ptrace");
	if (!ptrace(PTRACE_SEIZE, victim, NULL, NULL))
		return finding("ptrace seizes");
	return NULL;
}

static int keep(void *arg)
{
	pause();
	return 0;
}

const char *other_users_process(void)
{
	const char *hole;

	secret = anon(1);
	memcpy(secret, "secret of root", 15);
	victim = start(keep, NULL);
	/* The probe works for who may. */
	if (!apart(reaches, false) || !opens("mem", O_RDONLY) || !opens("maps", O_RDONLY))
		return finding("root reaches nothing");
	hole = apart(reaches, true);
	kill(victim, SIGKILL);
	ended(victim);
	return hole;
}

/* -- addresses of the kernel -- */

/* A page of x86-64's whose address all know, and the one behind it. */
static bool known_address(unsigned long v)
{
#ifdef __x86_64__
	return (v & -PG) == 0xffffffffff600000UL || v == 0xffffffffff601000UL;
#else
	return false;
#endif
}

/* The first hexadecimal number that is one, written in full, in a text. */
static unsigned long kernel_address(const char *text)
{
	const unsigned long half = KERNEL_HALF;
	const char *p = text;

	while ((p = strpbrk(p, "0123456789abcdefABCDEF"))) {
		size_t n = strspn(p, "0123456789abcdefABCDEF");

		if (n == 2 * sizeof(long)) {
			unsigned long v = strtoul(p, NULL, 16);

			if (v >= half && v < -PG && !known_address(v))
				return v;
		}
		p += n ?: 1;
	}
	return 0;
}

static unsigned long address_in(const char *path)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY);
	unsigned long v = 0;
	ssize_t got;

	while (fd >= 0 && !v && (got = read(fd, buf, sizeof(buf) - 1)) > 0) {
		buf[got] = 0;
		v = kernel_address(buf);
	}
	close(fd);
	return v;
}

static const char *no_addresses(void)
{
	static const char *const paths[] = {
		"/proc/self/maps", "/proc/self/smaps", "/proc/self/stat", "/proc/self/status",
		"/proc/self/syscall", "/proc/self/stack", "/proc/self/wchan", "/proc/self/limits",
		"/proc/self/mountinfo", "/proc/self/fdinfo/0", "/proc/self/numa_maps",
		"/proc/kallsyms", "/proc/modules", "/proc/vmallocinfo", "/proc/iomem",
		"/proc/timer_list", "/proc/net/unix", "/proc/slabinfo", "/proc/zoneinfo",
		"/sys/kernel/notes", "/sys/kernel/vmcoreinfo",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		unsigned long v;

		/* What stands for an address there, in 32 bits may be like one. */
		if (sizeof(long) == 4 && !strcmp(paths[i], "/proc/net/unix"))
			continue;
		v = address_in(paths[i]);
		if (v)
			return finding("%s has the address %lx", paths[i], v);
	}
	/* Decimal, in stat: where it sleeps, and its registers. */
	for (int i = 26; i <= 35; i++) {
		if (stat_field(0, i) >= KERNEL_HALF && stat_field(0, i) != -1UL)
			return finding("field %d of stat is %lx", i, stat_field(0, i));
	}
	return NULL;
}

const char *kernel_addresses_in_proc(void)
{
	if (!address_in("/proc/kallsyms"))
		return finding("the probe sees nothing");
	return apart(no_addresses, true);
}

/* -- which pages of a file others use -- */

static int seen_file;

/* Of 16 pages, those that mincore calls resident; 16 is what all are told. */
static int resident_pages(void)
{
	unsigned char vec[16] = "";
	int n = 0;
	char *p = mmap(NULL, sizeof(vec) * PG, PROT_READ, MAP_SHARED, seen_file, 0);

	if (p == MAP_FAILED || mincore(p, sizeof(vec) * PG, vec))
		return -1;
	for (size_t i = 0; i < sizeof(vec); i++)
		n += vec[i] & 1;
	munmap(p, sizeof(vec) * PG);
	return n;
}

static const char *mincore_tells(void)
{
	int n = resident_pages();

	return n == 16 ? NULL : finding("mincore has %d of 16 pages", n);
}

const char *page_cache_of_others(void)
{
	int fd = disk_file(16, 'm');

	if (fd < 0)
		return finding("no disk");
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	fchmod(fd, 0444);
	seen_file = fd;
	/* The owner sees that nothing is in memory. */
	if (resident_pages() > 8)
		return finding("the probe sees %d pages", resident_pages());
	return apart(mincore_tells, true);
}

/* -- the kernel's half -- */

struct kernel_place {
	const char *name;
	unsigned long at;
};

static unsigned long symbol(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long at, found = 0;
	char line[256], is[128];

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %*c %127s", &at, is) == 2 && !strcmp(is, name))
			found = at;
	}
	if (f)
		fclose(f);
	return found;
}

/* Places that are there, and some that are not: they must look alike. */
static struct kernel_place places[] = {
	{ "text", 0 }, { "the end of text", 0 }, { "far behind text", 0 },
	{ "the start of the kernel's half", 0 }, { "a place that is the kernel's", KERNEL_PLACE },
#ifdef __x86_64__
	{ "direct map, 5 levels", 0xff11000000000000 },
	{ "vmalloc", 0xffffc90000000000 }, { "struct pages", 0xffffea0000000000 },
	{ "modules", 0xffffffffc0000000 }, { "fixmap", 0xffffffffff57c000 },
	{ "CPU entry area", 0xfffffe0000000000 },
#endif
	{ "last page but one", -2 * 4096UL }, { "last page", -4096UL },
};

static void find_places(void)
{
	places[0].at = symbol("_stext");
	places[1].at = symbol("_etext") - PG;
	places[2].at = symbol("_stext") + (1UL << 28);
	places[3].at = KERNEL_HALF;
}

/* x86-64 tells no place of an address that is not canonical, with its levels. */
#define GENERAL_PROTECTION	(SIGSEGV << 8 | SI_KERNEL)

static bool may_be_none(unsigned long p)
{
#ifdef __x86_64__
	long top = (long)p >> 47;

	return top != 0 && top != -1;
#else
	return false;
#endif
}

static const char *user_mode(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *p = (char *)places[i].at;

		for (size_t k = 0; k < 3; k++) {
			int how = k == 0 ? try_read(p) : k == 1 ? try_write(p) : try_exec(p);

			if (how == GENERAL_PROTECTION && !fault_addr && may_be_none(places[i].at))
				continue;	/* there are four levels */
			if (how != SEGV_NOTHING || fault_addr != places[i].at)
				return finding("%s, use %zu: signal %d code %d at %lx",
					       places[i].name, k, how >> 8, how & 0xff,
					       fault_addr);
		}
	}
#ifdef __x86_64__
	/* No address at all: a general protection fault, which has none. */
	if (try_read((char *)(1UL << 62)) != GENERAL_PROTECTION || fault_addr)
		return finding("an address that is not canonical");
#endif
	return NULL;
}

const char *kernel_memory_from_user_mode(void)
{
	find_places();
	if (!places[0].at || try_read(places) != NO_FAULT)
		return finding("the probe does not work");
	return apart(user_mode, true);
}

static const char *calls(void)
{
	int zero = open("/dev/zero", O_RDONLY), fd[2];
	char buf[16];

	pipe(fd);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *p = (char *)places[i].at, *page = (char *)((long)p & -PG);
		struct iovec own = { buf, 16 }, there = { p, 16 };
		const char *name = places[i].name;

		errno = 0;
		if (write(fd[1], p, 16) >= 0 || errno != EFAULT)
			return finding("write from %s: %s", name, strerror(errno));
		if (read(zero, p, 16) >= 0 || errno != EFAULT)
			return finding("read to %s: %s", name, strerror(errno));
		if (vmsplice(fd[1], &there, 1, 0) >= 0 || errno != EFAULT)
			return finding("vmsplice from %s: %s", name, strerror(errno));
		if (process_vm_readv(getpid(), &own, 1, &there, 1, 0) >= 0 || errno != EFAULT)
			return finding("process_vm_readv from %s: %s", name, strerror(errno));
		if (process_vm_writev(getpid(), &own, 1, &there, 1, 0) >= 0 || errno != EFAULT)
			return finding("process_vm_writev to %s: %s", name, strerror(errno));
		if (pread(open("/proc/self/mem", O_RDWR), buf, 16, (unsigned long)p) > 0)
			return finding("/proc/self/mem at %s", name);
		if (!mprotect(page, PG, RW) || !munmap(page, PG))
			return finding("mprotect or munmap of %s", name);
		if (!madvise(page, PG, MADV_POPULATE_WRITE))
			return finding("populating %s", name);
	}
	return NULL;
}

const char *kernel_memory_through_calls(void)
{
	find_places();
	return apart(calls, true);
}
