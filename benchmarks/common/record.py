"""Processes and environments that benchmarks run in, and what their JSON says of a run.

Raw results hold summarised figures only: no data, no item, no path of the machine.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
        python = peers_python(ROOT / ".tools") if module == "peers" else Path(sys.executable)
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


RESULTS = ROOT / "docs" / "benchmarks"
_OURS = ("numpy", "pillow")
_PEERS = ("crowd-kit", "numpy", "pandas", "scikit-learn")
_DIGITS = 5


def run_record(module: str, arguments: Mapping[str, Any], *, seed: int) -> dict[str, Any]:
    """Command, seed, date, machine and versions of a run."""
    given = (
        f"--{name.replace('_', '-')} {' '.join(map(str, _listed(value)))}"
        for name, value in arguments.items()
        if value is not None
    )
    return {
        "command": " ".join([f"python -m {module}", *given]),
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }


def data_option(folder: Path | None) -> str | None:
    """The option --data as a record shows it: that there was one, not where."""
    return None if folder is None else "FOLDER"


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, Any]:
    """Versions of Python, of what we use, and of the peers where they are installed."""
    found: dict[str, Any] = {"python": platform.python_version()}
    found |= {name: version(name) for name in _OURS}
    python = peers_present(ROOT / ".tools")
    if python is not None:
        found["peers"] = versions_in(python, _PEERS)
        del found["peers"]["python"]
    return found


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, Any]:
    """Rows as lists under one list of names, which is a fifth of the size."""
    return {
        "columns": list(columns),
        "rows": [[rounded(row.get(name)) for name in columns] for row in rows],
    }


def rows_of(stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `table` was given."""
    return [dict(zip(stored["columns"], row, strict=True)) for row in stored["rows"]]


def write_result(path: Path, result: Mapping[str, Any]) -> None:
    """Write JSON with one row of a table a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = (f"{json.dumps(name)}: {_text(value)}" for name, value in result.items())
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    print(f"{path.name} written", file=sys.stderr)


def rounded(value: Any) -> Any:
    """Numbers with as many digits as mean something; what is no number becomes null."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.{_DIGITS}g}") if value == value else None


def output_option(parser: argparse.ArgumentParser, name: str) -> None:
    """Let a command take --output, by default the file that docs/benchmarks.md is made from."""
    parser.add_argument("--output", type=Path, default=RESULTS / f"{name}.json")


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and "rows" in value:
        lines = ",\n".join(json.dumps(row) for row in value["rows"])
        return f'{{"columns": {json.dumps(value["columns"])}, "rows": [\n{lines}\n]}}'
    return json.dumps(value)


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
