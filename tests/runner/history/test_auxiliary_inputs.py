"""Gold, a model's answers and a confidence map in `labeljob replay`."""

import json
from dataclasses import replace

import pytest

from labeljob.commands.replay import replay
from labeljob.history.auxiliary_inputs import add_auxiliary_inputs
from labeljob.history.job import Given, read_job
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.tasks.registry import find_job_type
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history.job_folders import make_job

pytestmark = pytest.mark.slow


@pytest.fixture
def quarrel(tmp_path):
    """Ann and bob contradict each other about everything."""
    votes = {str(at): {"ann": "cat", "bob": "dog"} for at in range(12)}
    return make_job(tmp_path / "bucket" / "zoo", votes, ["cat"] * 12)


def side_file(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def replayed(folder, *options):
    outcome = run(replay, folder, "--labels", "cat,dog,eel", *options, "--json")
    assert outcome.exit_code == 0, outcome.output
    text = (folder / "replays/calibrated/object.manifest").read_text()
    names = [json.loads(line)["animal"]["class-name"] for line in text.splitlines()]
    return json.loads(outcome.stdout), names


def test_gold_tells_whom_to_believe_about_the_other_objects(quarrel, tmp_path):
    gold = [{"object-id": str(at), "label": "dog"} for at in range(6)]
    assert replayed(quarrel)[1][11] == "cat"
    assert replayed(quarrel, "--gold", side_file(tmp_path / "gold", gold))[1][11] == "dog"


def test_a_models_answers_count_as_a_workers(quarrel, tmp_path):
    said = {"3": "dog", "4": "cat"}
    answers = [{"source-ref": f"s3://images/{at}.jpg", "label": said[at]} for at in said]
    names = replayed(quarrel, "--model-answers", side_file(tmp_path / "model", answers))[1]
    assert names[3] == "dog"
    assert names[4] == "cat"


def test_a_confidence_map_changes_confidences_and_no_label(tmp_path):
    birds = real_data("birds-job")
    map_file = tmp_path / "map.json"
    map_file.write_text('{"kind": "logistic", "offset": 0.0, "slope": 0.25}')
    common = ("--algorithm", "calibrated", "--truth", birds / "true_labels.json", "--json")
    runs = (
        run(replay, birds, *common, "-o", tmp_path / "plain"),
        run(replay, birds, *common, "-o", tmp_path / "mapped", "--confidence-map", map_file),
    )
    before, after = (json.loads(one.stdout)["against-truth"]["after"] for one in runs)
    assert after["accuracy"] == before["accuracy"]
    assert after["auroc"] == pytest.approx(before["auroc"], abs=0.01)
    assert after["ece"] > before["ece"] + 0.05  # this map makes all labels less sure


def test_the_jobs_own_side_files_are_used_where_they_can_be_read(quarrel):
    side_file(quarrel / "gold.jsonl", [{"object-id": "1", "label": "dog"}])
    job = read_job(find_job(str(quarrel)), Given())
    job = job.with_settings(
        gold_labels_s3_uri=f"{job.place.root}/gold.jsonl",
        model_answers_s3_uri="s3://elsewhere/model.jsonl",
    )
    found, known = add_auxiliary_inputs(job)
    assert known.gold.by_id == {"1": ("dog",)}
    assert found.settings.gold_labels_s3_uri == job.settings.gold_labels_s3_uri
    assert found.settings.model_answers_s3_uri == ""
    assert [item.file for item in found.damage.damages] == ["s3://elsewhere/model.jsonl"]


def test_masks_know_no_side_files(quarrel, tmp_path):
    gold = side_file(tmp_path / "gold", [{"object-id": "1", "label": "dog"}])
    job = replace(
        read_job(find_job(str(quarrel)), Given()), task=find_job_type("semantic-segmentation")
    )
    with pytest.raises(JobError, match="masks know no gold"):
        add_auxiliary_inputs(job, {"gold_labels_s3_uri": gold})


def test_a_known_label_that_the_job_does_not_have_is_told(quarrel, tmp_path):
    gold = side_file(tmp_path / "gold", [{"object-id": "2", "label": "unicorn"}])
    result, _ = replayed(quarrel, "--gold", gold)
    assert result["damage"] == [
        {"file": "2", "problem": "its known label 'unicorn' is none of the job's"}
    ]


def test_known_labels_that_the_job_cannot_have_together_are_told(quarrel, tmp_path):
    gold = side_file(tmp_path / "gold", [{"object-id": "2", "labels": ["cat", "dog"]}])
    result, _ = replayed(quarrel, "--gold", gold)
    problem = "what is known of it is not used: it has 2 labels, and the job has one"
    assert result["damage"] == [{"file": "2", "problem": problem}]


def test_a_side_file_that_makes_no_sense_is_an_error(quarrel, tmp_path):
    gold = side_file(tmp_path / "gold", [{"object-id": "2"}])
    outcome = run(replay, quarrel, "--gold", gold)
    assert outcome.exit_code == 1
    assert "line 1" in outcome.stderr
