"""A synthetic job's files are Ground Truth's: the library and the truth reader take them."""

import json
import tracemalloc

import pytest
import typer
from typer.testing import CliRunner

from groundtruth.consolidation import consolidate_batch
from groundtruth.contract.pre import PreRequest
from groundtruth.jobs import FolderJobs, JobContexts
from groundtruth.settings import Settings
from groundtruth.storage.folder import FolderStore
from labeljob.commands.synthesize import synthesize
from labeljob.jobs.manifest_lines import read_lines
from labeljob.simulation.synthesis import write_files
from labeljob.simulation.truth import read_truth
from labeljob.tasks.registry import JOB_TYPES
from tests.runner.simulation.synthetic_jobs import LABELS, synthetic_job

pytestmark = pytest.mark.slow


def written(folder, crew="average:5,spammer", **options):
    tree = options.pop("tree", True)
    return write_files(
        synthetic_job(crew, **options), folder, tree=tree, advance=lambda count: None
    )


def lines(path):
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("task", JOB_TYPES.values())
def test_every_call_can_be_consolidated(tmp_path, task):
    written(tmp_path, task=task, objects=60, per_object=3, missing=0.1, late=0.1)
    store, said = FolderStore(tmp_path), []
    contexts = JobContexts(Settings(), FolderJobs(tmp_path / ".labeling-jobs"), store)
    for event in lines(tmp_path / "events/acs.jsonl"):
        outcome = consolidate_batch(event, task=task.library, store=store, jobs=contexts)
        assert not any(label.rejected for label in outcome.labels)
        assert outcome.notes == ()
        said += [item["datasetObjectId"] for item in outcome.response]
    assert said == [str(number) for number in range(60)]


@pytest.mark.parametrize("task", JOB_TYPES.values())
def test_manifest_truth_and_pre_events_tell_of_the_same_objects(tmp_path, task):
    written(tmp_path, task=task, objects=30)
    references = [line.source_ref for line in read_lines(tmp_path / "input.manifest")]
    truth = read_truth(tmp_path / "truth.jsonl", task, LABELS)
    assert list(truth) == references
    assert all(truth[reference] is not None for reference in references)
    events = [PreRequest.from_event(event) for event in lines(tmp_path / "events/pre.jsonl")]
    assert len(events) == 30


def test_a_payload_holds_the_answers_of_the_tree_that_came_in_time(tmp_path):
    count = written(tmp_path, objects=120, per_object=5, late=0.3)
    root = tmp_path / "labeljob/jobs/made-up/annotations"
    tree = {
        path.parent.name: json.loads(path.read_text())["answers"]
        for path in root.glob("worker-response/iteration-1/*/*.json")
    }
    late = 0
    for path in root.glob("consolidated-annotation/consolidation-request/iteration-1/*.json"):
        for entry in json.loads(path.read_text()):
            answers = tree[entry["datasetObjectId"]]
            payload = [
                (one["workerId"], json.loads(one["annotationData"]["content"]))
                for one in entry["annotations"]
            ]
            assert payload == [(a["workerId"], a["answerContent"]) for a in answers][: len(payload)]
            late += len(answers) - len(payload)
    assert (late, count.objects, count.calls) == (count.late, 120, 3)
    assert late > 0


def bytes_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_job_is_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        written(tmp_path / name, "tired,copycat:2,adversary", objects=60, missing=0.2)
    written(tmp_path / "third", "tired,copycat:2,adversary", objects=60, missing=0.2, seed=4)
    assert bytes_of(tmp_path / "first") == bytes_of(tmp_path / "second")
    assert bytes_of(tmp_path / "first") != bytes_of(tmp_path / "third")


def test_memory_does_not_grow_with_the_job(tmp_path):
    peaks = []
    written(tmp_path / "warm", objects=50, tree=False)
    for objects in (100, 1500):
        tracemalloc.start()
        written(tmp_path / str(objects), objects=objects, tree=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(synthesize)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def test_the_command_writes_a_job(command, tmp_path):
    result = command("-o", tmp_path / "crowd", "--objects", 20, "--no-tree", "--missing", 0.1)
    assert result.exit_code == 0, result.output
    assert "20 data objects" in result.stderr
    assert len(lines(tmp_path / "crowd" / "truth.jsonl")) == 20
    assert not (tmp_path / "crowd/labeljob/jobs/synthetic/annotations/worker-response").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--workers", "wizard"], "no such kind", id="crew"),
        pytest.param(["--workers", "careful:2"], "the crew has 2", id="too-few"),
        pytest.param(["--image-size", "big"], "WIDTHxHEIGHT", id="size"),
        pytest.param(["--labels", "ant,ant"], "--labels", id="labels"),
        pytest.param(["--workers", "confuser=ant/yak:5"], "yak", id="pair"),
    ],
)
def test_what_is_wrong_is_said(command, tmp_path, options, said):
    result = command("-o", tmp_path / "crowd", *options)
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_folder_with_files_is_left_alone(command, tmp_path):
    (tmp_path / "kept").write_text("x")
    assert command("-o", tmp_path).exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
