// SPDX-License-Identifier: GPL-2.0
/*
 * Committed memory: what counts it, and what is kept in reserve.
 *
 * The commit limit itself is mm/util.c's; here are the reserves that it leaves
 * to users and to root. With and without an MMU.
 */
#define pr_fmt(fmt) "mmap: " fmt

#include <linux/init.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/percpu_counter.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

#include "../internal.h"

/* Set up what counts committed memory; called once at boot. */
void __init mmap_init(void)
{
	/* Without it nothing could be charged: no use in going on. */
	if (percpu_counter_init(&vm_committed_as, 0, GFP_KERNEL))
		panic("no memory to count committed memory\n");
}

/* Default reserve in KiB: a 32nd of what is free, at most @most. */
static unsigned long reserve_default(unsigned long most)
{
	return min(K(global_zone_page_state(NR_FREE_PAGES)) / 32, most);
}

/* Enough for root, and for a user, to log in and end what eats the memory. */
#define ADMIN_RESERVE	SZ_8K
#define USER_RESERVE	SZ_128K

#ifdef CONFIG_MEMORY_HOTPLUG
static int reserve_notify(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	unsigned long free = K(global_zone_page_state(NR_FREE_PAGES));
	struct {
		unsigned long *kbytes;
		unsigned long most;
		const char *name;
	} reserves[] = {
		{ &sysctl_user_reserve_kbytes, USER_RESERVE, "user" },
		{ &sysctl_admin_reserve_kbytes, ADMIN_RESERVE, "admin" },
	}, *r;

	for (r = reserves; r < reserves + ARRAY_SIZE(reserves); r++) {
		/* What root has set is left alone, unless it cannot be met. */
		if (action == MEM_ONLINE && *r->kbytes && *r->kbytes < r->most)
			*r->kbytes = reserve_default(r->most);
		if (action == MEM_OFFLINE && *r->kbytes > free) {
			*r->kbytes = reserve_default(r->most);
			pr_info("vm.%s_reserve_kbytes is now %lu\n", r->name,
				*r->kbytes);
		}
	}
	return NOTIFY_OK;
}
#endif

static int __init reserve_init(void)
{
	sysctl_user_reserve_kbytes = reserve_default(USER_RESERVE);
	sysctl_admin_reserve_kbytes = reserve_default(ADMIN_RESERVE);
#ifdef CONFIG_MEMORY_HOTPLUG
	if (hotplug_memory_notifier(reserve_notify, DEFAULT_CALLBACK_PRI))
		pr_err("reserves will not follow memory that comes or goes\n");
#endif
	return 0;
}
subsys_initcall(reserve_init);
