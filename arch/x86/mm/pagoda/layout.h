/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where mappings go, as pure functions of limits and random numbers.
 */
#ifndef _X86_PAGODA_LAYOUT_H
#define _X86_PAGODA_LAYOUT_H

#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>

/**
 * layout_top - where mappings that grow down begin
 * @size: bytes of the address space
 * @stack: the stack's soft limit in bytes, maybe RLIM_INFINITY
 * @slack: bytes that the stack may be moved by, and its guard gap
 * @random: bytes to move the result down by
 *
 * Below the stack's room, for which at least 128 MiB and at most five sixths
 * of the space are kept.
 *
 * Return: the address, a multiple of the page size.
 */
static inline unsigned long layout_top(unsigned long size, unsigned long stack,
				       unsigned long slack,
				       unsigned long random)
{
	unsigned long room;

	/* An unlimited stack says nothing about its slack. */
	if (check_add_overflow(stack, slack, &room))
		room = stack;
	room = clamp(room, (unsigned long)SZ_128M, size / 6 * 5);
	return PAGE_ALIGN(size - room - random);
}

/**
 * layout_hint_fits - may mmap() follow an address hint?
 * @addr: the hint
 * @len: length of the mapping
 * @size: bytes of the address space
 * @window: bytes that programs get without asking for more
 *
 * A program that knows only 47 bits of address must not be handed a mapping
 * that crosses the window, even when its hint plus the length does: with four
 * levels such a hint has always been ignored. One that lies above as a whole
 * is a request for the large space.
 *
 * Return: true if it may.
 */
static inline bool layout_hint_fits(unsigned long addr, unsigned long len,
				    unsigned long size, unsigned long window)
{
	if (len > size || addr > size - len)
		return false;
	return addr > window || addr + len <= window;
}

#endif /* _X86_PAGODA_LAYOUT_H */
