"""An environment of their own for the peers, made once from hash-locked requirements."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
MASK_REQUIREMENTS = ROOT / "requirements" / "bench-segmentation.txt"


def peers_python(cache: Path, requirements: Path = REQUIREMENTS) -> Path:
    """Path of the interpreter; makes the environment when the requirements are new.

    Parameters
    ----------
    cache : Path
        Folder for environments.
    requirements : Path, optional
        What is installed, with hashes.

    Raises
    ------
    subprocess.CalledProcessError
        If the environment cannot be made.
    """
    home = _home(cache, requirements)
    python = home / "bin" / "python"
    if (home / "complete").exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    uv = shutil.which("uv", path=f"{ROOT / '.tools' / 'bootstrap' / 'bin'}:{os.environ['PATH']}")
    if uv:
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(home)]
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        make = [sys.executable, "-m", "venv", str(home)]
        install = [str(python), "-m", "pip", "install", "--quiet"]
    subprocess.run(make, check=True)
    subprocess.run([*install, "--require-hashes", "-r", str(requirements)], check=True)
    (home / "complete").touch()
    return python


def peers_present(cache: Path, requirements: Path = REQUIREMENTS) -> Path | None:
    """Path of the interpreter if its environment was made; None if not."""
    home = _home(cache, requirements)
    return home / "bin" / "python" if (home / "complete").exists() else None


def _home(cache: Path, requirements: Path) -> Path:
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    return cache / f"peers-{digest}"
