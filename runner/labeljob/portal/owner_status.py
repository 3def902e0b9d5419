"""How a job stands, for its owner: what is labeled, by whom, how fast, and how sure it is."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from groundtruth.compat import batched
from labeljob.portal import assignments, progress
from labeljob.portal.answer_reading import JobAnswerReader
from labeljob.portal.database import Database
from labeljob.portal.member_names import find_names
from labeljob.tasks.base import JobType

MINUTES = 60
"""Minutes that the chart of answers a minute covers."""

N_BINS = 20
"""Bars of the chart of confidences, from 0 to 1."""

CHUNK = 2000
"""New labels that are taken in at once, so that a step is short."""

_IDS_IN_QUERY = 500


def compare_with_label(said: Collection[str], label: Collection[str]) -> float | None:
    """How well an answer agrees with the label, in [0, 1]: of the classes of either, those of both.

    None if the answer says nothing that counts, or there is no label.

    Examples
    --------
    >>> compare_with_label(["cat"], ["cat", "dog"])
    0.5
    """
    if not said or not label:
        return None
    return len(set(said) & set(label)) / len({*said, *label})


@dataclass(frozen=True)
class _Labeled:
    """What the label of one data object adds to the counts."""

    called: str  # the call that made it
    bin: int | None  # of its confidence
    agreements: tuple[tuple[str, float], ...]  # worker, and how well the answer agrees


@dataclass
class LabelCounter:
    """What the labels of a job tell, kept up to date as labels are made.

    Each label's answers are read once. An adaptive job may label a data object again: then the
    newer label counts.
    """

    job: str
    task: JobType
    reader: JobAnswerReader
    confidences: list[int] = field(default_factory=lambda: [0] * N_BINS)
    _last: str = ""
    _labeled: dict[str, _Labeled] = field(default_factory=dict)
    _without: set[str] = field(default_factory=set)
    _unanswered: int = 0
    _sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _counts: Counter[str] = field(default_factory=Counter)

    @property
    def unlabeled(self) -> int:
        """Data objects that are consolidated, and have no label."""
        return len(self._without) + self._unanswered

    def get_agreement(self, worker: str) -> float | None:
        """How well a worker's answers agree with the labels, in [0, 1]; None if not known."""
        count = self._counts[worker]
        return self._sums[worker] / count if count else None

    def advance(self, connection: sqlite3.Connection) -> bool:
        """Take in at most `CHUNK` new labels; whether these were all."""
        rows = connection.execute(
            "SELECT object_id, called, confidence, label FROM objects INDEXED BY objects_by_call"
            " WHERE job = ? AND called >= ? AND state = 'consolidated' ORDER BY called",
            (self.job, self._last),
        )
        self._unanswered = self._count_unanswered(connection)
        new: dict[str, tuple[str, float | None, list[str]]] = {}
        complete = True
        for object_id, called, confidence, label in rows:
            known = self._labeled.get(object_id)
            if known is not None and known.called == called:
                continue
            if len(new) == CHUNK:
                complete = False
                break
            new[object_id] = (called, confidence, json.loads(label) if label else [])
            self._last = called
        texts: Mapping[str, Mapping[str, str]] = {}
        if not self.task.label_is_mask:
            texts = read_answer_texts(connection, self.job, tuple(new))
        for object_id, (called, confidence, names) in new.items():
            self._take_back(object_id)
            bin_index = None if confidence is None or not names else _find_bin(confidence)
            agreements = tuple(
                (worker, value)
                for worker, text in texts.get(object_id, {}).items()
                if (value := compare_with_label(self.reader.find_classes(text), names)) is not None
            )
            self._add(object_id, _Labeled(called, bin_index, agreements), labeled=bool(names))
        return complete

    def _count_unanswered(self, connection: sqlite3.Connection) -> int:
        """Data objects that nobody answered, so that they were in no call."""
        (state,) = connection.execute(
            "SELECT state FROM jobs WHERE name = ?", (self.job,)
        ).fetchone()
        if state != "finished":  # there are none until then
            return 0
        (count,) = connection.execute(
            "SELECT count(*) FROM objects"
            " WHERE job = ? AND state = 'consolidated' AND called IS NULL",
            (self.job,),
        ).fetchone()
        return int(count)

    def _add(self, object_id: str, item: _Labeled, *, labeled: bool) -> None:
        self._labeled[object_id] = item
        if not labeled:
            self._without.add(object_id)
        if item.bin is not None:
            self.confidences[item.bin] += 1
        for worker, value in item.agreements:
            self._sums[worker] += value
            self._counts[worker] += 1

    def _take_back(self, object_id: str) -> None:
        item = self._labeled.pop(object_id, None)
        self._without.discard(object_id)
        if item is None:
            return
        if item.bin is not None:
            self.confidences[item.bin] -= 1
        for worker, value in item.agreements:
            self._sums[worker] -= value
            self._counts[worker] -= 1


def _find_bin(confidence: float) -> int:
    return min(int(confidence * N_BINS), N_BINS - 1)


def read_answer_texts(
    connection: sqlite3.Connection, job: str, object_ids: Sequence[str]
) -> dict[str, dict[str, str]]:
    """The answers to data objects as JSON texts: by object, then by worker in order of time."""
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    for some in batched(object_ids, _IDS_IN_QUERY):
        marks = ",".join("?" * len(some))
        # Without "+" SQLite walks through all answers of the job in the order of time.
        for object_id, worker, answer in connection.execute(
            "SELECT object_id, worker_id, answer FROM assignments"
            f" WHERE job = ? AND object_id IN ({marks}) AND +submitted IS NOT NULL"
            " ORDER BY +submitted",
            (job, *some),
        ):
            texts[object_id][worker] = answer
    return texts


def count_unsure(connection: sqlite3.Connection, job: str, below: float) -> int:
    """Consolidated data objects of a job without a label, or with a confidence below a limit."""
    (count,) = connection.execute(
        "SELECT count(*) FROM objects WHERE job = ? AND state = 'consolidated'"
        " AND (label IS NULL OR label = '[]' OR confidence < ?)",
        (job, below),
    ).fetchone()
    return int(count)


def find_at_work(connection: sqlite3.Connection, job: str, now: float) -> set[str]:
    """The workers who have a task of a job before them."""
    rows = connection.execute(
        "SELECT worker_id FROM assignments WHERE job = ? AND live AND shown AND expires > ?",
        (job, now),
    )
    return {worker for (worker,) in rows}


def describe_status(
    database: Database, counter: LabelCounter, *, classes: Sequence[str], problem: str
) -> dict[str, Any]:
    """All that the owner's page of a job shows, as JSON.

    `problem` says why labels cannot be made now; it is empty if they can.
    """
    job = counter.job
    with database.read() as connection:
        objects = progress.count_objects(database, job)
        counts = progress.count_by_class(database, job)
        workers = {item.worker_id: item for item in progress.count_by_worker(database, job)}
        at_work = find_at_work(connection, job, database.now())
        names = find_names(connection)
        return {
            "job": job,
            "state": assignments.get_job_state(database, job),
            "problem": problem,
            "total": objects.total - objects.excluded,
            "labeled": objects.consolidated - counter.unlabeled,
            "unlabeled": counter.unlabeled,
            "answered": objects.complete,
            "excluded": objects.excluded,
            "answers": objects.answers,
            "missing": objects.missing,
            "perMinute": progress.count_by_minute(database, job, MINUTES),
            "secondsLeft": progress.estimate_seconds_left(database, job),
            "atWork": len(at_work),
            "classes": [
                {"name": name, "count": counts.get(name, 0)}
                for name in dict.fromkeys([*classes, *counts])
            ],
            "confidences": list(counter.confidences),
            "workers": [
                {
                    "id": worker,
                    "name": names.get(worker, worker),
                    "answers": item.answers,
                    "cannotLabel": item.cannot_label,
                    "skipped": item.skipped,
                    "atWork": worker in at_work,
                    "medianSeconds": progress.find_median_seconds(database, job, worker_id=worker),
                    "agreement": counter.get_agreement(worker),
                }
                for worker in [*workers, *sorted(at_work - set(workers))]
                for item in [workers.get(worker, progress.WorkerCounts(worker))]
            ],
        }
