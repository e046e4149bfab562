# SPDX-License-Identifier: GPL-2.0
"""What the measures found, as tables and a chart in build/bench.

bench.json and redis.json hold the figures; bench.md is written anew from what
there is of them, so that either measure can be run alone.
"""
import json
import os
import shutil
import subprocess

from common import ARCH, BUILD, die, read, say, shown, write

BENCH = os.path.join(BUILD, 'bench' if ARCH == 'x86_64' else f'bench-{ARCH}')
PAGE = os.path.join(BENCH, 'bench.md')
CHART = os.path.join(BENCH, 'bench.svg')

# Goals, against stock in the same run. A ratio is Pagoda / stock; it is judged
# at two decimals, about as finely as a figure repeats.
FEWER = {
    'x86_64': {'fork_16m': 5, 'fork_1024m': 400, 'exit_1024m': 400,
               'map_unmap': 2, 'map_touch_unmap': 1.5, 'protect_split': 2, 'brk_pair': 3,
               'touch_rest': 3, 'touch_random': 1.2, 'dontneed_refault': 1.3, 'munmap_page': 1.5,
               'mremap_4m': 2, 'mremap_1g': 5, 'fork_small': 1.3, 'fork_exec': 1.5,
               'vfork_exec': 1.2, 'tmpfs_read': 1.5, 'ext4_read': 1.5, 'tmpfs_shared_write': 1.3,
               'ext4_shared_write': 1.3, 'tmpfs_private_copy': 1.2, 'ext4_private_copy': 1.2},
    'i386': {'fork_512m': 100},
    'arm64': {'fork_1024m': 100},
    'riscv64': {'fork_1024m': 20, 'again_1024m': 100},     # the first protects leaves
}.get(ARCH, {})
NO_DEARER = ('null_syscall', 'pipe_pingpong', 'whole_16m', 'whole_256m', 'text')
OTHERS = 1.10
# Not Pagoda's doing; a definition, not a cost; and what is paid for fewer faults.
NO_GOAL = ('touch_clearing', 'vmpte_', 'lines', 'taken_')
# Judged without clearing the page, which is the same on both.
CLEARING = ('map_touch_unmap',)

# Steps of the chart's axis, for ratios near each other and far from each other.
FINE = (0.5, 0.65, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2)
COARSE = (0.0001, 0.001, 0.0025, 0.01, 0.1, 0.3, 1, 3, 10, 100)

METHOD = '''A figure is guest instructions an operation (`-icount shift=0,sleep=off -smp 1`), or bytes of page tables:
the same on every host, to within 1%. Caches and TLBs are not modelled, and an instruction is not a
nanosecond. The ratio is Pagoda / stock; below 1 Pagoda is cheaper.
'''


def goal_of(name):
    """The goal of a row: (in words, the largest ratio that meets it), or None."""
    if name.startswith(NO_GOAL):
        return None
    if name in FEWER:
        return f'{FEWER[name]}x fewer', 1 / FEWER[name]
    if ARCH != 'x86_64':        # where the others have theirs
        return None
    limit = 1.0 if name in NO_DEARER else OTHERS
    return f'at most {limit:.2f}', limit


def compare(stock, pagoda):
    """Rows of the table from both cores' figures: {name: (value, unit, words)}."""
    rows = []
    for name, (value, unit, words) in stock.items():
        other, goal = pagoda[name][0], goal_of(name)
        ratio = other / value if value else 1.0 if not other else float('inf')
        row = {'name': name, 'operation': words, 'unit': unit, 'stock': value, 'pagoda': other,
               'ratio': ratio}
        if goal:
            if name in CLEARING:
                clear = stock['touch_clearing'][0]
                ratio = (other - clear) / (value - clear)
            met = ratio <= goal[1] or goal[1] >= 1 and round(ratio, 2) <= goal[1]
            row.update(goal=goal[0], met=met, judged=ratio)
        rows.append(row)
    return rows


def number(value):
    return f'{value:,.0f}' if value >= 100 else f'{value:.1f}'


def verdict(row):
    if 'goal' not in row:
        return ''
    result = 'met' if row['met'] else 'MISSED'
    if row['name'] not in FEWER:
        return result
    times = 1 / row['judged']
    return f'{result}: {times:.1f}x' if times >= 10 else f'{result}: {times:.2f}x'


def cells(row):
    ratio = row['ratio']
    return (row['operation'], number(row['stock']), number(row['pagoda']),
            f'{ratio:.2f}' if ratio >= 0.1 else f'{ratio:.5f}', row.get('goal', ''), verdict(row))


HEAD = ('operation', 'stock', 'Pagoda', 'ratio', 'goal', 'result')


def sums(rows):
    """One line: how many goals are met."""
    judged = [row for row in rows if 'goal' in row]
    return f'{sum(row["met"] for row in judged)} of {len(judged)} goals are met'


def text(rows):
    """The table for a terminal."""
    lines = []
    for line in [HEAD] + [cells(row) for row in rows]:
        lines.append(f'{line[0]:<43}{line[1]:>14}{line[2]:>14}{line[3]:>9}  {line[4]:<13} {line[5]}'
                     .rstrip())
    return '\n'.join(lines)


def markdown(heads, lines):
    """A table; the first column is words, the others are figures."""
    table = ['| ' + ' | '.join(heads) + ' |',
             '|---|' + '---:|' * (len(heads) - 1)]
    return '\n'.join(table + ['| ' + ' | '.join(line) + ' |' for line in lines]) + '\n'


def load(name):
    """What an earlier measure left, or None."""
    found = read(os.path.join(BENCH, name), '')
    try:
        return json.loads(found) if found else None
    except ValueError:
        return None


def keep(name, found):
    write(os.path.join(BENCH, name), json.dumps(found, indent=1) + '\n')


def kernels(found):
    return ''.join(f'- {vm}: `{found["kernels"][vm]}`\n' for vm in ('stock', 'pagoda'))


def write_page():
    """bench.md, of what has been measured."""
    parts = ['# Pagoda beside stock Linux\n']
    bench, redis = load('bench.json'), load('redis.json')
    if bench:
        parts += ['## Operations\n', METHOD, kernels(bench), '![chart](bench.svg)\n',
                  sums(bench['rows']) + '.\n',
                  markdown(HEAD, [cells(row) for row in bench['rows']])]
    if redis:
        parts += ['## Redis\n', redis['method'], kernels(redis),
                  markdown(('', 'stock', 'Pagoda', 'ratio'),
                           [redis_cells(row) for row in redis['rows']])]
    write(PAGE, '\n'.join(parts))


def redis_cells(row):
    """Words, figures and ratio; what the host's clock says has no ratio worth printing."""
    both = row['stock'], row['pagoda']
    if not all(isinstance(value, (int, float)) for value in both):
        return row['what'], str(both[0]), str(both[1]), ''
    return (row['what'], number(both[0]), number(both[1]),
            f'{both[1] / both[0]:.3f}' if both[0] and row['kind'] == 'counted' else '')


def quoted(words):
    return '"' + words.strip().replace('\\', '\\\\').replace('"', '\\"') + '"'


def chart(rows):
    """bench.svg: fork and exit over size, and every ratio, drawn by gnuplot."""
    by_name = {row['name']: row for row in rows}
    sizes = [name.split('_')[1][:-1] for name in by_name
             if name.startswith('fork_') and name.endswith('m') and name != 'fork_0m']
    curve = ''.join(
        ' '.join([size] + [f'{by_name[f"{kind}_{size}m"][vm]:.1f}' for kind in ('fork', 'exit')
                           for vm in ('stock', 'pagoda')]) + '\n' for size in sizes)
    bars = [row for row in rows if 'goal' in row]
    ticks = ', '.join(f'{quoted(row["operation"])} {-i}' for i, row in enumerate(bars))
    drawn = {met: ''.join(f'{row["ratio"]:.6f} {-i} {min(1, row["ratio"]):.6f} '
                          f'{max(1, row["ratio"]):.6f} {-i - 0.36} {-i + 0.36}\n'
                          for i, row in enumerate(bars) if row['met'] == met)
             or 'NaN NaN NaN NaN NaN NaN\n' for met in (True, False)}
    least = min([row['ratio'] for row in bars if row['ratio'] > 0] + [0.5])
    most = max([row['ratio'] for row in bars] + [2])
    least, most = least / 1.2, most * 1.2
    steps = ', '.join(f'"{step}" {step}' for step in (FINE if most < 20 * least else COARSE)
                      if least < step < most)
    height = 420 + 17 * len(bars)
    split = 1 - 380 / height
    script = f'''set terminal svg noenhanced size 900,{height} font "Arial,12" background "#ffffff"
set output {quoted(CHART)}
$curve << EOD
{curve}EOD
$met << EOD
{drawn[True]}EOD
$missed << EOD
{drawn[False]}EOD
set multiplot
set grid linecolor rgb "#d8d8d8"
set origin 0,{split:.4f}
set size 1,{1 - split:.4f}
set lmargin at screen 0.12
set rmargin at screen 0.96
set title "fork and the child's exit, guest instructions"
set logscale xy
set format y "%.0s%c"
set xrange [0.8:1300]
set xlabel "MiB touched"
set xtics ({', '.join(sizes)})
set key left top
set style line 1 linecolor rgb "#c0504d" linewidth 2 pointtype 7 pointsize 0.6
set style line 2 linecolor rgb "#1f5fa8" linewidth 2 pointtype 7 pointsize 0.6
plot $curve using 1:2 with linespoints linestyle 1 title "fork, stock", \\
     $curve using 1:3 with linespoints linestyle 2 title "fork, Pagoda", \\
     $curve using 1:4 with linespoints linestyle 1 dashtype 2 title "exit, stock", \\
     $curve using 1:5 with linespoints linestyle 2 dashtype 2 title "exit, Pagoda"
set origin 0,0
set size 1,{split:.4f}
set lmargin at screen 0.38
set title "Pagoda / stock; left of 1 Pagoda is cheaper"
unset logscale y
set logscale x
set format x "%g"
set format y "%s"
unset xlabel
set xtics ({steps})
set xrange [{least:.6f}:{most:.6f}]
set yrange [{-len(bars) + 0.4}:0.6]
set ytics ({ticks}) font ",10" nomirror
set key outside bottom center horizontal
set style fill solid 0.9 noborder
set arrow from 1, graph 0 to 1, graph 1 nohead front linewidth 1.5
plot $met using 1:2:3:4:5:6 with boxxyerror linecolor rgb "#1f5fa8" title "goal met", \\
     $missed using 1:2:3:4:5:6 with boxxyerror linecolor rgb "#c0504d" title "goal missed"
unset multiplot
'''
    if not shutil.which('gnuplot'):
        die('gnuplot is not installed; run: apt-get install -y gnuplot-nox')
    drawn = subprocess.run(['gnuplot'], input=script, capture_output=True, text=True, timeout=60)
    if drawn.returncode:
        lines = drawn.stderr.strip().splitlines()
        die('gnuplot failed: ' + (lines[-1] if lines else f'status {drawn.returncode}'))


def where():
    names = sorted(name for name in os.listdir(BENCH) if not name.endswith('.new'))
    say('written: ' + ' '.join(shown(os.path.join(BENCH, name)) for name in names))
