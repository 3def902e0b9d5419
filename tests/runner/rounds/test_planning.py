"""What more or fewer workers would cost and gain."""

import json
import math
import statistics

import numpy as np
import pytest

from labeljob.commands.plan import plan
from labeljob.rounds.planning import Plan, estimate_plans, list_plans
from labeljob.tasks.registry import find_job_type
from tests.masks import answer, drawn
from tests.real_data import real_data
from tests.runner.command_line import run
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
