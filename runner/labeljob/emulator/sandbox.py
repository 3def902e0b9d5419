"""Lambda's file system on this machine: how a process comes to see it.

Lambda shows a function its code at ``/var/task``, its layers at ``/opt``, the runtime's packages
at ``/var/runtime`` and Python at ``/var/lang``, none of which can be written; ``/tmp`` can.
bubblewrap gives a process that view, or else ``unshare`` with bind mounts; neither needs root
where the kernel lets users make namespaces. Where it does not, the process sees this machine's
own paths.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_UNSHARED = """
set -e
cd /
root=$1
shift
mount --make-rprivate /
mount --rbind / "$root"
mount -t tmpfs tmpfs "$root/var"
while [ "$1" != -- ]; do
    mkdir -p "$root$3"
    mount --bind "$2" "$root$3"
    [ "$1" = rw ] || mount -o remount,bind,ro "$root$3"
    shift 3
done
shift
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" /bin/sh -c 'cd /var/task && exec "$@"' sh "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Folders:
    """What a function sees, as folders of this machine or as paths in its own view.

    Attributes
    ----------
    task, layers, runtime, python : Path
        Its code, its layers, the runtime's packages and Python.
    emulator : Path
        Folder of the runtime interface emulator.
    objects : Path
        What it may read and write instead of S3. Lambda has no such folder.
    """

    task: Path
    layers: Path
    runtime: Path
    python: Path
    emulator: Path
    objects: Path


IN_LAMBDA = Folders(
    task=Path("/var/task"),
    layers=Path("/opt"),
    runtime=Path("/var/runtime"),
    python=Path("/var/lang"),
    emulator=Path("/var/emulator"),
    objects=Path("/var/objects"),
)


def isolate(folders: Folders, root: Path) -> tuple[tuple[str, ...], Folders]:
    """Find the most faithful view of the folders that this machine allows.

    Parameters
    ----------
    folders : Folders
        Where they are on this machine.
    root : Path
        An empty folder that outlives the process.

    Returns
    -------
    prefix : tuple of str
        What to put before a command so that it runs in the view; empty if there is none.
    seen : Folders
        The folders' paths in the view.
    """
    for wrap in (_bubblewrap, _unshare):
        if _works(wrap):
            return wrap(folders, root), IN_LAMBDA
    return (), folders


def _bubblewrap(folders: Folders, root: Path) -> tuple[str, ...]:
    view = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    view += ["--tmpfs", "/tmp", "--tmpfs", "/var"]
    for mode, folder, seen in _mounts(folders):
        view += ["--bind" if mode == "rw" else "--ro-bind", folder, seen]
    rest = ["--unshare-pid", "--die-with-parent", "--chdir", str(IN_LAMBDA.task)]
    return (_program("bwrap"), *view, *rest)


def _unshare(folders: Folders, root: Path) -> tuple[str, ...]:
    mapped = () if os.geteuid() == 0 else ("--map-root-user",)
    mounts = [part for mount in _mounts(folders) for part in mount]
    script = ("sh", "-c", _UNSHARED, "sh", str(root), *mounts, "--")
    return (_program("unshare"), "--mount", *mapped, *script)


def _mounts(folders: Folders) -> Iterator[tuple[str, str, str]]:
    """Each folder's mode, its path on this machine, and its path in the view."""
    for name, seen in vars(IN_LAMBDA).items():
        yield "rw" if name == "objects" else "ro", str(getattr(folders, name)), str(seen)


def _program(name: str) -> str:
    """A program's full path: the process that starts it is given a PATH of its own."""
    return shutil.which(name) or name


@cache
def _works(wrap: Callable[[Folders, Path], tuple[str, ...]]) -> bool:
    """Whether a view can be had here: Python is started once in it."""
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        folders = Folders(
            task=empty,
            layers=empty,
            runtime=empty,
            python=Path(sys.base_prefix),
            emulator=empty,
            objects=empty,
        )
        command = (*wrap(folders, empty), f"{IN_LAMBDA.python}/bin/python3.13", "-c", "import ssl")
        if not Path(command[0]).is_file():
            return False
        tried = subprocess.run(
            command,
            env={"LD_LIBRARY_PATH": "/var/lang/lib", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return tried.returncode == 0
