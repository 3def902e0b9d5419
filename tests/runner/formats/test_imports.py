"""Annotations of Label Studio and CVAT as jobs that replay and report work on."""

import json
from dataclasses import replace as change
from pathlib import Path

import numpy as np
import pytest

from labeljob.commands.export import export
from labeljob.commands.finish import finish
from labeljob.commands.import_ import import_command
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.commands.requeue import requeue_objects
from labeljob.formats.imports.cvat import read_cvat
from labeljob.formats.imports.foreign import ImportProblem
from labeljob.formats.imports.labelstudio import draw_brush, read_labelstudio
from labeljob.history.auxiliary_inputs import read_truths
from labeljob.history.job import Given, read_annotations, read_job, read_job_mask
from labeljob.history.replay import list_calls, make_single_call
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
    assert labels(result) == ["owl", "crow"]
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
    np.testing.assert_array_equal(draw_brush(stream, (3, 4)), MASK == 1)


@pytest.mark.parametrize("size", [(3, 5), (4, 4)])
def test_a_stream_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="pixels"):
        draw_brush(brush(MASK), size)
    with pytest.raises(ValueError, match="too soon"):
        draw_brush(brush(MASK)[:12], (3, 4))


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
    assert "task 1, annotation 2: has rectanglelabels only, nothing of semantic" in told
    assert "task 2, annotation 3: brushlabels: ends too soon" in told
    assert "task 2: predictions of models" in told
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
        pytest.param("labelstudio", '[{"id": 4, "animal": "cat"}]', "not JSON-MIN", id="no-data"),
        pytest.param("labelstudio", "[]", "not one label", id="empty"),
        pytest.param(
            "labelstudio", '[{"data": {}, "animal": "cat"}]', "not JSON-MIN", id="min-with-data"
        ),
        pytest.param("cvat", "<a", "is not XML", id="no-xml"),
        pytest.param("cvat", "PK\x03\x04", "give the annotations.xml in it", id="zip"),
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


def votes(result):
    return [
        {worker: obj.choices[index].tolist() for index, worker in enumerate(obj.workers)}
        for obj in read_annotations(job_of(result))
    ]


def manifest(result):
    text = Path(result["manifest"]).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def labels(result):
    return [line.get("label", {}).get("class-name") for line in manifest(result)]


def image(name, content, *, size='width="4" height="3"', **more):
    given = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<image id="0" name="{name}" {size}{given}>{content}</image>'


def tag(label):
    return f'<tag label="{label}" source="manual"></tag>'


BOX = '<box label="dog" xtl="1" ytl="1" xbr="3" ybr="3" z_order="0"></box>'


def test_jobs_of_one_annotator_are_one_worker(tmp_path):
    first = cvat(tmp_path / "1.xml", image("a.jpg", tag("cat")) + image("b.jpg", tag("cat")))
    second = cvat(tmp_path / "2.xml", image("b.jpg", tag("dog")) + image("c.jpg", tag("dog")))
    result = imported(tmp_path, "cvat", first, second)
    assert (result["workers"], labels(result)) == (["ann"], ["cat", "dog", "dog"])
    assert "1.xml, image b.jpg: ann answered this image twice" in result["skipped"][0]


def test_an_empty_answer_replaces_none_that_says_something(tmp_path):
    first = cvat(tmp_path / "1.xml", image("a.jpg", tag("cat")))
    result = imported(tmp_path, "cvat", first, cvat(tmp_path / "2.xml", image("a.jpg", "")))
    assert votes(result) == [{"ann": [0]}]


def test_files_without_an_assignee_are_told_apart_by_their_folders(tmp_path):
    paths = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "annotations.xml"
        paths.append(cvat(path, image("a.jpg", tag("cat")), who=""))
    result = imported(tmp_path, "cvat", *paths)
    assert result["workers"] == [str(path.with_suffix("")) for path in paths]


@pytest.mark.parametrize(
    ("assignees", "workers"),
    [
        pytest.param(("ann", "ben", "cy"), ["ann", "ben", "cy"], id="assigned"),
        pytest.param(("ann", "", ""), ["ann", "task-12", "task-13"], id="some"),
        pytest.param(("", "", ""), ["task-11", "task-12", "task-13"], id="none"),
    ],
)
def test_each_task_of_a_project_is_its_assignees(tmp_path, assignees, workers):
    content = "".join(
        image(name, tag(label), task_id=number, subset="default")
        for number, first, second in ((11, "cat", "cat"), (12, "dog", "cat"), (13, "dog", "dog"))
        for name, label in (("a.jpg", first), ("b.jpg", second))
    )
    path = cvat(tmp_path / "p.xml", content, tasks=dict(zip((11, 12, 13), assignees, strict=True)))
    result = imported(tmp_path, "cvat", path)
    assert result["workers"] == workers
    assert [list(given.values()) for given in votes(result)] == [
        [[0], [1], [1]],
        [[0], [0], [1]],
    ]
    assert labels(result) == ["dog", "cat"]


def test_a_project_that_does_not_tell_its_tasks_is_refused(tmp_path):
    path = cvat(tmp_path / "p.xml", image("a.jpg", tag("cat")), tasks={11: "ann", 12: "ben"})
    with pytest.raises(ImportProblem, match="export each task by itself"):
        read_cvat([path])
    path = cvat(tmp_path / "p.xml", image("a.jpg", tag("cat")), tasks={11: "ann"})
    assert read_cvat([path]).answers["a.jpg"][0].worker == "ann"


def test_what_is_not_of_the_job_is_left_out_and_told(tmp_path):
    mask = '<mask label="cat" rle="0, 12" left="0" top="0" width="4" height="3"></mask>'
    images = (
        image("a.jpg", tag("cat") + BOX)
        + image("b.jpg", mask + BOX + tag("dog"))
        + image("c.jpg", BOX)
        + image("d.jpg", "")
    )
    path = cvat(tmp_path / "1.xml", images)
    result = imported(tmp_path, "cvat", path, "--task", "image-multi-class")
    told = "\n".join(result["skipped"])
    assert labels(result) == ["cat", "dog", None, None]
    assert "image a.jpg: box is no part of answers of image-multi-class, and 1 more" in told
    assert "image c.jpg: has box only" in told
    assert (result["answers"], result["empty"], result["unanswered"]) == (3, 1, 1)
    result = imported(
        tmp_path, "cvat", path, "--task", "semantic-segmentation", "--job-name", "masks"
    )
    assert [len(given) for given in votes(result)] == [1, 1]
    assert (result["answers"], result["unanswered"]) == (2, 2)


def test_labels_of_shapes_are_no_classes_of_images(tmp_path):
    path = cvat(tmp_path / "1.xml", image("a.jpg", tag("cat") + BOX), labels=())
    text = "".join(
        f"<label><name>{name}</name><type>{kind}</type></label>"
        for name, kind in (("cat", "tag"), ("any", "any"), ("dog", "rectangle"), ("sky", "mask"))
    )
    path.write_text(path.read_text().replace("<labels></labels>", f"<labels>{text}</labels>"))
    found = read_cvat([path])
    assert found.labels(of_regions=False) == ("cat", "any")
    assert found.labels(of_regions=True) == ("any", "sky")


@pytest.mark.parametrize(
    ("box", "rle", "expected"),
    [
        pytest.param((1, 1, 2, 3), "1, 5", [[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 1, 0]], id="below"),
        pytest.param((3, 0, 2, 1), "0, 2", [[0, 0, 0, 1], [0] * 4, [0] * 4], id="right"),
        pytest.param((-1, -1, 2, 2), "3, 1", [[1, 0, 0, 0], [0] * 4, [0] * 4], id="above"),
        pytest.param((9, 9, 1, 1), "0, 1", [[0] * 4] * 3, id="outside"),
    ],
)
def test_a_mask_is_cut_at_the_border_and_told(tmp_path, box, rle, expected):
    names = ("left", "top", "width", "height")
    place = " ".join(f'{name}="{value}"' for name, value in zip(names, box, strict=True))
    path = cvat(
        tmp_path / "1.xml", image("a.jpg", f'<mask label="cat" rle="{rle}" {place}></mask>')
    )
    result = imported(tmp_path, "cvat", path)
    (obj,) = read_annotations(job_of(result))
    assert obj.choices.reshape(3, 4).tolist() == expected
    told = [f"{path}, image a.jpg: the part of a mask outside the image"]
    assert result["skipped"] == (told if (box, rle) != ((-1, -1, 2, 2), "3, 1") else [])


@pytest.mark.parametrize(
    ("rle", "box", "problem"),
    [
        pytest.param("1, 2", (0, 0, 2, 2), "its runs have 3 pixels, and its box 4", id="short"),
        pytest.param("5, -1", (0, 0, 2, 2), "negative", id="negative"),
        pytest.param("0, 10000000000", (0, 0, 100000, 100000), "too large", id="huge"),
        pytest.param("x", (0, 0, 2, 2), "mask: ", id="text"),
    ],
)
def test_a_broken_mask_costs_its_answer_alone(tmp_path, rle, box, problem):
    names = ("left", "top", "width", "height")
    place = " ".join(f'{name}="{value}"' for name, value in zip(names, box, strict=True))
    files = [
        cvat(
            tmp_path / f"{who}.xml",
            image("a.jpg", f'<mask label="cat" rle="{runs}" {where}></mask>'),
            who=who,
        )
        for who, runs, where in (
            ("ann", rle, place),
            ("ben", "0, 12", 'left="0" top="0" width="4" height="3"'),
        )
    ]
    result = imported(tmp_path, "cvat", *files)
    assert (result["workers"], len(result["skipped"])) == (["ben"], 1)
    assert problem in result["skipped"][0]


def test_without_times_labels_are_of_when_the_file_was_written(tmp_path):
    path = cvat(tmp_path / "1.xml", image("a.jpg", tag("cat")) + image("b.jpg", ""))
    result = imported(tmp_path, "cvat", path)
    dates = [line["label-metadata"]["creation-date"] for line in manifest(result)]
    assert dates == ["2026-03-02T10:00:00.000000"] * 2
    job = job_of(result)
    bare = change(job, lines=tuple(change(line, values={}) for line in job.lines))
    for calls in (make_single_call(bare), list_calls(bare)):
        assert [call.made_at.isoformat() for call in calls] == ["2026-03-02T10:00:00+00:00"]


def two_questions(path):
    animal, quality = choice("owl", control="animal"), choice("sharp", control="quality")
    return labelstudio(
        path,
        task(1, annotation(1, 7, animal, quality), annotation(2, 8, animal, quality)),
        task(2, annotation(3, 7, choice("yes", control="animal")), annotation(4, 8, quality)),
        task(3, annotation(5, 7, animal, choice("owl", control="quality"))),
    )


def test_two_questions_are_two_jobs(tmp_path):
    path = two_questions(tmp_path / "q.json")
    outcome = run(import_command, path, "--from", "labelstudio", "-o", tmp_path / "store")
    assert outcome.exit_code == 1
    assert "with --control which one the job is of: animal, quality" in outcome.output
    result = imported(tmp_path, "labelstudio", path, "--control", "animal")
    assert (result["task"], result["labels"]) == ("image-multi-class", ["owl", "yes"])
    assert "task 2, annotation 4: has choices of quality only" in "\n".join(result["skipped"])
    with pytest.raises(ImportProblem, match="--control nope is not there; there is animal, qual"):
        read_labelstudio([path], control="nope")


def test_two_brushes_are_two_jobs_and_brush_and_polygon_are_one(tmp_path):
    organ = {**brushed("liver", MASK), "from_name": "organ"}
    lesion = {**brushed("cyst", MASK), "from_name": "lesion"}
    outline = {**outlined("liver", [[0, 0], [50, 0], [50, 50]], (3, 4)), "from_name": "outline"}
    both = labelstudio(tmp_path / "b.json", task(1, annotation(1, 7, organ, lesion)))
    outcome = run(import_command, both, "--from", "labelstudio", "-o", tmp_path / "store")
    assert "there are brushlabels of several controls" in outcome.output
    path = labelstudio(tmp_path / "c.json", task(1, annotation(1, 7, organ, outline)))
    assert imported(tmp_path, "labelstudio", path)["labels"] == ["liver"]


def test_what_is_said_of_a_region_is_not_said_of_the_image(tmp_path):
    box = {"id": "r", "type": "rectanglelabels", "value": {"rectanglelabels": ["car"]}}
    blurred = {**choice("blurred", control="state"), "id": "r"}
    path = labelstudio(tmp_path / "r.json", task(1, annotation(1, 7, choice("owl"), box, blurred)))
    result = imported(tmp_path, "labelstudio", path)
    assert result["labels"] == ["owl"]
    assert [text.rpartition(": ")[2] for text in result["skipped"]] == [
        "rectanglelabels is no part of answers of image-multi-class",
        "choices of a region is no part of answers of image-multi-class",
    ]


def test_ground_truth_is_gold_and_no_vote(tmp_path):
    path = labelstudio(
        tmp_path / "g.json",
        task(
            1,
            annotation(1, 9, choice("owl"), ground_truth=True),
            annotation(2, 7, choice("crow")),
            annotation(3, 8, choice("crow")),
        ),
        task(2, annotation(4, 9, choice("owl"), ground_truth=True)),
    )
    result = imported(tmp_path, "labelstudio", path)
    assert (result["workers"], labels(result)) == (["7", "8"], ["crow", None])
    assert "annotation 1: is marked as ground truth" in result["skipped"][0]
    job = job_of(result)
    assert read_truths(Path(result["gold"]), job.task, job.classes, job.lines) == {
        "0": "owl",
        "1": "owl",
    }
    result = imported(tmp_path, "labelstudio", path, "--count-gold", "--job-name", "all")
    assert (result["workers"], result["gold"]) == (["7", "8", "9"], None)


@pytest.mark.parametrize(
    ("data", "arguments", "expected"),
    [
        ({"img": "/data/a.jpg", "uuid": "0f"}, (), "/data/a.jpg"),
        ({"img": "/data/local-files/?d=a.PNG", "text": "a b"}, (), "/data/local-files/?d=a.PNG"),
        ({"url": "https://x/a.jpeg?X-Amz-Date=1", "n": 4}, (), "https://x/a.jpeg?X-Amz-Date=1"),
        ({"$undefined$": "s3://b/1"}, (), "s3://b/1"),
        ({"image": "s3://b/1", "thumb": "s3://b/1.jpg"}, (), "s3://b/1"),
        ({"a": "1.jpg", "b": "2.jpg"}, ("b",), "2.jpg"),
        ({"image": "1.jpg", "b": "2"}, ("b",), "2"),
    ],
)
def test_the_image_is_told_by_its_key_or_its_name(tmp_path, data, arguments, expected):
    path = labelstudio(
        tmp_path / "i.json", {**task(1, annotation(1, 7, choice("owl"))), "data": data}
    )
    found = read_labelstudio([path], image_key=next(iter(arguments), None))
    assert list(found.answers) == [expected]


@pytest.mark.parametrize(
    ("data", "key", "problem"),
    [
        ({"a": "1.jpg", "b": "2.jpg"}, None, "which of a, b is the image.*--image-key"),
        ({"a": "x", "b": "y"}, None, "which of a, b is the image"),
        ({"images": ["1.jpg"]}, None, "which of images is the image"),
        ({}, None, "which of nothing is the image"),
        ({"a": "1.jpg"}, "c", "--image-key c is no text of its data, which are a"),
    ],
)
def test_an_image_that_cannot_be_told_is_asked_for(tmp_path, data, key, problem):
    path = labelstudio(
        tmp_path / "i.json", {**task(1, annotation(1, 7, choice("owl"))), "data": data}
    )
    with pytest.raises(ImportProblem, match=problem):
        read_labelstudio([path], image_key=key)


@pytest.mark.parametrize("option", [("--control", "x"), ("--image-key", "x"), ("--count-gold",)])
def test_options_of_the_other_tool_are_refused(tmp_path, option):
    path = cvat(tmp_path / "1.xml", image("a.jpg", tag("cat")))
    outcome = run(import_command, path, "--from", "cvat", "-o", tmp_path / "store", *option)
    assert (outcome.exit_code, "are for --from labelstudio" in outcome.output) == (1, True)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--task", "semantic-segmentation"), "has a label of the whole image only"),
        (("--algorithm", "one-coin-em"), "one-coin-em"),
    ],
)
def test_a_failed_import_leaves_no_job(tmp_path, options, problem):
    path = cvat(tmp_path / "1.xml", image("a.jpg", tag("cat")))
    arguments = (path, "--from", "cvat", "-o", tmp_path / "store")
    outcome = run(import_command, *arguments, *options)
    assert (outcome.exit_code, problem in outcome.output) == (1, True), outcome.output
    assert not [file for file in (tmp_path / "store").rglob("*") if file.is_file()]
    assert run(import_command, *arguments, "--algorithm", "majority").exit_code == 0


def square(label, left, who, path):
    mask = np.zeros((30, 40), dtype=int)
    mask[5:25, left : left + 20] = 1
    runs = np.diff(np.flatnonzero(np.diff(mask.ravel(), prepend=1 - mask[0, 0], append=2)))
    rle = ", ".join(map(str, runs.tolist()))
    text = f'<mask label="{label}" rle="{rle}" left="0" top="0" width="40" height="30"></mask>'
    return cvat(path, image("a.jpg", text, size='width="40" height="30"'), who=who)


@pytest.mark.parametrize("tool", ["cvat", "labelstudio"])
def test_masks_go_from_the_tool_to_an_export(tmp_path, tool):
    lefts = {"ann": 10, "ben": 10, "cy": 14}
    if tool == "cvat":
        files = [square("cat", left, who, tmp_path / f"{who}.xml") for who, left in lefts.items()]
    else:
        masks = {who: np.zeros((30, 40), dtype=int) for who in lefts}
        for who, left in lefts.items():
            masks[who][5:25, left : left + 20] = 1
        given = [
            annotation(n, who, brushed("cat", mask)) for n, (who, mask) in enumerate(masks.items())
        ]
        files = [labelstudio(tmp_path / "m.json", task(1, *given))]
    result = imported(
        tmp_path, tool, *files, "--job-name", "m", "--labels", "dog,cat", "--algorithm", "majority"
    )
    assert (result["algorithm"], result["statuses"]) == ("majority", {"consensus": 1})
    job = job_of(result)
    (line,) = job.lines
    mask = read_job_mask(job, line.label("mask-ref"))
    expected = np.zeros((30, 40), dtype=int)
    expected[5:25, 10:30] = 2
    np.testing.assert_array_equal(mask, expected)
    page, target = tmp_path / "report.html", tmp_path / "coco"
    for command, arguments in (
        (report, ("-o", page)),
        (export, ("--format", "coco", "-o", target)),
        (requeue_objects, ("-o", tmp_path / "again.manifest", "--below", "1")),
        (finish, ()),
    ):
        outcome = run(command, result["job"], *arguments)
        assert outcome.exit_code == 0, outcome.output
    assert "cat" in page.read_text()
    (line,) = (tmp_path / "again.manifest").read_text().splitlines()
    assert json.loads(line)["source-ref"].endswith(".jpg")
    (annotations,) = target.rglob("*.json")
    (region,) = json.loads(annotations.read_text())["annotations"]
    assert (region["area"], region["bbox"]) == (400, [10, 5, 20, 20])


@pytest.mark.parametrize(
    "oddity",
    [
        {"lead_time": float("inf")},
        {"lead_time": -1},
        {"lead_time": 1e300},
        {"created_at": "0001-01-01T00:00:00"},
        {"created_at": "9999-12-31T23:59:59-12:00"},
        {"completed_by": "half a pair \ud83d"},
        {"result": [choice("owl"), {"id": {}, "type": [], "from_name": None}, None, 4]},
        {"result": [{**choice("owl"), "id": ["x"]}, {"id": ["x"], "type": "relation"}]},
    ],
)
def test_odd_values_of_an_annotation_cost_no_more_than_themselves(tmp_path, oddity):
    odd = {**annotation(1, 7, choice("owl")), **oddity}
    path = labelstudio(tmp_path / "o.json", task(1, odd, annotation(2, 8, choice("owl"))))
    result = imported(tmp_path, "labelstudio", path)
    assert (result["answers"], labels(result)) == (2, ["owl"])


@pytest.mark.parametrize("height", [True, 0, -3, 10**12])
def test_a_region_of_an_impossible_size_costs_its_answer_alone(tmp_path, height):
    odd = {**brushed("owl", MASK), "original_height": height}
    given = (annotation(1, 7, odd), annotation(2, 8, brushed("owl", MASK)))
    result = imported(tmp_path, "labelstudio", labelstudio(tmp_path / "o.json", task(1, *given)))
    assert (result["workers"], len(result["skipped"])) == (["8"], 1)
