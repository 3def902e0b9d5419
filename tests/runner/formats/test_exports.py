"""Labels in other formats, read back by the libraries that users read them with."""

import json

import datasets
import numpy as np
import pytest
from PIL import Image
from pycocotools import coco

from labeljob.commands.export import export
from labeljob.formats.polygons import painted, polygons_of
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

SOURCE = "s3://images/{}.jpg"


def exported(job, chosen, out, *options):
    outcome = run(export, job, "--format", chosen, "-o", out, "--json", *options)
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def harbour_options(harbour, images):
    _, manifest, _ = harbour
    return ("--manifest", manifest, "--images", images, "--labels", "water,boat,quay")


# pycocotools itself reads arrays in a way that NumPy 2 warns of.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_regions_are_the_masks(harbour, images, tmp_path):
    folder, _, masks = harbour
    exported(folder, "coco", tmp_path / "out", *harbour_options(harbour, images))
    found = coco.COCO(tmp_path / "out" / "annotations.json")
    assert [one["name"] for one in found.loadCats(found.getCatIds())] == ["water", "boat", "quay"]
    for image in found.loadImgs(found.getImgIds()):
        mask = masks[image["coco_url"]]
        made = np.zeros_like(mask)
        for annotation in found.loadAnns(found.getAnnIds(imgIds=image["id"])):
            region = found.annToMask(annotation).astype(bool)
            assert annotation["area"] == region.sum()
            made[region] = annotation["category_id"]
        np.testing.assert_array_equal(made, mask)
        with Image.open(tmp_path / "out" / "images" / image["file_name"]) as copy:
            assert copy.size == (image["width"], image["height"])


def test_coco_of_whole_images_has_the_image_as_its_box(scenes, images, tmp_path):
    folder, manifest = scenes
    options = ("--manifest", manifest, "--images", images, "--labels", "eel,cat,dog")
    exported(folder, "coco", tmp_path / "out", *options)
    found = coco.COCO(tmp_path / "out" / "annotations.json")
    annotations = found.loadAnns(found.getAnnIds())
    names = [found.loadCats(one["category_id"])[0]["name"] for one in annotations]
    assert sorted(names) == ["cat", "dog"]
    assert annotations[0]["bbox"] == [0, 0, 64, 56]


def test_yolo_polygons_paint_the_mask_again(harbour, images, tmp_path):
    folder, _, masks = harbour
    exported(folder, "yolo", tmp_path / "out", *harbour_options(harbour, images))
    for at in range(2):
        mask = masks[SOURCE.format(at)]
        made = np.zeros_like(mask)
        for line in (tmp_path / f"out/labels/train/{at}.txt").read_text().splitlines():
            index, *numbers = line.split()
            corners = np.array(numbers, dtype=float).reshape(-1, 2)
            assert ((corners >= 0) & (corners <= 1)).all()
            points = corners[:, ::-1] * mask.shape
            made[painted(points, mask.shape)] = int(index) + 1
        for index in np.unique(mask):
            both = ((mask == index) & (made == index)).sum()
            either = ((mask == index) | (made == index)).sum()
            assert both / either > 0.97


@pytest.mark.parametrize("seed", range(4))
def test_polygons_keep_holes_islands_and_edges(seed):
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(80, 120)), 3)
    region = noise > 0
    region[30:50, 40:60] = True
    region[35:45, 45:55] = False
    region[39:41, 49:51] = True
    made = np.zeros_like(region)
    for points in polygons_of(region):
        made ^= painted(points, region.shape)
    assert (made & region).sum() / (made | region).sum() > 0.98


def test_voc_pixels_are_the_classes_under_the_voc_palette(harbour, images, tmp_path):
    folder, _, masks = harbour
    exported(folder, "voc", tmp_path / "out", *harbour_options(harbour, images))
    stems = (tmp_path / "out/ImageSets/Segmentation/trainval.txt").read_text().split()
    assert stems == ["0", "1"]
    for stem in stems:
        with Image.open(tmp_path / f"out/SegmentationClass/{stem}.png") as image:
            assert image.mode == "P"
            assert image.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
            np.testing.assert_array_equal(np.array(image), masks[SOURCE.format(stem)])
        assert (tmp_path / f"out/JPEGImages/{stem}.jpg").is_file()


def test_imagefolder_has_a_folder_for_each_class(zoo, images, tmp_path):
    (images / "2.jpg").unlink()
    result = exported(zoo, "imagefolder", tmp_path / "out", "--images", images)
    found = sorted(path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.jpg"))
    assert [str(path) for path in found] == ["cat/0.jpg", "dog/1.jpg"]
    assert result["left-out"] == {"the image cannot be read": ["2"]}


def test_a_hugging_face_dataset_of_classes(zoo, images, tmp_path):
    exported(zoo, "huggingface", tmp_path / "out", "--images", images)
    found = datasets.load_from_disk(str(tmp_path / "out"))
    names = found.features["label"].names
    assert [names[label] for label in found["label"]] == ["cat", "dog", "dog"]
    assert found[0]["image"].size == (64, 56)
    assert found["source"][2] == SOURCE.format(2)


def test_a_hugging_face_dataset_of_masks_and_of_label_sets(harbour, scenes, images, tmp_path):
    folder, _, masks = harbour
    with_options = harbour_options(harbour, images)
    exported(folder, "huggingface", tmp_path / "masks", *with_options)
    found = datasets.load_from_disk(str(tmp_path / "masks"))
    np.testing.assert_array_equal(np.array(found[1]["mask"]), masks[found[1]["source"]])
    folder, manifest = scenes
    options = ("--manifest", manifest, "--labels", "eel,cat,dog")
    result = exported(folder, "huggingface", tmp_path / "sets", *options)
    assert result["without-image"] == ["0"]
    found = datasets.load_from_disk(str(tmp_path / "sets"))
    assert (sorted(found[0]["labels"]), found[0]["image"]) == ([1, 2], None)


def test_what_is_left_out_is_told_with_the_reason(zoo, tmp_path):
    lines = [on_disk.builtin_line(0, "cat"), on_disk.builtin_line(1, "dog", confidence=0.4)]
    on_disk.write_manifest(zoo, [*lines, {"source-ref": SOURCE.format(2)}])
    result = exported(zoo, "coco", tmp_path / "out", "--above", "0.5")
    assert result["left-out"] == {"confidence below 0.5": ["1"], "no label": ["2"]}
    assert result["without-image"] == ["0"]
    assert "give --images" in result["notes"][0]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param("yolo", "yolo is for masks", id="yolo"),
        pytest.param("voc", "voc is for masks", id="voc"),
        pytest.param("imagefolder", "not one image can be read", id="no-images"),
        pytest.param("fiftyone", "not one image can be read", id="no-samples"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(zoo, tmp_path, chosen, expected):
    outcome = run(export, zoo, "--format", chosen, "-o", tmp_path / "out")
    assert outcome.exit_code == 1
    assert expected in outcome.output


def test_nothing_to_export_is_said_and_nothing_written(zoo, tmp_path):
    outcome = run(export, zoo, "--format", "huggingface", "-o", tmp_path / "out", "--above", "1")
    assert outcome.exit_code == 1
    assert "nothing to export: confidence below 1.0" in outcome.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_stays_as_it_is(zoo, tmp_path):
    kept = on_disk.write(tmp_path / "out" / "notes.txt", "mine")
    outcome = run(export, zoo, "--format", "coco", "-o", tmp_path / "out")
    assert outcome.exit_code == 1
    assert "not an empty folder" in outcome.output
    assert kept.read_text() == "mine"
