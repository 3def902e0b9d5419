"""Replays of segmentation and multi-label jobs that `labeljob run` left behind."""

import json

import pytest

from labeljob.commands.explain import explain
from labeljob.commands.replay import replay
from labeljob.jobs.job_location import find_job
from tests.masks import answer, drawn, indices
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

LABELS = "water,boat,quay"
GRIDS = ("..wwww ..wwww bbwwww", "..wwww ..wwww bbbwww", "..wwww ...www bbbbww")


@pytest.fixture
def harbour(tmp_path):
    """A segmentation job without labels."""
    folder = tmp_path / "bucket" / "harbour"
    answers = {f"worker-{at}": answer(drawn(grid)) for at, grid in enumerate(GRIDS)}
    on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    return folder


def test_masks_are_written_beside_the_manifest_and_never_into_the_job(harbour, tmp_path):
    out = tmp_path / "out"
    before = sorted(harbour.rglob("*"))
    outcome = run(replay, harbour, "--labels", LABELS, "-o", out, "--json")
    assert outcome.exit_code == 0, outcome.output
    assert sorted(harbour.rglob("*")) == before
    line = json.loads((out / "object.manifest").read_text())
    reference = line["label"]["mask-ref"]
    assert indices((out / reference).read_bytes())[2] == [2, 2, 2, 1, 1, 1]


def test_a_replay_of_its_own_result_changes_no_pixel(harbour, tmp_path):
    out = tmp_path / "out"
    run(replay, harbour, "--labels", LABELS, "-o", out)
    line = json.loads((out / "object.manifest").read_text())
    mask = harbour / "annotations/consolidated-annotation/output/0.png"
    mask.parent.mkdir(parents=True)
    mask.write_bytes((out / line["label"]["mask-ref"]).read_bytes())
    uri = "s3://elsewhere/jobs/harbour/annotations/consolidated-annotation/output/0.png"
    line["label"]["mask-ref"] = uri
    on_disk.write_manifest(harbour, [line])
    again = run(replay, harbour, "-o", out, "--json")
    differences = json.loads(again.stdout)["differences"]
    assert differences["objects"] == 1
    assert differences["labels-changed"] == 0


def test_an_explanation_of_a_mask_tells_what_each_worker_painted(harbour):
    before = sorted(harbour.rglob("*"))
    outcome = run(explain, harbour, "0", "--labels", LABELS, "--json")
    assert outcome.exit_code == 0, outcome.output
    votes = json.loads(outcome.stdout)["votes"]
    assert [vote["said"].split(",")[0] for vote in votes] == ["BACKGROUND 22%"] * 2 + [
        "BACKGROUND 28%"
    ]
    assert sorted(harbour.rglob("*")) == before


def test_several_labels_per_image(tmp_path):
    folder = tmp_path / "bucket" / "scenes"
    answers = {
        "ann": on_disk.ticked("cat", "dog"),
        "bob": on_disk.ticked("dog"),
        "cy": on_disk.ticked("dog", "eel"),
    }
    on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    truth = on_disk.write(tmp_path / "truth.csv", "item,label\n0.jpg,dog\n")
    outcome = run(replay, folder, "--algorithm", "majority", "--truth", truth, "--json")
    assert outcome.exit_code == 0, outcome.output
    result = json.loads(outcome.stdout)
    assert result["task"] == "image-multi-class-multi-label"
    assert result["classes"] == ["cat", "dog", "eel"]
    assert result["against-truth"]["after"]["jaccard"] == 1.0


def test_a_copy_of_a_job_is_never_taken_for_the_bucket_it_came_from(harbour):
    place = find_job(str(harbour))
    assert place.is_copy
    assert place.name == "harbour"
