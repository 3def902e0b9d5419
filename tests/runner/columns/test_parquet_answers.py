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
from labeljob.history.job_files import AnswerTime
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.tasks.registry import JOB_TYPES
from tests.runner.command_line import run

ONE, SEVERAL = "image-multi-class", "image-multi-class-multi-label"
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


@pytest.mark.slow
def test_a_file_is_replayed_into_a_folder_beside_it(tmp_path):
    path = write(tmp_path, submitted=[datetime(2026, 3, 2, tzinfo=UTC)] * 6)
    outcome = run(replay, path, "--algorithm", "majority", "--json")
    assert outcome.exit_code == 0, outcome.output
    folder = path.with_suffix("") / "replays/majority"
    lines = [json.loads(line) for line in (folder / "object.manifest").read_text().splitlines()]
    assert [line["label"]["class-name"] for line in lines] == ["dog", "cat"]
    assert lines[1]["source-ref"] == "s3://images/1.jpg"
    assert lines[0]["label-metadata"]["creation-date"].startswith("2026-03-02")
    differences = json.loads(outcome.stdout)["differences"]
    assert (differences["labels-new"], differences["labels-changed"]) == (2, 0)
    assert differences["changed"] == []


def test_answers_are_read_one_by_one_as_the_page_submits_them(tmp_path):
    (answered,) = read(write(tmp_path)).answered(["1"])
    assert [item.content["crowd-image-classifier"]["label"] for item in answered.object.annotations]
    assert [item.worker_id for item in answered.object.annotations] == ["ann", "bob", "ann"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"worker": None}, "has no column worker", id="no-worker"),
        pytest.param({"task": None}, r"no column task \(or object\)", id="no-id"),
        pytest.param({"task": ["1"] * 5 + [""]}, "no id in the column task of row 6", id="id"),
        pytest.param(
            {"task": [1.0, 0.0, float("nan")] * 2}, "no id in the column task of row 3", id="nan-id"
        ),
        pytest.param(
            {"label": [{"name": "cat"}] * 6}, "column label of .* is of struct", id="kind"
        ),
        pytest.param({"label": [[["cat"]]] * 6}, "column label .* or a list of texts", id="lists"),
        pytest.param(
            {"label": pa.array([["cat"]] * 6, pa.list_view(pa.string()))},
            "column label of .* is of list_view",
            id="view",
        ),
        pytest.param({"submitted": [1772446500] * 6}, "column submitted of .* is of int", id="int"),
        pytest.param(
            {"seconds": ["1", "1", "1", "x", "1", "1"]},
            "column seconds of .* has 'x' in row 4, and is to be a number",
            id="no-number",
        ),
        pytest.param(
            {"submitted": ["2026-03-02T10:00Z"] * 4 + ["yesterday"] * 2},
            "the column submitted of .* has 'yesterday' in row 5, and is to be a timestamp",
            id="no-time",
        ),
        pytest.param(
            {"submitted": pa.array([0, 10**12] * 3, pa.timestamp("s"))},
            "the column submitted of .* in row 2, and is to be a timestamp",
            id="year-30000",
        ),
        pytest.param(
            {"worker": pa.array([b"a", b"\xff", b"c"] * 2)}, "column worker .* row 2", id="no-utf8"
        ),
        pytest.param({name: [] for name in ROWS}, "has no rows", id="no-rows"),
    ],
)
def test_a_file_that_is_no_table_of_answers_says_what_is_wrong(tmp_path, changes, problem):
    with pytest.raises(JobError, match=problem):
        read(write(tmp_path, **changes))


@pytest.mark.parametrize(
    ("label", "name", "task"),
    [
        pytest.param(pa.nulls(6), ONE, None, id="nothing"),
        pytest.param([None, "", "cat"] * 2, ONE, None, id="text"),
        pytest.param([None, [], ["cat"]] * 2, SEVERAL, None, id="list"),
        pytest.param(["cat"] * 6, SEVERAL, SEVERAL, id="text-as-list"),
        pytest.param([["cat"], ["cat", "dog"]] * 3, ONE, ONE, id="list-as-text"),
    ],
)
def test_the_column_of_labels_tells_the_job_type_unless_it_is_said(tmp_path, label, name, task):
    option = JOB_TYPES[task] if task else None
    job = read_job(find_job(str(write(tmp_path, label=label))), Given(task=option))
    assert job.task.name == name
    in_memory = {item.object.object_id: item for item in job.answered(job.object_ids())}
    for annotated in read_annotations(job):
        answers = in_memory[annotated.object_id].object.annotations
        assert len(answers) == len(annotated.workers) + len(annotated.rejected)
        for answer in answers:
            if answer.worker_id in annotated.workers:
                job.core.decode(answer.content, job.choices, job.settings)


def test_masks_are_not_in_a_parquet_file(tmp_path):
    with pytest.raises(JobError, match="names of classes as answers, and semantic-segmentation"):
        read_job(find_job(str(write(tmp_path))), Given(task=JOB_TYPES["semantic-segmentation"]))


def test_values_that_are_not_there_leave_the_others_standing(tmp_path):
    nan = float("nan")
    path = write(
        tmp_path,
        task=["0", "0", "1", "1", "2", "2"],
        worker=[1.0, nan, 3.0, 4.0, 5.0, 6.0],
        label=[["cat", None], ["cat"], [None], None, ["dog", "cat"], [None, "dog"]],
        submitted=["2026-03-02 10:00", "", None, "2026-03-02T11:00+01:00", None, None],
        seconds=[1.0, 2.0, nan, 4.0, -1.0, float("inf")],
    )
    first, second, third = read_annotations(read(path))
    assert (first.workers, first.choices.tolist()) == (("1",), [[1, 0]])
    assert [one.reason for one in first.rejected] == ["no-worker-id"]
    assert [one.reason for one in second.rejected] == ["no-content", "no-content"]
    assert third.choices.tolist() == [[1, 1], [0, 1]]
    ten = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert first.answer_times["1"] == AnswerTime(ten, 1.0)
    assert second.answer_times["4"] == AnswerTime(ten, 4.0)
    assert third.answer_times == {}


@pytest.mark.parametrize(
    "kind",
    [pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_text_of_any_kind_is_text(tmp_path, kind):
    labels = ["cat", "dog", "cat", None, "dog", "cat"]
    (tmp_path / "plain").mkdir()
    plain = read(write(tmp_path / "plain"))
    other = read(
        write(
            tmp_path, label=pa.array(labels).cast(kind), worker=pa.array(ROWS["worker"]).cast(kind)
        )
    )
    for one, two in zip(read_annotations(plain), read_annotations(other), strict=True):
        assert (one.workers, one.choices.tolist()) == (two.workers, two.choices.tolist())


def test_times_in_other_zones_and_nanoseconds_are_read(tmp_path):
    moment = datetime(2026, 3, 2, 10, tzinfo=UTC)
    nanoseconds = int(moment.timestamp()) * 10**9 + 123_456_789
    times = pa.array([nanoseconds] * 6, pa.timestamp("ns", "America/New_York"))
    first, *_ = read_annotations(read(write(tmp_path, submitted=times)))
    assert first.answer_times["ann"].submitted == moment.replace(microsecond=123_456)


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


@pytest.mark.slow
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
