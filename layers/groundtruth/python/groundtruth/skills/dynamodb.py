"""Worker skill in a DynamoDB table, shared by all functions at once.

============================  ===================  =============================================
``pk``                        ``sk``               other attributes
============================  ===================  =============================================
``worker#<worker>``           ``<key>#<era>``      one number for each cell, ``=`` before its name
``worker#``                   ``<key>#<era>``      the same of all workers together
``object#<mark>``             ``<part>``           ``expires``
``batch#<mark>``              ``<part>``           ``content``, ``parts``, ``expires``
============================  ===================  =============================================

Records are only ever added to, in a transaction that also writes the marks of the objects it
counts, on condition that they are new: dying between two requests, or repeating one that went
through unseen, leaves each object counted once or not at all.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from groundtruth.skills.amounts import (
    Units,
    as_history,
    packed,
    unpacked,
    whole_contributions,
)
from groundtruth.skills.decay import Moment
from groundtruth.skills.dynamodb_table import Cancelled, Deadline, Item, Table
from groundtruth.skills.grouping import Part, groups_of, sums_by_worker
from groundtruth.skills.ledger import batch_mark, object_mark
from groundtruth.skills.store import Amounts, History, SkillKey, SkillStoreError

KEPT = timedelta(days=400)
"""How long it is known that a batch was answered and an object counted."""

LONGEST_PART = 390_000
MOST_PARTS = 10
"""An answer takes this many items of this many bytes at most: 4 MB a transaction."""

_CELL = "="
_LONGEST_NAME = 512


class DynamoDbSkills:
    """A `SkillStore` in DynamoDB; threads may share it.

    Parameters
    ----------
    table_name : str
        A table with the keys ``pk`` and ``sk``, both texts, and the time to live in
        ``expires``.
    seconds : float, optional
        Time for one call; no request begins later.
    """

    def __init__(self, table_name: str, *, seconds: float = 3.0) -> None:
        self._table = Table(table_name)
        self._seconds = seconds

    def history(
        self, key: SkillKey, *, batch_id: str, workers: Sequence[str], at: datetime
    ) -> History:
        """What is known of workers; see `SkillStore`."""
        deadline = self._table.deadline(self._seconds)
        asked = dict.fromkeys(workers)
        moment = Moment(at, key.half_life_days)
        mark = f"batch#{batch_mark(key, batch_id)}"
        places = {
            _record_place(key, worker, era): (worker, era)
            for worker in asked
            for era in moment.eras
        }
        first = (mark, "0")
        keys = [_key(*place) for place in (first, *places)]
        items = {
            (item["pk"]["S"], item["sk"]["S"]): item for item in self._table.get(keys, deadline)
        }
        if first not in items:
            records: dict[str, dict[int, dict[str, int]]] = {worker: {} for worker in asked}
            for place, item in items.items():
                worker, era = places[place]
                records[worker][era] = _numbers(item)
            units = {worker: moment.read(found) for worker, found in records.items()}
            if self._keep(mark, packed(units), deadline):
                return as_history(units, asked)
            (items[first],) = self._table.get([_key(*first)], deadline)
        return as_history(self._answer(mark, items[first], deadline), asked)

    def learn(
        self,
        key: SkillKey,
        *,
        job: str,
        contributions: Mapping[str, Amounts],
        at: datetime,
    ) -> None:
        """Add what data objects teach, each once; see `SkillStore`."""
        moment = Moment(at, key.half_life_days)
        objects = {
            object_id: {worker: moment.stored(cells) for worker, cells in units.items()}
            for object_id, units in whole_contributions(contributions).items()
        }
        groups = groups_of(objects)
        if not groups:
            return
        deadline = self._table.deadline(self._seconds)
        full: set[str] = set()
        for group in groups:
            marks = [(object_mark(key, job, part.object_id), part) for part in group.parts]
            full |= self._add(key, moment.era, marks, deadline)
        if full:
            raise SkillStoreError(
                f"the records of {len(full)} workers take no more and were left as they are",
                reason="full",
            )

    def _add(
        self, key: SkillKey, era: int, marks: list[tuple[str, Part]], deadline: Deadline
    ) -> set[str]:
        """Add what is not counted yet of a group; the workers whose record is full."""
        full: set[str] = set()
        while marks:
            sums = sums_by_worker(part for _, part in marks)
            workers = [worker for worker in sums if worker not in full]
            actions = [
                self._table.new(_expiring(f"object#{mark}", str(part.number)))
                for mark, part in marks
            ] + [
                self._table.increase(
                    _key(*_record_place(key, worker, era)),
                    {f"{_CELL}{cell}": number for cell, number in sums[worker].items()},
                )
                for worker in workers
            ]
            try:
                self._table.transact(actions, deadline)
                break
            except Cancelled as error:
                codes = iter(error.codes)
                fresh = [mark for mark in marks if next(codes) != "ConditionalCheckFailed"]
                refusing = {worker for worker in workers if next(codes) == "ValidationError"}
                if len(fresh) == len(marks) and not refusing:
                    raise SkillStoreError(
                        f"transact_write_items: {error}", reason="refused"
                    ) from error
                marks, full = fresh, full | refusing
        return full

    def _keep(self, mark: str, content: bytes, deadline: Deadline) -> bool:
        """Keep the answer to a batch; False if one is kept already."""
        starts = range(0, len(content), LONGEST_PART)
        if len(starts) > MOST_PARTS:
            raise SkillStoreError("what is known of the workers is too much to keep", reason="full")
        items = [
            _expiring(mark, str(place))
            | {
                "content": {"B": content[start : start + LONGEST_PART]},
                "parts": {"N": str(len(starts))},
            }
            for place, start in enumerate(starts)
        ]
        return self._table.put_new(items, deadline)

    def _answer(self, mark: str, first: Item, deadline: Deadline) -> Units:
        """The answer that was kept, of which the first part is given."""
        places = range(1, int(first["parts"]["N"]))
        rest = self._table.get([_key(mark, str(place)) for place in places], deadline)
        parts = {item["sk"]["S"]: item["content"]["B"] for item in (first, *rest)}
        if len(parts) != 1 + len(places):
            raise SkillStoreError("a part of a kept answer is gone", reason="damaged")
        return unpacked(b"".join(parts[str(place)] for place in range(len(parts))))


def _record_place(key: SkillKey, worker: str, era: int) -> tuple[str, str]:
    """Keys of a worker's record; a name that is too long for a key, or no text, is digested."""
    content = worker.encode("utf-8", "surrogatepass")
    readable = len(content) <= _LONGEST_NAME and worker.isprintable()
    if not readable or worker.startswith("sha256:"):
        worker = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return f"worker#{worker}", f"{key.text}#{era}"


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _expiring(pk: str, sk: str) -> dict[str, Any]:
    expires = int(time.time() + KEPT.total_seconds())
    return _key(pk, sk) | {"expires": {"N": str(expires)}}


def _numbers(item: Item) -> dict[str, int]:
    return {
        name.removeprefix(_CELL): int(Decimal(value["N"]))
        for name, value in item.items()
        if name.startswith(_CELL)
    }
