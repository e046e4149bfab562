// SPDX-License-Identifier: GPL-2.0
/*
 * Leave QEMU: its ColdFire board has neither a power switch nor a reset.
 *
 * It has semihosting: a HALT between two marks asks the emulator for what D0
 * says, 0 being to exit with the status in D1. Without -semihosting, HALT
 * stops the processor, which is as good as can be had.
 */
#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>

static int leave(struct notifier_block *nb, unsigned long action, void *data)
{
	register long what asm("d0") = 0;
	register long status asm("d1") = 0;

	/* The marks: a NOP before at an address of four, an odd MOVEC behind. */
	asm volatile("	.balignw 4, 0x4e71\n"
		     "	nop\n"
		     "	halt\n"
		     "	.long	0x4e7bf000\n"
		     : : "d" (what), "d" (status) : "memory");
	return NOTIFY_DONE;
}

static struct notifier_block leave_reboot = {
	.notifier_call = leave,
	.priority = INT_MIN,
};

static struct notifier_block leave_panic = {
	.notifier_call = leave,
	.priority = INT_MIN,
};

static int __init leave_init(void)
{
	atomic_notifier_chain_register(&panic_notifier_list, &leave_panic);
	return register_reboot_notifier(&leave_reboot);
}
late_initcall(leave_init);
