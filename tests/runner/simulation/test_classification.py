"""Over thousands of data objects, workers are as good as they are said to be."""

import math

import pytest

from labeljob.simulation import workers as profiles
from labeljob.simulation import workers as simulated
from labeljob.tasks.registry import find_job_type

SINGLE = find_job_type("image-multi-class")
LABELS = ["ant", "bee", "cat", "dog", "eel"]
N_OBJECTS = 4000


def _choices(worker, n_objects=N_OBJECTS):
    for number in range(n_objects):
        truth = LABELS[number % len(LABELS)]
        content = simulated.answer(
            worker,
            find_job_type("image-multi-class"),
            object_id=str(number),
            labels=LABELS,
            truth=truth,
            seed=11,
        )
        yield truth, content["crowd-image-classifier"]["label"]


def _within(count, n, rate):
    """Within three standard deviations of a binomial."""
    return abs(count - n * rate) <= 3.0 * math.sqrt(n * rate * (1.0 - rate))


@pytest.mark.parametrize(
    ("kind", "accuracy"),
    [("careful", 0.95), ("average", 0.85), ("careless", 0.65), ("spammer", 0.2)],
)
def test_a_class_is_recognized_as_often_as_stated(kind, accuracy):
    worker = profiles.create_workers(kind, seed=4)[0]
    right = sum(truth == chosen for truth, chosen in _choices(worker))
    assert _within(right, N_OBJECTS, accuracy)


def test_wrong_classes_are_chosen_equally_often():
    wrong = [
        c
        for t, c in _choices(profiles.create_workers("careless", seed=4)[0])
        if t == "ant" and c != t
    ]
    assert all(_within(wrong.count(name), len(wrong), 0.25) for name in LABELS[1:])


def test_a_confuser_confuses_only_its_pair():
    choices = list(_choices(profiles.create_workers("confuser=bee/dog", seed=4)[0]))
    bees = [chosen for truth, chosen in choices if truth == "bee"]
    assert set(bees) == {"bee", "dog"}
    assert _within(bees.count("dog"), len(bees), 0.5)
    others = [(truth, chosen) for truth, chosen in choices if truth not in {"bee", "dog"}]
    assert _within(sum(truth == chosen for truth, chosen in others), len(others), 0.95)


def _ticks(worker, truths, n_objects=N_OBJECTS):
    for number in range(n_objects):
        truth = truths[number % len(truths)]
        content = simulated.answer(
            worker,
            find_job_type("image-multi-class-multi-label"),
            object_id=str(number),
            labels=LABELS,
            truth=truth,
            seed=11,
        )
        yield truth, content["crowd-image-classifier-multi-select"]["labels"]


@pytest.mark.parametrize(("kind", "accuracy"), [("average", 0.85), ("careless", 0.65)])
def test_each_label_is_ticked_rightly_as_often_as_stated(kind, accuracy):
    # All labels apply, so that the forced tick of an otherwise empty answer does not matter.
    ticks = _ticks(profiles.create_workers(kind, seed=4)[0], [frozenset(LABELS)])
    counts = [len(ticked) for _, ticked in ticks]
    assert _within(sum(counts), N_OBJECTS * len(LABELS), accuracy)


def test_labels_that_do_not_apply_are_ticked_as_rarely_as_stated():
    ticks = _ticks(profiles.create_workers("average", seed=4)[0], [frozenset(LABELS[:4])])
    assert _within(sum("eel" in ticked for _, ticked in ticks), N_OBJECTS, 0.15)


def test_somebody_always_ticks_something_in_label_order():
    for kind in ["careless", "spammer", "confuser"]:
        for _, ticked in _ticks(
            profiles.create_workers(kind, seed=4)[0], [frozenset({"bee"})], 500
        ):
            assert ticked
            assert ticked == sorted(ticked, key=LABELS.index)


def test_a_confuser_ticks_the_other_label_of_its_pair_half_of_the_time():
    ticks = list(
        _ticks(profiles.create_workers("confuser=ant/bee", seed=4)[0], [frozenset({"ant", "cat"})])
    )
    rate = 0.5 * 0.95 + 0.5 * 0.05
    assert _within(sum("bee" in ticked for _, ticked in ticks), N_OBJECTS, rate)
    assert _within(sum("dog" in ticked for _, ticked in ticks), N_OBJECTS, 0.05)


def test_a_spammer_ticks_at_chance():
    ticks = list(_ticks(profiles.create_workers("spammer", seed=4)[0], [frozenset({"ant"})]))
    true, false = (sum(name in ticked for _, ticked in ticks) for name in ("ant", "bee"))
    assert abs(true - false) <= 3.0 * math.sqrt(N_OBJECTS / 2)


def test_the_only_label_there_is_gets_chosen():
    for worker in profiles.create_workers("9", seed=1):
        content = simulated.answer(
            worker,
            find_job_type("image-multi-class"),
            object_id="0",
            labels=["ant"],
            truth="ant",
            seed=1,
        )
        assert content == {"crowd-image-classifier": {"label": "ant"}}
