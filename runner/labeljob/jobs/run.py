"""A whole labeling job in this process: PRE, workers, ACS, output manifest, and what came of it."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image, UnidentifiedImageError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from groundtruth.contract.fields import label_category_file
from groundtruth.errors import StorageError
from groundtruth.finishing.manifest import compact_json
from groundtruth.storage.folder import FolderStore, remove_parts
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import NO_USABLE_ANSWER, NOT_PROCESSED
from groundtruth.worker_history.store import SKILL_FILE_VARIABLE
from labeljob import messages
from labeljob.application import LocalFunction, find_template
from labeljob.jobs.description import (
    JobDescription,
    JobError,
    begin_or_resume,
    check_name,
    load_description,
)
from labeljob.jobs.function_answers import check_response, contents_by_object, wants_workers
from labeljob.jobs.ground_truth_messages import (
    Assignment,
    ScheduledBatch,
    acs_event,
    output_line,
    payload_entry,
    pre_event,
    schedule,
    worker_response,
)
from labeljob.jobs.job_location import Place
from labeljob.jobs.manifest_lines import ManifestLine
from labeljob.metrics.scores import mean_iou
from labeljob.simulation.truth import TruthError, invented_truth, read_truth
from labeljob.simulation.workers import SimulatedWorker, answer, create_workers
from labeljob.tasks.base import Mask, Truth

Handler: TypeAlias = Callable[[Mapping[str, Any]], Any]
Advance: TypeAlias = Callable[[str, int], None]

ANSWERED = "answered"
CONSOLIDATED = "consolidated"


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """A run of one job; running it again does what is left.

    `advance` is told ``(stage, how many)`` as data objects are `ANSWERED` and `CONSOLIDATED`.
    """

    description: JobDescription
    lines: Sequence[ManifestLine]
    pool: Sequence[SimulatedWorker]
    truth_of: Callable[[ManifestLine], Truth]
    pre: Handler
    acs: Handler
    store: ObjectStore
    advance: Advance

    def batches(self) -> Iterator[ScheduledBatch]:
        """The batches of the job, in order."""
        return schedule(self.description, self.pool, self.lines)

    def run(self) -> None:
        """Do what is left of the job, and write its output manifest.

        The label category file has to be there.

        Raises `GroundTruthError`; what is done so far is kept.
        """
        known = set(self.store.list(f"{self.description.layout.root}/"))
        for batch in self.batches():
            self._label(batch, known)
        self._write_output()

    def consolidated(self, batch: ScheduledBatch) -> dict[str, dict[str, Any]]:
        """What the ACS function said of a batch: content by data object."""
        uri = self.description.layout.response(batch.called)
        return contents_by_object(json.loads(self.store.read(uri)))

    def write_label_file(self) -> None:
        """Put the job's label category file where its description says."""
        labels = label_category_file(list(self.description.labels))
        self._write(self.description.label_file, json.dumps(labels))

    def _label(self, batch: ScheduledBatch, known: set[str]) -> None:
        layout = self.description.layout
        request_uri, response_uri = layout.request(batch.called), layout.response(batch.called)
        if response_uri in known:
            self.advance(ANSWERED, len(batch.lines))
            self.advance(CONSOLIDATED, len(batch.lines))
            return
        payload = []
        for line, assignments in zip(batch.lines, batch.assignments, strict=True):
            answers = self._collect_answers(line, assignments, known)
            self.advance(ANSWERED, 1)
            if answers is not None:
                payload.append(payload_entry(line, answers))
        response: Any = []
        if payload:
            self._write(request_uri, json.dumps(payload))
            response = self.acs(acs_event(self.description, request_uri))
        check_response(response, payload)
        self._write(response_uri, json.dumps(response))
        self.advance(CONSOLIDATED, len(batch.lines))

    def _collect_answers(
        self, line: ManifestLine, assignments: Sequence[Assignment], known: set[str]
    ) -> dict[str, Any] | None:
        """The workers' answers to a data object; None if none are wanted."""
        uri = self.description.layout.worker_response(line.object_id, assignments[-1].submitted)
        if uri in known:
            stored: dict[str, Any] = json.loads(self.store.read(uri))
            return stored
        task = self.pre(pre_event(self.description, line.values))
        if not wants_workers(task):
            return None
        truth = self.truth_of(line)
        contents = [
            answer(
                assignment.worker,
                self.description.task,
                object_id=line.object_id,
                labels=task["taskInput"]["labels"],
                truth=truth,
                seed=self.description.seed,
            )
            for assignment in assignments
        ]
        response = worker_response(
            assignment.submit(content)
            for assignment, content in zip(assignments, contents, strict=True)
        )
        self._write(uri, compact_json(response))
        return response

    def _write_output(self) -> None:
        lines = []
        for batch in self.batches():
            contents = self.consolidated(batch)
            lines += [
                output_line(self.description, line, contents.get(line.object_id), batch.called)
                for line in batch.lines
            ]
        self._write(self.description.layout.output_manifest, "".join(f"{line}\n" for line in lines))

    def _write(self, uri: str, text: str) -> None:
        self.store.write(uri, text.encode(), content_type="application/json", kms_key=None)


WITHOUT_LABEL = (NO_USABLE_ANSWER, NOT_PROCESSED)


@dataclass(kw_only=True)
class Summary:
    """Counts over the data objects of a job.

    Scores are agreements with the truth in [0, 1]: 1 or 0 for a class, the Jaccard index of label
    sets, the mean intersection over union of the classes of a mask.
    """

    objects: int = 0
    unasked: int = 0  # that no worker was asked about
    statuses: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)  # by reason
    confidences: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    @property
    def mean_confidence(self) -> float:
        """Mean over the labels; 0 without any."""
        return float(np.mean(self.confidences)) if self.confidences else 0.0

    @property
    def mean_score(self) -> float:
        """Mean agreement with the truth; 0 without any label."""
        return float(np.mean(self.scores)) if self.scores else 0.0


def summarize(run: JobRun) -> Summary:
    """Count what a finished run wrote."""
    summary = Summary()
    for batch in run.batches():
        contents = run.consolidated(batch)
        for line in batch.lines:
            summary.objects += 1
            content = contents.get(line.object_id)
            if content is None:
                summary.unasked += 1
            else:
                _count(summary, run, line, content)
    return summary


def _count(summary: Summary, run: JobRun, line: ManifestLine, content: Mapping[str, Any]) -> None:
    attribute = run.description.attribute
    value = content.get(attribute)
    if isinstance(value, dict):
        summary.statuses[value["status"]] += 1
        for item in value["answers"]["set-aside"]:
            summary.rejected[item["reason"]] += 1
    else:
        summary.statuses["labeled" if attribute in content else "no-usable-answer"] += 1
    metadata = content.get(f"{attribute}-metadata", {})
    confidences = _confidences(value if isinstance(value, dict) else metadata)
    if attribute in content and confidences:
        summary.confidences.append(float(np.mean(confidences)))
    score = _score(run, value, metadata, run.truth_of(line))
    if score is not None:
        summary.scores.append(score)


def _confidences(value: Mapping[str, Any]) -> list[float]:
    if "confidence" in value:
        return [] if value.get("status") in WITHOUT_LABEL else [value["confidence"]]
    if "confidence-map" in value:
        return list(value["confidence-map"].values())
    return [entry["confidence"] for entry in value.get("internal-color-map", {}).values()]


def _score(run: JobRun, value: Any, metadata: Mapping[str, Any], truth: Truth) -> float | None:
    """Agreement of one label with the truth; None if there is no label."""
    if isinstance(truth, np.ndarray):
        uri = value.get("mask-ref") if isinstance(value, dict) else value
        return None if uri is None else mean_iou(_mask(run, uri), truth)
    source = value if isinstance(value, dict) else metadata
    if isinstance(truth, str):
        name = source.get("class-name")
        return None if name is None else float(name == truth)
    names = set(source.get("class-map", {}).values())
    return len(names & truth) / len(names | truth) if names else None


def _mask(run: JobRun, uri: str) -> Mask:
    with Image.open(io.BytesIO(run.store.read(uri)), formats=("PNG",)) as image:
        return np.array(image)


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
    check_name(wanted.name)
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
    """Render the page that the first data object's workers would see, where Liquid is there."""
    if find_spec("liquid") is None:
        messages.note("the worker's page was not tried: that takes the extra portal")
        return
    from labeljob.jobs.worker_pages import read_template

    template = find_template(run.description.task.folder)
    task = run.pre(pre_event(run.description, run.lines[0].values))
    read_template(template).check(task["taskInput"])


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
