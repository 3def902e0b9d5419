"""The gallery's filters, its order and its pages."""

import json

import pytest

from labeljob.portal import assignments
from labeljob.portal.owner_gallery import FilterError, GalleryFilter, read_gallery
from labeljob.portal.owner_status import read_answer_texts
from tests.runner.portal import people

ANN, BEN, _ = map(people.worker_id, people.WORKERS)
CANNOT = {"cannot-be-labeled": {"reason": "other", "comment": "<b>"}}
CAT = {"crowd-image-classifier": {"label": "cat"}}


@pytest.fixture
def job(database):
    """Ten data objects: four with a label, one without, one that waits, and four open."""
    assignments.add_job(database, "zoo", map(str, range(10)), wanted=2)
    for worker, count in ((ANN, 7), (BEN, 6)):
        for at in range(count):
            lease = assignments.take(database, "zoo", worker, 300)
            said = CANNOT if at in (2, 4) and worker == BEN else CAT
            assignments.submit(database, "zoo", lease.object_id, worker, said)
    labels = [("cat", 0.9), ("dog", 0.4), ("cat", 0.7), ("dog", 0.4)]
    with database.transaction() as connection:
        for at, (label, confidence) in enumerate(labels):
            connection.execute(
                "UPDATE objects SET state = 'consolidated', label = ?, confidence = ?, status = ?"
                " WHERE object_id = ?",
                (json.dumps([label]), confidence, "tie" if at == 1 else "consensus", str(at)),
            )
        connection.execute(
            "UPDATE objects SET state = 'consolidated', status = 'no-usable-answer'"
            " WHERE object_id = '4'"
        )
    return "zoo"


def read(database, job, **query):
    with database.read() as connection:
        return read_gallery(connection, job, GalleryFilter.from_query(query))


def ids(page):
    return [item.object_id for item in page.objects]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({}, ["4", "1", "3", "2", "0", "5", "6"], id="disputed-first"),
        pytest.param({"order": "sure"}, ["4", "0", "2", "1", "3", "5", "6"], id="sure-first"),
        pytest.param({"only": "labeled", "order": "manifest"}, [*"01234"], id="labeled"),
        pytest.param({"only": "open"}, [*"6789"], id="open"),
        pytest.param({"only": "cannot"}, ["4", "2"], id="cannot-be-labeled"),
        pytest.param({"only": "all", "order": "manifest"}, [*"0123456789"], id="all"),
        pytest.param({"class": "dog"}, ["1", "3"], id="class"),
        pytest.param({"status": "tie"}, ["1"], id="status"),
        pytest.param({"below": "0.7"}, ["1", "3"], id="below"),
        pytest.param({"worker": BEN, "only": "labeled"}, ["4", "1", "3", "2", "0"], id="worker"),
        pytest.param({"class": "' OR 1 --"}, [], id="no-code"),
    ],
)
def test_filters_choose_data_objects(database, job, query, expected):
    page = read(database, job, **query)
    assert ids(page) == expected
    assert page.count == len(expected)


@pytest.mark.parametrize("order", ["disputed", "sure", "manifest"])
def test_pages_hold_every_data_object_once(database, job, order):
    first = read(database, job, only="all", order=order, limit="3")
    pages = [first]
    while pages[-1].next is not None:
        pages.append(read(database, job, only="all", order=order, limit="3", after=pages[-1].next))
    assert [len(page.objects) for page in pages] == [3, 3, 3, 1]
    together = [object_id for page in pages for object_id in ids(page)]
    assert together == ids(read(database, job, only="all", order=order))
    assert [page.count for page in pages] == [10, None, None, None]


def test_answers_come_with_their_data_object(database, job):
    (item,) = read(database, job, status="no-usable-answer").objects
    assert [answer.worker_id for answer in item.answers] == [ANN, BEN]
    assert json.loads(item.answers[1].text) == CANNOT


@pytest.mark.parametrize(
    "query",
    [
        {"below": "much"},
        {"only": "some"},
        {"order": "any"},
        {"after": "[1]"},
        {"after": "{}"},
        {"limit": "all"},
    ],
)
def test_an_address_that_is_no_filter_is_refused(query):
    with pytest.raises(FilterError):
        GalleryFilter.from_query(query)


def test_a_page_is_never_longer_than_the_most():
    assert GalleryFilter.from_query({"limit": "100000"}).limit == 200


def test_answers_are_found_by_their_data_object_however_many_there_are(database, job):
    statements = []
    with database.read() as connection:
        connection.set_trace_callback(statements.append)
        read_gallery(connection, job, GalleryFilter())
        read_answer_texts(connection, job, ("1", "2"))
        connection.set_trace_callback(None)
        plans = [
            connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            for statement in statements
            if "answer FROM assignments" in statement
        ]
    assert len(plans) == 2
    assert all("sqlite_autoindex_assignments_1" in plan[0]["detail"] for plan in plans)
