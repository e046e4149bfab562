/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit in user space: as much of it as Pagoda's suites use. See kunit.c.
 */
#ifndef _USER_KUNIT_TEST_H
#define _USER_KUNIT_TEST_H

#include <linux/err.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#define KUNIT_PARAM_DESC_SIZE	128

struct kunit_action;

struct kunit {
	void *priv;
	const void *param_value;
	int failed;
	bool skipped;
	char why[80];
	struct kunit_action *actions;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(fn)			{ .run_case = fn, .name = #fn }
#define KUNIT_CASE_SLOW(fn)		KUNIT_CASE(fn)
#define KUNIT_CASE_PARAM(fn, gen) \
	{ .run_case = fn, .name = #fn, .generate_params = gen }

#define kunit_test_suite(suite)						\
	static struct kunit_suite *suite##_listed			\
	__used __section("kunit_suites") = &(suite)

#define KUNIT_ARRAY_NEXT(array, prev)					\
	((prev) ? (typeof(&(array)[0]))(prev) + 1 : &(array)[0])

#define KUNIT_ARRAY_PARAM(name, array, get_desc)			\
static const void *name##_gen_params(const void *prev, char *desc)	\
{									\
	__auto_type next = KUNIT_ARRAY_NEXT(array, prev);		\
									\
	if (next == (array) + ARRAY_SIZE(array))			\
		return NULL;						\
	void (*describe)(typeof(next), char *) = get_desc;		\
	if (describe)							\
		describe(next, desc);					\
	return next;							\
}

#define KUNIT_ARRAY_PARAM_DESC(name, array, member)			\
static const void *name##_gen_params(const void *prev, char *desc)	\
{									\
	__auto_type next = KUNIT_ARRAY_NEXT(array, prev);		\
									\
	if (next == (array) + ARRAY_SIZE(array))			\
		return NULL;						\
	strscpy(desc, next->member, KUNIT_PARAM_DESC_SIZE);		\
	return next;							\
}

/* kunit.c */
void kunit_failed(struct kunit *test, bool fatal, const char *file, int line,
		  const char *what, long long left, long long right);
void kunit_skip(struct kunit *test, const char *why, ...);
void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp);
int kunit_add_action_or_reset(struct kunit *test, void (*fn)(void *arg),
			      void *arg);

#define kunit_kcalloc(test, n, size, gfp) \
	kunit_kzalloc(test, (n) * (size), gfp)
#define kunit_err(test, ...)	kunit_failed(test, false, __FILE__, __LINE__, \
					     "kunit_err()", 0, 0)
#define KUNIT_FAIL(test, ...)	kunit_failed(test, false, __FILE__, __LINE__, \
					     "KUNIT_FAIL()", 0, 0)

#define KUNIT_HOLDS(test, fatal, what, left, op, right) do {		\
	__auto_type kunit_left = (left);				\
	__auto_type kunit_right = (right);				\
	if (!(kunit_left op kunit_right))				\
		kunit_failed(test, fatal, __FILE__, __LINE__, what,	\
			     (long long)kunit_left,			\
			     (long long)kunit_right);			\
} while (0)

#define KUNIT_COMPARES(test, fatal, left, op, right) \
	KUNIT_HOLDS(test, fatal, #left " " #op " " #right, left, op, right)
#define KUNIT_IS(test, fatal, truth, cond) \
	KUNIT_HOLDS(test, fatal, #cond " is " #truth, !!(cond), ==, truth)
#define KUNIT_STRINGS(test, fatal, a, b) \
	KUNIT_HOLDS(test, fatal, #a " reads " #b, strcmp(a, b), ==, 0)

#define KUNIT_EXPECT_EQ(t, a, b)	KUNIT_COMPARES(t, false, a, ==, b)
#define KUNIT_EXPECT_NE(t, a, b)	KUNIT_COMPARES(t, false, a, !=, b)
#define KUNIT_EXPECT_LT(t, a, b)	KUNIT_COMPARES(t, false, a, <, b)
#define KUNIT_EXPECT_LE(t, a, b)	KUNIT_COMPARES(t, false, a, <=, b)
#define KUNIT_EXPECT_GT(t, a, b)	KUNIT_COMPARES(t, false, a, >, b)
#define KUNIT_EXPECT_GE(t, a, b)	KUNIT_COMPARES(t, false, a, >=, b)
#define KUNIT_EXPECT_PTR_EQ(t, a, b)	KUNIT_COMPARES(t, false, a, ==, b)
#define KUNIT_EXPECT_PTR_NE(t, a, b)	KUNIT_COMPARES(t, false, a, !=, b)
#define KUNIT_EXPECT_TRUE(t, c)		KUNIT_IS(t, false, true, c)
#define KUNIT_EXPECT_FALSE(t, c)	KUNIT_IS(t, false, false, c)
#define KUNIT_EXPECT_NULL(t, p)		KUNIT_IS(t, false, false, p)
#define KUNIT_EXPECT_NOT_NULL(t, p)	KUNIT_IS(t, false, true, p)
#define KUNIT_EXPECT_STREQ(t, a, b)	KUNIT_STRINGS(t, false, a, b)
#define KUNIT_EXPECT_MEMEQ(t, a, b, n) \
	KUNIT_HOLDS(t, false, #a " holds " #b, memcmp(a, b, n), ==, 0)

#define KUNIT_ASSERT_EQ(t, a, b)	KUNIT_COMPARES(t, true, a, ==, b)
#define KUNIT_ASSERT_LE(t, a, b)	KUNIT_COMPARES(t, true, a, <=, b)
#define KUNIT_ASSERT_GT(t, a, b)	KUNIT_COMPARES(t, true, a, >, b)
#define KUNIT_ASSERT_GE(t, a, b)	KUNIT_COMPARES(t, true, a, >=, b)
#define KUNIT_ASSERT_TRUE(t, c)		KUNIT_IS(t, true, true, c)
#define KUNIT_ASSERT_FALSE(t, c)	KUNIT_IS(t, true, false, c)
#define KUNIT_ASSERT_NOT_NULL(t, p)	KUNIT_IS(t, true, true, p)
#define KUNIT_ASSERT_STREQ(t, a, b)	KUNIT_STRINGS(t, true, a, b)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(t, p) \
	KUNIT_IS(t, true, false, IS_ERR_OR_NULL(p))

#define KUNIT_EXPECT_EQ_MSG(t, a, b, ...)	KUNIT_EXPECT_EQ(t, a, b)
#define KUNIT_EXPECT_GT_MSG(t, a, b, ...)	KUNIT_EXPECT_GT(t, a, b)
#define KUNIT_EXPECT_TRUE_MSG(t, c, ...)	KUNIT_EXPECT_TRUE(t, c)
#define KUNIT_EXPECT_FALSE_MSG(t, c, ...)	KUNIT_EXPECT_FALSE(t, c)
#define KUNIT_ASSERT_TRUE_MSG(t, c, ...)	KUNIT_ASSERT_TRUE(t, c)

#endif
