"""Crews of stated behaviors, and the jobs that the synthetic workforce of `labeljob` answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.crowds import Crowd
from labeljob.simulation.behavior import SyntheticWorker, create_synthetic_workers, difficulty
from labeljob.simulation.synthesis import Disturbances, Synthesis, synthetic_description
from labeljob.simulation.workers import digest
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import find_job_type

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

SINGLE = find_job_type("image-multi-class")
SEVERAL = find_job_type("image-multi-class-multi-label")
TASKS: Mapping[JobType, str] = MappingProxyType({SINGLE: "one", SEVERAL: "several"})
"""Short names of the tasks, for the result."""


@dataclass(frozen=True)
class Crew:
    """Ten workers, as `labeljob synthesize --workers` takes them, and what else goes wrong."""

    workers: str  # kinds and how many of each
    missing: float = 0.0  # share of the answers that nobody gives
    difficulty: float = 0.0  # mean difficulty of the data objects

    @property
    def options(self) -> str:
        """The crew as options of `labeljob synthesize`."""
        given = {"missing": self.missing, "difficulty": self.difficulty}
        others = [f"--{name} {value}" for name, value in given.items() if value]
        return " ".join([f"--workers {self.workers}", *others])


CREWS: Mapping[str, Crew] = MappingProxyType(
    {
        "all careful": Crew("careful:10"),
        "all average": Crew("average:10"),
        "all careless": Crew("careless:10"),
        "mixed": Crew("10"),
        "10 % random spammers": Crew("average:9,spammer:1"),
        "20 % random spammers": Crew("average:8,spammer:2"),
        "40 % random spammers": Crew("average:6,spammer:4"),
        "20 % say one class always": Crew("average:8,constant:2"),
        "20 % adversaries": Crew("average:8,adversary:2"),
        "40 % confuse the same two": Crew("average:6,confuser=class-0/class-1:4"),
        "40 % copycats, in pairs": Crew("average:6,copycat:4"),
        "50 % tire": Crew("average:5,tired:5"),
        "30 % of answers missing": Crew("average:10", missing=0.3),
        "hard items": Crew("average:10", difficulty=0.3),
    }
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """The answers to one job, and all that decided on them."""

    name: str  # of the crew, the size and the seed; fit for a file
    task: JobType  # what was asked
    members: tuple[SyntheticWorker, ...]  # the crew
    labels: tuple[str, ...]  # the classes
    items: Ints
    workers: Ints
    tasks_done: Ints
    picked: Bools  # the class, or the labels, of each answer
    hardness: Floats  # difficulty of each data object
    truth: Bools  # what is right

    def crowd(self) -> Crowd:
        """The answers to a single-label job as every method takes them."""
        return self._crowd(self.name, self.picked.argmax(axis=1), self.truth.argmax(axis=1))

    def label_crowds(self) -> list[Crowd]:
        """Each label of a multi-label job as a job of its own, with the classes no and yes."""
        return [
            self._crowd(
                f"{self.name}.{label}",
                self.picked[:, label].astype(np.int64),
                self.truth[:, label].astype(np.int64),
                n_classes=2,
            )
            for label in range(len(self.labels))
        ]

    def _crowd(self, name: str, classes: Ints, gold: Ints, *, n_classes: int = 0) -> Crowd:
        sizes = len(self.truth), len(self.members), n_classes or len(self.labels)
        return Crowd(name, self.items, self.workers, classes, *sizes, gold)


def job_seed(*parts: str | int) -> int:
    """A seed for each job, so that no two jobs share their workers' luck."""
    return int.from_bytes(digest("benchmark", *parts, size=4))


def draw(
    crew: Crew,
    name: str,
    *,
    task: JobType,
    n_classes: int,
    per_object: int,
    n_objects: int,
    seed: int,
) -> Drawn:
    """Let a crew answer a job."""
    labels = tuple(f"class-{number}" for number in range(n_classes))
    members = create_synthetic_workers(crew.workers, task=task, seed=seed)
    synthesis = Synthesis(
        description=synthetic_description(
            task=task, labels=labels, crew=crew.workers, per_object=per_object, seed=seed
        ),
        crew=members,
        n_objects=n_objects,
        source_ref=lambda object_id: f"s3://labeljob/images/{object_id}.png",
        disturbances=Disturbances(missing=crew.missing, difficulty=crew.difficulty),
    )
    number_of = {member.worker.worker_id: place for place, member in enumerate(members)}
    done: Counter[int] = Counter()
    answers: list[tuple[int, int, int]] = []
    picked: list[list[bool]] = []
    truth: list[list[bool]] = []
    for item, one in enumerate(one for batch in synthesis.batches() for one in batch.objects):
        truth.append(_marked(one.truth, labels))
        for answer in one.response["answers"]:
            worker = number_of[answer["workerId"]]
            answers.append((item, worker, done[worker]))
            done[worker] += 1
            picked.append(_marked(_chosen(answer["answerContent"]), labels))
    hardness = [difficulty(crew.difficulty, str(item), seed) for item in range(n_objects)]
    items, workers, before = np.array(answers).T
    tables = np.array(picked), np.array(hardness), np.array(truth)
    return Drawn(name, task, members, labels, items, workers, before, *tables)


def _chosen(content: Mapping[str, Any]) -> Any:
    """The class, or the labels, of one answer."""
    ((element, value),) = content.items()
    return value["labels"] if element.endswith("multi-select") else value["label"]


def _marked(chosen: Any, labels: Sequence[str]) -> list[bool]:
    names = {chosen} if isinstance(chosen, str) else set(chosen)
    return [label in names for label in labels]
