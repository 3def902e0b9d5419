"""What workers wrote, for the report."""

from __future__ import annotations

from labeljob.history.differences import name_label
from labeljob.report.contents import Contents, file_name


def list_comments(contents: Contents) -> list[tuple[str, str, str, str, str]]:
    """Object, image's name, label, worker and comment; the most disputed objects first."""
    names = {worker.worker_id: worker.name for worker in contents.workers}
    dispute = {obj.object_id: share for share, obj in contents.disputes}
    return [
        (
            obj.object_id,
            file_name(obj.source),
            name_label(contents.labels.get(obj.object_id)),
            names.get(worker, worker),
            comment,
        )
        for obj in sorted(contents.objects, key=lambda obj: -dispute.get(obj.object_id, 0.0))
        for worker, comment in obj.comments.items()
        if worker not in obj.unlabelable  # where it stands beside the reason
    ]


def list_unlabelable(contents: Contents) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """Object, image's name, label, workers and what they say; what most say so of first."""
    names = {worker.worker_id: worker.name for worker in contents.workers}
    rows = [
        (
            obj.object_id,
            file_name(obj.source),
            name_label(contents.labels.get(obj.object_id)),
            [(names.get(worker, worker), why) for worker, why in obj.unlabelable.items()],
        )
        for obj in contents.objects
        if obj.unlabelable
    ]
    return sorted(rows, key=lambda row: -len(row[3]))
