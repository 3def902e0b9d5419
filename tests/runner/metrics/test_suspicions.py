"""The limits from which on a worker is flagged, as the documentation has them."""

import pytest

from labeljob.metrics.copying import find_copying
from labeljob.metrics.workers import flag_workers, tabulate_workers
from labeljob.simulation.behavior import create_synthetic_workers
from tests.runner.metrics.annotated_objects import annotate
from tests.runner.metrics.crews import (
    MASK,
    SEVERAL,
    SINGLE,
    flag,
    flags,
    honest_crew,
    power,
    simulate,
)

pytestmark = pytest.mark.slow

CLASSES = ("cat", "dog", "eel", "fox")
RIGHT = dict.fromkeys(("ann", "bob", "cy", "di", "eve", "flo"), 0)


def find_flagged(objects, flag):
    workers = tabulate_workers(objects, SINGLE, len(CLASSES))
    flag_workers(workers, objects, SINGLE, CLASSES)
    return [name for name, worker in workers.items() if flag in dict(worker.flags)]


@pytest.mark.parametrize(
    ("seconds", "flagged"),
    [pytest.param(34.9, ["flo"], id="below"), pytest.param(35.1, [], id="above")],
)
def test_haste_is_less_than_35_percent_of_the_median_time(seconds, flagged):
    times = dict.fromkeys(RIGHT, 100.0) | {"flo": seconds}
    objects = [annotate(str(number), RIGHT, times) for number in range(8)]
    assert find_flagged(objects, "haste") == flagged


def test_haste_in_few_answers_may_be_chance():
    times = dict.fromkeys(RIGHT, 100.0)
    objects = [
        annotate(str(number), RIGHT, times | {"flo": 10.0 if number < 6 else 90.0})
        for number in range(8)
    ]
    assert find_flagged(objects, "haste") == []


@pytest.mark.parametrize(
    "crew",
    [
        pytest.param("skill=0.95,skill=0.9,skill=0.85,skill=0.9,skill=0.5", id="outvoted"),
        pytest.param("careful:3,careless:1", id="the-readmes"),
        pytest.param("careful:3,careless:2", id="five-of-them"),
    ],
)
def test_good_workers_who_agree_are_not_accused(crew):
    for seed in range(3):
        assert flags(flag(simulate(crew, n_objects=1000, seed=seed))) == {}


@pytest.mark.parametrize("crew", ["skill=0.99,average,tired:3", "careful:2,tired:4"])
def test_those_who_do_not_tire_are_not_accused(crew):
    assert find_copying(simulate(crew, n_classes=5, n_objects=1000), SINGLE, 5) == []


@pytest.mark.parametrize("seed", range(12))
def test_an_honest_crew_is_not_accused(seed):
    crew, job = honest_crew(seed)
    objects = simulate(crew, seed=seed, **job)
    assert flags(flag(objects, task=job["task"], n_classes=job["n_classes"])) == {}


@pytest.mark.parametrize(
    ("task", "n_objects"),
    [
        pytest.param(SINGLE, 300, id="single"),
        pytest.param(SEVERAL, 200, id="several"),
        pytest.param(MASK, 100, id="mask"),
    ],
)
def test_copycats_are_found_and_nobody_else(task, n_objects):
    crew = "careful:2,average:2,careless,copycat:2"
    objects = simulate(crew, task=task, n_classes=3, n_objects=n_objects, seed=4)
    found = {
        worker_id
        for worker_id, names in flags(flag(objects, task=task, n_classes=3)).items()
        if "copying" in names
    }
    copycats = create_synthetic_workers(crew, task=task, seed=4)[-2:]
    assert found == {member.worker.worker_id for member in copycats}


@pytest.mark.parametrize(
    ("n_classes", "n_objects", "per_object", "share"),
    [
        pytest.param(2, 300, 5, 1.0, id="all-of-300"),
        pytest.param(10, 300, 5, 0.5, id="half-of-300"),
        pytest.param(5, 1000, 3, 1.0, id="three-asked"),
    ],
)
def test_copying_is_found_as_often_as_the_table_says(n_classes, n_objects, per_object, share):
    found, others = power(
        3, n_classes=n_classes, n_objects=n_objects, per_object=per_object, share=share
    )
    assert (found, others) == (1.0, 0)


def test_four_workers_are_too_few_to_tell_copying_from_skill():
    assert flags(flag(simulate("average:2,copycat:2", n_objects=300))) == {}


@pytest.mark.parametrize(("kind", "name"), [("constant", "constant"), ("spammer", "random")])
def test_who_does_not_look_is_found(kind, name):
    found = flags(flag(simulate(f"careful:2,average:3,{kind}", n_objects=200)))
    assert [name in names for names in found.values()] == [True]


def test_a_careful_worker_among_spammers_is_not_constant():
    objects = [
        annotate(
            str(number),
            {"ann": 0, "bob": 0, **{f"spam{k}": (number * 7 + k * k) % 4 for k in range(4)}},
        )
        for number in range(40)
    ]
    assert find_flagged(objects, "constant") == []


def test_a_flag_says_how_sure_it_is_and_what_else_could_explain_it():
    workers = flag(simulate("careful:2,average:3,copycat:2,constant,spammer", n_objects=400))
    masks = simulate("careful:2,average:3,empty", task=MASK, n_classes=3, n_objects=20)
    found = [
        (name, why)
        for worker in (*workers.values(), *flag(masks, task=MASK, n_classes=3).values())
        for name, why in worker.flags
    ]
    assert [name for name, _ in found].count("random") == 3
    assert {name for name, _ in found} == {"copying", "constant", "random", "haste"}
    for _, why in found:
        assert "; or " in why
        assert any(word in why for word in ("chance", "honest crews", "probability"))
