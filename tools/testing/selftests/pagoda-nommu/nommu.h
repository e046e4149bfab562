/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of calls without an MMU, checked by a program.
 */
#ifndef NOMMU_H
#define NOMMU_H

#define __aligned(n)	__attribute__((aligned(n)))
#define __used		__attribute__((used))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What a system call returns. */
#define EPERM		1
#define EIO		5
#define ENOMEM		12
#define EINVAL		22
#define ENODEV		19
#define ETXTBSY		26
#define EACCES		13
#define EFBIG		27
#define ENOSYS		38
#define failed(n)	((unsigned long)(n) > -4096UL)

#define PROT_READ	1
#define PROT_WRITE	2
#define PROT_RW		3
#define MAP_SHARED	1
#define MAP_PRIVATE	2
#define MAP_FIXED	0x10
#define MAP_ANONYMOUS	0x20
#define MAP_ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define MREMAP_MAYMOVE	1
#define MREMAP_FIXED	2
#define AT_FDCWD	(-100)
#define O_RDWR		2
#define O_CREAT		0100

enum {
#if defined(__riscv)
	NR_fork = -1, NR_clone = 220, NR_execve = 221, NR_exit = 94,
	NR_wait4 = 260, NR_openat = 56, NR_close = 57, NR_read = 63,
	NR_write = 64, NR_pread = 67, NR_ftruncate = 46, NR_lseek = 62,
	NR_mount = 40, NR_reboot = 142, NR_mmap = 222, NR_munmap = 215,
	NR_mremap = 216, NR_brk = 214, NR_mprotect = 226,
	NR_pkey_mprotect = 288, NR_msync = 227, NR_mlock = 228,
	NR_mlock2 = 284, NR_munlock = 229, NR_mlockall = 230,
	NR_munlockall = 231, NR_mincore = 232, NR_madvise = 233,
	NR_process_madvise = 440, NR_remap_file_pages = 234, NR_mseal = 462,
	NR_process_vm_readv = 270, NR_process_vm_writev = 271,
	NR_userfaultfd = 282, NR_memfd_create = 279, NR_swapon = 224,
	NR_swapoff = 225, NR_shmget = 194, NR_shmat = 196, NR_shmdt = 197,
	NR_shmctl = 195, NR_mkdirat = 34, NR_pipe2 = 59, NR_ioctl = 29,
#elif defined(__m68k__)
	NR_fork = 2, NR_clone = 120, NR_execve = 11, NR_exit = 247,
	NR_wait4 = 114, NR_openat = 288, NR_close = 6, NR_read = 3,
	NR_write = 4, NR_pread = 180, NR_ftruncate = 93, NR_lseek = 19,
	NR_mount = 21, NR_reboot = 88, NR_mmap = 192, NR_munmap = 91,
	NR_mremap = 163, NR_brk = 45, NR_mprotect = 125,
	NR_pkey_mprotect = 381, NR_msync = 144, NR_mlock = 150,
	NR_mlock2 = 375, NR_munlock = 151, NR_mlockall = 152,
	NR_munlockall = 153, NR_mincore = 237, NR_madvise = 238,
	NR_process_madvise = 440, NR_remap_file_pages = 252, NR_mseal = 462,
	NR_process_vm_readv = 345, NR_process_vm_writev = 346,
	NR_userfaultfd = 373, NR_memfd_create = 353, NR_swapon = 87,
	NR_swapoff = 115, NR_shmget = 395, NR_shmat = 397, NR_shmdt = 398,
	NR_shmctl = 396, NR_mkdirat = 289, NR_pipe2 = 327, NR_ioctl = 54,
#endif
};

/* start.c */
extern unsigned long page_size;
long call6(long nr, long a, long b, long c, long d, long e, long f);
long spawn(int (*fn)(void *arg), void *arg, void *stack_top);
#define call_pick(_1, _2, _3, _4, _5, _6, _7, name, ...) name
#define call1(nr) call6(nr, 0, 0, 0, 0, 0, 0)
#define call2(nr, a) call6(nr, (long)(a), 0, 0, 0, 0, 0)
#define call3(nr, a, b) call6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define call4(nr, a, b, c) call6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define call5(nr, a, b, c, d) \
	call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define call7(nr, a, b, c, d, e) \
	call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define call(...) call_pick(__VA_ARGS__, call7_6, call7, call5, call4, call3, \
			    call2, call1)(__VA_ARGS__)
#define call7_6(nr, a, b, c, d, e, f) \
	call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
	      (long)(f))

/* main.c */
int program(int argc, char **argv);

/* text.c */
unsigned long length(const char *text);
int same(const char *one, const char *two);
const char *find(const char *text, const char *word);
void print(const char *text);
void print_number(long n);
long open_file(const char *path, int flags);
long map(unsigned long pages, int prot, int flags);
long map_file(long fd, unsigned long first, unsigned long pages, int prot,
	      int flags);
int wait_for(long pid);

/**
 * struct row - a line of the table
 * @what: the call
 * @says: what it does without an MMU
 * @check: returns 0 if it does, else what came instead
 */
struct row {
	const char *what;
	const char *says;
	long (*check)(void);
};

extern const struct row rows_map[], rows_file[], rows_call[], rows_process[],
			rows_inject[];

/* What a call must answer, as a check's result. */
#define must_be(is, wanted) ({ long _is = (is); _is == (wanted) ? 0 : _is ? _is : 1; })

int init_main(void);
int inject_ready(void);

#endif /* NOMMU_H */
