import pytest

from groundtruth.finishing.job import ClassesSeen
from groundtruth.tasks.base import LabelClass


@pytest.mark.parametrize(
    ("seen", "given", "expected", "source"),
    [
        pytest.param([], None, {}, "labels", id="nothing"),
        pytest.param([(2, "b"), (0, "a")], None, {"a": 0, "b": 2}, "labels", id="gaps"),
        pytest.param(
            [(0, "b"), (0, "a"), (1, "b")], None, {"a": 0, "b": 1}, "sorted-names", id="conflict"
        ),
        pytest.param([(0, "a"), (1, "a")], None, {"a": 0}, "sorted-names", id="two-indices"),
        pytest.param([(0, "b")], ("a", "b"), {"a": 0, "b": 1}, "label-file", id="file-decides"),
        pytest.param(
            [(3, "none"), (2, "other"), (0, "a")],
            ("a", "b"),
            {"a": 0, "b": 1, "other": 2, "none": 3},
            "label-file",
            id="names-not-in-the-file",
        ),
    ],
)
def test_every_class_gets_an_index(seen, given, expected, source):
    classes = ClassesSeen()
    for at, name in seen:
        classes.add([LabelClass(class_id=at, name=name, confidence=1.0)])
    order = classes.order(given)
    assert (dict(order.index_of), order.source) == (expected, source)
