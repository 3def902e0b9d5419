"""Labels, and the rules of the job types for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.contract.fields import parse_label_categories
from labeljob.jobs.label_categories import check_labels, label_category_text, read_names
from labeljob.tasks.registry import JOB_TYPES

SINGLE, MULTI, SEGMENTATION = JOB_TYPES.values()


def numbered(count):
    return [f"label {number}" for number in range(count)]


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5, unique=True))
def test_the_library_reads_back_what_was_written(names):
    assert parse_label_categories(label_category_text(names), path="file") == tuple(names)


@pytest.mark.parametrize(
    ("names", "task"),
    [
        pytest.param(["cat", "dog"], None, id="two"),
        pytest.param(['Rock & "Roll" <x>', "O'Brien"], SINGLE, id="quotes"),
        pytest.param(["猫", "naïve"], MULTI, id="not-ascii"),
        pytest.param(["x" * 256, "y"], SINGLE, id="256-characters"),
        pytest.param(["road"], SEGMENTATION, id="one-to-segment"),
        pytest.param(numbered(10), SINGLE, id="ten"),
        pytest.param(numbered(50), MULTI, id="fifty"),
    ],
)
def test_good_labels_have_nothing_to_be_said(names, task):
    findings = check_labels(names, task=task)
    assert (findings.problems, findings.warnings) == ((), ())


@pytest.mark.parametrize(
    ("names", "task", "n_problems"),
    [
        pytest.param([], None, 1, id="none"),
        pytest.param(["cat"], SINGLE, 1, id="one-for-single"),
        pytest.param(["cat"], MULTI, 1, id="one-for-multi"),
        pytest.param(["cat", "dog", "cat"], None, 1, id="twice"),
        pytest.param(["x" * 257, "y"], None, 1, id="257-characters"),
        pytest.param(["cat", " "], None, 1, id="blank"),
        pytest.param(["cat", "a\tb"], None, 1, id="tabulator"),
        pytest.param(numbered(256), SEGMENTATION, 1, id="more-than-a-mask-holds"),
        pytest.param(["cat", "cat", "", "a\nb"], None, 3, id="all-at-once"),
    ],
)
def test_labels_that_would_be_refused_are_problems(names, task, n_problems):
    assert len(check_labels(names, task=task).problems) == n_problems


@pytest.mark.parametrize(
    ("names", "task"),
    [
        pytest.param(["cat"], None, id="one-for-an-unknown-task"),
        pytest.param(["cat", "Cat"], None, id="differ-in-case"),
        pytest.param(["cat", "dog "], None, id="outer-space"),
        pytest.param(numbered(11), SINGLE, id="more-than-the-page-shows"),
        pytest.param(numbered(51), MULTI, id="quota"),
        pytest.param(numbered(11), SEGMENTATION, id="more-than-in-the-console"),
        pytest.param(["BACKGROUND", "road"], SEGMENTATION, id="background"),
    ],
)
def test_labels_that_may_surprise_are_warnings(names, task):
    findings = check_labels(names, task=task)
    assert findings.problems == ()
    assert len(findings.warnings) == 1


def test_a_file_of_names_may_come_from_any_editor():
    assert read_names("\ufeffcat\r\n\r\n  hot dog \nsnow\u2028ball") == [
        "cat", "hot dog", "snow\u2028ball",
    ]  # fmt: skip
