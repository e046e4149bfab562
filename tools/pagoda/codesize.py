# SPDX-License-Identifier: GPL-2.0
"""How large the VM core is: the objects that Pagoda replaces, and those it is made of.

Text is what the tool size says of the objects that are linked; it counts read-only data
too. Lines are those of the C files they come from, and for Pagoda of its own headers,
without comments and blank ones.
"""
import glob
import os
import re
import subprocess

import contract
from common import BUILD, ARCH, MACHINE, TREE, die, read


def objects(vm):
    """The core's objects in a built kernel, relative to its tree."""
    tree = os.path.join(BUILD, f'{ARCH}-{vm}')
    wanted = contract.ours if vm == 'pagoda' else contract.REPLACED.__contains__
    return tree, sorted({path for path in contract.linked_objects(tree) if wanted(path)})


def text(tree, paths):
    said = subprocess.run([MACHINE.tool('size'), *paths], cwd=tree, capture_output=True, text=True)
    if said.returncode:
        die(f'{MACHINE.tool("size")}: {said.stderr.strip()}')
    return sum(int(line.split()[0]) for line in said.stdout.splitlines()[1:])


def lines(paths):
    sources = [os.path.join(TREE, re.sub(r'\.o$', '.c', path)) for path in paths]
    for folder in {os.path.dirname(path) for path in sources if '/pagoda/' in path}:
        sources += glob.glob(os.path.join(folder, '*.h'))
    total = 0
    for path in sources:
        code = re.sub(r'/\*.*?\*/|//[^\n]*', '', read(path, ''), flags=re.S)
        total += sum(1 for line in code.splitlines() if line.strip())
    return total


def figures(vm):
    """Rows for the report: {name: (value, unit, words)}."""
    tree, paths = objects(vm)
    return {'text': (text(tree, paths), 'bytes', 'text of the core\'s objects, bytes'),
            'lines': (lines(paths), 'lines', 'lines of C')}
