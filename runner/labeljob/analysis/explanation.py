"""An explanation of a label: what each answer said and did, and with which settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundtruth.output_styles import settings_hash
from groundtruth.tasks.base import algorithm_of
from labeljob.analysis.ballots import Ballot
from labeljob.analysis.calls import Call
from labeljob.analysis.differences import described
from labeljob.analysis.job_on_file import JobOnFile
from labeljob.analysis.workers import Worker


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One worker's answer and what it did.

    Attributes
    ----------
    worker : Worker
        Who, with all that is known of the worker from this job.
    said : str
        The answer in words.
    agreement : float or None
        With the others' answers to this object, in [0, 1].
    seconds : float or None
        Time spent.
    without : tuple of (str, float or None) or None
        Label and confidence if this answer had not been given; None if that was not tried.
    """

    worker: Worker
    said: str
    agreement: float | None
    seconds: float | None
    without: tuple[str, float | None] | None

    def as_json(self) -> dict[str, Any]:
        """The vote for `--json`."""
        low, high = self.worker.interval
        label, confidence = self.without or (None, None)
        return {
            "worker-id": self.worker.worker_id,
            "said": self.said,
            "agreement-here": self.agreement,
            "seconds": self.seconds,
            "worker": {
                "answers": self.worker.answers,
                "agreement": self.worker.agreement if self.worker.agreements else None,
                "interval": [low, high],
                "flags": [flag for flag, _ in self.worker.flags],
            },
            "without": {"label": label, "confidence": confidence} if self.without else None,
        }


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a data object has its label.

    Attributes
    ----------
    job : JobOnFile
        The job, with the settings that were used.
    ballot : Ballot
        The usable answers, and those set aside.
    call : Call
        What was consolidated together with it.
    result : mapping
        The label in the `object` style, as these settings make it.
    status : str
        One word of `tasks.statuses`.
    votes : tuple of Vote
        One for each answer that counts.
    """

    job: JobOnFile
    ballot: Ballot
    call: Call
    result: Mapping[str, Any]
    status: str
    votes: tuple[Vote, ...]

    @property
    def posterior(self) -> dict[str, float]:
        """Probability of each class as the algorithm gave it, else the share of the votes."""
        given = self.result.get("posterior")
        if isinstance(given, Mapping):
            return {str(name): float(value) for name, value in given.items()}
        if isinstance(given, Sequence) and not isinstance(given, str):
            return dict(zip(self.job.choices, map(float, given), strict=False))
        votes = self.result.get("votes") or {}
        total = len(self.votes)
        return {name: count / total for name, count in votes.items()} if total else {}

    @property
    def posterior_from(self) -> str:
        """``"algorithm"`` or ``"votes"``."""
        return "algorithm" if self.result.get("posterior") is not None else "votes"

    def as_json(self) -> dict[str, Any]:
        """The explanation for `--json`."""
        job, settings = self.job, self.job.settings
        lines = {line.object_id: line for line in job.lines}
        line = lines.get(self.ballot.object_id)
        return {
            "object": self.ballot.object_id,
            "source": self.ballot.source,
            "task": job.task.value,
            "manifest": described(line.label(job.attribute)) if line else None,
            "result": dict(self.result),
            "status": self.status,
            "posterior": self.posterior,
            "posterior-from": self.posterior_from,
            "votes": [vote.as_json() for vote in self.votes],
            "set-aside": [vars(item) for item in self.ballot.set_aside],
            "call": {
                "objects": len(self.call.object_ids),
                "made-at": self.call.made_at.isoformat(),
            },
            "settings": {
                "algorithm": algorithm_of(job.core, settings),
                "hash": settings_hash(settings),
                "quorum": settings.quorum,
                "min-confidence": settings.min_confidence,
                "exclusion-category": settings.exclusion_category,
            },
        }
