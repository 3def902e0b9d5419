"""The labels of an earlier job, which people of the next one adjust or verify."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from groundtruth.finishing.manifest import Line, read_lines
from groundtruth.finishing.outcomes import JOB_NAME_PREFIX, metadata_of
from groundtruth.settings import TAG_PREFIX
from groundtruth.tasks.base import Label, LabelClass
from groundtruth.tasks.registry import decode_label, find_task
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, find_job
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import find_job_type

EARLIER_TAG = f"{TAG_PREFIX}earlier-attribute"
"""The tag of a job whose workers see the labels of an earlier one; it names their attribute."""

_FOLDERS = ("manifests", "output")


@dataclass(frozen=True, kw_only=True)
class EarlierLabels:
    """What a manifest has under one label attribute.

    Attributes
    ----------
    manifest : Path
        The manifest.
    attribute : str
        The label attribute name.
    lines : tuple of (Line, Label or None)
        All lines, and what they are labeled.
    task : JobType
        The labels' job type.
    labels : tuple of str
        The names of the labels, as far as they can be told, in label order.
    place : JobPlace or None
        The job that the manifest is of, if it lies in a job's folder.
    """

    manifest: Path
    attribute: str
    lines: tuple[tuple[Line, Label | None], ...]
    task: JobType
    labels: tuple[str, ...]
    place: JobPlace | None

    @property
    def n_labeled(self) -> int:
        """How many lines have a label."""
        return sum(label is not None for _, label in self.lines)

    @property
    def job_name(self) -> str:
        """The earlier job's name, else the manifest's."""
        for line, label in self.lines:
            name = metadata_of(line.values, self.attribute).get("job-name")
            if label is not None and isinstance(name, str):
                return name.removeprefix(JOB_NAME_PREFIX)
        return self.manifest.name.partition(".")[0]

    @property
    def images(self) -> Path | None:
        """A folder with copies of what the earlier job is about, its masks for one."""
        if self.place is not None and self.place.is_copy:
            return self.manifest.resolve().parents[2]
        return self.place.images if self.place else None

    def make_manifest(self, folder: Path, *, labeled_only: bool) -> str:
        """The lines as a manifest in a folder, whose paths begin there.

        `labeled_only` leaves out the lines that have no label.
        """
        base = (self.place and find_sources(self.place)) or self.manifest.parent.resolve()
        lines = (line for line, label in self.lines if label is not None or not labeled_only)
        return "".join(f"{move_source(line, base, folder)}\n" for line in lines)


@dataclass(frozen=True, kw_only=True)
class PlannedRound:
    """What a job is whose workers see earlier labels; its options go before it."""

    name: str
    task: JobType
    labels: tuple[str, ...]
    attribute: str  # the label attribute name
    title: str
    description: str
    template: Path | None  # the worker page; None for that of the job type
    labeled_only: bool  # whether data objects without a label are left out


def plan_adjustment(earlier: EarlierLabels, labels: Sequence[str]) -> PlannedRound:
    """A job in which people correct masks; raises `JobError` if the earlier labels are none.

    That is also raised if a mask has a class that is not among `labels`: its pixels would become
    background, and nobody would notice.
    """
    if not any(label and label.mask_uri for _, label in earlier.lines):
        raise JobError(
            f"{earlier.attribute} has labels of the type {earlier.task}, which are chosen and not "
            "painted; --verify asks whether they are right"
        )
    left_out = [
        (line, item.name)
        for line, label in earlier.lines
        for item in _list_painted(label)
        if item.name not in labels
    ]
    if left_out:
        line, name = left_out[0]
        wanted = dict.fromkeys([*labels, *(name for _, name in left_out)])
        raise JobError(
            f"{earlier.manifest}, line {line.number + 1}: {earlier.attribute} has the class "
            f"{name}, which --labels leaves out; all of it would become background. Name it as "
            f"well: --labels {shlex.join(wanted)}"
        )
    return PlannedRound(
        name=f"{earlier.job_name}-adjust",
        task=earlier.task,
        labels=tuple(labels),
        attribute=f"adjusted-{earlier.attribute}",
        title="Correct what is painted in an image",
        description="Look at what others painted in an image, and correct it where it is wrong.",
        template=None,
        labeled_only=False,
    )


def read_earlier_labels(manifest: Path, attribute: str) -> EarlierLabels:
    """Read a manifest's labels under one attribute.

    Raises `JobError` if there are none, or of several job types.
    """
    with manifest.open("rb") as file:
        lines = [
            (line, _read_label(line, attribute)) for line in read_lines(file, name=str(manifest))
        ]
    found = [label for _, label in lines if label is not None]
    names = sorted({label.task for label in found})
    if len(names) != 1:
        others = {name for line, _ in lines for name in line.values if _read_label(line, name)}
        raise JobError(
            f"{manifest} has no labels under {attribute}"
            + (f", but under {' and '.join(sorted(others))}" if others else "")
            if not names
            else f"{manifest} has labels of several job types under {attribute}"
        )
    place = _find_place(manifest.resolve())
    known = place.description if place else None
    described = known.labels if known and known.attribute == attribute else ()
    task = find_job_type(find_task(names[0]).name)
    is_painted = found[0].mask_uri is not None
    classes = [
        item for label in found for item in (_list_painted(label) if is_painted else label.classes)
    ]
    # One job's labels are in order by their numbers; lines of several jobs may use a number twice.
    in_order = [item.name for item in sorted(classes, key=lambda item: item.class_id)]
    return EarlierLabels(
        manifest=manifest,
        attribute=attribute,
        lines=tuple(lines),
        task=task,
        labels=described or tuple(dict.fromkeys(in_order)),
        place=place,
    )


def _read_label(line: Line, attribute: str) -> Label | None:
    label = decode_label(line.values.get(attribute), metadata_of(line.values, attribute))
    return label if label is not None and label.classes else None


def _list_painted(label: Label | None) -> list[LabelClass]:
    """A mask's classes without the background."""
    return [item for item in label.classes if item.class_id] if label and label.mask_uri else []


def find_sources(place: JobPlace) -> Path | None:
    """The folder at which the paths in a job's manifests begin; None if it is not known."""
    known = place.description
    return Path(known.manifest).parent.resolve() if known and known.manifest else None


def _find_place(manifest: Path) -> JobPlace | None:
    """The job whose output manifest this is."""
    return find_job(str(manifest.parents[2])) if manifest.parts[-3:-1] == _FOLDERS else None


def move_source(line: Line, base: Path, folder: Path) -> str:
    """A line whose image was found from a folder, as it is found from another one."""
    source = line.values.get("source-ref")
    if not isinstance(source, str) or "://" in source or base == folder:
        return line.text
    path = Path(os.path.normpath(base / source))
    moved = path.relative_to(folder) if path.is_relative_to(folder) else path
    return line.with_members(["source-ref"], {"source-ref": moved.as_posix()})
