#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make check ARCH=all: the checks of every architecture and configuration.

Each is a `make check` of its own, x86_64 first and the configurations last: of these
the contract, the KUnit suites and the tour. While one is tested the next are built.
At the end a table says what became of each suite on each architecture, one what
became of the configurations, and a list why anything was skipped; then the count.
"""
import json
import os
import subprocess
import threading
import time

os.environ['ARCH'], WANTED = 'x86_64', os.environ.get('CONFIG', '')

import tap                                                              # noqa: E402
from arch import ARCHES                                                 # noqa: E402
from common import BUILD, KIND, TOP, VM, die, main, say, write          # noqa: E402

TABLE = os.path.join(BUILD, f'check-{VM}{KIND}.txt')


class Check:
    """One make check, and the results that it left behind."""

    def __init__(self, arch, config):
        self.arch, self.config = arch, config
        self.name = arch + (f' {config}' if config else '')
        self.suites, self.skips, self.count = {}, [], tap.Count(0, 1, 0)
        self.built = threading.Event()

    def make(self, target, **more):
        """Run make for it; return its status."""
        return subprocess.run(
            ['make', '-C', TOP, '--no-print-directory', target], stdin=subprocess.DEVNULL,
            env=dict(os.environ, ARCH=self.arch, CONFIG=self.config,
                     BRIEF='1' if self.config else ''), **more).returncode

    def build(self):
        """Build it ahead; what is wrong, make check will say."""
        self.make('image', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.built.set()

    def run(self):
        self.built.wait()
        began = time.monotonic()
        results = os.path.join(BUILD, f'results-{self.arch}-{self.config or "default"}.json')
        if os.path.exists(results):
            os.remove(results)
        print(f'== make check ARCH={self.arch} CONFIG={self.config}', flush=True)
        os.environ['RESULTS'] = results
        status = self.make('check')
        self.seconds = time.monotonic() - began
        if os.path.exists(results):
            with open(results) as file:
                found = json.load(file)
            self.suites = {name: tap.Count(*figures) for name, figures in found['suites']}
            self.skips = found['skips']
            self.count = sum(self.suites.values(), tap.Count())
        if status and not self.count.failed:
            self.count.failed += 1
        return self


def cell(count):
    return f'{count.passed}/{count.failed}/{count.skipped}' if count else '-'


def table(head, rows):
    """Lines of a table; the first column is a name, the others are right-aligned."""
    widths = [max(len(row[at]) for row in [head] + rows) for at in range(len(head))]
    return ['  '.join(text.ljust(width) if not at else text.rjust(width)
                      for at, (text, width) in enumerate(zip(row, widths))).rstrip()
            for row in [head] + rows]


def matrix(checks):
    """The tables and the reasons, as lines."""
    plain = [check for check in checks if not check.config]
    suites = list(dict.fromkeys(name for check in plain for name in check.suites))
    lines = ['passed/failed/skipped:', '']
    lines += table(['suite', *[check.name for check in plain]],
                   [[suite, *[cell(check.suites.get(suite)) for check in plain]]
                    for suite in suites]
                   + [['all', *[cell(check.count) for check in plain]]])
    lines += ['', *table(['configuration', 'all', 'minutes'],
                         [[check.name, cell(check.count), f'{check.seconds / 60:.1f}']
                          for check in checks])]
    reasons = {}
    for check in checks:
        for skip in check.skips:
            reasons.setdefault(skip, []).append(check.name)
    if reasons:
        lines += ['', 'skipped:']
        lines += [f'  {skip} ({", ".join(names)})' for skip, names in reasons.items()]
    return lines


def build_all(checks):
    for check in checks:
        check.build()


def check_all():
    if WANTED:
        die(f'CONFIG={WANTED}: not with ARCH=all, which runs all of them')
    checks = [Check(arch, '') for arch in ARCHES]
    checks += [Check(arch, config) for arch in ARCHES for config in ARCHES[arch].configs]
    # Failing to build the first, such as for want of a package, is failing at once.
    checks[0].built.set()
    checks[0].run()
    threading.Thread(target=build_all, args=(checks[1:],), daemon=True).start()
    for check in checks[1:]:
        check.run()
    lines = matrix(checks)
    write(TABLE, '\n'.join(lines) + '\n')
    print('\n'.join(['', *lines, '']))
    say(f'this table is in {os.path.relpath(TABLE, TOP)}')
    count = sum((check.count for check in checks), tap.Count())
    print(count, flush=True)
    return 1 if count.failed else 0


if __name__ == '__main__':
    main(check_all)
