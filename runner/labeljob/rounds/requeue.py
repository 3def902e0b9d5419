"""The next round of a job: which data objects to label again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from groundtruth.errors import ContractError
from groundtruth.finishing.job import REQUEUE_MANIFEST, EndedJob, finish_job
from groundtruth.finishing.manifest import read_lines
from groundtruth.finishing.outcomes import JOB_NAME_PREFIX, ObjectOutcome
from groundtruth.storage.s3 import ObjectStore
from labeljob.columns.lines import MANIFESTS, choose_attribute, read_output_lines
from labeljob.history.job import check_labels
from labeljob.history.job_files import DamageList, OutputLine
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace
from labeljob.tasks.base import JobType


@dataclass
class _Caught:
    """The job's store, but what is written is kept in memory.

    With another manifest, that one is the job's, and there are no responses to be believed more.
    """

    store: ObjectStore
    manifest_uri: str
    manifest: bytes | None = None
    written: dict[str, bytes] = field(default_factory=dict)

    def read(self, uri: str) -> bytes:
        return self.store.read(uri)

    def modified(self, uri: str) -> datetime:
        return self.store.modified(uri)

    def open_lines(self, uri: str) -> Iterator[bytes]:
        if self.manifest is not None and uri == self.manifest_uri:
            return iter(self.manifest.splitlines(keepends=True))
        return self.store.open_lines(uri)

    def list(self, prefix: str) -> Iterator[str]:
        if self.manifest is not None:
            return iter([self.manifest_uri] if self.manifest_uri.startswith(prefix) else [])
        return self.store.list(prefix)

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        self.written[uri] = body

    def write_file(self, uri: str, path: Path, *, content_type: str, kms_key: str | None) -> None:
        if uri.endswith(REQUEUE_MANIFEST):
            self.written[uri] = path.read_bytes()

    def remove(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self.written.pop(uri, None)

    def acting_as(self, role_arn: str) -> ObjectStore:
        return self


@dataclass(frozen=True, kw_only=True)
class RequeueResult:
    """What is to be labeled again.

    `manifest` has the lines without the job's label: the next job may use the same attribute.
    Those of `of_others`, whose label another job made, are never in it. Of the data objects,
    `unlabeled` have no label, `unknown` a label without a confidence, and `zero` one of exactly 0.
    """

    job: str
    manifest: bytes
    objects: int
    requeued: int
    of_others: int
    unlabeled: int
    unknown: int
    zero: int
    below: float
    attribute: str

    def as_json(self) -> dict[str, Any]:
        """Counts and settings for `--json`."""
        return {
            "job-name": self.job,
            "label-attribute-name": self.attribute,
            "below": self.below,
            "objects": self.objects,
            "requeued": self.requeued,
            "labeled-by-another-job": self.of_others,
            "without-label": self.unlabeled,
            "without-confidence": self.unknown,
            "confidence-zero": self.zero,
        }


def requeue(
    place: JobPlace,
    *,
    below: float,
    attribute: str | None = None,
    manifest: Path | None = None,
    task: JobType | None = None,
) -> RequeueResult:
    """Find the data objects of a finished job that have no label, or too unsure a one.

    Nothing is written into the job. Raises `JobError` if its labels are of another job type, or
    under another attribute.
    """
    known = place.description
    body = _body(manifest) if manifest else None
    lines = read_output_lines(place, DamageList()) if body is None else _lines_of(body, manifest)
    attribute = choose_attribute(lines, place, attribute)
    check_labels(lines, attribute, place, task=task)
    names = [name for name in MANIFESTS if f"{place.root}/{name}" in place.list(name)]
    uri = f"{place.root}/{(names or MANIFESTS)[0]}"
    caught = _Caught(place.store, uri, body)
    job = EndedJob(
        root=place.root,
        name=_job_name(lines, attribute, place.name),
        attribute=attribute,
        output_manifest=uri if names or body else None,
        input_manifest=Path(known.manifest) if known else None,
        classes=known.labels if known else None,
        min_confidence=below,
        ours=True,
    )
    result = finish_job(job, store=caught)
    if result.nothing_to_do:
        raise JobError(f"{place.name}: {result.nothing_to_do}")
    summary = result.summary
    labels = (line.label(summary["label-attribute-name"]) for line in lines)
    confidences = Counter(label.confidence for label in labels if label and label.classes)
    return RequeueResult(
        job=result.job_name,
        manifest=caught.written[result.uris["requeue"]],
        objects=summary["objects"],
        requeued=summary["requeued"],
        of_others=summary[ObjectOutcome.OTHER_JOB],
        unlabeled=summary[ObjectOutcome.FAILED] + summary[ObjectOutcome.UNLABELED],
        unknown=confidences[None],
        zero=confidences[0.0],
        below=below,
        attribute=summary["label-attribute-name"],
    )


def _job_name(lines: Sequence[OutputLine], attribute: str | None, folder: str) -> str:
    """The folder's name if any label has it, else the name that most labels have."""
    named: Counter[str] = Counter()
    for line in lines:
        metadata = line.metadata(attribute or "")
        name = metadata.get("job-name", metadata.get("job_name"))
        if isinstance(name, str) and name:
            named[name.removeprefix(JOB_NAME_PREFIX).lower()] += 1
    if folder.lower() in named or not named:
        return folder
    return named.most_common(1)[0][0]


def _body(manifest: Path) -> bytes:
    try:
        return manifest.read_bytes()
    except OSError as error:
        raise ContractError(f"cannot be read ({error.strerror})", path=str(manifest)) from error


def _lines_of(body: bytes, manifest: Path | None) -> list[OutputLine]:
    lines = read_lines(body.splitlines(keepends=True), name=str(manifest))
    return [OutputLine(str(line.number), line.text, line.values) for line in lines]


LONGEST_NAME = 63


def make_next_request(
    old: Mapping[str, Any],
    *,
    manifest_uri: str | None = None,
    name: str | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """The CreateLabelingJob request of the next round, made of `old` or of what describes it.

    The manifest is beside the old output manifest, and the name has the next number, if left out.
    Raises `ContractError` if `old` has no name, no output path or no task.
    """
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateLabelingJob").input_shape
    keys = shape.members if shape is not None else old
    old_name = _text(old.get("LabelingJobName"), "LabelingJobName")
    output = _mapping(old.get("OutputConfig"), "OutputConfig")
    top = _text(output.get("S3OutputPath"), "OutputConfig.S3OutputPath").rstrip("/")
    uri = manifest_uri or f"{top}/{old_name}/manifests/output/{REQUEUE_MANIFEST}"
    human = dict(_mapping(old.get("HumanTaskConfig"), "HumanTaskConfig"))
    if workers is not None:
        human["NumberOfHumanWorkersPerDataObject"] = workers
    config = dict(_mapping(old.get("InputConfig", {}), "InputConfig"))
    config["DataSource"] = {"S3DataSource": {"ManifestS3Uri": uri}}
    changed = {
        "LabelingJobName": name or make_next_name(old_name),
        "LabelAttributeName": old.get("LabelAttributeName") or old_name,
        "InputConfig": config,
        "HumanTaskConfig": human,
    }
    return {key: value for key, value in {**old, **changed}.items() if key in keys}


def make_next_name(name: str) -> str:
    """The name of the next round.

    Examples
    --------
    >>> make_next_name("birds"), make_next_name("birds-2"), make_next_name("birds-2026-09")
    ('birds-2', 'birds-3', 'birds-2026-09-2')
    """
    match = re.fullmatch(r"(.+)-([1-9]\d?)", name)
    base, number = (match[1], int(match[2])) if match else (name, 1)
    tail = f"-{number + 1}"
    return base[: LONGEST_NAME - len(tail)].rstrip("-") + tail


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise ContractError("is no text", path=path)
    return value


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError("is no JSON object", path=path)
    return value
