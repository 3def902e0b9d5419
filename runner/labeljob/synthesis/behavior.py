"""What a synthetic worker answers: the simulated crowd's answer to a truth bent by its habit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labeljob.crowd.answers import answer
from labeljob.crowd.profiles import Skill
from labeljob.crowd.randomness import digest, generator
from labeljob.crowd.truth import Truth
from labeljob.synthesis.crew import SyntheticWorker
from labeljob.task_types import TaskType

TIRED_HALF_LIFE = 200
"""Tasks after which a tired worker knows half of what it knew."""

_SPREAD = 2.0  # of the Beta distribution of difficulties: the smaller, the more extreme


def difficulty(mean: float, object_id: str, seed: int) -> float:
    """How hard a data object is, from 0 (as the workers' skill says) to 1 (nobody can tell).

    Parameters
    ----------
    mean : float
        Of all data objects, from 0 (none is hard) to below 1. A Beta distribution has it.
    object_id : str
        The data object.
    seed : int
        Together with `object_id`, decides.
    """
    if mean <= 0.0:
        return 0.0
    rng = generator(seed, "difficulty", object_id)
    return float(rng.beta(_SPREAD * mean, _SPREAD * (1.0 - mean)))


def answer_of(
    member: SyntheticWorker,
    task: TaskType,
    *,
    object_id: str,
    labels: Sequence[str],
    truth: Truth,
    seed: int,
    hardness: float = 0.0,
    tasks_done: int = 0,
) -> dict[str, Any]:
    """Answer one task.

    Parameters
    ----------
    member : SyntheticWorker
        Who answers.
    task : TaskType
        What is asked.
    object_id : str
        The data object.
    labels : sequence of str
        All classes, in label order.
    truth : str, frozenset of str, or ndarray of uint8 of shape (rows, columns)
        What is right.
    seed : int
        Of the whole job.
    hardness : float
        That of the data object, as `difficulty` gives it. It moves every accuracy towards
        chance, and makes masks worse.
    tasks_done : int
        How many the worker did before this one.

    Returns
    -------
    dict
        The answer's content, in the shape of the stock page of `task`.
    """
    if member.habit == "empty" and isinstance(truth, np.ndarray):
        shown: Truth = np.zeros_like(truth)
    elif member.habit in ("constant", "flooding"):
        chooser = () if member.habit == "constant" else (object_id,)
        shown = _only(_fixed_class(member, labels, *chooser), labels, truth)
    elif member.habit == "adversary":
        shown = _bent(truth, labels)
    else:
        shown = truth
    skill = member.mind.skill
    if member.habit == "tired":
        skill = _weaker(skill, 1.0 - 0.5 ** (tasks_done / TIRED_HALF_LIFE), task, len(labels))
    if hardness and member.habit not in ("constant", "flooding", "empty"):
        skill = _weaker(skill, hardness, task, len(labels))
    same = skill is member.mind.skill
    mind = member.mind if same else replace(member.mind, skill=skill)
    return answer(mind, task.value, object_id=object_id, labels=labels, truth=shown, seed=seed)


def _weaker(skill: Skill, loss: float, task: TaskType, n_classes: int) -> Skill:
    """A skill that has lost a share of what it is above chance."""
    chance = 1.0 / n_classes if task is TaskType.IMAGE_MULTI_CLASS else 0.5
    return replace(
        skill,
        accuracy=chance + (skill.accuracy - chance) * (1.0 - loss),
        boundary_shift=skill.boundary_shift * (1.0 + 4.0 * loss),
        miss_rate=skill.miss_rate + (1.0 - skill.miss_rate) * 0.3 * loss,
        swap_rate=skill.swap_rate + (1.0 - skill.swap_rate) * 0.1 * loss,
    )


def _fixed_class(member: SyntheticWorker, labels: Sequence[str], *parts: str) -> int:
    return int.from_bytes(digest("class", member.worker.worker_id, *parts)) % len(labels)


def _only(index: int, labels: Sequence[str], truth: Truth) -> Truth:
    """One class and nothing else, in the shape of the truth."""
    if isinstance(truth, np.ndarray):
        return np.full_like(truth, index + 1)
    return labels[index] if isinstance(truth, str) else frozenset({labels[index]})


def _bent(truth: Truth, labels: Sequence[str]) -> Truth:
    """The class after the true one; the labels that do not apply; a mask of next classes."""
    if isinstance(truth, np.ndarray):
        moved = truth % len(labels) + 1
        return np.where(truth > 0, moved if len(labels) > 1 else 0, 0).astype(np.uint8)
    if isinstance(truth, str):
        return labels[(labels.index(truth) + 1) % len(labels)]
    return frozenset(labels) - truth or truth
