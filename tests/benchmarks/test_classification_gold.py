"""Objects of known truth: what is fitted on them, what is scored, and what the page says of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.classification import gold as classification_gold
from benchmarks.classification.gold import (
    GAIN,
    GOLD,
    LEFT_OUT,
    figures_of,
    gold_figures,
    with_and_without_map,
)
from benchmarks.common.crowds import Crowd
from benchmarks.common.record import RESULTS, rows_of, table
from benchmarks.report.__main__ import render_page
from groundtruth.aggregation.classification.calibration_maps import fit_logistic

RUN = json.loads((RESULTS / "birds.json").read_text(encoding="utf-8"))["run"]


def crowd(n_items=200, *, lie=0.0):
    """Three workers who agree; on a share of the items all of them are wrong."""
    rng = np.random.default_rng(0)
    truths = rng.integers(0, 2, n_items)
    said = np.where(rng.random(n_items) < lie, 1 - truths, truths)
    items, workers = np.repeat(np.arange(n_items), 3), np.tile(np.arange(3), n_items)
    return Crowd("crowd", items, workers, np.repeat(said, 3), n_items, 3, 2, truths)


def test_a_map_takes_away_what_all_workers_get_wrong():
    found = gold_figures([crowd(lie=0.3)], draws=3)
    rows = {(row["answers"], row["variant"]): row for row in rows_of(found["scores"])}
    assert {row["scored"] for row in rows.values()} == {200 - GOLD}
    for answers in ("all", 3, 5):
        assert rows[answers, "map"]["ece"] < 0.7 * rows[answers, "plain"]["ece"]
        assert rows[answers, "map"]["accuracy"] == rows[answers, "plain"]["accuracy"]
        assert rows[answers, "gold"]["ece"] != rows[answers, "plain"]["ece"]
    changes = {(row["answers"], row["variant"]): row for row in rows_of(found["means"])}
    plain, mapped = rows["all", "plain"]["brier"], rows["all", "map"]["brier"]
    assert changes["all", "map"]["brier_change"] == pytest.approx(mapped / plain - 1, abs=1e-4)


def test_gains_are_told_set_by_set_and_with_each_set_left_out():
    small = crowd(160, lie=0.3)
    found = gold_figures([small, replace(small, name="other", gold=1 - small.gold)], draws=2)
    rows = {(row["set"], row["variant"]): row for row in rows_of(found["scores"])}
    gains = {name: rows[name, "gold"]["gain"] for name in ("crowd", "other")}
    for name, gain in gains.items():
        both = (rows[name, variant]["accuracy"] for variant in ("gold", "plain"))
        assert gain == pytest.approx(next(both) - next(both), abs=1e-4)
        assert rows[name, "gold"]["gain_low"] <= gain <= rows[name, "gold"]["gain_high"]
    (mean,) = [
        row for row in rows_of(found["means"]) if (row["answers"], row["variant"]) == (3, "gold")
    ]
    assert mean["gain"] == pytest.approx(sum(gains.values()) / 2, abs=1e-4)
    left = (mean["left_out_least"], mean["left_out_most"])
    assert left == pytest.approx((min(gains.values()), max(gains.values())), abs=1e-4)


def test_sets_with_few_truths_are_left_out():
    assert gold_figures([crowd(149)], draws=1)["sets"] == []


def test_gold_objects_are_fitted_on_and_never_scored():
    rng = np.random.default_rng(1)
    posterior = rng.dirichlet(np.ones(3), 80)
    truths = rng.integers(0, 3, 80)
    chosen, rest = np.arange(50), np.arange(50, 80)
    plain, mapped = with_and_without_map(posterior, truths, chosen, rest)
    sure, right = posterior.max(axis=1), posterior.argmax(axis=1) == truths
    fitted = fit_logistic(sure[:50], right[:50])
    assert plain == pytest.approx(figures_of(sure[50:], right[50:]))
    assert mapped == pytest.approx(figures_of(fitted.apply(sure[50:]), right[50:]))
    assert not np.allclose(plain, mapped)


def test_figures_are_of_the_winners_confidence():
    found = figures_of(np.array([0.8, 0.8, 0.6]), np.array([True, False, True]))
    losses = -np.log([0.8, 0.2, 0.6])
    gap = (abs(1.6 - 1) + 0.4) / 3
    expected = [2 / 3, gap, found[2], (0.04 + 0.64 + 0.16) / 3, losses.mean()]
    assert found == pytest.approx(expected)


def test_without_a_large_set_nothing_is_written(tmp_path, monkeypatch, capsys):
    output = tmp_path / "gold.json"
    given = ["classification_gold", "--data", str(tmp_path), "--output", str(output)]
    monkeypatch.setattr("sys.argv", given)
    classification_gold.main()
    assert not output.exists()
    assert "left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param((-0.2, -0.4), "is met by the map", id="met"),
        pytest.param((-0.2, -0.1), "is met in part by the map", id="in-part"),
        pytest.param((-0.19, 0.1), "is not met by the map", id="not-met"),
    ],
)
def test_the_page_says_whether_the_aim_is_met_and_where_we_lose(changes, said):
    plain = {"variant": "plain", "accuracy": 0.8, "rarest": 0.2} | dict.fromkeys(GAIN, 0.0)
    plain |= dict.fromkeys(LEFT_OUT) | dict.fromkeys(classification_gold.MEASURES, 0.1)
    ends = dict.fromkeys(("ece_low", "ece_high", "ece_change_low", "ece_change_high"), 0.25)
    means, scores = [], []
    for answers, change in zip(("all", 3), changes, strict=True):
        base = plain | ends | {"answers": answers, "set": "dog", "ece_change": 0.0}
        mapped = base | {"variant": "map", "ece": 0.1 * (1 + change), "ece_change": change}
        means += [base, mapped]
        scores += [base, mapped]
    record = {
        "run": RUN,
        "gold_objects": 50,
        "gold_draws": 20,
        "sets": ["dog"],
        "means": table(means, list(means[0])),
        "scores": table(scores, list(scores[0])),
    }
    text = render_page({"gold": record}, parts=["gold"])
    assert f"at least 20% lower with 50 known objects, {said}" in text
    lost = f"on 1 of 1 sets, dog (0.100 to {0.1 * (1 + changes[1]):.3f})"
    expected = lost if changes[1] > 0 else "nowhere"
    name = "a map fitted on them (`labeljob calibrate`)"
    assert f"- 3 answers per item, {name}: {expected}" in text
    assert f"- all answers, {name}: nowhere" in text
