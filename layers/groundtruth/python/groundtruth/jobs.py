"""Labeling jobs: what AWS says of them, and what holds for one: its classes and settings."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from groundtruth.auxiliary_inputs import (
    NO_LABELS,
    AuxiliaryLabels,
    parse_auxiliary_labels,
    parse_confidence_map,
)
from groundtruth.contract.fields import as_mapping, embedded_json, parse_label_categories
from groundtruth.errors import ContractError, JobLookupError
from groundtruth.settings import Settings
from groundtruth.storage.s3 import ObjectStore

if TYPE_CHECKING:
    from groundtruth.aggregation.classification.calibration_maps import ConfidenceMap

JOBS_FOLDER_VARIABLE = "GROUNDTRUTH_JOBS_FOLDER"
"""Variable that names a folder of job descriptions to use instead of SageMaker."""

REFUSAL_KEPT_SECONDS = 300.0

_PERMANENT = {"AccessDeniedException", "AccessDenied", "ResourceNotFound", "ValidationException"}


@dataclass(frozen=True, kw_only=True)
class LabelingJob:
    """The part of DescribeLabelingJob's answer that our functions want."""

    name: str | None = None  # the job's name, in the case it was given
    label_attribute_name: str | None = None  # key of the job's labels in a manifest line
    label_category_config_uri: str | None = None  # S3 URI of the label category file
    tags: Mapping[str, str] = field(default_factory=dict)  # the job's tags
    # `S3OutputPath`; the job's files are under ``<output path>/<name>/``
    output_path: str | None = None
    output_manifest_uri: str | None = None  # S3 URI of the output manifest, once the job is over
    input_manifest_uri: str | None = None  # S3 URI of the input manifest; None for a streaming job
    # ARN of the job's annotation-consolidation function
    consolidation_function_arn: str | None = None
    # role_arn, kms_key_id: the job's execution role, and the key of its output
    role_arn: str | None = None
    kms_key_id: str | None = None

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> LabelingJob:
        """Read an answer of DescribeLabelingJob."""
        tags = description.get("Tags") or ()
        return cls(
            name=description.get("LabelingJobName"),
            label_attribute_name=description.get("LabelAttributeName"),
            label_category_config_uri=description.get("LabelCategoryConfigS3Uri"),
            tags={tag["Key"]: tag["Value"] for tag in tags},
            output_path=_at(description, "OutputConfig", "S3OutputPath"),
            output_manifest_uri=_at(description, "LabelingJobOutput", "OutputDatasetS3Uri"),
            input_manifest_uri=_at(
                description, "InputConfig", "DataSource", "S3DataSource", "ManifestS3Uri"
            ),
            consolidation_function_arn=_at(
                description,
                "HumanTaskConfig",
                "AnnotationConsolidationConfig",
                "AnnotationConsolidationLambdaArn",
            ),
            role_arn=description.get("RoleArn"),
            kms_key_id=_at(description, "OutputConfig", "KmsKeyId"),
        )


def _at(description: Mapping[str, Any], *keys: str) -> str | None:
    """The text at the end of a path of keys; None if the path ends early."""
    value: Any = description
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else None


class LabelingJobs(Protocol):
    """Labeling jobs by their ARN."""

    def describe(self, arn: str) -> LabelingJob:
        """What is known of a job.

        Raises
        ------
        JobLookupError
            If that cannot be found out.
        """


def open_jobs(environ: Mapping[str, str]) -> LabelingJobs:
    """The job register that the environment names: a folder, or SageMaker."""
    folder = environ.get(JOBS_FOLDER_VARIABLE, "")
    return FolderJobs(Path(folder)) if folder else SageMakerJobs()


def job_name(arn: str) -> str:
    """Name of a job, the tail of its ARN."""
    return arn.rpartition("/")[2]


class SageMakerJobs:
    """Labeling jobs of the account, one DescribeLabelingJob for each job and container.

    An answer is kept for good. A refusal that will not change by itself soon (no permission, no
    such job, no way to the service) is kept for five minutes, so that a job of many objects does
    not ask for each. Throttling that outlasts the client's retries is not kept.
    """

    def __init__(self) -> None:
        self._known: dict[str, LabelingJob] = {}
        self._refused: dict[str, tuple[float, str]] = {}

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 4},
        )
        return boto3.client("sagemaker", config=config)

    def describe(self, arn: str) -> LabelingJob:
        """What is known of a job; raises `JobLookupError`."""
        if arn in self._known:
            return self._known[arn]
        until, refusal = self._refused.get(arn, (0.0, ""))
        if refusal and time.monotonic() < until:
            raise JobLookupError(refusal)
        try:
            self._known[arn] = self._ask(arn)
        except JobLookupError as error:
            if not error.transient:
                self._refused[arn] = (time.monotonic() + REFUSAL_KEPT_SECONDS, str(error))
            raise
        return self._known[arn]

    def _ask(self, arn: str) -> LabelingJob:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.describe_labeling_job(LabelingJobName=job_name(arn))
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            raise JobLookupError(
                f"DescribeLabelingJob failed: {error}", transient=code not in _PERMANENT
            ) from error
        except BotoCoreError as error:
            raise JobLookupError(f"DescribeLabelingJob failed: {error}") from error
        return LabelingJob.from_description(answer)


class FolderJobs:
    """Labeling jobs of one machine: ``<folder>/<name>.json`` describes each.

    The files have the shape of DescribeLabelingJob's answer. Names are compared in lower case,
    as the service does.

    Parameters
    ----------
    folder : Path
        Where the descriptions are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, arn: str) -> Path:
        """The description's file; raises `JobLookupError` for a name that can be none."""
        name = job_name(arn).lower()
        if not re.fullmatch(r"[a-z0-9](-*[a-z0-9]){0,62}", name):
            raise JobLookupError(f"{arn} is not the ARN of a labeling job")
        return self.folder / f"{name}.json"

    def describe(self, arn: str) -> LabelingJob:
        """What is known of a job; raises `JobLookupError`."""
        path = self.path(arn)
        try:
            description = as_mapping(embedded_json(path.read_bytes(), path="job"), path="job")
        except (OSError, ContractError) as error:
            raise JobLookupError(f"{path} cannot be read: {error}") from error
        return LabelingJob.from_description(description)


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """What holds for one labeling job."""

    settings: Settings  # the stack's defaults, overridden by the job's tags
    # names of the classes in label order; None if no place names them
    classes: tuple[str, ...] | None
    classes_from: str  # ``"event"``, ``"job"``, ``"stack"`` or ``"nowhere"``
    label_attribute_name: str | None  # the job's own, if it could be described
    notes: tuple[str, ...]  # what was looked for and not found, and tags that were not understood


class JobContexts:
    """Looks labeling jobs up, once each.

    Parameters
    ----------
    settings : Settings
        The stack's defaults.
    jobs : LabelingJobs
        Where jobs are described.
    store : ObjectStore
        Where label category files are.
    """

    def __init__(self, settings: Settings, jobs: LabelingJobs, store: ObjectStore) -> None:
        self._settings = settings
        self._jobs = jobs
        self._store = store
        self._files: dict[str, tuple[str, ...]] = {}
        self._auxiliary_labels: dict[str, AuxiliaryLabels] = {}
        self._maps: dict[str, ConfidenceMap] = {}

    def of(
        self,
        arn: str,
        *,
        event_classes: Sequence[str] | None = None,
        algorithms: Sequence[str] = (),
    ) -> JobContext:
        """The context of a job.

        Classes are looked for in this order: the event, the job's label category file, the
        stack's default file. A job's tag that names none of `algorithms` is noted and not
        applied.

        Raises
        ------
        JobLookupError
            If the job's description could be had later: its tags may change the result, so
            nothing is guessed.
        StorageError, ContractError
            If a label category file is named and cannot be read.
        """
        notes: list[str] = []
        try:
            job = self._jobs.describe(arn)
        except JobLookupError as error:
            if error.transient:
                raise
            notes.append(str(error))
            job = LabelingJob()
        settings, problems = self._settings.for_job(job.tags, algorithms=algorithms)
        classes, classes_from = self._classes(job, settings, event_classes)
        return JobContext(
            settings=settings,
            classes=classes,
            classes_from=classes_from,
            label_attribute_name=job.label_attribute_name,
            notes=(*notes, *problems),
        )

    def auxiliary_labels(self, uri: str) -> AuxiliaryLabels:
        """What an auxiliary file knows, read once; nothing for an empty URI."""
        if not uri:
            return NO_LABELS
        if uri not in self._auxiliary_labels:
            self._auxiliary_labels[uri] = parse_auxiliary_labels(self._store.read(uri), path=uri)
        return self._auxiliary_labels[uri]

    def confidence_map(self, uri: str) -> ConfidenceMap | None:
        """The confidence map of a file, read once; None for an empty URI."""
        if not uri:
            return None
        if uri not in self._maps:
            self._maps[uri] = parse_confidence_map(self._store.read(uri), path=uri)
        return self._maps[uri]

    def _classes(
        self, job: LabelingJob, settings: Settings, event_classes: Sequence[str] | None
    ) -> tuple[tuple[str, ...] | None, str]:
        if event_classes:
            return tuple(event_classes), "event"
        if job.label_category_config_uri:
            return self._file(job.label_category_config_uri), "job"
        if settings.label_category_config_s3_uri:
            return self._file(settings.label_category_config_s3_uri), "stack"
        return None, "nowhere"

    def _file(self, uri: str) -> tuple[str, ...]:
        if uri not in self._files:
            self._files[uri] = parse_label_categories(self._store.read(uri), path=uri)
        return self._files[uri]


def required_classes(context: JobContext) -> tuple[str, ...]:
    """The classes of a job that cannot do without.

    Raises
    ------
    ContractError
        If no place names them; the text names the three places.
    """
    if context.classes is not None:
        return context.classes
    tried = "".join(f" ({note})" for note in context.notes)
    raise ContractError(
        "no label categories were found: neither in the event (labelCategories), nor in the "
        "labeling job (its LabelCategoryConfigS3Uri, which needs the permission "
        "sagemaker:DescribeLabelingJob), nor in the stack (its parameter "
        f"LabelCategoryConfigS3Uri). Set one of the three.{tried}",
        path="labelCategories",
    )
