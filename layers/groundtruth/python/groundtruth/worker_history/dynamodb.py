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
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from threading import Lock
from typing import Any, TypeAlias

from groundtruth.compat import batched
from groundtruth.worker_history.counts import (
    Moment,
    Units,
    batch_mark,
    object_mark,
    pack,
    to_amounts,
    to_millionths,
    unpack,
)
from groundtruth.worker_history.store import Amounts, SkillKey, SkillStoreError

MOST_ACTIONS = 100
MOST_CELLS_OF_A_WORKER = 120  # DynamoDB takes 300 terms of 4 KB; moto's parser, 120
MOST_CELLS = 4_000
MOST_WORKERS_OF_A_PART = MOST_ACTIONS // 2


@dataclass(frozen=True)
class Part:
    """What is written of a data object at once: for each worker, what to add to which cells."""

    object_id: str
    number: int
    units: Units


@dataclass
class Group:
    """Parts that fit into one transaction, in the order they came."""

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
        for number, cells in enumerate(batched(sorted(amounts.items()), MOST_CELLS_OF_A_WORKER))
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


KEYS_PER_REQUEST = 100
CONNECT_SECONDS = 1
READ_SECONDS = 2
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.8

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}
"""Codes of errors, and of the reasons why a transaction was cancelled, that pass."""

Item: TypeAlias = Mapping[str, Any]


class Cancelled(Exception):
    """A transaction did not happen, and will not by being repeated; why, for each action."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(", ".join(sorted(set(codes) - {"None"})))
        self.codes = codes


class Deadline:
    """Time for one call of the store, shared by all its requests; none begins later."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def pauses(self) -> Iterator[None]:
        """Once at once, then again after ever longer random pauses, until time is up."""
        longest, pause = FIRST_PAUSE, 0.0
        while time.monotonic() + pause < self._end:
            time.sleep(pause)
            yield
            pause = random.uniform(0, longest)
            longest = min(2 * longest, LONGEST_PAUSE)


class Table:
    """A table by its name or ARN; its client is made on first use, and threads may share it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._opened: Any = None
        self._lock = Lock()

    def deadline(self, seconds: float) -> Deadline:
        """Time for requests, which begins once there is a client to send them."""
        with _translated("opening a client"):
            self._client()
        return Deadline(seconds)

    def get(self, keys: Sequence[Item], deadline: Deadline) -> list[Item]:
        """Items of the keys that there are, as written by all writes that ended before."""
        items: list[Item] = []
        for chunk in batched(keys, KEYS_PER_REQUEST):
            wanted: Sequence[Item] = chunk
            for _ in deadline.pauses():
                request = {self.name: {"Keys": list(wanted), "ConsistentRead": True}}
                answer = self._call("batch_get_item", deadline, RequestItems=request)
                items += chain.from_iterable(answer["Responses"].values())
                left = (answer.get("UnprocessedKeys") or {}).values()
                wanted = [key for table in left for key in table["Keys"]]
                if not wanted:
                    break
            else:
                raise SkillStoreError("batch_get_item: not all keys in time", reason="throttled")
        return items

    def put_new(self, items: Sequence[Item], deadline: Deadline) -> bool:
        """Write items that are not there yet, all of them or none; False if one is there."""
        actions = [self.new(item) for item in items]
        try:
            if len(actions) == 1:
                self._call("put_item", deadline, **actions[0]["Put"])
            else:
                self.transact(actions, deadline)
        except Cancelled as error:
            if "ConditionalCheckFailed" in error.codes:
                return False
            raise SkillStoreError(f"a transaction failed: {error}", reason="refused") from error
        return True

    def new(self, item: Item) -> dict[str, Any]:
        """Action of a transaction that writes an item if it is not there yet."""
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        return {"Put": {"TableName": self.name, "Item": item, **condition}}

    def increase(self, key: Item, numbers: Mapping[str, int]) -> dict[str, Any]:
        """Action of a transaction that adds to attributes; the item is made if need be."""
        names = {f"#{index}": name for index, name in enumerate(numbers)}
        values = {f":{index}": {"N": str(number)} for index, number in enumerate(numbers.values())}
        terms = ",".join(f"#{index} :{index}" for index in range(len(numbers)))
        return {
            "Update": {
                "TableName": self.name,
                "Key": key,
                "UpdateExpression": f"ADD {terms}",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def transact(self, actions: Sequence[Any], deadline: Deadline) -> None:
        """Do all actions, at most 100 of `new` and `increase`, or none.

        Raises `Cancelled` if one is refused for good, `SkillStoreError` if it is not known to have
        been done.
        """
        token = str(uuid.uuid4())  # by which the service knows a repetition
        self._call(
            "transact_write_items",
            deadline,
            TransactItems=list(actions),
            ClientRequestToken=token,
        )

    def _call(self, operation: str, deadline: Deadline, **arguments: Any) -> Any:
        """Answer of a request that is repeated as long as that may help."""
        last = SkillStoreError(f"{operation}: no time was left", reason="throttled")
        for _ in deadline.pauses():
            try:
                with _translated(operation):
                    return getattr(self._client(), operation)(**arguments)
            except SkillStoreError as error:
                if error.reason not in ("throttled", "unavailable"):
                    raise
                last = error
        raise last

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                import boto3
                from botocore.config import Config

                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"mode": "standard", "total_max_attempts": 1},
                )
                self._opened = boto3.session.Session().client("dynamodb", config=config)
            return self._opened


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    try:
        yield
    except exceptions.ClientError as error:
        raise _meaning(operation, error.response) from error
    except (
        exceptions.ChecksumError,
        exceptions.ConnectionError,
        exceptions.HTTPClientError,
        ResponseParserError,
    ) as error:
        raise SkillStoreError(f"{operation}: {error}", reason="unavailable") from error
    except exceptions.BotoCoreError as error:
        raise SkillStoreError(f"{operation}: {error}", reason="refused") from error


def _meaning(operation: str, response: Mapping[str, Any]) -> Exception:
    """What an error response of the service means."""
    code = response["Error"].get("Code", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reasons = [reason.get("Code") or "None" for reason in response.get("CancellationReasons", ())]
    if code == "ConditionalCheckFailedException":
        return Cancelled(["ConditionalCheckFailed"])
    if reasons and not set(reasons) - {"None"} <= _THROTTLED:
        return Cancelled(reasons)
    text = f"{operation}: {code} {', '.join(sorted(set(reasons) - {'None'}))}".rstrip()
    if code in _THROTTLED or reasons:
        return SkillStoreError(text, reason="throttled")
    return SkillStoreError(text, reason="unavailable" if status >= 500 else "refused")


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
    ) -> Amounts:
        """What is known of workers; see `SkillStore`."""
        deadline = self._table.deadline(self._seconds)
        asked = dict.fromkeys(workers)
        moment = Moment(at, key.half_life_days)
        mark = f"batch#{batch_mark(key, batch_id)}"
        worker_eras = {
            _record_key(key, worker, era): (worker, era) for worker in asked for era in moment.eras
        }
        first = (mark, "0")
        keys = [_key(*pair) for pair in (first, *worker_eras)]
        items = {
            (item["pk"]["S"], item["sk"]["S"]): item for item in self._table.get(keys, deadline)
        }
        if first not in items:
            records: dict[str, dict[int, dict[str, int]]] = {worker: {} for worker in asked}
            for pair, item in items.items():
                worker, era = worker_eras[pair]
                records[worker][era] = _numbers(item)
            units = {worker: moment.read(eras) for worker, eras in records.items()}
            if self._keep(mark, pack(units), deadline):
                return to_amounts(units, asked)
            (items[first],) = self._table.get([_key(*first)], deadline)
        return to_amounts(self._answer(mark, items[first], deadline), asked)

    def update_counts(
        self,
        key: SkillKey,
        *,
        job: str,
        updates: Mapping[str, Amounts],
        at: datetime,
    ) -> None:
        """Add what data objects teach, each once; see `SkillStore`."""
        moment = Moment(at, key.half_life_days)
        objects = {
            object_id: {worker: moment.stored(cells) for worker, cells in units.items()}
            for object_id, units in to_millionths(updates).items()
        }
        groups = group_parts(objects)
        if not groups:
            return
        deadline = self._table.deadline(self._seconds)
        full: set[str] = set()
        for group in groups:
            marks = [(object_mark(key, job, part.object_id), part) for part in group.parts]
            full |= self._add(key, moment.era, marks, deadline)
        if full:
            raise SkillStoreError(
                f"records of workers that take no more, and were left as they are: {len(full)}",
                reason="full",
            )

    def _add(
        self, key: SkillKey, era: int, marks: list[tuple[str, Part]], deadline: Deadline
    ) -> set[str]:
        """Add what is not counted yet of a group; the workers whose record is full."""
        full: set[str] = set()
        while marks:
            sums = sum_by_worker(part for _, part in marks)
            workers = [worker for worker in sums if worker not in full]
            actions = [
                self._table.new(_expiring(f"object#{mark}", str(part.number)))
                for mark, part in marks
            ] + [
                self._table.increase(
                    _key(*_record_key(key, worker, era)),
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
            _expiring(mark, str(index))
            | {
                "content": {"B": content[start : start + LONGEST_PART]},
                "parts": {"N": str(len(starts))},
            }
            for index, start in enumerate(starts)
        ]
        return self._table.put_new(items, deadline)

    def _answer(self, mark: str, first: Item, deadline: Deadline) -> Units:
        """The answer that was kept, of which the first part is given."""
        numbers = range(1, int(first["parts"]["N"]))
        rest = self._table.get([_key(mark, str(number)) for number in numbers], deadline)
        parts = {item["sk"]["S"]: item["content"]["B"] for item in (first, *rest)}
        if len(parts) != 1 + len(numbers):
            raise SkillStoreError("a part of a kept answer is gone", reason="damaged")
        return unpack(b"".join(parts[str(number)] for number in range(len(parts))))


def _record_key(key: SkillKey, worker: str, era: int) -> tuple[str, str]:
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
    """Cells of a record, without those that hold no number or less than nothing."""
    numbers = {
        name.removeprefix(_CELL): int(Decimal(value.get("N", "-1")))
        for name, value in item.items()
        if name.startswith(_CELL)
    }
    return {cell: number for cell, number in numbers.items() if number >= 0}
