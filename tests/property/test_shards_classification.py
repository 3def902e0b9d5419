"""Single-label jobs: however a job is cut into shards, its classes are those of the whole."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.annotations import Answers
from groundtruth.auxiliary_inputs import NO_LABELS, AuxiliaryLabels, parse_confidence_map
from groundtruth.errors import GroundTruthError
from groundtruth.settings import Settings
from groundtruth.sharding.plan import Plan
from groundtruth.tasks.base import ConsolidationContext
from groundtruth.tasks.classification.algorithms import predict
from groundtruth.tasks.classification.task import ImageMultiClass
from tests.memory_store import MemoryStore
from tests.shards import consolidate_shards

pytestmark = pytest.mark.slow

TASK = ImageMultiClass()
CREW = ("ann", "ben", "cem", "dan", "eve", "fay")
FEW, MANY = 3, 25
MADE_AT = datetime(2026, 3, 2, 10, 15, 28, tzinfo=UTC)
MODEL_URI = "s3://bucket/model.jsonl"
MAP = b'{"kind": "logistic", "offset": -0.1, "slope": 0.8}'

CUTS = st.lists(st.integers(0, 12), max_size=4)


def jobs(n_classes):
    """Votes of each worker on each object, its truth and what a model says, if known."""
    label = st.integers(0, n_classes - 1)
    votes = st.dictionaries(st.sampled_from(CREW), label)
    return st.lists(st.tuples(votes, st.none() | label, st.none() | label), min_size=1, max_size=12)


def name_classes(n_classes):
    return tuple(f"class {index}" for index in range(n_classes))


def make_context(objects, classes, settings, *, with_map):
    gold, model = (
        AuxiliaryLabels(
            {},
            {
                f"{index:02}": (classes[row[column]],)
                for index, row in enumerate(objects)
                if row[column] is not None
            },
        )
        for column in (1, 2)
    )
    return ConsolidationContext(
        classes=classes,
        classes_known=True,
        settings=settings,
        job_name="labeling-job/cats",
        made_at=MADE_AT,
        masks_uri="",
        store=MemoryStore(),
        kms_key=None,
        gold=gold,
        model=model if settings.model_answers_s3_uri else NO_LABELS,
        confidence_map=parse_confidence_map(MAP, path="map") if with_map else None,
    )


def make_plan(classes, settings, *, with_map):
    has_model = bool(settings.model_answers_s3_uri)
    return Plan(
        task=TASK.name,
        settings=settings,
        classes=classes,
        n_workers=len(CREW) + has_model,
        job_name="labeling-job/cats",
        made_at=MADE_AT.isoformat(),
        confidence_map={"kind": "logistic", "offset": -0.1, "slope": 0.8} if with_map else None,
        options={"model_max_weight": settings.model_max_weight} if has_model else {},
        shards=(),
    )


def make_shard(objects, *, with_model):
    """The arrays of a shard's file; the model also says something of objects nobody voted on."""
    rows = []
    gold = np.full(len(objects), -1, np.int32)
    for index, (votes, truth, model) in enumerate(objects):
        rows += [(index, CREW.index(worker), label) for worker, label in votes.items()]
        if with_model and model is not None:
            rows.append((index, len(CREW), model))
        if truth is not None:
            gold[index] = truth
    items, workers, classes = np.array(rows, np.int32).reshape(-1, 3).T
    return {
        "n_objects": np.array(len(objects)),
        "items": items,
        "workers": workers,
        "classes": classes,
        "gold": gold,
    }


def cut(objects, places):
    edges = sorted({0, len(objects), *(place for place in places if place < len(objects))})
    return [objects[start:end] for start, end in pairwise(edges)]


def read_state(state):
    """What is said of each object of a shard; None of one without a vote."""
    shown = [{} for _ in state["class_id"]]
    columns = (state[f"shown_{name}"].tolist() for name in ("items", "classes", "shares"))
    for item, class_id, share in zip(*columns, strict=True):
        shown[item][class_id] = share
    names = ("class_id", "confidence", "tied", "dependence", "correlation", "pairs")
    rows = zip(*(state[name].tolist() for name in names), shown, strict=True)
    return [None if row[0] < 0 else row for row in rows]


def predict_at_once(objects, context, algorithm):
    voted = [
        Answers(f"{index:02}", tuple(row[0]), tuple(row[0].values()), ())
        for index, row in enumerate(objects)
        if row[0]
    ]
    predictions = iter(predict(voted, context, algorithm))
    found = [next(predictions) if row[0] else None for row in objects]
    return [None if item is None else read_prediction(item) for item in found]


def read_prediction(item):
    told = item.dependence
    figures = (np.nan, np.nan, 0) if told is None else (told.value, told.correlation, told.pairs)
    return item.class_id, item.confidence, item.tied, *figures, item.posterior


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if one is None or other is None:
            assert one is other
            continue
        assert (one[0], one[2], one[5]) == (other[0], other[2], other[5])
        numbers, others = ([row[1], *row[3:5]] for row in (one, other))
        np.testing.assert_allclose(numbers, others, rtol=0, atol=1e-9)
        classes = sorted(one[6].keys() | other[6].keys())
        shares, expected_shares = ([row[6].get(k, 0.01) for k in classes] for row in (one, other))
        np.testing.assert_allclose(shares, expected_shares, rtol=0, atol=1e-9)


def compare(objects, places, algorithm, n_classes, **settings):
    """Consolidate a job at once and in shards; returns the names of the steps."""
    with_map = settings.pop("with_map", False)
    given = Settings(consolidation_algorithm=algorithm, **settings)
    classes = name_classes(n_classes)
    context = make_context(objects, classes, given, with_map=with_map)
    with_model = bool(given.model_answers_s3_uri)
    shards = [make_shard(part, with_model=with_model) for part in cut(objects, places)]
    states, steps = consolidate_shards(make_plan(classes, given, with_map=with_map), shards)
    found = [row for state in states for row in read_state(state)]
    assert_same(found, predict_at_once(objects, context, algorithm))
    return steps


@pytest.mark.parametrize("algorithm", TASK.algorithms)
@given(objects=jobs(FEW), places=CUTS, with_map=st.booleans())
def test_shards_give_what_the_whole_job_does(algorithm, objects, places, with_map):
    compare(objects, places, algorithm, FEW, with_map=with_map)


@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc", "majority"])
@given(objects=jobs(MANY), places=CUTS)
def test_many_classes_make_no_difference(algorithm, objects, places):
    compare(objects, places, algorithm, MANY)


@pytest.mark.parametrize("algorithm", TASK.algorithms)
@given(objects=jobs(FEW), places=CUTS, weight=st.sampled_from([0.0, 0.3, 1.0]))
def test_a_model_is_asked_by_the_algorithms_that_ask_it(algorithm, objects, places, weight):
    model = {"model_answers_s3_uri": MODEL_URI, "model_max_weight": weight}
    compare(objects, places, algorithm, FEW, **model)


def test_builtin_refuses_many_classes():
    plan = make_plan(
        name_classes(MANY), Settings(consolidation_algorithm="builtin"), with_map=False
    )
    with pytest.raises(GroundTruthError, match="one piece"):
        TASK.plan_steps(plan)
