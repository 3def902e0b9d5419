"""Columns of answers say what the files say, read one by one."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from groundtruth.settings import Settings
from labeljob.columns import answers as columns_of_answers
from labeljob.columns import merging, parts
from labeljob.columns.answers import open_answers
from labeljob.columns.kept import DRAFTS
from labeljob.history.job import Given, read_annotations, read_job
from labeljob.history.job_files import AnswerTime, DamageList, find_answer_files
from labeljob.jobs.job_location import find_job
from labeljob.tasks.registry import find_job_type
from tests.runner.history import job_folders as on_disk

CAT, DOG = on_disk.chosen("cat"), on_disk.chosen("dog")
REMARK = {"cannot-be-labeled": {"reason": "blurred", "comment": "no animal at all"}}


def annotation(worker, content, **data):
    return {"workerId": worker, "annotationData": {"content": content, **data}}


ODD = [
    annotation("ann", json.dumps(CAT)),
    annotation("ann", json.dumps(DOG)),
    annotation("bob", CAT),
    annotation("cyd", json.dumps(json.dumps(CAT | {"workerComment": "easy ☃"}))),
    annotation("dan", "{"),
    annotation("eva", ""),
    annotation("fay", None),
    annotation("gus", json.dumps(REMARK)),
    annotation("", json.dumps(CAT | {"remark": "who am I"})),
    annotation("hal", json.dumps(on_disk.chosen("owl"))),
    annotation("ida", json.dumps({"one": {"label": "cat"}, "other": {"label": "dog"}})),
    annotation("jon", "", s3Uri="s3://bucket/annotations/elsewhere/jon.json"),
    annotation("kim", "", s3Uri="s3://bucket/annotations/elsewhere/nobody.json"),
    annotation("ann", json.dumps([CAT])),
    annotation("ann", "[]"),
    {"workerId": 7, "annotationData": {"content": json.dumps(CAT)}},
    "no annotation",
    {"workerId": "liz"},
]


def entry(object_id, annotations, source="s3://images/{}.jpg"):
    told = {"s3Uri": source.format(object_id)} if source else None
    return {"datasetObjectId": object_id, "dataObject": told, "annotations": annotations}


def write_requests(folder):
    """Requests with all that may be in them, and plain ones between them."""
    plain = [annotation("ann", json.dumps(DOG)), annotation("bob", json.dumps(CAT))]
    requests = [
        [entry("10", plain), entry("2", plain), entry("3", [])],
        [entry(4, ODD), entry("img-1", plain, source=None), entry("10", plain[:1])],
        [entry("2", ODD), entry("2", plain[1:])],
        "{",
        [entry("", plain)],
        [{"datasetObjectId": "7"}],
        [entry("8", "none")],
        '[{"datasetObjectId": "9", "annotations": [{"workerId": "\\ud800", "x": NaN}]}]',
    ]
    for number, content in enumerate(requests):
        on_disk.write(on_disk.request_path(folder, f"2026-03-02_10:01:{number:02}"), content)
    on_disk.write(folder / "annotations/elsewhere/jon.json", DOG)


def write_responses(folder):
    """Worker responses, of which some cannot be read and others are in requests."""
    write_requests(folder)
    odd = on_disk.response({"ann": CAT, "bob": REMARK, "cyd": "text", "dan": None})
    odd["answers"] += [
        {"workerId": "ann", "answerContent": DOG | {"workerComment": ["a", " ", "b"]}},
        {"answerContent": CAT, "timeSpentInSeconds": True},
        {"workerId": "eva", "answerContent": CAT, "submissionTime": "2019-04-18T16:10:44Z"},
        {"workerId": "fay", "answerContent": CAT, "timeSpentInSeconds": -1},
    ]
    lenient = json.loads(json.dumps(odd))
    lenient["answers"] += [{"workerId": 7}, "no answer", {"workerId": "gus", "submissionTime": 3}]
    on_disk.write(on_disk.response_path(folder, "1"), odd)
    on_disk.write(on_disk.response_path(folder, "11"), lenient)
    on_disk.write(on_disk.response_path(folder, "2"), "{")
    on_disk.write(on_disk.response_path(folder, "12"), {"answers": 3})
    on_disk.write(on_disk.response_path(folder, "13"), on_disk.response({"ann": CAT}))
    on_disk.response_path(folder, "13", "2026-03-02_10:00:31").write_bytes(b'{"answers": ["\xff"]}')
    on_disk.write(on_disk.response_path(folder, "b"), on_disk.response({}))


def plain_values(annotations):
    values = {name: getattr(annotations, name) for name in annotations.__slots__}
    choices, times = values.pop("choices"), values.pop("answer_times")
    values["times"] = {name: time for name, time in times.items() if time != AnswerTime()}
    return values | {"choices": choices.tolist(), "shape": choices.shape}


def read_both(folder, **given):
    """What columns and files say of a job: its annotations, votes by class, ids and damage."""
    told = []
    for of_columns in (True, False):
        job = read_job(find_job(str(folder)), Given(**given))
        ids = job.object_ids()
        if not of_columns:
            damage = DamageList()
            job = replace(job, damage=damage, files=find_answer_files(job.place, damage))
            ids = job.object_ids()
        found = [plain_values(one) for one in read_annotations(job)]
        told.append((ids, found, sorted(item.problem for item in job.damage.damages)))
    return told


WRITERS = [
    pytest.param(write_requests, id="requests"),
    pytest.param(write_responses, id="responses"),
]


@pytest.fixture
def in_chunks(monkeypatch):
    """Every part and chunk is as small as it can be, and what is read is kept."""
    monkeypatch.setattr(columns_of_answers, "KEPT_FROM", 0)
    monkeypatch.setattr(columns_of_answers, "PART_BYTES", 1)
    monkeypatch.setattr(merging, "CHUNK", 2)


def write_several(folder):
    """Answers of several labels, of which some are none of the job's."""
    votes = {
        "0": {"ann": ["cat", "dog"], "bob": ["dog"], "cy": []},
        "1": {"ann": ["owl", "yak", "cat"], "bob": ["dog", "dog"]},
    }
    on_disk.make_multi_label_job(folder, votes, [["cat"], ["dog"]])


@pytest.mark.parametrize("write", [*WRITERS, pytest.param(write_several, id="several")])
def test_columns_say_what_the_files_say(tmp_path, write):
    write(tmp_path / "bucket")
    by_columns, by_files = read_both(tmp_path / "bucket", classes=("cat", "dog", "eel"))
    assert by_columns[0] == by_files[0]
    assert by_columns[1] == by_files[1]
    assert any(one["rejected"] for one in by_columns[1])
    of_no_file = ("is missing", "answers that name it are set aside")
    assert [one for one in by_columns[2] if not one.endswith(of_no_file)] == by_files[2]


@pytest.mark.parametrize("write", WRITERS)
def test_neither_parts_nor_what_is_kept_change_anything(tmp_path, write, request):
    write(tmp_path / "bucket")
    at_once = read_both(tmp_path / "bucket")
    request.getfixturevalue("in_chunks")
    assert read_both(tmp_path / "bucket") == at_once
    assert list((tmp_path / "bucket/.columns").glob("answers-*/facts.json"))
    assert read_both(tmp_path / "bucket") == at_once


@pytest.fixture
def zoo(tmp_path):
    """A small job's folder."""
    votes = {str(number): {"ann": "cat", "bob": "dog"} for number in range(4)}
    return on_disk.make_job(tmp_path / "bucket" / "zoo", votes, ["cat"] * 4)


def open_zoo(folder, damage=None):
    place, damage = find_job(str(folder)), damage or DamageList()
    files = find_answer_files(place, damage)
    return open_answers(place, files, find_job_type("image-multi-class"), Settings(), damage)


def test_what_is_kept_is_not_read_again_until_a_file_changes(zoo, in_chunks, monkeypatch):
    first = open_zoo(zoo)
    with monkeypatch.context() as patch:
        patch.setattr(columns_of_answers, "read_part", None)
        assert open_zoo(zoo).objects.equals(first.objects)
    path = on_disk.response_path(zoo, "0")
    on_disk.write(path, on_disk.response({"ann": on_disk.chosen("yak")}))
    os.utime(path, ns=(1, 1))
    assert ("yak",) in open_zoo(zoo).codes.names


def test_what_a_killed_command_left_goes_once_it_is_old(zoo, in_chunks):
    open_zoo(zoo)
    (kept,) = (zoo / ".columns").glob("answers-*")
    old, new = kept / f"{DRAFTS}old", kept / f"{DRAFTS}new"
    old.mkdir()
    new.mkdir()
    os.utime(old, (1, 1))
    open_zoo(zoo)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_takes_nothing_is_no_error(zoo, in_chunks, monkeypatch):
    monkeypatch.setattr(columns_of_answers, "open_kept_folder", lambda *_: None)
    columns = open_zoo(zoo)
    assert columns.object_ids == ["0", "1", "2", "3"]
    assert sum(len(chunk) for chunk in columns.iter_chunks()) == columns.n_answers > 0
    assert not (zoo / ".columns").exists()


def test_a_chunk_is_found_by_another_process(zoo, in_chunks):
    columns = open_zoo(zoo)
    for number, chunk in enumerate(columns.iter_chunks()):
        again = columns.locate(number).load(("object", "names"))
        np.testing.assert_array_equal(again.object, chunk.object)
        assert again.codes == columns.codes
    assert columns.read_objects(1, 3).object.tolist() == [
        row for chunk in columns.iter_chunks() for row in chunk.object.tolist() if 1 <= row < 3
    ]


def test_masks_are_no_names(zoo):
    place = find_job(str(zoo))
    part = parts.Part(
        place=place, job_type=find_job_type("semantic-segmentation"), settings=Settings()
    )
    with pytest.raises(ValueError, match="are no names"):
        parts.read_part(part)
