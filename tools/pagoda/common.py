# SPDX-License-Identifier: GPL-2.0
"""What the tools share: the settings, messages, and running long commands.

The settings come from the environment, where the top-level Makefile puts its
variables. Whatever is wrong ends in die(): one line on stderr and status 1.
"""
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

from dataclasses import replace

from arch import ARCHES, Config

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, 'build')
TREE = os.path.join(BUILD, 'tree')      # Linux with Pagoda laid over it

VMS = ('pagoda', 'stock')
# What DEBUG= takes: 1 is the first of several checks in one kernel.
DEBUGS = ('1', 'kasan', 'lockdep', 'kcsan', 'vm')


def say(text):
    print('pagoda: ' + text, flush=True)


def die(text):
    print('pagoda: error: ' + text, file=sys.stderr, flush=True)
    sys.exit(1)


def shown(path):
    """A path as the user would type it."""
    return os.path.relpath(path, TOP) if path.startswith(TOP + '/') else path


def one_of(words):
    *most, last = words
    return ', '.join(most) + ' or ' + last if most else last


def _flag(name):
    return os.environ.get(name, '') not in ('', '0', 'n')


def _number(name, what, low, high):
    text = os.environ.get(name, '')
    if text and not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        die(f'{name}={text}: want {what}')
    return int(text) if text else None


def _seconds(name):
    return _number(name, 'a number of seconds', 1, 10 ** 7)


ARCH = os.environ.get('ARCH') or 'x86_64'
CONFIG = os.environ.get('CONFIG', '')
VM = os.environ.get('VM') or 'pagoda'
VERBOSE = _flag('V')
BRIEF = _flag('BRIEF')
DEBUG = os.environ.get('DEBUG', '') if _flag('DEBUG') else ''
TIMEOUT = _seconds('TIMEOUT')
CPUS = _number('CPUS', 'a number of processors, 1 to 8', 1, 8)
SECONDS = _seconds('SECONDS') or 300
COUNT = _number('COUNT', 'a number of rounds, 1 to 500', 1, 500)
SEED = _number('SEED', 'a number from 0 to 10^12', 0, 10 ** 12)
APPEND = os.environ.get('APPEND', '')
LINUX_SRC = os.environ.get('LINUX_SRC', '')

if ARCH not in ARCHES:
    die(f'ARCH={ARCH}: want ' + one_of(ARCHES))
MACHINE = ARCHES[ARCH]
CPUS = min(CPUS or (4 if DEBUG == 'kcsan' else 2), MACHINE.cpus)
if CONFIG and CONFIG not in MACHINE.configs:
    die(f'CONFIG={CONFIG}: ' + (f'want {one_of(MACHINE.configs)} with ARCH={ARCH}'
                                if MACHINE.configs else f'ARCH={ARCH} has one configuration'))
VARIANT = MACHINE.configs.get(CONFIG, Config(kernel=False))
MACHINE = replace(MACHINE, machine=VARIANT.machine or MACHINE.machine,
                  memory=VARIANT.memory or MACHINE.memory,
                  arguments=f'{MACHINE.arguments} {VARIANT.arguments}'.strip())
if VM not in VMS:
    die(f'VM={VM}: want pagoda or stock')
if DEBUG and DEBUG not in DEBUGS:
    die(f'DEBUG={DEBUG}: want ' + one_of(DEBUGS))
if re.search(r'[\s:]', TOP):
    die(f'{TOP}: Linux does not build below a path with a space or a colon')

# A target with a kernel of its own names it in FLAVOUR; KIND is the ending of
# that kernel's directory and of its configuration fragment.
FLAVOUR = os.environ.get('FLAVOUR', '')
if FLAVOUR and DEBUG:
    die(f'DEBUG={DEBUG}: this target has a kernel of its own, {FLAVOUR}')
if BRIEF and VARIANT.kernel and not DEBUG:
    FLAVOUR = 'brief'
KIND = '-' + ('debug' if DEBUG == '1' else FLAVOUR or DEBUG) if FLAVOUR or DEBUG else ''
SPECIAL = '-' + CONFIG if VARIANT.kernel else ''        # a kernel for this configuration
OBJ = os.path.join(BUILD, f'{ARCH}{SPECIAL}-{VM}{KIND}')
GUEST = os.path.join(BUILD, f'{ARCH}-guest')    # the same for every kernel
NOTES = os.path.join(OBJ, 'log')                # logs, results and stamps
JOBS = len(os.sched_getaffinity(0))


def clean_environment():
    """The environment without what would steer the kernel's own make."""
    env = dict(os.environ)
    for name in ('MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL', 'MAKEFILES',
                 'ARCH', 'CONFIG', 'VM', 'V', 'DEBUG', 'CROSS_COMPILE', 'LOCALVERSION',
                 'KBUILD_OUTPUT', 'KCONFIG_CONFIG', 'KCFLAGS', 'LINUX_SRC',
                 'TIMEOUT', 'FLAVOUR', 'APPEND', 'CPUS', 'BRIEF', 'RESULTS', 'SECONDS',
                 'COUNT', 'SEED', 'TESTS', 'ROW',
                 'BOTH', 'COVERAGE', 'O', 'CC', 'CFLAGS', 'LDFLAGS'):
        env.pop(name, None)
    env['LC_ALL'] = 'C'
    env['PATH'] = env.get('PATH', '') + ':/usr/sbin:/sbin'
    env['CCACHE_BASEDIR'] = BUILD
    return env


def need_space(gigabytes, what):
    """Die unless the disk that holds build/ has room for what comes next."""
    os.makedirs(BUILD, exist_ok=True)
    free = shutil.disk_usage(BUILD).free / 1e9
    if free < gigabytes:
        die(f'disk full: {what} needs {gigabytes} GB below {BUILD}, {free:.1f} GB are free')


class Progress:
    """One line that says what a step does and how far it is."""

    def __init__(self, what):
        self.what, self.start, self.last = what, time.monotonic(), 0
        self.tty = sys.stdout.isatty() and not VERBOSE
        self._show('...')

    def _show(self, text, end=False):
        line = f'pagoda: {self.what} {text}'
        if self.tty:
            print('\r' + line[:119].ljust(119), end='\n' if end else '', flush=True)
        else:
            print(line, flush=True)

    def update(self, text):
        elapsed = time.monotonic() - self.start
        if elapsed - self.last >= (1 if self.tty else 20):
            self.last = elapsed
            self._show(f'{text}, {elapsed:.0f} s')

    def done(self, text='done'):
        self._show(f'{text}, {time.monotonic() - self.start:.0f} s', end=True)

    def broken(self):
        if self.tty:
            print(flush=True)


def last_words(log):
    """The lines of a log that say why a command failed."""
    lines = open(log, errors='replace').read().splitlines()
    if any('No space left on device' in line for line in lines):
        die(f'disk full; log: {shown(log)}')
    wrong = [line for line in lines
             if re.search(r'\berror:|undefined|No rule|fatal|FAILED', line)]
    return wrong[:12] or lines[-12:]


def run_logged(command, what, log, counter=None, unit='', **options):
    """Run a long command into a log, counting its lines that match counter."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    progress, count = Progress(what), 0
    if VERBOSE:
        print('$', ' '.join(command), flush=True)
    with open(log, 'w') as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors='replace',
                                   env=clean_environment(), **options)
        for line in process.stdout:
            out.write(line)
            if VERBOSE:
                print(line, end='', flush=True)
            if counter and counter.match(line):
                count += 1
            if counter:
                progress.update(f'{count} {unit}')
    if process.wait():
        progress.broken()
        for line in last_words(log):
            print('    ' + line)
        die(f'{what} failed; log: {shown(log)}')
    progress.done(f'{count} {unit}' if counter else 'done')
    return count


def digest(*parts):
    """A stamp over strings, and over the contents of files given as (path,)."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, tuple):
            part = open(part[0], 'rb').read()
        elif isinstance(part, str):
            part = part.encode()
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def read(path, default=None):
    try:
        with open(path, errors='replace') as file:
            return file.read()
    except OSError:
        if default is None:
            raise
        return default


def write(path, text):
    """Replace a file whole: never through a hard link, never half."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f'{path}.{os.getpid()}.new'       # two may do it at once
    with open(new, 'wb' if isinstance(text, bytes) else 'w') as file:
        file.write(text)
    os.replace(new, path)


def main(function):
    """Run a tool's entry point: Ctrl-C and a full disk are one line too."""
    try:
        sys.exit(function())
    except KeyboardInterrupt:
        print(file=sys.stderr)
        die('interrupted')
    except BrokenPipeError:
        os._exit(1)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            die('disk full: ' + str(error))
        die(str(error))
