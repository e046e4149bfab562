// SPDX-License-Identifier: GPL-2.0
/*
 * Deciding how areas split and merge: area_decide().
 *
 * Each case is three pictures, a character a page. The first shows what is
 * there: P the area below, M the one in the middle, N the one above, a dot for
 * a hole. The second shows the wanted range. The third shows who holds each
 * page in the end, w being an area of the range's own. A last test asks every
 * question there is and checks the answers against rules.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>

#include "../area.h"

#define PLAN_BASE	0x10000000UL
#define PLAN_PAGES	16

/* In what way an area is unlike the wanted range. */
enum plan_unlike { ALIKE, FLAGS, NOFILE, OFFSET, NAME };

struct plan_case {
	const char *name, *now, *want, *after;
	enum plan_unlike prev, next;	/* how they differ from the range */
	/*
	 * anon_vma of P, of the range, and of N: '-' none, a letter for which;
	 * a capital letter if a fork shares it.
	 */
	const char *anon;
	const char *closes;		/* areas that have a close hook */
	bool special;			/* the range may never be merged */
};

static const struct plan_case new_cases[] = {
	{ "a new area alone", "......", "  ww  ", "..ww.." },
	{ "above its like", "PP....", "  ww  ", "PPPP.." },
	{ "below its like", "....NN", "  ww  ", "..NNNN" },
	{ "between its likes", "PP..NN", "  ww  ", "PPPPPP" },
	{ "not touching below", "P...NN", "  ww  ", "P.NNNN" },
	{ "not touching above", "PP...N", "  ww  ", "PPPP.N" },
	{ "touching neither", "P....N", "  ww  ", "P.ww.N" },
	{ "other flags below", "PP..NN", "  ww  ", "PPNNNN", .prev = FLAGS },
	{ "other flags above", "PP..NN", "  ww  ", "PPPPNN", .next = FLAGS },
	{ "other flags on both sides", "PP..NN", "  ww  ", "PPwwNN",
	  .prev = FLAGS, .next = FLAGS },
	{ "no file below", "PP..NN", "  ww  ", "PPNNNN", .prev = NOFILE },
	{ "no file above", "PP..NN", "  ww  ", "PPPPNN", .next = NOFILE },
	{ "another offset below", "PP..NN", "  ww  ", "PPNNNN",
	  .prev = OFFSET },
	{ "another offset above", "PP..NN", "  ww  ", "PPPPNN",
	  .next = OFFSET },
#ifdef CONFIG_ANON_VMA_NAME
	{ "another name below", "PP..NN", "  ww  ", "PPNNNN", .prev = NAME },
	{ "another name above", "PP..NN", "  ww  ", "PPPPNN", .next = NAME },
#endif
	{ "special on both sides", "PP..NN", "  ww  ", "PPwwNN",
	  .special = true },
	{ "written below", "PP..NN", "  ww  ", "PPPPPP", .anon = "a--" },
	{ "written above", "PP..NN", "  ww  ", "PPPPPP", .anon = "--a" },
	{ "written together", "PP..NN", "  ww  ", "PPPPPP", .anon = "a-a" },
	{ "written apart", "PP..NN", "  ww  ", "PPPPNN", .anon = "a-b" },
	{ "forked below", "PP..NN", "  ww  ", "PPNNNN", .anon = "A--" },
	{ "forked above", "PP..NN", "  ww  ", "PPPPNN", .anon = "--A" },
	{ "forked on both sides", "PP..NN", "  ww  ", "PPwwNN",
	  .anon = "A-A" },
	{ "moved here with its pages", "PP..NN", "  ww  ", "PPPPPP",
	  .anon = "AAA" },
	{ "moved beside others' pages", "PP..NN", "  ww  ", "PPwwNN",
	  .anon = "bac" },
	{ "moved beside no pages", "PP..NN", "  ww  ", "PPwwNN",
	  .anon = "-a-" },
	{ "close hook below", "PP..NN", "  ww  ", "PPPPPP", .closes = "P" },
	{ "close hook above", "PP..NN", "  ww  ", "PPPPNN", .closes = "N" },
	{ "close hook above only", "....NN", "  ww  ", "..NNNN",
	  .closes = "N" },
};

static const struct plan_case change_cases[] = {
	{ "all of an area alone", "..MM..", "  ww  ", "..ww.." },
	{ "the head of an area", "MMMM..", "ww    ", "wwMM.." },
	{ "the tail of an area", "MMMM..", "  ww  ", "MMww.." },
	{ "the middle of an area", "MMMMMM", "  ww  ", "MMwwMM" },
	{ "the head, its like below", "PPMMMM", "  ww  ", "PPPPMM" },
	{ "the head, its like above", "MMMMNN", "ww    ", "wwMMNN" },
	{ "the tail, its like above", "MMMMNN", "  ww  ", "MMNNNN" },
	{ "the tail, its like below", "PPMMMM", "    ww", "PPMMww" },
	{ "the middle, likes around", "PMMMMN", "  ww  ", "PMwwMN" },
	{ "all, its like below", "PPMM..", "  ww  ", "PPPP.." },
	{ "all, its like above", "..MMNN", "  ww  ", "..NNNN" },
	{ "all, its likes around", "PPMMNN", "  ww  ", "PPPPPP" },
	{ "all, its like not touching", "P.MM.N", "  ww  ", "P.ww.N" },
	{ "all, other flags below", "PPMMNN", "  ww  ", "PPNNNN",
	  .prev = FLAGS },
	{ "all, other flags above", "PPMMNN", "  ww  ", "PPPPNN",
	  .next = FLAGS },
	{ "the head, other flags below", "PPMMMM", "  ww  ", "PPwwMM",
	  .prev = FLAGS },
	{ "the tail, other flags above", "MMMMNN", "  ww  ", "MMwwNN",
	  .next = FLAGS },
	{ "the head, another offset below", "PPMMMM", "  ww  ", "PPwwMM",
	  .prev = OFFSET },
	{ "the tail, another offset above", "MMMMNN", "  ww  ", "MMwwNN",
	  .next = OFFSET },
	{ "special", "PPMMNN", "  ww  ", "PPwwNN", .special = true },
	{ "special, the middle", "MMMMMM", "  ww  ", "MMwwMM",
	  .special = true },
	{ "written, like its likes", "PPMMNN", "  ww  ", "PPPPPP",
	  .anon = "aaa" },
	{ "written, unlike below", "PPMMNN", "  ww  ", "PPNNNN",
	  .anon = "baa" },
	{ "written, unlike above", "PPMMNN", "  ww  ", "PPPPNN",
	  .anon = "aab" },
	{ "written alone", "PPMMNN", "  ww  ", "PPwwNN", .anon = "-a-" },
	{ "clean between two written", "PPMMNN", "  ww  ", "PPPPNN",
	  .anon = "a-b" },
	{ "clean below written", "PPMMNN", "  ww  ", "PPPPPP", .anon = "--a" },
	{ "clean beside forked", "PPMMNN", "  ww  ", "PPNNNN", .anon = "A--" },
	{ "forked, like its likes", "PPMMNN", "  ww  ", "PPPPPP",
	  .anon = "AAA" },
	{ "close hook, all", "PPMMNN", "  ww  ", "PPwwNN", .closes = "M" },
	{ "close hook, the head", "PPMMMM", "  ww  ", "PPPPMM",
	  .closes = "M" },
	{ "close hook above", "PPMMNN", "  ww  ", "PPPPNN", .closes = "N" },
	{ "close hook above only", "..MMNN", "  ww  ", "..NNNN",
	  .closes = "N" },
};

static void plan_case_name(const struct plan_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(new, new_cases, plan_case_name);
KUNIT_ARRAY_PARAM(change, change_cases, plan_case_name);

/* Things of which only the address counts. */
static char plan_files[2], plan_anons[3];

/* Return: whether @letter is in the picture; if so, its range is in @s. */
static bool plan_range(const char *picture, char letter, struct area_sketch *s)
{
	const char *first = strchr(picture, letter);

	if (!first)
		return false;
	s->start = PLAN_BASE + ((first - picture) << PAGE_SHIFT);
	s->end = PLAN_BASE +
		 ((strrchr(picture, letter) + 1 - picture) << PAGE_SHIFT);
	s->pgoff = s->start >> PAGE_SHIFT;
	s->flags = VM_READ | VM_WRITE;
	s->file = (struct file *)&plan_files[0];
	return true;
}

static void plan_anon(struct area_sketch *s, const char *anon, int i)
{
	if (!anon || anon[i] == '-')
		return;
	s->anon = (struct anon_vma *)&plan_anons[(anon[i] | 0x20) - 'a'];
	s->lone = anon[i] & 0x20;
}

static void plan_differ(struct area_sketch *s, enum plan_unlike how,
			struct anon_vma_name *name)
{
	if (how == FLAGS)
		s->flags &= ~VM_WRITE;
	if (how == NOFILE)
		s->file = NULL;
	if (how == OFFSET)
		s->pgoff++;
	if (how == NAME)
		s->name = name;
}

static void plan_fill(char *picture, char letter, unsigned long start,
		      unsigned long end)
{
	for (; start < end; start += PAGE_SIZE)
		picture[(start - PLAN_BASE) >> PAGE_SHIFT] = letter;
}

static void plan_decide(struct kunit *test)
{
	const struct plan_case *c = test->param_value;
	const char *closes = c->closes ?: "";
	struct area_sketch prev = {}, mid = {}, next = {}, want = {};
	struct area_verdict v;
	bool has_prev, has_mid, has_next;
	struct anon_vma_name *name;
	char after[PLAN_PAGES];

	name = kunit_kzalloc(test, sizeof(*name) + 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, name);

	has_prev = plan_range(c->now, 'P', &prev);
	has_mid = plan_range(c->now, 'M', &mid);
	has_next = plan_range(c->now, 'N', &next);
	KUNIT_ASSERT_TRUE(test, plan_range(c->want, 'w', &want));
	plan_differ(&prev, c->prev, name);
	plan_differ(&next, c->next, name);
	plan_anon(&prev, c->anon, 0);
	plan_anon(&want, c->anon, 1);
	plan_anon(&mid, c->anon, 1);
	plan_anon(&next, c->anon, 2);
	prev.closes = strchr(closes, 'P');
	mid.closes = strchr(closes, 'M');
	next.closes = strchr(closes, 'N');
	if (c->special) {
		want.flags = VM_READ | VM_PFNMAP;
		prev.flags = want.flags;
		next.flags = want.flags;
	}

	area_decide(&v, has_prev ? &prev : NULL, has_mid ? &mid : NULL,
		    has_next ? &next : NULL, &want);

	/* Draw what the verdict says. */
	strscpy(after, c->now);
	if (v.eat_mid)
		plan_fill(after, '.', mid.start, mid.end);
	if (v.eat_next)
		plan_fill(after, '.', next.start, next.end);
	plan_fill(after, "wPN"[v.host], v.start, v.end);
	KUNIT_EXPECT_STREQ(test, after, c->after);
	KUNIT_EXPECT_EQ(test, v.head, has_mid && mid.start < want.start);
	KUNIT_EXPECT_EQ(test, v.tail, has_mid && mid.end > want.end);
}

/* Every combination of what area_decide() looks at, a bit or two each. */
static void plan_build(struct area_sketch *s, const char *now, char letter,
		       unsigned int traits)
{
	*s = (struct area_sketch) {};
	plan_range(now, letter, s);
	if (traits & 1)
		s->flags &= ~VM_WRITE;
	if (traits & 2)
		s->closes = true;
	if (traits & 12) {
		s->anon = (struct anon_vma *)&plan_anons[traits >> 3 & 1];
		s->lone = (traits & 12) != 12;
	}
}

static bool plan_may_share(const struct area_sketch *near,
			   const struct area_sketch *want)
{
	if (near->flags != want->flags)
		return false;
	return near->anon == want->anon || (!want->anon && near->lone);
}

static void plan_check(struct kunit *test, const char * const picture[2],
		       unsigned int p, unsigned int m, unsigned int n)
{
	struct area_sketch prev, mid, next, want;
	bool has_prev, has_mid, has_next, whole, below, above;
	struct area_verdict v;

	plan_build(&prev, picture[0], 'P', p);
	plan_build(&mid, picture[0], 'M', m);
	plan_build(&next, picture[0], 'N', n);
	plan_build(&want, picture[1], 'w', m & ~3);
	has_prev = prev.end;
	has_mid = mid.end;
	has_next = next.end;
	area_decide(&v, has_prev ? &prev : NULL, has_mid ? &mid : NULL,
		    has_next ? &next : NULL, &want);

	whole = has_mid && mid.start == want.start && mid.end == want.end;
	below = v.start < want.start;
	above = v.end > want.end;
	/* The range is held, by one area, and nothing is held twice. */
	KUNIT_ASSERT_LE(test, v.start, want.start);
	KUNIT_ASSERT_GE(test, v.end, want.end);
	KUNIT_ASSERT_EQ(test, v.host == AREA_SELF, !below && !above);
	KUNIT_ASSERT_EQ(test, v.host == AREA_PREV, below);
	KUNIT_ASSERT_EQ(test, v.eat_next, below && above);
	KUNIT_ASSERT_EQ(test, v.eat_mid, whole && v.host != AREA_SELF);
	/* Who takes it in touches it and is alike. */
	if (below) {
		KUNIT_ASSERT_EQ(test, v.start, prev.start);
		KUNIT_ASSERT_EQ(test, prev.end, want.start);
		KUNIT_ASSERT_TRUE(test, plan_may_share(&prev, &want));
	}
	if (above) {
		KUNIT_ASSERT_EQ(test, v.end, next.end);
		KUNIT_ASSERT_EQ(test, next.start, want.end);
		KUNIT_ASSERT_TRUE(test, plan_may_share(&next, &want));
	}
	/* Nothing with a close hook goes; no two anon_vmas become one. */
	KUNIT_ASSERT_FALSE(test, v.eat_mid && mid.closes);
	KUNIT_ASSERT_FALSE(test, v.eat_next && next.closes);
	KUNIT_ASSERT_FALSE(test, v.eat_next && prev.anon && next.anon &&
			   prev.anon != next.anon);
	/* Who could take it in, does. */
	if (v.host != AREA_SELF || (whole && mid.closes))
		return;
	KUNIT_ASSERT_FALSE(test, has_prev && !v.head &&
			   prev.end == want.start &&
			   plan_may_share(&prev, &want));
	KUNIT_ASSERT_FALSE(test, has_next && !v.tail &&
			   next.start == want.end &&
			   plan_may_share(&next, &want));
}

static void plan_all(struct kunit *test)
{
	static const char * const pictures[][2] = {
		{ "PP..NN", "  ww  " }, { "P...NN", "  ww  " },
		{ "PP...N", "  ww  " }, { "PPMMNN", "  ww  " },
		{ "PPMMMM", "  ww  " }, { "MMMMNN", "  ww  " },
		{ "PMMMMN", "  ww  " },
	};
	unsigned int i, traits;

	for (i = 0; i < ARRAY_SIZE(pictures); i++)
		for (traits = 0; traits < 16 * 16 * 16; traits++)
			plan_check(test, pictures[i], traits & 15,
				   traits >> 4 & 15, traits >> 8);
}

static struct kunit_case plan_tests[] = {
	KUNIT_CASE_PARAM(plan_decide, new_gen_params),
	KUNIT_CASE_PARAM(plan_decide, change_gen_params),
	KUNIT_CASE(plan_all),
	{}
};

static struct kunit_suite plan_suite = {
	.name = "pagoda_plan",
	.test_cases = plan_tests,
};

kunit_test_suite(plan_suite);

MODULE_DESCRIPTION("How areas split and merge");
MODULE_LICENSE("GPL");
