"""Verification: people say of earlier labels whether they are right, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from groundtruth.finishing.manifest import Line, compact_json
from groundtruth.tasks.base import Label
from groundtruth.tasks.registry import find_task
from labeljob.application import find_template
from labeljob.history.job_files import OutputLine
from labeljob.rounds.earlier_labels import EarlierLabels, PlannedRound
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES, find_job_type

VERIFICATION = "verification"
"""The worker page of a verification, by the name that a job type's folder has."""

RIGHT = "right"
UNSURE = "unsure"


def list_choices(task: JobType, labels: Sequence[str]) -> tuple[str, ...]:
    """What workers choose from who verify labels of a job type."""
    return (RIGHT, *map(task.word_mistake, labels), UNSURE)


def is_verdict(name: str) -> bool:
    """Whether a label's name is one that workers choose who verify labels.

    Examples
    --------
    >>> is_verdict("wrong: it is cat"), is_verdict("cat")
    (True, False)
    """
    return name in (RIGHT, UNSURE) or name.startswith("wrong: ")


def plan_verification(earlier: EarlierLabels, labels: Sequence[str]) -> PlannedRound:
    """A job in which people say whether labels are right: one of a single choice."""
    task = next(job_type for job_type in JOB_TYPES.values() if job_type.single_choice)
    return PlannedRound(
        name=f"{earlier.job_name}-verify",
        task=task,
        labels=list_choices(earlier.task, labels),
        attribute=f"{earlier.attribute.removesuffix('-ref')}-verified",
        title="Check the label of an image",
        description="Say whether the label that an image has is right, and what is wrong if not.",
        template=find_template(VERIFICATION),
        labeled_only=True,
    )


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What a verification found.

    Attributes
    ----------
    gold : tuple of str
        Lines of a file of known objects: labels that are right, and what is right in the place of
        wrong ones where the workers said it.
    masks : mapping of str to str
        URIs of the masks among them, by the name of the file that `gold` names.
    again : tuple of str
        Manifest lines of what is wrong or unsure.
    counts : mapping of str to int
        How many labels got each verdict.
    """

    gold: tuple[str, ...]
    masks: Mapping[str, str]
    again: tuple[str, ...]
    counts: Mapping[str, int]


def collect_verdicts(
    lines: Sequence[OutputLine],
    *,
    attribute: str,
    earlier: str,
    below: float,
    mask_folder: str,
    move: Callable[[Line], str],
) -> Verdicts:
    """Sort the labels of an earlier job by what was said of them.

    Parameters
    ----------
    lines : sequence of OutputLine
        Those of the verification job's output manifest.
    attribute, earlier : str
        The label attribute names of the verification and of what it is about.
    below : float
        Verdicts with less confidence count as unsure.
    mask_folder : str
        The folder in which `gold` says that masks are.
    move : callable
        Gives the text of a line with the image's path as the new manifest has it.
    """
    gold: list[str] = []
    masks: dict[str, str] = {}
    again: list[str] = []
    counts: Counter[str] = Counter()
    for output in lines:
        label = output.label(earlier)
        if label is None or not label.classes:
            continue
        task = find_job_type(find_task(label.task).name)
        verdict = _read_verdict(output.label(attribute), below)
        counts[verdict] += 1
        known = _correct(label, task, verdict)
        if known is not None:
            if label.mask_uri is not None:
                name = PurePosixPath(label.mask_uri).name
                masks[name], known = label.mask_uri, f"{mask_folder}/{name}"
            gold.append(compact_json({"source-ref": output.source, task.truth_key: known}))
        if verdict != RIGHT:
            line = Line.parse(output.text, int(output.object_id))
            gone = {attribute, f"{attribute}-metadata"}
            if label.mask_uri is None:  # a mask is shown to those who adjust it
                gone |= {earlier, f"{earlier}-metadata"}
            moved = Line.parse(move(line), line.number)
            again.append(moved.with_members(gone, {}))
    return Verdicts(gold=tuple(gold), masks=masks, again=tuple(again), counts=counts)


def _read_verdict(label: Label | None, below: float) -> str:
    """What the workers said together; that they are unsure if they said nothing for certain."""
    if label is None or not label.classes or (label.confidence or 0.0) < below:
        return UNSURE
    return label.classes[0].name


def _correct(label: Label, task: JobType, verdict: str) -> Any:
    """The truth that a verdict tells, by name; None if it tells none."""
    if verdict != RIGHT:
        return task.correct(verdict)
    names = [item.name for item in label.classes]
    truth = task.name_truth(names)
    return truth if isinstance(truth, str) else names
