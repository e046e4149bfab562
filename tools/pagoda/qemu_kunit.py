# SPDX-License-Identifier: GPL-2.0
"""How the kernel's kunit.py runs QEMU: emulated, on CPUS processors of ARCH and CONFIG."""
import os
import sys

from ..qemu_config import QemuArchParams

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import coldfire                                     # noqa: E402
from common import CPUS, MACHINE, OBJ               # noqa: E402

COMMAND_LINE = f'console={MACHINE.console}'
KERNEL, MORE = MACHINE.image, []
if MACHINE.loader:
    # What kunit.py gives to -append does not reach the kernel.
    given = [word.split('=', 1)[1] for word in sys.argv if word.startswith('--kernel_args=')]
    KERNEL, MORE = coldfire.prepare(os.path.join(OBJ, MACHINE.image),
                                    ' '.join([*given, 'kunit.enable=1 kunit_shutdown=reboot']))

QEMU_ARCH = QemuArchParams(linux_arch=MACHINE.linux,
                           kconfig='',
                           qemu_arch=MACHINE.qemu,
                           kernel_path=KERNEL,
                           kernel_command_line=COMMAND_LINE,
                           extra_qemu_params=['-accel', 'tcg', *MACHINE.machine, *MACHINE.kunit,
                                              *MORE, '-smp', str(CPUS),
                                              '-m', str(MACHINE.memory)])
