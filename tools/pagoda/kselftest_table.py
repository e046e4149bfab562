# SPDX-License-Identifier: GPL-2.0
"""What "make kselftest" runs (kselftest.tests), and what it knows of failures.

What fails or is skipped on both kernels, or is not run, is listed with its
reason in Documentation/mm/pagoda/kselftest.rst: in its literal blocks a line
"DIR/PROGRAM [ARGUMENTS][: RESULTS]", patterns as in the shell, and below it,
further in, the reason. The tools read that page; there is no other list.
"""
import dataclasses
import fnmatch
import itertools
import os
import re

from common import DEBUG, TOP, die, read, shown

TABLE = os.path.join(TOP, 'tools/pagoda/kselftest.tests')
PAGE = os.path.join(TOP, 'Documentation/mm/pagoda/kselftest.rst')
LEFT_OUT = 'Not run'    # the page's heading over what kselftest.tests leaves out
SETTINGS = {'limit': '60', 'tries': '1', 'on': 'tmpfs', 'user': 'root', 'overcommit': '0',
            'nohuge': '', 'needs': '', 'as': '', 'short': ''}
SLOWER = 5 if DEBUG else 1


@dataclasses.dataclass
class Test:
    directory: str
    command: str
    settings: dict

    def __str__(self):
        on = self.settings['on']
        name = self.settings['as'] or self.command.removeprefix('./')
        return f'{self.directory}/{name}' + (f' ({on})' if on != 'tmpfs' else '')

    def label(self):
        """One word that the guest says instead of the command."""
        return re.sub(r'[^\w./-]+', '_', str(self)).strip('_')

    def line(self):
        """What the guest's runner reads."""
        of = self.settings
        return '|'.join([self.label(), str(int(of['limit']) * SLOWER), of['tries'], of['on'],
                         of['user'], of['overcommit'], of['nohuge'] or '-', self.directory,
                         self.command])


def expand(text):
    """{a,b} of a shell's words: one text for each."""
    parts = [part.split(',') if at % 2 else [part]
             for at, part in enumerate(re.split(r'\{([^{}]*)\}', text))]
    return [' '.join(''.join(choice).split()) for choice in itertools.product(*parts)]


def tests():
    found, directory = [], None
    for number, line in enumerate(read(TABLE).splitlines(), 1):
        line = line.split('#')[0].strip()
        heading = re.fullmatch(r'\[([\w/]+)\]', line)
        if heading:
            directory = heading.group(1)
        elif line:
            command, semicolon, words = line.rpartition('\t;')
            if not semicolon:
                command, words = line, ''
            given = {name: value or name for name, _, value
                     in (word.partition('=') for word in words.split())}
            if not directory or set(given) - set(SETTINGS):
                die(f'{shown(TABLE)}:{number}: not understood: {line}')
            found += [Test(directory, one, dict(SETTINGS, **given)) for one in expand(command)]
    labels = [test.label() for test in found]
    for label in labels:
        if labels.count(label) > 1:
            die(f'{shown(TABLE)}: {label} is there twice')
    return found


def programs_of(chosen):
    """The words of tests that may name what their makefile makes, as "DIR/NAME"."""
    return {f'{test.directory}/{os.path.basename(word)}'
            for test in chosen
            for word in test.command.split() + test.settings['needs'].split(',') if word}


@dataclasses.dataclass
class Reason:
    test: str           # a pattern
    result: str         # a pattern, or '' for the whole program
    why: str
    left_out: bool
    used: bool = False

    def __str__(self):
        return self.test + (f': {self.result}' if self.result else '')


def reasons():
    found, heading, last = [], '', ''
    for line in read(PAGE).splitlines():
        entry = re.fullmatch(r' {4}([\w/]+/\S[^:]*)(?:: (.+))?', line)
        if re.fullmatch(r'(=+|-+)', line):
            heading = last
        elif entry:
            found.append(Reason(entry.group(1).strip(), (entry.group(2) or '').strip(), '',
                                heading == LEFT_OUT))
        elif found and line.startswith(' ' * 8):
            found[-1].why = f'{found[-1].why} {line.strip()}'.strip()
        last = line
    for reason in found:
        if not reason.why:
            die(f'{shown(PAGE)}: {reason}: no reason given')
    return found


class Page:
    """Finds the reason of a result, and remembers which reasons were of use."""

    def __init__(self):
        self.reasons = reasons()

    def of_result(self, test, result):
        """Why a result of a test fails or is skipped; '' if the page does not say."""
        for reason in self.reasons:
            if not reason.left_out and match(test, reason.test) \
                    and (not reason.result or match(result, reason.result)):
                reason.used = True
                return reason.why
        return ''

    def left_out(self, program):
        for reason in self.reasons:
            if reason.left_out and match(program, reason.test):
                reason.used = True
                return reason.why
        return ''


def match(text, pattern):
    return fnmatch.fnmatchcase(text, pattern.replace('[', '[[]'))
