"""The path of a pre-annotation request: event, classes, task input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundtruth.contract.pre import PreRequest, pre_response
from groundtruth.jobs import JobContext, JobContexts, required_classes
from groundtruth.tasks.registry import decode_label


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
        Where the job's setting `earlier_attribute` names a label that the line has, `taskInput`
        has it too: a mask as ``initialValue``, ``{"src", "labelMappings"}``, and names as
        ``earlierLabels``.

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
        earlier=find_earlier(request.data_object, job.settings.earlier_attribute),
    )


def _is_labeled(request: PreRequest, job: JobContext) -> bool:
    """Whether the line already has this job's label, and the job is set to skip those."""
    if not job.settings.skip_labeled_objects or job.label_attribute_name is None:
        return False
    return request.data_object.get(job.label_attribute_name) is not None


def find_earlier(line: Mapping[str, Any], attribute: str) -> dict[str, Any]:
    """What a page is told of the label that a manifest line has; nothing if it has none.

    Parameters
    ----------
    line : mapping
        The manifest line.
    attribute : str
        The label attribute name, as the setting `earlier_attribute` has it.
    """
    label = decode_label(line.get(attribute), line.get(f"{attribute}-metadata"))
    if label is None or not label.classes:
        return {}
    if label.mask_uri is None:
        return {"earlierLabels": [item.name for item in label.classes]}
    mappings = {item.name: {"color": item.color} for item in label.classes if item.class_id}
    return {"initialValue": {"src": label.mask_uri, "labelMappings": mappings}}
