/* SPDX-License-Identifier: GPL-2.0 */
/* All CPUs are one: a per-CPU variable is a variable. */
#ifndef _USER_ASM_PERCPU_H
#define _USER_ASM_PERCPU_H

#define __percpu_seg_override
#define __my_cpu_offset		0UL
#define __my_cpu_var(name)	(name)
#define __percpu_arg(name)	"%" #name
#define this_cpu_read_stable(p)	raw_cpu_read(p)
#define this_cpu_read_const(p)	(p)

#define DECLARE_INIT_PER_CPU(name)	struct user_unused_##name
#define DECLARE_EARLY_PER_CPU(type, name) \
	DECLARE_PER_CPU(type, name)
#define DECLARE_EARLY_PER_CPU_READ_MOSTLY(type, name) \
	DECLARE_PER_CPU(type, name)
#define early_per_cpu(name, cpu)	per_cpu(name, cpu)

#include <asm/asm.h>
#include <asm-generic/percpu.h>

#endif
