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
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.common.record import (
    MASK_REQUIREMENTS,
    ROOT,
    output_option,
    peers_present,
    peers_python,
    rounded,
    run_module,
    run_record,
    versions_in,
    write_result,
)
from benchmarks.segmentation.drawings import SIZES, SMALL, write_inputs

OURS, FLOOR = "ours", "floor: Pillow decode + encode"
SITK, CROWD_KIT = "SimpleITK LabelVoting", "crowd-kit MajorityVote"
BEST, PLAIN = "SimpleITK LabelVoting, best built", "numpy accumulators, straightforward"
DENSE, TORCH = "numpy, class by class", "torch.mode"
DENSE_BEST = "numpy, class by class, best built"
EM, STAPLE = "ours, one coin", "SimpleITK MultiLabelSTAPLE"
SLOW = ("crowd-kit EM", "crowd-kit RASA")
NOISE = ("1080p-k11-n5-noise-1", "1080p-k11-n5-noise-10", "1080p-k11-n5-noise-100")
DRAWINGS = (
    "512px-k11-n3",
    "512px-k50-n9",
    "1080p-k2-n5",
    "1080p-k11-n3",
    "1080p-k11-n5",
    "1080p-k11-n9",
    "1080p-k50-n9",
    "1080p-k300-n5",
    "12mp-k11-n5",
    "12mp-k11-n9",
)

Case: TypeAlias = tuple[str, str, str]
"""Kind, name of the method and size."""

CASES: list[Case] = [
    *(("pipeline", name, "1080p-k11-n5") for name in (OURS, FLOOR, BEST, PLAIN, DENSE_BEST)),
    ("pipeline", "SimpleITK LabelVoting, straightforward", "1080p-k11-n5"),
    ("pipeline", "crowd-kit MajorityVote, best built", "1080p-k11-n5"),
    ("pipeline", "numpy accumulators, best built", "1080p-k11-n5"),
    *(("pipeline", name, "512px-k11-n3") for name in (OURS, FLOOR)),
    *(("pipeline", name, "1080p-k11-n9") for name in (OURS, FLOOR, BEST)),
    *(("pipeline", name, "12mp-k11-n9") for name in (OURS, FLOOR, BEST)),
    *(("pipeline", name, size) for size in NOISE for name in (OURS, BEST, DENSE_BEST)),
    *(
        ("fusion", name, size)
        for size in (*DRAWINGS, *NOISE)
        for name in (OURS, SITK, DENSE, TORCH)
    ),
    *(("fusion", CROWD_KIT, size) for size in ("1080p-k2-n5", "1080p-k11-n5")),
    *(("fusion", name, "1080p-k11-n5") for name in (EM, STAPLE, *SLOW)),
    *(("runs", name, "1080p-k11-n5") for name in (OURS, EM)),
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
    *(
        (
            f"nothing but noise, ours / dense numpy {origin}",
            (kind, OURS, NOISE[-1]),
            (kind, dense, NOISE[-1]),
            "at most",
            1.2,
        )
        for kind, dense, origin in (
            ("fusion", DENSE, "from class maps"),
            ("pipeline", DENSE_BEST, "from PNG to PNG"),
        )
    ),
]


_PACKAGES = ("numpy", "pillow", "zlib-ng", "SimpleITK", "crowd-kit", "torch")

Figures: TypeAlias = dict[str, float]


def measure(case: Case, folder: Path, python: Path) -> Figures | None:
    """One case; None if its peer is not installed."""
    _, name, size = case
    for needed in (SMALL, SIZES[size]):
        write_inputs(needed, folder)
    repeat = 1 if name in SLOW or size.startswith("100mp") else 9
    arguments = (*case, folder, "--repeat", repeat)
    measured: Figures = json.loads(run_module("segmentation.methods", *arguments, python=python))
    return measured or None


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
        "versions": versions_in(python, _PACKAGES)
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
