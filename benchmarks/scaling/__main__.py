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
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.common.environment import (
    MASK_REQUIREMENTS,
    ROOT,
    peers_python,
    run_module,
    versions_in,
)
from benchmarks.common.record import output_option, rows_of, run_record, table, write_result
from benchmarks.scaling.case import mask_size
from benchmarks.scaling.curves import CURVES, LARGEST, LEAST_MIB, Curve, fitted
from benchmarks.scaling.synthesis import PER_OBJECT
from benchmarks.segmentation.drawings import SMALL, write_inputs

TIMES = ("curve", "method", "size", "cpu_seconds", "rounds", "bare_mib", "inputs_mib", "run_mib")
EXPONENTS = ("curve", "method", "measure", "exponent", "low", "high", "r2", "first", "last")
SYNTHESIS = ("answers", "tree", "cpu_seconds", "peak_mib", "written_mib", "date")
SYNTHESIZED = ((10_000, False), (100_000, False), (1_000_000, False), (100_000, True))
"""Answers, and whether there is a file for each data object."""

type Row = dict[str, Any]


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
        return _said("peers.crowdkit", "scaling", method, text)
    peer = method.startswith("SimpleITK")
    python = peers_python(ROOT / ".tools", MASK_REQUIREMENTS) if peer else None
    return _said("scaling.case", kind, method, text, folder, python=python)


def synthesis(folder: Path, sizes: Sequence[tuple[int, bool]]) -> Iterator[Row]:
    """`labeljob synthesize` at several numbers of answers, with and without the tree of files."""
    today = datetime.now(UTC).date().isoformat()
    for answers, tree in sizes:
        extra = ["--tree"] if tree else []
        objects = str(answers // PER_OBJECT)
        line = _said("scaling.synthesis", folder, objects, *extra)
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
