"""Known images tell how frequent each class is, from call to call."""

import json

import pytest

from groundtruth.tasks.classification.algorithms import MOST_POOLED_CLASSES
from groundtruth.worker_history.counts import MemorySkills
from tests.batches import SINGLE, RecordingSkills, labels
from tests.memory_store import MemoryStore

CLASSES = ("crab", "star")
SIDE = "s3://bucket/side.jsonl"
KNOWN = {f"g{at}": "star" for at in range(50)}
SEEN = {at: {f"w{at}": "star", f"v{at}": "star"} for at in KNOWN}
OPEN = {"open": {"ann": "crab", "ben": "star"}}
LATER = {"payload": {"s3Uri": "s3://bucket/requests/2026-05-04_09:55:00.json"}}


def consolidate(answers, skills, known=KNOWN, classes=CLASSES, **options):
    lines = [json.dumps({"object-id": at, "label": label}) for at, label in known.items()]
    store = MemoryStore({SIDE: "\n".join(lines).encode()})
    options |= {"store": store, "gold_labels_s3_uri": SIDE, "skills": skills}
    return labels(SINGLE, answers, classes=classes, **options)


def of_open(skills, **options):
    return consolidate(OPEN, skills, event=LATER, **options)["open"]["posterior"]


def test_gold_of_earlier_calls_tells_how_frequent_classes_are():
    told, deaf = MemorySkills(), MemorySkills()
    consolidate(SEEN, told)
    consolidate(SEEN, deaf, gold_frequencies=False)
    assert of_open(told)["star"] > of_open(deaf, gold_frequencies=False)["star"] + 0.1


def test_what_was_kept_does_not_count_where_the_setting_says_no():
    told, deaf = MemorySkills(), MemorySkills()
    consolidate(SEEN, told)
    consolidate(SEEN, deaf, gold_frequencies=False)
    without = of_open(told, gold_frequencies=False)
    assert without == of_open(deaf, gold_frequencies=False)


def test_only_known_images_that_were_answered_are_counted():
    skills = MemorySkills()
    consolidate(OPEN, skills)
    without = of_open(MemorySkills(), known={"other": "star"})
    assert of_open(MemorySkills()) == without


@pytest.mark.parametrize("n_classes", [2, MOST_POOLED_CLASSES + 1])
def test_each_known_image_is_kept_once_with_its_class(n_classes):
    skills = RecordingSkills()
    classes = [*CLASSES, *(f"class {at}" for at in range(n_classes - 2))]
    answers = {"g0": {"ann": "crab"}, "g1": {"ann": "star", "ben": "crab"}, **OPEN}
    consolidate(answers, skills, classes=classes)
    kept = {
        at: {
            cell: amount
            for cells in taught.values()
            for cell, amount in cells.items()
            if "gold" in cell
        }
        for at, taught in skills.taught.items()
    }
    assert kept == {"g0": {"gold:1": 1.0}, "g1": {"gold:1": 1.0}, "open": {}}


def test_gold_of_another_job_tells_nothing():
    told, deaf = MemorySkills(), MemorySkills()
    other = {"labelingJobArn": "arn:aws:sagemaker:us-west-2:111122223333:labeling-job/other"}
    consolidate(SEEN, told, event=other)
    consolidate(SEEN, deaf, event=other, gold_frequencies=False)
    assert of_open(told) == of_open(deaf)


def test_a_damaged_count_is_left_out():
    class Damaged(MemorySkills):
        def history(self, key, *, workers, **asked):
            cells = {"gold:7": 9.0, "gold:x": 9.0, "gold:1": -3.0}
            return dict.fromkeys(workers, cells)

    assert of_open(Damaged()) == of_open(MemorySkills())
