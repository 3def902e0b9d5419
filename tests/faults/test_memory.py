"""Memory at the size that template.yaml gives the function that needs most."""

import json
import uuid
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.batches import MASKS
from tests.faults.full_batches import WORKERS, event_of, one_object
from tests.faults.test_repeats import Account
from tests.masks import COLORS, answer, encoded
from tests.repository.template import PARAMETERS

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024
GROUPS = Path("/sys/fs/cgroup/memory")
CONFIGURED = PARAMETERS["SegmentationMemorySize"]["Default"] * MEGABYTE
OBJECTS = 2
ROWS, COLUMNS = 3000, 4000


@pytest.fixture(scope="module")
def payload():
    """Objects with nine masks of 12 megapixels each, of which no two are the same."""
    draw = np.random.default_rng(0)
    colors = [bytes.fromhex(color[1:]) for color in COLORS.values()]
    table = np.array([[0, 0, 0, 0], *[[*color, 255] for color in colors]], np.uint8)
    truth = draw.integers(0, len(table), (ROWS // 25, COLUMNS // 25))
    contents = []
    for _ in range(WORKERS):
        wrong = draw.random(truth.shape) < 0.1
        cells = np.where(wrong, draw.integers(0, len(table), truth.shape), truth)
        pixels = table[cells].repeat(25, axis=0).repeat(25, axis=1)
        contents.append(text_of(pixels))
    objects = []
    for number in range(OBJECTS):
        left = iter(contents)
        objects.append(one_object(str(number), lambda _, left=left: next(left), ""))
    return objects


def text_of(pixels):

    return json.dumps(answer(encoded(Image.fromarray(pixels)), size=pixels.shape[:2]))


def peak_of(process):
    """The most memory that a process has had, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@contextmanager
def capped(process, limit):
    """Hold a process to a number of bytes, as Lambda does."""
    group = GROUPS / f"test-{uuid.uuid4()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"memory cannot be limited here: {error}")
    try:
        (group / "memory.limit_in_bytes").write_text(str(limit))
        (group / "cgroup.procs").write_text(str(process.pid))
        yield
    finally:
        process.kill()
        process.wait()
        group.rmdir()


def test_nine_masks_of_twelve_megapixels_take_less_than_the_functions_memory(tmp_path, payload):
    account = Account(tmp_path)
    account.put(event_of(MASKS), payload)
    with account.function(MASKS) as function:
        response = function(event_of(MASKS))
        peak = peak_of(function._process)
    assert statuses(response) == ["consensus"] * OBJECTS
    assert peak < CONFIGURED / 2


def test_nine_masks_of_twelve_megapixels_are_consolidated_under_a_cap(tmp_path, payload):
    account = Account(tmp_path)
    account.put(event_of(MASKS), payload)
    with account.function(MASKS) as function, capped(function._process, CONFIGURED):
        assert statuses(function(event_of(MASKS))) == ["consensus"] * OBJECTS


def statuses(response):
    contents = [item["consolidatedAnnotation"]["content"] for item in response]
    return [content["surface"]["status"] for content in contents]
