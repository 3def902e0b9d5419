"""Truth is read from a file with clear errors, or invented."""

import numpy as np
import pytest
from PIL import Image

from labeljob.simulation.truth import TruthError, invented_truth, read_truth
from labeljob.tasks.registry import JOB_TYPES, find_job_type

SINGLE, MULTI, MASKS = JOB_TYPES.values()
LABELS = ["cat", "dog", "eel"]


def _file(tmp_path, text):
    path = tmp_path / "truth.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_task_reads_its_truth(tmp_path):
    Image.fromarray(np.array([[0, 3]], dtype=np.uint8)).save(tmp_path / "grey.png")
    palette = Image.fromarray(np.array([[0, 2]], dtype=np.uint8), mode="P")
    palette.putpalette([255, 255, 255, 0, 0, 0, 9, 9, 9])
    palette.save(tmp_path / "palette.png")
    single = read_truth(_file(tmp_path, '{"source-ref":"s","label":"dog"}\n\n'), SINGLE, LABELS)
    assert dict(single) == {"s": "dog"}
    text = '{"source-ref":"s","labels":["eel","cat"]}'
    assert dict(read_truth(_file(tmp_path, text), MULTI, LABELS)) == {
        "s": frozenset({"cat", "eel"})
    }
    text = '{"source-ref":"g","mask":"grey.png"}\r\n{"source-ref":"p","mask":"palette.png"}\r\n'
    masks = read_truth(_file(tmp_path, text), MASKS, LABELS)
    assert {name: mask.tolist() for name, mask in masks.items()} == {"g": [[0, 3]], "p": [[0, 2]]}


@pytest.mark.parametrize(
    ("task", "line"),
    [
        pytest.param(SINGLE, "{", id="broken-json"),
        pytest.param(SINGLE, "[]", id="no-object"),
        pytest.param(SINGLE, '{"label":"cat"}', id="no-source"),
        pytest.param(SINGLE, '{"source-ref":"s"}', id="no-label"),
        pytest.param(SINGLE, '{"source-ref":"s","label":"fox"}', id="unknown-label"),
        pytest.param(SINGLE, '{"source-ref":"s","label":7}', id="label-is-a-number"),
        pytest.param(SINGLE, '{"source-ref":"first","label":"cat"}', id="twice"),
        pytest.param(MULTI, '{"source-ref":"s","labels":[]}', id="no-labels"),
        pytest.param(MULTI, '{"source-ref":"s","labels":"cat"}', id="labels-no-list"),
        pytest.param(MULTI, '{"source-ref":"s","labels":["cat","fox"]}', id="unknown-labels"),
        pytest.param(MASKS, '{"source-ref":"s","mask":"none.png"}', id="no-file"),
        pytest.param(MASKS, '{"source-ref":"s"}', id="no-mask"),
    ],
)
def test_a_bad_line_is_named(tmp_path, task, line):
    Image.new("L", (2, 2)).save(tmp_path / "m.png")
    first = '{"source-ref":"first","label":"cat","labels":["cat"],"mask":"m.png"}'
    path = _file(tmp_path, f"{first}\n{line}\n")
    with pytest.raises(TruthError) as raised:
        read_truth(path, task, LABELS)
    assert (raised.value.path, raised.value.line) == (path, 2)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(TruthError) as raised:
        read_truth(tmp_path / "none.jsonl", SINGLE, LABELS)
    assert raised.value.line == 0


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path: path.write_bytes(b"no png"), id="no-image"),
        pytest.param(lambda path: Image.new("RGB", (2, 2)).save(path), id="colors"),
        pytest.param(lambda path: Image.new("L", (2, 2), 4).save(path), id="unknown-index"),
    ],
)
def test_a_bad_mask_is_named_when_it_is_asked_for(tmp_path, write):
    write(tmp_path / "m.png")
    truth = read_truth(_file(tmp_path, '{"source-ref":"s","mask":"m.png"}'), MASKS, LABELS)
    with pytest.raises(TruthError) as raised:
        truth["s"]
    assert raised.value.line == 1
    with pytest.raises(KeyError):
        truth["other"]


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match=r"object-detection.*image-multi-class"):
        find_job_type("object-detection")


def test_invented_truth_is_valid_and_repeatable():
    for number in range(50):
        name = str(number)
        assert invented_truth(SINGLE, LABELS, name, None, 1) in LABELS
        chosen = invented_truth(MULTI, LABELS, name, None, 1)
        assert chosen
        assert chosen <= set(LABELS)
        mask = invented_truth(MASKS, LABELS, name, (30, 40), 1)
        assert mask.shape == (30, 40)
        assert mask.max() <= 3
        np.testing.assert_array_equal(mask, invented_truth(MASKS, LABELS, name, (30, 40), 1))


@pytest.mark.parametrize(
    ("task", "labels", "shape"),
    [(SINGLE, [], None), (MASKS, LABELS, None)],
)
def test_truth_that_cannot_be_invented_is_refused(task, labels, shape):
    with pytest.raises(ValueError):  # noqa: PT011 (several texts, one kind)
        invented_truth(task, labels, "0", shape, 1)
