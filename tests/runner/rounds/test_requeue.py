"""The manifest and the request of the next round."""

import json

import pytest

from labeljob.commands.replay import replay
from labeljob.commands.requeue import requeue_objects
from tests.runner.command_line import lines_of, run
from tests.runner.history import job_folders as on_disk
from tests.runner.labeling_requests import good_request


@pytest.fixture
def unsure(zoo):
    names = ["cat", "dog", "dog", "dog"]
    lines = [
        on_disk.builtin_line(at, name, confidence=0.95 if at != 2 else 0.6)
        for at, name in enumerate(names)
    ]
    on_disk.write_manifest(zoo, [*lines[:3], {"source-ref": "s3://images/3.jpg"}])
    return zoo


def test_unsure_and_unlabeled_objects_come_without_the_old_label(unsure, tmp_path):
    before = sorted(unsure.rglob("*"))
    out = tmp_path / "next.manifest"
    outcome = run(requeue_objects, unsure, "--below", "0.8", "-o", out, "--json")
    assert outcome.exit_code == 0, outcome.output
    lines = [json.loads(line) for line in lines_of(out.read_text())]
    assert lines == [{"source-ref": "s3://images/2.jpg"}, {"source-ref": "s3://images/3.jpg"}]
    assert json.loads(outcome.stdout)["requeued"] == 2
    assert sorted(unsure.rglob("*")) == before


def test_a_replays_labels_can_decide(zoo, tmp_path):
    run(replay, zoo, "--algorithm", "majority", "-o", tmp_path / "again")
    out = tmp_path / "next.manifest"
    manifest = tmp_path / "again" / "builtin.manifest"
    outcome = run(requeue_objects, zoo, "--manifest", manifest, "-o", out)
    assert outcome.exit_code == 0, outcome.output
    sources = [json.loads(line)["source-ref"] for line in lines_of(out.read_text())]
    assert sources == ["s3://images/1.jpg", "s3://images/2.jpg"]


def test_a_renamed_folder_is_still_the_job(unsure, tmp_path):
    renamed = unsure.rename(unsure.with_name("copy-of-zoo"))
    outcome = run(requeue_objects, renamed, "-o", tmp_path / "next.manifest", "--json")
    assert json.loads(outcome.stdout)["requeued"] == 2
    assert json.loads(outcome.stdout)["labeled-by-another-job"] == 0


def test_the_next_request_follows_from_the_old_one(unsure, tmp_path):
    old = good_request()
    described = {**old, "LabelingJobStatus": "Completed", "LabelCounters": {"TotalLabeled": 4}}
    request = on_disk.write(tmp_path / "job.json", described)
    out = tmp_path / "next.manifest"
    outcome = run(
        requeue_objects, unsure, "--request", request, "-o", out, "--workers", "5", "--json"
    )
    assert outcome.exit_code == 0, outcome.output
    made = json.loads((tmp_path / "next.request.json").read_text())
    assert made == json.loads(outcome.stdout)["request"]
    name = old["LabelingJobName"]
    assert made["LabelingJobName"] == f"{name}-2"
    assert made["LabelAttributeName"] == old["LabelAttributeName"]
    assert made["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 5
    source = made["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    assert source.endswith(f"/{name}/manifests/output/requeue.manifest")
    assert set(made) == set(old)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("{", "is not JSON", id="cut-off"),
        pytest.param("[]", "is no JSON object", id="list"),
        pytest.param("{}", "LabelingJobName: is no text", id="empty"),
    ],
)
def test_a_bad_request_is_named_and_nothing_is_written(unsure, tmp_path, content, expected):
    request = on_disk.write(tmp_path / "job.json", content)
    outcome = run(requeue_objects, unsure, "--request", request, "-o", tmp_path / "next")
    assert outcome.exit_code == 1
    assert "job.json" in outcome.output
    assert expected in outcome.output
    assert not (tmp_path / "next").exists()


def bare(folder, lines):
    """A job of which only the output manifest is left."""
    on_disk.write_manifest(folder, lines)
    return folder


def queued(folder, tmp_path, *options):
    outcome = run(requeue_objects, folder, "-o", tmp_path / "next.manifest", *options)
    assert outcome.exit_code == 0, outcome.output
    lines = [json.loads(line) for line in lines_of((tmp_path / "next.manifest").read_text())]
    return " ".join(outcome.output.split()), lines


def chained(at, confidence):
    later = {
        "confidence": confidence,
        "job-name": "labeling-job/sharpness",
        "class-name": "blurred",
        "human-annotated": "yes",
        "creation-date": "2026-05-01T10:00:00.000000",
        "type": "groundtruth/image-classification",
    }
    return {**on_disk.builtin_line(at, "cat"), "sharp": 1, "sharp-metadata": later}


def test_of_chained_jobs_in_a_renamed_folder_the_last_one_counts(tmp_path):
    folder = bare(tmp_path / "bucket/renamed", [chained(0, 0.9), chained(1, 0.3), chained(2, 0.9)])
    text, lines = queued(folder, tmp_path)
    assert "1 of 3 data objects" in text
    assert "labels sharp of labeling-job/sharpness" in text
    assert lines == [on_disk.builtin_line(1, "cat")]
    text, _ = queued(folder, tmp_path, "--attribute", "animal")
    assert "0 of 3 data objects" in text
    assert "labels animal of labeling-job/zoo" in text


def test_metadata_of_rekognition_are_no_label(tmp_path):
    marked = {"source-ref": "s3://images/0.jpg", "cl-metadata": {"is_labeled": True}}
    labels = [{**marked, **on_disk.builtin_line(at, "cat", 0.4 + at / 2)} for at in range(2)]
    text, lines = queued(bare(tmp_path / "bucket/copy", labels), tmp_path)
    assert "to label again: 1 of 2 data objects (0 without a label, 1 with" in text
    assert lines == [marked]


def test_labels_without_a_confidence_are_labels_and_left(tmp_path):
    labels = [on_disk.builtin_line(at, "dog") for at in range(3)]
    for line in labels[:2]:
        del line["animal-metadata"]["confidence"]
    text, lines = queued(bare(tmp_path / "bucket/zoo", labels), tmp_path)
    assert "0 of 3 data objects" in text
    assert "labels without a confidence, which are left: 2" in text
    assert lines == []


def test_a_value_under_another_name_is_no_label_and_counted_so(tmp_path):
    labels = [on_disk.builtin_line(at, "dog") for at in range(2)]
    for line in labels:
        line["fine"] = line.pop("animal")
    text, lines = queued(bare(tmp_path / "bucket/zoo", labels), tmp_path, "--below", "0")
    assert "to label again: 2 of 2 data objects (2 without a label, 0 with" in text
    assert [line["fine"] for line in lines] == [1, 1]


def test_a_confidence_of_zero_is_told_to_be_that_of_a_single_worker(tmp_path):
    folder = bare(tmp_path / "bucket/zoo", [on_disk.builtin_line(0, "dog", 0.0)])
    text, _ = queued(folder, tmp_path)
    assert "1 of 1 data object (" in text
    assert "labels with the confidence 0: 1. Ground Truth writes 0 where one worker" in text
    text, lines = queued(folder, tmp_path, "--below", "0")
    assert ("0 of 1" in text, "confidence 0:" in text, lines) == (True, False, [])
