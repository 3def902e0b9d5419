import json

import pytest

from groundtruth.contract.fields import (
    as_list,
    as_mapping,
    embedded_json,
    optional_text,
    required_text,
    s3_uri_of,
)
from groundtruth.errors import ContractError


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"a": "ä"}', id="text"),
        pytest.param('{"a": "ä"}'.encode(), id="bytes"),
        pytest.param('{"a": "ä"}'.encode("utf-8-sig"), id="bytes-with-byte-order-mark"),
        pytest.param('\ufeff{"a": "ä"}', id="text-with-byte-order-mark"),
        pytest.param(b'{"a": "\\u00e4"}\r\n', id="escaped"),
    ],
)
def test_json_is_read(body):
    assert embedded_json(body, path="payload") == {"a": "ä"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'[{"a": 1}', id="cut-short"),
        pytest.param(b"[1, 2] 3", id="something-after-it"),
        pytest.param("Häuser".encode("latin-1"), id="latin-1"),
        pytest.param('["a"]'.encode("utf-16"), id="utf-16"),
        pytest.param(b"[" * 200_000, id="nested-too-deeply"),
        pytest.param(b'{"a":' * 200_000, id="objects-nested-too-deeply"),
        pytest.param(b"1" * 5_000, id="number-of-thousands-of-digits"),
    ],
)
def test_what_is_not_json_is_an_error_at_its_path(body):
    with pytest.raises(ContractError) as caught:
        embedded_json(body, path="payload")
    assert caught.value.path == "payload"


@pytest.mark.parametrize("value", [None, 3, True, "text", [1]])
def test_only_an_object_is_a_mapping(value):
    with pytest.raises(ContractError) as caught:
        as_mapping(value, path="a.b")
    assert caught.value.path == "a.b"


def test_a_message_that_is_no_object_is_named_event():
    with pytest.raises(ContractError) as caught:
        as_mapping([], path="")
    assert caught.value.path == "event"


@pytest.mark.parametrize("value", [None, 3, True, "text", {}])
def test_only_an_array_is_a_list(value):
    with pytest.raises(ContractError) as caught:
        as_list(value, path="payload")
    assert caught.value.path == "payload"


@pytest.mark.parametrize("message", [{}, {"a": None}, {"a": ""}, {"a": 1}, {"a": ["b"]}])
def test_a_required_text_is_there_and_not_empty(message):
    with pytest.raises(ContractError) as caught:
        required_text(message, "a", path="x")
    assert caught.value.path == "x.a"


@pytest.mark.parametrize("message", [{}, {"a": None}, {"a": ""}])
def test_an_optional_text_may_be_absent(message):
    assert optional_text(message, "a") is None


@pytest.mark.parametrize("value", [1, False, [], {"b": 1}])
def test_an_optional_text_is_a_text(value):
    with pytest.raises(ContractError) as caught:
        optional_text({"a": value}, "a")
    assert caught.value.path == "a"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param('{"s3Uri": "s3://b/k"}', "s3://b/k", id="the-service's-spelling"),
        pytest.param('{"s3uri": "s3://b/k"}', "s3://b/k", id="the-sample-code's-spelling"),
        pytest.param('{"s3Uri": null, "s3uri": "s3://b/k"}', "s3://b/k", id="one-of-them-null"),
        pytest.param('{"s3Uri": "s3://b/k", "s3uri": "s3://b/x"}', "s3://b/k", id="both"),
        pytest.param("{}", None, id="neither"),
    ],
)
def test_a_uri_is_found_in_either_spelling(message, expected):
    assert s3_uri_of(json.loads(message)) == expected
