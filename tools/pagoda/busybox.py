# SPDX-License-Identifier: GPL-2.0
"""A static busybox for the guest's processor, in build/ARCH-guest.

That of Debian's busybox-static where the host has the same processor, else one
built of Debian's busybox source. The list of Debian's sources that takes is
build/apt's own: the machine's is left as it is.
"""
import glob
import os
import re
import shutil
import subprocess

from common import (BUILD, GUEST, JOBS, MACHINE, TOP, clean_environment, die, digest, read,
                    run_logged, write)

APT = os.path.join(BUILD, 'apt')
OBJECTS = os.path.join(GUEST, 'busybox')
LOG = os.path.join(GUEST, 'busybox.log')
WITHOUT = ('TC',)       # wants headers that Linux no longer has


def apt_sources():
    """Where Debian's sources are: the machine's entries, for sources."""
    text = read('/etc/apt/sources.list', '')
    for path in glob.glob('/etc/apt/sources.list.d/*.list'):
        text += read(path)
    write(os.path.join(APT, 'sources/own.list'), re.sub(r'^deb ', 'deb-src ', text, flags=re.M))
    for path in glob.glob('/etc/apt/sources.list.d/*.sources'):
        text = re.sub(r'^Types:.*', 'Types: deb-src', read(path), flags=re.M)
        write(os.path.join(APT, 'sources', os.path.basename(path)), text)


def source():
    """The source of Debian's busybox, unpacked once."""
    target = os.path.join(BUILD, 'busybox')
    if os.path.isdir(target):
        return target
    shutil.rmtree(APT, ignore_errors=True)
    for place in ('sources', 'lists/partial', 'archives/partial', 'source'):
        os.makedirs(os.path.join(APT, place))
    apt_sources()
    apt = ['apt-get', '-q', '-o', 'Dir::Etc::SourceList=/dev/null',
           '-o', f'Dir::Etc::SourceParts={APT}/sources', '-o', f'Dir::State::Lists={APT}/lists',
           '-o', f'Dir::Cache={APT}', '-o', 'APT::Sandbox::User=']
    log = os.path.join(BUILD, 'apt-source.log')
    run_logged([*apt, 'update'], 'listing Debian\'s sources', log)
    run_logged([*apt, 'source', '--download-only', 'busybox'], 'fetching the source of busybox',
               log, cwd=os.path.join(APT, 'source'))
    archives = glob.glob(os.path.join(APT, 'source/busybox_*.orig.tar.*'))
    if len(archives) != 1:
        die(f'apt-get fetched no source of busybox; log: {log}')
    os.makedirs(target + '.partial', exist_ok=True)
    run_logged(['tar', '-xf', archives[0], '--strip-components=1', '-C', target + '.partial'],
               'unpacking busybox', log)
    os.rename(target + '.partial', target)
    return target


def make(*words):
    ccache = 'ccache ' if shutil.which('ccache') else ''
    return ['make', '-C', source(), f'O={OBJECTS}', f'-j{JOBS}', f'CROSS_COMPILE={MACHINE.cross}-',
            f'CC={ccache}{MACHINE.gcc()}', 'SKIP_STRIP=y', *words]


def build():
    """Return the path of a static busybox."""
    if not MACHINE.cross:
        return '/bin/busybox'
    made, note = os.path.join(OBJECTS, 'busybox'), os.path.join(OBJECTS, '.made')
    stamp = digest((os.path.abspath(__file__),), MACHINE.cross)
    if read(note, '') == stamp and os.path.exists(made):
        return made
    os.makedirs(OBJECTS, exist_ok=True)
    run_logged(make('defconfig'), 'configuring busybox', LOG)
    config = os.path.join(OBJECTS, '.config')
    text = read(config).replace('# CONFIG_STATIC is not set', 'CONFIG_STATIC=y')
    for name in WITHOUT:
        text = text.replace(f'CONFIG_{name}=y', f'# CONFIG_{name} is not set')
    write(config, text)
    run_logged(make(), 'building busybox', LOG, re.compile(r'^\s+(CC|LD|AR)\b'),
               'objects')
    write(note, stamp)
    return made


def applets():
    """The names that the guest's busybox answers to."""
    if not MACHINE.cross:
        return subprocess.run([build(), '--list'], capture_output=True, text=True,
                              env=clean_environment()).stdout.split()
    listed = os.path.join(OBJECTS, 'busybox.links')
    if not os.path.exists(listed):
        run_logged(make('busybox.links'), 'listing busybox', LOG)
    return [os.path.basename(name) for name in read(listed).split()]
