"""The label attribute name, where only the lines of a manifest tell it."""

import pytest

from groundtruth.errors import ContractError
from groundtruth.finishing.outcomes import find_attribute


def labeled(attribute, *, job="rounds-1", date="2026-03-01T00:00:00.000000"):
    metadata = {"job-name": f"labeling-job/{job}", "type": "groundtruth/x", "creation-date": date}
    return {attribute: 0, f"{attribute}-metadata": metadata}


def failed(attribute):
    return {f"{attribute}-metadata": {"failure-reason": "expired", "human-annotated": "true"}}


OLD, NEW = labeled("kind"), labeled("state", job="rounds-2", date="2026-04-01T00:00:00Z")


@pytest.mark.parametrize(
    ("lines", "job_name", "expected"),
    [
        pytest.param([{"a": 1}], "rounds-1", None, id="none"),
        pytest.param([OLD], "renamed", "kind", id="the-only-one"),
        pytest.param([OLD | NEW] * 2, "rounds-1", "kind", id="of-the-named-job"),
        pytest.param([NEW | OLD] * 2, "Labeling-Job/Rounds-1", "kind", id="any-case"),
        pytest.param([OLD, OLD | NEW, OLD], "renamed", "state", id="the-last-of-a-chain"),
        pytest.param([{"cl-metadata": {"is_labeled": True}} | OLD], "x", "kind", id="rekognition"),
        pytest.param([{"cl": 1, "cl-metadata": {"score": 1}} | OLD], "x", "kind", id="no-type"),
        pytest.param(
            [{"auto-metadata": labeled("auto")["auto-metadata"]} | OLD],
            "renamed",
            "kind",
            id="one-with-a-value-first",
        ),
        pytest.param(
            [{"auto-metadata": labeled("auto")["auto-metadata"], "normal": 0}],
            "renamed",
            "auto",
            id="value-elsewhere",
        ),
        pytest.param([failed("kind"), OLD], "renamed", "kind", id="some-failed"),
        pytest.param([failed("kind")], "renamed", "kind", id="all-failed"),
    ],
)
def test_the_attribute_is_that_of_the_jobs_labels(lines, job_name, expected):
    assert find_attribute(lines, job_name) == expected


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([labeled("kind") | labeled("state")], id="same-date"),
        pytest.param([OLD | failed("state")], id="the-last-failed-altogether"),
    ],
)
def test_it_is_asked_where_two_are_as_likely(lines):
    with pytest.raises(ContractError, match="labels of kind and state; choose one with --attri"):
        find_attribute(lines, "renamed")
