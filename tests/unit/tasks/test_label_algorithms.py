import json
import random

import pytest

from groundtruth.jobs import LabelingJob
from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import ALL_WORKERS
from tests.batches import MULTI, RecordingSkills, labels, outcome, source
from tests.memory_store import MemoryStore

CLASSES = ("cat", "dog", "grass", "none")
CREW = ("ann", "ben", "cem", "xan")
SIDE = "s3://bucket/side.jsonl"


def batch(n_objects, seed=0):
    """Three of four workers each; xan ticks at random, the others are mostly right."""
    draw = random.Random(seed)
    answers = {}
    for number in range(n_objects):
        true = draw.sample(CLASSES[:3], draw.randint(1, 3))
        answers[f"{seed}-{number:02}"] = {
            worker: draw.sample(CLASSES[:3], draw.randint(1, 3))
            if worker == "xan" or draw.random() < 0.2
            else true
            for worker in draw.sample(CREW, 3)
        }
    return answers


ANSWERS = batch(40)


def found(answers=ANSWERS, **options):
    return labels(MULTI, answers, classes=CLASSES, **options)


def with_side_file(setting, entries, answers, **options):
    body = "\n".join(json.dumps(entry) for entry in entries).encode()
    return found(answers, store=MemoryStore({SIDE: body}), **{setting: SIDE}, **options)


def at_minute(minute):
    return {"payload": {"s3Uri": f"s3://bucket/requests/2026-05-04_09:{minute:02}:00.json"}}


def test_the_default_is_calibrated():
    assert found()["0-00"]["algorithm"]["name"] == "calibrated"


AGREEING = {f"o{at}": {worker: ["cat", "dog"] for worker in CREW} for at in range(10)}
DIFFERING = {f"o{at}": dict(zip(CREW, (["cat"], ["dog"]) * 2, strict=True)) for at in range(10)}


@pytest.mark.parametrize("algorithm", ImageMultiClassMultiLabel.algorithms)
@pytest.mark.parametrize("others", [{}, AGREEING, DIFFERING], ids=["alone", "agree", "differ"])
def test_a_lone_answer_is_as_sure_as_what_is_known_of_its_worker(algorithm, others):
    label = found({"0": {"zed": ["dog", "cat"]}, **others}, consolidation_algorithm=algorithm)["0"]
    assert label["status"] == "single-annotator"
    assert label["class-ids"] == [1, 0]
    assert label["confidence-map"] == {"1": 0.7, "0": 0.7}


def test_what_the_batch_says_of_a_worker_counts_for_the_worker_s_lone_answer():
    right, wrong = (
        {
            f"s{at}": {"ann": ["cat"], "ben": ["cat"], "cem": ["cat"], "zed": [chosen]}
            for at in range(10)
        }
        for chosen in ("cat", "grass")
    )
    unknown, trusted, distrusted = (
        found({"0": {"zed": ["cat"]}, **shared})["0"]["confidence-map"]["0"]
        for shared in ({}, right, wrong)
    )
    assert distrusted < unknown == 0.7 < trusted


def test_a_lone_answer_moves_towards_the_accuracy_of_its_worker():
    skills = MemorySkills()
    for seed in range(8):
        found(batch(10, seed), skills=skills, event=at_minute(seed))
    careful, careless = (
        found({"0": {worker: ["cat", "dog"]}}, skills=skills, event=at_minute(30))["0"]
        for worker in ("ann", "xan")
    )
    assert min(careful["confidence-map"].values()) > 0.75
    assert min(careless["confidence-map"].values()) < 0.65


def test_a_lone_worker_who_is_always_wrong_fails_no_batch():
    skills = MemorySkills()
    gold = [{"object-id": f"g{at}", "labels": ["dog"]} for at in range(40)]
    answers = {f"g{at}": {"zed": ["cat"]} for at in range(40)}
    with_side_file("gold_labels_s3_uri", gold, answers, skills=skills)
    label = found({"0": {"zed": ["cat"]}}, skills=skills, event=at_minute(30))["0"]
    assert label["class-ids"] == [0]
    assert label["confidence-map"]["0"] < 0.2


@pytest.mark.parametrize("algorithm", ImageMultiClassMultiLabel.algorithms)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_objects_and_answers_changes_nothing(algorithm, seed):
    draw = random.Random(seed)
    order = draw.sample(sorted(ANSWERS), len(ANSWERS))
    shuffled = {
        name: dict(draw.sample(sorted(ANSWERS[name].items()), len(ANSWERS[name]))) for name in order
    }
    stores = (RecordingSkills(), RecordingSkills())
    straight, mixed = (
        found(answers, consolidation_algorithm=algorithm, skills=skills)
        for answers, skills in zip((ANSWERS, shuffled), stores, strict=True)
    )
    assert list(mixed) == order
    assert {name: json.dumps(mixed[name]) for name in sorted(order)} == {
        name: json.dumps(label) for name, label in straight.items()
    }
    assert stores[0].taught == stores[1].taught


@pytest.mark.parametrize("algorithm", ImageMultiClassMultiLabel.algorithms)
@pytest.mark.parametrize("n_classes", [1, 2, 1000])
def test_any_number_of_classes_will_do(algorithm, n_classes):
    names = [f"c{at}" for at in range(n_classes)]
    answers = {
        "0": {"ann": [names[-1]], "ben": [names[-1]], "cem": [names[0]]},
        "1": {"ann": [names[-1]]},
        "2": {},
    }
    made = labels(
        MULTI, answers, classes=names, consolidation_algorithm=algorithm, skills=MemorySkills()
    )
    assert made["0"]["class-ids"][0] == n_classes - 1
    assert made["1"]["class-ids"] == [n_classes - 1]
    assert (made["2"]["class-ids"], made["2"]["status"]) == ([], "no-usable-answer")


def test_without_any_class_there_is_no_label():
    assert labels(MULTI, {"0": {}})["0"]["status"] == "no-usable-answer"


@pytest.mark.parametrize("algorithm", ["calibrated", "majority"])
def test_labels_pass_the_quorum(algorithm):
    answers = {"0": {"ann": ["cat", "dog"], "ben": ["cat"], "cem": ["cat", "grass"]}}
    sizes = [
        len(found(answers, consolidation_algorithm=algorithm, quorum=quorum)["0"]["class-ids"])
        for quorum in (0.2, 0.5)
    ]
    assert sizes == [3, 1]


@pytest.mark.parametrize("algorithm", ["calibrated", "majority"])
@pytest.mark.parametrize("quorum", [0.5, 1.0])
def test_where_no_label_passes_the_best_one_stands_in(algorithm, quorum):
    answers = {"0": {"ann": ["cat"], "ben": ["dog"], "cem": ["grass", "dog"], "xan": ["none"]}}
    label = found(answers, consolidation_algorithm=algorithm, quorum=quorum)["0"]
    assert label["class-ids"] == [1]
    assert label["status"] in ("low-confidence", "tie")


@pytest.mark.parametrize("algorithm", ["calibrated", "majority"])
def test_the_exclusion_category_stands_alone_or_not_at_all(algorithm):
    options = {"consolidation_algorithm": algorithm, "exclusion_category": "none", "quorum": 0.2}
    answers = {
        "0": {"ann": ["none"], "ben": ["none"], "cem": ["cat"]},
        "1": {"ann": ["cat", "none"], "ben": ["cat"], "cem": ["none", "dog"]},
    }
    made = found(answers, **options)
    assert made["0"]["class-ids"] == [3]
    assert 3 not in made["1"]["class-ids"]
    assert made["1"]["class-ids"][0] == 0


def test_a_tag_of_the_job_changes_its_labels():
    plain = outcome(MULTI, ANSWERS, classes=CLASSES).labels
    for tag in (
        "error-correlation",
        "worker-strength",
        "row-strength",
        "vote-smoothing",
    ):
        job = LabelingJob(tags={f"consolidation:{tag}": "0.9"})
        tagged = outcome(MULTI, ANSWERS, classes=CLASSES, job=job)
        assert tagged.notes == ()
        changed = [
            one for one, other in zip(tagged.labels, plain, strict=True)
            if one.posterior != other.posterior
        ]  # fmt: skip
        assert changed, tag


@pytest.mark.parametrize("by", ["source-ref", "object-id"])
def test_gold_teaches_who_is_right(by):
    names = [f"o{at}" for at in range(20)]
    gold = [
        {by: source(name) if by == "source-ref" else name, "labels": ["cat", "dog"]}
        for name in names
    ]
    answers = {
        **{name: {"ann": ["grass"], "xan": ["cat", "dog"]} for name in names},
        "open": {"ann": ["grass"], "xan": ["cat", "dog"]},
    }
    told, plain = (
        made["open"]["confidence-map"]
        for made in (
            with_side_file("gold_labels_s3_uri", gold, answers, quorum=0.0),
            found(answers, quorum=0.0),
        )
    )
    assert min(told["0"], told["1"]) > max(plain["0"], plain["1"])
    assert told["2"] < plain["2"]


def test_gold_without_a_label_says_that_none_applies():
    skills = RecordingSkills()
    gold = [{"object-id": "0", "labels": []}]
    with_side_file("gold_labels_s3_uri", gold, {"0": {"ann": ["cat", "dog"]}}, skills=skills)
    wrong, right = {"0:0:1": 1.0, "1:0:1": 1.0}, {"2:0:0": 1.0, "3:0:0": 1.0}
    assert skills.taught == {"0": {"ann": wrong | right}}


def test_a_model_counts_once_and_weighs_no_more_than_it_may():
    answers = {"0": {"ann": ["cat"], "ben": ["cat", "dog"]}}
    said = [{"object-id": "0", "labels": ["dog"]}]
    low, high = (
        with_side_file("model_answers_s3_uri", said, answers, quorum=0.0, model_max_weight=weight)
        for weight in (0.05, 0.5)
    )
    plain = found(answers, quorum=0.0)["0"]
    zero = with_side_file("model_answers_s3_uri", said, answers, quorum=0.0, model_max_weight=0.0)
    shares = [one["confidence-map"]["1"] for one in (plain, low["0"], high["0"])]
    assert zero["0"]["confidence-map"] == plain["confidence-map"]
    assert shares[0] < shares[1] < shares[2]
    assert high["0"]["votes"] == plain["votes"] == {"cat": 2, "dog": 1}
    assert high["0"]["answers"]["used"] == 2


@pytest.mark.parametrize("algorithm", ["majority", "builtin"])
def test_an_algorithm_without_skill_knows_no_model(algorithm):
    said = [{"object-id": name, "labels": ["dog"]} for name in ANSWERS]
    options = {"consolidation_algorithm": algorithm}
    helped = with_side_file("model_answers_s3_uri", said, ANSWERS, **options)
    plain = found(**options)
    assert [one["confidence-map"] for one in helped.values()] == [
        one["confidence-map"] for one in plain.values()
    ]


def test_what_batches_show_of_dependent_errors_is_kept_for_all_workers():
    skills = RecordingSkills()
    names = found(skills=skills)
    assert set(skills.taught) == set(names)
    for amounts in skills.taught.values():
        assert set(amounts[ALL_WORKERS]) <= {"hits", "-hits", "hits_scale", "pairs"}
        assert all(amount > 0 for amount in amounts[ALL_WORKERS].values())


def test_kept_evidence_makes_a_small_batch_surer():
    draw = random.Random(5)
    crew = [f"w{at}" for at in range(5)]

    def independent(n_objects, start):
        answers = {}
        for number in range(start, start + n_objects):
            true = {name for name in CLASSES if draw.random() < 0.4} or {"cat"}
            ticks = {
                worker: [name for name in CLASSES if (draw.random() < 0.85) == (name in true)]
                for worker in crew
            }
            answers[f"{number:04}"] = {
                worker: ticked or ["none"] for worker, ticked in ticks.items()
            }
        return answers

    skills = MemorySkills()
    found(independent(300, 0), skills=skills, event=at_minute(1))
    batch_of_few = independent(10, 900)
    kept, forgotten = (
        found(batch_of_few, skills=known, event=at_minute(2)) for known in (skills, MemorySkills())
    )

    def mean_confidence(made):
        sure = [value for label in made.values() for value in label["confidence-map"].values()]
        return sum(sure) / len(sure)

    assert mean_confidence(kept) > mean_confidence(forgotten) + 0.1
