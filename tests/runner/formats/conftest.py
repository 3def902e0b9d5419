"""Jobs with labels and images, ready to be exported."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from labeljob.commands.replay import replay
from tests.masks import answer, drawn
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

LABELS = "water,boat,quay"
GRIDS = (
    "wwwwwwww w....www wbb..www wbb..www w....www wwwwwwww qqqqqqqb",
    "........ ..bb.... ..bbww.. ....ww.. ........ ........ q.q.q.q.",
)
SCALE = 8
VOTES = {"0": ["cat"] * 3, "1": ["dog"] * 3, "2": ["dog", "dog", "cat"]}


def picture(rows, columns):
    """An image file."""
    file = io.BytesIO()
    Image.fromarray(np.full((rows, columns, 3), 90, np.uint8)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def images(tmp_path):
    """A folder with copies of the images of both jobs."""
    folder = tmp_path / "copies"
    folder.mkdir()
    for at in range(3):
        (folder / f"{at}.jpg").write_bytes(picture(7 * SCALE, 8 * SCALE))
    return folder


@pytest.fixture
def zoo(tmp_path):
    """A single-label job."""
    votes = {
        object_id: dict(zip(("ann", "bob", "cy"), said, strict=True))
        for object_id, said in VOTES.items()
    }
    return on_disk.make_job(tmp_path / "bucket" / "zoo", votes, ["cat", "dog", "dog"])


@pytest.fixture
def scenes(tmp_path):
    """A multi-label job, and the manifest of its replay."""
    folder = tmp_path / "bucket" / "scenes"
    answers = {"ann": on_disk.ticked("cat", "dog"), "bob": on_disk.ticked("cat", "dog")}
    on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    out = tmp_path / "scenes-again"
    outcome = run(replay, folder, "--labels", "eel,cat,dog", "-o", out)
    assert outcome.exit_code == 0, outcome.output
    return folder, out / "object.manifest"


@pytest.fixture
def harbour(tmp_path):
    """A segmentation job, the manifest of its replay, and its masks by their source."""
    folder = tmp_path / "bucket" / "harbour"
    lines = []
    for at, grid in enumerate(GRIDS):
        answers = {f"w{n}": answer(drawn(grid, scale=SCALE)) for n in range(2)}
        on_disk.write(on_disk.response_path(folder, str(at)), on_disk.response(answers))
        lines.append({"source-ref": f"s3://images/{at}.jpg"})
    on_disk.write_manifest(folder, lines)
    out = tmp_path / "harbour-again"
    outcome = run(replay, folder, "--labels", LABELS, "--algorithm", "majority", "-o", out)
    assert outcome.exit_code == 0, outcome.output
    manifest = out / "object.manifest"
    masks = {}
    for line in map(json.loads, manifest.read_text().splitlines()):
        with Image.open(out / line["label"]["mask-ref"]) as image:
            masks[line["source-ref"]] = np.array(image)
    return folder, manifest, masks
