"""What workers wrote, for the report."""

from __future__ import annotations

from labeljob.history.differences import name_label
from labeljob.report.contents import Contents, file_name
from labeljob.report.pictures import Picture, draw_image


def draw_remarked(contents: Contents, count: int) -> dict[str, Picture]:
    """Images of data objects that workers wrote of, so many of each list, by their ids."""
    lists = (list_unlabelable(contents), list_comments(contents))
    wanted = {
        object_id for rows in lists for object_id in list(dict.fromkeys(r[0] for r in rows))[:count]
    }
    return {
        obj.object_id: picture
        for obj in contents.objects
        if obj.object_id in wanted
        for picture in draw_image(contents.job, obj)
    }


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
