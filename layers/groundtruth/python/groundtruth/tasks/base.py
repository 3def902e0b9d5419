"""What the path of a request knows of a job type, and what a job type is given to know."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.auxiliary_inputs import NO_LABELS, AuxiliaryLabels
from groundtruth.settings import Settings
from groundtruth.storage.s3 import ObjectStore
from groundtruth.worker_history.store import BatchSkills

if TYPE_CHECKING:
    from groundtruth.aggregation.classification.calibration_maps import ConfidenceMap


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a task needs to know of a batch besides its answers.

    Attributes
    ----------
    classes : tuple of str
        Everything a worker may have chosen, in label order.
    classes_known : bool
        False if no place named the classes, so that they are those the workers used.
    settings : Settings
        Those of the job.
    job_name : str
        ``labeling-job/<name>``.
    made_at : datetime
        When the batch was put together, in UTC. The same payload has the same time for ever,
        so that a batch that comes again leaves the same bytes.
    masks_uri : str
        S3 URI of the folder that masks go to, without a slash at its end.
    store : ObjectStore
        Where masks are written.
    kms_key : str or None
        The key to write them with.
    workers : tuple of str
        Everybody whose answer is in the payload, in sorted order.
    skills : BatchSkills
        What earlier batches taught about the workers.
    gold, model : AuxiliaryLabels
        Labels that are known beforehand, and a model's answers.
    confidence_map : ConfidenceMap or None
        Puts confidences right.
    """

    classes: tuple[str, ...]
    classes_known: bool
    settings: Settings
    job_name: str
    made_at: datetime
    masks_uri: str
    store: ObjectStore
    kms_key: str | None
    workers: tuple[str, ...] = ()
    skills: BatchSkills = field(default_factory=BatchSkills.none)
    gold: AuxiliaryLabels = NO_LABELS
    model: AuxiliaryLabels = NO_LABELS
    confidence_map: ConfidenceMap | None = None

    @cached_property
    def model_id(self) -> str:
        """The name under which the model counts as a worker: one for each file of answers."""
        digest = hashlib.sha256(self.settings.model_answers_s3_uri.encode()).hexdigest()
        return f"model.{digest[:16]}"


class Label(Protocol):
    """The consolidated result of one data object."""

    @property
    def status(self) -> str:
        """How sure the label is, in one word of `tasks.statuses`."""

    @property
    def used(self) -> int:
        """How many answers count."""

    @property
    def agreement(self) -> float | None:
        """Share of the answers that agree with the label, in [0, 1]; None with fewer than two."""

    @property
    def rejected(self) -> tuple[RejectedAnswer, ...]:
        """The answers that do not count."""

    def as_object(self) -> dict[str, Any]:
        """The label in the `object` style."""

    def as_builtin(self, batch: Batch) -> tuple[Any, dict[str, Any]]:
        """Value and own metadata in the `builtin` style; the value None if there is none."""


class Task[Answer](Protocol):
    """One job type."""

    @property
    def name(self) -> str:
        """The job type's name on the command line: ``"image-multi-class"``."""

    @property
    def aws_name(self) -> str:
        """Its name in the functions' names: ``"ImageMultiClass"``."""

    @property
    def schema_name(self) -> str:
        """Its name in a label's JSON: ``"image-classification"``."""

    @property
    def algorithms(self) -> Sequence[str]:
        """Names of the algorithms; the first one is the default."""

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """Everything a worker may have chosen: the job's classes and what the page adds."""

    def class_names(self, content: Any) -> Iterable[str]:
        """Names of the classes in one decoded answer; raises `UnusableAnswer`."""

    def decode(self, content: Any, classes: Sequence[str]) -> Answer:
        """One worker's answer; raises `UnusableAnswer`."""

    def consolidate(self, answers: Iterable[Answers[Answer]], batch: Batch) -> Iterator[Label]:
        """One label for each data object, in order."""


def algorithm_of(task: Task[Any], settings: Settings) -> str:
    """The algorithm that is set, or the task's default."""
    return settings.consolidation_algorithm or task.algorithms[0]


def creation_date(batch: Batch) -> str:
    """The batch's time as the service writes it: ISO 8601 with microseconds, no zone."""
    return batch.made_at.replace(tzinfo=None).isoformat(timespec="microseconds")


CONSENSUS = "consensus"
TIE = "tie"
LOW_CONFIDENCE = "low-confidence"
SINGLE_ANNOTATOR = "single-annotator"
NO_USABLE_ANSWER = "no-usable-answer"
NOT_PROCESSED = "not-processed"

PRIOR_CONFIDENCE = 0.7
"""Confidence in a lone answer of a worker of whom nothing is known.

The pooled accuracy of workers before any evidence in `docs/algorithms.md`. It is a property of
workers, not of the batch.
"""

SMALLEST_SHOWN = 0.01
"""A class that got no vote is in the posterior of a result if it is more probable than this."""


def status_of(*, used: int, tied: bool, confidence: float, min_confidence: float) -> str:
    """The status of a label.

    Parameters
    ----------
    used : int
        How many answers count, at least 1.
    tied : bool
        Whether another label had just as much support.
    confidence, min_confidence : float
        Both in [0, 1].
    """
    if used == 1:
        return SINGLE_ANNOTATOR
    if tied:
        return TIE
    return LOW_CONFIDENCE if confidence < min_confidence else CONSENSUS


def without_label(*, processed: bool) -> str:
    """The status of a data object without a label.

    Parameters
    ----------
    processed : bool
        Whether there was time to look at its answers.
    """
    return NO_USABLE_ANSWER if processed else NOT_PROCESSED


def failure_reason(status: str, reasons: Iterable[str]) -> str:
    """Why a data object has no label, as its metadata say.

    Parameters
    ----------
    status : str
        `NO_USABLE_ANSWER` or `NOT_PROCESSED`.
    reasons : iterable of str
        Why each answer was set aside.

    Examples
    --------
    >>> failure_reason(NO_USABLE_ANSWER, ["empty-answer", "bad-png", "empty-answer"])
    'no-usable-answer: 1 bad-png, 2 empty-answer'
    """
    if status == NOT_PROCESSED:
        return f"{NOT_PROCESSED}: the function ran out of time"
    counts = sorted(Counter(reasons).items())
    listed = ", ".join(f"{count} {reason}" for reason, count in counts)
    return f"{status}: {listed or 'no answers'}"
