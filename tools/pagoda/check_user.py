#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make check-user: the core as a program, under AddressSanitizer and UBSan.

KUnit's suites with page tables of four levels and of five, each allocation of
each operation failing in its turn, and the fuzzer for a few seconds. The last
line is the count. COVERAGE=1 does it in a build for gcov, and leaves what was
covered in build/user-cov.
"""
import os
import random
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import tap
import user_build
from common import (BUILD, JOBS, SEED, TIMEOUT, TOP, TREE, VERBOSE, clean_environment, die, main,
                    say, shown, write)

COVERAGE = os.environ.get('COVERAGE', '') not in ('', '0', 'n')
WHERE = os.path.join(BUILD, 'user-cov')
CRASH = os.path.join(BUILD, 'fuzz-user', 'crash-check')
FUZZ = 5        # seconds


def run(program, *args):
    """One run of the program: (lines, exit status)."""
    env = dict(clean_environment(), PAGODA_CRASH=CRASH, **user_build.sanitizer_options())
    try:
        done = subprocess.run([program, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace', env=env,
                              timeout=TIMEOUT or 120)
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b'').decode(errors='replace').splitlines()
        return said + [f'still running after {error.timeout:.0f} s'], 124
    return done.stdout.splitlines(), done.returncode


def show(name, lines, status):
    """Print what a run comes to, and return its count."""
    # What follows a failed case is not run, and the suite's own line repeats it.
    lines = [line.strip() for line in lines if not re.match(r'(not )?ok 1 pagoda_', line)]
    lines = [line for line in lines if line != '1..1']
    count, wrong = tap.of_program(lines, status)
    for line in wrong:
        print('    ' + line)
    if VERBOSE and not wrong:
        print('\n'.join('    ' + line for line in lines))
    print(f'  {name}: {count}', flush=True)
    for line in lines:
        reason = re.search(r'ok \d+ (.*# SKIP\b.*)', line)
        if reason:
            print(f'    {reason.group(1)}', flush=True)
    return count


def cover(variant):
    """Lines covered, by file, and gcov's data where it can be merged."""
    shutil.rmtree(WHERE, ignore_errors=True)
    os.makedirs(WHERE)
    objects = sorted(name for name in os.listdir(variant.dir)
                     if name.endswith('.gcda') and 'pagoda' in name and 'tools-' not in name
                     and '-tests-' not in name)
    for name in objects:
        for suffix in ('.gcda', '.gcno'):
            shutil.copy(os.path.join(variant.dir, name[:-5] + suffix), WHERE)
    # Sources are named from the top of the tree: let gcov find them for its listings.
    for name in ('arch', 'include', 'lib', 'mm'):
        os.symlink(os.path.join(TREE, name), os.path.join(WHERE, name))
    done = subprocess.run(['gcov', '--preserve-paths', '--relative-only', '--source-prefix', TREE,
                           '--object-directory', '.', *objects], cwd=WHERE,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        die('gcov: ' + done.stderr.splitlines()[0])
    rows = re.findall(r"File '((?:arch|mm)/\S*\.[ch])'\nLines executed:([\d.]+)% of (\d+)",
                      done.stdout)
    table = [f'{float(share):6.1f}% of {int(lines):4} lines  {name}'
             for name, share, lines in sorted(set(rows))]
    write(os.path.join(WHERE, 'summary.txt'), '\n'.join(table) + '\n')
    print('\n'.join(table))
    say(f'gcov data and listings: {shown(WHERE)}')


def check_user():
    variant = user_build.COVER if COVERAGE else user_build.CHECK
    program = user_build.program(variant)
    for name in os.listdir(variant.dir):
        if name.endswith('.gcda'):
            os.remove(os.path.join(variant.dir, name))
    os.makedirs(os.path.dirname(CRASH), exist_ok=True)
    names, status = run(program)
    if status:
        die(f'{shown(program)}: {names[-1] if names else "no output"}')
    seed = random.randrange(10 ** 9) if SEED is None else SEED

    jobs = [(f'{suite}, {levels} levels', (*flags, suite))
            for levels, flags in ((4, ()), (5, ('-5',))) for suite in names]
    jobs.append(('allocations that fail', ('-a',)))
    count = tap.Count()
    with ThreadPoolExecutor(1 if COVERAGE else JOBS) as pool:
        for (name, args), result in zip(jobs, pool.map(lambda job: run(program, *job[1]), jobs)):
            count += show(name, *result)
    lines, status = run(program, '-t', str(FUZZ), str(seed))
    count += show(f'{FUZZ} s of random operations, SEED={seed}', lines, status)
    print('\n'.join(line for line in lines if line.startswith('# ')))
    if status and os.path.exists(CRASH):
        say(f'again with: {shown(program)} -r {shown(CRASH)}')
    if COVERAGE:
        cover(variant)
    print(count)
    return 0 if count.passed and not count.failed else 1


if __name__ == '__main__':
    os.chdir(TOP)
    main(check_user)
