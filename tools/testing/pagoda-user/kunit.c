// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit's runner and Pagoda's fixture (lib/pagoda/umm.h) in user space.
 *
 * Each case runs on its own, in a fresh address space if its suite asks for
 * one; when it is over everything must have gone. The output is KTAP.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/list.h>
#include <pagoda/umm.h>
#include "user.h"

struct kunit_action {
	struct kunit_action *next;
	void (*fn)(void *arg);
	void *arg;
};

void *kunit_stubbed, *kunit_stub;

void kunit_failed(struct kunit *test, bool fatal, const char *file, int line,
		  const char *what, long long left, long long right)
{
	test->failed++;
	host_print("    # %s:%d: %s: %lld (%#llx), %lld (%#llx)\n", file, line,
		   what, left, left, right, right);
	if (fatal)
		host_throw();
}

void kunit_skip(struct kunit *test, const char *why, ...)
{
	test->skipped = true;
	strscpy(test->why, why, sizeof(test->why));
	host_throw();
}

int kunit_add_action_or_reset(struct kunit *test, void (*fn)(void *arg),
			      void *arg)
{
	struct kunit_action *a = host_alloc(sizeof(*a), 0);

	*a = (struct kunit_action) { test->actions, fn, arg };
	test->actions = a;
	return 0;
}

void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	void *p = host_alloc(size, 0);

	memset(p, 0, size);
	kunit_add_action_or_reset(test, host_free, p);
	return p;
}

/* The fixture. Nobody else runs: a child is but its address space. */
struct umm_case {
	struct list_head spaces;
};

static struct umm *umm_add(struct kunit *test, struct mm_struct *mm)
{
	struct umm_case *c = test->priv;
	struct umm *u;

	if (!mm)
		return NULL;
	u = kunit_kzalloc(test, sizeof(*u), GFP_KERNEL);
	u->test = test;
	u->mm = mm;
	mmgrab(mm);
	list_add_tail(&u->node, &c->spaces);
	return u;
}

struct umm *umm_new(struct kunit *test)
{
	struct mm_struct *mm = user_mm_new();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	mm->start_brk = 2 * UMM_BASE - SZ_1M;
	mm->brk = mm->start_brk;
	return umm_add(test, mm);
}

struct umm *umm_fork(struct kunit *test)
{
	return umm_add(test, user_mm_fork(current->mm)) ?: ERR_PTR(-ENOMEM);
}

void umm_enter(struct umm *u)
{
	user_mm_enter(u->mm);
}

void umm_leave(void)
{
	user_mm_enter(NULL);
}

struct umm *umm_self(struct kunit *test)
{
	struct umm_case *c = test->priv;

	return list_first_entry(&c->spaces, struct umm, node);
}

long umm_rss(struct mm_struct *mm, int member)
{
	return mm->rss_stat[member].count;
}

unsigned long umm_table_bytes(struct mm_struct *mm)
{
	return mm_pgtables_bytes(mm);
}

long umm_rss_all(struct mm_struct *mm)
{
	return umm_rss(mm, MM_ANONPAGES) + umm_rss(mm, MM_FILEPAGES) +
	       umm_rss(mm, MM_SHMEMPAGES);
}

/* mmput() sees to it that nothing is counted any more. */
void umm_drop(struct umm *u)
{
	if (current->mm == u->mm)
		umm_leave();
	u->dropped = true;
	KUNIT_EXPECT_EQ(u->test, atomic_read(&u->mm->mm_users), 1);
	user_tlb_check(u->mm);
	mmput(u->mm);
}

int umm_init(struct kunit *test)
{
	struct umm_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	user_limits();
	INIT_LIST_HEAD(&c->spaces);
	test->priv = c;
	umm_enter(umm_new(test));
	return 0;
}

void umm_exit(struct kunit *test)
{
	struct umm_case *c = test->priv;
	struct umm *u;

	if (!c)
		return;
	if (!test->failed)
		user_audit();
	list_for_each_entry(u, &c->spaces, node)
		if (!u->dropped)
			umm_drop(u);
	list_for_each_entry(u, &c->spaces, node)
		mmdrop(u->mm);
}

struct kunit_run {
	struct kunit_suite *suite;
	struct kunit_case *c;
	struct kunit test;
	bool begun;
};

static void kunit_body(void *arg)
{
	struct kunit_run *run = arg;

	if (run->suite->init && run->suite->init(&run->test))
		run->test.failed++;
	else
		run->c->run_case(&run->test);
}

static void kunit_end(void *arg)
{
	struct kunit_run *run = arg;

	if (run->suite->exit)
		run->suite->exit(&run->test);
}

/* Run a case with one parameter. Return whether it failed. */
static bool kunit_once(struct kunit_suite *suite, struct kunit_case *c,
		       const void *param, struct kunit *test)
{
	unsigned long frames = user_frames_used, objects = user_objects;
	struct kunit_run run = { .suite = suite, .c = c };

	run.test.param_value = param;
	host_try(kunit_body, &run);
	host_try(kunit_end, &run);
	while (run.test.actions) {
		struct kunit_action *a = run.test.actions;

		run.test.actions = a->next;
		a->fn(a->arg);
		host_free(a);
	}
	kunit_stubbed = NULL;
	user_lru_drain();
	user_grace();
	if (!run.test.failed && (user_frames_used != frames ||
				 user_objects != objects)) {
		host_print("    # %ld frames and %ld objects are left\n",
			   user_frames_used - frames, user_objects - objects);
		run.test.failed++;
	}
	*test = run.test;
	return run.test.failed;
}

/* What cannot be here, and why. */
static const struct kunit_not {
	const char *name, *why;
} kunit_nots[] = {
	{ "munmap_refuses", "the kernel has no addresses of its own" },
	{ "mincore_file", "needs the kernel's page cache" },
};

static bool kunit_leave_out(struct kunit_case *c, int number)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kunit_nots); i++) {
		if (strcmp(kunit_nots[i].name, c->name))
			continue;
		host_print("    ok %d %s # SKIP %s\n", number, c->name,
			   kunit_nots[i].why);
		return true;
	}
	return false;
}

static bool kunit_case(struct kunit_suite *suite, struct kunit_case *c,
		       int number)
{
	char desc[KUNIT_PARAM_DESC_SIZE] = "";
	const void *param = NULL;
	bool failed = false;
	struct kunit test;

	if (c->generate_params) {
		while ((param = c->generate_params(param, desc))) {
			if (!kunit_once(suite, c, param, &test))
				continue;
			host_print("    # with %s\n", desc);
			failed = true;
		}
	} else {
		failed = kunit_once(suite, c, NULL, &test);
	}
	host_print("    %s %d %s", failed ? "not ok" : "ok", number, c->name);
	if (!c->generate_params && test.skipped)
		host_print(" # SKIP %s", test.why);
	host_print("\n");
	/* Nothing can be said after it. */
	if (failed)
		host_exit(1);
	return failed;
}

extern struct kunit_suite *__start_kunit_suites[], *__stop_kunit_suites[];

/**
 * user_kunit - run a suite
 * @name: which; NULL to list them
 */
void user_kunit(const char *name)
{
	struct kunit_suite **s;
	struct kunit_case *c;
	int number = 0;

	for (s = __start_kunit_suites; s < __stop_kunit_suites; s++) {
		if (!name) {
			host_print("%s\n", (*s)->name);
			continue;
		}
		if (strcmp((*s)->name, name))
			continue;
		for (c = (*s)->test_cases; c->name; c++)
			number++;
		host_print("KTAP version 1\n1..1\n    KTAP version 1\n");
		host_print("    # Subtest: %s\n    1..%d\n", name, number);
		number = 0;
		for (c = (*s)->test_cases; c->name; c++)
			if (!kunit_leave_out(c, ++number))
				kunit_case(*s, c, number);
		host_print("ok 1 %s\n", name);
		return;
	}
	if (name)
		host_die("no suite %s", name);
}
