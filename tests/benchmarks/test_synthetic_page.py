"""Crews are measured and shown: figures, the limit, what is not shown and where we lose."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.common.record import rows_of, run_record, table
from benchmarks.report.__main__ import render_page
from benchmarks.report.plots import draw_synthetic
from benchmarks.synthetic.__main__ import MODEL_COLUMNS, measured, planned
from benchmarks.synthetic.crews import CREWS, SEVERAL, SINGLE, TASKS, draw
from benchmarks.synthetic.model import ModelPlan
from benchmarks.synthetic.runs import SMALL, gains, losses, measures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("synthetic-page")]

PLAN = replace(SMALL, crews=("all average", "20 % adversaries"), objects=60, jobs=1)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    found = measured(tmp_path_factory.mktemp("crews"), PLAN)
    model = [
        {"model": 0.85, "method": method, "accuracy": right, "ece": 1 - right}
        | {"brier": 0.05, "auroc": 0.9}
        for method, right in (
            ("majority", 0.8),
            ("calibrated with model", 0.9),
            ("cleanlab, honest", 0.95),
            ("limit", 0.97),
        )
    ]
    crews = [row | {"crew": "all average"} for row in model]
    return {
        "run": run_record("benchmarks.synthetic", {}, seed=1),
        "plan": planned(PLAN, ModelPlan()),
        **found,
        "model": table([row | dict.fromkeys(GAINS, 0.1) for row in model], MODEL_COLUMNS["model"]),
        "model_crews": table(crews, MODEL_COLUMNS["model_crews"]),
    }


def section(record):
    return render_page({"synthetic": record}, parts=["synthetic"])


def crew_rows(task, aurocs):
    values = dict.fromkeys(("accuracy", "brier", "ece", "log_loss"), 0.5)
    return [
        {"task": task, "crew": crew, "method": method, "auroc": auroc} | values
        for crew, pair in aurocs.items()
        for method, auroc in zip(("majority", "builtin", "calibrated", "limit"), pair, strict=True)
    ]


def test_auroc_is_over_the_crews_where_every_method_errs(record):
    rows = crew_rows(
        "one", {PLAN.crews[0]: (None, 0.9, 1.0, 1.0), PLAN.crews[1]: (0.6, 0.7, 0.8, 0.9)}
    )
    rows += crew_rows("several", {PLAN.crews[1]: (0.6, 0.7, 0.8, 0.9)})
    text = section(record | {"scores": table(rows, list(rows[0]))})
    assert "AUROC is the mean over the 1 of 2 crews on which every method of the table errs" in text
    assert "| limit | 0.500 | 0.500 | 0.500 | 0.500 | 0.900 |" in text
    assert text.count("`builtin` (AWS's rule, its posterior before rounding)") == 1
    assert text.count("`builtin` (AWS's rule, squeezed and rounded)") == 1


@pytest.mark.parametrize(
    ("crews", "said"),
    [
        pytest.param(None, "each method's mean over the crews on which it errs", id="older-result"),
        pytest.param(12, "AUROC is over the 12 crews on which every method errs", id="counted"),
    ],
)
def test_over_which_crews_a_models_auroc_is(record, crews, said):
    rows = [row | {"auroc_crews": crews} for row in rows_of(record["model"])]
    changed = record | {"model": table(rows, MODEL_COLUMNS["model"])}
    assert said in section(changed)


GAINS = [name for name in MODEL_COLUMNS["model"] if "gain" in name]


def test_every_method_has_every_measure_of_every_crew(record):
    rows = rows_of(record["scores"])
    methods = {row["method"] for row in rows if row["task"] == TASKS[SINGLE]}
    assert methods == {
        "majority", "builtin", "weighted", "dawid-skene", "ebcc", "calibrated", "limit"
    }  # fmt: skip
    assert {row["crew"] for row in rows} == set(PLAN.crews)
    assert all(0.0 <= row["accuracy"] <= 1.0 and 0.0 <= row["brier"] <= 2.0 for row in rows)


def test_adversaries_are_where_skill_pays(record):
    found = {
        (row["crew"], row["method"]): row["accuracy"]
        for row in rows_of(record["scores"])
        if row["task"] == TASKS[SINGLE]
    }
    assert found["20 % adversaries", "calibrated"] > found["20 % adversaries", "majority"]


def test_the_section_says_how_what_is_not_shown_and_where_we_lose(record):
    text = section(record)
    assert "Made by `python -m benchmarks.synthetic" in text
    assert "*not* shown" in text
    assert "20 % adversaries: `--workers average:8,adversary:2`" in text
    assert "careful 0.95" in text
    assert text.count("Where we lose") == 4
    assert "#### All confuse the same (mean of 1 cases)" in text
    assert "#### Hard objects that lure all (mean of 3 cases)" in text
    assert "accuracy, model 0.85: 0.900 against 0.950 (cleanlab, honest)" in text
    assert "ECE, model 0.85: 0.100 against 0.050 (cleanlab, honest)" in text
    assert "drawn again within their jobs; crews and seeds stay as they are" in text
    assert "<summary>One class an object: Brier / ECE of each crew, 4 " in text
    for title in ("One class an object", "Several labels an object"):
        assert f"### {title}: accuracy of each crew, 4 " in text


def test_the_plot_has_a_row_for_each_crew(record, tmp_path):
    draw_synthetic(record, tmp_path / "synthetic.svg")
    text = (tmp_path / "synthetic.svg").read_text(encoding="utf-8")
    assert all(f"{crew}</text>" in text for crew in PLAN.crews)
    assert "calibrated (ours)" in text
    assert text.count("accuracy - that of the limit") == 2
    assert text.count("Brier - that of the limit") == 2


@pytest.mark.parametrize("task", [SINGLE, SEVERAL])
def test_who_knows_the_truth_has_every_measure_at_its_best(task):
    sizes = {"n_classes": 4, "per_object": 3, "n_objects": 20}
    job = draw(CREWS["mixed"], "job", task=task, seed=1, **sizes)
    found = measures([job], [job.truth.astype(np.float64)])
    assert (found["accuracy"], found["brier"], found["ece"]) == (1.0, 0.0, 0.0)
    assert found["log_loss"] == 0.0
    assert losses(job, job.truth.astype(np.float64)).shape == (20, 3)


def test_a_difference_to_oneself_is_nothing():
    values = [np.random.default_rng(0).random((30, 3))]
    assert set(gains(values, values).values()) == {0.0}
