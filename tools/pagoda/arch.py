# SPDX-License-Identifier: GPL-2.0
"""The architectures: what to build with, and what machine to boot.

One entry a value of ARCH=. CONFIG= chooses among the configurations of one: a kernel
of its own, by a fragment arch/SOURCE/configs/pagoda-ARCH-CONFIG.config over
pagoda-ARCH.config; or the same kernel on another processor, or told otherwise.
"""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Config:
    kernel: bool = True     # one of its own
    machine: tuple = ()     # QEMU's arguments, in place of the architecture's
    arguments: str = ''     # more of the kernel's
    memory: int = 0         # MiB, in place of the architecture's


@dataclass(frozen=True)
class Arch:
    linux: str              # ARCH= of Linux's make
    source: str             # the directory in arch/
    image: str              # what QEMU boots, in the object tree
    qemu: str               # qemu-system-...
    machine: tuple          # its arguments
    console: str            # the kernel's log
    line: str               # where programs talk
    packages: tuple         # (Debian package, program that says it is there)
    replaced: tuple         # objects of arch/SOURCE/mm/ that Pagoda replaces
    cross: str = ''         # prefix of the compiler, and with /usr/ its libc
    configs: dict = field(default_factory=dict)     # what CONFIG= takes
    kunit: tuple = ()       # more arguments where kunit.py runs QEMU
    mmu: bool = True
    arguments: str = ''     # more of the kernel's
    memory: int = 2048      # MiB
    cpus: int = 8           # at most
    loader: str = ''        # what stands in for QEMU's, where that loads only a kernel
    flags: tuple = ()       # of the compiler, for programs without a libc

    def tool(self, name):
        return f'{self.cross}-{name}' if self.cross else name

    def gcc(self):
        return self.tool('gcc')


X86 = dict(source='x86', image='arch/x86/boot/bzImage', console='ttyS0', line='ttyS1',
           replaced=('tlb', 'pgtable', 'fault', 'mmap', 'pgprot', 'pgtable_32'),
           kunit=('-bios', 'qboot.rom'), arguments='no_timer_check')
# One serial line is all that the machine "virt" has: programs have a virtio console.
VIRT = dict(line='hvc0')

ARCHES = {
    'x86_64': Arch(
        linux='x86_64', qemu='x86_64', machine=('-cpu', 'max'),
        configs={'4-level': Config(kernel=False, arguments='no5lvl')},
        packages=(('qemu-system-x86', 'qemu-system-x86_64'),), **X86),
    'i386': Arch(
        linux='i386', qemu='i386', machine=('-cpu', 'max,vendor=GenuineIntel'),
        cross='i686-linux-gnu',
        configs={'pae': Config(), '3g-opt': Config(), '2g': Config(), '2g-opt': Config(),
                 '1g': Config()},
        packages=(('qemu-system-x86', 'qemu-system-i386'),
                  ('gcc-i686-linux-gnu', 'i686-linux-gnu-gcc')), **X86),
    'arm64': Arch(
        linux='arm64', source='arm64', image='arch/arm64/boot/Image', qemu='aarch64',
        machine=('-M', 'virt,mte=on', '-cpu', 'max'), console='ttyAMA0', cross='aarch64-linux-gnu',
        # The first machine has all that Arm has thought of since, the other nothing.
        configs={'39': Config(), '16k': Config(), '64k': Config(memory=8192),
                 'a57': Config(kernel=False, machine=('-M', 'virt', '-cpu', 'cortex-a57'))},
        replaced=('fault', 'pgd', 'context'),
        packages=(('qemu-system-arm', 'qemu-system-aarch64'),
                  ('gcc-aarch64-linux-gnu', 'aarch64-linux-gnu-gcc')), **VIRT),
    'riscv64': Arch(
        linux='riscv', source='riscv', image='arch/riscv/boot/Image', qemu='riscv64',
        machine=('-M', 'virt', '-cpu', 'rv64'), console='ttyS0', cross='riscv64-linux-gnu',
        configs={'sv48': Config(kernel=False, arguments='no5lvl'),
                 'sv39': Config(kernel=False, arguments='no4lvl')},
        replaced=('fault', 'pgtable', 'context', 'tlbflush'),
        packages=(('qemu-system-misc', 'qemu-system-riscv64'),
                  ('gcc-riscv64-linux-gnu', 'riscv64-linux-gnu-gcc')), **VIRT),
    'm68k-nommu': Arch(
        linux='m68k', source='m68k', image='vmlinux', qemu='m68k',
        machine=('-M', 'mcf5208evb'), console='ttyS0,115200', line='ttyS1',
        cross='m68k-linux-gnu', replaced=(), mmu=False, memory=128, cpus=1, loader='coldfire',
        flags=('-mcpu=5208',),
        packages=(('qemu-system-misc', 'qemu-system-m68k'),
                  ('gcc-m68k-linux-gnu', 'm68k-linux-gnu-gcc'))),
    'riscv64-nommu': Arch(
        linux='riscv', source='riscv', image='arch/riscv/boot/Image', qemu='riscv64',
        machine=('-M', 'virt', '-bios', 'none', '-cpu', 'rv64,mmu=off'), console='ttyS0',
        cross='riscv64-linux-gnu', replaced=(), mmu=False, memory=256, flags=('-mno-relax',),
        packages=(('qemu-system-misc', 'qemu-system-riscv64'),
                  ('gcc-riscv64-linux-gnu', 'riscv64-linux-gnu-gcc')), **VIRT),
}
