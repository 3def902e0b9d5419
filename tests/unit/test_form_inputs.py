"""Labels in a form's own inputs: a select, radio buttons, checkboxes."""

import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.form_inputs import ANSWER_FIELD_TAG
from groundtruth.settings import JOB_TAGS, Settings
from groundtruth.tasks.registry import find_task
from tests.examples import consolidate, payload_of

CLASSES = ("cat", "dog", "3")
SINGLE, SEVERAL = find_task("image-multi-class"), find_task("image-multi-class-multi-label")
MASKS = find_task("semantic-segmentation")


def names_in(task, content, field=""):
    return list(task.class_names(content, Settings(answer_field=field)))


def refusal(task, content, field=""):
    with pytest.raises(UnusableAnswer) as caught:
        task.decode(content, CLASSES, Settings(answer_field=field))
    return caught.value


@pytest.mark.parametrize("task", [SINGLE, SEVERAL], ids=["single", "several"])
@pytest.mark.parametrize(
    ("content", "field", "name"),
    [
        pytest.param({"species": "dog"}, "species", "dog", id="select"),
        pytest.param({"species": "dog", "why": "tail"}, "species", "dog", id="beside-a-text"),
        pytest.param({"the species": "dog"}, "the species", "dog", id="a-name-with-a-blank"),
        pytest.param([{"species": "dog"}], "species", "dog", id="in-a-list-of-one"),
        pytest.param({"species": {"cat": False, "dog": True}}, "species", "dog", id="radio"),
        pytest.param({"species": ["dog"]}, "species", "dog", id="select-of-several"),
        pytest.param({"stars": 3}, "stars", "3", id="slider"),
        pytest.param(
            {"a": {"cat": False}, "b": {"dog": True}}, "a b", "dog", id="a-name-per-button"
        ),
        pytest.param(
            {"cat": {"on": False}, "dog": {"on": True}}, "cat dog", "dog", id="buttons-no-value"
        ),
        pytest.param({"cat": False, "dog": True}, "cat dog", "dog", id="switches"),
        pytest.param(
            {"a": {"label": "cat", "labels": ["cat"]}, "b": {"label": "dog", "labels": ["dog"]}},
            "b", "dog", id="one-of-two-elements",
        ),
    ],
)  # fmt: skip
def test_the_named_input_carries_the_label(task, content, field, name):
    assert names_in(task, content, field) == [name]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"tags": {"cat": True, "dog": False, "3": True}}, ["cat", "3"]),
        ({"tags": ["dog", "", "cat", "dog"]}, ["dog", "cat"]),
    ],
)
def test_of_several_labels_all_that_are_ticked_count(content, names):
    assert names_in(SEVERAL, content, "tags") == names


@pytest.mark.parametrize(
    "content", [{"species": {"cat": True, "dog": True}}, {"species": ["cat", "dog"]}]
)
def test_two_choices_are_no_single_label(content):
    assert refusal(SINGLE, content, "species").reason == "ambiguous-answer"


@pytest.mark.parametrize("task", [SINGLE, SEVERAL], ids=["single", "several"])
def test_the_element_wins_over_the_named_input(task):
    content = {"crowd": {"label": "cat", "labels": ["cat"]}, "species": "dog"}
    assert names_in(task, content, "species") == ["cat"]


@pytest.mark.parametrize("task", [SINGLE, SEVERAL], ids=["single", "several"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"species": ""}, "empty-answer"),
        ({"species": None}, "empty-answer"),
        ({"species": []}, "empty-answer"),
        ({"species": {"cat": False, "dog": False}}, "empty-answer"),
        ({"animal": "cat"}, "empty-answer"),
        ({"species": {"cat": "yes"}}, "unexpected-shape"),
        ({"species": [["cat"]]}, "unexpected-shape"),
        ({"species": 1.5}, "unexpected-shape"),
        ({"species": "eel"}, "unknown-label"),
        (["cat", "dog"], "unexpected-shape"),
        ({}, "empty-answer"),
    ],
)
def test_a_named_input_without_a_label_is_unusable(task, content, reason):
    assert refusal(task, content, "species").reason == reason


def test_a_form_without_the_named_input_is_told_by_its_names():
    detail = refusal(SINGLE, {f"input-{at}": "cat" for at in range(9)}, "species").detail
    assert "species" in detail
    assert "input-0" in detail
    assert "3 more" in detail


@pytest.mark.parametrize("task", [SINGLE, SEVERAL], ids=["single", "several"])
@pytest.mark.parametrize("content", [{"species": "cat"}, {"species": {"cat": True}}])
def test_without_the_setting_the_refusal_names_it(task, content):
    error = refusal(task, content)
    assert error.reason == "unexpected-shape"
    assert ANSWER_FIELD_TAG in error.detail
    assert ANSWER_FIELD_TAG in JOB_TAGS


def test_masks_are_in_no_plain_input():
    assert ANSWER_FIELD_TAG not in refusal(MASKS, {"species": "cat"}, "species").detail


def test_a_batch_of_selects_and_radio_buttons_gets_labels():
    payload = payload_of(
        {
            "0": [{"species": name} for name in ("Crab", "Crab", "Anemone")],
            "1": [{"species": {"Crab": False, "Anemone": True}}],
        }
    )
    outcome = consolidate("acs_image_multi_class", payload, answer_field="species")
    assert [label.classes[0].name for label in outcome.labels] == ["Crab", "Anemone"]
    assert [label.used for label in outcome.labels] == [3, 1]
    outcome = consolidate("acs_image_multi_class", payload)
    assert [label.used for label in outcome.labels] == [0, 0]


def test_without_known_classes_the_named_input_tells_them():
    payload = payload_of({"0": [{"species": "eel"}, {"species": "crab"}]})
    outcome = consolidate("acs_image_multi_class", payload, answer_field="species", classes=[])
    assert outcome.labels[0].votes == {"crab": 1, "eel": 1}
