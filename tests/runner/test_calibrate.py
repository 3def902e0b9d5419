"""`labeljob calibrate`: maps that later runs apply."""

import json
import random

import numpy as np
import pytest

from groundtruth.auxiliary_inputs import parse_confidence_map
from labeljob.actions.calibrate import TAG
from labeljob.commands.calibrate import MAP_FILE, calibrate
from labeljob.commands.run import run
from tests.runner.command_line import run as invoke

pytestmark = pytest.mark.slow

CLASSES = ("cat", "dog", "bird")
OBJECTS = 80
CREW = "careless:2,spammer:1"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def truth(tmp_path):
    """A truth file for the objects of `manifest`."""
    draw = random.Random(3)
    return write_lines(
        tmp_path / "truth.jsonl",
        [{"source-ref": name_of(at), "label": draw.choice(CLASSES)} for at in range(OBJECTS)],
    )


def name_of(at):
    return f"s3://photos/{at}.jpg"


def write_lines(path, entries):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def run_job(tmp_path, store, truth, *options, job="photos", task="image-multi-class"):
    manifest = write_lines(
        tmp_path / "photos.manifest", [{"source-ref": name_of(at)} for at in range(OBJECTS)]
    )
    result = invoke(
        run, manifest, "--task", task, "--labels", ",".join(CLASSES), "--workers", CREW,
        "--truth", truth, "--job-name", job, "-o", store, *options,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return store / "labeljob/jobs" / job


def labels_of(job):
    lines = (job / "manifests/output/output.manifest").read_text().splitlines()
    return [json.loads(line)["label"] for line in lines]


@pytest.fixture
def job(tmp_path, store, truth):
    return run_job(tmp_path, store, truth)


@pytest.mark.parametrize("kind", ["logistic", "isotonic"])
def test_a_map_is_applied_by_the_next_run_with_its_tag(tmp_path, store, truth, job, kind):
    result = invoke(calibrate, job, "--truth", truth, "--kind", kind, "--json")
    assert result.exit_code == 0, result.stderr
    tag = json.loads(result.stdout)["tag"]
    assert tag == {"Key": TAG, "Value": f"s3://labeljob/jobs/photos/{MAP_FILE}"}
    assert f"{TAG}=s3://labeljob/jobs/photos/{MAP_FILE}" in result.stderr
    mapped = run_job(tmp_path, store, truth, "--tag", f"{TAG}={tag['Value']}", job="again")
    before, after = labels_of(job), labels_of(mapped)
    found = parse_confidence_map((job / MAP_FILE).read_bytes(), path="map")
    expected = found.apply(np.array([label["confidence"] for label in before]))
    assert [label["confidence"] for label in after] == pytest.approx(expected, abs=2e-5)
    assert [label["class-name"] for label in after] == [label["class-name"] for label in before]
    assert after[0]["algorithm"]["settings"] != before[0]["algorithm"]["settings"]


def test_the_map_says_where_it_comes_from(truth, job):
    result = invoke(calibrate, job, "--truth", truth)
    assert result.exit_code == 0, result.stderr
    content = json.loads((job / MAP_FILE).read_bytes())
    label = labels_of(job)[0]
    fitted = content["fitted-on"]
    assert (fitted["job"], fitted["objects"]) == ("photos", OBJECTS)
    assert (fitted["algorithm"], fitted["settings"]) == (
        "calibrated",
        label["algorithm"]["settings"],
    )
    assert 0 < fitted["right"] < OBJECTS
    checked = content["cross-validated"]
    assert checked["folds"] == 10
    for name in ("ece", "brier", "log-loss"):
        assert f"{checked['before'][name]:.4f}" in result.stderr
        assert f"{checked['after'][name]:.4f}" in result.stderr


def test_a_map_that_helps_lowers_the_error_on_objects_it_did_not_see(tmp_path, store, truth):
    job = run_job(tmp_path, store, truth, "--algorithm", "dawid-skene", job="sure")
    values = json.loads(invoke(calibrate, job, "--truth", truth, "--json").stdout)
    checked = values["cross-validated"]
    assert checked["helps"] is True
    assert checked["after"]["log-loss"] < checked["before"]["log-loss"]


def test_a_map_that_does_not_help_says_so(tmp_path, job):
    said = [label["class-name"] for label in labels_of(job)]
    confidences = [label["confidence"] for label in labels_of(job)]
    draw = random.Random(1)
    fair = [
        {
            "source-ref": name_of(at),
            "label": name
            if draw.random() < confidences[at]
            else draw.choice([one for one in CLASSES if one != name]),
        }
        for at, name in enumerate(said)
    ]
    truth = write_lines(tmp_path / "fair.jsonl", fair)
    result = invoke(calibrate, job, "--truth", truth, "--kind", "isotonic", "--json")
    assert json.loads(result.stdout)["cross-validated"]["helps"] is False
    assert "the map does not help" in result.stderr


def test_fewer_than_fifty_objects_are_refused(tmp_path, truth, job):
    few = tmp_path / "few.jsonl"
    few.write_text("".join(truth.read_text().splitlines(keepends=True)[:49]))
    result = invoke(calibrate, job, "--truth", few)
    assert result.exit_code == 1
    assert "whose truth is known, and the job has 49" in result.stderr
    assert "--force" in result.stderr
    assert not (job / MAP_FILE).exists()
    assert invoke(calibrate, job, "--truth", few, "--force").exit_code == 0
    assert json.loads((job / MAP_FILE).read_bytes())["fitted-on"]["objects"] == 49


def test_the_map_goes_where_it_is_told(tmp_path, truth, job):
    path = tmp_path / "maps/photos.json"
    result = invoke(calibrate, job, "--truth", truth, "-o", path, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["tag"]["Value"] is None
    assert "put the file into S3" in result.stderr
    parse_confidence_map(path.read_bytes(), path=str(path))
    assert not (job / MAP_FILE).exists()


def test_the_answers_of_the_function_count_where_the_manifest_has_lost_them(truth, job):
    expected = json.loads(invoke(calibrate, job, "--truth", truth, "--json").stdout)
    manifest = job / "manifests/output/output.manifest"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    write_lines(manifest, [{"source-ref": line["source-ref"]} for line in lines])
    again = json.loads(invoke(calibrate, job, "--truth", truth, "--json").stdout)
    assert again == expected


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(["--algorithm", "builtin"], "keeps AWS's own confidences", id="builtin"),
        pytest.param(["--output-style", "builtin"], "builtin style", id="builtin-style"),
    ],
)
def test_confidences_that_no_map_is_applied_to_are_refused(
    tmp_path, store, truth, options, problem
):
    job = run_job(tmp_path, store, truth, *options, job="other")
    result = invoke(calibrate, job, "--truth", truth)
    assert result.exit_code == 1
    assert problem in result.stderr


def test_confidences_that_were_put_right_already_are_refused(tmp_path, store, truth, job):
    invoke(calibrate, job, "--truth", truth)
    tag = f"{TAG}=s3://labeljob/jobs/photos/{MAP_FILE}"
    mapped = run_job(tmp_path, store, truth, "--tag", tag, job="mapped")
    result = invoke(calibrate, mapped, "--truth", truth)
    assert result.exit_code == 1
    assert f"put right already, by s3://labeljob/jobs/photos/{MAP_FILE}" in result.stderr


def test_several_labels_are_refused(tmp_path, store, truth):
    several = write_lines(
        tmp_path / "several.jsonl",
        [{"source-ref": name_of(at), "labels": ["cat"]} for at in range(OBJECTS)],
    )
    job = run_job(tmp_path, store, several, task="image-multi-class-multi-label")
    result = invoke(calibrate, job, "--truth", several)
    assert result.exit_code == 1
    assert "a confidence map is for jobs with one label" in result.stderr


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        (["consolidation:quorum"], "is not KEY=VALUE"),
        (["=1"], "is not KEY=VALUE"),
        (["consolidation:quorom=1"], "tag consolidation:quorom is unknown"),
        (["consolidation:quorum=2"], "is not a number from 0 to 1"),
        (["consolidation:quorum=0.4", "consolidation:quorum=0.6"], "is '0.4' already"),
    ],
)
def test_a_bad_tag_is_refused_before_the_job_begins(tmp_path, store, tags, problem):
    manifest = write_lines(tmp_path / "photos.manifest", [{"source-ref": name_of(0)}])
    options = [part for tag in tags for part in ("--tag", tag)]
    result = invoke(
        run, manifest, "--task", "image-multi-class", "--labels", "cat,dog", "-o", store, *options
    )
    assert result.exit_code == 1
    assert problem in result.stderr
    assert not (store / "labeljob").exists()
