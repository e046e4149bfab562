#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make bench: what operations cost on stock Linux and on Pagoda.

Both kernels are built from the same configuration and run the same static
program, "speed", counting guest instructions. Which kernel the tools mean is
in the environment, so each is built and measured by a process of its own:
"bench.py measure", which leaves its figures in that kernel's log/.
"""
import json
import os
import re
import subprocess
import sys

import boot
import codesize
import report
from common import MACHINE as ARCHITECTURE
from common import (ARCH, BUILD, CONFIG, DEBUG, NOTES, OBJ, TIMEOUT, TOP, VERBOSE, Progress, die,
                    main, read,
                    shown, write)

# One processor that counts instructions and draws the same random numbers each
# time. Fast string moves (erms) would make clearing a page 4096 instructions.
PROCESSOR = {'x86_64': '-erms', 'i386': '-erms'}
MACHINE = [*ARCHITECTURE.machine, '-smp', '1', '-m', '3072', '-icount', 'shift=0,sleep=off',
           '-seed', '1', '-rtc', 'base=2026-01-01,clock=vm']
if ARCH in PROCESSOR:
    at = MACHINE.index('-cpu') + 1
    MACHINE[at] += ',' + PROCESSOR[ARCH]
LIMIT = TIMEOUT or 1800
ORDER = ('stock', 'pagoda')


def tool(script, vm, *words):
    """Run one of the tools on a core of its own; it has said what is wrong, if something is."""
    command = [sys.executable, os.path.join(TOP, 'tools/pagoda', script), *words]
    try:
        if subprocess.run(command, env=dict(os.environ, VM=vm)).returncode == 0:
            return
    except KeyboardInterrupt:
        pass
    sys.exit(1)


def on_both(script, note):
    """Build both kernels, measure on each, and return {core: what it left in note}."""
    if DEBUG or CONFIG:
        die('DEBUG= and CONFIG=: measures are of plain kernels')
    for vm in ORDER:
        tool('image.py', vm)
    found = {}
    for vm in ORDER:
        tool(script, vm, 'measure')
        found[vm] = json.loads(read(os.path.join(BUILD, f'{ARCH}-{vm}/log', note)))
    return found


def version():
    """How the kernel that was booted names itself."""
    for line in open(boot.CONSOLE, errors='replace'):
        if 'Linux version' in line:
            return re.sub(r' \(.*\)', '', line[line.index('Linux version'):].strip())
    return 'unknown'


def leave(note, found):
    write(os.path.join(NOTES, note), json.dumps(found) + '\n')


def measure():
    """On this core: boot, run the program, leave {name: (value, unit, words)}."""
    rows, other = {}, []
    progress = None

    def on_line(line):
        if VERBOSE:
            print(line, flush=True)
        words = line.split(maxsplit=4)
        if words[:1] == ['speed:'] and len(words) == 5 and words[1] != 'error:':
            rows[words[1]] = (float(words[2]), words[3], words[4])
            progress.update(f'{len(rows)} figures')
        elif words == ['speed:', 'end']:
            rows['end'] = True
        else:
            other.append(line)

    run = boot.Run('bench', on_line, machine=MACHINE, limit=LIMIT)
    progress = Progress('measuring ' + shown(OBJ))
    run.go()
    if run.trouble or run.status or not rows.pop('end', False):
        progress.broken()
        for line in other[-5:]:
            print('    ' + line)
        die(run.trouble or f'the measure ended with status {run.status}')
    progress.done(f'{len(rows)} figures')
    leave('bench.json', {'kernel': version(), 'rows': rows})
    return 0


def bench():
    found = on_both('bench.py', 'bench.json')
    figures = {vm: found[vm]['rows'] | codesize.figures(vm) for vm in ORDER}
    if set(figures['stock']) != set(figures['pagoda']):
        die('the two kernels did not measure the same rows')
    rows = report.compare(figures['stock'], figures['pagoda'])
    report.keep('bench.json', {'kernels': {vm: found[vm]['kernel'] for vm in ORDER},
                               'machine': ' '.join(MACHINE), 'rows': rows})
    report.chart(rows)
    report.write_page()
    print(report.text(rows))
    print(report.sums(rows))
    report.where()
    return 0


if __name__ == '__main__':
    main({'measure': measure}.get(sys.argv[-1], bench))
