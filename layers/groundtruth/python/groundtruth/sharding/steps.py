"""One step on one shard, and what follows from a step on all of them.

A consolidation is a sequence of steps. Each is made on every shard by itself (`run_step`), and what
the shards counted is then added up (`finish_step`), which says what the next step is. Both are
given a few names as JSON, and read and write everything else in a store: a process of this machine,
a cluster and a Lambda function do the same.

    <work>/plan.json                          the plan without its shards, which may be many
    <work>/<step>/items.json                  what `run_step` is given, an item for each shard
    <work>/<step>/<shard>.state.safetensors   what its next step needs; in the end the labels
    <work>/<step>/<shard>.totals.safetensors  what it counted, written last: its step is done
    <work>/<step>/<shard>.error.json          why it failed, if it did and said so
    <work>/<step>/totals.safetensors          the sum over all shards

The folder of a step is named by its number and a digest of the settings, of the shards' names and
of all that the step knows of the other shards, and a shard by a digest of its content. So a result
that is there is the one that would be computed again, and a run that was interrupted goes on where
it was. What a step left for the next one is removed when that one is done on every shard; if a
shard has failed, it stays from there on, for the shard may be tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from groundtruth.compat import batched
from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.sharding.arrays import Arrays, add, pack, unpack
from groundtruth.sharding.plan import Plan, digest_of
from groundtruth.storage.s3 import ObjectStore

PLAN, ITEMS, TOTALS = "plan.json", "items.json", "totals.safetensors"
STATE_END, TOTALS_END, ERROR_END = ".state.safetensors", ".totals.safetensors", ".error.json"
ARRAYS_TYPE, JSON_TYPE = "application/octet-stream", "application/json"

SHOWN = 20
"""Failed shards that a move names; all are those whose results are missing."""


class ShardsFailedError(GroundTruthError):
    """More shards failed than are tolerated; the text names some, and why."""


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What a step on one shard gave.

    Attributes
    ----------
    totals : mapping of str to ndarray
        What it counted; the names and shapes are the same for all shards, and sums are what counts.
    state : mapping of str to ndarray
        What the next step on the shard needs; of the last step its labels.
    change : float
        How far the shard is from being settled: the largest of all shards counts.
    """

    totals: Arrays = field(default_factory=dict)
    state: Arrays = field(default_factory=dict)
    change: float = 0.0


class Steps(Protocol):
    """How a job type consolidates shards by the algorithm of a plan; see `Task.plan_steps`."""

    def run(
        self,
        step: str,
        shard: bytes,
        state: Arrays,
        totals: Arrays,
        store: ObjectStore,
    ) -> StepResult:
        """One step on one shard.

        `state` is what the shard's step before gave, `totals` the sum of what all shards counted in
        it; both are empty in the first step. Masks are written to `store`.
        """

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """What comes after a step, whose number counts from 0; None after the last one.

        The first one comes after ``""``, whose number is -1.
        """


PlanSteps: TypeAlias = Callable[[Plan], Steps]
"""Finds the steps of a plan: `groundtruth.tasks.registry.plan_steps`."""


def begin(plan: Plan, work: str, store: ObjectStore, plan_steps: PlanSteps) -> dict[str, Any]:
    """Write the plan and the items of the first step, and return the first move.

    `work` is the S3 URI of a folder, without a slash at its end.

    A move is JSON of a few hundred bytes: ``work``, ``step``, ``number``, ``folder`` (of the step,
    below `work`), ``items`` (``bucket`` and ``key`` of the items' file), ``shards`` (how many),
    ``failed`` (how many so far), ``tolerated`` (how many may), ``failures`` (some of them:
    ``shard`` and ``problem``) and ``done`` (whether that step was the last).
    """
    body = replace(plan, shards=()).to_json().encode()
    _write(store, f"{work}/{PLAN}", body, JSON_TYPE, plan.kms_key)
    step = plan_steps(plan).next_step("", -1, 0.0)
    if step is None:
        raise ValueError(f"{plan.task} has no steps")
    uris = {shard.name: shard.uri for shard in plan.shards}
    before = {
        "work": work,
        "number": -1,
        "folder": "",
        "failed": 0,
        "tolerated": int(plan.tolerated_failures * len(plan.shards)),
        "failures": [],
    }
    digest = digest_of(plan.digest.encode(), *(name.encode() for name in uris))
    return _write_move(before, step, digest, uris, store, plan.kms_key)


def run_step(item: Mapping[str, Any], store: ObjectStore, plan_steps: PlanSteps) -> str:
    """One step on one shard; returns the shard's name. Does nothing if the result is there.

    Raises `StorageError` and whatever the job type raises; the problem is also written beside
    where the result would be, as far as the store takes it.
    """
    folder, name = f"{item['work']}/{item['folder']}", str(item["shard"])
    if _exists(store, f"{folder}/{name}{TOTALS_END}"):
        return name
    kms_key = None
    try:
        plan = Plan.from_json(store.read(f"{item['work']}/{PLAN}"))
        kms_key = plan.kms_key
        result = _run(item, plan, store, plan_steps)
        _write(store, f"{folder}/{name}{STATE_END}", pack(result.state), ARRAYS_TYPE, kms_key)
        counted = {**result.totals, _CHANGE: np.array(result.change)}
        _write(store, f"{folder}/{name}{TOTALS_END}", pack(counted), ARRAYS_TYPE, kms_key)
    except Exception as error:
        with suppress(GroundTruthError):  # the first error says more
            note_failure(item, f"{type(error).__name__}: {error}", store, kms_key=kms_key)
        raise
    return name


def note_failure(
    item: Mapping[str, Any], problem: str, store: ObjectStore, *, kms_key: str | None = None
) -> None:
    """Keep why a step on a shard failed, for `finish_step` to name; raises `StorageError`."""
    name = str(item["shard"])
    uri = f"{item['work']}/{item['folder']}/{name}{ERROR_END}"
    body = json.dumps({"shard": name, "problem": problem}).encode()
    _write(store, uri, body, JSON_TYPE, kms_key)


_CHANGE = "_change"


def _run(
    item: Mapping[str, Any], plan: Plan, store: ObjectStore, plan_steps: PlanSteps
) -> StepResult:
    state: Arrays = {}
    totals: Arrays = {}
    if item["before"]:
        before = f"{item['work']}/{item['before']}"
        state = unpack(store.read(f"{before}/{item['shard']}{STATE_END}"))
        totals = unpack(store.read(f"{before}/{TOTALS}"))
    body = store.read(str(item["uri"]))
    return plan_steps(plan).run(str(item["step"]), body, state, totals, store)


def finish_step(
    move: Mapping[str, Any], store: ObjectStore, plan_steps: PlanSteps
) -> dict[str, Any]:
    """Add up what the shards of a step counted, and return the next move.

    A shard without a result has failed and has no part in the steps that follow.

    Raises
    ------
    ShardsFailedError
        If more failed than the plan tolerates, or all.
    """
    work, folder = str(move["work"]), f"{move['work']}/{move['folder']}"
    plan = Plan.from_json(store.read(f"{work}/{PLAN}"))
    there = {uri.rpartition("/")[2] for uri in store.list(f"{folder}/")}
    items = json.loads(store.read(f"{folder}/{ITEMS}"))
    uris = {str(item["shard"]): str(item["uri"]) for item in items}
    done = {name: uri for name, uri in uris.items() if f"{name}{TOTALS_END}" in there}
    totals, change = _add_up((f"{folder}/{name}{TOTALS_END}" for name in done), store)
    failed = [
        _find_failure(name, folder, store, f"{name}{ERROR_END}" in there)
        for name in uris
        if name not in done
    ]
    # Those that said why come first: there may be more than are shown.
    failed.sort(key=lambda item: item["problem"] == UNTOLD)
    failures = [*move["failures"], *failed][:SHOWN]
    n_failed = int(move["failed"]) + len(failed)
    if n_failed > move["tolerated"] or not done:
        told = "; ".join(f"{item['shard']}: {item['problem']}" for item in failures)
        n_shards = int(move["shards"]) + int(move["failed"])
        raise ShardsFailedError(f"{n_failed} of {n_shards} shards failed: {told}")
    body = pack(totals)
    _write(store, f"{folder}/{TOTALS}", body, ARRAYS_TYPE, plan.kms_key)
    step = plan_steps(plan).next_step(move["step"], move["number"], change)
    move = {**move, "failed": n_failed, "failures": failures}
    if step is None:
        move = {**move, "done": True}
    else:
        digest = digest_of(plan.digest.encode(), body)
        move = _write_move(move, step, digest, done, store, plan.kms_key)
    before = items[0]["before"]
    if before and not n_failed:
        with suppress(StorageError):  # it harms nobody if it stays
            store.remove(f"{work}/{before}/{name}{STATE_END}" for name in uris)
    return move


UNTOLD = "stopped without saying why (killed, or out of time)"

READERS, READ_AT_ONCE = 16, 64


def _add_up(uris: Iterable[str], store: ObjectStore) -> tuple[dict[str, Any], float]:
    """Sum of what shards counted, in their order, and the largest change."""
    totals: dict[str, Any] | None = None
    change = 0.0
    with ThreadPoolExecutor(READERS) as pool:
        for some in batched(uris, READ_AT_ONCE):  # what is read ahead is bounded
            for body in pool.map(store.read, some):
                counted = unpack(body)
                change = max(change, float(counted.pop(_CHANGE)))
                totals = add(totals, counted)
    return totals or {}, change


def _find_failure(name: str, folder: str, store: ObjectStore, is_told: bool) -> dict[str, str]:
    if is_told:
        told: dict[str, str] = json.loads(store.read(f"{folder}/{name}{ERROR_END}"))
        return told
    return {"shard": name, "problem": UNTOLD}


def _write_move(
    before: Mapping[str, Any],
    step: str,
    digest: str,
    uris: Mapping[str, str],
    store: ObjectStore,
    kms_key: str | None,
) -> dict[str, Any]:
    """Write the items of a step, and return its move; `uris` are those of the shards' files."""
    work, number = str(before["work"]), int(before["number"]) + 1
    folder = f"{number:02}-{step}-{digest}"
    known = {"work": work, "folder": folder, "before": before["folder"], "step": step}
    items = [{**known, "shard": name, "uri": uri} for name, uri in uris.items()]
    _write(store, f"{work}/{folder}/{ITEMS}", json.dumps(items).encode(), JSON_TYPE, kms_key)
    bucket, _, key = work.removeprefix("s3://").partition("/")
    return {
        "work": work,
        "step": step,
        "number": number,
        "folder": folder,
        "items": {"bucket": bucket, "key": f"{key}/{folder}/{ITEMS}"},
        "shards": len(uris),
        "failed": before["failed"],
        "tolerated": before["tolerated"],
        "failures": before["failures"],
        "done": False,
    }


def _write(store: ObjectStore, uri: str, body: bytes, kind: str, kms_key: str | None) -> None:
    store.write(uri, body, content_type=kind, kms_key=kms_key)


def _exists(store: ObjectStore, uri: str) -> bool:
    try:
        store.modified(uri)
    except StorageError as error:
        # S3 denies access to what is not there to who may not list the whole bucket.
        if error.reason not in ("not-found", "access-denied"):
            raise
        return False
    return True
