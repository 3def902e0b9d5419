import pytest

from groundtruth.worker_history.store import SkillKey

CLASSES = ("crab", "urchin")


def test_a_key_s_text_is_stable():
    assert SkillKey("image-multi-class", CLASSES, 90.0).text == "adf57debe344afa1"
    assert SkillKey("image-multi-class", CLASSES, 90).text == "adf57debe344afa1"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(SkillKey("image-multi-class-multi-label", CLASSES, 90), id="task"),
        pytest.param(SkillKey("image-multi-class", ("urchin", "crab"), 90), id="order"),
        pytest.param(SkillKey("image-multi-class", ("crab,urchin",), 90), id="names"),
        pytest.param(SkillKey("image-multi-class", CLASSES), id="half-life"),
        pytest.param(SkillKey("image-multi-class", ("crab", "\ud800"), 90), id="no-text"),
    ],
)
def test_other_statistics_have_another_text(other):
    assert other.text != SkillKey("image-multi-class", CLASSES, 90).text
    assert len(other.text) == 16


@pytest.mark.parametrize("days", [-1, 0.001, float("inf"), float("nan")])
def test_a_half_life_is_none_or_long_enough(days):
    with pytest.raises(ValueError, match="the half-life is 0 or at least 0"):
        SkillKey("t", CLASSES, days)
