"""What workers are worth, and whom to check."""

import numpy as np
import pytest

from labeljob.history.job import ObjectAnnotations
from labeljob.metrics.agreement import (
    compute_agreement,
    find_confusions,
    measure_agreement,
    measure_dispute,
)
from labeljob.metrics.workers import flag_workers, shorten_names, tabulate_workers
from labeljob.tasks.registry import find_job_type
from tests.runner.metrics.annotated_objects import annotate

SINGLE = find_job_type("image-multi-class")
SEVERAL = find_job_type("image-multi-class-multi-label")
CLASSES = ("cat", "dog", "eel", "fox")
CREW = ("ann", "bob", "cy", "di", "eve", "flo")


def crew_of(n_objects=60, *, oddity=None, seconds=None, seed=3):
    """Six workers who are right in nine of ten cases, but for one with an oddity."""
    rng = np.random.default_rng(seed)
    box = []
    for at in range(n_objects):
        truth = int(rng.integers(4))
        votes = {name: truth if rng.random() < 0.9 else int(rng.integers(4)) for name in CREW}
        if oddity is not None:
            votes |= oddity(votes, rng)
        box.append(annotate(str(at), votes, seconds))
    return box


def flags_of(box):
    workers = tabulate_workers(box, SINGLE, 4)
    flag_workers(workers, box, SINGLE, CLASSES)
    return {name: [flag for flag, _ in worker.flags] for name, worker in workers.items()}


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_crew_is_left_alone(seed):
    assert not any(flags_of(crew_of(seed=seed)).values())


@pytest.mark.parametrize(
    ("oddity", "flag"),
    [
        pytest.param(lambda votes, rng: {"flo": 2}, "constant", id="always-the-same"),
        pytest.param(lambda votes, rng: {"flo": int(rng.integers(4))}, "random", id="by-dice"),
    ],
)
def test_a_spammer_is_flagged_and_nobody_else(oddity, flag):
    flags = flags_of(crew_of(oddity=oddity))
    assert flag in flags.pop("flo")
    assert not any(flags.values())


def test_copied_errors_are_flagged_on_both_sides():
    def copying(votes, rng):
        wrong = (
            (votes["ann"] + 1 + int(rng.integers(3))) % 4 if rng.random() < 0.3 else votes["eve"]
        )
        return {"eve": wrong, "flo": wrong}

    flags = flags_of(crew_of(120, oddity=copying))
    assert [name for name, found in flags.items() if "copying" in found] == ["eve", "flo"]


def test_haste_is_measured_against_the_crew():
    seconds = dict.fromkeys(CREW, 12.0) | {"bob": 1.5}
    flags = flags_of(crew_of(seconds=seconds))
    assert [name for name, found in flags.items() if "haste" in found] == ["bob"]


def test_workers_with_few_answers_are_not_judged():
    box = crew_of(5, oddity=lambda votes, rng: {"flo": 2})
    assert not any(flags_of(box).values())


def test_the_own_answer_is_no_part_of_the_consensus():
    box = annotate("0", {"ann": 0, "bob": 1, "cy": 1})
    scores = [measure_agreement(box.choices, at, SINGLE, 4) for at in range(3)]
    assert scores == [0.0, 0.5, 0.5]
    assert measure_agreement(annotate("0", {"ann": 0}).choices, 0, SINGLE, 4) is None


def test_the_interval_holds_the_agreement_and_narrows_with_answers():
    few, many = (tabulate_workers(crew_of(n), SINGLE, 4)["ann"] for n in (10, 200))
    for worker in (few, many):
        assert worker.interval[0] < worker.agreement < worker.interval[1]
    assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]


def test_a_mistake_names_what_the_others_said():
    box = [annotate(str(at), {"ann": 1, "bob": 0, "cy": 0}) for at in range(3)]
    ann = tabulate_workers(box, SINGLE, 4)["ann"]
    assert ann.mistakes(CLASSES) == [("cat", "dog", 3.0)]


def test_labels_left_out_are_confused_with_those_put_in_instead():
    box = ObjectAnnotations(
        object_id="0",
        source="",
        workers=("ann", "bob", "cy"),
        choices=np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 0, 1, 0]]),
        rejected=(),
        answer_times={},
    )
    assert measure_agreement(box.choices, 0, SEVERAL, 4) == pytest.approx(1 / 3)
    assert set(find_confusions(box.choices, 0, SEVERAL, 4)) == {(2, 2, 1.0), (0, 1, 1.0)}
    assert measure_dispute(box.choices, 2) == pytest.approx(2 / 9)


def test_names_are_short_and_different():
    names = shorten_names(["private.us-west-2.AAAA", "private.us-west-2.BAAA"])
    assert set(names.values()) == {"…AAAA", "…BAAA"}


def test_perfect_agreement_is_one_and_dice_are_near_zero():
    rng = np.random.default_rng(1)
    same = [annotate(str(at), dict.fromkeys(CREW, at % 4)) for at in range(20)]
    dice = [annotate(str(at), {name: int(rng.integers(4)) for name in CREW}) for at in range(400)]
    assert compute_agreement(same, SINGLE, CLASSES).alpha == pytest.approx(1)
    assert compute_agreement(same, SINGLE, CLASSES).kappa == pytest.approx(1)
    found = compute_agreement(dice, SINGLE, CLASSES)
    assert abs(found.alpha) < 0.03
    assert abs(found.kappa) < 0.03
    assert found.by_class["cat"][1] == sum(b.choices[:, 0].tolist().count(0) for b in dice)


def test_agreement_that_cannot_be_told_is_no_number():
    lone = [annotate("0", {"ann": 1})]
    assert np.isnan(compute_agreement(lone, SINGLE, CLASSES).alpha)
    unanimous = [annotate("0", {"ann": 1, "bob": 1})]
    assert np.isnan(compute_agreement(unanimous, SINGLE, CLASSES).alpha)
