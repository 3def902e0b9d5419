"""How many requests a batch costs, and what is in them."""

import pytest

from tests.unit.worker_history.stores.crews import KEY, NOW, batch, names, sums
from tests.unit.worker_history.stores.proxy import refusing

pytestmark = pytest.mark.slow


def ask(store, n_workers, batch_id):
    return store.history(KEY, batch_id=batch_id, workers=names(n_workers), at=NOW)


@pytest.mark.parametrize(
    ("n_workers", "answers", "most"),
    [
        pytest.param(9, 9, 6, id="9-workers"),
        pytest.param(97, 9, 10, id="97-workers"),
        pytest.param(97, 97, 10, id="97-workers-who-answered-everything"),
    ],
)
def test_a_batch_of_50_objects_costs_a_handful_of_requests(
    dynamodb, proxy, n_workers, answers, most
):
    updates = batch(50, n_workers, answers=answers, cells=3 if answers == 9 else 1)
    ask(dynamodb, n_workers, "payload")
    dynamodb.update_counts(KEY, job="job", updates=updates, at=NOW)
    assert sum(proxy.requests.values()) <= most, proxy.requests
    known = ask(dynamodb, n_workers, "another")
    assert {w: c for w, c in known.items() if c} == sums(updates)


def test_a_batch_that_comes_again_costs_less(dynamodb, proxy):
    updates = batch(50, 9)
    for _ in range(2):
        proxy.requests.clear()
        ask(dynamodb, 9, "payload")
        dynamodb.update_counts(KEY, job="job", updates=updates, at=NOW)
    assert proxy.requests == {"BatchGetItem": 1, "TransactWriteItems": 1}


def test_nothing_to_learn_costs_nothing(dynamodb, proxy):
    dynamodb.update_counts(KEY, job="job", updates={"1": {}, "2": {"ann": {"0:0": 0}}}, at=NOW)
    assert not proxy.requests


def test_reads_see_what_was_written_before(dynamodb, proxy):
    ask(dynamodb, 97, "payload")
    reads = [body for operation, body in proxy.bodies if operation == "BatchGetItem"]
    assert reads
    for body in reads:
        for table in body["RequestItems"].values():
            assert table["ConsistentRead"] is True
            assert len(table["Keys"]) <= 100


def test_marks_and_answers_expire_and_records_do_not(dynamodb, proxy, table_name):
    ask(dynamodb, 9, "payload")
    dynamodb.update_counts(KEY, job="job", updates=batch(5, 9), at=NOW)
    for operation, body in proxy.bodies:
        for action in body.get("TransactItems", [{"Put": body}] if "Item" in body else []):
            if "Put" in action:
                assert int(action["Put"]["Item"]["expires"]["N"]) > NOW.timestamp()
            else:
                names = action["Update"]["ExpressionAttributeNames"].values()
                assert all(name.startswith("=") for name in names), operation


def test_a_transaction_is_within_the_limits(dynamodb, proxy):
    dynamodb.update_counts(KEY, job="job", updates=batch(40, 90), at=NOW)
    transactions = [body for operation, body in proxy.bodies if operation == "TransactWriteItems"]
    assert len(transactions) > 1
    for body in transactions:
        assert len(body["TransactItems"]) <= 100
        for action in body["TransactItems"]:
            expression = action.get("Update", {}).get("UpdateExpression", "")
            assert len(expression) <= 4096


def test_a_repetition_is_known_by_its_token(dynamodb, proxy):
    proxy.faults["TransactWriteItems"] = [refusing("ThrottlingException"), None]
    dynamodb.update_counts(KEY, job="job", updates=batch(5, 9), at=NOW)
    first, second = [body for operation, body in proxy.bodies if operation.startswith("Transact")]
    assert first == second
