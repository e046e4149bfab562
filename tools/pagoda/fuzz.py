#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make fuzz: the differential test for SECONDS, beginning with SEED.

The guest's program plays one round after another, each from the next seed,
until one fails; then it shrinks the sequence and prints it. When the kernel
itself goes wrong, the seed in hand and what the kernel printed come last.
"""
import random
import re

import boot
from common import DEBUG, SECONDS, SEED, TIMEOUT, VERBOSE, die, main, say


class Rounds:
    """Prints what the program prints and keeps the seed in hand."""

    def __init__(self, seed):
        self.seed = seed

    def line(self, line):
        begun = re.match(r'# seed (\d+): ', line)
        if begun:
            self.seed = begun.group(1)
        if VERBOSE or not begun:
            print(line, flush=True)


def fuzz():
    seed = random.randrange(10 ** 9) if SEED is None else SEED
    limit = TIMEOUT or SECONDS + (2400 if DEBUG else 900)
    say(f'random calls for {SECONDS} s, from SEED={seed}')
    rounds = Rounds(seed)
    options = f'-v,-t{SECONDS},-s{seed}' + (',-o' if VERBOSE else '')
    run = boot.Run('fuzz', rounds.line, append='pagoda.fuzz=' + options, limit=limit).go()
    again = f'again with make fuzz SEED={rounds.seed} (V=1 prints each operation)'
    if run.trouble:
        die(f'SEED={rounds.seed}: {run.trouble}; {again}')
    if run.status:
        die(f'SEED={rounds.seed} fails; {again}')
    say('no difference found')
    return 0


if __name__ == '__main__':
    main(fuzz)
