"""What the emulator is put together from: tools that `make build` installs into the checkout."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from groundtruth.errors import GroundTruthError

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}


class EmulatorError(GroundTruthError):
    """The emulator cannot be started, or it stopped by itself."""


def find_python() -> Path:
    """Where the Python that this process runs on is installed; raises `EmulatorError`."""
    prefix = Path(sys.base_prefix)
    if not (prefix / "bin" / "python3.13").exists():
        raise EmulatorError("The functions run on Python 3.13: start labeljob with that Python")
    return prefix


def find_runtime_packages(tools: Path) -> Path:
    """The packages that Lambda's own runtime holds; raises `EmulatorError`."""
    folder = tools / "runtime"
    if not (folder / "awslambdaric").is_dir():
        raise EmulatorError(f"Lambda's runtime packages are not in {folder}: run `make build`")
    return folder


def find_emulator(tools: Path) -> Path:
    """The emulator in the SAM CLI's package: the checkout's own, or else the one on PATH.

    Raises `EmulatorError`.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        raise EmulatorError("The Lambda emulator runs on Linux, on x86_64 or arm64")
    command = shutil.which("sam")
    homes = [tools / "sam", *([Path(command).resolve().parents[1]] if command else [])]
    inside = f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"
    for home in homes:
        for emulator in home.glob(inside):
            return emulator
    raise EmulatorError(
        "The SAM CLI, which brings the Lambda emulator, is missing: run `make build`"
    )


def merge_layers(layers: Sequence[Path]) -> Path:
    """One folder with the files of all layers; where two hold the same file, the later one wins.

    The files are hard links, so the folder costs little. It lies beside the build folder and is
    made again when a layer was built again.

    Parameters
    ----------
    layers : sequence of Path
        Layers of one build folder, in the order of the template.
    """
    build = layers[0].parent
    states = [(layer.name, layer.stat().st_ino, layer.stat().st_mtime_ns) for layer in layers]
    state = hashlib.sha256(repr(states).encode()).hexdigest()[:16]
    folder = build.parent / "merged-layers" / "-".join([*(layer.name for layer in layers), state])
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            scratch = Path(tempfile.mkdtemp(dir=folder.parent))
            for layer in layers:
                shutil.copytree(layer, scratch, copy_function=_link, dirs_exist_ok=True)
            scratch.rename(folder)
    return folder


def _link(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
