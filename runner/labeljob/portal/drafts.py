"""What workers have begun and not handed in: it comes back with the task, in whatever browser.

A draft is the answer as it stood when the page sent it last, one for each worker and data object.
It is nobody's answer: nothing but that worker's page ever reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from labeljob.portal.database import Database

MOST_KEPT = 20
"""Drafts of one worker in one job: of the task, the one after it, and of some left undone."""


def save_draft(
    database: Database, job: str, object_id: str, worker_id: str, answer: Mapping[str, Any]
) -> bool:
    """Keep what a worker has begun, in place of what was kept of it before.

    The worker's oldest drafts of the job go as soon as there are more than `MOST_KEPT`.

    Returns
    -------
    bool
        False if the worker was never asked about the object or has skipped it, others have taken
        all places, or the answer is given already.
    """
    with database.transaction() as connection:
        kept = connection.execute(
            "INSERT INTO drafts SELECT job, worker_id, object_id, ?, ? FROM assignments "
            "JOIN objects USING (job, object_id) WHERE job = ? AND object_id = ? AND worker_id = ? "
            "AND (live OR reopened IS NOT NULL OR submitted IS NULL AND skipped IS NULL AND room) "
            "AND called IS NULL AND objects.state IN ('open', 'complete') "
            "AND (SELECT jobs.state FROM jobs WHERE name = job) != 'finished' "
            "ON CONFLICT DO UPDATE SET saved = excluded.saved, answer = excluded.answer",
            (
                database.now(),
                json.dumps(answer, ensure_ascii=False),
                job,
                object_id,
                worker_id,
            ),
        ).rowcount
        connection.execute(
            "DELETE FROM drafts WHERE job = :job AND worker_id = :worker AND object_id NOT IN "
            "(SELECT object_id FROM drafts WHERE job = :job AND worker_id = :worker "
            "ORDER BY saved DESC LIMIT :most)",
            {"job": job, "worker": worker_id, "most": MOST_KEPT},
        )
        return kept > 0


def find_draft(
    database: Database, job: str, object_id: str, worker_id: str
) -> dict[str, Any] | None:
    """What a worker has begun; None if nothing, or it is older than what they went back to."""
    row = database.find_row(
        "SELECT drafts.answer FROM drafts JOIN assignments USING (job, worker_id, object_id) "
        "WHERE job = ? AND worker_id = ? AND object_id = ? AND saved >= coalesce(reopened, 0)",
        (job, worker_id, object_id),
    )
    return None if row is None else json.loads(row["answer"])
