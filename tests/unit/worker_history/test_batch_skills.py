from datetime import UTC, datetime

import pytest

from groundtruth.worker_history.memory import MemorySkills
from groundtruth.worker_history.store import BatchSkills, SkillKey, SkillStoreError

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEY = SkillKey("image-classification", ("crab", "star"), 0.0)
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
    later = skills_of(store, "second").history(["ann", "ben"])
    assert later == {"ann": {"0:0": 1.0}, "ben": {}}


def test_an_object_of_a_job_counts_once_and_that_of_another_job_again():
    store = MemorySkills()
    for job in ("arn:job", "arn:job", "arn:other"):
        skills_of(store, job=job).update_counts(TAUGHT)
    assert skills_of(store, "last").history(["ann"]) == {"ann": {"0:0": 2.0}}


@pytest.mark.parametrize("skills", [BatchSkills.none(), skills_of(None)])
def test_without_a_store_nothing_is_known_and_nothing_kept(skills):
    assert skills.history(["ann"]) == {"ann": {}}
    skills.update_counts(TAUGHT)
    assert skills.note == ""


def test_a_store_is_asked_for_nobody_and_told_nothing_in_vain():
    store = FailingSkills("history", "learn")
    skills = skills_of(store)
    assert skills.history([]) == {}
    skills.update_counts({"7": {}})
    skills.update_counts({})
    assert (store.calls, skills.note) == ([], "")


def test_a_store_that_cannot_be_read_is_not_taught():
    store = FailingSkills("history")
    skills = skills_of(store)
    assert skills.history(["ann"]) == {"ann": {}}
    skills.update_counts(TAUGHT)
    assert store.calls == ["history"]
    assert skills.note == "worker skill was not read (throttled): too many requests"


def test_a_store_that_cannot_be_taught_leaves_a_note():
    skills = skills_of(FailingSkills("learn"))
    assert skills.history(["ann"]) == {"ann": {}}
    skills.update_counts(TAUGHT)
    assert skills.note == "worker skill was not kept (refused): no permission"


def test_a_programmer_s_mistake_is_not_hidden():
    class Mistaken(MemorySkills):
        def update_counts(self, key, **given):
            raise ValueError("a cell is empty")

    with pytest.raises(ValueError, match="a cell is empty"):
        skills_of(Mistaken()).update_counts(TAUGHT)
