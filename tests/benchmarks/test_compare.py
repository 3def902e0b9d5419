"""Two runs are compared: quality exactly, ratios within 15 %, times not at all."""

import json

import pytest

from benchmarks.common.record import RESULTS, table, write_result
from benchmarks.compare import compare, main, report

PEER = "ck-dawid-skene-20-rounds"


def quality_result(*, accuracy=0.9, seconds=1.0, glad=0.8, cut=()):
    rows = [
        {"set": "rte", "votes": 3, "method": "calibrated", "accuracy": accuracy},
        {"set": "rte", "votes": 3, "method": "ck-glad", "accuracy": glad},
    ]
    rows = [row | {"cpu_seconds": seconds} for row in rows if row["accuracy"] is not None]
    means = [{"votes": 3, "method": "ck-glad", "sets": 2, "brier": glad}]
    return {
        "run": {"date": f"{seconds}"},
        "averaged": ["rte"],
        "scores": table(rows, ("set", "votes", "method", "accuracy", "cpu_seconds")),
        "differences": table(means, ("votes", "method", "sets", "brier")),
        "cut_off": list(cut),
    }


def speed_result(*, ours=1.0, peer=10.0):
    rows = [
        {"answers": 450, "classes": 10, "method": "calibrated", "cpu_seconds": ours},
        {"answers": 450, "classes": 10, "method": PEER, "cpu_seconds": peer},
    ]
    exponents = [{"method": "calibrated", "exponent": ours}]
    times = table(rows, ("answers", "classes", "method", "cpu_seconds"))
    return {"run": {}, "times": times, "exponents": exponents}


def scaling_result(*, ours=1.0, rounds=8):
    names = ("curve", "method", "size", "cpu_seconds", "rounds")
    rows = [
        ("answers", "majority", 1000, ours, None),
        ("answers", "ck-majority", 1000, 5.0, None),
        ("answers", "calibrated", 1000, ours, rounds),
    ]
    times = table([dict(zip(names, row, strict=True)) for row in rows], names)
    written = table([{"answers": 1000, "cpu_seconds": ours}], ("answers", "cpu_seconds"))
    return {"run": {}, "times": times, "synthesis": written}


@pytest.fixture
def folders(tmp_path):
    def make(name, first, second):
        for folder, result in (("old", first), ("new", second)):
            write_result(tmp_path / folder / f"{name}.json", result)
        return tmp_path / "old", tmp_path / "new"

    return make


def test_a_run_is_equal_to_itself():
    found = compare(RESULTS, RESULTS)
    assert (found.differing, found.moved, found.cut_off, found.alone) == ([], [], 0, [])
    assert found.equal > 1000
    assert found.ratios > 10


def test_a_quality_figure_that_differs_is_named_and_fails(folders, capsys, monkeypatch):
    old, new = folders("quality", quality_result(), quality_result(accuracy=0.91))
    monkeypatch.setattr("sys.argv", ["compare", str(old), str(new)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().out.splitlines()
    row = "set rte, votes 3, method calibrated"
    assert said[0] == f"quality, scores, {row}: accuracy: 0.9 -> 0.91"
    assert said[-1].startswith("4 quality figures equal, 1 differ, 0 of peers")


def test_times_may_differ(folders, capsys, monkeypatch):
    old, new = folders("quality", quality_result(), quality_result(seconds=2.0))
    monkeypatch.setattr("sys.argv", ["compare", str(old), str(new)])
    main()
    assert capsys.readouterr().out.startswith("5 quality figures equal, 0 differ")


def test_a_row_that_one_run_lacks_is_a_difference(folders):
    found = compare(*folders("quality", quality_result(), quality_result(glad=None)))
    assert "quality, scores, set rte, votes 3, method ck-glad: accuracy: 0.8 -> not there" in (
        found.differing
    )


def test_a_peer_that_was_cut_off_may_differ_and_so_may_its_means(folders):
    case = {"set": "rte", "votes": 3, "method": "ck-glad"}
    ended = quality_result(glad=None, cut=[case | {"why": "cut off after 15 CPU seconds"}])
    found = compare(*folders("quality", quality_result(), ended))
    assert (found.differing, found.cut_off) == ([], 2)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"set": "rte", "votes": 3, "why": "not run: too large"}, id="never-run"),
        pytest.param({"set": "web", "votes": 3, "why": "cut off after 15"}, id="other-set"),
    ],
)
def test_what_was_not_cut_off_may_not_differ(folders, entry):
    ended = quality_result(cut=[entry | {"method": "ck-glad"}])
    other = quality_result(glad=0.7, cut=[entry | {"method": "ck-glad"}])
    found = compare(*folders("quality", ended, other))
    assert any("set rte, votes 3, method ck-glad" in line for line in found.differing)


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        pytest.param(1.14, [], id="within"),
        pytest.param(
            2.0,
            [f"ratio {PEER} / calibrated, 450 answers, 10 classes: 10 -> 5 (-50 %)"],
            id="beyond",
        ),
    ],
)
def test_a_ratio_that_moved_is_told_and_no_failure(folders, seconds, lines):
    results = speed_result(), speed_result(ours=seconds)
    found = compare(*folders("classification-speed", *results))
    assert (found.moved, found.differing, found.ratios) == (lines, [], 1)


def test_the_scaling_curves_have_ratios_to_peers_and_exact_rounds(folders):
    found = compare(*folders("scaling", scaling_result(), scaling_result(ours=0.5, rounds=9)))
    assert found.moved == ["ratio ck-majority / majority, answers 1,000: 5 -> 10 (+100 %)"]
    assert found.differing == [
        "scaling, times, curve answers, method calibrated, size 1000: rounds: 8 -> 9"
    ]


def test_rows_alike_are_told_apart_by_their_order(folders):
    first = {"crowds": [{"crowd": "a", "mean_iou": {"majority": n}} for n in (0.1, 0.2)]}
    second = {"crowds": [{"crowd": "a", "mean_iou": {"majority": n}} for n in (0.1, 0.3)]}
    found = compare(*folders("segmentation-quality", first, second))
    assert found.differing == [
        "segmentation-quality, crowds, crowd a, again 2: mean_iou.majority: 0.2 -> 0.3"
    ]


@pytest.mark.parametrize(
    ("file", "table_name"),
    [
        pytest.param("lambda", "warm", id="file"),
        pytest.param("segmentation-quality", "peer_cpu_seconds", id="table"),
    ],
)
def test_what_holds_times_alone_is_not_compared(folders, file, table_name):
    results = [{table_name: {"SimpleITK": seconds}} for seconds in (1.0, 2.0)]
    found = compare(*folders(file, *results))
    assert (found.differing, found.equal) == ([], 0)


def test_a_file_in_one_folder_only_is_told(folders):
    old, new = folders("scaling", scaling_result(), scaling_result())
    (new / "lambda.json").write_text(json.dumps({"run": {}}))
    assert next(iter(report(compare(old, new)))).endswith("in one folder only: lambda.json")


def test_folders_without_a_common_file_are_a_mistake(tmp_path):
    with pytest.raises(FileNotFoundError, match="no results"):
        compare(tmp_path, RESULTS)
