"""A portal job's files, made of its rows: answers, requests, responses, the output manifest.

A batch is a row before it is a file. A process that is killed leaves a row that is not done, and
the next one makes the same files of it, with the same names and the same bytes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from groundtruth.compat import batched
from groundtruth.errors import StorageError
from groundtruth.finishing.job import SUMMARY, EndedJob, finish_job
from groundtruth.finishing.manifest import compact_json
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import NO_USABLE_ANSWER
from groundtruth.tasks.registry import decode_label
from labeljob.jobs.function_answers import check_response, contents_by_object
from labeljob.jobs.ground_truth_messages import (
    SubmittedAnswer,
    acs_event,
    cognito_identity,
    output_line,
    payload_entry,
    worker_response,
)
from labeljob.portal import assignments
from labeljob.portal.database import Database
from labeljob.portal.portal_job import Function, PortalJob

SETTLE = 20.0
"""Seconds after a data object's last answer in which a worker may still go back to it."""

NOBODY_ANSWERED = "ClientError: No worker answered before the job ended."
FAILED = "failed"
"""The status of a data object that nobody answered."""

_OBJECTS_IN_STEP = 500
_MOST_CHARACTERS_IN_BATCH = 64_000_000  # of answers, unless a single data object has more


class Consolidation:
    """Makes the files of one job; one thread at a time may use it.

    Parameters
    ----------
    job : PortalJob
        The job.
    store : ObjectStore
        Where its files go.
    acs : callable
        The ACS function, with this job's worker history.
    settle : float
        Seconds, see `SETTLE`.
    clock : callable
        Gives the time in UTC seconds.
    """

    def __init__(
        self,
        job: PortalJob,
        *,
        database: Database,
        store: ObjectStore,
        acs: Function,
        settle: float,
        clock: Callable[[], float],
    ) -> None:
        self._job = job
        self._name = job.name
        self._description = job.description
        self._layout = job.description.layout
        self._database = database
        self._store = store
        self._acs = acs
        self._settle = settle
        self._clock = clock
        self._closed = self._checked = False

    def run(self) -> None:
        """Do what is due; raises `GroundTruthError`, and then may be called again."""
        if self._closed:
            return
        if not self._checked:
            self._reopen_lost_batches()
            self._checked = True
        for begun in self._list_batches(done=False):
            self._consolidate(begun)
        self._consolidate_due()
        if self._is_over():
            assignments.set_job_state(self._database, self._name, "finished")
            self._consolidate_due()
            self._close()

    def _consolidate_due(self) -> None:
        while called := self._gather():
            self._consolidate(called)

    def _reopen_lost_batches(self) -> None:
        """Mark the batches as not done whose response a power cut, or somebody, has taken."""
        for called in self._list_batches(done=True):
            if self._read_if_there(self._layout.response(datetime.fromisoformat(called))) is None:
                with self._database.transaction() as connection:
                    connection.execute(
                        "UPDATE batches SET done = 0 WHERE job = ? AND called = ?",
                        (self._name, called),
                    )

    def _list_batches(self, *, done: bool) -> list[str]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT called FROM batches WHERE job = ? AND done = ? ORDER BY called",
                (self._name, int(done)),
            ).fetchall()
        return [called for (called,) in rows]

    def _gather(self) -> str | None:
        """Put together the next batch if one is due; when it is called."""
        size = self._description.batch_size
        with self._database.transaction() as connection:
            now = self._clock()
            if assignments.get_job_state(self._database, self._name) == "finished":
                chosen = _answered_objects(connection, self._name, size)
            else:
                complete = _complete_objects(connection, self._name, now, size)
                chosen = [
                    object_id
                    for object_id, completed in complete
                    if len(complete) == size or completed + self._settle <= now
                ]
            if not chosen:
                return None
            chosen = _limit_answers(connection, self._name, chosen)
            called = _next_call(connection, self._name, now)
            connection.execute(
                "INSERT INTO batches (job, called, done) VALUES (?, ?, 0)", (self._name, called)
            )
            connection.executemany(
                "UPDATE objects SET called = ? WHERE job = ? AND object_id = ?",
                [(called, self._name, object_id) for object_id in chosen],
            )
        return called

    def _consolidate(self, called: str) -> None:
        """Write the files of a batch, and what the ACS function said into the rows."""
        moment = datetime.fromisoformat(called)
        request_uri, response_uri = self._layout.request(moment), self._layout.response(moment)
        with self._database.read() as connection:
            rows = _read_answers(connection, self._name, called)
        payload = []
        for object_id, answers in rows.items():
            line = self._job.lines[int(object_id)]
            response = worker_response(answers)
            last = answers[-1].submitted
            self._write(self._layout.worker_response(object_id, last), compact_json(response))
            payload.append(payload_entry(line, response))
        if payload:
            self._write(request_uri, json.dumps(payload))
        said = self._read_if_there(response_uri)
        if said is None:
            said = self._acs(acs_event(self._description, request_uri)) if payload else []
            check_response(said, payload)
            self._write(response_uri, json.dumps(said))
        self._take_in(called, contents_by_object(said))

    def _take_in(self, called: str, contents: Mapping[str, Mapping[str, Any]]) -> None:
        """Write a batch's labels into the rows, and ask for more answers where they are unsure."""
        attribute = self._description.attribute
        limit = self._job.settings.min_confidence
        unsure = []
        labels = {}
        for object_id, content in contents.items():
            label = decode_label(content.get(attribute), content.get(f"{attribute}-metadata"))
            task, read = self._description.task, self._store.read
            labels[object_id] = label, task.name_label(label, read) if label else []
        with self._database.transaction() as connection:
            for object_id, (label, names) in labels.items():
                connection.execute(
                    "UPDATE objects SET state = 'consolidated', status = ?, confidence = ?,"
                    " label = ? WHERE job = ? AND object_id = ?",
                    (
                        (label and label.status) or ("labeled" if names else NO_USABLE_ANSWER),
                        label.confidence if label else None,
                        json.dumps(names, ensure_ascii=False) if names else None,
                        self._name,
                        object_id,
                    ),
                )
                if not names or label is None or (label.confidence or 0.0) < limit:
                    unsure.append(object_id)
            connection.execute(
                "UPDATE batches SET done = 1 WHERE job = ? AND called = ?", (self._name, called)
            )
            if self._description.max_workers:
                for object_id in unsure:
                    assignments.ask_one_more(
                        self._database,
                        self._name,
                        object_id,
                        most=self._description.max_workers,
                    )

    def _is_over(self) -> bool:
        """Whether no more answers come: all are there, the time is up, or the owner said so."""
        ends = self._description.started.timestamp() + self._description.availability
        with self._database.read() as connection:
            state = assignments.get_job_state(self._database, self._name)
            if state == "finished" or self._clock() >= ends:
                return True
            row = connection.execute(
                "SELECT 1 FROM objects WHERE job = ? AND state IN ('open', 'complete') LIMIT 1",
                (self._name,),
            ).fetchone()
        return row is None

    def _close(self) -> None:
        """Write the output manifest and the finisher's files, unless they are there.

        A summary alone is somebody's `labeljob finish`, which came too early.
        """
        folder = self._layout.output_manifest.rpartition("/")[0]
        if not {self._layout.output_manifest, f"{folder}/{SUMMARY}"} <= set(
            self._store.list(f"{folder}/")
        ):
            self._settle_unanswered()
            self._write_output()
            description = self._description
            job = EndedJob(
                root=self._layout.root,
                attribute=description.attribute,
                input_manifest=Path(description.manifest),
                classes=description.labels,
                min_confidence=self._job.settings.min_confidence,
                ours=True,
            )
            finish_job(job, store=self._store)
        self._closed = True

    def _settle_unanswered(self) -> None:
        """Data objects without an answer: nobody had to be asked, or nobody answered."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT object_id, task_input FROM objects WHERE job = ?"
                " AND state IN ('open', 'complete') AND called IS NULL ORDER BY position",
                (self._name,),
            ).fetchall()
        for step in batched(rows, _OBJECTS_IN_STEP):
            unasked = [
                object_id
                for object_id, task_input in step
                if task_input is None and self._job.ask_pre(self._job.lines[int(object_id)]) is None
            ]
            failed = [object_id for object_id, _ in step if object_id not in unasked]
            with self._database.transaction() as connection:
                for object_id in unasked:
                    assignments.exclude(self._database, self._name, object_id)
                connection.executemany(
                    "UPDATE objects SET state = 'consolidated', status = ?"
                    " WHERE job = ? AND object_id = ?",
                    [(FAILED, self._name, object_id) for object_id in failed],
                )

    def _write_output(self) -> None:
        contents: dict[str, Mapping[str, Any]] = {}
        calls: dict[str, datetime] = {}
        for called in self._list_batches(done=True):
            moment = datetime.fromisoformat(called)
            said = contents_by_object(json.loads(self._store.read(self._layout.response(moment))))
            contents |= said
            calls |= dict.fromkeys(said, moment)
        with self._database.read() as connection:
            failed = connection.execute(
                "SELECT object_id FROM objects WHERE job = ? AND status = ?", (self._name, FAILED)
            ).fetchall()
        failure = {
            f"{self._description.attribute}-metadata": {
                "retry-count": 0,
                "failure-reason": NOBODY_ANSWERED,
                "human-annotated": "true",
            }
        }
        contents |= {object_id: failure for (object_id,) in failed}
        started = self._description.started
        lines = (
            output_line(
                self._description,
                line,
                contents.get(line.object_id),
                calls.get(line.object_id, started),
            )
            for line in self._job.lines
        )
        self._write(self._layout.output_manifest, "".join(f"{line}\n" for line in lines))

    def _read_if_there(self, uri: str) -> Any:
        """The JSON of a file; None if it is not there, or not whole after a power cut."""
        try:
            return json.loads(self._store.read(uri))
        except StorageError as error:
            if error.reason != "not-found":
                raise
            return None
        except ValueError:
            return None

    def _write(self, uri: str, text: str) -> None:
        self._store.write(uri, text.encode(), content_type="application/json", kms_key=None)


def _answered_objects(connection: sqlite3.Connection, job: str, size: int) -> list[str]:
    """The first data objects that have an answer and are in no batch, of a job that is over."""
    rows = connection.execute(
        "SELECT object_id FROM objects WHERE job = ? AND state IN ('open', 'complete')"
        " AND answered > 0 AND called IS NULL ORDER BY completed IS NULL, completed, position"
        " LIMIT ?",
        (job, size),
    )
    return [object_id for (object_id,) in rows]


def _complete_objects(
    connection: sqlite3.Connection, job: str, now: float, size: int
) -> list[tuple[str, float]]:
    """The data objects that have been complete for longest, with when they became so."""
    return connection.execute(
        "SELECT object_id, completed FROM objects WHERE job = ? AND state = 'complete'"
        " AND called IS NULL AND hold_until <= ? ORDER BY completed, position LIMIT ?",
        (job, now, size),
    ).fetchall()


def _limit_answers(connection: sqlite3.Connection, job: str, object_ids: list[str]) -> list[str]:
    """The first of these data objects, as many as have answers that fit into one batch."""
    chosen: list[str] = []
    total = 0
    for object_id in object_ids:
        (length,) = connection.execute(
            "SELECT sum(length(answer)) FROM assignments WHERE job = ? AND object_id = ?",
            (job, object_id),
        ).fetchone()
        total += length or 0
        if chosen and total > _MOST_CHARACTERS_IN_BATCH:
            break
        chosen.append(object_id)
    return chosen


def _next_call(connection: sqlite3.Connection, job: str, now: float) -> str:
    """When the next batch is called, in whole seconds; no two batches share one."""
    (last,) = connection.execute("SELECT max(called) FROM batches WHERE job = ?", (job,)).fetchone()
    second = int(now)
    if last is not None:
        second = max(second, int(datetime.fromisoformat(last).timestamp()) + 1)
    return datetime.fromtimestamp(second, UTC).isoformat()


def _read_answers(
    connection: sqlite3.Connection, job: str, called: str
) -> dict[str, Sequence[SubmittedAnswer]]:
    """The answers to the data objects of a batch, in the order in which they were handed in."""
    rows = connection.execute(
        "SELECT o.object_id, a.worker_id, a.answer, a.accepted, a.submitted, a.seconds, m.sub,"
        " m.issuer FROM objects o JOIN assignments a ON a.job = o.job AND a.object_id = o.object_id"
        " LEFT JOIN members m ON m.worker_id = a.worker_id"
        " WHERE o.job = ? AND o.called = ? AND a.submitted IS NOT NULL"
        " ORDER BY o.position, a.submitted, a.worker_id",
        (job, called),
    )
    answers: dict[str, list[SubmittedAnswer]] = {}
    for object_id, worker_id, answer, accepted, submitted, seconds, sub, issuer in rows:
        identity = cognito_identity(sub or "")
        if issuer:
            identity = {"identityProviderType": "Oidc", "issuer": issuer, "sub": sub}
        answers.setdefault(object_id, []).append(
            SubmittedAnswer(
                worker_id=worker_id,
                content=json.loads(answer),
                accepted=datetime.fromtimestamp(accepted, UTC),
                submitted=datetime.fromtimestamp(submitted, UTC),
                seconds=round(seconds, 3),
                identity=identity,
            )
        )
    return dict(answers)
