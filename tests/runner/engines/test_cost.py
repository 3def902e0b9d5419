"""What a replay is expected to take."""

import pytest

from groundtruth.settings import Settings
from groundtruth.sharding.plan import Plan
from groundtruth.tasks.registry import plan_steps
from labeljob.engines.cost import Work, count_steps, estimate_bill

pytestmark = pytest.mark.fast

WORK = Work(
    objects=200_000, answers=10**6, shards=20, steps=3, most_steps=3, answer_seconds=0.25e-6
)


def steps_of(algorithm):
    settings = Settings(consolidation_algorithm=algorithm)
    plan = Plan(
        task="image-multi-class", settings=settings, classes=("cat", "dog"), n_workers=5,
        job_name="labeling-job/zoo", made_at="2026-01-01T00:00:00+00:00", options={}, shards=(),
    )  # fmt: skip
    return plan_steps(plan)


@pytest.mark.parametrize(
    ("algorithm", "settled", "most"),
    [
        pytest.param("majority", 1, 1, id="no-rounds"),
        pytest.param("builtin", 2, 2, id="counts-first"),
        pytest.param("calibrated", 1 + 4 + 2, 1 + 60 + 2, id="rounds-between-start-weigh-conclude"),
    ],
)
def test_steps_are_those_of_the_algorithm(algorithm, settled, most):
    assert count_steps(steps_of(algorithm), 4) == settled
    assert count_steps(steps_of(algorithm)) == most


def test_every_item_of_a_bill_is_paid_by_what_it_counts():
    once, twice = (estimate_bill(WORK, steps=steps) for steps in (3, 6))
    assert once.lambda_requests == pytest.approx(3 * 21 * 0.20e-6)
    assert once.transitions == pytest.approx((3 * (2 * 20 + 3) + 2) * 0.025e-3)
    assert twice.lambda_time == pytest.approx(2 * once.lambda_time)
    assert once.total == pytest.approx(sum(once.items().values()) - once.total)
    few = estimate_bill(WORK, steps=3, at_once=1)
    assert few.minutes > once.minutes
    assert few.total == once.total
