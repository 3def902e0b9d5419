"""Worker skill in memory: gone with the process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock

from groundtruth.worker_history.counts import (
    Moment,
    Units,
    pack,
    to_amounts,
    to_millionths,
    unpack,
)
from groundtruth.worker_history.store import Amounts, SkillKey

type RecordKey = tuple[str, str, int]
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
