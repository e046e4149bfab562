// SPDX-License-Identifier: GPL-2.0
/*
 * The split between kernel and user, read from the page tables with the
 * architecture's own accessors: no entry that user mode can use maps a kernel
 * page, and the kernel's half is the same in every address space.
 */
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include <asm/sections.h>

#include <pagoda/umm.h>

#ifdef CONFIG_X86
#include <asm/vsyscall.h>
#include <uapi/asm/vsyscall.h>
#endif

struct split_sweep {
	struct kunit *test;
	unsigned long leaves;
	unsigned long low, high;	/* user leaves must lie in between */
};

/*
 * Is the page in this part of the kernel's image? Only parts that stay: those
 * that served booting are free memory later, which may well be mapped.
 */
static bool split_inside(void *at, char *start, char *end)
{
	return at && at >= lm_alias(start) && at < lm_alias(end);
}

/* A page that user mode reaches is for user mode. */
static void split_user_leaf(unsigned long addr, unsigned long size,
			    const struct umm_entry *e, void *arg)
{
	struct split_sweep *s = arg;
	struct kunit *test = s->test;
	struct page *page;
	void *at;

	s->leaves++;
	KUNIT_EXPECT_GE(test, addr, s->low);
	KUNIT_EXPECT_LT(test, addr, s->high);
	KUNIT_EXPECT_EQ(test, size, PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, pfn_valid(e->pfn));
	if (e->pfn == my_zero_pfn(addr)) {
		KUNIT_EXPECT_FALSE(test, e->write);
		return;
	}
	page = pfn_to_page(e->pfn);
	KUNIT_EXPECT_TRUE_MSG(test, page_mapped(page), "%#lx", addr);
	KUNIT_EXPECT_FALSE(test, PageReserved(page));
	KUNIT_EXPECT_FALSE(test, PageTable(page));
	KUNIT_EXPECT_FALSE(test, PageSlab(page));
	at = page_address(page);
	KUNIT_EXPECT_FALSE(test, split_inside(at, _stext, _etext));
	KUNIT_EXPECT_FALSE(test, split_inside(at, _sdata, _edata));
	KUNIT_EXPECT_FALSE(test, split_inside(at, __bss_start, __bss_stop));
}

static void split_user_reaches_user_pages(struct kunit *test)
{
	struct split_sweep s = {
		.test = test, .low = UMM_BASE, .high = UMM_BASE + SZ_1M,
	};
	struct file *file = umm_ramfs(test, 64);
	struct umm *child;

	umm_paint(test, file, "|WWW|xx|FFff|LL|rr|ss|hh|");
	umm_peek(test, UMM_BASE + 13 * PAGE_SIZE);
	umm_peek(test, UMM_BASE + 3 * PAGE_SIZE);
	umm_sweep(current->mm, 0, TASK_SIZE - 1, split_user_leaf, &s);
	KUNIT_EXPECT_GE(test, s.leaves, 9UL);
	child = umm_fork(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	umm_sweep(child->mm, 0, TASK_SIZE - 1, split_user_leaf, &s);
	KUNIT_EXPECT_EQ(test, vm_munmap(UMM_BASE, SZ_1M), 0);
	s.leaves = 0;
	umm_sweep(current->mm, 0, TASK_SIZE - 1, split_user_leaf, &s);
	KUNIT_EXPECT_EQ(test, s.leaves, 0UL);
}

/*
 * Where the kernel's part begins, and whose table it is in. Most machines walk
 * one table for all addresses; arm64 has one for the kernel alone.
 */
#if defined(CONFIG_X86_64)
#define SPLIT_KERNEL_START	(-(1UL << __VIRTUAL_MASK_SHIFT))
#elif defined(CONFIG_RISCV)
#define SPLIT_KERNEL_START	(-(1UL << (VA_BITS - 1)))
#else
#define SPLIT_KERNEL_START	PAGE_OFFSET
#endif
#define SPLIT_OWN_TABLE		IS_ENABLED(CONFIG_ARM64)

static void split_kernel_leaf(unsigned long addr, unsigned long size,
			      const struct umm_entry *e, void *arg)
{
	struct split_sweep *s = arg;

	s->leaves++;
#ifdef CONFIG_X86_VSYSCALL_EMULATION
	if (addr == VSYSCALL_ADDR) {
		KUNIT_EXPECT_FALSE(s->test, e->write);
		return;
	}
#endif
	KUNIT_EXPECT_FALSE_MSG(s->test, e->user,
			       "user mode can use kernel address %#lx", addr);
}

static void split_kernel_is_not_user(struct kunit *test)
{
	struct mm_struct *mm = SPLIT_OWN_TABLE ? &init_mm : current->mm;
	struct split_sweep s = { .test = test };

	umm_sweep(mm, SPLIT_KERNEL_START, -1UL, split_kernel_leaf, &s);
	/* At the least this kernel's own image was seen. */
	KUNIT_EXPECT_GT(test, s.leaves, 4UL);
}

/* Entries of a top-level table that are for user space. */
static int split_user_entries(void)
{
	return SPLIT_OWN_TABLE ? PTRS_PER_PGD : pgd_index(SPLIT_KERNEL_START);
}

static void split_expect_same(struct kunit *test, struct mm_struct *a,
			      struct mm_struct *b)
{
	int i;

	for (i = split_user_entries(); i < PTRS_PER_PGD; i++)
		KUNIT_EXPECT_EQ_MSG(test, pgd_val(a->pgd[i]),
				    pgd_val(b->pgd[i]), "entry %d", i);
}

/* Before and after the kernel maps more for itself. */
static void split_kernel_half_is_shared(struct kunit *test)
{
	struct umm *self = umm_self(test), *child = umm_fork(test), *fresh;
	void *more = vmalloc(SZ_2M);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	fresh = umm_new(test);
	split_expect_same(test, self->mm, &init_mm);
	split_expect_same(test, child->mm, &init_mm);
	split_expect_same(test, fresh->mm, &init_mm);
	vfree(more);
	/* With PAE a root has all its tables from the beginning. */
	if (IS_ENABLED(CONFIG_X86_PAE))
		return;
	/* The user's part of a new one is empty: all of it, where it is alone. */
	for (i = 0; i < split_user_entries(); i++)
		KUNIT_EXPECT_TRUE(test, !pgd_val(fresh->mm->pgd[i]));
}

#ifdef CONFIG_X86
static void split_top_table_knows_mm(struct kunit *test)
{
	struct umm *fresh = umm_new(test);

	if (IS_ENABLED(CONFIG_X86_PAE))
		kunit_skip(test, "PAE roots are on no list");
	KUNIT_EXPECT_PTR_EQ(test,
			    pgd_page_get_mm(virt_to_page(fresh->mm->pgd)),
			    fresh->mm);
	KUNIT_EXPECT_PTR_NE(test, fresh->mm->pgd, current->mm->pgd);
}
#endif

/* The physical address of the table that this processor walks. */
static phys_addr_t split_loaded_table(void)
{
#if defined(CONFIG_X86)
	return read_cr3_pa();
#elif defined(CONFIG_RISCV)
	return PFN_PHYS(csr_read(CSR_SATP) & SATP_PPN);
#elif defined(CONFIG_ARM64)
	u64 ttbr0 = read_sysreg(ttbr0_el1);

#ifdef CONFIG_ARM64_SW_TTBR0_PAN
	/* Emulated PAN loads it for as long as the kernel needs it. */
	if (system_uses_ttbr0_pan())
		ttbr0 = task_thread_info(current)->ttbr0;
#endif
	return ttbr0 & GENMASK_ULL(47, 1);
#endif
}

static void split_expect_loaded(struct kunit *test, struct mm_struct *mm)
{
	preempt_disable();
	KUNIT_EXPECT_EQ(test, split_loaded_table(), __pa(mm->pgd));
	/* Where flushes are sent to who runs it, that says so. */
	if (!IS_ENABLED(CONFIG_ARM64))
		KUNIT_EXPECT_TRUE(test, cpumask_test_cpu(smp_processor_id(),
							 mm_cpumask(mm)));
	preempt_enable();
}

/* The processor is in the address space that the thread is in. */
static void split_switch_loads_table(struct kunit *test)
{
	struct umm *fresh = umm_new(test);

	split_expect_loaded(test, current->mm);
	umm_enter(fresh);
	split_expect_loaded(test, fresh->mm);
}

/* An address of the kernel's is refused before any table is asked. */
static void split_kernel_address_refused(struct kunit *test)
{
	unsigned long value = 1, kernel = (unsigned long)&value;

	KUNIT_EXPECT_EQ(test, umm_touch(kernel & ~7UL), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_poke((unsigned long)_text, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_munmap, PAGE_OFFSET, PAGE_SIZE),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, umm_sys(__NR_mprotect, PAGE_OFFSET, PAGE_SIZE,
				      UMM_RW), (long)-ENOMEM);
	KUNIT_EXPECT_EQ(test, value, 1UL);
}

static struct kunit_case split_tests[] = {
	KUNIT_CASE(split_user_reaches_user_pages),
	KUNIT_CASE(split_kernel_is_not_user),
	KUNIT_CASE(split_kernel_half_is_shared),
#ifdef CONFIG_X86
	KUNIT_CASE(split_top_table_knows_mm),
#endif
	KUNIT_CASE(split_switch_loads_table),
	KUNIT_CASE(split_kernel_address_refused),
	{ }
};

static struct kunit_suite split_suite = {
	.name = "pagoda_split",
	.init = umm_init,
	.exit = umm_exit,
	.test_cases = split_tests,
};

kunit_test_suite(split_suite);
