"""Exports read by the packages of the tools that they are for, and back again."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeljob.commands.export import export
from labeljob.commands.import_ import import_command
from labeljob.history.job import Given, read_annotations, read_job
from labeljob.jobs.job_location import find_job
from tests.runner.command_line import run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".tools" / "exchange" / "bin" / "python"
READERS = Path(__file__).with_name("foreign_readers.py")
LABELS = "water,boat,quay"


@pytest.fixture
def read(tmp_path):
    """Call readers in the tools' environment, all in one process."""
    if not PYTHON.exists():
        pytest.skip("needs `make .tools/exchange/.installed`")

    def call(*calls):
        home = tmp_path / "home"  # FiftyOne and Label Studio keep settings there
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [PYTHON, READERS],
            input=json.dumps(calls, default=str),
            capture_output=True,
            text=True,
            env={"HOME": str(home), "FIFTYONE_DO_NOT_TRACK": "1"},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return call


def exported(job, chosen, out, *options):
    outcome = run(export, job, "--format", chosen, "-o", out, *options)
    assert outcome.exit_code == 0, outcome.output
    return out


def imported(tool, file, store, *options):
    outcome = run(import_command, file, "--from", tool, "-o", store, "--json", *options)
    assert outcome.exit_code == 0, outcome.output
    return read_job(find_job(json.loads(outcome.stdout)["job"]), Given())


def test_fiftyone_and_datumaro_read_labels_and_masks(read, zoo, scenes, harbour, images, tmp_path):
    copies = ("--images", images)
    jobs = {
        "one": (zoo, *copies, "--split", "2,1"),
        "sets": (scenes[0], "--manifest", scenes[1], "--labels", "eel,cat,dog", *copies),
        "masks": (harbour[0], "--manifest", harbour[1], "--labels", LABELS, *copies),
    }
    calls = []
    for name, (job, *options) in jobs.items():
        for chosen in ("fiftyone", "datumaro"):
            out = exported(job, chosen, tmp_path / f"{name}-{chosen}", *options)
            calls.append((f"read_{chosen}", out, *(["datumaro"] if chosen == "datumaro" else [])))
    fo_one, dm_one, fo_sets, dm_sets, fo_masks, dm_masks = read(*calls)

    labels = {name: sample["labels"] for name, sample in fo_one["samples"].items()}
    assert labels == {f"{at}.jpg": [[c, 0.95]] for at, c in enumerate(("cat", "dog", "dog"))}
    assert all(sample["there"] for sample in fo_one["samples"].values())
    tags = {name.removesuffix(".jpg"): s["tags"] for name, s in fo_one["samples"].items()}
    assert tags == {name: [item["subset"]] for name, item in dm_one["items"].items()}
    assert sorted(tags.values()) == [["train"], ["train"], ["val"]]
    assert {name: item["labels"] for name, item in dm_one["items"].items()} == {
        "0": ["cat"],
        "1": ["dog"],
        "2": ["dog"],
    }
    assert dm_one["items"]["0"]["confidences"] == [0.95]
    assert dm_one["items"]["0"]["shape"] == [56, 64]

    (sample,), (item,) = fo_sets["samples"].values(), dm_sets["items"].values()
    assert sample["kind"] == "Classifications"
    assert {name for name, _ in sample["labels"]} == {*item["labels"]} == {"cat", "dog"}
    assert fo_sets["info"]["default_classes"] == dm_sets["names"] == ["eel", "cat", "dog"]

    targets = {"1": "water", "2": "boat", "3": "quay"}
    assert fo_masks["info"]["mask_targets"] == {"ground_truth": targets}
    for at in range(2):
        mask = harbour[2][f"s3://images/{at}.jpg"]
        np.testing.assert_array_equal(fo_masks["samples"][f"{at}.jpg"]["mask"], mask)
        np.testing.assert_array_equal(dm_masks["items"][str(at)]["mask"], mask)


def masks_of(job):
    """The answers of the first worker, by the image's name."""
    return {obj.source.rpartition("/")[2]: obj.choices[0] for obj in read_annotations(job)}


def test_masks_go_to_label_studio_and_cvat_and_back(read, harbour, images, tmp_path):
    folder, manifest, masks = harbour
    options = ("--manifest", manifest, "--labels", LABELS, "--images", images)
    tasks = exported(folder, "labelstudio", tmp_path / "ls", *options, "--prefix", "/data/x/")
    shapes = exported(folder, "cvat", tmp_path / "cvat", *options)
    items = exported(folder, "datumaro", tmp_path / "dm", *options)
    (tmp_path / "dm-cvat").mkdir()
    predictions, of_sdk, of_datumaro, _, _ = read(
        ("read_labelstudio", tasks),
        ("read_cvat_masks", shapes / "annotations.xml"),
        ("read_datumaro", shapes, "cvat"),
        ("write_labelstudio", tasks, tmp_path / "project.json"),
        ("write_cvat", items, tmp_path / "dm-cvat"),
    )
    expected = {f"{at}.jpg": masks[f"s3://images/{at}.jpg"] for at in range(2)}
    for task in predictions:
        assert task["fits"]
        np.testing.assert_array_equal(task["mask"], expected[task["data"]["image"][-5:]])
    for name, mask in expected.items():
        np.testing.assert_array_equal(of_sdk[name], mask)
        np.testing.assert_array_equal(of_datumaro["items"][name[0]]["mask"], mask)

    back = imported("labelstudio", tmp_path / "project.json", tmp_path / "a", "--labels", LABELS)
    (file,) = (tmp_path / "dm-cvat").glob("*.xml")
    again = imported("cvat", file, tmp_path / "b", "--labels", LABELS)
    for job in (back, again):
        for name, choices in masks_of(job).items():
            np.testing.assert_array_equal(choices.reshape(expected[name].shape), expected[name])


def test_labels_go_to_label_studio_and_cvat_and_back(read, zoo, scenes, images, tmp_path):
    sets = (scenes[0], "--manifest", scenes[1], "--labels", "eel,cat,dog", "--images", images)
    jobs = {"one": (zoo, "--images", images), "sets": sets}
    calls = []
    for name, (job, *options) in jobs.items():
        tasks = exported(job, "labelstudio", tmp_path / f"{name}-ls", *options)
        shapes = exported(job, "cvat", tmp_path / f"{name}-cvat", *options)
        calls.append(("read_labelstudio", tasks))
        calls.append(("read_datumaro", shapes, "cvat"))
        calls.append(("write_labelstudio", tasks, tmp_path / f"{name}.json"))
    one, one_cvat, _, several, several_cvat, _ = read(*calls)
    assert [(task["labels"], task["score"], task["fits"]) for task in one] == [
        (["cat"], 0.95, True),
        (["dog"], 0.95, True),
        (["dog"], 0.95, True),
    ]
    assert [item["labels"] for item in one_cvat["items"].values()] == [["cat"], ["dog"], ["dog"]]
    assert [task["labels"] for task in several] == [["cat", "dog"]]
    assert [sorted(item["labels"]) for item in several_cvat["items"].values()] == [["cat", "dog"]]
    for name, expected in (("one", ["cat", "dog", "dog"]), ("sets", [["cat", "dog"]])):
        job = imported("labelstudio", tmp_path / f"{name}.json", tmp_path / name)
        labels = [[one.name for one in line.label(job.attribute).classes] for line in job.lines]
        assert labels == [names if isinstance(names, list) else [names] for names in expected]
        shapes = tmp_path / f"{name}-cvat" / "annotations.xml"
        job = imported("cvat", shapes, tmp_path / f"{name}-again")
        assert [
            [one.name for one in line.label(job.attribute).classes] for line in job.lines
        ] == labels
        with Image.open(shapes.parent / "images" / "0.jpg") as image:
            assert image.size == (64, 56)
