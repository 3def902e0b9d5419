"""A finished job as frames."""

import json
import shutil
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from groundtruth.errors import GroundTruthError
from labeljob.api import arrow_frames
from labeljob.api.classification import AwsBuiltin, CalibratedDawidSkene, WeightedVote
from labeljob.api.jobs import read_job
from labeljob.api.segmentation import SegmentationFusion
from labeljob.commands.replay import replay
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk
from tests.runner.history.test_two_passes import make_harbour

VOTES = {
    "0": {"ann": "cat", "bob": "cat", "cy": "dog"},
    "1": {"ann": "dog", "bob": "dog"},
}


@pytest.fixture
def zoo(tmp_path):
    """A job of one label with a comment, an answer that is none, and one of no class."""
    folder = on_disk.make_job(tmp_path / "bucket" / "zoo", VOTES, ["cat", "dog"])
    answers = {"ann": on_disk.chosen("dog") | {"workerComment": "a pug"}, "bob": {}}
    answers |= {"cy": on_disk.chosen("yak")}
    on_disk.write(on_disk.response_path(folder, "1"), on_disk.response(answers, seconds=20))
    return folder


def rows_of(frame, *columns):
    return frame[list(columns)].to_numpy().tolist()


def test_answers_that_count(zoo):
    job = read_job(zoo, labels=on_disk.CLASSES)
    assert rows_of(job.answers, "task", "worker", "label") == [
        ["0", "ann", "cat"],
        ["0", "bob", "cat"],
        ["0", "cy", "dog"],
        ["1", "ann", "dog"],
    ]
    assert job.answers["label"].cat.categories.tolist() == ["cat", "dog", "eel"]
    assert job.answers["seconds"].tolist() == [10, 10, 10, 20]
    assert job.answers["submitted"].tolist()[3] == datetime(2026, 3, 2, 10, 0, 20, tzinfo=UTC)
    assert job.answers["comment"].isna().tolist() == [True, True, True, False]
    assert job.answers["comment"][3] == "a pug"
    assert rows_of(job.rejected, "task", "worker") == [["1", "bob"], ["1", "cy"]]
    assert job.rejected["reason"][1] == "unknown-label"
    assert (job.task, job.classes, job.n_classes) == ("image-multi-class", on_disk.CLASSES, 3)
    assert "zoo" in repr(job)


@pytest.mark.parametrize(
    "time",
    [
        {"timeSpentInSeconds": 10**400},
        {"timeSpentInSeconds": float("nan")},
        {"timeSpentInSeconds": float("inf")},
        {"timeSpentInSeconds": 1, "submissionTime": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_times_that_are_none(zoo, time):
    path = on_disk.response_path(zoo, "0")
    content = json.loads(path.read_text())
    content["answers"] = [{"workerId": "ann", "answerContent": on_disk.chosen("cat"), **time}]
    on_disk.write(path, content)
    answers = read_job(zoo, labels=on_disk.CLASSES).answers
    assert answers["worker"].tolist() == ["ann", "ann"]
    assert answers["submitted"].isna().tolist() == [True, False]
    assert answers["seconds"].fillna(0).tolist() == [1 if "submissionTime" in time else 0, 20]


def test_labels_of_the_manifest(zoo):
    lines = [on_disk.builtin_line(0, "dog", 0.8, second=7), {"source-ref": "s3://images/1.jpg"}]
    on_disk.write_manifest(zoo, [*lines, "{damaged"])
    job = read_job(zoo, labels=("cat", "dog"))
    assert job.labels.columns.tolist() == [
        "task",
        "source",
        "label",
        "confidence",
        "status",
        "labeled",
    ]
    assert rows_of(job.labels[:2], "task", "source") == [
        ["0", "s3://images/0.jpg"],
        ["1", "s3://images/1.jpg"],
    ]
    assert job.labels["label"].isna().tolist() == [False, True, True]
    assert (job.labels["label"][0], job.labels["confidence"][0]) == ("dog", 0.8)
    assert job.labels["labeled"][0] == datetime(2026, 3, 2, 10, 0, 7, tzinfo=UTC)
    assert job.problems["problem"].str.contains("no JSON object").any()
    with pytest.raises(AttributeError, match="no masks"):
        next(job.iter_masks())


def test_several_labels(tmp_path):
    votes = {"0": {"ann": ["dog", "cat"], "bob": ["dog"]}, "1": {"ann": ["eel"]}}
    folder = on_disk.make_multi_label_job(tmp_path / "b" / "zoo", votes, [["cat", "dog"], ["eel"]])
    job = read_job(folder)
    assert [list(label) for label in job.answers["label"]] == [["dog", "cat"], ["dog"], ["eel"]]
    assert [list(label) for label in job.labels["label"]] == [["cat", "dog"], ["eel"]]
    assert [list(one) for one in job.labels["confidences"]] == [[0.5, 0.95], [0.95]]


def test_answers_that_are_not_there(zoo):
    expected = read_job(zoo, frames="arrow", labels=on_disk.CLASSES).answers.schema
    shutil.rmtree(zoo / "annotations")
    job = read_job(zoo, frames="arrow", labels=on_disk.CLASSES)
    assert (job.answers.num_rows, job.rejected.num_rows) == (0, 0)
    assert job.answers.schema == expected


@pytest.mark.parametrize("kind", [pl.DataFrame, pa.Table])
def test_frames_of_other_libraries(zoo, kind):
    name = "polars" if kind is pl.DataFrame else "arrow"
    job = read_job(zoo, frames=name, labels=on_disk.CLASSES)
    expected = read_job(zoo, frames="pandas", labels=on_disk.CLASSES)
    for part in ("answers", "labels", "rejected", "problems"):
        frame = getattr(job, part)
        assert isinstance(frame, kind)
        found = frame.to_pandas()
        pd.testing.assert_frame_equal(
            found, getattr(expected, part), check_dtype=False, check_categorical=False
        )
    if kind is pl.DataFrame:
        assert job.answers["label"].dtype == pl.Enum(on_disk.CLASSES)


def test_frames_are_of_what_is_installed(monkeypatch, zoo):
    there = {"polars"}
    monkeypatch.setattr(arrow_frames, "find_spec", lambda name: name in there or None)
    assert isinstance(read_job(zoo).labels, pl.DataFrame)
    with pytest.raises(ImportError, match="pip install pandas"):
        read_job(zoo, frames="pandas")
    there.clear()
    assert isinstance(read_job(zoo).labels, pa.Table)
    with pytest.raises(ValueError, match="is none of"):
        read_job(zoo, frames="spark")


def test_nothing_is_decoded_before_it_is_asked_for(tmp_path):
    folder = tmp_path / "bucket" / "harbour"
    make_harbour(folder)
    job = read_job(folder, labels=("water", "boat", "quay"))
    on_disk.write(on_disk.response_path(folder, "0"), "{")
    assert job.problems.empty
    assert "0" not in set(job.answers["task"])
    assert not job.problems.empty


def test_a_job_that_is_none_is_refused(tmp_path):
    with pytest.raises(GroundTruthError, match="is no folder of a job"):
        read_job(tmp_path / "nowhere")


def test_a_parquet_file_of_answers(tmp_path):
    rows = {"task": [1, 1, 2], "worker": ["a", "b", "a"], "label": ["x", "y", "x"]}
    (tmp_path / "b").mkdir()
    pd.DataFrame(rows).to_parquet(tmp_path / "b" / "crowd.parquet")
    job = read_job(tmp_path / "b" / "crowd.parquet")
    assert rows_of(job.answers, "task", "worker", "label") == [
        ["1", "a", "x"],
        ["1", "b", "y"],
        ["2", "a", "x"],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["weighted", "majority", "one-coin-em"])
def test_masks_and_figures_are_those_of_the_command(tmp_path, algorithm):
    folder = tmp_path / "bucket" / "harbour"
    make_harbour(folder)
    labels = ("water", "boat", "quay")
    out = tmp_path / "out"
    arguments = ("--labels", ",".join(labels), "--algorithm", algorithm, "-o", out)
    outcome = run(replay, folder, *arguments)
    assert outcome.exit_code == 0, outcome.output
    lines = [json.loads(line) for line in (out / "object.manifest").read_text().splitlines()]
    job = read_job(folder, labels=labels)
    fusion = SegmentationFusion(algorithm, n_classes=job.n_classes).fit(job.answers)
    assert len(lines) == len(fusion.labels_)
    for number, line in enumerate(lines):
        told, task = line["label"], str(number)
        with Image.open(out / told["mask-ref"]) as image:
            np.testing.assert_array_equal(fusion.labels_[task], np.array(image))
        quality = fusion.quality_.loc[task].round(4)
        assert quality["confidence"] == told["confidence"]
        assert quality["tied_share"] == told["tied-share"]
        assert quality["disputed_share"] == told["disputed-share"]
        by_class = [entry["confidence"] for entry in told["internal-color-map"].values()]
        assert fusion.probas_.loc[task].round(4).tolist() == by_class


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "algorithm"),
    [
        (CalibratedDawidSkene(), "calibrated"),
        (WeightedVote(), "weighted"),
        (AwsBuiltin(), "builtin"),
    ],
    ids=repr,
)
def test_labels_of_a_real_job_are_those_of_the_command(tmp_path, model, algorithm):
    birds = real_data("birds-job")
    outcome = run(replay, birds, "--algorithm", algorithm, "-o", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.output
    told = pd.read_parquet(tmp_path / "out" / "labels.parquet").set_index("id")
    model.fit(read_job(birds).answers)
    assert model.labels_[told.index].tolist() == told["class"].tolist()
    assert model.confidences_[told.index].round(6).tolist() == told["confidence"].tolist()


@pytest.mark.slow
def test_masks_of_labels_in_s3(tmp_path, s3_server):
    folder = tmp_path / "bucket" / "harbour"
    make_harbour(folder)
    labels = ("water", "boat", "quay")
    out = tmp_path / "out"
    assert run(replay, folder, "--labels", ",".join(labels), "-o", out).exit_code == 0
    lines = [json.loads(line) for line in (out / "object.manifest").read_text().splitlines()]
    root, place = "s3://jobs/harbour", "annotations/consolidated-annotation/output"
    shutil.copytree(out / "masks", folder / place)
    for line in lines:
        name = line["label"]["mask-ref"].removeprefix("masks/")
        line["label"]["mask-ref"] = f"{root}/{place}/{name}"
    lines[3]["label"]["mask-ref"] = f"{root}/nowhere.png"
    on_disk.write_manifest(folder, lines)
    s3_server.create_bucket(Bucket="jobs")
    for file in filter(lambda path: path.is_file(), folder.rglob("*")):
        key = file.relative_to(folder.parent).as_posix()
        s3_server.upload_file(str(file), "jobs", key)
    job = read_job(root, labels=labels)
    masks = job.masks.set_index("task")["segmentation"]
    assert len(masks) == len(lines) - 1
    fused = SegmentationFusion(n_classes=4).fit_predict(job.answers)
    for task, mask in masks.items():
        np.testing.assert_array_equal(mask, fused[task])
    assert job.labels["mask_uri"][0] == lines[0]["label"]["mask-ref"]
    assert "nowhere.png" in job.problems["file"].tolist()
