"""What annotations of another tool are, before they become a labeling job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import GroundTruthError


class ImportProblem(GroundTruthError):
    """A file of another tool cannot be used; the text names file, place and problem."""

    def __init__(self, problem: str, *, where: object) -> None:
        super().__init__(f"{where}: {problem}")


@dataclass(frozen=True)
class Choice:
    """A label that one person gave an image; `control` is what with: a kind, and a name if any."""

    label: str
    control: tuple[str, str]


@dataclass(frozen=True)
class Region(Choice):
    """A part of an image that one person gave a label.

    `draw` gives where it is, an ndarray of bool of shape (rows, columns); raises `ImportProblem`.
    """

    draw: Callable[[], NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True)
class ForeignAnswer:
    """What one person said of one image.

    Attributes
    ----------
    worker : str
        Who.
    where : str
        Its place: the file, and what the file calls it.
    choices : tuple of Choice
        Labels of the whole image.
    regions : tuple of Region
        Labels of parts of it; a later one lies over an earlier one.
    others : tuple of str
        What kind all else is that the person made.
    size : tuple of int or None
        (rows, columns) of the image, where the file tells.
    submitted : datetime or None
        When, in UTC.
    seconds : float or None
        Time spent.
    is_gold : bool
        Whether the tool calls it the truth, rather than somebody's answer.
    """

    worker: str
    where: str
    choices: tuple[Choice, ...]
    regions: tuple[Region, ...]
    others: tuple[str, ...]
    size: tuple[int, int] | None
    submitted: datetime | None = None
    seconds: float | None = None
    is_gold: bool = False


@dataclass
class ForeignImages:
    """What a tool's files hold.

    Attributes
    ----------
    answers : dict of str to list of ForeignAnswer
        By the image's source, in the order of the files.
    choice_labels, region_labels : list of str
        The labels of images and of regions in the tool's order; empty if the files do not tell.
    origin : dict of str to str
        What the tool calls things: ``tool`` is the tool itself, and of Label Studio ``image-key``
        is the image among a task's data and ``to_name`` the image among the project's objects.
    made_at : datetime or None
        When the files were written, in UTC, where they tell.
    skipped : list of str
        Answers that could not be used: where, and why.
    """

    answers: dict[str, list[ForeignAnswer]] = field(default_factory=dict)
    choice_labels: list[str] = field(default_factory=list)
    region_labels: list[str] = field(default_factory=list)
    origin: dict[str, str] = field(default_factory=dict)
    made_at: datetime | None = None
    skipped: list[str] = field(default_factory=list)
    _left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, kind: str, where: str) -> None:
        """Note that one thing of a kind is not used, though the rest of its answer may be."""
        self._left_out.setdefault(kind, []).append(where)

    def losses(self) -> list[str]:
        """All that is not used: what was left out, counted by its kind, and skipped answers."""
        counts = [
            f"{places[0]}: {kind}{f', and {len(places) - 1} more' if places[1:] else ''}"
            for kind, places in self._left_out.items()
        ]
        return counts + self.skipped

    def choices(self, *, of_regions: bool) -> Iterator[Choice]:
        """All labels that people gave images, or regions."""
        for given in self.answers.values():
            for answer in given:
                yield from answer.regions if of_regions else answer.choices

    def labels(self, *, of_regions: bool) -> tuple[str, ...]:
        """The tool's labels, and behind them those that answers name besides, sorted."""
        listed = dict.fromkeys(self.region_labels if of_regions else self.choice_labels)
        named = {choice.label for choice in self.choices(of_regions=of_regions)}
        return (*listed, *sorted(named - set(listed)))


def parse_time(text: Any) -> datetime | None:
    """A time in UTC; None if the text is none since 1970. One without a zone is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.year >= 1970 else None


def fill_polygon(corners: Sequence[tuple[float, float]], size: tuple[int, int]) -> Any:
    """The pixels whose centre lies in a polygon.

    Examples
    --------
    >>> fill_polygon([(0, 0), (2, 0), (2, 1), (0, 1)], (2, 3)).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    from labeljob.formats.polygons import painted

    return painted(np.array(corners, dtype=np.float64)[:, ::-1], size)
