"""Times, rates and costs follow from what the emulator's log says."""

import pytest

from benchmarks.lambdas.__main__ import (
    Effort,
    at_share,
    billed_ms,
    cost,
    cost_row,
    percentile,
    processor_share,
)
from benchmarks.lambdas.emulated import BATCH, Case, Observation, times_in
from labeljob.emulator import EmulatorError

LOG = """
22 Nov 2026 15:11:04,363 [INFO] (rapid) INIT REPORT(durationMs: 89.774000)
START RequestId: 1
{"level":"INFO","message":"batch consolidated"}
[INFO] (rapid) INVOKE RTDONE(status: success, produced bytes: 0, duration: 466.808000ms)
REPORT RequestId: 1	Init Duration: 0.02 ms	Duration: 556.77 ms	Billed Duration: 557 ms
[INFO] (rapid) INVOKE RTDONE(status: success, produced bytes: 0, duration: 0.603000ms)
"""


def seen(*, warm_ms=(10.0, 20.0), processor_ms=4.0):
    return Observation(
        init_ms=90.0,
        calls_ms=(500.0, *warm_ms),
        warm_seconds=sum(warm_ms) / 1000,
        processor_ms=processor_ms,
        peak_mb=50.0,
        process_mb=60.0,
        isolated=True,
    )


def test_start_and_calls_are_read_from_the_log():
    assert times_in(LOG, n_calls=2) == (89.774, (466.808, 0.603))


@pytest.mark.parametrize(
    ("log", "n_calls"),
    [
        pytest.param(LOG, 3, id="a-call-is-missing"),
        pytest.param(LOG + LOG, 4, id="it-started-twice"),
        pytest.param("", 0, id="it-never-started"),
    ],
)
def test_a_log_that_does_not_tell_of_what_was_done_is_refused(log, n_calls):
    with pytest.raises(EmulatorError, match="starts and"):
        times_in(log, n_calls=n_calls)


def test_the_first_call_is_not_a_warm_one():
    assert seen().first_ms == 500.0
    assert seen().warm_ms == (10.0, 20.0)


def test_what_was_measured_at_a_share_is_taken_as_it_is():
    assert at_share(seen(), 0.5, limited=True) == ((10.0, 20.0), 0.03)


def test_without_a_quota_only_the_processor_time_gets_longer():
    taken, seconds = at_share(seen(), 0.5, limited=False)
    assert taken == [14.0, 24.0]
    assert seconds == pytest.approx(0.038)


def test_more_than_one_processor_makes_nothing_shorter():
    assert at_share(seen(), 1.7, limited=False) == ((10.0, 20.0), 0.03)


@pytest.mark.parametrize(
    ("memory_mb", "share"), [(1769, 1.0), (512, 0.2894), (3538, 2.0)], ids=["one", "part", "two"]
)
def test_a_share_grows_with_memory(memory_mb, share):
    assert processor_share(memory_mb) == pytest.approx(share, abs=1e-4)


def test_calls_are_billed_by_the_whole_millisecond_each():
    assert billed_ms([0.1, 1.0, 1.1]) == pytest.approx(4 / 3)


def test_a_cost_is_its_requests_and_its_gb_seconds():
    row = {
        "function": "acs_image_multi_class",
        "memory_mb": 512,
        "own": False,
        "billed_ms": 100.0,
        "objects": 50,
    }
    found = cost_row(row)
    assert found["calls"] == 20
    assert found["gb_seconds"] == pytest.approx(1.0)
    assert found["usd_requests"] == pytest.approx(4e-6)
    assert found["usd_x86_64"] == pytest.approx(4e-6 + 1.66667e-5)
    assert found["usd_arm64"] == pytest.approx(4e-6 + 1.33334e-5)


def test_a_batch_that_is_not_full_is_a_call_too():
    assert cost(billed=1, memory_mb=1024, objects_per_call=300)["calls"] == 4


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 3.0), (95, 5.0), (100, 5.0)], ids=str
)
def test_percentiles(percent, expected):
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], percent) == expected


def test_masks_are_called_less_often(tmp_path):
    effort = Effort(calls=200, mask_calls=5)

    def calls(function, name):
        case = Case(function=function, name=name, event={}, folder=tmp_path, n_objects=1)
        return effort.calls_of(case)

    assert calls("acs_semantic_segmentation", BATCH) == 5
    assert calls("acs_semantic_segmentation", "example") == 200
    assert calls("acs_image_multi_class", BATCH) == 200
