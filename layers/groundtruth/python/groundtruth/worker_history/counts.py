"""Amounts of workers as whole numbers, their decay, and what a store keeps of them in memory."""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, TypeAlias

from groundtruth.worker_history.store import Amounts, SkillKey, SkillStoreError

PER_ONE = 1_000_000
"""Amounts are counted in millionths."""

LARGEST_AMOUNT = 1e6
LONGEST_CELL = 255

Cells: TypeAlias = dict[str, int]
"""Whole number by cell."""

Units: TypeAlias = dict[str, Cells]
"""Whole number by worker and cell."""


def to_millionths(updates: Mapping[str, Amounts]) -> dict[str, Units]:
    """Contributions in millionths; what rounds to zero is left out, up to whole objects.

    Raises
    ------
    ValueError
        If a cell is empty or too long, or an amount is negative, not finite or too large.

    Examples
    --------
    >>> to_millionths({"7": {"ann": {"0:0": 0.75, "0:1": 0.0}, "bob": {}}, "8": {}})
    {'7': {'ann': {'0:0': 750000}}}
    """
    objects = {}
    for object_id, workers in updates.items():
        units = {}
        for worker, cells in workers.items():
            numbers = {cell: _whole(cell, amount) for cell, amount in cells.items()}
            if kept := {cell: number for cell, number in numbers.items() if number}:
                units[worker] = kept
        if units:
            objects[object_id] = units
    return objects


def _whole(cell: str, amount: float) -> int:
    if not 1 <= len(cell.encode("utf-8")) <= LONGEST_CELL:
        raise ValueError(f"a cell has from 1 to {LONGEST_CELL} bytes, not {cell[:20]!r}…")
    if not (math.isfinite(amount) and 0 <= amount <= LARGEST_AMOUNT):
        raise ValueError(f"an amount is from 0 to {LARGEST_AMOUNT:g}, not {amount}")
    return round(amount * PER_ONE)


def to_amounts(units: Units, workers: Mapping[str, Any]) -> Amounts:
    """Amounts of the workers asked for, from millionths."""
    return {
        worker: {cell: number / PER_ONE for cell, number in units.get(worker, {}).items()}
        for worker in workers
    }


def pack(units: Units) -> bytes:
    """Millionths as bytes: compressed, the same for the same content."""
    text = json.dumps(units, separators=(",", ":"), sort_keys=True)
    return zlib.compress(text.encode("ascii"), level=6)


def unpack(content: bytes) -> Units:
    """Millionths from bytes.

    Raises
    ------
    SkillStoreError
        With reason ``damaged`` if these are no bytes of `pack`.
    """
    try:
        units: Units = json.loads(zlib.decompress(content))
    except (zlib.error, ValueError) as error:
        raise SkillStoreError("a kept answer is damaged", reason="damaged") from error
    return units


ORIGIN = datetime(2018, 1, 1, tzinfo=UTC)
ERA = 64
"""Half-lives from one era's begin to the next."""

REMEMBERED = 32
"""Half-lives after which an amount is next to nothing: a 4,294,967,296th."""

TOTAL = ""
"""Cell of a record that holds the sum of all amounts as they were, without decay."""

_SPARE_BITS = 10


@dataclass(frozen=True)
class Moment:
    """A time on the scale of one half-life."""

    at: datetime  # the time, in UTC
    half_life_days: float  # 0 for no decay: there is one era, number 0, then

    @property
    def position(self) -> float:
        """Half-lives since the origin."""
        if not self.half_life_days:
            return 0.0
        return (self.at - ORIGIN) / timedelta(days=1) / self.half_life_days

    @property
    def era(self) -> int:
        """Number of the era, to which everything of this moment is added."""
        return math.floor(self.position / ERA)

    @property
    def eras(self) -> tuple[int, ...]:
        """Eras that count at this moment: its own, and the one before unless all but gone."""
        if not self.half_life_days or self.position - self.era * ERA >= REMEMBERED:
            return (self.era,)
        return (self.era, self.era - 1)

    def factor(self, era: int) -> float:
        """How much an amount of this moment is stored for in a record of an era."""
        if not self.half_life_days:
            return 1.0
        return float(2.0 ** (self.position - era * ERA + _SPARE_BITS))

    def stored(self, cells: Mapping[str, int]) -> Cells:
        """What to add to the record of this moment's era.

        Examples
        --------
        >>> Moment(ORIGIN + timedelta(days=30), 30).stored({"0:0": 3})
        {'': 3, '0:0': 6144}
        """
        factor = self.factor(self.era)
        grown = {cell: round(number * factor) for cell, number in cells.items()}
        return {TOTAL: sum(cells.values())} | grown

    def read(self, records: Mapping[int, Mapping[str, int]]) -> Cells:
        """Decayed sums of records, era -> cell -> number; without cells that are gone.

        Together they are at most what was added: what was added later than this moment would
        weigh more than it was.

        Examples
        --------
        >>> Moment(ORIGIN + timedelta(days=60), 30).read({0: {"": 3, "0:0": 6144}})
        {'0:0': 2}
        """
        if not self.half_life_days:
            return {cell: number for cell, number in records.get(0, {}).items() if cell != TOTAL}
        sums: dict[str, float] = {}
        for era in sorted(records):
            factor = self.factor(era)
            for cell, number in records[era].items():
                if cell != TOTAL:
                    sums[cell] = sums.get(cell, 0.0) + number / factor
        most = sum(record.get(TOTAL, 0) for record in records.values())
        scale = min(1.0, most / (math.fsum(sums.values()) or 1.0))
        decayed = {cell: round(value * scale) for cell, value in sums.items()}
        return {cell: number for cell, number in decayed.items() if number}


RecordKey: TypeAlias = tuple[str, str, int]
"""Text of the skill key, worker, era."""


def object_mark(key: SkillKey, job: str, object_id: str) -> str:
    """What tells that an object of a job was counted: 32 hexadecimal digits."""
    return _digest([key.text, job, object_id])


def batch_mark(key: SkillKey, batch_id: str) -> str:
    """What tells that a batch was answered: 32 hexadecimal digits."""
    return _digest([key.text, batch_id])


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:32]


class Ledger:
    """Records, marks of counted objects, and answers that were given.

    `records` has the numbers by record key and cell, as `counts.Moment` stores them; `answers`
    the packed answer that each batch got, by the batch's mark.
    """

    def __init__(self) -> None:
        self.records: dict[RecordKey, dict[str, int]] = {}
        self.counted: set[str] = set()
        self.answers: dict[str, bytes] = {}

    def history(
        self,
        key: SkillKey,
        batch_id: str,
        workers: Iterable[str],
        at: datetime,
        *,
        keep: Callable[[str, bytes], None],
    ) -> Amounts:
        """What a batch is told of workers: what it was told before, else what is known now.

        `keep` puts the packed answer to a new batch into `answers`, under its mark.
        """
        asked = dict.fromkeys(workers)
        mark = batch_mark(key, batch_id)
        if mark not in self.answers:
            keep(mark, pack(self.read(key, asked, at)))
        return to_amounts(unpack(self.answers[mark]), asked)

    def read(self, key: SkillKey, workers: Iterable[str], at: datetime) -> Units:
        """What is known of workers now, decayed to a moment."""
        moment = Moment(at, key.half_life_days)
        units = {}
        for worker in workers:
            eras = {era: self.records.get((key.text, worker, era), {}) for era in moment.eras}
            units[worker] = moment.read(eras)
        return units

    def add(self, records: Mapping[RecordKey, Mapping[str, int]], counted: Iterable[str]) -> None:
        """Add to the records, and mark objects as counted."""
        for key, numbers in records.items():
            record = self.records.setdefault(key, {})
            for cell, number in numbers.items():
                record[cell] = record.get(cell, 0) + number
        self.counted.update(counted)

    def news(
        self, key: SkillKey, job: str, objects: Mapping[str, Units], at: datetime
    ) -> tuple[dict[RecordKey, dict[str, int]], list[str]]:
        """What `add` wants of the objects that are not counted yet."""
        moment = Moment(at, key.half_life_days)
        sums = Ledger()
        for object_id, workers in objects.items():
            mark = object_mark(key, job, object_id)
            if mark not in self.counted:
                stored = {
                    (key.text, worker, moment.era): moment.stored(cells)
                    for worker, cells in workers.items()
                }
                sums.add(stored, [mark])
        return sums.records, sorted(sums.counted)


class MemorySkills:
    """A `SkillStore` in memory; threads may share it."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._lock = Lock()

    def history(
        self, key: SkillKey, *, batch_id: str, workers: Sequence[str], at: datetime
    ) -> Amounts:
        """What is known of workers; see `SkillStore`."""
        with self._lock:
            keep = self._ledger.answers.__setitem__
            return self._ledger.history(key, batch_id, workers, at, keep=keep)

    def update_counts(
        self,
        key: SkillKey,
        *,
        job: str,
        updates: Mapping[str, Amounts],
        at: datetime,
    ) -> None:
        """Add what data objects teach, each once; see `SkillStore`."""
        objects = to_millionths(updates)
        with self._lock:
            self._ledger.add(*self._ledger.news(key, job, objects, at))
