# SPDX-License-Identifier: GPL-2.0
"""Linux with Pagoda laid over it, in build/tree.

Linux comes from Debian's linux-source-6.12, unpacked once for each version of
the package into build/linux-VERSION and left as it is, or from LINUX_SRC. The
tree shares its files with what is unpacked in build/ through hard links, which
cost no space, so every file written here is replaced whole; a directory given
as LINUX_SRC is copied. Only files that differ are written: what
did not change keeps its time stamp, and Linux's make leaves it alone.
"""
import glob
import os
import re
import shutil
import subprocess

from common import (BUILD, LINUX_SRC, TOP, TREE, Progress, die, digest, need_space, read,
                    say, shown, write)

PACKAGE = 'linux-source-6.12'
HOOKS = os.path.join(TOP, 'tools/pagoda/hooks')
NOTES = os.path.join(TREE, '.pagoda')
SKIPPED = ('build', 'tools/pagoda')     # what is not part of the kernel tree


def check_version(tree, name):
    makefile = read(os.path.join(tree, 'Makefile'), '')
    number = [re.search(rf'^{part} = (\d+)$', makefile, re.M)
              for part in ('VERSION', 'PATCHLEVEL', 'SUBLEVEL')]
    found = '.'.join(m.group(1) for m in number if m)
    if not found or not os.path.isfile(os.path.join(tree, 'mm/memory.c')):
        die(f'{name}: not a Linux source tree; 6.12 is wanted')
    if not found.startswith('6.12.'):
        die(f'{name}: this is Linux {found}; 6.12 is wanted')
    if os.path.isdir(os.path.join(tree, 'mm/pagoda')):
        die(f'{name}: Pagoda is laid over this tree already; give the plain one')
    if os.path.exists(os.path.join(tree, '.config')):
        die(f'{name}: configured in place; run make mrproper there first')


def unpack(archive, target):
    """Unpack a tar archive of Linux so that target is its top directory."""
    if os.path.isdir(target):
        return
    need_space(3, 'unpacking Linux')
    partial = target + '.partial'
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    progress = Progress(f'unpacking {shown(archive)}')
    tar = subprocess.Popen(['tar', '-xf', archive, '-C', partial, '--strip-components=1',
                            '--no-same-owner', '--checkpoint=5000',
                            '--checkpoint-action=echo=%u'],
                           stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    words = []
    for line in tar.stderr:
        if line.strip().removeprefix('tar: ').isdigit():
            progress.update(f'{int(line.split()[-1]) // 100} MB')
        else:
            words.append(line.strip())
    if tar.wait():
        progress.broken()
        shutil.rmtree(partial, ignore_errors=True)
        if any('No space left' in word for word in words):
            die('disk full while unpacking Linux')
        die(f'{archive}: does not unpack: {words[0] if words else "tar failed"}')
    try:
        check_version(partial, archive)
    except SystemExit:
        shutil.rmtree(partial)
        raise
    os.rename(partial, target)
    progress.done()


def package_version():
    """The installed version of Debian's package; the newest one when root can."""
    def installed():
        return subprocess.run(['dpkg-query', '-W', '-f', '${Version}', PACKAGE],
                              capture_output=True, text=True).stdout
    version = installed()
    if not os.path.isdir(TREE) and os.getuid() == 0:
        policy = subprocess.run(['apt-cache', 'policy', PACKAGE], capture_output=True,
                                text=True, env=dict(os.environ, LC_ALL='C')).stdout
        newest = re.search(r'Candidate: (\S+)', policy)
        if newest and newest.group(1) != version:
            say(f'installing {PACKAGE} {newest.group(1)}')
            subprocess.run(['apt-get', 'install', '-y', '--no-install-recommends', PACKAGE],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL,
                           env=dict(os.environ, DEBIAN_FRONTEND='noninteractive'))
            version = installed()
    return version


def pristine():
    """A directory with plain Linux 6.12, and a name for exactly that tree."""
    if not LINUX_SRC:
        version = package_version()
        archives = glob.glob(f'/usr/src/{PACKAGE}.tar.*')
        if not version or not archives:
            die(f'{PACKAGE} is not installed; run: apt-get install -y {PACKAGE}')
        target = os.path.join(BUILD, 'linux-' + version)
        unpack(archives[0], target)
        return target, version
    path = os.path.abspath(os.path.join(TOP, os.path.expanduser(LINUX_SRC)))
    if os.path.isfile(path):
        stat = os.stat(path)
        name = digest(f'{path} {stat.st_size} {stat.st_mtime_ns}')[:12]
        target = os.path.join(BUILD, 'linux-' + name)
        unpack(path, target)
        return target, name
    if not os.path.isdir(path):
        die(f'LINUX_SRC={LINUX_SRC}: no such directory or archive')
    check_version(path, 'LINUX_SRC=' + LINUX_SRC)
    return path, path


def make_tree(linux, origin):
    """Make build/tree the files of linux, unless it is that already."""
    if read(os.path.join(NOTES, 'origin'), '') == origin:
        return
    progress = Progress('making build/tree')
    shutil.rmtree(TREE, ignore_errors=True)
    share = linux.startswith(BUILD + '/')
    if not share:
        need_space(3, 'a copy of Linux')
    copied = subprocess.run(['cp', '-al' if share else '-a', linux, TREE],
                            capture_output=True, text=True)
    if copied.returncode:
        progress.broken()
        shutil.rmtree(TREE, ignore_errors=True)
        if 'No space left' in copied.stderr:
            die('disk full while copying Linux')
        die(f'cannot copy {linux} to {shown(TREE)}: {copied.stderr.splitlines()[0]}')
    shutil.rmtree(os.path.join(TREE, '.git'), ignore_errors=True)
    write(os.path.join(NOTES, 'origin'), origin)
    progress.done()


def our_files():
    """Paths of Pagoda's own part of the kernel tree, relative to the top."""
    found = []
    for here, dirs, files in os.walk(TOP):
        rel = os.path.relpath(here, TOP)
        dirs[:] = sorted(d for d in dirs if not (rel == '.' and d.startswith('.'))
                         and d != '__pycache__'
                         and os.path.normpath(os.path.join(rel, d)) not in SKIPPED)
        if rel != '.':
            found += [os.path.join(rel, f) for f in sorted(files) if not f.endswith('~')]
    return found


def hooked_files():
    found = []
    for here, _, files in os.walk(HOOKS):
        found += [os.path.relpath(os.path.join(here, f), HOOKS) for f in files if f != 'README']
    return sorted(found)


def lay_over(linux):
    """Bring build/tree up to date; return {path: content} of what is Pagoda's."""
    laid = {path: open(os.path.join(TOP, path), 'rb').read() for path in our_files()}
    for path in hooked_files():
        laid[path] = (open(os.path.join(linux, path), 'rb').read()
                      + open(os.path.join(HOOKS, path), 'rb').read())
    for path, content in laid.items():
        there = os.path.join(TREE, path)
        try:
            same = open(there, 'rb').read() == content
        except OSError:
            same = False
        if not same:
            write(there, content)
        if os.access(os.path.join(TOP, path), os.X_OK):
            os.chmod(there, 0o755)
    listing = os.path.join(NOTES, 'files')
    for path in set(read(listing, '').split('\n')) - set(laid) - {''}:
        there, plain = os.path.join(TREE, path), os.path.join(linux, path)
        if os.path.exists(there):
            os.remove(there)
        if os.path.exists(plain):
            shutil.copyfile(plain, there)
    write(listing, '\n'.join(sorted(laid)) + '\n')
    return laid


def prepare():
    """Linux with today's Pagoda in build/tree: (name of the Linux, {path: content})."""
    linux, origin = pristine()
    make_tree(linux, origin)
    return origin, lay_over(linux)
