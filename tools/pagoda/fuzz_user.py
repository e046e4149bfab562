#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make fuzz-user: libFuzzer on the core as a program, for SECONDS.

What covers something new is kept in build/fuzz-user/corpus, and the next run
goes on from there. Each of CPUS processes has a seed, counted up from SEED. An
input that fails is saved, made short, and printed as operations.
"""
import os
import random
import re
import subprocess
import time

import user_build
from common import (BUILD, CPUS, JOBS, SECONDS, SEED, TIMEOUT, TOP, VERBOSE, Progress,
                    clean_environment, die, main, say, shown, write)

PLACE = os.path.join(BUILD, 'fuzz-user')
CORPUS = os.path.join(PLACE, 'corpus')
RECORD = 6              # bytes of an operation, behind one for all
LONGEST = 1 + 400 * RECORD
SHORTEN = 60            # seconds


def plant(seed):
    """Inputs to begin with, if there are none."""
    os.makedirs(CORPUS, exist_ok=True)
    if os.listdir(CORPUS):
        return
    draw = random.Random(seed)
    for number in range(16):
        write(os.path.join(CORPUS, f'seed-{number}'), draw.randbytes(1 + 200 * RECORD))


def environment():
    return dict(clean_environment(), **user_build.sanitizer_options())


class Worker:
    """One fuzzing process and its log."""

    def __init__(self, program, number, seed):
        self.log = os.path.join(PLACE, f'worker-{number}.log')
        command = [program, f'-max_len={LONGEST}', '-len_control=0', '-reload=1', '-entropic=0',
                   '-timeout=20', '-rss_limit_mb=4096', '-print_final_stats=1',
                   f'-seed={(seed + number) % 2 ** 32 or 1}', f'-max_total_time={SECONDS}',
                   f'-artifact_prefix={PLACE}/', CORPUS]
        with open(self.log, 'w') as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, env=environment())

    def said(self, pattern):
        found = re.findall(pattern, open(self.log, errors='replace').read())
        return found[-1] if found else None


def replay(program, path):
    """What playing an input says: (status, lines)."""
    try:
        done = subprocess.run([program, '-r', path], stdin=subprocess.DEVNULL, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', env=environment())
    except subprocess.TimeoutExpired:
        return 124, ['still running after 60 s']
    return done.returncode, done.stdout.splitlines()


def shorten(program, path):
    """Leave operations out as long as it fails; the path of what remains."""
    data, small = open(path, 'rb').read(), path + '-short'
    head, body = data[:1], data[1:]
    ops = [body[at:at + RECORD] for at in range(0, len(body) - RECORD + 1, RECORD)]
    end, chunk = time.monotonic() + SHORTEN, max(len(ops) // 2, 1)

    def fails(rest):
        write(small, head + b''.join(rest))
        return replay(program, small)[0]

    while time.monotonic() < end:
        before = len(ops)
        for at in range(len(ops), -1, -chunk):
            rest = ops[:at] + ops[at + chunk:]
            if len(rest) < len(ops) and time.monotonic() < end and fails(rest):
                ops = rest
        if chunk == 1 and len(ops) == before:
            break
        chunk = max(chunk // 2, 1)
    write(small, head + b''.join(ops))
    return small


def report(program, path):
    say(f'failed: {shown(path)}; making it short')
    small = shorten(program, path)
    status, lines = replay(program, small)
    if not status:
        say('played again it does not fail; the log says:')
        return
    print('\n'.join(lines if VERBOSE else lines[-60:]))
    say(f'again with: {shown(program)} -r {shown(small)}')


def fuzz_user():
    program = user_build.program(user_build.CHECK)
    fuzzer = user_build.fuzzer(user_build.CHECK)
    seed = random.randrange(10 ** 9) if SEED is None else SEED
    plant(seed)
    known = set(os.listdir(PLACE))
    number = min(CPUS, JOBS)
    begun = time.monotonic()
    progress = Progress(f'fuzzing for {SECONDS} s with {number} processes, from SEED={seed}')
    workers = [Worker(fuzzer, n, seed) for n in range(number)]
    try:
        # The first that fails ends the others.
        while all(worker.process.poll() is None for worker in workers):
            progress.update(f'{len(os.listdir(CORPUS))} inputs kept')
            if time.monotonic() - begun > (TIMEOUT or SECONDS + 120):
                die(f'the fuzzer is still running; logs: {shown(PLACE)}')
            time.sleep(0.2)
        failed = [worker for worker in workers if worker.process.poll()]
        for worker in workers:
            if failed:
                worker.process.terminate()
            worker.process.wait()
    finally:
        for worker in workers:
            worker.process.kill()
    spent = time.monotonic() - begun
    progress.done(f'{len(os.listdir(CORPUS))} inputs kept')
    for name in sorted(set(os.listdir(PLACE)) - known):
        if re.match(r'(crash|timeout|oom|leak)-', name):
            report(program, os.path.join(PLACE, name))
            break
    if failed:
        print('\n'.join(open(failed[0].log, errors='replace').read().splitlines()[-30:]))
        die(f'SEED={seed} fails; log: {shown(failed[0].log)}')
    total = sum(int(worker.said(r'# (\d+) operations') or 0) for worker in workers)
    starved = sum(int(worker.said(r'(\d+) ended for want of memory') or 0) for worker in workers)
    say(f'{total} operations, {starved} of which ended for want of memory; '
        f'{total / spent:.0f} a second')
    return 0


if __name__ == '__main__':
    os.chdir(TOP)
    main(fuzz_user)
