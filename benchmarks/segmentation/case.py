"""One measurement in a process of its own; prints one line of JSON.

Started by `benchmarks.segmentation.speed`.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.common.measure import forget_peak, memory_mib
from benchmarks.segmentation.inputs import SIZES, SMALL, Size, class_maps, masks, texts


class FileTexts(Sequence[str]):
    """Texts read from their files one at a time, as the library's callers do."""

    def __init__(self, size: Size, folder: Path) -> None:
        """Texts of one data object."""
        self._paths = [folder / size.name / f"{worker}.txt" for worker in range(size.n_workers)]

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # no slices
        return self._paths[index].read_text()

    def __iter__(self) -> Iterator[str]:
        return (path.read_text() for path in self._paths)


def prepared(kind: str, name: str, size: Size, folder: Path) -> Callable[[], object]:
    """The call to measure, its inputs being in memory unless it streams them."""
    if kind in ("pipeline", "memory"):
        from benchmarks.segmentation.pipelines import PIPELINES

        answers = texts(size, folder) if kind == "pipeline" else FileTexts(size, folder)
        return lambda: PIPELINES[name](size, answers)
    from benchmarks.segmentation.fusion import FROM_RUNS, MODELS, VOTES

    if kind == "runs":
        crew = masks(size, folder)
        return lambda: FROM_RUNS[name](crew, size.n_classes)
    maps = class_maps(size, folder)
    return lambda: {**VOTES, **MODELS}[name](maps, size.n_classes)


def warm_up(kind: str, name: str, folder: Path) -> None:
    """Run a method on `SMALL`: what it imports on first use is no part of what is measured."""
    prepared(kind, name, SMALL, folder)()
    if kind in ("pipeline", "memory"):
        from benchmarks.segmentation.pipelines import forget

        forget()


def resident_mb(name: str) -> float:
    """Resident memory of this process in MB of a million bytes, as `memory_mib` names it."""
    return memory_mib(name) * 2**20 / 1e6


def main() -> None:
    """Run the call until it has been run often or long enough; report the best CPU time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["pipeline", "memory", "fusion", "runs"])
    parser.add_argument("name")
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    warm_up(options.kind, options.name, options.folder)
    call = prepared(options.kind, options.name, SIZES[options.size], options.folder)
    forget_peak()
    before, times = resident_mb("VmRSS"), []
    if options.kind != "memory" and options.repeat > 1:
        started = time.process_time()
        call()
        if time.process_time() - started > options.seconds:
            times.append(time.process_time() - started)
    while not times or (len(times) < options.repeat and sum(times) < options.seconds):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    best = 1000 * min(times)
    print(json.dumps({"cpu_ms": best, "before_mb": before, "peak_mb": resident_mb("VmHWM")}))


if __name__ == "__main__":
    main()
