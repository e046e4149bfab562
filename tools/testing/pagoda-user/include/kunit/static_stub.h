/* SPDX-License-Identifier: GPL-2.0 */
/* One function at a time can be replaced by another. */
#ifndef _USER_KUNIT_STATIC_STUB_H
#define _USER_KUNIT_STATIC_STUB_H

#include <linux/compiler.h>

struct kunit;

extern void *kunit_stubbed, *kunit_stub;

#define KUNIT_STATIC_STUB_REDIRECT(fn, args...) do {			\
	if (unlikely(kunit_stubbed == (void *)(fn)))			\
		return ((typeof(fn) *)kunit_stub)(args);		\
} while (0)

#define kunit_activate_static_stub(test, fn, by) do {			\
	(void)(test);							\
	kunit_stubbed = (void *)(fn);					\
	kunit_stub = (void *)(by);					\
} while (0)

#endif
