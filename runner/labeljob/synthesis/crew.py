"""Who answers: the kinds of the simulated crowd, and workers with worse habits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from labeljob.crowd.profiles import SKILLS, CrewError, SimulatedWorker, Skill, hire
from labeljob.task_types import TaskType

_PERFECT = Skill(accuracy=1.0, boundary_shift=0.0, miss_rate=0.0, swap_rate=0.0)

HABITS: Mapping[str, tuple[str, Skill]] = MappingProxyType(
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
"""What a habit is, and the skill that it starts from."""

_QUICK = ("constant", "flooding", "empty")
_MASKS_ONLY = ("flooding", "empty")


@dataclass(frozen=True, kw_only=True)
class SyntheticWorker:
    """One worker of a synthetic crew.

    Attributes
    ----------
    worker : SimulatedWorker
        Whose id and pace it is.
    mind : SimulatedWorker
        Whose answers it gives: the worker's own, but for the second of a pair of copycats.
    habit : str
        One of `HABITS`; empty for a worker of the simulated crowd.
    """

    worker: SimulatedWorker
    mind: SimulatedWorker
    habit: str = ""


def hire_crew(text: str, *, task: TaskType, seed: int) -> tuple[SyntheticWorker, ...]:
    """Hire the crew that a text describes.

    Parameters
    ----------
    text : str
        Kinds and how many of each: those of `labeljob run`, those of `HABITS`, and ``skill=0.8``
        for workers who are right in that share of the cases. Or one number for a mixed crew.
    task : TaskType
        What they are asked.
    seed : int
        Decides on the workers' ids, nothing else.

    Returns
    -------
    tuple of SyntheticWorker
        In the order of `text`.

    Raises
    ------
    CrewError
        If a part names no kind or no positive whole number, a kind does not fit the task, or
        copycats are not in pairs.

    Examples
    --------
    >>> crew = hire_crew("skill=0.8:2,tired", task=TaskType.IMAGE_MULTI_CLASS, seed=1)
    >>> [(member.habit, member.mind.skill.accuracy) for member in crew]
    [('', 0.8), ('', 0.8), ('tired', 0.95)]
    """
    parts = [part.strip() for part in text.split(",")]
    habits: list[tuple[str, Skill | None]] = []
    stand_ins = []
    for part in parts:
        left, colon, _ = part.rpartition(":")
        name, skill = _habit(left if colon else part, part, task)
        stand_in = part if skill is None else part.replace(left or part, _stand_in(name), 1)
        size = len(hire(stand_in, seed=seed))
        if name == "copycat" and size % 2:
            raise CrewError(f"{part!r}: copycats are hired in pairs")
        habits += [(name, skill)] * size
        stand_ins.append(stand_in)
    workers = hire(",".join(stand_ins), seed=seed)
    return tuple(_members(workers, habits))


def _habit(name: str, part: str, task: TaskType) -> tuple[str, Skill | None]:
    """A habit with its skill; no habit and no skill for a kind of the simulated crowd."""
    if name.startswith("skill="):
        return "", _stated_skill(name.removeprefix("skill="), part)
    if name not in HABITS:
        base = name.partition("=")[0]
        if base not in SKILLS and not name.isdecimal():
            known = ", ".join([*SKILLS, *HABITS, "skill=0.8"])
            raise CrewError(f"{part!r}: no such kind of worker; there are {known}")
        return "", None
    if name in _MASKS_ONLY and task.classifies:
        raise CrewError(f"{part!r}: a worker of that kind paints masks, which {task} does not ask")
    return name, HABITS[name][1]


def _stated_skill(text: str, part: str) -> Skill:
    try:
        accuracy = float(text)
    except ValueError as error:
        raise CrewError(f"{part!r}: a skill is a number, as in skill=0.8") from error
    if not 0.0 <= accuracy <= 1.0:
        raise CrewError(f"{part!r}: a skill is a share between 0 and 1")
    return replace(SKILLS["average"], accuracy=accuracy)


def _stand_in(habit: str) -> str:
    return "spammer" if habit in _QUICK else "average"


def _members(
    workers: tuple[SimulatedWorker, ...], habits: list[tuple[str, Skill | None]]
) -> list[SyntheticWorker]:
    members: list[SyntheticWorker] = []
    waiting: SimulatedWorker | None = None
    for worker, (habit, skill) in zip(workers, habits, strict=True):
        mind = worker if skill is None else replace(worker, kind="average", skill=skill)
        if habit == "copycat":
            mind, waiting = (waiting, None) if waiting is not None else (mind, mind)
        members.append(SyntheticWorker(worker=worker, mind=mind, habit=habit))
    return members
