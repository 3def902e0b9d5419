import json

import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.tasks.segmentation.answers import colors_by_index, mask_answer
from tests.masks import COLORS, answer, drawn

PNG = drawn("w.b")


def changed(**changes):
    """An answer with parts of its element replaced; None removes a part."""
    (value,) = answer(PNG).values()
    value |= changes
    return {"mine": {key: part for key, part in value.items() if part is not None}}


def test_an_answer_is_read():
    found = mask_answer(answer(PNG))
    assert (found.png, found.size, found.colors) == (PNG, (1, 3), COLORS)


@pytest.mark.parametrize(
    ("content", "size"),
    [
        pytest.param(changed(), (1, 3), id="another-name"),
        pytest.param(changed(inputImageProperties=None), None, id="no-size"),
        pytest.param(changed(inputImageProperties={}), None, id="empty-size"),
        pytest.param(changed(initialValueModified=True), (1, 3), id="adjustment"),
    ],
)
def test_what_else_is_understood(content, size):
    assert mask_answer(content).size == size


@pytest.mark.parametrize("mapping", [{"color": "#2CA02C"}, {"color": " #2ca02c"}, "#2ca02c"])
def test_colours_in_other_spellings(mapping):
    assert mask_answer(changed(labelMappings={"water": mapping})).colors == {"water": "#2ca02c"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param({}, "empty-answer", id="empty-form"),
        pytest.param({"crowd-semantic-segmentation": {}}, "empty-answer", id="empty-element"),
        pytest.param(changed(labeledImage=None), "unexpected-shape", id="no-image"),
        pytest.param(
            changed(labeledImage={"pngImageData": 5}), "unexpected-shape", id="image-is-a-number"
        ),
        pytest.param(changed(labelMappings=None), "unexpected-shape", id="no-mappings"),
        pytest.param(changed(labelMappings=[]), "unexpected-shape", id="mappings-are-a-list"),
        pytest.param(changed(labelMappings={"water": {}}), "bad-color", id="no-colour"),
        pytest.param(changed(labelMappings={"water": {"color": 5}}), "bad-color", id="a-number"),
        pytest.param(changed(labelMappings={"water": {"color": "green"}}), "bad-color", id="word"),
        pytest.param(changed(labelMappings={"x" * 300: "#000001"}), "unknown-label", id="endless"),
        pytest.param(
            changed(inputImageProperties={"height": 1}), "bad-size", id="height-without-width"
        ),
        pytest.param(
            changed(inputImageProperties={"height": 0, "width": 3}), "bad-size", id="no-rows"
        ),
        pytest.param(
            changed(inputImageProperties={"height": "1", "width": "3"}), "bad-size", id="texts"
        ),
        pytest.param(changed(labeledImage={"pngImageData": "?"}), "bad-base64", id="no-base64"),
        pytest.param(changed(labeledImage={"pngImageData": ""}), "bad-base64", id="empty-image"),
        pytest.param(changed() | {"second": changed()["mine"]}, "ambiguous-answer", id="two-masks"),
    ],
)
def test_what_is_no_mask_is_unusable(content, reason):
    with pytest.raises(UnusableAnswer) as caught:
        mask_answer(json.loads(json.dumps(content)))
    assert caught.value.reason == reason


def test_classes_are_numbered_after_the_background_and_strangers_come_last():
    found = mask_answer(answer(PNG, colors={"tide": "#010101", **COLORS, "BACKGROUND": "#ffffff"}))
    colors, names = colors_by_index(found, ["boat", "water", "quay"])
    assert colors == {4: "#010101", 2: "#2ca02c", 1: "#1f77b4", 3: "#ff7f0e", 0: "#ffffff"}
    assert names[:4] == ["BACKGROUND", "boat", "water", "quay"]
    assert "tide" not in names
