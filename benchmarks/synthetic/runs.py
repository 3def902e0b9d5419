"""Every method on every crew: the jobs are drawn, the methods run, the figures taken."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.classification.methods import FAST_PEERS, OURS, SLOW_PEERS, run_method
from benchmarks.common.crowds import Crowd
from benchmarks.common.scores import (
    auroc,
    equal_width_gap,
    item_losses,
    paired_intervals,
)
from benchmarks.synthetic.crews import (
    CREWS,
    SEVERAL,
    SINGLE,
    TASKS,
    Drawn,
    Floats,
    Ints,
    draw,
    job_seed,
)
from benchmarks.synthetic.groups import Pool, group_rows, pool_tables
from benchmarks.synthetic.kinds import KINDS, LURED, Job, draw_kind, draw_lured
from benchmarks.synthetic.limit import limit
from groundtruth.aggregation.multilabel.calibrated import calibrated_labels
from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import Selections
from groundtruth.compat import batched
from labeljob.tasks.base import JobType

MEASURES = ("accuracy", "ece", "brier", "log_loss", "auroc")
LOSSES = ("accuracy", "brier", "log_loss")
BASE = "majority"
_DIGITS = 4


def measures(jobs: Sequence[Drawn], tables: Sequence[Floats]) -> dict[str, float]:
    """All measures on the data objects of several jobs together."""
    pairs = [decisions(job, table) for job, table in zip(jobs, tables, strict=True)]
    table = np.concatenate([pair[0] for pair in pairs])
    gold = np.concatenate([pair[1] for pair in pairs])
    right = table.argmax(axis=1) == gold
    accuracy, brier, log_loss = item_losses(table, gold).mean(axis=0).tolist()
    confidences = table.max(axis=1)
    ece = equal_width_gap(confidences, right)
    values = (accuracy, ece, brier, log_loss, auroc(confidences, right))
    return {name: rounded(value) for name, value in zip(MEASURES, values, strict=True)}


def decisions(job: Drawn, table: Floats) -> tuple[Floats, Ints]:
    """A table with a row for each decision, and what is right for it."""
    if job.task.single_choice:
        return table, job.truth.argmax(axis=1)
    yes = table.ravel()
    return np.column_stack((1.0 - yes, yes)), job.truth.ravel().astype(np.int64)


def losses(job: Drawn, table: Floats) -> Floats:
    """Right or wrong, Brier score and log loss of each data object: shape (n_items, 3).

    Of a multi-label job's data object it is the mean over the labels.
    """
    found = item_losses(*decisions(job, table))
    return found.reshape(len(job.truth), -1, found.shape[1]).mean(axis=1)


def gains(
    ours: Sequence[NDArray[np.float64]], base: Sequence[NDArray[np.float64]]
) -> dict[str, float]:
    """Difference of `losses` to another method's on the same jobs, with its middle 95 %."""
    pairs = [one - other for one, other in zip(ours, base, strict=True)]
    return {name: rounded(value) for name, value in paired_intervals(LOSSES, pairs).items()}


def rounded(value: float) -> float:
    """Four decimals: a thousand data objects tell no more."""
    return round(float(value), _DIGITS)


LIMIT = "limit"
MEANS = ("accuracy", "brier", "ece")
DEFAULT = "calibrated"
EVERYWHERE = (*FAST_PEERS, "ck-one-coin")
"""Peers that are run on jobs of every size; the others on those of the main one."""
_PART = 140  # jobs for one process

Size: TypeAlias = tuple[int, int]
Tables: TypeAlias = dict[str, list[Floats]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured."""

    crews: tuple[str, ...] = tuple(CREWS)  # names of `CREWS`
    kinds: tuple[str, ...] = tuple(KINDS)  # names of `KINDS`
    classes: tuple[int, ...] = (2, 4, 10)  # numbers of classes, and of answers to a data object
    answers: tuple[int, ...] = (3, 5, 9)  # numbers of classes, and of answers to a data object
    main: Mapping[JobType, Size]  # for each task the pair of them that all peers are run on
    seeds: tuple[int, ...]  # A job is drawn for each
    objects: int  # data objects in a job
    peers: bool = True  # whether peers are run
    limit: float = 15.0  # CPU seconds after which a case of a slow peer is cut off
    jobs: int = 2  # processes at a time

    @property
    def sizes(self) -> list[Size]:
        """All pairs of classes and answers."""
        return list(product(self.classes, self.answers))


@dataclass(frozen=True, kw_only=True)
class Case:
    """Jobs that differ in their seed alone, and what each method made of them."""

    crew: str
    size: Size
    jobs: tuple[Drawn, ...]
    tables: Tables


def results(folder: Path, plan: Plan, task: JobType) -> dict[str, list[dict[str, Any]]]:
    """Run a task's methods; rows for the tables of the result."""
    cases = {(name, size): _drawn(plan, task, name, size) for name in plan.crews
             for size in plan.sizes}  # fmt: skip
    main = [jobs for (_, size), jobs in cases.items() if size == plan.main[task]]
    everywhere = [job for jobs in cases.values() for job in jobs]
    cut = _run(folder, plan, task, everywhere, [job for jobs in main for job in jobs])
    done = [
        Case(crew=name, size=size, jobs=jobs, tables=_tables(folder, jobs))
        for (name, size), jobs in cases.items()
    ]
    at_main = [case for case in done if case.size == plan.main[task]]
    where = {"task": TASKS[task]}
    groups = _group_cases(at_main, done, plan) if task is SINGLE else {}
    if task is SINGLE:
        groups |= _run_kinds(folder, plan)
    return {
        "groups": [
            where | {name: rounded(v) if isinstance(v, float) else v for name, v in row.items()}
            for group, pools in groups.items()
            for row in group_rows(group, pools)
        ],
        "scores": [where | row for case in at_main for row in _scores(case)],
        "gains": [where | row for row in _gains(at_main)],
        "sizes": [where | row for row in _means(done)],
        "cut_off": [where | row for row in cut],
    }


def _group_cases(
    at_main: Sequence[Case], done: Sequence[Case], plan: Plan
) -> dict[str, list[Pool]]:
    """The cases of the workforce's crews as groups."""
    n_classes, n_answers = plan.main[SINGLE]
    parts = {f"crews, {n_classes} classes, {n_answers} answers": at_main, "crews, all sizes": done}
    return {
        group: [
            pool_tables([job.truth.argmax(axis=1) for job in case.jobs], case.tables)
            for case in cases
        ]
        for group, cases in parts.items()
    }


def _run_kinds(folder: Path, plan: Plan) -> dict[str, list[Pool]]:
    """Run the methods that are run everywhere on all kinds of `kinds`."""
    cases: dict[str, list[tuple[Job, ...]]] = {}
    for n in plan.answers:
        seeds = [draw_lured(per_object=n, seed=seed) for seed in plan.seeds]
        cases.setdefault(LURED, []).extend(zip(*seeds, strict=True))
    for name in plan.kinds:
        classes = [k for k in KINDS[name].classes if k in plan.classes] or KINDS[name].classes
        sizes = product(classes, plan.answers)
        cases[name] = [
            tuple(
                draw_kind(name, n_classes=k, per_object=n, n_objects=plan.objects, seed=seed)
                for seed in plan.seeds
            )
            for k, n in sizes
        ]
    jobs = [job for found in cases.values() for seeds in found for job in seeds]
    crowds = [job.crowd for job in jobs]
    for job in jobs:
        np.save(folder / f"{job.crowd.name}.{LIMIT}.npy", job.limit)
    _run_methods(folder, plan, dict.fromkeys((*OURS, *EVERYWHERE), crowds))
    return {
        group: [
            pool_tables([j.crowd.gold for j in seeds], _tables(folder, [j.crowd for j in seeds]))
            for seeds in found
        ]
        for group, found in cases.items()
    }


def _drawn(plan: Plan, task: JobType, name: str, size: Size) -> tuple[Drawn, ...]:
    number = list(CREWS).index(name)
    return tuple(
        draw(
            CREWS[name],
            f"{task.name}.{number}.{size[0]}.{size[1]}.{seed}",
            task=task,
            n_classes=size[0],
            per_object=size[1],
            n_objects=plan.objects,
            seed=job_seed(name, task.name, *size, seed),
        )
        for seed in plan.seeds
    )


def _run(
    folder: Path, plan: Plan, task: JobType, everywhere: Sequence[Drawn], main: Sequence[Drawn]
) -> list[dict[str, Any]]:
    """Run all methods but the limit; cases that were cut off."""
    if task is SEVERAL:
        for job in everywhere:
            for method, table in our_labels(job).items():
                np.save(folder / f"{job.name}.{method}.npy", table)
        labels = [crowd for job in main for crowd in job.label_crowds()]
        wanted = dict.fromkeys(FAST_PEERS, labels)
    else:
        few, all_of_them = [job.crowd() for job in main], [job.crowd() for job in everywhere]
        wanted = dict.fromkeys(SLOW_PEERS, few)
        wanted |= dict.fromkeys((*OURS, *EVERYWHERE), all_of_them)
    for job in everywhere:
        np.save(folder / f"{job.name}.{LIMIT}.npy", limit(job))
    lines = _run_methods(folder, plan, wanted)
    if task is SEVERAL and plan.peers:
        _put_together(folder, main)
    return [
        {"method": line["method"], "job": line["crowd"], "seconds": line["cut_off_after"]}
        for line in lines
        if "cut_off_after" in line
    ]


def _run_methods(
    folder: Path, plan: Plan, wanted: Mapping[str, Sequence[Crowd]]
) -> list[dict[str, Any]]:
    """Run methods on crowds, several processes at a time; what they print."""
    tasks = [
        (method, list(part))
        for method, crowds in wanted.items()
        if plan.peers or method in OURS
        for part in batched(crowds, _PART)
    ]

    def measure(given: tuple[str, list[Crowd]]) -> list[dict[str, Any]]:
        allowed = plan.limit if given[0] in SLOW_PEERS else 0.0
        return run_method(given[0], folder, given[1], once=True, limit=allowed)

    with ThreadPoolExecutor(plan.jobs) as pool:
        return [line for found in pool.map(measure, tasks) for line in found]


def our_labels(job: Drawn) -> dict[str, Floats]:
    """Our methods on a multi-label job: shape (n_items, n_labels) each."""
    given = Selections(job.items, job.workers, job.picked, len(job.truth), len(job.members))
    shares = share_labels(given)
    return {
        BASE: shares,
        "builtin": np.round(0.9 * shares + 0.05, 2),
        DEFAULT: calibrated_labels(given).posterior,
    }


def _put_together(folder: Path, jobs: Sequence[Drawn]) -> None:
    """Make one table of a peer's tables for each label."""
    for job, method in product(jobs, FAST_PEERS):
        columns = [
            np.load(folder / f"{crowd.name}.{method}.npy")[:, 1] for crowd in job.label_crowds()
        ]
        np.save(folder / f"{job.name}.{method}.npy", np.column_stack(columns))


def _tables(folder: Path, jobs: Sequence[Drawn | Crowd]) -> Tables:
    """What each method found; a method that lacks a job is left out."""
    found = {}
    for method in (*OURS, *FAST_PEERS, *SLOW_PEERS, LIMIT):
        paths = [folder / f"{job.name}.{method}.npy" for job in jobs]
        if all(path.exists() for path in paths):
            found[method] = [np.load(path) for path in paths]
    return found


def _scores(case: Case) -> Iterator[dict[str, Any]]:
    for method, tables in case.tables.items():
        yield {"crew": case.crew, "method": method} | measures(case.jobs, tables)


def _gains(cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    """Differences to majority at the main size."""
    found: dict[str, list[Floats]] = {}
    for case in cases:
        for method, tables in case.tables.items():
            pairs = zip(case.jobs, tables, strict=True)
            found.setdefault(method, []).extend(losses(job, table) for job, table in pairs)
    n_seeds = len(cases[0].jobs)
    for method, values in found.items():
        if method != BASE and len(values) == len(found[BASE]):
            yield {"crew": "all", "method": method} | gains(values, found[BASE])
    for number, case in enumerate(cases):
        own = slice(number * n_seeds, (number + 1) * n_seeds)
        line = {"crew": case.crew, "method": DEFAULT}
        yield line | gains(found[DEFAULT][own], found[BASE][own])


def _means(cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    """Means over the crews for each size, of the methods that are run on all."""
    methods = [name for name in cases[0].tables if all(name in case.tables for case in cases)]
    for size in dict.fromkeys(case.size for case in cases):
        members = [case for case in cases if case.size == size]
        for method in methods:
            rows = [measures(case.jobs, case.tables[method]) for case in members]
            line = {name: rounded(np.mean([row[name] for row in rows])) for name in MEANS}
            yield {"classes": size[0], "answers": size[1], "method": method} | line


SMALL = Plan(
    kinds=("all confuse the same", "10 % yes", "copying pairs"),
    classes=(4,),
    answers=(3,),
    main={SINGLE: (4, 3), SEVERAL: (4, 3)},
    seeds=(1,),
    objects=150,
    peers=False,
)
"""For a quick look: our methods at one size."""
