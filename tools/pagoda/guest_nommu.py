# SPDX-License-Identifier: GPL-2.0
"""The guest of a machine without an MMU, in build/ARCH-guest.

One program, which is /init and what it runs: there is no libc for these
machines in Debian, nor a shell, nor a disk. See tools/testing/selftests/pagoda-nommu.
"""
import os
import re

import guest
from common import GUEST, MACHINE, TREE, digest, read, run_logged, write

SOURCE = os.path.join(TREE, 'tools/testing/selftests/pagoda-nommu')
PROGRAM = os.path.join(GUEST, 'tests/nommu_test')


def contents():
    write(os.path.join(GUEST, 'suites'), 'nommu_test\n')
    return [f'dir {path} 755 0 0' for path in ('/debug', '/dev', '/proc', '/tests', '/tmp')] + [
        'nod /dev/console 600 0 0 c 5 1', f'file /init {PROGRAM} 755 0 0',
        f'file /tests/nommu_test {PROGRAM} 755 0 0']


def build():
    """Bring the guest up to date; return the path of its initramfs."""
    names = sorted(os.listdir(SOURCE))
    stamp = digest(*names, *[(os.path.join(SOURCE, name),) for name in names],
                   (os.path.abspath(__file__),))
    note = os.path.join(GUEST, 'built')
    if read(note, '') == stamp and os.path.exists(guest.INITRAMFS):
        return guest.INITRAMFS
    run_logged(['make', '-B', '-C', SOURCE, f'OUTPUT={os.path.dirname(PROGRAM)}',
                f'CC={MACHINE.gcc()}', f'FLAGS={" ".join(MACHINE.flags)}'],
               'building the guest\'s program', os.path.join(GUEST, 'programs.log'),
               re.compile(r'.*gcc\b'), 'commands')
    guest.archive(contents(), guest.INITRAMFS)
    write(note, stamp)
    return guest.INITRAMFS
