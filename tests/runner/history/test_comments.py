"""What workers write beside their answers."""

import json

import pytest

from groundtruth.contract.acs import Annotation
from labeljob.commands.explain import explain
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.commands.tables import tables
from labeljob.history.comments import read_comments
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

SCRIPT = "<script>alert(1)</script> & {{ 7 * 7 }} \x1b[31m"


def comments_of(content):
    return read_comments([Annotation(worker_id="ann", content=content, uri=None)]).get("ann")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"crowd-image-classifier": {"label": "cat", "workerComment": " two cats "}}, "two cats"),
        ({"crowd-image-classifier": {"label": "cat"}, "workerComment": "blank"}, "blank"),
        ({"x": {"labels": ["cat"]}, "comments": ["one", "", "two", 3, "one"]}, "one\ntwo"),
        ({"x": {"labels": ["cat"]}, "crowd-text-area": "a\nb"}, "a\nb"),
        ({"x": {"label": "cat"}, "Worker-Comment": "a", "my-notes": "b"}, "a\nb"),
        ([{"x": {"label": "cat"}, "remarks": "in a list"}], "in a list"),
        ({"workerComment": "of no answer"}, "of no answer"),
        ({"comment": {"comment": True}, "x": {"label": "comment"}, "annotation": "no"}, None),
        ({"comment": None, "comments": 7, "feedback": {"a": ["b"]}, "remark": [[["x"]]]}, None),
        ({"comment": "  "}, None),
        ("cat", None),
        ("{", None),
        (None, None),
        ([], None),
    ],
)  # fmt: skip
def test_comments_are_found_beside_and_within_a_value(content, expected):
    assert comments_of(content) == expected
    if isinstance(content, dict):
        assert comments_of(json.dumps(content)) == expected
        assert comments_of(json.dumps(json.dumps(content))) == expected


def test_half_of_a_surrogate_pair_can_be_written_everywhere():
    content = {"comment": "half \ud83d"}
    assert comments_of(content) == "half \\ud83d"
    assert comments_of(json.dumps(content)) == "half \ufffd"


@pytest.fixture
def commented(zoo):
    """Comments on object 1: one that wants to be code, a long one, and one of no answer."""
    answers = {
        "ann": {**on_disk.chosen("dog"), "comments": SCRIPT},
        "bob": {"crowd-image-classifier": {"label": "dog", "workerComment": "long " * 20_000}},
        "cy": {"crowd-image-classifier": {"label": "ferret"}, "notes": "no such \ud83d label"},
        "di": on_disk.chosen("cat"),
    }
    on_disk.write(on_disk.response_path(zoo, "1"), on_disk.response(answers))
    return zoo


def outcome_of(command, *arguments):
    outcome = run(command, *arguments)
    assert outcome.exit_code == 0, outcome.output
    return outcome


@pytest.mark.slow
def test_commands_show_comments_and_labels_do_not_change(commented, tmp_path):
    labels = ("--labels", "cat,dog,eel", "--algorithm", "majority")
    result = json.loads(outcome_of(replay, commented, *labels, "--json").stdout)
    assert list(result["comments"]) == ["1"]
    said = result["comments"]["1"]
    assert list(said) == ["ann", "bob", "cy"]
    assert said["ann"] == SCRIPT
    assert len(said["bob"]) == 99_999
    assert said["cy"] == "no such \ufffd label"
    folder = commented / "replays/majority"
    assert json.loads((folder / "replay.json").read_text())["comments"] == result["comments"]
    assert "alert" not in (folder / "object.manifest").read_text()
    assert "alert" not in (folder / "builtin.manifest").read_text()

    explained = json.loads(outcome_of(explain, commented, "1", *labels, "--json").stdout)
    assert explained["comments"] == said
    shown = outcome_of(explain, commented, "1", *labels).stderr
    assert "comment of ann: <script>alert(1)</script>" in shown
    assert "\x1b[31m" not in shown
    assert len(shown) < 5000
    assert "comment of cy: no such" in shown

    page = tmp_path / "report.html"
    reported = json.loads(outcome_of(report, commented, *labels[:2], "-o", page, "--json").stdout)
    assert reported["comments"] == {"1": said}
    text = page.read_text(encoding="utf-8")
    assert "What workers wrote" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }}" in text
    assert "<script>alert" not in text
    assert text.count("long ") < 200

    outcome_of(tables, commented, "--labels", "cat,dog,eel", "-o", tmp_path / "tables")
    pq = pytest.importorskip("pyarrow.parquet")
    rows = pq.read_table(tmp_path / "tables/answers.parquet").to_pylist()
    told = {row["worker_id"]: row["comment"] for row in rows if row["object_id"] == "1"}
    assert told == {**said, "di": None}
    assert {row["worker_id"] for row in rows if not row["usable"]} == {"cy"}


@pytest.mark.slow
def test_a_job_without_comments_says_nothing_of_them(zoo, tmp_path):
    page = tmp_path / "report.html"
    outcome_of(report, zoo, "-o", page)
    assert "What workers wrote" not in page.read_text(encoding="utf-8")
    assert "wrote comments" not in outcome_of(replay, zoo).stderr
