"""What a job's files tell, where nobody wrote it down."""

import pytest

from labeljob.history.job import Given, read_job
from labeljob.history.job_files import OutputLine
from labeljob.history.replay import split_calls_by_date
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.tasks.registry import find_job_type
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


def test_what_is_given_wins(zoo):
    job = read(zoo, classes=("eel", "dog", "cat"), attribute="label")
    assert (job.classes, job.attribute, job.classes_from) == (
        ("eel", "dog", "cat"),
        "label",
        "given",
    )


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
