"""The first screen of the report: whether the labels are good enough, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from labeljob.messages import format_count
from labeljob.report.contents import Contents

ALPHA_GOAL, ALPHA_LEAST = 0.8, 0.667
"""What Krippendorff asks of alpha, and the least from which he draws tentative conclusions."""

NEAR = 0.05
"""How far below its goal a share may be to be called close."""

_MEASURED = {
    "accuracy": ("Labels right", "{} of the labels are right"),
    "mean-iou": ("Mean IoU with the truth", "The mean IoU with the truth is {}"),
}


class Level(StrEnum):
    """How a figure stands against its goal."""

    GOOD = "good"
    CLOSE = "close"
    SHORT = "short"
    UNKNOWN = "unknown"


_STANDING = {Level.GOOD: "met", Level.CLOSE: "close", Level.SHORT: "missed", Level.UNKNOWN: ""}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of the first screen.

    `claim` says the figure in a sentence's beginning; `share` and `mark` are where it and its goal
    are on a line from 0 to 1; None leaves that out.
    """

    name: str
    value: str
    goal: str
    note: str
    level: Level
    claim: str = ""
    share: float | None = None
    mark: float | None = None

    @property
    def standing(self) -> str:
        """The level in a word; empty if it is not known."""
        return _STANDING[self.level]

    def as_json(self) -> dict[str, str]:
        """The figure for `--json`, in words."""
        return {"value": self.value, "goal": self.goal.removeprefix("goal "), "level": self.level}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the labels are good enough: in a few words, in sentences, and in four figures."""

    level: Level
    headline: str
    reason: str
    measures: tuple[Measure, ...]

    def as_json(self) -> dict[str, Any]:
        """The verdict for `--json`."""
        return {
            "level": self.level,
            "headline": self.headline,
            "reason": self.reason,
            "figures": {measure.name: measure.as_json() for measure in self.measures},
        }


def judge(contents: Contents) -> Verdict:
    """Hold a job's labels against its goal."""
    quality, agreement = _measure_quality(contents), _measure_agreement(contents)
    level, headline = _conclude(contents, quality)
    return Verdict(
        level=level,
        headline=headline,
        reason=" ".join(_explain(contents, quality)),
        measures=(quality, _measure_settled(contents), agreement, _measure_workers(contents)),
    )


def count_objects(contents: Contents) -> int:
    """How many data objects the job has."""
    return len(contents.job.lines) or len(contents.objects)


def _grade(value: float, goal: float, near: float) -> Level:
    if math.isnan(value):
        return Level.UNKNOWN
    return Level.GOOD if value >= goal else Level.CLOSE if value >= near else Level.SHORT


def _measure_quality(contents: Contents) -> Measure:
    goal, count = contents.goal, count_objects(contents)
    known = next((name for name in _MEASURED if name in contents.figures), None)
    if known is not None:
        value, (name, claim), note = contents.figures[known], _MEASURED[known], "against the truth"
    else:
        confidences, note = _choose_confidences(contents)
        # An object without a label is not labeled right.
        value = sum(confidences) / count if confidences else math.nan
        name, claim = contents.job.task.expected_quality
    return Measure(
        name=name,
        value=show_share(value),
        goal=f"goal {show_share(goal)}",
        note=note,
        level=_grade(value, goal, goal - NEAR),
        claim=claim.format(show_share(value)),
        share=None if math.isnan(value) else value,
        mark=goal,
    )


def _choose_confidences(contents: Contents) -> tuple[Sequence[float], str]:
    """The confidences to go by, and whose they are: ours where those of the labels tell little."""
    if not contents.confidences:
        return (), "the labels have no confidences"
    builtin = contents.builtin
    if builtin is None or not builtin.tells_little:
        return contents.confidences, "by the confidences"
    if builtin.ours:
        return builtin.ours, f"by {builtin.algorithm}; the built-in confidences tell little"
    return contents.confidences, "by the built-in confidences, which tell little"


def _measure_settled(contents: Contents) -> Measure:
    count, again = count_objects(contents), len(contents.requeue)
    share = 1 - again / count if count else math.nan
    return Measure(
        name="Data objects settled",
        value=f"{count - again:,}",
        goal=f"goal {count:,}",
        note=f"{again:,} to label again" if again else "none to label again",
        level=_grade(share, 1.0, 1.0 - NEAR),
        share=None if math.isnan(share) else share,
        mark=1.0,
    )


def _measure_agreement(contents: Contents) -> Measure:
    alpha, without = contents.agreement.alpha, contents.without
    note = "Krippendorff’s alpha"  # noqa: RUF001
    if without is not None and not math.isnan(without.alpha):
        note += f"; {without.alpha:.2f} without flagged workers"
    return Measure(
        name="Agreement of the workers",
        value="–" if math.isnan(alpha) else f"{alpha:.2f}",  # noqa: RUF001  # a dash for a reader
        goal=f"goal {ALPHA_GOAL:.2f}",
        note=note,
        level=_grade(alpha, ALPHA_GOAL, ALPHA_LEAST),
        share=None if math.isnan(alpha) else min(max(alpha, 0.0), 1.0),
        mark=ALPHA_GOAL,
    )


def _measure_workers(contents: Contents) -> Measure:
    flagged, count = len(contents.suspects), len(contents.workers)
    share = flagged / count if count else math.nan
    return Measure(
        name="Workers to check",
        value=f"{flagged:,}",
        goal="goal 0",
        note=f"of {show_count(count, 'worker')}",
        level=_grade(1 - share, 1.0, 0.9),
        share=None if math.isnan(share) else share,
        mark=None,
    )


def _conclude(contents: Contents, quality: Measure) -> tuple[Level, str]:
    again = len(contents.requeue)
    if quality.level is Level.UNKNOWN:
        return Level.UNKNOWN, "How good the labels are cannot be told yet"
    if quality.level is not Level.GOOD:
        return quality.level, (
            "Almost good enough" if quality.level is Level.CLOSE else "Not good enough yet"
        )
    if again:
        return Level.CLOSE, f"Good enough, but for {show_count(again, 'data object')}"
    return Level.GOOD, "Good enough to use"


def _explain(contents: Contents, quality: Measure) -> list[str]:
    sentences = []
    if quality.level is not Level.UNKNOWN:
        sentences.append(f"{quality.claim}; the goal is {show_share(contents.goal)}.")
    alpha = contents.agreement.alpha
    if math.isnan(alpha):
        sentences.append("How far workers agree cannot be told from these answers.")
    elif alpha >= ALPHA_GOAL:
        sentences.append("Workers agree well.")
    elif alpha >= ALPHA_LEAST:
        sentences.append("Workers agree well enough for tentative conclusions.")
    else:
        sentences.append("Workers agree too little to rely on the labels as they are.")
    again, count = len(contents.requeue), count_objects(contents)
    workers, suspects = len(contents.workers), len(contents.suspects)
    labels = (
        f"{again:,} of {show_count(count, 'data object')} should be labeled again"
        if again
        else "No data object needs to be labeled again"
    )
    checks = (
        f"{suspects:,} of {show_count(workers, 'worker')} should be checked"
        if suspects
        else "no worker needs a check"
    )
    sentences.append(f"{labels}, and {checks}.")
    return sentences


def show_count(number: int, noun: str, plural: str = "") -> str:
    """A number with what it counts, and commas for a reader.

    Examples
    --------
    >>> show_count(1, "answer"), show_count(28_664, "answer")
    ('1 answer', '28,664 answers')
    """
    return f"{number:,}{format_count(number, noun, plural).removeprefix(str(number))}"


def show_share(value: float) -> str:
    """A share in percent for a reader.

    Examples
    --------
    >>> show_share(0.9007), show_share(0.95), show_share(1.0)
    ('90.1 %', '95 %', '100 %')
    """
    if math.isnan(value):
        return "–"  # noqa: RUF001  # a dash for a reader
    return f"{100 * value:.1f}".removesuffix(".0") + " %"
