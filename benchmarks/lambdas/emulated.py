"""One start of a built function in the Lambda runtime emulator, and calls one after another.

A control group of our own measures and limits processor share, processor time and memory where
this machine lets us make one: below this process's own group, of version 1 or 2. Elsewhere the
processes' own counters have to do, and nothing can be limited.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from benchmarks.common.record import ROOT
from groundtruth.jobs import job_name
from groundtruth.storage.folder import FolderStore
from labeljob.emulator import EmbeddedAws, EmulatedFunction, EmulatorError
from labeljob.emulator.invocation import LABEL_CATEGORIES
from labeljob.jobs.job_location import JOBS_FOLDER

EXAMPLES = ROOT / "events"
JOB_TYPES = ("image_multi_class", "image_multi_class_multi_label", "semantic_segmentation")
FUNCTIONS = tuple(f"{kind}_{job_type}" for kind in ("pre", "acs") for job_type in JOB_TYPES)
BATCH_OBJECTS, BATCH_WORKERS = 50, 9
BATCH = f"{BATCH_OBJECTS} x {BATCH_WORKERS}"
MASK_SIZE = "640x480"
_LABELS = {"semantic_segmentation": 5}
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One function with one event."""

    function: str  # name of its folder under ``functions/``
    name: str  # ``"example"``, or the size of the batch
    event: Any  # what the function is called with
    folder: Path  # the objects it reads, and descriptions of the labeling jobs
    n_objects: int  # how many data objects the event is of

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        """The labeling jobs that can be described, by name."""
        files = (self.folder / JOBS_FOLDER).glob("*.json")
        return {file.stem: json.loads(file.read_bytes()) for file in files}

    def upload(self, aws: EmbeddedAws) -> None:
        """Put the objects into an S3."""
        for uri, file in self._objects():
            aws.put(uri, file.read_bytes())

    def _objects(self) -> Iterator[tuple[str, Path]]:
        for file in sorted(self.folder.rglob("*")):
            inside = file.relative_to(self.folder)
            if file.is_file() and len(inside.parts) > 1 and inside.parts[0] != JOBS_FOLDER:
                yield f"s3://{inside.as_posix()}", file


def example_case(function: str, folder: Path) -> Case:
    """The function's own example under ``events/``, written into an empty folder."""
    event = json.loads((EXAMPLES / function / "event.json").read_bytes())
    payload = EXAMPLES / function / "payload.json"
    described = {"LabelAttributeName": event.get("labelAttributeName", "label"), "Tags": []}
    if payload.is_file():
        uri, body = event["payload"]["s3Uri"], payload.read_bytes()
        n_objects = len(json.loads(body))
    else:
        uri, body = LABEL_CATEGORIES, (EXAMPLES / function / "label_categories.json").read_bytes()
        described["LabelCategoryConfigS3Uri"] = uri
        n_objects = 1
    FolderStore(folder).write(uri, body, content_type=_JSON, kms_key=None)
    name = job_name(event["labelingJobArn"]).lower()
    (folder / JOBS_FOLDER).mkdir()
    (folder / JOBS_FOLDER / f"{name}.json").write_text(json.dumps(described), encoding="utf-8")
    return Case(function=function, name="example", event=event, folder=folder, n_objects=n_objects)


def batch_case(function: str, folder: Path, *, seed: int, mask_size: str = MASK_SIZE) -> Case:
    """A full batch of an ACS function, made by `labeljob synthesize` in a new folder."""
    job_type = function.removeprefix("acs_")
    labels = ",".join(f"class-{number}" for number in range(_LABELS.get(job_type, 10)))
    options = {
        "--task": job_type.replace("_", "-"),
        "--labels": labels,
        "--workers": str(BATCH_WORKERS),
        "--per-object": str(BATCH_WORKERS),
        "--objects": str(BATCH_OBJECTS),
        "--batch-size": str(BATCH_OBJECTS),
        "--image-size": mask_size,
        "--seed": str(seed),
        "--output": str(folder),
    }
    command = [str(Path(sys.executable).with_name("labeljob")), "synthesize", "--no-tree"]
    given = [part for option in options.items() for part in option]
    subprocess.run([*command, *given], check=True, stdout=subprocess.DEVNULL)
    (line,) = (folder / "events" / "acs.jsonl").read_text(encoding="utf-8").splitlines()
    return Case(
        function=function,
        name=BATCH,
        event=json.loads(line),
        folder=folder,
        n_objects=BATCH_OBJECTS,
    )


MOUNT = Path("/sys/fs/cgroup")
PERIOD_MICROSECONDS = 20_000
"""How often the quota is dealt out; a group that used it up stands still until the next time."""

_NUMBERS = count()
_PATIENCE_SECONDS = 5.0
_CONTROLLERS = ("cpu", "cpuacct", "memory")


class Meter(Protocol):
    """Measures the processes that it adopted, and what those start."""

    how: str
    limits: bool

    def adopt(self, pids: Iterable[int]) -> None:
        """Measure these processes from now on."""

    def limit(self, share: float) -> None:
        """Let the processes together have this share of one processor core."""

    def processor_seconds(self) -> float:
        """Processor time of the processes since they were adopted."""

    def peak_bytes(self) -> int:
        """Most memory the processes had at a time since they were adopted."""


class ControlGroup:
    """A control group; of version 1 one for each controller."""

    limits = True

    def __init__(self, folders: dict[str, Path], version: int) -> None:
        self._folders = folders
        self._version = version
        self.how = f"control group, version {version}"

    def adopt(self, pids: Iterable[int]) -> None:
        """Move processes into the group."""
        for pid in pids:
            for folder in set(self._folders.values()):
                (folder / "cgroup.procs").write_text(str(pid))

    def limit(self, share: float) -> None:
        """Set the quota, in 20 ms periods."""
        quota = str(max(1000, round(share * PERIOD_MICROSECONDS)))
        cpu = self._folders["cpu"]
        if self._version == 2:
            (cpu / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        else:
            (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (cpu / "cpu.cfs_quota_us").write_text(quota)

    def processor_seconds(self) -> float:
        """The group's processor time, the kernel's work for it included."""
        folder = self._folders["cpuacct"]
        if self._version == 2:
            fields = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
            return int(fields["usage_usec"]) / 1e6
        return int((folder / "cpuacct.usage").read_text()) / 1e9

    def peak_bytes(self) -> int:
        """The group's high-water mark: its processes, and files that it was first to read."""
        name = "memory.peak" if self._version == 2 else "memory.max_usage_in_bytes"
        return int((self._folders["memory"] / name).read_text())

    def remove(self) -> None:
        """Remove the group once its processes have ended."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for folder in set(self._folders.values()):
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:  # a process of it is still ending
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)


class ProcessCounters:
    """What /proc tells of processes, for machines on which no control group can be made."""

    how = "the processes' own counters (VmHWM, 10 ms ticks)"
    limits = False

    def __init__(self) -> None:
        self._roots: list[int] = []

    def adopt(self, pids: Iterable[int]) -> None:
        """Remember the processes; those that they start are found when they are asked for."""
        self._roots += pids

    def limit(self, share: float) -> None:
        """Do nothing: without a control group there is no quota."""

    def processor_seconds(self) -> float:
        """Processor time of the processes that are alive."""
        ticks = 0
        for pid in descendants(self._roots):
            fields = _stat(pid)
            ticks += int(fields[11]) + int(fields[12]) if fields else 0
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak_bytes(self) -> int:
        """Sum of the processes' largest resident sizes."""
        return sum(resident_peak(pid) for pid in descendants(self._roots))


@contextmanager
def meter() -> Iterator[ControlGroup | ProcessCounters]:
    """The best meter that this machine allows, gone after the ``with`` block."""
    group = _control_group()
    if group is None:
        yield ProcessCounters()
        return
    try:
        yield group
    finally:
        group.remove()


def descendants(pids: Iterable[int]) -> list[int]:
    """Processes and all that they started, themselves first; those that ended are left out."""
    parents = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    found = [pid for pid in pids if parents.get(pid)]
    for pid in found:
        found += [child for child, fields in parents.items() if fields and int(fields[1]) == pid]
    return found


def resident_peak(pid: int) -> int:
    """Largest resident size of a process so far, in bytes; 0 if it ended."""
    try:
        lines = Path("/proc", str(pid), "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; empty if the process ended."""
    try:
        text = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _control_group() -> ControlGroup | None:
    name = f"groundtruth-benchmark-{os.getpid()}-{next(_NUMBERS)}"
    for version, parents in ((2, _parents(("",) * 3)), (1, _parents(_CONTROLLERS))):
        needed = {1: "cpu.cfs_quota_us", 2: "cpu.max"}[version]
        folders = {controller: parent / name for controller, parent in parents.items()}
        if version == 2 and not (MOUNT / "cgroup.controllers").is_file():
            continue
        group = ControlGroup(folders, version)
        try:
            for folder in set(folders.values()):
                folder.mkdir()
            (folders["cpu"] / needed).read_text()
            group.peak_bytes()
        except (OSError, KeyError):
            for folder in set(folders.values()):
                if folder.is_dir():
                    folder.rmdir()
            continue
        return group
    return None


def _parents(controllers: Iterable[str]) -> dict[str, Path]:
    """Folder of this process's own group for each of `_CONTROLLERS`."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, names, path = line.split(":", 2)
        own |= dict.fromkeys(names.split(","), path)
    found = {}
    for name, controller in zip(_CONTROLLERS, controllers, strict=True):
        mount = (MOUNT / controller).resolve()
        below = mount / own.get(controller, "/").lstrip("/")
        found[name] = below if below.is_dir() else mount
    return found


_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_CALL = re.compile(r"INVOKE RTDONE\(status: success.*?duration: ([\d.]+)ms\)")


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What one start and the calls after it took."""

    init_ms: float  # from the start of Python until the runtime asked for its first event
    calls_ms: tuple[float, ...]
    warm_seconds: float  # from before the first warm call to after the last, as the caller sees it
    processor_ms: float  # processor time of one warm call on average, the emulator's own included
    peak_mb: float  # the meter's high-water mark, in MB of a million bytes
    process_mb: float  # largest resident size of the function's Python process
    isolated: bool  # whether the function saw Lambda's file system

    @property
    def first_ms(self) -> float:
        """The first call."""
        return self.calls_ms[0]

    @property
    def warm_ms(self) -> tuple[float, ...]:
        """The calls after the first."""
        return self.calls_ms[1:]


def observe(
    case: Case,
    build: Path,
    environment: dict[str, str] | None,
    *,
    n_warm: int,
    share: float | None = None,
) -> Observation:
    """Start a built function, call it once and then again and again."""
    objects = case.folder if environment is None else None
    with ExitStack() as stack:
        gauge = stack.enter_context(meter())
        function = stack.enter_context(
            EmulatedFunction(case.function, build, environment, objects=objects)
        )
        gauge.adopt(descendants([function.process.pid]))
        if share is not None:
            gauge.limit(share)
        function.invoke(case.event)
        used, began = gauge.processor_seconds(), time.perf_counter()
        for _ in range(n_warm):
            function.invoke(case.event)
        warm_seconds = time.perf_counter() - began
        used = gauge.processor_seconds() - used
        init_ms, calls_ms = times_in(function.log, n_calls=n_warm + 1)
        return Observation(
            init_ms=init_ms,
            calls_ms=calls_ms,
            warm_seconds=warm_seconds,
            processor_ms=1000 * used / max(1, n_warm),
            peak_mb=gauge.peak_bytes() / 1e6,
            process_mb=_python_peak(function.process.pid) / 1e6,
            isolated=function.isolated,
        )


def times_in(log: str, *, n_calls: int) -> tuple[float, tuple[float, ...]]:
    """Milliseconds of the start and of each call, as the emulator's log has them.

    Examples
    --------
    >>> log = '''INIT REPORT(durationMs: 89.77)
    ... INVOKE RTDONE(status: success, produced bytes: 0, duration: 0.6ms)'''
    >>> times_in(log, n_calls=1)
    (89.77, (0.6,))
    """
    starts = [float(text) for text in _INIT.findall(log)]
    calls = tuple(float(text) for text in _CALL.findall(log))
    if len(starts) != 1 or len(calls) != n_calls:
        raise EmulatorError(
            f"the emulator's log tells of {len(starts)} starts and {len(calls)} calls, "
            f"not of 1 and {n_calls}"
        )
    return starts[0], calls


@contextmanager
def serving(case: Case) -> Iterator[dict[str, str]]:
    """Variables that lead a function to an S3 on this machine with the case's objects."""
    with EmbeddedAws(case.jobs) as aws:
        case.upload(aws)
        yield aws.environment


def meter_in_use() -> Meter:
    """What this machine measures with."""
    with meter() as gauge:
        return gauge


def _python_peak(emulator: int) -> int:
    """Largest resident size of the Python process that the emulator started."""
    return max(resident_peak(pid) for pid in descendants([emulator]) if _is_python(pid))


def _is_python(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "comm").read_text(encoding="utf-8").startswith("python")
    except OSError:
        return False
