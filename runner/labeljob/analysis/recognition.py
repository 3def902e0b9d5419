"""What a job's files tell of its type and its classes, where nobody wrote them down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from groundtruth.annotations import AnswerReader, Entry
from groundtruth.contract.labels import is_label_name
from groundtruth.finishing.labels import (
    FROM_NAMES,
    MULTI_LABEL,
    SEGMENTATION,
    SINGLE_LABEL,
    ClassesSeen,
)
from groundtruth.tasks.base import Task
from groundtruth.tasks.segmentation.answers import BACKGROUND
from labeljob.analysis.answer_files import AnswerFiles
from labeljob.analysis.output_lines import OutputLine
from labeljob.analysis.place import JobPlace
from labeljob.analysis.read_only import ReadOnly
from labeljob.job.description import JobError
from labeljob.job.tasks import TASKS
from labeljob.task_types import TaskType

SAMPLED = 50
"""Data objects whose answers are looked at to recognize the job type."""

_BY_NAME = {
    SINGLE_LABEL: TaskType.IMAGE_MULTI_CLASS,
    MULTI_LABEL: TaskType.IMAGE_MULTI_CLASS_MULTI_LABEL,
    SEGMENTATION: TaskType.SEMANTIC_SEGMENTATION,
}


def recognized_task(
    lines: Sequence[OutputLine], attribute: str, files: AnswerFiles, place: JobPlace
) -> TaskType:
    """The job type of most labels, else the one that most answers have the shape of.

    Raises
    ------
    JobError
        If neither tells.
    """
    labels = (line.label(attribute) for line in lines)
    counts = Counter(_BY_NAME[label.task] for label in labels if label is not None)
    if not counts:
        for task, core in TASKS.items():
            usable = _names_in(files, place, core.class_names, some=SAMPLED)
            counts[task] = sum(bool(names) for names in usable)
    task, count = counts.most_common(1)[0]
    if not count:
        raise JobError("neither labels nor answers tell the job type; say it with --task")
    return task


def known_classes(
    lines: Sequence[OutputLine],
    attribute: str,
    files: AnswerFiles,
    place: JobPlace,
    core: Task[Any],
) -> tuple[tuple[str, ...], str]:
    """The classes in label order as far as labels tell, and where they are from.

    A label tells its class's place in the order. Classes that only answers name fill the places
    that are left, by their names; so do all classes if no label tells.

    Returns
    -------
    classes : tuple of str
        What no label's name can be is left out.
    source : str
        ``"manifest"`` or ``"answers"``.
    """
    seen = ClassesSeen()
    is_mask = False
    for line in lines:
        if (label := line.label(attribute)) is not None:
            is_mask = is_mask or label.task == SEGMENTATION
            seen.add([chosen for chosen in label.classes if chosen.name != BACKGROUND])
    order = seen.order(None)
    shift = 1 if is_mask else 0
    at = {index - shift: name for name, index in order.index_of.items()}
    if order.source == FROM_NAMES:
        at = dict(enumerate(order.index_of))
    if is_mask and sorted(at) == list(range(len(at))):
        return tuple(at[index] for index in sorted(at)), "manifest"
    named = {name for names in _names_in(files, place, core.class_names) for name in names}
    left = iter(sorted(name for name in named - set(at.values()) if is_label_name(name)))
    classes = []
    for index in range(max(at, default=-1) + 1):
        name = at.get(index) or next(left, None)
        if name is not None:
            classes.append(name)
    return (*classes, *left), "manifest" if at else "answers"


def _names_in(
    files: AnswerFiles,
    place: JobPlace,
    names_of: Callable[[Any], Any],
    some: int | None = None,
) -> Iterator[set[str]]:
    """The classes that the usable answers to each data object name."""
    entries = (Entry(item.object) for item in files.read(files.object_ids()[:some]))
    reader = AnswerReader(ReadOnly(place))
    for answers in reader.read(islice(entries, some), lambda content: tuple(names_of(content))):
        yield {name for names in answers.answers for name in names}
