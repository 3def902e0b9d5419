"""A job's answers, batch by batch: memory holds one batch, whatever the size of the job."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from groundtruth.compat import batched
from groundtruth.contract.fields import label_category_file
from groundtruth.finishing.manifest import compact_json
from groundtruth.storage.folder import FolderStore
from labeljob.jobs.description import JobDescription, save_description
from labeljob.jobs.ground_truth_messages import (
    Assignment,
    acs_event,
    payload_entry,
    pre_event,
    schedule,
    worker_response,
)
from labeljob.jobs.job_location import JOBS_FOLDER, LOCAL_OUTPUT
from labeljob.jobs.manifest_lines import ManifestLine
from labeljob.simulation.behavior import SyntheticWorker, answer_of, difficulty
from labeljob.simulation.masks import canvas_png, label_colors
from labeljob.simulation.truth import invented_truth
from labeljob.simulation.workers import generator
from labeljob.tasks.base import JobType, Truth


@dataclass(frozen=True, kw_only=True)
class Disturbances:
    """What goes wrong beside the workers' errors; shares and means, each from 0 to below 1."""

    # Share of the answers that nobody gives. One answer of each data object is always given.
    missing: float = 0.0
    # Share that comes after the batch was consolidated: among the worker responses, not in the
    # payload. One answer of each data object is always in time.
    late: float = 0.0
    difficulty: float = 0.0  # mean difficulty of the data objects, as `behavior.difficulty` has it


@dataclass(frozen=True, kw_only=True)
class SynthesizedObject:
    """One data object, what is right, and all its answers as the worker-response file has them."""

    line: ManifestLine
    truth: Truth
    response: dict[str, Any]
    in_time: dict[str, Any]  # those of the answers that were there when it was consolidated
    submitted: datetime  # when the last answer was handed in


@dataclass(frozen=True, kw_only=True)
class Synthesized:
    """One batch: its data objects, its payload, and when the ACS function is called."""

    objects: tuple[SynthesizedObject, ...]
    payload: list[dict[str, Any]]
    called: datetime


@dataclass(kw_only=True)
class Synthesis:
    """A job whose answers are made up."""

    description: JobDescription
    crew: Sequence[SyntheticWorker]
    n_objects: int
    source_ref: Callable[[str], str]  # of an object id
    shape: tuple[int, int] = (180, 320)  # rows and columns of a mask
    disturbances: Disturbances = field(default_factory=Disturbances)

    def batches(self) -> Iterator[Synthesized]:
        """The batches in order. Going through them again gives the same."""
        pool = [member.worker for member in self.crew]
        done: Counter[str] = Counter()
        offered = self.description.started
        for lines in batched(self._lines(), self.description.batch_size):
            (batch,) = schedule(replace(self.description, started=offered), pool, lines)
            objects = tuple(
                self._answer(line, assignments, batch.called, done)
                for line, assignments in zip(batch.lines, batch.assignments, strict=True)
            )
            payload = [payload_entry(item.line, item.in_time) for item in objects]
            yield Synthesized(objects=objects, payload=payload, called=batch.called)
            offered = batch.called

    @cached_property
    def _members(self) -> dict[str, SyntheticWorker]:
        return {member.worker.worker_id: member for member in self.crew}

    def _lines(self) -> Iterator[ManifestLine]:
        key = self.description.task.source_key
        for number in range(self.n_objects):
            values = {key: self.source_ref(str(number))}
            yield ManifestLine(str(number), compact_json(values), values, key)

    def _answer(
        self,
        line: ManifestLine,
        assignments: Sequence[Assignment],
        called: datetime,
        done: Counter[str],
    ) -> SynthesizedObject:
        description, object_id = self.description, line.object_id
        labels, seed = description.labels, description.seed
        truth = invented_truth(description.task, labels, object_id, self.shape, seed)
        hardness = difficulty(self.disturbances.difficulty, object_id, seed)
        kept, n_in_time = self._disturb(object_id, assignments, called)
        contents = []
        for assignment in kept:
            worker_id = assignment.worker.worker_id
            contents.append(
                answer_of(
                    self._members[worker_id],
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
        response = worker_response(
            assignment.submit(content) for assignment, content in zip(kept, contents, strict=True)
        )
        return SynthesizedObject(
            line=line,
            truth=truth,
            response=response,
            in_time={"answers": response["answers"][:n_in_time]},
            submitted=kept[-1].submitted,
        )

    def _disturb(
        self, object_id: str, assignments: Sequence[Assignment], called: datetime
    ) -> tuple[list[Assignment], int]:
        """Assignments that took place, those in time first, and how many those are."""
        missing, late = self.disturbances.missing, self.disturbances.late
        if not missing and not late:
            return list(assignments), len(assignments)
        rng = generator(self.description.seed, "disturbances", object_id)
        lots = rng.random((2, len(assignments)))
        lots[:, int(rng.integers(len(assignments)))] = 1.0
        delays = rng.exponential(600.0, len(assignments)).tolist()
        in_time, after = [], []
        for assignment, given, prompt, delay in zip(assignments, *lots, delays, strict=True):
            if given < missing:
                continue
            if prompt >= late:
                in_time.append(assignment)
                continue
            submitted = called + timedelta(seconds=1.0 + round(delay, 3))
            accepted = submitted - timedelta(seconds=assignment.seconds)
            after.append(replace(assignment, accepted=accepted, submitted=submitted))
        after.sort(key=lambda assignment: assignment.submitted)
        return in_time + after, len(in_time)


MANIFEST, TRUTH, MASKS = "input.manifest", "truth.jsonl", "truth-masks"
PRE_EVENTS, ACS_EVENTS = "events/pre.jsonl", "events/acs.jsonl"
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
"""When every synthetic job begins, so that the same command writes the same bytes."""


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
    layout = description.layout

    def put(uri: str, text: str) -> None:
        store.write(uri, text.encode(), content_type="application/json", kms_key=None)

    put(description.label_file, json.dumps(label_category_file(list(description.labels))))
    save_description(folder / JOBS_FOLDER, description)
    (folder / "events").mkdir(exist_ok=True)
    with ExitStack() as stack:
        manifest, truths, pre_events, acs_events = (
            stack.enter_context((folder / name).open("w", encoding="utf-8", newline="\n"))
            for name in (MANIFEST, TRUTH, PRE_EVENTS, ACS_EVENTS)
        )
        for batch in synthesis.batches():
            for item in batch.objects:
                manifest.write(f"{item.line.text}\n")
                truths.write(f"{compact_json(_truth_line(synthesis, item, folder, store))}\n")
                pre_events.write(f"{compact_json(pre_event(description, item.line.values))}\n")
                if tree:
                    uri = layout.worker_response(item.line.object_id, item.submitted)
                    put(uri, compact_json(item.response))
                n_answers = len(item.response["answers"])
                written.answers += n_answers
                written.late += n_answers - len(item.in_time["answers"])
            request = layout.request(batch.called)
            put(request, json.dumps(batch.payload))
            acs_events.write(f"{compact_json(acs_event(description, request))}\n")
            written.objects += len(batch.objects)
            written.calls += 1
            advance(len(batch.objects))
    return written


def _truth_line(
    synthesis: Synthesis, item: SynthesizedObject, folder: Path, store: FolderStore
) -> dict[str, Any]:
    """A line of the truth file; a mask is written beside it, and an image that shows it."""
    labels, truth = synthesis.description.labels, item.truth
    value: Any = truth
    if isinstance(truth, frozenset):
        value = [name for name in labels if name in truth]
    elif isinstance(truth, np.ndarray):
        value = f"{MASKS}/{item.line.object_id}.png"
        (folder / MASKS).mkdir(exist_ok=True)
        Image.fromarray(truth, mode="L").save(folder / value)
        picture = canvas_png(truth, list(label_colors(labels).values()))
        store.write(item.line.source_ref, picture, content_type="image/png", kms_key=None)
    return {
        item.line.source_key: item.line.source_ref,
        synthesis.description.task.truth_key: value,
    }


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
        crew=crew,
        per_object=per_object,
        seed=seed,
        batch_size=batch_size,
        started=STARTED,
    )
