"""What every store of worker skill does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from groundtruth.worker_history.store import SkillKey

pytestmark = pytest.mark.slow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEY = SkillKey("image-multi-class", ("crab", "urchin", "star"))
DECAYING = SkillKey("image-multi-class", ("crab", "urchin", "star"), 30.0)


def known(store, *workers, key=KEY, at=NOW, batch=None):
    known.batches += 1
    return store.history(key, batch_id=batch or f"batch-{known.batches}", workers=workers, at=at)


known.batches = 0


def test_of_a_stranger_nothing_is_known(store):
    assert known(store, "ann", "bob") == {"ann": {}, "bob": {}}


def test_nobody_may_be_asked_for(store):
    assert known(store) == {}


def test_what_was_learned_adds_up(new_store):
    first = {"1": {"ann": {"0:0": 0.75, "1:0": 0.25}}, "2": {"ann": {"0:0": 1}, "bob": {"2:2": 1}}}
    new_store().update_counts(KEY, job="j", updates=first, at=NOW)
    new_store().update_counts(KEY, job="j", updates={"3": {"ann": {"1:0": 0.5}}}, at=NOW)
    assert known(new_store(), "bob", "ann", "bob", "eve") == {
        "ann": {"0:0": 1.75, "1:0": 0.75},
        "bob": {"2:2": 1.0},
        "eve": {},
    }


@pytest.mark.parametrize("key", [KEY, DECAYING], ids=["no-decay", "decay"])
def test_an_object_of_a_job_counts_once(new_store, key):
    whole = {str(n): {"ann": {"0:0": 1.0}} for n in range(6)}
    half = {str(n): {"ann": {"0:0": 1.0}} for n in range(3, 9)}
    for updates in (whole, whole, half, half | whole):
        new_store().update_counts(key, job="j", updates=updates, at=NOW)
    assert known(new_store(), "ann", key=key) == {"ann": {"0:0": 9.0}}


def test_the_first_to_teach_an_object_counts(store):
    store.update_counts(KEY, job="j", updates={"1": {"ann": {"0:0": 1.0}}}, at=NOW)
    store.update_counts(KEY, job="j", updates={"1": {"bob": {"0:0": 1.0}}}, at=NOW)
    assert known(store, "ann", "bob") == {"ann": {"0:0": 1.0}, "bob": {}}


def test_an_object_that_taught_nothing_may_teach_later(store):
    for worker in ({}, {"ann": {}}, {"ann": {"0:0": 0.0}}, {"ann": {"0:0": 1.0}}):
        store.update_counts(KEY, job="j", updates={"1": worker}, at=NOW)
    assert known(store, "ann") == {"ann": {"0:0": 1.0}}


def test_jobs_keys_and_objects_are_told_apart(store):
    updates = {"1": {"ann": {"0:0": 1.0}}}
    store.update_counts(KEY, job="a", updates=updates, at=NOW)
    store.update_counts(KEY, job="b", updates=updates, at=NOW)
    other = SkillKey(KEY.task, tuple(reversed(KEY.classes)))
    store.update_counts(other, job="a", updates=updates, at=NOW)
    assert known(store, "ann") == {"ann": {"0:0": 2.0}}
    assert known(store, "ann", key=other) == {"ann": {"0:0": 1.0}}


def test_a_batch_gets_the_same_history_for_ever(new_store):
    store = new_store()
    store.update_counts(KEY, job="j", updates={"1": {"ann": {"0:0": 1.0}}}, at=NOW)
    before = known(store, "ann", "bob", batch="payload")
    store.update_counts(KEY, job="j", updates={"2": {"ann": {"0:0": 1.0}}}, at=NOW)
    assert known(new_store(), "bob", "ann", batch="payload") == before
    assert known(new_store(), "ann", batch="another") == {"ann": {"0:0": 2.0}}
    assert known(new_store(), "ann", batch="payload", key=DECAYING) == {"ann": {}}


def test_a_batch_that_comes_twice_at_once_gets_one_history(new_store):
    stores = [new_store() for _ in range(8)]

    def ask(number):
        batch = f"payload-{number // 8}"
        history = known(stores[number % 8], "ann", batch=batch)
        stores[number % 8].update_counts(
            KEY, job="j", updates={str(number): {"ann": {"0:0": 1.0}}}, at=NOW
        )
        return batch, history["ann"].get("0:0", 0.0)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(64)))
    assert len(set(answers)) == 8
    assert known(stores[0], "ann") == {"ann": {"0:0": 64.0}}


def test_amounts_halve_with_each_half_life(store):
    first = {"1": {"ann": {"0:0": 8.0, "0:1": 1e-6}}}
    store.update_counts(DECAYING, job="j", updates=first, at=NOW)
    second, later = {"2": {"ann": {"0:0": 1.0}}}, NOW + timedelta(days=60)
    store.update_counts(DECAYING, job="j", updates=second, at=later)
    at = NOW + timedelta(days=90)
    assert known(store, "ann", key=DECAYING, at=at) == {"ann": {"0:0": 1.5}}


def test_what_is_learned_later_is_not_worth_more(store):
    updates = {"1": {"ann": {"0:0": 3.0, "0:1": 1.0}}}
    store.update_counts(DECAYING, job="j", updates=updates, at=NOW)
    earlier = NOW - timedelta(days=90)
    assert known(store, "ann", key=DECAYING, at=earlier) == updates["1"]


def test_amounts_survive_the_change_of_an_era(store):
    key = SkillKey("t", (), 0.5)
    start = datetime(2018, 1, 1, tzinfo=UTC) + 50 * timedelta(days=32)
    for n, hours in enumerate((-12, 0)):
        at = start + timedelta(hours=hours)
        store.update_counts(key, job="j", updates={str(n): {"ann": {"n": 1.0}}}, at=at)
    assert known(store, "ann", key=key, at=start) == {"ann": {"n": 1.5}}
    later = start + timedelta(days=1)
    assert known(store, "ann", key=key, at=later) == {"ann": {"n": 0.375}}


def test_threads_lose_nothing_and_count_nothing_twice(new_store):
    stores = [new_store() for _ in range(8)]

    def teach(number):
        objects = range(number * 4, number * 4 + 8)  # each object is taught by two calls
        updates = {
            str(n): {f"w{(n + m) % 5}": {f"{m}:é": 0.1, "n": 1.0} for m in range(3)}
            for n in objects
        }
        stores[number % 8].update_counts(DECAYING, job="j", updates=updates, at=NOW)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(teach, range(24)))
    totals = known(stores[0], *(f"w{n}" for n in range(5)), key=DECAYING)
    assert sum(cells["n"] for cells in totals.values()) == 100 * 3
    for m in range(3):
        assert sum(cells[f"{m}:é"] for cells in totals.values()) == pytest.approx(10, abs=1e-5)


@pytest.mark.parametrize(
    "name", ["工人 7", "a#b", "#", "ß" * 900, "tab\there", "sha256:x", "\ud800", "", "=", "🦀"]
)
def test_workers_objects_jobs_and_batches_may_have_any_name(store, name):
    updates = {name: {name: {"0:0": 1.0}, f"{name}#0": {"0:0": 2.0}}}
    for _ in range(2):
        store.update_counts(KEY, job=name, updates=updates, at=NOW)
    assert known(store, name, batch=f"payload {name}") == {name: {"0:0": 1.0}}


@pytest.mark.parametrize(
    "cell", ["pk", "sk", "expires", "=", "n", "crab:蟹:🦀", "#0", ":0", "x" * 255]
)
def test_cells_may_have_any_name(store, cell):
    store.update_counts(KEY, job="j", updates={"1": {"ann": {cell: 1.5}}}, at=NOW)
    assert known(store, "ann") == {"ann": {cell: 1.5}}


@pytest.mark.parametrize(
    ("objects", "workers", "cells"),
    [
        pytest.param(120, 3, 1, id="objects"),
        pytest.param(1, 120, 1, id="workers"),
        pytest.param(1, 2, 230, id="cells"),
    ],
)
def test_a_batch_may_be_large(store, objects, workers, cells):
    names = [f"w{n}" for n in range(workers)]
    amounts = {f"{n}:{n}": 0.5 for n in range(cells)}
    updates = {str(n): dict.fromkeys(names, amounts) for n in range(objects)}
    for _ in range(2):
        store.update_counts(DECAYING, job="j", updates=updates, at=NOW)
    expected = dict.fromkeys(amounts, objects / 2)
    assert known(store, *names, key=DECAYING) == dict.fromkeys(names, expected)


@pytest.mark.parametrize("amount", [-0.5, float("nan"), float("inf"), 1e10])
def test_an_amount_that_is_none_is_a_mistake(store, amount):
    with pytest.raises(ValueError, match="an amount is from 0"):
        store.update_counts(KEY, job="j", updates={"1": {"ann": {"0:0": amount}}}, at=NOW)


@pytest.mark.parametrize("cell", ["", "x" * 256])
def test_a_cell_without_a_proper_name_is_a_mistake(store, cell):
    with pytest.raises(ValueError, match="a cell has from 1 to 255 bytes"):
        store.update_counts(KEY, job="j", updates={"1": {"ann": {cell: 1.0}}}, at=NOW)
