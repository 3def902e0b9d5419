"""The quick benchmark says what is not as it has to be."""

from types import SimpleNamespace

import pytest

from benchmarks.common.record import table
from benchmarks.quick import problems_of

pytestmark = pytest.mark.slow

CROWDS = [SimpleNamespace(name="equal-crew"), SimpleNamespace(name="spammed-crew")]


def results(*, accuracy=0.9, brier=0.1, gain=0.02):
    rows = [
        {"set": crowd.name, "votes": "all", "method": method, "accuracy": right, "brier": loss}
        for crowd in CROWDS
        for method, right, loss in (("majority", 0.85, 0.2), ("calibrated", accuracy, brier))
    ]
    gains = [{"variant": "kept", "votes": "all", "call_size": 10, "gain": gain}]
    found = {"scores": table(rows, ("set", "votes", "method", "accuracy", "brier"))}
    return found, {"gains": table(gains, ("variant", "votes", "call_size", "gain"))}


def test_good_figures_are_no_problem():
    assert problems_of(*results(), CROWDS) == []


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        pytest.param({"accuracy": 0.8}, "spammed-crew: calibrated is less often", id="accuracy"),
        pytest.param({"brier": 0.3}, "equal-crew: calibrated has a worse", id="brier"),
        pytest.param({"gain": 0.0}, "kept skill gains nothing in calls of 10", id="skill"),
    ],
)
def test_a_bad_figure_is_named(figures, said):
    assert problems_of(*results(**figures), CROWDS)[0].startswith(said)
