"""What earlier calls taught about workers makes the labels of later calls better."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError

from groundtruth.consolidation import consolidate_batch
from groundtruth.jobs import JobContexts
from groundtruth.settings import Settings
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.jsonl import JsonFileSkills
from groundtruth.worker_history.store import ALL_WORKERS, SKILL_FILE_VARIABLE
from tests.batches import CREW, SINGLE, payload
from tests.examples import TASKS, example, labels_of
from tests.memory_store import KnownJobs, MemoryStore

pytestmark = pytest.mark.slow

CALLS, OBJECTS = 12, 10
TABLE = "worker-skill"


def event_of(call):
    uri = f"s3://example-groundtruth-bucket/requests/2026-05-04_09:{call:02}:00.json"
    return example(SINGLE, "event") | {
        "labelCategories": list(CREW.classes),
        "payload": {"s3Uri": uri},
    }


def calls(seed):
    """The calls of a job as (event, payload, truth)."""
    for call in range(CALLS):
        answers, truth = CREW.batch(f"call{call:02}", OBJECTS, per_object=3, seed=seed)
        yield event_of(call), payload(answers), truth


def right_later(consolidate, seed):
    """How many labels of the second half of a job are right."""
    right = 0
    for call, (event, body, truth) in enumerate(calls(seed)):
        found = labels_of(consolidate(event, body), "animal")
        if call >= CALLS // 2:
            right += sum(found[name]["class-name"] == true for name, true in truth.items())
    return right


def through_core(skills):
    """Consolidates an event and its payload with a store of skill."""
    store = MemoryStore()
    jobs = JobContexts(Settings(), KnownJobs(), store)

    def consolidate(event, body):
        store.objects[event["payload"]["s3Uri"]] = json.dumps(body).encode()
        return consolidate_batch(event, task=TASKS[SINGLE], store=store, jobs=jobs, skills=skills)

    return consolidate


@pytest.mark.parametrize("kind", ["memory", "json-file"])
def test_calls_of_ten_objects_learn_who_is_careless(kind, tmp_path):
    with_skill = without = 0
    for seed in range(3):
        skills = MemorySkills() if kind == "memory" else JsonFileSkills(tmp_path / f"{seed}.jsonl")
        with_skill += right_later(through_core(skills), seed)
        without += right_later(through_core(None), seed)
    assert with_skill >= without + 10


@pytest.fixture
def table(s3, monkeypatch):
    """The table of template.yaml, and a function that is told of it."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    monkeypatch.setenv("SKILL_TABLE_NAME", TABLE)
    return client


@pytest.fixture
def skill_file(s3, tmp_path, monkeypatch):
    path = tmp_path / "skill.jsonl"
    monkeypatch.setenv(SKILL_FILE_VARIABLE, str(path))
    return path


@pytest.fixture(params=["table", "skill_file"])
def kept(request):
    """Skill is kept in a table, or in a file."""
    return request.getfixturevalue(request.param)


class Response:
    """A response in the shape that `labels_of` reads."""

    def __init__(self, response):
        self.response = response


def through_handler(load_handler, put):
    handler = load_handler(SINGLE)

    def consolidate(event, body):
        put(event["payload"]["s3Uri"], body)
        return Response(handler(event))

    return consolidate


def test_the_deployed_function_learns_who_is_careless(load_handler, jobs_folder, put, table):
    with_skill = right_later(through_handler(load_handler, put), 1)
    without = right_later(through_core(None), 1)
    assert with_skill > without
    records = [
        item["pk"]["S"].removeprefix("worker#")
        for item in table.scan(TableName=TABLE)["Items"]
        if item["pk"]["S"].startswith("worker#")
    ]
    assert sorted(records) == sorted([ALL_WORKERS, *CREW.accuracies])


def test_a_call_that_comes_again_gets_the_same_bytes(load_handler, jobs_folder, put, kept):
    consolidate = through_handler(load_handler, put)
    made = [json.dumps(consolidate(event, body).response) for event, body, _ in calls(2)]
    again = [
        json.dumps(through_handler(load_handler, put)(event, body).response)
        for event, body, _ in calls(2)
    ]
    assert again == made
    assert len(set(made)) == CALLS


def test_a_call_that_comes_twice_counts_once(load_handler, jobs_folder, put, kept):
    consolidate = through_handler(load_handler, put)
    (first, *_, last) = calls(3)
    for _ in range(3):
        consolidate(*first[:2])
    thrice = consolidate(*last[:2]).response
    assert thrice == once_then_last(first, last)


def once_then_last(first, last):
    consolidate = through_core(MemorySkills())
    consolidate(*first[:2])
    return consolidate(*last[:2]).response


@pytest.mark.parametrize("kind", ["memory", "json-file"])
def test_the_same_call_many_times_at_once_gets_one_answer(kind, tmp_path):
    memory = MemorySkills()

    def consolidate(event, body):
        skills = memory if kind == "memory" else JsonFileSkills(tmp_path / "skill.jsonl")
        return through_core(skills)(event, body)

    *before, last = calls(4)
    for event, body, _ in before[:3]:
        consolidate(event, body)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: consolidate(*last[:2]), range(8)))
    assert all(one.response == made[0].response for one in made)
    assert {one.skill_note for one in made} == {""}


def test_a_table_that_is_not_there_fails_no_batch(
    load_handler, jobs_folder, put, s3, monkeypatch, capsys
):
    monkeypatch.setenv("SKILL_TABLE_NAME", "no-such-table")
    event, body, _ = next(calls(5))
    response = through_handler(load_handler, put)(event, body).response
    plain = through_core(None)(event, body)
    notes = set()
    for item in response:
        label = item["consolidatedAnnotation"]["content"]["animal"]
        notes.add(label.pop("worker-skill"))
    assert response == plain.response
    (note,) = notes
    assert note.startswith("worker skill was not read (refused): ")
    assert metric("SkillStoreFallbacks", capsys.readouterr().out) == 1


def test_a_table_that_throttles_fails_no_batch(
    load_handler, jobs_folder, put, table, monkeypatch, capsys
):
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchGetItem")
    monkeypatch.setattr(
        "groundtruth.worker_history.dynamodb.Table._client", lambda self: Busy(busy)
    )
    monkeypatch.setattr("groundtruth.worker_history.dynamodb.time.sleep", lambda seconds: None)
    event, body, _ = next(calls(6))
    response = through_handler(load_handler, put)(event, body).response
    assert len(response) == OBJECTS
    assert json.dumps(response).count("worker skill was not read (throttled)") == OBJECTS
    assert metric("SkillStoreFallbacks", capsys.readouterr().out) == 1


class Busy:
    """A client whose every operation raises."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, operation):
        def refused(**arguments):
            raise self._error

        return refused


def test_a_store_that_answers_is_no_fallback(load_handler, jobs_folder, put, kept, capsys):
    event, body, _ = next(calls(7))
    response = through_handler(load_handler, put)(event, body).response
    assert "worker-skill" not in json.dumps(response)
    assert metric("SkillStoreFallbacks", capsys.readouterr().out) == 0


def metric(name, output):
    """The one value of a metric among the lines a function wrote."""
    records = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    (value,) = [record[name] for record in records if name in record]
    return value[0] if isinstance(value, list) else value
