"""The path of a state-change event: event, job, finished files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

from groundtruth.contract.fields import as_list, as_mapping, parse_label_categories, required_text
from groundtruth.errors import ContractError, SettingsError
from groundtruth.finishing.job import EndedJob, FinishedJob, finish_job
from groundtruth.finishing.outcomes import JOB_NAME_PREFIX
from groundtruth.jobs import LabelingJob, LabelingJobs, job_name
from groundtruth.settings import Settings
from groundtruth.storage.s3 import ObjectStore, role_is_allowed
from groundtruth.storage.secrets import read_secret
from groundtruth.tasks.registry import TASKS

DETAIL_TYPE = "SageMaker Ground Truth Labeling Job State Change"
ENDED = ("Completed", "Stopped", "Failed")

_OUR_FUNCTION = re.compile(r":function:[^:]+-ACS-([^-:]+)(:|$)")


@dataclass(frozen=True, kw_only=True)
class StateChange:
    """An event that EventBridge sends when a labeling job changes its state."""

    labeling_job_arn: str  # the job's ARN; its name is lower-cased by the service
    status: str  # ``"Completed"``, ``"Failed"`` or ``"Stopped"``, or one of a job that goes on

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """Read an event; raises `ContractError` if it is another or not whole."""
        message = as_mapping(event, path="")
        if required_text(message, "detail-type") != DETAIL_TYPE:
            raise ContractError(f"is not {DETAIL_TYPE!r}", path="detail-type")
        detail = as_mapping(message.get("detail"), path="detail")
        arns = as_list(message.get("resources"), path="resources")
        if not arns or not isinstance(arns[0], str) or f":{JOB_NAME_PREFIX}" not in arns[0]:
            raise ContractError("is not the ARN of a labeling job", path="resources[0]")
        return cls(
            labeling_job_arn=arns[0],
            status=required_text(detail, "LabelingJobStatus", path="detail"),
        )


def finish_on_state_change(
    event: Any, *, store: ObjectStore, jobs: LabelingJobs, settings: Settings
) -> FinishedJob:
    """Answer one state-change event.

    Parameters
    ----------
    event : object
        The event as EventBridge sends it.
    store : ObjectStore
        Where the job's files are.
    jobs : LabelingJobs
        Where the job is described.
    settings : Settings
        The stack's defaults; the job's tags override them.

    Raises
    ------
    ContractError
        If the event or a file of the job cannot be understood.
    JobLookupError
        If the job cannot be described.
    SettingsError
        If the job's role is to be assumed and may not be.
    StorageError
        If a file cannot be read or written, or the key of workers' pseudonyms cannot be read.
    """
    change = StateChange.from_event(event)
    if change.status not in ENDED:
        name = f"{JOB_NAME_PREFIX}{job_name(change.labeling_job_arn).lower()}"
        return FinishedJob(job_name=name, nothing_to_do=f"the job is {change.status}")
    described = jobs.describe(change.labeling_job_arn)
    settings, _ = settings.for_job(described.tags)
    store = _permitted(store, described, settings)
    return finish_job(_ended(change, described, settings, store), store=store)


def _ended(
    change: StateChange, described: LabelingJob, settings: Settings, store: ObjectStore
) -> EndedJob:
    if described.output_path is None:
        raise ContractError("is missing", path="OutputConfig.S3OutputPath")
    name = described.name or job_name(change.labeling_job_arn)
    labels = described.label_category_config_uri
    return EndedJob(
        root=f"{described.output_path.rstrip('/')}/{name}",
        status=change.status,
        attribute=described.label_attribute_name,
        output_manifest=described.output_manifest_uri,
        input_manifest=described.input_manifest_uri,
        classes=parse_label_categories(store.read(labels), path=labels) if labels else None,
        min_confidence=settings.min_confidence,
        kms_key=described.kms_key_id or settings.kms_key_arn or None,
        ours=ran_our_function(described),
        worker_id_key=_worker_id_key(settings),
        plain_worker_ids=settings.plain_worker_ids,
    )


def _worker_id_key(settings: Settings) -> str:
    """The key of workers' pseudonyms; empty if there is none, or if ids are shown as they are."""
    if settings.plain_worker_ids or settings.worker_id_key or not settings.worker_id_key_secret_arn:
        return settings.worker_id_key
    return read_secret(settings.worker_id_key_secret_arn)


def ran_our_function(job: LabelingJob) -> bool:
    """Whether a job's consolidation function is called as those of this application are.

    The built-in functions are called the same but for the prefix.

    Examples
    --------
    >>> arn = "arn:aws:lambda:us-west-2:{}:function:{}"
    >>> ours = arn.format("111122223333", "SageMaker-birds-ACS-ImageMultiClass:live")
    >>> ran_our_function(LabelingJob(consolidation_function_arn=ours))
    True
    >>> builtin = arn.format("081040173940", "ACS-ImageMultiClass")
    >>> ran_our_function(LabelingJob(consolidation_function_arn=builtin))
    False
    """
    match = _OUR_FUNCTION.search(job.consolidation_function_arn or "")
    return match is not None and match[1] in {task.aws_name for task in TASKS.values()}


def _permitted(store: ObjectStore, described: LabelingJob, settings: Settings) -> ObjectStore:
    """The store, reached with the job's role where that is wanted and allowed."""
    if not settings.assume_job_role:
        return store
    role = described.role_arn or ""
    if not role_is_allowed(role, settings.job_role_arn_pattern):
        raise SettingsError(
            f"the job's role {role or '(none)'} does not match "
            f"JOB_ROLE_ARN_PATTERN={settings.job_role_arn_pattern!r}, so it is not assumed"
        )
    return store.acting_as(role)
