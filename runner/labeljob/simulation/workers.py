"""Who the simulated workers are, and who of them answers which data object.

Workers are written as a text: ``careful:3,careless:1,spammer:1`` is three careful workers, a
careless one and a spammer; ``5`` is the first five of `MIXED_CREW`.  A confuser may be told which
two classes it cannot tell apart: ``confuser=grass/gravel:1``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from groundtruth.errors import GroundTruthError

if TYPE_CHECKING:
    from labeljob.tasks.base import JobType, Truth
from labeljob.messages import format_count

Kind: TypeAlias = tuple[str, tuple[str, str] | None]
"""One of `SKILLS`, and the two classes that it takes for each other."""


def digest(*parts: str | int, size: int = 16) -> bytes:
    """Hash of a few texts and numbers: the same in every process and on every machine.

    Examples
    --------
    >>> digest("a", "b", size=4) == digest("ab", size=4)
    False
    """
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=size).digest()


def generator(*parts: str | int) -> np.random.Generator:
    """Return a random generator that depends on ``parts`` alone.

    Examples
    --------
    >>> int(generator(1, "answer").integers(1000)) == int(generator(1, "answer").integers(1000))
    True
    """
    return np.random.default_rng(int.from_bytes(digest(*parts)))


MAX_WORKERS_PER_OBJECT = 9


class CrewError(GroundTruthError):
    """A crew cannot be hired or assigned; the text names the part that is wrong."""


@dataclass(frozen=True, kw_only=True)
class Skill:
    """How well a kind of worker works; all but `boundary_shift` are probabilities."""

    # A class (or whether one label applies) is recognised.  The rest of the time another class is
    # chosen, each as often as the others.
    accuracy: float
    # how far a mask's boundary lies from the true one: one standard deviation, as a share of the
    # image's diagonal
    boundary_shift: float
    miss_rate: float  # an object (a connected region of one class) is left out of a mask
    swap_rate: float  # an object that was not missed is painted as another class
    confusion: float = 0.0  # one class of the worker's pair is taken for the other


SKILLS: Mapping[str, Skill] = MappingProxyType(
    {
        "careful": Skill(accuracy=0.95, boundary_shift=0.002, miss_rate=0.0, swap_rate=0.0),
        "average": Skill(accuracy=0.85, boundary_shift=0.005, miss_rate=0.05, swap_rate=0.02),
        "careless": Skill(accuracy=0.65, boundary_shift=0.012, miss_rate=0.2, swap_rate=0.05),
        "confuser": Skill(
            accuracy=0.95, boundary_shift=0.002, miss_rate=0.0, swap_rate=0.0, confusion=0.5
        ),
        # A spammer does not look: no skill is ever asked for.
        "spammer": Skill(accuracy=0.0, boundary_shift=0.0, miss_rate=0.0, swap_rate=0.0),
    }
)

MIXED_CREW = (
    "careful", "average", "careless", "average", "confuser",
    "careful", "average", "spammer", "careful",
)  # fmt: skip
"""The workers if only a number is given; more than these go round again."""


@dataclass(frozen=True, kw_only=True)
class SimulatedWorker:
    """One worker."""

    # as Ground Truth writes it for a private workforce: ``private.us-west-2.<16 hex digits>``
    worker_id: str
    kind: str  # one of `SKILLS`
    skill: Skill  # how well the worker works
    # The two classes that a confuser takes for each other.  Without it the worker's id decides on
    # two classes that follow each other in the label category file.
    pair: tuple[str, str] | None = None

    def confused_classes(self, labels: Sequence[str]) -> tuple[int, int] | None:
        """Indices of the classes that a confuser takes for each other; raises `CrewError`."""
        if self.kind != "confuser" or len(labels) < 2:
            return None
        if self.pair is not None:
            unknown = [name for name in self.pair if name not in labels]
            if unknown:
                raise CrewError(
                    f"confuser={'/'.join(self.pair)}: {unknown[0]!r} is not one of the labels "
                    f"({', '.join(labels)})"
                )
            return labels.index(self.pair[0]), labels.index(self.pair[1])
        first = int.from_bytes(digest("pair", self.worker_id)) % len(labels)
        return first, (first + 1) % len(labels)


def create_workers(text: str, *, seed: int) -> tuple[SimulatedWorker, ...]:
    """Create the workers that a text describes, in its order; raises `CrewError`.

    The seed decides on their ids, nothing else.

    Examples
    --------
    >>> [worker.kind for worker in create_workers("careful:2,spammer", seed=7)]
    ['careful', 'careful', 'spammer']
    >>> [worker.kind for worker in create_workers("3", seed=7)]
    ['careful', 'average', 'careless']
    """
    kinds: list[Kind]
    if _is_number(text.strip()):
        size = _count(text.strip(), part=text)
        kinds = [(MIXED_CREW[number % len(MIXED_CREW)], None) for number in range(size)]
    else:
        kinds = [kind for part in text.split(",") for kind in _parse_kinds(part.strip())]
    return tuple(
        SimulatedWorker(
            worker_id=f"private.us-west-2.{digest('worker', seed, number, size=8).hex()}",
            kind=kind,
            skill=SKILLS[kind],
            pair=pair,
        )
        for number, (kind, pair) in enumerate(kinds)
    )


def assign(
    pool: Sequence[SimulatedWorker], per_object: int, object_id: str, seed: int
) -> tuple[SimulatedWorker, ...]:
    """Choose the workers of one data object, each as likely as the others; raises `CrewError`.

    They are in the order in which they take the task.
    """
    if not 1 <= per_object <= MAX_WORKERS_PER_OBJECT:
        raise CrewError(
            f"{format_count(per_object, 'worker')} per data object: Ground Truth allows 1 to 9"
        )
    if per_object > len(pool):
        raise CrewError(
            f"{format_count(per_object, 'worker')} per data object, but the crew has {len(pool)}"
        )
    order = generator(seed, "assign", object_id).permutation(len(pool))[:per_object]
    return tuple(pool[index] for index in order)


def _parse_kinds(part: str) -> list[Kind]:
    """One part of the text: ``kind``, ``kind:count`` or ``confuser=a/b:count``."""
    left, colon, count = part.rpartition(":")
    name, equals, pair_text = (left if colon else part).partition("=")
    if name not in SKILLS:
        raise CrewError(f"{part!r}: no such kind of worker; there are {', '.join(SKILLS)}")
    pair = _parse_pair(name, pair_text, part=part) if equals else None
    return [(name, pair)] * (_count(count, part=part) if colon else 1)


def _parse_pair(kind: str, text: str, *, part: str) -> tuple[str, str]:
    first, _, second = (name.strip() for name in text.partition("/"))
    if kind != "confuser" or not first or not second or first == second:
        raise CrewError(f"{part!r}: two classes are named as in confuser=cat/dog")
    return first, second


def _count(text: str, *, part: str) -> int:
    if not _is_number(text) or int(text) == 0:
        raise CrewError(
            f"{part!r}: how many is a positive whole number, as in careful:3 "
            f"(kinds: {', '.join(SKILLS)})"
        )
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


_MEDIAN_SECONDS = {
    "careful": 14.0,
    "average": 10.0,
    "careless": 6.0,
    "confuser": 14.0,
    "spammer": 2.5,
}


def answer(
    worker: SimulatedWorker,
    job_type: JobType,
    *,
    object_id: str,
    labels: Sequence[str],
    truth: Truth,
    seed: int,
) -> dict[str, Any]:
    """Answer one task; raises `ValueError`.

    The same seed, worker and data object give the same answer, whatever was asked before.

    Examples
    --------
    >>> from labeljob.tasks.registry import find_job_type
    >>> (worker,) = create_workers("careful", seed=7)
    >>> answer(worker, find_job_type("image-multi-class"), object_id="0",
    ...        labels=["cat", "dog"], truth="dog", seed=7)
    {'crowd-image-classifier': {'label': 'dog'}}
    """
    return job_type.answer(
        worker, truth, labels, generator(seed, "answer", worker.worker_id, object_id)
    )


def timing(worker: SimulatedWorker, object_id: str, seed: int) -> tuple[float, float]:
    """Seconds until the worker takes the task and seconds spent on it, in whole milliseconds."""
    rng = generator(seed, "timing", worker.worker_id, object_id)
    waited = rng.exponential(20.0) + 1.0
    spent = rng.lognormal(math.log(_MEDIAN_SECONDS[worker.kind]), 0.4) + 0.5
    return round(float(waited), 3), round(float(spent), 3)
