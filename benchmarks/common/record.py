"""What a benchmark's JSON says of the run itself, and how it is written.

Raw results hold summarised figures only: no data, no item, no path of the machine.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.common.environment import ROOT, peers_present, versions_in

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
