#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make coverage: which lines of Pagoda all suites together have run.

gcov counts in a kernel of its own, over KUnit, the tour, the user-space suites
and failing allocations, in one boot, and in the core as a program, over what
make check-user does. A line has been run if one of them ran it. Status 0 if at
least WANTED per cent of the lines of each file of mm/pagoda/ were.

What has to be run are the lines of the kernel. The program is compiled without
inlining and knows more lines, such as declarations, and what this kernel leaves
out.
"""
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile

import boot
import check_user
import guest
import kernel
from check import Suites
from common import BUILD, OBJ, TIMEOUT, TREE, clean_environment, die, main, say, shown, write

WANTED = 90
PLACE = os.path.join(BUILD, 'coverage')
DISK_MB = 64
# Allocations of merged slabs cannot be made to fail. What becomes of the last three
# knobs_test sees, and has addresses random again.
PARAMETERS = 'kunit.enable=1 slab_nomerge stack_guard_gap=256 pagoda_share=1 norandmaps'
OURS = re.compile(r'((?:mm|arch/\w+/mm)/pagoda/(?!tests/).*\.[ch])$')


def count_in_guest():
    """Run everything in one boot; unpack what gcov counted, beside gcov's notes."""
    disk = os.path.join(PLACE, 'counts.tar')
    with open(disk, 'wb') as file:
        file.truncate(DISK_MB << 20)
    suites = Suites()
    run = boot.Run('coverage', suites.line, append=PARAMETERS, limit=TIMEOUT or 2400,
                   more=('-drive', f'file={disk},if=virtio,format=raw')).go()
    if run.trouble:
        die(run.trouble)
    if suites.count.failed:
        die(f'{suites.count}: what fails is not counted')
    counts = []
    with tarfile.open(disk) as archive:
        for member in archive:
            found = re.search(r'(?:^|/)((?:mm|arch/\w+/mm)/pagoda/(?:tests/)?[^/]*)\.gcda$',
                              member.name)
            if not found:
                continue
            path = os.path.join(PLACE, 'guest', found.group(1))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + '.gcda', 'wb') as file:
                shutil.copyfileobj(archive.extractfile(member), file)
            shutil.copy(os.path.join(OBJ, found.group(1) + '.gcno'), path + '.gcno')
            counts.append(path + '.gcda')
    if not counts:
        die(f'gcov counted nothing; log: {shown(boot.CONSOLE)}')
    return counts


def count_in_program():
    """The same for the core as a program."""
    done = subprocess.run([sys.executable, check_user.__file__], stdin=subprocess.DEVNULL,
                          env=dict(clean_environment(), COVERAGE='1'))
    if done.returncode:
        die('make check-user COVERAGE=1: what fails is not counted')
    return glob.glob(os.path.join(check_user.WHERE, '*.gcda'))


def lines_run(counts):
    """What gcov makes of counts: {file: {line: times run}}."""
    found = collections.defaultdict(lambda: collections.defaultdict(int))
    for path in counts:
        made = subprocess.run(['gcov', '--json-format', '--stdout', path], cwd=OBJ,
                              capture_output=True, text=True, env=clean_environment())
        if made.returncode:
            die(f'gcov {shown(path)}: {made.stderr.strip()}')
        for line in made.stdout.splitlines():
            for file in json.loads(line)['files']:
                ours = OURS.search(os.path.normpath(file['file']))
                if ours:
                    for one in file['lines']:
                        found[ours.group(1)][one['line_number']] += one['count']
    return found


def together(kernel_ran, program_ran):
    """The kernel's lines, with what the program ran of them."""
    return {name: {line: times + program_ran[name][line] for line, times in lines.items()}
            for name, lines in kernel_ran.items()}


def ranges(numbers):
    """1, 2, 3, 7 as 1-3 7."""
    out = []
    for number in sorted(numbers):
        if out and number == out[-1][1] + 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ' '.join(str(a) if a == b else f'{a}-{b}' for a, b in out)


def report(found):
    """Print the table; list the lines that were not run; return the files below WANTED."""
    short, missed = [], []
    print(f'{"file":<40}{"lines":>7}{"run":>7}{"%":>7}')
    total = hit = 0
    for name in sorted(found):
        lines = found[name]
        done = sum(1 for times in lines.values() if times)
        total, hit = total + len(lines), hit + done
        print(f'{name:<40}{len(lines):>7}{done:>7}{100 * done / len(lines):>7.1f}')
        if name.startswith('mm/') and 100 * done < WANTED * len(lines):
            short.append(name)
        if done < len(lines):
            missed.append(f'{name}: ' + ranges(n for n, times in lines.items() if not times))
    print(f'{"all":<40}{total:>7}{hit:>7}{100 * hit / total:>7.1f}')
    write(os.path.join(PLACE, 'missed.txt'), '\n'.join(missed) + '\n')
    say('lines that were not run are in ' + shown(os.path.join(PLACE, 'missed.txt')))
    return short


def coverage():
    kernel.build()
    guest.build()
    shutil.rmtree(PLACE, ignore_errors=True)
    os.makedirs(PLACE)
    guests, programs = count_in_guest(), count_in_program()
    short = report(together(lines_run(guests), lines_run(programs)))
    for name in short:
        say(f'{name}: less than {WANTED} % of its lines were run')
    return 1 if short else 0


if __name__ == '__main__':
    main(coverage)
