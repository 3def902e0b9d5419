"""What is kept of all workers together, and who and what is in it."""

import json

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.dependence import EVIDENCE_CELLS
from groundtruth.aggregation.classification.em import VoteData
from groundtruth.tasks.classification import algorithms as class_algorithms
from groundtruth.tasks.classification.algorithms import MOST_POOLED_CLASSES
from groundtruth.worker_history.counts import MemorySkills, to_millionths
from groundtruth.worker_history.dynamodb import group_parts
from groundtruth.worker_history.store import ALL_WORKERS
from tests.batches import CREW, SINGLE, Crew, RecordingSkills, labels
from tests.memory_store import MemoryStore

CLASSES = CREW.classes
ANSWERS, TRUTH = CREW.batch("a", 20, per_object=3, seed=7)
SIDE = "s3://bucket/side.jsonl"


def with_side_file(setting, entries, answers, **options):
    body = "\n".join(json.dumps(entry) for entry in entries).encode()
    store = MemoryStore({SIDE: body})
    return labels(SINGLE, answers, classes=CLASSES, store=store, **{setting: SIDE}, **options)


def counts_of_all(amounts):
    """What is kept of all workers together, but for how they err together."""
    kept = amounts.get(ALL_WORKERS, {})
    return {cell: amount for cell, amount in kept.items() if cell not in EVIDENCE_CELLS}


def test_what_all_workers_did_is_kept_as_the_sum_of_what_each_did():
    skills = RecordingSkills()
    said = [{"object-id": object_id, "label": TRUTH[object_id]} for object_id in ANSWERS]
    with_side_file("model_answers_s3_uri", said, ANSWERS, skills=skills)
    assert ALL_WORKERS in skills.asked
    for amounts in skills.taught.values():
        sums = {}
        for worker in CREW.accuracies.keys() & amounts.keys():
            for cell, amount in amounts[worker].items():
                sums[cell] = sums.get(cell, 0.0) + amount
        assert counts_of_all(amounts) == pytest.approx(sums)


@pytest.mark.parametrize("worker", ["all-workers", "ALL", " "])
def test_no_worker_has_the_name_of_all_workers(worker):
    skills, others = RecordingSkills(), RecordingSkills()
    for store, name in ((skills, worker), (others, "zoe")):
        answers = {at: {name: "crab", **given} for at, given in ANSWERS.items()}
        labels(SINGLE, answers, classes=CLASSES, skills=store)
    for object_id, amounts in skills.taught.items():
        wanted = others.taught[object_id]
        assert amounts[worker] == pytest.approx(wanted["zoe"])
        assert amounts[ALL_WORKERS] == pytest.approx(wanted[ALL_WORKERS])


def test_an_answer_without_a_worker_is_not_taken_for_that_of_all_workers():
    skills, others = RecordingSkills(), RecordingSkills()
    answers = {at: {**given, "": "crab"} for at, given in ANSWERS.items()}
    found = labels(SINGLE, answers, classes=CLASSES, skills=skills)
    labels(SINGLE, ANSWERS, classes=CLASSES, skills=others)
    assert skills.taught == others.taught
    for label in found.values():
        assert [one["reason"] for one in label["answers"]["set-aside"]] == ["no-worker-id"]


def test_a_batch_without_a_usable_answer_asks_for_nobody():
    skills = RecordingSkills()
    labels(SINGLE, {"0": {"ann": "no class"}}, classes=CLASSES, skills=skills)
    assert (list(skills.asked), skills.taught) == ([], None)


@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc"])
@pytest.mark.parametrize("n_classes", [MOST_POOLED_CLASSES, MOST_POOLED_CLASSES + 1])
def test_workers_are_added_up_by_the_number_of_classes(n_classes, algorithm):
    skills = RecordingSkills()
    classes = [*CLASSES, *(f"class {at}" for at in range(n_classes - len(CLASSES)))]
    options = {"classes": classes, "skills": skills, "consolidation_algorithm": algorithm}
    labels(SINGLE, ANSWERS, **options)
    kept = n_classes <= MOST_POOLED_CLASSES
    assert all(bool(counts_of_all(amounts)) == kept for amounts in skills.taught.values())


@pytest.mark.parametrize("n_classes", [3, 20])
def test_how_workers_err_together_is_kept_and_asked_for(n_classes):
    skills = RecordingSkills()
    classes = [*CLASSES, *(f"class {at}" for at in range(n_classes - len(CLASSES)))]
    labels(SINGLE, ANSWERS, classes=classes, skills=skills)
    assert ALL_WORKERS in skills.asked
    for object_id, amounts in skills.taught.items():
        n_answers = len(ANSWERS[object_id])
        kept = {
            cell: amounts[ALL_WORKERS][cell]
            for cell in EVIDENCE_CELLS
            if cell in amounts[ALL_WORKERS]
        }
        assert kept["pairs"] == n_answers * (n_answers - 1)
        assert {cell.removeprefix("-") for cell in kept} == {*EVIDENCE_CELLS[:5]}
        assert all(amount >= 0 for amount in kept.values())


def test_with_many_classes_workers_are_not_added_up():
    skills = RecordingSkills()
    classes = [*CLASSES, *(f"class {at}" for at in range(20))]
    labels(SINGLE, ANSWERS, classes=classes, skills=skills)
    assert set(skills.asked) == {ALL_WORKERS, *CREW.accuracies}
    assert {worker for amounts in skills.taught.values() for worker in amounts} <= set(skills.asked)
    assert not any(counts_of_all(amounts) for amounts in skills.taught.values())


def test_strangers_are_judged_by_what_all_workers_did():
    skills = MemorySkills()
    told = [{"object-id": f"t{at}", "label": ("star", "crab")[at % 2]} for at in range(300)]
    # Whoever is asked calls every second star a crab.
    seen = {
        f"t{at}": {f"w{at}": "crab" if at % 4 == 0 else told[at]["label"], f"v{at}": "crab"}
        for at in range(300)
    }
    for first in range(0, 300, 50):
        part = dict(list(seen.items())[first : first + 50])
        with_side_file("gold_labels_s3_uri", told, part, skills=skills)
    new = {"open": {"ann": "crab", "ben": "star"}}
    assert labels(SINGLE, new, classes=CLASSES, skills=skills)["open"]["class-name"] == "star"


def test_what_is_stored_of_a_model_is_not_taken_for_what_people_did(monkeypatch):
    said = [{"object-id": object_id, "label": TRUTH[object_id]} for object_id in ANSWERS]
    pools = []
    for amounts in ({}, {"0:1": 9000.0, "1:1": 30.0, "2:0": 5.0}):
        store = StoredModel(amounts)
        monkeypatch.setattr(class_algorithms, "calibrated", spied(pools))
        with_side_file("model_answers_s3_uri", said, ANSWERS, skills=store)
    without, with_record = pools
    assert without.absent_answers == with_record.absent_answers > 0
    assert without.absent_right == with_record.absent_right
    for name in ("answers", "ease", "mistakes"):
        assert np.array_equal(getattr(without, name), getattr(with_record, name)), name


class StoredModel(MemorySkills):
    """A store that knows all workers together, and a model."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def history(self, key, *, workers, **asked):
        found = {worker: {} for worker in workers}
        found[ALL_WORKERS] = {"0:0": 40.0, "0:1": 9.0, "1:1": 60.0, "2:2": 50.0, "3:2": 20.0}
        (model,) = (worker for worker in workers if worker.startswith("model."))
        return {**found, model: self.model}


def spied(pools):
    """The algorithm, which also tells what it takes for known of all workers."""

    def run(votes, *, prior_counts, gold, **options):
        population = options["population_counts"], options["in_population"]
        pools.append(VoteData.from_votes(votes, prior_counts, gold, *population).population)
        return calibrated(votes, prior_counts=prior_counts, gold=gold, **options)

    return run


@pytest.mark.parametrize(
    ("n_classes", "most"), [(MOST_POOLED_CLASSES, 1), (MOST_POOLED_CLASSES + 1, 4), (20, 12)]
)
def test_a_full_batch_of_a_crew_that_guesses_needs_few_transactions(n_classes, most):
    classes = [f"class {at}" for at in range(n_classes)]
    crew = Crew({f"w{at}": 0.2 for at in range(9)}, classes)
    skills = RecordingSkills()
    answers, _ = crew.batch("full", 50, per_object=9, seed=1)
    labels(SINGLE, answers, classes=classes, skills=skills)
    assert len(group_parts(to_millionths(skills.taught))) <= most
