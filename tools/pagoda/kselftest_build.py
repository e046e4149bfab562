# SPDX-License-Identifier: GPL-2.0
"""The kernel's own selftests, built by their own makefiles in build/kselftest/src.

That is a copy of what they need of the laid-over tree, so that the tree stays
clean: the selftests' directories are copied, the rest is linked to. A program
that does not compile is left to kselftest.py to miss.
"""
import os
import re
import shutil
import subprocess

import source
from common import (BUILD, JOBS, TREE, clean_environment, die, digest, read, run_logged, shown,
                    write)

HOME = os.path.join(BUILD, 'kselftest')
SRC = os.path.join(HOME, 'src')
TESTS = 'tools/testing/selftests'
WHERE = os.path.join(SRC, TESTS)
LINKED = ('Makefile', 'arch', 'include', 'mm', 'scripts', 'tools/arch', 'tools/build',
          'tools/include', 'tools/scripts')

# -s: the guest holds them in memory. By directory, how its programs are linked:
# those of DYNAMIC by the makefile's own rules, for they look at ld.so, at the
# vDSO by dlopen(), or at a library of their own.
STATIC = 'gcc -s -static'
DYNAMIC = {'exec', 'rseq', 'vDSO', 'x86'}
# prctl's makefile knows only this name; the others want the kernel's.
ARCH_OF = {'prctl': 'x86'}

# What a makefile writes about the libraries it found.
PROBED = ('local_config.h', 'local_config.mk')


def compiler(directory):
    return 'gcc -s' if directory in DYNAMIC else STATIC


def make_command(directory, *targets):
    return ['make', '-k', f'-j{JOBS}', '-C', os.path.join(WHERE, directory),
            f'ARCH={ARCH_OF.get(directory, "x86_64")}', f'CC={compiler(directory)}',
            f'KHDR_INCLUDES=-isystem {SRC}/usr/include', *targets]


def make_copy(origin, laid):
    """The part of the tree that the selftests are built in."""
    ours = [path for path in sorted(laid) if not path.startswith(TESTS + '/pagoda/')
            and (path.startswith(TESTS) or '/uapi/' in path)]
    stamp = digest(origin, *ours, *[laid[path] for path in ours], (os.path.abspath(__file__),))
    note = os.path.join(HOME, 'copied')
    if read(note, '') == stamp:
        return
    shutil.rmtree(HOME, ignore_errors=True)
    os.makedirs(os.path.join(SRC, 'tools/testing'))
    for path in LINKED:
        os.symlink(os.path.join(TREE, path), os.path.join(SRC, path))
    shutil.copytree(os.path.join(TREE, TESTS), WHERE, symlinks=True,
                    ignore=shutil.ignore_patterns('pagoda'))
    run_logged(['make', '-C', TREE, f'O={HOME}/headers', 'ARCH=x86_64', f'-j{JOBS}',
                'headers_install', f'INSTALL_HDR_PATH={SRC}/usr'],
               'installing the kernel\'s headers', os.path.join(HOME, 'headers.log'),
               re.compile(r'  HDRINST'), 'files')
    write(note, stamp)


def made_by(directory):
    """What a directory's makefile says its tests and their files are."""
    result = subprocess.run(
        make_command(directory, '-s', '-f', '-', 'words'), capture_output=True, text=True,
        input='include Makefile\nwords: ; @echo words: $(TEST_GEN_PROGS) '
              '$(TEST_GEN_PROGS_EXTENDED) $(TEST_GEN_FILES) $(TEST_PROGS)\n',
        env=clean_environment())
    words = re.search(r'^words: (.*)$', result.stdout, re.M)
    if not words:
        die(f'{TESTS}/{directory}/Makefile: {result.stderr.strip()}')
    return [os.path.basename(word) for word in words.group(1).split()]


def build(directories, programs=None):
    """Build the selftests of directories, or only the programs named "DIR/NAME"."""
    make_copy(*source.prepare())
    compilers = subprocess.run(['gcc', '--version'], capture_output=True, text=True).stdout
    for directory in directories:
        targets = [os.path.join(WHERE, path) for path in sorted(programs or ())
                   if os.path.dirname(path) == directory]
        stamp = digest(compilers, *make_command(directory, *targets))
        note = os.path.join(HOME, 'built', directory.replace('/', '-'))
        if stamp in read(note, '').split():
            continue
        for found in PROBED:    # for libraries that may have come since
            if os.path.exists(os.path.join(WHERE, directory, found)):
                os.remove(os.path.join(WHERE, directory, found))
        run_logged(['sh', '-c', '"$@" || :', 'sh', *make_command(directory, *targets)],
                   f'building the selftests of {directory}',
                   os.path.join(HOME, directory.replace('/', '-') + '.log'),
                   re.compile(r'^(gcc|  CC)\b'), 'programs')
        write(note, read(note, '') + stamp + '\n')


def missing(directory, names):
    """Those of names that were not built, as "DIR/NAME"."""
    there = os.path.join(WHERE, directory)
    return [f'{directory}/{name}' for name in names
            if not os.path.exists(os.path.join(there, name))]


def log_of(directory):
    return shown(os.path.join(HOME, directory.replace('/', '-') + '.log'))
