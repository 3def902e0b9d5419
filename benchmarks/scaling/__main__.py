"""Time and memory against answers, workers, classes, labels and pixels, and how they grow.

    python -m benchmarks.scaling [--only TEXT] [--largest] [--output FILE]

Each case is a process of its own, one after the other. `--only` takes the curves whose name has
a text in it ("synthesize" for that command alone); `--largest` also writes ten million answers
with `labeljob synthesize`, which takes a quarter of an hour. What an earlier run with it found
stays in the file, with its date.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from scipy import stats

from benchmarks.common.record import (
    MASK_REQUIREMENTS,
    ROOT,
    output_option,
    peers_python,
    rows_of,
    run_module,
    run_record,
    table,
    versions_in,
    write_result,
)
from benchmarks.scaling.case import PER_OBJECT, mask_size
from benchmarks.segmentation.drawings import SMALL, write_inputs

OURS = ("majority", "weighted", "dawid-skene", "calibrated")
SAME_ROUNDS, CK_SAME_ROUNDS = "dawid-skene-20-rounds", "ck-dawid-skene-20-rounds"
SITK_WHOLE, SITK_FUSION = "SimpleITK LabelVoting, best built", "SimpleITK LabelVoting"
LARGEST = 10_000_000
LEAST_MIB = 2.0
"""Memory below this is noise, and no part of a fit."""

PAIRS = {
    "answers": (("ck-majority", "majority"), (CK_SAME_ROUNDS, SAME_ROUNDS)),
    "pixels, whole object": ((SITK_WHOLE, "ours"),),
    "pixels, fusion": ((SITK_FUSION, "ours"),),
}
"""Peer and method of ours whose times are compared, by curve."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One dimension that varies."""

    name: str  # the curve's, unique
    kind: str  # votes (one label), selections (several), pipeline (whole mask objects), fusion
    varied: str  # the dimension: one of the sizes, or ``megapixels``
    values: Sequence[float]  # its sizes, ascending
    fixed: Mapping[str, float] = field(default_factory=dict)  # the other sizes
    methods: Mapping[str, float]  # method to the largest of `values` at which it takes part
    ranges: Sequence[tuple[float, float]]  # first and last size of each fit of an exponent

    def cases(self) -> list[tuple[str, dict[str, float]]]:
        """Method and sizes of each case, small cases first."""
        return [
            (method, {**self.fixed, self.varied: value})
            for value in self.values
            for method, largest in self.methods.items()
            if value <= largest
        ]


CURVES = (
    Curve(
        name="answers",
        kind="votes",
        varied="answers",
        values=(1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, LARGEST),
        fixed={"per_item": 5, "classes": 5, "workers": 200},
        methods=dict.fromkeys(OURS, LARGEST)
        | dict.fromkeys((SAME_ROUNDS, "ck-majority", CK_SAME_ROUNDS), 1_000_000),
        ranges=((10_000, LARGEST),),
    ),
    Curve(
        name="workers",
        kind="votes",
        varied="workers",
        values=(10, 30, 100, 300, 1_000, 3_000, 10_000),
        fixed={"answers": 100_000, "per_item": 5, "classes": 5},
        methods=dict.fromkeys(OURS, 10_000),
        ranges=((10, 10_000),),
    ),
    Curve(
        name="classes",
        kind="votes",
        varied="classes",
        values=(2, 5, 10, 20, 50, 100, 300, 1_000),
        fixed={"answers": 100_000, "per_item": 5, "workers": 200},
        methods=dict.fromkeys(OURS, 1_000),
        ranges=((2, 20), (50, 1_000)),  # above 20, an accuracy for each worker
    ),
    Curve(
        name="labels",
        kind="selections",
        varied="labels",
        values=(2, 5, 10, 20, 50, 100),
        fixed={"answers": 10_000, "per_item": 5, "workers": 200},
        methods=dict.fromkeys(("label-shares", "multi-label"), 100),
        ranges=((5, 100),),
    ),
    *(
        Curve(
            name=f"pixels, {what}",
            kind=kind,
            varied="megapixels",
            values=(0.25, 1.0, 4.0, 12.25, 25.0, 100.0),
            fixed={"classes": 11, "workers": 5},
            methods={"ours": 100.0, peer: 25.0},
            ranges=((1.0, 100.0),),
        )
        for what, kind, peer in (
            ("whole object", "pipeline", SITK_WHOLE),
            ("fusion", "fusion", SITK_FUSION),
        )
    ),
    *(
        Curve(
            name=f"{varied} of masks, {what}",
            kind=kind,
            varied=varied,
            values=values,
            fixed={"megapixels": 2.25} | fixed,
            methods={"ours": max(values)},
            ranges=((min(values), max(values)),),
        )
        for varied, values, fixed in (
            ("workers", (1, 2, 3, 5, 7, 9), {"classes": 11}),
            ("classes", (2, 5, 11, 50, 100, 255), {"workers": 5}),
        )
        for what, kind in (("whole object", "pipeline"), ("fusion", "fusion"))
    ),
)


FEWEST_POINTS = 3


@dataclass(frozen=True)
class Power:
    """How something grows with a size."""

    exponent: float  # 1 is in proportion, 0 not at all
    low: float  # with `high`, where it lies with 95 % confidence, by Student's distribution
    high: float
    r2: float  # share of the variance of the logarithms that the power explains


def fitted(sizes: Sequence[float], values: Sequence[float]) -> Power | None:
    """Fit a power.

    Examples
    --------
    >>> round(fitted([1, 10, 100], [2, 20, 200]).exponent, 6)
    1.0
    """
    if len(sizes) < FEWEST_POINTS:
        return None
    if not np.ptp(values):  # nothing grows: there is no correlation
        return Power(0.0, 0.0, 0.0, 1.0)
    fit = stats.linregress(np.log(sizes), np.log(values))
    margin = stats.t.ppf(0.975, len(sizes) - 2) * fit.stderr
    ends = (fit.slope - margin, fit.slope + margin)
    return Power(float(fit.slope), float(ends[0]), float(ends[1]), float(fit.rvalue**2))


TIMES = ("curve", "method", "size", "cpu_seconds", "rounds", "bare_mib", "inputs_mib", "run_mib")
EXPONENTS = ("curve", "method", "measure", "exponent", "low", "high", "r2", "first", "last")
SYNTHESIS = ("answers", "tree", "cpu_seconds", "peak_mib", "written_mib", "date")
SYNTHESIZED = ((10_000, False), (100_000, False), (1_000_000, False), (100_000, True))
"""Answers, and whether there is a file for each data object."""

Row: TypeAlias = dict[str, Any]


def measure(curve: Curve, folder: Path) -> Iterator[Row]:
    """Every case of a curve."""
    for method, sizes in curve.cases():
        line = run_case(curve.kind, method, sizes, folder)
        size = sizes[curve.varied]
        print(f"{curve.name:32}{method:36}{size:<14,}{line['cpu_seconds']:.3g} s", file=sys.stderr)
        yield {"curve": curve.name, "method": method, "size": size} | line


def run_case(kind: str, method: str, sizes: Mapping[str, float], folder: Path) -> Row:
    """One case in a process of its own; a peer's in its environment, made if it is not there."""
    if "megapixels" in sizes:
        for size in (SMALL, mask_size(sizes)):
            write_inputs(size, folder)
    text = json.dumps(sizes)
    if method.startswith("ck-"):
        return _said("peers", "size", method, text)
    peer = method.startswith("SimpleITK")
    python = peers_python(ROOT / ".tools", MASK_REQUIREMENTS) if peer else None
    return _said("scaling.case", kind, method, text, folder, python=python)


def synthesis(folder: Path, cases: Sequence[tuple[int, bool]]) -> Iterator[Row]:
    """`labeljob synthesize` at several numbers of answers, with and without the tree of files."""
    today = datetime.now(UTC).date().isoformat()
    for answers, tree in cases:
        sizes = json.dumps({"n_objects": answers // PER_OBJECT, "tree": tree})
        line = _said("scaling.case", "synthesize", "labeljob", sizes, folder)
        yield {"answers": answers, "tree": tree, "date": today} | line


def exponents(curve: Curve, rows: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Powers of the curve's size that its methods' time and memory grow with."""
    for method, (first, last) in product(curve.methods, curve.ranges):
        own = [r for r in rows if r["method"] == method and first <= r["size"] <= last]
        needed = [(r["size"], r["inputs_mib"] + r["run_mib"]) for r in own]
        points = {"time": [(r["size"], r["cpu_seconds"]) for r in own]}
        if len({r["rounds"] for r in own}) > 1:
            each = "time of a round"
            points[each] = [(r["size"], r["cpu_seconds"] / r["rounds"]) for r in own]
        points["memory"] = [(size, mib) for size, mib in needed if mib >= LEAST_MIB]
        for name, found in points.items():
            power = fitted([size for size, _ in found], [value for _, value in found])
            if power is not None:
                where = {"curve": curve.name, "method": method, "measure": name}
                yield where | asdict(power) | {"first": found[0][0], "last": found[-1][0]}


def kept(output: Path) -> list[Row]:
    """What an earlier run found with `--largest`, if it is in the file."""
    if not output.is_file():
        return []
    rows = rows_of(json.loads(output.read_text(encoding="utf-8"))["synthesis"])
    return [row for row in rows if row["answers"] >= LARGEST]


def main() -> None:
    """Measure the chosen curves and write them down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    output_option(parser, "scaling")
    parser.add_argument("--only", default="", help="curves whose name has this in it")
    parser.add_argument("--largest", action="store_true", help="synthesize 10^7 answers, too")
    options = parser.parse_args()
    chosen = [curve for curve in CURVES if options.only in curve.name]
    largest = [(LARGEST, False)] if options.largest else []
    with tempfile.TemporaryDirectory() as name:
        rows = [row for curve in chosen for row in measure(curve, Path(name))]
        sizes = [*(SYNTHESIZED if options.only in "synthesize" else ()), *largest]
        written = list(synthesis(Path(name), sizes))
    powers = [
        power
        for curve in chosen
        for power in exponents(curve, [row for row in rows if row["curve"] == curve.name])
    ]
    run = run_record("benchmarks.scaling", {"only": options.only or None}, seed=0)
    python = peers_python(ROOT / ".tools", MASK_REQUIREMENTS)
    run["versions"]["SimpleITK"] = versions_in(python, ["SimpleITK"])["SimpleITK"]
    result = {
        "run": run,
        "curves": [{"curve": c.name, "varied": c.varied, "fixed": dict(c.fixed)} for c in chosen],
        "times": table(rows, TIMES),
        "exponents": table(powers, EXPONENTS),
        "synthesis": table(written + ([] if largest else kept(options.output)), SYNTHESIS),
    }
    write_result(options.output, result)


def _said(module: str, *arguments: object, python: Path | None = None) -> Row:
    """The JSON that a module of `benchmarks` prints last."""
    line: Row = json.loads(run_module(module, *arguments, python=python).splitlines()[-1])
    return line


if __name__ == "__main__":
    main()
