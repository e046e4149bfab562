# SPDX-License-Identifier: GPL-2.0
"""Which reports of KCSAN are about the core.

Linux has data races of its own (timers, the maple tree under RCU), and KCSAN
finds one now and then. A report counts if the core is in either of its stacks,
down to an interrupt, and is not of KNOWN.
"""
import functools
import glob
import os
import re
import subprocess

import contract
from common import OBJ, VM

# What Linux reads without a lock and looks at again. Each in either order:
KNOWN = re.compile(r'data-race in (?:' + '|'.join(rf'{one} / {other}|{other} / {one}'
                                                   for one, other in (
    # a node of the maple tree that a writer has just given to RCU: it is dead by then;
    (r'__call_rcu_common\S*', r'm(?:as|t|tree)_\w+\S*'),
    # which CPUs to interrupt, while one enters an address space: it reads the new
    # generation (arch/x86/mm/pagoda/switch.c).
    (r'smp_call_function_many_cond\S*', r'switch_mm_irqs_off\S*'))) + ')$')
FRAME = re.compile(r'\] +(?:\? )?([\w.]+)\+0x')
INTERRUPT = re.compile(r'\] +asm_(?:sysvec|common_interrupt)')


@functools.cache
def functions():
    """The names of the core's functions, of Pagoda's or of those it replaces."""
    if VM == 'pagoda':
        objects = glob.glob(f'{OBJ}/mm/pagoda/*.o') + glob.glob(f'{OBJ}/arch/*/mm/pagoda/*.o')
    else:
        objects = [os.path.join(OBJ, path) for path in contract.REPLACED]
    listed = subprocess.run(['nm', *filter(os.path.exists, objects)], capture_output=True,
                            text=True).stdout
    return frozenset(name.split('.')[0] for name in re.findall(r' [tT] (\S+)', listed))


def ours(lines):
    """Is a report, from its first line on, about the core?"""
    if KNOWN.search(lines[0].strip()):
        return False
    interrupted = False
    for line in lines[1:]:
        if '=====' in line:
            return False
        frame = FRAME.search(line)
        if not frame:
            interrupted = False     # the next stack
        elif INTERRUPT.search(line):
            interrupted = True
        elif not interrupted and frame.group(1).split('.')[0] in functions():
            return True
    return True     # cut off: nobody knows
