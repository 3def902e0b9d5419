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
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

EMULATOR_MOUNT = "/var/emulator"

_UNSHARED = """
set -e
cd /
root=$1 task=$2 layers=$3 runtime=$4 python=$5 emulator=$6
shift 6
mount --make-rprivate /
mount --rbind / "$root"
mount -t tmpfs tmpfs "$root/var"
mkdir "$root/var/task" "$root/var/runtime" "$root/var/lang" "$root/var/emulator"
show() { mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"; }
show "$task" /var/task
show "$runtime" /var/runtime
show "$python" /var/lang
show "$emulator" /var/emulator
show "$layers" /opt
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" /bin/sh -c 'cd /var/task && exec "$@"' sh "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The folders on this machine that Lambda's paths stand for.

    Attributes
    ----------
    task, layers, runtime, python : Path
        What is seen at ``/var/task``, ``/opt``, ``/var/runtime`` and ``/var/lang``.
    emulator : Path
        Folder of the runtime interface emulator.
    scratch : Path
        An empty folder that outlives the process.
    """

    task: Path
    layers: Path
    runtime: Path
    python: Path
    emulator: Path
    scratch: Path


@dataclass(frozen=True, kw_only=True)
class View:
    """How a process sees the folders.

    Attributes
    ----------
    prefix : tuple of str
        What to put before a command so that it runs in this view.
    task, layers, runtime, python, emulator : str
        The folders' paths in the view.
    """

    prefix: tuple[str, ...]
    task: str
    layers: str
    runtime: str
    python: str
    emulator: str


def view_of(folders: Folders) -> View:
    """The most faithful view of the folders that this machine allows."""
    for wrap in (_bubblewrap, _unshare):
        if _works(wrap):
            return View(
                prefix=wrap(folders),
                task="/var/task",
                layers="/opt",
                runtime="/var/runtime",
                python="/var/lang",
                emulator=EMULATOR_MOUNT,
            )
    return View(
        prefix=(),
        task=str(folders.task),
        layers=str(folders.layers),
        runtime=str(folders.runtime),
        python=str(folders.python),
        emulator=str(folders.emulator),
    )


def _bubblewrap(folders: Folders) -> tuple[str, ...]:
    mounts = {
        "/var/task": folders.task,
        "/var/runtime": folders.runtime,
        "/var/lang": folders.python,
        EMULATOR_MOUNT: folders.emulator,
        "/opt": folders.layers,
    }
    binds = [part for path, folder in mounts.items() for part in ("--ro-bind", str(folder), path)]
    view = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    rest = ["--unshare-pid", "--die-with-parent", "--chdir", "/var/task"]
    return (_program("bwrap"), *view, "--tmpfs", "/var", *binds, *rest)


def _unshare(folders: Folders) -> tuple[str, ...]:
    mapped = () if os.geteuid() == 0 else ("--map-root-user",)
    mounted = (
        folders.scratch,
        folders.task,
        folders.layers,
        folders.runtime,
        folders.python,
        folders.emulator,
    )
    script = ("sh", "-c", _UNSHARED, "sh")
    return (_program("unshare"), "--mount", *mapped, *script, *(str(folder) for folder in mounted))


def _program(name: str) -> str:
    """A program's full path: the process that starts it is given a PATH of its own."""
    return shutil.which(name) or name


@cache
def _works(wrap: Callable[[Folders], tuple[str, ...]]) -> bool:
    """Whether a view can be had here: Python is started once in it."""
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        folders = Folders(
            task=empty,
            layers=empty,
            runtime=empty,
            python=Path(sys.base_prefix),
            emulator=empty,
            scratch=empty,
        )
        command = (*wrap(folders), "/var/lang/bin/python3.13", "-c", "import ssl")
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
