"""Jobs worth reporting on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.masks import answer, drawn
from tests.runner.history import job_folders as on_disk

NASTY = '<script>alert("x")</script> & $\\alpha$'
CREW = tuple(f"private.us-west-2.WORKER{at:02}" for at in range(6))
GRIDS = ("..wwww ..wwww bbwwww", "..wwww ..wwww bbbwww", "..wwww ...www bbbbww")


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """Copies of the images."""
    folder = tmp_path_factory.mktemp("images")
    for at in range(4):
        pixels = np.full((60, 90 + 10 * at, 3), 40 * at, np.uint8)
        Image.fromarray(pixels).save(folder / f"{at}.jpg")
    return folder


@pytest.fixture(scope="session")
def animals(tmp_path_factory) -> Path:
    """Forty objects, six workers of whom the last says always the same."""
    rng = np.random.default_rng(5)
    votes, labels = {}, []
    for at in range(40):
        truth = on_disk.CLASSES[at % 3]
        votes[str(at)] = {
            worker: truth if rng.random() < 0.85 else on_disk.CLASSES[int(rng.integers(3))]
            for worker in CREW[:-1]
        } | {CREW[-1]: "eel"}
        labels.append(truth)
    return on_disk.make_job(tmp_path_factory.mktemp("bucket") / "zoo", votes, labels)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory) -> Path:
    """Several labels per image, one of them with a name that wants to be code."""
    folder = tmp_path_factory.mktemp("bucket") / "scenes"
    for at in range(4):
        answers = {
            worker: on_disk.ticked("dog", *([NASTY] if (number + at) % 3 else ["cat"]))
            for number, worker in enumerate((*CREW[:3], NASTY))
        }
        on_disk.write(on_disk.response_path(folder, str(at)), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": f"s3://images/{at}.jpg"} for at in range(4)])
    return folder


@pytest.fixture(scope="session")
def harbour(tmp_path_factory) -> Path:
    """A segmentation job."""
    folder = tmp_path_factory.mktemp("bucket") / "harbour"
    answers = {
        worker: answer(drawn(grid, scale=20)) for worker, grid in zip(CREW, GRIDS, strict=False)
    }
    on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    return folder
