"""A mask of twelve megapixels and several MB, from the draft to the output manifest."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from labeljob.tasks.registry import find_job_type

WIDTH, HEIGHT = 4000, 3000
LABELS = [f"label {number}" for number in range(1, 21)]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mask():
    """Noise of 20 labels in stripes of four pixels: as much as a mask may hold, nearly."""
    rng = np.random.default_rng(5)
    noise = rng.integers(0, len(LABELS) + 1, (HEIGHT, WIDTH // 4), np.uint8)
    return np.repeat(noise, 4, axis=1)


def test_it_reaches_the_output_manifest_whole(open_portal, tmp_path, mask):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), "gray").save(folder / "large.jpg")
    portal = open_portal(task="semantic-segmentation", labels=LABELS)
    answer = find_job_type("semantic-segmentation").submit(mask, LABELS)
    assert len(json.dumps(answer)) > 5_000_000
    worker = portal.let_in(portal.invite("ann@example.org")["ann@example.org"])
    task = worker.next("photos")["task"]["id"]
    worker.post("photos", "drafts", task=task, answer=answer, page="p").raise_for_status()
    assert worker.next("photos")["task"]["draft"] == answer
    # The answer to the first request was lost, and the page sends it again.
    assert worker.answer("photos", task, answer)["saved"] == "saved"
    again = worker.answer("photos", task, answer)
    assert again["saved"] == "repeated"
    assert "notice" not in again
    (line,) = portal.output_manifest("photos")
    masks = portal.job_folder("photos").glob("annotations/consolidated-annotation/output/*.png")
    with Image.open(io.BytesIO(next(masks).read_bytes())) as image:
        assert (np.array(image) == mask).all()
    assert line["mask-ref"]["status"] == "single-annotator"
    ((response,),) = portal.worker_responses("photos").values()
    assert response["answerContent"] == answer
