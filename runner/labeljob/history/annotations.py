"""What each worker said of each data object, as numbers that can be counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.annotations import AnswerReader, Answers, Entry, RejectedAnswer
from groundtruth.errors import UnusableAnswer
from groundtruth.masks.reader import majority_size, read_mask
from groundtruth.masks.runs import RunMask
from groundtruth.tasks.segmentation.answers import MaskAnswer, colors_by_index
from groundtruth.tasks.segmentation.task import BACKGROUND
from labeljob.history.answer_files import Sitting
from labeljob.history.job import JobOnFile
from labeljob.jobs.job_location import ReadOnly

GRID = 96
"""Rows and columns of the points at which masks are compared."""

type Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """The usable answers to one data object.

    Attributes
    ----------
    object_id, source : str
        The data object.
    workers : tuple of str
        Who answered; no worker is there twice.
    choices : ndarray of int, shape (n_workers, n_units)
        What each said. Of a single label: the class. Of several: 1 for each class that was
        chosen, else 0. Of a mask: the class at each point of a grid, 0 for the background.
    rejected : tuple of RejectedAnswer
        The answers that do not count.
    sittings : mapping of str to Sitting
        When each worker answered.
    """

    object_id: str
    source: str
    workers: tuple[str, ...]
    choices: Ints
    rejected: tuple[RejectedAnswer, ...]
    sittings: Mapping[str, Sitting]


def unit_classes(job: JobOnFile) -> tuple[str, ...]:
    """Names of what a unit of a ballot can be; of a mask with the background first."""
    return job.choices if job.task.classifies else (BACKGROUND, *job.choices)


def read_ballots(
    job: JobOnFile, *, advance: Callable[[], object] = lambda: None
) -> Iterator[Ballot]:
    """The ballots of a job, one data object at a time.

    Parameters
    ----------
    job : JobOnFile
        The job.
    advance : callable
        Called as each data object is taken up.
    """
    waiting: list[tuple[str, Mapping[str, Sitting]]] = []

    def entries() -> Iterator[Entry]:
        for item in job.answered(job.object_ids()):
            source = item.object.source
            uri = source.get("s3Uri") if isinstance(source, Mapping) else None
            waiting.append((uri if isinstance(uri, str) else "", item.sittings))
            advance()
            yield Entry(item.object)

    reader = AnswerReader(ReadOnly(job.place))
    decoded = reader.read(entries(), lambda content: job.core.decode(content, job.choices))
    for at, answers in enumerate(decoded):
        source, sittings = waiting[at]
        yield _ballot(answers, source, sittings, job)


def _ballot(
    answers: Answers[Any], source: str, sittings: Mapping[str, Sitting], job: JobOnFile
) -> Ballot:
    rejected = list(answers.rejected)
    if not job.task.classifies:
        masks = dict(read_masks(answers, job.choices, rejected))
        rows = [_at_grid(mask) for mask in masks.values()]
        workers = tuple(masks)
    elif job.task.single_choice:
        workers, rows = answers.workers, [np.array([chosen]) for chosen in answers.answers]
    else:
        workers, rows = answers.workers, [_ticks(a, len(job.choices)) for a in answers.answers]
    return Ballot(
        object_id=answers.object_id,
        source=source,
        workers=workers,
        choices=np.array(rows, dtype=np.int64).reshape(len(rows), rows[0].size if rows else 0),
        rejected=tuple(rejected),
        sittings=sittings,
    )


def _ticks(chosen: Sequence[int], n_classes: int) -> Ints:
    ticks = np.zeros(n_classes, dtype=np.int64)
    ticks[list(chosen)] = 1
    return ticks


def read_masks(
    answers: Answers[MaskAnswer], classes: Sequence[str], rejected: list[RejectedAnswer]
) -> Iterator[tuple[str, RunMask]]:
    """The masks of one data object, all of one size; what cannot be read is set aside.

    Parameters
    ----------
    answers : Answers of MaskAnswer
        The answers, their PNGs not yet looked at.
    classes : sequence of str
        The job's, without BACKGROUND.
    rejected : list of RejectedAnswer
        Is added to.
    """
    shape = majority_size(answer.size for answer in answers.answers if answer.size is not None)
    for worker, answer in zip(answers.workers, answers.answers, strict=True):
        colors, names = colors_by_index(answer, classes)
        try:
            mask, _ = read_mask(answer.png, colors=colors, shape=shape, name_of=names)
        except UnusableAnswer as error:
            rejected.append(RejectedAnswer(worker, error.reason, error.detail))
            continue
        shape = shape or mask.shape
        if int(mask.classes.max()) > len(classes):
            rejected.append(RejectedAnswer(worker, "unknown-label", "it has a label not the job's"))
        else:
            yield worker, mask


def grid_lines(size: int) -> Ints:
    """Rows or columns at which masks are compared: centres of the grid's cells, or all of few.

    Examples
    --------
    >>> grid_lines(3).tolist(), grid_lines(2 * GRID).tolist()[:3]
    ([0, 1, 2], [1, 3, 5])
    """
    cells = min(GRID, size)
    return (2 * np.arange(cells, dtype=np.int64) + 1) * size // (2 * cells)


def _at_grid(mask: RunMask) -> Ints:
    """Class at the centres of the grid's cells; of a small mask at every pixel."""
    rows, columns = (grid_lines(size) for size in mask.shape)
    points = (rows[:, None] * mask.shape[1] + columns).ravel()
    run = np.searchsorted(mask.starts, points, side="right") - 1
    return mask.classes[run].astype(np.int64)
