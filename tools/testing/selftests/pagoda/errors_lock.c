// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of mlock, mlock2, munlock, mlockall, munlockall, msync, mincore and
 * membarrier.
 *
 * mlock, mlock2 and munlock over a hole: stock has locked or unlocked what is
 * before it, Pagoda nothing. What cannot be faulted in is locked all the same.
 */
#include <linux/membarrier.h>

#include "errors.h"

#define ONFAULT		1UL	/* MLOCK_ONFAULT */

int errors_mlock(void)
{
	const struct row rows[] = {
		{ "length 0", CALL(mlock, AT(WRITABLE), 0), 0 },
		{ "length 0 in a hole", CALL(mlock, AT(HOLE), 0), 0 },
		{ "unaligned", CALL(mlock, AT(WRITABLE) + 5, 1), 0 },
		{ "unaligned, into a hole", CALL(mlock, AT(ISLAND) + 1, PAGES(2)), -ENOMEM,
		  CALL(mlock, AT(ISLAND), PAGES(2)), STOCK_DONE },
		{ "length rounds to 0", CALL(mlock, AT(WRITABLE), -1UL), 0 },
		{ "length wraps", CALL(mlock, AT(WRITABLE), -P), -EINVAL },
		{ "ends at the wrap", CALL(mlock, AT(WRITABLE), -AT(WRITABLE)), -EINVAL },
		{ "wraps from the last page", CALL(mlock, -P, 2 * P), -EINVAL },
		{ "a hole", CALL(mlock, AT(HOLE), P), -ENOMEM },
		{ "begins in a hole", CALL(mlock, AT(HOLE + 1), PAGES(2)), -ENOMEM },
		{ "ends in a hole", CALL(mlock, AT(ISLAND + 1), PAGES(2)), -ENOMEM,
		  CALL(mlock, AT(ISLAND + 1), P), STOCK_DONE },
		{ "over a hole", CALL(mlock, AT(WRITABLE), PAGES(12)), -ENOMEM,
		  CALL(mlock, AT(WRITABLE), PAGES(8)), STOCK_DONE },
		{ "over areas and a hole", CALL(mlock, AT(EDGE), PAGES(15)), -ENOMEM,
		  CALL(mlock, AT(EDGE), PAGES(14)), STOCK_DONE },
		{ "the last page", CALL(mlock, top - P, P), -ENOMEM },
		{ "at the user limit", CALL(mlock, top, P), -ENOMEM },
		{ "in the kernel", CALL(mlock, KERNEL_PLACE, P), -ENOMEM },
		{ "address 0", CALL(mlock, 0, P), -ENOMEM },
		{ "over areas", CALL(mlock, AT(EDGE), PAGES(14)), 0 },
		/* Locked, but what has no pages cannot be brought in. */
		{ "no access", CALL(mlock, AT(NOACCESS), P), -ENOMEM,
		  CALL(mlock2, AT(NOACCESS), P, ONFAULT), PART_ALIKE },
		{ "no access behind others", CALL(mlock, AT(READABLE), PAGES(6)), -ENOMEM,
		  CALL(mlock2, AT(READABLE), PAGES(6), ONFAULT), PART_ALIKE },
		{ "beyond the end of a file", CALL(mlock, AT(SHORT + 2), P), -ENOMEM,
		  CALL(mlock2, AT(SHORT + 2), P, ONFAULT), PART_ALIKE },
		{ "a device", CALL(mlock, AT(DEVICE), P), 0 },
		{ "the vdso", CALL(mlock, vdso, P), 0 },
		{ "secret, locked anyway", CALL(mlock, AT(SECRET), P), -ENOMEM },
		{ "RLIMIT_MEMLOCK of 0", CALL(mlock, AT(WRITABLE), P), -EPERM,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "RLIMIT_MEMLOCK of 0, length 0", CALL(mlock, AT(WRITABLE), 0), -EPERM,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "RLIMIT_MEMLOCK of 0, wraps", CALL(mlock, AT(WRITABLE), -P), -EPERM,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "RLIMIT_MEMLOCK, above", CALL(mlock, AT(WRITABLE), PAGES(3)), -ENOMEM,
		  .with = LOCK_LIMIT, .n = 6 },
		{ "RLIMIT_MEMLOCK, at it", CALL(mlock, AT(WRITABLE), PAGES(2)), 0,
		  .with = LOCK_LIMIT, .n = 6 },
		{ "RLIMIT_MEMLOCK, unaligned, above",
		  CALL(mlock, AT(WRITABLE) + 1, PAGES(2)), -ENOMEM,
		  .with = LOCK_LIMIT, .n = 6 },
		{ "RLIMIT_MEMLOCK, used up, locked already", CALL(mlock, AT(LOCKED), PAGES(4)), 0,
		  .with = LOCK_LIMIT, .n = 4 },
		{ "RLIMIT_MEMLOCK, above, wraps", CALL(mlock, AT(WRITABLE), -P), -ENOMEM,
		  .with = LOCK_LIMIT, .n = 8 },
		{ "RLIMIT_MEMLOCK, above, a hole", CALL(mlock, AT(HOLE), PAGES(9)), -ENOMEM,
		  .with = LOCK_LIMIT, .n = 8 },
		{ "areas at the limit, a split", CALL(mlock, AT(WRITABLE + 2), P), -ENOMEM,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "areas at the limit, an end", CALL(mlock, AT(WRITABLE), P), -ENOMEM,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "areas at the limit, a whole one", CALL(mlock, AT(WRITABLE), PAGES(8)), 0,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "areas at the limit, the second to be split",
		  CALL(mlock, AT(READABLE), PAGES(5)), -ENOMEM,
		  CALL(mlock, AT(READABLE), PAGES(4)), PART_DONE, .with = COUNT_LIMIT, .n = 0 },
		{ "mlock2, an unknown flag", CALL(mlock2, AT(WRITABLE), P, 2), -EINVAL },
		{ "mlock2, all flags", CALL(mlock2, AT(WRITABLE), P, -1UL), -EINVAL },
		{ "mlock2, a flag and a limit of 0", CALL(mlock2, AT(WRITABLE), P, 4), -EINVAL,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "mlock2, over a hole", CALL(mlock2, AT(WRITABLE), PAGES(9), ONFAULT), -ENOMEM,
		  CALL(mlock2, AT(WRITABLE), PAGES(8), ONFAULT), STOCK_DONE },
		{ "mlock2, wraps", CALL(mlock2, AT(WRITABLE), -P, ONFAULT), -EINVAL },
		{ "mlock2, RLIMIT_MEMLOCK of 0", CALL(mlock2, AT(WRITABLE), P, ONFAULT), -EPERM,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "mlock2, RLIMIT_MEMLOCK, above", CALL(mlock2, AT(WRITABLE), PAGES(3), ONFAULT),
		  -ENOMEM, .with = LOCK_LIMIT, .n = 6 },
		{ "munlock, length 0", CALL(munlock, AT(LOCKED), 0), 0 },
		{ "munlock, a hole", CALL(munlock, AT(HOLE), P), -ENOMEM },
		{ "munlock, ends in a hole", CALL(munlock, AT(LOCKED + 2), PAGES(4)), -ENOMEM,
		  CALL(munlock, AT(LOCKED + 2), PAGES(2)), STOCK_DONE },
		{ "munlock, begins in a hole", CALL(munlock, AT(LOCKED - 1), PAGES(4)), -ENOMEM },
		{ "munlock, wraps", CALL(munlock, AT(LOCKED), -P), -EINVAL },
		{ "munlock, in the kernel", CALL(munlock, -P, P - 1), -EINVAL },
		{ "munlock, what is not locked", CALL(munlock, AT(WRITABLE), P), 0 },
		{ "munlock, areas at the limit", CALL(munlock, AT(LOCKED + 1), P), -ENOMEM,
		  .with = COUNT_LIMIT, .n = 0 },
		{ "munlock, RLIMIT_MEMLOCK of 0", CALL(munlock, AT(LOCKED), PAGES(4)), 0,
		  .with = LOCK_LIMIT, .n = 0 },
	};

	return errors_rows_flags("mlock", rows, ARRAY_SIZE(rows));
}

int errors_mlockall(void)
{
	const struct row rows[] = {
		{ "what there is", CALL(mlockall, MCL_CURRENT), 0 },
		{ "what will be", CALL(mlockall, MCL_FUTURE), 0 },
		{ "nothing", CALL(mlockall, 0), -EINVAL },
		{ "on fault only", CALL(mlockall, 4), -EINVAL },
		{ "an unknown flag", CALL(mlockall, MCL_CURRENT | 8), -EINVAL },
		{ "all flags", CALL(mlockall, -1UL), -EINVAL },
		{ "an unknown flag and a limit of 0", CALL(mlockall, 8), -EINVAL,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "RLIMIT_MEMLOCK of 0", CALL(mlockall, MCL_CURRENT), -EPERM,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "RLIMIT_MEMLOCK of 0, what will be", CALL(mlockall, MCL_FUTURE), -EPERM,
		  .with = LOCK_LIMIT, .n = 0 },
		{ "RLIMIT_MEMLOCK, above", CALL(mlockall, MCL_CURRENT), -ENOMEM,
		  .with = LOCK_LIMIT, .n = 9 },
		{ "RLIMIT_MEMLOCK, above, both", CALL(mlockall, MCL_CURRENT | MCL_FUTURE), -ENOMEM,
		  .with = LOCK_LIMIT, .n = 9 },
		{ "RLIMIT_MEMLOCK, above, what will be", CALL(mlockall, MCL_FUTURE), 0,
		  .with = LOCK_LIMIT, .n = 1 },
		{ "RLIMIT_MEMLOCK, far below", CALL(mlockall, MCL_CURRENT), 0,
		  .with = LOCK_LIMIT, .n = 1L << (sizeof(long) == 8 ? 30 : 18) },
		{ "munlockall", CALL(munlockall, 0), 0 },
		{ "munlockall, RLIMIT_MEMLOCK of 0", CALL(munlockall, 0), 0,
		  .with = LOCK_LIMIT, .n = 0 },
	};

	return errors_rows_flags("mlockall", rows, ARRAY_SIZE(rows));
}

int errors_msync(void)
{
	const struct row rows[] = {
		{ "synchronous", CALL(msync, AT(SHARED), P, MS_SYNC), 0 },
		{ "no flag", CALL(msync, AT(SHARED), P, 0), 0 },
		{ "length 0", CALL(msync, AT(SHARED), 0, MS_SYNC), 0 },
		{ "length 0 in a hole", CALL(msync, AT(HOLE), 0, MS_SYNC), 0 },
		{ "unaligned", CALL(msync, AT(SHARED) + 1, P, MS_SYNC), -EINVAL },
		{ "unaligned, length 0", CALL(msync, AT(SHARED) + 1, 0, MS_SYNC), -EINVAL },
		{ "an unknown flag", CALL(msync, AT(SHARED), P, 8), -EINVAL },
		{ "all flags", CALL(msync, AT(SHARED), P, -1UL), -EINVAL },
		{ "both ways", CALL(msync, AT(SHARED), P, MS_SYNC | MS_ASYNC), -EINVAL },
		{ "both ways, length 0", CALL(msync, AT(SHARED), 0, MS_SYNC | MS_ASYNC), -EINVAL },
		{ "length rounds to 0", CALL(msync, AT(SHARED), -1UL, MS_SYNC), 0 },
		{ "wraps", CALL(msync, AT(SHARED), -P, MS_SYNC), -ENOMEM },
		{ "ends at the wrap", CALL(msync, AT(SHARED), -AT(SHARED), MS_SYNC), -ENOMEM },
		{ "a hole, synchronous", CALL(msync, AT(HOLE), P, MS_SYNC), -ENOMEM },
		{ "a hole, asynchronous", CALL(msync, AT(HOLE), P, MS_ASYNC), -ENOMEM },
		{ "a hole, no flag", CALL(msync, AT(HOLE), P, 0), -ENOMEM },
		{ "over a hole", CALL(msync, AT(WRITABLE), PAGES(12), MS_SYNC), -ENOMEM },
		{ "over a hole, asynchronous",
		  CALL(msync, AT(WRITABLE), PAGES(12), MS_ASYNC), -ENOMEM },
		{ "ends in a hole", CALL(msync, AT(SHOWN), PAGES(5), MS_SYNC), -ENOMEM },
		{ "the last page", CALL(msync, top - P, P, MS_SYNC), -ENOMEM },
		{ "at the user limit", CALL(msync, top, P, MS_ASYNC), -ENOMEM },
		{ "in the kernel", CALL(msync, KERNEL_PLACE, P, MS_SYNC), -ENOMEM },
		{ "the last page of all", CALL(msync, -P, P, MS_SYNC), 0 - ENOMEM },
		{ "invalidates locked memory", CALL(msync, AT(LOCKED), P, MS_INVALIDATE), -EBUSY },
		{ "the same and synchronous",
		  CALL(msync, AT(LOCKED), P, MS_INVALIDATE | MS_SYNC), -EBUSY },
		{ "invalidates locked memory behind a hole",
		  CALL(msync, AT(SHOWN), PAGES(7), MS_INVALIDATE), -EBUSY },
		{ "invalidates", CALL(msync, AT(SHARED), P, MS_INVALIDATE), 0 },
		{ "locked memory, synchronous", CALL(msync, AT(LOCKED), P, MS_SYNC), 0 },
		{ "a device", CALL(msync, AT(DEVICE), P, MS_SYNC), 0 },
		{ "the vdso", CALL(msync, vdso, P, MS_SYNC), 0 },
		{ "anonymous", CALL(msync, AT(WRITABLE), P, MS_SYNC), 0 },
	};

	return errors_rows("msync", rows, ARRAY_SIZE(rows));
}

int errors_mincore(void)
{
	const unsigned long vec = U(own);
	const struct row rows[] = {
		{ "works", CALL(mincore, AT(WRITABLE), PAGES(8), vec), 0 },
		{ "length 0", CALL(mincore, AT(WRITABLE), 0, vec), 0 },
		{ "length 0 in a hole", CALL(mincore, AT(HOLE), 0, vec), 0 },
		{ "length 0 and no vector", CALL(mincore, AT(WRITABLE), 0, 0), 0 },
		{ "unaligned", CALL(mincore, AT(WRITABLE) + 1, P, vec), -EINVAL },
		{ "unaligned, length 0", CALL(mincore, AT(WRITABLE) + 1, 0, vec), -EINVAL },
		{ "a hole", CALL(mincore, AT(HOLE), P, vec), -ENOMEM },
		{ "ends in a hole", CALL(mincore, AT(WRITABLE), PAGES(9), vec), -ENOMEM },
		{ "begins in a hole", CALL(mincore, AT(HOLE), PAGES(4), vec), -ENOMEM },
		{ "length rounds to 0", CALL(mincore, AT(WRITABLE), -1UL, vec), -ENOMEM },
		{ "length negative", CALL(mincore, AT(WRITABLE), -P, vec), -ENOMEM },
		{ "wraps", CALL(mincore, AT(WRITABLE), -AT(WRITABLE) + P, vec), -ENOMEM },
		{ "the last page", CALL(mincore, top - P, P, vec), -ENOMEM },
		{ "over the user limit", CALL(mincore, top - P, PAGES(2), vec), -ENOMEM },
		{ "in the kernel", CALL(mincore, KERNEL_PLACE, P, vec), -ENOMEM },
		{ "length beyond the user limit", CALL(mincore, AT(WRITABLE), top, vec), -ENOMEM },
		{ "no vector", CALL(mincore, AT(WRITABLE), P, 0), -EFAULT },
		{ "vector in a hole", CALL(mincore, AT(WRITABLE), P, AT(HOLE)), -EFAULT },
		{ "vector in the kernel",
		  CALL(mincore, AT(WRITABLE), P, KERNEL_PLACE), -EFAULT },
		{ "vector the last byte of all",
		  CALL(mincore, AT(WRITABLE), PAGES(8), -1UL), -EFAULT },
		{ "vector read-only", CALL(mincore, AT(WRITABLE), P, AT(READABLE)), -EFAULT },
		{ "vector without access", CALL(mincore, AT(WRITABLE), P, AT(NOACCESS)), -EFAULT },
		{ "vector in a file opened for reading",
		  CALL(mincore, AT(WRITABLE), P, AT(SHOWN)), -EFAULT },
		{ "vector and memory a hole", CALL(mincore, AT(HOLE), P, AT(HOLE)), -ENOMEM },
		{ "unaligned and no vector", CALL(mincore, AT(WRITABLE) + 1, P, 0), -EINVAL },
		{ "in the kernel and no vector", CALL(mincore, KERNEL_PLACE, P, 0), -ENOMEM },
		{ "a device", CALL(mincore, AT(DEVICE), PAGES(2), vec), 0 },
		{ "vvar", CALL(mincore, vvar, P, vec), 0 },
		{ "the vdso", CALL(mincore, vdso, P, vec), 0 },
		{ "secret", CALL(mincore, AT(SECRET), P, vec), 0 },
	};

	return errors_rows("mincore", rows, ARRAY_SIZE(rows));
}

#define BARRIER(cmd, flags, cpu)	CALL(membarrier, cmd, flags, cpu)
#define EXPEDITED	MEMBARRIER_CMD_PRIVATE_EXPEDITED
#define SYNC_CORE	MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE
#define RSEQ		MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ
#define ON_CPU		1	/* MEMBARRIER_CMD_FLAG_CPU */

int errors_membarrier(void)
{
	const struct row rows[] = {
		{ "query", BARRIER(0, 0, 0), 0x3ff },
		{ "query, a flag", BARRIER(0, 1, 0), -EINVAL },
		{ "unknown", BARRIER(1 << 10, 0, 0), -EINVAL },
		{ "two at once", BARRIER(3, 0, 0), -EINVAL },
		{ "negative", BARRIER(-1UL, 0, 0), -EINVAL },
		{ "global", BARRIER(MEMBARRIER_CMD_GLOBAL, 0, 0), 0 },
		{ "global, a flag", BARRIER(MEMBARRIER_CMD_GLOBAL, 1, 0), -EINVAL },
		{ "global expedited", BARRIER(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0), 0 },
		{ "private, not registered", BARRIER(EXPEDITED, 0, 0), -EPERM },
		{ "private, registered", BARRIER(EXPEDITED, 0, 0), 0,
		  .first = BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) },
		{ "private, a flag", BARRIER(EXPEDITED, ON_CPU, 0), -EINVAL,
		  .first = BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) },
		{ "core, not registered", BARRIER(SYNC_CORE, 0, 0), -EPERM },
		{ "core, registered for the plain one", BARRIER(SYNC_CORE, 0, 0), -EPERM,
		  .first = BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) },
		{ "core, registered", BARRIER(SYNC_CORE, 0, 0), 0,
		  .first = BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) },
		{ "rseq, not registered", BARRIER(RSEQ, 0, 0), -EPERM },
		{ "rseq, an unknown flag", BARRIER(RSEQ, 2, 0), -EINVAL },
		{ "rseq, registered", BARRIER(RSEQ, 0, 0), 0,
		  .first = BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) },
		{ "rseq, a CPU", BARRIER(RSEQ, ON_CPU, 0), 0,
		  .first = BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) },
		{ "rseq, no such CPU", BARRIER(RSEQ, ON_CPU, 1000), 0,
		  .first = BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) },
		{ "rseq, a CPU, not registered", BARRIER(RSEQ, ON_CPU, 0), -EPERM },
		{ "register, a flag", BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 1, 0),
		  -EINVAL },
	};

	return errors_rows("membarrier", rows, ARRAY_SIZE(rows));
}
