from datetime import UTC, datetime

import pytest

from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import (
    ALL_WORKERS,
    BatchSkills,
    SkillKey,
    SkillStoreError,
    indices_below,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEY = SkillKey("image-classification", ("crab", "star"), 0.0)
IS_CELL = indices_below(2, 2)
TAUGHT = {"7": {"ann": {"0:0": 1.0}}}


class FailingSkills(MemorySkills):
    """A store of which one method, or both, fail."""

    def __init__(self, *failing):
        super().__init__()
        self.failing = failing
        self.calls = []

    def history(self, key, **asked):
        self.calls.append("history")
        if "history" in self.failing:
            raise SkillStoreError("too many requests", reason="throttled")
        return super().history(key, **asked)

    def update_counts(self, key, **given):
        self.calls.append("learn")
        if "learn" in self.failing:
            raise SkillStoreError("no permission", reason="refused")
        super().update_counts(key, **given)


def skills_of(store, batch_id="first", job="arn:job"):
    return BatchSkills(store=store, key=KEY, batch_id=batch_id, job=job, made_at=NOW)


def test_what_one_batch_teaches_the_next_one_knows():
    store = MemorySkills()
    skills_of(store).update_counts(TAUGHT)
    later = skills_of(store, "second").history(["ann", "ben"], is_cell=IS_CELL)
    assert later == {"ann": {"0:0": 1.0}, "ben": {}}


def test_an_object_of_a_job_counts_once_and_that_of_another_job_again():
    store = MemorySkills()
    for job in ("arn:job", "arn:job", "arn:other"):
        skills_of(store, job=job).update_counts(TAUGHT)
    assert skills_of(store, "last").history(["ann"], is_cell=IS_CELL) == {"ann": {"0:0": 2.0}}


@pytest.mark.parametrize("skills", [BatchSkills.none(), skills_of(None)])
def test_without_a_store_nothing_is_known_and_nothing_kept(skills):
    assert skills.history(["ann"], is_cell=IS_CELL) == {"ann": {}}
    skills.update_counts(TAUGHT)
    assert skills.note == ""


def test_a_store_is_asked_for_nobody_and_told_nothing_in_vain():
    store = FailingSkills("history", "learn")
    skills = skills_of(store)
    assert skills.history([], is_cell=IS_CELL) == {}
    skills.update_counts({"7": {}})
    skills.update_counts({})
    assert (store.calls, skills.note) == ([], "")


def test_a_store_that_cannot_be_read_is_not_taught():
    store = FailingSkills("history")
    skills = skills_of(store)
    assert skills.history(["ann"], is_cell=IS_CELL) == {"ann": {}}
    skills.update_counts(TAUGHT)
    assert store.calls == ["history"]
    assert skills.note == "worker skill was not read (throttled): too many requests"


def test_a_store_that_cannot_be_taught_leaves_a_note():
    skills = skills_of(FailingSkills("learn"))
    assert skills.history(["ann"], is_cell=IS_CELL) == {"ann": {}}
    skills.update_counts(TAUGHT)
    assert skills.note == "worker skill was not kept (refused): no permission"


@pytest.mark.parametrize("method", ["history", "update_counts"])
def test_a_store_that_fails_in_a_way_nobody_foresaw_fails_no_batch(method):
    def fail(*_, **__):
        raise ValueError("no cell")

    store = MemorySkills()
    setattr(store, method, fail)
    skills = skills_of(store)
    assert skills.history(["ann"], is_cell=IS_CELL) == {"ann": {}}
    skills.update_counts(TAUGHT)
    verb = "read" if method == "history" else "kept"
    assert skills.note == f"worker skill was not {verb} (damaged): ValueError: no cell"


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("0:7", 1.0), ("0;1", 1.0), ("x", 1.0), ("0:1", -1.0), ("0:1", float("nan")), ("0:1", 1e300)],
)
def test_damaged_cells_are_left_out_and_the_others_counted(cell, amount):
    store = MemorySkills()
    store.history = lambda *_, **__: {"ann": {"0:0": 2.0, cell: amount}}
    skills = skills_of(store)
    assert skills.history(["ann"], is_cell=IS_CELL) == {"ann": {"0:0": 2.0}}
    assert skills.note == "damaged counts of worker skill were left out: 1"


def test_only_the_record_of_all_workers_has_its_cells():
    store = MemorySkills()
    cells = {"0:0": 1.0, "hits": 2.0}
    skills_of(store).update_counts({"7": {"ann": cells, ALL_WORKERS: cells}})
    later = skills_of(store, "second")
    known = later.history(["ann", ALL_WORKERS], is_cell=IS_CELL, shared={ALL_WORKERS: {"hits"}})
    assert known == {"ann": {"0:0": 1.0}, ALL_WORKERS: cells}
    assert later.note == "damaged counts of worker skill were left out: 1"
