import json
import random

import pytest

from groundtruth.jobs import LabelingJob
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.worker_history.counts import MemorySkills
from tests.batches import CREW, SINGLE, RecordingSkills, labels, outcome, payload
from tests.examples import consolidate, labels_of

CLASSES = CREW.classes
ANSWERS, _ = CREW.batch("a", 50, per_object=3, seed=7)
AGREEING = {f"o{at}": dict.fromkeys(("ann", "ben", "cem"), "crab") for at in range(20)}
DIFFERING = {
    f"o{at}": {"ann": "crab", "ben": "star", "cem": "weed", "xan": "urchin"} for at in range(20)
}


def label_of(object_id, answers, **options):
    return labels(SINGLE, answers, classes=CLASSES, **options)[object_id]


def shown(answers, **options):
    """The response by object, to the last bit."""
    made = outcome(SINGLE, answers, classes=CLASSES, **options)
    return {item["datasetObjectId"]: json.dumps(item) for item in made.response}


def test_the_default_is_calibrated():
    assert label_of("0", {"0": {"ann": "crab"}})["algorithm"]["name"] == "calibrated"


@pytest.mark.parametrize("algorithm", ImageMultiClass.algorithms)
@pytest.mark.parametrize("others", [{}, AGREEING, DIFFERING], ids=["alone", "agree", "differ"])
def test_a_lone_answer_is_as_sure_as_what_is_known_of_its_worker(algorithm, others):
    label = label_of("0", {"0": {"zed": "star"}, **others}, consolidation_algorithm=algorithm)
    assert (label["class-name"], label["status"]) == ("star", "single-annotator")
    assert label["confidence"] == 0.7
    assert label["posterior"] == {"crab": 0.1, "star": 0.7, "urchin": 0.1, "weed": 0.1}


SHARED = [f"s{at}" for at in range(10)]


@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc"])
@pytest.mark.parametrize("others", [{}, AGREEING, DIFFERING], ids=["alone", "agree", "differ"])
def test_what_the_batch_says_of_a_worker_counts_for_the_worker_s_lone_answer(algorithm, others):
    lone = {"0": {"zed": "star"}, **others}
    right, wrong = (
        {one: {"ben": "star", "cem": "star", "dan": "star", "zed": chosen} for one in SHARED}
        for chosen in ("star", "crab")
    )
    unknown, trusted, distrusted = (
        label_of("0", lone | shared, consolidation_algorithm=algorithm)["posterior"]["star"]
        for shared in ({}, right, wrong)
    )
    assert distrusted < unknown == 0.7 < trusted


@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc"])
def test_a_lone_answer_moves_towards_the_accuracy_of_its_worker(algorithm):
    skills = MemorySkills()
    for number in range(6):
        batch, _ = CREW.batch(f"b{number}", 10, per_object=6, seed=3)
        outcome(SINGLE, batch, classes=CLASSES, skills=skills, event=at_minute(number))
    careful, careless = (
        label_of(
            "0",
            {"0": {worker: "star"}},
            skills=skills,
            event=at_minute(30),
            consolidation_algorithm=algorithm,
        )
        for worker in ("ann", "zed")
    )
    assert careful["confidence"] > 0.8
    assert careless["posterior"]["star"] < 0.5


def at_minute(minute):
    """An event of its own time, so that each payload is another object."""
    return {"payload": {"s3Uri": f"s3://bucket/requests/2026-05-04_09:{minute:02}:00.json"}}


@pytest.mark.parametrize("algorithm", ImageMultiClass.algorithms)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_objects_and_answers_changes_nothing(algorithm, seed):
    draw = random.Random(seed)
    order = draw.sample(sorted(ANSWERS), len(ANSWERS))
    shuffled = {
        name: dict(draw.sample(sorted(ANSWERS[name].items()), len(ANSWERS[name]))) for name in order
    }
    stores = (RecordingSkills(), RecordingSkills())
    straight, mixed = (
        shown(answers, consolidation_algorithm=algorithm, skills=skills)
        for answers, skills in zip((ANSWERS, shuffled), stores, strict=True)
    )
    assert list(mixed) == order
    assert mixed == straight
    assert stores[0].taught == stores[1].taught


@pytest.mark.parametrize("algorithm", ImageMultiClass.algorithms)
def test_renaming_the_classes_renames_the_labels(algorithm):
    new_names = dict(zip(CLASSES, ("ox", "ant", "gnu", "bee"), strict=True))
    renamed = {
        object_id: {worker: new_names[chosen] for worker, chosen in given.items()}
        for object_id, given in ANSWERS.items()
    }
    plain = labels(SINGLE, ANSWERS, classes=CLASSES, consolidation_algorithm=algorithm)
    other = labels(
        SINGLE, renamed, classes=sorted(new_names.values()), consolidation_algorithm=algorithm
    )
    for object_id, label in plain.items():
        expected = {new_names[name]: share for name, share in label["posterior"].items()}
        assert other[object_id]["posterior"] == pytest.approx(expected, abs=2e-6)
        if label["status"] != "tie":
            assert other[object_id]["class-name"] == new_names[label["class-name"]]


def test_an_answer_that_is_there_twice_counts_once():
    once = payload(ANSWERS)
    twice = [
        {**entry, "annotations": entry["annotations"] + entry["annotations"][:1]} for entry in once
    ]
    plain, doubled, repeated = (
        labels_of(
            consolidate(SINGLE, body, classes=CLASSES, consolidation_algorithm="calibrated"),
            "animal",
        )
        for body in (once, twice, once + once)
    )
    for found in (doubled, repeated):
        assert {item["reason"] for item in found["a-00"]["answers"].pop("set-aside")} == {
            "superseded"
        }
        assert found["a-00"]["posterior"] == plain["a-00"]["posterior"]
        assert found["a-00"]["votes"] == plain["a-00"]["votes"]
    assert list(repeated) == list(plain)


@pytest.mark.parametrize("algorithm", ImageMultiClass.algorithms)
@pytest.mark.parametrize("n_classes", [1, 2, 1000])
def test_any_number_of_classes_will_do(algorithm, n_classes):
    names = [f"c{at}" for at in range(n_classes)]
    last = names[-1]
    answers = {
        "0": {"ann": last, "ben": last, "cem": names[0]},
        "1": {"ann": last, "ben": last},
        "2": {"ann": last},
    }
    found = labels(
        SINGLE, answers, classes=names, consolidation_algorithm=algorithm, skills=MemorySkills()
    )
    for label in found.values():
        assert label["class-name"] == last
        assert sum(label["posterior"].values()) <= 1 + 1e-5
        assert len(label["posterior"]) <= 100
    if algorithm != "builtin":
        assert found["1"]["confidence"] >= found["0"]["confidence"]
        assert found["2"]["confidence"] == (1.0 if n_classes == 1 else found["2"]["confidence"])


@pytest.mark.parametrize("algorithm", ImageMultiClass.algorithms)
def test_without_an_answer_there_is_no_label_and_no_class_is_needed(algorithm):
    found = labels(SINGLE, {"0": {}, "1": {"ann": ""}}, consolidation_algorithm=algorithm)
    assert {label["status"] for label in found.values()} == {"no-usable-answer"}


@pytest.mark.parametrize("algorithm", ImageMultiClass.algorithms)
def test_the_posterior_holds_what_was_chosen_and_what_is_probable(algorithm):
    found = labels(SINGLE, ANSWERS, classes=CLASSES, consolidation_algorithm=algorithm)
    for object_id, label in found.items():
        chosen = set(ANSWERS[object_id].values())
        assert chosen <= set(label["posterior"])
        rest = {name: share for name, share in label["posterior"].items() if name not in chosen}
        assert all(share > 0.01 for share in rest.values())
        assert label["posterior"][label["class-name"]] == max(label["posterior"].values())
        if algorithm != "builtin":
            assert label["confidence"] == label["posterior"][label["class-name"]]


@pytest.mark.parametrize(
    ("tag", "value", "algorithm", "changes"),
    [
        ("error-correlation", "0.9", "calibrated", True),
        ("posterior-mix", "0.9", "calibrated", True),
        ("worker-strength", "1", "calibrated", True),
        ("worker-strength", "1", "weighted", True),
        ("worker-strength", "1", "dawid-skene", True),
        ("row-strength", "1", "calibrated", True),
        ("frequency-weight", "0.9", "calibrated", True),
        ("vote-smoothing", "1", "calibrated", True),
        ("vote-smoothing", "1", "weighted", True),
        ("error-correlation", "0.9", "weighted", False),
        ("worker-strength", "1", "majority", False),
        ("row-strength", "1", "dawid-skene", False),
        ("worker-strength", "1", "ebcc", False),
        ("frequency-weight", "0.9", "dawid-skene", False),
        ("vote-smoothing", "1", "majority", False),
    ],
)
def test_a_tag_of_the_job_changes_its_labels(tag, value, algorithm, changes):
    tags = {"consolidation:algorithm": algorithm}
    plain = outcome(SINGLE, ANSWERS, classes=CLASSES, job=LabelingJob(tags=tags))
    tags = tags | {f"consolidation:{tag}": value}
    tagged = outcome(SINGLE, ANSWERS, classes=CLASSES, job=LabelingJob(tags=tags))
    assert tagged.notes == ()
    before, after = ([one.confidence for one in made.labels] for made in (plain, tagged))
    assert (before != after) is changes


def test_worker_strength_counts_with_many_classes_too():
    names = [f"c{at}" for at in range(30)]
    answers = {f"{at}": {"ann": "c1", "ben": "c1", "cem": f"c{at}"} for at in range(9)}
    weak, strong = (
        labels(SINGLE, answers, classes=names, worker_strength=strength) for strength in (1.0, 50.0)
    )
    assert weak["8"]["confidence"] != strong["8"]["confidence"]
