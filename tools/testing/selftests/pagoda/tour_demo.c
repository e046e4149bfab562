// SPDX-License-Identifier: GPL-2.0
/*
 * The tour's demonstration program: dynamically linked, with 4 MiB of constant
 * data and 1 MiB of writable data in its file.
 *
 * It reads commands "LETTER HEX" and answers each with one hexadecimal line:
 * an address of the kind asked for, or the byte it read or wrote.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

/* The i-th 4 KiB of either start with the number i; pages may be larger. */
asm(".pushsection .rodata.ballast,\"a\",%progbits\n"
	".balign 65536\n"
	"ballast_ro:\n"
	".set page, 0\n"
	".rept 1024\n"
	".long page\n"
	".fill 4092, 1, 0x5a\n"
	".set page, page + 1\n"
	".endr\n"
	".popsection\n"
	".pushsection .data.ballast,\"aw\",%progbits\n"
	".balign 65536\n"
	"ballast_rw:\n"
	".set page, 0\n"
	".rept 256\n"
	".long page\n"
	".fill 4092, 1, 0xa5\n"
	".set page, page + 1\n"
	".endr\n"
	".popsection\n"
);

static const char constant[] = "constant";
static int initialised = 1;
static int zeroed;

#ifdef __x86_64__
#define ADDRESS_OF(sym) ({						\
	unsigned long addr_;						\
	asm("lea " #sym "(%%rip), %0" : "=r"(addr_));			\
	addr_;								\
})
#elif defined(__aarch64__)
#define ADDRESS_OF(sym) ({						\
	unsigned long addr_;						\
	asm("adrp %0, " #sym "\n\tadd %0, %0, :lo12:" #sym : "=r"(addr_)); \
	addr_;								\
})
#elif defined(__riscv)
#define ADDRESS_OF(sym) ({						\
	unsigned long addr_;						\
	asm("lla %0, " #sym : "=r"(addr_));				\
	addr_;								\
})
#elif defined(__i386__)
#define ADDRESS_OF(sym) ({						\
	unsigned long addr_;						\
	asm("call 1f\n1:\tpop %0\n\tadd $(" #sym " - 1b), %0" : "=r"(addr_)); \
	addr_;								\
})
#endif

/* The argument vector and the environment, as the kernel left them. */
static char **args;

static unsigned long answer(char cmd, unsigned long arg)
{
	static void *small, *large;
	int local;

	if (!small) {
		small = malloc(100);
		large = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	switch (cmd) {
	case '?': return 42;
	case 'T': return (unsigned long)answer;
	case 'C': return (unsigned long)constant;
	case 'D': return (unsigned long)&initialised;
	case 'B': return (unsigned long)&zeroed;
	case 'H': return (unsigned long)small;
	case 'M': return (unsigned long)large;
	case 'L': return (unsigned long)strtoul;
	case 'V': return getauxval(AT_SYSINFO_EHDR);
	case 'S': return (unsigned long)&local;
	case 'A': return (unsigned long)args[0];
	case 'E': return (unsigned long)environ[0];
	case 'o': return ADDRESS_OF(ballast_ro);
	case 'd': return ADDRESS_OF(ballast_rw);
	case 'r': return *(unsigned char *)arg;
	case 'n': return *(unsigned int *)arg;
	case 'w':
		*(unsigned char *)arg ^= 0xff;
		return *(unsigned char *)arg;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long arg;
	char line[64];

	(void)argc;
	args = argv;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		arg = strtoul(line + 1, NULL, 16);
		printf("%lx\n", answer(line[0], arg));
	}
	return 0;
}
