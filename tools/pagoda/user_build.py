# SPDX-License-Identifier: GPL-2.0
"""The core as a program: mm/pagoda compiled for user space, in build/user.

Nothing of the kernel is built. The sources and Linux's headers are those of
build/tree; tools/testing/pagoda-user has what stands in for the rest, and
headers that go before Linux's. The few headers that Linux's build would
generate are made here.
"""
import glob
import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import source
from common import BUILD, TREE, VERBOSE, Progress, die, digest, read, shown, write

USER = os.path.join(BUILD, 'user')
GEN = os.path.join(USER, 'gen')
SHIM = os.path.join(TREE, 'tools/testing/pagoda-user')

# Not on x86; and what explains a fault of the kernel's own.
FOREIGN = ('mm/pagoda/asid.c', 'mm/pagoda/path.c')
ARCH_PARTS = ('entries', 'tables')      # of arch/x86/mm/pagoda: no CPU is needed
SUITES = ('geometry', 'cursor', 'share', 'plan', 'classify', 'area', 'mmap', 'brk', 'stack', 'anon',
          'ahead', 'fork', 'protect', 'mremap', 'madvise', 'pin', 'counters', 'walk', 'rmap', 'anonvma',
          'special', 'sync')
FIXTURE = ('memory', 'oracle', 'picture', 'calls')      # of lib/pagoda

KERNEL_FLAGS = shlex.split('''
    -nostdinc -D__KERNEL__ -DUSE_EARLY_PGTABLE_L5 -DKBUILD_MODNAME="pagoda"
    -DKBUILD_BASENAME="pagoda" -DKBUILD_MODFILE="pagoda" -std=gnu11 -fno-strict-aliasing
    -fwrapv -fshort-wchar -funsigned-char -fno-common -fno-delete-null-pointer-checks
    -fms-extensions -ffunction-sections -fdata-sections''')
ALL_FLAGS = ['-g', '-fno-omit-frame-pointer']

# Linux computes with pointers and shifts as no standard allows it.
SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize=alignment,pointer-overflow,function,'
            'vptr,null', '-fno-sanitize-recover=all']


class Variant:
    """A way to compile it all: its name, compiler and flags."""

    def __init__(self, name, cc, flags, core, link):
        self.name, self.cc, self.link = name, cc, link
        self.flags, self.core = flags, core     # for all, and for Pagoda's own files
        self.dir = os.path.join(USER, name)


CHECK = Variant('check', 'clang', ['-O2'] + SANITIZE,
                ['-fsanitize-coverage=inline-8bit-counters,pc-table'], SANITIZE)
COVER = Variant('cover', 'gcc', ['-O1', '-fno-inline'], ['--coverage'], ['--coverage'])


def mandatory(kbuild, *keys):
    return set(re.findall(rf'^(?:{"|".join(keys)})\s*\+=\s*(\S+)', read(kbuild), re.M))


def generate(compiler):
    """The headers that Linux's build makes of others."""
    arch = os.path.join(TREE, 'arch/x86')
    for generic, own in (('include/asm-generic', 'include/asm'),
                         ('include/uapi/asm-generic', 'include/uapi/asm')):
        names = mandatory(os.path.join(TREE, generic, 'Kbuild'), 'mandatory-y')
        names |= mandatory(os.path.join(arch, own, 'Kbuild'), 'generic-y')
        for name in sorted(names):
            if not os.path.exists(os.path.join(arch, own, name)):
                put(f'asm/{name}', f'#include <asm-generic/{name}>\n')
    for name in ('unistd_32_ia32.h', 'unistd_64_x32.h'):
        put(f'asm/{name}', '')
    table = os.path.join(arch, 'entry/syscalls/syscall_64.tbl')
    calls = re.findall(r'^(\d+)\s+(?:common|64)\s+(\w+)', read(table), re.M)
    put('asm/unistd_64.h', ''.join(f'#define __NR_{name} {nr}\n' for nr, name in calls))
    const = subprocess.run(['bc', '-q', os.path.join(TREE, 'kernel/time/timeconst.bc')],
                           input='250\n', capture_output=True, text=True)
    put('generated/timeconst.h', const.stdout)
    bounds = os.path.join(GEN, 'generated/bounds.h')
    if not os.path.exists(bounds):
        write(bounds, '')           # includes itself by way of others
    asm = subprocess.run(compiler + ['-w', '-S', '-o', '-', 'kernel/bounds.c'], cwd=TREE,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if asm.returncode:
        die('kernel/bounds.c: ' + asm.stderr.splitlines()[0])
    found = re.findall(r'"->(\w+) \$?(-?\d+)', asm.stdout)
    put('generated/bounds.h', ''.join(f'#define {name} {value}\n' for name, value in found))


def put(name, text):
    path = os.path.join(GEN, name)
    if read(path, '\0') != text:
        write(path, text)


def kernel_command(cc):
    """How a file is compiled that sees Linux's headers."""
    where = subprocess.run([cc, '-print-file-name=include'], capture_output=True, text=True)
    command = [cc] + KERNEL_FLAGS
    command = [re.sub(r'"?pagoda"?$', '"pagoda"', word) if word.startswith('-DKBUILD') else word
               for word in command]
    for place in (os.path.join(SHIM, 'include'), SHIM):
        command += ['-I', place]
    for place in (GEN, 'arch/x86/include', 'include', 'arch/x86/include/uapi', 'include/uapi',
                  'lib', 'mm'):
        command += ['-isystem', place]          # says nothing about Linux's own headers
    command += ['-isystem', where.stdout.strip()]
    for name in ('compiler-version', 'kconfig', 'compiler_types'):
        command += ['-include', f'linux/{name}.h']
    return command


def sources():
    """{path in build/tree: is it ours, and worth warnings}; host.c is apart."""
    files = sorted(path for path in glob.glob('mm/pagoda/*.c', root_dir=TREE)
                   if path not in FOREIGN)
    files += [f'arch/x86/mm/pagoda/{name}.c' for name in ARCH_PARTS]
    files += [f'mm/pagoda/tests/{name}_kunit.c' for name in SUITES]
    files += [f'lib/pagoda/{name}.c' for name in FIXTURE]
    files += ['lib/ctype.c', 'mm/mseal.c', 'lib/maple_tree.c', 'lib/rbtree.c']
    files += sorted(os.path.relpath(path, TREE) for path in glob.glob(SHIM + '/*.c'))
    return files


def stamp(command):
    """What an object depends on beside files: also headers that go before others."""
    return ' '.join(command + sorted(glob.glob('**/*.h', root_dir=SHIM, recursive=True)))


def stale(obj, command):
    """Has an object to be compiled (again)?"""
    if read(obj + '.cmd', '') != stamp(command):
        return True
    try:
        made = os.stat(obj).st_mtime_ns
        names = read(obj + '.d').replace('\\\n', ' ').split()[1:]
        return any(os.stat(os.path.join(TREE, name)).st_mtime_ns > made for name in names)
    except OSError:
        return True


def compile_one(job):
    obj, command = job
    ccache = ['ccache'] if shutil.which('ccache') else []
    done = subprocess.run(ccache + command, cwd=TREE, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode == 0:
        write(obj + '.cmd', stamp(command))
    return done.returncode, done.stderr


def build(variant):
    """Compile what is not up to date; return the objects."""
    source.prepare()
    if not shutil.which(variant.cc):
        die(f'{variant.cc} is not installed; run: apt-get install -y {variant.cc}')
    command = kernel_command(variant.cc)
    generate(command)
    os.makedirs(variant.dir, exist_ok=True)
    jobs, objects = [], []
    for path in sources():
        obj = os.path.join(variant.dir, path.replace('/', '-')[:-2] + '.o')
        ours = path.startswith('tools/')
        if os.path.basename(path).startswith('host'):
            line = [variant.cc]
        else:
            line = command + (['-Wall', '-Wno-unused-function'] if ours else ['-w'])
        core = path.startswith(('mm/pagoda/', 'arch/')) and '/tests/' not in path
        line = line + ALL_FLAGS + variant.flags + (variant.core if core else []) + [
            '-MD', '-MF', obj + '.d', '-c', path, '-o', obj]
        objects.append(obj)
        if stale(obj, line):
            jobs.append((obj, line))
    if jobs:
        progress = Progress(f'compiling the core for user space ({variant.name})')
        with ThreadPoolExecutor(2) as pool:
            for count, (status, said) in enumerate(pool.map(compile_one, jobs), 1):
                if status or (VERBOSE and said):
                    print(said)
                if status:
                    pool.shutdown(cancel_futures=True)
                    progress.broken()
                    die(f'{shown(jobs[count - 1][0])}: does not compile')
                progress.update(f'{count} files')
        progress.done(f'{len(jobs)} files')
    return objects


def link(variant, name, objects, extra=()):
    """Link a program; return its path."""
    program = os.path.join(variant.dir, name)
    line = [variant.cc, *variant.link, *extra, '-Wl,--gc-sections', *objects, '-o', program]
    made = digest(' '.join(line), *[str(os.stat(obj).st_mtime_ns) for obj in objects])
    if read(program + '.stamp', '') == made and os.path.exists(program):
        return program
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        missing = sorted(set(re.findall(r'undefined (?:reference to|symbol:) [`\']?(\w+)',
                                        done.stderr)))
        print(done.stderr[-2000:] if VERBOSE or not missing else ' '.join(missing))
        die(f'{shown(program)} does not link')
    write(program + '.stamp', made)
    return program


def program(variant):
    """The program that runs suites and plays inputs."""
    objects = [obj for obj in build(variant) if not obj.endswith('host_fuzz.o')]
    return link(variant, 'pagoda-user', objects)


def fuzzer(variant):
    """The same with libFuzzer's main()."""
    objects = [obj for obj in build(variant) if not obj.endswith('host_main.o')]
    return link(variant, 'pagoda-fuzz', objects, ['-fsanitize=fuzzer'])


def sanitizer_options():
    """Small quarantine and short stacks: frames have their own (alloc.c)."""
    return {'ASAN_OPTIONS': 'malloc_context_size=4:quarantine_size_mb=16:'
                            'detect_stack_use_after_return=0:handle_abort=1',
            'UBSAN_OPTIONS': 'print_stacktrace=1'}
