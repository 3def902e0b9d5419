import pytest

from groundtruth.tasks.base import status_of


@pytest.mark.parametrize(
    ("used", "tied", "confidence", "expected"),
    [
        pytest.param(1, False, 0.7, "single-annotator", id="one-answer"),
        pytest.param(1, True, 0.1, "single-annotator", id="one-answer-whatever-else"),
        pytest.param(2, True, 0.1, "tie", id="tie-before-low-confidence"),
        pytest.param(3, False, 0.59, "low-confidence", id="under-the-limit"),
        pytest.param(3, False, 0.6, "consensus", id="on-the-limit"),
    ],
)
def test_status(used, tied, confidence, expected):
    assert status_of(used=used, tied=tied, confidence=confidence, min_confidence=0.6) == expected
