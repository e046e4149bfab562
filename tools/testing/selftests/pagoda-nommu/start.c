// SPDX-License-Identifier: GPL-2.0
/*
 * What a program needs before main(): its own relocation, and system calls.
 *
 * It is loaded anywhere, so addresses in its data must be moved by as much as
 * it was: the relative ones of the ELF specification, chapter "Relocation".
 */
#include "nommu.h"

#if __SIZEOF_POINTER__ == 8
#define RELOC_TYPE(info) ((info) & 0xffffffff)
#else
#define RELOC_TYPE(info) ((info) & 0xff)
#endif

enum { DT_NULL, DT_RELA = 7, DT_RELASZ = 8 };

struct dynamic {
	unsigned long tag, value;
};

struct reloc {
	unsigned long offset, info;
	long addend;
};

unsigned long page_size;

/* Called by the entry point with the stack that exec has set up. */
__used int start(unsigned long *stack, const struct dynamic *dyn,
		 unsigned long base)
{
	unsigned long rela = 0, size = 0, *aux;
	int argc = stack[0];

	for (; dyn->tag != DT_NULL; dyn++) {
		if (dyn->tag == DT_RELA)
			rela = base + dyn->value;
		else if (dyn->tag == DT_RELASZ)
			size = dyn->value;
	}
	for (; size >= sizeof(struct reloc); size -= sizeof(struct reloc)) {
		const struct reloc *r = (const struct reloc *)rela;

		if (RELOC_TYPE(r->info))
			*(unsigned long *)(base + r->offset) = base + r->addend;
		rela += sizeof(*r);
	}

	/* Behind the arguments and the environment: AT_PAGESZ is 6. */
	for (aux = stack + argc + 2; *aux; aux++)
		;
	for (aux++; *aux; aux += 2) {
		if (*aux == 6)
			page_size = aux[1];
	}
	return program(argc, (char **)(stack + 1));
}

#if defined(__riscv)
asm(".option push\n"
	".option norelax\n"
	".globl _start\n"
	"_start:	mv	a0, sp\n"
	"	lla	a1, _DYNAMIC\n"
	"	lla	a2, __ehdr_start\n"
	"	andi	sp, sp, -16\n"
	"	call	start\n"
	"	li	a7, 94\n"
	"	ecall\n"
	/* spawn(): clone(CLONE_VM | CLONE_VFORK | SIGCHLD, stack_top) */
	".globl spawn\n"
	"spawn:	addi	a2, a2, -16\n"
	"	sd	a0, 0(a2)\n"
	"	sd	a1, 8(a2)\n"
	"	li	a0, 0x4111\n"
	"	mv	a1, a2\n"
	"	li	a2, 0\n"
	"	li	a3, 0\n"
	"	li	a4, 0\n"
	"	li	a7, 220\n"
	"	ecall\n"
	"	beqz	a0, 1f\n"
	"	ret\n"
	"1:	ld	t0, 0(sp)\n"
	"	ld	a0, 8(sp)\n"
	"	jalr	t0\n"
	"	li	a7, 94\n"
	"	ecall\n"
	".option pop\n");

long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long n asm("a7") = nr;
	register long a0 asm("a0") = a;
	register long a1 asm("a1") = b;
	register long a2 asm("a2") = c;
	register long a3 asm("a3") = d;
	register long a4 asm("a4") = e;
	register long a5 asm("a5") = f;

	asm volatile("ecall" : "+r" (a0) : "r" (n), "r" (a1), "r" (a2),
		     "r" (a3), "r" (a4), "r" (a5) : "memory");
	return a0;
}
#elif defined(__m68k__)
asm(".text\n"
	".globl _start\n"
	"_start:	movel	%sp, %a0\n"
	"	lea	_DYNAMIC - . - 8, %a1\n"
	"	lea	(0, %pc, %a1), %a1\n"
	"	lea	__ehdr_start - . - 8, %a2\n"
	"	lea	(0, %pc, %a2), %a2\n"
	"	movel	%a2, -(%sp)\n"
	"	movel	%a1, -(%sp)\n"
	"	movel	%a0, -(%sp)\n"
	"	bsr	start\n"
	"	movel	%d0, %d1\n"
	"	movel	#247, %d0\n"
	"	trap	#0\n"
	/* spawn(): clone(CLONE_VM | CLONE_VFORK | SIGCHLD, stack_top) */
	".globl spawn\n"
	"spawn:	lea	-16(%sp), %sp\n"
	"	moveml	%d2-%d5, (%sp)\n"
	"	movel	28(%sp), %a0\n"
	"	movel	24(%sp), -(%a0)\n"
	"	movel	20(%sp), -(%a0)\n"
	"	movel	#0x4111, %d1\n"
	"	movel	%a0, %d2\n"
	"	clrl	%d3\n"
	"	clrl	%d4\n"
	"	clrl	%d5\n"
	"	movel	#120, %d0\n"
	"	trap	#0\n"
	"	tstl	%d0\n"
	"	beq	1f\n"
	"	moveml	(%sp), %d2-%d5\n"
	"	lea	16(%sp), %sp\n"
	"	rts\n"
	"1:	movel	(%sp)+, %a0\n"
	"	jsr	(%a0)\n"
	"	movel	%d0, %d1\n"
	"	movel	#247, %d0\n"
	"	trap	#0\n");

long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long d0 asm("d0") = nr;
	register long d1 asm("d1") = a;
	register long d2 asm("d2") = b;
	register long d3 asm("d3") = c;
	register long d4 asm("d4") = d;
	register long d5 asm("d5") = e;
	register long a0 asm("a0") = f;

	asm volatile("trap #0" : "+d" (d0) : "d" (d1), "d" (d2), "d" (d3),
		     "d" (d4), "d" (d5), "a" (a0) : "memory");
	return d0;
}
#endif
