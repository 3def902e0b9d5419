"""What a job left behind is read as it was written."""

import json

import numpy as np
import pytest

from labeljob.demo.figures import answer_mask, read_results
from labeljob.metrics.scores import mean_iou
from labeljob.report.pictures import disagreement
from labeljob.simulation import answers
from labeljob.simulation import workers as profiles
from labeljob.tasks.registry import find_job_type

pytestmark = pytest.mark.slow

LABELS = ["person", "sky"]


def _mask_content(truth):
    worker = profiles.create_workers("careful", seed=3)[0]
    return answers.answer(
        worker,
        find_job_type("semantic-segmentation"),
        object_id="0",
        labels=LABELS,
        truth=truth,
        seed=3,
    )


def test_a_crowds_mask_is_read_back():
    truth = np.zeros((60, 80), dtype=np.uint8)
    truth[20:40, 30:60] = 2
    mask = answer_mask(_mask_content(truth), LABELS)
    assert mean_iou(mask, truth) > 0.9


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="empty"),
        pytest.param({"crowd-semantic-segmentation": None}, id="nothing"),
        pytest.param(
            {
                "crowd-semantic-segmentation": {
                    "labelMappings": {},
                    "labeledImage": {"pngImageData": "not base64!"},
                }
            },
            id="not-base64",
        ),
        pytest.param(
            {
                "crowd-semantic-segmentation": {
                    "labelMappings": {},
                    "labeledImage": {"pngImageData": "aGVsbG8="},
                }
            },
            id="no-png",
        ),
    ],
)
def test_an_answer_without_a_mask_gives_none(content):
    assert answer_mask(content, LABELS) is None


def test_a_color_that_is_none_gives_none():
    content = _mask_content(np.zeros((6, 8), dtype=np.uint8))
    content["crowd-semantic-segmentation"]["labelMappings"]["sky"]["color"] = "blue"
    assert answer_mask(content, LABELS) is None


def test_the_newest_answers_of_the_latest_iteration_count(tmp_path):
    manifest = tmp_path / "manifests" / "output" / "output.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"source-ref":"s3://b/1.png","a":{"class-name":"x"}}\n')
    for iteration, time, name in [(2, "10", "old"), (10, "08", "first"), (10, "09", "new")]:
        folder = tmp_path / f"annotations/worker-response/iteration-{iteration}/0"
        folder.mkdir(parents=True, exist_ok=True)
        answers = [{"workerId": name, "answerContent": {}}]
        (folder / f"2026-01-01_{time}:00:00.json").write_text(json.dumps({"answers": answers}))
    (found,) = read_results(tmp_path, "a")
    assert found.answers == (("new", {}),)
    assert found.label == {"class-name": "x"}
    assert read_results(tmp_path, "other")[0].status == "no-usable-answer"


def test_unanimous_workers_do_not_disagree():
    mask = np.array([[0, 1], [2, 2]], dtype=np.uint8)
    np.testing.assert_array_equal(disagreement([mask] * 3, 2), np.zeros((2, 2)))
    assert mean_iou(mask, mask) == 1.0
    assert mean_iou(mask, mask[:1]) == 0.0
