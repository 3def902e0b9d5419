"""What came out of a job, counted line by line."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from groundtruth.annotations import CANNOT_BE_LABELED
from groundtruth.finishing.outcomes import FAILURE, ObjectOutcome, ResolvedObject
from groundtruth.tasks.base import Label

SCHEMA = "job-summary/1"
BINS = 10
STATUS_UNKNOWN = "not-told"
"""Status of a label in the `builtin` style, which has no place for one."""

MOST_REASONS = 100
LONGEST_REASON = 200
OTHER_REASONS = "other reasons"

DIGITS = 6

PSEUDONYM_PREFIX = "worker-"
PSEUDONYM_DIGITS = 16


def pseudonym(worker_id: str, key: str) -> str:
    """A worker's pseudonym: the same for the same key, another for another.

    Parameters
    ----------
    worker_id : str
        The id; the empty one, of an answer that names no worker, stays empty.
    key : str
        Who knows it can tell whose pseudonym it is, by trying all ids.

    Examples
    --------
    >>> pseudonym("private.us-west-2.1a2b3c4d5e6f7081", "labeling-job/tide-pools-01")
    'worker-2106e48b47b59673'
    """
    if not worker_id:
        return ""
    digest = hmac.new(key.encode(), worker_id.encode(errors="surrogatepass"), hashlib.sha256)
    return f"{PSEUDONYM_PREFIX}{digest.hexdigest()[:PSEUDONYM_DIGITS]}"


@dataclass(kw_only=True)
class Summary:
    """Counts over the data objects of a job; the memory they take does not grow with it."""

    # data objects by what became of them
    outcomes: Counter[ObjectOutcome] = field(default_factory=Counter)
    # labels, and objects whose answers were all rejected, by status
    statuses: Counter[str] = field(default_factory=Counter)
    # failed objects by reason: the first `MOST_REASONS` reasons by name
    failures: Counter[str] = field(default_factory=Counter)
    # labels by confidence, in tenths from 0 to 1; the last bin holds 1 too
    histogram: list[int] = field(default_factory=lambda: [0] * BINS)
    confidence_total: float = 0.0  # sum of the labels' confidences
    # agreement_total, agreement_count: sum of the shares of answers that agree with their label,
    # and how many labels with two votes or more there are
    agreement_total: float = 0.0
    agreement_count: int = 0
    # rejected, workers: rejected answers, by reason and by worker; what a worker says cannot be
    # labeled is told by reason alone
    rejected: Counter[str] = field(default_factory=Counter)
    workers: Counter[str] = field(default_factory=Counter)
    used: int = 0  # answers that count
    # labels by algorithm and settings' hash
    algorithms: Counter[tuple[str, str]] = field(default_factory=Counter)
    # requeued, differing: objects of the re-queue manifest, and lines whose own label is not the
    # last response's
    requeued: int = 0
    differing: int = 0

    def add(self, object_: ResolvedObject, *, failure_reason: str, requeued: bool) -> None:
        """Count one data object, and why it failed, if it did."""
        self.outcomes[object_.outcome] += 1
        self.requeued += requeued
        self.differing += object_.differs
        if object_.outcome is ObjectOutcome.FAILED:
            reason = failure_reason[:LONGEST_REASON]
            known = reason in self.failures or len(self.failures) < MOST_REASONS
            self.failures[reason if known else OTHER_REASONS] += 1
        if object_.label is not None:
            self._add_label(object_.label)

    def _add_label(self, label: Label) -> None:
        self.statuses[label.status or STATUS_UNKNOWN] += 1
        if label.confidence is not None:
            self.histogram[min(BINS - 1, int(label.confidence * BINS))] += 1
            self.confidence_total += label.confidence
        self.used += label.used
        self.rejected.update(item.reason for item in label.rejected)
        self.workers.update(
            item.worker_id for item in label.rejected if item.reason != CANNOT_BE_LABELED
        )
        if label.algorithm is not None:
            self.algorithms[label.algorithm] += 1
        if label.agreement is not None:
            self.agreement_total += label.agreement
            self.agreement_count += 1

    def as_json(self, worker_name: Callable[[str], str] = str) -> dict[str, Any]:
        """The counts as JSON values; the same counts give the same text."""
        workers = Counter({worker_name(worker): count for worker, count in self.workers.items()})
        return {
            "objects": self.outcomes.total(),
            **{outcome.value: self.outcomes[outcome] for outcome in ObjectOutcome},
            "requeued": self.requeued,
            "differs-from-manifest": self.differing,
            "statuses": _sorted(self.statuses),
            "failed-by-reason": _sorted(self.failures),
            "confidence": {
                "mean": _mean(self.confidence_total, sum(self.histogram)),
                "histogram": self.histogram,
            },
            "agreement": {
                "mean": _mean(self.agreement_total, self.agreement_count),
                "objects": self.agreement_count,
            },
            "answers": {
                "used": self.used,
                "set-aside": self.rejected.total(),
                "set-aside-by-reason": _sorted(self.rejected),
                "set-aside-by-worker": _sorted(workers),
            },
            "algorithms": [
                {"name": name, "settings": settings, "objects": count}
                for (name, settings), count in sorted(self.algorithms.items())
            ],
        }


def reason_of(metadata: Mapping[str, Any]) -> str:
    """Why an object failed, as its metadata say."""
    return str(metadata.get(FAILURE, ""))


def _mean(total: float, count: int) -> float | None:
    return round(total / count, DIGITS) if count else None


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))
