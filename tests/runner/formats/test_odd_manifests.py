"""Labels without a confidence, halves of surrogate pairs, and manifests of several jobs."""

import json
from xml.etree import ElementTree as ET

import datasets
import pandas as pd
import pytest
import yaml

from labeljob.commands.export import export
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.commands.tables import tables
from tests.runner.command_line import run
from tests.runner.formats.test_exported_masks import NAMES, OUTPUT, line, png
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

HALF = "\ud83d"
ESCAPED = "\\ud83d"


def export_all(job, tmp_path, formats, *options):
    """What each format says of the job, and its folder."""
    told = {}
    for name in formats:
        arguments = ("--format", name, "-o", tmp_path / name, *options)
        outcome = run(export, job, *arguments, "--json")
        assert outcome.exit_code == 0, (name, outcome.output, outcome.exception)
        told[name] = json.loads(outcome.stdout)
        assert told[name]["left-out"] == {}
    return told


def masks_of(tmp_path, change):
    """A segmentation job of two images, whose lines are changed."""
    folder = tmp_path / "bucket" / "marsh"
    (folder / OUTPUT).mkdir(parents=True)
    lines = [line(at, f"{at}.png") for at in range(2)]
    for at, content in enumerate(lines):
        (folder / OUTPUT / f"{at}.png").write_bytes(png())
        change(content)
    on_disk.write_manifest(folder, lines)
    return folder


def without_confidences(folder, names):
    lines = [on_disk.builtin_line(at, name) for at, name in enumerate(names)]
    for content in lines:
        del content["animal-metadata"]["confidence"]
    on_disk.write_manifest(folder, lines)


def test_labels_without_a_confidence_go_to_every_format(zoo, images, tmp_path):
    without_confidences(zoo, ["cat", "dog", "dog"])
    formats = ("coco", "imagefolder", "huggingface")
    export_all(zoo, tmp_path, formats, "--images", images)
    content = json.loads((tmp_path / "coco/annotations.json").read_text())
    assert [one["confidence"] for one in content["annotations"]] == [None] * 3
    assert len(list((tmp_path / "imagefolder/dog").iterdir())) == 2
    rows = datasets.load_from_disk(str(tmp_path / "huggingface"))
    assert (rows["confidence"][:], rows["label"][:]) == ([None] * 3, [0, 1, 1])
    outcome = run(export, zoo, "--format", "coco", "-o", tmp_path / "sure", "--above", "0.5")
    assert "nothing to export: no confidence" in outcome.output


def test_sets_of_labels_without_a_confidence_go_to_every_format(scenes, tmp_path):
    folder, manifest = scenes
    (content,) = map(json.loads, (manifest.parent / "builtin.manifest").read_text().splitlines())
    content["label-metadata"].pop("confidence-map")
    on_disk.write_manifest(folder, [content])
    export_all(folder, tmp_path, ("coco", "huggingface"), "--labels", "eel,cat,dog")
    rows = datasets.load_from_disk(str(tmp_path / "huggingface"))
    assert rows[0]["labels"] == [1, 2]
    assert rows[0]["confidences"] == [None, None]


def test_masks_without_a_confidence_go_to_every_format(tmp_path):
    folder = masks_of(tmp_path, lambda content: content)
    formats = ("coco", "yolo", "voc", "huggingface")
    told = export_all(folder, tmp_path, formats)
    assert all(result["classes"] == ["reed", "heron", "moss"] for result in told.values())
    assert datasets.load_from_disk(str(tmp_path / "huggingface"))["confidence"][:] == [None] * 2


def test_report_and_tables_take_labels_without_a_confidence(zoo, tmp_path):
    without_confidences(zoo, ["cat", "dog", "dog"])
    outcome = run(report, zoo, "-o", tmp_path / "page.html", "--json")
    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    assert "nan" not in (tmp_path / "page.html").read_text().lower().replace("dominan", "")
    assert run(tables, zoo, "-o", tmp_path / "t").exit_code == 0
    objects = pd.read_parquet(tmp_path / "t/objects.parquet")
    assert objects.labels.map(list).tolist() == [["cat"], ["dog"], ["dog"]]
    assert objects.confidence.isna().all()


@pytest.fixture
def halved(tmp_path):
    """A job whose class, files and workers have half of a surrogate pair in their names."""
    folder = tmp_path / "bucket" / "zoo"
    names, lines = [f"cat{HALF}", "dog"], []
    for at in range(3):
        said = on_disk.chosen(names[at % 2])
        answers = {f"ann{HALF}": said, "bob": said}
        on_disk.write(on_disk.response_path(folder, str(at)), on_disk.response(answers))
        content = on_disk.builtin_line(at, ["cat", "dog"][at % 2])
        content["animal-metadata"]["class-name"] = names[at % 2]
        lines.append({**content, "source-ref": f"s3://images/{at}{HALF}.jpg"})
    on_disk.write_manifest(folder, lines)
    return folder


def test_halves_of_characters_go_to_every_format_as_their_escapes(halved, tmp_path):
    export_all(halved, tmp_path, ("coco", "huggingface", "csv", "cvat", "datumaro", "labelstudio"))
    content = json.loads((tmp_path / "coco/annotations.json").read_text())
    assert content["categories"][0]["name"] == f"cat{ESCAPED}"
    assert [one["file_name"] for one in content["images"]] == [f"{at}{ESCAPED}.jpg" for at in "012"]
    rows = datasets.load_from_disk(str(tmp_path / "huggingface"))
    assert rows.features["label"].names[0] == f"cat{ESCAPED}"
    assert rows["source"][:] == [f"s3://images/{at}{ESCAPED}.jpg" for at in "012"]
    outcome = run(export, halved, "--format", "imagefolder", "-o", tmp_path / "folders")
    assert (outcome.exit_code, "not one image can be read" in outcome.output) == (1, True)


def test_classes_with_half_a_character_have_a_folder(halved, tmp_path):
    texts = (
        (halved / "manifests/output/output.manifest").read_text().replace(f"{ESCAPED}.jpg", ".jpg")
    )
    on_disk.write(halved / "manifests/output/output.manifest", texts)
    images = tmp_path / "copies"
    images.mkdir()
    for at in range(3):
        (images / f"{at}.jpg").write_bytes(b"an image")
    export_all(halved, tmp_path, ("imagefolder",), "--images", images)
    folders = {
        path.name: len(list(path.glob("*.jpg"))) for path in (tmp_path / "imagefolder").iterdir()
    }
    assert folders["cat%5Cud83d"] == 2
    assert f"cat%5Cud83d\tcat{ESCAPED}" in (tmp_path / "imagefolder/classes.txt").read_text()


def test_masks_with_halves_of_characters_go_to_every_format(tmp_path, monkeypatch):
    monkeypatch.setitem(NAMES, 1, f"reed{HALF}")

    def change(content):
        content["source-ref"] = content["source-ref"].replace(".jpg", f"{HALF}.jpg")

    folder = masks_of(tmp_path, change)
    formats = ("coco", "yolo", "voc", "huggingface")
    told = export_all(folder, tmp_path, formats)
    assert {tuple(result["classes"]) for result in told.values()} == {
        (f"reed{ESCAPED}", "heron", "moss")
    }
    assert yaml.safe_load((tmp_path / "yolo/data.yaml").read_text())["names"][0] == f"reed{ESCAPED}"
    assert f"reed{ESCAPED}" in (tmp_path / "voc/classes.txt").read_text().splitlines()
    assert len(list((tmp_path / "voc/SegmentationClass").iterdir())) == 2


def test_tables_report_and_replay_take_halves_of_characters(halved, tmp_path):
    assert run(tables, halved, "-o", tmp_path / "t").exit_code == 0
    objects = pd.read_parquet(tmp_path / "t/objects.parquet")
    assert objects.labels.map(list).tolist() == [[f"cat{ESCAPED}"], ["dog"], [f"cat{ESCAPED}"]]
    assert objects.source.tolist() == [f"s3://images/{at}{ESCAPED}.jpg" for at in "012"]
    assert len(pd.read_csv(tmp_path / "t/answers.csv")) == 6
    assert len(pd.read_csv(tmp_path / "t/workers.csv")) == 2
    for options in (("-o", tmp_path / "page.html", "--json"), ("-o", "-")):
        outcome = run(report, halved, *options)
        assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    assert f"cat{ESCAPED}" in outcome.stdout
    outcome = run(replay, halved, "-o", tmp_path / "again", "--json")
    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    written = [
        json.loads(one) for one in (tmp_path / "again/object.manifest").read_text().splitlines()
    ]
    assert [one["source-ref"] for one in written] == [f"s3://images/{at}{HALF}.jpg" for at in "012"]


def test_an_image_whose_name_no_disk_can_hold_is_left_without_a_copy(halved, tmp_path):
    (halved.parents[1] / ".labeling-jobs").mkdir()
    told = export_all(halved, tmp_path, ("coco",), "--attribute", "animal")
    assert told["coco"]["without-image"] == ["0", "1", "2"]


def rename(job, *sources):
    """Give the data objects of a job other images."""
    path = job / "manifests/output/output.manifest"
    lines = map(json.loads, path.read_text().splitlines())
    lines = [{**line, "source-ref": name} for line, name in zip(lines, sources, strict=True)]
    on_disk.write_manifest(job, lines)


def test_no_two_images_have_a_name(zoo, tmp_path):
    rename(zoo, "s3://images/2_x.jpg", "s3://images/x.jpg", "s3://images/sub/x.jpg")
    export_all(zoo, tmp_path, ("datumaro",))
    content = json.loads((tmp_path / "datumaro/annotations/default.json").read_text())
    assert [item["id"] for item in content["items"]] == ["2_x", "x", "2_2_x"]


def test_tasks_have_what_is_almost_an_address_as_it_is(zoo, tmp_path):
    rename(zoo, "http://[x", "s3://images/1.jpg", "2.jpg")
    export_all(zoo, tmp_path, ("labelstudio",))
    tasks = json.loads((tmp_path / "labelstudio/tasks.json").read_text())
    addresses = [task["data"]["image"] for task in tasks]
    assert addresses == ["http://[x", "s3://images/1.jpg", "/data/local-files/?d=images/2.jpg"]


def test_xml_has_the_escapes_of_what_it_cannot_hold(zoo, tmp_path):
    rename(zoo, "s3://images/a\x01.jpg", "s3://images/b&.jpg", "s3://images/\U0001f427.jpg")
    export_all(zoo, tmp_path, ("cvat",))
    root = ET.parse(tmp_path / "cvat/annotations.xml").getroot()
    names = [image.get("name") for image in root.iterfind("image")]
    assert names == ["a\\x01.jpg", "b&.jpg", "\U0001f427.jpg"]


def second_label(content):
    later = {**content["animal-metadata"], "job-name": "labeling-job/zoo-2"}
    return {**content, "mood": 0, "mood-metadata": {**later, "class-name": "calm"}}


def test_which_labels_were_read_is_said_where_there_are_several(zoo, tmp_path):
    lines = [on_disk.builtin_line(at, name) for at, name in enumerate(["cat", "dog", "dog"])]
    for several in (False, True):
        on_disk.write_manifest(zoo, [second_label(one) if several else one for one in lines])
        commands = (
            (export, ("--format", "coco", "-o", tmp_path / f"coco{several}")),
            (replay, ("-o", tmp_path / f"again{several}")),
            (tables, ("-o", tmp_path / "t")),
            (report, ("-o", tmp_path / "page.html")),
        )
        expected = "labels read: animal; the manifest also has mood, which --attribute reads"
        for command, arguments in commands:
            outcome = run(command, zoo, *arguments)
            assert outcome.exit_code == 0, outcome.output
            assert (expected in outcome.output) is several
    arguments = ("--format", "coco", "-o", tmp_path / "mood", "--attribute", "mood", "--json")
    result = json.loads(run(export, zoo, *arguments).stdout)
    assert (result["label-attribute-name"], "calm" in result["classes"]) == ("mood", True)
    result = json.loads(run(replay, zoo, "-o", tmp_path / "json", "--json").stdout)
    assert result["label-attribute-name"] == "animal"
