// SPDX-License-Identifier: GPL-2.0
/*
 * Syndromes of aborts, every fault status code (Arm ARM, "ESR_EL1", the tables
 * of ISS encodings for Data Aborts and Instruction Aborts).
 */
#include <kunit/test.h>
#include <linux/string.h>
#include "../decode.h"

#define DATA_EL0	((unsigned long)ESR_ELx_EC_DABT_LOW << ESR_ELx_EC_SHIFT)
#define DATA_EL1	((unsigned long)ESR_ELx_EC_DABT_CUR << ESR_ELx_EC_SHIFT)
#define FETCH_EL0	((unsigned long)ESR_ELx_EC_IABT_LOW << ESR_ELx_EC_SHIFT)
#define FETCH_EL1	((unsigned long)ESR_ELx_EC_IABT_CUR << ESR_ELx_EC_SHIFT)

/* What the tables name, and what is left is reserved or not for software. */
static const struct {
	u8 first, last;
	enum abort_kind kind;
} status_codes[] = {
	{ 0x04, 0x07, ABORT_TRANSLATION },	/* levels 0 to 3 */
	{ 0x08, 0x0b, ABORT_ACCESS },
	{ 0x0c, 0x0f, ABORT_PERMISSION },
	{ 0x10, 0x10, ABORT_EXTERNAL },
	{ 0x11, 0x11, ABORT_TAG },
	{ 0x13, 0x17, ABORT_EXTERNAL_WALK },	/* levels -1 to 3 */
	{ 0x18, 0x18, ABORT_EXTERNAL },		/* parity or ECC */
	{ 0x1b, 0x1f, ABORT_EXTERNAL_WALK },
	{ 0x21, 0x21, ABORT_ALIGNMENT },
	{ 0x2b, 0x2b, ABORT_TRANSLATION },	/* level -1 */
	{ 0x35, 0x35, ABORT_EXCLUSIVE },
};

static void every_code_has_its_kind(struct kunit *test)
{
	enum abort_kind want[64];
	unsigned int code, i;

	for (code = 0; code < 64; code++)
		want[code] = ABORT_OTHER;
	for (i = 0; i < ARRAY_SIZE(status_codes); i++)
		for (code = status_codes[i].first; code <= status_codes[i].last;
		     code++)
			want[code] = status_codes[i].kind;
	for (code = 0; code < 64; code++) {
		KUNIT_EXPECT_EQ_MSG(test, abort_kind(code), want[code],
				    "%#x", code);
		/* The rest of the syndrome does not matter. */
		KUNIT_EXPECT_EQ(test, abort_kind(DATA_EL0 | ESR_ELx_WNR | code),
				want[code]);
		KUNIT_EXPECT_GT(test, strlen(abort_name(abort_kind(code))), 5);
	}
}

static void flags_follow_the_access(struct kunit *test)
{
	const unsigned int always = FAULT_FLAG_DEFAULT;
	const unsigned int user = always | FAULT_FLAG_USER;

	KUNIT_EXPECT_EQ(test, pf_flags(DATA_EL0, true), user);
	KUNIT_EXPECT_EQ(test, pf_flags(DATA_EL0 | ESR_ELx_WNR, true),
			user | FAULT_FLAG_WRITE);
	KUNIT_EXPECT_EQ(test, pf_flags(FETCH_EL0, true),
			user | FAULT_FLAG_INSTRUCTION);
	KUNIT_EXPECT_EQ(test, pf_flags(DATA_EL1, false), always);
	KUNIT_EXPECT_EQ(test, pf_flags(DATA_EL1 | ESR_ELx_WNR, false),
			always | FAULT_FLAG_WRITE);
	/* Cache maintenance needs the right to read and no more. */
	KUNIT_EXPECT_EQ(test, pf_flags(DATA_EL0 | ESR_ELx_WNR | ESR_ELx_CM,
				       true), user);
	/* In the syndrome of a fetch the bit means nothing. */
	KUNIT_EXPECT_EQ(test, pf_flags(FETCH_EL0 | ESR_ELx_WNR, true),
			user | FAULT_FLAG_INSTRUCTION);
	KUNIT_EXPECT_TRUE(test, abort_is_fetch(FETCH_EL1));
	KUNIT_EXPECT_FALSE(test, abort_is_fetch(DATA_EL1));
}

static void verdict_for_every_area(struct kunit *test)
{
	unsigned int area;

	for (area = 0; area < 8; area++) {
		vm_flags_t flags = (area & 1 ? VM_READ : 0) |
				   (area & 2 ? VM_WRITE : 0) |
				   (area & 4 ? VM_EXEC : 0);
		bool r = area & 1, w = area & 2, x = area & 4;

		KUNIT_EXPECT_EQ(test, pf_verdict(FAULT_FLAG_INSTRUCTION, flags,
						 true) == PF_END_DONE, x);
		KUNIT_EXPECT_EQ(test, pf_verdict(FAULT_FLAG_WRITE, flags,
						 true) == PF_END_DONE, w);
		/* What can be written can be read: AP has no other way. */
		KUNIT_EXPECT_EQ(test, pf_verdict(0, flags, true) == PF_END_DONE,
				r || w || x);
		/* With EPAN there is memory that can only be executed. */
		KUNIT_EXPECT_EQ(test, pf_verdict(0, flags, false) ==
				PF_END_DONE, r || w);
		if (!area)
			KUNIT_EXPECT_EQ(test, pf_verdict(0, flags, true),
					PF_END_ACCERR);
	}
}

static void result_for_every_answer(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, pf_result(0), PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_result(VM_FAULT_MAJOR), PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_result(VM_FAULT_NOPAGE), PF_END_DONE);
	KUNIT_EXPECT_EQ(test, pf_result(VM_FAULT_OOM), PF_END_OOM);
	KUNIT_EXPECT_EQ(test, pf_result(VM_FAULT_SIGBUS), PF_END_BUS);
	KUNIT_EXPECT_EQ(test, pf_result(VM_FAULT_HWPOISON), PF_END_POISON);
	KUNIT_EXPECT_EQ(test, pf_result(VM_FAULT_HWPOISON_LARGE),
			PF_END_POISON);
	KUNIT_EXPECT_EQ(test, pf_result(VM_FAULT_SIGSEGV), PF_END_MAPERR);
}

/* Of the kernel's half a program learns nothing but what it did itself. */
static void kernel_half_is_not_told(struct kunit *test)
{
	const unsigned long il = ESR_ELx_IL;
	unsigned int code;

	for (code = 0; code < 64; code++) {
		unsigned long data = DATA_EL0 | il | ESR_ELx_WNR | code;
		unsigned long fetch = FETCH_EL0 | il | code;

		KUNIT_EXPECT_EQ(test, pf_shown_esr(data, false), data);
		KUNIT_EXPECT_EQ(test, pf_shown_esr(data, true),
				DATA_EL0 | il | ESR_ELx_WNR | 0x04);
		KUNIT_EXPECT_EQ(test, pf_shown_esr(data | ESR_ELx_CM |
						   ESR_ELx_S1PTW, true),
				DATA_EL0 | il | ESR_ELx_WNR | ESR_ELx_CM | 0x04);
		KUNIT_EXPECT_EQ(test, pf_shown_esr(fetch | ESR_ELx_S1PTW, true),
				FETCH_EL0 | il | 0x04);
		KUNIT_EXPECT_EQ(test, pf_shown_esr(DATA_EL1 | il | code, true),
				0UL);
	}
}

static struct kunit_case decode_cases[] = {
	KUNIT_CASE(every_code_has_its_kind),
	KUNIT_CASE(flags_follow_the_access),
	KUNIT_CASE(verdict_for_every_area),
	KUNIT_CASE(result_for_every_answer),
	KUNIT_CASE(kernel_half_is_not_told),
	{}
};

static struct kunit_suite decode_suite = {
	.name = "pagoda_arm64_syndrome",
	.test_cases = decode_cases,
};

kunit_test_suite(decode_suite);
