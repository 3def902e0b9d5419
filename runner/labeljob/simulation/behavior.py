"""What a synthetic worker answers: the simulated crowd's answer to a truth bent by its behavior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from labeljob.simulation.workers import (
    SKILLS,
    CrewError,
    SimulatedWorker,
    Skill,
    answer,
    create_workers,
    digest,
    generator,
)
from labeljob.tasks.base import JobType, Truth

_PERFECT = Skill(accuracy=1.0, boundary_shift=0.0, miss_rate=0.0, swap_rate=0.0)

BEHAVIORS: Mapping[str, tuple[str, Skill]] = MappingProxyType(
    {
        "adversary": (
            "knows the truth as well as careful and says another class",
            SKILLS["careful"],
        ),
        "constant": ("says one class always; floods every mask with it", _PERFECT),
        "copycat": ("hired in pairs: the second says what the first says", SKILLS["average"]),
        "tired": ("begins as careful; what it knows is halved every 200 tasks", SKILLS["careful"]),
        "flooding": ("masks only: floods each with a class at random", _PERFECT),
        "empty": ("masks only: hands in every mask empty", _PERFECT),
    }
)
"""What a behavior is, and the skill that it starts from."""

_QUICK = ("constant", "flooding", "empty")
_MASKS_ONLY = ("flooding", "empty")


@dataclass(frozen=True, kw_only=True)
class SyntheticWorker:
    """One worker of a synthetic crew."""

    worker: SimulatedWorker  # whose id and pace it is
    # whose answers it gives: the worker's own, but for the second of a pair of copycats
    answer_model: SimulatedWorker
    behavior: str = ""  # one of `BEHAVIORS`; empty for a worker of the simulated crowd


def create_synthetic_workers(text: str, *, task: JobType, seed: int) -> tuple[SyntheticWorker, ...]:
    """Create the workers that a text describes; raises `CrewError`.

    It names kinds and how many of each: those of `labeljob run`, those of `BEHAVIORS`, and
    ``skill=0.8`` for workers who are right in that share of the cases; or it is one number.

    Examples
    --------
    >>> from labeljob.tasks.registry import find_job_type
    >>> task = find_job_type("image-multi-class")
    >>> crew = create_synthetic_workers("skill=0.8:2,tired", task=task, seed=1)
    >>> [(member.behavior, member.answer_model.skill.accuracy) for member in crew]
    [('', 0.8), ('', 0.8), ('tired', 0.95)]
    """
    parts = [part.strip() for part in text.split(",")]
    behaviors: list[tuple[str, Skill | None]] = []
    stand_ins = []
    for part in parts:
        left, colon, _ = part.rpartition(":")
        name, skill = _find_behavior(left if colon else part, part, task)
        stand_in = part if skill is None else part.replace(left or part, _stand_in(name), 1)
        size = len(create_workers(stand_in, seed=seed))
        if name == "copycat" and size % 2:
            raise CrewError(f"{part!r}: copycats are hired in pairs")
        behaviors += [(name, skill)] * size
        stand_ins.append(stand_in)
    workers = create_workers(",".join(stand_ins), seed=seed)
    return tuple(_members(workers, behaviors))


def _find_behavior(name: str, part: str, task: JobType) -> tuple[str, Skill | None]:
    """A behavior with its skill; no behavior and no skill for a kind of the simulated crowd."""
    if name.startswith("skill="):
        return "", _stated_skill(name.removeprefix("skill="), part)
    if name not in BEHAVIORS:
        base = name.partition("=")[0]
        if base not in SKILLS and not name.isdecimal():
            known = ", ".join([*SKILLS, *BEHAVIORS, "skill=0.8"])
            raise CrewError(f"{part!r}: no such kind of worker; there are {known}")
        return "", None
    if name in _MASKS_ONLY and not task.label_is_mask:
        raise CrewError(f"{part!r}: a worker of that kind paints masks, which {task} does not ask")
    return name, BEHAVIORS[name][1]


def _stated_skill(text: str, part: str) -> Skill:
    try:
        accuracy = float(text)
    except ValueError as error:
        raise CrewError(f"{part!r}: a skill is a number, as in skill=0.8") from error
    if not 0.0 <= accuracy <= 1.0:
        raise CrewError(f"{part!r}: a skill is a share between 0 and 1")
    return replace(SKILLS["average"], accuracy=accuracy)


def _stand_in(behavior: str) -> str:
    return "spammer" if behavior in _QUICK else "average"


def _members(
    workers: tuple[SimulatedWorker, ...], behaviors: list[tuple[str, Skill | None]]
) -> list[SyntheticWorker]:
    members: list[SyntheticWorker] = []
    waiting: SimulatedWorker | None = None
    for worker, (behavior, skill) in zip(workers, behaviors, strict=True):
        answer_model = worker if skill is None else replace(worker, kind="average", skill=skill)
        if behavior == "copycat":
            answer_model, waiting = (
                (waiting, None) if waiting is not None else (answer_model, answer_model)
            )
        members.append(SyntheticWorker(worker=worker, answer_model=answer_model, behavior=behavior))
    return members


TIRED_HALF_LIFE = 200
"""Tasks after which a tired worker knows half of what it knew."""

_SPREAD = 2.0  # of the Beta distribution of difficulties: the smaller, the more extreme


def difficulty(mean: float, object_id: str, seed: int) -> float:
    """How hard a data object is, from 0 (as the workers' skill says) to 1 (nobody can tell).

    A Beta distribution has the mean, which is from 0 to below 1.
    """
    if mean <= 0.0:
        return 0.0
    rng = generator(seed, "difficulty", object_id)
    return float(rng.beta(_SPREAD * mean, _SPREAD * (1.0 - mean)))


def answer_of(
    member: SyntheticWorker,
    task: JobType,
    *,
    object_id: str,
    labels: Sequence[str],
    truth: Truth,
    seed: int,
    hardness: float = 0.0,
    tasks_done: int = 0,
) -> dict[str, Any]:
    """Answer one task, as `answers.answer` does.

    `hardness`, in [0, 1], moves every accuracy towards chance, and makes masks worse.
    """
    if member.behavior == "empty" and isinstance(truth, np.ndarray):
        shown: Truth = np.zeros_like(truth)
    elif member.behavior in ("constant", "flooding"):
        chooser = () if member.behavior == "constant" else (object_id,)
        shown = task.choose_only(_fixed_class(member, labels, *chooser), labels, truth)
    elif member.behavior == "adversary":
        shown = task.contradict(truth, labels)
    else:
        shown = truth
    skill = member.answer_model.skill
    if member.behavior == "tired":
        skill = _weaker(skill, 1.0 - 0.5 ** (tasks_done / TIRED_HALF_LIFE), task, len(labels))
    if hardness and member.behavior not in ("constant", "flooding", "empty"):
        skill = _weaker(skill, hardness, task, len(labels))
    same = skill is member.answer_model.skill
    answer_model = member.answer_model if same else replace(member.answer_model, skill=skill)
    return answer(answer_model, task, object_id=object_id, labels=labels, truth=shown, seed=seed)


def _weaker(skill: Skill, loss: float, task: JobType, n_classes: int) -> Skill:
    """A skill that has lost a share of what it is above chance."""
    chance = task.chance(n_classes)
    return replace(
        skill,
        accuracy=chance + (skill.accuracy - chance) * (1.0 - loss),
        boundary_shift=skill.boundary_shift * (1.0 + 4.0 * loss),
        miss_rate=skill.miss_rate + (1.0 - skill.miss_rate) * 0.3 * loss,
        swap_rate=skill.swap_rate + (1.0 - skill.swap_rate) * 0.1 * loss,
    )


def _fixed_class(member: SyntheticWorker, labels: Sequence[str], *parts: str) -> int:
    return int.from_bytes(digest("class", member.worker.worker_id, *parts)) % len(labels)
