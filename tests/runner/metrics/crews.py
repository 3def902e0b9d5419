"""Simulated crews and who of them is flagged.

`python -m tests.runner.metrics.crews honest 500` counts the honest crews in which anybody gets a
flag; `… power 20` prints how often copying is found, of 20 crews for each kind of job.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from groundtruth.annotations import Answers
from groundtruth.settings import Settings
from labeljob.history.job import ObjectAnnotations
from labeljob.history.job_files import AnswerTime
from labeljob.metrics.copying import find_copying
from labeljob.metrics.workers import Worker, flag_workers, tabulate_workers
from labeljob.simulation.behavior import answer_of, create_synthetic_workers, difficulty
from labeljob.simulation.truth import invented_truth
from labeljob.simulation.workers import timing
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import find_job_type

SINGLE, SEVERAL, MASK = (
    find_job_type(name)
    for name in ("image-multi-class", "image-multi-class-multi-label", "semantic-segmentation")
)
CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay")
HONEST = (
    "careful",
    "average",
    "careless",
    "confuser",
    "tired",
    "skill=0.99",
    "skill=0.9",
    "skill=0.75",
)


def simulate(
    crew: str,
    *,
    task: JobType = SINGLE,
    n_classes: int = 4,
    n_objects: int = 300,
    per_object: int = 5,
    hardness: float = 0.0,
    seed: int = 0,
) -> list[ObjectAnnotations]:
    """What a crew, written as for `labeljob synthesize`, says of some objects."""
    labels = CLASSES[:n_classes]
    members = create_synthetic_workers(crew, task=task, seed=seed)
    rng, done = np.random.default_rng(seed), Counter[str]()
    choices = task.library.all_classes(labels, Settings())
    objects = []
    for number in range(n_objects):
        object_id = str(number)
        truth = invented_truth(task, labels, object_id, (90, 160), seed)
        chosen = rng.permutation(len(members))[:per_object]
        answers, answer_times = {}, {}
        for member in (members[index] for index in sorted(chosen)):
            worker_id = member.worker.worker_id
            content = answer_of(
                member,
                task,
                object_id=object_id,
                labels=labels,
                truth=truth,
                seed=seed,
                hardness=difficulty(hardness, object_id, seed),
                tasks_done=done[worker_id],
            )
            answers[worker_id] = task.library.decode(content, choices, Settings())
            answer_times[worker_id] = AnswerTime(None, timing(member.worker, object_id, seed)[1])
            done[worker_id] += 1
        item = Answers(object_id, tuple(answers), tuple(answers.values()), ())
        rows = task.to_choices(item, choices, [])
        objects.append(
            ObjectAnnotations(
                object_id=object_id,
                source="",
                workers=tuple(rows),
                choices=np.array(list(rows.values()), np.int64).reshape(len(rows), -1),
                rejected=(),
                answer_times=answer_times,
            )
        )
    return objects


def flag(
    objects: Sequence[ObjectAnnotations], *, task: JobType = SINGLE, n_classes: int = 4
) -> dict[str, Worker]:
    """The workers of some objects, flagged."""
    choices = task.library.all_classes(CLASSES[:n_classes], Settings())
    units = task.unit_classes(choices)
    workers = tabulate_workers(objects, task, len(units))
    flag_workers(workers, objects, task, units)
    return workers


def flags(workers: dict[str, Worker]) -> dict[str, set[str]]:
    """The flags of each worker who has any."""
    return {
        worker_id: {name for name, _ in worker.flags}
        for worker_id, worker in workers.items()
        if worker.flags
    }


def honest_crew(seed: int) -> tuple[str, dict[str, object]]:
    """An honest crew of any kind, and the job it is given; masks are a tenth of the jobs."""
    rng = np.random.default_rng(seed)
    task = (SINGLE, SINGLE, SINGLE, SEVERAL, MASK)[int(rng.choice(5, p=[0.3, 0.3, 0.1, 0.2, 0.1]))]
    n_workers, n_classes = int(rng.integers(3, 13)), int(rng.choice([2, 3, 5, 10]))
    kinds = [kind for kind in HONEST if n_classes > 2 or kind != "confuser"]
    crew = ",".join(rng.choice(kinds, n_workers))
    sizes = [20, 60] if task is MASK else [50, 300, 1000]
    job = {
        "task": task,
        "n_classes": min(n_classes, 3) if task is MASK else n_classes,
        "n_objects": int(rng.choice(sizes)),
        "per_object": min(n_workers, int(rng.choice([3, 5, 7, 9]))),
        "hardness": float(rng.choice([0.0, 0.0, 0.2, 0.4])),
    }
    return crew, job


def count_false_alarms(n_crews: int, first: int = 0) -> None:
    """Print each flag of an honest crew, and how many crews have one."""
    accused, with_flag = Counter[str](), 0
    for seed in range(first, first + n_crews):
        crew, job = honest_crew(seed)
        known = {"task": job["task"], "n_classes": job["n_classes"]}
        found = flags(flag(simulate(crew, seed=seed, **job), **known))  # type: ignore[arg-type]
        if found:
            sys.stdout.write(f"{seed} {crew} {job | {'task': str(job['task'])}} {found}\n")
            with_flag += 1
        accused.update({name for names in found.values() for name in names})
    share = with_flag / n_crews
    sys.stdout.write(f"{n_crews} honest crews, {with_flag} with a flag ({share:.1%}): {accused}\n")


CREW = "average:5"


def copied(
    objects: Sequence[ObjectAnnotations], share: float, seed: int
) -> list[ObjectAnnotations]:
    """The objects, where the last worker repeats the first one's answer in a share of them."""
    rng = np.random.default_rng(seed)
    ids = sorted({worker for obj in objects for worker in obj.workers})
    first, last = ids[0], ids[-1]
    changed = []
    for obj in objects:
        if {first, last} <= set(obj.workers) and rng.random() < share:
            choices = obj.choices.copy()
            choices[obj.workers.index(last)] = choices[obj.workers.index(first)]
            obj = replace(obj, choices=choices)
        changed.append(obj)
    return changed


def power(
    n_crews: int, *, n_classes: int, n_objects: int, per_object: int, share: float
) -> tuple[float, int]:
    """Share of the crews whose pair is found, and how many other pairs were accused."""
    hits, others = 0, 0
    for seed in range(n_crews):
        objects = simulate(
            CREW, n_classes=n_classes, n_objects=n_objects, per_object=per_object, seed=seed
        )
        ids = sorted({worker for obj in objects for worker in obj.workers})
        found = find_copying(copied(objects, share, seed), SINGLE, n_classes)
        pairs = {pair.workers for pair in found}
        hits += (ids[0], ids[-1]) in pairs
        others += len(pairs - {(ids[0], ids[-1])})
    return hits / n_crews, others


def print_power(n_crews: int) -> None:
    """Print the table of docs/reference/labeljob.md, in Markdown."""
    sizes = (50, 100, 300)
    sys.stdout.write(f"| asked | copied | classes | {' | '.join(f'{n:,}' for n in sizes)} |\n")
    sys.stdout.write("|---|---|---|" + "---|" * len(sizes) + "\n")
    wrong = 0
    for per_object in (5, 3):
        for share in (1.0, 0.5):
            for n_classes in (2, 5, 10):
                cells = []
                for n_objects in sizes:
                    found, others = power(
                        n_crews,
                        n_classes=n_classes,
                        n_objects=n_objects,
                        per_object=per_object,
                        share=share,
                    )
                    cells.append(f"{found:.2f}")
                    wrong += others
                asked = "all five" if per_object == 5 else "three of five"
                row = " | ".join([asked, f"{share:.0%}", str(n_classes), *cells])
                sys.stdout.write(f"| {row} |\n")
                sys.stdout.flush()
    sys.stdout.write(f"other pairs accused: {wrong}\n")


if __name__ == "__main__":
    command, *numbers = sys.argv[1:]
    {"honest": count_false_alarms, "power": print_power}[command](*map(int, numbers))
