"""A job's answers, batch by batch: memory holds one batch, whatever the size of the job."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from PIL import Image

from groundtruth.contract.fields import label_category_file
from groundtruth.storage.folder import FolderStore
from labeljob.jobs.description import JobDescription, description_path
from labeljob.jobs.ground_truth_messages import (
    Assignment,
    acs_event,
    payload_entry,
    pre_event,
    schedule,
    worker_response,
)
from labeljob.jobs.job_location import LOCAL_OUTPUT
from labeljob.jobs.manifest_lines import ManifestLine, compact_json
from labeljob.output_files import write_text
from labeljob.simulation.behavior import SyntheticWorker, answer_of, difficulty
from labeljob.simulation.canvas import canvas_png, label_colors
from labeljob.simulation.truth import invented_truth
from labeljob.simulation.workers import generator
from labeljob.tasks.base import JobType, Truth


@dataclass(frozen=True, kw_only=True)
class Disturbances:
    """What goes wrong beside the workers' errors; shares and means, each from 0 to below 1.

    Attributes
    ----------
    missing : float
        Share of the answers that nobody gives. One answer of each data object is always given.
    late : float
        Share that comes after the batch was consolidated: among the worker responses, not in
        the payload. One answer of each data object is always in time.
    difficulty : float
        Mean difficulty of the data objects, as `behavior.difficulty` has it.
    """

    missing: float = 0.0
    late: float = 0.0
    difficulty: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SynthesizedObject:
    """One data object with its answers.

    Attributes
    ----------
    line : ManifestLine
        Its line of the manifest.
    truth : str, frozenset of str or ndarray
        What is right.
    response : dict
        All answers, as the worker-response file has them.
    in_time : dict
        Those of them that were there when the batch was consolidated.
    submitted : datetime
        When the last answer was handed in.
    """

    line: ManifestLine
    truth: Truth
    response: dict[str, Any]
    in_time: dict[str, Any]
    submitted: datetime


@dataclass(frozen=True, kw_only=True)
class Synthesized:
    """One batch: its data objects, its payload, and when the ACS function is called."""

    objects: tuple[SynthesizedObject, ...]
    payload: list[dict[str, Any]]
    called: datetime


@dataclass(kw_only=True)
class Synthesis:
    """A job whose answers are made up.

    Attributes
    ----------
    description : JobDescription
        The job.
    crew : sequence of SyntheticWorker
        Its workers.
    n_objects : int
        How many data objects it has.
    source_ref : callable
        ``source-ref`` of an object id.
    shape : tuple of int
        Rows and columns of a mask.
    disturbances : Disturbances
        What goes wrong.
    """

    description: JobDescription
    crew: Sequence[SyntheticWorker]
    n_objects: int
    source_ref: Callable[[str], str]
    shape: tuple[int, int] = (180, 320)
    disturbances: Disturbances = field(default_factory=Disturbances)

    def batches(self) -> Iterator[Synthesized]:
        """The batches in order. Going through them again gives the same."""
        members = {member.worker.worker_id: member for member in self.crew}
        pool = [member.worker for member in self.crew]
        done: Counter[str] = Counter()
        offered = self.description.started
        for chunk in batched(self._lines(), self.description.batch_size, strict=False):
            at = replace(self.description, started=offered)
            (batch,) = schedule(at, pool, chunk)
            made = [
                self._answered(line, assignments, batch.called, members, done)
                for line, assignments in zip(batch.lines, batch.assignments, strict=True)
            ]
            payload = [payload_entry(one.line, one.in_time) for one in made]
            yield Synthesized(objects=tuple(made), payload=payload, called=batch.called)
            offered = batch.called

    def _lines(self) -> Iterator[ManifestLine]:
        for number in range(self.n_objects):
            key = self.description.task.source_key
            values = {key: self.source_ref(str(number))}
            yield ManifestLine(str(number), compact_json(values), values, key)

    def _answered(
        self,
        line: ManifestLine,
        assignments: Sequence[Assignment],
        called: datetime,
        members: dict[str, SyntheticWorker],
        done: Counter[str],
    ) -> SynthesizedObject:
        description, object_id = self.description, line.object_id
        labels, seed = description.labels, description.seed
        truth = invented_truth(description.task, labels, object_id, self.shape, seed)
        hardness = difficulty(self.disturbances.difficulty, object_id, seed)
        kept, n_in_time = self._kept(object_id, assignments, called)
        contents = []
        for assignment in kept:
            worker_id = assignment.worker.worker_id
            contents.append(
                answer_of(
                    members[worker_id],
                    description.task,
                    object_id=object_id,
                    labels=labels,
                    truth=truth,
                    seed=seed,
                    hardness=hardness,
                    tasks_done=done[worker_id],
                )
            )
            done[worker_id] += 1
        response = worker_response(kept, contents)
        return SynthesizedObject(
            line=line,
            truth=truth,
            response=response,
            in_time={"answers": response["answers"][:n_in_time]},
            submitted=kept[-1].submitted,
        )

    def _kept(
        self, object_id: str, assignments: Sequence[Assignment], called: datetime
    ) -> tuple[list[Assignment], int]:
        """Assignments that took place, those in time first, and how many those are."""
        missing, late = self.disturbances.missing, self.disturbances.late
        if not missing and not late:
            return list(assignments), len(assignments)
        rng = generator(self.description.seed, "disturbances", object_id)
        lots = rng.random((2, len(assignments)))
        spared = int(rng.integers(len(assignments)))
        lots[:, spared] = 1.0
        delays = rng.exponential(600.0, len(assignments))
        in_time, after = [], []
        for place, assignment in enumerate(assignments):
            if lots[0, place] < missing:
                continue
            if lots[1, place] >= late:
                in_time.append(assignment)
                continue
            submitted = called + timedelta(seconds=1.0 + round(float(delays[place]), 3))
            accepted = submitted - timedelta(seconds=assignment.seconds)
            after.append(replace(assignment, accepted=accepted, submitted=submitted))
        after.sort(key=lambda assignment: assignment.submitted)
        return in_time + after, len(in_time)


MANIFEST, TRUTH, MASKS = "input.manifest", "truth.jsonl", "truth-masks"
PRE_EVENTS, ACS_EVENTS = "events/pre.jsonl", "events/acs.jsonl"
DESCRIPTIONS = ".labeling-jobs"
_JSON = "application/json"


@dataclass
class Written:
    """How much was written."""

    objects: int = 0
    answers: int = 0
    late: int = 0
    calls: int = 0


def write_files(
    synthesis: Synthesis, folder: Path, *, tree: bool, advance: Callable[[int], None]
) -> Written:
    """Write all files of a synthetic job; raises `OutputError`, `StorageError`.

    Without `tree`, no data object gets a worker-response file: the payloads hold the same
    answers in a few files.
    """
    description, store, written = synthesis.description, FolderStore(folder), Written()
    labels = json.dumps(label_category_file(list(description.labels))).encode()
    store.write(description.label_file, labels, content_type=_JSON, kms_key=None)
    job = json.dumps(description.as_json(), indent=2)
    write_text(description_path(folder / DESCRIPTIONS, description.name), f"{job}\n")
    (folder / "events").mkdir(exist_ok=True)
    with ExitStack() as stack:

        def opened(name: str) -> TextIO:
            return stack.enter_context((folder / name).open("w", encoding="utf-8", newline="\n"))

        manifest, truths = opened(MANIFEST), opened(TRUTH)
        pre_events, acs_events = opened(PRE_EVENTS), opened(ACS_EVENTS)
        for batch in synthesis.batches():
            for one in batch.objects:
                manifest.write(f"{one.line.text}\n")
                truths.write(f"{compact_json(_truth_line(synthesis, one, folder, store))}\n")
                pre_events.write(f"{compact_json(pre_event(description, one.line.values))}\n")
                if tree:
                    _write_response(synthesis, one, store)
            acs_events.write(f"{compact_json(_payload(synthesis, batch, store))}\n")
            _count(written, batch)
            advance(len(batch.objects))
    return written


def _payload(synthesis: Synthesis, batch: Synthesized, store: FolderStore) -> dict[str, Any]:
    """Write a batch's payload; its event."""
    uri = synthesis.description.layout.request(batch.called)
    store.write(uri, json.dumps(batch.payload).encode(), content_type=_JSON, kms_key=None)
    return acs_event(synthesis.description, uri)


def _write_response(synthesis: Synthesis, one: SynthesizedObject, store: FolderStore) -> None:
    uri = synthesis.description.layout.worker_response(one.line.object_id, one.submitted)
    body = compact_json(one.response).encode()
    store.write(uri, body, content_type=_JSON, kms_key=None)


def _truth_line(
    synthesis: Synthesis, one: SynthesizedObject, folder: Path, store: FolderStore
) -> dict[str, Any]:
    """A line of the truth file; a mask is written beside it, and an image that shows it."""
    value: Any = one.truth
    if isinstance(one.truth, frozenset):
        value = [name for name in synthesis.description.labels if name in one.truth]
    elif isinstance(one.truth, np.ndarray):
        value = f"{MASKS}/{one.line.object_id}.png"
        (folder / MASKS).mkdir(exist_ok=True)
        Image.fromarray(one.truth, mode="L").save(folder / value)
        body = _picture(one.truth, synthesis)
        store.write(one.line.source_ref, body, content_type="image/png", kms_key=None)
    return {one.line.source_key: one.line.source_ref, synthesis.description.task.truth_key: value}


def _picture(truth: Truth, synthesis: Synthesis) -> bytes:
    """An image of a true mask: each class in its colour."""
    colors = label_colors(synthesis.description.labels)
    return canvas_png(np.asarray(truth, dtype=np.uint8), list(colors.values()))


def _count(written: Written, batch: Synthesized) -> None:
    for one in batch.objects:
        written.objects += 1
        written.answers += len(one.response["answers"])
        written.late += len(one.response["answers"]) - len(one.in_time["answers"])
    written.calls += 1


STARTED = datetime(2026, 1, 1, tzinfo=UTC)
"""When every synthetic job begins, so that the same command writes the same bytes."""


def synthetic_description(
    *,
    name: str = "synthetic",
    task: JobType,
    labels: tuple[str, ...],
    attribute: str = "label",
    crew: str,
    per_object: int,
    seed: int,
    batch_size: int = 50,
) -> JobDescription:
    """The description of a synthetic job, which has neither a truth file nor tags."""
    return JobDescription(
        name=name,
        task=task,
        labels=labels,
        attribute=attribute,
        output=LOCAL_OUTPUT,
        manifest=MANIFEST,
        manifest_digest="",
        crew=crew,
        per_object=per_object,
        seed=seed,
        truth="",
        batch_size=batch_size,
        tags={},
        started=STARTED,
    )
