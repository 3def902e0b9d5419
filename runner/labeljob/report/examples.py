"""The most disputed data objects, for the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from labeljob.history.differences import name_label
from labeljob.history.job import ObjectAnnotations
from labeljob.report.contents import Contents, file_name
from labeljob.report.pictures import Picture
from labeljob.tasks.base import Truth


@dataclass(frozen=True, kw_only=True)
class DisputedExample:
    """One disputed data object."""

    object_id: str
    name: str
    dispute: float
    label: str
    confidence: float | None
    truth: str
    votes: list[tuple[str, list[str]]]
    pictures: list[Picture]


def draw_disputed_examples(
    contents: Contents,
    count: int,
    *,
    truths: Mapping[str, Truth] | None = None,
    advance: Callable[[], object] = lambda: None,
) -> list[DisputedExample]:
    """The most disputed data objects of a job, with their images where those can be read."""
    names = {worker.worker_id: worker.name for worker in contents.workers}
    job_type, examples = contents.job.task, []
    for share, obj in [row for row in contents.disputes if row[0] > 0][:count]:
        label = contents.labels.get(obj.object_id)
        truth = (truths or {}).get(obj.object_id)
        examples.append(
            DisputedExample(
                object_id=obj.object_id,
                name=file_name(obj.source),
                dispute=share,
                label=name_label(label),
                confidence=label.confidence if label else None,
                truth="" if truth is None else ", ".join(job_type.truth_names(truth)),
                votes=[] if job_type.label_is_mask else _votes(obj, contents, names),
                pictures=job_type.draw_example(contents.job, obj, label, names),
            )
        )
        advance()
    return examples


def _votes(
    obj: ObjectAnnotations, contents: Contents, names: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    table: dict[str, list[str]] = {}
    for worker, choices in zip(obj.workers, obj.choices, strict=True):
        # Of several labels each is a question of its own.
        for name in contents.job.task.name_choices(choices, contents.classes):
            table.setdefault(name, []).append(names[worker])
    return sorted(table.items(), key=lambda row: (-len(row[1]), row[0]))


def list_colors(contents: Contents) -> list[tuple[str, str]]:
    """Names and colours of a segmentation job's classes."""
    for label in contents.labels.values():
        if label.classes:
            named = [item for item in label.classes if item.color and item.class_id > 0]
            return [(item.name, item.color) for item in named]
    return []
