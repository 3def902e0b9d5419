"""Every data object of a job as the page's gallery shows it, and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeljob.history.job import JobOnFile, ObjectAnnotations
from labeljob.jobs.image_files import image_name
from labeljob.metrics.agreement import remember
from labeljob.report.contents import Contents
from labeljob.report.page_files import PageFiles
from labeljob.report.pictures import Layer, Photo, read_photo
from labeljob.tasks.base import Ints, Truth

_SIZES = ((200, 720), (600, 480))
"""Up to so many pictures have so many pixels on the longer side: a page is to be under 40 MB."""

_SMALLEST = 320
_THREADS = 4
_LONGEST_REMARK = 300


@dataclass(frozen=True)
class Drawn:
    """The pictures of one data object, as addresses for the page; `photo` is empty without one."""

    photo: str = ""
    width: int = 0
    height: int = 0
    layers: tuple[tuple[str, str], ...] = ()  # caption and address


def order_objects(contents: Contents) -> list[ObjectAnnotations]:
    """All data objects: the most disputed first, last those that nobody answered."""
    objects = [obj for _, obj in contents.disputes]
    known = {obj.object_id for obj in objects}
    objects += [obj for obj in contents.objects if obj.object_id not in known]
    known.update(obj.object_id for obj in contents.objects)
    objects += [
        ObjectAnnotations(
            object_id=line.object_id,
            source=line.source,
            workers=(),
            choices=np.empty((0, 0), np.int64),
            rejected=(),
            answer_times={},
        )
        for line in contents.job.lines
        if line.object_id not in known
    ]
    return objects


def draw_objects(
    contents: Contents,
    objects: Sequence[ObjectAnnotations],
    files: PageFiles,
    *,
    advance: Callable[[], object] = lambda: None,
) -> list[Drawn]:
    """Draw data objects; one whose image and masks cannot be read has no pictures."""
    job = contents.job
    names = {worker.worker_id: worker.name for worker in contents.workers}
    longest = next((size for most, size in _SIZES if len(objects) <= most), _SMALLEST)

    def draw(obj: ObjectAnnotations) -> tuple[Photo | None, Sequence[Layer]]:
        label = contents.labels.get(obj.object_id)
        layers = job.task.draw_layers(job, obj, label, names, longest)
        return read_photo(job, obj.source, longest, files.photo_kind), layers

    drawn = []
    with ThreadPoolExecutor(_THREADS) as pool:  # decoding images leaves Python's lock alone
        for photo, layers in pool.map(draw, objects):
            drawn.append(
                Drawn(
                    photo=files.add(photo.body, files.photo_kind) if photo else "",
                    width=photo.width if photo else 0,
                    height=photo.height if photo else 0,
                    layers=tuple((it.caption, files.add(it.body, "png")) for it in layers),
                )
            )
            advance()
    return drawn


class _Numbers(dict[str, int]):
    """Names, numbered as they come up."""

    def __missing__(self, name: str) -> int:
        return self.setdefault(name, len(self))


def tabulate_gallery(
    contents: Contents,
    objects: Sequence[ObjectAnnotations],
    drawn: Sequence[Drawn],
    links: Mapping[str, str],
    truths: Mapping[str, Truth],
) -> dict[str, Any]:
    """What the page's script reads: a list for each fact, with an element for each object.

    `drawn` are the pictures of the first objects; `links` are addresses of images by object ids.
    Names of classes and workers are numbers; of votes, worker and class take turns, and the class
    is -1 where no class was chosen.
    """
    job = contents.job
    classes, statuses = _Numbers(), _Numbers()
    for name in contents.classes:
        _ = classes[name]
    workers = _Numbers((worker.worker_id, at) for at, worker in enumerate(contents.workers))
    again = set(contents.requeue)
    dispute = {obj.object_id: share for share, obj in contents.disputes}
    name_votes = remember(lambda choices: _number_votes(job, choices, contents.classes, classes))
    rows = []
    for obj in objects:
        label = contents.labels.get(obj.object_id)
        shown = job.task.name_shown(label, obj.choices, contents.classes)
        votes = name_votes(obj.choices) if len(obj.workers) else []
        rows.append(
            (
                obj.object_id,
                image_name(obj.source),
                [classes[name] for name in shown],
                _round(label.confidence if label else None),
                statuses[label.status if label else ""],
                _round(dispute.get(obj.object_id, 0.0)),
                [
                    number
                    for worker, chosen in zip(obj.workers, votes, strict=True)
                    for choice in chosen
                    for number in (workers[worker], choice)
                ],
                int(obj.object_id in again),
                [
                    [workers[worker], text[:_LONGEST_REMARK]]
                    for worker, text in {**obj.comments, **obj.unlabelable}.items()
                    if text
                ]
                or 0,
            )
        )
    keys = ("ids", "files", "labels", "confidences", "status", "dispute", "votes", "again")
    columns = zip(*rows, strict=True) if rows else ((),) * 9
    names = {worker.worker_id: worker.name for worker in contents.workers}
    return {
        **dict(zip((*keys, "remarks"), map(list, columns), strict=True)),
        "classes": list(classes),
        "statuses": list(statuses),
        "workers": [[names.get(worker, worker), worker] for worker in workers],
        "truths": [_word_truth(job, truths.get(obj.object_id)) for obj in objects]
        if truths and any(job.task.truth_names(truth) for truth in truths.values())
        else [],
        "colors": dict(list_colors(contents)),
        "photos": [it.photo for it in drawn],
        "sizes": [[it.width, it.height] for it in drawn],
        "layers": [it.layers for it in drawn] if any(it.layers for it in drawn) else [],
        "links": [links.get(obj.object_id, "") for obj in objects] if links else [],
        "below": contents.below,
    }


def _number_votes(
    job: JobOnFile, choices: Ints, names: Sequence[str], classes: _Numbers
) -> list[list[int]]:
    """What each worker chose."""
    return [[classes[name] for name in job.task.name_votes(row, names)] or [-1] for row in choices]


def _word_truth(job: JobOnFile, truth: Truth | None) -> str:
    return "" if truth is None else ", ".join(sorted(job.task.truth_names(truth)))


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def list_colors(contents: Contents) -> list[tuple[str, str]]:
    """Names and colours of a segmentation job's classes."""
    for label in contents.labels.values():
        if label.classes:
            named = [item for item in label.classes if item.color and item.class_id > 0]
            return [(item.name, item.color) for item in named]
    return []


def find_links(job: JobOnFile, objects: Sequence[ObjectAnnotations]) -> dict[str, str]:
    """Addresses of those images that are files of this machine, by their data objects' ids."""
    paths = ((obj.object_id, job.place.find_file(obj.source)) for obj in objects)
    return {object_id: path.absolute().as_uri() for object_id, path in paths if path is not None}
