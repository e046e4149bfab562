// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of process_vm_readv and process_vm_writev.
 *
 * Both return how much they copied before something went wrong, and an error
 * only if that is nothing.
 */
#include "errors.h"

#define BAD		KERNEL_PLACE
#define READ(l, nl, r, nr)	CALL(process_vm_readv, peer, U(l), nl, U(r), nr, 0)
#define WRITE(l, nl, r, nr)	CALL(process_vm_writev, peer, U(l), nl, U(r), nr, 0)
#define NOBODY		0x3ffffff
#define KTHREAD		2

int errors_vm_readv(void)
{
	struct iovec *to = vec1(U(own), P), *from = vec1(AT(WRITABLE), P);
	struct iovec *hole = vec1(AT(HOLE), P), *good_bad = vec2(AT(WRITABLE), P, AT(HOLE), P);
	struct iovec *bad_good = vec2(AT(HOLE), P, AT(WRITABLE), P);
	struct iovec *wide = vec1(U(own), PAGES(12)), *over = vec1(AT(WRITABLE + 4), PAGES(6));
	struct iovec *negative = vec1(AT(WRITABLE), -1UL), *empty = vec1(AT(WRITABLE), 0);
	struct iovec *huge = vec2(U(own), LONG_MAX, U(own), LONG_MAX);
	struct iovec *wraps = vec1(-P, 2 * P), *kernel = vec1(BAD, P), *last = vec1(top - P, 2 * P);
	struct iovec *none = vec1(AT(NOACCESS), P), *device = vec1(AT(DEVICE), P);
	struct iovec *secret = vec1(AT(SECRET), P), *beyond = vec1(AT(SHORT + 2), P);
	struct iovec *across = vec1(AT(SHORT), PAGES(4)), *readable = vec1(AT(READABLE), P);
	struct iovec *special = vec1(vdso, 100), *clock = vec1(vvar, 100);
	struct iovec *all = vec1(AT(WRITABLE), LONG_MAX), *to_all = vec1(U(own), LONG_MAX);
	const struct row rows[] = {
		{ "works", READ(to, 1, from, 1), P },
		{ "nothing to", READ(to, 0, from, 1), 0 },
		{ "nothing from", READ(to, 1, from, 0), 0 },
		{ "an empty piece", READ(to, 1, empty, 1), 0 },
		{ "an empty piece to", READ(empty, 1, from, 1), 0 },
		{ "a flag", CALL(process_vm_readv, peer, U(to), 1, U(from), 1, 1), -EINVAL },
		{ "a high flag",
		  CALL(process_vm_readv, peer, U(to), 1, U(from), 1, HIGH_FLAG), -EINVAL },
		{ "too many to", READ(to, 1025, from, 1), -EINVAL },
		{ "too many from", READ(to, 1, from, 1025), -EINVAL },
		{ "far too many from", READ(to, 1, from, -1UL), -EINVAL },
		{ "a length negative to", READ(negative, 1, from, 1), -EINVAL },
		{ "a length negative from", READ(to, 1, negative, 1), -EINVAL },
		{ "lengths overflow to, into the kernel", READ(huge, 2, from, 1),
		  sizeof(long) == 8 ? -EFAULT : (long)P },	/* not so far, in 32 bits */
		{ "lengths overflow from", READ(to, 1, vec2(AT(WRITABLE), LONG_MAX, AT(WRITABLE),
							    LONG_MAX), 2), P },
		{ "the longest from", READ(to, 1, all, 1), P },
		{ "the longest of both", READ(to_all, 1, all, 1), PAGES(8) },
		{ "no process", CALL(process_vm_readv, NOBODY, U(to), 1, U(from), 1, 0), -ESRCH },
		{ "process 0", CALL(process_vm_readv, 0, U(to), 1, U(from), 1, 0), -ESRCH },
		{ "a negative process",
		  CALL(process_vm_readv, -1UL, U(to), 1, U(from), 1, 0), -ESRCH },
		{ "a kernel thread",
		  CALL(process_vm_readv, KTHREAD, U(to), 1, U(from), 1, 0), -ESRCH },
		{ "a user's of root's process", READ(to, 1, from, 1), -EPERM, .user = true },
		{ "a user's of the first process",
		  CALL(process_vm_readv, 1, U(to), 1, U(from), 1, 0),
		  -EPERM, .user = true },
		{ "no process and nothing to do",
		  CALL(process_vm_readv, NOBODY, U(to), 1, U(from), 0, 0), 0 },
		{ "no process and nothing to do it with",
		  CALL(process_vm_readv, NOBODY, U(to), 0, U(from), 1, 0), 0 },
		{ "no process and a bad vector",
		  CALL(process_vm_readv, NOBODY, U(to), 1, BAD, 1, 0), -EFAULT },
		{ "vector to in the kernel", READ(BAD, 1, from, 1), -EFAULT },
		{ "vector from in the kernel", READ(to, 1, BAD, 1), -EFAULT },
		{ "vector from in a hole", READ(to, 1, AT(HOLE), 1), -EFAULT },
		{ "vector from without access", READ(to, 1, AT(NOACCESS), 1), -EFAULT },
		{ "vector to ends in a hole", READ(AT(HOLE) - 8, 1, from, 1), -EFAULT },
		{ "a hole", READ(to, 1, hole, 1), -EFAULT },
		{ "into a hole of one's own", READ(hole, 1, from, 1), -EFAULT },
		{ "into what one may not write", READ(readable, 1, from, 1), -EFAULT },
		{ "into the kernel", READ(kernel, 1, from, 1), -EFAULT },
		{ "into where addresses wrap", READ(wraps, 1, from, 1), -EFAULT },
		{ "a hole behind", READ(wide, 1, good_bad, 2), P },
		{ "a hole before", READ(wide, 1, bad_good, 2), -EFAULT },
		{ "ends in a hole", READ(wide, 1, over, 1), PAGES(4) },
		{ "across the end of a file", READ(wide, 1, across, 1), PAGES(2) },
		{ "beyond the end of a file", READ(to, 1, beyond, 1), -EFAULT },
		{ "no access", READ(to, 1, none, 1), -EFAULT },
		{ "a device", READ(to, 1, device, 1), -EFAULT },
		{ "secret", READ(to, 1, secret, 1), -EFAULT },
		{ "vvar", READ(to, 1, clock, 1), -EFAULT },
		{ "the vdso", READ(to, 1, special, 1), 100 },
		{ "the kernel", READ(to, 1, kernel, 1), -EFAULT },
		{ "addresses that wrap", READ(wide, 1, wraps, 1), -EFAULT },
		{ "over the user limit", READ(wide, 1, last, 1), -EFAULT },
	};

	return errors_rows("process_vm_readv", rows, ARRAY_SIZE(rows));
}

int errors_vm_writev(void)
{
	struct iovec *from = vec1(U(own), P), *to = vec1(AT(WRITABLE), P);
	struct iovec *wide = vec1(U(own), PAGES(12)), *over = vec1(AT(WRITABLE + 4), PAGES(6));
	struct iovec *hole = vec1(AT(HOLE), P), *good_bad = vec2(AT(WRITABLE), P, AT(HOLE), P);
	struct iovec *good_ro = vec2(AT(EDGE), P, AT(READABLE), P);
	struct iovec *readable = vec1(AT(READABLE), P), *none = vec1(AT(NOACCESS), P);
	struct iovec *shown = vec1(AT(SHOWN), P), *device = vec1(AT(DEVICE), P);
	struct iovec *secret = vec1(AT(SECRET), P), *beyond = vec1(AT(SHORT + 2), P);
	struct iovec *special = vec1(vdso, 100), *clock = vec1(vvar, 100);
	struct iovec *kernel = vec1(BAD, P), *wraps = vec1(-P, 2 * P);
	struct iovec *negative = vec1(AT(WRITABLE), -1UL), *sealed = vec1(AT(SEALED_RO), P);
	const struct row rows[] = {
		{ "works", WRITE(from, 1, to, 1), P, .peer = true },
		{ "nothing from", WRITE(from, 0, to, 1), 0 },
		{ "nothing to", WRITE(from, 1, to, 0), 0 },
		{ "a flag", CALL(process_vm_writev, peer, U(from), 1, U(to), 1, 2), -EINVAL },
		{ "too many from", WRITE(from, 1025, to, 1), -EINVAL },
		{ "too many to", WRITE(from, 1, to, 1025), -EINVAL },
		{ "a length negative to", WRITE(from, 1, negative, 1), -EINVAL },
		{ "a length negative from", WRITE(negative, 1, to, 1), -EINVAL },
		{ "no process", CALL(process_vm_writev, NOBODY, U(from), 1, U(to), 1, 0), -ESRCH },
		{ "a kernel thread",
		  CALL(process_vm_writev, KTHREAD, U(from), 1, U(to), 1, 0), -ESRCH },
		{ "a user's to root's process", WRITE(from, 1, to, 1), -EPERM, .user = true },
		{ "vector from in the kernel", WRITE(BAD, 1, to, 1), -EFAULT },
		{ "vector to in the kernel", WRITE(from, 1, BAD, 1), -EFAULT },
		{ "vector to in a hole", WRITE(from, 1, AT(HOLE), 1), -EFAULT },
		{ "from a hole of one's own", WRITE(hole, 1, to, 1), -EFAULT },
		{ "from where one has no access", WRITE(none, 1, to, 1), -EFAULT },
		{ "from the kernel", WRITE(kernel, 1, to, 1), -EFAULT },
		{ "a hole", WRITE(from, 1, hole, 1), -EFAULT },
		{ "a hole behind", WRITE(wide, 1, good_bad, 2), P, .peer = true },
		{ "ends in a hole", WRITE(wide, 1, over, 1), PAGES(4), .peer = true },
		{ "read-only", WRITE(from, 1, readable, 1), -EFAULT },
		{ "read-only behind writable", WRITE(wide, 1, good_ro, 2), P, .peer = true },
		{ "no access", WRITE(from, 1, none, 1), -EFAULT },
		{ "a file opened for reading", WRITE(from, 1, shown, 1), -EFAULT },
		{ "sealed, read-only", WRITE(from, 1, sealed, 1), -EFAULT },
		{ "beyond the end of a file", WRITE(from, 1, beyond, 1), -EFAULT },
		{ "a device", WRITE(from, 1, device, 1), -EFAULT },
		{ "secret", WRITE(from, 1, secret, 1), -EFAULT },
		{ "vvar", WRITE(from, 1, clock, 1), -EFAULT },
		{ "the vdso", WRITE(from, 1, special, 1), -EFAULT },
		{ "the kernel", WRITE(from, 1, kernel, 1), -EFAULT },
		{ "addresses that wrap", WRITE(wide, 1, wraps, 1), -EFAULT },
	};

	return errors_rows("process_vm_writev", rows, ARRAY_SIZE(rows));
}
