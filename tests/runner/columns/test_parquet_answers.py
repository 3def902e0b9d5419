"""A Parquet file of answers is a job."""

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from labeljob.columns.parquet_answers import TableLines
from labeljob.commands.replay import replay
from labeljob.history.job import Given, read_annotations, read_job
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from tests.runner.command_line import run

ROWS = {
    "task": ["1", "0", "1", "0", "1", "0"],
    "worker": ["ann", "ann", "bob", "bob", "ann", None],
    "label": ["cat", "dog", "cat", None, "dog", "cat"],
    "source": ["s3://images/1.jpg", None, None, None, None, None],
    "comment": [None, " dark ", "", None, None, "who am I"],
    "seconds": [1, 2, 3, 4, None, 6],
}


def write(folder, **changes):
    path = folder / "bucket" / "answers.parquet"
    path.parent.mkdir()
    columns = {name: values for name, values in (ROWS | changes).items() if values is not None}
    parquet.write_table(pa.table(columns), path, row_group_size=2)
    return path


def read(path):
    return read_job(find_job(str(path)), Given())


def test_rows_in_any_order_are_the_answers_to_each_data_object(tmp_path):
    job = read(write(tmp_path))
    first, second = read_annotations(job)
    assert (job.task.name, job.name) == ("image-multi-class", "labeling-job/answers")
    assert (job.classes, job.classes_from) == (("cat", "dog"), "answers")
    assert (first.object_id, first.workers, first.choices.tolist()) == ("0", ("ann",), [[1]])
    assert [(one.worker_id, one.reason) for one in first.rejected] == [
        ("bob", "no-content"),
        ("", "no-worker-id"),
    ]
    assert first.comments == {"ann": "dark", "": "who am I"}
    assert (second.workers, second.choices.tolist()) == (("bob", "ann"), [[0], [1]])
    assert [one.reason for one in second.rejected] == ["superseded"]
    assert second.answer_times["bob"].seconds == 3.0
    assert [line.source for line in job.lines] == ["", "s3://images/1.jpg"]
    assert not job.damage.damages


def test_numbers_and_lists_are_taken_too(tmp_path):
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    path = write(
        tmp_path,
        object=[10, 2, 2, 10, 2, 10],
        task=None,
        worker=[1, 2, 3, 1, 2, 3],
        label=[["cat", "dog"], ["dog"], [], None, ["cat"], ["eel"]],
        submitted=[moment] * 6,
    )
    job = read(path)
    first, second = read_annotations(job)
    assert job.task.name == "image-multi-class-multi-label"
    assert (first.object_id, second.object_id) == ("2", "10")
    assert (second.workers, second.choices.tolist()) == (("1", "3"), [[1, 1, 0], [0, 0, 1]])
    assert second.answer_times["1"].submitted == moment
    assert [one.reason for one in first.rejected] == ["empty-answer", "superseded"]


def test_a_file_is_replayed_into_a_folder_beside_it(tmp_path):
    path = write(tmp_path, submitted=[datetime(2026, 3, 2, tzinfo=UTC)] * 6)
    outcome = run(replay, path, "--algorithm", "majority", "--json")
    assert outcome.exit_code == 0, outcome.output
    folder = path.with_suffix("") / "replays/majority"
    lines = [json.loads(line) for line in (folder / "object.manifest").read_text().splitlines()]
    assert [line["label"]["class-name"] for line in lines] == ["dog", "cat"]
    assert lines[1]["source-ref"] == "s3://images/1.jpg"
    assert lines[0]["label-metadata"]["creation-date"].startswith("2026-03-02")


def test_answers_are_read_one_by_one_as_the_page_submits_them(tmp_path):
    (answered,) = read(write(tmp_path)).answered(["1"])
    assert [item.content["crowd-image-classifier"]["label"] for item in answered.object.annotations]
    assert [item.worker_id for item in answered.object.annotations] == ["ann", "bob", "ann"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"worker": None}, "has no column worker", id="no-worker"),
        pytest.param({"task": None}, r"no column task \(or object\)", id="no-id"),
        pytest.param({"task": ["1"] * 5 + [""]}, "a row without an id in the column task", id="id"),
        pytest.param({"seconds": ["x"] * 6}, "the column seconds of .* is of string", id="kind"),
    ],
)
def test_a_file_that_is_no_table_of_answers_says_what_is_wrong(tmp_path, changes, problem):
    with pytest.raises(JobError, match=problem):
        read(write(tmp_path, **changes))


def test_what_is_no_parquet_file_is_refused(tmp_path):
    path = write(tmp_path)
    path.write_text("task,worker,label\n")
    with pytest.raises(JobError, match="cannot be read as a Parquet file"):
        read(path)


def test_its_data_objects_are_lines_made_when_they_are_asked_for(tmp_path):
    job = read(write(tmp_path))
    assert isinstance(job.lines, TableLines)
    first, second = job.lines
    assert [(line.object_id, line.source) for line in (first, second)] == [
        ("0", ""),
        ("1", "s3://images/1.jpg"),
    ]
    assert (job.lines[-1], *job.lines[:1]) == (second, first)
    assert [line.object_id for line in job.lines.take(np.array([1]))] == ["1"]


def test_a_file_in_s3_is_a_job_there_and_copied_once(tmp_path, s3_server, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    s3_server.create_bucket(Bucket="jobs")
    body = write(tmp_path).read_bytes()
    s3_server.put_object(Bucket="jobs", Key="done/answers.parquet", Body=body)
    outcome = run(replay, "s3://jobs/done/answers.parquet", "--algorithm", "majority", "--json")
    assert outcome.exit_code == 0, outcome.output
    key = "done/answers/replays/majority/builtin.manifest"
    lines = s3_server.get_object(Bucket="jobs", Key=key)["Body"].read().splitlines()
    assert json.loads(lines[1])["source-ref"] == "s3://images/1.jpg"
    (copy,) = (tmp_path / "cache").rglob("table-*/answers.parquet")
    assert copy.read_bytes() == body
    outcome = run(replay, "s3://jobs/done/gone.parquet")
    assert outcome.exit_code == 1
    assert "s3://jobs/done/gone.parquet" in outcome.stderr
