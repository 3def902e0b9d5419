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
