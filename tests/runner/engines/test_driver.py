"""Shards on an engine: what fails is tried again, what is done is not, and nothing else changes."""

import itertools
import os
import signal
import threading
from collections import Counter

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from groundtruth.errors import ContractError
from groundtruth.sharding.steps import TOTALS_END, ShardsFailedError
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import S3Store
from labeljob.engines import driver
from labeljob.engines.driver import map_chunks, run_plan
from labeljob.engines.executors import Engine, ThisProcess, open_engine
from labeljob.jobs.description import JobError
from tests.runner.engines.steps import make_classification_plan, make_plan, plan_steps

pytestmark = pytest.mark.slow

WORK = "s3://job/work"
HERE = Engine(executor=ThisProcess(), at_once=1)


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


@pytest.fixture
def trace(tmp_path):
    folder = tmp_path / "trace"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(driver, "PAUSE", 0.0)


def run(plan, store, engine, report=lambda progress: None):
    return run_plan(plan, WORK, store, engine, plan_steps=plan_steps, report=report)


def results(store, outcome):
    return {
        uri: store.read(uri)
        for uri in store.list(f"{outcome.folder}/")
        if not uri.endswith(".error.json")
    }


def runs_of(trace):
    """How often each step ran on each shard."""
    return Counter({file.name: len(file.read_text().split()) for file in trace.iterdir()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "workers"), [("processes", 1), ("processes", 2), ("dask", 2), ("ray", 2)]
)
def test_every_engine_gives_the_same_bytes(name, workers, store, tmp_path):
    here = results(store, run_plan(make_classification_plan(store), WORK, store, HERE))
    other = FolderStore(tmp_path / "other")
    plan = make_classification_plan(other)
    with open_engine(name, workers=workers) as engine:
        outcome = run_plan(plan, WORK, other, engine)
        assert map_chunks(engine, ascii, range(3)) == ["0", "1", "2"]
    assert results(other, outcome) == here
    assert outcome.failures == {}
    assert outcome.n_steps > 3


def test_progress_is_told_by_shards_and_by_objects(store):
    told = []
    run(make_plan(store, n_shards=2), store, HERE, told.append)
    assert [(at.step, at.number, at.shards, at.objects) for at in told[:4]] == [
        ("double", 0, 0, 0),
        ("double", 0, 1, 2),
        ("double", 0, 2, 5),
        ("double", 1, 0, 0),
    ]
    assert {(at.n_shards, at.n_objects) for at in told} == {(2, 5)}


@pytest.mark.slow
def test_a_process_that_is_killed_from_outside_costs_nothing(store, trace):
    killed = []

    with open_engine("processes", workers=2) as engine:

        def kill_one(progress):
            if progress.shards == 1 and not killed:
                killed.append(engine.executor.process_ids[0])
                os.kill(killed[0], signal.SIGKILL)

        outcome = run(make_plan(store, trace=str(trace)), store, engine, kill_one)
        assert killed[0] not in engine.executor.process_ids
    assert outcome.failures == {}
    assert len(results(store, outcome)) == 2 * 5 + 2


@pytest.mark.slow
def test_a_shard_that_kills_its_process_each_time_is_named_and_all_others_are_done(store, trace):
    plan = make_plan(store, trace=str(trace), killed=2, kills=99)
    with open_engine("processes", workers=2) as engine:
        outcome = run(plan, store, engine)
    ((name, problem),) = outcome.failures.items()
    assert name == plan.shards[2].name
    assert problem.startswith("its process died: killed, or out of memory")
    assert runs_of(trace) == {
        f"{step}-{index}": 3 if (step, index) == ("double", 2) else runs
        for step, runs in (("double", 2), ("share", 1))
        for index in range(5)
        if (step, index) != ("share", 2)
    }


def test_what_would_fail_again_is_not_tried_again(store, trace):
    plan = make_plan(store, trace=str(trace), damaged=1)
    outcome = run(plan, store, HERE)
    assert outcome.failures == {plan.shards[1].name: "numbers: is damaged"}
    assert runs_of(trace)["double-1"] == 1
    with pytest.raises(ShardsFailedError, match=r"1 of 2 shards failed: 00001.*is damaged"):
        run(make_plan(store, n_shards=2, damaged=1), store, HERE)


@pytest.mark.parametrize("engine", [HERE, "processes"], ids=["here", "processes"])
def test_after_an_interruption_no_finished_shard_is_run_again(engine, store, trace):
    plan = make_plan(store, trace=str(trace))

    def interrupt(progress):
        if (progress.number, progress.shards) == (1, 2):
            raise KeyboardInterrupt

    def run_on(report):
        if engine is HERE:
            return run(plan, store, HERE, report)
        with open_engine(engine, workers=2) as opened:
            return run(plan, store, opened, report)

    with pytest.raises(KeyboardInterrupt):
        run_on(interrupt)
    before = runs_of(trace)
    done = [uri.rpartition("/")[2] for uri in store.list(f"{WORK}/01-")]
    assert sum(name.endswith(TOTALS_END) for name in done) >= 2
    outcome = run_on(lambda progress: None)
    assert outcome.failures == {}
    finished = {f"double-{int(name[:5])}" for name in done if name.endswith(TOTALS_END)}
    after = runs_of(trace)
    assert {name: after[name] for name in finished} == {name: before[name] for name in finished}


class Throttle:
    """Asks every client to slow down, many times in a row."""

    def __init__(self, service, times):
        self.service, self.times, self.refused = service, times, Counter()

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if "/00-" in path and path.endswith(TOTALS_END) and self.refused[path] < self.times:
            self.refused[path] += 1
            start_response("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>reduce the rate</Message></Error>"]
        return self.service(environ, start_response)


def test_shards_are_done_in_an_s3_that_throttles(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    service = Throttle(DomainDispatcherApplication(create_backend_app), times=8)
    server = make_server("127.0.0.1", 0, service, threaded=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        boto3.client("s3").create_bucket(Bucket="job")
        store = S3Store()
        outcome = run(make_plan(store, n_shards=2), store, HERE)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert outcome.failures == {}
    # The client gives up after six requests, and the shard is tried again.
    assert list(service.refused.values()) == [8, 8]


def fail(item):
    raise ContractError(f"item {item} is bad", path="items")


def test_an_error_of_the_work_ends_it():
    with pytest.raises(JobError, match=r"^items: item 7 is bad$"):
        map_chunks(HERE, fail, [7])
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*ValueError: invalid literal"):
        map_chunks(HERE, int, ["x"])


def test_a_fault_that_may_pass_is_tried_three_times():
    calls = itertools.count()

    def flaky(succeeds_at):
        if next(calls) < succeeds_at:
            raise OSError("the disk is busy")
        return "done"

    assert map_chunks(HERE, flaky, [2]) == ["done"]
    with pytest.raises(JobError, match="OSError: the disk is busy"):
        map_chunks(HERE, flaky, [99])
    assert next(calls) == 6


@pytest.mark.parametrize("uri", ["s3://job/elsewhere", None])
def test_workers_that_cannot_read_the_work_folder_are_found_out_first(uri, store, monkeypatch):
    elsewhere = Engine(executor=ThisProcess(), at_once=1, is_remote=True)
    plan = make_plan(store)
    if uri is None:
        assert run(plan, store, elsewhere).failures == {}
        return
    monkeypatch.setattr(driver, "PLAN", "not-there.json")
    with pytest.raises(JobError, match=r"cluster's workers cannot read the work folder.*--output"):
        run(plan, store, elsewhere)
