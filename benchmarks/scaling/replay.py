"""`labeljob replay` of whole jobs against their number of answers, on one and two processes.

    python -m benchmarks.scaling.replay [--answers 10000 100000 1000000] [--workers 1 2]
        [--peers-up-to 1000000] [--masks 200] [--folder FOLDER] [--output FILE]

Wall time, CPU and memory are those of the command with all its processes, from its start to its
end, with modules that are compiled already, as those of an installed package are: from JSON
(nothing is kept of the job), and from the columns that this run kept. Memory is the largest sum of
the processes' proportional set sizes; they are looked at every 0.1 s, so that CPU misses as much of
each at most. Beside it, in a process each: a Polars group-by that counts votes in the same answers
as a Parquet file, with reading it, and crowd-kit's DawidSkene (20 rounds at most) and MajorityVote
of answers that are in memory, their creation left out. They write no labels, and compare none with
the old ones. At last a job of masks, 640 by 480 pixels from five workers each, from PNG to PNG.
"""

import argparse
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.record import (
    output_option,
    run_module,
    run_record,
    table,
    versions_in,
    write_result,
)
from benchmarks.scaling.jobs import JobSize

COLUMNS = ("answers", "what", "workers", "seconds", "cpu_seconds", "peak_mib")
MASK_COLUMNS = ("masks", "workers", "masks_a_second", "seconds", "cpu_seconds", "peak_mib")
KEPT = ".columns"
CROWD_KIT = ("ck-majority", "ck-dawid-skene-20-rounds")
EVERY = 0.1
MIB = 2**20

POLARS = """
import polars, sys
votes = polars.scan_parquet(sys.argv[1]).group_by("task", "label").len()
labels = votes.sort("len", "label", descending=[True, False]).group_by("task").first()
print(labels.collect().height)
"""
"""The label that most chose, the first in the alphabet of equals."""


def measure_command(command: Sequence[str]) -> dict[str, float]:
    """Run a command; its wall time and CPU in seconds, and memory in MiB, with its children."""
    started, peak = time.monotonic(), 0
    cpu: dict[int, float] = {}
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told)
        while process.poll() is None:
            tree = list(_find_tree(process.pid))
            peak = max(peak, sum(map(_read_memory, tree)))
            cpu |= {one: seconds for one in tree if (seconds := _read_cpu(one))}
            time.sleep(EVERY)
        seconds = time.monotonic() - started
        told.seek(0)
        if process.returncode:
            raise SystemExit(told.read().decode(errors="replace"))
    return {"seconds": seconds, "cpu_seconds": sum(cpu.values()), "peak_mib": peak / MIB}


def _find_tree(root: int) -> Iterator[int]:
    """A process and all that come from it."""
    yield root
    with suppress(OSError):
        for thread in Path(f"/proc/{root}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _find_tree(int(child))


def _read_memory(process: int) -> int:
    """Bytes of a process; pages that several share count in part. 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _read_cpu(process: int) -> float:
    """CPU seconds of a process so far; 0 if it has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def measure_replays(answers: int, workers: Sequence[int], folder: Path) -> Iterator[dict[str, Any]]:
    """The command on a job of so many answers, which `folder` gets, and Polars beside it."""
    job, votes = folder / "job", folder / "answers.parquet"
    run_module("scaling.jobs", job, "--answers", answers, "--parquet", votes)
    labeljob = str(Path(sys.executable).parent / "labeljob")
    for count in workers:
        command = [labeljob, "replay", str(job), "-o", str(folder / "out"), "--workers", str(count)]
        shutil.rmtree(job / KEPT, ignore_errors=True)
        for what in ("replay, from JSON", "replay, from kept columns"):
            figures = measure_command(command)
            yield {"answers": answers, "what": what, "workers": count} | figures
    figures = measure_command([sys.executable, "-c", POLARS, str(votes)])
    yield {"answers": answers, "what": "Polars, count of votes", "workers": None} | figures


def measure_masks(masks: int, workers: Sequence[int], folder: Path) -> Iterator[dict[str, Any]]:
    """The command on a job of so many masks, which `folder` gets."""
    labeljob = str(Path(sys.executable).parent / "labeljob")
    size = ("--objects", str(masks), "--image-size", "640x480")
    job = ("-o", str(folder / "drawn"), "--task", "semantic-segmentation", *size)
    subprocess.run([labeljob, "synthesize", *job], check=True, stdout=subprocess.DEVNULL)
    root = folder / "drawn" / "labeljob" / "jobs" / "synthetic"
    for count in workers:
        command = [labeljob, "replay", str(root), "-o", str(folder / "masks")]
        figures = measure_command([*command, "--workers", str(count)])
        speed = masks / figures["seconds"]
        yield {"masks": masks, "workers": count, "masks_a_second": speed} | figures


def measure_crowd_kit(answers: int) -> Iterator[dict[str, Any]]:
    """crowd-kit's methods at one size, in its environment, by CPU."""
    size = JobSize(answers=answers)
    sizes = json.dumps(
        {"answers": answers, "per_item": size.per_object, "classes": size.classes,
         "workers": size.workers}
    )  # fmt: skip
    for method in CROWD_KIT:
        found = json.loads(run_module("peers", "size", method, sizes).splitlines()[-1])
        memory = found["bare_mib"] + found["inputs_mib"] + found["run_mib"]
        yield {
            "answers": answers,
            "what": method,
            "cpu_seconds": found["cpu_seconds"],
            "peak_mib": memory,
        }


def find_exponents(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Power of the answers that CPU grows with, by what was run, from 10^6 answers on.

    Below, the command's start, which is the same for all, hides how it grows.
    """
    found = []
    for key in dict.fromkeys((row["what"], row.get("workers")) for row in rows):
        own = [r for r in rows if (r["what"], r.get("workers")) == key and r["answers"] >= 10**6]
        if len(own) > 1:
            sizes = np.log([row["answers"] for row in own])
            times = np.log([row["cpu_seconds"] for row in own])
            power = float(np.polyfit(sizes, times, 1)[0])
            found.append({"what": key[0], "workers": key[1], "exponent": power})
    return found


def main() -> None:
    """Measure all sizes, small ones first, and write them down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    output_option(parser, "replay-scaling")
    parser.add_argument("--answers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--peers-up-to", type=int, default=1_000_000, help="of crowd-kit")
    parser.add_argument("--masks", type=int, default=200, help="of the job of masks")
    parser.add_argument("--folder", type=Path, help="where jobs are made, with room for them")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    _compile_modules()
    for answers in sorted(options.answers):
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            for row in measure_replays(answers, options.workers, Path(name)):
                rows.append(row)
                _tell(row)
        if answers <= options.peers_up_to:
            for row in measure_crowd_kit(answers):
                rows.append(row)
                _tell(row)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        masks = list(measure_masks(options.masks, options.workers, Path(name)))
    given = {
        "answers": options.answers,
        "workers": options.workers,
        "peers_up_to": options.peers_up_to,
        "masks": options.masks,
    }
    run = run_record("benchmarks.scaling.replay", given, seed=JobSize(answers=1).seed)
    run["versions"] |= versions_in(Path(sys.executable), ["polars", "pyarrow", "msgspec"])
    result = {
        "run": run,
        "times": table(rows, COLUMNS),
        "masks": table(masks, MASK_COLUMNS),
        "exponents": table(find_exponents(rows), ("what", "workers", "exponent")),
    }
    write_result(options.output, result)


def _compile_modules() -> None:
    """Have the processes that are measured find all modules compiled, by running once before."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder
    list(measure_replays(1_000, [1], Path(folder)))


def _tell(row: dict[str, Any]) -> None:
    where = f"{row['answers']:>12,}  {row['what']:28}{row.get('workers') or '':<4}"
    print(f"{where}{row['cpu_seconds']:.3g} s of CPU, {row['peak_mib']:.0f} MiB", file=sys.stderr)


if __name__ == "__main__":
    main()
