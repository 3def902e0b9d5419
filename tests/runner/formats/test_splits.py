"""Exports divided into parts for training, validation and testing."""

import csv
import json
from collections import Counter

import datasets
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import coco

from labeljob.commands.export import export
from labeljob.formats.splits import parse_shares, split_images
from labeljob.jobs.description import JobError
from tests.runner.command_line import run
from tests.runner.formats.conftest import picture
from tests.runner.history import job_folders as on_disk

SHARES = (0.6, 0.2, 0.2)
PARTS = ("train", "val", "test")


def divide(classes, seed=0, **options):
    return split_images(classes, SHARES, np.random.default_rng(seed), **options)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5), st.integers(1, 60))
def test_groups_stay_together_and_a_seed_decides(names, seed, n_groups):
    classes = np.eye(4, dtype=bool)[names]
    groups = [at % n_groups for at in range(len(names))]
    parts = divide(classes, seed, groups=groups)
    np.testing.assert_array_equal(parts, divide(classes, seed, groups=groups))
    assert all(len(set(parts[np.array(groups) == group])) == 1 for group in set(groups))
    assert len(set(parts)) == min(len(SHARES), len(set(groups)))


@pytest.mark.parametrize("seed", range(3))
def test_each_part_gets_its_share_of_every_class(seed):
    names = np.random.default_rng(seed).permutation([0] * 500 + [1] * 50 + [2] * 10)
    parts = divide(np.eye(3, dtype=bool)[names], seed)
    for name in range(3):
        counts = np.bincount(parts[names == name], minlength=3)
        np.testing.assert_allclose(counts, np.array(SHARES) * (names == name).sum(), atol=0.51)


def test_each_part_gets_its_share_of_every_class_of_label_sets_in_groups():
    rng = np.random.default_rng(1)
    classes = rng.random((2000, 6)) < [0.5, 0.3, 0.2, 0.1, 0.05, 0.02]
    groups = rng.integers(0, 400, 2000).tolist()
    parts = divide(classes, groups=groups)
    shares = np.array([classes[parts == part].sum(axis=0) for part in range(3)]) / classes.sum(0)
    np.testing.assert_allclose(shares, np.array(SHARES)[:, None] + np.zeros(6), atol=0.03)
    np.testing.assert_allclose(np.bincount(parts) / 2000, SHARES, atol=0.01)


def test_another_seed_divides_otherwise():
    classes = np.eye(2, dtype=bool)[[0, 1] * 50]
    assert (divide(classes, 0) != divide(classes, 1)).any()


@pytest.mark.parametrize("text", ["", "80", "80,20,0", "80,x", "1,1,1,1", "80,-5", "nan,1"])
def test_what_is_no_ratio_is_refused(text):
    with pytest.raises(JobError, match="such as 80,10,10"):
        parse_shares(text)


N_IMAGES = 20


@pytest.fixture
def kennel(tmp_path):
    """A single-label job with 20 images of 5 owners; half of them are cats."""
    copies = tmp_path / "copies"
    copies.mkdir()
    lines = []
    for at in range(N_IMAGES):
        (copies / f"{at}.jpg").write_bytes(picture(8, 8))
        lines.append({**on_disk.builtin_line(at, ("cat", "dog")[at % 2]), "owner": f"o{at // 4}"})
    folder = tmp_path / "bucket" / "kennel"
    on_disk.write_manifest(folder, lines)
    return folder, copies


def exported(kennel, chosen, out, *options):
    folder, copies = kennel
    outcome = run(
        export,
        *(folder, "--format", chosen, "-o", out, "--images", copies, "--labels", "cat,dog"),
        *("--split", "3,1,1", "--json", *options),
    )
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def test_formats_for_training_have_the_same_parts(kennel, tmp_path):
    result = exported(kennel, "csv", tmp_path / "csv")
    assert result["split"] == {"train": 12, "val": 4, "test": 4}
    rows = list(csv.DictReader((tmp_path / "csv" / "labels.csv").read_text().splitlines()))
    counts = Counter((row["split"], row["labels"]) for row in rows)
    assert {*counts.values()} == {6, 2}
    assert [row["confidence"] for row in rows] == ["0.95"] * N_IMAGES
    parts = {row["file"].rpartition("/")[2]: row["split"] for row in rows}

    exported(kennel, "imagefolder", tmp_path / "folders")
    files = (tmp_path / "folders").rglob("*.jpg")
    assert {file.name: file.parts[-3] for file in files} == parts

    exported(kennel, "coco", tmp_path / "coco")
    for part in PARTS:
        read = coco.COCO(tmp_path / "coco" / f"{part}.json")
        names = {image["file_name"] for image in read.loadImgs(read.getImgIds())}
        assert names == {name for name, own in parts.items() if own == part}
        assert len(read.getAnnIds()) == len(names)

    exported(kennel, "huggingface", tmp_path / "hf")
    read = datasets.load_from_disk(str(tmp_path / "hf"))
    assert {
        source.rpartition("/")[2]: part for part, rows in read.items() for source in rows["source"]
    } == parts


@pytest.mark.parametrize("chosen", ["imagefolder", "fiftyone"])
def test_parts_count_the_images_that_are_there(kennel, tmp_path, chosen):
    for number in (3, 8):
        (kennel[1] / f"{number}.jpg").unlink()
    result = exported(kennel, chosen, tmp_path / "out")
    assert sum(result["split"].values()) == result["written"]["images"] == N_IMAGES - 2


def test_masks_of_parts(harbour, images, tmp_path):
    folder, manifest, _ = harbour
    more = ("--labels", "water,boat,quay", "--split", "1,1", "--images", images)
    for chosen in ("yolo", "voc"):
        out = tmp_path / chosen
        options = ("--format", chosen, "--manifest", manifest, "-o", out, *more)
        outcome = run(export, folder, *options)
        assert outcome.exit_code == 0, outcome.output
    data = yaml.safe_load((tmp_path / "yolo" / "data.yaml").read_text())
    assert (data["train"], data["val"]) == ("images/train", "images/val")
    lists = tmp_path / "voc" / "ImageSets" / "Segmentation"
    stems = {name: (lists / f"{name}.txt").read_text().split() for name in ("train", "val")}
    for part, (stem,) in stems.items():
        assert (tmp_path / "yolo" / "images" / part / f"{stem}.jpg").is_file()
        assert (tmp_path / "yolo" / "labels" / part / f"{stem}.txt").is_file()
    assert sorted((lists / "trainval.txt").read_text().split()) == sorted(
        [*stems["train"], *stems["val"]]
    )


def test_what_a_key_of_the_manifest_says_stays_together(kennel, tmp_path):
    exported(kennel, "csv", tmp_path / "out", "--group-by", "owner", "--seed", "3")
    rows = csv.DictReader((tmp_path / "out" / "labels.csv").read_text().splitlines())
    parts = {(int(row["object_id"]) // 4, row["split"]) for row in rows}
    assert len(parts) == len({owner for owner, _ in parts}) == 5


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(("--split", "9"), "such as 80,10,10", id="no-ratio"),
        pytest.param(("--group-by", "owner"), "goes with --split", id="no-split"),
        pytest.param(("--split", "1,1", "--group-by", "cage"), "has this key", id="no-key"),
        pytest.param(
            ("--split", "1,1,1", "--group-by", "folder"), "too few groups", id="too-few-groups"
        ),
        pytest.param(("--split", "1,1", "--format", "cvat"), "cvat has no parts", id="tool"),
        pytest.param(("--prefix", "/data/"), "labelstudio and cvat", id="prefix"),
    ],
)
def test_what_cannot_be_divided_is_said_in_one_line(kennel, tmp_path, options, expected):
    folder, _ = kennel
    formats = () if "--format" in options else ("--format", "csv")
    outcome = run(export, folder, *formats, "-o", tmp_path / "out", *options)
    assert outcome.exit_code == 1
    assert expected in outcome.output
    assert not (tmp_path / "out").exists()


def test_a_seed_below_0_is_none(kennel, tmp_path):
    options = ("--format", "csv", "--split", "1,1", "--seed", "-1", "-o", tmp_path / "out")
    outcome = run(export, kennel[0], *options)
    assert outcome.exit_code == 2
    assert "--seed" in outcome.output
