import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from tests.examples import consolidate, example, payload_of
from tests.masks import COLORS, GRID, GRID_CLASSES, answer, consolidated, drawn, encoded
from tests.memory_store import MemoryStore

ACS = "acs_semantic_segmentation"
FOLDER = f"{example(ACS, 'event')['outputConfig']}/consolidated-annotation/output/"


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_mask_is_read_in_every_mode_the_pages_send(mode, workers):
    label, mask = consolidated([answer(drawn(GRID, mode=mode))] * workers)
    assert mask == GRID_CLASSES
    assert label["answers"] == {"used": workers, "set-aside": []}
    assert label["status"] == ("consensus" if workers == 2 else "single-annotator")
    assert label["confidence"] == (1.0 if workers == 2 else 0.7)


def test_each_worker_s_own_colours_are_read():
    swapped = {"water": COLORS["quay"], "boat": COLORS["water"], "quay": COLORS["boat"]}
    answers = [answer(drawn(GRID)), answer(drawn(GRID, colors=swapped), colors=swapped)]
    label, mask = consolidated([*answers, answers[0]])
    assert mask == GRID_CLASSES
    found = {item["class-name"]: item["hex-color"] for item in label["internal-color-map"].values()}
    assert found == {"BACKGROUND": "#ffffff", **COLORS}


def test_the_majority_wins_pixel_by_pixel_and_a_tie_goes_to_the_first_class():
    label, mask = consolidated([answer(drawn(grid)) for grid in ("ww.b", "wq.b", "bw.q")])
    assert mask == [[1, 1, 0, 2]]
    label, mask = consolidated([answer(drawn(grid)) for grid in ("wqb.", "bb.q")])
    assert mask == [[1, 2, 0, 0]]
    assert (label["status"], label["tied-share"], label["disputed-share"]) == ("tie", 1.0, 1.0)
    assert label["confidence"] == 0.5


@pytest.mark.parametrize(
    ("tied", "status"),
    [pytest.param(4, "consensus", id="4-percent"), pytest.param(5, "tie", id="5-percent")],
)
def test_a_twentieth_of_the_pixels_without_a_winner_makes_a_tie(tied, status):
    answers = [answer(drawn("w" * 100)), answer(drawn("b" * tied + "w" * (100 - tied)))]
    label, _ = consolidated(answers)
    assert (label["tied-share"], label["status"]) == (tied / 100, status)


def test_the_mask_has_the_service_s_own_byte_layout():
    store = MemoryStore()
    consolidate(ACS, payload_of({"0": [answer(drawn(GRID))]}), store=store)
    (written,) = store.written.values()
    body = written.body
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">IIBBBBB", body[16:29]) == (8, 4, 8, 3, 0, 0, 0)
    assert [name for name, _ in chunks(body)] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    palette = dict(chunks(body))[b"PLTE"]
    assert len(palette) == 768
    assert palette[:12] == bytes.fromhex("ffffff" + "2ca02c" + "1f77b4" + "ff7f0e")
    assert set(palette[12:]) == {255}


def chunks(body):
    at = 8
    while at < len(body):
        (length,) = struct.unpack(">I", body[at : at + 4])
        yield body[at + 4 : at + 8], body[at + 8 : at + 8 + length]
        at += 12 + length


@pytest.mark.parametrize(
    ("object_id", "name"),
    [
        ("0", "0"),
        ("pond/north 7", "pond%2Fnorth%207"),
        ("Höhe", "H%C3%B6he"),
        ("../../x", "..%2F..%2Fx"),
    ],
)
def test_any_id_has_a_file_of_its_own(object_id, name):
    label, _ = consolidated([answer(drawn(GRID))], object_id=object_id)
    assert label["mask-ref"] == f"{FOLDER}{name}_2026-05-06T11:47:03.000000.png"


def smoothed():
    """A mask whose edges fade, as a browser draws them."""
    large = drawn("wwwwww wwwwww wwbbww wwbbww wwwwww wwwwww", scale=40)
    with Image.open(io.BytesIO(large)) as image:
        pixels = np.asarray(image).copy()
    pixels[79, 80:160] = (0x26, 0x8C, 0x70, 200)
    return encoded(Image.fromarray(pixels))


def test_a_faded_edge_goes_to_either_side():
    label, mask = consolidated([answer(smoothed())])
    assert {cell for row in mask for cell in row} == {1, 2}
    (repaired,) = label["repaired"]
    assert repaired["worker-id"] == "w1"
    assert repaired["snapped-pixels"] + repaired["near-pixels"] == 80


def test_a_label_coloured_white_is_not_white_in_the_mask():
    white = {"water": "#ffffff", "boat": "#1f77b4", "quay": "#ff7f0e"}
    solid = "wwwwwwww wwbbwwww wwbbwwww qqqqqqqq"
    label, mask = consolidated([answer(drawn(solid, colors=white), colors=white)])
    assert mask == [[1] * 8, [1, 1, 2, 2, 1, 1, 1, 1], [1, 1, 2, 2, 1, 1, 1, 1], [3] * 8]
    colors = [item["hex-color"] for item in label["internal-color-map"].values()]
    assert colors[0] == "#ffffff"
    assert colors.count("#ffffff") == 1
    assert len(set(colors)) == 4


def test_a_mask_in_the_image_s_proportions_is_rescaled_and_the_label_says_so():
    label, mask = consolidated([answer(drawn(GRID)), answer(drawn(GRID, scale=2), size=(4, 8))])
    assert mask == GRID_CLASSES
    assert [(item["worker-id"], item["rescaled"]) for item in label["repaired"]] == [("w2", True)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_size_that_no_mask_bears_out_does_not_win(order):
    answers = [answer(drawn(GRID)), answer(drawn("w"), size=(900, 900))]
    label, mask = consolidated([answers[at] for at in order])
    assert mask == GRID_CLASSES
    assert label["answers"]["used"] == 1


def test_answers_that_tell_no_size_are_measured():
    content = answer(drawn(GRID))
    del content["crowd-semantic-segmentation"]["inputImageProperties"]
    _, mask = consolidated([content, content])
    assert mask == GRID_CLASSES


def test_labels_no_worker_listed_stay_in_the_colour_map():
    label, mask = consolidated([answer(drawn("ww. ww."), colors={"water": "#2ca02c"})])
    assert mask == [[1, 1, 0], [1, 1, 0]]
    names = [item["class-name"] for item in label["internal-color-map"].values()]
    assert names == ["BACKGROUND", "water", "boat", "quay"]


def test_a_job_label_named_background_is_the_mask_s_own():
    named = {"BACKGROUND": "#000000", **COLORS}
    label, mask = consolidated(
        [answer(drawn(GRID), colors=named)], classes=["BACKGROUND", "water", "boat", "quay"]
    )
    assert mask == GRID_CLASSES
    assert len(label["internal-color-map"]) == 4


@pytest.mark.parametrize(("workers", "confidence"), [(1, 0.0), (2, 0.9 * 0.875 + 0.05)])
def test_in_the_builtin_style_all_classes_have_one_confidence(workers, confidence):
    answers = [answer(drawn("wwb. qqqq")), answer(drawn("wwbb qqqw"))][:workers]
    outcome = consolidate(ACS, payload_of({"0": answers}), output_style="builtin")
    content = outcome.response[0]["consolidatedAnnotation"]["content"]
    names = {"BACKGROUND": "#ffffff", **COLORS}
    assert json.dumps(content) == json.dumps(
        {
            "surface": f"{FOLDER}0_2026-05-06T11:47:03.000000.png",
            "surface-metadata": {
                "internal-color-map": {
                    str(at): {"class-name": name, "hex-color": color, "confidence": confidence}
                    for at, (name, color) in enumerate(names.items())
                },
                "type": "groundtruth/semantic-segmentation",
                "human-annotated": "yes",
                "creation-date": "2026-05-06T11:47:03.000000",
                "job-name": "labeling-job/harbour-surfaces-01",
            },
        }
    )
