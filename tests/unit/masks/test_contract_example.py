"""Three workers' answers and the mask Ground Truth would make of them."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.reader import decode_base64_png, read_mask
from groundtruth.masks.writer import write_mask
from tests.real_data import contract_example

pytestmark = pytest.mark.slow

FOLDER = "semantic-segmentation"
NAMES = ["BACKGROUND", "water", "vegetation", "sky"]


@pytest.fixture
def expected():
    return json.loads(contract_example(FOLDER, "consolidated_mask.indices.json").read_text())


@pytest.fixture
def crew(expected):
    colors = dict(enumerate(expected["palette"][1:], start=1))
    shape = expected["height"], expected["width"]
    files = [contract_example(FOLDER, f"worker_{name}.labeledImage.png") for name in "abc"]
    return [
        read_mask(file.read_bytes(), colors=colors, shape=shape, name_of=NAMES) for file in files
    ]


def test_each_worker_is_read(crew, expected):
    for (mask, notes), rows in zip(crew, expected["worker_rows"].values(), strict=True):
        np.testing.assert_array_equal(mask.to_array(), rows)
        assert (notes.near_pixels, notes.snapped_pixels, notes.rescaled) == (0, 0, False)


def test_the_answers_text_is_the_workers_file():
    answer = json.loads(contract_example(FOLDER, "worker_answer_content.json").read_text())
    text = answer["crowd-semantic-segmentation"]["labeledImage"]["pngImageData"]
    file = contract_example(FOLDER, "worker_a.labeledImage.png")
    assert decode_base64_png(text) == file.read_bytes()


def test_consolidated_mask_and_its_confidence(crew, expected):
    result = fuse([mask for mask, _ in crew], n_classes=4)
    np.testing.assert_array_equal(result.mask.to_array(), expected["rows"])
    assert 0.9 * round(result.mean_share, 4) + 0.05 == 0.89375


def test_the_written_mask_has_the_same_layout(crew, expected):
    ours = write_mask(fuse([mask for mask, _ in crew], 4).mask, expected["palette"])
    theirs = contract_example(FOLDER, "consolidated_mask.png").read_bytes()
    data = theirs.index(b"IDAT") - 4
    assert ours[:data] == theirs[:data]
    assert ours[data + 4 : data + 8] == b"IDAT"
    pixels = [np.asarray(Image.open(io.BytesIO(png))) for png in (ours, theirs)]
    np.testing.assert_array_equal(*pixels)
