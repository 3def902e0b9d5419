import json

import pytest

from groundtruth.annotations import (
    AnswerReader,
    Entry,
    RejectedAnswer,
    find_by_shape,
    merge_entries,
)
from groundtruth.contract.acs import parse_payload
from groundtruth.errors import StorageError, UnusableAnswer
from tests.examples import payload_of
from tests.memory_store import MemoryStore

URI = "s3://b/answers/1.json"


def read(contents, *, store=None, decode=lambda content: content, ids=("0",)):
    """What is read of data objects that all have these contents."""
    objects = parse_payload(payload_of(dict.fromkeys(ids, contents)))
    return list(AnswerReader(store or MemoryStore()).read(merge_entries(objects), decode))


def at(uri):
    return {"annotationData": {"s3Uri": uri}}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"a": "ä"}', id="a-json-text"),
        pytest.param(json.dumps('{"a": "ä"}'), id="a-json-text-in-a-json-text"),
        pytest.param({"annotationData": {"content": {"a": "ä"}}}, id="already-decoded"),
        pytest.param(at(URI), id="in-the-store"),
        pytest.param({"annotationData": {"s3uri": URI}}, id="in-the-store-misspelt"),
        pytest.param({"annotationData": {"s3uri": URI, "content": ""}}, id="content-is-empty"),
    ],
)
def test_an_answer_is_read(content):
    (answers,) = read([content], store=MemoryStore({URI: '\ufeff{"a": "ä"}'.encode()}))
    assert answers.object_id == "0"
    assert (answers.workers, answers.answers) == (("w1",), ({"a": "ä"},))
    assert answers.rejected == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param('{"a":', "malformed-json", id="cut-short"),
        pytest.param("[" * 100_000, "malformed-json", id="nested-too-deeply"),
        pytest.param('{"a": ' + "9" * 5000 + "}", "malformed-json", id="an-endless-number"),
        pytest.param('"text"', "malformed-json", id="a-text-that-is-no-json"),
        pytest.param("", "empty-answer", id="empty"),
        pytest.param("  \n", "empty-answer", id="blank"),
        pytest.param({"annotationData": {}}, "no-content", id="neither-content-nor-uri"),
        pytest.param({"annotationData": None}, "no-content", id="null"),
        pytest.param({"annotationData": {"content": None}}, "no-content", id="content-is-null"),
        pytest.param({"annotationData": {"s3Uri": ""}}, "no-content", id="empty-uri"),
        pytest.param({"annotationData": {"content": "{}"}, "workerId": ""}, "no-worker-id"),
        pytest.param({"annotationData": {"content": "{}"}, "workerId": None}, "no-worker-id"),
        pytest.param(at("s3://b/missing"), "answer-not-found", id="missing"),
        pytest.param(at("s3://b/denied"), "answer-access-denied", id="denied"),
        pytest.param(at("s3://b/bad"), "answer-bad-uri", id="bad-uri"),
        pytest.param(at("s3://b/latin-1"), "malformed-json", id="not-utf-8"),
        pytest.param(at("s3://b/nothing"), "empty-answer", id="an-object-without-content"),
    ],
)
def test_an_answer_that_cannot_be_read_is_rejected_alone(content, reason):
    store = MemoryStore(
        {"s3://b/latin-1": '{"a": "ä"}'.encode("latin-1"), "s3://b/nothing": b""},
        faults={"s3://b/denied": "access-denied", "s3://b/bad": "bad-uri"},
    )
    (answers,) = read([content, '{"a": 1}'], store=store)
    assert answers.workers == ("w2",)
    assert [item.reason for item in answers.rejected] == [reason]


def test_an_answer_that_cannot_be_read_now_stops_the_batch():
    store = MemoryStore(faults={URI: "unavailable"})
    with pytest.raises(StorageError) as caught:
        read([at(URI), "{}"], store=store)
    assert caught.value.uri == URI


def test_the_task_s_own_refusal_sets_an_answer_aside():
    def decode(content):
        if content == 2:
            raise UnusableAnswer("unknown-label", "it is two")
        return content

    (answers,) = read(["1", "2", "3"], decode=decode)
    assert (answers.workers, answers.answers) == (("w1", "w3"), (1, 3))
    assert answers.rejected == (RejectedAnswer("w2", "unknown-label", "it is two"),)


def unlabelable(reason, **said):
    return json.dumps({"cannot-be-labeled": {"reason": reason, **said}})


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        pytest.param(unlabelable("image-broken"), "image-broken", id="reason"),
        pytest.param(f"[{unlabelable('other')}]", "other", id="in-a-list-of-one"),
        pytest.param(
            unlabelable("other", comment=" two\nlines "), "other: two lines", id="comment"
        ),
        pytest.param(unlabelable("other", comment=" "), "other", id="blank-comment"),
        pytest.param(unlabelable("other", comment=7), "other", id="comment-is-a-number"),
        pytest.param(unlabelable("x" * 9_000, comment="y"), "x" * 1_000, id="endless"),
    ],
)
def test_what_cannot_be_labeled_is_set_aside_with_the_worker_s_reason(content, detail):
    def decode(content):
        return content["label"]

    (answers,) = read([content, '{"label": "a"}'], decode=decode)
    assert answers.answers == ("a",)
    assert answers.rejected == (RejectedAnswer("w1", "cannot-be-labeled", detail),)


@pytest.mark.parametrize(
    "said", [{"on": True}, {"reason": True}, "image-broken", None, ["image-broken"]]
)
def test_an_input_of_the_form_with_that_name_is_left_to_the_task(said):
    (answers,) = read([json.dumps({"cannot-be-labeled": said, "label": "a"})])
    assert answers.rejected == ()


def test_of_a_worker_s_usable_answers_the_last_counts():
    first = {"annotationData": {"content": "1"}, "workerId": "w"}
    second = {"annotationData": {"content": "0"}, "workerId": "w"}
    broken = {"annotationData": {"content": "{"}, "workerId": "w"}
    (answers,) = read([first, second, broken, "7"])
    assert dict(zip(answers.workers, answers.answers, strict=True)) == {"w": 0, "w4": 7}
    assert [item.reason for item in answers.rejected] == ["superseded", "malformed-json"]


def test_objects_come_in_order_and_each_answer_is_read_once():
    store = MemoryStore({f"s3://b/{at}": str(at).encode() for at in range(40)})
    payload = [
        {
            "datasetObjectId": str(number),
            "annotations": [
                {"workerId": "w", "annotationData": {"s3Uri": f"s3://b/{number}"}},
            ],
        }
        for number in range(40)
    ]
    found = AnswerReader(store).read(merge_entries(parse_payload(payload)), lambda content: content)
    assert [(item.object_id, item.answers) for item in found] == [
        (str(number), (number,)) for number in range(40)
    ]
    assert set(store.reads.values()) == {1}


def test_no_objects_have_no_answers():
    assert list(AnswerReader(MemoryStore()).read([], lambda content: content)) == []


def test_an_object_that_is_there_twice_is_one_with_all_answers():
    payload = payload_of({"0": ["1"], "1": ["2"]}) + payload_of({"0": ["{", "3"]})
    entries = merge_entries(parse_payload(payload))
    assert [entry.object.object_id for entry in entries] == ["0", "1"]
    first, _ = AnswerReader(MemoryStore()).read(entries, lambda content: content)
    assert dict(zip(first.workers, first.answers, strict=True)) == {"w1": 1, "w2": 3}
    assert [item.reason for item in first.rejected] == ["malformed-json"]


def test_answers_to_another_object_of_the_same_id_are_rejected():
    payload = payload_of({"0": ["1"]}) + payload_of({"0": ["2", "3"]})
    payload[1]["dataObject"] = {"s3Uri": "s3://bucket/images/other.png"}
    entries = merge_entries(parse_payload(payload))
    assert [type(entry) for entry in entries] == [Entry]
    (answers,) = AnswerReader(MemoryStore()).read(entries, lambda content: content)
    assert (answers.workers, answers.answers) == (("w1",), (1,))
    assert [(item.worker_id, item.reason) for item in answers.rejected] == [
        ("w1", "conflicting-object"),
        ("w2", "conflicting-object"),
    ]


def is_choice(value):
    return isinstance(value, dict) and isinstance(value.get("label"), str)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"crowd-x": {"label": "a"}}, id="stock-name"),
        pytest.param({"crowd-x": {"label": "a"}, "other": {"label": "b"}}, id="stock-name-wins"),
        pytest.param({"mine": {"label": "a"}, "comment": "b"}, id="another-name"),
        pytest.param({"crowd-x": {}, "mine": {"label": "a"}}, id="stock-name-empty"),
        pytest.param([{"crowd-x": {"label": "a"}}], id="in-a-list-of-one"),
        pytest.param({"label": "a"}, id="the-value-itself"),
    ],
)
def test_the_part_with_the_task_s_shape_is_found(content):
    assert find_by_shape(content, element="crowd-x", has_shape=is_choice) == {"label": "a"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param({}, "empty-answer", id="empty-form"),
        pytest.param([], "empty-answer", id="empty-list"),
        pytest.param(None, "empty-answer", id="null"),
        pytest.param([{}], "empty-answer", id="empty-form-in-a-list"),
        pytest.param({"crowd-x": {}}, "empty-answer", id="empty-element"),
        pytest.param({"crowd-x": None}, "empty-answer", id="element-is-null"),
        pytest.param({"crowd-x": {"label": 1}}, "unexpected-shape", id="label-is-a-number"),
        pytest.param({"comment": "a"}, "unexpected-shape", id="another-form"),
        pytest.param(5, "unexpected-shape", id="a-number"),
        pytest.param([{"label": "a"}, {"label": "b"}], "unexpected-shape", id="a-list-of-two"),
        pytest.param(
            {"one": {"label": "a"}, "two": {"label": "b"}}, "ambiguous-answer", id="two-fit"
        ),
    ],
)
def test_an_answer_without_that_shape_is_unusable(content, reason):
    with pytest.raises(UnusableAnswer) as caught:
        find_by_shape(content, element="crowd-x", has_shape=is_choice)
    assert caught.value.reason == reason
