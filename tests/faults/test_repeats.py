"""Batches that are cut short, sent again, or sent at once."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.jsonl import JsonFileSkills
from groundtruth.worker_history.store import ALL_WORKERS, SkillKey
from labeljob.application import FunctionError, LocalFunction
from tests.batches import MASKS, MULTI, SINGLE
from tests.examples import TASKS, consolidate, example
from tests.faults.full_batches import WORKERS, event_of, full_payload
from tests.memory_store import MemoryStore
from tests.unit.worker_history.stores.conftest import new_store, proxy, server_port, table_name

pytestmark = pytest.mark.slow

__all__ = ("new_store", "proxy", "server_port", "table_name")

LATER = datetime(2026, 5, 4, 10, tzinfo=UTC)
NAMES = [f"w{at}" for at in range(WORKERS)]


class Account:
    """A folder in place of S3, and a file of worker skill."""

    def __init__(self, folder):
        self.folder = folder

    def function(self, name):
        """A process that answers events, as a container of Lambda does."""
        jobs = self.folder / "jobs"
        jobs.mkdir(parents=True, exist_ok=True)
        environment = {
            "GROUNDTRUTH_STORE_FOLDER": str(self.folder / "s3"),
            "GROUNDTRUTH_SKILL_FILE": str(self.folder / "skill.jsonl"),
            "GROUNDTRUTH_JOBS_FOLDER": str(jobs),
            "CONSOLIDATION_ALGORITHM": "",
        }
        return LocalFunction(name, environment, log=self.folder / "log")

    def put(self, event, payload):
        path = self.folder / "s3" / event["payload"]["s3Uri"].removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(payload))

    def masks(self):
        found = self.folder.rglob("*.png")
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def lines(self):
        """How many lines the file of worker skill has."""
        path = self.folder / "skill.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def learned(self, name):
        """What is known of all workers, as a later batch is told."""
        return learned(JsonFileSkills(self.folder / "skill.jsonl"), name)


def learned(skills, name):
    """What is known of each worker and, with one label, of all together: their sum."""
    classes = tuple(example(name, "event")["labelCategories"])
    key = SkillKey(TASKS[name].schema_name, classes, 180.0)
    asked = [*NAMES, ALL_WORKERS]
    amounts = skills.history(key, batch_id="later", workers=asked, at=LATER)
    together = Counter()
    for worker in NAMES if name == SINGLE else ():
        together.update(amounts[worker])
    of_all = {cell: amount for cell, amount in amounts[ALL_WORKERS].items() if ":" in cell}
    # Each addition is rounded to a millionth: nine workers, ten objects, two batches.
    assert of_all == pytest.approx(dict(together), abs=2e-4)
    assert bool(together) == (name == SINGLE)
    return amounts


@pytest.fixture
def account(tmp_path):
    return Account(tmp_path / "one")


@pytest.fixture
def undisturbed(tmp_path):
    return Account(tmp_path / "other")


def killed_after_the_first_mask(account, event):
    """Send a batch, and kill the function when there is a mask; say how many there were."""
    with account.function(MASKS) as function, ThreadPoolExecutor(1) as caller:
        answer = caller.submit(function, event)
        while not account.masks() and not answer.done():
            time.sleep(0.001)
        function._process.kill()
        with pytest.raises(FunctionError):
            answer.result()
    return len(account.masks())


def test_a_function_killed_while_it_writes_masks_leaves_the_same_bytes_when_called_again(
    account, undisturbed
):
    event, payload = event_of(MASKS), full_payload(MASKS, objects=12, scale=60)
    for one in (account, undisturbed):
        one.put(event, payload)
    with undisturbed.function(MASKS) as function:
        expected = function(event)
    assert 1 <= killed_after_the_first_mask(account, event) < len(payload)
    with account.function(MASKS) as function:
        assert function(event) == expected
    assert account.masks() == undisturbed.masks()
    assert len(account.masks()) == len(payload)
    assert account.learned(MASKS) == undisturbed.learned(MASKS)


def test_a_function_killed_at_any_moment_counts_for_all_workers_once(account, undisturbed):
    event, payload = event_of(SINGLE), full_payload(SINGLE, objects=10)
    for one in (account, undisturbed):
        one.put(event, payload)
    with undisturbed.function(SINGLE) as function:
        expected = function(event)
    for lines in (1, 2, 3):  # the file's format, what the batch was told, what it teaches
        with account.function(SINGLE) as function, ThreadPoolExecutor(1) as caller:
            answer = caller.submit(function, event)
            while account.lines() < lines and not answer.done():
                time.sleep(0.001)
            function._process.kill()
            answer.exception()  # it may have been done by then
    with account.function(SINGLE) as function:
        assert function(event) == expected
    assert account.learned(SINGLE) == undisturbed.learned(SINGLE)


@pytest.mark.parametrize("name", [SINGLE, MULTI, MASKS])
def test_the_same_batch_twice_leaves_the_same_bytes_and_the_same_counts(account, undisturbed, name):
    event, payload = event_of(name), full_payload(name, objects=10)
    for one in (account, undisturbed):
        one.put(event, payload)
    with undisturbed.function(name) as function:
        expected = function(event)
    for _ in range(2):
        with account.function(name) as function:
            assert function(event) == expected
    assert account.masks() == undisturbed.masks()
    assert account.learned(name) == undisturbed.learned(name)
    assert any(account.learned(name).values())


@pytest.mark.parametrize("name", [SINGLE, MASKS])
def test_two_batches_at_once_in_two_processes_lose_no_count_and_no_mask(account, undisturbed, name):
    batches = [(event_of(name, at), full_payload(name, objects=10, seed=at)) for at in range(2)]
    for one in (account, undisturbed):
        for event, payload in batches:
            one.put(event, payload)
    with (
        account.function(name) as first,
        account.function(name) as second,
        ThreadPoolExecutor(2) as threads,
    ):
        calls = [
            threads.submit(function, event)
            for function, (event, _) in zip((first, second), batches, strict=True)
        ]
        responses = [call.result() for call in calls]
    assert [len(response) for response in responses] == [10, 10]
    with undisturbed.function(name) as function:
        for event, _ in batches:
            function(event)
    assert account.masks().keys() == undisturbed.masks().keys()
    assert counted(account.learned(name), name) == pytest.approx(
        counted(undisturbed.learned(name), name), abs=1e-4
    )


def counted(amounts, name):
    """How many data objects each worker was judged by: a class has a cell for each outcome.

    What is kept of all workers depends on which batch ends first, for the later one knows them.
    """
    return {
        worker: cells["n"] if name == MASKS else sum(cells.values())
        for worker, cells in amounts.items()
        if cells and worker != ALL_WORKERS
    }


def test_the_same_batch_many_times_at_once_counts_once_in_every_store(new_store):
    event, payload = event_of(SINGLE), full_payload(SINGLE, objects=10)
    barrier = threading.Barrier(4)

    def send(_):
        store = MemoryStore()
        skills = new_store()
        barrier.wait()
        return consolidate(
            SINGLE, payload, store=store, event=event, skills=skills, consolidation_algorithm=""
        )

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(send, range(4)))
    assert all(outcome.response == outcomes[0].response for outcome in outcomes)
    assert {outcome.skill_note for outcome in outcomes} == {""}
    many = learned(new_store(), SINGLE)
    assert many == once(event, payload)


def once(event, payload):
    skills = MemorySkills()
    consolidate(SINGLE, payload, event=event, skills=skills, consolidation_algorithm="")
    return learned(skills, SINGLE)
