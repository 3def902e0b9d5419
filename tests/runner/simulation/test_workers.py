"""A crew is hired from a text and assigned to data objects."""

import re
from collections import Counter

import pytest

from labeljob.simulation.workers import CrewError, assign, create_workers


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        pytest.param("careful:2,spammer:1", ["careful", "careful", "spammer"], id="counts"),
        pytest.param(" average , careless ", ["average", "careless"], id="one-each"),
        pytest.param(
            "5", ["careful", "average", "careless", "average", "confuser"], id="mixed-crew"
        ),
        pytest.param("confuser=a b/c:1", ["confuser"], id="pair"),
    ],
)
def test_who_is_hired(text, kinds):
    assert [worker.kind for worker in create_workers(text, seed=1)] == kinds


def test_worker_ids_look_like_a_private_workforces_and_are_all_different():
    ids = [worker.worker_id for worker in create_workers("200", seed=1)]
    assert len(set(ids)) == 200
    assert all(re.fullmatch(r"private\.us-west-2\.[0-9a-f]{16}", name) for name in ids)


def test_the_same_seed_hires_the_same_crew_and_another_seed_another():
    assert create_workers("9", seed=1) == create_workers("9", seed=1)
    assert create_workers("1", seed=1) != create_workers("1", seed=2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "٣",
        "expert:1",
        "careful:0",
        "careful:x",
        "careful:",
        "careful,,spammer",
        "confuser=cat",
        "confuser=cat/cat",
        "careful=cat/dog",
    ],
)
def test_a_crew_that_makes_no_sense_is_refused(text):
    with pytest.raises(CrewError):
        create_workers(text, seed=1)


def test_the_error_names_the_part_and_the_kinds():
    with pytest.raises(CrewError, match=r"'expert:2'.*careful, average, careless, confuser"):
        create_workers("careful:1,expert:2", seed=1)


def test_a_pair_that_is_no_label_is_refused():
    with pytest.raises(CrewError):
        create_workers("confuser=cat/dog", seed=1)[0].confused_classes(["cat", "bird"])


def test_a_pair_is_two_neighbors_when_none_is_named():
    labels = list("abcde")
    for worker in create_workers("confuser:50", seed=1):
        first, second = worker.confused_classes(labels)
        assert second == (first + 1) % 5


def test_everybody_is_assigned_equally_often_and_nobody_twice_to_one_object():
    pool = create_workers("12", seed=1)
    times = Counter[str]()
    for number in range(3000):
        chosen = assign(pool, 3, str(number), seed=5)
        assert len(set(chosen)) == 3
        times.update(worker.worker_id for worker in chosen)
    assert all(abs(count - 750) < 4 * (3000 * 0.25 * 0.75) ** 0.5 for count in times.values())
    assert assign(pool, 3, "7", seed=5) == assign(pool, 3, "7", seed=5)


@pytest.mark.parametrize("per_object", [0, 10, 3])
def test_an_impossible_number_of_workers_is_refused(per_object):
    with pytest.raises(CrewError):
        assign(create_workers("2" if per_object == 3 else "20", seed=1), per_object, "0", seed=1)
