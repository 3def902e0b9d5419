"""One method of ours, or of SimpleITK, or `synthesize`, at one size; prints one line of JSON.

    python -m benchmarks.scaling.case KIND METHOD SIZES FOLDER

KIND is that of a curve (`benchmarks.scaling.__main__`) or `synthesize`, SIZES is JSON.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from math import isqrt
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.common.crowds import crowd_of, picked_of
from benchmarks.common.measure import measure_size, memory_mib
from benchmarks.segmentation.drawings import Size
from benchmarks.segmentation.methods import prepared, warm_up
from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.aggregation.classification.weighted import weighted
from groundtruth.aggregation.multilabel.calibrated import calibrated_labels
from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import Selections

Sizes: TypeAlias = Mapping[str, float]

METHODS: Mapping[str, Callable[[Votes], object]] = {
    "majority": majority,
    "weighted": weighted,
    "dawid-skene": dawid_skene,
    "dawid-skene-20-rounds": lambda votes: dawid_skene(
        votes, settings=DawidSkeneSettings(tolerance=0.0, max_rounds=20)
    ),
    "calibrated": calibrated,
}

WORKERS, PER_OBJECT = 100, 5
"""Of the job that is synthesized."""
PIXELS_OF_A_MEGAPIXEL = 1_000_000


def mask_size(sizes: Sizes) -> Size:
    """A square picture with 18 objects of `sizes`: megapixels, classes and workers."""
    side = isqrt(round(sizes["megapixels"] * PIXELS_OF_A_MEGAPIXEL))
    n_classes, n_workers = int(sizes["classes"]), int(sizes["workers"])
    name = f"{side}px-k{n_classes}-n{n_workers}"
    return Size(name, (side, side), n_classes, n_workers)


def votes(method: str, sizes: Sizes) -> dict[str, Any]:
    """A method for one label an object."""

    def given() -> Votes:
        crowd = crowd_of(sizes)
        columns = (crowd.items, crowd.workers, crowd.classes)
        return Votes(*columns, crowd.n_items, crowd.n_workers, crowd.n_classes)

    return measure_size(given, METHODS[method])


def selections(method: str, sizes: Sizes) -> dict[str, Any]:
    """A method for several labels an object."""

    def answers() -> Selections:
        crowd, picked = picked_of(sizes)
        return Selections(crowd.items, crowd.workers, picked, crowd.n_items, crowd.n_workers)

    call: Callable[[Selections], object] = (
        calibrated_labels if method == "multi-label" else share_labels
    )
    return measure_size(answers, call)


def masks(kind: str, method: str, sizes: Sizes, folder: Path) -> dict[str, Any]:
    """A method for masks, from PNG to PNG or from class maps to a class map."""
    size = mask_size(sizes)
    warm_up(kind, method, folder)
    return measure_size(lambda: prepared(kind, method, size, folder), lambda call: call())


def synthesize(folder: Path, n_objects: int, *, tree: bool) -> dict[str, Any]:
    """`labeljob synthesize` from the command's first statement; its files are deleted."""
    from labeljob.commands import app  # peers' environments have not got it

    output = folder / f"job-{n_objects}"
    options = {"output": output, "workers": WORKERS, "objects": n_objects, "per-object": PER_OBJECT}
    given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    start, clock = time.process_time(), time.monotonic()
    app(["synthesize", *given, "--tree" if tree else "--no-tree"], standalone_mode=False)
    line = {"cpu_seconds": time.process_time() - start, "seconds": time.monotonic() - clock}
    written = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    line |= {"peak_mib": memory_mib("VmHWM"), "written_mib": written / 2**20}
    shutil.rmtree(output)
    return line


def main() -> None:
    """Measure the case that the command line names."""
    _, kind, method, text, folder = sys.argv
    sizes = json.loads(text)
    if kind == "votes":
        line = votes(method, sizes)
    elif kind == "selections":
        line = selections(method, sizes)
    elif kind == "synthesize":
        line = synthesize(Path(folder), **sizes)
    else:
        line = masks(kind, method, sizes, Path(folder))
    print(json.dumps(line))


if __name__ == "__main__":
    main()
