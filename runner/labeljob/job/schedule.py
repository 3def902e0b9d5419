"""The job's own clock: who answers which data object when, and when each batch is complete.

Times follow from the description alone, so that a run that was interrupted finds its files again
by their names, and the same job run twice leaves the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from labeljob.crowd.answers import timing
from labeljob.crowd.profiles import SimulatedWorker, assign
from labeljob.job.description import JobDescription
from labeljob.job.lines import ManifestLine


@dataclass(frozen=True)
class Sitting:
    """One worker at one data object.

    Attributes
    ----------
    worker : SimulatedWorker
        Who answers.
    accepted, submitted : datetime
        When the worker took the task and handed it in.
    seconds : float
        Time spent on it.
    """

    worker: SimulatedWorker
    accepted: datetime
    submitted: datetime
    seconds: float


@dataclass(frozen=True)
class ScheduledBatch:
    """Data objects that are consolidated in one call.

    Attributes
    ----------
    lines : tuple of ManifestLine
        The data objects.
    sittings : tuple of tuple of Sitting
        For each of them, its workers in the order in which they hand in.
    called : datetime
        When the ACS function is called; no two batches share a second.
    """

    lines: tuple[ManifestLine, ...]
    sittings: tuple[tuple[Sitting, ...], ...]
    called: datetime


def schedule(
    description: JobDescription, pool: Sequence[SimulatedWorker], lines: Sequence[ManifestLine]
) -> Iterator[ScheduledBatch]:
    """Go through the job batch by batch, in the order of the manifest.

    A batch's tasks are offered when the batch before it was consolidated.
    """
    offered = description.started
    for chunk in batched(lines, description.batch_size, strict=False):
        sittings = tuple(_sittings(description, pool, line.object_id, offered) for line in chunk)
        last = max(row[-1].submitted for row in sittings)
        called = last.replace(microsecond=0) + timedelta(seconds=1)
        yield ScheduledBatch(chunk, sittings, called)
        offered = called


def _sittings(
    description: JobDescription,
    pool: Sequence[SimulatedWorker],
    object_id: str,
    offered: datetime,
) -> tuple[Sitting, ...]:
    sittings = []
    for worker in assign(pool, description.per_object, object_id, description.seed):
        waited, spent = timing(worker, object_id, description.seed)
        accepted = offered + timedelta(seconds=waited)
        sittings.append(Sitting(worker, accepted, accepted + timedelta(seconds=spent), spent))
    return tuple(sorted(sittings, key=lambda sitting: sitting.submitted))
