"""A job's answers, batch by batch: memory holds one batch, whatever the size of the job."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from labeljob.crowd.randomness import generator
from labeljob.crowd.truth import Truth, invented_truth
from labeljob.job.description import JobDescription
from labeljob.job.lines import ManifestLine
from labeljob.job.schedule import Sitting, schedule
from labeljob.job.wire import payload_entry, worker_response
from labeljob.synthesis.behavior import answer_of, difficulty
from labeljob.synthesis.crew import SyntheticWorker


@dataclass(frozen=True, kw_only=True)
class Disturbances:
    """What goes wrong beside the workers' errors; shares and means, each from 0 to below 1.

    Attributes
    ----------
    missing : float
        Share of the answers that nobody gives. One answer of each data object is always given.
    late : float
        Share that comes after the batch was consolidated: among the worker responses, not in
        the payload. One answer of each data object is always in time.
    difficulty : float
        Mean difficulty of the data objects, as `behavior.difficulty` has it.
    """

    missing: float = 0.0
    late: float = 0.0
    difficulty: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SynthesizedObject:
    """One data object with its answers.

    Attributes
    ----------
    line : ManifestLine
        Its line of the manifest.
    truth : str, frozenset of str or ndarray
        What is right.
    response : dict
        All answers, as the worker-response file has them.
    in_time : dict
        Those of them that were there when the batch was consolidated.
    submitted : datetime
        When the last answer was handed in.
    """

    line: ManifestLine
    truth: Truth
    response: dict[str, Any]
    in_time: dict[str, Any]
    submitted: datetime


@dataclass(frozen=True, kw_only=True)
class Synthesized:
    """One batch: its data objects, its payload, and when the ACS function is called."""

    objects: tuple[SynthesizedObject, ...]
    payload: list[dict[str, Any]]
    called: datetime


@dataclass(kw_only=True)
class Synthesis:
    """A job whose answers are made up.

    Attributes
    ----------
    description : JobDescription
        The job.
    crew : sequence of SyntheticWorker
        Its workers.
    n_objects : int
        How many data objects it has.
    source_ref : callable
        ``source-ref`` of an object id.
    shape : tuple of int
        Rows and columns of a mask.
    disturbances : Disturbances
        What goes wrong.
    """

    description: JobDescription
    crew: Sequence[SyntheticWorker]
    n_objects: int
    source_ref: Callable[[str], str]
    shape: tuple[int, int] = (180, 320)
    disturbances: Disturbances = field(default_factory=Disturbances)

    def batches(self) -> Iterator[Synthesized]:
        """The batches in order. Going through them again gives the same."""
        members = {member.worker.worker_id: member for member in self.crew}
        pool = [member.worker for member in self.crew]
        done: Counter[str] = Counter()
        offered = self.description.started
        for chunk in batched(self._lines(), self.description.batch_size, strict=False):
            at = replace(self.description, started=offered)
            (batch,) = schedule(at, pool, chunk)
            made = [
                self._answered(line, sittings, batch.called, members, done)
                for line, sittings in zip(batch.lines, batch.sittings, strict=True)
            ]
            payload = [
                payload_entry(one.line.object_id, one.line.source_ref, one.in_time) for one in made
            ]
            yield Synthesized(objects=tuple(made), payload=payload, called=batch.called)
            offered = batch.called

    def _lines(self) -> Iterator[ManifestLine]:
        for number in range(self.n_objects):
            values = {"source-ref": self.source_ref(str(number))}
            yield ManifestLine(str(number), json.dumps(values, separators=(",", ":")), values)

    def _answered(
        self,
        line: ManifestLine,
        sittings: Sequence[Sitting],
        called: datetime,
        members: dict[str, SyntheticWorker],
        done: Counter[str],
    ) -> SynthesizedObject:
        description, object_id = self.description, line.object_id
        labels, seed = description.labels, description.seed
        truth = invented_truth(description.task.value, labels, object_id, self.shape, seed)
        hardness = difficulty(self.disturbances.difficulty, object_id, seed)
        kept, n_in_time = self._kept(object_id, sittings, called)
        contents = []
        for sitting in kept:
            worker_id = sitting.worker.worker_id
            contents.append(
                answer_of(
                    members[worker_id],
                    description.task,
                    object_id=object_id,
                    labels=labels,
                    truth=truth,
                    seed=seed,
                    hardness=hardness,
                    tasks_done=done[worker_id],
                )
            )
            done[worker_id] += 1
        response = worker_response(kept, contents)
        return SynthesizedObject(
            line=line,
            truth=truth,
            response=response,
            in_time={"answers": response["answers"][:n_in_time]},
            submitted=kept[-1].submitted,
        )

    def _kept(
        self, object_id: str, sittings: Sequence[Sitting], called: datetime
    ) -> tuple[list[Sitting], int]:
        """Sittings that took place, those in time first, and how many those are."""
        missing, late = self.disturbances.missing, self.disturbances.late
        if not missing and not late:
            return list(sittings), len(sittings)
        rng = generator(self.description.seed, "disturbances", object_id)
        lots = rng.random((2, len(sittings)))
        spared = int(rng.integers(len(sittings)))
        lots[:, spared] = 1.0
        delays = rng.exponential(600.0, len(sittings))
        in_time, after = [], []
        for place, sitting in enumerate(sittings):
            if lots[0, place] < missing:
                continue
            if lots[1, place] >= late:
                in_time.append(sitting)
                continue
            submitted = called + timedelta(seconds=1.0 + round(float(delays[place]), 3))
            accepted = submitted - timedelta(seconds=sitting.seconds)
            after.append(replace(sitting, accepted=accepted, submitted=submitted))
        after.sort(key=lambda sitting: sitting.submitted)
        return in_time + after, len(in_time)
