#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make powercut: the power goes while shared mappings are written back, COUNT times.

The guest's program writes to files on an ext4 disk and says what msync
confirmed; QEMU is killed at a moment that SEED decides. QEMU kept a log of the
disk's writes and flushes, so that a second disk can be made: the one that loses,
in whole or in part, what it was not told to flush. On both e2fsck must find
nothing once the journal is replayed, and the files must hold what was confirmed.
The next boot goes on with the second one, mounted as it is: the kernel must see
there what e2fsck left of it.
"""
import array
import os
import random
import re
import shutil
import subprocess
import threading

import boot
import cutlog
import guest
import kernel
from common import (COUNT, CPUS, DEBUG, NOTES, SEED, TIMEOUT, VERBOSE, VM, clean_environment, die,
                    main, say, shown)

PLACE = os.path.join(NOTES, 'powercut')
DISK, LOG = os.path.join(PLACE, 'disk.img'), os.path.join(PLACE, 'disk.log')
BEFORE = os.path.join(PLACE, 'before.img')      # what a round began with
DISK_MB = 48
FILES, PAGES = 4, 256
PAGE, SECTOR = 4096, 512
LIMIT = TIMEOUT or (900 if DEBUG else 300)
LONGEST = 6.0 if not DEBUG else 30.0            # seconds of writing


def run(*command):
    """A command of e2fsprogs: (status, output)."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=clean_environment(), timeout=300)
    return done.returncode, done.stdout.decode(errors='replace').strip()


class State:
    """What the host knows of each page: what is on the disk for sure, what may be."""

    def __init__(self):
        self.sure = [[{0}] * PAGES for _ in range(FILES)]      # generations of its words
        self.maybe = [[None] * PAGES for _ in range(FILES)]    # one being written
        self.confirmed = 0

    def line(self, line):
        """A line of the guest; true if it was about a write."""
        found = re.match(r'([wc]) (\d+) (\d+) (\d+) (\d+)$', line)
        if not found:
            return False
        what, (file, page, count, generation) = found[1], map(int, found.groups()[1:])
        for at in range(page, page + count):
            if what == 'w':
                self.maybe[file][at] = generation
            else:
                self.sure[file][at], self.maybe[file][at] = {generation}, None
        self.confirmed += what == 'c'
        return True

    def pages(self, number, data):
        """Check one file's content: (generations of each page, what is wrong)."""
        words, found = array.array('Q', data), []
        if len(data) != PAGES * PAGE:
            return [], [f'f{number} has {len(data)} bytes, not {PAGES * PAGE}']
        each = PAGE // 8
        for page in range(PAGES):
            seen = set()
            for at, word in enumerate(words[page * each:(page + 1) * each], page * each):
                if word and word & 0xffffffffff != number << 36 | at:
                    return [], [f'f{number} page {page}: {word:#x} is no word of this place']
                seen.add(word >> 40)
            allowed = self.sure[number][page] | ({self.maybe[number][page]} - {None})
            if not seen <= allowed:
                return [], [f'f{number} page {page}: generation {sorted(seen - allowed)}, '
                            f'but {sorted(self.sure[number][page])} was confirmed'
                            + (f' and {self.maybe[number][page]} on its way'
                               if self.maybe[number][page] else '')]
            found.append(seen)
        return found, []


class CutRun(boot.Run):
    """A boot that ends with the power: at some moment after the guest is ready."""

    def __init__(self, delay, **options):
        super().__init__('powercut', self.note, **options)
        self.delay, self.state, self.cut = delay, None, False
        self.lines, self.shown, self.process = [], {}, None

    def _follow(self, process, deadline):
        self.process = process
        return super()._follow(process, deadline)

    def note(self, line):
        if VERBOSE:
            print(line, flush=True)
        words = line.split()
        if words[:1] == ['f']:
            self.shown[int(words[1])] = words[2:]
        elif line == 'ready':
            timer = threading.Timer(self.delay, self.pull)
            timer.daemon = True
            timer.start()
        elif not self.state.line(line):
            self.lines.append(line)

    def pull(self):
        self.cut = True
        self.process.kill()

    def wrong(self):
        """What went wrong other than the power."""
        errors = [line for line in self.lines if line.startswith('error:')]
        log = open(boot.CONSOLE, errors='replace').read()
        said = boot.splats(boot.CONSOLE) + re.findall(r'EXT4-fs (?:error|warning).*|I/O error.*',
                                                      log)
        if errors or said or not self.cut:
            return (errors or said or [self.trouble or 'the guest ended'])[0]
        return None


def devices():
    """The disk that is written to, and the log of what it was told."""
    return ['-blockdev', f'driver=blklogwrites,node-name=cut,file.driver=file,file.filename={DISK},'
                         f'log.driver=file,log.filename={LOG}',
            '-device', 'virtio-blk-pci,drive=cut,serial=cut']


def look(image, what, state):
    """Check a disk after the cut: (pages by file, what is wrong). It stays as it is."""
    copy = os.path.join(PLACE, 'look.img')
    shutil.copyfile(image, copy)
    status, said = run('e2fsck', '-fy', '-E', 'journal_only', copy)
    if status & ~1:
        return {}, f'{what}: e2fsck replaying the journal: {said}'
    status, said = run('e2fsck', '-fn', copy)
    if status:
        return {}, f'{what}: e2fsck after the journal was replayed: {said}'
    found = {}
    for number in range(FILES):
        out = os.path.join(PLACE, 'file')
        if os.path.exists(out):
            os.remove(out)
        status, said = run('debugfs', '-R', f'dump /f{number} {out}', copy)
        if not os.path.exists(out):
            return {}, f'{what}: f{number}: {said}'
        found[number], wrong = state.pages(number, open(out, 'rb').read())
        if wrong:
            return {}, f'{what}: {wrong[0]}'
    return found, None


def compare(shown_pages, before):
    """The guest's view after it mounted the disk, against e2fsck's of the same disk."""
    for number, pages in before.items():
        want = [f'{min(seen)}-{max(seen)}' for seen in pages]
        for page, (kernels, e2fscks) in enumerate(zip(shown_pages.get(number, []), want)):
            if kernels != e2fscks:
                return f'f{number} page {page}: the kernel reads {kernels}, e2fsck left {e2fscks}'
        if len(shown_pages.get(number, [])) != PAGES:
            return f'f{number}: the kernel did not show it'
    return None


def one_round(number, draw, before):
    """Write, cut, look: (what the disk holds for the next round, what is wrong)."""
    shutil.copyfile(DISK, BEFORE)
    open(LOG, 'w').close()
    delay, seed = draw.uniform(0.1, LONGEST), draw.randrange(10 ** 6)
    cut = CutRun(delay, append=f'pagoda.cut={number},{seed}', limit=LIMIT,
                 machine=boot.MACHINE + devices())
    cut.state = State()
    for file, pages in before.items():
        cut.state.sure[file] = list(pages)
    cut.go()
    wrong = cut.wrong() or compare(cut.shown, before)
    if wrong:
        return {}, wrong
    whole, wrong = look(DISK, 'the disk', cut.state)
    if wrong:
        return {}, wrong
    lost = cutlog.replay(BEFORE, LOG, DISK, draw)
    left, wrong = look(DISK, 'the disk without what was not flushed', cut.state)
    if not wrong:
        print(f'ok {number} - cut after {delay:.2f} s: {cut.state.confirmed} writes confirmed, '
              f'{lost[0]} requests, {lost[1]} not flushed, {lost[2]} of them lost or torn',
              flush=True)
    return left, wrong


def powercut():
    seed = SEED if SEED is not None else random.randrange(10 ** 9)
    kernel.build()
    guest.build()
    draw, rounds, before = random.Random(seed), COUNT or 10, {}
    say(f'{rounds} power cuts, from SEED={seed}')
    shutil.rmtree(PLACE, ignore_errors=True)
    os.makedirs(PLACE)
    status, said = run('mke2fs', '-q', '-F', '-t', 'ext4', '-E',
                       'lazy_itable_init=0,lazy_journal_init=0', DISK, f'{DISK_MB}M')
    if status:
        die('making the disk failed: ' + said)
    passed = 0
    for number in range(1, rounds + 1):
        before, wrong = one_round(number, draw, before)
        if wrong:
            print(f'not ok {number} - {wrong}', flush=True)
            say(f'the disk is in {shown(PLACE)}; again with '
                f'make powercut VM={VM} COUNT={number} SEED={seed} CPUS={CPUS}')
            break
        passed += 1
    print(f'{passed} passed, {int(passed < rounds)} failed, 0 skipped', flush=True)
    return 0 if passed == rounds else 1


if __name__ == '__main__':
    main(powercut)
