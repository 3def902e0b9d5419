"""Synthetic workers are as good, as bad and as late as they are said to be."""

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image

from labeljob.simulation.behavior import TIRED_HALF_LIFE
from labeljob.tasks.registry import find_job_type
from tests.runner.simulation.synthetic_jobs import LABELS, answers, synthetic_job

pytestmark = pytest.mark.slow


def rights(synthesis):
    return np.array([content["label"] == one.truth for one, _, content in answers(synthesis)])


def near(share, expected, size):
    """Within three standard deviations of a share of so many."""
    return abs(share - expected) <= 3 * math.sqrt(expected * (1 - expected) / size)


@pytest.mark.parametrize("skill", [0.5, 0.8, 0.95])
def test_a_worker_is_right_as_often_as_its_skill_says(skill):
    right = rights(synthetic_job(f"skill={skill}:4", objects=3000))
    assert near(right.mean(), skill, right.size)


@pytest.mark.parametrize("skill", [0.7, 0.9])
def test_a_worker_ticks_each_label_rightly_as_often_as_its_skill_says(skill):
    job = synthetic_job(
        f"skill={skill}:2", objects=1500, task=find_job_type("image-multi-class-multi-label")
    )
    right = [
        (name in content["labels"]) == (name in one.truth)
        for one, _, content in answers(job)
        for name in LABELS
    ]
    # A worker who would tick nothing ticks one: a little off, by less than this.
    assert abs(np.mean(right) - skill) < 0.03


def test_difficulty_moves_accuracy_towards_chance():
    right = rights(synthetic_job("skill=0.8:4", objects=4000, difficulty=0.3))
    expected = 0.2 + (0.8 - 0.2) * (1 - 0.3)
    # Objects differ, so the answers' mean varies more than that of coins: by at most as much again.
    assert abs(right.mean() - expected) < 6 * math.sqrt(0.25 / right.size)


def test_workers_err_together_on_hard_objects():
    job = synthetic_job("skill=0.9:6", objects=1500, per_object=4, difficulty=0.4)
    wrong = 1 - rights(job).reshape(-1, 4)
    assert np.corrcoef(wrong[:, 0], wrong[:, 1])[0, 1] > 0.1
    easy = 1 - rights(synthetic_job("skill=0.9:6", objects=1500, per_object=4)).reshape(-1, 4)
    assert abs(np.corrcoef(easy[:, 0], easy[:, 1])[0, 1]) < 0.1


def test_a_copycat_always_says_what_the_first_of_its_pair_says():
    said = {}
    for one, worker, content in answers(synthetic_job("copycat:2,average:2", per_object=4)):
        said.setdefault(one.line.object_id, {})[worker] = content["label"]
    first, second = (
        member.worker.worker_id for member in synthetic_job("copycat:2,average:2").crew[:2]
    )
    assert all(labels[first] == labels[second] for labels in said.values())


def test_a_tired_worker_errs_more_and_more():
    right = rights(synthetic_job("tired", objects=1200)).reshape(4, -1)
    chance = 0.2 + (0.95 - 0.2) * 0.5 ** (np.arange(1200).reshape(4, -1) / TIRED_HALF_LIFE)
    found, expected = right.mean(axis=1), chance.mean(axis=1)
    assert all(near(one, other, 300) for one, other in zip(found, expected, strict=True))
    assert list(found) == sorted(found, reverse=True)


def test_an_adversary_is_hardly_ever_right():
    assert rights(synthetic_job("adversary:2", objects=1000)).mean() < 0.05


def test_a_constant_worker_says_one_class():
    for member in range(3):
        job = synthetic_job("constant:3", objects=300)
        worker = job.crew[member].worker.worker_id
        assert len({c["label"] for _, who, c in answers(job) if who == worker}) == 1


def test_answers_are_missing_and_late_as_often_as_asked():
    job = synthetic_job("9", objects=2000, per_object=5, missing=0.2, late=0.1)
    objects = [one for batch in job.batches() for one in batch.objects]
    given = sum(len(one.response["answers"]) for one in objects)
    in_time = sum(len(one.in_time["answers"]) for one in objects)
    # One answer of five is spared.
    assert near(given / 10_000, 1 - 0.8 * 0.2, 10_000)
    assert near((given - in_time) / 10_000, 0.8 * 0.8 * 0.1, 10_000)
    assert min(len(one.in_time["answers"]) for one in objects) == 1


def painted(kind, objects=12):
    job = synthetic_job(kind, objects=objects, task=find_job_type("semantic-segmentation"))
    for one, _, content in answers(job):
        data = base64.b64decode(content["labeledImage"]["pngImageData"])
        with Image.open(io.BytesIO(data)) as image:
            yield one.truth, np.array(image.convert("RGBA"))


def test_empty_masks_are_empty():
    assert not any(pixels.any() for _, pixels in painted("empty"))


@pytest.mark.parametrize(("kind", "colors"), [("constant", 1), ("flooding", 2)])
def test_a_flooded_mask_has_one_color(kind, colors):
    found = [set(map(tuple, pixels.reshape(-1, 4).tolist())) for _, pixels in painted(kind)]
    assert all(len(one) == 1 for one in found)
    assert len(set.union(*found)) >= colors
    assert all(pixel[3] == 255 for one in found for pixel in one)


def test_an_adversary_paints_where_there_is_something_in_another_color():
    for truth, pixels in painted("adversary"):
        covered = (pixels[..., 3] > 0).mean()
        assert abs(covered - (truth > 0).mean()) < 0.1
