"""The path of a pre-annotation request: event, classes, task input."""

from __future__ import annotations

from typing import Any

from groundtruth.contract.pre import PreRequest, pre_response
from groundtruth.jobs import JobContext, JobContexts, required_classes


def prepare_task(event: Any, *, jobs: JobContexts, inline_source: bool = False) -> dict[str, Any]:
    """Answer one pre-annotation event.

    Parameters
    ----------
    event : object
        ``{"version", "labelingJobArn", "dataObject": {manifest line}}``; the version is not
        looked at.
    jobs : JobContexts
        Where the job's classes and settings are looked up.
    inline_source : bool
        Whether the manifest holds the data objects as texts, as `Task.inline_source` says.

    Returns
    -------
    dict
        ``{"taskInput": {"taskObject", "labels", "manifestLine"}, "isHumanAnnotationRequired"}``.

    Raises
    ------
    ContractError
        If the event has not the documented shape, or no place names the classes.
    StorageError, JobLookupError
        If the label category file or the job's description cannot be had.
    """
    request = PreRequest.from_event(event, inline_source=inline_source)
    job = jobs.of(request.labeling_job_arn)
    return pre_response(
        request,
        labels=required_classes(job),
        human_annotation_required=not _is_labeled(request, job),
    )


def _is_labeled(request: PreRequest, job: JobContext) -> bool:
    """Whether the line already has this job's label, and the job is set to skip those."""
    if not job.settings.skip_labeled_objects or job.label_attribute_name is None:
        return False
    return request.data_object.get(job.label_attribute_name) is not None
