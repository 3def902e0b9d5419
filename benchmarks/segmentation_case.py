"""One measurement in a process of its own; prints one line of JSON.

Started by `benchmarks/segmentation.py`.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.segmentation_inputs import SIZES, Size, class_maps, masks, texts


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
        from benchmarks.segmentation_pipelines import PIPELINES

        answers = texts(size, folder) if kind == "pipeline" else FileTexts(size, folder)
        return lambda: PIPELINES[name](size, answers)
    from benchmarks.segmentation_fusion import FROM_RUNS, MODELS, VOTES

    if kind == "runs":
        crew = masks(size, folder)
        return lambda: FROM_RUNS[name](crew, size.n_classes)
    maps = class_maps(size, folder)
    return lambda: {**VOTES, **MODELS}[name](maps, size.n_classes)


def peak_mb() -> float:
    """Largest resident memory of this process so far, in MB of a million bytes.

    Linux's VmHWM begins anew with the program; ru_maxrss would remember the parent's memory.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) * 1024 / 1e6


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
    call = prepared(options.kind, options.name, SIZES[options.size], options.folder)
    before, times = peak_mb(), []
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
    print(json.dumps({"cpu_ms": best, "before_mb": before, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
