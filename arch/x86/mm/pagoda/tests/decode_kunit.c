// SPDX-License-Identifier: GPL-2.0
/*
 * Page-fault error codes, every one of them.
 *
 * Each property is a rule of the manuals or of Linux, stated without looking
 * at how the code decides, and is checked for all combinations of bits.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include "../decode.h"

static const unsigned long pf_bits[] = {
	X86_PF_PROT, X86_PF_WRITE, X86_PF_USER, X86_PF_RSVD, X86_PF_INSTR,
	X86_PF_PK, X86_PF_SHSTK, X86_PF_SGX, X86_PF_RMP,
};

#define PF_CODES	BIT(ARRAY_SIZE(pf_bits))

static unsigned long nth_code(unsigned int n)
{
	unsigned long code = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pf_bits); i++)
		if (n & BIT(i))
			code |= pf_bits[i];
	return code;
}

static void every_code_has_a_route(struct kunit *test)
{
	unsigned int n;

	for (n = 0; n < PF_CODES; n++) {
		unsigned long code = nth_code(n);
		bool user = code & X86_PF_USER;
		enum pf_route open = pf_route(code, false, false);
		enum pf_route armed = pf_route(code, false, true);

		/* Addresses come first: no bit moves a fault out of a half. */
		KUNIT_EXPECT_EQ(test, pf_route(code, true, false),
				PF_ROUTE_KERNEL);
		KUNIT_EXPECT_EQ(test, pf_route(code, true, true),
				PF_ROUTE_KERNEL);
		KUNIT_EXPECT_NE(test, open, PF_ROUTE_KERNEL);

		/* The kernel never executes user memory. */
		KUNIT_EXPECT_EQ(test, open == PF_ROUTE_KERNEL_EXEC,
				!user && (code & X86_PF_INSTR));

		/* SMAP stops the kernel only, and only its data accesses. */
		KUNIT_EXPECT_NE(test, open, PF_ROUTE_SMAP);
		if (user)
			KUNIT_EXPECT_EQ(test, armed, open);
		else
			KUNIT_EXPECT_NE(test, armed, PF_ROUTE_USER);

		/* Reserved bits are never served. */
		if (code & X86_PF_RSVD)
			KUNIT_EXPECT_NE(test, open, PF_ROUTE_USER);
		else if (user)
			KUNIT_EXPECT_EQ(test, open, PF_ROUTE_USER);
	}
}

static void flags_follow_the_access(struct kunit *test)
{
	unsigned int n;

	for (n = 0; n < PF_CODES; n++) {
		unsigned long code = nth_code(n);
		unsigned int kern = pf_flags(code, false);
		unsigned int user = pf_flags(code, true);

		KUNIT_EXPECT_EQ(test, kern & FAULT_FLAG_USER, 0);
		KUNIT_EXPECT_EQ(test, user, kern | FAULT_FLAG_USER);
		KUNIT_EXPECT_EQ(test, !!(kern & FAULT_FLAG_WRITE),
				!!(code & (X86_PF_WRITE | X86_PF_SHSTK)));
		KUNIT_EXPECT_EQ(test, !!(kern & FAULT_FLAG_INSTRUCTION),
				!!(code & X86_PF_INSTR));
		KUNIT_EXPECT_EQ(test, kern & FAULT_FLAG_DEFAULT,
				FAULT_FLAG_DEFAULT);
	}
}

/* All of read, write, execute and, where it exists, shadow stack. */
static vm_flags_t nth_area(unsigned int n)
{
	return (n & 1 ? VM_READ : 0) | (n & 2 ? VM_WRITE : 0) |
	       (n & 4 ? VM_EXEC : 0) | (n & 8 ? VM_SHADOW_STACK : 0);
}

static void verdict_for_every_area(struct kunit *test)
{
	unsigned int n, a;

	for (n = 0; n < PF_CODES; n++)
		for (a = 0; a < 16; a++) {
			unsigned long code = nth_code(n);
			vm_flags_t area = nth_area(a);
			bool shadow = area & VM_SHADOW_STACK;
			enum pf_end end = pf_verdict(code, area, true);

			/* Keys are asked first and alone give PKUERR. */
			KUNIT_EXPECT_EQ(test, end == PF_END_PKUERR,
					!!(code & X86_PF_PK));
			KUNIT_EXPECT_EQ(test, pf_verdict(code, area, false),
					PF_END_PKUERR);
			if (end == PF_END_PKUERR)
				continue;

			/* An area without rights grants nothing. */
			if (!(area & VM_ACCESS_FLAGS))
				KUNIT_EXPECT_EQ(test, end, PF_END_ACCERR);
			/* What SGX refuses is not ours to map. */
			if (code & X86_PF_SGX)
				KUNIT_EXPECT_EQ(test, end, PF_END_ACCERR);
			/* No kind of write without VM_WRITE. */
			if ((code & (X86_PF_WRITE | X86_PF_SHSTK)) &&
			    !(area & VM_WRITE))
				KUNIT_EXPECT_EQ(test, end, PF_END_ACCERR);
			if (end != PF_END_DONE)
				continue;

			/* Allowed: then the kind of area fits the access. */
			if (code & X86_PF_SHSTK)
				KUNIT_EXPECT_TRUE(test, shadow);
			else if (code & X86_PF_WRITE)
				KUNIT_EXPECT_FALSE(test, shadow);
			else
				KUNIT_EXPECT_FALSE(test, code & X86_PF_PROT);
		}
}

/* The accesses that programs make, one by one. */
static void verdict_for_plain_accesses(struct kunit *test)
{
	const unsigned long u = X86_PF_USER;
	const unsigned long w = u | X86_PF_WRITE, x = u | X86_PF_INSTR;

	/* First touches. */
	KUNIT_EXPECT_EQ(test, pf_verdict(u, VM_READ, true), PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_verdict(x, VM_READ | VM_EXEC, true),
			PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_verdict(w, VM_READ | VM_WRITE, true),
			PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_verdict(w, VM_READ, true), PF_END_ACCERR);
	KUNIT_EXPECT_EQ(test, pf_verdict(u, 0, true), PF_END_ACCERR);
	/* Write-only and execute-only areas can be read on x86. */
	KUNIT_EXPECT_EQ(test, pf_verdict(u, VM_WRITE, true), PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_verdict(u, VM_EXEC, true), PF_END_DONE);
	/* Copy-on-write, and no cure for NX. */
	KUNIT_EXPECT_EQ(test, pf_verdict(w | X86_PF_PROT, VM_WRITE, true),
			PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_verdict(x | X86_PF_PROT, VM_READ | VM_WRITE,
					 true), PF_END_ACCERR);
}

static void kernel_half_looks_the_same(struct kunit *test)
{
	unsigned int n;

	for (n = 0; n < PF_CODES; n++) {
		unsigned long code = nth_code(n);

		/* Whether something is present there does not show. */
		KUNIT_EXPECT_EQ(test, pf_shown_code(code, true),
				pf_shown_code(code ^ X86_PF_PROT, true));
		KUNIT_EXPECT_EQ(test, pf_shown_code(code, false),
				code | X86_PF_USER);
	}
}

static void stale_entries_need_presence(struct kunit *test)
{
	unsigned int n, found = 0;

	for (n = 0; n < PF_CODES; n++) {
		unsigned long code = nth_code(n);

		if (!pf_may_be_stale(code))
			continue;
		found++;
		KUNIT_EXPECT_TRUE(test, code & X86_PF_PROT);
		KUNIT_EXPECT_FALSE(test, code & (X86_PF_USER | X86_PF_RSVD |
						 X86_PF_PK | X86_PF_SHSTK));
		KUNIT_EXPECT_TRUE(test, code & (X86_PF_WRITE | X86_PF_INSTR));
	}
	KUNIT_EXPECT_EQ(test, found, 2);
}

static void results_map_to_ends(struct kunit *test)
{
	static const struct {
		vm_fault_t fault;
		enum pf_end end;
	} table[] = {
		{ 0, PF_END_DONE },
		{ VM_FAULT_MAJOR, PF_END_DONE },
		{ VM_FAULT_NOPAGE, PF_END_DONE },
		{ VM_FAULT_OOM, PF_END_OOM },
		{ VM_FAULT_SIGBUS, PF_END_BUS },
		{ VM_FAULT_SIGBUS | VM_FAULT_MAJOR, PF_END_BUS },
		{ VM_FAULT_HWPOISON, PF_END_POISON },
		{ VM_FAULT_SIGBUS | VM_FAULT_HWPOISON, PF_END_POISON },
		{ VM_FAULT_SIGSEGV, PF_END_MAPERR },
		{ VM_FAULT_OOM | VM_FAULT_SIGBUS, PF_END_OOM },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		KUNIT_EXPECT_EQ(test, pf_result(table[i].fault), table[i].end);
}

static void prefetches_are_recognised(struct kunit *test)
{
	static const struct {
		u8 insn[15];
		u8 len;
		bool long_mode, yes;
	} table[] = {
		{ { 0x0f, 0x0d, 0x08 }, 3, true, true },	/* prefetchw */
		{ { 0x0f, 0x18, 0x00 }, 3, true, true },	/* prefetchnta */
		{ { 0x0f, 0x0b }, 2, true, false },		/* ud2 */
		{ { 0x0f }, 1, true, false },			/* cut short */
		{ { }, 0, true, false },
		{ { 0x41, 0x0f, 0x18, 0x00 }, 4, true, true },	/* rex.b */
		{ { 0x41, 0x0f, 0x18, 0x00 }, 4, false, false },	/* inc */
		{ { 0x2e, 0x66, 0xf3, 0x0f, 0x0d }, 5, false, true },
		{ { 0x64, 0x65, 0x67, 0xf0, 0xf2, 0x0f, 0x18 }, 7, true, true },
		{ { 0x8b, 0x00 }, 2, true, false },		/* mov */
		{ { 0xf1, 0x0f, 0x18 }, 3, true, false },	/* icebp */
		{ { [0 ... 14] = 0x66 }, 15, true, false },	/* too long */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		KUNIT_EXPECT_EQ_MSG(test, insn_is_prefetch(table[i].insn,
							   table[i].len,
							   table[i].long_mode),
				    table[i].yes, "row %u", i);
}

static struct kunit_case decode_cases[] = {
	KUNIT_CASE(every_code_has_a_route),
	KUNIT_CASE(flags_follow_the_access),
	KUNIT_CASE(verdict_for_every_area),
	KUNIT_CASE(verdict_for_plain_accesses),
	KUNIT_CASE(kernel_half_looks_the_same),
	KUNIT_CASE(stale_entries_need_presence),
	KUNIT_CASE(results_map_to_ends),
	KUNIT_CASE(prefetches_are_recognised),
	{}
};

static struct kunit_suite decode_suite = {
	.name = "pagoda_x86_fault",
	.test_cases = decode_cases,
};

kunit_test_suite(decode_suite);
