"""The page says how numbers were chosen: what was tried, each fold, and where it costs."""

import json

import pytest

from benchmarks.classification.quality import MEAN_COLUMNS
from benchmarks.classification.selection import LARGEST_LOSS, TRIED_BY_HAND, Group, select
from benchmarks.common.record import RESULTS, rows_of, table
from benchmarks.report.__main__ import render_page
from benchmarks.synthetic.groups import COLUMNS, Pool, group_rows
from benchmarks.synthetic.kinds import draw_kind

pytestmark = pytest.mark.slow

RUN = json.loads((RESULTS / "birds.json").read_text(encoding="utf-8"))["run"]


def group(half, family, name):
    job = draw_kind("copying pairs", n_classes=2, per_object=3, n_objects=60, seed=1)
    return Group(half=half, family=family, name=name, crowds=(job.crowd,))


@pytest.fixture(scope="module")
def record():
    groups = [
        group("real", "set", "a set"),
        group("real", "set", "another set"),
        group("synthetic", "kind", "a crew"),
    ]
    return {"run": RUN, **select(groups)}


def section(record):
    return render_page({"selection": record}, parts=["selection"])


def test_it_says_what_was_tried_and_shows_every_fold(record):
    text = section(record)
    assert f"{record['tried']['grid']} settings of them were scored" in text
    assert f"Some {TRIED_BY_HAND} variants" in text
    assert all(f"\n| {name} | " in text for name in ("a set", "another set", "a crew"))
    assert "\n| all real ones | " in text
    assert "(shipped) | " in text
    assert "*not* shown" in text


def test_a_fold_on_which_the_shipped_setting_costs_is_told(record):
    folds = rows_of(record["folds"])
    for fold in folds:
        fold["brier_shipped"] = fold["brier_fixed"]
    names = list(folds[0])
    assert f"on no set or crew is the shipped setting more than {LARGEST_LOSS:g}" in section(
        record | {"folds": table(folds, names)}
    )
    folds[1]["brier_shipped"] = folds[1]["brier_fixed"] + 0.01
    text = section(record | {"folds": table(folds, names)})
    assert "dependent on another set (" in text


def test_groups_of_crews_have_intervals_and_say_where_we_lose():
    job = draw_kind("10 % yes", n_classes=2, per_object=5, n_objects=200, seed=1)
    flat = job.limit * 0.0 + 0.5
    pools = [
        Pool(gold=job.crowd.gold, tables={"calibrated": flat, "majority": job.limit}),
        Pool(gold=job.crowd.gold, tables={"calibrated": flat, "majority": job.limit, "x": flat}),
    ]
    rows = list(group_rows("10 % yes", pools))
    assert [row["method"] for row in rows] == ["calibrated", "majority"]
    for row in rows:
        for name in ("accuracy", "ece", "brier"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    assert rows[0]["brier"] == pytest.approx(0.5)
    found = table([{"task": "one"} | row for row in rows], ("task", *COLUMNS))
    stored = json.loads((RESULTS / "synthetic.json").read_text(encoding="utf-8"))
    text = render_page({"synthetic": stored | {"groups": found}}, parts=["synthetic"])
    assert "#### 10 % yes (mean of 2 cases)" in text
    assert f"- Brier: 10 % yes (0.500; `majority` {rows[1]['brier']:.3f})" in text


def test_means_of_real_sets_stand_beside_one_another_with_intervals():
    values = {f"{name}{end}": 0.5 for name in ("accuracy", "ece", "brier") for end in ENDS}
    means = [{"method": "calibrated", "votes": votes} | values for votes in (3, "all")]
    stored = json.loads((RESULTS / "classification-quality.json").read_text(encoding="utf-8"))
    text = render_page({"quality": stored | {"means": table(means, MEAN_COLUMNS)}})
    sets = len(stored["averaged"])
    assert f"### Mean Brier of the {sets} real sets" in text
    same = "0.500 [0.500, 0.500]"
    assert f"| **`calibrated`** (default) | {same} | - | - | {same} |" in text


ENDS = ("", "_low", "_high")
