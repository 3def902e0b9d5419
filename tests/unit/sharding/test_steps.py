"""Steps on shards: what is added up, what is not made twice, and what fails."""

import json
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest

from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.settings import Settings
from groundtruth.sharding.arrays import pack, unpack
from groundtruth.sharding.plan import Plan, Shard, digest_of
from groundtruth.sharding.steps import (
    STATE_END,
    ShardsFailedError,
    StepResult,
    begin,
    finish_step,
    run_step,
)
from tests.memory_store import MemoryStore

pytestmark = pytest.mark.fast

WORK = "s3://bucket/work"


class Shares:
    """Two steps: count numbers, then divide by the count of all."""

    def __init__(self):
        self.runs = []

    def run(self, step, shard, state, totals, store):
        numbers = np.frombuffer(shard, dtype=np.uint8)
        self.runs.append((step, shard))
        if shard.endswith(b"!"):
            raise GroundTruthError("the shard ends with !")
        if step == "count":
            return StepResult(totals={"n": np.array(numbers.size)}, state={"first": numbers[:1]})
        return StepResult(state={"share": numbers / totals["n"], "first": state["first"]})

    def next_step(self, step, number, change):
        return {"": "count", "count": "divide", "divide": None}[step]


class Sums(Shares):
    """Four steps, each of which needs what the one before left and counted."""

    def run(self, step, shard, state, totals, store):
        self.runs.append((step, shard))
        if shard.endswith(b"!"):
            raise GroundTruthError("the shard ends with !")
        own = state["n"] + totals["n"] if step != "0" else np.array(len(shard))
        return StepResult(totals={"n": own}, state={"n": own})

    def next_step(self, step, number, change):
        return str(number + 1) if number < 3 else None


class Interrupted(MemoryStore):
    """Is stopped before it changes anything for the nth time."""

    left = 0

    def write(self, uri, body, **options):
        self.count()
        super().write(uri, body, **options)

    def remove(self, uris):
        for uri in uris:
            self.count()
            super().remove([uri])

    def count(self):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


class OnlyOwnPrefix(MemoryStore):
    """S3 for a role that may not list the whole bucket: what is absent is denied."""

    def modified(self, uri):
        try:
            return super().modified(uri)
        except StorageError as error:
            raise StorageError("Forbidden", uri=uri, reason="access-denied") from error


def plan_of(store, *bodies, tolerated=0.5, kms_key=None):
    shards = []
    for at, body in enumerate(bodies):
        name = f"{at:05}-{digest_of(body)}"
        store.objects[f"{WORK}/shards/{name}"] = body
        uri = f"{WORK}/shards/{name}"
        shards.append(Shard(name=name, uri=uri, n_objects=len(body), n_answers=len(body)))
    return Plan(
        task="shares",
        settings=Settings(),
        classes=(),
        n_workers=0,
        job_name="labeling-job/x",
        made_at="2026-11-29T00:00:00+00:00",
        kms_key=kms_key,
        tolerated_failures=tolerated,
        options={},
        shards=tuple(shards),
    )


def run_all(store, move, steps):
    for item in json.loads(store.objects[f"{move['work']}/{move['folder']}/items.json"]):
        with suppress(GroundTruthError):
            run_step(item, store, lambda plan: steps)


def consolidate(plan, store, steps):
    move = begin(plan, WORK, store, lambda plan: steps)
    while not move["done"]:
        run_all(store, move, steps)
        move = finish_step(move, store, lambda plan: steps)
    return move


@pytest.mark.parametrize("store", [MemoryStore(), OnlyOwnPrefix()], ids=["memory", "prefix-only"])
def test_a_step_is_given_what_all_shards_counted(store):
    plan = plan_of(store, b"abc", b"d")
    move = consolidate(plan, store, Shares())
    first, second = (
        unpack(store.objects[f"{WORK}/{move['folder']}/{shard.name}{STATE_END}"])
        for shard in plan.shards
    )
    np.testing.assert_allclose(first["share"], np.array([97, 98, 99]) / 4)
    assert (first["first"], second["first"]) == (97, 100)


def test_a_result_that_exists_is_not_computed_again():
    store, steps = MemoryStore(), Shares()
    plan = plan_of(store, b"abc", b"d")
    once = consolidate(plan, store, steps)
    assert consolidate(plan, store, steps) == once
    assert len(steps.runs) == 4


def test_a_shard_that_fails_is_named_and_the_others_are_done():
    store, steps = MemoryStore(), Shares()
    plan = plan_of(store, b"abc", b"bad!", b"d")
    move = consolidate(plan, store, steps)
    (failure,) = move["failures"]
    assert failure["shard"] == plan.shards[1].name
    assert failure["problem"] == "GroundTruthError: the shard ends with !"
    assert (move["failed"], move["shards"], move["done"]) == (1, 2, True)
    totals = unpack(store.objects[f"{WORK}/{move['folder']}/totals.safetensors"])
    assert totals == {}


def states_of(store):
    """How many states each step has left."""
    names = (uri.removeprefix(f"{WORK}/") for uri in store.objects if uri.endswith(STATE_END))
    return dict(sorted(Counter(int(name[:2]) for name in names).items()))


def test_a_state_is_removed_once_nobody_needs_it():
    store, steps = MemoryStore(), Sums()
    move = begin(plan_of(store, b"abc", b"d"), WORK, store, lambda plan: steps)
    for expected in ({0: 2}, {1: 2}, {2: 2}, {3: 2}):
        run_all(store, move, steps)
        assert states_of(store).items() >= expected.items()
        move = finish_step(move, store, lambda plan: steps)
        assert states_of(store) == expected
    assert move["done"]


def test_a_shard_that_failed_finds_what_the_others_left():
    store, steps = MemoryStore(), Sums()
    plan = plan_of(store, b"abc", b"d", b"ef!")
    store.objects[plan.shards[2].uri] = b"ef "
    move = begin(plan, WORK, store, lambda plan: steps)
    run_all(store, move, steps)
    move = finish_step(move, store, lambda plan: steps)
    store.objects[plan.shards[2].uri] = b"ef!"
    while not move["done"]:
        run_all(store, move, steps)
        move = finish_step(move, store, lambda plan: steps)
    assert move["failed"] == 1
    assert states_of(store) == {0: 3, 1: 2, 2: 2, 3: 2}
    store.objects[plan.shards[2].uri] = b"ef "
    move = consolidate(plan, store, steps)
    assert move["failed"] == 0
    totals = unpack(store.objects[f"{WORK}/{move['folder']}/totals.safetensors"])
    assert totals["n"] == (3 + 1 + 3) * 4**3


def test_a_run_that_is_interrupted_anywhere_gives_the_same():
    whole = MemoryStore()
    expected = consolidate(plan_of(whole, b"abc", b"d"), whole, Sums())
    left, is_interrupted = 0, True
    while is_interrupted:
        left += 1
        store, steps = Interrupted(), Sums()
        plan = plan_of(store, b"abc", b"d")
        store.left = left
        try:
            consolidate(plan, store, steps)
        except KeyboardInterrupt:
            move = consolidate(plan, store, steps)
            assert len(steps.runs) <= 8 + 1
        else:
            is_interrupted = False
        assert move == expected
        assert store.objects == whole.objects
    assert left > 2 * 4 * 2


def test_other_shards_begin_anew():
    store, steps = MemoryStore(), Sums()
    consolidate(plan_of(store, b"abc", b"d"), store, steps)
    move = consolidate(plan_of(store, b"abc", b"de"), store, steps)
    assert move["failed"] == 0


def test_shards_without_a_word_come_after_those_that_said_why():
    store, steps = MemoryStore(), Shares()
    plan = plan_of(store, b"abc", b"bad!", tolerated=0)
    move = begin(plan, WORK, store, lambda plan: steps)
    items = json.loads(store.objects[f"{WORK}/{move['folder']}/items.json"])
    with pytest.raises(GroundTruthError):
        run_step(items[1], store, lambda plan: steps)
    with pytest.raises(ShardsFailedError, match=r"^2 of 2 shards failed: 00001.*; 00000.*killed"):
        finish_step(move, store, lambda plan: steps)


def test_everything_is_written_with_the_plans_key():
    store = MemoryStore()
    consolidate(plan_of(store, b"abc", kms_key="key"), store, Shares())
    assert {item.kms_key for item in store.written.values()} == {"key"}


def test_packed_arrays_are_the_same_bytes_in_any_order():
    arrays = {"b": np.arange(3), "a": np.array(1.5)}
    assert pack(arrays) == pack(dict(reversed(arrays.items())))
