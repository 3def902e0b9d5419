"""The state machine consolidates shards as one machine does."""

import json

import numpy as np
import pytest

from groundtruth.settings import Settings
from groundtruth.sharding.arrays import pack
from groundtruth.sharding.plan import Plan, Shard, digest_of
from groundtruth.sharding.steps import STATE_END
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import S3Store
from labeljob.commands import app
from labeljob.engines.aws import open_machine, run_plan_on_aws
from labeljob.engines.driver import run_plan
from labeljob.engines.executors import Engine, ThisProcess
from labeljob.history import whole_masks
from labeljob.jobs.description import JobError
from tests.deployed.conftest import BUCKET, STACK
from tests.masks import answer, drawn
from tests.runner.history import job_folders as on_disk
from tests.runner.history.test_two_passes import EASY, HARD, LABELS, make_harbour, write_truth

N_SHARDS, N_OBJECTS, N_WORKERS, CLASSES = 3, 40, 6, ("cat", "dog", "owl")


def shard_bodies():
    rng = np.random.default_rng(5)
    for _ in range(N_SHARDS):
        truth = rng.integers(len(CLASSES), size=N_OBJECTS)
        items = np.repeat(np.arange(N_OBJECTS), 3)
        workers = np.concatenate([np.sort(rng.permutation(N_WORKERS)[:3]) for _ in truth])
        guesses = rng.integers(len(CLASSES), size=items.size)
        yield pack(
            {
                "n_objects": np.array(N_OBJECTS),
                "items": items.astype(np.int32),
                "workers": workers.astype(np.int32),
                "classes": np.where(rng.random(items.size) < 0.7, truth[items], guesses).astype(
                    np.int32
                ),
                "gold": np.full(N_OBJECTS, -1, np.int32),
            }
        )


def make_plan(work, store, bodies, tolerated=0.0):
    shards = []
    for number, body in enumerate(bodies):
        name = f"{number:05}-{digest_of(body)}"
        uri = f"{work}/shards/{name}.safetensors"
        store.write(uri, body, content_type="application/octet-stream", kms_key=None)
        shards.append(Shard(name=name, uri=uri, n_objects=N_OBJECTS, n_answers=3 * N_OBJECTS))
    return Plan(
        task="image-multi-class",
        settings=Settings(),
        classes=CLASSES,
        n_workers=N_WORKERS,
        job_name="labeling-job/animals-01",
        made_at="2026-03-02T10:15:28+00:00",
        tolerated_failures=tolerated,
        options={},
        shards=tuple(shards),
    )


@pytest.fixture
def machine(stack, monkeypatch):
    for name, value in stack.aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("labeljob.engines.aws.POLL", 0.2)
    return open_machine(STACK)


def labels_of(outcome, store, plan):
    return [
        store.read(f"{outcome.folder}/{shard.name}{STATE_END}")
        for shard in plan.shards
        if shard.name not in outcome.failures
    ]


def consolidate_here(folder, bodies):
    store = FolderStore(folder)
    plan = make_plan("s3://here/work", store, bodies)
    engine = Engine(executor=ThisProcess(), at_once=1)
    return labels_of(run_plan(plan, "s3://here/work", store, engine), store, plan)


def test_the_state_machine_gives_the_bytes_of_one_machine(machine, tmp_path, monkeypatch):
    bodies, store = list(shard_bodies()), S3Store()
    work = f"{machine.folder}/whole"
    plan = make_plan(work, store, bodies)
    progress = []
    outcome = run_plan_on_aws(plan, work, store, machine, report=progress.append)
    assert outcome.failures == {}
    assert labels_of(outcome, store, plan) == consolidate_here(tmp_path, bodies)
    assert progress[-1].n_shards == N_SHARDS
    executions = machine.client.list_executions(stateMachineArn=machine.arn)["executions"]
    assert run_plan_on_aws(plan, work, store, machine) == outcome
    assert machine.client.list_executions(stateMachineArn=machine.arn)["executions"] == executions
    monkeypatch.setattr("labeljob.engines.aws.TOTALS_END", ".totals.of-another-version")
    with pytest.raises(JobError, match="results of 3 are not where they should be"):
        run_plan_on_aws(plan, work, store, machine)


def test_a_shard_that_fails_for_ever_is_named_and_the_others_are_done(machine, tmp_path):
    bodies, store = list(shard_bodies()), S3Store()
    work = f"{machine.folder}/damaged"
    plan = make_plan(work, store, [*bodies, b"no shard at all"], tolerated=0.3)
    outcome = run_plan_on_aws(plan, work, store, machine)
    assert list(outcome.failures) == [plan.shards[-1].name]
    assert "ValueError" in outcome.failures[plan.shards[-1].name]
    assert labels_of(outcome, store, plan) == consolidate_here(tmp_path, bodies)


def replay(*arguments):
    app(["replay", *map(str, arguments)], standalone_mode=False)


def files_of(folder):
    """Contents of a replay's files, which do not tell where they are."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().replace(str(folder).encode(), b"")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_job_is_replayed_in_the_stack(machine, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    job = tmp_path / "jobs" / "crowd"
    app(
        ["synthesize", "--output", str(job), "--objects", "60", "--workers", "8", "--no-tree"],
        standalone_mode=False,
    )
    folder = next(path.parent for path in job.rglob("annotations"))
    replay(folder, "--output", tmp_path / "here")
    for _ in range(2):  # the second time, nothing is left of the first
        replay(folder, "--output", tmp_path / "there", "--on", "aws", "--address", STACK)
        assert files_of(tmp_path / "there") == files_of(tmp_path / "here")
        assert list(S3Store().list(f"{machine.folder}/synthetic-")) == []
    capsys.readouterr()


def put_answers(folder, stack):
    """Answers in a request: three are files in S3, two of them in the stack's bucket."""
    content = answer(drawn("wwwwbbbb"))
    request = on_disk.request({"7": dict.fromkeys(("ann", "ben", "cem", "dan"), content)})
    there = f"s3://{BUCKET}/labels/harbour/annotations"
    uris = (f"{there}/read.json", f"{there}/lost.json", "s3://elsewhere/x/annotations/own.json")
    for annotation, uri in zip(request[0]["annotations"], uris, strict=False):
        annotation["annotationData"] = {"s3Uri": uri}
    stack.put(uris[0], json.dumps(content).encode())
    for name in ("read", "own"):
        on_disk.write(folder / f"annotations/{name}.json", content)
    on_disk.write(on_disk.request_path(folder), request)
    on_disk.write(on_disk.response_path(folder, "7"), "{")


def test_masks_are_consolidated_in_the_stack(machine, stack, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(whole_masks, "FEWEST", 7)
    folder = tmp_path / "bucket" / "harbour"
    truth = write_truth(tmp_path, make_harbour(folder))
    put_answers(folder, stack)
    given = (folder, "--labels", LABELS, "--truth", truth)
    replay(*given, "--output", tmp_path / "here")
    replay(*given, "--output", tmp_path / "there", "--on", "aws", "--address", STACK)
    files = files_of(tmp_path / "there")
    assert files == files_of(tmp_path / "here")
    assert len([name for name in files if name.endswith(".png")]) >= EASY + HARD
    line = json.loads(files["object.manifest"].splitlines()[7])
    assert line["label"]["answers"]["used"] == 3
    assert [item["reason"] for item in line["label"]["answers"]["set-aside"]] == [
        "answer-not-found"
    ]
    assert list(S3Store().list(f"{machine.folder}/harbour-")) == []
    assert not (tmp_path / "there.work").exists()
    capsys.readouterr()
