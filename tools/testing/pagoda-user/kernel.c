// SPDX-License-Identifier: GPL-2.0
/* The rest of the kernel: its variables, and functions that are a line. */
#include <linux/cred.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/percpu_counter.h>
#include <linux/ratelimit.h>
#include <linux/rmap.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/vmstat.h>
#include <asm/cpufeature.h>
#include <asm/setup.h>
#include "internal.h"
#include "user.h"

unsigned long page_offset_base;
unsigned long phys_base;
pteval_t __supported_pte_mask = ~0UL;
pteval_t __default_kernel_pte_mask = ~0UL;
unsigned long __per_cpu_offset[NR_CPUS];
struct cpuinfo_x86 boot_cpu_data;
struct pglist_data contig_page_data;
struct mm_struct init_mm;
struct cpumask __cpu_online_mask;
unsigned int nr_cpu_ids = 1;
int percpu_counter_batch = 32;
struct percpu_counter vm_committed_as;
s32 vm_committed_as_batch;
int sysctl_overcommit_memory = OVERCOMMIT_GUESS;
unsigned long sysctl_overcommit_kbytes;
int sysctl_max_map_count = DEFAULT_MAX_MAP_COUNT;
unsigned long sysctl_user_reserve_kbytes;
unsigned long sysctl_admin_reserve_kbytes;
unsigned long mmap_min_addr = PAGE_SIZE;
atomic_long_t vm_zone_stat[NR_VM_ZONE_STAT_ITEMS];
atomic_t lru_disable_count;
const struct vm_operations_struct vma_dummy_vm_ops;
DEFINE_PER_CPU(struct vm_event_state, vm_event_states);

static struct task_struct user_task;
static struct signal_struct user_signal;
static struct sighand_struct user_sighand;

/* What stock's protection map says, in the words of its one caller. */
pgprot_t vm_get_page_prot(unsigned long flags)
{
	unsigned long val = _PAGE_ACCESSED;

	if (!(flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return PAGE_NONE;
	val |= _PAGE_PRESENT | _PAGE_USER;
	if (flags & VM_SHARED && flags & VM_WRITE)
		val |= _PAGE_RW;
	if (!(flags & VM_EXEC))
		val |= _PAGE_NX;
	return __pgprot(val);
}

void percpu_counter_add_batch(struct percpu_counter *c, s64 amount, s32 batch)
{
	c->count += amount;
}

s64 __percpu_counter_sum(struct percpu_counter *c)
{
	return c->count;
}

void __mod_node_page_state(struct pglist_data *node, enum node_stat_item item,
			   long nr)
{
	atomic_long_add(nr, &node->vm_stat[item]);
}

void mod_node_page_state(struct pglist_data *node, enum node_stat_item item,
			 long nr)
{
	__mod_node_page_state(node, item, nr);
}

void __mod_zone_page_state(struct zone *zone, enum zone_stat_item item, long nr)
{
	atomic_long_add(nr, &vm_zone_stat[item]);
}

void mod_zone_page_state(struct zone *zone, enum zone_stat_item item, long nr)
{
	__mod_zone_page_state(zone, item, nr);
}

/* Memory that is promised: less than there is, or not all at once. */
#define USER_MEMORY	BIT(20)

atomic_long_t _totalram_pages = ATOMIC_LONG_INIT(USER_MEMORY);

int __vm_enough_memory(struct mm_struct *mm, long pages, int cap_sys_admin)
{
	long wanted = pages, limit = USER_MEMORY;

	if (sysctl_overcommit_memory == OVERCOMMIT_NEVER) {
		wanted += vm_committed_as.count;
		if (sysctl_overcommit_kbytes)
			limit = sysctl_overcommit_kbytes >> (PAGE_SHIFT - 10);
	}
	if (sysctl_overcommit_memory != OVERCOMMIT_ALWAYS && wanted > limit)
		return -ENOMEM;
	vm_acct_memory(pages);
	return 0;
}

int cap_vm_enough_memory(struct mm_struct *mm, long pages)
{
	return 1;
}

int cap_mmap_addr(unsigned long addr)
{
	return 0;
}

bool capable(int cap)
{
	return true;
}

int ___ratelimit(struct ratelimit_state *state, const char *func)
{
	return 1;
}

/* Errors are the core's own; there are warnings about what programs do. */
int _printk(const char *fmt, ...)
{
	if (printk_get_level(fmt) && fmt[1] <= LOGLEVEL_ERR + '0')
		host_die("the kernel says: %s", fmt + 2);
	return 0;
}

void __warn_printk(const char *fmt, ...)
{
	host_die("warning: %s", fmt);
}

void warn_slowpath_fmt(const char *file, int line, unsigned int taint,
		       const char *fmt, ...)
{
	host_die("warning at %s:%d: %s", file, line, fmt ?: "");
}

void dump_page(const struct page *page, const char *reason)
{
	host_die("bad frame %#lx: %s", page_to_pfn(page), reason ?: "");
}

void dump_vma(const struct vm_area_struct *vma)
{
	host_die("bad area at %#lx", vma->vm_start);
}

void dump_stack(void)
{
}

void add_taint(unsigned int flag, enum lockdep_ok ok)
{
	host_die("the kernel is tainted");
}

void panic(const char *fmt, ...)
{
	host_die("the kernel gives up: %s", fmt);
}

void refcount_warn_saturate(refcount_t *r, enum refcount_saturation_type t)
{
	host_die("reference count out of bounds: %d", t);
}

ssize_t sized_strscpy(char *to, const char *from, size_t count)
{
	size_t len = strnlen(from, count);

	if (!count)
		return -E2BIG;
	if (len == count)
		len--;
	memcpy(to, from, len);
	to[len] = 0;
	return len;
}

void *memchr_inv(const void *start, int c, size_t bytes)
{
	const u8 *p = start;

	for (; bytes; p++, bytes--)
		if (*p != (u8)c)
			return (void *)p;
	return NULL;
}

void __copy_overflow(int size, unsigned long count)
{
	host_die("%lu bytes are copied to or from %d", count, size);
}

bool inode_owner_or_capable(struct mnt_idmap *idmap, const struct inode *inode)
{
	return true;
}

int memfd_check_seals_mmap(struct file *file, unsigned long *vm_flags)
{
	return 0;
}

void blk_start_plug(struct blk_plug *plug)
{
}

void blk_finish_plug(struct blk_plug *plug)
{
}

void folio_deactivate(struct folio *folio)
{
}

void folio_mark_lazyfree(struct folio *folio)
{
	user_lru_drain();
	if (!folio_test_anon(folio) || !folio_test_swapbacked(folio) ||
	    !folio_isolate_lru(folio))
		return;
	folio_clear_swapbacked(folio);
	folio_putback_lru(folio);
}

struct kobject *mm_kobj;

bool path_noexec(const struct path *path)
{
	return false;
}

int file_update_time(struct file *file)
{
	return 0;
}

void balance_dirty_pages_ratelimited(struct address_space *mapping)
{
}

struct address_space *folio_mapping(struct folio *folio)
{
	return folio_test_anon(folio) ? NULL : folio->mapping;
}

struct anon_vma *folio_anon_vma(struct folio *folio)
{
	unsigned long mapping = (unsigned long)folio->mapping;

	if ((mapping & PAGE_MAPPING_FLAGS) != PAGE_MAPPING_ANON)
		return NULL;
	return (void *)(mapping & ~PAGE_MAPPING_FLAGS);
}

bool vma_is_anon_shmem(struct vm_area_struct *vma)
{
	return false;
}

bool shmem_mapping(struct address_space *mapping)
{
	return false;
}

unsigned long arch_get_unmapped_area(struct file *file, unsigned long addr,
				     unsigned long len, unsigned long pgoff,
				     unsigned long flags, vm_flags_t vm_flags)
{
	return generic_get_unmapped_area(file, addr, len, pgoff, flags,
					 vm_flags);
}

unsigned long arch_get_unmapped_area_topdown(struct file *file,
					     unsigned long addr,
					     unsigned long len,
					     unsigned long pgoff,
					     unsigned long flags,
					     vm_flags_t vm_flags)
{
	return generic_get_unmapped_area_topdown(file, addr, len, pgoff, flags,
						 vm_flags);
}

/* No limits. */
void user_limits(void)
{
	int i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		user_signal.rlim[i] = (struct rlimit) {
			RLIM_INFINITY, RLIM_INFINITY,
		};
}

static void user_kernel_init(void)
{
	user_task.signal = &user_signal;
	user_task.sighand = &user_sighand;
	user_limits();
	pcpu_hot.current_task = &user_task;
	zero_pfn = page_to_pfn(ZERO_PAGE(0));
	spin_lock_init(&contig_page_data.__lruvec.lru_lock);
	spin_lock_init(&user_sighand.siglock);
	atomic_set(&init_mm.mm_users, 2);
	spin_lock_init(&init_mm.page_table_lock);
	maple_tree_init();
	anon_vma_init();
	ptlock_cache_init();
}

/* Begin: memory first, then what allocates. */
void user_start(unsigned int levels, unsigned long frames)
{
	static bool done;

	if (done)
		return;
	done = true;
	user_levels(levels);
	user_alloc_init(frames);
	user_kernel_init();
	user_space_init();
}
