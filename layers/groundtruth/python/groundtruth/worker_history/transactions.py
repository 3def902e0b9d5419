"""What is written to the table at once: as many data objects as a transaction takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import batched

from groundtruth.worker_history.counts import Units

MOST_ACTIONS = 100
MOST_CELLS_OF_A_WORKER = 100  # DynamoDB takes 300 terms of 4 KB; moto's parser, 120
MOST_CELLS = 4_000
MOST_WORKERS_OF_A_PART = MOST_ACTIONS // 2


@dataclass(frozen=True)
class Part:
    """What is written of a data object at once.

    Attributes
    ----------
    object_id : str
        The data object.
    number : int
        0 for the first or only part.
    units : dict of str to dict of str to int
        Worker -> cell -> what to add.
    """

    object_id: str
    number: int
    units: Units


@dataclass
class Group:
    """Parts that fit into one transaction.

    Attributes
    ----------
    parts : list of Part
        In the order they came.
    """

    parts: list[Part] = field(default_factory=list)
    _cells: dict[str, set[str]] = field(default_factory=dict)

    def takes(self, part: Part) -> bool:
        """Whether one more part fits."""
        workers = self._cells.keys() | part.units.keys()
        if len(self.parts) + 1 + len(workers) > MOST_ACTIONS:
            return False
        after = {worker: self._after(worker, part) for worker in workers}
        return max(after.values()) <= MOST_CELLS_OF_A_WORKER and sum(after.values()) <= MOST_CELLS

    def put(self, part: Part) -> None:
        """Add a part."""
        self.parts.append(part)
        for worker, cells in part.units.items():
            self._cells.setdefault(worker, set()).update(cells)

    def _after(self, worker: str, part: Part) -> int:
        return len(self._cells.get(worker, set()) | part.units.get(worker, {}).keys())


def split_object(object_id: str, units: Units) -> list[Part]:
    """Parts of one data object; the same for the same content, in whatever order."""
    pieces = [
        (number, worker, dict(cells))
        for worker, amounts in sorted(units.items())
        for number, cells in enumerate(
            batched(sorted(amounts.items()), MOST_CELLS_OF_A_WORKER, strict=False)
        )
    ]
    pieces.sort(key=lambda piece: piece[:2])  # so that no worker is twice in a part
    parts: list[Part] = []
    for _, worker, cells in pieces:
        if not parts or not _takes(parts[-1].units, worker, cells):
            parts.append(Part(object_id, len(parts), {}))
        parts[-1].units[worker] = cells
    return parts


def _takes(units: Units, worker: str, cells: Mapping[str, int]) -> bool:
    """Whether a part takes one more worker."""
    size = sum(len(known) for known in units.values()) + len(cells)
    return worker not in units and len(units) < MOST_WORKERS_OF_A_PART and size <= MOST_CELLS


def group_parts(objects: Mapping[str, Units]) -> list[Group]:
    """Groups of all data objects: each part goes to the first group that takes it."""
    parts = [part for name in sorted(objects) for part in split_object(name, objects[name])]
    groups: list[Group] = []
    for part in sorted(parts, key=lambda part: part.number):
        for group in groups:
            if group.takes(part):
                break
        else:
            group = Group()
            groups.append(group)
        group.put(part)
    return groups


def sum_by_worker(parts: Iterable[Part]) -> Units:
    """What parts add to each worker, in the workers' order."""
    sums: dict[str, Counter[str]] = {}
    for part in parts:
        for worker, cells in part.units.items():
            sums.setdefault(worker, Counter()).update(cells)
    return {worker: dict(sums[worker]) for worker in sorted(sums)}
