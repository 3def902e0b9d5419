"""The section on growth shows each curve, its exponents and where peers do better."""

import json
from xml.etree import ElementTree as ET

import pytest

from benchmarks.common.record import RESULTS, table
from benchmarks.report.__main__ import render_page
from benchmarks.report.plots import SCALING_LOOKS, SCALING_ROWS, draw_scaling
from benchmarks.scaling.__main__ import CURVES, EXPONENTS, LEAST_MIB, SYNTHESIS, TIMES
from benchmarks.scaling.case import PER_OBJECT, WORKERS


def row(curve, method, size, seconds, mib):
    return {
        "curve": curve,
        "method": method,
        "size": size,
        "cpu_seconds": seconds,
        "inputs_mib": mib / 2,
        "run_mib": mib / 2,
    }


def record(rows, powers=()):
    run = json.loads((RESULTS / "birds.json").read_text(encoding="utf-8"))["run"]
    written = [
        {"answers": 10**6, "tree": True, "cpu_seconds": 50.0, "peak_mib": 131.0}
        | {"written_mib": 205.5, "date": "2026-02-03"}
    ]
    curves = [
        {"curve": one.name, "varied": one.varied, "fixed": dict(one.fixed)}
        for one in CURVES
        if one.name in {row["curve"] for row in rows}
    ]
    return {
        "run": run,
        "curves": curves,
        "times": table(rows, TIMES),
        "exponents": table(powers, EXPONENTS),
        "synthesis": table(written, SYNTHESIS),
    }


def power(method, measure, exponent, margin):
    return {
        "curve": "answers",
        "method": method,
        "measure": measure,
        "exponent": exponent,
        "low": exponent - margin,
        "high": exponent + margin,
        "r2": 0.9876,
        "first": 1000,
        "last": 10_000_000,
    }


def section(*arguments):
    return render_page({"scaling": record(*arguments)}, parts=["scaling"])


def test_times_memory_and_the_ratio_to_a_peer():
    text = section(
        [
            row("answers", "majority", 1000, 0.00125, 4.0),
            row("answers", "ck-majority", 1000, 0.025, 40.0),
            row("answers", "majority", 10**7, 1.5, 1200.0),
        ]
    )
    assert "### One label an object: answers (5 answers an object, 5 classes, 200 workers)" in text
    assert "| 1,000 | 1.25 / 4.0 | 25.0 / 40 | 20.0 |" in text
    assert "| 10,000,000 | 1,500 / 1,200 | - | - |" in text
    assert "Where we lose: in no case against these peers." in text


def test_an_exponent_has_its_range_its_interval_and_its_fit():
    text = section([row("answers", "majority", 1, 1.0, 4.0)], [power("majority", "time", 0.5, 0.5)])
    assert "| `majority` | time | 1,000 to 10,000,000 | 0.50 [0.00, 1.00] | 0.988 |" in text


def test_where_a_peer_is_ahead_it_says_so():
    text = section(
        [
            row("answers", "majority", 1000, 0.2, 40.0),
            row("answers", "ck-majority", 1000, 0.1, 30.0),
        ]
    )
    assert "crowd-kit MajorityVote at 1,000 (answers) is faster than `majority`" in text
    assert "crowd-kit MajorityVote at 1,000 (answers) needs 30 MiB, `majority` 40." in text


@pytest.mark.parametrize(
    ("exponent", "method", "surely", "perhaps"),
    [
        pytest.param(1.3, "majority", True, False, id="surely-more"),
        pytest.param(1.1, "majority", False, True, id="perhaps"),
        pytest.param(1.01, "majority", False, False, id="hardly"),
        pytest.param(0.9, "majority", False, False, id="less"),
        pytest.param(1.3, "ck-majority", False, False, id="a-peer"),
    ],
)
@pytest.mark.parametrize("measure", ["time", "time of a round", "memory"])
def test_what_grows_faster_than_its_input_is_a_loss(exponent, measure, method, surely, perhaps):
    rows = [row("answers", "majority", 1000, 0.2, 40.0)]
    text = section(rows, [power(method, measure, exponent, 0.2)])
    assert ("These grow faster than in proportion: " in text) is surely
    assert ("their intervals reach down to 1" in text) is perhaps
    said = f"{measure} of `majority` against answers, 1,000 to 10,000,000, {exponent:.2f} ["
    assert (said in text) is (surely or perhaps)


def test_exponents_are_folded():
    text = section([row("answers", "majority", 1, 1.0, 4.0)], [power("majority", "time", 0.5, 0.5)])
    assert (
        "<summary>Exponents: One label an object: answers</summary>\n\n| method | what grows |"
        in text
    )


def test_sizes_in_the_text_are_those_of_the_code():
    text = section([row("answers", "majority", 1000, 0.2, 40.0)])
    assert f"below {LEAST_MIB:g} MiB takes no part" in text
    assert f"{PER_OBJECT} answers an object, {WORKERS} workers, written" in text


def test_synthesize_has_its_rate_and_its_peak():
    text = section([row("answers", "majority", 1000, 0.2, 40.0)])
    assert "| 1,000,000 | yes | 50.0 | 20,000 | 131 | 206 | 2026-02-03 |" in text


def test_every_curve_of_the_plot_is_measured_and_every_method_has_its_looks():
    drawn = [curve for panels in SCALING_ROWS for _, _, curves in panels for curve in curves]
    methods = {one.name: one.methods for one in CURVES}
    for curve, before in drawn:
        assert {before + method for method in methods[curve]} <= set(SCALING_LOOKS)


def test_workers_who_paint_have_a_tick_each(tmp_path):
    curve = "workers of masks, whole object"
    draw_scaling(
        record([row(curve, "ours", size, 0.1, 4.0) for size in (3, 7)]), tmp_path / "a.svg"
    )
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert ">3</text>" in text
    assert ">7</text>" in text


def test_the_plot_is_drawn_with_whatever_was_measured(tmp_path):
    rows = [row("answers", "majority", size, size / 1e6, size / 1e5) for size in (10**5, 10**6)]
    draw_scaling(record(rows), tmp_path / "scaling.svg")
    assert ET.parse(tmp_path / "scaling.svg").getroot().tag.endswith("svg")
    assert "crowd-kit" not in (tmp_path / "scaling.svg").read_text(encoding="utf-8")
