"""Jobs of which manifest and masks are left: masks that the manifest or the image contradicts."""

import io
import json
from pathlib import Path

import datasets
import numpy as np
import pytest
import yaml
from PIL import Image

from labeljob.commands.export import export
from labeljob.history.job import Given, read_job, read_job_mask
from labeljob.jobs.job_location import find_job
from tests.masks import encoded
from tests.runner.command_line import run
from tests.runner.formats.conftest import picture
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

COLORS = {0: "#ffffff", 1: "#2ca02c", 2: "#1f77b4", 3: "#ff7f0e"}
NAMES = {0: "BACKGROUND", 1: "reed", 2: "heron", 3: "moss"}
OUTPUT = "annotations/consolidated-annotation/output"
GRID = np.array([[0] * 6, [0, 1, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2], [3] * 6], np.uint8).repeat(5, 1)


def png(pixels=GRID, colors=COLORS):
    """A mask with a palette."""
    image = Image.fromarray(np.asarray(pixels, np.uint8), "L")
    if colors is None:
        return encoded(image)
    image.putpalette(
        [part for index in sorted(colors) for part in bytes.fromhex(colors[index][1:])]
    )
    return encoded(image)


def line(at, name, colors=COLORS):
    """A line of a built-in job's output manifest."""
    classes = {str(i): {"class-name": NAMES[i], "hex-color": color} for i, color in colors.items()}
    return {
        "source-ref": f"s3://images/{at}.jpg",
        "marsh-ref": f"s3://somewhere/jobs/marsh/{OUTPUT}/{name}",
        "marsh-ref-metadata": {
            "internal-color-map": classes,
            "type": "groundtruth/semantic-segmentation",
            "human-annotated": "yes",
            "creation-date": "2026-03-02T10:00:00.000000",
            "job-name": "labeling-job/marsh",
        },
    }


def marsh(tmp_path, bodies, colors=COLORS, rename=lambda name: name):
    """A job that holds its manifest and masks alone."""
    folder = tmp_path / "bucket" / "marsh"
    names = [f"{at}_2026-03-02T10:00:0{at}.123456.png" for at in range(len(bodies))]
    for name, body in zip(names, bodies, strict=True):
        path = folder / OUTPUT / rename(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    on_disk.write_manifest(folder, [line(at, name, colors) for at, name in enumerate(names)])
    return folder


def exported(folder, tmp_path, chosen, *options):
    outcome = run(export, folder, "--format", chosen, "-o", tmp_path / "out", "--json", *options)
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout), tmp_path / "out"


def coco_areas(out):
    """Area of each class of each image."""
    content = json.loads((out / "annotations.json").read_text())
    names = {one["id"]: one["name"] for one in content["categories"]}
    areas = {image["id"]: {} for image in content["images"]}
    for one in content["annotations"]:
        areas[one["image_id"]][names[one["category_id"]]] = one["area"]
    return list(areas.values())


AREAS = {"reed": 30, "heron": 20, "moss": 30}


def voc_masks(out):
    return [np.array(Image.open(path)) for path in sorted(out.glob("SegmentationClass/*.png"))]


@pytest.mark.parametrize("chosen", ["coco", "yolo", "voc", "huggingface"])
def test_manifest_and_masks_are_enough_for_every_format(tmp_path, chosen):
    result, out = exported(marsh(tmp_path, [png(), png(GRID[::-1])]), tmp_path, chosen)
    assert (result["left-out"], result["without-image"]) == ({}, ["0", "1"])
    assert result["classes"] == ["reed", "heron", "moss"]
    if chosen == "coco":
        assert coco_areas(out) == [AREAS, AREAS]
    elif chosen == "yolo":
        assert len((out / "labels/train/1.txt").read_text().splitlines()) == 3
    elif chosen == "voc":
        np.testing.assert_array_equal(voc_masks(out)[1], GRID[::-1])
    else:
        found = datasets.load_from_disk(str(out))
        np.testing.assert_array_equal(np.array(found[1]["mask"]), GRID[::-1])


@pytest.mark.parametrize("substitute", ["_", "-", "%3A", "\uf03a", "\ua789", ".", " ", ""])
def test_masks_are_found_whose_names_lost_their_colons(tmp_path, substitute):
    folder = marsh(tmp_path, [png()] * 2, rename=lambda name: name.replace(":", substitute))
    result, _ = exported(folder, tmp_path, "voc")
    assert (result["written"]["masks"], result["left-out"]) == (2, {})


def test_images_are_found_whose_names_lost_their_colons(tmp_path):
    folder = marsh(tmp_path, [png(), png()])
    lines = [
        {**line(at, f"{at}_2026-03-02T10:00:0{at}.123456.png"), "source-ref": f"s3://x/{name}"}
        for at, name in enumerate(["cam:1?.jpg", "cam 2.jpg"])
    ]
    on_disk.write_manifest(folder, lines)
    images = tmp_path / "copies"
    images.mkdir()
    for name in ("cam_1_.jpg", "cam_2.jpg"):
        (images / name).write_bytes(picture(*GRID.shape))
    result, out = exported(folder, tmp_path, "voc", "--images", images)
    assert result["without-image"] == ["1"]
    assert [path.name for path in (out / "JPEGImages").iterdir()] == ["cam:1?.jpg"]


# The classes' indices as they should be, those in the file, and the colours of these.
SWAPPED = {0: COLORS[0], 1: COLORS[2], 2: COLORS[1], 3: COLORS[3]}
TURNED = {0: COLORS[1], 1: COLORS[2], 2: COLORS[3], 3: COLORS[0]}


@pytest.mark.parametrize("turn", [{1: 2, 2: 1}, {1: 0, 2: 1, 3: 2, 0: 3}], ids=["swap", "turn"])
def test_where_indices_contradict_colours_the_colours_tell_the_classes(tmp_path, turn):
    index = np.array([turn.get(class_id, class_id) for class_id in range(4)], np.uint8)
    painted = {int(index[class_id]): COLORS[class_id] for class_id in range(4)}
    result, out = exported(marsh(tmp_path, [png(index[GRID], painted), png()]), tmp_path, "voc")
    for mask in voc_masks(out):
        np.testing.assert_array_equal(mask, GRID)
    (damage,) = result["damage"]
    assert "0_2026-03-02T10:00:00.123456.png" in damage["file"]
    assert damage["problem"] == "its indices contradict its colours; the colours count"


def test_a_report_looks_at_the_colours_too(tmp_path):
    folder = marsh(tmp_path, [png(np.array([0, 2, 1, 3], np.uint8)[GRID], SWAPPED)])
    job = read_job(find_job(str(folder)), Given(), needs_answers=False)
    mask = read_job_mask(job, job.lines[0].label("marsh-ref"))
    np.testing.assert_array_equal(mask, GRID)
    assert len(job.damage.damages) == 1


@pytest.mark.parametrize(
    ("colors", "palette"),
    [
        pytest.param(COLORS, None, id="no-palette"),
        pytest.param(COLORS, {0: "#000000", 1: "#800000", 2: "#008000", 3: "#808000"}, id="voc"),
        pytest.param({**COLORS, 2: COLORS[1]}, {**COLORS, 2: COLORS[1]}, id="two-of-one-colour"),
        pytest.param({i: c.upper() for i, c in COLORS.items()}, COLORS, id="capitals"),
        pytest.param(COLORS, {**COLORS, 3: "#010203"}, id="one-colour-unknown"),
    ],
)
def test_where_colours_contradict_nothing_the_indices_count(tmp_path, colors, palette):
    result, out = exported(marsh(tmp_path, [png(GRID, palette)], colors), tmp_path, "voc")
    np.testing.assert_array_equal(voc_masks(out)[0], GRID)
    assert (result["damage"], result["left-out"]) == ([], {})


@pytest.mark.parametrize(
    "palette",
    [
        pytest.param({**SWAPPED, 3: "#010203"}, id="a-colour-of-no-class"),
        pytest.param({**SWAPPED, 3: COLORS[1]}, id="one-colour-twice"),
    ],
)
def test_a_mask_whose_colours_do_not_tell_all_classes_is_left_out(tmp_path, palette):
    result, _ = exported(marsh(tmp_path, [png(GRID, palette), png()]), tmp_path, "voc")
    reason = "the mask has a palette that contradicts the label's color map"
    assert result["left-out"] == {reason: ["0"]}
    assert result["written"]["masks"] == 1


@pytest.mark.parametrize("chosen", ["coco", "yolo", "voc", "huggingface"])
def test_a_mask_of_another_size_than_its_image_is_left_out(tmp_path, chosen):
    folder = marsh(tmp_path, [png()] * 3)
    images = tmp_path / "copies"
    images.mkdir()
    for at, scale in enumerate((2, 1)):
        body = picture(GRID.shape[0] * scale, GRID.shape[1] * scale)
        (images / f"{at}.jpg").write_bytes(body)
    result, _ = exported(folder, tmp_path, chosen, "--images", images)
    reason = "the mask has 30 x 4 pixels, its image 60 x 8"
    assert result["left-out"] == {reason: ["0"]}
    assert (result["without-image"], result["written"]["images"]) == (["2"], 1)


@pytest.mark.parametrize(
    ("orientation", "shape", "left_out"),
    [
        pytest.param(6, GRID.shape[::-1], False, id="turned-mask-as-shown"),
        pytest.param(6, GRID.shape, False, id="turned-mask-as-stored"),
        pytest.param(3, GRID.shape[::-1], True, id="upside-down-is-not-turned"),
    ],
)
def test_an_image_on_its_side_has_two_sizes(tmp_path, orientation, shape, left_out):
    images = tmp_path / "copies"
    images.mkdir()
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.new("RGB", shape[::-1]).save(file, "JPEG", exif=exif)
    (images / "0.jpg").write_bytes(file.getvalue())
    result, _ = exported(marsh(tmp_path, [png(), png()]), tmp_path, "voc", "--images", images)
    assert list(result["left-out"].values()) == ([["0"]] if left_out else [])


def test_a_file_that_is_no_mask_is_left_out_with_the_reason(tmp_path):
    photo = encoded(Image.new("RGB", (30, 4)))
    result, _ = exported(marsh(tmp_path, [png(), photo, b"<html>"]), tmp_path, "voc")
    assert result["left-out"] == {
        "the mask is in mode RGB, not one class a pixel": ["1"],
        "the mask is no PNG that can be decoded": ["2"],
    }


def test_yolo_reads_the_images_beside_its_own_file(tmp_path, monkeypatch):
    _, out = exported(marsh(tmp_path, [png()]), tmp_path, "yolo")
    content = yaml.safe_load((out / "data.yaml").read_text())
    # As its readers do: a path that exists counts from the current folder, none from the file's.
    monkeypatch.chdir(tmp_path)
    base = Path(content.get("path", out))
    assert content["names"] == {0: "reed", 1: "heron", 2: "moss"}
    for part in ("train", "val"):
        assert (base / content[part]).parent.name == "images"
        assert (base / content[part].replace("images", "labels")).is_dir()


def test_what_was_written_is_counted_in_words(tmp_path):
    for masks, expected in (([png()], "1 mask  "), ([png()] * 2, "2 masks  ")):
        folder = marsh(tmp_path / f"{len(masks)}", masks)
        outcome = run(export, folder, "--format", "voc", "-o", tmp_path / f"out{len(masks)}")
        assert expected in outcome.output
