#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make check: the contract, the KUnit suites, and the user-space suites.

All of it runs on one kernel. Results are counted together; the last line is
the count, and the status is 0 only if something passed and nothing failed.
"""
import json
import os
import re
import subprocess
import sys

import boot
import contract
import guest
import kernel
import kselftest_build
import kselftest_guest
import kselftest_table
import tap
from common import (ARCH, BRIEF, CONFIG, CPUS, DEBUG, MACHINE, NOTES, OBJ, TOP, TREE, VERBOSE, VM,
                    clean_environment,
                    main, read, say, shown, write)

KUNIT = os.path.join(TREE, 'tools/testing/kunit')


class Results:
    """What became of each suite, and why anything was skipped, for RESULTS=FILE."""

    def __init__(self):
        self.suites, self.skips = [], []

    def add(self, name, count):
        self.suites.append((name, (count.passed, count.failed, count.skipped)))

    def kunit(self):
        """Of each suite, by what kunit.py has made of the kernel's log."""
        def leaves(group):
            yield from (case['status'] for case in group['test_cases'])
            for sub in group['sub_groups']:
                yield from leaves(sub)
        told = json.loads(read(os.path.join(NOTES, 'kunit.json'), '{}'))
        for suite in told.get('sub_groups', ()):
            found = list(leaves(suite))
            good, skipped = found.count('PASS'), found.count('SKIP')
            self.add(suite['name'], tap.Count(good, len(found) - good - skipped, skipped))
        self.reasons(read(os.path.join(NOTES, 'kunit.ktap'), '').splitlines())

    def reasons(self, lines):
        for line in lines:
            match = re.search(r'ok \d+ -? ?(.*?) # SKIP\b\s*(.*)', line)
            if match:
                self.skips.append(f'{match.group(1).strip()}: {match.group(2) or "no reason"}')

    def save(self):
        path = os.environ.get('RESULTS')
        if path:
            write(path, json.dumps({'suites': self.suites, 'skips': self.skips}) + '\n')


RESULTS = Results()


def one(good, what):
    """A check that is one result by itself."""
    print(f'{"ok" if good else "not ok"} - {what}', flush=True)
    return tap.Count(int(bool(good)), int(not good), 0)


def check_contract():
    say('the contract of ' + shown(OBJ))
    log = os.path.join(NOTES, 'contract.txt')
    lines = []
    total, wrong = contract.contract(OBJ, lines.append)
    write(log, '\n'.join(lines) + '\n')
    print('\n'.join(lines), flush=True)
    result = one(total > 0, f'contract: {total} symbols are used of the VM core')
    if VM == 'pagoda':
        linked = any(line.startswith('mm/pagoda/') for line in lines)
        result += one(linked and not wrong, 'contract: no replaced object is built or linked'
                      + ''.join(' ' + path for path in wrong))
    RESULTS.add('contract', result)
    return result


def kunit_count(output):
    """The figures on kunit.py's last line."""
    last = re.findall(r'Testing complete\..*', output)
    found = dict((k, int(n)) for k, n in re.findall(r'(\w+): (\d+)', last[-1])) if last else {}
    bad = sum(found.get(kind, 0) for kind in ('failed', 'crashed', 'errors'))
    return tap.Count(found.get('passed', 0), bad, found.get('skipped', 0))


def kunit_py(*arguments):
    """Run the kernel's kunit.py; return what it printed, and its status."""
    command = [sys.executable, os.path.join(KUNIT, 'kunit.py'), *arguments]
    if VERBOSE:
        print('$', ' '.join(command), flush=True)
    done = subprocess.run(command, cwd=TREE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace',
                          env=dict(clean_environment(), CPUS=str(CPUS), ARCH=ARCH, CONFIG=CONFIG,
                                   VM=VM, DEBUG=DEBUG, PYTHONDONTWRITEBYTECODE='1'))
    return done.stdout, done.returncode


def check_kunit():
    """The suites in the kernel, run and read by the kernel's own kunit.py."""
    say('KUnit suites, run by kunit.py')
    log = os.path.join(OBJ, 'test.log')     # where kunit.py leaves the kernel's log
    if os.path.exists(log):
        os.remove(log)
    append = f'{boot.ARGUMENTS} {boot.FOUR_LEVELS} {boot.APPEND}'
    ran, status = kunit_py('exec', '--raw_output=all', f'--arch={MACHINE.linux}',
                           f'--build_dir={OBJ}', f'--kunitconfig={TOP}/{kernel.SUITES}',
                           f'--qemu_config={TOP}/tools/pagoda/qemu_kunit.py',
                           f'--timeout={boot.LIMIT}', f'--kernel_args={append}')
    if not os.path.exists(log):
        print(ran, end='')
        return one(False, f'kunit.py ended with status {status} and left no log')
    results = os.path.join(NOTES, 'kunit.ktap')
    write(results, ktap(read(log)))
    output, status = kunit_py('parse', f'--json={NOTES}/kunit.json', results)
    write(os.path.join(NOTES, 'kunit.log'), output)
    for line in output.splitlines():
        dull = re.match(r'\[[\d:]+\] (\[(PASSED|SKIPPED)\]|=+ [^\[]* =+$)', line)
        if VERBOSE or not dull:
            print(line, flush=True)
    count = kunit_count(output)
    if status and not count.failed:
        count += one(False, f'kunit.py ended with status {status}')
    wrong = boot.show_splats(log)
    clean = one(not wrong, 'KUnit: the kernel\'s log is clean' + says(wrong, log))
    RESULTS.kunit()
    RESULTS.add('KUnit log', clean)
    return count + clean


def ktap(log):
    """
    The KTAP in a kernel log.

    A message of a driver between a version line and the line that names the
    subtest would make kunit.py lose its place: such messages go in front.
    """
    sys.path.insert(0, KUNIT)
    sys.dont_write_bytecode = True
    import kunit_parser
    lines = list(kunit_parser.extract_tap_lines(iter(log.splitlines(True))))
    for at in range(1, len(lines)):
        start = at - 1
        if 'KTAP version' in lines[start] and not re.match(r'\s*(# Subtest:|1\.\.\d)', lines[at]):
            lines[start], lines[at] = lines[at], lines[start]
    return '\n'.join(lines) + '\n'


def says(wrong, log):
    return f': {wrong[0]}; log: {shown(log)}' if wrong else ''


class Suites:
    """Follows the guest through its programs and counts what they print."""

    def __init__(self):
        self.count, self.name, self.lines = tap.Count(), None, []
        self.done, self.ktap = [], ['KTAP version 1']

    def line(self, line):
        words = line.split()
        if words[:2] == ['pagoda-guest:', 'begin']:
            self.name, self.lines = words[2], []
        elif words[:2] == ['pagoda-guest:', 'again']:
            print(f'  {self.name}: failed with status {words[3]}, as stock may; again', flush=True)
        elif words[:2] == ['pagoda-guest:', 'end']:
            self.end(int(words[3]))
        else:
            self.lines.append(line)
            if VERBOSE or not self.name:
                print(line, flush=True)

    def end(self, status):
        count, wrong = tap.of_program(self.lines, status)
        for line in wrong:
            print('    ' + line)
        print(f'  {self.name}: {count}', flush=True)
        for line in self.lines:
            reason = re.search(r'# SKIP\b\s*(.*)', line)
            if reason:
                print(f'    skipped: {reason.group(1)}', flush=True)
        self.count += count
        RESULTS.add(self.name, count)
        RESULTS.reasons(self.lines)
        self.done.append(self.name)
        self.ktap += ['  ' + line for line in self.lines]
        self.ktap.append(f'{"not ok" if count.failed else "ok"} {len(self.done)} {self.name}')
        self.name = None


def quick_selftests():
    """Those of the kernel's own selftests that are short, built."""
    if MACHINE.cross:       # they are built for the host's processor
        return []
    tests = [test for test in kselftest_table.tests() if test.settings['short']]
    kselftest_build.build(dict.fromkeys(test.directory for test in tests),
                          kselftest_table.programs_of(tests))
    return tests


def check_programs():
    """The tour and, unless BRIEF=1, the user-space suites, in one boot of the guest."""
    say('the tour' + ('' if BRIEF else
                      ', the user-space suites, and the quickest of the kernel\'s own'))
    suites, tests = Suites(), quick_selftests() if not BRIEF else []
    initramfs = kselftest_guest.initramfs(tests, 'check') if tests else None
    # The KUnit suites again, so that what they lost is found too.
    run = boot.Run('brief' if BRIEF else 'check', suites.line,
                   append='kunit.enable=1' if DEBUG == 'vm' else '',
                   initramfs=initramfs)
    expected = ['tour']
    if not BRIEF:
        expected += read(os.path.join(guest.GUEST, 'suites')).split()
    expected += [test.label() for test in tests]
    expected += ['kmemleak'] if DEBUG == 'vm' else []
    run.go()
    if suites.name:
        suites.end(-1)
    suites.ktap.insert(1, f'1..{len(expected)}')
    write(os.path.join(NOTES, 'programs.ktap'), '\n'.join(suites.ktap) + '\n')
    count = suites.count
    for name in expected:
        if name not in suites.done:
            missing = one(False, f'{name}: was not run')
            RESULTS.add(name, missing)
            count += missing
    clean = one(not run.trouble, 'guest: it ended well and the kernel\'s log is clean'
                + (f': {run.trouble}' if run.trouble else ''))
    RESULTS.add('guest log', clean)
    return count + clean


def check():
    count = tap.Count()
    try:
        kernel.build()
        guest.build()
        for part in (check_contract, check_kunit, check_programs):
            count += part()
        say(f'logs and KTAP are in {shown(NOTES)}')
    except SystemExit:      # die() has said why
        count.failed += 1
        RESULTS.add('make check', tap.Count(0, 1, 0))
    RESULTS.save()
    print(count, flush=True)
    return 0 if count.passed and not count.failed else 1


if __name__ == '__main__':
    main(check)
