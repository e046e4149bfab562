#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make stress: Debian's stress-ng and trinity on the guest, for SECONDS.

First oom_test, then stress_run, of the selftests: it runs each part of the
plan made here, and compares the machine's counters after each. What is in the
plan, and in which order, SEED decides; a short run draws some of the
stressors, a long one has them all.
"""
import os
import random
import shutil

import boot
import check
import guest
import kernel
import tap
from common import CPUS, DEBUG, NOTES, SECONDS, SEED, TIMEOUT, VM, die, main, say, shown, write

INITRAMFS = os.path.join(NOTES, 'stress.cpio')
PARTS = os.path.join(NOTES, 'stress.parts')
TOOLS = ('stress-ng', 'trinity')
SCRIPT = 'trinity-vm'

# Per instance; the guest has 2 GiB, and an emulated processor is no fast one.
STRESSORS = '''
vm --vm-bytes 16m
vm --vm-bytes 8m --vm-populate --vm-madvise random --vm-keep
vm-addr
vm-rw --vm-rw-bytes 4m
vm-segv
vm-splice
mmap --mmap-bytes 2m --mmap-mprotect
mmapaddr
mmapfixed
mmapfork
mmapmany
munmap
mprotect
mremap --mremap-bytes 4m
mremap --mremap-bytes 2m --mremap-mlock
mlock
mincore --mincore-random
madvise
brk --brk-notouch
malloc --malloc-bytes 1m --malloc-touch --malloc-pthreads 2
stackmmap
stack --stack-fill
bad-altstack
pagemove --pagemove-bytes 4m
remap
rmap
physpage
pkey
shm --shm-bytes 4m
shm-sysv --shm-sysv-bytes 2m
dev-shm
memfd --memfd-bytes 16m
secretmem
fault
tlb-shootdown
fork --fork-vm
forkheavy --forkheavy-procs 64
vfork
vforkmany --vforkmany-vm
clone
daemon
zombie
session
env
sigsegv
sysbadaddr
seal
membarrier
procfs
resources
idle-page
prefetch
memrate --memrate-bytes 4m
'''.strip().splitlines()
ON_DISK = '''
mmap --mmap-bytes 2m --mmap-file
msync --msync-bytes 2m
msyncmany
readahead --readahead-bytes 4m
'''.strip().splitlines()
UNPRIVILEGED = '''
exec --exec-max 16
tmpfs --tmpfs-mmap-file
fork --fork-vm --fork-max 8
mmapaddr
'''.strip().splitlines()
# Here the OOM killer is expected; who it kills is started again.
GREEDY = '''
bigheap --bigheap-growth 1m
brk
'''.strip().splitlines()

# What part of the time goes where, and the least a part is worth running for.
SHARE = {'single': 0.5, 'mixed': 0.25, 'trinity': 0.25}
LEAST = {'single': 4, 'mixed': 15, 'trinity': 20}
MIXED = 4       # stressors at once


def places():
    """Each stressor with where it works: (where, what the OOM killer may do, options)."""
    return ([('root:tmp', 'spared', line) for line in STRESSORS]
            + [('root:disk', 'spared', line) for line in ON_DISK]
            + [('nobody:tmp', 'spared', line) for line in UNPRIVILEGED]
            + [('root:tmp', 'killed', line) for line in GREEDY])


def stress_ng(stressors, instances, oom, seed):
    """The command for some stressors at once."""
    words = ['stress-ng']
    for line in stressors:
        name, *options = line.split()
        words += [f'--{name}', str(instances), *options]
    # Without --oomable what the OOM killer took is started again. Where it is
    # not to come, stressors leave some memory free, and a kill fails the part.
    policy = [] if oom == 'killed' else ['--oomable', '--oom-avoid-bytes', '20%']
    return ' '.join(words + ['--timeout', '@', '--verify', '--metrics-brief', '--seed', str(seed),
                             '--temp-path', '.', *policy])


def plan(seed):
    """Lines for stress_run: NAME WEIGHT WHERE OOM COMMAND."""
    draw = random.Random(seed)
    many = {kind: max(1, int(SECONDS * share / LEAST[kind])) for kind, share in SHARE.items()}
    singles = places()
    draw.shuffle(singles)
    singles = singles[:many['single']]
    many['single'] = len(singles)
    many['mixed'], many['trinity'] = min(many['mixed'], 24), min(many['trinity'], 12)
    weight = {kind: max(1, round(SHARE[kind] * 10000 / many[kind])) for kind in SHARE}

    parts = []
    for where, oom, line in singles:
        name = line.split()[0] + ('-file' if where.endswith('disk') else '')
        parts.append((f'stress-ng:{name}', 'single', where, oom,
                      stress_ng([line], CPUS, oom, seed)))
    for number in range(many['mixed']):
        lines = draw.sample(STRESSORS + ON_DISK, MIXED)
        while len({line.split()[0] for line in lines}) < MIXED:
            lines = draw.sample(STRESSORS + ON_DISK, MIXED)
        parts.append((f'stress-ng:mix-{number + 1}', 'mixed', 'root:disk', 'spared',
                      stress_ng(lines, max(1, CPUS // 2), 'spared', seed + number)))
    for number in range(many['trinity']):
        parts.append((f'trinity:{seed + number}', 'trinity', 'nobody:tmp', 'spared',
                      f'{SCRIPT} @ {seed + number} {CPUS}'))
    draw.shuffle(parts)
    return [f'{name} {weight[kind]} {where} {oom} {command}'
            for name, kind, where, oom, command in parts]


def initramfs(parts):
    """The guest's own, and after it an archive with the tools and the plan."""
    paths = {name: shutil.which(name) for name in TOOLS}
    for name, path in paths.items():
        if not path:
            die(f'{name}: not found; run: apt-get install -y {name}')
    write(PARTS, '\n'.join(parts) + '\n')
    users = os.path.join(NOTES, 'stress.passwd')
    write(users, 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n')
    lines = guest.from_host(guest.needed_by(paths.values()))
    lines += [f'file /bin/{name} {os.path.realpath(path)} 755 0 0' for name, path in paths.items()]
    lines += [f'file /bin/{SCRIPT} {guest.SOURCE}/{SCRIPT} 755 0 0',
              f'file /etc/passwd {users} 644 0 0', f'file /tests/stress.parts {PARTS} 644 0 0']
    return guest.extended(lines, INITRAMFS)


class Parts(check.Suites):
    """Shows each result as it comes, and after it what the kernel had to say."""

    said = 0

    def line(self, line):
        super().line(line)
        if self.name and tap.RESULT.match(line):
            print('  ' + line, flush=True)
            wrong = boot.splats(boot.CONSOLE)
            for complaint in wrong[self.said:self.said + 8]:
                print('    kernel: ' + complaint, flush=True)
            self.said = len(wrong)


def stress():
    seed = SEED if SEED is not None else random.randrange(10 ** 9)
    kernel.build()
    parts = plan(seed)
    say(f'{len(parts)} parts on {CPUS} processors for {SECONDS} s, from SEED={seed}')
    limit = TIMEOUT or SECONDS + (5400 if DEBUG else 1200)
    suites = Parts()
    run = boot.Run('stress', suites.line, append=f'pagoda.seconds={SECONDS}', limit=limit,
                   initramfs=initramfs(parts)).go()
    if suites.name:
        suites.end(-1)
    write(os.path.join(NOTES, 'stress.ktap'), '\n'.join(suites.ktap) + '\n')
    count = suites.count
    for name in ('oom_test', 'stress_run'):
        if name not in suites.done:
            count += check.one(False, f'{name}: was not run')
    count += check.one(not run.trouble, 'guest: it ended well and the kernel\'s log is clean'
                       + (f': {run.trouble}' if run.trouble else ''))
    say(f'KTAP is in {shown(NOTES)}/stress.ktap')
    if count.failed:
        say(f'again with make stress VM={VM} SECONDS={SECONDS} SEED={seed}')
    print(count, flush=True)
    return 0 if count.passed and not count.failed else 1


if __name__ == '__main__':
    main(stress)
