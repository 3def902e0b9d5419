"""A kept answer that does not fit into one item."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from groundtruth.worker_history import dynamodb as module
from groundtruth.worker_history.dynamodb import DynamoDbSkills
from groundtruth.worker_history.store import SkillStoreError
from tests.unit.worker_history.stores.crews import KEY, NOW, batch, names, sums
from tests.unit.worker_history.stores.proxy import cut_after

pytestmark = pytest.mark.slow

CREW = names(8)


@pytest.fixture
def updates(monkeypatch, dynamodb):
    monkeypatch.setattr(module, "LONGEST_PART", 100)
    updates = batch(12, 8, answers=4)
    dynamodb.update_counts(KEY, job="a", updates=updates, at=NOW)
    return updates


def ask(store, batch_id="payload"):
    return store.history(KEY, batch_id=batch_id, workers=CREW, at=NOW)


def test_it_is_kept_in_parts(table_name, proxy, dynamodb, updates):
    proxy.requests.clear()
    assert ask(dynamodb) == sums(updates)
    assert proxy.requests == {"BatchGetItem": 1, "TransactWriteItems": 1}
    dynamodb.update_counts(KEY, job="b", updates=updates, at=NOW)
    assert ask(DynamoDbSkills(table_name)) == sums(updates)


def test_the_first_of_several_is_kept_whole(table_name, proxy, updates):
    proxy.busy_seconds = 0.01

    def call(number):
        store = DynamoDbSkills(table_name, seconds=60)
        answer = ask(store)
        store.update_counts(KEY, job=f"{number}", updates=updates, at=NOW)
        return answer

    with ThreadPoolExecutor(8) as threads:
        first, *others = threads.map(call, range(6))
    assert others == [first] * 5


def test_a_cut_while_it_is_kept_changes_nothing(proxy, dynamodb, updates):
    proxy.faults["TransactWriteItems"] = [cut_after, None]
    assert ask(dynamodb) == sums(updates)
    assert ask(dynamodb) == sums(updates)


def test_what_is_too_much_is_an_error_and_leaves_nothing(monkeypatch, dynamodb, updates):
    monkeypatch.setattr(module, "MOST_PARTS", 2)
    with pytest.raises(SkillStoreError, match="too much to keep") as failure:
        ask(dynamodb)
    assert failure.value.reason == "full"
    monkeypatch.undo()
    assert ask(dynamodb) == sums(updates)


def test_a_part_that_is_gone_is_noticed(monkeypatch, proxy, dynamodb, updates):
    ask(dynamodb)
    proxy.faults["BatchGetItem"] = [None, lambda body, forward: (200, b'{"Responses":{}}')]
    with pytest.raises(SkillStoreError, match="gone") as failure:
        ask(dynamodb)
    assert failure.value.reason == "damaged"


def test_whoever_comes_second_reads_all_parts_of_the_first(table_name, proxy, updates):
    first = DynamoDbSkills(table_name, seconds=60)

    def overtaken(body, forward):
        first.update_counts(KEY, job="b", updates=updates, at=NOW)
        ask(first)
        return forward(body)

    proxy.faults["TransactWriteItems"] = [overtaken, None]
    assert ask(DynamoDbSkills(table_name, seconds=60)) == sums(updates, updates)


def test_the_parts_may_come_in_any_order(proxy, dynamodb, updates):
    def backwards(body, forward):
        status, content = forward(body)
        ((table, items),) = json.loads(content)["Responses"].items()
        return status, json.dumps({"Responses": {table: items[::-1]}}).encode()

    ask(dynamodb)
    proxy.faults["BatchGetItem"] = [backwards]
    assert ask(dynamodb) == sums(updates)
