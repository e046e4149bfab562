#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make bench-redis: what BGSAVE does to a redis with 512 MiB, on both kernels.

Debian's redis runs in the guest, with the libraries of the host it was
installed on; redis-bgsave, of the selftests, is what is done with it. Each
kernel boots twice: on one processor that counts instructions, which gives the
same figures on every host, and on two that do not, which run side by side as
a server and its saving child would.
"""
import os
import shutil
import sys

import bench
import boot
import guest
import kernel
import report
from common import NOTES, OBJ, TIMEOUT, VERBOSE, Progress, die, main, say, shown

# Debian's redis-server is this program under another name; the package of that
# name would start a server here.
SERVER = 'redis-check-rdb'
CLIENTS = ('redis-cli', 'redis-benchmark')
SCRIPT = 'redis-bgsave'
INITRAMFS = os.path.join(NOTES, 'redis.cpio')
LIMIT = TIMEOUT or 2400
MACHINES = {'counted': bench.MACHINE,
            'timed': ['-cpu', 'max', '-smp', '2', '-m', '3072']}
IN_WORDS = {'counted': 'one processor, counted', 'timed': 'two processors, timed'}
TEXTS = ('keys', 'content')

METHOD = '''512 MiB of values in Debian's redis, saved by BGSAVE while a client sends one small write after the
other; the file is loaded into a new server and compared by DEBUG DIGEST. "Counted" rows are from
`-icount shift=0,sleep=off -smp 1`: a microsecond is 1000 guest instructions, and client, server and the
saving child share one processor, so that the longest wait includes the scheduler's turns. "Timed" rows are
from two emulated processors and the host's clock: they differ from run to run and from host to host, and how
much is to be seen in the longest wait before the save.
'''


def initramfs():
    """The guest's own, and after it an archive with redis."""
    programs = {name: shutil.which(name) for name in (SERVER, *CLIENTS)}
    for name, path in programs.items():
        if not path:
            die(f'{name}: not found; run: apt-get install -y redis-tools')
    lines = guest.from_host(guest.needed_by(programs.values()))
    lines += [f'file /bin/{name} {os.path.realpath(path)} 755 0 0'
              for name, path in programs.items()]
    lines += [f'slink /bin/redis-server {SERVER} 777 0 0',
              f'file /bin/{SCRIPT} {guest.SOURCE}/{SCRIPT} 755 0 0']
    return guest.extended(lines, INITRAMFS)


def measure_on(kind):
    """One boot: {name: (value, words)}."""
    rows, other = {}, []
    progress = None

    def on_line(line):
        if VERBOSE:
            print(line, flush=True)
        words = line.split(maxsplit=3)
        if words == ['redis:', 'end']:
            rows['end'] = True
        elif words[:1] == ['redis:'] and len(words) == 4 and words[1] != 'error:':
            value = words[2] if words[1] in TEXTS else float(words[2])
            rows[words[1]] = (value, words[3])
            progress.update(f'{len(rows)} figures')
        else:
            other.append(line)

    run = boot.Run('redis', on_line, machine=MACHINES[kind], limit=LIMIT, initramfs=initramfs())
    progress = Progress(f'redis on {shown(OBJ)}, {IN_WORDS[kind]}')
    run.go()
    if run.trouble or run.status or not rows.pop('end', False):
        progress.broken()
        wrong = [line for line in other if line.startswith('redis: error')]
        for line in other[-8:]:
            print('    ' + line)
        die(run.trouble or (wrong[0] if wrong else f'redis ended with status {run.status}'))
    progress.done(f'{len(rows)} figures')
    return rows


def measure():
    kernel.build()
    found = {kind: measure_on(kind) for kind in MACHINES}
    bench.leave('redis.json', {'kernel': bench.version(), 'rows': found})
    return 0


def redis():
    found = bench.on_both('bench_redis.py', 'redis.json')
    rows = []
    for kind in MACHINES:
        stock, pagoda = (found[vm]['rows'][kind] for vm in bench.ORDER)
        rows += [{'name': name, 'kind': kind, 'what': f'{words} ({kind})', 'stock': value,
                  'pagoda': pagoda[name][0]}
                 for name, (value, words) in stock.items() if name in pagoda]
    report.keep('redis.json', {'kernels': {vm: found[vm]['kernel'] for vm in bench.ORDER},
                               'method': METHOD, 'rows': rows})
    report.write_page()
    for line in [('redis', 'stock', 'Pagoda', 'ratio')] + [report.redis_cells(r) for r in rows]:
        print(f'{line[0]:<64}{line[1]:>12}{line[2]:>12}{line[3]:>9}'.rstrip())
    say('every saved file was loaded again with the same content')
    report.where()
    return 0


if __name__ == '__main__':
    main({'measure': measure}.get(sys.argv[-1], redis))
