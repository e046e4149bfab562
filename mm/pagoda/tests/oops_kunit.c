// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel says of an access of its own that nothing can excuse, and
 * that only the thread dies that made it.
 *
 * tools/pagoda/boot.py takes a report for an error of the kernel unless the
 * log announces it with "pagoda-expect:".
 */
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/panic.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/cpufeature.h>
#include <asm/set_memory.h>
#include <asm/tlbflush.h>

#include <pagoda/umm.h>

/* Where in the log a case begins. */
#define OOPS_MARK	"umm-oops: a thread that is to die"

enum oops_act { OOPS_READ, OOPS_WRITE, OOPS_CALL, OOPS_GET };
enum oops_place { PLACE_NULL, PLACE_CONST, PLACE_HEAP, PLACE_HOLE, PLACE_USER };

struct oops_case {
	const char *name;
	enum oops_act act;
	enum oops_place place;
	const char *first;	/* how the report begins */
	const char *access;
	const char *cause;
	const char *more;
};

#define NULL_POINTER	"BUG: kernel NULL pointer dereference, address: "
#define BAD_FAULT	"BUG: unable to handle page fault for address: "
#define READ		"#PF: supervisor read access in kernel mode"
#define WRITE		"#PF: supervisor write access in kernel mode"
#define FETCH		"#PF: supervisor instruction fetch in kernel mode"

static const struct oops_case oops_cases[] = {
	{ "read near null", OOPS_READ, PLACE_NULL, NULL_POINTER, READ,
	  "#PF: error_code(0x0000) - not-present page", "PGD " },
	{ "write near null", OOPS_WRITE, PLACE_NULL, NULL_POINTER, WRITE,
	  "#PF: error_code(0x0002) - not-present page", "PGD " },
	{ "call null", OOPS_CALL, PLACE_NULL, NULL_POINTER, FETCH,
	  "#PF: error_code(0x0010) - not-present page", "PGD " },
	{ "read what is not mapped", OOPS_READ, PLACE_HOLE, BAD_FAULT, READ,
	  "#PF: error_code(0x0000) - not-present page", "PGD " },
	{ "write to constants", OOPS_WRITE, PLACE_CONST, BAD_FAULT, WRITE,
	  "#PF: error_code(0x0003) - permissions violation", "PGD " },
	{ "call data", OOPS_CALL, PLACE_HEAP, BAD_FAULT, FETCH,
	  "#PF: error_code(0x0011) - permissions violation",
	  "kernel tried to execute NX-protected page - exploit attempt? (uid: 0)" },
	{ "read user memory", OOPS_READ, PLACE_USER, BAD_FAULT, READ,
	  "#PF: error_code(0x0001) - permissions violation", "PGD " },
	{ "call user memory", OOPS_CALL, PLACE_USER, BAD_FAULT, FETCH,
	  "#PF: error_code(0x0011) - permissions violation",
	  "unable to execute userspace code (SMEP?) (uid: 0)" },
};

static void oops_describe(const struct oops_case *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(oops, oops_cases, oops_describe);

struct oops_thread {
	enum oops_act act;
	unsigned long at;
	struct mm_struct *mm;
	bool survived;
};

static int oops_commit(void *arg)
{
	struct oops_thread *t = arg;
	unsigned long value;

	/* The exit of this thread puts the address space. */
	kthread_use_mm(t->mm);
	switch (t->act) {
	case OOPS_READ:
		READ_ONCE(*(unsigned long *)t->at);
		break;
	case OOPS_WRITE:
		WRITE_ONCE(*(unsigned long *)t->at, 1);
		break;
	case OOPS_CALL:
		((void (*)(void))t->at)();
		break;
	case OOPS_GET:
		if (get_user(value, (unsigned long __user *)t->at))
			break;
		break;
	}
	t->survived = true;
	kthread_unuse_mm(t->mm);
	mmput(t->mm);
	return 0;
}

/* Does the log say it, after the last line that has @since? */
static bool oops_said(struct kunit *test, const char *since, const char *text)
{
	char *line = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct kmsg_dump_iter iter;
	bool said = false;
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, line);
	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, 1023, &len)) {
		line[len] = '\0';
		if (strstr(line, since))
			said = false;
		else if (strstr(line, text))
			said = true;
	}
	return said;
}

/* Run a thread to its death; the kernel has to go on after it. */
static void oops_run(struct kunit *test, struct oops_thread *t,
		     const char *first)
{
	int was = panic_on_oops;
	struct task_struct *task;

	if (first)
		pr_info("pagoda-expect: %s\n", first);
	pr_info("pagoda-expect: Oops\n");
	pr_info(OOPS_MARK "\n");
	t->mm = current->mm;
	mmget(t->mm);
	task = kthread_create(oops_commit, t, "umm-oops");
	if (IS_ERR(task)) {
		mmput(t->mm);
		KUNIT_FAIL(test, "no thread");
		return;
	}
	get_task_struct(task);
	panic_on_oops = 0;
	wake_up_process(task);
	while (!READ_ONCE(task->exit_state) && !READ_ONCE(t->survived))
		schedule_timeout_uninterruptible(1);
	panic_on_oops = was;
	put_task_struct(task);
	KUNIT_EXPECT_FALSE(test, t->survived);
}

static void oops_reports(struct kunit *test)
{
	const struct oops_case *c = test->param_value;
	struct oops_thread t = { .act = c->act };
	void *page = vzalloc(PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, page);
	if (c->place == PLACE_USER && !(boot_cpu_has(X86_FEATURE_SMAP) &&
					boot_cpu_has(X86_FEATURE_SMEP)))
		kunit_skip(test, "this processor lets the kernel do it");
	switch (c->place) {
	case PLACE_NULL:
		t.at = c->act == OOPS_CALL ? 0 : 0x128;
		break;
	case PLACE_CONST:
		t.at = (unsigned long)page;
		KUNIT_EXPECT_EQ(test, set_memory_ro(t.at, 1), 0);
		break;
	case PLACE_HEAP:
		t.at = (unsigned long)page;
		break;
	case PLACE_HOLE:
		t.at = (unsigned long)page + PAGE_SIZE;
		break;
	case PLACE_USER:
		t.at = umm_map(test, 1, UMM_RW | PROT_EXEC);
		KUNIT_EXPECT_EQ(test, umm_poke(t.at, 0xc3), 0);
		break;
	}
	oops_run(test, &t, c->first);
	KUNIT_EXPECT_TRUE(test, oops_said(test, OOPS_MARK, c->first));
	KUNIT_EXPECT_TRUE(test, oops_said(test, OOPS_MARK, c->access));
	KUNIT_EXPECT_TRUE(test, oops_said(test, OOPS_MARK, c->cause));
	KUNIT_EXPECT_TRUE(test, oops_said(test, OOPS_MARK, c->more));
	KUNIT_EXPECT_TRUE(test, oops_said(test, OOPS_MARK,
					  "Oops: Oops: 00"));
	if (c->place == PLACE_CONST)
		set_memory_rw((unsigned long)page, 1);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)page, 0UL);
	vfree(page);
}

static int oops_reserved(pte_t *pte, unsigned long addr, void *data)
{
	set_pte(pte, __pte(pte_val(*pte) ^ BIT_ULL(51)));
	return 0;
}

/* Bits that the processor keeps for itself: nobody can have written them. */
static void oops_corrupted_table(struct kunit *test)
{
	struct oops_thread t = { .act = OOPS_GET };
	struct mm_struct *mm = current->mm;

	if (boot_cpu_data.x86_phys_bits > 51)
		kunit_skip(test, "this processor has no reserved bits");
	t.at = umm_map(test, 1, UMM_RW);
	KUNIT_ASSERT_EQ(test, umm_poke(t.at, 1), 0);
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, apply_to_page_range(mm, t.at, PAGE_SIZE,
						  oops_reserved, NULL), 0);
	flush_tlb_mm(mm);
	mmap_write_unlock(mm);
	oops_run(test, &t, NULL);
	KUNIT_EXPECT_TRUE(test, oops_said(test, OOPS_MARK,
					  "Corrupted page table at address"));
	KUNIT_EXPECT_TRUE(test, oops_said(test, OOPS_MARK,
					  "Oops: Bad pagetable: 000"));
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, apply_to_page_range(mm, t.at, PAGE_SIZE,
						  oops_reserved, NULL), 0);
	mmap_write_unlock(mm);
	KUNIT_EXPECT_EQ(test, umm_peek(test, t.at), 1UL);
}

static struct kunit_case oops_tests[] = {
	KUNIT_CASE_PARAM(oops_reports, oops_gen_params),
	KUNIT_CASE(oops_corrupted_table),
	{ }
};

static struct kunit_suite oops_suite = {
	.name = "pagoda_oops",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = oops_tests,
};

kunit_test_suite(oops_suite);
