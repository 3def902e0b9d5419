"""What more or fewer workers would cost and gain."""

import csv
import json
import math
import statistics

import numpy as np
import pytest

from labeljob.commands.plan import plan
from labeljob.rounds.planning import Estimate, Plan, estimate_plans, list_plans, recommend
from labeljob.tasks.registry import find_job_type
from tests.masks import answer, drawn
from tests.real_data import real_data
from tests.runner.command_line import lines_of, run
from tests.runner.history import job_folders as on_disk
from tests.runner.metrics.annotated_objects import annotate

SINGLE = find_job_type("image-multi-class")


def test_the_real_pilot_gives_the_known_figures():
    job = real_data("birds-job")
    truth = real_data("birds-job", "true_labels.json")
    outcome = run(plan, job, "--truth", truth, "--most", "5", "--json")
    assert outcome.exit_code == 0, outcome.output
    plans = {
        (one["start"], one["lead"]): (one["quality"], one["answers-per-object"])
        for one in json.loads(outcome.stdout)["plans"]
    }
    assert plans[5, None] == (pytest.approx(0.902, abs=0.001), 5)
    assert plans[2, 2] == (pytest.approx(0.900, abs=0.002), pytest.approx(2.38, abs=0.02))
    assert plans[3, 2] == (pytest.approx(0.902, abs=0.002), pytest.approx(3.31, abs=0.02))
    assert plans[3, None][0] == pytest.approx(0.886, abs=0.003)


def judged(objects, plans, truths=None, replays=50):
    return estimate_plans(
        objects,
        SINGLE,
        ("cat", "dog"),
        plans,
        truths=truths,
        replays=replays,
        rng=np.random.default_rng(5),
    )


def test_unanimous_answers_need_no_third_worker():
    objects = [annotate(str(at), {"ann": 0, "bob": 0, "cy": 0}) for at in range(20)]
    (found,) = judged(objects, [Plan(2, 2, 3)])
    assert (found.answers, found.quality, found.gain) == (2.0, 1.0, 0.0)
    assert found.stopped_at == {2: 1.0}


def test_a_tie_counts_half():
    objects = [annotate(str(at), {"ann": 0, "bob": 1}) for at in range(10)]
    (found,) = judged(objects, [Plan(2)], truths={str(at): "dog" for at in range(10)})
    assert found.quality == 0.5


def test_the_interval_holds_the_quality_with_95_percent_probability():
    objects = [annotate(str(number), {"ann": number % 2}) for number in range(40)]
    truths = {obj.object_id: "cat" for obj in objects}
    (estimated,) = judged(objects, [Plan(1)], truths=truths)
    half = 1.959964 * statistics.stdev([0, 1] * 20) / math.sqrt(40)
    assert estimated.interval == pytest.approx((0.5 - half, 0.5 + half), abs=1e-9)


def test_more_answers_than_the_pilot_has_are_said_to_be_a_model():
    objects = [annotate(str(at), {"ann": 0, "bob": 0, "cy": at % 2}) for at in range(40)]
    found = judged(objects, list_plans(SINGLE, most=9), truths={str(at): "cat" for at in range(40)})
    assert [one.extrapolated for one in found] == [False] * 3 + [True] * 8
    assert found[8].quality >= found[2].quality - 0.05


def test_costs_follow_from_the_price(zoo):
    outcome = run(plan, zoo, "--price", "0.5", "--objects", "100", "--most", "3", "--json")
    assert outcome.exit_code == 0, outcome.output
    plans = json.loads(outcome.stdout)["plans"]
    assert [one["cost"] for one in plans[:3]] == [50.0, 100.0, 150.0]
    assert plans[2]["quality"] == 1.0
    table = run(plan, zoo, "--price", "0.5", "--most", "3").output
    assert "always 3" in table
    assert "one more right costs" in table


def estimate(plan, answers, quality, *, extrapolated=False):
    return Estimate(
        plan=plan,
        answers=answers,
        quality=quality,
        interval=(0.0, 1.0),
        gain=0.0,
        stopped_at={},
        extrapolated=extrapolated,
    )


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        pytest.param(None, 3, id="within-a-hundredth-of-the-best"),
        pytest.param(0.8, 2, id="the-fewest-answers-that-reach-the-goal"),
        pytest.param(0.93, 9, id="more-answers-than-the-pilot-has-where-it-must-be"),
        pytest.param(0.99, 3, id="out-of-reach"),
    ],
)
def test_the_cheapest_plan_that_is_good_enough_is_recommended(goal, expected):
    estimates = [
        estimate(Plan(1), 1.0, 0.7),
        estimate(Plan(2), 2.0, 0.8),
        estimate(Plan(3), 3.0, 0.895),
        estimate(Plan(5), 5.0, 0.9),
        estimate(Plan(9), 9.0, 0.95, extrapolated=True),
    ]
    assert recommend(estimates, goal).plan == Plan(expected)


@pytest.mark.parametrize(
    ("most", "recommended", "how"),
    [
        pytest.param("1", "always 1", "labeljob request --workers", id="all-alike"),
        pytest.param("3", "start with 2, add until", "labeljob requeue", id="one-by-one"),
    ],
)
def test_the_plan_that_is_recommended_stands_at_the_end(zoo, most, recommended, how):
    outcome = run(plan, zoo, "--most", most)
    assert outcome.exit_code == 0, outcome.output
    assert lines_of(outcome.stderr)[-2].startswith(f"recommended: {recommended}")
    assert how in lines_of(outcome.stderr)[-1]


def test_plans_are_a_table_for_a_spreadsheet_too(zoo):
    outcome = run(plan, zoo, "--most", "3", "--price", "0.5", "--csv")
    rows = list(csv.DictReader(outcome.stdout.splitlines()))
    assert [row["plan"] for row in rows[:3]] == ["always 1", "always 2", "always 3"]
    assert float(rows[1]["cost"]) == 2 * float(rows[0]["cost"])


def test_masks_and_label_sets_are_judged_too(tmp_path):
    masks = {f"w{at}": answer(drawn(grid)) for at, grid in enumerate(["..ww", "..ww", ".www"])}
    ticks = {f"w{at}": on_disk.ticked("cat", *more) for at, more in enumerate([["dog"], [], []])}
    for name, answers in (("harbour", masks), ("scenes", ticks)):
        folder = tmp_path / "bucket" / name
        on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
        on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
        outcome = run(plan, folder, "--json")
        assert outcome.exit_code == 0, outcome.output
        plans = json.loads(outcome.stdout)["plans"]
        assert len([one for one in plans if one["lead"] is None]) == 3
        assert plans[2]["quality"] == 1.0
        assert plans[0]["quality"] < 1.0
