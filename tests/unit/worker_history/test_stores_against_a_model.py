"""Whatever is learned and asked for, a store says what a plain model says."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.jsonl import JsonFileSkills
from groundtruth.worker_history.store import SkillKey

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, tzinfo=UTC)
WORKERS = ("ann", "bob", "工人")
cells = st.dictionaries(
    st.sampled_from(["0:0", "0:1", "né:0:1"]), st.integers(0, 4_000_000).map(lambda n: n / 1e6)
)
lessons = st.dictionaries(
    st.sampled_from("12345"), st.dictionaries(st.sampled_from(WORKERS), cells), max_size=4
)
steps = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("jk"), lessons, st.sampled_from("xyz")),
    max_size=12,
)


class Model:
    """Keeps every lesson and adds them up when asked."""

    def __init__(self, half_life):
        self.half_life = half_life
        self.taught = {}
        self.answers = {}

    def update_counts(self, day, job, updates):
        for name, workers in updates.items():
            if any(amount for cells in workers.values() for amount in cells.values()):
                self.taught.setdefault((job, name), (day, workers))

    def history(self, day, batch):
        return self.answers.setdefault(batch, {w: self._known(day, w) for w in WORKERS})

    def _known(self, day, worker):
        parts = {}
        for then, workers in self.taught.values():
            weight = 2 ** ((then - day) / self.half_life) if self.half_life else 1
            for cell, amount in workers.get(worker, {}).items():
                parts.setdefault(cell, []).append(amount * weight)
        return {cell: math.fsum(amounts) for cell, amounts in parts.items()}


def agrees(found, expected):
    for worker in WORKERS:
        for cell in found[worker].keys() | expected[worker].keys():
            error = found[worker].get(cell, 0) - expected[worker].get(cell, 0)
            assert abs(error) <= 1.001e-6


@pytest.mark.parametrize("half_life", [0.0, 7.0])
@pytest.mark.parametrize("kind", ["memory", "json-file"])
@settings(max_examples=60, deadline=None)
@given(steps=steps)
def test_a_store_says_what_the_model_says(kind, half_life, steps):
    key, model, day = SkillKey("t", ("a", "b"), half_life), Model(half_life), 0
    with TemporaryDirectory() as folder:
        path = Path(folder) / "skill.jsonl"
        memory = MemorySkills()
        for later, job, updates, batch in steps:
            store = memory if kind == "memory" else JsonFileSkills(path)
            day += later
            at = START + timedelta(days=day)
            found = store.history(key, batch_id=batch, workers=WORKERS, at=at)
            agrees(found, model.history(day, batch))
            store.update_counts(key, job=job, updates=updates, at=at)
            model.update_counts(day, job, updates)


@given(lessons, st.randoms(use_true_random=False))
def test_the_order_of_lessons_does_not_matter(updates, random):
    key, names = SkillKey("t", ("a", "b"), 7.0), list(updates)
    answers = []
    for _ in range(2):
        store = MemorySkills()
        for name in names:
            store.update_counts(key, job="j", updates={name: updates[name]}, at=START)
        answers.append(store.history(key, batch_id="b", workers=WORKERS, at=START))
        random.shuffle(names)
    assert answers[0] == answers[1]
