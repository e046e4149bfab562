# SPDX-License-Identifier: GPL-2.0
"""Counting test results: what TAP output and exit statuses say."""
import dataclasses
import re

CONTEXT = 20    # lines shown of what went wrong
SKIPPED = 4     # the exit status of a kselftest that could not run

RESULT = re.compile(r'(?P<bad>not )?ok\b\s*\d*\s*-?\s*(?P<name>[^#]*)(?:#\s*(?P<note>\w+).*)?$')
PLAN = re.compile(r'1\.\.(\d+)\s*(?:#.*)?$')
TOUR = re.compile(r'tour: (\d+) of (\d+) steps ok$')


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        return f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped'

    def total(self):
        return self.passed + self.failed + self.skipped


def of_program(lines, status):
    """What one program's output and exit status come to: (Count, what went wrong).

    For a failed result, what the program said since the result before it.
    """
    count, wrong, plan, since = Count(), [], None, []
    for line in lines:
        since.append(line)
        tour, result, planned = TOUR.match(line), RESULT.match(line), PLAN.match(line)
        if tour:
            good, steps = map(int, tour.groups())
            count += Count(good, steps - good, 0)
            wrong += [said for said in lines if re.search(r'\bFAILED\b', said)]
        elif planned:
            plan = int(planned.group(1))
        elif result:
            note = (result.group('note') or '').upper()
            if note == 'SKIP':
                count.skipped += 1
            elif result.group('bad') and note not in ('TODO', 'XFAIL'):
                count.failed += 1
                wrong += since[-CONTEXT:]
            else:
                count.passed += 1
            since = []
    if status not in (0, SKIPPED):
        wrong = (wrong or lines[-CONTEXT:]) + [f'exit status {status}']
    if plan is not None and plan > count.total():
        wrong.append(f'{plan - count.total()} of {plan} results are missing')
        count.failed += plan - count.total()
    if status == SKIPPED and not count.total():
        count.skipped = 1
    elif status not in (0, SKIPPED) and not count.failed:
        count.failed = 1
    elif status == 0 and not count.total():
        count.passed = 1
    return count, wrong
