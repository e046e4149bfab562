# SPDX-License-Identifier: GPL-2.0
"""The guest with the kernel's selftests: its own initramfs, and another after it."""
import os

import guest
import kselftest_build as programs
import kselftest_table as table
from common import NOTES, OBJ, read, write

RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'kselftest-guest')
SOURCES = ('.c', '.h', '.S', '.o')


def files_of(directory, others):
    """Lines that put a directory of built selftests into the guest; what they need.

    Without others, the programs of tests that are not to be run.
    """
    top, needed = f'/kselftest/{directory}', {}
    lines = [f'dir /kselftest/{directory[:at]} 755 0 0'
             for at, char in enumerate(directory) if char == '/'] + [f'dir {top} 755 0 0']
    with os.scandir(os.path.join(programs.WHERE, directory)) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if f'{directory}/{entry.name}' in others:
                continue
            if entry.is_symlink():
                lines.append(f'slink {top}/{entry.name} {os.readlink(entry.path)} 777 0 0')
            elif entry.is_dir():
                lines.append(f'dir {top}/{entry.name} 755 0 0')
            elif not entry.name.endswith(SOURCES):
                mode = 755 if os.access(entry.path, os.X_OK) else 644
                lines.append(f'file {top}/{entry.name} {entry.path} {mode} 0 0')
                needed |= guest.libraries(entry.path) if mode == 755 else {}
    return lines, needed


def modules_of(names):
    """Lines that put modules where modprobe looks; they need no others."""
    release = read(os.path.join(OBJ, 'include/config/kernel.release')).strip()
    home, listing = f'/lib/modules/{release}', os.path.join(NOTES, 'modules.dep')
    write(listing, ''.join(os.path.basename(name) + ':\n' for name in names))
    return ['dir /lib 755 0 0', 'dir /lib/modules 755 0 0', f'dir {home} 755 0 0',
            f'file {home}/modules.dep {listing} 644 0 0'] + [
                f'file {home}/{os.path.basename(name)} {OBJ}/{name} 644 0 0' for name in names]


def initramfs(tests, name='kselftest', modules=()):
    """Make an initramfs with the selftests that tests are about; return its path."""
    needed = guest.libraries('/bin/bash')
    listing = os.path.join(NOTES, name + '.tests')
    write(listing, ''.join(test.line() + '\n' for test in tests))
    lines = ['dir /kselftest 755 0 0', f'file /kselftest/list {listing} 644 0 0',
             f'file /bin/kselftest {RUNNER} 755 0 0']
    others = table.programs_of(table.tests()) - table.programs_of(tests)
    for directory in dict.fromkeys(test.directory for test in tests):
        more, libraries = files_of(directory, others)
        lines, needed = lines + more, needed | libraries
    # Some want programs of their own where busybox has links.
    lines += [f'file /bin/{name} {os.path.realpath("/bin/" + name)} 755 0 0'
              for name in ('bash', 'true')]
    lines += modules_of(modules)
    return guest.extended(guest.from_host(needed) + lines, os.path.join(NOTES, name + '.cpio'))
