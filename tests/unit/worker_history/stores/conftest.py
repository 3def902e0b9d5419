"""Stores of worker skill, among them one in a DynamoDB behind HTTP."""

import os
import time
import uuid
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from groundtruth.worker_history import dynamodb as dynamodb_table
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.dynamodb import DynamoDbSkills
from groundtruth.worker_history.jsonl import JsonFileSkills
from tests.unit.worker_history.stores.proxy import Proxy, in_front_of


@pytest.fixture(scope="session")
def server_port() -> Iterator[int]:
    """Port of moto, or of another DynamoDB of this machine that the environment names."""
    if port := os.environ.get("GROUNDTRUTH_TEST_DYNAMODB_PORT"):
        yield int(port)
        return
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def proxy(server_port, monkeypatch) -> Iterator[Proxy]:
    """The DynamoDB that every client of the environment reaches."""
    with in_front_of(server_port) as (proxy, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        monkeypatch.setattr(dynamodb_table, "READ_SECONDS", 30)  # moto takes its time
        yield proxy


class Clock:
    """A clock that stands still but for the pauses, which take no time."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def time(self) -> float:
        return time.time()


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The clock of the store in DynamoDB."""
    clock = Clock()
    monkeypatch.setattr(dynamodb_table, "time", clock)
    return clock


@pytest.fixture
def table_name(proxy) -> str:
    """A new table, as template.yaml makes it."""
    name = f"skill-{uuid.uuid4()}"
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    client.close()
    proxy.requests.clear()
    proxy.bodies.clear()
    return name


@pytest.fixture
def dynamodb(table_name) -> DynamoDbSkills:
    return DynamoDbSkills(table_name, seconds=60)


@pytest.fixture(params=["memory", "json-file", "dynamodb"])
def new_store(request, tmp_path):
    """Makes stores that share what they keep, as the functions of a stack do."""
    if request.param == "memory":
        only = MemorySkills()
        return lambda: only
    if request.param == "json-file":
        return lambda: JsonFileSkills(tmp_path / "skills" / "skill.jsonl")
    name = request.getfixturevalue("table_name")
    return lambda: DynamoDbSkills(name, seconds=60)


@pytest.fixture
def store(new_store):
    return new_store()
