"""Lines of an output manifest: in parts as in one go, and plain labels as any label."""

import json
import pickle
from datetime import UTC, datetime

import pytest

from groundtruth.finishing.manifest import compact_json
from groundtruth.tasks.registry import decode_label
from labeljob.columns import lines as reading
from labeljob.columns.line_facts import LineReader, collect_facts
from labeljob.columns.lines import read_output_lines
from labeljob.history.job_files import DamageList
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, find_job
from labeljob.tasks.registry import JOB_TYPES
from tests.memory_store import MemoryStore
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.fast

CUSTOM = {
    "type": "groundtruth/custom",
    "job-name": "zoo",
    "human-annotated": "yes",
    "creation-date": "2026-03-02T10:00:07.000000",
}
OBJECT_STYLE = {
    "schema": "consolidated-label/image-classification/1",
    "class-id": 1,
    "class-name": "dog",
    "confidence": 0.75,
    "posterior": {"dog": 0.75},
    "votes": {"dog": 2, "cat": 1},
    "status": "consensus",
    "answers": {"used": 3, "set-aside": [{"worker-id": "w", "reason": "empty-answer"}]},
    "algorithm": {"name": "calibrated", "dependence": 0.1, "correlation": 0.0, "pairs": 7},
}
SEVERAL = {
    "schema": "consolidated-label/image-classification-multilabel/1",
    "class-ids": [0, 2],
    "class-map": {"0": "cat", "2": "eel"},
    "confidence-map": {"0": 0.5, "2": None},
    "votes": {"cat": 2},
}
BUILTIN_SEVERAL = {
    "class-map": {"0": "cat", "2": "eel"},
    "confidence-map": {"0": 0.5},
    "type": "groundtruth/image-classification-multilabel",
    "job-name": "labeling-job/zoo",
    "human-annotated": "no",
    "creation-date": "2026-03-02T10:00:09.000000",
}
BUILTIN = on_disk.builtin_line(1, "dog")["animal-metadata"]
STRANGE = [
    None,
    True,
    -1,
    2,
    1.5,
    "",
    "eel",
    "\udfff",
    1 << 70,
    [],
    [0],
    [0, 0],
    {},
    {"name": 1},
    {"0": ""},
]
"""What may stand where something else belongs."""


def variants(value, metadata):
    """A label, and what becomes of it when one of its fields is missing or strange."""
    yield value, metadata
    for strange in STRANGE:
        yield strange, metadata
    for key in metadata:
        yield value, {name: item for name, item in metadata.items() if name != key}
        for strange in STRANGE:
            yield value, {**metadata, key: strange}
    for key in value if isinstance(value, dict) else ():
        yield {name: item for name, item in value.items() if name != key}, metadata
        for strange in STRANGE:
            yield {**value, key: strange}, metadata
            if isinstance(value[key], dict):
                for inner in value[key]:
                    yield {**value, key: {**value[key], inner: strange}}, metadata


plain_labels = pytest.mark.parametrize(
    ("value", "metadata"),
    [
        pytest.param(1, BUILTIN, id="builtin"),
        pytest.param(OBJECT_STYLE, CUSTOM, id="object"),
        pytest.param([0, 2], BUILTIN_SEVERAL, id="builtin-several"),
        pytest.param(SEVERAL, CUSTOM, id="object-several"),
    ],
)


@plain_labels
def test_a_plain_label_is_read_as_any_label_is(value, metadata):
    n_plain = 0
    for label, told in variants(value, metadata):
        parts = [job_type.read_plain_label(label, told) for job_type in JOB_TYPES.values()]
        found = [item for item in parts if item is not None]
        lines = [
            (plain, json.dumps({"source-ref": "a", "x": label, "x-metadata": told}).encode())
            for job_type in JOB_TYPES.values()
            for plain in job_type.plain_lines("x")
        ]
        for plain, text in lines:
            try:
                line = plain.decode(text)
            except reading.msgspec.MsgspecError:
                continue
            read = plain.read([line])
            assert (read is None) == (not found)
            if read is not None:
                ((parts, _),), (code,), (confidence,) = read
                assert code == 0
                assert [parts._replace(confidence=confidence)] == found
        if not found:
            continue
        n_plain += 1
        known = decode_label(label, told)
        assert known is not None, (label, told)
        (item,) = found
        assert item == (
            known.task,
            known.style,
            tuple(one.class_id for one in known.classes),
            tuple(one.name for one in known.classes),
            known.confidence,
        )
    assert n_plain > 1


@plain_labels
@pytest.mark.parametrize("known", [True, False], ids=["", "classes-from-answers"])
@pytest.mark.parametrize(
    "characters",
    ["\u0085\u2028\x7fß", '"', "\\", "\x01"],
    ids=["", "quote", "backslash", "control"],
)
def test_lines_that_are_read_together_tell_what_each_tells(value, metadata, known, characters):
    if isinstance(value, dict) and not known:
        value = {**value, "classes-from": "answers"}
    dates = [f"2026-03-0{day}T10:00:00" for day in (1, 3, 2)]
    lines = [
        {"source-ref": f"{date}{characters}", "x": value, "x-metadata": told}
        for date in dates
        if (told := {**metadata, "creation-date": date})
    ]
    together, single = LineReader("x", "zoo"), LineReader("x", "zoo")
    columns = together.read_plain([json.dumps(line).encode() for line in lines])
    assert columns is not None
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    for line, (source, kept, label, name, names, *others) in zip(lines, rows, strict=True):
        row = (kept, label, name, names and tuple(names), *others)
        assert (source, *row) == (line["source-ref"], *single.read(line))
    assert together.take_facts() == single.take_facts()
    assert LineReader("x", "zoo").read_plain([b'{"x":1}', b"{}"]) is None


LINES = [
    on_disk.builtin_line(0, "cat"),
    {"source-ref": "s3://images/1.jpg", "animal": OBJECT_STYLE, "animal-metadata": CUSTOM},
    {"source-ref": "s3://images/2.jpg", "animal": SEVERAL, "animal-metadata": CUSTOM},
    {"source-ref": "s3://images/3.jpg", "animal": [2], "animal-metadata": BUILTIN_SEVERAL},
    {"source": "a text", "site": {"lat": 1e22, "name": "Blässhuhn \u2028"}},
    {**on_disk.builtin_line(5, "eel"), "kind": 1, "kind-metadata": {**BUILTIN, "job-name": "b"}},
    {"source-ref": "s3://images/6.jpg", "kind": OBJECT_STYLE},
    {**on_disk.builtin_line(7, "dog"), "animal": {**OBJECT_STYLE, "classes-from": "answers"}},
    {"source-ref": "s3://images/8.jpg", "animal-metadata": {"failure-reason": "no", "type": []}},
    {"source-ref": "s3://images/9\ud800.jpg", "note": "\ud800"},
    {},
]
TEXTS = [*map(json.dumps, LINES), "[1]", '{"a": tru}', '{"source-ref": 7}']


def write_manifest(folder, texts, end="\n"):
    body = b"\xef\xbb\xbf" + end.join(texts).encode()
    path = folder / "manifests/output/output.manifest"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body + b'\r\n{"source-ref": "\xff"}\r\n \xe2\x80\x83\n\n')
    return path


def read(folder, attribute="animal"):
    damage = DamageList()
    return read_output_lines(find_job(str(folder)), damage, attribute), damage


def columns_of(lines):
    return [row for table in lines.tables() for row in table.to_pylist()]


@pytest.fixture
def zoo(tmp_path):
    return tmp_path / "bucket" / "zoo"


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(reading, "SMALL", 0)
    monkeypatch.setattr(reading, "PART_SIZE", 500)
    monkeypatch.setattr(reading, "_BLOCK", 100)
    monkeypatch.setattr(reading, "_TOGETHER", 2)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"], ids=["lf", "crlf", "blank-lines"])
def test_parts_tell_what_the_whole_tells(zoo, small_parts, monkeypatch, end):
    write_manifest(zoo, [*TEXTS, *TEXTS], end)
    parts, damage = read(zoo)
    monkeypatch.setattr(reading, "SMALL", 1_000_000)
    whole, whole_damage = read(zoo)
    assert len(parts.parts) > 5
    assert parts.facts == whole.facts
    assert columns_of(parts) == columns_of(whole)
    assert list(parts) == list(whole) == list(pickle.loads(pickle.dumps(parts)))
    assert damage.as_json() == whole_damage.as_json()
    assert len(damage.damages) == 4
    assert parts[-1] == whole[len(whole) - 1]
    assert parts[3:9] == tuple(whole)[3:9]
    assert parts.read(2, 17).to_pylist() == columns_of(whole)[2:17]


def test_columns_tell_what_lines_say(zoo):
    write_manifest(zoo, TEXTS)
    lines, _ = read(zoo)
    for line, row in zip(lines, columns_of(lines), strict=True):
        kept = {key: value for key, value in line.values.items() if "animal" not in key}
        assert row["kept"] == (compact_json(kept) if line.values else None)
        assert row["source"] == line.source.replace("\ud800", "\ufffd")
        text = lines.text.read(row["offset"], row["offset"] + row["length"])
        assert text.decode(errors="replace") == line.text
        label = line.label("animal")
        assert row["style"] == (label and label.style)
        assert row["confidence"] == (label and label.confidence)
        names = [item.name for item in label.classes] if label else []
        told = [row["class_name"]] if row["class_name"] else row["class_names"] or []
        assert told == names
        assert row["label"] is None


def test_a_label_that_columns_do_not_tell_is_there_as_it_is(zoo):
    value = {**OBJECT_STYLE, "votes": {"dog": "2"}}
    line = {"source-ref": "a", "animal": value, "animal-metadata": CUSTOM}
    write_manifest(zoo, [json.dumps(line)])
    lines, _ = read(zoo)
    row = columns_of(lines)[0]
    assert json.loads(row["label"]) == [value, CUSTOM]
    assert row["class_name"] is None


def test_facts_are_those_of_the_lines(zoo):
    write_manifest(zoo, TEXTS)
    lines, _ = read(zoo)
    facts = lines.facts
    labels = [label for line in lines if (label := line.label("animal"))]
    assert facts == collect_facts((line.values for line in lines), "animal", "zoo")
    assert facts.attributes == {name for line in lines for name in line.attributes()}
    assert sum(facts.types.values()) == len(labels)
    assert facts.names == {"cat": 2, "dog": 2, "eel": 3}
    assert facts.numbered == {(0, "cat"), (1, "dog"), (2, "eel")}
    assert facts.with_metadata == {"animal", "kind"}
    assert facts.job_name == "labeling-job/zoo"
    assert facts.latest == datetime(2026, 3, 2, 10, 0, 7, tzinfo=UTC)
    assert lines.about("kind").facts.names == {"dog": 2}


def test_what_is_kept_is_read_again_as_long_as_the_manifest_is_the_same(
    zoo, small_parts, monkeypatch
):
    path = write_manifest(zoo, TEXTS)
    first, _ = read(zoo)
    with monkeypatch.context() as patched:
        patched.setattr(reading, "_read_part", None)
        again, damage = read(zoo)
    assert again.facts == first.facts
    assert columns_of(again) == columns_of(first)
    assert len(damage.damages) == 2
    write_manifest(zoo, TEXTS[1:])
    assert len(read(zoo)[0]) == len(first) - 1
    with pytest.raises(JobError, match="changed while it was read"):
        list(first)
    path.unlink()
    with pytest.raises(JobError, match="cannot be read"):
        list(first)


def test_a_large_manifest_in_s3_is_copied_and_its_columns_are_in_the_cache(
    zoo, small_parts, monkeypatch, tmp_path
):
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    body = write_manifest(zoo, TEXTS).read_bytes()
    name = "manifests/output/output.manifest"
    place = JobPlace(
        root="s3://bucket/zoo",
        store=MemoryStore({f"s3://bucket/zoo/{name}": body}),
        is_copy=False,
    )
    lines = read_output_lines(place, DamageList(), "animal")
    assert list(lines) == list(read(zoo)[0])
    n_files = len(list((tmp_path / "cache").rglob("lines-*/*.parquet")))
    assert n_files == len(lines.parts) > 2
    with monkeypatch.context() as patched:
        patched.setattr(reading, "_read_part", None)
        assert columns_of(read_output_lines(place, DamageList(), "animal")) == columns_of(lines)
