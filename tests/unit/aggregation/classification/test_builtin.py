import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pytest

from groundtruth.aggregation.classification.builtin import builtin, builtin_confidence
from groundtruth.aggregation.classification.votes import Votes
from tests.real_data import real_data

pytestmark = pytest.mark.slow

CALL_SIZES = [1, 6, 2, 1, 1, 4, 14, 50, 50, 50, 50, 50, 23]


@dataclass(frozen=True)
class LabeledObject:
    """One line of the real job: what workers said and what the built-in made of it."""

    created: datetime
    answers: dict[str, str]
    label: int
    class_name: str
    confidence: float


def from_table(table, n_classes):
    """Votes from rows of classes, one row per item, one column per worker."""
    answers = np.array(table)
    items, workers = np.nonzero(answers >= 0)
    return Votes(items, workers, answers[items, workers], *answers.shape, n_classes)


@pytest.fixture(scope="module")
def birds() -> list[LabeledObject]:
    folder = real_data("birds-job")
    responses = folder / "annotations" / "worker-response"
    found = []
    manifest = (folder / "manifests" / "output" / "output.manifest").read_text()
    for number, line in enumerate(manifest.splitlines()):
        labeled = json.loads(line)
        metadata = labeled["birds-open-images-clone-metadata"]
        answers = {
            answer["workerId"]: answer["answerContent"]["crowd-image-classifier"]["label"]
            for path in sorted(responses.glob(f"iteration-*/{number}/*.json"))
            for answer in json.loads(path.read_text())["answers"]
        }
        found.append(
            LabeledObject(
                created=datetime.fromisoformat(metadata["creation-date"]),
                answers=answers,
                label=labeled["birds-open-images-clone"],
                class_name=metadata["class-name"],
                confidence=metadata["confidence"],
            )
        )
    return found


def calls(objects: list[LabeledObject]) -> Iterator[list[LabeledObject]]:
    """The service's calls: a gap of more than five seconds starts a new one."""
    call: list[LabeledObject] = []
    for labeled in sorted(objects, key=lambda labeled: labeled.created):
        if call and labeled.created - call[-1].created > timedelta(seconds=5):
            yield call
            call = []
        call.append(labeled)
    yield call


def test_the_real_job_is_reproduced_to_the_last_digit(birds):
    classes = {labeled.class_name: labeled.label for labeled in birds}
    assert [len(call) for call in calls(birds)] == CALL_SIZES
    for call in calls(birds):
        triples = [
            (item, worker, classes[name])
            for item, labeled in enumerate(call)
            for worker, name in labeled.answers.items()
        ]
        workers = sorted({worker for _, worker, _ in triples})
        posterior = builtin(
            Votes(
                items=np.array([item for item, _, _ in triples]),
                workers=np.array([workers.index(worker) for _, worker, _ in triples]),
                classes=np.array([index for _, _, index in triples]),
                n_items=len(call),
                n_workers=len(workers),
                n_classes=10,
            )
        )
        assert posterior.argmax(axis=1).tolist() == [labeled.label for labeled in call]
        assert builtin_confidence(posterior).tolist() == [one.confidence for one in call]


def test_a_tie_of_three_is_broken_by_the_accuracy_of_the_workers():
    posterior = builtin(from_table([[0, 0, 0], [1, 0, 1], [2, 0, 1], [3, 3, 2]], 4))
    assert posterior.argmax(axis=1).tolist() == [0, 1, 1, 3]
    assert builtin_confidence(posterior).tolist() == [0.94, 0.86, 0.47, 0.9]


def test_a_worker_who_is_always_right_divides_nothing_by_zero():
    posterior = builtin(from_table([[0] * 5] * 50, 2))
    assert np.all(np.isfinite(posterior))
    assert builtin_confidence(posterior).tolist() == [0.95] * 50


@pytest.mark.parametrize(
    ("table", "n_classes", "expected"),
    [
        pytest.param([[0, 0]], 1, [[1.0]], id="one-class"),
        pytest.param([[-1, -1]], 4, [[0.25] * 4], id="nobody-voted"),
        pytest.param(np.empty((0, 2), dtype=int), 3, np.empty((0, 3)), id="no-item"),
    ],
)
def test_degenerate_calls(table, n_classes, expected):
    np.testing.assert_array_equal(builtin(from_table(table, n_classes)), expected)


def test_an_item_without_a_vote_gets_the_prior_of_the_call():
    posterior = builtin(from_table([[0, 0], [0, 0], [-1, -1]], 2))
    assert 0.5 < posterior[2, 0] < 1.0


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        pytest.param(1.0, 0.95, id="ceiling"),
        pytest.param(0.7, 0.68, id="plain"),
        pytest.param(0.25, 0.28, id="half-way-up"),
        pytest.param(0.35, 0.36, id="half-way-down"),
    ],
)
def test_confidence_rounds_as_python_does(largest, expected):
    posterior = np.array([[largest, 1.0 - largest if largest > 0.5 else 0.0]])
    assert builtin_confidence(posterior).tolist() == [expected]
    assert expected == round(0.9 * largest + 0.05, 2)


def test_no_item_has_no_confidence():
    assert builtin_confidence(np.empty((0, 3))).shape == (0,)
