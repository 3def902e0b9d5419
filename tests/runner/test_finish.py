"""`labeljob finish`: the files beside a job's manifest, and what it tells."""

import json
import shutil

import pytest
from PIL import Image

from labeljob.commands.finish import finish
from labeljob.commands.run import run
from tests.runner.command_line import run as invoke

pytestmark = pytest.mark.slow

NAMES = ("finished.manifest", "requeue.manifest", "summary.json")


def write_manifest(folder, n_objects=12):
    path = folder / "photos.manifest"
    lines = [json.dumps({"source-ref": f"s3://photos/{at}.jpg"}) for at in range(n_objects)]
    path.write_text("\n".join(lines) + "\n")
    return path


def run_job(folder, *options, task="image-multi-class", labels="cat,dog,bird", manifest=None):
    """Run a job, and return its folder."""
    manifest = manifest or write_manifest(folder)
    result = invoke(
        run, manifest, "--task", task, "--labels", labels, "-o", folder / "store", *options
    )
    assert result.exit_code == 0, result.stderr
    return folder / "store/labeljob/jobs/photos"


def manifest_lines(job, name="finished.manifest"):
    text = (job / "manifests/output" / name).read_text()
    return [json.loads(line) for line in text.splitlines()]


def answer(job, *options):
    result = invoke(finish, job, "--json", *options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("style", ["object", "builtin"])
def test_a_run_job_gets_a_manifest_in_the_built_in_shape(tmp_path, style):
    job = run_job(tmp_path, "--output-style", style, "--workers", "careful:3")
    told = answer(job)
    assert (told["objects"], told["labeled"], told["requeued"]) == (12, 12, 0)
    assert told["manifest"] == str(job / "manifests/output/finished.manifest")
    for line in manifest_lines(job):
        assert list(line) == ["source-ref", "label", "label-metadata"]
        assert list(line["label-metadata"]) == [
            "confidence",
            "job-name",
            "class-name",
            "human-annotated",
            "creation-date",
            "type",
        ]
        metadata = line["label-metadata"]
        assert ["cat", "dog", "bird"][line["label"]] == metadata["class-name"]
        assert metadata["job-name"] == "labeling-job/photos"


def test_both_styles_and_both_of_their_manifests_agree(tmp_path):
    finished = []
    for style in ("object", "builtin"):
        folder = tmp_path / style
        folder.mkdir()
        job = run_job(folder, "--output-style", style, "--algorithm", "builtin")
        answer(job)
        lines = manifest_lines(job)
        for line in lines:
            del line["label-metadata"]["creation-date"]
        finished.append(lines)
    assert finished[0] == finished[1]


def test_several_labels_and_masks_are_finished_too(tmp_path):
    several = run_job(tmp_path, task="image-multi-class-multi-label")
    answer(several)
    for line in manifest_lines(several):
        metadata = line["labels-metadata"]
        assert [str(at) for at in line["labels"]] == list(metadata["class-map"])
        assert list(metadata["class-map"]) == list(metadata["confidence-map"])
        shares = list(metadata["confidence-map"].values())
        assert shares == sorted(shares, reverse=True)


def test_masks_are_finished_too(tmp_path):
    Image.new("RGB", (40, 30), "navy").save(tmp_path / "sea.png")
    manifest = tmp_path / "photos.manifest"
    manifest.write_text('{"source-ref":"sea.png"}\n')
    job = run_job(tmp_path, task="semantic-segmentation", labels="water,sky", manifest=manifest)
    answer(job)
    (line,) = manifest_lines(job)
    assert (tmp_path / "store" / line["mask-ref"].removeprefix("s3://")).is_file()
    assert [*line["mask-ref-metadata"]["internal-color-map"]] == ["0", "1", "2"]


def test_what_is_unsure_is_queued_again_and_can_be_run_again(tmp_path):
    job = run_job(tmp_path, "--workers", "3")
    told = answer(job, "--below", "0.9")
    confidences = [line["label-metadata"]["confidence"] for line in manifest_lines(job)]
    unsure = [at for at, confidence in enumerate(confidences) if confidence < 0.9]
    assert 0 < told["requeued"] == len(unsure) < 12
    before = write_manifest(tmp_path).read_text().splitlines()
    requeue = job / "manifests/output/requeue.manifest"
    assert requeue.read_text().splitlines() == [before[at] for at in unsure]
    again = invoke(
        run, requeue, "--task", "image-multi-class", "--labels", "cat,dog,bird",
        "-o", tmp_path / "store", "--job-name", "again", "--json",
    )  # fmt: skip
    assert json.loads(again.stdout)["objects"] == len(unsure)


def test_the_threshold_of_the_job_counts_if_none_is_given(tmp_path):
    job = run_job(tmp_path, "--min-confidence", "1")
    least = answer(job)["requeued"]
    assert 0 < least == answer(job, "--below", "1")["requeued"]
    assert answer(job, "--below", "0")["requeued"] == 0


def test_a_job_that_was_interrupted_is_finished_from_its_input_manifest(tmp_path):
    job = run_job(tmp_path, "--batch-size", "4")
    (job / "manifests/output/output.manifest").unlink()
    responses = sorted(job.glob("**/consolidation-response/*/*.json"))
    responses[-1].unlink()
    told = answer(job)
    assert (told["labeled"], told["unlabeled"], told["requeued"]) == (8, 4, 4)


def test_a_job_that_was_copied_is_finished_where_it_lies(tmp_path):
    job = run_job(tmp_path)
    answer(job)
    copy = tmp_path / "elsewhere" / "photos"
    shutil.copytree(job, copy)
    for name in NAMES:
        (copy / "manifests/output" / name).unlink()
    told = answer(copy)
    assert told["manifest"] == str(copy / "manifests/output/finished.manifest")
    assert manifest_lines(copy) == manifest_lines(job)


def test_a_label_file_puts_the_classes_in_another_order(tmp_path):
    job = run_job(tmp_path)
    path = tmp_path / "labels.json"
    path.write_text('{"labels": [{"label": "bird"}, {"label": "dog"}, {"label": "cat"}]}')
    answer(job, "--labels", path)
    for line in manifest_lines(job):
        name = line["label-metadata"]["class-name"]
        assert ["bird", "dog", "cat"][line["label"]] == name


def test_a_table_tells_what_was_made(tmp_path):
    run_job(tmp_path, "--job-name", "Photos-2")
    result = invoke(finish, tmp_path / "store/labeljob/jobs/Photos-2", "--below", "0.9")
    assert result.exit_code == 0
    assert result.stdout == ""
    for word in ("Job Photos-2", "to label again (below 0.9)", "finished manifest", "summary.json"):
        assert word in result.stderr


def test_a_warning_tells_of_responses_of_another_manifest(tmp_path):
    job = run_job(tmp_path)
    output = job / "manifests/output/output.manifest"
    output.write_text("\n".join(reversed(output.read_text().splitlines())) + "\n")
    result = invoke(finish, job)
    assert result.exit_code == 0
    assert "with another label than the last response: " in " ".join(result.stderr.split())


def test_a_job_of_others_is_left_alone(tmp_path):
    output = tmp_path / "jobs/photos/manifests/output/output.manifest"
    output.parent.mkdir(parents=True)
    output.write_text('{"source-ref":"s3://b/1.jpg"}\n')
    result = invoke(finish, tmp_path / "jobs/photos", "--attribute", "label")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing to do: no label is of these functions" in result.stderr
    assert [path.name for path in output.parent.iterdir()] == ["output.manifest"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            ["--task", "semantic-segmentation"],
            "are of image-classification; leave --task out",
            id="task",
        ),
        pytest.param(["--labels", "bad.json"], "labels: is missing", id="label-file"),
    ],
)
def test_a_bad_option_is_one_clear_line(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text("{}")
    result = invoke(finish, run_job(tmp_path), *options)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path):
    result = invoke(finish, tmp_path / "none")
    assert result.exit_code == 1
    assert "is no folder of a job" in " ".join(result.stderr.split())


def test_a_job_in_s3_is_finished_there(tmp_path, s3_server, aws_endpoint, monkeypatch):
    monkeypatch.chdir(tmp_path)
    s3_server.create_bucket(Bucket="jobs")
    result = invoke(
        run, write_manifest(tmp_path), "--task", "image-multi-class", "--labels", "cat,dog,bird",
        "-o", "s3://jobs/labels", "--endpoint-url", aws_endpoint,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    told = answer("s3://jobs/labels/photos/", "--endpoint-url", aws_endpoint)
    assert told["manifest"] == "s3://jobs/labels/photos/manifests/output/finished.manifest"
    key = told["manifest"].removeprefix("s3://jobs/")
    body = s3_server.get_object(Bucket="jobs", Key=key)["Body"].read()
    assert len(body.splitlines()) == told["labeled"] == 12


def test_a_renamed_copy_of_a_job_is_finished_under_its_own_name(tmp_path):
    copy = tmp_path / "copies" / "bucket" / "renamed"
    shutil.copytree(run_job(tmp_path, "--workers", "careful:3"), copy)
    shutil.rmtree(copy / "annotations" / "consolidated-annotation")
    result = invoke(finish, copy, "--attribute", "label")
    assert "give the job's name by --job-name" in " ".join(result.stderr.split())
    told = answer(copy, "--job-name", "photos", "--attribute", "label")
    assert (told["labeled"], told["labeled-by-another-job"]) == (12, 0)
