"""Runs a job in this process, with a bar for what is done."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from PIL import Image, UnidentifiedImageError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.storage.folder import FolderStore, remove_parts
from groundtruth.storage.s3 import ObjectStore
from groundtruth.worker_history.store import SKILL_FILE_VARIABLE
from labeljob import messages
from labeljob.application import LocalFunction, application_folder
from labeljob.jobs.description import JobDescription, JobError, begin_or_resume, load_description
from labeljob.jobs.ground_truth_messages import pre_event
from labeljob.jobs.job_location import Place
from labeljob.jobs.manifest_lines import ManifestLine
from labeljob.jobs.run import ANSWERED, CONSOLIDATED, JobRun, Summary, summarize
from labeljob.simulation.truth import TruthError, invented_truth, read_truth
from labeljob.simulation.workers import create_workers
from labeljob.tasks.base import Truth

_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """A finished job, how long this run of it took, and the path of the functions' log."""

    description: JobDescription
    summary: Summary
    seconds: float
    log: str


def run_locally(
    wanted: JobDescription, lines: Sequence[ManifestLine], place: Place, *, fresh: bool
) -> JobResult:
    """Begin a job or resume it, and run it to its end; raises `GroundTruthError`."""
    if not re.fullmatch(_NAME, wanted.name):
        raise JobError(f"{wanted.name!r} cannot be a job's name: 1 to 63 letters, digits, hyphens")
    began = time.monotonic()
    place.jobs.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.jobs / f"{wanted.name.lower()}.lock", timeout=0)
    try:
        with lock:
            if fresh:
                place.forget(load_description(place.jobs, wanted.name) or wanted)
            remove_parts(place.jobs)
            description = begin_or_resume(place.jobs, wanted)
            if isinstance(place.store, FolderStore):
                place.store.remove_parts(description.layout.root)
            summary = _run(description, lines, place)
    except Timeout as error:
        raise JobError(f"another run of job {wanted.name} is under way") from error
    seconds = time.monotonic() - began
    log = str(_log_path(description, place))
    return JobResult(description=description, summary=summary, seconds=seconds, log=log)


def _log_path(description: JobDescription, place: Place) -> Path:
    return place.jobs / f"{description.name.lower()}.log"


def _run(description: JobDescription, lines: Sequence[ManifestLine], place: Place) -> Summary:
    with ExitStack() as stack:
        log = _log_path(description, place)
        skill_file = str(description.skill_file or place.skill_file(description.name))
        environment = {**place.environment, SKILL_FILE_VARIABLE: skill_file}
        names = (f"{part}_{description.task.folder}" for part in ("pre", "acs"))
        pre, acs = (
            stack.enter_context(LocalFunction(name, environment, log=log)) for name in names
        )
        bars = stack.enter_context(_bars())
        stages = {
            ANSWERED: bars.add_task("Workers answer", total=len(lines)),
            CONSOLIDATED: bars.add_task("Answers are consolidated", total=len(lines)),
        }
        run = JobRun(
            description=description,
            lines=lines,
            pool=create_workers(description.crew, seed=description.seed),
            truth_of=find_truths(description, place.store),
            pre=pre,
            acs=acs,
            store=place.store,
            advance=lambda stage, count: bars.advance(stages[stage], count),
        )
        run.write_label_file()
        _check_page(run)
        run.run()
        return summarize(run)


def _check_page(run: JobRun) -> None:
    """Render the page that the first data object's workers would see."""
    from labeljob.jobs.worker_pages import render_page

    template = (
        application_folder() / "worker_templates" / f"{run.description.task.folder}.liquid.html"
    )
    task = run.pre(pre_event(run.description, run.lines[0].values))
    try:
        render_page(
            template.read_text(encoding="utf-8"),
            task["taskInput"],
            grant_read_access=lambda uri: uri,
        )
    except OSError as error:
        raise JobError(f"{template} cannot be read ({error.strerror})") from error
    except GroundTruthError as error:
        raise JobError(f"{template}: {error}") from error


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=messages.console,
        disable=not messages.console.is_terminal,
    )


def find_truths(description: JobDescription, store: ObjectStore) -> Callable[[ManifestLine], Truth]:
    """The truth of the job's file, or one that is invented from the seed; raises `TruthError`."""
    task, labels = description.task, description.labels
    folder = Path(description.manifest).parent

    def invent(line: ManifestLine) -> Truth:
        shape = _image_shape(line, folder, store) if task.label_is_mask else None
        return invented_truth(task, labels, line.object_id, shape, description.seed)

    if not description.truth:
        return invent
    path = Path(description.truth)
    table = read_truth(path, task, labels)

    def look_up(line: ManifestLine) -> Truth:
        if line.source_ref not in table:
            raise TruthError(f"says nothing of {line.source_ref}", path=path)
        return table[line.source_ref]

    return look_up


def _image_shape(line: ManifestLine, folder: Path, store: ObjectStore) -> tuple[int, int]:
    """Rows and columns of an image, a path from the manifest's folder or a URI of the store."""
    uri = line.source_ref
    try:
        body = store.read(uri) if uri.startswith("s3://") else (folder / uri).read_bytes()
        with Image.open(io.BytesIO(body)) as image:
            return image.height, image.width
    except (StorageError, OSError, UnidentifiedImageError) as error:
        where = f"manifest line {int(line.object_id) + 1}, {uri}"
        raise JobError(f"{where}: the image cannot be read ({error})") from error
