"""How a job stands: labels, agreement and unsure objects, as they change."""

import json

import pytest

from groundtruth.storage.folder import FolderStore
from labeljob.portal import assignments
from labeljob.portal.answer_reading import JobAnswerReader
from labeljob.portal.owner_status import N_BINS, LabelCounter, count_unsure, describe_status
from labeljob.tasks.registry import find_job_type
from tests.runner.portal import people

ANN, BEN, CLEO = map(people.worker_id, people.WORKERS)


@pytest.fixture
def make_counter(tmp_path, database):
    """A job with so many data objects in the database, and what counts its labels."""

    def make(task="image-multi-class", *, n_objects=4, wanted=2):
        description = people.describe(tmp_path, task, n_images=1, per_object=wanted)
        assignments.add_job(database, "zoo", map(str, range(n_objects)), wanted=wanted)
        reader = JobAnswerReader(description, FolderStore(tmp_path))
        return LabelCounter("zoo", find_job_type(task), reader)

    return make


def answer(database, worker, *choices, task="image-multi-class"):
    """A worker takes the next tasks and says what is told."""
    for choice in choices:
        lease = assignments.take(database, "zoo", worker, 300)
        said = choice if isinstance(choice, dict) else find_job_type(task).submit(choice, ())
        assignments.submit(database, "zoo", lease.object_id, worker, said)


def consolidate(database, object_id, label, confidence, *, called="2026-01-01T00:00:00"):
    with database.transaction() as connection:
        connection.execute(
            "UPDATE objects SET state = 'consolidated', called = ?, status = 'consensus',"
            " label = ?, confidence = ? WHERE job = 'zoo' AND object_id = ?",
            (called, label and json.dumps(label), confidence, object_id),
        )


def advance(database, counter):
    with database.read() as connection:
        return counter.advance(connection)


def test_agreement_is_the_share_of_answers_that_are_the_label(database, make_counter):
    counter = make_counter()
    answer(database, ANN, "cat", "cat", "dog")
    answer(database, BEN, "cat", "dog")
    consolidate(database, "0", ["cat"], 0.95)
    consolidate(database, "1", ["cat"], 0.6)
    assert advance(database, counter)
    assert counter.get_agreement(ANN) == 1.0
    assert counter.get_agreement(BEN) == 0.5
    assert counter.get_agreement(CLEO) is None
    assert counter.confidences[int(0.6 * N_BINS)] == 1
    assert counter.confidences[-1] == 1


def test_several_labels_agree_as_far_as_they_are_the_same(database, make_counter):
    task = "image-multi-class-multi-label"
    counter = make_counter(task)
    answer(database, ANN, ["cat", "dog"], task=task)
    answer(database, BEN, ["cat"], task=task)
    consolidate(database, "0", ["cat", "dog"], 0.8)
    advance(database, counter)
    assert (counter.get_agreement(ANN), counter.get_agreement(BEN)) == (1.0, 0.5)


def test_a_newer_label_takes_the_place_of_the_older_one(database, make_counter):
    counter = make_counter()
    answer(database, ANN, "cat")
    answer(database, BEN, "dog")
    consolidate(database, "0", ["cat"], 0.5)
    advance(database, counter)
    consolidate(database, "0", ["dog"], 0.9, called="2026-01-01T00:00:09")
    advance(database, counter)
    assert (counter.get_agreement(ANN), counter.get_agreement(BEN)) == (0.0, 1.0)
    assert sum(counter.confidences) == 1


def test_many_labels_are_taken_in_step_by_step(database, make_counter, monkeypatch):
    monkeypatch.setattr("labeljob.portal.owner_status.CHUNK", 3)
    counter = make_counter(n_objects=7, wanted=1)
    answer(database, ANN, *["cat"] * 7)
    for at in range(7):
        consolidate(database, str(at), ["cat"], 0.7, called=f"2026-01-01T00:00:0{at // 5}")
    assert [advance(database, counter) for _ in range(3)] == [False, False, True]
    assert sum(counter.confidences) == 7
    assert advance(database, counter)
    assert sum(counter.confidences) == 7


def test_answers_that_do_not_count_agree_with_nothing(database, make_counter):
    counter = make_counter()
    answer(database, ANN, "cat")
    answer(database, BEN, {"cannot-be-labeled": {"reason": "other", "comment": ""}})
    consolidate(database, "0", ["cat"], 0.7)
    consolidate(database, "1", None, None)
    advance(database, counter)
    assert counter.get_agreement(BEN) is None
    assert counter.unlabeled == 1


def test_unsure_are_those_below_and_those_without_a_label(database, make_counter):
    make_counter()
    consolidate(database, "0", ["cat"], 0.95)
    consolidate(database, "1", ["cat"], 0.6)
    consolidate(database, "2", None, None)
    with database.read() as connection:
        assert [count_unsure(connection, "zoo", below) for below in (0, 0.7, 1)] == [1, 2, 3]


def test_the_status_names_workers_as_the_team_does(database, make_counter):
    counter = make_counter()
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO members (worker_id, email, name, sub, role, created)"
            " VALUES (?, 'ann@example.org', '', 'sub', 'worker', 0)",
            (ANN,),
        )
    answer(database, ANN, "cat")
    assignments.take(database, "zoo", BEN, 300)
    status = describe_status(database, counter, classes=people.LABELS, problem="")
    assert [(item["name"], item["answers"], item["atWork"]) for item in status["workers"]] == [
        ("ann@example.org", 1, False),
        (BEN, 0, True),
    ]
    assert (status["total"], status["missing"], status["atWork"]) == (4, 7, 1)
    assert [item["name"] for item in status["classes"]] == list(people.LABELS)
    assert sum(status["perMinute"]) == 1


def test_objects_that_nobody_answered_have_no_label(database, make_counter):
    counter = make_counter()
    assignments.set_job_state(database, "zoo", "finished")
    with database.transaction() as connection:
        connection.execute(
            "UPDATE objects SET state = 'consolidated', status = 'failed' WHERE job = 'zoo'"
        )
    advance(database, counter)
    status = describe_status(database, counter, classes=people.LABELS, problem="")
    assert (status["labeled"], status["unlabeled"]) == (0, 4)
