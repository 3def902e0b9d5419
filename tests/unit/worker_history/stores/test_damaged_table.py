"""Damaged items of the table fail no batch, and take no more with them than they must."""

import boto3
import pytest

from groundtruth.worker_history.dynamodb import DynamoDbSkills
from tests.examples import consolidate, example

pytestmark = pytest.mark.slow

FUNCTION = "acs_image_multi_class"
DAMAGES = {
    "a text in place of a number": lambda name, value: {name: {"S": "many"}},
    "a flipped bit in a cell's name": lambda name, value: {f"=\x50{name[2:]}": value},
    "a cell of no class": lambda name, value: {"=77:0": value},
    "less than nothing": lambda name, value: {name: {"N": "-5000000"}},
    "more than anybody gives": lambda name, value: {name: {"N": "9e120"}},
    "a list": lambda name, value: {name: {"L": [value]}},
}


def consolidate_with(table_name, *objects):
    """Labels of the objects, with the skill that the table keeps, and its note."""
    outcome = consolidate(
        FUNCTION,
        list(objects),
        skills=DynamoDbSkills(table_name, seconds=60),
        consolidation_algorithm="calibrated",
    )
    assert [item["datasetObjectId"] for item in outcome.response] == [
        item["datasetObjectId"] for item in objects
    ]
    return outcome.labels, outcome.skill_note


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record(table_name, proxy, damage):
    objects = example(FUNCTION, "payload")
    consolidate_with(table_name, *objects)
    client = boto3.client("dynamodb")
    damaged = 0
    for item in client.scan(TableName=table_name)["Items"]:
        if item["pk"]["S"].startswith("worker#"):
            cell = max(name for name in item if name.startswith("="))
            changed = DAMAGES[damage](cell, item.pop(cell))
            client.put_item(TableName=table_name, Item=item | changed)
            damaged += 1
    assert damaged
    (label,), note = consolidate_with(table_name, objects[0] | {"datasetObjectId": "later"})
    assert 0.5 < label.confidence < 1.0
    if "cell" in damage:
        assert "damaged counts of worker skill were left out: " in note


@pytest.mark.parametrize(
    "change", [{"content": {"B": b"no answer"}}, {"content": {"S": "x"}}, {"parts": {"N": "2"}}]
)
def test_a_damaged_answer(table_name, proxy, change):
    (first, *_) = example(FUNCTION, "payload")
    (expected,), _ = consolidate_with(table_name, first)
    client = boto3.client("dynamodb")
    for item in client.scan(TableName=table_name)["Items"]:
        if item["pk"]["S"].startswith("batch#"):
            client.put_item(TableName=table_name, Item=item | change)
    (label,), note = consolidate_with(table_name, first)
    assert label == expected
    assert "damaged" in note
