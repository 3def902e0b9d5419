from datetime import UTC, datetime

import pytest

from groundtruth.worker_history.batch import ForgivingSkills
from groundtruth.worker_history.memory import MemorySkills
from groundtruth.worker_history.store import History, SkillKey, SkillStoreError

KEY = SkillKey("t", ("a", "b"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LESSON = {"1": {"ann": {"0:0": 1.0}}}


class Failing:
    def history(self, key, *, batch_id, workers, at):
        raise SkillStoreError("the table is gone", reason="refused")

    def learn(self, key, *, job, contributions, at):
        raise SkillStoreError("too many writers", reason="throttled")


class Mistaken(Failing):
    def learn(self, key, *, job, contributions, at):
        raise ValueError


def test_a_failure_is_a_note():
    skills = ForgivingSkills(Failing())
    assert skills.history(KEY, batch_id="b", workers=["ann"], at=NOW) == History(
        {"ann": {}}, note="worker skill was not read (refused): the table is gone"
    )
    assert skills.failures == 1
    note = skills.learn(KEY, job="j", contributions=LESSON, at=NOW)
    assert note == "worker skill was not kept (throttled): too many writers"
    assert skills.failures == 2


def test_without_a_failure_there_is_no_note():
    skills = ForgivingSkills(MemorySkills())
    assert skills.learn(KEY, job="j", contributions=LESSON, at=NOW) == ""
    history = skills.history(KEY, batch_id="b", workers=["ann"], at=NOW)
    assert history == History({"ann": {"0:0": 1.0}})
    assert skills.failures == 0


def test_a_programmer_s_mistake_is_not_forgiven():
    with pytest.raises(ValueError):  # noqa: PT011 (it has no text)
        ForgivingSkills(Mistaken()).learn(KEY, job="j", contributions=LESSON, at=NOW)
