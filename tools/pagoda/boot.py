#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make run, make shell: boot a kernel in QEMU and see what becomes of it.

The guest has two serial lines: the kernel's log goes to log/console.log, what
programs print comes here. A guest is well when it printed its exit status and
its log is clean; anything else (no status, a panic, a warning, the time limit)
ends in one line that says so.
"""
import os
import re
import select
import subprocess
import sys
import time

import coldfire
import common
import guest
import kcsan
import kernel
from common import (APPEND, CPUS, DEBUG, NOTES, OBJ, TIMEOUT, VERBOSE, die, main, read, say, shown)

QEMU = ['qemu-system-' + common.MACHINE.qemu, '-accel', 'tcg', '-nodefaults', '-no-reboot',
        '-display', 'none']
MACHINE = [*common.MACHINE.machine, '-smp', str(CPUS),
           '-m', str(common.MACHINE.memory)]
# An emulated processor may wait long for a busy host: the timer is not given up
# for one late tick, RCU has more patience than its 21 seconds, and the time limit
# is what finds a guest that hangs.
ARGUMENTS = (f'console={common.MACHINE.console} panic=-1 oops=panic '
             f'{common.MACHINE.arguments} rcupdate.rcu_cpu_stall_timeout=200').replace('  ', ' ')
# Page tables of four levels for KASAN. Linux, at boot and with interrupts on, for
# a moment forgets that the processor has five (identify_cpu() clears boot_cpu_data),
# and KASAN then takes an interrupt's good accesses for wild ones.
FOUR_LEVELS = 'no5lvl' if DEBUG in ('1', 'kasan') and common.ARCH == 'x86_64' else ''
CONSOLE = os.path.join(NOTES, 'console.log')
LIMIT = TIMEOUT or (2400 if DEBUG else 900)

# What the kernel prints when something is wrong with it, after its time stamp.
SPLAT = re.compile(
    r'\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? (?P<what>(?:WARNING:|BUG:|BUG |INFO: (?!NMI)|Oops|Kernel panic|'
    r'general protection fault|kernel BUG at|UBSAN:|KASAN:|Bad page|page_table_check|'
    r'watchdog: BUG|rcu: INFO:|invalid opcode:|double fault:|traps: PANIC|'
    r'debug_vm_pgtable: .*fail|Unable to handle).*)')

# A test that provokes such a report announces each one, by how it begins.
EXPECT = re.compile(r'pagoda-expect: (.*)')


def splats(log):
    """Lines of a kernel log that say something is wrong, but for what is expected."""
    expected, found = [], []
    lines = read(log).splitlines()
    for at, line in enumerate(lines):
        announced, said = EXPECT.search(line), SPLAT.search(line)
        if announced:
            expected.append(announced.group(1).strip())
        elif said:
            what = said.group('what').strip()
            if what.startswith('BUG: KCSAN') and not kcsan.ours(lines[at:at + 120]):
                continue
            known = [text for text in expected if what.startswith(text)]
            if known:
                expected.remove(known[0])
            else:
                found.append(what)
    return found + [f'expected, and not said: {text}' for text in expected]


def show_splats(log, lines=60):
    """Print a log from the first line on that says something is wrong."""
    wrong, text = splats(log), read(log).splitlines()
    for at, line in enumerate(text):
        if wrong and wrong[0] in line:
            print('\n'.join('    ' + said for said in text[at:at + lines]), flush=True)
            break
    return wrong


def command(image, initramfs, job, *more, machine=MACHINE, append=''):
    append = f'{ARGUMENTS} pagoda.job={job} pagoda.limit={max(60, LIMIT // 3)} ' \
             f'pagoda.line={common.MACHINE.line} {append} {FOUR_LEVELS} {APPEND}'
    if common.MACHINE.loader:
        start, loaded = coldfire.prepare(image, append, initramfs)
        load = ['-kernel', start, *loaded]
    else:
        load = ['-kernel', image, '-initrd', initramfs, '-append', append.strip()]
    if common.MACHINE.mmu:
        load += ['-drive', f'file={guest.DISK},if=virtio,format=raw,snapshot=on']
    return QEMU + machine + load + ['-serial', 'file:' + CONSOLE, *more]


def line_to(chardev):
    """The line that programs talk on, to a character device of QEMU."""
    if common.MACHINE.line.startswith('hvc'):
        bus = 'virtio-serial-pci' if common.MACHINE.mmu else 'virtio-serial-device'
        return ['-chardev', chardev, '-device', bus, '-device', 'virtconsole,chardev=line']
    return ['-chardev', chardev, '-serial', 'chardev:line']


class Run:
    """One boot: lines of the programs go to on_line, the outcome is in status and trouble."""

    def __init__(self, job, on_line, stdin=None, append='', machine=MACHINE, limit=LIMIT,
                 initramfs=None, more=()):
        self.job, self.on_line, self.stdin = job, on_line, stdin
        self.append, self.machine, self.limit = append, machine, limit
        self.status, self.trouble = None, None
        self.image, self.initramfs = kernel.build(), initramfs or guest.build()
        self.more, self.console_at = more, 0

    def go(self):
        open(CONSOLE, 'w').close()
        qemu = command(self.image, self.initramfs, self.job, *line_to('stdio,id=line,signal=off'),
                       *self.more, append=self.append, machine=self.machine)
        if VERBOSE:
            print('$', ' '.join(qemu), flush=True)
        say(f'booting {shown(OBJ)}; the kernel\'s log is {shown(CONSOLE)}')
        process = subprocess.Popen(qemu, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=open(CONSOLE + '.qemu', 'w'))
        try:
            late = self._follow(process, time.monotonic() + self.limit)
        finally:
            process.kill()
            process.wait()
        self._judge(late, process.returncode)
        return self

    def _follow(self, process, deadline):
        """Pass lines on until QEMU ends; return whether the time ran out."""
        out, rest = process.stdout, b''
        while True:
            self._show_console()
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            if not select.select([out], [], [], min(left, 1))[0]:
                continue
            chunk = os.read(out.fileno(), 65536)
            if not chunk:
                process.wait()
                return False
            *lines, rest = (rest + chunk).split(b'\n')
            for line in lines:
                self._line(line.decode(errors='replace').rstrip('\r'), process)

    def _line(self, line, process):
        words = line.split()
        if words[:2] == ['pagoda-guest:', 'exit'] and len(words) == 3:
            self.status = int(words[2])
        elif words == ['pagoda-guest:', 'shell']:
            if self.stdin is not None:
                process.stdin.write(self.stdin + b'\nexit\n')
                process.stdin.flush()
        else:
            self.on_line(line)

    def _show_console(self):
        if VERBOSE:
            with open(CONSOLE, errors='replace') as file:
                file.seek(self.console_at)
                sys.stdout.write(file.read())
                sys.stdout.flush()
                self.console_at = file.tell()

    def _judge(self, late, code):
        wrong = show_splats(CONSOLE)
        panic = [line for line in wrong if line.startswith(('Kernel panic', 'BUG', 'Oops'))]
        if panic and self.status is None:
            self.trouble = f'the guest crashed: {panic[0]}'
        elif late:
            self.trouble = f'the guest hung: no end after {self.limit} s (TIMEOUT=)'
        elif self.status is None:
            words = open(CONSOLE + '.qemu').read().strip().splitlines()
            self.trouble = words[-1] if words and code else 'the guest stopped without a status'
        elif wrong:
            self.trouble = f'the kernel complained: {wrong[0]}'
        if self.trouble:
            self.trouble += f'; log: {shown(CONSOLE)}'


def run():
    """The tour; status 0 if every step held and the kernel had nothing to say."""
    outcome = Run('tour', lambda line: print(line, flush=True)).go()
    if outcome.trouble:
        die(outcome.trouble)
    if outcome.status:
        die(f'the tour ended with status {outcome.status}')
    say('the tour held')
    return 0


def shell():
    """An interactive shell; without a terminal, stdin is what it is to run."""
    if not common.MACHINE.mmu:
        die(f'ARCH={common.ARCH}: there is no shell for this machine; see make run')
    if not sys.stdin.isatty():
        commands = sys.stdin.buffer.read()
        outcome = Run('shell', lambda line: print(line, flush=True), commands).go()
        if outcome.trouble:
            die(outcome.trouble)
        return outcome.status
    image, initramfs = kernel.build(), guest.build()
    say('booting; leave with exit, or Ctrl-A X; the kernel\'s log is ' + shown(CONSOLE))
    qemu = command(image, initramfs, 'shell', *line_to('stdio,id=line,mux=on,signal=off'),
                   '-mon', 'line')
    status = subprocess.run(qemu).returncode
    wrong = splats(CONSOLE)
    if wrong:
        die(f'the kernel complained: {wrong[0]}; log: {shown(CONSOLE)}')
    return status


if __name__ == '__main__':
    main({'run': run, 'shell': shell}[sys.argv[1]])
