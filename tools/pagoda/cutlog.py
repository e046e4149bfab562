# SPDX-License-Identifier: GPL-2.0
"""QEMU's log of a disk's writes (blklogwrites), and a disk that loses some.

The log is in the format of Linux's dm-log-writes: a sector that describes the
log, then for each request a sector that describes it and its data.
"""
import shutil
import struct

SECTOR = 512
MAGIC = 0x6a736677736872
HEAD, ENTRY = struct.Struct('<QQQI'), struct.Struct('<QQQQ')
FLUSH, DISCARD = 1, 4
MOST = 1 << 16      # sectors in a request


def entry_at(log, at, sectors):
    """The request described at a place of the log, None if that is no description."""
    if at + SECTOR > len(log):
        return None
    first, count, flags, mark = ENTRY.unpack_from(log, at)
    if not (flags or count) or flags > 7 or count > MOST or first + count > sectors:
        return None
    if mark or any(log[at + ENTRY.size:at + SECTOR]):
        return None
    size = 0 if flags & DISCARD else count * SECTOR
    return first, count, flags, log[at + SECTOR:at + SECTOR + size]


def requests(path, sectors):
    """All requests: (first sector, sectors, flags, data).

    Requests are logged side by side. One that was cut short leaves a gap, which
    is stepped over.
    """
    with open(path, 'rb') as file:
        log = file.read()
    if len(log) < SECTOR or HEAD.unpack_from(log)[0] != MAGIC:
        return []
    found, at = [], SECTOR
    while at < len(log):
        entry = entry_at(log, at, sectors)
        if entry:
            at += len(entry[3])
            if not entry[2] & DISCARD and len(entry[3]) != entry[1] * SECTOR:
                entry = None
        if entry:
            found.append(entry)
        at += SECTOR
    return found


def put(image, entry, kept):
    """Write the sectors of a request that kept() says yes to; how many it kept."""
    first, count, flags, data = entry
    done = 0
    for number in range(count if not flags & DISCARD else 0):
        if kept():
            image.seek((first + number) * SECTOR)
            image.write(data[number * SECTOR:(number + 1) * SECTOR])
            done += 1
    return done


def replay(before, log, disk, draw):
    """Make the disk anew from what was before and the log.

    All that came before the last flush is there. A request after it is, by
    chance, whole, absent, or there in some of its sectors.

    Return: requests, those after the last flush, those of them not whole.
    """
    shutil.copyfile(before, disk)
    with open(disk, 'r+b') as image:
        sectors = image.seek(0, 2) // SECTOR
        found = requests(log, sectors)
        last = max((at for at, entry in enumerate(found) if entry[2] & FLUSH), default=-1)
        lost = 0
        for entry in found[:last + 1]:
            put(image, entry, lambda: True)
        for entry in found[last + 1:]:
            share = draw.choice((0, 0.5, 1))
            lost += put(image, entry, lambda: draw.random() < share) < entry[1]
    return len(found), len(found) - last - 1, lost
