#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make inject: each allocation on the way of each call fails once.

On the kernel of DEBUG=1, which can inject failures and checks everything; it
takes its time.
"""
import boot
import tap
from common import DEBUG, TIMEOUT, die, main, say

LIMIT = TIMEOUT or 5400


def inject():
    if DEBUG != '1':
        die('DEBUG=1: only that kernel has FAULT_INJECTION')
    say('one allocation after another fails')
    lines = []

    def on_line(line):
        lines.append(line)
        print(line, flush=True)

    run = boot.Run('inject', on_line, limit=LIMIT).go()
    if run.trouble:
        die(run.trouble)
    count = tap.of_program(lines, run.status)[0]
    print(count)
    return 0 if count.passed and not count.failed else 1


if __name__ == '__main__':
    main(inject)
