"""Labels as pre-annotations, back in the project that the answers came from."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from labeljob.commands.export import export
from labeljob.commands.import_ import import_command
from labeljob.commands.report import report
from labeljob.formats.imports.labelstudio import draw_brush
from labeljob.formats.tools.cvat import is_below
from labeljob.formats.tools.labelstudio import encode_brush
from tests.runner.command_line import run
from tests.runner.formats.conftest import picture
from tests.runner.formats.foreign_files import annotation, choice, cvat, labelstudio

pytestmark = pytest.mark.slow


def result_of(command, *arguments):
    outcome = run(command, *arguments)
    assert outcome.exit_code == 0, outcome.output
    return outcome


@pytest.fixture
def folder(tmp_path):
    """A folder with photographs below it."""
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    for name in ("0.jpg", "tea cup.jpg", "sub/2.jpg"):
        (tmp_path / "photos" / name).write_bytes(picture(8, 8))
    return tmp_path


def test_unsure_labels_go_back_to_their_project_in_label_studio(folder):
    addresses = (
        "/data/upload/1/0a1b2c3d-0.jpg",
        "/data/upload/1/4e5f6071-tea_cup.jpg",
        "/data/local-files/?d=photos/sub/2.jpg",
    )
    said = (("owl", "owl"), ("owl", "crow"), ())
    tasks = [
        {
            "id": number,
            "data": {"photo": address},
            "annotations": [
                annotation(2 * number + who, who, choice(name)) for who, name in enumerate(names)
            ],
        }
        for number, (address, names) in enumerate(zip(addresses, said, strict=True))
    ]
    file = labelstudio(folder / "birds.json", *tasks)
    store = folder / "store"
    arguments = (file, "--from", "labelstudio", "-o", store, "--json")
    made = json.loads(result_of(import_command, *arguments).stdout)
    assert made["images"] == str(folder / "photos")

    out = folder / "back"
    result_of(export, made["job"], "--format", "labelstudio", "--below", "0.7", "-o", out)
    unsure, unlabeled = json.loads((out / "tasks.json").read_text())
    assert [task["data"]["photo"] for task in (unsure, unlabeled)] == [*addresses[1:]]
    assert unlabeled["predictions"] == []
    (prediction,) = unsure["predictions"]
    (item,) = prediction["result"]
    assert (item["from_name"], item["to_name"], item["type"]) == ("kind", "image", "choices")
    assert prediction["score"] < 0.7
    view = ET.parse(out / "label_config.xml").getroot()
    assert view.find("Image").get("value") == "$photo"
    assert [one.get("value") for one in view.find("Choices")] == made["labels"]
    copies = {path.name for path in (out / "images").iterdir()}
    assert copies == {"4e5f6071-tea_cup.jpg", "2.jpg"}

    page = folder / "page.html"
    result_of(report, made["job"], "-o", page)
    assert page.read_text().count("data:image/") >= len(addresses)


def test_images_keep_the_names_that_cvat_has_for_them(folder):
    about = 'width="8" height="8"'
    files = [
        cvat(
            folder / f"{who}.xml",
            f'<image id="0" name="0.jpg" {about}><tag label="cat"/></image>'
            f'<image id="1" name="sub/2.jpg" {about}><tag label="{name}"/></image>',
            who=who,
        )
        for who, name in (("ann", "cat"), ("bob", "dog"))
    ]
    prefix = ("--prefix", "s3://my-bucket/")
    arguments = (*files, "--from", "cvat", *prefix, "-o", folder / "store", "--json")
    made = json.loads(result_of(import_command, *arguments).stdout)
    out = folder / "back"
    result_of(export, made["job"], "--format", "cvat", "-o", out)
    images = ET.parse(out / "annotations.xml").getroot().findall("image")
    assert [(one.get("name"), one.get("width")) for one in images] == [
        ("0.jpg", "8"),
        ("sub/2.jpg", "8"),
    ]
    assert (out / "images" / "sub" / "2.jpg").is_file()
    assert json.loads((out / "labels.json").read_text()) == [
        {"name": name, "type": "tag", "attributes": []} for name in ("cat", "dog")
    ]
    assert made["labels"] == ["cat", "dog"]


def test_of_a_job_from_elsewhere_the_copies_are_named(zoo, images, tmp_path):
    out = tmp_path / "tasks"
    options = ("--format", "labelstudio", "--images", images)
    result_of(export, zoo, *options, "-o", out)
    tasks = json.loads((out / "tasks.json").read_text())
    assert [task["data"]["image"] for task in tasks] == [f"s3://images/{at}.jpg" for at in range(3)]
    outcome = result_of(export, zoo, *options, "-o", tmp_path / "again", "--prefix", "/data/x/")
    tasks = json.loads((tmp_path / "again" / "tasks.json").read_text())
    assert tasks[0]["data"]["image"] == "/data/x/0.jpg"
    assert "LOCAL_FILES" not in outcome.output


@pytest.mark.parametrize("seed", range(4))
def test_a_brush_is_read_as_it_was_written(seed):
    rng = np.random.default_rng(seed)
    region = rng.random((seed * 90 + 1, 400)) < rng.random()
    np.testing.assert_array_equal(draw_brush(encode_brush(region), region.shape), region)


@pytest.mark.parametrize("name", ["../1.jpg", "/1.jpg", "s3://bucket/1.jpg", ""])
def test_no_image_is_written_outside_of_the_export(name):
    assert not is_below(name)
