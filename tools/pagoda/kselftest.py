#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make kselftest: the kernel's own selftests on stock Linux and on Pagoda.

Which kernel the tools mean is in the environment, so each is built and booted
by a process of its own ("kselftest.py measure"), which leaves what its programs
printed in build/kselftest/ARCH-VM/ and the results in ARCH-VM.json. What passes on stock
must pass on Pagoda; what passes on neither must have its reason in the page.
"""
import collections
import json
import os
import sys
import time

import bench
import boot
import kernel
import kselftest_build as programs
import kselftest_guest
import kselftest_result as result
import kselftest_table as table
import tap
from common import (ARCH, DEBUG, OBJ, TIMEOUT, VERBOSE, VM, Progress, die, main, read, say, shown,
                    write)

LIMIT = TIMEOUT or (3600 if DEBUG else 1200)
ORDER = bench.ORDER
MODULE = 'lib/test_vmalloc.ko'
TABLE = os.path.join(programs.HOME, 'table.txt')


def place(vm):
    """Where what a kernel's programs printed is left."""
    name = os.path.basename(OBJ).replace(f'{ARCH}-{VM}', f'{ARCH}-{vm}', 1)
    return os.path.join(programs.HOME, name)


def build(tests):
    """Build the programs; die if one is neither run nor left out for a reason."""
    directories = list(dict.fromkeys(test.directory for test in tests))
    programs.build(directories)
    page, named = table.Page(), table.programs_of(tests)
    for directory in directories:
        made = programs.made_by(directory)
        for path in programs.missing(directory, made):
            if not page.left_out(path):
                die(f'{path} was not built; log: {programs.log_of(directory)}')
        lost = [f'{directory}/{name}' for name in made
                if f'{directory}/{name}' not in named and not page.left_out(f'{directory}/{name}')]
        if lost and not os.environ.get('TESTS'):
            die(f'neither in {shown(table.TABLE)} nor "{table.LEFT_OUT}" in '
                f'{shown(table.PAGE)}: ' + ' '.join(lost))


class Follower:
    """Sorts what the guest prints by test, into files and results."""

    def __init__(self, tests, progress):
        self.tests = {test.label(): test for test in tests}
        self.progress, self.results, self.again = progress, {}, collections.Counter()
        self.label, self.lines, self.begun = None, [], 0

    def line(self, line):
        words = line.split()
        if words[:2] == ['pagoda-guest:', 'begin']:
            self.label, self.lines, self.begun = words[2], [], time.monotonic()
        elif words[:2] == ['pagoda-guest:', 'again']:
            self.again[words[2]] += 1
        elif words[:2] == ['pagoda-guest:', 'end']:
            self.end(int(words[3]))
        else:
            self.lines.append(line)
        if VERBOSE:
            print(line, flush=True)

    def end(self, status):
        test = self.tests[self.label]
        self.results[str(test)] = {'status': status,
                                   'results': result.of_program(self.lines, status),
                                   'tries': self.again[self.label] + 1,
                                   'seconds': round(time.monotonic() - self.begun, 1)}
        write(os.path.join(place(VM), self.label.replace('/', '-')),
              '\n'.join(self.lines) + f'\n# exit status {status}\n')
        self.label = None
        self.progress.update(f'{len(self.results)} of {len(self.tests)} programs')


def measure(tests):
    """On this kernel: boot, run them all, leave the results."""
    run = boot.Run('kselftest', None, limit=LIMIT,
                   initramfs=kselftest_guest.initramfs(tests, modules=[MODULE]))
    follower = Follower(tests, Progress('the selftests on ' + shown(OBJ)))
    run.on_line = follower.line
    run.go()
    if follower.label:
        follower.end(137)
    follower.progress.done(f'{len(follower.results)} programs')
    found = {'trouble': run.trouble, 'tests': follower.results}
    write(place(VM) + '.json', json.dumps(found, indent=1) + '\n')


def one_kernel(tests):
    kernel.build()
    measure(tests)
    return 0


class Comparison:
    """The results of both kernels side by side, or of one."""

    def __init__(self, tests, vms):
        self.vms, self.page, self.count = vms, table.Page(), tap.Count()
        self.found = {vm: json.loads(read(place(vm) + '.json')) for vm in vms}
        self.lines, self.wrong, self.notes = [], [], []
        for test in tests:
            self.compare(str(test))
        for vm in vms:
            if self.found[vm]['trouble']:
                self.fail(f'{vm}: {self.found[vm]["trouble"]}')

    def fail(self, text):
        self.wrong.append(text)
        self.count.failed += 1

    def outcomes(self, vm, test):
        return self.found[vm]['tests'].get(test, {}).get('results', {})

    def compare(self, test):
        each = [self.outcomes(vm, test) for vm in self.vms]
        names = list(dict.fromkeys(name for outcomes in each for name in outcomes
                                   if name != result.WHOLE)) + [result.WHOLE]
        for name in names:
            row = [outcomes.get(name, result.ABSENT) for outcomes in each]
            verdict = self.judge(test, name, row)
            self.lines.append(''.join(f'{outcome:<8}' for outcome in row)
                              + f'{verdict:<9}{test}: {name}')
        for vm in self.vms:
            tries = self.found[vm]['tests'].get(test, {}).get('tries', 1)
            if tries > 1:
                self.notes.append(f'{test}: {tries} tries on {vm}')

    def judge(self, test, name, row):
        """Count one result; say in a word what it comes to."""
        stock, last = row[0], row[-1]
        if last == result.PASS:
            self.count.passed += 1
            if stock != result.PASS:
                self.notes.append(f'{test}: {name}: {stock} on stock, passes on Pagoda')
            return ''
        if stock == result.ABSENT == last:
            self.fail(f'{test}: was not run')
            return 'ABSENT'
        if stock == result.PASS or (stock == result.SKIP != last):
            self.fail(f'{test}: {name}: {stock} on stock, {last} on Pagoda')
            return 'WORSE'
        if self.implied(test, name):
            return 'implied'
        if self.page.of_result(test, name):
            self.count.skipped += 1
            return 'known'
        found = ', '.join(f'{outcome} on {vm}' for outcome, vm in zip(row, self.vms))
        self.fail(f'{test}: {name}: {found}; {shown(table.PAGE)} has no reason')
        return 'UNKNOWN'

    def implied(self, test, name):
        """An exit status that only repeats what a result before it said."""
        if name != result.WHOLE:
            return False
        each = [self.outcomes(vm, test) for vm in self.vms]
        return all(name in outcomes and outcomes[name] in [
            outcome for other, outcome in outcomes.items() if other != name] for outcomes in each)

    def unused(self):
        return [str(reason) for reason in self.page.reasons
                if not reason.used and not reason.left_out]


def show(tests, vms):
    compared = Comparison(tests, vms)
    heading = ''.join(f'{vm:<8}' for vm in vms) + f'{"":<9}test: result'
    write(TABLE, '\n'.join([heading] + compared.lines) + '\n')
    totals = collections.Counter()
    for vm in vms:
        for test in tests:
            count = collections.Counter(compared.outcomes(vm, str(test)).values())
            for kind, number in count.items():
                totals[vm, kind] += number
        print(f'  {vm}: {len(compared.found[vm]["tests"])} programs, results: '
              + ', '.join(f'{totals[vm, kind]} {kind}'
                          for kind in (result.PASS, result.FAIL, result.SKIP)))
    for note in compared.notes:
        print('  note: ' + note)
    for reason in compared.unused() if not os.environ.get('TESTS') else ():
        print(f'  note: {shown(table.PAGE)} lists {reason}, which did not fail')
    for line in compared.wrong:
        print('not ok - ' + line)
    say(f'the table is {shown(TABLE)}, what the programs printed in '
        + ' '.join(shown(place(vm)) for vm in vms))
    print(compared.count, flush=True)
    return 0 if compared.count.passed and not compared.count.failed else 1


def chosen():
    """The tests of the table, or those of TESTS=."""
    tests = table.tests()
    wanted = os.environ.get('TESTS')
    if wanted:
        tests = [test for test in tests if table.match(str(test), wanted)]
        if not tests:
            die(f'TESTS={wanted}: no test of {shown(table.TABLE)} has that name')
    return tests


def kselftest():
    tests = chosen()
    if sys.argv[-1] == 'measure':
        return one_kernel(tests)
    vms = ORDER if os.environ.get('BOTH') else (VM,)
    build(tests)
    for vm in vms:
        if os.path.exists(place(vm) + '.json'):
            os.remove(place(vm) + '.json')
        bench.tool('kselftest.py', vm, 'measure')
    return show(tests, vms)


if __name__ == '__main__':
    main(kselftest)
