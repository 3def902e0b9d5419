"""Speed and memory of mask consolidation beside its peers, each case in its own process.

    python -m benchmarks.segmentation.speed --rounds 3

The peers have an environment of their own (requirements/bench-segmentation.txt); those that it
lacks are left out. torch is one: it takes part with ``--python`` of an environment with it. Times
are CPU times of the best repetition on one thread; only their ratios mean something elsewhere,
and those that have a target are medians over rounds in which the two take turns.

A case is one of four kinds: ``pipeline``, from base64 texts to the PNG; ``fusion``, from class
maps in memory to a class map; ``runs``, from the runs that our reader makes to runs; ``memory``,
the pipeline with texts read from files one by one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common.environment import (
    MASK_REQUIREMENTS,
    ROOT,
    peers_present,
    peers_python,
)
from benchmarks.common.record import output_option, rounded, run_record, write_result
from benchmarks.segmentation.inputs import SIZES, SMALL, write_inputs
from benchmarks.segmentation.plan import CASES, SLOW, TARGETS, Case

LIBRARY = ROOT / "layers" / "groundtruth" / "python"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")

_PACKAGES = ("numpy", "pillow", "zlib-ng", "SimpleITK", "crowd-kit", "torch")
_VERSIONS = """
import json, platform, sys
from importlib.metadata import distributions
found = {one.metadata["Name"].lower(): one.version for one in distributions()}
named = {name: found[name.lower()] for name in sys.argv[1:] if name.lower() in found}
print(json.dumps({"python": platform.python_version()} | named))
"""

type Figures = dict[str, float]


def measure(case: Case, folder: Path, python: Path) -> Figures | None:
    """One case; None if its peer is not installed."""
    kind, name, size = case
    for needed in (SMALL, SIZES[size]):
        write_inputs(needed, folder)
    repeat = "1" if name in SLOW or size.startswith("100mp") else "9"
    command = [str(python), "-m", "benchmarks.segmentation.case", *case, str(folder)]
    result = subprocess.run(
        [*command, "--repeat", repeat],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "ModuleNotFoundError" in result.stderr and not name.startswith("ours"):
        return None
    if result.returncode:
        raise SystemExit(f"{kind} {name} {size} failed:\n{result.stderr}")
    measured: Figures = json.loads(result.stdout)
    return measured


def measure_all(chosen: str, folder: Path, python: Path) -> dict[Case, Figures]:
    """Each case once, printed as it comes."""
    results = {}
    for case in CASES:
        figures = measure(case, folder, python) if chosen in " ".join(case) else None
        if figures is not None:
            results[case] = figures
            print(
                f"{case[0]:9}{case[2]:20}{case[1]:42}{figures['cpu_ms']:11.1f} ms"
                f"{figures['peak_mb'] - figures['before_mb']:8.0f} MB more"
                f"{figures['peak_mb']:8.0f} MB in all",
                flush=True,
            )
    return results


def ratios(
    results: dict[Case, Figures], rounds: int, folder: Path, python: Path
) -> Iterator[dict[str, Any]]:
    """The figures that have a target, both cases being run in turns for the further rounds."""
    for title, first, second, relation, limit in TARGETS:
        if first not in results or second not in results:
            continue
        found = [results[first]["cpu_ms"] / results[second]["cpu_ms"]]
        while len(found) < rounds:
            pair = [measure(case, folder, python) for case in (first, second)]
            found.append(pair[0]["cpu_ms"] / pair[1]["cpu_ms"] if all(pair) else found[0])
        ratio = statistics.median(found)
        met = ratio <= limit if relation == "at most" else ratio >= limit
        print(f"{title:60}{ratio:9.2f}   ({relation} {limit})", flush=True)
        yield {
            "figure": title,
            "ratio": ratio,
            "lowest": min(found),
            "highest": max(found),
            "target": f"{relation} {limit}",
            "met": met,
        }


def versions(python: Path) -> dict[str, str]:
    """Versions of Python, of what we use and of the peers that are there."""
    command = [str(python), "-c", _VERSIONS, *_PACKAGES]
    found: dict[str, str] = json.loads(subprocess.check_output(command))
    return found


def _peers(*, installed: bool) -> Path:
    """Interpreter that has the peers; our own if they are not there and may not be installed."""
    home = ROOT / ".tools"
    if installed:
        return peers_present(home, MASK_REQUIREMENTS) or Path(sys.executable)
    return peers_python(home, MASK_REQUIREMENTS)


def main() -> None:
    """Measure all cases, print them and the targets, and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    output_option(parser, "segmentation")
    parser.add_argument("--folder", type=Path, help="where inputs are kept for the next run")
    parser.add_argument("--only", default="", help="cases whose text contains this")
    parser.add_argument("--rounds", type=int, default=1, help="of the cases that have a target")
    parser.add_argument("--python", type=Path, help="interpreter of an environment with peers")
    parser.add_argument("--installed", action="store_true", help="install no peers for this")
    options = parser.parse_args()
    python = options.python or _peers(installed=options.installed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        results = measure_all(options.only, folder, python)
        targets = list(ratios(results, options.rounds, folder, python))
    given = {"rounds": options.rounds, "only": options.only or None}
    run = run_record("benchmarks.segmentation.speed", given, seed=7) | {
        "versions": versions(python)
    }
    names = ("kind", "name", "size")
    cases = [dict(zip(names, case, strict=True)) | results[case] for case in results]
    rows = {"cases": cases, "ratios": targets}
    tidy = {
        name: [{key: rounded(value) for key, value in row.items()} for row in found]
        for name, found in rows.items()
    }
    write_result(options.output, {"run": run} | tidy)


if __name__ == "__main__":
    main()
