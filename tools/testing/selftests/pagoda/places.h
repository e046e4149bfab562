/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses and sizes that suit every machine the suites run on: those with the
 * least room have 256 GiB (RISC-V, sv39), or 1 GiB in 32 bits.
 */
#ifndef PAGODA_PLACES_H
#define PAGODA_PLACES_H

/* Where nobody maps anything but on request; a table of any level begins there. */
#if __SIZEOF_LONG__ == 8
#define FAR_AWAY	0x2000000000UL
#define FAR_STEP	0x40000000UL
#else
#define FAR_AWAY	0x18000000UL
#define FAR_STEP	0x04000000UL
#endif

/* The n-th such place of some MiB, from -1 to 3. */
#define FAR_PLACE(n)	(FAR_AWAY + (n) * FAR_STEP)

/* More than there is memory, less than there are addresses. */
#if __SIZEOF_LONG__ == 8
#define MORE_THAN_MEMORY	(1UL << 36)
#else
#define MORE_THAN_MEMORY	0x90000000UL
#endif

/* An address of the kernel's, whatever its layout. */
#if defined(__x86_64__)
#define KERNEL_PLACE	0xffff888000000000UL
#elif __SIZEOF_LONG__ == 8
#define KERNEL_PLACE	0xffffffff80000000UL
#else
#define KERNEL_PLACE	0xf0000000UL
#endif

/* A bit that no flags have: behind the 32 that are looked at, if there are more. */
#define HIGH_FLAG	(1UL << (__SIZEOF_LONG__ == 8 ? 40 : 30))

#endif
