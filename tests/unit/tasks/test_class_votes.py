import json

import pytest

from groundtruth.tasks.classification.algorithms import WITH_MODEL
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import ALL_WORKERS, SkillStoreError
from tests.batches import CREW, SINGLE, RecordingSkills, labels, outcome, source
from tests.memory_store import MemoryStore

CLASSES = CREW.classes
ANSWERS, TRUTH = CREW.batch("a", 20, per_object=3, seed=7)
SIDE = "s3://bucket/side.jsonl"


def label_of(object_id, answers, **options):
    return labels(SINGLE, answers, classes=CLASSES, **options)[object_id]


def with_side_file(setting, entries, answers, **options):
    body = "\n".join(json.dumps(entry) for entry in entries).encode()
    store = MemoryStore({SIDE: body})
    return labels(SINGLE, answers, classes=CLASSES, store=store, **{setting: SIDE}, **options)


KNOWN = [f"o{at}" for at in range(20)]
GOLD_BY_SOURCE = [{"source-ref": source(object_id), "label": "star"} for object_id in KNOWN[:10]]
GOLD_BY_ID = [{"object-id": object_id, "label": "star"} for object_id in KNOWN[:10]]


@pytest.mark.parametrize("entries", [GOLD_BY_SOURCE, GOLD_BY_ID], ids=["source", "id"])
@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc"])
def test_gold_teaches_who_is_right(algorithm, entries):
    answers = {
        **{at: {"ann": "crab", "ben": "crab", "xan": "star"} for at in KNOWN},
        "open": {"ann": "crab", "xan": "star"},
    }
    options = {"consolidation_algorithm": algorithm}
    plain = label_of("open", answers, **options)
    told = with_side_file("gold_labels_s3_uri", entries, answers, **options)["open"]
    assert plain["class-name"] == "crab"
    assert told["posterior"]["star"] > plain["posterior"]["star"]
    assert told["votes"] == {"crab": 1, "star": 1}


def test_gold_tells_of_workers_but_not_what_their_answers_say():
    answers = {"0": {"ann": "crab", "ben": "crab"}}
    gold = [{"object-id": "0", "label": "weed"}]
    label = with_side_file("gold_labels_s3_uri", gold, answers)["0"]
    assert label["class-name"] == "crab"


def test_a_lone_answer_to_a_gold_object_teaches_the_store():
    skills = MemorySkills()
    gold = [{"object-id": f"g{at}", "label": "crab"} for at in range(30)]
    answers = {f"g{at}": {"ann": "crab"} for at in range(30)}
    with_side_file("gold_labels_s3_uri", gold, answers, skills=skills)
    event = {"payload": {"s3Uri": "s3://bucket/requests/2026-05-04_09:55:00.json"}}
    later = label_of("0", {"0": {"ann": "star"}}, skills=skills, event=event)
    assert later["confidence"] > 0.8


MODEL = [{"object-id": object_id, "label": "star"} for object_id in ("0", "1")]
TIED = {"0": {"ann": "crab", "ben": "star"}, "1": {"ann": "star"}, "2": {"cem": "crab"}}


@pytest.mark.parametrize("algorithm", WITH_MODEL)
def test_a_model_is_one_more_worker_who_is_not_in_the_votes(algorithm):
    options = {"consolidation_algorithm": algorithm}
    plain = labels(SINGLE, TIED, classes=CLASSES, **options)
    helped = with_side_file("model_answers_s3_uri", MODEL, TIED, **options)
    assert helped["0"]["class-name"] == "star"
    assert helped["0"]["posterior"]["star"] > plain["0"]["posterior"]["star"]
    assert helped["0"]["votes"] == {"crab": 1, "star": 1}
    assert helped["0"]["answers"] == {"used": 2, "set-aside": []}
    assert helped["1"]["status"] == "single-annotator"
    assert helped["2"]["confidence"] == plain["2"]["confidence"]


@pytest.mark.parametrize("algorithm", sorted({*ImageMultiClass.algorithms} - {*WITH_MODEL}))
def test_where_a_model_cannot_be_held_down_it_does_not_count(algorithm):
    options = {"consolidation_algorithm": algorithm}
    plain = labels(SINGLE, TIED, classes=CLASSES, **options)
    helped = with_side_file("model_answers_s3_uri", MODEL, TIED, **options)
    assert [one["posterior"] for one in helped.values()] == [
        one["posterior"] for one in plain.values()
    ]


@pytest.mark.parametrize("algorithm", WITH_MODEL)
def test_a_model_weighs_no_more_than_it_may(algorithm):
    said = [{"object-id": "0", "label": "weed"}]
    answers = {"0": {"ann": "crab", "ben": "crab"}}
    shares = [
        with_side_file(
            "model_answers_s3_uri",
            said,
            answers,
            model_max_weight=weight,
            consolidation_algorithm=algorithm,
        )["0"]["posterior"].get("weed", 0.0)
        for weight in (0.0, 0.1, 0.3)
    ]
    plain = label_of("0", answers, consolidation_algorithm=algorithm)["posterior"].get("weed", 0.0)
    assert plain == shares[0] < shares[1] < shares[2] < 0.5


def test_a_model_has_a_skill_record_of_its_own_for_each_file():
    skills = RecordingSkills()
    said = [{"object-id": object_id, "label": TRUTH[object_id]} for object_id in ANSWERS]
    with_side_file("model_answers_s3_uri", said, ANSWERS, skills=skills)
    taught = {worker for amounts in skills.taught.values() for worker in amounts}
    (model,) = taught - {ALL_WORKERS, *CREW.accuracies}
    assert model.startswith("model.")
    assert model in skills.asked
    per_object = [sum(amounts[model].values()) for amounts in skills.taught.values()]
    assert per_object == pytest.approx([1.0] * len(ANSWERS))


class BrokenSkills(MemorySkills):
    """A store that answers nothing."""

    def history(self, key, **asked):
        raise SkillStoreError("too many requests", reason="throttled")


@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc"])
def test_a_store_that_fails_changes_no_label_and_every_label_says_so(algorithm):
    options = {"consolidation_algorithm": algorithm}
    plain = labels(SINGLE, ANSWERS, classes=CLASSES, **options)
    failed = labels(SINGLE, ANSWERS, classes=CLASSES, skills=BrokenSkills(), **options)
    note = "worker skill was not read (throttled): too many requests"
    assert {label.pop("worker-skill") for label in failed.values()} == {note}
    assert failed == plain


@pytest.mark.parametrize("algorithm", ["majority", "builtin"])
def test_an_algorithm_without_skill_asks_no_store(algorithm):
    made = outcome(
        SINGLE,
        ANSWERS,
        classes=CLASSES,
        consolidation_algorithm=algorithm,
        skills=BrokenSkills(),
    )
    assert made.skill_note == ""
