"""Speed and memory of mask consolidation beside its peers, each case in its own process.

    python -m benchmarks.segmentation --rounds 3

Peers that are not installed are left out (requirements/bench-segmentation.txt has them). Times
are CPU times of the best repetition on one thread; only their ratios mean something elsewhere,
and those that have a target are medians over rounds in which the two take turns.

A case is one of four kinds: ``pipeline``, from base64 texts to the PNG; ``fusion``, from class
maps in memory to a class map; ``runs``, from the runs that our reader makes to runs; ``memory``,
the pipeline with texts read from files one by one.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.peers_environment import ROOT
from benchmarks.run_record import output_option, rounded, run_record, write_result
from benchmarks.segmentation_inputs import SIZES, write_inputs

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")

OURS, FLOOR = "ours", "floor: Pillow decode + encode"
SITK, CROWD_KIT = "SimpleITK LabelVoting", "crowd-kit MajorityVote"
BEST, PLAIN = "SimpleITK LabelVoting, best built", "numpy accumulators, straightforward"
EM, STAPLE = "ours, one coin", "SimpleITK MultiLabelSTAPLE"
SLOW = ("crowd-kit EM", "crowd-kit RASA")
PACKAGES = ("numpy", "pillow", "zlib-ng", "SimpleITK", "crowd-kit")

type Case = tuple[str, str, str]
type Figures = dict[str, float]

CASES: list[Case] = [
    *(("pipeline", name, "1080p-k11-n5") for name in (OURS, FLOOR, BEST, PLAIN)),
    ("pipeline", "SimpleITK LabelVoting, straightforward", "1080p-k11-n5"),
    ("pipeline", "crowd-kit MajorityVote, best built", "1080p-k11-n5"),
    ("pipeline", "numpy accumulators, best built", "1080p-k11-n5"),
    *(("pipeline", name, "512px-k11-n3") for name in (OURS, FLOOR)),
    *(("pipeline", name, "1080p-k11-n9") for name in (OURS, FLOOR, BEST)),
    *(("pipeline", name, "12mp-k11-n9") for name in (OURS, FLOOR, BEST)),
    *(
        ("fusion", name, size)
        for size in (
            "512px-k11-n3",
            "1080p-k2-n5",
            "1080p-k11-n3",
            "1080p-k11-n5",
            "1080p-k11-n9",
            "1080p-k50-n9",
            "12mp-k11-n5",
            "12mp-k11-n9",
        )
        for name in (OURS, SITK, "numpy, class by class")
    ),
    *(("fusion", CROWD_KIT, size) for size in ("1080p-k2-n5", "1080p-k11-n5")),
    *(("fusion", name, "1080p-k11-n5") for name in (EM, STAPLE, *SLOW)),
    *(("runs", name, "1080p-k11-n5") for name in (OURS, EM)),
    *(("fusion", name, "1080p-k11-n5-noise") for name in (OURS, "numpy, class by class")),
    *(("memory", OURS, size) for size in ("1080p-k11-n5", "12mp-k11-n9", "100mp-k11-n5")),
]

# What must hold: a name, two cases, and the least or most the first may be of the second.
TARGETS: list[tuple[str, Case, Case, str, float]] = [
    ("whole object / floor", CASES[0], CASES[1], "at most", 0.6),
    ("whole object, best SimpleITK / ours", CASES[2], CASES[0], "at least", 4),
    ("whole object, plain numpy / ours", CASES[3], CASES[0], "at least", 55),
    *(
        (
            f"fusion, LabelVoting / ours, {size}",
            ("fusion", SITK, size),
            ("fusion", OURS, size),
            "at least",
            8,
        )
        for size in (
            "1080p-k2-n5",
            "1080p-k11-n3",
            "1080p-k11-n5",
            "1080p-k11-n9",
            "12mp-k11-n5",
            "12mp-k11-n9",
        )
    ),
    *(
        (
            f"EM, MultiLabelSTAPLE / ours {origin}",
            ("fusion", STAPLE, "1080p-k11-n5"),
            (kind, EM, "1080p-k11-n5"),
            "at least",
            1000,
        )
        for kind, origin in (("fusion", "from class maps"), ("runs", "from runs"))
    ),
    (
        "noise, ours / dense numpy",
        ("fusion", OURS, "1080p-k11-n5-noise"),
        ("fusion", "numpy, class by class", "1080p-k11-n5-noise"),
        "at most",
        1.2,
    ),
]


def measure(case: Case, folder: Path) -> Figures | None:
    """One case; None if its peer is not installed."""
    kind, name, size = case
    write_inputs(SIZES[size], folder)
    repeat = "1" if name in SLOW or size.startswith("100mp") else "9"
    command = [sys.executable, "-m", "benchmarks.segmentation_case", *case, str(folder)]
    result = subprocess.run(
        [*command, "--repeat", repeat],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
    )
    if "ModuleNotFoundError" in result.stderr:
        return None
    if result.returncode:
        raise SystemExit(f"{kind} {name} {size} failed:\n{result.stderr}")
    measured: Figures = json.loads(result.stdout)
    return measured


def measure_all(chosen: str, folder: Path) -> dict[Case, Figures]:
    """Each case once, printed as it comes."""
    results = {}
    for case in CASES:
        figures = measure(case, folder) if chosen in " ".join(case) else None
        if figures is not None:
            results[case] = figures
            print(
                f"{case[0]:9}{case[2]:20}{case[1]:42}{figures['cpu_ms']:11.1f} ms"
                f"{figures['peak_mb'] - figures['before_mb']:8.0f} MB more"
                f"{figures['peak_mb']:8.0f} MB in all",
                flush=True,
            )
    return results


def ratios(results: dict[Case, Figures], rounds: int, folder: Path) -> Iterator[dict[str, Any]]:
    """The figures that have a target, both cases being run in turns for the further rounds."""
    for title, first, second, relation, limit in TARGETS:
        if first not in results or second not in results:
            continue
        found = [results[first]["cpu_ms"] / results[second]["cpu_ms"]]
        while len(found) < rounds:
            pair = [measure(case, folder) for case in (first, second)]
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


def versions() -> dict[str, str]:
    """Versions of Python, of what we use and of the peers that are there."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Measure all cases, print them and the targets, and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    output_option(parser, "segmentation")
    parser.add_argument("--folder", type=Path, help="where inputs are kept for the next run")
    parser.add_argument("--only", default="", help="cases whose text contains this")
    parser.add_argument("--rounds", type=int, default=1, help="of the cases that have a target")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        results = measure_all(options.only, folder)
        targets = list(ratios(results, options.rounds, folder))
    given = {"rounds": options.rounds, "only": options.only or None}
    run = run_record("benchmarks.segmentation", given, seed=7) | {"versions": versions()}
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
