# SPDX-License-Identifier: GPL-2.0
"""The guest's initramfs and disk, in build/ARCH-guest.

The initramfs holds a static busybox, /init, Pagoda's user-space
programs in /tests (the tour also as /bin/tour), and for the dynamically linked
ones among them Debian's ld.so and libraries, where those look for them. The disk
is an empty ext4; guests write to a throw-away copy.
"""
import os
import re
import subprocess

import busybox
from common import (GUEST, MACHINE, OBJ, TOP, TREE, clean_environment, die, digest, read,
                    run_logged, shown, write)

SOURCE = os.path.join(TREE, 'tools/testing/selftests/pagoda')
PROGRAMS = os.path.join(GUEST, 'tests')
INITRAMFS = os.path.join(GUEST, 'initramfs.cpio')
DISK = os.path.join(GUEST, 'disk.img')
INIT = os.path.join(TOP, 'tools/pagoda/init')
DISK_MB = 128


def made_by(variable):
    """The words of a variable of the programs' Makefile."""
    result = subprocess.run(
        ['make', '-s', '-C', SOURCE, '-f', '-', f'CC={MACHINE.gcc()}', 'words'],
        capture_output=True, text=True,
        input=f'include Makefile\nwords: ; @echo $({variable})\n', env=clean_environment())
    if result.returncode:
        die(f'{shown(SOURCE)}/Makefile: {result.stderr.strip()}')
    return [os.path.basename(word) for word in result.stdout.split()]


def libraries(program):
    """
    What a dynamically linked program needs: {path in the guest: path on the host}.

    Nothing for a static one. The cross compiler's libraries lie below /usr/TRIPLET.
    """
    if not MACHINE.cross:
        result = subprocess.run(['ldd', program], capture_output=True, text=True)
        found = re.findall(r'(/\S+) \(0x', result.stdout) if not result.returncode else ()
        return {path: os.path.realpath(path) for path in found}
    said = subprocess.run([MACHINE.tool('readelf'), '-ld', program], capture_output=True,
                          text=True, env=clean_environment()).stdout
    loader = re.search(r'program interpreter: (\S+)\]', said)
    if not loader:
        return {}
    lib = f'/usr/{MACHINE.cross}/lib'
    found = {loader.group(1): os.path.join(lib, os.path.basename(loader.group(1)))}
    for name in re.findall(r'\(NEEDED\).*\[(.*)\]', said):
        found.setdefault('/lib/' + name, os.path.join(lib, name))
    return found


def needed_by(programs):
    """What libraries() says of several programs."""
    found = {}
    for program in programs:
        found |= libraries(program)
    return found


def contents():
    """The list that gen_init_cpio turns into the initramfs."""
    suites, others = made_by('TEST_GEN_PROGS'), made_by('TEST_GEN_FILES')
    others += made_by('TEST_GEN_PROGS_EXTENDED')
    write(os.path.join(GUEST, 'suites'), '\n'.join(suites) + '\n')
    dirs = {'/proc', '/sys', '/dev', '/tmp', '/root', '/mnt', '/etc', '/bin', '/tests'}
    lines = ['nod /dev/console 600 0 0 c 5 1', 'nod /dev/null 666 0 0 c 1 3',
             f'file /init {INIT} 755 0 0', f'file /bin/busybox {busybox.build()} 755 0 0',
             f'file /tests/suites {GUEST}/suites 644 0 0']
    lines += [f'slink /bin/{name} busybox 777 0 0' for name in busybox.applets()
              if name != 'busybox']
    needed = {}
    for name in suites + others:
        path = os.path.join(PROGRAMS, name)
        if not os.path.isfile(path):
            die(f'{shown(path)} was not built')
        lines.append(f'file /tests/{name} {path} 755 0 0')
        lines.append(f'slink /bin/{name} /tests/{name} 777 0 0')
        needed |= libraries(path)
    return [f'dir {path} 755 0 0' for path in sorted(dirs)] + from_host(needed) + lines


def from_host(files):
    """Lines for files of the host, {path in the guest: path}, with the directories above."""
    dirs, lines = set(), []
    for path in sorted(files):
        lines.append(f'file {path} {os.path.realpath(files[path])} 755 0 0')
        here = os.path.dirname(path)
        while here != '/':
            dirs.add(here)
            here = os.path.dirname(here)
    return [f'dir {path} 755 0 0' for path in sorted(dirs)] + lines


def archive(lines, path):
    """Make an initramfs at path of what lines say; return its content."""
    listing = os.path.splitext(path)[0] + '.list'
    write(listing, '\n'.join(lines) + '\n')
    made = subprocess.run([os.path.join(OBJ, 'usr/gen_init_cpio'), '-t', '0', listing],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if made.returncode:
        die('making the initramfs failed: ' + made.stderr.decode().strip())
    write(path, made.stdout)
    return made.stdout


def extended(lines, path):
    """Make the guest's initramfs, and after it an archive of what lines say, at path."""
    with open(build(), 'rb') as file:
        base = file.read()
    write(path, base + archive(lines, path))
    return path


def build():
    """Bring the guest up to date; return the path of its initramfs."""
    if not MACHINE.mmu:
        import guest_nommu
        return guest_nommu.build()

    def about(path):
        stat = os.stat(path)
        return f'{path} {stat.st_size} {stat.st_mtime_ns}'
    inputs = [(os.path.join(SOURCE, name),) for name in sorted(os.listdir(SOURCE))]
    libc = [about(path) for path in (sorted(libraries('/bin/sh')) if not MACHINE.cross else
                                     [f'/usr/{MACHINE.cross}/lib/libc.so.6'])]
    stamp = digest(*[part[0] for part in inputs], *inputs, *libc, about(busybox.build()), (INIT,),
                   (os.path.abspath(__file__),))
    note = os.path.join(GUEST, 'built')
    if read(note, '') == stamp and os.path.exists(INITRAMFS) and os.path.exists(DISK):
        return INITRAMFS

    run_logged(['make', '-C', SOURCE, f'OUTPUT={PROGRAMS}', f'CC={MACHINE.gcc()}'],
               'building the guest\'s programs',
               os.path.join(GUEST, 'programs.log'), re.compile(r'.*\bcc|gcc\b'), 'commands')
    archive(contents(), INITRAMFS)
    if os.path.exists(DISK):
        os.remove(DISK)
    disk = subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', '-E', 'root_owner=0:0', DISK,
                           f'{DISK_MB}M'], capture_output=True, text=True,
                          env=clean_environment())
    if disk.returncode:
        die('making the guest\'s disk failed: ' + disk.stderr.strip())
    write(note, stamp)
    return INITRAMFS
