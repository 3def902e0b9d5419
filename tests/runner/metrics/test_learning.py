"""How workers change from their first answer to their last."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from labeljob.history.job_files import AnswerTime
from labeljob.metrics.intervals import compute_wilson_interval
from labeljob.metrics.learning import (
    compare_halves,
    measure_crew_learning,
    measure_learning,
)
from labeljob.metrics.workers import ComparedAnswer, Worker, name_workers

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def worker_of(agreements, *, name="ann", dated=True, seconds=10.0):
    """A worker who gave these answers, one a minute."""
    worker = Worker(worker_id=name, name=name)
    for at, agreement in enumerate(agreements):
        time = AnswerTime(NOON + timedelta(minutes=at) if dated else None, seconds)
        worker.compared.append(ComparedAnswer(str(at), agreement, time))
    return worker


def curve_of(agreements, **more):
    return measure_learning({"ann": worker_of(agreements, **more)})["ann"]


@pytest.mark.parametrize(
    ("first", "second", "trend"),
    [
        pytest.param(0.5, 1.0, "rising", id="learns"),
        pytest.param(1.0, 0.5, "falling", id="tires"),
        pytest.param(0.9, 0.9, "", id="stays"),
    ],
)
def test_a_change_is_told_from_chance(first, second, trend):
    values = [float(at % 10 < 10 * share) for share in (first, second) for at in range(40)]
    curve = curve_of(values)
    assert (curve.before, curve.after, curve.trend) == (first, second, trend)


def test_points_hold_all_answers_in_order_of_time():
    worker = worker_of([0.0] * 15 + [1.0] * 15)
    worker.compared.reverse()
    points = measure_learning({"ann": worker})["ann"].points
    assert [point.answers for point in points] == [10, 10, 10]
    assert [point.agreement for point in points] == [0.0, 0.5, 1.0]
    assert points[0].began == NOON
    assert all(one.ended < other.began for one, other in pairwise(points))
    assert all(point.interval[0] <= point.agreement <= point.interval[1] for point in points)
    assert {point.seconds for point in points} == {10.0}


def test_without_times_or_with_few_answers_there_is_no_curve():
    assert measure_learning({"ann": worker_of([1.0] * 50, dated=False)}) == {}
    assert measure_learning({"ann": worker_of([1.0] * 19)}) == {}
    assert measure_crew_learning([worker_of([1.0] * 9), worker_of([1.0] * 9, name="bob")]) is None


def test_the_crew_has_a_curve_where_its_members_are_too_few_to_have_one():
    crew = [worker_of([1.0] * 12, name=name) for name in ("ann", "bob")]
    curve = measure_crew_learning(crew)
    assert sum(point.answers for point in curve.points) == 24


def test_of_a_large_crew_a_change_must_be_clearer():
    values = [0.0] * 6 + [1.0] * 14 + [1.0] * 20
    probability = compare_halves(np.array(values))
    assert 0.001 < probability < 0.01
    crew = {name: worker_of(values, name=name) for name in map(str, range(20))}
    assert curve_of(values).trend == "rising"
    assert {curve.trend for curve in measure_learning(crew).values()} == {""}


def test_the_test_of_the_halves_holds_its_level():
    rng = np.random.default_rng(7)
    found = [compare_halves((rng.random(40) < 0.8).astype(float)) < 0.05 for _ in range(2000)]
    assert 0.02 < np.mean(found) < 0.06
    assert compare_halves(np.ones(20)) == 1.0


def test_an_interval_of_nothing_is_everything():
    assert compute_wilson_interval(0, 0) == (0.0, 1.0)
    assert compute_wilson_interval(0, 10)[0] == 0.0
    assert compute_wilson_interval(10, 10)[1] == 1.0


def test_a_name_stands_for_its_worker_and_two_of_one_name_are_told_apart():
    ids = ["private.x.AAAA", "private.x.BAAA", "private.x.CAAA"]
    assert name_workers(ids, {ids[0]: "Ann", ids[1]: "Ann"}) == {
        ids[0]: "Ann (…AAAA)",
        ids[1]: "Ann (…BAAA)",
        ids[2]: "…CAAA",
    }
