"""Speed and memory of mask consolidation beside its peers, each case in its own process.

    python -m benchmarks.segmentation --output segmentation.json

Peers that are not installed are left out (requirements/bench-segmentation.txt has them). Times
are CPU times of the best repetition on one thread; only their ratios mean something elsewhere.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.segmentation_inputs import SIZES, write_inputs

ROOT = Path(__file__).resolve().parent.parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")

OURS, FLOOR = "ours", "floor: Pillow decode + encode"
SITK, CROWD_KIT = "SimpleITK LabelVoting", "crowd-kit MajorityVote"
BEST, PLAIN = "SimpleITK LabelVoting, best built", "numpy accumulators, straightforward"
EM, STAPLE = "ours, one coin", "SimpleITK MultiLabelSTAPLE"
SLOW = ("crowd-kit EM", "crowd-kit RASA")

CASES: list[tuple[str, str, str]] = [
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
    *(("fusion", name, "1080p-k11-n5-noise") for name in (OURS, "numpy, class by class")),
    *(("memory", OURS, size) for size in ("1080p-k11-n5", "12mp-k11-n9", "100mp-k11-n5")),
]

# What must hold: a name, two cases, and the least or most the first may be of the second.
TARGETS: list[tuple[str, tuple[str, str, str], tuple[str, str, str], str, float]] = [
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
    (
        "EM, MultiLabelSTAPLE / ours",
        ("fusion", STAPLE, "1080p-k11-n5"),
        ("fusion", EM, "1080p-k11-n5"),
        "at least",
        1000,
    ),
    (
        "noise, ours / dense numpy",
        ("fusion", OURS, "1080p-k11-n5-noise"),
        ("fusion", "numpy, class by class", "1080p-k11-n5-noise"),
        "at most",
        1.2,
    ),
]


def measure(kind: str, name: str, size: str, folder: Path) -> dict[str, float] | None:
    """One case; None if its peer is not installed."""
    write_inputs(SIZES[size], folder)
    repeat = "1" if name in SLOW or size.startswith("100mp") else "9"
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.segmentation_case",
            kind,
            name,
            size,
            str(folder),
            "--repeat",
            repeat,
        ],
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
    measured: dict[str, float] = json.loads(result.stdout)
    return measured


def main() -> None:
    """Measure all cases, print them and the targets, and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--folder", type=Path, help="where inputs are kept for the next run")
    parser.add_argument("--only", default="", help="cases whose text contains this")
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        for case in CASES:
            if options.only in " ".join(case):
                figures = measure(*case, options.folder or Path(temporary))
                if figures is not None:
                    results[case] = figures
                    print(
                        f"{case[0]:9}{case[2]:20}{case[1]:42}{figures['cpu_ms']:11.1f} ms"
                        f"{figures['peak_mb'] - figures['before_mb']:8.0f} MB more"
                        f"{figures['peak_mb']:8.0f} MB in all"
                    )
    ratios = []
    for title, first, second, relation, limit in TARGETS:
        if first in results and second in results:
            ratio = results[first]["cpu_ms"] / results[second]["cpu_ms"]
            ratios.append({"figure": title, "ratio": ratio, "target": f"{relation} {limit}"})
            print(f"{title:60}{ratio:9.2f}   ({relation} {limit})")
    if options.output:
        cases = [
            dict(zip(("kind", "name", "size"), case, strict=True)) | results[case]
            for case in results
        ]
        options.output.write_text(json.dumps({"cases": cases, "ratios": ratios}, indent=1) + "\n")


if __name__ == "__main__":
    main()
