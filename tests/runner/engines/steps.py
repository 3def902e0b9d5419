"""Steps of a small job type, for workers to run: sums of numbers, and faults on demand."""

import os
import signal
from pathlib import Path

import numpy as np

from groundtruth.errors import ContractError
from groundtruth.settings import Settings
from groundtruth.sharding.arrays import pack, unpack
from groundtruth.sharding.plan import Plan, Shard, digest_of
from groundtruth.sharding.steps import StepResult

ROUNDS = 2


def plan_steps(plan):
    return SumSteps(plan)


class SumSteps:
    """Each object's share of the sum of all numbers, after some rounds that double them.

    `options` of the plan: ``trace`` is a folder where each step on a shard adds a line to a file;
    ``killed`` names a shard's index that kills its process, ``kills`` how often it does so.
    """

    def __init__(self, plan):
        self.plan = plan

    def run(self, step, shard, state, totals, store):
        numbers = unpack(shard)["numbers"]
        index = int(unpack(shard)["index"])
        self._trace(step, index)
        if index == self.plan.options.get("damaged"):
            raise ContractError("is damaged", path="numbers")
        if step == "double":
            numbers = 2 * state.get("numbers", numbers)
            return StepResult(
                totals={"sum": numbers.sum()}, state={"numbers": numbers}, change=float(index)
            )
        return StepResult(state={"shares": state["numbers"] / totals["sum"]})

    def next_step(self, step, number, change):
        if number + 1 < ROUNDS:
            return "double"
        return "share" if step == "double" else None

    def _trace(self, step, index):
        trace = self.plan.options.get("trace")
        if trace is None:
            return
        path = Path(trace, f"{step}-{index}")
        with path.open("a") as file:
            file.write(f"{os.getpid()}\n")
        kills = self.plan.options.get("kills", 0)
        if index == self.plan.options.get("killed") and len(path.read_text().split()) <= kills:
            os.kill(os.getpid(), signal.SIGKILL)


def make_classification_plan(store, *, n_shards=5, n_objects=40, n_workers=12, n_classes=4):
    """Votes of workers of unlike skill, by the default algorithm."""
    random = np.random.default_rng(7)
    skill = random.uniform(0.3, 0.95, n_workers)
    bodies = []
    for _ in range(n_shards):
        truth = random.integers(n_classes, size=n_objects)
        items, workers = np.nonzero(random.random((n_objects, n_workers)) < 0.4)
        right = random.random(len(items)) < skill[workers]
        classes = np.where(right, truth[items], random.integers(n_classes, size=len(items)))
        votes = {"items": items, "workers": workers, "classes": classes}
        gold = np.full(n_objects, -1)
        arrays = {name: array.astype(np.int32) for name, array in (votes | {"gold": gold}).items()}
        bodies.append(pack(arrays | {"n_objects": np.array(n_objects)}))
    return Plan(
        task="image-multi-class",
        settings=Settings(),
        classes=tuple(f"class {index}" for index in range(n_classes)),
        n_workers=n_workers,
        job_name="labeling-job/votes",
        made_at="2026-01-02T03:04:05+00:00",
        options={},
        shards=tuple(
            write_shard(store, index, body, n_objects) for index, body in enumerate(bodies)
        ),
    )


def write_shard(store, index, body, n_objects):
    name = f"{index:05}-{digest_of(body)}"
    uri = f"s3://job/shards/{name}.safetensors"
    store.write(uri, body, content_type="application/octet-stream", kms_key=None)
    return Shard(name=name, uri=uri, n_objects=n_objects, n_answers=n_objects)


def make_plan(store, *, n_shards=5, **options):
    """A plan of shards with random numbers, which are written to the store."""
    random = np.random.default_rng(n_shards)
    shards = []
    for index in range(n_shards):
        numbers = random.random(index + 2)
        body = pack({"numbers": numbers, "index": np.array(index)})
        shards.append(write_shard(store, index, body, len(numbers)))
    return Plan(
        task="sums",
        settings=Settings(),
        classes=(),
        n_workers=0,
        job_name="labeling-job/sums",
        made_at="2026-01-02T03:04:05+00:00",
        options=options,
        shards=tuple(shards),
        tolerated_failures=0.4,
    )
