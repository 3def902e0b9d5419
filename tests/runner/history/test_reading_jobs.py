"""What a job's files tell, where nobody wrote it down."""

import json
import shutil

import pytest

from labeljob.commands.replay import replay
from labeljob.history.job import Given, read_job
from labeljob.history.job_files import OutputLine
from labeljob.history.replay import split_calls_by_date
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.tasks.registry import find_job_type
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk


def read(folder, **given):
    return read_job(find_job(str(folder)), Given(**given))


def test_task_attribute_name_and_classes_come_from_the_labels(zoo):
    job = read(zoo)
    assert job.task is find_job_type("image-multi-class")
    assert job.attribute == "animal"
    assert job.name == "labeling-job/zoo"
    assert (job.classes, job.classes_from) == (("cat", "dog", "eel"), "manifest")
    assert not job.damage.damages


def test_without_labels_the_answers_tell(zoo):
    (zoo / "manifests/output/output.manifest").unlink()
    job = read(zoo)
    assert job.task is find_job_type("image-multi-class")
    assert (job.classes, job.classes_from) == (("cat", "dog", "eel"), "answers")
    assert [item.problem for item in job.damage.damages] == ["is missing"]


def test_what_is_given_fills_what_the_files_do_not_tell(zoo):
    job = read(zoo, classes=("cat", "dog", "eel", "fox"), attribute="animal")
    assert (job.classes, job.classes_from) == (("cat", "dog", "eel", "fox"), "given")
    (zoo / "manifests/output/output.manifest").unlink()
    job = read(zoo, classes=("eel", "dog", "cat"), attribute="kind")
    assert (job.classes, job.attribute) == (("eel", "dog", "cat"), "kind")


def test_a_name_that_one_worker_gave_once_is_no_class(zoo):
    many = {f"w{at}": on_disk.chosen("cat") for at in range(120)}
    on_disk.write(
        on_disk.response_path(zoo, "0"), on_disk.response(many | {"x": on_disk.chosen("ct")})
    )
    job = read(zoo, classes=("cat", "dog", "eel"))
    assert job.classes == ("cat", "dog", "eel")
    assert [item.problem for item in job.damage.damages] == [
        "has no ct; answers that name it are set aside"
    ]


def test_the_last_file_of_a_data_object_counts(zoo):
    later = on_disk.response({"ann": on_disk.chosen("eel")})
    path = zoo / "annotations/worker-response/iteration-2/0/2026-03-01_09:00:00.json"
    on_disk.write(path, later)
    (found,) = read(zoo).answered(["0"])
    assert [item.worker_id for item in found.object.annotations] == ["ann"]
    assert found.answer_times["ann"].seconds == 10.0


def test_a_gap_of_more_than_five_seconds_begins_a_call():
    seconds = [20, 0, 5, 11, 40]
    lines = [
        OutputLine(str(at), "", on_disk.builtin_line(at, "cat", second=second))
        for at, second in enumerate(seconds)
    ]
    calls = split_calls_by_date(lines, "animal")
    assert [call.object_ids for call in calls] == [("1", "2"), ("3",), ("0",), ("4",)]


def test_no_folder_is_no_job(tmp_path):
    with pytest.raises(JobError, match="no folder"):
        find_job(str(tmp_path / "gone"))


def test_images_are_found_in_a_copy_by_the_longest_common_path(zoo, tmp_path):
    for name in ("a/0.jpg", "images/0.jpg"):
        on_disk.write(tmp_path / "copies" / name, name)
    place = find_job(str(zoo), images=tmp_path / "copies")
    assert place.read("s3://images/0.jpg") == b"images/0.jpg"


def streamed(folder, ids):
    """The job as a streaming job: its lines and its answers' folders have ids of their own."""
    lines = []
    for at, name in enumerate(ids):
        path = folder / f"annotations/worker-response/iteration-1/{at}"
        path.rename(path.with_name(f"moved-{name}"))
        key = {"dataset-objectid-attribute-name": "photo", "photo": name}
        lines.append({**on_disk.builtin_line(at, ["cat", "dog", "dog", "dog"][at]), **key})
    for name in ids:
        path = folder / f"annotations/worker-response/iteration-1/moved-{name}"
        path.rename(path.with_name(name))
    on_disk.write_manifest(folder, lines)


def test_lines_of_a_streaming_job_have_the_ids_of_their_answers(zoo, tmp_path):
    streamed(zoo, ["b", "a", "0", "3"])
    job = read(zoo)
    assert [line.object_id for line in job.lines] == ["b", "a", "0", "3"]
    assert not job.damage.damages
    outcome = run(replay, zoo, "--algorithm", "majority", "-o", tmp_path / "again", "--json")
    differences = json.loads(outcome.stdout)["differences"]
    assert differences["objects"] == 4
    assert [(one["object"], one["after"]) for one in differences["changed"]] == [
        ("0", {"classes": ["eel"], "confidence": 0.666667})
    ]


def test_answers_to_no_line_are_named(zoo):
    on_disk.write(on_disk.response_path(zoo, "img-9"), on_disk.response({}))
    job = read(zoo)
    assert [line.object_id for line in job.lines] == ["0", "1", "2", "3"]
    (damage,) = job.damage.damages
    assert damage.problem == "has no line of 1 answered data object: img-9"


@pytest.mark.parametrize(
    "counted", [pytest.param(True, id="counted"), pytest.param(False, id="not-counted")]
)
def test_blank_lines_are_no_data_objects(zoo, counted):
    lines = [json.dumps(on_disk.builtin_line(at, "cat")) for at in range(4)]
    text = "\r\n".join(["\ufeff" + lines[0], "", lines[1], "\t ", *lines[2:], "", ""])
    on_disk.write(zoo / "manifests/output/output.manifest", text)
    if counted:
        for at in (3, 2, 1):
            path = zoo / f"annotations/worker-response/iteration-1/{at}"
            path.rename(path.with_name(str({3: 5, 2: 4, 1: 2}[at])))
    job = read(zoo)
    assert [line.object_id for line in job.lines] == job.object_ids()
    assert [line.source[-5] for line in job.lines] == ["0", "1", "2", "3"]
    assert not job.damage.damages


def test_a_job_without_answers_says_what_can_be_done_with_it(zoo):
    shutil.rmtree(zoo / "annotations")
    with pytest.raises(JobError, match=r"has no answers.* by export, tables, requeue and finish"):
        read(zoo)
    assert len(read_job(find_job(str(zoo)), Given(), needs_answers=False).lines) == 4
    (zoo / "manifests/output/output.manifest").unlink()
    with pytest.raises(JobError, match=r"has no answers.* and no output manifest"):
        read_job(find_job(str(zoo)), Given(), needs_answers=False)


def test_a_replay_knows_the_labels_that_have_no_confidence(zoo, tmp_path):
    lines = [on_disk.builtin_line(at, name) for at, name in enumerate(["cat", "dog", "eel", "dog"])]
    for line in lines:
        del line["animal-metadata"]["confidence"]
    on_disk.write_manifest(zoo, lines)
    outcome = run(replay, zoo, "-o", tmp_path / "again", "--json")
    assert outcome.exit_code == 0, outcome.output
    differences = json.loads(outcome.stdout)["differences"]
    assert (differences["labels-changed"], differences["confidences-changed"]) == (0, 0)


@pytest.mark.parametrize("index", [1 << 40, 1 << 70])
def test_a_class_whose_number_is_far_behind_is_the_last_one(zoo, index):
    path = zoo / "manifests/output/output.manifest"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line.get("animal-metadata", {}).get("class-name") == "dog":
            line["animal"] = index
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert read(zoo).classes == ("cat", "eel", "dog")
