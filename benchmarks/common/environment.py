"""Processes of their own for what is measured, and an environment of their own for the peers."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
MASK_REQUIREMENTS = ROOT / "requirements" / "bench-segmentation.txt"

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)
_VERSIONS = """
import json, platform, sys
from importlib.metadata import distributions
versions = {one.metadata["Name"].lower(): one.version for one in distributions()}
named = {name: versions[name.lower()] for name in sys.argv[1:] if name.lower() in versions}
print(json.dumps({"python": platform.python_version()} | named))
"""


def run_module(module: str, *arguments: object, python: Path | None = None) -> str:
    """What a module of `benchmarks` prints, run on one thread in a process of its own."""
    if python is None:
        peer = module.startswith("peers.")
        python = peers_python(ROOT / ".tools") if peer else Path(sys.executable)
    sources = (ROOT, ROOT / "layers" / "groundtruth" / "python", ROOT / "runner")
    done = subprocess.run(
        [str(python), "-m", f"benchmarks.{module}", *map(str, arguments)],
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": ":".join(map(str, sources))},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    sys.stderr.write(done.stderr)
    done.check_returncode()
    return done.stdout


def versions_in(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """Versions of an environment's Python, and of those of the packages that are there."""
    command = [str(python), "-c", _VERSIONS, *packages]
    versions: dict[str, str] = json.loads(subprocess.check_output(command))
    return versions


def peers_python(cache: Path, requirements: Path = REQUIREMENTS) -> Path:
    """Path of the interpreter; makes the environment when the requirements are new."""
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
