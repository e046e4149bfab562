#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make profile ROW=NAME: where the instructions of one row of make bench go.

QEMU runs the row alone with a plugin (plugin/profile.c) that counts instructions by
path of calls between the marks that the program "speed" sets. For each core that is
a .folded file, a picture of it (.svg, a flame graph), and a list by function; the
two lists stand side by side in ROW.txt. VM= for one core only.
"""
import json
import os
import re
import subprocess
import sys
from collections import Counter
from xml.sax.saxutils import escape, quoteattr

import bench
import boot
import common
import guest
import kernel
from common import (ARCH, BUILD, CONFIG, DEBUG, OBJ, TOP, VM, Progress, die, main, read, say, shown,
                    write)

ROW = os.environ.get('ROW', '')
DIR = os.path.join(BUILD, 'profile' if ARCH == 'x86_64' else f'profile-{ARCH}')
PLUGIN = os.path.join(DIR, 'profile.so')
FOLDED = os.path.join(DIR, f'{ROW}-{VM}.folded')
NOTE = os.path.join(DIR, f'{ROW}-{VM}.json')
LINES = 45


def build_plugin():
    source = os.path.join(TOP, 'tools/pagoda/plugin/profile.c')
    os.makedirs(DIR, exist_ok=True)
    done = subprocess.run(['gcc', '-shared', '-fPIC', '-O2', '-Wall', '-fvisibility=hidden', '-o',
                           PLUGIN, source], capture_output=True, text=True)
    if done.returncode:
        die(f'{shown(source)}: {done.stderr.strip()}')


def symbols(program):
    """(address, name) of the functions of a program, ascending, one an address."""
    said = subprocess.run([common.MACHINE.tool('nm'), '-n', program], capture_output=True,
                          text=True, check=True).stdout
    found = {}
    for line in said.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in 'tTwW' and not words[2].startswith(('.L', '$')):
            found.setdefault(int(words[0], 16), words[2])
    return sorted(found.items())


def measure():
    """On this core: run the row under the plugin, leave the folded paths and a note."""
    build_plugin()
    kernel.build()
    guest.build()
    functions = symbols(os.path.join(OBJ, 'vmlinux'))
    table = os.path.join(DIR, f'{VM}.symbols')
    write(table, ''.join(f'{address:x} {name}\n' for address, name in functions if address))
    marks = dict((name, address) for address, name in symbols(
        os.path.join(guest.PROGRAMS, 'speed')) if name.startswith('speed_mark_'))
    told = {'counted': 0}
    progress = None

    def on_line(line):
        words = line.split(maxsplit=4)
        if words[:2] == ['speed:', 'counted']:
            told['counted'] += int(words[2])
        elif words[:2] == ['speed:', 'error:']:
            told['error'] = line.split(maxsplit=2)[2]
        elif words[:2] == ['speed:', ROW]:
            told['words'] = words[4]

    run = boot.Run('bench', on_line, machine=bench.MACHINE, limit=bench.LIMIT,
                   append=f'nokaslr pagoda.row={ROW}',
                   more=['-plugin', f'{PLUGIN},symbols={table},out={FOLDED},'
                         f'begin={marks["speed_mark_begin"]:x},end={marks["speed_mark_end"]:x}'])
    progress = Progress(f'counting in {shown(OBJ)}')
    run.go()
    if 'error' in told or run.trouble or run.status:
        progress.broken()
        die(f'ROW={ROW}: ' + (told.get('error') or run.trouble
                              or f'the measure ended with status {run.status}'))
    if not told['counted']:
        progress.broken()
        die(f'ROW={ROW}: this figure is not the cost of an operation')
    progress.done(f'{told["counted"]} operations')
    write(NOTE, json.dumps({'kernel': bench.version(), **told}) + '\n')
    return 0


def paths(vm):
    """{(function, ...): instructions an operation}, and what was measured."""
    folded = os.path.join(DIR, f'{ROW}-{vm}.folded')
    note = json.loads(read(os.path.join(DIR, f'{ROW}-{vm}.json')))
    found = Counter()
    for line in read(folded).splitlines():
        name, _, count = line.rpartition(' ')
        # What the compiler split off a function belongs to it.
        names = [re.sub(r'\.(cold|part|isra|constprop)\b.*', '', one)
                 for one in name.split(';')]
        found[tuple(names)] += int(count) / note['counted']
    return found, note


def by_function(found):
    """{function: [by itself, with what it called]}."""
    sums = {}
    for path, count in found.items():
        sums.setdefault(path[-1], [0, 0])[0] += count
        for name in set(path):
            sums.setdefault(name, [0, 0])[1] += count
    return sums


def listing(sums):
    lines = [f'{"self":>9} {"total":>9}  function']
    ranked = sorted(sums.items(), key=lambda item: -item[1][0])
    for name, (own, whole) in ranked[:LINES]:
        lines.append(f'{own:9.1f} {whole:9.1f}  {name}')
    rest = sum(own for _, (own, _) in ranked[LINES:])
    if rest:
        lines.append(f'{rest:9.1f} {"":>9}  {len(ranked) - LINES} others')
    return lines


def flame(found, title):
    """A flame graph: a box a path, as wide as what it counts, above its caller."""
    tree = {}
    for path, count in found.items():
        here = tree
        for name in path:
            box = here.setdefault(name, [0, {}])
            box[0] += count
            here = box[1]
    total, width, high = sum(found.values()), 1200, 16
    boxes, deepest = [], 0

    def lay(level, left, depth):
        nonlocal deepest
        for name, (count, down) in sorted(level.items()):
            wide = count / total * width
            if wide >= 0.5:
                deepest = max(deepest, depth)
                boxes.append((left, depth, wide, name, count))
                lay(down, left, depth + 1)
            left += wide

    lay(tree, 0, 0)
    tall = (deepest + 1) * high + 40
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall}" '
             f'width="{width}" height="{tall}" font-family="monospace" font-size="11">',
             f'<rect width="{width}" height="{tall}" fill="white"/>',
             f'<text x="4" y="16" font-size="13">{escape(title)}</text>']
    for left, depth, wide, name, count in boxes:
        top = tall - (depth + 1) * high - 8
        hue = sum(map(ord, name)) % 50
        text = name if len(name) * 6.7 < wide - 4 else name[:int(max(wide - 4, 0) / 6.7)]
        words = f'{name}: {count:.1f} instructions, {100 * count / total:.1f} %'
        lines.append(f'<g><title>{escape(words)}</title>'
                     f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{high - 1}" '
                     f'fill={quoteattr(f"hsl({hue},75%,68%)")} rx="1"/>'
                     f'<text x="{left + 3:.1f}" y="{top + 12}">{escape(text)}</text></g>')
    return '\n'.join(lines + ['</svg>', ''])


def profile():
    if not ROW or not re.fullmatch(r'\w+', ROW):
        die('ROW=: want the name of a row of make bench, as build/bench/bench.json has it')
    if DEBUG or CONFIG:
        die('DEBUG= and CONFIG=: profiles are of plain kernels')
    cores = bench.ORDER if os.environ.get('BOTH') else (VM,)
    for vm in cores:
        bench.tool('profile.py', vm, 'measure')
    columns = []
    for vm in cores:
        found, note = paths(vm)
        title = (f'{note.get("words", ROW)}: {sum(found.values()):,.1f} guest instructions on {vm}')
        write(os.path.join(DIR, f'{ROW}-{vm}.svg'), flame(found, title))
        columns.append([title, ''] + listing(by_function(found)))
    most = max(map(len, columns))
    columns = [column + [''] * (most - len(column)) for column in columns]
    lines = [''.join(cell[:57].ljust(60) for cell in row).rstrip() for row in zip(*columns)]
    write(os.path.join(DIR, ROW + '.txt'), '\n'.join(lines) + '\n')
    print('\n'.join(lines))
    say(f'paths and pictures: {shown(DIR)}/{ROW}-*.folded, .svg')
    return 0


if __name__ == '__main__':
    main({'measure': measure}.get(sys.argv[-1], profile))
