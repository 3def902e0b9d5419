import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.errors import ContractError
from groundtruth.finishing.manifest import Line, compact_json, read_lines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :  ")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"a":1,"k":2,"b":3}', '{"a":1,"k":{"x":0},"b":3}', id="in-the-middle"),
        pytest.param('{"a":1}', '{"a":1,"k":{"x":0}}', id="not-there"),
        pytest.param('{"k":1}', '{"k":{"x":0}}', id="alone"),
        pytest.param("{}", '{"k":{"x":0}}', id="empty"),
        pytest.param('{"k":1,"a":"\\u00e4","k":2}', '{"k":{"x":0},"a":"\\u00e4"}', id="twice"),
        pytest.param('{"\\u006b":1,"a":1.50}', '{"k":{"x":0},"a":1.50}', id="escaped-key"),
        pytest.param('{ "a" : [1, 2] , "k" : 3 }', '{ "a" : [1, 2] ,"k":{"x":0}}', id="blanks"),
    ],
)
def test_only_the_attribute_changes(text, expected):
    assert Line.parse(text, 0).with_members(["k"], {"k": {"x": 0}}) == expected


def test_what_the_service_added_is_taken_away_again():
    before = '{"source-ref": "s3://b/\\u00e4.jpg",  "size":1.0}'
    after = f'{before[:-1]},"k":1,"k-metadata":{{"type":"groundtruth/custom"}}}}'
    assert Line.parse(after, 0).with_members(["k", "k-metadata"], {}) == before


@given(st.dictionaries(st.text(), VALUES, max_size=5), SEPARATORS, VALUES)
def test_a_line_has_all_other_members_as_before(values, separators, added):
    text = json.dumps(values, separators=separators)
    line = Line.parse(text, 0)
    assert line.values == values
    assert json.loads(line.with_members([], {})) == values
    assert json.loads(line.with_members(["k"], {"k": added})) == {**values, "k": added}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "{ is missing", id="empty"),
        pytest.param("[1]", "{ is missing", id="array"),
        pytest.param('{"a":1', "} is missing", id="cut-off"),
        pytest.param('{"a":1}}', "something stands behind it", id="too-long"),
        pytest.param('{"a":1,}', "is not JSON", id="trailing-comma"),
        pytest.param('{"a" 1}', ": is missing", id="no-colon"),
        pytest.param("{1:1}", "a key is not a text", id="number-as-key"),
        pytest.param('{"a":' + "[" * 100_000, "nested too deeply", id="too-deep"),
    ],
)
def test_a_line_that_is_no_object_is_named(text, problem):
    with pytest.raises(ContractError) as caught:
        Line.parse(text, 4, name="s3://b/m")
    assert caught.value.path == "s3://b/m, line 5"
    assert problem in str(caught.value)


def test_lines_are_numbered_with_blank_ones_but_without_them():
    lines = [b'\xef\xbb\xbf{"a":1}\r\n', b"\n", b'{"a":2}']
    found = [(line.number, line.text) for line in read_lines(lines, name="m")]
    assert found == [(0, '{"a":1}'), (2, '{"a":2}')]


def test_a_line_that_is_not_utf_8_is_named():
    with pytest.raises(ContractError, match="m, line 2: is not UTF-8"):
        list(read_lines([b"{}\n", b'{"a":"\xff"}\n'], name="m"))


def test_json_can_always_be_written_as_utf_8():
    assert compact_json({"name": "Bläßhuhn"}) == '{"name":"Bläßhuhn"}'
    assert compact_json("\ud800").encode() == b'"\\ud800"'
