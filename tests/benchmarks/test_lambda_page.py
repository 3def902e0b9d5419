"""The page's section on the Lambda functions says what was measured, how, and where we lose."""

import pytest

from benchmarks.common.record import table
from benchmarks.report.__main__ import render_page
from benchmarks.report.figures import aims, expand

PRE, ACS = "pre_image_multi_class", "acs_image_multi_class"
RUN = {
    "command": "python -m benchmarks.lambdas",
    "seed": 1,
    "date": "2026-01-01",
    "machine": {"processor": "P", "cores": 2, "system": "Linux x86_64"},
    "versions": {"python": "3.13.0"},
}


def rows(*given):
    return table(given, list(given[0]))


def measured(*, init_ms, batch_ms):
    start = {"function": PRE, "share": 1.0, "starts": 3, "init_ms_best": 80.0, "peak_mb": 50.0}
    start |= {"init_ms": init_ms, "first_ms_best": 400.0, "first_ms": 500.0, "memory_mb": None}
    slow = start | {"memory_mb": 256, "share": 0.14, "first_ms": 3400.0}
    warm = {"calls": 9, "ms_best": 0.3, "ms_p95": 20.0, "processor_ms": 1.0, "peak_mb": 50.0}
    warm |= {"process_mb": 70.0, "objects": 1, "function": PRE, "input": "example"}
    batch = warm | {"function": ACS, "input": "50 x 9", "objects": 50}
    imports = {"what": "a classification ACS function", "cpu_ms_best": 103.0, "wall_ms": 105.0}
    return {
        "sizes": rows({"function": PRE, "mb": 7.3}, {"function": ACS, "mb": 78.9}),
        "imports": rows(imports | {"cpu_ms": 104.0}),
        "starts": rows(start, slow),
        "warm": rows(
            warm | {"objects_from": "S3", "ms_p50": 0.42},
            batch | {"objects_from": "S3", "ms_p50": 25.0},
            batch | {"objects_from": "folder", "ms_p50": batch_ms},
        ),
    }


def priced(*, own_cost):
    rate = {"function": ACS, "input": "50 x 9", "objects": 50, "memory_mb": 1024, "own": True}
    rate |= {"share": 0.58, "calls": 9, "ms_mean": 19.9, "billed_ms": 20.0, "peak_mb": 66.0}
    rate |= {"objects_per_second": 2500.4, "processor_ms": 13.0}
    cost = {"function": ACS, "memory_mb": 1024, "own": True, "calls": 20, "billed_ms": 20.0}
    cost |= {"gb_seconds": 0.4, "usd_requests": 4e-6, "usd_x86_64": own_cost, "usd_arm64": 9e-6}
    cheap = {"memory_mb": 512, "own": False}
    return {
        "rates": rows(rate, rate | cheap | {"share": 0.29}),
        "costs": rows(cost, cost | cheap | {"usd_x86_64": 9e-6}),
        "prices": {
            "source": "List",
            "as_of": "2026-01-01",
            "usd_per_gb_second": {"x86_64": 1.6e-5, "arm64": 1.3e-5},
            "usd_per_request": 2e-7,
            "objects": 1000,
        },
    }


def record(*, limits=True, init_ms=90.0, batch_ms=12.0, own_cost=2e-5):
    conditions = {
        "meter": "control group, version 2" if limits else "the processes' own counters",
        "limits": limits,
        "period_ms": 20.0,
        "mb_per_processor": 1769,
        "mask_size": "640x480",
        "versions": {"SAM CLI": "1.0", "boto3": None},
    }
    figures = measured(init_ms=init_ms, batch_ms=batch_ms) | priced(own_cost=own_cost)
    return {"run": RUN, "conditions": conditions} | figures


def section(**changes):
    return render_page({"lambdas": record(**changes)}, parts=["lambdas"])


def test_figures_stand_beside_their_aims():
    text = section()
    assert "| PRE: start (init), whole processor, slowest function's median | 90.0 ms |" in text
    assert "| PRE: warm call, slowest function's median | 0.42 ms | below 2 ms |" in text
    assert "without S3, slower function's median | 12.0 ms | below 15 ms |" in text
    assert "no aim was missed." in text


def test_a_missed_aim_is_a_loss():
    assert [aim["reached"] for aim in aims(expand(record(init_ms=190.0)))].count(False) == 1
    assert "missed: PRE: start (init)" in section(init_ms=190.0)
    assert "190 ms, the aim is below 150 ms" in section(init_ms=190.0)


def test_an_aim_without_a_figure_is_left_out():
    found = record()
    found["warm"]["rows"] = []
    assert not any("warm" in aim["what"] for aim in aims(expand(found)))


def test_the_slowest_first_call_is_a_loss():
    assert "`pre_image_multi_class` takes 3.4 s at 0.14 vCPU" in section()


def test_memory_that_costs_more_than_it_brings_is_a_loss():
    assert "its own 1024 MB" in section(own_cost=2e-5)
    assert "its own 1024 MB" not in section(own_cost=1e-5)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        pytest.param(True, "kept by a quota of a control group in periods of 20 ms", id="group"),
        pytest.param(False, "This machine lets no control group be made.", id="counters"),
    ],
)
def test_how_a_share_is_emulated_is_said(limits, said):
    text = section(limits=limits)
    assert said in text
    assert "an emulation, not AWS" in text
    assert "Not Firecracker" in text


def test_the_arithmetic_of_a_cost_is_shown():
    text = section(own_cost=1.04e-5)
    assert "20 calls x 20 ms x 1024 / 1024 GB = 0.4 GB-s" in text
    assert "0.4 x $0.0000160000 + 20 x $0.0000002 = $0.0000104" in text


def test_cold_starts_are_not_in_the_price():
    assert "cold starts are not in it: AWS bills the init of managed runtimes, too." in section()


def test_what_measured_it_is_said():
    assert "Emulator: SAM CLI 1.0; measured by control group, version 2." in section()
