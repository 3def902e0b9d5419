"""A whole labeling job: PRE, workers, ACS, output manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundtruth.contract.fields import label_category_file
from groundtruth.storage.s3 import ObjectStore
from labeljob.jobs.description import JobDescription, JobError
from labeljob.jobs.ground_truth_messages import (
    Assignment,
    ScheduledBatch,
    acs_event,
    custom_metadata,
    payload_entry,
    pre_event,
    schedule,
    worker_response,
)
from labeljob.jobs.manifest_lines import ManifestLine, compact_json, labeled_line
from labeljob.simulation.answers import answer
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import Truth

type Handler = Callable[[Mapping[str, Any]], Any]
type Advance = Callable[[str, int], None]

ANSWERED = "answered"
CONSOLIDATED = "consolidated"
JSON_TYPE = "application/json"


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """A run of one job; running it again does what is left.

    Attributes
    ----------
    description : JobDescription
        The job.
    lines : sequence of ManifestLine
        Its input manifest.
    pool : sequence of SimulatedWorker
        Its workers.
    truth_of : callable
        What a perfect worker would answer to a data object.
    pre, acs : callable
        The two Lambda handlers.
    store : ObjectStore
        Where the job's files are.
    advance : callable
        Told ``(stage, how many)`` as data objects are `ANSWERED` and `CONSOLIDATED`.
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
        response = json.loads(self.store.read(uri))
        return {
            item["datasetObjectId"]: item["consolidatedAnnotation"]["content"] for item in response
        }

    def write_label_file(self) -> None:
        """Put the job's label category file where its description says."""
        body = json.dumps(label_category_file(list(self.description.labels))).encode()
        self._write(self.description.label_file, body)

    def _label(self, batch: ScheduledBatch, known: set[str]) -> None:
        layout = self.description.layout
        request_uri, response_uri = layout.request(batch.called), layout.response(batch.called)
        if response_uri in known:
            self.advance(ANSWERED, len(batch.lines))
            self.advance(CONSOLIDATED, len(batch.lines))
            return
        payload = [entry for entry in self._collected(batch, known) if entry is not None]
        response: Any = []
        if payload:
            self._write(request_uri, json.dumps(payload).encode())
            response = self.acs(acs_event(self.description, request_uri))
        _check_response(response, payload)
        self._write(response_uri, json.dumps(response).encode())
        self.advance(CONSOLIDATED, len(batch.lines))

    def _collected(self, batch: ScheduledBatch, known: set[str]) -> Iterator[dict[str, Any] | None]:
        for line, assignments in zip(batch.lines, batch.assignments, strict=True):
            response = self._answered(line, assignments, known)
            self.advance(ANSWERED, 1)
            yield response and payload_entry(line, response)

    def _answered(
        self, line: ManifestLine, assignments: Sequence[Assignment], known: set[str]
    ) -> dict[str, Any] | None:
        """The workers' answers to a data object; None if none are wanted."""
        uri = self.description.layout.worker_response(line.object_id, assignments[-1].submitted)
        if uri in known:
            stored: dict[str, Any] = json.loads(self.store.read(uri))
            return stored
        task = self.pre(pre_event(self.description, line.values))
        if not _human_wanted(task):
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
        response = worker_response(assignments, contents)
        self._write(uri, compact_json(response).encode())
        return response

    def _write_output(self) -> None:
        written: list[str] = []
        for batch in self.batches():
            contents = self.consolidated(batch)
            written.extend(
                self._output_line(line, contents.get(line.object_id), batch) for line in batch.lines
            )
        body = "".join(f"{text}\n" for text in written).encode()
        self._write(self.description.layout.output_manifest, body)

    def _output_line(
        self, line: ManifestLine, content: Mapping[str, Any] | None, batch: ScheduledBatch
    ) -> str:
        """The output manifest's line of a data object, as the service writes it for custom jobs."""
        if content is None:
            return line.text
        attribute = self.description.attribute
        metadata_key = f"{attribute}-metadata"
        if attribute not in content:
            return labeled_line(line, {metadata_key: content.get(metadata_key, {})})
        metadata = custom_metadata(self.description, batch.called)
        return labeled_line(line, {attribute: content[attribute], metadata_key: metadata})

    def _write(self, uri: str, body: bytes) -> None:
        self.store.write(uri, body, content_type=JSON_TYPE, kms_key=None)


def _human_wanted(task: Any) -> bool:
    """Whether a PRE function's answer asks for workers; they are asked if it says nothing."""
    if not isinstance(task, dict) or not isinstance(task.get("taskInput"), dict):
        raise JobError("the PRE function returned no taskInput")
    wanted = task.get("isHumanAnnotationRequired", True)
    if not isinstance(wanted, bool):
        raise JobError("the PRE function's isHumanAnnotationRequired is not true or false")
    return wanted


def _check_response(response: Any, payload: Sequence[Mapping[str, Any]]) -> None:
    """Every data object of the payload has to be in the response once, in its order."""
    asked = [entry["datasetObjectId"] for entry in payload]
    got = [item.get("datasetObjectId") for item in response] if isinstance(response, list) else None
    if got != asked:
        raise JobError(f"the ACS function answered for the data objects {got}, not for {asked}")
