"""A model beside the workers.

Ours counts the model's class as one more answer; cleanlab reads the model's probabilities.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.common.record import run_module
from benchmarks.common.scores import auroc, equal_width_gap, paired_intervals
from benchmarks.synthetic.crews import CREWS, SINGLE, Drawn, Floats, Ints, draw, job_seed
from benchmarks.synthetic.limit import limit
from benchmarks.synthetic.runs import BASE, rounded
from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.settings import Settings
from labeljob.simulation.workers import generator

OVER_CONFIDENT = 3.0
"""Power to which an over-confident model raises its probabilities, before they sum to 1 again."""
_SPREAD = 3.0  # of the Beta distribution of a model's confidence: the smaller, the more extreme
MEASURES = ("accuracy", "ece", "brier", "auroc")
CLEANLAB = {
    "cleanlab, honest": ("honest", "as-given"),
    "cleanlab, over-confident": ("over", "as-given"),
    "cleanlab, honest, calibrate_probs": ("honest", "calibrated"),
    "cleanlab, over-confident, calibrate_probs": ("over", "calibrated"),
}
"""cleanlab's variants: which of the model's probabilities it reads, and how."""

Found: TypeAlias = tuple[Ints, Floats]
Cases: TypeAlias = dict[tuple[float, str], list[dict[str, Found]]]


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """What is measured."""

    accuracies: tuple[float, ...] = (0.7, 0.85, 0.95)  # of the models
    main: float = 0.85  # the one of them for which each crew is shown
    classes: int = 4  # size of a job: classes, answers of workers to a data object, data objects
    answers: int = 3  # size of a job: classes, answers of workers to a data object, data objects
    objects: int = 450  # size of a job: classes, answers of workers to a data object, data objects
    seeds: tuple[int, ...] = (1, 2)  # A job, and a model's answers to it, are drawn for each


def model_probabilities(truth: Ints, n_classes: int, accuracy: float, seed: int) -> Floats:
    """Probabilities of a model that is as often right as they say."""
    rng = generator(seed, "model", str(accuracy))
    chance = 1.0 / n_classes
    mean = (accuracy - chance) / (1.0 - chance)
    sure = chance + (1.0 - chance) * rng.beta(_SPREAD * mean, _SPREAD * (1.0 - mean), truth.size)
    other = (truth + rng.integers(1, n_classes, truth.size)) % n_classes
    chosen = np.where(rng.random(truth.size) < sure, truth, other)
    table = np.tile(((1.0 - sure) / (n_classes - 1))[:, np.newaxis], (1, n_classes))
    table[np.arange(truth.size), chosen] = sure
    return table


def model_results(folder: Path, plan: ModelPlan) -> dict[str, Any]:
    """Run everything; rows for the tables of the result, and cleanlab's version."""
    jobs = {name: _drawn(plan, name) for name in CREWS}
    found: Cases = {
        (accuracy, name): [
            _ours(folder, job, accuracy, job_seed(name, "model", seed))
            for job, seed in zip(drawn, plan.seeds, strict=True)
        ]
        for accuracy, (name, drawn) in product(plan.accuracies, jobs.items())
    }
    version = _cleanlab(folder, found, jobs)
    return {
        "model": list(_mean_rows(found, jobs)),
        "model_crews": [
            {"crew": name, "method": method} | row
            for name, drawn in jobs.items()
            for method, row in _measured(found[plan.main, name], drawn).items()
        ],
        "cleanlab": version,
    }


def _drawn(plan: ModelPlan, name: str) -> list[Drawn]:
    return [
        draw(
            CREWS[name],
            f"model.{list(CREWS).index(name)}.{seed}",
            task=SINGLE,
            n_classes=plan.classes,
            per_object=plan.answers,
            n_objects=plan.objects,
            seed=job_seed(name, "model", seed),
        )
        for seed in plan.seeds
    ]


def _ours(folder: Path, job: Drawn, accuracy: float, seed: int) -> dict[str, Found]:
    """What we, majority and the limit say; what cleanlab needs is left in the folder."""
    crowd = job.crowd()
    probabilities = model_probabilities(crowd.gold, crowd.n_classes, accuracy, seed)
    sharpened = probabilities**OVER_CONFIDENT
    sharpened /= sharpened.sum(axis=1, keepdims=True)
    for name, table in (("honest", probabilities), ("over", sharpened)):
        np.savez(
            folder / f"{job.name}.{accuracy}.{name}.npz",
            items=crowd.items,
            workers=crowd.workers,
            classes=crowd.classes,
            shape=(crowd.n_items, crowd.n_workers),
            probabilities=table,
        )
    return our_answers(job, probabilities)


def our_answers(job: Drawn, probabilities: Floats) -> dict[str, Found]:
    """Class and confidence of each data object by majority, by us and by the limit."""
    crowd = job.crowd()
    sizes = crowd.n_items, crowd.n_workers, crowd.n_classes
    votes = Votes(crowd.items, crowd.workers, crowd.classes, *sizes)
    joined = Votes(
        np.append(crowd.items, np.arange(crowd.n_items)),
        np.append(crowd.workers, np.full(crowd.n_items, crowd.n_workers)),
        np.append(crowd.classes, probabilities.argmax(axis=1)),
        crowd.n_items,
        crowd.n_workers + 1,
        crowd.n_classes,
    )
    tables = {BASE: majority(votes), "calibrated": calibrated(votes).posterior.dense()}
    for name, most in (("with model", Settings().model_max_weight), ("with model, up to 1", 1.0)):
        weights = np.append(np.full(crowd.n_workers, np.inf), most)
        tables[f"calibrated {name}"] = calibrated(joined, max_weights=weights).posterior.dense()
    known = limit(job) * probabilities
    tables["limit"] = known / known.sum(axis=1, keepdims=True)
    return {name: (table.argmax(axis=1), table.max(axis=1)) for name, table in tables.items()}


def _cleanlab(folder: Path, found: Cases, jobs: Mapping[str, Sequence[Drawn]]) -> str:
    """Run cleanlab on every case and add what it says to `found`; its version."""
    stems = {key: [f"{job.name}.{key[0]}" for job in jobs[key[1]]] for key in found}
    version = ""
    for variant, (kind, way) in CLEANLAB.items():
        paths = [folder / f"{stem}.{kind}.npz" for names in stems.values() for stem in names]
        version = run_module("peers", "crowdlab", way, folder, *paths).split()[-1]
        for key, cases in found.items():
            for case, stem in zip(cases, stems[key], strict=True):
                with np.load(folder / f"{stem}.{kind}.{way}.npz") as arrays:
                    case[variant] = (arrays["classes"], arrays["confidences"])
    return version


def _mean_rows(found: Cases, jobs: Mapping[str, Sequence[Drawn]]) -> Iterator[dict[str, Any]]:
    """Means over crews of each measure, and the difference to majority with its interval.

    AUROC is over the crews where every method has one, that is, errs at all.
    """
    for accuracy in dict.fromkeys(key[0] for key in found):
        rows = [_measured(found[accuracy, name], drawn) for name, drawn in jobs.items()]
        for method in rows[0]:
            line: dict[str, Any] = {"model": accuracy, "method": method}
            for name in MEASURES:
                line[name] = rounded(np.mean([row[method][name] for row in rows]))
            judged = [row for row in rows if all(np.isfinite(r["auroc"]) for r in row.values())]
            line["auroc_crews"] = len(judged)
            if judged:
                line["auroc"] = rounded(np.mean([row[method]["auroc"] for row in judged]))
            differences = [
                _losses(case[method], job) - _losses(case[BASE], job)
                for name, drawn in jobs.items()
                for case, job in zip(found[accuracy, name], drawn, strict=True)
            ]
            gains = paired_intervals(("accuracy_gain", "brier_gain"), differences)
            yield line | {name: rounded(value) for name, value in gains.items()}


def _measured(
    cases: Sequence[Mapping[str, Found]], drawn: Sequence[Drawn]
) -> dict[str, dict[str, float]]:
    """Each method's measures, pooled over seeds; Brier score of the winner's confidence."""
    gold = np.concatenate([job.truth.argmax(axis=1) for job in drawn])
    lines = {}
    for method in cases[0]:
        right = np.concatenate([case[method][0] for case in cases]) == gold
        sure = np.concatenate([case[method][1] for case in cases])
        values = (right.mean(), equal_width_gap(sure, right), ((sure - right) ** 2).mean())
        pairs = zip(MEASURES, (*values, auroc(sure, right)), strict=True)
        lines[method] = {name: rounded(value) for name, value in pairs}
    return lines


def _losses(given: Found, job: Drawn) -> Floats:
    right = given[0] == job.truth.argmax(axis=1)
    return np.column_stack((right.astype(np.float64), (given[1] - right) ** 2))
