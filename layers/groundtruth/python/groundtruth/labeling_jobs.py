"""What is known of a labeling job: its label file, its label attribute, its tags."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from groundtruth.contract.fields import as_mapping, embedded_json
from groundtruth.errors import ContractError, JobLookupError

JOBS_FOLDER_VARIABLE = "GROUNDTRUTH_JOBS_FOLDER"
"""Variable that names a folder of job descriptions to use instead of SageMaker."""

REFUSAL_KEPT_SECONDS = 300.0

_PERMANENT = {"AccessDeniedException", "AccessDenied", "ResourceNotFound", "ValidationException"}


@dataclass(frozen=True, kw_only=True)
class LabelingJob:
    """The part of DescribeLabelingJob's answer that our functions want.

    Attributes
    ----------
    name : str or None
        The job's name, in the case it was given.
    label_attribute_name : str or None
        Key of the job's labels in a manifest line.
    label_category_config_uri : str or None
        S3 URI of the label category file.
    tags : mapping of str to str
        The job's tags.
    output_path : str or None
        `S3OutputPath`; the job's files are under ``<output path>/<name>/``.
    output_manifest_uri : str or None
        S3 URI of the output manifest, once the job is over.
    input_manifest_uri : str or None
        S3 URI of the input manifest; None for a streaming job.
    consolidation_function_arn : str or None
        ARN of the job's annotation-consolidation function.
    role_arn, kms_key_id : str or None
        The job's execution role, and the key of its output.
    """

    name: str | None = None
    label_attribute_name: str | None = None
    label_category_config_uri: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    output_path: str | None = None
    output_manifest_uri: str | None = None
    input_manifest_uri: str | None = None
    consolidation_function_arn: str | None = None
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
