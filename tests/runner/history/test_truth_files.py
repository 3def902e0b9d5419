"""True labels in three formats."""

import json

import pytest

from labeljob.history.auxiliary_inputs import read_truths
from labeljob.history.job_files import OutputLine
from labeljob.simulation.truth import TruthError
from labeljob.tasks.registry import find_job_type

LINES = [OutputLine(str(at), "", {"source-ref": f"s3://images/a/{at}x.jpg"}) for at in range(2)]
CLASSES = ("cat", "dog")
SINGLE = find_job_type("image-multi-class")
SEVERAL = find_job_type("image-multi-class-multi-label")


@pytest.mark.parametrize(
    "text",
    [
        '{"source-ref": "s3://images/a/0x.jpg", "label": "dog"}\n',
        json.dumps([{"ImageId": "0x", "Label": "dog"}]),
        "item,label\n0x.jpg,dog\n",
        "0,dog\n",
        "\ufeffs3://images/a/0x.jpg,dog\n",
    ],
    ids=["json-lines", "json-list", "csv", "csv-without-heading", "csv-with-mark"],
)
def test_a_truth_is_found_by_uri_name_or_number(tmp_path, text):
    path = tmp_path / "truth"
    path.write_text(text, encoding="utf-8")
    assert read_truths(path, SINGLE, CLASSES, LINES) == {"0": "dog"}


def test_several_labels(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("0x,cat;dog\n1x,dog\n")
    truths = read_truths(path, SEVERAL, CLASSES, LINES)
    assert truths == {"0": frozenset(CLASSES), "1": frozenset({"dog"})}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("0x,cow\n", "not a label", id="unknown-label"),
        pytest.param("0x\n", "second column", id="one-column"),
        pytest.param("9x,dog\n", "none of the job's", id="other-images"),
        pytest.param("[1]", "entry 1", id="no-record"),
        pytest.param('[{"ImageId": "0x"}]', "no name", id="no-label"),
        pytest.param("[", "not JSON", id="truncated"),
        pytest.param("0x,cat;dog\n", "job has one", id="two-labels-where-there-is-one"),
    ],
)
def test_a_bad_truth_is_named(tmp_path, text, problem):
    path = tmp_path / "truth"
    path.write_text(text)
    with pytest.raises(TruthError, match=problem):
        read_truths(path, SINGLE, CLASSES, LINES)
