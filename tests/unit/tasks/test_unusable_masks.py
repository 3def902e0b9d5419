import base64
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.examples import rejected
from tests.masks import COLORS, GRID, GRID_CLASSES, answer, consolidated, drawn, encoded


def grey_16_bit():
    return encoded(Image.fromarray(np.full((4, 8), 40_000, np.uint16)))


def bomb(rows=30_000, columns=30_000):
    """A file of some kilobytes that says it is an image of almost a gigapixel."""
    header = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1 << 20))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def text_png():
    mapping = answer(drawn(GRID))
    (value,) = mapping.values()
    value["labeledImage"]["pngImageData"] = base64.b64encode(b"GIF89a nonsense").decode()
    return mapping


UNUSABLE = [
    pytest.param(answer(drawn("ww. ww. ww.")), "wrong-size", id="other-proportions"),
    pytest.param(answer(drawn(GRID)[:-30], size=(4, 8)), "truncated-png", id="truncated"),
    pytest.param(answer(drawn(GRID)[:20], size=(4, 8)), "truncated-png", id="header-cut"),
    pytest.param(answer(grey_16_bit()), "unsupported-png", id="16-bit"),
    pytest.param(answer(bomb(), size=(4, 8)), "too-large", id="image-bomb"),
    pytest.param(answer(bomb(), size=(30_000, 30_000)), "too-large", id="image-bomb-that-says-so"),
    pytest.param(text_png(), "not-png", id="not-a-png"),
    pytest.param(
        answer(drawn(GRID), colors=COLORS | {"boat": COLORS["water"]}),
        "ambiguous-color",
        id="two-labels-with-one-colour",
    ),
    pytest.param(
        answer(drawn(GRID), colors={"lake": "#2ca02c", "ship": "#1f77b4", "quay": "#ff7f0e"}),
        "unknown-label",
        id="labels-that-are-not-the-job's",
    ),
    pytest.param(
        answer(drawn(GRID), colors={"water": "#000080"}), "unreadable-colors", id="other-colours"
    ),
]


@pytest.mark.parametrize(("unusable", "reason"), UNUSABLE)
@pytest.mark.parametrize("good", [1, 2])
def test_an_unusable_mask_is_rejected_alone(unusable, reason, good):
    label, mask = consolidated([answer(drawn(GRID))] * good + [unusable])
    assert mask == GRID_CLASSES
    assert rejected(label) == [(f"w{good + 1}", reason)]
    assert label["answers"]["used"] == good


@pytest.mark.parametrize(
    ("unusable", "reason"), [each for each in UNUSABLE if each.id not in {"other-proportions"}]
)
def test_without_a_usable_mask_there_is_none(unusable, reason):
    label, mask = consolidated([unusable])
    assert (mask, label["mask-ref"], label["status"]) == (None, None, "no-usable-answer")
    assert rejected(label) == [("w1", reason)]
    assert label["internal-color-map"] == {}


def test_a_detail_quotes_no_label_that_only_the_answer_names():
    clash = {"secret one": "#2ca02c", "secret two": "#2ca02c"}
    label, _ = consolidated([answer(drawn(GRID), colors=clash)])
    assert "secret" not in json.dumps(label)
