"""Answers have the stock pages' shape and depend on seed, worker and data object alone."""

import base64
import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from labeljob.simulation import workers as profiles
from labeljob.simulation.truth import invented_truth
from labeljob.simulation.workers import answer, timing
from labeljob.tasks.registry import JOB_TYPES, find_job_type

LABELS = ["ant", "bee", "cat"]
TRUTHS = {
    "image-multi-class": "bee",
    "image-multi-class-multi-label": frozenset({"ant", "cat"}),
    "semantic-segmentation": invented_truth(
        find_job_type("semantic-segmentation"), LABELS, "0", (60, 80), seed=1
    ),
}


def _answer(worker, task, object_id, seed=1):
    return answer(
        worker,
        find_job_type(task),
        object_id=object_id,
        labels=LABELS,
        truth=TRUTHS[task],
        seed=seed,
    )


@pytest.mark.parametrize("task", JOB_TYPES)
def test_the_order_of_calls_does_not_matter(task):
    workers = profiles.create_workers("9", seed=3)
    asked = [(worker, str(number)) for worker in workers for number in range(4)]
    forward = {key: _answer(key[0], task, key[1]) for key in asked}
    backward = {key: _answer(key[0], task, key[1]) for key in reversed(asked)}
    assert forward == backward
    assert forward != {key: _answer(key[0], task, key[1], seed=2) for key in asked}


@pytest.mark.parametrize("task", JOB_TYPES)
def test_an_answer_is_json(task):
    for worker in profiles.create_workers("9", seed=3):
        content = _answer(worker, task, "0")
        assert json.loads(json.dumps(content)) == content


def test_a_mask_answer_has_the_shape_of_the_page():
    (content,) = _answer(
        profiles.create_workers("careful", seed=3)[0], "semantic-segmentation", "0"
    ).values()
    assert content["inputImageProperties"] == {"height": 60, "width": 80}
    assert content["labelMappings"] == {
        "ant": {"color": "#2ca02c"},
        "bee": {"color": "#1f77b4"},
        "cat": {"color": "#ff7f0e"},
    }
    with Image.open(io.BytesIO(base64.b64decode(content["labeledImage"]["pngImageData"]))) as image:
        pixels = np.array(image)
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (80, 60))
    assert set(map(tuple, pixels.reshape(-1, 4).tolist())) <= {
        (0, 0, 0, 0),
        (0x2C, 0xA0, 0x2C, 255),
        (0x1F, 0x77, 0xB4, 255),
        (0xFF, 0x7F, 0x0E, 255),
    }


def test_every_row_of_the_png_is_filtered_with_sub():
    (content,) = _answer(
        profiles.create_workers("careful", seed=3)[0], "semantic-segmentation", "0"
    ).values()
    data = base64.b64decode(content["labeledImage"]["pngImageData"])
    (size,) = struct.unpack(">I", data[33:37])
    assert data[37:41] == b"IDAT"
    assert set(zlib.decompress(data[41 : 41 + size])[:: 1 + 4 * 80]) == {1}


@pytest.mark.parametrize(
    ("task", "truth"),
    [
        pytest.param("image-multi-class", frozenset({"ant"}), id="truth-of-another-task"),
        pytest.param("image-multi-class", "dog", id="unknown-class"),
        pytest.param("image-multi-class-multi-label", frozenset({"dog"}), id="unknown-label"),
        pytest.param("semantic-segmentation", np.full((2, 2), 4, np.uint8), id="unknown-index"),
        pytest.param("semantic-segmentation", np.zeros((0, 2), np.uint8), id="empty-mask"),
    ],
)
def test_what_does_not_fit_is_refused(task, truth):
    worker = profiles.create_workers("average", seed=1)[0]
    job_type = find_job_type(task)
    with pytest.raises(ValueError):  # noqa: PT011 (several texts, one kind)
        answer(worker, job_type, object_id="0", labels=LABELS, truth=truth, seed=1)


def test_times_are_plausible_and_spammers_are_quick():
    def median(kind):
        worker = profiles.create_workers(kind, seed=1)[0]
        times = [timing(worker, str(number), 1) for number in range(200)]
        assert all(waited >= 1.0 and 0.5 < spent < 120.0 for waited, spent in times)
        return np.median([spent for _, spent in times])

    assert median("spammer") < median("careless") < median("average") < median("careful")
    worker = profiles.create_workers("average", seed=1)[0]
    assert timing(worker, "0", 1) == timing(worker, "0", 1)
