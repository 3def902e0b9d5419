import json

import pytest

from groundtruth.auxiliary_inputs import NO_LABELS, parse_auxiliary_labels
from groundtruth.errors import ContractError
from tests.batches import MULTI, SINGLE, outcome
from tests.memory_store import MemoryStore

URI = "s3://bucket/gold.jsonl"


def side_file(*entries):
    return "\n".join(json.dumps(entry) for entry in entries).encode()


def test_an_object_is_found_by_its_source_and_by_its_id():
    known = parse_auxiliary_labels(
        side_file(
            {"source-ref": "s3://b/1.jpg", "label": "cat"},
            {"object-id": "17", "labels": ["cat", "grass"]},
        ),
        path=URI,
    )
    assert known.of("0", "s3://b/1.jpg") == ("cat",)
    assert known.of("17", "s3://b/17.jpg") == ("cat", "grass")
    assert known.of("17", None) == ("cat", "grass")
    assert known.of("0", None) is None
    assert NO_LABELS.of("0", "s3://b/1.jpg") is None


def test_the_source_comes_before_the_id():
    known = parse_auxiliary_labels(
        side_file({"object-id": "0", "label": "dog"}, {"source-ref": "s3://b/0", "label": "cat"}),
        path=URI,
    )
    assert known.of("0", "s3://b/0") == ("cat",)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'\n{"object-id": "1", "label": "cat"}\n\n', id="empty-lines"),
        pytest.param(b'{"object-id": "1", "label": "cat"}\r\n', id="windows"),
        pytest.param(b'\xef\xbb\xbf{"object-id": "1", "label": "cat"}', id="byte-order-mark"),
        pytest.param(b'{"object-id": "1", "label": "cat", "by": "expert"}', id="more-keys"),
    ],
)
def test_a_file_may_come_from_any_editor(body):
    assert parse_auxiliary_labels(body, path=URI).of("1", None) == ("cat",)


def test_an_object_may_have_no_label():
    known = parse_auxiliary_labels(side_file({"object-id": "1", "labels": []}), path=URI)
    assert known.of("1", None) == ()


GOOD = {"object-id": "1", "label": "cat"}


@pytest.mark.parametrize(
    ("body", "line", "problem"),
    [
        pytest.param(b"\n{", 2, "is not JSON", id="no-json"),
        pytest.param(b"[]", 1, "not an object", id="no-object"),
        pytest.param(b"\xff", 1, "is not UTF-8", id="no-text"),
        pytest.param(
            side_file(GOOD, {"object-id": "2"}),
            2,
            "needs .label.: .*: write what is true",
            id="no-label",
        ),
        pytest.param(side_file({"object-id": "1", "label": ""}), 1, "needs", id="empty-label"),
        pytest.param(side_file({"object-id": "1", "label": 3}), 1, "needs", id="a-number"),
        pytest.param(side_file({"object-id": "1", "labels": "cat"}), 1, "needs", id="a-text"),
        pytest.param(side_file({"object-id": "1", "labels": [1]}), 1, "needs", id="numbers"),
        pytest.param(side_file({"label": "cat"}), 1, "source-ref", id="no-object-named"),
        pytest.param(side_file({"object-id": 1, "label": "cat"}), 1, "a text", id="id-a-number"),
        pytest.param(side_file(GOOD, GOOD), 2, "second time", id="id-twice"),
        pytest.param(
            side_file(*[{"source-ref": "s3://b/1", "label": "cat"}] * 2), 2, "second", id="twice"
        ),
    ],
)
def test_a_bad_line_is_named(body, line, problem):
    with pytest.raises(ContractError, match=problem) as caught:
        parse_auxiliary_labels(body, path=URI)
    assert caught.value.path == f"{URI}, line {line}"


@pytest.mark.parametrize("setting", ["gold_labels_s3_uri", "model_answers_s3_uri"])
def test_a_bad_side_file_fails_the_batch_by_name(setting):
    with pytest.raises(ContractError, match=r"s3://bucket/gold\.jsonl, line 1: is not JSON"):
        outcome(SINGLE, {"0": {}}, store=MemoryStore({URI: b"{"}), **{setting: URI})


@pytest.mark.parametrize("setting", ["gold_labels_s3_uri", "model_answers_s3_uri"])
@pytest.mark.parametrize(("function", "chosen"), [(SINGLE, "Crab"), (MULTI, ["Crab"])])
def test_labels_that_the_job_does_not_have_are_noted(function, chosen, setting):
    store = MemoryStore(
        {URI: side_file({"object-id": "0", "label": "crab"}, {"object-id": "9", "label": "cod"})}
    )
    answers = {"0": {"ann": chosen}, "1": {"ann": chosen}}
    made = outcome(function, answers, store=store, classes=["Crab", "Star"], **{setting: URI})
    assert made.notes == (
        f"{URI} names labels that the job does not have for 1 of the data objects",
    )
    assert [label.used for label in made.labels] == [1, 1]
