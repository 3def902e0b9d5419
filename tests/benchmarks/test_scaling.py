"""Curves vary one size, exponents are those of the points, a case is measured on its own."""

import json
import sys

import numpy as np
import pytest

from benchmarks.common.crowds import crowd_of, picked_of
from benchmarks.common.measure import measure_size
from benchmarks.common.record import table, write_result
from benchmarks.scaling import case as scaling_case
from benchmarks.scaling.__main__ import (
    CURVES,
    LARGEST,
    PAIRS,
    Curve,
    exponents,
    fitted,
    kept,
    run_case,
    synthesis,
)
from benchmarks.scaling.case import mask_size

pytestmark = pytest.mark.slow

VOTES = {"answers": 1000, "per_item": 5, "classes": 3, "workers": 20}


def curve(**changes):
    given = {
        "name": "answers",
        "kind": "votes",
        "varied": "answers",
        "values": (10, 100, 1000, 10_000),
        "fixed": {"classes": 3},
        "methods": {"majority": 10_000, "ck-majority": 100},
        "ranges": ((10, 10_000),),
    }
    return Curve(**given | changes)


def rows(power, *, mib=1.0, rounds=(None,) * 4):
    return [
        {
            "method": "majority",
            "size": size,
            "cpu_seconds": 1e-3 * size**power * (settled or 1),
            "rounds": settled,
            "inputs_mib": mib * size,
            "run_mib": mib * size,
        }
        for size, settled in zip((10, 100, 1000, 10_000), rounds, strict=True)
    ]


@pytest.mark.parametrize("power", [-0.5, 0.0, 1.0, 1.5])
def test_an_exact_power_is_found_with_no_doubt(power):
    sizes = [10, 30, 100, 1000]
    found = fitted(sizes, [7.0 * size**power for size in sizes])
    np.testing.assert_allclose([found.exponent, found.low, found.high], power, atol=1e-7)
    assert found.r2 == pytest.approx(1.0) or power == 0.0


def test_a_power_that_is_not_exact_lies_in_its_interval():
    rng = np.random.default_rng(5)
    sizes = np.logspace(1, 6, 8)
    inside = 0
    for _ in range(200):
        found = fitted(sizes, sizes**0.9 * np.exp(rng.normal(0.0, 0.2, sizes.size)))
        inside += found.low < 0.9 < found.high
        assert found.r2 > 0.9
    assert 180 <= inside <= 199  # 95 % of 200 is 190


def test_two_points_are_no_fit():
    assert fitted([1, 2], [1.0, 2.0]) is None


@pytest.mark.parametrize("one", CURVES, ids=lambda one: one.name)
def test_a_curve_varies_one_size_and_states_the_others(one):
    assert one.varied not in one.fixed
    assert list(one.values) == sorted(one.values)
    assert all(largest in one.values for largest in one.methods.values())
    for first, last in one.ranges:
        assert sum(first <= value <= last for value in one.values) >= 3
    for peer, ours in PAIRS.get(one.name, ()):
        assert {peer, ours} <= set(one.methods)


def test_peers_take_part_up_to_their_largest_size():
    cases = [(method, sizes["answers"]) for method, sizes in curve().cases()]
    assert ("ck-majority", 100) in cases
    assert ("ck-majority", 1000) not in cases
    assert ("majority", 10_000) in cases


def test_exponents_of_time_and_memory():
    found = {row["measure"]: row for row in exponents(curve(), rows(1.5, rounds=(4,) * 4))}
    assert list(found) == ["time", "memory"]
    assert found["time"]["exponent"] == pytest.approx(1.5)
    assert found["memory"]["exponent"] == pytest.approx(1.0)
    assert (found["time"]["first"], found["time"]["last"]) == (10, 10_000)


def test_where_rounds_differ_the_time_of_one_is_fitted_too():
    found = {row["measure"]: row for row in exponents(curve(), rows(0.5, rounds=(1, 10, 2, 40)))}
    assert found["time of a round"]["exponent"] == pytest.approx(0.5)
    assert found["time"]["exponent"] > 0.6


def test_little_memory_is_noise_and_not_fitted():
    found = {row["measure"] for row in exponents(curve(), rows(1.0, mib=1e-4))}
    assert found == {"time"}


def test_each_range_is_fitted_on_its_own():
    two = curve(ranges=((10, 1000), (100, 10_000)))
    found = [row for row in exponents(two, rows(1.0)) if row["measure"] == "time"]
    assert [(row["first"], row["last"]) for row in found] == [(10, 1000), (100, 10_000)]


def test_the_memory_of_a_call_is_its_own_and_not_that_of_its_inputs():
    def call(given):
        return given.sum() + np.ones((16, 1024, 1024 // 8)).sum()

    found = measure_size(lambda: np.ones((64, 1024, 1024 // 8)), call)
    assert found["inputs_mib"] == pytest.approx(64, abs=4)
    assert found["run_mib"] == pytest.approx(16, abs=4)
    assert found["cpu_seconds"] > 0


def test_a_call_that_settles_says_its_rounds():
    class Settled:
        rounds = 7

    assert measure_size(lambda: None, lambda given: Settled())["rounds"] == 7


def test_crowds_have_the_sizes_that_were_asked_for():
    crowd = crowd_of(VOTES)
    assert (crowd.items.size, crowd.n_items, crowd.n_workers, crowd.n_classes) == (1000, 200, 20, 3)


def test_picked_labels_are_right_as_often_as_said():
    _, picked = picked_of({"answers": 50_000, "per_item": 5, "labels": 10, "workers": 20})
    assert picked.shape == (50_000, 10)
    # 3 of 10 labels apply: of these 0.7 are picked, of the others 0.3 * 0.3.
    assert picked.mean() == pytest.approx(0.3 * 0.7 + 0.7 * 0.09, abs=0.01)
    agreement = (picked[0::5] == picked[1::5]).mean()
    assert agreement > 0.7


def test_a_picture_has_the_megapixels_that_were_asked_for():
    size = mask_size({"megapixels": 12.25, "classes": 11, "workers": 5})
    assert size.shape == (3500, 3500)
    assert (size.n_classes, size.n_workers) == (11, 5)


@pytest.mark.parametrize(
    ("kind", "method", "sizes"),
    [
        pytest.param("votes", "calibrated", VOTES, id="votes"),
        pytest.param(
            "selections",
            "multi-label",
            {"answers": 500, "per_item": 5, "labels": 4, "workers": 20},
            id="selections",
        ),
        pytest.param(
            "fusion", "ours", {"megapixels": 0.01, "classes": 3, "workers": 3}, id="masks"
        ),
    ],
)
def test_a_case_runs_in_a_process_of_its_own(kind, method, sizes, tmp_path):
    line = run_case(kind, method, sizes, tmp_path)
    assert 0 < line["cpu_seconds"] < 60
    assert line["bare_mib"] > 10
    assert line["run_mib"] >= 0


def test_synthesize_is_measured_and_its_files_are_gone(tmp_path):
    (line,) = synthesis(tmp_path, [(100, True)])
    assert (line["answers"], line["tree"]) == (100, True)
    assert 0 < line["written_mib"] < 1
    assert 20 < line["peak_mib"] < 1000
    assert list(tmp_path.iterdir()) == []


def test_what_the_largest_run_found_is_kept(tmp_path):
    names = ("answers", "tree", "cpu_seconds")
    stored = [
        {"answers": answers, "tree": False, "cpu_seconds": 1.0} for answers in (10_000, LARGEST)
    ]
    write_result(tmp_path / "scaling.json", {"run": {}, "synthesis": table(stored, names)})
    assert kept(tmp_path / "scaling.json") == stored[1:]
    assert kept(tmp_path / "absent.json") == []


def test_a_measured_line_is_json(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["case", "votes", "majority", json.dumps(VOTES), "unused"])
    scaling_case.main()
    assert json.loads(capsys.readouterr().out)["cpu_seconds"] > 0
