# SPDX-License-Identifier: GPL-2.0
"""How the kernel's kunit.py runs QEMU: emulated, on CPUS processors."""
import os

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(linux_arch='x86_64',
                           kconfig='',
                           qemu_arch='x86_64',
                           kernel_path='arch/x86/boot/bzImage',
                           kernel_command_line='console=ttyS0',
                           extra_qemu_params=['-accel', 'tcg', '-cpu', 'max', '-smp',
                                              os.environ.get('CPUS') or '2', '-m', '2048', '-bios', 'qboot.rom'])
