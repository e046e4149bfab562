// SPDX-License-Identifier: GPL-2.0
/*
 * Classification of faults, for every area, entry and access there can be.
 *
 * The model beside it is a table of rules, of which the first that fits
 * decides; it shares nothing with fault_classify() but the kernel's flags.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../fault.h"

/* What a fault is about, a bit each. */
#define F_BELOW		BIT(0)	/* access: below the area */
#define F_WRITE		BIT(1)	/* access: a write */
#define F_UNSHARE	BIT(2)	/* access: wants a page of its own */
#define F_GROWS		BIT(3)	/* area: grows down */
#define F_A_WRITE	BIT(4)	/* area: may be written to */
#define F_A_MAYWRITE	BIT(5)	/* area: could be made writable */
#define F_SHARED	BIT(6)	/* area: shared, writes go to the object */
#define F_MAYSHARE	BIT(7)	/* area: asked for as shared */
#define F_OBJECT	BIT(8)	/* area: has an object */
#define F_EMPTY		BIT(9)	/* entry: nothing there */
#define F_PRESENT	BIT(10)	/* entry: maps something */
#define F_E_WRITE	BIT(11)	/* entry: allows writes */
#define F_SPECIAL	BIT(12)	/* entry: no page behind it */

static const struct classify_rule {
	unsigned int with;
	unsigned int without;
	enum fault_class is;
} classify_rules[] = {
	{ F_BELOW | F_GROWS, 0, FAULT_STACK },
	{ F_BELOW, 0, FAULT_DENIED },
	{ F_WRITE | F_UNSHARE, 0, FAULT_DENIED },
	{ F_WRITE, F_A_MAYWRITE, FAULT_DENIED },
	{ F_WRITE | F_SHARED, F_A_WRITE, FAULT_DENIED },
	/* Nothing there yet. */
	{ F_EMPTY | F_OBJECT, F_WRITE, FAULT_FILE_READ },
	{ F_EMPTY | F_OBJECT | F_SHARED, 0, FAULT_FILE_WRITE },
	{ F_EMPTY | F_OBJECT, 0, FAULT_FILE_COPY },
	{ F_EMPTY | F_SHARED, 0, FAULT_UNBACKED },
	{ F_EMPTY | F_WRITE, 0, FAULT_ANON },
	{ F_EMPTY, 0, FAULT_ZERO },
	{ 0, F_PRESENT, FAULT_POISONED },
	/* It is good enough. */
	{ F_E_WRITE, 0, FAULT_SPURIOUS },
	{ 0, F_WRITE | F_UNSHARE, FAULT_SPURIOUS },
	{ F_UNSHARE | F_SHARED, 0, FAULT_SPURIOUS },
	{ F_UNSHARE, F_A_MAYWRITE, FAULT_SPURIOUS },
	/* It is read-only. */
	{ 0, F_SHARED | F_MAYSHARE, FAULT_COW },
	{ F_SPECIAL, 0, FAULT_DEVICE_WRITE },
	{ 0, 0, FAULT_SHARED_WRITE },
};

/* An area flag or an access flag, and the fact that it is; 0: none. */
struct classify_flag {
	unsigned long flag;
	unsigned int fact;
};

static const struct classify_flag classify_area[] = {
	{ VM_WRITE, F_A_WRITE },
	{ VM_MAYWRITE, F_A_MAYWRITE },
	{ VM_SHARED, F_SHARED },
	{ VM_MAYSHARE, F_MAYSHARE },
	{ VM_GROWSDOWN, F_GROWS },
	{ VM_READ | VM_MAYREAD | VM_EXEC | VM_MAYEXEC, 0 },
	{ VM_PFNMAP | VM_IO, 0 },
	{ VM_MIXEDMAP | VM_LOCKED | VM_DROPPABLE, 0 },
};

static const struct classify_flag classify_access[] = {
	{ FAULT_FLAG_WRITE, F_WRITE },
	{ FAULT_FLAG_UNSHARE, F_UNSHARE },
	{ FAULT_BELOW, F_BELOW },
	{ FAULT_FLAG_USER | FAULT_FLAG_INSTRUCTION, 0 },
	{ FAULT_FLAG_TRIED | FAULT_FLAG_VMA_LOCK | FAULT_FLAG_REMOTE, 0 },
};

/* The flags that the bits of @pick choose, and the facts that they are. */
static unsigned long classify_pick(const struct classify_flag *flags, int nr,
				   unsigned int pick, unsigned int *facts)
{
	unsigned long all = 0;
	int i;

	for (i = 0; i < nr; i++) {
		if (!(pick & BIT(i)))
			continue;
		all |= flags[i].flag;
		*facts |= flags[i].fact;
	}
	return all;
}

struct classify_entry {
	const char *name;
	pte_t entry;
	unsigned int facts;
};

#define CLASSIFY_ENTRIES	13

static void classify_entries(struct classify_entry *e)
{
	unsigned long pfn = page_to_pfn(ZERO_PAGE(0));
	pte_t ro = pte_wrprotect(pfn_pte(pfn, vm_get_page_prot(VM_READ)));
	pte_t rw = pte_mkwrite_novma(ro);
	pte_t none = pte_modify(ro, PAGE_NONE);
	swp_entry_t swap = swp_entry(1, 5);
	const struct classify_entry all[CLASSIFY_ENTRIES] = {
		{ "empty", __pte(0), F_EMPTY },
		{ "not present", swp_entry_to_pte(swap), 0 },
		{ "read-only", pte_mkold(pte_mkclean(ro)), F_PRESENT },
		{ "read-only young", pte_mkyoung(ro), F_PRESENT },
		{ "read-only dirty", pte_mkdirty(pte_mkyoung(ro)), F_PRESENT },
		{ "writable old", pte_mkold(rw), F_PRESENT | F_E_WRITE },
		{ "writable", pte_mkyoung(rw), F_PRESENT | F_E_WRITE },
		{ "writable dirty", pte_mkdirty(pte_mkyoung(rw)),
		  F_PRESENT | F_E_WRITE },
		{ "frame", pte_mkspecial(ro), F_PRESENT | F_SPECIAL },
		{ "frame dirty", pte_mkdirty(pte_mkspecial(ro)),
		  F_PRESENT | F_SPECIAL },
		{ "frame writable", pte_mkspecial(rw),
		  F_PRESENT | F_SPECIAL | F_E_WRITE },
		{ "no access", none, F_PRESENT },
		{ "no access, frame", pte_mkspecial(none), F_PRESENT | F_SPECIAL },
	};

	memcpy(e, all, sizeof(all));
}

static enum fault_class classify_model(unsigned int facts)
{
	const struct classify_rule *r = classify_rules;

	while ((facts & r->with) != r->with || (facts & r->without))
		r++;
	return r->is;
}

/* What holds of classes whatever the rules are; NULL if it does. */
static const char *classify_law(unsigned int facts, enum fault_class is)
{
	bool copies = is == FAULT_COW || is == FAULT_FILE_COPY;
	bool through = is == FAULT_FILE_WRITE || is == FAULT_SHARED_WRITE ||
		       is == FAULT_DEVICE_WRITE;

	if ((facts & F_SHARED) && (copies || is == FAULT_ANON))
		return "a shared area gets a page of its own";
	if (!(facts & (F_SHARED | F_MAYSHARE)) && through)
		return "a private area writes to the object";
	if (!(facts & F_A_WRITE) && through && !(facts & F_MAYSHARE))
		return "a read-only area writes to the object";
	if (!(facts & (F_WRITE | F_UNSHARE)) && (copies || through))
		return "a read copies or writes";
	if (!(facts & F_A_MAYWRITE) && (copies || is == FAULT_ANON))
		return "an area that cannot be written to gets a copy";
	return NULL;
}

/* Every area, entry and access. */
static void classify_all(struct kunit *test)
{
	const int areas = ARRAY_SIZE(classify_area);
	const int accesses = ARRAY_SIZE(classify_access);
	struct classify_entry *entries, *e;
	unsigned long *seen, cases = 0;
	unsigned int i, j, object, wrong = 0;

	entries = kunit_kcalloc(test, CLASSIFY_ENTRIES, sizeof(*e), GFP_KERNEL);
	seen = kunit_kcalloc(test, FAULT_NR_CLASSES, sizeof(*seen), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entries);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	classify_entries(entries);

	for (e = entries; e < entries + CLASSIFY_ENTRIES; e++) {
		for (i = 0; i < BIT(areas + accesses + 1); i++) {
			unsigned int facts = e->facts, access;
			enum fault_class is, want;
			vm_flags_t area;
			const char *broken;

			j = i >> areas;
			object = j >> accesses;
			area = classify_pick(classify_area, areas, i, &facts);
			access = classify_pick(classify_access, accesses, j,
					       &facts);
			if (object)
				facts |= F_OBJECT;
			is = fault_classify(area, object, e->entry, access);
			want = classify_model(facts);
			broken = classify_law(facts, is);
			seen[is]++;
			cases++;
			if (is == want && !broken)
				continue;
			if (wrong++ < 10)
				kunit_err(test,
					  "area %lx object %u access %x, entry %s: is %d, not %d; %s\n",
					  area, object, access, e->name, is,
					  want, broken ?: "no law broken");
		}
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, cases,
			CLASSIFY_ENTRIES * BIT(areas + accesses + 1));
	for (i = 0; i < FAULT_NR_CLASSES; i++)
		KUNIT_EXPECT_GT_MSG(test, seen[i], 0, "class %u never seen", i);
}

/* What programs do, by name. */
#define RW	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE)
#define RO	(VM_READ | VM_MAYREAD | VM_MAYWRITE)

static const struct classify_case {
	const char *name;
	vm_flags_t area;
	bool object;
	int entry;
	unsigned int access;
	enum fault_class want;
} classify_cases[] = {
	{ "first read of the heap", RW, false, 0, 0, FAULT_ZERO },
	{ "first write to the heap", RW, false, 0, FAULT_FLAG_WRITE,
	  FAULT_ANON },
	{ "push below the stack", RW | VM_GROWSDOWN, false, 0,
	  FAULT_BELOW | FAULT_FLAG_WRITE, FAULT_STACK },
	{ "access below a mapping", RW, false, 0, FAULT_BELOW, FAULT_DENIED },
	{ "write after fork", RW, false, 3, FAULT_FLAG_WRITE, FAULT_COW },
	{ "write after a read of the heap", RW, false, 8, FAULT_FLAG_WRITE,
	  FAULT_COW },
	{ "first run of a function", RO | VM_EXEC, true, 0,
	  FAULT_FLAG_INSTRUCTION, FAULT_FILE_READ },
	{ "first write to initialised data", RW, true, 0, FAULT_FLAG_WRITE,
	  FAULT_FILE_COPY },
	{ "breakpoint in text", RO | VM_EXEC, true, 3, FAULT_FLAG_WRITE,
	  FAULT_COW },
	{ "first write to a shared file", RW | VM_SHARED | VM_MAYSHARE, true,
	  0, FAULT_FLAG_WRITE, FAULT_FILE_WRITE },
	{ "write to a shared page after writeback",
	  RW | VM_SHARED | VM_MAYSHARE, true, 3, FAULT_FLAG_WRITE,
	  FAULT_SHARED_WRITE },
	{ "write to a device", RW | VM_SHARED | VM_MAYSHARE | VM_PFNMAP, true,
	  8, FAULT_FLAG_WRITE, FAULT_DEVICE_WRITE },
	{ "two threads at once", RW, false, 7, FAULT_FLAG_WRITE,
	  FAULT_SPURIOUS },
	{ "pin for reading after fork", RW, false, 3, FAULT_FLAG_UNSHARE,
	  FAULT_COW },
	{ "pin of a shared page", RW | VM_SHARED | VM_MAYSHARE, true, 3,
	  FAULT_FLAG_UNSHARE, FAULT_SPURIOUS },
	{ "shared area whose driver has left it", RW | VM_SHARED, false, 0, 0,
	  FAULT_UNBACKED },
	{ "page with a memory error", RW, false, 1, 0, FAULT_POISONED },
};

static void classify_name(const struct classify_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(classify, classify_cases, classify_name);

static void classify_example(struct kunit *test)
{
	const struct classify_case *c = test->param_value;
	struct classify_entry *entries;

	entries = kunit_kcalloc(test, CLASSIFY_ENTRIES, sizeof(*entries),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entries);
	classify_entries(entries);
	KUNIT_EXPECT_EQ(test, fault_classify(c->area, c->object,
					     entries[c->entry].entry,
					     c->access), c->want);
}

#ifdef CONFIG_X86_64
/* Some CPUs leave accessed and dirty bits in an entry that was emptied. */
static void classify_leftover_bits(struct kunit *test)
{
	pte_t left = __pte(_PAGE_ACCESSED | _PAGE_DIRTY);

	KUNIT_EXPECT_EQ(test, fault_classify(RW, false, left, 0), FAULT_ZERO);
	KUNIT_EXPECT_EQ(test, fault_classify(RW, true, left, FAULT_FLAG_WRITE),
			FAULT_FILE_COPY);
}
#endif

static struct kunit_case classify_kunit_cases[] = {
	KUNIT_CASE(classify_all),
	KUNIT_CASE_PARAM(classify_example, classify_gen_params),
#ifdef CONFIG_X86_64
	KUNIT_CASE(classify_leftover_bits),
#endif
	{}
};

static struct kunit_suite classify_kunit_suite = {
	.name = "pagoda_classify",
	.test_cases = classify_kunit_cases,
};

kunit_test_suite(classify_kunit_suite);

MODULE_DESCRIPTION("KUnit tests of Pagoda's classification of faults");
MODULE_LICENSE("GPL");
