"""Known objects that tell how frequent each class is: when they are worth having, and how much.

Where one of two classes is rare, votes alone do not tell how rare: workers who take the frequent
class for it now and then make as many votes. Known objects tell, if they are drawn at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.votes import Votes
from labeljob.history.auxiliary_inputs import add_auxiliary_inputs
from labeljob.history.job import JobOnFile, ObjectAnnotations
from labeljob.metrics.agreement import remember
from labeljob.rounds import MOST_KNOWN
from labeljob.tasks.base import Ints, JobType

RARE = 1 / 3
"""Share of the answers below which one of two classes is rare."""
FEWEST_KNOWN = 30
"""With so many, most is gained where one of two classes is rare."""
_SMALLEST_JOB = 100
"""With fewer objects than this, too few labels are left to gain from it."""
DRAWS = 20
MEASURED = (
    "On the two real sets where one of two classes has less than a third of the answers, 50 gained "
    "0.031 and 0.009 in accuracy (docs/benchmarks.md)"
)
"""What known objects gained elsewhere, for a job of which no truth is known."""
_ALL_KNOWN = 1e6

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GoldAdvice:
    """How many objects should be known, and why: the rare class and its share of the answers."""

    objects: int
    rare: str
    share: float

    def as_json(self) -> dict[str, Any]:
        """The advice for `--json`."""
        return {"objects": self.objects, "rare-class": self.rare, "share": round(self.share, 5)}


def advise_gold(
    task: JobType, chosen: Mapping[str, int], *, objects: int, known: int
) -> GoldAdvice | None:
    """Whether a job should have known objects; None if it need not, or has enough.

    `chosen` is how often each of the job's classes was chosen; of `objects`, `known` are known.

    Examples
    --------
    >>> from labeljob.tasks.registry import find_job_type
    >>> task = find_job_type("image-multi-class")
    >>> advise_gold(task, {"match": 20, "other": 180}, objects=400, known=0)
    GoldAdvice(objects=40, rare='match', share=0.1)
    >>> advise_gold(task, {"match": 20, "other": 180}, objects=400, known=30)
    """
    total = sum(chosen.values())
    if not task.is_two_class(chosen) or not total:
        return None
    rare = min(chosen, key=lambda name: chosen[name])
    share = chosen[rare] / total
    if share >= RARE or objects < _SMALLEST_JOB or known >= FEWEST_KNOWN:
        return None
    return GoldAdvice(objects=count_to_draw(objects), rare=rare, share=share)


def advise_gold_for(job: JobOnFile, objects: Sequence[ObjectAnnotations]) -> GoldAdvice | None:
    """Whether a finished job should have known objects, by its answers and its gold labels.

    A gold file that cannot be read is added to the job's damage.
    """
    classes = job.unit_classes
    chosen = dict.fromkeys(classes, 0)
    name_all = remember(
        lambda rows: [name for row in rows for name in job.task.name_choices(row, classes)]
    )
    for obj in objects:
        for name in name_all(obj.choices):
            chosen[name] += 1
    answered = [obj for obj in objects if obj.workers]
    if advise_gold(job.task, chosen, objects=len(answered), known=0) is None:
        return None
    gold = add_auxiliary_inputs(job)[1].gold
    known = sum(gold.of(obj.object_id, obj.source) is not None for obj in answered)
    return advise_gold(job.task, chosen, objects=len(answered), known=known)


def count_to_draw(objects: int) -> int:
    """How many known objects a job of so many should have.

    Examples
    --------
    >>> [count_to_draw(objects) for objects in (20, 200, 400, 9000)]
    [20, 30, 40, 50]
    """
    return min(objects, max(FEWEST_KNOWN, min(MOST_KNOWN, objects // 10)))


@dataclass(frozen=True, kw_only=True)
class GoldGain:
    """What known objects, drawn at random, would do for a job's labels.

    `open_share` is the share of labels that hang on how frequent the classes are: they are others
    if these are as frequent as they were chosen. The rest is None without enough truths: the
    accuracy of the objects that were not drawn, without and with the known ones, means over the
    draws; and the middle 95 % of the draws' gains.
    """

    objects: int
    open_share: float
    before: float | None = None
    after: float | None = None
    interval: tuple[float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """The estimate for `--json`."""
        return {
            "objects": self.objects,
            "open-share": round(self.open_share, 5),
            "accuracy-before": _rounded(self.before),
            "accuracy-after": _rounded(self.after),
            "gain-interval": [_rounded(end) for end in self.interval] if self.interval else None,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def estimate_gold_gain(
    workers: Sequence[Sequence[str]],
    choices: Sequence[Ints],
    n_classes: int,
    true: Ints,
    rng: np.random.Generator,
) -> GoldGain:
    """Consolidate single labels with known objects and without, by `calibrated`.

    `workers` and `choices` are by data object who answered what; `true`, shape (n_items,), holds
    the true classes, -1 where they are not known. Where enough are, known objects are drawn from
    them again and again, and the others are scored.
    """
    votes = _to_votes(workers, choices, n_classes)
    plain = calibrated(votes).posterior.labels
    shares = np.bincount(votes.classes, minlength=n_classes) / max(votes.n_votes, 1)
    as_chosen = calibrated(votes, earlier_gold=_ALL_KNOWN * shares).posterior.labels
    truths, objects = np.flatnonzero(true >= 0), count_to_draw(votes.n_items)
    open_share = float(np.mean(as_chosen != plain))
    if truths.size < 2 * objects:
        return GoldGain(objects=objects, open_share=open_share)
    found = np.array([_score_draw(votes, plain, true, truths, objects, rng) for _ in range(DRAWS)])
    low, high = np.quantile(found[:, 1] - found[:, 0], (0.025, 0.975)).tolist()
    before, after = found.mean(axis=0).tolist()
    return GoldGain(
        objects=objects, open_share=open_share, before=before, after=after, interval=(low, high)
    )


def _score_draw(
    votes: Votes, plain: Ints, true: Ints, truths: Ints, objects: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Accuracy on the objects that one draw leaves, without the known ones and with them."""
    gold = np.full(votes.n_items, -1)
    drawn = rng.choice(truths, objects, replace=False)
    gold[drawn] = true[drawn]
    rest = (true >= 0) & (gold < 0)
    labels = calibrated(votes, gold=gold).posterior.labels
    return tuple(float(np.mean((made == true)[rest])) for made in (plain, labels))  # type: ignore[return-value]  # of two


def _to_votes(workers: Sequence[Sequence[str]], choices: Sequence[Ints], n_classes: int) -> Votes:
    """The answers as votes, workers in order of their names."""
    names = sorted({name for row in workers for name in row})
    place = {name: index for index, name in enumerate(names)}
    return Votes(
        items=np.repeat(np.arange(len(workers)), [len(row) for row in workers]),
        workers=np.array([place[name] for row in workers for name in row], dtype=np.int64),
        classes=np.concatenate([own[:, 0] for own in choices]).astype(np.int64),
        n_items=len(workers),
        n_workers=len(names),
        n_classes=n_classes,
    )
