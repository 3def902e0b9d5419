"""What workers wrote, for the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labeljob.history.differences import name_label
from labeljob.history.job import ObjectAnnotations
from labeljob.jobs.image_files import image_name
from labeljob.report.contents import Contents


@dataclass(frozen=True)
class Remark:
    """What a worker wrote of a data object; `worker` is what the worker is called."""

    worker_id: str
    worker: str
    text: str


@dataclass(frozen=True)
class RemarkedObject:
    """A data object that workers wrote of; `name` is its image's, `label` its label in words."""

    object_id: str
    name: str
    label: str
    remarks: list[Remark]


def list_comments(contents: Contents) -> list[RemarkedObject]:
    """Data objects with comments, the most disputed first."""
    dispute = {obj.object_id: share for share, obj in contents.disputes}
    remarked = []
    for obj in sorted(contents.objects, key=lambda obj: -dispute.get(obj.object_id, 0.0)):
        unlabelable = obj.unlabelable  # where a comment stands beside the reason
        said = {worker: text for worker, text in obj.comments.items() if worker not in unlabelable}
        if said:
            remarked.append(_collect(contents, obj, said))
    return remarked


def list_unlabelable(contents: Contents) -> list[RemarkedObject]:
    """Data objects that workers say cannot be labeled, what most say so of first."""
    remarked = [
        _collect(contents, obj, obj.unlabelable) for obj in contents.objects if obj.unlabelable
    ]
    return sorted(remarked, key=lambda item: -len(item.remarks))


def _collect(contents: Contents, obj: ObjectAnnotations, said: Mapping[str, str]) -> RemarkedObject:
    return RemarkedObject(
        obj.object_id,
        image_name(obj.source),
        name_label(contents.labels.get(obj.object_id)),
        [
            Remark(worker_id, contents.worker_names.get(worker_id, worker_id), text)
            for worker_id, text in said.items()
        ],
    )
