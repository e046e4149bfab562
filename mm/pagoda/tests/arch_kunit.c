// SPDX-License-Identifier: GPL-2.0
/*
 * What the generic core relies on in every architecture's part, tried on the
 * machine: that the tables are walked as asm/pagoda.h says, that a flush takes
 * hold of what it is about, that faults are told apart, and that each address
 * space is switched to as a whole. See "What an architecture supplies" in
 * Documentation/mm/pagoda/contract.rst. Geometry and codec without a machine
 * are geometry_kunit.c's; several processors are gather_kunit.c's.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hugetlb.h>
#include <linux/kthread.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include <asm/tlbflush.h>

#include <pagoda/umm.h>

#include "../tree.h"

#define AT(page)	(UMM_BASE + (page) * PAGE_SIZE)

/* The accesses of a user program that nobody mends: true if one is refused. */
static bool arch_refused(unsigned long addr, bool write)
{
	unsigned long __user *user = (unsigned long __user *)addr;
	unsigned long value;
	int err;

	pagefault_disable();
	err = get_user(value, user);
	if (!err && write)
		err = put_user(value, user);
	pagefault_enable();
	return err;
}

/* Pages so far from each other that each level's index differs, and the ends. */
static void arch_walks_all_levels(struct kunit *test)
{
	unsigned long addr[PT_MAX_LEVELS + 2];
	unsigned int i, n = 0, level;

	for (level = 1; level <= pt_levels(); level++) {
		unsigned long at = UMM_BASE + (1UL << pt_shift(level));

		if (at > UMM_BASE && at < TASK_SIZE - SZ_1M)
			addr[n++] = at;
	}
	addr[n++] = UMM_BASE;
	addr[n++] = TASK_SIZE - PAGE_SIZE;
	for (i = 0; i < n; i++) {
		umm_map_at(test, addr[i], 1, UMM_RW);
		KUNIT_EXPECT_EQ(test, umm_poke(addr[i], 100 + i), 0);
	}
	for (i = 0; i < n; i++) {
		struct umm_entry e = umm_entry(current->mm, addr[i]);

		KUNIT_EXPECT_EQ(test, umm_peek(test, addr[i]), 100 + i);
		KUNIT_EXPECT_TRUE(test, e.present && e.user && e.write);
	}
}

static void arch_ends_where_user_space_does(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, TASK_SIZE, PAGE_SIZE),
			(long)-EINVAL);
	KUNIT_EXPECT_TRUE(test, arch_refused(TASK_SIZE, false));
	KUNIT_EXPECT_EQ(test, umm_touch(TASK_SIZE), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_touch(-PAGE_SIZE), -EFAULT);
}

/* Of an entry of its own making, the processor uses what it has flushed. */
enum arch_flush { FLUSH_PAGE, FLUSH_RANGE, FLUSH_MM, FLUSH_TABLES, FLUSHES };

static void arch_flush(enum arch_flush how, struct vm_area_struct *vma,
		       unsigned long addr)
{
	if (how == FLUSH_PAGE)
		flush_tlb_page(vma, addr);
	else if (how == FLUSH_RANGE)
		flush_tlb_range(vma, addr, addr + PAGE_SIZE);
	else if (how == FLUSH_MM)
		flush_tlb_mm(vma->vm_mm);
	else
		pt_flush_tables(vma->vm_mm, addr, addr + PAGE_SIZE);
}

/* Let two pages change places in the tables. */
static void arch_swap_pages(struct kunit *test, enum arch_flush how)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	struct pt_edit e;
	pte_t one, two;

	mmap_write_lock(mm);
	vma = vma_lookup(mm, AT(0));
	KUNIT_EXPECT_EQ(test, pt_edit_at(&e, mm, AT(0)), 0);
	one = ptep_get_and_clear(mm, AT(0), e.c.pte);
	two = ptep_get_and_clear(mm, AT(1), e.c.pte + 1);
	arch_flush(how, vma, AT(0));
	arch_flush(how, vma, AT(1));
	set_pte_at(mm, AT(0), e.c.pte, two);
	set_pte_at(mm, AT(1), e.c.pte + 1, one);
	pt_edit_release(&e);
	mmap_write_unlock(mm);
}

static void arch_flush_is_seen(struct kunit *test)
{
	unsigned long first = 1;
	enum arch_flush how;

	umm_paint(test, NULL, "|WW|");
	for (how = FLUSH_PAGE; how < FLUSHES; how++) {
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), first);
		KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 3 - first);
		arch_swap_pages(test, how);
		first = 3 - first;
	}
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), first);
	/* As the suite's end wants them: every page where it was. */
	if (first != 1)
		arch_swap_pages(test, FLUSH_MM);
}

static void arch_kernel_flush_is_seen(struct kunit *test)
{
	struct page *page[2] = { alloc_page(GFP_KERNEL), alloc_page(GFP_KERNEL) };
	unsigned long i, *at;

	KUNIT_ASSERT_TRUE(test, page[0] && page[1]);
	for (i = 0; i < 16; i++) {
		*(unsigned long *)page_address(page[i & 1]) = i;
		at = vmap(&page[i & 1], 1, VM_MAP, PAGE_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, at);
		KUNIT_EXPECT_EQ(test, *at, i);
		vunmap(at);
		vm_unmap_aliases();
	}
	__free_page(page[0]);
	__free_page(page[1]);
}

/* Is a table entry read-only for all below it? As pt_entry_protects() says. */
static void arch_table_entry_protects(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	pte_t *slot, e;

	umm_paint(test, NULL, "|WW|");
	KUNIT_EXPECT_FALSE(test, arch_refused(AT(0), true));
	mmap_write_lock(mm);
	slot = pt_slot_fill(mm, AT(0));
	KUNIT_ASSERT_NOT_NULL(test, slot);
	e = ptep_get(slot);
	KUNIT_EXPECT_TRUE(test, pt_entry_private(e));
	pt_entry_set(slot, pt_entry_wrprotect(e));
	pt_flush_tables(mm, AT(0), AT(0) + pt_table_span());
	KUNIT_EXPECT_FALSE(test, arch_refused(AT(0), false));
	KUNIT_EXPECT_EQ(test, arch_refused(AT(0), true), pt_entry_protects(2));
	pt_entry_set(slot, e);
	pt_flush_tables(mm, AT(0), AT(0) + pt_table_span());
	mmap_write_unlock(mm);
	KUNIT_EXPECT_FALSE(test, arch_refused(AT(0), true));
}

/* Whether hardware notes it or a fault does: who reads and writes is noted. */
static void arch_notes_use(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct umm_entry seen;
	struct pt_edit e;

	umm_paint(test, NULL, "|WW|");
	mmap_write_lock(mm);
	KUNIT_EXPECT_EQ(test, pt_edit_at(&e, mm, AT(0)), 0);
	set_pte_at(mm, AT(0), e.c.pte,
		   pte_mkclean(pte_mkold(ptep_get_and_clear(mm, AT(0),
							    e.c.pte))));
	pt_edit_release(&e);
	flush_tlb_mm(mm);
	mmap_write_unlock(mm);
	seen = umm_entry(mm, AT(0));
	KUNIT_EXPECT_FALSE(test, seen.young || seen.dirty);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
	seen = umm_entry(mm, AT(0));
	KUNIT_EXPECT_TRUE(test, seen.young);
	KUNIT_EXPECT_FALSE(test, seen.dirty);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 1), 0);
	KUNIT_EXPECT_TRUE(test, umm_entry(mm, AT(0)).dirty);
}

static const struct arch_right {
	const char *name;
	int prot;
	bool read, write;
} arch_rights[] = {
	{ "none", PROT_NONE },
	{ "read", PROT_READ, true },
	{ "read and write", PROT_READ | PROT_WRITE, true, true },
	{ "read and execute", PROT_READ | PROT_EXEC, true },
	{ "all", PROT_READ | PROT_WRITE | PROT_EXEC, true, true },
};

KUNIT_ARRAY_PARAM_DESC(arch_right, arch_rights, name);

/* By the processor alone, and after the fault was decoded. */
static void arch_tells_faults_apart(struct kunit *test)
{
	const struct arch_right *r = test->param_value;
	unsigned long faults;

	umm_map_at(test, AT(0), 2, UMM_RW);
	KUNIT_EXPECT_TRUE(test, arch_refused(AT(0), false));
	faults = current->min_flt;
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 7), 0);
	KUNIT_EXPECT_GT(test, current->min_flt + current->maj_flt, faults);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(0), 2 * PAGE_SIZE,
				      r->prot), 0L);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), r->read ? 0 : -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 8), r->write ? 0 : -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(1), 8), r->write ? 0 : -EFAULT);
	KUNIT_EXPECT_EQ(test, arch_refused(AT(0), false), !r->read);
	KUNIT_EXPECT_EQ(test, arch_refused(AT(0), true), !r->write);
	KUNIT_EXPECT_EQ(test, umm_touch(AT(2)), -EFAULT);
}

/* An entry that is being replaced, and who puts it right after a while. */
struct arch_broken {
	pte_t *slot, was;
	struct task_struct *mender;
	struct completion over;
};

static int arch_mend(void *arg)
{
	struct arch_broken *b = arg;

	msleep(20);
	pt_entry_set(b->slot, b->was);
	complete(&b->over);
	return 0;
}

static void arch_break(struct kunit *test, struct arch_broken *b)
{
	struct mm_struct *mm = current->mm;

	mmap_read_lock(mm);
	b->slot = pt_slot_fill(mm, AT(0));
	b->was = ptep_get(b->slot);
	mmap_read_unlock(mm);
	init_completion(&b->over);
	b->mender = kthread_create(arch_mend, b, "arch_mend");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->mender);
	/* Whoever spins must not keep the other from its work. */
	kthread_bind(b->mender, cpumask_any_but(cpu_online_mask,
						raw_smp_processor_id()));
	pt_entry_set(b->slot, PT_ENTRY_BROKEN);
	pt_flush_tables(mm, AT(0), AT(0) + pt_table_span());
	wake_up_process(b->mender);
}

/* What is in a table that is being replaced is neither missed nor lost. */
static void arch_waits_for_the_broken(struct kunit *test)
{
	struct arch_broken b;
	struct page *page;

	if (!pt_entry_breaks())
		kunit_skip(test, "entries are replaced in one step here");
	if (num_online_cpus() < 2)
		kunit_skip(test, "there is nobody to wait for");
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	umm_paint(test, NULL, "|WWWW|");
	arch_break(test, &b);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)), 1UL);
	wait_for_completion(&b.over);
	arch_break(test, &b);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_madvise, AT(1), PAGE_SIZE,
				      MADV_DONTNEED), 0L);
	wait_for_completion(&b.over);
	KUNIT_EXPECT_EQ(test, umm_peek(test, AT(1)), 0UL);
	arch_break(test, &b);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, AT(2), PAGE_SIZE,
				      PROT_READ), 0L);
	wait_for_completion(&b.over);
	KUNIT_EXPECT_EQ(test, umm_poke(AT(2), 7), -EFAULT);
	arch_break(test, &b);
	KUNIT_EXPECT_EQ(test, get_user_pages_fast(AT(3), 1, FOLL_WRITE, &page),
			1);
	wait_for_completion(&b.over);
	KUNIT_EXPECT_PTR_EQ(test, umm_page(test, AT(3)), page);
	put_page(page);
}

#define ARCH_SPACES	3

/* The same address, as many contents as address spaces; nothing of another's. */
static void arch_switches_as_a_whole(struct kunit *test)
{
	struct umm *u[ARCH_SPACES];
	unsigned long i, round;

	for (i = 0; i < ARCH_SPACES; i++) {
		u[i] = umm_new(test);
		umm_enter(u[i]);
		KUNIT_EXPECT_EQ(test, umm_touch(AT(0)), -EFAULT);
		umm_map_at(test, AT(0), 1, UMM_RW);
		KUNIT_EXPECT_EQ(test, umm_poke(AT(0), 50 + i), 0);
	}
	for (round = 0; round < 4; round++) {
		for (i = 0; i < ARCH_SPACES; i++) {
			umm_enter(u[i]);
			KUNIT_EXPECT_EQ(test, umm_peek(test, AT(0)),
					50 + i + round * 10);
			KUNIT_EXPECT_EQ(test, umm_poke(AT(0),
						       60 + i + round * 10), 0);
		}
	}
}

static struct kunit_case arch_tests[] = {
	KUNIT_CASE(arch_walks_all_levels),
	KUNIT_CASE(arch_ends_where_user_space_does),
	KUNIT_CASE(arch_flush_is_seen),
	KUNIT_CASE(arch_kernel_flush_is_seen),
	KUNIT_CASE(arch_table_entry_protects),
	KUNIT_CASE(arch_notes_use),
	KUNIT_CASE_PARAM(arch_tells_faults_apart, arch_right_gen_params),
	KUNIT_CASE(arch_waits_for_the_broken),
	KUNIT_CASE(arch_switches_as_a_whole),
	{ }
};

static struct kunit_suite arch_suite = {
	.name = "pagoda_arch",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = arch_tests,
};

kunit_test_suite(arch_suite);
