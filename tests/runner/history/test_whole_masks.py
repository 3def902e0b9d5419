"""A whole job of masks is the same in shards, on any engine, as all at once."""

import json
import shutil

import boto3
import pytest
from moto import mock_aws

from groundtruth.storage.s3 import S3Store
from labeljob.commands.replay import replay
from labeljob.engines.executors import Engine, ThisProcess, open_engine
from labeljob.history import whole_masks
from labeljob.history.auxiliary_inputs import read_truths
from labeljob.history.job import Given, read_job
from labeljob.history.replay import choose_outcome_folder, make_single_call, replay_job
from labeljob.history.whole_masks import replay_masks
from labeljob.history.work_folder import choose_work_folder
from labeljob.jobs.job_location import ReadOnly, find_job
from tests.masks import answer, drawn
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk
from tests.runner.history.test_two_passes import EASY, HARD, make_harbour, write_truth

pytestmark = pytest.mark.slow

CLASSES = ("water", "boat", "quay")
OUTPUT = "annotations/consolidated-annotation/output"


@pytest.fixture
def harbour(tmp_path):
    """A job with labels of its own, comments and damage, and its truth file."""
    folder = tmp_path / "bucket" / "harbour"
    truth = write_truth(tmp_path, make_harbour(folder))
    lines = label_by_vote(folder)
    del lines[4]["label"]
    (folder / OUTPUT / lines[3]["label"]["mask-ref"].rpartition("/")[2]).write_bytes(b"no PNG")
    on_disk.write_manifest(folder, [*lines[:-1], "{damaged", lines[-1]])
    spoil_answers(folder)
    return folder, truth


def label_by_vote(folder):
    """Put the masks of a vote into the job; gives the lines of its manifest."""
    replay_at_once(folder, "majority")
    result = folder / "replays/majority"
    (folder / OUTPUT).mkdir(parents=True)
    lines = [json.loads(line) for line in (result / "object.manifest").read_text().splitlines()]
    for line in lines:
        name = line["label"]["mask-ref"].removeprefix("masks/")
        (result / "masks" / name).rename(folder / OUTPUT / name)
        line["label"]["mask-ref"] = f"s3://elsewhere/harbour/{OUTPUT}/{name}"
    shutil.rmtree(folder / "replays")
    return lines


def spoil_answers(folder):
    """Comments, answers that cannot be used or are elsewhere, and an object without a line."""
    path = on_disk.response_path(folder, "1")
    response = json.loads(path.read_text())
    response["answers"][0]["answerContent"]["workerComment"] = "it is foggy"
    response["answers"][1]["answerContent"] = {}
    on_disk.write(path, response)
    on_disk.write(on_disk.response_path(folder, "99"), response)
    content = answer(drawn("w" * 24))
    on_disk.write(folder / "annotations/there.json", content)
    request = on_disk.request({"7": dict.fromkeys(("ann", "ben", "dan"), content)})
    for annotation, name in zip(request[0]["annotations"], ("there", "lost"), strict=False):
        uri = f"s3://elsewhere/harbour/annotations/{name}.json"
        annotation["annotationData"] = {"s3Uri": uri}
    on_disk.write(on_disk.request_path(folder), request)
    on_disk.write(on_disk.response_path(folder, "7"), "{")


def open_job(folder, algorithm):
    job = read_job(find_job(str(folder)), Given(classes=CLASSES))
    return job.with_settings(consolidation_algorithm=algorithm)


def replay_at_once(folder, algorithm, truth=None, out=None):
    job = open_job(folder, algorithm)
    place = choose_outcome_folder(job.place, out and str(out), f"replays/{algorithm}")
    truths = truth and read_truths(truth, job.task, job.classes, job.lines)
    return replay_job(job, make_single_call(job), place, truths=truths)


def replay_by_shards(folder, algorithm, engine, truth=None, out=None):
    job = open_job(folder, algorithm)
    place = choose_outcome_folder(job.place, out and str(out), f"replays/{algorithm}")
    truths = truth and read_truths(truth, job.task, job.classes, job.lines)
    (call,) = make_single_call(job)
    return replay_masks(job, call, place, choose_work_folder(place), engine, truths=truths)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text().replace(str(folder), "")
        if path.suffix != ".png"
        else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("algorithm", ["weighted", "majority"])
def test_files_are_those_of_the_whole_job_at_once(harbour, tmp_path, monkeypatch, algorithm):
    folder, truth = harbour
    replay_at_once(folder, algorithm, truth, tmp_path / "once")
    expected = files_of(tmp_path / "once")
    assert len(expected) == 3 + EASY + HARD + 1
    assert json.loads(expected["replay.json"])["comments"].keys() == {"1", "99"}
    for most in (1, 4, 32):
        monkeypatch.setattr(whole_masks, "FEWEST", most)
        with open_engine(workers=2) as engine:
            replay_by_shards(folder, algorithm, engine, truth, tmp_path / f"shards{most}")
        assert files_of(tmp_path / f"shards{most}") == expected
        assert not (tmp_path / f"shards{most}.work").exists()


@pytest.mark.parametrize("may_remove", [True, False])
def test_only_what_a_replay_wrote_is_removed_from_s3(harbour, may_remove, monkeypatch):
    folder, _ = harbour
    if not may_remove:
        monkeypatch.setattr(S3Store, "remove", ReadOnly.remove)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="results")
        store = S3Store()
        others = "s3://results/harbour.work/another/plan.json"
        store.write(others, b"{}", content_type="application/json", kms_key=None)
        job = open_job(folder, "weighted")
        place = choose_outcome_folder(job.place, "s3://results/harbour", "")
        work = choose_work_folder(place, is_shared=True)
        (call,) = make_single_call(job)
        replay_masks(job, call, place, work, Engine(executor=ThisProcess(), at_once=1))
        assert len(list(store.list("s3://results/harbour/"))) == 3 + EASY + HARD + 1
        left = list(store.list(f"{work.root}/"))
    assert (left == [others]) is may_remove
    assert others in left


def test_a_dry_run_tells_what_masks_cost_on_aws(harbour):
    folder, _ = harbour
    labels = ("--labels", ",".join(CLASSES))
    outcome = run(replay, folder, *labels, "--dry-run", "--on", "aws", "--json")
    assert outcome.exit_code == 0, outcome.output
    told = json.loads(outcome.stdout)
    assert (told["shards"], told["rounds"]) == (1, {"typical": 2, "at-most": 2})
    assert told["dollars"]["typical"]["s3-requests"] > 0
