"""Scores of masks are what their names say, and the page shows them."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.report.__main__ import render_page
from benchmarks.segmentation.quality import (
    Crowd,
    Picture,
    boundary_f,
    calibration,
    difference,
    mean_iou,
    mean_scores,
    ours,
    synthetic,
    tables,
)
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.annotations import Answers
from groundtruth.masks.runs import RunMask
from groundtruth.settings import Settings
from groundtruth.tasks.base import ConsolidationContext
from groundtruth.tasks.segmentation.answers import mask_answer
from groundtruth.tasks.segmentation.task import SemanticSegmentation
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import BatchSkills, SkillKey
from tests.masks import answer, encoded, indices
from tests.memory_store import WRITTEN_AT, MemoryStore

SQUARE = np.zeros((100, 100), np.uint8)
SQUARE[20:80, 20:80] = 1


def crowd_of(*truths, n_classes=2):
    return Crowd("small", n_classes, [Picture(truth, [truth], []) for truth in truths])


def test_iou_is_added_up_over_the_pictures():
    crowd = crowd_of(np.array([[1, 1, 0, 0]]), np.array([[1, 0, 0, 0]]))
    found = tables(crowd, [np.array([[1, 0, 0, 0]]), np.array([[1, 0, 0, 0]])])
    # Class 1: 2 of 3 pixels. BACKGROUND: 5 of 6.
    assert mean_iou(found) == pytest.approx((2 / 3 + 5 / 6) / 2)


def test_boundaries_may_be_a_little_off():
    crowd = crowd_of(SQUARE)
    assert boundary_f(crowd, [SQUARE]) == 1
    assert boundary_f(crowd, [np.roll(SQUARE, 1, axis=0)]) == 1
    assert boundary_f(crowd, [np.roll(SQUARE, 10, axis=(0, 1))]) < 0.4


def test_a_picture_without_boundaries_has_none_to_find():
    blank = np.zeros((9, 9), np.uint8)
    assert boundary_f(crowd_of(blank), [blank]) == 1
    assert boundary_f(crowd_of(SQUARE), [np.zeros_like(SQUARE)]) == 0


def test_a_difference_of_a_method_to_itself_is_nothing():
    found = tables(crowd_of(SQUARE, SQUARE), [SQUARE, np.roll(SQUARE, 3)])
    nothing = {"gain": 0.0, "gain_low": 0.0, "gain_high": 0.0}
    assert difference([{"a": found, "b": found}], "a", "b") == nothing


def test_a_worse_method_is_below_its_interval_too():
    crowd = crowd_of(*[SQUARE] * 8)
    good, bad = tables(crowd, [SQUARE] * 8), tables(crowd, [np.roll(SQUARE, 9)] * 8)
    found = difference([{"good": good, "bad": bad}], "bad", "good")
    assert found["gain_low"] <= found["gain"] <= found["gain_high"] < 0


def test_error_and_bias_are_the_distance_of_expected_and_true_iou():
    crew = [RunMask.from_array(np.array([row])) for row in ([1, 1, 0, 0], [1, 1, 0, 0])]
    crowd = crowd_of(np.array([[1, 0, 0, 0]]))
    found = calibration(crowd, [fuse(crew, 2)])
    # Both say 1; class 1 has 1 of 2 pixels, BACKGROUND 2 of 3.
    assert found["error"] == found["bias"] == pytest.approx((1 / 2 + 1 / 3) / 2, abs=1e-4)
    assert found["object_error"] == pytest.approx(1 / 2, abs=1e-4)


def test_without_objects_there_is_nothing_to_tell_of_them():
    blank = np.zeros((2, 2), np.uint8)
    found = calibration(crowd_of(blank), [fuse([RunMask.from_array(blank)] * 2, 2)])
    assert set(found) == {"error", "bias", "spearman"}
    assert mean_scores([found, found | {"object_error": 0.1}]) == found


def show(record):
    return render_page({"mask_quality": record}, parts=["mask_quality"])


def test_the_page_says_where_a_peer_is_better():
    gain = {"gain": -0.02, "gain_low": -0.03, "gain_high": -0.01}
    ours = {
        "crowd": "mixed",
        "mean_iou": {"weighted": 0.88, "majority": 0.9},
        "differences": {"weighted": gain},
        "confidence": {"error": 0.1, "bias": -0.1, "spearman": 0.8},
    }
    peer = {
        "crowd": "mixed",
        "mean_iou": {"weighted": 0.88, "crowd-kit EM": 0.9},
        "best_peer": "crowd-kit EM",
        "difference": gain,
    }
    machine = {"processor": "", "cores": 1, "system": ""}
    run = {"command": "", "date": "", "seed": 0, "machine": machine, "versions": {}}
    record = {"run": run, "crowds": [ours], "peers": [peer], "peer_cpu_seconds": {"EM": 1.0}}
    text = show(record)
    assert "were not scored apart in this run" in text
    assert "without BACKGROUND" not in text
    alone = ours["confidence"] | {"object_error": 0.12, "object_spearman": 0.31}
    shown = show(record | {"crowds": [ours | {"confidence": alone}]})
    assert "| 0.100 | -0.100 | 0.800 | 0.120 | 0.310 |" in shown
    assert "below 0.6 on: mixed (0.310, with BACKGROUND 0.800)." in shown
    assert "-0.020 [-0.030, -0.010] crowd-kit EM" in text
    assert "to the best peer by more than 0.005: mixed" in text
    assert "Below majority by more than chance explains: mixed" in text


@pytest.mark.slow
def test_the_default_is_what_a_replay_of_the_whole_job_makes():
    crowd = synthetic("bad", 5, 5, n_pictures=20)
    workers = tuple(sorted({worker for picture in crowd.pictures for worker in picture.workers}))
    classes = tuple(COLORS)
    store = MemoryStore()
    batch = ConsolidationContext(
        classes=classes,
        classes_known=True,
        settings=Settings(),
        job_name="labeling-job/crowd",
        made_at=WRITTEN_AT,
        masks_uri="s3://bucket/masks",
        store=store,
        kms_key=None,
        workers=workers,
        skills=BatchSkills(
            store=MemorySkills(),
            key=SkillKey("semantic-segmentation", classes),
            batch_id="job",
            job="crowd",
            made_at=WRITTEN_AT,
            holds_batch=True,
        ),
    )
    task = SemanticSegmentation()
    judged = task.judge_workers(map(_answers, enumerate(crowd.pictures)), batch)
    assert judged == set(workers)
    found = task.consolidate(map(_answers, enumerate(crowd.pictures)), batch)
    masks = [indices(store.written[label.mask_uri].body) for label in found]
    fusions = ours(crowd)
    same = {
        name: [mask == one.mask.to_array().tolist() for mask, one in zip(masks, made, strict=True)]
        for name, made in fusions.items()
    }
    assert all(same["weighted"])
    assert not all(same["majority"])


COLORS = {"ant": "#ff0000", "bee": "#00ff00", "cat": "#0000ff", "dog": "#ffff00"}


def _answers(numbered):
    """A picture's masks, as workers send them."""
    index, picture = numbered
    palette = np.array([[0, 0, 0, 0], *([*bytes.fromhex(c[1:]), 255] for c in COLORS.values())])
    sent = [
        mask_answer(answer(encoded(Image.fromarray(palette[one].astype(np.uint8))), colors=COLORS))
        for one in picture.maps
    ]
    return Answers(str(index), tuple(picture.workers), tuple(sent), ())
