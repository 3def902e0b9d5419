"""How sure a label is, in one word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

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
