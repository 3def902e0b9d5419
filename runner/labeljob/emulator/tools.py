"""What the emulator is put together from: tools that `make build` installs into the checkout."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from groundtruth.errors import GroundTruthError

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}


class EmulatorError(GroundTruthError):
    """The emulator cannot be started, or it stopped by itself."""


def python_prefix() -> Path:
    """Where the Python that this process runs on is installed; raises `EmulatorError`."""
    prefix = Path(sys.base_prefix)
    if not (prefix / "bin" / "python3.13").exists():
        raise EmulatorError("The functions run on Python 3.13: start labeljob with that Python")
    return prefix


def runtime_packages(tools: Path) -> Path:
    """The packages that Lambda's own runtime holds; raises `EmulatorError`."""
    folder = tools / "runtime"
    if not (folder / "awslambdaric").is_dir():
        raise EmulatorError(f"Lambda's runtime packages are not in {folder}: run `make build`")
    return folder


def emulator_file(tools: Path) -> Path:
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
