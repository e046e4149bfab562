# SPDX-License-Identifier: GPL-2.0
"""What a selftest's output and exit status say, result by result.

Most print TAP; the others mark lines with [OK], [PASS], [FAIL] or [SKIP]. A
result has a name that two kernels can be compared by: addresses and long
numbers in it are left out, and what is left is numbered where it repeats.
"""
import collections
import re

import tap

PASS, FAIL, SKIP, ABSENT = 'pass', 'FAIL', 'skip', 'absent'
WHOLE = '(exit status)'     # the result that each program has
MARK = re.compile(r'\s*\[ ?(OK|PASS|FAIL|SKIP|XFAIL)\s*\]\s*(.*)$')
COLOUR = re.compile(r'\x1b\[[\d;]*m')
NUMBER = re.compile(r'\b(?:0x)+[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{6,16}\b|\b\d{4,}\b', re.I)


def of_tap(line):
    """(name, outcome) of a TAP result, or None."""
    result = tap.RESULT.match(line)
    if not result or not re.match(r'(not )?ok \d', line):
        return None
    note = (result.group('note') or '').upper()
    if note == 'SKIP':
        # Some say only why: "ok 2 # SKIP no swap".
        return result.group('name').strip() or line[line.index('#') + 1:], SKIP
    good = not result.group('bad') or note in ('TODO', 'XFAIL')
    return result.group('name'), PASS if good else FAIL


def of_mark(line):
    mark = MARK.match(line)
    if not mark:
        return None
    kind = {'OK': PASS, 'XFAIL': PASS, 'PASS': PASS, 'FAIL': FAIL, 'SKIP': SKIP}[mark.group(1)]
    return mark.group(2), kind


def planned(lines):
    plans = [tap.PLAN.match(line) for line in lines]
    return max((int(plan.group(1)) for plan in plans if plan), default=0)


def of_status(status):
    return PASS if status == 0 else SKIP if status == tap.SKIPPED else FAIL


def of_program(lines, status):
    """{name: outcome} of one program, the exit status last."""
    lines = [COLOUR.sub('', line) for line in lines]
    found = [result for result in map(of_tap, lines) if result]
    if found or status:
        found += [(f'result {at + 1}, planned and never given', FAIL)
                  for at in range(len(found), planned(lines))]
    if not found:
        found = [result for result in map(of_mark, lines) if result]
    named, seen = {}, collections.Counter()
    for name, outcome in found:
        name = ' '.join(NUMBER.sub('N', name).split()) or 'result'
        seen[name] += 1
        named[name if seen[name] == 1 else f'{name} ({seen[name]})'] = outcome
    named[WHOLE] = of_status(status)
    return named
