#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the contract of a built kernel: what the rest of Linux uses of its VM core.

usage: contract.py [OBJECT_TREE]      (default: the tree of ARCH= VM= DEBUG=)

Objects of the core, the number of their symbols that other objects use, and
the symbols. With Pagoda the core is what lies in mm/pagoda and arch/*/mm/pagoda;
then the status is 1 if one of the objects it replaces was built or linked.
"""
import collections
import os
import subprocess
import sys

from common import MACHINE, OBJ, die, main, shown

REPLACED = ['mm/' + name + '.o' for name in (
    'memory mmap vma mprotect mremap mlock mincore msync madvise gup rmap pagewalk '
    'page_vma_mapped pgtable-generic mmu_gather interval_tree process_vm_access '
    'nommu').split()]
REPLACED += [f'arch/{MACHINE.source}/mm/{name}.o' for name in MACHINE.replaced]


def ours(path):
    """An object of Pagoda's core, tests apart."""
    return '/pagoda/' in '/' + path and not testing(path)


def testing(path):
    return '/tests/' in path or path.startswith('lib/pagoda/')


def linked_objects(tree):
    """Objects in vmlinux and in modules, relative to the object tree."""
    found = []
    for archive in ('vmlinux.a', 'lib/lib.a', f'arch/{MACHINE.source}/lib/lib.a'):
        if not os.path.exists(os.path.join(tree, archive)):
            if archive == 'vmlinux.a':
                die(f'{shown(tree)}: no kernel built there')
            continue
        listed = subprocess.run(['ar', 't', archive], cwd=tree, capture_output=True, text=True)
        here = os.path.dirname(archive)
        for name in listed.stdout.split():
            inside = os.path.join(here, name)
            found.append(name if os.path.exists(os.path.join(tree, name)) else inside)
    order = os.path.join(tree, 'modules.order')
    if os.path.exists(order):
        found += [line.strip() for line in open(order)]
    return [path for path in found if os.path.exists(os.path.join(tree, path))]


def symbols(tree, objects):
    """{object: names it defines}, {object: names it uses} by what nm says."""
    defined, used = collections.defaultdict(set), collections.defaultdict(set)
    listing = subprocess.run([MACHINE.tool('nm'), '-A', *objects], cwd=tree,
                             capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        path, rest = line.split(':', 1)
        *_, kind, name = rest.split()
        if kind in 'Uw':
            used[path].add(name)
        elif kind.isupper() and not name.startswith('__pfx_'):
            defined[path].add(name)
    return defined, used


def contract(tree, out=print):
    """Print the contract; return (number of symbols, what should not be there)."""
    objects = linked_objects(tree)
    pagoda = any(ours(path) for path in objects)
    core = [path for path in objects if (ours(path) if pagoda else path in REPLACED)]
    defined, used = symbols(tree, objects)
    outside = set().union(*(names for path, names in used.items()
                            if path not in core and not testing(path)))
    total = 0
    for path in core:
        names = sorted(defined[path] & outside)
        total += len(names)
        out(f'{path} {len(names)} {" ".join(names)}')
    out(f'total {total}')
    wrong = [path for path in REPLACED
             if pagoda and (path in objects or os.path.exists(os.path.join(tree, path)))]
    return total, wrong


def run():
    tree = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else OBJ
    _, wrong = contract(tree)
    if wrong:
        die('replaced objects of Linux were built: ' + ' '.join(wrong))
    return 0


if __name__ == '__main__':
    main(run)
