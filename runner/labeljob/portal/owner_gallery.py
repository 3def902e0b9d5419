"""What is labeled, page by page: data objects with their labels and votes, as filters choose."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from groundtruth.errors import GroundTruthError

MOST_OBJECTS = 200
"""Data objects that one page has at most."""

DEFAULT_OBJECTS = 60

SHOWN = ("answered", "labeled", "open", "cannot", "all")
"""Which data objects are shown: those with an answer or a label, by default."""

ORDERS = ("disputed", "sure", "manifest")

# The least sure labels are the most disputed; what has no label yet comes after all that has one.
_RANK = (
    "CASE o.state WHEN 'consolidated' THEN (o.confidence IS NOT NULL)"
    " WHEN 'complete' THEN 2 WHEN 'open' THEN 3 + (o.answered = 0) ELSE 5 END"
)
_SORT_KEYS = {
    "disputed": (_RANK, "coalesce(o.confidence, 0.0)"),
    "sure": (_RANK, "-coalesce(o.confidence, 0.0)"),
    "manifest": ("0", "0.0"),
}
_CONDITIONS = {
    "answered": "(o.answered > 0 OR o.state = 'consolidated')",
    "labeled": "o.state = 'consolidated'",
    "open": "o.state = 'open'",
    "cannot": "EXISTS (SELECT 1 FROM assignments a WHERE a.job = o.job"
    " AND a.object_id = o.object_id AND substr(a.answer, 1, 21) = '{\"cannot-be-labeled\":')",
    "all": "1",
}


class FilterError(GroundTruthError):
    """A filter of the gallery cannot be understood; the text says which."""


@dataclass(frozen=True, kw_only=True)
class GalleryFilter:
    """Which data objects are shown, in which order, and how many at once."""

    shown: str = "answered"
    order: str = "disputed"
    label: str = ""  # a class that the label has; empty for any
    status: str = ""  # of the label; empty for any
    worker: str = ""  # id of somebody who answered; empty for any
    below: float | None = None  # confidence under which the label has to be
    limit: int = DEFAULT_OBJECTS
    after: tuple[int, float, int] | None = None  # where the page before ended

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read the address of a page; raises `FilterError`."""
        shown, order = query.get("only") or "answered", query.get("order") or "disputed"
        if shown not in SHOWN or order not in ORDERS:
            raise FilterError(f"the gallery has no {shown!r} in the order {order!r}")
        try:
            below = float(query["below"]) if query.get("below") else None
            limit = int(query.get("limit") or DEFAULT_OBJECTS)
            rank, sure, position = json.loads(query["after"]) if query.get("after") else [0, 0, 0]
            after = (int(rank), float(sure), int(position)) if query.get("after") else None
        except (ValueError, TypeError) as error:
            raise FilterError(
                "below, limit or after in the address of the gallery is no number"
            ) from error
        return cls(
            shown=shown,
            order=order,
            label=query.get("class", ""),
            status=query.get("status", ""),
            worker=query.get("worker", ""),
            below=below,
            limit=min(max(limit, 1), MOST_OBJECTS),
            after=after,
        )

    def make_condition(self, job: str) -> tuple[str, list[Any]]:
        """The SQL condition on a row ``o`` of objects, and its values."""
        parts = ["o.job = ?", _CONDITIONS[self.shown]]
        values: list[Any] = [job]
        if self.label:
            parts.append("EXISTS (SELECT 1 FROM json_each(o.label) WHERE value = ?)")
            values.append(self.label)
        if self.status:
            parts.append("o.status = ?")
            values.append(self.status)
        if self.worker:
            parts.append(
                "EXISTS (SELECT 1 FROM assignments a WHERE a.job = o.job"
                " AND a.object_id = o.object_id AND a.worker_id = ? AND a.submitted IS NOT NULL)"
            )
            values.append(self.worker)
        if self.below is not None:
            parts.append("(o.confidence < ? AND o.state = 'consolidated')")
            values.append(self.below)
        return " AND ".join(parts), values


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """An answer as it is kept."""

    worker_id: str
    submitted: float  # seconds since 1970, UTC
    seconds: float | None  # time spent on it
    text: str  # JSON


@dataclass(frozen=True, kw_only=True)
class GalleryObject:
    """A data object as the gallery shows it."""

    object_id: str
    state: str
    called: str | None  # the call that made its label
    status: str
    confidence: float | None
    label: tuple[str, ...]
    wanted: int
    answers: tuple[StoredAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class GalleryPage:
    """Some data objects, and where the next ones begin."""

    objects: tuple[GalleryObject, ...]
    next: str | None  # None after the last
    count: int | None  # of all that the filter lets pass; told on the first page alone


def read_gallery(connection: sqlite3.Connection, job: str, chosen: GalleryFilter) -> GalleryPage:
    """Read one page of a job's gallery."""
    condition, values = chosen.make_condition(job)
    count = None
    if chosen.after is None:
        (count,) = connection.execute(
            f"SELECT count(*) FROM objects o WHERE {condition}", values
        ).fetchone()
    rank, sure = _SORT_KEYS[chosen.order]
    start = "WHERE (rank, sure, position) > (?, ?, ?)" if chosen.after else ""
    rows = connection.execute(
        f"SELECT * FROM (SELECT {rank} AS rank, {sure} AS sure, o.position AS position,"
        " o.object_id, o.state, o.called, o.status, o.confidence, o.label, o.wanted"
        f" FROM objects o WHERE {condition}) {start}"
        " ORDER BY rank, sure, position LIMIT ?",
        [*values, *(chosen.after or ()), chosen.limit + 1],
    ).fetchall()
    shown = rows[: chosen.limit]
    answers = _read_answers(connection, job, [row["object_id"] for row in shown])
    last = shown[-1] if len(rows) > len(shown) else None
    return GalleryPage(
        objects=tuple(
            GalleryObject(
                object_id=row["object_id"],
                state=row["state"],
                called=row["called"],
                status=row["status"] or "",
                confidence=row["confidence"],
                label=tuple(json.loads(row["label"]) if row["label"] else ()),
                wanted=row["wanted"],
                answers=tuple(answers[row["object_id"]]),
            )
            for row in shown
        ),
        next=None if last is None else json.dumps([last["rank"], last["sure"], last["position"]]),
        count=count,
    )


def _read_answers(
    connection: sqlite3.Connection, job: str, object_ids: Sequence[str]
) -> dict[str, list[StoredAnswer]]:
    marks = ",".join("?" * len(object_ids))
    answers: dict[str, list[StoredAnswer]] = defaultdict(list)
    # Without "+" SQLite walks through all answers of the job in the order of time.
    for object_id, worker, submitted, seconds, text in connection.execute(
        "SELECT object_id, worker_id, submitted, seconds, answer FROM assignments"
        f" WHERE job = ? AND object_id IN ({marks}) AND +submitted IS NOT NULL"
        " ORDER BY +submitted",
        (job, *object_ids),
    ):
        answers[object_id].append(
            StoredAnswer(worker_id=worker, submitted=submitted, seconds=seconds, text=text)
        )
    return answers
