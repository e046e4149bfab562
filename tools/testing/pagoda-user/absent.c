// SPDX-License-Identifier: GPL-2.0
/*
 * What the core names and nothing here comes to: devices, limits by user,
 * other processes, sysfs. To call one is an error.
 */
#include "host.h"

#define ABSENT(name) \
	void name(void) { host_die(#name "() is absent"); }

ABSENT(__percpu_counter_init_many)
ABSENT(__arch_override_mprotect_pkey)
ABSENT(__execute_only_pkey)
ABSENT(__put_task_struct)
ABSENT(arch_set_user_pkey_access)
ABSENT(arch_sync_kernel_mappings)
ABSENT(copy_page_from_iter)
ABSENT(copy_page_to_iter)
ABSENT(dec_rlimit_ucounts)
ABSENT(filemap_get_folios)
ABSENT(filemap_get_folios_contig)
ABSENT(find_get_task_by_vpid)
ABSENT(get_task_mm)
ABSENT(get_ucounts)
ABSENT(import_iovec)
ABSENT(inc_rlimit_ucounts)
ABSENT(inode_permission)
ABSENT(iov_iter_advance)
ABSENT(iovec_from_user)
ABSENT(kstrtobool)
ABSENT(kstrtouint)
ABSENT(kstrtoull)
ABSENT(mapping_evict_folio)
ABSENT(memfd_alloc_folio)
ABSENT(mm_access)
ABSENT(pfn_modify_allowed)
ABSENT(pidfd_get_task)
ABSENT(put_ucounts)
ABSENT(reclaim_pages)
ABSENT(search_exception_tables)
ABSENT(set_pte_vaddr)
ABSENT(sysfs_create_group)
ABSENT(sysfs_emit)
ABSENT(track_pfn_copy)
ABSENT(track_pfn_insert)
ABSENT(track_pfn_remap)
ABSENT(untrack_pfn)
ABSENT(untrack_pfn_clear)
ABSENT(untrack_pfn_copy)
ABSENT(vfs_fadvise)
