"""The functions are called with their own examples and with full batches."""

import json

import pytest

from benchmarks.lambdas.emulated import (
    BATCH_OBJECTS,
    BATCH_WORKERS,
    FUNCTIONS,
    batch_case,
    example_case,
)
from groundtruth.jobs import FolderJobs, JobContexts
from groundtruth.pre_annotation import prepare_task
from groundtruth.settings import Settings
from groundtruth.storage.folder import FolderStore
from labeljob.emulator import EmbeddedAws
from labeljob.jobs.job_location import JOBS_FOLDER
from tests.repository.source_files import ROOT

pytestmark = pytest.mark.slow


def test_these_are_the_pre_and_acs_functions():
    folders = {folder.parent.name for folder in ROOT.glob("functions/*/app.py")}
    assert set(FUNCTIONS) == folders - {"finish_job", "replay_shard"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_example_is_the_one_under_events(function, tmp_path):
    case = example_case(function, tmp_path / "example")
    example = ROOT / "events" / function
    assert case.event == json.loads((example / "event.json").read_bytes())
    if function.startswith("acs_"):
        stored = FolderStore(case.folder).read(case.event["payload"]["s3Uri"])
        assert stored == (example / "payload.json").read_bytes()
        assert case.n_objects == len(json.loads(stored))


def test_an_example_is_enough_without_aws(tmp_path):
    case = example_case("pre_image_multi_class", tmp_path / "example")
    described = FolderJobs(case.folder / JOBS_FOLDER)
    jobs = JobContexts(Settings(), described, FolderStore(case.folder))
    expected = json.loads((ROOT / "events/pre_image_multi_class/response.json").read_bytes())
    assert prepare_task(case.event, jobs=jobs) == expected


def test_the_same_objects_are_put_into_an_s3(tmp_path):
    case = example_case("acs_image_multi_class", tmp_path / "example")
    uri = case.event["payload"]["s3Uri"]
    with EmbeddedAws(case.jobs) as aws:
        case.upload(aws)
        assert aws.uris() == [uri]
        assert aws.get(uri) == FolderStore(case.folder).read(uri)


def test_a_full_batch_has_all_answers_and_its_job(tmp_path):
    case = batch_case("acs_image_multi_class", tmp_path / "batch", seed=1)
    payload = json.loads(FolderStore(case.folder).read(case.event["payload"]["s3Uri"]))
    assert len(payload) == case.n_objects == BATCH_OBJECTS
    assert {len(item["annotations"]) for item in payload} == {BATCH_WORKERS}
    assert list(case.jobs) == ["synthetic"]
    assert (
        FolderJobs(case.folder / JOBS_FOLDER).describe(case.event["labelingJobArn"]).name
        == "synthetic"
    )


def test_the_same_seed_gives_the_same_batch(tmp_path):
    first, second = (
        batch_case("acs_image_multi_class_multi_label", tmp_path / name, seed=3)
        for name in ("first", "second")
    )
    assert first.event == second.event
    uri = first.event["payload"]["s3Uri"]
    assert FolderStore(first.folder).read(uri) == FolderStore(second.folder).read(uri)
