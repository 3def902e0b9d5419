import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.classify import DEFAULT_COLORS, color_bytes, normalize_color, output_palette

WHITE, GREEN, BLUE, RED = "#ffffff", "#2ca02c", "#1f77b4", "#d62728"


@pytest.mark.parametrize(
    ("labels", "seen", "expected"),
    [
        pytest.param(["a", "b"], [], (WHITE, *DEFAULT_COLORS[:2]), id="nobody-painted"),
        pytest.param(["a"], [{"a": RED}], (WHITE, RED), id="as-painted"),
        pytest.param(
            ["a"], [{"a": RED}, {"a": BLUE}, {"a": BLUE}], (WHITE, BLUE), id="most-common"
        ),
        pytest.param(["a"], [{"a": RED}, {"a": BLUE}], (WHITE, BLUE), id="tie-by-hex"),
        pytest.param(
            ["a", "b"], [{"b": GREEN}], (WHITE, BLUE, GREEN), id="unused-label-takes-a-free-one"
        ),
        pytest.param(
            ["a", "b"],
            [{"a": RED}, {"b": RED}, {"b": BLUE}, {"b": RED}],
            (WHITE, RED, BLUE),
            id="two-labels-want-one-colour",
        ),
        pytest.param(["a"], [{"a": WHITE}], (WHITE, GREEN), id="white-stays-background"),
        pytest.param(["a"], [{"z": GREEN}], (WHITE, GREEN), id="unknown-label-left-out"),
        pytest.param(["a"], [{"a": "#F00"}], (WHITE, "#ff0000"), id="short-and-upper-case"),
    ],
)
def test_output_colours(labels, seen, expected):
    assert output_palette(labels, seen) == expected


def test_colours_stay_unique_past_the_default_ones():
    palette = output_palette([str(i) for i in range(3000)], [{"2999": DEFAULT_COLORS[3]}])
    assert len(set(palette)) == 3001
    assert palette[0] == WHITE
    assert palette[3000] == DEFAULT_COLORS[3]


@pytest.mark.parametrize(
    "text", ["", "red", "#12345", "#1234567", "2ca02c", "#2ca02g", "#\uff12ca02c"]
)
def test_a_colour_that_cannot_be_read_names_its_label(text):
    with pytest.raises(UnusableAnswer, match="'water'") as caught:
        normalize_color(text, label="water")
    assert caught.value.reason == "bad-color"


def test_channels_of_a_colour():
    assert color_bytes("#010aff") == (1, 10, 255)
