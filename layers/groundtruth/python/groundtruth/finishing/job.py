"""The path of a finished job: responses, manifest lines, labels, three files beside the service's.

The manifest is read twice: first to find out whose job it is and which classes it has, then to
write. Lines and responses are held one at a time; what must be kept is in files.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from groundtruth.errors import ContractError, StorageError
from groundtruth.finishing.manifest import IdChoice, Line, candidate_ids, read_lines
from groundtruth.finishing.outcomes import (
    JOB_NAME_PREFIX,
    METADATA,
    ObjectOutcome,
    ResolvedObject,
    Response,
    ResponseIndex,
    find_attribute,
    find_origin,
    metadata_of,
    resolve_object,
)
from groundtruth.finishing.summary import SCHEMA, Summary, pseudonym, reason_of
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import OBJECT, Label, LabelClass, builtin_style, failure_metadata
from groundtruth.tasks.registry import find_task

FROM_FILE = "label-file"
FROM_LABELS = "labels"
FROM_NAMES = "sorted-names"


@dataclass(frozen=True)
class ClassOrder:
    """The classes of a job.

    Attributes
    ----------
    index_of : mapping of str to int
        Index of each class, by its name.
    source : str
        ``"label-file"``; ``"labels"``: the indices that the labels have; ``"sorted-names"``: the
        labels' indices contradict each other, as they do where no place named the classes, so
        the names are sorted.
    """

    index_of: Mapping[str, int]
    source: str


class ClassesSeen:
    """The classes of the labels of a job, collected one label at a time."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, str]] = set()

    def add(self, classes: Sequence[LabelClass]) -> None:
        """Take in the classes of a label."""
        self._seen.update((item.class_id, item.name) for item in classes)

    def order(self, listed: Sequence[str] | None) -> ClassOrder:
        """The index of every class seen.

        Parameters
        ----------
        listed : sequence of str or None
            The classes in label order. Names that are not there (such as the page's "none of
            the above") come behind, in the order of their indices.

        Examples
        --------
        >>> seen = ClassesSeen()
        >>> seen.add([LabelClass(class_id=1, name="crab", confidence=1.0)])
        >>> seen.order(None).index_of
        {'crab': 1}
        >>> seen.order(["crab", "eel"]).index_of
        {'crab': 0, 'eel': 1}
        """
        if listed is not None:
            others = {name: None for _, name in sorted(self._seen) if name not in listed}
            return ClassOrder(_numbered([*listed, *others]), FROM_FILE)
        names = sorted({name for _, name in self._seen})
        ids = {class_id for class_id, _ in self._seen}
        if len(self._seen) == len(names) == len(ids):
            return ClassOrder({name: index for index, name in sorted(self._seen)}, FROM_LABELS)
        return ClassOrder(_numbered(names), FROM_NAMES)


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(names)}


OUTPUT_MANIFEST = "output.manifest"
FINISHED_MANIFEST = "finished.manifest"
REQUEUE_MANIFEST = "requeue.manifest"
SUMMARY = "summary.json"


@dataclass(frozen=True, kw_only=True)
class EndedJob:
    """A labeling job that is Completed, Stopped or Failed."""

    # S3 URI of the job's folder, ``<S3OutputPath>/<JobName>``, without a slash at its end
    root: str
    name: str | None = None  # the job's name; None for that of the folder
    status: str = ""  # as the service calls it; empty if it is not known
    attribute: str | None = None  # the label attribute name; None to take it from the responses
    # S3 URI of the service's manifest; None for where it always is
    output_manifest: str | None = None
    # S3 URI or file of the input manifest, for a job without an output manifest
    input_manifest: str | Path | None = None
    # the classes in label order; None to take it from the labels
    classes: tuple[str, ...] | None = None
    task: str | None = None  # the job type, to refuse any other; None for the one that is found
    # Objects whose label has less, in [0, 1], are queued again. A lone worker's label has 0 in the
    # `builtin` style.
    min_confidence: float = 0.0
    kms_key: str | None = None  # the key to write with
    ours: bool = False  # whether the job is known to have run with these functions
    # secret from which the summary makes pseudonyms of workers; empty for the job's name, which
    # anybody knows
    worker_id_key: str = field(default="", repr=False)
    plain_worker_ids: bool = False  # whether the summary holds workers' ids as they are

    @property
    def job_name(self) -> str:
        """The job's name as built-in metadata have it: ``labeling-job/<lower-case name>``."""
        name = self.name or self.root.rpartition("/")[2]
        return f"{JOB_NAME_PREFIX}{name.lower()}"

    @property
    def manifest_uri(self) -> str:
        """Where the service's output manifest is, or would be."""
        return self.output_manifest or f"{self.root}/manifests/output/{OUTPUT_MANIFEST}"

    @property
    def responses_prefix(self) -> str:
        """What the URIs of all response files begin with."""
        return f"{self.root}/annotations/consolidated-annotation/consolidation-response/"

    def worker_name(self, worker_id: str) -> str:
        """What the summary calls a worker."""
        key = self.worker_id_key or self.job_name
        return worker_id if self.plain_worker_ids else pseudonym(worker_id, key)

    def beside(self, name: str) -> str:
        """URI of a file beside the service's manifest."""
        return f"{self.manifest_uri.rpartition('/')[0]}/{name}"


@dataclass(kw_only=True)
class ManifestScan:
    """What the first reading of a manifest finds out.

    `classes` are those of all labels but masks, whose classes have the indices of their pixels;
    `custom` says whether a line is of this custom job.
    """

    classes: ClassesSeen = field(default_factory=ClassesSeen)
    task: str | None = None
    labels: int = 0
    object_style: bool = False
    custom: bool = False
    not_recognized: int = 0

    def add(self, line: Line, resolved: ResolvedObject, wanted: str | None) -> None:
        """Take in one data object; raises `ContractError` if its label is of another job type.

        That is another than the one that is wanted, or than that of the objects before it.
        """
        self.custom |= resolved.custom
        self.not_recognized += resolved.outcome is ObjectOutcome.NOT_RECOGNIZED
        if resolved.label is None:
            return
        self.labels += 1
        self.object_style |= resolved.label.style == OBJECT
        self.task = self.task or wanted or resolved.label.task
        if resolved.label.task != self.task:
            problem = f"has a label of {resolved.label.task}, and the job is one of {self.task}"
            raise ContractError(problem, path=f"line {line.number + 1}")
        if not find_task(self.task).pixel_class_ids:
            self.classes.add(resolved.label.classes)

    def foreign(self, job: EndedJob) -> str:
        """Why the job is not one of these functions; empty if it is."""
        if self.not_recognized and not self.labels:
            return f"no label ({self.not_recognized}) is of a shape these functions write"
        if self.object_style or self.custom or job.ours:
            return ""
        return "no label is of these functions and no line is of a custom job"


MANIFEST_TYPE = "application/jsonlines"
JSON_TYPE = "application/json"


@dataclass(frozen=True, kw_only=True)
class FinishedJob:
    """What was made of a job.

    `uris` are those of the files by key, `summary` is the content of the summary, and
    `nothing_to_do` says why nothing was written, if nothing was.
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
        counts = (
            "objects",
            *(outcome.value for outcome in ObjectOutcome),
            "requeued",
            "differs-from-manifest",
        )
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
        with _open_lines(source, store) as lines:
            attribute = find_attribute((line.values for line in lines), job.job_name)
    if attribute is None:
        raise ContractError(
            "is not known: neither a response nor a line of the manifest names it; "
            "give it with --attribute",
            path="label attribute name",
        )
    finisher = _Finisher(job, store, index, source, attribute)
    scan, ids = finisher.scan()
    if ids:
        finisher = replace(finisher, ids=ids)
        scan, _ = finisher.scan()
    if reason := scan.foreign(job):
        return _nothing(job, reason)
    return finisher.write(scan, folder)


def _nothing(job: EndedJob, reason: str) -> FinishedJob:
    return FinishedJob(job_name=job.job_name, nothing_to_do=reason)


def _source(job: EndedJob, store: ObjectStore) -> str | Path | None:
    """The manifest to read: the output manifest if it is there, else the input manifest.

    It is looked for in a listing, since without the right to list everything a file that is not
    there cannot be told from one that is forbidden.
    """
    there = job.manifest_uri in store.list(job.manifest_uri)
    return job.manifest_uri if there else job.input_manifest


@contextmanager
def _open_lines(source: str | Path, store: ObjectStore) -> Iterator[Iterator[Line]]:
    with ExitStack() as stack:
        lines: Any
        if isinstance(source, Path):
            lines = stack.enter_context(source.open("rb"))
        else:
            lines = store.open_lines(source)
        yield read_lines(lines, name=str(source))


@dataclass(frozen=True)
class _Finisher:
    """One job, one index of its responses, one manifest.

    `ids` says which of a line's `candidate_ids` the responses have.
    """

    job: EndedJob
    store: ObjectStore
    index: ResponseIndex
    source: str | Path
    attribute: str
    ids: int = 0

    def scan(self) -> tuple[ManifestScan, int]:
        """What the manifest tells, and which of the lines' ids the responses know."""
        scan = ManifestScan()
        choice = IdChoice(lambda object_id: self.index.get(object_id) is not None)
        for line, _, resolved in self._objects(choice):
            scan.add(line, resolved, self.job.task)
        return scan, choice.best

    def write(self, scan: ManifestScan, folder: Path) -> FinishedJob:
        """Write the three files, each whole or not at all."""
        order = scan.classes.order(self.job.classes)
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
        summary = self._summary(counts, scan, order)
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
        for line, response, resolved in self._objects():
            added = {} if resolved.untouched else self._added(line, response, resolved, order)
            finished.write(f"{line.with_members(keys, added) if added else line.text}\n")
            again = needs_label(resolved, self.job.min_confidence)
            if again:
                requeue.write(f"{line.with_members(keys, {})}\n")
            reason = reason_of(added.get(keys[1], resolved.failure or {}))
            counts.add(resolved, failure_reason=reason, requeued=again)
        return counts

    def _added(
        self, line: Line, response: Response | None, resolved: ResolvedObject, order: ClassOrder
    ) -> dict[str, Any]:
        """What comes into the line in place of the job's label and metadata."""
        metadata_key = f"{self.attribute}{METADATA}"
        if resolved.label is None:
            return {metadata_key: resolved.failure}
        if resolved.outcome is ObjectOutcome.FAILED:
            return {metadata_key: failure_metadata(resolved.label)}
        content = response.content if response else {}
        origin = find_origin(
            self.job.job_name,
            [metadata_of(values, self.attribute) for values in (line.values, content)],
            response.file_time if response else None,
        )
        label = order_classes(resolved.label, order)
        value, metadata = builtin_style(label, find_task(label.task), origin)
        return {self.attribute: value, metadata_key: metadata}

    def _summary(self, counts: Summary, scan: ManifestScan, order: ClassOrder) -> dict[str, Any]:
        by_index = sorted(order.index_of.items(), key=lambda item: item[1])
        return {
            "schema": SCHEMA,
            "job-name": self.job.job_name,
            "job-status": self.job.status or None,
            "task": scan.task,
            "label-attribute-name": self.attribute,
            "min-confidence": self.job.min_confidence,
            "classes": {
                "from": order.source,
                "names": {str(index): name for name, index in by_index},
            },
            **counts.as_json(self.job.worker_name),
        }

    def _objects(
        self, choice: IdChoice | None = None
    ) -> Iterator[tuple[Line, Response | None, ResolvedObject]]:
        """Each line with its last response and what became of it."""
        with _open_lines(self.source, self.store) as lines:
            for position, line in enumerate(lines):
                ids = candidate_ids(line.values, line.number, position)
                if choice is not None:
                    choice.add(ids)
                response = self.index.get(ids[self.ids])
                yield (
                    line,
                    response,
                    resolve_object(line, response, self.attribute, self.job.job_name),
                )


def order_classes(label: Label, order: ClassOrder) -> Label:
    """The label with its surest class first, each with its index in the job's class order.

    A mask's classes keep the indices of its pixels.
    """
    classes = sorted(label.classes, key=lambda item: -(item.confidence or 0.0))
    if not find_task(label.task).pixel_class_ids:
        classes = [replace(item, class_id=order.index_of[item.name]) for item in classes]
    return replace(label, classes=tuple(classes))


def needs_label(resolved: ResolvedObject, min_confidence: float) -> bool:
    """Whether a data object is to be labeled again: it has no label, or too unsure a one."""
    confidence = resolved.label.confidence if resolved.label else None
    if confidence is not None:
        return confidence < min_confidence
    return resolved.outcome in (ObjectOutcome.FAILED, ObjectOutcome.UNLABELED)
