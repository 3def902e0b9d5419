"""Crews that the synthetic workforce has not: what all workers share, rare classes, and copies.

The confusion matrix of every worker is drawn, and each job says what Bayes' rule makes of its
answers for somebody who knows the matrices, the class frequencies, how hard each object is, and
who copies how often from whom.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from benchmarks.common.crowds import Crowd, LuredCrowd, lured_crowds
from benchmarks.synthetic.crews import Floats, Ints
from labeljob.simulation.workers import generator

WORKERS = 10
_SKILL = 16.0, 4.0
"""Of the Beta distribution of workers' accuracies: 0.8 on average."""
_CAREFUL, _CARELESS, _SHY, _EAGER = (0.9, 0.95), (0.6, 0.8), (0.5, 0.98), (0.95, 0.7)
_JUDGES = (*[_CAREFUL] * 4, *[_CARELESS] * 3, _SHY, _SHY, _EAGER)
"""How often who decides between no and yes is right, by the truth: of yes, of no."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A crew, by what is special in it."""

    says: str  # what the page says of it
    shared_confusion: float = 0.0  # share of class 0 that everybody takes for class 1
    yes: float = 0.0  # share of yes among two classes; 0 for classes as frequent as one another
    difficulty: float = 0.0  # mean share of what they know that an object takes from all workers
    copying: float = 0.0  # share of answers that the second of a pair copies from the first

    @property
    def classes(self) -> tuple[int, ...]:
        """Numbers of classes of its jobs."""
        return (2,) if self.yes else (2, 4, 10)


_MATRICES = f"each worker with an accuracy of {_SKILL[0] / sum(_SKILL):g} on average"
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "all confuse the same": Kind(
            says=f"{_MATRICES}; 30 % of one class are taken for another by everybody",
            shared_confusion=0.3,
        ),
        "10 % yes": Kind(
            says="yes or no, 10 % yes; careful and careless workers, some who seldom say yes "
            "and one who often does",
            yes=0.1,
        ),
        "3 % yes": Kind(says="the same crew, 3 % yes", yes=0.03),
        "shared difficulty": Kind(
            says=f"{_MATRICES}; objects take 30 % of it from everybody on average, some of them "
            "nothing and some all",
            difficulty=0.3,
        ),
        "copying pairs": Kind(
            says=f"{_MATRICES}; the second of a pair says in 60 % of the cases what the first "
            "says of the object",
            copying=0.6,
        ),
    }
)
LURED = "hard objects that lure all"
"""The crews of `benchmarks.common.crowds.lured_crowds`, as one kind more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """The answers to a job and the limit: the probability of each class of each object."""

    crowd: Crowd
    limit: Floats


def draw_kind(name: str, *, n_classes: int, per_object: int, n_objects: int, seed: int) -> Job:
    """Let a crew of `KINDS` answer a job."""
    kind = KINDS[name]
    rng = generator("kind", name, n_classes, per_object, seed)
    frequencies = (
        np.array([1.0 - kind.yes, kind.yes]) if kind.yes else np.full(n_classes, 1.0 / n_classes)
    )
    truth = rng.choice(n_classes, n_objects, p=frequencies)
    matrices = _draw_matrices(kind, n_classes, rng)
    items = np.repeat(np.arange(n_objects), per_object)
    orders = [np.sort(rng.permutation(WORKERS)[:per_object]) for _ in range(n_objects)]
    workers = np.concatenate(orders)
    loss = _draw_difficulties(kind, n_objects, rng)[items, np.newaxis, np.newaxis]
    chances = (1.0 - loss) * matrices[workers] + loss / n_classes
    own = chances[np.arange(items.size), truth[items]]
    classes = (own.cumsum(axis=1) < rng.random(items.size)[:, np.newaxis]).sum(axis=1)
    classes = np.minimum(classes, n_classes - 1)
    first = _find_copied(items, workers) if kind.copying else np.full(items.size, -1)
    copied = (first >= 0) & (rng.random(items.size) < kind.copying)
    classes[copied] = classes[first[copied]]
    stem = f"kind.{list(KINDS).index(name)}.{n_classes}.{per_object}.{seed}"
    crowd = Crowd(stem, items, workers, classes, n_objects, WORKERS, n_classes, truth)
    likelihood = chances[np.arange(items.size), :, classes]
    has_first = first >= 0
    same = classes[has_first] == classes[first[has_first]]
    likelihood[has_first] *= 1.0 - kind.copying
    likelihood[has_first] += kind.copying * same[:, np.newaxis]
    return Job(crowd=crowd, limit=_apply_bayes(items, likelihood, frequencies, n_objects))


def draw_lured(*, per_object: int, seed: int) -> Iterator[Job]:
    """Jobs of the crews whom hard objects lure, with so many of their answers."""
    for lured in lured_crowds(seed):
        kept = lured.keep(per_object)
        crowd = replace(kept.crowd, name=f"{lured.crowd.name}.{per_object}.{seed}")
        yield Job(crowd=crowd, limit=limit_of_lured(kept))


def limit_of_lured(lured: LuredCrowd) -> Floats:
    """Bayes' rule for who knows the workers' accuracies and which objects are hard, not the lures.

    Each of the other classes is the lure of a hard object as often as another.
    """
    crowd, n = lured.crowd, lured.crowd.n_classes
    accuracy = lured.accuracies
    total = np.zeros((crowd.n_items, n, n))  # true class, and the lure if the object is hard
    with np.errstate(divide="ignore"):
        right, spread, lure = (
            np.log(part) for part in (accuracy, (1.0 - accuracy) / (n - 1), 1.0 - accuracy)
        )
    classes = np.arange(n)
    is_true = crowd.classes[:, np.newaxis, np.newaxis] == classes[:, np.newaxis]
    is_lure = crowd.classes[:, np.newaxis, np.newaxis] == classes
    hard = lured.hard[crowd.items][:, np.newaxis, np.newaxis]
    of_wrong = np.where(
        hard,
        np.where(is_lure, lure[:, np.newaxis, np.newaxis], -np.inf),
        spread[:, np.newaxis, np.newaxis],
    )
    np.add.at(total, crowd.items, np.where(is_true, right[:, np.newaxis, np.newaxis], of_wrong))
    total[:, classes, classes] = -np.inf  # an object does not lure to its own class
    likelihood = np.exp(total - total.max(axis=(1, 2), keepdims=True)).sum(axis=2)
    return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))


def _draw_matrices(kind: Kind, n_classes: int, rng: np.random.Generator) -> Floats:
    """Confusion matrices of all workers: rows are the truth."""
    if kind.yes:
        return np.array([[[no, 1.0 - no], [1.0 - yes, yes]] for yes, no in _JUDGES])
    accuracy = rng.beta(*_SKILL, WORKERS)[:, np.newaxis, np.newaxis]
    same = np.eye(n_classes, dtype=np.bool_)
    matrices = np.where(same, accuracy, (1.0 - accuracy) / (n_classes - 1))
    matrices[:, 0] *= 1.0 - kind.shared_confusion
    matrices[:, 0, 1] += kind.shared_confusion
    return np.asarray(matrices)


def _draw_difficulties(kind: Kind, n_objects: int, rng: np.random.Generator) -> Floats:
    """Share of what workers know that each object takes from them."""
    if not kind.difficulty:
        return np.zeros(n_objects)
    return np.asarray(rng.beta(2 * kind.difficulty, 2 * (1 - kind.difficulty), n_objects))


def _find_copied(items: Ints, workers: Ints) -> Ints:
    """Place of the answer that each answer may copy, or -1: workers 2n + 1 copy from 2n.

    Answers of an item are in order of the workers, so that it is the one before.
    """
    before = np.arange(items.size) - 1
    found = (items == items[before]) & (workers % 2 == 1) & (workers[before] == workers - 1)
    return np.where(found, before, -1)


def _apply_bayes(items: Ints, likelihood: Floats, frequencies: Floats, n_items: int) -> Floats:
    total = np.tile(np.log(frequencies), (n_items, 1))
    np.add.at(total, items, np.log(likelihood))
    shares = np.exp(total - total.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
