"""The JSON that Ground Truth itself writes and sends: events, payloads, answers, metadata."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from groundtruth.compat import batched
from labeljob.application import ACCOUNT, REGION
from labeljob.jobs.description import JobDescription, answer_time, metadata_time
from labeljob.jobs.manifest_lines import ManifestLine, labeled_line
from labeljob.simulation.workers import SimulatedWorker, assign, timing


@dataclass(frozen=True)
class Assignment:
    """One worker at one data object."""

    worker: SimulatedWorker  # who answers
    # accepted, submitted: when the worker took the task and handed it in
    accepted: datetime
    submitted: datetime
    seconds: float  # time spent on it

    def submit(self, content: Mapping[str, Any]) -> SubmittedAnswer:
        """What the worker hands in."""
        worker_id = self.worker.worker_id
        return SubmittedAnswer(
            worker_id=worker_id,
            content=content,
            accepted=self.accepted,
            submitted=self.submitted,
            seconds=self.seconds,
            identity=cognito_identity(str(uuid.uuid5(uuid.NAMESPACE_OID, worker_id))),
        )


@dataclass(frozen=True, kw_only=True)
class SubmittedAnswer:
    """One worker's answer to a data object."""

    worker_id: str
    content: Mapping[str, Any]  # the answer, decoded
    # accepted, submitted: when the worker took the task and handed it in, in UTC
    accepted: datetime
    submitted: datetime
    seconds: float  # time spent on it
    identity: Mapping[str, str]  # who the worker is to the workforce's identity provider


@dataclass(frozen=True)
class ScheduledBatch:
    """Data objects that are consolidated in one call."""

    lines: tuple[ManifestLine, ...]  # the data objects
    # for each of them, its workers in the order in which they hand in
    assignments: tuple[tuple[Assignment, ...], ...]
    called: datetime  # when the ACS function is called; no two batches share a second


def schedule(
    description: JobDescription, pool: Sequence[SimulatedWorker], lines: Sequence[ManifestLine]
) -> Iterator[ScheduledBatch]:
    """Go through the job batch by batch, in the order of the manifest.

    A batch's tasks are offered when the batch before it was consolidated.
    """
    offered = description.started
    for chunk in batched(lines, description.batch_size):
        assignments = tuple(
            _plan_assignments(description, pool, line.object_id, offered) for line in chunk
        )
        last = max(row[-1].submitted for row in assignments)
        called = last.replace(microsecond=0) + timedelta(seconds=1)
        yield ScheduledBatch(chunk, assignments, called)
        offered = called


def _plan_assignments(
    description: JobDescription,
    pool: Sequence[SimulatedWorker],
    object_id: str,
    offered: datetime,
) -> tuple[Assignment, ...]:
    assignments = []
    for worker in assign(pool, description.per_object, object_id, description.seed):
        waited, spent = timing(worker, object_id, description.seed)
        accepted = offered + timedelta(seconds=waited)
        assignments.append(Assignment(worker, accepted, accepted + timedelta(seconds=spent), spent))
    return tuple(sorted(assignments, key=lambda assignment: assignment.submitted))


ROLE = f"arn:aws:iam::{ACCOUNT}:role/LabeljobExecutionRole"
_POOL = "us-west-2_LOCALPOOL"


def pre_event(description: JobDescription, line: Mapping[str, Any]) -> dict[str, Any]:
    """The event that the PRE function gets for one data object."""
    return {
        "version": "2018-10-06",
        "labelingJobArn": description.arn,
        "dataObject": dict(line),
    }


def acs_event(description: JobDescription, request_uri: str) -> dict[str, Any]:
    """The event that the ACS function gets for one batch."""
    return {
        "version": "2018-10-06",
        "labelingJobArn": description.arn,
        "payload": {"s3Uri": request_uri},
        "labelAttributeName": description.attribute,
        "roleArn": ROLE,
        "outputConfig": description.layout.annotations,
        "maxHumanWorkersPerDataObject": description.per_object,
        "vpcEnabled": False,
        "labelCategories": list(description.labels),
    }


def worker_response(answers: Iterable[SubmittedAnswer]) -> dict[str, Any]:
    """The file of all answers to one data object, in the order in which they were handed in."""
    return {
        "answers": [
            {
                "acceptanceTime": answer_time(answer.accepted),
                "answerContent": answer.content,
                "submissionTime": answer_time(answer.submitted),
                "timeSpentInSeconds": answer.seconds,
                "workerId": answer.worker_id,
                "workerMetadata": {"identityData": answer.identity},
            }
            for answer in answers
        ]
    }


def cognito_identity(sub: str) -> dict[str, str]:
    """A member of a private workforce by the id, a UUID, that its user pool knows."""
    return {
        "identityProviderType": "Cognito",
        "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{_POOL}",
        "sub": sub,
    }


def payload_entry(line: ManifestLine, response: Mapping[str, Any]) -> dict[str, Any]:
    """One data object of a payload: its answers as JSON texts, without times."""
    key = "content" if line.source_key == "source" else "s3Uri"
    return {
        "datasetObjectId": line.object_id,
        "dataObject": {key: line.source_ref},
        "annotations": [
            {
                "workerId": answer["workerId"],
                "annotationData": {"content": json.dumps(answer["answerContent"])},
            }
            for answer in response["answers"]
        ],
    }


def custom_metadata(description: JobDescription, moment: datetime) -> dict[str, Any]:
    """The metadata that the service writes over that of a custom job."""
    return {
        "type": "groundtruth/custom",
        "job-name": description.name,
        "human-annotated": "yes",
        "creation-date": metadata_time(moment),
    }


def output_line(
    description: JobDescription,
    line: ManifestLine,
    content: Mapping[str, Any] | None,
    called: datetime,
) -> str:
    """The output manifest's line of a data object, as the service writes it for custom jobs.

    `content` is what the ACS function said of it at `called`; None if nobody was asked.
    """
    if content is None:
        return line.text
    attribute = description.attribute
    metadata_key = f"{attribute}-metadata"
    if attribute not in content:
        return labeled_line(line, {metadata_key: content.get(metadata_key, {})})
    metadata = custom_metadata(description, called)
    return labeled_line(line, {attribute: content[attribute], metadata_key: metadata})
