"""Work on an engine: handed out a little at a time, and tried again where that may help.

What fails is tried three times, with growing pauses of random length. The last attempt is made when
all else is done and nothing else runs: whatever the others took from it, memory of the machine or
requests to S3, it then has for itself. So work that kills its worker each time is known by name,
and has kept none of the others from being done.
"""

from __future__ import annotations

import heapq
import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any, Generic, TypeVar

from groundtruth.errors import StorageError
from groundtruth.sharding.plan import Plan
from groundtruth.sharding.steps import (
    ITEMS,
    PLAN,
    TOTALS_END,
    PlanSteps,
    begin,
    finish_step,
    note_failure,
    run_step,
)
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks import registry
from labeljob.engines.executors import Engine
from labeljob.engines.worker import Failure, attempt
from labeljob.jobs.description import JobError

Item = TypeVar("Item")
Result = TypeVar("Result")

ATTEMPTS = 3
PAUSE = 1.0
"""Seconds before the second attempt, on average; twice as many before the third."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a step is.

    Attributes
    ----------
    step : str
        Its name, such as ``"round"``.
    number : int
        How many steps came before it.
    shards, n_shards : int
        How many shards are done, and how many there are.
    objects, n_objects : int
        How many data objects these have.
    """

    step: str
    number: int
    shards: int
    n_shards: int
    objects: int
    n_objects: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What `run_plan` leaves.

    Attributes
    ----------
    folder : str
        S3 URI of the last step's folder: a shard's labels are in its
        ``<folder>/<shard>.state.safetensors``.
    n_steps : int
        How many steps there were.
    failures : dict of str to str
        Names of the shards without labels, and why.
    """

    folder: str
    n_steps: int
    failures: dict[str, str]


def run_plan(
    plan: Plan,
    work: str,
    store: ObjectStore,
    engine: Engine,
    *,
    plan_steps: PlanSteps = registry.plan_steps,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Consolidate all shards of a plan; what an earlier run did is not done again.

    Interrupted at any moment, it goes on there the next time.

    Parameters
    ----------
    plan : Plan
        With its shards, whose files are in the store.
    work : str
        S3 URI of the folder that intermediate results go to, without a slash at its end.
    store : ObjectStore
        Has all of these; it goes to the workers, which must reach the same objects by it.
    engine : Engine
        Where shards are consolidated.
    plan_steps : callable, optional
        Finds the job type's steps; a function of a module, which goes to the workers.
    report : callable, optional
        Is told how far a step is: when it begins, and after each shard.

    Raises
    ------
    ShardsFailedError
        If more shards failed than the plan tolerates, or all; the text names some.
    StorageError
        If the work folder cannot be read or written here.
    JobError
        If workers on other machines cannot read it, or have another version.
    """
    move = begin(plan, work, store, plan_steps)
    if engine.is_remote:
        _check_workers(engine, store, f"{work}/{PLAN}")
    run = partial(run_step, store=store, plan_steps=plan_steps)
    sizes = {shard.name: shard.n_objects for shard in plan.shards}
    failures: dict[str, str] = {}
    while not move["done"]:
        folder = f"{work}/{move['folder']}"
        items = json.loads(store.read(f"{folder}/{ITEMS}"))
        names = {uri.rpartition("/")[2] for uri in store.list(f"{folder}/")}
        left = [item for item in items if f"{item['shard']}{TOTALS_END}" not in names]
        is_left = {item["shard"] for item in left}
        done = [sizes[item["shard"]] for item in items if item["shard"] not in is_left]
        progress = Progress(
            step=str(move["step"]),
            number=int(move["number"]),
            shards=len(done),
            n_shards=len(items),
            objects=sum(done),
            n_objects=sum(sizes[item["shard"]] for item in items),
        )
        report(progress)
        for number, result in _complete(engine.suited_to(len(sizes)), run, left):
            name = left[number]["shard"]
            if isinstance(result, Failure):
                failures[name] = result.problem
                if result.worker_died:
                    note_failure(left[number], result.problem, store, kms_key=plan.kms_key)
                continue
            progress = replace(
                progress, shards=progress.shards + 1, objects=progress.objects + sizes[name]
            )
            report(progress)
        move = finish_step(move, store, plan_steps)
    return Outcome(folder=f"{work}/{move['folder']}", n_steps=move["number"] + 1, failures=failures)


def map_chunks(
    engine: Engine,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    advance: Callable[[], object] = lambda: None,
) -> list[Result]:
    """What a function returns for each item, in the order of the items.

    Parameters
    ----------
    engine : Engine
        Where it is called.
    function : callable
        Of a module, or a `functools.partial` of one; calling it twice does no harm.
    items : sequence
        What it is called with; small, as each goes to a worker.
    advance : callable, optional
        Is called after each item.

    Raises
    ------
    GroundTruthError
        If the function raised one, with its text, or a worker died at the same item each time.
    RuntimeError
        If the function raised anything else; the text has the traceback.
    """
    results: dict[int, Result] = {}
    for number, result in iter_chunks(engine, function, items):
        results[number] = result
        advance()
    return [results[number] for number in range(len(items))]


def iter_chunks(
    engine: Engine, function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[tuple[int, Result]]:
    """The number of each item with what a function returns for it, as they come.

    The parameters and errors are those of `map_chunks`.
    """
    for number, result in _complete(engine.suited_to(len(items)), function, items):
        if isinstance(result, Failure):
            if result.trace:
                raise RuntimeError(result.trace)
            raise JobError(result.problem)
        yield number, result


@dataclass(kw_only=True)
class _Work(Generic[Item]):
    number: int
    item: Item
    attempts: int = 0


def _complete(
    engine: Engine, function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[tuple[int, Result | Failure]]:
    """The number of each item with its result, or with its last failure, as they come."""
    new = deque(_Work(number=number, item=item) for number, item in enumerate(items))
    paused: list[tuple[float, int, _Work[Item]]] = []
    last: deque[_Work[Item]] = deque()
    running: dict[Future[Result | Failure], _Work[Item]] = {}

    def submit(work: _Work[Item]) -> None:
        work.attempts += 1
        running[engine.executor.submit(attempt, function, work.item)] = work

    try:
        while new or paused or last or running:
            while len(running) < engine.at_once and (new or _is_due(paused)):
                submit(heapq.heappop(paused)[2] if _is_due(paused) else new.popleft())
            pause = max(0.0, paused[0][0] - time.monotonic()) if paused else None
            if not running and pause is not None:
                time.sleep(pause)
                continue
            if not running:
                time.sleep(_pause(ATTEMPTS - 1))
                submit(last.popleft())
            if len(running) == engine.at_once:
                pause = None  # nothing can be handed out before something is done
            for future in wait(running, pause, FIRST_COMPLETED).done:
                work = running.pop(future)
                result = _result(future)
                if not isinstance(result, Failure) or not result.may_pass:
                    yield work.number, result
                elif work.attempts < ATTEMPTS - 1:
                    due = time.monotonic() + _pause(work.attempts)
                    heapq.heappush(paused, (due, work.number, work))
                elif work.attempts < ATTEMPTS:
                    last.append(work)
                else:
                    yield work.number, result
    finally:
        for future in running:
            future.cancel()


def _is_due(paused: list[tuple[float, int, _Work[Any]]]) -> bool:
    return bool(paused) and paused[0][0] <= time.monotonic()


def _result(future: Future[Result | Failure]) -> Result | Failure:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 (each engine has errors of its own for a dead worker)
        problem = f"its process died: killed, or out of memory ({type(error).__name__})"
        return Failure(problem=problem, worker_died=True)


def _pause(attempts: int) -> float:
    return random.uniform(0.5, 1.5) * PAUSE * 2.0 ** (attempts - 1)


def _check_workers(engine: Engine, store: ObjectStore, uri: str) -> None:
    """Find out before all else that workers elsewhere reach the same files by the same code."""
    try:
        problem = engine.executor.submit(_find_problem, store, uri, _version()).result()
    except Exception as error:  # noqa: BLE001 (whatever their Python says)
        problem = f"cannot run labeljob ({type(error).__name__}: {error})"
    if problem:
        raise JobError(f"the cluster's workers {problem}")


def _find_problem(store: ObjectStore, uri: str, version: str) -> str:
    if _version() != version:
        return f"have version {_version()} of labeljob; install {version}, which is here"
    try:
        store.read(uri)
    except StorageError as error:
        return (
            f"cannot read the work folder ({error}): "
            "use an --output in S3, or in a folder that all machines share"
        )
    return ""


def _version() -> str:
    return version("groundtruth-consolidation")
