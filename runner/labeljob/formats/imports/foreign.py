"""What annotations of another tool are, before they become a labeling job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import GroundTruthError


class ImportProblem(GroundTruthError):
    """A file of another tool cannot be used; the text names file, place and problem."""

    def __init__(self, problem: str, *, path: Path, where: str = "") -> None:
        super().__init__(f"{path}{f', {where}' if where else ''}: {problem}")


@dataclass(frozen=True)
class Region:
    """A part of an image that one person gave a label.

    Attributes
    ----------
    label : str
        The label.
    drawn : callable
        Gives where it is, an ndarray of bool of shape (rows, columns); raises `ImportProblem`.
    """

    label: str
    drawn: Callable[[], NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True)
class ForeignAnswer:
    """What one person said of one image.

    Attributes
    ----------
    worker : str
        Who.
    choices : tuple of str
        Labels of the whole image.
    regions : tuple of Region
        Labels of parts of it; a later one lies over an earlier one.
    size : tuple of int or None
        (rows, columns) of the image, where the file tells.
    submitted : datetime or None
        When, in UTC.
    seconds : float or None
        Time spent.
    """

    worker: str
    choices: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    size: tuple[int, int] | None = None
    submitted: datetime | None = None
    seconds: float | None = None


@dataclass
class ForeignImages:
    """What a tool's files hold.

    Attributes
    ----------
    answers : dict of str to list of ForeignAnswer
        By the image's source, in the order of the files.
    labels : tuple of str
        The labels in the tool's order; empty if the files do not tell.
    made_at : datetime or None
        When the files were written, in UTC, where they tell.
    skipped : list of str
        What could not be used: where, and why.
    """

    answers: dict[str, list[ForeignAnswer]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    made_at: datetime | None = None
    skipped: list[str] = field(default_factory=list)

    def used_labels(self) -> tuple[str, ...]:
        """The tool's labels, and behind them those that answers name besides, sorted."""
        named: set[str] = set()
        for given in self.answers.values():
            for answer in given:
                named |= {*answer.choices, *(region.label for region in answer.regions)}
        return (*self.labels, *sorted(named - set(self.labels)))


def moment_of(text: Any) -> datetime | None:
    """A time in UTC; None if the text is none. One without a zone is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def required(values: Any, key: str, kind: type, *, path: Path, where: str) -> Any:
    """A member of a JSON object; raises `ImportProblem` if it is missing or of another kind."""
    value = values.get(key) if isinstance(values, Mapping) else None
    if not isinstance(value, kind):
        raise ImportProblem(f"{key!r} is missing or not as documented", path=path, where=where)
    return value


def polygon_pixels(corners: Sequence[tuple[float, float]], size: tuple[int, int]) -> Any:
    """The pixels whose centre lies in a polygon.

    Examples
    --------
    >>> polygon_pixels([(0, 0), (2, 0), (2, 1), (0, 1)], (2, 3)).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    from labeljob.formats.polygons import painted

    return painted(np.array(corners, dtype=np.float64)[:, ::-1], size)
