"""The path of a finished job: responses, manifest lines, labels, three files beside the service's.

The manifest is read twice: first to find out whose job it is and which classes it has, then to
write. Lines and responses are held one at a time; what must be kept is in files.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from groundtruth.errors import ContractError, StorageError
from groundtruth.finishing.builtin_shape import builtin_shape, failure_metadata, origin_of
from groundtruth.finishing.class_order import ClassOrder
from groundtruth.finishing.ended_job import (
    FINISHED_MANIFEST,
    REQUEUE_MANIFEST,
    SUMMARY,
    EndedJob,
)
from groundtruth.finishing.manifest_lines import Line, read_lines
from groundtruth.finishing.resolution import Fate, Resolved, metadata_of, resolved
from groundtruth.finishing.response_index import METADATA, Response, ResponseIndex
from groundtruth.finishing.summary import SCHEMA, Summary, reason_of
from groundtruth.finishing.survey import Survey
from groundtruth.storage import ObjectStore

MANIFEST_TYPE = "application/jsonlines"
JSON_TYPE = "application/json"


@dataclass(frozen=True, kw_only=True)
class FinishedJob:
    """What was made of a job.

    Attributes
    ----------
    job_name : str
        ``labeling-job/<lower-case name>``.
    nothing_to_do : str
        Why nothing was written; empty if the files are there.
    uris : mapping of str to str
        The files that were written.
    summary : mapping
        The content of the summary.
    """

    job_name: str
    nothing_to_do: str = ""
    uris: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """URIs and counts, but no worker: what the function answers."""
        if self.nothing_to_do:
            return {
                "job-name": self.job_name,
                "finished": False,
                "reason": f"nothing to do: {self.nothing_to_do}",
            }
        counts = ("objects", *(fate.value for fate in Fate), "requeued", "differs-from-manifest")
        return {
            "job-name": self.job_name,
            "finished": True,
            **self.uris,
            **{name: self.summary[name] for name in counts},
        }


def finish_job(job: EndedJob, *, store: ObjectStore) -> FinishedJob:
    """Write a job's manifest in the built-in shape, its summary and its re-queue manifest.

    Doing it again, with the same files there, writes the same bytes.

    Parameters
    ----------
    job : EndedJob
        The job.
    store : ObjectStore
        Where its files are.

    Returns
    -------
    FinishedJob
        With the reason in `nothing_to_do` if the job is not one of these functions.

    Raises
    ------
    ContractError
        If a manifest line or a response is not JSON, labels are of another job type, or the
        label attribute cannot be found out.
    StorageError
        If a file cannot be read or written.
    """
    try:
        with (
            tempfile.TemporaryDirectory(prefix="finish-job-") as folder,
            ResponseIndex(Path(folder) / "responses.sqlite") as index,
        ):
            return _finish(job, store, index, Path(folder))
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"cannot be finished on this machine ({error})", uri=job.root, reason="unavailable"
        ) from error


def _finish(job: EndedJob, store: ObjectStore, index: ResponseIndex, folder: Path) -> FinishedJob:
    attribute = index.read(job.responses_prefix, job.attribute, store)
    source = _source(job, store)
    if source is None:
        return _nothing(job, "there is neither an output manifest nor an input manifest")
    if attribute is None:
        raise ContractError("is not known: no response names it", path="labelAttributeName")
    finisher = _Finisher(job, store, index, source, attribute)
    survey = finisher.survey()
    if reason := survey.foreign(job):
        return _nothing(job, reason)
    return finisher.write(survey, folder)


def _nothing(job: EndedJob, reason: str) -> FinishedJob:
    return FinishedJob(job_name=job.job_name, nothing_to_do=reason)


def _source(job: EndedJob, store: ObjectStore) -> str | Path | None:
    """The manifest to read: the output manifest if it is there, else the input manifest.

    It is looked for in a listing, since without the right to list everything a file that is not
    there cannot be told from one that is forbidden.
    """
    there = job.manifest_uri in store.list(job.manifest_uri)
    return job.manifest_uri if there else job.input_manifest


@dataclass(frozen=True)
class _Finisher:
    """One job, one index of its responses, one manifest."""

    job: EndedJob
    store: ObjectStore
    index: ResponseIndex
    source: str | Path
    attribute: str

    def survey(self) -> Survey:
        survey = Survey()
        for line, _, found in self._objects():
            survey.add(line, found, self.job.task)
        return survey

    def write(self, survey: Survey, folder: Path) -> FinishedJob:
        """Write the three files, each whole or not at all."""
        order = survey.classes.order(self.job.classes)
        drafts = {name: folder / name for name in (FINISHED_MANIFEST, REQUEUE_MANIFEST)}
        with ExitStack() as stack:
            finished, requeue = (
                stack.enter_context(path.open("w", encoding="utf-8", newline=""))
                for path in drafts.values()
            )
            counts = self._write_lines(order, finished, requeue)
        for name, path in drafts.items():
            self.store.write_file(
                self.job.beside(name), path, content_type=MANIFEST_TYPE, kms_key=self.job.kms_key
            )
        summary = self._summary(counts, survey, order)
        self.store.write(
            self.job.beside(SUMMARY),
            f"{json.dumps(summary, indent=2)}\n".encode(),
            content_type=JSON_TYPE,
            kms_key=self.job.kms_key,
        )
        names = {"manifest": FINISHED_MANIFEST, "requeue": REQUEUE_MANIFEST, "summary": SUMMARY}
        return FinishedJob(
            job_name=self.job.job_name,
            uris={key: self.job.beside(name) for key, name in names.items()},
            summary=summary,
        )

    def _write_lines(self, order: ClassOrder, finished: TextIO, requeue: TextIO) -> Summary:
        counts = Summary()
        keys = (self.attribute, f"{self.attribute}{METADATA}")
        for line, response, found in self._objects():
            added = {} if found.untouched else self._added(line, response, found, order)
            finished.write(f"{line.with_members(keys, added) if added else line.text}\n")
            again = needs_label(found, self.job.min_confidence)
            if again:
                requeue.write(f"{line.with_members(keys, {})}\n")
            reason = reason_of(added.get(keys[1], found.failure or {}))
            counts.add(found, failure_reason=reason, requeued=again)
        return counts

    def _added(
        self, line: Line, response: Response | None, found: Resolved, order: ClassOrder
    ) -> dict[str, Any]:
        """What comes into the line in place of the job's label and metadata."""
        metadata_key = f"{self.attribute}{METADATA}"
        if found.label is None:
            return {metadata_key: found.failure}
        if found.fate is Fate.FAILED:
            return {metadata_key: failure_metadata(found.label.account)}
        content = response.content if response else {}
        origin = origin_of(
            self.job.job_name,
            [metadata_of(values, self.attribute) for values in (line.values, content)],
            response.file_time if response else None,
        )
        value, metadata = builtin_shape(found.label, order, origin)
        return {self.attribute: value, metadata_key: metadata}

    def _summary(self, counts: Summary, survey: Survey, order: ClassOrder) -> dict[str, Any]:
        by_index = sorted(order.index_of.items(), key=lambda item: item[1])
        return {
            "schema": SCHEMA,
            "job-name": self.job.job_name,
            "job-status": self.job.status or None,
            "task": survey.task,
            "label-attribute-name": self.attribute,
            "min-confidence": self.job.min_confidence,
            "classes": {
                "from": order.source,
                "names": {str(index): name for name, index in by_index},
            },
            **counts.as_json(self.job.worker_name),
        }

    def _objects(self) -> Iterator[tuple[Line, Response | None, Resolved]]:
        """Each line with its last response and what became of it."""
        with ExitStack() as stack:
            lines: Any
            if isinstance(self.source, Path):
                lines = stack.enter_context(self.source.open("rb"))
            else:
                lines = self.store.open_lines(self.source)
            for line in read_lines(lines, name=str(self.source)):
                response = self.index.get(str(line.number))
                yield line, response, resolved(line, response, self.attribute, self.job.job_name)


def needs_label(found: Resolved, min_confidence: float) -> bool:
    """Whether a data object is to be labeled again: it has no label, or too unsure a one."""
    confidence = found.label.confidence if found.label else None
    if confidence is not None:
        return confidence < min_confidence
    return found.fate in (Fate.FAILED, Fate.UNLABELED)
