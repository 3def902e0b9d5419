"""Annotations of Label Studio and CVAT as jobs that replay and report work on."""

import json

import numpy as np
import pytest

from labeljob.commands.import_ import import_command
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.formats.imports.labelstudio import brush_pixels
from labeljob.history.annotations import read_annotations
from labeljob.history.job import Given, read_job
from labeljob.jobs.job_location import find_job
from labeljob.tasks.registry import find_job_type
from tests.runner.command_line import run
from tests.runner.formats.foreign_files import (
    annotation,
    brush,
    brushed,
    choice,
    cvat,
    labelstudio,
    outlined,
    task,
)

pytestmark = pytest.mark.slow

MASK = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]])


def imported(tmp_path, tool, *arguments):
    outcome = run(import_command, *arguments, "--from", tool, "-o", tmp_path / "store", "--json")
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def job_of(result):
    return read_job(find_job(result["job"]), Given())


def test_choices_of_label_studio_become_a_job_that_replay_and_report_read(tmp_path):
    path = labelstudio(
        tmp_path / "birds.json",
        task(1, annotation(1, 7, choice("owl")), annotation(2, {"email": "b@x"}, choice("owl"))),
        task(2, annotation(3, 7, choice("crow")), annotation(4, 8, choice("owl"))),
    )
    result = imported(tmp_path, "labelstudio", path)
    job = job_of(result)
    assert (job.task, job.classes) == (find_job_type("image-multi-class"), ("crow", "owl"))
    first = next(iter(read_annotations(job)))
    assert (first.source, first.workers) == ("s3://images/1.jpg", ("7", "b@x"))
    assert first.answer_times["7"].seconds == 5.5
    outcome = run(replay, result["job"], "--algorithm", "majority", "--json")
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(outcome.stdout)["damage"] == []
    page = tmp_path / "report.html"
    outcome = run(report, result["job"], "-o", page)
    assert outcome.exit_code == 0, outcome.output
    assert "owl" in page.read_text()


def test_several_choices_make_it_a_job_with_several_labels(tmp_path):
    path = labelstudio(
        tmp_path / "scenes.json", task(1, annotation(1, 7, choice("sea", "sky")), annotation(2, 8))
    )
    result = imported(tmp_path, "labelstudio", path, "--labels", "sky,sea,land")
    assert (result["task"], result["empty"]) == ("image-multi-class-multi-label", 1)
    (obj,) = read_annotations(job_of(result))
    assert obj.choices.tolist() == [[1, 1, 0]]
    assert [(one.worker_id, one.reason) for one in obj.rejected] == [("8", "empty-answer")]


@pytest.mark.parametrize("literal_from", [None, 0, 20])
def test_brush_streams_are_read_with_repeats_and_without(literal_from):
    stream = brush(MASK, literal_from)
    np.testing.assert_array_equal(brush_pixels(stream, (3, 4)), MASK == 1)


@pytest.mark.parametrize("size", [(3, 5), (4, 4)])
def test_a_stream_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="pixels"):
        brush_pixels(brush(MASK), size)
    with pytest.raises(ValueError, match="too soon"):
        brush_pixels(brush(MASK)[:12], (3, 4))


def test_brush_and_polygon_make_masks_the_later_on_top(tmp_path):
    square = [[50, 0], [100, 0], [100, 100], [50, 100]]
    path = labelstudio(
        tmp_path / "masks.json",
        task(1, annotation(1, 7, brushed("road", MASK), outlined("car", square, (3, 4)))),
    )
    result = imported(tmp_path, "labelstudio", path, "--labels", "road,car")
    assert result["task"] == "semantic-segmentation"
    (obj,) = read_annotations(job_of(result))
    expected = [[0, 0, 2, 2], [0, 1, 2, 2], [0, 0, 2, 2]]
    assert obj.choices.reshape(3, 4).tolist() == expected


def test_nothing_is_dropped_in_silence(tmp_path):
    box = {"type": "rectanglelabels", "value": {"rectanglelabels": ["owl"]}}
    broken = brushed("owl", MASK)
    broken["value"]["rle"] = broken["value"]["rle"][:9]
    path = labelstudio(
        tmp_path / "mixed.json",
        task(1, annotation(1, 7, brushed("owl", MASK)), annotation(2, 8, box)),
        task(2, annotation(3, 7, broken), predictions=[{}]),
        task(3, annotation(4, 7, brushed("owl", MASK), was_cancelled=True)),
    )
    result = imported(tmp_path, "labelstudio", path)
    told = "\n".join(result["skipped"])
    assert "task 1, annotation 2: 'rectanglelabels' is none of" in told
    assert "task 2, annotation 3: brushlabels: ends too soon" in told
    assert "task 2: 1 predictions of models" in told
    assert "task 3, annotation 4: was cancelled" in told
    assert (result["objects"], result["answers"], result["unanswered"]) == (3, 1, 2)


def test_an_annotator_is_one_file_of_cvat(tmp_path):
    size = 'width="4" height="3"'
    files = [
        cvat(
            tmp_path / f"{who}.xml",
            f'<image id="0" name="a.jpg" {size}><tag label="{one}" source="manual"></tag></image>'
            f'<image id="1" name="b.jpg" {size}><tag label="cat"></tag></image>',
            who=who if who != "file-name" else "",
        )
        for who, one in (("ann", "cat"), ("bob", "dog"), ("file-name", "dog"))
    ]
    result = imported(tmp_path, "cvat", *files, "--prefix", "s3://photos/", "--job-name", "pets")
    job = job_of(result)
    assert (job.name, job.classes) == ("labeling-job/pets", ("cat", "dog"))
    first = next(iter(read_annotations(job)))
    assert first.source == "s3://photos/a.jpg"
    assert (first.workers, first.choices.ravel().tolist()) == (
        ("ann", "bob", "file-name"),
        [0, 1, 1],
    )


def test_masks_and_polygons_of_cvat_lie_in_z_order(tmp_path):
    shapes = (
        '<polygon label="dog" points="2,0;4,0;4,3;2,3" z_order="1"></polygon>'
        '<mask label="cat" rle="1, 3, 2" left="1" top="0" width="3" height="2" z_order="0"></mask>'
    )
    image = f'<image id="0" name="a.jpg" width="4" height="3">{shapes}</image>'
    result = imported(tmp_path, "cvat", cvat(tmp_path / "ann.xml", image))
    (obj,) = read_annotations(job_of(result))
    assert obj.choices.reshape(3, 4).tolist() == [[0, 0, 2, 2], [0, 1, 2, 2], [0, 0, 2, 2]]


@pytest.mark.parametrize(
    ("tool", "text", "expected"),
    [
        pytest.param("labelstudio", "[{", "is not JSON", id="cut-off"),
        pytest.param("labelstudio", "{}", "is no list of tasks", id="no-list"),
        pytest.param("labelstudio", '[{"id": 4}]', "task 4: 'data' is missing", id="no-data"),
        pytest.param("labelstudio", "[]", "not one label", id="empty"),
        pytest.param("cvat", "<a", "is not XML", id="no-xml"),
        pytest.param("cvat", "<a/>", "is no CVAT XML of version 1.1", id="foreign-xml"),
        pytest.param("cvat", "<!DOCTYPE a><a/>", "has a document type", id="document-type"),
    ],
)
def test_a_foreign_file_is_refused_in_one_line(tmp_path, tool, text, expected):
    path = tmp_path / "export"
    path.write_text(text)
    outcome = run(import_command, path, "--from", tool, "-o", tmp_path / "store")
    assert outcome.exit_code == 1
    assert expected in outcome.output
    assert not (tmp_path / "store" / "labeljob").exists()


def test_a_job_is_never_replaced(tmp_path):
    path = labelstudio(tmp_path / "birds.json", task(1, annotation(1, 7, choice("owl"))))
    imported(tmp_path, "labelstudio", path)
    outcome = run(import_command, path, "--from", "labelstudio", "-o", tmp_path / "store")
    assert outcome.exit_code == 1
    assert "has a job birds already" in outcome.output


def test_two_files_of_one_annotator_are_refused(tmp_path):
    files = [cvat(tmp_path / name, "") for name in ("a.xml", "b.xml")]
    outcome = run(import_command, *files, "--from", "cvat", "-o", tmp_path / "store")
    assert outcome.exit_code == 1
    assert "is of ann, as" in outcome.output
