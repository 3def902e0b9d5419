"""How far workers' errors go together, as the labels of a job tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from groundtruth.aggregation.classification.dependence import DependenceSettings
from groundtruth.tasks.base import Dependence, Label

SCALE = (
    "0: workers err independently, and each answer counts in full; "
    "1: they err on the same data objects, and many answers say little more than one"
)
"""What the ends of the scale mean."""

FEW_PAIRS = round(DependenceSettings().prior_pairs / 2)
"""With fewer pairs of answers, what is usual of crews counts for more than what was found."""


@dataclass(frozen=True, kw_only=True)
class DependenceSummary:
    """Dependence over the labels that tell it.

    `value` and `correlation` are means; `lowest` and `highest` dependence differ where calls were
    consolidated one by one. `best_known`, `pairs` and `earlier_pairs` are dependence and pairs of
    the label that was made from the most pairs.
    """

    labels: int
    value: float
    lowest: float
    highest: float
    best_known: float
    correlation: float
    pairs: int
    earlier_pairs: int

    @property
    def varies(self) -> bool:
        """Whether labels were made with a dependence that differs to speak of."""
        return self.highest - self.lowest >= 0.05

    def as_json(self) -> dict[str, Any]:
        """The summary for `--json`."""
        return {
            "labels": self.labels,
            "mean": self.value,
            "lowest": self.lowest,
            "highest": self.highest,
            "with-most-pairs": self.best_known,
            "correlation": self.correlation,
            "pairs": self.pairs,
            "earlier-pairs": self.earlier_pairs,
        }


def summarize_dependence(labels: Iterable[Label]) -> DependenceSummary | None:
    """Sum up what labels tell of dependence; None if none does."""
    found = [label.dependence for label in labels if label.dependence is not None]
    if not found:
        return None
    most = max(found, key=lambda item: item.pairs)
    return DependenceSummary(
        labels=len(found),
        value=fmean(item.value for item in found),
        lowest=min(item.value for item in found),
        highest=max(item.value for item in found),
        best_known=most.value,
        correlation=fmean(item.correlation for item in found),
        pairs=most.pairs,
        earlier_pairs=most.earlier_pairs,
    )


def describe_pairs(found: Dependence | DependenceSummary) -> str:
    """From how many pairs of answers it was found, in words.

    Examples
    --------
    >>> describe_pairs(Dependence(value=0.4, correlation=0.04, pairs=12480, earlier_pairs=12000))
    '12,480 pairs of answers to the same data object, 12,000 of them of earlier batches'
    >>> describe_pairs(Dependence(value=1.0, correlation=0.09, pairs=0))
    'no pairs of answers to the same data object'
    """
    number = f"{found.pairs:,}" if found.pairs else "no"
    noun = "pair" if found.pairs == 1 else "pairs"
    earlier = f", {found.earlier_pairs:,} of them of earlier batches" if found.earlier_pairs else ""
    return f"{number} {noun} of answers to the same data object{earlier}"
