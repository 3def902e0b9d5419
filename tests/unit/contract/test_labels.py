import json

import pytest

from groundtruth.contract.fields import (
    checked_labels,
    is_label_name,
    label_category_file,
    parse_label_categories,
)
from groundtruth.errors import ContractError

URI = "s3://bucket/labels.json"


def file_of(*labels):
    return json.dumps({"document-version": "2018-11-28", "labels": list(labels)}).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(file_of({"label": "b"}, {"label": "a"}), ("b", "a"), id="in-its-order"),
        pytest.param(
            file_of({"label": "Möwe", "attributes": []}), ("Möwe",), id="other-keys-may-be-there"
        ),
        pytest.param(b'\xef\xbb\xbf{"labels":[{"label":"a"}]}', ("a",), id="byte-order-mark"),
        pytest.param(b'{"labels":[{"label":"\xf0\x9f\xa6\x80"}]}', ("🦀",), id="unicode"),
    ],
)
def test_names_are_read(body, expected):
    assert parse_label_categories(body, path=URI) == expected


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param(b"{", URI, id="not-json"),
        pytest.param(b"[]", URI, id="not-an-object"),
        pytest.param(b"{}", f"{URI}.labels", id="no-labels"),
        pytest.param(b'{"labels": {"label": "a"}}', f"{URI}.labels", id="labels-not-a-list"),
        pytest.param(file_of(), f"{URI}.labels", id="no-label-in-the-list"),
        pytest.param(file_of("a"), f"{URI}.labels[0]", id="a-text-instead-of-an-object"),
        pytest.param(file_of({"label": "a"}, {}), f"{URI}.labels[1].label", id="no-name"),
        pytest.param(file_of({"label": ""}), f"{URI}.labels[0].label", id="empty-name"),
        pytest.param(file_of({"label": 7}), f"{URI}.labels[0].label", id="a-number-as-name"),
        pytest.param(
            file_of({"label": "a"}, {"label": "a"}), f"{URI}.labels[1]", id="the-same-name-twice"
        ),
        pytest.param(file_of({"label": "x" * 257}), f"{URI}.labels[0]", id="too-long"),
    ],
)
def test_a_bad_file_is_an_error_at_its_place(body, path):
    with pytest.raises(ContractError) as caught:
        parse_label_categories(body, path=URI)
    assert caught.value.path == path


@pytest.mark.parametrize("names", ["abc", {"label": "a"}, [], [1], [""], [{"label": "a"}]])
def test_a_list_of_names_holds_texts(names):
    with pytest.raises(ContractError):
        checked_labels(names, path="labelCategories")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("a", True, id="one-letter"),
        pytest.param("x" * 256, True, id="as-long-as-can-be"),
        pytest.param("x" * 257, False, id="too-long"),
        pytest.param("", False, id="empty"),
        pytest.param("\ud800", False, id="half-a-character"),
    ],
)
def test_what_can_be_a_name(name, expected):
    assert is_label_name(name) is expected


def test_a_file_we_make_is_one_we_read():
    body = json.dumps(label_category_file(["b", "ä"])).encode()
    assert parse_label_categories(body, path=URI) == ("b", "ä")
