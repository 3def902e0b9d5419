"""DynamoDB fails in every way it can; nothing is counted twice, nothing is lost."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from groundtruth.worker_history import dynamodb
from groundtruth.worker_history.counts import object_mark
from groundtruth.worker_history.dynamodb import DynamoDbSkills
from groundtruth.worker_history.store import SkillStoreError
from tests.unit.worker_history.stores.crews import KEY, NOW, batch, names, sums
from tests.unit.worker_history.stores.proxy import (
    cancelled,
    cut_after,
    cut_before,
    item_of,
    refusing,
)

pytestmark = pytest.mark.slow

OPERATIONS = ("BatchGetItem", "PutItem", "TransactWriteItems")
CREW = names(9)
STRANGERS: dict[str, dict[str, float]] = {worker: {} for worker in CREW}


def ask(store, batch_id, workers=CREW):
    return store.history(KEY, batch_id=batch_id, workers=workers, at=NOW)


def conflict(body, forward):
    return cancelled(["TransactionConflict"] + ["None"] * (len(body["TransactItems"]) - 1))


def throttled_in_part(body, forward):
    return cancelled(["None"] * (len(body["TransactItems"]) - 1) + ["ThrottlingError"])


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(refusing("ThrottlingException"), id="throttled"),
        pytest.param(refusing("ProvisionedThroughputExceededException"), id="exceeded"),
        pytest.param(refusing("RequestLimitExceeded"), id="limit"),
        pytest.param(refusing("InternalServerError", status=500), id="500"),
        pytest.param(lambda body, forward: (503, b"<html>no</html>"), id="503-of-no-service"),
        pytest.param(cut_before, id="cut-before"),
        pytest.param(cut_after, id="cut-after"),
    ],
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_that_passes_leaves_no_trace(dynamodb, proxy, operation, fault):
    updates = batch(8, 9)
    dynamodb.update_counts(KEY, job="a", updates=updates, at=NOW)
    before = sums(updates)
    proxy.faults[operation] = [fault, fault, None]
    assert ask(dynamodb, "payload") == before
    dynamodb.update_counts(KEY, job="b", updates=updates, at=NOW)
    proxy.faults.clear()
    assert ask(dynamodb, "payload") == before
    assert ask(dynamodb, "another") == sums(updates, updates)


@pytest.mark.parametrize(
    "fault",
    [conflict, throttled_in_part, refusing("TransactionInProgressException")],
    ids=["conflict", "throttled-in-part", "in-progress"],
)
def test_a_cancelled_transaction_is_repeated(dynamodb, proxy, fault):
    updates = batch(8, 9)
    proxy.faults["TransactWriteItems"] = [fault, fault, None]
    dynamodb.update_counts(KEY, job="a", updates=updates, at=NOW)
    assert ask(dynamodb, "payload") == sums(updates)


def test_keys_that_were_not_processed_are_asked_for_again(dynamodb, proxy):
    updates = batch(9, 40, answers=5)
    dynamodb.update_counts(KEY, job="a", updates=updates, at=NOW)

    def some(body, forward):
        ((table, wanted),) = body["RequestItems"].items()
        part = wanted | {"Keys": wanted["Keys"][1::2]}
        status, content = forward({"RequestItems": {table: part}})
        rest = {table: wanted | {"Keys": wanted["Keys"][::2]}}
        return status, json.dumps(json.loads(content) | {"UnprocessedKeys": rest}).encode()

    proxy.faults["BatchGetItem"] = [some, some, None]
    known = ask(dynamodb, "payload", names(40))
    assert {worker: cells for worker, cells in known.items() if cells} == sums(updates)


@pytest.mark.parametrize("last", [cut_before, cut_after], ids=["not-done", "done"])
@pytest.mark.parametrize("survived", range(3))
def test_dying_half_way_leaves_each_object_whole_or_out(
    table_name, proxy, monkeypatch, survived, last
):
    monkeypatch.setattr(dynamodb, "MOST_ACTIONS", 12)
    updates = batch(22, 6, answers=4)
    proxy.faults["TransactWriteItems"] = [None] * survived + [
        last,
        refusing("AccessDeniedException"),
    ]
    with pytest.raises(SkillStoreError, match="transact_write_items") as failure:
        DynamoDbSkills(table_name, seconds=60).update_counts(KEY, job="a", updates=updates, at=NOW)
    assert failure.value.reason == "refused"
    requests = proxy.bodies[: survived + (last is cut_after)]
    known = ask(DynamoDbSkills(table_name, seconds=60), "payload", names(6))
    written = {
        action["Put"]["Item"]["pk"]["S"]
        for _, body in requests
        for action in body["TransactItems"]
        if "Put" in action
    }
    whole = [n for n in updates if f"object#{object_mark(KEY, 'a', n)}" in written]
    assert bool(whole) == bool(survived or last is cut_after)
    assert len(whole) < len(updates)
    assert {w: c for w, c in known.items() if c} == sums({n: updates[n] for n in whole})
    proxy.faults.clear()
    DynamoDbSkills(table_name, seconds=60).update_counts(KEY, job="a", updates=updates, at=NOW)
    known = ask(DynamoDbSkills(table_name, seconds=60), "another", names(6))
    assert {w: c for w, c in known.items() if c} == sums(updates)


def test_writers_that_meet_lose_nothing(table_name, proxy):
    proxy.busy_seconds = 0.01
    batches = [batch(3, 4, answers=3, seed=seed) for seed in range(16)]

    def teach(number):
        store = DynamoDbSkills(table_name, seconds=60)
        for updates in (batches[number], batches[number - 1]):
            store.update_counts(KEY, job="a", updates=updates, at=NOW)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(teach, range(16)))
    assert proxy.conflicts > 0
    assert ask(DynamoDbSkills(table_name), "payload", names(4)) == sums(*batches)


def test_the_same_batch_from_two_callers_is_counted_once(table_name, proxy):
    proxy.busy_seconds = 0.01
    updates = batch(10, 9)

    def call(_):
        store = DynamoDbSkills(table_name, seconds=60)
        history = ask(store, "payload")
        store.update_counts(KEY, job="a", updates=updates, at=NOW)
        return history

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(call, range(8))) == [STRANGERS] * 8
    assert ask(DynamoDbSkills(table_name), "another") == sums(updates)


def test_whoever_answers_a_batch_second_reads_the_first_answer(table_name, proxy):
    first, updates = DynamoDbSkills(table_name), batch(5, 9)

    def overtaken(body, forward):
        first.update_counts(KEY, job="a", updates=updates, at=NOW)
        ask(first, "payload")
        return forward(body)

    proxy.faults["PutItem"] = [overtaken, None]
    assert ask(DynamoDbSkills(table_name), "payload") == sums(updates)
    assert proxy.requests["PutItem"] == 2


def test_a_full_record_does_not_keep_the_others_from_learning(dynamodb, proxy):
    updates = batch(10, 9)

    def full(body, forward):
        mine = [f"worker#{CREW[4]} " in item_of(action) for action in body["TransactItems"]]
        if any(mine):
            return cancelled(["ValidationError" if hit else "None" for hit in mine])
        return forward(body)

    proxy.faults["TransactWriteItems"] = [full]
    with pytest.raises(SkillStoreError, match="left as they are: 1") as failure:
        dynamodb.update_counts(KEY, job="a", updates=updates, at=NOW)
    assert failure.value.reason == "full"
    proxy.faults.clear()
    dynamodb.update_counts(KEY, job="a", updates=updates, at=NOW)
    assert ask(dynamodb, "payload") == sums(updates) | {CREW[4]: {}}


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refusal_is_not_repeated(dynamodb, proxy, operation, code):
    proxy.faults[operation] = [refusing(code)]

    def call():
        ask(dynamodb, "payload")
        dynamodb.update_counts(KEY, job="a", updates=batch(2, 9), at=NOW)

    with pytest.raises(SkillStoreError, match=code) as failure:
        call()
    assert failure.value.reason == "refused"
    assert proxy.requests[operation] == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(refusing("ThrottlingException"), "throttled", id="throttled"),
        pytest.param(conflict, "throttled", id="conflict"),
        pytest.param(cut_before, "unavailable", id="cut"),
    ],
)
def test_a_store_that_stays_away_is_given_up_in_time(table_name, proxy, clock, fault, reason):
    store = DynamoDbSkills(table_name, seconds=1.5)
    proxy.faults["TransactWriteItems"] = [fault]
    with pytest.raises(SkillStoreError) as failure:
        store.update_counts(KEY, job="a", updates=batch(20, 9), at=NOW)
    assert failure.value.reason == reason
    assert 2 <= proxy.requests["TransactWriteItems"] == len(clock.pauses)
    assert sum(clock.pauses) < 1.5


def test_a_table_that_never_processes_a_key_is_given_up(table_name, proxy):
    store = DynamoDbSkills(table_name, seconds=0.3)
    proxy.faults["BatchGetItem"] = [
        lambda body, forward: (
            200,
            json.dumps({"Responses": {}, "UnprocessedKeys": body["RequestItems"]}).encode(),
        )
    ]
    with pytest.raises(SkillStoreError, match="not all keys in time"):
        ask(store, "payload")


def test_nobody_listens(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    with pytest.raises(SkillStoreError, match="batch_get_item") as failure:
        ask(DynamoDbSkills("skill", seconds=0.2), "payload")
    assert failure.value.reason == "unavailable"


def test_no_region_and_no_table_name_are_refusals(monkeypatch, table_name):
    with pytest.raises(SkillStoreError) as failure:
        ask(DynamoDbSkills(""), "payload")
    assert failure.value.reason == "refused"
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name)
    with pytest.raises(SkillStoreError, match="region") as failure:
        ask(DynamoDbSkills("skill"), "payload")
    assert failure.value.reason == "refused"


def test_a_transaction_that_is_refused_for_another_reason(dynamodb, proxy):
    reply = cancelled(["ItemCollectionSizeLimitExceeded"] * 11)
    proxy.faults["TransactWriteItems"] = [lambda body, forward: reply]
    with pytest.raises(SkillStoreError, match="ItemCollectionSizeLimitExceeded") as failure:
        dynamodb.update_counts(KEY, job="a", updates=batch(2, 9), at=NOW)
    assert failure.value.reason == "refused"
