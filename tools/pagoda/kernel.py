# SPDX-License-Identifier: GPL-2.0
"""Configure and build a kernel in build/ARCH-VM.

A stamp over everything that goes in (Linux, Pagoda, configuration, compiler)
says when nothing is to be done, since even an idle run of Linux's make takes
longer than a boot should wait.
"""
import os
import re
import shutil
import subprocess

import source
from common import (ARCH, DEBUG, JOBS, KIND, MACHINE, NOTES, OBJ, SPECIAL, TOP, TREE, VM, VMS,
                    clean_environment, die, digest, last_words, need_space, read, run_logged,
                    say, shown, write)

OWN = f'arch/{MACHINE.source}/configs/pagoda-{ARCH}'
BASE = 'pagoda' if MACHINE.mmu else 'pagoda-nommu'
FRAGMENTS = [f'kernel/configs/{BASE}.config', OWN + '.config']
if SPECIAL:
    FRAGMENTS.append(f'{OWN}{SPECIAL}.config')
if KIND:
    # An architecture may lack what the kind asks for, and says so in its own.
    FRAGMENTS += [f'kernel/configs/{BASE}{KIND}.config', OWN + KIND + '.config']
PAGODA_ONLY = ('PAGODA', 'PAGODA_DEBUG', 'PAGODA_GCOV')    # not to be asked of stock
SUITES = 'mm/pagoda' if MACHINE.mmu else 'mm/pagoda/nommu'
KUNITCONFIG = SUITES + '/.kunitconfig'
LOG = os.path.join(NOTES, 'build.log')
OBJECT = re.compile(r'^  (CC|AS|HOSTCC|LD|AR)\b')
IMAGE = os.path.join(OBJ, MACHINE.image)


def make_command(*targets):
    ccache = 'ccache ' if shutil.which('ccache') else ''
    cross = [f'CROSS_COMPILE={MACHINE.cross}-'] if MACHINE.cross else []
    return ['make', '-C', TREE, f'O={OBJ}', f'ARCH={MACHINE.linux}', f'-j{JOBS}', *cross,
            f'CC={ccache}{MACHINE.gcc()}', f'HOSTCC={ccache}gcc', f'LOCALVERSION=-{VM}', *targets]


def options(text):
    """The options a fragment or .config sets: {name: value}, absent ones are n."""
    found = {}
    for line in text.splitlines():
        match = re.match(r'CONFIG_(\w+)=(.*)$', line)
        unset = re.match(r'# CONFIG_(\w+) is not set$', line)
        if match:
            found[match.group(1)] = match.group(2)
        elif unset:
            found[unset.group(1)] = 'n'
    return found


def wanted(vm):
    """What is asked of Linux's configuration for this core."""
    asked = {}
    for path in [KUNITCONFIG] + FRAGMENTS:
        asked.update(options(read(os.path.join(TOP, path), '')))
    asked['PAGODA'] = 'y'
    if vm == 'stock':
        for name in PAGODA_ONLY:
            asked.pop(name, None)
    return asked


def olddefconfig(path, base, asked):
    """Write a .config from base and what is asked, and let Kconfig complete it."""
    kept = [line for line in base.splitlines()
            if not (set(options(line)) & set(asked))]
    write(path, '\n'.join(kept + [f'CONFIG_{name}={value}' if value != 'n'
                                  else f'# CONFIG_{name} is not set'
                                  for name, value in asked.items()]) + '\n')
    quiet_make(f'KCONFIG_CONFIG={path}', 'olddefconfig')


def quiet_make(*targets):
    log = os.path.join(NOTES, 'config.log')
    with open(log, 'w') as out:
        status = subprocess.run(make_command(*targets), stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT, env=clean_environment()).returncode
    if status:
        for line in last_words(log):
            print('    ' + line)
        die(f'configuring Linux failed; log: {shown(log)}')


def check_landed(path, asked, vm):
    got = options(read(path))
    lost = [f'CONFIG_{name}={value} ({got.get(name, "n")})' for name, value in asked.items()
            if got.get(name, 'n') != value]
    if lost:
        die(f'VM={vm}: options that did not land in .config: ' + ' '.join(lost))


def selected(name, seen):
    """What an option selects, and what that selects."""
    for path in ('mm/pagoda/Kconfig', 'mm/pagoda/tests/Kconfig', 'mm/Kconfig', 'arch/Kconfig',
                 f'arch/{MACHINE.source}/Kconfig'):
        text = read(os.path.join(TREE, path), '')
        block = re.search(rf'^(?:menu)?config {name}\n((?:[ \t].*\n|\n)*)', text, re.M)
        for other in re.findall(r'^\s+select (\w+)', block.group(1), re.M) if block else ():
            if other not in seen:
                seen.add(other)
                selected(other, seen)
    return seen


def check_twins(stock, pagoda):
    """Stock and Pagoda differ by CONFIG_PAGODA, its suites, and what it selects."""
    one, two = options(read(stock)), options(read(pagoda))
    allowed = selected('PAGODA', set())
    differ = [name for name in sorted(set(one) | set(two))
              if one.get(name, 'n') != two.get(name, 'n') and name not in allowed
              and name != 'PAGODA' and not name.startswith('PAGODA_')]
    if differ:
        die('stock and Pagoda differ by more than CONFIG_PAGODA: '
            + ' '.join('CONFIG_' + name for name in differ))


def configure(origin, laid):
    """Write .config for this core, and check it against the other core's."""
    kconfig = [laid[path] for path in sorted(laid) if 'Kconfig' in path]
    stamp = digest(origin, *[str(wanted(vm)) for vm in VMS], *kconfig,
                   (os.path.abspath(__file__),))
    note = os.path.join(NOTES, 'configured')
    if read(note, '') == stamp and os.path.exists(os.path.join(OBJ, '.config')):
        return
    say(f'configuring {shown(OBJ)}')
    config = os.path.join(OBJ, '.config')
    quiet_make('tinyconfig')
    base = read(config)
    twins = {vm: config if vm == VM else os.path.join(NOTES, vm + '.config') for vm in VMS}
    for vm, path in twins.items():
        olddefconfig(path, base, wanted(vm))
        check_landed(path, wanted(vm), vm)
    check_twins(twins['stock'], twins['pagoda'])
    write(note, stamp)


def build():
    """Bring the kernel up to date; return the path of its image."""
    origin, laid = source.prepare()
    note = os.path.join(NOTES, 'origin')
    if os.path.isdir(OBJ) and read(note, '') != origin:
        shutil.rmtree(OBJ)      # objects of another Linux
    os.makedirs(NOTES, exist_ok=True)
    write(note, origin)
    configure(origin, laid)

    compiler = subprocess.run([MACHINE.gcc(), '--version'], capture_output=True, text=True).stdout
    names = [path for path in sorted(laid) if not path.startswith(('tools/', 'Documentation/'))]
    stamp = digest(origin, compiler, read(os.path.join(OBJ, '.config')),
                   *names, *[laid[path] for path in names])
    note = os.path.join(NOTES, 'built')
    if read(note, '') == stamp and os.path.exists(IMAGE):
        return IMAGE
    if not os.path.exists(IMAGE):
        need_space(1.5 if DEBUG else 1, 'a kernel build')
    if os.path.exists(note):
        os.remove(note)
    run_logged(make_command(os.path.basename(IMAGE), 'modules'), f'building {shown(OBJ)}', LOG,
               OBJECT, 'objects')
    write(note, stamp)
    return IMAGE
