"""Multi-label jobs: however a job is cut into shards, its labels are those of the whole."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.annotations import Answers
from groundtruth.auxiliary_inputs import NO_LABELS, AuxiliaryLabels
from groundtruth.settings import Settings
from groundtruth.sharding.plan import Plan
from groundtruth.tasks.base import ConsolidationContext
from groundtruth.tasks.multilabel.algorithms import place_labels, predict
from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel
from tests.memory_store import MemoryStore
from tests.shards import consolidate_shards

pytestmark = pytest.mark.slow

TASK = ImageMultiClassMultiLabel()
CREW = ("ann", "ben", "cem", "dan", "eve", "fay")
CLASSES = ("cat", "dog", "grass", "none")
MADE_AT = datetime(2026, 3, 2, 10, 15, 28, tzinfo=UTC)
MODEL_URI = "s3://bucket/model.jsonl"

LABELS = st.lists(st.sampled_from(range(4)), min_size=1, unique=True).map(tuple)
ANSWERS = st.dictionaries(st.sampled_from(CREW), LABELS)
OBJECTS = st.lists(
    st.tuples(ANSWERS, st.none() | LABELS, st.none() | LABELS), min_size=1, max_size=12
)
CUTS = st.lists(st.integers(0, 12), max_size=4)


def make_context(objects, settings):
    gold, model = (
        AuxiliaryLabels(
            {},
            {
                f"{index:02}": tuple(CLASSES[label] for label in row[column])
                for index, row in enumerate(objects)
                if row[column] is not None
            },
        )
        for column in (1, 2)
    )
    return ConsolidationContext(
        classes=CLASSES,
        classes_known=True,
        settings=settings,
        job_name="labeling-job/cats",
        made_at=MADE_AT,
        masks_uri="",
        store=MemoryStore(),
        kms_key=None,
        gold=gold,
        model=model if settings.model_answers_s3_uri else NO_LABELS,
    )


def make_plan(settings):
    has_model = bool(settings.model_answers_s3_uri)
    return Plan(
        task=TASK.name,
        settings=settings,
        classes=CLASSES,
        n_workers=len(CREW) + has_model,
        job_name="labeling-job/cats",
        made_at=MADE_AT.isoformat(),
        options={"model_max_weight": settings.model_max_weight} if has_model else {},
        shards=(),
    )


def make_shard(objects, *, with_model):
    """The arrays of a shard's file; the model also says something of objects nobody answered."""
    rows, places = [], []
    gold = np.full((len(objects), len(CLASSES)), -1, np.int8)
    for index, (answers, truth, model) in enumerate(objects):
        given = [(CREW.index(worker), labels) for worker, labels in answers.items()]
        if len(given) == 1:
            places.append(place_labels(given[0][1], len(CLASSES)))
        if with_model and model is not None:
            given.append((len(CREW), model))
        rows += [(index, worker, labels) for worker, labels in given]
        if truth is not None:
            gold[index] = np.isin(range(len(CLASSES)), truth)
    return {
        "n_objects": np.array(len(objects)),
        "items": np.array([row[0] for row in rows], np.int32),
        "workers": np.array([row[1] for row in rows], np.int32),
        "picked": np.array(
            [np.isin(range(len(CLASSES)), row[2]) for row in rows], np.bool_
        ).reshape(-1, len(CLASSES)),
        "places": np.array(places, np.int16).reshape(-1, len(CLASSES)),
        "gold": gold,
    }


def cut(objects, places):
    edges = sorted({0, len(objects), *(place for place in places if place < len(objects))})
    return [objects[start:end] for start, end in pairwise(edges)]


def read_state(state):
    """What was decided on each object of a shard, or None, as `predict` says it."""
    found = []
    for index, used in enumerate(state["used"].tolist()):
        rows = np.flatnonzero(state["shown_items"] == index)
        by_rank = sorted(
            rows[state["shown_ranks"][rows] >= 0], key=lambda row: state["shown_ranks"][row]
        )
        labels = state["shown_labels"].tolist()
        found.append(
            {
                "posterior": {labels[row]: state["shown_shares"][row] for row in rows},
                "candidates": [labels[row] for row in by_rank],
                "chosen": [labels[row] for row in by_rank if state["shown_chosen"][row]],
                "tied": bool(state["tied"][index]),
                "below_quorum": bool(state["below_quorum"][index]),
                "dependence": [
                    float(state[name][index]) for name in ("dependence", "correlation", "pairs")
                ],
                "votes": {
                    labels[row]: int(state["shown_votes"][row])
                    for row in rows
                    if state["shown_votes"][row]
                },
            }
            if used
            else None
        )
    return found


def predict_at_once(objects, context, algorithm):
    answered = [
        Answers(f"{index:02}", tuple(row[0]), tuple(row[0].values()), ())
        for index, row in enumerate(objects)
        if row[0]
    ]
    found = iter(zip(answered, predict(answered, context, algorithm), strict=True))
    for row in objects:
        if not row[0]:
            yield None
            continue
        item, prediction = next(found)
        told = prediction.dependence
        yield {
            "posterior": prediction.posterior,
            "candidates": list(prediction.candidates),
            "chosen": list(prediction.chosen),
            "tied": prediction.tied,
            "below_quorum": prediction.below_quorum,
            "dependence": [told.value, told.correlation, told.pairs]
            if told
            else [np.nan, np.nan, 0],
            "votes": Counter(label for labels in item.answers for label in labels),
        }


@given(
    objects=OBJECTS,
    cuts=CUTS,
    algorithm=st.sampled_from(TASK.algorithms),
    quorum=st.sampled_from([0.5, 2 / 3]),
    exclusion=st.sampled_from(["", "none"]),
    model=st.sampled_from([None, 0.5]),
    correlation=st.sampled_from([None, 0.3]),
)
def test_any_cut_into_shards_gives_the_labels_of_the_whole(
    objects, cuts, algorithm, quorum, exclusion, model, correlation
):
    settings = Settings(
        consolidation_algorithm=algorithm,
        quorum=quorum,
        exclusion_category=exclusion,
        error_correlation=correlation,
        model_answers_s3_uri="" if model is None else MODEL_URI,
        model_max_weight=model or 0.0,
    )
    context = make_context(objects, settings)
    shards = [make_shard(part, with_model=model is not None) for part in cut(objects, cuts)]
    states, _ = consolidate_shards(make_plan(settings), shards)
    found = [item for state in states for item in read_state(state)]
    expected = list(predict_at_once(objects, context, algorithm))
    for item, wanted in zip(found, expected, strict=True):
        if wanted is None:
            assert item is None
            continue
        for name in ("posterior", "dependence"):
            one, two = item.pop(name), wanted.pop(name)
            if isinstance(two, dict):
                assert list(one) == list(two)
                one, two = list(one.values()), list(two.values())
            np.testing.assert_allclose(one, two, atol=1e-9, rtol=0)
        assert item == wanted
