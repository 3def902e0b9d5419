"""How sure a label is, in one word."""

CONSENSUS = "consensus"
TIE = "tie"
LOW_CONFIDENCE = "low-confidence"
SINGLE_ANNOTATOR = "single-annotator"
NO_USABLE_ANSWER = "no-usable-answer"

PRIOR_CONFIDENCE = 0.7
"""Confidence in a lone answer of a worker of whom nothing is known.

The pooled accuracy of workers before any evidence in `docs/algorithms.md`. It is a property of
workers, not of the batch.
"""


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
