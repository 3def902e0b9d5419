"""Painted masks are as good as the workers are said to be."""

import math

import numpy as np
import pytest
from scipy import ndimage

from labeljob.metrics.scores import mean_iou
from labeljob.simulation import workers as profiles
from labeljob.simulation import workers as simulated
from labeljob.simulation.masks import label_colors
from labeljob.simulation.truth import invented_truth
from labeljob.tasks.registry import find_job_type
from tests.runner.painted_masks import answer_mask

pytestmark = pytest.mark.slow

SEGMENTATION = find_job_type("semantic-segmentation")
LABELS = ["water", "reeds", "sky"]


def _paint(kind, truth, object_id, seed=9):
    worker = profiles.create_workers(kind, seed=4)[0]
    content = simulated.answer(
        worker, SEGMENTATION, object_id=object_id, labels=LABELS, truth=truth, seed=seed
    )
    return answer_mask(content, LABELS)


def _squares():
    """Sixteen separate squares of class 1 in 400 x 400 pixels."""
    truth = np.zeros((400, 400), dtype=np.uint8)
    for row in range(4):
        for column in range(4):
            truth[row * 100 + 25 : row * 100 + 75, column * 100 + 25 : column * 100 + 75] = 1
    return truth


def test_better_workers_paint_better_masks():
    quality = {}
    for kind in ["careful", "average", "careless", "spammer"]:
        scores = []
        for number in range(25):
            truth = invented_truth(SEGMENTATION, LABELS, str(number), (120, 160), seed=2)
            scores.append(mean_iou(_paint(kind, truth, str(number)), truth))
        quality[kind] = np.mean(scores)
    order = sorted(quality, key=lambda kind: -quality[kind])
    assert order == ["careful", "average", "careless", "spammer"]
    assert quality["careful"] > 0.9
    assert quality["spammer"] < 0.4


@pytest.mark.parametrize(
    ("kind", "missed", "swapped"),
    [("careful", 0.0, 0.0), ("average", 0.05, 0.02), ("careless", 0.2, 0.05)],
)
def test_objects_are_missed_and_swapped_at_the_stated_rates(kind, missed, swapped):
    truth = _squares()
    centers = np.concatenate(
        [_paint(kind, truth, str(number))[50::100, 50::100].ravel() for number in range(60)]
    )
    n = centers.size
    for count, rate in [
        (np.count_nonzero(centers == 0), missed),
        (np.count_nonzero(centers > 1), (1.0 - missed) * swapped),
    ]:
        assert abs(count - n * rate) <= 3.0 * math.sqrt(n * rate * (1.0 - rate))


@pytest.mark.parametrize(("kind", "share"), [("careful", 0.002), ("careless", 0.012)])
def test_boundaries_shift_by_the_stated_distance(kind, share):
    truth = np.zeros((300, 400), dtype=np.uint8)
    truth[:, :200] = 1
    shifts = []
    for number in range(40):
        mask = _paint(kind, truth, str(number))
        if (mask == 1).any():
            shifts.append(np.count_nonzero(mask == 1, axis=1) - 200.0)
    assert np.std(shifts) == pytest.approx(share * 500.0, rel=0.25)


def test_boundaries_stay_smooth():
    mask = _paint("careless", _squares(), "3")
    objects, count = ndimage.label(mask > 0)
    assert count <= 17
    assert np.bincount(objects.ravel())[1:].max() > 1500


def test_a_confuser_swaps_its_two_classes_and_no_other():
    truth = _squares()
    truth[:, 200:] *= 2
    truth[200:, 200:][truth[200:, 200:] > 0] = 3
    centers = [_paint("confuser=water/reeds", truth, str(n))[50::100, 50::100] for n in range(40)]
    water, sky = (np.concatenate([c[part].ravel() for c in centers]) for part in _QUARTERS)
    assert set(water.tolist()) == {1, 2}
    assert abs(np.count_nonzero(water == 2) - water.size / 2) <= 3.0 * math.sqrt(water.size / 4)
    assert set(sky.tolist()) == {3}


_QUARTERS = (np.s_[:, :2], np.s_[2:, 2:])


def test_a_spammer_floods_one_class_or_paints_shapes():
    truth = np.zeros((50, 60), dtype=np.uint8)
    flooded = [len(np.unique(_paint("spammer", truth, str(n)))) == 1 for n in range(200)]
    assert 70 <= sum(flooded) <= 130


def test_an_empty_truth_and_a_single_pixel_can_be_painted():
    for shape in [(1, 1), (1, 300), (300, 2)]:
        truth = np.zeros(shape, dtype=np.uint8)
        for kind in ["careful", "careless", "confuser", "spammer"]:
            assert _paint(kind, truth, "0").shape == shape


def test_every_label_has_a_color_of_its_own_and_none_is_white():
    labels = [str(number) for number in range(255)]
    colors = label_colors(labels)
    assert list(colors) == labels
    assert len(set(colors.values())) == 255
    assert "#ffffff" not in colors.values()
