"""The index of each class of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from groundtruth.tasks.base import LabelClass

FROM_FILE = "label-file"
FROM_LABELS = "labels"
FROM_NAMES = "sorted-names"


@dataclass(frozen=True)
class ClassOrder:
    """The classes of a job.

    Attributes
    ----------
    index_of : mapping of str to int
        Index of each class, by its name.
    source : str
        ``"label-file"``; ``"labels"``: the indices that the labels have; ``"sorted-names"``: the
        labels' indices contradict each other, as they do where no place named the classes, so
        the names are sorted.
    """

    index_of: Mapping[str, int]
    source: str


class ClassesSeen:
    """The classes of the labels of a job, collected one label at a time."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, str]] = set()

    def add(self, classes: Sequence[LabelClass]) -> None:
        """Take in the classes of a label."""
        self._seen.update((item.class_id, item.name) for item in classes)

    def order(self, given: Sequence[str] | None) -> ClassOrder:
        """The index of every class seen.

        Parameters
        ----------
        given : sequence of str or None
            The classes in label order. Names that are not there (such as the page's "none of
            the above") come behind, in the order of their indices.

        Examples
        --------
        >>> seen = ClassesSeen()
        >>> seen.add([LabelClass(class_id=1, name="crab", confidence=1.0)])
        >>> seen.order(None).index_of
        {'crab': 1}
        >>> seen.order(["crab", "eel"]).index_of
        {'crab': 0, 'eel': 1}
        """
        if given is not None:
            others = {name: None for _, name in sorted(self._seen) if name not in given}
            return ClassOrder(_numbered([*given, *others]), FROM_FILE)
        names = sorted({name for _, name in self._seen})
        ids = {class_id for class_id, _ in self._seen}
        if len(self._seen) == len(names) == len(ids):
            return ClassOrder({name: at for at, name in sorted(self._seen)}, FROM_LABELS)
        return ClassOrder(_numbered(names), FROM_NAMES)


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}
