"""Cases are timed, cut off and recorded as the benchmarks say."""

import contextlib
import json

import numpy as np
import pytest

from benchmarks.classification.replay import replay, replay_calls
from benchmarks.common.crowds import Crowd
from benchmarks.common.measure import measure_all
from benchmarks.common.record import rounded, rows_of, run_record, table, write_result
from benchmarks.common.scores import item_losses, paired_intervals, reliability, winners


@pytest.fixture
def crowd():
    rng = np.random.default_rng(0)
    truths = rng.integers(0, 3, 40)
    items, workers = np.repeat(np.arange(40), 3), np.tile(np.arange(3), 40)
    classes = np.where(rng.random(120) < 0.7, truths[items], rng.integers(0, 3, 120))
    return Crowd("small", items, workers, classes, 40, 3, 3, truths)


def measured(crowd, tmp_path, capsys, method, *options):
    crowd.save(tmp_path / "small.npz")
    measure_all(
        ["case", "method", str(tmp_path), str(tmp_path / "small.npz"), *options],
        prepare=lambda given: given,
        methods={"method": method},
        table=lambda found: found,
    )
    return json.loads(capsys.readouterr().out)


def test_a_case_is_timed_and_its_result_kept(crowd, tmp_path, capsys):
    line = measured(crowd, tmp_path, capsys, lambda given: np.eye(3), "--once")
    assert (line["crowd"], line["answers"], line["repetitions"]) == ("small", 120, 1)
    np.testing.assert_array_equal(np.load(tmp_path / "small.method.npy"), np.eye(3))


def test_a_case_that_takes_too_long_is_cut_off_and_said_so(crowd, tmp_path, capsys):
    def endless(given):
        while True:
            with contextlib.suppress(Exception):  # as a peer might
                sum(range(1000))

    line = measured(crowd, tmp_path, capsys, endless, "--limit", "0.2")
    assert line == {"crowd": "small", "method": "method", "answers": 120, "cut_off_after": 0.2}
    assert not (tmp_path / "small.method.npy").exists()


def test_a_table_comes_back_as_it_was(tmp_path):
    rows = [{"a": 1, "b": 0.123456789, "c": None}, {"a": "x", "b": float("nan"), "c": True}]
    write_result(tmp_path / "result.json", {"run": {"seed": 1}, "t": table(rows, ("a", "b", "c"))})
    stored = json.loads((tmp_path / "result.json").read_text())
    assert rows_of(stored["t"]) == [
        {"a": 1, "b": 0.12346, "c": None},
        {"a": "x", "b": None, "c": True},
    ]
    assert rounded(1234567.0) == 1234600.0


def test_a_record_names_the_command_and_no_path():
    record = run_record("benchmarks.x", {"data": "FOLDER", "votes": [1, 3], "keep": None}, seed=5)
    assert record["command"] == "python -m benchmarks.x --data FOLDER --votes 1 3"
    assert record["seed"] == 5
    assert "/" not in json.dumps(record)


def test_losses_of_items_are_right_or_wrong_brier_and_log_loss():
    posterior = np.array([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]])
    losses = item_losses(posterior, np.array([0, 0, -1]))
    np.testing.assert_allclose(losses[:, 0], [1, 0])
    np.testing.assert_allclose(losses[:, 1], [0.08, 0.72])
    np.testing.assert_allclose(losses[:, 2], -np.log([0.8, 0.4]))


def test_intervals_surround_the_mean_and_every_set_counts_the_same():
    small, large = np.full((10, 1), 1.0), np.zeros((1000, 1))
    assert set(paired_intervals(["gain"], [small, large]).values()) == {0.5}
    coins = np.random.default_rng(0).integers(0, 2, (400, 1)).astype(float)
    found = paired_intervals(["gain"], [coins])
    assert found["gain_low"] < found["gain"] < found["gain_high"]
    assert 0.07 < found["gain_high"] - found["gain_low"] < 0.12  # 4 times .5 / sqrt(400) = .1


def test_bins_of_a_reliability_plot_hold_every_item_once():
    posterior = np.array([[0.95, 0.05], [0.55, 0.45], [0.95, 0.05]])
    bins = reliability(*winners(posterior, np.array([0, 1, 1])))
    assert [(b["bin"], b["items"], b["accuracy"]) for b in bins] == [(8, 1, 0.0), (14, 2, 0.5)]


def test_one_call_of_everything_is_the_job_at_once(crowd):
    whole = replay_calls(crowd, [np.arange(40)], "fresh")
    np.testing.assert_array_equal(replay(crowd, 40, "fresh"), whole)
    np.testing.assert_array_equal(replay(crowd, 40, "kept"), whole)
