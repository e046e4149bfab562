// SPDX-License-Identifier: GPL-2.0
/*
 * The scene of errors_test, and what else all rows find: open files of many
 * kinds, the peer, the ends of the address space.
 */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "errors.h"

unsigned long top, vdso, vvar, heap_begin, heap_low, heap;
bool vdso_has_parts;
pid_t peer;
char *own;

struct iovec *vec2(unsigned long base, size_t len, unsigned long base2, size_t len2)
{
	static struct iovec pool[512];
	static int used;
	struct iovec *v = &pool[used];

	used += 2;
	if (used > (int)ARRAY_SIZE(pool))
		abort();
	v[0] = (struct iovec){ (void *)base, len };
	v[1] = (struct iovec){ (void *)base2, len2 };
	return v;
}

struct iovec *vec1(unsigned long base, size_t len)
{
	return vec2(base, len, 0, 0);
}

static void put(int page, int pages, int prot, int flags, int fd, off_t offset)
{
	char *p = (char *)AT(page);

	if (mmap(p, PAGES(pages), prot | (fd < 0 ? RW : 0), flags | MAP_FIXED_NOREPLACE,
		 fd, offset) != p)
		abort();
	if (fd < 0) {
		fill(p, pages, page);
		if (prot != RW && mprotect(p, PAGES(pages), prot))
			abort();
	}
}

bool have_mseal(void)
{
	return !syscall(SYS_mseal, 0, 0, 0) || errno != ENOSYS;
}

bool have_secret(void)
{
	static int have = -1;
	int fd;

	if (have < 0) {
		fd = syscall(SYS_memfd_secret, 0);
		have = fd >= 0;
		close(fd);
	}
	return have;
}

void scene_lock(void)
{
	if (mlock((void *)AT(LOCKED), PAGES(4)))
		abort();
}

/*
 * Frames that nobody writes to: of the BIOS; of the flash of QEMU's machine, where
 * Linux lets no debugger see RAM by way of a device; or of the kernel's text.
 */
static off_t device_memory(void)
{
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
	return 0xf0000;
#else
	static off_t at;
	FILE *f = at ? NULL : fopen("/proc/iomem", "re");
	unsigned long long start;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, "Kernel code") && sscanf(line, "%llx", &start) == 1)
			at = (start + P - 1) / P * P;
	}
	if (f)
		fclose(f);
	if (!at)
		abort();
	return at;
#endif
}

void scene_make(void)
{
	put(WRITABLE, 8, RW, PRIVATE_ANON, -1, 0);
	put(READABLE, 4, PROT_READ, PRIVATE_ANON, -1, 0);
	put(NOACCESS, 2, PROT_NONE, PRIVATE_ANON, -1, 0);
	put(ISLAND, 2, RW, PRIVATE_ANON, -1, 0);
	put(GROWING, 4, RW, PRIVATE_ANON | MAP_GROWSDOWN, -1, 0);
	put(EDGE, 2, RW, PRIVATE_ANON, -1, 0);
	put(PRIVATE, 4, RW, MAP_PRIVATE, FD_RW, 0);
	poke((char *)AT(PRIVATE) + P, 'p');
	put(SHARED, 4, RW, MAP_SHARED, FD_RW, PAGES(4));
	put(SHOWN, 4, PROT_READ, MAP_SHARED, FD_RO, 0);
	put(LOCKED, 4, RW, PRIVATE_ANON, -1, 0);
	scene_lock();
	put(SEALED, 2, RW, PRIVATE_ANON, -1, 0);
	put(SEALED_RO, 2, PROT_READ, PRIVATE_ANON, -1, 0);
	if (have_mseal() && syscall(SYS_mseal, AT(SEALED), PAGES(4), 0))
		abort();
	put(SHORT, 4, RW, MAP_SHARED, FD_SHORT, 0);
	put(DEVICE, 2, PROT_READ, MAP_SHARED, FD_DEVMEM, device_memory());
	put(ANONSHARED, 2, RW, SHARED_ANON, -1, 0);
	if (have_secret())
		put(SECRET, 2, RW, MAP_SHARED, FD_SECRET, 0);
}

static void open_as(int as, int fd)
{
	if (fd < 0 || dup2(fd, as) != as) {
		printf("# descriptor %d: %s\n", as, strerror(errno));
		exit(1);
	}
	close(fd);
}

static int reopen(int fd, int how)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, how);
}

static int sealed_file(int seal)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);

	ftruncate(fd, PAGES(4));
	fcntl(fd, F_ADD_SEALS, seal);
	return fd;
}

static void open_append(void)
{
	char path[300];
	int flag = FS_APPEND_FL;
	int fd;

	snprintf(path, sizeof(path), "%s/append.%d", disk_dir(), getpid());
	fd = open(path, O_RDWR | O_CREAT, 0600);
	ftruncate(fd, PAGES(4));
	open_as(FD_APPEND, dup(fd));
	open_as(FD_APPEND_RO, open(path, O_RDONLY));
	unlink(path);
	if (ioctl(fd, FS_IOC_SETFLAGS, &flag))
		printf("# no append-only files: %s\n", strerror(errno));
	close(fd);
}

static void open_noexec(void)
{
	const char *dir = "/tmp/errors.noexec";
	char path[60];
	int fd;

	mkdir(dir, 0700);
	if (mount("none", dir, "tmpfs", MS_NOEXEC, NULL))
		printf("# no noexec mount: %s\n", strerror(errno));
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT, 0700);
	ftruncate(fd, PAGES(4));
	open_as(FD_NOEXEC, fd);
	umount2(dir, MNT_DETACH);
}

static void open_files(void)
{
	int fds[2];

	open_as(FD_RW, memory_file(8, 'A'));
	open_as(FD_RO, reopen(FD_RW, O_RDONLY));
	open_as(FD_WO, reopen(FD_RW, O_WRONLY));
	open_as(FD_PATH, reopen(FD_RW, O_PATH));
	open_as(FD_SHORT, memory_file(2, 's'));
	open_append();
	open_noexec();
	open_as(FD_DIR, open("/", O_RDONLY | O_DIRECTORY));
	pipe(fds);
	open_as(FD_PIPE, fds[0]);
	open_as(FD_SOCKET, syscall(SYS_socket, 1, 1, 0));
	open_as(FD_SEALED, sealed_file(8));	/* F_SEAL_WRITE */
	open_as(FD_FUTURE, sealed_file(16));	/* F_SEAL_FUTURE_WRITE */
	open_as(FD_DEVMEM, open("/dev/mem", O_RDONLY));
	if (have_secret()) {
		open_as(FD_SECRET, syscall(SYS_memfd_secret, 0));
		ftruncate(FD_SECRET, PAGES(2));
	}
	open_as(FD_ZERO, open("/dev/zero", O_RDWR));
	open_as(FD_DISK, disk_file(8, 'd'));
}

static void start_peer(void)
{
	int ready[2], status;
	pid_t dead;
	char c;

	pipe(ready);
	peer = fork();
	if (!peer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		scene_make();
		write(ready[1], "", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		abort();
	close(ready[0]);
	open_as(FD_PEER, syscall(SYS_pidfd_open, peer, 0));
	dead = fork();
	if (!dead)
		_exit(0);
	open_as(FD_DEAD, syscall(SYS_pidfd_open, dead, 0));
	waitpid(dead, &status, 0);
}

static void find_limits(void)
{
	static struct area v[64];
	int n;

	top = user_end();
	n = maps_read(0, v, ARRAY_SIZE(v));
	for (int i = 0; i < n; i++) {
		if (!strcmp(v[i].name, "[vdso]")) {
			vdso = v[i].start;
			vdso_has_parts = v[i].end - v[i].start > P;
		}
		if (!strcmp(v[i].name, "[vvar]"))
			vvar = v[i].start;
	}
	/* The C library has its part of the heap; rows have some pages more. */
	heap_begin = stat_field(0, 47);
	heap_low = (syscall(SYS_brk, 0) + P - 1) & -P;
	heap = heap_low + PAGES(8);
	syscall(SYS_brk, heap);
}

bool errors_open(void)
{
	if (!disk_dir())
		return false;
	/* With room behind it, so that not its length is what is wrong. */
	own = mmap((void *)FAR_PLACE(-1), PAGES(64), RW, PRIVATE_ANON, -1, 0);
	fill(own, 64, 'o');
	open_files();
	start_peer();
	find_limits();
	return own != MAP_FAILED && vdso && vvar;
}
