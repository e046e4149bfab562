# SPDX-License-Identifier: GPL-2.0
"""Start Linux on QEMU's ColdFire board as U-Boot would.

QEMU loads the kernel there and nothing else: neither its arguments nor an
initramfs reach it. So what is given to -kernel is a few words of our own, which
set the stack as U-Boot leaves it (arch/m68k/kernel/uboot.c) and jump to the
kernel. QEMU's loader device puts the rest into memory. What runs last in the
kernel leaves by semihosting, since the board cannot be switched off.
"""
import os
import struct

from common import NOTES, write

RAM = 0x40000000            # CONFIG_RAMBASE, where -kernel puts a raw file
KERNEL = RAM + 0x20000      # CONFIG_KERNELBASE
STACK = RAM + 0x100
TEXT = RAM + 0x140
INITRAMFS = RAM + 0x6000000
LONGEST = 255               # m68k's COMMAND_LINE_SIZE


def first_words(arguments, initramfs_size):
    """The file for -kernel: a few instructions, the stack, the arguments."""
    text = ' '.join(arguments.split()).encode()
    if len(text) > LONGEST:
        raise ValueError(f'more than {LONGEST} bytes of arguments: {arguments}')
    # move.l #0x10,%d0; movec %d0,%cacr: the supervisor has a stack pointer of its own
    # (MCF5208 Reference Manual, "Cache Control Register", EUSP), which Linux is about
    # to read; lea STACK,%sp; jmp KERNEL.
    code = struct.pack('>HIHHHIHI', 0x203c, 0x10, 0x4e7b, 0x0002, 0x4ff9, STACK, 0x4ef9, KERNEL)
    end = INITRAMFS + initramfs_size if initramfs_size else 0
    # Return address, board information, initramfs, arguments: from and to.
    stack = struct.pack('>6I', 0, 0, INITRAMFS if end else 0, end, TEXT, TEXT + len(text))
    return code.ljust(STACK - RAM, b'\0') + stack.ljust(TEXT - STACK, b'\0') + text + b'\0'


def prepare(image, arguments, initramfs=None):
    """What goes to -kernel, and QEMU's other arguments."""
    path = os.path.join(NOTES, 'start.bin')
    size = os.path.getsize(initramfs) if initramfs else 0
    write(path, first_words(arguments, size))
    more = ['-semihosting', '-device', f'loader,file={image}']
    if initramfs:
        more += ['-device', f'loader,file={initramfs},addr={INITRAMFS:#x},force-raw=on']
    return path, more
